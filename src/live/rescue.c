/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rescue.c: recovers the intact parts of a damaged live file that no process writes any more.
 *
 * The tables may be damaged, too, so the whole file is searched.  Packed snapshots and sequences of rows begin at
 * multiples of LIVE_ALIGN, and each snapshot and row has a checksum.  The result is a run in memory, which accepts no
 * commands.
 */
#include "live/livefile.h"

#include <barlow/process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RANGES_SHOWN = 3, RUNS_MOST = 1024, SNAPSHOTS_MOST = 4096 };
#define SEARCHED_MOST (INT64_C(1) << 30)

struct rescue {
	bl_live layout; /* only its sections are set */
	bool head, info_whole, state_whole;
	bl_live_info info;
	struct live_state state;
	bl_columns columns;
	char *bytes;
	size_t n;
	bl_record *record; /* in the order in which they were found */
	int64_t records, room;
	struct found {
		size_t at, row;
	} * run; /* sequences of rows: offset of the first row, bytes of a row */
	int runs;
	struct place {
		int64_t step;
		size_t at;
	} * snapshot; /* candidates; their checksums are tested later */
	int snapshots;
};

/* --- Tables ------------------------------------------------------------------------- */

/*
 * Reads the tables.  If the header is damaged, sections are expected where this version puts them.  False: neither the
 * header nor info nor state is intact.
 */
static bool read_tables(struct rescue *r, int fd, const struct live_header *h, const char *path)
{
	bl_live *l = &r->layout;
	r->head = h && bl_livefile_sections(l, h, path) == 0;
	if (!r->head)
		bl_whole_usual_sections(l);
	r->info_whole = bl_disk_newest(fd, &l->section[SECTION_INFO], &r->info, sizeof r->info);
	r->state_whole = bl_disk_newest(fd, &l->section[SECTION_STATE], &r->state, sizeof r->state);
	return r->head || r->info_whole || r->state_whole;
}

/* Has the run ended?  A process that still writes the file repairs it by itself. */
static bool is_settled(const struct rescue *r, const struct live_header *h)
{
	char boot[sizeof h->boot];
	bl_process_boot(boot, sizeof boot);
	if (r->info_whole && r->info.state >= BL_RUN_DONE)
		return true;
	if (r->head)
		return strncmp(boot, h->boot, sizeof boot) != 0 || !bl_process_lives(h->pid, h->pid_ticks);
	return r->info_whole && !bl_process_lives(r->info.pid, 0);
}

static bool extents_whole(const struct rescue *r, int fd)
{
	struct live_extent e;
	for (uint32_t i = 0; i < r->state.extents && i < LIVE_EXTENTS_MAX; i++)
		if (!bl_disk_read(fd, r->layout.section[SECTION_EXTENTS].at + i * sizeof e, &e, sizeof e) || !bl_extent_sane(&e, i))
			return false;
	return true;
}

/* --- Searching ---------------------------------------------------------------------- */

static bool take_row(const struct rescue *r, size_t at, int columns, bl_record *out)
{
	double row[LIVE_ROW_MAX];
	int64_t step;
	size_t bytes = (size_t)(columns + 2) * 8;
	if (at + bytes > r->n)
		return false;
	memcpy(&step, r->bytes + at, sizeof step);
	if (step < 1 || step > LIVE_CAPACITY_MAX)
		return false;
	memcpy(row, r->bytes + at, bytes);
	return bl_row_unpack(row, columns, out);
}

static int keep_row(struct rescue *r, const bl_record *record)
{
	if (r->records == r->room) {
		int64_t room = r->room ? 2 * r->room : 1024;
		bl_record *more = realloc(r->record, (size_t)room * sizeof *more);
		if (!more)
			return bl_fail("live: no memory for %lld records", (long long)room);
		r->record = more;
		r->room = room;
	}
	r->record[r->records++] = *record;
	return 0;
}

