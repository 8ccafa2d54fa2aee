/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_keys.c: every key of keys.h has its effect.  Keys that change the run are pressed while a trainer runs, and the
 * test waits until the run has reacted; other keys have to change the screen.  test_runs_view tests the keys of the table
 * of runs.
 */
#include "frozen_run.h"
#include "support.h"

#include "recorded_run.h"
#include "view/key_actions.h"
#include "view/frame.h"

#include <barlow/train.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MIDWAY = 700, WIDTH = 130, HEIGHT = 44, PATIENCE = 20000 };

static const bl_ability can = { .depth = BL_DEPTH_FULL, .utf8 = true };

static bool tested[BL_REQUEST_COUNT];

/* --- Keys that change the screen ----------------------------------------------------- */

/* Publishes the snapshot that the view has requested from the run, as a trainer would. */
static void answer(bl_scene *s)
{
	bl_region asked;
	bl_snapshot *p = malloc(sizeof *p);
	assert_non_null(p);
	if (bl_live_requested(s->run, &asked)) {
		recorded_snapshot(s->info.step, p);
		recorded_region(s->info.step, &asked, p);
		bl_live_publish(s->run, p);
	}
	free(p);
	bl_scene_read(s);
}

static void draw(bl_scene *s, bl_canvas *c)
{
	bl_scene_read(s);
	answer(s);
	c->can = bl_scene_ability(s, can);
	bl_frame_draw(s, c);
	s->on = c;
}

static void press(bl_scene *s, bl_canvas *c, const char *keys)
{
	for (; *keys; keys++) {
		bl_control_key(s, BL_KEY(keys));
		draw(s, c);
	}
}

/* Compares two frames without the footer, which shows notices. */
static bool same_picture(const bl_canvas *a, const bl_canvas *b)
{
	size_t cells = (size_t)a->width * (size_t)(a->height - 2);
	for (size_t i = 0; i < cells; i++)
		if (a->cells[i].glyph != b->cells[i].glyph || a->cells[i].fg != b->cells[i].fg ||
		    a->cells[i].bg != b->cells[i].bg || a->cells[i].bold != b->cells[i].bold)
			return false;
	return true;
}

/* Asserts that each key of the request changes the frame, after the keys in `before`. */
static void check_picture(bl_request r, const char *before)
{
	for (const char *key = bl_request_describe(r)->keys; *key; key++) {
		bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
		bl_scene *s = bl_scene_new(run);
		bl_canvas *a = bl_canvas_new(WIDTH, HEIGHT, can), *b = bl_canvas_new(WIDTH, HEIGHT, can);
		assert_true(run && s && a && b);
		if (r == BL_REQUEST_SEVERAL)
			s->marked[0] = recorded_run(NULL, MIDWAY / 2, BL_RUN_RUNNING);
		draw(s, b);
		press(s, b, before);
		draw(s, a);
		bl_control_key(s, BL_KEY(key));
		draw(s, b);
		if (same_picture(a, b))
			fail_msg("'%s', then key %d (%s) changes nothing", before, BL_KEY(key), bl_request_describe(r)->help);
		bl_canvas_free(a);
		bl_canvas_free(b);
		bl_scene_free(s);
		bl_live_close(run);
	}
	tested[r] = true;
}

