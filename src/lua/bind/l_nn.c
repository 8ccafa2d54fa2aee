/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_nn.c: `nn`: constructors of layers and networks.  The methods of modules are in l_module.c. */
#include "lua/bind/face.h"

#include "lua/kit/globals.h"

/* Fields that several layers share. */
#define WIDTH(struct_, member_, at_, ...) \
	BL_FIELD(INT64, struct_, member_, BL_REQUIRED, .position = at_, BL_WITHIN(1, 1e9), __VA_ARGS__)
/* clang-format off */
#define ALGORITHM(struct_) \
	BL_FIELD(TEXT, struct_, algorithm, BL_TEXT("auto"), \
	         .help = "how convolutions are computed: gather, winograd (3x3, stride 1, channels a multiple of 16; gather for other shapes), " \
	                 "onednn (if built in); auto: chosen by shape")
/* clang-format on */

/* --- layers with parameters --- */

typedef struct linear {
	int64_t inputs, outputs;
	bool bias;
} linear;

static const bl_field linear_fields[] = {
	WIDTH(linear, inputs, 1, .help = "width of the input"),
	WIDTH(linear, outputs, 2, .help = "width of the output"),
	BL_FIELD(BOOL, linear, bias, BL_DEFAULT(true), .help = "adds a trained b, one number for each output"),
	BL_FIELD_END,
};

static int nn_linear(lua_State *L)
{
	linear a;
	bl_lua_take(L, &a);
	return bl_lua_give_module(L, bl_nn_linear(a.inputs, a.outputs, a.bias));
}

/* Pushes m, taking the reference, and sets the algorithm of the convolutions in it. */
static int give_convolving(lua_State *L, bl_module *m, const char *algorithm)
{
	bl_lua_give_module(L, m);
	int a = bl_conv_algorithm_of(algorithm);
	if (a < 0)
		return luaL_error(L, "nn.%s: 'algorithm': %s", bl_lua_running(L)->name, bl_error());
	bl_nn_convolve(m, (bl_conv_algorithm)a);
	return 1;
}

typedef struct conv2d {
	int64_t inputs, outputs;
	bl_list kernel;
	int stride, padding, dilation, groups;
	bool bias;
	const char *algorithm;
} conv2d;

static const bl_field conv2d_fields[] = {
	WIDTH(conv2d, inputs, 1, .help = "channels of the input"),
	WIDTH(conv2d, outputs, 2, .help = "channels of the output, a filter for each"),
	BL_FIELD(LIST, conv2d, kernel, BL_REQUIRED, .position = 3, .count = 2, BL_WITHIN(1, 1e9),
	         .help = "rows and columns of a filter, {1, 5}; one number stands for both"),
	BL_FIELD(INT, conv2d, stride, BL_DEFAULT(1), BL_WITHIN(1, 1e9), .help = "pixels from one window to the next"),
	BL_FIELD(INT, conv2d, padding, BL_DEFAULT(0), BL_WITHIN(0, 1e9), .help = "rows and columns of zeros on each side"),
	BL_FIELD(INT, conv2d, dilation, BL_DEFAULT(1), BL_WITHIN(1, 1e9), .help = "pixels from one weight of a filter to the next"),
	BL_FIELD(INT, conv2d, groups, BL_DEFAULT(1), BL_WITHIN(1, 1e9),
	         .help = "number of groups of channels, each of which is convolved by itself"),
	BL_FIELD(BOOL, conv2d, bias, BL_DEFAULT(true), .help = "adds one trained number to each channel of the output"),
	ALGORITHM(conv2d),
	BL_FIELD_END,
};

static int nn_conv2d(lua_State *L)
{
	conv2d a;
	bl_lua_take(L, &a);
	int kernel[2];
	for (int i = 0; i < 2; i++) {
		double side = a.kernel.v[a.kernel.n == 2 ? i : 0];
		kernel[i] = (int)side;
		if (kernel[i] != side)
			return luaL_error(L, "nn.conv2d: 'kernel' must be one or two whole numbers, got %f", side);
	}
	bl_conv_shape s = { .stride = a.stride, .padding = a.padding, .groups = a.groups, .dilation = a.dilation };
	bl_module *m = bl_nn_conv2d_of(a.inputs, a.outputs, kernel, s, a.bias);
	return give_convolving(L, m, a.algorithm);
}

typedef struct norm {
	int64_t features;
	bool affine;
	float momentum, eps;
} norm;

