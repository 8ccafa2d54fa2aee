/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_folder.c: folders of images: layout, order, labels, damaged files, and all operations on such a set. */
#include "pictures.h"
#include "support.h"

#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 24, BATCH = 4 };

/* Makes a folder in the scratch folder, with all folders above it. */
static const char *folder(const char *name)
{
	const char *path = support_scratch(name);
	char part[512];
	for (size_t i = strlen(path) - strlen(name); i <= strlen(path); i++)
		if (path[i] == '/' || path[i] == '\0') {
			snprintf(part, sizeof part, "%.*s", (int)i, path);
			if (mkdir(part, 0777) < 0 && errno != EEXIST)
				fail_msg("%s: %s", part, strerror(errno));
		}
	return path;
}

/* Writes a JPEG, or a PNG if the name ends in .png, of one grey level, or with a painted picture if level < 0. */
static void put(const char *name, int height, int width, int level)
{
	const char *path = support_scratch(name);
	uint8_t *pixels = pictures_paint(height, width, 3, true, 1);
	if (level >= 0)
		memset(pixels, level, (size_t)height * (size_t)width * 3);
	if (strcmp(name + strlen(name) - 4, ".png") == 0)
		pictures_write_png(path, &(pictures_png){ .height = height, .width = width, .type = PICTURES_RGB, .depth = 8 },
		                   pixels);
	else
		pictures_write_jpeg(path, &(pictures_jpeg){ .height = height, .width = width, .channels = 3, .sampling = 2 },
		                    pixels);
	free(pixels);
}

static bl_dataset *opened(const bl_folder_config *c)
{
	bl_dataset *d = bl_dataset_folder(c);
	if (!d)
		fail_msg("%s", bl_error());
	return d;
}

/* Makes four classes of painted images of several sizes; the first image has 40 x 60 pixels. */
static const char *photographs(void)
{
	char name[64];
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "photographs/c%d", i % 4);
		folder(name);
		snprintf(name, sizeof name, "photographs/c%d/%02d.%s", i % 4, i, i % 3 ? "jpg" : "png");
		put(name, 40 + 30 * i, 60 + 20 * i, -1);
	}
	return support_scratch("photographs");
}

static void check_path(const bl_dataset *d, int64_t i, const char *end, int label)
{
	char *path = bl_dataset_path(d, i);
	assert_non_null(path);
	if (strlen(path) < strlen(end) || strcmp(path + strlen(path) - strlen(end), end) != 0)
		fail_msg("image %d is %s, not %s", (int)i, path, end);
	free(path);
	assert_int_equal(bl_dataset_label(d, i), label);
}

