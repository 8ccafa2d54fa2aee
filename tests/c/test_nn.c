/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_nn.c: modules: names, texts, initialisation, fusing, modes, messages, and parameters in flat arrays. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/nn.h>

#include <math.h>
#include <string.h>

static const bl_conv_shape plain = { 1, 1, 1, 1 };

/* Appends a module, and releases the caller's reference. */
static void add(bl_module *m, const char *name, bl_module *child)
{
	assert_non_null(child);
	assert_int_equal(bl_nn_append(m, name, child), 0);
	bl_module_unref(child);
}

static bl_tensor *input(int ndim, const int64_t *shape)
{
	bl_tensor *x = bl_tensor_new(ndim, shape);
	bl_tensor_normal(x, 3, 0, 0, 1);
	return x;
}

static bl_tensor *forward(bl_module *m, bl_tensor *x)
{
	bl_tensor *y = bl_module_forward(m, x);
	if (!y)
		fail_msg("%s", bl_error());
	return y;
}

typedef struct listing {
	char text[2048];
} listing;

static int list(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	char *text = ((listing *)ctx)->text;
	(void)t;
	strcat(text, name);
	strcat(text, kind == BL_PARAM_WEIGHT ? "=w " : kind == BL_PARAM_BIAS ? "=b " : kind == BL_PARAM_NORM ? "=n " : "=- ");
	return 0;
}

static void assert_names(bl_module *m, const char *expected)
{
	listing l = { "" };
	assert_int_equal(bl_module_each(m, list, &l), 0);
	assert_string_equal(l.text, expected);
}

static void assert_text(bl_module *m, const char *expected)
{
	char text[512];
	assert_string_equal(bl_module_text(m, text, sizeof text), expected);
	bl_module_unref(m);
}

static void texts_say_what_a_layer_is(void **state)
{
	(void)state;
	char text[12];
	assert_text(bl_nn_linear(4, 2, true), "nn.linear(4, 2)");
	assert_text(bl_nn_linear(4, 2, false), "nn.linear(4, 2, {bias = false})");
	assert_text(bl_nn_conv2d(3, 64, 3, (bl_conv_shape){ 2, 1, 1, 1 }, true), "nn.conv2d(3, 64, 3, {stride = 2, padding = 1})");
	assert_text(bl_nn_conv2d(4, 4, 3, (bl_conv_shape){ 1, 1, 4, 1 }, false),
	            "nn.conv2d(4, 4, 3, {padding = 1, groups = 4, bias = false})");
	assert_text(bl_nn_batchnorm(8, true, true, .1f, 1e-5f), "nn.batchnorm(8)");
	assert_text(bl_nn_batchnorm(8, false, true, .2f, 1e-3f), "nn.batchnorm(8, {affine = false, momentum = 0.2, eps = 0.001})");
	assert_text(bl_nn_maxpool2d(3, 2, 1), "nn.maxpool(3, {stride = 2, padding = 1})");
	bl_module *relu = bl_nn_relu();
	assert_text(bl_nn_residual(relu, relu, true), "nn.residual(nn.relu(), nn.relu())");
	assert_text(bl_nn_residual(relu, relu, false), "nn.residual(nn.relu(), nn.relu(), {relu = false})");
	bl_module_unref(relu);
	assert_text(bl_nn_resnet(&(bl_resnet_config){ .depth = 18, .stem_small = true, .channels = 3, .width = 4 }),
	            "nn.resnet({depth = 18, stem = \"small\", channels = 3, width = 4})");
	bl_module *m = bl_nn_linear(123456, 2, true);
	assert_string_equal(bl_module_text(m, text, sizeof text), "nn.linear(1");
	bl_module_unref(m);
}

static void names_are_pytorchs(void **state)
{
	(void)state;
	bl_module *cnn = bl_nn_cnn(&(bl_cnn_config){ 1, (int64_t[]){ 4, 8 }, (int[]){ 1, 2 }, 2, false });
	assert_names(cnn,
	             "0.weight=w 1.weight=n 1.bias=n 1.running_mean=- 1.running_var=- 1.num_batches_tracked=- "
	             "3.weight=w 4.weight=n 4.bias=n 4.running_mean=- 4.running_var=- 4.num_batches_tracked=- ");
	assert_string_equal(bl_module_kind(cnn), "cnn");
	bl_module_unref(cnn);
	for (int flatten = 0; flatten < 2; flatten++) {
		bl_mlp_config c = { 4, (int64_t[]){ 8, 2 }, 2, true, true, true, flatten };
		bl_module *mlp = bl_nn_mlp(&c);
		assert_names(mlp,
		             "0.weight=w 0.bias=b 1.weight=n 1.bias=n 1.running_mean=- 1.running_var=- "
		             "1.num_batches_tracked=- 3.weight=w 3.bias=b ");
		bl_module_unref(mlp);
	}
}