static void test_pictures(void **state)
{
	(void)state;
	static const struct {
		bl_request request;
		const char *before;
	} all[] = {
		{ BL_REQUEST_HELP, "2" },
		{ BL_REQUEST_DASHBOARD, "2" },
		{ BL_REQUEST_HEATMAP, "" },
		{ BL_REQUEST_CURVES, "" },
		{ BL_REQUEST_SPECTRUM, "" },
		{ BL_REQUEST_SAMPLES, "" },
		{ BL_REQUEST_EMBEDDING, "" },
		{ BL_REQUEST_RUNS, "" },
		{ BL_REQUEST_SETTINGS, "" },
		{ BL_REQUEST_POOL, "2" },
		{ BL_REQUEST_SYMLOG, "2" },
		{ BL_REQUEST_LIGHT, "2" },
		{ BL_REQUEST_LEFT, "2l" },
		{ BL_REQUEST_RIGHT, "2h" },
		{ BL_REQUEST_UP, "2j" },
		{ BL_REQUEST_DOWN, "2k" },
		{ BL_REQUEST_FAR_LEFT, "2l" },
		{ BL_REQUEST_FAR_RIGHT, "2h" },
		{ BL_REQUEST_FAR_UP, "2j" },
		{ BL_REQUEST_FAR_DOWN, "2k" },
		{ BL_REQUEST_ZOOM_IN, "2" },
		{ BL_REQUEST_ZOOM_OUT, "2zz" },
		{ BL_REQUEST_WHOLE, "2zz" },
		{ BL_REQUEST_KIND, "2" },
		{ BL_REQUEST_ORDER, "2" },
		{ BL_REQUEST_FREEZE, "2" },
		{ BL_REQUEST_DIFFERENCE, "2f[[[" },
		{ BL_REQUEST_SEVERAL, "2" },
		{ BL_REQUEST_EARLIER, "2" },
		{ BL_REQUEST_LATER, "2[[[" },
		{ BL_REQUEST_FIRST, "2" },
		{ BL_REQUEST_NOW, "2[" },
		{ BL_REQUEST_CURVES_CHOOSE, "3" },
		{ BL_REQUEST_CURVES_ONLY, "3" },
		{ BL_REQUEST_CURVES_DOWN, "3" },
		{ BL_REQUEST_CURVES_UP, "3" },
		{ BL_REQUEST_CURVES_SMOOTHER, "3" },
		{ BL_REQUEST_CURVES_ROUGHER, "3w" },
		{ BL_REQUEST_CURVES_AXIS, "3" },
		{ BL_REQUEST_CURVES_LOG_X, "3" },
		{ BL_REQUEST_CURVES_IN, "3" },
		{ BL_REQUEST_CURVES_OUT, "3zz" },
		{ BL_REQUEST_CURVES_WHOLE, "3zz" },
		{ BL_REQUEST_CURVES_LEFT, "3" },
		{ BL_REQUEST_CURVES_RIGHT, "3HH" },
		{ BL_REQUEST_CURVES_FAR_LEFT, "3" },
		{ BL_REQUEST_CURVES_FAR_RIGHT, "3HH" },
		{ BL_REQUEST_CURVES_BACK, "3zz" },
		{ BL_REQUEST_CURVES_ON, "3zz" BL_KEYS_PAGE_UP BL_KEYS_PAGE_UP },
		{ BL_REQUEST_CURVES_FIRST, "3" },
		{ BL_REQUEST_CURVES_NOW, "3H" },
		{ BL_REQUEST_SPECTRUM_EARLIER, "4" },
		{ BL_REQUEST_SPECTRUM_LATER, "4[[[" },
		{ BL_REQUEST_SPECTRUM_FIRST, "4" },
		{ BL_REQUEST_SPECTRUM_NOW, "4[" },
		{ BL_REQUEST_SAMPLES_NEXT, "5" },
		{ BL_REQUEST_SAMPLES_BACK, "5nn" },
		{ BL_REQUEST_SAMPLES_AGAIN, "5" },
		{ BL_REQUEST_EMBEDDING_EARLIER, "6" },
		{ BL_REQUEST_EMBEDDING_LATER, "6[[[" },
		{ BL_REQUEST_EMBEDDING_FIRST, "6" },
		{ BL_REQUEST_EMBEDDING_NOW, "6[" },
		{ BL_REQUEST_EMBEDDING_DOWN, "6" },
		{ BL_REQUEST_EMBEDDING_UP, "6" },
		{ BL_REQUEST_SETTINGS_DOWN, "8" },
		{ BL_REQUEST_SETTINGS_UP, "8" },
		{ BL_REQUEST_SETTINGS_ON, "8" },
		{ BL_REQUEST_SETTINGS_BACK, "8" },
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		check_picture(all[i].request, all[i].before);
}

/* Tests the help on a screen that is too small for it. */
static void test_help(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = bl_scene_new(run);
	bl_canvas *a = bl_canvas_new(80, 24, can), *b = bl_canvas_new(80, 24, can);
	draw(s, a);
	press(s, a, "2?");
	for (const char *key = bl_request_describe(BL_REQUEST_HELP_DOWN)->keys; *key; key++) {
		draw(s, a);
		press(s, b, (char[]){ *key, '\0' });
		assert_false(same_picture(a, b));
	}
	for (const char *key = bl_request_describe(BL_REQUEST_HELP_UP)->keys; *key; key++) {
		draw(s, a);
		press(s, b, (char[]){ *key, '\0' });
		assert_false(same_picture(a, b));
	}
	tested[BL_REQUEST_HELP_DOWN] = tested[BL_REQUEST_HELP_UP] = true;
	bl_canvas_free(a);
	bl_canvas_free(b);
	bl_scene_free(s);
	bl_live_close(run);
}

/* The effect of the mouse depends on its position. */
static void test_mouse(void **state)
{
	(void)state;
	static const struct {
		bl_request request;
		const char *before;
		bl_mouse_kind kind;
	} all[] = { { BL_REQUEST_HEATMAP_MOUSE, "2", BL_MOUSE_CLICK },
		    { BL_REQUEST_HEATMAP_MOUSE, "2", BL_MOUSE_WHEEL_UP },
		    { BL_REQUEST_CURVES_MOUSE, "3", BL_MOUSE_WHEEL_UP } };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
		bl_scene *s = bl_scene_new(run);
		bl_canvas *a = bl_canvas_new(WIDTH, HEIGHT, can), *b = bl_canvas_new(WIDTH, HEIGHT, can);
		draw(s, b);
		press(s, b, all[i].before);
		draw(s, a);
		bl_control_key(s, bl_key_of_mouse((bl_mouse){ all[i].kind, 10, 10 }));
		draw(s, b);
		assert_false(same_picture(a, b));
		tested[all[i].request] = true;
		bl_canvas_free(a);
		bl_canvas_free(b);
		bl_scene_free(s);
		bl_live_close(run);
	}
}

