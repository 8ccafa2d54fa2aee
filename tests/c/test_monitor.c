/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_monitor.c: the content of snapshots (C, embeddings, views), and when snapshots are made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/parallel.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss/standard.h"
#include "live/livefile.h"
#include "monitor/snapshot.h"

static bl_snapshot shot;

static bl_tensor *random_tensor(int64_t n, int64_t d, uint32_t stream)
{
	bl_tensor *t = bl_tensor_new(2, (int64_t[]){ n, d });
	assert_non_null(t);
	bl_tensor_normal(t, 3, stream, .5f, 2);
	return t;
}

static bl_monitor_input look_of(bl_tensor *za, bl_tensor *zb)
{
	return (bl_monitor_input){ .step = 1, .dialect = BL_DIALECT_PAPER, .z = { za, zb } };
}

/* --- Compared with the whole C ---------------------------------------------------------- */

static void check_cell(const float *c, int64_t d, int row, int col)
{
	int64_t r0, r1, c0, c1;
	double sum = 0;
	float extreme = 0;
	bl_chunk_range(d, shot.grid, row, &r0, &r1);
	bl_chunk_range(d, shot.grid, col, &c0, &c1);
	for (int64_t i = r0; i < r1; i++)
		for (int64_t j = c0; j < c1; j++) {
			sum += c[i * d + j];
			extreme = fabsf(c[i * d + j]) > fabsf(extreme) ? c[i * d + j] : extreme;
		}
	assert_true(fabs(shot.mean[row * shot.grid + col] - sum / (double)((r1 - r0) * (c1 - c0))) < 1e-5);
	assert_true(fabsf(shot.extreme[row * shot.grid + col] - extreme) < 1e-5f);
}

