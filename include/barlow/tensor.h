/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tensor.h: float32 arrays with a shape, and views of them.
 *
 * A tensor is a reference-counted handle on reference-counted storage.  Each tensor has its own shape and strides, so
 * that transposed, narrowed and reshaped tensors share the storage.  Indices start at 0 in C, and at 1 in Lua.  Results
 * of functions are new references that the caller releases with bl_tensor_unref; arguments are borrowed.
 *
 *     bl_tensor *x = bl_tensor_new(2, (int64_t[]){ 3, 4 });
 *     float *v = bl_tensor_data(x);              // x[i,j] is v[4 * i + j]
 *     bl_tensor *y = bl_mm(x, w);                // (3,4) x (4,5) -> (3,5), see grad.h
 *     bl_tensor_unref(x);
 *
 * Logical shapes are PyTorch's: images are (N,C,H,W).  In memory a batch of images may be channels-last (strides of the
 * order N,H,W,C).  Convolution, norm and pooling make such tensors, and all other functions accept them.
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
/* A new tensor of shape (n,c,h,w), stored channels-last, with undefined values. */
bl_tensor *bl_tensor_new_image(int64_t n, int64_t c, int64_t h, int64_t w);
/* A new tensor with t's shape and memory order (row-major if t is not dense), and undefined values. */
bl_tensor *bl_tensor_like(const bl_tensor *t);
bl_tensor *bl_tensor_full(int ndim, const int64_t *shape, float value); /* new, row-major, filled with value */
bl_tensor *bl_tensor_scalar(float value);
/* A new tensor with a copy of `values`, in row-major order. */
bl_tensor *bl_tensor_from(int ndim, const int64_t *shape, const float *values);
/*
 * A row-major tensor whose storage is memory of the caller.  release(owner), unless NULL, is called when the last
 * tensor with this storage is freed.
 */
bl_tensor *bl_tensor_wrap(int ndim, const int64_t *shape, float *data, void (*release)(void *), void *owner);

bl_tensor *bl_tensor_ref(bl_tensor *t); /* returns t */
void bl_tensor_unref(bl_tensor *t);     /* NULL is fine */

int bl_tensor_ndim(const bl_tensor *t);
int64_t bl_tensor_size(const bl_tensor *t, int dim);   /* dim < 0 counts from the end */
int64_t bl_tensor_stride(const bl_tensor *t, int dim); /* in elements */
const int64_t *bl_tensor_shape(const bl_tensor *t);
int64_t bl_tensor_count(const bl_tensor *t);         /* number of elements */
float *bl_tensor_data(const bl_tensor *t);           /* borrowed; points to element (0,...,0) */
bool bl_tensor_is_contiguous(const bl_tensor *t);    /* row-major without gaps */
bool bl_tensor_is_channels_last(const bl_tensor *t); /* four dimensions, N,H,W,C order without gaps */
bool bl_tensor_is_dense(const bl_tensor *t);         /* contiguous or channels-last */
bool bl_tensor_same_shape(const bl_tensor *a, const bl_tensor *b);
float bl_tensor_at(const bl_tensor *t, const int64_t *index); /* indices are not checked */
void bl_tensor_put(bl_tensor *t, const int64_t *index, float value);

/* A new reference to t if t is row-major, otherwise a row-major copy that is not part of the graph. */
bl_tensor *bl_tensor_contiguous(bl_tensor *t);
/* As bl_tensor_contiguous, but for channels-last order.  t must have four dimensions. */
bl_tensor *bl_tensor_channels_last(bl_tensor *t);
/* A copy of t with its own storage, in t's memory order.  It is not part of the graph. */
bl_tensor *bl_tensor_clone(const bl_tensor *t);
/*
 * Marks the storage of t as constant, for all tensors that share it.  The functions of this header do not check the
 * mark; code that lets users write to tensors has to check it.
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
 * NumPy's .npy format.  Files are written atomically, in version 1.0 as '<f4'.  Files of version 1.0 or 2.0 are read if
 * they contain f2, f4, f8, integers or bool, in either byte order and memory order, also if Python 2 wrote them.  The
 * functions fail with a bl_error that names the file and the byte.
 */
bl_tensor *bl_npy_load(const char *path);
int bl_npy_save(const char *path, const bl_tensor *t);
int bl_npy_save_private(const char *path, const bl_tensor *t); /* the file is accessible to the user only (file.h) */
/*
 * Reads NumPy's .npz format: calls `give` for each array, in the order of the archive, with the array's name and a
 * reference that the callback owns.  Negative with a bl_error that names file and array; `give` has been called for the
 * arrays before the invalid one.
 */
enum { BL_NPZ_NAME = 256 };
typedef void bl_npz_give(void *ctx, const char *name, bl_tensor *t);
int bl_npz_load(const char *path, bl_npz_give *give, void *ctx);
bool bl_npz_is(const char *path); /* does the file begin like a .npz file?  False if it cannot be read */

/*
 * Fill t, which must be row-major, with random numbers of the seed's stream `stream`: uniform in [lo, hi), or normal.
 */
void bl_tensor_uniform(bl_tensor *t, uint64_t seed, uint32_t stream, float lo, float hi);
void bl_tensor_normal(bl_tensor *t, uint64_t seed, uint32_t stream, float mean, float std);

/*
 * The name of the set of OpenBLAS kernels that this process uses, such as "Cooperlake" or "Haswell".  The last bits of
 * results depend on the set.
 */
const char *bl_blas_core(void);
const char *bl_blas_library(void); /* path of the library's file; "": not known */
/* The name of the set of barlow's own kernels that this process uses.  Static. */
enum { BL_KERNEL_SETS = 4 };
const char *bl_kernel_name(void);
/* Writes the names of all sets that this CPU supports, the fastest first and ended by NULL.  Returns their number. */
int bl_kernel_names(const char *names[BL_KERNEL_SETS + 1]);
int bl_kernel_check(void); /* 0, or negative with bl_error: BARLOW_KERNELS does not name one of these sets */
/*
 * If the address space is limited (RLIMIT_AS), reserves the memory that OpenBLAS needs for that many threads, because
 * OpenBLAS itself retries endlessly if it gets none.  threads 0: only checks the limit.  Does nothing without a limit.
 * 0, or negative with bl_error: the limit is too low.
 */
int bl_blas_room(int threads);

#endif
