/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * group.c: operators made of pipelines: applies one pipeline with a probability, one of several, or all in random
 * order.
 *
 * The group draws a key, from which the plans of its pipelines are computed wherever they are needed.  So the group's
 * own draws have a fixed size, for any number of pipelines.
 */
#include "augment/operator.h"
#include "augment/pipeline.h"

#include <barlow/error.h>

#include <stdio.h>
#include <string.h>

enum { MOST = 16 };

typedef struct parameters {
	bl_group_kind kind;
	int n;
	bl_pipeline *part[MOST];
	bl_list weights; /* of BL_GROUP_CHOICE */
	float p;         /* of BL_GROUP_APPLY */
} parameters;

typedef struct draws {
	bl_view_key key;
	int height, width, channels;
	int n;
	uint8_t part[MOST]; /* indices of the n pipelines that are applied, in this order */
} draws;

static bl_aug *make(bl_group_kind kind, bl_pipeline *const *parts, int n, const bl_list *weights, float chance);

static int choose(const parameters *p, bl_rng *r)
{
	float sum = 0;
	for (int i = 0; i < p->n; i++)
		sum += (float)p->weights.v[i];
	float left = bl_rng_uniform(r) * sum;
	int i = 0;
	for (left -= (float)p->weights.v[0]; left >= 0 && i + 1 < p->n;)
		left -= (float)p->weights.v[++i];
	while (p->weights.v[i] == 0) /* rounding has selected a pipeline of weight 0 */
		i--;
	return i;
}

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	int64_t order[MOST];
	*d = (draws){ .key = *w->key, .height = w->height, .width = w->width, .channels = w->channels, .n = 1 };
	if (p->kind == BL_GROUP_APPLY && bl_rng_uniform(&w->rng) >= p->p)
		return false;
	if (p->kind == BL_GROUP_CHOICE)
		d->part[0] = (uint8_t)choose(p, &w->rng);
	if (p->kind == BL_GROUP_ORDER) {
		d->n = p->n;
		for (int i = 0; i < p->n; i++)
			order[i] = i;
		bl_rng_shuffle(&w->rng, order, p->n);
		for (int i = 0; i < p->n; i++)
			d->part[i] = (uint8_t)order[i];
	}
	d->key.seed = (uint64_t)bl_rng_u32(&w->rng) << 32 | bl_rng_u32(&w->rng);
	return true;
}

/* Computes the plan of pipeline i of the group, for an input of that height and width. */
static void plan(const parameters *p, const draws *d, int i, int height, int width, bl_plan *out)
{
	bl_view_key key = d->key;
	key.seed += (uint64_t)i;
	bl_pipeline_plan(p->part[i], &key, height, width, d->channels, out);
}

static int apply(const void *params, const void *drawn, float_image *c)
{
	const parameters *p = params;
	const draws *d = drawn;
	for (int k = 0; k < d->n; k++) {
		bl_plan drawn_within;
		plan(p, d, d->part[k], c->height, c->width, &drawn_within);
		if (bl_pipeline_run(p->part[d->part[k]], &drawn_within, c) < 0)
			return -1;
	}
	return 0;
}

/* All pipelines have the same output size (check_sizes). */
static void size(const void *params, int *height, int *width)
{
	const parameters *p = params;
	bl_pipeline_output(p->part[0], *height, *width, height, width);
}

static size_t room(const void *params, int height, int width)
{
	const parameters *p = params;
	size_t most = 0;
	for (int i = 0; i < p->n; i++) {
		size_t one = bl_pipeline_room(p->part[i], height, width);
		most = one > most ? one : most;
	}
	return most;
}

static int accepts(const void *params, int channels)
{
	const parameters *p = params;
	for (int i = 0; i < p->n; i++)
		if (bl_pipeline_check(p->part[i], channels) < 0)
			return bl_fail_prefix("pipeline %d: ", i + 1);
	return 0;
}

static bool for_vectors(const void *params)
{
	const parameters *p = params;
	for (int i = 0; i < p->n; i++)
		if (bl_pipeline_check_vectors(p->part[i]) < 0)
			return false;
	return true;
}

static int describe(const void *params, const void *drawn, int channels, char *buf, size_t room_left)
{
	const parameters *p = params;
	const draws *d = drawn;
	size_t used = 0;
	int height = d->height, width = d->width;
	(void)channels;
	buf[0] = '\0';
	for (int k = 0; k < d->n; k++) {
		bl_plan drawn_within;
		char text[160];
		plan(p, d, d->part[k], height, width, &drawn_within);
		bl_pipeline_describe(p->part[d->part[k]], &drawn_within, text, sizeof text);
		if (text[0] && used < room_left)
			used += (size_t)snprintf(buf + used, room_left - used, "%s%s", used ? ", " : "", text);
	}
	return (int)used;
}

static void release(void *params)
{
	parameters *p = params;
	for (int i = 0; i < p->n; i++)
		bl_pipeline_unref(p->part[i]);
}

static bool equal(const void *first, const void *second)
{
	const parameters *a = first, *b = second;
	bool same = a->kind == b->kind && a->n == b->n;
	for (int i = 0; same && i < a->n; i++)
		same = bl_pipeline_equal(a->part[i], b->part[i]);
	return same;
}

