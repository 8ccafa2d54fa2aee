/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * winograd.h (private): 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), with a quarter of the multiplications.
 *
 * Error against a double-precision convolution: 1e-6 to 1e-5 of the largest value (printed by tests/c/test_winograd.c).
 */
#ifndef BARLOW_TENSOR_WINOGRAD_WINOGRAD_H
#define BARLOW_TENSOR_WINOGRAD_WINOGRAD_H

#include "tensor/conv/conv.h"

/* Does it support the shape: 3x3, stride 1, one group, no dilation, padding up to 2, channels in multiples of 16? */
bool bl_winograd_fits(const bl_conv *g);
/* Does it do less work than a direct convolution, transforms included?  Depends on the shape alone. */
bool bl_winograd_pays(const bl_conv *g);

int bl_winograd_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
int bl_winograd_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
int bl_winograd_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);

#endif
