/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshot_check.c: checks that a snapshot from a file has possible values, and cleans its texts. */
#include "live/livefile.h"

#include <barlow/text.h>

static bool within(int32_t v, int32_t lo, int32_t hi)
{
	return v >= lo && v <= hi;
}

/* Checks the fields that older snapshots have as well as the newest. */
static bool measures_sane(const bl_snapshot *s)
{
	return s->step > 0 && s->n > 0 && s->d > 0 && within(s->grid, 1, BL_GRID_MAX) && within(s->diag, 1, BL_DIAG_MAX) &&
	       s->grid <= s->d && s->diag <= s->d && s->sampled >= 0 && within(s->dead, 0, s->d) && s->grid_elements >= 0 &&
	       within(s->spectrum, 0, BL_SPECTRUM_MAX) && within(s->pairs, 0, BL_PAIRS_MAX) &&
	       within(s->points, 0, BL_POINTS_MAX) && s->points_step >= 0 && within(s->classes, 0, BL_CLASSES_MAX) &&
	       within(s->points_of, BL_POINTS_UNKNOWN, BL_POINTS_QUERIES);
}

static bool span_sane(int32_t from, int32_t n, int32_t cells, int32_t d)
{
	return within(from, 0, d) && within(n, 0, d - from) && within(cells, 0, BL_GRID_MAX) && cells <= n;
}

static bool region_sane(const bl_snapshot *s)
{
	const bl_region *r = &s->region;
	if (s->region_rows == 0 && s->region_cols == 0)
		return true;
	if (!span_sane(r->row, r->rows, s->region_rows, s->d) || !span_sane(r->col, r->cols, s->region_cols, s->d) ||
	    s->region_rows == 0 || s->region_cols == 0 || s->region_elements < 0)
		return false;
	for (int i = 0; i < s->region_rows + s->region_cols; i++)
		if (!within(s->dims[i], 0, s->d - 1))
			return false;
	return within(r->matrix, BL_MATRIX_C, BL_MATRIX_BB) && within(r->order, BL_ORDER_PLAIN, BL_ORDER_CLUSTER);
}

static bool views_sane(const bl_snapshot *s)
{
	return within(s->view_side, 0, BL_VIEW_MAX) && within(s->view_count, 0, BL_VIEWS_MAX) &&
	       within(s->image_channels, 0, BL_IMAGE_CHANNELS_MAX) && s->view_row >= -1 && s->view_label >= -1 &&
	       (s->view_side == 0 || ((s->view_channels == 1 || s->view_channels == 3) && s->view_count > 0));
}

bool bl_live_snapshot_clean(bl_snapshot *s)
{
	for (int i = 0; i < BL_VIEWS_MAX; i++)
		bl_text_clean_here(s->view_draws[i], BL_DRAW_TEXT);
	bl_text_clean_here(s->view_class, BL_CLASS_TEXT);
	for (int i = 0; i < BL_CLASSES_MAX; i++)
		bl_text_clean_here(s->class_name[i], BL_CLASS_TEXT);
	for (int i = 0; i < BL_POINTS_MAX; i++)
		if (s->point_label[i] < -1)
			s->point_label[i] = -1;
	return measures_sane(s) && region_sane(s) && views_sane(s);
}
