/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lapack.c: Gram matrices, and linear algebra by OpenBLAS's LAPACK, which is called by its Fortran names. */
#include "tensor/matrix/lapack.h"

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
extern void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha, const double *a,
                   const int *lda, const double *b, const int *ldb, const double *beta, double *c, const int *ldc);
/*
 * The last arguments of Fortran functions are the lengths of strings.  Without them, dsyevd may overwrite the caller's
 * stack.
 */
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w, double *work,
                    const int *lwork, int *iwork, const int *liwork, int *info, size_t job_length, size_t triangle_length);

extern void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivot, int *info);
extern void dgetrs_(const char *trans, const int *n, const int *nrhs, const double *a, const int *lda, const int *pivot, double *b,
                    const int *ldb, int *info, size_t trans_length);
extern void dpotrf_(const char *triangle, const int *n, double *a, const int *lda, int *info, size_t triangle_length);
extern void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s, double *u, const int *ldu,
                    double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info, size_t job_length);

/* If OpenBLAS used several threads, its results would depend on their number. */
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

/* Writes the first m elements of vectors from..to-1, in double and shifted, to out (to - from, m). */
static void load(const gram *j, int64_t from, int64_t to, int64_t m, double *out)
{
	for (int64_t k = from; k < to; k++, out += m) {
		const float *x = j->x + k * j->step_k;

		for (int64_t i = 0; i < m; i++)
			out[i] = x[i * j->step_i] - (j->shift ? j->shift[i] : 0);
	}
}

/* Computes rows first..last-1 of g, each up to the diagonal. */
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
		/* Fortran's arrays are column-major: for dgemm, v is (last, depth), and g is transposed. */
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
	if (atomic_load(&j.failed)) /* the pool's thread has its own bl_error */
		return bl_fail("no memory for the products of %lld vectors", (long long)m);
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

/* Reverses the order of the rows of a, as reverse() reverses the order of their eigenvalues. */
static void reverse_rows(double *a, int64_t n)
{
	for (int64_t k = 0; k < n / 2; k++)
		for (int64_t i = 0; i < n; i++) {
			double v = a[k * n + i];

			a[k * n + i] = a[(n - 1 - k) * n + i];
			a[(n - 1 - k) * n + i] = v;
		}
}

/*
 * Computes eigenvalues in ascending order, and eigenvectors if job is "V" (not if it is "N").  In the first call,
 * lwork = -1 makes LAPACK return the size of its work arrays.
 */
static int solve(const char *job, int64_t n, double *a, double *w)
{
	int size = (int)n, query = -1, lwork, liwork, info;
	double room, *work;

	if (n < 1 || n > INT_MAX / 128)
		return bl_fail("eigenvalues of a %" PRId64 " x %" PRId64 " matrix: it is empty or too large", n, n);
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

static int check_size(const char *what, int64_t m, int64_t n)
{
	if (m < 1 || n < 1 || m > INT_MAX / 128 || n > INT_MAX / 128)
		return bl_fail("%s of a %" PRId64 " x %" PRId64 " matrix: it is empty or too large", what, m, n);
	prepare();
	return 0;
}

/* Fortran's arrays are column-major, so that LAPACK solves for the transpose of the row-major a. */
int64_t bl_lu_solve(int64_t n, int64_t right, double *a, bool transposed, double *b)
{
	int size = (int)n, sides = (int)right, info;
	int *pivot;

	if (check_size("solution", n, right) < 0)
		return -1;
	pivot = bl_block_take((size_t)n * sizeof(*pivot));
	if (!pivot)
		return -1;
	dgetrf_(&size, &size, a, &size, pivot, &info);
	if (info == 0)
		dgetrs_(transposed ? "N" : "T", &size, &sides, a, &size, pivot, b, &size, &info, 1);
	bl_block_give(pivot);
	return info;
}

int64_t bl_cholesky_factor(int64_t n, double *a)
{
	int size = (int)n, info;

	if (check_size("Cholesky factor", n, n) < 0)
		return -1;
	dpotrf_("U", &size, a, &size, &info, 1);
	for (int64_t i = 0; i < n; i++)
		for (int64_t j = i + 1; j < n; j++)
			a[i * n + j] = 0;
	return info;
}

int bl_svd(int64_t m, int64_t n, double *a, double *s, double *u, double *vt)
{
	int rows = (int)n, columns = (int)m, least = (int)(m < n ? m : n), query = -1, lwork, info;
	int *places;
	double room, *work;

	if (check_size("singular values", m, n) < 0)
		return -1;
	places = bl_block_take((size_t)(8 * least) * sizeof(*places));
	if (!places)
		return -1;
	dgesdd_("S", &rows, &columns, a, &rows, s, vt, &rows, u, &least, &room, &query, places, &info, 1);
	lwork = info || room > INT_MAX - 1 ? 0 : (int)room;
	work = lwork ? bl_block_take((size_t)lwork * sizeof(*work)) : NULL;
	if (work)
		dgesdd_("S", &rows, &columns, a, &rows, s, vt, &rows, u, &least, work, &lwork, places, &info, 1);
	bl_block_give(work);
	bl_block_give(places);
	if (lwork == 0)
		return bl_fail("singular values of a %" PRId64 " x %" PRId64 " matrix: too large", m, n);
	if (!work)
		return -1;
	return info ? bl_fail("singular values of a %" PRId64 " x %" PRId64 " matrix did not converge", m, n) : 0;
}
