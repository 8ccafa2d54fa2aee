/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_field.c: settings as data: defaults, open and closed ranges, lists, and texts that are read back. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/field.h>
#include <barlow/number.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
	int stride, form;
	int64_t steps;
	float p, sigma[2], mean[3];
	double lr, beta;
	bool bias;
	bl_list widths, strides;
	const char *name;
} settings;

static const char *const forms[] = { "auto", "gram", NULL };

static const bl_field fields[] = {
	BL_FIELD(INT, settings, stride, BL_DEFAULT(1), BL_WITHIN(1, 8)),
	BL_FIELD(CHOICE, settings, form, BL_DEFAULT(1), .choices = forms),
	BL_FIELD(INT64, settings, steps, BL_OTHERWISE("epochs say it"), BL_AT_LEAST(1)),
	BL_FIELD(FLOAT, settings, p, BL_DEFAULT(.1), BL_WITHIN(0, .1)),
	BL_FIELD(PAIR, settings, sigma, BL_DEFAULT(.1, 2), BL_ABOVE(0)),
	BL_FIELD(FLOATS, settings, mean, BL_DEFAULT(.5), .count = 3),
	BL_FIELD(DOUBLE, settings, lr, BL_REQUIRED, BL_AT_LEAST(0)),
	BL_FIELD(DOUBLE, settings, beta, BL_DEFAULT(.9), BL_BELOW(0, 1)),
	BL_FIELD(BOOL, settings, bias, BL_DEFAULT(true)),
	BL_FIELD(INTS, settings, widths, BL_DEFAULT(16, 32), BL_AT_LEAST(1), .count = 4),
	BL_FIELD(LIST, settings, strides, BL_OTHERWISE("1, then 2")),
	BL_FIELD(TEXT, settings, name, BL_TEXT("run")),
	BL_FIELD_UNREAD("views", "a pipeline", BL_OTHERWISE("the paper's")),
	BL_FIELD_END,
};

static const bl_field *field(const char *name)
{
	const bl_field *f = bl_field_find(fields, name);
	assert_non_null(f);
	return f;
}

static void defaults_are_stored_in_their_members(void **state)
{
	(void)state;
	settings s = { .lr = 7, .steps = 9 };
	bl_fields_default(fields, &s);
	assert_int_equal(s.stride, 1);
	assert_int_equal(s.form, 1);
	assert_int_equal(s.steps, 9); /* a field without a fixed default does not change */
	assert_true(s.lr == 7);
	assert_true(s.p == .1f && s.sigma[0] == .1f && s.sigma[1] == 2);
	assert_true(s.mean[0] == .5f && s.mean[2] == .5f);
	assert_true(s.bias && s.beta == .9);
	assert_int_equal(s.widths.n, 2);
	assert_true(s.widths.v[1] == 32);
	assert_string_equal(s.name, "run");
	assert_null(bl_field_find(fields, "no such"));
	assert_int_equal(bl_settings_check(fields, &s), 0); /* a default is within its range */
}

static void takes(const char *name, double v)
{
	settings s = { 0 };
	if (bl_field_set(field(name), &s, &v, 1) != 0)
		fail_msg("%s = %g: %s", name, v, bl_error());
}

static void refuses(const char *name, double v)
{
	settings s = { 0 };
	if (bl_field_set(field(name), &s, &v, 1) == 0)
		fail_msg("%s = %g was taken", name, v);
	assert_non_null(strstr(bl_error(), name));
	assert_memory_equal(&s, &(settings){ 0 }, sizeof s);
}

static void both_ends_of_a_range_hold(void **state)
{
	(void)state;
	takes("stride", 1), takes("stride", 8), refuses("stride", 0), refuses("stride", 9), refuses("stride", 1.5);
	takes("p", .1), takes("p", 0), refuses("p", .1001), refuses("p", -1e-9); /* .1f is larger than .1 but counts as .1 */
	takes("sigma", 1e-6), refuses("sigma", 0), refuses("sigma", -1);
	takes("beta", 0), takes("beta", .999), refuses("beta", 1), refuses("beta", -.1);
	takes("lr", 0), takes("lr", 1e300), refuses("lr", -1e-300);
	takes("bias", 1), refuses("bias", 2), takes("form", 0), refuses("form", 2), refuses("form", .5);
	takes("steps", 1LL << 53), refuses("steps", 1e300);
	takes("mean", -1e30), refuses("p", 1e300);
}

static void infinity_and_nan_are_no_settings(void **state)
{
	(void)state;
	for (const bl_field *f = fields; f->kind < BL_FIELD_TEXT; f++) {
		refuses(f->name, NAN);
		refuses(f->name, INFINITY);
		refuses(f->name, -INFINITY);
	}
}

static int set_many(const char *name, settings *s, int n, const double *v)
{
	return bl_field_set(field(name), s, v, n);
}