static void folders_are_classes_in_a_fixed_order(void **state)
{
	static const char *const files[] = { "cat/b/3.jpg",   "cat/1.JPG",  "cat/0.Jpeg", "Dog/2.png",    "cat-nap/9.jpg",
		                             "cat/b-c/7.png", "cat/.4.jpg", ".git/5.jpg", "cat/notes.txt" };
	(void)state;
	folder("layout/cat/b");
	folder("layout/cat/b-c");
	folder("layout/cat-nap");
	folder("layout/Dog");
	folder("layout/.git");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char name[64];
		snprintf(name, sizeof name, "layout/%s", files[i]);
		put(name, 8, 8, 10 * (int)i);
	}
	assert_int_equal(symlink("..", support_scratch("layout/cat/loop")), 0);
	assert_int_equal(symlink("../cat/1.JPG", support_scratch("layout/Dog/linked.jpg")), 0);
	assert_int_equal(symlink("nowhere.jpg", support_scratch("layout/cat/dangling.jpg")), 0);
	assert_int_equal(symlink("circle.jpg", support_scratch("layout/cat/circle.jpg")), 0);
	assert_int_equal(mkfifo(support_scratch("layout/cat/pipe.jpg"), 0600), 0);
	bl_dataset *d = opened(&(bl_folder_config){ .path = support_scratch("layout") });
	assert_string_equal(bl_dataset_name(d), "layout");
	assert_int_equal(bl_dataset_length(d), 7);
	assert_int_equal(bl_dataset_classes(d), 3);
	static const char *const skipped[] = { "cat/notes.txt: its name is not that of an image file",
		                               "cat/circle.jpg: a circular link", "cat/dangling.jpg: a broken link",
		                               "cat/loop: a link to a folder that contains it",
		                               "cat/pipe.jpg: not a regular file" };
	assert_int_equal(bl_dataset_skipped(d), 5);
	assert_int_equal(bl_dataset_unread(d), 5);
	for (int i = 0; i < 5; i++)
		assert_string_equal(bl_dataset_skipped_reason(d, i), skipped[i]);
	assert_string_equal(bl_dataset_class_name(d, 0), "Dog");
	assert_string_equal(bl_dataset_class_name(d, 1), "cat");
	assert_string_equal(bl_dataset_class_name(d, 2), "cat-nap");
	check_path(d, 0, "layout/Dog/2.png", 0);
	check_path(d, 1, "layout/Dog/linked.jpg", 0);
	check_path(d, 2, "layout/cat/0.Jpeg", 1);
	check_path(d, 3, "layout/cat/1.JPG", 1);
	check_path(d, 4, "layout/cat/b/3.jpg", 1);
	check_path(d, 5, "layout/cat/b-c/7.png", 1);
	check_path(d, 6, "layout/cat-nap/9.jpg", 2);
	bl_dataset_unref(d);
	d = opened(&(bl_folder_config){ .path = support_scratch("layout"), .unlabelled = true });
	assert_int_equal(bl_dataset_length(d), 7);
	assert_int_equal(bl_dataset_classes(d), 0);
	bl_dataset_unref(d);
}

static void files_directly_in_the_folder_have_no_labels(void **state)
{
	const char *path = folder("flat");
	(void)state;
	put("flat/b.jpg", 8, 9, 50);
	put("flat/a.png", 10, 11, 60);
	char slash[512];
	snprintf(slash, sizeof slash, "%s//", path);
	bl_dataset *d = opened(&(bl_folder_config){ .path = slash, .channels = 1 });
	assert_int_equal(bl_dataset_length(d), 2);
	assert_int_equal(bl_dataset_classes(d), 0);
	assert_string_equal(bl_dataset_name(d), "flat");
	check_path(d, 0, "flat/a.png", -1);
	assert_int_equal(bl_dataset_height(d), 10);
	assert_int_equal(bl_dataset_width(d), 11);
	assert_int_equal(bl_dataset_channels(d), 1);
	bl_image im;
	assert_int_equal(bl_dataset_image(d, 1, &im), 0);
	assert_int_equal(im.height, 8);
	assert_int_equal(im.width, 9);
	assert_int_equal(im.channels, 1);
	assert_in_range(im.pixels[0], 49, 51);
	bl_dataset_unref(d);
}

static void refuse(const bl_folder_config *c, const char *why)
{
	assert_null(bl_dataset_folder(c));
	assert_error(why);
}

static void layouts_that_make_no_sense_are_refused(void **state)
{
	bl_folder_config c = { .path = "/nonexistent" };
	(void)state;
	refuse(&c, "/nonexistent: No such file");
	c.path = folder("void");
	refuse(&c, "void: no image file in it (names end in .jpg");
	support_write(support_scratch("void/x.txt"), "x", 1);
	refuse(&c, "; 1 others, such as x.txt");
	c.path = support_scratch("void/x.txt");
	refuse(&c, "x.txt: not a folder");
	folder("mixed/cat");
	put("mixed/cat/1.png", 8, 8, 0);
	put("mixed/stray.png", 8, 8, 0);
	c.path = support_scratch("mixed");
	refuse(&c, "1 images beside folders of images (the first: stray.png)");
	c.unlabelled = true;
	bl_dataset_unref(opened(&c));
	c.unlabelled = false;
	unlink(support_scratch("mixed/stray.png"));
	folder("mixed/empty");
	refuse(&c, "mixed/empty: no image file in this class");
	c.channels = 2;
	refuse(&c, "channels = 2, expected 3 or 1");
	c.channels = 1;
	c.height = 5;
	refuse(&c, "size = 5 x 0, expected 1 to 16384");
}

