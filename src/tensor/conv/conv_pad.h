/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_pad.h (private to conv*.c): copies of images with few channels, with the padding stored around the image.
 *
 * In such a copy, a row of the filter covers S * channels consecutive floats for every output pixel, and the edges need
 * no special treatment.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_PAD_H
#define BARLOW_TENSOR_CONV_CONV_PAD_H

#include "tensor/conv/conv.h"

/* Images with fewer channels per group than this are padded; the pixels of other images are gathered one by one. */
enum { BL_CONV_FEW = 12 };

/* The number of floats of a padded image, including a few after its end that the copying code may read. */
int64_t bl_conv_pad_size(const bl_conv *g);
/* Copies an image; x points to the first channel of a group.  to: (H + 2 padding, W + 2 padding, C / groups). */
void bl_conv_pad(const bl_conv *g, const float *x, float *to);
/* The position of the filter's first tap for output pixel (p, q); its next row is bl_conv_pad_pitch floats later. */
const float *bl_conv_pad_at(const bl_conv *g, const float *padded, int64_t p, int64_t q);
int64_t bl_conv_pad_pitch(const bl_conv *g);

#endif
