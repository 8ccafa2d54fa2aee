/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_text.h: JSON values of the jansson library as text; unlike json_dumps(), never incomplete when memory runs out. */
#ifndef BARLOW_JSON_TEXT_H
#define BARLOW_JSON_TEXT_H

#include <stddef.h>

struct json_t;

/* The text that json_dumps() makes with these flags; the caller frees it.  NULL: no memory. */
char *bl_json_text(const struct json_t *v, size_t flags);

#endif
