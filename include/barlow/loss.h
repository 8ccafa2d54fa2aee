/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loss.h: the Barlow Twins loss (Zbontar et al. 2021, arXiv 2103.03230), in its forms and dialects.
 *
 *   C = standardise(zA)^T standardise(zB) / N                         (D,D)
 *   L = scale * ( sum_i (1 - C_ii)^2 + lambda * sum_{i != j} C_ij^2 )
 *
 * `gram` never makes C: ||C||_F^2 = sum((zA zA^T) .* (zB zB^T)) / N^2, exact,
 * O(N^2 D) work and O(N^2) memory.
 */
#ifndef BARLOW_LOSS_H
#define BARLOW_LOSS_H

#include <barlow/grad.h>

typedef enum bl_loss_form { BL_FORM_AUTO, BL_FORM_DIRECT, BL_FORM_GRAM } bl_loss_form;
typedef enum bl_loss_dialect {
	BL_DIALECT_PAPER,      /* biased variance, eps 1e-5 */
	BL_DIALECT_ALGORITHM1, /* unbiased std, no eps */
	BL_DIALECT_HSIC,       /* paper's normalisation, off-diagonal target -1 (Tsai et al. 2021) */
} bl_loss_dialect;

typedef struct bl_loss_config {
	double lambda; /* >= 0, .0051 */
	double scale;  /* > 0, 1 */
	bl_loss_form form;
	bl_loss_dialect dialect;
} bl_loss_config;
#define BL_LOSS_DEFAULT ((bl_loss_config){ .0051, 1, BL_FORM_AUTO, BL_DIALECT_PAPER })

typedef struct bl_loss_terms {
	double invariance; /* sum_i (1 - C_ii)^2 */
	double redundancy; /* sum_{i != j} C_ij^2, (C_ij + 1)^2 in hsic; without lambda */
	double total;      /* scale * (invariance + lambda * redundancy) */
	double floor;      /* what total cannot go below, rank C being at most min(D, N-1); 0 where none is known */
} bl_loss_terms;

/*
 * za, zb (N,D), N >= 2 -> scalar; terms may be NULL.  A dead unit (no variance) has C_ii = 0 and gets no gradient.  The
 * way back may read za and zb again: leave their numbers alone until then.
 */
bl_tensor *bl_loss_barlow(const bl_loss_config *c, bl_tensor *za, bl_tensor *zb, bl_loss_terms *terms);

/* The form that `auto` takes for this shape. */
bl_loss_form bl_loss_pick(bl_loss_form form, int64_t n, int64_t d);

/* The cross-correlation matrix itself, (D,D), outside the graph. */
bl_tensor *bl_loss_correlation(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);

/*
 * A pooled picture of C without making it whole: cells (g,g) of C[rows, cols], each cell the mean and
 * the signed element of largest magnitude over its block.  g <= D.  diag (D) may be NULL.
 */
int bl_loss_picture(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int g, float *mean,
                    float *extreme, float *diag);

/* Which dims make the rows, or the columns, of a region, in what order, pooled to how many cells (at most n). */
typedef struct bl_loss_side {
	const int32_t *dims;
	int64_t n;
	int cells;
} bl_loss_side;

/* Elements off the diagonal; i and j are dims, 0-based. */
typedef struct bl_loss_pair {
	int32_t i, j;
	float value;
} bl_loss_pair;

/* What a region is made into; every array that is not NULL is filled in. */
typedef struct bl_loss_cells {
	float *mean, *extreme; /* (rows->cells, cols->cells) */
	/*
	 * The diagonal apart, as it is no noise: rms is the root of the mean square of a cell's elements off the diagonal, 0
	 * where there are none; diagonal the mean of those on it, NaN where there are none.  Both or neither.
	 */
	float *rms, *diagonal;
	bl_loss_pair *pair; /* those of largest magnitude, largest first */
	int pairs;          /* room for so many; then how many there are */
} bl_loss_cells;

/*
 * The same of any rows and columns of C, in any order, at the price of these alone: cells (rows->cells, cols->cells).
 * Of one view with itself when za and zb are the same.
 */
int bl_loss_region(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_cells *out);

/*
 * rms and diagonal alone, at O(N^2 (D + g^2)) instead of O(N D^2), by Gram matrices of the cells: less where D is much
 * larger than g sqrt(N).  Of `samples` < N samples, chosen by key, the squares are unbiased estimates of those of all.
 */
typedef struct bl_loss_rms {
	float *rms, *diagonal; /* as above */
	int64_t samples;       /* at least 8 are taken, at most N; then how many were */
	uint64_t key;
	double error; /* then: the standard error of an rms, relative to it, typical of the cells; 0 where it is exact */
} bl_loss_rms;
int bl_loss_rms_of(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_rms *out);

/* Loss floor: scale D K / (D + K), K = lambda (D^2/r - D), r = min(D, N-1), for lambda <= 1, K > 0, not hsic; else 0. */
double bl_loss_floor(const bl_loss_config *c, int64_t n, int64_t d);

#endif
