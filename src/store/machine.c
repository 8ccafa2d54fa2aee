/* SPDX-License-Identifier: GPL-3.0-or-later */
/* machine.c: the CPU's type and the kernels that it runs. */
#include "store/machine.h"
#include "tensor/kernel/kernel.h"

#include <barlow/tensor.h>

#include <stdio.h>
#include <string.h>

#if defined __x86_64__
#include <cpuid.h>
#endif

#if defined __x86_64__
/* Vendor, family, model: "GenuineIntel-6-143". */
static void cpu_name(char buf[BL_MACHINE_TEXT])
{
	unsigned a, b, c, d, maker[3];
	__cpuid(0, a, maker[0], maker[2], maker[1]);
	__cpuid(1, a, b, c, d);
	unsigned family = (a >> 8 & 15) + (a >> 20 & 255), model = (a >> 4 & 15) + (a >> 12 & 240);
	snprintf(buf, BL_MACHINE_TEXT, "%.12s-%u-%u", (const char *)maker, family, model);
}
#else
static void cpu_name(char buf[BL_MACHINE_TEXT])
{
	snprintf(buf, BL_MACHINE_TEXT, "%.32s", bl_blas_core());
}
#endif

const char *bl_machine(char buf[BL_MACHINE_TEXT])
{
	cpu_name(buf);
	size_t n = strlen(buf);
	snprintf(buf + n, BL_MACHINE_TEXT - n, "-%s", bl_kernel()->name);
	return buf;
}
