/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_formats.c: files of every picture format compared with PIL, also over a background and rotated; windows; damaged files. */
#include "support.h"

#include "data/decode.h"

#include <barlow/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const bl_decode_options plain = { .channels = 3 };
static const bl_decode_options over = { .channels = 3, .over = true, .ground = { 51, 102, 204 } };
static const bl_decode_options turned = { .channels = 3, .orient = true };

static const char *const names[] = {
	"lossy.webp",  "lossless.webp", "alpha.webp", "rgb.tiff",        "alpha.tiff",     "grey_alpha.tiff", "palette.tiff",
	"bitmap.tiff", "grey16.tiff",   "plain.gif",  "transparent.gif", "interlaced.gif", "moving.gif",      "rgb.bmp",
	"palette.bmp", "bitmap.bmp",    "alpha.bmp",  "bytes.ppm",       "bytes.pgm",      "bits.pbm",        "text.ppm",
	"text.pgm",    "text.pbm",      "rgb16.png",  "grey16.png",      "alpha.png",      "grey_alpha.png",  "palette.png",
	"way1.jpg",    "way2.jpg",      "way3.jpg",   "way4.jpg",        "way5.jpg",       "way6.jpg",        "way7.jpg",
	"way8.jpg",    "way6.png",      "way6.webp",
};
enum { NAMES = sizeof names / sizeof *names };

static const char *file_of(const char *name, const char *end)
{
	static char path[256];
	char relative[160];
	snprintf(relative, sizeof relative, "tests/reference/formats/%s%s", name, end);
	snprintf(path, sizeof path, "%s", support_source(relative));
	return path;
}

/* Decodes a file; adds its name to the message, as callers of the decoder add the path. */
static bl_image decode(const char *name, const bl_decode_options *options, const bl_window *window)
{
	bl_encoded e;
	bl_image im;
	if (bl_decode_open(&e, file_of(name, ""), options, NULL) < 0)
		fail_msg("%s: %s", name, bl_error());
	bl_window all = { 0, 0, e.height, e.width, 1 };
	if (bl_decode_read(&e, window ? window : &all, &im) < 0)
		fail_msg("%s: %s", name, bl_error());
	bl_decode_close(&e);
	return im;
}

static void check(const char *name, const char *end, const bl_decode_options *options)
{
	bl_tensor *t = bl_npy_load(file_of(name, end));
	assert_non_null(t);
	bl_image im = decode(name, options, NULL);
	if (im.height != bl_tensor_size(t, 0) || im.width != bl_tensor_size(t, 1))
		fail_msg("%s: %d x %d", name, im.height, im.width);
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		if ((float)im.pixels[i] != bl_tensor_data(t)[i])
			fail_msg("%s%s: value %d is %d, not %g", name, end, (int)i, im.pixels[i], (double)bl_tensor_data(t)[i]);
	bl_tensor_unref(t);
}

static void every_format_is_read_as_by_pil(void **state)
{
	int seen_over = 0, seen_turned = 0;
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		check(names[i], ".npy", &plain);
		if (access(file_of(names[i], ".over.npy"), F_OK) == 0)
			check(names[i], ".over.npy", &over), seen_over++;
		if (access(file_of(names[i], ".turned.npy"), F_OK) == 0)
			check(names[i], ".turned.npy", &turned), seen_turned++;
	}
	assert_int_equal(seen_over, 8);
	assert_int_equal(seen_turned, 10);
}

/* The pixel (y, x) of the whole image, from a window that was read. */
static const uint8_t *pixel(const bl_image *im, int y, int x)
{
	if (im->part.eighths)
		return im->pixels + ((y - im->part.top) * im->part.width + x - im->part.left) * im->channels;
	return im->pixels + (y * im->width + x) * im->channels;
}

static void check_part(const char *name, const bl_decode_options *options)
{
	bl_image im = decode(name, options, NULL);
	size_t n = (size_t)(im.height * im.width * 3);
	uint8_t *whole = malloc(n);
	assert_non_null(whole);
	memcpy(whole, im.pixels, n);
	int height = im.height, width = im.width;
	const bl_window w = { 3, 5, height - 7, width - 8, 1 };
	im = decode(name, options, &w);
	assert_int_equal(im.height, height);
	for (int y = w.top; y < w.top + w.height; y++)
		for (int x = w.left; x < w.left + w.width; x++)
			if (memcmp(pixel(&im, y, x), whole + (y * width + x) * 3, 3) != 0)
				fail_msg("%s: pixel (%d, %d) of a part is another", name, y, x);
	free(whole);
}

/* Not for JPEG, whose chroma is interpolated slightly differently at the edge of a window (see test_decode). */
static void parts_have_the_pixels_of_the_whole(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++)
		if (!strstr(names[i], ".jpg") && !strstr(names[i], "lossy"))
			check_part(names[i], strstr(names[i], "way") ? &turned : &plain);
}

