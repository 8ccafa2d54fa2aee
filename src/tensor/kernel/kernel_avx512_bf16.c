/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_avx512_bf16.c: the kernels for CPUs with AVX-512 that have an instruction for pairs of bfloat16 numbers. */
#if defined __AVX512BF16__
#include <immintrin.h>
#define LANES 16
#define KERNELS bl_kernels_avx512_bf16
#define KERNEL_NAME "avx512_bf16"
#define TILES TILE(6, 4) TILE(12, 2) TILE(12, 1)
#define PAIR_ADD(ACC, A, B) ((vec)_mm512_dpbf16_ps((__m512)(ACC), (__m512bh)_mm512_set1_ps(A), (__m512bh)(B)))
#include "tensor/kernel/kernel_body.h"
#else
typedef int bl_kernel_avx512_bf16_is_empty;
#endif
