/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_tensor.c: `tensor`: constructors, and the class with its gradients.  Operations are in l_tensor_*.c. */
#include "lua/bind/face.h"

#include <barlow/memory.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t bl_lua_next_seed(lua_State *L)
{
	if (bl_ambient_here()->stream)
		return bl_lua_stream_bits();
	lua_getfield(L, LUA_REGISTRYINDEX, "barlow.seed");
	lua_getfield(L, LUA_REGISTRYINDEX, "barlow.draws");
	uint64_t seed = (uint64_t)lua_tointeger(L, -2), draws = (uint64_t)lua_tointeger(L, -1) + 1;
	lua_pushinteger(L, (lua_Integer)draws);
	lua_setfield(L, LUA_REGISTRYINDEX, "barlow.draws");
	lua_pop(L, 2);
	return seed + draws * UINT64_C(0x9e3779b97f4a7c15);
}

/* tensor(x): x is a number, nested tables, or a tensor, which is copied; the table `tensor` itself is argument 1. */
static int tensor_call(lua_State *L)
{
	luaL_checkany(L, 2);
	bl_tensor **t = bl_lua_test(L, 2, BL_T_TENSOR);
	if (t)
		return bl_lua_give_tensor(L, bl_tensor_clone(*t));
	if (!lua_istable(L, 2) && lua_type(L, 2) != LUA_TNUMBER)
		return luaL_error(L, "tensor: expected numbers in nested tables, got %s", bl_lua_describe(L, 2));
	bl_lua_tensor_from_table(L, 2);
	return 1;
}

/* --- constructors --- */

static int full_of(lua_State *L, int first, float value)
{
	int64_t shape[BL_MAXDIM];
	int n = bl_lua_shape(L, first, shape);
	return bl_lua_give_tensor(L, bl_tensor_full(n, shape, value));
}

static int tensor_zeros(lua_State *L)
{
	return full_of(L, 1, 0);
}
static int tensor_ones(lua_State *L)
{
	return full_of(L, 1, 1);
}

/* full({2, 3}, 7) */
static int tensor_full(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	float value = (float)luaL_checknumber(L, 2);
	return full_of(L, 1, value);
}

typedef void draw_fn(bl_tensor *t, uint64_t seed, uint32_t stream, float a, float b);

static int draw(lua_State *L, draw_fn *fn)
{
	int64_t shape[BL_MAXDIM];
	int n = bl_lua_shape(L, 1, shape);
	bl_tensor *t = bl_tensor_new(n, shape);
	bl_lua_give_tensor(L, t);
	uint64_t seed = bl_lua_next_seed(L);
	const volatile int *before = bl_lua_interrupt_begin(L);
	fn(t, seed, BL_STREAM_USER, 0, 1);
	return bl_lua_interrupt_end(before) ? luaL_error(L, "interrupted") : 1;
}

static int tensor_rand(lua_State *L)
{
	return draw(L, bl_tensor_uniform);
}

static int tensor_randn(lua_State *L)
{
	return draw(L, bl_tensor_normal);
}

static int tensor_manual_seed(lua_State *L)
{
	if (bl_ambient_here()->stream)
		return luaL_error(
			L,
			"tensor.manual_seed: in functions that a run calls, random numbers are derived from the run's seed and the "
			"step or the image, so that the run can be repeated");
	lua_pushinteger(L, luaL_checkinteger(L, 1));
	lua_setfield(L, LUA_REGISTRYINDEX, "barlow.seed");
	lua_pushinteger(L, 0);
	lua_setfield(L, LUA_REGISTRYINDEX, "barlow.draws");
	return 0;
}

static int tensor_eye(lua_State *L)
{
	int64_t n = luaL_checkinteger(L, 1);
	bl_tensor *t = bl_tensor_full(2, (int64_t[]){ n, n }, 0);
	bl_lua_give_tensor(L, t);
	for (int64_t i = 0; i < n; i++)
		bl_tensor_data(t)[i * n + i] = 1;
	return 1;
}

