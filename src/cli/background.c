/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * background.c: is the terminal's background light?  The terminal is queried once, after the first prompt: OSC 11 for the
 * colour, then DA1, which nearly every terminal answers, so that no answer to OSC 11 can follow that to DA1.
 *
 * Only the end of the first line waits for the answer, for at most 100 ms, since the code that runs then may read the
 * terminal itself.  While an answer is expected, bytes are read here one by one, and those that are not part of it are
 * passed to Readline (rl_getc_function).  The beginning of an escape sequence is held for a moment, since it may be that
 * of an answer.
 */
#include "cli/prompt.h"

#include "view/guard.h"

#include <barlow/parallel.h>
#include <barlow/view.h>

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

enum { HELD_MOST = 64, TYPED_MOST = 4096 };
/* Up to KEYS_MOST held bytes may be those of a key; of more, the rest is probably delayed by a slow connection. */
enum { KEYS_MOST = 3, KEY_MS = 100, ANSWER_MS = 2000 };
#define PATIENCE .1 /* seconds to wait for the answer */

typedef enum match { NO, PERHAPS, COLOUR, ATTRIBUTES } match;

static struct {
	bool asked, expected;
	double asked_at;
	char held[HELD_MOST], typed[TYPED_MOST];
	size_t held_n, typed_n;
} it;

/* --- Answers ---------------------------------------------------------------------------- */

/* "ESC ] 11 ; rgb:1e1e/1e1e/1e1e", ended by BEL or ESC \: the answer to OSC 11. */
static match match_colour(const char *p, size_t n)
{
	static const char head[] = "\033]11;";
	size_t known = sizeof head - 1;
	if (memcmp(p, head, n < known ? n : known) != 0)
		return NO;
	for (size_t i = known; i < n; i++) {
		if (p[i] == '\007')
			return COLOUR;
		if (p[i] == '\033')
			return i + 1 == n ? PERHAPS : p[i + 1] == '\\' ? COLOUR : NO;
		if (!isalnum((unsigned char)p[i]) && !strchr(":/#", p[i]))
			return NO;
	}
	return PERHAPS;
}

/* "ESC [ ? 62 ; 4 c", the answer to DA1. */
static match match_attributes(const char *p, size_t n)
{
	static const char head[] = "\033[?";
	size_t known = sizeof head - 1;
	if (memcmp(p, head, n < known ? n : known) != 0)
		return NO;
	for (size_t i = known; i < n; i++) {
		if (p[i] == 'c')
			return ATTRIBUTES;
		if (!isdigit((unsigned char)p[i]) && p[i] != ';')
			return NO;
	}
	return PERHAPS;
}

static match match_of(const char *p, size_t n)
{
	match colour = match_colour(p, n);
	return colour != NO ? colour : match_attributes(p, n);
}

static void take_colour(void)
{
	char text[HELD_MOST + 1] = "";
	memcpy(text, it.held, it.held_n);
	bl_background_take(text + 2); /* behind ESC ] */
}

/* --- Bytes ------------------------------------------------------------------------------ */

static void type(const char *bytes, size_t n)
{
	n = n < TYPED_MOST - it.typed_n ? n : TYPED_MOST - it.typed_n;
	memcpy(it.typed + it.typed_n, bytes, n);
	it.typed_n += n;
}

/* Passes the first held byte on as typed: it is not part of an answer. */
static void let_go(void)
{
	type(it.held, 1);
	memmove(it.held, it.held + 1, --it.held_n);
}

static void feed(char byte)
{
	it.held[it.held_n++] = byte;
	while (it.held_n > 0) {
		match m = match_of(it.held, it.held_n);
		if (m == PERHAPS && it.held_n < HELD_MOST)
			return;
		if (m == COLOUR)
			take_colour();
		if (m == ATTRIBUTES)
			it.expected = false;
		if (m == COLOUR || m == ATTRIBUTES)
			it.held_n = 0;
		else
			let_go();
	}
}

void bl_background_release(void)
{
	while (it.held_n > 0)
		let_go();
}

bool bl_background_read(void)
{
	char byte;
	if (read(STDIN_FILENO, &byte, 1) == 1) {
		feed(byte);
		return true;
	}
	bl_background_release();
	it.expected = false;
	return false;
}

bool bl_background_expected(void)
{
	return it.expected;
}

int bl_background_holds(void)
{
	return it.held_n == 0 ? 0 : it.held_n < KEYS_MOST ? KEY_MS : ANSWER_MS;
}

bool bl_background_typed(void)
{
	return it.typed_n > 0;
}

/* Reads until something was typed, for at most `ms` (negative: without limit).  False: nothing was typed. */
static bool await(int ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	while (it.expected && it.typed_n == 0) {
		int held = bl_background_holds(), n = poll(&in, 1, ms < 0 && held ? held : ms);
		if (n < 0 || (n == 0 && (ms >= 0 || !held)))
			break;
		if (n == 0)
			bl_background_release();
		else if (!bl_background_read())
			break;
	}
	return it.typed_n > 0;
}

/* Is input waiting?  Readline calls this after each key, to handle several at once, and within sequences of keys. */
static int is_input(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	return await(0) || (!it.expected && poll(&in, 1, 0) == 1);
}

/* For Readline: bytes that were typed while an answer was expected, then the terminal's input. */
static int next_byte(FILE *in)
{
	if (!it.expected && it.typed_n == 0)
		rl_input_available_hook = NULL; /* Readline's own function waits for the rest of a sequence */
	if (!await(-1))
		return rl_getc(in);
	unsigned char byte = (unsigned char)it.typed[0];
	memmove(it.typed, it.typed + 1, --it.typed_n);
	return byte;
}

/*
 * Before Readline leaves its modes: what runs then may read the terminal, which would echo an answer, and hold it back until a line's
 * end; and reading here would take a Ctrl-D that was typed ahead for the end of the terminal.
 */
static void settle(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	while (it.expected && it.typed_n < TYPED_MOST - HELD_MOST) {
		int left = (int)(1000 * (it.asked_at + PATIENCE - bl_now()));
		if (left <= 0 || poll(&in, 1, left) != 1 || !bl_background_read())
			break;
	}
	if (it.held_n < KEYS_MOST)
		bl_background_release();
}

static void settle_and_restore(void)
{
	settle();
	rl_deprep_terminal();
}

/* --- Asking ----------------------------------------------------------------------------- */

static void write_question(FILE *out)
{
	static const char question[] = "\033]11;?\033\\\033[c";
	fflush(out);
	it.expected = write(STDOUT_FILENO, question, sizeof question - 1) == sizeof question - 1;
	it.asked_at = bl_now();
}

static bool is_fit(void)
{
	const char *term = getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !bl_prompt_in_emacs() && bl_colours_wanted(true) && term && *term &&
	       strcmp(term, "dumb") != 0 && strncmp(term, "linux", 5) != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void bl_background_ask(void)
{
	if (it.asked)
		return;
	it.asked = true;
	if (!is_fit())
		return;
	rl_getc_function = next_byte;
	rl_input_available_hook = is_input;
	rl_deprep_term_function = settle_and_restore;
	bl_guard_hold();
	write_question(rl_outstream);
	bl_guard_release();
}
