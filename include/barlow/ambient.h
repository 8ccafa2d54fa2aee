/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ambient.h: the context of a thread: settings that its computations use without receiving them as arguments.
 *
 * All members of a new thread's context are 0.  An operation reads the context of the thread that calls it; the
 * contexts of the pool's threads, which compute parts of the operation, are not used.  Code that changes the context
 * temporarily restores it on every path:
 *
 *     bl_ambient outside = bl_ambient_enter();
 *     bl_grad_enable(false);
 *     ...
 *     bl_ambient_leave(outside);
 *
 * Three other things belong to a thread but not to its context, because they are not settings: the position in a run
 * for which random numbers are drawn (bl_rng_enter in random.h), the error message (error.h), and scratch memory
 * (memory.h).
 *
 * A trainer's own thread works in the run's context.  Other threads enter that context while they compute for the run
 * (bl_trainer_between_steps).
 */
#ifndef BARLOW_AMBIENT_H
#define BARLOW_AMBIENT_H

#include <barlow/random.h>

#include <stdbool.h>

typedef struct bl_ambient {
	const struct bl_choices *choices; /* algorithms of convolutions (bl_choices_use); NULL: the tuned ones */
	struct bl_choices *record;        /* table that records the choices made (bl_choices_record); NULL: none */
	bool no_graph;                    /* operations record nothing for bl_backward (bl_grad_enable) */
	int precision;                    /* a bl_precision, for the products in linear layers (bl_grad_precision) */
	int dry;                          /* not 0: dry run; running statistics stay unchanged (src/nn/forward.c) */
	struct lua_State *lua;            /* the coroutine that the thread is in; NULL: not in Lua */
	bl_rng *stream;                   /* random stream of Lua's math.random and tensor.rand; NULL: their own generators */
} bl_ambient;

/* The calling thread's context; the caller may change its members. */
bl_ambient *bl_ambient_here(void);

bl_ambient bl_ambient_enter(void);         /* returns a copy of the calling thread's context */
void bl_ambient_leave(bl_ambient outside); /* replaces the calling thread's context by that copy */

#endif