static void counts_parameters_only(void **state)
{
	(void)state;
	bl_module *m = bl_nn_resnet(&(bl_resnet_config){ .depth = 18, .channels = 3, .width = 64, .classes = 1000 });
	assert_int_equal(bl_module_count(m), 11689512);
	bl_module_unref(m);
	m = bl_nn_resnet(&(bl_resnet_config){ .depth = 50, .channels = 3, .width = 64, .classes = 1000 });
	assert_int_equal(bl_module_count(m), 25557032);
	bl_module_unref(m);
}

static void moments(const bl_tensor *t, double *mean, double *std, double *most)
{
	int64_t n = bl_tensor_count(t);
	double sum = 0, squares = 0;
	*most = 0;
	for (int64_t i = 0; i < n; i++) {
		double v = (double)bl_tensor_data(t)[i];
		sum += v;
		squares += v * v;
		*most = fmax(*most, fabs(v));
	}
	*mean = sum / (double)n;
	*std = sqrt(squares / (double)n - *mean * *mean);
}

typedef struct wanted {
	const char *name;
	bl_tensor *found;
} wanted;

static int match(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	wanted *w = ctx;
	(void)kind;
	if (!strcmp(name, w->name))
		w->found = t;
	return w->found != NULL;
}

static bl_tensor *find(bl_module *m, const char *name)
{
	wanted w = { name, NULL };
	assert_int_equal(bl_module_each(m, match, &w), 1);
	return w.found;
}

/* U(-1, 1) / sqrt(fan_in) has standard deviation 1 / sqrt(3 fan_in). */
static void layers_start_as_pytorchs(void **state)
{
	(void)state;
	double mean, std, most, bound = 1 / sqrt(8 * 9);
	bl_module *m = bl_nn_conv2d(16, 64, 3, (bl_conv_shape){ 1, 1, 2, 1 }, true);
	moments(find(m, "weight"), &mean, &std, &most);
	assert_true(fabs(mean) < .05 * bound && most <= bound && most > .99 * bound);
	assert_true(fabs(std * sqrt(3) / bound - 1) < .02);
	moments(find(m, "bias"), &mean, &std, &most);
	assert_true(most <= bound && most > .8 * bound);
	bl_module_unref(m);
}

static void resnets_start_as_torchvisions(void **state)
{
	(void)state;
	double mean, std, most;
	bl_resnet_config c = { .depth = 18, .channels = 3, .width = 32, .zero_init = true };
	bl_module *m = bl_nn_resnet(&c);
	bl_module_init(m, 5);
	moments(find(m, "layer3.0.conv1.weight"), &mean, &std, &most);
	assert_true(fabs(std / sqrt(2. / (128 * 9)) - 1) < .02 && most > 3 * std);
	assert_true(bl_tensor_data(find(m, "layer1.0.bn1.weight"))[0] == 1);
	assert_true(bl_tensor_data(find(m, "layer1.0.bn2.weight"))[0] == 0);
	assert_true(bl_tensor_data(find(m, "layer2.0.downsample.1.weight"))[0] == 1);
	assert_true(bl_tensor_data(find(m, "layer1.0.bn2.running_var"))[0] == 1);
	bl_module_unref(m);
}

static void the_seed_determines_the_numbers(void **state)
{
	(void)state;
	bl_module *m = bl_nn_sequential();
	add(m, NULL, bl_nn_linear(6, 6, false));
	add(m, NULL, bl_nn_linear(6, 6, false));
	bl_module_init(m, 1);
	bl_tensor *a = find(m, "0.weight"), *b = find(m, "1.weight"), *first = bl_tensor_clone(a);
	assert_memory_not_equal(bl_tensor_data(a), bl_tensor_data(b), 36 * sizeof(float));
	bl_module_init(m, 2);
	assert_memory_not_equal(bl_tensor_data(a), bl_tensor_data(first), 36 * sizeof(float));
	bl_module_init(m, 1);
	assert_memory_equal(bl_tensor_data(a), bl_tensor_data(first), 36 * sizeof(float));
	bl_tensor_unref(first);
	bl_module_unref(m);
}

