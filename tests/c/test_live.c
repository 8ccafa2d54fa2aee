/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_live.c: what is published is what is read, by threads and processes; a damaged file harms nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <barlow/error.h>
#include <barlow/live.h>
#include <barlow/random.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/livefile.h"

enum { STEPS = 300, SHORT = 5 };

extern char **environ;
static char folder[256], path[300];

static bl_live_info info_of(int64_t steps)
{
	return (bl_live_info){ .name = "trial", .state = BL_RUN_RUNNING, .steps = steps, .batch = 8, .d = 16 };
}

/* The columns of these runs. */
enum { TIME, TOTAL, LAMBDA };
static const bl_columns columns = { 3, {
	{ .name = "time", .unit = "s", .kind = BL_COLUMN_TIME }, { .name = "total", .kind = BL_COLUMN_TOTAL },
	{ .name = "lambda", .label = "λ", .kind = BL_COLUMN_PARAMETER },
} };

static bl_record record_of(int64_t step)
{
	bl_record r = bl_record_empty(step);
	r.value[TIME] = .5 * (double)step;
	r.value[TOTAL] = 1. / (double)step;
	r.value[LAMBDA] = .0051;
	return r;
}

static void fill_snapshot(bl_snapshot *s, int64_t step)
{
	memset(s, 0, sizeof *s);
	*s = (bl_snapshot){ .step = step, .n = 8, .d = 16, .grid = 16, .diag = 16, .view_side = 4, .view_channels = 1 };
	for (size_t i = 0; i < sizeof s->mean / sizeof *s->mean; i++)
		s->mean[i] = s->extreme[i] = (float)step;
	s->spectrum = 3;
	for (int i = 0; i < 3; i++)
		s->eigenvalues[i] = s->singular[i] = (float)step;
	memset(s->views, (int)(step & 0xff), sizeof s->views);
	s->view_row = step;
	snprintf(s->view_draws[1], BL_DRAW_TEXT, "crop %d", (int)step);
	s->region = (bl_region){ .rows = 3, .col = 1, .cols = 2 };
	s->region_rows = 3;
	s->region_cols = 2;
	s->dims[4] = 15;
	s->points = 2;
	s->points_step = step;
	s->point[1][1] = (float)step;
	s->point_label[1] = 7;
}

static bool snapshot_whole(const bl_snapshot *s)
{
	for (size_t i = 0; i < sizeof s->mean / sizeof *s->mean; i++)
		if (s->mean[i] != (float)s->step || s->extreme[i] != (float)s->step)
			return false;
	return s->views[1][BL_VIEW_MAX] == (uint8_t)s->step;
}

static void add_record(bl_live *l, int64_t step)
{
	bl_record r = record_of(step);
	assert_int_equal(bl_live_add(l, &r), 0);
}

static bl_live *writer_with(int64_t capacity, int64_t records)
{
	bl_live_info info = info_of(capacity);
	bl_live *l = bl_live_create(path, &info, &columns);
	assert_non_null(l);
	for (int64_t i = 1; i <= records; i++)
		add_record(l, i);
	return l;
}

static void check_records(const bl_live *l, int64_t n)
{
	bl_record r, want;
	assert_int_equal(bl_live_length(l), n);
	for (int64_t i = 0; i < n; i++) {
		assert_true(bl_live_record(l, i, &r));
		want = record_of(i + 1);
		assert_memory_equal(&r, &want, sizeof r);
	}
	assert_false(bl_live_record(l, n, &r));
	assert_false(bl_live_record(l, -1, &r));
}

static void test_round_trip(void **state)
{
	(void)state;
	static bl_snapshot s, got;
	bl_live_info info;
	bl_live *w = writer_with(STEPS, STEPS / 2), *r = bl_live_open(path, false);
	assert_non_null(r);
	check_records(w, STEPS / 2);
	check_records(r, STEPS / 2);
	for (int64_t i = STEPS / 2 + 1; i <= STEPS; i++)
		add_record(w, i);
	check_records(r, STEPS);
	assert_int_equal(bl_live_snapshot(r, &got), -1);
	for (int step = 1; step < 4; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
		assert_int_equal(bl_live_snapshot(r, &got), step);
		assert_memory_equal(&s, &got, sizeof s);
		assert_int_equal(bl_live_snapshot(w, &got), step);
	}
	bl_live_info_get(r, &info);
	assert_string_equal(info.name, "trial");
	assert_int_equal(info.pid, getpid());
	assert_true(info.started > 1.7e9);
	bl_live_close(w);
	bl_live_close(r);
}

static void refuse_column(bl_columns *c, const char *name, const char *why)
{
	bl_column column = { .kind = BL_COLUMN_OWN };
	snprintf(column.name, sizeof column.name, "%s", name);
	assert_int_equal(bl_columns_add(c, &column), -1);
	assert_non_null(strstr(bl_error(), why));
}

