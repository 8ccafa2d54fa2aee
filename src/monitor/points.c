/* SPDX-License-Identifier: GPL-3.0-or-later */
/* points.c: PCA of the encoder's features of some images, always the same rows of the data set. */
#include "monitor/snapshot.h"

#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/memory.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/matrix/lapack.h"

struct bl_points {
	const bl_source *source;
	bl_dataset *rows;
	int n;
	int16_t label[BL_POINTS_MAX];
};

/* --- Which rows ------------------------------------------------------------------------- */

/* Chooses rows at equal distances, because data sets are often sorted. */
static int choose_rows(bl_points *p, int64_t most)
{
	const bl_dataset *d = p->source->points;
	int64_t row[BL_POINTS_MAX], all = bl_dataset_length(d);
	most = most < BL_POINTS_MAX ? most : BL_POINTS_MAX;
	p->n = (int)(all < most ? all : most);
	for (int i = 0; i < p->n; i++) {
		row[i] = i * all / p->n;
		int label = bl_dataset_classes(d) > 0 ? bl_dataset_label(d, row[i]) : -1;
		p->label[i] = (int16_t)(label > INT16_MAX ? -1 : label);
	}
	p->rows = bl_dataset_select(p->source->points, row, p->n);
	return p->rows ? 0 : -1;
}

bl_points *bl_points_new(const bl_source *source, int64_t most)
{
	bl_points *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail_null("no memory for points");
	p->source = source;
	if (choose_rows(p, most) == 0)
		return p;
	bl_points_free(p);
	return NULL;
}

void bl_points_free(bl_points *p)
{
	if (!p)
		return;
	bl_dataset_unref(p->rows);
	free(p);
}

/* --- PCA ------------------------------------------------------------------------------------ */

static void centre(float *x, int64_t n, int64_t f)
{
	for (int64_t j = 0; j < f; j++) {
		double mean = 0;
		for (int64_t i = 0; i < n; i++)
			mean += x[i * f + j] / (double)n;
		for (int64_t i = 0; i < n; i++)
			x[i * f + j] -= (float)mean;
	}
}

static double along(const float *x, const double *axis, int64_t f)
{
	double sum = 0;
	for (int64_t j = 0; j < f; j++)
		sum += x[j] * axis[j];
	return sum;
}

/*
 * The sign of an axis is arbitrary.  It is chosen to agree with the previous points or, if there are none, so that the
 * point farthest from 0 has a positive coordinate.
 */
static double direction(const bl_snapshot *s, const double *now, int64_t n, int k)
{
	double same = 0, far = 0;
	for (int64_t i = 0; i < n; i++) {
		same += s->points == n ? now[i] * s->point[i][k] : 0;
		far = fabs(now[i]) > fabs(far) ? now[i] : far;
	}
	return (same != 0 ? same : far) < 0 ? -1 : 1;
}

static void put_axis(const float *x, int64_t n, int64_t f, const double *g, const double *w, int k, bl_snapshot *s)
{
	int64_t side = n < f ? n : f;
	double now[BL_POINTS_MAX] = { 0 }, all = 0;
	/*
	 * Coordinates of the rows of x (n,f) along component k: x v, where v is an eigenvector of x^T x, or sqrt(w) u,
	 * where u is an eigenvector of x x^T.
	 */
	for (int64_t i = 0; k < side && i < n; i++)
		now[i] = f <= n ? along(x + i * f, g + k * f, f) : sqrt(fmax(w[k], 0)) * g[k * n + i];
	for (int64_t i = 0; i < side; i++)
		all += fmax(w[i], 0);
	double sign = direction(s, now, n, k);
	for (int64_t i = 0; i < n; i++)
		s->point[i][k] = (float)(sign * now[i]);
	s->explained[k] = k < side && all > 0 ? (float)(fmax(w[k], 0) / all) : 0;
}

static int project(bl_tensor *features, bl_snapshot *s)
{
	int64_t n = bl_tensor_size(features, 0), f = bl_tensor_size(features, 1), side = n < f ? n : f;
	float *x = bl_tensor_data(features);
	if (bl_tensor_find_nonfinite(features) >= 0)
		return bl_fail("the encoder's features are not finite");
	double *g = bl_block_take((size_t)(side * side + side) * sizeof *g), *w = g ? g + side * side : NULL;
	centre(x, n, f);
	int rc = !g ? -1 : f <= n ? bl_gram(f, n, x, f, 1, NULL, g) : bl_gram(n, f, x, 1, f, NULL, g);
	if (rc == 0)
		rc = bl_eigh_vectors(side, g, w);
	for (int k = 0; rc == 0 && k < 2; k++)
		put_axis(x, n, f, g, w, k, s);
	bl_block_give(g);
	return rc;
}

int bl_points_fill(const bl_points *p, const bl_monitor_input *l, bl_snapshot *s)
{
	const bl_source *c = p->source;
	bl_tensor *features = bl_eval_features(c->encoder, p->rows, c->mean, c->std, c->batch, c->stop);
	int rc = features ? project(features, s) : -1;
	bl_tensor_unref(features);
	if (rc != 0)
		return bl_fail_prefix("points: ");
	s->points = p->n;
	s->points_step = l->step;
	memcpy(s->point_label, p->label, sizeof p->label);
	s->points_of = c->points_of;
	int n = bl_dataset_classes(c->points);
	s->classes = n < BL_CLASSES_MAX ? n : BL_CLASSES_MAX;
	for (int k = 0; k < s->classes; k++)
		bl_dataset_class_text(c->points, k, s->class_name[k], BL_CLASS_TEXT);
	return 0;
}
