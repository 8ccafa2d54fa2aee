/* SPDX-License-Identifier: GPL-3.0-or-later */
/* start.c: saves the weights that a run starts from, if they were not initialised randomly. */
#include "store/state.h"

#include <barlow/checkpoint.h>
#include <barlow/error.h>

#include <stdlib.h>

typedef struct job {
	const char *path;
	bl_trainer *trainer;
	int rc;
} job;

/*
 * Replaces the weights in s by those that the run started from, because the weights of a run that has begun have
 * changed.
 */
static int put_back(bl_state *s, const bl_trainer *t)
{
	for (int i = 0; i < s->n; i++) {
		const bl_tensor *start = bl_trainer_start_tensor(t, i);
		if (!start && i == 0)
			return 0; /* the run has not begun */
		if (!start || !bl_tensor_same_shape(start, s->items[i].tensor))
			return bl_fail("tensor '%s' was added, or has changed its shape, since the run began", s->items[i].name);
		bl_tensor_unref(s->items[i].tensor);
		s->items[i].tensor = bl_tensor_ref((bl_tensor *)start);
	}
	return 0;
}

static void save(void *ctx)
{
	job *j = ctx;
	const bl_trainer_config *c = bl_trainer_settings(j->trainer);
	bl_module *roots[] = { c->encoder, c->projector };
	bl_state s = { 0 };
	j->rc = bl_state_collect(&s, roots, (const char *const[]){ "encoder", "projector" }, c->projector ? 2 : 1);
	if (j->rc == 0)
		j->rc = put_back(&s, j->trainer);
	if (j->rc == 0)
		j->rc = bl_safetensors_write(j->path, s.items, s.n, NULL, bl_file_write_private);
	bl_named_free(s.items, s.n);
}

int bl_start_save(const char *path, bl_trainer *t)
{
	job j = { path, t, 0 };
	bl_trainer_between_steps(t, save, &j);
	return j.rc;
}
