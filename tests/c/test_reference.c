/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_reference.c: compares the engine with PyTorch in float64, by the vectors of tests/reference/make.py.
 *
 * A file is one flat array of records, which are read here in the order in which make.py wrote them.  Inputs are drawn from
 * the same streams as in make.py.  Unless stated otherwise, results of forward may differ by 1e-5 of the largest element, and
 * gradients by 1e-4.
 */
#include "support.h"

#include <barlow/error.h>
#include <barlow/loss.h>
#include <barlow/optim.h>
#include <barlow/random.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 20210304 };
#define FORWARD 1e-5
#define BACKWARD 1e-4

static bl_tensor *file;
static int64_t at;

static void open_file(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "tests/reference/%s.npy", name);
	file = bl_npy_load(support_source(path));
	if (!file)
		fail_msg("%s", bl_error());
	at = 0;
}

static bool more(void)
{
	return at < bl_tensor_count(file);
}

static const float *take(int64_t n)
{
	assert_true(at + n <= bl_tensor_count(file));
	at += n;
	return bl_tensor_data(file) + at - n;
}

static int64_t number(void)
{
	return (int64_t)*take(1);
}

static void close_file(void)
{
	bl_tensor_unref(file);
	file = NULL;
}

static bl_tensor *drawn(uint32_t stream, float lo, float hi, int ndim, const int64_t *shape)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);
	assert_non_null(t);
	bl_tensor_uniform(t, SEED, stream, lo, hi);
	return t;
}

static bl_tensor *leaf(uint32_t stream, int ndim, const int64_t *shape)
{
	bl_tensor *t = drawn(stream, -1, 1, ndim, shape);
	bl_tensor_set_requires_grad(t, true);
	return t;
}

/* Compares t, which may have any memory order, with the next numbers of the file. */
static void expect(const bl_tensor *t, double tolerance)
{
	assert_non_null(t);
	bl_tensor *c = bl_tensor_contiguous((bl_tensor *)t);
	assert_all_close(bl_tensor_data(c), take(bl_tensor_count(c)), bl_tensor_count(c), tolerance);
	bl_tensor_unref(c);
}

/* Compares y with the file, then calls backward with dy from the stream. */
static void forward_and_back(bl_tensor *y, uint32_t stream)
{
	if (!y)
		fail_msg("%s", bl_error());
	bl_tensor *dy = drawn(stream, -1, 1, bl_tensor_ndim(y), bl_tensor_shape(y));
	expect(y, FORWARD);
	assert_int_equal(bl_backward(y, dy), 0);
	bl_tensor_unref(dy);
	bl_tensor_unref(y);
}

/* Compares the gradient of the leaf with the file, and releases the leaf; does nothing for NULL. */
static void expect_grad(bl_tensor *t)
{
	if (!t)
		return;
	expect(bl_tensor_grad(t), BACKWARD);
	bl_tensor_unref(t);
}

static void conv2d_agrees(void **state)
{
	(void)state;
	for (open_file("conv2d"); more();) {
		int64_t v[10];
		for (int i = 0; i < 10; i++)
			v[i] = number();
		bl_conv_shape s = { .stride = (int)v[6], .padding = (int)v[7], .groups = (int)v[8] };
		bl_tensor *x = leaf(1, 4, v), *w = leaf(2, 4, (int64_t[]){ v[4], v[1] / v[8], v[5], v[5] });
		bl_tensor *b = v[9] ? leaf(3, 1, v + 4) : NULL;
		forward_and_back(bl_conv2d(x, w, b, s), 4);
		expect_grad(x);
		expect_grad(w);
		expect_grad(b);
	}
	close_file();
}

static void dilated_conv2d_agrees(void **state)
{
	(void)state;
	for (open_file("conv2d_dilated"); more();) {
		int64_t v[12];
		for (int i = 0; i < 12; i++)
			v[i] = number();
		bl_conv_shape s = { .stride = (int)v[7], .padding = (int)v[8], .groups = (int)v[9], .dilation = (int)v[10] };
		bl_tensor *x = leaf(1, 4, v), *w = leaf(2, 4, (int64_t[]){ v[4], v[1] / v[9], v[5], v[6] });
		bl_tensor *b = v[11] ? leaf(3, 1, v + 4) : NULL;
		forward_and_back(bl_conv2d(x, w, b, s), 4);
		expect_grad(x);
		expect_grad(w);
		expect_grad(b);
	}
	close_file();
}

