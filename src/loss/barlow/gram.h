/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gram.h (private): the Gram matrices of two views that are standardised a few columns at a time. */
#ifndef BL_LEARN_GRAM_H
#define BL_LEARN_GRAM_H

#include "loss/standard.h"

/* Larger batches are better off with z in memory. */
enum { BL_GRAM_BATCH = 512 };

/*
 * s open -> its mean, inv and diag, and g[v] (N,N) = z_v z_v^T, whole.  row[v] (N) takes the row sums of z_v unless it
 * is NULL.  -1 with bl_error.
 */
int bl_gram_pair(const bl_standard *s, float *const g[2], double *const row[2]);

#endif
