/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * augment.h: image operators, and pipelines of operators.  A pipeline makes one view of one image.
 *
 *     bl_pipeline *p = bl_pipeline_parse("crop{size = 28}, flip, blur{p = 0.1}");
 *     bl_plan plan;
 *     bl_pipeline_plan(p, &key, height, width, channels, &plan);   // draws all random numbers of the view
 *     bl_pipeline_apply(p, &plan, &image, view);                   // computes the view
 *
 * Operators compute as torchvision does on float32 tensors; those with a field `backend` can also compute as it does on
 * PIL images, which the authors' code uses.  They accept uint8 and float32 images of any number of channels; operators that need colour refuse images without it.  Every operator draws from its own random
 * stream.  The key of the stream consists of the view's key, the operator's name, and the operator's index among those
 * of the same name, so that removing an operator from a pipeline does not change what the others draw.
 *
 * Pipelines, and operators that are part of a pipeline, are immutable and may be used by several threads at once.  Both
 * are reference-counted.  Functions that make an operator or a pipeline return a new reference, or NULL with bl_error.
 * Functions that return int and can fail return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_AUGMENT_H
#define BARLOW_AUGMENT_H

#include <barlow/field.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

enum { BL_CHANNELS_MOST = 64, BL_VIEWS_MOST = 8 /* limits for one image */ };

typedef enum bl_pixel_type { BL_PIXEL_UINT8, BL_PIXEL_FLOAT32 } bl_pixel_type;

/*
 * height x width is the image's own size.  If part.eighths is 0, the pixels are the whole image.  Otherwise they are
 * part.height x part.width pixels of the image scaled to part.eighths / 8 of its size; the first of these pixels is in
 * row part.top, column part.left of the scaled image.
 */
typedef struct bl_image {
	bl_pixel_type type;
	union {
		const uint8_t *pixels; /* BL_PIXEL_UINT8: (H,W,C); 255 stands for the value 1 */
		const float *values;   /* BL_PIXEL_FLOAT32: (H,W,C), in 0..1 */
	};
	int height, width, channels; /* channels: 1 to BL_CHANNELS_MOST */
	struct {
		int eighths, top, left, height, width;
	} part;
} bl_image;

/* A rectangle of an image, in pixels at full scale, and the smallest scale at which it suffices: 0 < scale <= 1. */
typedef struct bl_window {
	int top, left, height, width;
	float scale;
} bl_window;
/* Enlarges *out to the smallest window that contains both *out and *other; its scale becomes the larger of the two. */
void bl_window_join(bl_window *out, const bl_window *other);

/* --- Operators ------------------------------------------------------------------------------- */

/* The name of the i-th operator, such as "crop", i from 0; NULL after the last.  Static. */
const char *bl_aug_name_at(int i);
/* One sentence of help for the operator of that name; NULL: there is no such operator.  Static. */
const char *bl_aug_help(const char *name);
/* The parameters of the operator of that name; NULL: there is no such operator.  Static. */
const bl_field *bl_aug_fields(const char *name);

typedef struct bl_aug bl_aug;
typedef struct bl_pipeline bl_pipeline;
/*
 * Makes the operator of that name with its default parameters (the paper's values).  If the name is unknown, bl_error
 * names the nearest one.
 */
bl_aug *bl_aug_new(const char *name);
/*
 * Makes the operator of that name with a copy of these parameters: a struct laid out by the offsets of the operator's
 * fields (see bl_fields_default and bl_field_set).
 */
bl_aug *bl_aug_new_with(const char *name, const void *parameters);
enum { BL_AUG_BYTES = 2048 }; /* the largest size of a struct of parameters */
/*
 * Sets a field to n numbers.  The operator must not be part of a pipeline yet.  Fails if there is no such field, or if
 * a number is out of range.
 */
int bl_aug_set(bl_aug *a, const char *field, const double *values, int n);
/* Writes the numbers of a field into values and returns their count; negative: there is no such field. */
int bl_aug_get(const bl_aug *a, const char *field, double values[BL_LIST_MOST]);
enum { BL_RAMP_MOST = 100000 }; /* the largest number of epochs of a ramp */
/*
 * Makes a field a ramp.  In the first epoch of a run the field has its present value; it changes linearly and reaches
 * the n numbers `to` in the epoch with the number `epochs` (2 to BL_RAMP_MOST, counted from 1), after which it is
 * constant. Integers are rounded.  See bl_pipeline_at.  Fails if there is no such field, or if a number is out of
 * range.
 */
