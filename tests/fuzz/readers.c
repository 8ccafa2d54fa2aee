/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readers.c: the readers of bytes. A reader of files gets its input as a file in a separate folder. */
#include "readers.h"

#include "data/archive.h"
#include "data/csv_text.h"
#include "data/decode.h"
#include "data/mat5.h"
#include "data/pickle.h"
#include "data/tar_label.h"

#include <barlow/data.h>
#include <barlow/figure.h>
#include <barlow/tensor.h>
#include <barlow/weights.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a file that is rewritten for each input --- */

static char folder[64];

static void remove_folder(void)
{
	char command[96];
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	if (system(command) != 0)
		fprintf(stderr, "%s is left\n", folder);
}

static const char *place_of(const char *name)
{
	static char path[128];
	if (!*folder) {
		snprintf(folder, sizeof folder, "/tmp/barlow-fuzz-XXXXXX");
		if (!mkdtemp(folder))
			abort();
		atexit(remove_folder);
	}
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

const char *fuzz_folder(const char *name)
{
	const char *path = place_of(name);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		abort();
	return path;
}

static const char *file_of(const char *name, const uint8_t *bytes, size_t n)
{
	const char *path = place_of(name);
	FILE *f = fopen(path, "wb");
	if (!f || (n && fwrite(bytes, 1, n, f) != n) || fclose(f) != 0)
		abort();
	return path;
}

const char *fuzz_file(const char *name, const uint8_t *bytes, size_t n)
{
	return file_of(name, bytes, n);
}

/* --- data sets: all images of accepted ones --- */

static volatile uint8_t last;

static bool look_at(bl_dataset *d)
{
	enum { MOST = 64 };
	bl_image im;
	for (int64_t i = 0; d && i < bl_dataset_length(d) && i < MOST; i++) {
		bl_dataset_label(d, i);
		/* Reads the last byte of the image, so that a sanitizer detects a buffer that is too short. */
		if (bl_dataset_image(d, i, &im) == 0 && im.type == BL_PIXEL_UINT8)
			last = im.pixels[(size_t)im.height * (size_t)im.width * (size_t)im.channels - 1];
	}
	bl_dataset_unref(d);
	return d != NULL;
}

static bool read_set(const char *kind, const char *const *settings)
{
	return look_at(bl_dataset_of(kind, settings));
}

static bool read_idx(const uint8_t *bytes, size_t n)
{
	return read_set("idx", (const char *[]){ "images", file_of("images", bytes, n), NULL });
}

static bool read_cifar(const uint8_t *bytes, size_t n)
{
	unlink(file_of("test_batch", NULL, 0));
	file_of("test_batch.bin", bytes, n);
	return read_set("cifar10", (const char *[]){ "folder", folder, "train", "false", NULL });
}

static bool read_cifar_pickle(const uint8_t *bytes, size_t n)
{
	unlink(file_of("test_batch.bin", NULL, 0));
	file_of("test_batch", bytes, n);
	return read_set("cifar10", (const char *[]){ "folder", folder, "train", "false", NULL });
}

static bool read_cifar100(const uint8_t *bytes, size_t n)
{
	unlink(file_of("test", NULL, 0));
	file_of("test.bin", bytes, n);
	return read_set("cifar100", (const char *[]){ "folder", folder, "train", "false", NULL });
}

static bool read_cifar100_pickle(const uint8_t *bytes, size_t n)
{
	unlink(file_of("test.bin", NULL, 0));
	file_of("test", bytes, n);
	return read_set("cifar100", (const char *[]){ "folder", folder, "train", "false", NULL });
}

/* Labels of four images of one pixel. */
static bool read_labels(const uint8_t *bytes, size_t n)
{
	static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4 };
	char path[128];
	snprintf(path, sizeof path, "%s", file_of("images", images, sizeof images));
	return read_set("idx", (const char *[]){ "images", path, "labels", file_of("labels", bytes, n), NULL });
}

static bool read_stl_labels(const uint8_t *bytes, size_t n)
{
	static const uint8_t images[2][96 * 96 * 3];
	file_of("test_X.bin", images[0], sizeof images);
	file_of("test_y.bin", bytes, n);
	return read_set("stl10", (const char *[]){ "folder", folder, "part", "test", NULL });
}

static bool read_stl(const uint8_t *bytes, size_t n)
{
	file_of("test_y.bin", (const uint8_t *)"\1", 1);
	file_of("test_X.bin", bytes, n);
	return read_set("stl10", (const char *[]){ "folder", folder, "part", "test", NULL });
}

static bool read_svhn(const uint8_t *bytes, size_t n)
{
	file_of("test_32x32.mat", bytes, n);
	return read_set("svhn", (const char *[]){ "folder", folder, "part", "test", NULL });
}

