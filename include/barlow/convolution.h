/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * convolution.h: selects the algorithm of a convolution, by shape and for each direction separately.
 *
 * The first of these that names an algorithm decides: BARLOW_CONV (or
 * bl_conv_force); the layer (bl_nn_convolve); the choices that the thread uses,
 * which are those recorded with a run; those tuned on this machine; a fixed
 * rule of the shape.  If that algorithm does not support the shape, "gather" is
 * used, which supports all.
 *
 * Algorithms differ in the last digits, hence a run keeps the choices it began
 * with.  A choice holds for any number of images, so that the result for an
 * image does not depend on the size of the batch.
 */
#ifndef BARLOW_CONVOLUTION_H
#define BARLOW_CONVOLUTION_H

#include <stdbool.h>
#include <stdint.h>

typedef enum bl_conv_algorithm {
	BL_CONV_AUTO, /* names no algorithm */
	BL_CONV_GATHER,
	BL_CONV_WINOGRAD,
	BL_CONV_ONEDNN, /* only if barlow was built with it */
	BL_CONV_ALGORITHMS
} bl_conv_algorithm;

typedef enum bl_conv_direction {
	BL_CONV_FORWARD,
	BL_CONV_DATA_GRADIENT,
	BL_CONV_WEIGHT_GRADIENT,
	BL_CONV_DIRECTIONS
} bl_conv_direction;

/* Names in the order of the enums, NULL-terminated, static; of algorithms only those that are built in. */
const char *const *bl_conv_algorithms(void);
const char *const *bl_conv_directions(void);
/* The bl_conv_algorithm of a name; negative with bl_error, which lists the names. */
int bl_conv_algorithm_of(const char *name);

/* Makes all convolutions of the process use this algorithm; BL_CONV_AUTO: as if BARLOW_CONV were not set. */
void bl_conv_force(bl_conv_algorithm a);
/* Returns -1 with bl_error if BARLOW_CONV is set and names no algorithm; it is ignored then.  Otherwise 0. */
int bl_conv_environment(void);

/* A shape without its number of images: x (n,c,h,w), w (k,c/groups,r,s). */
typedef struct bl_conv_key {
	int64_t c, h, w, k, r, s, stride, padding, groups;
	int64_t gap; /* pixels left out between two taps: dilation - 1 */
} bl_conv_key;

/*
 * "64x32x32-128:3x3s2p1" is c x h x w - k : r x s, stride, padding; then "g4" for 4 groups, "d2" for a dilation of 2.
 */
enum { BL_CONV_KEY_TEXT = 160 };
const char *bl_conv_key_text(const bl_conv_key *k, char buf[BL_CONV_KEY_TEXT]);
/* Reads exactly that format.  0; -1 with bl_error for any other text or an impossible shape. */
int bl_conv_key_parse(const char *text, bl_conv_key *k);

typedef struct bl_choice {
	bl_conv_key key;
	bl_conv_algorithm by[BL_CONV_DIRECTIONS]; /* BL_CONV_AUTO: none is chosen */
} bl_choice;

/* "winograd" if all directions have the same algorithm, else the three in order: "gather gather winograd". */
enum { BL_CHOICE_TEXT = 64 };
const char *bl_choice_text(const bl_choice *c, char buf[BL_CHOICE_TEXT]);
/* Reads that text into c->by.  0, or -1 with bl_error. */
int bl_choice_parse(const char *text, bl_choice *c);

/* A table of choices, in the order in which they were first set. */
typedef struct bl_choices bl_choices;
bl_choices *bl_choices_new(void); /* NULL: no memory */
void bl_choices_free(bl_choices *t);
int bl_choices_set(bl_choices *t, const bl_choice *c); /* replaces an earlier one of that key; -1: no memory */
const bl_choice *bl_choices_find(const bl_choices *t, const bl_conv_key *k); /* borrowed; NULL: none */
int bl_choices_count(const bl_choices *t);
const bl_choice *bl_choices_at(const bl_choices *t, int i); /* borrowed */

/*
 * Sets the choices that the calling thread's convolutions use from now on, borrowed; NULL: none.  Returns the old
 * ones.
 */
const bl_choices *bl_choices_use(const bl_choices *t);
/*
 * From now on the algorithms that the calling thread's convolutions use are
 * recorded in t, if t has no choice for the shape yet; NULL ends recording.  A
 * layer that requests an algorithm is not recorded.
 */
void bl_choices_record(bl_choices *t);
/* Replaces every choice in t by the one that would be made without t. */
void bl_choices_renew(bl_choices *t);
/*
 * Sets the choices tuned on this machine for the whole process.  Takes ownership of t until the process ends; NULL:
 * none.
 */
void bl_choices_publish(bl_choices *t);

/* Result of measuring a shape. */
typedef struct bl_tuning {
	bl_choice best;
	double ms[BL_CONV_DIRECTIONS][BL_CONV_ALGORITHMS]; /* of one run; 0: the shape is not supported */
} bl_tuning;
/*
 * Times every algorithm on n images of the shape, in all directions, on the
 * threads of this process.  An algorithm other than the fixed rule's must be
 * 3% faster to be chosen.  0; -1 with bl_error: no memory.
 */
int bl_conv_tune(const bl_conv_key *k, int64_t n, bl_tuning *out);

#endif
