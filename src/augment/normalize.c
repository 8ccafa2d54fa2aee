/* SPDX-License-Identifier: GPL-3.0-or-later */
/* normalize.c: (x - mean) / std per channel.  At the end of a pipeline it costs nothing: see bl_normalize_factors. */
#include "augment/normalize.h"

#include <barlow/error.h>

int bl_normalize_factors(const bl_aug *a, int channels, float *scale, float *shift)
{
	for (int k = 0; k < channels; k++) {
		if (!(a->stddev[k] > 0))
			return bl_fail("normalize: std of channel %d is %g, expected more than 0", k + 1, a->stddev[k]);
		scale[k] = 1 / a->stddev[k];
		shift[k] = -a->mean[k] / a->stddev[k];
	}
	return 0;
}

BL_CLONES static void scale_plane(float *x, size_t n, float scale, float shift)
{
	for (size_t i = 0; i < n; i++)
		x[i] = x[i] * scale + shift;
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	float scale[MOST_CHANNELS], shift[MOST_CHANNELS];
	(void)d;
	if (bl_normalize_factors(a, c->channels, scale, shift) < 0)
		return -1;
	bl_canvas_load(c);
	for (int k = 0; k < c->channels; k++)
		scale_plane(c->data + (size_t)k * c->plane, (size_t)c->height * (size_t)c->width, scale[k], shift[k]);
	return 0;
}

static const field fields[] = {
	FIELD(CHANNELS, mean, -1e6, 1e6),
	{ "std", FIELD_CHANNELS, offsetof(bl_aug, stddev), 0, 1e6 },
	FIELD_END,
};

const operator bl_op_normalize = {
	.name = "normalize",
	.fields = fields,
	.defaults = {
		.kind = BL_AUG_NORMALIZE, .mean = { 0.485f, 0.456f, 0.406f }, .stddev = { 0.229f, 0.224f, 0.225f },
	},
	.apply = apply,
	.always = true,
	.values = true,
};
