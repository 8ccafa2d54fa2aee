/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layers.c: the layers without parameters. */
#include "nn/layers.h"

#include <stdlib.h>
#include <string.h>

static bl_tensor *relu_forward(bl_module *m, bl_tensor *x)
{
	(void)m;
	return bl_relu(x);
}

const bl_module_ops bl_relu_ops = { .kind = "relu", .size = sizeof(bl_module), .forward = relu_forward };

bool bl_module_is_relu(const bl_module *m)
{
	return m->ops == &bl_relu_ops;
}

bl_module *bl_nn_relu(void)
{
	return bl_module_new(&bl_relu_ops);
}

static bl_tensor *tanh_forward(bl_module *m, bl_tensor *x)
{
	(void)m;
	return bl_tanh(x);
}

bl_module *bl_nn_tanh(void)
{
	static const bl_module_ops ops = { .kind = "tanh", .size = sizeof(bl_module), .forward = tanh_forward };
	return bl_module_new(&ops);
}

static bl_tensor *sigmoid_forward(bl_module *m, bl_tensor *x)
{
	(void)m;
	return bl_sigmoid(x);
}

bl_module *bl_nn_sigmoid(void)
{
	static const bl_module_ops ops = { .kind = "sigmoid", .size = sizeof(bl_module), .forward = sigmoid_forward };
	return bl_module_new(&ops);
}

static bl_tensor *identity_forward(bl_module *m, bl_tensor *x)
{
	(void)m;
	return bl_tensor_ref(x);
}

bl_module *bl_nn_identity(void)
{
	static const bl_module_ops ops = { .kind = "identity", .size = sizeof(bl_module), .forward = identity_forward };
	return bl_module_new(&ops);
}

static bl_tensor *flatten_forward(bl_module *m, bl_tensor *x)
{
	(void)m;
	return bl_flatten(x);
}

bl_module *bl_nn_flatten(void)
{
	static const bl_module_ops ops = { .kind = "flatten", .size = sizeof(bl_module), .forward = flatten_forward };
	return bl_module_new(&ops);
}

static int expect_image(const bl_tensor *x)
{
	char text[BL_SHAPE_TEXT];
	return x->ndim == 4 ? 0 : bl_fail("expected (N, C, H, W), got %s", bl_tensor_text(x, text));
}

static bl_tensor *global_avgpool_forward(bl_module *m, bl_tensor *x)
{
	(void)m;
	return expect_image(x) ? NULL : bl_global_avgpool(x);
}

bl_module *bl_nn_global_avgpool(void)
{
	static const bl_module_ops ops = {
		.kind = "global_avgpool",
		.size = sizeof(bl_module),
		.forward = global_avgpool_forward,
	};
	return bl_module_new(&ops);
}

typedef struct pool {
	bl_module base;
	int kernel, stride, padding;
} pool;

static bl_tensor *maxpool_forward(bl_module *m, bl_tensor *x)
{
	const pool *p = (const pool *)m;
	return expect_image(x) ? NULL : bl_maxpool2d(x, p->kernel, p->stride, p->padding);
}

static bl_tensor *avgpool_forward(bl_module *m, bl_tensor *x)
{
	const pool *p = (const pool *)m;
	return expect_image(x) ? NULL : bl_avgpool2d(x, p->kernel, p->stride, p->padding);
}

static void pool_arguments(const bl_module *m, bl_text *t)
{
	const pool *p = (const pool *)m;
	bool open = false;
	bl_text_add(t, "%d", p->kernel);
	if (p->stride != p->kernel)
		bl_text_add_setting(t, &open, "stride = %d", p->stride);
	if (p->padding)
		bl_text_add_setting(t, &open, "padding = %d", p->padding);
	bl_text_add(t, "%s", open ? "}" : "");
}

