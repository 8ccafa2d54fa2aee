/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_vectors.c: data.vectors, and augmentations of vectors that are not in the engine's list of operators. */
#include "lua/bind/face.h"

typedef struct vectors {
	bl_tensor **features;
	bl_dataset **like;
	bool standardise;
} vectors;

const bl_field bl_lua_vectors_fields[] = {
	BL_FIELD(OBJECT, vectors, features, BL_REQUIRED, .type = BL_T_TENSOR, .position = 1,
	         .help = "a tensor (N, D), a vector in each row"),
	BL_FIELD_UNREAD("labels", "a list or tensor of integers", BL_OTHERWISE("no labels"), .position = 2,
	                .help = "the class of each vector, from 1"),
	BL_FIELD(BOOL, vectors, standardise, BL_DEFAULT(true),
	         .help = "shifts and scales each feature to mean 0 and standard deviation 1"),
	BL_FIELD(OBJECT, vectors, like, BL_OTHERWISE("the set itself"), .type = BL_T_DATASET,
	         .help = "the set whose mean and deviation standardise the features: for a test set, its training set"),
	BL_FIELD_END,
};

int bl_lua_make_vectors(lua_State *L)
{
	vectors v = { 0 };
	int32_t *labels = NULL;
	bl_lua_take(L, &v);
	if (bl_tensor_ndim(*v.features) > 0 && lua_getfield(L, 1, "labels") != LUA_TNIL)
		labels = bl_lua_labels(L, lua_gettop(L), bl_tensor_size(*v.features, 0));
	if (labels) { /* a recipe stores a tensor in a file of its own, but writes a list with one line for each label */
		int64_t n = bl_tensor_size(*v.features, 0);
		bl_tensor *t = bl_tensor_new(1, &n);
		bl_lua_give_tensor(L, t);
		for (int64_t i = 0; i < n; i++)
			bl_tensor_data(t)[i] = (float)(labels[i] + 1);
		lua_setfield(L, 1, "labels");
	}
	return bl_lua_give_dataset(L, bl_dataset_vectors(*v.features, labels, v.like ? *v.like : NULL, v.standardise));
}

/* --- augmentations --- */

typedef struct mixing {
	bl_dataset **from;
	float p;
} mixing;

static const bl_field mix_fields[] = {
	BL_FIELD(OBJECT, mixing, from, BL_REQUIRED, .type = BL_T_DATASET, .position = 1,
	         .help = "a set of vectors, such as the training set"),
	BL_FIELD(FLOAT, mixing, p, BL_DEFAULT(.3), BL_WITHIN(0, 1), .position = 2,
	         .help = "probability that a feature is exchanged"),
	BL_FIELD_END,
};

static int feature_mix(lua_State *L)
{
	mixing m = { 0 };
	bl_lua_take(L, &m);
	bl_aug *a = bl_aug_new_feature_mix(*m.from, m.p);
	bl_pipeline *p = a ? bl_pipeline_new(&a, 1) : NULL;
	bl_aug_unref(a);
	return bl_lua_give_pipeline(L, p);
}

typedef struct pair {
	float mask, noise;
} pair;

static const bl_field pair_fields[] = {
	BL_FIELD(FLOAT, pair, mask, BL_DEFAULT(.2), BL_WITHIN(0, 1), .help = "probability that a feature is set to 0"),
	BL_FIELD(FLOAT, pair, noise, BL_DEFAULT(.1), BL_WITHIN(0, 1e6), .help = "standard deviation of the noise"),
	BL_FIELD_END,
};

static int features(lua_State *L)
{
	pair c = { 0 };
	bl_lua_take(L, &c);
	bl_aug *ops[2] = { bl_aug_new("feature_mask"), bl_aug_new("feature_noise") };
	bl_pipeline *p = NULL; /* the same for both views */
	double mask = (double)c.mask, noise = (double)c.noise;
	if (ops[0] && ops[1] && bl_aug_set(ops[0], "p", &mask, 1) == 0 && bl_aug_set(ops[1], "std", &noise, 1) == 0)
		p = bl_pipeline_new(ops, 2);
	bl_aug_unref(ops[0]);
	bl_aug_unref(ops[1]);
	if (!p)
		return bl_lua_fail(L);
	*bl_lua_push_views(L) = (bl_pipelines){ 2, { p, bl_pipeline_ref(p) }, NULL };
	return 1;
}

const bl_lua_function bl_lua_aug_vectors[] = {
	BL_LUA("feature_mix", feature_mix, ": pipeline",
	       "For vectors: replaces each feature, with a probability, by that of another vector of a set.",
	       "aug.feature_mix{from = data.vectors(tensor.rand(9, 4)), p = .5}(tensor.rand(1, 1, 4))", .fields = mix_fields),
	BL_LUA("features", features, ": pipelines", "Two views for vectors: sets some features to 0, and adds noise to all.",
	       "aug.features{mask = .3}(tensor.rand(1, 1, 4))", .fields = pair_fields),
	BL_LUA_END,
};
