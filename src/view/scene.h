/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/scene.h: all that views look at: the run as last read, and how it is to be shown.
 *
 * A view is a const table of functions at the end of its own file.  It draws
 * from the scene to the canvas and keeps no state of its own.
 */
#ifndef BARLOW_VIEW_SCENE_H
#define BARLOW_VIEW_SCENE_H

#include "view/canvas.h"
#include "view/heat.h"
#include "train/history.h"
#include "view/keys.h"

struct bl_view_ops;

typedef struct bl_scene {
	bl_live *run;
	const struct bl_view_ops *view, *before_help;
	bool read_only;
	bool still; /* a frame on paper: no keys to hint at */

	/* As last read. */
	bl_live_info info;
	bl_history history;
	bl_snapshot snapshot; /* step -1: none yet */
	bool lost;            /* the trainer's process died with the run unfinished */

	/* How to show it. */
	bl_heat_style heat;
	bool flip_background;
	bool asking;        /* "stop training?" is on the screen */
	char notice[160];   /* what the last key did */
	double lambda_sent; /* not in a record yet; NaN: none */
	int64_t lambda_sent_at;
} bl_scene;

typedef struct bl_view_ops {
	const char *name;
	void (*draw)(const bl_scene *s, bl_canvas *c, bl_rect r);
	/* What follows may be missing. */
	bl_scope scope;                           /* the requests that it has for itself in keys.h */
	void (*act)(bl_scene *s, bl_request r);   /* one of these was made */
	void (*enter)(bl_scene *s);               /* it comes onto the screen */
	bool (*key)(bl_scene *s, int key);        /* every key first, as while text is typed; true: that was for the view */
} bl_view_ops;

extern const bl_view_ops bl_view_dashboard, bl_view_heatmap, bl_view_help;

bl_scene *bl_scene_new(bl_live *run); /* borrowed */
void bl_scene_free(bl_scene *s);

/* Reads what is new of the run.  True: something a view shows has changed. */
bool bl_scene_read(bl_scene *s);

bool bl_scene_over(const bl_scene *s);           /* done, stopped or failed */
double bl_scene_seconds_left(const bl_scene *s); /* NaN: unknown */
double bl_scene_knn(const bl_scene *s);          /* the last measured, or NaN */
bl_heat_source bl_scene_matrix(const bl_scene *s);

#endif