static void large_images_are_evaluated_at_224(void **state)
{
	const char *path = folder("large");
	(void)state;
	put("large/a.jpg", 200, 300, 9);
	bl_dataset *d = opened(&(bl_folder_config){ .path = path });
	assert_int_equal(bl_dataset_height(d), 224);
	assert_int_equal(bl_dataset_width(d), 224);
	int h, w;
	assert_int_equal(bl_dataset_image_size(d, 0, &h, &w), 0);
	assert_int_equal(h, 200);
	assert_int_equal(w, 300);
	bl_dataset_unref(d);
	d = opened(&(bl_folder_config){ .path = path, .height = 20, .width = 30 });
	assert_int_equal(bl_dataset_height(d), 20);
	assert_int_equal(bl_dataset_width(d), 30);
	bl_dataset_unref(d);
}

/* --- Operations on sets ----------------------------------------------------------- */

static void batches_are_of_one_size(void **state)
{
	const char *path = folder("batch");
	const float mean = .25f, std = .5f;
	(void)state;
	put("batch/a.png", 30, 30, 51);
	put("batch/b.jpg", 90, 200, 102);
	put("batch/c.png", 12, 10, 153);
	bl_dataset *d = opened(&(bl_folder_config){ .path = path, .channels = 1 });
	bl_tensor *t = bl_dataset_batch(d, (int64_t[]){ 2, 1, 0 }, 3, &mean, &std);
	assert_non_null(t);
	assert_memory_equal(bl_tensor_shape(t), ((int64_t[]){ 3, 1, 30, 30 }), 4 * sizeof(int64_t));
	for (int i = 0; i < 3 * 30 * 30; i++)
		assert_close(bl_tensor_data(t)[i], (.6 - .2 * (i / 900) - .25) / .5, 0.01);
	bl_tensor_unref(t);
	bl_dataset_unref(d);
}

static void statistics_are_those_of_the_pixels(void **state)
{
	const char *path = folder("statistics");
	float mean[3], std[3];
	(void)state;
	put("statistics/a.png", 10, 10, 0);
	put("statistics/b.png", 10, 10, 200);
	bl_dataset *d = opened(&(bl_folder_config){ .path = path });
	assert_int_equal(bl_dataset_statistics(d, mean, std), 0);
	for (int k = 0; k < 3; k++) {
		assert_close(mean[k], 100. / 255, 1e-6);
		assert_close(std[k], 100. / 255, 1e-6);
	}
	bl_dataset_unref(d);
}

