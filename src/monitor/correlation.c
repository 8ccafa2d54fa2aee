/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * correlation.c: computes pictures of C: the pooled matrix, the region that a viewer requests, the diagonal, and the
 * histogram.
 */
#include "base/bounded.h"
#include "monitor/snapshot.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <math.h>
#include <string.h>

#include "loss/standard.h"
#include "tensor/matrix/blas.h"

enum { SAMPLE = 192 }; /* the histogram counts the elements of C between at most this many dims */

/* --- Which dims ------------------------------------------------------------------- */

/* The dims from..from+n-1 of an order (NULL: unchanged), divided into cells. */
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

/*
 * Chooses the dims that represent the span: all dims if there are at most `most` per cell, else `most` of each cell.
 * The chosen dims, divided into as many cells, give the cells of the span.  Returns the number of dims.
 */
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

/* --- Effort --------------------------------------------------------------------------- */

static int64_t cells_of(int64_t d)
{
	return d < BL_GRID_MAX ? d : BL_GRID_MAX;
}

bl_heat_effort bl_heat_all(int64_t n, int64_t d)
{
	return (bl_heat_effort){ (d + cells_of(d) - 1) / cells_of(d), n };
}

/*
 * Returns the number of multiplications: for all of C, or else for C of the chosen dims, for the Gram matrices, and for
 * half of their inner products (half suffices because of symmetry).
 */
static double cost_of(bl_heat_effort e, int64_t n, int64_t rows, int64_t cols)
{
	double gr = (double)cells_of(rows), gc = (double)cells_of(cols), pairs = (double)e.samples * (double)e.samples / 2;
	double all = (double)n * (double)rows * (double)cols, some = (double)n * gr * (double)e.most * gc * (double)e.most;
	double gram = pairs * ((double)rows + (double)cols + gr * gc);
	return e.most * cells_of(rows) >= rows && e.most * cells_of(cols) >= cols ? all : some + gram;
}

double bl_heat_cost(bl_heat_effort e, int64_t n, int64_t d)
{
	return cost_of(e, n, d, d);
}

/* Computing a small region as a whole costs less than a sample of it. */
static bl_heat_effort effort_for(bl_heat_effort e, int64_t n, int64_t rows, int64_t cols)
{
	bl_heat_effort all = bl_heat_all(n, rows > cols ? rows : cols);
	return cost_of(all, n, rows, cols) <= cost_of(e, n, rows, cols) ? all : e;
}

/* --- Cells ------------------------------------------------------------------------------ */

/* Results for the cells, (rows->cells, cols->cells) each, and how much of the matrix they are computed from. */
struct cells {
	float *mean, *extreme, *rms, *diagonal;
	float *share, *error;
	bl_snapshot *pairs; /* receives the pairs of dims with the largest elements; NULL: they are not wanted */
};

static int fill_rms(const bl_monitor_input *l, bl_tensor *const z[2], const bl_loss_side side[2], int64_t samples,
                    const struct cells *out)
{
	bl_loss_rms r = { .rms = out->rms, .diagonal = out->diagonal, .samples = samples, .key = (uint64_t)l->step };
	double n = (double)bl_tensor_size(z[0], 0);
	if (bl_loss_rms_of(l->dialect, z[0], z[1], &side[0], &side[1], &r) != 0)
		return -1;
	*out->share = (float)((double)r.samples * (double)r.samples / (n * n));
	*out->error = (float)r.error;
	return 0;
}

/* Means and extremes of these dims; if they are all dims of both sides, also the rms and the diagonal. */
static int fill_direct(const bl_monitor_input *l, bl_tensor *const z[2], const bl_loss_side side[2], bool all,
                       const struct cells *out)
{
	float *scratch = NULL;
	bl_loss_pair pair[BL_PAIRS_MAX];
	bl_loss_cells c = { .mean = out->mean,
		            .extreme = out->extreme,
		            .rms = out->rms,
		            .diagonal = out->diagonal,
		            .pair = pair,
		            .pairs = out->pairs ? BL_PAIRS_MAX : 0 };
	size_t cells = (size_t)side[0].cells * (size_t)side[1].cells;
	if (!all && !(scratch = bl_block_take(2 * cells * sizeof *scratch)))
		return -1;
	if (!all) {
		c.rms = scratch;
		c.diagonal = scratch + cells;
	}
	int rc = bl_loss_region(l->dialect, z[0], z[1], &side[0], &side[1], &c);
	bl_block_give(scratch);
	if (rc != 0 || !out->pairs)
		return rc;
	out->pairs->pairs = c.pairs;
	for (int k = 0; k < c.pairs; k++)
		out->pairs->pair[k] = (bl_pair){ pair[k].i, pair[k].j, pair[k].value };
	return 0;
}

static void all_dims(const struct span *s, int32_t *dims)
{
	for (int64_t i = 0; i < s->n; i++)
		dims[i] = dim_at(s, i);
}

