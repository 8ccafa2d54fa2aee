/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view_list.c: the list of views, from which scenes are made; a file of its own, because views call functions of scenes. */
#include "view/scene.h"

#include <stddef.h>

static const bl_view_ops *const views[] = {
#define V(view, ops, key, word, heading, help) &bl_view_##ops,
	BL_VIEWS(V)
#undef V
		& bl_view_help,
	NULL,
};

bl_scene *bl_scene_new(bl_live *run)
{
	return bl_scene_of(run, views);
}
