/* SPDX-License-Identifier: GPL-3.0-or-later */
/* normalize.c: (x - mean) / std for each channel. */
#include "augment/operator.h"

#include <barlow/error.h>
#include <barlow/text.h>

typedef struct parameters {
	bl_list mean, std;
} parameters;

static float of_channel(const bl_list *x, int channel)
{
	return (float)x->v[x->n == 1 ? 0 : channel];
}

static void factors(const void *params, int channels, float *scale, float *shift)
{
	const parameters *p = params;
	for (int k = 0; k < channels; k++) {
		float mean = of_channel(&p->mean, k), std = of_channel(&p->std, k);
		scale[k] = 1 / std;
		shift[k] = -mean / std;
	}
}

static int check(const void *params)
{
	const parameters *p = params;
	if (p->mean.n != p->std.n && p->mean.n != 1 && p->std.n != 1)
		return bl_fail("%d numbers in mean and %d in std, expected as many in both, or 1 in one of them", p->mean.n,
		               p->std.n);
	return 0;
}

static int accepts(const void *params, int channels)
{
	const parameters *p = params;
	const bl_list *x = p->mean.n == 1 || p->mean.n == channels ? &p->std : &p->mean;
	if (x->n == 1 || x->n == channels)
		return 0;
	return bl_fail("%d %s in %s for images of %d %s, expected %s", x->n, bl_text_plural(x->n, "number", "numbers"),
	               x == &p->mean ? "mean" : "std", channels, bl_text_plural(channels, "channel", "channels"),
	               channels == 1 ? "1" : "one for each, or 1 for all");
}

BL_CLONES static void scale_plane(float *x, size_t n, float scale, float shift)
{
	for (size_t i = 0; i < n; i++)
		x[i] = x[i] * scale + shift;
}

static int apply(const void *p, const void *d, float_image *c)
{
	float scale[BL_LIST_MOST], shift[BL_LIST_MOST];
	(void)d;
	factors(p, c->channels, scale, shift);
	bl_float_image_load(c);
	for (int k = 0; k < c->channels; k++)
		scale_plane(c->data + (size_t)k * c->plane, (size_t)c->height * (size_t)c->width, scale[k], shift[k]);
	return 0;
}

static const bl_field fields[] = {
	BL_FIELD(LIST, parameters, mean, BL_DEFAULT(.485, .456, .406), BL_WITHIN(-1e6, 1e6),
	         .help = "mean of each channel, or one for all"),
	BL_FIELD(LIST, parameters, std, BL_DEFAULT(.229, .224, .225), .min = 0, .max = 1e6, .above = true,
	         .help = "standard deviation of each channel, or one for all"),
	BL_FIELD_END,
};

const operator bl_op_normalize = {
	.name = "normalize",
	.help = "(x - mean) / std for each channel.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.check = check,
	.accepts = accepts,
	.apply = apply,
	.factors = factors,
	.vectors = bl_operator_any,
	.needs_unit = true,
	.leaves_unit = true,
};
