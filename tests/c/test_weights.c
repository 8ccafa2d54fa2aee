/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_weights.c: valid and damaged safetensors files, and weights of modules in them. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/random.h>
#include <barlow/weights.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static bl_tensor *counting(int ndim, const int64_t *shape, float from)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);

	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		bl_tensor_data(t)[i] = from + (float)i;
	return t;
}

static void check_dtype(const bl_named *item)
{
	static const float halves[] = { -1.5, 0, .5, 2, -3, 4.5 }, whole[] = { -1, 0, 1, 2, 3, 100 };
	const float *want = strchr("fb", item->name[0]) ? halves : whole;

	assert_int_equal(bl_tensor_ndim(item->tensor), 2);
	assert_int_equal(bl_tensor_size(item->tensor, 1), 3);
	for (int i = 0; i < 6; i++) {
		float w = want[i];

		if (strcmp(item->name, "u8") == 0)
			w = w < 0 ? -w : w;
		if (strcmp(item->name, "bool") == 0)
			w = whole[i] != 0;
		assert_close(bl_tensor_data(item->tensor)[i], w, 0);
	}
}

static void every_dtype_is_read(void **state)
{
	static const char *const names[] = { "f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool" };
	bl_named *items;
	int n;

	(void)state;
	assert_int_equal(bl_safetensors_load(support_source("tests/reference/dtypes.safetensors"), &items, &n), 0);
	assert_int_equal(n, 10);
	for (int i = 0; i < n; i++) {
		assert_string_equal(items[i].name, names[i]);
		check_dtype(&items[i]);
	}
	bl_named_free(items, n);
}

/* Reads the only number of a file with one tensor of one F16. */
static float half(unsigned bits)
{
	char file[128];
	const char *json = "{\"h\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}", *path = support_scratch("h");
	size_t n = strlen(json);
	bl_named *items;
	float v;
	int count;

	memset(file, 0, sizeof(file));
	file[0] = (char)n;
	memcpy(file + 8, json, n);
	file[8 + n] = (char)bits;
	file[9 + n] = (char)(bits >> 8);
	support_write(path, file, 10 + n);
	assert_int_equal(bl_safetensors_load(path, &items, &count), 0);
	v = bl_tensor_data(items[0].tensor)[0];
	bl_named_free(items, count);
	return v;
}

static void half_precision_reaches_its_corners(void **state)
{
	(void)state;
	assert_true(half(0x0001) == 0x1p-24f);
	assert_true(half(0x83ff) == -0x1.ff8p-15f);
	assert_true(half(0x0400) == 0x1p-14f);
	assert_true(half(0x7bff) == 65504);
	assert_true(half(0xfc00) == -__builtin_inff());
	assert_true(half(0x7e00) != half(0x7e00));
}

/* Compares the header and the numbers of a small file with the specification. */
static void written_as_specified(void **state)
{
	static const char json[] =
		"{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2],"
		"\"data_offsets\":[0,8]},\"a.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"
		"\"data_offsets\":[8,16]}}";
	bl_named items[] = { { (char *)"b", counting(1, (int64_t[]){ 2 }, 1) },
		             { (char *)"a.num_batches_tracked", bl_tensor_scalar(70000) } };
	const char *path = support_scratch("small.safetensors");
	size_t n, length = (sizeof(json) - 1 + 7) / 8 * 8;
	unsigned char *file;

	(void)state;
	assert_int_equal(bl_safetensors_save(path, items, 2, (const char *const[]){ "format", "pt", NULL }), 0);
	file = bl_file_read(path, &n);
	assert_int_equal(n, 8 + length + 16);
	assert_memory_equal(file, ((uint64_t[]){ length }), 8);
	assert_memory_equal(file + 8, json, sizeof(json) - 1);
	for (size_t i = sizeof(json) - 1; i < length; i++)
		assert_int_equal(file[8 + i], ' ');
	assert_memory_equal(file + 8 + length, ((float[]){ 1, 2 }), 8);
	assert_memory_equal(file + 16 + length, ((int64_t[]){ 70000 }), 8);
	free(file);
	bl_tensor_unref(items[0].tensor);
	bl_tensor_unref(items[1].tensor);
}

