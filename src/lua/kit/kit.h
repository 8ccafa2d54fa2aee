/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kit.h: the toolkit of all bindings: objects, constructor tables and their messages, interruption.  Nothing in
 * kit/ knows a module of the Lua face.
 */
#ifndef BARLOW_LUA_KIT_KIT_H
#define BARLOW_LUA_KIT_KIT_H

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include <barlow/ambient.h>
#include <barlow/error.h>
#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

/* The metatable's name, which messages use, too.  The kit treats tensors as values; it knows no other type. */
#define BL_T_TENSOR "tensor"

/* --- objects (object.c) --- */

/* Pushes a zeroed userdata of `type`.  User value 1 is its source (what made it, for recipes), 2 the binding's own. */
void *bl_lua_new(lua_State *L, const char *type, size_t size);
void *bl_lua_check(lua_State *L, int arg, const char *type);
void *bl_lua_test(lua_State *L, int arg, const char *type); /* NULL if it has another type */

/* Makes a type without public names; bl_lua_define_type makes public ones. */
typedef struct bl_lua_class {
	const char *type;
	const luaL_Reg *meta;  /* __gc, __call, __tostring, operators */
	lua_CFunction element; /* o[key] for keys that are no method or property; pushes one value or none; may be NULL */
	lua_CFunction fields;  /* pushes a light userdata: the fields whose names element knows, for messages; may be NULL */
} bl_lua_class;
void bl_lua_define(lua_State *L, const bl_lua_class *c);

/*
 * Pushes the names of all constructors of this state, NULL-terminated: "nn.linear", ":split" for methods.  Recipes,
 * also those of strangers, may call them: a constructor only makes an object, and does not write, run or start
 * anything.
 */
const char *const *bl_lua_push_makers(lua_State *L);
/* Pushes the source of the object at `index`, {call = "nn.linear", n = 2, 3, 4}, or nil. */
void bl_lua_source(lua_State *L, int index);

/* Pushes t, and takes over the caller's reference; raises bl_error() if t is NULL (tensor_object.c). */
int bl_lua_give_tensor(lua_State *L, bl_tensor *t);
/* Pushes n >= 1 tensors in the same way; if one of them is NULL, the others are released. */
int bl_lua_give_tensors(lua_State *L, int n, bl_tensor *const *t);
bl_tensor *bl_lua_tensor(lua_State *L, int arg);
void bl_lua_drop_tensor(lua_State *L, bl_tensor **t); /* for __gc: releases the object's tensor and sets it to NULL */

/*
 * luaL_error for barlow's errors: if one of barlow's own Lua files (lua/) made the call, the message begins with the
 * place of the script that called it, or with no place.
 */
int bl_lua_error(lua_State *L, const char *format, ...);
#undef luaL_error
#define luaL_error bl_lua_error
/* Pushes the message at `index`, without the place in barlow's own Lua files that luaL_argerror may have put before it. */
void bl_lua_push_message(lua_State *L, int index);

/* Raises bl_error(), with the place in the script. */
int bl_lua_fail(lua_State *L);
/* Pushes text from outside with its control characters escaped; lines: line ends stay (bl_text_clean in text.h). */
void bl_lua_push_clean(lua_State *L, const char *text, bool lines);
/* Describes the value at `index` for a message: "string 'abc'", "number 3", "tensor (2, 3)". */
const char *bl_lua_describe(lua_State *L, int index);

/* --- random numbers (tame.c) --- */

/* 64 random bits from the stream of the thread's context (bl_ambient), which must have one. */
uint64_t bl_lua_stream_bits(void);
/* An integer from the same stream, uniform on low to high; low <= high. */
lua_Integer bl_lua_stream_integer(lua_Integer low, lua_Integer high);

/* --- the registry (registry.c): every public name of the Lua face, described where it is implemented --- */

/*
 * A function, constructor, method or property.  The signature has the arguments and results of a call, as in
 * "(start: number, stop?: number, ...: integer): tensor, number"; types are Lua's or those of objects.  If the
 * arguments are settings described by `fields`, it has the result only, ": module".
 */
