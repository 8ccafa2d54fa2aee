/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_budget.c: the cost of observing and of saving a run, relative to its training time.
 *
 * This program's own clock_gettime() replaces the C library's.  On request, it advances by a millisecond per call, so that
 * the cost of an operation is the number of times that it reads the clock.
 */
#include "support.h"

#include "monitor/monitor.h"
#include "train/trainer.h"

#include <barlow/parallel.h>

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define TICK 1e-3

static bool counted; /* the simulated clock is in use */
static long looks;

int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	if (!counted || id != CLOCK_MONOTONIC)
		return real(id, t);
	long ms = ++looks;
	*t = (struct timespec){ 1000 + ms / 1000, ms % 1000 * 1000000 };
	return 0;
}

static bl_snapshot shot;

typedef struct watched {
	bl_tensor *z;
	bl_live *live;
	bl_monitor *m;
	bl_monitor_input look;
} watched;

/* Lets the monitor make the frame of step 1, which does not count towards the budget but gives an estimate for the next frame. */
static watched watch(int64_t side, bool asked)
{
	static const bl_region all = { .rows = 4, .cols = 4 };
	watched w = { .z = bl_tensor_new(2, (int64_t[]){ side, side }) };
	bl_tensor_normal(w.z, 3, 1, 0, 1);
	w.live = bl_live_create(NULL, &(bl_live_info){ .steps = 10 }, NULL);
	w.m = bl_monitor_new(1e9, side, side, NULL);
	w.look = (bl_monitor_input){ .step = 1, .dialect = BL_DIALECT_PAPER, .z = { w.z, w.z } };
	if (asked)
		assert_int_equal(bl_live_request(w.live, &all), 0);
	counted = true;
	assert_int_equal(bl_monitor_publish(w.m, &w.look, w.live), 0);
	return w;
}

static void forget(watched *w)
{
	counted = false;
	bl_monitor_free(w->m);
	bl_live_close(w->live);
	bl_tensor_unref(w->z);
}

/* Does the monitor make a frame after this number of seconds of training, of which step 2 takes half and step 3 the rest? */
static bool frame_after(double trained, bool asked)
{
	watched w = watch(16, asked);
	for (w.look.step = 2; w.look.step <= 3; w.look.step++) {
		w.look.trained = w.look.step == 2 ? trained / 2 : trained;
		assert_int_equal(bl_monitor_publish(w.m, &w.look, w.live), 0);
	}
	bool made = bl_live_snapshot(w.live, &shot) == 3;
	forget(&w);
	return made;
}

/* Making a frame reads the clock once between its start and its end, so it costs one tick. */
static void frames_stay_within_their_budget(void **state)
{
	(void)state;
	assert_false(frame_after(.98 * TICK / .006, false));
	assert_true(frame_after(1.02 * TICK / .006, false));
	assert_false(frame_after(.98 * TICK / .02, true));
	assert_true(frame_after(1.02 * TICK / .02, true));
}

/* The expected cost of the first spectrum with this number of rows and columns. */
static double guess(double side)
{
	return 1e-9 * side * side * 11 * side;
}

static int spectrum_after(int64_t side, double trained, bool last)
{
	watched w = watch(side, false);
	w.look.step = 2;
	w.look.trained = trained;
	w.look.last = last;
	assert_int_equal(bl_monitor_publish(w.m, &w.look, w.live), 0);
	int made = bl_live_snapshot(w.live, &shot) == 2 ? shot.spectrum : -1;
	forget(&w);
	return made;
}

static void the_spectrum_stays_within_its_budget(void **state)
{
	enum { SIDE = 64 };
	(void)state;
	assert_int_equal(spectrum_after(SIDE, .98 * guess(SIDE) / .005, false), 0);
	assert_int_equal(spectrum_after(SIDE, 1.02 * guess(SIDE) / .005, false), SIDE);
}

/* The last step has a spectrum even if the budget does not allow one, unless computing it would take over a second. */
static void the_end_has_a_spectrum(void **state)
{
	enum { SMALL = 64, LARGE = 456 };
	(void)state;
	assert_true(guess(LARGE) > 1);
	assert_int_equal(spectrum_after(SMALL, 1e-9, true), SMALL);
	assert_int_equal(spectrum_after(LARGE, 1e9, true), 0);
}

/* --- Saving ------------------------------------------------------------------------------------ */

static int saves;

static int count(void *ctx, bl_save_why why)
{
	(void)ctx;
	saves += why == BL_SAVE_REGULAR;
	return 0;
}

/* Does a run at this step save itself, `since` seconds of training after a save that took `cost`? */
static bool saved(bl_trainer *t, int64_t step, double since, double cost)
{
	saves = 0;
	t->step = step;
	t->saved_at = 100;
	t->trained = 100 + since;
	t->save_cost = cost;
	bl_trainer_save_due(t);
	return saves == 1;
}

static void saving_costs_one_percent(void **state)
{
	(void)state;
	bl_dataset *d = bl_dataset_shapes(&(bl_shapes_config){ .n = 64, .size = 8, .channels = 1, .seed = 1 });
	bl_pipeline *p = bl_pipeline_parse("flip");
	bl_module *encoder = bl_nn_sequential(), *flat = bl_nn_flatten(), *linear = bl_nn_linear(64, 8, true);
	bl_nn_append(encoder, NULL, flat);
	bl_nn_append(encoder, NULL, linear);
	bl_trainer *t = bl_trainer_new(&(bl_trainer_config){ .data = d,
	                                                     .first = p,
	                                                     .second = p,
	                                                     .encoder = encoder,
	                                                     .batch = 16,
	                                                     .optim = bl_optim_default("sgd"),
	                                                     .epochs = 100,
	                                                     .seed = 1 });
	if (!t)
		fail_msg("%s", bl_error());
	assert_int_equal(bl_trainer_save_to(t, support_scratch("budget"), count, NULL), 0);
	assert_int_equal(t->steps_per_epoch, 4);
	assert_true(saved(t, 8, 101, 1));
	assert_false(saved(t, 8, 99, 1));
	assert_false(saved(t, 7, 101, 1)); /* step 7 is not the end of an epoch ... */
	assert_false(saved(t, 7, 599, 1));
	assert_true(saved(t, 7, 601, 1)); /* ... but the last save is more than ten minutes ago */
	assert_false(saved(t, 7, 601, 7));
	bl_trainer_free(t);
	bl_module_unref(linear);
	bl_module_unref(flat);
	bl_module_unref(encoder);
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_stay_within_their_budget),
		cmocka_unit_test(the_spectrum_stays_within_its_budget),
		cmocka_unit_test(the_end_has_a_spectrum),
		cmocka_unit_test(saving_costs_one_percent),
	};
	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
