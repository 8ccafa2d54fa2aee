/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trainers.c: the list of all trainers of the process.
 *
 * `lock` guards the list.  It is taken before a trainer's own lock or exclusive section, never while one of them is
 * held.
 */
#include "train/trainer.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bl_trainer *all;
static atomic_bool ending;

void bl_trainer_enlist(bl_trainer *t)
{
	static int64_t ids;
	pthread_mutex_lock(&lock);
	t->id = ++ids;
	t->next = all;
	all = t;
	pthread_mutex_unlock(&lock);
}

void bl_trainer_delist(bl_trainer *t)
{
	pthread_mutex_lock(&lock);
	bl_trainer **at = &all;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	pthread_mutex_unlock(&lock);
}

int bl_trainers_standing(bl_trainer_status *out, int most)
{
	int n = 0;
	pthread_mutex_lock(&lock);
	for (bl_trainer *t = all; t && n < most; t = t->next) {
		pthread_mutex_lock(&t->lock);
		out[n++] = (bl_trainer_status){ .id = t->id,
			                        .info = t->info,
			                        .live = t->live,
			                        .fresh = t->launched,
			                        .end_known = t->end_known,
			                        .at_break = t->at_break && !t->break_known };
		pthread_mutex_unlock(&t->lock);
	}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < n / 2; i++) {
		bl_trainer_status s = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = s;
	}
	return n;
}

bl_trainer *bl_trainers_lock(void)
{
	pthread_mutex_lock(&lock);
	return all;
}

void bl_trainers_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void bl_trainers_forbid_steps(void)
{
	ending = true;
}

int bl_trainers_check_ending(void)
{
	return ending ? bl_fail("trainer: the process is about to end") : 0;
}
