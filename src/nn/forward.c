/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forward.c: runs modules, also in dry runs without side effects.  Error messages name the module by its path. */
#include "nn/module.h"

#include <barlow/ambient.h>
#include <barlow/parallel.h>
#include <barlow/profile.h>
#include <barlow/text.h>

#include <math.h>
#include <stdio.h>

/* The mode in which the calling thread runs modules. */
typedef enum run_mode {
	RUN_PLAIN,
	RUN_PROBE,  /* finds the shape of the output */
	RUN_FINITE, /* finds the first module whose output is not finite */
} run_mode;

bool bl_module_dry(void)
{
	return bl_ambient_here()->dry != RUN_PLAIN;
}

bool bl_module_probing(void)
{
	return bl_ambient_here()->dry == RUN_PROBE;
}

bool bl_module_can_fuse(const bl_module *m)
{
	return m->ops->fused != NULL;
}

static void add_brief(const bl_module *m, char buf[BL_MODULE_SUMMARY])
{
	bl_text t = { buf, BL_MODULE_SUMMARY, 0 };
	buf[0] = '\0';
	if (m->ops->brief)
		m->ops->brief(m, &t);
	else
		bl_text_add(&t, "%s", m->kind);
}

int bl_module_locate_child(const bl_module *m, int i)
{
	char place[BL_MODULE_CHILD_PATH], brief[BL_MODULE_SUMMARY];
	const bl_module *child = m->child[i].module;
	bl_module_child_path(m, i, place);
	if (child->children > 0)
		return bl_fail_prefix("%s%s", place, bl_module_joint(bl_error()));
	add_brief(child, brief);
	return bl_fail_prefix("%s (%s): ", place, brief);
}

static int check_finite(const bl_tensor *t, const char *what)
{
	int64_t at = bl_tensor_find_nonfinite(t), index[BL_MAXDIM];
	char where[BL_SHAPE_TEXT];
	if (at < 0)
		return 0;
	for (int d = t->ndim - 1; d >= 0; d--) {
		index[d] = at % t->shape[d];
		at /= t->shape[d];
	}
	return bl_fail("%s %s at %s", what, isnan(bl_tensor_at(t, index)) ? "NaN" : "an infinity",
	               bl_shape_text(t->ndim, index, where));
}

static int check_slots(const bl_module *m)
{
	char what[64];
	for (int i = 0; i < m->slots; i++) {
		snprintf(what, sizeof what, "%s holds", m->slot[i].name);
		if (check_finite(m->slot[i].tensor, what))
			return -1;
	}
	return 0;
}

static bl_tensor *compute(bl_module *m, bl_tensor *x, bool fused, bl_tensor *residual, bool relu)
{
	if (bl_check_given_up() || (bl_ambient_here()->dry == RUN_FINITE && check_slots(m)))
		return NULL;
	bl_tensor *y = fused ? m->ops->fused(m, x, residual, relu) : m->ops->forward(m, x);
	if (!y || bl_ambient_here()->dry != RUN_FINITE || !check_finite(y, "made"))
		return y;
	bl_tensor_unref(y);
	return NULL;
}

bl_tensor *bl_module_run_child(bl_module *m, int i, bl_tensor *x)
{
	int before = bl_profile_enter(m->child[i].name);
	bl_tensor *y = compute(m->child[i].module, x, false, NULL, false);
	bl_profile_leave(before);
	if (!y)
		bl_module_locate_child(m, i);
	return y;
}

bl_tensor *bl_module_run_fused(bl_module *m, int i, bl_tensor *x, bl_tensor *residual, bool relu)
{
	int before = bl_profile_enter(m->child[i].name);
	bl_tensor *y = compute(m->child[i].module, x, true, residual, relu);
	bl_profile_leave(before);
	if (!y)
		bl_module_locate_child(m, i);
	return y;
}

bl_tensor *bl_module_forward(bl_module *m, bl_tensor *x)
{
	char brief[BL_MODULE_SUMMARY];
	bl_tensor *y = compute(m, x, false, NULL, false);
	if (!y && m->children == 0) {
		add_brief(m, brief);
		bl_fail_prefix("%s: ", brief);
	}
	return y;
}

static bl_tensor *run_dry(bl_module *m, bl_tensor *x, run_mode how)
{
	bl_ambient outside = bl_ambient_enter();
	bl_grad_enable(false);
	bl_ambient_here()->dry = (int)how;
	bl_tensor *y = bl_module_forward(m, x);
	bl_ambient_leave(outside);
	return y;
}

int bl_module_find_nonfinite(bl_module *m, bl_tensor *x, char *buf, size_t size)
{
	bl_tensor *y = check_finite(x, "the input holds") ? NULL : run_dry(m, x, RUN_FINITE);
	snprintf(buf, size, "%s", y ? "" : bl_error());
	bl_tensor_unref(y);
	return !y;
}

static bl_tensor *probe(bl_module *m, int64_t c, int64_t h, int64_t w)
{
	bl_tensor *x = bl_tensor_full(4, (int64_t[]){ 1, c, h, w }, 0);
	bl_tensor *y = x ? run_dry(m, x, RUN_PROBE) : NULL;
	bl_tensor_unref(x);
	return y;
}

/* If the module accepts images of this size with another number of channels (1 to 4), the message names that number. */
static void hint_channels(bl_module *m, int64_t c, int64_t h, int64_t w)
{
	char why[512];
	snprintf(why, sizeof why, "%s", bl_error());
	for (int64_t k = 1; k <= 4; k++) {
		bl_tensor *y = k != c ? probe(m, k, h, w) : NULL;
		bl_tensor_unref(y);
		if (y) {
			bl_fail("%s; the network takes images of %lld %s, these have %lld: make it with channels = %lld", why,
			        (long long)k, bl_text_plural(k, "channel", "channels"), (long long)c, (long long)c);
			return;
		}
	}
	bl_fail("%s", why);
}

int64_t bl_module_features(bl_module *m, int64_t c, int64_t h, int64_t w)
{
	char text[BL_SHAPE_TEXT];
	bl_tensor *y = probe(m, c, h, w);
	int64_t width = y ? bl_tensor_count(y) : -1;
	if (!y)
		hint_channels(m, c, h, w);
	if (y && (y->ndim < 1 || y->shape[0] != 1))
		width = bl_fail("%s: expected one row of features for one input, got shape %s", m->kind, bl_tensor_text(y, text));
	bl_tensor_unref(y);
	return width;
}
