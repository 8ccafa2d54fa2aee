/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * augment.h: image operators, and pipelines of them: one image in, one view out.
 *
 *     bl_pipeline *p = bl_pipeline_parse("crop{size = 28}, flip, blur{p = 0.1}");
 *     bl_plan plan;
 *     bl_pipeline_plan(p, &key, height, width, channels, &plan);   // what is random is drawn, once
 *     bl_pipeline_apply(p, &plan, &image, view);                   // and applied to the pixels
 *
 * Operators follow torchvision on PIL images (which the authors' code uses), and do the same for images of float32 and of
 * any number of channels; what needs colour refuses images without it.
 * Every operator draws from a stream of its own, named by the view's key, the
 * operator's name and its place among those of the same name: taking one out
 * of a pipeline leaves what the others draw as it was.  Operators and pipelines
 * do not change once they are part of a pipeline, are reference-counted, and
 * may be used by many threads.
 */
#ifndef BARLOW_AUGMENT_H
#define BARLOW_AUGMENT_H

#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

enum { BL_CHANNELS_MOST = 64, BL_VIEWS_MOST = 8 /* of an image */ };

typedef enum bl_pixel_type { BL_PIXEL_UINT8, BL_PIXEL_FLOAT32 } bl_pixel_type;

/*
 * height x width is the image's own size.  The pixels are all of it, or, where
 * part.eighths is not 0, a part of its copy at eighths / 8 of that size:
 * part.height x part.width of them, the first in row part.top, column
 * part.left of the copy.
 */
typedef struct bl_image {
	bl_pixel_type type;
	union {
		const uint8_t *pixels; /* (H,W,C); 255 is 1 */
		const float *values;   /* the same as float32, in 0..1 */
	};
	int height, width, channels; /* channels: 1 to BL_CHANNELS_MOST */
	struct {
		int eighths, top, left, height, width;
	} part;
} bl_image;

/* A rectangle of an image, in its own pixels, and the least scale at which it is still large enough: 0 < scale <= 1. */
typedef struct bl_window {
	int top, left, height, width;
	float scale;
} bl_window;
/* Out becomes the smallest window that has both in it, at the larger of the scales. */
void bl_window_join(bl_window *out, const bl_window *other);

/* --- Operators ------------------------------------------------------------------------------- */

/* The i-th operator's name, "crop", and what it does in a sentence; NULL after the last. */
const char *bl_aug_name_at(int i);
const char *bl_aug_help(const char *name);
/* The parameters of the operator of that name, or NULL. */
const bl_field *bl_aug_fields(const char *name);

typedef struct bl_aug bl_aug;
typedef struct bl_pipeline bl_pipeline; /* of operators, below */
/* The operator of that name with its defaults (the paper's values); NULL naming the nearest for an unknown name. */
bl_aug *bl_aug_new(const char *name);
/* The same with these parameters, a struct that the fields' offsets lead into: filled by bl_fields_default and bl_field_set. */
bl_aug *bl_aug_new_with(const char *name, const void *parameters);
enum { BL_AUG_BYTES = 2048 }; /* the most that such a struct takes */
/* Sets n numbers of a field, before the operator becomes part of a pipeline; negative: no such field, or out of its range. */
int bl_aug_set(bl_aug *a, const char *field, const double *values, int n);
/* The numbers of a field into values; returns how many, negative: no such field. */
int bl_aug_get(const bl_aug *a, const char *field, double values[BL_LIST_MOST]);
enum { BL_RAMP_MOST = 100000 }; /* epochs */
/*
 * A field of numbers goes evenly from what it is, in a run's first epoch, to these n numbers, in the epochs-th (2 to
 * BL_RAMP_MOST) and all behind it; whole ones are rounded.  See bl_pipeline_at.  Negative: no such field, or out of its range.
 */
int bl_aug_ramp(bl_aug *a, const char *field, const double *to, int n, int64_t epochs);
const char *bl_aug_name(const bl_aug *a);
/*
 * "crop{size = 28, scale = {0.08, 1}, ...}" with all fields, from which bl_pipeline_parse and Lua make an equal one; a ramp
 * is "aug.ramp(from, to, epochs)".
 */
char *bl_aug_text(const bl_aug *a, char *buf, size_t size);
bl_aug *bl_aug_ref(bl_aug *a);
void bl_aug_unref(bl_aug *a);

/* Which view is drawn: view `view` of image `sample` in epoch `epoch` of a run with that seed. */
typedef struct bl_view_key {
	uint64_t seed;
	uint32_t epoch, sample, view;
	/* What draws do not go by, but operators may: the batch that the view is for, from 0; 1 + the image's class, 0: none. */
	int64_t step;
	int32_t label;
} bl_view_key;

/* What an operator of the program's own gets of a view, and where it puts what it makes. */
typedef struct bl_aug_call {
	const bl_view_key *key;
	bl_rng *rng; /* a stream that is the view's and this operator's own */
	int channels, height, width;
	const float *in; /* the image as planes, (channels, height, width), in 0..1 */
	int out_height, out_width;
	float *out; /* (channels, out_height, out_width); not the same memory */
} bl_aug_call;

/*
 * An operator of the program's own.  `apply` is called by several threads at once.  `release` is called with the context
 * when the last pipeline that has the operator is freed; it may be NULL.
 */
typedef struct bl_aug_function {
	const char *name; /* which tells its draws from those of other operators; copied */
	int (*apply)(void *context, const bl_aug_call *call); /* negative: bl_error */
	void (*release)(void *context);
	void *context;
	int height, width; /* of what it makes; 0: of what it gets */
	/* Do both contexts, of operators with the same `apply`, make the same views?  NULL: only where they are one. */
	bool (*equal)(const void *context, const void *other);
} bl_aug_function;
/* Takes the context, also where it fails. */
bl_aug *bl_aug_new_function(const bl_aug_function *f);

/* Operators of pipelines: the only one with a probability, one of them drawn by weights, all of them in random order. */
typedef enum bl_group_kind { BL_GROUP_APPLY, BL_GROUP_CHOICE, BL_GROUP_ORDER } bl_group_kind;
/*
 * Of 1 to 16 pipelines, which keep the size of an image, or, of a choice, make the same one; references are taken.
 * weights NULL: as likely as each other; p is that of BL_GROUP_APPLY.
 */
bl_aug *bl_aug_new_group(bl_group_kind kind, bl_pipeline *const *parts, int n, const float *weights, float p);

/* --- Whole batches ------------------------------------------------------------------------------ */

/* A batch as it will go to the network: n_views views (N,C,H,W), normalised, and what is known of it. */
typedef struct bl_batch_call {
	uint64_t seed;
	int64_t step, epoch;   /* from 0 */
	bl_rng *rng;           /* a stream that is the batch's own */
	int64_t n;
	const int64_t *rows;   /* in the set, from 0 */
	const int32_t *labels; /* NULL: the set has none */
	int n_views;
	bl_tensor **view; /* each may be given another reference, to a tensor of the same shape, in place of this one */
} bl_batch_call;

/* What changes batches (mixup, CutMix): reference-counted, called by several threads at once, for a batch by one. */
typedef struct bl_batch_aug bl_batch_aug;
/* Takes the context, also where it fails: release is called with it in the end; it may be NULL. */
bl_batch_aug *bl_batch_aug_new(int (*apply)(void *context, const bl_batch_call *call), void (*release)(void *context),
                               void *context);
bl_batch_aug *bl_batch_aug_ref(bl_batch_aug *a);
void bl_batch_aug_unref(bl_batch_aug *a); /* NULL is fine */
/* Tells how contexts with the same `apply` are compared; without it they are equal only where they are one. */
void bl_batch_aug_set_equal(bl_batch_aug *a, bool (*equal)(const void *context, const void *other));
bool bl_batch_aug_equal(const bl_batch_aug *a, const bl_batch_aug *b); /* NULL, none, equals NULL only */
/* Makes the stream of the call, from seed and step, and calls; views keep their shapes and layout.  Negative with bl_error. */
int bl_batch_aug_apply(const bl_batch_aug *a, bl_batch_call *call);

/* --- Pipelines ---------------------------------------------------------------------------------- */

/* Takes references to the operators; fails naming the operator and the field that makes no sense. */
bl_pipeline *bl_pipeline_new(bl_aug *const *ops, int n);
/*
 * From text: operators separated by commas, each a name and, in braces, what differs from its defaults:
 * "crop{size = 28, scale = {0.2, 1}}, flip".  The point is the decimal separator whatever the locale.
 */
bl_pipeline *bl_pipeline_parse(const char *text);
bl_pipeline *bl_pipeline_ref(bl_pipeline *p);
void bl_pipeline_unref(bl_pipeline *p);
/* The same operators with the same parameters; functions of the program's own are those of one context. */
bool bl_pipeline_equal(const bl_pipeline *p, const bl_pipeline *q);
/* A new one with the operators of `by` (NULL: none) for each of that name, of which there are *found. */
bl_pipeline *bl_pipeline_replace(const bl_pipeline *p, const char *name, const bl_pipeline *by, int *found);
int bl_pipeline_length(const bl_pipeline *p);
bl_aug *bl_pipeline_op(const bl_pipeline *p, int i); /* borrowed; NULL: no such one */
/* 0, or negative naming the operator that cannot work on images of so many channels. */
int bl_pipeline_check(const bl_pipeline *p, int channels);
/*
 * What it is in an epoch (from 0): a new reference to a pipeline without ramps, or, where it has none, to itself.  The
 * functions below take a pipeline with ramps for what it is in epoch 0.
 */
/*
 * Fields that may change while a run trains, as "jitter.p": those of all operators of that name that are not within others.
 * bl_pipeline_with gives a new pipeline that has another value there (NULL with bl_error); bl_pipeline_get the value, NaN where
 * there is no such field; bl_pipeline_settable writes the i-th name, from 0, and is false behind the last.
 */
bl_pipeline *bl_pipeline_with(const bl_pipeline *p, const char *name, double value);
double bl_pipeline_get(const bl_pipeline *p, const char *name);
bool bl_pipeline_settable(const bl_pipeline *p, int i, char *name, size_t size);
bl_pipeline *bl_pipeline_at(bl_pipeline *p, int64_t epoch);
/* The epoch from which on it stays as it is; 0: it has no ramps. */
int64_t bl_pipeline_settled(const bl_pipeline *p);
/* Output height and width in an epoch for an input of h x w; negative with bl_error. */
int bl_pipeline_output_at(bl_pipeline *p, int64_t epoch, int h, int w, int *oh, int *ow);
/* The same for vectors of features, images of one row whose values may be any. */
int bl_pipeline_check_vectors(const bl_pipeline *p);
/* Output height and width for an input of h x w. */
void bl_pipeline_output(const bl_pipeline *p, int h, int w, int *oh, int *ow);

enum { BL_PLAN_BYTES = 4096 };

/* What one view drew: made by bl_pipeline_plan, for that pipeline, and read by the functions below. */
typedef struct bl_plan {
	bl_view_key key;
	int height, width, channels; /* of the image */
	/*
	 * What bl_pipeline_apply reads of the image: where the first operator crops or resizes, its box, at a scale that
	 * leaves it at least as many pixels as it makes; otherwise all of the image.
	 */
	bl_window window;
	uint64_t applies, folded; /* one bit an operator: it was drawn to apply; another one does its work along with its own */
	_Alignas(16) unsigned char draws[BL_PLAN_BYTES];
} bl_plan;

/* Draws a view of an image of that size.  Nothing is allocated. */
void bl_pipeline_plan(const bl_pipeline *p, const bl_view_key *key, int height, int width, int channels, bl_plan *plan);
/* What n plans for one image read of it, in one window. */
bl_window bl_plans_window(const bl_plan *plans, int n);
/* Makes the view; out is (oh,ow,C) floats, in 0..1 unless normalised.  0, or negative with bl_error. */
int bl_pipeline_apply(const bl_pipeline *p, const bl_plan *plan, const bl_image *in, float *out);
/* What was drawn: "crop 3,4 20x22, flip" (left, top, width x height) into buf. */
char *bl_pipeline_describe(const bl_pipeline *p, const bl_plan *plan, char *buf, size_t size);
/* A stream of operator i's own for this view, which its draws do not touch. */
bl_rng bl_plan_stream(const bl_pipeline *p, const bl_plan *plan, int i);

#endif
