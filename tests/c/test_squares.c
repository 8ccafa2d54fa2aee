/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_squares.c: root mean squares over cells of C by both methods, compared with plain loops in double precision; estimates
 * from samples of the batch for many keys, compared with the stated error; the largest off-diagonal elements.
 */
#include "support.h"

#include <barlow/loss.h>
#include <barlow/parallel.h>
#include <barlow/random.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_MOST = 70, D_MOST = 400, CELLS_MOST = 40 * 40 };

static double z[2][D_MOST][N_MOST], c[D_MOST][D_MOST];

static void standardise(const bl_tensor *x, int64_t n, int64_t d, double (*out)[N_MOST])
{
	for (int64_t j = 0; j < d; j++) {
		double mean = 0, var = 0;
		for (int64_t i = 0; i < n; i++)
			mean += (double)bl_tensor_data(x)[i * d + j] / (double)n;
		for (int64_t i = 0; i < n; i++)
			var += pow((double)bl_tensor_data(x)[i * d + j] - mean, 2) / (double)n;
		for (int64_t i = 0; i < n; i++)
			out[j][i] = ((double)bl_tensor_data(x)[i * d + j] - mean) / sqrt(var + 1e-5);
	}
}

static void make_c(bl_tensor *const x[2], int64_t n, int64_t d)
{
	for (int v = 0; v < 2; v++)
		standardise(x[v], n, d, z[v]);
	for (int64_t i = 0; i < d; i++)
		for (int64_t j = 0; j < d; j++) {
			c[i][j] = 0;
			for (int64_t k = 0; k < n; k++)
				c[i][j] += z[0][i][k] * z[1][j][k] / (double)n;
		}
}

/* `shared` is the weight of a component that both views, and all dimensions that are equal modulo 7, have in common. */
static void make_views(bl_tensor *x[2], int64_t n, int64_t d, float shared)
{
	bl_tensor *common = bl_tensor_new(2, (int64_t[]){ n, 7 });
	bl_tensor_normal(common, 5, 9, 0, 1);
	for (int v = 0; v < 2; v++) {
		x[v] = bl_tensor_new(2, (int64_t[]){ n, d });
		bl_tensor_normal(x[v], 5, (uint32_t)v, 1, 1);
		for (int64_t i = 0; i < n * d; i++)
			bl_tensor_data(x[v])[i] += shared * bl_tensor_data(common)[i / d * 7 + i % d % 7];
	}
	bl_tensor_unref(common);
	make_c(x, n, d);
}

static void free_views(bl_tensor *x[2])
{
	bl_tensor_unref(x[0]);
	bl_tensor_unref(x[1]);
}

/* --- Cells ------------------------------------------------------------------------- */

struct want {
	double rms, diagonal; /* NAN: the cell has no such elements */
};

static struct want cell_of(const bl_loss_side *rows, const bl_loss_side *cols, int i, int j)
{
	int64_t r0, r1, c0, c1, on = 0;
	double square = 0, diagonal = 0;
	bl_chunk_range(rows->n, rows->cells, i, &r0, &r1);
	bl_chunk_range(cols->n, cols->cells, j, &c0, &c1);
	for (int64_t y = r0; y < r1; y++)
		for (int64_t x = c0; x < c1; x++) {
			double v = c[rows->dims[y]][cols->dims[x]];
			bool is = rows->dims[y] == cols->dims[x];
			on += is;
			diagonal += is ? v : 0;
			square += is ? 0 : v * v;
		}
	int64_t off = (r1 - r0) * (c1 - c0) - on;
	return (struct want){ off ? sqrt(square / (double)off) : 0, on ? diagonal / (double)on : NAN };
}

