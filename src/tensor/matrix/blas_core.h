/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blas_core.h (private): makes OpenBLAS use this CPU's instructions if it does not know the CPU's model. */
#ifndef BARLOW_TENSOR_MATRIX_BLAS_CORE_H
#define BARLOW_TENSOR_MATRIX_BLAS_CORE_H

#include <stdbool.h>

/*
 * Makes OpenBLAS repeat its selection if `core`, the kernels that it has selected, are the oldest ones.  Changes the
 * environment, so there must be no other thread.
 */
void bl_blas_core_mend(const char *core);
bool bl_blas_core_failed(void); /* did bl_blas_core_mend have no memory? */

#endif
