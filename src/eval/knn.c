/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * knn.c: classifies by weighted nearest neighbours, with cosine similarity (Wu et al. 2018).
 *
 * The matrix of all similarities is never stored.  A chunk of queries is compared with one block of references after
 * the other.  For each query, a heap contains the k nearest references so far; its root is the farthest of them.
 */
#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include "tensor/matrix/blas.h"
#include "eval/label_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { QUERIES = 256, REFS = 1024, NO_REF = INT32_MAX };

typedef struct neighbour {
	float similarity;
	int32_t ref;
} neighbour;

typedef struct search {
	atomic_llong done; /* chunks that are finished */
	const float *refs, *queries;
	const float *ref_scale, *query_scale; /* 1 / norm */
	const int32_t *ref_labels, *query_labels;
	int64_t n_refs, n_queries, width;
	int k, classes;
	double temperature;
	int64_t *correct;         /* queries of each chunk that were classified correctly */
	int32_t *guess;           /* class of each query; NULL: not wanted */
	const volatile int *stop; /* nonzero: stop; NULL: the search is never stopped */
	atomic_bool failed;
} search;

/* Is a farther than b?  Of two equally similar references, the one with the smaller index is nearer. */
static bool farther(neighbour a, neighbour b)
{
	return a.similarity < b.similarity || (a.similarity == b.similarity && a.ref > b.ref);
}

/* Replaces the root of a heap of k elements by v. */
static void replace_root(neighbour *heap, int k, neighbour v)
{
	int at = 0;

	for (int child = 1; child < k; child = 2 * at + 1) {
		if (child + 1 < k && farther(heap[child + 1], heap[child]))
			child++;
		if (!farther(heap[child], v))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = v;
}

/* Updates the heap of a query with references from..from+n-1, given their dot products with the query. */
static void update_heap(const search *s, const float *dots, float query_scale, int64_t from, int64_t n, neighbour *heap)
{
	float worst = heap[0].similarity;

	for (int64_t j = 0; j < n; j++) {
		float similarity = dots[j] * query_scale * s->ref_scale[from + j];

		if (!(similarity > worst)) /* indices ascend, so an equal similarity is farther */
			continue;
		replace_root(heap, s->k, (neighbour){ similarity, (int32_t)(from + j) });
		worst = heap[0].similarity;
	}
}

/*
 * Returns the class with the most votes.  A neighbour's vote is exp(similarity / temperature); it is computed relative
 * to the nearest neighbour's, so that it cannot overflow.
 */
static int vote(const search *s, const neighbour *heap, double *votes)
{
	float nearest = heap[0].similarity;
	int best = 0;

	memset(votes, 0, (size_t)s->classes * sizeof(*votes));
	for (int i = 1; i < s->k; i++)
		nearest = fmaxf(nearest, heap[i].similarity);
	for (int i = 0; i < s->k; i++)
		if (heap[i].ref != NO_REF) /* NO_REF: fewer than k similarities were neither NaN nor -infinity */
			votes[s->ref_labels[heap[i].ref]] += exp(((double)heap[i].similarity - nearest) / s->temperature);
	for (int c = 1; c < s->classes; c++)
		if (votes[c] > votes[best])
			best = c;
	return best;
}

static bool is_stopped(const search *s)
{
	return s->stop && *s->stop;
}

static int64_t count_correct(const search *s, int64_t first, int64_t n, float *dots, neighbour *heaps, double *votes)
{
	int64_t correct = 0;

	for (int64_t i = 0; i < n * s->k; i++)
		heaps[i] = (neighbour){ -INFINITY, NO_REF };
	for (int64_t j = 0; j < s->n_refs && !is_stopped(s); j += REFS) {
		int64_t m = s->n_refs - j < REFS ? s->n_refs - j : REFS;

		bl_gemm(false, true, n, m, s->width, 1, s->queries + first * s->width, s->width, s->refs + j * s->width, s->width,
		        0, dots, m);
		for (int64_t i = 0; i < n; i++)
			update_heap(s, dots + i * m, s->query_scale[first + i], j, m, heaps + i * s->k);
	}
	for (int64_t i = 0; i < n; i++) {
		int class = vote(s, heaps + i * s->k, votes);

		correct += class == s->query_labels[first + i];
		if (s->guess)
			s->guess[first + i] = class;
	}
	return correct;
}

static void search_chunk(void *ctx, int64_t chunk)
{
	search *s = ctx;
	int64_t first = chunk * QUERIES, n = s->n_queries - first < QUERIES ? s->n_queries - first : QUERIES;
	float *dots = bl_block_take(QUERIES * REFS * sizeof(*dots));
	neighbour *heaps = bl_block_take((size_t)(QUERIES * (int64_t)s->k) * sizeof(*heaps));
	double *votes = bl_block_take((size_t)s->classes * sizeof(*votes));

	if (dots && heaps && votes)
		s->correct[chunk] = count_correct(s, first, n, dots, heaps, votes);
	else
		atomic_store(&s->failed, true);
	bl_block_give(dots);
	bl_block_give(heaps);
	bl_block_give(votes);
	bl_advance("kNN", (atomic_fetch_add(&s->done, 1) + 1) * QUERIES, s->n_queries);
}

static double search_all(search *s)
{
	int64_t chunks = (s->n_queries + QUERIES - 1) / QUERIES, correct = 0;

	s->correct = bl_block_take((size_t)chunks * sizeof(*s->correct));
	if (!s->correct)
		return -1;
	bl_parallel(chunks, search_chunk, s);
	bl_advance_end();
	for (int64_t c = 0; c < chunks; c++)
		correct += s->correct[c];
	bl_block_give(s->correct);
	if (atomic_load(&s->failed))
		return bl_fail("kNN: no memory");
	if (is_stopped(s))
		return bl_fail("stopped");
	return (double)correct / (double)s->n_queries;
}

typedef struct norms {
	const float *x;
	int64_t n, width;
	float *scale;
} norms;

/* Computes 1 / norm of each row.  A row of zeros gets 0, so its similarity to all others is 0. */
static void norms_chunk(void *ctx, int64_t chunk)
{
	const norms *w = ctx;
	int64_t last = (chunk + 1) * REFS < w->n ? (chunk + 1) * REFS : w->n;

	for (int64_t i = chunk * REFS; i < last; i++) {
		const float *row = w->x + i * w->width;
		double sum = 0;

		for (int64_t j = 0; j < w->width; j++)
			sum += (double)row[j] * row[j];
		w->scale[i] = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
	}
}

static float *inverse_norms(const float *x, int64_t n, int64_t width)
{
	norms w = { x, n, width, bl_block_take((size_t)n * sizeof(float)) };

	if (w.scale)
		bl_parallel((n + REFS - 1) / REFS, norms_chunk, &w);
	return w.scale;
}

static int check(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                 const int32_t *query_labels, int classes)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];

	if (bl_tensor_ndim(refs) != 2 || bl_tensor_ndim(queries) != 2 || bl_tensor_count(refs) == 0 ||
	    bl_tensor_count(queries) == 0 || bl_tensor_size(refs, 1) != bl_tensor_size(queries, 1))
		return bl_fail("kNN: references are %s and queries %s, expected (N, F) and (M, F)", bl_tensor_text(refs, a),
		               bl_tensor_text(queries, b));
	if (bl_tensor_size(refs, 0) >= INT32_MAX)
		return bl_fail("kNN: %" PRId64 " references are too many", bl_tensor_size(refs, 0));
	if (c->k < 1 || !(c->temperature > 0))
		return bl_fail("kNN: k = %d and temperature = %g, expected both above 0", c->k, c->temperature);
	if (bl_labels_check("kNN: reference", ref_labels, bl_tensor_size(refs, 0), classes) < 0)
		return -1;
	if (bl_labels_check("kNN: query", query_labels, bl_tensor_size(queries, 0), classes) < 0)
		return -1;
	if (bl_rows_check("kNN: reference", refs) < 0)
		return -1;
	return bl_rows_check("kNN: query", queries);
}

