/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_gemm_bf16.c: products of numbers rounded to bfloat16, compared with double precision, for every set of kernels. */
#include "support.h"

#include "tensor/matrix/gemm_bf16.h"
#include "tensor/kernel/kernel.h"

#include <barlow/grad.h>
#include <barlow/parallel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bfloat16 nearest to x, ties to even; computed from the spacing of numbers, unlike in the kernels, which use the bits. */
static double nearest(float x)
{
	int e;
	if (x == 0 || !isfinite(x))
		return x;
	frexp(x, &e);
	return ldexp(nearbyint(ldexp(x, 8 - e)), e - 8);
}

/* Tests one product; the columns of c after the n-th must not change. */
static void check(bool ta, bool tb, bool add, int64_t m, int64_t n, int64_t k)
{
	int64_t lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
	float *a = support_normals((ta ? k : m) * lda, 7, 1), *b = support_normals((tb ? n : k) * ldb, 7, 2),
	      *c = support_normals(m * ldc, 7, 3);
	float *before = malloc((size_t)(m * ldc) * sizeof *before);
	double worst = 0;
	memcpy(before, c, (size_t)(m * ldc) * sizeof *c);
	assert_int_equal(bl_gemm_bf16_parallel(ta, tb, m, n, k, a, lda, b, ldb, add, c, ldc), 0);
	for (int64_t i = 0; i < m; i++) {
		for (int64_t j = 0; j < n; j++) {
			double sum = add ? before[i * ldc + j] : 0, size = fabs(sum);
			for (int64_t p = 0; p < k; p++) {
				double x = nearest(a[ta ? p * lda + i : i * lda + p]),
				       y = nearest(b[tb ? j * ldb + p : p * ldb + j]);
				sum += x * y;
				size += fabs(x * y);
			}
			worst = fmax(worst, fabs(sum - c[i * ldc + j]) / size);
		}
		assert_memory_equal(c + i * ldc + n, before + i * ldc + n, 2 * sizeof *c);
	}
	if (!(worst < 1e-6))
		fail_msg("%s%s%s %d x %d x %d: off by %g of the sum of sizes", ta ? "t" : "n", tb ? "t" : "n", add ? " added" : "",
		         (int)m, (int)n, (int)k, worst);
	free(a);
	free(b);
	free(c);
	free(before);
}

static void agrees(void **state)
{
	static const int64_t shapes[][3] = { { 1, 1, 1 },     { 2, 3, 5 },     { 5, 17, 31 },   { 13, 64, 16 },  { 12, 65, 33 },
		                             { 7, 130, 257 }, { 49, 31, 300 }, { 130, 97, 64 }, { 506, 70, 19 }, { 33, 15, 1030 } };
	(void)state;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
		for (int how = 0; how < 8; how++)
			check(how & 1, how & 2, how & 4, shapes[s][0], shapes[s][1], shapes[s][2]);
}

/* Tests the rounding of ties, the largest numbers, infinity and NaN, each multiplied by 1. */
static void rounds(void **state)
{
	static const float from[] = { 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1.02p-8f, -1 - 0x1p-8f,
		                      0x1.ffp100f, 0x1.fep127f,     0x1.ffp127f };
	static const float to[] = { 1, 1 + 0x1p-6f, 1 + 0x1p-7f, -1, 0x1p101f, 0x1.fep127f, INFINITY };
	float one = 1, c;
	(void)state;
	for (size_t i = 0; i < sizeof from / sizeof *from; i++)
		for (int how = 0; how < 4; how++) {
			assert_int_equal(bl_gemm_bf16_parallel(how & 1, how & 2, 1, 1, 1, from + i, 1, &one, 1, false, &c, 1), 0);
			assert_true(c == to[i]);
			assert_int_equal(bl_gemm_bf16_parallel(how & 1, how & 2, 1, 1, 1, &one, 1, from + i, 1, false, &c, 1), 0);
			assert_true(c == to[i]);
		}
	/* Rounding must not turn a NaN with all bits set into a number. */
	const uint32_t bits[] = { 0x7fffffff, 0xffffffff, 0x7f800001 };
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		float x;
		memcpy(&x, bits + i, sizeof x);
		assert_int_equal(bl_gemm_bf16_parallel(false, false, 1, 1, 1, &x, 1, &one, 1, false, &c, 1), 0);
		assert_true(isnan(c));
	}
}

static void empty(void **state)
{
	float c[2] = { 3, 4 };
	(void)state;
	assert_int_equal(bl_gemm_bf16_parallel(false, false, 1, 2, 0, c, 1, c, 2, true, c, 2), 0);
	assert_true(c[0] == 3 && c[1] == 4);
	assert_int_equal(bl_gemm_bf16_parallel(false, false, 1, 2, 0, c, 1, c, 2, false, c, 2), 0);
	assert_true(c[0] == 0 && c[1] == 0);
	assert_int_equal(bl_gemm_bf16_parallel(false, false, 0, 2, 5, c, 5, c, 2, false, c, 2), 0);
}

