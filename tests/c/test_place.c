/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_place.c: the folder of a run in a C program: resuming, forks, and removal, which affects only files of the run. */
#include "store/owner.h"
#include "support.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/place.h>
#include <barlow/process.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 24 };

static char root[600], scratch[512]; /* root: the folder of all runs; scratch: a folder outside of root */

static int begin(void **state)
{
	char command[1200];
	(void)state;
	snprintf(scratch, sizeof scratch, "%s", support_scratch("place"));
	snprintf(root, sizeof root, "%s/barlow/runs", scratch);
	snprintf(command, sizeof command, "rm -rf '%s' && mkdir -p '%s'", scratch, scratch);
	return setenv("XDG_DATA_HOME", scratch, 1) || system(command);
}

static bl_trainer *make_trainer(void)
{
	bl_trainer_config c = {
		.name = "toy",
		.batch = 16,
		.epochs = STEPS / 4.,
		.seed = 3,
		.loader_threads = 1,
		.data = bl_dataset_shapes(&(bl_shapes_config){ .n = 64, .size = 8, .channels = 1, .seed = 5 }),
		.first = bl_pipeline_parse("crop{size = 8}, flip"),
		.optim = bl_optim_default("adamw"),
		.encoder = bl_nn_mlp(&(bl_mlp_config){ .in = 64, .widths = (int64_t[]){ 16 }, .layers = 1, .flatten = true }),
		.checkpoint_every = -1,
	};
	c.second = c.first;
	bl_module_init(c.encoder, 7);
	bl_trainer *t = bl_trainer_new(&c);
	assert_non_null(t);
	bl_dataset_unref(c.data);
	bl_pipeline_unref(c.first);
	bl_module_unref(c.encoder);
	return t;
}

struct run {
	bl_trainer *t;
	bl_place *p;
};

static struct run run_new(void)
{
	struct run r = { .t = make_trainer() };
	r.p = bl_place_new(r.t);
	assert_non_null(r.p);
	return r;
}

static void run_free(struct run *r)
{
	bl_trainer_free(r->t);
	bl_place_free(r->p);
}

static const char *path(const char *folder, const char *file)
{
	static char out[4][1200];
	static int turn;
	char *to = out[turn++ % 4];
	snprintf(to, sizeof out[0], "%s/%s", folder, file);
	return to;
}

static bool exists(const char *file)
{
	struct stat s;
	return lstat(file, &s) == 0;
}

static void write_text(const char *file, const char *text)
{
	assert_int_equal(bl_file_write_atomic(file, text, strlen(text)), 0);
}

/* Makes a run in the folder, trains `steps` steps and saves it. */
static void make_run(const char *folder, int steps)
{
	struct run r = run_new();
	assert_int_equal(bl_place_settle(r.p, folder), 0);
	assert_int_equal(bl_place_write_recipe(r.p, "return 1\n", 9), 0);
	assert_int_equal(bl_trainer_steps(r.t, steps), 0);
	assert_int_equal(bl_place_save(r.p), 0);
	run_free(&r);
}

static void same_files(const char *a, const char *b)
{
	size_t n, m;
	char *x = bl_file_read(a, &n), *y = bl_file_read(b, &m);
	assert_non_null(x);
	assert_non_null(y);
	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
}

/* --- The folder of a run ------------------------------------------------------------------------ */

static void test_keeps(void **state)
{
	(void)state;
	struct run r = run_new();
	assert_null(bl_place_folder(r.p));
	assert_true(bl_place_save(r.p) < 0);
	assert_error("no folder");
	assert_int_equal(bl_place_settle(r.p, NULL), 0);
	assert_true(bl_place_settled(r.p));
	assert_true(bl_place_settle(r.p, NULL) < 0);
	const char *folder = bl_place_folder(r.p);
	assert_non_null(strstr(folder, "/runs/toy-2"));
	assert_int_equal(bl_trainer_start(r.t), 0);
	assert_int_equal(bl_trainer_wait(r.t, -1), 1);
	assert_int_equal(bl_trainer_saved(r.t), 0);
	assert_true(exists(path(folder, BL_RUN_LIVE)) && exists(path(folder, BL_RUN_CHECKPOINT)) &&
	            exists(path(folder, BL_RUN_WEIGHTS)));
	assert_int_equal(bl_place_save_weights(r.p, path(scratch, "w.safetensors")), 0);
	same_files(path(scratch, "w.safetensors"), path(folder, BL_RUN_WEIGHTS));
	run_free(&r);
}

