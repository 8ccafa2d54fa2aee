/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_eval.c: `eval`: evaluation of features.
 *
 * eval.knn and eval.linear take `train` and `test` either as datasets, whose features `encoder` computes (without one,
 * they are the pixels), or as features, (N,F) tensors, with their labels.  Ctrl-C ends each function with an error.
 */
#include "lua/bind/face.h"

#include <barlow/eval.h>
#include <barlow/parallel.h>
#include <barlow/text.h>

#include <stdlib.h>
#include <string.h>

static int fail(lua_State *L)
{
	bl_lua_interrupt_check(L);
	return bl_lua_fail(L);
}

/* --- features --- */

/*
 * Pushes the features of d's images; encoder NULL: raw pixels.  Images are normalised by the statistics of `like`; if that
 * is NULL, by those with which the encoder was trained, or else by the statistics of `train`.
 */
static bl_tensor *give_features(lua_State *L, bl_module *encoder, bl_dataset *d, bl_dataset *like, bl_dataset *train,
                                const bl_features_config *c)
{
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST];
	bool known = !like && encoder && bl_module_input(encoder, NULL, NULL) == bl_dataset_channels(d);
	if (known)
		bl_module_input(encoder, mean, std);
	else if (bl_dataset_statistics(like ? like : train, mean, std) < 0)
		bl_lua_fail(L);
	bl_lua_enter(L);
	const volatile int *before = bl_lua_interrupt_begin(L);
	bl_tensor *f = bl_eval_features_by(encoder, d, mean, std, c);
	bl_lua_interrupt_end(before);
	if (!f)
		fail(L);
	bl_lua_give_tensor(L, f);
	bl_lua_interrupt_check(L); /* Ctrl-C may have been pressed during the last batch */
	return f;
}

#define BATCH(struct_) \
	BL_FIELD(INT, struct_, batch, BL_DEFAULT(256), BL_WITHIN(1, 65536), .help = "images that the encoder computes at a time")

#define FLIP(struct_) \
	BL_FIELD(BOOL, struct_, flip, BL_DEFAULT(false), .help = "averages the features of each image and of its mirror image")

typedef struct reading {
	int batch, pool;
	bool flip;
	bl_dataset **like;
} reading;

static const bl_field features_fields[] = {
	BL_FIELD(OBJECT, reading, like, BL_OTHERWISE("as in the encoder's training, or else the images themselves"),
	         .type = BL_T_DATASET, .help = "the set whose mean and standard deviation normalise the images"),
	BL_FIELD(INT, reading, pool, BL_OTHERWISE("whole maps"), BL_WITHIN(1, 64),
	         .help = "side to which the encoder's output maps are average-pooled; vectors and raw pixels are not pooled"),
	FLIP(reading),
	BATCH(reading),
	BL_FIELD_END,
};

static int eval_features(lua_State *L)
{
	reading a = { 0 };
	bl_module *encoder = lua_isnil(L, 1) ? NULL : bl_lua_module(L, 1);
	bl_dataset *d = bl_lua_dataset(L, 2);
	bl_lua_take_options(L, 3, &a);
	give_features(L, encoder, d, a.like ? *a.like : NULL, d,
	              &(bl_features_config){ a.batch, a.pool, a.flip, &bl_lua_interrupted });
	return 1;
}

/* --- labelled features --- */

typedef struct probe {
	bl_module **encoder;
	int batch, k, iterations, classes, pool;
	bool flip, standardise, whiten;
	double temperature, held_out;
	int64_t seed;
	bl_list l2, ridge;
} probe;

typedef struct sample {
	bl_tensor *features;
	int32_t *labels;
	int classes;
} sample;