static const bl_field norm_fields[] = {
	WIDTH(norm, features, 1, .help = "number of features, or channels"),
	BL_FIELD(BOOL, norm, affine, BL_DEFAULT(true), .help = "a scale and a shift for each feature, both trained"),
	BL_FIELD(FLOAT, norm, momentum, BL_DEFAULT(.1), BL_WITHIN(0, 1),
	         .help = "weight of the newest batch in the running statistics"),
	BL_FIELD(FLOAT, norm, eps, BL_DEFAULT(1e-5), BL_WITHIN(0, 1),
	         .help = "added to the variance before its square root is taken"),
	BL_FIELD_END,
};

static int batchnorm(lua_State *L, bool two_d)
{
	norm a;
	bl_lua_take(L, &a);
	return bl_lua_give_module(L, bl_nn_batchnorm(a.features, a.affine, two_d, a.momentum, a.eps));
}

static int nn_batchnorm1d(lua_State *L)
{
	return batchnorm(L, false);
}
static int nn_batchnorm2d(lua_State *L)
{
	return batchnorm(L, true);
}

/* --- layers without parameters --- */

static const bl_field no_fields[] = { BL_FIELD_END };

#define LAYER(name) \
	static int nn_##name(lua_State *L) \
	{ \
		bl_lua_take(L, NULL); \
		return bl_lua_give_module(L, bl_nn_##name()); \
	}
LAYER(relu)
LAYER(tanh)
LAYER(sigmoid)
LAYER(flatten)
LAYER(identity)
LAYER(global_avgpool)
#undef LAYER

typedef struct window {
	int kernel, stride, padding;
} window;

static const bl_field pool_fields[] = {
	BL_FIELD(INT, window, kernel, BL_REQUIRED, .position = 1, BL_WITHIN(1, 1e9), .help = "side of the window, pixels"),
	BL_FIELD(INT, window, stride, BL_OTHERWISE("kernel"), BL_WITHIN(1, 1e9), .help = "pixels from one window to the next"),
	BL_FIELD(INT, window, padding, BL_DEFAULT(0), BL_WITHIN(0, 1e9),
	         .help = "rows and columns outside of the image on each side"),
	BL_FIELD_END,
};

static int pool(lua_State *L, bl_module *(*make)(int, int, int))
{
	window a = { 0 };
	bl_lua_take(L, &a);
	a.stride = a.stride ? a.stride : a.kernel;
	lua_pushinteger(L, a.stride);
	lua_setfield(L, 1, "stride");
	return bl_lua_give_module(L, make(a.kernel, a.stride, a.padding));
}

static int nn_maxpool(lua_State *L)
{
	return pool(L, bl_nn_maxpool2d);
}
static int nn_avgpool(lua_State *L)
{
	return pool(L, bl_nn_avgpool2d);
}

/* --- modules made of other modules --- */

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

typedef struct residual {
	bl_module **branch, **shortcut;
	bool relu;
} residual;

static const bl_field residual_fields[] = {
	BL_FIELD(OBJECT, residual, branch, BL_REQUIRED, .position = 1, .type = BL_T_MODULE,
	         .help = "computes what is added to the shortcut"),
	BL_FIELD(OBJECT, residual, shortcut, BL_OTHERWISE("the input itself"), .position = 2, .type = BL_T_MODULE,
	         .help = "maps the input to the branch's shape"),
	BL_FIELD(BOOL, residual, relu, BL_DEFAULT(true), .help = "applies max(0, x) to the sum"),
	BL_FIELD_END,
};

static int nn_residual(lua_State *L)
{
	residual a = { 0 };
	bl_lua_take(L, &a);
	return bl_lua_give_module(L, bl_nn_residual(*a.branch, a.shortcut ? *a.shortcut : NULL, a.relu));
}

/* --- whole networks --- */

typedef struct cnn {
	int64_t channels;
	bl_list widths, strides;
	int image;
	bool pool;
	const char *algorithm;
} cnn;

static const bl_field cnn_fields[] = {
	BL_FIELD(INT64, cnn, channels, BL_DEFAULT(1), BL_WITHIN(1, 4096), .help = "channels of the images"),
	BL_FIELD(INTS, cnn, widths, BL_DEFAULT(16, 32, 64, 128), BL_WITHIN(1, 65536), .help = "channels of each layer"),
	BL_FIELD(INTS, cnn, strides, BL_OTHERWISE("1, then 2 each"), BL_WITHIN(1, 8), .help = "stride of each layer"),
	BL_FIELD(INT, cnn, image, BL_DEFAULT(28), BL_WITHIN(1, 1e9),
	         .help = "side of the images, pixels; recorded only, as any size fits"),
	BL_FIELD(BOOL, cnn, pool, BL_DEFAULT(false), .help = "returns the mean of each channel instead of all its pixels"),
	ALGORITHM(cnn),
	BL_FIELD_END,
};

static int nn_cnn(lua_State *L)
{
	cnn a = { 0 };
	int64_t widths[BL_LIST_MOST];
	int strides[BL_LIST_MOST];
	bl_lua_take(L, &a);
	if (a.strides.n == 0) { /* the default: 1 for the first layer, 2 for each of the others */
		a.strides.n = a.widths.n;
		lua_createtable(L, a.widths.n, 0);
		for (int i = 0; i < a.widths.n; i++) {
			a.strides.v[i] = i == 0 ? 1 : 2;
			lua_pushinteger(L, i == 0 ? 1 : 2);
			lua_rawseti(L, -2, i + 1);
		}
		lua_setfield(L, 1, "strides");
	}
	if (a.strides.n != a.widths.n)
		return luaL_error(L, "nn.cnn: %d strides for %d widths", a.strides.n, a.widths.n);
	for (int i = 0; i < a.widths.n; i++) {
		widths[i] = (int64_t)a.widths.v[i];
		strides[i] = (int)a.strides.v[i];
	}
	bl_module *m = bl_nn_cnn(&(bl_cnn_config){ a.channels, widths, strides, a.widths.n, a.pool });
	return give_convolving(L, m, a.algorithm);
}

typedef struct mlp {
	int64_t inputs;
	bl_list widths;
	bool norm, bias, last_plain, flatten;
} mlp;

static const bl_field mlp_fields[] = {
	WIDTH(mlp, inputs, 1, .help = "width of the input"),
	BL_FIELD(INTS, mlp, widths, BL_DEFAULT(512, 512), BL_WITHIN(1, 1 << 20), .help = "width of each layer"),
	BL_FIELD(BOOL, mlp, norm, BL_DEFAULT(true), .help = "batch norm between layers"),
	BL_FIELD(BOOL, mlp, bias, BL_DEFAULT(false), .help = "linear layers add b"),
	BL_FIELD(BOOL, mlp, last_plain, BL_DEFAULT(true), .help = "no batch norm and no ReLU after the last layer"),
	BL_FIELD(BOOL, mlp, flatten, BL_DEFAULT(false), .help = "accepts images (N, C, H, W), too, and flattens them"),
	BL_FIELD_END,
};

static int nn_mlp(lua_State *L)
{
	mlp a;
	int64_t widths[BL_LIST_MOST];
	bl_lua_take(L, &a);
	for (int i = 0; i < a.widths.n; i++)
		widths[i] = (int64_t)a.widths.v[i];
	return bl_lua_give_module(L, bl_nn_mlp(&(bl_mlp_config){
					     .in = a.inputs,
					     .widths = widths,
					     .layers = a.widths.n,
					     .norm = a.norm,
					     .bias = a.bias,
					     .last_plain = a.last_plain,
					     .flatten = a.flatten,
				     }));
}

typedef struct resnet {
	int depth, stem, stem_padding;
	int64_t channels, width, classes;
	bool zero_init;
	const char *algorithm;
} resnet;

static const char *const stems[] = { "large", "small", NULL };
static const bl_field resnet_fields[] = {
	BL_FIELD(INT, resnet, depth, BL_DEFAULT(18), BL_WITHIN(18, 50), .help = "layers: 18, 34 or 50"),
	BL_FIELD(CHOICE, resnet, stem, BL_DEFAULT(1), .choices = stems,
	         .help = "the first layers: large as in torchvision, or small, a 3x3 convolution for small images"),
	BL_FIELD(INT, resnet, stem_padding, BL_OTHERWISE("half the filter: 1 of the small stem, 3 of the large"), BL_WITHIN(1, 64),
	         .help = "zeros around the image for the first convolution; solo-learn's stem for CIFAR is the small one with 2"),
	BL_FIELD(INT64, resnet, channels, BL_DEFAULT(3), BL_WITHIN(1, 4096), .help = "channels of the images"),
	BL_FIELD(INT64, resnet, width, BL_DEFAULT(64), BL_WITHIN(1, 4096), .help = "channels of the first stage"),
	BL_FIELD(BOOL, resnet, zero_init, BL_DEFAULT(false), .help = "initialises each block so that it returns its shortcut"),
	BL_FIELD(INT64, resnet, classes, BL_DEFAULT(0), BL_WITHIN(0, 1e6),
	         .help = "outputs of a linear layer at the end; 0: there is none"),
	ALGORITHM(resnet),
	BL_FIELD_END,
};

static int nn_resnet(lua_State *L)
{
	resnet a = { .stem_padding = 0 };
	bl_lua_take(L, &a);
	bl_module *m = bl_nn_resnet(&(bl_resnet_config){
		.depth = a.depth,
		.stem_small = a.stem == 1,
		.stem_padding = a.stem_padding,
		.channels = a.channels,
		.width = a.width,
		.zero_init = a.zero_init,
		.classes = a.classes,
	});
	return give_convolving(L, m, a.algorithm);
}

/* --- functions --- */

typedef struct func {
	const char *name;
} func;

static const bl_field func_fields[] = {
	BL_FIELD_UNREAD(
		"f", "a function", BL_REQUIRED, .position = 1,
		.help = "maps a tensor to a tensor; gradients are those of the operations that it calls. In a run, random numbers "
			"(math.random, tensor.rand) are derived from the run's seed and the step, and what calls store in "
			"tables or globals is lost when the run is resumed"),
	BL_FIELD(TEXT, func, name, BL_TEXT("func"), .help = "its name in messages and in the profile"),
	BL_FIELD_UNREAD("parameters", "a table of tensors by name", BL_OTHERWISE("none"),
	                .help = "which of its upvalues are trained with the network"),
	BL_FIELD_END,
};

enum { PARAMETERS_MAX = 64 };

typedef struct parameters {
	int n;
	const char *name[PARAMETERS_MAX];
	bl_tensor *tensor[PARAMETERS_MAX], *copy[PARAMETERS_MAX];
} parameters;

/* Copies the tensors in the setting `parameters` of the table at 1 into p.  Pushes the setting and a table of the copies. */
static void read_parameters(lua_State *L, parameters *p)
{
	int type = lua_getfield(L, 1, "parameters");
	lua_newtable(L);
	if (type == LUA_TNIL)
		return;
	if (type != LUA_TTABLE)
		bl_lua_bad(L, "nn.func", "parameters", "a table of tensors by name", -2);
	for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || !bl_lua_test(L, -1, BL_T_TENSOR))
			luaL_error(L, "nn.func: 'parameters' must be a table of tensors by name");
		if (p->n == PARAMETERS_MAX)
			luaL_error(L, "nn.func: more than %d parameters", PARAMETERS_MAX);
		p->name[p->n] = lua_tostring(L, -2);
		p->tensor[p->n] = bl_lua_writable_tensor(L, -1, "nn.func");
		bl_lua_give_tensor(L, bl_tensor_clone(p->tensor[p->n]));
		p->copy[p->n] = bl_lua_tensor(L, -1);
		lua_setfield(L, -4, p->name[p->n++]);
	}
}

