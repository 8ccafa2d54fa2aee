/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume.c: the progress of a run, and a new trainer that continues from it. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bl_progress bl_trainer_progress(bl_trainer *t)
{
	const bl_optim_config *o = bl_optim_settings(t->optim);
	bl_progress p = { .step = t->step,
		          .trained = t->trained,
		          .lr = o->lr,
		          .lr_bias = o->lr_bias,
		          .changes = bl_trainer_changes(t),
		          .settings = t->sets };
	memcpy(p.setting, t->set, sizeof p.setting);
	for (const bl_field *f = bl_loss_ops_of(t->config.loss)->fields; f->name && p.n < BL_PROGRESS_VALUES; f++) {
		if (!f->settable)
			continue;
		snprintf(p.loss[p.n].name, sizeof p.loss[p.n].name, "%s", f->name);
		bl_field_get(f, t->loss_settings, &p.loss[p.n++].value);
	}
	return p;
}

static bool is_amount(double v)
{
	return isfinite(v) && v >= 0;
}

static const bl_field *loss_field(const bl_trainer *t, const char *name)
{
	return bl_field_find(bl_loss_ops_of(t->config.loss)->fields, name);
}

static int check(bl_trainer *t, const bl_progress *p)
{
	double copy[BL_LOSS_ROOM];
	if (t->info.state != BL_RUN_NEW)
		return bl_fail("trainer: it has begun already: only a new one can go on from a checkpoint");
	if (p->step < 0 || p->step > t->steps)
		return bl_fail("trainer: the checkpoint's run has made %lld steps, but this trainer makes only %lld",
		               (long long)p->step, (long long)t->steps);
	if (!is_amount(p->trained) || !is_amount(p->lr) || !is_amount(p->lr_bias))
		return bl_fail("trainer: the checkpoint has seconds %g, lr %g and lr_bias %g: expected 0 or more", p->trained,
		               p->lr, p->lr_bias);
	for (int i = 0; i < p->n; i++) {
		const bl_field *f = loss_field(t, p->loss[i].name);
		if (!f)
			return bl_fail(
				"trainer: the checkpoint has a setting '%s' of the loss, but this loss (%s) has no such setting",
				p->loss[i].name, bl_loss_ops_of(t->config.loss)->name);
		if (bl_field_set(f, copy, &p->loss[i].value, 1) != 0)
			return bl_fail_prefix("trainer: the loss of the run so far: ");
	}
	for (int i = 0; i < p->settings; i++)
		if (bl_trainer_may_set_now(t, p->setting[i].name, p->setting[i].value) != 0)
			return bl_fail_prefix("what was set in the run so far: ");
	return 0;
}

/* Called with the lock held. */
static void tell(bl_trainer *t, const bl_live *past, const char *remark)
{
	bl_live_info before = { .started = 0 };
	if (past)
		bl_live_info_get(past, &before);
	if (before.started > 0)
		t->info.started = before.started;
	t->info.step = t->step;
	snprintf(t->info.message, sizeof t->info.message, "resumed at step %lld%s", (long long)t->step, remark);
	bl_live_set_info(t->live, &t->info);
}

static void put(bl_trainer *t, const bl_progress *p)
{
	bl_optim_config *o = bl_optim_settings(t->optim);
	t->step = p->step;
	t->trained = t->saved_at = p->trained;
	for (int i = 0; i < p->n; i++)
		bl_field_set(loss_field(t, p->loss[i].name), t->loss_settings, &p->loss[i].value, 1);
	o->lr = p->lr;
	o->lr_bias = p->lr_bias;
	bl_provenance_set(t->provenance, p->step, false);
}

int bl_trainer_resume_at(bl_trainer *t, const bl_progress *p, const bl_live *past, const char *remark)
{
	pthread_mutex_lock(&t->lock);
	int rc = check(t, p);
	if (rc == 0)
		rc = bl_ownership_begin(t);
	if (rc == 0 && past)
		rc = bl_live_resume(t->live, past, p->step);
	if (rc == 0) {
		put(t, p);
		tell(t, past, remark);
	}
	pthread_mutex_unlock(&t->lock);
	if (rc == 0)
		bl_loader_seek(t->loader, p->step); /* without the lock, since it waits for user functions */
	for (int i = 0; i < p->settings && rc == 0; i++)
		rc = bl_trainer_set_again(t, &p->setting[i]);
	return rc;
}
