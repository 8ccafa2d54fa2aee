/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * travel.h: copies Lua values to C data, to pass them to another Lua state or to write them in the text of a recipe.
 *
 * A value may be a number, string, boolean, table of these, tensor (shared, not copied) or function written in Lua.
 * Lua's harmless libraries, barlow's modules that a sandboxed state has, and their functions are passed by name.
 */
#ifndef BARLOW_LUA_KIT_TRAVEL_H
#define BARLOW_LUA_KIT_TRAVEL_H

#include <barlow/tensor.h>

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>

typedef enum bl_plain_kind {
	BL_PLAIN_NIL,
	BL_PLAIN_BOOLEAN,
	BL_PLAIN_INTEGER,
	BL_PLAIN_NUMBER,
	BL_PLAIN_STRING,
	BL_PLAIN_TABLE,
	BL_PLAIN_TENSOR,
	BL_PLAIN_NAME,     /* a value of that name in Lua: "math.floor", "tensor" */
	BL_PLAIN_GLOBALS,  /* the state's table of globals */
	BL_PLAIN_INNER,    /* the function with number `integer`, from 0, of the same cargo */
	BL_PLAIN_FUNCTION, /* a function with a cargo of its own */
	BL_PLAIN_CALL,     /* a constructor's call that a recipe describes: a table as in describe.c */
} bl_plain_kind;

typedef struct bl_cargo bl_cargo;
typedef struct bl_function bl_function;

typedef struct bl_plain {
	bl_plain_kind kind;
	bool boolean;
	lua_Integer integer;
	lua_Number number;
	char *bytes;            /* STRING, NAME */
	size_t length;          /* number of bytes; TABLE, CALL: of items */
	struct bl_plain *items; /* TABLE, CALL: key, value, key, value ... */
	bl_tensor *tensor;
	bl_function *function;
} bl_plain;

/*
 * Copies the value at `index` into *p.  The caller sets *p to zeros before the call, and clears it afterwards, also after
 * a failure.  `where` names the value in messages: "upvalue 'x'".  Negative with bl_error; may raise an error of L (out
 * of memory).
 */
int bl_plain_pack(lua_State *L, int index, bl_plain *p, const char *where);
/* Pushes the value; may raise an error. */
void bl_plain_push(lua_State *L, const bl_plain *p);
void bl_plain_clear(bl_plain *p);

/*
 * names.c: registers a name for the value on top, which is then passed to other states by this name.  functions: the
 * value is a table, and its functions get names, too: "name.function".  Called when a state is opened.
 */
void bl_lua_name(lua_State *L, const char *name, bool functions);
void bl_lua_name_libraries(lua_State *L); /* names Lua's harmless libraries (tame.c) */
/* Returns the registered name of the value at `index`, valid as long as the state, or NULL. */
const char *bl_lua_name_of(lua_State *L, int index);
void bl_lua_push_named(lua_State *L, const char *name); /* raises an error if no value has that name */

/* --- functions --- */

/*
 * A cargo is a function as C data: its bytecode, which this process has dumped, its upvalues, and in the same way each
 * function among the upvalues.
 */

/*
 * Packs the Lua function at `index` into *out, which the caller frees, also after a failure.  Negative with bl_error that
 * names the upvalue that cannot be copied; may raise an error of L (out of memory).
 */
int bl_cargo_pack(lua_State *L, int index, bl_cargo **out);
/* Pushes the function in another state; constant: tables among its upvalues are read-only.  May raise an error. */
void bl_cargo_push(lua_State *L, const bl_cargo *c, bool constant);
/* Replaces tensors among the upvalues by read-only copies.  Negative with bl_error. */
int bl_cargo_freeze(bl_cargo *c);
void bl_cargo_free(bl_cargo *c);
/* Returns whether both have the same code and equal upvalues (same.c). */
bool bl_cargo_same(const bl_cargo *c, const bl_cargo *d);
/* Stores a copy with tensors to[i] instead of from[i] in *out; ownership as for bl_cargo_pack.  Negative with bl_error. */
int bl_cargo_copy(const bl_cargo *c, bl_tensor *const *from, bl_tensor *const *to, int n, bl_cargo **out);

#endif
