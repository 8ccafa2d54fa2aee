/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_runs_view.c: the table of runs: golden frames, order, selection, marks, and runs opened from it. */
#include "golden.h"
#include "recorded_run.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>

#include "view/key_actions.h"
#include "view/frame.h"
#include "view/run_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIDWAY = 700, DAY = 86400 };
static const double START = 1767225600; /* 2026-01-01 00:00 UTC */
static const bl_ability plain = { .depth = BL_DEPTH_MONO, .utf8 = true }, ascii = { .depth = BL_DEPTH_MONO },
			colour = { .depth = BL_DEPTH_256, .utf8 = true };

static char root[512];
static bl_live *going; /* the trainer's handle of the run that is training */

/* --- Runs on disk --------------------------------------------------------------- */

static bl_live *make(const char *name, bl_run_state state, double started, int64_t step, double knn, double lambda)
{
	char path[1024];
	bl_live_info i = { .state = state, .step = step, .steps = 2000, .d = 256, .batch = 256, .started = started };
	snprintf(i.name, sizeof i.name, "%s", name);
	snprintf(path, sizeof path, "%s/%s", root, name);
	assert_int_equal(bl_runs_folder_take(path), 0);
	strcat(path, "/live");
	bl_live *l = recorded_live(path, &i);
	assert_non_null(l);
	for (int64_t s = 1; s <= step && s <= 3; s++) {
		bl_record r = recorded_record(step - 3 + s, lambda);
		r.value[RECORDED_KNN] = s == 2 ? knn : NAN;
		bl_live_add(l, &r);
	}
	return l;
}

