/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * columns.h: the columns of a run's records.
 *
 * A run has a list of columns, and a record has a value for each, NaN where nothing was measured.  Code that shows
 * records selects columns by name or kind and takes label, unit and format from here, so that unknown columns are shown
 * as well.  The trainer's own columns are listed in src/train/record.c, those of the loss are defined by the loss, and
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
	BL_COLUMN_WEIGHTED,  /* the term in the column before this one, times its weight: a summand of the total */
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
	uint8_t precision;           /* of values as text: significant digits (0: 4), or decimals where `fixed` */
	uint8_t fixed;
	char mark; /* letter that draws it in an ASCII chart; 0: the first letter of the name */
} bl_column;

typedef struct bl_columns {
	int n;
	bl_column column[BL_COLUMNS_MAX];
} bl_columns;

typedef struct bl_record {
	int64_t step;                 /* 1 after the first step */
	double value[BL_COLUMNS_MAX]; /* one for each of the run's columns, by index; NaN: not measured */
} bl_record;

/* Appends a copy of `column`.  Returns its index; negative with bl_error: no room, an invalid name, or one in use. */
int bl_columns_add(bl_columns *c, const bl_column *column);
/* 0: this is a valid column name; otherwise negative with bl_error. */
int bl_column_name_check(const char *name);
/*
 * Sanitises a column that was read from a file: afterwards its texts are terminated and printable (text.h), and its
 * numbers are in range.
 */
void bl_column_clean(bl_column *column);

/* The index of a name, or -1. */
int bl_columns_find(const bl_columns *c, const char *name);
/*
 * The index of the first column of a kind at or after index `from`, or -1.  To visit all:
 * for (i = ...(c, k, 0); i >= 0; i = ...(c, k, i + 1))
 */
int bl_columns_next(const bl_columns *c, bl_column_kind kind, int from);
/* Is the column at index `place` a summand of the total: a weighted term, or a term that no weighted one follows? */
bool bl_columns_part(const bl_columns *c, int place);
/*
 * Is the column at index `place` the weight of a term (loss.NAME is that of the term NAME), and is its value 1?  Such a
 * weight has no effect, and need not be shown where there is little room.
 */
bool bl_columns_idle(const bl_columns *c, int place, double value);
/* Is the column of a kind that need not be measured in every step (a score, or the user's)? */
bool bl_column_rare(const bl_column *column);

/* A record of that step in which all values are NaN. */
bl_record bl_record_empty(int64_t step);
/* The record's value in the column of that name; NaN also if there is no such column. */
double bl_record_value(const bl_record *r, const bl_columns *c, const char *name);
/*
 * The texts to show: the label, or the name if it has none; the brief text, or else that label.  Borrowed from
 * column.
 */
const char *bl_column_label(const bl_column *column);
const char *bl_column_brief(const bl_column *column);
/* Writes the value in the column's format, without the unit, into out, which is cut at size bytes; "-" for NaN. */
void bl_column_text(const bl_column *column, double value, char *out, size_t size);

#endif
