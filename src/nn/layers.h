/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layers.h (private): what networks ask of layers beyond nn.h. */
#ifndef BARLOW_NN_LAYERS_H
#define BARLOW_NN_LAYERS_H

#include "nn/module.h"

/* Weights start as He et al. (2015) have them, by the fan out, as torchvision's ResNets do.  Returns conv. */
bl_module *bl_conv2d_start_normal(bl_module *conv);
/* gamma starts at this value.  Returns norm. */
bl_module *bl_batchnorm_start(bl_module *norm, float gamma);

/* A sequential that is called `kind`; summary stands for its children in its text. */
bl_module *bl_sequential_named(const char *kind);

extern const bl_module_ops bl_relu_ops;

#endif