static void parts_of_a_folder(void **state)
{
	bl_dataset *d = opened(&(bl_folder_config){ .path = photographs() }), *first, *second;
	(void)state;
	assert_int_equal(bl_dataset_split(d, 2. / 3, 1, &first, &second), 0);
	bl_dataset_unref(d);
	assert_int_equal(bl_dataset_length(first), 8);
	assert_int_equal(bl_dataset_length(second), 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(bl_dataset_label(second, i), i);
	assert_string_equal(bl_dataset_class_name(second, 3), "c3");
	bl_tensor *t = bl_dataset_batch(second, (int64_t[]){ 3 }, 1, NULL, NULL);
	assert_non_null(t);
	assert_int_equal(bl_tensor_size(t, 2), 40);
	bl_tensor_unref(t);
	bl_dataset_unref(first);
	bl_dataset_unref(second);
}

/*
 * Statistics read 1024 of 2048 files, which are distributed over all files: the first half of the files is black, the other grey.
 */
static void statistics_are_spread_over_the_files(void **state)
{
	float mean[3], std[3];
	char first[512], other[512];
	(void)state;
	folder("many");
	put("many/0000.png", 2, 2, 0);
	put("many/1024.png", 2, 2, 200);
	for (int i = 1; i < 2048; i++) {
		char name[64];
		snprintf(name, sizeof name, "many/%04d.png", i < 1024 ? 0 : 1024);
		snprintf(first, sizeof first, "%s", support_scratch(name));
		snprintf(name, sizeof name, "many/%04d.png", i);
		snprintf(other, sizeof other, "%s", support_scratch(name));
		if (i != 1024)
			assert_int_equal(link(first, other), 0);
	}
	bl_dataset *d = opened(&(bl_folder_config){ .path = support_scratch("many") });
	assert_int_equal(bl_dataset_statistics(d, mean, std), 0);
	for (int k = 0; k < 3; k++) {
		assert_close(mean[k], 100. / 255, 1e-6);
		assert_close(std[k], 100. / 255, 1e-6);
	}
	bl_dataset_unref(d);
}

/* --- Training ---------------------------------------------------------------------------- */

static bl_pipeline *views(void)
{
	char text[64];
	snprintf(text, sizeof text, "crop{size = %d}, flip, jitter", SIZE);
	return bl_pipeline_parse(text);
}

static bl_loader *loader(bl_dataset *d, int threads)
{
	bl_pipeline *p = views();
	bl_loader *l = bl_loader_new(&(bl_loader_config){
		.data = d, .views = { p, p }, .n_views = 2, .batch = BATCH, .seed = 3, .threads = threads });
	bl_pipeline_unref(p);
	if (!l)
		fail_msg("%s", bl_error());
	return l;
}

/* Loads six batches, which are two epochs. */
static float *run(const bl_folder_config *c, int threads)
{
	enum { VALUES = BATCH * 3 * SIZE * SIZE };
	bl_dataset *d = opened(c);
	bl_loader *l = loader(d, threads);
	float *all = malloc(12 * VALUES * sizeof *all), *at = all;
	assert_non_null(all);
	for (int step = 0; step < 6; step++) {
		bl_tensor *t[2];
		if (bl_loader_next(l, t, NULL) < 0)
			fail_msg("%s", bl_error());
		for (int v = 0; v < 2; v++, at += VALUES) {
			memcpy(at, bl_tensor_data(t[v]), VALUES * sizeof *at);
			bl_tensor_unref(t[v]);
		}
	}
	bl_loader_free(l);
	bl_dataset_unref(d);
	return all;
}

static void views_do_not_depend_on_threads(void **state)
{
	bl_folder_config c = { .path = photographs() };
	float *one = run(&c, 1), *three = run(&c, 3);
	(void)state;
	assert_memory_equal(one, three, 12 * BATCH * 3 * SIZE * SIZE * sizeof *one);
	free(one);
	free(three);
}

/* The crops of detailed photographs are the same; only pixels differ, and only slightly. */
static void views_at_full_scale_are_nearly_the_same(void **state)
{
	const int n = 12 * BATCH * 3 * SIZE * SIZE;
	bl_folder_config c = { .path = photographs() };
	float *scaled = run(&c, 2), *full = (c.full_scale = true, run(&c, 2));
	double sum = 0;
	(void)state;
	for (int i = 0; i < n; i++)
		sum += fabs(scaled[i] - full[i]) * 255 / n;
	print_message("# mean difference: %.2f levels\n", sum);
	assert_true(sum > 0.01);
	assert_true(sum < 4);
	free(scaled);
	free(full);
}

/* --- Broken files -------------------------------------------------------------------------- */

/* Makes eight files: one is not an image, one is a truncated image, and six are images. */
static const char *broken(void)
{
	char name[64];
	static uint8_t bytes[1 << 16];
	folder("broken/a");
	folder("broken/b");
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "broken/%c/%d.jpg", "ab"[i % 2], i);
		put(name, 64, 64, -1);
	}
	FILE *f = fopen(support_scratch("broken/b/3.jpg"), "rb");
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	support_write(support_scratch("broken/b/3.jpg"), bytes, n * 2 / 3);
	support_write(support_scratch("broken/a/2.jpg"), "no image", 8);
	return support_scratch("broken");
}