/* arange(stop), arange(start, stop[, step]): stop is excluded, as in PyTorch */
static int tensor_arange(lua_State *L)
{
	bool one = lua_gettop(L) < 2;
	double start = one ? 0 : luaL_checknumber(L, 1), stop = luaL_checknumber(L, one ? 1 : 2);
	double step = luaL_optnumber(L, 3, 1), length = ceil((stop - start) / step);
	luaL_argcheck(L, step != 0 && length >= 0 && length < 1e9, one ? 1 : 2,
	              "expected a step that leads from start to stop, and fewer than 1e9 numbers");
	int64_t n = (int64_t)length;
	bl_tensor *t = bl_tensor_new(1, &n);
	bl_lua_give_tensor(L, t);
	for (int64_t i = 0; i < n; i++)
		bl_tensor_data(t)[i] = (float)(start + (double)i * step);
	return 1;
}

/* The arrays of a .npz file, until Lua owns them. */
typedef struct arrays {
	int n, room;
	struct {
		char name[BL_NPZ_NAME];
		bl_tensor *t;
	} * list;
	bool short_of_memory;
} arrays;

static void keep_array(void *ctx, const char *name, bl_tensor *t)
{
	arrays *a = ctx;
	if (a->n == a->room) {
		int room = a->room ? 2 * a->room : 8;
		void *more = realloc(a->list, (size_t)room * sizeof *a->list);
		if (!more) {
			a->short_of_memory = true;
			bl_tensor_unref(t);
			return;
		}
		a->list = more;
		a->room = room;
	}
	memcpy(a->list[a->n].name, name, strlen(name) + 1);
	a->list[a->n++].t = t;
}

static int tensor_load(lua_State *L)
{
	arrays a = { 0 };
	const char *path = luaL_checkstring(L, 1);
	if (!bl_npz_is(path))
		return bl_lua_give_tensor(L, bl_npy_load(path));
	int rc = bl_npz_load(path, keep_array, &a);
	if (rc == 0 && a.short_of_memory)
		rc = bl_fail("%s: no memory for the names of its arrays", path);
	lua_createtable(L, 0, a.n);
	for (int i = 0; i < a.n; i++) {
		bl_lua_give_tensor(L, a.list[i].t);
		lua_setfield(L, -2, a.list[i].name);
	}
	free(a.list);
	return rc < 0 ? bl_lua_fail(L) : 1;
}

static int save(lua_State *L, int path, int t)
{
	if (bl_npy_save(luaL_checkstring(L, path), bl_lua_tensor(L, t)) < 0)
		return bl_lua_fail(L);
	return 0;
}

static int tensor_save(lua_State *L)
{
	return save(L, 1, 2);
}
static int t_save(lua_State *L)
{
	return save(L, 2, 1);
}

/* Pushes a userdata with the tensors of the list at 1, which keeps them alive; stores their number, at least 1, in *n. */
static bl_tensor **tensor_list(lua_State *L, int *n)
{
	lua_settop(L, 2); /* the list and a dimension */
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Unsigned length = lua_rawlen(L, 1);
	luaL_argcheck(L, length >= 1 && length <= INT32_MAX, 1, "expected a list of at least one tensor");
	bl_tensor **parts = lua_newuserdatauv(L, sizeof *parts * (size_t)length, 0);
	*n = (int)length;
	for (int i = 0; i < *n; i++) {
		lua_rawgeti(L, 1, i + 1);
		bl_tensor **t = bl_lua_test(L, -1, BL_T_TENSOR);
		if (!t)
			luaL_error(L, "item %d of the list: expected a tensor, got %s", i + 1,
			           bl_lua_describe(L, lua_absindex(L, -1)));
		parts[i] = *t;
		lua_pop(L, 1);
	}
	return parts;
}

/* cat({a, b}[, dim]) */
static int tensor_cat(lua_State *L)
{
	int n;
	bl_tensor **parts = tensor_list(L, &n);
	return bl_lua_give_tensor(L, bl_cat(parts, n, lua_isnoneornil(L, 2) ? 0 : bl_lua_dim(L, 2, parts[0])));
}

/* stack({a, b}[, dim]): dim is a new dimension, so it may be one more than the tensors have */
static int tensor_stack(lua_State *L)
{
	int n;
	bl_tensor **parts = tensor_list(L, &n);
	lua_Integer dim = luaL_optinteger(L, 2, 1), last = bl_tensor_ndim(parts[0]) + 1;
	if (dim == 0 || dim > last || dim < -last)
		return luaL_error(L, "stack: dimension %I, expected 1 to %I", dim, last);
	return bl_lua_give_tensor(L, bl_stack(parts, n, (int)(dim > 0 ? dim - 1 : dim)));
}

