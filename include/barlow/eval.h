/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * eval.h: measures of the quality of features: kNN, linear probe, and measures of collapse.
 *
 * Features are row-major tensors (N,F).  Labels are int32 and count from 0.
 */
#ifndef BARLOW_EVAL_H
#define BARLOW_EVAL_H

#include <barlow/data.h>
#include <barlow/nn.h>

/*
 * The features encoder(x) of every image x, in evaluation mode and without augmentation, as a new tensor (N,F).  Images
 * are normalised with mean and std, one number for each channel.  If encoder is NULL, the features are the raw pixels.
 * stop, which may be NULL, is polled between batches; if it is not 0, the function fails with the message "stopped".
 * NULL with bl_error.
 */
bl_tensor *bl_eval_features(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, int batch,
                            const volatile int *stop);
/*
 * As bl_eval_features, with more settings.  pool > 0: feature maps (C,H,W) are averaged to at most pool x pool, over
 * the cells of PyTorch's adaptive_avg_pool2d, before they are flattened.  This applies to a chain of modules that ends
 * with a map or with the flattening of a map; raw pixels and other features are unchanged.  flip: the features are the
 * mean of those of the image and those of its mirror image.
 */
typedef struct bl_features_config {
	int batch, pool;
	bool flip;
	const volatile int *stop;
} bl_features_config;
bl_tensor *bl_eval_features_by(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, const bl_features_config *c);
/*
 * The labels (N) of the whole set; the caller frees them.  NULL with bl_error: the set has none, or there is no memory.
 */
int32_t *bl_eval_labels(const bl_dataset *d);
/*
 * The labels of d in the numbering of the set `like`.  Classes are matched by name if both sets have class names,
 * otherwise by number.  NULL with bl_error if d has images of a class that `like` does not have.
 */
int32_t *bl_eval_labels_like(const bl_dataset *d, const bl_dataset *like);

/*
 * kNN by cosine similarity, with votes weighted by exp(similarity / temperature) (Wu et al. 2018), of queries (M,F)
 * among refs (N,F).  Returns the accuracy on the queries, 0..1, or negative with bl_error.  If two references are
 * equally similar, the earlier one counts as nearer.  If there are fewer than k references, all of them vote.
 */
typedef struct bl_knn_config {
	int k;
	double temperature;
	const volatile int *stop; /* polled; not 0: the function fails with the message "stopped".  May be NULL */
} bl_knn_config;
double bl_eval_knn(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                   const int32_t *query_labels, int classes);
/* As bl_eval_knn; guess (M), which may be NULL, receives the predicted class of each query. */
double bl_eval_knn_guess(const bl_knn_config *c, const bl_tensor *refs, const int32_t *ref_labels, const bl_tensor *queries,
                         const int32_t *query_labels, int classes, int32_t *guess);

/*
 * These functions rescale references (N,F) and queries (M,F) by the statistics of the references, so that no feature
 * dominates the cosines.  out receives two new tensors of those shapes, or NULLs on failure.  They return 0, or
 * negative with bl_error.
 *
 * bl_eval_standardise gives each feature mean 0 and variance 1; a constant feature becomes 0.  bl_eval_whiten
 * multiplies the standardised features by (covariance + ridge)^-1/2, up to a rotation, which leaves cosines unchanged.
 * To choose among several ridges, a part of the references is held out, and statistics and neighbours are those of the
 * rest.  The ridge with the best kNN accuracy on the held-out part is used.  Time grows with N F^2 and F^3, and the
 * memory needed is 3 N F floats.
 */
typedef struct bl_whiten_config {
	bl_knn_config knn;    /* the kNN that chooses the ridge */
	const double *ridges; /* in units of a feature's variance; of equally good ones the first; NULL: .001 to 10 */
	int n_ridges;
	double held_out;          /* fraction of the rows that is held out, at most 2,000 rows; 0: .2 */
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
 * Multinomial logistic regression by L-BFGS on standardised features.  The objective is S + l2 / 2 |W|^2, where S is
 * the summed cross-entropy and W the weights.  S is a sum and not a mean; therefore a good l2 does not depend on the
 * number of rows.  l2 is chosen from a grid: each value is tried on at most 10,000 training rows, and the value with
 * the smallest loss on a held-out part of them is used.  Then the model is fitted to all training rows, and its
 * accuracy is measured on the test rows.
 *
 * W has a row for each class, also if there are only two.  Compared with scikit-learn, l2 is 1 / C for three or more
 * classes, and 2 / C for two classes, where scikit-learn has one row w and W has the rows w / 2 and -w / 2.  Compared
 * with PyTorch and the mean cross-entropy of N rows, weight_decay is l2 / N.
 *
 * Fields that are 0 have the default that is named beside them.
 */
typedef struct bl_linear_config {
	double held_out;  /* fraction of the rows that is held out; default .1 */
	const double *l2; /* grid; NULL: powers of ten */
	int n_l2;
	int iterations; /* largest number of iterations of L-BFGS; default 100 */
	/*
	 * Default 1e-4.  A fit ends when the largest element of the gradient is below this fraction of its value at W =
	 * 0, or when 10 iterations lower the loss by less than 20 times this fraction.
	 */
	double tolerance;
	uint64_t seed;
	const volatile int *stop; /* may be NULL */
	/* Outputs, each of which may be NULL: features x, before standardisation, have the logits x weight^T + bias. */
	float *weight, *bias; /* (K,F), (K) */
	int32_t *guess;       /* (M): the predicted class of each test row */
} bl_linear_config;
typedef struct bl_linear_result {
	double accuracy, train_accuracy, l2, held_out_accuracy;
	int iterations;
} bl_linear_result;
/*
 * Fits on train (N,F) and tests on test (M,F); labels are 0..classes-1, accuracies 0..1.  0, or negative with bl_error.
 */
int bl_eval_linear(const bl_linear_config *c, const bl_tensor *train, const int32_t *train_labels, const bl_tensor *test,
                   const int32_t *test_labels, int classes, bl_linear_result *out);

/*
 * RankMe of z (N,F) (Garrido et al. 2023): exp of the entropy of the normalised singular values, in 1 .. min(N,F).
 * Negative with bl_error.
 */
double bl_eval_rankme(const bl_tensor *z);
/*
 * Writes the eigenvalues of the covariance of z (N,F), in descending order, into out (F).  The divisor of the
 * covariance is N - 1; if centred is false, the mean is not subtracted, as in RankMe.  0, or negative with bl_error.
 */
int bl_eval_spectrum(const bl_tensor *z, bool centred, float *out);
/*
 * Writes the standard deviation of each column of z (N,F), divisor N - 1, into out (F).  0, or negative with bl_error.
 */
int bl_eval_std(const bl_tensor *z, float *out);

#endif