static void test_columns(void **state)
{
	(void)state;
	static bl_columns c;
	bl_column odd = { .name = "\x1b", .label = "\x1b[31m", .kind = 99, .precision = 200, .mark = '\a' };
	char text[32];
	c = columns;
	refuse_column(&c, "", "empty");
	refuse_column(&c, "step", "already");
	refuse_column(&c, "total", "already");
	refuse_column(&c, "9a", "cannot be a column's name");
	refuse_column(&c, "a b", "cannot be a column's name");
	refuse_column(&c, "na\xc3\xafve", "cannot be a column's name");
	assert_int_equal(bl_columns_add(&c, &(bl_column){ .name = "grad.norm_2", .kind = BL_COLUMN_OWN }), 3);
	assert_int_equal(bl_columns_find(&c, "grad.norm_2"), 3);
	assert_int_equal(bl_columns_find(&c, "grad"), -1);
	assert_int_equal(bl_columns_next(&c, BL_COLUMN_OWN, 0), 3);
	assert_int_equal(bl_columns_next(&c, BL_COLUMN_OWN, 4), -1);
	for (int i = c.n; i < BL_COLUMNS_MAX; i++) {
		bl_column column = { .kind = BL_COLUMN_OWN };
		snprintf(column.name, sizeof column.name, "c%d", i);
		assert_int_equal(bl_columns_add(&c, &column), i);
	}
	refuse_column(&c, "more", "at most 64");
	bl_column_clean(&odd);
	assert_string_equal(odd.label, "?[31m");
	assert_int_equal(bl_column_name_check(odd.name), -1);
	assert_true(odd.kind == BL_COLUMN_OWN && odd.precision < 20 && odd.mark == 0);
	bl_column_text(&columns.column[LAMBDA], .00512345, text, sizeof text);
	assert_string_equal(text, "0.005123");
	bl_column_text(&columns.column[LAMBDA], NAN, text, sizeof text);
	assert_string_equal(text, "-");
}

static void test_memory_only(void **state)
{
	(void)state;
	bl_live_info info = info_of(2);
	bl_live *l = bl_live_create(NULL, &info, &columns);
	bl_record r = record_of(1);
	bl_command c;
	assert_int_equal(bl_live_add(l, &r), 0);
	assert_int_equal(bl_live_add(l, &r), 0);
	assert_int_equal(bl_live_add(l, &r), -1);
	assert_non_null(strstr(bl_error(), "all 2 records"));
	assert_int_equal(bl_live_length(l), 2);
	assert_int_equal(bl_live_send(l, (bl_command){ .kind = BL_CMD_SET_LAMBDA, .value = .0051 }), 0);
	assert_true(bl_live_take(l, &c));
	assert_int_equal(c.kind, BL_CMD_SET_LAMBDA);
	assert_true(c.value == .0051);
	assert_false(bl_live_take(l, &c));
	assert_true(bl_live_writer_alive(l));
	bl_live *again = bl_live_ref(l);
	bl_live_close(l);
	assert_int_equal(bl_live_length(again), 2);
	bl_live_close(again);
}

static void test_info(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *r = bl_live_open(path, false);
	bl_live_info info = info_of(4);
	info.state = BL_RUN_PAUSED;
	info.step = 3;
	strcpy(info.message, "step 3: \x1b[31mred");
	bl_live_set_info(w, &info);
	bl_live_info_get(r, &info);
	assert_int_equal(info.state, BL_RUN_PAUSED);
	assert_int_equal(info.step, 3);
	assert_string_equal(info.message, "step 3: ?[31mred");
	assert_string_equal(bl_run_state_name(info.state), "paused");
	assert_string_equal(bl_run_state_name((bl_run_state)77), "unknown");
	bl_live_close(w);
	bl_live_close(r);
}

/* After the writer's close the unused room is gone, and all that was written is still read. */
static void test_close_trims(void **state)
{
	(void)state;
	struct stat before, after;
	bl_live *w = writer_with(10000, 200);
	assert_int_equal(stat(path, &before), 0);
	bl_live *early = bl_live_open(path, false);
	bl_live_close(w);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < before.st_size);
	bl_live *late = bl_live_open(path, true);
	check_records(early, 200);
	check_records(late, 200);
	bl_live_close(early);
	bl_live_close(late);
}

/* --- Snapshots of the past ------------------------------------------------ */

