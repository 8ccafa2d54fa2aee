/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ambient.c: the context of each thread. */
#include <barlow/ambient.h>

static _Thread_local bl_ambient here;

bl_ambient *bl_ambient_here(void)
{
	return &here;
}

bl_ambient bl_ambient_enter(void)
{
	return here;
}

void bl_ambient_leave(bl_ambient outside)
{
	here = outside;
}
