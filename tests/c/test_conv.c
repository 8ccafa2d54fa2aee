/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_conv.c: convolution and its two gradients, compared with the formula in double precision. */
#include "support.h"

#include "tensor/conv/conv.h"
#include "tensor/kernel/kernel.h"

#include <barlow/parallel.h>
#include <barlow/random.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arrays {
	bl_conv g;
	int64_t nx, nw, ny;
	float *x, *w, *b, *y, *dy;
} arrays;

static float *random_floats(int64_t n, uint32_t stream)
{
	bl_rng r;
	float *v = malloc((size_t)n * sizeof *v);
	bl_rng_init(&r, 7, 0, stream, BL_STREAM_USER);
	for (int64_t i = 0; i < n; i++)
		v[i] = bl_rng_between(&r, -1, 1);
	return v;
}

static arrays make(bl_conv g)
{
	g.p = bl_conv_outputs(g.h, g.r, g.stride, g.padding, g.gap);
	g.q = bl_conv_outputs(g.w, g.s, g.stride, g.padding, g.gap);
	arrays a = { .g = g, .nx = g.n * g.h * g.w * g.c, .nw = g.k * (g.c / g.groups) * g.r * g.s, .ny = g.n * g.p * g.q * g.k };
	a.x = random_floats(a.nx, 1);
	a.w = random_floats(a.nw, 2);
	a.dy = random_floats(a.ny, 3);
	a.b = random_floats(g.k, 4);
	a.y = malloc((size_t)a.ny * sizeof *a.y);
	return a;
}

static void drop(arrays *a)
{
	free(a->x);
	free(a->w);
	free(a->b);
	free(a->y);
	free(a->dy);
}

/* Adds all products of the convolution: x w to y, dy w to dx, x dy to dw. */
static void naive(const arrays *a, double *y, double *dx, double *dw)
{
	bl_conv g = a->g;
	int64_t cg = g.c / g.groups, kg = g.k / g.groups;
	for (int64_t n = 0; n < g.n; n++)
		for (int64_t p = 0; p < g.p; p++)
			for (int64_t q = 0; q < g.q; q++)
				for (int64_t k = 0; k < g.k; k++)
					for (int64_t r = 0; r < g.r; r++)
						for (int64_t s = 0; s < g.s; s++)
							for (int64_t c = 0; c < cg; c++) {
								int64_t i = p * g.stride + r * (g.gap + 1) - g.padding,
									j = q * g.stride + s * (g.gap + 1) - g.padding;
								if (i < 0 || j < 0 || i >= g.h || j >= g.w)
									continue;
								int64_t xi = ((n * g.h + i) * g.w + j) * g.c + k / kg * cg + c,
									yi = ((n * g.p + p) * g.q + q) * g.k + k;
								int64_t wi = ((k * cg + c) * g.r + r) * g.s + s;
								y[yi] += (double)a->x[xi] * a->w[wi];
								dx[xi] += (double)a->dy[yi] * a->w[wi];
								dw[wi] += (double)a->x[xi] * a->dy[yi];
							}
}

/* Largest error relative to the largest value. */
static double worst(const float *got, const double *want, int64_t n)
{
	double error = 0, scale = 1e-30;
	for (int64_t i = 0; i < n; i++) {
		error = fmax(error, isnan(got[i]) ? INFINITY : fabs(got[i] - want[i]));
		scale = fmax(scale, fabs(want[i]));
	}
	return error / scale;
}

