/* SPDX-License-Identifier: GPL-3.0-or-later */
/* screen.c: the terminal.  The only file that includes ncurses. */
#include "view/screen.h"

#include "view/guard.h"
#include "view/light.h"

#include <barlow/parallel.h>
#include <barlow/view.h>

#include <curses.h>
#include <term.h>

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CLEAR_PEN = -2, ESCAPE_MS = 25, CONTINUE_MS = 50 };
/* The longest wait for the terminal's replies to all queries, and for the next byte of a reply that has begun. */
enum { REPLY_MS = 100, NEXT_BYTE_MS = 50, REPLY_MOST = 64, QUEUE_MOST = 256 };

struct pen {
	int32_t fg, bg;
	int bold;
};

struct bl_screen {
	SCREEN *curses;
	WINDOW *keys;     /* a pad, so that reading keys never redraws anything */
	TERMINAL *before; /* Readline's terminal, which is set again at the end */
	locale_t locale, locale_before;
	bl_ability can;        /* the abilities of the terminal */
	bl_ability used;       /* the abilities that the shown canvas uses */
	bool replied;          /* the terminal has replied to DA1, the last query */
	int queue[QUEUE_MOST]; /* keys read while waiting for replies; the next one to return is at queue_at */
	int queued, queue_at;
	bool skip_corner;      /* do not write the last cell, which would scroll the screen */
	struct pen pen;        /* the terminal's current pen */
	bl_screen_cell *shown; /* the content of the screen; NULL: unknown */
	int width, height;     /* the size of shown */
	char *out;             /* bytes to be written */
	size_t n, room;
	bool no_memory;
};

/* tputs has no argument for a context, and there is one terminal. */
static bl_screen *current;

/* --- Output ------------------------------------------------------------------- */

static void append(bl_screen *s, const char *bytes, size_t n)
{
	if (s->n + n > s->room) {
		size_t room = 2 * (s->n + n) + 4096;
		char *more = realloc(s->out, room);
		if (!more) {
			s->no_memory = true;
			return;
		}
		s->out = more;
		s->room = room;
	}
	memcpy(s->out + s->n, bytes, n);
	s->n += n;
}

static int append_char(int ch)
{
	append(current, &(char){ (char)ch }, 1);
	return ch;
}

static void append_string(const char *capability)
{
	if (capability)
		tputs(capability, 1, append_char);
}

static int write_all(bl_screen *s)
{
	size_t at = 0;
	while (at < s->n && !bl_guard_dying()) {
		ssize_t done = write(STDOUT_FILENO, s->out + at, s->n - at);
		if (done < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, -1);
		else if (done < 0 && errno != EINTR)
			return bl_fail("the terminal cannot be written to: %s", strerror(errno));
		at += done > 0 ? (size_t)done : 0;
	}
	return 0;
}

static int flush(bl_screen *s)
{
	bl_guard_hold();
	int rc = write_all(s);
	bl_guard_release();
	if (rc < 0)
		return rc;
	s->n = 0;
	return s->no_memory ? bl_fail("no memory for the screen's bytes") : 0;
}

/* --- Abilities ------------------------------------------------------------------ */

static bool is_set(const char *name)
{
	const char *v = getenv(name);
	return v && *v;
}

/* Does COLORTERM or terminfo report 24-bit colours?  In terminfo, ncurses uses RGB (a flag, number or string), tmux Tc. */
static bool has_full_colour(void)
{
	const char *v = getenv("COLORTERM");
	const char *text = tigetstr("RGB");
	return (v && (!strcmp(v, "truecolor") || !strcmp(v, "24bit"))) || tigetflag("RGB") > 0 || tigetflag("Tc") > 0 ||
	       tigetnum("RGB") > 0 || (text && text != (char *)-1);
}

static bl_depth find_depth(void)
{
	int colours = tigetnum("colors");
	if (!bl_colours_wanted(true) || colours < 8 || !set_a_foreground || !set_a_background)
		return BL_DEPTH_MONO;
	if (colours >= 256)
		return has_full_colour() ? BL_DEPTH_FULL : BL_DEPTH_256;
	return colours >= 16 ? BL_DEPTH_16 : BL_DEPTH_8;
}

