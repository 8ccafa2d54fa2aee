/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layers.h (private): functions of layers that are used by the networks in this folder and are not in nn.h. */
#ifndef BARLOW_NN_LAYERS_H
#define BARLOW_NN_LAYERS_H

#include "nn/module.h"

/*
 * Selects the initialisation of He et al. (2015) with fan_out, as in torchvision's ResNets.  Returns conv (may be
 * NULL).
 */
bl_module *bl_conv2d_start_normal(bl_module *conv);
/* Sets the initial value of gamma.  Returns norm (may be NULL). */
bl_module *bl_batchnorm_start(bl_module *norm, float gamma);

/*
 * A new sequential whose kind is `kind`, a static text.  If its summary is set, bl_module_text writes the summary in place of
 * the children.  NULL with bl_error: no memory.
 */
bl_module *bl_sequential_named(const char *kind);

extern const bl_module_ops bl_relu_ops;

#endif
