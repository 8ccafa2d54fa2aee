/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blas_core.h (private): has OpenBLAS use this CPU's instructions where it does not know the CPU. */
#ifndef BARLOW_TENSOR_MATRIX_BLAS_CORE_H
#define BARLOW_TENSOR_MATRIX_BLAS_CORE_H

#include <stdbool.h>

/* core: what OpenBLAS has chosen.  To be called while there is one thread: it touches the environment. */
void bl_blas_core_mend(const char *core);
bool bl_blas_core_failed(void); /* there was no memory for that */

#endif
