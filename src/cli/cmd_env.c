/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_env.c: barlow env: prints shell commands that set the paths of this barlow: of the program, its manual and
 * completions, and of the module for a stock Lua.
 *
 * A build that is not installed is recognised by its module: .libs/barlow.so beside the program.
 */
#include "cli/command.h"
#include "cli/installed.h"

#include <barlow/error.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const shells[] = { "sh", "fish", NULL };

typedef struct places {
	char program[PATH_MAX], folder[PATH_MAX]; /* the program and its folder */
	char module[PATH_MAX], manual[PATH_MAX];  /* folders of barlow.so, and of man1 */
	char bash[PATH_MAX], zsh[PATH_MAX], fish[PATH_MAX];
} places;

static void join_path(char out[PATH_MAX], const char *folder, const char *file)
{
	snprintf(out, PATH_MAX, "%.3000s/%.1000s", folder, file);
}

static int find_places(places *p)
{
	char built[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", p->program, sizeof p->program - 1);
	if (n <= 0)
		return bl_fail("/proc/self/exe does not have the path of this program");
	p->program[n] = '\0';
	memcpy(p->folder, p->program, (size_t)n + 1);
	*strrchr(p->folder, '/') = '\0';
	if (strpbrk(p->folder, ":;?\n"))
		return bl_fail("%s: a folder with ':', ';', '?' or a line end in its name cannot be used in PATH and LUA_CPATH",
		               p->folder);
	join_path(built, p->folder, ".libs/barlow.so");
	bool here = access(built, F_OK) == 0;
	join_path(p->module, here ? p->folder : bl_installed_module, here ? ".libs" : ".");
	join_path(p->manual, here ? p->folder : bl_installed_manual, here ? "completions/man" : ".");
	join_path(p->bash, here ? p->folder : bl_installed_data,
	          here ? "completions/bash/barlow" : "bash-completion/completions/barlow");
	join_path(p->zsh, here ? p->folder : bl_installed_data, here ? "completions/zsh" : "zsh/site-functions");
	join_path(p->fish, here ? p->folder : bl_installed_data,
	          here ? "completions/fish/barlow.fish" : "fish/vendor_completions.d/barlow.fish");
	return 0;
}

/* Prints the text in quotes, so that the shell does not interpret it. */
static void put_quoted(const char *text, bool fish)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs(fish ? "\\'" : "'\\''", stdout);
		else if (*text == '\\' && fish)
			fputs("\\\\", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

/*
 * Prints commands that put `first` before the variable's value (or before `otherwise` if it is unset), unless the value
 * begins with it already.
 */
static void put_first(const char *variable, const char *first, const char *otherwise)
{
	printf("case \"${%s-}\" in ", variable);
	put_quoted(first, false);
	printf("*) ;; *) %s=", variable);
	put_quoted(first, false);
	printf("\"${%s-%s}\" ;; esac; export %s\n", variable, otherwise, variable);
}

static void print_sh(const places *p)
{
	char first[PATH_MAX + 32];
	snprintf(first, sizeof first, "%s:", p->folder);
	put_first("PATH", first, "");
	snprintf(first, sizeof first, "%s:", p->manual);
	put_first("MANPATH", first, ""); /* the empty path after the colon stands for man's default */
	snprintf(first, sizeof first, "%s/?.so;", p->module);
	put_first("LUA_CPATH_5_4", first, "${LUA_CPATH-;}"); /* ";;" stands for Lua's default path */
	fputs("export BARLOW=", stdout);
	put_quoted(p->program, false);
	fputs("\nif [ -n \"${BASH_VERSION-}\" ] && [ -r ", stdout);
	put_quoted(p->bash, false);
	fputs(" ]; then . ", stdout);
	put_quoted(p->bash, false);
	fputs("; fi\nif [ -n \"${ZSH_VERSION-}\" ]; then fpath[1,0]=", stdout);
	put_quoted(p->zsh, false);
	fputs("; autoload -Uz _barlow; if typeset -f compdef >/dev/null; then compdef _barlow barlow; fi; fi\n", stdout);
}

static void print_fish(const places *p)
{
	char first[PATH_MAX + 32];
	fputs("set -gx PATH ", stdout);
	put_quoted(p->folder, true);
	fputs(" $PATH\nset -gx MANPATH ", stdout);
	put_quoted(p->manual, true);
	fputs(" $MANPATH ''\nset -gx LUA_CPATH_5_4 ", stdout);
	snprintf(first, sizeof first, "%s/?.so;;", p->module);
	put_quoted(first, true);
	fputs("\nset -gx BARLOW ", stdout);
	put_quoted(p->program, true);
	fputs("\nsource ", stdout);
	put_quoted(p->fish, true);
	fputs("\n", stdout);
}

static int env(const bl_subcommand *self, const void *options, const bl_texts *operands)
{
	const char *shell = operands->n ? operands->text[0] : "sh";
	places *p = calloc(1, sizeof *p);
	(void)options;
	if (strcmp(shell, "sh") != 0 && strcmp(shell, "fish") != 0) {
		free(p);
		return bl_subcommand_refuse(self, "expected sh (for bash and zsh, too) or fish, got '%s'", shell);
	}
	int rc = p ? find_places(p) : bl_fail("no memory");
	if (rc < 0)
		fprintf(stderr, "barlow env: %s\n", bl_error());
	else if (strcmp(shell, "fish") == 0)
		print_fish(p);
	else
		print_sh(p);
	free(p);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const bl_subcommand bl_subcommand_env = {
	.name = "env",
	.summary = "print shell commands with which a shell and a stock lua5.4 find this barlow",
	.operand = "shell",
	.thing = BL_THING_WORD,
	.words = shells,
	.about =
		"eval \"$(./barlow env)\" lets a shell find the program, its manual pages, its completions and the module for lua5.4 "
		"(require \"barlow\"), also of a build that is not installed. Without an argument the commands are for sh, bash and "
		"zsh; in fish: ./barlow env fish | source.\n",
	.run = env,
};
