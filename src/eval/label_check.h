/* SPDX-License-Identifier: GPL-3.0-or-later */
/* label_check.h (private): what evaluations ask of labelled rows before they trust them. */
#ifndef BARLOW_EVAL_LABEL_CHECK_H
#define BARLOW_EVAL_LABEL_CHECK_H

#include <barlow/tensor.h>

/* All of labels[0..n-1] in 0..classes-1; `who` begins the message, "kNN: query" for instance. */
int bl_labels_check(const char *who, const int32_t *labels, int64_t n, int classes);
/* All of x (N,F) finite; the message names row and feature. */
int bl_rows_check(const char *who, const bl_tensor *x);

#endif
