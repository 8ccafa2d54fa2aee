/* SPDX-License-Identifier: GPL-3.0-or-later */
/* solarize.c: what is as light as the threshold or lighter is inverted. */
#include "augment/operator.h"

BL_CLONES static void invert(float *x, size_t n, float threshold)
{
	for (size_t i = 0; i < n; i++)
		x[i] = x[i] < threshold ? x[i] : 1 - x[i];
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	(void)d;
	bl_canvas_load(c);
	for (int k = 0; k < c->channels; k++)
		invert(c->data + (size_t)k * c->plane, (size_t)c->height * (size_t)c->width, a->threshold);
	return 0;
}

static const field fields[] = { FIELD(FLOAT, threshold, 0, 1), FIELD_P, FIELD_END };

const operator bl_op_solarize = {
	.name = "solarize",
	.fields = fields,
	.defaults = { .kind = BL_AUG_SOLARIZE, .p = 0.2f, .threshold = 128.0f / 255 },
	.apply = apply,
	.values = true,
};
