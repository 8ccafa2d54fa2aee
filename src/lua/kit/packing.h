/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packing.h: declarations that plain.c and travel.c share, since values may contain functions, and functions values. */
#ifndef BARLOW_LUA_KIT_PACKING_H
#define BARLOW_LUA_KIT_PACKING_H

#include "lua/kit/travel.h"

typedef struct packing {
	lua_State *L;
	bl_cargo *cargo; /* functions within the value are added to it; NULL: each is a value on its own */
	int numbers;     /* stack index of the table function -> its number in the cargo, from 1 */
	int tables;      /* if cargo: stack index of {packed table -> number of its upvalue, number -> name of the upvalue} */
	int upvalue;     /* number of the upvalue that is being packed */
	bool env;        /* whether that upvalue is _ENV */
	size_t items;    /* keys and values packed so far */
	char where[160]; /* what is being packed, for messages */
} packing;

int bl_packing_value(packing *c, bl_plain *p, int depth); /* packs the value on top, which stays */
int bl_packing_inner(packing *c, bl_plain *p);            /* adds the function on top, which stays, to the cargo (travel.c) */
/* Pushes the value.  functions: stack index of the table of a cargo's functions, or 0; constant: tables are read-only. */
void bl_packing_push(lua_State *L, const bl_plain *p, int functions, bool constant);
void bl_lua_push_constant(lua_State *L); /* replaces the table on top by a read-only one (constant.c) */

#endif
