/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vicreg.c: VICReg (Bardes, Ponce, LeCun 2022, arXiv 2105.04906).  For two views zA and zB, (N,D) each, the terms are
 *
 *   invariance  mean of (zA - zB)^2
 *   variance    mean over dims of max(0, 1 - sqrt(Var(z) + 1e-4)); mean of both views
 *   covariance  sum of Cov(z)_ij^2 over i != j, divided by D; sum of both views
 *
 * and L = sim invariance + std variance + cov covariance.  Moments are unbiased, as in the authors' code.  For more
 * than two views, the invariance is the mean over pairs, the variance the mean over views, and the covariance twice the
 * mean over views.
 */
#include <barlow/error.h>
#include <barlow/loss.h>

typedef struct vicreg {
	double sim, std, cov;
} vicreg;

static const bl_field fields[] = {
	BL_FIELD(DOUBLE, vicreg, sim, BL_DEFAULT(25), BL_AT_LEAST(0), .settable = true, .help = "weight of the invariance"),
	BL_FIELD(DOUBLE, vicreg, std, BL_DEFAULT(25), BL_AT_LEAST(0), .settable = true, .help = "weight of the variance"),
	BL_FIELD(DOUBLE, vicreg, cov, BL_DEFAULT(1), BL_AT_LEAST(0), .settable = true, .help = "weight of the covariance"),
	BL_FIELD_END,
};

static const bl_loss_term terms[] = {
	{ .name = "invariance", .brief = "inv", .weight = "sim", .weighted_brief = "sim·inv", .mark = 'i' },
	{ .name = "variance", .brief = "var", .weight = "std", .weighted_brief = "std·var", .mark = 'v' },
	{ .name = "covariance", .brief = "cov", .weight = "cov", .weighted_brief = "cov·cov", .mark = 'c' },
	{ .name = NULL },
};
enum { INVARIANCE, VARIANCE, COVARIANCE, TERMS };

/* Releases a and b, from which `made` was computed, and returns `made`; each may be NULL.  x = use(op(x, y), x, y). */
static bl_tensor *use(bl_tensor *made, bl_tensor *a, bl_tensor *b)
{
	bl_tensor_unref(a);
	bl_tensor_unref(b);
	return made;
}

static bl_tensor *square(bl_tensor *x)
{
	return x ? use(bl_mul(x, x), x, NULL) : NULL;
}

static bl_tensor *scaled(bl_tensor *x, double by, double shift)
{
	return x ? use(bl_affine(x, (float)by, (float)shift), x, NULL) : NULL;
}

static bl_tensor *sum_of(bl_tensor *a, bl_tensor *b)
{
	return use(a && b ? bl_add(a, b) : NULL, a, b);
}

static bl_tensor *distance(bl_tensor *za, bl_tensor *zb)
{
	bl_tensor *dd = square(bl_sub(za, zb));
	return dd ? use(bl_mean(dd, BL_ALL, false), dd, NULL) : NULL;
}

static bl_tensor *hinge(bl_tensor *z)
{
	bl_tensor *x = scaled(bl_var(z, 0, false, true), 1, 1e-4);
	x = x ? use(bl_sqrt(x), x, NULL) : NULL;
	x = scaled(x, -1, 1);
	x = x ? use(bl_relu(x), x, NULL) : NULL;
	return x ? use(bl_mean(x, BL_ALL, false), x, NULL) : NULL;
}

/* Cov(z) (D,D). */
static bl_tensor *covariance(bl_tensor *z)
{
	bl_tensor *mean = bl_mean(z, 0, true), *c = mean ? use(bl_sub(z, mean), mean, NULL) : NULL;
	bl_tensor *t = c ? bl_transpose(c, 0, 1) : NULL;
	return scaled(use(t ? bl_mm(t, c) : NULL, t, c), 1 / (double)(bl_tensor_size(z, 0) - 1), 0);
}

static bl_tensor *off_diagonal(bl_tensor *z)
{
	bl_tensor *c = covariance(z), *all = NULL, *diagonal = c ? square(bl_diag(c)) : NULL;
	c = square(c);
	all = c ? use(bl_sum(c, BL_ALL, false), c, NULL) : NULL;
	diagonal = diagonal ? use(bl_sum(diagonal, BL_ALL, false), diagonal, NULL) : NULL;
	return scaled(sum_of(all, scaled(diagonal, -1, 0)), 1 / (double)bl_tensor_size(z, 1), 0);
}

/* term[k] += scale x */
static bool add(bl_tensor **term, bl_tensor *x, double scale)
{
	x = scaled(x, scale, 0);
	*term = *term ? sum_of(*term, x) : x;
	return x && *term;
}

static bool measure(bl_tensor *const *z, int views, bl_tensor *term[TERMS])
{
	double pairs = views * (views - 1) / 2;
	for (int a = 0; a < views; a++) {
		for (int b = a + 1; b < views; b++)
			if (!add(&term[INVARIANCE], distance(z[a], z[b]), 1 / pairs))
				return false;
		if (!add(&term[VARIANCE], hinge(z[a]), 1. / views) || !add(&term[COVARIANCE], off_diagonal(z[a]), 2. / views))
			return false;
	}
	return true;
}

static bl_tensor *forward(void *ctx, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                          bl_loss_result *out)
{
	const vicreg *v = settings;
	const double weight[TERMS] = { v->sim, v->std, v->cov };
	bl_tensor *term[TERMS] = { NULL }, *y = NULL;
	(void)ctx, (void)at;
	bool fine = measure(z, views, term);
	for (int k = 0; k < TERMS; k++) {
		if (fine) {
			out->term[k] = (double)bl_tensor_data(term[k])[0];
			out->total += weight[k] * out->term[k];
			fine = add(&y, bl_tensor_ref(term[k]), weight[k]);
		}
		bl_tensor_unref(term[k]);
	}
	if (fine)
		return y;
	bl_tensor_unref(y);
	return NULL;
}

/* There is no `matrix`, because this loss does not use the cross-correlation of views, which the heatmap shows. */
const bl_loss_ops bl_loss_ops_vicreg = {
	.name = "vicreg",
	.help = "VICReg: similar views, variances of at least 1, covariances of 0; averages over all pairs of views.",
	.fields = fields,
	.terms = terms,
	.turn = "cov",
	.forward = forward,
};
