/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scene.c: the state of the run as it was last read, and the data of all views. */
#include "view/scene.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REQUEST_MS = 1000 };

void *bl_scene_own(const bl_scene *s, const bl_view_ops *view)
{
	return s->own[view->scope];
}

static void start_views(bl_scene *s)
{
	for (int k = 0; s->views[k]; k++)
		if (s->views[k]->start)
			s->views[k]->start(s);
}

bl_scene *bl_scene_of(bl_live *run, const bl_view_ops *const *views)
{
	bl_scene *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("no memory for a view");
	s->run = s->home = run;
	s->views = views;
	for (int k = 0; views[k]; k++)
		if (views[k]->private_size > 0 && !(s->own[views[k]->scope] = calloc(1, views[k]->private_size))) {
			bl_scene_free(s);
			return bl_fail_null("no memory for a view");
		}
	s->view = s->before_help = views[0];
	s->snapshot.step = s->other_snapshot.step = -1;
	s->turned = NAN;
	bl_history_reset(&s->history);
	s->depth_most = BL_DEPTH_FULL;
	start_views(s);
	return s;
}

void bl_scene_free(bl_scene *s)
{
	if (!s)
		return;
	for (int k = 0; s->views[k]; k++) {
		void *own = s->own[s->views[k]->scope];
		if (own && s->views[k]->end)
			s->views[k]->end(s);
		free(own);
	}
	for (int i = 0; i < BL_MARKED_MAX; i++)
		bl_live_close(s->marked[i]);
	bl_live_close(s->other);
	if (!bl_scene_at_home(s))
		bl_live_close(s->run);
	free(s);
}

bool bl_scene_at_home(const bl_scene *s)
{
	return s->run == s->home;
}

/* Forgets the values and requests of the previous run, which do not apply to the new one. */
void bl_scene_switch(bl_scene *s, bl_live *run)
{
	if (!bl_scene_at_home(s))
		bl_live_close(s->run);
	s->run = run;
	s->snapshot.step = -1;
	s->snapshots = 0;
	s->turned = NAN;
	s->knn_asked = false;
	s->asked_at = 0;
	s->lost = false;
	s->info = (bl_live_info){ .steps = 0 };
	s->journal = (bl_journal){ .n = 0 };
	bl_history_reset(&s->history);
	start_views(s);
	s->view = s->views[0];
	bl_scene_read(s);
}

void bl_scene_notice(bl_scene *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->notice, sizeof s->notice, fmt, ap);
	va_end(ap);
}

void bl_scene_compare(bl_scene *s, bl_live *other)
{
	bl_live_close(s->other);
	s->other = other;
	s->other_snapshot.step = -1;
	s->other_snapshots = 0;
	if (other)
		bl_live_info_get(other, &s->other_info);
}

/* Reads the run's state, and notes its changes in the journal.  A requested result of kNN becomes the notice. */
static bool read_info(bl_scene *s)
{
	bl_live_info now;
	bl_live_info_get(s->run, &now);
	bool changed = memcmp(&now, &s->info, sizeof now) != 0;
	if (changed) {
		bl_journal_add(&s->journal, &s->history.columns, &s->info, &now);
		bl_journal_load(&s->journal, bl_live_path(s->run));
	}
	if (s->knn_asked && strcmp(now.message, s->info.message) != 0 && strstr(now.message, "kNN")) {
		bl_scene_notice(s, "%s", now.message);
		s->knn_asked = false;
	}
	s->info = now;
	return changed;
}

/* Reads the newest snapshot.  A paused run publishes one without a new step if another region was requested. */
static bool read_snapshot(const bl_live *run, bl_snapshot *p, uint64_t *seen)
{
	uint64_t published = bl_live_snapshots(run);
	if (published == *seen && published > 0)
		return false;
	*seen = published;
	int64_t had = p->step;
	bl_region region = p->region;
	if (bl_live_snapshot(run, p) < 0)
		p->step = -1;
	return p->step != had || memcmp(&region, &p->region, sizeof region) != 0;
}

/*
 * Forgets the value of the loss's first parameter that a key has sent, once the newest record has this value, or is so much
 * newer than the command that another change must have replaced the value.
 */
static void settle_turned(bl_scene *s)
{
	int i = bl_columns_next(&s->history.columns, BL_COLUMN_PARAMETER, 0);
	double recorded = i < 0 ? NAN : bl_history_value(&s->history, s->history.columns.column[i].name);
	if (s->history.last.step > s->turned_at + 1 || recorded == s->turned)
		s->turned = NAN;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Sends the view's request for data to the runs, and repeats it each second, since requests expire after some seconds.  A run
 * that is open read-only receives none.
 */
static void request_data(bl_scene *s)
{
	bl_region want = { 0 };
	if (!s->view->want)
		return;
	s->view->want(s, &want);
	if (memcmp(&want, &s->asked, sizeof want) == 0 && now_ms() < s->asked_at + REQUEST_MS)
		return;
	s->asked = want;
	s->asked_at = now_ms();
	bl_live_request(s->run, &want);
	if (s->other)
		bl_live_request(s->other, &want);
}

/* If a run whose process died was resumed, opens its new file, which has the same name as the old one. */
static void follow(bl_scene *s)
{
	if (!s->lost || now_ms() < s->followed_at + REQUEST_MS)
		return;
	s->followed_at = now_ms();
	bl_live *next = bl_live_open_next(s->run);
	const struct bl_view_ops *view = s->view;
	if (!next)
		return;
	bl_scene_switch(s, next);
	s->view = view;
	bl_scene_notice(s, "the run was resumed");
}

bool bl_scene_read(bl_scene *s)
{
	follow(s);
	request_data(s);
	bool changed = bl_history_read(&s->history, s->run), was_lost = s->lost;
	changed |= read_info(s);
	changed |= read_snapshot(s->run, &s->snapshot, &s->snapshots);
	if (s->other) {
		bl_live_info_get(s->other, &s->other_info);
		changed |= read_snapshot(s->other, &s->other_snapshot, &s->other_snapshots);
	}
	s->lost = !bl_scene_over(s) && !bl_live_writer_alive(s->run);
	if (s->lost && !was_lost)
		s->notice[0] = '\0'; /* so that the footer shows that the process has ended */
	changed |= s->lost != was_lost;
	settle_turned(s);
	if (s->view->read)
		changed |= s->view->read(s);
	return changed;
}

bl_ability bl_scene_ability(const bl_scene *s, bl_ability terminal)
{
	bl_ability can = terminal;
	can.light = terminal.light != s->flip_background;
	can.utf8 = terminal.utf8 && !s->ascii;
	can.depth = s->depth_most < terminal.depth ? s->depth_most : terminal.depth;
	return can;
}

bool bl_scene_over(const bl_scene *s)
{
	return s->info.state == BL_RUN_DONE || s->info.state == BL_RUN_STOPPED || s->info.state == BL_RUN_FAILED;
}

double bl_scene_seconds_left(const bl_scene *s)
{
	int64_t left = s->info.steps - s->info.step;
	double rate = bl_history_value(&s->history, "images_per_s");
	if (s->history.seen == 0 || s->lost || bl_scene_over(s) || !(rate > 0) || left < 0)
		return NAN;
	return (double)left * s->info.batch / rate;
}

double bl_scene_knn(const bl_scene *s)
{
	return bl_history_value(&s->history, "knn");
}
