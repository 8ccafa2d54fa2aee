/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv2d.c: convolution of image batches: x (N,C,H,W), w (K,C/groups,R,S) -> y (N,K,P,Q). */
#include "grad/node.h"
#include "tensor/conv/conv.h"

#include <barlow/profile.h>

#include <stdio.h>

typedef struct context {
	bl_conv g;
} context;

static int64_t gap(bl_conv_shape s)
{
	return s.dilation > 0 ? s.dilation - 1 : 0;
}

/* Writes ", dilated by 2", or "" without dilation. */
enum { DILATED = 32 };
static const char *dilated(bl_conv_shape s, char buf[DILATED])
{
	buf[0] = '\0';
	if (gap(s))
		snprintf(buf, DILATED, ", dilated by %d", s.dilation);
	return buf;
}

static int check(const bl_tensor *x, const bl_tensor *w, const bl_tensor *b, bl_conv_shape s)
{
	char a[BL_SHAPE_TEXT], c[BL_SHAPE_TEXT], d[DILATED];
	if (x->ndim != 4 || w->ndim != 4)
		return bl_fail("conv2d: expected images (N, C, H, W) and weights (K, C/groups, R, S), got %s and %s",
		               bl_tensor_text(x, a), bl_tensor_text(w, c));
	if (s.stride < 1 || s.padding < 0 || s.groups < 1 || s.dilation < 0)
		return bl_fail("conv2d: stride %d, padding %d, groups %d, dilation %d: expected at least 1, 0, 1, 1", s.stride,
		               s.padding, s.groups, s.dilation);
	if (x->shape[1] != w->shape[1] * s.groups || w->shape[0] % s.groups)
		return bl_fail("conv2d: images %s do not fit weights %s with %d group%s: %lld channels against %lld",
		               bl_tensor_text(x, a), bl_tensor_text(w, c), s.groups, s.groups == 1 ? "" : "s",
		               (long long)x->shape[1], (long long)(w->shape[1] * s.groups));
	if (w->shape[2] < 1 || w->shape[3] < 1 || x->shape[2] + 2 * s.padding < bl_conv_reach(w->shape[2], gap(s)) ||
	    x->shape[3] + 2 * s.padding < bl_conv_reach(w->shape[3], gap(s)))
		return bl_fail("conv2d: kernel of %s%s is larger than images %s with padding %d", bl_tensor_text(w, c),
		               dilated(s, d), bl_tensor_text(x, a), s.padding);
	if (b && (b->ndim != 1 || b->shape[0] != w->shape[0]))
		return bl_fail("conv2d: bias %s does not fit weights %s", bl_tensor_text(b, a), bl_tensor_text(w, c));
	return 0;
}

static bl_conv geometry(const bl_tensor *x, const bl_tensor *w, bl_conv_shape s)
{
	bl_conv g = { .n = x->shape[0],
		      .c = x->shape[1],
		      .h = x->shape[2],
		      .w = x->shape[3],
		      .k = w->shape[0],
		      .r = w->shape[2],
		      .s = w->shape[3],
		      .stride = s.stride,
		      .padding = s.padding,
		      .groups = s.groups,
		      .gap = gap(s) };
	g.p = bl_conv_outputs(g.h, g.r, g.stride, g.padding, g.gap);
	g.q = bl_conv_outputs(g.w, g.s, g.stride, g.padding, g.gap);
	return g;
}

/* The number of floating-point operations of one direction by the direct algorithm. */
static double flops(const bl_conv *g)
{
	return 2. * (double)(g->n * g->p * g->q * g->k * g->r * g->s) * (double)(g->c / g->groups);
}