static void check_kept(const bl_live *l, int i, int64_t step, int64_t newest)
{
	static bl_snapshot s;
	assert_int_equal(bl_live_kept_snapshot(l, i, &s), step);
	assert_true(s.step == step && s.mean[5] == (float)step && s.extreme[5] == (float)step);
	assert_true(s.spectrum == 3 && s.eigenvalues[2] == (float)step && s.singular[2] == (float)step);
	assert_true(s.points == 2 && s.points_step == step && s.point[1][1] == (float)step && s.point_label[1] == 7);
	assert_int_equal(s.view_side, step == newest ? 4 : 0);
	assert_int_equal(s.view_row, step == newest ? step : -1);
	assert_int_equal(s.region_rows, step == newest ? 3 : 0);
}

/* The first and the newest are there, and no gap is much wider than another. */
static void check_spread(const bl_live *l, int64_t newest)
{
	static bl_snapshot s;
	int n = bl_live_kept(l);
	int64_t before = 0, narrow = INT64_MAX, wide = 0;
	assert_in_range(n, newest < BL_KEPT_MAX / 2 ? newest : BL_KEPT_MAX / 2, BL_KEPT_MAX);
	for (int i = 0; i < n; i++) {
		int64_t step = bl_live_kept_snapshot(l, i, &s), gap = step - before;
		assert_true(step > before);
		narrow = i > 0 && i < n - 1 && gap < narrow ? gap : narrow;
		wide = gap > wide ? gap : wide;
		before = step;
	}
	assert_true(before == newest && (n < 3 || wide <= 2 * narrow));
	check_kept(l, 0, 1, newest);
	check_kept(l, n - 1, newest, newest);
	check_kept(l, n / 2, bl_live_kept_snapshot(l, n / 2, &s), newest);
	assert_int_equal(bl_live_kept_snapshot(l, n, &s), -1);
	assert_int_equal(bl_live_kept_snapshot(l, -1, &s), -1);
}

static void test_kept(void **state)
{
	(void)state;
	static bl_snapshot s;
	bl_live *w = writer_with(2000, 0), *r = bl_live_open(path, false);
	assert_int_equal(bl_live_kept(r), 0);
	assert_int_equal(bl_live_kept_snapshot(r, 0, &s), -1);
	for (int step = 1; step <= 2000; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
		if (step < 4 || step % 31 == 0)
			check_spread(r, step);
	}
	check_spread(w, 2000);
	bl_live_close(w);
	bl_live *late = bl_live_open(path, false);
	check_spread(late, 2000);
	bl_live_close(late);
	bl_live_close(r);
}

/* A run of one step has one slot, however often its snapshot comes; and a slot is no more than that. */
static void test_kept_short(void **state)
{
	(void)state;
	static bl_snapshot s;
	for (int capacity = 1; capacity < 5; capacity++) {
		bl_live *w = writer_with(capacity, 0);
		for (int step = 1; step < 20; step++) {
			fill_snapshot(&s, step);
			bl_live_publish(w, &s);
			bl_live_publish(w, &s);
			assert_in_range(bl_live_kept(w), 1, capacity + 1);
			check_kept(w, 0, 1, step);
			check_kept(w, bl_live_kept(w) - 1, step, step);
		}
		bl_live_close(w);
		unlink(path);
	}
}

/* --- What viewers ask for --------------------------------------------------- */

static bl_region asked_of(const bl_live *l)
{
	bl_region r = { .rows = -7 };
	assert_true(bl_live_asked(l, &r));
	return r;
}

static void test_asks(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *a = bl_live_open(path, true), *b = bl_live_open(path, true);
	bl_live *mute = bl_live_open(path, false);
	bl_region r = { .matrix = BL_MATRIX_BB, .order = BL_ORDER_DIAGONAL, .row = 1, .rows = 2, .col = 3, .cols = 4,
	                .points = 5, .view = 6, .redraw = 7 }, got;
	assert_false(bl_live_asked(w, &got));
	assert_int_equal(bl_live_ask(mute, &r), -1);
	assert_non_null(strstr(bl_error(), "read-only"));
	assert_int_equal(bl_live_ask(a, &r), 0);
	got = asked_of(w);
	assert_memory_equal(&got, &r, sizeof r);
	for (int i = 0; i < 3 * LIVE_ASKS; i++) {
		r.view = i;
		assert_int_equal(bl_live_ask(i % 2 ? a : b, &r), 0);
		assert_int_equal(asked_of(w).view, i);
	}
	r.view = 99;
	assert_int_equal(bl_live_ask(w, &r), 0); /* a viewer in the trainer's own process */
	assert_int_equal(asked_of(mute).view, 99);
	bl_live_close(w);
	bl_live_close(a);
	bl_live_close(b);
	bl_live_close(mute);
}

