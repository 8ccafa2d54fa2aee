/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gram.h (private): the Gram matrices of two views that are standardised a few columns at a time. */
#ifndef BARLOW_LOSS_BARLOW_GRAM_H
#define BARLOW_LOSS_BARLOW_GRAM_H

#include "loss/standard.h"

/* Larger batches are better off with z in memory. */
enum { BL_GRAM_BATCH = 512 };

/*
 * s open -> its mean, inv and diag, and g[v] (N,N) = z_v z_v^T, whole; where g[v] is NULL it is not made.  row[v] (N) takes
 * the row sums of z_v unless `row` is NULL.  -1 with bl_error.
 */
int bl_gram_pair(const bl_standard *s, float *const g[2], double *const row[2]);

/*
 * bl_barlow (loss.h) of a pair among more than two views, in the gram form: gram[v] is where the Gram matrix of that view
 * is kept between pairs: NULL before the first, then a reference that the caller lets go.  Each entry's bits are those
 * that any pair with the view would make, but in algorithm1, where a unit that is constant in both views of a pair is left out.
 */
bl_tensor *bl_barlow_among(const bl_barlow_config *c, bl_tensor *const z[2], bl_tensor **const gram[2], bl_barlow_terms *terms);

#endif
