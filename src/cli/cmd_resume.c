/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_resume.c: barlow resume; lua/resume.lua resumes the run. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <barlow/parallel.h>

#include <stdio.h>
#include <stdlib.h>

struct values {
	bool plain;
	const char *data; /* NULL: the recipe's folder, or BARLOW_DATA */
	int threads;      /* 0: the default */
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, plain, .name = "plain",
	          .help = "on a terminal, print lines of progress instead of showing the screen"),
	BL_OPTION(TEXT, struct values, data, .name = "data", .argument = "PATH", .thing = BL_THING_FOLDER,
	          .help = "search for the images, if they were moved, below this folder first; they have to be the same ones"),
	BL_OPTION_THREADS(struct values, threads),
	BL_OPTION_END,
};

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.resume", "main", 2);
}

static int resume(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	(void)self;
	const struct values *v = options_read;
	bl_signals_catch_interrupts();
	bl_threads_set(v->threads);
	if (v->data && bl_lua_set_data_path(v->data) < 0)
		return fprintf(stderr, "barlow resume: %s\n", bl_error()), EXIT_FAILURE;
	lua_State *L = bl_run_state_new(NULL);
	if (!L)
		return EXIT_FAILURE;
	lua_pushcfunction(L, call_main);
	lua_pushstring(L, operands->n ? operands->text[0] : NULL); /* nil if NULL */
	lua_pushboolean(L, v->plain);
	return bl_run_close(L, lua_pcall(L, 2, 0, 0) == LUA_OK ? EXIT_SUCCESS : bl_run_failed(L, "resume"));
}

const bl_subcommand bl_subcommand_resume = {
	.name = "resume",
	.summary = "resume a run that was stopped or killed",
	.options = options,
	.operand = "run",
	.thing = BL_THING_RUN,
	.about =
		"Resumes the run from its last checkpoint, in its own folder. It computes the same bits as if it had never stopped. RUN is "
		"given as for watch; without it, the newest run that was stopped or killed is resumed. A run that failed has to be named.\n",
	.size = sizeof(struct values),
	.run = resume,
};