static bl_tensor *affine_leaf(bool on, uint32_t stream, float lo, int64_t c)
{
	if (!on)
		return NULL;
	bl_tensor *t = drawn(stream, lo, lo < 0 ? 1 : 1.5f, 1, &c);
	bl_tensor_set_requires_grad(t, true);
	return t;
}

static void batchnorm_agrees(void **state)
{
	(void)state;
	for (open_file("batchnorm"); more();) {
		int64_t v[8];
		for (int i = 0; i < 8; i++)
			v[i] = number();
		int ndim = v[2] ? 4 : 2;
		bl_tensor *x = drawn(1, -1, 3, ndim, v);
		bl_tensor_set_requires_grad(x, true);
		bl_norm_args a = { .training = v[4], .momentum = .1f, .eps = 1e-5f, .relu = v[7] };
		a.gamma = affine_leaf(v[5], 2, .5f, v[1]);
		a.beta = affine_leaf(v[5], 3, -1, v[1]);
		a.running_mean = drawn(4, -1, 1, 1, v + 1);
		a.running_var = drawn(5, .5f, 2, 1, v + 1);
		a.residual = v[6] ? leaf(6, ndim, v) : NULL;
		forward_and_back(bl_batchnorm(x, &a), 7);
		expect_grad(x);
		expect_grad(a.gamma);
		expect_grad(a.beta);
		expect_grad(a.residual);
		expect(a.running_mean, FORWARD);
		expect(a.running_var, FORWARD);
		bl_tensor_unref(a.running_mean);
		bl_tensor_unref(a.running_var);
	}
	close_file();
}

static void pools_agree(void **state)
{
	(void)state;
	for (open_file("pool"); more();) {
		int64_t kind = number(), v[7];
		for (int i = 0; i < 7; i++)
			v[i] = number();
		int kernel = (int)v[4], stride = (int)v[5], padding = (int)v[6];
		bl_tensor *x = leaf(1, 4, v);
		forward_and_back(kind == 0   ? bl_maxpool2d(x, kernel, stride, padding)
		                 : kind == 1 ? bl_avgpool2d(x, kernel, stride, padding)
		                             : bl_global_avgpool(x),
		                 2);
		expect_grad(x);
	}
	close_file();
}

static void linear_agrees(void **state)
{
	(void)state;
	for (open_file("linear"); more();) {
		int64_t n = number(), in = number(), out = number();
		bool bias = number();
		bl_tensor *x = leaf(1, 2, (int64_t[]){ n, in }), *w = leaf(2, 2, (int64_t[]){ out, in });
		bl_tensor *b = bias ? leaf(3, 1, &out) : NULL;
		forward_and_back(bl_linear(x, w, b), 4);
		expect_grad(x);
		expect_grad(w);
		expect_grad(b);
	}
	close_file();
}

static void cross_entropy_agrees(void **state)
{
	(void)state;
	for (open_file("cross_entropy"); more();) {
		int32_t labels[16];
		int64_t n = number(), k = number(), size = number();
		for (int64_t i = 0; i < n; i++)
			labels[i] = (int32_t)(7 * i % k);
		bl_tensor *x = drawn(1, (float)-size, (float)size, 2, (int64_t[]){ n, k });
		bl_tensor_set_requires_grad(x, true);
		bl_tensor *y = bl_cross_entropy(x, labels);
		expect(y, FORWARD);
		assert_int_equal(bl_backward(y, NULL), 0);
		bl_tensor_unref(y);
		expect_grad(x);
	}
	close_file();
}

/* shared + random numbers from the stream */
static bl_tensor *view(uint32_t stream, const int64_t *shape)
{
	bl_tensor *z = drawn(1, -1, 1, 2, shape), *own = drawn(stream, -1, 1, 2, shape);
	for (int64_t i = 0; i < bl_tensor_count(z); i++)
		bl_tensor_data(z)[i] += bl_tensor_data(own)[i];
	bl_tensor_unref(own);
	bl_tensor_set_requires_grad(z, true);
	return z;
}

static void loss_case(const bl_barlow_config *c, const int64_t *shape)
{
	bl_barlow_terms terms;
	bl_tensor *za = view(2, shape), *zb = view(3, shape);
	bl_tensor *y = bl_barlow(c, za, zb, &terms);
	assert_non_null(y);
	assert_close(terms.invariance, *take(1), FORWARD);
	assert_close(terms.redundancy, *take(1), FORWARD);
	assert_close(terms.total, *bl_tensor_data(y), 1e-6);
	expect(y, FORWARD);
	assert_int_equal(bl_backward(y, NULL), 0);
	bl_tensor_unref(y);
	y = bl_loss_correlation(c->dialect, za, zb);
	expect_grad(za);
	expect_grad(zb);
	expect(y, FORWARD);
	bl_tensor_unref(y);
}

