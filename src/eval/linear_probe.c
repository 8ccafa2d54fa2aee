/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * linear_probe.c: accuracy of the best linear classifier on frozen features.
 *
 * The strength of L2 is chosen on a sample of about SAMPLE training rows, a part of which is held out.  Strengths are
 * tried from strong to weak; each fit starts from the weights of the previous one.  With the chosen strength, the
 * classifier is fitted to all training rows.
 */
#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/memory.h>
#include <barlow/random.h>
#include <barlow/text.h>

#include "eval/label_check.h"
#include "eval/lbfgs.h"
#include "eval/logistic.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 10000 };

/* Multiples of the tolerance: that of the fits that choose L2, and `progress` of bl_lbfgs_config. */
static const double rough = 10;
static const double progress = 20; /* accuracy is stable long before the gradient is small */

static const double default_l2[] = { 1e4, 1e3, 1e2, 1e1, 1, 1e-1 };

/* The rows of the sample in two parts.  Both have the classes in the same proportions as all rows. */
typedef struct split {
	int64_t *fit, *held;
	int64_t n_fit, n_held;
	int64_t *memory;
} split;

/*
 * Returns all rows sorted by class, in random order within a class, and sets sizes[c] to the number of rows of class c.
 * The caller releases the result with bl_block_give.
 */
static int64_t *rows_by_class(const bl_feature_rows *r, int classes, uint64_t seed, int64_t *sizes)
{
	int64_t *order = bl_block_take((size_t)(2 * r->n) * sizeof(*order)), *sorted = order ? order + r->n : NULL;
	int64_t at = 0;
	bl_rng rng;

	if (!order)
		return NULL;
	for (int64_t i = 0; i < r->n; i++)
		order[i] = i;
	bl_rng_init(&rng, seed, 0, 0, BL_STREAM_EVAL);
	bl_rng_shuffle(&rng, order, r->n);
	for (int c = 0; c < classes; c++) {
		sizes[c] = -at;
		for (int64_t i = 0; i < r->n; i++)
			if (r->labels[order[i]] == c)
				sorted[at++] = order[i];
		sizes[c] += at;
	}
	memcpy(order, sorted, (size_t)r->n * sizeof(*order));
	return order;
}

/* Adds a class of n rows: the first `used` are part of the sample, and the first `held` of these are held out. */
static void split_class(split *s, const int64_t *rows, int64_t n, double part, double held_out)
{
	int64_t used = (int64_t)ceil((double)n * part), held = (int64_t)llround((double)used * held_out);

	if (used && held >= used) /* each class needs a row to fit */
		held = used - 1;
	for (int64_t i = 0; i < held; i++)
		s->held[s->n_held++] = rows[i];
	for (int64_t i = held; i < used; i++)
		s->fit[s->n_fit++] = rows[i];
}

static int split_rows(split *s, const bl_feature_rows *r, int classes, double held_out, uint64_t seed)
{
	int64_t *sizes = bl_block_take((size_t)classes * sizeof(*sizes));
	int64_t *rows = sizes ? rows_by_class(r, classes, seed, sizes) : NULL, *at = rows;
	double part = r->n > SAMPLE ? (double)SAMPLE / (double)r->n : 1;

	*s = (split){ .memory = bl_block_take((size_t)(2 * r->n) * sizeof(*s->fit)) };
	s->fit = s->memory;
	s->held = s->memory ? s->memory + r->n : NULL;
	for (int c = 0; rows && s->memory && c < classes; at += sizes[c++])
		split_class(s, at, sizes[c], part, held_out);
	bl_block_give(rows);
	bl_block_give(sizes);
	if (!rows || !s->memory)
		return -1;
	if (s->n_held == 0)
		return bl_fail(
			"linear probe: no training row can be held out to choose L2: a share of %g of each class's rows rounds to "
			"no row (%" PRId64 " %s in %d %s).  Give more rows, a larger held_out, or one number as l2",
			held_out, r->n, bl_text_plural(r->n, "row", "rows"), classes, bl_text_plural(classes, "class", "classes"));
	return 0;
}

