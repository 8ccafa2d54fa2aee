/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset.c: creates and frees data sets, and returns their properties. */
#include "data/cache.h"
#include "data/dataset.h"

#include <barlow/error.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t image_size(const bl_dataset *d)
{
	return (size_t)d->height * (size_t)d->width * (size_t)d->channels;
}

static int open_in_memory(bl_opened *o)
{
	o->height = o->root->height;
	o->width = o->root->width;
	return 0;
}

static int read_from_memory(bl_opened *o, const bl_window *w, bl_image *out)
{
	(void)w;
	size_t at = (size_t)o->row * image_size(o->root);
	if (o->root->values)
		out->values = o->root->values + at;
	else
		out->pixels = o->root->pixels + at;
	return 0;
}

static const bl_dataset_ops in_memory = { .open = open_in_memory, .read = read_from_memory };

bl_dataset *bl_dataset_make(const char *name, int64_t n, int channels, int height, int width)
{
	return bl_dataset_make_source(name, n, channels, height, width, &in_memory);
}

bl_dataset *bl_dataset_make_source(const char *name, int64_t n, int channels, int height, int width, const bl_dataset_ops *ops)
{
	if (channels < 1 || channels > BL_CHANNELS_MOST)
		return bl_fail_null("%s: images of %d channels, expected 1 to %d", name, channels, BL_CHANNELS_MOST);
	if (n < 1 || height < 1 || width < 1)
		return bl_fail_null("%s: %" PRId64 " images of %d x %d pixels, expected at least one of each", name, n, height,
		                    width);
	bl_dataset *d = calloc(1, sizeof *d);
	char *own_name = strdup(name);
	if (!d || !own_name) {
		free(d);
		free(own_name);
		return bl_fail_null("%s: no memory", name);
	}
	atomic_init(&d->refs, 1);
	pthread_mutex_init(&d->lock, NULL);
	d->name = own_name;
	d->ops = ops;
	d->reads = ops != &in_memory;
	d->n = n;
	d->channels = channels;
	d->height = height;
	d->width = width;
	return d;
}

int bl_dataset_rename(bl_dataset *d, const char *name)
{
	char *copy = strdup(name);
	if (!copy)
		return bl_fail("%s: no memory", name);
	free(d->name);
	d->name = copy;
	return 0;
}

bool bl_dataset_reads(const bl_dataset *d)
{
	return (d->root ? d->root : d)->reads;
}

int bl_dataset_room(bl_dataset *d)
{
	size_t bytes;
	if (__builtin_mul_overflow((size_t)d->n, image_size(d), &bytes) || !(d->memory = malloc(bytes)))
		return bl_fail("%s: no memory for %" PRId64 " images of %zu bytes", d->name, d->n, image_size(d));
	d->pixels = d->memory;
	return 0;
}

bl_dataset *bl_dataset_ref(bl_dataset *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void bl_dataset_unref(bl_dataset *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	bl_dataset_unref(d->root);
	bl_cache_free(d->cache);
	if (d->ops->clear && d->source)
		d->ops->clear(d);
	pthread_mutex_destroy(&d->lock);
	free(d->name);
	free(d->memory);
	free(d->values);
	free(d->labels);
	free(d->factors);
	free(d->rows);
	free(d->origin[0]);
	free(d->origin[1]);
	for (int i = 0; i < d->archives; i++)
		free(d->archive[i]);
	free(d->fingerprint);
	free(d);
}

const bl_dataset *bl_dataset_root(const bl_dataset *d, int64_t *i)
{
	assert(*i >= 0 && *i < d->n);
	if (!d->root)
		return d;
	*i = d->rows[*i];
	return d->root;
}

int bl_dataset_check_row(const bl_dataset *d, int64_t row)
{
	if (row < 0 || row >= d->n)
		return bl_fail("%s: row %" PRId64 " (counted from 0) of a set of %" PRId64, d->name, row, d->n);
	return 0;
}

const char *bl_dataset_name(const bl_dataset *d)
{
	return d->name;
}

int64_t bl_dataset_length(const bl_dataset *d)
{
	return d->n;
}

int bl_dataset_channels(const bl_dataset *d)
{
	return d->channels;
}

int bl_dataset_height(const bl_dataset *d)
{
	return d->height;
}

int bl_dataset_width(const bl_dataset *d)
{
	return d->width;
}

int bl_dataset_classes(const bl_dataset *d)
{
	return d->classes;
}

void bl_dataset_class_text(const bl_dataset *d, int label, char *out, size_t size)
{
	const char *name = bl_dataset_class_name(d, label);
	if (name)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%d", d->first_class + label);
}

const char *bl_dataset_class_name(const bl_dataset *d, int label)
{
	return d->class_names && label >= 0 && label < d->classes ? d->class_names[label] : NULL;
}

char *bl_dataset_path(const bl_dataset *d, int64_t i)
{
	if (i < 0 || i >= d->n)
		return NULL;
	const bl_dataset *root = bl_dataset_root(d, &i);
	return root->ops->path ? root->ops->path(root, i) : NULL;
}

bool bl_dataset_is_vectors(const bl_dataset *d)
{
	return (d->root ? d->root : d)->vectors;
}

int bl_dataset_check_pipeline(const bl_dataset *d, const bl_pipeline *p)
{
	if (bl_pipeline_check(p, d->channels) < 0)
		return -1;
	return bl_dataset_is_vectors(d) ? bl_pipeline_check_vectors(p) : 0;
}

int bl_dataset_label(const bl_dataset *d, int64_t i)
{
	if (i < 0 || i >= d->n)
		return -1;
	const bl_dataset *root = bl_dataset_root(d, &i);
	return root->labels ? root->labels[i] : -1;
}

const char *const *bl_dataset_factor_names(const bl_dataset *d)
{
	return d->factor_names;
}

float bl_dataset_factor(const bl_dataset *d, int64_t i, int factor)
{
	assert(d->factor_names && factor >= 0 && factor < d->factor_count);
	const bl_dataset *root = bl_dataset_root(d, &i);
	return root->factors[i * root->factor_count + factor];
}
