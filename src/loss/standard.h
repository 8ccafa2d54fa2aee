/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standard.h (private): standardises each dimension of two views' embeddings over the batch, and its gradient. */
#ifndef BARLOW_LOSS_STANDARD_H
#define BARLOW_LOSS_STANDARD_H

#include "tensor/tensor.h"

#include <barlow/loss.h>

typedef struct bl_standard {
	int64_t n, d;
	double divisor; /* of the variance: N, or N - 1 if the variance is unbiased */
	double eps;
	bl_tensor *x[2]; /* (N,D), contiguous, references; NULL after bl_standard_whole */
	float *z[2];     /* (N,D), row-major; NULL before bl_standard_whole */
	float *inv[2];   /* (D): z = (x - mean) * inv; without an eps, 0 for units that are constant in both views */
	double *mean[2]; /* (D) */
	double *diag;    /* (D): C_ii = sum_n z[0]_ni z[1]_ni / N */
	void *block;     /* memory of inv, mean and diag */
} bl_standard;

/* The functions below that return int return 0, or -1 with bl_error. */

/* Checks that both views are (N,D) with N >= 2, and standardises them. */
int bl_standard_make(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
void bl_standard_free(bl_standard *s);

/*
 * The two steps of bl_standard_make.  open checks the views and takes references to them.  whole standardises them and,
 * unless `turned` is NULL, writes z[0]^T to `turned`, as D rows that are `pitch` floats apart.
 *
 * After open, a few columns may be standardised at a time instead, so that z is never in memory as a whole.  columns
 * fills mean, inv and diag of columns from..from+width-1, and writes z of both views to copy (2,N,pitch), with 0 in the
 * columns after width.  again computes z (N,pitch) of these columns of one view from mean and inv.  pitch is
 * bl_standard_pitch(width), or for again any multiple of 8 that is at least width.
 */
int64_t bl_standard_pitch(int64_t width);
int bl_standard_whole(bl_standard *s, float *turned, int64_t pitch);
int bl_standard_open(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
void bl_standard_columns(const bl_standard *s, int64_t from, int64_t width, float *copy);
void bl_standard_again(const bl_standard *s, int view, int64_t from, int64_t width, int64_t pitch, float *z);

/* Standardises only columns dims[0..count-1] of one view (N,D), and writes them to out (N,count). */
int bl_standard_pick(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, float *out);

/*
 * The mean over a block of C is a product of means: mean_ij u_i.v_j = (mean_i u_i).(mean_j v_j).  For each row of the
 * batch, u and v (N,cells) receive the means of the standardised columns in each cell; bl_chunk_range divides the
 * columns into cells.  The standardised columns are not stored.  diag (D) receives C_ii.  1 <= cells <= columns.
 */
int bl_standard_grid(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int cells, float *u, float *v,
                     double *diag);
/* As bl_standard_grid, but for columns dims[0..count-1] of one view, and without diag. */
int bl_standard_cells(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, int cells, float *out);

/*
 * Parts of these functions.  measure checks both views, and fills only n, d, divisor and eps.  check_dims checks that
 * dims are dims of the views.  some standardises columns dims[from..from+width-1] of x (N,D), or columns
 * from..from+width-1 if dims is NULL, and writes them to copy (N,pitch), with 0 in the columns after width.  correlate
 * computes C_ii of such columns.  width <= BL_STANDARD_COLUMNS.
 */
int bl_standard_measure(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
int bl_standard_check_dims(const bl_standard *s, const int32_t *dims, int64_t count);
void bl_standard_some(const bl_standard *s, const float *x, const int32_t *dims, int64_t from, int64_t width, float *copy);
void bl_standard_correlate(const bl_standard *s, int64_t width, const float *za, const float *zb, double *diag);

/* The largest number of columns that are processed at once. */
enum { BL_STANDARD_COLUMNS = 512 };
/* The number of chunks of d columns, so that n rows of a chunk stay in a core's cache; at_least: columns in a chunk. */
int64_t bl_standard_chunks(int64_t n, int64_t d, int64_t at_least);

/*
 * The backward pass for columns from..from+width-1 of one view.  dz becomes k dz + other diag(w) + row 1^T.  Then
 * inv (dz - mean(dz) - z sum(dz z) / divisor) is written or added to dx (N,D).
 */
typedef struct bl_standard_part {
	int view;
	int64_t from, width;
	const float *z, *other; /* z of this view and of the other view */
	float *dz;
	int64_t pitch; /* floats from one row to the next in z, other and dz */
	float k;
	const float *w;   /* (width) */
	const float *row; /* (N), or NULL */
} bl_standard_part;
void bl_standard_back(const bl_standard *s, const bl_standard_part *p, float *dx, bool add);

#endif
