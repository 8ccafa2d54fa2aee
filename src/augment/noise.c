/* SPDX-License-Identifier: GPL-3.0-or-later */
/* noise.c: Gaussian noise, a number of its own for every value. */
#include "augment/operator.h"

static void draw_seed(const bl_aug *a, bl_rng *r, int height, int width, draw *d)
{
	(void)a, (void)height, (void)width;
	d->seed = (uint64_t)bl_rng_u32(r) << 32 | bl_rng_u32(r);
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	bl_rng r;
	bl_rng_init(&r, d->seed, 0, 0, BL_STREAM_USER);
	bl_canvas_load(c);
	for (int k = 0; k < c->channels; k++) {
		float *x = c->data + (size_t)k * c->plane;
		for (size_t i = 0; i < (size_t)c->height * (size_t)c->width; i++) {
			float v = x[i] + a->std * bl_rng_normal(&r);
			x[i] = v < 0 ? 0 : v > 1 ? 1 : v;
		}
	}
	return 0;
}

static const field fields[] = { FIELD(FLOAT, std, 0, 100), FIELD_P, FIELD_END };

const operator bl_op_noise = {
	.name = "noise",
	.fields = fields,
	.defaults = { .kind = BL_AUG_NOISE, .p = 0.5f, .std = 0.05f },
	.draw = draw_seed,
	.apply = apply,
	.values = true,
};