static void threads(void **state)
{
	enum { M = 600, N = 700, K = 530 };
	float *a = support_normals(M * K, 7, 1), *b = support_normals(N * K, 7, 2), *c[3];
	(void)state;
	for (int i = 0; i < 3; i++) {
		c[i] = malloc(M * N * sizeof **c);
		assert_int_equal(bl_threads_set(i + 1), 0);
		assert_int_equal(bl_gemm_bf16_parallel(true, true, M, N, K, a, M, b, K, false, c[i], N), 0);
	}
	bl_threads_set(0);
	assert_memory_equal(c[0], c[1], M * N * sizeof **c);
	assert_memory_equal(c[0], c[2], M * N * sizeof **c);
	for (int i = 0; i < 3; i++)
		free(c[i]);
	free(a);
	free(b);
}

/* --- Linear layers ---------------------------------------------------------------------- */

enum { ROWS = 33, IN = 70, OUT = 45 };

/* The result and the gradients of a linear layer for random x, w, b and dy. */
typedef struct layer {
	bl_tensor *x, *w, *b, *dy, *y;
} layer;

static bl_tensor *normal_tensor(int ndim, int64_t rows, int64_t cols, uint32_t stream)
{
	bl_tensor *t = bl_tensor_new(ndim, (int64_t[]){ rows, cols });
	assert_non_null(t);
	bl_tensor_normal(t, 7, stream, 0, 1);
	bl_tensor_set_requires_grad(t, true);
	return t;
}

static void round_tensor(bl_tensor *t)
{
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		bl_tensor_data(t)[i] = (float)nearest(bl_tensor_data(t)[i]);
}

/* Runs forward with the precision `how`, and backward after the precision was restored. */
static layer run_layer(bl_precision how, bool rounded)
{
	layer l = { normal_tensor(2, ROWS, IN, 1), normal_tensor(2, OUT, IN, 2), normal_tensor(1, OUT, 0, 3), NULL, NULL };
	l.dy = normal_tensor(2, ROWS, OUT, 4);
	bl_tensor *factors[] = { l.x, l.w, l.dy };
	for (int i = 0; rounded && i < 3; i++)
		round_tensor(factors[i]);
	assert_int_equal(bl_grad_precision(how), BL_PRECISION_FLOAT32);
	l.y = bl_linear(l.x, l.w, l.b);
	assert_int_equal(bl_grad_precision(BL_PRECISION_FLOAT32), how);
	assert_non_null(l.y);
	assert_int_equal(bl_backward(l.y, l.dy), 0);
	return l;
}

static void free_layer(layer *l)
{
	bl_tensor *all[] = { l->x, l->w, l->b, l->dy, l->y };
	for (int i = 0; i < 5; i++)
		bl_tensor_unref(all[i]);
}

static void compare(const bl_tensor *got, const bl_tensor *exact, const bl_tensor *rounded)
{
	int64_t n = bl_tensor_count(got);
	const float *g = bl_tensor_data((bl_tensor *)got), *e = bl_tensor_data((bl_tensor *)exact);
	assert_all_close(g, bl_tensor_data((bl_tensor *)rounded), n, 1e-6);
	assert_all_close(g, e, n, .01);
	bool differs = false;
	for (int64_t i = 0; i < n; i++)
		differs |= fabsf(g[i] - e[i]) > 1e-3f;
	assert_true(differs);
}

/* Forward and both gradients use rounded factors; the gradient of the bias, a sum without products, is not rounded. */
static void linear(void **state)
{
	(void)state;
	layer got = run_layer(BL_PRECISION_BF16, false), exact = run_layer(BL_PRECISION_FLOAT32, false);
	layer rounded = run_layer(BL_PRECISION_FLOAT32, true);
	compare(got.y, exact.y, rounded.y);
	compare(bl_tensor_grad(got.x), bl_tensor_grad(exact.x), bl_tensor_grad(rounded.x));
	compare(bl_tensor_grad(got.w), bl_tensor_grad(exact.w), bl_tensor_grad(rounded.w));
	assert_memory_equal(bl_tensor_data(bl_tensor_grad(got.b)), bl_tensor_data(bl_tensor_grad(exact.b)), OUT * sizeof(float));
	free_layer(&got);
	free_layer(&exact);
	free_layer(&rounded);
}

static const char *self;

/* Tests every kernel set; for a set that this CPU does not support, the best supported set is used. */
static void other_kernels(void **state)
{
	static const char *const names[] = { "avx512_bf16", "avx512", "avx2", "generic" };
	char command[4096];
	(void)state;
	if (getenv("BARLOW_KERNELS"))
		skip_because("running as one of them");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(command, sizeof command, "BARLOW_KERNELS=%s '%s' >/dev/null 2>&1", names[i], self);
		if (system(command))
			fail_msg("kernels %s failed: BARLOW_KERNELS=%s %s says why", names[i], names[i], self);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees),  cmocka_unit_test(rounds), cmocka_unit_test(empty),
		cmocka_unit_test(threads), cmocka_unit_test(linear), cmocka_unit_test(other_kernels),
	};
	(void)argc;
	self = argv[0];
	print_message("# kernels: %s\n", bl_kernel()->name);
	return cmocka_run_group_tests_name("gemm_bf16", tests, NULL, NULL);
}
