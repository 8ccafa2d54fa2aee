/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals while a screen is up.  Handlers call only what POSIX calls async-signal-safe. */
#include "view/guard.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct {
	int fd;
	char restore[BL_GUARD_RESTORE_MAX];
	size_t n;
	struct termios cooked;
} terminal;

static volatile sig_atomic_t armed, dying, seen[BL_GUARD_EVENTS];

static void restore_terminal(void)
{
	if (!armed)
		return;
	armed = 0;
	dying = 1;
	/* The process is dying: there is nobody left to tell of a failure. */
	if (write(terminal.fd, terminal.restore, terminal.n) < 0)
		errno = 0;
	tcsetattr(terminal.fd, TCSANOW, &terminal.cooked);
}

static void on_fatal(int sig);
static void on_event(int sig);

/* What is taken over, and whether from everybody or only where nobody else handles it. */
static struct watched {
	int sig;
	bool only_default;
	void (*handler)(int);
	bl_guard_event event;
	bool taken;
	struct sigaction before;
} watched[] = {
	{.sig = SIGSEGV, .handler = on_fatal},
	{.sig = SIGABRT, .handler = on_fatal},
	{.sig = SIGBUS, .handler = on_fatal},
	{.sig = SIGFPE, .handler = on_fatal},
	{.sig = SIGILL, .handler = on_fatal},
	{.sig = SIGTERM, .only_default = true, .handler = on_fatal},
	{.sig = SIGHUP, .only_default = true, .handler = on_fatal},
	{.sig = SIGQUIT, .only_default = true, .handler = on_fatal},
	{.sig = SIGINT, .only_default = true, .handler = on_event, .event = BL_GUARD_INTERRUPT},
	{.sig = SIGTSTP, .only_default = true, .handler = on_event, .event = BL_GUARD_SUSPEND},
	{.sig = SIGCONT, .handler = on_event, .event = BL_GUARD_CONTINUED},
	{.sig = SIGWINCH, .handler = on_event, .event = BL_GUARD_RESIZED},
};
enum { WATCHED = sizeof watched / sizeof watched[0] };

static struct watched *find(int sig)
{
	for (int i = 0; i < WATCHED; i++)
		if (watched[i].sig == sig)
			return &watched[i];
	return NULL;
}

/* The signal is blocked in here: raised again, it comes on return, and meets whoever was there before. */
static void on_fatal(int sig)
{
	restore_terminal();
	sigaction(sig, &find(sig)->before, NULL);
	raise(sig);
}

static void on_event(int sig)
{
	seen[find(sig)->event] = 1;
}

static void take(struct watched *w)
{
	struct sigaction own = {.sa_handler = w->handler};
	sigemptyset(&own.sa_mask);
	/* No SA_RESTART for events: the wait for a key must end. */
	sigaction(w->sig, NULL, &w->before);
	bool handled = (w->before.sa_flags & SA_SIGINFO) || w->before.sa_handler != SIG_DFL;
	w->taken = !(w->only_default && handled) && sigaction(w->sig, &own, NULL) == 0;
}

void bl_guard_arm(int fd, const struct termios *cooked)
{
	assert(!armed);
	terminal.fd = fd;
	terminal.n = 0;
	terminal.cooked = *cooked;
	for (int e = 0; e < BL_GUARD_EVENTS; e++)
		seen[e] = 0;
	armed = 1;
	for (int i = 0; i < WATCHED; i++)
		take(&watched[i]);
}

void bl_guard_restore_by(const char *restore, size_t n)
{
	assert(n <= sizeof terminal.restore);
	memcpy(terminal.restore, restore, n);
	terminal.n = n;
}

bool bl_guard_dying(void)
{
	return dying;
}

void bl_guard_disarm(void)
{
	for (int i = 0; armed && i < WATCHED; i++)
		if (watched[i].taken)
			sigaction(watched[i].sig, &watched[i].before, NULL);
	armed = 0;
}

bool bl_guard_take(bl_guard_event e)
{
	bool was = seen[e];
	seen[e] = 0;
	return was;
}