/* Returns the number of elements that the extremes are computed from, or -1. */
static int64_t pool(const bl_monitor_input *l, bl_tensor *const z[2], const struct span *rows, const struct span *cols,
                    bl_heat_effort e, const struct cells *out)
{
	int32_t *dims = bl_block_take((size_t)(rows->n + cols->n) * sizeof *dims);
	bool all = is_whole(rows, e.most) && is_whole(cols, e.most);
	if (!dims)
		return -1;
	int64_t nr = choose(rows, e.most, dims), nc = choose(cols, e.most, dims + nr);
	bl_loss_side side[2] = { { dims, nr, rows->cells }, { dims + nr, nc, cols->cells } };
	int rc = fill_direct(l, z, side, all, out);
	*out->share = 1;
	*out->error = 0;
	if (rc == 0 && !all) {
		all_dims(rows, dims);
		all_dims(cols, dims + rows->n);
		side[0].n = rows->n;
		side[1] = (bl_loss_side){ dims + rows->n, cols->n, cols->cells };
		rc = fill_rms(l, z, side, e.samples, out);
	}
	bl_block_give(dims);
	return rc == 0 ? nr * nc : -1;
}

/* --- Means ---------------------------------------------------------------------------- */

/* Writes the means of each row of z over the cells of the span to out, (N,cells). */
static int cell_means(const bl_monitor_input *l, const bl_tensor *z, const struct span *s, float *out)
{
	int32_t *dims = bl_block_take((size_t)s->n * sizeof *dims);
	if (!dims)
		return -1;
	all_dims(s, dims);
	int rc = bl_standard_cells(l->dialect, z, dims, s->n, s->cells, out);
	bl_block_give(dims);
	return rc;
}

static void multiply_means(const float *u, int64_t rows, const float *v, int64_t cols, int64_t n, float *mean)
{
	bl_gemm(true, false, rows, cols, n, (float)(1 / (double)n), u, rows, v, cols, 0, mean, cols);
}

