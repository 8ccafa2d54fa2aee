/* SPDX-License-Identifier: GPL-3.0-or-later */
/* label_check.h (private): checks labels and features before an evaluation uses them. */
#ifndef BARLOW_EVAL_LABEL_CHECK_H
#define BARLOW_EVAL_LABEL_CHECK_H

#include <barlow/tensor.h>

/*
 * Negative with bl_error unless all of labels[0..n-1] are in 0..classes-1.  The message begins with `who`, for instance
 * "kNN: query".
 */
int bl_labels_check(const char *who, const int32_t *labels, int64_t n, int classes);
/* Negative with bl_error, which names row and feature, unless all values of x (N,F) are finite. */
int bl_rows_check(const char *who, const bl_tensor *x);

#endif
