/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * parallel.h: the thread pool of the process.
 *
 * Work is divided into chunks whose number depends on the problem, never on the
 * number of threads; a chunk writes only its own part of the result, and sums
 * over chunks are computed in chunk order afterwards.  So the bits of a result
 * do not depend on the number of threads.
 */
#ifndef BARLOW_PARALLEL_H
#define BARLOW_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_THREADS_MAX = 256 };

/* Threads that work on a bl_parallel call, the caller among them.  Default: the cores this process may use. */
int bl_threads(void);

/* Sets that number.  Takes effect at the next bl_parallel.  0 means the default.  Fails outside 0..BL_THREADS_MAX. */
int bl_threads_set(int n);

/*
 * Calls fn(ctx, chunk) for every chunk in 0..chunks-1, each once, in any order,
 * and returns when all are done.  A call made from inside a chunk, or while
 * another thread's call is under way, runs on the caller alone.
 */
typedef void bl_parallel_fn(void *ctx, int64_t chunk);
void bl_parallel(int64_t chunks, bl_parallel_fn *fn, void *ctx);

/*
 * Lets the calling thread's work be interrupted: while *flag, which a signal handler sets, is not 0, bl_parallel skips the
 * remaining chunks, and bl_given_up() is true, within chunks as well.  The result is incomplete then, and the function that
 * computes it has to fail.  flag NULL: the work is not interrupted.  bl_give_up_on returns the flag that was set before.
 */
const volatile int *bl_give_up_on(const volatile int *flag);
bool bl_given_up(void);

/* For functions of many steps, between two of them: negative with bl_error_interrupted() if bl_given_up(), else 0. */
int bl_check_given_up(void);

/* Chunk c of n items divided into `chunks` nearly equal parts: [*from, *to). */
void bl_chunk_range(int64_t n, int64_t chunks, int64_t c, int64_t *from, int64_t *to);

/*
 * Progress of long operations.  bl_advance_shown_by sets the calling thread's callback (NULL: none), which gets a
 * text and the share that is done; `what` is NULL at the end.  The operation calls bl_advance (done of all) as often
 * as it likes, and bl_advance_end on every way out; without a callback they do nothing.
 */
typedef void bl_advance_fn(const char *what, double done);
void bl_advance_shown_by(bl_advance_fn *show);
void bl_advance(const char *what, int64_t done, int64_t all);
void bl_advance_end(void);

/* Seconds on the monotonic clock. */
double bl_now(void);

#endif