static void a_broken_file_fails_what_needs_it(void **state)
{
	bl_dataset *d = opened(&(bl_folder_config){ .path = broken() });
	bl_loader *l = loader(d, 2);
	bl_tensor *v[2];
	bl_image im;
	float mean[3], std[3];
	int rc = 0;
	(void)state;
	for (int i = 0; i < 2 && rc == 0; i++)
		if ((rc = bl_loader_next(l, v, NULL)) == 0) {
			bl_tensor_unref(v[0]);
			bl_tensor_unref(v[1]);
		}
	assert_int_equal(rc, -1);
	assert_error(".jpg: byte ");
	assert_error("row ");
	bl_loader_free(l);
	assert_int_equal(bl_dataset_image(d, 1, &im), -1);
	assert_error("broken/a/2.jpg: byte 0: 6e 6f 20 69, expected the first bytes of a JPEG");
	assert_int_equal(bl_dataset_statistics(d, mean, std), -1);
	assert_error("broken/a/2.jpg: byte 0");
	assert_null(bl_dataset_batch(d, (int64_t[]){ 0, 5, 1 }, 3, NULL, NULL));
	assert_error("broken/b/3.jpg: byte ");
	bl_dataset_unref(d);
}

/* Makes the files a/0.jpg, a/1.jpg and a/2.jpg of one size. */
static bl_dataset *three(bool skip_broken)
{
	folder("three/a");
	for (int i = 0; i < 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "three/a/%d.jpg", i);
		put(name, SIZE, SIZE, 40 * i);
	}
	if (skip_broken)
		support_write(support_scratch("three/a/0.jpg"), "no image", 8);
	return opened(&(bl_folder_config){ .path = support_scratch("three"), .skip_broken = skip_broken });
}

/* Both a direct read and the loader's batch that needs the image report the error. */
static void expect_changed(bl_dataset *d, int64_t row, const char *message)
{
	bl_image im;
	bl_tensor *v[2];
	assert_int_equal(bl_dataset_image(d, row, &im), -1);
	assert_error(message);
	bl_pipeline *p = bl_pipeline_parse("resize{size = 8}");
	bl_loader *l = bl_loader_new(&(bl_loader_config){ .data = d, .views = { p, p }, .n_views = 2, .batch = 2 });
	bl_pipeline_unref(p);
	if (!l)
		fail_msg("%s", bl_error());
	int rc = 0;
	for (int i = 0; i < 4 && rc == 0; i++)
		if ((rc = bl_loader_next(l, v, NULL)) == 0) {
			bl_tensor_unref(v[0]);
			bl_tensor_unref(v[1]);
		}
	assert_int_equal(rc, -1);
	assert_error(message);
	bl_loader_free(l);
}

static void a_file_that_changes_after_the_listing_is_named(void **state)
{
	const char *since = "it has been changed or replaced since it was listed";
	char path[512], message[256];
	bl_image im;
	(void)state;
	for (int broken = 0; broken < 2; broken++) {
		int row = broken ? 0 : 1; /* the row of 1.jpg, which is lower if 0.jpg is skipped */
		bl_dataset *d = three(broken);
		snprintf(path, sizeof path, "%s", support_scratch("three/a/1.jpg"));
		assert_int_equal(truncate(path, 300), 0);
		snprintf(message, sizeof message, "three/a/1.jpg: %s (", since);
		expect_changed(d, row, message);
		assert_error(" bytes then, 300 now)");
		assert_int_equal(bl_dataset_image(d, row + 1, &im), 0);
		bl_dataset_unref(d);
	}
	/* A file with another time of change but the same size counts as replaced. */
	bl_dataset *d = three(false);
	snprintf(path, sizeof path, "%s", support_scratch("three/a/2.jpg"));
	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0), 0);
	snprintf(message, sizeof message, "three/a/2.jpg: %s", since);
	expect_changed(d, 2, message);
	assert_int_equal(unlink(path), 0);
	expect_changed(d, 2, "three/a/2.jpg: No such file");
	bl_dataset_unref(d);
}