/* Compares the root mean square off the diagonal, and the mean on the diagonal. */
static void check_rms(const float *c, int64_t d, int row, int col)
{
	int64_t r0, r1, c0, c1, on = 0;
	double square = 0, diagonal = 0;
	bl_chunk_range(d, shot.grid, row, &r0, &r1);
	bl_chunk_range(d, shot.grid, col, &c0, &c1);
	for (int64_t i = r0; i < r1; i++)
		for (int64_t j = c0; j < c1; j++) {
			double v = c[i * d + j];
			on += i == j;
			diagonal += i == j ? v : 0;
			square += i == j ? 0 : v * v;
		}
	int64_t off = (r1 - r0) * (c1 - c0) - on;
	assert_true(fabs(shot.rms[row * shot.grid + col] - (off ? sqrt(square / (double)off) : 0)) < 1e-5);
	assert_true(on == 0 || fabs(shot.cell_diagonal[row] - diagonal / (double)on) < 1e-5);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Compares the sorted C_ii, and the largest elements off the diagonal. */
static void check_order_of(const float *c, int64_t d)
{
	double all[1000];
	assert_true(d <= 1000);
	for (int64_t i = 0; i < d; i++)
		all[i] = c[i * d + i];
	qsort(all, (size_t)d, sizeof *all, ascending);
	for (int k = 0; k < BL_QUANTILES; k++) {
		double at = (double)(k * (d - 1)) / (BL_QUANTILES - 1);
		int64_t low = (int64_t)at, high = low + 1 < d ? low + 1 : low;
		assert_true(shot.quantile[k] >= all[low] - 1e-5 && shot.quantile[k] <= all[high] + 1e-5);
	}
	assert_int_equal(shot.pairs, d * (d - 1) < BL_PAIRS_MAX ? d * (d - 1) : BL_PAIRS_MAX);
	for (int k = 0; k < shot.pairs; k++) {
		assert_true(shot.pair[k].i != shot.pair[k].j);
		assert_true(fabsf(shot.pair[k].value - c[shot.pair[k].i * d + shot.pair[k].j]) < 1e-5f);
		assert_true(k == 0 || fabsf(shot.pair[k].value) <= fabsf(shot.pair[k - 1].value));
	}
}

static void check_diagonal(const float *c, int64_t d)
{
	for (int k = 0; k < shot.diag; k++) {
		int64_t from, to;
		double sum = 0;
		bl_chunk_range(d, shot.diag, k, &from, &to);
		for (int64_t i = from; i < to; i++)
			sum += c[i * d + i];
		assert_true(fabs(shot.diagonal[k] - sum / (double)(to - from)) < 1e-5);
	}
}

static void check_size(int64_t n, int64_t d)
{
	bl_tensor *za = random_tensor(n, d, 1), *zb = random_tensor(n, d, 2);
	bl_monitor *m = bl_monitor_new(0, n, d, NULL);
	bl_monitor_input l = look_of(za, zb);
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_true(shot.step == 1 && shot.n == n && shot.d == d);
	assert_int_equal(shot.grid, d < BL_GRID_MAX ? d : BL_GRID_MAX);
	assert_int_equal(shot.diag, d < BL_DIAG_MAX ? d : BL_DIAG_MAX);
	assert_true(shot.spectrum == 0 && isnan(shot.rankme) && shot.view_side == 0);
	bl_tensor *c = bl_loss_correlation(l.dialect, za, zb);
	for (int i = 0; i < shot.grid; i++)
		for (int j = 0; j < shot.grid; j++)
			check_cell(bl_tensor_data(c), d, i, j), check_rms(bl_tensor_data(c), d, i, j);
	check_order_of(bl_tensor_data(c), d);
	assert_true(shot.rms_share == 1 && shot.rms_error == 0);
	check_diagonal(bl_tensor_data(c), d);
	bl_tensor_unref(c);
	bl_tensor_unref(za);
	bl_tensor_unref(zb);
	bl_monitor_free(m);
}

static void test_picture(void **state)
{
	(void)state;
	check_size(16, 8);
	check_size(24, 128);
	check_size(24, 200);
	check_size(8, 700);
}

/* --- Histogram ----------------------------------------------------------------------- */

/* Values lie away from the edges of bins, since two methods of computing C may differ in the last digit. */
static void test_histogram_all(void **state)
{
	(void)state;
	enum { D = 20 };
	bl_tensor *za = random_tensor(32, D, 1), *zb = random_tensor(32, D, 2);
	bl_monitor *m = bl_monitor_new(0, 32, D, NULL);
	bl_monitor_input l = look_of(za, zb);
	uint32_t want[BL_HIST_BINS] = { 0 };
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	bl_tensor *c = bl_loss_correlation(l.dialect, za, zb);
	for (int i = 0; i < D; i++)
		for (int j = 0; j < D; j++)
			want[(int)((bl_tensor_data(c)[i * D + j] + 1) / 2 * BL_HIST_BINS)] += i != j;
	for (int snapshot = 0; snapshot < 2; snapshot++) {
		assert_memory_equal(want, shot.histogram, sizeof want);
		assert_int_equal(shot.sampled, D * (D - 1));
		assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	}
	bl_tensor_unref(c);
	bl_tensor_unref(za);
	bl_tensor_unref(zb);
	bl_monitor_free(m);
}

/* If all columns are equal, all elements of C are 1 and fall into the last bin, also in a sample of elements. */
static void test_histogram_sample(void **state)
{
	(void)state;
	enum { N = 8, D = 600 };
	bl_tensor *z = random_tensor(N, D, 1);
	for (int i = 0; i < N * D; i++)
		bl_tensor_data(z)[i] = (float)(i / D * 100);
	bl_monitor *m = bl_monitor_new(0, N, D, NULL);
	bl_monitor_input l = look_of(z, z);
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_true(shot.sampled > 0 && shot.sampled < D * (D - 1));
	assert_int_equal(shot.histogram[BL_HIST_BINS - 1], shot.sampled);
	bl_tensor_unref(z);
	bl_monitor_free(m);
}

/* --- Embeddings -------------------------------------------------------------------------- */

static void test_dead(void **state)
{
	(void)state;
	enum { N = 16, D = 10 };
	bl_tensor *za = random_tensor(N, D, 1), *zb = random_tensor(N, D, 2);
	for (int i = 0; i < N; i++) {
		bl_tensor_data(za)[i * D + 3] = 0;
		bl_tensor_data(za)[i * D + 4] = 1e6f;
		bl_tensor_data(zb)[i * D + 4] = 7;
		bl_tensor_data(zb)[i * D + 9] = -.1f;
		bl_tensor_data(zb)[i * D + 8] = 1e-5f * (float)i;
	}
	bl_monitor *m = bl_monitor_new(0, N, D, NULL);
	bl_monitor_input l = look_of(za, zb);
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_int_equal(shot.dead, 3);
	bl_tensor_unref(za);
	bl_tensor_unref(zb);
	bl_monitor_free(m);
}

static void check_spectrum(int64_t n, int64_t d)
{
	bl_tensor *za = random_tensor(n, d, 1), *zb = random_tensor(n, d, 2);
	bl_monitor *m = bl_monitor_new(0, n, d, NULL);
	bl_monitor_input l = look_of(za, zb);
	float want[64];
	assert_true(d <= 64);
	assert_int_equal(bl_monitor_snapshot(m, &l, true, &shot), 0);
	assert_int_equal(shot.spectrum, d);
	assert_int_equal(bl_eval_spectrum(za, true, want), 0);
	for (int i = 0; i < d; i++)
		assert_true(fabsf(shot.eigenvalues[i] - want[i]) < 1e-4f * want[0]);
	assert_true(fabs(shot.rankme - bl_eval_rankme(za)) < 1e-6);
	/* The next snapshot still contains the spectrum. */
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_int_equal(shot.spectrum, d);
	bl_tensor_unref(za);
	bl_tensor_unref(zb);
	bl_monitor_free(m);
}

static void test_spectrum(void **state)
{
	(void)state;
	check_spectrum(40, 12);
	check_spectrum(8, 30);
}

/* --- Views ---------------------------------------------------------------------------------- */

/* The values of image 0 increase by `scale` from pixel to pixel, with the channel as the fastest index. */
static bl_tensor *views(int64_t channels, int64_t side, float scale)
{
	bl_tensor *t = bl_tensor_new_image(2, channels, side, side);
	bl_tensor_fill(t, -3);
	for (int64_t c = 0; c < channels; c++)
		for (int64_t y = 0; y < side; y++)
			for (int64_t x = 0; x < side; x++)
				bl_tensor_put(t, (int64_t[]){ 0, c, y, x }, scale * (float)((y * side + x) * channels + c) - 3);
	return t;
}

static void check_views(int64_t channels, int64_t side, int want_side)
{
	bl_tensor *z = random_tensor(2, 4, 1), *v = views(channels, side, .25f), *flat = views(channels, side, 0);
	bl_monitor *m = bl_monitor_new(0, 2, 4, NULL);
	bl_monitor_input l = look_of(z, z);
	l.view[0] = v;
	l.view[1] = flat;
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_int_equal(shot.view_side, want_side);
	assert_int_equal(shot.view_channels, channels);
	double top = (double)(side * side * channels - 1);
	for (int y = 0; y < want_side; y++)
		for (int x = 0; x < want_side; x++)
			for (int c = 0; c < channels; c++) {
				double at = (double)(((y * side / want_side) * side + x * side / want_side) * channels + c);
				int got = shot.views[0][(y * want_side + x) * channels + c];
				assert_true(fabs(got - 255 * at / top) <= .51);
			}
	assert_int_equal(shot.views[1][0], 0);
	bl_tensor_unref(z);
	bl_tensor_unref(v);
	bl_tensor_unref(flat);
	bl_monitor_free(m);
}

/* Views of several sizes are drawn with the side of the largest one. */
static void test_views_of_sizes(void **state)
{
	(void)state;
	enum { SMALL = 4, LARGE = 12 };
	bl_tensor *z = random_tensor(2, 4, 1), *small = views(1, SMALL, 1), *large = views(1, LARGE, 1);
	for (int first = 0; first < 2; first++) {
		bl_monitor *m = bl_monitor_new(0, 2, 4, NULL);
		bl_monitor_input l = look_of(z, z);
		l.view[first] = small;
		l.view[1 - first] = large;
		assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
		assert_int_equal(shot.view_side, LARGE);
		for (int i = 0; i < LARGE * LARGE; i++) {
			int y = i / LARGE * SMALL / LARGE, x = i % LARGE * SMALL / LARGE;
			assert_int_equal(shot.views[first][i], (int)(255.f / (SMALL * SMALL - 1) * (float)(y * SMALL + x) + .5f));
			assert_int_equal(shot.views[1 - first][i], (int)(255.f / (LARGE * LARGE - 1) * (float)i + .5f));
		}
		bl_monitor_free(m);
	}
	bl_tensor_unref(z);
	bl_tensor_unref(small);
	bl_tensor_unref(large);
}

static void test_views(void **state)
{
	(void)state;
	check_views(1, 28, 28);
	check_views(3, 32, 32);
	check_views(3, 96, 64);
}

/* --- When snapshots are made -------------------------------------------------------------------------------------- */

static int64_t newest(bl_live *l)
{
	return bl_live_snapshot(l, &shot);
}

/* The first and the last step always have a snapshot; other steps only if the budget, a share of `trained`, allows it. */
static void test_when(void **state)
{
	(void)state;
	bl_tensor *z = random_tensor(64, 64, 1);
	bl_live *live = bl_live_create(NULL, &(bl_live_info){ .steps = 4 }, NULL);
	bl_monitor *m = bl_monitor_new(1e9, 64, 64, NULL);
	bl_monitor_input l = look_of(z, z);
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	assert_int_equal(newest(live), 1);
	l.step = 2;
	l.trained = 1e-9;
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	assert_int_equal(newest(live), 1);
	l.step = 3;
	l.trained = 1e9;
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	assert_int_equal(newest(live), 3);
	assert_int_equal(shot.spectrum, 64);
	l.step = 4;
	l.trained = 1e-9;
	l.last = true;
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	assert_int_equal(newest(live), 4);
	bl_monitor_free(m);
	bl_live_close(live);
	bl_tensor_unref(z);
}

/* Snapshots are not made more often than requested, however large the budget is. */
static void test_rate(void **state)
{
	(void)state;
	bl_tensor *z = random_tensor(8, 8, 1);
	bl_live *live = bl_live_create(NULL, &(bl_live_info){ .steps = 4 }, NULL);
	bl_monitor *m = bl_monitor_new(1e-6, 8, 8, NULL);
	bl_monitor_input l = look_of(z, z);
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	l.step = 2;
	l.trained = 1e9;
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	assert_int_equal(newest(live), 1);
	bl_monitor_free(m);
	bl_live_close(live);
	bl_tensor_unref(z);
}

/* --- Regions, compared with plain loops in double precision ------------------------------------------------------- */

enum { MOST = 256 };
static double reference[MOST][MOST];

/* Standardises column j of x as in the paper. */
static void standard_column(const bl_tensor *x, int64_t j, double *out)
{
	int64_t n = bl_tensor_size(x, 0), d = bl_tensor_size(x, 1);
	double mean = 0, var = 0;
	for (int64_t i = 0; i < n; i++)
		mean += bl_tensor_data(x)[i * d + j] / (double)n;
	for (int64_t i = 0; i < n; i++)
		var += pow(bl_tensor_data(x)[i * d + j] - mean, 2) / (double)n;
	for (int64_t i = 0; i < n; i++)
		out[i] = (bl_tensor_data(x)[i * d + j] - mean) / sqrt(var + 1e-5);
}

static void fill_reference(const bl_tensor *a, const bl_tensor *b)
{
	static double za[MOST][64], zb[MOST][64];
	int64_t n = bl_tensor_size(a, 0), d = bl_tensor_size(a, 1);
	assert_true(n <= 64 && d <= MOST);
	for (int64_t j = 0; j < d; j++) {
		standard_column(a, j, za[j]);
		standard_column(b, j, zb[j]);
	}
	for (int64_t i = 0; i < d; i++)
		for (int64_t j = 0; j < d; j++) {
			reference[i][j] = 0;
			for (int64_t k = 0; k < n; k++)
				reference[i][j] += za[i][k] * zb[j][k] / (double)n;
		}
}

/* A view with groups of redundant dimensions; dimension j is in group j % groups. */
static bl_tensor *grouped(int64_t n, int64_t d, int groups, uint32_t stream)
{
	bl_tensor *t = random_tensor(n, d, stream), *common = random_tensor(n, groups, 77);
	for (int64_t i = 0; i < n; i++)
		for (int64_t j = 0; j < d; j++) {
			float *x = bl_tensor_data(t) + i * d + j;
			*x = .2f * (1 + .1f * (float)(j % 7)) * *x + bl_tensor_data(common)[i * groups + j % groups];
		}
	bl_tensor_unref(common);
	return t;
}

static void check_order(const int32_t *order, int d, int32_t kind)
{
	bool seen[MOST] = { false };
	for (int i = 0; i < d; i++) {
		assert_in_range(order[i], 0, d - 1);
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
		if (kind == BL_ORDER_PLAIN)
			assert_int_equal(order[i], i);
		if (kind == BL_ORDER_DIAGONAL && i > 0)
			assert_true(reference[order[i - 1]][order[i - 1]] >= reference[order[i]][order[i]] - 1e-6);
	}
}

static void ask_region(bl_monitor *m, bl_monitor_input *l, bl_region r)
{
	l->asked = &r;
	assert_int_equal(bl_monitor_snapshot(m, l, false, &shot), 0);
	l->asked = NULL;
}

/* Reads the whole order, by several regions, because one region shows it only if there are as many cells as dimensions. */
static void learn_order(bl_monitor *m, bl_monitor_input *l, bl_region r, int d, int32_t *order)
{
	for (int from = 0; from < d; from += 50) {
		r.row = from;
		r.rows = d - from < 50 ? d - from : 50;
		r.col = 0;
		r.cols = 1;
		ask_region(m, l, r);
		memcpy(order + from, shot.dims, (size_t)r.rows * sizeof *order);
		assert_int_equal(shot.dims[shot.region_rows], order[0]);
	}
	check_order(order, d, r.order);
}

/* on_diagonal counts the cells, up to this one, that the diagonal crosses. */
static void check_region_cell(const int32_t *order, int i, int j, int *on_diagonal)
{
	const bl_region *r = &shot.region;
	int64_t r0, r1, c0, c1, on = 0;
	double sum = 0, extreme = 0, square = 0, diagonal = 0;
	bl_chunk_range(r->rows, shot.region_rows, i, &r0, &r1);
	bl_chunk_range(r->cols, shot.region_cols, j, &c0, &c1);
	for (int64_t y = r->row + r0; y < r->row + r1; y++)
		for (int64_t x = r->col + c0; x < r->col + c1; x++) {
			double v = reference[order[y]][order[x]];
			on += x == y;
			diagonal += x == y ? v : 0;
			square += x == y ? 0 : v * v;
			sum += v;
			extreme = fabs(v) > fabs(extreme) ? v : extreme;
		}
	int at = i * shot.region_cols + j;
	assert_int_equal(shot.dims[i], order[r->row + r0]);
	assert_int_equal(shot.dims[shot.region_rows + j], order[r->col + c0]);
	assert_true(fabs(shot.region_mean[at] - sum / (double)((r1 - r0) * (c1 - c0))) < 1e-5);
	assert_true(fabs(fabs(shot.region_extreme[at]) - fabs(extreme)) < 1e-5);
	int64_t off = (r1 - r0) * (c1 - c0) - on;
	assert_true(fabs(shot.region_rms[at] - (off ? sqrt(square / (double)off) : 0)) < 2e-5);
	if (on > 0)
		assert_true(fabs(shot.region_diagonal[(*on_diagonal)++] - diagonal / (double)on) < 1e-5);
	if ((r1 - r0) * (c1 - c0) == 1)
		assert_true(shot.region_mean[at] == shot.region_extreme[at]);
}

static void check_region(bl_monitor *m, bl_monitor_input *l, bl_region r, const int32_t *order)
{
	ask_region(m, l, r);
	assert_true(shot.region.matrix == r.matrix && shot.region.order == r.order);
	assert_true(shot.region.row == r.row && shot.region.rows == (r.rows ? r.rows : shot.d));
	assert_int_equal(shot.region_rows, shot.region.rows < BL_GRID_MAX ? shot.region.rows : BL_GRID_MAX);
	assert_int_equal(shot.region_cols, shot.region.cols < BL_GRID_MAX ? shot.region.cols : BL_GRID_MAX);
	assert_int_equal(shot.region_elements, (int64_t)shot.region.rows * shot.region.cols);
	int on_diagonal = 0;
	for (int i = 0; i < shot.region_rows; i++)
		for (int j = 0; j < shot.region_cols; j++)
			check_region_cell(order, i, j, &on_diagonal);
}

static void check_regions(int64_t n, int d, int groups)
{
	bl_tensor *z[2] = { grouped(n, d, groups, 1), grouped(n, d, groups, 2) };
	int32_t order[MOST];
	for (int k = 0; k < 9; k++) {
		bl_monitor *m = bl_monitor_new(0, n, d, NULL);
		bl_monitor_input l = look_of(z[0], z[1]);
		bl_region r = { .matrix = k / 3, .order = k % 3 };
		fill_reference(z[0], z[1]); /* this C determines the order, whichever matrix is shown */
		learn_order(m, &l, r, d, order);
		fill_reference(z[r.matrix == BL_MATRIX_BB], z[r.matrix != BL_MATRIX_AA]);
		check_region(m, &l, r, order);
		check_region(m, &l, (bl_region){ r.matrix, r.order, .row = d / 3, .rows = d / 2, .col = 1, .cols = d - 1 }, order);
		check_region(m, &l, (bl_region){ r.matrix, r.order, .row = d - 1, .rows = 1, .col = 2, .cols = 3 }, order);
		bl_monitor_free(m);
	}
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
}

static void test_regions(void **state)
{
	(void)state;
	check_regions(32, 12, 3);
	check_regions(16, 201, 5);
}

/* Ordering by cluster makes each group of redundant units contiguous. */
static void test_clusters(void **state)
{
	(void)state;
	enum { D = 40, GROUPS = 5 };
	bl_tensor *z[2] = { grouped(64, D, GROUPS, 1), grouped(64, D, GROUPS, 2) };
	bl_monitor *m = bl_monitor_new(0, 64, D, NULL);
	bl_monitor_input l = look_of(z[0], z[1]);
	int runs = 1;
	ask_region(m, &l, (bl_region){ .order = BL_ORDER_CLUSTER });
	for (int i = 1; i < D; i++)
		runs += shot.dims[i] % GROUPS != shot.dims[i - 1] % GROUPS;
	assert_int_equal(runs, GROUPS);
	bl_monitor_free(m);
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
}

static void test_impossible_regions(void **state)
{
	(void)state;
	static const int32_t odd[] = { INT32_MIN, -1, 0, 5, 19, 20, 21, INT32_MAX };
	enum { ODD = sizeof odd / sizeof *odd };
	bl_tensor *z = random_tensor(8, 20, 1);
	bl_monitor *m = bl_monitor_new(0, 8, 20, NULL);
	bl_monitor_input l = look_of(z, z);
	for (int i = 0; i < ODD * ODD; i++) {
		ask_region(m, &l,
		           (bl_region){ odd[i % ODD], odd[i / ODD], odd[i % ODD], odd[i / ODD], odd[i / ODD], odd[i % ODD],
		                        odd[i % ODD], odd[i / ODD], odd[i % ODD] });
		assert_true(bl_live_snapshot_clean(&shot) && shot.region_rows > 0 && shot.region_cols > 0);
	}
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_int_equal(shot.region_rows, 0);
	bl_monitor_free(m);
	bl_tensor_unref(z);
}

static double reference_mean(int64_t row, int64_t rows, int64_t col, int64_t cols)
{
	double total = 0;
	for (int64_t y = row; y < row + rows; y++)
		for (int64_t x = col; x < col + cols; x++)
			total += reference[y][x];
	return total / (double)(rows * cols);
}

/*
 * Checks a cell of a region that begins at `row` and column 0: the mean of all its elements, and the extreme of only the first one.
 */
static void check_sampled_cell(int row, int rows, int cols, int i, int j)
{
	int64_t r0, r1, c0, c1;
	int at = i * BL_GRID_MAX + j;
	bl_chunk_range(rows, BL_GRID_MAX, i, &r0, &r1);
	bl_chunk_range(cols, BL_GRID_MAX, j, &c0, &c1);
	double mean = reference_mean(row + r0, r1 - r0, c0, c1 - c0);
	assert_true(fabs(shot.region_mean[at] - mean) < 1e-5);
	assert_true(fabs(shot.region_extreme[at] - reference[shot.dims[i]][shot.dims[BL_GRID_MAX + j]]) < 1e-5);
}

/* If there are too many dimensions, the extreme of a cell is that of some elements only, and the snapshot states their number. */
static void test_sampled(void **state)
{
	(void)state;
	enum { N = 16, D = MOST - 1 };
	static const int32_t step[] = { 1, 2, 3 };
	bl_tensor *z[2] = { random_tensor(N, D, 1), random_tensor(N, D, 2) };
	bl_monitor_input l = look_of(z[0], z[1]);
	fill_reference(z[0], z[1]);
	for (int k = 0; k < 3; k++) {
		shot = (bl_snapshot){ .step = 1, .n = N, .d = D };
		shot.region = bl_heat_clamp(&(bl_region){ .rows = 200, .row = 10 }, D);
		bl_heat_effort effort = { .most = step[k], .samples = 1 };
		assert_int_equal(bl_heat_region(&l, NULL, effort, &shot), 0);
		assert_int_equal(bl_heat_grid(&l, effort, &shot), 0);
		assert_true(step[k] == 1 ? shot.rms_share == .25f && shot.rms_error > 0 : shot.rms_share == 1);
		assert_int_equal(shot.grid_elements, step[k] == 1 ? BL_GRID_MAX * BL_GRID_MAX : D * D);
		assert_int_equal(shot.region_elements, step[k] == 1 ? BL_GRID_MAX * BL_GRID_MAX : 200 * D);
		for (int i = 0; step[k] == 1 && i < BL_GRID_MAX; i++)
			for (int j = 0; j < BL_GRID_MAX; j++)
				check_sampled_cell(10, 200, D, i, j);
		for (int i = 0; i < shot.diag; i++)
			assert_true(fabs(shot.diagonal[i] - reference[i][i]) < 1e-5);
	}
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
}

/* The brightness of the picture does not depend on how many elements of C are computed. */
static void test_brightness(void **state)
{
	(void)state;
	enum { N = 64, D = 2048 };
	bl_tensor *z[2] = { grouped(N, D, 40, 1), grouped(N, D, 40, 2) };
	bl_monitor_input l = look_of(z[0], z[1]);
	double all = 0;
	for (int64_t samples = 8; samples <= N; samples *= 2) {
		double square = 0;
		shot = (bl_snapshot){ .step = 1, .n = N, .d = D };
		assert_int_equal(bl_heat_grid(&l, bl_heat_all(N, D), &shot), 0);
		assert_true(shot.rms_share == 1);
		for (int k = 0; k < shot.grid * shot.grid && samples == 8; k++)
			all += (double)shot.rms[k] * shot.rms[k];
		assert_int_equal(bl_heat_grid(&l, (bl_heat_effort){ 1, samples }, &shot), 0);
		assert_true(shot.rms_share == (float)(samples * samples) / (N * N));
		for (int k = 0; k < shot.grid * shot.grid; k++)
			square += (double)shot.rms[k] * shot.rms[k];
		assert_true(fabs(sqrt(square / all) - 1) < .07);
	}
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
}

/* Cells may be wider than the strips from which they are computed. */
static void test_wide_cells(void **state)
{
	(void)state;
	enum { N = 6, D = 1501, CELLS = 2 };
	bl_tensor *z[2] = { random_tensor(N, D, 1), random_tensor(N, D, 2) };
	float got[2][N * CELLS], again[N * CELLS];
	double want[2][N * CELLS] = { { 0 } }, diag[D], column[2][N];
	int32_t dims[D];
	assert_int_equal(bl_standard_grid(BL_DIALECT_PAPER, z[0], z[1], CELLS, got[0], got[1], diag), 0);
	for (int j = 0; j < D; j++) {
		int64_t from, to;
		bl_chunk_range(D, CELLS, 0, &from, &to);
		int cell = j >= to, width = (int)(cell ? D - to : to);
		double c = 0;
		dims[j] = j;
		for (int v = 0; v < 2; v++)
			standard_column(z[v], j, column[v]);
		for (int i = 0; i < N; i++) {
			c += column[0][i] * column[1][i] / N;
			for (int v = 0; v < 2; v++)
				want[v][i * CELLS + cell] += column[v][i] / width;
		}
		assert_true(fabs(diag[j] - c) < 1e-5);
	}
	assert_int_equal(bl_standard_cells(BL_DIALECT_PAPER, z[1], dims, D, CELLS, again), 0);
	for (int i = 0; i < N * CELLS; i++)
		assert_true(fabs(got[0][i] - want[0][i]) < 1e-5 && fabs(got[1][i] - want[1][i]) < 1e-5 &&
		            fabs(again[i] - want[1][i]) < 1e-5);
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
}

/* --- Singular values, compared with one-sided Jacobi rotations of C in double precision ----------------------------- */

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x > y ? -1 : x < y;
}

