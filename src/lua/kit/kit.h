/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kit.h: what every binding is written with: objects, constructor tables and their messages, interruption.  Nothing in
 * kit/ knows a module of the Lua face.
 */
#ifndef BARLOW_LUA_KIT_H
#define BARLOW_LUA_KIT_H

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include <barlow/error.h>
#include <barlow/tensor.h>

/* Metatable names, which are also what messages call the things. */
#define BL_T_TENSOR "tensor"
#define BL_T_MODULE "module"
#define BL_T_PIPELINE "pipeline"
#define BL_T_TWIN "pair of pipelines"
#define BL_T_DATASET "dataset"
#define BL_T_LOSS "loss"
#define BL_T_OPTIM "optimiser"
#define BL_T_SCHEDULE "schedule"
#define BL_T_TRAINER "trainer"
#define BL_T_FIGURE "figure"

/* --- objects (object.c) --- */

/* Pushes a zeroed userdata of `type`.  User value 1 is its source (what made it, for recipes), 2 the binding's own. */
void *bl_lua_new(lua_State *L, const char *type, size_t size);
void *bl_lua_check(lua_State *L, int arg, const char *type);
void *bl_lua_test(lua_State *L, int arg, const char *type); /* NULL when it is something else */

typedef struct bl_lua_class {
	const char *type;
	const luaL_Reg *meta;       /* __gc, __call, __tostring, operators */
	const luaL_Reg *methods;    /* o:name(...) */
	const luaL_Reg *properties; /* o.name: called with the object alone, pushes one value */
	lua_CFunction element;      /* o[key] for keys that are none of these; pushes one value or none; may be NULL */
} bl_lua_class;
void bl_lua_define(lua_State *L, const bl_lua_class *c);

/*
 * Adds constructors to the table on top, as "<module>.<name>": what they make
 * remembers name and arguments as its source, from which recipes are written.
 */
void bl_lua_constructors(lua_State *L, const char *module, const luaL_Reg *list);
void bl_lua_constructor(lua_State *L, const char *name, lua_CFunction fn); /* pushes one: "trainer" */
/* Pushes o's source, {call = "nn.linear", n = 2, 3, 4}, or nil. */
void bl_lua_source(lua_State *L, int index);

/* Raises the library's message, with the place in the script. */
int bl_lua_fail(lua_State *L);
/* Prints what is at `index`, for a message: "string 'abc'", "number 3", "tensor (2, 3)". */
const char *bl_lua_describe(lua_State *L, int index);

/* --- constructor tables (check.c) --- */

typedef enum bl_key_kind {
	BL_KEY_INT, BL_KEY_INT64, BL_KEY_FLOAT, BL_KEY_DOUBLE, /* numbers of that C type */
	BL_KEY_BOOL,
	BL_KEY_TEXT,   /* const char *, alive as long as the table */
	BL_KEY_CHOICE, /* one of `choices`: its index, an int (an enum) */
	BL_KEY_FLOATS, /* `count` floats: a list, or one number for all */
	BL_KEY_LIST,   /* bl_list: a list of numbers */
	BL_KEY_OBJECT, /* void *: the userdata of `type` */
	BL_KEY_ANY,    /* let through: the binding looks at it itself */
} bl_key_kind;

typedef struct bl_list { int n; double v[64]; } bl_list;

typedef struct bl_key {
	const char *name;
	bl_key_kind kind;
	size_t offset;    /* of the field it goes to */
	double min, max;  /* numbers: the range, both ends in it; both 0: any */
	int position;     /* also given as the position-th argument; 0: by name only */
	int count;
	const char *const *choices;
	const char *type;
} bl_key;

/* The key that goes to the field of the same name: BL_KEY(INT, args, stride, .min = 1, .max = 9). */
#define BL_KEY(kind_, struct_, field_, ...) \
	{ .name = #field_, .kind = BL_KEY_##kind_, .offset = offsetof(struct_, field_), ##__VA_ARGS__ }
#define BL_KEY_UNREAD(name_) { .name = #name_, .kind = BL_KEY_ANY }
#define BL_KEY_END { .name = NULL }

/*
 * The arguments of constructor `what` into struct `out`, which holds the
 * defaults: either one table, or positional arguments and, last, perhaps a
 * table.  Leaves the table, complete, as the only thing on the stack.  Raises
 * for unknown keys (naming the nearest known one) and wrong types.
 */
void bl_lua_arguments(lua_State *L, const char *what, const bl_key *keys, void *out);
/* The same for the table at `index`. */
void bl_lua_fields(lua_State *L, int index, const char *what, const bl_key *keys, void *out);
/* Raises "what: 'key' must be <expected>, got <value at index>". */
int bl_lua_bad(lua_State *L, const char *what, const char *key, const char *expected, int index);
int bl_lua_missing(lua_State *L, const char *what, const char *key, const char *expected);
/* Raises "unknown <thing> 'word' (did you mean ...?)". */
int bl_lua_unknown(lua_State *L, const char *what, const char *thing, const char *word, const char *const *known);

/* Lua's dimension (1-based, negative from the end) as the library's.  Raises outside of t's. */
int bl_lua_dim(lua_State *L, int arg, const bl_tensor *t);
/* Sizes from arguments first.. or from a table at `first`; how many. */
int bl_lua_shape(lua_State *L, int first, int64_t shape[BL_MAXDIM]);
/* Integers of the list, or of the tensor of one dimension, at `index` into a userdata that is pushed; their number in *n. */
int64_t *bl_lua_integers(lua_State *L, int index, const char *what, int64_t *n);

/* --- interruption (interrupt.c) --- */

/* How often Ctrl-C came since it was last answered.  Set by the signal handler, polled by whatever takes long. */
extern volatile int bl_lua_interrupted;
void bl_lua_interrupt_guard(lua_State *L); /* the hook that raises "interrupted", for L and what it makes */
void bl_lua_interrupt_check(lua_State *L); /* raises when the flag is up */

#endif
