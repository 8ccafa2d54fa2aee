/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_pad.h (private to conv*.c): an image of few channels with its padding stored around it.
 *
 * A row of the filter then covers S * channels consecutive floats for every output pixel, and edges need no special
 * case.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_PAD_H
#define BARLOW_TENSOR_CONV_CONV_PAD_H

#include "tensor/conv/conv.h"

/* Images with fewer channels in a group are padded; those with more are gathered pixel by pixel. */
enum { BL_CONV_FEW = 12 };

/* Floats of a padded image, including a few after its end, which may be read. */
int64_t bl_conv_pad_size(const bl_conv *g);
/* x: the image's first channel of a group.  to: (H + 2 padding, W + 2 padding, C / groups). */
void bl_conv_pad(const bl_conv *g, const float *x, float *to);
/* The position of the filter's first tap for output pixel (p, q); its next row is bl_conv_pad_pitch floats further. */
const float *bl_conv_pad_at(const bl_conv *g, const float *padded, int64_t p, int64_t q);
int64_t bl_conv_pad_pitch(const bl_conv *g);

#endif