/* Makes columns p and q of a (rows x d) orthogonal.  Returns the absolute cosine of their angle before. */
static double rotate(double (*a)[MOST], int rows, int p, int q)
{
	double pp = 0, qq = 0, pq = 0;
	for (int i = 0; i < rows; i++) {
		pp += a[i][p] * a[i][p];
		qq += a[i][q] * a[i][q];
		pq += a[i][p] * a[i][q];
	}
	if (pq == 0)
		return 0;
	double zeta = (qq - pp) / (2 * pq), t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
	double c = 1 / sqrt(1 + t * t);
	for (int i = 0; i < rows; i++) {
		double x = a[i][p];
		a[i][p] = c * (x - t * a[i][q]);
		a[i][q] = c * (t * x + a[i][q]);
	}
	return fabs(pq) / (sqrt(pp * qq) + 1e-300);
}

static void orthogonalise(double (*a)[MOST], int rows, int d)
{
	double off = 1;
	for (int sweep = 0; sweep < 60 && off > 1e-12; sweep++) {
		off = 0;
		for (int p = 0; p < d; p++)
			for (int q = p + 1; q < d; q++)
				off = fmax(off, rotate(a, rows, p, q));
	}
}

static double column_length(double (*a)[MOST], int rows, int j)
{
	double sum = 0;
	for (int i = 0; i < rows; i++)
		sum += a[i][j] * a[i][j];
	return sqrt(sum);
}

