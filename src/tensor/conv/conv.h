/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv.h (private): two-dimensional convolution on channels-last arrays.
 *
 *   y[n,p,q,k] = sum_{r,s,c} x[n, p stride + r (gap + 1) - padding, q stride + s (gap + 1) - padding, c] w[k,c,r,s]
 *
 * Weights are row-major (K,C/groups,R,S).  Results do not depend on the number of threads.  Functions that return int
 * return 0, or -1 with bl_error if there is no memory.
 */
#ifndef BARLOW_TENSOR_CONV_CONV_H
#define BARLOW_TENSOR_CONV_CONV_H

#include <barlow/convolution.h>

typedef struct bl_conv {
	int64_t n, c, h, w; /* x */
	int64_t k, r, s;    /* w */
	int64_t p, q;       /* y */
	int64_t stride, padding, groups;
	int64_t gap;                              /* number of pixels between two taps: dilation - 1 */
	bl_conv_algorithm by[BL_CONV_DIRECTIONS]; /* BL_CONV_AUTO: each call chooses the algorithm */
} bl_conv;

/* The number of pixels from the first to the last of `taps` taps. */
static inline int64_t bl_conv_reach(int64_t taps, int64_t gap)
{
	return (taps - 1) * (gap + 1) + 1;
}

/* The number of output pixels along one axis. */
static inline int64_t bl_conv_outputs(int64_t pixels, int64_t taps, int64_t stride, int64_t padding, int64_t gap)
{
	return (pixels + 2 * padding - bl_conv_reach(taps, gap)) / stride + 1;
}

/* An algorithm; its functions are those of bl_conv_forward and the gradients below. */
typedef struct bl_conv_ops {
	bool (*fits)(const bl_conv *g); /* does it support the shape?  NULL: it is not built in */
	int (*forward)(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
	int (*data_gradient)(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
	int (*weight_gradient)(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);
} bl_conv_ops;
extern const bl_conv_ops bl_conv_ops_of[BL_CONV_ALGORITHMS];

/* A convolution of n images of this shape. */
bl_conv bl_conv_of_key(const bl_conv_key *k, int64_t n);
bool bl_conv_fits(const bl_conv *g, bl_conv_algorithm a);
/* The algorithm of the fixed rule. */
bl_conv_algorithm bl_conv_rule(const bl_conv *g);
/*
 * The rule's algorithm, unless another one is clearly faster.  ms: measured milliseconds; 0: the shape is not
 * supported.
 */
bl_conv_algorithm bl_conv_fastest(const bl_conv *g, const double ms[BL_CONV_ALGORITHMS]);
/* Sets g->by as convolution.h describes; asked: the layer's algorithm.  -1: no memory to record the choice. */
int bl_conv_choose(bl_conv *g, bl_conv_algorithm asked);

/* Computes y; bias (K) may be NULL. */
int bl_conv_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
/* Computes the gradient with respect to x, and writes it to dx or adds it to dx. */
int bl_conv_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
/* Computes the gradient with respect to w, and writes it to dw or adds it to dw. */
int bl_conv_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);

#endif
