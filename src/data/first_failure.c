/* SPDX-License-Identifier: GPL-3.0-or-later */
/* first_failure.c: records the failure with the lowest row when several threads work on a set. */
#include "data/dataset.h"

#include <barlow/error.h>

#include <stdio.h>

void bl_first_failure_init(bl_first_failure *f)
{
	pthread_mutex_init(&f->lock, NULL);
	f->row = INT64_MAX;
}

void bl_first_failure_note(bl_first_failure *f, int64_t row)
{
	pthread_mutex_lock(&f->lock);
	if (row < f->row) {
		f->row = row;
		snprintf(f->message, sizeof f->message, "%s", bl_error());
	}
	pthread_mutex_unlock(&f->lock);
}

int bl_first_failure_end(bl_first_failure *f)
{
	pthread_mutex_destroy(&f->lock);
	return f->row == INT64_MAX ? 0 : bl_fail("%s", f->message);
}
