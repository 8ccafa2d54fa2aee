/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unsaved.c: runs whose end was not saved.
 *
 * A separate lock guards these data.  A thread that records a failed save holds the exclusive section, and other threads
 * must be able to read the data without waiting for that section.
 */
#include "train/trainer.h"

#include <barlow/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text is the first member, so it is returned without a copy, and a caller that frees it frees the whole message. */
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
