/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_index.c: making the index of runs from folders, updating it, making it again, queries, refused queries; and detection of
 * dead runs.
 */
#include "support.h"

#include "store/known.h"

#include <barlow/error.h>
#include <barlow/index.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[512], root[600];

static int begin(void **state)
{
	char command[2400];
	(void)state;
	snprintf(scratch, sizeof scratch, "%s", support_scratch("index"));
	snprintf(root, sizeof root, "%s/barlow/runs", scratch);
	snprintf(command, sizeof command, "rm -rf '%s' && mkdir -p '%s' '%s/cache'", scratch, root, scratch);
	char cache[600];
	snprintf(cache, sizeof cache, "%s/cache", scratch);
	return setenv("XDG_DATA_HOME", scratch, 1) || setenv("XDG_CACHE_HOME", cache, 1) || system(command);
}

static char *folder_of(const char *id)
{
	static char path[700];
	snprintf(path, sizeof path, "%s/%s", root, id);
	return path;
}

static bl_run_file a_run(const char *state, double knn)
{
	bl_run_file f = { .barlow = "0.2.0", .step = 5, .steps = 5, .created = 100, .host = "elsewhere", .beat = 1 };
	snprintf(f.state, sizeof f.state, "%s", state);
	assert_int_equal(bl_facts_set(&f.metrics, "knn", knn, NULL), 0);
	assert_int_equal(bl_facts_set(&f.recipe, "loss.lambda", .02, NULL), 0);
	assert_int_equal(bl_facts_set(&f.recipe, "encoder", 0, "nn.cnn"), 0);
	return f;
}

static void put(const char *id, bl_run_file f)
{
	snprintf(f.name, sizeof f.name, "%s", id);
	mkdir(folder_of(id), 0700);
	assert_int_equal(bl_run_file_write(folder_of(id), &f), 0);
	bl_run_file_free(&f);
}

/* --- Queries ------------------------------------------------------------------------------ */

/* All cells, separated by blanks, and "; " between rows. */
static int add_row(void *ctx, int64_t row, int n, const bl_cell *cell)
{
	char *out = ctx;
	for (int i = 0; row >= 0 && i < n; i++) {
		char *at = out + strlen(out);
		const char *before = i ? " " : row ? "; " : "";
		if (cell[i].kind == BL_CELL_TEXT)
			sprintf(at, "%s%s", before, cell[i].text);
		else if (cell[i].kind == BL_CELL_WHOLE)
			sprintf(at, "%s%lld", before, (long long)cell[i].whole);
		else
			sprintf(at, cell[i].kind == BL_CELL_NUMBER ? "%s%g" : "%s-", before, cell[i].number);
	}
	return 0;
}

static const char *answer(const char *sql)
{
	static char out[4096];
	bl_index *x = bl_index_open(root);
	assert_non_null(x);
	out[0] = '\0';
	bl_query q = { .sql = sql, .row = add_row, .ctx = out };
	if (bl_index_query(x, &q) != 0)
		fail_msg("%s: %s", sql, bl_error());
	bl_index_close(x);
	return out;
}

static const char *in_memory(void)
{
	static char out[600];
	bl_index *x = bl_index_open(root);
	assert_non_null(x);
	snprintf(out, sizeof out, "%s", bl_index_problem(x));
	bl_index_close(x);
	return out;
}

#define STATES "SELECT id, state FROM runs ORDER BY id"