static void check(bl_conv g)
{
	arrays a = make(g);
	double *y = calloc((size_t)a.ny, sizeof *y), *dx = calloc((size_t)a.nx, sizeof *dx), *dw = calloc((size_t)a.nw, sizeof *dw);
	float *gx = calloc((size_t)a.nx, sizeof *gx), *gw = calloc((size_t)a.nw, sizeof *gw);
	naive(&a, y, dx, dw);
	assert_int_equal(bl_conv_forward(&a.g, a.x, a.w, NULL, a.y), 0);
	assert_true(worst(a.y, y, a.ny) < 2e-6);
	for (int64_t i = 0; i < a.ny; i++)
		y[i] += a.b[i % g.k];
	assert_int_equal(bl_conv_forward(&a.g, a.x, a.w, a.b, a.y), 0);
	assert_true(worst(a.y, y, a.ny) < 2e-6);
	for (int add = 0; add < 2; add++) {
		assert_int_equal(bl_conv_data_gradient(&a.g, a.dy, a.w, gx, add), 0);
		assert_int_equal(bl_conv_weight_gradient(&a.g, a.x, a.dy, gw, add), 0);
		assert_true(worst(gx, dx, a.nx) < 2e-6);
		assert_true(worst(gw, dw, a.nw) < 2e-6);
		for (int64_t i = 0; i < a.nx; i++)
			dx[i] *= 2;
		for (int64_t i = 0; i < a.nw; i++)
			dw[i] *= 2;
	}
	free(y);
	free(dx);
	free(dw);
	free(gx);
	free(gw);
	drop(&a);
}

