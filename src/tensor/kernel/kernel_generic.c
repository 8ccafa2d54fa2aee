/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_generic.c: the kernels for any CPU, with vectors of 4 floats as in SSE2 and NEON. */
#define LANES 4
#define KERNELS bl_kernels_generic
#define KERNEL_NAME "generic"
#define TILES TILE(4, 2) TILE(8, 1)
#include "tensor/kernel/kernel_body.h"
