/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_text.c: writes JSON values as text.
 *
 * json_dumps() grows its buffer while it writes, and (jansson 2.14, dump.c) ignores a failed allocation for an object's
 * key: the text then lacks that key.  So the length is measured first, and the text is written to a buffer of that size.
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