static void make_lost(void)
{
	pid_t child = fork();
	if (child == 0) {
		make("lost", BL_RUN_RUNNING, START + DAY, 900, NAN, .0051);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void remove_runs(void)
{
	char command[600];
	snprintf(command, sizeof command, "rm -rf '%s'", support_scratch("data"));
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int begin(void **state)
{
	char path[1024];
	(void)state;
	remove_runs();
	setenv("TZ", "UTC0", 1);
	setenv("XDG_DATA_HOME", support_scratch("data"), 1);
	snprintf(path, sizeof path, "%s/cache", support_scratch("data"));
	setenv("XDG_CACHE_HOME", path, 1);
	char *at = bl_runs_root();
	snprintf(root, sizeof root, "%s", at);
	free(at);
	going = make("fashion", BL_RUN_RUNNING, START + 3 * DAY, MIDWAY, .861, .0051);
	bl_live_close(make("cifar-with-a-name-as-long-as-people-make-them", BL_RUN_DONE, START, 2000, .62, .01));
	bl_live_close(make("Sweep.3", BL_RUN_FAILED, START + 2 * DAY, 12, NAN, .02));
	bl_live_close(make("new", BL_RUN_STOPPED, START + DAY / 2, 0, NAN, 0));
	make_lost();
	snprintf(path, sizeof path, "%s/junk/live", root);
	return bl_runs_folder_take(path);
}

static int end(void **state)
{
	(void)state;
	bl_live_close(going);
	remove_runs();
	return 0;
}

/* --- Frames --------------------------------------------------------------------- */

static bl_run_table *table_of(const bl_scene *s)
{
	return *(bl_run_table **)bl_scene_own(s, &bl_view_runs);
}

static bl_scene *scene_of(bl_live *run)
{
	bl_scene *s = bl_scene_new(run);
	assert_non_null(s);
	bl_scene_read(s);
	bl_control_key(s, '7');
	assert_ptr_equal(s->view, &bl_view_runs);
	return s;
}

/* Removes the folder of the run at the cursor from the frame, since its name is different each time. */
static void hide_folder(const bl_canvas *c)
{
	for (int y = 0; y < c->height; y++)
		for (int x = 1; bl_canvas_cell(c, 0, y)->glyph == '/' && x < c->width; x++)
			bl_canvas_cell(c, x, y)->glyph = ' ';
}

static bl_canvas *frame_of(const bl_scene *s, int w, int h, bl_ability can)
{
	bl_canvas *c = bl_canvas_new(w, h, can);
	assert_non_null(c);
	bl_frame_draw(s, c);
	return c;
}

static char *frame_text(const bl_scene *s, int w, int h, bl_ability can)
{
	bl_canvas *c = frame_of(s, w, h, can);
	char *text = bl_canvas_string(c);
	assert_non_null(text);
	bl_canvas_free(c);
	return text;
}

static void check_golden(const bl_scene *s, const char *name, int w, int h, bl_ability can)
{
	bl_canvas *c = frame_of(s, w, h, can);
	hide_folder(c);
	golden_compare_canvas(name, c);
	bl_canvas_free(c);
}

static void type(bl_scene *s, const char *keys)
{
	for (; *keys; keys++)
		bl_control_key(s, (unsigned char)*keys);
}

static void test_golden(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	check_golden(s, "runs-200x60", 200, 60, plain);
	check_golden(s, "runs-120x40", 120, 40, plain);
	check_golden(s, "runs-80x24", 80, 24, plain);
	check_golden(s, "runs-40x12", 40, 12, plain);
	check_golden(s, "runs-ascii-120x40", 120, 40, ascii);
	check_golden(s, "runs-256-80x24", 80, 24, colour);
	check_golden(s, "runs-256-120x40", 120, 40, colour);
	check_golden(s, "runs-256-200x60", 200, 60, colour);
	type(s, "mj/a");
	check_golden(s, "runs-filter-120x40", 120, 40, plain);
	bl_scene_free(s);
}

/* The table is never drawn outside of the canvas, at any size; sanitizers would detect it. */
static void test_every_size(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	for (int w = 1; w < 130; w += w < 45 ? 1 : 7)
		for (int h = 1; h < 40; h++) {
			bl_run_table_move(table_of(s), h % 2 ? 1 : -1);
			free(frame_text(s, w, h, h % 3 ? plain : ascii));
		}
	bl_scene_free(s);
}

/* --- Order and selection ------------------------------------------------------------ */

/* Asserts the first letters of the names, from top to bottom. */
static void expect_order(const bl_scene *s, const char *letters)
{
	char got[16] = "";
	for (int i = 0; i < table_of(s)->rows; i++)
		got[i] = bl_run_table_at(table_of(s), i)->id[0];
	assert_string_equal(got, letters);
}

static void test_sort(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	/* the orders by start, name, state, step, total, kNN, lambda */
	static const char *const orders[] = { "fSlncj", "Scfjln", "jcSlfn", "clfSnj", "Sflcnj", "fcSlnj", "Scflnj" };
	expect_order(s, orders[0]);
	for (int i = 1; i < 7; i++) {
		bl_control_key(s, 's');
		expect_order(s, orders[i]);
	}
	bl_control_key(s, 'r');
	expect_order(s, "flcSnj"); /* unknown values come last */
	bl_control_key(s, 'r');
	bl_control_key(s, 's');
	bl_control_key(s, 's');
	expect_order(s, orders[0]);
	bl_scene_free(s);
}

/* A run of VICReg, which has three weights, none of them named lambda. */
static void make_vicreg(const char *name, double sim, double cov, double weight)
{
	static const bl_columns columns = { 6,
		                            {
						    { .name = "invariance", .kind = BL_COLUMN_TERM },
						    { .name = "sim", .kind = BL_COLUMN_PARAMETER },
						    { .name = "std", .kind = BL_COLUMN_PARAMETER },
						    { .name = "cov", .kind = BL_COLUMN_PARAMETER },
						    { .name = "loss.invariance", .kind = BL_COLUMN_PARAMETER },
						    { .name = "total", .kind = BL_COLUMN_TOTAL },
					    } };
	char path[1024];
	bl_live_info i = { .state = BL_RUN_DONE, .step = 1, .steps = 1, .d = 64, .started = START + 9 * DAY };
	snprintf(i.name, sizeof i.name, "%s", name);
	snprintf(path, sizeof path, "%s/%s", root, name);
	assert_int_equal(bl_runs_folder_take(path), 0);
	strcat(path, "/live");
	bl_live *l = bl_live_create(path, &i, &columns);
	assert_non_null(l);
	bl_record r = bl_record_empty(1);
	memcpy(r.value, (double[]){ 1, sim, 25, cov, weight, 31 }, 6 * sizeof r.value[0]);
	bl_live_add(l, &r);
	bl_live_close(l);
}

/* There is a column for each parameter that the runs' losses name, except for weights that are 1 in all runs. */
static void test_parameters(void **state)
{
	(void)state;
	make_vicreg("vicreg", 24, 1, 1);
	bl_scene *s = scene_of(going);
	char *text = frame_text(s, 160, 24, plain);
	assert_non_null(strstr(text, "    kNN       sim    lambda       std       cov      D  started v\n"));
	assert_non_null(strstr(text, "        31       -        24         -        25         1     64  2026-01-10"));
	assert_non_null(strstr(text, "      47.6   0.861         -    0.0051         -         -    256  2026-01-04"));
	free(text);
	text = frame_text(s, 100, 24, plain); /* on a narrow screen, the first parameter of a loss is still shown */
	assert_non_null(strstr(text, "    kNN       sim    lambda  started"));
	free(text);
	type(s, "ssssss");
	assert_string_equal(table_of(s)->by.heading, "sim");
	expect_order(s, "vfSlncj");
	make_vicreg("weighted", 25, 1, 3);
	assert_true(bl_run_table_read(table_of(s)));
	assert_string_equal(table_of(s)->by.heading, "sim");
	expect_order(s, "wvfSlncj");
	text = frame_text(s, 200, 24, plain);
	assert_non_null(strstr(text, "cov  loss.invarian"));
	free(text);
	bl_scene_free(s);
}

/* If the column that determines the order disappears, the initial order is used. */
static void test_parameters_gone(void **state)
{
	char path[1024];
	(void)state;
	make_vicreg("vicreg", 24, 1, 1);
	bl_scene *s = scene_of(going);
	type(s, "ssssss");
	assert_string_equal(table_of(s)->by.heading, "sim");
	snprintf(path, sizeof path, "%s/vicreg/live", root);
	assert_int_equal(unlink(path), 0);
	bl_run_table_read(table_of(s));
	assert_string_equal(table_of(s)->by.heading, "started");
	expect_order(s, "fSlncvj");
	bl_scene_free(s);
}

static void test_cursor(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	assert_int_equal(table_of(s)->cursor, 0);
	bl_control_key(s, 'k');
	assert_int_equal(table_of(s)->cursor, 0);
	bl_control_key(s, 'G');
	assert_int_equal(table_of(s)->cursor, 5);
	bl_control_key(s, BL_KEY(BL_KEYS_DOWN));
	assert_int_equal(table_of(s)->cursor, 5);
	bl_control_key(s, BL_KEY(BL_KEYS_UP));
	assert_string_equal(bl_run_table_at(table_of(s), table_of(s)->cursor)->id, "cifar-with-a-name-as-long-as-people-make-them");
	bl_control_key(s, 's'); /* the cursor stays on its run */
	assert_int_equal(table_of(s)->cursor, 1);
	bl_live_close(make("another", BL_RUN_DONE, START + 9 * DAY, 5, NAN, 1));
	assert_true(bl_run_table_read(table_of(s)));
	assert_false(bl_run_table_read(table_of(s)));
	assert_int_equal(table_of(s)->rows, 7);
	assert_string_equal(bl_run_table_at(table_of(s), table_of(s)->cursor)->id, "cifar-with-a-name-as-long-as-people-make-them");
	bl_control_key(s, 'g');
	assert_int_equal(table_of(s)->cursor, 0);
	bl_control_key(s, bl_key_of_mouse((bl_mouse){ BL_MOUSE_WHEEL_DOWN, 3, 3 }));
	assert_int_equal(table_of(s)->cursor, 1);
	bl_scene_free(s);
}

static void click(bl_scene *s, int y)
{
	bl_control_key(s, bl_key_of_mouse((bl_mouse){ BL_MOUSE_CLICK, 5, y }));
}

/* The first run is in the fifth row; the headings and the rows below the last run are not runs. */
static void test_click(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	click(s, 6); /* no effect before the table is shown */
	bl_canvas *c = frame_of(s, 100, 24, plain);
	s->on = c;
	click(s, 6);
	assert_int_equal(table_of(s)->cursor, 2);
	click(s, 3);
	click(s, 10);
	assert_int_equal(table_of(s)->cursor, 2);
	click(s, 4);
	assert_int_equal(table_of(s)->cursor, 0);
	assert_ptr_equal(s->view, &bl_view_runs);
	bl_canvas *low = frame_of(s, 100, 11, plain); /* five runs, and the line that shows the folder of the selected run */
	s->on = low;
	click(s, 9);
	assert_int_equal(table_of(s)->cursor, 0);
	click(s, 8);
	assert_int_equal(table_of(s)->cursor, 4);
	bl_control_key(s, 'g');
	s->on = c;
	bl_canvas_free(low);
	click(s, 4); /* a second click opens the run */
	assert_ptr_equal(s->view, &bl_view_dashboard);
	assert_string_equal(s->info.name, "fashion");
	s->on = NULL;
	bl_canvas_free(c);
	bl_scene_free(s);
}

static void test_filter(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	type(s, "/SWEEP");
	expect_order(s, "S");
	type(s, "q1?"); /* letters, not keys */
	assert_ptr_equal(s->view, &bl_view_runs);
	expect_order(s, "");
	bl_control_key(s, BL_KEY(BL_KEYS_ENTER)); /* ends the input of text and does not open a run */
	assert_ptr_equal(s->view, &bl_view_runs);
	bl_control_key(s, BL_KEY(BL_KEYS_ENTER));
	assert_non_null(strstr(s->notice, "no run"));
	bl_control_key(s, 'm');
	assert_null(s->marked[0]);
	bl_control_key(s, BL_KEY_ESCAPE);
	expect_order(s, "fSlncj");
	type(s, "/lost" BL_KEYS_BACKSPACE BL_KEYS_BACKSPACE BL_KEYS_BACKSPACE BL_KEYS_BACKSPACE BL_KEYS_BACKSPACE);
	assert_string_equal(table_of(s)->filter, "");
	for (int i = 0; i < 200; i++)
		bl_control_key(s, 'x');
	assert_int_equal(strlen(table_of(s)->filter), sizeof table_of(s)->filter - 1);
	bl_scene_free(s);
}

/* --- Marks ----------------------------------------------------------------------- */

static void test_mark(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	type(s, "jmjm");
	assert_non_null(s->marked[0]);
	assert_non_null(s->marked[1]);
	bl_live *second = s->marked[1];
	type(s, "km"); /* the first run is unmarked, and the second becomes the first */
	assert_ptr_equal(s->marked[0], second);
	assert_null(s->marked[1]);
	type(s, "Gm"); /* a broken run cannot be marked */
	assert_null(s->marked[1]);
	assert_non_null(strstr(s->notice, "/junk/live: "));
	bl_scene_free(s);
}

static void test_beside(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	type(s, "jv");
	assert_non_null(s->other);
	assert_string_equal(s->other_info.name, "Sweep.3");
	type(s, "jv"); /* another run replaces the first */
	assert_string_equal(s->other_info.name, "lost");
	char *text = frame_text(s, 100, 24, plain);
	assert_non_null(strstr(text, ">|  lost"));
	free(text);
	type(s, "Gv"); /* a broken run does not replace the run lost */
	assert_string_equal(s->other_info.name, "lost");
	type(s, "v" BL_KEYS_HOME "jjv");
	assert_null(s->other);
	type(s, "v");
	bl_scene_free(s); /* frees the scene while another run is beside it */
}

static void test_mark_many(void **state)
{
	char name[16];
	(void)state;
	for (int i = 0; i <= BL_MARKED_MAX; i++) {
		snprintf(name, sizeof name, "z%d", i);
		bl_live_close(make(name, BL_RUN_DONE, START + (10 + i) * DAY, 1, NAN, 1));
	}
	bl_scene *s = scene_of(going);
	bl_control_key(s, 'g');
	for (int i = 0; i <= BL_MARKED_MAX; i++)
		type(s, "mj");
	assert_non_null(s->marked[BL_MARKED_MAX - 1]);
	type(s, "km");
	assert_non_null(strstr(s->notice, "runs are marked"));
	bl_scene_free(s);
}

/* --- Opening --------------------------------------------------------------------- */

/* The screen opens with a run in memory; then the run fashion is opened from the table and controlled. */
static void test_open(void **state)
{
	bl_command c;
	(void)state;
	bl_live *own = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = scene_of(own);
	type(s, "g\r");
	assert_ptr_equal(s->view, &bl_view_dashboard);
	assert_string_equal(s->info.name, "fashion");
	assert_int_equal(s->history.seen, 3);
	assert_int_equal(s->snapshot.step, -1);
	bl_control_key(s, ' ');
	assert_true(bl_live_take(going, &c));
	assert_int_equal(c.kind, BL_CMD_PAUSE);
	assert_false(bl_live_take(own, &c));
	/* Stopping the run fashion does not close the screen of t:watch(). */
	bl_control_key(s, 'Q');
	assert_int_equal(bl_control_key(s, 'y'), BL_OUTCOME_STAY);
	assert_true(bl_live_take(going, &c));
	assert_int_equal(c.kind, BL_CMD_STOP);
	type(s, "7j\r7" BL_KEYS_BACKSPACE); /* opens another run, then the first one again */
	assert_true(bl_scene_at_home(s));
	assert_string_equal(s->info.name, "recorded");
	bl_control_key(s, 'Q');
	assert_int_equal(bl_control_key(s, 'y'), BL_OUTCOME_STOP);
	bl_scene_free(s);
	bl_live_close(own);
}

static void test_open_read_only(void **state)
{
	bl_command c;
	(void)state;
	bl_scene *s = scene_of(going);
	s->read_only = true;
	type(s, "g\r Q");
	assert_false(s->asking);
	assert_false(bl_live_take(going, &c));
	assert_true(bl_live_send(s->run, (bl_command){ .kind = BL_CMD_PAUSE, .value = 0 }) < 0);
	bl_scene_free(s);
}

/* The key x exports the table as it is shown, to files with these names. */
static void test_export(void **state)
{
	(void)state;
	char before[4096];
	size_t n;
	assert_non_null(getcwd(before, sizeof before));
	bl_scene *s = scene_of(going);
	char *folder = strdup(support_scratch("data"));
	assert_int_equal(chdir(folder), 0);
	type(s, "/a\rx");
	char name[96];
	snprintf(name, sizeof name, "barlow-%s-runs-%lld.csv", s->info.name, (long long)s->info.step);
	char *text = bl_file_read(name, &n);
	assert_int_equal(chdir(before), 0);
	assert_non_null(text);
	int lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, 1 + table_of(s)->rows);
	assert_int_equal(strncmp(text, "name,state,step,total,kNN,lambda,D,started,folder\n\"", 51), 0);
	assert_memory_equal(text + 51, bl_run_table_at(table_of(s), 0)->info.name,
	                    strlen(bl_run_table_at(table_of(s), 0)->info.name));
	free(text);
	free(folder);
	bl_scene_free(s);
}

static void test_no_place(void **state)
{
	(void)state;
	unsetenv("XDG_DATA_HOME");
	unsetenv("HOME");
	bl_scene *s = scene_of(going);
	char *text = frame_text(s, 100, 24, plain);
	assert_non_null(strstr(text, "0 runs"));
	assert_non_null(strstr(text, "neither XDG_DATA_HOME nor HOME is an absolute path"));
	free(text);
	type(s, "jkgG\rmsr/x\r");
	bl_scene_free(s);
}

/* --- Tags, and the trash --------------------------------------------------------------------- */

static void put_cursor_on(bl_scene *s, const char *name)
{
	bl_run_table *t = table_of(s);
	for (int i = 0; i < t->rows; i++)
		if (strcmp(bl_run_table_at(t, i)->info.name, name) == 0)
			t->cursor = i;
	assert_string_equal(bl_run_table_at(t, t->cursor)->info.name, name);
}

static bool is_tagged(const char *id, const char *tag)
{
	char path[1024];
	bl_run_file f;
	snprintf(path, sizeof path, "%s/%s", root, id);
	bool any = bl_run_file_read(path, &f) == 0 && f.tags > 0 && strcmp(f.tag[0], tag) == 0;
	bl_run_file_free(&f);
	return any;
}

static void test_tag(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	put_cursor_on(s, "new");
	type(s,
	     "tgoox\x7f"
	     "d");
	char *text = frame_text(s, 100, 20, plain);
	assert_non_null(strstr(text, "tag: good_"));
	free(text);
	type(s, "\r");
	assert_non_null(strstr(s->notice, "new has the tag good"));
	assert_true(is_tagged("new", "good"));
	type(s, "t-good\r");
	assert_false(is_tagged("new", "good"));
	type(s, "tother\x1b");
	assert_false(is_tagged("new", "other"));
	type(s, "t\r");
	assert_non_null(strstr(s->notice, "no tag was typed"));
	s->read_only = true;
	type(s, "tq");
	assert_false(table_of(s)->tagging);
	bl_scene_free(s);
}

/* --- Chosen columns, and the difference of runs --------------------------------------------------- */

/* Writes a run.json beside an existing live file. */
static void put_facts(const char *id, const char *state, double started, double lambda, double batch, const char *encoder,
                      const char *tag)
{
	char path[1024];
	bl_run_file f = { .step = 12, .steps = 2000, .created = started, .started = started };
	snprintf(f.name, sizeof f.name, "%s", id);
	snprintf(f.state, sizeof f.state, "%s", state);
	assert_int_equal(bl_facts_set(&f.recipe, "loss.lambda", lambda, NULL), 0);
	assert_int_equal(bl_facts_set(&f.recipe, "batch", batch, NULL), 0);
	assert_int_equal(bl_facts_set(&f.recipe, "optim", 0, "adam"), 0);
	assert_int_equal(bl_facts_set(&f.recipe, "encoder", 0, encoder), 0);
	assert_int_equal(bl_facts_set(&f.metrics, "knn", lambda * 10, NULL), 0);
	assert_true(bl_run_file_tag(&f, tag, true) >= 0);
	snprintf(path, sizeof path, "%s/%s", root, id);
	assert_int_equal(bl_run_file_write(path, &f), 0);
	bl_run_file_free(&f);
}

static void put_all_facts(void)
{
	put_facts("cifar-with-a-name-as-long-as-people-make-them", "done", START, .01, 256, "nn.resnet18", "paper");
	put_facts("Sweep.3", "failed", START + 2 * DAY, .02, 64, "nn.cnn", "mine");
	put_facts("new", "stopped", START + DAY / 2, .005, 256, "nn.cnn", "mine");
}

static void test_columns(void **state)
{
	(void)state;
	put_all_facts();
	bl_scene *s = scene_of(going);
	type(s, "Closs.lambda, batch encoder,tags,knn,started");
	char *text = frame_text(s, 120, 20, plain);
	assert_non_null(strstr(text, "columns: loss.lambda, batch encoder,tags,knn,started_"));
	free(text);
	type(s, "\r");
	check_golden(s, "runs-columns-80x24", 80, 24, plain);
	check_golden(s, "runs-columns-120x40", 120, 40, plain);
	check_golden(s, "runs-columns-200x60", 200, 60, plain);
	while (strcmp(table_of(s)->by.heading, "loss.lambda") != 0)
		type(s, "s");
	expect_order(s, "Scnflj"); /* descending; runs with unknown values are ordered by start time, the newest first */
	while (strcmp(table_of(s)->by.heading, "encoder") != 0)
		type(s, "s");
	expect_order(s, "Sncflj");
	assert_true(bl_run_table_read(table_of(s)));
	expect_order(s, "Sncflj");
	type(s, "C\x1b");
	assert_string_equal(table_of(s)->names, "loss.lambda, batch encoder,tags,knn,started");
	for (int i = 0; i < 60; i++)
		type(s, i == 0 ? "C" : BL_KEYS_BACKSPACE);
	type(s, "loss.lamda\r");
	assert_non_null(strstr(s->notice, "'loss.lamda' is no column, metric or setting of any run (did you mean 'loss.lambda'?)"));
	for (int i = 0; i < 60; i++)
		type(s, i == 0 ? "C" : BL_KEYS_BACKSPACE);
	type(s, "\r");
	assert_null(table_of(s)->facts);
	text = frame_text(s, 120, 20, plain);
	assert_non_null(strstr(text, "total"));
	free(text);
	bl_scene_free(s);
}

static void test_difference(void **state)
{
	(void)state;
	put_all_facts();
	bl_scene *s = scene_of(going);
	type(s, "d");
	assert_non_null(strstr(s->notice, "mark runs with m"));
	put_cursor_on(s, "new");
	type(s, "m");
	put_cursor_on(s, "cifar-with-a-name-as-long-as-people-make-them");
	type(s, "m");
	put_cursor_on(s, "Sweep.3");
	type(s, "d");
	check_golden(s, "runs-difference-80x24", 80, 24, plain);
	check_golden(s, "runs-difference-120x40", 120, 40, plain);
	check_golden(s, "runs-difference-200x60", 200, 60, plain);
	for (int w = 1; w < 130; w += 3)
		for (int h = 1; h < 30; h += 2)
			free(frame_text(s, w, h, h % 3 ? plain : ascii));
	type(s, "jjjjjjjjk");
	char *text = frame_text(s, 120, 30, plain);
	assert_null(strstr(text, "batch"));
	assert_non_null(strstr(text, "loss.lambda"));
	free(text);
	type(s, "d");
	assert_null(table_of(s)->diff);
	type(s, "d\x1b");
	assert_null(table_of(s)->diff);
	bl_scene_free(s);
}

static bool is_there(const char *name)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", root, name);
	return access(path, F_OK) == 0;
}

static void test_delete(void **state)
{
	(void)state;
	bl_scene *s = scene_of(going);
	put_cursor_on(s, "fashion");
	type(s, "D");
	assert_non_null(strstr(s->notice, "fashion is running: stop it first"));
	put_cursor_on(s, "Sweep.3");
	type(s, "D");
	char *text = frame_text(s, 100, 20, plain);
	assert_non_null(strstr(text, "move this one to the trash? y or n"));
	free(text);
	type(s, "n");
	assert_true(is_there("Sweep.3"));
	type(s, "Dy");
	assert_false(is_there("Sweep.3"));
	assert_true(is_there("../trash/Sweep.3/live"));
	bl_scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_golden, begin, end),
		cmocka_unit_test_setup_teardown(test_every_size, begin, end),
		cmocka_unit_test_setup_teardown(test_sort, begin, end),
		cmocka_unit_test_setup_teardown(test_parameters, begin, end),
		cmocka_unit_test_setup_teardown(test_parameters_gone, begin, end),
		cmocka_unit_test_setup_teardown(test_cursor, begin, end),
		cmocka_unit_test_setup_teardown(test_click, begin, end),
		cmocka_unit_test_setup_teardown(test_filter, begin, end),
		cmocka_unit_test_setup_teardown(test_mark, begin, end),
		cmocka_unit_test_setup_teardown(test_beside, begin, end),
		cmocka_unit_test_setup_teardown(test_mark_many, begin, end),
		cmocka_unit_test_setup_teardown(test_open, begin, end),
		cmocka_unit_test_setup_teardown(test_open_read_only, begin, end),
		cmocka_unit_test_setup_teardown(test_export, begin, end),
		cmocka_unit_test_setup_teardown(test_no_place, begin, end),
		cmocka_unit_test_setup_teardown(test_tag, begin, end),
		cmocka_unit_test_setup_teardown(test_delete, begin, end),
		cmocka_unit_test_setup_teardown(test_columns, begin, end),
		cmocka_unit_test_setup_teardown(test_difference, begin, end),
	};
	return cmocka_run_group_tests_name("runs view", tests, NULL, NULL);
}
