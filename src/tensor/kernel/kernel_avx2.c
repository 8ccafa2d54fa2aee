/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_avx2.c: the kernels for CPUs with AVX2 and FMA: 16 registers of 8 floats. */
#if defined __AVX2__ && defined __FMA__
#define LANES 8
#define KERNELS bl_kernels_avx2
#define KERNEL_NAME "avx2"
#define TILES TILE(6, 2) TILE(8, 1)
#include "tensor/kernel/kernel_body.h"
#else
typedef int bl_kernel_avx2_is_empty;
#endif