static void a_list_has_the_required_length(void **state)
{
	(void)state;
	settings s = { 0 };
	const double v[] = { 1, 2, 3, 4, 5 };
	assert_int_equal(set_many("mean", &s, 3, v), 0);
	assert_true(s.mean[2] == 3);
	assert_true(set_many("mean", &s, 2, v) < 0); /* two values are not extended to three */
	assert_string_equal(bl_error(), "'mean' must be a number, or a list of 3 numbers, got {1, 2}");
	assert_true(set_many("mean", &s, 4, v) < 0);
	assert_true(set_many("sigma", &s, 3, v) < 0);
	assert_int_equal(set_many("widths", &s, 4, v), 0);
	assert_int_equal(s.widths.n, 4);
	assert_true(set_many("widths", &s, 5, v) < 0);
	assert_true(set_many("widths", &s, 0, v) < 0);
	assert_true(bl_field_set(field("sigma"), &s, (double[]){ 2, 1 }, 2) < 0);
	assert_string_equal(bl_error(), "'sigma' must be a number, or {lowest, highest}, each above 0, got {2, 1}");
	assert_true(bl_field_set(field("views"), &s, v, 1) < 0);
}

static void messages_state_what_is_expected(void **state)
{
	static const struct {
		const char *name, *text;
	} known[] = {
		{ "stride", "an integer between 1 and 8" },
		{ "form", "one of auto, gram" },
		{ "steps", "an integer of at least 1" },
		{ "p", "a number between 0 and 0.1" },
		{ "lr", "a number of at least 0" },
		{ "beta", "a number of at least 0 and below 1" },
		{ "bias", "true or false" },
		{ "widths", "a list of 1 to 4 integers, each of at least 1" },
		{ "name", "a string" },
		{ "views", "a pipeline" },
	};
	(void)state;
	char buf[128], cut[8];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		assert_string_equal(bl_field_expected(field(known[i].name), buf, sizeof buf), known[i].text);
	assert_string_equal(bl_field_expected(field("stride"), cut, sizeof cut), "an inte");
}

static void defaults_and_values_read_as_lua(void **state)
{
	(void)state;
	char buf[512];
	settings s = { .lr = .0051, .steps = 3 };
	bl_fields_default(fields, &s);
	s.strides = (bl_list){ 2, { 1, .5 } };
	assert_string_equal(bl_field_default_text(field("sigma"), buf, sizeof buf), "{0.1, 2}");
	assert_string_equal(bl_field_default_text(field("form"), buf, sizeof buf), "\"gram\"");
	assert_string_equal(bl_field_default_text(field("name"), buf, sizeof buf), "\"run\"");
	assert_string_equal(bl_field_default_text(field("lr"), buf, sizeof buf), "");
	assert_string_equal(bl_field_default_text(field("steps"), buf, sizeof buf), "epochs say it");
	assert_string_equal(bl_field_value_text(field("lr"), &s, buf, sizeof buf), "0.0051");
	assert_string_equal(bl_fields_text(fields, &s, buf, sizeof buf),
	                    "stride = 1, form = \"gram\", steps = 3, p = 0.1, sigma = {0.1, 2}, mean = {0.5, 0.5, 0.5}, "
	                    "lr = 0.0051, beta = 0.9, bias = true, widths = {16, 32}, strides = {1, 0.5}");
}

static void numbers_read_back_in_any_locale(void **state)
{
	static const double v[] = { 0, 1, -3, .1, .1 + .2, 1. / 3, 1e-300, 12345678.9, 1e22, 5e-324 };
	(void)state;
	char text[32], there[32];
	const char *with_comma = setlocale(LC_NUMERIC, "de_DE.UTF-8");
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		setlocale(LC_NUMERIC, "C");
		bl_number_text(v[i], false, text, sizeof text);
		assert_true(strtod(text, NULL) == v[i]);
		assert_true(strtof(bl_number_text(v[i], true, there, sizeof there), NULL) == (float)v[i]);
		if (!with_comma)
			continue;
		setlocale(LC_NUMERIC, "de_DE.UTF-8");
		assert_string_equal(bl_number_text(v[i], false, there, sizeof there), text);
	}
	setlocale(LC_NUMERIC, "C");
	assert_string_equal(bl_number_text((double).08f, true, text, sizeof text), "0.08");
	assert_string_equal(bl_number_text(.1 + .2, false, text, sizeof text), "0.30000000000000004");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_stored_in_their_members), cmocka_unit_test(both_ends_of_a_range_hold),
		cmocka_unit_test(infinity_and_nan_are_no_settings),     cmocka_unit_test(a_list_has_the_required_length),
		cmocka_unit_test(messages_state_what_is_expected),      cmocka_unit_test(defaults_and_values_read_as_lua),
		cmocka_unit_test(numbers_read_back_in_any_locale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
