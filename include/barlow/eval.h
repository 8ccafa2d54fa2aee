/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * eval.h: what features are worth: kNN, linear probe, and measures of collapse.
 *
 * Features are row-major (N,F) tensors, labels int32 0-based.
 */
#ifndef BARLOW_EVAL_H
#define BARLOW_EVAL_H

#include <barlow/data.h>
#include <barlow/nn.h>

/*
 * encoder(x) for every image, evaluation mode, no augmentation, normalised with
 * mean/std; (N,F).  encoder NULL: raw pixels.  stop (may be NULL) is polled
 * between batches: non-zero ends with NULL and the message "stopped".
 */
bl_tensor *bl_eval_features(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, int batch,
                            const volatile int *stop);
/*
 * The same by more settings.  pool > 0: where an encoder's features are maps (C,H,W), which a chain of modules flattens
 * last or not at all, each is averaged to pool x pool at most first, as PyTorch's adaptive_avg_pool2d cuts it; pixels and
 * features that are no maps stay as they are.  flip: the mean of an image's features and of those of its mirror image.
 */
typedef struct bl_features_config {
	int batch, pool;
	bool flip;
	const volatile int *stop;
} bl_features_config;
bl_tensor *bl_eval_features_by(bl_module *encoder, bl_dataset *d, const float *mean, const float *std,
                               const bl_features_config *c);
/* Labels of the whole set; n = length.  Caller frees. NULL when it has none. */
int32_t *bl_eval_labels(const bl_dataset *d);
/*
 * The same in the numbering of `like`: where both sets name their classes, a label means the class of that name, whatever
 * its place; otherwise its number.  NULL also where d has images of a class that `like` does not have.
 */
int32_t *bl_eval_labels_like(const bl_dataset *d, const bl_dataset *like);

/*
 * Cosine kNN weighted by exp(similarity / temperature) (Wu et al. 2018):
 * accuracy on the queries, or negative.  Of equally similar references the
 * earlier counts as nearer; with fewer than k references all of them vote.
 */
typedef struct bl_knn_config {
	int k;
	double temperature;
	const volatile int *stop; /* may be NULL; polled: non-zero ends it with the message "stopped" */
} bl_knn_config;
double bl_eval_knn(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   const int32_t *query_labels, int classes);
/* The same; guess (M), which may be NULL, gets the class that each query is taken for. */
double bl_eval_knn_guess(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                         const int32_t *query_labels, int classes, int32_t *guess);

/*
 * References and queries in units that cosines are fairer in, both by the statistics of the references; into out, new
 * references (N,F) and (M,F), or negative with out NULL.  Standardised: mean 0 and variance 1 of each feature (one that
 * does not vary is 0).  Whitened: these times (covariance + ridge)^-1/2, but for a rotation that no cosine sees.
 *
 * Of several ridges that is taken with which kNN does best on a part of the references that is held out: the others'
 * statistics, the others as neighbours.  Time grows with N F^2 and F^3, memory with 3 N F floats.
 */
typedef struct bl_whiten_config {
	bl_knn_config knn;      /* that the ridge is chosen by */
	const double *ridges;   /* in units of a feature's variance; NULL: .001 to 10.  Of equally good ones the first */
	int n_ridges;
	double held_out;        /* fraction, 0: .2; at most 2,000 rows */
	uint64_t seed;          /* of which rows are held out */
	const volatile int *stop; /* may be NULL */
} bl_whiten_config;
typedef struct bl_whiten_result { double ridge, held_out_accuracy; /* NaN where there was one ridge */ } bl_whiten_result;
int bl_eval_standardise(const bl_tensor *refs, const bl_tensor *queries, bl_tensor *out[2]);
int bl_eval_whiten(const bl_whiten_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   int classes, bl_tensor *out[2], bl_whiten_result *result);

/*
 * Multinomial logistic regression by L-BFGS on standardised features, L2
 * strength chosen among a grid by the loss on a held-out part of (at most
 * 10,000 of) the training rows, then refitted on all.  Accuracy on the test
 * rows.  What is minimised is the summed cross-entropy + l2 / 2 |W|^2, so that
 * a good strength does not depend on the number of rows.  W has a row for each class, also of two: l2 is scikit-learn's 1 / C
 * of three classes or more and 2 / C of two, where that has one row (w, our rows being w / 2 and -w / 2); PyTorch's
 * weight_decay beside the mean cross-entropy is l2 / N.
 * Fields that are 0 take the default named beside them.
 */
typedef struct bl_linear_config {
	double held_out;        /* fraction, .1 */
	const double *l2;       /* grid; NULL: a default of powers of ten */
	int n_l2;
	int iterations;         /* of L-BFGS at most, 100 */
	double tolerance;       /* 1e-4: on the largest element of the gradient, as a part of what it was at W = 0;
	                         * 10 iterations that lower the loss by less than 20 such parts end it too */
	uint64_t seed;
	const volatile int *stop; /* may be NULL */
	/* Filled in where they are not NULL: logits are x weight^T + bias of features as they come; the class of each test row. */
	float *weight, *bias;     /* (K,F), (K) */
	int32_t *guess;           /* (M) */
} bl_linear_config;
typedef struct bl_linear_result {
	double accuracy, train_accuracy, l2, held_out_accuracy;
	int iterations;
} bl_linear_result;
int bl_eval_linear(const bl_linear_config *c, const bl_tensor *train, const int32_t *train_labels,
                   const bl_tensor *test, const int32_t *test_labels, int classes, bl_linear_result *out);

/* exp of the entropy of the normalised singular values (Garrido et al. 2023); 1 .. min(N,F).  Negative: error. */
double bl_eval_rankme(const bl_tensor *z);
/* Eigenvalues of z's covariance (uncentred, as RankMe; centred if asked), divisor N - 1, F of them, descending. */
int bl_eval_spectrum(const bl_tensor *z, bool centred, float *out);
/* Standard deviation of each column, divisor N - 1, into out (F). */
int bl_eval_std(const bl_tensor *z, float *out);

#endif