/* Values near 0 have fewer correct digits, since they are differences of larger numbers in Gram matrices. */
static void check_cells(const bl_loss_side *rows, const bl_loss_side *cols, const float *rms, const float *diagonal,
                        double tolerance)
{
	for (int i = 0; i < rows->cells; i++)
		for (int j = 0; j < cols->cells; j++) {
			struct want w = cell_of(rows, cols, i, j);
			assert_close(pow((double)rms[i * cols->cells + j], 2), w.rms * w.rms, tolerance * (.01 + w.rms * w.rms));
			assert_true(isnan(w.diagonal) == isnan(diagonal[i * cols->cells + j]));
			if (!isnan(w.diagonal))
				assert_close((double)diagonal[i * cols->cells + j], w.diagonal, 3e-6);
		}
}

/* Tests both methods; bits do not depend on the number of threads. */
static void check_region(bl_tensor *const x[2], int64_t n, const bl_loss_side *rows, const bl_loss_side *cols)
{
	static float mean[CELLS_MOST], extreme[CELLS_MOST], rms[CELLS_MOST], diagonal[CELLS_MOST], again[CELLS_MOST];
	bl_loss_cells cells = { .mean = mean, .extreme = extreme, .rms = rms, .diagonal = diagonal };
	assert_int_equal(bl_loss_region(BL_DIALECT_PAPER, x[0], x[1], rows, cols, &cells), 0);
	check_cells(rows, cols, rms, diagonal, 4e-6);
	for (int threads = 1; threads <= 3; threads++) {
		bl_loss_rms out = { .rms = rms, .diagonal = diagonal, .samples = n };
		bl_threads_set(threads);
		assert_int_equal(bl_loss_rms_of(BL_DIALECT_PAPER, x[0], x[1], rows, cols, &out), 0);
		assert_int_equal(out.samples, n);
		assert_close(out.error, 0, 0);
		check_cells(rows, cols, rms, diagonal, 1e-5);
		if (threads > 1)
			assert_memory_equal(rms, again, (size_t)(rows->cells * cols->cells) * sizeof *rms);
		memcpy(again, rms, sizeof rms);
	}
	bl_threads_set(0);
}

static void every_cell_is_that_of_c(void **state)
{
	static const struct {
		int64_t n, d;
		float shared;
	} sizes[] = { { 64, 24, 1 }, { 33, 150, .2f }, { 9, 300, 2 }, { 70, 40, 0 } };
	(void)state;
	for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
		int64_t n = sizes[k].n, d = sizes[k].d;
		int32_t dims[D_MOST], turned[D_MOST];
		bl_tensor *x[2];
		make_views(x, n, d, sizes[k].shared);
		for (int32_t i = 0; i < d; i++) {
			dims[i] = i;
			turned[i] = (int32_t)((i * 7 + 3) % d); /* a permutation, since 7 divides none of the widths */
		}
		int side = d < 40 ? (int)d : 40;
		check_region(x, n, &(bl_loss_side){ dims, d, side }, &(bl_loss_side){ dims, d, side });
		check_region(x, n, &(bl_loss_side){ dims, d, 7 }, &(bl_loss_side){ turned, d, 5 });
		check_region(x, n, &(bl_loss_side){ dims + 3, d / 2, 6 }, &(bl_loss_side){ dims, d / 2, 9 });
		check_region(x, n, &(bl_loss_side){ turned + d / 2, d / 3, 1 }, &(bl_loss_side){ turned + d / 4, d / 2, 3 });
		free_views(x);
	}
}

/* --- Samples --------------------------------------------------------------------------- */

enum { KEYS = 400, SAMPLES = 20, GRID = 6, D_SAMPLED = 120, N_SAMPLED = 60 };

