/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * convolution.h: selects the algorithm of a convolution by its shape, for each direction separately.
 *
 * The algorithm comes from the first of these sources that names one:
 *
 *     1. the environment variable BARLOW_CONV, or bl_conv_force
 *     2. the layer (bl_nn_convolve)
 *     3. the choices of the thread (bl_choices_use), such as those recorded with a run
 *     4. the choices tuned on this machine (bl_choices_publish)
 *     5. a fixed rule for the shape
 *
 * If that algorithm does not support the shape, "gather" is used, which supports all shapes.
 *
 * The results of different algorithms differ in the last digits.  Therefore a run uses the same choices from its first
 * step to its last.  A choice applies to any number of images, so that the result for an image does not depend on the
 * size of the batch.
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

/* The names in the order of the enums, NULL-terminated, static.  Algorithms that are not built in are left out. */
const char *const *bl_conv_algorithms(void);
const char *const *bl_conv_directions(void);
/* The bl_conv_algorithm of that name.  Negative with bl_error, which lists the names: there is none. */
int bl_conv_algorithm_of(const char *name);

/* Makes all convolutions of the process use this algorithm.  BL_CONV_AUTO has the effect of an unset BARLOW_CONV. */
void bl_conv_force(bl_conv_algorithm a);
/*
 * Checks BARLOW_CONV.  0 if it is unset or the name of an algorithm, "auto" included; -1 with bl_error: it is another text,
 * which convolutions ignore.
 */
int bl_conv_environment(void);

/* The shape of a convolution of images (n,c,h,w) with a weight (k,c/groups,r,s), without the number n of images. */
typedef struct bl_conv_key {
	int64_t c, h, w, k, r, s, stride, padding, groups;
	int64_t gap; /* number of pixels between two taps of the kernel: dilation - 1 */
} bl_conv_key;

/*
 * Writes the shape as text into buf and returns buf.  "64x32x32-128:3x3s2p1" means c x h x w - k : r x s, s stride,
 * p padding; "g4" is appended for 4 groups, and "d2" for a dilation of 2.
 */
enum { BL_CONV_KEY_TEXT = 160 };
const char *bl_conv_key_text(const bl_conv_key *k, char buf[BL_CONV_KEY_TEXT]);
/* Reads exactly the format of bl_conv_key_text.  0, or -1 with bl_error: another format, or an impossible shape. */
int bl_conv_key_parse(const char *text, bl_conv_key *k);

typedef struct bl_choice {
	bl_conv_key key;
	bl_conv_algorithm by[BL_CONV_DIRECTIONS]; /* BL_CONV_AUTO: no algorithm is chosen */
} bl_choice;

/*
 * Writes the algorithms as text into buf and returns buf: "winograd" if all directions have the same one, otherwise the
 * three in the order of bl_conv_direction: "gather gather winograd".
 */
enum { BL_CHOICE_TEXT = 64 };
const char *bl_choice_text(const bl_choice *c, char buf[BL_CHOICE_TEXT]);
/* Reads the text of bl_choice_text into c->by.  0, or -1 with bl_error. */
int bl_choice_parse(const char *text, bl_choice *c);

/* A table of choices, in the order in which they were first set. */
typedef struct bl_choices bl_choices;
bl_choices *bl_choices_new(void); /* NULL: no memory */
void bl_choices_free(bl_choices *t);
int bl_choices_set(bl_choices *t, const bl_choice *c); /* adds a copy, or replaces the one of that key; -1: no memory */
const bl_choice *bl_choices_find(const bl_choices *t, const bl_conv_key *k); /* borrowed; NULL: there is none */
int bl_choices_count(const bl_choices *t);
const bl_choice *bl_choices_at(const bl_choices *t, int i); /* borrowed; i from 0 */

/*
 * Sets the choices that the calling thread's convolutions use from now on; t is borrowed, and NULL means none.  Returns
 * the previous choices.
 */
const bl_choices *bl_choices_use(const bl_choices *t);
/*
 * From now on, each convolution of the calling thread adds the algorithm that it uses to t, unless t has a choice for
 * its shape already.  Convolutions of layers that request an algorithm are not recorded.  t is borrowed; NULL ends
 * recording.
 */
void bl_choices_record(bl_choices *t);
/* Replaces every choice in t by the one that would be made without t. */
void bl_choices_renew(bl_choices *t);
/*
 * Sets the choices tuned on this machine, for the whole process.  Takes ownership of t, which is not freed before the
 * process ends.  NULL: there are none.
 */
void bl_choices_publish(bl_choices *t);

/* The result of bl_conv_tune. */
typedef struct bl_tuning {
	bl_choice best;
	double ms[BL_CONV_DIRECTIONS][BL_CONV_ALGORITHMS]; /* milliseconds of one run; 0: the shape is not supported */
} bl_tuning;
/*
 * Measures the time of every algorithm on n images of the shape, in all directions, on the threads of this process.
 * The algorithm of the fixed rule is chosen unless another one is at least 3% faster.  0, or -1 with bl_error: no
 * memory.
 */
int bl_conv_tune(const bl_conv_key *k, int64_t n, bl_tuning *out);

#endif
