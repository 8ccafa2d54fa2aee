/* SPDX-License-Identifier: GPL-3.0-or-later */
/* break.c: a user's condition that is checked after each step; if it holds, the run pauses. */
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

typedef struct change {
	bl_trainer *trainer;
	bl_condition next;
} change;

static void release(bl_condition *c)
{
	if (c->release)
		c->release(c->ctx);
	*c = (bl_condition){ .holds = NULL };
}

static void put(void *ctx)
{
	change *c = ctx;
	release(&c->trainer->condition);
	c->trainer->condition = c->next;
}

void bl_trainer_break_when(bl_trainer *t, const bl_condition *c)
{
	change new = { t, { .holds = NULL } };
	if (c)
		new.next = *c;
	bl_trainer_between_steps(t, put, &new);
}

bool bl_trainer_at_break(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bool at = t->at_break && t->info.state != BL_RUN_RUNNING;
	t->break_known = t->break_known || at;
	pthread_mutex_unlock(&t->lock);
	return at;
}

void bl_break_free(bl_trainer *t)
{
	release(&t->condition);
}

void bl_break_leave_locked(bl_trainer *t)
{
	if (!t->at_break)
		return;
	t->at_break = false;
	t->info.message[0] = '\0'; /* the message, which says that the run is paused, no longer holds */
	bl_live_set_info(t->live, &t->info);
}

void bl_break_leave(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bl_break_leave_locked(t);
	pthread_mutex_unlock(&t->lock);
}

/*
 * Checks the condition, and pauses the run if it holds or if its function fails.  A call that was interrupted, because
 * another thread waits for the run's end, does not pause the run.
 */
void bl_break_check(bl_trainer *t)
{
	char why[256], text[sizeof t->info.message];
	if (!t->condition.holds)
		return;
	int rc = t->condition.holds(t->condition.ctx, t);
	if (rc == 0 || (rc < 0 && bl_error_interrupted()))
		return;
	snprintf(why, sizeof why, "%s", rc < 0 ? bl_error() : "");
	snprintf(text, sizeof text, "paused by break_when at step %lld%s%.200s", (long long)t->step,
	         rc < 0 ? ": its function failed: " : "", why);
	bl_changes_event(t, "pause", "trainer", text); /* journal first: this step's checkpoint counts its entries */
	bl_trainer_note(t, "%s", text);
	pthread_mutex_lock(&t->lock);
	t->paused = t->at_break = true;
	t->break_known = false;
	t->allowance = 0;
	pthread_mutex_unlock(&t->lock);
}
