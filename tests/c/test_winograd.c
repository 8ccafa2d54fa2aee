/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_winograd.c: Winograd convolutions, compared with double precision.  Prints the error, which must be below 1e-4. */
#include "support.h"

#include "tensor/winograd/winograd.h"
#include "tensor/winograd/winograd_filters.h"

#include <barlow/parallel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void naive(const bl_conv *g, const float *x, const float *w, const float *dy, double *y, double *dx, double *dw)
{
	for (int64_t n = 0; n < g->n; n++)
		for (int64_t p = 0; p < g->p; p++)
			for (int64_t q = 0; q < g->q; q++)
				for (int64_t k = 0; k < g->k; k++)
					for (int64_t t = 0; t < 9; t++) {
						int64_t i = p + t / 3 - g->padding, j = q + t % 3 - g->padding;
						if (i < 0 || j < 0 || i >= g->h || j >= g->w)
							continue;
						const float *xp = x + ((n * g->h + i) * g->w + j) * g->c;
						double *dxp = dx + (xp - x);
						int64_t yi = ((n * g->p + p) * g->q + q) * g->k + k;
						for (int64_t c = 0; c < g->c; c++) {
							int64_t wi = (k * g->c + c) * 9 + t;
							y[yi] += (double)xp[c] * w[wi];
							dxp[c] += (double)dy[yi] * w[wi];
							dw[wi] += (double)xp[c] * dy[yi];
						}
					}
}

static double worst(const float *got, const double *want, int64_t n)
{
	double error = 0, scale = 1e-30;
	for (int64_t i = 0; i < n; i++) {
		error = fmax(error, isnan(got[i]) ? INFINITY : fabs(got[i] - want[i]));
		scale = fmax(scale, fabs(want[i]));
	}
	return error / scale;
}

static double check(int64_t n, int64_t c, int64_t k, int64_t h, int64_t w, int64_t padding, bool add)
{
	bl_conv g = { .n = n,
		      .c = c,
		      .h = h,
		      .w = w,
		      .k = k,
		      .r = 3,
		      .s = 3,
		      .p = h + 2 * padding - 2,
		      .q = w + 2 * padding - 2,
		      .stride = 1,
		      .padding = padding,
		      .groups = 1 };
	int64_t nx = n * h * w * c, nw = k * c * 9, ny = n * g.p * g.q * k;
	float *x = support_normals(nx, 11, 1), *f = support_normals(nw, 11, 2), *dy = support_normals(ny, 11, 3);
	float *gy = calloc((size_t)ny, sizeof *gy), *gx = calloc((size_t)nx, sizeof *gx), *gw = calloc((size_t)nw, sizeof *gw);
	double *y = calloc((size_t)ny, sizeof *y), *dx = calloc((size_t)nx, sizeof *dx), *dw = calloc((size_t)nw, sizeof *dw);
	naive(&g, x, f, dy, y, dx, dw);
	assert_true(bl_winograd_fits(&g));
	assert_int_equal(bl_winograd_forward(&g, x, f, NULL, gy), 0);
	assert_int_equal(bl_winograd_data_gradient(&g, dy, f, gx, false), 0);
	assert_int_equal(bl_winograd_weight_gradient(&g, x, dy, gw, false), 0);
	if (add) {
		assert_int_equal(bl_winograd_data_gradient(&g, dy, f, gx, true), 0);
		assert_int_equal(bl_winograd_weight_gradient(&g, x, dy, gw, true), 0);
		for (int64_t i = 0; i < nx; i++)
			dx[i] *= 2;
		for (int64_t i = 0; i < nw; i++)
			dw[i] *= 2;
	}
	double e[3] = { worst(gy, y, ny), worst(gx, dx, nx), worst(gw, dw, nw) };
	print_message("# %2d x %3d -> %3d, %2d x %2d: forward %.1e, data gradient %.1e, weight gradient %.1e\n", (int)n, (int)c,
	              (int)k, (int)h, (int)w, e[0], e[1], e[2]);
	free(x);
	free(f);
	free(dy);
	free(gy);
	free(gx);
	free(gw);
	free(y);
	free(dx);
	free(dw);
	return fmax(e[0], fmax(e[1], e[2]));
}

