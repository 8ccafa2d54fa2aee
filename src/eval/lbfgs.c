/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lbfgs.c: limited-memory BFGS with a strong-Wolfe line search, after Nocedal
 * and Wright, Numerical Optimization (2006): algorithms 7.4, 3.5 and 3.6.
 */
#include "eval/lbfgs.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <math.h>
#include <string.h>

enum { HISTORY = 10, TRIALS = 20 };

static const double decrease = 1e-4, curvature = .9; /* c1 and c2 of the strong Wolfe conditions */

typedef struct pair {
	double *s, *y; /* (n) each: change of x, and of the gradient, in one iteration */
	double sy;     /* s^T y */
} pair;

typedef struct lbfgs {
	int64_t n;
	bl_lbfgs_fn *fn;
	void *ctx;
	double *x, *g, *direction;
	double *trial, *trial_g; /* the last point that the line search evaluated, and the gradient there */
	double f;
	pair pairs[HISTORY]; /* a ring: pairs[(next - 1 - i) % HISTORY] is the i-th newest */
	int held, next;
	int evaluations;
	void *memory;
} lbfgs;

/* A point x + alpha * direction of the line search: f, and its derivative with respect to alpha. */
typedef struct place {
	double alpha, f, slope;
} place;

/* FAILED: with bl_error.  STUCK: no step was found that decreases f. */
typedef enum outcome { FAILED = -1, STUCK, FOUND } outcome;

