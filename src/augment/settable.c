/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settable.c: fields that may change while a run trains.  Since a pipeline is immutable, a new pipeline is made with
 * the new value.
 */
#include "augment/operator.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPERATORS = 64 };

/* Can the operator be copied by copying its parameters?  Not if it is made of pipelines or owns objects. */
static bool can_change(const bl_aug *a)
{
	return !a->op->at && !a->op->release;
}

static const bl_field *settable(const bl_aug *a, const char *field)
{
	const bl_field *f = can_change(a) ? bl_field_find(a->op->fields, field) : NULL;
	return f && f->settable ? f : NULL;
}

/* The field of a that `name` (OPERATOR.FIELD, such as "jitter.p") refers to; NULL: none. */
static const bl_field *meant(const bl_aug *a, const char *name)
{
	size_t n = strlen(a->name);
	return strncmp(name, a->name, n) == 0 && name[n] == '.' ? settable(a, name + n + 1) : NULL;
}

bool bl_pipeline_settable(const bl_pipeline *p, int i, char *name, size_t size)
{
	for (int k = 0; k < bl_pipeline_length(p); k++) {
		const bl_aug *a = bl_pipeline_op(p, k);
		for (const bl_field *f = a->op->fields; can_change(a) && f->name; f++)
			if (f->settable && i-- == 0)
				return snprintf(name, size, "%s.%s", a->name, f->name) < (int)size;
	}
	return false;
}

double bl_pipeline_get(const bl_pipeline *p, const char *name)
{
	double v[BL_LIST_MOST] = { NAN };
	for (int k = 0; k < bl_pipeline_length(p); k++) {
		const bl_aug *a = bl_pipeline_op(p, k);
		const bl_field *f = meant(a, name);
		if (f)
			return bl_field_get(f, a->parameters, v), v[0];
	}
	return NAN;
}

static int copy_ramps(bl_aug *to, const bl_aug *from)
{
	size_t bytes = (size_t)from->ramps * sizeof *from->ramp;
	to->ramp = from->ramps ? malloc(bytes) : NULL;
	if (from->ramps && !to->ramp)
		return bl_fail("no memory for a ramp");
	if (from->ramps)
		memcpy(to->ramp, from->ramp, bytes);
	to->ramps = from->ramps;
	return 0;
}

static int set_field(bl_aug *a, const bl_field *f, double value)
{
	for (int i = 0; i < a->ramps; i++)
		if (a->ramp[i].field == f)
			return bl_fail("%s: '%s' is a ramp, which depends on the epoch", a->name, f->name);
	return bl_field_set(f, a->parameters, &value, 1) < 0 ? bl_fail_prefix("%s: ", a->name) : 0;
}

static bl_aug *with(bl_aug *a, const char *name, double value)
{
	const bl_field *f = meant(a, name);
	if (!f)
		return bl_aug_ref(a);
	bl_aug *new = bl_operator_make(a->op);
	if (!new)
		return NULL;
	memcpy(new->parameters, a->parameters, a->op->parameters);
	if (copy_ramps(new, a) == 0 && set_field(new, f, value) == 0)
		return new;
	bl_aug_unref(new);
	return NULL;
}

bl_pipeline *bl_pipeline_with(const bl_pipeline *p, const char *name, double value)
{
	bl_aug *op[MOST_OPERATORS] = { NULL };
	bl_pipeline *made = NULL;
	int n = bl_pipeline_length(p), i = 0;
	while (i < n && (op[i] = with(bl_pipeline_op(p, i), name, value)))
		i++;
	if (i == n)
		made = bl_pipeline_new(op, n);
	for (int k = 0; k < i; k++)
		bl_aug_unref(op[k]);
	return made;
}