bl_ability bl_screen_ability_of(int fd)
{
	int known;
	TERMINAL *before = cur_term;
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bl_ability can = { BL_DEPTH_MONO, locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0, bl_light_found() };
	if (locale)
		freelocale(locale);
	if (setupterm(NULL, fd, &known) == OK) {
		TERMINAL *own = cur_term;
		can.depth = find_depth();
		set_curterm(before);
		if (own != before)
			del_curterm(own);
	}
	return can;
}

bl_ability bl_screen_ability(const bl_screen *s)
{
	return s->can;
}

/* Queries the terminal instead of LINES and COLUMNS, which Readline exports and never updates. */
void bl_screen_size(const bl_screen *s, int *width, int *height)
{
	(void)s;
	struct winsize z;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &z) == 0 && z.ws_col > 0 && z.ws_row > 0;
	*width = known ? z.ws_col : columns > 0 ? columns : 80;
	*height = known ? z.ws_row : lines > 0 ? lines : 24;
}

bl_terminal bl_terminal_query(void)
{
	static const int colours[] = {
		[BL_DEPTH_MONO] = 0, [BL_DEPTH_8] = 8, [BL_DEPTH_16] = 16, [BL_DEPTH_256] = 256, [BL_DEPTH_FULL] = 1 << 24
	};
	bl_terminal t = { .is_one = isatty(STDOUT_FILENO), .light = bl_light_found() };
	struct winsize z;
	int why;
	TERMINAL *before = cur_term;
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	t.utf8 = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	if (locale)
		freelocale(locale);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &z) == 0) {
		t.width = z.ws_col;
		t.height = z.ws_row;
	}
	t.known = is_set("TERM") && setupterm(NULL, STDOUT_FILENO, &why) == OK;
	if (t.known) {
		t.moves = cursor_address != NULL;
		t.colours = colours[find_depth()];
		TERMINAL *own = set_curterm(before);
		del_curterm(own);
	}
	return t;
}

/* --- Opening and closing -------------------------------------------------------- */

/*
 * Turns reports of the mouse on or off.  Uses the sequence of terminfo if there is one, as ncurses does.  Otherwise uses the
 * one that all terminals with a mouse know, and requests decimal reports (1006), since reports in bytes end at column 223.
 */
static void append_mouse(bl_screen *s, bool on)
{
	const char *mode = tigetstr("XM");
	if (!key_mouse)
		return;
	if (mode && mode != (char *)-1)
		append_string(tparm(mode, (long)on));
	else
		append(s, on ? "\033[?1006;1000h" : "\033[?1006;1000l", 13);
}

static int set_modes(bl_screen *s)
{
	s->keys = newpad(1, 1);
	if (!s->keys)
		return bl_fail("no memory for the terminal's keys");
	raw();
	noecho();
	nonl();
	set_escdelay(ESCAPE_MS);
	keypad(s->keys, TRUE);
	nodelay(s->keys, TRUE);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0); /* a press is reported as a click immediately */
	curs_set(0);
	refresh();
	append_mouse(s, true);
	return flush(s);
}

/* Gives the guard the bytes that restore the terminal if the process is killed. */
static void prepare_restore(bl_screen *s)
{
	append_string(exit_attribute_mode);
	append_string(cursor_normal);
	append_string(keypad_local);
	append_mouse(s, false);
	append_string(exit_ca_mode);
	append(s, "\r\n", 2);
	size_t n = s->n < BL_GUARD_RESTORE_MAX ? s->n : 0;
	bl_guard_restore_by(s->out, n);
	s->n = 0;
}