static void age(bl_live *l, uint64_t ms)
{
	struct live_ask *a = l->front->asks.ask;
	bl_region r = { .view = 1 };
	memset(a, 0, sizeof l->front->asks.ask);
	assert_int_equal(bl_live_ask(l, &r), 0);
	for (int i = 0; i < LIVE_ASKS; i++)
		if (a[i].check) {
			/* The check is made anew, as asking does: FNV-1a over the words. */
			uint64_t words[LIVE_ASK_WORDS + 2] = { a[i].ticket, a[i].stamp -= ms }, h = UINT64_C(0xcbf29ce484222325);
			for (int k = 0; k < LIVE_ASK_WORDS; k++)
				words[k + 2] = a[i].region[k];
			for (int k = 0; k < LIVE_ASK_WORDS + 2; k++)
				h = (h ^ words[k]) * UINT64_C(0x100000001b3);
			a[i].check = h;
		}
}

/* Asks are forgotten in time; and one that is only half written never was. */
static void test_asks_end(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0);
	bl_region r;
	age(w, 1000);
	assert_true(bl_live_asked(w, &r));
	age(w, 5000);
	assert_false(bl_live_asked(w, &r));
	age(w, -(uint64_t)5000);
	assert_false(bl_live_asked(w, &r));
	age(w, 0);
	for (int i = 0; i < LIVE_ASKS; i++)
		atomic_fetch_add(&w->image->asks.ask[i].region[2], 1);
	assert_false(bl_live_asked(w, &r));
	bl_live_close(w);
}

/* --- Mailbox -------------------------------------------------------------- */

static void test_mailbox(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *s = bl_live_open(path, true), *mute = bl_live_open(path, false);
	bl_command c;
	for (int i = 0; i < LIVE_SLOTS; i++)
		assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET_LR, .value = i }), 0);
	assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_STOP, .value = 0 }), -1);
	assert_int_equal(bl_live_send(mute, (bl_command){ .kind = BL_CMD_STOP, .value = 0 }), -1);
	assert_non_null(strstr(bl_error(), "read-only"));
	for (int i = 0; i < 3 * LIVE_SLOTS; i++) {
		assert_true(bl_live_take(w, &c));
		assert_true(c.kind == BL_CMD_SET_LR && c.value == (double)i);
		assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET_LR, .value = LIVE_SLOTS + i }), 0);
	}
	while (bl_live_take(w, &c))
		continue;
	assert_int_equal(bl_live_send(s, (bl_command){ .kind = (bl_command_kind)77, .value = 0 }), 0);
	assert_false(bl_live_take(w, &c));
	bl_live_close(w);
	bl_live_close(s);
	bl_live_close(mute);
}

enum { SENDERS = 4, SENT = 900 };

static void *sender(void *arg)
{
	int who = *(int *)arg;
	bl_live *l = bl_live_open(path, true);
	for (int i = 0; l && i < SENT; )
		if (bl_live_send(l, (bl_command){ .kind = BL_CMD_SET_LR, .value = 1000. * who + i }) == 0)
			i++;
		else
			sched_yield();
	bl_live_close(l);
	return NULL;
}

/* Each command arrives once, and those of one sender in order. */
static void test_many_senders(void **state)
{
	(void)state;
	pthread_t thread[SENDERS];
	int name[SENDERS], next[SENDERS] = { 0 };
	bl_live *w = writer_with(4, 0);
	bl_command c;
	for (int i = 0; i < SENDERS; i++) {
		name[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, sender, &name[i]), 0);
	}
	for (int got = 0; got < SENDERS * SENT; ) {
		if (!bl_live_take(w, &c)) {
			sched_yield();
			continue;
		}
		int who = (int)c.value / 1000;
		assert_in_range(who, 0, SENDERS - 1);
		assert_int_equal((int)c.value % 1000, next[who]++);
		got++;
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(thread[i], NULL);
	assert_false(bl_live_take(w, &c));
	bl_live_close(w);
}

/* --- Readers at the same time ----------------------------------------------- */

static void *overtake(void *arg)
{
	static bl_snapshot s;
	for (int64_t step = 2; step <= 1500; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(arg, &s);
		bl_live_add(arg, &(bl_record){ .step = step, .value = { (double)step } });
	}
	return NULL;
}

static void watch(const bl_live *l, int64_t *last)
{
	static bl_snapshot s;
	bl_record r;
	int64_t step = bl_live_snapshot(l, &s), n = bl_live_length(l);
	if (step >= 0) {
		assert_true(step >= *last && snapshot_whole(&s));
		*last = step;
	}
	if (n > 0) {
		assert_true(bl_live_record(l, n - 1, &r));
		assert_true(r.step == n + 1 && r.value[TIME] == (double)r.step);
	}
}

