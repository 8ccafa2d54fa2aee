/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * index.c: the index of runs.  No other file uses SQLite.
 *
 * The whole index can be created again from the runs' folders.  If its file is damaged, it is removed and created
 * again.  If that does not help, or if another process keeps the file locked, the index is in memory.
 *
 * A file that was removed may still be open in other processes.  SQLite finds a rollback journal on disk by its name,
 * so the journals of those processes would be applied to the new file.  Therefore journals are in memory.  A file that
 * a killed writer left half written is recognised by its version: under an exclusive lock, a writer sets the version
 * HALF before it writes anything else, and sets VERSION at the end.
 */
#include "base/wall_time.h"
#include "store/cache_folder.h"
#include "store/known.h"
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/index.h>
#include <barlow/parallel.h>
#include <barlow/runs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 3, HALF = 999, BUSY_MS = 2000, STAMP = 96, ROWS_MOST = 100000, TURNS = 2000 };

/* The entry of a run, to find out whether it is still up to date. */
typedef struct entry {
	char *id, *state;
	char stamp[STAMP]; /* of the files that it was read from */
	int64_t run;
	bl_beats beats;
	bool seen;
} entry;

struct bl_index {
	sqlite3 *db;
	char *root;
	char problem[512];
	entry *entry; /* entries sorted by id, while the index is updated */
	int entries, room;
	bool stale; /* a folder differs from the index */
};

static const char schema[] =
	"CREATE TABLE runs(run INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, name TEXT, state TEXT,"
	" reason TEXT, problem TEXT, step INTEGER, steps INTEGER, seed INTEGER, d INTEGER, pid INTEGER, host TEXT, barlow TEXT,"
	" cpu TEXT, blas TEXT, threads INTEGER, created REAL, started REAL, ended REAL, parent TEXT, parent_step INTEGER,"
	" notes TEXT, message TEXT, stamp TEXT, beat INTEGER, beat_since REAL, beat_steady REAL, beat_boot TEXT);"
	"CREATE TABLE metrics(run INTEGER, key TEXT, value REAL, PRIMARY KEY(run, key)) WITHOUT ROWID;"
	"CREATE TABLE recipe(run INTEGER, key TEXT, value, PRIMARY KEY(run, key)) WITHOUT ROWID;"
	"CREATE TABLE tags(run INTEGER, tag TEXT, PRIMARY KEY(run, tag)) WITHOUT ROWID;"
	"CREATE TRIGGER gone AFTER DELETE ON runs BEGIN DELETE FROM metrics WHERE run = old.run;"
	" DELETE FROM recipe WHERE run = old.run; DELETE FROM tags WHERE run = old.run; END;";

/* --- SQLite ------------------------------------------------------------------------------------ */

static int fail(const bl_index *x, const char *what)
{
	return bl_fail("the index of runs: %s: %s", what, sqlite3_errmsg(x->db));
}

static int run_sql(bl_index *x, const char *sql)
{
	return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(x, "it cannot be used");
}

static sqlite3_stmt *prepare(bl_index *x, const char *sql)
{
	sqlite3_stmt *s = NULL;
	if (sqlite3_prepare_v2(x->db, sql, -1, &s, NULL) != SQLITE_OK)
		fail(x, "it cannot be read");
	return s;
}

/* Runs a statement that returns no rows, and resets it for the next use. */
static int finish(bl_index *x, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return rc == SQLITE_DONE ? 0 : fail(x, "it cannot be written");
}

static int single_number(bl_index *x, const char *sql, int64_t *out)
{
	sqlite3_stmt *s = prepare(x, sql);
	int rc = s && sqlite3_step(s) == SQLITE_ROW ? 0 : fail(x, "it cannot be read");
	if (rc == 0)
		*out = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc;
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
	if (text && *text)
		sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_time(sqlite3_stmt *s, int at, double t)
{
	if (t > 0)
		sqlite3_bind_double(s, at, t);
}

static int set_version(bl_index *x, int version)
{
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
	return run_sql(x, sql);
}

/* --- Existing entries ---------------------------------------------------------------------------- */

static void free_entries(bl_index *x)
{
	for (int i = 0; i < x->entries; i++) {
		free(x->entry[i].id);
		free(x->entry[i].state);
	}
	free(x->entry);
	x->entry = NULL;
	x->entries = x->room = 0;
}

static const char *column_text(sqlite3_stmt *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s, i);
	return text ? text : "";
}

