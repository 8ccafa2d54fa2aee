/* SPDX-License-Identifier: GPL-3.0-or-later */
/* changes_replay.c: repeats changes of settings at the steps at which they were made. */
#include "train/trainer.h"

#include <math.h>

static bool is_setting(const bl_change *c)
{
	return isfinite(c->value);
}

struct replaying {
	bl_trainer *t;
	const bl_change *c;
	int64_t n, from, to;
	int rc;
};

static int check_replay(const struct replaying *r)
{
	const bl_trainer *t = r->t;
	for (int64_t i = 0; i < r->n; i++) {
		const bl_change *c = &r->c[i];
		if (!is_setting(c) || c->step < r->from || c->step > r->to)
			continue;
		if (c->step < t->step)
			return bl_fail(
				"trainer: the change of %s at step %lld cannot be repeated: the trainer is already at step %lld",
				c->name, (long long)c->step, (long long)t->step);
		if (bl_trainer_may_set(r->t, c->name, c->value) != 0)
			return bl_fail_prefix("trainer: the journal's change at step %lld: ", (long long)c->step);
	}
	return 0;
}

static void take_replay(void *ctx)
{
	struct replaying *r = ctx;
	struct changes *again = &r->t->replay;
	r->rc = check_replay(r);
	for (int64_t i = 0; i < r->n && r->rc == 0; i++)
		if (is_setting(&r->c[i]) && r->c[i].step >= r->from && r->c[i].step <= r->to)
			r->rc = bl_changes_append(again, &r->c[i]);
}

int bl_trainer_replay(bl_trainer *t, const bl_change *c, int64_t n, int64_t from, int64_t to)
{
	struct replaying r = { t, c, n, from, to, 0 };
	bl_trainer_between_steps(t, take_replay, &r);
	return r.rc;
}

/* Makes the changes that are due at the current step, in the journal's order, which is the order of the steps. */
void bl_changes_replay_due(bl_trainer *t)
{
	struct changes *again = &t->replay;
	for (; again->next < again->n && again->at[again->next].step <= t->step; again->next++)
		bl_trainer_set_now(t, again->at[again->next].name, again->at[again->next].value, "replay");
}
