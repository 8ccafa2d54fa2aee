/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_decode.c: decoding of JPEG and PNG files of every kind, of parts, at smaller scales, and of damaged and hostile files. */
#include "pictures.h"
#include "support.h"

#include "augment/window.h"
#include "data/decode.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATIONS = 1000, HEIGHT = 75, WIDTH = 101 };

/* Decodes the window, or the whole image if it is NULL.  Returns 0, or a negative number with bl_error. */
static int try_decode(const char *path, int channels, const bl_window *window, bl_image *im)
{
	bl_encoded e;
	if (bl_decode_open(&e, path, &(bl_decode_options){ .channels = channels }, NULL) < 0)
		return -1;
	const bl_window all = { 0, 0, e.height, e.width, 1 };
	int rc = bl_decode_read(&e, window ? window : &all, im);
	bl_decode_close(&e);
	return rc;
}

static bl_image decode(const char *path, int channels, const bl_window *window)
{
	bl_image im;
	if (try_decode(path, channels, window, &im) < 0)
		fail_msg("%s: %s", path, bl_error());
	return im;
}

/* Asserts that decoding fails with this message. */
static bool decodes(const char *path)
{
	bl_image im;
	return try_decode(path, 3, NULL, &im) == 0;
}

static uint8_t *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *b = malloc(1 << 20);
	assert_non_null(f);
	assert_non_null(b);
	*n = fread(b, 1, 1 << 20, f);
	fclose(f);
	return b;
}

/* --- Against PIL ----------------------------------------------------------------------- */

/* Compares tests/reference/photographs/NAME.EXT with PIL's pixels after convert("RGB"). */
static void check_reference(const char *name, const char *ext, int most)
{
	char file[128], numbers[128];
	snprintf(file, sizeof file, "tests/reference/photographs/%s.%s", name, ext);
	snprintf(numbers, sizeof numbers, "tests/reference/photographs/%s_%s.npy", name, ext);
	bl_tensor *t = bl_npy_load(support_source(numbers));
	assert_non_null(t);
	bl_image im = decode(support_source(file), 3, NULL);
	assert_int_equal(im.height, bl_tensor_size(t, 0));
	assert_int_equal(im.width, bl_tensor_size(t, 1));
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		if (fabs(im.pixels[i] - bl_tensor_data(t)[i]) > most)
			fail_msg("%s.%s: value %d is %d, not %g", name, ext, (int)i, im.pixels[i], bl_tensor_data(t)[i]);
	bl_tensor_unref(t);
}

static void files_are_decoded_as_by_pil(void **state)
{
	(void)state;
	check_reference("subsampled", "jpg", 0);
	check_reference("progressive", "jpg", 0);
	check_reference("grey", "jpg", 0);
	check_reference("cmyk", "jpg", 0);
	check_reference("alpha", "png", 0);
	check_reference("grey_alpha", "png", 0);
	check_reference("palette", "png", 0);
	check_reference("one_bit", "png", 0);
}

/* --- Kinds of files ---------------------------------------------------------------------- */

/* Writes a JPEG of one colour, and compares the top left pixel. */
static void check_colour(const pictures_jpeg *j, const uint8_t *colour, const int *expected)
{
	const char *path = support_scratch("colour.jpg");
	uint8_t *pixels = malloc((size_t)(j->height * j->width * j->channels));
	assert_non_null(pixels);
	for (int i = 0; i < j->height * j->width * j->channels; i++)
		pixels[i] = colour[i % j->channels];
	pictures_write_jpeg(path, j, pixels);
	free(pixels);
	bl_image im = decode(path, 3, NULL);
	for (int k = 0; k < 3; k++)
		if (abs(im.pixels[k] - expected[k]) > 4)
			fail_msg("channel %d is %d, not %d", k, im.pixels[k], expected[k]);
	int grey = decode(path, 1, NULL).pixels[0];
	if (abs(grey - (299 * expected[0] + 587 * expected[1] + 114 * expected[2]) / 1000) > 4)
		fail_msg("grey is %d", grey);
}

