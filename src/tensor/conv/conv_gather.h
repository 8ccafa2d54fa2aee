/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_gather.h (private): convolution of any shape by gathering and outer products.  Arguments are as in conv.h. */
#ifndef BARLOW_TENSOR_CONV_CONV_GATHER_H
#define BARLOW_TENSOR_CONV_CONV_GATHER_H

#include "tensor/conv/conv.h"

int bl_gather_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
int bl_gather_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
int bl_gather_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);

/* The forward direction for few channels, called by bl_gather_forward. */
int bl_few_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);

#endif