static int start(bl_screen *s)
{
	struct termios cooked;
	if (tcgetattr(STDIN_FILENO, &cooked) < 0)
		return bl_fail("the modes of the terminal cannot be read: %s", strerror(errno));
	fflush(stdout);
	s->before = cur_term;
	bl_guard_arm(STDOUT_FILENO, &cooked);
	use_env(FALSE); /* do not use LINES and COLUMNS (see bl_screen_size), by which ncurses would set a scroll region */
	use_tioctl(TRUE);
	s->curses = newterm(NULL, stdout, stdin);
	if (!s->curses)
		return bl_fail(
			"TERM is '%s', which terminfo does not know (Debian has more entries in ncurses-term; "
			"xterm-256color fits most)",
			getenv("TERM"));
	if (!cursor_address)
		return bl_fail("TERM is '%s': it cannot move its cursor", getenv("TERM"));
	s->can = (bl_ability){ find_depth(), strcmp(nl_langinfo(CODESET), "UTF-8") == 0, bl_light_found() };
	s->replied = true; /* no query was sent yet */
	s->skip_corner = auto_right_margin && !eat_newline_glitch;
	prepare_restore(s);
	return set_modes(s);
}

bl_screen *bl_screen_open(void)
{
	if (current)
		return bl_fail_null("a screen is open already");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return bl_fail_null("cannot draw: standard %s is not a terminal", isatty(STDIN_FILENO) ? "output" : "input");
	if (!is_set("TERM"))
		return bl_fail_null("no terminal to draw on: TERM is not set");
	bl_screen *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("no memory for a screen");
	current = s;
	/* ncurses reads the character set from the thread's locale; the process's locale stays unchanged. */
	s->locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	s->locale_before = s->locale ? uselocale(s->locale) : (locale_t)0;
	bl_guard_hold();
	int rc = start(s);
	bl_guard_release();
	if (rc < 0) {
		bl_screen_close(s);
		return NULL;
	}
	return s;
}

/* Without an alternate screen, the frame remains visible, except for the row in which the prompt appears. */
static void leave(bl_screen *s)
{
	append_string(exit_attribute_mode);
	append_mouse(s, false);
	flush(s);
	endwin();
	if (exit_ca_mode || s->height == 0)
		return;
	append_string(tparm(cursor_address, (long)s->height - 1, 0L));
	append_string(clr_eol);
	flush(s);
}

void bl_screen_close(bl_screen *s)
{
	if (!s)
		return;
	bl_guard_hold();
	if (s->keys) {
		leave(s);
		delwin(s->keys);
	} else if (s->curses) {
		endwin();
	}
	if (s->curses) {
		delscreen(s->curses);
		set_curterm(s->before);
	}
	bl_guard_disarm();
	bl_guard_release();
	if (s->locale) {
		uselocale(s->locale_before);
		freelocale(s->locale);
	}
	current = NULL;
	free(s->shown);
	free(s->out);
	free(s);
}

/* --- Showing -------------------------------------------------------------------- */

static int32_t device_colour(const bl_screen *s, int32_t rgb)
{
	if (rgb == BL_COLOUR_OWN || s->used.depth == BL_DEPTH_MONO)
		return BL_COLOUR_OWN;
	if (s->used.depth == BL_DEPTH_FULL)
		return rgb;
	return s->used.depth == BL_DEPTH_256 ? bl_colour_256(rgb) : bl_colour_ansi(rgb, s->used.depth == BL_DEPTH_16 ? 16 : 8);
}

/* Appends a number from 0 to 255 and `end`, without printf, since a frame has thousands of these. */
static void append_level(bl_screen *s, int v, char end)
{
	char text[4];
	size_t n = 0;
	if (v >= 100)
		text[n++] = (char)('0' + v / 100);
	if (v >= 10)
		text[n++] = (char)('0' + v / 10 % 10);
	text[n++] = (char)('0' + v % 10);
	text[n++] = end;
	append(s, text, n);
}

static void write_colour(bl_screen *s, int32_t colour, bool background)
{
	if (s->used.depth != BL_DEPTH_FULL) {
		append_string(tparm(background ? set_a_background : set_a_foreground, (long)colour));
		return;
	}
	append(s, background ? "\033[48;2;" : "\033[38;2;", 7);
	append_level(s, colour >> 16 & 255, ';');
	append_level(s, colour >> 8 & 255, ';');
	append_level(s, colour & 255, 'm');
}

