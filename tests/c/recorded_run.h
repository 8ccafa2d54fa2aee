/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorded_run.h: a simulated run that looks like a real one, the same on every machine, for tests of the views. */
#ifndef BARLOW_TESTS_C_RECORDED_RUN_H
#define BARLOW_TESTS_C_RECORDED_RUN_H

#include <barlow/live.h>

enum { RECORDED_D = 256, RECORDED_N = 256, RECORDED_STEPS = 2000, RECORDED_VIEW = 28, RECORDED_PUBLISHED = 12 };

/* The indices of the run's columns. */
enum {
	RECORDED_TIME,
	RECORDED_INVARIANCE,
	RECORDED_REDUNDANCY,
	RECORDED_WEIGHTED,
	RECORDED_LAMBDA,
	RECORDED_TOTAL,
	RECORDED_FLOOR,
	RECORDED_LR,
	RECORDED_GRAD_NORM,
	RECORDED_IMAGES_PER_S,
	RECORDED_KNN,
	RECORDED_COLUMNS,
};
void recorded_columns(bl_columns *out);
bl_live *recorded_live(const char *path, const bl_live_info *info); /* an empty run with these columns */

bl_live_info recorded_info(int64_t step, int64_t steps, bl_run_state state);
bl_record recorded_record(int64_t step, double lambda);
/*
 * Element (i, j) of C, which consists of decreasing noise, an increasing diagonal, and one block of redundant dimensions.  The
 * spectrum becomes flatter; there is a pair of views, and points of ten labels that move apart.
 */
double recorded_element(int64_t step, int i, int j);
void recorded_snapshot(int64_t step, bl_snapshot *out);
/* Adds the requested region to the snapshot of the same step. */
void recorded_region(int64_t step, const bl_region *asked, bl_snapshot *out);

/* The first `step` steps of the run, in a live file at the path, or in memory if the path is NULL. */
bl_live *recorded_run(const char *path, int64_t step, bl_run_state state);

#endif
