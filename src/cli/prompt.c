/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prompt.c: the interactive prompt.  Readline is used through its callback interface, so that this file waits for keys with
 * its own poll.
 *
 * Ctrl-C: the signal handler sets bl_lua_interrupted (face.h), and poll returns.  At the prompt this abandons the entry; in
 * running code, a hook turns the flag into an error.
 *
 * While a line is read, the terminal is in Readline's modes.  Readline's own signal handlers, which would restore the
 * terminal, are off, since they do not work with this poll; view/guard.h restores it instead.
 */
#include "cli/prompt.h"
#include "cli/signals.h"

#include "lua/bind/face.h"
#include "view/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
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

/* --- The terminal ----------------------------------------------------------------- */

/* Does Readline write escape codes that make the terminal mark pasted text (bracketed paste)? */
static bool has_brackets(void)
{
	const char *brackets = rl_variable_value("enable-bracketed-paste");
	return brackets && strcmp(brackets, "on") == 0;
}

/* --- Ctrl-D that was typed ahead ------------------------------------------------------- */

/*
 * While code runs, the terminal driver stores Ctrl-D as a byte 0 (Linux, n_tty.c), which Readline reads as Ctrl-@.  So if
 * bytes were already waiting when the entry began, a byte 0 on the empty line means end of input.  These bytes wait in the
 * terminal, or in background.c if they were read together with the terminal's replies.
 */
static bool typed_ahead;
static unsigned char end_of_input;

static void check_typed_ahead(void)
{
	int n = 0;
	typed_ahead = bl_background_typed() || (ioctl(STDIN_FILENO, FIONREAD, &n) == 0 && n > 0);
}

/* Ctrl-@ */
static int mark_or_end(int count, int key)
{
	if (typed_ahead && rl_end == 0)
		return rl_stuff_char(end_of_input), 0;
	return rl_set_mark(count, key);
}

static void bind_typed_ahead(void)
{
	rl_bind_key_in_map(0, mark_or_end, rl_get_keymap_by_name("emacs-standard"));
	rl_bind_key_in_map(0, mark_or_end, rl_get_keymap_by_name("vi-insert"));
}

/* --- One line -------------------------------------------------------------------------- */

static void begin_reading(const char *prompt)
{
	struct termios cooked;
	bl_guard_hold();
	if (tcgetattr(STDIN_FILENO, &cooked) == 0) {
		const char *restore = has_brackets() ? "\033[?2004l\r\n" : "\r\n"; /* ends bracketed paste */
		bl_guard_arm(STDIN_FILENO, &cooked);
		bl_guard_restore_by(restore, isatty(STDOUT_FILENO) ? strlen(restore) : 0);
		end_of_input = cooked.c_cc[VEOF];
	}
	rl_eof_found = 0; /* may be set by an earlier entry; Readline would then write an empty line again */
	rl_callback_handler_install(prompt, take_line);
	check_typed_ahead(); /* after leaving cooked mode, in which FIONREAD counts whole lines only */
	bl_guard_release();
}

static reading end_reading(reading how)
{
	bl_guard_hold();
	rl_callback_handler_remove();
	bl_guard_disarm();
	bl_guard_release();
	return how;
}

/* Sets Readline's terminal modes again, after the shell or another process has changed them. */
static void take_terminal_again(void)
{
	bl_guard_hold();
	rl_deprep_term_function();
	rl_prep_term_function(1);
	bl_guard_release();
	rl_forced_update_display();
}

/* Gives the terminal to an editor, or takes it back. */
static void lend_terminal(bool take_back)
{
	if (take_back) {
		take_terminal_again();
		return;
	}
	bl_guard_hold();
	rl_clear_visible_line(); /* the entry is drawn again afterwards, and may be shorter then */
	rl_deprep_term_function();
	bl_guard_release();
}

/* Ctrl-Z */
static void suspend(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL }, before;
	bl_guard_hold();
	rl_deprep_term_function();
	bl_guard_release();
	sigaction(SIGTSTP, &standard, &before);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &before, NULL);
	bl_guard_take(BL_GUARD_CONTINUED);
	take_terminal_again();
}

/* Readline reads the terminal's size once, at its start; this tells it of later changes. */
static void follow_size(void)
{
	static struct winsize known;
	struct winsize now;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &now) != 0 || (now.ws_col == known.ws_col && now.ws_row == known.ws_row))
		return;
	bool first = known.ws_col == 0;
	known = now;
	if (first)
		return;
	bl_guard_hold();
	rl_resize_terminal();
	bl_guard_release();
}

static void follow_signals(void)
{
	follow_size();
	if (bl_guard_take(BL_GUARD_SUSPEND))
		suspend();
	if (bl_guard_take(BL_GUARD_CONTINUED))
		take_terminal_again();
}

/* --- Runs in the background ------------------------------------------------------------ */

