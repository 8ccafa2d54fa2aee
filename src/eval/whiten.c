/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * whiten.c: standardises or whitens features by the statistics of the references.
 *
 * Whitened features are z (C + ridge)^-1/2, where z are the standardised features, and C = z^T z / n = V w V^T is
 * computed from the references.  The result here is z V (w + ridge)^-1/2, a rotation of the whitened features, which
 * has the same cosines and saves a matrix product.
 */
#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <barlow/random.h>
#include <barlow/text.h>

#include "eval/label_check.h"
#include "eval/logistic.h"
#include "tensor/matrix/blas.h"
#include "tensor/matrix/lapack.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 512, HELD_MOST = 2000 };

/* In units of a standardised feature's variance, which is 1; from strong to weak. */
static const double default_ridges[] = { 10, 3, 1, .3, .1, .03, .01, .003, .001 };

/* --- standardising --- */

typedef struct standardising {
	const bl_feature_rows *rows;
	const bl_scaler *scaler;
	float *out;
} standardising;

static void standardise_chunk(void *ctx, int64_t chunk)
{
	const standardising *s = ctx;
	int64_t width = s->rows->width, last = (chunk + 1) * ROWS < s->rows->n ? (chunk + 1) * ROWS : s->rows->n;

	for (int64_t i = chunk * ROWS; i < last; i++) {
		const float *x = s->rows->x + (s->rows->index ? s->rows->index[i] : i) * width;
		float *z = s->out + i * width;

		for (int64_t j = 0; j < width; j++)
			z[j] = (x[j] - s->scaler->mean[j]) * s->scaler->scale[j];
	}
}

/* Writes the standardised rows, (n,F), to out. */
static void standardise(const bl_feature_rows *rows, const bl_scaler *scaler, float *out)
{
	standardising s = { rows, scaler, out };

	bl_parallel((rows->n + ROWS - 1) / ROWS, standardise_chunk, &s);
}

static float *room(int64_t n, int64_t width)
{
	return bl_block_take((size_t)(n * width) * sizeof(float));
}

static bl_feature_rows rows_of(const bl_tensor *x, const int32_t *labels)
{
	return (bl_feature_rows){ bl_tensor_data(x), labels, NULL, bl_tensor_size(x, 0), bl_tensor_size(x, 1) };
}

/* --- whitening --- */

/* Principal axes of standardised rows. */
typedef struct axes {
	double *w; /* (F) eigenvalues of C */
	float *v;  /* (F,F) row k is the axis of w[k] */
} axes;

static void axes_free(axes *a)
{
	bl_block_give(a->w);
	bl_block_give(a->v);
}

/* Computes the axes of z (n,F).  Negative with bl_error; the caller calls axes_free in any case. */
static int axes_find(axes *a, const float *z, int64_t n, int64_t width)
{
	double *c = bl_block_take((size_t)(width * width) * sizeof(*c));
	int rc;

	a->w = bl_block_take((size_t)width * sizeof(*a->w));
	a->v = room(width, width);
	rc = c && a->w && a->v ? bl_gram(width, n, z, width, 1, NULL, c) : -1;
	if (rc == 0)
		rc = bl_check_given_up();
	if (rc == 0)
		rc = bl_eigh_vectors(width, c, a->w);
	for (int64_t i = 0; rc == 0 && i < width * width; i++)
		a->v[i] = (float)c[i];
	for (int64_t k = 0; rc == 0 && k < width; k++)
		a->w[k] = fmax(a->w[k] / (double)n, 0); /* rounding can make eigenvalues of 0 negative */
	bl_block_give(c);
	return rc;
}

static void turn(const axes *a, const float *z, int64_t n, int64_t width, float *out)
{
	bl_gemm_parallel(false, true, n, width, width, 1, z, width, a->v, width, 0, out, width);
}

typedef struct scaling {
	const float *from;
	float *to; /* may be equal to `from` */
	const float *scale;
	int64_t n, width;
} scaling;