static double dot(const double *a, const double *b, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void add_scaled(double *a, double scale, const double *b, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		a[i] += scale * b[i];
}

static double largest(const double *v, int64_t n)
{
	double m = 0;

	for (int64_t i = 0; i < n; i++)
		m = fmax(m, fabs(v[i]));
	return m;
}

/* Allocates the arrays, and evaluates f and its gradient at x. */
static int start(lbfgs *l, double *x)
{
	double *p = bl_block_take((size_t)(l->n * (4 + 2 * HISTORY)) * sizeof(*p));

	if (!p)
		return -1;
	l->memory = p;
	l->x = x;
	l->g = p;
	l->direction = p + l->n;
	l->trial = p + 2 * l->n;
	l->trial_g = p + 3 * l->n;
	for (int i = 0; i < HISTORY; i++) {
		l->pairs[i].s = p + (4 + 2 * i) * l->n;
		l->pairs[i].y = p + (5 + 2 * i) * l->n;
	}
	l->evaluations = 1;
	return l->fn(l->ctx, x, &l->f, l->g);
}

static pair *newest(lbfgs *l, int i)
{
	return &l->pairs[(l->next - 1 - i + 2 * HISTORY) % HISTORY];
}

/*
 * Computes direction = -H g by the two-loop recursion.  H approximates the inverse Hessian: it is made from the stored
 * pairs, starting from gamma I with gamma = s^T y / y^T y of the newest pair.
 */
static void find_direction(lbfgs *l)
{
	double *d = l->direction, alpha[HISTORY];

	for (int64_t i = 0; i < l->n; i++)
		d[i] = -l->g[i];
	for (int i = 0; i < l->held; i++) {
		alpha[i] = dot(newest(l, i)->s, d, l->n) / newest(l, i)->sy;
		add_scaled(d, -alpha[i], newest(l, i)->y, l->n);
	}
	if (l->held) {
		double gamma = newest(l, 0)->sy / dot(newest(l, 0)->y, newest(l, 0)->y, l->n);

		for (int64_t i = 0; i < l->n; i++)
			d[i] *= gamma;
	}
	for (int i = l->held - 1; i >= 0; i--) {
		double beta = dot(newest(l, i)->y, d, l->n) / newest(l, i)->sy;

		add_scaled(d, alpha[i] - beta, newest(l, i)->s, l->n);
	}
}

/* Evaluates f and its gradient at x + alpha * direction, into *out, trial and trial_g. */
static int evaluate(lbfgs *l, double alpha, place *out)
{
	memcpy(l->trial, l->x, (size_t)l->n * sizeof(*l->x));
	add_scaled(l->trial, alpha, l->direction, l->n);
	l->evaluations++;
	out->alpha = alpha;
	if (l->fn(l->ctx, l->trial, &out->f, l->trial_g) < 0)
		return -1;
	out->slope = dot(l->trial_g, l->direction, l->n);
	return 0;
}

/* The first Wolfe condition, sufficient decrease. */
static bool low_enough(const place *p, const place *origin)
{
	return p->f <= origin->f + decrease * p->alpha * origin->slope;
}

/* The second of the strong Wolfe conditions, on the curvature. */
static bool flat_enough(const place *p, const place *origin)
{
	return fabs(p->slope) <= -curvature * origin->slope;
}

/*
 * The minimum of the cubic that interpolates f and its derivative at a and b (equation 3.59), but at least a tenth of
 * the interval away from both ends; the middle of the interval if the cubic has no minimum.
 */
static double between(const place *a, const place *b)
{
	double width = b->alpha - a->alpha;
	double d1 = a->slope + b->slope - 3 * (a->f - b->f) / (a->alpha - b->alpha);
	double square = d1 * d1 - a->slope * b->slope;
	double d2 = copysign(sqrt(fmax(square, 0)), width);
	double at = (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
	double part = 1 - at;

	if (!(square >= 0) || !isfinite(part))
		part = .5;
	return a->alpha + width * fmin(fmax(part, .1), .9);
}

/*
 * Algorithm 3.6.  The interval between low and high contains a point that satisfies both Wolfe conditions; low has the
 * smallest f of the points that satisfied the first condition so far.  If all trials are used up, *found becomes low;
 * the result is STUCK if low is still the start.
 */
static outcome zoom(lbfgs *l, const place *origin, place low, place high, place *found)
{
	for (int i = 0; i < TRIALS; i++) {
		place p;

		if (evaluate(l, between(&low, &high), &p) < 0)
			return FAILED;
		if (!low_enough(&p, origin) || p.f >= low.f) {
			high = p;
			continue;
		}
		*found = p;
		if (flat_enough(&p, origin))
			return FOUND;
		if (p.slope * (high.alpha - low.alpha) >= 0)
			high = low;
		low = p;
	}
	if (low.alpha == 0)
		return STUCK;
	return evaluate(l, low.alpha, found) < 0 ? FAILED : FOUND;
}

/*
 * Algorithm 3.5: alpha starts at `first` and doubles until it satisfies both conditions, or an interval for zoom is found.
 * If all trials are used up, *found is the last point.
 */
static outcome line_search(lbfgs *l, const place *origin, double first, place *found)
{
	place before = *origin, p;

	for (int i = 0; i < TRIALS; i++) {
		if (evaluate(l, i ? 2 * before.alpha : first, &p) < 0)
			return FAILED;
		if (!low_enough(&p, origin) || (i && p.f >= before.f))
			return zoom(l, origin, before, p, found);
		*found = p;
		if (flat_enough(&p, origin))
			return FOUND;
		if (p.slope >= 0)
			return zoom(l, origin, p, before, found);
		before = p;
	}
	return FOUND;
}

/* Moves x to the point that the line search found, and stores the pair if s^T y > 1e-16 y^T y (positive curvature). */
static void move(lbfgs *l, const place *to)
{
	pair *p = &l->pairs[l->next];

	for (int64_t i = 0; i < l->n; i++) {
		p->s[i] = l->trial[i] - l->x[i];
		p->y[i] = l->trial_g[i] - l->g[i];
	}
	p->sy = dot(p->s, p->y, l->n);
	if (p->sy > 1e-16 * dot(p->y, p->y, l->n)) {
		l->next = (l->next + 1) % HISTORY;
		l->held += l->held < HISTORY;
	} else if (l->held == HISTORY) {
		l->held--; /* the rejected pair has overwritten the oldest one */
	}
	memcpy(l->x, l->trial, (size_t)l->n * sizeof(*l->x));
	memcpy(l->g, l->trial_g, (size_t)l->n * sizeof(*l->g));
	l->f = to->f;
}

static outcome iterate(lbfgs *l)
{
	place origin = { .f = l->f }, found;
	double first = 1;
	outcome rc;

	find_direction(l);
	origin.slope = dot(l->g, l->direction, l->n);
	if (!(origin.slope < 0))
		return STUCK;
	if (l->held == 0) /* the direction is -g, whose length is arbitrary: the first step is at most 1 long */
		first = fmin(1, 1 / sqrt(-origin.slope));
	rc = line_search(l, &origin, first, &found);
	if (rc == FOUND)
		move(l, &found);
	return rc;
}

/*
 * Did f decrease by less than progress * |f| in the last BL_LBFGS_SPAN iterations?  `past` is a ring buffer of f, with
 * one element for each of these iterations.
 */
static bool slow(double *past, int iteration, double f, double progress)
{
	double *then = &past[iteration % BL_LBFGS_SPAN], fell = *then - f;

	*then = f;
	return iteration >= BL_LBFGS_SPAN && fell < progress * fabs(f);
}

static int run(lbfgs *l, const bl_lbfgs_config *c, bl_lbfgs_result *out)
{
	double past[BL_LBFGS_SPAN] = { 0 };
	outcome rc = FOUND;

	out->converged = largest(l->g, l->n) <= c->tolerance;
	for (out->iterations = 0; !out->converged && out->iterations < c->iterations; out->iterations++) {
		if (c->stop && *c->stop)
			return bl_fail("stopped");
		rc = iterate(l);
		if (rc == FAILED)
			return -1;
		out->converged =
			rc == STUCK || largest(l->g, l->n) <= c->tolerance || slow(past, out->iterations, l->f, c->progress);
		bl_advance("linear probe", out->iterations + 1, c->iterations);
	}
	out->f = l->f;
	out->gradient = largest(l->g, l->n);
	out->evaluations = l->evaluations;
	return 0;
}

int bl_lbfgs_minimise(const bl_lbfgs_config *c, bl_lbfgs_fn *fn, void *ctx, double *x, bl_lbfgs_result *out)
{
	lbfgs l = { .n = c->n, .fn = fn, .ctx = ctx };
	int rc = start(&l, x);

	if (rc == 0)
		rc = run(&l, c, out);
	bl_advance_end();
	bl_block_give(l.memory);
	return rc;
}
