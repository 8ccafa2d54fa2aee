/* SPDX-License-Identifier: GPL-3.0-or-later */
/* params.c: moves parameters and their gradients to two flat arrays, of which the modules' tensors become slices. */
#include "nn/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 16 }; /* floats in a cache line; each slice begins at a new cache line */

struct bl_params {
	bl_param *item;
	int n, room;
	int64_t count;
	bl_tensor *values, *grads; /* (count) */
};

typedef struct collector {
	bl_params *p;
	const char *prefix;
} collector;

static int grow(bl_params *p)
{
	int room = p->room ? 2 * p->room : 64;
	bl_param *more = realloc(p->item, (size_t)room * sizeof *more);
	if (!more)
		return bl_fail("parameters: no memory");
	p->item = more;
	p->room = room;
	return 0;
}

static char *full_name(const char *prefix, const char *name)
{
	char *full = malloc(strlen(prefix) + strlen(name) + 2);
	if (full)
		sprintf(full, "%s%s%s", prefix, *prefix ? "." : "", name);
	return full;
}

/* Is the tensor listed already?  Tied weights have several names, of which the first is used. */
static bool known(const bl_params *p, const bl_tensor *t)
{
	for (int i = 0; i < p->n; i++)
		if (p->item[i].tensor == t)
			return true;
	return false;
}

static int collect(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	const collector *c = ctx;
	bl_params *p = c->p;
	if (kind == BL_PARAM_BUFFER || known(p, t))
		return 0;
	if (p->n == p->room && grow(p))
		return -1;
	char *full = full_name(c->prefix, name);
	if (!full)
		return bl_fail("parameters: no memory");
	p->item[p->n++] = (bl_param){ full, bl_tensor_ref(t), kind, p->count, bl_tensor_count(t), t->ndim };
	p->count += (bl_tensor_count(t) + LINE - 1) / LINE * LINE;
	return 0;
}

static int collect_all(bl_params *p, bl_module *const *roots, const char *const *prefixes, int n)
{
	for (int i = 0; i < n; i++) {
		collector c = { p, prefixes && prefixes[i] ? prefixes[i] : "" };
		if (bl_module_each(roots[i], collect, &c))
			return -1;
	}
	return 0;
}

/* A row-major view of the flat array with the shape of the parameter q, from element q->start. */
static bl_tensor *slice(const bl_tensor *flat, const bl_param *q)
{
	int64_t stride[BL_MAXDIM];
	bl_strides_row_major(q->tensor->ndim, q->tensor->shape, stride);
	return bl_tensor_view_of(flat, q->tensor->ndim, q->tensor->shape, stride, flat->data + q->start);
}

/*
 * Moves a tensor's values to the flat array.  The tensor remains the same object, since modules have references to it.
 */
static int move_values(bl_params *p, const bl_param *q)
{
	bl_tensor *t = q->tensor, *v = slice(p->values, q);
	if (!v)
		return -1;
	bl_tensor_copy(v, t);
	bl_storage *old = t->storage;
	t->storage = v->storage;
	v->storage = old;
	t->data = v->data;
	memcpy(t->stride, v->stride, sizeof t->stride);
	bl_tensor_unref(v);
	return 0;
}

static int bind_grad(bl_params *p, const bl_param *q)
{
	bl_tensor *t = q->tensor, *g = slice(p->grads, q);
	if (!g)
		return -1;
	if (t->grad_live)
		bl_tensor_copy(g, t->grad);
	bl_tensor_unref(t->grad);
	t->grad = g;
	return 0;
}

static int lay_out(bl_params *p)
{
	p->values = bl_tensor_full(1, &p->count, 0);
	p->grads = bl_tensor_full(1, &p->count, 0);
	if (!p->values || !p->grads)
		return -1;
	for (int i = 0; i < p->n; i++)
		if (move_values(p, p->item + i) || bind_grad(p, p->item + i))
			return -1;
	return 0;
}

bl_params *bl_params_new(bl_module *const *roots, const char *const *prefixes, int n)
{
	bl_params *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail_null("parameters: no memory");
	if (collect_all(p, roots, prefixes, n) || lay_out(p)) {
		bl_params_free(p);
		return NULL;
	}
	return p;
}

void bl_params_free(bl_params *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n; i++) {
		free((char *)p->item[i].name);
		bl_tensor_unref(p->item[i].tensor);
	}
	free(p->item);
	bl_tensor_unref(p->values);
	bl_tensor_unref(p->grads);
	free(p);
}

int bl_params_length(const bl_params *p)
{
	return p->n;
}

const bl_param *bl_params_get(const bl_params *p, int i)
{
	return p->item + i;
}

int64_t bl_params_count(const bl_params *p)
{
	return p->count;
}

float *bl_params_values(const bl_params *p)
{
	return p->values->data;
}

float *bl_params_grads(const bl_params *p)
{
	for (int i = 0; i < p->n; i++) {
		bl_tensor *t = p->item[i].tensor;
		if (t->grad_live)
			continue;
		bl_tensor_fill(t->grad, 0);
		t->grad_live = true;
	}
	return p->grads->data;
}

void bl_params_zero_grad(bl_params *p)
{
	for (int i = 0; i < p->n; i++)
		bl_tensor_zero_grad(p->item[i].tensor);
}