static void scale_chunk(void *ctx, int64_t chunk)
{
	const scaling *s = ctx;
	int64_t last = (chunk + 1) * ROWS < s->n ? (chunk + 1) * ROWS : s->n;

	for (int64_t i = chunk * ROWS; i < last; i++)
		for (int64_t j = 0; j < s->width; j++)
			s->to[i * s->width + j] = s->from[i * s->width + j] * s->scale[j];
}

/* to = from (w + ridge)^-1/2 for n rotated rows.  The coordinate on an axis with neither variance nor ridge becomes 0. */
static int shrink(const axes *a, double ridge, const float *from, int64_t n, int64_t width, float *to)
{
	float *scale = room(1, width);
	scaling s = { from, to, scale, n, width };

	if (!scale)
		return -1;
	for (int64_t j = 0; j < width; j++)
		scale[j] = a->w[j] + ridge > 1e-12 * a->w[0] ? (float)(1 / sqrt(a->w[j] + ridge)) : 0;
	bl_parallel((n + ROWS - 1) / ROWS, scale_chunk, &s);
	bl_block_give(scale);
	return 0;
}

/* --- the ridge --- */

/*
 * The references in two parts: those that remain (fit) and those that are held out.  Both are standardised by the
 * statistics of `fit` and rotated to its principal axes.
 */
typedef struct trial {
	bl_feature_rows fit, held;
	int32_t *fit_labels, *held_labels;
	float *fit_turned, *held_turned, *fit_z, *held_z;
	axes axes;
	int64_t *order;
} trial;

/* Chooses the rows that are held out, by the seed and the number of rows alone.  Negative with bl_error. */
static int split(trial *t, const bl_feature_rows *refs, double held_out, uint64_t seed)
{
	int64_t held = (int64_t)ceil((double)refs->n * held_out);
	bl_rng rng;

	held = held < HELD_MOST ? held : HELD_MOST;
	if (held >= refs->n)
		return bl_fail("whitening: %" PRId64
		               " %s too few to choose a ridge on a part of them: give one number as ridge, or "
		               "more references",
		               refs->n, bl_text_plural(refs->n, "reference is", "references are"));
	t->order = bl_block_take((size_t)refs->n * sizeof(*t->order));
	t->fit_labels = bl_block_take((size_t)refs->n * sizeof(*t->fit_labels));
	if (!t->order || !t->fit_labels)
		return -1;
	for (int64_t i = 0; i < refs->n; i++)
		t->order[i] = i;
	bl_rng_init(&rng, seed, 0, 0, BL_STREAM_EVAL);
	bl_rng_shuffle(&rng, t->order, refs->n);
	for (int64_t i = 0; i < refs->n; i++)
		t->fit_labels[i] = refs->labels[t->order[i]];
	t->fit = t->held = *refs;
	t->fit.index = t->order;
	t->fit.n = refs->n - held;
	t->held.index = t->order + t->fit.n;
	t->held.n = held;
	t->held_labels = t->fit_labels + t->fit.n;
	return 0;
}

static int prepare(trial *t)
{
	int64_t width = t->fit.width, n = t->fit.n + t->held.n;
	bl_scaler scaler = { 0 };
	int rc;

	t->fit_z = room(n, width);
	t->fit_turned = room(n, width);
	rc = t->fit_z && t->fit_turned ? bl_scaler_fit(&scaler, &t->fit) : -1;
	if (rc == 0) {
		t->held_z = t->fit_z + t->fit.n * width;
		t->held_turned = t->fit_turned + t->fit.n * width;
		standardise(&t->fit, &scaler, t->fit_z);
		standardise(&t->held, &scaler, t->held_z);
		rc = axes_find(&t->axes, t->fit_z, t->fit.n, width);
	}
	if (rc == 0)
		turn(&t->axes, t->fit_z, n, width, t->fit_turned);
	bl_scaler_free(&scaler);
	return rc == 0 ? bl_check_given_up() : rc;
}

