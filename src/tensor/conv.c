/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv.c: which algorithm a convolution takes: a fixed rule by shape, so that every run of a shape has the same bits. */
#include "tensor/conv.h"

#include "tensor/conv_gather.h"
#include "tensor/winograd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "auto", "gather", "winograd", NULL };

static atomic_int wish = -1; /* not asked yet */

const char *const *bl_conv_algorithms(void)
{
	return names;
}

void bl_conv_force(bl_conv_algorithm a)
{
	atomic_store(&wish, a);
}

/* BARLOW_CONV, where it names an algorithm. */
static int from_environment(void)
{
	const char *name = getenv("BARLOW_CONV");
	for (int i = 0; name && names[i]; i++)
		if (!strcmp(name, names[i]))
			return i;
	return BL_CONV_AUTO;
}

bl_conv_algorithm bl_conv_pick(const bl_conv *g)
{
	if (atomic_load(&wish) < 0)
		atomic_store(&wish, from_environment());
	int a = atomic_load(&wish);
	if (!bl_winograd_fits(g))
		return BL_CONV_GATHER;
	if (a == BL_CONV_AUTO)
		return bl_winograd_pays(g) ? BL_CONV_WINOGRAD : BL_CONV_GATHER;
	return (bl_conv_algorithm)a;
}

int bl_conv_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	if (!bias && bl_conv_pick(g) == BL_CONV_WINOGRAD)
		return bl_winograd_forward(g, x, w, y);
	return bl_gather_forward(g, x, w, bias, y);
}

int bl_conv_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	if (bl_conv_pick(g) == BL_CONV_WINOGRAD)
		return bl_winograd_data_gradient(g, dy, w, dx, add);
	return bl_gather_data_gradient(g, dy, w, dx, add);
}

int bl_conv_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	if (bl_conv_pick(g) == BL_CONV_WINOGRAD)
		return bl_winograd_weight_gradient(g, x, dy, dw, add);
	return bl_gather_weight_gradient(g, x, dy, dw, add);
}
