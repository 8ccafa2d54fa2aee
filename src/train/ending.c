/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ending.c: all trainers of the process: runs that ended without their end being saved, and the end of the process, at
 * which every run is stopped and saved.
 *
 * `lock` guards what is here; it is taken before a trainer's own lock or exclusive section, never while one of them is held.
 * Messages have a lock of their own, since a save fails while the exclusive section is held.
 */
#include "train/trainer.h"

#include <barlow/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bl_trainer *all;
static atomic_bool ending;

/* --- Ends that were not saved ------------------------------------------------------------ */

/* Whoever takes the text frees it, and the message with it: to tell needs no memory. */
struct message {
	char text[640];
	struct message *next;
};

static pthread_mutex_t message_lock = PTHREAD_MUTEX_INITIALIZER;
static struct message *messages;
static int unsaved, untold; /* untold: messages for which there was no memory */

static void add_message(const bl_trainer *t)
{
	struct message *m = calloc(1, sizeof *m), **last = &messages;
	char text[sizeof m->text];
	untold += !m;
	if (!m)
		return;
	snprintf(text, sizeof text, "%s: the end of the run, step %lld of %lld, was not saved: %s", t->info.name,
	         (long long)t->step, (long long)t->steps, t->unsaved);
	bl_text_clean(m->text, sizeof m->text, text, false);
	while (*last)
		last = &(*last)->next;
	*last = m;
}

void bl_trainer_end_lost(bl_trainer *t, const char *why)
{
	pthread_mutex_lock(&message_lock);
	unsaved += !t->unsaved[0];
	snprintf(t->unsaved, sizeof t->unsaved, "%s", why);
	add_message(t);
	pthread_mutex_unlock(&message_lock);
}

void bl_trainer_end_saved(bl_trainer *t)
{
	pthread_mutex_lock(&message_lock);
	unsaved -= t->unsaved[0] != '\0';
	t->unsaved[0] = '\0';
	pthread_mutex_unlock(&message_lock);
}

int bl_trainer_saved(bl_trainer *t)
{
	pthread_mutex_lock(&message_lock);
	int rc = t->unsaved[0] ? bl_fail("%s", t->unsaved) : 0;
	pthread_mutex_unlock(&message_lock);
	return rc;
}

int bl_trainers_unsaved(void)
{
	pthread_mutex_lock(&message_lock);
	int n = unsaved;
	pthread_mutex_unlock(&message_lock);
	return n;
}

char *bl_trainers_unsaved_message(void)
{
	pthread_mutex_lock(&message_lock);
	struct message *m = messages;
	char *text = m ? m->text : NULL;
	if (m)
		messages = m->next;
	else if (untold > 0 && (text = strdup("the end of a run was not saved, and there was no memory to note why")))
		untold--;
	pthread_mutex_unlock(&message_lock);
	return text;
}

/* --- All trainers ------------------------------------------------------------------------ */

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

static bl_standing standing_of(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bl_standing s = { .id = t->id,
		          .info = t->info,
		          .live = t->live,
		          .fresh = t->launched,
		          .end_known = t->end_known,
		          .at_break = t->at_break && !t->break_known };
	pthread_mutex_unlock(&t->lock);
	return s;
}

int bl_trainers_standing(bl_standing *out, int most)
{
	int n = 0;
	pthread_mutex_lock(&lock);
	for (bl_trainer *t = all; t && n < most; t = t->next)
		out[n++] = standing_of(t);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < n / 2; i++) {
		bl_standing s = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = s;
	}
	return n;
}

int bl_trainers_check_ending(void)
{
	return ending ? bl_fail("trainer: the process is about to end") : 0;
}

static bool began(bl_trainer *t)
{
	bl_run_state s = bl_trainer_state(t);
	return t->save && (s == BL_RUN_RUNNING || s == BL_RUN_PAUSED);
}

/* A run that was begun, and whose steps are made by its own thread or by hand. */
static void end_run(bl_trainer *t, const char *why, void (*tell)(void *ctx, const char *line), void *ctx)
{
	char line[256], clean[512];
	bl_trainer_stop_and_save(t, why);
	snprintf(line, sizeof line, "%s: stopped at step %lld of %lld%s", t->info.name, (long long)t->step, (long long)t->steps,
	         t->unsaved[0] ? "" : ", saved");
	bl_text_clean(clean, sizeof clean, line, false);
	tell(ctx, clean);
}

/* A command is all that is needed: who makes the steps takes it. */
void bl_trainers_save(const char *who)
{
	pthread_mutex_lock(&lock);
	for (bl_trainer *t = all; t; t = t->next)
		if (began(t))
			bl_trainer_ask_to_save(t, who);
	pthread_mutex_unlock(&lock);
}

void bl_trainers_end(const char *why, void (*tell)(void *ctx, const char *line), void *ctx)
{
	pthread_mutex_lock(&lock); /* for good: nobody frees or makes a trainer any more */
	ending = true;
	for (bl_trainer *t = all; t; t = t->next)
		if (began(t))
			bl_trainer_ask_to_stop(t, why);
	for (bl_trainer *t = all; t; t = t->next)
		if (t->ending_asked)
			end_run(t, why, tell, ctx);
}
