/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blas_core.c: makes an OpenBLAS that is older than the CPU use the CPU's instructions.
 *
 * If OpenBLAS does not know the CPU's model, it uses its kernels for the oldest x86-64 CPUs ("Prescott", SSE3).  On a
 * CPU with AVX-512 these reach a fifth of the possible speed.  The variable OPENBLAS_CORETYPE selects other kernels,
 * but OpenBLAS reads it only when it is loaded.  Therefore this file sets it, and makes OpenBLAS repeat its selection.
 */
#define _GNU_SOURCE
#include "tensor/matrix/blas_core.h"

#include "tensor/kernel/kernel.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The name of OpenBLAS's kernels for the instruction set of barlow's kernels of that name; NULL: none is selected. */
static const char *core_for(const char *kernels)
{
	if (!strncmp(kernels, "avx512", strlen("avx512"))) /* with or without bfloat16 */
		return "SkylakeX";
	return !strcmp(kernels, "avx2") ? "Haswell" : NULL;
}

static void look_again(void)
{
	void (*quit)(void), (*init)(void);
	*(void **)&quit = dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
	*(void **)&init = dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
	if (!quit || !init)
		return;
	quit();
	init();
}

static bool failed;

bool bl_blas_core_failed(void)
{
	return failed;
}

void bl_blas_core_mend(const char *core)
{
	const char *better = core_for(bl_kernel()->name);
	if (strcmp(core, "Prescott") || !better || getenv("OPENBLAS_CORETYPE"))
		return;
	failed = setenv("OPENBLAS_CORETYPE", better, 1) != 0;
	look_again();
	unsetenv("OPENBLAS_CORETYPE");
}
