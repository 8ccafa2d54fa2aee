/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heat.c: pictures of C: whole and pooled, the region a viewer asks for, the diagonal, the histogram. */
#include "monitor/snapshot.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <string.h>

#include "loss/barlow/standard.h"
#include "tensor/blas.h"

enum { SAMPLE = 192 }; /* dims whose elements of C make the histogram */

/* --- Which dims ------------------------------------------------------------------- */

/* n dims from `from` on of an order (NULL: as they are), in cells. */
struct span {
	const int32_t *order;
	int64_t from, n;
	int cells;
};

static int32_t dim_at(const struct span *s, int64_t i)
{
	return s->order ? s->order[s->from + i] : (int32_t)(s->from + i);
}

static bool is_whole(const struct span *s, int64_t most)
{
	return most >= (s->n + s->cells - 1) / s->cells;
}

/* The dims that stand for the span: `most` of each cell, so that cells of these are cells of the span. */
static int64_t choose(const struct span *s, int64_t most, int32_t *dims)
{
	int64_t count = 0, from, to;
	for (int cell = 0; cell < s->cells; cell++) {
		bl_chunk_range(s->n, s->cells, cell, &from, &to);
		int64_t take = is_whole(s, most) ? to - from : most;
		for (int64_t i = 0; i < take; i++)
			dims[count++] = dim_at(s, from + i * (to - from) / take);
	}
	return count;
}

/* Elements of the matrix behind the cells, or -1. */
static int64_t pool(const bl_look *l, bl_tensor *const z[2], const struct span *rows, const struct span *cols,
                    int64_t most, float *mean, float *extreme)
{
	int32_t *dims = bl_block_take((size_t)(rows->n + cols->n) * sizeof *dims);
	if (!dims)
		return -1;
	int64_t nr = choose(rows, most, dims), nc = choose(cols, most, dims + nr);
	bl_loss_side side[2] = { { dims, nr, rows->cells }, { dims + nr, nc, cols->cells } };
	int rc = bl_loss_region(l->dialect, z[0], z[1], &side[0], &side[1], mean, extreme);
	bl_block_give(dims);
	return rc == 0 ? nr * nc : -1;
}

/* --- Means ---------------------------------------------------------------------------- */

/* out (N,cells): of each row of z, the means of its cells. */
static int cell_means(const bl_look *l, const bl_tensor *z, const struct span *s, float *out)
{
	int32_t *dims = bl_block_take((size_t)s->n * sizeof *dims);
	if (!dims)
		return -1;
	for (int64_t i = 0; i < s->n; i++)
		dims[i] = dim_at(s, i);
	int rc = bl_standard_cells(l->dialect, z, dims, s->n, s->cells, out);
	bl_block_give(dims);
	return rc;
}

static void multiply_means(const float *u, int64_t rows, const float *v, int64_t cols, int64_t n, float *mean)
{
	bl_gemm(true, false, rows, cols, n, (float)(1 / (double)n), u, rows, v, cols, 0, mean, cols);
}

static int all_means(const bl_look *l, bl_tensor *const z[2], const struct span *rows, const struct span *cols,
                     float *mean)
{
	int64_t n = bl_tensor_size(z[0], 0);
	float *u = bl_block_take((size_t)(n * (rows->cells + cols->cells)) * sizeof *u), *v = u ? u + n * rows->cells : NULL;
	int rc = u && cell_means(l, z[0], rows, u) == 0 && cell_means(l, z[1], cols, v) == 0 ? 0 : -1;
	if (rc == 0)
		multiply_means(u, rows->cells, v, cols->cells, n, mean);
	bl_block_give(u);
	return rc;
}

/* --- All of C ----------------------------------------------------------------------- */

static void pool_diagonal(const double *all, int64_t n, bl_snapshot *s)
{
	int64_t from, to;
	for (int i = 0; i < s->diag; i++) {
		double total = 0;
		bl_chunk_range(n, s->diag, i, &from, &to);
		for (int64_t k = from; k < to; k++)
			total += all[k];
		s->diagonal[i] = (float)(total / (double)(to - from));
	}
}

/* The diagonal, and, where the cells are of a sample, means that are of all elements. */
static int fill_grid(const bl_look *l, bool sample, bl_snapshot *s)
{
	int64_t means = 2 * (int64_t)s->n * s->grid;
	double *diag = bl_block_take((size_t)s->d * sizeof *diag + (size_t)means * sizeof(float));
	float *u = (float *)(void *)(diag + s->d), *v = u + means / 2;
	if (!diag)
		return -1;
	int rc = bl_standard_grid(l->dialect, l->z[0], l->z[1], s->grid, u, v, diag);
	if (rc == 0)
		pool_diagonal(diag, s->d, s);
	if (rc == 0 && sample)
		multiply_means(u, s->grid, v, s->grid, s->n, s->mean);
	bl_block_give(diag);
	return rc;
}

int bl_heat_grid(const bl_look *l, int64_t most, bl_snapshot *s)
{
	s->grid = s->d < BL_GRID_MAX ? s->d : BL_GRID_MAX;
	s->diag = s->d < BL_DIAG_MAX ? s->d : BL_DIAG_MAX;
	struct span all = { NULL, 0, s->d, s->grid };
	s->grid_elements = pool(l, l->z, &all, &all, most, s->mean, s->extreme);
	return s->grid_elements < 0 ? -1 : fill_grid(l, !is_whole(&all, most), s);
}