static void every_kind_of_jpeg(void **state)
{
	pictures_jpeg j = { .height = 16, .width = 16, .channels = 1, .sampling = 1 };
	const uint8_t ink[] = { 200, 100, 50, 220 };
	(void)state;
	check_colour(&j, (uint8_t[]){ 77 }, (int[]){ 77, 77, 77 });
	j.channels = 3;
	check_colour(&j, (uint8_t[]){ 200, 30, 90 }, (int[]){ 200, 30, 90 });
	j.channels = 4;
	check_colour(&j, ink, (int[]){ 173, 86, 43 }); /* in Adobe's files, 255 means no ink */
	j.ycck = true;
	check_colour(&j, ink, (int[]){ 173, 86, 43 });
	j.ycck = false;
	j.unmarked = true;
	check_colour(&j, ink, (int[]){ 173, 86, 43 }); /* as in PIL, a file without Adobe's marker is read in the same way */
}

/* Sample s of a row of the file, converted to 8 bits. */
static int sample(const uint8_t *row, int depth, int s)
{
	if (depth == 16)
		return (int)lrint((row[2 * s] * 256 + row[2 * s + 1]) / 257.0);
	int per = 8 / depth, bits = row[s / per] >> (per - 1 - s % per) * depth & ((1 << depth) - 1);
	return bits;
}

/* The colour to which the pixel has to be decoded. */
static void expected_colour(const pictures_png *p, const uint8_t *row, int x, int rgb[3])
{
	bool colour = p->type == PICTURES_RGB || p->type == PICTURES_RGB_ALPHA;
	int samples = colour ? 3 : 1, step = samples + (p->type >= PICTURES_GREY_ALPHA);
	for (int k = 0; k < 3; k++)
		rgb[k] = sample(row, p->depth, x * step + k % samples);
	if (p->type == PICTURES_GREY && p->depth < 8)
		for (int k = 0; k < 3; k++)
			rgb[k] = rgb[k] * 255 / ((1 << p->depth) - 1);
	if (p->type == PICTURES_PALETTE) {
		int i = rgb[0];
		rgb[1] = 255 - i;
		rgb[2] = i / 2;
	}
}

static int luminance(const int rgb[3])
{
	return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16;
}

static void check_png(const pictures_png *p)
{
	const char *path = support_scratch("kind.png");
	size_t pitch = pictures_pitch(p);
	uint8_t *rows = malloc(pitch * (size_t)p->height);
	bl_window window = { 5, 3, 9, 11, .25f };
	assert_non_null(rows);
	for (size_t i = 0; i < pitch * (size_t)p->height; i++)
		rows[i] = (uint8_t)(i * 37 + i / 7 * 11);
	pictures_write_png(path, p, rows);
	for (int channels = 1; channels <= 3; channels += 2)
		for (int part = 0; part < 2; part++) {
			bl_image im = decode(path, channels, part ? &window : NULL);
			int h = part ? im.part.height : im.height, w = part ? im.part.width : im.width;
			assert_int_equal(part ? im.part.eighths : 8, 8);
			for (int i = 0; i < h * w; i++) {
				int rgb[3], y = i / w + im.part.top, x = i % w + im.part.left;
				expected_colour(p, rows + (size_t)y * pitch, x, rgb);
				if (channels == 1)
					rgb[0] = luminance(rgb);
				for (int k = 0; k < channels; k++)
					if (im.pixels[i * channels + k] != rgb[k])
						fail_msg("type %d, %d bits, pixel %d,%d: %d, not %d", p->type, p->depth, x, y,
						         im.pixels[i * channels + k], rgb[k]);
			}
		}
	free(rows);
}

