/* SPDX-License-Identifier: GPL-3.0-or-later */
/* copy.c: copies tensors between memory orders, fills them, and searches them for values that are not finite. */
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

static void copy_run(void *ctx, int64_t n, float *const *p, const int64_t *step)
{
	(void)ctx;
	if (step[0] == 1 && step[1] == 1) {
		memcpy(p[0], p[1], (size_t)n * sizeof *p[0]);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		p[0][i * step[0]] = p[1][i * step[1]];
}

int bl_tensor_copy(bl_tensor *dst, const bl_tensor *src)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	bl_walk w;
	if (!bl_tensor_same_shape(dst, src))
		return bl_fail("copy: shapes differ: into %s from %s", bl_tensor_text(dst, a), bl_tensor_text(src, b));
	bl_walk_init(&w, 2, (bl_tensor *[]){ dst, (bl_tensor *)src });
	bl_walk_run(&w, copy_run, NULL);
	return 0;
}

/* Copies the values of t into `copy` and returns it; returns NULL if `copy` is NULL. */
static bl_tensor *filled(bl_tensor *copy, const bl_tensor *t)
{
	if (copy)
		bl_tensor_copy(copy, t);
	return copy;
}

bl_tensor *bl_tensor_contiguous(bl_tensor *t)
{
	if (bl_tensor_is_contiguous(t))
		return bl_tensor_ref(t);
	return filled(bl_tensor_new(t->ndim, t->shape), t);
}

bl_tensor *bl_tensor_channels_last(bl_tensor *t)
{
	char text[BL_SHAPE_TEXT];
	if (t->ndim != 4)
		return bl_fail_null("expected an image batch (N, C, H, W), got shape %s", bl_tensor_text(t, text));
	if (bl_tensor_is_channels_last(t))
		return bl_tensor_ref(t);
	return filled(bl_tensor_new_image(t->shape[0], t->shape[1], t->shape[2], t->shape[3]), t);
}

bl_tensor *bl_tensor_clone(const bl_tensor *t)
{
	return filled(bl_tensor_like(t), t);
}

void bl_tensor_freeze(bl_tensor *t)
{
	t->storage->constant = true;
}

bool bl_tensor_is_constant(const bl_tensor *t)
{
	return t->storage && t->storage->constant;
}

void bl_tensor_read(const bl_tensor *t, float *out)
{
	bl_tensor row_major = { .ndim = t->ndim, .data = out };
	memcpy(row_major.shape, t->shape, sizeof row_major.shape);
	bl_strides_row_major(t->ndim, t->shape, row_major.stride);
	bl_tensor_copy(&row_major, t);
}

static void fill_run(void *ctx, int64_t n, float *const *p, const int64_t *step)
{
	float value = *(const float *)ctx;
	for (int64_t i = 0; i < n; i++)
		p[0][i * step[0]] = value;
}

void bl_tensor_fill(bl_tensor *t, float value)
{
	bl_walk w;
	bl_walk_init(&w, 1, &t);
	bl_walk_run(&w, fill_run, &value);
}

bl_tensor *bl_tensor_full(int ndim, const int64_t *shape, float value)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);
	if (t)
		bl_tensor_fill(t, value);
	return t;
}

bl_tensor *bl_tensor_scalar(float value)
{
	return bl_tensor_full(0, NULL, value);
}

/* x - x is 0 if x is finite, and NaN otherwise.  So the sum of these differences is 0 only if all values are finite. */
static bool all_finite(const float *x, int64_t n)
{
	float bad = 0;
	for (int64_t i = 0; i < n; i++)
		bad += x[i] - x[i];
	return bad == 0;
}

int64_t bl_tensor_find_nonfinite(const bl_tensor *t)
{
	int64_t n = bl_tensor_count(t);
	if (bl_tensor_is_dense(t) && all_finite(t->data, n))
		return -1;
	bl_tensor *c = bl_tensor_contiguous((bl_tensor *)t);
	int64_t found = -1;
	for (int64_t i = 0; c && i < n && found < 0; i++)
		if (!isfinite(c->data[i]))
			found = i;
	bl_tensor_unref(c);
	return found;
}