#define SAMPLES "a dataset, or features: a tensor (N, F)"
#define LABELS "a dataset, or a list of labels from 1"
/* clang-format off */
#define PROBE_FIELDS \
	BL_FIELD(OBJECT, probe, encoder, BL_OTHERWISE("raw pixels"), .type = BL_T_MODULE, .help = "computes the features of images"), \
	BL_FIELD_UNREAD("train", SAMPLES, BL_REQUIRED, .help = "labelled samples to learn from"), \
	BL_FIELD_UNREAD("test", SAMPLES, BL_REQUIRED, .help = "labelled samples on which the accuracy is measured"), \
	BL_FIELD_UNREAD("train_labels", LABELS, BL_OTHERWISE("those of train"), .help = "classes of the rows of train"), \
	BL_FIELD_UNREAD("test_labels", LABELS, BL_OTHERWISE("those of test"), .help = "classes of the rows of test"), \
	BATCH(probe)
/* clang-format on */

/* Pushes a userdata with the dataset's labels, numbered as in `like` if that is a data set. */
static int32_t *dataset_labels(lua_State *L, bl_dataset *d, bl_dataset *like, int64_t n, const char *what)
{
	if (bl_dataset_length(d) != n)
		luaL_error(L, "%s: features of %I %s, but %s has labels of %I", what, (lua_Integer)n,
		           bl_text_plural(n, "image", "images"), bl_dataset_name(d), (lua_Integer)bl_dataset_length(d));
	int32_t *copy = lua_newuserdatauv(L, sizeof *copy * (size_t)(n + 1), 0);
	int32_t *labels = like ? bl_eval_labels_like(d, like) : bl_eval_labels(d);
	if (!labels)
		luaL_error(L, "%s: %s", what, bl_error());
	memcpy(copy, labels, sizeof *copy * (size_t)n);
	free(labels);
	return copy;
}

/* Pushes a userdata with the labels of the list or tensor on top, counted from 0; increases *classes to the greatest label. */
static int32_t *listed_labels(lua_State *L, int64_t n, const char *what, int *classes)
{
	int64_t length, *v = bl_lua_integers(L, -1, what, &length);
	if (length != n)
		luaL_error(L, "%s: %I %s for features of %I %s", what, (lua_Integer)length,
		           bl_text_plural(length, "label", "labels"), (lua_Integer)n, bl_text_plural(n, "image", "images"));
	int32_t *labels = lua_newuserdatauv(L, sizeof *labels * (size_t)(n + 1), 0);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < 1 || v[i] > 100000)
			luaL_error(L, "%s: label %I is %I: labels count from 1", what, (lua_Integer)i + 1, (lua_Integer)v[i]);
		labels[i] = (int32_t)(v[i] - 1);
		*classes = v[i] > *classes ? (int)v[i] : *classes;
	}
	return labels;
}

/* Returns the data set that is field `name` of the table at 1, or NULL. */
static bl_dataset *set_at(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	bl_dataset **d = bl_lua_test(L, -1, BL_T_DATASET);
	lua_pop(L, 1);
	return d ? *d : NULL;
}

/*
 * Reads field `name` of the table at 1 (and name_labels); its values stay on the stack.  Images of the test set are
 * normalised as those of the training set, and its classes are matched by name to those of the training labels.
 */
