/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_live.c: threads and processes can read what a run publishes; a damaged file causes errors neither in a reader nor in the
 * run.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <barlow/error.h>
#include <barlow/live.h>
#include <barlow/random.h>
#include <dlfcn.h>
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/livefile.h"
#include "support.h"

enum { STEPS = 300, SHORT = 5 };

extern char **environ;
static char folder[256], path[300];

static bl_live_info info_of(int64_t steps)
{
	return (bl_live_info){ .name = "trial", .state = BL_RUN_RUNNING, .steps = steps, .batch = 8, .d = 16 };
}

/* The indices of the runs' columns. */
enum { TIME, TOTAL, LAMBDA };
static const bl_columns columns = { 3,
	                            {
					    { .name = "time", .unit = "s", .kind = BL_COLUMN_TIME },
					    { .name = "total", .kind = BL_COLUMN_TOTAL },
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
	*s = (bl_snapshot){ .step = step,
		            .n = 8,
		            .d = 16,
		            .grid = 16,
		            .diag = 16,
		            .view_count = 2,
		            .view_side = 4,
		            .view_channels = 1,
		            .image_channels = 5 };
	for (size_t i = 0; i < 16 * 16; i++)
		s->mean[i] = s->extreme[i] = (float)step;
	s->spectrum = 3;
	for (int i = 0; i < 3; i++)
		s->eigenvalues[i] = s->singular[i] = (float)step;
	memset(s->views[0], (int)(step & 0xff), 16);
	memset(s->views[1], (int)(step & 0xff), 16);
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
	for (size_t i = 0; i < 16 * 16; i++)
		if (s->mean[i] != (float)s->step || s->extreme[i] != (float)s->step)
			return false;
	return s->views[1][15] == (uint8_t)s->step;
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
	assert_string_equal(odd.label, "\\x1b[31m");
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
	assert_non_null(strstr(bl_error(), "the run has only 2 steps"));
	assert_int_equal(bl_live_length(l), 2);
	assert_int_equal(bl_live_send(l, (bl_command){ BL_CMD_SET, .0051, "lambda", 0 }), 0);
	assert_true(bl_live_take(l, &c));
	assert_int_equal(c.kind, BL_CMD_SET);
	assert_string_equal(c.name, "lambda");
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
	strcpy(info.message, "step 3:\n\x1b[31mred");
	strcpy(info.name, "tri\x1b[31mal");
	bl_live_set_info(w, &info);
	bl_live_info_get(r, &info);
	assert_int_equal(info.state, BL_RUN_PAUSED);
	assert_int_equal(info.step, 3);
	assert_string_equal(info.message, "step 3: \\x1b[31mred");
	assert_string_equal(info.name, "tri\\x1b[31mal");
	assert_string_equal(bl_run_state_name(info.state), "paused");
	assert_string_equal(bl_run_state_name((bl_run_state)77), "unknown");
	bl_live_close(w);
	bl_live_close(r);
}

/* Returns information whose message is derived from its step. */
static bl_live_info info_at(int64_t step)
{
	bl_live_info info = info_of(1000);
	info.step = step;
	memset(info.message, 'a' + (int)(step % 26), sizeof info.message - 1);
	return info;
}

static void *set_infos(void *w)
{
	for (int64_t step = 1; step <= 20000; step++) {
		bl_live_info info = info_at(step);
		bl_live_set_info(w, &info);
	}
	return NULL;
}

/* Other threads of the trainer's process read its handle while it writes: each read gets the data of a single write. */
static void test_info_of_one_moment(void **state)
{
	(void)state;
	bl_live_info info = info_at(0);
	bl_live *w = bl_live_create(NULL, &info, &columns);
	pthread_t t;
	bl_live_set_info(w, &info);
	assert_int_equal(pthread_create(&t, NULL, set_infos, w), 0);
	do {
		bl_live_info_get(w, &info);
		assert_string_equal(info.message, info_at(info.step).message);
	} while (info.step < 20000);
	pthread_join(t, NULL);
	bl_live_close(w);
}

static void put_byte(int fd, uint64_t at, char c)
{
	assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
}

/* Partially written data have a wrong checksum; readers then use the data of the previous turn. */
static void test_half_written(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *r = bl_live_open(path, false);
	bl_live_info info = info_of(4);
	uint64_t turn[2];
	int fd = open(path, O_RDWR);
	for (int k = 0; k < 3; k++) {
		snprintf(info.message, sizeof info.message, "turn %d", k);
		bl_live_set_info(w, &info);
	}
	const struct live_section *s = &r->section[SECTION_INFO];
	for (uint64_t half = 0; half < 2; half++)
		assert_int_equal(pread(fd, &turn[half], 8, (off_t)(s->at + half * (s->size / 2))), 8);
	uint64_t newest = s->at + (turn[1] > turn[0]) * (s->size / 2) + sizeof(struct live_turn);
	put_byte(fd, newest + offsetof(bl_live_info, message), 'T');
	bl_live_info_get(r, &info);
	assert_string_equal(info.message, "turn 1");
	put_byte(fd, newest + offsetof(bl_live_info, message), 't');
	bl_live_info_get(r, &info);
	assert_string_equal(info.message, "turn 2");
	close(fd);
	bl_live_close(w);
	bl_live_close(r);
}

/* After the writer has closed, the unused space is removed, and everything that was written can be read. */
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

/* --- Snapshots of earlier steps ------------------------------------------------ */

static void check_kept(const bl_live *l, int i, int64_t step, int64_t newest)
{
	static bl_snapshot s;
	assert_int_equal(bl_live_snapshot_at(l, i, &s), step);
	assert_true(s.step == step && s.mean[5] == (float)step && s.extreme[5] == (float)step);
	assert_true(s.spectrum == 3 && s.eigenvalues[2] == (float)step && s.singular[2] == (float)step);
	assert_true(s.points == 2 && s.points_step == step && s.point[1][1] == (float)step && s.point_label[1] == 7);
	assert_int_equal(s.view_side, step == newest ? 4 : 0);
	assert_int_equal(s.view_row, step == newest ? step : -1);
	assert_int_equal(s.region_rows, step == newest ? 3 : 0);
}

/*
 * The first and the newest snapshot are kept; all gaps between kept snapshots, except the first and the last, are at least half as
 * wide as the widest.
 */
static void check_spread(const bl_live *l, int64_t newest)
{
	static bl_snapshot s;
	int n = bl_live_snapshot_count(l);
	int64_t before = 0, narrow = INT64_MAX, wide = 0;
	assert_in_range(n, newest < BL_SNAPSHOTS_MAX / 2 ? newest : BL_SNAPSHOTS_MAX / 2, BL_SNAPSHOTS_MAX);
	for (int i = 0; i < n; i++) {
		int64_t step = bl_live_snapshot_at(l, i, &s), gap = step - before;
		assert_true(step > before);
		narrow = i > 0 && i < n - 1 && gap < narrow ? gap : narrow;
		wide = gap > wide ? gap : wide;
		before = step;
	}
	assert_true(before == newest && (n < 3 || wide <= 2 * narrow));
	check_kept(l, 0, 1, newest);
	check_kept(l, n - 1, newest, newest);
	check_kept(l, n / 2, bl_live_snapshot_at(l, n / 2, &s), newest);
	assert_int_equal(bl_live_snapshot_at(l, n, &s), -1);
	assert_int_equal(bl_live_snapshot_at(l, -1, &s), -1);
}

static void test_kept(void **state)
{
	(void)state;
	static bl_snapshot s;
	bl_live *w = writer_with(2000, 0), *r = bl_live_open(path, false);
	assert_int_equal(bl_live_snapshot_count(r), 0);
	assert_int_equal(bl_live_snapshot_at(r, 0, &s), -1);
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

/* However often snapshots are published, a short run keeps at most one for each step, and the newest. */
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
			assert_in_range(bl_live_snapshot_count(w), 1, capacity + 1);
			check_kept(w, 0, 1, step);
			check_kept(w, bl_live_snapshot_count(w) - 1, step, step);
		}
		bl_live_close(w);
		unlink(path);
	}
}

