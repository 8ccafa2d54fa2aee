/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * record_json.c: writes a record as a line of JSON, for other tools.
 *
 * It does not use jansson, which prints numbers with a fixed number of digits.  bl_number_text gives the shortest text
 * that reads back as the same number, and nothing is allocated for a line.
 */
#include "live/record_json.h"

#include <barlow/number.h>

#include <math.h>

/* Names need no escapes: see bl_column_name_check. */
int bl_record_json(const bl_record *r, const bl_columns *c, FILE *f)
{
	char number[BL_NUMBER_TEXT];
	fprintf(f, "{\"step\": %lld", (long long)r->step);
	for (int i = 0; i < c->n; i++) {
		bool known = isfinite(r->value[i]);
		fprintf(f, ", \"%s\": %s", c->column[i].name,
		        known ? bl_number_text(r->value[i], false, number, sizeof number) : "null");
	}
	return fputs("}\n", f) < 0 ? -1 : 0;
}
