/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pil.h (private): operations with exactly the results of PIL on images of bytes.  After each operation, values are
 * whole levels / 255.
 *
 * A value x has the level round(255 x).  Operators with a field `backend` support both backends.
 */
#ifndef BARLOW_AUGMENT_PIL_H
#define BARLOW_AUGMENT_PIL_H

#include "augment/resample.h"

typedef enum backend { BACKEND_TENSOR, BACKEND_PIL } backend;
extern const char *const bl_backends[];
/* clang-format off */
#define BACKEND_FIELD \
	BL_FIELD(CHOICE, parameters, backend, BL_DEFAULT(BACKEND_TENSOR), .choices = bl_backends, \
		 .help = "tensor: computes as torchvision on float tensors; pil: as torchvision on PIL images (bytes), " \
		         "like the authors' code")
/* clang-format on */

typedef enum pil_filter { PIL_BILINEAR, PIL_BICUBIC } pil_filter;
/* As bl_resample.  Resamples rows and then columns, each with results in bytes; weights have 22 fractional bits. */
int bl_pil_resample(float_image *c, patch from, int height, int width, pil_filter filter, bool mirror);

/* The functions below work in place, on an image that is loaded (bl_float_image_load). */
void bl_pil_brightness(float_image *c, float f);
void bl_pil_contrast(float_image *c, float f);
void bl_pil_saturation(float_image *c, float f); /* only for 3 channels */
void bl_pil_hue(float_image *c, float turn);     /* only for 3 channels; turn: fraction of the circle, -1/2 to 1/2 */
void bl_pil_grey(float_image *c);                /* only for 3 channels */
void bl_pil_solarize(float_image *c, float threshold);
void bl_pil_sharpness(float_image *c, float f);
void bl_pil_autocontrast(float_image *c);
void bl_pil_round(float_image *c); /* rounds values to the nearest level */
/* ImageFilter.GaussianBlur: three box filters whose end pixels have a smaller weight.  0, or negative with bl_error. */
int bl_pil_blur(float_image *c, float sigma);

/*
 * Image.transform: the output pixel with its centre at (x, y) is the input at (u, v), where
 *
 *   u = (a[0] x + a[1] y + a[2]) / w,  v = (a[3] x + a[4] y + a[5]) / w,  w = a[6] x + a[7] y + 1
 *
 * Positions are relative to the upper left corner.  Pixels from outside of the image are black.
 */
void bl_pil_warp(float_image *c, const double a[8]); /* bilinear */
void bl_pil_warp_nearest(float_image *c, const double a[6]);

#endif