/* --- The histogram ---------------------------------------------------------------------- */

/* x[i][j] is C's element of the i-th and the j-th of the dims in `s`, one a cell. */
static float *elements(const bl_look *l, const struct span *s)
{
	int64_t n = bl_tensor_size(l->z[0], 0), k = s->cells;
	int32_t *dims = bl_block_take((size_t)k * sizeof *dims);
	float *x = dims ? bl_block_take((size_t)(k * k + 2 * n * k) * sizeof *x) : NULL;
	float *u = x ? x + k * k : NULL, *v = x ? u + n * k : NULL;
	if (x) {
		choose(s, 1, dims);
		if (bl_standard_pick(l->dialect, l->z[0], dims, k, u) == 0 &&
		    bl_standard_pick(l->dialect, l->z[1], dims, k, v) == 0) {
			bl_gemm(true, false, k, k, n, (float)(1 / (double)n), u, k, v, k, 0, x, k);
		} else {
			bl_block_give(x);
			x = NULL;
		}
	}
	bl_block_give(dims);
	return x;
}

static void count_bins(const float *c, int side, bl_snapshot *s)
{
	memset(s->histogram, 0, sizeof s->histogram);
	for (int i = 0; i < side; i++)
		for (int j = 0; j < side; j++) {
			int bin = (int)((c[i * side + j] + 1) * (BL_HIST_BINS / 2));
			bin = bin < 0 ? 0 : bin < BL_HIST_BINS ? bin : BL_HIST_BINS - 1;
			s->histogram[bin] += i != j;
		}
	s->sampled = side * (side - 1);
}

int bl_heat_histogram(const bl_look *l, bl_snapshot *s)
{
	struct span sample = { NULL, 0, s->d, s->d < SAMPLE ? s->d : SAMPLE };
	float *c = elements(l, &sample);
	if (!c)
		return -1;
	count_bins(c, sample.cells, s);
	bl_block_give(c);
	return 0;
}

/* --- The region ------------------------------------------------------------------------ */

static int32_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return (int32_t)(v < lo ? lo : v > hi ? hi : v);
}

/* No rows, or no columns, means all of them. */
static void clamp_span(int32_t *from, int32_t *n, int32_t d)
{
	*n = *n <= 0 ? d : clamp(*n, 1, d);
	*from = clamp(*from, 0, d - *n);
}

bl_region bl_heat_clamp(const bl_region *asked, int32_t d)
{
	bl_region r = *asked;
	clamp_span(&r.row, &r.rows, d);
	clamp_span(&r.col, &r.cols, d);
	r.matrix = clamp(r.matrix, BL_MATRIX_C, BL_MATRIX_BB);
	if (r.order < BL_ORDER_PLAIN || r.order > BL_ORDER_CLUSTER || !bl_arrange_can((bl_order)r.order, d))
		r.order = BL_ORDER_PLAIN;
	return r;
}

static void name_dims(const struct span *s, int32_t *dims)
{
	int64_t from, to;
	for (int cell = 0; cell < s->cells; cell++) {
		bl_chunk_range(s->n, s->cells, cell, &from, &to);
		dims[cell] = dim_at(s, from);
	}
}

/* What viewers look at most is there already. */
static bool is_grid(const bl_snapshot *s)
{
	const bl_region *r = &s->region;
	return r->matrix == BL_MATRIX_C && r->order == BL_ORDER_PLAIN && r->rows == s->d && r->cols == s->d;
}

static int64_t copy_grid(bl_snapshot *s)
{
	memcpy(s->region_mean, s->mean, (size_t)s->grid * (size_t)s->grid * sizeof *s->mean);
	memcpy(s->region_extreme, s->extreme, (size_t)s->grid * (size_t)s->grid * sizeof *s->extreme);
	return s->grid_elements;
}

int bl_heat_region(const bl_look *l, const int32_t *order, int64_t most, bl_snapshot *s)
{
	const bl_region *r = &s->region;
	bl_tensor *z[2] = { l->z[r->matrix == BL_MATRIX_BB], l->z[r->matrix != BL_MATRIX_AA] };
	struct span rows = { order, r->row, r->rows, clamp(r->rows, 1, BL_GRID_MAX) };
	struct span cols = { order, r->col, r->cols, clamp(r->cols, 1, BL_GRID_MAX) };
	name_dims(&rows, s->dims);
	name_dims(&cols, s->dims + rows.cells);
	s->region_rows = rows.cells;
	s->region_cols = cols.cells;
	s->region_elements = is_grid(s) ? copy_grid(s) : pool(l, z, &rows, &cols, most, s->region_mean, s->region_extreme);
	bool complete = is_grid(s) || s->region_elements == (int64_t)r->rows * r->cols;
	if (s->region_elements >= 0 && (complete || all_means(l, z, &rows, &cols, s->region_mean) == 0))
		return 0;
	s->region_elements = s->region_rows = s->region_cols = 0;
	return -1;
}
