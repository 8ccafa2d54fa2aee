/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel.c: selects the set of kernels that this process uses. */
#include <config.h>

#include "tensor/kernel/kernel.h"

#include <barlow/tensor.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const bl_kernels *chosen;

#if defined __x86_64__
#if defined HAVE_AVX512_BF16
/* On Intel's CPUs since Sapphire Rapids, the bfloat16 instruction takes four times as long as that for floats. */
static bool pairs_pay(void)
{
	return __builtin_cpu_is("amd") || __builtin_cpu_is("cooperlake");
}

static int runnable_pairs(const bl_kernels **sets, int n, bool pay)
{
	if (__builtin_cpu_supports("avx512bf16") && pairs_pay() == pay)
		sets[n++] = &bl_kernels_avx512_bf16;
	return n;
}
#else
static int runnable_pairs(const bl_kernels **sets, int n, bool pay)
{
	(void)sets, (void)pay;
	return n;
}
#endif
#endif

/* Lists the sets that this CPU supports, the fastest first; returns their number. */
static int runnable(const bl_kernels **sets)
{
	int n = 0;
#if defined __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl")) {
		n = runnable_pairs(sets, n, true);
		sets[n++] = &bl_kernels_avx512;
		n = runnable_pairs(sets, n, false);
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		sets[n++] = &bl_kernels_avx2;
#endif
	sets[n++] = &bl_kernels_generic;
	return n;
}

static void choose(void)
{
	const bl_kernels *sets[BL_KERNEL_SETS];
	const char *requested = getenv("BARLOW_KERNELS");
	int n = runnable(sets);
	chosen = sets[0];
	for (int i = 0; requested && i < n; i++)
		if (!strcmp(requested, sets[i]->name))
			chosen = sets[i];
}

int bl_kernel_names(const char *names[BL_KERNEL_SETS + 1])
{
	const bl_kernels *sets[BL_KERNEL_SETS];
	int n = runnable(sets);
	for (int i = 0; i < n; i++)
		names[i] = sets[i]->name;
	names[n] = NULL;
	return n;
}

const char *bl_kernel_name(void)
{
	return bl_kernel()->name;
}

const bl_kernels *bl_kernel(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, choose);
	return chosen;
}

/* Returns the widest panel that the remaining columns fill; if they fill none, the narrowest. */
int bl_panel_vectors(const bl_kernels *k, int64_t from, int64_t cols)
{
	int best = 1;
	for (int v = 2; v <= 4; v++)
		if (k->heights[v] && cols - from >= (int64_t)v * k->lanes)
			best = v;
	return best;
}
