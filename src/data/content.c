/* SPDX-License-Identifier: GPL-3.0-or-later */
/* content.c: identifies a set in memory by its shape and by hashes of all values and labels. */
#include "data/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

static uint32_t hash(const void *bytes, size_t n)
{
	return (uint32_t)crc32_z(crc32(0, NULL, 0), bytes, bytes ? n : 0);
}

const char *bl_dataset_content(const bl_dataset *d, char out[BL_CONTENT_TEXT])
{
	size_t n = (size_t)d->n, values = n * (size_t)d->channels * (size_t)d->height * (size_t)d->width;
	uint32_t images = d->values ? hash(d->values, values * sizeof *d->values) : hash(d->memory, values);
	int at = snprintf(out, BL_CONTENT_TEXT, "v1 (%" PRId64 ", %d, %d, %d) %s %08" PRIx32, d->n, d->channels, d->height,
	                  d->width, d->values ? "floats" : "bytes", images);
	if (d->labels)
		snprintf(out + at, (size_t)(BL_CONTENT_TEXT - at), ", labels %08" PRIx32, hash(d->labels, n * sizeof *d->labels));
	return out;
}
