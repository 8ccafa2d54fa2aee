/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pil.h: what PIL does to images of bytes, to the bit: results are whole levels, as PIL has them after each operator.
 *
 * A value x is the level round(255 x).  Operators with a field `backend` have both ways.
 */
#ifndef BARLOW_AUGMENT_PIL_H
#define BARLOW_AUGMENT_PIL_H

#include "augment/resample.h"

typedef enum backend { BACKEND_TENSOR, BACKEND_PIL } backend;
extern const char *const bl_backends[];
/* clang-format off */
#define BACKEND_FIELD \
	BL_FIELD(CHOICE, parameters, backend, BL_DEFAULT(BACKEND_TENSOR), .choices = bl_backends, \
		 .help = "tensor: computes as torchvision on float tensors; pil: as torchvision on PIL images (bytes), like the authors")
/* clang-format on */

/* What a patch is resampled by. */
typedef enum pil_filter { PIL_BILINEAR, PIL_BICUBIC } pil_filter;
/* As bl_resample; across first, then down, each to bytes, by weights of 22 bits behind the point. */
int bl_pil_resample(float_image *c, patch from, int height, int width, pil_filter filter, bool mirror);

/* The following work on what has been read (bl_float_image_load), in place. */
void bl_pil_brightness(float_image *c, float f);
void bl_pil_contrast(float_image *c, float f);
void bl_pil_saturation(float_image *c, float f); /* of 3 channels */
void bl_pil_hue(float_image *c, float turn);     /* of 3 channels; turn: of the circle, -1/2 to 1/2 */
void bl_pil_grey(float_image *c);                /* of 3 channels */
void bl_pil_solarize(float_image *c, float threshold);
void bl_pil_sharpness(float_image *c, float f);
void bl_pil_autocontrast(float_image *c);
void bl_pil_round(float_image *c); /* to the nearest level */
/* ImageFilter.GaussianBlur: three box filters with ends of less weight.  0, or negative with bl_error. */
int bl_pil_blur(float_image *c, float sigma);

/*
 * Image.transform: the output pixel with its centre at (x, y) comes from u = (a[0] x + a[1] y + a[2]) / w,
 * v = (a[3] x + a[4] y + a[5]) / w, w = a[6] x + a[7] y + 1, all counted from the upper left corner; black outside.
 */
void bl_pil_warp(float_image *c, const double a[8]); /* bilinear */
void bl_pil_warp_nearest(float_image *c, const double a[6]);

#endif
