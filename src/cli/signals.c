/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signals.c: signals that end the program, save its runs, or interrupt Lua code.
 *
 * The handlers of signals that end the program or save its runs only record the signal; a second signal ends the process at
 * once.  A separate thread (end_program) does the rest, whatever the main thread is doing.  The main thread's Lua code is
 * interrupted by its hook, which sees bl_lua_ending, and code that would end the process in another way waits for the
 * separate thread (bl_signals_yield).
 */
#include "cli/signals.h"

#include "base/text_stream.h"
#include "lua/bind/face.h"
#include "lua/kit/states.h"
#include "view/guard.h"

#include <barlow/text.h>
#include <barlow/trials.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A terminal that is closed sends SIGHUP twice: once through the shell, once by itself. */
#define SAME_HANGUP_SECONDS .2
#define AGAIN_SECONDS .3 /* if a Ctrl-C has had no effect for this long, a further one prints what is running */

static struct {
	sem_t wake;         /* wakes the thread of end_program */
	atomic_int saves;   /* number of SIGUSR1 that were not handled yet */
	atomic_int number;  /* of the signal that ends the program; 0: none yet */
	struct timespec at; /* when that signal came */
} end;

/* Ends the process by the signal's default action, so that its parent sees the signal. */
static void die(int number)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t this_one;
	bl_guard_put_back();
	sigaction(number, &standard, NULL);
	sigemptyset(&this_one);
	sigaddset(&this_one, number);
	pthread_sigmask(SIG_UNBLOCK, &this_one, NULL);
	raise(number);
	_exit(128 + number);
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

/* The first signal begins the orderly end, a second one ends the process at once, unless it only repeats the first. */
static void on_end(int number)
{
	int first = 0, why = errno;
	if (atomic_compare_exchange_strong(&end.number, &first, number)) {
		clock_gettime(CLOCK_MONOTONIC, &end.at);
		bl_lua_ending = 1;
		sem_post(&end.wake);
	} else {
		bool same_hangup = number == SIGHUP && first == SIGHUP && seconds_since(&end.at) < SAME_HANGUP_SECONDS;
		if (number != SIGPIPE && !same_hangup) /* a closed pipe causes SIGPIPE at every write */
			die(number);
	}
	errno = why;
}

/* SIGUSR1, which batch systems such as Slurm send before the time limit. */
static void on_save(int number)
{
	int why = errno;
	(void)number;
	end.saves++;
	sem_post(&end.wake);
	errno = why;
}

static void on_nothing(int number)
{
	(void)number;
}

/* The entry that is running, for the message at a further Ctrl-C. */
static char running[256];

void bl_signals_running(const char *text)
{
	running[0] = '\0';
	if (text)
		bl_text_clean(running, sizeof running, text, false);
}

static void write_all(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static pthread_t interruptible; /* the thread that runs Lua, and waits for keys */

/*
 * The system may deliver the signal to any thread.  Only the thread that runs Lua may set the hook of its state, and the
 * signal has to end the poll() of that thread, so other threads pass the signal on to it.  A single call of a library (a
 * decomposition, gnuplot) cannot be interrupted.
 */
static void on_interrupt(int number)
{
	static struct timespec first;
	int why = errno;
	if (!pthread_equal(pthread_self(), interruptible)) {
		pthread_kill(interruptible, number);
		errno = why;
		return;
	}
	bl_lua_interrupt();
	if (bl_lua_interrupted == 1)
		clock_gettime(CLOCK_MONOTONIC, &first);
	else if (running[0] && seconds_since(&first) > AGAIN_SECONDS) {
		write_all("\nstill running, in a call that cannot be interrupted: ");
		write_all(running);
		write_all("\nCtrl-C takes effect when that call returns; Ctrl-\\ ends barlow at once\n");
	}
	errno = why;
}

/* --- The end -------------------------------------------------------------------------------- */

static const struct kind {
	int number;
	const char *name;
} kinds[] = {
	{ SIGTERM, "SIGTERM" },
	{ SIGHUP, "SIGHUP" },
	{ SIGPIPE, "SIGPIPE" },
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const char *name_of(int number)
{
	for (int i = 0; i < KINDS; i++)
		if (kinds[i].number == number)
			return kinds[i].name;
	return "a signal";
}

static void add_line(void *ctx, const char *line)
{
	FILE *f = ctx;
	if (f)
		fprintf(f, "barlow: %s\n", line);
}

/*
 * The thread that saves the runs at SIGUSR1, and ends the program at the other signals.  Lines about runs are printed after
 * the screen was closed.
 */
static void *end_program(void *unused)
{
	char *lines = NULL, why[64];
	size_t n;
	(void)unused;
	while (!end.number)
		if (sem_wait(&end.wake) == 0 && atomic_exchange(&end.saves, 0) > 0 && !end.number)
			bl_trainers_save("SIGUSR1");
	bl_trial_stop(true);
	FILE *f = bl_text_stream_begin(&lines, &n);
	snprintf(why, sizeof why, "the process got %s", name_of(end.number));
	bl_lua_states_end(); /* a function of a view or layer may be in an endless loop */
	bl_trainers_end(why, add_line, f);
	bl_guard_end();
	if (ftrylockfile(stdout) == 0) { /* unless the main thread is writing, which may block for ever */
		fflush(stdout);
		funlockfile(stdout);
	}
	if (bl_text_stream_end(f, &lines))
		fputs(lines, stderr);
	bl_lua_report_unsaved();
	die(end.number);
	return NULL;
}

void bl_signals_yield(void)
{
	while (end.number)
		pause();
}

/* --- Installing ------------------------------------------------------------------------------- */

/*
 * Installs a handler, unless the signal was ignored when the program started (nohup).  A signal without effect gets the handler
 * on_nothing instead of SIG_IGN, which programs that this one starts would inherit.
 */
static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction before, own = { .sa_handler = handler, .sa_flags = flags };
	sigemptyset(&own.sa_mask);
	if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(number, &own, NULL);
}

int bl_signals_install(void)
{
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited by the new thread, so that handlers run in other threads */
	int rc = sem_init(&end.wake, 0, 0) != 0 ? errno : pthread_create(&thread, NULL, end_program, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		fprintf(stderr, "barlow: no thread could be started: %s\n", strerror(rc));
		return -1;
	}
	pthread_detach(thread);
	for (int i = 0; i < KINDS; i++)
		handle(kinds[i].number, on_end, SA_RESTART);
	handle(SIGXFSZ, on_nothing, SA_RESTART);
	handle(SIGUSR1, on_save, SA_RESTART);
	atexit(bl_signals_yield);
	return 0;
}

/* Without SA_RESTART, so that read and poll return.  Also installed if SIGINT is ignored, as it is for `barlow x.lua &`. */
void bl_signals_catch_interrupts(void)
{
	struct sigaction own = { .sa_handler = on_interrupt };
	interruptible = pthread_self();
	sigemptyset(&own.sa_mask);
	sigaction(SIGINT, &own, NULL);
}
