/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * records.c: the records of a run and their columns.
 *
 * Records are stored in extents.  The rows of an extent have the columns that existed when it began.  A new column
 * begins a new extent; earlier records have NaN in it.
 */
#include "live/livefile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXTENT_LEAST = 1024 };

static size_t row_words(int columns)
{
	return 2 + (size_t)columns;
}

/* --- Rows ------------------------------------------------------------------------ */

static void pack_row(const bl_record *r, int columns, double *row)
{
	memcpy(row, &r->step, 8);
	memcpy(row + 1, r->value, (size_t)columns * 8);
	uint64_t check = bl_disk_check((uint64_t)columns, row, (1 + (size_t)columns) * 8);
	memcpy(row + 1 + columns, &check, 8);
}

/* False: the row is not a record, or was written incompletely. */
bool bl_row_unpack(const double *row, int columns, bl_record *out)
{
	uint64_t check;
	memcpy(&check, row + 1 + columns, 8);
	if (check != bl_disk_check((uint64_t)columns, row, (1 + (size_t)columns) * 8))
		return false;
	memcpy(&out->step, row, 8);
	memcpy(out->value, row + 1, (size_t)columns * 8);
	for (int i = columns; i < BL_COLUMNS_MAX; i++)
		out->value[i] = NAN;
	return out->step > 0;
}

/* --- The trainer's side ------------------------------------------------------------ */

static struct live_extent extent_of(const bl_live *l, int i)
{
	const struct memory_extent *m = &l->writer->extent[i];
	struct live_extent e = { m->first, m->room, m->at, (uint64_t)m->columns, 0 };
	e.check = bl_disk_check((uint64_t)i, &e, offsetof(struct live_extent, check));
	return e;
}

static void write_extent(bl_live *l, int i)
{
	struct live_extent e = extent_of(l, i);
	bl_writer_put(l, l->section[SECTION_EXTENTS].at + (size_t)i * sizeof e, &e, sizeof e);
}

/*
 * Extents grow with the number of records, so a run that is stopped early has a small file.  Their room never exceeds
 * the steps that remain.
 */
static int begin_extent(bl_live *l)
{
	struct live_writer *w = l->writer;
	int64_t left = l->capacity - w->written, room = w->written / 2 > EXTENT_LEAST ? w->written / 2 : EXTENT_LEAST;
	if (w->extents == LIVE_EXTENTS_MAX)
		return bl_fail("live: no room for more records: the columns have changed too often");
	struct memory_extent *m = &w->extent[w->extents];
	*m = (struct memory_extent){ .first = w->written, .room = room < left ? room : left, .columns = w->columns.n };
	size_t bytes = (size_t)m->room * row_words(m->columns) * 8;
	m->rows = malloc(bytes);
	if (!m->rows)
		return bl_fail("live: no memory for %lld records", (long long)m->room);
	m->at = bl_writer_room(l, bytes);
	write_extent(l, w->extents++);
	return 0;
}

static int add(bl_live *l, const bl_record *r)
{
	struct live_writer *w = l->writer;
	if (w->written >= l->capacity)
		return bl_fail("live: no room for another record: the run has only %lld steps", (long long)l->capacity);
	struct memory_extent *m = w->extents ? &w->extent[w->extents - 1] : NULL;
	if ((!m || m->n == m->room || m->columns != w->columns.n) && begin_extent(l) != 0)
		return -1;
	m = &w->extent[w->extents - 1];
	size_t words = row_words(m->columns), at = (size_t)m->n * words;
	pack_row(r, m->columns, m->rows + at);
	m->n++;
	w->written++;
	bl_writer_put(l, m->at + at * 8, m->rows + at, words * 8);
	bl_writer_state(l);
	return 0;
}