static void test_goes_on(void **state)
{
	(void)state;
	struct run straight = run_new();
	assert_int_equal(bl_place_settle(straight.p, path(scratch, "straight")), 0);
	assert_int_equal(bl_trainer_steps(straight.t, STEPS), 0);
	make_run(path(scratch, "halved"), STEPS / 2);

	struct run other = run_new(), r = run_new();
	assert_int_equal(bl_place_settle(other.p, path(scratch, "halved")), BL_PLACE_REFUSED);
	assert_error("holds a run already");
	assert_int_equal(bl_place_load(r.p, path(scratch, "halved")), 0);
	assert_int_equal(bl_place_settle(r.p, path(scratch, "halved")), 0);
	assert_int_equal(bl_trainer_steps(r.t, STEPS / 2), 0);
	assert_int_equal(bl_place_save(r.p), 0);
	same_files(path(scratch, "straight/" BL_RUN_WEIGHTS), path(scratch, "halved/" BL_RUN_WEIGHTS));

	struct run over = run_new();
	assert_int_equal(bl_place_load(over.p, path(scratch, "halved")), 0);
	assert_int_equal(bl_place_settle(over.p, path(scratch, "halved")), BL_PLACE_REFUSED);
	assert_error("the run is over");
	run_free(&over);
	run_free(&other);
	run_free(&r);
	run_free(&straight);
}

/* A failure to save is remembered until saving succeeds. */
static void test_unsaved(void **state)
{
	(void)state;
	int before = bl_trainers_unsaved();
	char folder[1024];
	snprintf(folder, sizeof folder, "%s/blocked", scratch);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mkdir(path(folder, BL_RUN_CHECKPOINT), 0700), 0);
	struct run r = run_new();
	assert_int_equal(bl_place_settle(r.p, folder), 0);
	assert_int_equal(bl_trainer_start(r.t), 0);
	assert_int_equal(bl_trainer_wait(r.t, -1), 1);
	assert_true(bl_trainer_saved(r.t) < 0);
	assert_error("checkpoint.safetensors");
	assert_int_equal(bl_trainers_unsaved(), before + 1);
	char *message = bl_trainers_unsaved_message();
	assert_non_null(strstr(message, "toy: the end of the run, step 24 of 24, was not saved"));
	free(message);
	assert_null(bl_trainers_unsaved_message());
	assert_int_equal(rmdir(path(folder, BL_RUN_CHECKPOINT)), 0);
	assert_int_equal(bl_place_save(r.p), 0);
	assert_int_equal(bl_trainer_saved(r.t), 0);
	assert_int_equal(bl_trainers_unsaved(), before);
	run_free(&r);
}

/* --- Forks ---------------------------------------------------------------------------- */

static void test_fork(void **state)
{
	int64_t step = 0;
	(void)state;
	make_run(path(scratch, "parent"), STEPS / 2);
	write_text(path(scratch, "parent/array.npy"), "numbers");
	char *fork = bl_runs_fork(path(scratch, "parent"), NULL);
	if (!fork)
		print_error("%s\n", bl_error());
	assert_non_null(fork);
	assert_non_null(strstr(fork, "/runs/toy-2"));
	same_files(path(scratch, "parent/" BL_RUN_CHECKPOINT), path(fork, BL_RUN_CHECKPOINT));
	same_files(path(scratch, "parent/" BL_RUN_RECIPE), path(fork, BL_RUN_RECIPE));
	same_files(path(scratch, "parent/array.npy"), path(fork, "array.npy"));
	char *parent = bl_runs_parent(fork, &step), *whole = realpath(path(scratch, "parent"), NULL);
	assert_string_equal(parent, whole);
	assert_int_equal(step, STEPS / 2);
	bl_runs *list = bl_runs_list(root, NULL);
	assert_int_equal(list->n, 1);
	assert_string_equal(bl_run_state_text(&list->run[0]), "stopped");
	assert_int_equal(list->run[0].info.step, STEPS / 2);
	assert_int_equal(list->run[0].last.step, STEPS / 2);
	bl_runs_free(list);

	/* A run and its fork continue independently, with the same bits. */
	struct run r = run_new(), q = run_new();
	assert_int_equal(bl_place_load(r.p, fork), 0);
	assert_int_equal(bl_place_settle(r.p, fork), 0);
	assert_int_equal(bl_trainer_steps(r.t, STEPS / 2), 0);
	assert_int_equal(bl_place_load(q.p, path(scratch, "parent")), 0);
	assert_int_equal(bl_trainer_progress(q.t).step, STEPS / 2);
	assert_int_equal(bl_place_settle(q.p, path(scratch, "parent")), 0);
	assert_int_equal(bl_trainer_steps(q.t, STEPS / 2), 0);
	same_files(path(scratch, "parent/" BL_RUN_WEIGHTS), path(fork, BL_RUN_WEIGHTS));
	run_free(&r);
	run_free(&q);
	free(parent);
	free(whole);
	free(fork);
}

