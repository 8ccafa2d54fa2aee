/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline.c: operators one after the other: checked when built, drawn first and then applied. */
#include "augment/normalize.h"
#include "augment/operator.h"
#include "augment/window.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPERATORS = 64 };

struct bl_pipeline {
	atomic_int refs;
	int n;
	bl_aug op[];
};

static int check(const bl_aug *ops, int n)
{
	int normalized = -1;
	for (int i = 0; i < n; i++) {
		const operator *op = bl_operator(ops[i].kind);
		if (!op)
			return bl_fail("operator %d is of kind %d, which does not exist", i + 1, (int)ops[i].kind);
		if (bl_fields_check(op, &ops[i]) < 0)
			return bl_fail_prefix("operator %d (%s): ", i + 1, op->name);
		if (op->values && normalized >= 0)
			return bl_fail("operator %d (%s) works on values from 0 to 1, so it must come before operator "
				       "%d (normalize)", i + 1, op->name, normalized + 1);
		if (ops[i].kind == BL_AUG_NORMALIZE)
			normalized = i;
	}
	return 0;
}

bl_pipeline *bl_pipeline_new(const bl_aug *ops, int n)
{
	if (n < 0 || n > MOST_OPERATORS)
		return bl_fail_null("a pipeline of %d operators, expected 0 to %d", n, MOST_OPERATORS);
	if (check(ops, n) < 0)
		return NULL;
	bl_pipeline *p = malloc(sizeof *p + (size_t)n * sizeof *ops);
	if (!p)
		return bl_fail_null("no memory for a pipeline of %d operators", n);
	atomic_init(&p->refs, 1);
	p->n = n;
	if (n)
		memcpy(p->op, ops, (size_t)n * sizeof *ops);
	return p;
}

