/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wanted.c: decides whether output has colours: by --color or, if it is auto, by the environment. */
#include <barlow/view.h>

#include <stdlib.h>
#include <string.h>

static bl_colours wanted = BL_COLOURS_AUTO;

void bl_colours_set(bl_colours when)
{
	wanted = when;
}

bool bl_colours_wanted(bool terminal)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	if (wanted != BL_COLOURS_AUTO)
		return wanted == BL_COLOURS_ALWAYS;
	return terminal && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}