enum { REPORT_MS = 200, TEXT_SIZE = 512, TYPED_LEAST = 20 /* columns */ };

/* Pushes the value on top as a text for a message; __tostring is not called, since it may fail. */
static const char *push_text_of(lua_State *L)
{
	const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, -1);
	bl_lua_push_clean(L, text, false);
	return lua_tostring(L, -1);
}

/* Removes a setting of the prompt that is not valid, so that it is reported once. */
static void remove_setting(lua_State *L, const char *name)
{
	lua_pushglobaltable(L);
	lua_pushstring(L, name);
	lua_pushnil(L);
	lua_rawset(L, -3);
}

/*
 * The text of the prompt: the global _PROMPT, as in Lua's own program, or "barlow%r> ", where %r stands for the progress
 * of runs.  If it is a function, it is called once for each entry.
 */
static void prompt_text(lua_State *L, char out[TEXT_SIZE])
{
	snprintf(out, TEXT_SIZE, "barlow%%r> ");
	lua_pushglobaltable(L);
	lua_pushliteral(L, "_PROMPT");
	lua_rawget(L, -2);
	if (lua_isfunction(L, -1) && lua_pcall(L, 0, 1, 0) != LUA_OK) {
		fprintf(stderr, "_PROMPT: its function failed and is removed: %s\n", push_text_of(L));
		remove_setting(L, "_PROMPT");
		bl_lua_interrupted = 0;
	} else if (lua_type(L, -1) == LUA_TSTRING) {
		snprintf(out, TEXT_SIZE, "%s", lua_tostring(L, -1));
	}
	lua_settop(L, 0);
}

/* The bl_news of the value at the top of the stack; negative: it is invalid. */
static int news_of(lua_State *L)
{
	if (lua_isnil(L, -1))
		return BL_NEWS_ALL;
	if (lua_isboolean(L, -1))
		return lua_toboolean(L, -1) ? BL_NEWS_ALL : BL_NEWS_NONE;
	const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	return strcmp(word, "all") == 0    ? BL_NEWS_ALL
	       : strcmp(word, "ends") == 0 ? BL_NEWS_ENDS
	       : strcmp(word, "none") == 0 ? BL_NEWS_NONE
	                                   : -1;
}

/* Applies the global _NEWS.  An invalid value is reported once, since it is removed. */
static void choose_news(lua_State *L)
{
	lua_pushglobaltable(L);
	lua_pushliteral(L, "_NEWS");
	lua_rawget(L, -2);
	int news = news_of(L);
	if (news < 0) {
		fprintf(stderr, "_NEWS: expected \"all\", \"ends\", \"none\" or false, got %s: all news is printed\n",
		        push_text_of(L));
		remove_setting(L, "_NEWS");
	}
	bl_reports_choose(news < 0 ? BL_NEWS_ALL : (bl_news)news);
	lua_settop(L, 0);
}

/*
 * Replaces %r in the text by the progress of runs, as in " [fashion 3/20 34%]", or by nothing if that would leave little room
 * in the row for the entry.
 */
static void expand(char out[TEXT_SIZE], const char *text)
{
	char progress[200];
	struct winsize s;
	const char *at = strstr(text, "%r");
	bl_reports_stand(progress, sizeof progress);
	bool known = ioctl(STDIN_FILENO, TIOCGWINSZ, &s) == 0 && s.ws_col > 0;
	if (known && strlen(text) + strlen(progress) + TYPED_LEAST > s.ws_col)
		progress[0] = '\0';
	if (at)
		snprintf(out, TEXT_SIZE, "%.*s%s%s", (int)(at - text), text, progress, at + 2);
	else
		snprintf(out, TEXT_SIZE, "%s", text);
}

/* Prints news between entries. */
static void print_between(const char *line)
{
	puts(line);
}

/* Prints news above the line that is being typed. */
static void print_above(const char *line)
{
	rl_clear_visible_line();
	fprintf(rl_outstream, "%s\n", line);
	rl_on_new_line();
	rl_redisplay();
}

/*
 * Prints news of runs, and updates the prompt if their progress has changed, unless Readline shows a search in its place.
 * Returns whether a run is running.
 */
static bool report_runs(const char *text)
{
	char now[TEXT_SIZE];
	bl_guard_hold();
	bool any = bl_reports(print_above);
	expand(now, text);
	if (strcmp(now, rl_prompt ? rl_prompt : "") != 0 &&
	    !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG)) {
		rl_clear_visible_line();
		rl_set_prompt(now);
		rl_on_new_line();
		rl_redisplay();
	}
	bl_guard_release();
	return any;
}

/* Ctrl-C while typing: abandons the entry, also its earlier lines. */
static reading abandon_line(void)
{
	bl_lua_interrupted = 0;
	rl_callback_sigcleanup();
	end_reading(WAITING);
	fputs("\n", rl_outstream);
	return WAITING;
}

