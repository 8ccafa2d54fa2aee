/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flip.c: left becomes right.  After a crop the pipeline folds it into the crop's weights. */
#include "augment/operator.h"

static void reverse(float *v, int n)
{
	for (int i = 0, j = n - 1; i < j; i++, j--) {
		float t = v[i];
		v[i] = v[j];
		v[j] = t;
	}
}

static int apply(const bl_aug *a, const draw *d, canvas *c)
{
	(void)a, (void)d;
	bl_canvas_load(c);
	for (int k = 0; k < c->channels; k++)
		for (int y = 0; y < c->height; y++)
			reverse(c->data + (size_t)k * c->plane + (size_t)y * (size_t)c->width, c->width);
	return 0;
}

static const field fields[] = { FIELD_P, FIELD_END };

const operator bl_op_flip = {
	.name = "flip",
	.fields = fields,
	.defaults = { .kind = BL_AUG_FLIP, .p = 0.5f },
	.apply = apply,
};