/* Pushes the setting `f` as a function value, which is what recipes contain. */
static void push_value(lua_State *L)
{
	bl_function *f = NULL;
	lua_getfield(L, 1, "f");
	int rc = bl_lua_check_globals(L, -1);
	rc = rc == 0 ? bl_function_make(L, -1, &f) : rc;
	bl_function_unref(f);
	if (rc < 0 || (lua_isfunction(L, -1) && bl_function_value(L, -1) < 0))
		luaL_error(L, "nn.func: %s", bl_error());
	if (lua_isfunction(L, -2))
		lua_remove(L, -2);
}

/* Replaces the function value on top of the stack by one whose upvalues are the copies of the parameters. */
static void exchange_parameters(lua_State *L, const parameters *p)
{
	bl_function **f = bl_lua_check(L, -1, BL_T_FUNCTION), *copy = bl_function_with(*f, p->tensor, p->copy, p->n);
	if (!copy)
		bl_lua_fail(L);
	bl_lua_give_function(L, copy);
	lua_remove(L, -2);
}

/*
 * If the function comes from a recipe, copies of its parameters are trained.  If it is a Lua function, the given
 * tensors are trained, and the recipe contains the copies.  So training never changes the content of a recipe.
 */
static int nn_func(lua_State *L)
{
	func a;
	parameters p = { .n = 0 };
	bl_lua_take(L, &a);
	read_parameters(L, &p);
	int copies = lua_gettop(L);
	bool from_recipe = lua_getfield(L, 1, "f") != LUA_TFUNCTION;
	push_value(L);
	lua_pushvalue(L, -1);
	if (p.n)
		exchange_parameters(L, &p);
	bl_module *m = bl_lua_func(L, from_recipe ? -1 : -2, a.name);
	if (!m)
		return luaL_error(L, "nn.func: %s", bl_error());
	bl_lua_give_module(L, m);
	for (int i = 0; i < p.n; i++)
		if (bl_nn_func_parameter(m, p.name[i], from_recipe ? p.copy[i] : p.tensor[i]) < 0)
			return bl_lua_fail(L);
	if (from_recipe)
		return 1;
	lua_pushvalue(L, copies + 3);
	lua_setfield(L, 1, "f");
	if (p.n) {
		lua_pushvalue(L, copies);
		lua_setfield(L, 1, "parameters");
	}
	return 1;
}