typedef struct bl_lua_function {
	const char *name;   /* "linear"; of objects also "()", when they are called, and "[]", when they are indexed */
	lua_CFunction call; /* NULL: it is defined in the metatable */
	const char *signature;
	const char *help;       /* one line */
	const char *example;    /* Lua that runs by itself; the suite runs it */
	const bl_field *fields; /* the fields of its table of settings; NULL: none */
	const void *context;    /* the binding's own */
} bl_lua_function;
/* BL_LUA("linear", nn_linear, ": module", "x W^T + b.", "nn.linear(3, 4)", .fields = linear_fields) */
/* clang-format off */
#define BL_LUA(name_, call_, signature_, help_, example_, ...) \
	{ .name = name_, .call = call_, .signature = signature_, .help = help_, .example = example_, __VA_ARGS__ }
/* clang-format on */
#define BL_LUA_END \
	{ \
		.name = NULL \
	}

/* Pushes the table of a module with these functions.  Reading an unknown name raises an error that suggests the nearest one. */
void bl_lua_module_new(lua_State *L, const char *module);
/* Adds the functions to the table on top, and to the registry as "<module>.<name>". */
void bl_lua_functions(lua_State *L, const char *module, const bl_lua_function *list);
/* Adds constructors in the same way; their objects store name and settings as their source, from which recipes are written. */
void bl_lua_makers(lua_State *L, const char *module, const bl_lua_function *list);
/* Adds methods that make objects ("dataset:split") to the methods of a type. */
void bl_lua_maker_methods(lua_State *L, const char *type, const bl_lua_function *list);
/* Pushes a constructor that belongs to no module: "trainer". */
void bl_lua_maker(lua_State *L, const bl_lua_function *f);
/* Adds the function to the registry only. */
void bl_lua_describe_function(lua_State *L, const char *module, const bl_lua_function *f);

typedef struct bl_lua_type {
	const char *name;                  /* of the metatable, and in messages */
	const char *self;                  /* what examples call such an object: "t" in "t:sum()" */
	const luaL_Reg *meta;              /* __gc, __tostring, operators */
	const bl_lua_function *methods;    /* o:name(...) */
	const bl_lua_function *properties; /* o.name: called with the object only, pushes one value */
	lua_CFunction element;             /* o[key] for other keys; pushes one value or none; may be NULL */
	lua_CFunction fields;              /* as in bl_lua_class */
} bl_lua_type;
void bl_lua_define_type(lua_State *L, const bl_lua_type *t);
void bl_lua_methods(lua_State *L, const char *type, const bl_lua_function *list); /* further ones */

/* Returns the description of the function at `index`, or NULL if it is not a registered one. */
const bl_lua_function *bl_lua_described(lua_State *L, int index);
/*
 * For a message of Lua at `index` about a nil global or method ("attempt to call a nil value (global 'trainr')"):
 * pushes the message, followed by the most similar name if there is one.
 */
void bl_lua_hint(lua_State *L, int index);
void bl_lua_note_method(lua_State *L, const char *name);      /* a method of objects written in Lua, for bl_lua_hint */
void bl_lua_push_near_global(lua_State *L, const char *name); /* pushes the most similar global name, or nil */
/* Returns the description of the function that runs.  Not to be called in properties, which have no upvalues. */
const bl_lua_function *bl_lua_running(lua_State *L);
/* Pushes a list of {name =, kind =, self =, signature =, text =, example =, keys = {{name =, type =, default =, ...}}}. */
void bl_lua_registry(lua_State *L);

/* Pushes the constructor f; sources and recipes call it `name`, which has a ':' for a method. */
void bl_lua_push_maker(lua_State *L, const bl_lua_function *f, const char *name);
void bl_lua_sort(const char **names, size_t n);
/* Upvalues of a registered function. */
enum { BL_LUA_UP_ENTRY = 1, BL_LUA_UP_NAME, BL_LUA_UP_SOURCE /* of those that make objects */ };

/* --- tables of settings (fields.c) --- */

