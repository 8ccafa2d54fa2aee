/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_complete.c: barlow complete: the candidates that Tab offers at the prompt, for editors. */
#include "cli/command.h"
#include "cli/run.h"

#include "lua/bind/face.h"

#include <stdio.h>
#include <stdlib.h>

/* Prints candidates(text), one per line: its position in the text (from 1), a tab, the candidate. */
static int print_candidates(lua_State *L)
{
	lua_settop(L, 1);
	bl_lua_call_module(L, "barlow.complete", "candidates", 1);
	lua_Integer place = luaL_checkinteger(L, 2);
	lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, 1, i);
		printf("%lld\t%s\n", (long long)place, lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	return 0;
}

static int complete(const bl_subcommand *self, const void *options, const bl_texts *operands)
{
	(void)options;
	lua_State *L = bl_run_state_new(NULL);
	if (!L)
		return EXIT_FAILURE;
	lua_pushcfunction(L, print_candidates);
	lua_pushstring(L, operands->text[0]);
	int status = lua_pcall(L, 1, 0, 0) == LUA_OK ? EXIT_SUCCESS : bl_run_failed(L, self->name);
	return bl_run_close(L, status);
}

const bl_subcommand bl_subcommand_complete = {
	.name = "complete",
	.summary = "print how a line of Lua may be completed, for editors",
	.operand = "text",
	.thing = BL_THING_WORD,
	.needed = true,
	.about =
		"Prints the candidates that Tab would offer at the prompt after the text, one per line: the byte of the text (from 1) "
		"at which the candidate begins, a tab, and the candidate. The text is not run.\n",
	.run = complete,
};
