/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_losses.c: all losses, through their interface: any number of views, chunks, settings, and a loss of the caller. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/loss.h>
#include <barlow/memory.h>
#include <barlow/nn.h>
#include <barlow/parallel.h>

#include <math.h>
#include <string.h>

enum { N = 12, D = 5, VIEWS = 4 };

/* V views of the same points, each with different noise. */
static void make_views(bl_tensor *z[VIEWS], int64_t n, int64_t d)
{
	bl_tensor *point = bl_tensor_new(2, (int64_t[]){ n, d }), *noise = bl_tensor_new(2, (int64_t[]){ n, d });
	bl_tensor_normal(point, 7, 0, 0, 1);
	for (int v = 0; v < VIEWS; v++) {
		bl_tensor_normal(noise, 7, (uint32_t)v + 1, 0, .5f);
		z[v] = bl_add(point, noise);
	}
	bl_tensor_unref(point);
	bl_tensor_unref(noise);
}

static void drop(bl_tensor *z[VIEWS])
{
	for (int v = 0; v < VIEWS; v++)
		bl_tensor_unref(z[v]);
}

static void the_list_begins_with_barlow_and_makes_all(void **state)
{
	(void)state;
	assert_string_equal(bl_loss_kind(0)->name, "barlow");
	for (int i = 0; bl_loss_kind(i); i++) {
		bl_tensor *z[VIEWS];
		bl_loss_result r;
		make_views(z, N, D);
		bl_loss *l = bl_loss_of(bl_loss_kind(i)->name);
		assert_ptr_equal(bl_loss_ops_of(l), bl_loss_kind(i));
		bl_tensor *y = bl_loss_forward(l, NULL, z, 2, NULL, &r);
		assert_non_null(y);
		assert_close((double)bl_tensor_data(y)[0], r.total, 1e-5 * fabs(r.total));
		assert_true(bl_loss_terms(l) > 0 && bl_loss_ops_of(l)->help);
		bl_tensor_unref(y);
		bl_loss_unref(l);
		drop(z);
	}
	assert_null(bl_loss_of("barlw"));
	assert_error("there is no loss 'barlw' (did you mean 'barlow'?)");
}

/* sum_{a<b} ||C_ab||_F^2 = (||sum_a G_a||_F^2 - sum_a ||G_a||_F^2) / (2 N^2), computed from C. */
static void more_views_are_the_sum_over_their_pairs(void **state)
{
	(void)state;
	bl_tensor *z[VIEWS];
	bl_loss_result r;
	double invariance = 0, redundancy = 0;
	make_views(z, N, D);
	for (int a = 0; a < VIEWS; a++)
		for (int b = a + 1; b < VIEWS; b++) {
			bl_tensor *c = bl_loss_correlation(BL_DIALECT_PAPER, z[a], z[b]);
			for (int i = 0; i < D * D; i++) {
				double v = (double)bl_tensor_data(c)[i];
				if (i % (D + 1) == 0)
					invariance += (1 - v) * (1 - v);
				else
					redundancy += v * v;
			}
			bl_tensor_unref(c);
		}
	bl_loss *l = bl_loss_barlow(&(bl_barlow_config){ .1, 2, BL_FORM_GRAM, BL_DIALECT_PAPER, 1 });
	bl_tensor *y = bl_loss_forward(l, NULL, z, VIEWS, NULL, &r);
	assert_close(r.term[0], invariance, 1e-4);
	assert_close(r.term[1], redundancy, 1e-4);
	assert_close(r.total, 2 * (invariance + .1 * redundancy), 1e-3);
	assert_close((double)bl_tensor_data(y)[0], r.total, 1e-3);
	bl_tensor_unref(y);
	bl_loss_unref(l);
	drop(z);
}

