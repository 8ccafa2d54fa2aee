/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ending.c: the end of the process, at which every run is stopped and saved. */
#include "train/trainer.h"

#include <barlow/text.h>
#include <stdio.h>

/* Is this a run that is stored on disk, and has begun but not ended? */
static bool began(bl_trainer *t)
{
	bl_run_state s = bl_trainer_state(t);
	return t->save && (s == BL_RUN_RUNNING || s == BL_RUN_PAUSED);
}

/* Only requests the saves: the thread that makes a trainer's steps executes its save. */
void bl_trainers_save(const char *who)
{
	for (bl_trainer *t = bl_trainers_lock(); t; t = t->next)
		if (began(t))
			bl_trainer_request_save(t, who);
	bl_trainers_unlock();
}

void bl_trainers_end(const char *why, void (*tell)(void *ctx, const char *line), void *ctx)
{
	bl_trainer *all = bl_trainers_lock(); /* never unlocked: no trainer can be made or freed any more */
	bl_trainers_forbid_steps();
	for (bl_trainer *t = all; t; t = t->next)
		if (began(t))
			bl_trainer_request_stop(t, why);
	for (bl_trainer *t = all; t; t = t->next) {
		char line[256], clean[512];
		if (!t->ending_asked)
			continue;
		bl_trainer_stop_and_save(t, why);
		snprintf(line, sizeof line, "%s: stopped at step %lld of %lld%s", t->info.name, (long long)t->step,
		         (long long)t->steps, t->unsaved[0] ? "" : ", saved");
		bl_text_clean(clean, sizeof clean, line, false);
		tell(ctx, clean);
	}
}