/* --- Keys that close the screen, and keys that write files --------------------------------------------- */

static void test_rest(void **state)
{
	(void)state;
	char here[4096];
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = bl_scene_new(run);
	bl_canvas *c = bl_canvas_new(WIDTH, HEIGHT, can);
	draw(s, c);
	assert_int_equal(bl_control_key(s, '\f'), BL_OUTCOME_REDRAW);
	assert_int_equal(bl_control_key(s, 'q'), BL_OUTCOME_QUIT);
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(support_scratch("")), 0);
	bl_control_key(s, 'x');
	bl_control_key(s, 's');
	bool wrote =
		access("barlow-recorded-dashboard-700.csv", R_OK) == 0 && access("barlow-recorded-dashboard-700.txt", R_OK) == 0;
	assert_int_equal(chdir(here), 0);
	assert_true(wrote);
	tested[BL_REQUEST_REDRAW] = tested[BL_REQUEST_QUIT] = tested[BL_REQUEST_SAVE] = tested[BL_REQUEST_SHOT] = true;
	bl_canvas_free(c);
	bl_scene_free(s);
	bl_live_close(run);
}

/* --- Keys that change the run ------------------------------------------------------------ */

struct stage {
	bl_trainer *t;
	bl_scene *s;
	int saved;
};

static int save(void *ctx, bl_save_why why)
{
	struct stage *g = ctx;
	g->saved += why == BL_SAVE_ASKED;
	return 0;
}

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static void stage_start(struct stage *g, bool labelled)
{
	*g = (struct stage){ .t = frozen_run(24, labelled) };
	assert_int_equal(bl_trainer_save_to(g->t, support_scratch("live"), save, g), 0);
	g->s = bl_scene_new(bl_trainer_live(g->t));
	assert_non_null(g->s);
	assert_int_equal(bl_trainer_start(g->t), 0);
	while (bl_live_length(g->s->run) < 3)
		rest();
	bl_scene_read(g->s);
}

static void stage_free(struct stage *g)
{
	bl_scene_free(g->s);
	bl_trainer_free(g->t);
}

/* Presses the key, and waits for its effect, at most some seconds. */
static void press_until(struct stage *g, bl_request r, bool (*done)(const struct stage *g))
{
	bl_control_key(g->s, BL_KEY(bl_request_describe(r)->keys));
	for (int i = 0; i < PATIENCE; i++, rest()) {
		bl_scene_read(g->s);
		if (done(g)) {
			tested[r] = true;
			return;
		}
	}
	fail_msg("'%s' has had no effect: %s; %s", bl_request_describe(r)->shown, g->s->notice, g->s->info.message);
}

