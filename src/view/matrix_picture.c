/* SPDX-License-Identifier: GPL-3.0-or-later */
/* matrix_picture.c: a square part of a matrix of the run, as cells, with its own coordinates. */
#include "view/matrix_picture.h"
#include "base/bounded.h"

#include <barlow/parallel.h>

#include <math.h>
#include <string.h>

bl_region bl_picture_clamp(const bl_region *want, int d)
{
	bl_region r = *want;
	r.rows = r.cols = r.rows <= 0 || r.rows > d ? d : r.rows;
	r.row = bl_bounded(r.row, 0, d - r.rows);
	r.col = bl_bounded(r.col, 0, d - r.cols);
	return r;
}

static bool same_matrix(const bl_region *a, const bl_region *b)
{
	return a->matrix == b->matrix && a->order == b->order;
}

static bool same_part(const bl_region *a, const bl_region *b)
{
	return same_matrix(a, b) && a->row == b->row && a->rows == b->rows && a->col == b->col && a->cols == b->cols;
}

bool bl_picture_is(const bl_picture *p, const bl_region *want)
{
	return p->step >= 0 && same_part(&p->part, want);
}

/* The number of elements of a cell that are on the matrix's diagonal. */
static int on_diagonal(const bl_picture *p, int i, int j)
{
	int from = p->part.row + p->edge[0][i], to = p->part.row + p->edge[0][i + 1];
	int left = p->part.col + p->edge[1][j], right = p->part.col + p->edge[1][j + 1];
	int n = (to < right ? to : right) - (from > left ? from : left);
	return n > 0 ? n : 0;
}

/* --- From the requested region ----------------------------------------------------- */

/* Is the snapshot's region usable?  Other viewers make requests, too, possibly for a part that is not a square. */
static bool has_region(const bl_snapshot *s)
{
	return s->region_rows > 0 && s->region_rows == s->region_cols && s->region.rows == s->region.cols &&
	       s->region_rows <= s->region.rows;
}

/* Copies the snapshot's region, which is a square. */
static void take_region(bl_picture *p, const bl_snapshot *s)
{
	size_t n = (size_t)s->region_rows;
	int next = 0; /* the next cell of region_diagonal, which has the cells on the diagonal only, row after row */
	p->part = s->region;
	p->cells = s->region_rows;
	p->sample.largest = (double)s->region_elements / ((double)s->region.rows * s->region.cols);
	p->sample.rms = s->region_share;
	p->sample.error = s->region_error;
	p->has_rms = s->region_share > 0;
	for (int k = 0; k < p->cells; k++) {
		int64_t from, to;
		bl_chunk_range(p->part.rows, p->cells, k, &from, &to);
		p->edge[0][k] = p->edge[1][k] = (int32_t)from;
		p->edge[0][k + 1] = p->edge[1][k + 1] = (int32_t)to;
	}
	memcpy(p->dim[0], s->dims, n * sizeof s->dims[0]);
	memcpy(p->dim[1], s->dims + n, n * sizeof s->dims[0]);
	memcpy(p->mean, s->region_mean, n * n * sizeof(float));
	memcpy(p->extreme, s->region_extreme, n * n * sizeof(float));
	memcpy(p->rms, s->region_rms, n * n * sizeof(float));
	for (int i = 0; i < p->cells; i++)
		for (int j = 0; j < p->cells; j++) {
			bool on = on_diagonal(p, i, j) > 0 && next < 2 * BL_GRID_MAX;
			p->diagonal[i * p->cells + j] = on ? s->region_diagonal[next++] : NAN;
		}
}

/* --- From the cells of all of C ---------------------------------------------------- */

/* The cell that contains a dimension. */
static int cell_of(const bl_snapshot *s, int dim)
{
	int cell = 0;
	int64_t from, to;
	for (bl_chunk_range(s->d, s->grid, cell, &from, &to); to <= dim; cell++)
		bl_chunk_range(s->d, s->grid, cell + 1, &from, &to);
	return cell;
}

/* The number of cells on a side of the smallest square of cells that covers the requested part. */
static int cells_for(const bl_snapshot *s, const bl_region *want)
{
	int down = cell_of(s, want->row + want->rows - 1) - cell_of(s, want->row);
	int across = cell_of(s, want->col + want->cols - 1) - cell_of(s, want->col);
	return (down > across ? down : across) + 1;
}

/*
 * Returns the first of `cells` cells that cover a part which begins at dimension `dim`.  Near the end of the matrix, where
 * fewer than `cells` cells follow, these are the last `cells` cells.
 */
static int start_cell(const bl_snapshot *s, int dim, int cells)
{
	int cell = cell_of(s, dim);
	return cell + cells <= s->grid ? cell : s->grid - cells;
}

/* Sets the dimensions and edges of an axis from cell `first` on; returns the first dimension. */
static int set_edges(bl_picture *p, const bl_snapshot *s, int axis, int first)
{
	int64_t start, from, to;
	bl_chunk_range(s->d, s->grid, first, &start, &to);
	for (int k = 0; k < p->cells; k++) {
		bl_chunk_range(s->d, s->grid, first + k, &from, &to);
		p->dim[axis][k] = (int32_t)from;
		p->edge[axis][k] = (int32_t)(from - start);
		p->edge[axis][k + 1] = (int32_t)(to - start);
	}
	return (int)start;
}