/* The terminal's own colours and normal weight can be restored only by resetting all attributes. */
static void set_pen(bl_screen *s, const bl_screen_cell *cell)
{
	bool reset = s->pen.fg == CLEAR_PEN || (s->pen.bold && !cell->bold) ||
	             (cell->fg == BL_COLOUR_OWN && s->pen.fg != BL_COLOUR_OWN) ||
	             (cell->bg == BL_COLOUR_OWN && s->pen.bg != BL_COLOUR_OWN);
	if (reset) {
		append_string(exit_attribute_mode);
		s->pen = (struct pen){ BL_COLOUR_OWN, BL_COLOUR_OWN, false };
	}
	if (cell->bold && !s->pen.bold)
		append_string(enter_bold_mode);
	if (cell->fg != s->pen.fg)
		write_colour(s, cell->fg, false);
	if (cell->bg != s->pen.bg)
		write_colour(s, cell->bg, true);
	s->pen = (struct pen){ cell->fg, cell->bg, cell->bold };
}

static bl_screen_cell device_cell(const bl_screen *s, const bl_screen_cell *cell)
{
	bl_screen_cell d = { bl_canvas_glyph(s->used, cell->glyph), device_colour(s, cell->fg), device_colour(s, cell->bg),
		             cell->bold };
	if (d.glyph == ' ')
		d.fg = s->pen.fg >= BL_COLOUR_OWN ? s->pen.fg : BL_COLOUR_OWN; /* a blank has no visible foreground */
	return d;
}

static void show_row(bl_screen *s, const bl_canvas *c, int y)
{
	int at = -1; /* column of the cursor; -1: it is not in this row */
	for (int x = 0; x < c->width; x++) {
		bl_screen_cell *shown = &s->shown[y * c->width + x], want = device_cell(s, bl_canvas_cell(c, x, y));
		bool same = want.glyph == shown->glyph && want.bg == shown->bg;
		if (same && (want.glyph == ' ' || (want.fg == shown->fg && want.bold == shown->bold)))
			continue;
		if (s->skip_corner && y == c->height - 1 && x == c->width - 1)
			continue;
		if (at != x)
			append_string(tparm(cursor_address, (long)y, (long)x));
		set_pen(s, &want);
		char bytes[4];
		append(s, bytes, (size_t)bl_canvas_encode(want.glyph, bytes));
		*shown = want;
		at = x + 1;
	}
}

/* Clears the terminal, and records that it is blank at the canvas's size. */
static int start_anew(bl_screen *s, const bl_canvas *c)
{
	size_t cells = (size_t)c->width * (size_t)c->height;
	free(s->shown);
	s->shown = malloc(cells * sizeof *s->shown);
	if (!s->shown)
		return bl_fail("no memory for a screen of %d x %d", c->width, c->height);
	for (size_t i = 0; i < cells; i++)
		s->shown[i] = (bl_screen_cell){ ' ', BL_COLOUR_OWN, BL_COLOUR_OWN, false };
	s->width = c->width;
	s->height = c->height;
	s->pen.fg = CLEAR_PEN;
	append_string(exit_attribute_mode);
	append_string(clear_screen);
	return 0;
}

int bl_screen_show(bl_screen *s, const bl_canvas *c)
{
	if (s->used.depth != c->can.depth)
		bl_screen_forget(s); /* all colours change */
	s->used = c->can;
	if ((!s->shown || s->width != c->width || s->height != c->height) && start_anew(s, c) < 0)
		return -1;
	for (int y = 0; y < c->height; y++)
		show_row(s, c, y);
	return flush(s);
}

void bl_screen_forget(bl_screen *s)
{
	free(s->shown);
	s->shown = NULL;
}

/* --- Keys ----------------------------------------------------------------------- */

