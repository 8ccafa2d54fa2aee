/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline.c: sequences of operators: checks them, draws their random numbers into a plan, and applies the plan. */
#include "augment/pipeline.h"
#include "augment/operator.h"
#include "augment/window.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/number.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPERATORS = 64, ALIGNMENT = 16 };

/* An operator in a pipeline. */
typedef struct stage {
	bl_aug *aug;
	const operator* op;
	uint32_t occurrence; /* number of operators of the same name before it */
	size_t at;           /* offset of its draws in the plan */
} stage;

struct bl_pipeline {
	atomic_int refs;
	int n;
	int64_t settled; /* the last epoch in which a ramp changes a value */
	pthread_mutex_t lock;
	bl_pipeline *now; /* the pipeline of epoch `epoch`, which was requested last; protected by lock */
	int64_t epoch;
	stage stage[];
};

/* --- Creation -------------------------------------------------------------------------------------- */

/*
 * Checks the ranges of the fields and the operator's own conditions.  The operator's conditions are also checked for
 * the last values of its ramps.
 */
static int check_operator(const bl_aug *a)
{
	_Alignas(16) unsigned char last[BL_AUG_BYTES];
	if (bl_settings_check(a->op->fields, a->parameters) < 0 || (a->op->check && a->op->check(a->parameters) < 0))
		return -1;
	if (!a->ramps || !a->op->check)
		return 0;
	memcpy(last, a->parameters, a->op->parameters);
	bl_operator_fields_at(a, bl_operator_settled(a), last);
	return a->op->check(last);
}

static int check(bl_aug *const *ops, int n)
{
	int normalized = -1;
	for (int i = 0; i < n; i++) {
		const operator* op = ops[i]->op;
		if (check_operator(ops[i]) < 0)
			return bl_fail_prefix("operator %d (%s): ", i + 1, ops[i]->name);
		if (op->needs_unit && normalized >= 0)
			return bl_fail(
				"operator %d (%s) works on values from 0 to 1, so it must come before operator "
				"%d (%s)",
				i + 1, ops[i]->name, normalized + 1, ops[normalized]->name);
		if (op->leaves_unit)
			normalized = i;
	}
	return 0;
}

static uint32_t occurrence(bl_aug *const *ops, int i)
{
	uint32_t n = 0;
	for (int k = 0; k < i; k++)
		n += strcmp(ops[k]->name, ops[i]->name) == 0;
	return n;
}

