/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cargo.h: the parts of a cargo, which is a Lua function as C data, together with the functions among its upvalues. */
#ifndef BARLOW_LUA_KIT_CARGO_H
#define BARLOW_LUA_KIT_CARGO_H

#include "lua/kit/packing.h"

typedef struct bl_cargo_code {
	char *bytes;
	size_t n;
} bl_cargo_code;

typedef struct bl_cargo_upvalue {
	char *name;
	bl_plain *value; /* its address stays while upvalues are added */
} bl_cargo_upvalue;

typedef struct bl_cargo_piece {
	bl_cargo_code code; /* bytecode with names and lines, to be run */
	bl_cargo_code bare; /* bytecode without them, to be compared */
	char *chunk;        /* the name of the text that it was compiled from */
	int first, last;    /* first and last line of the function in that text */
	bl_cargo_upvalue *upvalue;
	int n;
} bl_cargo_piece;

struct bl_cargo {
	bl_cargo_piece *piece; /* the first is the function itself */
	int n;
};

#endif
