/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a run, thinned to what a screen or a figure can show. */
#include "train/history.h"

#include <math.h>

void bl_history_reset(bl_history *h)
{
	*h = (bl_history){.stride = 1};
}

/* Pairs of full bins become one; an even number of bins is there. */
static void merge(bl_history *h)
{
	for (int i = 0; i < h->bins / 2; i++) {
		h->step[i] = (h->step[2 * i] + h->step[2 * i + 1]) / 2;
		for (int t = 0; t < BL_TERMS; t++)
			h->term[t][i] = (h->term[t][2 * i] + h->term[t][2 * i + 1]) / 2;
	}
	h->bins /= 2;
	h->stride *= 2;
	h->fill = (int)h->stride;
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
		for (int t = 0; t < BL_TERMS; t++)
			h->term[t][k] = 0;
	}
	int k = h->bins - 1;
	const double v[BL_TERMS] = {r->invariance, r->lambda * r->redundancy, r->total, r->floor};
	into_bin(&h->step[k], (double)r->step, h->fill);
	for (int t = 0; t < BL_TERMS; t++)
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

bool bl_history_read(bl_history *h, const bl_live *run)
{
	int64_t length = bl_live_length(run), from = h->seen;
	while (h->seen < length && h->seen - from < BL_HISTORY_READ && bl_live_record(run, h->seen, &h->last)) {
		add_terms(h, &h->last);
		add_knn(h, &h->last);
		h->seen++;
	}
	return h->seen > from;
}
