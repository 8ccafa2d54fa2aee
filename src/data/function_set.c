/* SPDX-License-Identifier: GPL-3.0-or-later */
/* function_set.c: sets whose images a function of the calling program makes or changes. */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_MADE = 12, CHUNK = 16, MOST_SIDE = 16384 };

typedef struct source {
	bl_data_function f;
	bl_dataset *of;     /* the set whose images f changes; NULL: f makes images */
	char **class_names; /* copies; NULL: no names, or those of `of` */
	int named;          /* number of class_names */
} source;

/* --- one image --- */

/* Converts (C,H,W) to (H,W,C).  Values that rounding put slightly outside 0..1 are clamped; others are an error. */
static int interleave(const float *planes, float *out, int channels, size_t plane)
{
	const float slack = 1e-4f;
	for (int c = 0; c < channels; c++)
		for (size_t k = 0; k < plane; k++) {
			float v = planes[(size_t)c * plane + k];
			if (!(v >= -slack && v <= 1 + slack))
				return bl_fail("the function made an image with the value %g, expected 0 to 1", (double)v);
			out[k * (size_t)channels + (size_t)c] = fminf(fmaxf(v, 0), 1);
		}
	return 0;
}

static int fail_named(const bl_dataset *root, int64_t row)
{
	const source *s = root->source;
	return bl_fail_prefix("%s, image %" PRId64 ": ", s->f.name, row + 1);
}

static int call(const bl_dataset *root, int64_t row, int height, int width, const bl_image *in, float *planes, int *label)
{
	const source *s = root->source;
	bl_rng r;
	bl_rng_init(&r, s->f.seed, 0, (uint32_t)row, BL_STREAM_USER);
	bl_rng_narrow(&r, s->f.name, 0);
	bl_data_call c = { .row = row,
		           .label = s->of ? bl_dataset_label(s->of, row) : -1,
		           .rng = &r,
		           .in = in,
		           .labelled = label != NULL,
		           .channels = root->channels,
		           .height = height,
		           .width = width,
		           .out = planes };
	if (s->f.apply(s->f.context, &c) < 0)
		return fail_named(root, row);
	if (label)
		*label = c.label;
	return 0;
}

/* The size is known before the function is called: it was declared, or it is the size of the image to change. */
static int open_row(bl_opened *o)
{
	const source *s = o->root->source;
	o->type = BL_PIXEL_FLOAT32;
	o->height = o->root->height;
	o->width = o->root->width;
	return s->of && !s->f.height ? bl_dataset_image_size(s->of, o->row, &o->height, &o->width) : 0;
}

static int read_row(bl_opened *o, const bl_window *w, bl_image *out)
{
	const source *s = o->root->source;
	size_t plane = (size_t)o->height * (size_t)o->width, n = plane * (size_t)o->channels;
	bl_image in;
	(void)w;
	if (s->of && bl_dataset_image(s->of, o->row, &in) < 0)
		return -1;
	float *planes = bl_block_take(n * sizeof *planes);
	int rc = planes ? 0 : -1;
	if (rc == 0)
		rc = call(o->root, o->row, o->height, o->width, s->of ? &in : NULL, planes, NULL);
	float *made = rc == 0 ? bl_scratch(SLOT_MADE, n * sizeof *made) : NULL;
	if (rc == 0)
		rc = made ? interleave(planes, made, o->channels, plane) : -1;
	if (made && rc < 0)
		fail_named(o->root, o->row);
	bl_block_give(planes);
	out->values = made;
	return rc;
}

static char *path_of_row(const bl_dataset *root, int64_t i)
{
	const source *s = root->source;
	return s->of ? bl_dataset_path(s->of, i) : NULL;
}

static void free_source(source *s)
{
	if (s->f.release)
		s->f.release(s->f.context);
	bl_dataset_unref(s->of);
	for (int c = 0; c < s->named; c++)
		free(s->class_names[c]);
	free(s->class_names);
	free(s);
}

static void clear(bl_dataset *root)
{
	free_source(root->source);
}

static const bl_dataset_ops ops = { .open = open_row, .read = read_row, .path = path_of_row, .clear = clear };

/* --- labels --- */

struct labelling {
	bl_dataset *d;
	bl_first_failure failure;
	atomic_bool failed; /* the other threads stop */
};

static int label_row(bl_dataset *d, int64_t i, float *planes)
{
	int label = -1;
	if (call(d, i, d->height, d->width, NULL, planes, &label) < 0)
		return -1;
	if (label < 0)
		return bl_fail("%s, image %" PRId64 ": the function gave no label, expected 1 to %d", d->name, i + 1, d->classes);
	if (label >= d->classes)
		return bl_fail("%s, image %" PRId64 ": the function gave label %d, expected 1 to %d", d->name, i + 1, label + 1,
		               d->classes);
	d->labels[i] = label;
	return 0;
}