static void test_never_torn(void **state)
{
	(void)state;
	static bl_snapshot s;
	pthread_t thread;
	int64_t seen_here = 0, seen_there = 0;
	bl_live *w = writer_with(1500, 0), *r = bl_live_open(path, false);
	fill_snapshot(&s, 1);
	bl_live_publish(w, &s);
	assert_int_equal(pthread_create(&thread, NULL, overtake, w), 0);
	while (seen_here < 1500 || seen_there < 1500) {
		watch(w, &seen_here);
		watch(r, &seen_there);
	}
	pthread_join(thread, NULL);
	bl_live_close(w);
	bl_live_close(r);
}

/* --- Another process -------------------------------------------------------- */

/* Runs as `test_live --peer PATH`: reads what the parent wrote, answers by a command. */
static int peer(const char *where)
{
	static bl_snapshot s;
	bl_record r;
	bl_live *l = bl_live_open(where, true);
	if (!l || bl_live_length(l) != 20 || !bl_live_record(l, 19, &r) || r.step != 20)
		return 10;
	if (bl_live_snapshot(l, &s) != 7 || !snapshot_whole(&s) || !bl_live_writer_alive(l))
		return 11;
	int rc = bl_live_send(l, (bl_command){ .kind = BL_CMD_SET_LAMBDA, .value = .02 }) == 0 ? 0 : 12;
	bl_live_close(l);
	return rc;
}

/* Runs as `test_live --write PATH`: leaves a file behind whose writer died without closing it. */
static int write_and_go(const char *where)
{
	bl_live_info info = info_of(4);
	bl_record r = record_of(1);
	bl_live *l = bl_live_create(where, &info, &columns);
	_exit(l && bl_live_add(l, &r) == 0 ? 0 : 20);
}

static int run_self(const char *mode)
{
	pid_t pid;
	int status = -1;
	char *argv[] = { "test_live", (char *)mode, path, NULL };
	assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_other_process(void **state)
{
	(void)state;
	static bl_snapshot s;
	bl_command c;
	bl_live *w = writer_with(20, 20);
	fill_snapshot(&s, 7);
	bl_live_publish(w, &s);
	assert_int_equal(run_self("--peer"), 0);
	assert_true(bl_live_take(w, &c));
	assert_true(c.kind == BL_CMD_SET_LAMBDA && c.value == .02);
	bl_live_close(w);
}

static void patch(size_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
	close(fd);
}

static void test_writer_gone(void **state)
{
	(void)state;
	assert_int_equal(run_self("--write"), 0);
	bl_live *r = bl_live_open(path, false);
	assert_non_null(r);
	check_records(r, 1);
	assert_false(bl_live_writer_alive(r));
	bl_live_close(r);
	/* A pid that is in use again, by a process of another start. */
	int64_t mine = getpid();
	patch(offsetof(struct live_header, pid), &mine, sizeof mine);
	r = bl_live_open(path, false);
	assert_false(bl_live_writer_alive(r));
	bl_live_close(r);
}

/* A run that is resumed has another file by the same name. */
static void test_next(void **state)
{
	(void)state;
	bl_live *old = writer_with(20, 1), *r = bl_live_open(path, false);
	assert_non_null(r);
	assert_null(bl_live_open_next(r));
	bl_live *w = writer_with(20, 3), *next = bl_live_open_next(r); /* takes the name */
	assert_non_null(next);
	check_records(next, 3);
	assert_true(bl_live_writer_alive(next));
	assert_null(bl_live_open_next(next));
	bl_live_close(next);
	bl_live_close(w);
	assert_int_equal(unlink(path), 0);
	assert_null(bl_live_open_next(r));
	bl_live_close(r);
	bl_live_close(old);
}

/* --- Damage ------------------------------------------------------------------ */

static void refuse(size_t at, const void *bytes, size_t n, const char *why)
{
	char kept[64];
	int fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, kept, n, (off_t)at), n);
	close(fd);
	patch(at, bytes, n);
	assert_null(bl_live_open(path, true));
	assert_non_null(strstr(bl_error(), why));
	assert_non_null(strstr(bl_error(), path));
	patch(at, kept, n);
}

static void test_refusals(void **state)
{
	(void)state;
	uint32_t odd = 99;
	int64_t huge = INT64_MAX;
	bl_live_close(writer_with(4, 4));
	refuse(0, "BARLOW", 6, "magic");
	refuse(offsetof(struct live_header, version), &odd, 4, "version 99");
	refuse(offsetof(struct live_header, mark), &odd, 4, "byte order");
	refuse(offsetof(struct live_header, snapshot_size), &odd, 4, "snapshot 99");
	refuse(offsetof(struct live_header, capacity), &huge, 8, "room for");
	assert_int_equal(truncate(path, 5000), 0);
	assert_null(bl_live_open(path, false));
	assert_non_null(strstr(bl_error(), "5000 bytes"));
	assert_null(bl_live_open(folder, false));
	assert_non_null(strstr(bl_error(), "not a regular file"));
	unlink(path);
	assert_null(bl_live_open(path, false));
	assert_non_null(strstr(bl_error(), "No such file"));
	bl_live_info info = info_of(-1);
	assert_null(bl_live_create(path, &info, &columns));
	assert_non_null(strstr(bl_error(), "-1 steps"));
	info = info_of(1);
	assert_null(bl_live_create("/nonexistent/live", &info, &columns));
}

