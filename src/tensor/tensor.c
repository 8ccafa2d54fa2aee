/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensor.c: creates, shares and queries tensors. */
#include "tensor/tensor.h"

#include <barlow/memory.h>
#include <barlow/random.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COUNT_BITS = 44 };

static bl_storage *storage_new(float *data, void (*release)(void *), void *owner)
{
	bl_storage *s = bl_block_take(sizeof *s);
	if (!s)
		return NULL;
	*s = (bl_storage){ .data = data, .release = release, .owner = owner };
	atomic_init(&s->refs, 1);
	return s;
}

static void storage_unref(bl_storage *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	if (s->release)
		s->release(s->owner);
	else
		bl_block_give(s->data);
	bl_block_give(s);
}

/* Takes ownership of one reference to s, also on failure. */
static bl_tensor *tensor_on(bl_storage *s, int ndim, const int64_t *shape, const int64_t *stride, float *data)
{
	bl_tensor *t = s ? bl_block_take(sizeof *t) : NULL;
	if (!t) {
		storage_unref(s);
		return NULL;
	}
	memset(t, 0, sizeof *t);
	atomic_init(&t->refs, 1);
	t->ndim = ndim;
	for (int d = 0; d < ndim; d++) {
		t->shape[d] = shape[d];
		t->stride[d] = stride[d];
	}
	t->data = data;
	t->storage = s;
	return t;
}

void bl_strides_row_major(int ndim, const int64_t *shape, int64_t *stride)
{
	int64_t n = 1;
	for (int d = ndim - 1; d >= 0; d--) {
		stride[d] = n;
		n *= shape[d];
	}
}

/*
 * The number of elements of a shape, or -1 with bl_error.  The product of the sizes other than 0 must not overflow,
 * even if another size is 0, because strides are products of sizes.
 */
static int64_t shape_count(int ndim, const int64_t *shape)
{
	char text[BL_SHAPE_TEXT];
	int64_t n = 1;
	bool none = false;
	if (ndim < 0 || ndim > BL_MAXDIM)
		return bl_fail("a tensor has 0 to %d dimensions, not %d", BL_MAXDIM, ndim);
	for (int d = 0; d < ndim; d++) {
		if (shape[d] < 0)
			return bl_fail("negative size in shape %s", bl_shape_text(ndim, shape, text));
		none = none || shape[d] == 0;
		if (shape[d] > 0 && (__builtin_mul_overflow(n, shape[d], &n) || n >> MAX_COUNT_BITS))
			return bl_fail("shape %s is too large", bl_shape_text(ndim, shape, text));
	}
	return none ? 0 : n;
}

static bl_tensor *tensor_strided(int ndim, const int64_t *shape, const int64_t *stride)
{
	int64_t n = shape_count(ndim, shape);
	if (n < 0)
		return NULL;
	float *data = bl_block_take((size_t)n * sizeof *data);
	if (!data)
		return NULL;
	bl_storage *s = storage_new(data, NULL, NULL);
	if (!s)
		bl_block_give(data);
	return tensor_on(s, ndim, shape, stride, data);
}

bl_tensor *bl_tensor_new(int ndim, const int64_t *shape)
{
	int64_t stride[BL_MAXDIM] = { 0 };
	if (shape_count(ndim, shape) < 0)
		return NULL;
	bl_strides_row_major(ndim, shape, stride);
	return tensor_strided(ndim, shape, stride);
}

bl_tensor *bl_tensor_new_image(int64_t n, int64_t c, int64_t h, int64_t w)
{
	int64_t shape[4] = { n, c, h, w };
	if (shape_count(4, shape) < 0)
		return NULL;
	return tensor_strided(4, shape, (int64_t[]){ h * w * c, 1, w * c, c });
}

bl_tensor *bl_tensor_like(const bl_tensor *t)
{
	if (bl_tensor_is_dense(t))
		return tensor_strided(t->ndim, t->shape, t->stride);
	return bl_tensor_new(t->ndim, t->shape);
}

bl_tensor *bl_tensor_from(int ndim, const int64_t *shape, const float *values)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);
	if (t)
		memcpy(t->data, values, (size_t)bl_tensor_count(t) * sizeof *values);
	return t;
}

static void nothing(void *owner)
{
	(void)owner;
}

bl_tensor *bl_tensor_wrap(int ndim, const int64_t *shape, float *data, void (*release)(void *), void *owner)
{
	int64_t stride[BL_MAXDIM] = { 0 };
	if (shape_count(ndim, shape) < 0)
		return NULL;
	bl_strides_row_major(ndim, shape, stride);
	return tensor_on(storage_new(data, release ? release : nothing, owner), ndim, shape, stride, data);
}

