/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fetch.c: opens an image of a set, reads a window of it, and closes it. */
#include "data/cache.h"
#include "data/dataset.h"

#include <assert.h>

int bl_dataset_open(const bl_dataset *d, int64_t i, bl_opened *o)
{
	if (bl_dataset_check_row(d, i) < 0)
		return -1;
	o->root = bl_dataset_root(d, &i);
	o->row = i;
	o->channels = o->root->channels;
	o->type = o->root->values ? BL_PIXEL_FLOAT32 : BL_PIXEL_UINT8;
	o->at_hand = NULL;
	return o->root->cache ? bl_cache_open(o) : o->root->ops->open(o);
}

int bl_dataset_read(bl_opened *o, const bl_window *w, bl_image *out)
{
	const bl_window all = { 0, 0, o->height, o->width, 1 };
	w = w ? w : &all;
	assert(w->top >= 0 && w->left >= 0 && w->height > 0 && w->width > 0);
	assert(w->top + w->height <= o->height && w->left + w->width <= o->width);
	*out = (bl_image){ .type = o->type, .height = o->height, .width = o->width, .channels = o->channels };
	if (!o->at_hand)
		return o->root->ops->read(o, w, out);
	out->pixels = o->at_hand;
	return 0;
}

void bl_dataset_close(bl_opened *o)
{
	if (!o->at_hand && o->root->ops->close)
		o->root->ops->close(o);
}

int bl_dataset_image(const bl_dataset *d, int64_t i, bl_image *out)
{
	bl_opened o;
	if (bl_dataset_open(d, i, &o) < 0)
		return -1;
	int rc = bl_dataset_read(&o, NULL, out);
	bl_dataset_close(&o);
	return rc;
}

int bl_dataset_image_size(const bl_dataset *d, int64_t i, int *height, int *width)
{
	bl_opened o;
	if (bl_dataset_open(d, i, &o) < 0)
		return -1;
	*height = o.height;
	*width = o.width;
	bl_dataset_close(&o);
	return 0;
}
