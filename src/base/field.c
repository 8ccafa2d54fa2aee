/* SPDX-License-Identifier: GPL-3.0-or-later */
/* field.c: defaults, checks and texts of settings, from their fields (field.h). */
#include <barlow/error.h>
#include <barlow/field.h>
#include <barlow/number.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The free part of a buffer to which text is appended.  Text is cut at the buffer's end and always terminated. */
typedef struct text {
	char *at;
	size_t left;
} text;

static void add(text *t, const char *format, ...) BL_PRINTF(2, 3);
static void add(text *t, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(t->at, t->left, format, ap);
	va_end(ap);
	size_t done = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left ? t->left - 1 : 0;
	t->at += done;
	t->left -= done;
}

static text begin(char *buf, size_t size)
{
	if (size)
		buf[0] = 0;
	return (text){ buf, size };
}

static bool whole(bl_field_kind kind)
{
	return kind == BL_FIELD_INT || kind == BL_FIELD_INT64 || kind == BL_FIELD_INTS;
}

static bool many(bl_field_kind kind)
{
	return kind == BL_FIELD_PAIR || kind == BL_FIELD_FLOATS || kind == BL_FIELD_LIST || kind == BL_FIELD_INTS;
}

static bool read_by_us(bl_field_kind kind)
{
	return kind < BL_FIELD_TEXT;
}

static bool ranged(const bl_field *f)
{
	return f->min != 0 || f->max != 0;
}

/* The largest number of elements of a list. */
static int most(const bl_field *f)
{
	return f->count ? f->count : BL_LIST_MOST;
}

static bool in_range(const bl_field *f, double v)
{
	if (!isfinite(v) || (whole(f->kind) && v != floor(v)))
		return false;
	if (f->kind == BL_FIELD_INT && (v < INT32_MIN || v > INT32_MAX))
		return false;
	if (f->kind == BL_FIELD_INT64 && fabs(v) > 9007199254740992.)
		return false;
	/* Floats are compared with bounds rounded to float: .1f is larger than .1, but equals a bound of .1. */
	bool single = f->kind == BL_FIELD_FLOAT || f->kind == BL_FIELD_FLOATS || f->kind == BL_FIELD_PAIR;
	double min = single ? (double)(float)f->min : f->min, max = single ? (double)(float)f->max : f->max;
	v = single ? (double)(float)v : v;
	if (!isfinite(v) || !ranged(f))
		return isfinite(v);
	return (f->above ? v > min : v >= min) && (f->below ? v < max : v <= max);
}

/* --- expectations --- */

static void add_range(text *t, const bl_field *f)
{
	char a[32], b[32];
	bl_number_text(f->min, false, a, sizeof a);
	bl_number_text(f->max, false, b, sizeof b);
	if (isinf(f->max))
		add(t, f->above ? " above %s" : " of at least %s", a);
	else if (!f->above && !f->below)
		add(t, " between %s and %s", a, b);
	else
		add(t, " %s %s and %s %s", f->above ? "above" : "of at least", a, f->below ? "below" : "at most", b);
}

static void add_choices(text *t, const bl_field *f)
{
	add(t, "one of ");
	for (int i = 0; f->choices[i]; i++)
		add(t, "%s%s", i ? ", " : "", f->choices[i]);
}

static void add_many(text *t, const bl_field *f)
{
	const char *things = f->kind == BL_FIELD_INTS ? "integers" : "numbers";
	if (f->kind == BL_FIELD_PAIR)
		add(t, "a number, or {lowest, highest}");
	else if (f->kind == BL_FIELD_FLOATS)
		add(t, "a number, or a list of %d %s", f->count, things);
	else
		add(t, "a list of 1 to %d %s", most(f), things);
	add(t, ranged(f) ? ", each" : "");
}

char *bl_field_expected(const bl_field *f, char *buf, size_t size)
{
	text t = begin(buf, size);
	switch (f->kind) {
	case BL_FIELD_INT:
	case BL_FIELD_INT64: add(&t, "an integer"); break;
	case BL_FIELD_FLOAT:
	case BL_FIELD_DOUBLE: add(&t, "a number"); break;
	case BL_FIELD_BOOL: add(&t, "true or false"); break;
	case BL_FIELD_CHOICE: add_choices(&t, f); break;
	case BL_FIELD_TEXT: add(&t, "a string"); break;
	case BL_FIELD_OBJECT: add(&t, "%s %s", strchr("aeiou", f->type[0]) ? "an" : "a", f->type); break;
	case BL_FIELD_ANY: add(&t, "%s", f->type); break;
	default: add_many(&t, f);
	}
	if (ranged(f))
		add_range(&t, f);
	return buf;
}

