/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo.c: draws a completed entry again, in colours.
 *
 * While an entry is typed, Readline draws it as plain text.  After Enter, that is cleared, the same text is written with
 * colours and a newline, and Readline is told that a new line begins, so that it writes no newline itself.  Entries for
 * which the result might not take the same cells of the screen are not drawn again (is_fit).
 */
#include "cli/prompt.h"

#include "view/guard.h"

#include <barlow/view.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

/* The escape code of each bl_token. */
static const char *const colours[] = { "", "\033[35m", "\033[32m", "\033[36m", "\033[90m" };

static void write_coloured(FILE *f, const char *s)
{
	while (*s) {
		size_t n;
		bl_token t = bl_token_of(s, &n);
		fputs(colours[t], f);
		for (size_t i = 0; i < n; i++)
			fputs(s[i] == '\n' ? "\r\n" : (char[]){ s[i], '\0' }, f);
		fputs(t == BL_TOKEN_PLAIN ? "" : "\033[m", f);
		s += n;
	}
}

/* --- On the screen ---------------------------------------------------------------------- */

static bool is_on(const char *variable)
{
	const char *value = rl_variable_value(variable);
	return value && strcmp(value, "on") == 0;
}

/* The part of the prompt that is drawn before the entry. */
static const char *last_line(const char *prompt)
{
	const char *newline = strrchr(prompt, '\n');
	return newline ? newline + 1 : prompt;
}

/* Does all of it certainly fit on the screen?  No character has more columns than bytes. */
static bool has_room(const char *prompt, const char *text)
{
	int height, width, rows = 0;
	int cells = (int)strlen(prompt);
	rl_get_screen_size(&height, &width);
	for (const char *s = text; width > 1; s++) {
		if (*s && *s != '\n') {
			cells++;
			continue;
		}
		rows += 1 + cells / (width - 1);
		cells = 0;
		if (!*s)
			return rows < height;
	}
	return false;
}

/* Has the text control characters, which Readline shows differently? */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text) && *text != '\n')
			return true;
	return false;
}

static bool is_ascii_or_utf8(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return MB_CUR_MAX > 1 && mbstowcs(NULL, text, 0) != (size_t)-1;
	return true;
}

static bool is_fit(const char *prompt, const char *text)
{
	return *text && !strchr("?%$!", *text) && isatty(STDOUT_FILENO) && !bl_prompt_in_emacs() && bl_colours_wanted(true) &&
	       !is_on("show-mode-in-prompt") && !is_on("mark-modified-lines") && !is_on("horizontal-scroll-mode") &&
	       !has_control(text) && is_ascii_or_utf8(text) && has_room(prompt, text);
}

/* Writes the prompt without Readline's marks around escape codes. */
static void write_prompt(FILE *f, const char *prompt)
{
	for (; *prompt; prompt++)
		if (*prompt != RL_PROMPT_START_IGNORE && *prompt != RL_PROMPT_END_IGNORE)
			fputc(*prompt, f);
}

void bl_echo_coloured(void)
{
	const char *prompt = last_line(rl_prompt ? rl_prompt : "");
	if (!is_fit(prompt, rl_line_buffer))
		return;
	bl_guard_hold();
	rl_clear_visible_line();
	write_prompt(rl_outstream, prompt);
	write_coloured(rl_outstream, rl_line_buffer);
	fputs("\r\n", rl_outstream);
	fflush(rl_outstream);
	rl_on_new_line();
	bl_guard_release();
}
