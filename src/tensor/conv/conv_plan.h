/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_plan.h (private to conv*.c): lists of the input pixels that contribute to each output pixel.
 *
 * Output pixels to which the same taps contribute form a class.  There is one class in the forward direction.  For the
 * data gradient there are stride^2 classes, by the pixel's position modulo the stride, so that only taps that
 * contribute are multiplied.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_PLAN_H
#define BARLOW_TENSOR_CONV_CONV_PLAN_H

#include "tensor/conv/conv.h"

typedef struct bl_conv_class {
	int64_t pixels;
	int taps;
	int32_t *tap;  /* [taps]: r * S + s */
	int32_t *to;   /* [pixels]: the output pixel's index in its image */
	int32_t *from; /* [pixels][taps]: the input pixel's index, -1 in the padding */
} bl_conv_class;

typedef struct bl_conv_plan {
	int classes;
	bl_conv_class *class;
	void *block; /* memory of the classes and their arrays */
} bl_conv_plan;

/* Both return 0, or -1: no memory.  In the data gradient, the "output" is dx and the "input" is dy. */
int bl_conv_plan_forward(bl_conv_plan *plan, const bl_conv *g);
int bl_conv_plan_data(bl_conv_plan *plan, const bl_conv *g);
void bl_conv_plan_free(bl_conv_plan *plan);

#endif
