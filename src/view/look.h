/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/look.h: the state of the heatmap: the visible part of the matrix, and the selected snapshot.
 *
 * A place is the index of a dimension after ordering, from 0 to d - 1.  Of two places, the first is the row.
 */
#ifndef BARLOW_VIEW_LOOK_H
#define BARLOW_VIEW_LOOK_H

#include "view/matrix_picture.h"

typedef enum bl_kind { BL_KIND_C, BL_KIND_MINUS_I, BL_KIND_MAGNITUDE, BL_KIND_AA, BL_KINDS } bl_kind;

typedef struct bl_look {
	bl_kind kind;
	bl_order order;
	int from[2], side;                     /* the visible part, a square; side 0: all */
	bool pointing;                         /* is there a cursor? */
	int at[2];                             /* its place */
	bool difference;                       /* show the difference from the reference */
	bl_snapshot reference;                 /* step -1: none */
	bl_snapshot past;                      /* the snapshot that is shown instead of the newest; step -1: none */
	bl_snapshot other_past;                /* the other run's snapshot of the nearest step */
	int stored;                            /* number of stored snapshots when one was last selected */
	int64_t stored_step[BL_SNAPSHOTS_MAX]; /* their steps */
	bl_picture shown, beside, subtracted;  /* as last drawn: the run, the other run, the reference */
	bool differs;                          /* `shown` is a difference */
	bool several;                          /* the marked runs are shown side by side */
	bl_snapshot several_of;                /* snapshot of the marked run that is being drawn */
	const bl_live *other;                  /* the run to which other_past belongs */
} bl_look;

void bl_look_start(bl_look *l); /* sets the initial state */

/* The region that the run has to compute for the visible part. */
bl_region bl_look_part(const bl_look *l, int d);

/* Halves (in) or doubles the side of the visible part, around the cursor, or around its middle if there is no cursor. */
void bl_look_zoom(bl_look *l, int d, bool in);
void bl_look_whole(bl_look *l);
/* Moves the cursor to a place, and the visible part just so far that it contains the place. */
void bl_look_point(bl_look *l, int d, int row, int col);

/* Selects another of the stored snapshots of `run`: the previous or the next one; the first; the newest. */
void bl_look_step(bl_look *l, const bl_live *run, const bl_live *other, bool earlier);
void bl_look_first(bl_look *l, const bl_live *run, const bl_live *other);
void bl_look_now(bl_look *l);

/* Fills in `shown` from p: the difference from the reference if it is requested and available. */
void bl_look_take(bl_look *l, const bl_snapshot *p);
/* The same for `beside`, from the other run's snapshot. */
void bl_look_take_other(bl_look *l, const bl_snapshot *p);

#endif
