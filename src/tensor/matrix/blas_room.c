/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blas_room.c: reserves OpenBLAS's memory if the address space is limited (ulimit -v).
 *
 * OpenBLAS maps a buffer of 128 MiB for each thread that multiplies, and never frees it.  If it cannot map a buffer, it
 * retries endlessly.  Therefore this file checks in advance that the buffers fit, and makes OpenBLAS allocate them
 * while there is room.
 */
#define _GNU_SOURCE
#include "tensor/matrix/blas.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/tensor.h>

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
	BUFFER = 128 << 20,
	OTHERS = 1,       /* a caller outside of the pool may multiply at the same time as the pool's threads */
	REST = 128 << 20, /* stacks, arenas of malloc, a small run's tensors */
	BUFFERS_MAX = BL_THREADS_MAX + OTHERS
};

/* Makes OpenBLAS have at least n buffers: n of them are requested before the first one is released. */
static void take_buffers(int n)
{
	void *(*alloc)(int), (*release)(void *), *buffer[BUFFERS_MAX];
	*(void **)&alloc = dlsym(RTLD_DEFAULT, "blas_memory_alloc");
	*(void **)&release = dlsym(RTLD_DEFAULT, "blas_memory_free");
	if (!alloc || !release)
		return;
	for (int i = 0; i < n; i++)
		buffer[i] = alloc(0);
	for (int i = 0; i < n; i++)
		release(buffer[i]);
}

int bl_blas_room(int threads)
{
	struct rlimit limit;
	int n = threads > 0 ? threads + OTHERS : 0;
	size_t need = (size_t)(n > 0 ? n : 1) * BUFFER + REST;
	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	void *p = mmap(NULL, need, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return bl_fail(
			"the address space is limited to %zu MiB (ulimit -v), which leaves less than the %zu MiB that are "
			"needed for -t %d: raise the limit, or take fewer threads",
			(size_t)limit.rlim_cur >> 20, need >> 20, threads > 0 ? threads : 1);
	munmap(p, need);
	take_buffers(n);
	return 0;
}
