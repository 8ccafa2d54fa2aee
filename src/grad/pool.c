/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool.c: max, average and global average pooling: x (N,C,H,W) -> y (N,C,P,Q). */
#include "grad/node.h"

#include <math.h>
#include <string.h>

typedef struct context {
	int64_t n, c, h, w, p, q;
	int64_t kernel, stride, padding;
} context;

/* The arrays of a forward or backward pass; each chunk is an image. */
typedef struct job {
	const context *g;
	const float *x, *y, *dy;
	float *out;
} job;

/* Sets [*from, *to) to the part of window p that is inside the image. */
static void window(const context *g, int64_t p, int64_t size, int64_t *from, int64_t *to)
{
	int64_t start = p * g->stride - g->padding, end = start + g->kernel;
	*from = start < 0 ? 0 : start;
	*to = end > size ? size : end;
}

/* Calls visit for each pixel under each window of image n. */
typedef void visit(const job *j, int64_t window_at, int64_t pixel_at, bool first);
static inline __attribute__((always_inline)) void each(const job *j, int64_t n, visit *v)
{
	const context *g = j->g;
	for (int64_t p = 0; p < g->p; p++)
		for (int64_t q = 0; q < g->q; q++) {
			int64_t i, i2, k, k2, at = ((n * g->p + p) * g->q + q) * g->c;
			window(g, p, g->h, &i, &i2);
			window(g, q, g->w, &k, &k2);
			bool first = true;
			for (; i < i2; i++)
				for (int64_t l = k; l < k2; l++, first = false)
					v(j, at, ((n * g->h + i) * g->w + l) * g->c, first);
		}
}

static inline void max_visit(const job *j, int64_t y, int64_t x, bool first)
{
	for (int64_t c = 0; c < j->g->c; c++) {
		float v = j->x[x + c];
		j->out[y + c] = first || v > j->out[y + c] || v != v ? v : j->out[y + c];
	}
}

static void max_image(void *ctx, int64_t n)
{
	each(ctx, n, max_visit);
}

static inline void mean_visit(const job *j, int64_t y, int64_t x, bool first)
{
	float share = 1 / (float)(j->g->kernel * j->g->kernel);
	for (int64_t c = 0; c < j->g->c; c++)
		j->out[y + c] = (first ? 0 : j->out[y + c]) + share * j->x[x + c];
}

static void mean_image(void *ctx, int64_t n)
{
	each(ctx, n, mean_visit);
}

static inline void mean_back_visit(const job *j, int64_t y, int64_t x, bool first)
{
	float share = 1 / (float)(j->g->kernel * j->g->kernel);
	(void)first;
	for (int64_t c = 0; c < j->g->c; c++)
		j->out[x + c] += share * j->dy[y + c];
}

static void clear_image(const job *j, int64_t n)
{
	int64_t size = j->g->h * j->g->w * j->g->c;
	memset(j->out + n * size, 0, (size_t)size * sizeof *j->out);
}

static void mean_back_image(void *ctx, int64_t n)
{
	clear_image(ctx, n);
	each(ctx, n, mean_back_visit);
}

/* The first pixel with the window's maximum gets the gradient. */
static void max_back_channel(const job *j, int64_t n, int64_t p, int64_t q, int64_t c)
{
	const context *g = j->g;
	int64_t i, i2, k, k2, y = ((n * g->p + p) * g->q + q) * g->c + c;
	window(g, p, g->h, &i, &i2);
	window(g, q, g->w, &k, &k2);
	for (; i < i2; i++)
		for (int64_t l = k; l < k2; l++) {
			int64_t x = ((n * g->h + i) * g->w + l) * g->c + c;
			if (j->x[x] == j->y[y]) {
				j->out[x] += j->dy[y];
				return;
			}
		}
}

static void max_back_image(void *ctx, int64_t n)
{
	const job *j = ctx;
	clear_image(j, n);
	for (int64_t p = 0; p < j->g->p; p++)
		for (int64_t q = 0; q < j->g->q; q++)
			for (int64_t c = 0; c < j->g->c; c++)
				max_back_channel(j, n, p, q, c);
}

static int go_back(const context *g, bl_tensor *x, const bl_tensor *y, const bl_tensor *dout, bl_parallel_fn *image)
{
	bl_tensor *dy = bl_tensor_channels_last((bl_tensor *)dout), *xl = bl_tensor_channels_last(x);
	bl_tensor *dx = bl_tensor_new_image(g->n, g->c, g->h, g->w);
	int rc = -1;
	if (dy && xl && dx) {
		job j = { g, xl->data, y->data, dy->data, dx->data };
		bl_parallel(g->n, image, &j);
		rc = bl_grad_pass(x, dx);
	}
	bl_tensor_unref(dy);
	bl_tensor_unref(xl);
	bl_tensor_unref(dx);
	return rc;
}