int bl_aug_ramp(bl_aug *a, const char *field, const double *to, int n, int64_t epochs);
const char *bl_aug_name(const bl_aug *a); /* borrowed */
/*
 * Writes the operator with all its fields as text, "crop{size = 28, scale = {0.08, 1}, ...}", and returns buf.
 * bl_pipeline_parse and Lua make an equal operator from this text.  A ramp is written as "aug.ramp(from, to, epochs)".
 */
char *bl_aug_text(const bl_aug *a, char *buf, size_t size);
bl_aug *bl_aug_ref(bl_aug *a); /* returns a */
void bl_aug_unref(bl_aug *a);

/*
 * Identifies a view: view number `view` of image `sample` in epoch `epoch` of a run with that seed; all count from 0.
 */
typedef struct bl_view_key {
	uint64_t seed;
	uint32_t epoch, sample, view;
	/* Operators may read the members below, but random streams do not depend on them. */
	int64_t step;  /* index of the batch in the run, from 0 */
	int32_t label; /* 1 + the image's class; 0: no label */
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
 * An operator that the program defines.  Several threads may call `apply` at once.  `release`, which may be NULL, is
 * called with the context when the operator is freed.
 */
typedef struct bl_aug_function {
	const char *name;                                     /* copied; part of the key of the random stream */
	int (*apply)(void *context, const bl_aug_call *call); /* returns 0, or negative with bl_error */
	void (*release)(void *context);
	void *context;
	int height, width; /* size of the output; 0: that of the input */
	/*
	 * Returns true if two operators with the same `apply` and these contexts make the same views.  NULL: two
	 * operators are equal only if they have the same context.
	 */
	bool (*equal)(const void *context, const void *other);
} bl_aug_function;
/* Takes ownership of the context, also on failure. */
bl_aug *bl_aug_new_function(const bl_aug_function *f);

/* Operators made of pipelines: apply one with a probability; choose one by weights; apply all in random order. */
typedef enum bl_group_kind { BL_GROUP_APPLY, BL_GROUP_CHOICE, BL_GROUP_ORDER } bl_group_kind;
/*
 * Makes a group of n = 1 to 16 pipelines and takes references to them.  Each of them must leave the size of an image
 * unchanged or, for BL_GROUP_CHOICE, all must have the same output size.  weights: the probabilities of BL_GROUP_CHOICE
 * up to a factor; NULL: all are equal.  p: the probability of BL_GROUP_APPLY.
 */
bl_aug *bl_aug_new_group(bl_group_kind kind, bl_pipeline *const *parts, int n, const float *weights, float p);

/* --- Whole batches ------------------------------------------------------------------------------ */

/* A batch as the network will receive it: n_views normalised views (N,C,H,W), and information about them. */
typedef struct bl_batch_call {
	uint64_t seed;
	int64_t step, epoch;   /* from 0 */
	bl_rng *rng;           /* the batch's own random stream */
	int64_t n;             /* images in the batch: N */
	const int64_t *rows;   /* (n): rows of the data set, from 0 */
	const int32_t *labels; /* (n); NULL: the data set has no labels */
	int n_views;
	bl_tensor **view; /* owned references; `apply` may replace one by a reference to a tensor of the same shape */
} bl_batch_call;

/* A function that changes batches (mixup, CutMix).  Reference-counted; several threads call it at once. */
typedef struct bl_batch_aug bl_batch_aug;
/*
 * Makes such a function from a callback, which returns 0, or negative with bl_error.  Takes ownership of the context,
 * also on failure: release, unless NULL, is called with the context when the object is freed.
 */
bl_batch_aug *bl_batch_aug_new(int (*apply)(void *context, const bl_batch_call *call), void (*release)(void *context),
                               void *context);
bl_batch_aug *bl_batch_aug_ref(bl_batch_aug *a);
void bl_batch_aug_unref(bl_batch_aug *a); /* NULL is fine */
/*
 * Sets the function that compares the contexts of two objects with the same `apply`.  Without it, two objects are equal
 * only if they have the same context.
 */
void bl_batch_aug_set_equal(bl_batch_aug *a, bool (*equal)(const void *context, const void *other));
bool bl_batch_aug_equal(const bl_batch_aug *a, const bl_batch_aug *b); /* either may be NULL; NULL equals only NULL */
/*
 * Sets call->rng from the seed, the epoch and the step, and calls the function.  Fails if the function fails, changes
 * the shape of a view, or leaves a value in a view that is not finite.
 */
int bl_batch_aug_apply(const bl_batch_aug *a, bl_batch_call *call);

/* --- Pipelines ---------------------------------------------------------------------------------- */

/*
 * Makes a pipeline of n operators and takes references to them.  On failure bl_error names the operator and the field.
 */
bl_pipeline *bl_pipeline_new(bl_aug *const *ops, int n);
/*
 * Makes a pipeline from text.  Operators are separated by commas; each has a name and, in braces, the fields that
 * differ from their defaults: "crop{size = 28, scale = {0.2, 1}}, flip".  The decimal separator is a point in every
 * locale.
 */
bl_pipeline *bl_pipeline_parse(const char *text);
bl_pipeline *bl_pipeline_ref(bl_pipeline *p); /* returns p */
void bl_pipeline_unref(bl_pipeline *p);
/*
 * Do both have the same operators with the same parameters?  Operators that the program defines are compared by
 * bl_aug_function.equal.
 */
bool bl_pipeline_equal(const bl_pipeline *p, const bl_pipeline *q);
/*
 * Makes a new pipeline in which each operator of that name is replaced by the operators of `by`, or removed if `by` is
 * NULL.  *found is set to the number of operators that were replaced.
 */
bl_pipeline *bl_pipeline_replace(const bl_pipeline *p, const char *name, const bl_pipeline *by, int *found);
int bl_pipeline_length(const bl_pipeline *p);
bl_aug *bl_pipeline_op(const bl_pipeline *p, int i); /* operator i, from 0, borrowed; NULL: there is no such operator */
/* 0 if all operators support images of that many channels; otherwise bl_error names one that does not. */
int bl_pipeline_check(const bl_pipeline *p, int channels);
/*
 * Fields that may change while a run trains.  The name "jitter.p" means the field p of all operators "jitter" that are
 * not nested in other operators.  bl_pipeline_with returns a new pipeline in which such a field has another value.
 * bl_pipeline_get returns the value, NaN if there is no such field.  bl_pipeline_settable writes the i-th name, i from
 * 0, and returns false after the last.
 */
bl_pipeline *bl_pipeline_with(const bl_pipeline *p, const char *name, double value);
double bl_pipeline_get(const bl_pipeline *p, const char *name);
bool bl_pipeline_settable(const bl_pipeline *p, int i, char *name, size_t size);
/*
 * Returns the pipeline of an epoch (from 0), in which all ramps are replaced by their values: a new reference, to p
 * itself if it has no ramps.  bl_pipeline_settled and bl_pipeline_output_at take ramps into account; the other
 * functions below use the values of epoch 0.
 */
bl_pipeline *bl_pipeline_at(bl_pipeline *p, int64_t epoch);
/* The first epoch from which the pipeline no longer changes; 0: it has no ramps. */
int64_t bl_pipeline_settled(const bl_pipeline *p);
/* Sets *oh and *ow to the height and width of the output in an epoch, for an input of h x w. */
int bl_pipeline_output_at(bl_pipeline *p, int64_t epoch, int h, int w, int *oh, int *ow);
/* As bl_pipeline_check, but for feature vectors: images of one row whose values are not restricted to 0..1. */
int bl_pipeline_check_vectors(const bl_pipeline *p);
/* Sets *oh and *ow to the height and width of the output for an input of h x w. */
void bl_pipeline_output(const bl_pipeline *p, int h, int w, int *oh, int *ow);

enum { BL_PLAN_BYTES = 4096 };

/* The random draws of one view.  bl_pipeline_plan makes a plan for a pipeline, and the functions below read it. */
typedef struct bl_plan {
	bl_view_key key;
	int height, width, channels; /* of the image */
	/*
	 * The part of the image that bl_pipeline_apply reads.  If the first operator crops or resizes, this is its box,
	 * at a scale that leaves at least as many pixels as the output has; otherwise it is the whole image.
	 */
	bl_window window;
	uint64_t applies, folded; /* bit i: operator i is applied; operator i is computed by the operator before it */
	_Alignas(16) unsigned char draws[BL_PLAN_BYTES];
} bl_plan;

/* Draws all random numbers of a view of an image of that size into *plan.  Allocates nothing. */
void bl_pipeline_plan(const bl_pipeline *p, const bl_view_key *key, int height, int width, int channels, bl_plan *plan);
/* The smallest window that covers the windows of n >= 1 plans for one image. */
bl_window bl_plans_window(const bl_plan *plans, int n);
/*
 * Computes the view into out: (oh,ow,C) floats, in 0..1 unless the pipeline normalises.  oh and ow are those of
 * bl_pipeline_output.  0, or negative with bl_error.
 */
int bl_pipeline_apply(const bl_pipeline *p, const bl_plan *plan, const bl_image *in, float *out);
/* Writes a description of the draws into buf: "crop 3,4 20x22, flip" (left, top, width x height).  Returns buf. */
char *bl_pipeline_describe(const bl_pipeline *p, const bl_plan *plan, char *buf, size_t size);
/* A random stream of operator i for this view, independent of the draws in the plan. */
bl_rng bl_plan_stream(const bl_pipeline *p, const bl_plan *plan, int i);

#endif
