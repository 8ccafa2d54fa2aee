/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_monitor.c: a snapshot says what C, the embeddings and the views are, and is made at the right time. */
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
#include <string.h>

#include "train/monitor.h"

static bl_snapshot shot;

static bl_tensor *random_tensor(int64_t n, int64_t d, uint32_t stream)
{
	bl_tensor *t = bl_tensor_new(2, (int64_t[]){ n, d });
	assert_non_null(t);
	bl_tensor_normal(t, 3, stream, .5f, 2);
	return t;
}

static bl_look look_of(bl_tensor *za, bl_tensor *zb)
{
	return (bl_look){ .step = 1, .dialect = BL_DIALECT_PAPER, .z = { za, zb } };
}

/* --- Against C made whole ---------------------------------------------------------- */

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
	bl_look l = look_of(za, zb);
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	assert_true(shot.step == 1 && shot.n == n && shot.d == d);
	assert_int_equal(shot.grid, d < BL_GRID_MAX ? d : BL_GRID_MAX);
	assert_int_equal(shot.diag, d < BL_DIAG_MAX ? d : BL_DIAG_MAX);
	assert_true(shot.spectrum == 0 && isnan(shot.rankme) && shot.view_side == 0);
	bl_tensor *c = bl_loss_correlation(l.dialect, za, zb);
	for (int i = 0; i < shot.grid; i++)
		for (int j = 0; j < shot.grid; j++)
			check_cell(bl_tensor_data(c), d, i, j);
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

/* Off the edges of bins, as two ways of computing C may differ in the last digit. */
static void test_histogram_all(void **state)
{
	(void)state;
	enum { D = 20 };
	bl_tensor *za = random_tensor(32, D, 1), *zb = random_tensor(32, D, 2);
	bl_monitor *m = bl_monitor_new(0, 32, D, NULL);
	bl_look l = look_of(za, zb);
	uint32_t want[BL_HIST_BINS] = { 0 };
	assert_int_equal(bl_monitor_snapshot(m, &l, false, &shot), 0);
	bl_tensor *c = bl_loss_correlation(l.dialect, za, zb);
	for (int i = 0; i < D; i++)
		for (int j = 0; j < D; j++)
			want[(int)((bl_tensor_data(c)[i * D + j] + 1) / 2 * BL_HIST_BINS)] += i != j;
	assert_memory_equal(want, shot.histogram, sizeof want);
	assert_int_equal(shot.sampled, D * (D - 1));
	bl_tensor_unref(c);
	bl_tensor_unref(za);
	bl_tensor_unref(zb);
	bl_monitor_free(m);
}

/* Equal columns make a C of ones: all in the last bin, also of a sample. */
static void test_histogram_sample(void **state)
{
	(void)state;
	enum { N = 8, D = 600 };
	bl_tensor *z = random_tensor(N, D, 1);
	for (int i = 0; i < N * D; i++)
		bl_tensor_data(z)[i] = (float)(i / D * 100);
	bl_monitor *m = bl_monitor_new(0, N, D, NULL);
	bl_look l = look_of(z, z);
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
	bl_look l = look_of(za, zb);
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
	bl_look l = look_of(za, zb);
	float want[64];
	assert_true(d <= 64);
	assert_int_equal(bl_monitor_snapshot(m, &l, true, &shot), 0);
	assert_int_equal(shot.spectrum, d);
	assert_int_equal(bl_eval_spectrum(za, true, want), 0);
	for (int i = 0; i < d; i++)
		assert_true(fabsf(shot.eigenvalues[i] - want[i]) < 1e-4f * want[0]);
	assert_true(fabs(shot.rankme - bl_eval_rankme(za)) < 1e-6);
	/* The next one keeps it. */
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

/* Image 0 rises by `scale` from pixel to pixel, channels innermost. */
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
	bl_look l = look_of(z, z);
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

static void test_views(void **state)
{
	(void)state;
	check_views(1, 28, 28);
	check_views(3, 32, 32);
	check_views(3, 96, 64);
}

/* --- When -------------------------------------------------------------------------------------- */

static int64_t newest(bl_live *l)
{
	return bl_live_snapshot(l, &shot);
}

/* First and last step always; in between only what the budget of `trained` allows. */
static void test_when(void **state)
{
	(void)state;
	bl_tensor *z = random_tensor(64, 64, 1);
	bl_live *live = bl_live_create(NULL, &(bl_live_info){ .steps = 4 });
	bl_monitor *m = bl_monitor_new(1e9, 64, 64, NULL);
	bl_look l = look_of(z, z);
	assert_int_equal(bl_monitor_look(m, &l, live), 0);
	assert_int_equal(newest(live), 1);
	l.step = 2;
	l.trained = 1e-9;
	assert_int_equal(bl_monitor_look(m, &l, live), 0);
	assert_int_equal(newest(live), 1);
	l.step = 3;
	l.trained = 1e9;
	assert_int_equal(bl_monitor_look(m, &l, live), 0);
	assert_int_equal(newest(live), 3);
	assert_int_equal(shot.spectrum, 64);
	l.step = 4;
	l.trained = 1e-9;
	l.last = true;
	assert_int_equal(bl_monitor_look(m, &l, live), 0);
	assert_int_equal(newest(live), 4);
	bl_monitor_free(m);
	bl_live_close(live);
	bl_tensor_unref(z);
}

/* However rich the budget, not more often than asked. */
static void test_rate(void **state)
{
	(void)state;
	bl_tensor *z = random_tensor(8, 8, 1);
	bl_live *live = bl_live_create(NULL, &(bl_live_info){ .steps = 4 });
	bl_monitor *m = bl_monitor_new(1e-6, 8, 8, NULL);
	bl_look l = look_of(z, z);
	assert_int_equal(bl_monitor_look(m, &l, live), 0);
	l.step = 2;
	l.trained = 1e9;
	assert_int_equal(bl_monitor_look(m, &l, live), 0);
	assert_int_equal(newest(live), 1);
	bl_monitor_free(m);
	bl_live_close(live);
	bl_tensor_unref(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picture), cmocka_unit_test(test_histogram_all), cmocka_unit_test(test_histogram_sample),
		cmocka_unit_test(test_dead), cmocka_unit_test(test_spectrum), cmocka_unit_test(test_views),
		cmocka_unit_test(test_when), cmocka_unit_test(test_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
