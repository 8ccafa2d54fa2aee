/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tensors.c: makes a data set from a tensor of images. */
#include "data/dataset.h"
#include "data/labels.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static int check_values(const bl_dataset *d, const float *v)
{
	int64_t area = (int64_t)d->height * d->width, n = d->n * d->channels * area;
	for (int64_t i = 0; i < n; i++)
		if (!(v[i] >= 0 && v[i] <= 1))
			return bl_fail("element (%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
			               ") (counted from 0) is %g, "
			               "expected 0 to 1",
			               i / area / d->channels, i / area % d->channels, i % area / d->width, i % d->width,
			               (double)v[i]);
	return 0;
}

/* Can the values be stored as bytes?  They can if all are multiples of 1 / 255, up to rounding errors. */
static bool fit_bytes(const float *v, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (fabsf(v[i] * 255 - rintf(v[i] * 255)) > 1e-4f)
			return false;
	return true;
}

/* Stores values (N,C,H,W), row-major and in 0..1, as (N,H,W,C), in bytes or in floats. */
static int keep(bl_dataset *d, const float *values, bool bytes)
{
	int64_t area = (int64_t)d->height * d->width;
	if (bytes ? bl_dataset_room(d) < 0 : !(d->values = malloc((size_t)(d->n * d->channels * area) * sizeof *d->values)))
		return bl_fail("no memory for %" PRId64 " images", d->n);
	for (int64_t i = 0; i < d->n; i++)
		for (int c = 0; c < d->channels; c++)
			for (int64_t k = 0; k < area; k++) {
				int64_t at = (i * area + k) * d->channels + c;
				float v = *values++;
				if (bytes)
					d->memory[at] = (uint8_t)lrintf(v * 255);
				else
					d->values[at] = v;
			}
	return 0;
}

static int fill(bl_dataset *d, const bl_tensor *images, const int32_t *labels)
{
	float *values = malloc((size_t)bl_tensor_count(images) * sizeof *values);
	if (!values)
		return bl_fail("no memory for %" PRId64 " values", bl_tensor_count(images));
	bl_tensor_read(images, values);
	int rc = check_values(d, values);
	if (rc == 0)
		rc = keep(d, values, fit_bytes(values, bl_tensor_count(images)));
	free(values);
	if (rc == 0 && labels)
		rc = bl_labels_copy(d, labels);
	return rc;
}

bl_dataset *bl_dataset_tensor(const bl_tensor *images, const int32_t *labels)
{
	char text[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(images) != 4)
		return bl_fail_null("data from a tensor of shape %s, expected (N, C, H, W)", bl_tensor_text(images, text));
	const int64_t *s = bl_tensor_shape(images);
	if (s[1] > BL_CHANNELS_MOST || s[2] > INT32_MAX || s[3] > INT32_MAX)
		return bl_fail_null("data from a tensor of shape %s, expected (N, 1 to %d, H, W)", bl_tensor_text(images, text),
		                    BL_CHANNELS_MOST);
	bl_dataset *d = bl_dataset_make("tensor", s[0], (int)s[1], (int)s[2], (int)s[3]);
	if (d && fill(d, images, labels) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}
