/* SPDX-License-Identifier: GPL-3.0-or-later */
/* key_manual.c: the keys as lines of the manual page. */
#include "view/key_manual.h"
#include "base/text_stream.h"

#include <barlow/error.h>

#include <stdio.h>

#include "view/keys.h"

static const char *const headings[BL_SCOPES] = {
	[BL_SCOPE_ALL] = "Everywhere",
#define V(view, ops, key, word, heading, help) [BL_SCOPE_##view] = heading,
	BL_VIEWS(V)
#undef V
		[BL_SCOPE_HELP] = "Help",
};

/* Writes a line of roff: escapes hyphens, backslashes, and a dot or quote at its beginning, which would start a request. */
static void write_text(FILE *f, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", f);
	for (; *text; text++)
		if (*text == '-')
			fputs("\\-", f);
		else if (*text == '\\')
			fputs("\\e", f);
		else
			fputc(*text, f);
	fputc('\n', f);
}

/* Writes the keys of a scope, if it has any, below a heading. */
static void write_scope(FILE *f, bl_scope scope)
{
	const char *heading = headings[scope];
	for (int k = 1; k < BL_REQUEST_COUNT; k++) {
		const bl_request_info *i = bl_request_describe((bl_request)k);
		if (i->scope != scope || !i->shown[0])
			continue;
		if (heading)
			fprintf(f, ".SS %s\n", heading);
		heading = NULL;
		fputs(".TP\n.B ", f);
		write_text(f, i->shown);
		write_text(f, i->help);
	}
}

char *bl_manual_keys(void)
{
	char *text = NULL;
	size_t n;
	FILE *f = bl_text_stream_begin(&text, &n);
	if (!f)
		return bl_fail_null("no memory for the manual");
	for (int scope = 0; scope < BL_SCOPES; scope++)
		write_scope(f, (bl_scope)scope);
	return bl_text_stream_end(f, &text) ? text : bl_fail_null("no memory for the manual");
}