/* The memory that the graph of a loss of V views uses. */
static size_t kept_by(bl_barlow_form form, int views, int64_t n, int64_t d)
{
	bl_tensor *z[VIEWS];
	bl_memory_stats before, after;
	bl_loss_result r;
	make_views(z, n, d);
	for (int v = 0; v < VIEWS; v++)
		bl_tensor_set_requires_grad(z[v], true);
	bl_loss *l = bl_loss_barlow(&(bl_barlow_config){ .1, 1, form, BL_DIALECT_PAPER, 1 });
	bl_memory(&before);
	bl_tensor *y = bl_loss_forward(l, NULL, z, views, NULL, &r);
	bl_memory(&after);
	assert_non_null(y);
	bl_tensor_unref(y);
	bl_loss_unref(l);
	drop(z);
	return after.used - before.used;
}

/* Each view has one Gram matrix (N,N) for all its pairs: 4 views use 4 matrices, not 12 for 6 pairs. */
static void each_view_has_one_gram_matrix(void **state)
{
	(void)state;
	enum { WIDE = 256, LOW = 8 };
	double one = sizeof(float) * WIDE * WIDE;
	int threads = bl_threads();
	bl_threads_set(1); /* the scratch memory of other threads would be counted as well */
	kept_by(BL_FORM_GRAM, 2, WIDE, LOW);
	assert_close((double)kept_by(BL_FORM_GRAM, 2, WIDE, LOW) / one, 2, .2);
	assert_close((double)kept_by(BL_FORM_GRAM, VIEWS, WIDE, LOW) / one, VIEWS, .4);
	bl_threads_set(threads);
}

/* The result has the same bits as the sum over separate pairs, although pairs share Gram matrices. */
static void shared_gram_matrices_change_nothing(void **state)
{
	(void)state;
	static const bl_loss_dialect dialects[] = { BL_DIALECT_PAPER, BL_DIALECT_ALGORITHM1, BL_DIALECT_HSIC, BL_DIALECT_UNBIASED };
	/* With the first size z is computed again, with the second it is stored. */
	static const int64_t sizes[][2] = { { 40, 300 }, { 530, 70 } };
	for (int k = 0; k < 8; k++) {
		bl_tensor *z[VIEWS], *sum = NULL;
		bl_barlow_config c = { .1, 2, BL_FORM_GRAM, dialects[k / 2], 1.5 };
		bl_loss_result r;
		double total = 0;
		make_views(z, sizes[k % 2][0], sizes[k % 2][1]);
		for (int v = 0; v < VIEWS; v++)
			bl_tensor_set_requires_grad(z[v], true);
		for (int a = 0; a < VIEWS; a++)
			for (int b = a + 1; b < VIEWS; b++) {
				bl_barlow_terms t;
				bl_tensor *pair = bl_barlow(&c, z[a], z[b], &t), *before = sum;
				sum = before ? bl_add(before, pair) : bl_tensor_ref(pair);
				bl_tensor_unref(before);
				bl_tensor_unref(pair);
				total += t.total;
			}
		bl_tensor *want[VIEWS];
		assert_int_equal(bl_backward(sum, NULL), 0);
		for (int v = 0; v < VIEWS; v++) {
			want[v] = bl_tensor_clone(bl_tensor_grad(z[v]));
			bl_tensor_zero_grad(z[v]);
		}
		bl_loss *l = bl_loss_barlow(&c);
		bl_tensor *y = bl_loss_forward(l, NULL, z, VIEWS, NULL, &r);
		assert_non_null(y);
		assert_int_equal(bl_backward(y, NULL), 0);
		assert_true(r.total == total);
		for (int v = 0; v < VIEWS; v++) {
			assert_memory_equal(bl_tensor_data(bl_tensor_grad(z[v])), bl_tensor_data(want[v]),
			                    (size_t)bl_tensor_count(want[v]) * sizeof(float));
			bl_tensor_unref(want[v]);
		}
		bl_tensor_unref(y);
		bl_tensor_unref(sum);
		bl_loss_unref(l);
		drop(z);
	}
}

static void the_settings_of_a_call_go_before_its_own(void **state)
{
	(void)state;
	bl_tensor *z[VIEWS];
	bl_loss_result own, turned;
	double settings[BL_LOSS_ROOM];
	make_views(z, N, D);
	bl_loss *l = bl_loss_of("barlow");
	const bl_field *lambda = bl_loss_turn(l);
	assert_string_equal(lambda->name, "lambda");
	bl_loss_settings_copy(l, settings, NULL);
	bl_field_set(lambda, settings, &(double){ .5 }, 1);
	bl_tensor_unref(bl_loss_forward(l, NULL, z, 2, NULL, &own));
	bl_tensor_unref(bl_loss_forward(l, settings, z, 2, NULL, &turned));
	assert_close(own.total, own.term[0] + .0051 * own.term[1], 1e-9);
	assert_close(turned.total, own.term[0] + .5 * own.term[1], 1e-9);
	bl_loss_unref(l);
	drop(z);
}