static void loss_agrees_in_both_forms(void **state)
{
	(void)state;
	for (open_file("loss"); more();) {
		bl_barlow_config c = BL_BARLOW_DEFAULT;
		int64_t record = at;
		for (c.form = BL_FORM_AUTO; c.form <= BL_FORM_GRAM; c.form++) {
			at = record;
			c.dialect = (bl_loss_dialect)number();
			int64_t n = number(), shape[2] = { n, number() };
			c.lambda = (double)*take(1);
			loss_case(&c, shape);
		}
	}
	close_file();
}

/* Units 0..dead-1 of the first view are constant; if dead is 2, unit 1 is constant in both views. */
static void deaden(bl_tensor *const z[2], const int64_t *shape, int64_t dead)
{
	for (int64_t i = 0; i < shape[0]; i++) {
		for (int64_t j = 0; j < dead; j++)
			bl_tensor_data(z[0])[i * shape[1] + j] = .5f;
		if (dead == 2)
			bl_tensor_data(z[1])[i * shape[1] + 1] = -.25f;
	}
}

/* Computes the loss of both views in two chunks; the gradients of the leaves have to be those of the whole batch. */
static void loss_in_chunks(const bl_barlow_config *c, bl_tensor *const z[2], const int64_t *shape)
{
	int64_t cut[3] = { 0, shape[0] / 3, shape[0] };
	bl_loss *l = bl_loss_barlow(c);
	bl_loss_chunks *parts = bl_loss_chunks_new(l, NULL, 2);
	bl_loss_result r;
	for (int pass = 0; pass < 2; pass++) {
		for (int k = 0; k < 2; k++) {
			bl_tensor *rows[2];
			for (int v = 0; v < 2; v++)
				rows[v] = bl_narrow(z[v], 0, cut[k], cut[k + 1] - cut[k]);
			assert_int_equal(pass ? bl_loss_chunks_backward(parts, k, rows) : bl_loss_chunks_add(parts, rows), 0);
			for (int v = 0; v < 2; v++)
				bl_tensor_unref(rows[v]);
		}
		if (pass == 0)
			assert_int_equal(bl_loss_chunks_finish(parts, NULL, &r), 0);
	}
	assert_close(r.term[0], *take(1), FORWARD);
	assert_close(r.term[1], *take(1), FORWARD);
	assert_close(r.total, *take(1), FORWARD);
	bl_loss_chunks_free(parts);
	bl_loss_unref(l);
}

static void weighted_case(const bl_barlow_config *c, const int64_t *shape, int64_t dead, bool chunks)
{
	bl_tensor *z[2] = { view(2, shape), view(3, shape) };
	deaden(z, shape, dead);
	if (chunks) {
		loss_in_chunks(c, z, shape);
	} else {
		bl_barlow_terms terms;
		bl_tensor *y = bl_barlow(c, z[0], z[1], &terms);
		assert_close(terms.invariance, *take(1), FORWARD);
		assert_close(terms.redundancy, *take(1), FORWARD);
		expect(y, FORWARD);
		assert_int_equal(bl_backward(y, NULL), 0);
		bl_tensor_unref(y);
	}
	bl_tensor *correlation = bl_loss_correlation(c->dialect, z[0], z[1]);
	expect_grad(z[0]);
	expect_grad(z[1]);
	expect(correlation, FORWARD);
	bl_tensor_unref(correlation);
}

/* Tests weights of the invariance, the dialect unbiased, and units that are constant in one or both views; also in chunks. */
static void weighted_and_dead_losses_agree(void **state)
{
	(void)state;
	for (open_file("loss_weighted"); more();) {
		bl_barlow_config c = BL_BARLOW_DEFAULT;
		int64_t record = at;
		for (int i = 0; i < 4; i++) {
			at = record;
			c.form = i % 2 ? BL_FORM_GRAM : BL_FORM_DIRECT;
			c.dialect = (bl_loss_dialect)number();
			int64_t n = number(), shape[2] = { n, number() };
			c.lambda = (double)*take(1);
			c.invariance = (double)*take(1);
			weighted_case(&c, shape, number(), i > 1);
		}
	}
	close_file();
}

/* Parameters without a network. */
static bl_tensor *no_forward(void *ctx, bl_tensor *x)
{
	(void)ctx;
	return bl_tensor_ref(x);
}

enum { PARAMS = 4 };

