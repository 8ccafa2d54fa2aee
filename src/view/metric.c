/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metric.c: the order, colours and names of a run's columns on the screen. */
#include "view/metric.h"

#include <stdio.h>
#include <string.h>

enum { RANK_AT_FIRST = 3, RANK_OWN = 8, HIDDEN = 100 };

/* The position of a column's kind in the list of curves; it also decides whether curves show the column at first. */
static int rank(const bl_columns *c, int column)
{
	static const uint8_t ranks[BL_COLUMN_KINDS] = {
		[BL_COLUMN_TOTAL] = 0,      [BL_COLUMN_WEIGHTED] = 1,  [BL_COLUMN_FLOOR] = 2, [BL_COLUMN_SCORE] = RANK_AT_FIRST,
		[BL_COLUMN_TERM] = 4,       [BL_COLUMN_PARAMETER] = 5, [BL_COLUMN_RATE] = 6,  [BL_COLUMN_MEASURE] = 7,
		[BL_COLUMN_OWN] = RANK_OWN, [BL_COLUMN_TIME] = HIDDEN,
	};
	return bl_columns_part(c, column) ? ranks[BL_COLUMN_WEIGHTED] : ranks[c->column[column].kind];
}

int bl_metric_list(const bl_columns *c, int list[BL_COLUMNS_MAX])
{
	int n = 0;
	for (int r = 0; r <= RANK_OWN; r++)
		for (int i = 0; i < c->n; i++)
			if (rank(c, i) == r)
				list[n++] = i;
	return n;
}

bool bl_metric_at_first(const bl_columns *c, int column)
{
	return rank(c, column) <= RANK_AT_FIRST || rank(c, column) == RANK_OWN;
}

bool bl_metric_of_loss(const bl_columns *c, int column)
{
	return rank(c, column) < RANK_AT_FIRST;
}

/* The number of columns of the same kind before a column; a weighted term has the number of its term, the column before it. */
static int ordinal(const bl_columns *c, int column)
{
	uint8_t kind = c->column[column].kind == BL_COLUMN_WEIGHTED ? BL_COLUMN_TERM : c->column[column].kind;
	int n = 0, end = c->column[column].kind == BL_COLUMN_WEIGHTED ? column - 1 : column;
	for (int i = 0; i < end; i++)
		n += c->column[i].kind == kind;
	return n;
}

bl_paint bl_metric_paint(const bl_columns *c, int column)
{
	int k = ordinal(c, column);
	switch ((bl_column_kind)c->column[column].kind) {
	case BL_COLUMN_TOTAL: return BL_PAINT_TOTAL;
	case BL_COLUMN_FLOOR: return BL_PAINT_FLOOR;
	case BL_COLUMN_SCORE: return BL_PAINT_KNN;
	case BL_COLUMN_RATE: return BL_PAINT_GOOD;
	case BL_COLUMN_PARAMETER: return BL_PAINT_TITLE;
	case BL_COLUMN_MEASURE: return k == 0 ? BL_PAINT_INVARIANCE : k == 1 ? BL_PAINT_KNN : bl_paint_series(k);
	case BL_COLUMN_TERM:
	case BL_COLUMN_WEIGHTED: return k == 0 ? BL_PAINT_INVARIANCE : k == 1 ? BL_PAINT_REDUNDANCY : bl_paint_series(k);
	default: return bl_paint_series(k);
	}
}

const char *bl_metric_text(const bl_canvas *c, const char *label, const char *lambda, char out[BL_LABEL_BYTES])
{
	size_t n = 0;
	if (c->can.utf8)
		return label;
	for (const char *p = label; *p && n + 8 < BL_LABEL_BYTES;) {
		bool letter = strncmp(p, "λ", 2) == 0, times = strncmp(p, "·", 2) == 0;
		if (letter)
			n += (size_t)sprintf(out + n, "%s", p[2] ? lambda : "lambda");
		else
			out[n++] = times ? '*' : *p;
		p += letter || times ? 2 : 1;
	}
	out[n] = '\0';
	return out;
}

const char *bl_metric_name(const bl_canvas *c, const bl_column *column, char out[BL_LABEL_BYTES])
{
	return bl_metric_text(c, bl_column_label(column), "l", out);
}

bl_line bl_metric_line(const bl_columns *c, int column, const char *text)
{
	static const int dashes[] = { 4, 2, 6, 1, 3, 5 };
	const bl_column *i = &c->column[column];
	bl_line line = { .label = text, .mark = i->mark ? i->mark : i->name[0], .paint = bl_metric_paint(c, column) };
	if (bl_columns_part(c, column))
		line.dash = dashes[ordinal(c, column) % (int)(sizeof dashes / sizeof dashes[0])];
	return line;
}

bool bl_curves_shows(const bl_curves *v, int column)
{
	return v->shown >> column & 1;
}
