/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The run as last read. */
#include "view/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bl_scene *bl_scene_new(bl_live *run)
{
	bl_scene *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("no memory for a view");
	s->run = run;
	s->view = s->before_help = &bl_view_dashboard;
	s->snapshot.step = -1;
	s->lambda_sent = NAN;
	s->heat.extreme = true; /* a mean hides the diagonal, and noise too */
	bl_history_reset(&s->history);
	return s;
}

void bl_scene_free(bl_scene *s)
{
	free(s);
}

static bool read_info(bl_scene *s)
{
	bl_live_info now;
	bl_live_info_get(s->run, &now);
	bool changed = memcmp(&now, &s->info, sizeof now) != 0;
	s->info = now;
	return changed;
}

static bool read_snapshot(bl_scene *s)
{
	int64_t had = s->snapshot.step;
	if (bl_live_snapshot(s->run, &s->snapshot) < 0)
		s->snapshot.step = -1;
	return s->snapshot.step != had;
}

static bool read_lost(bl_scene *s)
{
	bool had = s->lost;
	s->lost = !bl_scene_over(s) && !bl_live_writer_alive(s->run);
	return s->lost != had;
}

/* A record made after the command shows what became of it. */
static void settle_lambda(bl_scene *s)
{
	if (s->history.last.step > s->lambda_sent_at + 1 || s->history.last.lambda == s->lambda_sent)
		s->lambda_sent = NAN;
}

bool bl_scene_read(bl_scene *s)
{
	bool info = read_info(s), records = bl_history_read(&s->history, s->run);
	bool snapshot = read_snapshot(s), lost = read_lost(s);
	settle_lambda(s);
	return info || records || snapshot || lost;
}

bool bl_scene_over(const bl_scene *s)
{
	return s->info.state == BL_RUN_DONE || s->info.state == BL_RUN_STOPPED || s->info.state == BL_RUN_FAILED;
}

double bl_scene_seconds_left(const bl_scene *s)
{
	int64_t left = s->info.steps - s->info.step;
	double rate = s->history.last.images_per_s;
	if (s->history.seen == 0 || s->lost || bl_scene_over(s) || !(rate > 0) || left < 0)
		return NAN;
	return (double)left * s->info.batch / rate;
}

double bl_scene_knn(const bl_scene *s)
{
	return s->history.knns ? s->history.knn[s->history.knns - 1] : NAN;
}

bl_heat_source bl_scene_matrix(const bl_scene *s)
{
	const bl_snapshot *p = &s->snapshot;
	return (bl_heat_source){p->mean, p->extreme, p->grid, p->d};
}
