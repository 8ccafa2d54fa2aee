/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_nn.c: `nn`: constructors of layers and networks.  What a module can do is in l_module.c. */
#include "lua/bind/face.h"

#define INPUTS(s, at) BL_KEY(INT64, s, inputs, .position = at, .min = 1, .max = 1e9)
#define OUTPUTS(s, at) BL_KEY(INT64, s, outputs, .position = at, .min = 1, .max = 1e9)
#define BOOL(s, field) BL_KEY(BOOL, s, field)
#define INT(s, field, at, lo) BL_KEY(INT, s, field, .position = at, .min = lo, .max = 1e9)

/* linear(inputs, outputs[, {bias = true}]) */
static int nn_linear(lua_State *L)
{
	typedef struct args { int64_t inputs, outputs; bool bias; } args;
	static const bl_key keys[] = { INPUTS(args, 1), OUTPUTS(args, 2), BOOL(args, bias), BL_KEY_END };
	args a = { .bias = true };
	bl_lua_arguments(L, "nn.linear", keys, &a);
	if (!a.inputs || !a.outputs)
		return bl_lua_missing(L, "nn.linear", a.inputs ? "outputs" : "inputs", "nn.linear(inputs, outputs)");
	return bl_lua_give_module(L, bl_nn_linear(a.inputs, a.outputs, a.bias));
}

/* algorithm: of the convolutions in m; NULL: none is asked for. */
static int give_convolving(lua_State *L, const char *what, bl_module *m, const char *algorithm)
{
	bl_lua_give_module(L, m);
	int a = algorithm ? bl_conv_algorithm_of(algorithm) : BL_CONV_AUTO;
	if (a < 0)
		return luaL_error(L, "%s: 'algorithm': %s", what, bl_error());
	bl_nn_convolve(m, (bl_conv_algorithm)a);
	return 1;
}

/* conv2d(inputs, outputs, kernel[, {stride = 1, padding = 0, groups = 1, bias = true, algorithm = "auto"}]) */
static int nn_conv2d(lua_State *L)
{
	typedef struct args { int64_t inputs, outputs; int kernel, stride, padding, groups; bool bias; const char *algorithm; } args;
	static const bl_key keys[] = {
		INPUTS(args, 1),          OUTPUTS(args, 2),        INT(args, kernel, 3, 1), INT(args, stride, 0, 1),
		INT(args, padding, 0, 0), INT(args, groups, 0, 1), BOOL(args, bias),        BL_KEY(TEXT, args, algorithm),
		BL_KEY_END,
	};
	args a = { .stride = 1, .groups = 1, .bias = true };
	bl_lua_arguments(L, "nn.conv2d", keys, &a);
	if (!a.inputs || !a.outputs || !a.kernel)
		return bl_lua_missing(L, "nn.conv2d", !a.inputs ? "inputs" : !a.outputs ? "outputs" : "kernel",
		                      "nn.conv2d(inputs, outputs, kernel)");
	bl_module *m = bl_nn_conv2d(a.inputs, a.outputs, a.kernel, (bl_conv_shape){a.stride, a.padding, a.groups}, a.bias);
	return give_convolving(L, "nn.conv2d", m, a.algorithm);
}

/* batchnorm1d(features), batchnorm2d(features[, {affine = true, momentum = .1, eps = 1e-5}]) */
static int batchnorm(lua_State *L, const char *what, bool two_d)
{
	typedef struct args { int64_t features; bool affine; float momentum, eps; } args;
	static const bl_key keys[] = {
		BL_KEY(INT64, args, features, .position = 1, .min = 1, .max = 1e9),
		BOOL(args, affine),
		BL_KEY(FLOAT, args, momentum, .min = 0, .max = 1),
		BL_KEY(FLOAT, args, eps, .min = 0, .max = 1), BL_KEY_END,
	};
	args a = { .affine = true, .momentum = .1f, .eps = 1e-5f };
	bl_lua_arguments(L, what, keys, &a);
	if (!a.features)
		return bl_lua_missing(L, what, "features", "the number of channels");
	return bl_lua_give_module(L, bl_nn_batchnorm(a.features, a.affine, two_d, a.momentum, a.eps));
}

static int nn_batchnorm1d(lua_State *L) { return batchnorm(L, "nn.batchnorm1d", false); }
static int nn_batchnorm2d(lua_State *L) { return batchnorm(L, "nn.batchnorm2d", true); }

static int nn_relu(lua_State *L) { return bl_lua_give_module(L, bl_nn_relu()); }
static int nn_tanh(lua_State *L) { return bl_lua_give_module(L, bl_nn_tanh()); }
static int nn_sigmoid(lua_State *L) { return bl_lua_give_module(L, bl_nn_sigmoid()); }
static int nn_flatten(lua_State *L) { return bl_lua_give_module(L, bl_nn_flatten()); }
static int nn_identity(lua_State *L) { return bl_lua_give_module(L, bl_nn_identity()); }
static int nn_global_avgpool(lua_State *L) { return bl_lua_give_module(L, bl_nn_global_avgpool()); }

