/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_board.c: the Lua object of a screen of text. */
#include "lua/bind/face.h"

#include <barlow/board.h>

#include <stdlib.h>

#define TYPE "board"

static bl_board *board(lua_State *L)
{
	bl_board **b = luaL_checkudata(L, 1, TYPE);
	if (!*b)
		luaL_error(L, "the screen is closed");
	return *b;
}

static int board_close(lua_State *L)
{
	bl_board **b = luaL_checkudata(L, 1, TYPE);
	bl_board *old = *b;
	*b = NULL;
	bl_board_close(old);
	return 0;
}

/* b:begin(): width, height */
static int board_begin(lua_State *L)
{
	int w, h;
	if (!bl_board_begin(board(L), &w, &h))
		return luaL_error(L, "no memory for a screen");
	lua_pushinteger(L, w);
	lua_pushinteger(L, h);
	return 2;
}

/* b:text(x, y, room, tone, bar, text): writes text in `room` columns; columns and rows count from 0 */
static int board_text(lua_State *L)
{
	static const char *const tones[] = { "text", "faint", "title", "warn", "good", "mark", NULL };
	bl_board *b = board(L);
	int tone = luaL_checkoption(L, 5, "text", tones);
	bl_board_text(b, (int)luaL_checkinteger(L, 2), (int)luaL_checkinteger(L, 3), (int)luaL_checkinteger(L, 4), (bl_tone)tone,
	              lua_toboolean(L, 6), luaL_checkstring(L, 7));
	return 0;
}

static int board_show(lua_State *L)
{
	return bl_board_show(board(L)) < 0 ? bl_lua_fail(L) : 0;
}

static int board_utf8(lua_State *L)
{
	lua_pushboolean(L, bl_board_utf8(board(L)));
	return 1;
}

/* b:string(): the screen as plain text */
static int board_string(lua_State *L)
{
	char *text = bl_board_string(board(L));
	if (!text)
		return luaL_error(L, "no memory for a screen");
	lua_pushstring(L, text);
	free(text);
	return 1;
}

/* b:key(seconds): "up", "down", "page up", "page down", "home", "end", "enter", "escape", "interrupt", a character, or nil */
static int board_key(lua_State *L)
{
	static const struct {
		int key;
		const char *name;
	} names[] = {
		{ BL_BOARD_UP, "up" },
		{ BL_BOARD_DOWN, "down" },
		{ BL_BOARD_PAGE_UP, "page up" },
		{ BL_BOARD_PAGE_DOWN, "page down" },
		{ BL_BOARD_HOME, "home" },
		{ BL_BOARD_END, "end" },
		{ '\r', "enter" },
		{ '\n', "enter" },
		{ 27, "escape" },
		{ BL_BOARD_INTERRUPT, "interrupt" },
	};
	int key = bl_board_key(board(L), (int)(1000 * luaL_checknumber(L, 2)));
	if (key == 0)
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (key == names[i].key) {
			lua_pushstring(L, names[i].name);
			return 1;
		}
	lua_pushfstring(L, "%c", key);
	return 1;
}

static int give(lua_State *L, bl_board *made)
{
	static const luaL_Reg methods[] = {
		{ "begin", board_begin },   { "text", board_text }, { "show", board_show },   { "utf8", board_utf8 },
		{ "string", board_string }, { "key", board_key },   { "close", board_close }, { "__gc", board_close },
		{ "__close", board_close }, { NULL, NULL },
	};
	if (!made)
		return bl_lua_fail(L);
	*(bl_board **)lua_newuserdatauv(L, sizeof made, 0) = made;
	if (luaL_newmetatable(L, TYPE)) {
		luaL_setfuncs(L, methods, 0);
		lua_pushvalue(L, -1);
		lua_setfield(L, -2, "__index");
	}
	lua_setmetatable(L, -2);
	return 1;
}

int bl_lua_board_open(lua_State *L)
{
	return give(L, bl_board_open());
}

int bl_lua_board_blank(lua_State *L)
{
	lua_Integer w = luaL_checkinteger(L, 1), h = luaL_checkinteger(L, 2);
	luaL_argcheck(L, w >= 1 && w <= 1000 && h >= 1 && h <= 1000, 1, "expected a size");
	return give(L, bl_board_blank((int)w, (int)h));
}
