/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exclusive.c: enters and leaves the exclusive section.  One thread at a time is in the section, for a whole step or,
 * as a guest, between two steps.
 */
#include "train/trainer.h"

#include <time.h>

void bl_exclusive_init(bl_trainer *t)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void bl_exclusive_enter(bl_trainer *t, bool guest)
{
	struct exclusive *x = &t->exclusive;
	pthread_mutex_lock(&t->lock);
	if (!x->taken || !pthread_equal(x->holder, pthread_self())) {
		x->guests += guest;
		while (x->taken || (!guest && x->guests > 0))
			pthread_cond_wait(&t->changed, &t->lock);
		x->guests -= guest;
		x->taken = true;
		x->holder = pthread_self();
	}
	x->depth++;
	pthread_mutex_unlock(&t->lock);
}

void bl_exclusive_leave(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	if (--t->exclusive.depth == 0) {
		t->exclusive.taken = false;
		pthread_cond_broadcast(&t->changed);
	}
	pthread_mutex_unlock(&t->lock);
}

bl_ambient bl_trainer_enter(const bl_trainer *t)
{
	bl_ambient outside = bl_ambient_enter();
	bl_choices_use(t->choices);
	return outside;
}

void bl_trainer_between_steps(bl_trainer *t, void (*fn)(void *), void *ctx)
{
	bl_exclusive_enter(t, true);
	bl_ambient outside = bl_trainer_enter(t);
	fn(ctx);
	bl_ambient_leave(outside);
	bl_exclusive_leave(t);
}