static void test_no_fork(void **state)
{
	(void)state;
	make_run(path(scratch, "parent"), 4);
	make_run(path(scratch, "taken"), 4);
	assert_null(bl_runs_fork(path(scratch, "nothing"), NULL));
	assert_error("no checkpoint");
	assert_null(bl_runs_fork(path(scratch, "parent"), path(scratch, "taken")));
	assert_error("holds a run already");
	write_text(path(scratch, "parent/" BL_RUN_CHECKPOINT), "no checkpoint");
	assert_null(bl_runs_fork(path(scratch, "parent"), path(scratch, "fork")));
	assert_error("fork/checkpoint.safetensors");
	assert_false(exists(path(scratch, "fork")));
	int64_t step;
	write_text(path(scratch, "taken/" BL_RUN_PARENT), "12 not/absolute\n");
	assert_null(bl_runs_parent(path(scratch, "taken"), &step));
	assert_error("expected a step and the path");
}

/* --- Changes of the system clock ------------------------------------------------------------------ */

static atomic_bool beating;

/* Simulates the heartbeat thread of a training run whose live file is missing. */
static void *beat(void *folder)
{
	bl_run_file f;
	while (atomic_load(&beating)) {
		if (bl_run_file_read(folder, &f) == 0) {
			f.beat++;
			bl_run_file_write(folder, &f);
		}
		bl_run_file_free(&f);
		usleep(20000);
	}
	return NULL;
}

/* If the last heartbeat is an hour too old or in the future, the run counts as training only while its counter increases. */
static void test_clock_is_set(void **state)
{
	char folder[1024];
	bl_run_file f = { .pid = getpid(), .step = 3, .steps = 9, .beat = 5 };
	(void)state;
	snprintf(folder, sizeof folder, "%s", path(scratch, "clock"));
	make_run(folder, 4);
	assert_int_equal(unlink(path(folder, BL_RUN_LIVE)), 0);
	snprintf(f.state, sizeof f.state, "%s", BL_RUN_FILE_RUNNING);
	bl_process_boot(f.boot, sizeof f.boot);
	for (int hours = -1; hours <= 1; hours++) {
		pthread_t thread;
		f.beat_time = (double)time(NULL) + 3600 * hours;
		assert_int_equal(bl_run_file_write(folder, &f), 0);
		atomic_store(&beating, hours != 0);
		assert_int_equal(pthread_create(&thread, NULL, beat, folder), 0);
		assert_int_equal(bl_runs_claim(folder), -1);
		assert_error("the run is going on");
		atomic_store(&beating, false);
		pthread_join(thread, NULL);
	}
	f.beat_time = (double)time(NULL) + 3600;
	assert_int_equal(bl_run_file_write(folder, &f), 0);
	int claim = bl_runs_claim(folder);
	assert_true(claim >= 0);
	bl_runs_release(claim);
}

/* --- Removal ---------------------------------------------------------------------------- */

static void test_delete(void **state)
{
	char folder[1024], link[1024];
	(void)state;
	write_text(path(scratch, "outside"), "mine");
	assert_int_equal(mkdir(path(scratch, "kept"), 0700), 0);
	write_text(path(scratch, "kept/file"), "mine");
	snprintf(folder, sizeof folder, "%s/it", root);
	make_run(folder, 4);
	/* The whole content of a run's folder is removed; links are removed, not followed. */
	assert_int_equal(mkdir(path(folder, "below"), 0700), 0);
	write_text(path(folder, "below/note"), "x");
	assert_int_equal(symlink(path(scratch, "outside"), path(folder, "link")), 0);
	assert_int_equal(symlink(path(scratch, "kept"), path(folder, "below/link")), 0);
	snprintf(link, sizeof link, "%s/alias", root);
	assert_int_equal(symlink(folder, link), 0);
	assert_true(bl_runs_delete(link) < 0);
	assert_error("a link or a file");
	assert_true(exists(path(folder, BL_RUN_LIVE)));
	assert_int_equal(bl_runs_delete(folder), 0);
	assert_false(exists(folder));
	assert_true(exists(path(scratch, "outside")) && exists(path(scratch, "kept/file")));
}

/* Folders are removed down to 32 levels below the run's folder. */
static void test_delete_deep(void **state)
{
	char folder[1024], below[2048];
	(void)state;
	for (int levels = 32; levels <= 33; levels++) {
		snprintf(folder, sizeof folder, "%s/deep", root);
		make_run(folder, 4);
		int n = snprintf(below, sizeof below, "%s", folder);
		for (int i = 0; i < levels; i++) {
			n += snprintf(below + n, sizeof below - (size_t)n, "/d");
			assert_int_equal(mkdir(below, 0700), 0);
		}
		assert_int_equal(bl_runs_delete(folder), levels > 32 ? -1 : 0);
		assert_int_equal(exists(folder), levels > 32);
	}
	assert_error("folders are nested too deep");
}

