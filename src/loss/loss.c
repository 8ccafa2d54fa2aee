/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loss.c: loss objects: a table of operations, settings, and the checks that all losses share. */
#include <barlow/loss.h>

#include <barlow/error.h>

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct bl_loss {
	atomic_int refs;
	const bl_loss_ops *ops;
	void *ctx;
	bl_loss *of; /* a reference to the loss that owns ctx; NULL: this loss owns it */
	double settings[BL_LOSS_ROOM];
};

/* --- Creation ---------------------------------------------------------------- */

static int check(const bl_loss_ops *ops, const void *settings)
{
	for (const bl_field *f = ops->fields; f->name; f++)
		if (f->offset + sizeof(double) > sizeof(double[BL_LOSS_ROOM]))
			return bl_fail("loss %s: its settings take more than %zu bytes", ops->name, sizeof(double[BL_LOSS_ROOM]));
	return settings && bl_settings_check(ops->fields, settings) != 0 ? bl_fail_prefix("loss.%s: ", ops->name) : 0;
}

/* Copies field by field, because the caller's struct may have other bytes between the fields, and may be smaller. */
void bl_loss_settings_copy(const bl_loss *l, void *to, const void *from)
{
	double v[BL_LIST_MOST];
	for (const bl_field *f = l->ops->fields; f->name; f++) {
		int n = bl_field_get(f, from ? from : l->settings, v);
		if (n > 0)
			bl_field_set(f, to, v, n);
	}
}

static bl_loss *make_room(const bl_loss_ops *ops)
{
	bl_loss *l = calloc(1, sizeof *l);
	return l ? l : bl_fail_null("loss.%s: no memory", ops->name);
}

bl_loss *bl_loss_new(const bl_loss_ops *ops, const void *settings, void *ctx)
{
	bl_loss *l = check(ops, settings) == 0 ? make_room(ops) : NULL;
	if (!l) {
		if (ops->release)
			ops->release(ctx);
		return NULL;
	}
	l->refs = 1;
	l->ops = ops;
	l->ctx = ctx;
	bl_fields_default(ops->fields, l->settings);
	if (settings)
		bl_loss_settings_copy(l, l->settings, settings);
	return l;
}

bl_loss *bl_loss_with(bl_loss *l, const void *settings)
{
	bl_loss *out = check(l->ops, settings) == 0 ? make_room(l->ops) : NULL;
	if (!out)
		return NULL;
	*out = *l;
	out->refs = 1;
	out->of = bl_loss_ref(l);
	bl_loss_settings_copy(out, out->settings, settings);
	return out;
}

bl_loss *bl_loss_ref(bl_loss *l)
{
	atomic_fetch_add(&l->refs, 1);
	return l;
}

void bl_loss_unref(bl_loss *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->of)
		bl_loss_unref(l->of);
	else if (l->ops->release)
		l->ops->release(l->ctx);
	free(l);
}

/* --- Queries ----------------------------------------------------------------- */

const bl_loss_ops *bl_loss_ops_of(const bl_loss *l)
{
	return l->ops;
}

void *bl_loss_ctx(const bl_loss *l)
{
	return l->ctx;
}

const void *bl_loss_settings(const bl_loss *l)
{
	return l->settings;
}

int bl_loss_terms(const bl_loss *l)
{
	int n = 0;
	while (l->ops->terms && n < BL_LOSS_TERMS && l->ops->terms[n].name)
		n++;
	return n;
}

const bl_field *bl_loss_turn(const bl_loss *l)
{
	for (const bl_field *f = l->ops->fields; f->name; f++)
		if (f->settable && (!l->ops->turn || strcmp(f->name, l->ops->turn) == 0))
			return f;
	return NULL;
}

static const void *in_force(const bl_loss *l, const void *settings)
{
	return settings ? settings : l->settings;
}

double bl_loss_floor(const bl_loss *l, const void *settings, int views, int64_t n, int64_t d)
{
	return l->ops->floor ? l->ops->floor(in_force(l, settings), views, n, d) : NAN;
}

bool bl_loss_matrix(const bl_loss *l, const void *settings, bl_loss_dialect *out)
{
	*out = l->ops->matrix ? l->ops->matrix(in_force(l, settings)) : BL_DIALECT_PAPER;
	return l->ops->matrix;
}

/* --- Forward ----------------------------------------------------------------- */

static int check_views(const bl_loss *l, bl_tensor *const *z, int views)
{
	char first[BL_SHAPE_TEXT], other[BL_SHAPE_TEXT];
	int most = l->ops->views ? l->ops->views : BL_LOSS_VIEWS;
	if (views < 2 || views > most)
		return bl_fail(most == 2 ? "%d views: expected %d" : "%d views: expected 2 to %d", views, most);
	for (int v = 0; v < views; v++) {
		if (bl_tensor_ndim(z[v]) != 2 || bl_tensor_size(z[v], 0) < 2)
			return bl_fail("expected embeddings (N, D) with N of 2 or more, got %s", bl_tensor_text(z[v], other));
		if (bl_tensor_size(z[v], 0) != bl_tensor_size(z[0], 0) || bl_tensor_size(z[v], 1) != bl_tensor_size(z[0], 1))
			return bl_fail("views of different shapes: %s and %s", bl_tensor_text(z[0], first),
			               bl_tensor_text(z[v], other));
	}
	return 0;
}

bl_tensor *bl_loss_forward(const bl_loss *l, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                           bl_loss_result *out)
{
	static const bl_loss_batch nothing;
	bl_loss_result own = { .floor = NAN };
	bl_tensor *y = NULL;
	if (check_views(l, z, views) == 0)
		y = l->ops->forward(l->ctx, in_force(l, settings), z, views, at ? at : &nothing, &own);
	if (!y) {
		bl_fail_prefix("loss.%s: ", l->ops->name);
		return NULL;
	}
	own.floor = bl_loss_floor(l, settings, views, bl_tensor_size(z[0], 0), bl_tensor_size(z[0], 1));
	if (out)
		*out = own;
	return y;
}