static int max_backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	return go_back(ctx, in[0], out, dout, max_back_image);
}

static int mean_backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	return go_back(ctx, in[0], out, dout, mean_back_image);
}

static int check(const char *name, const bl_tensor *x, int kernel, int stride, int padding)
{
	char s[BL_SHAPE_TEXT];
	if (x->ndim != 4)
		return bl_fail("%s: expected images (N, C, H, W), got %s", name, bl_tensor_text(x, s));
	if (kernel < 1 || stride < 1 || padding < 0 || 2 * padding > kernel)
		return bl_fail("%s: kernel %d, stride %d, padding %d: expected at least 1, at least 1, 0 to half the kernel", name,
		               kernel, stride, padding);
	if (x->shape[2] + 2 * padding < kernel || x->shape[3] + 2 * padding < kernel)
		return bl_fail("%s: kernel %d is larger than images %s with padding %d", name, kernel, bl_tensor_text(x, s),
		               padding);
	return 0;
}

static context geometry(const bl_tensor *x, int kernel, int stride, int padding)
{
	context g = { .n = x->shape[0],
		      .c = x->shape[1],
		      .h = x->shape[2],
		      .w = x->shape[3],
		      .kernel = kernel,
		      .stride = stride,
		      .padding = padding };
	g.p = (g.h + 2 * padding - kernel) / stride + 1;
	g.q = (g.w + 2 * padding - kernel) / stride + 1;
	return g;
}

static bl_tensor *pool(bl_tensor *x, const context *g, enum bl_op op, bl_parallel_fn *image, bl_backward_fn *back)
{
	bl_tensor *xl = bl_tensor_channels_last(x), *y = xl ? bl_tensor_new_image(g->n, g->c, g->p, g->q) : NULL;
	if (y) {
		job j = { .g = g, .x = xl->data, .out = y->data };
		bl_parallel(g->n, image, &j);
	}
	bl_tensor_unref(xl);
	return bl_node_attach(y, op, 1, &x, back, g, sizeof *g, NULL);
}

bl_tensor *bl_maxpool2d(bl_tensor *x, int kernel, int stride, int padding)
{
	if (check("maxpool2d", x, kernel, stride, padding))
		return NULL;
	context g = geometry(x, kernel, stride, padding);
	return pool(x, &g, BL_OP_maxpool2d, max_image, max_backward);
}

bl_tensor *bl_avgpool2d(bl_tensor *x, int kernel, int stride, int padding)
{
	if (check("avgpool2d", x, kernel, stride, padding))
		return NULL;
	context g = geometry(x, kernel, stride, padding);
	return pool(x, &g, BL_OP_avgpool2d, mean_image, mean_backward);
}

/* Global pooling: the mean of each channel over the image, summed in the order of the pixels. */
static void global_image(void *ctx, int64_t n)
{
	const job *j = ctx;
	int64_t c = j->g->c, pixels = j->g->h * j->g->w;
	float *y = j->out + n * c;
	memset(y, 0, (size_t)c * sizeof *y);
	for (int64_t i = 0; i < pixels; i++)
		for (int64_t k = 0; k < c; k++)
			y[k] += j->x[(n * pixels + i) * c + k];
	for (int64_t k = 0; k < c; k++)
		y[k] /= (float)pixels;
}

static void global_back_image(void *ctx, int64_t n)
{
	const job *j = ctx;
	int64_t c = j->g->c, pixels = j->g->h * j->g->w;
	for (int64_t i = 0; i < pixels; i++)
		for (int64_t k = 0; k < c; k++)
			j->out[(n * pixels + i) * c + k] = j->dy[n * c + k] / (float)pixels;
}

static int global_backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	return go_back(ctx, in[0], out, dout, global_back_image);
}

bl_tensor *bl_global_avgpool(bl_tensor *x)
{
	char s[BL_SHAPE_TEXT];
	if (x->ndim != 4 || x->shape[2] < 1 || x->shape[3] < 1)
		return bl_fail_null("global_avgpool: expected images (N, C, H, W), got %s", bl_tensor_text(x, s));
	context g = { .n = x->shape[0], .c = x->shape[1], .h = x->shape[2], .w = x->shape[3], .p = 1, .q = 1 };
	return pool(x, &g, BL_OP_global_avgpool, global_image, global_backward);
}
