/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * operator.h: what every image operator is made of.
 *
 * An operator is a const struct operator at the end of its family's file: a
 * list of its fields, how to draw what is random for one view, how to change
 * the canvas.  All draws of a view are made before any pixel is touched, so
 * that the pipeline can fold neighbours into one pass.
 */
#ifndef AUGMENT_OPERATOR_H
#define AUGMENT_OPERATOR_H

#include "augment/canvas.h"

#include <barlow/augment.h>

/* bl_scratch slots 4 to 7 belong to the operators. */
enum { SLOT_IMAGE = 4, SLOT_SPARE, SLOT_WORK, SLOT_TAPS };

/* What one view drew for one operator. */
typedef struct draw {
	bool fires;
	bool mirror; /* of crop and resize: the flip that follows is folded in */
	union {
		struct box {
			int top, left, height, width;
		} box; /* crop, cutout */
		struct {
			int order[4];
			float factor[4]; /* brightness, contrast, saturation, hue */
		} jitter;
		float sigma;
		struct {
			float angle, dx, dy, scale; /* radians, pixels */
		} affine;
		uint64_t seed; /* of the noise */
	};
} draw;

typedef enum field_kind { FIELD_INT, FIELD_FLOAT, FIELD_PAIR, FIELD_CHANNELS } field_kind;

/* A field of bl_aug that the operator uses: a pair is lo <= hi; each number must lie in least..most. */
typedef struct field {
	const char *name; /* NULL ends a list */
	field_kind kind;
	size_t offset;
	double least, most;
} field;

#define FIELD(kind, member, least, most) { #member, FIELD_##kind, offsetof(bl_aug, member), least, most }
#define FIELD_P FIELD(FLOAT, p, 0, 1)
#define FIELD_END { NULL, FIELD_INT, 0, 0, 0 }

typedef struct operator {
	const char *name;
	const field *fields;
	bl_aug defaults;
	/* Fills d from the view's stream, for an image of that size, where it fires; NULL: nothing to draw. */
	void (*draw)(const bl_aug *a, bl_rng *r, int height, int width, draw *d);
	/* 0, or negative with bl_error. */
	int (*apply)(const bl_aug *a, const draw *d, canvas *c);
	bool always; /* has no p */
	bool sizes;  /* the output is size x size */
	bool values; /* works on values in 0..1, so it cannot follow normalize */
} operator;

extern const operator bl_op_crop, bl_op_resize, bl_op_flip, bl_op_jitter, bl_op_grayscale, bl_op_blur, bl_op_solarize,
	bl_op_normalize, bl_op_affine, bl_op_noise, bl_op_cutout;

/* The operator of a kind, or NULL. */
const operator *bl_operator(bl_aug_kind kind);

/* What was drawn for an operator that fires, in words into buf (as snprintf); "" where there is nothing to say. */
int bl_draw_text(const bl_aug *a, const draw *d, int channels, char *buf, size_t size);

/* 0, or bl_fail("FIELD = VALUE, expected ..."). */
int bl_fields_check(const operator *op, const bl_aug *a);

#endif
