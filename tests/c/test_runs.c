/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_runs.c: folders of runs, the list of runs, and finding a run by its name. */
#include "recorded_run.h"
#include "support.h"

#include <barlow/error.h>
#include <barlow/runs.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char data[512]; /* the folder XDG_DATA_HOME; it does not exist when a test begins */

static int begin(void **state)
{
	char command[600];
	(void)state;
	snprintf(data, sizeof data, "%s", support_scratch("data"));
	snprintf(command, sizeof command, "rm -rf '%s'", data);
	return setenv("XDG_DATA_HOME", data, 1) || system(command);
}

/* Makes a run with `done` of 500 steps and a kNN accuracy at step `knn` (0: none), and leaves it open. */
static bl_live *make(const char *id, const char *name, bl_run_state state, double started, int64_t done, int64_t knn)
{
	char path[1024];
	bl_live_info i = { .state = state, .step = done, .steps = 500, .d = 64, .batch = 8, .started = started };
	snprintf(i.name, sizeof i.name, "%s", name);
	snprintf(path, sizeof path, "%s/barlow/runs/%s", data, id);
	assert_int_equal(bl_runs_folder_take(path), 0);
	strcat(path, "/live");
	bl_live *l = recorded_live(path, &i);
	assert_non_null(l);
	for (int64_t s = 1; s <= done; s++) {
		bl_record r = bl_record_empty(s);
		r.value[RECORDED_TOTAL] = (double)(1000 - s);
		r.value[RECORDED_LAMBDA] = .01;
		r.value[RECORDED_KNN] = s == knn ? .75 : NAN;
		assert_int_equal(bl_live_add(l, &r), 0);
	}
	return l;
}

static bl_runs *list(const bl_runs *before)
{
	char *root = bl_runs_root();
	bl_runs *r = bl_runs_list(root, before);
	assert_non_null(r);
	free(root);
	return r;
}

/* --- Folders ------------------------------------------------------------------ */

static void test_root(void **state)
{
	(void)state;
	char *root = bl_runs_root(), want[600];
	snprintf(want, sizeof want, "%s/barlow/runs", data);
	assert_string_equal(root, want);
	free(root);
	setenv("XDG_DATA_HOME", "not/absolute", 1);
	setenv("HOME", "/somewhere", 1);
	root = bl_runs_root();
	assert_string_equal(root, "/somewhere/.local/share/barlow/runs");
	free(root);
	unsetenv("XDG_DATA_HOME");
	unsetenv("HOME");
	assert_null(bl_runs_root());
	assert_error("neither XDG_DATA_HOME nor HOME");
}

