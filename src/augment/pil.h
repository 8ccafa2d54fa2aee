/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pil.h: what PIL does to images of bytes, to the bit: results are whole levels, as PIL has them after each operator.
 *
 * A value x is the level round(255 x).  Operators with a field `backend` have both ways.
 */
#ifndef AUGMENT_PIL_H
#define AUGMENT_PIL_H

#include "augment/resample.h"

typedef enum backend { BACKEND_TENSOR, BACKEND_PIL } backend;
extern const char *const bl_backends[];
#define BACKEND_FIELD \
	BL_FIELD(CHOICE, parameters, backend, BL_DEFAULT(BACKEND_TENSOR), .choices = bl_backends, \
		 .help = "tensor: as torchvision on float tensors; pil: the authors' way, as on PIL images, which are bytes")

/* What a patch is resampled by. */
typedef enum pil_filter { PIL_BILINEAR, PIL_BICUBIC } pil_filter;
/* As bl_resample; across first, then down, each to bytes, by weights of 22 bits behind the point. */
int bl_pil_resample(canvas *c, patch from, int height, int width, pil_filter filter, bool mirror);

/* The following work on what has been read (bl_canvas_load), in place. */
void bl_pil_brightness(canvas *c, float f);
void bl_pil_contrast(canvas *c, float f);
void bl_pil_saturation(canvas *c, float f); /* of 3 channels */
void bl_pil_hue(canvas *c, float turn);     /* of 3 channels; turn: of the circle, -1/2 to 1/2 */
void bl_pil_grey(canvas *c);                /* of 3 channels */
void bl_pil_solarize(canvas *c, float threshold);
/* ImageFilter.GaussianBlur: three box filters with ends of less weight.  0, or negative with bl_error. */
int bl_pil_blur(canvas *c, float sigma);

#endif
