/* SPDX-License-Identifier: GPL-3.0-or-later */
/* change.c: compares pipelines, and makes pipelines in which operators are removed or replaced. */
#include "augment/operator.h"
#include "augment/pipeline.h"

#include <barlow/error.h>

#include <stdio.h>
#include <string.h>

enum { MOST_OPERATORS = 64 };

static bool equal_fields(const bl_aug *a, const bl_aug *b)
{
	for (const bl_field *f = a->op->fields; f->name; f++) {
		double v[BL_LIST_MOST] = { 0 }, w[BL_LIST_MOST] = { 0 };
		int n = bl_field_get(f, a->parameters, v);
		if (bl_field_get(f, b->parameters, w) != n || memcmp(v, w, sizeof v) != 0)
			return false;
	}
	return true;
}

static bool equal(const bl_aug *a, const bl_aug *b)
{
	if (a->op != b->op || strcmp(a->name, b->name) != 0)
		return false;
	return a == b || (equal_fields(a, b) && bl_operator_equal_ramps(a, b) &&
	                  (!a->op->equal || a->op->equal(a->parameters, b->parameters)));
}

bool bl_pipeline_equal(const bl_pipeline *p, const bl_pipeline *q)
{
	int n = bl_pipeline_length(p);
	bool same = n == bl_pipeline_length(q);
	for (int i = 0; same && i < n; i++)
		same = equal(bl_pipeline_op(p, i), bl_pipeline_op(q, i));
	return same;
}

bl_pipeline *bl_pipeline_replace(const bl_pipeline *p, const char *name, const bl_pipeline *by, int *found)
{
	bl_aug *ops[MOST_OPERATORS + 1];
	int n = 0;
	*found = 0;
	for (int i = 0; i < bl_pipeline_length(p); i++) {
		bl_aug *a = bl_pipeline_op(p, i);
		bool here = strcmp(bl_aug_name(a), name) == 0;
		int times = !here ? 1 : by ? bl_pipeline_length(by) : 0;
		*found += here;
		for (int k = 0; k < times; k++) {
			if (n == MOST_OPERATORS)
				return bl_fail_null("more than %d operators", MOST_OPERATORS);
			ops[n++] = here ? bl_pipeline_op(by, k) : a;
		}
	}
	return bl_pipeline_new(ops, n);
}