bl_tensor *bl_tensor_view_of(const bl_tensor *t, int ndim, const int64_t *shape, const int64_t *stride, float *data)
{
	atomic_fetch_add(&t->storage->refs, 1);
	return tensor_on(t->storage, ndim, shape, stride, data);
}

bl_tensor *bl_tensor_ref(bl_tensor *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void bl_tensor_unref(bl_tensor *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	if (t->node)
		t->node_free(t->node);
	bl_tensor_unref(t->grad);
	storage_unref(t->storage);
	bl_block_give(t);
}

int bl_tensor_ndim(const bl_tensor *t)
{
	return t->ndim;
}

int64_t bl_tensor_size(const bl_tensor *t, int dim)
{
	dim += dim < 0 ? t->ndim : 0;
	assert(dim >= 0 && dim < t->ndim);
	return t->shape[dim];
}

int64_t bl_tensor_stride(const bl_tensor *t, int dim)
{
	dim += dim < 0 ? t->ndim : 0;
	assert(dim >= 0 && dim < t->ndim);
	return t->stride[dim];
}

const int64_t *bl_tensor_shape(const bl_tensor *t)
{
	return t->shape;
}

int64_t bl_tensor_count(const bl_tensor *t)
{
	int64_t n = 1;
	for (int d = 0; d < t->ndim; d++)
		n *= t->shape[d];
	return n;
}

float *bl_tensor_data(const bl_tensor *t)
{
	return t->data;
}

/* Is memory dense, with dimensions in this order (NULL: row-major)?  A dimension of size 1 may have any stride. */
static bool has_order(const bl_tensor *t, const int *order)
{
	int64_t n = 1;
	for (int i = t->ndim - 1; i >= 0; i--) {
		int d = order ? order[i] : i;
		if (t->shape[d] != 1 && t->stride[d] != n)
			return false;
		n *= t->shape[d];
	}
	return true;
}

bool bl_tensor_is_contiguous(const bl_tensor *t)
{
	return has_order(t, NULL);
}

bool bl_tensor_is_channels_last(const bl_tensor *t)
{
	return t->ndim == 4 && has_order(t, (int[]){ 0, 2, 3, 1 });
}

bool bl_tensor_is_dense(const bl_tensor *t)
{
	return bl_tensor_is_contiguous(t) || bl_tensor_is_channels_last(t);
}

bool bl_tensor_same_shape(const bl_tensor *a, const bl_tensor *b)
{
	return a->ndim == b->ndim && !memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape);
}

static int64_t offset(const bl_tensor *t, const int64_t *index)
{
	int64_t at = 0;
	for (int d = 0; d < t->ndim; d++) {
		assert(index[d] >= 0 && index[d] < t->shape[d]);
		at += index[d] * t->stride[d];
	}
	return at;
}

float bl_tensor_at(const bl_tensor *t, const int64_t *index)
{
	return t->data[offset(t, index)];
}

void bl_tensor_put(bl_tensor *t, const int64_t *index, float value)
{
	t->data[offset(t, index)] = value;
}

char *bl_shape_text(int ndim, const int64_t *shape, char buf[BL_SHAPE_TEXT])
{
	size_t used = (size_t)snprintf(buf, BL_SHAPE_TEXT, "(");
	for (int d = 0; d < ndim && d < BL_MAXDIM; d++)
		used += (size_t)snprintf(buf + used, BL_SHAPE_TEXT - used, d ? ", %lld" : "%lld", (long long)shape[d]);
	snprintf(buf + used, BL_SHAPE_TEXT - used, ndim == 1 ? ",)" : ")");
	return buf;
}

char *bl_tensor_text(const bl_tensor *t, char buf[BL_SHAPE_TEXT])
{
	return bl_shape_text(t->ndim, t->shape, buf);
}

/* Checks every 65,536 elements whether the work is interrupted. */
static bool given_up_at(int64_t i)
{
	return (i & 0xffff) == 0 && bl_given_up();
}

void bl_tensor_uniform(bl_tensor *t, uint64_t seed, uint32_t stream, float lo, float hi)
{
	bl_rng r;
	bl_rng_init(&r, seed, 0, stream, BL_STREAM_INIT);
	assert(bl_tensor_is_contiguous(t));
	for (int64_t i = 0, n = bl_tensor_count(t); i < n && !given_up_at(i); i++)
		t->data[i] = bl_rng_between(&r, lo, hi);
}

void bl_tensor_normal(bl_tensor *t, uint64_t seed, uint32_t stream, float mean, float std)
{
	bl_rng r;
	bl_rng_init(&r, seed, 0, stream, BL_STREAM_INIT);
	assert(bl_tensor_is_contiguous(t));
	for (int64_t i = 0, n = bl_tensor_count(t); i < n && !given_up_at(i); i++)
		t->data[i] = mean + std * bl_rng_normal(&r);
}
