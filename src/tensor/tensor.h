/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensor.h (private): what a tensor is made of, for the layers that compute. */
#ifndef BARLOW_TENSOR_TENSOR_H
#define BARLOW_TENSOR_TENSOR_H

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/tensor.h>

#include <stdatomic.h>

typedef struct bl_storage {
	atomic_int refs;
	float *data;
	bool constant;           /* bl_tensor_freeze */
	void (*release)(void *); /* NULL: data is a block of memory.h */
	void *owner;
} bl_storage;

struct bl_node; /* how it was made: the grad layer's */

struct bl_tensor {
	atomic_int refs;
	int ndim;
	int64_t shape[BL_MAXDIM], stride[BL_MAXDIM];
	float *data;
	bl_storage *storage;
	/* For the grad layer. */
	bool leaf_grad; /* a leaf that wants its gradient */
	bool grad_live; /* grad holds something, else its numbers are stale */
	bool spent;     /* its node was let go by a backward */
	bl_tensor *grad;
	struct bl_node *node;
	void (*node_free)(struct bl_node *);
};

/* View of t's storage with another shape; strides and data are the caller's to set right. */
bl_tensor *bl_tensor_view_of(const bl_tensor *t, int ndim, const int64_t *shape, const int64_t *stride, float *data);

/* Row-major strides of a shape. */
void bl_strides_row_major(int ndim, const int64_t *shape, int64_t *stride);

/*
 * Walks up to four strided operands of one shape together: dimensions are
 * merged where all operands allow, and fn gets runs of `n` elements along the
 * innermost one.  step[k] is operand k's stride there.  fn is called by many
 * threads, on runs that do not overlap.
 */
enum { BL_WALK_MAX = 4 };
typedef struct bl_walk {
	int operands;
	int ndim;
	int64_t shape[BL_MAXDIM];
	int64_t stride[BL_WALK_MAX][BL_MAXDIM];
	float *data[BL_WALK_MAX];
} bl_walk;
typedef void bl_walk_fn(void *ctx, int64_t n, float *const *p, const int64_t *step);
/* Operands with the same shape as the first. */
void bl_walk_init(bl_walk *w, int operands, bl_tensor *const *t);
void bl_walk_run(bl_walk *w, bl_walk_fn *fn, void *ctx);

#endif