static bool is_known(const struct rescue *r, size_t at, size_t row)
{
	for (int i = 0; i < r->runs; i++)
		if (r->run[i].row == row && at >= r->run[i].at && (at - r->run[i].at) % row == 0)
			return true;
	return false;
}

/*
 * Takes the sequence of rows that contains the row at `at`: goes back while the rows are intact, then forward to the end
 * of the file, in steps of a row's length, skipping rows that are not intact.
 */
static int take_run(struct rescue *r, size_t at, int columns)
{
	size_t row = (size_t)(columns + 2) * 8;
	bl_record record;
	struct found *more = r->runs < RUNS_MOST ? realloc(r->run, (size_t)(r->runs + 1) * sizeof *more) : NULL;
	if (!more)
		return bl_fail("live: no memory for a reader");
	while (at >= row && take_row(r, at - row, columns, &record))
		at -= row;
	r->run = more;
	r->run[r->runs++] = (struct found){ at, row };
	for (; at + row <= r->n; at += row)
		if (take_row(r, at, columns, &record) && keep_row(r, &record) != 0)
			return -1;
	return 0;
}

static int search(struct rescue *r)
{
	bl_record record;
	for (size_t at = 0; at < r->n; at += LIVE_ALIGN) {
		int64_t step = at + LIVE_PACK_HEAD <= r->n ? bl_pack_step(r->bytes + at) : -1;
		if (step > 0 && r->snapshots < SNAPSHOTS_MOST)
			r->snapshot[r->snapshots++] = (struct place){ step, at };
		for (int columns = r->columns.n; columns > 0; columns--)
			if (!is_known(r, at, (size_t)(columns + 2) * 8) && take_row(r, at, columns, &record) &&
			    take_run(r, at, columns) != 0)
				return -1;
	}
	return 0;
}