typedef struct check {
	const bl_loss *loss;
	int views;
} check;

static bl_tensor *forward_of(void *ctx, bl_tensor *const *in)
{
	const check *c = ctx;
	return bl_loss_forward(c->loss, NULL, in, c->views, NULL, NULL);
}

/* The numbers of views that are tested: two, and three if the loss accepts them. */
static int most_views(const bl_loss_ops *ops)
{
	return ops->views == 2 ? 2 : 3;
}

static void gradients_are_those_of_differences(void **state)
{
	(void)state;
	for (int i = 0; bl_loss_kind(i); i++)
		for (int views = 2; views <= most_views(bl_loss_kind(i)); views++) {
			bl_tensor *z[VIEWS];
			make_views(z, 6, 4);
			for (int v = 0; v < views; v++) {
				for (int k = 0; k < 6 * 4; k++) /* such small deviations are far from the kink of VICReg's hinge */
					bl_tensor_data(z[v])[k] *= .4f;
				bl_tensor_set_requires_grad(z[v], true);
			}
			bl_loss *l = bl_loss_of(bl_loss_kind(i)->name);
			double worst = bl_gradcheck(forward_of, &(check){ l, views }, z, views, 5e-3f);
			if (!(worst >= 0 && worst < 1e-2))
				fail_msg("loss.%s of %d views: %g: %s", bl_loss_kind(i)->name, views, worst, bl_error());
			bl_loss_unref(l);
			drop(z);
		}
}

/* --- VICReg by its definition, in double precision ---------------------------------------- */

static double moment(const bl_tensor *z, int i, int j)
{
	double mi = 0, mj = 0, sum = 0;
	const float *x = bl_tensor_data((bl_tensor *)z);
	for (int n = 0; n < N; n++) {
		mi += (double)x[n * D + i] / N;
		mj += (double)x[n * D + j] / N;
	}
	for (int n = 0; n < N; n++)
		sum += ((double)x[n * D + i] - mi) * ((double)x[n * D + j] - mj);
	return sum / (N - 1);
}

static void vicreg_is_its_definition(void **state)
{
	(void)state;
	bl_tensor *z[VIEWS];
	bl_loss_result r;
	double want[3] = { 0 };
	make_views(z, N, D);
	for (int k = 0; k < N * D; k++)
		want[0] += pow((double)(bl_tensor_data(z[0])[k] - bl_tensor_data(z[1])[k]), 2) / (N * D);
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < D; i++)
			for (int j = 0; j < D; j++) {
				double m = moment(z[v], i, j);
				want[1] += i == j ? fmax(0, 1 - sqrt(m + 1e-4)) / D / 2 : 0;
				want[2] += i == j ? 0 : m * m / D;
			}
	bl_loss *l = bl_loss_of("vicreg");
	bl_tensor_unref(bl_loss_forward(l, NULL, z, 2, NULL, &r));
	for (int k = 0; k < 3; k++)
		assert_close(r.term[k], want[k], 1e-5);
	assert_true(want[1] > 0); /* otherwise the hinge was not tested */
	assert_close(r.total, 25 * want[0] + 25 * want[1] + want[2], 1e-4);
	assert_true(isnan(r.floor));
	bl_loss_unref(l);
	drop(z);
}

/* --- A loss of the caller ------------------------------------------------------ */

typedef struct apart {
	double weight;
} apart;

static const bl_field apart_fields[] = {
	BL_FIELD(DOUBLE, apart, weight, BL_DEFAULT(3), BL_AT_LEAST(0), .settable = true, .help = "of the only term"),
	BL_FIELD_END,
};
static const bl_loss_term apart_terms[] = { { .name = "distance", .weight = "weight" }, { .name = NULL } };