static void broken_files_can_be_skipped(void **state)
{
	bl_dataset *d = opened(&(bl_folder_config){ .path = broken(), .skip_broken = true });
	float mean[3], std[3];
	(void)state;
	assert_int_equal(bl_dataset_length(d), 6);
	assert_int_equal(bl_dataset_skipped(d), 2);
	assert_non_null(strstr(bl_dataset_skipped_reason(d, 0), "broken/a/2.jpg: byte 0: 6e 6f"));
	assert_non_null(strstr(bl_dataset_skipped_reason(d, 1), "broken/b/3.jpg: byte"));
	assert_null(bl_dataset_skipped_reason(d, 2));
	check_path(d, 1, "a/4.jpg", 0);
	check_path(d, 3, "b/1.jpg", 1);
	assert_int_equal(bl_dataset_statistics(d, mean, std), 0);
	bl_dataset_unref(d);
	folder("junk");
	support_write(support_scratch("junk/a.jpg"), "?", 1);
	refuse(&(bl_folder_config){ .path = support_scratch("junk"), .skip_broken = true },
	       "none of 1 files can be read, the first: ");
}

static void views_need_one_size(void **state)
{
	bl_dataset *d = opened(&(bl_folder_config){ .path = photographs(), .height = 40, .width = 60 });
	bl_pipeline *p = bl_pipeline_parse("flip");
	bl_loader *l = bl_loader_new(&(bl_loader_config){ .data = d, .views = { p, p }, .n_views = 2, .batch = 12 });
	bl_tensor *v[2];
	(void)state;
	assert_non_null(l);
	assert_int_equal(bl_loader_next(l, v, NULL), -1);
	assert_error("images of several sizes need a crop or a resize");
	bl_loader_free(l);
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
}

/* Makes a folder of n files, each of which contains its index. */
static const char *many_files(const char *name, int n)
{
	char file[64];
	folder(name);
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof file, "%s/%03d.png", name, i);
		support_write(support_scratch(file), &i, sizeof i);
	}
	return support_scratch(name);
}

static bl_dataset *unread(const char *path)
{
	return opened(&(bl_folder_config){ .path = path, .height = 8, .width = 8, .unlabelled = true });
}

static void expect_other(const char *path, const char *fingerprint, const char *message)
{
	bl_dataset *d = unread(path);
	assert_int_equal(bl_dataset_check_fingerprint(d, fingerprint), -1);
	assert_error(message);
	bl_dataset_unref(d);
}

static void a_fingerprint_is_that_of_the_files(void **state)
{
	(void)state;
	char here[512], there[512];
	strcpy(here, many_files("print/here", 100));
	strcpy(there, many_files("print/there", 100));
	bl_dataset *a = unread(here), *b = unread(there), *part = bl_dataset_select(a, (int64_t[]){ 3, 4 }, 2);
	const char *print = bl_dataset_fingerprint(a);
	assert_non_null(print);
	assert_true(strncmp(print, "v1 100 files, names ", 20) == 0 && strlen(print) < 400);
	assert_string_equal(print, bl_dataset_fingerprint(b));
	assert_string_equal(print, bl_dataset_fingerprint(part));
	assert_int_equal(bl_dataset_check_fingerprint(b, print), 0);
	assert_string_equal(bl_dataset_origin(part, 0), bl_dataset_origin(a, 0));
	assert_true(bl_dataset_origin(a, 0)[0] == '/');

	support_write(support_scratch("print/there/100.png"), "", 0);
	expect_other(there, print, "there were 100 files then, there are 101 now");
	unlink(support_scratch("print/there/050.png"));
	expect_other(there, print, "there are 100 files as there were then, but they have other names");
	rename(support_scratch("print/there/100.png"), support_scratch("print/there/050.png"));
	for (int i = 0; i < 100; i++) { /* all files get other contents; the message names one of those that are read */
		char file[64];
		snprintf(file, sizeof file, "print/there/%03d.png", i);
		support_write(support_scratch(file), "other", 5);
	}
	expect_other(there, print, ".png is no longer the same file: its size or content differs");
	expect_other(there, "v1 what", "'v1 what' is not a fingerprint that this version of barlow can read");
	bl_dataset_unref(part);
	bl_dataset_unref(a);
	bl_dataset_unref(b);
}

