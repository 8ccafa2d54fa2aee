/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pictures.c: checks and applies the settings that sets of image files have in common. */
#include "data/pictures.h"

#include <barlow/error.h>

#include <math.h>

enum { USUAL_SIDE = 224 };

const char *const bl_picture_backends[] = { "tensor", "pil", NULL };

int bl_pictures_check_pil(bool pil, bl_cache_kind cache, const char *what)
{
	if (!pil || cache == BL_CACHE_NONE)
		return 0;
	return bl_fail("%s: backend = \"pil\" resizes whole images, but a cache stores reduced ones: expected cache = \"none\"",
	               what);
}

int bl_pictures_options(const bl_pictures *p, const char *what, bl_decode_options *options)
{
	if (p->channels != 1 && p->channels != 3)
		return bl_fail("%s: 'channels' must be 1 or 3, got %d", what, p->channels);
	if (p->background.n == 2)
		return bl_fail("%s: 'background' has 2 numbers, expected 1 or 3", what);
	for (int i = 0; i < 2; i++)
		if (p->size[i] != (float)(int)p->size[i])
			return bl_fail("%s: 'size' must be a number of pixels or {height, width}, got %g", what,
			               (double)p->size[i]);
	if (bl_pictures_check_pil(p->backend == 1, p->cache, what) < 0)
		return -1;
	*options = (bl_decode_options){
		.channels = p->channels, .full_scale = p->full_scale, .orient = p->orient, .over = p->background.n > 0
	};
	for (int k = 0; k < 3 && options->over; k++)
		options->ground[k] = (uint8_t)lrint(255 * p->background.v[p->background.n == 3 ? k : 0]);
	return 0;
}

int bl_pictures_size(bl_dataset *d, int height, int width)
{
	d->height = height;
	d->width = width;
	if (height)
		return 0;
	if (bl_dataset_image_size(d, 0, &d->height, &d->width) < 0)
		return -1;
	if (d->height > USUAL_SIDE || d->width > USUAL_SIDE)
		d->height = d->width = USUAL_SIDE;
	return 0;
}

int bl_pictures_finish(bl_dataset *d, const bl_pictures *p, const bl_decode_options *options)
{
	d->pil = p->backend == 1;
	return bl_pictures_size(d, (int)p->size[0], (int)p->size[1]) < 0 ? -1 : bl_cache_begin(d, p->cache, options);
}
