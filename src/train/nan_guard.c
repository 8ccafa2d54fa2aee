/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nan_guard.c: a step that produces NaN or infinity leaves weights and buffers unchanged, and its message names the
 * origin.
 */
#include "train/trainer.h"

#include <barlow/grad.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Buffers -------------------------------------------------------------------- */

static int count_buffer(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	(void)name, (void)t;
	*(int *)ctx += kind == BL_PARAM_BUFFER;
	return 0;
}

static int add_buffer(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	struct nan_guard *g = ctx;
	(void)name;
	if (kind != BL_PARAM_BUFFER)
		return 0;
	g->copy[g->n] = bl_tensor_clone(t);
	if (!g->copy[g->n])
		return -1;
	g->live[g->n++] = bl_tensor_ref(t);
	return 0;
}

int bl_nan_guard_init(struct nan_guard *g, bl_module *encoder, bl_module *projector)
{
	int n = 0;
	bl_module_each(encoder, count_buffer, &n);
	if (projector)
		bl_module_each(projector, count_buffer, &n);
	g->live = calloc((size_t)n + 1, sizeof *g->live);
	g->copy = calloc((size_t)n + 1, sizeof *g->copy);
	if (!g->live || !g->copy)
		return bl_fail("trainer: no memory for %d buffers", n);
	if (bl_module_each(encoder, add_buffer, g) != 0)
		return -1;
	return projector ? bl_module_each(projector, add_buffer, g) : 0;
}

void bl_nan_guard_free(struct nan_guard *g)
{
	for (int i = 0; i < g->n; i++) {
		bl_tensor_unref(g->live[i]);
		bl_tensor_unref(g->copy[i]);
	}
	free(g->live);
	free(g->copy);
}

/* The copies were created with the same shapes, so copying cannot fail. */
void bl_nan_guard_save(struct nan_guard *g)
{
	for (int i = 0; i < g->n; i++)
		bl_tensor_copy(g->copy[i], g->live[i]);
}

void bl_nan_guard_restore(struct nan_guard *g)
{
	for (int i = 0; i < g->n; i++)
		bl_tensor_copy(g->live[i], g->copy[i]);
}

/* Are all buffers finite?  A ReLU may turn a NaN into 0, but running statistics keep it. */
bool bl_nan_guard_finite(const struct nan_guard *g)
{
	for (int i = 0; i < g->n; i++)
		if (bl_tensor_find_nonfinite(g->live[i]) >= 0)
			return false;
	return true;
}

/* --- Origin ----------------------------------------------------------------------- */

static bool blame_input(const bl_trainer *t, const bl_tensor *view, int which, char *buf, size_t size)
{
	int64_t at = bl_tensor_find_nonfinite(view);
	if (at < 0)
		return false;
	int64_t image = at / (bl_tensor_count(view) / bl_tensor_size(view, 0));
	snprintf(buf, size, "the encoder's input is not finite: view %d of image %lld of the data set", which + 1,
	         (long long)t->rows[image]);
	return true;
}

static bool blame_module(bl_module *m, const char *root, bl_tensor *x, char *buf, size_t size)
{
	char path[256];
	if (bl_module_find_nonfinite(m, x, path, sizeof path) != 1)
		return false;
	snprintf(buf, size, "%s%s%s", root, bl_module_joint(path), path);
	return true;
}

static bool blame_view(const bl_trainer *t, bl_tensor *view, int which, char *buf, size_t size)
{
	const bl_trainer_config *c = &t->config;
	if (blame_input(t, view, which, buf, size) || blame_module(c->encoder, "encoder", view, buf, size))
		return true;
	bl_tensor *h = c->projector ? bl_module_forward(c->encoder, view) : NULL;
	bool found = h && blame_module(c->projector, "projector", h, buf, size);
	bl_tensor_unref(h);
	return found;
}

/*
 * Fails with the origin of a NaN or infinity.  The buffers are restored first, because they may already contain the NaN
 * and would be named as its origin.
 */
int bl_nan_guard_blame(bl_trainer *t, bl_tensor *const *view, const char *what)
{
	char text[384];
	bl_nan_guard_restore(&t->guard);
	bool recording = bl_grad_enable(false);
	bool found = false;
	for (int v = 0; v < t->views && !found; v++)
		found = blame_view(t, view[v], v, text, sizeof text);
	bl_grad_enable(recording);
	if (found)
		return bl_fail("%s", text);
	return bl_fail("%s, though every module's output is finite", what);
}
