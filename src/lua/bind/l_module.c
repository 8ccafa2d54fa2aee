/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_module.c: methods of modules: calling, parameters, modes, files, printing, children. */
#include "lua/bind/face.h"

#include <barlow/weights.h>

#include <stdio.h>
#include <string.h>

int bl_lua_give_module(lua_State *L, bl_module *m)
{
	if (!m)
		return bl_lua_fail(L);
	*(bl_module **)bl_lua_new(L, BL_T_MODULE, sizeof m) = m;
	return 1;
}

bl_module *bl_lua_module(lua_State *L, int arg)
{
	return *(bl_module **)bl_lua_check(L, arg, BL_T_MODULE);
}

static int m_gc(lua_State *L)
{
	bl_module **m = bl_lua_check(L, 1, BL_T_MODULE), *gone = *m;
	*m = NULL;
	bl_lua_enter(L);
	bl_module_unref(gone);
	return 0;
}

static int m_call(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	bl_tensor *x = bl_lua_tensor(L, 2);
	bl_lua_enter(L);
	const volatile int *before = bl_lua_interrupt_begin(L);
	return bl_lua_interrupt_give(L, before, bl_module_forward(m, x));
}

/* --- parameters --- */

typedef struct walk {
	lua_State *L;
	bool buffers;
	int n;
} walk;

/* Appends name and tensor to the list on top. */
static int collect(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	walk *w = ctx;
	if ((kind == BL_PARAM_BUFFER) != w->buffers)
		return 0;
	lua_pushstring(w->L, name);
	lua_rawseti(w->L, -2, ++w->n);
	bl_lua_give_tensor(w->L, bl_tensor_ref(t));
	lua_rawseti(w->L, -2, ++w->n);
	return 0;
}

/* Iterator over the names and tensors in the list at upvalue 1; upvalue 2: how many items were read. */
static int next_pair(lua_State *L)
{
	lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
	lua_pushinteger(L, at + 2);
	lua_replace(L, lua_upvalueindex(2));
	lua_rawgeti(L, lua_upvalueindex(1), at + 1);
	lua_rawgeti(L, lua_upvalueindex(1), at + 2);
	return 2;
}

/* A line for each name and tensor in the list at upvalue 1: "1.weight  (3, 4)". */
static int list_pairs(lua_State *L)
{
	luaL_Buffer b;
	char shape[BL_SHAPE_TEXT];
	int n = (int)lua_rawlen(L, lua_upvalueindex(1)) / 2;
	size_t width = 0;
	for (int i = 0; i < n; i++, lua_pop(L, 1)) {
		lua_rawgeti(L, lua_upvalueindex(1), 2 * i + 1);
		width = lua_rawlen(L, -1) > width ? lua_rawlen(L, -1) : width;
	}
	luaL_buffinit(L, &b);
	for (int i = 0; i < n; i++) {
		lua_rawgeti(L, lua_upvalueindex(1), 2 * i + 1);
		size_t blanks = width - lua_rawlen(L, -1) + 2;
		luaL_addvalue(&b);
		while (blanks-- > 0)
			luaL_addchar(&b, ' ');
		lua_rawgeti(L, lua_upvalueindex(1), 2 * i + 2);
		const bl_tensor *t = bl_lua_tensor(L, -1);
		bl_shape_text(bl_tensor_ndim(t), bl_tensor_shape(t), shape);
		lua_pop(L, 1);
		luaL_addstring(&b, shape);
		luaL_addstring(&b, i + 1 < n ? "\n" : "");
	}
	luaL_addstring(&b, n ? "" : "none");
	luaL_pushresult(&b);
	return 1;
}

/* Returns an object that iterates when a loop calls it, and prints as a list. */
static int iterate(lua_State *L, bool buffers)
{
	walk w = { .L = L, .buffers = buffers };
	bl_module *m = bl_lua_module(L, 1);
	lua_newtable(L);
	lua_createtable(L, 0, 2);
	lua_newtable(L);
	bl_module_each(m, collect, &w);
	lua_pushvalue(L, -1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_pair, 2);
	lua_setfield(L, -3, "__call");
	lua_pushcclosure(L, list_pairs, 1);
	lua_setfield(L, -2, "__tostring");
	lua_setmetatable(L, -2);
	return 1;
}

static int m_parameters(lua_State *L)
{
	return iterate(L, false);
}
static int m_buffers(lua_State *L)
{
	return iterate(L, true);
}

