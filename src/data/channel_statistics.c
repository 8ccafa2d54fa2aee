/* SPDX-License-Identifier: GPL-3.0-or-later */
/* channel_statistics.c: mean and standard deviation of each channel of a set. */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <math.h>
#include <string.h>

/* A measurement has PARTS parts.  If images are read on demand, at most MOST_READ of them are measured. */
enum { PARTS = 32, MOST_READ = 1024 };

/*
 * Sums of pixel values and of their squares.  Bytes are summed as integers, so their order does not matter.  Floats are
 * summed image by image within a part, then part by part; this order does not depend on the number of threads.
 */
struct sums {
	uint64_t n, x[BL_CHANNELS_MOST], xx[BL_CHANNELS_MOST];
	double v[BL_CHANNELS_MOST], vv[BL_CHANNELS_MOST];
};

struct measuring {
	const bl_dataset *d;
	int64_t n; /* images to measure */
	struct sums parts[PARTS];
	bl_first_failure failure;
};

static void add_image(const bl_image *im, struct sums *s)
{
	bool part = im->part.eighths;
	int64_t n = part ? (int64_t)im->part.height * im->part.width : (int64_t)im->height * im->width;
	s->n += (uint64_t)n;
	bool bytes = im->type == BL_PIXEL_UINT8;
	for (int64_t i = 0; bytes && i < n; i++)
		for (int c = 0; c < im->channels; c++) {
			uint64_t v = im->pixels[i * im->channels + c];
			s->x[c] += v;
			s->xx[c] += v * v;
		}
	for (int64_t i = 0; !bytes && i < n; i++)
		for (int c = 0; c < im->channels; c++) {
			double v = 255 * (double)im->values[i * im->channels + c];
			s->v[c] += v;
			s->vv[c] += v * v;
		}
}

/* Adds the pixels of a whole image, which is decoded at a reduced scale that still covers the size of evaluation. */
static int measure_image(const bl_dataset *d, int64_t row, struct sums *s)
{
	bl_opened o;
	bl_image im;
	if (bl_dataset_open(d, row, &o) < 0)
		return -1;
	float scale = fmaxf((float)d->height / (float)o.height, (float)d->width / (float)o.width);
	int rc = bl_dataset_read(&o, &(bl_window){ 0, 0, o.height, o.width, fminf(scale, 1) }, &im);
	if (rc == 0)
		add_image(&im, s);
	bl_dataset_close(&o);
	return rc;
}

static void measure_part(void *ctx, int64_t part)
{
	struct measuring *m = ctx;
	int64_t from, to;
	bl_chunk_range(m->n, PARTS, part, &from, &to);
	for (int64_t i = from; i < to && !bl_given_up(); i++) {
		int64_t row = i * m->d->n / m->n;
		if (measure_image(m->d, row, &m->parts[part]) < 0)
			bl_first_failure_note(&m->failure, row);
	}
}

static int measure(bl_dataset *d)
{
	struct measuring m = { .d = d, .n = bl_dataset_reads(d) && d->n > MOST_READ ? MOST_READ : d->n };
	struct sums all = { 0 };
	bl_first_failure_init(&m.failure);
	bl_parallel(PARTS, measure_part, &m);
	if (bl_first_failure_end(&m.failure) < 0)
		return -1;
	if (bl_given_up())
		return bl_fail_interrupted("%s: interrupted", d->name);
	for (int k = 0; k < PARTS; k++) {
		all.n += m.parts[k].n;
		for (int c = 0; c < d->channels; c++) {
			all.x[c] += m.parts[k].x[c];
			all.xx[c] += m.parts[k].xx[c];
			all.v[c] += m.parts[k].v[c];
			all.vv[c] += m.parts[k].vv[c];
		}
	}
	double n = (double)all.n;
	for (int c = 0; c < d->channels; c++) {
		double mean = ((double)all.x[c] + all.v[c]) / n;
		double variance = ((double)all.xx[c] + all.vv[c]) / n - mean * mean;
		d->mean[c] = (float)(mean / 255);
		/* The deviation is at least half a grey level, since images are divided by it later. */
		d->std[c] = (float)(sqrt(fmax(variance, 0.25)) / 255);
	}
	d->measured = true;
	return 0;
}

int bl_dataset_set_statistics(bl_dataset *d, const float *mean, const float *std)
{
	for (int c = 0; c < d->channels; c++)
		if (!isfinite(mean[c]) || !isfinite(std[c]) || !(std[c] > 0))
			return bl_fail("%s: mean %g and deviation %g of channel %d: expected finite numbers, the deviation above 0",
			               d->name, (double)mean[c], (double)std[c], c + 1);
	pthread_mutex_lock(&d->lock);
	memcpy(d->mean, mean, (size_t)d->channels * sizeof *mean);
	memcpy(d->std, std, (size_t)d->channels * sizeof *std);
	d->measured = true;
	pthread_mutex_unlock(&d->lock);
	return 0;
}

int bl_dataset_statistics(bl_dataset *d, float *mean, float *std)
{
	pthread_mutex_lock(&d->lock);
	int rc = d->measured ? 0 : measure(d);
	for (int c = 0; rc == 0 && c < d->channels; c++) {
		mean[c] = d->mean[c];
		std[c] = d->std[c];
	}
	pthread_mutex_unlock(&d->lock);
	return rc;
}