/* --- Requests of viewers --------------------------------------------------- */

static bl_region asked_of(const bl_live *l)
{
	bl_region r = { .rows = -7 };
	assert_true(bl_live_requested(l, &r));
	return r;
}

static void test_asks(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *a = bl_live_open(path, true), *b = bl_live_open(path, true);
	bl_live *mute = bl_live_open(path, false);
	bl_region r = { .matrix = BL_MATRIX_BB,
		        .order = BL_ORDER_DIAGONAL,
		        .row = 1,
		        .rows = 2,
		        .col = 3,
		        .cols = 4,
		        .points = 5,
		        .view = 6,
		        .redraw = 7 },
		  got;
	assert_false(bl_live_requested(w, &got));
	assert_int_equal(bl_live_request(mute, &r), -1);
	assert_non_null(strstr(bl_error(), "read-only"));
	assert_int_equal(bl_live_request(a, &r), 0);
	got = asked_of(w);
	assert_memory_equal(&got, &r, sizeof r);
	for (int i = 0; i < 3 * LIVE_ASKS; i++) {
		r.view = i;
		assert_int_equal(bl_live_request(i % 2 ? a : b, &r), 0);
		assert_int_equal(asked_of(w).view, i);
	}
	r.view = 99;
	assert_int_equal(bl_live_request(w, &r), 0); /* a viewer in the trainer's own process */
	assert_int_equal(asked_of(mute).view, 99);
	bl_live_close(w);
	bl_live_close(a);
	bl_live_close(b);
	bl_live_close(mute);
}

static void patch(size_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
	close(fd);
}

static void fetch(size_t at, void *bytes, size_t n)
{
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, n, (off_t)at), n);
	close(fd);
}

/* Sets the checksum of a request as bl_live_request does. */
static void seal_ask(struct live_ask *a)
{
	a->check = bl_disk_check(a->ticket, &a->stamp, offsetof(struct live_ask, check) - offsetof(struct live_ask, stamp));
}

static void age(bl_live *l, uint64_t ms)
{
	struct live_asks none = { 0 }, asks;
	bl_region r = { .view = 1 };
	uint64_t at = l->section[SECTION_ASKS].at;
	patch(at, &none, sizeof none);
	assert_int_equal(bl_live_request(l, &r), 0);
	fetch(at, &asks, sizeof asks);
	for (int i = 0; i < LIVE_ASKS; i++)
		if (asks.ask[i].check) {
			asks.ask[i].stamp -= ms;
			seal_ask(&asks.ask[i]);
		}
	patch(at, &asks, sizeof asks);
}

/* Requests expire, and a partially written request is ignored. */
static void test_requests_expire(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0);
	bl_region r;
	age(w, 1000);
	assert_true(bl_live_requested(w, &r));
	age(w, 5000);
	assert_false(bl_live_requested(w, &r));
	age(w, -(uint64_t)5000);
	assert_false(bl_live_requested(w, &r));
	age(w, 0);
	struct live_asks asks;
	fetch(w->section[SECTION_ASKS].at, &asks, sizeof asks);
	for (int i = 0; i < LIVE_ASKS; i++)
		asks.ask[i].region[2]++;
	patch(w->section[SECTION_ASKS].at, &asks, sizeof asks);
	assert_false(bl_live_requested(w, &r));
	bl_live_close(w);
}