static void check_name(const char *name, const char *begins)
{
	struct stat s;
	char *folder = bl_runs_folder_new(name);
	assert_non_null(folder);
	const char *id = strrchr(folder, '/') + 1;
	if (strncmp(id, begins, strlen(begins)) != 0)
		fail_msg("a run named '%s' goes to %s, not to %s...", name, id, begins);
	assert_true(strlen(id) >= strlen(begins) + strlen("0000000-000000"));
	assert_int_equal(stat(folder, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0700);
	free(folder);
}

/* No name leads outside of the folder of runs, is hidden, or looks like an option. */
static void test_names(void **state)
{
	(void)state;
	check_name("fashion", "fashion-2");
	check_name("fashion", "fashion-2"); /* a run within the same second gets another folder */
	check_name("fashion", "fashion-2");
	check_name("../../etc", "_._.._etc-2");
	check_name(".hidden", "_hidden-2");
	check_name("-rf", "_rf-2");
	check_name("a b\n\xc3\xa4", "a_b___-2");
	check_name("", "run-2");
	bl_runs *r = list(NULL);
	assert_int_equal(r->n, 8);
	bl_runs_free(r);
}

static void test_take(void **state)
{
	char path[1024];
	(void)state;
	bl_live_close(make("mine", "mine", BL_RUN_DONE, 1, 1, 0));
	snprintf(path, sizeof path, "%s/barlow/runs/mine", data);
	assert_int_equal(bl_runs_folder_take(path), 1);
	assert_error("holds a run already");
	strcat(path, "/live/below");
	assert_int_equal(bl_runs_folder_take(path), -1);
	assert_error("Not a directory");
	assert_int_equal(bl_runs_folder_take(""), -1);
}

/* --- The list ----------------------------------------------------------------- */

static void test_list(void **state)
{
	(void)state;
	bl_runs *r = list(NULL);
	assert_int_equal(r->n, 0);
	bl_runs_free(r);
	bl_live_close(make("old", "a", BL_RUN_DONE, 100, 500, 400));
	bl_live *going = make("new", "a", BL_RUN_PAUSED, 300, 7, 0);
	bl_live_close(make("mid", "b", BL_RUN_FAILED, 200, 0, 0));
	r = list(NULL);
	assert_int_equal(r->n, 3);
	assert_string_equal(r->run[0].id, "new");
	assert_string_equal(r->run[1].id, "mid");
	assert_string_equal(r->run[2].id, "old");
	assert_true(bl_run_going(&r->run[0]) && !bl_run_going(&r->run[1]) && !bl_run_going(&r->run[2]));
	assert_string_equal(bl_run_state_text(&r->run[0]), "paused");
	assert_string_equal(bl_run_state_text(&r->run[1]), "failed");
	assert_int_equal(r->run[1].last.step, 0);
	assert_close(r->run[2].last.value[RECORDED_TOTAL], 500, 0);
	assert_close(r->run[2].knn, .75, 0);
	assert_true(isnan(r->run[0].knn));
	bl_runs_free(r);
	bl_live_close(going);
}

/* A run that is training is read again; its kNN is searched for in the new records only. */
static void test_list_again(void **state)
{
	(void)state;
	bl_live *l = make("it", "it", BL_RUN_RUNNING, 1, 10, 4);
	bl_runs *first = list(NULL);
	for (int64_t s = 11; s <= 30; s++) {
		bl_record r = bl_record_empty(s);
		r.value[RECORDED_TOTAL] = 5;
		r.value[RECORDED_KNN] = s == 20 ? .8 : NAN;
		bl_live_add(l, &r);
	}
	bl_runs *second = list(first);
	assert_close(first->run[0].knn, .75, 0);
	assert_close(second->run[0].knn, .8, 0);
	assert_int_equal(second->run[0].last.step, 30);
	bl_runs_free(first);
	first = list(second);
	assert_close(first->run[0].knn, .8, 0);
	bl_runs_free(first);
	bl_runs_free(second);
	bl_live_close(l);
}

static void test_lost(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		make("gone", "gone", BL_RUN_RUNNING, 1, 3, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	bl_runs *r = list(NULL);
	assert_int_equal(r->n, 1);
	assert_false(bl_run_going(&r->run[0]));
	assert_string_equal(bl_run_state_text(&r->run[0]), "killed");
	bl_runs_free(r);
}

/* A zombie: the process has ended, but its pid exists until its parent waits for it; a shell does so at its next prompt. */
static void test_zombie(void **state)
{
	(void)state;
	siginfo_t end;
	pid_t child = fork();
	if (child == 0) {
		make("zombie", "zombie", BL_RUN_RUNNING, 1, 3, 0);
		_exit(0);
	}
	assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);
	assert_int_equal(kill(child, 0), 0);
	bl_runs *r = list(NULL);
	assert_int_equal(r->n, 1);
	assert_string_equal(bl_run_state_text(&r->run[0]), "killed");
	int claim = bl_runs_claim(r->run[0].folder);
	assert_true(claim >= 0);
	bl_runs_release(claim);
	bl_runs_free(r);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* A run is listed as broken if its live file is a folder or random bytes.  A file beside the runs' folders is not listed. */
static void test_broken(void **state)
{
	static unsigned char noise[1 << 20];
	char path[1024];
	(void)state;
	bl_live_close(make("good", "good", BL_RUN_DONE, 1, 1, 0));
	bl_live_close(make("noise", "noise", BL_RUN_DONE, 1, 1, 0));
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (unsigned char)(i * 2654435761u >> 13);
	snprintf(path, sizeof path, "%s/barlow/runs/noise/live", data);
	support_write(path, noise, sizeof noise);
	snprintf(path, sizeof path, "%s/barlow/runs/folder/live", data);
	assert_int_equal(bl_runs_folder_take(path), 0);
	snprintf(path, sizeof path, "%s/barlow/runs/no-run.txt", data);
	support_write(path, "x", 1);
	bl_runs *r = list(NULL);
	assert_int_equal(r->n, 3);
	for (int i = 0; i < r->n; i++) {
		bool good = strcmp(r->run[i].id, "good") == 0;
		assert_int_equal(r->run[i].broken, !good);
		assert_string_equal(bl_run_state_text(&r->run[i]), good ? "done" : "broken");
		assert_true(good || strstr(r->run[i].info.message, "/live: "));
	}
	bl_runs_free(r);
}

/* --- Finding a run -------------------------------------------------------------------- */

static void test_find(void **state)
{
	(void)state;
	bl_live_close(make("run-20260101-000000", "run", BL_RUN_DONE, 1, 1, 0));
	bl_live_close(make("run-20260102-000000", "run", BL_RUN_DONE, 2, 1, 0));
	bl_live_close(make("other-20260101-000000", "other", BL_RUN_DONE, 3, 1, 0));
	bl_runs *r = list(NULL);
	assert_int_equal(bl_runs_find(r, "run"), 1); /* several runs have this name; the newest one is found */
	assert_int_equal(bl_runs_find(r, "run-20260101-000000"), 2);
	assert_int_equal(bl_runs_find(r, "run-20260102"), 1);
	assert_int_equal(bl_runs_find(r, "o"), 0);
	assert_int_equal(bl_runs_find(r, "run-2"), -1);
	assert_error("several runs begin with run-2: run-20260102-000000, run-20260101-000000");
	assert_int_equal(bl_runs_find(r, "nothing"), -1);
	assert_error("no run named nothing; runs: other-20260101-000000, run-20260102-000000");
	bl_runs_free(r);
}

/* The message does not overflow if there are many names. */
static void test_many(void **state)
{
	char id[80];
	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof id, i == 37 ? "a-name-of-%050d" : "a-name-of-thirty-characters-%d", i);
		bl_live_close(make(id, id, BL_RUN_DONE, i + 1, 1, 0));
	}
	bl_runs *r = list(NULL);
	static const char *const unknown[][2] = {
		{ "nothing",
		  "no run named nothing; the newest runs: a-name-of-thirty-characters-39, a-name-of-thirty-characters-38, " },
		{ "nothing", "-characters-36, a-name-of-thirty-characters-35 and 35 more" },
		{ "a-", "-characters-36, a-name-of-thirty-characters-35 and 35 more" },
		{ "a-nme-of-thirty-character-7", "(did you mean a-name-of-thirty-characters-7?)" },
		{ "characters-12", "(did you mean a-name-of-thirty-characters-12?)" },
	};
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		assert_int_equal(bl_runs_find(r, unknown[i][0]), -1);
		assert_error(unknown[i][1]);
	}
	bl_runs_free(r);
}

