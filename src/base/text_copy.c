/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_copy.c: copies of texts (text.h).  It is not in text.c because it calls error.c, which calls text.c. */
#include <barlow/error.h>
#include <barlow/text.h>

#include <string.h>

char *bl_text_copy(const char *text)
{
	char *copy = strdup(text);
	return copy ? copy : bl_fail_null("no memory for the text '%.60s'", text);
}