/*
 * Converts a key of ncurses to one of keys.h.  ncurses' own numbers begin at 256; bytes from 128 to 255 are parts of
 * characters, and no keys.
 */
static int translate(int key)
{
	static const struct {
		int ncurses;
		const char *key;
	} keys[] = {
		{ KEY_UP, BL_KEYS_UP },
		{ KEY_DOWN, BL_KEYS_DOWN },
		{ KEY_LEFT, BL_KEYS_LEFT },
		{ KEY_RIGHT, BL_KEYS_RIGHT },
		{ KEY_PPAGE, BL_KEYS_PAGE_UP },
		{ KEY_NPAGE, BL_KEYS_PAGE_DOWN },
		{ KEY_HOME, BL_KEYS_HOME },
		{ KEY_END, BL_KEYS_END },
		{ KEY_ENTER, BL_KEYS_ENTER },
		{ '\n', BL_KEYS_ENTER },
		{ KEY_BACKSPACE, BL_KEYS_BACKSPACE },
		{ '\b', BL_KEYS_BACKSPACE },
	};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].ncurses == key)
			return BL_KEY(keys[i].key);
	return key > 0 && key < 128 ? key : BL_KEY_NONE;
}

static int read_mouse(void)
{
	MEVENT e;
	if (getmouse(&e) != OK || e.x < 0 || e.y < 0)
		return BL_KEY_NONE;
	bl_mouse m = { BL_MOUSE_CLICK, e.x, e.y };
	if (e.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED))
		m.kind = e.bstate & BUTTON4_PRESSED ? BL_MOUSE_WHEEL_UP : BL_MOUSE_WHEEL_DOWN;
	else if (!(e.bstate & BUTTON1_PRESSED))
		return BL_KEY_NONE;
	return bl_key_of_mouse(m);
}

/* Decodes a report of the mouse in xterm's format: button and modifiers as bits, coordinates from 1. */
static int decode_mouse(int button, int x, int y)
{
	enum { MODIFIERS = 4 | 8 | 16, WHEEL = 64 };
	button &= ~MODIFIERS;
	bl_mouse m = { button == 0 ? BL_MOUSE_CLICK : button == WHEEL ? BL_MOUSE_WHEEL_UP : BL_MOUSE_WHEEL_DOWN, x - 1, y - 1 };
	bool known = button == 0 || button == WHEEL || button == WHEEL + 1;
	return known && x > 0 && y > 0 ? bl_key_of_mouse(m) : BL_KEY_NONE;
}

/* The next byte of a sequence, whose bytes may arrive with delays; ERR: there is none. */
static int next_byte(bl_screen *s)
{
	int c = wgetch(s->keys);
	if (c == ERR && poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, NEXT_BYTE_MS) == 1)
		c = wgetch(s->keys);
	return c;
}

/*
 * Reads the rest of ESC [ numbers letter, so that its bytes are not taken for typed keys: the reply to DA1, a report of the
 * mouse, or a key that terminfo does not know.
 */
static int read_sequence(bl_screen *s)
{
	int number[3] = { 0 }, n = 0, first = next_byte(s), c = first;
	while (c >= ' ' && c < '@') {
		if (c == ';' && n < 2)
			n++;
		else if (c >= '0' && c <= '9' && number[n] < 10000)
			number[n] = 10 * number[n] + c - '0';
		c = next_byte(s);
	}
	s->replied |= first == '?' && c == 'c';
	if (first == '<' && c == 'M')
		return decode_mouse(number[0], number[1], number[2]);
	if (first != 'M')
		return BL_KEY_NONE;
	for (int i = 0; i < 3; i++) /* the old report: ESC [ M and three bytes */
		number[i] = next_byte(s) - 32;
	return decode_mouse(number[0], number[1], number[2]);
}

