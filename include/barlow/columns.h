/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * columns.h: the columns of a run's records.
 *
 * A run has a list of columns, and a record has one value for each column, NaN where nothing was measured.  Code that
 * shows records selects columns by name or kind and reads label, unit and format from the column, so that it can show
 * columns that it does not know.  src/train/record.c lists the trainer's own columns, each loss defines its own, and
 * the user may add more while the run trains.
 */
#ifndef BARLOW_COLUMNS_H
#define BARLOW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_COLUMNS_MAX = 64, BL_COLUMN_NAME = 32, BL_COLUMN_LABEL = 32, BL_COLUMN_BRIEF = 16, BL_COLUMN_UNIT = 12 };

typedef enum bl_column_kind {
	BL_COLUMN_TOTAL,     /* the loss */
	BL_COLUMN_TERM,      /* a term of the loss, without its weight */
	BL_COLUMN_WEIGHTED,  /* the term in the preceding column times its weight: a summand of the total */
	BL_COLUMN_FLOOR,     /* a lower bound of the total; NaN or 0: none is known */
	BL_COLUMN_PARAMETER, /* a setting of the loss that may be changed while the run trains */
	BL_COLUMN_RATE,      /* the learning rate used in the step */
	BL_COLUMN_SCORE,     /* quality of the features (such as kNN accuracy); not measured in every step */
	BL_COLUMN_MEASURE,   /* anything else that the trainer measures in each step */
	BL_COLUMN_TIME,      /* seconds of training so far */
	BL_COLUMN_OWN,       /* defined by the user; may be NaN at most steps */
	BL_COLUMN_KINDS,
} bl_column_kind;

typedef struct bl_column {
	char name[BL_COLUMN_NAME];   /* as in t.records.NAME: letters, digits, underscores and dots, a letter first */
	char label[BL_COLUMN_LABEL]; /* text for display, UTF-8; "": the name is shown */
	char brief[BL_COLUMN_BRIEF]; /* shorter text where there is little room; "": the label is shown */
	char unit[BL_COLUMN_UNIT];   /* "s", "images/s"; "": none */
	uint8_t kind;                /* bl_column_kind */
	uint8_t precision;           /* of values as text: significant digits (0: 4), or decimals if `fixed` */
	uint8_t fixed;
	char mark; /* letter that draws the column in an ASCII chart; 0: the first letter of the name */
} bl_column;

typedef struct bl_columns {
	int n;
	bl_column column[BL_COLUMNS_MAX];
} bl_columns;

typedef struct bl_record {
	int64_t step;                 /* 1 after the first step */
	double value[BL_COLUMNS_MAX]; /* one for each of the run's columns, by index; NaN: not measured */
} bl_record;

/* Appends a copy of `column` and returns its index.  Negative with bl_error: no room, or an invalid or used name. */
int bl_columns_add(bl_columns *c, const bl_column *column);
/* 0: this is a valid column name; otherwise negative with bl_error. */
int bl_column_name_check(const char *name);
/*
 * Makes a column that was read from a file safe to use: terminates its texts, makes them printable (text.h), and brings
 * its numbers into their ranges.
 */
void bl_column_clean(bl_column *column);

/* The index of the column of that name; -1: there is none. */
int bl_columns_find(const bl_columns *c, const char *name);
/*
 * The index of the first column of that kind at or after index `from`; -1: there is none.  To visit all columns of a
 * kind: for (i = ...(c, k, 0); i >= 0; i = ...(c, k, i + 1))
 */
int bl_columns_next(const bl_columns *c, bl_column_kind kind, int from);
/*
 * Is the column at index `place` a summand of the total?  Weighted terms are, and terms that are not followed by a
 * weighted term.
 */
bool bl_columns_part(const bl_columns *c, int place);
/*
 * Is the column at index `place` the weight of a term, and is the value 1?  The column loss.NAME is the weight of the
 * term NAME.  A weight of 1 has no effect and need not be shown where there is little room.
 */
bool bl_columns_idle(const bl_columns *c, int place, double value);
/* Is the column of a kind that is not measured in every step: a score, or a column that the user defined? */
bool bl_column_rare(const bl_column *column);

/* A record of that step in which all values are NaN. */
bl_record bl_record_empty(int64_t step);
/* The record's value in the column of that name; NaN also if there is no such column. */
double bl_record_value(const bl_record *r, const bl_columns *c, const char *name);
/* The text for display, borrowed from column: the label; if that is empty, the name. */
const char *bl_column_label(const bl_column *column);
/* The shorter text for display, borrowed from column: the brief text; if that is empty, bl_column_label. */
const char *bl_column_brief(const bl_column *column);
/* Writes the value in the column's format, without the unit, into out (at most size bytes); "-" for NaN. */
void bl_column_text(const bl_column *column, double value, char *out, size_t size);

#endif
