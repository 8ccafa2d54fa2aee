/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_decode.c: decodes a whole image to bytes, at the size at which caches store it. */
#include "data/cache.h"
#include "augment/window.h"

#include <barlow/memory.h>

#include <math.h>
#include <string.h>

void bl_cache_size(int h, int w, int height, int width, int *kept_h, int *kept_w)
{
	bl_centre_size(h, w, height, width, kept_h, kept_w);
	if (*kept_h < h && *kept_w < w)
		return;
	*kept_h = h;
	*kept_w = w;
}

static int resize(const bl_image *im, int h, int w, uint8_t *out)
{
	size_t n = (size_t)h * (size_t)w * (size_t)im->channels;
	float *values = bl_block_take(n * sizeof *values);
	int rc = values ? bl_image_resize(im, h, w, values) : -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		out[i] = (uint8_t)lrintf(255 * fminf(fmaxf(values[i], 0), 1));
	bl_block_give(values);
	return rc;
}

int bl_cache_decode(const bl_dataset *root, int64_t row, int h, int w, uint8_t *out)
{
	bl_opened o = { .root = root, .row = row, .channels = root->channels, .type = BL_PIXEL_UINT8 };
	if (root->ops->open(&o) < 0)
		return -1;
	float scale = fminf(1, fmaxf((float)h / (float)o.height, (float)w / (float)o.width));
	bl_image im = { .type = o.type, .height = o.height, .width = o.width, .channels = o.channels };
	int rc = root->ops->read(&o, &(bl_window){ 0, 0, o.height, o.width, scale }, &im);
	if (rc == 0 && o.height == h && o.width == w && im.part.eighths == 0)
		memcpy(out, im.pixels, (size_t)h * (size_t)w * (size_t)o.channels);
	else if (rc == 0)
		rc = resize(&im, h, w, out);
	if (root->ops->close)
		root->ops->close(&o);
	return rc;
}
