/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resnet.c: residual networks (He et al. 2016), with the names of torchvision.
 *
 * The stride of a bottleneck is in its 3x3 convolution, as in torchvision ("ResNet v1.5").
 */
#include "nn/layers.h"

#include <stdio.h>

/* Children: conv1, bn1, ... conv<convs>, bn<convs>[, downsample]. */
typedef struct block {
	bl_module base;
	int convs;
} block;

static bl_tensor *shortcut(bl_module *m, bl_tensor *x)
{
	int at = 2 * ((const block *)m)->convs;
	return m->children > at ? bl_module_run_child(m, at, x) : bl_tensor_ref(x);
}

/*
 * Runs child i, a convolution, and the next child, a norm, which also adds the residual (unless NULL) and applies ReLU
 * in its pass.  Releases x.
 */
static bl_tensor *conv_norm(bl_module *m, int i, bl_tensor *x, bl_tensor *residual)
{
	bl_tensor *h = bl_module_run_child(m, i, x);
	bl_tensor *y = h ? bl_module_run_fused(m, i + 1, h, residual, true) : NULL;
	bl_tensor_unref(h);
	bl_tensor_unref(x);
	return y;
}

static bl_tensor *block_forward(bl_module *m, bl_tensor *x)
{
	int last = 2 * (((const block *)m)->convs - 1);
	bl_tensor *h = bl_tensor_ref(x);
	for (int i = 0; h && i < last; i += 2)
		h = conv_norm(m, i, h, NULL);
	bl_tensor *s = h ? shortcut(m, x) : NULL;
	if (s)
		h = conv_norm(m, last, h, s);
	else
		bl_tensor_unref(h);
	bl_tensor *y = s ? h : NULL;
	bl_tensor_unref(s);
	return y;
}

static const bl_module_ops basic_ops = { .kind = "basicblock", .size = sizeof(block), .forward = block_forward };
static const bl_module_ops bottleneck_ops = { .kind = "bottleneck", .size = sizeof(block), .forward = block_forward };

static bl_module *padded_conv(int64_t in, int64_t out, int kernel, int stride, int padding)
{
	bl_conv_shape s = { .stride = stride, .padding = padding, .groups = 1 };
	return bl_conv2d_start_normal(bl_nn_conv2d(in, out, kernel, s, false));
}

static bl_module *conv(int64_t in, int64_t out, int kernel, int stride)
{
	return padded_conv(in, out, kernel, stride, kernel / 2);
}

static bl_module *norm(int64_t width, float start)
{
	return bl_batchnorm_start(bl_nn_batchnorm(width, true, true, .1f, 1e-5f), start);
}

/* The kind and number of blocks in each stage, by depth. */
typedef struct plan {
	int depth, stages[4];
	bool bottleneck;
} plan;

static const plan plans[] = {
	{ 18, { 2, 2, 2, 2 }, false },
	{ 34, { 3, 4, 6, 3 }, false },
	{ 50, { 3, 4, 6, 3 }, true },
};

static int add_conv_norm(bl_module *m, int number, bl_module *c, bl_module *n)
{
	char name[24];
	snprintf(name, sizeof name, "conv%d", number);
	int rc = bl_module_adopt(m, name, c);
	snprintf(name, sizeof name, "bn%d", number);
	return bl_module_adopt(m, name, n) || rc ? -1 : 0;
}

static bl_module *downsample(int64_t in, int64_t out, int stride)
{
	bl_module *m = bl_nn_sequential();
	if (!m)
		return NULL;
	return bl_module_or_null(m, !bl_module_adopt(m, "0", conv(in, out, 1, stride)) && !bl_module_adopt(m, "1", norm(out, 1)));
}

typedef struct block_shape {
	int64_t in, width, out;
	int stride;
	float last; /* gamma of the last norm */
} block_shape;

static int add_basic(bl_module *m, const block_shape *s)
{
	return add_conv_norm(m, 1, conv(s->in, s->width, 3, s->stride), norm(s->width, 1)) ||
	       add_conv_norm(m, 2, conv(s->width, s->out, 3, 1), norm(s->out, s->last));
}

static int add_bottleneck(bl_module *m, const block_shape *s)
{
	return add_conv_norm(m, 1, conv(s->in, s->width, 1, 1), norm(s->width, 1)) ||
	       add_conv_norm(m, 2, conv(s->width, s->width, 3, s->stride), norm(s->width, 1)) ||
	       add_conv_norm(m, 3, conv(s->width, s->out, 1, 1), norm(s->out, s->last));
}

