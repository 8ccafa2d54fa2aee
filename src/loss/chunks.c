/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chunks.c: the loss of a batch in chunks: collects embeddings without a graph, and returns the gradient chunk by
 * chunk.
 */
#include <barlow/error.h>
#include <barlow/loss.h>

#include <stdlib.h>

struct bl_loss_chunks {
	bl_loss *loss;
	double settings[BL_LOSS_ROOM];
	int views;
	bl_tensor **part;                /* the views of chunk 0, then those of chunk 1, ... */
	int n;                           /* number of chunks */
	bl_tensor *whole[BL_LOSS_VIEWS]; /* after finish: the rows of all chunks, with their gradients */
};

bl_loss_chunks *bl_loss_chunks_new(const bl_loss *l, const void *settings, int views)
{
	if (views < 2 || views > BL_LOSS_VIEWS)
		return bl_fail_null("chunks of %d views: expected 2 to %d", views, BL_LOSS_VIEWS);
	bl_loss_chunks *c = calloc(1, sizeof *c);
	if (!c)
		return bl_fail_null("no memory for chunks of a batch");
	c->loss = bl_loss_ref((bl_loss *)l);
	c->views = views;
	bl_loss_settings_copy(l, c->settings, settings);
	return c;
}

void bl_loss_chunks_free(bl_loss_chunks *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->n * c->views; i++)
		bl_tensor_unref(c->part[i]);
	for (int v = 0; v < c->views; v++)
		bl_tensor_unref(c->whole[v]);
	free(c->part);
	bl_loss_unref(c->loss);
	free(c);
}

static int check(const bl_loss_chunks *c, bl_tensor *const *z)
{
	char first[BL_SHAPE_TEXT], other[BL_SHAPE_TEXT];
	for (int v = 0; v < c->views; v++) {
		const bl_tensor *like = c->n > 0 ? c->part[0] : z[0];
		if (bl_tensor_ndim(z[v]) != 2 || bl_tensor_size(z[v], 0) != bl_tensor_size(z[0], 0))
			return bl_fail("a chunk's views are %s and %s: expected (n, D) both", bl_tensor_text(z[0], first),
			               bl_tensor_text(z[v], other));
		if (bl_tensor_size(z[v], 1) != bl_tensor_size(like, 1))
			return bl_fail("a chunk is %s: expected a width of %lld, as before", bl_tensor_text(z[v], other),
			               (long long)bl_tensor_size(like, 1));
	}
	return 0;
}

int bl_loss_chunks_add(bl_loss_chunks *c, bl_tensor *const *z)
{
	if (c->whole[0])
		return bl_fail("a chunk came after the batch was finished");
	if (check(c, z) != 0)
		return -1;
	bl_tensor **longer = realloc(c->part, sizeof *longer * (size_t)((c->n + 1) * c->views));
	if (!longer)
		return bl_fail("no memory for %d chunks", c->n + 1);
	c->part = longer;
	for (int v = 0; v < c->views; v++) {
		bl_tensor *copy = bl_tensor_new(2, bl_tensor_shape(z[v]));
		c->part[c->n * c->views + v] = copy;
		if (copy) {
			bl_tensor_copy(copy, z[v]);
			continue;
		}
		while (v-- > 0)
			bl_tensor_unref(c->part[c->n * c->views + v]);
		return -1;
	}
	c->n++;
	return 0;
}

/* Sets c->whole to the rows of all chunks, as leaves that require a gradient. */
static int join(bl_loss_chunks *c)
{
	bl_tensor **column = malloc(sizeof *column * (size_t)c->n);
	if (!column)
		return bl_fail("no memory for %d chunks", c->n);
	bool recording = bl_grad_enable(false);
	for (int v = 0; v < c->views; v++) {
		for (int k = 0; k < c->n; k++)
			column[k] = c->part[k * c->views + v];
		c->whole[v] = bl_cat(column, c->n, 0);
		if (!c->whole[v])
			break;
		bl_tensor_set_requires_grad(c->whole[v], true);
	}
	bl_grad_enable(recording);
	free(column);
	return c->whole[c->views - 1] ? 0 : -1;
}

int bl_loss_chunks_finish(bl_loss_chunks *c, const bl_loss_batch *at, bl_loss_result *out)
{
	if (c->n == 0 || c->whole[0])
		return bl_fail(c->n ? "the batch was finished before" : "the batch has no chunks");
	if (join(c) != 0)
		return -1;
	bool recording = bl_grad_enable(true);
	bl_tensor *y = bl_loss_forward(c->loss, c->settings, c->whole, c->views, at, out);
	int rc = y ? bl_backward(y, NULL) : -1;
	bl_tensor_unref(y);
	bl_grad_enable(recording);
	return rc;
}

static int backward_view(const bl_loss_chunks *c, int k, int v, int64_t from, bl_tensor *z)
{
	const bl_tensor *like = c->part[k * c->views + v];
	bl_tensor *grad = bl_tensor_grad(c->whole[v]);
	char has[BL_SHAPE_TEXT], needs[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(z) != 2 || bl_tensor_size(z, 0) != bl_tensor_size(like, 0) ||
	    bl_tensor_size(z, 1) != bl_tensor_size(like, 1))
		return bl_fail("chunk %d is %s now, it was %s", k, bl_tensor_text(z, has), bl_tensor_text(like, needs));
	if (!grad) /* the loss does not depend on this view */
		return 0;
	bool recording = bl_grad_enable(false);
	bl_tensor *seed = bl_narrow(grad, 0, from, bl_tensor_size(z, 0));
	bl_grad_enable(recording);
	int rc = seed ? bl_backward(z, seed) : -1;
	bl_tensor_unref(seed);
	return rc;
}

int bl_loss_chunks_backward(bl_loss_chunks *c, int k, bl_tensor *const *z)
{
	int64_t from = 0;
	if (!c->whole[0] || k < 0 || k >= c->n)
		return bl_fail("chunk %d: %s", k, c->whole[0] ? "there is none" : "the batch is not finished");
	for (int i = 0; i < k; i++)
		from += bl_tensor_size(c->part[i * c->views], 0);
	for (int v = 0; v < c->views; v++)
		if (backward_view(c, k, v, from, z[v]) != 0)
			return -1;
	return 0;
}
