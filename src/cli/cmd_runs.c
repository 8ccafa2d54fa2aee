/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_runs.c: the subcommand `barlow runs`, whose actions are in lua/runs_command.lua. */
#include "cli/command.h"
#include "cli/run.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <stdlib.h>

struct values {
	bool json, csv, yes, forever, dry_run, leftovers;
	const char *where, *sort, *columns, *metric, *goal, *format, *output, *keep, *older, *size;
	bl_texts tags;
	int number;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, json, .name = "json", .help = "print JSON"),
	BL_OPTION(FLAG, struct values, csv, .name = "csv", .help = "print comma-separated values"),
	BL_OPTION(TEXT, struct values, where, .letter = 'w', .name = "where", .argument = "CONDITION",
	          .help = "only runs for which CONDITION is true: \"knn > .7 and loss.lambda < .1\""),
	BL_OPTION(TEXTS, struct values, tags, .letter = 't', .name = "tag", .argument = "TAG",
	          .help = "only runs with that tag; may be repeated"),
	BL_OPTION(TEXT, struct values, sort, .letter = 's', .name = "sort", .argument = "NAME",
	          .help = "sort by a column, metric or setting; -NAME: descending (default: newest first)"),
	BL_OPTION(TEXT, struct values, columns, .letter = 'c', .name = "columns", .argument = "NAMES",
	          .help = "columns, metrics and settings of the recipe to show, separated by commas"),
	BL_OPTION(WHOLE, struct values, number, .letter = 'n', .name = "number", .argument = "N", .min = 1, .max = 1000000,
	          .help = "only the first N"),
	BL_OPTION(TEXT, struct values, metric, .letter = 'm', .name = "metric", .argument = "NAME",
	          .help = "best: the metric to compare (default: knn)"),
	BL_OPTION(TEXT, struct values, goal, .name = "goal", .argument = "GOAL",
	          .help = "best: max or min (default: max, for losses min)"),
	BL_OPTION(TEXT, struct values, format, .letter = 'f', .name = "format", .argument = "FORMAT",
	          .help = "export: csv, json, markdown or latex (default: csv)"),
	BL_OPTION(TEXT, struct values, output, .letter = 'o', .name = "output", .argument = "FILE", .thing = BL_THING_FILE,
	          .help = "export: write this file"),
	BL_OPTION(TEXT, struct values, keep, .name = "keep", .argument = "N", .help = "prune: keep the newest N runs"),
	BL_OPTION(TEXT, struct values, older, .name = "older", .argument = "DAYS",
	          .help = "prune: remove runs that ended more than DAYS ago"),
	BL_OPTION(TEXT, struct values, size, .name = "size", .argument = "SIZE",
	          .help = "prune: remove the oldest runs until all take at most SIZE, such as 10G"),
	BL_OPTION(FLAG, struct values, leftovers, .name = "leftovers",
	          .help = "prune: only remove incomplete files of saves that were killed"),
	BL_OPTION(FLAG, struct values, dry_run, .name = "dry-run", .help = "prune: only print which runs would be removed"),
	BL_OPTION(FLAG, struct values, forever, .name = "forever",
	          .help = "rm, prune: delete the files instead of moving them to the trash"),
	BL_OPTION(FLAG, struct values, yes, .letter = 'y', .name = "yes", .help = "rm, prune: do not ask for confirmation"),
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

static void push_texts(lua_State *L, const bl_texts *t)
{
	lua_createtable(L, t->n, 0);
	for (int i = 0; i < t->n; i++) {
		lua_pushstring(L, t->text[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* Calls lua/runs_command.lua with the operands and the options' values; returns the exit status. */
static int call(lua_State *L, const struct values *v, const bl_texts *operands)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "where", v->where }, { "sort", v->sort },     { "columns", v->columns }, { "metric", v->metric },
		{ "goal", v->goal },   { "format", v->format }, { "output", v->output },   { "keep", v->keep },
		{ "older", v->older }, { "size", v->size },
	};
	lua_pushcfunction(L, call_main);
	push_texts(L, operands);
	lua_newtable(L);
	set_flag(L, "json", v->json);
	set_flag(L, "csv", v->csv);
	set_flag(L, "yes", v->yes);
	set_flag(L, "forever", v->forever);
	set_flag(L, "dry_run", v->dry_run);
	set_flag(L, "leftovers", v->leftovers);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		lua_pushstring(L, texts[i].text);
		lua_setfield(L, -2, texts[i].name);
	}
	push_texts(L, &v->tags);
	lua_setfield(L, -2, "tags");
	if (v->number) {
		lua_pushinteger(L, v->number);
		lua_setfield(L, -2, "number");
	}
	if (lua_pcall(L, 2, 1, 0) == LUA_OK)
		return (int)lua_tointeger(L, -1);
	return bl_run_failed(L, "runs");
}

static int runs(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	if (v->json && v->csv)
		return bl_subcommand_refuse(self, "--json or --csv, not both");
	bl_signals_catch_interrupts();
	lua_State *L = bl_run_state_new(NULL);
	return L ? bl_run_close(L, call(L, v, operands)) : EXIT_FAILURE;
}

static const char *const verbs[] = { "list", "show", "diff", "best", "export", "sql", "tag", "note", "rm", "prune", NULL };

const bl_subcommand bl_subcommand_runs = {
	.name = "runs",
	.summary = "list, compare, export, tag and delete runs",
	.options = options,
	.operand = "what",
	.thing = BL_THING_WORD,
	.words = verbs,
	.many = true,
	.others = BL_THING_RUN,
	.about =
		"list prints all stored runs, newest first; show RUN prints everything known about a run, diff RUN RUN the differences of "
		"two, and best the run with the best value of a metric; export writes a table; sql QUERY runs an SQL query, which can only "
		"read, on the tables runs, metrics(run, key, value), recipe(run, key, value) and tags(run, tag).\n"
		"tag RUN TAG... adds tags, and removes tags that begin with \"-\" (put -- before them); note RUN TEXT sets a run's notes; "
		"rm RUN... moves runs to the trash, the folder trash beside all runs; prune moves runs that are too old or in excess, but "
		"none that is running or has the tag keep. From the folders of runs that are not running, prune also removes incomplete "
		"files of saves that were killed, and prints their size. RUN is given as for watch.\n"
		"The index of runs is in the cache; if it is missing, it is rebuilt from the runs' folders.\n",
	.size = sizeof(struct values),
	.run = runs,
};