static const bl_lua_function constructors[] = {
	BL_LUA("linear", nn_linear, ": module", "x W^T + b.", "nn.linear(3, 4)(tensor.randn(2, 3))", .fields = linear_fields),
	BL_LUA("conv2d", nn_conv2d, ": module", "Convolution of images (N, C, H, W).",
	       "nn.conv2d(1, 4, {3, 5}, {padding = 2, dilation = 2})(tensor.randn(2, 1, 8, 8))", .fields = conv2d_fields),
	BL_LUA("batchnorm", nn_batchnorm2d, ": module", "The same as nn.batchnorm2d.", "nn.batchnorm(4)(tensor.randn(2, 4, 8, 8))",
	       .fields = norm_fields),
	BL_LUA("batchnorm1d", nn_batchnorm1d, ": module", "Batch normalisation of (N, F).", "nn.batchnorm1d(4)(tensor.randn(8, 4))",
	       .fields = norm_fields),
	BL_LUA("batchnorm2d", nn_batchnorm2d, ": module", "Batch normalisation of images (N, C, H, W).",
	       "nn.batchnorm2d(4)(tensor.randn(2, 4, 8, 8))", .fields = norm_fields),
	BL_LUA("relu", nn_relu, ": module", "max(0, x).", "nn.relu()(tensor.randn(3))", .fields = no_fields),
	BL_LUA("tanh", nn_tanh, ": module", "Hyperbolic tangent.", "nn.tanh()(tensor.randn(3))", .fields = no_fields),
	BL_LUA("sigmoid", nn_sigmoid, ": module", "1 / (1 + exp(-x)).", "nn.sigmoid()(tensor.randn(3))", .fields = no_fields),
	BL_LUA("flatten", nn_flatten, ": module", "Reshapes (N, ...) to (N, F), where F is the product of the other sizes.",
	       "nn.flatten()(tensor.randn(2, 3, 4))", .fields = no_fields),
	BL_LUA("identity", nn_identity, ": module", "Returns its input.", "nn.identity()(tensor.randn(3))", .fields = no_fields),
	BL_LUA("maxpool", nn_maxpool, ": module", "The largest value of each window, for each channel.",
	       "nn.maxpool(2)(tensor.randn(1, 1, 8, 8))", .fields = pool_fields),
	BL_LUA("avgpool", nn_avgpool, ": module", "The mean of each window, for each channel.",
	       "nn.avgpool(2)(tensor.randn(1, 1, 8, 8))", .fields = pool_fields),
	BL_LUA("global_avgpool", nn_global_avgpool, ": module", "The mean of each channel: (N, C, H, W) to (N, C, 1, 1).",
	       "nn.global_avgpool()(tensor.randn(1, 3, 8, 8))", .fields = no_fields),
	BL_LUA("sequential", nn_sequential, "(modules...: module): module", "Applies one module after the other.",
	       "nn.sequential(nn.linear(3, 4), nn.relu())"),
	BL_LUA("residual", nn_residual, ": module", "branch(x) + shortcut(x), followed by a ReLU.",
	       "nn.residual(nn.linear(3, 3))(tensor.randn(2, 3))", .fields = residual_fields),
	BL_LUA("cnn", nn_cnn, ": module",
	       "3x3 convolutions with batch norm and ReLU; the output is flattened, or pooled to one value per channel.",
	       "nn.cnn{channels = 1}(tensor.randn(2, 1, 28, 28))", .fields = cnn_fields),
	BL_LUA("mlp", nn_mlp, ": module", "Linear layers with batch norm and ReLU between them: the form of the paper's projector.",
	       "nn.mlp(8, {widths = {16, 16}})", .fields = mlp_fields),
	BL_LUA("resnet", nn_resnet, ": module", "ResNet 18, 34 or 50.",
	       "nn.resnet{depth = 18, width = 4}(tensor.randn(2, 3, 16, 16))", .fields = resnet_fields),
	BL_LUA("func", nn_func, ": module",
	       "A Lua function as a module. Threads of a run call copies of it, so its upvalues must be plain values.",
	       "nn.func(function(x) return x:relu() ^ 2 end)(tensor.randn(3))", .fields = func_fields),
	BL_LUA_END,
};

int bl_lua_open_nn(lua_State *L)
{
	bl_lua_define_module(L);
	bl_lua_module_new(L, "nn");
	bl_lua_makers(L, "nn", constructors);
	return 1;
}
