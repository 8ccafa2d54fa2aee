/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loss.h: losses as objects: Barlow Twins (Zbontar et al. 2021, arXiv 2103.03230), and others.
 *
 * A loss maps the embeddings of V >= 2 views of a batch, (N,D) each, to a differentiable scalar.  It is defined by a
 * const table of operations: the names of its terms, its settings and which of them may change during a run, the
 * matrix that screens show, and its lower bound (floor).  The trainer, records, checkpoints, commands and screens use
 * a loss through this table only.  To add a loss, add a file in src/loss and a line in src/loss/losses.c, or pass a
 * table of your own to bl_loss_new (as the Lua binding does for functions of the user).
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

/* How embeddings are standardised over the batch.  C's off-diagonal elements have the target 0, except in HSIC. */
typedef enum bl_loss_dialect {
	BL_DIALECT_PAPER,      /* biased variance, eps 1e-5: batch norm, as in the authors' code */
	BL_DIALECT_ALGORITHM1, /* unbiased standard deviation, no eps: algorithm 1 of the paper */
	BL_DIALECT_HSIC,       /* standardised as in PAPER; off-diagonal target -1 (Tsai et al. 2021) */
	BL_DIALECT_UNBIASED,   /* unbiased variance, eps 1e-5: (x - mean) / sqrt(var + eps) */
} bl_loss_dialect;

typedef struct bl_loss bl_loss;

/* A term of a loss.  Its recorded value is not multiplied by its weight.  Its strings must live as long as the loss. */
typedef struct bl_loss_term {
	const char *name;                      /* "redundancy": at most BL_LOSS_NAME - 1 letters, digits, underscores */
	const char *brief;                     /* shorter name where there is little room; NULL: the name */
	const char *weight;                    /* the setting that multiplies it in the total; NULL: 1 */
	const char *weighted, *weighted_brief; /* names of the product, UTF-8: "λ·redundancy", "λ·red" */
	/*
	 * Letter of its curve in ASCII charts; 0: the name's first letter.  If `weight` is set, this is the letter of the
	 * product, and the term's value without the weight has the capital letter.
	 */
	char mark;
} bl_loss_term;

/* Information about the batch, borrowed during the call; all zeros if nothing is known. */
typedef struct bl_loss_batch {
	int64_t step;          /* 0 for the first */
	int64_t epoch;         /* 0 for the first */
	uint64_t seed;         /* seed of the run */
	const int64_t *rows;   /* (N): the images' rows in the data set, 0-based; NULL: unknown */
	const int32_t *labels; /* (N): 0-based; NULL: the data set has none, or bl_loss_ops.labels is false */
} bl_loss_batch;

typedef struct bl_loss_result {
	double total;
	double term[BL_LOSS_TERMS]; /* values without weights, in the order of the loss's terms */
	double floor;               /* lower bound of total; NaN: none known */
} bl_loss_result;

typedef struct bl_loss_ops {
	const char *name, *help;   /* "barlow"; one line of text */
	const bl_field *fields;    /* its settings: at most BL_LOSS_ROOM doubles; `settable` ones may change in a run */
	const bl_loss_term *terms; /* at most BL_LOSS_TERMS; name NULL ends them; the first forward may fill them in */
	const char *turn;          /* the settable field that the keys + and - of screens change; NULL: the first one */
	const char *symbol;        /* the text that screens show for that field, UTF-8: "λ"; NULL: its name */
	int views;                 /* the largest number of views; 0: any */
	bool labels;               /* does it read bl_loss_batch.labels? */
	/*
	 * Computes the loss of z[0..views-1], (N,D) each with N >= 2: returns a new scalar tensor, and sets
	 * out->total (the same value, up to rounding) and out->term.  settings are those of this call, ctx is that of
	 * bl_loss_new.  NULL with bl_error.
	 */
	bl_tensor *(*forward)(void *ctx, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
	                      bl_loss_result *out);
	/* The lower bound of the total for this shape.  NULL, or a result of NaN: none is known. */
	double (*floor)(const void *settings, int views, int64_t n, int64_t d);
	/* The standardisation of the matrix C that the loss uses; NULL: it uses none. */
	bl_loss_dialect (*matrix)(const void *settings);
	void (*release)(void *ctx); /* may be NULL */
} bl_loss_ops;

/* The i-th loss of the library, from 0; "barlow" is the first.  Static; NULL after the last. */
const bl_loss_ops *bl_loss_kind(int i);
/*
 * A new reference to the library's loss of this name, with its default settings.  NULL with bl_error, which suggests a
 * similar name if there is one.
 */
bl_loss *bl_loss_of(const char *name);
/*
 * A new loss with the operations of a table, which must outlive the loss.  Settings (NULL: the defaults) are checked
 * and copied.  The loss owns ctx: ops->release is called with it when the loss is freed, or if this function fails.
 * NULL with bl_error.
 */
bl_loss *bl_loss_new(const bl_loss_ops *ops, const void *settings, void *ctx);
/*
 * A new loss with l's operations and other settings, which are checked and copied; it holds a reference to l.  NULL
 * with bl_error.
 */
