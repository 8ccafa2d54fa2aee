/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.c: the factor on the learning rates in each step: a linear warm-up, and then the schedule's own factor. */
#include "optim/optim.h"

#include <barlow/error.h>

#include <string.h>

int bl_schedule_set(bl_schedule *s, const char *name, double value)
{
	const bl_field *f = s->ops ? bl_field_find(s->ops->fields, name) : NULL;
	if (!f)
		return bl_fail("schedule %s has no setting '%s'", bl_schedule_kind(s), name);
	return bl_field_set(f, s->room, &value, 1) != 0 ? bl_fail_prefix("%s: ", s->ops->name) : 0;
}

const char *bl_schedule_kind(const bl_schedule *s)
{
	return s->ops ? s->ops->name : "constant";
}

int bl_schedule_check(const bl_schedule *s)
{
	if (!s->ops || bl_settings_check(s->ops->fields, s->room) == 0)
		return 0;
	return bl_fail_prefix("%s: ", s->ops->name);
}

/* After the warm-up, t is the fraction of the steps after the warm-up that have been made. */
double bl_schedule_at(const bl_schedule *s, int64_t step)
{
	if (step < s->warmup)
		return (double)step / (double)s->warmup;
	if (!s->ops || s->steps <= s->warmup)
		return 1;
	double t = (double)(step - s->warmup) / (double)(s->steps - s->warmup);
	return s->ops->factor(s->room, t < 1 ? t : 1);
}
