/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_plan.c: lists the input pixels of each output pixel, for the forward direction and the data gradient. */
#include "tensor/conv/conv_plan.h"

#include <barlow/memory.h>

#include <stddef.h>

/* Allocates a plan for `classes` classes with `pixels` pixels and `taps` taps in total. */
static int plan_room(bl_conv_plan *plan, int classes, int64_t pixels, int64_t taps)
{
	size_t head = (size_t)classes * sizeof *plan->class;
	size_t numbers = (size_t)(classes * taps + pixels + pixels * taps);
	plan->classes = classes;
	plan->block = bl_block_take(head + numbers * sizeof(int32_t));
	plan->class = plan->block;
	return plan->block ? 0 : -1;
}

static int32_t *numbers_after_classes(const bl_conv_plan *plan)
{
	return (int32_t *)(plan->class + plan->classes);
}

static int32_t place(int64_t i, int64_t j, int64_t height, int64_t width)
{
	return i < 0 || i >= height || j < 0 || j >= width ? -1 : (int32_t)(i * width + j);
}

static void forward_pixel(bl_conv_class *k, const bl_conv *g, int64_t m)
{
	int64_t i = m / g->q * g->stride - g->padding, j = m % g->q * g->stride - g->padding, dilation = g->gap + 1;
	k->to[m] = (int32_t)m;
	for (int t = 0; t < k->taps; t++)
		k->from[m * k->taps + t] = place(i + t / g->s * dilation, j + t % g->s * dilation, g->h, g->w);
}

int bl_conv_plan_forward(bl_conv_plan *plan, const bl_conv *g)
{
	int64_t pixels = g->p * g->q, taps = g->r * g->s;
	if (plan_room(plan, 1, pixels, taps))
		return -1;
	int32_t *at = numbers_after_classes(plan);
	bl_conv_class *k = plan->class;
	*k = (bl_conv_class){ pixels, (int)taps, at, at + taps, at + taps + pixels };
	for (int t = 0; t < k->taps; t++)
		k->tap[t] = t;
	for (int64_t m = 0; m < pixels; m++)
		forward_pixel(k, g, m);
	return 0;
}

/* x[i] contributes to y[p] through tap r if i + padding - r dilation = p stride. */
static int32_t data_place(const bl_conv *g, int64_t i, int64_t j, int tap)
{
	int64_t p = i + g->padding - tap / g->s * (g->gap + 1), q = j + g->padding - tap % g->s * (g->gap + 1);
	return p < 0 || q < 0 ? -1 : place(p / g->stride, q / g->stride, g->p, g->q);
}

static void data_taps(bl_conv_class *k, const bl_conv *g, int64_t i, int64_t j)
{
	int64_t dilation = g->gap + 1;
	for (int t = 0; t < g->r * g->s; t++)
		if ((i + g->padding - t / g->s * dilation) % g->stride == 0 &&
		    (j + g->padding - t % g->s * dilation) % g->stride == 0)
			k->tap[k->taps++] = t;
}

static void data_pixel(bl_conv_class *k, const bl_conv *g, int64_t i, int64_t j)
{
	k->to[k->pixels] = (int32_t)(i * g->w + j);
	for (int t = 0; t < k->taps; t++)
		k->from[k->pixels * k->taps + t] = data_place(g, i, j, k->tap[t]);
	k->pixels++;
}

/*
 * Fills in the class of the pixels whose position modulo the stride is (i0, j0).  The arrays of the class begin at
 * `at`. Returns the end of these arrays.
 */
static int32_t *data_class(bl_conv_class *k, const bl_conv *g, int64_t i0, int64_t j0, int32_t *at)
{
	int64_t rows = (g->h - i0 + g->stride - 1) / g->stride, cols = (g->w - j0 + g->stride - 1) / g->stride;
	int64_t pixels = rows > 0 && cols > 0 ? rows * cols : 0;
	*k = (bl_conv_class){ .tap = at };
	data_taps(k, g, i0, j0);
	k->to = k->tap + k->taps;
	k->from = k->to + pixels;
	for (int64_t i = i0; i < g->h; i += g->stride)
		for (int64_t j = j0; j < g->w; j += g->stride)
			data_pixel(k, g, i, j);
	return k->from + pixels * k->taps;
}

int bl_conv_plan_data(bl_conv_plan *plan, const bl_conv *g)
{
	int classes = (int)(g->stride * g->stride);
	if (plan_room(plan, classes, g->h * g->w, g->r * g->s))
		return -1;
	int32_t *at = numbers_after_classes(plan);
	for (int i = 0; i < classes; i++)
		at = data_class(plan->class + i, g, i / g->stride, i % g->stride, at);
	return 0;
}

void bl_conv_plan_free(bl_conv_plan *plan)
{
	bl_block_give(plan->block);
}