static void the_index_follows_the_folders(void **state)
{
	char command[1600];
	(void)state;
	assert_string_equal(answer(STATES), "");
	put("a", a_run("done", .5));
	put("b", a_run("failed", .25));
	assert_string_equal(answer(STATES), "a done; b failed");
	assert_string_equal(in_memory(), "");
	assert_string_equal(answer("SELECT id, key, value FROM metrics JOIN runs USING(run) ORDER BY id"), "a knn 0.5; b knn 0.25");
	assert_string_equal(answer("SELECT key, value FROM recipe JOIN runs USING(run) WHERE id = 'a' ORDER BY key"),
	                    "encoder nn.cnn; loss.lambda 0.02");
	bl_run_file f = a_run("stopped", .75);
	bl_run_file_tag(&f, "good", true);
	put("a", f);
	assert_string_equal(answer(STATES), "a stopped; b failed");
	assert_string_equal(answer("SELECT r.id, m.value, t.tag FROM runs r JOIN metrics m USING(run) JOIN tags t USING(run)"),
	                    "a 0.75 good");
	snprintf(command, sizeof command, "cd '%s' && rm -r b && mkdir c", root);
	assert_int_equal(system(command), 0);
	assert_string_equal(answer(STATES), "a stopped; c broken");
	assert_string_equal(answer("SELECT count(*) FROM metrics"), "1");
}

static void a_hostile_file_is_named(void **state)
{
	char path[900];
	(void)state;
	put("a", a_run("done", .5));
	snprintf(path, sizeof path, "%s/run.json", folder_of("a"));
	const char *hostile = "{\"format\": 1, \"state\": \"done\", \"step\": \"'; DROP TABLE runs; --\"}";
	support_write(path, hostile, strlen(hostile));
	assert_non_null(strstr(answer("SELECT problem FROM runs"), "'step': expected a whole number"));
	assert_string_equal(answer(STATES), "a broken");
	bl_run_file f = a_run("done", .5);
	snprintf(f.notes, sizeof f.notes, "'); DELETE FROM runs; --\x1b[31m");
	put("a'); DROP TABLE runs; --", f);
	assert_string_equal(answer("SELECT count(*) FROM runs"), "2");
	assert_non_null(strstr(answer("SELECT notes FROM runs WHERE state = 'done'"), "DELETE FROM"));
}

/* --- The file of the index --------------------------------------------------------------------------------- */

static void a_damaged_index_is_made_again(void **state)
{
	struct stat s;
	(void)state;
	put("a", a_run("done", .5));
	char *path = bl_index_path(root);
	assert_non_null(path);
	assert_string_equal(answer(STATES), "a done");
	assert_int_equal(stat(path, &s), 0);
	for (int turn = 0; turn < 7; turn++) {
		static const char half[] = "\0\0\3\347"; /* version 999, as if a writer had been killed */
		static const char noise[] = "this is no data base";
		FILE *f = turn > 1 ? fopen(path, "r+b") : NULL;
		if (turn == 0)
			assert_int_equal(unlink(path), 0);
		else if (turn == 1)
			support_write(path, noise, sizeof noise);
		else if (turn == 2)
			assert_int_equal(ftruncate(fileno(f), s.st_size / 2), 0);
		else
			for (long at = turn == 3 ? 4096 : turn == 4 ? 100 : 60; at < s.st_size; at += turn >= 5 ? s.st_size : 512) {
				fseek(f, at, SEEK_SET);
				fwrite(turn == 6 ? half : noise, 1, turn >= 5 ? 4 : sizeof noise, f); /* byte 60 is the version */
			}
		if (f)
			fclose(f);
		assert_string_equal(answer(STATES), "a done");
		assert_string_equal(answer("SELECT value FROM metrics"), "0.5");
		assert_string_equal(in_memory(), "");
	}
	free(path);
}

static void the_index_is_in_memory_if_it_cannot_be_written(void **state)
{
	char cache[600];
	(void)state;
	put("a", a_run("done", .5));
	snprintf(cache, sizeof cache, "%s/file", scratch);
	support_write(cache, "", 0);
	setenv("XDG_CACHE_HOME", cache, 1);
	assert_string_equal(answer(STATES), "a done");
	assert_non_null(strstr(in_memory(), "Not a directory"));
	setenv("XDG_CACHE_HOME", scratch, 1);
	char *path = bl_index_path(root);
	snprintf(cache, sizeof cache, "%s/barlow", scratch);
	mkdir(cache, 0700);
	snprintf(cache, sizeof cache, "%s/victim", scratch);
	assert_int_equal(symlink(cache, path), 0);
	assert_string_equal(answer(STATES), "a done");
	assert_true(in_memory()[0] != '\0');
	assert_int_equal(access(cache, F_OK), -1); /* a symbolic link is not followed */
	free(path);
}