/* conv, norm[, identity], relu; with the identity, the norm cannot include the ReLU. */
static bl_module *conv_norm_relu(bool apart)
{
	bl_module *m = bl_nn_sequential();
	add(m, NULL, bl_nn_conv2d(3, 4, 3, plain, true));
	add(m, NULL, bl_nn_batchnorm(4, true, true, .1f, 1e-5f));
	if (apart)
		add(m, "between", bl_nn_identity());
	add(m, "relu", bl_nn_relu());
	bl_module_init(m, 1);
	return m;
}

static void assert_same_run(bl_module *a, bl_module *b, bl_tensor *x, const char *parameter)
{
	bl_module *net[2] = { a, b };
	bl_tensor *y[2];
	for (int k = 0; k < 2; k++) {
		y[k] = forward(net[k], x);
		bl_tensor *sum = bl_sum(y[k], BL_ALL, false), *square = bl_mul(sum, sum);
		assert_int_equal(bl_backward(square, NULL), 0);
		bl_tensor_unref(sum);
		bl_tensor_unref(square);
	}
	assert_all_close(bl_tensor_data(y[0]), bl_tensor_data(y[1]), bl_tensor_count(y[0]), 1e-6);
	bl_tensor *ga = bl_tensor_grad(find(a, parameter)), *gb = bl_tensor_grad(find(b, parameter));
	assert_all_close(bl_tensor_data(ga), bl_tensor_data(gb), bl_tensor_count(ga), 1e-4);
	bl_tensor_unref(y[0]);
	bl_tensor_unref(y[1]);
	bl_module_unref(a);
	bl_module_unref(b);
}

static void the_norm_includes_the_relu(void **state)
{
	(void)state;
	bl_tensor *x = input(4, (int64_t[]){ 2, 3, 5, 5 });
	assert_same_run(conv_norm_relu(false), conv_norm_relu(true), x, "1.bias");
	bl_tensor_unref(x);
}

/* relu(norm(conv(x)) + x); with `apart`, the norm is not the last module of the branch. */
static bl_module *residual(bool apart, bool relu)
{
	bl_module *branch = bl_nn_sequential();
	add(branch, NULL, bl_nn_conv2d(3, 3, 3, plain, true));
	add(branch, NULL, bl_nn_batchnorm(3, true, true, .1f, 1e-5f));
	if (apart)
		add(branch, NULL, bl_nn_identity());
	bl_module *shortcut = bl_nn_conv2d(3, 3, 1, (bl_conv_shape){ 1, 0, 1, 1 }, false);
	bl_module *m = bl_nn_residual(branch, shortcut, relu);
	bl_module_unref(branch);
	bl_module_unref(shortcut);
	bl_module_init(m, 1);
	return m;
}

static void the_norm_includes_the_residual_sum(void **state)
{
	(void)state;
	bl_tensor *x = input(4, (int64_t[]){ 2, 3, 5, 5 });
	for (int relu = 0; relu < 2; relu++) {
		assert_same_run(residual(false, relu), residual(true, relu), x, "branch.0.weight");
		assert_same_run(residual(false, relu), residual(true, relu), x, "shortcut.weight");
	}
	bl_tensor_unref(x);
}

static void residual_without_shortcut_adds_its_input(void **state)
{
	(void)state;
	bl_tensor *x = input(2, (int64_t[]){ 2, 3 });
	bl_module *branch = bl_nn_identity(), *m = bl_nn_residual(branch, NULL, false);
	bl_tensor *y = forward(m, x);
	for (int i = 0; i < 6; i++)
		assert_true(bl_tensor_data(y)[i] == 2 * bl_tensor_data(x)[i]);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
	bl_module_unref(branch);
	bl_module_unref(m);
}

static void modes_reach_every_layer(void **state)
{
	(void)state;
	bl_module *m = residual(false, true);
	bl_tensor *x = input(4, (int64_t[]){ 2, 3, 5, 5 });
	bl_tensor_unref(forward(m, x));
	bl_tensor_unref(forward(m, x));
	bl_tensor *count = find(m, "branch.1.num_batches_tracked"), *mean = find(m, "branch.1.running_mean");
	assert_true(*bl_tensor_data(count) == 2);
	bl_module_train(m, false);
	assert_false(bl_module_training(bl_module_child(bl_module_child(m, 0), 1)));
	bl_tensor *before = bl_tensor_clone(mean), *y = forward(m, x);
	assert_true(*bl_tensor_data(count) == 2);
	assert_memory_equal(bl_tensor_data(mean), bl_tensor_data(before), 3 * sizeof(float));
	bl_tensor_unref(before);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
	bl_module_unref(m);
}