static bool read_csv(const uint8_t *bytes, size_t n)
{
	return read_set("csv", (const char *[]){ "path", file_of("table.csv", bytes, n), "labels", "2", "size", "8", NULL });
}

static bool read_tar(const uint8_t *bytes, size_t n)
{
	bool cls = read_set("tar", (const char *[]){ "path", file_of("shard.tar", bytes, n), "size", "8", NULL });
	return read_set("tar", (const char *[]){ "path", file_of("shard.tar", bytes, n), "labels", "json:label", NULL }) || cls;
}

/* --- bytes --- */

static bool read_pickle(const uint8_t *bytes, size_t n)
{
	bl_pickle *p = bl_pickle_read(bytes, n);
	if (p)
		bl_pickle_item(p, bl_pickle_root(p), 0);
	bl_pickle_free(p);
	return p != NULL;
}

static bool read_mat(const uint8_t *bytes, size_t n)
{
	bl_mat5 m;
	if (bl_mat5_read(file_of("x.mat", bytes, n), "y", &m) < 0)
		return false;
	bl_mat5_clear(&m);
	return true;
}

static bool read_json(const uint8_t *bytes, size_t n)
{
	char *label = bl_tar_label((const char *)bytes, n, "label");
	free(label);
	return label != NULL;
}

static bool read_npy(const uint8_t *bytes, size_t n)
{
	bl_tensor *t = bl_npy_load(file_of("x.npy", bytes, n));
	bl_tensor_unref(t);
	return t != NULL;
}

static void drop(void *ctx, const char *name, bl_tensor *t)
{
	(void)ctx, (void)name;
	bl_tensor_unref(t);
}

static bool read_npz(const uint8_t *bytes, size_t n)
{
	return bl_npz_load(file_of("x.npz", bytes, n), drop, NULL) == 0;
}

static bool read_safetensors(const uint8_t *bytes, size_t n)
{
	bl_named *items;
	int count;
	char **metadata;
	const char *path = file_of("x.safetensors", bytes, n);
	if (bl_safetensors_read(path, &items, &count, &metadata) != 0)
		return false;
	bl_named_free(items, count);
	bl_metadata_free(metadata);
	return true;
}

/* Decodes the whole image, and a part of it at a reduced scale, each with several options. */
static bool read_image(const uint8_t *bytes, size_t n)
{
	static const bl_decode_options wishes[] = {
		{ .channels = 3 },
		{ .channels = 1, .orient = true },
		{ .channels = 3, .over = true, .ground = { 9, 99, 200 }, .orient = true },
	};
	bool fine = false;
	for (size_t k = 0; k < 2 * sizeof wishes / sizeof *wishes; k++) {
		bl_encoded e;
		bl_image im;
		if (bl_decode_open_bytes(&e, bytes, n, &wishes[k / 2]) < 0)
			continue;
		bl_window all = { 0, 0, e.height, e.width, 1 },
			  part = { e.height / 3, e.width / 4, e.height - e.height / 3, e.width - e.width / 4, .4f };
		/* Larger images would make the fuzzer slow. */
		if ((int64_t)e.height * e.width < 1 << 22)
			fine |= bl_decode_read(&e, k % 2 ? &part : &all, &im) == 0;
		bl_decode_close(&e);
	}
	return fine;
}

static bool read_figure(const uint8_t *bytes, size_t n)
{
	char picture[BL_FIGURE_HASH];
	char *record = bl_figure_record_of(bytes, n, picture);
	bool fine = record != NULL;
	free(record);
	return fine;
}

const fuzz_reader fuzz_readers[] = {
	{ "idx", read_idx },
	{ "labels", read_labels },
	{ "cifar", read_cifar },
	{ "cifar_pickle", read_cifar_pickle },
	{ "cifar100", read_cifar100 },
	{ "cifar100_pickle", read_cifar100_pickle },
	{ "stl", read_stl },
	{ "stl_labels", read_stl_labels },
	{ "svhn", read_svhn },
	{ "csv", read_csv },
	{ "tar", read_tar },
	{ "pickle", read_pickle },
	{ "mat", read_mat },
	{ "json", read_json },
	{ "npy", read_npy },
	{ "npz", read_npz },
	{ "safetensors", read_safetensors },
	{ "jpeg", read_image },
	{ "png", read_image },
	{ "webp", read_image },
	{ "tiff", read_image },
	{ "gif", read_image },
	{ "bmp", read_image },
	{ "pnm", read_image },
	{ "figure", read_figure },
	{ "live", fuzz_live },
	{ "mailbox", fuzz_mailbox },
	{ "run_json", fuzz_run_json },
	{ "checkpoint", fuzz_checkpoint },
	{ "recipe", fuzz_recipe },
	{ NULL, NULL },
};

const fuzz_reader *fuzz_reader_of(const char *name)
{
	for (const fuzz_reader *r = fuzz_readers; r->name; r++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}