/* no_grad(f, ...): calls f without recording, and returns its results */
static int tensor_no_grad(lua_State *L)
{
	luaL_checkany(L, 1);
	bool was = bl_grad_enable(false);
	int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
	bl_grad_enable(was);
	return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* --- the class --- */

static int t_gc(lua_State *L)
{
	bl_lua_drop_tensor(L, bl_lua_check(L, 1, BL_T_TENSOR));
	return 0;
}

static int t_tostring(lua_State *L)
{
	lua_settop(L, 1);
	return bl_lua_call_module(L, "barlow.show", "tensor", 1);
}

static int t_len(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	lua_pushinteger(L, bl_tensor_ndim(t) ? bl_tensor_size(t, 0) : 0);
	return 1;
}

/* requires_grad(): the flag; requires_grad(on): sets it and returns the tensor */
static int t_requires_grad(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	if (lua_gettop(L) == 1) {
		lua_pushboolean(L, bl_tensor_requires_grad(t));
		return 1;
	}
	bl_lua_writable_tensor(L, 1, "requires_grad");
	luaL_checktype(L, 2, LUA_TBOOLEAN);
	if (!bl_tensor_is_leaf(t))
		return luaL_error(L, "requires_grad: the tensor was computed; take :detach() of it first");
	bl_tensor_set_requires_grad(t, lua_toboolean(L, 2));
	lua_settop(L, 1);
	return 1;
}

static int t_backward(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	const bl_tensor *seed = lua_isnoneornil(L, 2) ? NULL : bl_lua_tensor(L, 2);
	const volatile int *before = bl_lua_interrupt_begin(L);
	int rc = bl_backward(t, seed);
	if (bl_lua_interrupt_end(before))
		return luaL_error(L, "interrupted: the gradients are incomplete (zero_grad clears them)");
	return rc < 0 ? bl_lua_fail(L) : 0;
}

static int t_zero_grad(lua_State *L)
{
	bl_tensor_zero_grad(bl_lua_tensor(L, 1));
	lua_settop(L, 1);
	return 1;
}

static int t_detach(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_tensor_detach(bl_lua_tensor(L, 1)));
}

static int t_clone(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_tensor_clone(bl_lua_tensor(L, 1)));
}

static int t_contiguous(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_tensor_contiguous(bl_lua_tensor(L, 1)));
}

/* copy_(t): copies t's numbers into this tensor, without recording */
static int t_copy(lua_State *L)
{
	if (bl_tensor_copy(bl_lua_writable_tensor(L, 1, "copy_"), bl_lua_tensor(L, 2)) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}

static int t_fill(lua_State *L)
{
	bl_tensor_fill(bl_lua_writable_tensor(L, 1, "fill_"), (float)luaL_checknumber(L, 2));
	lua_settop(L, 1);
	return 1;
}

static int t_item(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	float v;
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_count(t) != 1)
		return luaL_error(L, "item: a tensor %s is not one number", bl_tensor_text(t, buf));
	bl_tensor_read(t, &v);
	lua_pushnumber(L, (lua_Number)v);
	return 1;
}

/* Pushes dimensions from `dim` on as nested tables; v are the elements in row-major order. */
static const float *push_nested(lua_State *L, const bl_tensor *t, int dim, const float *v)
{
	if (dim == bl_tensor_ndim(t)) {
		lua_pushnumber(L, (lua_Number)*v);
		return v + 1;
	}
	int64_t n = bl_tensor_size(t, dim);
	luaL_checkstack(L, 4, "nested tables");
	lua_createtable(L, n < INT32_MAX ? (int)n : 0, 0);
	for (int64_t i = 0; i < n; i++) {
		if ((i & 0xffff) == 0xffff)
			bl_lua_interrupt_check(L);
		v = push_nested(L, t, dim + 1, v);
		lua_rawseti(L, -2, i + 1);
	}
	return v;
}

static int t_totable(lua_State *L)
{
	enum { EMPTY_MOST = 1 << 20 };
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t tables = 1;
	for (int d = 0; d < bl_tensor_ndim(t) && bl_tensor_size(t, d) > 0; d++)
		tables *= bl_tensor_size(t, d);
	if (bl_tensor_count(t) == 0 && tables > EMPTY_MOST)
		return luaL_error(L, "totable: a tensor without elements would be %I empty tables", (lua_Integer)tables);
	float *v = lua_newuserdatauv(L, sizeof *v * (size_t)(bl_tensor_count(t) + 1), 0);
	bl_tensor_read(t, v);
	push_nested(L, t, 0, v);
	return 1;
}

