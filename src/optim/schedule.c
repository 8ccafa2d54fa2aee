/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.c: the factor on the learning rates as training goes on. */
#include <barlow/optim.h>

#include <math.h>

/* Warm-up, then q + last (1 - q), q = (1 + cos(pi t / T)) / 2, t and T counted from the end of the warm-up. */
double bl_schedule_at(const bl_schedule *s, int64_t step)
{
	if (step < s->warmup)
		return (double)step / (double)s->warmup;
	if (s->kind == BL_SCHEDULE_CONSTANT || s->steps <= s->warmup)
		return 1;
	double t = (double)(step - s->warmup) / (double)(s->steps - s->warmup);
	double q = .5 * (1 + cos(M_PI * (t < 1 ? t : 1)));
	return q + s->last * (1 - q);
}
