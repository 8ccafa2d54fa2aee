/* SPDX-License-Identifier: GPL-3.0-or-later */
/* advance.c: reports the progress of long operations to the calling thread's callback (parallel.h). */
#include <barlow/parallel.h>

#include <stddef.h>

static _Thread_local bl_advance_fn *shown_by;

void bl_advance_shown_by(bl_advance_fn *show)
{
	shown_by = show;
}

void bl_advance(const char *what, int64_t done, int64_t all)
{
	if (shown_by && all > 0)
		shown_by(what, (double)done / (double)all);
}

void bl_advance_end(void)
{
	if (shown_by)
		shown_by(NULL, 1);
}
