/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * parallel.h: the one pool of threads.
 *
 * Work is cut into chunks whose number depends on the problem, never on the
 * number of threads; a chunk writes only what is its own, and sums over
 * chunks are taken in chunk order afterwards.  So the bits of a result do not
 * depend on how many threads made it.
 */
#ifndef BARLOW_PARALLEL_H
#define BARLOW_PARALLEL_H

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

/* Chunk c of n items cut in `chunks` near-equal parts: [*from, *to). */
void bl_chunk_range(int64_t n, int64_t chunks, int64_t c, int64_t *from, int64_t *to);

/*
 * Long work tells the thread that asked for it how far it is, as often as it likes, and on every way out that it is over.
 * Who shows that says so for a thread; on others nothing is done.  `done` is a share; what is NULL at the end.
 */
typedef void bl_advance_fn(const char *what, double done);
void bl_advance_shown_by(bl_advance_fn *show);
void bl_advance(const char *what, int64_t done, int64_t all);
void bl_advance_end(void);

/* Seconds on the monotonic clock. */
double bl_now(void);

#endif
