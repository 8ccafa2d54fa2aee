/* SPDX-License-Identifier: GPL-3.0-or-later */
/* timeline.c: values of the snapshots that a run has stored (timeline.h). */
#include "view/timeline.h"

#include <math.h>
#include <string.h>

/* The effective rank (Roy and Vetterli, 2007) of the eigenvalues that the snapshot has. */
static double effective_rank(const float *v, int n)
{
	double sum = 0, entropy = 0;
	for (int i = 0; i < n; i++)
		sum += fmax(v[i], 0);
	for (int i = 0; i < n && sum > 0; i++) {
		double p = fmax(v[i], 0) / sum;
		entropy -= p > 0 ? p * log(p) : 0;
	}
	return sum > 0 ? exp(entropy) : NAN;
}

static void take(bl_moment *m, const bl_snapshot *s)
{
	m->step = s->step;
	m->n = s->n;
	m->d = s->d;
	m->dead = s->dead;
	m->spectrum = s->spectrum;
	m->rankme = s->rankme;
	m->effective = effective_rank(s->eigenvalues, s->spectrum);
	memcpy(m->eigenvalues, s->eigenvalues, sizeof m->eigenvalues);
	memcpy(m->singular, s->singular, sizeof m->singular);
	m->points = s->points;
	m->points_step = s->points_step;
	memcpy(m->explained, s->explained, sizeof m->explained);
	memcpy(m->point, s->point, sizeof m->point);
	memcpy(m->label, s->point_label, sizeof m->label);
	m->points_of = s->points_of;
	m->classes = s->classes;
	memcpy(m->class_name, s->class_name, sizeof m->class_name);
}

void bl_timeline_forget(bl_timeline *p)
{
	bl_live_close(p->run);
	p->run = NULL;
	p->n = p->stored = 0;
	p->at = 0;
}

bool bl_timeline_read(bl_timeline *p, bl_live *run, const bl_snapshot *newest)
{
	if (p->run != run) {
		bl_timeline_forget(p);
		p->run = bl_live_ref(run);
	}
	int stored = bl_live_snapshot_count(run);
	const bl_moment *last = p->n ? &p->moment[p->n - 1] : NULL;
	bool changed = stored != p->stored ||
	               (newest->step > 0 && (!last || last->step != newest->step || last->points_step != newest->points_step));
	if (stored != p->stored) {
		p->stored = stored < BL_SNAPSHOTS_MAX ? stored : BL_SNAPSHOTS_MAX;
		p->n = 0;
		/* Reads all but the newest; leaves out those that the run removes at the same time, until the next read. */
		for (int i = 0; i < p->stored - 1; i++) {
			int64_t step = bl_live_snapshot_at(run, i, &p->buffer);
			if (step > 0 && (p->n == 0 || step > p->moment[p->n - 1].step))
				take(&p->moment[p->n++], &p->buffer);
		}
	}
	if (!changed || newest->step <= 0)
		return changed;
	/* `newest` replaces the newest snapshot of the previous read, or is appended to the stored ones. */
	while (p->n > 0 && p->moment[p->n - 1].step >= newest->step)
		p->n--;
	if (p->n > 0 && p->n == p->stored)
		p->n--;
	take(&p->moment[p->n++], newest);
	return true;
}

/* Returns the index of the selected snapshot: the last one whose step is at most `at`, or the newest if `at` is 0. */
static int place(const bl_timeline *p)
{
	int i = p->n - 1;
	while (p->at && i > 0 && p->moment[i].step > p->at)
		i--;
	return i;
}

const bl_moment *bl_timeline_moment(const bl_timeline *p)
{
	return p->n ? &p->moment[place(p)] : NULL;
}

void bl_timeline_move(bl_timeline *p, int by)
{
	int i = place(p) + by;
	p->at = i >= p->n - 1 ? 0 : p->moment[i > 0 ? i : 0].step;
}

void bl_timeline_first(bl_timeline *p)
{
	p->at = p->n ? p->moment[0].step : 0;
}

void bl_timeline_now(bl_timeline *p)
{
	p->at = 0;
}
