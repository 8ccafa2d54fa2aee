/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arrange.c: orders of the dims for pictures of C.
 *
 * By cluster: average linkage on the similarity (|C_ij| + |C_ji|) / 2, computed by the nearest-neighbour chain
 * algorithm in O(D^2).  When two clusters are merged, their more similar ends become adjacent.  So redundant dims form
 * blocks in the picture.
 */
#include "monitor/snapshot.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <math.h>
#include <stdlib.h>

#include "loss/standard.h"

bool bl_arrange_can(bl_order order, int64_t d)
{
	return order != BL_ORDER_CLUSTER || d <= BL_CLUSTER_MOST; /* clustering needs the whole C */
}

/* --- By diagonal --------------------------------------------------------------------- */

struct ranked {
	double value;
	int32_t dim;
};

static int larger_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->dim < y->dim ? -1 : 1;
}

static int by_diagonal(const bl_monitor_input *l, int64_t d, int32_t *dims)
{
	bl_standard s;
	if (bl_standard_make(&s, l->dialect, l->z[0], l->z[1]) != 0)
		return -1;
	struct ranked *r = bl_block_take((size_t)d * sizeof *r);
	for (int64_t i = 0; r && i < d; i++)
		r[i] = (struct ranked){ s.diag[i], (int32_t)i };
	if (r)
		qsort(r, (size_t)d, sizeof *r, larger_first);
	for (int64_t i = 0; r && i < d; i++)
		dims[i] = r[i].dim;
	bl_standard_free(&s);
	bl_block_give(r);
	return r ? 0 : -1;
}

/* --- By cluster ------------------------------------------------------------------------ */

/* Cluster i is active when size[i] > 0; its leaves are a list from head to tail. */
struct linkage {
	int64_t d;
	float *like, *leaf; /* (D,D) similarity of clusters, and of leaves */
	int32_t *size, *head, *tail, *next, *chain;
	int length; /* number of clusters in the chain */
};

static void reverse(struct linkage *k, int32_t c)
{
	int32_t before = -1, at = k->head[c], after;
	for (; at >= 0; before = at, at = after) {
		after = k->next[at];
		k->next[at] = before;
	}
	k->tail[c] = k->head[c];
	k->head[c] = before;
}

static float touch(const struct linkage *k, int32_t a, int32_t b)
{
	return k->leaf[a * k->d + b];
}

/* Appends b's leaves to a's; either list is reversed if that brings the more similar ends together. */
static void append(struct linkage *k, int32_t a, int32_t b)
{
	float near = fmaxf(touch(k, k->head[a], k->head[b]), touch(k, k->head[a], k->tail[b]));
	if (near > fmaxf(touch(k, k->tail[a], k->head[b]), touch(k, k->tail[a], k->tail[b])))
		reverse(k, a);
	if (touch(k, k->tail[a], k->tail[b]) > touch(k, k->tail[a], k->head[b]))
		reverse(k, b);
	k->next[k->tail[a]] = k->head[b];
	k->tail[a] = k->tail[b];
}

static void merge(struct linkage *k, int32_t a, int32_t b)
{
	float wa = (float)k->size[a], wb = (float)k->size[b];
	append(k, a, b);
	k->size[a] += k->size[b];
	k->size[b] = 0;
	for (int64_t i = 0; i < k->d; i++)
		k->like[a * k->d + i] = k->like[i * k->d + a] =
			(wa * k->like[a * k->d + i] + wb * k->like[b * k->d + i]) / (wa + wb);
}

/*
 * Returns the cluster that is most similar to c.  Among equally similar clusters, it prefers `before`, so that chains
 * end, and otherwise the first one.
 */
static int32_t nearest(const struct linkage *k, int32_t c, int32_t before)
{
	int32_t best = before;
	for (int32_t i = 0; i < k->d; i++)
		if (i != c && k->size[i] > 0 && (best < 0 || k->like[c * k->d + i] > k->like[c * k->d + best]))
			best = i;
	return best;
}

/* Appends a cluster to the chain, or merges its last two clusters if each is the other's nearest. */
static void extend(struct linkage *k)
{
	if (k->length == 0) {
		int32_t first = 0;
		while (k->size[first] == 0)
			first++;
		k->chain[k->length++] = first;
	}
	int32_t top = k->chain[k->length - 1], before = k->length > 1 ? k->chain[k->length - 2] : -1;
	int32_t next = nearest(k, top, before);
	if (next != before) {
		k->chain[k->length++] = next;
		return;
	}
	k->length -= 2;
	merge(k, top < before ? top : before, top < before ? before : top);
}

static void link_all(struct linkage *k, const float *c, int32_t *dims)
{
	for (int64_t i = 0; i < k->d; i++) {
		k->size[i] = 1;
		k->head[i] = k->tail[i] = (int32_t)i;
		k->next[i] = -1;
		for (int64_t j = 0; j < k->d; j++) {
			float like = .5f * (fabsf(c[i * k->d + j]) + fabsf(c[j * k->d + i]));
			k->like[i * k->d + j] = k->leaf[i * k->d + j] = like == like ? like : 0; /* NaN has no order */
		}
	}
	while (k->size[0] < k->d)
		extend(k);
	if (k->head[0] > k->tail[0])
		reverse(k, 0);
	for (int32_t at = k->head[0]; at >= 0; at = k->next[at])
		*dims++ = at;
}

static int by_cluster(const bl_monitor_input *l, int64_t d, int32_t *dims)
{
	struct linkage k = { .d = d };
	bl_tensor *c = bl_loss_correlation(l->dialect, l->z[0], l->z[1]);
	void *block = bl_block_take((size_t)(2 * d * d) * sizeof(float) + (size_t)(5 * d) * sizeof(int32_t));
	if (c && block) {
		k.like = block;
		k.leaf = k.like + d * d;
		k.size = (int32_t *)(void *)(k.leaf + d * d);
		k.head = k.size + d;
		k.tail = k.head + d;
		k.next = k.tail + d;
		k.chain = k.next + d;
		link_all(&k, bl_tensor_data(c), dims);
	}
	int rc = c && block ? 0 : -1;
	bl_tensor_unref(c);
	bl_block_give(block);
	return rc;
}

int bl_arrange(const bl_monitor_input *l, bl_order order, int32_t *dims)
{
	int64_t d = bl_tensor_size(l->z[0], 1);
	if (order == BL_ORDER_DIAGONAL)
		return by_diagonal(l, d, dims);
	return order == BL_ORDER_CLUSTER ? by_cluster(l, d, dims) : bl_fail("monitor: %d is not an order of dims", (int)order);
}
