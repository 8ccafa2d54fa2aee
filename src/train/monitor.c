/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * monitor.c: what a run looks like just now: C pooled, its diagonal, a histogram, the spectrum, a pair of views.
 *
 * Time is measured, and what a thing cost last is what it is expected to cost
 * next: a snapshot is made when all so far and this one stay within the budget.
 */
#include "train/monitor.h"

#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/parallel.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET .02          /* of the training time, for everything here */
#define SPECTRUM_BUDGET .01 /* the part of it that eigenvalues may take */
#define SPECTRUM_GUESS 3e-9 /* seconds, times min(N,D)^3, before it was ever measured */
#define SPECTRUM_LAST 1.    /* seconds that the last step may spend on it, whatever the budget */

enum { SAMPLE_MAX = 256 }; /* columns of C whose elements make the histogram */

/* Time spent on one kind of thing, and the expected price of the next. */
struct meter {
	double spent, price;
};

struct bl_monitor {
	double interval, last_at;
	struct meter all, spectrum;
	int64_t n, d;
	int64_t sample;          /* columns */
	bl_tensor *part[2];      /* (N,sample) of each view */
	bl_tensor *centred;      /* (N,D) */
	float *diagonal;         /* (D); eigenvalues pass through it too */
	bl_snapshot *snapshot;   /* keeps the spectrum from one to the next */
};

/* --- Making --------------------------------------------------------------------------- */

static void price_spectrum(bl_monitor *m)
{
	double side = (double)(m->n < m->d ? m->n : m->d);
	m->spectrum.price = SPECTRUM_GUESS * side * side * side;
}

static int take_memory(bl_monitor *m)
{
	for (int i = 0; i < 2; i++)
		m->part[i] = bl_tensor_new(2, (int64_t[]){ m->n, m->sample });
	m->centred = bl_tensor_new(2, (int64_t[]){ m->n, m->d });
	m->diagonal = calloc((size_t)m->d, sizeof *m->diagonal);
	m->snapshot = calloc(1, sizeof *m->snapshot);
	if (!m->part[0] || !m->part[1] || !m->centred)
		return -1;
	return m->diagonal && m->snapshot ? 0 : bl_fail("monitor: no memory");
}

bl_monitor *bl_monitor_new(double hz, int64_t n, int64_t d)
{
	bl_monitor *m = calloc(1, sizeof *m);
	if (!m)
		return bl_fail_null("monitor: no memory");
	m->interval = 1 / (hz > 0 ? hz : 10);
	m->n = n;
	m->d = d;
	m->sample = d < SAMPLE_MAX ? d : SAMPLE_MAX;
	price_spectrum(m);
	if (take_memory(m) == 0) {
		m->snapshot->rankme = NAN;
		return m;
	}
	bl_monitor_free(m);
	return NULL;
}

void bl_monitor_free(bl_monitor *m)
{
	if (!m)
		return;
	bl_tensor_unref(m->part[0]);
	bl_tensor_unref(m->part[1]);
	bl_tensor_unref(m->centred);
	free(m->diagonal);
	free(m->snapshot);
	free(m);
}

/* --- C ---------------------------------------------------------------------------------- */

static void pool_diagonal(const float *all, int64_t d, bl_snapshot *s)
{
	int64_t from, to;
	for (int i = 0; i < s->diag; i++) {
		double sum = 0;
		bl_chunk_range(d, s->diag, i, &from, &to);
		for (int64_t k = from; k < to; k++)
			sum += all[k];
		s->diagonal[i] = (float)(sum / (double)(to - from));
	}
}

static int picture(bl_monitor *m, const bl_look *l, bl_tensor *const z[2], bl_snapshot *s)
{
	s->grid = (int32_t)(m->d < BL_GRID_MAX ? m->d : BL_GRID_MAX);
	s->diag = (int32_t)(m->d < BL_DIAG_MAX ? m->d : BL_DIAG_MAX);
	if (bl_loss_picture(l->dialect, z[0], z[1], s->grid, s->mean, s->extreme, m->diagonal) != 0)
		return -1;
	pool_diagonal(m->diagonal, m->d, s);
	return 0;
}