static int all_means(const bl_monitor_input *l, bl_tensor *const z[2], const struct span *rows, const struct span *cols,
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

static void pool_diagonal(const double *all, int64_t n, int parts, float *out)
{
	int64_t from, to;
	for (int i = 0; i < parts; i++) {
		double total = 0;
		bl_chunk_range(n, parts, i, &from, &to);
		for (int64_t k = from; k < to; k++)
			total += all[k];
		out[i] = (float)(total / (double)(to - from));
	}
}

/* Shell sort.  The library's function may allocate memory, which a step must not do. */
static void sort(double *v, int64_t n)
{
	for (int64_t gap = n / 2; gap > 0; gap = gap == 2 ? 1 : (int64_t)((double)gap / 2.2))
		for (int64_t i = gap; i < n; i++) {
			double x = v[i];
			int64_t at = i;
			for (; at >= gap && v[at - gap] > x; at -= gap)
				v[at] = v[at - gap];
			v[at] = x;
		}
}

/* Computes quantiles of n numbers, which are sorted in place. */
static void take_quantiles(double *all, int64_t n, float quantile[BL_QUANTILES])
{
	sort(all, n);
	for (int k = 0; k < BL_QUANTILES; k++) {
		double at = (double)k / (BL_QUANTILES - 1) * (double)(n - 1), low = floor(at);
		int64_t i = (int64_t)low, next = i + 1 < n ? i + 1 : i;
		quantile[k] = (float)(all[i] + (at - low) * (all[next] - all[i]));
	}
}

/* Computes the diagonal and, if the cells are from a sample, the means over all elements. */
static int fill_grid(const bl_monitor_input *l, bool sample, bl_snapshot *s)
{
	int64_t means = 2 * (int64_t)s->n * s->grid;
	double *diag = bl_block_take((size_t)s->d * sizeof *diag + (size_t)means * sizeof(float));
	float *u = (float *)(void *)(diag + s->d), *v = u + means / 2;
	if (!diag)
		return -1;
	int rc = bl_standard_grid(l->dialect, l->z[0], l->z[1], s->grid, u, v, diag);
	if (rc == 0) {
		pool_diagonal(diag, s->d, s->diag, s->diagonal);
		pool_diagonal(diag, s->d, s->grid, s->cell_diagonal);
		take_quantiles(diag, s->d, s->quantile);
	}
	if (rc == 0 && sample)
		multiply_means(u, s->grid, v, s->grid, s->n, s->mean);
	bl_block_give(diag);
	return rc;
}

int bl_heat_grid(const bl_monitor_input *l, bl_heat_effort e, bl_snapshot *s)
{
	s->grid = s->d < BL_GRID_MAX ? s->d : BL_GRID_MAX;
	s->diag = s->d < BL_DIAG_MAX ? s->d : BL_DIAG_MAX;
	struct span all = { NULL, 0, s->d, s->grid };
	float *diagonal = bl_block_take((size_t)s->grid * (size_t)s->grid * sizeof *diagonal);
	struct cells out = { s->mean, s->extreme, s->rms, diagonal, &s->rms_share, &s->rms_error, s };
	s->grid_elements = diagonal ? pool(l, l->z, &all, &all, e, &out) : -1;
	bl_block_give(diagonal);
	return s->grid_elements < 0 ? -1 : fill_grid(l, !is_whole(&all, e.most), s);
}

/* --- The histogram ---------------------------------------------------------------------- */

/*
 * Returns the elements of C for one dim of each cell of s, (cells,cells), which the caller releases with bl_block_give.
 * NULL with bl_error.
 */
static float *elements(const bl_monitor_input *l, const struct span *s)
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

int bl_heat_histogram(const bl_monitor_input *l, bl_snapshot *s)
{
	struct span sample = { NULL, 0, s->d, s->d < SAMPLE ? s->d : SAMPLE };
	float *c = elements(l, &sample);
	if (!c)
		return -1;
	int side = sample.cells;
	memset(s->histogram, 0, sizeof s->histogram);
	for (int i = 0; i < side; i++)
		for (int j = 0; j < side; j++) {
			int bin = (int)((c[i * side + j] + 1) * (BL_HIST_BINS / 2));
			s->histogram[bl_bounded(bin, 0, BL_HIST_BINS - 1)] += i != j;
		}
	s->sampled = side * (side - 1);
	bl_block_give(c);
	return 0;
}

/* --- The region ------------------------------------------------------------------------ */

/* n <= 0 means all of the rows or columns. */
static void clamp_span(int32_t *from, int32_t *n, int32_t d)
{
	*n = *n <= 0 ? d : bl_bounded(*n, 1, d);
	*from = bl_bounded(*from, 0, d - *n);
}

bl_region bl_heat_clamp(const bl_region *asked, int32_t d)
{
	bl_region r = *asked;
	clamp_span(&r.row, &r.rows, d);
	clamp_span(&r.col, &r.cols, d);
	r.matrix = bl_bounded(r.matrix, BL_MATRIX_C, BL_MATRIX_BB);
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

/* Is the region all of C in plain order?  Then the grid has it already. */
static bool is_grid(const bl_snapshot *s)
{
	const bl_region *r = &s->region;
	return r->matrix == BL_MATRIX_C && r->order == BL_ORDER_PLAIN && r->rows == s->d && r->cols == s->d;
}

static int64_t copy_grid(bl_snapshot *s)
{
	size_t bytes = (size_t)s->grid * (size_t)s->grid * sizeof *s->mean;
	memcpy(s->region_mean, s->mean, bytes);
	memcpy(s->region_extreme, s->extreme, bytes);
	memcpy(s->region_rms, s->rms, bytes);
	memcpy(s->region_diagonal, s->cell_diagonal, (size_t)s->grid * sizeof *s->cell_diagonal);
	s->region_share = s->rms_share;
	s->region_error = s->rms_error;
	return s->grid_elements;
}

static int64_t pool_region(const bl_monitor_input *l, bl_tensor *const z[2], const struct span *rows, const struct span *cols,
                           bl_heat_effort e, bl_snapshot *s)
{
	int64_t cells = (int64_t)rows->cells * cols->cells;
	float *diagonal = bl_block_take((size_t)cells * sizeof *diagonal);
	struct cells out = { s->region_mean, s->region_extreme, s->region_rms, diagonal, &s->region_share, &s->region_error, NULL };
	int64_t elements = diagonal ? pool(l, z, rows, cols, effort_for(e, s->n, rows->n, cols->n), &out) : -1;
	/* At most rows->cells + cols->cells cells contain elements of the diagonal; in all others the value is NaN. */
	int n = 0;
	for (int64_t k = 0; elements >= 0 && k < cells && n < 2 * BL_GRID_MAX; k++)
		if (!isnan(diagonal[k]))
			s->region_diagonal[n++] = diagonal[k];
	bl_block_give(diagonal);
	return elements;
}

int bl_heat_region(const bl_monitor_input *l, const int32_t *order, bl_heat_effort e, bl_snapshot *s)
{
	const bl_region *r = &s->region;
	bl_tensor *z[2] = { l->z[r->matrix == BL_MATRIX_BB], l->z[r->matrix != BL_MATRIX_AA] };
	struct span rows = { order, r->row, r->rows, bl_bounded(r->rows, 1, BL_GRID_MAX) };
	struct span cols = { order, r->col, r->cols, bl_bounded(r->cols, 1, BL_GRID_MAX) };
	name_dims(&rows, s->dims);
	name_dims(&cols, s->dims + rows.cells);
	s->region_rows = rows.cells;
	s->region_cols = cols.cells;
	s->region_elements = is_grid(s) ? copy_grid(s) : pool_region(l, z, &rows, &cols, e, s);
	bool complete = is_grid(s) || s->region_elements == (int64_t)r->rows * r->cols;
	if (s->region_elements >= 0 && (complete || all_means(l, z, &rows, &cols, s->region_mean) == 0))
		return 0;
	s->region_elements = s->region_rows = s->region_cols = 0;
	return -1;
}
