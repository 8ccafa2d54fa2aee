/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ambient.h: the context of the calling thread: settings that its computations use without receiving them as arguments.
 *
 * A new thread's context is all 0.  The pool's threads, which compute parts of an operation, do not use theirs: an
 * operation reads the context of the thread that calls it.  Code that changes it for a part of its work restores it in
 * every case:
 *
 *     bl_ambient outside = bl_ambient_enter();
 *     bl_grad_enable(false);
 *     ...
 *     bl_ambient_leave(outside);
 *
 * The position in a run for which random numbers are drawn belongs to a thread, too, but it counts draws, and therefore has
 * functions of its own (bl_rng_enter in random.h).  So do messages (error.h) and scratch memory (memory.h), which are not
 * settings.
 *
 * A trainer's own thread works in the run's context; other threads enter it while they compute for the run
 * (bl_trainer_between_steps).
 */
#ifndef BARLOW_AMBIENT_H
#define BARLOW_AMBIENT_H

#include <barlow/random.h>

#include <stdbool.h>

typedef struct bl_ambient {
	const struct bl_choices *choices; /* algorithms of convolutions (bl_choices_use); NULL: the machine's */
	struct bl_choices *record;        /* where the choices made are noted (bl_choices_record); NULL: nowhere */
	bool no_graph;                    /* operations record nothing for bl_backward (bl_grad_enable) */
	int precision;                    /* a bl_precision: of products in linear layers (bl_grad_precision) */
	int dry;                          /* not 0: running statistics do not change, as when sizes are probed (src/nn/forward.c) */
	struct lua_State *lua;            /* the coroutine that the thread is in; NULL: not in Lua */
	bl_rng *stream;                   /* random stream of Lua's math.random and tensor.rand; NULL: their own generators */
} bl_ambient;

/* The calling thread's context; the caller may change its members. */
bl_ambient *bl_ambient_here(void);

bl_ambient bl_ambient_enter(void);         /* returns a copy of the context ... */
void bl_ambient_leave(bl_ambient outside); /* ... with which this restores it */

#endif
