/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule_constant.c: the factor is always 1. */
#include "optim/optim.h"

static const bl_field fields[] = { BL_FIELD_END };

static double factor(const void *settings, double t)
{
	(void)settings, (void)t;
	return 1;
}

const bl_schedule_ops bl_constant = { "constant", fields, factor };