static sample get_sample(lua_State *L, const char *what, const char *name, const probe *p)
{
	sample s = { NULL, NULL, 0 };
	lua_getfield(L, 1, name);
	bl_dataset **d = bl_lua_test(L, -1, BL_T_DATASET);
	if (d)
		s.features =
			give_features(L, p->encoder ? *p->encoder : NULL, *d, NULL, set_at(L, "train") ? set_at(L, "train") : *d,
		                      &(bl_features_config){ p->batch, p->pool, p->flip, &bl_lua_interrupted });
	else if (!bl_lua_test(L, -1, BL_T_TENSOR))
		bl_lua_bad(L, what, name, "a dataset or a tensor of features (N, F)", -1);
	else if (p->flip)
		luaL_error(
			L,
			"%s: flip = true needs images, but %s is a tensor of features: give eval.features the setting flip = true",
			what, name);
	else
		s.features = bl_lua_tensor(L, -1);
	int64_t n = bl_tensor_ndim(s.features) ? bl_tensor_size(s.features, 0) : 0;
	lua_getfield(L, 1, lua_pushfstring(L, "%s_labels", name));
	if (!lua_isnil(L, -1))
		d = bl_lua_test(L, -1, BL_T_DATASET);
	if (d) {
		bool given = lua_getfield(L, 1, "train_labels") != LUA_TNIL;
		lua_pop(L, 1);
		s.labels = dataset_labels(L, *d, set_at(L, given ? "train_labels" : "train"), n, what);
		s.classes = bl_dataset_classes(*d);
	} else if (lua_istable(L, -1) || bl_lua_test(L, -1, BL_T_TENSOR)) {
		s.labels = listed_labels(L, n, what, &s.classes);
	} else {
		bl_lua_missing(L, what, lua_tostring(L, -2), "a dataset, or a list or tensor of labels");
	}
	return s;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

enum { WHITENED_POOL = 2 };

static const bl_field knn_fields[] = {
	PROBE_FIELDS,
	BL_FIELD(INT, probe, k, BL_DEFAULT(20), BL_WITHIN(1, 1e9), .help = "neighbours that vote"),
	BL_FIELD(DOUBLE, probe, temperature, BL_DEFAULT(.1), BL_WITHIN(1e-6, 1e6),
	         .help = "T in the weight of a vote, exp(cosine / T)"),
	BL_FIELD(BOOL, probe, standardise, BL_DEFAULT(false),
	         .help = "scales the features to mean 0 and variance 1 by the statistics of train"),
	BL_FIELD(
		BOOL, probe, whiten, BL_DEFAULT(false),
		.help = "standardises the features and multiplies them by (covariance + ridge)^-1/2 of train; maps are pooled to 2 x 2 first"),
	BL_FIELD(LIST, probe, ridge, BL_OTHERWISE("a grid from 0.001 to 10"), BL_AT_LEAST(0),
	         .help = "values of whiten's ridge, of which one is chosen by a held-out fifth of train"),
	BL_FIELD(INT64, probe, seed, BL_DEFAULT(0), .help = "seed of the choice of held-out rows"),
	FLIP(probe),
	BL_FIELD_END,
};

/* Pushes a userdata for the predicted class of each row of s. */
static int32_t *push_guess(lua_State *L, const sample *s)
{
	return lua_newuserdatauv(L, sizeof(int32_t) * ((size_t)bl_tensor_size(s->features, 0) + 1), 0);
}

/* Stores the predicted classes, from 1, as field `predictions` of the table on top. */
static void set_predictions(lua_State *L, const sample *s, const int32_t *guess)
{
	int64_t n = bl_tensor_size(s->features, 0);
	bl_tensor *t = bl_tensor_new(1, &n);
	bl_lua_give_tensor(L, t);
	for (int64_t i = 0; i < n; i++)
		bl_tensor_data(t)[i] = (float)(guess[i] + 1);
	lua_setfield(L, -2, "predictions");
}

/* kNN accuracy on b with references a, after standardising or whitening as requested; negative with bl_error. */
static double compare(const probe *p, const sample *a, const sample *b, int32_t *guess, bl_whiten_result *r)
{
	bl_knn_config knn = { p->k, p->temperature, &bl_lua_interrupted };
	bl_whiten_config c = {
		.knn = knn,
		.ridges = p->ridge.n ? p->ridge.v : NULL,
		.n_ridges = p->ridge.n,
		.seed = (uint64_t)p->seed,
		.stop = &bl_lua_interrupted,
	};
	int classes = most(a->classes, b->classes);
	bl_tensor *made[2] = { NULL, NULL };
	if (p->whiten        ? bl_eval_whiten(&c, a->features, a->labels, b->features, classes, made, r)
	    : p->standardise ? bl_eval_standardise(a->features, b->features, made)
	                     : 0)
		return -1;
	double accuracy = bl_eval_knn_guess(&knn, made[0] ? made[0] : a->features, a->labels, made[1] ? made[1] : b->features,
	                                    b->labels, classes, guess);
	bl_tensor_unref(made[0]);
	bl_tensor_unref(made[1]);
	return accuracy;
}

static int eval_knn(lua_State *L)
{
	probe p = { 0 };
	bl_whiten_result r;
	bl_lua_take(L, &p);
	if (p.ridge.n && !p.whiten)
		return luaL_error(L, "eval.knn: ridge is a setting of whiten = true");
	p.pool = p.whiten ? WHITENED_POOL : 0;
	sample a = get_sample(L, "eval.knn", "train", &p), b = get_sample(L, "eval.knn", "test", &p);
	int32_t *guess = push_guess(L, &b);
	const volatile int *before = bl_lua_interrupt_begin(L);
	double accuracy = compare(&p, &a, &b, guess, &r);
	bl_lua_interrupt_end(before);
	bl_lua_interrupt_check(L);
	if (accuracy < 0)
		return fail(L);
	lua_pushnumber(L, accuracy);
	lua_createtable(L, 0, 3);
	set_predictions(L, &b, guess);
	if (!p.whiten)
		return 2;
	lua_pushnumber(L, r.ridge);
	lua_setfield(L, -2, "ridge");
	if (r.held_out_accuracy == r.held_out_accuracy) { /* a regularisation was chosen */
		lua_pushnumber(L, r.held_out_accuracy);
		lua_setfield(L, -2, "held_out_accuracy");
	}
	return 2;
}

static void push_linear(lua_State *L, const bl_linear_result *r)
{
	lua_createtable(L, 0, 8);
	lua_pushnumber(L, r->accuracy);
	lua_setfield(L, -2, "accuracy");
	lua_pushnumber(L, r->train_accuracy);
	lua_setfield(L, -2, "train_accuracy");
	lua_pushnumber(L, r->held_out_accuracy);
	lua_setfield(L, -2, "held_out_accuracy");
	lua_pushnumber(L, r->l2);
	lua_setfield(L, -2, "l2");
	lua_pushinteger(L, r->iterations);
	lua_setfield(L, -2, "iterations");
}

static const bl_field linear_fields[] = {
	PROBE_FIELDS,
	BL_FIELD(
		LIST, probe, l2, BL_OTHERWISE("a grid of powers of 10"), BL_AT_LEAST(0),
		.help = "weights of the penalty l2 / 2 |W|^2, which is added to the summed cross-entropy; one is chosen by the held-out part of "
			"train. W has a row for each class: l2 is 1 / C of scikit-learn (2 / C for two classes), and N times PyTorch's weight_decay"),
	BL_FIELD(DOUBLE, probe, held_out, BL_DEFAULT(.1), BL_WITHIN(.001, .9),
	         .help = "fraction of train that is held out to choose l2"),
	BL_FIELD(INT, probe, iterations, BL_DEFAULT(100), BL_WITHIN(1, 1e6), .help = "largest number of iterations of L-BFGS"),
	BL_FIELD(INT64, probe, seed, BL_DEFAULT(0), .help = "seed of the choice of held-out rows"),
	BL_FIELD_END,
};

static int eval_linear(lua_State *L)
{
	probe p = { 0 };
	bl_linear_result r;
	bl_lua_take(L, &p);
	sample a = get_sample(L, "eval.linear", "train", &p), b = get_sample(L, "eval.linear", "test", &p);
	int classes = most(a.classes, b.classes);
	bl_tensor *weight =
		bl_tensor_new(2, (int64_t[]){ classes, bl_tensor_ndim(a.features) == 2 ? bl_tensor_size(a.features, 1) : 0 });
	bl_lua_give_tensor(L, weight);
	bl_tensor *bias = bl_tensor_new(1, (int64_t[]){ classes });
	bl_lua_give_tensor(L, bias);
	int32_t *guess = push_guess(L, &b);
	int made = lua_gettop(L) - 2;
	bl_linear_config c = {
		.held_out = p.held_out,
		.l2 = p.l2.n ? p.l2.v : NULL,
		.n_l2 = p.l2.n,
		.iterations = p.iterations,
		.seed = (uint64_t)p.seed,
		.stop = &bl_lua_interrupted,
		.weight = bl_tensor_data(weight),
		.bias = bl_tensor_data(bias),
		.guess = guess,
	};
	if (bl_eval_linear(&c, a.features, a.labels, b.features, b.labels, classes, &r) < 0)
		return fail(L);
	lua_pushnumber(L, r.accuracy);
	push_linear(L, &r);
	set_predictions(L, &b, guess);
	lua_pushvalue(L, made);
	lua_setfield(L, -2, "weight");
	lua_pushvalue(L, made + 1);
	lua_setfield(L, -2, "bias");
	return 2;
}

/* --- collapse --- */

static int eval_rankme(lua_State *L)
{
	bl_tensor *z = bl_lua_tensor(L, 1);
	const volatile int *before = bl_lua_interrupt_begin(L);
	double r = bl_eval_rankme(z);
	bl_lua_interrupt_end(before);
	if (r < 0)
		return fail(L);
	lua_pushnumber(L, r);
	return 1;
}

/* Pushes a new vector with an element for each column of the matrix at 1. */
static bl_tensor *vector(lua_State *L)
{
	bl_tensor *z = bl_lua_tensor(L, 1);
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(z) != 2)
		luaL_error(L, "expected features (N, F), got %s", bl_tensor_text(z, buf));
	bl_tensor *v = bl_tensor_new(1, (int64_t[]){ bl_tensor_size(z, 1) });
	bl_lua_give_tensor(L, v);
	return v;
}

