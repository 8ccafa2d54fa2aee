/* SPDX-License-Identifier: GPL-3.0-or-later */
/* track.c: one run's metrics over a range of its steps (track.h). */
#include "view/track.h"

#include <math.h>
#include <stdio.h>

void bl_track_follow(bl_track *t, bl_live *run)
{
	if (t->run == run)
		return;
	bl_live_close(t->run);
	t->run = run ? bl_live_ref(run) : NULL;
	t->name[0] = '\0';
	bl_history_reset(&t->h);
	t->from = t->until = 0;
	if (!run)
		return;
	bl_live_info info;
	bl_live_info_get(run, &info);
	snprintf(t->name, sizeof t->name, "%s", info.name);
}

bool bl_track_read(bl_track *t, int64_t from, int64_t until, int64_t most)
{
	bool anew = from != t->from || until < t->until;
	if (anew || t->h.stride == 0)
		bl_history_start(&t->h, from);
	t->from = from;
	t->until = until;
	return bl_history_read_some(&t->h, t->run, until, most) || anew;
}

void bl_smooth(const double *in, double *out, int n, double weight)
{
	double sum = 0, left = 1; /* weight^n */
	for (int i = 0; i < n; i++) {
		out[i] = in[i];
		if (!isfinite(in[i]) || weight <= 0)
			continue;
		sum = weight * sum + (1 - weight) * in[i];
		left *= weight;
		out[i] = sum / (1 - left);
	}
}

void bl_track_smooth(bl_track *t, double weight)
{
	for (int m = 0; m < t->h.columns.n; m++) {
		const double *x, *y;
		int n = bl_track_line(t, m, false, &x, &y);
		bl_smooth(y, t->smooth[m], n, weight);
	}
	t->weight = weight;
}

int bl_track_line(const bl_track *t, int column, bool smooth, const double **x, const double **y)
{
	int n = bl_history_line(&t->h, column, x, y);
	if (smooth)
		*y = t->smooth[column];
	return n;
}

int bl_track_nearest(const double *x, int n, double at)
{
	int lo = 0, hi = n - 1;
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (x[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return n > 0 && lo > 0 && at - x[lo - 1] < x[lo] - at ? lo - 1 : lo < n ? lo : -1;
}
