/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/look.h: what of the matrix is looked at, and at which moment: the state of the heatmap.
 *
 * Places are those after ordering, from 0 to d - 1, the first index going down.
 */
#ifndef BARLOW_VIEW_LOOK_H
#define BARLOW_VIEW_LOOK_H

#include "view/matrix_picture.h"

typedef enum bl_kind { BL_KIND_C, BL_KIND_MINUS_I, BL_KIND_MAGNITUDE, BL_KIND_AA, BL_KINDS } bl_kind;

typedef struct bl_look {
	bl_kind kind;
	bl_order order;
	int from[2], side; /* the part that is seen: a square; side 0: all */
	bool pointing;     /* the cursor is there, at this place */
	int at[2];
	bool difference;        /* to the reference */
	bl_snapshot reference;  /* step -1: none */
	bl_snapshot past;       /* that is shown instead of the newest; step -1: none */
	bl_snapshot other_past; /* the other run's, of the nearest step */
	int kept;               /* snapshots of the past there were at the last step through time */
	int64_t kept_step[BL_SNAPSHOTS_MAX];
	bl_picture shown, beside, subtracted; /* as last drawn: the run, the other run, the reference */
	bool differs;                         /* `shown` is a difference */
	bool several;                         /* the marked runs are shown as well, in small */
	bl_snapshot several_of;               /* of the one that is being drawn */
	const bl_live *other;                 /* of which other_past is */
} bl_look;

void bl_look_start(bl_look *l); /* all anew */

/* What the run is to compute for it. */
bl_region bl_look_part(const bl_look *l, int d);

/* Twice as near, or half, around the cursor or else the middle. */
void bl_look_zoom(bl_look *l, int d, bool in);
void bl_look_whole(bl_look *l);
/* Puts the cursor on a place, and what is seen around it. */
void bl_look_point(bl_look *l, int d, int row, int col);

/* Through the snapshots that `run` kept: by one, towards the past or the present; to the first; to now. */
void bl_look_step(bl_look *l, const bl_live *run, const bl_live *other, bool earlier);
void bl_look_first(bl_look *l, const bl_live *run, const bl_live *other);
void bl_look_now(bl_look *l);

/* Fills in `shown` from p: the difference to the reference where that is asked for and can be had. */
void bl_look_take(bl_look *l, const bl_snapshot *p);
/* `beside`, of another run. */
void bl_look_take_other(bl_look *l, const bl_snapshot *p);

#endif
