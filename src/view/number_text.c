/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number_text.c: formatting of numbers for the screen. */
#include "view/number_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

double bl_shown(double v, int digits)
{
	return fabs(v) < .5 * pow(10, -digits) ? 0 : v;
}

/* "1e-05" becomes "1e-5", "1e+05" becomes "1e5". */
static void shorten_exponent(char *text)
{
	char *e = strchr(text, 'e'), *to = e ? e + 1 : NULL;
	if (!e)
		return;
	const char *from = to;
	if (*from == '-')
		to++;
	from++;
	while (*from == '0' && from[1])
		from++;
	memmove(to, from, strlen(from) + 1);
}

/* Numbers from a thousand to a million are shown without decimals. */
void bl_shown_number(char out[BL_NUMBER_TEXT], double v, int digits, int columns)
{
	bool whole = fabs(v) >= 1000 && fabs(v) < 1e6 && digits < 4;
	v = v == 0 ? 0 : v;
	do {
		if (whole)
			snprintf(out, BL_NUMBER_TEXT, "%.0f", v);
		else
			snprintf(out, BL_NUMBER_TEXT, "%.*g", digits, v);
		shorten_exponent(out);
	} while ((int)strlen(out) > columns && --digits > 0);
}
