/* SPDX-License-Identifier: GPL-3.0-or-later */
/* networks.c: sequential networks: a small convolutional encoder, and the multilayer perceptron used as projector. */
#include "nn/layers.h"

#include <stdio.h>

static int add(bl_module *m, bl_module *layer)
{
	int rc = layer ? bl_nn_append(m, NULL, layer) : -1;
	bl_module_unref(layer);
	return rc;
}

static int check_widths(const char *kind, const int64_t *widths, int layers)
{
	if (layers < 1)
		return bl_fail("%s: expected at least one layer", kind);
	for (int i = 0; i < layers; i++)
		if (widths[i] < 1)
			return bl_fail("%s: width %d must be at least 1, got %lld", kind, i + 1, (long long)widths[i]);
	return 0;
}

static int add_cnn_layers(bl_module *m, const bl_cnn_config *c)
{
	int64_t in = c->channels;
	for (int i = 0; i < c->layers; in = c->widths[i++])
		if (add(m, bl_nn_conv2d(in, c->widths[i], 3, (bl_conv_shape){ c->strides[i], 1, 1, 1 }, false)) ||
		    add(m, bl_nn_batchnorm(c->widths[i], true, true, .1f, 1e-5f)) || add(m, bl_nn_relu()))
			return -1;
	if (c->pool && add(m, bl_nn_global_avgpool()))
		return -1;
	return add(m, bl_nn_flatten());
}

bl_module *bl_nn_cnn(const bl_cnn_config *c)
{
	bl_module *m = check_widths("cnn", c->widths, c->layers) ? NULL : bl_sequential_named("cnn");
	return m ? bl_module_finish(m, !add_cnn_layers(m, c)) : NULL;
}

/*
 * Adds a child whose name is its number.  A flatten at the beginning has no number, so that names do not depend on it.
 */
static int add_numbered(bl_module *m, int *number, bl_module *layer)
{
	char name[24];
	snprintf(name, sizeof name, "%d", (*number)++);
	return bl_module_adopt(m, name, layer);
}

static int add_mlp_layers(bl_module *m, const bl_mlp_config *c)
{
	int number = 0;
	int64_t in = c->in;
	if (c->flatten && bl_module_adopt(m, "flatten", bl_nn_flatten()))
		return -1;
	for (int i = 0; i < c->layers; in = c->widths[i++]) {
		if (add_numbered(m, &number, bl_nn_linear(in, c->widths[i], c->bias)))
			return -1;
		if (c->last_plain && i == c->layers - 1)
			break;
		if (c->norm && add_numbered(m, &number, bl_nn_batchnorm(c->widths[i], true, false, .1f, 1e-5f)))
			return -1;
		if (add_numbered(m, &number, bl_nn_relu()))
			return -1;
	}
	return 0;
}

bl_module *bl_nn_mlp(const bl_mlp_config *c)
{
	bl_module *m = check_widths("mlp", c->widths, c->layers) ? NULL : bl_sequential_named("mlp");
	return m ? bl_module_finish(m, !add_mlp_layers(m, c)) : NULL;
}
