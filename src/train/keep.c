/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keep.c: a run's place on disk: where its live file goes, and who saves the rest. */
#include "train/trainer.h"

struct place {
	bl_trainer *trainer;
	const char *live_path;
	bl_trainer_save save;
	void *ctx;
	int rc;
};

static bool is_active(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bool active = t->active;
	pthread_mutex_unlock(&t->lock);
	return active;
}

static void take_place(void *ctx)
{
	struct place *p = ctx;
	bl_trainer *t = p->trainer;
	p->rc = is_active(t) ? bl_fail("trainer: it is running: too late for a place of its own")
	                     : bl_live_move(t->live, p->live_path);
	if (p->rc != 0)
		return;
	t->save = p->save;
	t->save_ctx = p->ctx;
}

int bl_trainer_keep(bl_trainer *t, const char *live_path, bl_trainer_save save, void *ctx)
{
	struct place p = { t, live_path, save, ctx, 0 };
	bl_trainer_between_steps(t, take_place, &p);
	return p.rc;
}

void bl_trainer_save_now(bl_trainer *t, bool asked)
{
	long long step = (long long)t->step;
	if (!t->save && asked)
		bl_trainer_note(t, "step %lld: no checkpoint: the run is in memory only", step);
	if (!t->save)
		return;
	if (t->save(t->save_ctx) != 0)
		bl_trainer_note(t, "step %lld: not saved: %s", step, bl_error());
	else if (asked)
		bl_trainer_note(t, "step %lld: checkpoint saved", step);
}