int bl_live_add(bl_live *l, const bl_record *r)
{
	if (!l->writer)
		return bl_fail("live: this handle is a reader's");
	pthread_mutex_lock(&l->lock);
	int rc = add(l, r);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

static void write_column(bl_live *l, int place)
{
	bl_writer_put(l, l->section[SECTION_COLUMNS].at + (size_t)place * sizeof(bl_column), &l->writer->columns.column[place],
	              sizeof(bl_column));
}

int bl_live_column(bl_live *l, const bl_column *column)
{
	if (!l->writer)
		return bl_fail("live: this handle is a reader's");
	pthread_mutex_lock(&l->lock);
	int place = bl_columns_add(&l->writer->columns, column);
	if (place >= 0) {
		write_column(l, place);
		bl_writer_state(l);
	}
	pthread_mutex_unlock(&l->lock);
	return place;
}

void bl_records_write(bl_live *l)
{
	struct live_writer *w = l->writer;
	for (int i = 0; i < w->columns.n; i++)
		write_column(l, i);
	for (int i = 0; i < w->extents; i++) {
		struct memory_extent *m = &w->extent[i];
		size_t row = row_words(m->columns) * 8;
		m->at = bl_writer_room(l, (size_t)(i == w->extents - 1 ? m->room : m->n) * row);
		bl_writer_put(l, m->at, m->rows, (size_t)m->n * row);
		write_extent(l, i);
	}
}

/* Does the file have the same rows as memory, for records from..from+n-1? */
static bool rows_whole(const bl_live *l, int64_t from, int64_t n)
{
	const struct live_writer *w = l->writer;
	for (int i = 0; i < w->extents; i++) {
		const struct memory_extent *m = &w->extent[i];
		int64_t first = from > m->first ? from - m->first : 0, end = from + n - m->first;
		size_t words = row_words(m->columns);
		end = end < m->n ? end : m->n;
		if (first < end && !bl_writer_has(l, m->at + (size_t)first * words * 8, m->rows + (size_t)first * words,
		                                  (size_t)(end - first) * words * 8))
			return false;
	}
	return true;
}

bool bl_records_whole(bl_live *l)
{
	enum { ROWS = 8192 };
	struct live_writer *w = l->writer;
	int64_t from = w->checked < w->written ? w->checked : 0;
	w->checked = from + ROWS;
	for (int i = 0; i < w->extents; i++) {
		struct live_extent e = extent_of(l, i);
		if (!bl_writer_has(l, l->section[SECTION_EXTENTS].at + (size_t)i * sizeof e, &e, sizeof e))
			return false;
	}
	return bl_writer_has(l, l->section[SECTION_COLUMNS].at, w->columns.column, (size_t)w->columns.n * sizeof(bl_column)) &&
	       rows_whole(l, from, ROWS);
}

void bl_records_free(struct live_writer *w)
{
	for (int i = 0; i < w->extents; i++)
		free(w->extent[i].rows);
}

static bool in_memory(const struct live_writer *w, int64_t i, bl_record *out)
{
	int k = w->extents - 1;
	if (i >= w->written)
		return false;
	while (i < w->extent[k].first)
		k--;
	const struct memory_extent *m = &w->extent[k];
	return bl_row_unpack(m->rows + (size_t)(i - m->first) * row_words(m->columns), m->columns, out);
}

/* --- The reader's side ---------------------------------------------------------------- */

static bool read_state(const bl_live *l, struct live_state *s)
{
	return bl_disk_newest(l->fd, &l->section[SECTION_STATE], s, sizeof *s);
}

/* A count that exceeds the size of the file is limited to it. */
static int64_t length_in_file(const bl_live *l)
{
	struct live_state s;
	struct stat f;
	if (!read_state(l, &s) || fstat(l->fd, &f) != 0)
		return 0;
	uint64_t most = (uint64_t)f.st_size / (row_words(0) * 8);
	if (most > (uint64_t)l->capacity)
		most = (uint64_t)l->capacity;
	return (int64_t)(s.records < most ? s.records : most);
}

int64_t bl_live_length(const bl_live *l)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer)
		return length_in_file(l);
	pthread_mutex_lock(lock);
	int64_t n = l->writer->written;
	pthread_mutex_unlock(lock);
	return n;
}

bool bl_extent_sane(const struct live_extent *e, uint64_t place)
{
	return e->check == bl_disk_check(place, e, offsetof(struct live_extent, check)) && e->columns <= BL_COLUMNS_MAX &&
	       e->first >= 0 && e->room > 0 && e->room <= LIVE_CAPACITY_MAX && e->first <= LIVE_CAPACITY_MAX &&
	       e->at < (UINT64_C(1) << 48);
}