/* In a folder outside of the runs' root, only the run's own files are removed. */
static void test_delete_elsewhere(void **state)
{
	(void)state;
	make_run(path(scratch, "mine"), 4);
	write_text(path(scratch, "mine/thesis.tex"), "x");
	assert_true(bl_runs_delete(path(scratch, "mine")) < 0);
	assert_error("the folder stays: there is something else in it");
	assert_true(exists(path(scratch, "mine/thesis.tex")));
	assert_false(exists(path(scratch, "mine/" BL_RUN_LIVE)) || exists(path(scratch, "mine/" BL_RUN_CHECKPOINT)));
	make_run(path(scratch, "clean"), 4);
	assert_int_equal(bl_runs_delete(path(scratch, "clean/")), 0);
	assert_false(exists(path(scratch, "clean")));
}

static void test_delete_refused(void **state)
{
	char folder[1024];
	(void)state;
	assert_int_equal(mkdir(path(scratch, "home"), 0700), 0);
	write_text(path(scratch, "home/file"), "mine");
	assert_true(bl_runs_delete(path(scratch, "home")) < 0);
	assert_error("there is no run in it");
	assert_true(bl_runs_delete(path(scratch, "home/.")) < 0);
	assert_true(bl_runs_delete(path(scratch, "home/..")) < 0);
	assert_error("expected the name of a run's folder");
	assert_true(bl_runs_delete("/") < 0);
	assert_true(bl_runs_delete("") < 0);
	assert_true(bl_runs_delete(path(scratch, "nothing")) < 0);
	assert_error("No such file");
	assert_true(bl_runs_delete(path(scratch, "home/file")) < 0);
	assert_true(exists(path(scratch, "home/file")));

	snprintf(folder, sizeof folder, "%s/going", root);
	struct run r = run_new();
	assert_int_equal(bl_place_settle(r.p, folder), 0);
	assert_int_equal(bl_trainer_steps(r.t, 2), 0);
	assert_true(bl_runs_delete(folder) < 0);
	assert_error("the run is going on in this process");
	int claim = bl_runs_claim(folder);
	assert_true(claim < 0);
	run_free(&r);
	claim = bl_runs_claim(folder);
	assert_true(claim >= 0);
	assert_true(bl_runs_delete(folder) < 0);
	assert_error("another process is resuming the run");
	bl_runs_release(claim);
	assert_int_equal(bl_runs_delete(folder), 0);
}

/* A recipe that differs is saved under the first free name; the same one, or the first one, leaves no copy. */
static void test_recipe_copies(void **state)
{
	(void)state;
	static const char *const text[] = { "return 1", "return 1", "return 2", "return 3" };
	static const char *const name[] = { "recipe.lua", "recipe.lua.1", "recipe.lua.2", "recipe.lua.3" };
	static const char *const left[] = { "return 3", "return 1", "return 2", NULL };
	for (int i = 0; i < 4; i++)
		assert_int_equal(bl_runs_write_recipe(scratch, text[i], strlen(text[i])), 0);
	for (int i = 0; i < 4; i++) {
		char path[700];
		size_t n = 0;
		snprintf(path, sizeof path, "%s/%s", scratch, name[i]);
		char *there = bl_file_read(path, &n);
		assert_true(left[i] ? there && n == strlen(left[i]) && memcmp(there, left[i], n) == 0 : !there);
		free(there);
	}
}

/* A folder of an earlier version, without an owner, belongs to the process that it names, or to nobody. */
static void test_owner(void **state)
{
	(void)state;
	char boot[BL_RUN_TEXT];
	bl_process_boot(boot, sizeof boot);
	for (int same_pid = 0; same_pid < 2; same_pid++)
		for (int same_boot = 0; same_boot < 2; same_boot++) {
			bl_run_file f = { .pid = getpid() + !same_pid };
			snprintf(f.boot, sizeof f.boot, "%s", same_boot ? boot : "another");
			assert_int_equal(bl_owner_is(&f, "me"), same_pid && same_boot);
			f.pid = 0;
			assert_true(bl_owner_is(&f, "me"));
			snprintf(f.owner, sizeof f.owner, "%s", same_pid ? "me" : "you");
			assert_int_equal(bl_owner_is(&f, "me"), same_pid);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_keeps, begin),          cmocka_unit_test_setup(test_goes_on, begin),
		cmocka_unit_test_setup(test_unsaved, begin),        cmocka_unit_test_setup(test_fork, begin),
		cmocka_unit_test_setup(test_no_fork, begin),        cmocka_unit_test_setup(test_clock_is_set, begin),
		cmocka_unit_test_setup(test_recipe_copies, begin),  cmocka_unit_test(test_owner),
		cmocka_unit_test_setup(test_delete, begin),         cmocka_unit_test_setup(test_delete_elsewhere, begin),
		cmocka_unit_test_setup(test_delete_refused, begin), cmocka_unit_test_setup(test_delete_deep, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
