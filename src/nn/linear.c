/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear.c: linear and convolutional layers. */
#include "nn/init.h"
#include "nn/layers.h"

#include <string.h>

typedef struct linear {
	bl_module base;
	int64_t in, out;
	bool bias;
} linear;

static bl_tensor *linear_forward(bl_module *m, bl_tensor *x)
{
	const linear *l = (const linear *)m;
	char text[BL_SHAPE_TEXT];
	if (x->ndim != 2 || x->shape[1] != l->in)
		return bl_fail_null("expected (N, %lld), got %s", (long long)l->in, bl_tensor_text(x, text));
	return bl_linear(x, m->slot[0].tensor, l->bias ? m->slot[1].tensor : NULL);
}

static void linear_arguments(const bl_module *m, bl_text *t)
{
	const linear *l = (const linear *)m;
	bl_text_add(t, "%lld, %lld%s", (long long)l->in, (long long)l->out, l->bias ? "" : ", {bias = false}");
}

static void linear_brief(const bl_module *m, bl_text *t)
{
	const linear *l = (const linear *)m;
	bl_text_add(t, "linear %lld -> %lld", (long long)l->in, (long long)l->out);
}

static void linear_init(bl_module *m, uint64_t seed, uint32_t stream)
{
	bl_init_default(m, seed, stream, ((const linear *)m)->in);
}

static const bl_module_ops linear_ops = {
	.kind = "linear",
	.size = sizeof(linear),
	.forward = linear_forward,
	.arguments = linear_arguments,
	.brief = linear_brief,
	.init = linear_init,
};

bl_module *bl_nn_linear(int64_t in, int64_t out, bool bias)
{
	if (in < 1 || out < 1)
		return bl_fail_null("linear: widths must be at least 1, got %lld and %lld", (long long)in, (long long)out);
	bl_module *m = bl_module_new(&linear_ops);
	if (!m)
		return NULL;
	linear *l = (linear *)m;
	l->in = in;
	l->out = out;
	l->bias = bias;
	return bl_module_finish(m, !bl_module_add_slot(m, "weight", BL_PARAM_WEIGHT, 2, (int64_t[]){ out, in }) &&
	                                   (!bias || !bl_module_add_slot(m, "bias", BL_PARAM_BIAS, 1, &out)));
}

typedef struct conv {
	bl_module base;
	int64_t in, out;
	int kernel[2]; /* height, width */
	bl_conv_shape shape;
	bl_conv_algorithm algorithm;
	bool bias, start_normal;
} conv;

static bl_tensor *conv_forward(bl_module *m, bl_tensor *x)
{
	const conv *c = (const conv *)m;
	char text[BL_SHAPE_TEXT];
	if (x->ndim != 4 || x->shape[1] != c->in)
		return bl_fail_null("expected (N, %lld, H, W), got %s", (long long)c->in, bl_tensor_text(x, text));
	return bl_conv2d_by(x, m->slot[0].tensor, c->bias ? m->slot[1].tensor : NULL, c->shape, c->algorithm);
}

static void conv_arguments(const bl_module *m, bl_text *t)
{
	const conv *c = (const conv *)m;
	bool open = false;
	bl_text_add(t, "%lld, %lld, ", (long long)c->in, (long long)c->out);
	if (c->kernel[0] == c->kernel[1])
		bl_text_add(t, "%d", c->kernel[0]);
	else
		bl_text_add(t, "{%d, %d}", c->kernel[0], c->kernel[1]);
	if (c->shape.stride != 1)
		bl_text_add_setting(t, &open, "stride = %d", c->shape.stride);
	if (c->shape.padding)
		bl_text_add_setting(t, &open, "padding = %d", c->shape.padding);
	if (c->shape.dilation > 1)
		bl_text_add_setting(t, &open, "dilation = %d", c->shape.dilation);
	if (c->shape.groups != 1)
		bl_text_add_setting(t, &open, "groups = %d", c->shape.groups);
	if (!c->bias)
		bl_text_add_setting(t, &open, "bias = false");
	if (c->algorithm != BL_CONV_AUTO)
		bl_text_add_setting(t, &open, "algorithm = \"%s\"", bl_conv_algorithms()[c->algorithm]);
	bl_text_add(t, "%s", open ? "}" : "");
}

static void conv_brief(const bl_module *m, bl_text *t)
{
	const conv *c = (const conv *)m;
	bl_text_add(t, "conv2d %lld -> %lld, %dx%d", (long long)c->in, (long long)c->out, c->kernel[0], c->kernel[1]);
}

static void conv_init(bl_module *m, uint64_t seed, uint32_t stream)
{
	const conv *c = (const conv *)m;
	int64_t field = (int64_t)c->kernel[0] * c->kernel[1];
	if (c->start_normal)
		bl_init_fan_out(m, seed, stream, c->out * field);
	else
		bl_init_default(m, seed, stream, c->in / c->shape.groups * field);
}

static const bl_module_ops conv_ops = {
	.kind = "conv2d",
	.size = sizeof(conv),
	.forward = conv_forward,
	.arguments = conv_arguments,
	.brief = conv_brief,
	.init = conv_init,
};

/* Checks the arguments of a constructor: 0, or -1 with bl_error. */
static int conv_check(int64_t in, int64_t out, const int kernel[2], bl_conv_shape s)
{
	if (in < 1 || out < 1)
		return bl_fail("conv2d: channels must be at least 1, got %lld and %lld", (long long)in, (long long)out);
	if (kernel[0] < 1 || kernel[1] < 1 || s.stride < 1 || s.padding < 0 || s.dilation < 0)
		return bl_fail("conv2d: expected kernel >= 1, stride >= 1, padding >= 0, dilation >= 0, got %d x %d, %d, %d, %d",
		               kernel[0], kernel[1], s.stride, s.padding, s.dilation);
	if (s.groups < 1 || in % s.groups || out % s.groups)
		return bl_fail("conv2d: groups must divide both channels, got groups %d for %lld -> %lld", s.groups, (long long)in,
		               (long long)out);
	return 0;
}

bl_module *bl_nn_conv2d(int64_t in, int64_t out, int kernel, bl_conv_shape s, bool bias)
{
	return bl_nn_conv2d_of(in, out, (int[]){ kernel, kernel }, s, bias);
}

bl_module *bl_nn_conv2d_of(int64_t in, int64_t out, const int kernel[2], bl_conv_shape s, bool bias)
{
	bl_module *m = conv_check(in, out, kernel, s) ? NULL : bl_module_new(&conv_ops);
	if (!m)
		return NULL;
	conv *c = (conv *)m;
	c->in = in;
	c->out = out;
	memcpy(c->kernel, kernel, sizeof c->kernel);
	c->shape = s;
	c->bias = bias;
	int64_t shape[4] = { out, in / s.groups, kernel[0], kernel[1] };
	return bl_module_finish(m, !bl_module_add_slot(m, "weight", BL_PARAM_WEIGHT, 4, shape) &&
	                                   (!bias || !bl_module_add_slot(m, "bias", BL_PARAM_BIAS, 1, &out)));
}

bl_module *bl_conv2d_start_normal(bl_module *m)
{
	if (m)
		((conv *)m)->start_normal = true;
	return m;
}

void bl_nn_convolve(bl_module *m, bl_conv_algorithm a)
{
	if (m->ops == &conv_ops)
		((conv *)m)->algorithm = a;
	for (int i = 0; i < m->children; i++)
		bl_nn_convolve(m->child[i].module, a);
}