static void round_trip_keeps_order_and_numbers(void **state)
{
	bl_tensor *image = bl_tensor_new_image(1, 2, 1, 2);
	bl_named items[] = { { (char *)"z", counting(2, (int64_t[]){ 2, 3 }, 0) },
		             { (char *)"empty", NULL },
		             { (char *)"a", image },
		             { (char *)"s", bl_tensor_scalar(-3) } };
	const char *path = support_scratch("trip.safetensors");
	bl_named *back;
	int n;

	(void)state;
	items[1].tensor = bl_tensor_new(2, (int64_t[]){ 0, 4 });
	memcpy(bl_tensor_data(image), (float[]){ 0, 10, 1, 11 }, 4 * sizeof(float)); /* in memory order: pixel by pixel */
	assert_int_equal(bl_safetensors_save(path, items, 4, NULL), 0);
	assert_int_equal(bl_safetensors_load(path, &back, &n), 0);
	assert_int_equal(n, 4);
	for (int i = 0; i < n; i++) {
		assert_string_equal(back[i].name, items[i].name);
		assert_true(bl_tensor_same_shape(back[i].tensor, items[i].tensor));
	}
	assert_memory_equal(bl_tensor_data(back[2].tensor), ((float[]){ 0, 1, 10, 11 }), 16);
	for (int i = 0; i < 4; i++)
		bl_tensor_unref(items[i].tensor);
	bl_named_free(back, n);
}

static void metadata_comes_back(void **state)
{
	const char *path = support_scratch("meta.safetensors");
	const char *const pairs[] = { "step", "120", "recipe", "{ lr = \"\xce\xbb\" }\n", NULL };
	char **back;

	(void)state;
	assert_int_equal(bl_safetensors_save(path, NULL, 0, pairs), 0);
	back = bl_safetensors_metadata(path);
	assert_non_null(back);
	assert_string_equal(bl_metadata_get(back, "step"), "120");
	assert_string_equal(bl_metadata_get(back, "recipe"), pairs[3]);
	assert_null(bl_metadata_get(back, "lr"));
	bl_metadata_free(back);
}

static void bad_names_are_refused(void **state)
{
	bl_named twice[] = { { (char *)"w", bl_tensor_scalar(1) }, { (char *)"w", bl_tensor_scalar(2) } };
	bl_named latin[] = { { (char *)"\xe9t\xe9", twice[0].tensor } };

	(void)state;
	assert_int_equal(bl_safetensors_save(support_scratch("twice"), twice, 2, NULL), -1);
	assert_error("twice: two tensors named 'w'");
	assert_int_equal(bl_safetensors_save(support_scratch("latin"), latin, 1, NULL), -1);
	assert_error("not UTF-8");
	bl_tensor_unref(twice[0].tensor);
	bl_tensor_unref(twice[1].tensor);
}

/* Writes a file with this header and `data` bytes of zeros, and checks that loading it fails with this message. */
static void refused(const char *json, size_t data, const char *message)
{
	char file[512] = { 0 };
	uint64_t n = strlen(json);
	const char *path = support_scratch("bad.safetensors");
	bl_named *items;
	int count;

	memcpy(file, &n, 8);
	memcpy(file + 8, json, n);
	support_write(path, file, 8 + n + data);
	assert_int_equal(bl_safetensors_load(path, &items, &count), -1);
	assert_error("bad.safetensors: ");
	assert_error(message);
}

#define ONE(dtype, shape, offsets) "{\"w\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define F32(name, offsets) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" offsets "}"

static void bad_headers_are_named(void **state)
{
	(void)state;
	refused("", 0, "byte 8: header");
	refused("[]", 0, "byte 8: header is not a JSON object");
	refused("{\"w\":}", 0, "byte 14: header: ");
	refused("{" F32("w", "[0,4]") "," F32("w", "[4,8]") "}", 8, "duplicate");
	refused("{\"w\":3}", 0, "'w': no dtype");
	refused(ONE("F8", "[1]", "[0,1]"), 1, "dtype 'F8' is not one of F64");
	refused(ONE("F32", "3", "[0,12]"), 12, "shape is not a list");
	refused(ONE("F32", "[1,1,1,1,1,1,1]", "[0,4]"), 4, "at most 6");
	refused(ONE("F32", "[-1]", "[0,4]"), 4, "size 1 of its shape");
	refused(ONE("F32", "[1.0]", "[0,4]"), 4, "size 1 of its shape");
	refused(ONE("F32", "[4294967296,4294967296]", "[0,0]"), 0, "too large");
	refused(ONE("F32", "[4611686018427387904]", "[0,0]"), 0, "cannot take 0 bytes");
	refused(ONE("F32", "[1]", "[0,4,8]"), 4, "not [begin, end]");
	refused(ONE("F32", "[1]", "[4,0]"), 4, "not [begin, end]");
	refused(ONE("F32", "[1]", "[-4,0]"), 4, "not [begin, end]");
	refused(ONE("F32", "[2]", "[0,4]"), 4, "'w' (2,) of F32 cannot take 4 bytes");
	refused(ONE("F32", "[2]", "[0,8]"), 4, "ends at byte 8 of the data, but the file has 4");
	refused("{" F32("v", "[0,4]") "," F32("w", "[0,4]") "}", 4, "overlap or leave a gap");
	refused("{" F32("v", "[0,4]") "," F32("w", "[8,12]") "}", 12, "begins at byte 8 of the data, expected 4");
	refused("{" F32("w", "[0,4]") "}", 8, "4 bytes that belong to no tensor");
}