static void expect_open(const char *what, const char *name)
{
	bool commands = true;
	bl_live_info i;
	bl_live *l = bl_runs_open(what, &commands);
	if (!l)
		fail_msg("%s", bl_error());
	bl_live_info_get(l, &i);
	assert_string_equal(i.name, name);
	assert_true(commands);
	bl_live_close(l);
}

static void test_open(void **state)
{
	char path[1024];
	bool commands = true;
	(void)state;
	assert_null(bl_runs_open(NULL, &commands));
	assert_error("there are no runs in");
	bl_live_close(make("past", "past", BL_RUN_DONE, 300, 1, 0));
	expect_open(NULL, "past");
	bl_live *going = make("going", "going", BL_RUN_RUNNING, 100, 1, 0);
	bl_live_close(make("newer", "newer", BL_RUN_DONE, 200, 1, 0));
	expect_open(NULL, "going"); /* a run that is training takes precedence over newer runs that have ended */
	expect_open("past", "past");
	expect_open("ne", "newer");
	snprintf(path, sizeof path, "%s/barlow/runs/newer", data);
	expect_open(path, "newer");
	strcat(path, "/live");
	expect_open(path, "newer");
	assert_null(bl_runs_open("/no/such/place", &commands));
	assert_error("/no/such/place: No such file or directory");
	assert_null(bl_runs_open("unheard", &commands));
	assert_error("no run named unheard");
	bl_live_close(going);
}

/* A read-only live file is shown, but accepts no commands. */
static void test_open_foreign(void **state)
{
	char path[1024];
	bool commands = true;
	(void)state;
	if (geteuid() == 0)
		skip_because("root may write every file");
	bl_live_close(make("theirs", "theirs", BL_RUN_RUNNING, 1, 1, 0));
	snprintf(path, sizeof path, "%s/barlow/runs/theirs/live", data);
	assert_int_equal(chmod(path, 0400), 0);
	bl_live *l = bl_runs_open("theirs", &commands);
	assert_non_null(l);
	assert_false(commands);
	assert_true(bl_live_send(l, (bl_command){ .kind = BL_CMD_PAUSE, .value = 0 }) < 0);
	bl_live_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_root, begin),       cmocka_unit_test_setup(test_names, begin),
		cmocka_unit_test_setup(test_take, begin),       cmocka_unit_test_setup(test_list, begin),
		cmocka_unit_test_setup(test_list_again, begin), cmocka_unit_test_setup(test_lost, begin),
		cmocka_unit_test_setup(test_zombie, begin),     cmocka_unit_test_setup(test_broken, begin),
		cmocka_unit_test_setup(test_find, begin),       cmocka_unit_test_setup(test_many, begin),
		cmocka_unit_test_setup(test_open, begin),       cmocka_unit_test_setup(test_open_foreign, begin),
	};
	int failed = cmocka_run_group_tests_name("runs", tests, NULL, NULL);
	void *none = NULL;
	return failed + (begin(&none) != 0);
}
