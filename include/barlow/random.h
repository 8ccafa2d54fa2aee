/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * random.h: counter-based random numbers (Philox4x32-10, Salmon et al. 2011).
 *
 * A stream is identified by (seed, epoch, sample, view) and does not depend on earlier draws.  Therefore any thread can
 * compute any number at any time, and a resumed run draws the same numbers as an uninterrupted one.
 */
#ifndef BARLOW_RANDOM_H
#define BARLOW_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* out = Philox4x32-10(counter, key).  The tests compare it with the published test vectors. */
void bl_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

typedef struct bl_rng {
	uint32_t key[2];
	uint32_t counter[4]; /* block, sample, view, epoch */
	uint32_t block[4];
	int used; /* number of words of block that have been returned */
} bl_rng;

/* Starts the stream of these coordinates. */
void bl_rng_init(bl_rng *r, uint64_t seed, uint32_t epoch, uint32_t sample, uint32_t view);

/*
 * Makes the stream specific to a purpose, which is a text and a number, so that it is independent of streams with the
 * same seed, epoch, sample and view for other purposes.  Must be called before the first draw.
 */
void bl_rng_narrow(bl_rng *r, const char *purpose, uint32_t number);

/*
 * The calling thread's position in a run, which determines the random numbers of the user's functions that layers and
 * losses call.  The n-th call draws from a stream whose key consists of the run's seed, the step, the computation
 * (`what` and `number`) and n.  The argument of bl_rng_leave is the result of bl_rng_enter.
 */
typedef struct bl_rng_scope {
	const char *what; /* name of the computation, such as "view"; NULL: not in a run */
	uint32_t number;  /* number of the computation, from 0: 1 is the second view */
	uint64_t seed;
	int64_t step;
	uint32_t calls; /* number of calls of the user's functions so far */
} bl_rng_scope;
bl_rng_scope bl_rng_enter(uint64_t seed, int64_t step, const char *what, uint32_t number);
void bl_rng_leave(bl_rng_scope before);
bool bl_rng_of_call(bl_rng *r); /* starts the stream of the next call; false: the thread is not in a run */

uint32_t bl_rng_u32(bl_rng *r);                        /* 32 random bits */
float bl_rng_uniform(bl_rng *r);                       /* [0, 1), 24 bits */
float bl_rng_between(bl_rng *r, float lo, float hi);   /* [lo, hi) */
float bl_rng_normal(bl_rng *r);                        /* mean 0, variance 1 (Box-Muller) */
uint32_t bl_rng_below(bl_rng *r, uint32_t n);          /* 0 .. n-1, unbiased; n > 0 */
void bl_rng_shuffle(bl_rng *r, int64_t *v, int64_t n); /* Fisher-Yates */

/* Values of the `view` coordinate for purposes other than views, so that no two purposes share a stream. */
enum {
	BL_STREAM_INIT = 0x10000,
	BL_STREAM_SHUFFLE,
	BL_STREAM_SHAPES,
	BL_STREAM_USER,
	BL_STREAM_SPLIT,
	BL_STREAM_EVAL,
	BL_STREAM_CALL,
};

#endif