/* Columns evenly spread: C of them is the same elements of the whole C, as standardising is per column. */
static void take_columns(const bl_monitor *m, const bl_tensor *z, bl_tensor *part)
{
	const float *from = bl_tensor_data(z);
	float *to = bl_tensor_data(part);
	for (int64_t i = 0; i < m->n; i++)
		for (int64_t j = 0; j < m->sample; j++)
			to[i * m->sample + j] = from[i * m->d + j * m->d / m->sample];
}

static void count_bins(const float *c, int64_t side, bl_snapshot *s)
{
	memset(s->histogram, 0, sizeof s->histogram);
	for (int64_t i = 0; i < side; i++)
		for (int64_t j = 0; j < side; j++) {
			int bin = (int)((c[i * side + j] + 1) * (BL_HIST_BINS / 2));
			bin = bin < 0 ? 0 : bin < BL_HIST_BINS ? bin : BL_HIST_BINS - 1;
			s->histogram[bin] += i != j;
		}
	s->sampled = (int32_t)(side * (side - 1));
}

static int histogram(bl_monitor *m, const bl_look *l, bl_tensor *const z[2], bl_snapshot *s)
{
	for (int i = 0; i < 2; i++)
		take_columns(m, z[i], m->part[i]);
	bl_tensor *c = bl_loss_correlation(l->dialect, m->part[0], m->part[1]);
	if (!c)
		return -1;
	count_bins(bl_tensor_data(c), m->sample, s);
	bl_tensor_unref(c);
	return 0;
}

/* --- The embeddings ------------------------------------------------------------------------ */

static double column_mean(const bl_monitor *m, const float *x, int64_t j)
{
	double sum = 0;
	for (int64_t i = 0; i < m->n; i++)
		sum += x[i * m->d + j];
	return sum / (double)m->n;
}

/* No more spread than rounding makes. */
static bool column_dead(const bl_monitor *m, const float *x, int64_t j)
{
	double mean = column_mean(m, x, j), square = 0;
	for (int64_t i = 0; i < m->n; i++)
		square += (x[i * m->d + j] - mean) * (x[i * m->d + j] - mean);
	return sqrt(square / (double)m->n) <= 1e-6 * fabs(mean);
}

/* Dead in either view is dead in C. */
static int32_t count_dead(const bl_monitor *m, bl_tensor *const z[2])
{
	int32_t dead = 0;
	for (int64_t j = 0; j < m->d; j++)
		dead += column_dead(m, bl_tensor_data(z[0]), j) || column_dead(m, bl_tensor_data(z[1]), j);
	return dead;
}

/* Centred here, so that the eigenvalues are those of the smaller of the two Gram matrices. */
static void centre(bl_monitor *m, const bl_tensor *z)
{
	const float *x = bl_tensor_data(z);
	float *y = bl_tensor_data(m->centred);
	for (int64_t j = 0; j < m->d; j++) {
		double mean = column_mean(m, x, j);
		for (int64_t i = 0; i < m->n; i++)
			y[i * m->d + j] = (float)(x[i * m->d + j] - mean);
	}
}

static int spectrum(bl_monitor *m, const bl_tensor *z, bl_snapshot *s)
{
	centre(m, z);
	if (bl_eval_spectrum(m->centred, false, m->diagonal) != 0)
		return -1;
	s->spectrum = (int32_t)(m->d < BL_SPECTRUM_MAX ? m->d : BL_SPECTRUM_MAX);
	memcpy(s->eigenvalues, m->diagonal, (size_t)s->spectrum * sizeof *s->eigenvalues);
	s->rankme = bl_eval_rankme(z);
	return s->rankme < 0 ? -1 : 0;
}

/* --- The views -------------------------------------------------------------------------------- */

/* One image (C,H,W), whatever its strides. */
struct image {
	const float *at;
	int64_t channels, height, width, sc, sh, sw;
};

static struct image first_image(const bl_tensor *v)
{
	return (struct image){ bl_tensor_data(v), bl_tensor_size(v, 1), bl_tensor_size(v, 2), bl_tensor_size(v, 3),
	                       bl_tensor_stride(v, 1), bl_tensor_stride(v, 2), bl_tensor_stride(v, 3) };
}

static float pixel(const struct image *v, int64_t c, int64_t y, int64_t x)
{
	return v->at[c * v->sc + y * v->sh + x * v->sw];
}

