/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_doctor.c: barlow doctor; lua/doctor.lua has the checks. */
#include "cli/command.h"
#include "cli/run.h"

#include "lua/bind/face.h"

#include <barlow/parallel.h>

#include <stdlib.h>

struct values {
	bool json;
	int threads; /* 0: the default */
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, json, .name = "json", .help = "print the result as JSON"),
	BL_OPTION_THREADS(struct values, threads),
	BL_OPTION_END,
};

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.doctor", "main", 1);
}

static int doctor(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	(void)self, (void)operands;
	bl_threads_set(v->threads);
	lua_State *L = bl_run_state_new(NULL);
	if (!L)
		return EXIT_FAILURE;
	lua_pushcfunction(L, call_main);
	lua_pushboolean(L, v->json);
	return bl_run_close(L, lua_pcall(L, 1, 1, 0) == LUA_OK ? (int)lua_tointeger(L, -1) : bl_run_failed(L, "doctor"));
}

const bl_subcommand bl_subcommand_doctor = {
	.name = "doctor",
	.summary = "check what barlow needs and can use on this machine",
	.options = options,
	.about =
		"Prints what barlow finds: kernels, BLAS, threads, memory limits, the terminal, gnuplot, data sets, folders and the clock. "
		"A line that begins with - names something that is missing but not needed, one that begins with ! a problem, followed by "
		"what to do. The exit status is 1 if there is a problem.\n",
	.size = sizeof(struct values),
	.run = doctor,
};