static void features_are_computed_without_side_effects(void **state)
{
	(void)state;
	bl_module *m = bl_nn_cnn(&(bl_cnn_config){ 1, (int64_t[]){ 4, 8 }, (int[]){ 1, 2 }, 2, false });
	assert_int_equal(bl_module_features(m, 1, 8, 8), 8 * 4 * 4);
	assert_true(bl_module_training(m));
	assert_true(*bl_tensor_data(find(m, "1.num_batches_tracked")) == 0);
	assert_true(bl_module_features(m, 3, 8, 8) < 0);
	assert_error("[1] (conv2d 1 -> 4, 3x3): expected (N, 1, H, W), got (1, 3, 8, 8)");
	bl_module_unref(m);
	m = bl_nn_cnn(&(bl_cnn_config){ 3, (int64_t[]){ 4, 8 }, (int[]){ 1, 2 }, 2, true });
	assert_int_equal(bl_module_features(m, 3, 8, 8), 8);
	bl_module_unref(m);
	m = bl_nn_resnet(&(bl_resnet_config){ .depth = 50, .channels = 1, .width = 2 });
	assert_int_equal(bl_module_features(m, 1, 32, 32), 2 * 8 * 4);
	bl_module_unref(m);
}

static void refuse(bl_module *m, int ndim, const int64_t *shape, const char *message)
{
	bl_tensor *x = input(ndim, shape);
	assert_null(bl_module_forward(m, x));
	assert_error(message);
	bl_tensor_unref(x);
}

static void failures_name_path_and_both_shapes(void **state)
{
	(void)state;
	bl_module *outer = bl_nn_sequential(),
		  *mlp = bl_nn_mlp(&(bl_mlp_config){
			  .in = 8, .widths = (int64_t[]){ 4, 2 }, .layers = 2, .norm = true, .bias = true, .last_plain = true });
	refuse(mlp, 2, (int64_t[]){ 256, 1024 }, "[1] (linear 8 -> 4): expected (N, 8), got (256, 1024)");
	refuse(mlp, 2, (int64_t[]){ 1, 8 }, "[2] (batchnorm 4): statistics of a batch need more than one value");
	add(outer, "projector", bl_module_ref(mlp));
	refuse(outer, 2, (int64_t[]){ 3, 9 }, ".projector[1] (linear 8 -> 4): expected (N, 8), got (3, 9)");
	bl_module_unref(mlp);
	bl_module_unref(outer);
	bl_module *norm = bl_nn_batchnorm(4, true, true, .1f, 1e-5f);
	refuse(norm, 2, (int64_t[]){ 3, 4 }, "batchnorm 4: expected (N, 4, H, W), got (3, 4)");
	bl_module_unref(norm);
	bl_module *res = residual(false, true);
	refuse(res, 4, (int64_t[]){ 2, 1, 4, 4 }, ".branch[1] (conv2d 3 -> 3, 3x3): expected (N, 3, H, W), got (2, 1, 4, 4)");
	bl_module_unref(res);
	bl_module *narrow = bl_nn_conv2d(3, 3, 3, (bl_conv_shape){ 1, 0, 1, 1 }, false);
	res = bl_nn_residual(narrow, NULL, true);
	refuse(res, 4, (int64_t[]){ 2, 3, 4, 4 }, "residual: the branch gives (2, 3, 2, 2), the shortcut (2, 3, 4, 4)");
	bl_module_unref(narrow);
	bl_module_unref(res);
}

static void find_bad(bl_module *m, bl_tensor *x, const char *message)
{
	char text[256];
	assert_int_equal(bl_module_find_nonfinite(m, x, text, sizeof text), 1);
	assert_string_equal(text, message);
}

static void first_nan_is_found(void **state)
{
	(void)state;
	char text[256];
	bl_module *m = bl_nn_mlp(&(bl_mlp_config){ .in = 3, .widths = (int64_t[]){ 4, 2 }, .layers = 2, .norm = true });
	bl_tensor *x = input(2, (int64_t[]){ 5, 3 });
	assert_int_equal(bl_module_find_nonfinite(m, x, text, sizeof text), 0);
	assert_true(*bl_tensor_data(find(m, "1.num_batches_tracked")) == 0);
	float *w = bl_tensor_data(find(m, "3.weight")), kept = w[5];
	w[5] = NAN;
	find_bad(m, x, "[4] (linear 4 -> 2): weight holds NaN at (1, 1)");
	w[5] = kept;
	w = bl_tensor_data(find(m, "0.weight"));
	w[3] = w[4] = w[5] = 3e38f;
	bl_tensor_fill(x, 10);
	find_bad(m, x, "[1] (linear 3 -> 4): made an infinity at (0, 1)");
	bl_tensor_data(x)[4] = NAN;
	find_bad(m, x, "the input holds NaN at (1, 1)");
	bl_tensor_unref(x);
	bl_module_unref(m);
}

