/* SPDX-License-Identifier: GPL-3.0-or-later */
/* save.c: stores a run on disk: moves its live file, and calls the callback that saves the rest when a save is due. */
#include "train/trainer.h"

#include <barlow/parallel.h>
#include <stdio.h>

/* --- The run's place ------------------------------------------------------------------ */

struct place {
	bl_trainer *trainer;
	const char *live_path;
	bl_trainer_save save;
	void *ctx;
	int rc;
};

static void take_place(void *ctx)
{
	struct place *p = ctx;
	bl_trainer *t = p->trainer;
	pthread_mutex_lock(&t->lock);
	bool active = t->active;
	pthread_mutex_unlock(&t->lock);
	p->rc = active ? bl_fail("trainer: it is running: set the run's folder before it starts")
	               : bl_live_move(t->live, p->live_path);
	if (p->rc != 0)
		return;
	t->save = p->save;
	t->save_ctx = p->ctx;
}

int bl_trainer_save_to(bl_trainer *t, const char *live_path, bl_trainer_save save, void *ctx)
{
	struct place p = { t, live_path, save, ctx, 0 };
	bl_trainer_between_steps(t, take_place, &p);
	return p.rc;
}

static void remember_why(void *ctx)
{
	bl_trainer *t = ctx;
	snprintf(t->why_unsaved, sizeof t->why_unsaved, "%s", *bl_error() ? bl_error() : "the reason is unknown");
}

void bl_trainer_unsaved(bl_trainer *t)
{
	bl_trainer_between_steps(t, remember_why, t);
}

/* --- Saving --------------------------------------------------------------------------- */

/*
 * If no interval between checkpoints is given, saving takes at most SHARE of the training time, and a run is saved at the
 * end of an epoch or when its last checkpoint is MOST_SECONDS old.
 */
#define SHARE .01
#define MOST_SECONDS 600.

int bl_trainer_save_for(bl_trainer *t, bl_save_why why)
{
	long long step = (long long)t->step;
	if (!t->save && why == BL_SAVE_ASKED)
		bl_trainer_note(t, "step %lld: no checkpoint: the run is in memory only", step);
	if (!t->save && why == BL_SAVE_END && t->why_unsaved[0])
		bl_trainer_end_lost(t, t->why_unsaved);
	if (!t->save)
		return bl_fail("no checkpoint: the run is in memory only");
	double start = bl_now();
	int rc = bl_live_check_folder(t->live) != 0 ? -1 : t->save(t->save_ctx, why);
	if (rc != 0) {
		char text[BL_CHANGE_TEXT];
		snprintf(text, sizeof text, "%s", bl_error());
		bl_trainer_note(t, "step %lld: not saved: %s", step, bl_error());
		if (why == BL_SAVE_END)
			bl_trainer_end_lost(t, bl_error());
		bl_changes_event(t, "not saved", "trainer", text);
	} else {
		bl_trainer_end_saved(t);
	}
	if (rc == 0 && why == BL_SAVE_ASKED)
		bl_trainer_note(t, "step %lld: checkpoint saved", step);
	t->save_cost = bl_now() - start;
	t->saved_at = t->trained;
	return rc;
}

void bl_trainer_weights_saved(bl_trainer *t, const char *path)
{
	if (t->info.state != BL_RUN_FAILED) /* the message of a failed run is the reason of the failure */
		bl_trainer_note(t, "step %lld: weights saved to %s", (long long)t->step, path);
}

struct errand {
	bl_trainer *trainer;
	int rc;
};

static void save_as_asked(void *ctx)
{
	struct errand *e = ctx;
	e->rc = bl_trainer_save_for(e->trainer, BL_SAVE_ASKED);
}

int bl_trainer_save_now(bl_trainer *t)
{
	struct errand e = { t, 0 };
	bl_trainer_between_steps(t, save_as_asked, &e);
	return e.rc;
}

void bl_trainer_save_due(bl_trainer *t)
{
	double since = t->trained - t->saved_at;
	if (!t->save || t->save_steps < 0 || bl_trainer_over(t)) /* the end of the run saves anyway */
		return;
	bool due = t->save_steps > 0
	                   ? t->step % t->save_steps == 0
	                   : (t->step % t->steps_per_epoch == 0 || since >= MOST_SECONDS) && SHARE * since >= t->save_cost;
	if (due)
		bl_trainer_save_for(t, BL_SAVE_REGULAR);
}