static void header_length_is_bounded(void **state)
{
	const char *path = support_scratch("long.safetensors");
	bl_named *items;
	int n;

	(void)state;
	support_write(path, "\x01\x02\x03", 3);
	assert_int_equal(bl_safetensors_load(path, &items, &n), -1);
	assert_error("byte 3: file ends inside the 8 bytes");
	support_write(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
	assert_int_equal(bl_safetensors_load(path, &items, &n), -1);
	assert_error("at most 100000000 are allowed");
	support_write(path, "\x03\0\0\0\0\0\0\0{}", 10);
	assert_int_equal(bl_safetensors_load(path, &items, &n), -1);
	assert_error("header of 3 bytes, but the file has 2");
}

/* Every truncation of a valid file is refused, and a changed byte causes at most wrong numbers or a message. */
static void damaged_files_are_read_or_refused(void **state)
{
	size_t size;
	unsigned char *file = bl_file_read(support_source("tests/reference/dtypes.safetensors"), &size);
	const char *path = support_scratch("broken.safetensors");
	bl_named *items;
	bl_rng rng;
	int n;

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		support_write(path, file, cut);
		assert_int_equal(bl_safetensors_load(path, &items, &n), -1);
		assert_error("broken.safetensors: ");
	}
	bl_rng_init(&rng, 1, 0, 0, BL_STREAM_USER);
	for (int turn = 0; turn < 1000; turn++) {
		uint32_t at = bl_rng_below(&rng, 760);
		unsigned char old = file[at];

		file[at] = (unsigned char)bl_rng_u32(&rng);
		support_write(path, file, size);
		bl_fail("no message");
		if (bl_safetensors_load(path, &items, &n) == 0)
			bl_named_free(items, n);
		else
			assert_error("broken.safetensors: ");
		file[at] = old;
	}
	free(file);
}

/* The number of files in the same folder whose names begin with the file name in `path`. */
static int files_like(const char *path)
{
	const char *base = strrchr(path, '/') + 1;
	char folder[1024];
	int n = 0;
	DIR *d;

	snprintf(folder, sizeof(folder), "%.*s", (int)(base - path), path);
	d = opendir(folder);
	for (struct dirent *e; (e = readdir(d));)
		n += strncmp(e->d_name, base, strlen(base)) == 0;
	closedir(d);
	return n;
}

/* A limit on file size has the effect of a disk that becomes full during a write. */
static void a_full_disk_leaves_the_old_file(void **state)
{
	static char big[1 << 16];
	const char *path = support_scratch("kept");
	struct rlimit old, small;
	size_t n;
	char *kept;
	int rc;

	(void)state;
	assert_int_equal(bl_file_write_atomic(path, "old", 3), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &small);
	rc = bl_file_write_atomic(path, big, sizeof(big));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, -1);
	assert_error("kept: cannot write 65536 bytes: File too large; the old file, if any, is unchanged");
	kept = bl_file_read(path, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(kept, "old", 3);
	assert_int_equal(files_like(path), 1);
	free(kept);
}