static int m_count(lua_State *L)
{
	lua_pushinteger(L, bl_module_count(bl_lua_module(L, 1)));
	return 1;
}

static int zero_one(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	(void)ctx, (void)name;
	if (kind != BL_PARAM_BUFFER)
		bl_tensor_zero_grad(t);
	return 0;
}

static int m_zero_grad(lua_State *L)
{
	bl_module_each(bl_lua_module(L, 1), zero_one, NULL);
	lua_settop(L, 1);
	return 1;
}

/* --- modes --- */

/* train([on]) */
static int m_train(lua_State *L)
{
	bl_module_train(bl_lua_module(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
	lua_settop(L, 1);
	return 1;
}

static int m_eval(lua_State *L)
{
	bl_module_train(bl_lua_module(L, 1), false);
	lua_settop(L, 1);
	return 1;
}

void bl_lua_remember(lua_State *L, const char *method)
{
	lua_settop(L, 3);
	bl_lua_source(L, 1);
	if (!lua_istable(L, -1))
		return;
	luaL_getsubtable(L, -1, "after");
	lua_createtable(L, 3, 0);
	lua_pushstring(L, method);
	lua_rawseti(L, -2, 1);
	for (int i = 2; i <= 3; i++) {
		lua_pushvalue(L, i);
		lua_rawseti(L, -2, i);
	}
	lua_rawseti(L, -2, luaL_len(L, -2) + 1);
}

static int m_init(lua_State *L)
{
	bl_module_init(bl_lua_module(L, 1), (uint64_t)luaL_checkinteger(L, 2));
	bl_lua_remember(L, "init");
	lua_settop(L, 1);
	return 1;
}

/* features(channels, height, width): the width of the output for such an image */
static int m_features(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	bl_lua_enter(L);
	int64_t n = bl_module_features(m, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3), luaL_checkinteger(L, 4));
	if (n < 0)
		return bl_lua_fail(L);
	lua_pushinteger(L, n);
	return 1;
}

/* --- files --- */

static int m_save(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	if (bl_weights_save(luaL_checkstring(L, 2), &m, (const char *[]){ "" }, 1) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}

static const bl_field load_fields[] = {
	BL_FIELD(
		BOOL, bl_weights_how, strict, BL_DEFAULT(true),
		.help = "names and shapes in file and module must be the same; false: loads tensors that fit and reports the others"),
	BL_FIELD(TEXT, bl_weights_how, prefix, BL_TEXT(""),
	         .help = "loads only the names that begin with it, and removes it from them, such as \"encoder\""),
	BL_FIELD(TEXT, bl_weights_how, strip, BL_TEXT(""),
	         .help = "removed from the beginning of names in the file, such as \"module.\""),
	BL_FIELD_END,
};

/* load(path[, settings]): returns the module and a report, and prints which tensors did not fit to standard error */
static int m_load(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	bl_weights_how how = { 0 };
	bl_weights_report report;
	bl_lua_take_options(L, 3, &how);
	if (bl_weights_take(luaL_checkstring(L, 2), m, &how, &report) < 0)
		return bl_lua_fail(L);
	bl_lua_remember(L, "load");
	lua_settop(L, 1);
	lua_createtable(L, 0, 5);
	lua_pushinteger(L, report.taken);
	lua_setfield(L, -2, "taken");
	lua_pushinteger(L, report.missing);
	lua_setfield(L, -2, "missing");
	lua_pushinteger(L, report.unused);
	lua_setfield(L, -2, "unused");
	lua_pushinteger(L, report.misfits);
	lua_setfield(L, -2, "misfits");
	lua_pushstring(L, report.text);
	lua_setfield(L, -2, "text");
	if (report.text[0]) {
		bl_lua_push_clean(L, report.text, false);
		fflush(stdout);
		fprintf(stderr, "barlow: %s\n", lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	return 2;
}

/* --- printing --- */

/* Adds the number of parameters, with commas between groups of three digits. */
static void add_count(luaL_Buffer *b, bl_module *m)
{
	char digits[24], count[32], line[64];
	int64_t n = bl_module_count(m);
	int length = snprintf(digits, sizeof digits, "%lld", (long long)n), out = 0;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			count[out++] = ',';
		count[out++] = digits[i];
	}
	count[out] = 0;
	snprintf(line, sizeof line, "  %s parameter%s", count, n == 1 ? "" : "s");
	luaL_addstring(b, n ? line : "");
}

/* Adds a line for each module below m, such as "[1]: nn.linear(4, 3)  15 parameters", each after the text `before`. */
static void add_children(lua_State *L, luaL_Buffer *b, bl_module *m, const char *before, int depth)
{
	char text[512], line[1024], place[BL_MODULE_CHILD_PATH];
	luaL_checkstack(L, 4, "modules");
	for (int i = 0; i < bl_module_children(m); i++) {
		bl_module *child = bl_module_child(m, i);
		bool leaf = bl_module_children(child) == 0;
		snprintf(line, sizeof line, "\n%s%*s%s: %s", before, 2 * depth, "", bl_module_child_path(m, i, place),
		         leaf ? bl_module_text(child, text, sizeof text) : bl_module_kind(child));
		luaL_addstring(b, line);
		add_count(b, child);
		add_children(L, b, child, before, depth + 1);
	}
}

/*
 * Pushes Lua code that makes a module of the same architecture, with its layers as comments (lua/printed.lua).  For a module of
 * unknown origin, and in a sandbox, pushes its kind and its children instead.
 */
static int m_tostring(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	bool known = lua_getiuservalue(L, 1, 1) == LUA_TTABLE || lua_getiuservalue(L, 1, 2) == LUA_TTABLE;
	lua_settop(L, 1);
	if (known && !bl_lua_state_is_sandbox(L))
		return bl_lua_call_module(L, "barlow.printed", "module", 1);
	char text[512];
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	luaL_addstring(&b, bl_module_children(m) ? bl_module_kind(m) : bl_module_text(m, text, sizeof text));
	add_count(&b, m);
	add_children(L, &b, m, "", 1);
	luaL_pushresult(&b);
	return 1;
}

/* module_layers(module, before): "\n<before>[1]: nn.linear(4, 3)  15 parameters" for each module below it */
int bl_lua_module_layers(lua_State *L)
{
	luaL_Buffer b;
	bl_module *m = bl_lua_module(L, 1);
	const char *before = luaL_checkstring(L, 2);
	luaL_buffinit(L, &b);
	add_children(L, &b, m, before, 0);
	luaL_pushresult(&b);
	return 1;
}

/* module_origin(module): where it comes from: its source, or {of = the parent's origin, place = "[1]"}, or nil if unknown */
int bl_lua_module_origin(lua_State *L)
{
	bl_lua_module(L, 1);
	if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE)
		lua_getiuservalue(L, 1, 2);
	return 1;
}

/* Pushes the origin of the object at `index`, or nil. */
static void push_origin(lua_State *L, int index)
{
	if (!bl_lua_test(L, index, BL_T_MODULE))
		lua_pushnil(L);
	else if (lua_getiuservalue(L, index, 1) != LUA_TTABLE) {
		lua_pop(L, 1);
		lua_getiuservalue(L, index, 2);
	}
}

/* Pushes the argument of the constructor call on top (a source) that became child i, called `name`; nil: there is none. */
static void push_argument(lua_State *L, const char *name, int i)
{
	bool list = lua_rawgeti(L, -1, 1) == LUA_TTABLE;
	const char *call = (lua_getfield(L, -2, "call"), lua_tostring(L, -1));
	int source = lua_gettop(L) - 2;
	if (call && strcmp(call, "nn.sequential") == 0)
		lua_rawgeti(L, list ? source + 1 : source, i + 1);
	else if (call && strcmp(call, "nn.residual") == 0 && list)
		lua_getfield(L, source + 1, name);
	else
		lua_pushnil(L);
	lua_replace(L, source + 1);
	lua_settop(L, source + 1);
}

/*
 * Stores the origin of the module on top, which is child i of m, the module at 1.  If m is a container that was made from
 * given modules, the child's origin is that of the given module; otherwise it is {of = m's origin, place = "[1]"}.  An origin
 * is stored apart from the source (user value 1), since the child's weights may differ from those that its source would give.
 */
static void note_origin(lua_State *L, bl_module *m, int i)
{
	char place[BL_MODULE_CHILD_PATH];
	int child = lua_gettop(L);
	push_origin(L, 1);
	if (lua_istable(L, -1)) {
		push_argument(L, bl_module_child_name(m, i), i);
		push_origin(L, lua_gettop(L));
		if (!lua_istable(L, -1)) {
			lua_createtable(L, 0, 2);
			lua_pushvalue(L, child + 1);
			lua_setfield(L, -2, "of");
			lua_pushstring(L, bl_module_child_path(m, i, place));
			lua_setfield(L, -2, "place");
		}
		lua_setiuservalue(L, child, 2);
	}
	lua_settop(L, child);
}

/* m[1], m.layer1: children by place or name */
static int m_element(lua_State *L)
{
	bl_module *m = bl_lua_module(L, 1);
	int n = bl_module_children(m), at = -1, whole = 0;
	lua_Integer place = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &whole) : 0; /* 2.0 means 2, as for tables */
	if (whole && place >= 1 && place <= n)
		at = (int)place - 1;
	for (int i = 0; lua_type(L, 2) == LUA_TSTRING && i < n; i++)
		if (strcmp(bl_module_child_name(m, i), lua_tostring(L, 2)) == 0)
			at = i;
	if (at < 0)
		return 0;
	bl_lua_give_module(L, bl_module_ref(bl_module_child(m, at)));
	note_origin(L, m, at);
	return 1;
}

/* Two Lua objects may be the same module.  Different modules are never equal, as in PyTorch. */
static int m_equal(lua_State *L)
{
	bl_module **m = bl_lua_test(L, 1, BL_T_MODULE), **other = bl_lua_test(L, 2, BL_T_MODULE);
	lua_pushboolean(L, m && other && *m == *other);
	return 1;
}

static int m_len(lua_State *L)
{
	lua_pushinteger(L, bl_module_children(bl_lua_module(L, 1)));
	return 1;
}

static int p_training(lua_State *L)
{
	lua_pushboolean(L, bl_module_training(bl_lua_module(L, 1)));
	return 1;
}

static int p_kind(lua_State *L)
{
	lua_pushstring(L, bl_module_kind(bl_lua_module(L, 1)));
	return 1;
}

static const luaL_Reg meta[] = {
	{ "__gc", m_gc },   { "__call", m_call }, { "__tostring", m_tostring },
	{ "__len", m_len }, { "__eq", m_equal },  { NULL, NULL },
};
static const bl_lua_function methods[] = {
	BL_LUA("parameters", m_parameters, "(): function",
	       "Iterates over names and tensors of the parameters; prints their names and shapes.",
	       "for name, p in nn.linear(3, 4):parameters() do print(name, p:numel()) end"),
	BL_LUA("buffers", m_buffers, "(): function",
	       "Iterates over names and tensors of the buffers, which are saved but not trained: running statistics.",
	       "for name in nn.batchnorm(3):buffers() do print(name) end"),
	BL_LUA("count", m_count, "(): integer", "The number of parameters.", "nn.linear(3, 4):count()"),
	BL_LUA("zero_grad", m_zero_grad, "(): module", "Clears the gradients of all parameters.", "nn.linear(3, 4):zero_grad()"),
	BL_LUA("train", m_train, "(on?: boolean): module", "Training mode: batch statistics.", "nn.batchnorm(3):train()"),
	BL_LUA("eval", m_eval, "(): module", "Evaluation mode: running statistics.", "nn.batchnorm(3):eval()"),
	BL_LUA("init", m_init, "(seed: integer): module", "Fresh parameters, as PyTorch draws them, from a seed.",
	       "nn.linear(3, 4):init(7)"),
	BL_LUA("features", m_features, "(channels: integer, height: integer, width: integer): integer",
	       "The width of its output for an image of that size.", "nn.cnn{channels = 1}:features(1, 28, 28)"),
	BL_LUA("save", m_save, "(path: string): module", "Writes parameters and buffers as safetensors.",
	       "local path = os.tmpname(); nn.linear(3, 4):save(path); os.remove(path)"),
	BL_LUA("load", m_load, "(path: string, settings?: table): module, table",
	       "Loads parameters and buffers; also returns a table: numbers of tensors (taken, missing, unused, misfits) and a text.",
	       "local path = os.tmpname(); nn.linear(3, 4):save(path); nn.linear(3, 4):load(path); os.remove(path)",
	       .fields = load_fields),
	BL_LUA("()", NULL, "(x: tensor): tensor", "Computes the module's output.", "nn.linear(3, 4)(tensor.randn(2, 3))"),
	BL_LUA("[]", NULL, "net[i], net.name",
	       "Children by position or name; == is true only for the same module, not for an equal one.",
	       "nn.sequential(nn.relu())[1]"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("training", p_training, ": boolean", "Whether it is in training mode.", "nn.batchnorm(3).training"),
	BL_LUA("kind", p_kind, ": string", "Its kind, such as \"linear\".", "nn.linear(3, 4).kind"),
	BL_LUA_END,
};

void bl_lua_define_module(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_MODULE, "net", meta, methods, properties, m_element, NULL });
}