/* Reads a line of input that is not a terminal: without prompt, editing, or escape codes. */
static reading read_plain_line(void)
{
	size_t room = 0;
	fflush(stdout);
	got = NULL;
	ssize_t n = getline(&got, &room, stdin);
	if (n >= 0) {
		got[strcspn(got, "\n")] = '\0';
		return GOT_LINE;
	}
	free(got);
	bool interrupted = bl_lua_interrupted != 0;
	bl_lua_interrupted = 0;
	clearerr(stdin);
	return interrupted ? WAITING : GOT_EOF;
}

/* Lets Readline read the bytes that were typed while a reply of the terminal was expected. */
static void take_typed(void)
{
	while (state == WAITING && bl_background_typed())
		rl_callback_read_char();
}

/* Reads a line into `got`.  WAITING: it was abandoned. */
static reading read_line(const char *text)
{
	char prompt[TEXT_SIZE];
	expand(prompt, text);
	if (bl_prompt_in_emacs())
		fputs(prompt, stdout);
	if (bl_prompt_in_emacs() || !isatty(STDIN_FILENO))
		return read_plain_line();
	state = WAITING;
	begin_reading(prompt);
	bool runs = report_runs(text);
	bl_background_query();
	take_typed();
	while (state == WAITING) {
		if (typed_ahead)
			check_typed_ahead(); /* it stays true until all bytes that were typed ahead have been read */
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		int held_ms = bl_background_holds(), timeout_ms = held_ms ? held_ms : runs ? REPORT_MS : -1;
		int n = bl_lua_interrupted ? -1 : poll(&in, 1, timeout_ms);
		if (bl_lua_interrupted)
			return abandon_line();
		if (n > 0 && !(bl_background_expected() && bl_background_read())) {
			rl_callback_read_char();
		} else if (n < 0 && errno != EINTR) {
			return end_reading(GOT_EOF);
		} else {
			if (n == 0 && held_ms)
				bl_background_release();
			take_typed();
		}
		if (state != WAITING)
			break; /* a completed entry is not drawn again */
		follow_signals();
		if (runs && n == 0)
			runs = report_runs(text);
	}
	return end_reading(state);
}

/* Appends a line to the input so far, which may be NULL.  NULL: no memory, and the input was freed. */
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

/* Evaluates the input, and frees it, unless it is incomplete. */
static bl_evaluated evaluate(lua_State *L, char **input)
{
	bl_evaluated how = *input ? bl_evaluate(L, *input) : BL_EVALUATED;
	if (how == BL_INCOMPLETE)
		return how;
	if (*input)
		bl_history_add(*input);
	free(*input);
	*input = NULL;
	return how;
}

static int call_may(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.prompt_leave", "may", 1);
}

/*
 * May the prompt end?  If runs are running, the user is asked what to do; without a terminal, the prompt waits for the runs,
 * and ends in any case.
 */
static bool may_leave(lua_State *L)
{
	bool terminal = isatty(STDIN_FILENO);
	lua_pushcfunction(L, call_may);
	lua_pushboolean(L, terminal);
	bool may = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_toboolean(L, -1);
	if (!may && lua_isstring(L, -1))
		fprintf(stderr, "%s\n", lua_tostring(L, -1));
	lua_settop(L, 0);
	bl_lua_interrupted = 0;
	return may || !terminal;
}

void bl_prompt(lua_State *L)
{
	bl_trainer_called_by("prompt");
	char *input = NULL;
	char text[TEXT_SIZE];
	rl_readline_name = "barlow";
	rl_change_environment = 0; /* exported LINES and COLUMNS would break resizing in the views */
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0; /* Readline's handler would discard Tab's candidates; follow_size is used instead */
	bl_complete_install(L);
	bl_multiline_install(L, lend_terminal);
	bind_typed_ahead();
	bl_history_load();
	bl_evaluate_begin(L);
	for (;;) {
		bl_lua_interrupt_guard(L);
		bl_signals_yield();
		/* Ctrl-C may interrupt a write to the terminal; this must not be reported as an error when the program ends. */
		if (isatty(STDOUT_FILENO))
			clearerr(stdout);
		prompt_text(L, text);
		choose_news(L);
		bl_reports(print_between);
		reading r = read_line(input ? "    ..> " : text);
		if (r == GOT_EOF) {
			/* Readline writes the line end only if bracketed paste is on. */
			if (isatty(STDIN_FILENO) && (bl_prompt_in_emacs() || !has_brackets()))
				puts("");
			if (may_leave(L))
				break;
			continue;
		}
		if (r == GOT_LINE) {
			input = append(input, got);
			free(got);
			if (evaluate(L, &input) == BL_LEAVE && may_leave(L))
				break;
			bl_lua_interrupted = 0;
		} else {
			free(input);
			input = NULL;
		}
		fflush(stdout);
		bl_lua_report_unsaved();
	}
	free(input);
}
