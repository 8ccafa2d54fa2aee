/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * support.h: functions for all C tests: cmocka with the headers that it requires, comparison of floats, messages, files.
 *
 * A failed comparison ends the test, like cmocka's own assertions.
 */
#ifndef BARLOW_TESTS_C_SUPPORT_H
#define BARLOW_TESTS_C_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Asserts that |a - b| <= tolerance * max(1, |b|). */
#define assert_close(a, b, tolerance) support_close((a), (b), (tolerance), #a, __FILE__, __LINE__)

/* Asserts that the largest |a[i] - b[i]| is at most tolerance * the largest |b[i]|; a NaN fails. */
#define assert_all_close(a, b, n, tolerance) support_all_close((a), (b), (n), (tolerance), #a, __FILE__, __LINE__)

/* Asserts that bl_error() of this thread contains `part`. */
#define assert_error(part) support_error((part), __FILE__, __LINE__)

/* Skips the running test with this reason. */
#define skip_because(...) (print_message("# skipped: " __VA_ARGS__), print_message("\n"), skip())

void support_close(double a, double b, double tolerance, const char *what, const char *file, int line);
void support_all_close(const float *a, const float *b, int64_t n, double tolerance, const char *what, const char *file, int line);
void support_error(const char *part, const char *file, int line);

/* The path of a file of the source tree, such as "tests/reference/x.npy".  Valid until the fourth call after this one. */
const char *support_source(const char *path);

/* A path in a folder of this process, which is removed at exit.  Valid until the fourth call after this one. */
const char *support_scratch(const char *name);

/* Returns n numbers from a normal distribution, which the caller frees. */
float *support_normals(int64_t n, uint64_t seed, uint32_t stream);

/* A test, the last one of a program: no block (barlow/memory.h) is allocated any more. */
void support_no_blocks_left(void **state);
/* A test: the program succeeds with the other kernels of this CPU, too, in processes of its own, since a process chooses them once. */
void support_other_kernels(void **state);

/* Unpacks a .gz file whose content has this number of bytes. */
void support_gunzip(const char *gz, const char *to, size_t n);
/* Writes a file; ends the test if that fails. */
void support_write(const char *path, const void *bytes, size_t n);

#endif
