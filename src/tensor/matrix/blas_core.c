/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blas_core.c: OpenBLAS on a CPU that is newer than it.
 *
 * An OpenBLAS that does not know the CPU's model takes its kernels for the oldest x86-64 ("Prescott", SSE3), which costs
 * four fifths of the speed where there is AVX-512.  OPENBLAS_CORETYPE names other kernels, but is read once, when the
 * library is loaded; so it is set and the library told to look again.
 */
#define _GNU_SOURCE
#include "tensor/matrix/blas_core.h"

#include "tensor/kernel/kernel.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Kernels of the same instructions as ours; NULL: none better than the oldest. */
static const char *core_for(const char *kernels)
{
	if (!strcmp(kernels, "avx512"))
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