void bl_picture_crop(bl_picture *p, const bl_snapshot *s, const bl_region *want)
{
	p->step = s->step;
	p->d = s->d;
	p->cells = cells_for(s, want);
	int row = start_cell(s, want->row, p->cells), col = start_cell(s, want->col, p->cells);
	p->part = (bl_region){ .matrix = BL_MATRIX_C, .order = BL_ORDER_PLAIN };
	p->part.row = set_edges(p, s, 0, row);
	p->part.col = set_edges(p, s, 1, col);
	p->part.rows = p->edge[0][p->cells];
	p->part.cols = p->edge[1][p->cells];
	p->n = s->n;
	p->of_embeddings = s->of_embeddings;
	p->change = false;
	p->sample.largest = (double)s->grid_elements / ((double)s->d * s->d);
	p->sample.rms = s->rms_share;
	p->sample.error = s->rms_error;
	p->has_rms = s->rms_share > 0;
	for (int i = 0; i < p->cells; i++) {
		size_t from = (size_t)(row + i) * (size_t)s->grid + (size_t)col, n = (size_t)p->cells;
		memcpy(p->mean + (size_t)i * n, s->mean + from, n * sizeof(float));
		memcpy(p->extreme + (size_t)i * n, s->extreme + from, n * sizeof(float));
		memcpy(p->rms + (size_t)i * n, s->rms + from, n * sizeof(float));
		for (int j = 0; j < p->cells; j++)
			p->diagonal[i * p->cells + j] = row + i == col + j ? s->cell_diagonal[row + i] : NAN;
	}
}

bool bl_picture_take(bl_picture *p, const bl_snapshot *s, const bl_region *want)
{
	bl_region plain = { .matrix = BL_MATRIX_C, .order = BL_ORDER_PLAIN };
	p->step = s->step;
	p->d = s->d;
	p->n = s->n;
	p->of_embeddings = s->of_embeddings;
	p->change = false;
	if (s->step < 0)
		return false;
	bool exact = has_region(s) && same_part(&s->region, want);
	if (exact || (has_region(s) && !same_matrix(want, &plain) && same_matrix(want, &s->region)))
		take_region(p, s);
	else
		bl_picture_crop(p, s, want);
	return true;
}

/* --- Transformations ------------------------------------------------------------------ */

/*
 * Returns the C_ii - 1 of largest magnitude among the known dimensions of a cell on the diagonal.  If the order is not the
 * plain one, only the cell's first dimension is known.
 */
static float diagonal_extreme(const bl_picture *p, const bl_snapshot *s, int cell)
{
	int known = p->part.order == BL_ORDER_PLAIN ? p->edge[0][cell + 1] - p->edge[0][cell] : 1;
	float most = 0;
	for (int i = 0; i < known; i++) {
		int64_t dim = p->dim[0][cell] + i;
		float v = s->diagonal[dim * s->diag / s->d] - 1;
		if (fabsf(v) > fabsf(most))
			most = v;
	}
	return most;
}

static double elements_of(const bl_picture *p, int i, int j)
{
	return (double)(p->edge[0][i + 1] - p->edge[0][i]) * (p->edge[1][j + 1] - p->edge[1][j]);
}

static void minus_identity(bl_picture *p, const bl_snapshot *s)
{
	for (int i = 0; i < p->cells; i++)
		for (int j = 0; j < p->cells; j++) {
			int at = i * p->cells + j, n = on_diagonal(p, i, j);
			if (n == 0)
				continue;
			p->mean[at] -= (float)(n / elements_of(p, i, j));
			p->diagonal[at] -= 1;
			p->extreme[at] = elements_of(p, i, j) > 1 ? diagonal_extreme(p, s, i) : p->extreme[at] - 1;
		}
}

void bl_picture_shape(bl_picture *p, const bl_snapshot *s, bl_shape shape)
{
	if (shape == BL_SHAPE_MINUS_I)
		minus_identity(p, s);
	for (int k = 0; shape == BL_SHAPE_MAGNITUDE && k < p->cells * p->cells; k++) {
		p->mean[k] = fabsf(p->mean[k]);
		p->extreme[k] = fabsf(p->extreme[k]);
		p->diagonal[k] = fabsf(p->diagonal[k]);
	}
}

bool bl_picture_same(const bl_picture *p, const bl_picture *q)
{
	size_t n = (size_t)p->cells * sizeof p->dim[0][0];
	return p->step >= 0 && q->step >= 0 && p->cells == q->cells && same_part(&p->part, &q->part) &&
	       memcmp(p->dim[0], q->dim[0], n) == 0 && memcmp(p->dim[1], q->dim[1], n) == 0;
}

bool bl_picture_subtract(bl_picture *p, const bl_picture *q)
{
	size_t n = (size_t)p->cells;
	if (!bl_picture_same(p, q))
		return false;
	for (size_t k = 0; k < n * n; k++) {
		p->mean[k] -= q->mean[k];
		p->extreme[k] -= q->extreme[k];
		p->rms[k] -= q->rms[k];
		p->diagonal[k] -= q->diagonal[k];
	}
	p->has_rms = p->has_rms && q->has_rms;
	p->change = true;
	return true;
}

bl_heat_source bl_picture_source(const bl_picture *p)
{
	bl_heat_source m = { .mean = p->mean,
		             .extreme = p->extreme,
		             .cells = p->cells,
		             .d = p->part.rows,
		             .row_edge = p->edge[0],
		             .col_edge = p->edge[1],
		             .shift = p->part.row - p->part.col,
		             .n = p->n,
		             .change = p->change };
	if (p->has_rms) {
		m.rms = p->rms;
		m.diagonal = p->diagonal;
	}
	return m;
}
