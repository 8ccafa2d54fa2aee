/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loss.h: losses as objects: Barlow Twins (Zbontar et al. 2021, arXiv 2103.03230), and others.
 *
 * A loss maps the embeddings of V >= 2 views of a batch, (N,D) each, to a differentiable scalar.  It is defined by a
 * const table of operations: the names of its terms, its settings and which of them may change during a run, the
 * matrix that screens show, and its lower bound (floor).  Trainer, records, checkpoints, commands and screens use
 * only this table.  To add a loss, add a file in src/loss and a line in src/loss/losses.c, or make one from a table of
 * your own (as the Lua face does for functions of the user).
 *
 *     bl_loss *l = bl_loss_of("vicreg");
 *     bl_tensor *y = bl_loss_forward(l, NULL, (bl_tensor *[]){ za, zb }, 2, NULL, &result);
 */
#ifndef BARLOW_LOSS_H
#define BARLOW_LOSS_H

#include <barlow/field.h>
#include <barlow/grad.h>

/* --- The interface --- */

enum { BL_LOSS_TERMS = 8, BL_LOSS_ROOM = 32, BL_LOSS_NAME = 24, BL_LOSS_VIEWS = 16 };

typedef enum bl_loss_dialect {
	BL_DIALECT_PAPER,      /* biased variance, eps 1e-5 */
	BL_DIALECT_ALGORITHM1, /* unbiased std, no eps */
	BL_DIALECT_HSIC,       /* paper's normalisation, off-diagonal target -1 (Tsai et al. 2021) */
	BL_DIALECT_UNBIASED,   /* unbiased variance, eps 1e-5: (x - mean) / sqrt(var + eps) */
} bl_loss_dialect;

typedef struct bl_loss bl_loss;

/* A term is measured without its weight. */
typedef struct bl_loss_term {
	const char *name;                      /* "redundancy": letters, digits, underscores; shorter than BL_LOSS_NAME */
	const char *brief;                     /* where there is little room; NULL: the name */
	const char *weight;                    /* the setting that multiplies it in the total; NULL: 1 */
	const char *weighted, *weighted_brief; /* names of the product, UTF-8: "λ·redundancy", "λ·red" */
	char mark; /* letter in a chart in ASCII, of the weighted term if there is one; 0: the name's first */
} bl_loss_term;

/* Information about the batch; all of it may be missing. */
typedef struct bl_loss_batch {
	int64_t step;          /* 0 for the first */
	int64_t epoch;         /* 0 for the first */
	uint64_t seed;         /* of the run */
	const int64_t *rows;   /* (N) of the data set, 0-based; NULL: not known */
	const int32_t *labels; /* (N), 0-based; NULL: the data set has none, or bl_loss_ops.labels is false */
} bl_loss_batch;

typedef struct bl_loss_result {
	double total;
	double term[BL_LOSS_TERMS]; /* in the order of the loss's terms */
	double floor;               /* lower bound of total; NaN: none known */
} bl_loss_result;

typedef struct bl_loss_ops {
	const char *name, *help;   /* "barlow"; a line */
	const bl_field *fields;    /* its settings, in at most BL_LOSS_ROOM doubles; `settable` ones may change in a run */
	const bl_loss_term *terms; /* BL_LOSS_TERMS at most, ended by a NULL name; may be filled in by the first forward */
	const char *turn;          /* the settable one that the keys + and - change; NULL: the first */
	const char *symbol;        /* how a screen writes that one, UTF-8: "λ"; NULL: its name */
	int views;                 /* the largest number of views; 0: any */
	bool labels;               /* it reads bl_loss_batch.labels */
	/*
	 * z[0..views-1] (N,D), all of one shape, N >= 2 -> scalar, whose value is out->total up to rounding; fills in
	 * out->total and out->term.  settings are this call's; ctx is that of bl_loss_new.  NULL with bl_error.
	 */
	bl_tensor *(*forward)(void *ctx, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
	                      bl_loss_result *out);
	/* NULL, or NaN: none known. */
	double (*floor)(const void *settings, int views, int64_t n, int64_t d);
	/* The standardisation of the matrix C that the loss uses; NULL: it uses none. */
	bl_loss_dialect (*matrix)(const void *settings);
	void (*release)(void *ctx); /* may be NULL */
} bl_loss_ops;

