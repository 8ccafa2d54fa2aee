/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.c: the state of a run, the message that screens show, and warnings for the user. */
#include "train/trainer.h"

#include <barlow/number.h>
#include <barlow/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bl_run_state bl_trainer_state(const bl_trainer *t)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&t->lock;
	pthread_mutex_lock(lock);
	bl_run_state s = t->info.state;
	pthread_mutex_unlock(lock);
	return s;
}

double bl_trainer_seconds(const bl_trainer *t)
{
	return t->config.seconds;
}

bool bl_trainer_spent(const bl_trainer *t)
{
	return t->config.seconds > 0 && t->trained >= t->config.seconds;
}

bool bl_trainer_over(const bl_trainer *t)
{
	return t->step >= t->steps || bl_trainer_spent(t);
}

int bl_trainer_check_over(const bl_trainer *t)
{
	if (t->step >= t->steps)
		return bl_fail("trainer: the run is over: %lld of %lld steps are done", (long long)t->step, (long long)t->steps);
	if (bl_trainer_spent(t))
		return bl_fail(
			"trainer: the run is over: its limit of %g s of training time is reached (%lld of %lld steps are done); give it more "
			"in trainer{seconds =}, of a run that is resumed in its recipe.lua",
			t->config.seconds, (long long)t->step, (long long)t->steps);
	return 0;
}

void bl_trainer_note(bl_trainer *t, const char *fmt, ...)
{
	va_list ap;
	pthread_mutex_lock(&t->lock);
	bl_point *before = bl_number_point();
	va_start(ap, fmt);
	vsnprintf(t->info.message, sizeof t->info.message, fmt, ap);
	va_end(ap);
	bl_number_unpoint(before);
	bl_live_set_info(t->live, &t->info);
	pthread_mutex_unlock(&t->lock);
}

/* --- Warnings ------------------------------------------------------------------- */

/* Called with the lock held. */
static void add_trouble(bl_trainer *t, const char *text)
{
	size_t used = strlen(t->trouble);
	bl_text_clean(t->trouble + used, sizeof t->trouble - used, used ? "; " : "", false);
	used = strlen(t->trouble);
	bl_text_clean(t->trouble + used, sizeof t->trouble - used, text, false);
}

/*
 * Called with the lock held.  Counts a warning, and returns whether it is the first of its kind.  If there are too many
 * kinds, each warning counts as the first.
 */
static bool is_new(bl_trainer *t, const char *text)
{
	enum { KINDS = sizeof t->told / sizeof t->told[0] };
	char start[sizeof t->told[0].text];
	int i = 0;
	snprintf(start, sizeof start, "%.*s", (int)sizeof start - 1, text);
	while (i < KINDS && t->told[i].n > 0 && strcmp(t->told[i].text, start) != 0)
		i++;
	if (i == KINDS)
		return true;
	memcpy(t->told[i].text, start, sizeof start);
	return t->told[i].n++ == 0;
}

void bl_trainer_complain(bl_trainer *t, const char *fmt, ...)
{
	char text[sizeof t->trouble];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&t->lock);
	if (is_new(t, text))
		add_trouble(t, text);
	pthread_mutex_unlock(&t->lock);
}

/* Called at the run's end.  Reports how often each warning occurred that occurred several times. */
void bl_trainer_count_trouble(bl_trainer *t)
{
	char text[sizeof t->told[0].text + 40];
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < sizeof t->told / sizeof t->told[0]; i++) {
		snprintf(text, sizeof text, "%d times in all: %s", t->told[i].n, t->told[i].text);
		if (t->told[i].n > 1)
			add_trouble(t, text);
	}
	memset(t->told, 0, sizeof t->told);
	pthread_mutex_unlock(&t->lock);
}

bool bl_trainer_trouble(bl_trainer *t, char *out, size_t size)
{
	pthread_mutex_lock(&t->lock);
	bool any = t->trouble[0] != '\0';
	if (any)
		snprintf(out, size, "%s", t->trouble);
	t->trouble[0] = '\0';
	pthread_mutex_unlock(&t->lock);
	return any;
}