static void senseless_layers_are_refused(void **state)
{
	(void)state;
	assert_null(bl_nn_linear(0, 3, true));
	assert_error("linear: widths must be at least 1, got 0 and 3");
	assert_null(bl_nn_conv2d(3, 4, 3, (bl_conv_shape){ 1, 1, 2, 1 }, true));
	assert_error("groups 2 for 3 -> 4");
	assert_null(bl_nn_conv2d(3, 4, 0, plain, true));
	assert_error("kernel");
	assert_null(bl_nn_maxpool2d(2, 2, 2));
	assert_error("maxpool2d");
	assert_null(bl_nn_batchnorm(3, true, true, 2, 1e-5f));
	assert_error("momentum");
	assert_null(bl_nn_resnet(&(bl_resnet_config){ .depth = 19, .channels = 3, .width = 64 }));
	assert_error("depth must be 18, 34 or 50, got 19");
	assert_null(bl_nn_cnn(&(bl_cnn_config){ .channels = 1 }));
	assert_error("cnn: expected at least one layer");
	assert_null(bl_nn_mlp(&(bl_mlp_config){ .in = 2, .widths = (int64_t[]){ -4 }, .layers = 1 }));
	assert_error("mlp: width 1 must be at least 1, got -4");
}

static void children_have_different_names(void **state)
{
	(void)state;
	bl_module *m = bl_nn_sequential(), *inner = bl_nn_sequential(), *relu = bl_nn_relu();
	assert_int_equal(bl_nn_append(m, "act", relu), 0);
	assert_int_equal(bl_nn_append(m, "act", relu), -1);
	assert_error("there is a child 'act' already");
	assert_int_equal(bl_nn_append(m, "a.b", relu), -1);
	assert_error("'a.b' is no name");
	assert_int_equal(bl_nn_append(relu, NULL, m), -1);
	assert_error("expected a sequential, got a relu");
	assert_int_equal(bl_nn_append(m, NULL, inner), 0);
	assert_string_equal(bl_module_child_name(m, 1), "1");
	assert_int_equal(bl_nn_append(inner, NULL, m), -1);
	assert_error("inside itself");
	bl_module_unref(relu);
	bl_module_unref(inner);
	bl_module_unref(m);
}

/* y = scale x */
static bl_tensor *multiply(void *ctx, bl_tensor *x)
{
	return bl_mul(x, *(bl_tensor **)ctx);
}

static int released;

static void count_release(void *ctx)
{
	(void)ctx;
	released++;
}

static void functions_are_modules(void **state)
{
	(void)state;
	bl_tensor *scale = bl_tensor_scalar(3), *x = input(1, (int64_t[]){ 4 });
	bl_module *m = bl_nn_func("scale", multiply, &scale, count_release), *relu = bl_nn_relu();
	assert_int_equal(bl_nn_func_parameter(m, "factor", scale), 0);
	assert_int_equal(bl_nn_func_parameter(m, "factor", scale), -1);
	assert_error("there is a parameter 'factor' already");
	assert_int_equal(bl_nn_func_parameter(relu, "factor", scale), -1);
	assert_error("expected a func, got a relu");
	assert_names(m, "factor=b ");
	bl_tensor *y = forward(m, x);
	assert_true(bl_tensor_data(y)[1] == 3 * bl_tensor_data(x)[1]);
	bl_tensor *sum = bl_sum(y, BL_ALL, false);
	assert_int_equal(bl_backward(sum, NULL), 0);
	assert_non_null(bl_tensor_grad(scale));
	bl_tensor_unref(sum);
	bl_tensor_unref(y);
	released = 0;
	bl_module_unref(m);
	assert_int_equal(released, 1);
	bl_module_unref(relu);
	bl_tensor_unref(scale);
	bl_tensor_unref(x);
}

