/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_text.c: json_dumps() lets its buffer grow while it writes, and (jansson 2.14, dump.c) does not look whether an object's
 * key found room: one allocation that fails leaves a text without that key.  So the text is measured first.
 */
#include <barlow/json_text.h>

#include <jansson.h>
#include <stdlib.h>

char *bl_json_text(const json_t *v, size_t flags)
{
	size_t n = json_dumpb(v, NULL, 0, flags);
	char *text = n > 0 ? malloc(n + 1) : NULL;
	if (!text)
		return NULL;
	if (json_dumpb(v, text, n, flags) == n) {
		text[n] = '\0';
		return text;
	}
	free(text);
	return NULL;
}
