/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lbfgs.h (private): limited-memory BFGS for smooth functions of many variables. */
#ifndef BARLOW_EVAL_LBFGS_H
#define BARLOW_EVAL_LBFGS_H

#include <stdbool.h>
#include <stdint.h>

/* Computes f(x) and its gradient.  A negative result, with bl_error, ends the search. */
typedef int bl_lbfgs_fn(void *ctx, const double *x, double *f, double *gradient);

enum { BL_LBFGS_SPAN = 10 };

typedef struct bl_lbfgs_config {
	int64_t n;                /* variables */
	int iterations;           /* maximal number */
	double tolerance;         /* ends when no absolute value in the gradient is larger than this */
	double progress;          /* ends when BL_LBFGS_SPAN iterations lowered f by less than this fraction of |f|; 0: off */
	const volatile int *stop; /* NULL, or polled between iterations; non-zero: fails with "stopped" */
} bl_lbfgs_config;

typedef struct bl_lbfgs_result {
	double f, gradient; /* f at the end, and the largest absolute value in its gradient */
	int iterations, evaluations;
	bool converged; /* by tolerance or progress, or because no step lowers f in this precision */
} bl_lbfgs_result;

/* Minimises fn, starting from x, which becomes the best point.  0, or negative with bl_error. */
int bl_lbfgs_minimise(const bl_lbfgs_config *c, bl_lbfgs_fn *fn, void *ctx, double *x, bl_lbfgs_result *out);

#endif
