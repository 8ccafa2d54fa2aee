/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_support.c: the comparison functions of the tests, which would hide all faults if they could not fail. */
#include "support.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void close_accepts_within_tolerance(void **state)
{
	(void)state;
	assert_close(1.0, 1.05, .1);
	assert_close(1000, 1001, .01);
}

static void all_close_is_relative_to_the_largest(void **state)
{
	(void)state;
	const float a[] = { 100, 1e-4f }, b[] = { 100, 0 };
	assert_all_close(a, b, 2, 1e-5);
}

static void error_finds_a_part(void **state)
{
	(void)state;
	bl_fail("shape (2, 3) against %s", "(4, 5)");
	assert_error("(4, 5)");
}

static void scratch_files_hold_what_was_written(void **state)
{
	(void)state;
	const char *path = support_scratch("bytes");
	support_write(path, "abc", 3);
	assert_int_equal(access(path, R_OK), 0);
}

static void source_files_are_found(void **state)
{
	(void)state;
	assert_int_equal(access(support_source("include/barlow/tensor.h"), R_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_accepts_within_tolerance),
		cmocka_unit_test(all_close_is_relative_to_the_largest),
		cmocka_unit_test(error_finds_a_part),
		cmocka_unit_test(scratch_files_hold_what_was_written),
		cmocka_unit_test(source_files_are_found),
	};
	return cmocka_run_group_tests_name("support", tests, NULL, NULL);
}