static bl_module *holder(void)
{
	static const int64_t shape[PARAMS][4] = { { 6, 5 }, { 6 }, { 70, 3, 17, 9 }, { 70 } };
	static const int ndim[PARAMS] = { 2, 1, 4, 1 };
	bl_module *m = bl_nn_func("holder", no_forward, NULL, NULL);
	for (uint32_t i = 0; i < PARAMS; i++) {
		char name[] = { (char)('a' + i), 0 };
		bl_tensor *t = drawn(10 + i, -1, 1, ndim[i], shape[i]);
		assert_int_equal(bl_nn_func_parameter(m, name, t), 0);
		bl_tensor_unref(t);
	}
	return m;
}

static void draw_grads(bl_params *p, int step)
{
	float *g = bl_params_grads(p);
	for (int i = 0; i < bl_params_length(p); i++) {
		const bl_param *q = bl_params_get(p, i);
		bl_tensor *t = drawn((uint32_t)(100 + 10 * step + i), -.5f, .5f, 1, &q->count);
		memcpy(g + q->start, bl_tensor_data(t), (size_t)q->count * sizeof *g);
		bl_tensor_unref(t);
	}
}

static void five_steps(const bl_optim_config *c)
{
	bl_module *m = holder();
	bl_params *p = bl_params_new(&m, NULL, 1);
	bl_optim *o = bl_optim_new(c, p);
	assert_non_null(o);
	for (int step = 0; step < 5; step++) {
		draw_grads(p, step);
		bl_optim_step(o, 1);
		for (int i = 0; i < bl_params_length(p); i++) {
			const bl_param *q = bl_params_get(p, i);
			int64_t n = q->count < 40 ? q->count : 40;
			assert_all_close(bl_params_values(p) + q->start, take(n), n, 1e-6);
		}
	}
	bl_optim_free(o);
	bl_params_free(p);
	bl_module_unref(m);
}

static void optimisers_agree_for_five_steps(void **state)
{
	(void)state;
	for (open_file("optim"); more();) {
		static const char *const kinds[] = { "sgd", "sgd", "lars", "adamw", "lars" };
		int64_t kind = number();
		bl_optim_config c = bl_optim_default(kinds[kind]);
		c.lr = (double)*take(1);
		c.lr_bias = (double)*take(1);
		c.weight_decay = (double)*take(1);
		if (kind == 1)
			bl_optim_set(&c, "nesterov", 1);
		if (kind == 2)
			bl_optim_set(&c, "eta", .02);
		if (kind == 3)
			bl_optim_set(&c, "beta2", .99);
		if (kind == 4) { /* the factor of one weight is clipped, that of the other is not */
			bl_optim_set(&c, "eta", .053);
			bl_optim_set(&c, "clip", 1);
			bl_optim_set(&c, "apart", 1);
		}
		five_steps(&c);
	}
	close_file();
}

/* Fills an entry of the state as resnet_weights() of make.py does; ctx counts the entries. */
static int set_weight(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	uint32_t stream = 1000 + (*(uint32_t *)ctx)++;
	int ndim = bl_tensor_ndim(t);
	const char *last = strrchr(name, '.');
	if (kind == BL_PARAM_BUFFER)
		return 0;
	if (ndim > 1) {
		double fan_in = (double)(bl_tensor_count(t) / bl_tensor_size(t, 0));
		float bound = (float)sqrt((ndim == 4 ? 6 : 1) / fan_in);
		bl_tensor_uniform(t, SEED, stream, -bound, bound);
	} else if (!strcmp(last, ".weight")) {
		bl_tensor_uniform(t, SEED, stream, .5f, 1.5f);
	} else {
		bl_tensor_uniform(t, SEED, stream, -.2f, .2f);
	}
	return 0;
}

/* The largest error of a gradient, relative to its norm, since this variable was set to 0. */
static double worst;

/* Compares the norm of a gradient, its product with random numbers, and 16 of its elements. */
static void expect_shadow(const bl_tensor *g, uint32_t stream, const char *name, double tolerance)
{
	enum { SAMPLES = 16 };
	assert_non_null(g);
	int64_t n = bl_tensor_count(g), step = n / SAMPLES > 1 ? n / SAMPLES : 1;
	bl_tensor *c = bl_tensor_contiguous((bl_tensor *)g), *r = drawn(stream, -1, 1, 1, &n);
	const float *v = bl_tensor_data(c);
	double squares = 0, product = 0, norm = (double)*take(1), error;
	for (int64_t i = 0; i < n; i++) {
		squares += (double)v[i] * (double)v[i];
		product += (double)v[i] * (double)bl_tensor_data(r)[i];
	}
	error = fmax(fabs(sqrt(squares) - norm), fabs(product - (double)*take(1))) / norm;
	for (int64_t i = 0; i < SAMPLES && i * step < n; i++)
		error = fmax(error, fabs((double)v[i * step] - (double)*take(1)) / norm);
	worst = fmax(worst, error);
	if (!(error <= tolerance))
		fail_msg("gradient of %s is off by %.3g of its norm, allowed %.3g", name, error, tolerance);
	bl_tensor_unref(c);
	bl_tensor_unref(r);
}

