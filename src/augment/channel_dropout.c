/* SPDX-License-Identifier: GPL-3.0-or-later */
/* channel_dropout.c: sets some channels to 0. */
#include "augment/operator.h"

#include <barlow/error.h>
#include <barlow/text.h>

#include <stdio.h>
#include <string.h>

typedef struct parameters {
	int n;
	float p;
} parameters;

typedef struct draws {
	uint64_t gone; /* bit k: channel k becomes 0 */
} draws;

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	d->gone = 0;
	for (int left = p->n < w->channels ? p->n : w->channels; left > 0;) {
		uint64_t bit = UINT64_C(1) << bl_rng_below(&w->rng, (uint32_t)w->channels);
		left -= !(d->gone & bit);
		d->gone |= bit;
	}
	return true;
}

static int accepts(const void *params, int channels)
{
	const parameters *p = params;
	return p->n < channels ? 0
	                       : bl_fail("it needs images of more than %d %s, these have %d", p->n,
	                                 bl_text_plural(p->n, "channel", "channels"), channels);
}

static int apply(const void *p, const void *d, float_image *c)
{
	(void)p;
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++)
		if (((const draws *)d)->gone >> k & 1)
			memset(c->data + (size_t)k * c->plane, 0, (size_t)c->height * (size_t)c->width * sizeof(float));
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	int used = snprintf(buf, size, "without channel");
	(void)p;
	for (int k = 0; k < channels && (size_t)used < size; k++)
		if (((const draws *)d)->gone >> k & 1)
			used += snprintf(buf + used, size - (size_t)used, " %d", k + 1);
	return used;
}

static const bl_field fields[] = {
	BL_FIELD(INT, parameters, n, BL_DEFAULT(1), BL_WITHIN(1, BL_CHANNELS_MOST - 1), .position = 1,
	         .help = "number of channels that become 0"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BL_FIELD_END,
};

const operator bl_op_channel_dropout = {
	.name = "channel_dropout",
	.help = "Sets some channels to 0; at least one stays.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.accepts = accepts,
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
