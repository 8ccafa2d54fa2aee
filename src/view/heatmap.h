/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/heatmap.h: the parts of the heatmap: the layout of the screen (heatmap_place.c), what keys do (heatmap_act.c),
 * the numbers beside the picture (heatmap_panel.c), the charts below them (heatmap_side.c), small pictures of several
 * runs (heatmap_several.c), and saving the picture as files (heatmap_save.c).
 */
#ifndef BARLOW_VIEW_HEATMAP_H
#define BARLOW_VIEW_HEATMAP_H

#include "view/look.h"
#include "view/scene.h"

enum { BL_HEATMAP_GAP = 2 }; /* columns between two pictures, or a picture and the panel */

typedef struct bl_heatmap_layout {
	int pictures; /* 0: there is no snapshot yet; 2: another run is shown beside the run */
	bl_rect picture[2];
	bl_heat_fit fit[2];
	bl_rect panel;       /* h 0: no room */
	int strip_y, time_y; /* -1: none */
} bl_heatmap_layout;

bl_look *bl_heatmap_look(const bl_scene *s);

/* Reads the visible part from the snapshots, and returns the layout of r. */
bl_heatmap_layout bl_heatmap_lay_out(const bl_scene *s, bl_ability can, bl_rect r);

/* The snapshot that is shown: the newest, or an earlier one. */
const bl_snapshot *bl_heatmap_snapshot(const bl_scene *s);
/* The name of the matrix in a picture: "C", "C - I" and so on. */
const char *bl_heatmap_name(const bl_look *l, const bl_picture *p);

void bl_heatmap_panel(const bl_scene *s, bl_canvas *c, const bl_heatmap_layout *place);

/* Draws the histogram compared with chance, the largest pairs and the sorted diagonal, as far as there is room. */
void bl_heatmap_side(const bl_scene *s, bl_canvas *c, bl_rect r);

/* Draws small pictures of this run and of the marked ones. */
void bl_heatmap_several(const bl_scene *s, bl_canvas *c, bl_rect r);
/* Returns the number of marked runs other than this one. */
int bl_heatmap_others(const bl_scene *s);

void bl_heatmap_act(bl_scene *s, bl_request r);
void bl_heatmap_mouse(bl_scene *s, bl_mouse m);
int bl_heatmap_save(bl_scene *s, const char *stem);

#endif
