/* SPDX-License-Identifier: GPL-3.0-or-later */
/* function_operator.c: an operator that calls a function of the calling program. */
#include "augment/operator.h"

#include <barlow/error.h>

#include <stdio.h>

typedef struct parameters {
	bl_aug_function f;
	char name[64];
} parameters;

typedef struct draws {
	bl_view_key key;
	bl_rng rng;
} draws;

static void size(const void *p, int *height, int *width)
{
	const bl_aug_function *f = &((const parameters *)p)->f;
	*height = f->height ? f->height : *height;
	*width = f->width ? f->width : *width;
}

static bool draw(const void *p, drawing *w, void *d)
{
	(void)p;
	*(draws *)d = (draws){ *w->key, w->rng };
	return true;
}

/* The function reads and writes planes without padding between them. */
static int apply(const void *p, const void *drawn, float_image *c)
{
	const draws *d = drawn;
	const bl_aug_function *f = &((const parameters *)p)->f;
	bl_rng r = d->rng;
	bl_float_image_load(c);
	bl_float_image_pack(c, (size_t)c->height * (size_t)c->width);
	bl_aug_call call = { &d->key, &r, c->channels, c->height, c->width, c->data, c->height, c->width, c->spare };
	size(p, &call.out_height, &call.out_width);
	if (f->apply(f->context, &call) < 0)
		return -1;
	bl_float_image_swap(c);
	c->height = call.out_height;
	c->width = call.out_width;
	c->plane = (size_t)c->height * (size_t)c->width;
	bl_float_image_pack(c, bl_float_image_room(c->height, c->width));
	return 0;
}

static int describe(const void *p, const void *d, int channels, char *buf, size_t size)
{
	(void)d, (void)channels;
	return snprintf(buf, size, "%s", ((const parameters *)p)->name);
}

static void release(void *p)
{
	const bl_aug_function *f = &((const parameters *)p)->f;
	if (f->release)
		f->release(f->context);
}

static bool equal(const void *p, const void *q)
{
	const bl_aug_function *f = &((const parameters *)p)->f, *g = &((const parameters *)q)->f;
	return f->apply == g->apply && f->height == g->height && f->width == g->width &&
	       (f->context == g->context || (f->equal && f->equal(f->context, g->context)));
}

static const bl_field fields[] = { BL_FIELD_END };

static const operator function = {
	.name = "function",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.size = size,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.equal = equal,
	.release = release,
	.vectors = bl_operator_any,
	.needs_unit = true,
};

bl_aug *bl_aug_new_function(const bl_aug_function *f)
{
	bl_aug *a = bl_operator_make(&function);
	if (!a) {
		if (f->release)
			f->release(f->context);
		return NULL;
	}
	parameters *p = (parameters *)(void *)a->parameters;
	p->f = *f;
	snprintf(p->name, sizeof p->name, "%s", f->name);
	p->f.name = a->name = p->name;
	return a;
}
