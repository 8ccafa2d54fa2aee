/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * field.h: settings as data.
 *
 * Everything that has settings (an optimiser, a loss, an image operator, a function of the Lua binding) lists them in a
 * const array of bl_field, which ends with a field whose name is NULL.  That list is the only definition of a setting's
 * name, type, default, range and description.  Defaults, checks, messages, help, completion and the manual are made
 * from it.
 *
 *     typedef struct blur { float sigma[2]; float p; } blur;
 *     static const bl_field fields[] = {
 *         BL_FIELD(PAIR, blur, sigma, BL_DEFAULT(.1, 2), BL_ABOVE(0), .help = "standard deviation, pixels, drawn between these"),
 *         BL_FIELD(FLOAT, blur, p, BL_DEFAULT(1), BL_WITHIN(0, 1), .help = "probability"),
 *         BL_FIELD_END,
 *     };
 */
#ifndef BARLOW_FIELD_H
#define BARLOW_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum bl_field_kind {
	BL_FIELD_INT,
	BL_FIELD_INT64,
	BL_FIELD_FLOAT,
	BL_FIELD_DOUBLE, /* this kind and the three before it: one number of that C type (INT64: up to 2^53) */
	BL_FIELD_BOOL,
	BL_FIELD_CHOICE, /* int, or an enum of its size: an index into `choices` */
	BL_FIELD_PAIR,   /* float[2], the first at most the second; one number stands for both */
	BL_FIELD_FLOATS, /* float[count]: exactly `count` numbers; one number stands for all */
	BL_FIELD_LIST,   /* bl_list: 1 to `count` numbers, at most BL_LIST_MOST; one number is a list of one */
	BL_FIELD_INTS,   /* bl_list: 1 to `count` integers, always written as a list */
	/*
	 * The functions below neither set nor check settings of the following kinds, except that bl_fields_default sets
	 * the default of a TEXT.  The code that uses the setting does the rest.
	 */
	BL_FIELD_TEXT,   /* const char * */
	BL_FIELD_OBJECT, /* void *: an object of the Lua type `type` */
	BL_FIELD_ANY,    /* not a member of the struct; `type` describes the expected value */
} bl_field_kind;

enum { BL_LIST_MOST = 64, BL_FIELD_PRESETS = 8 };
typedef struct bl_list {
	int n;
	double v[BL_LIST_MOST];
} bl_list;

typedef struct bl_field {
	const char *name; /* NULL ends a list */
	bl_field_kind kind;
	size_t offset;    /* in the struct of settings */
	const char *help; /* one line: what the setting does, and its unit; without the default */

	/* Exactly one of `presets`, `text`, `otherwise` and `required` must be given; the test suite checks this. */
	int presets; /* number of values in `preset`: BL_DEFAULT(.9), BL_DEFAULT(true), BL_DEFAULT(BL_FORM_AUTO) */
	double preset[BL_FIELD_PRESETS];
	const char *text;      /* default of a TEXT: BL_TEXT("") */
	const char *otherwise; /* no fixed default; what a missing value means: BL_OTHERWISE("the images' size") */
	bool required;         /* BL_REQUIRED */

	/*
	 * The range of the number, or of each number in a list.  Numbers have to be finite and, unless min and max are
	 * both 0, within min..max.
	 */
	double min, max;               /* max may be INFINITY */
	bool above, below;             /* above: min itself is out of range; below: max itself is out of range */
	int count;                     /* of FLOATS, LIST and INTS */
	const char *const *choices;    /* ended by NULL */
	const char *type;              /* of OBJECT and ANY: the expected type, for messages and help */
	const struct bl_field *fields; /* of an ANY that may be a table: the table's fields; NULL: no table */
	int position;                  /* from 1: the setting may also be that argument of a call; 0: by name only */
	bool settable;                 /* may be changed between two steps of a run */
} bl_field;

/* A field for the struct's member of the same name: BL_FIELD(INT, args, stride, BL_DEFAULT(1), .help = "..."). */
/* clang-format off */
#define BL_FIELD(kind_, struct_, member_, ...) \
	{ .name = #member_, .kind = BL_FIELD_##kind_, .offset = offsetof(struct_, member_), __VA_ARGS__ }
#define BL_FIELD_UNREAD(name_, type_, ...) { .name = name_, .kind = BL_FIELD_ANY, .type = type_, __VA_ARGS__ }
#define BL_FIELD_END { .name = NULL }
#define BL_DEFAULT(...) \
	.presets = (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)), .preset = { __VA_ARGS__ }
/* clang-format on */
#define BL_TEXT(words_) .text = words_
#define BL_OTHERWISE(words_) .otherwise = words_
#define BL_REQUIRED .required = true
/* Ranges: a <= x <= b; x >= a; x > a; a <= x < b. */
#define BL_WITHIN(a_, b_) .min = a_, .max = b_
#define BL_AT_LEAST(a_) .min = a_, .max = __builtin_inf()
#define BL_ABOVE(a_) .min = a_, .max = __builtin_inf(), .above = true
#define BL_BELOW(a_, b_) .min = a_, .max = b_, .below = true

/* Writes the fixed defaults of the fields into the settings. */
void bl_fields_default(const bl_field *fields, void *settings);
const bl_field *bl_field_find(const bl_field *fields, const char *name); /* NULL: there is no such field */
/*
 * Checks n numbers and writes them into the settings.  0, or negative with a bl_error such as
 * "'sigma' must be a number above 0, got -1".
 */
int bl_field_set(const bl_field *f, void *settings, const double *v, int n);
/*
 * Reads a setting's numbers into v, which has room for BL_LIST_MOST, and returns their count.  The count is 0 for TEXT,
 * OBJECT and ANY.
 */
int bl_field_get(const bl_field *f, const void *settings, double *v);
/* Checks the values of all fields except TEXT, OBJECT and ANY.  0, or negative with bl_error. */
int bl_settings_check(const bl_field *fields, const void *settings);

/*
 * The functions below write text into buf, cut at size bytes, and return buf.
 *
 * The expected value in words: "a number above 0 and below 1", "one of auto, direct, gram", "a module".
 */
char *bl_field_expected(const bl_field *f, char *buf, size_t size);
/*
 * The default as Lua text, "0.9", "{0.08, 1}" or "\"auto\"".  If there is no fixed default: the meaning of a setting
 * that is left out, or "" for a required setting.
 */
char *bl_field_default_text(const bl_field *f, char *buf, size_t size);
/* The value as Lua text.  Reading the text gives the same value in every locale. */
char *bl_field_value_text(const bl_field *f, const void *settings, char *buf, size_t size);
/* The values of all fields except TEXT, OBJECT and ANY: "lr = 0.001, momentum = 0.9". */
char *bl_fields_text(const bl_field *fields, const void *settings, char *buf, size_t size);
/* Do the settings a and b have the same numbers in all fields? */
bool bl_fields_same(const bl_field *fields, const void *a, const void *b);

#endif