/* --- Mailbox -------------------------------------------------------------- */

static void test_mailbox(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *s = bl_live_open(path, true), *mute = bl_live_open(path, false);
	bl_command c;
	for (int i = 0; i < LIVE_SLOTS; i++)
		assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET, .value = i }), 0);
	assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_STOP, .value = 0 }), -1);
	assert_int_equal(bl_live_send(mute, (bl_command){ .kind = BL_CMD_STOP, .value = 0 }), -1);
	assert_non_null(strstr(bl_error(), "read-only"));
	for (int i = 0; i < 3 * LIVE_SLOTS; i++) {
		assert_true(bl_live_take(w, &c));
		assert_true(c.kind == BL_CMD_SET && c.value == (double)i);
		assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET, .value = LIVE_SLOTS + i }), 0);
	}
	while (bl_live_take(w, &c))
		continue;
	assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET, .value = .5, .name = "lambda" }), 0);
	assert_true(bl_live_take(w, &c));
	assert_true(c.kind == BL_CMD_SET && c.value == .5 && c.sender == getpid());
	assert_string_equal(c.name, "lambda");
	assert_int_equal(bl_live_send(s, (bl_command){ .kind = (bl_command_kind)77, .value = 0 }), 0);
	assert_false(bl_live_take(w, &c));
	bl_live_close(w);
	bl_live_close(s);
	bl_live_close(mute);
}

/*
 * This pread() replaces the C library's.  If `early` is set, the next read of the mailbox returns the slot of the next ticket
 * as empty, as if this slot had been read before its command was written, and the other slots after that.
 */
static bool early;

ssize_t pread(int fd, void *out, size_t n, off_t at)
{
	ssize_t got = (ssize_t)syscall(SYS_pread64, fd, out, n, at);
	struct live_mailbox *m = out;
	if (!early || n != sizeof *m || got != (ssize_t)n || m->magic != LIVE_MAILBOX_MAGIC)
		return got;
	early = false;
	memset(&m->slot[(m->taken + 1) % LIVE_SLOTS], 0, sizeof m->slot[0]);
	return got;
}

static char calls[256];

static void note(const char *what)
{
	strncat(calls, what, sizeof calls - strlen(calls) - 1);
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	note("sync ");
	return real(fd);
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
	note("rename ");
	return real(from, to);
}

int link(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");
	note("link ");
	return real(from, to);
}

/* A file is synced before it gets the live file's name. */
static void test_synced_before_named(void **state)
{
	(void)state;
	bl_live_info info = info_of(40);
	calls[0] = 0;
	bl_live *w = bl_live_create(NULL, &info, &columns);
	assert_int_equal(bl_live_set_keep(w, BL_KEEP_RECORDS), 0);
	assert_int_equal(bl_live_move(w, path), 0);
	assert_string_equal(calls, "sync rename ");
	add_record(w, 1);
	assert_int_equal(unlink(path), 0);
	calls[0] = 0;
	bl_live_check_file(w); /* this restores the file */
	assert_string_equal(calls, "sync link ");
	calls[0] = 0;
	bl_live_close(w); /* this rewrites the file, without the newest snapshot */
	assert_string_equal(calls, "sync rename ");
	w = bl_live_open(path, false);
	check_records(w, 1);
	bl_live_close(w);
}

/* A reader sees the snapshots that the run had before it got its file. */
static void test_snapshots_move(void **state)
{
	(void)state;
	static bl_snapshot s;
	bl_live_info info = info_of(40);
	bl_live *w = bl_live_create(NULL, &info, &columns);
	for (int64_t step = 1; step <= 3; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
		add_record(w, step);
	}
	int n = bl_live_snapshot_count(w);
	assert_int_equal(bl_live_move(w, path), 0);
	bl_live *r = bl_live_open(path, false);
	assert_int_equal(bl_live_snapshot_count(r), n);
	for (int i = 0; i < n; i++) {
		int64_t step = bl_live_snapshot_at(w, i, &s);
		assert_int_equal(bl_live_snapshot_at(r, i, &s), step);
		assert_true(s.step == step && s.mean[5] == (float)step);
	}
	bl_live_close(r);
	bl_live_close(w);
}

/* The slots are not read atomically: a command that is sent during the read must not be taken after a later one. */
static void test_interleaved_sender(void **state)
{
	(void)state;
	bl_live *w = writer_with(4, 0), *s = bl_live_open(path, true);
	bl_command c;
	for (int round = 0; round < LIVE_SLOTS; round++) {
		assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET, .value = 1 }), 0);
		assert_int_equal(bl_live_send(s, (bl_command){ .kind = BL_CMD_SET, .value = 2 }), 0);
		early = true;
		assert_true(bl_live_take(w, &c));
		assert_false(early);
		assert_true(c.value == 1.);
		assert_true(bl_live_take(w, &c) && c.value == 2.);
		assert_false(bl_live_take(w, &c));
	}
	bl_live_close(w);
	bl_live_close(s);
}