/* The losses of the library, "barlow" first.  i counts from 0; NULL after the last. */
const bl_loss_ops *bl_loss_kind(int i);
/* One of them with its default settings; for an unknown name NULL with bl_error, which names the nearest. */
bl_loss *bl_loss_of(const char *name);
/*
 * A loss from any table, which must outlive it; settings NULL: the defaults.  Settings are copied and checked.  On
 * failure NULL with bl_error, and ctx is released.
 */
bl_loss *bl_loss_new(const bl_loss_ops *ops, const void *settings, void *ctx);
/* The same loss with these settings, which are checked; it keeps l.  NULL with bl_error. */
bl_loss *bl_loss_with(bl_loss *l, const void *settings);
bl_loss *bl_loss_ref(bl_loss *l);
void bl_loss_unref(bl_loss *l); /* NULL is fine */

const bl_loss_ops *bl_loss_ops_of(const bl_loss *l);
void *bl_loss_ctx(const bl_loss *l);
const void *bl_loss_settings(const bl_loss *l); /* never change: to change some, keep a copy */
/* Copies settings of the loss to `to`, which has room for BL_LOSS_ROOM doubles; from NULL: its own. */
void bl_loss_settings_copy(const bl_loss *l, void *to, const void *from);
int bl_loss_terms(const bl_loss *l); /* how many; 0: not known before the first forward */
/* The field that + and - change, or NULL if nothing is settable. */
const bl_field *bl_loss_turn(const bl_loss *l);

/*
 * Computes the loss of all views (N,D), N >= 2: a new scalar, or NULL with bl_error, which begins with the loss's name.
 * settings NULL: the loss's own; at and out may be NULL.  Numbers that are not finite are not an error here.
 */
bl_tensor *bl_loss_forward(const bl_loss *l, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                           bl_loss_result *out);
double bl_loss_floor(const bl_loss *l, const void *settings, int views, int64_t n, int64_t d); /* NaN: none known */
/* Sets *out to the dialect of the loss's matrix; false: it has none, and *out is the paper's. */
bool bl_loss_matrix(const bl_loss *l, const void *settings, bl_loss_dialect *out);

/*
 * --- The loss of a batch in chunks, whose graphs need not be in memory together (GradCache, Gao et al. 2021, arXiv
 * 2101.06983).
 *
 * Embeddings are collected without a graph; the loss is computed from all of them, since moments and Gram matrices
 * belong to the whole batch; then each chunk's embeddings are computed again, with a graph, through which the loss's
 * gradient flows:
 *
 *     bl_loss_chunks *c = bl_loss_chunks_new(l, NULL, 2);
 *     for each chunk: bl_loss_chunks_add(c, z);              z made with bl_grad_enable(false)
 *     bl_loss_chunks_finish(c, &batch, &result);
 *     for each chunk: bl_loss_chunks_backward(c, k, z);      z made again, each view by itself
 *
 * The parameters' gradients are those of the whole batch, up to the order of sums, if a chunk's embeddings do not
 * depend on the other images: batch norm in the network uses the moments of the chunk.  The caller has to compute z
 * again from the same views and the same random numbers.
 */
typedef struct bl_loss_chunks bl_loss_chunks;
bl_loss_chunks *bl_loss_chunks_new(const bl_loss *l, const void *settings, int views); /* takes a reference to l */
void bl_loss_chunks_free(bl_loss_chunks *c);
/* z[0..views-1] (n,D), n >= 1: numbers are copied.  Negative with bl_error. */
int bl_loss_chunks_add(bl_loss_chunks *c, bl_tensor *const *z);
/* Computes the loss of all chunks into *out, and its gradients, which c keeps.  To be called once. */
int bl_loss_chunks_finish(bl_loss_chunks *c, const bl_loss_batch *at, bl_loss_result *out);
/* Propagates the gradient of the k-th chunk (from 0) back through z. */
int bl_loss_chunks_backward(bl_loss_chunks *c, int k, bl_tensor *const *z);

/*
 * --- Barlow Twins, in its forms and dialects (equations 1 and 2 of the paper)
 *
 *   C = standardise(zA)^T standardise(zB) / N                         (D,D)
 *   L = scale * ( invariance * sum_i (1 - C_ii)^2 + lambda * sum_{i != j} C_ij^2 )
 *
 * `gram` never forms C: ||C||_F^2 = sum((zA zA^T) .* (zB zB^T)) / N^2, which is exact, with O(N^2 D) work and O(N^2)
 * memory.  For more than two views the loss is the sum over their pairs.
 */
typedef enum bl_barlow_form { BL_FORM_AUTO, BL_FORM_DIRECT, BL_FORM_GRAM } bl_barlow_form;

