/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * eval.h: measures of the quality of features: kNN, linear probe, and measures of collapse.
 *
 * Features are row-major (N,F) tensors, labels int32 0-based.
 */
#ifndef BARLOW_EVAL_H
#define BARLOW_EVAL_H

#include <barlow/data.h>
#include <barlow/nn.h>

/*
 * encoder(x) of every image, in evaluation mode, without augmentation; images
 * are normalised with mean and std (one number a channel).  A new tensor (N,F);
 * encoder NULL: raw pixels.  stop (may be NULL) is polled between batches:
 * non-zero ends with NULL and the message "stopped".  NULL with bl_error.
 */
bl_tensor *bl_eval_features(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, int batch,
                            const volatile int *stop);
/*
 * The same with more settings.  pool > 0: feature maps (C,H,W), from a chain of modules that flattens them last or
 * not at all, are first averaged to at most pool x pool, in the cells of PyTorch's adaptive_avg_pool2d; pixels and
 * features that are not maps are left unchanged.  flip: the mean of the features of an image and those of its mirror
 * image.
 */
typedef struct bl_features_config {
	int batch, pool;
	bool flip;
	const volatile int *stop;
} bl_features_config;
bl_tensor *bl_eval_features_by(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, const bl_features_config *c);
/* The labels of the whole set, as many as its length; the caller frees them.  NULL with bl_error: it has none. */
int32_t *bl_eval_labels(const bl_dataset *d);
/*
 * The same in the numbering of `like`: where both sets name their classes, classes are matched by name, otherwise by
 * number.  NULL with bl_error if d has images of a class that `like` does not have.
 */
int32_t *bl_eval_labels_like(const bl_dataset *d, const bl_dataset *like);

/*
 * Cosine kNN weighted by exp(similarity / temperature) (Wu et al. 2018): refs
 * (N,F), queries (M,F); returns the accuracy on the queries, 0..1, or negative
 * with bl_error.  Of equally similar references the earlier counts as nearer;
 * with fewer than k references all of them vote.
 */
typedef struct bl_knn_config {
	int k;
	double temperature;
	const volatile int *stop; /* may be NULL; polled: non-zero ends it with the message "stopped" */
} bl_knn_config;
double bl_eval_knn(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   const int32_t *query_labels, int classes);
/* The same; guess (M), which may be NULL, receives the predicted class of each query. */
double bl_eval_knn_guess(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                         const int32_t *query_labels, int classes, int32_t *guess);

/*
 * Rescales references (N,F) and queries (M,F) by the statistics of the references, so that no feature dominates the
 * cosines; out receives two new tensors of those shapes.  Negative with bl_error, out NULL.  Standardised: each
 * feature has mean 0 and variance 1 (a constant one becomes 0).  Whitened: these times (covariance + ridge)^-1/2, up
 * to a rotation, which changes no cosine.
 *
 * Of several ridges, the one with the best kNN accuracy on a held-out part of the references is used; statistics and
 * neighbours then come from the rest.  Time grows with N F^2 and F^3, memory is 3 N F floats.
 */
typedef struct bl_whiten_config {
	bl_knn_config knn;    /* the kNN that chooses the ridge */
	const double *ridges; /* in units of a feature's variance; NULL: .001 to 10.  Among equally good ones the first */
	int n_ridges;
	double held_out;          /* fraction, 0: .2; at most 2,000 rows */
	uint64_t seed;            /* selects the rows that are held out */
	const volatile int *stop; /* may be NULL */
} bl_whiten_config;
/* held_out_accuracy is NaN if only one ridge was given. */
typedef struct bl_whiten_result {
	double ridge, held_out_accuracy;
} bl_whiten_result;
int bl_eval_standardise(const bl_tensor *refs, const bl_tensor *queries, bl_tensor *out[2]);
int bl_eval_whiten(const bl_whiten_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   int classes, bl_tensor *out[2], bl_whiten_result *result);

/*
 * Multinomial logistic regression by L-BFGS on standardised features.  The L2
 * strength is chosen from a grid by the loss on a held-out part of (at most
 * 10,000 of) the training rows, then the model is refitted on all of them and
 * its accuracy measured on the test rows.  The objective is the summed
 * cross-entropy + l2 / 2 |W|^2, so that a good strength does not depend on the
 * number of rows.  W has a row for each class, also for two classes: l2 is
 * scikit-learn's 1 / C for three classes or more, and 2 / C for two, where
 * scikit-learn has one row w and we have w / 2 and -w / 2; PyTorch's
 * weight_decay with the mean cross-entropy is l2 / N.  Fields that are 0 take
 * the default named beside them.
 */
typedef struct bl_linear_config {
	double held_out;  /* fraction, .1 */
	const double *l2; /* grid; NULL: a default of powers of ten */
	int n_l2;
	int iterations;   /* of L-BFGS at most, 100 */
	double tolerance; /* 1e-4: on the largest element of the gradient, relative to that at W = 0;
	                         * 10 iterations that lower the loss by less than 20 such parts end it too */
	uint64_t seed;
	const volatile int *stop; /* may be NULL */
	/* Outputs, may be NULL: unscaled features x have the logits x weight^T + bias; guess: each test row's class. */
	float *weight, *bias; /* (K,F), (K) */
	int32_t *guess;       /* (M) */
} bl_linear_config;
typedef struct bl_linear_result {
	double accuracy, train_accuracy, l2, held_out_accuracy;
	int iterations;
} bl_linear_result;
/* train (N,F), test (M,F), labels 0..classes-1; accuracies are 0..1.  0, or negative with bl_error. */
int bl_eval_linear(const bl_linear_config *c, const bl_tensor *train, const int32_t *train_labels, const bl_tensor *test,
                   const int32_t *test_labels, int classes, bl_linear_result *out);

/* RankMe of z (N,F): exp of the entropy of the normalised singular values (Garrido et al. 2023), 1 .. min(N,F).
   Negative with bl_error. */
double bl_eval_rankme(const bl_tensor *z);
/* Eigenvalues of the covariance of z (N,F), uncentred as in RankMe or centred, divisor N - 1, descending, into out (F).
   0, or negative with bl_error. */
int bl_eval_spectrum(const bl_tensor *z, bool centred, float *out);
/* Standard deviation of each column of z (N,F), divisor N - 1, into out (F).  0, or negative with bl_error. */
int bl_eval_std(const bl_tensor *z, float *out);

#endif
