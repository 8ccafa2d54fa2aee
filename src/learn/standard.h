/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standard.h (private): two views' embeddings, each standardised per dimension over the batch, and the way back. */
#ifndef BL_LEARN_STANDARD_H
#define BL_LEARN_STANDARD_H

#include "tensor/tensor.h"

#include <barlow/loss.h>

typedef struct bl_standard {
	int64_t n, d;
	double divisor; /* of the variance: N, or N - 1 where it is unbiased */
	double eps;
	float *z[2];   /* (N,D), row-major */
	float *inv[2]; /* (D): z = (x - mean) * inv; 0 where the unit is dead */
	double *diag;  /* (D): C_ii = sum_n z[0]_ni z[1]_ni / N */
	void *block;   /* what all of these lie in */
} bl_standard;

/* Checks that both are (N,D) with N >= 2 and standardises them.  -1 with bl_error. */
int bl_standard_make(bl_standard *s, bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);
void bl_standard_free(bl_standard *s);

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
int bl_standard_cells(bl_loss_dialect dialect, const bl_tensor *x, const int32_t *dims, int64_t count, int cells,
                      float *out);

/* Columns worked on at once, so that N of them stay in a core's cache; and the number of such chunks. */
enum { BL_STANDARD_COLUMNS = 512 };
int64_t bl_standard_chunks(int64_t n, int64_t d, int64_t at_least);

/*
 * Columns from..from+width of one view: dz (N,width), dense, becomes
 * dx = inv (dz - mean(dz) - z sum(dz z) / divisor), put into or added to dx, whose rows are D apart.
 */
void bl_standard_back(const bl_standard *s, int view, int64_t from, int64_t width, const float *dz, float *dx,
                      bool add);

#endif
