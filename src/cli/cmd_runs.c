/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_runs.c: barlow runs; what it does is lua/runs_command.lua's. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <stdlib.h>

struct wish {
	bool json, csv;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct wish, json, .name = "json", .help = "print JSON"),
	BL_OPTION(FLAG, struct wish, csv, .name = "csv", .help = "print comma-separated values"),
	BL_OPTION_END,
};

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.runs_command", "main", 2);
}

static void set_flag(lua_State *L, const char *name, bool on)
{
	lua_pushboolean(L, on);
	lua_setfield(L, -2, name);
}

static void push_operands(lua_State *L, const bl_texts *t)
{
	lua_createtable(L, t->n, 0);
	for (int i = 0; i < t->n; i++) {
		lua_pushstring(L, t->text[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* Messages are for the command's user: where in our code they come from says nothing to him. */
static int call(lua_State *L, const struct wish *w, const bl_texts *operands)
{
	lua_pushcfunction(L, call_main);
	push_operands(L, operands);
	lua_newtable(L);
	set_flag(L, "json", w->json);
	set_flag(L, "csv", w->csv);
	if (lua_pcall(L, 2, 1, 0) == LUA_OK)
		return (int)lua_tointeger(L, -1);
	bl_signals_yield();
	fflush(stdout);
	bl_lua_push_clean(L, luaL_tolstring(L, -1, NULL), true);
	fprintf(stderr, "barlow runs: %s\n", lua_tostring(L, -1));
	return EXIT_FAILURE;
}

static int runs(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct wish *w = options_read;
	if (w->json && w->csv)
		return bl_subcommand_refuse(self, "--json or --csv, not both");
	bl_signals_catch_interrupts();
	lua_State *L = bl_run_state_new(NULL);
	return L ? bl_run_close(L, call(L, w, operands)) : EXIT_FAILURE;
}

static const char *const verbs[] = { "list", "show", NULL };

const bl_subcommand bl_subcommand_runs = {
	.name = "runs",
	.summary = "list runs, live and past",
	.options = options,
	.operand = "list | show RUN",
	.thing = BL_THING_WORD,
	.words = verbs,
	.many = true,
	.others = BL_THING_RUN,
	.about = "Lists all runs that were kept, newest first, or shows one.\n",
	.size = sizeof(struct wish),
	.run = runs,
};
