/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_eval.c: `eval`: what features are worth.
 *
 * eval.knn and eval.linear take `train` and `test` as datasets (with `encoder`,
 * or raw pixels without) or as features, (N,F) tensors, with the labels beside
 * them.  Ctrl-C ends each with an error.
 */
#include "lua/bind/face.h"

#include <barlow/eval.h>

#include <stdlib.h>
#include <string.h>

static int fail(lua_State *L)
{
	bl_lua_interrupt_check(L);
	return bl_lua_fail(L);
}

/* --- features --- */

/*
 * encoder NULL: raw pixels.  Images are normalised by the statistics of `like`; where that is NULL as those were that the
 * encoder was trained on, and where nobody knows these, by the statistics of `train`.
 */
static bl_tensor *give_features(lua_State *L, bl_module *encoder, bl_dataset *d, bl_dataset *like, bl_dataset *train,
                                int batch)
{
	float mean[4] = { 0 }, std[4] = { 1, 1, 1, 1 };
	bool known = !like && encoder && bl_module_input(encoder, NULL, NULL) == bl_dataset_channels(d);
	if (known)
		bl_module_input(encoder, mean, std);
	else if (bl_dataset_statistics(like ? like : train, mean, std) < 0)
		bl_lua_fail(L);
	bl_lua_enter(L);
	bl_tensor *f = bl_eval_features(encoder, d, mean, std, batch, &bl_lua_interrupted);
	if (!f)
		fail(L);
	bl_lua_give_tensor(L, f);
	return f;
}

/* features(encoder or nil, dataset[, {batch = 256, like = dataset}]) */
static int eval_features(lua_State *L)
{
	typedef struct args { int batch; bl_dataset **like; } args;
	static const bl_key keys[] = {
		BL_KEY(INT, args, batch, .min = 1, .max = 65536),
		BL_KEY(OBJECT, args, like, .type = BL_T_DATASET), BL_KEY_END,
	};
	args a = { .batch = 256 };
	bl_module *encoder = lua_isnil(L, 1) ? NULL : bl_lua_module(L, 1);
	bl_dataset *d = bl_lua_dataset(L, 2);
	if (!lua_isnoneornil(L, 3))
		bl_lua_fields(L, 3, "eval.features", keys, &a);
	give_features(L, encoder, d, a.like ? *a.like : NULL, d, a.batch);
	return 1;
}

/* --- labelled features --- */

typedef struct probe {
	bl_module **encoder;
	int batch, k, iterations, classes;
	double temperature, held_out;
	int64_t seed;
	bl_list l2;
} probe;

typedef struct sample { bl_tensor *features; int32_t *labels; int classes; } sample;

#define PROBE_KEYS \
	BL_KEY(OBJECT, probe, encoder, .type = BL_T_MODULE), \
	BL_KEY_UNREAD(train), BL_KEY_UNREAD(test), \
	BL_KEY_UNREAD(train_labels), BL_KEY_UNREAD(test_labels), \
	BL_KEY(INT, probe, batch, .min = 1, .max = 65536)

/* The dataset's labels, in the numbering of `like` where that is one, in a userdata that is pushed. */
static int32_t *dataset_labels(lua_State *L, bl_dataset *d, bl_dataset *like, int64_t n, const char *what)
{
	if (bl_dataset_length(d) != n)
		luaL_error(L, "%s: %I features, but %s has %I labels", what, (lua_Integer)n, bl_dataset_name(d),
		           (lua_Integer)bl_dataset_length(d));
	int32_t *copy = lua_newuserdatauv(L, sizeof *copy * (size_t)(n + 1), 0);
	int32_t *labels = like ? bl_eval_labels_like(d, like) : bl_eval_labels(d);
	if (!labels)
		luaL_error(L, "%s: %s", what, bl_error());
	memcpy(copy, labels, sizeof *copy * (size_t)n);
	free(labels);
	return copy;
}

/* The list or tensor on top as labels from 0, in a userdata that is pushed; *classes is at least their number. */
static int32_t *listed_labels(lua_State *L, int64_t n, const char *what, int *classes)
{
	int64_t length, *v = bl_lua_integers(L, -1, what, &length);
	if (length != n)
		luaL_error(L, "%s: %I labels for %I features", what, (lua_Integer)length, (lua_Integer)n);
	int32_t *labels = lua_newuserdatauv(L, sizeof *labels * (size_t)(n + 1), 0);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < 1 || v[i] > 100000)
			luaL_error(L, "%s: label %I is %I: labels count from 1", what, (lua_Integer)i + 1,
				   (lua_Integer)v[i]);
		labels[i] = (int32_t)(v[i] - 1);
		*classes = v[i] > *classes ? (int)v[i] : *classes;
	}
	return labels;
}

/* The data set that is field `name` of the table at 1, or NULL. */
static bl_dataset *set_at(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	bl_dataset **d = bl_lua_test(L, -1, BL_T_DATASET);
	lua_pop(L, 1);
	return d ? *d : NULL;
}