/* maxpool(kernel[, {stride = kernel, padding = 0}]), avgpool likewise */
static int pool(lua_State *L, const char *what, bl_module *(*make)(int, int, int))
{
	typedef struct args { int kernel, stride, padding; } args;
	static const bl_key keys[] = {
		INT(args, kernel, 1, 1), INT(args, stride, 0, 1), INT(args, padding, 0, 0), BL_KEY_END,
	};
	args a = { 0 };
	bl_lua_arguments(L, what, keys, &a);
	if (!a.kernel)
		return bl_lua_missing(L, what, "kernel", "its side");
	return bl_lua_give_module(L, make(a.kernel, a.stride ? a.stride : a.kernel, a.padding));
}

static int nn_maxpool(lua_State *L) { return pool(L, "nn.maxpool", bl_nn_maxpool2d); }
static int nn_avgpool(lua_State *L) { return pool(L, "nn.avgpool", bl_nn_avgpool2d); }

/* sequential(a, b, ...) or sequential{a, b, ...} */
static int nn_sequential(lua_State *L)
{
	bool list = lua_gettop(L) == 1 && lua_istable(L, 1);
	int n = list ? (int)lua_rawlen(L, 1) : lua_gettop(L);
	bl_module *s = bl_nn_sequential();
	bl_lua_give_module(L, s);
	for (int i = 1; i <= n; i++) {
		if (list)
			lua_rawgeti(L, 1, i);
		else
			lua_pushvalue(L, i);
		if (!bl_lua_test(L, -1, BL_T_MODULE))
			return luaL_error(L, "nn.sequential: item %d must be a module, got %s", i,
					  bl_lua_describe(L, lua_gettop(L)));
		if (bl_nn_append(s, NULL, bl_lua_module(L, -1)) < 0)
			return bl_lua_fail(L);
		lua_pop(L, 1);
	}
	return 1;
}

/* residual(branch[, shortcut][, {relu = true}]) */
static int nn_residual(lua_State *L)
{
	typedef struct args { bl_module **branch, **shortcut; bool relu; } args;
	static const bl_key keys[] = {
		BL_KEY(OBJECT, args, branch, .position = 1, .type = BL_T_MODULE),
		BL_KEY(OBJECT, args, shortcut, .position = 2, .type = BL_T_MODULE),
		BOOL(args, relu), BL_KEY_END,
	};
	args a = { .relu = true };
	bl_lua_arguments(L, "nn.residual", keys, &a);
	if (!a.branch)
		return bl_lua_missing(L, "nn.residual", "branch", "a module");
	return bl_lua_give_module(L, bl_nn_residual(*a.branch, a.shortcut ? *a.shortcut : NULL, a.relu));
}

/* cnn{channels = 1, widths = {16, 32, 64, 128}, strides = {1, 2, 2, 2}, image = 28, pool = false, algorithm = "auto"} */
static int nn_cnn(lua_State *L)
{
	typedef struct args { int64_t channels; bl_list widths, strides; int image; bool pool; const char *algorithm; } args;
	static const bl_key keys[] = {
		BL_KEY(INT64, args, channels, .min = 1, .max = 4096),
		BL_KEY(LIST, args, widths, .min = 1, .max = 65536),
		BL_KEY(LIST, args, strides, .min = 1, .max = 8),
		INT(args, image, 0, 1), BOOL(args, pool), BL_KEY(TEXT, args, algorithm), BL_KEY_END,
	};
	args a = { .channels = 1, .widths = { 4, { 16, 32, 64, 128 } }, .image = 28 };
	int64_t widths[64];
	int strides[64];
	bl_lua_arguments(L, "nn.cnn", keys, &a);
	if (a.strides.n && a.strides.n != a.widths.n)
		return luaL_error(L, "nn.cnn: %d strides for %d widths", a.strides.n, a.widths.n);
	for (int i = 0; i < a.widths.n; i++) {
		widths[i] = (int64_t)a.widths.v[i];
		strides[i] = a.strides.n ? (int)a.strides.v[i] : i == 0 ? 1 : 2;
	}
	bl_module *m = bl_nn_cnn(&(bl_cnn_config){a.channels, widths, strides, a.widths.n, a.image, a.pool});
	return give_convolving(L, "nn.cnn", m, a.algorithm);
}

