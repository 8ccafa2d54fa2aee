/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_fork.c: barlow fork; lua/fork.lua makes the run. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <barlow/parallel.h>

#include <limits.h>
#include <stdlib.h>

struct values {
	bool plain;
	const char *data, *name;
	bl_texts set;
	int step, threads; /* 0: not given, the default */
};

static const bl_option options[] = {
	BL_OPTION(TEXTS, struct values, set, .letter = 's', .name = "set", .argument = "NAME=VALUE",
	          .help = "change a setting, named by its path in the recipe, such as loss.lambda=.02; may be repeated"),
	BL_OPTION(WHOLE, struct values, step, .name = "step", .argument = "N", .min = 1, .max = INT_MAX,
	          .help = "start from the checkpoint of step N, if it exists (default: the newest)"),
	BL_OPTION(TEXT, struct values, name, .letter = 'n', .name = "name", .argument = "NAME", .help = "name of the new run"),
	BL_OPTION(FLAG, struct values, plain, .name = "plain",
	          .help = "on a terminal, print lines of progress instead of showing the screen"),
	BL_OPTION(TEXT, struct values, data, .name = "data", .argument = "PATH", .thing = BL_THING_FOLDER,
	          .help = "search for the images, if they were moved, below this folder first; they have to be the same ones"),
	BL_OPTION_THREADS(struct values, threads),
	BL_OPTION_END,
};

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.fork", "main", 2);
}

/* Calls lua/fork.lua with the run and the options' values; returns the exit status. */
static int call(lua_State *L, const struct values *v, const char *run)
{
	lua_pushcfunction(L, call_main);
	lua_pushstring(L, run);
	lua_newtable(L);
	lua_pushboolean(L, v->plain);
	lua_setfield(L, -2, "plain");
	lua_pushstring(L, v->name);
	lua_setfield(L, -2, "name");
	if (v->step) {
		lua_pushinteger(L, v->step);
		lua_setfield(L, -2, "step");
	}
	lua_createtable(L, v->set.n, 0);
	for (int i = 0; i < v->set.n; i++) {
		lua_pushstring(L, v->set.text[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "set");
	return lua_pcall(L, 2, 0, 0) == LUA_OK ? EXIT_SUCCESS : bl_run_failed(L, "fork");
}

static int fork_run(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	(void)self;
	const struct values *v = options_read;
	bl_signals_catch_interrupts();
	bl_threads_set(v->threads);
	if (v->data && bl_lua_set_data_path(v->data) < 0)
		return fprintf(stderr, "barlow fork: %s\n", bl_error()), EXIT_FAILURE;
	lua_State *L = bl_run_state_new(NULL);
	return L ? bl_run_close(L, call(L, v, operands->text[0])) : EXIT_FAILURE;
}

const bl_subcommand bl_subcommand_fork = {
	.name = "fork",
	.summary = "start a new run from another run's checkpoint, with other settings",
	.options = options,
	.operand = "run",
	.thing = BL_THING_RUN,
	.needed = true,
	.about =
		"Makes a new run from the checkpoint and recipe of another one, which is not changed, and trains it. The new run has a "
		"copy of the other's records, and knows its parent (barlow runs show). Settings that the steps so far depend on, such as "
		"seed, batch and optimiser, cannot be changed.\n",
	.size = sizeof(struct values),
	.run = fork_run,
};