/* A field of both snapshots holds v: they are not believed. */
static void disbelieve(bl_live *r, size_t field, int64_t v, size_t size)
{
	static bl_snapshot s;
	int64_t kept[2];
	for (int i = 0; i < 2; i++) {
		size_t at = offsetof(struct live_image, snapshot) + (size_t)i * sizeof s + field;
		assert_true(bl_livefile_load(r, at / 8 * 8, &kept[i], 8));
		patch(at, &v, size);
	}
	if (bl_live_snapshot(r, &s) != -1)
		fail_msg("believed %lld at byte %zu of a snapshot", (long long)v, field);
	for (int i = 0; i < 2; i++)
		patch((offsetof(struct live_image, snapshot) + (size_t)i * sizeof s + field) / 8 * 8, &kept[i], 8);
	assert_true(bl_live_snapshot(r, &s) > 0);
}

#define DISBELIEVE(field, v) disbelieve(r, offsetof(bl_snapshot, field), (v), sizeof ((bl_snapshot *)0)->field)

static void test_bounds(void **state)
{
	(void)state;
	static bl_snapshot s;
	bl_live *w = writer_with(SHORT, 0), *r = bl_live_open(path, false);
	for (int step = 1; step <= 3; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
	}
	DISBELIEVE(step, 0);
	DISBELIEVE(n, 0);
	DISBELIEVE(d, 15); /* dims[4] is 15, and 16 cells */
	DISBELIEVE(grid, BL_GRID_MAX + 1);
	DISBELIEVE(diag, 17);
	DISBELIEVE(grid_elements, -1);
	DISBELIEVE(sampled, -1);
	DISBELIEVE(dead, 17);
	DISBELIEVE(spectrum, BL_SPECTRUM_MAX + 1);
	DISBELIEVE(view_side, BL_VIEW_MAX + 1);
	DISBELIEVE(view_channels, 2);
	DISBELIEVE(view_row, -2);
	DISBELIEVE(view_label, -2);
	DISBELIEVE(region.matrix, 3);
	DISBELIEVE(region.order, -1);
	DISBELIEVE(region.row, 14);
	DISBELIEVE(region.rows, 2);
	DISBELIEVE(region.col, -1);
	DISBELIEVE(region.cols, 16);
	DISBELIEVE(region_rows, BL_GRID_MAX + 1);
	DISBELIEVE(region_cols, 0);
	DISBELIEVE(region_elements, -1);
	DISBELIEVE(dims[4], 16);
	DISBELIEVE(dims[0], -1);
	DISBELIEVE(points, BL_POINTS_MAX + 1);
	DISBELIEVE(points_step, -1);
	bl_live_close(w);
	bl_live_close(r);
}

/* A list of kept ones that cannot be is as none; and what views drew has no escape sequences in it. */
static void test_bad_list(void **state)
{
	(void)state;
	static bl_snapshot s;
	static const int64_t bad[] = { -1, SHORT + 1, LIVE_KEPT + 1, INT64_MAX };
	struct live_list list = { .n = 2, .interval = 1, .at = { { 0, 1 }, { 1, 2 } } }, odd;
	bl_live *w = writer_with(SHORT, 0), *r = bl_live_open(path, false);
	size_t at = offsetof(struct live_image, list);
	for (int step = 1; step < 3; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
	}
	assert_int_equal(bl_live_kept(r), 2);
	for (int i = 0; i < 4; i++) {
		odd = list;
		odd.n = bad[i];
		for (int64_t k = 0; k < LIVE_KEPT; k++)
			odd.at[k].step = k + 1;
		patch(at, &odd, sizeof odd);
		patch(at + sizeof odd, &odd, sizeof odd);
		assert_int_equal(bl_live_kept(r), 1);
		odd = list;
		odd.at[1].slot = bad[i];
		patch(at, &odd, sizeof odd);
		patch(at + sizeof odd, &odd, sizeof odd);
		assert_int_equal(bl_live_kept(r), 1);
	}
	fill_snapshot(&s, 3);
	strcpy(s.view_draws[0], "\x1b]0;crop");
	memset(s.view_draws[1], '\a', BL_DRAW_TEXT);
	bl_live_publish(w, &s);
	assert_int_equal(bl_live_snapshot(r, &s), 3);
	assert_string_equal(s.view_draws[0], "?]0;crop");
	assert_int_equal(strspn(s.view_draws[1], "?"), BL_DRAW_TEXT - 1);
	bl_live_close(w);
	bl_live_close(r);
}

