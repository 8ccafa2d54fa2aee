/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar_label.c: reads one value of a JSON object. */
#include "data/tar_label.h"

#include <barlow/error.h>
#include <barlow/text.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static char *text_of(const json_t *v, const char *key)
{
	char number[32];
	if (json_is_string(v))
		return bl_text_copy(json_string_value(v));
	if (!json_is_integer(v))
		return bl_fail_null("key '%.60s' is neither a whole number nor a text", key);
	snprintf(number, sizeof number, "%" PRId64, (int64_t)json_integer_value(v));
	return bl_text_copy(number);
}

char *bl_tar_label(const char *json, size_t n, const char *key)
{
	json_error_t why;
	json_t *all = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
	if (!all)
		return bl_fail_null("not JSON: line %d: %.150s", why.line, why.text);
	const json_t *v = json_object_get(all, key);
	char *text = v ? text_of(v, key) : bl_fail_null("no key '%.60s'", key);
	json_decref(all);
	return text;
}
