/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch.c: makes batches of normalised images without augmentation. */
#include "augment/window.h"
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

enum { CHUNK = 16 }; /* images */

struct batching {
	const bl_dataset *d;
	const int64_t *rows;
	int64_t n;
	float scale[BL_CHANNELS_MOST], shift[BL_CHANNELS_MOST]; /* scale: for values in 0..1 */
	float bytes[BL_CHANNELS_MOST];                          /* scale for values in 0..255 */
	float *out;
	bl_first_failure failure;
};

static void normalise(const struct batching *b, const bl_image *im, float *out)
{
	int channels = b->d->channels;
	int64_t n = (int64_t)b->d->height * b->d->width;
	bool bytes = im->type == BL_PIXEL_UINT8;
	for (int64_t k = 0; bytes && k < n; k++)
		for (int c = 0; c < channels; c++)
			out[k * channels + c] = im->pixels[k * channels + c] * b->bytes[c] + b->shift[c];
	for (int64_t k = 0; !bytes && k < n; k++)
		for (int c = 0; c < channels; c++)
			out[k * channels + c] = im->values[k * channels + c] * b->scale[c] + b->shift[c];
}

static int put_opened(const struct batching *b, bl_opened *o, float *out)
{
	const bl_dataset *d = b->d;
	bool pil = (d->root ? d->root : d)->pil;
	bl_window centre = bl_centre_window(o->height, o->width, d->height, d->width);
	bl_image im;
	if (pil)
		centre = (bl_window){ 0, 0, o->height, o->width, 1 };
	if (bl_dataset_read(o, &centre, &im) < 0)
		return -1;
	if (im.height != d->height || im.width != d->width)
		return (pil ? bl_centre_apply_pil : bl_centre_apply)(&im, d->height, d->width, b->scale, b->shift, out);
	normalise(b, &im, out);
	return 0;
}

static int put_image(const struct batching *b, int64_t i)
{
	bl_opened o;
	if (bl_dataset_open(b->d, b->rows[i], &o) < 0)
		return -1;
	int rc = put_opened(b, &o, b->out + i * b->d->height * b->d->width * b->d->channels);
	bl_dataset_close(&o);
	return rc;
}

static void batch_chunk(void *ctx, int64_t chunk)
{
	struct batching *b = ctx;
	int64_t to = (chunk + 1) * CHUNK < b->n ? (chunk + 1) * CHUNK : b->n;
	for (int64_t i = chunk * CHUNK; i < to; i++)
		if (put_image(b, i) < 0)
			bl_first_failure_note(&b->failure, i);
}

static int set_factors(struct batching *b, const float *mean, const float *std)
{
	for (int c = 0; c < b->d->channels; c++) {
		float m = mean ? mean[c] : 0, s = std ? std[c] : 1;
		if (!(s > 0))
			return bl_fail("%s: standard deviation %g of channel %d, expected more than 0", b->d->name, s, c + 1);
		b->scale[c] = 1 / s;
		b->bytes[c] = 1 / (255 * s);
		b->shift[c] = -m / s;
	}
	return 0;
}

bl_tensor *bl_dataset_batch(bl_dataset *d, const int64_t *rows, int64_t n, const float *mean, const float *std)
{
	struct batching b = { .d = d, .rows = rows, .n = n };
	for (int64_t i = 0; i < n; i++)
		if (bl_dataset_check_row(d, rows[i]) < 0)
			return NULL;
	if (set_factors(&b, mean, std) < 0)
		return NULL;
	bl_tensor *t = bl_tensor_new_image(n, d->channels, d->height, d->width);
	if (!t)
		return NULL;
	b.out = bl_tensor_data(t);
	bl_first_failure_init(&b.failure);
	bl_parallel((n + CHUNK - 1) / CHUNK, batch_chunk, &b);
	if (bl_first_failure_end(&b.failure) == 0)
		return t;
	bl_tensor_unref(t);
	return NULL;
}