static bl_tensor *apart_forward(void *ctx, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                                bl_loss_result *out)
{
	const apart *a = settings;
	(void)views, (void)at;
	++*(int *)ctx;
	bl_tensor *d = bl_sub(z[0], z[1]), *dd = bl_mul(d, d), *m = bl_mean(dd, BL_ALL, false);
	out->term[0] = (double)bl_tensor_data(m)[0];
	out->total = a->weight * out->term[0];
	bl_tensor *y = bl_affine(m, (float)a->weight, 0);
	bl_tensor_unref(d);
	bl_tensor_unref(dd);
	bl_tensor_unref(m);
	return y;
}

static void apart_release(void *ctx)
{
	*(int *)ctx = -1;
}

static const bl_loss_ops apart_ops = { .name = "apart",
	                               .help = "Mean squared distance.",
	                               .fields = apart_fields,
	                               .terms = apart_terms,
	                               .views = 2,
	                               .forward = apart_forward,
	                               .release = apart_release };

static void a_table_of_the_caller_is_a_loss(void **state)
{
	(void)state;
	int calls = 0;
	bl_tensor *z[VIEWS];
	bl_loss_result r;
	bl_loss_dialect dialect = BL_DIALECT_HSIC;
	make_views(z, N, D);
	bl_loss *l = bl_loss_new(&apart_ops, &(apart){ 2 }, &calls);
	bl_tensor_unref(bl_loss_forward(l, NULL, z, 2, NULL, &r));
	assert_int_equal(calls, 1);
	assert_close(r.total, 2 * r.term[0], 1e-9);
	assert_true(isnan(r.floor) && isnan(bl_loss_floor(l, NULL, 2, N, D)));
	assert_false(bl_loss_matrix(l, NULL, &dialect));
	assert_int_equal(dialect, BL_DIALECT_PAPER);
	assert_null(bl_loss_forward(l, NULL, z, 3, NULL, NULL));
	assert_error("loss.apart: 3 views: expected 2");
	bl_loss *also = bl_loss_ref(l);
	bl_loss_unref(l);
	assert_int_equal(calls, 1);
	bl_loss_unref(also);
	assert_int_equal(calls, -1);
	assert_null(bl_loss_new(&apart_ops, &(apart){ -1 }, &calls));
	assert_error("loss.apart: 'weight' must be a number of at least 0, got -1");
	drop(z);
}

static void embeddings_that_do_not_fit_are_named(void **state)
{
	(void)state;
	bl_tensor *z[VIEWS], *other[VIEWS];
	make_views(z, N, D);
	make_views(other, N + 1, D);
	bl_loss *l = bl_loss_of("barlow");
	assert_null(bl_loss_forward(l, NULL, (bl_tensor *[]){ z[0], other[0] }, 2, NULL, NULL));
	assert_error("loss.barlow: views of different shapes: (12, 5) and (13, 5)");
	assert_null(bl_loss_forward(l, NULL, z, 1, NULL, NULL));
	assert_error("1 views: expected 2 to 16");
	bl_loss_unref(l);
	drop(z);
	drop(other);
}

/* --- Chunks ------------------------------------------------------------------- */

static bl_tensor *rows(bl_tensor *x, int64_t from, int64_t n)
{
	bool recording = bl_grad_enable(false);
	bl_tensor *part = bl_narrow(x, 0, from, n);
	bl_grad_enable(recording);
	return part;
}