/* Space for records is reserved when an extent begins, so a full disk is detected then, not in the middle of a row. */
static void test_room_is_reserved(void **state)
{
	(void)state;
	enum { MANY = 1000 };
	struct stat st;
	int fd = open(support_scratch("reserved"), O_RDWR | O_CREAT, 0600), err = posix_fallocate(fd, 0, 1 << 16);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	if (err != 0 || st.st_blocks * 512 < 1 << 16)
		skip_because("this file system reserves nothing");
	bl_live *w = writer_with(MANY, 1);
	assert_int_equal(stat(path, &st), 0);
	/* A record has the step's number, the columns and a checksum. */
	assert_true(st.st_blocks * 512 >= MANY * (2 + columns.n) * 8);
	bl_live_close(w);
}

enum { SENDERS = 4, SENT = 900 };

static void *sender(void *arg)
{
	int who = *(int *)arg;
	bl_live *l = bl_live_open(path, true);
	for (int i = 0; l && i < SENT;)
		if (bl_live_send(l, (bl_command){ .kind = BL_CMD_SET, .value = 1000. * who + i }) == 0)
			i++;
		else
			sched_yield();
	bl_live_close(l);
	return NULL;
}

/* Each command arrives once, and the commands of one sender arrive in order. */
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
	for (int got = 0; got < SENDERS * SENT;) {
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

/* --- Concurrent readers ----------------------------------------------- */

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

/* The process `test_live --peer PATH`: reads the data that the parent wrote, and answers by a command. */
static int peer(const char *where)
{
	static bl_snapshot s;
	bl_record r;
	bl_live *l = bl_live_open(where, true);
	if (!l || bl_live_length(l) != 20 || !bl_live_record(l, 19, &r) || r.step != 20)
		return 10;
	if (bl_live_snapshot(l, &s) != 7 || !snapshot_whole(&s) || !bl_live_writer_alive(l))
		return 11;
	int rc = bl_live_send(l, (bl_command){ BL_CMD_SET, .02, "lambda", 0 }) == 0 ? 0 : 12;
	bl_live_close(l);
	return rc;
}

/* The process `test_live --write PATH`: leaves a file whose writer died without closing it. */
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
	assert_true(c.kind == BL_CMD_SET && c.value == .02);
	bl_live_close(w);
}

/* Modifies the header of the file by `change`, and corrects its checksum. */
static void forge_header(void (*change)(struct live_header *h))
{
	struct live_header h;
	fetch(0, &h, sizeof h);
	change(&h);
	h.check = bl_disk_check(0, &h, offsetof(struct live_header, check));
	patch(0, &h, sizeof h);
}

/* clang-format off */
static void be_me(struct live_header *h) { h->pid = getpid(); }
static void be_huge(struct live_header *h) { h->capacity = INT64_MAX; }
static void be_nameless(struct live_header *h) { h->section[SECTION_SNAPSHOTS].name[0] = 'x'; }
static int shortened;
static void be_short(struct live_header *h) { h->section[shortened].size = 8; }
/* clang-format on */
static void have_more(struct live_header *h)
{
	h->section[h->sections++] = (struct live_section){ .name = "new in 0.9", .at = 64, .size = 1 };
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
	/* Another process, with another start time, has the pid of the dead writer. */
	forge_header(be_me);
	r = bl_live_open(path, false);
	assert_false(bl_live_writer_alive(r));
	bl_live_close(r);
}

