/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_verify.c: the command barlow verify, which calls lua/verify.lua. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <stdlib.h>

struct values {
	bool remake, json, print;
	const char *output;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, remake, .letter = 'r', .name = "remake",
	          .help = "make the figure again from its runs, and replace it"),
	BL_OPTION(TEXT, struct values, output, .letter = 'o', .name = "output", .argument = "FILE", .thing = BL_THING_FILE,
	          .help = "with --remake: write this file instead, in the format of its ending"),
	BL_OPTION(FLAG, struct values, print, .letter = 'p', .name = "print",
	          .help = "print the figure's record: data, recipes, seeds and runs, as JSON"),
	BL_OPTION(FLAG, struct values, json, .name = "json", .help = "print the result as JSON"),
	BL_OPTION_END,
};

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.verify", "main", 2);
}

static void set_flag(lua_State *L, const char *name, bool on)
{
	lua_pushboolean(L, on);
	lua_setfield(L, -2, name);
}

/* Calls lua/verify.lua with the files and the options' values; returns the exit status. */
static int call(lua_State *L, const struct values *v, const bl_texts *operands)
{
	lua_pushcfunction(L, call_main);
	lua_createtable(L, operands->n, 0);
	for (int i = 0; i < operands->n; i++) {
		lua_pushstring(L, operands->text[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_newtable(L);
	set_flag(L, "remake", v->remake);
	set_flag(L, "json", v->json);
	set_flag(L, "print", v->print);
	lua_pushstring(L, v->output);
	lua_setfield(L, -2, "output");
	if (lua_pcall(L, 2, 1, 0) == LUA_OK)
		return (int)lua_tointeger(L, -1);
	return bl_run_failed(L, "verify");
}

static int verify(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	if (v->output && !v->remake)
		return bl_subcommand_refuse(self, "-o can be used only with --remake");
	bl_signals_catch_interrupts();
	lua_State *L = bl_run_state_new(NULL);
	return L ? bl_run_close(L, call(L, v, operands)) : EXIT_FAILURE;
}

const bl_subcommand bl_subcommand_verify = {
	.name = "verify",
	.summary = "check that a figure's runs still give the same figure",
	.options = options,
	.operand = "figure",
	.thing = BL_THING_FILE,
	.needed = true,
	.many = true,
	.others = BL_THING_FILE,
	.about =
		"A figure that barlow saved (svg, png, pdf, tex, gp) contains a record of its runs, their recipes and seeds, its data, and "
		"hashes of these. verify makes the data again from the runs as they are now, and compares it with the record. It prints what differs or is "
		"missing; the exit status is 0 if all is the same, else 1. A file that was changed after it was saved differs, too.\n",
	.size = sizeof(struct values),
	.run = verify,
};
