/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * background.c: is the terminal's background light?  The terminal is queried once, after the first prompt: OSC 11 for the
 * colour, then DA1, to which nearly every terminal replies.  After the reply to DA1, no reply to OSC 11 can follow.
 *
 * Only at the end of the first line does the prompt wait for the replies, for at most 100 ms, since the code that runs then
 * may read the terminal itself.  While a reply is expected, bytes are read here one by one, and those that are not part of
 * a reply are passed to Readline (rl_getc_function).  The beginning of an escape sequence is held back for a moment, since a
 * reply may begin with it.
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
/* Fewer than KEYS_MOST held bytes may be a key; after more, a slow connection probably delays the rest of a reply. */
enum { KEYS_MOST = 3, KEY_MS = 100, REPLY_MS = 2000 };
#define REPLY_SECONDS .1 /* how long the end of the first line waits for the replies */

typedef enum match { NO, PERHAPS, COLOUR, ATTRIBUTES } match;

static struct {
	bool asked, expected;   /* asked: no further query will be sent; expected: the reply to DA1 has not come yet */
	double asked_at;        /* when the query was sent */
	char held[HELD_MOST];   /* the beginning of a possible reply */
	char typed[TYPED_MOST]; /* bytes for Readline */
	size_t held_n, typed_n;
} query;

/* --- Replies ---------------------------------------------------------------------------- */

/* Are these bytes the reply to OSC 11, as "ESC ] 11 ; rgb:1e1e/1e1e/1e1e", ended by BEL or ESC \? */
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

/* Are these bytes the reply to DA1, as "ESC [ ? 62 ; 4 c"? */
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

/* --- Bytes ------------------------------------------------------------------------------ */

/* Passes the first held byte to Readline, as it is not part of a reply. */
static void let_go(void)
{
	if (query.typed_n < TYPED_MOST)
		query.typed[query.typed_n++] = query.held[0];
	memmove(query.held, query.held + 1, --query.held_n);
}

/* Takes a byte: holds it back while it may be part of a reply, and takes complete replies. */
static void feed(char byte)
{
	query.held[query.held_n++] = byte;
	while (query.held_n > 0) {
		match m = match_colour(query.held, query.held_n);
		if (m == NO)
			m = match_attributes(query.held, query.held_n);
		if (m == PERHAPS && query.held_n < HELD_MOST)
			return;
		if (m == COLOUR) {
			char text[HELD_MOST + 1] = "";
			memcpy(text, query.held, query.held_n);
			bl_background_take(text + 2); /* without ESC ] */
		}
		if (m == ATTRIBUTES)
			query.expected = false;
		if (m == COLOUR || m == ATTRIBUTES)
			query.held_n = 0;
		else
			let_go();
	}
}

void bl_background_release(void)
{
	while (query.held_n > 0)
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
	query.expected = false;
	return false;
}

bool bl_background_expected(void)
{
	return query.expected;
}

int bl_background_holds(void)
{
	return query.held_n == 0 ? 0 : query.held_n < KEYS_MOST ? KEY_MS : REPLY_MS;
}

bool bl_background_typed(void)
{
	return query.typed_n > 0;
}

/* Reads until something was typed, for at most `ms` (negative: without limit).  False: nothing was typed. */
static bool await(int ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	while (query.expected && query.typed_n == 0) {
		int held = bl_background_holds(), n = poll(&in, 1, ms < 0 && held ? held : ms);
		if (n < 0 || (n == 0 && (ms >= 0 || !held)))
			break;
		if (n == 0)
			bl_background_release();
		else if (!bl_background_read())
			break;
	}
	return query.typed_n > 0;
}

/* Is input waiting?  Readline calls this after each key, to handle several at once, and within sequences of keys. */
static int is_input(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	return await(0) || (!query.expected && poll(&in, 1, 0) == 1);
}

/* Readline's input: bytes that were typed while a reply was expected, then those of the terminal. */
static int next_byte(FILE *in)
{
	if (!query.expected && query.typed_n == 0)
		rl_input_available_hook = NULL; /* from here on Readline's own function, which waits for the rest of a sequence */
	if (!await(-1))
		return rl_getc(in);
	unsigned char byte = (unsigned char)query.typed[0];
	memmove(query.typed, query.typed + 1, --query.typed_n);
	return byte;
}

/*
 * Waits for the replies, then restores the terminal's modes.  In the restored modes the terminal would echo a reply, and
 * deliver it only at the end of a line, to code that may read the terminal.  Replies cannot be read in those modes either: a
 * Ctrl-D that was typed ahead would look like the end of input.
 */
static void settle_and_restore(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	while (query.expected && query.typed_n < TYPED_MOST - HELD_MOST) {
		int left = (int)(1000 * (query.asked_at + REPLY_SECONDS - bl_now()));
		if (left <= 0 || poll(&in, 1, left) != 1 || !bl_background_read())
			break;
	}
	if (query.held_n < KEYS_MOST)
		bl_background_release();
	rl_deprep_terminal();
}

/* --- The query -------------------------------------------------------------------------- */

/* Is there a terminal that replies, or at least ignores the query? */
static bool is_fit(void)
{
	const char *term = getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !bl_prompt_in_emacs() && bl_colours_wanted(true) && term && *term &&
	       strcmp(term, "dumb") != 0 && strncmp(term, "linux", 5) != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void bl_background_query(void)
{
	static const char queries[] = "\033]11;?\033\\\033[c"; /* OSC 11, DA1 */
	if (query.asked)
		return;
	query.asked = true;
	if (!is_fit())
		return;
	rl_getc_function = next_byte;
	rl_input_available_hook = is_input;
	rl_deprep_term_function = settle_and_restore;
	bl_guard_hold();
	fflush(rl_outstream);
	query.expected = write(STDOUT_FILENO, queries, sizeof queries - 1) == sizeof queries - 1;
	query.asked_at = bl_now();
	bl_guard_release();
}
