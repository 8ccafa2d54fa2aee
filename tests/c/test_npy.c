/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_npy.c: .npy files written by NumPy and by barlow, and damaged files. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/random.h>
#include <barlow/tensor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Asserts that a (2, 3, 4) file has the element i * scale + shift at index i in row-major order. */
static void check_counts(const char *name, double scale, double shift)
{
	bl_tensor *t = bl_npy_load(support_source(name));
	const int64_t shape[] = { 2, 3, 4 };

	assert_non_null(t);
	assert_int_equal(bl_tensor_ndim(t), 3);
	assert_memory_equal(bl_tensor_shape(t), shape, sizeof(shape));
	for (int i = 0; i < 24; i++)
		assert_close(bl_tensor_data(t)[i], i * scale + shift, 0);
	bl_tensor_unref(t);
}

static void numpy_files_are_read(void **state)
{
	(void)state;
	check_counts("tests/reference/npy_f4.npy", .125, 0);
	check_counts("tests/reference/npy_f8_fortran.npy", .125, 0);
	check_counts("tests/reference/npy_i2_big.npy", 1, -12);
}

static void version_2_is_read(void **state)
{
	bl_tensor *t = bl_npy_load(support_source("tests/reference/npy_i8_v2.npy"));

	(void)state;
	assert_non_null(t);
	assert_int_equal(bl_tensor_ndim(t), 2);
	assert_close(bl_tensor_data(t)[11], 6, 0);
	bl_tensor_unref(t);
}

static void scalars_and_booleans_are_read(void **state)
{
	bl_tensor *s = bl_npy_load(support_source("tests/reference/npy_u8_scalar.npy"));
	bl_tensor *b = bl_npy_load(support_source("tests/reference/npy_bool.npy"));

	(void)state;
	assert_int_equal(bl_tensor_ndim(s), 0);
	assert_close(bl_tensor_data(s)[0], 7, 0);
	assert_memory_equal(bl_tensor_data(b), ((float[]){ 1, 0, 1 }), 3 * sizeof(float));
	bl_tensor_unref(s);
	bl_tensor_unref(b);
}

/* Two elements of each type that NumPy writes, in both byte orders. */
static void every_type_of_number_is_read(void **state)
{
	static const struct {
		const char *type, *bytes;
		int n;
		float first, second;
	} cases[] = {
		{ "|b1", "\0\1", 2, 0, 1 },
		{ "|i1", "\x80\x7f", 2, -128, 127 },
		{ "|u1", "\x80\xff", 2, 128, 255 },
		{ "<i2", "\xfe\xff\0\x10", 4, -2, 4096 },
		{ ">i2", "\xff\xfe\x10\0", 4, -2, 4096 },
		{ "<u2", "\xfe\xff\0\x10", 4, 65534, 4096 },
		{ "<i4", "\xfe\xff\xff\xff\0\0\1\0", 8, -2, 65536 },
		{ ">i4", "\xff\xff\xff\xfe\0\1\0\0", 8, -2, 65536 },
		{ "<u4", "\0\0\0\x80\3\0\0\0", 8, 2147483648.f, 3 },
		{ "<i8", "\xfe\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\1\0\0\0", 16, -2, 4294967296.f },
		{ ">i8", "\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\1\0\0\0\0", 16, -2, 4294967296.f },
		{ "<u8", "\0\0\0\0\0\0\0\x80\3\0\0\0\0\0\0\0", 16, 9223372036854775808.f, 3 },
		{ "<f2", "\0\x3c\0\xc5", 4, 1, -5 },
		{ "<f4", "\0\0\x80\x3f\0\0\x20\xc0", 8, 1, -2.5f },
		{ ">f4", "\x3f\x80\0\0\xc0\x20\0\0", 8, 1, -2.5f },
		{ "<f8", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\4\xc0", 16, 1, -2.5f },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char file[128] = "\x93NUMPY\1\0\x76";
		int n = 10 + snprintf(file + 10, 119, "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }", cases[i].type);
		memset(file + n, ' ', (size_t)(127 - n));
		file[127] = '\n';
		char all[128 + 16];
		memcpy(all, file, 128);
		memcpy(all + 128, cases[i].bytes, (size_t)cases[i].n);
		assert_int_equal(bl_file_write_atomic(support_scratch("type.npy"), all, 128 + (size_t)cases[i].n), 0);
		bl_tensor *t = bl_npy_load(support_scratch("type.npy"));
		if (!t || bl_tensor_data(t)[0] != cases[i].first || bl_tensor_data(t)[1] != cases[i].second)
			fail_msg("%s: %s", cases[i].type, t ? "other numbers" : bl_error());
		bl_tensor_unref(t);
	}
}

/* The file that barlow writes equals NumPy's, byte for byte. */
static void written_as_numpy_writes(void **state)
{
	bl_tensor *t = bl_npy_load(support_source("tests/reference/npy_f4.npy"));
	const char *path = support_scratch("f4.npy");
	size_t n_theirs, n_ours;
	char *theirs, *ours;

	(void)state;
	assert_int_equal(bl_npy_save(path, t), 0);
	theirs = bl_file_read(support_source("tests/reference/npy_f4.npy"), &n_theirs);
	ours = bl_file_read(path, &n_ours);
	assert_int_equal(n_ours, n_theirs);
	assert_memory_equal(ours, theirs, n_theirs);
	free(theirs);
	free(ours);
	bl_tensor_unref(t);
}

static void round_trip(int ndim, const int64_t *shape)
{
	bl_tensor *t = bl_tensor_new(ndim, shape), *back;
	const char *path = support_scratch("trip.npy");

	bl_tensor_normal(t, 1, BL_STREAM_USER, 0, 1);
	assert_int_equal(bl_npy_save(path, t), 0);
	back = bl_npy_load(path);
	assert_non_null(back);
	assert_true(bl_tensor_same_shape(t, back));
	assert_memory_equal(bl_tensor_data(back), bl_tensor_data(t), (size_t)bl_tensor_count(t) * sizeof(float));
	bl_tensor_unref(t);
	bl_tensor_unref(back);
}

static void shapes_survive(void **state)
{
	(void)state;
	round_trip(0, NULL);
	round_trip(1, (int64_t[]){ 5 });
	round_trip(2, (int64_t[]){ 0, 3 });
	round_trip(6, (int64_t[]){ 2, 1, 3, 1, 2, 2 });
}

static void channels_last_is_written_in_logical_order(void **state)
{
	bl_tensor *image = bl_tensor_new_image(1, 2, 1, 2), *back;
	const char *path = support_scratch("image.npy");

	(void)state;
	memcpy(bl_tensor_data(image), (float[]){ 0, 10, 1, 11 }, 4 * sizeof(float)); /* in memory order: pixel by pixel */
	assert_int_equal(bl_npy_save(path, image), 0);
	back = bl_npy_load(path);
	assert_memory_equal(bl_tensor_data(back), ((float[]){ 0, 1, 10, 11 }), 4 * sizeof(float));
	bl_tensor_unref(image);
	bl_tensor_unref(back);
}

/* A version 1.0 file with this header and `data` bytes of zeros. */
static void refused(const char *header, size_t data, const char *message)
{
	char file[512] = "\x93NUMPY\x01";
	size_t length = strlen(header);
	const char *path = support_scratch("bad.npy");

	file[8] = (char)length;
	memcpy(file + 10, header, length);
	support_write(path, file, 10 + length + data);
	assert_null(bl_npy_load(path));
	assert_error("bad.npy");
	assert_error(message);
}

static void bad_headers_are_named(void **state)
{
	(void)state;
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 11, "byte 68: shape (3,) of 4-byte");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 13, "needs 12 bytes, the file has 13");
	refused("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }\n", 24, "'<c8'");
	refused("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }\n", 6, "'<c8'");
	refused("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (3,), }\n", 12, "byte 44: header wants True or False");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3), }\n", 12, "a comma");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }\n", 12, "a size");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1), }\n", 4, "at most 6");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n", 4, "64 bits");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n", 0, "too large");
	refused("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 12, "once each");
	refused("{'descr': '<f4', 'shape': (3,), }\n", 12, "once each");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 12, "a newline");
	refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } junk\n", 12, "a newline");
}

