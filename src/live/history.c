/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history.c: the records of a run, reduced to what a screen or a figure can show. */
#include "live/history.h"

#include <math.h>
#include <string.h>

/* The arrays are large and are written before they are read, so they are not cleared. */
void bl_history_reset(bl_history *h)
{
	h->columns.n = 0;
	h->seen = 0;
	h->stride = 1;
	h->bins = h->fill = h->turns = 0;
	h->last = bl_record_empty(0);
}

void bl_history_start(bl_history *h, int64_t from)
{
	bl_history_reset(h);
	h->seen = from;
}

/* Adds the columns that are new in the run.  They have no values in the existing bins. */
static void see_columns(bl_history *h, const bl_live *run)
{
	int before = h->columns.n;
	if (bl_live_columns_count(run) == before)
		return;
	bl_live_columns(run, &h->columns);
	for (int c = before; c < h->columns.n; c++) {
		h->have[c] = 0;
		for (int i = 0; i < h->bins && !bl_column_rare(&h->columns.column[c]); i++)
			h->value[c][i] = NAN;
	}
}

/* --- Bins ------------------------------------------------------------------ */

static double mean_of(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : (a + b) / 2;
}

/* Merges pairs of full bins; the number of bins is even. */
static void merge(bl_history *h)
{
	for (int i = 0; i < h->bins / 2; i++) {
		h->step[i] = (h->step[2 * i] + h->step[2 * i + 1]) / 2;
		for (int c = 0; c < h->columns.n; c++)
			if (!bl_column_rare(&h->columns.column[c]))
				h->value[c][i] = mean_of(h->value[c][2 * i], h->value[c][2 * i + 1]);
	}
	h->bins /= 2;
	h->stride *= 2;
}

static void open_bin(bl_history *h)
{
	if (h->bins == BL_HISTORY_BINS)
		merge(h);
	int k = h->bins++;
	h->fill = 0;
	h->step[k] = 0;
	for (int c = 0; c < h->columns.n; c++)
		if (!bl_column_rare(&h->columns.column[c])) {
			h->value[c][k] = NAN;
			h->have[c] = 0;
		}
}

static void into_bin(double *mean, double v, int have)
{
	*mean = have ? *mean + (v - *mean) / (have + 1) : v;
}

/* Adds a value of a rarely measured column.  If its array is full, every other value is removed first. */
static void add_point(bl_history *h, int c, int64_t step, double v)
{
	if (h->have[c] == BL_HISTORY_BINS) {
		for (int i = 0; i < h->have[c] / 2; i++) {
			h->at[c][i] = h->at[c][2 * i + 1];
			h->value[c][i] = h->value[c][2 * i + 1];
		}
		h->have[c] /= 2;
	}
	h->at[c][h->have[c]] = (double)step;
	h->value[c][h->have[c]++] = v;
}

static void add_values(bl_history *h, const bl_record *r)
{
	if (h->bins == 0 || h->fill == h->stride)
		open_bin(h);
	int k = h->bins - 1;
	into_bin(&h->step[k], (double)r->step, h->fill++);
	for (int c = 0; c < h->columns.n; c++) {
		if (isnan(r->value[c]))
			continue;
		if (bl_column_rare(&h->columns.column[c]))
			add_point(h, c, r->step, r->value[c]);
		else
			into_bin(&h->value[c][k], r->value[c], h->have[c]++);
	}
}

/* --- Turns ----------------------------------------------------------------- */

static bl_turn *turn_under_way(bl_history *h, int column, int64_t step)
{
	for (int i = h->turns - 1; i >= 0; i--)
		if (h->turn[i].column == column)
			return h->turn[i].last == step ? &h->turn[i] : NULL;
	return NULL;
}

/* Records a change of a parameter between `before` and r, the record that follows it. */
static void add_turn(bl_history *h, int column, const bl_record *before, const bl_record *r)
{
	double from = before->value[column], to = r->value[column];
	if (before->step == 0 || from == to || isnan(from) || isnan(to))
		return;
	bl_turn *last = turn_under_way(h, column, before->step);
	if (last) {
		last->last = r->step;
		last->to = to;
		return;
	}
	if (h->turns == BL_HISTORY_TURNS)
		memmove(&h->turn[0], &h->turn[1], (size_t)--h->turns * sizeof h->turn[0]);
	h->turn[h->turns++] = (bl_turn){ column, r->step, r->step, from, to };
}

/* --- Reading --------------------------------------------------------------- */

/* The length is read before the columns, so the columns include those of all these records. */
bool bl_history_read_some(bl_history *h, const bl_live *run, int64_t until, int64_t most)
{
	int64_t length = bl_live_length(run), from = h->seen;
	int64_t end = until < length ? until : length;
	bl_record r;
	see_columns(h, run);
	while (h->seen < end && h->seen - from < most && bl_live_record(run, h->seen, &r)) {
		add_values(h, &r);
		for (int c = -1; (c = bl_columns_next(&h->columns, BL_COLUMN_PARAMETER, c + 1)) >= 0;)
			add_turn(h, c, &h->last, &r);
		h->last = r;
		h->seen++;
	}
	return h->seen > from;
}

bool bl_history_read(bl_history *h, const bl_live *run)
{
	return bl_history_read_some(h, run, INT64_MAX, BL_HISTORY_READ);
}

int bl_history_line(const bl_history *h, int column, const double **x, const double **y)
{
	bool rare = bl_column_rare(&h->columns.column[column]);
	*x = rare ? h->at[column] : h->step;
	*y = h->value[column];
	return rare ? h->have[column] : h->bins;
}

double bl_history_newest(const bl_history *h, int column)
{
	if (column < 0 || column >= h->columns.n || h->seen == 0)
		return NAN;
	if (!bl_column_rare(&h->columns.column[column]))
		return h->last.value[column];
	return h->have[column] ? h->value[column][h->have[column] - 1] : NAN;
}

double bl_history_value(const bl_history *h, const char *name)
{
	return bl_history_newest(h, bl_columns_find(&h->columns, name));
}
