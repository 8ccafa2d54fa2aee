/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packing.h: what plain.c and travel.c share: values hold functions, functions hold values. */
#ifndef BARLOW_LUA_KIT_PACKING_H
#define BARLOW_LUA_KIT_PACKING_H

#include "lua/kit/travel.h"

typedef struct packing {
	lua_State *L;
	bl_cargo *cargo; /* that inner functions go into; NULL: functions are values on their own */
	int numbers;     /* where the stack has the table function -> its number in the cargo, from 1 */
	int tables;      /* with cargo: where the stack has the table table -> the upvalue that it was met in, by number,
	                    and number -> its name */
	int upvalue;     /* the number of this one */
	bool env;        /* it is _ENV */
	size_t items;    /* so far */
	char where[160];
} packing;

int bl_packing_value(packing *c, bl_plain *p, int depth); /* the value on top, which stays */
int bl_packing_inner(packing *c, bl_plain *p);            /* the function on top, which stays: into the cargo (travel.c) */
/* functions: where the stack has the table of a cargo's functions; 0: it is none's.  constant: tables that cannot be written to. */
void bl_packing_push(lua_State *L, const bl_plain *p, int functions, bool constant);
void bl_lua_push_constant(lua_State *L); /* the table on top becomes one that cannot be written to (constant.c) */

#endif
