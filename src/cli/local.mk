# SPDX-License-Identifier: GPL-3.0-or-later
# In the order in which help lists them.
command_files = \
	src/cli/cmd_watch.c \
	src/cli/cmd_resume.c \
	src/cli/cmd_stop.c \
	src/cli/cmd_fork.c \
	src/cli/cmd_runs.c \
	src/cli/cmd_sweep.c \
	src/cli/cmd_tune.c \
	src/cli/cmd_verify.c \
	src/cli/cmd_doctor.c \
	src/cli/cmd_env.c \
	src/cli/cmd_help.c \
	src/cli/cmd_complete.c \
	src/cli/cmd_completions.c
barlow_sources += $(command_files) \
	src/cli/background.c \
	src/cli/command.h \
	src/cli/command_list.c \
	src/cli/complete.c \
	src/cli/echo.c \
	src/cli/early.c \
	src/cli/evaluate.c \
	src/cli/prompt_history.c \
	src/cli/installed.h \
	src/cli/manual.c \
	src/cli/output.c \
	src/cli/output.h \
	src/cli/multiline.c \
	src/cli/parse.c \
	src/cli/progress.c \
	src/cli/prompt.c \
	src/cli/prompt.h \
	src/cli/reports.c \
	src/cli/run.c \
	src/cli/run.h \
	src/cli/safe.c \
	src/cli/safe.h \
	src/cli/script.c \
	src/cli/shell_bash.c \
	src/cli/shell_fish.c \
	src/cli/shell_zsh.c \
	src/cli/signals.c \
	src/cli/signals.h \
	src/cli/text_only.c \
	src/cli/tokens.c \
	src/cli/usage.c

# The list of commands, and a declaration of each.
nodist_barlow_SOURCES = src/cli/commands.c src/cli/installed.c
src/cli/commands.c: src/cli/commands.sh src/cli/local.mk
	$(AM_V_GEN)$(MKDIR_P) src/cli && sh $(srcdir)/src/cli/commands.sh $(command_files) >$@.tmp && mv $@.tmp $@
# The folders into which `make install` copies the module, the manual pages and the completions.
src/cli/installed.c: Makefile
	$(AM_V_GEN)$(MKDIR_P) src/cli && { echo '/* SPDX-License-Identifier: GPL-3.0-or-later */'; echo '/* Made by local.mk. */'; echo '#include "cli/installed.h"'; \
		echo 'const char bl_installed_module[] = "$(luaexecdir)", bl_installed_manual[] = "$(mandir)";'; \
		echo 'const char bl_installed_data[] = "$(datadir)";'; } >$@.tmp && mv $@.tmp $@
CLEANFILES += src/cli/commands.c src/cli/installed.c
EXTRA_DIST += src/cli/commands.sh
