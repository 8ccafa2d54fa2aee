/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operator.c: the list of operators, their fields checked, and written as Lua. */
#include "augment/operator.h"

#include <barlow/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const operator *const operators[] = {
	[BL_AUG_CROP] = &bl_op_crop,           [BL_AUG_RESIZE] = &bl_op_resize,
	[BL_AUG_FLIP] = &bl_op_flip,           [BL_AUG_JITTER] = &bl_op_jitter,
	[BL_AUG_GRAYSCALE] = &bl_op_grayscale, [BL_AUG_BLUR] = &bl_op_blur,
	[BL_AUG_SOLARIZE] = &bl_op_solarize,   [BL_AUG_NORMALIZE] = &bl_op_normalize,
	[BL_AUG_AFFINE] = &bl_op_affine,       [BL_AUG_NOISE] = &bl_op_noise,
	[BL_AUG_CUTOUT] = &bl_op_cutout,
};

enum { KINDS = sizeof operators / sizeof *operators };

const operator *bl_operator(bl_aug_kind kind)
{
	return (unsigned)kind < KINDS ? operators[kind] : NULL;
}

bl_aug bl_aug_default(bl_aug_kind kind)
{
	const operator *op = bl_operator(kind);
	return op ? op->defaults : (bl_aug){ .kind = kind };
}

/* The numbers of a field as doubles; returns how many.  Channels end where std does. */
static int values_of(const field *f, const bl_aug *a, double v[4])
{
	const char *at = (const char *)a + f->offset;
	const float *x = (const float *)at;
	int n = f->kind == FIELD_PAIR ? 2 : 1;
	if (f->kind == FIELD_INT) {
		v[0] = *(const int *)at;
		return 1;
	}
	if (f->kind == FIELD_CHANNELS)
		for (n = 4; n > 1 && a->stddev[n - 1] == 0; n--)
			;
	for (int i = 0; i < n; i++)
		v[i] = x[i];
	return n;
}

/* The shortest decimal that reads back as the same float. */
static void number_text(double v, char buf[32])
{
	for (int digits = 1; digits <= 9; digits++) {
		snprintf(buf, 32, "%.*g", digits, v);
		if (strtof(buf, NULL) == (float)v)
			return;
	}
}

static void field_text(const field *f, const bl_aug *a, char *buf, size_t size)
{
	double v[4];
	int n = values_of(f, a, v);
	bool braces = f->kind == FIELD_PAIR || f->kind == FIELD_CHANNELS;
	size_t used = (size_t)snprintf(buf, size, "%s = %s", f->name, braces ? "{" : "");
	for (int i = 0; i < n && used < size; i++) {
		char number[32];
		number_text(v[i], number);
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", number);
	}
	if (braces && used < size)
		snprintf(buf + used, size - used, "}");
}

static int check_field(const field *f, const bl_aug *a)
{
	double v[4];
	char text[128];
	int n = values_of(f, a, v);
	field_text(f, a, text, sizeof text);
	for (int i = 0; i < n; i++)
		if (!(v[i] >= f->least && v[i] <= f->most))
			return bl_fail("%s, expected %s%g to %g", text, n > 1 ? "each from " : "", f->least, f->most);
	if (f->kind == FIELD_PAIR && v[0] > v[1])
		return bl_fail("%s, expected the smaller number first", text);
	return 0;
}

int bl_fields_check(const operator *op, const bl_aug *a)
{
	for (const field *f = op->fields; f->name; f++)
		if (check_field(f, a) < 0)
			return -1;
	return 0;
}

char *bl_aug_text(const bl_aug *a, char *buf, size_t size)
{
	const operator *op = bl_operator(a->kind);
	size_t used = (size_t)snprintf(buf, size, "%s{", op ? op->name : "?");
	for (const field *f = op ? op->fields : NULL; f && f->name && used < size; f++) {
		char text[128];
		field_text(f, a, text, sizeof text);
		used += (size_t)snprintf(buf + used, size - used, "%s%s", f == op->fields ? "" : ", ", text);
	}
	if (used < size)
		snprintf(buf + used, size - used, "}");
	return buf;
}
