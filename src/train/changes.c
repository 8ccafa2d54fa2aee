/* SPDX-License-Identifier: GPL-3.0-or-later */
/* changes.c: the run's journal: what was changed while it trained, and when. */
#include "base/wall_time.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- Authors -------------------------------------------------------------------------- */

static _Atomic(const char *) own_name;

void bl_trainer_called_by(const char *who)
{
	atomic_store(&own_name, who);
}

void bl_changes_who(char out[BL_CHANGE_WHO], int64_t sender)
{
	const char *own = atomic_load(&own_name);
	if (sender == 0 || sender == getpid())
		snprintf(out, BL_CHANGE_WHO, "%s", own ? own : "script");
	else
		snprintf(out, BL_CHANGE_WHO, "process %lld", (long long)sender);
}

/* --- The list --------------------------------------------------------------------------- */

int bl_changes_append(struct changes *j, const bl_change *c)
{
	if (j->n == j->room) {
		int64_t room = j->room ? 2 * j->room : 16;
		bl_change *more = realloc(j->at, (size_t)room * sizeof *more);
		if (!more)
			return bl_fail("no memory for %lld changes", (long long)room);
		j->at = more;
		j->room = room;
	}
	j->at[j->n++] = *c;
	return 0;
}

void bl_changes_add(bl_trainer *t, bl_change c)
{
	struct changes *j = &t->changes;
	c.step = t->step;
	c.time = bl_wall_milliseconds();
	pthread_mutex_lock(&t->lock);
	int rc = bl_changes_append(j, &c);
	pthread_mutex_unlock(&t->lock);
	if (rc == 0 && j->tell &&
	    bl_live_check_folder(t->live) == 0) /* the journal of a run that was resumed elsewhere belongs to the new trainer */
		rc = j->tell(j->ctx, &c);
	if (rc == 0 || j->lost++ > 0) /* only the first failure is reported: later ones mostly have the same reason */
		return;
	bl_trainer_note(t, "step %lld: %s could not be written to the journal: %s", (long long)c.step, c.name, bl_error());
	bl_trainer_complain(t, "run '%s': its journal on disk lacks '%s' of step %lld, and perhaps later entries: %s", t->info.name,
	                    c.name, (long long)c.step, bl_error());
}

void bl_changes_event(bl_trainer *t, const char *name, const char *who, const char *text)
{
	bl_change c = { .old = NAN, .value = NAN };
	snprintf(c.name, sizeof c.name, "%s", name);
	snprintf(c.text, sizeof c.text, "%s", text);
	snprintf(c.who, sizeof c.who, "%s", who);
	bl_changes_add(t, c);
}

void bl_changes_free(bl_trainer *t)
{
	free(t->changes.at);
	free(t->replay.at);
}

/* --- Interface ---------------------------------------------------------------------------- */

int64_t bl_trainer_changes(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	int64_t n = t->changes.n;
	pthread_mutex_unlock(&t->lock);
	return n;
}

bool bl_trainer_change(bl_trainer *t, int64_t i, bl_change *out)
{
	pthread_mutex_lock(&t->lock);
	bool there = i >= 0 && i < t->changes.n;
	if (there)
		*out = t->changes.at[i];
	pthread_mutex_unlock(&t->lock);
	return there;
}

int bl_trainer_take_changes(bl_trainer *t, const bl_change *c, int64_t n)
{
	int rc = 0;
	char who[BL_CHANGE_WHO];
	pthread_mutex_lock(&t->lock);
	for (int64_t i = 0; i < n && rc == 0; i++)
		rc = bl_changes_append(&t->changes, &c[i]);
	pthread_mutex_unlock(&t->lock);
	bl_changes_who(who, 0);
	bl_changes_event(t, "resumed", who, "");
	return rc;
}

void bl_trainer_journal(bl_trainer *t, bl_change_callback tell, void *ctx)
{
	t->changes.tell = tell;
	t->changes.ctx = ctx;
}
