/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live.c: publishing and reading of info and snapshots.  Nothing read is believed before it is checked. */
#include "live/livefile.h"

#include <barlow/text.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_TRIES = 64, BLOB_MOST = 8 << 20 };

const char *bl_run_state_name(bl_run_state s)
{
	static const char *const names[] = { "new", "running", "paused", "done", "stopped", "failed" };
	return s >= BL_RUN_NEW && s <= BL_RUN_FAILED ? names[s] : "unknown";
}

/* --- The trainer's side -------------------------------------------------- */

void bl_live_set_info(bl_live *l, const bl_live_info *info)
{
	if (!l->writer)
		return;
	pthread_mutex_lock(&l->lock);
	bl_live_info *whole = &l->writer->info;
	*whole = *info;
	whole->pid = l->pid;
	if (whole->started == 0)
		whole->started = l->started;
	bl_writer_turn(l, SECTION_INFO, whole, sizeof *whole);
	pthread_mutex_unlock(&l->lock);
}

/*
 * The newest lies in one of two places in turn; one that has grown gets a new place at the end, with room for what the
 * next ones may have besides (spectrum, pairs, points), so that few are left behind.
 */
static void publish(bl_live *l, const bl_snapshot *s)
{
	struct live_writer *w = l->writer;
	w->newest_size = bl_pack(s, false, w->newest);
	w->snapshots++;
	int area = (int)(w->snapshots & 1);
	if (w->newest_size > w->area[area].room && bl_writer_has_file(l)) {
		w->area[area].room = w->newest_size + w->newest_size / 4;
		w->area[area].at = bl_writer_room(l, w->area[area].room);
	}
	bl_writer_put(l, w->area[area].at, w->newest, w->newest_size);
	bl_writer_state(l);
}

void bl_live_publish(bl_live *l, const bl_snapshot *s)
{
	if (!l->writer)
		return;
	pthread_mutex_lock(&l->lock);
	bl_snapshots_add(l, s);
	publish(l, s);
	pthread_mutex_unlock(&l->lock);
}

bool bl_live_problem(bl_live *l, char *out, size_t size)
{
	if (!l->writer)
		return false;
	pthread_mutex_lock(&l->lock);
	bool new = l->writer->problem[0] && !l->writer->spoken;
	l->writer->spoken = true;
	if (new)
		snprintf(out, size, "%s", l->writer->problem);
	pthread_mutex_unlock(&l->lock);
	return new;
}

/* --- The reader's side --------------------------------------------------- */

static int64_t not_negative(int64_t v)
{
	return v < 0 ? 0 : v;
}

static void clean_info(bl_live_info *i)
{
	bl_text_clean_here(i->name, sizeof i->name);
	bl_text_clean_here(i->message, sizeof i->message);
	if ((unsigned)i->state > BL_RUN_FAILED)
		i->state = BL_RUN_FAILED;
	i->step = not_negative(i->step);
	i->steps = not_negative(i->steps);
	i->steps_per_epoch = not_negative(i->steps_per_epoch);
	i->batch = (int32_t)not_negative(i->batch);
	i->d = (int32_t)not_negative(i->d);
	i->parameters_m = (int32_t)not_negative(i->parameters_m);
	i->knn_queries = (int32_t)not_negative(i->knn_queries);
	i->knn_refs = (int32_t)not_negative(i->knn_refs);
	if (!isfinite(i->started))
		i->started = 0;
}

void bl_live_info_get(const bl_live *l, bl_live_info *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	bool there = true;
	pthread_mutex_lock(lock);
	if (l->writer)
		*out = l->writer->info;
	else
		there = bl_disk_newest(l->fd, &l->section[SECTION_INFO], out, sizeof *out);
	pthread_mutex_unlock(lock);
	if (there)
		clean_info(out);
	else
		*out = (bl_live_info){ .state = BL_RUN_FAILED, .message = "the live file cannot be read" };
}

static bool within(int32_t v, int32_t lo, int32_t hi)
{
	return v >= lo && v <= hi;
}

/* The part that kept snapshots have. */
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

static bool newest_blob(const bl_live *l, struct live_state *s)
{
	return bl_disk_newest(l->fd, &l->section[SECTION_STATE], s, sizeof *s) && s->snapshot_size > 0 &&
	       s->snapshot_size <= BLOB_MOST && s->snapshot_at < (UINT64_C(1) << 48);
}

/* One that was overtaken while it was read has a check that does not fit, and is read again. */
static bool snapshot_in_file(const bl_live *l, bl_snapshot *out)
{
	struct live_state s, again;
	bool whole = false;
	for (int i = 0; i < READ_TRIES && !whole && newest_blob(l, &s); i++) {
		char *bytes = malloc(s.snapshot_size);
		whole = bytes && bl_disk_read(l->fd, s.snapshot_at, bytes, s.snapshot_size) &&
		        bl_unpack(bytes, s.snapshot_size, out);
		free(bytes);
		if (!whole && newest_blob(l, &again) && again.snapshots == s.snapshots)
			break; /* nobody is writing: it is spoilt */
	}
	return whole;
}

int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer)
		return snapshot_in_file(l, out) ? out->step : -1;
	pthread_mutex_lock(lock);
	bool there = l->writer->newest_size > 0 && bl_unpack(l->writer->newest, l->writer->newest_size, out);
	pthread_mutex_unlock(lock);
	return there ? out->step : -1;
}

int64_t bl_live_newest_step(const bl_live *l)
{
	struct live_state s;
	char head[LIVE_PACK_HEAD];
	if (l->writer)
		return l->writer->newest_size ? bl_pack_step(l->writer->newest) : -1;
	if (!newest_blob(l, &s) || !bl_disk_read(l->fd, s.snapshot_at, head, sizeof head))
		return -1;
	return bl_pack_step(head);
}

uint64_t bl_live_snapshots(const bl_live *l)
{
	struct live_state s;
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer)
		return bl_disk_newest(l->fd, &l->section[SECTION_STATE], &s, sizeof s) ? s.snapshots : 0;
	pthread_mutex_lock(lock);
	uint64_t n = l->writer->snapshots;
	pthread_mutex_unlock(lock);
	return n;
}
