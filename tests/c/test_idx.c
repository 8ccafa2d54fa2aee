/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_idx.c: intact and damaged IDX files, plain and compressed by gzip; and Fashion-MNIST if it is installed. */
#include "support.h"

#include <barlow/data.h>
#include <barlow/error.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { IMAGES = 5, HEIGHT = 3, WIDTH = 4, PIXELS = IMAGES * HEIGHT * WIDTH, IMAGES_SIZE = 16 + PIXELS, LABELS_SIZE = 8 + IMAGES };

/* Pixel k of the file is 3 k; label i is (i * 2) % 5. */
static void image_bytes(uint8_t *b)
{
	memcpy(b, (uint8_t[]){ 0, 0, 8, 3, 0, 0, 0, IMAGES, 0, 0, 0, HEIGHT, 0, 0, 0, WIDTH }, 16);
	for (int k = 0; k < PIXELS; k++)
		b[16 + k] = (uint8_t)(3 * k);
}

static void label_bytes(uint8_t *b)
{
	memcpy(b, (uint8_t[]){ 0, 0, 8, 1, 0, 0, 0, IMAGES, 0, 2, 4, 1, 3 }, LABELS_SIZE);
}

/* Writes a file of these bytes and returns its path. */
static const char *written(const char *name, const uint8_t *bytes, size_t n)
{
	const char *path = support_scratch(name);
	support_write(path, bytes, n);
	return path;
}

/* Asserts that a file of these bytes is refused as a data set, with this message. */
static void refused(const char *name, const uint8_t *bytes, size_t n, const char *message)
{
	assert_null(bl_dataset_idx(written(name, bytes, n), NULL));
	assert_error(message);
}

static const char *good_images(void)
{
	uint8_t b[IMAGES_SIZE];
	image_bytes(b);
	return written("images", b, sizeof b);
}

static size_t gzip(const uint8_t *bytes, size_t n, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (uint8_t *)bytes, .avail_in = (unsigned)n };
	z.next_out = out;
	z.avail_out = (unsigned)room;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void check_good(bl_dataset *d)
{
	if (!d)
		fail_msg("%s", bl_error());
	assert_int_equal(bl_dataset_length(d), IMAGES);
	assert_int_equal(bl_dataset_height(d), HEIGHT);
	assert_int_equal(bl_dataset_width(d), WIDTH);
	assert_int_equal(bl_dataset_channels(d), 1);
	for (int64_t i = 0; i < IMAGES; i++) {
		bl_image im;
		assert_int_equal(bl_dataset_image(d, i, &im), 0);
		for (int k = 0; k < HEIGHT * WIDTH; k++)
			assert_int_equal(im.pixels[k], (uint8_t)(3 * (i * HEIGHT * WIDTH + k)));
	}
}

static void plain_files_are_read(void **state)
{
	uint8_t l[LABELS_SIZE];
	(void)state;
	label_bytes(l);
	bl_dataset *d = bl_dataset_idx(good_images(), written("labels", l, sizeof l));
	check_good(d);
	assert_int_equal(bl_dataset_classes(d), 5);
	for (int i = 0; i < IMAGES; i++)
		assert_int_equal(bl_dataset_label(d, i), i * 2 % 5);
	assert_string_equal(bl_dataset_name(d), "images");
	bl_dataset_unref(d);
}

static void labels_may_be_missing(void **state)
{
	(void)state;
	bl_dataset *d = bl_dataset_idx(good_images(), NULL);
	check_good(d);
	assert_int_equal(bl_dataset_classes(d), 0);
	assert_int_equal(bl_dataset_label(d, 0), -1);
	bl_dataset_unref(d);
}

/* gzip is recognised by its bytes, not by the name. */
static void gzip_files_are_read(void **state)
{
	uint8_t b[IMAGES_SIZE], l[LABELS_SIZE], z[256], y[256];
	(void)state;
	image_bytes(b);
	label_bytes(l);
	size_t n = gzip(b, sizeof b, z, sizeof z), m = gzip(l, sizeof l, y, sizeof y);
	bl_dataset *d = bl_dataset_idx(written("images.idx", z, n), written("labels.idx", y, m));
	check_good(d);
	assert_int_equal(bl_dataset_label(d, 3), 1);
	bl_dataset_unref(d);
}