/* When a run is resumed, a new file gets the name of the old one. */
static void test_next(void **state)
{
	(void)state;
	bl_live *old = writer_with(20, 1), *r = bl_live_open(path, false);
	assert_non_null(r);
	assert_null(bl_live_open_next(r));
	bl_live *w = writer_with(20, 3), *next = bl_live_open_next(r); /* the new writer replaces the file of that name */
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

static void refuse_forged(void (*change)(struct live_header *h), const char *why)
{
	struct live_header before;
	fetch(0, &before, sizeof before);
	forge_header(change);
	assert_null(bl_live_open(path, true));
	assert_non_null(strstr(bl_error(), why));
	assert_non_null(strstr(bl_error(), path));
	patch(0, &before, sizeof before);
}

static void test_refusals(void **state)
{
	(void)state;
	uint32_t odd = 99;
	bl_live_close(writer_with(4, 4));
	refuse(0, "BARLOW", 6, "magic");
	refuse(offsetof(struct live_header, version), &odd, 4, "version 99");
	refuse(offsetof(struct live_header, mark), &odd, 4, "byte order");
	refuse(offsetof(struct live_header, section[2].at), &odd, 4, "damaged");
	refuse_forged(be_huge, "expected 1 to");
	refuse_forged(be_nameless, "has no section 'kept'");
	for (shortened = 0; shortened < SECTIONS; shortened++) {
		static const char *const names[SECTIONS] = { "mailbox", "asks", "info", "state", "columns", "extents", "kept" };
		char why[64];
		snprintf(why, sizeof why, "section '%s' has 8 bytes, expected", names[shortened]);
		refuse_forged(be_short, why);
	}
	forge_header(have_more); /* adds a section that this program does not know */
	bl_live *r = bl_live_open(path, true);
	assert_non_null(r);
	check_records(r, 4);
	bl_live_close(r);
	assert_int_equal(truncate(path, 500), 0);
	assert_null(bl_live_open(path, false));
	assert_non_null(strstr(bl_error(), "500 bytes"));
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

/* --- Snapshots as bytes ------------------------------------------------------ */

static char *packed(const bl_snapshot *s, size_t *n)
{
	char *bytes = calloc(1, bl_pack_most());
	assert_non_null(bytes);
	*n = bl_pack(s, false, bytes);
	return bytes;
}

/* Asserts that a snapshot with the value v in a field is refused. */
static void disbelieve(const bl_snapshot *good, size_t field, int64_t v, size_t size)
{
	static bl_snapshot s, got;
	size_t n;
	s = *good;
	memcpy((char *)&s + field, &v, size);
	char *bytes = packed(&s, &n);
	if (bl_unpack(bytes, n, &got))
		fail_msg("believed %lld at byte %zu of a snapshot", (long long)v, field);
	free(bytes);
	bytes = packed(good, &n);
	assert_true(bl_unpack(bytes, n, &got));
	free(bytes);
}

#define DISBELIEVE(field, v) disbelieve(&s, offsetof(bl_snapshot, field), (v), sizeof((bl_snapshot *)0)->field)

static void test_bounds(void **state)
{
	(void)state;
	static bl_snapshot s;
	fill_snapshot(&s, 3);
	DISBELIEVE(step, 0);
	DISBELIEVE(n, 0);
	DISBELIEVE(d, 15); /* dims[4] is 15, but the grid has 16 cells a side */
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
	DISBELIEVE(view_count, BL_VIEWS_MAX + 1);
	DISBELIEVE(view_count, 0);
	DISBELIEVE(image_channels, BL_IMAGE_CHANNELS_MAX + 1);
}

/* Each field can be read back, unknown parts are skipped, and truncated snapshots are refused. */
static void test_pack(void **state)
{
	(void)state;
	static bl_snapshot s, got;
	size_t n;
	fill_snapshot(&s, 5);
	s.view_count = BL_VIEWS_MAX;
	memset(s.views[7], 77, 16);
	snprintf(s.view_draws[7], BL_DRAW_TEXT, "the eighth");
	char *bytes = packed(&s, &n);
	assert_true(n < 8000);
	assert_true(bl_unpack(bytes, n, &got));
	assert_memory_equal(&s, &got, sizeof s);
	for (size_t cut = 0; cut < n; cut += 7)
		assert_false(bl_unpack(bytes, cut, &got));
	/* The head has magic, length, checksum and step; then follows the name of the first part. */
	uint64_t length = n - LIVE_PACK_HEAD;
	bytes[LIVE_PACK_HEAD] = 'q'; /* "step" is "qtep" now */
	uint64_t check = bl_disk_check(length ^ 5, bytes + LIVE_PACK_HEAD, length);
	memcpy(bytes + 16, &check, 8);
	assert_false(bl_unpack(bytes, n, &got)); /* the part "step" is missing */
	bytes[LIVE_PACK_HEAD] = 's';
	char *last = memmem(bytes, n, "view_draws[7]", 13);
	assert_non_null(last);
	last[0] = 'q';
	check = bl_disk_check(length ^ 5, bytes + LIVE_PACK_HEAD, length);
	memcpy(bytes + 16, &check, 8);
	assert_true(bl_unpack(bytes, n, &got));
	assert_string_equal(got.view_draws[7], "");
	free(bytes);
}

/* Writes the payload into both halves of a section, with turns that are later than the existing ones. */
static void forge_turn(const bl_live *l, int section, const void *payload, size_t n)
{
	const struct live_section *at = &l->section[section];
	for (uint64_t turn = 1000; turn < 1002; turn++) {
		struct live_turn t = { turn, n, bl_disk_check(turn, payload, n) };
		patch(at->at + (turn & 1) * (at->size / 2), &t, sizeof t);
		patch(at->at + (turn & 1) * (at->size / 2) + sizeof t, payload, n);
	}
}

/*
 * If the list of kept snapshots is invalid, only the newest snapshot can be read.  Control bytes in the description of
 * views are shown as text.
 */
static void test_bad_list(void **state)
{
	(void)state;
	static bl_snapshot s;
	static struct live_list list, odd;
	static const int64_t bad[] = { -1, LIVE_SNAPSHOTS_ALL + 1, INT64_MAX };
	bl_live *w = writer_with(SHORT, 0), *r = bl_live_open(path, false);
	for (int step = 1; step < 3; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(w, &s);
	}
	list = w->writer->list;
	assert_int_equal(bl_live_snapshot_count(r), 2);
	for (int i = 0; i < 3; i++) {
		odd = list;
		odd.n = bad[i];
		forge_turn(r, SECTION_SNAPSHOTS, &odd, 16 + 2 * sizeof odd.kept[0]);
		assert_int_equal(bl_live_snapshot_count(r), 1);
	}
	odd = list;
	odd.kept[1].step = 1;
	forge_turn(r, SECTION_SNAPSHOTS, &odd, 16 + 2 * sizeof odd.kept[0]);
	assert_int_equal(bl_live_snapshot_count(r), 1);
	odd = list;
	odd.kept[0].at = 1 << 20; /* beyond the end of the file */
	forge_turn(r, SECTION_SNAPSHOTS, &odd, 16 + 2 * sizeof odd.kept[0]);
	assert_int_equal(bl_live_snapshot_count(r), 2);
	assert_int_equal(bl_live_snapshot_at(r, 0, &s), -1);
	fill_snapshot(&s, 3);
	strcpy(s.view_draws[0], "\x1b]0;crop");
	memset(s.view_draws[1], '\a', BL_DRAW_TEXT);
	bl_live_publish(w, &s);
	assert_int_equal(bl_live_snapshot(r, &s), 3);
	assert_string_equal(s.view_draws[0], "\\x1b]0;crop");
	assert_int_equal(strspn(s.view_draws[1], "\\x07"), (BL_DRAW_TEXT - 1) / 4 * 4); /* only complete escapes \x07 */
	bl_live_close(w);
	bl_live_close(r);
}

/* --- Damage to the file during the run --------------------------------- */

static void expect_problem(bl_live *w, const char *words)
{
	char said[256] = "";
	assert_true(bl_live_problem(w, said, sizeof said));
	if (!strstr(said, words))
		fail_msg("'%s' is not in '%s'", words, said);
	assert_false(bl_live_problem(w, said, sizeof said));
}

/* The file is truncated or overwritten: the run continues, reports this once, and writes a complete file again. */
static void test_cut_short(void **state)
{
	(void)state;
	static bl_snapshot s;
	static const off_t cuts[] = { 0, 1, 700, 5000, 20000 };
	bl_command c;
	bl_live *w = writer_with(STEPS, 10), *r = bl_live_open(path, true);
	fill_snapshot(&s, 9);
	bl_live_publish(w, &s);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(truncate(path, cuts[i]), 0);
		add_record(w, 11 + i);
		usleep(70000);
		assert_false(bl_live_take(w, &c));
		expect_problem(w, "written again");
		check_records(r, 11 + i);
		assert_int_equal(bl_live_snapshot(r, &s), 9);
		assert_int_equal(bl_live_send(r, (bl_command){ .kind = BL_CMD_PAUSE }), 0);
		assert_true(bl_live_take(w, &c) && c.kind == BL_CMD_PAUSE);
	}
	patch(w->section[SECTION_MAILBOX].at, "nonsense", 8);
	assert_int_equal(bl_live_send(r, (bl_command){ .kind = BL_CMD_PAUSE }), -1);
	assert_false(bl_live_take(w, &c));
	expect_problem(w, "written again");
	bl_live_close(w);
	check_records(r, 15);
	bl_live_close(r);
}

/* The disk fills up during the run: records stay in memory, and are written when there is space again. */
static void test_full_later(void **state)
{
	(void)state;
	struct rlimit old, small;
	char text[200];
	bl_command c;
	bl_live *w = writer_with(100000, 10), *r = bl_live_open(path, false);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 64 << 10, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int64_t i = 11; i <= 5000; i++)
		add_record(w, i);
	expect_problem(w, "cannot be written: File too large");
	check_records(w, 5000);
	assert_true(bl_live_length(r) < 5000);
	assert_int_equal(bl_live_send(w, (bl_command){ .kind = BL_CMD_STOP }), 0); /* from this process */
	assert_true(bl_live_take(w, &c) && c.kind == BL_CMD_STOP);
	for (int i = 0; i < 3; i++)
		bl_live_check_file(w);
	/* The problem is reported only once, however often writing is retried. */
	assert_false(bl_live_problem(w, text, sizeof text));
	setrlimit(RLIMIT_FSIZE, &old);
	bl_live_check_file(w);
	expect_problem(w, "written again");
	check_records(r, 5000);
	bl_live_close(w);
	bl_live_close(r);
}