/* The mean square over all keys is the exact value within four standard errors of the mean; the deviation is as stated. */
static void check_samples(float shared)
{
	static float rms[KEYS][GRID * GRID], diagonal[GRID * GRID];
	int32_t dims[D_SAMPLED];
	double stated = 0, seen = 0;
	bl_tensor *x[2];
	make_views(x, N_SAMPLED, D_SAMPLED, shared);
	for (int32_t i = 0; i < D_SAMPLED; i++)
		dims[i] = i;
	bl_loss_side side = { dims, D_SAMPLED, GRID };
	for (int key = 0; key < KEYS; key++) {
		bl_loss_rms out = { .rms = rms[key], .diagonal = diagonal, .samples = SAMPLES, .key = (uint64_t)key };
		assert_int_equal(bl_loss_rms_of(BL_DIALECT_PAPER, x[0], x[1], &side, &side, &out), 0);
		assert_true(out.samples == SAMPLES && out.error > 0);
		stated += out.error * out.error / KEYS;
	}
	for (int k = 0; k < GRID * GRID; k++) {
		double want = pow(cell_of(&side, &side, k / GRID, k % GRID).rms, 2), mean = 0, var = 0;
		for (int key = 0; key < KEYS; key++)
			mean += pow((double)rms[key][k], 2) / KEYS;
		for (int key = 0; key < KEYS; key++)
			var += pow(pow((double)rms[key][k], 2) - mean, 2) / (KEYS - 1);
		assert_close(mean, want, 4 * sqrt(var / KEYS));
		assert_true(sqrt(var / KEYS) < .05 * want); /* otherwise the comparison above would prove nothing */
		seen += k / GRID == k % GRID ? 0 : var / (4 * want * want) / (GRID * (GRID - 1));
	}
	print_message("# shared %g: error stated %.4f, seen %.4f\n", (double)shared, sqrt(stated), sqrt(seen));
	assert_close(sqrt(stated) / sqrt(seen), 1, .2);
	free_views(x);
}

static void a_sample_is_unbiased_and_states_its_error(void **state)
{
	(void)state;
	check_samples(0);
	check_samples(.5f);
	check_samples(2);
}

/* The mean square of chance is 1 / (N - 1). */
static void chance_is_as_derived(void **state)
{
	enum { N = 33, D = 400 };
	float rms[4], diagonal[4];
	int32_t dims[D];
	bl_tensor *x[2];
	(void)state;
	make_views(x, N, D, 0);
	for (int32_t i = 0; i < D; i++)
		dims[i] = i;
	bl_loss_side side = { dims, D, 2 };
	bl_loss_rms out = { .rms = rms, .diagonal = diagonal, .samples = N };
	assert_int_equal(bl_loss_rms_of(BL_DIALECT_PAPER, x[0], x[1], &side, &side, &out), 0);
	for (int k = 0; k < 4; k++)
		assert_close((double)rms[k] * sqrt(N - 1), 1, .03);
	free_views(x);
}

/* --- Pairs -------------------------------------------------------------------------------- */

static void the_largest_pairs_are_found(void **state)
{
	enum { N = 24, D = 150, PAIRS = 10 };
	static float mean[100], extreme[100], rms[100], diagonal[100];
	bl_loss_pair pair[PAIRS + 1] = { { 0, 0, 0 } };
	int32_t dims[D];
	bl_tensor *x[2];
	(void)state;
	make_views(x, N, D, .4f);
	for (int32_t i = 0; i < D; i++)
		dims[i] = (i * 7 + 3) % D;
	bl_loss_side side = { dims, D, 10 };
	bl_loss_cells cells = { mean, extreme, rms, diagonal, pair, PAIRS };
	assert_int_equal(bl_loss_region(BL_DIALECT_PAPER, x[0], x[1], &side, &side, &cells), 0);
	assert_int_equal(cells.pairs, PAIRS);
	for (int k = 0; k < PAIRS; k++) {
		int larger = 0;
		assert_int_not_equal(pair[k].i, pair[k].j);
		assert_close((double)pair[k].value, c[pair[k].i][pair[k].j], 3e-6);
		for (int i = 0; i < D; i++)
			for (int j = 0; j < D; j++)
				larger += i != j && fabs(c[i][j]) > fabs((double)pair[k].value) + 1e-5;
		assert_int_equal(larger, k);
	}
	assert_int_equal(pair[PAIRS].i, 0);
	free_views(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_that_of_c),
		cmocka_unit_test(a_sample_is_unbiased_and_states_its_error),
		cmocka_unit_test(chance_is_as_derived),
		cmocka_unit_test(the_largest_pairs_are_found),
	};
	return cmocka_run_group_tests_name("squares", tests, NULL, NULL);
}