typedef struct bl_barlow_config {
	double lambda; /* >= 0, .0051 */
	double scale;  /* > 0, 1 */
	bl_barlow_form form;
	bl_loss_dialect dialect;
	double invariance; /* weight of the diagonal's term, >= 0, 1 */
} bl_barlow_config;
#define BL_BARLOW_DEFAULT ((bl_barlow_config){ .0051, 1, BL_FORM_AUTO, BL_DIALECT_PAPER, 1 })

bl_loss *bl_loss_barlow(const bl_barlow_config *c); /* NULL: the defaults */

typedef struct bl_barlow_terms {
	double invariance; /* sum_i (1 - C_ii)^2, without its weight */
	double redundancy; /* sum_{i != j} C_ij^2, (C_ij + 1)^2 in hsic; without lambda */
	double total;      /* scale * (weight * invariance + lambda * redundancy) */
} bl_barlow_terms;

/*
 * za, zb (N,D), N >= 2 -> scalar; terms may be NULL.  A unit that is constant in one view has C_ii = 0, and that view's
 * gradient the slope 1/sqrt(eps), about 316, as the authors' batch norm gives it; in algorithm1, which has no eps, the
 * loss is NaN then, as the listing's is.  One that is constant in both has z = 0 and C_ii = 0; in algorithm1 it gets no
 * gradient.  The backward pass may read za and zb again: do not change their numbers before.
 */
bl_tensor *bl_barlow(const bl_barlow_config *c, bl_tensor *za, bl_tensor *zb, bl_barlow_terms *terms);

/* The form that is used for this shape: `auto` selects by cost; always direct if D is 1. */
bl_barlow_form bl_barlow_pick(bl_barlow_form form, int64_t n, int64_t d);

/*
 * Loss floor: scale D K / (D + K), K = lambda (D^2/r - D), r = min(D, N-1) the rank that C can have; 0 where that is
 * D, as C can be the identity then.  The diagonal of algorithm1 and unbiased ends at m = (N-1)/N: where D / (D + K)
 * is more, the floor is scale (D (1 - m)^2 + K m^2).  With a weight w of the invariance it is w times the floor of
 * lambda / w.  NaN, as none is known: lambda > w, hsic, N < 2.
 */
double bl_barlow_floor(const bl_barlow_config *c, int64_t n, int64_t d);

/* The cross-correlation matrix itself, (D,D), outside the graph. */
bl_tensor *bl_loss_correlation(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);

/*
 * A pooled picture of C without forming all of C: g x g cells, g <= D, for each the mean of its block and the signed
 * element of largest magnitude; mean and extreme are (g,g).  diag (D), the diagonal, may be NULL.  0, or negative with
 * bl_error.
 */
int bl_loss_picture(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int g, float *mean, float *extreme,
                    float *diag);

/* The dims of a region's rows or columns, in order, and the number of cells (at most n) that they are pooled to. */
typedef struct bl_loss_side {
	const int32_t *dims;
	int64_t n;
	int cells;
} bl_loss_side;

/* Elements off the diagonal; i and j are dims, 0-based. */
typedef struct bl_loss_pair {
	int32_t i, j;
	float value;
} bl_loss_pair;

/* Results for a region; every array that is not NULL is filled in. */
typedef struct bl_loss_cells {
	float *mean, *extreme; /* (rows->cells, cols->cells) */
	/*
	 * rms is the root mean square of a cell's elements off the diagonal, 0 if there are none; diagonal is the mean of
	 * those on it, NaN if there are none.  Give both arrays or neither.
	 */
	float *rms, *diagonal;
	bl_loss_pair *pair; /* those of largest magnitude, largest first */
	int pairs;          /* room for so many; then how many there are */
} bl_loss_cells;

/*
 * The same for any rows and columns of C, in any order, at the cost of these alone: cells (rows->cells, cols->cells).
 * If za and zb are the same, the matrix is that of one view with itself.
 */
int bl_loss_region(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_cells *out);

/*
 * rms and diagonal alone, in O(N^2 (D + g^2)) instead of O(N D^2), by Gram matrices of the cells: faster if D is much
 * larger than g sqrt(N).  With `samples` < N samples, selected by key, the squares are unbiased estimates.
 */
typedef struct bl_loss_rms {
	float *rms, *diagonal; /* as above */
	int64_t samples;       /* requested, used are 8 to N; on return the number used */
	uint64_t key;
	double error; /* on return the relative standard error of an rms, typical of the cells; 0: exact */
} bl_loss_rms;
int bl_loss_rms_of(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_rms *out);

#endif
