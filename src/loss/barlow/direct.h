/* SPDX-License-Identifier: GPL-3.0-or-later */
/* direct.h (private): the cross-correlation matrix in memory, as what the loss counts of it. */
#ifndef BARLOW_LOSS_BARLOW_DIRECT_H
#define BARLOW_LOSS_BARLOW_DIRECT_H

#include "loss/standard.h"

#include <stdbool.h>

/*
 * s open -> standardised whole; e (D,D) = C with 0 on its diagonal, and 1 added off it in hsic; *squares = ||e||_F^2.
 * -1 with bl_error.
 */
int bl_direct_error(bl_standard *s, bool hsic, float *e, double *squares);

#endif
