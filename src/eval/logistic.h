/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logistic.h (private): multinomial logistic regression on standardised features.
 *
 * Standardising happens block by block on the way, so that X is read once an
 * evaluation and never copied.  Weights are K rows of F, then K biases.
 */
#ifndef BARLOW_EVAL_LOGISTIC_H
#define BARLOW_EVAL_LOGISTIC_H

#include <stdbool.h>
#include <stdint.h>

/* Some rows of a matrix (.,width), with their labels. */
typedef struct bl_feature_rows {
	const float *x;
	const int32_t *labels;
	const int64_t *index; /* which rows; NULL: the first n */
	int64_t n, width;
} bl_feature_rows;

/* z = (x - mean) scale, a column at a time; a column that does not vary has scale 0. */
typedef struct bl_scaler {
	float *mean, *scale;
} bl_scaler;
int bl_scaler_fit(bl_scaler *s, const bl_feature_rows *r); /* bl_scaler_free either way */
void bl_scaler_free(bl_scaler *s);

typedef struct bl_logistic {
	bl_feature_rows rows;
	const bl_scaler *scaler;
	int classes;
	double l2; /* as eval.h has it: l2 / 2 |W|^2 beside the summed cross-entropy */
} bl_logistic;

/* Number of weights. */
int64_t bl_logistic_size(const bl_logistic *l);
/* (cross-entropy summed + l2 / 2 |W|^2) / n and its gradient: a bl_lbfgs_fn, ctx is a bl_logistic. */
int bl_logistic_evaluate(void *ctx, const double *w, double *f, double *gradient);
/* Mean cross-entropy without penalty, and the fraction classified right; guess, which may be NULL, gets each row's class. */
int bl_logistic_score(const bl_logistic *l, const double *w, double *loss, double *accuracy, int32_t *guess);
/* The weights and biases that do the same with features as they come, not standardised. */
void bl_logistic_unscale(const bl_logistic *l, const double *w, float *weight, float *bias);

#endif
