/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * early.c: prevents OpenBLAS from starting threads if the address space is limited (ulimit -v).  This code runs before
 * libraries are initialised.
 *
 * When OpenBLAS is loaded, it starts a thread for each CPU; if there is no room for a thread's stack, a signal ends the
 * program.  barlow uses OpenBLAS with one thread anyway.  bl_run_need_room checks later that there is enough room for
 * everything else.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define SANITIZED 1 /* sanitizers are not initialised yet, and do not work in a limited address space */
#else
#define SANITIZED 0
#endif

#define NAME "OPENBLAS_NUM_THREADS="

static char one_thread[] = NAME "1";

/* The C library's environment is not initialised yet, so the program is executed again with a changed environment. */
static void start_anew(char **argv, char **env)
{
	enum { MOST = 4096 };
	char *changed[MOST + 2] = { one_thread };
	for (int n = 1; *env && n <= MOST; env++)
		if (strncmp(*env, NAME, strlen(NAME)) != 0)
			changed[n++] = *env;
	if (!*env)
		execve("/proc/self/exe", argv, changed);
}

static void limit_threads(int argc, char **argv, char **env)
{
	struct rlimit limit;
	char **set = env; /* the variable, if it has the wanted value already */
	while (*set && strcmp(*set, one_thread) != 0)
		set++;
	if (argc > 0 && !SANITIZED && !*set && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		start_anew(argv, env);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = limit_threads;
