/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipeline_text.c: writes operators as text, and reads pipelines from text.
 *
 *     pipeline = [ operator { "," operator } ]
 *     operator = name [ "{" [ field { "," field } ] "}" ]
 *     field    = name "=" ( numbers | '"' choice '"' | "aug.ramp(" numbers "," numbers "," epochs ")" )
 *     numbers  = number | "{" number { "," number } "}"
 */
#include "augment/operator.h"

#include <barlow/error.h>
#include <barlow/number.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPERATORS = 64, MOST_NAME = 32, VALUE = 2048 /* of a field, as text */ };

/* --- Writing ------------------------------------------------------------------------------------------ */

static const ramp *ramp_of(const bl_aug *a, const bl_field *f)
{
	for (int i = 0; i < a->ramps; i++)
		if (a->ramp[i].field == f)
			return &a->ramp[i];
	return NULL;
}

/* Writes a ramp as text, from the field's present value to its last one. */
static void ramp_text(const bl_aug *a, const ramp *r, char *buf, size_t size)
{
	_Alignas(16) unsigned char last[BL_AUG_BYTES];
	char from[VALUE], to[VALUE];
	memcpy(last, a->parameters, a->op->parameters);
	bl_operator_fields_at(a, r->epochs - 1, last);
	snprintf(buf, size, "aug.ramp(%s, %s, %lld)", bl_field_value_text(r->field, a->parameters, from, sizeof from),
	         bl_field_value_text(r->field, last, to, sizeof to), (long long)r->epochs);
}

char *bl_aug_text(const bl_aug *a, char *buf, size_t size)
{
	size_t used = (size_t)snprintf(buf, size, "%s{", a->name);
	for (const bl_field *f = a->op->fields; f->name && used < size; f++) {
		char value[2 * VALUE + 64];
		const ramp *r = ramp_of(a, f);
		if (r)
			ramp_text(a, r, value, sizeof value);
		else
			bl_field_value_text(f, a->parameters, value, sizeof value);
		used += (size_t)snprintf(buf + used, size - used, "%s%s = %s", f == a->op->fields ? "" : ", ", f->name, value);
	}
	if (used + 1 < size)
		memcpy(buf + used, "}", 2);
	return buf;
}

/* --- Reading ------------------------------------------------------------------------------------------- */

typedef struct reader {
	const char *text, *at;
} reader;

static int fail(const reader *r, const char *expected)
{
	return bl_fail("character %d of '%.200s': expected %s", (int)(r->at - r->text) + 1, r->text, expected);
}

static bool take(reader *r, char c)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
	if (*r->at != c)
		return false;
	r->at += c != '\0';
	return true;
}

static bool take_word(reader *r, const char *word)
{
	size_t n = strlen(word);
	take(r, '\0'); /* skips white space */
	if (strncmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static int take_name(reader *r, char name[MOST_NAME])
{
	int n = 0;
	take(r, '\0'); /* skips white space */
	while (n < MOST_NAME - 1 && (isalnum((unsigned char)*r->at) || *r->at == '_'))
		name[n++] = *r->at++;
	name[n] = '\0';
	return n ? 0 : fail(r, "a name");
}

static int take_number(reader *r, double *v)
{
	char *end;
	*v = strtod(r->at, &end);
	if (end == r->at)
		return fail(r, "a number");
	r->at = end;
	return 0;
}

/* Reads a number or a list of numbers; returns their count, or negative with bl_error. */
static int take_numbers(reader *r, double v[BL_LIST_MOST])
{
	int n = 0;
	if (!take(r, '{'))
		return take_number(r, v) < 0 ? -1 : 1;
	do {
		if (n == BL_LIST_MOST)
			return fail(r, "at most 64 numbers");
		if (take_number(r, &v[n++]) < 0)
			return -1;
	} while (take(r, ','));
	return take(r, '}') ? n : fail(r, "',' or '}'");
}

/* Reads one of the field's choices, after the opening quote, and sets *v to its index.  Returns 1, or negative. */
static int take_choice(reader *r, const bl_field *f, double *v)
{
	size_t n = strcspn(r->at, "\"");
	for (int i = 0; f && f->choices && f->choices[i]; i++)
		if (strlen(f->choices[i]) == n && strncmp(f->choices[i], r->at, n) == 0) {
			*v = i;
			r->at += n;
			return take(r, '"') ? 1 : fail(r, "'\"'");
		}
	return fail(r, "one of the field's choices");
}

/* Reads the rest of a ramp after "aug.ramp(". */
static int take_ramp(reader *r, bl_aug *a, const char *name)
{
	double from[BL_LIST_MOST], to[BL_LIST_MOST], epochs;
	int n = take_numbers(r, from);
	if (n < 0 || bl_aug_set(a, name, from, n) < 0)
		return -1;
	if (!take(r, ','))
		return fail(r, "','");
	if ((n = take_numbers(r, to)) < 0)
		return -1;
	if (!take(r, ','))
		return fail(r, "','");
	if (take_number(r, &epochs) < 0)
		return -1;
	if (!(epochs >= 2 && epochs <= BL_RAMP_MOST && epochs == (int)epochs))
		return fail(r, "a whole number of epochs, from 2 to 100000, before here");
	return take(r, ')') ? bl_aug_ramp(a, name, to, n, (int64_t)epochs) : fail(r, "')'");
}

static int take_field(reader *r, bl_aug *a)
{
	char name[MOST_NAME];
	double v[BL_LIST_MOST];
	if (take_name(r, name) < 0)
		return -1;
	if (!take(r, '='))
		return fail(r, "'='");
	if (take_word(r, "aug.ramp("))
		return take_ramp(r, a, name);
	int n = take(r, '"') ? take_choice(r, bl_field_find(a->op->fields, name), v) : take_numbers(r, v);
	return n < 0 ? -1 : bl_aug_set(a, name, v, n);
}

static int take_fields(reader *r, bl_aug *a)
{
	if (!take(r, '{') || take(r, '}'))
		return 0;
	do {
		if (take_field(r, a) < 0)
			return -1;
	} while (take(r, ','));
	return take(r, '}') ? 0 : fail(r, "',' or '}'");
}

static bl_aug *take_operator(reader *r)
{
	char name[MOST_NAME];
	bl_aug *a = take_name(r, name) < 0 ? NULL : bl_aug_new(name);
	if (a && take_fields(r, a) == 0)
		return a;
	bl_aug_unref(a);
	return NULL;
}

/* Reads all operators, and sets *n to their number, also on failure.  0, or negative with bl_error. */
static int take_operators(reader *r, bl_aug *ops[MOST_OPERATORS], int *n)
{
	if (take(r, '\0'))
		return 0;
	do {
		if (*n == MOST_OPERATORS)
			return fail(r, "at most 64 operators");
		if (!(ops[*n] = take_operator(r)))
			return -1;
		++*n;
	} while (take(r, ','));
	return take(r, '\0') ? 0 : fail(r, "',' or the end");
}

/* Numbers have a decimal point in every locale. */
bl_pipeline *bl_pipeline_parse(const char *text)
{
	bl_aug *ops[MOST_OPERATORS] = { NULL };
	reader r = { text, text };
	int n = 0;
	bl_point *before = bl_number_point();
	bl_pipeline *p = take_operators(&r, ops, &n) < 0 ? NULL : bl_pipeline_new(ops, n);
	bl_number_unpoint(before);
	for (int i = 0; i < n; i++)
		bl_aug_unref(ops[i]);
	return p;
}