/* Returns the accuracy of kNN on the rows that are held out; negative with bl_error.  Overwrites fit_z and held_z. */
static double try_ridge(trial *t, const bl_knn_config *knn, int classes, double ridge)
{
	int64_t n = t->fit.n + t->held.n, width = t->fit.width;
	bl_tensor *refs, *queries;
	double accuracy = -1;

	if (shrink(&t->axes, ridge, t->fit_turned, n, width, t->fit_z) < 0)
		return -1;
	refs = bl_tensor_wrap(2, (int64_t[]){ t->fit.n, width }, t->fit_z, NULL, NULL);
	queries = bl_tensor_wrap(2, (int64_t[]){ t->held.n, width }, t->held_z, NULL, NULL);
	if (refs && queries)
		accuracy = bl_eval_knn(knn, refs, t->fit_labels, queries, t->held_labels, classes);
	bl_tensor_unref(refs);
	bl_tensor_unref(queries);
	return accuracy;
}

/* Chooses the best ridge; of equally good ones the first, which is the strongest one in the default list. */
static int choose_ridge(const bl_whiten_config *c, const bl_feature_rows *refs, int classes, bl_whiten_result *out)
{
	trial t = { 0 };
	int rc = split(&t, refs, c->held_out, c->seed);

	if (rc == 0)
		rc = prepare(&t);
	out->held_out_accuracy = -1;
	for (int i = 0; rc == 0 && i < c->n_ridges; i++) {
		double accuracy = c->stop && *c->stop ? bl_fail("stopped") : try_ridge(&t, &c->knn, classes, c->ridges[i]);

		if (accuracy < 0)
			rc = -1;
		if (accuracy <= out->held_out_accuracy)
			continue;
		out->held_out_accuracy = accuracy;
		out->ridge = c->ridges[i];
	}
	bl_block_give(t.order);
	bl_block_give(t.fit_labels);
	bl_block_give(t.fit_turned);
	bl_block_give(t.fit_z);
	axes_free(&t.axes);
	return rc;
}

/* --- interface --- */

static int check(const char *what, const bl_tensor *refs, const bl_tensor *queries)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT], who[48];

	if (bl_tensor_ndim(refs) != 2 || bl_tensor_ndim(queries) != 2 || bl_tensor_count(refs) == 0 ||
	    bl_tensor_count(queries) == 0 || bl_tensor_size(refs, 1) != bl_tensor_size(queries, 1))
		return bl_fail("%s: references are %s and queries %s, expected (N, F) and (M, F)", what, bl_tensor_text(refs, a),
		               bl_tensor_text(queries, b));
	snprintf(who, sizeof(who), "%s: reference", what);
	if (bl_rows_check(who, refs) < 0)
		return -1;
	snprintf(who, sizeof(who), "%s: query", what);
	return bl_rows_check(who, queries);
}

/* Replaces zeros by the defaults, and checks the configuration. */
static int fill_in(bl_whiten_config *c)
{
	if (!c->ridges) {
		c->ridges = default_ridges;
		c->n_ridges = (int)(sizeof(default_ridges) / sizeof(*default_ridges));
	}
	c->held_out = c->held_out == 0 ? .2 : c->held_out;
	if (!(c->held_out > 0 && c->held_out < 1))
		return bl_fail("whitening: held_out = %g, expected a fraction between 0 and 1", c->held_out);
	if (c->n_ridges < 1)
		return bl_fail("whitening: the list of ridges is empty");
	for (int i = 0; i < c->n_ridges; i++)
		if (!(c->ridges[i] >= 0) || !isfinite(c->ridges[i]))
			return bl_fail("whitening: ridge %g, expected a number from 0", c->ridges[i]);
	return 0;
}

/*
 * References and queries as contiguous tensors, and tensors of the same shapes for the results: new references, or NULL
 * if there is no memory.
 */