bl_loss *bl_loss_with(bl_loss *l, const void *settings);
bl_loss *bl_loss_ref(bl_loss *l);
void bl_loss_unref(bl_loss *l); /* NULL is fine */

/* These are borrowed from the loss. */
const bl_loss_ops *bl_loss_ops_of(const bl_loss *l);
void *bl_loss_ctx(const bl_loss *l);
const void *bl_loss_settings(const bl_loss *l); /* constant: to change settings, modify a copy */
/*
 * Copies settings of the loss's kind from `from` (NULL: the loss's own) to `to`, which has room for BL_LOSS_ROOM
 * doubles.
 */
void bl_loss_settings_copy(const bl_loss *l, void *to, const void *from);
int bl_loss_terms(const bl_loss *l); /* number of terms; 0: not known before the first forward */
/* The field that + and - change, or NULL if nothing is settable. */
const bl_field *bl_loss_turn(const bl_loss *l);

/*
 * Computes the loss of the views z[0..views-1], (N,D) each with N >= 2.  Returns a new scalar tensor, or NULL with
 * bl_error, which begins with the loss's name.  settings NULL: the loss's own; at and out may be NULL.  A result that
 * is not finite is not an error here.
 */
bl_tensor *bl_loss_forward(const bl_loss *l, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                           bl_loss_result *out);
double bl_loss_floor(const bl_loss *l, const void *settings, int views, int64_t n, int64_t d); /* NaN: none known */
/* Sets *out to the dialect of the loss's matrix; false: it has none, and *out is the paper's. */
bool bl_loss_matrix(const bl_loss *l, const void *settings, bl_loss_dialect *out);

/*
 * --- The loss of a batch that is processed in chunks, so that only one chunk's graph is in memory at a time
 * (GradCache, Gao et al. 2021, arXiv 2101.06983).
 *
 * First, embeddings are collected without a graph.  Then the loss is computed from all embeddings, since moments and
 * Gram matrices are those of the whole batch.  Finally each chunk's embeddings are computed again with a graph, and the
 * loss's gradient is propagated through it:
 *
 *     bl_loss_chunks *c = bl_loss_chunks_new(l, NULL, 2);
 *     for each chunk: bl_loss_chunks_add(c, z);              z computed with bl_grad_enable(false)
 *     bl_loss_chunks_finish(c, &batch, &result);
 *     for each chunk: bl_loss_chunks_backward(c, k, z);      z computed again, each view separately
 *
 * The parameters' gradients are those of the whole batch, up to the order of sums, if the embedding of an image does
 * not depend on the other images.  Batch norm in the network violates this: it uses the moments of the chunk.  The
 * caller has to compute z again from the same views with the same random numbers.
 */
typedef struct bl_loss_chunks bl_loss_chunks;
bl_loss_chunks *bl_loss_chunks_new(const bl_loss *l, const void *settings, int views); /* holds a reference to l */
void bl_loss_chunks_free(bl_loss_chunks *c);
/* Adds a chunk of n >= 1 images; z[0..views-1], (n,D) each, are copied.  0, or negative with bl_error. */
int bl_loss_chunks_add(bl_loss_chunks *c, bl_tensor *const *z);
/*
 * Computes the loss of all chunks into *out, and the gradients of the embeddings, which are stored in c.  Must be
 * called once, after the last chunk was added.  0, or negative with bl_error.
 */
int bl_loss_chunks_finish(bl_loss_chunks *c, const bl_loss_batch *at, bl_loss_result *out);
/*
 * Backward pass through z, the embeddings of the k-th chunk (from 0) computed with a graph: adds to the gradients of
 * the leaves.  0, or negative with bl_error.
 */
int bl_loss_chunks_backward(bl_loss_chunks *c, int k, bl_tensor *const *z);

/*
 * --- Barlow Twins (equations 1 and 2 of the paper), in two forms that compute the same value, and several dialects
 *
 *   C = standardise(zA)^T standardise(zB) / N                         (D,D)
 *   L = scale * ( invariance * sum_i (1 - C_ii)^2 + lambda * sum_{i != j} C_ij^2 )
 *
 * The form `direct` computes C.  `gram` does not: it uses ||C||_F^2 = sum((zA zA^T) .* (zB zB^T)) / N^2, an exact
 * identity, with O(N^2 D) work and O(N^2) memory.  For more than two views the loss is the sum over their pairs.
 */
typedef enum bl_barlow_form { BL_FORM_AUTO, BL_FORM_DIRECT, BL_FORM_GRAM } bl_barlow_form;

typedef struct bl_barlow_config {
	double lambda; /* weight of the off-diagonal term, >= 0; default .0051 */
	double scale;  /* factor on the loss, > 0; default 1 */
	bl_barlow_form form;
	bl_loss_dialect dialect;
	double invariance; /* weight of the diagonal's term, >= 0; default 1 */
} bl_barlow_config;
#define BL_BARLOW_DEFAULT ((bl_barlow_config){ .0051, 1, BL_FORM_AUTO, BL_DIALECT_PAPER, 1 })

/* A new loss with these settings, which are copied (c NULL: the defaults).  NULL with bl_error. */
bl_loss *bl_loss_barlow(const bl_barlow_config *c);

