/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ambient.h: the context of the calling thread: what its computations go by without being told in each call.
 *
 * A thread begins with all of it 0.  Threads of the pool, which compute parts of an operation, have no part in it: an
 * operation reads it on the thread that calls it.  Whoever changes it for a part of the thread's work puts it back,
 * whatever came of that work:
 *
 *     bl_ambient outside = bl_ambient_enter();
 *     bl_grad_enable(false);
 *     ...
 *     bl_ambient_leave(outside);
 *
 * The place in a run that random numbers are drawn for is ambient, too, but counts draws, and so has an enter and leave of
 * its own (bl_rng_enter in random.h).  Messages (error.h) and scratch memory (memory.h) are a thread's, and no context.
 *
 * A trainer's own thread works in the run's context; others that compute for the run enter it (bl_trainer_between_steps).
 */
#ifndef BARLOW_AMBIENT_H
#define BARLOW_AMBIENT_H

#include <barlow/random.h>

#include <stdbool.h>

typedef struct bl_ambient {
	const struct bl_choices *choices; /* what convolutions go by (bl_choices_use); NULL: the machine's choices, and the rule */
	struct bl_choices *record;        /* where their choices are noted (bl_choices_record); NULL: nowhere */
	bool no_graph;                    /* operations record nothing for bl_backward (bl_grad_enable) */
	int precision;                    /* a bl_precision: of products in linear layers (bl_grad_precision) */
	int dry;                          /* how modules are run: 0, or for what they would make only (src/nn/forward.c) */
	struct lua_State *lua;            /* the coroutine that the thread is in; NULL: not in Lua */
	bl_rng *stream;                   /* what math.random and tensor.rand of Lua draw from; NULL: nothing of its own */
} bl_ambient;

/* The calling thread's, which may be written. */
bl_ambient *bl_ambient_here(void);

bl_ambient bl_ambient_enter(void);         /* as it is outside, ... */
void bl_ambient_leave(bl_ambient outside); /* ... and as it is again */

#endif