bl_pipeline *bl_pipeline_new(bl_aug *const *ops, int n)
{
	size_t at = 0;
	if (n < 0 || n > MOST_OPERATORS)
		return bl_fail_null("a pipeline of %d operators, expected 0 to %d", n, MOST_OPERATORS);
	if (check(ops, n) < 0)
		return NULL;
	bl_pipeline *p = malloc(sizeof *p + (size_t)n * sizeof *p->stage);
	if (!p)
		return bl_fail_null("no memory for a pipeline of %d operators", n);
	atomic_init(&p->refs, 1);
	p->n = n;
	p->settled = 0;
	p->now = NULL;
	pthread_mutex_init(&p->lock, NULL);
	for (int i = 0; i < n; i++) {
		p->stage[i] = (stage){ bl_aug_ref(ops[i]), ops[i]->op, occurrence(ops, i), at };
		int64_t settled = bl_operator_settled(ops[i]);
		p->settled = settled > p->settled ? settled : p->settled;
		if (!ops[i]->built) /* other threads may be reading an operator that is built */
			ops[i]->built = true;
		at += (ops[i]->op->draws + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	}
	if (at <= BL_PLAN_BYTES)
		return p;
	bl_pipeline_unref(p);
	return bl_fail_null("the random draws of %d operators take %zu bytes, expected at most %d: use fewer operators", n, at,
	                    BL_PLAN_BYTES);
}

bl_pipeline *bl_pipeline_ref(bl_pipeline *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void bl_pipeline_unref(bl_pipeline *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	for (int i = 0; i < p->n; i++)
		bl_aug_unref(p->stage[i].aug);
	bl_pipeline_unref(p->now);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int bl_pipeline_length(const bl_pipeline *p)
{
	return p->n;
}

int64_t bl_pipeline_settled(const bl_pipeline *p)
{
	return p->settled;
}

/* Makes a new pipeline with the values that the ramps have in that epoch. */
static bl_pipeline *make_at(const bl_pipeline *p, int64_t epoch)
{
	bl_aug *now[MOST_OPERATORS] = { NULL };
	bl_pipeline *made = NULL;
	int n = p->n, i = 0;
	while (i < n && (now[i] = bl_operator_at(p->stage[i].aug, epoch)))
		i++;
	if (i == n)
		made = bl_pipeline_new(now, n);
	for (int k = 0; k < i; k++)
		bl_aug_unref(now[k]);
	return made;
}

/* The result is cached, so that repeated calls within an epoch allocate nothing. */
static bl_pipeline *at(bl_pipeline *p, int64_t epoch)
{
	if (p->now && p->epoch == epoch)
		return bl_pipeline_ref(p->now);
	bl_pipeline *made = make_at(p, epoch);
	if (!made)
		return NULL;
	bl_pipeline_unref(p->now);
	p->now = bl_pipeline_ref(made);
	p->epoch = epoch;
	return made;
}

bl_pipeline *bl_pipeline_at(bl_pipeline *p, int64_t epoch)
{
	if (p->settled == 0)
		return bl_pipeline_ref(p);
	pthread_mutex_lock(&p->lock);
	bl_pipeline *made = at(p, epoch < p->settled ? epoch : p->settled);
	pthread_mutex_unlock(&p->lock);
	return made;
}

int bl_pipeline_output_at(bl_pipeline *p, int64_t epoch, int h, int w, int *oh, int *ow)
{
	bl_pipeline *now = bl_pipeline_at(p, epoch);
	if (!now)
		return bl_fail_prefix("epoch %lld: ", (long long)epoch + 1);
	bl_pipeline_output(now, h, w, oh, ow);
	bl_pipeline_unref(now);
	return 0;
}

bl_aug *bl_pipeline_op(const bl_pipeline *p, int i)
{
	return i >= 0 && i < p->n ? p->stage[i].aug : NULL;
}

int bl_pipeline_check(const bl_pipeline *p, int channels)
{
	if (channels < 1 || channels > BL_CHANNELS_MOST)
		return bl_fail("an image of %d channels, expected 1 to %d", channels, BL_CHANNELS_MOST);
	for (int i = 0; i < p->n; i++) {
		const stage *s = &p->stage[i];
		if (s->op->accepts && s->op->accepts(s->aug->parameters, channels) < 0)
			return bl_fail_prefix("operator %d (%s): ", i + 1, s->aug->name);
	}
	return 0;
}

int bl_pipeline_check_vectors(const bl_pipeline *p)
{
	for (int i = 0; i < p->n; i++) {
		const stage *s = &p->stage[i];
		if (!s->op->vectors || !s->op->vectors(s->aug->parameters))
			return bl_fail(
				"operator %d (%s) is for images, not for vectors: expected aug.features, aug.feature_mask, "
				"aug.feature_noise, aug.feature_mix or aug.func",
				i + 1, s->aug->name);
	}
	return 0;
}

static void output_of(const stage *s, int *h, int *w)
{
	if (s->op->size)
		s->op->size(s->aug->parameters, h, w);
}

void bl_pipeline_output(const bl_pipeline *p, int h, int w, int *oh, int *ow)
{
	for (int i = 0; i < p->n; i++)
		output_of(&p->stage[i], &h, &w);
	*oh = h;
	*ow = w;
}

/* --- Drawing --------------------------------------------------------------------------------------- */

static bool applies(const bl_plan *plan, int i)
{
	return plan->applies >> i & 1;
}

static bool folded(const bl_plan *plan, int i)
{
	return plan->folded >> i & 1;
}

static bl_rng stream(const stage *s, const bl_view_key *key)
{
	bl_rng r;
	bl_rng_init(&r, key->seed, key->epoch, key->sample, key->view);
	bl_rng_narrow(&r, s->aug->name, s->occurrence);
	return r;
}

/* Merges a flip into the crop immediately before it, whose weights are then stored from right to left. */
static void fold_mirrors(const bl_pipeline *p, bl_plan *plan)
{
	for (int i = 0; i + 1 < p->n; i++) {
		const stage *s = &p->stage[i];
		if (!applies(plan, i) || !s->op->mirror || !applies(plan, i + 1) || !p->stage[i + 1].op->mirrors)
			continue;
		s->op->mirror(plan->draws + s->at);
		plan->folded |= UINT64_C(1) << (i + 1);
	}
}

void bl_pipeline_plan(const bl_pipeline *p, const bl_view_key *key, int height, int width, int channels, bl_plan *plan)
{
	int h = height, w = width;
	plan->key = *key;
	plan->height = height;
	plan->width = width;
	plan->channels = channels;
	plan->window = (bl_window){ 0, 0, height, width, 1 };
	plan->applies = plan->folded = 0;
	for (int i = 0; i < p->n; i++) {
		const stage *s = &p->stage[i];
		drawing d = { .key = key, .height = h, .width = w, .channels = channels };
		if (s->op->draw)
			d.rng = stream(s, key);
		if (!s->op->draw || s->op->draw(s->aug->parameters, &d, plan->draws + s->at))
			plan->applies |= UINT64_C(1) << i;
		output_of(s, &h, &w);
	}
	fold_mirrors(p, plan);
	if (p->n && p->stage[0].op->window)
		p->stage[0].op->window(p->stage[0].aug->parameters, plan->draws + p->stage[0].at, &plan->window);
}

bl_window bl_plans_window(const bl_plan *plans, int n)
{
	bl_window all = plans[0].window;
	for (int i = 1; i < n; i++)
		bl_window_join(&all, &plans[i].window);
	return all;
}

bl_rng bl_plan_stream(const bl_pipeline *p, const bl_plan *plan, int i)
{
	bl_rng r = stream(&p->stage[i], &plan->key);
	bl_rng_narrow(&r, "of its own", 0);
	return r;
}

/* --- Applying -------------------------------------------------------------------------------------- */

/* Does the first operator read only its window of the image? */
static bool begins_with_window(const bl_pipeline *p)
{
	return p->n && p->stage[0].op->window;
}

size_t bl_pipeline_room(const bl_pipeline *p, int height, int width)
{
	size_t most = 0;
	for (int i = 0; i < p->n; i++) {
		const stage *s = &p->stage[i];
		size_t within = s->op->room ? s->op->room(s->aug->parameters, height, width) : 0;
		output_of(s, &height, &width);
		size_t after = s->op->size ? bl_float_image_room(height, width) : 0;
		most = within > most ? within : most;
		most = after > most ? after : most;
	}
	return most;
}

/*
 * Allocates planes for the largest size that the image has after an operator.  The input's own size counts, too, unless the
 * first operator resamples its bytes directly.
 */
static int make_canvas(const bl_pipeline *p, const bl_image *in, float_image *c)
{
	int h = in->height, w = in->width;
	bl_float_image_open(c, in);
	size_t most = begins_with_window(p) && c->pixels ? 0 : c->plane, within = bl_pipeline_room(p, h, w);
	most = within > most ? within : most;
	size_t bytes = most * (size_t)in->channels * sizeof(float);
	c->data = bl_scratch(SLOT_IMAGE, bytes);
	c->spare = bl_scratch(SLOT_SPARE, bytes);
	return c->data && c->spare ? 0 : -1;
}

/* Checks that the image has the plan's size and, if it is a part of an image, contains the whole window of the plan. */
static int check_image(const bl_pipeline *p, const bl_plan *plan, const bl_image *in)
{
	if (in->height < 1 || in->width < 1)
		return bl_fail("an image of %d x %d pixels, expected at least 1 x 1", in->height, in->width);
	if (in->height != plan->height || in->width != plan->width || in->channels != plan->channels)
		return bl_fail("an image of %d x %d with %d channels, but the plan is for one of %d x %d with %d", in->height,
		               in->width, in->channels, plan->height, plan->width, plan->channels);
	if (bl_pipeline_check(p, in->channels) < 0)
		return -1;
	if (!in->part.eighths)
		return 0;
	if (!begins_with_window(p))
		return bl_fail("a part of an image, expected the whole image: the first operator neither crops nor resizes");
	bl_window part = bl_image_window(in);
	const bl_window *b = &plan->window;
	if (b->top < part.top || b->left < part.left || b->top + b->height > part.top + part.height ||
	    b->left + b->width > part.left + part.width)
		return bl_fail("a part of an image that does not contain the whole crop %d,%d %dx%d", b->left, b->top, b->width,
		               b->height);
	return 0;
}

/* Writes the view; a last operator that only scales and shifts is applied in the same pass. */
static void finish(const stage *last, const float_image *c, float *out)
{
	float scale[BL_CHANNELS_MOST], shift[BL_CHANNELS_MOST] = { 0 };
	for (int k = 0; k < c->channels; k++)
		scale[k] = 1;
	if (last)
		last->op->factors(last->aug->parameters, c->channels, scale, shift);
	bl_float_image_store(c, scale, shift, out);
}

/* Applies the first n operators. */
static int run(const bl_pipeline *p, const bl_plan *plan, int n, float_image *c)
{
	for (int i = 0; i < n; i++) {
		const stage *s = &p->stage[i];
		if (applies(plan, i) && !folded(plan, i) && s->op->apply(s->aug->parameters, plan->draws + s->at, c) < 0)
			return -1;
	}
	return 0;
}

int bl_pipeline_run(const bl_pipeline *p, const bl_plan *plan, float_image *c)
{
	return run(p, plan, p->n, c);
}

bool bl_pipeline_leaves_unit(const bl_pipeline *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->stage[i].op->leaves_unit)
			return true;
	return false;
}

int bl_pipeline_apply(const bl_pipeline *p, const bl_plan *plan, const bl_image *in, float *out)
{
	float_image c;
	if (check_image(p, plan, in) < 0 || make_canvas(p, in, &c) < 0)
		return -1;
	const stage *last = p->n && p->stage[p->n - 1].op->factors ? &p->stage[p->n - 1] : NULL;
	if (run(p, plan, p->n - (last != NULL), &c) < 0)
		return -1;
	bl_float_image_load(&c);
	finish(last, &c, out);
	return 0;
}

char *bl_pipeline_describe(const bl_pipeline *p, const bl_plan *plan, char *buf, size_t size)
{
	size_t used = 0;
	bl_point *before = bl_number_point();
	buf[0] = '\0';
	for (int i = 0; i < p->n; i++) {
		const stage *s = &p->stage[i];
		char text[160];
		if (applies(plan, i) && s->op->describe && used < size &&
		    s->op->describe(s->aug->parameters, plan->draws + s->at, plan->channels, text, sizeof text) > 0)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "", text);
	}
	bl_number_unpoint(before);
	return buf;
}
