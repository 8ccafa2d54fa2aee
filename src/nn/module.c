/* SPDX-License-Identifier: GPL-3.0-or-later */
/* module.c: trees of modules: creates, queries, traverses and frees them. */
#include "nn/module.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bl_text_add(bl_text *t, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = t->used < t->size ? vsnprintf(t->buf + t->used, t->size - t->used, fmt, args) : 0;
	va_end(args);
	t->used += n > 0 ? (size_t)n : 0;
}

void bl_text_add_setting(bl_text *t, bool *open, const char *fmt, ...)
{
	char setting[96];
	va_list args;
	va_start(args, fmt);
	vsnprintf(setting, sizeof setting, fmt, args);
	va_end(args);
	bl_text_add(t, "%s%s", *open ? ", " : ", {", setting);
	*open = true;
}

bl_module *bl_module_new(const bl_module_ops *ops)
{
	bl_module *m = calloc(1, ops->size);
	if (!m)
		return bl_fail_null("%s: no memory", ops->kind);
	atomic_init(&m->refs, 1);
	m->ops = ops;
	m->kind = ops->kind;
	m->training = true;
	m->levels = 1;
	m->members = 1;
	return m;
}

bl_module *bl_module_ref(bl_module *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

void bl_module_unref(bl_module *m)
{
	if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
		return;
	if (m->ops->release)
		m->ops->release(m);
	for (int i = 0; i < m->slots; i++)
		bl_tensor_unref(m->slot[i].tensor);
	for (int i = 0; i < m->children; i++) {
		free(m->child[i].name);
		bl_module_unref(m->child[i].module);
	}
	free(m->child);
	free(m->input);
	bl_provenance_unref(m->provenance);
	free(m);
}

int bl_module_set_input(bl_module *m, const float *mean, const float *std, int channels)
{
	size_t part = (size_t)channels * sizeof *mean;
	float *input = malloc(2 * part);
	if (!input)
		return bl_fail("%s: no memory", m->kind);
	memcpy(input, mean, part);
	memcpy(input + channels, std, part);
	free(m->input);
	m->input = input;
	m->input_channels = channels;
	return 0;
}

int bl_module_input(const bl_module *m, float *mean, float *std)
{
	size_t part = (size_t)m->input_channels * sizeof *mean;
	if (m->input && mean)
		memcpy(mean, m->input, part);
	if (m->input && std)
		memcpy(std, m->input + m->input_channels, part);
	return m->input_channels;
}

bl_module *bl_module_or_null(bl_module *m, bool ok)
{
	if (ok)
		return m;
	bl_module_unref(m);
	return NULL;
}

bl_module *bl_module_finish(bl_module *m, bool ok)
{
	m = bl_module_or_null(m, ok);
	if (m)
		bl_module_init(m, 0);
	return m;
}

int bl_module_add_slot(bl_module *m, const char *name, bl_param_kind kind, int ndim, const int64_t *shape)
{
	bl_tensor *t = bl_tensor_full(ndim, shape, 0);
	if (!t)
		return -1;
	bl_tensor_set_requires_grad(t, kind != BL_PARAM_BUFFER);
	m->slot[m->slots++] = (bl_slot){ name, t, kind };
	return 0;
}

/* Is `what` m itself or one of its descendants? */
static bool contains(const bl_module *m, const bl_module *what)
{
	bool found = m == what;
	for (int i = 0; i < m->children && !found; i++)
		found = contains(m->child[i].module, what);
	return found;
}

static int check_child(const bl_module *m, const char *name, const bl_module *child)
{
	if (!*name || strchr(name, '.'))
		return bl_fail("%s: '%s' is no name for a child: expected one or more characters, none of them a dot", m->kind,
		               name);
	for (int i = 0; i < m->children; i++)
		if (!strcmp(m->child[i].name, name))
			return bl_fail("%s: there is a child '%s' already", m->kind, name);
	if (child->levels >= BL_MODULE_LEVELS)
		return bl_fail("%s: modules can be nested at most %d levels deep", m->kind, BL_MODULE_LEVELS);
	if (m->members + child->members > BL_MODULE_MEMBERS)
		return bl_fail("%s: a module can contain at most %d modules, itself included", m->kind, BL_MODULE_MEMBERS);
	if (contains(child, m))
		return bl_fail("%s: a module cannot be inside itself", m->kind);
	return 0;
}

static int grow(bl_module *m)
{
	int room = m->room ? 2 * m->room : 8;
	bl_child *more = realloc(m->child, (size_t)room * sizeof *more);
	if (!more)
		return bl_fail("%s: no memory", m->kind);
	m->child = more;
	m->room = room;
	return 0;
}

int bl_module_add_child(bl_module *m, const char *name, bl_module *child)
{
	if (check_child(m, name, child) || (m->children == m->room && grow(m)))
		return -1;
	char *copy = strdup(name);
	if (!copy)
		return bl_fail("%s: no memory", m->kind);
	m->child[m->children++] = (bl_child){ copy, bl_module_ref(child) };
	m->levels = child->levels >= m->levels ? child->levels + 1 : m->levels;
	m->members += child->members;
	return 0;
}

int bl_module_adopt(bl_module *m, const char *name, bl_module *child)
{
	int rc = child ? bl_module_add_child(m, name, child) : -1;
	bl_module_unref(child);
	return rc;
}

const char *bl_module_kind(const bl_module *m)
{
	return m->kind;
}

static void add_text(const bl_module *m, bl_text *t)
{
	bl_text_add(t, "nn.%s(", m->maker ? m->maker : m->kind);
	if (m->summary[0])
		bl_text_add(t, "%s", m->summary);
	else if (m->ops->arguments)
		m->ops->arguments(m, t);
	for (int i = 0; i < m->children && !m->summary[0]; i++) {
		bl_text_add(t, i ? ", " : "");
		add_text(m->child[i].module, t);
	}
	if (m->ops->options)
		m->ops->options(m, t);
	bl_text_add(t, ")");
}

char *bl_module_text(const bl_module *m, char *buf, size_t size)
{
	bl_text t = { buf, size, 0 };
	add_text(m, &t);
	return buf;
}

void bl_module_train(bl_module *m, bool training)
{
	m->training = training;
	for (int i = 0; i < m->children; i++)
		bl_module_train(m->child[i].module, training);
}

bool bl_module_training(const bl_module *m)
{
	return m->training;
}

int bl_module_children(const bl_module *m)
{
	return m->children;
}

bl_module *bl_module_child(const bl_module *m, int i)
{
	return m->child[i].module;
}

const char *bl_module_child_name(const bl_module *m, int i)
{
	return m->child[i].name;
}

char *bl_module_child_path(const bl_module *m, int i, char buf[BL_MODULE_CHILD_PATH])
{
	const char *name = m->child[i].name;
	if (strspn(name, "0123456789") == strlen(name))
		snprintf(buf, BL_MODULE_CHILD_PATH, "[%d]", i + 1);
	else
		snprintf(buf, BL_MODULE_CHILD_PATH, ".%s", name);
	return buf;
}

const char *bl_module_joint(const char *message)
{
	return *message == '[' || *message == '.' ? "" : ": ";
}

/* Every slot has its own random stream.  *stream is the stream of m's first slot, and becomes that of the next slot. */
static void init_from(bl_module *m, uint64_t seed, uint32_t *stream)
{
	if (m->ops->init)
		m->ops->init(m, seed, *stream);
	*stream += (uint32_t)m->slots;
	for (int i = 0; i < m->children; i++)
		init_from(m->child[i].module, seed, stream);
}

void bl_module_init(bl_module *m, uint64_t seed)
{
	uint32_t stream = 0;
	init_from(m, seed, &stream);
	bl_module_set_provenance(m, NULL);
}

/*
 * Calls fn for the tensors of m and its descendants.  path[0..length-1] contains the names of the modules from the root
 * to m, each with a dot after it.  The names of m's tensors and children are written after these names.
 */
static int each_from(bl_module *m, char path[BL_MODULE_PATH], size_t length, bl_module_visit *fn, void *ctx)
{
	int rc = 0;
	for (int i = 0; i < m->slots && !rc; i++) {
		int n = snprintf(path + length, BL_MODULE_PATH - length, "%s", m->slot[i].name);
		if (length + (size_t)n >= BL_MODULE_PATH)
			return bl_fail("the name %s... is longer than %d bytes", path, BL_MODULE_PATH - 1);
		rc = fn(ctx, path, m->slot[i].tensor, m->slot[i].kind);
	}
	for (int i = 0; i < m->children && !rc; i++) {
		int n = snprintf(path + length, BL_MODULE_PATH - length, "%s.", m->child[i].name);
		if (length + (size_t)n >= BL_MODULE_PATH)
			return bl_fail("the name %s... is longer than %d bytes", path, BL_MODULE_PATH - 1);
		rc = each_from(m->child[i].module, path, length + (size_t)n, fn, ctx);
	}
	return rc;
}

int bl_module_each(bl_module *m, bl_module_visit *fn, void *ctx)
{
	char path[BL_MODULE_PATH] = "";
	return each_from(m, path, 0, fn, ctx);
}

static int add_count(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	(void)name;
	*(int64_t *)ctx += kind == BL_PARAM_BUFFER ? 0 : bl_tensor_count(t);
	return 0;
}

int64_t bl_module_count(bl_module *m)
{
	int64_t n = 0;
	bl_module_each(m, add_count, &n);
	return n;
}
