/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_tune.c: barlow tune; lua/tune.lua measures. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/tuned.h>

#include <stdlib.h>

struct values {
	const char *data; /* NULL: the recipe's folder, or BARLOW_DATA */
	int threads;      /* 0: the default */
	bool forget;
};

static const bl_option options[] = {
	BL_OPTION(
		TEXT, struct values, data, .name = "data", .argument = "PATH", .thing = BL_THING_FOLDER,
		.help = "search for the recipe's images, if they were moved, below this folder first; they have to be the same ones"),
	BL_OPTION_THREADS(struct values, threads),
	BL_OPTION(FLAG, struct values, forget, .name = "forget",
	          .help = "remove the stored choices, so that the fixed rule applies again"),
	BL_OPTION_END,
};

static int fail(void)
{
	fprintf(stderr, "barlow tune: %s\n", bl_error());
	return EXIT_FAILURE;
}

static int forget(void)
{
	char *path = bl_tuned_path();
	int rc = path ? bl_tuned_forget() : -1;
	if (rc >= 0)
		printf(rc ? "nothing was stored in %s\n" : "removed %s\n", path);
	free(path);
	return rc < 0 ? fail() : EXIT_SUCCESS;
}

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.tune", "main", 1);
}

static int measure(const char *what)
{
	lua_State *L = bl_run_state_new(NULL);
	if (!L)
		return EXIT_FAILURE;
	lua_pushcfunction(L, call_main);
	lua_pushstring(L, what); /* nil if NULL */
	int status = lua_pcall(L, 1, 0, 0) == LUA_OK ? EXIT_SUCCESS : bl_run_failed(L, "tune");
	return bl_run_close(L, status);
}

static int tune(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	if (v->forget && operands->n)
		return bl_subcommand_refuse(self, "'%s' is one argument too many", operands->text[0]);
	if (v->data && bl_lua_set_data_path(v->data) < 0)
		return fail();
	bl_threads_set(v->threads);
	bl_signals_catch_interrupts();
	return v->forget ? forget() : measure(operands->n ? operands->text[0] : NULL);
}

const bl_subcommand bl_subcommand_tune = {
	.name = "tune",
	.summary = "measure which convolution algorithms are fastest here",
	.options = options,
	.operand = "run",
	.thing = BL_THING_RUN,
	.about =
		"Measures the algorithms of convolutions for the shapes of a run or of a recipe file, or else for those of the "
		"networks that barlow comes with, and stores the fastest for later runs on this type of CPU. An existing run keeps "
		"the choices that it began with.\n",
	.size = sizeof(struct values),
	.run = tune,
};
