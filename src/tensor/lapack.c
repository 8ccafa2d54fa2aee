/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lapack.c: Gram matrices and symmetric eigenvalues by the LAPACK inside OpenBLAS, through its Fortran names. */
#include "tensor/lapack.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { COLUMNS = 128, DEPTH = 256 };

extern void openblas_set_num_threads(int n);
extern void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
		   const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
		   const int *ldc);
/* Fortran passes the lengths of strings last; dsyevd calls on in Fortran and may reuse their place on the stack. */
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w,
		    double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t job_length,
		    size_t triangle_length);

/* OpenBLAS's own threads change digits with their number. */
static void single_thread(void)
{
	openblas_set_num_threads(1);
}

static void prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, single_thread);
}

typedef struct gram {
	int64_t m, count, chunks, step_k, step_i;
	const float *x;
	const double *shift;
	double *g;
	atomic_bool failed;
} gram;

/* out (to - from, m): vectors from..to-1 in double, shifted. */
static void load(const gram *j, int64_t from, int64_t to, int64_t m, double *out)
{
	for (int64_t k = from; k < to; k++, out += m) {
		const float *x = j->x + k * j->step_k;

		for (int64_t i = 0; i < m; i++)
			out[i] = x[i * j->step_i] - (j->shift ? j->shift[i] : 0);
	}
}

/* Rows first..last-1 of g up to their diagonal: a row needs only what lies left of it. */
static void gram_chunk(void *ctx, int64_t chunk)
{
	gram *j = ctx;
	int64_t first, last;
	double *v;

	bl_chunk_range(j->m, j->chunks, chunk, &first, &last);
	v = bl_block_take((size_t)(DEPTH * last) * sizeof(*v));
	if (!v) {
		atomic_store(&j->failed, true);
		return;
	}
	for (int64_t k = 0; k < j->count; k += DEPTH) {
		int depth = (int)(j->count - k < DEPTH ? j->count - k : DEPTH);
		int rows = (int)(last - first), wide = (int)last, ld = (int)j->m;

		load(j, k, k + depth, last, v);
		/* In Fortran's column order v is (last, depth) and the rows of g are its columns. */
		dgemm_("N", "T", &wide, &rows, &depth, &(double){ 1 }, v, &wide, v + first, &wide, &(double){ k > 0 },
		       j->g + first * j->m, &ld);
	}
	bl_block_give(v);
}

int bl_gram(int64_t m, int64_t count, const float *x, int64_t step_k, int64_t step_i, const double *shift, double *g)
{
	gram j = { .m = m, .count = count, .step_k = step_k, .step_i = step_i, .x = x, .shift = shift, .g = g };

	prepare();
	j.chunks = (m + COLUMNS - 1) / COLUMNS;
	bl_parallel(j.chunks, gram_chunk, &j);
	if (atomic_load(&j.failed))
		return -1;
	for (int64_t r = 0; r < m; r++)
		for (int64_t c = r + 1; c < m; c++)
			g[r * m + c] = g[c * m + r];
	return 0;
}

static void reverse(double *w, int64_t n)
{
	for (int64_t i = 0; i < n / 2; i++) {
		double v = w[i];

		w[i] = w[n - 1 - i];
		w[n - 1 - i] = v;
	}
}

/* Row k of a and row n - 1 - k change places, as their eigenvalues do. */
static void reverse_rows(double *a, int64_t n)
{
	for (int64_t k = 0; k < n / 2; k++)
		for (int64_t i = 0; i < n; i++) {
			double v = a[k * n + i];

			a[k * n + i] = a[(n - 1 - k) * n + i];
			a[(n - 1 - k) * n + i] = v;
		}
}

/* job "N" or "V"; ascending.  LAPACK says how much room it wants when lwork is -1. */
static int solve(const char *job, int64_t n, double *a, double *w)
{
	int size = (int)n, query = -1, lwork, liwork, info;
	double room, *work;

	if (n < 1 || n > INT_MAX / 128)
		return bl_fail("eigenvalues of a %" PRId64 " x %" PRId64 " matrix", n, n);
	prepare();
	dsyevd_(job, "U", &size, a, &size, w, &room, &query, &liwork, &query, &info, 1, 1);
	if (info || room > INT_MAX - 1)
		return bl_fail("eigenvalues of a %d x %d matrix: too large", size, size);
	lwork = (int)room;
	work = bl_block_take((size_t)lwork * sizeof(*work) + (size_t)liwork * sizeof(int));
	if (!work)
		return -1;
	dsyevd_(job, "U", &size, a, &size, w, work, &lwork, (int *)(void *)(work + lwork), &liwork, &info, 1, 1);
	bl_block_give(work);
	return info ? bl_fail("eigenvalues of a %d x %d matrix did not converge", size, size) : 0;
}

int bl_eigh(int64_t n, double *a, double *w)
{
	if (solve("N", n, a, w) != 0)
		return -1;
	reverse(w, n);
	return 0;
}

int bl_eigh_vectors(int64_t n, double *a, double *w)
{
	if (solve("V", n, a, w) != 0)
		return -1;
	reverse(w, n);
	reverse_rows(a, n);
	return 0;
}
