/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ownership.c: a trainer owns its modules from its creation until another trainer takes them, which is refused while the
 * run is running or paused.  The weights that a run starts from can be restored: either the modules were initialised
 * randomly from the seed, or the trainer keeps a copy of them.
 */
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 256 };

/*
 * Called with each module and its path, such as "encoder.layer1[1]".  A result other than 0 ends the visit, and is
 * returned.
 */
typedef int visit_fn(void *ctx, bl_module *m, const char *path);

static int visit(bl_module *m, char path[PATH], size_t length, visit_fn *fn, void *ctx)
{
	char place[BL_MODULE_CHILD_PATH];
	int rc = fn(ctx, m, path);
	for (int i = 0; i < bl_module_children(m) && rc == 0; i++) {
		int n = snprintf(path + length, PATH - length, "%s", bl_module_child_path(m, i, place));
		rc = visit(bl_module_child(m, i), path, length + (size_t)n < PATH ? length + (size_t)n : length, fn, ctx);
		path[length] = '\0';
	}
	return rc;
}

static int visit_all(const bl_trainer_config *c, visit_fn *fn, void *ctx)
{
	char path[PATH] = "encoder";
	int rc = visit(c->encoder, path, strlen(path), fn, ctx);
	if (rc != 0 || !c->projector)
		return rc;
	strcpy(path, "projector");
	return visit(c->projector, path, strlen(path), fn, ctx);
}

/* Returns the article before a path: "the encoder", but "encoder.layer1". */
static const char *article(const char *path)
{
	return strpbrk(path, ".[") ? "" : "the ";
}

/* --- Checks --------------------------------------------------------------------------- */

static int check_one(void *ctx, bl_module *m, const char *path)
{
	const bl_trainer_config *c = ctx;
	const bl_provenance *p = bl_module_provenance(m);
	if (!p || !bl_provenance_is_run(p))
		return 0;
	if (bl_provenance_live(p))
		return bl_fail(
			"trainer: %s%s is being trained by run '%s' (step %lld), which has not ended: stop that first, or "
			"make a new one",
			article(path), path, bl_provenance_name(p), (long long)bl_provenance_step(p));
	if (bl_provenance_step(p) == 0 || c->warm_start)
		return 0;
	return bl_fail(
		"trainer: %s%s was trained by run '%s' (step %lld): give warm_start = true to start from its weights, "
		"or make a new one",
		article(path), path, bl_provenance_name(p), (long long)bl_provenance_step(p));
}

int bl_ownership_check(const bl_trainer_config *c)
{
	return visit_all(c, check_one, (void *)c);
}

static void take(bl_trainer *t)
{
	const bl_trainer_config *c = &t->config;
	bl_module_set_provenance(c->encoder, t->provenance);
	if (c->projector)
		bl_module_set_provenance(c->projector, t->provenance);
}

/*
 * Fails for a module of another run.  A module that was initialised or loaded since the trainer was made belongs to no
 * other run, so the trainer still owns it.
 */
static int check_held(void *ctx, bl_module *m, const char *path)
{
	const bl_trainer *t = ctx;
	const bl_provenance *p = bl_module_provenance(m);
	if (!p || p == t->provenance || !bl_provenance_is_run(p))
		return 0;
	return bl_fail("trainer: %s%s now belongs to another trainer (run '%s'): make a new trainer", article(path), path,
	               bl_provenance_name(p));
}

/* --- Starting weights ------------------------------------------------------------------- */

/* Were the module's weights loaded or trained since their initialisation? */
static int is_made(void *ctx, bl_module *m, const char *path)
{
	const bl_trainer *t = ctx;
	const bl_provenance *p = bl_module_provenance(m);
	(void)path;
	return p && p != t->provenance && (!bl_provenance_is_run(p) || bl_provenance_step(p) > 0);
}

bool bl_trainer_warm(const bl_trainer *t)
{
	return t->warm || (!t->begun && visit_all(&t->config, is_made, (void *)t) != 0);
}

static int copy_one(void *ctx, const char *name, bl_tensor *x, bl_param_kind kind)
{
	struct start *s = ctx;
	(void)name, (void)kind;
	bl_tensor **more = realloc(s->tensor, (size_t)(s->n + 1) * sizeof *more);
	if (!more)
		return bl_fail("trainer: no memory for its starting weights");
	s->tensor = more;
	s->tensor[s->n] = bl_tensor_new(bl_tensor_ndim(x), bl_tensor_shape(x));
	if (!s->tensor[s->n] || bl_tensor_copy(s->tensor[s->n], x) != 0)
		return -1;
	s->n++;
	return 0;
}

int bl_ownership_take(bl_trainer *t)
{
	t->provenance = bl_provenance_new(t->info.name, true);
	if (!t->provenance)
		return -1;
	t->warm = t->config.warm_start || bl_trainer_warm(t);
	take(t);
	return 0;
}

void bl_ownership_free(bl_trainer *t)
{
	for (int i = 0; i < t->start.n; i++)
		bl_tensor_unref(t->start.tensor[i]);
	free(t->start.tensor);
	bl_provenance_unref(t->provenance);
}

int bl_ownership_begin(bl_trainer *t)
{
	const bl_trainer_config *c = &t->config;
	if (visit_all(&t->config, check_held, t) != 0)
		return -1;
	if (t->begun)
		return 0;
	t->warm = bl_trainer_warm(t);
	bool keeps = t->warm && t->start.n == 0;
	if (keeps && bl_module_each(c->encoder, copy_one, &t->start) != 0)
		return -1;
	if (keeps && c->projector && bl_module_each(c->projector, copy_one, &t->start) != 0)
		return -1;
	take(t);
	t->begun = true;
	return 0;
}

/* --- Access ------------------------------------------------------------------------------- */

const bl_tensor *bl_trainer_start_tensor(const bl_trainer *t, int k)
{
	return k >= 0 && k < t->start.n ? t->start.tensor[k] : NULL;
}