static void range_of(const struct image *v, float *lo, float *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	for (int64_t c = 0; c < v->channels; c++)
		for (int64_t y = 0; y < v->height; y++)
			for (int64_t x = 0; x < v->width; x++) {
				*lo = fminf(*lo, pixel(v, c, y, x));
				*hi = fmaxf(*hi, pixel(v, c, y, x));
			}
}

/* Darkest to brightest becomes 0..255: normalised views have no range of their own. */
static void draw_view(const bl_tensor *view, int side, int channels, uint8_t *out)
{
	struct image v = first_image(view);
	float lo, hi;
	range_of(&v, &lo, &hi);
	float scale = hi > lo ? 255 / (hi - lo) : 0;
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			for (int c = 0; c < channels; c++)
				*out++ = (uint8_t)(scale * (pixel(&v, c, y * v.height / side, x * v.width / side) - lo) + .5f);
}

static void draw_pair(bl_tensor *const view[2], bl_snapshot *s)
{
	s->view_side = s->view_channels = 0;
	if (!view[0] || !view[1] || bl_tensor_ndim(view[0]) != 4 || bl_tensor_ndim(view[1]) != 4)
		return;
	struct image v = first_image(view[0]);
	int64_t side = v.height > v.width ? v.height : v.width;
	s->view_side = (int32_t)(side < BL_VIEW_MAX ? side : BL_VIEW_MAX);
	s->view_channels = v.channels < 3 ? 1 : 3;
	for (int i = 0; i < 2; i++)
		draw_view(view[i], s->view_side, s->view_channels, s->views[i]);
}

/* --- All of it ----------------------------------------------------------------------------------- */

static int fill(bl_monitor *m, const bl_look *l, bl_tensor *const z[2], bool with_spectrum)
{
	bl_snapshot *s = m->snapshot;
	s->step = l->step;
	s->n = (int32_t)m->n;
	s->d = (int32_t)m->d;
	if (picture(m, l, z, s) != 0 || histogram(m, l, z, s) != 0)
		return -1;
	s->dead = count_dead(m, z);
	draw_pair(l->view, s);
	if (!with_spectrum)
		return 0;
	double start = bl_now();
	int rc = spectrum(m, z[0], s);
	m->spectrum.price = bl_now() - start;
	m->spectrum.spent += m->spectrum.price;
	return rc;
}

static int make(bl_monitor *m, const bl_look *l, bool with_spectrum)
{
	bl_tensor *z[2] = { bl_tensor_contiguous(l->z[0]), bl_tensor_contiguous(l->z[1]) };
	int rc = z[0] && z[1] ? fill(m, l, z, with_spectrum) : -1;
	bl_tensor_unref(z[0]);
	bl_tensor_unref(z[1]);
	return rc;
}

int bl_monitor_snapshot(bl_monitor *m, const bl_look *look, bool with_spectrum, bl_snapshot *out)
{
	if (make(m, look, with_spectrum) != 0)
		return -1;
	*out = *m->snapshot;
	return 0;
}

static bool affordable(const struct meter *c, double budget, double trained)
{
	return c->spent + c->price <= budget * trained;
}

static bool snapshot_due(const bl_monitor *m, const bl_look *l, double now)
{
	if (l->step == 1 || l->last)
		return true;
	return now - m->last_at >= m->interval && affordable(&m->all, BUDGET, l->trained);
}

static bool spectrum_due(const bl_monitor *m, const bl_look *l)
{
	return affordable(&m->spectrum, SPECTRUM_BUDGET, l->trained) || (l->last && m->spectrum.price <= SPECTRUM_LAST);
}

/* The price of a snapshot is one without a spectrum, which answers for itself; spent is both. */
int bl_monitor_look(bl_monitor *m, const bl_look *look, bl_live *live)
{
	double start = bl_now(), before = m->spectrum.spent;
	if (!snapshot_due(m, look, start))
		return 0;
	int rc = make(m, look, spectrum_due(m, look));
	if (rc == 0)
		bl_live_publish(live, m->snapshot);
	m->last_at = start;
	double took = bl_now() - start;
	m->all.spent += took;
	m->all.price = took - (m->spectrum.spent - before);
	return rc;
}