/* --- Ramps --- */

static int64_t settled(const void *params)
{
	const parameters *p = params;
	int64_t last = 0;
	for (int i = 0; i < p->n; i++)
		last = bl_pipeline_settled(p->part[i]) > last ? bl_pipeline_settled(p->part[i]) : last;
	return last;
}

/* The group of an epoch.  Only its pipelines have ramps to resolve here; bl_operator_at sets the group's own fields. */
static bl_aug *at(const void *params, int64_t epoch)
{
	const parameters *p = params;
	bl_pipeline *part[MOST] = { NULL };
	bl_aug *made = NULL;
	int i = 0;
	while (i < p->n && (part[i] = bl_pipeline_at(p->part[i], epoch)))
		i++;
	if (i == p->n)
		made = make(p->kind, part, p->n, &p->weights, p->p);
	for (int k = 0; k < i; k++)
		bl_pipeline_unref(part[k]);
	return made;
}

/* --- The three operators --- */

static int check(const void *params)
{
	const parameters *p = params;
	double sum = 0;
	for (int i = 0; i < p->n; i++)
		sum += p->weights.v[i];
	return sum > 0 ? 0 : bl_fail("all weights are 0");
}

static const bl_field apply_fields[] = {
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .help = PROBABILITY),
	BL_FIELD_END,
};
static const bl_field choice_fields[] = {
	BL_FIELD(LIST, parameters, weights, BL_OTHERWISE("equal weights"), BL_WITHIN(0, 1e6),
	         .help = "weights of the random choice"),
	BL_FIELD_END,
};
static const bl_field order_fields[] = { BL_FIELD_END };

/* clang-format off */
#define GROUP(name_, fields_) \
	static const operator name_ = { \
		.name = #name_, .fields = fields_, .parameters = sizeof(parameters), .draws = sizeof(draws), .check = check, \
		.accepts = accepts, .size = size, .room = room, .draw = draw, .apply = apply, .describe = describe, \
		.release = release, .equal = equal, .settled = settled, .at = at, .vectors = for_vectors, .needs_unit = true, \
	}
/* clang-format on */
GROUP(random_apply, apply_fields);
GROUP(random_choice, choice_fields);
GROUP(random_order, order_fields);

/* --- Creation --- */

/*
 * Checks the output sizes for an input of that size: in a choice, all pipelines must have the same output size; in the
 * other groups, each pipeline must leave the size unchanged.
 */
static int check_sizes(const parameters *p, int64_t epoch, int height, int width)
{
	for (int i = 0; i < p->n; i++) {
		int h, w, h0 = height, w0 = width;
		if (bl_pipeline_output_at(p->part[i], epoch, height, width, &h, &w) < 0 ||
		    (p->kind == BL_GROUP_CHOICE && bl_pipeline_output_at(p->part[0], epoch, height, width, &h0, &w0) < 0))
			return -1;
		if (h != h0 || w != w0)
			return bl_fail("pipeline %d makes %d x %d of an image of %d x %d, expected %d x %d", i + 1, h, w, height,
			               width, h0, w0);
	}
	return 0;
}

static int check_made(const parameters *p)
{
	if (!(p->p >= 0 && p->p <= 1))
		return bl_fail("p is %g, expected 0 to 1", (double)p->p);
	for (int i = 0; i < p->n; i++) {
		if (!(p->weights.v[i] >= 0 && p->weights.v[i] <= 1e6))
			return bl_fail("weight %d is %g, expected 0 to 1e6", i + 1, p->weights.v[i]);
		if (bl_pipeline_leaves_unit(p->part[i]))
			return bl_fail("pipeline %d normalises: expected normalize only after the group", i + 1);
	}
	if (check(p) < 0)
		return -1;
	for (int64_t epoch = 0; epoch <= settled(p); epoch++)
		if (check_sizes(p, epoch, 97, 89) < 0 || check_sizes(p, epoch, 16, 16) < 0)
			return -1;
	return 0;
}

static bl_aug *make(bl_group_kind kind, bl_pipeline *const *parts, int n, const bl_list *weights, float chance)
{
	static const operator* const groups[] = { &random_apply, &random_choice, &random_order };
	bl_aug *a = bl_operator_make(groups[kind]);
	if (!a)
		return NULL;
	parameters *p = (parameters *)(void *)a->parameters;
	p->kind = kind;
	p->p = chance;
	p->weights = *weights;
	for (p->n = 0; p->n < n; p->n++)
		p->part[p->n] = bl_pipeline_ref(parts[p->n]);
	if (check_made(p) == 0)
		return a;
	bl_fail_prefix("%s: ", a->name);
	bl_aug_unref(a);
	return NULL;
}

bl_aug *bl_aug_new_group(bl_group_kind kind, bl_pipeline *const *parts, int n, const float *weights, float chance)
{
	static const char *const names[] = { "random_apply", "random_choice", "random_order" };
	bl_list list = { .n = n };
	if (n < 1 || n > MOST)
		return bl_fail_null("%s: %d pipelines, expected 1 to %d", names[kind], n, MOST);
	for (int i = 0; i < n; i++)
		list.v[i] = weights ? (double)weights[i] : 1;
	return make(kind, parts, n, &list, chance);
}