static void not_npy_is_named(void **state)
{
	(void)state;
	assert_null(bl_npy_load(support_scratch("absent.npy")));
	assert_error("cannot open: No such file");
	support_write(support_scratch("text.npy"), "hello, world", 12);
	assert_null(bl_npy_load(support_scratch("text.npy")));
	assert_error("not a .npy file");
	support_write(support_scratch("v3.npy"), "\x93NUMPY\x03\0\0\0\0\0", 12);
	assert_null(bl_npy_load(support_scratch("v3.npy")));
	assert_error("version 3.0, expected 1.0 or 2.0");
	support_write(support_scratch("long.npy"), "\x93NUMPY\x02\0\x02\0\0\x01{}", 14);
	assert_null(bl_npy_load(support_scratch("long.npy")));
	assert_error("byte 8: header of 16777218 bytes, but the file has 2");
	assert_null(bl_npy_load("/"));
	assert_error("not a regular file");
}

/* Every truncation of a valid file is refused, and a changed byte causes at most wrong numbers or a message. */
static void damaged_files_are_read_or_refused(void **state)
{
	size_t n;
	unsigned char *file = bl_file_read(support_source("tests/reference/npy_f8_fortran.npy"), &n);
	const char *path = support_scratch("broken.npy");
	bl_rng rng;

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		support_write(path, file, cut);
		assert_null(bl_npy_load(path));
	}
	bl_rng_init(&rng, 1, 0, 0, BL_STREAM_USER);
	for (int turn = 0; turn < 1000; turn++) {
		uint32_t at = bl_rng_below(&rng, 128);
		unsigned char old = file[at];

		file[at] = (unsigned char)bl_rng_u32(&rng);
		support_write(path, file, n);
		bl_fail("no message");
		bl_tensor *t = bl_npy_load(path);
		if (!t)
			assert_error("broken.npy: ");
		bl_tensor_unref(t);
		file[at] = old;
	}
	free(file);
}

static void unwritable_place_is_named(void **state)
{
	bl_tensor *t = bl_tensor_scalar(1);

	(void)state;
	assert_int_equal(bl_npy_save(support_scratch("no/such/x.npy"), t), -1);
	assert_error("no/such/x.npy: cannot make a file there");
	bl_tensor_unref(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numpy_files_are_read),
		cmocka_unit_test(version_2_is_read),
		cmocka_unit_test(scalars_and_booleans_are_read),
		cmocka_unit_test(every_type_of_number_is_read),
		cmocka_unit_test(written_as_numpy_writes),
		cmocka_unit_test(shapes_survive),
		cmocka_unit_test(channels_last_is_written_in_logical_order),
		cmocka_unit_test(bad_headers_are_named),
		cmocka_unit_test(not_npy_is_named),
		cmocka_unit_test(damaged_files_are_read_or_refused),
		cmocka_unit_test(unwritable_place_is_named),
	};
	return cmocka_run_group_tests_name("npy", tests, NULL, NULL);
}