static int t_shape(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	bl_lua_push_shape(L, bl_tensor_ndim(t), bl_tensor_shape(t));
	return 1;
}

/* size(): all sizes as a table; size(d): one */
static int t_size(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	if (lua_isnoneornil(L, 2))
		return t_shape(L);
	lua_pushinteger(L, bl_tensor_size(t, bl_lua_dim(L, 2, t)));
	return 1;
}

static int t_dim(lua_State *L)
{
	lua_pushinteger(L, bl_tensor_ndim(bl_lua_tensor(L, 1)));
	return 1;
}

static int t_numel(lua_State *L)
{
	lua_pushinteger(L, bl_tensor_count(bl_lua_tensor(L, 1)));
	return 1;
}

static int p_grad(lua_State *L)
{
	bl_tensor *g = bl_tensor_grad(bl_lua_tensor(L, 1));
	if (!g)
		lua_pushnil(L);
	else
		bl_lua_give_tensor(L, bl_tensor_ref(g));
	return 1;
}

static int p_is_leaf(lua_State *L)
{
	lua_pushboolean(L, bl_tensor_is_leaf(bl_lua_tensor(L, 1)));
	return 1;
}

static const bl_lua_function methods[] = {
	BL_LUA("requires_grad", t_requires_grad, "(on?: boolean): tensor|boolean",
	       "Sets whether t gets a gradient, and returns t; without an argument, returns whether it does.",
	       "tensor.ones(3):requires_grad(true)"),
	BL_LUA("backward", t_backward, "(seed?: tensor)",
	       "Adds the gradients of a scalar (with a seed, of sum(seed * t)) to .grad of the leaves that require them.",
	       "local w = tensor.ones(3):requires_grad(true); (w * w):sum():backward(); print(w.grad)"),
	BL_LUA("zero_grad", t_zero_grad, "(): tensor", "Clears the gradient.", "tensor.ones(3):zero_grad()"),
	BL_LUA("detach", t_detach, "(): tensor", "The same numbers, without the recorded operations.", "tensor.ones(3):detach()"),
	BL_LUA("clone", t_clone, "(): tensor", "A copy, without the recorded operations.", "tensor.ones(3):clone()"),
	BL_LUA("contiguous", t_contiguous, "(): tensor", "t itself, or a copy if it is not in row-major order.",
	       "tensor.eye(2):t():contiguous()"),
	BL_LUA("copy_", t_copy, "(other: tensor): tensor", "Copies the numbers of a tensor of the same shape into t.",
	       "tensor.zeros(2):copy_(tensor.ones(2))"),
	BL_LUA("fill_", t_fill, "(value: number): tensor", "Sets every element.", "tensor.zeros(2):fill_(3)"),
	BL_LUA("item", t_item, "(): number", "The number in a tensor of one element.", "tensor(3):item()"),
	BL_LUA("totable", t_totable, "(): table|number", "The numbers as nested tables.", "tensor.eye(2):totable()"),
	BL_LUA("shape", t_shape, "(): integer[]", "The sizes as a list, which prints as (2, 3).", "tensor.zeros(2, 3):shape()"),
	BL_LUA("size", t_size, "(dim?: integer): integer|integer[]", "One size, or all of them as a table.",
	       "tensor.zeros(2, 3):size(-1)"),
	BL_LUA("dim", t_dim, "(): integer", "The number of dimensions.", "tensor.zeros(2, 3):dim()"),
	BL_LUA("numel", t_numel, "(): integer", "The number of elements.", "tensor.zeros(2, 3):numel()"),
	BL_LUA("save", t_save, "(path: string)", "Writes a NumPy .npy file.",
	       "local path = os.tmpname(); tensor.eye(2):save(path); os.remove(path)"),
	BL_LUA("[]", NULL, "t[i], t[{i, j}], t[{{from, to}, {}}], t[mask]",
	       "A row, an element, a part, or the elements where a mask is not 0; indices start at 1, negative ones count from the end.",
	       "tensor{{1, 2}, {3, 4}}[{2, 1}]"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("grad", p_grad, ": tensor?", "The gradient, nil before any backward.", "tensor.ones(3).grad"),
	BL_LUA("is_leaf", p_is_leaf, ": boolean", "Whether no recorded operation computed it.", "tensor.ones(3).is_leaf"),
	BL_LUA_END,
};
static const luaL_Reg meta[] = {
	{ "__gc", t_gc }, { "__tostring", t_tostring }, { "__len", t_len }, { "__newindex", bl_lua_tensor_assign }, { NULL, NULL },
};
static const bl_lua_function functions[] = {
	BL_LUA("zeros", tensor_zeros, "(sizes...: integer): tensor", "Zeros.", "tensor.zeros(2, 3)"),
	BL_LUA("ones", tensor_ones, "(sizes...: integer): tensor", "Ones.", "tensor.ones(2, 3)"),
	BL_LUA("full", tensor_full, "(sizes: integer[], value: number): tensor", "A tensor whose elements are all the same number.",
	       "tensor.full({2, 3}, 7)"),
	BL_LUA("rand", tensor_rand, "(sizes...: integer): tensor", "Uniform random numbers in [0, 1).", "tensor.rand(2, 3)"),
	BL_LUA("randn", tensor_randn, "(sizes...: integer): tensor", "Normal random numbers, mean 0, variance 1.",
	       "tensor.randn(2, 3)"),
	BL_LUA("manual_seed", tensor_manual_seed, "(n: integer)",
	       "Sets the seed of the random numbers of rand, randn and pipe(image).", "tensor.manual_seed(1); tensor.randn(3)"),
	BL_LUA("eye", tensor_eye, "(n: integer): tensor", "The identity matrix.", "tensor.eye(3)"),
	BL_LUA("arange", tensor_arange, "(start: number, stop?: number, step?: number): tensor",
	       "Numbers from start (0) to stop, which is excluded, in steps of step (1).", "tensor.arange(0, 1, .25)"),
	BL_LUA("load", tensor_load, "(path: string): tensor",
	       "A tensor from a NumPy .npy file; from a .npz file, a table of tensors by name.",
	       "local path = os.tmpname(); tensor.eye(2):save(path); print(tensor.load(path)); os.remove(path)"),
	BL_LUA("save", tensor_save, "(path: string, t: tensor)", "Writes a tensor as a NumPy .npy file.",
	       "local path = os.tmpname(); tensor.save(path, tensor.eye(2)); os.remove(path)"),
	BL_LUA("cat", tensor_cat, "(tensors: tensor[], dim?: integer): tensor",
	       "Concatenates tensors along a dimension (default: 1).", "tensor.cat({tensor.ones(1, 2), tensor.zeros(1, 2)}, 1)"),
	BL_LUA("stack", tensor_stack, "(tensors: tensor[], dim?: integer): tensor",
	       "Stacks tensors of the same shape along a new dimension (1).", "tensor.stack({tensor.ones(2), tensor.zeros(2)}, 2)"),
	BL_LUA("where", bl_lua_tensor_where, "(mask: tensor, a: tensor|number, b: tensor|number): tensor",
	       "a where the mask is not 0, else b, with broadcasting.",
	       "local x = tensor{-1, 2}; return tensor.where(x:gt(0), x, 0)"),
	BL_LUA("no_grad", tensor_no_grad, "(f: function, ...: any): any",
	       "Calls f without recording operations for gradients, and returns its results.",
	       "local w = tensor.ones(2):requires_grad(true); tensor.no_grad(function() return w * 2 end)"),
	BL_LUA_END,
};

static const bl_lua_function itself =
	BL_LUA("tensor", NULL, "(numbers: table|number|tensor): tensor",
               "Makes a tensor from nested tables of numbers or from one number, or copies a tensor.", "tensor{{1, 2}, {3, 4}}");

int bl_lua_open_tensor(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_TENSOR, "t", meta, methods, properties, bl_lua_tensor_element, NULL });
	luaL_getmetatable(L, BL_T_TENSOR);
	luaL_setfuncs(L, bl_lua_tensor_meta, 0);
	lua_pop(L, 1);
	bl_lua_methods(L, BL_T_TENSOR, bl_lua_tensor_ops);
	bl_lua_methods(L, BL_T_TENSOR, bl_lua_tensor_shapes);
	bl_lua_methods(L, BL_T_TENSOR, bl_lua_tensor_selects);
	bl_lua_methods(L, BL_T_TENSOR, bl_lua_tensor_linalg);
	bl_lua_module_new(L, "tensor");
	bl_lua_describe_function(L, "", &itself);
	bl_lua_functions(L, "tensor", functions);
	lua_getmetatable(L, -1);
	lua_pushcfunction(L, tensor_call);
	lua_setfield(L, -2, "__call");
	lua_pop(L, 1);
	return 1;
}