/* A limit on file sizes stands for the full disk. */
static void test_full_disk(void **state)
{
	(void)state;
	bl_live_info info = info_of(100000);
	struct rlimit old, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 1 << 20, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	bl_live *l = bl_live_create(path, &info, &columns);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(l);
	bl_live_info_get(l, &info);
	assert_non_null(strstr(info.message, "kept in memory only: "));
	assert_null(bl_live_open(path, false));
	assert_int_equal(bl_live_add(l, &(bl_record){ .step = 1 }), 0);
	assert_int_equal(bl_live_length(l), 1);
	bl_live_close(l);
	assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void check_text(const char *text, size_t size)
{
	assert_non_null(memchr(text, 0, size));
	for (; *text; text++)
		assert_true((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_region(const bl_snapshot *s)
{
	const bl_region *r = &s->region;
	assert_in_range(s->region_rows, 0, BL_GRID_MAX);
	assert_in_range(s->region_cols, 0, BL_GRID_MAX);
	if (s->region_rows == 0)
		return;
	assert_true(s->region_rows <= r->rows && s->region_cols <= r->cols && s->region_cols > 0);
	assert_true(r->row >= 0 && r->row <= s->d - r->rows && r->col >= 0 && r->col <= s->d - r->cols);
	for (int i = 0; i < s->region_rows + s->region_cols; i++)
		assert_in_range(s->dims[i], 0, s->d - 1);
}

static void check_bounds(const bl_snapshot *s)
{
	assert_in_range(s->grid, 1, BL_GRID_MAX);
	assert_in_range(s->diag, 1, BL_DIAG_MAX);
	assert_in_range(s->spectrum, 0, BL_SPECTRUM_MAX);
	assert_in_range(s->view_side, 0, BL_VIEW_MAX);
	assert_true(s->view_side == 0 || s->view_channels == 1 || s->view_channels == 3);
	assert_true(s->n > 0 && s->d >= s->grid && s->d >= s->diag && s->step > 0);
	assert_in_range(s->points, 0, BL_POINTS_MAX);
	for (int i = 0; i < BL_POINTS_MAX; i++)
		assert_true(s->point_label[i] >= -1);
	check_text(s->view_draws[0], BL_DRAW_TEXT);
	check_text(s->view_draws[1], BL_DRAW_TEXT);
	check_region(s);
}

/* Reads all there is, and holds every bound that a view would trust. */
static void read_everything(const bl_live *l)
{
	static bl_snapshot s;
	bl_live_info info;
	bl_record r;
	bl_region region;
	bl_live_info_get(l, &info);
	assert_non_null(memchr(info.name, 0, sizeof info.name));
	assert_non_null(memchr(info.message, 0, sizeof info.message));
	assert_in_range(info.state, BL_RUN_NEW, BL_RUN_FAILED);
	assert_true(info.step >= 0 && info.steps >= 0);
	int64_t n = bl_live_length(l);
	assert_in_range(n, 0, l->capacity);
	for (int64_t i = 0; i < n; i++)
		if (bl_live_record(l, i, &r))
			assert_true(r.step > 0);
	assert_false(bl_live_record(l, l->capacity, &r));
	if (bl_live_snapshot(l, &s) < 0)
		return;
	check_bounds(&s);
	for (int i = bl_live_kept(l); i >= 0; i--)
		if (bl_live_kept_snapshot(l, i, &s) >= 0)
			check_bounds(&s);
	if (bl_live_asked(l, &region))
		assert_int_equal(region.view, 3);
}

/* Half the blows fall on the fields that decide something. */
static size_t blow(bl_rng *rng, size_t length)
{
	static const size_t heads[] = {
		0, offsetof(struct live_image, info), offsetof(struct live_image, snapshot[0]),
		offsetof(struct live_image, snapshot[1]), offsetof(struct live_image, mailbox),
		offsetof(struct live_image, asks), offsetof(struct live_image, list[0]), offsetof(struct live_image, list[1]),
		offsetof(struct live_image, kept[0]), offsetof(struct live_image, kept[1]),
		offsetof(struct live_image, snapshot[0].view_side), offsetof(struct live_image, snapshot[1].view_draws),
		offsetof(struct live_image, snapshot[0].region), offsetof(struct live_image, snapshot[1].region),
		offsetof(struct live_image, snapshot[0].points), offsetof(struct live_image, snapshot[1].point_label),
	};
	enum { HEADS = sizeof heads / sizeof *heads };
	if (bl_rng_below(rng, 2))
		return bl_rng_below(rng, (uint32_t)length);
	return heads[bl_rng_below(rng, HEADS)] + bl_rng_below(rng, 160);
}

static void damage(bl_rng *rng, char *copy, const char *good, size_t *length)
{
	memcpy(copy, good, *length);
	for (uint32_t i = bl_rng_below(rng, 8) + 1; i > 0; i--) {
		size_t at = blow(rng, *length);
		copy[at] = bl_rng_below(rng, 2) ? (char)bl_rng_u32(rng) : (char)0xff;
	}
	if (bl_rng_below(rng, 4) == 0)
		*length = bl_rng_below(rng, (uint32_t)*length);
}

static void rewrite(const char *bytes, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	assert_int_equal(pwrite(fd, bytes, n, 0), n);
	close(fd);
}

static char *slurp(size_t *n)
{
	struct stat s;
	int fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &s), 0);
	*n = (size_t)s.st_size;
	char *bytes = malloc(*n);
	assert_int_equal(read(fd, bytes, *n), s.st_size);
	close(fd);
	return bytes;
}

/* Damaged under a reader that is open already, and before one opens it. */
static void test_mutations(void **state)
{
	(void)state;
	static bl_snapshot s;
	bl_rng rng;
	size_t whole, n;
	bl_live *w = writer_with(SHORT, SHORT);
	for (int step = 1; step <= SHORT; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
	}
	assert_int_equal(bl_live_ask(w, &(bl_region){ .view = 3 }), 0);
	bl_live_close(w);
	char *good = slurp(&whole), *copy = malloc(whole);
	bl_live *before = bl_live_open(path, true);
	assert_non_null(before);
	bl_rng_init(&rng, 1, 0, 0, BL_STREAM_USER);
	for (int i = 0; i < 1000; i++) {
		n = whole;
		damage(&rng, copy, good, &n);
		rewrite(copy, n);
		read_everything(before);
		bl_live_send(before, (bl_command){ .kind = BL_CMD_STOP, .value = 0 });
		bl_live_ask(before, &(bl_region){ .view = 3 });
		bl_live *after = bl_live_open(path, false);
		if (after)
			read_everything(after);
		bl_live_close(after);
	}
	bl_live_close(before);
	free(good);
	free(copy);
}

/* The writer's own mapping is scribbled over by another: it goes on, and reads back what its own bounds allow. */
static void test_writer_survives(void **state)
{
	(void)state;
	bl_rng rng;
	static bl_snapshot s;
	bl_live *w = writer_with(STEPS, 10);
	bl_command c;
	bl_rng_init(&rng, 2, 0, 0, BL_STREAM_USER);
	for (int i = 0; i < 200; i++) {
		char byte = (char)bl_rng_u32(&rng);
		patch(blow(&rng, w->records_at), &byte, 1);
		fill_snapshot(&s, i + 1);
		bl_live_publish(w, &s);
		bl_live_ask(w, &(bl_region){ .view = 3 });
		read_everything(w);
		while (bl_live_take(w, &c))
			assert_in_range(c.kind, BL_CMD_PAUSE, BL_CMD_EVAL);
		bl_live_add(w, &(bl_record){ .step = i });
	}
	bl_live_close(w);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--peer") == 0)
		return peer(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_and_go(argv[2]);
	const char *tmp = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/barlow-live-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 99;
	snprintf(path, sizeof path, "%s/live", folder);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_round_trip, remove_file),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_memory_only),
		cmocka_unit_test_teardown(test_info, remove_file),
		cmocka_unit_test_teardown(test_close_trims, remove_file),
		cmocka_unit_test_teardown(test_kept, remove_file), cmocka_unit_test_teardown(test_kept_short, remove_file),
		cmocka_unit_test_teardown(test_asks, remove_file), cmocka_unit_test_teardown(test_asks_end, remove_file),
		cmocka_unit_test_teardown(test_mailbox, remove_file),
		cmocka_unit_test_teardown(test_many_senders, remove_file),
		cmocka_unit_test_teardown(test_never_torn, remove_file),
		cmocka_unit_test_teardown(test_other_process, remove_file),
		cmocka_unit_test_teardown(test_writer_gone, remove_file),
		cmocka_unit_test(test_next),
		cmocka_unit_test_teardown(test_refusals, remove_file),
		cmocka_unit_test_teardown(test_bounds, remove_file),
		cmocka_unit_test_teardown(test_bad_list, remove_file),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test_teardown(test_mutations, remove_file),
		cmocka_unit_test_teardown(test_writer_survives, remove_file),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