static void label_chunk(void *ctx, int64_t chunk)
{
	struct labelling *l = ctx;
	bl_dataset *d = l->d;
	int64_t to = (chunk + 1) * CHUNK < d->n ? (chunk + 1) * CHUNK : d->n;
	float *planes = bl_block_take((size_t)d->channels * (size_t)d->height * (size_t)d->width * sizeof *planes);
	for (int64_t i = chunk * CHUNK; i < to && !atomic_load(&l->failed); i++)
		if (!planes || label_row(d, i, planes) < 0) {
			bl_first_failure_note(&l->failure, i);
			atomic_store(&l->failed, true);
		}
	bl_block_give(planes);
}

static int copy_labels(bl_dataset *d, const int32_t *labels)
{
	for (int64_t i = 0; i < d->n; i++) {
		if (labels[i] < 0 || labels[i] >= d->classes)
			return bl_fail("%s: label %" PRId64 " is %d, expected 1 to %d", d->name, i + 1, (int)labels[i] + 1,
			               d->classes);
		d->labels[i] = labels[i];
	}
	return 0;
}

static int copy_names(bl_dataset *d, source *s)
{
	if (!s->f.class_names)
		return 0;
	s->class_names = calloc((size_t)d->classes, sizeof *s->class_names);
	for (; s->class_names && s->named < d->classes; s->named++)
		if (!(s->class_names[s->named] = strdup(s->f.class_names[s->named])))
			break;
	d->class_names = (const char *const *)s->class_names;
	return s->class_names && s->named == d->classes ? 0 : bl_fail("%s: no memory for the names of classes", d->name);
}

static int label(bl_dataset *d, source *s)
{
	d->classes = s->f.classes;
	d->first_class = 1;
	if (d->classes == 0)
		return 0;
	if (!(d->labels = malloc((size_t)d->n * sizeof *d->labels)))
		return bl_fail("%s: no memory for %" PRId64 " labels", d->name, d->n);
	if (copy_names(d, s) < 0)
		return -1;
	if (s->f.labels)
		return copy_labels(d, s->f.labels);
	/* Labels must be known before images are read, so the function is called once for each image now. */
	struct labelling l = { .d = d };
	bl_first_failure_init(&l.failure);
	bl_parallel((d->n + CHUNK - 1) / CHUNK, label_chunk, &l);
	return bl_first_failure_end(&l.failure);
}

/* --- sets --- */

static int check(const bl_data_function *f)
{
	if (f->n < 1 || f->n > UINT32_MAX)
		return bl_fail("%s: %" PRId64 " images, expected 1 to %" PRIu32, f->name, f->n, UINT32_MAX);
	if (f->height < 1 || f->width < 1 || f->height > MOST_SIDE || f->width > MOST_SIDE)
		return bl_fail("%s: images of %d x %d pixels, expected 1 to %d a side", f->name, f->height, f->width, MOST_SIDE);
	if (f->classes < 0)
		return bl_fail("%s: %d classes, expected 0 or more", f->name, f->classes);
	return 0;
}

/* Takes ownership of f's context, also on failure. */
static source *make_source(const bl_data_function *f, bl_dataset *of)
{
	source *s = calloc(1, sizeof *s);
	if (!s) {
		if (f->release)
			f->release(f->context);
		return bl_fail_null("%s: no memory", f->name);
	}
	s->f = *f;
	s->of = of ? bl_dataset_ref(of) : NULL;
	return s;
}

bl_dataset *bl_dataset_function(const bl_data_function *f)
{
	source *s = make_source(f, NULL);
	bl_dataset *d = s && check(f) == 0 ? bl_dataset_make_source(f->name, f->n, f->channels, f->height, f->width, &ops) : NULL;
	if (!d) {
		if (s)
			free_source(s);
		return NULL;
	}
	d->source = s;
	int rc = label(d, s);
	s->f.labels = NULL; /* owned by the caller */
	s->f.class_names = NULL;
	if (rc == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}

/* Copies the labels of the original set; its class names are borrowed. */
static int inherit_labels(bl_dataset *d, const bl_dataset *of)
{
	d->classes = of->classes;
	d->class_names = of->class_names;
	d->first_class = of->first_class;
	d->labels = d->classes ? malloc((size_t)d->n * sizeof *d->labels) : NULL;
	if (d->classes && !d->labels)
		return bl_fail("%s: no memory for %" PRId64 " labels", d->name, d->n);
	for (int64_t i = 0; d->labels && i < d->n; i++)
		d->labels[i] = bl_dataset_label(of, i);
	return 0;
}

bl_dataset *bl_dataset_map(bl_dataset *of, const bl_data_function *f)
{
	char name[256];
	source *s = make_source(f, of);
	if (!s)
		return NULL;
	snprintf(name, sizeof name, "%.200s, changed by a function", of->name);
	bl_dataset *d = bl_dataset_make_source(name, of->n, f->channels ? f->channels : of->channels,
	                                       f->height ? f->height : of->height, f->width ? f->width : of->width, &ops);
	if (!d) {
		free_source(s);
		return NULL;
	}
	d->source = s;
	if (inherit_labels(d, of) == 0)
		return d;
	bl_dataset_unref(d);
	return NULL;
}