/* Reads the rest of ESC ] text, ended by BEL or ESC \: the terminal's reply to the query of its background. */
static int read_reply(bl_screen *s)
{
	char text[REPLY_MOST] = "";
	size_t n = 0;
	int c = next_byte(s);
	for (; c >= ' ' && c < 256; c = next_byte(s))
		if (n + 1 < sizeof text)
			text[n++] = (char)c;
	if (c == BL_KEY_ESCAPE)
		c = next_byte(s) == '\\' ? '\a' : ERR;
	if (c == '\a' && bl_background_take(text))
		s->can.light = bl_light_found();
	return BL_KEY_NONE;
}

/* Returns Esc, or the key of the sequence that follows it immediately. */
static int read_escape(bl_screen *s)
{
	int next = s->replied ? wgetch(s->keys) : next_byte(s);
	if (next == '[')
		return read_sequence(s);
	if (next == ']')
		return read_reply(s);
	if (next == 'O') {
		wgetch(s->keys);
		return BL_KEY_NONE;
	}
	if (next != ERR)
		ungetch(next);
	return BL_KEY_ESCAPE;
}

static int read_key(bl_screen *s)
{
	int key = wgetch(s->keys);
	return key == KEY_MOUSE ? read_mouse() : key == BL_KEY_ESCAPE ? read_escape(s) : translate(key);
}

static int wait_for_key(bl_screen *s, int timeout_ms)
{
	int key = read_key(s); /* before poll, which does not see keys that ncurses has already read */
	if (key != BL_KEY_NONE)
		return key;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	if (poll(&in, 1, timeout_ms) <= 0)
		return BL_KEY_NONE;
	if (!(in.revents & POLLIN))
		return BL_KEY_INTERRUPT; /* the terminal is gone */
	return read_key(s);
}

int bl_screen_key(bl_screen *s, int timeout_ms)
{
	return s->queue_at < s->queued ? s->queue[s->queue_at++] : wait_for_key(s, timeout_ms);
}

/* --- The background ------------------------------------------------------------- */

int bl_screen_query_background(bl_screen *s)
{
	static const char queries[] = "\033]11;?\033\\\033[c"; /* the background (OSC 11), and DA1, to which nearly all reply */
	if (s->can.depth == BL_DEPTH_MONO)
		return 0;
	if (strncmp(getenv("TERM"), "linux", 5) == 0)
		return 0; /* the console of Linux does not know OSC 11, and would show a part of it */
	append(s, queries, sizeof queries - 1);
	if (flush(s) < 0)
		return -1;
	s->replied = false;
	double end = bl_now() + REPLY_MS / 1000.;
	while (!s->replied && s->queued < QUEUE_MOST) {
		int left = (int)(1000 * (end - bl_now())), key = left > 0 ? wait_for_key(s, left) : BL_KEY_NONE;
		if (key != BL_KEY_NONE)
			s->queue[s->queued++] = key;
		if (left <= 0 || key == BL_KEY_INTERRUPT)
			break;
	}
	s->replied = true; /* if not, the reply is late, and read_reply still takes it from the keys */
	return 0;
}

/* --- Stopping and continuing the process ---------------------------------------- */

void bl_screen_again(bl_screen *s)
{
	bl_guard_hold();
	reset_prog_mode();
	bl_guard_release();
	append_string(enter_ca_mode);
	append_string(keypad_xmit);
	append_mouse(s, true);
	append_string(cursor_invisible);
	bl_screen_forget(s);
}

/*
 * Sends the stop signal to the whole process group, as the terminal does for Ctrl-Z, since the shell may wait for a script
 * in this group.
 */
void bl_screen_suspend(bl_screen *s)
{
	struct sigaction standard = { .sa_handler = SIG_DFL }, before;
	bl_guard_hold();
	leave(s);
	bl_guard_release();
	sigemptyset(&standard.sa_mask);
	sigaction(SIGTSTP, &standard, &before);
	kill(0, SIGTSTP);
	poll(NULL, 0, CONTINUE_MS); /* another thread may receive the signal, so this one waits until the process stops */
	sigaction(SIGTSTP, &before, NULL);
	bl_guard_hold();
	refresh();
	curs_set(0);
	bl_guard_release();
	append_mouse(s, true);
	bl_screen_forget(s);
}
