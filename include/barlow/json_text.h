/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_text.h: converts JSON values of the jansson library to text.  Unlike json_dumps(), it never returns an
 * incomplete text when memory runs out.
 */
#ifndef BARLOW_JSON_TEXT_H
#define BARLOW_JSON_TEXT_H

#include <stddef.h>

struct json_t;

/* Returns the text that json_dumps() makes with these flags; the caller frees it.  NULL: no memory. */
char *bl_json_text(const struct json_t *v, size_t flags);

#endif
