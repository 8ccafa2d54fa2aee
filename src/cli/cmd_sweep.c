/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_sweep.c: barlow sweep; lua/sweep_main.lua runs it. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <stdlib.h>
#include <string.h>

struct values {
	bool json, csv, test, plain;
	const char *shard, *notify, *format;
	int jobs, threads, memory, until;
};

static const bl_option options[] = {
	BL_OPTION(WHOLE, struct values, jobs, .letter = 'j', .name = "jobs", .argument = "N", .min = 1, .max = 1024,
	          .help = "run, resume: number of worker processes (default: the sweep's, or one for every two cores)"),
	BL_OPTION(TEXT, struct values, shard, .name = "shard", .argument = "I/N",
	          .help = "run, resume, worker: only the I-th of N shares of the trials (default: that of the Slurm array's task)"),
	BL_OPTION(FLAG, struct values, plain, .name = "plain",
	          .help = "run, resume: on a terminal, print a line for each trial instead of showing the screen"),
	BL_OPTION(TEXT, struct values, notify, .name = "notify", .argument = "HOW",
	          .help = "run, resume: how the terminal signals the end: bell, osc9 or none (default: BARLOW_NOTIFY, else bell)"),
	BL_OPTION(FLAG, struct values, test, .name = "test", .help = "best: measure on the test set, once; the results are stored"),
	BL_OPTION(FLAG, struct values, json, .name = "json", .help = "status, best, list, export: print JSON"),
	BL_OPTION(FLAG, struct values, csv, .name = "csv", .help = "status: print the table as comma-separated values"),
	BL_OPTION(TEXT, struct values, format, .letter = 'f', .name = "format", .argument = "FORMAT",
	          .help = "export: csv, json, markdown, latex or plain (default: csv)"),
	BL_OPTION_THREADS(struct values, threads),
	BL_OPTION(WHOLE, struct values, memory, .name = "memory", .argument = "MB", .min = 64, .max = 1 << 30,
	          .help = "worker: limit of memory in MB"),
	BL_OPTION(WHOLE, struct values, until, .name = "until", .argument = "TIME", .min = 1, .max = 2147483647,
	          .help = "worker: begin no trial after TIME, seconds since 1970"),
	BL_OPTION_END,
};

static int call_main(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.sweep_main", "main", 3);
}

static void set_flag(lua_State *L, const char *name, bool on)
{
	lua_pushboolean(L, on);
	lua_setfield(L, -2, name);
}

/* Sets a field unless the option was not given (0). */
static void set_whole(lua_State *L, const char *name, int n)
{
	if (n == 0)
		return;
	lua_pushinteger(L, n);
	lua_setfield(L, -2, name);
}

/* Calls lua/sweep_main.lua with the operands and the options' values; returns the exit status. */
static int call(lua_State *L, const struct values *v, const bl_texts *operands)
{
	lua_pushcfunction(L, call_main);
	lua_pushstring(L, operands->text[0]);
	lua_pushstring(L, operands->n > 1 ? operands->text[1] : NULL);
	lua_newtable(L);
	set_flag(L, "json", v->json);
	set_flag(L, "csv", v->csv);
	set_flag(L, "test", v->test);
	set_flag(L, "plain", v->plain);
	set_whole(L, "jobs", v->jobs);
	set_whole(L, "memory", v->memory);
	set_whole(L, "until_time", v->until);
	lua_pushstring(L, v->shard);
	lua_setfield(L, -2, "shard");
	lua_pushstring(L, v->notify);
	lua_setfield(L, -2, "notify");
	lua_pushstring(L, v->format);
	lua_setfield(L, -2, "format");
	if (lua_pcall(L, 3, 1, 0) == LUA_OK)
		return (int)lua_tointeger(L, -1);
	return bl_run_failed(L, "sweep");
}

static const char *const actions[] = { "run",  "watch",  "status", "best",     "export", "resume",
	                               "stop", "worker", "list",   "ask-tell", NULL };

static int sweep(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	int known = 0;
	while (actions[known] && strcmp(actions[known], operands->text[0]) != 0)
		known++;
	if (!actions[known]) {
		const char *near = bl_nearest(operands->text[0], actions);
		return bl_subcommand_refuse(
			self,
			"there is no action '%s'%s%s%s: expected run, watch, status, best, export, resume, stop, worker, list or ask-tell",
			operands->text[0], near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	}
	if (operands->n > 2)
		return bl_subcommand_refuse(self, "one sweep at a time: '%s' is one argument too many", operands->text[2]);
	bl_signals_catch_interrupts();
	bl_threads_set(v->threads);
	lua_State *L = bl_run_state_new(NULL);
	return L ? bl_run_close(L, call(L, v, operands)) : EXIT_FAILURE;
}

const bl_subcommand bl_subcommand_sweep = {
	.name = "sweep",
	.summary = "run the trials of a sweep, and show its progress and results",
	.options = options,
	.operand = "run or ask-tell SCRIPT.lua | watch, status, best, export, resume, stop or worker SWEEP | list",
	.thing = BL_THING_WORD,
	.words = actions,
	.needed = true,
	.many = true,
	.others = BL_THING_FILE,
	.about =
		"run makes the trials of the sweep that a script returns (return sweep{...}). resume continues one that was stopped "
		"or killed; watch shows it on the whole terminal, status prints its table, best its best arm, export its table in a text format, and stop stops its workers, which save their runs. list "
		"names all sweeps. A sweep is given by its folder, or by the beginning of its name among all sweeps.\n"
		"worker makes trials until none is left: any number of workers may be started by hand on any hosts that see the folder, "
		"and each trial is made once. In a Slurm array each task makes its share.\n"
		"ask-tell lets another program choose the points: that program writes lines of JSON to ask-tell's standard input, {\"params\": {\"loss.lambda\": "
		"0.01}, \"seed\": 1, \"id\": 7}, and reads from its standard output lines with the metric as it is measured and, at the end, with \"state\", \"value\" and "
		"all \"metrics\". {\"prune\": true} ends the current trial.\n",
	.size = sizeof(struct values),
	.run = sweep,
};
