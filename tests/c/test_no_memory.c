/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_no_memory.c: makes each allocation of functions that write a file fail once.  The function reports the failure and leaves
 * the file unchanged, or writes the same bytes as without a failure.  (If the file is written but its folder cannot be synced,
 * the function fails although the bytes are written.)
 */
#include "support.h"

#include <barlow/error.h>
#include <barlow/journal.h>
#include <barlow/nn.h>
#include <barlow/run_file.h>
#include <barlow/weights.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__ || !defined __GLIBC__
#define FAILING 0
#else
#define FAILING 1

/* The number of allocations until one fails; 0: none fails. */
static long fails;

/* glibc's own functions, under the names that it provides for programs that replace them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails_now(void)
{
	return fails > 0 && --fails == 0;
}

void *malloc(size_t n)
{
	return fails_now() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __libc_realloc(p, n);
}

enum { MOST = 1 << 20 };

static size_t bytes_of(const char *path, char out[MOST])
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(out, 1, MOST, f) : 0;
	if (f)
		fclose(f);
	return n;
}
#endif

/* write(path, ctx) returns 0, or a negative number with bl_error. */
static void each_fails(int (*write)(const char *path, void *ctx), void *ctx, const char *name)
{
#if FAILING
	static char whole[MOST], now[MOST];
	char path[512];
	snprintf(path, sizeof path, "%s", support_scratch(name));
	if (write(path, ctx) != 0)
		fail_msg("%s", bl_error());
	size_t n = bytes_of(path, whole);
	assert_true(n > 0);
	long call = 1;
	for (bool failed = true; failed; call++) {
		support_write(path, "as it was", 9);
		fails = call;
		int rc = write(path, ctx);
		failed = fails == 0;
		fails = 0;
		size_t m = bytes_of(path, now);
		bool done = m == n && memcmp(whole, now, n) == 0, as_it_was = m == 9 && memcmp(now, "as it was", 9) == 0;
		if (!done && (rc == 0 || !as_it_was))
			fail_msg("%s, allocation %ld: returned %d, and %zu bytes are there", name, call, rc, m);
	}
	assert_true(call > 3);
#else
	(void)write, (void)ctx, (void)name;
#endif
}

/* A test calls this before it allocates anything, since a skipped test would leak it. */
static void need_own_allocator(void)
{
#if !FAILING
	skip_because("AddressSanitizer has an allocator of its own");
#endif
}

static int write_weights(const char *path, void *ctx)
{
	return bl_weights_save(path, (bl_module *[]){ ctx }, (const char *[]){ "encoder" }, 1);
}

static void test_weights(void **state)
{
	(void)state;
	need_own_allocator();
	bl_module *m = bl_nn_mlp(&(bl_mlp_config){ .in = 4, .widths = (int64_t[]){ 4, 4, 4, 4 }, .layers = 4, .norm = true });
	each_fails(write_weights, m, "weights.safetensors");
	bl_module_unref(m);
}

/* The text is longer than 8192 bytes, so its buffer is reallocated, also if a stream begins with a buffer of that size. */
static int write_journal(const char *path, void *ctx)
{
	(void)ctx;
	enum { CHANGES = 400 };
	static bl_change c[CHANGES];
	for (int i = 0; i < CHANGES; i++) {
		c[i] = (bl_change){ .step = i, .value = i };
		snprintf(c[i].name, sizeof c[i].name, "views.jitter.p");
		snprintf(c[i].who, sizeof c[i].who, "script");
	}
	return bl_journal_write(path, c, CHANGES);
}

static void test_journal(void **state)
{
	(void)state;
	need_own_allocator();
	each_fails(write_journal, NULL, "journal");
}

/* Writes run.json into a folder beside `path`. */
static int write_run_file(const char *path, void *ctx)
{
	char folder[600], file[700];
	snprintf(folder, sizeof folder, "%s.folder", path);
	snprintf(file, sizeof file, "%s/run.json", folder);
	mkdir(folder, 0700);
	unlink(file);
	if (bl_run_file_write(folder, ctx) != 0)
		return -1;
	return rename(file, path);
}

static void test_run_file(void **state)
{
	(void)state;
	need_own_allocator();
	static bl_run_file f = { .name = "run", .state = BL_RUN_FILE_DONE, .reason = "all steps are done", .seed = 1, .step = 20 };
	for (int i = 0; i < 50; i++) {
		char name[40];
		snprintf(name, sizeof name, "views[1][%d].strength", i);
		assert_int_equal(bl_facts_set(&f.recipe, name, i / 7., NULL), 0);
	}
	each_fails(write_run_file, &f, "facts");
	bl_facts_free(&f.recipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_weights), cmocka_unit_test(test_journal),
		                            cmocka_unit_test(test_run_file) };
	return cmocka_run_group_tests_name("no_memory", tests, NULL, NULL);
}
