/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * set.c: changes settings by name while a run trains.  They are settings of its loss, of its optimiser, or of its
 * views' operators (set_views.c).
 *
 * A name without a prefix is searched for in the optimiser's settings, then in those of the loss.  The prefixes
 * "optim." and "loss." select one of the two.
 */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct target {
	const bl_field *field; /* NULL: there is none */
	void *settings;
	bool rate;  /* it is the optimiser's lr */
	bool apart; /* checkpoints store it separately: settings of the loss, and rates */
} target;

static const bl_field *settable(const bl_field *fields, const char *name)
{
	const bl_field *f = bl_field_find(fields, name);
	return f && f->settable ? f : NULL;
}

static target of_optim(bl_trainer *t, const char *name)
{
	bl_optim_config *o = bl_optim_settings(t->optim);
	const bl_field *f = settable(bl_optim_fields(bl_optim_kind(o)), name);
	bool rate = strcmp(name, "lr") == 0;
	return (target){ f, o->room, rate, rate || strcmp(name, "lr_bias") == 0 };
}

static target of_loss(bl_trainer *t, const char *name)
{
	return (target){ settable(bl_loss_ops_of(t->config.loss)->fields, name), t->loss_settings, false, true };
}

static target find(bl_trainer *t, const char *name)
{
	if (strncmp(name, "optim.", 6) == 0)
		return of_optim(t, name + 6);
	if (strncmp(name, "loss.", 5) == 0)
		return of_loss(t, name + 5);
	target o = of_optim(t, name);
	return o.field ? o : of_loss(t, name);
}

const char *bl_trainer_settable(bl_trainer *t, int i)
{
	const bl_field *lists[] = { bl_loss_ops_of(t->config.loss)->fields,
		                    bl_optim_fields(bl_optim_kind(bl_optim_settings(t->optim))) };
	for (int k = 0; k < 2; k++)
		for (const bl_field *f = lists[k]; f->name; f++)
			if (f->settable && i-- == 0)
				return f->name;
	return i < t->view_names ? t->view_name[i] : NULL;
}

static int unknown(bl_trainer *t, const char *name)
{
	enum { MOST = 32 };
	const char *names[MOST + 1] = { NULL };
	char list[480] = "";
	for (int i = 0; i < MOST && bl_trainer_settable(t, i); i++) {
		names[i] = bl_trainer_settable(t, i);
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = bl_nearest(name, names);
	if (near)
		return bl_fail("nothing called '%s' can be set (did you mean '%s'?)", name, near);
	return bl_fail("nothing called '%s' can be set (known: %s)", name, list);
}

int bl_trainer_may_set_now(bl_trainer *t, const char *name, double value)
{
	target at = find(t, name);
	double copy[BL_LOSS_ROOM + BL_OPTIM_ROOM]; /* the value is set here, so that the setting itself does not change */
	int rc;
	if (bl_views_named(t, name) && !isnan(bl_views_get(t, name)))
		rc = bl_views_check(t, name, value);
	else
		rc = at.field ? bl_field_set(at.field, copy, &value, 1) : unknown(t, name);
	return rc == 0 ? 0 : bl_fail_prefix("trainer: ");
}

typedef struct request {
	bl_trainer *t;
	const char *name;
	double value;
	int rc;
} request;

static void may_set(void *ctx)
{
	request *r = ctx;
	r->rc = bl_trainer_may_set_now(r->t, r->name, r->value);
}

/* Only the holder of the exclusive section may use the views' pipelines; other settings are read without it. */
int bl_trainer_may_set(bl_trainer *t, const char *name, double value)
{
	request r = { t, name, value, 0 };
	if (bl_views_named(t, name))
		bl_trainer_between_steps(t, may_set, &r);
	else
		may_set(&r);
	return r.rc;
}

static double value_of(target at)
{
	double v[BL_LIST_MOST] = { NAN };
	if (at.field)
		bl_field_get(at.field, at.settings, v);
	return v[0];
}

/* Records a changed setting for checkpoints; the newest is the last.  Negative with bl_error. */
static int remember(bl_trainer *t, const char *name, double value)
{
	int i = 0;
	while (i < t->sets && strcmp(t->set[i].name, name) != 0)
		i++;
	if (i == BL_PROGRESS_SETTINGS)
		return bl_fail("trainer: more than %d settings of views and optimiser were changed: give the rest in a new run",
		               BL_PROGRESS_SETTINGS);
	if (i < t->sets)
		memmove(&t->set[i], &t->set[i + 1], (size_t)(--t->sets - i) * sizeof *t->set);
	bl_progress_setting *s = &t->set[t->sets++];
	snprintf(s->name, sizeof s->name, "%s", name);
	s->value = value;
	return 0;
}

static int put(bl_trainer *t, const char *name, double value)
{
	bool of_views = bl_views_named(t, name);
	target at = of_views ? (target){ .apart = false } : find(t, name);
	double before = value_of(at);
	if (!at.apart && remember(t, name, value) != 0)
		return -1;
	if (of_views)
		return bl_views_set(t, name, value);
	if (at.rate && before > 0) /* a separate rate for biases and norms stays in proportion to lr */
		bl_optim_settings(t->optim)->lr_bias *= value / before;
	return bl_field_set(at.field, at.settings, &value, 1);
}

int bl_trainer_set_again(bl_trainer *t, const bl_progress_setting *s)
{
	return bl_trainer_may_set_now(t, s->name, s->value) != 0 ? -1 : put(t, s->name, s->value);
}

static double get(bl_trainer *t, const char *name)
{
	return bl_views_named(t, name) ? bl_views_get(t, name) : value_of(find(t, name));
}

int bl_trainer_set_now(bl_trainer *t, const char *name, double value, const char *who)
{
	if (bl_trainer_may_set_now(t, name, value) != 0)
		return -1;
	bl_change c = { .old = get(t, name), .value = value };
	if (put(t, name, value) != 0)
		return -1;
	if (bl_views_named(t, name))
		snprintf(c.text, sizeof c.text, "from step %lld on", (long long)t->step + 1);
	bl_trainer_note(t, "step %lld: %s %g -> %g%s%s", (long long)t->step, name, c.old, value, c.text[0] ? ", " : "", c.text);
	snprintf(c.name, sizeof c.name, "%s", name);
	snprintf(c.who, sizeof c.who, "%s", who);
	bl_changes_add(t, c);
	return 0;
}

static void read_value(void *ctx)
{
	request *r = ctx;
	r->value = get(r->t, r->name);
}

typedef struct loss_request {
	bl_trainer *t;
	void *out;
} loss_request;

static void read_loss(void *ctx)
{
	const loss_request *r = ctx;
	bl_loss_settings_copy(r->t->config.loss, r->out, r->t->loss_settings);
}

void bl_trainer_loss_settings(bl_trainer *t, void *out)
{
	bl_trainer_between_steps(t, read_loss, &(loss_request){ t, out });
}

double bl_trainer_get(bl_trainer *t, const char *name)
{
	request r = { t, name, NAN, 0 };
	bl_trainer_between_steps(t, read_value, &r);
	return r.value;
}
