/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv.c: computes a convolution by the chosen algorithm. */
#include "tensor/conv/conv.h"

static bl_conv_algorithm pick(const bl_conv *g, bl_conv_direction d)
{
	bl_conv chosen = *g;
	if (g->by[d] == BL_CONV_AUTO)
		bl_conv_choose(&chosen, BL_CONV_AUTO);
	return chosen.by[d];
}

int bl_conv_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	return bl_conv_ops_of[pick(g, BL_CONV_FORWARD)].forward(g, x, w, bias, y);
}

int bl_conv_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	return bl_conv_ops_of[pick(g, BL_CONV_DATA_GRADIENT)].data_gradient(g, dy, w, dx, add);
}

int bl_conv_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	return bl_conv_ops_of[pick(g, BL_CONV_WEIGHT_GRADIENT)].weight_gradient(g, x, dy, dw, add);
}
