/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * travel.h: Lua values as C data, with which they go from one Lua state to another, and to a recipe's text.
 *
 * Numbers, strings, booleans, tables of these, tensors (shared, not copied), functions written in Lua, and by their names
 * Lua's harmless libraries, barlow's modules that a sandboxed state has, and their functions.
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
	BL_PLAIN_INNER,    /* function `integer` of the same cargo */
	BL_PLAIN_FUNCTION, /* a function on its own */
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
 * The value at `index` into *p, a zeroed one that the caller clears, also after a failure.  `where` names it for
 * messages: "upvalue 'x'".  May raise an error of L (no memory).  Negative with bl_error.
 */
int bl_plain_pack(lua_State *L, int index, bl_plain *p, const char *where);
/* Pushes it; may raise an error. */
void bl_plain_push(lua_State *L, const bl_plain *p);
void bl_plain_clear(bl_plain *p);

/*
 * names.c: notes the value on top under its name; a table's functions, where asked, as "name.function".  Such values travel as
 * their names.  For who opens a state.
 */
void bl_lua_name(lua_State *L, const char *name, bool functions);
void bl_lua_name_libraries(lua_State *L); /* Lua's harmless ones (tame.c) */
/* The name of the value at `index`, valid as long as the state; NULL: none. */
const char *bl_lua_name_of(lua_State *L, int index);
void bl_lua_push_named(lua_State *L, const char *name); /* the value of that name; raises where there is none */

/* --- functions: bytecode that this process dumped, its upvalues, and those of its upvalues that are functions --- */

/*
 * Of the Lua function at `index`, into *out, which the caller frees, also after a failure.  Negative with bl_error naming
 * the upvalue that cannot go; may raise an error of L (out of memory).
 */
int bl_cargo_pack(lua_State *L, int index, bl_cargo **out);
/* Pushes the function in another state; constant: tables among its upvalues are read-only.  May raise an error. */
void bl_cargo_push(lua_State *L, const bl_cargo *c, bool constant);
/* Replaces tensors among its upvalues by read-only copies.  Negative with bl_error. */
int bl_cargo_freeze(bl_cargo *c);
void bl_cargo_free(bl_cargo *c);
/* The same code with the same upvalues (same.c). */
bool bl_cargo_same(const bl_cargo *c, const bl_cargo *d);
/* Stores a copy in *out, as above, with tensors to[i] instead of from[i].  Negative with bl_error. */
int bl_cargo_copy(const bl_cargo *c, bl_tensor *const *from, bl_tensor *const *to, int n, bl_cargo **out);

#endif