static void check_singular(int64_t n, int d)
{
	bl_tensor *z[2] = { grouped(n, d, 3, 1), grouped(n, d, 3, 2) };
	bl_monitor_input l = look_of(z[0], z[1]);
	double want[MOST];
	float got[MOST];
	fill_reference(z[0], z[1]);
	orthogonalise(reference, d, d);
	for (int j = 0; j < d; j++)
		want[j] = column_length(reference, d, j);
	qsort(want, (size_t)d, sizeof *want, descending);
	assert_int_equal(bl_measure_singular(&l, d, got), 0);
	for (int j = 0; j < d; j++)
		assert_true(fabs(got[j] - want[j]) < 2e-6 * want[0]);
	bl_monitor *m = bl_monitor_new(0, n, d, NULL);
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_true(shot.spectrum == 0 && isnan(shot.singular[0]));
	assert_int_equal(bl_monitor_snapshot(m, &l, true, &shot), 0);
	assert_memory_equal(shot.singular, got, (size_t)shot.spectrum * sizeof *got);
	bl_monitor_free(m);
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
}

static void test_singular(void **state)
{
	(void)state;
	check_singular(40, 12);
	check_singular(20, 20);
	check_singular(7, 33);
}

/* --- Pairs of views that are made again ----------------------------------------------------------------------------- */

