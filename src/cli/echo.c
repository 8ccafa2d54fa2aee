/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo.c: draws a completed entry again, in colours.
 *
 * While an entry is typed, Readline draws it as plain text.  After Enter, this drawing is cleared, the text is written again
 * in colours and with a newline, and rl_on_new_line prevents Readline from writing a newline itself.  An entry is not drawn
 * again if the new drawing might not cover the same cells of the screen (is_fit).
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

/* Would prompt and text fit on the screen if each byte took a column?  No character has more columns than bytes. */
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

/* Does the text contain control characters, which Readline shows in another form? */
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

void bl_echo_coloured(void)
{
	const char *newline = rl_prompt ? strrchr(rl_prompt, '\n') : NULL;
	const char *prompt = newline ? newline + 1 : rl_prompt ? rl_prompt : ""; /* the part before the entry */
	if (!is_fit(prompt, rl_line_buffer))
		return;
	bl_guard_hold();
	rl_clear_visible_line();
	for (const char *c = prompt; *c; c++) /* without Readline's marks around escape codes */
		if (*c != RL_PROMPT_START_IGNORE && *c != RL_PROMPT_END_IGNORE)
			fputc(*c, rl_outstream);
	write_coloured(rl_outstream, rl_line_buffer);
	fputs("\r\n", rl_outstream);
	fflush(rl_outstream);
	rl_on_new_line();
	bl_guard_release();
}