static int add_entry(bl_index *x, sqlite3_stmt *s)
{
	if (x->entries == x->room) {
		int room = x->room ? 2 * x->room : 64;
		entry *more = realloc(x->entry, (size_t)room * sizeof *more);
		if (!more)
			return bl_fail("no memory for an index of %d runs", room);
		x->entry = more;
		x->room = room;
	}
	entry *e = &x->entry[x->entries];
	*e = (entry){ .id = strdup(column_text(s, 0)),
		      .state = strdup(column_text(s, 1)),
		      .run = sqlite3_column_int64(s, 3),
		      .beats = { sqlite3_column_int64(s, 4),
		                 { .seconds = sqlite3_column_double(s, 5), .steady = sqlite3_column_double(s, 6) } } };
	snprintf(e->stamp, sizeof e->stamp, "%s", column_text(s, 2));
	snprintf(e->beats.since.boot, sizeof e->beats.since.boot, "%s", column_text(s, 7));
	x->entries++;
	return e->id && e->state ? 0 : bl_fail("no memory for an index of runs");
}

static int read_entries(bl_index *x)
{
	sqlite3_stmt *s =
		prepare(x, "SELECT id, state, stamp, run, beat, beat_since, beat_steady, beat_boot FROM runs ORDER BY id");
	int rc = s ? 0 : -1, step = SQLITE_DONE;
	while (rc == 0 && (step = sqlite3_step(s)) == SQLITE_ROW)
		rc = add_entry(x, s);
	if (rc == 0 && step != SQLITE_DONE)
		rc = fail(x, "it cannot be read");
	sqlite3_finalize(s);
	return rc;
}

static int compare_entry(const void *id, const void *e)
{
	return strcmp(id, ((const entry *)e)->id);
}

/* --- Writing a run ---------------------------------------------------------------------------------- */

/* The prepared statements that write a run. */
typedef struct writers {
	sqlite3_stmt *drop, *run, *metric, *setting, *tag;
} writers;

static const char insert_run[] =
	"INSERT INTO runs(run, id, folder, name, state, reason, problem, step, steps, seed, d, pid, host, barlow, cpu, blas, threads,"
	" created, started, ended, parent, parent_step, notes, message, stamp, beat, beat_since,"
	" beat_steady, beat_boot)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static int open_writers(bl_index *x, writers *w)
{
	if (w->run)
		return 0;
	w->drop = prepare(x, "DELETE FROM runs WHERE id = ?");
	w->run = prepare(x, insert_run);
	w->metric = prepare(x, "INSERT OR REPLACE INTO metrics VALUES(?, ?, ?)");
	w->setting = prepare(x, "INSERT OR REPLACE INTO recipe VALUES(?, ?, ?)");
	w->tag = prepare(x, "INSERT OR REPLACE INTO tags VALUES(?, ?)");
	return w->drop && w->run && w->metric && w->setting && w->tag ? 0 : -1;
}

