/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standard.h (private): two views' embeddings, each standardised per dimension over the batch, and the way back. */
#ifndef BARLOW_LOSS_STANDARD_H
#define BARLOW_LOSS_STANDARD_H

#include "tensor/tensor.h"

#include <barlow/loss.h>

typedef struct bl_standard {
	int64_t n, d;
	double divisor; /* of the variance: N, or N - 1 where it is unbiased */
	double eps;
	bl_tensor *x[2]; /* (N,D), contiguous: a reference; NULL once z is made */
	float *z[2];     /* (N,D), row-major; NULL if never made whole */
	float *inv[2];   /* (D): z = (x - mean) * inv; without an eps 0 where the unit is constant in both views */
	double *mean[2]; /* (D) */
	double *diag;    /* (D): C_ii = sum_n z[0]_ni z[1]_ni / N */
	void *block;     /* what inv, mean and diag lie in */
} bl_standard;

/* Checks that both are (N,D) with N >= 2 and standardises them.  -1 with bl_error. */
int bl_standard_make(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
void bl_standard_free(bl_standard *s);

/*
 * The same in two steps: open checks, whole standardises, and puts z[0]^T (D rows `pitch` apart) into `turned` unless
 * that is NULL; or, instead of that, a few columns at a time and never z as a
 * whole: columns fills mean, inv and diag of columns from..from+width and leaves z of both views in copy
 * (2,N,pitch), 0 beyond width; again makes z of one view from these once more.  pitch: bl_standard_pitch(width), or for
 * again any multiple of 8 that is not smaller than width.
 */
int64_t bl_standard_pitch(int64_t width);
int bl_standard_whole(bl_standard *s, float *turned, int64_t pitch);
int bl_standard_open(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
void bl_standard_columns(const bl_standard *s, int64_t from, int64_t width, float *copy);
void bl_standard_again(const bl_standard *s, int view, int64_t from, int64_t width, int64_t pitch, float *z);

/* Only columns dims[0..count-1] of one view (N,D), standardised, into out (N,count).  -1 with bl_error. */
int bl_standard_pick(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, float *out);

/*
 * The mean over a block of C is a product of means, mean_ij u_i.v_j = (mean_i u_i).(mean_j v_j): u and v (N,cells) get,
 * of each row, the means of its standardised columns cell by cell, cells being cut as bl_chunk_range cuts; nothing
 * else is kept, so that z is read once.  diag (D): C_ii.  1 <= cells <= columns.  -1 with bl_error.
 */
int bl_standard_grid(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int cells, float *u, float *v,
                     double *diag);
/* The same of columns dims[0..count-1] of one view. */
int bl_standard_cells(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, int cells, float *out);

/*
 * What these are made of.  measure checks both views and fills n, d, divisor and eps alone; some standardises columns
 * dims[from..from+width-1] of x (N,D), or from..from+width-1 where dims is NULL, into copy (N,pitch), 0 beyond width;
 * correlate gives such columns' C_ii.  width <= BL_STANDARD_COLUMNS.
 */
int bl_standard_measure(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
int bl_standard_check_dims(const bl_standard *s, const int32_t *dims, int64_t count);
void bl_standard_some(const bl_standard *s, const float *x, const int32_t *dims, int64_t from, int64_t width, float *copy);
void bl_standard_correlate(const bl_standard *s, int64_t width, const float *za, const float *zb, double *diag);

/* Columns worked on at once, so that N of them stay in a core's cache; and the number of such chunks. */
enum { BL_STANDARD_COLUMNS = 512 };
int64_t bl_standard_chunks(int64_t n, int64_t d, int64_t at_least);

/*
 * Columns from..from+width of one view: dz becomes k dz + other diag(w) + row 1^T, and with that
 * dx = inv (dz - mean(dz) - z sum(dz z) / divisor), put into or added to dx, whose rows are D apart.
 */
typedef struct bl_standard_part {
	int view;
	int64_t from, width;
	const float *z, *other; /* of this view and of the other one */
	float *dz;
	int64_t pitch; /* from row to row of these three */
	float k;
	const float *w;   /* (width) */
	const float *row; /* (N), or NULL */
} bl_standard_part;
void bl_standard_back(const bl_standard *s, const bl_standard_part *p, float *dx, bool add);

#endif