static int backward_x(const bl_conv *g, bl_tensor *x, bl_tensor *w, const bl_tensor *dy)
{
	bool add, direct = bl_tensor_is_channels_last(x);
	bl_tensor *sink = direct ? bl_grad_sink(x, &add) : bl_tensor_new_image(g->n, g->c, g->h, g->w);
	bl_tensor *wc = bl_tensor_contiguous(w);
	bl_profile_work(flops(g));
	int rc = !sink || !wc ? -1 : bl_conv_data_gradient(g, dy->data, wc->data, sink->data, direct && add);
	if (!direct && !rc)
		rc = bl_grad_add(x, sink);
	bl_tensor_unref(wc);
	if (!direct)
		bl_tensor_unref(sink);
	return rc;
}

static int backward_w(const bl_conv *g, bl_tensor *x, bl_tensor *w, const bl_tensor *dy)
{
	bool add, direct = bl_tensor_is_contiguous(w);
	bl_tensor *sink = direct ? bl_grad_sink(w, &add) : bl_tensor_new(w->ndim, w->shape);
	bl_tensor *xl = bl_tensor_channels_last(x);
	bl_profile_work(flops(g));
	int rc = !sink || !xl ? -1 : bl_conv_weight_gradient(g, xl->data, dy->data, sink->data, direct && add);
	if (!direct && !rc)
		rc = bl_grad_add(w, sink);
	bl_tensor_unref(xl);
	if (!direct)
		bl_tensor_unref(sink);
	return rc;
}

static int backward_b(const bl_conv *g, bl_tensor *b, const bl_tensor *dy)
{
	bl_tensor *sum = bl_tensor_full(1, &g->k, 0);
	if (!sum)
		return -1;
	for (int64_t i = 0; i < g->n * g->p * g->q; i++)
		for (int64_t k = 0; k < g->k; k++)
			sum->data[k] += dy->data[i * g->k + k];
	int rc = bl_grad_add(b, sum);
	bl_tensor_unref(sum);
	return rc;
}

static int backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	const bl_conv *g = &((context *)ctx)->g;
	bl_tensor *dy = bl_tensor_channels_last((bl_tensor *)dout);
	(void)out;
	int rc = dy ? 0 : -1;
	if (!rc && bl_grad_wants(in[0]))
		rc = backward_x(g, in[0], in[1], dy);
	if (!rc && bl_grad_wants(in[1]))
		rc = backward_w(g, in[0], in[1], dy);
	if (!rc && bl_grad_wants(in[2]))
		rc = backward_b(g, in[2], dy);
	bl_tensor_unref(dy);
	return rc;
}

bl_tensor *bl_conv2d(bl_tensor *x, bl_tensor *w, bl_tensor *b, bl_conv_shape s)
{
	return bl_conv2d_by(x, w, b, s, BL_CONV_AUTO);
}

/*
 * Chooses the algorithms of all directions, so that the backward pass does not depend on the context of the thread that
 * runs it.
 */
bl_tensor *bl_conv2d_by(bl_tensor *x, bl_tensor *w, bl_tensor *b, bl_conv_shape s, bl_conv_algorithm algorithm)
{
	if (check(x, w, b, s))
		return NULL;
	context ctx = { geometry(x, w, s) };
	if (bl_conv_choose(&ctx.g, algorithm) != 0)
		return NULL;
	bl_tensor *xl = bl_tensor_channels_last(x), *wc = bl_tensor_contiguous(w), *bc = b ? bl_tensor_contiguous(b) : NULL;
	bl_tensor *y = bl_tensor_new_image(ctx.g.n, ctx.g.k, ctx.g.p, ctx.g.q);
	if (!xl || !wc || (b && !bc) || !y || bl_conv_forward(&ctx.g, xl->data, wc->data, bc ? bc->data : NULL, y->data)) {
		bl_tensor_unref(y);
		y = NULL;
	}
	bl_tensor_unref(xl);
	bl_tensor_unref(wc);
	bl_tensor_unref(bc);
	bl_profile_work(flops(&ctx.g));
	return bl_node_attach(y, BL_OP_conv2d, 3, (bl_tensor *[]){ x, w, b }, backward, &ctx, sizeof ctx, NULL);
}
