/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optimisers.c: the lists of optimisers and schedules, by number and by name. */
#include "optim/optim.h"

#include <barlow/error.h>

extern const bl_optim_ops bl_sgd, bl_lars, bl_adamw;
extern const bl_schedule_ops bl_constant, bl_cosine;

static const bl_optim_ops *const optims[] = { &bl_sgd, &bl_lars, &bl_adamw };
static const bl_schedule_ops *const schedules[] = { &bl_constant, &bl_cosine };
enum { OPTIMS = sizeof optims / sizeof *optims, SCHEDULES = sizeof schedules / sizeof *schedules };

const char *bl_optim_name(int i)
{
	return i >= 0 && i < OPTIMS ? optims[i]->name : NULL;
}

static const bl_optim_ops *find(const char *kind)
{
	for (int i = 0; i < OPTIMS; i++)
		if (strcmp(optims[i]->name, kind) == 0)
			return optims[i];
	return bl_fail_null("there is no optimiser '%s'", kind);
}

const char *bl_optim_help(const char *kind)
{
	const bl_optim_ops *ops = find(kind);
	return ops ? ops->help : NULL;
}

const bl_field *bl_optim_fields(const char *kind)
{
	const bl_optim_ops *ops = find(kind);
	return ops ? ops->fields : NULL;
}

bl_optim_config bl_optim_default(const char *kind)
{
	bl_optim_config c = { .ops = find(kind) };
	if (c.ops)
		bl_fields_default(c.ops->fields, c.room);
	return c;
}

const char *bl_schedule_name(int i)
{
	return i >= 0 && i < SCHEDULES ? schedules[i]->name : NULL;
}

static const bl_schedule_ops *find_schedule(const char *kind)
{
	for (int i = 0; i < SCHEDULES; i++)
		if (strcmp(schedules[i]->name, kind) == 0)
			return schedules[i];
	return bl_fail_null("there is no schedule '%s'", kind);
}

const bl_field *bl_schedule_fields(const char *kind)
{
	const bl_schedule_ops *ops = find_schedule(kind);
	return ops ? ops->fields : NULL;
}

bl_schedule bl_schedule_default(const char *kind)
{
	bl_schedule s = { .ops = find_schedule(kind) };
	if (s.ops)
		bl_fields_default(s.ops->fields, s.room);
	return s;
}