static void every_kind_of_png(void **state)
{
	static const int kinds[][2] = {
		{ PICTURES_GREY, 1 },      { PICTURES_GREY, 2 },       { PICTURES_GREY, 4 },       { PICTURES_GREY, 8 },
		{ PICTURES_GREY, 16 },     { PICTURES_RGB, 8 },        { PICTURES_RGB, 16 },       { PICTURES_PALETTE, 1 },
		{ PICTURES_PALETTE, 4 },   { PICTURES_PALETTE, 8 },    { PICTURES_GREY_ALPHA, 8 }, { PICTURES_GREY_ALPHA, 16 },
		{ PICTURES_RGB_ALPHA, 8 }, { PICTURES_RGB_ALPHA, 16 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (int interlaced = 0; interlaced < 2; interlaced++)
			for (int clear = 0; clear <= (kinds[i][0] < PICTURES_GREY_ALPHA); clear++)
				check_png(&(pictures_png){ .height = 17,
				                           .width = 19,
				                           .type = kinds[i][0],
				                           .depth = kinds[i][1],
				                           .interlaced = interlaced,
				                           .transparent = clear });
}

/* --- Parts and smaller copies ---------------------------------------------------------------- */

static const char *photograph(bool detailed, int sampling, bool progressive, int height, int width)
{
	static char path[512];
	uint8_t *pixels = pictures_paint(height, width, 3, detailed, 3);
	snprintf(path, sizeof path, "%s", support_scratch("photograph.jpg"));
	pictures_write_jpeg(path,
	                    &(pictures_jpeg){ .height = height,
	                                      .width = width,
	                                      .channels = 3,
	                                      .sampling = sampling,
	                                      .progressive = progressive },
	                    pixels);
	free(pixels);
	return path;
}

/* Compares the part with the same rows and columns of the image, or of its reduced copy. */
static void check_same(const bl_image *part, const uint8_t *all, int pitch, const bl_window *w)
{
	for (int y = w->top; y < w->top + w->height; y++)
		for (int x = w->left; x < w->left + w->width; x++) {
			int row = y - part->part.top, column = x - part->part.left;
			assert_in_range(row, 0, part->part.height - 1);
			assert_in_range(column, 0, part->part.width - 1);
			const uint8_t *p = part->pixels + 3 * (row * part->part.width + column);
			if (memcmp(p, all + 3 * (y * pitch + x), 3) != 0)
				fail_msg("pixel %d,%d of the part at %d,%d is another", x, y, w->left, w->top);
		}
}

static void check_parts(const char *path)
{
	bl_image im = decode(path, 3, NULL);
	uint8_t *all = malloc((size_t)HEIGHT * WIDTH * 3);
	assert_non_null(all);
	memcpy(all, im.pixels, (size_t)HEIGHT * WIDTH * 3);
	for (int i = 0; i < 60; i++) {
		bl_window w = { .top = i * 7 % 40, .left = i * 13 % 70, .scale = 1 };
		w.height = 1 + i * 5 % (HEIGHT - w.top);
		w.width = 1 + i * 11 % (WIDTH - w.left);
		im = decode(path, 3, &w);
		assert_int_equal(im.part.eighths, 8);
		check_same(&im, all, WIDTH, &w);
	}
	free(all);
}

static void a_part_has_the_pixels_of_the_whole(void **state)
{
	(void)state;
	for (int sampling = 1; sampling <= 2; sampling++)
		for (int progressive = 0; progressive < 2; progressive++)
			check_parts(photograph(true, sampling, progressive, HEIGHT, WIDTH));
}

static void the_scale_leaves_enough_pixels(void **state)
{
	static const struct {
		float scale;
		int eighths;
	} cases[] = {
		{ 1, 8 }, { .51f, 8 }, { .5f, 4 }, { .26f, 4 }, { .25f, 2 }, { .13f, 2 }, { .125f, 1 }, { .01f, 1 },
	};
	const char *path = photograph(false, 2, false, HEIGHT, WIDTH);
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bl_window w = { 10, 20, 40, 60, cases[i].scale };
		bl_image im = decode(path, 3, &w);
		assert_int_equal(im.part.eighths, cases[i].eighths);
		assert_int_equal(im.height, HEIGHT);
		bl_window has = bl_image_window(&im);
		assert_true(has.top <= 10 && has.left <= 20 && has.top + has.height >= 50 && has.left + has.width >= 80);
	}
}

/* The mean difference, in levels of 8 bits, that decoding at a smaller scale makes in views of 64 pixels. */
static double view_difference(const char *path, int *reduced)
{
	static float full[64 * 64 * 3], part[64 * 64 * 3];
	double sum = 0;
	int n = 40;
	bl_pipeline *p = bl_pipeline_parse("crop{size = 64}");
	for (int i = 0; i < n; i++) {
		bl_plan plan;
		bl_image im = decode(path, 3, NULL);
		bl_pipeline_plan(p, &(bl_view_key){ .seed = 5, .sample = (uint32_t)i }, im.height, im.width, 3, &plan);
		assert_int_equal(bl_pipeline_apply(p, &plan, &im, full), 0);
		im = decode(path, 3, &plan.window);
		*reduced += im.part.eighths < 8;
		assert_int_equal(bl_pipeline_apply(p, &plan, &im, part), 0);
		for (int k = 0; k < 64 * 64 * 3; k++)
			sum += fabs(full[k] - part[k]) * 255 / (64 * 64 * 3.0 * n);
	}
	bl_pipeline_unref(p);
	return sum;
}

/* A smaller scale does not change the box, and removes only details that are hardly visible in a view. */
static void smaller_copies_make_nearly_the_same_views(void **state)
{
	(void)state;
	for (int sampling = 1; sampling <= 2; sampling++) {
		int reduced = 0;
		double smooth = view_difference(photograph(false, sampling, false, 600, 800), &reduced);
		double detailed = view_difference(photograph(true, sampling, false, 600, 800), &reduced);
		print_message("# mean difference: smooth %.2f, detailed %.2f levels; %d of 80 reduced\n", smooth, detailed,
		              reduced);
		assert_int_equal(reduced, 80);
		assert_true(smooth < 0.5);
		assert_true(detailed < 4);
	}
}

/* --- Images for evaluation ------------------------------------------------------------------- */

static void the_centre_is_that_of_torchvision(void **state)
{
	const float one[] = { 1, 1, 1 }, zero[] = { 0, 0, 0 };
	bl_tensor *t = bl_npy_load(support_source("tests/reference/photographs/centre.npy"));
	bl_image im = decode(support_source("tests/reference/photographs/subsampled.jpg"), 3, NULL);
	static float out[28 * 28 * 3];
	double sum = 0;
	(void)state;
	assert_non_null(t);
	assert_int_equal(bl_tensor_count(t), 28 * 28 * 3);
	assert_int_equal(bl_centre_apply(&im, 28, 28, one, zero, out), 0);
	for (int i = 0; i < 28 * 28 * 3; i++)
		sum += fabs(out[i] * 255 - bl_tensor_data(t)[i]) / (28 * 28 * 3);
	print_message("# mean difference from torchvision: %.2f levels\n", sum);
	assert_true(sum < 1);
	bl_tensor_unref(t);
}

/* --- Broken and hostile files ---------------------------------------------------------------- */

static void files_cut_short_are_refused(void **state)
{
	const char *jpeg = photograph(true, 2, false, HEIGHT, WIDTH), *cut = support_scratch("cut");
	size_t n;
	uint8_t *b = read_file(jpeg, &n);
	(void)state;
	for (size_t k = 3; k < n - 40; k += 97) {
		support_write(cut, b, k);
		assert_false(decodes(cut));
		assert_error("byte ");
	}
	assert_error("the file ends within the image");
	free(b);
	b = read_file(support_source("tests/reference/photographs/alpha.png"), &n);
	for (size_t k = 8; k < n - 40; k += 31) {
		support_write(cut, b, k);
		assert_false(decodes(cut));
		assert_error("byte ");
	}
	assert_error("the file ends within the image");
	free(b);
}

static void what_is_no_image_is_named(void **state)
{
	const char *path = support_scratch("no.jpg");
	(void)state;
	support_write(path, "GIF88a and more", 15);
	assert_false(decodes(path));
	assert_error("byte 0: 47 49 46 38, expected the first bytes of a JPEG, PNG, ");
	support_write(path, "", 0);
	assert_false(decodes(path));
	assert_error("0 bytes, expected a JPEG, PNG, ");
	assert_false(decodes("/nonexistent.jpg"));
	assert_error("No such file");
	assert_false(decodes("/tmp"));
	assert_error("not a file");
}

/* A JPEG whose header states 65500 x 65500 pixels; the sizes follow the marker ff c0. */
static void huge_jpegs_are_refused(void **state)
{
	const char *path = support_scratch("huge.jpg");
	size_t n;
	uint8_t *b = read_file(photograph(false, 2, false, HEIGHT, WIDTH), &n);
	(void)state;
	for (size_t i = 0; i + 9 < n; i++)
		if (b[i] == 0xff && b[i + 1] == 0xc0) {
			memcpy(b + i + 5, (uint8_t[]){ 0xff, 0xdc, 0xff, 0xdc }, 4);
			break;
		}
	support_write(path, b, n);
	assert_false(decodes(path));
	assert_error("65500 x 65500 pixels, expected at most 100 million");
	free(b);
}

/* A file of a few kilobytes that states 10,000 x 10,001 pixels is refused before memory is allocated. */
static void png_bombs_are_refused(void **state)
{
	const char *path = support_scratch("bomb.png");
	pictures_png p = { .height = 10001, .width = 10000, .type = PICTURES_GREY, .depth = 1 };
	uint8_t *rows = calloc(pictures_pitch(&p), (size_t)p.height);
	bl_memory_stats before, after;
	(void)state;
	assert_non_null(rows);
	pictures_write_png(path, &p, rows);
	free(rows);
	bl_memory(&before);
	assert_false(decodes(path));
	assert_error("10001 x 10000 pixels, expected at most 100 million");
	bl_memory(&after);
	assert_true(after.held < before.held + (1 << 20));
}

/* Returns a window within the image, which depends on i, sometimes at a smaller scale. */
static bl_window somewhere(unsigned i, int height, int width)
{
	bl_window w = { .top = (int)(i * 7 % (unsigned)height), .left = (int)(i * 5 % (unsigned)width) };
	w.height = 1 + (int)(i * 11 % (unsigned)(height - w.top));
	w.width = 1 + (int)(i * 3 % (unsigned)(width - w.left));
	w.scale = i % 3 ? .2f : 1;
	return w;
}

static bool decodes_somewhere(const char *path, unsigned i)
{
	bl_encoded e;
	bl_image im;
	if (bl_decode_open(&e, path, &(bl_decode_options){ .channels = i % 5 ? 3 : 1, .orient = i % 3 == 0, .over = i % 7 == 0 },
	                   NULL) < 0)
		return false;
	bl_window w = i % 2 ? (bl_window){ 0, 0, e.height, e.width, 1 } : somewhere(i, e.height, e.width);
	int rc = bl_decode_read(&e, &w, &im);
	bl_decode_close(&e);
	return rc == 0;
}

/* A file with one or a few changed bytes gives pixels or a message, and never a crash. */
static void mutate(const char *original, unsigned seed)
{
	const char *path = support_scratch("mutant");
	size_t n;
	uint8_t *b = read_file(original, &n);
	int refused = 0;
	for (unsigned i = 0; i < MUTATIONS; i++) {
		uint8_t *m = malloc(n);
		assert_non_null(m);
		memcpy(m, b, n);
		for (unsigned k = 0; k <= i % 4; k++) {
			seed = seed * 1103515245u + 12345u;
			size_t range = i % 2 && n > 700 ? 700 : n;
			m[(seed >> 8) % range] ^= (uint8_t)(1u << (seed >> 3) % 8);
		}
		support_write(path, m, n);
		refused += !decodes_somewhere(path, i);
		free(m);
	}
	print_message("# %d of %d refused\n", refused, MUTATIONS);
	assert_true(refused > MUTATIONS / 100);
	free(b);
}

static void changed_files_are_read_or_refused(void **state)
{
	(void)state;
	mutate(photograph(true, 2, false, HEIGHT, WIDTH), 1);
	mutate(photograph(true, 1, true, HEIGHT, WIDTH), 2);
	mutate(support_source("tests/reference/photographs/cmyk.jpg"), 3);
	mutate(support_source("tests/reference/photographs/alpha.png"), 4);
	mutate(support_source("tests/reference/photographs/palette.png"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_decoded_as_by_pil),
		cmocka_unit_test(every_kind_of_jpeg),
		cmocka_unit_test(every_kind_of_png),
		cmocka_unit_test(a_part_has_the_pixels_of_the_whole),
		cmocka_unit_test(the_scale_leaves_enough_pixels),
		cmocka_unit_test(smaller_copies_make_nearly_the_same_views),
		cmocka_unit_test(the_centre_is_that_of_torchvision),
		cmocka_unit_test(files_cut_short_are_refused),
		cmocka_unit_test(what_is_no_image_is_named),
		cmocka_unit_test(huge_jpegs_are_refused),
		cmocka_unit_test(png_bombs_are_refused),
		cmocka_unit_test(changed_files_are_read_or_refused),
	};
	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
