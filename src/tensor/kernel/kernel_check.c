/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_check.c: checks the value of BARLOW_KERNELS, and that OpenBLAS's kernels could be selected. */
#include "tensor/matrix/blas_core.h"
#include "tensor/kernel/kernel.h"

#include <barlow/error.h>
#include <barlow/tensor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int bl_kernel_check(void)
{
	const char *requested = getenv("BARLOW_KERNELS"), *names[BL_KERNEL_SETS + 1];
	char known[80] = "";
	int n = bl_kernel_names(names);
	if (bl_blas_core_failed())
		return bl_fail("no memory to choose OpenBLAS's kernels");
	for (int i = 0; i < n; i++) {
		size_t at = strlen(known);
		snprintf(known + at, sizeof known - at, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", names[i]);
		if (requested && !strcmp(requested, names[i]))
			return 0;
	}
	return requested && *requested ? bl_fail("BARLOW_KERNELS is '%s': expected %s, which this CPU runs", requested, known) : 0;
}
