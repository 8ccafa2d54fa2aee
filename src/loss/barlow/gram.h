/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gram.h (private): the Gram matrices of two views, which are standardised a few columns at a time. */
#ifndef BARLOW_LOSS_BARLOW_GRAM_H
#define BARLOW_LOSS_BARLOW_GRAM_H

#include "loss/standard.h"

/* Batches larger than this are faster with z in memory. */
enum { BL_GRAM_BATCH = 512 };

/*
 * Fills mean, inv and diag of s, which must be open (bl_standard_open), and computes g[v] (N,N) = z_v z_v^T, both
 * triangles, unless g[v] is NULL. Unless `row` is NULL, row[v] (N) receives the row sums of z_v.  0, or -1 with
 * bl_error.
 */
int bl_gram_pair(const bl_standard *s, float *const g[2], double *const row[2]);

/*
 * bl_barlow (loss.h) for a pair among more than two views.  *gram[v] is a cache for the Gram matrix of view v in the
 * gram form: NULL before the first pair with this view; the function sets it to a reference that the caller releases.
 * gram[v] may be NULL: no cache.  The matrix has the same bits in every pair with the view, except in the dialect
 * algorithm1, where a unit that is constant in both views of a pair is left out.
 */
bl_tensor *bl_barlow_among(const bl_barlow_config *c, bl_tensor *const z[2], bl_tensor **const gram[2], bl_barlow_terms *terms);

#endif