/* Where the labels of the training rows come from: a data set, or NULL. */
static bl_dataset *label_set(lua_State *L)
{
	bool own = lua_getfield(L, 1, "train_labels") != LUA_TNIL;
	lua_pop(L, 1);
	return set_at(L, own ? "train_labels" : "train");
}

/*
 * Field `name` of the table at 1 (and name_labels); what it needs stays on the stack.  Images of the test set are
 * normalised as those of the training set, and its classes are matched with those by name.
 */
static sample get_sample(lua_State *L, const char *what, const char *name, const probe *p)
{
	sample s = { NULL, NULL, 0 };
	lua_getfield(L, 1, name);
	bl_dataset **d = bl_lua_test(L, -1, BL_T_DATASET);
	if (d)
		s.features = give_features(L, p->encoder ? *p->encoder : NULL, *d, NULL,
					   set_at(L, "train") ? set_at(L, "train") : *d, p->batch);
	else if (bl_lua_test(L, -1, BL_T_TENSOR))
		s.features = bl_lua_tensor(L, -1);
	else
		bl_lua_bad(L, what, name, "a dataset or a tensor of features (N, F)", -1);
	int64_t n = bl_tensor_ndim(s.features) ? bl_tensor_size(s.features, 0) : 0;
	lua_getfield(L, 1, lua_pushfstring(L, "%s_labels", name));
	if (!lua_isnil(L, -1))
		d = bl_lua_test(L, -1, BL_T_DATASET);
	if (d) {
		s.labels = dataset_labels(L, *d, label_set(L), n, what);
		s.classes = bl_dataset_classes(*d);
	} else if (lua_istable(L, -1) || bl_lua_test(L, -1, BL_T_TENSOR)) {
		s.labels = listed_labels(L, n, what, &s.classes);
	} else {
		bl_lua_missing(L, what, lua_tostring(L, -2), "a dataset, or a list or tensor of labels");
	}
	return s;
}

static int most(int a, int b) { return a > b ? a : b; }

/* knn{train =, test =, encoder =, k = 20, temperature = .1} -> accuracy */
static int eval_knn(lua_State *L)
{
	static const bl_key keys[] = {
		PROBE_KEYS, BL_KEY(INT, probe, k, .min = 1, .max = 1e9),
		BL_KEY(DOUBLE, probe, temperature, .min = 1e-6, .max = 1e6),
		BL_KEY_END,
	};
	probe p = { .batch = 256, .k = 20, .temperature = .1 };
	bl_lua_arguments(L, "eval.knn", keys, &p);
	sample a = get_sample(L, "eval.knn", "train", &p), b = get_sample(L, "eval.knn", "test", &p);
	double accuracy = bl_eval_knn(&(bl_knn_config){p.k, p.temperature}, a.features, a.labels, b.features, b.labels,
				      most(a.classes, b.classes));
	if (accuracy < 0)
		return fail(L);
	lua_pushnumber(L, accuracy);
	return 1;
}

static void push_linear(lua_State *L, const bl_linear_result *r)
{
	lua_createtable(L, 0, 5);
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

/* linear{train =, test =, encoder =, l2 = {...}, held_out = .1, iterations = 100, seed = 0} -> accuracy, details */
static int eval_linear(lua_State *L)
{
	static const bl_key keys[] = {
		PROBE_KEYS, BL_KEY(INT, probe, iterations, .min = 1, .max = 1e6),
		BL_KEY(DOUBLE, probe, held_out, .min = .001, .max = .9),
		BL_KEY(INT64, probe, seed),
		BL_KEY(LIST, probe, l2), BL_KEY_END,
	};
	probe p = { .batch = 256 };
	bl_linear_result r;
	bl_lua_arguments(L, "eval.linear", keys, &p);
	sample a = get_sample(L, "eval.linear", "train", &p), b = get_sample(L, "eval.linear", "test", &p);
	bl_linear_config c = {
		.held_out = p.held_out, .l2 = p.l2.n ? p.l2.v : NULL, .n_l2 = p.l2.n, .iterations = p.iterations,
		.seed = (uint64_t)p.seed, .stop = &bl_lua_interrupted,
	};
	if (bl_eval_linear(&c, a.features, a.labels, b.features, b.labels, most(a.classes, b.classes), &r) < 0)
		return fail(L);
	lua_pushnumber(L, r.accuracy);
	push_linear(L, &r);
	return 2;
}

/* --- collapse --- */

static int eval_rankme(lua_State *L)
{
	double r = bl_eval_rankme(bl_lua_tensor(L, 1));
	if (r < 0)
		return fail(L);
	lua_pushnumber(L, r);
	return 1;
}

/* Pushes a vector as wide as the matrix at 1. */
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
	return bl_eval_spectrum(bl_lua_tensor(L, 1), centred, bl_tensor_data(v)) < 0 ? fail(L) : 1;
}

static const luaL_Reg functions[] = {
	{ "features", eval_features }, { "knn", eval_knn }, { "linear", eval_linear }, { "rankme", eval_rankme },
	{ "std", eval_std }, { "spectrum", eval_spectrum }, { NULL, NULL },
};

int bl_lua_open_eval(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}