static int put_facts(bl_index *x, sqlite3_stmt *s, int64_t run, const bl_facts *f)
{
	for (int i = 0; i < f->n; i++) {
		sqlite3_bind_int64(s, 1, run);
		sqlite3_bind_text(s, 2, f->at[i].name, -1, SQLITE_TRANSIENT);
		if (f->at[i].text)
			sqlite3_bind_text(s, 3, f->at[i].text, -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_double(s, 3, f->at[i].number);
		if (finish(x, s) != 0)
			return -1;
	}
	return 0;
}

static void bind_run(sqlite3_stmt *s, const bl_known *k)
{
	const bl_run_file *f = &k->file;
	bind_text(s, 4, f->name);
	bind_text(s, 5, k->state);
	bind_text(s, 6, f->reason);
	bind_text(s, 7, k->problem);
	sqlite3_bind_int64(s, 8, f->step);
	sqlite3_bind_int64(s, 9, f->steps);
	if (f->barlow[0]) /* a run without run.json has no seed */
		sqlite3_bind_int64(s, 10, f->seed);
	sqlite3_bind_int(s, 11, f->d);
	sqlite3_bind_int64(s, 12, f->pid);
	bind_text(s, 13, f->host);
	bind_text(s, 14, f->barlow);
	bind_text(s, 15, f->cpu);
	bind_text(s, 16, f->blas);
	if (f->threads)
		sqlite3_bind_int(s, 17, f->threads);
	bind_time(s, 18, f->created);
	bind_time(s, 19, f->started);
	bind_time(s, 20, f->ended);
	bind_text(s, 21, f->parent);
	if (f->parent[0])
		sqlite3_bind_int64(s, 22, f->parent_step);
	bind_text(s, 23, f->notes);
	bind_text(s, 24, k->message);
}

static int put_run(bl_index *x, writers *w, const bl_known *k, const char *id, const char *folder, const char *stamp, int64_t run)
{
	bind_text(w->drop, 1, id);
	if (finish(x, w->drop) != 0)
		return -1;
	if (run)
		sqlite3_bind_int64(w->run, 1, run);
	bind_text(w->run, 2, id);
	bind_text(w->run, 3, folder);
	bind_run(w->run, k);
	bind_text(w->run, 25, stamp);
	sqlite3_bind_int64(w->run, 26, k->beats.count);
	sqlite3_bind_double(w->run, 27, k->beats.since.seconds);
	sqlite3_bind_double(w->run, 28, k->beats.since.steady);
	bind_text(w->run, 29, k->beats.since.boot);
	if (finish(x, w->run) != 0)
		return -1;
	run = sqlite3_last_insert_rowid(x->db);
	for (int i = 0; i < k->file.tags; i++) {
		sqlite3_bind_int64(w->tag, 1, run);
		bind_text(w->tag, 2, k->file.tag[i]);
		if (finish(x, w->tag) != 0)
			return -1;
	}
	return put_facts(x, w->metric, run, &k->file.metrics) == 0 ? put_facts(x, w->setting, run, &k->file.recipe) : -1;
}

/* --- Updating ---------------------------------------------------------------------------------------- */

static void stamp_of(char out[STAMP], int root, const char *id)
{
	static const char *const files[] = { BL_RUN_FILE, BL_RUN_LIVE };
	struct stat s;
	snprintf(out, STAMP, "nothing");
	for (int i = 0; i < 2; i++) {
		char name[512];
		if (snprintf(name, sizeof name, "%s/%s", id, files[i]) >= (int)sizeof name)
			return;
		if (fstatat(root, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		snprintf(out, STAMP, "%d %lld.%09ld %lld %llu", i, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec,
		         (long long)s.st_size, (unsigned long long)s.st_ino);
		return;
	}
}

static int update_run(bl_index *x, writers *w, int root, const char *id)
{
	char stamp[STAMP], *folder;
	bl_known *k;
	entry *e = x->entries ? bsearch(id, x->entry, (size_t)x->entries, sizeof *x->entry, compare_entry) : NULL;
	if (e)
		e->seen = true;
	stamp_of(stamp, root, id);
	if (e && strcmp(e->stamp, stamp) == 0 && !bl_known_going(e->state))
		return 0; /* a run that is over changes only with its file; others are read each time */
	x->stale = true;
	if (!w)
		return 0;
	folder = bl_runs_path(x->root, id);
	k = folder ? malloc(sizeof *k) : NULL;
	if (!k) {
		free(folder);
		return bl_fail("no memory for a run");
	}
	bl_clock now = bl_clock_now();
	bl_known_read(k, folder, id, e ? &e->beats : NULL, &now);
	int rc = open_writers(x, w) != 0 ? -1 : put_run(x, w, k, id, folder, stamp, e ? e->run : 0);
	bl_known_free(k);
	free(k);
	free(folder);
	return rc;
}

static int drop_gone(bl_index *x, writers *w)
{
	for (int i = 0; i < x->entries; i++) {
		if (x->entry[i].seen)
			continue;
		x->stale = true;
		if (!w)
			return 0;
		if (open_writers(x, w) != 0)
			return -1;
		bind_text(w->drop, 1, x->entry[i].id);
		if (finish(x, w->drop) != 0)
			return -1;
	}
	return 0;
}

static int update_all(bl_index *x, writers *w)
{
	DIR *d = opendir(x->root);
	int rc = 0;
	if (!d && errno != ENOENT)
		return bl_fail("%s: %s", x->root, strerror(errno));
	for (struct dirent *e; d && rc == 0 && (e = readdir(d));)
		if (bl_runs_is_folder(d, e))
			rc = update_run(x, w, dirfd(d), e->d_name);
	if (d)
		closedir(d);
	return rc == 0 ? drop_gone(x, w) : rc;
}

/* Compares all folders with the index, sets x->stale if they differ, and writes the differences unless w is NULL. */
static int compare_all(bl_index *x, writers *w)
{
	int rc = read_entries(x);
	if (rc == 0)
		rc = update_all(x, w);
	free_entries(x);
	return rc;
}

static int write_all(bl_index *x)
{
	writers w = { NULL };
	int rc = run_sql(x, "BEGIN") == 0 ? compare_all(x, &w) : -1;
	sqlite3_finalize(w.drop);
	sqlite3_finalize(w.run);
	sqlite3_finalize(w.metric);
	sqlite3_finalize(w.setting);
	sqlite3_finalize(w.tag);
	if (rc != 0) {
		sqlite3_exec(x->db, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	return run_sql(x, "COMMIT");
}

/* Another process may have written the differences while this one waited for the lock: everything is compared again. */
static int write_alone(bl_index *x)
{
	int64_t version;
	int rc = run_sql(x, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
	if (rc == 0)
		rc = single_number(x, "PRAGMA user_version", &version);
	if (rc == 0 && version != VERSION)
		rc = bl_fail("the index of runs was left half written");
	if (rc == 0)
		rc = set_version(x, HALF) == 0 && write_all(x) == 0 ? set_version(x, VERSION) : -1;
	/* SQLite releases an exclusive lock at the first access after the mode has changed, hence the SELECT. */
	return rc == 0 ? run_sql(x, "PRAGMA locking_mode = NORMAL; SELECT 1 FROM runs LIMIT 1") : rc;
}

/* --- The file ------------------------------------------------------------------------------------------ */

/* FNV-1a of the path of the folder of runs: each such folder has its own index. */
static uint64_t hash_of(const char *root)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *root; root++)
		h = (h ^ (unsigned char)*root) * UINT64_C(0x100000001b3);
	return h;
}

/*
 * Links in the path of the folder are resolved, because SQLITE_OPEN_NOFOLLOW refuses all links.  The file itself must
 * not be a link.
 */
char *bl_index_path(const char *root)
{
	char name[64], *whole = realpath(root, NULL), *folder = bl_cache_folder("an index of runs");
	char *there = folder ? realpath(folder, NULL) : NULL;
	snprintf(name, sizeof name, "runs-%016" PRIx64 ".sqlite", hash_of(whole ? whole : root));
	char *path = folder ? bl_runs_path(there ? there : folder, name) : NULL;
	free(there);
	free(folder);
	free(whole);
	return path;
}

static int check_pages(bl_index *x)
{
	sqlite3_stmt *s = prepare(x, "PRAGMA quick_check(1)");
	int rc = s && sqlite3_step(s) == SQLITE_ROW ? 0 : fail(x, "it cannot be read");
	if (rc == 0 && strcmp(column_text(s, 0), "ok") != 0)
		rc = bl_fail("the index of runs is broken: %s", column_text(s, 0));
	sqlite3_finalize(s);
	return rc;
}

/* Creates the tables in an empty file; a file of another version is refused. */
static int make_tables(bl_index *x)
{
	int64_t version, tables;
	if (single_number(x, "PRAGMA user_version", &version) != 0 ||
	    single_number(x, "SELECT count(*) FROM sqlite_schema", &tables) != 0)
		return -1;
	if (version == VERSION)
		return 0;
	if (version == HALF)
		return bl_fail("the index of runs was left half written");
	if (tables > 0 || version != 0)
		return bl_fail("the index of runs has the format of version %lld", (long long)version);
	if (run_sql(x, "BEGIN IMMEDIATE") != 0)
		return -1;
	if (single_number(x, "PRAGMA user_version", &version) == 0 && version == VERSION) /* another process was faster */
		return run_sql(x, "COMMIT");
	if (run_sql(x, schema) == 0 && set_version(x, VERSION) == 0)
		return run_sql(x, "COMMIT");
	sqlite3_exec(x->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int open_file(bl_index *x, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW;
	if (sqlite3_open_v2(path, &x->db, flags, NULL) != SQLITE_OK)
		return fail(x, path);
	sqlite3_busy_timeout(x->db, BUSY_MS);
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(x->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Not synchronous: a file that a crash of the machine damaged is created again. */
	if (run_sql(x,
	            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; "
	            "PRAGMA cache_size = -16000") != 0)
		return -1;
	x->stale = false;
	if (make_tables(x) != 0 || check_pages(x) != 0 || compare_all(x, NULL) != 0)
		return -1;
	return x->stale ? write_alone(x) : 0;
}

/* Is the file damaged, so that a new file may help?  If it is locked or cannot be written, a new one does not help. */
static bool is_spoilt(const bl_index *x)
{
	int code = x->db ? sqlite3_errcode(x->db) : SQLITE_OK;
	return code != SQLITE_BUSY && code != SQLITE_LOCKED && code != SQLITE_READONLY && code != SQLITE_CANTOPEN &&
	       code != SQLITE_FULL && code != SQLITE_NOMEM && code != SQLITE_PERM;
}

static int open_cached(bl_index *x)
{
	char journal[4096], *folder = bl_cache_folder("an index of runs");
	char *path = folder && bl_file_make_folder(folder) == 0 ? bl_index_path(x->root) : NULL;
	int rc = path ? 0 : -1;
	for (int turn = 0; rc == 0 && turn < 2; turn++) {
		if (open_file(x, path) == 0)
			break;
		bool again = turn == 0 && is_spoilt(x);
		sqlite3_close(x->db);
		x->db = NULL;
		if (!again) {
			rc = -1;
			break;
		}
		unlink(path);
		if (snprintf(journal, sizeof journal, "%s-journal", path) < (int)sizeof journal)
			unlink(journal);
	}
	free(folder);
	free(path);
	return rc == 0 && x->db ? 0 : -1;
}

bl_index *bl_index_open(const char *root)
{
	bl_index *x = calloc(1, sizeof *x);
	if (x)
		x->root = strdup(root);
	if (!x || !x->root) {
		free(x);
		return bl_fail_null("no memory for an index of runs");
	}
	if (open_cached(x) == 0)
		return x;
	snprintf(x->problem, sizeof x->problem, "%s", bl_error());
	if (open_file(x, ":memory:") == 0)
		return x;
	bl_index_close(x);
	return NULL;
}

void bl_index_close(bl_index *x)
{
	if (!x)
		return;
	sqlite3_close(x->db);
	free_entries(x);
	free(x->root);
	free(x);
}

const char *bl_index_problem(const bl_index *x)
{
	return x->problem;
}

/* --- Queries ----------------------------------------------------------------------------------------------- */

/* A query may only read the tables and call functions without side effects. */
static int authorize(void *unused, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)unused, (void)c, (void)d;
	if (action == SQLITE_FUNCTION)
		return b && strcmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
	if (action == SQLITE_READ) /* table-valued functions named pragma_* may not be read, those of JSON may */
		return a && strncmp(a, "pragma_", 7) == 0 ? SQLITE_DENY : SQLITE_OK;
	return action == SQLITE_SELECT || action == SQLITE_RECURSIVE ? SQLITE_OK : SQLITE_DENY;
}

typedef struct patience {
	double until;
	volatile int *stop;
} patience;

static int is_enough(void *ctx)
{
	const patience *p = ctx;
	return bl_now() > p->until || (p->stop && *p->stop);
}

static void set_limits(sqlite3 *db)
{
	static const struct {
		int what, most;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, 10 << 20 }, { SQLITE_LIMIT_SQL_LENGTH, 1 << 16 }, { SQLITE_LIMIT_COLUMN, 256 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 200 },  { SQLITE_LIMIT_COMPOUND_SELECT, 50 }, { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000 },
		{ SQLITE_LIMIT_ATTACHED, 0 },      { SQLITE_LIMIT_FUNCTION_ARG, 100 },
	};
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		sqlite3_limit(db, limits[i].what, limits[i].most);
}

static void bind_cell(sqlite3_stmt *s, int at, const bl_cell *c)
{
	switch (c->kind) {
	case BL_CELL_NOTHING: return;
	case BL_CELL_NUMBER: sqlite3_bind_double(s, at, c->number); return;
	case BL_CELL_WHOLE: sqlite3_bind_int64(s, at, c->whole); return;
	case BL_CELL_TEXT: sqlite3_bind_text(s, at, c->text, -1, SQLITE_TRANSIENT); return;
	}
}

static bl_cell read_cell(sqlite3_stmt *s, int i)
{
	switch (sqlite3_column_type(s, i)) {
	case SQLITE_NULL: return (bl_cell){ .kind = BL_CELL_NOTHING };
	case SQLITE_FLOAT: return (bl_cell){ .kind = BL_CELL_NUMBER, .number = sqlite3_column_double(s, i) };
	case SQLITE_INTEGER: return (bl_cell){ .kind = BL_CELL_WHOLE, .whole = sqlite3_column_int64(s, i) };
	default: return (bl_cell){ .kind = BL_CELL_TEXT, .text = column_text(s, i) };
	}
}

static int give_rows(bl_index *x, sqlite3_stmt *s, const bl_query *q)
{
	int n = sqlite3_column_count(s), step = SQLITE_DONE;
	bl_cell *cell = calloc((size_t)n + 1, sizeof *cell);
	for (int i = 0; cell && i < n; i++)
		cell[i] = (bl_cell){ .kind = BL_CELL_TEXT, .text = sqlite3_column_name(s, i) };
	int rc = cell ? q->row(q->ctx, -1, n, cell) : bl_fail("no memory for a row of %d", n);
	for (int64_t row = 0; rc == 0 && (step = sqlite3_step(s)) == SQLITE_ROW; row++) {
		for (int i = 0; i < n; i++)
			cell[i] = read_cell(s, i);
		rc = row == ROWS_MOST ? bl_fail("the result has more than %d rows: limit it, for example with LIMIT", ROWS_MOST)
		                      : q->row(q->ctx, row, n, cell);
	}
	free(cell);
	if (rc == 0 && step == SQLITE_INTERRUPT)
		return bl_fail("the query took more than %g s, or was interrupted", q->seconds > 0 ? q->seconds : 5);
	return rc == 0 && step != SQLITE_DONE ? bl_fail("%s", sqlite3_errmsg(x->db)) : rc;
}

static int ask(bl_index *x, const bl_query *q)
{
	sqlite3_stmt *s = NULL;
	const char *rest = NULL;
	if (sqlite3_prepare_v2(x->db, q->sql, -1, &s, &rest) != SQLITE_OK)
		return bl_fail("%s%s", sqlite3_errmsg(x->db),
		               sqlite3_errcode(x->db) == SQLITE_AUTH ? ": a query may only read" : "");
	if (!s)
		return bl_fail("the query is empty");
	int rc = rest[strspn(rest, " \t\r\n;")] ? bl_fail("one statement at a time: what follows the first is '%.40s'", rest) : 0;
	if (rc == 0 && !sqlite3_stmt_readonly(s))
		rc = bl_fail("a query may only read");
	if (rc == 0 && q->values != sqlite3_bind_parameter_count(s))
		rc = bl_fail("the query has %d parameters, but %d values were given", sqlite3_bind_parameter_count(s), q->values);
	for (int i = 0; rc == 0 && i < q->values; i++)
		bind_cell(s, i + 1, &q->value[i]);
	if (rc == 0)
		rc = give_rows(x, s, q);
	sqlite3_finalize(s);
	return rc;
}

int bl_index_query(bl_index *x, const bl_query *q)
{
	patience p = { bl_now() + (q->seconds > 0 ? q->seconds : 5), q->stop };
	set_limits(x->db);
	sqlite3_set_authorizer(x->db, authorize, NULL);
	sqlite3_progress_handler(x->db, TURNS, is_enough, &p);
	int rc = ask(x, q);
	sqlite3_progress_handler(x->db, 0, NULL, NULL);
	sqlite3_set_authorizer(x->db, NULL, NULL);
	return rc;
}
