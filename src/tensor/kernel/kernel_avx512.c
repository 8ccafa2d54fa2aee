/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_avx512.c: the kernels for CPUs with AVX-512: 32 registers of 16 floats. */
#if defined __AVX512F__
#define LANES 16
#define KERNELS bl_kernels_avx512
#define KERNEL_NAME "avx512"
#define TILES TILE(6, 4) TILE(12, 2) TILE(12, 1)
#include "tensor/kernel/kernel_body.h"
#else
typedef int bl_kernel_avx512_is_empty;
#endif
