/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo.c: an entry that Enter has taken is drawn once more, in colours.
 *
 * Readline draws plain text while it is typed.  Its drawing is cleared, the same text is written with colours and a newline, and
 * Readline is told that a new line begins, so that it writes no newline of its own.  What would not take the same place on
 * the screen as Readline's drawing stays as it is (is_fit).
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

typedef enum token { PLAIN, KEYWORD, STRING, NUMBER, COMMENT } token;

static const char *const colours[] = { "", "\033[35m", "\033[32m", "\033[36m", "\033[90m" };

/* --- Tokens of Lua ------------------------------------------------------------------------ */

static bool is_keyword(const char *word, size_t n)
{
	static const char *const words[] = { "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
		                             "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
		                             "repeat",   "return", "then", "true", "until",  "while" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == n && strncmp(words[i], word, n) == 0)
			return true;
	return false;
}

/* The length of [[...]], [=[...]=], ... at s, 0: there is none.  Without its end it goes on to the end of the text. */
static size_t long_bracket(const char *s)
{
	size_t level = s[0] == '[' ? strspn(s + 1, "=") : 0;
	if (s[0] != '[' || s[1 + level] != '[')
		return 0;
	for (const char *p = s + level + 2; (p = strchr(p, ']')); p++)
		if (strspn(p + 1, "=") == level && p[1 + level] == ']')
			return (size_t)(p - s) + level + 2;
	return strlen(s);
}

static size_t quoted(const char *s)
{
	size_t n = 1;
	while (s[n] && s[n] != s[0] && s[n] != '\n')
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return s[n] == s[0] ? n + 1 : n;
}

static size_t numeral(const char *s)
{
	const char *exponent = s[0] == '0' && tolower((unsigned char)s[1]) == 'x' ? "pP" : "eE";
	size_t n = 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '.' || (n > 0 && s[n] && strchr("+-", s[n]) && strchr(exponent, s[n - 1])))
		n++;
	return n;
}

static size_t name(const char *s)
{
	size_t n = 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

/* What the text begins with, of *length bytes. */
static token next_token(const char *s, size_t *length)
{
	if (s[0] == '-' && s[1] == '-') {
		size_t n = long_bracket(s + 2);
		*length = n ? n + 2 : strcspn(s, "\n");
		return COMMENT;
	}
	if ((*length = long_bracket(s)) > 0)
		return STRING;
	if (s[0] == '"' || s[0] == '\'') {
		*length = quoted(s);
		return STRING;
	}
	if (isdigit((unsigned char)s[0]) || (s[0] == '.' && isdigit((unsigned char)s[1]))) {
		*length = numeral(s);
		return NUMBER;
	}
	if ((*length = name(s)) > 0)
		return is_keyword(s, *length) ? KEYWORD : PLAIN;
	*length = s[0] == '.' && s[1] == '.' ? 2 : 1; /* 1 ..2 */
	return PLAIN;
}

static void write_coloured(FILE *f, const char *s)
{
	while (*s) {
		size_t n;
		token t = next_token(s, &n);
		fputs(colours[t], f);
		for (size_t i = 0; i < n; i++)
			fputs(s[i] == '\n' ? "\r\n" : (char[]){ s[i], '\0' }, f);
		fputs(t == PLAIN ? "" : "\033[m", f);
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

/* Does all of it surely stand on the screen?  No character is wider than its bytes. */
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

/* Readline shows control characters in a way of its own. */
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

/* Without the marks around escape codes. */
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
