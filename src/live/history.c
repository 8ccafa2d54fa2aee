/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a run, thinned to what a screen or a figure can show. */
#include "live/history.h"

#include <math.h>
#include <string.h>

void bl_history_reset(bl_history *h)
{
	*h = (bl_history){.stride = 1};
}

void bl_history_start(bl_history *h, int64_t from)
{
	bl_history_reset(h);
	h->seen = from;
}

/* Pairs of full bins become one; an even number of bins is there. */
static void merge(bl_history *h)
{
	for (int i = 0; i < h->bins / 2; i++) {
		h->step[i] = (h->step[2 * i] + h->step[2 * i + 1]) / 2;
		for (int t = 0; t < BL_METRICS; t++)
			h->term[t][i] = (h->term[t][2 * i] + h->term[t][2 * i + 1]) / 2;
	}
	h->bins /= 2;
	h->stride *= 2;
}

static void into_bin(double *mean, double v, int have)
{
	*mean += (v - *mean) / (have + 1);
}

static void add_terms(bl_history *h, const bl_record *r)
{
	if (h->bins == 0 || h->fill == h->stride) {
		if (h->bins == BL_HISTORY_BINS)
			merge(h);
		int k = h->bins++;
		h->fill = 0;
		h->step[k] = 0;
		for (int t = 0; t < BL_METRICS; t++)
			h->term[t][k] = 0;
	}
	int k = h->bins - 1;
	const double v[BL_METRICS] = {r->invariance, r->lambda * r->redundancy, r->total,     r->floor,
				      r->redundancy, r->lambda,                 r->lr,        r->grad_norm,
				      r->images_per_s};
	into_bin(&h->step[k], (double)r->step, h->fill);
	for (int t = 0; t < BL_METRICS; t++)
		into_bin(&h->term[t][k], v[t], h->fill);
	h->fill++;
}

/* Measured rarely; should they fill up, every other one goes. */
static void add_knn(bl_history *h, const bl_record *r)
{
	if (isnan(r->knn))
		return;
	if (h->knns == BL_HISTORY_BINS) {
		for (int i = 0; i < h->knns / 2; i++) {
			h->knn_step[i] = h->knn_step[2 * i + 1];
			h->knn[i] = h->knn[2 * i + 1];
		}
		h->knns /= 2;
	}
	h->knn_step[h->knns] = (double)r->step;
	h->knn[h->knns++] = r->knn;
}

/* `before` is the record before r. */
static void add_turn(bl_history *h, const bl_record *before, const bl_record *r)
{
	if (before->step == 0 || r->lambda == before->lambda)
		return;
	bl_turn *last = h->turns ? &h->turn[h->turns - 1] : NULL;
	if (last && last->last == before->step) {
		last->last = r->step;
		last->to = r->lambda;
		return;
	}
	if (h->turns == BL_HISTORY_TURNS)
		memmove(&h->turn[0], &h->turn[1], (size_t)--h->turns * sizeof h->turn[0]);
	h->turn[h->turns++] = (bl_turn){r->step, r->step, before->lambda, r->lambda};
}

bool bl_history_read_some(bl_history *h, const bl_live *run, int64_t until, int64_t most)
{
	int64_t length = bl_live_length(run), from = h->seen;
	int64_t end = until < length ? until : length;
	bl_record r;
	while (h->seen < end && h->seen - from < most && bl_live_record(run, h->seen, &r)) {
		add_terms(h, &r);
		add_knn(h, &r);
		add_turn(h, &h->last, &r);
		h->last = r;
		h->seen++;
	}
	return h->seen > from;
}

bool bl_history_read(bl_history *h, const bl_live *run)
{
	return bl_history_read_some(h, run, INT64_MAX, BL_HISTORY_READ);
}