typedef struct pairs {
	bl_tensor *in[2], *out[2];
} pairs;

static int pairs_new(pairs *p, const bl_tensor *refs, const bl_tensor *queries)
{
	const bl_tensor *from[] = { refs, queries };

	*p = (pairs){ 0 };
	for (int i = 0; i < 2; i++) {
		p->in[i] = bl_tensor_contiguous((bl_tensor *)from[i]);
		p->out[i] = bl_tensor_new(2, bl_tensor_shape(from[i]));
		if (!p->in[i] || !p->out[i])
			return -1;
	}
	return 0;
}

/* Releases the inputs.  The results become out if rc is 0; otherwise they are released, too.  Returns rc. */
static int pairs_end(pairs *p, int rc, bl_tensor *out[2])
{
	for (int i = 0; i < 2; i++) {
		bl_tensor_unref(p->in[i]);
		out[i] = rc == 0 ? p->out[i] : NULL;
		if (rc != 0)
			bl_tensor_unref(p->out[i]);
	}
	return rc;
}

int bl_eval_standardise(const bl_tensor *refs, const bl_tensor *queries, bl_tensor *out[2])
{
	bl_scaler scaler = { 0 };
	bl_feature_rows rows;
	pairs p;
	int rc;

	if (check("standardising", refs, queries) < 0)
		return -1;
	rc = pairs_new(&p, refs, queries);
	if (rc == 0) {
		rows = rows_of(p.in[0], NULL);
		rc = bl_scaler_fit(&scaler, &rows);
	}
	for (int i = 0; rc == 0 && i < 2; i++) {
		rows = rows_of(p.in[i], NULL);
		standardise(&rows, &scaler, bl_tensor_data(p.out[i]));
	}
	bl_scaler_free(&scaler);
	return pairs_end(&p, rc, out);
}

/* Whitens references and queries by the statistics of all references, with a given ridge. */
static int whiten_all(pairs *p, double ridge)
{
	int64_t n[] = { bl_tensor_size(p->in[0], 0), bl_tensor_size(p->in[1], 0) }, width = bl_tensor_size(p->in[0], 1);
	float *z = room(n[0] > n[1] ? n[0] : n[1], width);
	bl_feature_rows rows = rows_of(p->in[0], NULL);
	bl_scaler scaler = { 0 };
	axes a = { 0 };
	int rc = z ? bl_scaler_fit(&scaler, &rows) : -1;

	for (int i = 0; rc == 0 && i < 2; i++) {
		float *out = bl_tensor_data(p->out[i]);

		rows = rows_of(p->in[i], NULL);
		standardise(&rows, &scaler, z);
		rc = i == 0 ? axes_find(&a, z, n[0], width) : 0;
		if (rc == 0) {
			turn(&a, z, n[i], width, out);
			rc = shrink(&a, ridge, out, n[i], width, out);
		}
	}
	bl_scaler_free(&scaler);
	axes_free(&a);
	bl_block_give(z);
	return rc;
}

int bl_eval_whiten(const bl_whiten_config *config, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   int classes, bl_tensor *out[2], bl_whiten_result *result)
{
	bl_whiten_config c = *config;
	pairs p;
	int rc;

	if (check("whitening", refs, queries) < 0 || fill_in(&c) < 0)
		return -1;
	*result = (bl_whiten_result){ .ridge = c.ridges[0], .held_out_accuracy = NAN };
	rc = pairs_new(&p, refs, queries);
	if (rc == 0 && c.n_ridges > 1) {
		bl_feature_rows rows = rows_of(p.in[0], ref_labels);

		rc = bl_labels_check("whitening: reference", ref_labels, rows.n, classes);
		rc = rc < 0 ? rc : choose_ridge(&c, &rows, classes, result);
	}
	if (rc == 0)
		rc = whiten_all(&p, result->ridge);
	if (rc == 0)
		rc = bl_check_given_up();
	return pairs_end(&p, rc, out);
}
