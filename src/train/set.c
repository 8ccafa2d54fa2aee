/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * set.c: what may be changed while a run trains, by name: the settable settings of its loss and of its optimiser.
 *
 * A name by itself is the optimiser's where it has that one, else the loss's; "optim." or "loss." before it says which.
 */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct target {
	const bl_field *field; /* NULL: there is none */
	void *settings;
	bool rate; /* the optimiser's lr */
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
	return (target){ f, o->room, strcmp(name, "lr") == 0 };
}

static target of_loss(bl_trainer *t, const char *name)
{
	return (target){ settable(bl_loss_ops_of(t->config.loss)->fields, name), t->loss_settings, false };
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
	return NULL;
}

static int unknown(bl_trainer *t, const char *name)
{
	enum { MOST = 32 };
	const char *names[MOST + 1] = { NULL };
	char list[256] = "";
	for (int i = 0; i < MOST && bl_trainer_settable(t, i); i++) {
		names[i] = bl_trainer_settable(t, i);
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = bl_nearest(name, names);
	if (near)
		return bl_fail("nothing called '%s' can be set (did you mean '%s'?)", name, near);
	return bl_fail("nothing called '%s' can be set (known: %s)", name, list);
}

/* Of a copy: the setting itself stays. */
static int try_value(target at, double value)
{
	double copy[BL_LOSS_ROOM + BL_OPTIM_ROOM];
	return bl_field_set(at.field, copy, &value, 1);
}

int bl_trainer_may_set(bl_trainer *t, const char *name, double value)
{
	target at = find(t, name);
	if ((at.field ? try_value(at, value) : unknown(t, name)) != 0)
		return bl_fail_prefix("trainer: ");
	return 0;
}

static double value_of(target at)
{
	double v[BL_LIST_MOST] = { NAN };
	if (at.field)
		bl_field_get(at.field, at.settings, v);
	return v[0];
}

/* A rate of its own for biases and norms keeps its proportion to that of the weights. */
static void keep_proportion(bl_trainer *t, double before, double value)
{
	if (before > 0)
		bl_optim_settings(t->optim)->lr_bias *= value / before;
}

int bl_trainer_set_now(bl_trainer *t, const char *name, double value, const char *who)
{
	if (bl_trainer_may_set(t, name, value) != 0)
		return -1;
	target at = find(t, name);
	double before = value_of(at);
	if (at.rate)
		keep_proportion(t, before, value);
	bl_field_set(at.field, at.settings, &value, 1);
	bl_trainer_note(t, "step %lld: %s %g -> %g", (long long)t->step, name, before, value);
	bl_change c = { .old = before, .value = value };
	snprintf(c.name, sizeof c.name, "%s", name);
	snprintf(c.who, sizeof c.who, "%s", who);
	bl_changes_add(t, c);
	return 0;
}

int bl_trainer_set(bl_trainer *t, const char *name, double value)
{
	bl_command c = { .kind = BL_CMD_SET, .value = value };
	if (bl_trainer_may_set(t, name, value) != 0)
		return -1;
	snprintf(c.name, sizeof c.name, "%s", name);
	return bl_trainer_command(t, c);
}

typedef struct request {
	bl_trainer *t;
	const char *name;
	double value;
} request;

static void read_value(void *ctx)
{
	request *r = ctx;
	r->value = value_of(find(r->t, r->name));
}

double bl_trainer_get(bl_trainer *t, const char *name)
{
	request r = { t, name, NAN };
	bl_trainer_between_steps(t, read_value, &r);
	return r.value;
}
