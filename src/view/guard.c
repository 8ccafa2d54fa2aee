/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard.c: signals while the terminal's modes differ from the shell's.  Handlers call only async-signal-safe functions. */
#define _GNU_SOURCE 1 /* for a recursive mutex that is initialised statically */
#include "view/guard.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MS = 500, CRASH_MS = 100, FULL_MS = 200 };

static struct {
	int fd;
	char restore[BL_GUARD_RESTORE_MAX];
	size_t n;
	struct termios cooked;
} terminal;

/* Shared by signal handlers, the thread that ends the process, and threads that draw. */
static atomic_int armed, dying, seen[BL_GUARD_EVENTS];
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "signal handlers must not wait for a lock");

/* Held while a thread writes to the terminal or changes its modes. */
static pthread_mutex_t hold = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static atomic_int holder; /* the thread that holds it, 0: none; for signal handlers, which must not use the mutex */
static int depth;         /* how often that thread has locked it */

void bl_guard_put_back(void)
{
	if (!armed)
		return;
	armed = 0;
	dying = 1;
	pid_t owner = tcgetpgrp(terminal.fd);
	if (owner > 0 && owner != getpgrp())
		return; /* the process is a background job, and the terminal belongs to the shell or another job */
	/* The process is ending: failures are ignored, and if the terminal accepts no output for FULL_MS, nothing is written. */
	if (poll(&(struct pollfd){ .fd = terminal.fd, .events = POLLOUT }, 1, FULL_MS) == 1 &&
	    write(terminal.fd, terminal.restore, terminal.n) < 0)
		errno = 0;
	tcsetattr(terminal.fd, TCSANOW, &terminal.cooked);
}

void bl_guard_end(void)
{
	struct timespec until;
	dying = 1;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += HELD_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_timedlock(&hold, &until); /* fails if a writer is blocked by a terminal that accepts no output */
	bl_guard_put_back();
}

void bl_guard_hold(void)
{
	pthread_mutex_lock(&hold);
	depth++;
	holder = gettid();
}

void bl_guard_release(void)
{
	if (--depth == 0)
		holder = 0;
	pthread_mutex_unlock(&hold);
}

static void on_fatal(int sig);
static void on_event(int sig);

/* The signals that are handled; some only if no other handler is installed. */
static struct watched {
	int sig;
	bool only_default;
	void (*handler)(int);
	bl_guard_event event;
	bool installed;
	struct sigaction before;
} watched[] = {
	{ .sig = SIGSEGV, .handler = on_fatal },
	{ .sig = SIGABRT, .handler = on_fatal },
	{ .sig = SIGBUS, .handler = on_fatal },
	{ .sig = SIGFPE, .handler = on_fatal },
	{ .sig = SIGILL, .handler = on_fatal },
	{ .sig = SIGTERM, .only_default = true, .handler = on_fatal },
	{ .sig = SIGHUP, .only_default = true, .handler = on_fatal },
	{ .sig = SIGQUIT, .only_default = true, .handler = on_fatal },
	{ .sig = SIGPIPE, .only_default = true, .handler = on_fatal },
	{ .sig = SIGINT, .only_default = true, .handler = on_event, .event = BL_GUARD_INTERRUPT },
	{ .sig = SIGTSTP, .only_default = true, .handler = on_event, .event = BL_GUARD_SUSPEND },
	{ .sig = SIGCONT, .handler = on_event, .event = BL_GUARD_CONTINUED },
	{ .sig = SIGWINCH, .handler = on_event, .event = BL_GUARD_RESIZED },
};
enum { WATCHED = sizeof watched / sizeof watched[0] };

static struct watched *find(int sig)
{
	for (int i = 0; i < WATCHED; i++)
		if (watched[i].sig == sig)
			return &watched[i];
	return NULL;
}

/* The signal is blocked while its handler runs, so when it is raised again, it is delivered on return, to the previous handler. */
static void on_fatal(int sig)
{
	dying = 1;
	/* Waits until another thread has written its frame, so that it is not written after the terminal was restored. */
	for (int ms = 0; ms < CRASH_MS && holder != 0 && holder != gettid(); ms++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	bl_guard_put_back();
	sigaction(sig, &find(sig)->before, NULL);
	raise(sig);
}

static void on_event(int sig)
{
	seen[find(sig)->event] = 1;
}

/* Installs the handler, unless the signal is to be handled only if no other handler is installed, and one is. */
static void install(struct watched *w)
{
	/*
	 * SA_RESTART: poll(), which waits for keys, returns at every signal in any case.  But a write must not be
	 * interrupted when the terminal is resized, since its text would be lost; only Ctrl-C interrupts a blocked write.
	 */
	struct sigaction own = { .sa_handler = w->handler, .sa_flags = w->sig == SIGINT ? 0 : SA_RESTART };
	sigemptyset(&own.sa_mask);
	sigaction(w->sig, NULL, &w->before);
	bool handled = (w->before.sa_flags & SA_SIGINFO) || w->before.sa_handler != SIG_DFL;
	w->installed = !(w->only_default && handled) && sigaction(w->sig, &own, NULL) == 0;
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
		install(&watched[i]);
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
		if (watched[i].installed)
			sigaction(watched[i].sig, &watched[i].before, NULL);
	armed = 0;
}

bool bl_guard_take(bl_guard_event e)
{
	bool was = seen[e];
	seen[e] = 0;
	return was;
}