/* mlp(inputs, {widths = {512, 512}, norm = true, bias = false, last_plain = true, flatten = false}) */
static int nn_mlp(lua_State *L)
{
	typedef struct args { int64_t inputs; bl_list widths; bool norm, bias, last_plain, flatten; } args;
	static const bl_key keys[] = {
		INPUTS(args, 1),
		BL_KEY(LIST, args, widths, .min = 1, .max = 1 << 20),
		BOOL(args, norm), BOOL(args, bias), BOOL(args, last_plain), BOOL(args, flatten), BL_KEY_END,
	};
	args a = { .widths = { 2, { 512, 512 } }, .norm = true, .last_plain = true };
	int64_t widths[64];
	bl_lua_arguments(L, "nn.mlp", keys, &a);
	if (!a.inputs)
		return bl_lua_missing(L, "nn.mlp", "inputs", "the width of what comes in");
	for (int i = 0; i < a.widths.n; i++)
		widths[i] = (int64_t)a.widths.v[i];
	return bl_lua_give_module(L, bl_nn_mlp(&(bl_mlp_config){
		.in = a.inputs, .widths = widths, .layers = a.widths.n, .norm = a.norm, .bias = a.bias,
		.last_plain = a.last_plain, .flatten = a.flatten,
	}));
}

/* resnet{depth = 18, stem = "small", channels = 3, width = 64, zero_init = false, classes = 0, algorithm = "auto"} */
static int nn_resnet(lua_State *L)
{
	static const char *const stems[] = { "large", "small", NULL };
	typedef struct args { bl_resnet_config c; int stem; const char *algorithm; } args;
	static const bl_key keys[] = {
		{.name = "depth", .kind = BL_KEY_INT, .offset = offsetof(args, c.depth)},
		BL_KEY(CHOICE, args, stem, .choices = stems),
		{.name = "channels", .kind = BL_KEY_INT64, .offset = offsetof(args, c.channels), .min = 1, .max = 4096},
		{.name = "width", .kind = BL_KEY_INT64, .offset = offsetof(args, c.width), .min = 1, .max = 4096},
		{.name = "zero_init", .kind = BL_KEY_BOOL, .offset = offsetof(args, c.zero_init)},
		{.name = "classes", .kind = BL_KEY_INT64, .offset = offsetof(args, c.classes), .min = 0, .max = 1e6},
		BL_KEY(TEXT, args, algorithm), BL_KEY_END,
	};
	args a = { .c = { .depth = 18, .channels = 3, .width = 64 }, .stem = 1 };
	bl_lua_arguments(L, "nn.resnet", keys, &a);
	a.c.stem_small = a.stem == 1;
	return give_convolving(L, "nn.resnet", bl_nn_resnet(&a.c), a.algorithm);
}

/* Tensors of the table on top become parameters of the module. */
static void own_parameters(lua_State *L, bl_module *m)
{
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || !bl_lua_test(L, -1, BL_T_TENSOR))
			luaL_error(L, "nn.func: 'parameters' must be a table of tensors by name");
		if (bl_nn_func_parameter(m, lua_tostring(L, -2), bl_lua_tensor(L, -1)) < 0)
			bl_lua_fail(L);
	}
}

/* func(f[, {name = "func", parameters = {weight = w}}]) */
static int nn_func(lua_State *L)
{
	typedef struct args { const char *name; } args;
	static const bl_key keys[] = {
		{ .name = "f", .kind = BL_KEY_ANY, .position = 1 },
		BL_KEY(TEXT, args, name),
		BL_KEY_UNREAD(parameters), BL_KEY_END,
	};
	args a = { .name = "func" };
	bl_lua_arguments(L, "nn.func", keys, &a);
	if (lua_rawgeti(L, 1, 1) == LUA_TNIL)
		lua_getfield(L, 1, "f");
	bl_module *m = bl_lua_func(L, -1, a.name);
	if (!m)
		return luaL_error(L, "nn.func: %s", bl_error());
	bl_lua_give_module(L, m);
	lua_getfield(L, 1, "parameters");
	if (lua_istable(L, -1))
		own_parameters(L, m);
	else if (!lua_isnil(L, -1))
		return bl_lua_bad(L, "nn.func", "parameters", "a table of tensors by name", -1);
	lua_pop(L, 1);
	return 1;
}

static const luaL_Reg constructors[] = {
	{ "linear", nn_linear }, { "conv2d", nn_conv2d }, { "batchnorm", nn_batchnorm2d },
	{ "batchnorm1d", nn_batchnorm1d }, { "batchnorm2d", nn_batchnorm2d }, { "relu", nn_relu }, { "tanh", nn_tanh },
	{ "sigmoid", nn_sigmoid }, { "flatten", nn_flatten }, { "identity", nn_identity }, { "maxpool", nn_maxpool },
	{ "avgpool", nn_avgpool }, { "global_avgpool", nn_global_avgpool }, { "sequential", nn_sequential },
	{ "residual", nn_residual }, { "cnn", nn_cnn }, { "mlp", nn_mlp }, { "resnet", nn_resnet }, { "func", nn_func },
	{ NULL, NULL },
};

int bl_lua_open_nn(lua_State *L)
{
	bl_lua_define_module(L);
	lua_newtable(L);
	bl_lua_constructors(L, "nn", constructors);
	return 1;
}
