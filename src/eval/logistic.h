/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logistic.h (private): multinomial logistic regression on standardised features.
 *
 * Features are standardised block by block within each evaluation, so X is read once per evaluation and never copied as
 * a whole.  Weights are K rows of F, followed by K biases.
 */
#ifndef BARLOW_EVAL_LOGISTIC_H
#define BARLOW_EVAL_LOGISTIC_H

#include <stdbool.h>
#include <stdint.h>

/* Some rows of a matrix (.,width), with their labels. */
typedef struct bl_feature_rows {
	const float *x;
	const int32_t *labels;
	const int64_t *index; /* numbers of the rows; NULL: the first n */
	int64_t n, width;
} bl_feature_rows;

/* z = (x - mean) * scale for each column; a constant column has scale 0. */
typedef struct bl_scaler {
	float *mean, *scale;
} bl_scaler;
int bl_scaler_fit(bl_scaler *s, const bl_feature_rows *r); /* negative with bl_error; free s in any case */
void bl_scaler_free(bl_scaler *s);

typedef struct bl_logistic {
	bl_feature_rows rows;
	const bl_scaler *scaler;
	int classes;
	double l2; /* as in eval.h: l2 / 2 |W|^2 is added to the summed cross-entropy */
} bl_logistic;

/* A bl_lbfgs_fn of K (F + 1) weights, biases included; ctx is a bl_logistic: f = (summed cross-entropy + l2 / 2 |W|^2) / n,
 * and its gradient. */
int bl_logistic_evaluate(void *ctx, const double *w, double *f, double *gradient);
/*
 * Computes the mean cross-entropy without penalty, and the fraction of rows that are classified correctly.  The
 * predicted class of each row is written into guess (n), which may be NULL.  Negative with bl_error.
 */
int bl_logistic_score(const bl_logistic *l, const double *w, double *loss, double *accuracy, int32_t *guess);
/* Computes the weights (K,F) and biases (K) that give the same logits for features that are not standardised. */
void bl_logistic_unscale(const bl_logistic *l, const double *w, float *weight, float *bias);

#endif