enum { IMAGES = 24, BATCH = 4 };

static bl_source source_of(const char *views)
{
	static const float mean[4] = { .5f, .5f, .5f }, std[4] = { .5f, .5f, .5f };
	bl_pipeline *p = bl_pipeline_parse(views);
	bl_shapes_config shapes = { .n = IMAGES, .size = 20, .channels = 3, .seed = 4 };
	bl_source s = { .data = bl_dataset_shapes(&shapes),
		        .pipeline = { p, p },
		        .seed = 11,
		        .mean = mean,
		        .std = std,
		        .steps_per_epoch = IMAGES / BATCH,
		        .batch = 8 };
	assert_true(p && s.data);
	s.points = s.data;
	return s;
}

static void source_free(bl_source *s)
{
	bl_pipeline_unref(s->pipeline[0]);
	bl_dataset_unref(s->data);
}

/*
 * The views of a batch can be made again with the same pixels.  With new random numbers they differ from those, and later
 * snapshots keep them.
 */
static void test_pair(void **state)
{
	(void)state;
	bl_source source = source_of("crop{size = 16}, flip, jitter, noise, normalize");
	bl_loader *loader = bl_loader_new(&(bl_loader_config){ .data = source.data,
	                                                       .n_views = 2,
	                                                       .views = { source.pipeline[0], source.pipeline[1] },
	                                                       .batch = BATCH,
	                                                       .seed = source.seed,
	                                                       .threads = 1 });
	bl_tensor *z = random_tensor(BATCH, 4, 1), *view[2];
	bl_monitor *m = bl_monitor_new(0, BATCH, 4, &source);
	static bl_snapshot again;
	int64_t rows[BATCH];
	for (int64_t step = 1; step <= 9; step++) {
		bl_monitor_input l = look_of(z, z);
		bl_region r = { .view = (int32_t)step - 3 };
		assert_int_equal(bl_loader_next(loader, view, rows), 0);
		l = (bl_monitor_input){ .step = step, .z = { z, z }, .view = { view[0], view[1] }, .rows = rows };
		ask_region(m, &l, r);
		assert_int_equal(shot.view_row, rows[((step - 3) % BATCH + BATCH) % BATCH]);
		assert_int_equal(shot.view_label, bl_dataset_label(source.data, shot.view_row));
		assert_true(shot.view_side == 16 && shot.view_channels == 3);
		assert_ptr_equal(strstr(shot.view_draws[0], "crop "), shot.view_draws[0]);
		assert_string_not_equal(shot.view_draws[0], shot.view_draws[1]);
		again = shot;
		l.view[0] = l.view[1] = NULL;
		ask_region(m, &l, r);
		assert_memory_equal(shot.views, again.views, sizeof shot.views);
		assert_memory_equal(shot.view_draws, again.view_draws, sizeof shot.view_draws);
		r.redraw = 1;
		ask_region(m, &l, r);
		assert_int_equal(shot.view_row, again.view_row);
		assert_memory_not_equal(shot.views, again.views, sizeof shot.views);
		assert_string_not_equal(shot.view_draws[0], again.view_draws[0]);
		assert_string_not_equal(shot.view_draws[0], shot.view_draws[1]);
		again = shot;
		l.view[0] = view[0], l.view[1] = view[1];
		ask_region(m, &l, r);
		assert_memory_equal(shot.views, again.views, sizeof shot.views);
		r.redraw = 2;
		ask_region(m, &l, r);
		assert_memory_not_equal(shot.views, again.views, sizeof shot.views);
		bl_tensor_unref(view[0]);
		bl_tensor_unref(view[1]);
	}
	bl_loader_free(loader);
	bl_monitor_free(m);
	bl_tensor_unref(z);
	source_free(&source);
}

