/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watch_fixture.c: bl_watch on a simulated run, for the tests on a terminal.
 *
 *     watch_fixture live LIVEFILE     a run that makes a step every 20 ms and obeys commands
 *     watch_fixture done LIVEFILE     a finished run
 *     watch_fixture abort LIVEFILE    a run whose trainer aborts after half a second
 *     watch_fixture fault LIVEFILE    a run whose trainer accesses an invalid address
 *     watch_fixture lost LIVEFILE     a run whose process has ended
 *     watch_fixture file LIVEFILE     only makes the file of a finished run
 *
 * After the screen it prints how it ended, and which commands the run received.
 */
#include <barlow/error.h>
#include <barlow/view.h>

#include "../c/recorded_run.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 20, SNAPSHOT_EVERY = 10, START = 300, COMMANDS = 32 };

struct trainer {
	bl_live *live;
	atomic_bool leave;
	int crash; /* signal that ends the process; 0: none */
	int64_t step;
	double lambda;
	bl_run_state state;
	bl_snapshot snapshot;
	bl_command taken[COMMANDS];
	int n;
};

static void obey(struct trainer *t, bl_command c)
{
	if (t->n < COMMANDS)
		t->taken[t->n++] = c;
	if (c.kind == BL_CMD_PAUSE || c.kind == BL_CMD_STOP)
		t->state = c.kind == BL_CMD_STOP ? BL_RUN_STOPPED : BL_RUN_PAUSED;
	if (c.kind == BL_CMD_RESUME)
		t->state = BL_RUN_RUNNING;
	if (c.kind == BL_CMD_SET && strcmp(c.name, "lambda") == 0)
		t->lambda = c.value;
}

static void take_step(struct trainer *t)
{
	bl_record r = recorded_record(++t->step, t->lambda);
	bl_live_add(t->live, &r);
	if (t->step % SNAPSHOT_EVERY == 0) {
		bl_region asked;
		recorded_snapshot(t->step, &t->snapshot);
		if (bl_live_requested(t->live, &asked))
			recorded_region(t->step, &asked, &t->snapshot);
		bl_live_publish(t->live, &t->snapshot);
	}
}

static void *train(void *arg)
{
	struct trainer *t = arg;
	for (int turn = 0; !t->leave; turn++) {
		bl_command c;
		while (bl_live_take(t->live, &c))
			obey(t, c);
		if (t->state == BL_RUN_RUNNING && t->step < RECORDED_STEPS)
			take_step(t);
		bl_live_info i = recorded_info(t->step, RECORDED_STEPS, t->state);
		bl_live_set_info(t->live, &i);
		if (t->crash && turn == 500 / STEP_MS)
			raise(t->crash);
		nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000L }, NULL);
	}
	return NULL;
}

static void report(int end, const struct trainer *t)
{
	static const char *const ends[] = { "quit", "ended", "stop" };
	printf("end=%s\n", end < 0 ? bl_error() : ends[end]);
	for (int i = 0; i < t->n; i++)
		printf("took=%d:%.5f\n", (int)t->taken[i].kind, t->taken[i].value);
	printf("bye\n");
}

static int watch_live(const char *path, int crash)
{
	struct trainer *t = calloc(1, sizeof *t);
	pthread_t thread;
	if (!t || !(t->live = recorded_run(path, START, BL_RUN_RUNNING)))
		return 1;
	t->crash = crash;
	t->step = START;
	t->lambda = .0051;
	t->state = BL_RUN_RUNNING;
	if (pthread_create(&thread, NULL, train, t) != 0)
		return 1;
	int end = bl_watch(t->live, &(bl_watch_config){ .stay = false, .interrupt_stops = true });
	nanosleep(&(struct timespec){ .tv_nsec = 3 * STEP_MS * 1000000L }, NULL); /* the last command is received */
	t->leave = true;
	pthread_join(thread, NULL);
	report(end, t);
	bl_live_close(t->live);
	free(t);
	return 0;
}

/* A child makes the run and dies before its end. */
static int watch_file(const char *path, bl_run_state state)
{
	struct trainer none = { .n = 0 };
	pid_t child = fork();
	if (child == 0)
		_exit(recorded_run(path, RECORDED_STEPS / 2, state) ? 0 : 1);
	if (child < 0 || waitpid(child, NULL, 0) < 0)
		return 1;
	bl_live *l = bl_live_open(path, true);
	if (!l)
		return 1;
	report(bl_watch(l, &(bl_watch_config){ .stay = true }), &none);
	bl_live_close(l);
	return 0;
}

static int make_file(const char *path)
{
	bl_live *l = recorded_run(path, RECORDED_STEPS / 2, BL_RUN_DONE);
	bl_live_close(l);
	return l ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: watch_fixture live|done|abort|fault|lost|file LIVEFILE\n");
		return 2;
	}
	if (!strcmp(argv[1], "done"))
		return watch_file(argv[2], BL_RUN_DONE);
	if (!strcmp(argv[1], "file"))
		return make_file(argv[2]);
	if (!strcmp(argv[1], "lost"))
		return watch_file(argv[2], BL_RUN_RUNNING);
	return watch_live(argv[2], !strcmp(argv[1], "abort") ? SIGABRT : !strcmp(argv[1], "fault") ? SIGSEGV : 0);
}
