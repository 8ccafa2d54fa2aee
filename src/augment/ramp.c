/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ramp.c: fields whose value changes linearly with the epoch.
 *
 * For each epoch, bl_pipeline_at makes a pipeline without ramps from the results of bl_operator_at.  Therefore no other
 * code needs to handle ramps, and the views of an epoch are those of a pipeline with that epoch's values.
 */
#include "augment/operator.h"

#include <barlow/error.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_number(const bl_field *f)
{
	return f->kind < BL_FIELD_TEXT && f->kind != BL_FIELD_BOOL && f->kind != BL_FIELD_CHOICE;
}

static bool is_whole(const bl_field *f)
{
	return f->kind == BL_FIELD_INT || f->kind == BL_FIELD_INT64 || f->kind == BL_FIELD_INTS;
}

static int check_ramp(const bl_aug *a, const bl_field *f, int64_t epochs)
{
	if (a->built)
		return bl_fail("it is part of a pipeline, and pipelines cannot be changed");
	if (!is_number(f))
		return bl_fail("'%s' is no number, so it cannot be a ramp", f->name);
	if (epochs < 2 || epochs > BL_RAMP_MOST)
		return bl_fail("'%s' is a ramp of %lld epochs, expected 2 to %d", f->name, (long long)epochs, BL_RAMP_MOST);
	for (int i = 0; i < a->ramps; i++)
		if (a->ramp[i].field == f)
			return bl_fail("'%s' is a ramp already", f->name);
	return 0;
}

/* Sets the last values of a ramp as the field stores them: in its precision, and one number given for a pair as two. */
static int set_end(const bl_aug *a, ramp *r, const double *to, int n)
{
	_Alignas(16) unsigned char parameters[BL_AUG_BYTES];
	double from[BL_LIST_MOST];
	memcpy(parameters, a->parameters, a->op->parameters);
	if (bl_field_set(r->field, parameters, to, n) < 0)
		return -1;
	r->n = bl_field_get(r->field, parameters, r->to);
	n = bl_field_get(r->field, a->parameters, from);
	return n == r->n ? 0 : bl_fail("'%s' is a ramp from %d numbers to %d, expected as many in both", r->field->name, n, r->n);
}

int bl_aug_ramp(bl_aug *a, const char *field, const double *to, int n, int64_t epochs)
{
	ramp r = { .field = bl_operator_field(a, field), .epochs = epochs };
	if (!r.field)
		return -1;
	if (check_ramp(a, r.field, epochs) < 0 || set_end(a, &r, to, n) < 0)
		return bl_fail_prefix("%s: ", a->name);
	ramp *more = realloc(a->ramp, (size_t)(a->ramps + 1) * sizeof *more);
	if (!more)
		return bl_fail("no memory for a ramp");
	a->ramp = more;
	a->ramp[a->ramps++] = r;
	return 0;
}

int64_t bl_operator_settled(const bl_aug *a)
{
	int64_t last = a->op->settled ? a->op->settled(a->parameters) : 0;
	for (int i = 0; i < a->ramps; i++)
		last = a->ramp[i].epochs - 1 > last ? a->ramp[i].epochs - 1 : last;
	return last;
}

static double between(double from, double to, double part)
{
	return part < 1 ? from + (to - from) * part : to;
}

void bl_operator_fields_at(const bl_aug *a, int64_t epoch, void *parameters)
{
	for (int i = 0; i < a->ramps; i++) {
		const ramp *r = &a->ramp[i];
		double v[BL_LIST_MOST], part = (double)epoch / (double)(r->epochs - 1);
		bl_field_get(r->field, a->parameters, v);
		for (int k = 0; k < r->n; k++) {
			v[k] = between(v[k], r->to[k], part);
			v[k] = is_whole(r->field) ? floor(v[k] + .5) : v[k];
		}
		bl_field_set(r->field, parameters, v, r->n); /* cannot fail: v lies between two values that are in range */
	}
}

bl_aug *bl_operator_at(bl_aug *a, int64_t epoch)
{
	if (bl_operator_settled(a) == 0)
		return bl_aug_ref(a);
	bl_aug *now = a->op->at ? a->op->at(a->parameters, epoch) : bl_operator_make(a->op);
	if (!now)
		return NULL;
	if (!a->op->at)
		memcpy(now->parameters, a->parameters, a->op->parameters);
	bl_operator_fields_at(a, epoch, now->parameters);
	return now;
}

/* Compares the ramps of two operators, in any order. */
bool bl_operator_equal_ramps(const bl_aug *a, const bl_aug *b)
{
	bool same = a->ramps == b->ramps;
	for (int i = 0; same && i < a->ramps; i++) {
		const ramp *r = &a->ramp[i], *s = b->ramp;
		while (s < b->ramp + b->ramps && s->field != r->field)
			s++;
		same = s < b->ramp + b->ramps && s->epochs == r->epochs && s->n == r->n &&
		       memcmp(s->to, r->to, (size_t)r->n * sizeof *r->to) == 0;
	}
	return same;
}