/* Each view's text begins with its size, if the sizes differ. */
static void test_pair_of_sizes(void **state)
{
	(void)state;
	bl_source source = source_of("resize{size = 16}, normalize");
	bl_pipeline *large = source.pipeline[1], *small = bl_pipeline_parse("resize{size = 8}, normalize");
	bl_tensor *z = random_tensor(BATCH, 4, 1);
	int64_t rows[BATCH] = { 0 };
	for (int differ = 0; differ < 2; differ++) {
		source.pipeline[1] = differ ? small : large;
		bl_monitor *m = bl_monitor_new(0, BATCH, 4, &source);
		bl_monitor_input l = { .step = 1, .z = { z, z }, .rows = rows };
		ask_region(m, &l, (bl_region){ .view = 0 });
		assert_int_equal(strncmp(shot.view_draws[0], "16 x 16, ", 9) == 0, differ);
		assert_int_equal(strncmp(shot.view_draws[1], "8 x 8, ", 7) == 0, differ);
		bl_monitor_free(m);
	}
	source.pipeline[1] = large;
	bl_pipeline_unref(small);
	bl_tensor_unref(z);
	source_free(&source);
}

/* --- Points ---------------------------------------------------------------------------------------------- */

/* Coordinates are U S of the centred features X = U S V^T, which Jacobi rotations of X compute here. */
static void check_axes(const bl_source *source)
{
	static double x[IMAGES][MOST], all;
	double mean[MOST] = { 0 }, best[2] = { 0 };
	int best_at[2] = { 0 }, f = 0;
	bl_tensor *t = bl_eval_features(source->encoder, source->points, source->mean, source->std, 8, NULL);
	f = (int)bl_tensor_size(t, 1);
	assert_true(f <= MOST && shot.points == IMAGES);
	for (int i = 0; i < IMAGES * f; i++)
		mean[i % f] += bl_tensor_data(t)[i] / (double)IMAGES;
	for (int i = 0; i < IMAGES * f; i++)
		x[i / f][i % f] = bl_tensor_data(t)[i] - mean[i % f];
	orthogonalise(x, IMAGES, f);
	all = 0;
	for (int j = 0; j < f; j++) {
		double length = column_length(x, IMAGES, j);
		all += length * length;
		if (length > best[0]) {
			best[1] = best[0], best_at[1] = best_at[0];
			best[0] = length, best_at[0] = j;
		} else if (length > best[1]) {
			best[1] = length, best_at[1] = j;
		}
	}
	for (int k = 0; k < 2; k++) {
		double sign = x[0][best_at[k]] * shot.point[0][k] < 0 ? -1 : 1;
		assert_true(fabs(shot.explained[k] - best[k] * best[k] / all) < 1e-5);
		for (int i = 0; i < IMAGES; i++)
			assert_true(fabs(sign * shot.point[i][k] - x[i][best_at[k]]) < 1e-4 * best[0]);
	}
	bl_tensor_unref(t);
}