double bl_eval_knn(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   const int32_t *query_labels, int classes)
{
	return bl_eval_knn_guess(c, refs, ref_labels, queries, query_labels, classes, NULL);
}

double bl_eval_knn_guess(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                         const int32_t *query_labels, int classes, int32_t *guess)
{
	search s = { .ref_labels = ref_labels, .query_labels = query_labels, .classes = classes, .guess = guess, .stop = c->stop };
	bl_tensor *r, *q;
	float *ref_scale = NULL, *query_scale = NULL;
	double accuracy = -1;

	if (check(c, refs, ref_labels, queries, query_labels, classes) < 0)
		return -1;
	r = bl_tensor_contiguous((bl_tensor *)refs);
	q = bl_tensor_contiguous((bl_tensor *)queries);
	if (r && q) {
		s.refs = bl_tensor_data(r);
		s.queries = bl_tensor_data(q);
		s.n_refs = bl_tensor_size(r, 0);
		s.n_queries = bl_tensor_size(q, 0);
		s.width = bl_tensor_size(r, 1);
		s.k = c->k < s.n_refs ? c->k : (int)s.n_refs;
		s.temperature = c->temperature;
		s.ref_scale = ref_scale = inverse_norms(s.refs, s.n_refs, s.width);
		s.query_scale = query_scale = inverse_norms(s.queries, s.n_queries, s.width);
	}
	if (ref_scale && query_scale)
		accuracy = search_all(&s);
	bl_block_give(ref_scale);
	bl_block_give(query_scale);
	bl_tensor_unref(r);
	bl_tensor_unref(q);
	return accuracy;
}
