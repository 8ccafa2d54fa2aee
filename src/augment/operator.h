/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * operator.h: what every image operator is made of.
 *
 * An operator is a const struct operator at the end of its own file, which
 * alone knows its parameters and what it draws.  To add one is to write that
 * file and to name it in operator.c.  All draws of a view are made before any
 * pixel is touched, so that the pipeline can fold neighbours into one pass.
 */
#ifndef BARLOW_AUGMENT_OPERATOR_H
#define BARLOW_AUGMENT_OPERATOR_H

#include "augment/float_image.h"

#include <barlow/augment.h>

#include <stdatomic.h>

/* bl_scratch slots 4 to 7 belong to the operators. */
enum { SLOT_IMAGE = 4, SLOT_SPARE, SLOT_WORK, SLOT_TAPS };

/* A view about to be drawn: the image as this operator will get it, and a stream of the operator's own. */
typedef struct drawing {
	const bl_view_key *key;
	int height, width, channels;
	bl_rng rng;
} drawing;

/*
 * Parameters (p) and draws (d) are structs of the operator's own; d lies in the
 * plan, is not set before draw and is not freed.  What may be NULL says so.
 */
typedef struct operator
{
	const char *name, *help;
	const bl_field *fields;   /* of the parameters */
	size_t parameters, draws; /* sizes */

	int (*check)(const void *p);                          /* beyond the fields' ranges; NULL: nothing */
	int (*accepts)(const void *p, int channels);          /* negative with the reason; NULL: any number of channels */
	void (*size)(const void *p, int *height, int *width); /* of the output, given the input's; NULL: as it is */
	bool (*draw)(const void *p, drawing *w, void *d);     /* false: this view is left as it is; NULL: applies always */
	/* What it reads of its input; NULL: all of it.  With it, the operator also reads canvases whose pixels are a part. */
	void (*window)(const void *p, const void *d, bl_window *out);
	void (*mirror)(void *d);                                    /* takes on a mirroring that follows; NULL: cannot */
	int (*apply)(const void *p, const void *d, float_image *c); /* 0, or negative with bl_error */
	/* What was drawn in words, as snprintf; NULL: nothing to say. */
	int (*describe)(const void *p, const void *d, int channels, char *buf, size_t size);
	/* For one that is x * scale + shift in each channel: at the end of a pipeline it costs nothing.  NULL: it is not. */
	void (*factors)(const void *p, int channels, float *scale, float *shift);
	size_t (*room)(const void *p, int height,
	               int width); /* values that a plane takes on its way; NULL: not more than before, or after */
	bool (*equal)(const void *p, const void *q); /* beyond the fields; NULL: nothing is */
	/* Of operators made of pipelines with ramps (bl_pipeline_settled, bl_pipeline_at); both NULL: it is none. */
	int64_t (*settled)(const void *p);
	bl_aug *(*at)(const void *p, int64_t epoch);
	void (*release)(void *p); /* frees what the parameters own; NULL: nothing */

	bool (*vectors)(const void *p); /* does it work on vectors, whose values may be any?  NULL: it is for images */

	bool mirrors;     /* is a mirroring from left to right and nothing else */
	bool needs_unit;  /* works on values in 0..1 ... */
	bool leaves_unit; /* ... which there are none of after this one */
}
operator;

#define PROBABILITY "probability that it is applied to a view"

/* A field that goes from what it is to these values: it has them from epoch `epochs` - 1 on, counted from 0. */
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

/* For operators that work on vectors whatever their parameters are. */
static inline bool bl_operator_any(const void *p)
{
	(void)p;
	return true;
}

/* An operator with its defaults. */
bl_aug *bl_operator_make(const operator* op);
/* NULL naming the nearest. */
const bl_field *bl_operator_field(const bl_aug *a, const char *name);
/* The epoch from which on it stays as it is, from 0. */
int64_t bl_operator_settled(const bl_aug *a);
/* What ramps make of the fields in that epoch, into a copy of the operator's parameters. */
void bl_operator_fields_at(const bl_aug *a, int64_t epoch, void *parameters);
/* What it is in that epoch, without ramps: the caller's reference.  NULL with bl_error. */
bl_aug *bl_operator_at(bl_aug *a, int64_t epoch);
bool bl_operator_equal_ramps(const bl_aug *a, const bl_aug *b);

#endif
