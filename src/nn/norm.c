/* SPDX-License-Identifier: GPL-3.0-or-later */
/* norm.c: the batch norm layer, which can be fused with a residual sum and a ReLU. */
#include "nn/layers.h"

#include <barlow/number.h>

#include <math.h>

typedef struct norm {
	bl_module base;
	int64_t features;
	bool affine, two_d;
	float momentum, eps, start;
} norm;

static int check(const norm *l, const bl_tensor *x, bool training)
{
	char text[BL_SHAPE_TEXT];
	if (x->ndim != (l->two_d ? 4 : 2) || x->shape[1] != l->features)
		return bl_fail("expected (N, %lld%s), got %s", (long long)l->features, l->two_d ? ", H, W" : "",
		               bl_tensor_text(x, text));
	if (training && bl_tensor_count(x) / l->features < 2)
		return bl_fail("statistics of a batch need more than one value per channel, got %s", bl_tensor_text(x, text));
	return 0;
}

/* Slots: [weight, bias,] running_mean, running_var, num_batches_tracked. */
static bl_tensor *forward(bl_module *m, bl_tensor *x, bl_tensor *residual, bool relu)
{
	const norm *l = (const norm *)m;
	const bl_slot *running = m->slot + (l->affine ? 2 : 0);
	bool training = m->training && !bl_module_probing(), keep = training && !bl_module_dry();
	bl_norm_args args = { .training = training, .momentum = l->momentum, .eps = l->eps, .residual = residual, .relu = relu };
	if (check(l, x, training))
		return NULL;
	if (l->affine) {
		args.gamma = m->slot[0].tensor;
		args.beta = m->slot[1].tensor;
	}
	if (keep || !training) {
		args.running_mean = running[0].tensor;
		args.running_var = running[1].tensor;
	}
	bl_tensor *y = bl_batchnorm(x, &args);
	if (y && keep)
		running[2].tensor->data[0] += 1;
	return y;
}

static bl_tensor *plain(bl_module *m, bl_tensor *x)
{
	return forward(m, x, NULL, false);
}

static void arguments(const bl_module *m, bl_text *t)
{
	const norm *l = (const norm *)m;
	char number[BL_NUMBER_TEXT];
	bool open = false;
	bl_text_add(t, "%lld", (long long)l->features);
	if (!l->affine)
		bl_text_add_setting(t, &open, "affine = false");
	if (l->momentum != .1f)
		bl_text_add_setting(t, &open, "momentum = %s", bl_number_text((double)l->momentum, true, number, sizeof number));
	if (l->eps != 1e-5f)
		bl_text_add_setting(t, &open, "eps = %s", bl_number_text((double)l->eps, true, number, sizeof number));
	bl_text_add(t, "%s", open ? "}" : "");
}

static void brief(const bl_module *m, bl_text *t)
{
	bl_text_add(t, "batchnorm %lld", (long long)((const norm *)m)->features);
}

static void init(bl_module *m, uint64_t seed, uint32_t stream)
{
	const norm *l = (const norm *)m;
	(void)seed;
	(void)stream;
	for (int i = 0; i < m->slots; i++)
		bl_tensor_fill(m->slot[i].tensor, 0);
	if (l->affine)
		bl_tensor_fill(m->slot[0].tensor, l->start);
	bl_tensor_fill(m->slot[l->affine ? 3 : 1].tensor, 1);
}

static const bl_module_ops norm_ops = {
	.kind = "batchnorm",
	.size = sizeof(norm),
	.forward = plain,
	.fused = forward,
	.arguments = arguments,
	.brief = brief,
	.init = init,
};

static bool add_slots(bl_module *m, int64_t features, bool affine)
{
	if (affine && (bl_module_add_slot(m, "weight", BL_PARAM_NORM, 1, &features) ||
	               bl_module_add_slot(m, "bias", BL_PARAM_NORM, 1, &features)))
		return false;
	return !bl_module_add_slot(m, "running_mean", BL_PARAM_BUFFER, 1, &features) &&
	       !bl_module_add_slot(m, "running_var", BL_PARAM_BUFFER, 1, &features) &&
	       !bl_module_add_slot(m, "num_batches_tracked", BL_PARAM_BUFFER, 0, NULL);
}

bl_module *bl_nn_batchnorm(int64_t features, bool affine, bool two_d, float momentum, float eps)
{
	if (features < 1)
		return bl_fail_null("batchnorm: features must be at least 1, got %lld", (long long)features);
	if (!(momentum >= 0 && momentum <= 1) || !(eps > 0) || isinf(eps))
		return bl_fail_null("batchnorm: expected momentum from 0 to 1 and eps > 0, got %g and %g", (double)momentum,
		                    (double)eps);
	bl_module *m = bl_module_new(&norm_ops);
	if (!m)
		return NULL;
	norm *l = (norm *)m;
	l->features = features;
	l->affine = affine;
	l->two_d = two_d;
	m->maker = two_d ? NULL : "batchnorm1d";
	l->momentum = momentum;
	l->eps = eps;
	l->start = 1;
	return bl_module_finish(m, add_slots(m, features, affine));
}

bl_module *bl_batchnorm_start(bl_module *m, float gamma)
{
	if (m)
		((norm *)m)->start = gamma;
	return m;
}