/* --- Columns added during the run ------------------------------------------------- */

static void test_later_column(void **state)
{
	(void)state;
	static bl_columns c;
	bl_live *w = writer_with(STEPS, 5), *r = bl_live_open(path, false);
	bl_record got, more = record_of(6);
	bl_column mood = { .name = "mood", .kind = BL_COLUMN_OWN };
	assert_int_equal(bl_live_columns_count(r), 3);
	assert_int_equal(bl_live_column(w, &mood), 3);
	assert_int_equal(bl_live_column(w, &mood), -1);
	assert_int_equal(bl_live_column(r, &mood), -1);
	more.value[3] = 7.5;
	assert_int_equal(bl_live_add(w, &more), 0);
	const bl_live *both[] = { w, r };
	for (int i = 0; i < 2; i++) {
		bl_live_columns(both[i], &c);
		assert_true(c.n == 4 && strcmp(c.column[3].name, "mood") == 0 && c.column[3].kind == BL_COLUMN_OWN);
		assert_int_equal(bl_live_length(both[i]), 6);
		assert_true(bl_live_record(both[i], 4, &got) && got.value[TOTAL] == 1. / 5 && isnan(got.value[3]));
		assert_true(bl_live_record(both[i], 5, &got) && got.value[TOTAL] == 1. / 6 && got.value[3] == 7.5);
	}
	for (int64_t step = 7, k = 4; k < BL_COLUMNS_MAX; k++, step++) {
		snprintf(mood.name, sizeof mood.name, "m%d", (int)k);
		assert_int_equal(bl_live_column(w, &mood), k);
		more = record_of(step);
		more.value[k] = (double)k;
		assert_int_equal(bl_live_add(w, &more), 0);
	}
	snprintf(mood.name, sizeof mood.name, "one.more");
	assert_int_equal(bl_live_column(w, &mood), -1);
	assert_non_null(strstr(bl_error(), "at most 64"));
	assert_true(bl_live_record(r, 65, &got) && got.value[63] == 63 && isnan(got.value[62]) && got.value[TOTAL] == 1. / 66);
	bl_live_close(w);
	bl_live_close(r);
}

/* --- How many snapshots are kept ----------------------------------------------------- */

static off_t size_with(bl_keep keep, int *kept)
{
	static bl_snapshot s;
	struct stat f;
	bl_live_info info = info_of(2000);
	bl_live *l = bl_live_create(NULL, &info, &columns);
	assert_int_equal(bl_live_set_keep(l, keep), 0);
	assert_int_equal(bl_live_move(l, path), 0);
	for (int step = 1; step <= 2000; step++) {
		fill_snapshot(&s, step);
		bl_live_publish(l, &s);
		add_record(l, step);
	}
	*kept = (int)l->writer->list.n;
	assert_in_range(bl_live_snapshot_count(l), 1, BL_SNAPSHOTS_MAX);
	if (keep == BL_KEEP_ALL)
		check_spread(l, 2000);
	bl_live_close(l);
	assert_int_equal(stat(path, &f), 0);
	l = bl_live_open_whole(path, false);
	assert_non_null(l);
	assert_null(bl_live_damage(l));
	check_records(l, 2000);
	assert_int_equal(bl_live_snapshot(l, &s), keep == BL_KEEP_RECORDS ? -1 : 2000);
	bl_live_close(l);
	unlink(path);
	return f.st_size;
}

