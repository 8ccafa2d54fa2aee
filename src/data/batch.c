/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch.c: a set's numbers as a whole: statistics, and batches without augmentation. */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <inttypes.h>
#include <math.h>

enum { CHUNK = 64, PARTS = 32 }; /* images a chunk of a batch; parts that a whole set is measured in */

/* Sums of pixel values and of their squares: integers, so that their order does not matter. */
struct sums {
	uint64_t x[4], xx[4];
};

struct measuring {
	const bl_dataset *d;
	struct sums parts[PARTS];
};

static void add_image(const bl_image *im, struct sums *s)
{
	int64_t n = (int64_t)im->height * im->width;
	for (int64_t i = 0; i < n; i++)
		for (int c = 0; c < im->channels; c++) {
			uint64_t v = im->pixels[i * im->channels + c];
			s->x[c] += v;
			s->xx[c] += v * v;
		}
}

static void measure_part(void *ctx, int64_t part)
{
	struct measuring *m = ctx;
	int64_t from, to;
	bl_chunk_range(m->d->n, PARTS, part, &from, &to);
	for (int64_t i = from; i < to; i++) {
		bl_image im;
		if (bl_dataset_image(m->d, i, &im) == 0)
			add_image(&im, &m->parts[part]);
	}
}

/* A channel that never changes would divide by 0 later: half a grey level stands in for its deviation. */
static void finish(bl_dataset *d, const struct sums *s)
{
	double n = (double)d->n * d->height * d->width;
	for (int c = 0; c < d->channels; c++) {
		double mean = (double)s->x[c] / n;
		double variance = (double)s->xx[c] / n - mean * mean;
		d->mean[c] = (float)(mean / 255);
		d->std[c] = (float)(sqrt(fmax(variance, 0.25)) / 255);
	}
	d->measured = true;
}

static void measure(bl_dataset *d)
{
	struct measuring m = { .d = d };
	struct sums all = { { 0 }, { 0 } };
	bl_parallel(PARTS, measure_part, &m);
	for (int k = 0; k < PARTS; k++)
		for (int c = 0; c < d->channels; c++) {
			all.x[c] += m.parts[k].x[c];
			all.xx[c] += m.parts[k].xx[c];
		}
	finish(d, &all);
}

void bl_dataset_statistics(bl_dataset *d, float *mean, float *std)
{
	pthread_mutex_lock(&d->lock);
	if (!d->measured)
		measure(d);
	pthread_mutex_unlock(&d->lock);
	for (int c = 0; c < d->channels; c++) {
		mean[c] = d->mean[c];
		std[c] = d->std[c];
	}
}

struct batching {
	const bl_dataset *d;
	const int64_t *rows;
	int64_t n;
	float scale[4], shift[4];
	float *out;
};

static void batch_chunk(void *ctx, int64_t chunk)
{
	struct batching *b = ctx;
	int channels = b->d->channels;
	int64_t pixels = (int64_t)b->d->height * b->d->width;
	int64_t to = (chunk + 1) * CHUNK < b->n ? (chunk + 1) * CHUNK : b->n;
	for (int64_t i = chunk * CHUNK; i < to; i++) {
		bl_image im;
		float *out = b->out + i * pixels * channels;
		if (bl_dataset_image(b->d, b->rows[i], &im) < 0)
			continue; /* rows were checked before */
		for (int64_t k = 0; k < pixels; k++)
			for (int c = 0; c < channels; c++)
				out[k * channels + c] = im.pixels[k * channels + c] * b->scale[c] + b->shift[c];
	}
}

bl_tensor *bl_dataset_batch(bl_dataset *d, const int64_t *rows, int64_t n, const float *mean, const float *std)
{
	struct batching b = { .d = d, .rows = rows, .n = n };
	for (int64_t i = 0; i < n; i++)
		if (bl_dataset_check_row(d, rows[i]) < 0)
			return NULL;
	for (int c = 0; c < d->channels; c++) {
		float m = mean ? mean[c] : 0, s = std ? std[c] : 1;
		if (!(s > 0))
			return bl_fail_null("%s: standard deviation %g of channel %d, expected more than 0", d->name, s,
					    c + 1);
		b.scale[c] = 1 / (255 * s);
		b.shift[c] = -m / s;
	}
	bl_tensor *t = bl_tensor_new_image(n, d->channels, d->height, d->width);
	if (!t)
		return NULL;
	b.out = bl_tensor_data(t);
	bl_parallel((n + CHUNK - 1) / CHUNK, batch_chunk, &b);
	return t;
}