static int eval_std(lua_State *L)
{
	bl_tensor *v = vector(L);
	return bl_eval_std(bl_lua_tensor(L, 1), bl_tensor_data(v)) < 0 ? fail(L) : 1;
}

/* spectrum(z[, centred = false]): eigenvalues of the covariance, descending */
static int eval_spectrum(lua_State *L)
{
	bool centred = lua_toboolean(L, 2);
	bl_tensor *v = vector(L);
	const volatile int *before = bl_lua_interrupt_begin(L);
	int rc = bl_eval_spectrum(bl_lua_tensor(L, 1), centred, bl_tensor_data(v));
	bl_lua_interrupt_end(before);
	return rc < 0 ? fail(L) : 1;
}

static const bl_lua_function functions[] = {
	BL_LUA("features", eval_features, "(encoder: module?, data: dataset, settings?: table): tensor",
	       "Features (N, F) of all images, not augmented; encoder nil: raw pixels. Normalised by `like`, or else as in training.",
	       "eval.features(nil, data.shapes{n = 4, size = 8})", .fields = features_fields),
	BL_LUA("knn", eval_knn, ": number, table",
	       "Accuracy of a weighted cosine kNN on datasets (classes are matched by name) or features, and {predictions =, ridge =}.",
	       "eval.knn{train = tensor.randn(20, 4), train_labels = data.shapes{n = 20, size = 8}, test = tensor.randn(9, 4), test_labels = data.shapes{n = 9, size = 8}}",
	       .fields = knn_fields),
	BL_LUA("linear", eval_linear, ": number, table",
	       "Accuracy of a linear probe, and {l2 =, weight =, bias =, predictions =, ...}; logits are x weight^T + bias.",
	       "eval.linear{train = tensor.randn(20, 4), train_labels = data.shapes{n = 20, size = 8}, test = tensor.randn(9, 4), test_labels = data.shapes{n = 9, size = 8}}",
	       .fields = linear_fields),
	BL_LUA("rankme", eval_rankme, "(z: tensor): number", "Effective rank of embeddings (N, F).",
	       "eval.rankme(tensor.randn(20, 4))"),
	BL_LUA("std", eval_std, "(z: tensor): tensor", "Standard deviation of each dimension.", "eval.std(tensor.randn(20, 4))"),
	BL_LUA("spectrum", eval_spectrum, "(z: tensor, centred?: boolean): tensor", "Eigenvalues of the covariance, descending.",
	       "eval.spectrum(tensor.randn(20, 4))"),
	BL_LUA_END,
};

int bl_lua_open_eval(lua_State *L)
{
	bl_lua_module_new(L, "eval");
	bl_lua_functions(L, "eval", functions);
	return 1;
}
