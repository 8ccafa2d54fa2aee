/* SPDX-License-Identifier: GPL-3.0-or-later */
/* script.c: the program without a command: runs code or a script, or starts the prompt. */
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/run.h"
#include "cli/safe.h"
#include "cli/signals.h"

#include "lua/bind/face.h"

#include <barlow/file.h>
#include <barlow/parallel.h>
#include <barlow/profile.h>
#include <barlow/runs.h>

#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct values {
	bl_texts code;
	bool interactive, profile, version, no_init, safe;
	bl_safe limits;
	const char *colour;
	int threads; /* 0: the default */
};

static const bl_option options[] = {
	BL_OPTION(TEXTS, struct values, code, .letter = 'e', .argument = "CODE", .help = "run CODE (may be given more than once)"),
	BL_OPTION(FLAG, struct values, interactive, .letter = 'i', .help = "start the prompt afterwards"),
	BL_OPTION(FLAG, struct values, no_init, .name = "no-init", .help = "start the prompt without running init.lua"),
	BL_OPTION(FLAG, struct values, safe, .name = "safe",
	          .help = "run an untrusted script: it can only compute, and read files below its own folder"),
	BL_OPTION(TEXT, struct values, limits.below, .name = "below", .argument = "FOLDER", .thing = BL_THING_FOLDER,
	          .help = "--safe: the script may also read and write below FOLDER"),
	BL_OPTION(WHOLE, struct values, limits.memory, .name = "memory", .argument = "MB", .min = 16, .max = 1 << 20,
	          .help = "--safe: limit of memory in MB (default: 2048)"),
	BL_OPTION(WHOLE, struct values, limits.seconds, .name = "seconds", .argument = "S", .min = 1, .max = 10000000,
	          .help = "--safe: limit of time in seconds (default: 60)"),
	BL_OPTION_COLOUR(struct values, colour),
	BL_OPTION_THREADS(struct values, threads),
	BL_OPTION(FLAG, struct values, profile, .name = "profile",
	          .help = "print the time of training steps at the end, by module and operation"),
	BL_OPTION(FLAG, struct values, version, .letter = 'v', .name = "version", .help = "print the version"),
	BL_OPTION_END,
};

/* Refuses a word that is no file but resembles a command's name, and returns the exit status.  -1: the word is not refused. */
static int check_word(const bl_subcommand *self, const char *word)
{
	const char *near = strpbrk(word, "./") || (access(word, F_OK) == 0 || errno != ENOENT) ? NULL : bl_subcommand_nearest(word);
	if (!near)
		return -1;
	return bl_subcommand_refuse(self, "there is no command and no file '%s' (did you mean 'barlow %s'?)", word, near);
}

/* Runs the user's init.lua, if there is one; an error is printed, and the prompt starts nevertheless. */
static void run_init(lua_State *L)
{
	char *folder = bl_file_user_folder("XDG_CONFIG_HOME", ".config"), *path = folder ? bl_runs_path(folder, "init.lua") : NULL;
	if (path && access(path, F_OK) == 0)
		bl_run_script(L, &(bl_texts){ .text = &path, .n = 1 });
	free(path);
	free(folder);
}

static int run_all(lua_State *L, const struct values *v, const bl_texts *script)
{
	int status = EXIT_SUCCESS;
	bool nothing = !script->n && !v->code.n;
	bool prompt = v->interactive || (nothing && isatty(STDIN_FILENO));
	for (int i = 0; i < v->code.n && status == EXIT_SUCCESS; i++)
		status = bl_run_code(L, v->code.text[i]);
	if ((script->n || (nothing && !prompt)) && status == EXIT_SUCCESS)
		status = bl_run_script(L, script);
	if (prompt)
		bl_progress_install();
	if (prompt && !v->no_init)
		run_init(L);
	if (prompt)
		bl_prompt(L);
	if (v->profile && status == EXIT_SUCCESS)
		status = bl_run_code(L, "print(require('barlow.profile').report())");
	return v->interactive ? EXIT_SUCCESS : status;
}

/* Checks the options of --safe.  -1: they are valid. */
static int check_safe(const bl_subcommand *self, const struct values *v, const bl_texts *script)
{
	if (!v->safe && (v->limits.below || v->limits.memory || v->limits.seconds))
		return bl_subcommand_refuse(self, "--below, --memory and --seconds are for --safe");
	if (v->safe && (v->interactive || v->code.n || v->profile))
		return bl_subcommand_refuse(self, "--safe runs a script, without -e, -i and --profile");
	if (v->safe && (!script->n || strcmp(script->text[0], "-") == 0))
		return bl_subcommand_refuse(self, "--safe: expected a script's file");
	return -1;
}

static int script(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	const struct values *v = options_read;
	if (v->version)
		return puts(PACKAGE_STRING) < 0;
	int status = operands->n ? check_word(self, operands->text[0]) : -1;
	if (status < 0)
		status = check_safe(self, v, operands);
	if (status >= 0)
		return status;
	bl_subcommand_colour(v->colour);
	bl_threads_set(v->threads);
	if (v->profile)
		bl_profile_start();
	bl_signals_catch_interrupts();
	if (v->safe)
		return bl_safe_run(&v->limits, operands);
	lua_State *L = bl_run_state_new(operands);
	return L ? bl_run_close(L, run_all(L, v, operands)) : EXIT_FAILURE;
}

const bl_subcommand bl_subcommand_script = {
	.summary = "run a script, or start the prompt",
	.options = options,
	.operand = "script",
	.thing = BL_THING_SCRIPT,
	.rest = true,
	.about = "barlow trains image encoders with the Barlow Twins objective, shows the training, and evaluates the result. It "
		 "is controlled by Lua: by a script (-: standard input), or at a prompt if it is started on a terminal "
		 "without a script. At the prompt, help() and ?name print help.\n",
	.size = sizeof(struct values),
	.run = script,
};