static void colour_is_read(void **state)
{
	uint8_t b[20 + 2 * 2 * 2 * 65] = { 0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3 };
	(void)state;
	for (int channels = 2; channels <= 64; channels += 1 + (channels == 3) * 60) {
		b[19] = (uint8_t)channels;
		bl_dataset *d = bl_dataset_idx(written("colour", b, (size_t)(20 + 8 * channels)), NULL);
		assert_non_null(d);
		assert_int_equal(bl_dataset_channels(d), channels);
		bl_dataset_unref(d);
	}
	b[19] = 65;
	refused("colour", b, sizeof b, "images of 65 channels, expected 1 to 64");
}

/* Every truncation of the file is an error that names the byte at which it ends. */
static void truncated_files_are_refused(void **state)
{
	uint8_t b[IMAGES_SIZE], z[256];
	char words[128];
	(void)state;
	image_bytes(b);
	for (size_t n = 0; n < sizeof b; n++) {
		refused("cut", b, n, "/cut: ");
		if (n < 16) {
			snprintf(words, sizeof words, "ends at byte %zu, after ", n);
			assert_error(words);
		} else {
			assert_error("byte 4: sizes 5 x 3 x 4, but the file can hold");
		}
	}
	size_t whole = gzip(b, sizeof b, z, sizeof z);
	for (size_t n = 2; n < whole; n++) {
		assert_null(bl_dataset_idx(written("cut", z, n), NULL));
		snprintf(words, sizeof words, "the gzip data is cut short: the file ends at byte %zu", n);
		assert_error(words);
	}
}

static void trailing_bytes_are_refused(void **state)
{
	uint8_t b[IMAGES_SIZE + 3] = { 0 }, z[256] = { 0 };
	(void)state;
	image_bytes(b);
	refused("long", b, sizeof b, "/long: 3 bytes too many: the data ends at byte 76, the file at 79");
	size_t n = gzip(b, sizeof b, z, sizeof z);
	refused("long", z, n, "/long: more plain bytes follow byte 76");
	n = gzip(b, IMAGES_SIZE, z, sizeof z);
	z[n] = 'x';
	refused("long", z, n + 5, "/long: 5 bytes too many");
	z[n] = 0; /* zeros after the gzip data are padding */
	bl_dataset *d = bl_dataset_idx(written("long", z, n + 5), NULL);
	check_good(d);
	bl_dataset_unref(d);
}

/* RFC 1952, 2.2: the contents of several members are concatenated. */
static void gzip_of_several_members_is_read(void **state)
{
	uint8_t b[IMAGES_SIZE], z[512];
	(void)state;
	image_bytes(b);
	for (size_t cut = 0; cut <= IMAGES_SIZE; cut += 19) {
		size_t n = gzip(b, cut, z, sizeof z);
		n += gzip(b + cut, IMAGES_SIZE - cut, z + n, sizeof z - n);
		bl_dataset *d = bl_dataset_idx(written("two", z, n), NULL);
		check_good(d);
		bl_dataset_unref(d);
		refused("two", z, n - 9, "two: the gzip data is cut short");
	}
}

static void damaged_gzip_is_refused(void **state)
{
	uint8_t b[IMAGES_SIZE], z[256];
	(void)state;
	image_bytes(b);
	size_t n = gzip(b, sizeof b, z, sizeof z);
	z[n - 6] ^= 1; /* a bit of the checksum */
	refused("bad", z, n, "/bad: bad gzip data before byte ");
	assert_error("incorrect data check");
}

static void wrong_magic_is_refused(void **state)
{
	uint8_t l[LABELS_SIZE];
	const char *images = good_images();
	(void)state;
	label_bytes(l);
	const char *labels = written("labels", l, sizeof l);
	assert_null(bl_dataset_idx(labels, NULL));
	assert_error(
		"/labels: byte 0: magic number 0x00000801, expected 0x00000803 or 0x00000804 (unsigned bytes, "
		"3 dimensions: images)");
	assert_null(bl_dataset_idx(images, images));
	assert_error(
		"/images: byte 0: magic number 0x00000803, expected 0x00000801 or 0x00000802 (unsigned bytes, "
		"1 dimension: labels)");
}

static void labels_must_match_images(void **state)
{
	uint8_t l[LABELS_SIZE];
	(void)state;
	label_bytes(l);
	l[7] = 4;
	assert_null(bl_dataset_idx(good_images(), written("labels", l, LABELS_SIZE - 1)));
	assert_error("/labels: byte 4: 4 labels, expected 5, as many as ");
	l[7] = 5;
	assert_null(bl_dataset_idx(good_images(), written("labels", l, LABELS_SIZE - 2)));
	assert_error("/labels: byte 4: sizes 5, but the file can hold 3 bytes after its header of 8");
}