/*
 * Reads the arguments of the running function by its fields into `out`: either one table, or positional arguments and,
 * last, optionally a table.  Defaults are written into `out`, whose other members stay unchanged.  Leaves a table of
 * all settings as the only value on the stack; what the function adds to it becomes part of the object's source.
 * Raises errors for unknown keys (with the most similar one), wrong types, numbers out of range, and missing settings.
 */
void bl_lua_take(lua_State *L, void *out);
/* Like bl_lua_take, for a method that makes an object: the object at 1 stays, and the table of settings is at 2. */
void bl_lua_take_method(lua_State *L, void *out);
/* Like bl_lua_take, for a table of settings, or nothing, at `index`; the completed copy takes its place. */
void bl_lua_take_options(lua_State *L, int index, void *out);
void bl_lua_check_options(lua_State *L, int index); /* without storing them: for functions that are written in lua/ */
/* Stores v as argument `index` in the source of the object that is being made, even if the caller did not give that argument. */
void bl_lua_state_integer(lua_State *L, int index, lua_Integer v);
/* Stores the value at `index` in the field's member of `out`; raises the same errors, which begin with "what: ". */
void bl_lua_take_value(lua_State *L, int index, const char *what, const bl_field *f, void *out);
/* Pushes the value of the field's member of `settings`. */
void bl_lua_push_value(lua_State *L, const bl_field *f, const void *settings);
/* Like bl_lua_take_options, with the given fields; pushes the completed copy. */
void bl_lua_take_table(lua_State *L, int index, const char *what, const bl_field *fields, void *out);

/* --- messages, shapes and lists (check.c) --- */

/* Raises "what: 'key' must be <expected>, got <value at index>". */
int bl_lua_bad(lua_State *L, const char *what, const char *key, const char *expected, int index);
int bl_lua_missing(lua_State *L, const char *what, const char *key, const char *expected);
/* Raises "unknown <thing> 'word' (did you mean ...?)". */
int bl_lua_unknown(lua_State *L, const char *what, const char *thing, const char *word, const char *const *known);

/* Returns the dimension at `arg` (1-based, negative from the end) counted from 0; raises an error if t has no such dimension. */
int bl_lua_dim(lua_State *L, int arg, const bl_tensor *t);
/* Pushes sizes as a list that prints as "(2, 3)". */
#define BL_T_SHAPE "shape"
void bl_lua_push_shape(lua_State *L, int n, const int64_t *sizes);
/* Reads sizes from the arguments from `first` on, or from a table there, and returns how many there are. */
int bl_lua_shape(lua_State *L, int first, int64_t shape[BL_MAXDIM]);
/* Copies the *n integers of the list, or of the tensor of one dimension, at `index` into a userdata, which it pushes. */
int64_t *bl_lua_integers(lua_State *L, int index, const char *what, int64_t *n);

/* --- interruption (interrupt.c) --- */

/* Number of times that Ctrl-C was pressed and not handled yet: counted by the signal handler, polled by code that takes long. */
extern volatile int bl_lua_interrupted;
/* Not 0 once a signal has told the process to end: then code is interrupted again and again. */
extern volatile int bl_lua_ending;
/* Sets the hook that raises "interrupted" in L and in coroutines made later; NULL: no state is interrupted any more. */
void bl_lua_interrupt_guard(lua_State *L);
void bl_lua_interrupt(void);               /* counts one Ctrl-C; for a signal handler on the thread that runs L */
void bl_lua_interrupt_check(lua_State *L); /* raises "interrupted" if a Ctrl-C is not handled yet, or when the process ends */

/*
 * Between begin and end, Ctrl-C lets this thread give up its work (bl_give_up_on), if L belongs to the guarded state.  begin
 * returns the argument of end; end returns whether the work was given up.  _give calls end, and pushes t or raises "interrupted".
 */
const volatile int *bl_lua_interrupt_begin(lua_State *L);
bool bl_lua_interrupt_end(const volatile int *before);
int bl_lua_interrupt_give(lua_State *L, const volatile int *before, bl_tensor *t);

/* Replaces functions of Lua's library by ones that check for Ctrl-C (stock.c); before functions get their names. */
void bl_lua_interruptible_library(lua_State *L);

#endif