bl_pipeline *bl_pipeline_ref(bl_pipeline *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void bl_pipeline_unref(bl_pipeline *p)
{
	if (p && atomic_fetch_sub(&p->refs, 1) == 1)
		free(p);
}

int bl_pipeline_length(const bl_pipeline *p)
{
	return p->n;
}

const bl_aug *bl_pipeline_op(const bl_pipeline *p, int i)
{
	return i >= 0 && i < p->n ? &p->op[i] : NULL;
}

static void output_of(const bl_aug *a, int *h, int *w)
{
	if (bl_operator(a->kind)->sizes)
		*h = *w = a->size;
}

void bl_pipeline_output(const bl_pipeline *p, int h, int w, int *oh, int *ow)
{
	for (int i = 0; i < p->n; i++)
		output_of(&p->op[i], &h, &w);
	*oh = h;
	*ow = w;
}

static void draw_all(const bl_pipeline *p, int h, int w, bl_rng *r, draw *d)
{
	for (int i = 0; i < p->n; i++) {
		const bl_aug *a = &p->op[i];
		const operator *op = bl_operator(a->kind);
		d[i] = (draw){ .fires = op->always || bl_rng_uniform(r) < a->p };
		if (d[i].fires && op->draw)
			op->draw(a, r, h, w, &d[i]);
		output_of(a, &h, &w);
	}
}

/* A flip right after a crop is free: the crop's weights are laid out from right to left. */
static void fold_flips(const bl_pipeline *p, draw *d)
{
	for (int i = 0; i + 1 < p->n; i++)
		if (bl_operator(p->op[i].kind)->sizes && p->op[i + 1].kind == BL_AUG_FLIP) {
			d[i].mirror = d[i + 1].fires;
			d[i + 1].fires = false;
		}
}

/* Does the first operator read its box of the image and nothing else? */
static bool begins_with_box(const bl_pipeline *p)
{
	return p->n && bl_operator(p->op[0].kind)->sizes;
}

/* Planes that hold the image at its largest on the way.  The bytes count only where no resampling reads them first. */
static int make_canvas(const bl_pipeline *p, const bl_image *in, canvas *c)
{
	int h = in->height, w = in->width;
	size_t most = begins_with_box(p) ? 0 : bl_canvas_room(h, w);
	for (int i = 0; i < p->n; i++) {
		output_of(&p->op[i], &h, &w);
		size_t room = bl_canvas_room(h, w);
		if (bl_operator(p->op[i].kind)->sizes && room > most)
			most = room;
	}
	size_t bytes = most * (size_t)in->channels * sizeof(float);
	bl_canvas_open(c, in);
	c->data = bl_scratch(SLOT_IMAGE, bytes);
	c->spare = bl_scratch(SLOT_SPARE, bytes);
	return c->data && c->spare ? 0 : -1;
}

/* A normalize that closes the pipeline happens while the view is written out. */
static int finish(const bl_aug *last, const canvas *c, float *out)
{
	float scale[MOST_CHANNELS] = { 1, 1, 1 }, shift[MOST_CHANNELS] = { 0 };
	if (last && bl_normalize_factors(last, c->channels, scale, shift) < 0)
		return -1;
	bl_canvas_store(c, scale, shift, out);
	return 0;
}

/* Whether what is at hand of the image has all of the box that was drawn. */
static int check_part(const bl_pipeline *p, const draw *d, const bl_image *in)
{
	if (!in->part.eighths)
		return 0;
	if (!begins_with_box(p))
		return bl_fail("a part of an image, expected all of it: the first operator neither crops nor resizes");
	bl_window part = bl_image_window(in);
	const struct box *b = &d[0].box;
	if (b->top < part.top || b->left < part.left || b->top + b->height > part.top + part.height ||
	    b->left + b->width > part.left + part.width)
		return bl_fail("a part of an image that ends within the crop %d,%d %dx%d", b->left, b->top, b->width,
			       b->height);
	return 0;
}

static int check_image(const bl_image *in)
{
	if (in->channels != 1 && in->channels != MOST_CHANNELS)
		return bl_fail("an image of %d channels, expected 1 or 3", in->channels);
	if (in->height < 1 || in->width < 1)
		return bl_fail("an image of %d x %d pixels, expected at least 1 x 1", in->height, in->width);
	return 0;
}

int bl_pipeline_apply(const bl_pipeline *p, const bl_image *in, bl_rng *r, float *out)
{
	draw d[MOST_OPERATORS];
	canvas c;
	if (check_image(in) < 0 || make_canvas(p, in, &c) < 0)
		return -1;
	draw_all(p, in->height, in->width, r, d);
	if (check_part(p, d, in) < 0)
		return -1;
	fold_flips(p, d);
	bool closed = p->n && p->op[p->n - 1].kind == BL_AUG_NORMALIZE;
	for (int i = 0; i < p->n - closed; i++)
		if (d[i].fires && bl_operator(p->op[i].kind)->apply(&p->op[i], &d[i], &c) < 0)
			return -1;
	bl_canvas_load(&c);
	return finish(closed ? &p->op[p->n - 1] : NULL, &c, out);
}

char *bl_pipeline_describe(const bl_pipeline *p, const bl_image *in, bl_rng r, char *buf, size_t size)
{
	draw d[MOST_OPERATORS];
	size_t used = 0;
	draw_all(p, in->height, in->width, &r, d);
	buf[0] = '\0';
	for (int i = 0; i < p->n; i++) {
		char text[160];
		if (d[i].fires && bl_draw_text(&p->op[i], &d[i], in->channels, text, sizeof text) > 0 && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "", text);
	}
	return buf;
}

void bl_pipeline_window(const bl_pipeline *p, int h, int w, bl_rng r, bl_window *out)
{
	draw d[MOST_OPERATORS];
	*out = (bl_window){ 0, 0, h, w, 1 };
	if (!begins_with_box(p))
		return;
	draw_all(p, h, w, &r, d);
	const struct box *b = &d[0].box;
	*out = bl_window_for(b->top, b->left, b->height, b->width, p->op[0].size, p->op[0].size);
}
