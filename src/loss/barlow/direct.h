/* SPDX-License-Identifier: GPL-3.0-or-later */
/* direct.h (private): the error matrix E (barlow.c), computed from the whole cross-correlation matrix. */
#ifndef BARLOW_LOSS_BARLOW_DIRECT_H
#define BARLOW_LOSS_BARLOW_DIRECT_H

#include "loss/standard.h"

#include <stdbool.h>

/*
 * Standardises the whole of s, which must be open (bl_standard_open).  Sets e (D,D) to C with 0 on the diagonal and, if
 * hsic, with 1 added to all other elements.  Sets *squares to ||e||_F^2.  0, or -1 with bl_error.
 */
int bl_direct_error(bl_standard *s, bool hsic, float *e, double *squares);

#endif
