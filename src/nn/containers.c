/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * containers.c: modules made of modules.  If a ReLU or a residual sum follows a batch norm, the batch norm computes it
 * in the same pass over memory.
 */
#include "nn/layers.h"

#include <stdio.h>

/* Runs children 0..n-1, one after the other. */
static bl_tensor *run_first(bl_module *m, bl_tensor *x, int n)
{
	bl_tensor *h = bl_tensor_ref(x);
	for (int i = 0, taken; h && i < n; i += taken) {
		bool fuse = i + 1 < n && bl_module_can_fuse(m->child[i].module) && bl_module_is_relu(m->child[i + 1].module);
		bl_tensor *y = fuse ? bl_module_run_fused(m, i, h, NULL, true) : bl_module_run_child(m, i, h);
		bl_tensor_unref(h);
		h = y;
		taken = 1 + fuse;
	}
	return h;
}

static bl_tensor *sequential_forward(bl_module *m, bl_tensor *x)
{
	return run_first(m, x, m->children);
}

static const bl_module_ops sequential_ops = {
	.kind = "sequential",
	.size = sizeof(bl_module),
	.forward = sequential_forward,
};

bl_module *bl_nn_sequential(void)
{
	return bl_module_new(&sequential_ops);
}

bl_module *bl_sequential_named(const char *kind)
{
	bl_module *m = bl_module_new(&sequential_ops);
	if (m) {
		m->kind = kind;
		m->maker = "sequential";
	}
	return m;
}

int bl_nn_append(bl_module *m, const char *name, bl_module *child)
{
	char number[16];
	if (m->ops != &sequential_ops)
		return bl_fail("append: expected a sequential, got a %s", m->kind);
	snprintf(number, sizeof number, "%d", m->children);
	return bl_module_add_child(m, name ? name : number, child);
}

/* Children: branch[, shortcut]. */
typedef struct residual {
	bl_module base;
	bool relu;
} residual;

static int same_shape(const bl_tensor *branch, const bl_tensor *shortcut)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	if (bl_tensor_same_shape(branch, shortcut))
		return 0;
	return bl_fail("residual: the branch gives %s, the shortcut %s", bl_tensor_text(branch, a), bl_tensor_text(shortcut, b));
}

/* Can the last child of the branch add the shortcut in the same pass? */
static bool ends_in_norm(const bl_module *branch)
{
	int n = branch->children;
	return branch->ops == &sequential_ops && n > 0 && bl_module_can_fuse(branch->child[n - 1].module);
}

static bl_tensor *run_branch(bl_module *m, bl_tensor *x)
{
	bl_module *branch = m->child[0].module;
	if (!ends_in_norm(branch))
		return bl_module_run_child(m, 0, x);
	bl_tensor *h = run_first(branch, x, branch->children - 1);
	if (!h)
		bl_module_locate_child(m, 0);
	return h;
}

static bl_tensor *join(bl_module *m, bl_tensor *h, bl_tensor *s)
{
	bl_module *branch = m->child[0].module;
	bool relu = ((const residual *)m)->relu;
	if (ends_in_norm(branch)) {
		bl_tensor *y = bl_module_run_fused(branch, branch->children - 1, h, s, relu);
		if (!y)
			bl_module_locate_child(m, 0);
		return y;
	}
	bl_tensor *sum = bl_add(h, s);
	bl_tensor *y = sum && relu ? bl_relu(sum) : sum;
	if (y != sum)
		bl_tensor_unref(sum);
	return y;
}

static bl_tensor *residual_forward(bl_module *m, bl_tensor *x)
{
	bl_tensor *h = run_branch(m, x);
	bl_tensor *s = !h ? NULL : m->children > 1 ? bl_module_run_child(m, 1, x) : bl_tensor_ref(x);
	bl_tensor *y = s && !same_shape(h, s) ? join(m, h, s) : NULL;
	bl_tensor_unref(h);
	bl_tensor_unref(s);
	return y;
}

static void residual_options(const bl_module *m, bl_text *t)
{
	bl_text_add(t, "%s", ((const residual *)m)->relu ? "" : ", {relu = false}");
}

static const bl_module_ops residual_ops = {
	.kind = "residual",
	.options = residual_options,
	.size = sizeof(residual),
	.forward = residual_forward,
};

bl_module *bl_nn_residual(bl_module *branch, bl_module *shortcut, bool relu)
{
	bl_module *m = bl_module_new(&residual_ops);
	if (!m)
		return NULL;
	((residual *)m)->relu = relu;
	if (bl_module_add_child(m, "branch", branch) || (shortcut && bl_module_add_child(m, "shortcut", shortcut))) {
		bl_module_unref(m);
		return NULL;
	}
	return m;
}