static bool decodes(const uint8_t *bytes, size_t n, const bl_decode_options *options)
{
	bl_encoded e;
	bl_image im;
	if (bl_decode_open_bytes(&e, bytes, n, options) < 0)
		return false;
	int rc = bl_decode_read(&e, &(bl_window){ 0, 0, e.height, e.width, 1 }, &im);
	bl_decode_close(&e);
	return rc == 0;
}

static uint8_t *bytes_of(const char *name, size_t *n)
{
	uint8_t *b = malloc(1 << 16);
	FILE *f = fopen(file_of(name, ""), "rb");
	assert_non_null(b);
	assert_non_null(f);
	*n = fread(b, 1, 1 << 16, f);
	fclose(f);
	return b;
}

/* Decodes a copy that has exactly the size of the file, so that a sanitizer detects a read beyond its end. */
static bool cut_decodes(const uint8_t *b, size_t n)
{
	uint8_t *cut = malloc(n ? n : 1);
	assert_non_null(cut);
	memcpy(cut, b, n);
	bool fine = decodes(cut, n, &plain);
	free(cut);
	return fine;
}

/* A file may be readable without its last bytes, but not if only a third of it is left. */
static void files_cut_short_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		size_t n;
		uint8_t *b = bytes_of(names[i], &n);
		for (size_t cut = 0; cut <= n / 3; cut += 1 + n / 100)
			if (cut_decodes(b, cut))
				fail_msg("%s cut to %zu of %zu bytes was read", names[i], cut, n);
		assert_true(strlen(bl_error()) > 0);
		free(b);
	}
}

static void changed_files_are_read_or_refused(void **state)
{
	unsigned seed = 7;
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		size_t n;
		uint8_t *b = bytes_of(names[i], &n), *m = malloc(n);
		assert_non_null(m);
		for (int turn = 0; turn < 150; turn++) {
			memcpy(m, b, n);
			for (int k = 0; k <= turn % 4; k++) {
				seed = seed * 1103515245u + 12345u;
				size_t range = turn % 2 && n > 200 ? 200 : n;
				m[(seed >> 8) % range] ^= (uint8_t)(1u << (seed >> 3) % 8);
			}
			decodes(m, n, turn % 3 ? &over : &turned);
		}
		free(b);
		free(m);
	}
}

/* A file whose header states more pixels than its length allows is refused before memory is allocated. */
static void huge_and_empty_images_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *why;
	} files[] = {
		{ "P6 20000 20000 255\n", 19, "the file ends within the image" },
		{ "P3 20000 20000 255\n", 19, "20000 x 20000 pixels, expected at most 100 million" },
		{ "P5 0 7 255\n", 11, "7 x 0 pixels" },
		{ "P5 99999999999 7 255\n", 21, "its width of more than" },
		{ "P5 3 3 70000\n", 13, "its greatest value of more than 65535" },
		{ "P2 2 1 9 3", 10, "the file ends before a value" },
		{ "P2 2 1 9 3 x", 12, "expected a value" },
		{ "P1 2 1 1 2", 10, "expected 0 or 1" },
		{ "GIF89a\xff\xff\xff\xff\0\0\0", 13, "65535 x 65535 pixels" },
		{ "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\1\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		  "\0\0\0\0",
		  54, "the file ends within the image" },
		{ "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		  54, "24 bits and compression 1" },
		{ "RIFF\x20\0\0\0WEBPVP8 ", 16, "byte 16: the file ends within the image" },
		{ "II*\0\xff\xff\xff\x7f", 8, "TIFF: " },
		{ "\1\2\3\4\5\6\7\10", 8,
		  "byte 0: 01 02 03 04, expected the first bytes of a JPEG, PNG, WebP, TIFF, GIF, BMP or PNM file" },
		{ "", 0, "0 bytes, expected a JPEG" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		assert_false(decodes((const uint8_t *)files[i].bytes, files[i].n, &plain));
		assert_error(files[i].why);
	}
}

static void names_of_images(void **state)
{
	char text[256];
	(void)state;
	assert_true(bl_decode_is_named("a.JPG", NULL));
	assert_true(bl_decode_is_named("a.b.webp", NULL));
	assert_true(bl_decode_is_named("a.jfif", NULL));
	assert_false(bl_decode_is_named("a.jp", NULL));
	assert_false(bl_decode_is_named("a.jpgx", NULL));
	assert_false(bl_decode_is_named("a.", NULL));
	assert_false(bl_decode_is_named("jpg", NULL));
	assert_true(bl_decode_is_named("a.Png", "jpg  png "));
	assert_false(bl_decode_is_named("a.gif", "jpg png"));
	assert_string_equal(bl_decode_endings(text, sizeof text),
	                    ".jpg, .jpeg, .jfif, .jpe, .png, .webp, .tif, .tiff, .gif, .bmp, "
	                    ".dib, .pbm, .pgm, .ppm or .pnm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_is_read_as_by_pil),    cmocka_unit_test(parts_have_the_pixels_of_the_whole),
		cmocka_unit_test(files_cut_short_are_refused),       cmocka_unit_test(changed_files_are_read_or_refused),
		cmocka_unit_test(huge_and_empty_images_are_refused), cmocka_unit_test(names_of_images),
	};
	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