/* A header may state any size; no memory is allocated before it was compared with the size of the file. */
static void the_header_is_compared_with_the_size_of_the_file(void **state)
{
	uint8_t b[IMAGES_SIZE], z[256];
	(void)state;
	image_bytes(b);
	memset(b + 4, 0x7f, 12);
	refused("huge", b, sizeof b, "/huge: byte 4: sizes 2139062143 x 2139062143 x 2139062143, but the file can hold 60 bytes");
	memcpy(b + 4, (uint8_t[]){ 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0 }, 12);
	size_t n = gzip(b, sizeof b, z, sizeof z);
	refused("huge", z, n, "/huge: byte 4: sizes 65536 x 256 x 256, but the file can hold");
	memset(b + 4, 0, 4);
	refused("none", b, sizeof b, "/none: byte 4: size 0 of dimension 1, expected 1 to");
	memset(b + 4, 0xff, 4);
	refused("none", b, sizeof b, "/none: byte 4: size 4294967295 of dimension 1");
}

static void missing_files_are_named(void **state)
{
	(void)state;
	assert_null(bl_dataset_idx("/no/such/file", NULL));
	assert_error("/no/such/file: ");
	assert_null(bl_dataset_idx(good_images(), "/no/such/labels"));
	assert_error("/no/such/labels: ");
	assert_null(bl_dataset_fashion("/no/such/folder", true));
	assert_error("Fashion-MNIST: no train-images-idx3-ubyte (or train-images-idx3-ubyte.gz) in /no/such/folder");
	assert_error("dataset-fashion-mnist");
}

/* Uses a folder with other files that have Fashion-MNIST's names. */
static void fashion_has_ten_classes(void **state)
{
	uint8_t b[IMAGES_SIZE], l[LABELS_SIZE];
	const char *folder = support_scratch("fashion");
	char images[256], labels[256];
	(void)state;
	image_bytes(b);
	label_bytes(l);
	assert_int_equal(mkdir(folder, 0777), 0);
	snprintf(images, sizeof images, "%s/t10k-images-idx3-ubyte", folder);
	snprintf(labels, sizeof labels, "%s/t10k-labels-idx1-ubyte", folder);
	support_write(images, b, sizeof b);
	support_write(labels, l, sizeof l);
	bl_dataset *d = bl_dataset_fashion(folder, false);
	check_good(d);
	assert_int_equal(bl_dataset_classes(d), 10);
	assert_string_equal(bl_dataset_name(d), "fashion-mnist test");
	assert_string_equal(bl_dataset_class_name(d, 9), "ankle boot");
	assert_null(bl_dataset_class_name(d, 10));
	bl_dataset_unref(d);
	l[8] = 10;
	support_write(labels, l, sizeof l);
	assert_null(bl_dataset_fashion(folder, false));
	assert_error("expected 0 to 9: this is not Fashion-MNIST");
	unlink(images);
	unlink(labels);
	rmdir(folder);
}

static void installed_fashion_has_the_published_content(void **state)
{
	float mean, std;
	(void)state;
	if (access("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz", R_OK) != 0)
		skip_because("Debian's dataset-fashion-mnist is not installed");
	bl_dataset *d = bl_dataset_fashion(NULL, true);
	assert_non_null(d);
	assert_int_equal(bl_dataset_length(d), 60000);
	assert_int_equal(bl_dataset_height(d), 28);
	assert_int_equal(bl_dataset_width(d), 28);
	int count[10] = { 0 };
	for (int64_t i = 0; i < 60000; i++)
		count[bl_dataset_label(d, i)]++;
	for (int k = 0; k < 10; k++)
		assert_int_equal(count[k], 6000);
	assert_int_equal(bl_dataset_label(d, 0), 9);
	bl_dataset_statistics(d, &mean, &std);
	assert_close(mean, 0.2860, 1e-4);
	assert_close(std, 0.3530, 1e-4);
	bl_dataset_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_files_are_read),
		cmocka_unit_test(labels_may_be_missing),
		cmocka_unit_test(gzip_files_are_read),
		cmocka_unit_test(colour_is_read),
		cmocka_unit_test(truncated_files_are_refused),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(damaged_gzip_is_refused),
		cmocka_unit_test(gzip_of_several_members_is_read),
		cmocka_unit_test(wrong_magic_is_refused),
		cmocka_unit_test(labels_must_match_images),
		cmocka_unit_test(the_header_is_compared_with_the_size_of_the_file),
		cmocka_unit_test(missing_files_are_named),
		cmocka_unit_test(fashion_has_ten_classes),
		cmocka_unit_test(installed_fashion_has_the_published_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
