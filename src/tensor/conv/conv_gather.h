/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_gather.h (private): any convolution, as gathering and outer products.  Arguments as in conv.h. */
#ifndef BARLOW_TENSOR_CONV_CONV_GATHER_H
#define BARLOW_TENSOR_CONV_CONV_GATHER_H

#include "tensor/conv/conv.h"

int bl_gather_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
int bl_gather_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
int bl_gather_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);

/* Forwards, of few channels: bl_gather_forward hands on to it. */
int bl_few_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);

#endif
