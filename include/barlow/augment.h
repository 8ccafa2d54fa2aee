/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * augment.h: image operators, and pipelines of them: one image in, one view out.
 *
 *     bl_pipeline *p = bl_pipeline_parse("crop{size = 28}, flip, blur{p = 0.1}");
 *     bl_plan plan;
 *     bl_pipeline_plan(p, &key, height, width, channels, &plan);   // what is random is drawn, once
 *     bl_pipeline_apply(p, &plan, &image, view);                   // and applied to the pixels
 *
 * Operators follow torchvision on PIL images (which the authors' code uses), and do the same for images of float32
 * and of any number of channels; operators that need colour refuse images without it. Every operator draws from its
 * own random stream, whose key is the view's key, the operator's name and its index among those of the same name:
 * removing one from a pipeline does not change what the others draw.  Operators are immutable once they are part of a
 * pipeline, and so are pipelines; both are reference-counted and may be used by many threads.  Functions that make
 * one return a new reference, or NULL with bl_error; those that can fail and return int return 0, or negative with
 * bl_error, unless they say otherwise.
 */
#ifndef BARLOW_AUGMENT_H
#define BARLOW_AUGMENT_H

#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

enum { BL_CHANNELS_MOST = 64, BL_VIEWS_MOST = 8 /* of an image */ };

typedef enum bl_pixel_type { BL_PIXEL_UINT8, BL_PIXEL_FLOAT32 } bl_pixel_type;

/*
 * height x width is the image's own size.  The pixels are the whole image or, if
 * part.eighths is not 0, a part of its copy scaled to eighths / 8 of that size:
 * part.height x part.width pixels, the first in row part.top, column part.left
 * of the copy.
 */
typedef struct bl_image {
	bl_pixel_type type;
	union {
		const uint8_t *pixels; /* (H,W,C); level 255 is the value 1 */
		const float *values;   /* the same as float32, in 0..1 */
	};
	int height, width, channels; /* channels: 1 to BL_CHANNELS_MOST */
	struct {
		int eighths, top, left, height, width;
	} part;
} bl_image;

/* A rectangle of an image, in its own pixels, and the smallest scale that leaves it enough pixels: 0 < scale <= 1. */
typedef struct bl_window {
	int top, left, height, width;
	float scale;
} bl_window;
/* *out becomes the smallest window that contains both, at the larger of the scales. */
void bl_window_join(bl_window *out, const bl_window *other);

/* --- Operators ------------------------------------------------------------------------------- */

/* The i-th operator's name, "crop", and a sentence of help for a name; NULL after the last, or for an unknown name. */
const char *bl_aug_name_at(int i);
const char *bl_aug_help(const char *name);
/* The parameters of the operator of that name, or NULL. */
const bl_field *bl_aug_fields(const char *name);

typedef struct bl_aug bl_aug;
typedef struct bl_pipeline bl_pipeline; /* of operators, below */
/* The operator of that name with its defaults (the paper's values); for an unknown name bl_error names the nearest. */
bl_aug *bl_aug_new(const char *name);
/* The same with these parameters, a struct laid out by the fields' offsets: see bl_fields_default and bl_field_set. */
bl_aug *bl_aug_new_with(const char *name, const void *parameters);
enum { BL_AUG_BYTES = 2048 }; /* the most that such a struct takes */
/* Sets a field to n numbers, before the operator becomes part of a pipeline; fails: no such field, or out of range. */
int bl_aug_set(bl_aug *a, const char *field, const double *values, int n);
/* Writes the numbers of a field into values; returns how many, negative: no such field. */
int bl_aug_get(const bl_aug *a, const char *field, double values[BL_LIST_MOST]);
enum { BL_RAMP_MOST = 100000 }; /* epochs */
/*
 * Makes a field a ramp: it changes linearly from its value, in a run's first epoch, to these n numbers, in epoch
 * number `epochs` (2 to BL_RAMP_MOST), and stays there; integers are rounded.  See bl_pipeline_at.  Fails: no such
 * field, or out of range.
 */
int bl_aug_ramp(bl_aug *a, const char *field, const double *to, int n, int64_t epochs);
const char *bl_aug_name(const bl_aug *a); /* borrowed */
/*
 * "crop{size = 28, scale = {0.08, 1}, ...}" with all fields, from which bl_pipeline_parse and Lua make an equal operator;
 * a ramp is "aug.ramp(from, to, epochs)".  Returns buf.
 */
char *bl_aug_text(const bl_aug *a, char *buf, size_t size);
bl_aug *bl_aug_ref(bl_aug *a);
void bl_aug_unref(bl_aug *a);

/* Identifies a view: view `view` of image `sample` in epoch `epoch` of a run with that seed. */
typedef struct bl_view_key {
	uint64_t seed;
	uint32_t epoch, sample, view;
	/* Not part of the random key, but available to operators: the batch, from 0; 1 + the image's class, 0: none. */
	int64_t step;
	int32_t label;
} bl_view_key;

/* Arguments and output of an operator that the program defines. */
typedef struct bl_aug_call {
	const bl_view_key *key;
	bl_rng *rng; /* the random stream of this view and operator */
	int channels, height, width;
	const float *in; /* the image as planes, (channels, height, width), in 0..1 */
	int out_height, out_width;
	float *out; /* (channels, out_height, out_width); does not overlap `in` */
} bl_aug_call;

/*
 * An operator that the program defines.  `apply` is called by several threads at once.  `release` is called with the
 * context when the last pipeline that has the operator is freed; it may be NULL.
 */
typedef struct bl_aug_function {
	const char *name;                                     /* part of the key of its random stream; copied */
	int (*apply)(void *context, const bl_aug_call *call); /* negative: bl_error */
	void (*release)(void *context);
	void *context;
	int height, width; /* of the output; 0: those of the input */
	/* Do the contexts of two operators with the same `apply` make the same views?  NULL: only a context and itself. */
	bool (*equal)(const void *context, const void *other);
} bl_aug_function;
/* Takes ownership of the context, also on failure. */
bl_aug *bl_aug_new_function(const bl_aug_function *f);

/* Operators made of pipelines: apply one with a probability, choose one by weights, apply all in random order. */
typedef enum bl_group_kind { BL_GROUP_APPLY, BL_GROUP_CHOICE, BL_GROUP_ORDER } bl_group_kind;
/*
 * A group of n = 1 to 16 pipelines; references are taken.  They must keep the size of an image or, in a choice, all
 * make the same size.  weights NULL: equally likely; p is the probability of BL_GROUP_APPLY.
 */
bl_aug *bl_aug_new_group(bl_group_kind kind, bl_pipeline *const *parts, int n, const float *weights, float p);

/* --- Whole batches ------------------------------------------------------------------------------ */

/* A batch as it will go to the network: n_views normalised views (N,C,H,W), and information about them. */
typedef struct bl_batch_call {
	uint64_t seed;
	int64_t step, epoch; /* from 0 */
	bl_rng *rng;         /* the batch's own random stream */
	int64_t n;
	const int64_t *rows;   /* in the set, from 0 */
	const int32_t *labels; /* NULL: the set has none */
	int n_views;
	bl_tensor **view; /* references; each may be replaced by one to another tensor of the same shape */
} bl_batch_call;

/* Changes batches (mixup, CutMix).  Reference-counted; threads call it at once for different batches. */
typedef struct bl_batch_aug bl_batch_aug;
/* Takes ownership of the context, also on failure: release, unless NULL, is called with it when the object is freed. */
bl_batch_aug *bl_batch_aug_new(int (*apply)(void *context, const bl_batch_call *call), void (*release)(void *context),
                               void *context);
bl_batch_aug *bl_batch_aug_ref(bl_batch_aug *a);
void bl_batch_aug_unref(bl_batch_aug *a); /* NULL is fine */
/* Sets the comparison of contexts with the same `apply`; without it they are equal only if they are identical. */
void bl_batch_aug_set_equal(bl_batch_aug *a, bool (*equal)(const void *context, const void *other));
bool bl_batch_aug_equal(const bl_batch_aug *a, const bl_batch_aug *b); /* NULL, none, equals NULL only */
/* Sets call->rng from seed and step and calls the function; fails if it changes a view's shape or makes it non-finite. */
int bl_batch_aug_apply(const bl_batch_aug *a, bl_batch_call *call);

/* --- Pipelines ---------------------------------------------------------------------------------- */

/* Takes references to the operators; on failure bl_error names the operator and the invalid field. */
bl_pipeline *bl_pipeline_new(bl_aug *const *ops, int n);
/*
 * A pipeline from text: operators separated by commas, each a name and, in braces, the fields that differ from their
 * defaults: "crop{size = 28, scale = {0.2, 1}}, flip".  The decimal separator is a point in every locale.
 */
bl_pipeline *bl_pipeline_parse(const char *text);
bl_pipeline *bl_pipeline_ref(bl_pipeline *p);
void bl_pipeline_unref(bl_pipeline *p);
/* Do both have the same operators with the same parameters?  For the program's own see bl_aug_function.equal. */
bool bl_pipeline_equal(const bl_pipeline *p, const bl_pipeline *q);
/* A new pipeline with each operator of that name replaced by those of `by` (NULL: removed); *found: their number. */
bl_pipeline *bl_pipeline_replace(const bl_pipeline *p, const char *name, const bl_pipeline *by, int *found);
int bl_pipeline_length(const bl_pipeline *p);
bl_aug *bl_pipeline_op(const bl_pipeline *p, int i); /* borrowed; i from 0; NULL: no such operator */
/* 0, or negative with bl_error naming the operator that does not support images of that many channels. */
int bl_pipeline_check(const bl_pipeline *p, int channels);
/*
 * Fields that may change while a run trains, such as "jitter.p": those of all operators of that name that are not
 * nested in others.  bl_pipeline_with returns a new pipeline with another value there; bl_pipeline_get the value,
 * NaN: no such field; bl_pipeline_settable writes the i-th name, from 0, and returns false after the last.
 */
bl_pipeline *bl_pipeline_with(const bl_pipeline *p, const char *name, double value);
double bl_pipeline_get(const bl_pipeline *p, const char *name);
bool bl_pipeline_settable(const bl_pipeline *p, int i, char *name, size_t size);
/*
 * The pipeline of an epoch (from 0): a new reference to one without ramps, or to p itself if it has none.  All
 * functions below except bl_pipeline_settled and bl_pipeline_output_at use the values of epoch 0.
 */
bl_pipeline *bl_pipeline_at(bl_pipeline *p, int64_t epoch);
/* The epoch from which on it no longer changes; 0: it has no ramps. */
int64_t bl_pipeline_settled(const bl_pipeline *p);
/* Output height and width in an epoch for an input of h x w; negative with bl_error. */
int bl_pipeline_output_at(bl_pipeline *p, int64_t epoch, int h, int w, int *oh, int *ow);
/* As bl_pipeline_check, for vectors of features: images of one row with any values. */
int bl_pipeline_check_vectors(const bl_pipeline *p);
/* Output height and width for an input of h x w. */
void bl_pipeline_output(const bl_pipeline *p, int h, int w, int *oh, int *ow);

enum { BL_PLAN_BYTES = 4096 };

/* The random draws of one view: made by bl_pipeline_plan for that pipeline, and read by the functions below. */
typedef struct bl_plan {
	bl_view_key key;
	int height, width, channels; /* of the image */
	/*
	 * The part of the image that bl_pipeline_apply reads: if the first operator crops or resizes, its box, at a scale
	 * that leaves at least as many pixels as the output has; otherwise the whole image.
	 */
	bl_window window;
	uint64_t applies, folded; /* bit i: operator i is applied; the operator before it does its work */
	_Alignas(16) unsigned char draws[BL_PLAN_BYTES];
} bl_plan;

/* Draws a view of an image of that size.  Allocates nothing. */
void bl_pipeline_plan(const bl_pipeline *p, const bl_view_key *key, int height, int width, int channels, bl_plan *plan);
/* The smallest window that covers those of n plans for one image. */
bl_window bl_plans_window(const bl_plan *plans, int n);
/* Makes the view; out is (oh,ow,C) floats, in 0..1 unless normalised.  0, or negative with bl_error. */
int bl_pipeline_apply(const bl_pipeline *p, const bl_plan *plan, const bl_image *in, float *out);
/* Describes the draws in buf: "crop 3,4 20x22, flip" (left, top, width x height); returns buf. */
char *bl_pipeline_describe(const bl_pipeline *p, const bl_plan *plan, char *buf, size_t size);
/* A random stream of operator i for this view, independent of its draws in the plan. */
bl_rng bl_plan_stream(const bl_pipeline *p, const bl_plan *plan, int i);

#endif
