/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A made-up run that looks like a real one. */
#include "recorded_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_EPOCH = 250 };

/* Noise in [-1, 1] from an integer hash: no library's random numbers, so that golden frames never change. */
static double noise(uint32_t a, uint32_t b)
{
	uint32_t h = a * 2654435761u ^ b * 2246822519u;
	h = (h ^ h >> 15) * 2654435769u;
	h = (h ^ h >> 13) * 3266489917u;
	return (double)(h ^ h >> 16) / 2147483648.0 - 1;
}

/* From 1 at the start to 0, as learning does: fast, then slowly. */
static double progress(int64_t step)
{
	return 1 / (1 + (double)step / 120);
}

bl_live_info recorded_info(int64_t step, int64_t steps, bl_run_state state)
{
	bl_live_info i = {.state = state,
			  .step = step,
			  .steps = steps,
			  .steps_per_epoch = PER_EPOCH,
			  .batch = RECORDED_N,
			  .d = RECORDED_D,
			  .parameters_m = 1};
	snprintf(i.name, sizeof i.name, "recorded");
	snprintf(i.message, sizeof i.message, "step 400: lambda .0051 -> .0056");
	return i;
}

bl_record recorded_record(int64_t step, double lambda)
{
	double left = progress(step), jitter = 1 + .05 * noise((uint32_t)step, 7);
	bl_record r = {.step = step, .time = .04 * (double)step, .lambda = lambda, .images_per_s = 6400};
	r.invariance = (8 + 240 * left) * jitter;
	r.redundancy = (300 + 9000 * left * left) * (1 + .05 * noise((uint32_t)step, 11));
	r.total = r.invariance + lambda * r.redundancy;
	r.floor = .32;
	r.lr = 1e-3 * (1 + cos(3.14159265358979 * (double)step / RECORDED_STEPS)) / 2;
	r.grad_norm = 5 * left;
	r.knn = step % 100 == 0 ? .86 - .3 * left : NAN;
	return r;
}

/* C_ij at a step. */
static double element(int64_t step, int i, int j)
{
	double left = progress(step);
	if (i == j)
		return 1 - .9 * left - .08 * fabs(noise((uint32_t)i, 3));
	bool redundant = i >= 64 && i < 96 && j >= 64 && j < 96;
	return .25 * left * noise((uint32_t)i, (uint32_t)j + 1000) + (redundant ? .8 * sqrt(left) : 0);
}

static void pool(int64_t step, int side, int row, int col, float *mean, float *extreme)
{
	int block = RECORDED_D / side;
	double sum = 0, most = 0;
	for (int i = row * block; i < (row + 1) * block; i++)
		for (int j = col * block; j < (col + 1) * block; j++) {
			double v = element(step, i, j);
			sum += v;
			most = fabs(v) > fabs(most) ? v : most;
		}
	*mean = (float)(sum / block / block);
	*extreme = (float)most;
}

void recorded_snapshot(int64_t step, bl_snapshot *s)
{
	memset(s, 0, sizeof *s);
	*s = (bl_snapshot){
		.step = step, .n = RECORDED_N, .d = RECORDED_D, .grid = BL_GRID_MAX, .diag = RECORDED_D, .rankme = NAN};
	for (int i = 0; i < s->grid; i++)
		for (int j = 0; j < s->grid; j++)
			pool(step, s->grid, i, j, &s->mean[i * s->grid + j], &s->extreme[i * s->grid + j]);
	for (int i = 0; i < s->diag; i++)
		s->diagonal[i] = (float)element(step, i, i);
}

bl_live *recorded_run(const char *path, int64_t step, bl_run_state state)
{
	bl_live_info info = recorded_info(0, RECORDED_STEPS, BL_RUN_RUNNING);
	bl_live *l = bl_live_create(path, &info);
	bl_snapshot *s = malloc(sizeof *s);
	for (int64_t i = 1; l && i <= step; i++) {
		bl_record r = recorded_record(i, i < 400 ? .0051 : .0056);
		bl_live_add(l, &r);
	}
	if (l && s && step > 0) {
		recorded_snapshot(step, s);
		bl_live_publish(l, s);
	}
	if (l) {
		info = recorded_info(step, RECORDED_STEPS, state);
		bl_live_set_info(l, &info);
	}
	free(s);
	return l;
}
