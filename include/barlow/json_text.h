/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_text.h: jansson's values as text, whole or not at all. */
#ifndef BARLOW_JSON_TEXT_H
#define BARLOW_JSON_TEXT_H

#include <stddef.h>

struct json_t;

/* As json_dumps(), with its flags: the caller frees the text.  NULL: no memory. */
char *bl_json_text(const struct json_t *v, size_t flags);

#endif
