/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv.h (private): two-dimensional convolution on channels-last arrays.
 *
 *   y[n,p,q,k] = sum_{r,s,c} x[n, p stride + r - padding, q stride + s - padding, c] w[k,c,r,s]
 *
 * Weights are row-major (K,C/groups,R,S).  Results do not depend on the
 * number of threads.  All return 0, or -1 when there is no memory.
 */
#ifndef BL_TENSOR_CONV_H
#define BL_TENSOR_CONV_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bl_conv {
	int64_t n, c, h, w; /* x */
	int64_t k, r, s;    /* w */
	int64_t p, q;       /* y */
	int64_t stride, padding, groups;
} bl_conv;

/*
 * The algorithm for a shape: a fixed rule, unless BARLOW_CONV or
 * bl_conv_force asks for one; what cannot do the shape falls back to gather.
 */
typedef enum bl_conv_algorithm { BL_CONV_AUTO, BL_CONV_GATHER, BL_CONV_WINOGRAD } bl_conv_algorithm;
bl_conv_algorithm bl_conv_pick(const bl_conv *g);
void bl_conv_force(bl_conv_algorithm a);
const char *const *bl_conv_algorithms(void); /* names, NULL-terminated */

/* bias (K) may be NULL. */
int bl_conv_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
/* dx (+)= */
int bl_conv_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
/* dw (+)= */
int bl_conv_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);

#endif
