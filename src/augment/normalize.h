/* SPDX-License-Identifier: GPL-3.0-or-later */
/* normalize.h: normalisation as a scale and a shift. */
#ifndef AUGMENT_NORMALIZE_H
#define AUGMENT_NORMALIZE_H

#include "augment/operator.h"

/* (x - mean) / std = x * scale + shift; fails where a channel has no std. */
int bl_normalize_factors(const bl_aug *a, int channels, float *scale, float *shift);

#endif