static void shapes(void **state)
{
	static const bl_conv cases[] = {
		{ .n = 3, .c = 1, .h = 9, .w = 7, .k = 16, .r = 3, .s = 3, .stride = 1, .padding = 1, .groups = 1 },
		{ .n = 2, .c = 3, .h = 11, .w = 11, .k = 5, .r = 7, .s = 7, .stride = 2, .padding = 3, .groups = 1 },
		{ .n = 5, .c = 16, .h = 8, .w = 8, .k = 32, .r = 3, .s = 3, .stride = 2, .padding = 1, .groups = 1 },
		{ .n = 2, .c = 70, .h = 5, .w = 6, .k = 83, .r = 3, .s = 3, .stride = 1, .padding = 1, .groups = 1 },
		{ .n = 4, .c = 64, .h = 7, .w = 7, .k = 64, .r = 1, .s = 1, .stride = 2, .padding = 0, .groups = 1 },
		{ .n = 2, .c = 24, .h = 6, .w = 9, .k = 48, .r = 5, .s = 3, .stride = 3, .padding = 2, .groups = 2 },
		{ .n = 2, .c = 12, .h = 6, .w = 6, .k = 12, .r = 3, .s = 3, .stride = 1, .padding = 1, .groups = 12 },
		{ .n = 1, .c = 200, .h = 4, .w = 4, .k = 130, .r = 3, .s = 3, .stride = 1, .padding = 0, .groups = 1 },
		{ .n = 1, .c = 13, .h = 3, .w = 3, .k = 1, .r = 3, .s = 3, .stride = 1, .padding = 2, .groups = 1 },
		{ .n = 3, .c = 16, .h = 2, .w = 3, .k = 20, .r = 5, .s = 5, .stride = 2, .padding = 4, .groups = 1 },
		{ .n = 40, .c = 2, .h = 2, .w = 3, .k = 7, .r = 2, .s = 2, .stride = 1, .padding = 0, .groups = 1 },
		{ .n = 2, .c = 1, .h = 11, .w = 9, .k = 5, .r = 3, .s = 3, .stride = 1, .padding = 2, .groups = 1, .gap = 1 },
		{ .n = 3, .c = 16, .h = 12, .w = 10, .k = 32, .r = 3, .s = 3, .stride = 1, .padding = 2, .groups = 1, .gap = 1 },
		{ .n = 2, .c = 33, .h = 13, .w = 16, .k = 20, .r = 3, .s = 2, .stride = 2, .padding = 3, .groups = 1, .gap = 2 },
		{ .n = 2, .c = 24, .h = 9, .w = 9, .k = 12, .r = 2, .s = 5, .stride = 3, .padding = 4, .groups = 4, .gap = 1 },
		{ .n = 2, .c = 70, .h = 8, .w = 8, .k = 70, .r = 3, .s = 3, .stride = 2, .padding = 0, .groups = 1, .gap = 1 },
		{ .n = 1, .c = 3, .h = 5, .w = 5, .k = 2, .r = 3, .s = 3, .stride = 1, .padding = 0, .groups = 1, .gap = 1 },
		/* the second block of 2048 pixels of the weight gradient begins within a line and ends two lines later */
		{ .n = 1, .c = 1, .h = 45, .w = 47, .k = 8, .r = 3, .s = 3, .stride = 1, .padding = 1, .groups = 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check(cases[i]);
}

/* Is oneDNN built in? */
static bool with_onednn(void)
{
	bool found = false;
	for (int a = 0; bl_conv_algorithms()[a]; a++)
		found = found || a == BL_CONV_ONEDNN;
	return found;
}

static void by_onednn(void **state, void (*test)(void **))
{
	if (!with_onednn())
		skip_because("barlow is built without it");
	bl_conv_force(BL_CONV_ONEDNN);
	test(state);
	bl_conv_force(BL_CONV_GATHER);
}

static void shapes_onednn(void **state)
{
	by_onednn(state, shapes);
}

/* The same bits with 1, 2 and 3 threads. */
static void threads(void **state)
{
	bl_conv g = { .n = 20, .c = 32, .h = 14, .w = 14, .k = 48, .r = 3, .s = 3, .stride = 2, .padding = 1, .groups = 1 };
	arrays a = make(g);
	float *first = malloc((size_t)a.ny * sizeof *first), *dw = malloc((size_t)a.nw * sizeof *dw),
	      *dw1 = malloc((size_t)a.nw * sizeof *dw1);
	float *dx = malloc((size_t)a.nx * sizeof *dx), *dx1 = malloc((size_t)a.nx * sizeof *dx1);
	(void)state;
	for (int n = 1; n <= 3; n++) {
		assert_int_equal(bl_threads_set(n), 0);
		assert_int_equal(bl_conv_forward(&a.g, a.x, a.w, NULL, a.y), 0);
		assert_int_equal(bl_conv_weight_gradient(&a.g, a.x, a.dy, dw, false), 0);
		assert_int_equal(bl_conv_data_gradient(&a.g, a.dy, a.w, dx, false), 0);
		if (n == 1) {
			memcpy(dx1, dx, (size_t)a.nx * sizeof *dx);
			memcpy(first, a.y, (size_t)a.ny * sizeof *first);
			memcpy(dw1, dw, (size_t)a.nw * sizeof *dw);
		}
		assert_memory_equal(first, a.y, (size_t)a.ny * sizeof *first);
		assert_memory_equal(dw1, dw, (size_t)a.nw * sizeof *dw);
		assert_memory_equal(dx1, dx, (size_t)a.nx * sizeof *dx);
	}
	bl_threads_set(0);
	free(first);
	free(dw);
	free(dw1);
	free(dx);
	free(dx1);
	drop(&a);
}

static void threads_onednn(void **state)
{
	by_onednn(state, threads);
}

/* The panels together cover all columns, and a kernel exists for each of them. */
static void panels(void **state)
{
	const bl_kernels *k = bl_kernel();
	(void)state;
	for (int64_t cols = 1; cols < 200; cols++) {
		int64_t at = 0;
		while (at < cols) {
			int v = bl_panel_vectors(k, at, cols);
			assert_true(k->heights[v] > 0 && k->heights[v] <= BL_TILE_ROWS);
			at += v * k->lanes;
		}
		assert_true(at - cols < k->lanes);
	}
}

int main(void)
{
	bl_conv_force(BL_CONV_GATHER);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),         cmocka_unit_test(threads), cmocka_unit_test(shapes_onednn),
		cmocka_unit_test(threads_onednn), cmocka_unit_test(panels),  cmocka_unit_test(support_other_kernels),
	};
	return cmocka_run_group_tests_name("conv", tests, NULL, NULL);
}