/* --- setting and getting --- */

/* Appends the numbers as messages show them. */
static void add_numbers(text *t, const double *v, int n)
{
	char number[32];
	add(t, n == 1 ? "" : "{");
	for (int i = 0; i < n; i++)
		add(t, "%s%s", i ? ", " : "", bl_number_text(v[i], false, number, sizeof number));
	add(t, n == 1 ? "" : "}");
}

/* A text that states the limit of int, if v is above this limit and the expected range has no upper limit. */
static const char *also(const bl_field *f, double v)
{
	return f->kind == BL_FIELD_INT && v > INT32_MAX && !(isfinite(f->max) && ranged(f)) ? ", at most 2147483647" : "";
}

static int refuse(const bl_field *f, const double *v, int n)
{
	char expected[256], got[256];
	text t = begin(got, sizeof got);
	add_numbers(&t, v, n);
	return bl_fail("'%s' must be %s%s, got %s", f->name, bl_field_expected(f, expected, sizeof expected), also(f, v[0]), got);
}

static int n_choices(const bl_field *f)
{
	int n = 0;
	while (f->choices[n])
		n++;
	return n;
}

/* Can a field of this kind be set to n numbers? */
static bool count_fits(const bl_field *f, int n)
{
	switch (f->kind) {
	case BL_FIELD_PAIR: return n == 1 || n == 2;
	case BL_FIELD_FLOATS: return n == 1 || n == f->count;
	case BL_FIELD_LIST:
	case BL_FIELD_INTS: return n >= 1 && n <= most(f);
	default: return n == 1;
	}
}

static bool acceptable(const bl_field *f, const double *v, int n)
{
	if (!count_fits(f, n))
		return false;
	if (f->kind == BL_FIELD_BOOL)
		return v[0] == 0 || v[0] == 1;
	if (f->kind == BL_FIELD_CHOICE)
		return v[0] >= 0 && v[0] < n_choices(f) && v[0] == floor(v[0]);
	for (int i = 0; i < n; i++)
		if (!in_range(f, v[i]))
			return false;
	return f->kind != BL_FIELD_PAIR || n == 1 || v[0] <= v[1];
}

static void write(const bl_field *f, void *settings, const double *v, int n)
{
	void *at = (char *)settings + f->offset;
	switch (f->kind) {
	case BL_FIELD_INT:
	case BL_FIELD_CHOICE: *(int *)at = (int)v[0]; break;
	case BL_FIELD_INT64: *(int64_t *)at = (int64_t)v[0]; break;
	case BL_FIELD_FLOAT: *(float *)at = (float)v[0]; break;
	case BL_FIELD_DOUBLE: *(double *)at = v[0]; break;
	case BL_FIELD_BOOL: *(bool *)at = v[0] != 0; break;
	case BL_FIELD_PAIR:
	case BL_FIELD_FLOATS:
		for (int i = 0; i < (f->kind == BL_FIELD_PAIR ? 2 : f->count); i++)
			((float *)at)[i] = (float)v[n == 1 ? 0 : i];
		break;
	case BL_FIELD_LIST:
	case BL_FIELD_INTS:
		((bl_list *)at)->n = n;
		memcpy(((bl_list *)at)->v, v, (size_t)n * sizeof *v);
		break;
	default: break;
	}
}

int bl_field_set(const bl_field *f, void *settings, const double *v, int n)
{
	if (!read_by_us(f->kind))
		return bl_fail("'%s' is not set by numbers", f->name);
	if (!acceptable(f, v, n))
		return refuse(f, v, n);
	write(f, settings, v, n);
	return 0;
}