typedef struct bl_barlow_terms {
	double invariance; /* sum_i (1 - C_ii)^2, without its weight */
	double redundancy; /* sum_{i != j} C_ij^2, or (C_ij + 1)^2 in the dialect hsic; without lambda */
	double total;      /* scale * (config.invariance * invariance + lambda * redundancy) */
} bl_barlow_terms;

/*
 * The loss of za and zb, (N,D) each with N >= 2: a new scalar tensor, or NULL with bl_error; terms may be NULL.
 *
 * If dimension i is constant over the batch in one view, then C_ii = 0, and the gradient of that dimension in that
 * view is multiplied by 1/sqrt(eps), about 316, as in the authors' batch norm.  In the dialect algorithm1, which has no
 * eps, the loss is then NaN, as in the paper's listing.  If dimension i is constant in both views, its standardised
 * values and C_ii are 0; in algorithm1 it gets no gradient.
 *
 * The backward pass may read za and zb again: do not change their values before it.
 */
bl_tensor *bl_barlow(const bl_barlow_config *c, bl_tensor *za, bl_tensor *zb, bl_barlow_terms *terms);

/* The form that is used for embeddings (n,d): `auto` selects the cheaper one; always direct if d is 1. */
bl_barlow_form bl_barlow_pick(bl_barlow_form form, int64_t n, int64_t d);

/*
 * The floor: a lower bound of the loss for embeddings (N,D).  It is scale D K / (D + K) with K = lambda (D^2/r - D),
 * where r = min(D, N-1) is the largest possible rank of C.  It is 0 if r = D, since C can be the identity then.
 *
 * In the dialects algorithm1 and unbiased, elements of C's diagonal are at most m = (N-1)/N: if D / (D + K) is larger
 * than m, the floor is scale (D (1 - m)^2 + K m^2).  With a weight w of the invariance, the floor is w times the floor
 * for lambda / w.  The result is NaN (no floor is known) if lambda > w, if N < 2, and for hsic.
 */
double bl_barlow_floor(const bl_barlow_config *c, int64_t n, int64_t d);

/* The cross-correlation matrix C (D,D) of za and zb (N,D): a new tensor without gradient.  NULL with bl_error. */
bl_tensor *bl_loss_correlation(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb);

/*
 * Pools C to g x g cells, g <= D, without storing all of C.  mean (g,g) receives the mean of each cell's elements,
 * extreme (g,g) the element of largest magnitude, with its sign, and diag (D), which may be NULL, the diagonal of C.
 * 0, or negative with bl_error.
 */
int bl_loss_picture(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, int g, float *mean, float *extreme,
                    float *diag);

/*
 * The rows or the columns of a region: n dimensions (0-based), in their order, and the number of cells, 1 to n, to
 * which they are pooled.
 */
typedef struct bl_loss_side {
	const int32_t *dims;
	int64_t n;
	int cells;
} bl_loss_side;

/* An element of C that is not on its diagonal; i and j are dimensions, 0-based. */
typedef struct bl_loss_pair {
	int32_t i, j;
	float value;
} bl_loss_pair;

/* Results for a region, in the caller's arrays; those that are NULL are not computed. */
typedef struct bl_loss_cells {
	float *mean, *extreme; /* (rows->cells, cols->cells) */
	/*
	 * For each cell, (rows->cells, cols->cells): rms is the root mean square of the cell's elements that are not on
	 * C's diagonal, 0 if there are none; diagonal is the mean of the cell's elements on C's diagonal, NaN if there
	 * are none.  Either both arrays are NULL or neither is.
	 */
	float *rms, *diagonal;
	bl_loss_pair *pair; /* the off-diagonal elements of largest magnitude, largest first; only if rms is given */
	int pairs;          /* the capacity of pair; on return the number of elements written */
} bl_loss_cells;

/*
 * Pools the elements of C in the given rows and columns, whose order is arbitrary, to cells (rows->cells, cols->cells);
 * only these elements are computed.  If za and zb are the same tensor, C is the correlation matrix of one view with
 * itself.  0, or negative with bl_error.
 */
int bl_loss_region(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_cells *out);

/*
 * Computes only rms and diagonal of bl_loss_cells, by Gram matrices of the cells' rows and columns.  For g x g cells,
 * the time is O(N^2 (D + g^2)) instead of O(N D^2); this is faster if D is much larger than g sqrt(N).  If samples < N,
 * only that many rows of the batch are used.  They are drawn with the random key `key`, and the squares of rms are then
 * unbiased estimates.
 */
typedef struct bl_loss_rms {
	float *rms, *diagonal; /* as in bl_loss_cells */
	int64_t samples;       /* number requested; on return the number used, from min(8, N) to N */
	uint64_t key;
	double error; /* on return: relative standard error of rms in a typical cell; 0: exact */
} bl_loss_rms;
/* 0, or negative with bl_error. */
int bl_loss_rms_of(bl_loss_dialect dialect, const bl_tensor *za, const bl_tensor *zb, const bl_loss_side *rows,
                   const bl_loss_side *cols, bl_loss_rms *out);

#endif
