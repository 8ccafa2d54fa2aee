/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * parallel.h: the thread pool of the process.
 *
 * Work is divided into chunks.  The number of chunks depends on the problem, never on the number of threads.  A chunk
 * writes only its own part of the result, and sums over chunks are computed afterwards in the order of the chunks.
 * Therefore the bits of a result do not depend on the number of threads.
 */
#ifndef BARLOW_PARALLEL_H
#define BARLOW_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_THREADS_MAX = 256 };

/*
 * The number of threads that work on a bl_parallel call, including the caller.  Default: the number of available cores.
 */
int bl_threads(void);

/*
 * Sets that number for later calls of bl_parallel; 0: the default.  0, or negative with bl_error: not
 * 0..BL_THREADS_MAX.
 */
int bl_threads_set(int n);

/*
 * Calls fn(ctx, chunk) once for every chunk in 0..chunks-1, in any order, and returns when all calls have returned.  A
 * call of bl_parallel from inside a chunk, or during a call by another thread, runs on the calling thread alone.
 */
typedef void bl_parallel_fn(void *ctx, int64_t chunk);
void bl_parallel(int64_t chunks, bl_parallel_fn *fn, void *ctx);

/*
 * Sets a flag that interrupts the calling thread's work; NULL: no flag.  Returns the previous flag.  While *flag, which
 * a signal handler may set, is not 0, bl_parallel skips the remaining chunks, and bl_given_up() is true, within chunks
 * as well.  The result is incomplete then, and the function that computes it has to fail.
 */
const volatile int *bl_give_up_on(const volatile int *flag);
bool bl_given_up(void);

/* A check between two steps of a long function: negative with bl_error_interrupted() if bl_given_up(), otherwise 0. */
int bl_check_given_up(void);

/* Divides n items into `chunks` nearly equal parts, and sets the range [*from, *to) of part c. */
void bl_chunk_range(int64_t n, int64_t chunks, int64_t c, int64_t *from, int64_t *to);

/*
 * Progress of long operations.  bl_advance_shown_by sets the calling thread's callback; NULL: none.  The operation
 * calls bl_advance any number of times (`done` of `all` parts), and bl_advance_end before it returns, also on failure.
 * Both call the callback, with the text `what` and the completed share; in bl_advance_end, `what` is NULL.
 */
typedef void bl_advance_fn(const char *what, double done);
void bl_advance_shown_by(bl_advance_fn *show);
void bl_advance(const char *what, int64_t done, int64_t all);
void bl_advance_end(void);

/* Seconds on the monotonic clock. */
double bl_now(void);

#endif