static void agrees(void **state)
{
	(void)state;
	assert_true(check(1, 16, 16, 4, 4, 1, false) < 2e-5);
	assert_true(check(3, 16, 48, 7, 9, 1, true) < 2e-5);
	assert_true(check(2, 64, 32, 8, 5, 0, true) < 2e-5);
	assert_true(check(2, 32, 80, 6, 6, 2, false) < 2e-5);
	assert_true(check(20, 112, 64, 12, 12, 1, false) < 2e-5); /* several batches of tiles */
	assert_true(check(90, 48, 80, 9, 8, 1, true) < 2e-5);     /* several batches in each part */
	assert_true(check(2, 256, 256, 8, 8, 1, false) < 2e-5);
}

/* With many filters, a few columns are processed at a time; the last case has several batches of tiles. */
static void agrees_by_columns(void **state)
{
	(void)state;
	assert_true(bl_winograd_by_columns(208, 176) && !bl_winograd_by_columns(112, 64));
	assert_true(check(5, 208, 176, 5, 9, 1, true) < 2e-5);
	assert_true(check(3, 64, 480, 4, 4, 1, false) < 2e-5);
	assert_true(check(1, 480, 64, 3, 4, 2, false) < 2e-5);
	assert_true(check(700, 176, 208, 1, 1, 1, true) < 2e-5);
}

/* A convolution with a bias uses the algorithm winograd, too: its bits are those without the bias, plus the bias. */
static void bias_case(int64_t n, int64_t c, int64_t k, int64_t side)
{
	bl_conv g = { .n = n,
		      .c = c,
		      .h = side,
		      .w = side,
		      .k = k,
		      .r = 3,
		      .s = 3,
		      .p = side,
		      .q = side,
		      .stride = 1,
		      .padding = 1,
		      .groups = 1,
		      .by = { BL_CONV_WINOGRAD, BL_CONV_WINOGRAD, BL_CONV_WINOGRAD } };
	int64_t ny = n * side * side * k;
	float *x = support_normals(n * side * side * c, 11, 1), *w = support_normals(k * c * 9, 11, 2),
	      *b = support_normals(k, 11, 3);
	float *y = malloc((size_t)ny * sizeof *y), *plain = malloc((size_t)ny * sizeof *plain);
	assert_int_equal(bl_conv_forward(&g, x, w, b, y), 0);
	assert_int_equal(bl_conv_forward(&g, x, w, NULL, plain), 0);
	for (int64_t i = 0; i < ny; i++)
		plain[i] += b[i % k];
	assert_memory_equal(y, plain, (size_t)ny * sizeof *y);
	free(x);
	free(w);
	free(b);
	free(y);
	free(plain);
}

static void bias(void **state)
{
	(void)state;
	bias_case(3, 16, 48, 7);
	bias_case(2, 208, 176, 5);
}

static void same_bits(int64_t n, int64_t c, int64_t side)
{
	bl_conv g = { .n = n,
		      .c = c,
		      .h = side,
		      .w = side,
		      .k = c,
		      .r = 3,
		      .s = 3,
		      .p = side,
		      .q = side,
		      .stride = 1,
		      .padding = 1,
		      .groups = 1 };
	int64_t nx = n * side * side * c, nw = c * c * 9;
	float *x = support_normals(nx, 11, 1), *w = support_normals(nw, 11, 2);
	float *y[2] = { malloc((size_t)nx * 4), malloc((size_t)nx * 4) },
	      *dw[2] = { malloc((size_t)nw * 4), malloc((size_t)nw * 4) };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bl_threads_set(2 * i + 1), 0);
		assert_int_equal(bl_winograd_forward(&g, x, w, NULL, y[i]), 0);
		assert_int_equal(bl_winograd_weight_gradient(&g, x, y[0], dw[i], false), 0);
	}
	bl_threads_set(0);
	assert_memory_equal(y[0], y[1], (size_t)nx * 4);
	assert_memory_equal(dw[0], dw[1], (size_t)nw * 4);
	for (int i = 0; i < 2; i++) {
		free(y[i]);
		free(dw[i]);
	}
	free(x);
	free(w);
}

static void threads(void **state)
{
	(void)state;
	same_bits(12, 32, 16);
	same_bits(12, 192, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees),  cmocka_unit_test(agrees_by_columns),     cmocka_unit_test(bias),
		cmocka_unit_test(threads), cmocka_unit_test(support_other_kernels),
	};
	return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
