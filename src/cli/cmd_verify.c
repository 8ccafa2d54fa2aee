/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_verify.c: barlow verify; what it does is lua/verify.lua's. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <stdlib.h>

struct wish {
	bool remake, json, print;
	const char *output;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct wish, remake, .letter = 'r', .name = "remake",
	          .help = "make the figure anew from its runs, in its place"),
	BL_OPTION(TEXT, struct wish, output, .letter = 'o', .name = "output", .argument = "FILE", .thing = BL_THING_FILE,
	          .help = "remake: write this file, whose ending says the format"),
	BL_OPTION(FLAG, struct wish, print, .letter = 'p', .name = "print",
	          .help = "print the figure's record: data, recipes, seeds and runs, as JSON"),
	BL_OPTION(FLAG, struct wish, json, .name = "json", .help = "print what was found as JSON"),
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

static int call(lua_State *L, const struct wish *w, const bl_texts *operands)
{
	lua_pushcfunction(L, call_main);
	lua_createtable(L, operands->n, 0);
	for (int i = 0; i < operands->n; i++) {
		lua_pushstring(L, operands->text[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_newtable(L);
	set_flag(L, "remake", w->remake);
	set_flag(L, "json", w->json);
	set_flag(L, "print", w->print);
	lua_pushstring(L, w->output);
	lua_setfield(L, -2, "output");
	if (lua_pcall(L, 2, 1, 0) == LUA_OK)
		return (int)lua_tointeger(L, -1);
	return bl_run_failed(L, "verify");
}

static int verify(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct wish *w = options_read;
	if (w->output && !w->remake)
		return bl_subcommand_refuse(self, "-o goes with --remake");
	bl_signals_catch_interrupts();
	lua_State *L = bl_run_state_new(NULL);
	return L ? bl_run_close(L, call(L, w, operands)) : EXIT_FAILURE;
}

const bl_subcommand bl_subcommand_verify = {
	.name = "verify",
	.summary = "say whether a figure's runs still give it",
	.options = options,
	.operand = "figure",
	.thing = BL_THING_FILE,
	.needed = true,
	.many = true,
	.others = BL_THING_FILE,
	.about =
		"Figures that were saved by barlow (svg, png, pdf, tex, gp) say in them which runs they are of, with their recipes and seeds, "
		"and have their data and a hash of these. verify makes the data again from the runs as they are now and compares: 0 is "
		"the status where all is the same, 1 where something differs or is missing, which it tells. A file that was changed after "
		"it was saved differs, too.\n",
	.size = sizeof(struct wish),
	.run = verify,
};
