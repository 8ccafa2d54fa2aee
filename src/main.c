/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c: the program: options, a Lua state, then code, script and prompt as asked; or watching, tuning, resuming. */
#include "lua/bind/face.h"
#include "cli/options.h"
#include "cli/prompt.h"
#include "cli/resume.h"
#include "cli/run.h"
#include "cli/signals.h"
#include "cli/tune.h"
#include "cli/watch.h"

#include <barlow/parallel.h>
#include <barlow/profile.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run(lua_State *L, bl_options *o)
{
	int status = EXIT_SUCCESS;
	bool nothing = !o->script && !o->n_code;
	bool prompt = o->interactive || (nothing && isatty(STDIN_FILENO));
	for (int i = 0; i < o->n_code && status == EXIT_SUCCESS; i++)
		status = bl_run_code(L, o->code[i]);
	if (nothing && !prompt)
		o->script = "-";
	if (o->script && status == EXIT_SUCCESS)
		status = bl_run_script(L, o);
	if (prompt)
		bl_prompt(L);
	if (o->profile && status == EXIT_SUCCESS)
		status = bl_run_code(L, "print(require('barlow.profile').report())");
	return o->interactive ? EXIT_SUCCESS : status;
}

int main(int argc, char **argv)
{
	if (bl_signals_install() != 0)
		return EXIT_FAILURE;
	if (argc > 1 && strcmp(argv[1], "watch") == 0)
		return bl_watch_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "tune") == 0)
		return bl_tune_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "resume") == 0) {
		bl_signals_catch_interrupts();
		return bl_resume_main(argc - 1, argv + 1);
	}
	bl_options o;
	int status = bl_options_parse(&o, argc, argv);
	if (status < 0) {
		bl_threads_set(o.threads);
		if (o.profile)
			bl_profile_start();
		bl_signals_catch_interrupts();
		lua_State *L = bl_run_state_new(&o);
		status = L ? bl_run_close(L, run(L, &o)) : EXIT_FAILURE;
	}
	bl_options_free(&o);
	return status;
}
