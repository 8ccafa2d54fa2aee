/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tensor.h: float32 arrays with a shape, and views of them.
 *
 * A tensor is a reference-counted handle on reference-counted storage; shape
 * and strides are its own, so that transposing, narrowing and reshaping share
 * the numbers.  Indices start at 0 here (the Lua face starts at 1).  Results
 * of functions are new references that the caller gives back with
 * bl_tensor_unref; arguments are only borrowed.
 *
 *     bl_tensor *x = bl_tensor_new(2, (int64_t[]){ 3, 4 });
 *     float *v = bl_tensor_data(x);              // x[i,j] is v[4 * i + j]
 *     bl_tensor *y = bl_mm(x, w);                // (3,4) x (4,5) -> (3,5), see grad.h
 *     bl_tensor_unref(x);
 *
 * Logical shapes are PyTorch's: images are (N,C,H,W).  In memory an image
 * batch may be channels-last (strides of N,H,W,C order); convolution, norm and
 * pooling make such tensors, and everything else accepts them.
 */
#ifndef BARLOW_TENSOR_H
#define BARLOW_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_MAXDIM = 6 };

typedef struct bl_tensor bl_tensor;

/* A new row-major tensor with undefined values.  ndim 0: a scalar.  NULL with bl_error: invalid shape or no memory. */
bl_tensor *bl_tensor_new(int ndim, const int64_t *shape);
/* The same of shape (n,c,h,w), stored channels-last. */
bl_tensor *bl_tensor_new_image(int64_t n, int64_t c, int64_t h, int64_t w);
/* A new tensor with t's shape and memory order (row-major if t is not dense), and undefined values. */
bl_tensor *bl_tensor_like(const bl_tensor *t);
bl_tensor *bl_tensor_full(int ndim, const int64_t *shape, float value); /* new, row-major, filled with value */
bl_tensor *bl_tensor_scalar(float value);
/* A new tensor with a copy of `values`, in row-major order. */
bl_tensor *bl_tensor_from(int ndim, const int64_t *shape, const float *values);
/*
 * A row-major tensor on memory that the caller provides; release(owner), unless NULL, is called when the last view is
 * freed.
 */
bl_tensor *bl_tensor_wrap(int ndim, const int64_t *shape, float *data, void (*release)(void *), void *owner);

bl_tensor *bl_tensor_ref(bl_tensor *t); /* returns t */
void bl_tensor_unref(bl_tensor *t);     /* NULL is fine */

int bl_tensor_ndim(const bl_tensor *t);
int64_t bl_tensor_size(const bl_tensor *t, int dim);   /* dim < 0 counts from the end */
int64_t bl_tensor_stride(const bl_tensor *t, int dim); /* in elements */
const int64_t *bl_tensor_shape(const bl_tensor *t);
int64_t bl_tensor_count(const bl_tensor *t);         /* number of elements */
float *bl_tensor_data(const bl_tensor *t);           /* borrowed: element (0,...,0); the strides locate the others */
bool bl_tensor_is_contiguous(const bl_tensor *t);    /* row-major without gaps */
bool bl_tensor_is_channels_last(const bl_tensor *t); /* four dimensions, N,H,W,C order without gaps */
bool bl_tensor_is_dense(const bl_tensor *t);         /* either of the two */
bool bl_tensor_same_shape(const bl_tensor *a, const bl_tensor *b);
float bl_tensor_at(const bl_tensor *t, const int64_t *index); /* indices are not checked */
void bl_tensor_put(bl_tensor *t, const int64_t *index, float value);

/* A new reference to t if it is row-major, else to a row-major copy, which is not part of the graph. */
bl_tensor *bl_tensor_contiguous(bl_tensor *t);
/* The same for channels-last order; t has to have four dimensions. */
bl_tensor *bl_tensor_channels_last(bl_tensor *t);
/* A copy with t's memory order and storage of its own, which is not part of the graph. */
bl_tensor *bl_tensor_clone(const bl_tensor *t);
/*
 * Marks the storage as constant, for all tensors on it.  This is not enforced: code that lets users write has to check it.
 */
void bl_tensor_freeze(bl_tensor *t);
bool bl_tensor_is_constant(const bl_tensor *t);
/* dst = src elementwise, with any strides.  0; negative with bl_error: the shapes differ. */
int bl_tensor_copy(bl_tensor *dst, const bl_tensor *src);
/* Copies all elements to out in row-major order. */
void bl_tensor_read(const bl_tensor *t, float *out);
void bl_tensor_fill(bl_tensor *t, float value);
/* The index, in row-major order, of the first element that is not finite; -1: all are finite. */
int64_t bl_tensor_find_nonfinite(const bl_tensor *t);

/* Writes a shape, "(256, 1, 28, 28)", into buf; returns buf. */
enum { BL_SHAPE_TEXT = 128 };
char *bl_shape_text(int ndim, const int64_t *shape, char buf[BL_SHAPE_TEXT]);
char *bl_tensor_text(const bl_tensor *t, char buf[BL_SHAPE_TEXT]);

/*
 * NumPy's .npy format.  Files are written atomically, as version 1.0 with '<f4'.  Files of version 1.0 or 2.0 with f2,
 * f4, f8, integers or bool are read, in both byte and memory orders, also those written by Python 2.  NULL or negative
 * with bl_error, which names the file and the byte.
 */
bl_tensor *bl_npy_load(const char *path);
int bl_npy_save(const char *path, const bl_tensor *t);
int bl_npy_save_private(const char *path, const bl_tensor *t); /* a file for the user alone (file.h) */
/*
 * NumPy's .npz: calls `give` for each array, in the archive's order, with its name and a reference that the callback
 * owns.  Negative with bl_error, which names file and array; arrays before the fault have been passed to `give`.
 */
enum { BL_NPZ_NAME = 256 };
typedef void bl_npz_give(void *ctx, const char *name, bl_tensor *t);
int bl_npz_load(const char *path, bl_npz_give *give, void *ctx);
bool bl_npz_is(const char *path); /* does the file begin as a .npz does?  False also if it cannot be read */

/* Fills t, which has to be row-major, from random stream number `stream` of the seed: uniform in [lo, hi), or normal. */
void bl_tensor_uniform(bl_tensor *t, uint64_t seed, uint32_t stream, float lo, float hi);
void bl_tensor_normal(bl_tensor *t, uint64_t seed, uint32_t stream, float mean, float std);

/*
 * The set of OpenBLAS kernels that this process uses ("Cooperlake", "Haswell" ...); the last bits of results depend on
 * it.
 */
const char *bl_blas_core(void);
const char *bl_blas_library(void); /* the library's file; "": not known */
/*
 * Names of our own sets of kernels: the one that this process uses; and all that this CPU supports, the best first,
 * with their number as the result.
 */
enum { BL_KERNEL_SETS = 4 };
const char *bl_kernel_name(void);
int bl_kernel_names(const char *names[BL_KERNEL_SETS + 1]);
int bl_kernel_check(void); /* negative with bl_error: BARLOW_KERNELS names a set that is not among them */
/*
 * If the address space is limited (RLIMIT_AS), reserves the memory that OpenBLAS needs for that many threads, since
 * OpenBLAS itself would retry for ever; negative with bl_error: the limit is too low.  threads 0: only checks.  Without
 * a limit nothing is done.
 */
int bl_blas_room(int threads);

#endif