enum { READERS = 6, TURNS = 20 };

/* Folders appear and disappear while several processes read, and one of them removes the index from time to time. */
static void concurrent_processes_are_safe(void **state)
{
	int status, failed = 0;
	(void)state;
	for (int i = 0; i < 20; i++) {
		char id[16];
		snprintf(id, sizeof id, "r%02d", i);
		put(id, a_run("done", i));
	}
	for (int who = 0; who < READERS; who++)
		if (fork() == 0) {
			char *path = bl_index_path(root);
			for (int k = 0; k < TURNS; k++) {
				char id[32];
				snprintf(id, sizeof id, "own%d", who);
				put(id, a_run("done", k));
				if (who == 0)
					unlink(path);
				if (strcmp(answer("SELECT count(*) FROM runs WHERE id LIKE 'r%'"), "20") != 0)
					_exit(1);
			}
			_exit(0);
		}
	for (int i = 0; i < READERS; i++)
		failed += wait(&status) < 0 || status != 0;
	assert_int_equal(failed, 0);
	assert_string_equal(answer("SELECT count(*) FROM runs"), "26");
	assert_string_equal(answer("SELECT sum(value) FROM metrics WHERE run IN (SELECT run FROM runs WHERE id LIKE 'own%')"),
	                    "114");
}

/* --- Refused queries ------------------------------------------------------------------ */

static void queries_only_read(void **state)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{ "DELETE FROM runs", "not authorized" },
		{ "PRAGMA user_version", "not authorized" },
		{ "ATTACH 'mark' AS m", "not authorized" },
		{ "CREATE TABLE t(x)", "not authorized" },
		{ "CREATE TEMP TABLE t(x)", "not authorized" },
		{ "UPDATE runs SET id = 1", "not authorized" },
		{ "DROP TABLE runs", "not authorized" },
		{ "VACUUM INTO 'mark'", "may only read" },
		{ "SELECT * FROM pragma_table_info('runs')", "not authorized" },
		{ "BEGIN", "not authorized" },
		{ "SELECT load_extension('mark')", "not authorized" },
		{ "SELECT 1; SELECT 2", "one statement" },
		{ "SELECT 1; DELETE FROM runs", "one statement" },
		{ "", "the query is empty" },
		{ "SELECT ?1", "1 parameters" },
		{ "SELECT zeroblob(999999999)", "too big" },
		{ "SELEC", "syntax error" },
		{ "SELECT x FROM runs", "no such column" },
		{ "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT max(x) FROM a", "took more than" },
	};
	(void)state;
	put("a", a_run("done", .5));
	bl_index *x = bl_index_open(root);
	assert_non_null(x);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char out[4096] = "";
		bl_query q = { .sql = cases[i].sql, .row = add_row, .ctx = out, .seconds = .2 };
		if (bl_index_query(x, &q) >= 0)
			fail_msg("this was answered: %s", cases[i].sql);
		assert_error(cases[i].says);
	}
	bl_index_close(x);
	assert_string_equal(answer(STATES), "a done");
	assert_int_equal(access("mark", F_OK), -1);
}

static int count_row(void *ctx, int64_t row, int n, const bl_cell *cell)
{
	(void)n, (void)cell;
	*(int64_t *)ctx = row;
	return row == 5 ? 7 : 0;
}

static void long_results_are_truncated(void **state)
{
	int64_t last = -2;
	volatile int stop = 1;
	(void)state;
	bl_index *x = bl_index_open(root);
	const char *endless = "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT x FROM a";
	assert_int_equal(bl_index_query(x, &(bl_query){ .sql = endless, .row = count_row, .ctx = &last }), 7);
	assert_int_equal(last, 5);
	const char *sum = "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT sum(x) FROM a";
	assert_int_equal(bl_index_query(x,
	                                &(bl_query){ .sql = sum, .row = count_row, .ctx = &last, .seconds = 1e9, .stop = &stop }),
	                 -1);
	assert_error("interrupted");
	bl_index_close(x);
}