static bl_module *pool_new(const bl_module_ops *ops, const char *maker, int kernel, int stride, int padding)
{
	if (kernel < 1 || stride < 1 || padding < 0 || 2 * padding > kernel)
		return bl_fail_null("%s: expected kernel >= 1, stride >= 1, padding from 0 to half the kernel, got %d, %d, %d",
		                    ops->kind, kernel, stride, padding);
	bl_module *m = bl_module_new(ops);
	if (!m)
		return NULL;
	pool *p = (pool *)m;
	m->maker = maker;
	p->kernel = kernel;
	p->stride = stride;
	p->padding = padding;
	return m;
}

bl_module *bl_nn_maxpool2d(int kernel, int stride, int padding)
{
	static const bl_module_ops ops = {
		.kind = "maxpool2d",
		.size = sizeof(pool),
		.forward = maxpool_forward,
		.arguments = pool_arguments,
	};
	return pool_new(&ops, "maxpool", kernel, stride, padding);
}

bl_module *bl_nn_avgpool2d(int kernel, int stride, int padding)
{
	static const bl_module_ops ops = {
		.kind = "avgpool2d",
		.size = sizeof(pool),
		.forward = avgpool_forward,
		.arguments = pool_arguments,
	};
	return pool_new(&ops, "avgpool", kernel, stride, padding);
}

/* A module whose forward pass is a function of the caller. */
typedef struct func {
	bl_module base;
	char *name;
	char *parameter[BL_MODULE_SLOTS]; /* names of the slots */
	bl_func_fn *fn;
	void *ctx;
	void (*release)(void *);
} func;

static bl_tensor *func_forward(bl_module *m, bl_tensor *x)
{
	const func *f = (const func *)m;
	return f->fn(f->ctx, x);
}

static void func_arguments(const bl_module *m, bl_text *t)
{
	bl_text_add(t, "%s", ((const func *)m)->name);
}

static void func_brief(const bl_module *m, bl_text *t)
{
	bl_text_add(t, "func %s", ((const func *)m)->name);
}

static void func_release(bl_module *m)
{
	func *f = (func *)m;
	free(f->name);
	for (int i = 0; i < m->slots; i++)
		free(f->parameter[i]);
	if (f->release)
		f->release(f->ctx);
}

static const bl_module_ops func_ops = {
	.kind = "func",
	.size = sizeof(func),
	.forward = func_forward,
	.arguments = func_arguments,
	.brief = func_brief,
	.release = func_release,
};

bl_module *bl_nn_func(const char *name, bl_func_fn *fn, void *ctx, void (*release)(void *))
{
	func *f = (func *)bl_module_new(&func_ops);
	if (f)
		f->name = strdup(name);
	if (!f || !f->name) {
		bl_module_unref((bl_module *)f);
		if (release)
			release(ctx);
		return bl_fail_null("func: no memory");
	}
	f->fn = fn;
	f->ctx = ctx;
	f->release = release;
	return &f->base;
}

static int check_parameter(const bl_module *m, const char *name)
{
	if (m->ops != &func_ops)
		return bl_fail("parameter: expected a func, got a %s", m->kind);
	if (m->slots == BL_MODULE_SLOTS)
		return bl_fail("func: no room for parameter '%s': a func can have at most %d", name, BL_MODULE_SLOTS);
	if (!*name || strchr(name, '.'))
		return bl_fail("func: '%s' is no name for a parameter: expected one or more characters, none of them a dot", name);
	for (int i = 0; i < m->slots; i++)
		if (!strcmp(m->slot[i].name, name))
			return bl_fail("func: there is a parameter '%s' already", name);
	return 0;
}

int bl_nn_func_parameter(bl_module *m, const char *name, bl_tensor *t)
{
	if (check_parameter(m, name))
		return -1;
	char *copy = strdup(name);
	if (!copy)
		return bl_fail("func: no memory");
	((func *)m)->parameter[m->slots] = copy;
	bl_tensor_set_requires_grad(t, true);
	m->slot[m->slots++] = (bl_slot){ copy, bl_tensor_ref(t), t->ndim > 1 ? BL_PARAM_WEIGHT : BL_PARAM_BIAS };
	return 0;
}