static bool is_paused(const struct stage *g)
{
	return g->s->info.state == BL_RUN_PAUSED;
}

static bool is_running(const struct stage *g)
{
	return g->s->info.state == BL_RUN_RUNNING;
}

static int64_t steps_before;
static double lambda_before;

static bool made_one_step(const struct stage *g)
{
	return is_paused(g) && g->s->info.step == steps_before + 1 && bl_live_length(g->s->run) == steps_before + 1;
}

/* How many times was kNN measured? */
static int knns(const bl_scene *s)
{
	return s->history.have[bl_columns_find(&s->history.columns, "knn")];
}

static bool lambda_rose(const struct stage *g)
{
	return fabs(bl_history_value(&g->s->history, "lambda") / lambda_before - 1.1) < 1e-9;
}

static bool lambda_fell(const struct stage *g)
{
	return fabs(bl_history_value(&g->s->history, "lambda") / lambda_before - 1 / 1.1) < 1e-9;
}

static bool was_saved(const struct stage *g)
{
	return g->saved == 1;
}

static bool is_stopped(const struct stage *g)
{
	return g->s->info.state == BL_RUN_STOPPED;
}

/* The requested kNN is in the record of a step and in a message. */
static bool knn_came(const struct stage *g)
{
	return knns(g->s) > 0 && strstr(g->s->notice, "kNN ") && strstr(g->s->notice, ", as requested");
}

/* A paused run writes no record, so the kNN is only in the message. */
static bool knn_said(const struct stage *g)
{
	char step[32];
	snprintf(step, sizeof step, "step %lld: kNN ", (long long)g->s->info.step);
	return strstr(g->s->notice, step) == g->s->notice;
}

static bool knn_refused(const struct stage *g)
{
	return strstr(g->s->notice, "no kNN: the trainer was given no labelled images") != NULL;
}

static void test_run(void **state)
{
	(void)state;
	struct stage g;
	stage_start(&g, true);
	press_until(&g, BL_REQUEST_EVAL, knn_came);
	assert_true(bl_history_value(&g.s->history, "knn") > .9 && knns(g.s) == 1); /* each image is its own neighbour */
	press_until(&g, BL_REQUEST_CHECKPOINT, was_saved);
	press_until(&g, BL_REQUEST_PAUSE, is_paused);
	press_until(&g, BL_REQUEST_EVAL, knn_said);
	assert_int_equal(knns(g.s), 1);
	steps_before = g.s->info.step;
	press_until(&g, BL_REQUEST_STEP, made_one_step);
	press_until(&g, BL_REQUEST_PAUSE, is_running);
	lambda_before = bl_history_value(&g.s->history, "lambda");
	press_until(&g, BL_REQUEST_TURN_UP, lambda_rose);
	lambda_before = bl_history_value(&g.s->history, "lambda");
	press_until(&g, BL_REQUEST_TURN_DOWN, lambda_fell);
	bl_control_key(g.s, 'Q');
	assert_int_equal(bl_control_key(g.s, 'y'), BL_OUTCOME_STOP);
	for (int i = 0; i < PATIENCE && !is_stopped(&g); i++, rest())
		bl_scene_read(g.s);
	assert_true(is_stopped(&g));
	tested[BL_REQUEST_STOP] = true;
	stage_free(&g);
}

static void test_without_labels(void **state)
{
	(void)state;
	struct stage g;
	stage_start(&g, false);
	press_until(&g, BL_REQUEST_EVAL, knn_refused);
	assert_int_equal(knns(g.s), 0);
	stage_free(&g);
}

/* Each key has to occur in one of these tests. */
static void test_every_key_is_tested(void **state)
{
	(void)state;
	tested[BL_REQUEST_INTERRUPT] = true; /* the loop of the screen handles it: tests/term/test_watch.sh */
	for (int r = 1; r < BL_REQUEST_COUNT; r++)
		if (!tested[r] && bl_request_describe((bl_request)r)->scope != BL_SCOPE_RUNS)
			fail_msg("no test has seen an effect of '%s': %s", bl_request_describe((bl_request)r)->shown,
			         bl_request_describe((bl_request)r)->help);
}

int main(void)
{
	setenv("XDG_DATA_HOME", support_scratch("data"), 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_without_labels),
		cmocka_unit_test(test_every_key_is_tested),
	};
	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