static void check_points(bl_module *encoder)
{
	static bl_snapshot before;
	bl_source source = source_of("resize");
	bl_shapes_config shapes = { .n = IMAGES, .size = 8, .channels = 1, .seed = 4 };
	source.encoder = encoder;
	assert_non_null(source.points = bl_dataset_shapes(&shapes));
	bl_tensor *z = random_tensor(BATCH, 4, 1);
	bl_monitor *m = bl_monitor_new(0, BATCH, 4, &source);
	bl_monitor_input l = look_of(z, z);
	ask_region(m, &l, (bl_region){ .points = 0 });
	assert_int_equal(shot.points, 0);
	for (l.step = 1; l.step < 4; l.step++) {
		before = shot;
		ask_region(m, &l, (bl_region){ .points = 1 });
		assert_int_equal(shot.points_step, l.step);
		check_axes(&source);
		for (int i = 0; i < IMAGES; i++)
			assert_int_equal(shot.point_label[i], bl_dataset_label(source.points, i));
		for (int i = 0; l.step > 1 && i < IMAGES; i++)
			assert_true(shot.point[i][0] == before.point[i][0] && shot.point[i][1] == before.point[i][1]);
	}
	bl_dataset_unref(source.points);
	bl_monitor_free(m);
	bl_tensor_unref(z);
	source_free(&source);
}

