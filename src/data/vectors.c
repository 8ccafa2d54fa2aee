/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vectors.c: data sets of feature vectors, which are stored as images of one row and one channel, and the augmentation
 * that exchanges features between vectors.
 *
 * On request each feature is standardised to mean 0 and standard deviation 1.
 */
#include "data/dataset.h"
#include "data/labels.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FEATURES = 1 << 20 };

/* The standardisation of a set of vectors: (v - shift) / scale, (D) each. */
typedef struct source {
	float *shift, *scale;
} source;

static int open_vector(bl_opened *o)
{
	o->height = 1;
	o->width = o->root->width;
	return 0;
}

static int read_vector(bl_opened *o, const bl_window *w, bl_image *out)
{
	(void)w;
	out->values = o->root->values + o->row * o->root->width;
	return 0;
}

static void clear(bl_dataset *root)
{
	source *s = root->source;
	free(s->shift);
	free(s->scale);
	free(s);
}

static const bl_dataset_ops ops = { .open = open_vector, .read = read_vector, .clear = clear };

/*
 * Sets shift and scale of feature j to its mean and standard deviation (biased) over n rows.  A feature that is
 * constant gets scale 1.
 */
static void measure(const float *v, int64_t n, int64_t features, int64_t j, source *s)
{
	double mean = 0, variance = 0;
	for (int64_t i = 0; i < n; i++)
		mean += (double)v[i * features + j] / (double)n;
	for (int64_t i = 0; i < n; i++) {
		double off = (double)v[i * features + j] - mean;
		variance += off * off / (double)n;
	}
	s->shift[j] = (float)mean;
	s->scale[j] = variance > 0 ? (float)sqrt(variance) : 1;
}

/* Standardises the values by the statistics of `like` or, if `like` is NULL and on request, by their own. */
static int make_source(bl_dataset *d, const bl_dataset *like, bool standardise)
{
	size_t bytes = (size_t)d->width * sizeof(float);
	source *s = d->source = calloc(1, sizeof *s);
	if (!s || !(s->shift = malloc(bytes)) || !(s->scale = malloc(bytes)))
		return bl_fail("%s: no memory for %d features", d->name, d->width);
	for (int64_t j = 0; j < d->width; j++) {
		s->shift[j] = 0;
		s->scale[j] = 1;
		if (standardise && !like)
			measure(d->values, d->n, d->width, j, s);
	}
	if (like) {
		memcpy(s->shift, ((const source *)like->source)->shift, bytes);
		memcpy(s->scale, ((const source *)like->source)->scale, bytes);
	}
	for (int64_t i = 0; i < d->n; i++)
		for (int64_t j = 0; j < d->width; j++)
			d->values[i * d->width + j] = (d->values[i * d->width + j] - s->shift[j]) / s->scale[j];
	return 0;
}

static int check_finite(const bl_dataset *d)
{
	for (int64_t k = 0; k < d->n * d->width; k++)
		if (!isfinite(d->values[k]))
			return bl_fail("vectors: feature %" PRId64 " of vector %" PRId64 " is %g, expected a finite number",
			               k % d->width + 1, k / d->width + 1, (double)d->values[k]);
	return 0;
}

static int fill(bl_dataset *d, const bl_tensor *features, const int32_t *labels, const bl_dataset *like, bool standardise)
{
	if (!(d->values = malloc((size_t)bl_tensor_count(features) * sizeof *d->values)))
		return bl_fail("no memory for %" PRId64 " vectors", d->n);
	bl_tensor_read(features, d->values);
	if (check_finite(d) < 0 || make_source(d, like, standardise) < 0)
		return -1;
	return labels ? bl_labels_copy(d, labels) : 0;
}

bl_dataset *bl_dataset_vectors(const bl_tensor *features, const int32_t *labels, const bl_dataset *like, bool standardise)
{
	char text[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(features) != 2 || bl_tensor_size(features, 1) > MOST_FEATURES)
		return bl_fail_null("vectors from a tensor of shape %s, expected (N, D), D up to %d",
		                    bl_tensor_text(features, text), MOST_FEATURES);
	int width = (int)bl_tensor_size(features, 1);
	if (like && !bl_dataset_is_vectors(like))
		return bl_fail_null("vectors like %s, which is no set of vectors", like->name);
	like = like && like->root ? like->root : like;
	if (like && (like->ops != &ops || like->width != width))
		return bl_fail_null("vectors of %d features like %s, which has %d%s", width, like->name, like->width,
		                    like->ops == &ops ? "" : " and is a concatenation of sets");
	bl_dataset *d = bl_dataset_make_source("vectors", bl_tensor_size(features, 0), 1, 1, width, &ops);
	if (!d)
		return NULL;
	d->vectors = true;
	d->reads = false;
	if (fill(d, features, labels, like, standardise) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* --- feature_mix: exchange of features between vectors --- */

typedef struct mix {
	bl_dataset *from;
	float p;
} mix;

static int apply_mix(void *ctx, const bl_aug_call *c)
{
	const mix *m = ctx;
	int64_t rows = bl_dataset_length(m->from);
	bl_image other;
	if (c->channels != 1 || c->height != 1 || c->width != m->from->width)
		return bl_fail("feature_mix: an image of %d x %d, expected a vector of %d features like those that it mixes in",
		               c->height, c->width, m->from->width);
	for (int j = 0; j < c->width; j++) {
		c->out[j] = c->in[j];
		if (bl_rng_uniform(c->rng) >= m->p)
			continue;
		if (bl_dataset_image(m->from, bl_rng_below(c->rng, (uint32_t)rows), &other) < 0)
			return -1;
		c->out[j] = other.values[j];
	}
	return 0;
}

/* Do both have the same p and a set of the same content? */
static bool equal_mix(const void *ctx, const void *other)
{
	const mix *m = ctx, *k = other;
	char a[BL_CONTENT_TEXT], b[BL_CONTENT_TEXT];
	if (m->p != k->p)
		return false;
	if (m->from == k->from)
		return true;
	return m->from->values && k->from->values && strcmp(bl_dataset_content(m->from, a), bl_dataset_content(k->from, b)) == 0;
}

static void release_mix(void *ctx)
{
	mix *m = ctx;
	bl_dataset_unref(m->from);
	free(m);
}

bl_aug *bl_aug_new_feature_mix(bl_dataset *from, float p)
{
	if (!bl_dataset_is_vectors(from) || from->n > UINT32_MAX)
		return bl_fail_null("feature_mix: %s is no set of vectors", from->name);
	mix *m = malloc(sizeof *m);
	if (!m)
		return bl_fail_null("no memory for feature_mix");
	*m = (mix){ bl_dataset_ref(from), p };
	return bl_aug_new_function(&(bl_aug_function){ "feature_mix", apply_mix, release_mix, m, 0, 0, equal_mix });
}
