/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live.c: publishing and reading of info, records and snapshots.  Nothing read is believed before it is checked. */
#include "live/livefile.h"

#include <barlow/error.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_TRIES = 64 };

#define AT(member) offsetof(struct live_image, member)

const char *bl_run_state_name(bl_run_state s)
{
	static const char *const names[] = { "new", "running", "paused", "done", "stopped", "failed" };
	return s >= BL_RUN_NEW && s <= BL_RUN_FAILED ? names[s] : "unknown";
}

/* --- Newest wins: see struct live_turn ----------------------------------- */

void bl_live_turn_publish(bl_live *l, struct live_turn *turn, size_t slots_at, const void *in, size_t size)
{
	pthread_mutex_lock(&l->writing);
	uint64_t next = atomic_load_explicit(&turn->done, memory_order_relaxed) + 1;
	atomic_store_explicit(&turn->begun, next, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	bl_livefile_store(l, slots_at + (next & 1) * size, in, size);
	atomic_store_explicit(&turn->done, next, memory_order_release);
	pthread_mutex_unlock(&l->writing);
}

int bl_live_turn_newest(const bl_live *l, size_t turn_at, size_t slots_at, size_t size, void *out, size_t n)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t turn = bl_livefile_word(l, turn_at + offsetof(struct live_turn, done));
		if (turn == 0)
			return 0;
		if (!bl_livefile_load(l, slots_at + (turn & 1) * size, out, n))
			return -1;
		atomic_thread_fence(memory_order_acquire);
		uint64_t begun = bl_livefile_word(l, turn_at + offsetof(struct live_turn, begun));
		if (begun - turn < 2)
			return 1;
		sched_yield();
	}
	return -1;
}

/* --- The trainer's side -------------------------------------------------- */

void bl_live_set_info(bl_live *l, const bl_live_info *info)
{
	bl_live_info whole = *info;
	whole.pid = l->pid;
	if (whole.started == 0)
		whole.started = l->started;
	if (l->image)
		bl_live_turn_publish(l, &l->image->header.info, AT(info), &whole, sizeof whole);
}

void bl_live_publish(bl_live *l, const bl_snapshot *s)
{
	if (!l->image)
		return;
	bl_live_keep(l, s);
	bl_live_turn_publish(l, &l->image->header.snapshot, AT(snapshot), s, sizeof *s);
}

int bl_live_add(bl_live *l, const bl_record *r)
{
	if (!l->image)
		return bl_fail("live: this handle is a reader's");
	if (l->written >= l->capacity)
		return bl_fail("live: all %lld records are used", (long long)l->capacity);
	bl_livefile_store(l, l->records_at + (size_t)l->written * bl_livefile_row(l), r, bl_livefile_row(l));
	l->written++;
	atomic_store_explicit(&l->image->header.records, (uint64_t)l->written, memory_order_release);
	return 0;
}

/* --- The reader's side --------------------------------------------------- */