/* Compares records or places; both begin with their step. */
static int by_step(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* --- Missing records ---------------------------------------------------------------- */

/* Lists the steps 1 to `all` that have no record: "records 120 to 480, 500 are damaged"; "": none is missing. */
static void describe_gaps(const struct rescue *r, int64_t all, char *text, size_t size)
{
	char list[120] = "";
	int64_t before = 0, missing = 0;
	int ranges = 0;
	for (int64_t i = 0; i <= r->records; i++) {
		int64_t step = i < r->records ? r->record[i].step : all + 1;
		if (step > before + 1) {
			size_t n = strlen(list);
			if (++ranges <= RANGES_SHOWN)
				snprintf(list + n, sizeof list - n, before + 2 == step ? "%s%lld" : "%s%lld to %lld",
				         ranges > 1 ? ", " : "", (long long)before + 1, (long long)step - 1);
			missing += step - before - 1;
		}
		before = step;
	}
	if (ranges > RANGES_SHOWN)
		snprintf(text, size, "records %s and others, %lld in all, are damaged", list, (long long)missing);
	else if (ranges > 0)
		snprintf(text, size, missing == 1 ? "record %s is damaged" : "records %s are damaged", list);
	else
		text[0] = '\0';
}

static void describe(const struct rescue *r, int64_t all, char *text, size_t size)
{
	char gaps[160];
	describe_gaps(r, all, gaps, sizeof gaps);
	const char *part[] = { r->head ? "" : "its header is damaged", r->info_whole ? "" : "its info is damaged", gaps };
	text[0] = '\0';
	for (int i = 0; i < 3; i++) {
		size_t n = strlen(text);
		if (part[i][0])
			snprintf(text + n, size - n, "%s%s", n ? ", " : "", part[i]);
	}
	if (!text[0])
		snprintf(text, size, "its tables or snapshots are damaged, but all its records are intact");
}

/* --- The run in memory -------------------------------------------------------------- */

static void sort_out(struct rescue *r)
{
	int64_t n = 0;
	if (r->snapshots > 0)
		qsort(r->snapshot, (size_t)r->snapshots, sizeof *r->snapshot, by_step);
	if (r->records > 0)
		qsort(r->record, (size_t)r->records, sizeof *r->record, by_step);
	for (int64_t i = 0; i < r->records; i++)
		if (n == 0 || r->record[i].step > r->record[n - 1].step)
			r->record[n++] = r->record[i];
	r->records = n;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bl_live *rebuild(struct rescue *r, const struct live_header *h)
{
	int64_t last = r->records ? r->record[r->records - 1].step : 0;
	int64_t all =
		r->state_whole && r->state.records <= (uint64_t)LIVE_CAPACITY_MAX ? most(last, (int64_t)r->state.records) : last;
	int64_t steps = most(r->info.steps < LIVE_CAPACITY_MAX ? r->info.steps : 0, all);
	bl_live *l = bl_livefile_writer(steps, &r->columns);
	bl_snapshot *s = malloc(sizeof *s);
	int rc = l && s ? 0 : bl_fail("live: no memory for a reader");
	for (int64_t i = 0; i < r->records && rc == 0; i++)
		rc = bl_live_add(l, &r->record[i]);
	if (rc == 0) {
		if (!r->info_whole)
			r->info = (bl_live_info){ .state = BL_RUN_STOPPED, .step = last, .steps = steps };
		describe(r, all, l->damage, sizeof l->damage);
		snprintf(r->info.message, sizeof r->info.message, "live file: %.200s", l->damage);
		l->pid = r->head ? h->pid : r->info.pid;
		l->pid_ticks = r->head ? h->pid_ticks : 0;
		memcpy(l->boot, r->head ? h->boot : "", r->head ? sizeof l->boot : 1);
		l->boot[sizeof l->boot - 1] = '\0';
		l->started = r->info.started;
		bl_live_set_info(l, &r->info);
		l->writer->list.interval = 1;
		/* A step may have two snapshots, the newest one and one of the list.  The second is skipped. */
		for (int i = 0; i < r->snapshots; i++) {
			const struct place *p = &r->snapshot[i];
			if (bl_live_newest_step(l) < p->step && bl_unpack(r->bytes + p->at, r->n - p->at, s))
				bl_live_publish(l, s);
		}
		l->commands = false;
	}
	free(s);
	if (rc == 0)
		return l;
	if (l)
		bl_livefile_free(l);
	return NULL;
}

/* --- Rescue ----------------------------------------------------------------------------- */

static bool read_all(struct rescue *r, int fd)
{
	struct stat s;
	if (fstat(fd, &s) != 0 || s.st_size > SEARCHED_MOST)
		return false;
	r->n = (size_t)s.st_size;
	r->bytes = malloc(r->n + 1);
	r->snapshot = calloc(SNAPSHOTS_MOST, sizeof *r->snapshot);
	return r->bytes && r->snapshot && bl_disk_read(fd, 0, r->bytes, r->n);
}

bl_live *bl_rescue(int fd, const struct live_header *h, bool look, const char *path)
{
	struct rescue r = { .records = 0 };
	bl_live *out = NULL;
	if (!read_tables(&r, fd, h, path) || !is_settled(&r, h) ||
	    (look && r.head && r.info_whole && r.state_whole && extents_whole(&r, fd)))
		return NULL;
	if (read_all(&r, fd)) {
		/* The state has the number of columns; without it, all columns with a valid name are read. */
		uint32_t n = r.state_whole && r.state.columns <= BL_COLUMNS_MAX ? r.state.columns : BL_COLUMNS_MAX;
		bl_columns_read(fd, &r.layout.section[SECTION_COLUMNS], (int)n, !r.state_whole, &r.columns);
		if (search(&r) == 0) {
			sort_out(&r);
			out = rebuild(&r, h);
		}
	}
	free(r.bytes);
	free(r.snapshot);
	free(r.record);
	free(r.run);
	return out;
}
