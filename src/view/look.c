/* SPDX-License-Identifier: GPL-3.0-or-later */
/* look.c: the visible part of the matrix, and the selected snapshot. */
#include "view/look.h"
#include "base/bounded.h"

#include <string.h>

enum { LEAST_SIDE = 4 }; /* in dimensions */

void bl_look_start(bl_look *l)
{
	memset(l, 0, sizeof *l);
	l->reference.step = l->past.step = l->other_past.step = -1;
	l->shown.step = l->beside.step = l->subtracted.step = -1;
}

/* --- The visible part ----------------------------------------------------------- */

bl_region bl_look_part(const bl_look *l, int d)
{
	bl_region want = { .matrix = l->kind == BL_KIND_AA ? BL_MATRIX_AA : BL_MATRIX_C, .order = (int32_t)l->order };
	want.row = l->from[0];
	want.col = l->from[1];
	want.rows = want.cols = l->side;
	return bl_picture_clamp(&want, d);
}

/* The element under the cursor stays at its position on the screen. */
void bl_look_zoom(bl_look *l, int d, bool in)
{
	int least = d < LEAST_SIDE ? d : LEAST_SIDE, side = l->side ? l->side : d;
	int next = bl_bounded(in ? (side + 1) / 2 : 2 * side, least, d);
	for (int axis = 0; axis < 2; axis++) {
		int at = l->pointing ? l->at[axis] : l->from[axis] + side / 2;
		int from = at - (int)((int64_t)(at - l->from[axis]) * next / side);
		l->from[axis] = bl_bounded(from, 0, d - next);
	}
	l->side = next < d ? next : 0;
}

void bl_look_whole(bl_look *l)
{
	l->from[0] = l->from[1] = l->side = 0;
}

void bl_look_point(bl_look *l, int d, int row, int col)
{
	int side = l->side ? l->side : d, place[2] = { bl_bounded(row, 0, d - 1), bl_bounded(col, 0, d - 1) };
	l->pointing = true;
	for (int axis = 0; axis < 2; axis++) {
		l->at[axis] = place[axis];
		if (place[axis] < l->from[axis])
			l->from[axis] = place[axis];
		else if (place[axis] >= l->from[axis] + side)
			l->from[axis] = place[axis] - side + 1;
	}
}

/* --- Time ----------------------------------------------------------------------- */

/* Lists the stored snapshots by their steps, since their indices change during the run. */
static void list_stored(bl_look *l, const bl_live *run)
{
	int n = bl_live_snapshot_count(run);
	l->stored = 0;
	for (int i = 0; i < n && i < BL_SNAPSHOTS_MAX; i++)
		if (bl_live_snapshot_at(run, i, &l->past) >= 0)
			l->stored_step[l->stored++] = l->past.step;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

/* Reads the snapshot whose step is nearest to `step`; out->step -1: there is none, or run is NULL. */
static void take_nearest(const bl_live *run, int64_t step, bl_snapshot *out)
{
	int best = -1, n = run ? bl_live_snapshot_count(run) : 0;
	int64_t least = INT64_MAX;
	for (int i = 0; i < n; i++)
		if (bl_live_snapshot_at(run, i, out) >= 0 && distance(out->step, step) < least) {
			least = distance(out->step, step);
			best = i;
		}
	if (best < 0 || bl_live_snapshot_at(run, best, out) < 0)
		out->step = -1;
}

/* Selects the k'th stored snapshot. */
static void go_to(bl_look *l, const bl_live *run, const bl_live *other, int k)
{
	take_nearest(run, l->stored_step[k], &l->past);
	take_nearest(other, l->stored_step[k], &l->other_past);
	l->other = other;
}

/* The last stored snapshot is never selected: in its place, the newest is followed. */
void bl_look_step(bl_look *l, const bl_live *run, const bl_live *other, bool earlier)
{
	int64_t from = l->past.step;
	bool now = from < 0;
	list_stored(l, run);
	int last = l->stored - 1, k = last;
	while (!now && k > 0 && l->stored_step[k] > from)
		k--;
	if (!earlier)
		k++;
	else if (k > 0)
		k--;
	if (l->stored < 2 || k >= last)
		bl_look_now(l);
	else
		go_to(l, run, other, k);
}

void bl_look_first(bl_look *l, const bl_live *run, const bl_live *other)
{
	list_stored(l, run);
	if (l->stored < 2)
		bl_look_now(l);
	else
		go_to(l, run, other, 0);
}

void bl_look_now(bl_look *l)
{
	l->past.step = l->other_past.step = -1;
}

/* --- The matrix ----------------------------------------------------------------- */

static bl_shape shape_of(bl_kind kind)
{
	return kind == BL_KIND_MINUS_I ? BL_SHAPE_MINUS_I : kind == BL_KIND_MAGNITUDE ? BL_SHAPE_MAGNITUDE : BL_SHAPE_PLAIN;
}

/*
 * Reads the same part of the snapshot and of the reference: from the regions that the run computed on request, or else
 * from the cells of C, which every snapshot has.
 */
static void take_pair(bl_look *l, const bl_snapshot *p, const bl_region *part)
{
	bool plain = part->matrix == BL_MATRIX_C && part->order == BL_ORDER_PLAIN;
	bl_picture_take(&l->subtracted, &l->reference, &l->shown.part);
	if (bl_picture_same(&l->shown, &l->subtracted) || !plain)
		return;
	bl_picture_crop(&l->shown, p, part);
	bl_picture_crop(&l->subtracted, &l->reference, part);
}

void bl_look_take(bl_look *l, const bl_snapshot *p)
{
	bool pair = l->difference && l->reference.step >= 0 && l->reference.d == p->d;
	bl_region part = bl_look_part(l, p->d);
	l->differs = false;
	if (!bl_picture_take(&l->shown, p, &part))
		return;
	if (pair)
		take_pair(l, p, &part);
	bl_picture_shape(&l->shown, p, shape_of(l->kind));
	if (!pair)
		return;
	bl_picture_shape(&l->subtracted, &l->reference, shape_of(l->kind));
	l->differs = bl_picture_subtract(&l->shown, &l->subtracted);
}

void bl_look_take_other(bl_look *l, const bl_snapshot *p)
{
	bl_region part = bl_look_part(l, p->d);
	if (bl_picture_take(&l->beside, p, &part))
		bl_picture_shape(&l->beside, p, shape_of(l->kind));
}
