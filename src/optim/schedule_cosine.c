/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule_cosine.c: the factor is q + last (1 - q) with q = (1 + cos(pi t)) / 2. */
#include "optim/optim.h"

typedef struct cosine {
	double last;
} cosine;

static const bl_field fields[] = {
	BL_FIELD(DOUBLE, cosine, last, BL_DEFAULT(.001), BL_WITHIN(0, 1), .help = "factor at the end"),
	BL_FIELD_END,
};

static double factor(const void *settings, double t)
{
	const cosine *c = settings;
	double q = .5 * (1 + cos(M_PI * t));
	return q + c->last * (1 - q);
}

const bl_schedule_ops bl_cosine = { "cosine", fields, factor };