/* Everything a fit needs besides rows and L2. */
typedef struct probe {
	bl_linear_config c; /* with defaults filled in */
	bl_scaler scaler;
	bl_feature_rows train, test;
	int classes;
	int64_t size; /* weights */
	double *w, *best_w, *gradient;
} probe;

/*
 * Fits p->w, starting from its present value.  The tolerance is relative to `scale`, the largest absolute value in
 * the gradient at weights of 0.
 */
static int fit(probe *p, const bl_feature_rows *rows, double l2, double tolerance, double scale, bl_lbfgs_result *out)
{
	bl_logistic l = { *rows, &p->scaler, p->classes, l2 };
	bl_lbfgs_config c = { .n = p->size,
		              .iterations = p->c.iterations,
		              .tolerance = tolerance * scale,
		              .progress = progress * tolerance,
		              .stop = p->c.stop };

	return bl_lbfgs_minimise(&c, bl_logistic_evaluate, &l, p->w, out);
}

/* Sets p->w to 0, and returns the largest absolute value in the gradient there; negative with bl_error. */
static double gradient_at_zero(probe *p, const bl_feature_rows *rows)
{
	bl_logistic l = { *rows, &p->scaler, p->classes, 0 };
	double f, m = 0;

	memset(p->w, 0, (size_t)p->size * sizeof(*p->w));
	if (bl_logistic_evaluate(&l, p->w, &f, p->gradient) < 0)
		return -1;
	for (int64_t i = 0; i < p->size; i++)
		m = fmax(m, fabs(p->gradient[i]));
	return m;
}

/*
 * Sets out->l2 and p->best_w to the best strength and its weights.  From strong to weak, the held-out loss falls and
 * then rises; the search ends where it does not fall any more.
 */
static int choose_l2(probe *p, const split *s, bl_linear_result *out)
{
	bl_feature_rows some = p->train, held = p->train;
	double best = INFINITY, scale;

	some.index = s->fit;
	some.n = s->n_fit;
	held.index = s->held;
	held.n = s->n_held;
	scale = gradient_at_zero(p, &some);
	if (scale < 0)
		return -1;
	for (int i = 0; i < p->c.n_l2; i++) {
		bl_logistic asked = { held, &p->scaler, p->classes, 0 };
		bl_lbfgs_result fitted;
		double loss, accuracy;

		if (fit(p, &some, p->c.l2[i], rough * p->c.tolerance, scale, &fitted) < 0 ||
		    bl_logistic_score(&asked, p->w, &loss, &accuracy, NULL) < 0)
			return -1;
		if (!(loss < best))
			break;
		best = loss;
		out->l2 = p->c.l2[i];
		out->held_out_accuracy = accuracy;
		memcpy(p->best_w, p->w, (size_t)p->size * sizeof(*p->w));
	}
	return isfinite(best) ? 0 : bl_fail("linear probe: no L2 strength gives a finite held-out loss");
}

static int refit_and_score(probe *p, bl_linear_result *out)
{
	bl_logistic train = { p->train, &p->scaler, p->classes, 0 }, test = { p->test, &p->scaler, p->classes, 0 };
	double scale = gradient_at_zero(p, &p->train), loss;
	bl_lbfgs_result fitted;

	if (scale < 0)
		return -1;
	memcpy(p->w, p->best_w, (size_t)p->size * sizeof(*p->w));
	if (fit(p, &p->train, out->l2, p->c.tolerance, scale, &fitted) < 0)
		return -1;
	out->iterations = fitted.iterations;
	if (bl_logistic_score(&train, p->w, &loss, &out->train_accuracy, NULL) < 0)
		return -1;
	if (p->c.weight && p->c.bias)
		bl_logistic_unscale(&train, p->w, p->c.weight, p->c.bias);
	return bl_logistic_score(&test, p->w, &loss, &out->accuracy, p->c.guess);
}