/* Axes keep their direction from one computation to the next. */
static void test_points_turn(void **state)
{
	(void)state;
	bl_source source = source_of("resize");
	bl_points *p = bl_points_new(&source, IMAGES / 2);
	bl_monitor_input l = { .step = 1 };
	memset(&shot, 0, sizeof shot);
	assert_int_equal(bl_points_fill(p, &l, &shot), 0);
	assert_int_equal(shot.points, IMAGES / 2);
	for (int i = 0; i < shot.points; i++)
		shot.point[i][1] *= -1;
	static bl_snapshot turned;
	turned = shot;
	assert_int_equal(bl_points_fill(p, &l, &shot), 0);
	assert_memory_equal(shot.point, turned.point, sizeof shot.point);
	bl_points_free(p);
	source_free(&source);
}

static void test_points(void **state)
{
	(void)state;
	bl_module *narrow = bl_nn_mlp(&(bl_mlp_config){ .in = 64, .widths = (int64_t[]){ 10 }, .layers = 1, .flatten = true });
	assert_non_null(narrow);
	bl_module_init(narrow, 3);
	check_points(narrow); /* fewer features than images */
	check_points(NULL);   /* the pixels, which are more features than images */
	bl_module_unref(narrow);
}

/* --- Requests through the live file ----------------------------------------------------------------------------- */

static void test_asked(void **state)
{
	(void)state;
	bl_tensor *z = random_tensor(16, 20, 1);
	bl_live *live = bl_live_create(NULL, &(bl_live_info){ .steps = 9 }, NULL);
	bl_monitor *m = bl_monitor_new(1e9, 16, 20, NULL);
	bl_monitor_input l = look_of(z, z);
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	newest(live);
	assert_int_equal(shot.region_rows, 0);
	assert_int_equal(bl_live_request(live, &(bl_region){ .matrix = BL_MATRIX_AA, .rows = 3, .cols = 4 }), 0);
	l.step = 2;
	l.trained = 1e9;
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	newest(live);
	assert_true(shot.step == 2 && shot.region_rows == 3 && shot.region_cols == 4 && shot.region_elements == 12);
	assert_true(fabsf(shot.region_mean[5] - 1) < 1e-4f); /* the diagonal of a view with itself */
	bl_monitor_free(m);
	bl_live_close(live);
	bl_tensor_unref(z);
}

/* In a paused run only new requests are answered, immediately and completely. */
static void test_paused(void **state)
{
	(void)state;
	bl_tensor *z = random_tensor(16, 200, 1);
	bl_live *live = bl_live_create(NULL, &(bl_live_info){ .steps = 9 }, NULL);
	bl_monitor *m = bl_monitor_new(1e-6, 16, 200, NULL);
	bl_monitor_input l = look_of(z, z);
	l.paused = true;
	assert_int_equal(bl_monitor_publish(m, &l, live), 0);
	assert_int_equal(newest(live), -1);
	for (int k = 0; k < 3; k++) {
		assert_int_equal(bl_live_request(live, &(bl_region){ .order = BL_ORDER_DIAGONAL, .row = k, .rows = 150 }), 0);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(bl_monitor_publish(m, &l, live), 0);
			assert_int_equal(newest(live), again ? 7 : 1);
			assert_true(shot.region.row == k && shot.region.order == BL_ORDER_DIAGONAL);
			assert_int_equal(shot.region_elements, 150 * 200);
			shot.step = 7; /* stays 7, since a request is not answered twice */
			bl_live_publish(live, &shot);
		}
	}
	bl_monitor_free(m);
	bl_live_close(live);
	bl_tensor_unref(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_histogram_all),
		cmocka_unit_test(test_histogram_sample),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_spectrum),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_views_of_sizes),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_clusters),
		cmocka_unit_test(test_impossible_regions),
		cmocka_unit_test(test_sampled),
		cmocka_unit_test(test_wide_cells),
		cmocka_unit_test(test_brightness),
		cmocka_unit_test(test_singular),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_pair_of_sizes),
		cmocka_unit_test(test_points_turn),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_paused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