static void test_keep(void **state)
{
	(void)state;
	int kept[3];
	off_t records = size_with(BL_KEEP_RECORDS, &kept[0]), some = size_with(BL_KEEP_SOME, &kept[1]);
	off_t all = size_with(BL_KEEP_ALL, &kept[2]);
	print_message("# 2000 steps, d 16: %lld bytes with records only, %lld with some snapshots, %lld with all\n",
	              (long long)records, (long long)some, (long long)all);
	assert_true(kept[0] == 0 && kept[1] >= 24 && kept[1] <= 47 && kept[2] >= 511);
	assert_true(records < 25000 + 2000 * 8 * (2 + 3) && some < records + 48 * 5000 && all > 2 * some);
}

/* --- Files of an earlier version ------------------------------------------------------- */

/* A real run of barlow 0.1: 40 steps, lambda changed at the 20th. */
static void test_version_2(void **state)
{
	(void)state;
	static bl_snapshot s;
	static bl_columns c;
	bl_live_info info;
	bl_record r;
	support_gunzip(support_source("tests/reference/live-version-2.gz"), path, 6417856);
	bl_live *l = bl_live_open(path, true);
	assert_non_null(l);
	bl_live_info_get(l, &info);
	assert_string_equal(info.name, "tiny");
	assert_string_equal(info.message, "step 20: lambda 0.0051 -> 0.02");
	assert_true(info.state == BL_RUN_DONE && info.step == 40 && info.d == 8);
	assert_false(bl_live_writer_alive(l));
	bl_live_columns(l, &c);
	assert_int_equal(bl_live_length(l), 40);
	assert_true(bl_live_record(l, 9, &r) && r.step == 10);
	assert_true(fabs(bl_record_value(&r, &c, "total") - 5.6801087237285) < 1e-12);
	assert_true(bl_record_value(&r, &c, "lambda") == .0051 && !isnan(bl_record_value(&r, &c, "knn")));
	assert_true(bl_live_record(l, 39, &r));
	assert_true(fabs(bl_record_value(&r, &c, "redundancy") - 9.7724946141243) < 1e-12);
	assert_true(bl_record_value(&r, &c, "weighted_redundancy") == .02 * bl_record_value(&r, &c, "redundancy"));
	assert_int_equal(bl_live_snapshot(l, &s), 40);
	assert_true(s.d == 8 && s.grid == 8 && s.view_side == 8 && s.view_count == 2 && s.spectrum == 8);
	assert_true(bl_live_snapshot_count(l) > 1 && bl_live_snapshot_at(l, 0, &s) == 1);
	assert_int_equal(bl_live_send(l, (bl_command){ .kind = BL_CMD_STOP }), -1);
	bl_live_close(l);
}

/* A limit on file sizes simulates a full disk. */
static void test_full_disk(void **state)
{
	(void)state;
	bl_live_info info = info_of(100000);
	struct rlimit old, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 4096, old.rlim_max };
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
	assert_int_equal(rmdir(folder), 0); /* the folder is empty */
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
	assert_in_range(s->view_count, 0, BL_VIEWS_MAX);
	assert_true(s->n > 0 && s->d >= s->grid && s->d >= s->diag && s->step > 0);
	assert_in_range(s->points, 0, BL_POINTS_MAX);
	for (int i = 0; i < BL_POINTS_MAX; i++)
		assert_true(s->point_label[i] >= -1);
	check_text(s->view_draws[0], BL_DRAW_TEXT);
	check_text(s->view_draws[1], BL_DRAW_TEXT);
	check_region(s);
}

/* Reads the whole file, and checks all bounds on which views rely. */
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
	for (int i = bl_live_snapshot_count(l); i >= 0; i--)
		if (bl_live_snapshot_at(l, i, &s) >= 0)
			check_bounds(&s);
	if (bl_live_requested(l, &region))
		assert_int_equal(region.view, 3);
}

/* The offsets of the parts of the file. */
enum { HEADS_MAX = 32 };
static size_t heads[HEADS_MAX];
static int n_heads;

static void find_heads(const bl_live *l)
{
	n_heads = 0;
	heads[n_heads++] = 0;
	heads[n_heads++] = offsetof(struct live_header, section);
	for (int i = 0; i < SECTIONS; i++) {
		heads[n_heads++] = l->section[i].at;
		heads[n_heads++] = l->section[i].at + l->section[i].size / 2;
	}
	const struct live_writer *w = l->writer;
	for (int i = 0; i < 2; i++) {
		heads[n_heads++] = w->area[i].at;
		heads[n_heads++] = w->area[i].at + 600;
	}
	heads[n_heads++] = w->list.kept[0].at;
	heads[n_heads++] = w->extent[0].at;
}

/*
 * Returns the offset of a byte to change; about half of these bytes are near the start of a part, in fields that control reading.
 */
static size_t blow(bl_rng *rng, size_t length)
{
	if (bl_rng_below(rng, 2))
		return bl_rng_below(rng, (uint32_t)length);
	size_t at = heads[bl_rng_below(rng, (uint32_t)n_heads)] + bl_rng_below(rng, 160);
	return at < length ? at : length - 1;
}