/* --- Detection of dead runs --------------------------------------------------------------------------------- */

static const char *judged_at(bl_beats *beats, double seconds, double steady, const char *boot)
{
	static bl_known k;
	bl_clock now = { .seconds = seconds, .steady = steady };
	snprintf(now.boot, sizeof now.boot, "%s", boot);
	bl_known_free(&k);
	bl_known_read(&k, folder_of("far"), "far", beats, &now);
	*beats = k.beats;
	return k.state;
}

static const char *judged(bl_beats *beats, double now)
{
	return judged_at(beats, now, now - 900, "this boot");
}

/* A run of another host counts as killed if its counter has not changed for half a minute of this host's clock. */
static void a_run_of_another_host_is_judged_by_its_heartbeat(void **state)
{
	bl_beats beats = { 0 };
	bl_run_file f = a_run("running", .5);
	(void)state;
	put("far", f);
	assert_string_equal(answer(STATES), "far running"); /* the counter is seen for the first time */
	assert_string_equal(answer(STATES), "far running");
	assert_string_equal(judged(&beats, 1000), "running");
	assert_string_equal(judged(&beats, 1020), "running");
	assert_string_equal(judged(&beats, 1040), "killed");
	f = a_run("running", .5);
	f.beat = 2;
	put("far", f);
	assert_string_equal(judged(&beats, 1041), "running");
	assert_string_equal(judged(&beats, 1070), "running");
	assert_string_equal(judged(&beats, 1072), "killed");
}

/* Setting the clock neither kills nor revives a run; another boot or host uses the time of day instead of the steady clock. */
static void a_clock_that_is_set_kills_no_run(void **state)
{
	enum { HOUR = 3600 };
	bl_beats beats = { 0 };
	(void)state;
	put("far", a_run("running", .5));
	assert_string_equal(judged_at(&beats, 10000, 100, "one"), "running");
	assert_string_equal(judged_at(&beats, 10002 + HOUR, 102, "one"), "running");
	assert_string_equal(judged_at(&beats, 10004 - HOUR, 104, "one"), "running");
	assert_string_equal(judged_at(&beats, 10031 - HOUR, 131, "one"), "killed");
	assert_string_equal(judged_at(&beats, 10032, 132, "one"), "killed");
	beats = (bl_beats){ 0 };
	assert_string_equal(judged_at(&beats, 10000, 100, "one"), "running");
	assert_string_equal(judged_at(&beats, 10020, 99999, "another"), "running");
	assert_string_equal(judged_at(&beats, 10040, 3, "another"), "killed");
}

static void a_dead_process_of_this_host_is_detected(void **state)
{
	bl_run_file f = a_run("running", .5);
	(void)state;
	gethostname(f.host, sizeof f.host - 1);
	put("near", f);
	assert_string_equal(answer(STATES), "near killed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_index_follows_the_folders, begin),
		cmocka_unit_test_setup(a_hostile_file_is_named, begin),
		cmocka_unit_test_setup(a_damaged_index_is_made_again, begin),
		cmocka_unit_test_setup(the_index_is_in_memory_if_it_cannot_be_written, begin),
		cmocka_unit_test_setup(concurrent_processes_are_safe, begin),
		cmocka_unit_test_setup(queries_only_read, begin),
		cmocka_unit_test_setup(long_results_are_truncated, begin),
		cmocka_unit_test_setup(a_run_of_another_host_is_judged_by_its_heartbeat, begin),
		cmocka_unit_test_setup(a_clock_that_is_set_kills_no_run, begin),
		cmocka_unit_test_setup(a_dead_process_of_this_host_is_detected, begin),
	};
	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