/* In a folder of few files all are read, so any changed size or content is detected. */
static void a_change_of_one_of_few_files_is_detected(void **state)
{
	(void)state;
	char path[512];
	strcpy(path, many_files("print/few", 64));
	bl_dataset *d = unread(path);
	const char *print = bl_dataset_fingerprint(d);
	support_write(support_scratch("print/few/017.png"), (int[]){ 18 }, sizeof(int));
	expect_other(path, print, "print/few/017.png is no longer the same file");
	support_write(support_scratch("print/few/017.png"), (int[]){ 17, 0 }, 2 * sizeof(int));
	expect_other(path, print, "print/few/017.png is no longer the same file");
	support_write(support_scratch("print/few/017.png"), (int[]){ 17 }, sizeof(int));
	assert_int_equal(bl_dataset_check_fingerprint(d, print), 0);
	unlink(support_scratch("print/few/017.png"));
	assert_int_equal(bl_dataset_check_fingerprint(d, print), -1);
	assert_error("017.png: No such file or directory");
	bl_dataset_unref(d);
}

static void fingerprints_that_are_damaged_are_refused(void **state)
{
	(void)state;
	bl_dataset *d = unread(many_files("print/damaged", 3)), *made = bl_dataset_shapes(&(bl_shapes_config){ 4, 8, 1, 0 });
	char print[512] = "";
	strcpy(print, bl_dataset_fingerprint(d));
	size_t length = strlen(print);
	for (size_t n = 0; n < length; n++) {
		char cut[512] = "";
		memcpy(cut, print, n);
		assert_int_equal(bl_dataset_check_fingerprint(d, cut), -1);
	}
	memset(print + length, '0', 400);
	assert_int_equal(bl_dataset_check_fingerprint(d, print), -1);
	assert_string_equal(bl_dataset_fingerprint(made), "");
	assert_null(bl_dataset_origin(made, 0));
	assert_int_equal(bl_dataset_check_fingerprint(made, print), -1);
	assert_error("images do not come from files");
	bl_dataset_unref(made);
	bl_dataset_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_classes_in_a_fixed_order),
		cmocka_unit_test(files_directly_in_the_folder_have_no_labels),
		cmocka_unit_test(layouts_that_make_no_sense_are_refused),
		cmocka_unit_test(large_images_are_evaluated_at_224),
		cmocka_unit_test(batches_are_of_one_size),
		cmocka_unit_test(statistics_are_those_of_the_pixels),
		cmocka_unit_test(statistics_are_spread_over_the_files),
		cmocka_unit_test(parts_of_a_folder),
		cmocka_unit_test(views_do_not_depend_on_threads),
		cmocka_unit_test(views_at_full_scale_are_nearly_the_same),
		cmocka_unit_test(a_broken_file_fails_what_needs_it),
		cmocka_unit_test(a_file_that_changes_after_the_listing_is_named),
		cmocka_unit_test(broken_files_can_be_skipped),
		cmocka_unit_test(views_need_one_size),
		cmocka_unit_test(a_fingerprint_is_that_of_the_files),
		cmocka_unit_test(a_change_of_one_of_few_files_is_detected),
		cmocka_unit_test(fingerprints_that_are_damaged_are_refused),
	};
	return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
