/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * early.c: before any library begins, OpenBLAS is told to start no threads where addresses are limited (ulimit -v).
 *
 * When it is loaded, OpenBLAS starts a thread for each CPU, and ends the program with a signal if a stack has no room.
 * Here it computes in one thread anyway.  Whether the rest has room is looked at later, by bl_run_need_room.
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
#define SANITIZED 1 /* their own memory is not there yet, and does not fit into limited addresses */
#else
#define SANITIZED 0
#endif

#define NAME "OPENBLAS_NUM_THREADS="

static char one_thread[] = NAME "1";

/* The C library does not know the environment yet: what OpenBLAS reads is what a program is started with. */
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

static bool has_one_thread(char **env)
{
	while (*env && strcmp(*env, one_thread) != 0)
		env++;
	return *env;
}

static void limit_threads(int argc, char **argv, char **env)
{
	struct rlimit limit;
	if (argc > 0 && !SANITIZED && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && !has_one_thread(env))
		start_anew(argv, env);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = limit_threads;
