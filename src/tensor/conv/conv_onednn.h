/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_onednn.h (private): convolution by oneDNN, if barlow is built with it.  Arguments are as in conv.h. */
#ifndef BARLOW_TENSOR_CONV_CONV_ONEDNN_H
#define BARLOW_TENSOR_CONV_CONV_ONEDNN_H

#include "tensor/conv/conv.h"

/* Does it support the shape: one group, no dilation? */
bool bl_onednn_fits(const bl_conv *g);

int bl_onednn_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
int bl_onednn_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
int bl_onednn_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);

#endif
