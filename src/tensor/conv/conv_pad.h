/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_pad.h (private to conv*.c): one image of few channels with its padding around it.
 *
 * Around an output pixel, a row of the filter then meets S * channels floats in a run, and nothing has to be asked
 * about edges.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_PAD_H
#define BARLOW_TENSOR_CONV_CONV_PAD_H

#include "tensor/conv/conv.h"

/* Images of fewer channels (of a group) are padded rather than gathered from pixel by pixel. */
enum { BL_CONV_FEW = 12 };

/* Floats of a padded image; a few more than it has may be read behind it. */
int64_t bl_conv_pad_size(const bl_conv *g);
/* x: the image's first channel of a group.  to: (H + 2 padding, W + 2 padding, C / groups). */
void bl_conv_pad(const bl_conv *g, const float *x, float *to);
/* Where the filter's first tap lies for output pixel (p, q); its next row lies bl_conv_pad_pitch further. */
const float *bl_conv_pad_at(const bl_conv *g, const float *padded, int64_t p, int64_t q);
int64_t bl_conv_pad_pitch(const bl_conv *g);

#endif
