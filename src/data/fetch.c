/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fetch.c: one image of a set, or what is needed of it. */
#include "data/dataset.h"

#include <barlow/error.h>

#include <stdio.h>

int bl_dataset_fetch(const bl_dataset *d, int64_t i, const bl_wish *wish, bl_image *out)
{
	if (bl_dataset_check_row(d, i) < 0)
		return -1;
	const bl_dataset *root = bl_dataset_root(d, &i);
	return root->ops->fetch(root, i, wish, out);
}

static bool only_size(void *ctx, int height, int width, bl_window *r)
{
	(void)ctx, (void)height, (void)width, (void)r;
	return false;
}

int bl_dataset_image_size(const bl_dataset *d, int64_t i, int *height, int *width)
{
	bl_wish wish = { only_size, NULL };
	bl_image im;
	if (bl_dataset_fetch(d, i, &wish, &im) < 0)
		return -1;
	*height = im.height;
	*width = im.width;
	return 0;
}

static bool for_both(void *ctx, int height, int width, bl_window *r)
{
	const bl_pair_wish *w = ctx;
	bl_window second;
	bl_pipeline_window(w->pipeline[0], height, width, w->rng[0], r);
	bl_pipeline_window(w->pipeline[1], height, width, w->rng[1], &second);
	bl_window_join(r, &second);
	return true;
}

int bl_dataset_fetch_pair(const bl_dataset *d, int64_t i, bl_pair_wish *pair, bl_image *out)
{
	bl_wish wish = { for_both, pair };
	return bl_dataset_fetch(d, i, &wish, out);
}

void bl_first_failure_init(bl_first_failure *f)
{
	pthread_mutex_init(&f->lock, NULL);
	f->row = INT64_MAX;
}

void bl_first_failure_note(bl_first_failure *f, int64_t row)
{
	pthread_mutex_lock(&f->lock);
	if (row < f->row) {
		f->row = row;
		snprintf(f->message, sizeof f->message, "%s", bl_error());
	}
	pthread_mutex_unlock(&f->lock);
}

int bl_first_failure_end(bl_first_failure *f)
{
	pthread_mutex_destroy(&f->lock);
	return f->row == INT64_MAX ? 0 : bl_fail("%s", f->message);
}
