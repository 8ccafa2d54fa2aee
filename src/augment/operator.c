/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operator.c: the list of operators, and access to their parameters by name. */
#include "augment/operator.h"

#include <barlow/error.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The only list of operators.  bl_op_NAME is at the end of the operator's file. */
/* clang-format off */
#define LIST(X) \
	X(crop) X(resize) X(flip) X(jitter) X(grayscale) X(blur) X(solarize) X(normalize) X(affine) X(noise) X(cutout) \
	X(vflip) X(alternating_flip) X(pad_crop) X(rotate) X(shear) X(perspective) X(elastic) \
	X(invert) X(posterize) X(autocontrast) X(equalize) X(sharpness) X(channel_dropout) X(trivial) \
	X(feature_noise) X(feature_mask)
/* clang-format on */

#define DECLARE(name) extern const operator bl_op_##name;
#define ADDRESS(name) &bl_op_##name,
LIST(DECLARE)
static const operator* const operators[] = { LIST(ADDRESS) };

enum { OPERATORS = sizeof operators / sizeof *operators };

const char *bl_aug_name_at(int i)
{
	return i >= 0 && i < OPERATORS ? operators[i]->name : NULL;
}

static const operator* find(const char *name)
{
	for (int i = 0; i < OPERATORS; i++)
		if (strcmp(operators[i]->name, name) == 0)
			return operators[i];
	return NULL;
}

const char *bl_aug_help(const char *name)
{
	const operator* op = find(name);
	return op ? op->help : NULL;
}

const bl_field *bl_aug_fields(const char *name)
{
	const operator* op = find(name);
	return op ? op->fields : NULL;
}

bl_aug *bl_operator_make(const operator* op)
{
	assert(op->parameters <= BL_AUG_BYTES);
	bl_aug *a = calloc(1, sizeof *a + op->parameters);
	if (!a)
		return bl_fail_null("no memory for operator %s", op->name);
	atomic_init(&a->refs, 1);
	a->op = op;
	a->name = op->name;
	bl_fields_default(op->fields, a->parameters);
	return a;
}

bl_aug *bl_aug_new(const char *name)
{
	const char *names[OPERATORS + 1] = { NULL };
	const operator* op = find(name);
	if (op)
		return bl_operator_make(op);
	for (int i = 0; i < OPERATORS; i++)
		names[i] = operators[i]->name;
	const char *near = bl_nearest(name, names);
	return near ? bl_fail_null("no operator '%.40s' (did you mean '%s'?)", name, near)
	            : bl_fail_null("no operator '%.40s'", name);
}

bl_aug *bl_aug_new_with(const char *name, const void *parameters)
{
	bl_aug *a = bl_aug_new(name);
	if (a)
		memcpy(a->parameters, parameters, a->op->parameters);
	return a;
}

bl_aug *bl_aug_ref(bl_aug *a)
{
	atomic_fetch_add(&a->refs, 1);
	return a;
}

void bl_aug_unref(bl_aug *a)
{
	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	if (a->op->release)
		a->op->release(a->parameters);
	free(a->ramp);
	free(a);
}

const char *bl_aug_name(const bl_aug *a)
{
	return a->name;
}

const bl_field *bl_operator_field(const bl_aug *a, const char *name)
{
	const char *names[32];
	int n = 0;
	const bl_field *found = bl_field_find(a->op->fields, name);
	if (found)
		return found;
	for (const bl_field *f = a->op->fields; f->name && n < 31; f++)
		names[n++] = f->name;
	names[n] = NULL;
	const char *near = bl_nearest(name, names);
	return near ? bl_fail_null("%s: no field '%.40s' (did you mean '%s'?)", a->name, name, near)
	            : bl_fail_null("%s: no field '%.40s'", a->name, name);
}

int bl_aug_set(bl_aug *a, const char *field, const double *v, int n)
{
	const bl_field *f = bl_operator_field(a, field);
	if (!f)
		return -1;
	if (a->built)
		return bl_fail("%s: it is part of a pipeline, and pipelines cannot be changed", a->name);
	return bl_field_set(f, a->parameters, v, n) < 0 ? bl_fail_prefix("%s: ", a->name) : 0;
}

int bl_aug_get(const bl_aug *a, const char *field, double v[BL_LIST_MOST])
{
	const bl_field *f = bl_operator_field(a, field);
	return f ? bl_field_get(f, a->parameters, v) : -1;
}