/* With chunks of unequal size, the parameters of a network get the gradients of the whole batch. */
static void check_chunks(const char *kind, int views)
{
	static const int64_t at[] = { 0, 5, 6, N };
	bl_tensor *x[VIEWS], *z[VIEWS];
	bl_loss_result whole, parts;
	bl_module *net = bl_nn_linear(D, 7, true);
	bl_loss *l = bl_loss_of(kind);
	bl_params *p = bl_params_new(&net, NULL, 1);
	bl_module_init(net, 3);
	make_views(x, N, D);
	for (int v = 0; v < views; v++)
		z[v] = bl_module_forward(net, x[v]);
	bl_params_zero_grad(p);
	bl_tensor *y = bl_loss_forward(l, NULL, z, views, NULL, &whole);
	assert_int_equal(bl_backward(y, NULL), 0);
	float want[7 * D + 7 + 32];
	size_t bytes = (size_t)bl_params_count(p) * sizeof *want;
	assert_true(bytes <= sizeof want);
	memcpy(want, bl_params_grads(p), bytes);
	bl_tensor_unref(y);
	for (int v = 0; v < views; v++)
		bl_tensor_unref(z[v]);

	bl_params_zero_grad(p);
	bl_loss_chunks *c = bl_loss_chunks_new(l, NULL, views);
	for (int pass = 0; pass < 2; pass++) {
		bool recording = bl_grad_enable(pass == 1);
		for (int k = 0; k < 3; k++) {
			for (int v = 0; v < views; v++) {
				bl_tensor *part = rows(x[v], at[k], at[k + 1] - at[k]);
				z[v] = bl_module_forward(net, part);
				bl_tensor_unref(part);
			}
			assert_int_equal(pass ? bl_loss_chunks_backward(c, k, z) : bl_loss_chunks_add(c, z), 0);
			for (int v = 0; v < views; v++)
				bl_tensor_unref(z[v]);
		}
		bl_grad_enable(recording);
		if (pass == 0)
			assert_int_equal(bl_loss_chunks_finish(c, NULL, &parts), 0);
	}
	assert_true(parts.total == whole.total && parts.term[0] == whole.term[0]);
	assert_all_close(bl_params_grads(p), want, bl_params_count(p), 1e-5);
	bl_loss_chunks_free(c);
	bl_loss_unref(l);
	bl_params_free(p);
	bl_module_unref(net);
	drop(x);
}

static void chunks_give_the_gradients_of_the_whole_batch(void **state)
{
	(void)state;
	for (int i = 0; bl_loss_kind(i); i++)
		check_chunks(bl_loss_kind(i)->name, most_views(bl_loss_kind(i)));
}

static void chunks_out_of_turn_are_refused(void **state)
{
	(void)state;
	bl_tensor *z[VIEWS], *wide[VIEWS];
	make_views(z, N, D);
	make_views(wide, N, D + 1);
	bl_loss *l = bl_loss_of("barlow");
	bl_loss_chunks *c = bl_loss_chunks_new(l, NULL, 2);
	assert_int_equal(bl_loss_chunks_finish(c, NULL, NULL), -1);
	assert_error("the batch has no chunks");
	assert_int_equal(bl_loss_chunks_backward(c, 0, z), -1);
	assert_error("chunk 0: the batch is not finished");
	assert_int_equal(bl_loss_chunks_add(c, z), 0);
	assert_int_equal(bl_loss_chunks_add(c, wide), -1);
	assert_error("expected a width of 5");
	assert_int_equal(bl_loss_chunks_finish(c, NULL, NULL), 0);
	assert_int_equal(bl_loss_chunks_add(c, z), -1);
	assert_int_equal(bl_loss_chunks_finish(c, NULL, NULL), -1);
	assert_error("finished before");
	assert_int_equal(bl_loss_chunks_backward(c, 1, z), -1);
	assert_int_equal(bl_loss_chunks_backward(c, 0, wide), -1);
	assert_error("chunk 0 is (12, 6) now, it was (12, 5)");
	bl_loss_chunks_free(c);
	bl_loss_unref(l);
	drop(z);
	drop(wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_begins_with_barlow_and_makes_all),
		cmocka_unit_test(more_views_are_the_sum_over_their_pairs),
		cmocka_unit_test(each_view_has_one_gram_matrix),
		cmocka_unit_test(shared_gram_matrices_change_nothing),
		cmocka_unit_test(the_settings_of_a_call_go_before_its_own),
		cmocka_unit_test(gradients_are_those_of_differences),
		cmocka_unit_test(vicreg_is_its_definition),
		cmocka_unit_test(a_table_of_the_caller_is_a_loss),
		cmocka_unit_test(embeddings_that_do_not_fit_are_named),
		cmocka_unit_test(chunks_give_the_gradients_of_the_whole_batch),
		cmocka_unit_test(chunks_out_of_turn_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
