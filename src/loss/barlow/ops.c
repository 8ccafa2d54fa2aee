/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops.c: the table of operations of the Barlow Twins loss. */
#include "loss/barlow/gram.h"

#include <math.h>

static const char *const forms[] = { "auto", "direct", "gram", NULL };
static const char *const dialects[] = { "paper", "algorithm1", "hsic", "unbiased", NULL };

static const bl_field fields[] = {
	BL_FIELD(DOUBLE, bl_barlow_config, lambda, BL_DEFAULT(.0051), BL_AT_LEAST(0), .settable = true,
	         .help = "weight of the redundancy term, the sum of C_ij^2 off the diagonal"),
	BL_FIELD(DOUBLE, bl_barlow_config, invariance, BL_DEFAULT(1), BL_AT_LEAST(0), .settable = true,
	         .help = "weight of the invariance term, the sum of (1 - C_ii)^2"),
	BL_FIELD(DOUBLE, bl_barlow_config, scale, BL_DEFAULT(1), BL_ABOVE(0), .help = "factor on the whole loss"),
	BL_FIELD(
		CHOICE, bl_barlow_config, form, BL_DEFAULT(BL_FORM_AUTO), .choices = forms,
		.help = "gram does not compute C and is exact; direct is faster if the batch is larger than the width; auto chooses. Rounding "
			"leaves 1e-7 of the sum of C's squares in gram: for a large lambda and a small redundancy use direct"),
	BL_FIELD(
		CHOICE, bl_barlow_config, dialect, BL_DEFAULT(BL_DIALECT_PAPER), .choices = dialects,
		.help = "paper: biased variance and eps 1e-5, as the authors' batch norm; algorithm1: unbiased and no eps, as the paper's "
			"listing, where a unit that is constant in one view gives NaN; hsic: off-diagonal target -1; "
			"unbiased: unbiased variance and eps 1e-5"),
	BL_FIELD_END,
};

static const bl_loss_term terms[] = {
	{ .name = "invariance",
	  .brief = "inv",
	  .weight = "invariance",
	  .weighted = "invariance",
	  .weighted_brief = "inv",
	  .mark = 'i' },
	{ .name = "redundancy",
	  .brief = "red",
	  .weight = "lambda",
	  .weighted = "λ·redundancy",
	  .weighted_brief = "λ·red",
	  .mark = 'r' },
	{ .name = NULL },
};

/* Adds the loss of a pair to *y and *out. */
static bool add_pair(const bl_barlow_config *c, bl_tensor *const z[2], bl_tensor **const gram[2], bl_tensor **y,
                     bl_loss_result *out)
{
	bl_barlow_terms t = { 0 };
	bl_tensor *pair = bl_barlow_among(c, z, gram, &t), *sum = pair;
	if (pair && *y) {
		sum = bl_add(*y, pair);
		bl_tensor_unref(pair);
	}
	bl_tensor_unref(*y);
	*y = sum;
	out->total += t.total;
	out->term[0] += t.invariance;
	out->term[1] += t.redundancy;
	return sum;
}

static bl_tensor *forward(void *ctx, const void *settings, bl_tensor *const *z, int views, const bl_loss_batch *at,
                          bl_loss_result *out)
{
	bl_tensor *y = NULL, *gram[BL_LOSS_VIEWS] = { NULL };
	const bl_barlow_config *c = settings;
	bool fine = true, share = views > 2 && c->dialect != BL_DIALECT_ALGORITHM1;
	(void)ctx, (void)at;
	for (int a = 0; a < views; a++)
		for (int b = a + 1; fine && b < views; b++)
			fine = add_pair(c, (bl_tensor *[]){ z[a], z[b] },
			                (bl_tensor * *[]){ share ? &gram[a] : NULL, share ? &gram[b] : NULL }, &y, out);
	for (int a = 0; a < views; a++)
		bl_tensor_unref(gram[a]);
	return y;
}

/* The lower bound of two views, for each pair of views. */
static double lower_bound(const void *settings, int views, int64_t n, int64_t d)
{
	return bl_barlow_floor(settings, n, d) * (views * (views - 1) / 2);
}

static bl_loss_dialect matrix(const void *settings)
{
	const bl_barlow_config *c = settings;
	return c->dialect;
}

const bl_loss_ops bl_loss_ops_barlow = {
	.name = "barlow",
	.help = "Barlow Twins: compares the cross-correlation matrix of two views with the identity; sums over all pairs of views.",
	.fields = fields,
	.terms = terms,
	.turn = "lambda",
	.symbol = "λ",
	.forward = forward,
	.floor = lower_bound,
	.matrix = matrix,
};

bl_loss *bl_loss_barlow(const bl_barlow_config *c)
{
	return bl_loss_new(&bl_loss_ops_barlow, c, NULL);
}
