/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * support.h: shared by the C tests: cmocka with the headers it requires, comparison of floats, messages, files.
 *
 * A failed comparison ends the test like cmocka's own assertions.
 */
#ifndef BARLOW_TESTS_C_SUPPORT_H
#define BARLOW_TESTS_C_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* |a - b| <= tolerance * max(1, |b|) */
#define assert_close(a, b, tolerance) support_close((a), (b), (tolerance), #a, __FILE__, __LINE__)

/* The largest |a[i] - b[i]| is at most tolerance * the largest |b[i]|; NaN never is. */
#define assert_all_close(a, b, n, tolerance) support_all_close((a), (b), (n), (tolerance), #a, __FILE__, __LINE__)

/* bl_error() of this thread contains `part`. */
#define assert_error(part) support_error((part), __FILE__, __LINE__)

/* Skips the running test with this reason. */
#define skip_because(...) (print_message("# skipped: " __VA_ARGS__), print_message("\n"), skip())

void support_close(double a, double b, double tolerance, const char *what, const char *file, int line);
void support_all_close(const float *a, const float *b, int64_t n, double tolerance, const char *what, const char *file, int line);
void support_error(const char *part, const char *file, int line);

/* "tests/reference/x.npy" as a path that is valid in any working folder.  Valid until the fourth next call. */
const char *support_source(const char *path);

/* A path in a folder of this process, which is emptied and removed at exit.  Valid until the fourth next call. */
const char *support_scratch(const char *name);

/* Unpacks a .gz of this number of plain bytes. */
void support_gunzip(const char *gz, const char *to, size_t n);
/* Writes a file; ends the test if that fails. */
void support_write(const char *path, const void *bytes, size_t n);

#endif
