/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live.c: publishes a run and reads its info.  Everything that is read is checked before it is used. */
#include "live/livefile.h"

#include <barlow/text.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void bl_live_publish(bl_live *l, const bl_snapshot *s)
{
	if (!l->writer)
		return;
	pthread_mutex_lock(&l->lock);
	bl_snapshots_add(l, s);
	bl_newest_publish(l, s);
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
	for (size_t k = 0; k < sizeof i->message && i->message[k]; k++) /* a message is one line */
		if (i->message[k] == '\n' || i->message[k] == '\t')
			i->message[k] = ' ';
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
