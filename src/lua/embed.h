/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * embed.h: the workbench's Lua files (lua/NAME.lua), embedded in the binary, which therefore needs no folder of them.
 *
 * The array is generated from the files by embed.sh at build time, sorted by name; an entry whose name is NULL ends it.
 */
#ifndef BARLOW_LUA_EMBED_H
#define BARLOW_LUA_EMBED_H

#include <stddef.h>

typedef struct bl_lua_file {
	const char *name;          /* "barlow.help" for lua/help.lua: the name for `require` */
	const unsigned char *text; /* length bytes and a NUL */
	size_t length;
} bl_lua_file;

extern const bl_lua_file bl_lua_files[];

#endif
