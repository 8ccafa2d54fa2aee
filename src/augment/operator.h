/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * operator.h (private): the table of functions of an image operator.
 *
 * An operator is a const struct operator at the end of its own file.  No other file knows its parameters and its draws.
 * To add an operator, write such a file and add its name in operator.c.  All random numbers of a view are drawn before
 * any pixel is changed, so that the pipeline can merge adjacent operators into one pass.
 */
#ifndef BARLOW_AUGMENT_OPERATOR_H
#define BARLOW_AUGMENT_OPERATOR_H

#include "augment/float_image.h"

#include <barlow/augment.h>

#include <stdatomic.h>

/* The slots of bl_scratch that operators use. */
enum { SLOT_IMAGE = 4, SLOT_SPARE, SLOT_WORK, SLOT_TAPS };

/*
 * Arguments of draw: the view, the size of the image that the operator will receive, and the operator's random stream.
 */
typedef struct drawing {
	const bl_view_key *key;
	int height, width, channels;
	bl_rng rng;
} drawing;

/*
 * Parameters (p) and draws (d) are the operator's own structs.  d is in the plan; it is uninitialised before draw and
 * is never freed.  A member may be NULL only if its comment says so.
 */
typedef struct operator
{
	const char *name, *help;
	const bl_field *fields;   /* of the parameters */
	size_t parameters, draws; /* sizes */

	int (*check)(const void *p);                          /* checks beyond the fields' ranges; NULL: none */
	int (*accepts)(const void *p, int channels);          /* 0, or negative with bl_error; NULL: accepts any */
	void (*size)(const void *p, int *height, int *width); /* changes the input's size to the output's; NULL: same */
	bool (*draw)(const void *p, drawing *w, void *d);     /* false: this view is not changed; NULL: every view is */
	/*
	 * The part of the input that apply reads; NULL: all.  An operator with a window accepts parts of images.
	 */
	void (*window)(const void *p, const void *d, bl_window *out);
	void (*mirror)(void *d);                                    /* changes d so that apply mirrors, too; NULL: cannot */
	int (*apply)(const void *p, const void *d, float_image *c); /* 0, or negative with bl_error */
	/* Describes the draws in words; the result is that of snprintf.  NULL: there is no description. */
	int (*describe)(const void *p, const void *d, int channels, char *buf, size_t size);
	/*
	 * Sets scale and shift of an operator that computes x * scale + shift for each channel.  As the last operator
	 * of a pipeline, it is computed while the view is written.  NULL: the operator is another function.
	 */
	void (*factors)(const void *p, int channels, float *scale, float *shift);
	size_t (*room)(const void *p, int height,
	               int width); /* largest size of a plane within apply, in floats; NULL: that of input or output */
	bool (*equal)(const void *p, const void *q); /* compares parameters that are not fields; NULL: there are none */
	/* Like bl_pipeline_settled and bl_pipeline_at, for operators that contain pipelines; both NULL for all others. */
	int64_t (*settled)(const void *p);
	bl_aug *(*at)(const void *p, int64_t epoch);
	void (*release)(void *p); /* frees what the parameters own; NULL: nothing */

	bool (*vectors)(const void *p); /* does it accept vectors, whose values may be any numbers?  NULL: no */

	bool mirrors;     /* the operator only mirrors from left to right */
	bool needs_unit;  /* the input must have values in 0..1 */
	bool leaves_unit; /* the output's values are not in 0..1 */
}
operator;

#define PROBABILITY "probability that it is applied to a view"

/* A ramp: the field changes linearly from epoch 0 to epoch `epochs` - 1, and keeps the values `to` after that. */
typedef struct ramp {
	const bl_field *field;
	int n;
	double to[BL_LIST_MOST];
	int64_t epochs;
} ramp;

struct bl_aug {
	atomic_int refs;
	bool built; /* part of a pipeline */
	const operator* op;
	const char *name;
	int ramps;
	ramp *ramp;
	_Alignas(16) unsigned char parameters[];
};

/* The member `vectors` of operators that always accept vectors. */
static inline bool bl_operator_any(const void *p)
{
	(void)p;
	return true;
}

/* Makes an operator with its default parameters.  NULL with bl_error: no memory. */
bl_aug *bl_operator_make(const operator* op);
/* The field of that name.  NULL with a bl_error that names the nearest one. */
const bl_field *bl_operator_field(const bl_aug *a, const char *name);
/* The first epoch, from 0, from which the operator no longer changes. */
int64_t bl_operator_settled(const bl_aug *a);
/* Writes the values that ramps have in that epoch into `parameters`, a copy of the operator's parameters. */
void bl_operator_fields_at(const bl_aug *a, int64_t epoch, void *parameters);
/* The operator without ramps as it is in that epoch: a new reference; NULL with bl_error. */
bl_aug *bl_operator_at(bl_aug *a, int64_t epoch);
/* Do both operators have the same ramps, in any order? */
bool bl_operator_equal_ramps(const bl_aug *a, const bl_aug *b);

#endif