static void parameters_are_in_one_array(void **state)
{
	(void)state;
	bl_module *root[2] = { bl_nn_linear(3, 5, true), bl_nn_batchnorm(5, true, false, .1f, 1e-5f) };
	bl_tensor *w = bl_tensor_clone(find(root[0], "weight"));
	bl_params *p = bl_params_new(root, (const char *[]){ "encoder", "norm" }, 2);
	static const char *const names[] = { "encoder.weight", "encoder.bias", "norm.weight", "norm.bias" };
	assert_int_equal(bl_params_length(p), 4);
	for (int i = 0; i < 4; i++) {
		const bl_param *q = bl_params_get(p, i);
		assert_string_equal(q->name, names[i]);
		assert_ptr_equal(bl_tensor_data(q->tensor), bl_params_values(p) + q->start);
		assert_int_equal((uintptr_t)bl_tensor_data(q->tensor) % 64, 0);
		assert_int_equal(q->count, bl_tensor_count(q->tensor));
	}
	assert_ptr_equal(bl_params_get(p, 0)->tensor, find(root[0], "weight"));
	assert_memory_equal(bl_params_values(p), bl_tensor_data(w), 15 * sizeof(float));
	assert_true(bl_params_count(p) >= 15 + 3 * 5);
	bl_params_free(p);
	assert_memory_equal(bl_tensor_data(find(root[0], "weight")), bl_tensor_data(w), 15 * sizeof(float));
	bl_tensor_unref(w);
	bl_module_unref(root[0]);
	bl_module_unref(root[1]);
}

static void gradients_land_in_the_other_array(void **state)
{
	(void)state;
	bl_module *root[2] = { bl_nn_linear(3, 2, true), bl_nn_linear(3, 2, false) };
	bl_params *p = bl_params_new(root, NULL, 2);
	bl_tensor *x = input(2, (int64_t[]){ 4, 3 });
	for (int step = 0; step < 2; step++) { /* the second step overwrites existing values instead of adding to them */
		bl_params_zero_grad(p);
		bl_tensor *y = forward(root[0], x), *sum = bl_sum(y, BL_ALL, false);
		assert_int_equal(bl_backward(sum, NULL), 0);
		bl_tensor_unref(sum);
		bl_tensor_unref(y);
		assert_ptr_equal(bl_tensor_data(bl_tensor_grad(bl_params_get(p, 1)->tensor)),
		                 bl_params_grads(p) + bl_params_get(p, 1)->start);
		assert_true(bl_params_grads(p)[bl_params_get(p, 1)->start] == 4);
	}
	bl_params_grads(p)[bl_params_get(p, 2)->start] = 7;
	bl_params_zero_grad(p);
	assert_null(bl_tensor_grad(bl_params_get(p, 2)->tensor));
	for (int64_t i = 0; i < bl_params_count(p); i++)
		assert_true(bl_params_grads(p)[i] == 0);
	bl_tensor_unref(x);
	bl_params_free(p);
	bl_module_unref(root[0]);
	bl_module_unref(root[1]);
}

static void tied_weights_count_once(void **state)
{
	(void)state;
	bl_module *m = bl_nn_sequential(), *layer = bl_nn_linear(4, 4, true);
	assert_int_equal(bl_nn_append(m, NULL, layer), 0);
	assert_int_equal(bl_nn_append(m, NULL, layer), 0);
	bl_params *p = bl_params_new(&m, NULL, 1);
	assert_int_equal(bl_params_length(p), 2);
	bl_params_free(p);
	bl_module_unref(layer);
	bl_module_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_say_what_a_layer_is),
		cmocka_unit_test(names_are_pytorchs),
		cmocka_unit_test(counts_parameters_only),
		cmocka_unit_test(layers_start_as_pytorchs),
		cmocka_unit_test(resnets_start_as_torchvisions),
		cmocka_unit_test(the_seed_determines_the_numbers),
		cmocka_unit_test(the_norm_includes_the_relu),
		cmocka_unit_test(the_norm_includes_the_residual_sum),
		cmocka_unit_test(residual_without_shortcut_adds_its_input),
		cmocka_unit_test(modes_reach_every_layer),
		cmocka_unit_test(features_are_computed_without_side_effects),
		cmocka_unit_test(failures_name_path_and_both_shapes),
		cmocka_unit_test(first_nan_is_found),
		cmocka_unit_test(senseless_layers_are_refused),
		cmocka_unit_test(children_have_different_names),
		cmocka_unit_test(functions_are_modules),
		cmocka_unit_test(parameters_are_in_one_array),
		cmocka_unit_test(gradients_land_in_the_other_array),
		cmocka_unit_test(tied_weights_count_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