/* Corrects the checksums of damaged data: a process that can write the file can also write correct checksums. */
static void seal(char *bytes, size_t n, const bl_live *l)
{
	struct live_header *h = (struct live_header *)(void *)bytes;
	h->check = bl_disk_check(0, h, offsetof(struct live_header, check));
	static const int turns[] = { SECTION_INFO, SECTION_STATE, SECTION_SNAPSHOTS };
	for (int i = 0; i < 6; i++) {
		const struct live_section *s = &l->section[turns[i / 2]];
		char *half = bytes + s->at + (size_t)(i % 2) * (s->size / 2);
		struct live_turn t;
		memcpy(&t, half, sizeof t);
		if (t.length <= s->size / 2 - sizeof t)
			t.check = bl_disk_check(t.turn, half + sizeof t, t.length);
		memcpy(half, &t, sizeof t);
	}
	for (uint64_t i = 0; i < 4; i++) {
		struct live_extent e;
		char *at = bytes + l->section[SECTION_EXTENTS].at + i * sizeof e;
		memcpy(&e, at, sizeof e);
		e.check = bl_disk_check(i, &e, offsetof(struct live_extent, check));
		memcpy(at, &e, sizeof e);
	}
	for (size_t at = 0; at + LIVE_PACK_HEAD <= n; at += 8) {
		uint64_t b[4];
		memcpy(b, bytes + at, sizeof b);
		if (b[0] != LIVE_SNAPSHOT_MAGIC || b[1] > n - at - LIVE_PACK_HEAD)
			continue;
		b[2] = bl_disk_check(b[1] ^ b[3], bytes + at + LIVE_PACK_HEAD, b[1]);
		memcpy(bytes + at, b, sizeof b);
	}
}

static void damage(bl_rng *rng, char *copy, const char *good, size_t *length, const bl_live *l)
{
	memcpy(copy, good, *length);
	for (uint32_t i = bl_rng_below(rng, 8) + 1; i > 0; i--) {
		size_t at = blow(rng, *length);
		copy[at] = bl_rng_below(rng, 2) ? (char)bl_rng_u32(rng) : (char)0xff;
	}
	if (bl_rng_below(rng, 2))
		seal(copy, *length, l);
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

/* The file is damaged before a reader opens it, and while a reader has it open. */
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
	assert_int_equal(bl_live_request(w, &(bl_region){ .view = 3 }), 0);
	find_heads(w);
	bl_live_close(w);
	char *good = slurp(&whole), *copy = malloc(whole);
	bl_live *before = bl_live_open(path, true);
	assert_non_null(before);
	bl_rng_init(&rng, 1, 0, 0, BL_STREAM_USER);
	for (int i = 0; i < 1000; i++) {
		n = whole;
		damage(&rng, copy, good, &n, before);
		rewrite(copy, n);
		read_everything(before);
		bl_live_send(before, (bl_command){ .kind = BL_CMD_STOP, .value = 0 });
		bl_live_request(before, &(bl_region){ .view = 3 });
		bl_live *after = bl_live_open(path, false);
		if (after)
			read_everything(after);
		bl_live_close(after);
	}
	bl_live_close(before);
	free(good);
	free(copy);
}

/* Another process overwrites parts of the file during the run; the run's data in memory are not affected. */
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
		fill_snapshot(&s, i + 1);
		bl_live_publish(w, &s);
		find_heads(w);
		patch(blow(&rng, w->writer->end), &byte, 1);
		bl_live_request(w, &(bl_region){ .view = 3 });
		read_everything(w);
		while (bl_live_take(w, &c))
			assert_in_range(c.kind, BL_CMD_PAUSE, BL_CMD_KINDS - 1);
		bl_live_add(w, &(bl_record){ .step = i + 1 });
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
		cmocka_unit_test_teardown(test_kept, remove_file),
		cmocka_unit_test_teardown(test_kept_short, remove_file),
		cmocka_unit_test_teardown(test_asks, remove_file),
		cmocka_unit_test_teardown(test_requests_expire, remove_file),
		cmocka_unit_test_teardown(test_mailbox, remove_file),
		cmocka_unit_test_teardown(test_info_of_one_moment, remove_file),
		cmocka_unit_test_teardown(test_half_written, remove_file),
		cmocka_unit_test_teardown(test_synced_before_named, remove_file),
		cmocka_unit_test_teardown(test_interleaved_sender, remove_file),
		cmocka_unit_test_teardown(test_room_is_reserved, remove_file),
		cmocka_unit_test_teardown(test_many_senders, remove_file),
		cmocka_unit_test_teardown(test_never_torn, remove_file),
		cmocka_unit_test_teardown(test_other_process, remove_file),
		cmocka_unit_test_teardown(test_writer_gone, remove_file),
		cmocka_unit_test(test_next),
		cmocka_unit_test_teardown(test_refusals, remove_file),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_pack),
		cmocka_unit_test_teardown(test_cut_short, remove_file),
		cmocka_unit_test_teardown(test_full_later, remove_file),
		cmocka_unit_test_teardown(test_later_column, remove_file),
		cmocka_unit_test_teardown(test_keep, remove_file),
		cmocka_unit_test_teardown(test_version_2, remove_file),
		cmocka_unit_test_teardown(test_bad_list, remove_file),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test_teardown(test_snapshots_move, remove_file),
		cmocka_unit_test_teardown(test_mutations, remove_file),
		cmocka_unit_test_teardown(test_writer_survives, remove_file),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