/* Texts go to terminals: no control characters, and an end. */
static void clean_text(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static int64_t not_negative(int64_t v)
{
	return v < 0 ? 0 : v;
}

static void clean_info(bl_live_info *i)
{
	clean_text(i->name, sizeof i->name);
	clean_text(i->message, sizeof i->message);
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
	if (bl_live_turn_newest(l, AT(header.info), AT(info), sizeof *out, out, sizeof *out) == 1) {
		clean_info(out);
		return;
	}
	*out = (bl_live_info){ .state = BL_RUN_FAILED, .message = "the live file cannot be read" };
}

int64_t bl_live_length(const bl_live *l)
{
	int64_t room = (bl_livefile_size(l) - (int64_t)l->records_at) / (int64_t)bl_livefile_row(l);
	uint64_t n = bl_livefile_word(l, AT(header.records));
	if (room > l->capacity)
		room = l->capacity;
	return room <= 0 ? 0 : n > (uint64_t)room ? room : (int64_t)n;
}

/* Fills the cache with the run of records that i lies in. */
static bool cache_fill(const bl_live *l, struct live_cache *c, int64_t i)
{
	int64_t from = i - i % LIVE_CACHE, n = bl_live_length(l) - from;
	if (n > LIVE_CACHE)
		n = LIVE_CACHE;
	c->n = 0;
	if (n <= i - from)
		return false;
	if (!bl_livefile_load(l, l->records_at + (size_t)from * bl_livefile_row(l), c->run, (size_t)n * bl_livefile_row(l)))
		return false;
	c->from = from;
	c->n = n;
	return true;
}

static bool cached_record(const bl_live *l, int64_t i, bl_record *out)
{
	struct live_cache *c = l->cache;
	pthread_mutex_lock(&c->lock);
	bool there = (i >= c->from && i - c->from < c->n) || cache_fill(l, c, i);
	if (there)
		memcpy(out, (const char *)c->run + (size_t)(i - c->from) * bl_livefile_row(l), bl_livefile_row(l));
	pthread_mutex_unlock(&c->lock);
	return there;
}

bool bl_live_record(const bl_live *l, int64_t i, bl_record *out)
{
	if (i < 0 || i >= l->capacity)
		return false;
	for (int k = l->columns.n; k < BL_COLUMNS_MAX; k++)
		out->value[k] = NAN;
	if (l->cache)
		return cached_record(l, i, out) && out->step > 0;
	return i < bl_live_length(l) &&
	       bl_livefile_load(l, l->records_at + (size_t)i * bl_livefile_row(l), out, bl_livefile_row(l)) && out->step > 0;
}

int bl_live_columns_count(const bl_live *l)
{
	return l->columns.n;
}

void bl_live_columns(const bl_live *l, bl_columns *out)
{
	*out = l->columns;
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
	       within(s->spectrum, 0, BL_SPECTRUM_MAX) && within(s->pairs, 0, BL_PAIRS_MAX) && within(s->points, 0, BL_POINTS_MAX) && s->points_step >= 0 &&
	       within(s->classes, 0, BL_CLASSES_MAX) && within(s->points_of, BL_POINTS_UNKNOWN, BL_POINTS_QUERIES);
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
	return within(s->view_side, 0, BL_VIEW_MAX) &&
	       (s->view_side == 0 || s->view_channels == 1 || s->view_channels == 3) && s->view_row >= -1 &&
	       s->view_label >= -1;
}

bool bl_live_snapshot_clean(bl_snapshot *s)
{
	clean_text(s->view_draws[0], BL_DRAW_TEXT);
	clean_text(s->view_draws[1], BL_DRAW_TEXT);
	clean_text(s->view_class, BL_CLASS_TEXT);
	for (int i = 0; i < BL_CLASSES_MAX; i++)
		clean_text(s->class_name[i], BL_CLASS_TEXT);
	for (int i = 0; i < BL_POINTS_MAX; i++)
		if (s->point_label[i] < -1)
			s->point_label[i] = -1;
	return measures_sane(s) && region_sane(s) && views_sane(s);
}

int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out)
{
	if (bl_live_turn_newest(l, AT(header.snapshot), AT(snapshot), sizeof *out, out, sizeof *out) != 1 ||
	    !bl_live_snapshot_clean(out))
		return -1;
	return out->step;
}

uint64_t bl_live_snapshots(const bl_live *l)
{
	return bl_livefile_word(l, AT(header.snapshot.done));
}

/* A pid that exists is the trainer's only if it started when the trainer did, in the same boot. */
bool bl_live_writer_alive(const bl_live *l)
{
	char boot[40];
	if (l->pid <= 0 || l->pid > INT_MAX || (kill((pid_t)l->pid, 0) != 0 && errno != EPERM))
		return false;
	bl_livefile_boot(boot);
	if (strcmp(boot, l->boot) != 0)
		return false;
	uint64_t ticks = bl_livefile_process_start(l->pid);
	return ticks == 0 || l->pid_ticks == 0 || ticks == l->pid_ticks;
}
