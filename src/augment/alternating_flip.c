/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alternating_flip.c: mirrors an image from left to right in every other epoch (Jordan 2024, arXiv 2404.00498).  A
 * random bit decides for each view of each image whether it is mirrored in the odd or in the even epochs.
 */
#include "augment/operator.h"

#include <stdio.h>

/* The random bit is drawn as in epoch 0, so that it is the same in all epochs. */
static bool draw(const void *p, drawing *w, void *d)
{
	bl_rng coin;
	(void)p, (void)d;
	bl_rng_init(&coin, w->key->seed, 0, w->key->sample, w->key->view);
	bl_rng_narrow(&coin, "alternating_flip", 0);
	return (bl_rng_u32(&coin) & 1) != (w->key->epoch & 1);
}

static int apply(const void *p, const void *d, float_image *c)
{
	(void)p, (void)d;
	bl_float_image_load(c);
	bl_float_image_mirror(c);
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)p, (void)d, (void)channels;
	return snprintf(buf, size, "flip");
}

static const bl_field fields[] = { BL_FIELD_END };

const operator bl_op_alternating_flip = {
	.name = "alternating_flip",
	.help = "Mirrors left and right in every other epoch; in the first epoch, half of the images.",
	.fields = fields,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.mirrors = true,
};
