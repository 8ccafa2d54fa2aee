/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_file.c: writing whole files: the result, also through links and for other kinds of files, and the order of
 * system calls.
 *
 * This program's own fsync() and rename() replace the C library's and record each call.
 */
#include "support.h"

#include <barlow/file.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char calls[64];

static void note(const char *what)
{
	strncat(calls, what, sizeof calls - strlen(calls) - 1);
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	struct stat st;
	fstat(fd, &st);
	note(S_ISDIR(st.st_mode) ? "folder " : st.st_size > 0 ? "file " : "empty ");
	return real(fd);
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
	note("rename ");
	return real(from, to);
}

static void assert_text(const char *path, const char *expected)
{
	size_t n;
	char *bytes = bl_file_read(path, &n);
	assert_non_null(bytes);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(bytes, expected, n);
	free(bytes);
}

static void the_file_is_synced_before_the_rename_and_the_folder_after(void **state)
{
	(void)state;
	calls[0] = 0;
	assert_int_equal(bl_file_write_atomic(support_scratch("order"), "x", 1), 0);
	assert_string_equal(calls, "file rename folder ");
}

static void a_link_stays_and_its_target_is_written(void **state)
{
	(void)state;
	const char *folder = support_scratch("links"), *real = support_scratch("links/real"), *link = support_scratch("there");
	struct stat st;
	mkdir(folder, 0700);
	support_write(real, "old", 3);
	assert_int_equal(symlink("links/real", link), 0);
	assert_int_equal(bl_file_write_atomic(link, "new", 3), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_text(real, "new");
}

static void a_link_to_what_is_missing_makes_it(void **state)
{
	(void)state;
	const char *link = support_scratch("dangling"), *made = support_scratch("made");
	assert_int_equal(symlink("made", link), 0);
	assert_int_equal(bl_file_write_atomic(link, "text", 4), 0);
	assert_text(made, "text");
}

static void a_circle_of_links_is_refused(void **state)
{
	(void)state;
	const char *link = support_scratch("circle");
	assert_int_equal(symlink("circle", link), 0);
	assert_int_equal(bl_file_write_atomic(link, "text", 4), -1);
	assert_error("cannot follow the symbolic link");
}

static void what_is_no_regular_file_is_refused(void **state)
{
	(void)state;
	const char *fifo = support_scratch("fifo"), *link = support_scratch("to_null");
	struct stat st;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(bl_file_write_atomic(fifo, "text", 4), -1);
	assert_error("not a regular file");
	assert_int_equal(lstat(fifo, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_int_equal(bl_file_write_atomic(link, "text", 4), -1);
	assert_error("not a regular file");
	assert_int_equal(bl_file_write_atomic(support_scratch("."), "text", 4), -1);
	assert_error("not a regular file");
}

static void permissions_stay(void **state)
{
	(void)state;
	const char *path = support_scratch("private");
	static const mode_t modes[] = { 0600, 0640, 0666, 0444 };
	struct stat st;
	support_write(path, "x", 1);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(bl_file_write_atomic(path, "y", 1), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
	}
}

static void the_umask_applies_to_a_new_file(void **state)
{
	(void)state;
	const char *path = support_scratch("fresh");
	struct stat st;
	mode_t before = umask(027);
	int rc = bl_file_write_atomic(path, "x", 1);
	umask(before);
	assert_int_equal(rc, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void others_cannot_read_a_private_file(void **state)
{
	(void)state;
	static const struct {
		mode_t mask, expected;
	} at[] = { { 0, 0600 }, { 022, 0600 }, { 0277, 0400 } };
	struct stat st;
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		const char *path = support_scratch("own");
		unlink(path);
		mode_t before = umask(at[i].mask);
		int rc = bl_file_write_private(path, "x", 1);
		umask(before);
		assert_int_equal(rc, 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, at[i].expected);
	}
}

/* The name of the temporary file is longer than that of the file. */
static void the_longest_name_can_be_written(void **state)
{
	(void)state;
	char name[NAME_MAX + 1];
	size_t n;
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	const char *path = support_scratch(name);
	for (int i = 0; i < 2; i++)
		assert_int_equal(bl_file_write_atomic(path, "long", 4), 0);
	char *bytes = bl_file_read(path, &n);
	assert_non_null(bytes);
	assert_int_equal(n, 4);
	free(bytes);
}

static void folders_are_for_the_user_alone(void **state)
{
	(void)state;
	struct stat st;
	assert_int_equal(bl_file_make_folder(support_scratch("a/b/c")), 0);
	assert_int_equal(stat(support_scratch("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(support_scratch("a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_is_synced_before_the_rename_and_the_folder_after),
		cmocka_unit_test(a_link_stays_and_its_target_is_written),
		cmocka_unit_test(a_link_to_what_is_missing_makes_it),
		cmocka_unit_test(a_circle_of_links_is_refused),
		cmocka_unit_test(what_is_no_regular_file_is_refused),
		cmocka_unit_test(permissions_stay),
		cmocka_unit_test(the_umask_applies_to_a_new_file),
		cmocka_unit_test(others_cannot_read_a_private_file),
		cmocka_unit_test(the_longest_name_can_be_written),
		cmocka_unit_test(folders_are_for_the_user_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
