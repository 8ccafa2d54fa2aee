/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_tune.c: measures the time of each algorithm for a shape. */
#include "tensor/conv/conv.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <stdlib.h>

enum { TURNS = 5 };
#define ENOUGH .01 /* a measurement takes at least this many seconds */
#define BETTER .97 /* the rule's algorithm is replaced if another one takes less than this share of its time */

typedef struct trial {
	bl_conv g;
	float *x, *w, *y;
} trial;

static float *random_array(int64_t n, uint32_t seed)
{
	float *v = bl_block_take((size_t)n * sizeof *v);
	for (int64_t i = 0; v && i < n; i++, seed = seed * 1664525 + 1013904223)
		v[i] = (float)(seed >> 8) / (1 << 23) - 1;
	return v;
}

/* The results overwrite the arrays.  Their values do not matter as long as they stay small. */
static int run(const trial *t, bl_conv_direction d)
{
	if (d == BL_CONV_FORWARD)
		return bl_conv_forward(&t->g, t->x, t->w, NULL, t->y);
	if (d == BL_CONV_DATA_GRADIENT)
		return bl_conv_data_gradient(&t->g, t->y, t->w, t->x, false);
	return bl_conv_weight_gradient(&t->g, t->x, t->y, t->w, false);
}

/* The mean time of consecutive runs in milliseconds; negative: a run failed. */
static double timing(const trial *t, bl_conv_direction d)
{
	double start = bl_now(), seconds = 0;
	int runs = 0;
	for (; seconds < ENOUGH; runs++, seconds = bl_now() - start)
		if (run(t, d) != 0)
			return -1;
	return 1000 * seconds / runs;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Measures the algorithms in turn, so that other load on the machine affects all of them; ms: the medians. */
static int time_direction(trial *t, bl_conv_direction d, double ms[BL_CONV_ALGORITHMS])
{
	double v[BL_CONV_ALGORITHMS][TURNS];
	for (int turn = -1; turn < TURNS; turn++) /* the first turn only warms up */
		for (int a = 1; bl_conv_algorithms()[a]; a++) {
			if (!bl_conv_fits(&t->g, (bl_conv_algorithm)a))
				continue;
			t->g.by[d] = (bl_conv_algorithm)a;
			double one = turn < 0 ? run(t, d) : timing(t, d);
			if (one < 0)
				return -1;
			if (turn >= 0)
				v[a][turn] = one;
		}
	for (int a = 1; bl_conv_algorithms()[a]; a++)
		if (bl_conv_fits(&t->g, (bl_conv_algorithm)a)) {
			qsort(v[a], TURNS, sizeof v[a][0], by_size);
			ms[a] = v[a][TURNS / 2];
		}
	return 0;
}

bl_conv_algorithm bl_conv_fastest(const bl_conv *g, const double ms[BL_CONV_ALGORITHMS])
{
	bl_conv_algorithm rule = bl_conv_rule(g), best = rule;
	for (int a = 1; bl_conv_algorithms()[a]; a++)
		if (ms[a] > 0 && ms[a] < ms[best] && ms[a] < BETTER * ms[rule])
			best = (bl_conv_algorithm)a;
	return best;
}

static int time_all(trial *t, bl_tuning *out)
{
	for (int d = 0; d < BL_CONV_DIRECTIONS; d++) {
		if (time_direction(t, (bl_conv_direction)d, out->ms[d]) != 0)
			return -1;
		out->best.by[d] = bl_conv_fastest(&t->g, out->ms[d]);
	}
	return 0;
}

int bl_conv_tune(const bl_conv_key *k, int64_t n, bl_tuning *out)
{
	trial t = { .g = bl_conv_of_key(k, n) };
	const bl_conv *g = &t.g;
	*out = (bl_tuning){ .best.key = *k };
	t.x = random_array(n * g->h * g->w * g->c, 1);
	t.w = random_array(g->k * (g->c / g->groups) * g->r * g->s, 2);
	t.y = random_array(n * g->p * g->q * g->k, 3);
	int rc = t.x && t.w && t.y ? time_all(&t, out) : -1;
	bl_block_give(t.x);
	bl_block_give(t.w);
	bl_block_give(t.y);
	return rc;
}