static bl_module *block_new(const plan *p, const block_shape *s)
{
	bl_module *m = bl_module_new(p->bottleneck ? &bottleneck_ops : &basic_ops);
	if (!m)
		return NULL;
	((block *)m)->convs = p->bottleneck ? 3 : 2;
	int rc = p->bottleneck ? add_bottleneck(m, s) : add_basic(m, s);
	if (!rc && (s->stride != 1 || s->in != s->out))
		rc = bl_module_adopt(m, "downsample", downsample(s->in, s->out, s->stride));
	return bl_module_or_null(m, !rc);
}

/* Makes stage 0..3.  *in: the number of input channels; on return, the number of output channels. */
static bl_module *stage(const bl_resnet_config *c, const plan *p, int number, int64_t *in)
{
	char name[24];
	int64_t width = c->width << number;
	bl_module *m = bl_nn_sequential();
	int rc = m ? 0 : -1;
	for (int i = 0; i < p->stages[number] && !rc; i++) {
		block_shape s = { *in, width, p->bottleneck ? 4 * width : width, number > 0 && i == 0 ? 2 : 1, !c->zero_init };
		snprintf(name, sizeof name, "%d", i);
		rc = bl_module_adopt(m, name, block_new(p, &s));
		*in = s.out;
	}
	return m ? bl_module_or_null(m, !rc) : NULL;
}

static int add_stem(bl_module *m, const bl_resnet_config *c)
{
	int kernel = c->stem_small ? 3 : 7, stride = c->stem_small ? 1 : 2,
	    padding = c->stem_padding ? c->stem_padding : kernel / 2;
	if (bl_module_adopt(m, "conv1", padded_conv(c->channels, c->width, kernel, stride, padding)) ||
	    bl_module_adopt(m, "bn1", norm(c->width, 1)) || bl_module_adopt(m, "relu", bl_nn_relu()))
		return -1;
	return c->stem_small ? 0 : bl_module_adopt(m, "maxpool", bl_nn_maxpool2d(3, 2, 1));
}

static int add_all(bl_module *m, const bl_resnet_config *c, const plan *p)
{
	char name[24];
	int64_t width = c->width;
	if (add_stem(m, c))
		return -1;
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "layer%d", i + 1);
		if (bl_module_adopt(m, name, stage(c, p, i, &width)))
			return -1;
	}
	if (bl_module_adopt(m, "avgpool", bl_nn_global_avgpool()) || bl_module_adopt(m, "flatten", bl_nn_flatten()))
		return -1;
	return c->classes > 0 ? bl_module_adopt(m, "fc", bl_nn_linear(width, c->classes, true)) : 0;
}

static const plan *find_plan(const bl_resnet_config *c)
{
	if (c->channels < 1 || c->width < 1 || c->classes < 0)
		return bl_fail_null("resnet: expected channels >= 1, width >= 1, classes >= 0, got %lld, %lld, %lld",
		                    (long long)c->channels, (long long)c->width, (long long)c->classes);
	if (c->stem_padding < 0)
		return bl_fail_null("resnet: stem_padding is %d: expected 1 or more, or 0 for the usual one", c->stem_padding);
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
		if (plans[i].depth == c->depth)
			return plans + i;
	return bl_fail_null("resnet: depth must be 18, 34 or 50, got %d", c->depth);
}

/* Sets the summary: the arguments of the Lua constructor. */
static void summarise(bl_module *m, const bl_resnet_config *c)
{
	bl_text t = { m->summary, sizeof m->summary, 0 };
	m->maker = "resnet";
	bl_text_add(&t, "{depth = %d, stem = \"%s\", channels = %lld", c->depth, c->stem_small ? "small" : "large",
	            (long long)c->channels);
	if (c->stem_padding)
		bl_text_add(&t, ", stem_padding = %d", c->stem_padding);
	if (c->width != 64)
		bl_text_add(&t, ", width = %lld", (long long)c->width);
	bl_text_add(&t, "%s", c->zero_init ? ", zero_init = true" : "");
	if (c->classes)
		bl_text_add(&t, ", classes = %lld", (long long)c->classes);
	bl_text_add(&t, "}");
}

bl_module *bl_nn_resnet(const bl_resnet_config *c)
{
	const plan *p = find_plan(c);
	bl_module *m = p ? bl_sequential_named("resnet") : NULL;
	if (!m)
		return NULL;
	summarise(m, c);
	return bl_module_finish(m, !add_all(m, c, p));
}
