/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prompt.c: Readline through its callback interface, so that waiting for a key is our own poll.
 *
 * Ctrl-C: the handler raises the flag of face.h and poll returns; at the
 * prompt that clears the line, in running code the hook makes it an error.
 */
#include "cli/prompt.h"

#include "lua/bind/face.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

typedef enum reading { WAITING, GOT_LINE, GOT_EOF } reading;

static reading state;
static char *got;

static void take_line(char *line)
{
	got = line;
	state = line ? GOT_LINE : GOT_EOF;
	rl_callback_handler_remove();
}

/* Ctrl-C while typing: an empty line, at the first prompt. */
static reading abandon_line(void)
{
	bl_lua_interrupted = 0;
	rl_callback_sigcleanup();
	rl_callback_handler_remove();
	fputs("\n", rl_outstream);
	return WAITING;
}

/* One line into *got.  WAITING: it was abandoned. */
static reading read_line(const char *prompt)
{
	state = WAITING;
	rl_callback_handler_install(prompt, take_line);
	while (state == WAITING) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		int n = bl_lua_interrupted ? -1 : poll(&in, 1, -1);
		if (bl_lua_interrupted)
			return abandon_line();
		if (n > 0)
			rl_callback_read_char();
		else if (errno != EINTR)
			return GOT_EOF;
	}
	return state;
}

/* Appends a line to the input so far.  NULL: no memory. */
static char *append(char *input, const char *line)
{
	size_t n = input ? strlen(input) : 0, m = strlen(line);
	char *longer = realloc(input, n + m + 2);
	if (!longer) {
		free(input);
		return NULL;
	}
	if (n)
		longer[n++] = '\n';
	memcpy(longer + n, line, m + 1);
	return longer;
}

static char *evaluate(lua_State *L, char *input)
{
	if (!input || bl_evaluate(L, input) == BL_INCOMPLETE)
		return input;
	bl_history_add(input);
	free(input);
	return NULL;
}

void bl_prompt(lua_State *L)
{
	char *input = NULL;
	rl_readline_name = "barlow";
	rl_change_environment = 0; /* exported LINES and COLUMNS would break resizing in the views */
	rl_catch_signals = 0;
	bl_complete_install(L);
	bl_history_load();
	for (;;) {
		bl_lua_interrupt_guard(L);
		reading r = read_line(input ? "    ..> " : "barlow> ");
		if (r == GOT_EOF)
			break;
		if (r == GOT_LINE) {
			input = evaluate(L, append(input, got));
			free(got);
			bl_lua_interrupted = 0;
		} else {
			free(input);
			input = NULL;
		}
		fflush(stdout);
	}
	free(input);
	fputs("\n", stdout);
}