int bl_field_get(const bl_field *f, const void *settings, double *v)
{
	const void *at = (const char *)settings + f->offset;
	int n = 1;
	switch (f->kind) {
	case BL_FIELD_INT:
	case BL_FIELD_CHOICE: v[0] = *(const int *)at; break;
	case BL_FIELD_INT64: v[0] = (double)*(const int64_t *)at; break;
	case BL_FIELD_FLOAT: v[0] = (double)*(const float *)at; break;
	case BL_FIELD_DOUBLE: v[0] = *(const double *)at; break;
	case BL_FIELD_BOOL: v[0] = *(const bool *)at; break;
	case BL_FIELD_PAIR:
	case BL_FIELD_FLOATS:
		n = f->kind == BL_FIELD_PAIR ? 2 : f->count;
		for (int i = 0; i < n; i++)
			v[i] = (double)((const float *)at)[i];
		break;
	case BL_FIELD_LIST:
	case BL_FIELD_INTS:
		n = ((const bl_list *)at)->n;
		memcpy(v, ((const bl_list *)at)->v, (size_t)n * sizeof *v);
		break;
	default: n = 0;
	}
	return n;
}

/* --- lists of fields --- */

const bl_field *bl_field_find(const bl_field *fields, const char *name)
{
	for (const bl_field *f = fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

void bl_fields_default(const bl_field *fields, void *settings)
{
	for (const bl_field *f = fields; f->name; f++)
		if (f->kind == BL_FIELD_TEXT && f->text)
			*(const char **)(void *)((char *)settings + f->offset) = f->text;
		else if (read_by_us(f->kind) && f->presets)
			write(f, settings, f->preset, f->presets);
}

int bl_settings_check(const bl_field *fields, const void *settings)
{
	double v[BL_LIST_MOST];
	for (const bl_field *f = fields; f->name; f++) {
		int n = bl_field_get(f, settings, v);
		/* In a field without a fixed default, an empty list or 0 means that the setting was left out. */
		bool left_out = f->otherwise && (n == 0 || (n == 1 && v[0] == 0));
		if (read_by_us(f->kind) && !left_out && !acceptable(f, v, n))
			return refuse(f, v, n);
	}
	return 0;
}

/* --- values as text --- */

static void add_value(text *t, const bl_field *f, const double *v, int n)
{
	char number[32];
	bool single = f->kind == BL_FIELD_FLOAT || f->kind == BL_FIELD_PAIR || f->kind == BL_FIELD_FLOATS;
	if (f->kind == BL_FIELD_BOOL) {
		add(t, v[0] != 0 ? "true" : "false");
	} else if (f->kind == BL_FIELD_CHOICE) {
		add(t, "\"%s\"", f->choices[(int)v[0]]);
	} else {
		add(t, many(f->kind) ? "{" : "");
		for (int i = 0; i < n; i++) {
			if (whole(f->kind))
				snprintf(number, sizeof number, "%lld", (long long)v[i]);
			else
				bl_number_text(v[i], single, number, sizeof number);
			add(t, "%s%s", i ? ", " : "", number);
		}
		add(t, many(f->kind) ? "}" : "");
	}
}

char *bl_field_default_text(const bl_field *f, char *buf, size_t size)
{
	text t = begin(buf, size);
	if (f->kind == BL_FIELD_TEXT && f->text)
		add(&t, "\"%s\"", f->text);
	else if (f->presets)
		add_value(&t, f, f->preset, f->presets);
	else if (f->otherwise)
		add(&t, "%s", f->otherwise);
	return buf;
}

char *bl_field_value_text(const bl_field *f, const void *settings, char *buf, size_t size)
{
	double v[BL_LIST_MOST];
	text t = begin(buf, size);
	int n = bl_field_get(f, settings, v);
	if (read_by_us(f->kind))
		add_value(&t, f, v, n);
	return buf;
}

char *bl_fields_text(const bl_field *fields, const void *settings, char *buf, size_t size)
{
	text t = begin(buf, size);
	double v[BL_LIST_MOST];
	const char *between = "";
	for (const bl_field *f = fields; f->name; f++) {
		int n = bl_field_get(f, settings, v);
		if (n == 0)
			continue;
		add(&t, "%s%s = ", between, f->name);
		add_value(&t, f, v, n);
		between = ", ";
	}
	return buf;
}

bool bl_fields_same(const bl_field *fields, const void *a, const void *b)
{
	double v[BL_LIST_MOST], w[BL_LIST_MOST];
	for (const bl_field *f = fields; f->name; f++) {
		int n = bl_field_get(f, a, v);
		if (bl_field_get(f, b, w) != n || memcmp(v, w, (size_t)n * sizeof *v) != 0)
			return false;
	}
	return true;
}