static int run(probe *p, bl_linear_result *out)
{
	split s = { 0 };
	int rc = -1;

	p->size = (int64_t)p->classes * (p->train.width + 1);
	p->w = bl_block_take((size_t)(3 * p->size) * sizeof(*p->w));
	if (p->w && bl_scaler_fit(&p->scaler, &p->train) == 0) {
		p->best_w = p->w + p->size;
		p->gradient = p->best_w + p->size;
		rc = split_rows(&s, &p->train, p->classes, p->c.held_out, p->c.seed);
	}
	if (rc == 0)
		rc = choose_l2(p, &s, out);
	if (rc == 0)
		rc = refit_and_score(p, out);
	bl_block_give(s.memory);
	bl_scaler_free(&p->scaler);
	bl_block_give(p->w);
	return rc;
}

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/*
 * Replaces zeros by the defaults.  Returns the grid of strengths, a sorted copy that the caller frees; NULL with
 * bl_error.
 */
static double *fill_in(bl_linear_config *c)
{
	const double *from = c->l2 ? c->l2 : default_l2;
	int n = c->l2 ? c->n_l2 : (int)(sizeof(default_l2) / sizeof(*default_l2));
	double *grid;

	c->held_out = c->held_out == 0 ? .1 : c->held_out;
	c->iterations = c->iterations == 0 ? 100 : c->iterations;
	c->tolerance = c->tolerance == 0 ? 1e-4 : c->tolerance;
	if (!(c->held_out > 0 && c->held_out < 1))
		return bl_fail_null("linear probe: held_out = %g, expected a fraction between 0 and 1", c->held_out);
	if (c->iterations < 1 || !(c->tolerance > 0))
		return bl_fail_null("linear probe: iterations = %d and tolerance = %g, expected both above 0", c->iterations,
		                    c->tolerance);
	if (n < 1)
		return bl_fail_null("linear probe: the grid of L2 strengths is empty");
	for (int i = 0; i < n; i++)
		if (!(from[i] >= 0) || !isfinite(from[i]))
			return bl_fail_null("linear probe: L2 strength %g, expected a number from 0", from[i]);
	grid = malloc((size_t)n * sizeof(*grid));
	if (!grid)
		return bl_fail_null("linear probe: no memory");
	memcpy(grid, from, (size_t)n * sizeof(*grid));
	qsort(grid, (size_t)n, sizeof(*grid), descending);
	c->l2 = grid;
	c->n_l2 = n;
	return grid;
}

static int check(const bl_tensor *train, const int32_t *train_labels, const bl_tensor *test, const int32_t *test_labels,
                 int classes)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];

	if (bl_tensor_ndim(train) != 2 || bl_tensor_ndim(test) != 2 || bl_tensor_count(train) == 0 || bl_tensor_count(test) == 0 ||
	    bl_tensor_size(train, 1) != bl_tensor_size(test, 1))
		return bl_fail("linear probe: training rows are %s and test rows %s, expected (N, F) and (M, F)",
		               bl_tensor_text(train, a), bl_tensor_text(test, b));
	if (bl_labels_check("linear probe: training", train_labels, bl_tensor_size(train, 0), classes) < 0 ||
	    bl_labels_check("linear probe: test", test_labels, bl_tensor_size(test, 0), classes) < 0 ||
	    bl_rows_check("linear probe: training", train) < 0)
		return -1;
	return bl_rows_check("linear probe: test", test);
}

int bl_eval_linear(const bl_linear_config *c, const bl_tensor *train, const int32_t *train_labels, const bl_tensor *test,
                   const int32_t *test_labels, int classes, bl_linear_result *out)
{
	probe p = { .c = *c, .classes = classes };
	bl_tensor *x, *y;
	double *grid;
	int rc = -1;

	if (check(train, train_labels, test, test_labels, classes) < 0)
		return -1;
	grid = fill_in(&p.c);
	if (!grid)
		return -1;
	x = bl_tensor_contiguous((bl_tensor *)train);
	y = bl_tensor_contiguous((bl_tensor *)test);
	if (x && y) {
		int64_t width = bl_tensor_size(x, 1);

		p.train = (bl_feature_rows){ bl_tensor_data(x), train_labels, NULL, bl_tensor_size(x, 0), width };
		p.test = (bl_feature_rows){ bl_tensor_data(y), test_labels, NULL, bl_tensor_size(y, 0), width };
		*out = (bl_linear_result){ 0 };
		rc = run(&p, out);
	}
	bl_tensor_unref(x);
	bl_tensor_unref(y);
	free(grid);
	return rc;
}