typedef struct visit {
	uint32_t stream;
	double tolerance;
	bl_tensor *mean, *var; /* those of the last norm of layer4 */
} visit;

static int check_gradient(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	visit *v = ctx;
	if (kind != BL_PARAM_BUFFER)
		expect_shadow(bl_tensor_grad(t), v->stream++, name, v->tolerance);
	bool last_block = !strncmp(name, "layer4.", 7) && !strstr(name, "downsample");
	if (last_block && strstr(name, "running_mean"))
		v->mean = t;
	if (last_block && strstr(name, "running_var"))
		v->var = t;
	return 0;
}

static void resnet_case(const bl_resnet_config *c, bl_tensor *x, double forward, double backward)
{
	uint32_t place = 0;
	bl_module *m = bl_nn_resnet(c);
	assert_non_null(m);
	bl_module_each(m, set_weight, &place);
	bl_tensor *y = bl_module_forward(m, x);
	if (!y)
		fail_msg("%s", bl_error());
	expect(y, forward);
	bl_tensor *dy = drawn(2, -1, 1, 2, bl_tensor_shape(y));
	assert_int_equal(bl_backward(y, dy), 0);
	bl_tensor_unref(y);
	visit v = { 3000, backward, NULL, NULL };
	worst = 0;
	expect_shadow(bl_tensor_grad(x), 2999, "the input", backward);
	bl_module_each(m, check_gradient, &v);
	print_message("# resnet%d: gradients off by %.2g of their norms at most\n", c->depth, worst);
	expect(v.mean, forward);
	expect(v.var, forward);
	bl_module_train(m, false);
	y = bl_module_forward(m, x);
	expect(y, forward);
	bl_tensor_unref(y);
	bl_tensor_unref(dy);
	bl_module_unref(m);
}

/*
 * Depth 50 is narrow here and normalises 16 values a channel in its last stage.  This multiplies rounding errors by a thousand
 * (also in PyTorch's float32) and may change the sign of a ReLU's input, so its gradients test only the structure of the network.
 */
static void resnets_agree(void **state)
{
	(void)state;
	for (open_file("resnet"); more();) {
		bl_resnet_config c = { .channels = 3, .classes = 10 };
		c.depth = (int)number();
		c.stem_small = number();
		c.width = number();
		int64_t n = number(), side = number();
		bl_tensor *x = leaf((uint32_t)number(), 4, (int64_t[]){ n, 3, side, side });
		bool deep = c.depth == 50;
		resnet_case(&c, x, deep ? 1e-4 : FORWARD, deep ? .1 : BACKWARD);
		bl_tensor_unref(x);
	}
	close_file();
}

static int check_name(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	char line[128];
	(void)t;
	(void)kind;
	assert_non_null(fgets(line, sizeof line, ctx));
	line[strcspn(line, "\n")] = 0;
	assert_string_equal(name, line);
	return 0;
}

static void resnet_names_are_torchvisions(void **state)
{
	(void)state;
	for (int depth = 18; depth <= 50; depth += 32) {
		char path[64];
		snprintf(path, sizeof path, "tests/reference/resnet%d.names", depth);
		FILE *f = fopen(support_source(path), "r");
		assert_non_null(f);
		bl_module *m = bl_nn_resnet(&(bl_resnet_config){ .depth = depth, .channels = 3, .width = 4, .classes = 10 });
		bl_module_each(m, check_name, f);
		assert_int_equal(fgetc(f), EOF);
		fclose(f);
		bl_module_unref(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv2d_agrees),
		cmocka_unit_test(dilated_conv2d_agrees),
		cmocka_unit_test(batchnorm_agrees),
		cmocka_unit_test(pools_agree),
		cmocka_unit_test(linear_agrees),
		cmocka_unit_test(cross_entropy_agrees),
		cmocka_unit_test(loss_agrees_in_both_forms),
		cmocka_unit_test(weighted_and_dead_losses_agree),
		cmocka_unit_test(optimisers_agree_for_five_steps),
		cmocka_unit_test(resnets_agree),
		cmocka_unit_test(resnet_names_are_torchvisions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
