/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensor.h (private): the struct of tensors, for code that computes with them. */
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

struct bl_node; /* the recorded operation that made the tensor; belongs to the grad layer */

struct bl_tensor {
	atomic_int refs;
	int ndim;
	int64_t shape[BL_MAXDIM], stride[BL_MAXDIM];
	float *data;
	bl_storage *storage;
	/* Used by the grad layer: */
	bool leaf_grad; /* a leaf that requires a gradient */
	bool grad_live; /* grad holds a gradient; otherwise its values are obsolete */
	bool spent;     /* a backward pass has freed the tensor's node */
	bl_tensor *grad;
	struct bl_node *node;
	void (*node_free)(struct bl_node *);
};

/* A view of t's storage with another shape; strides and data are not checked. */
bl_tensor *bl_tensor_view_of(const bl_tensor *t, int ndim, const int64_t *shape, const int64_t *stride, float *data);

/* Row-major strides of a shape. */
void bl_strides_row_major(int ndim, const int64_t *shape, int64_t *stride);

/*
 * Visits the elements of up to four strided operands of the same shape together.  Dimensions are merged if all operands
 * allow it.  fn receives runs of n elements along the innermost dimension; step[k] is the stride of operand k in it.
 * Several threads call fn at once, on runs that do not overlap.
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
/* All operands must have the shape of the first.  A stride of 0 repeats an element. */
void bl_walk_init(bl_walk *w, int operands, bl_tensor *const *t);
void bl_walk_run(bl_walk *w, bl_walk_fn *fn, void *ctx);

#endif
