/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_profile.c: the rows of the profile; tests/lua/test_profile.lua tests the profile of training steps. */
#include "support.h"

#include <barlow/profile.h>

#include <stdio.h>
#include <string.h>

static bl_profile_row rows[BL_PROFILE_ROWS];

static void an_entry_goes_to_the_row_of_its_module_and_operation(void **state)
{
	(void)state;
	bl_profile_start();
	bl_profile_begin();
	for (int i = 0; i < 3; i++) {
		bl_profile_work(10);
		bl_profile_book("encoder", "conv2d", i == 2);
	}
	bl_profile_book("encoder", "relu", false);
	bl_profile_end();
	bl_profile_stop();
	assert_int_equal(bl_profile_read(rows, BL_PROFILE_ROWS), 2);
	const bl_profile_row *r = &rows[strcmp(rows[0].op, "conv2d") != 0];
	assert_string_equal(r->op, "conv2d");
	assert_int_equal(r->calls, 3);
	assert_true(r->flops[0] == 20 && r->flops[1] == 10);
}

static void no_call_is_lost_if_there_are_more_modules_than_rows(void **state)
{
	enum { MODULES = BL_PROFILE_ROWS + 100 };
	(void)state;
	bl_profile_start();
	bl_profile_begin();
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < MODULES; i++) {
			char module[32];
			snprintf(module, sizeof module, "layer%d", i);
			bl_profile_work(1);
			bl_profile_book(module, "relu", false);
		}
		assert_int_equal(bl_profile_read(rows, BL_PROFILE_ROWS), BL_PROFILE_ROWS); /* reading sorts the rows */
	}
	bl_profile_end();
	bl_profile_stop();
	int64_t calls = 0;
	double seconds = 0, flops = 0;
	for (int i = 0; i < BL_PROFILE_ROWS; i++) {
		bool others = !strcmp(rows[i].op, "everything else");
		assert_int_equal(rows[i].calls, others ? 2 * (MODULES - BL_PROFILE_ROWS + 1) : 2);
		calls += rows[i].calls;
		seconds += rows[i].seconds[0];
		flops += rows[i].flops[0];
	}
	assert_int_equal(calls, 2 * MODULES);
	assert_true(flops == 2 * MODULES);
	assert_true(seconds <= bl_profile_wall());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_goes_to_the_row_of_its_module_and_operation),
		cmocka_unit_test(no_call_is_lost_if_there_are_more_modules_than_rows),
	};
	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
