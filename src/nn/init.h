/* SPDX-License-Identifier: GPL-3.0-or-later */
/* init.h (private): initial values of the parameters of layers. */
#ifndef BARLOW_NN_INIT_H
#define BARLOW_NN_INIT_H

#include "nn/module.h"

/*
 * PyTorch's default for linear layers and convolutions, kaiming_uniform(a = sqrt(5)): weight and bias are drawn from
 * U(-1, 1) / sqrt(fan_in).
 */
void bl_init_default(bl_module *m, uint64_t seed, uint32_t stream, int64_t fan_in);
/* He et al. (2015) with fan_out: the weight is drawn from N(0, 2 / fan_out), and the bias is 0. */
void bl_init_fan_out(bl_module *m, uint64_t seed, uint32_t stream, int64_t fan_out);

#endif