/*
 * Finds the extent that contains record i; *end becomes the number of the first record behind it.  False: there is
 * none.
 */
static bool find_extent(const bl_live *l, int64_t i, struct live_extent *out, int64_t *end)
{
	struct live_extent all[LIVE_EXTENTS_MAX];
	struct live_state s;
	bool found = false;
	if (!read_state(l, &s) || s.extents > LIVE_EXTENTS_MAX ||
	    !bl_disk_read(l->fd, l->section[SECTION_EXTENTS].at, all, s.extents * sizeof all[0]))
		return false;
	*end = length_in_file(l);
	for (uint32_t k = 0; k < s.extents && bl_extent_sane(&all[k], k); k++) {
		if (all[k].first > i) {
			*end = all[k].first < *end ? all[k].first : *end;
			break;
		}
		*out = all[k];
		found = true;
	}
	if (found && *end > out->first + out->room)
		*end = out->first + out->room;
	return found && i < *end;
}

/* Fills the cache with a sequence of records that contains record i. */
static bool cache_fill(const bl_live *l, int64_t i)
{
	struct live_cache *c = l->cache;
	struct live_extent e;
	int64_t end;
	c->n = 0;
	if (!find_extent(l, i, &e, &end))
		return false;
	size_t row = row_words((int)e.columns) * 8;
	int64_t from = i - (i - e.first) % LIVE_CACHE, n = end - from < LIVE_CACHE ? end - from : LIVE_CACHE;
	bool all = bl_disk_read(l->fd, e.at + (uint64_t)(from - e.first) * row, c->rows, (size_t)n * row);
	if (!all && !bl_disk_read(l->fd, e.at + (uint64_t)(i - e.first) * row, c->rows, row))
		return false; /* the file ends before record i */
	c->from = all ? from : i;
	c->n = all ? n : 1;
	c->columns = (int)e.columns;
	return true;
}

static bool in_file(const bl_live *l, int64_t i, bl_record *out)
{
	struct live_cache *c = l->cache;
	if ((i < c->from || i - c->from >= c->n) && !cache_fill(l, i))
		return false;
	if (bl_row_unpack(c->rows + (size_t)(i - c->from) * row_words(c->columns), c->columns, out))
		return true;
	c->n = 0; /* the row was incomplete when it was read, or the file was rewritten */
	return cache_fill(l, i) && bl_row_unpack(c->rows + (size_t)(i - c->from) * row_words(c->columns), c->columns, out);
}

bool bl_live_record(const bl_live *l, int64_t i, bl_record *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (i < 0 || i >= l->capacity)
		return false;
	pthread_mutex_lock(lock);
	bool there = l->writer ? in_memory(l->writer, i, out) : in_file(l, i, out);
	pthread_mutex_unlock(lock);
	return there;
}

int bl_live_columns_count(const bl_live *l)
{
	struct live_state s;
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer)
		return read_state(l, &s) && s.columns <= BL_COLUMNS_MAX ? (int)s.columns : 0;
	pthread_mutex_lock(lock);
	int n = l->writer->columns.n;
	pthread_mutex_unlock(lock);
	return n;
}

/* A column whose description is damaged keeps its index, with another name. */
void bl_columns_read(int fd, const struct live_section *s, int n, bool named, bl_columns *out)
{
	bl_column all[BL_COLUMNS_MAX];
	out->n = 0;
	if (!bl_disk_read(fd, s->at, all, (size_t)n * sizeof all[0]))
		return;
	for (int i = 0; i < n; i++) {
		bl_column_clean(&all[i]);
		if (bl_columns_add(out, &all[i]) >= 0)
			continue;
		if (named)
			return;
		bl_column unknown = { .kind = BL_COLUMN_MEASURE };
		snprintf(unknown.name, sizeof unknown.name, "column.%d", i + 1);
		if (bl_columns_add(out, &unknown) < 0)
			return;
	}
}

void bl_live_columns(const bl_live *l, bl_columns *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	if (!l->writer) {
		bl_columns_read(l->fd, &l->section[SECTION_COLUMNS], bl_live_columns_count(l), false, out);
		return;
	}
	pthread_mutex_lock(lock);
	*out = l->writer->columns;
	pthread_mutex_unlock(lock);
}