static void files_can_be_read_by_others(void **state)
{
	const char *path = support_scratch("mode");
	mode_t mask = umask(022);
	struct stat st;

	(void)state;
	assert_int_equal(bl_file_write_atomic(path, "", 0), 0);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static bl_module *small_net(uint64_t seed)
{
	const int64_t widths[] = { 4, 6 };
	bl_module *m = bl_nn_cnn(&(bl_cnn_config){
		.channels = 1, .widths = widths, .strides = (int[]){ 1, 2 }, .layers = 2, .pool = true });

	assert_non_null(m);
	bl_module_init(m, seed);
	return m;
}

static int add_up(void *ctx, const char *name, bl_tensor *t, bl_param_kind kind)
{
	double *sum = ctx;
	float *v = malloc((size_t)bl_tensor_count(t) * sizeof(*v) + 1);

	(void)name;
	(void)kind;
	bl_tensor_read(t, v);
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		*sum = .999 * *sum + v[i];
	free(v);
	return 0;
}

/* A number that depends on all weights and on their order. */
static double digest(bl_module *m)
{
	double sum = 0;

	assert_int_equal(bl_module_each(m, add_up, &sum), 0);
	return sum;
}

static void weights_are_saved_and_loaded(void **state)
{
	bl_module *a = small_net(1), *b = small_net(2);
	const char *path = support_scratch("net.safetensors");

	(void)state;
	assert_true(digest(a) != digest(b));
	assert_int_equal(bl_weights_save(path, &a, NULL, 1), 0);
	assert_int_equal(bl_weights_load(path, &b, NULL, 1, true), 0);
	assert_true(digest(a) == digest(b));
	bl_module_unref(a);
	bl_module_unref(b);
}

static void batch_counters_are_integers_in_the_file(void **state)
{
	bl_module *m = small_net(1);
	const char *path = support_scratch("net.safetensors");
	size_t n;
	char *file;

	(void)state;
	assert_int_equal(bl_weights_save(path, &m, (const char *const[]){ "encoder" }, 1), 0);
	file = bl_file_read(path, &n);
	assert_non_null(strstr(file + 8, "num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"));
	assert_non_null(strstr(file + 8, "\"encoder."));
	free(file);
	bl_module_unref(m);
}

/* A file that lacks a tensor, has a tensor of another shape or, if strict, an additional one does not change the module. */
static void what_does_not_fit_changes_nothing(void **state)
{
	bl_module *a = bl_nn_linear(3, 2, true), *wide = bl_nn_linear(4, 2, true), *bare = bl_nn_linear(3, 2, false);
	const char *path = support_scratch("linear.safetensors");
	double before;

	(void)state;
	bl_module_init(wide, 3);
	bl_module_init(bare, 4);
	before = digest(a);
	assert_int_equal(bl_weights_save(path, &wide, NULL, 1), 0);
	assert_int_equal(bl_weights_load(path, &a, NULL, 1, true), -1);
	assert_error("tensor 'weight' is (2, 4) in the file, but (2, 3) in the module");
	assert_int_equal(bl_weights_save(path, &bare, NULL, 1), 0);
	assert_int_equal(bl_weights_load(path, &a, NULL, 1, false), -1);
	assert_error("linear.safetensors: no tensor 'bias'");
	assert_true(digest(a) == before);

	bl_module_init(a, 5);
	assert_int_equal(bl_weights_save(path, &a, NULL, 1), 0);
	before = digest(bare);
	assert_int_equal(bl_weights_load(path, &bare, NULL, 1, true), -1);
	assert_error("the model has no tensor 'bias'");
	assert_true(digest(bare) == before);
	assert_int_equal(bl_weights_load(path, &bare, NULL, 1, false), 0);
	assert_true(digest(bare) != before);

	assert_int_equal(bl_weights_load(path, &bare, (const char *const[]){ "net" }, 1, false), -1);
	assert_error("no tensor 'net.weight' (did you mean 'weight'?)");
	bl_module_unref(a);
	bl_module_unref(wide);
	bl_module_unref(bare);
}

/* --- Names that differ from the module's ------------------------------------------------------- */

static bl_tensor *filled(int64_t n, int64_t m, float v)
{
	bl_tensor *t = bl_tensor_new(m ? 2 : 1, (int64_t[]){ n, m });
	assert_non_null(t);
	bl_tensor_fill(t, v);
	return t;
}

/* Saves a linear layer 3 -> 4 under these names. */
static void save_as(const char *path, const char *weight, const char *bias, const char *other)
{
	bl_named items[] = { { (char *)(uintptr_t)weight, filled(4, 3, 2) },
		             { (char *)(uintptr_t)bias, filled(4, 0, 3) },
		             { (char *)(uintptr_t)other, filled(2, 2, 5) } };
	int n = bias ? other ? 3 : 2 : 1;
	assert_int_equal(bl_safetensors_save(path, items, n, NULL), 0);
	for (int i = 0; i < 3; i++)
		bl_tensor_unref(items[i].tensor);
}

static void taken(const char *path, bl_weights_how how, int count)
{
	bl_module *m = bl_nn_linear(3, 4, true);
	bl_weights_report r;
	assert_non_null(m);
	bl_module_init(m, 1);
	if (bl_weights_take(path, m, &how, &r) != 0)
		fail_msg("%s", bl_error());
	assert_int_equal(r.taken, count);
	assert_true((r.text[0] == '\0') == (count == 2 && r.unused == 0));
	bl_module_unref(m);
}

static void not_taken(const char *path, bl_weights_how how, const char *says)
{
	bl_module *m = bl_nn_linear(3, 4, true);
	bl_weights_report r;
	assert_non_null(m);
	if (bl_weights_take(path, m, &how, &r) == 0)
		fail_msg("it was taken");
	assert_error(says);
	assert_error(path);
	bl_module_unref(m);
}

static void names_may_have_a_prefix(void **state)
{
	(void)state;
	const char *path = support_scratch("names.safetensors");
	save_as(path, "module.weight", "module.bias", NULL);
	taken(path, (bl_weights_how){ .strict = true, .strip = "module." }, 2);
	taken(path, (bl_weights_how){ .strict = true, .prefix = "module" }, 2);
	taken(path, (bl_weights_how){ .strict = true, .prefix = "module." }, 2);
	not_taken(path, (bl_weights_how){ .strict = true }, "all its names begin with 'module.': strip = \"module.\"");
	not_taken(path, (bl_weights_how){ .strict = true, .strip = "model." },
	          "no name in it begins with 'model.' (the first is 'module.");
	not_taken(path, (bl_weights_how){ .strict = true, .prefix = "net" }, "no name in it begins with 'net.'");
	not_taken(path, (bl_weights_how){ .strict = false }, "nothing in it fits; not in the module: module.bias, module.weight");
	save_as(path, "module.net.weight", "module.net.bias", "module.head.weight");
	taken(path, (bl_weights_how){ .strict = true, .strip = "module.", .prefix = "net" }, 2);
	not_taken(path, (bl_weights_how){ .strict = true, .strip = "module.net." }, "module.head.weight");
	taken(path, (bl_weights_how){ .strip = "module.net." }, 2);
	not_taken(path, (bl_weights_how){ .strict = true },
	          "the file has 'module.net.bias': prefix = \"module.net\" selects the names that begin so");
	save_as(path, "weight", NULL, NULL);
	not_taken(path, (bl_weights_how){ .strict = true }, "no tensor 'bias'");
	taken(path, (bl_weights_how){ .strict = false }, 1);
	save_as(path, "weight", "module.weight", NULL);
	not_taken(path, (bl_weights_how){ .strict = false, .strip = "module." }, "two tensors have the name 'weight'");
}

/* With strict = false, entries of another shape and missing entries are reported, and these parameters do not change. */
static void fitting_tensors_are_loaded_and_others_reported(void **state)
{
	(void)state;
	const char *path = support_scratch("fits.safetensors");
	bl_named items[] = { { "weight", filled(4, 3, 2) }, { "bias", filled(5, 0, 3) }, { "more", filled(2, 2, 5) } };
	assert_int_equal(bl_safetensors_save(path, items, 3, NULL), 0);
	bl_module *m = bl_nn_linear(3, 4, true);
	bl_weights_report r;
	bl_module_init(m, 1);
	assert_int_equal(bl_weights_take(path, m, &(bl_weights_how){ .strict = false }, &r), 0);
	assert_true(r.taken == 1 && r.misfits == 1 && r.missing == 0 && r.unused == 1);
	assert_non_null(strstr(r.text, "1 of 2 tensors were taken; not in the module: more; of another shape: bias"));
	bl_tensor *x = filled(1, 3, 1), *y = bl_module_forward(m, x);
	assert_non_null(y);
	float v = bl_tensor_at(y, (int64_t[]){ 0, 0 });
	assert_true(v > 4 && v < 8 && v != 6 + 3); /* 3 x 2 and the initial bias, not the one in the file */
	for (int i = 0; i < 3; i++)
		bl_tensor_unref(items[i].tensor);
	bl_tensor_unref(x);
	bl_tensor_unref(y);
	bl_module_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dtype_is_read),
		cmocka_unit_test(half_precision_reaches_its_corners),
		cmocka_unit_test(written_as_specified),
		cmocka_unit_test(round_trip_keeps_order_and_numbers),
		cmocka_unit_test(metadata_comes_back),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(bad_headers_are_named),
		cmocka_unit_test(header_length_is_bounded),
		cmocka_unit_test(damaged_files_are_read_or_refused),
		cmocka_unit_test(a_full_disk_leaves_the_old_file),
		cmocka_unit_test(files_can_be_read_by_others),
		cmocka_unit_test(weights_are_saved_and_loaded),
		cmocka_unit_test(batch_counters_are_integers_in_the_file),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(names_may_have_a_prefix),
		cmocka_unit_test(fitting_tensors_are_loaded_and_others_reported),
	};
	return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
