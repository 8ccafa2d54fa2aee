/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_torchvision.c: weights of torchvision's ResNets are loaded and saved strictly, and give its features.
 *
 * tests/reference/make_torchvision.py has written the list of the entries of torchvision's state, and the features in float64;
 * weights and images are drawn here from the same random streams.  With a program as its argument, that script tests the whole
 * round trip with torchvision.
 */
#include "support.h"

#include <barlow/error.h>
#include <barlow/weights.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 20210304, ENTRIES = 400, IMAGES = 2, SIDE = 64, CLASSES = 10, COUNT = 3 };
#define WITHIN 1e-4

typedef struct state {
	bl_named item[ENTRIES];
	char name[ENTRIES][64], type[ENTRIES][8];
	int n;
} state;

static bool ends(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n >= k && strcmp(name + n - k, end) == 0;
}

/* Fills the i-th entry from stream 1000 + i, as network() and resnet_weights() of the scripts do. */
static void draw(bl_tensor *t, const char *name, uint32_t stream)
{
	int ndim = bl_tensor_ndim(t);
	double fan_in = ndim > 1 ? (double)(bl_tensor_count(t) / bl_tensor_size(t, 0)) : 1;
	float bound = (float)sqrt((ndim == 4 ? 6 : 1) / fan_in);
	if (ends(name, "num_batches_tracked"))
		bl_tensor_data(t)[0] = COUNT;
	else if (ndim > 1)
		bl_tensor_uniform(t, SEED, stream, -bound, bound);
	else if (ends(name, "running_mean"))
		bl_tensor_uniform(t, SEED, stream, -.1f, .1f);
	else if (ends(name, "running_var") || ends(name, "weight"))
		bl_tensor_uniform(t, SEED, stream, .5f, 1.5f);
	else
		bl_tensor_uniform(t, SEED, stream, -.2f, .2f);
}

/* A line of the list: name, type, sizes. */
static void read_entry(state *s, char *line)
{
	int64_t shape[4];
	int ndim = 0;
	char *rest, *name = strtok_r(line, " \n", &rest), *type = strtok_r(NULL, " \n", &rest);
	for (char *size; (size = strtok_r(NULL, " \n", &rest)) && ndim < 4;)
		shape[ndim++] = strtoll(size, NULL, 10);
	assert_true(name && type && s->n < ENTRIES);
	snprintf(s->name[s->n], sizeof s->name[0], "%s", name);
	snprintf(s->type[s->n], sizeof s->type[0], "%s", type);
	bl_tensor *t = bl_tensor_new(ndim, shape);
	assert_non_null(t);
	draw(t, name, 1000 + (uint32_t)s->n);
	s->item[s->n] = (bl_named){ s->name[s->n], t };
	s->n++;
}

static void read_state(state *s, int depth)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "tests/reference/torchvision%d.txt", depth);
	FILE *f = fopen(support_source(path), "r");
	assert_non_null(f);
	memset(s, 0, sizeof *s);
	while (fgets(line, sizeof line, f))
		read_entry(s, line);
	fclose(f);
}

static void free_state(state *s)
{
	for (int i = 0; i < s->n; i++)
		bl_tensor_unref(s->item[i].tensor);
}

static bl_module *resnet(int depth, int classes)
{
	bl_module *m = bl_nn_resnet(&(bl_resnet_config){ .depth = depth, .channels = 3, .width = 64, .classes = classes });
	assert_non_null(m);
	bl_module_train(m, false);
	return m;
}

static void expect(bl_module *m, const float *want)
{
	bl_tensor *x = bl_tensor_new(4, (int64_t[]){ IMAGES, 3, SIDE, SIDE });
	assert_non_null(x);
	bl_tensor_uniform(x, SEED, 1, -1, 1);
	bl_tensor *y = bl_module_forward(m, x);
	if (!y)
		fail_msg("%s", bl_error());
	double most = 0, off = 0;
	for (int64_t i = 0; i < bl_tensor_count(y); i++) {
		most = fmax(most, fabs((double)want[i]));
		off = fmax(off, fabs((double)bl_tensor_data(y)[i] - (double)want[i]));
	}
	print_message("# off by %.2g of the largest of %d\n", off / most, (int)bl_tensor_count(y));
	assert_true(off <= WITHIN * most);
	bl_tensor_unref(y);
	bl_tensor_unref(x);
}

/* The file has exactly the entries of torchvision's state, with the same types, shapes and numbers. */
static void expect_file(const char *path, const state *s)
{
	bl_named *item;
	int n;
	assert_int_equal(bl_safetensors_load(path, &item, &n), 0);
	assert_int_equal(n, s->n);
	for (int i = 0; i < n; i++) {
		int k = 0;
		while (k < s->n && strcmp(s->name[k], item[i].name) != 0)
			k++;
		if (k == s->n)
			fail_msg("torchvision has no %s", item[i].name);
		const bl_tensor *mine = item[i].tensor, *theirs = s->item[k].tensor;
		assert_int_equal(bl_tensor_ndim(mine), bl_tensor_ndim(theirs));
		for (int d = 0; d < bl_tensor_ndim(mine); d++)
			assert_int_equal(bl_tensor_size(mine, d), bl_tensor_size(theirs, d));
		assert_memory_equal(bl_tensor_data(mine), bl_tensor_data(theirs), (size_t)bl_tensor_count(mine) * sizeof(float));
	}
	bl_named_free(item, n);
}

/* load_state_dict also checks that counters are integers without a dimension. */
static void expect_counters(const char *path)
{
	enum { HEAD = 1 << 16 };
	static char head[HEAD + 1];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(head, 1, HEAD, f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		head[i] = head[i] ? head[i] : ' ';
	head[n] = '\0';
	const char *at = strstr(head, "\"bn1.num_batches_tracked\"");
	assert_non_null(at);
	const char *type = strstr(at, "I64"), *shape = strstr(at, "[]"), *end = strchr(at, '}');
	assert_true(type && shape && type < end && shape < end);
}

static void round_trip(int depth, const float *features, const float *results)
{
	static state s;
	const char *there = support_scratch("torchvision.safetensors"), *prefix = "";
	char back[600];
	snprintf(back, sizeof back, "%s.back", there);
	read_state(&s, depth);
	assert_int_equal(bl_safetensors_save(there, s.item, s.n, NULL), 0);
	bl_module *whole = resnet(depth, CLASSES);
	if (bl_weights_load(there, &whole, &prefix, 1, true) != 0)
		fail_msg("%s", bl_error());
	expect(whole, results);
	assert_int_equal(bl_weights_save(back, &whole, &prefix, 1), 0);
	expect_file(back, &s);
	expect_counters(back);
	bl_module *encoder = resnet(depth, 0);
	assert_true(bl_weights_load(there, &encoder, &prefix, 1, true) < 0); /* the file of an encoder has no fc */
	assert_error("fc.");
	assert_int_equal(bl_weights_load(there, &encoder, &prefix, 1, false), 0);
	expect(encoder, features);
	bl_module_unref(encoder);
	bl_module_unref(whole);
	remove(there);
	remove(back);
	free_state(&s);
}

static void weights_are_loaded_and_saved(void **unused)
{
	(void)unused;
	bl_tensor *all = bl_npy_load(support_source("tests/reference/torchvision.npy"));
	assert_non_null(all);
	const float *at = bl_tensor_data(all), *end = at + bl_tensor_count(all);
	while (at < end) {
		int depth = (int)*at++, width = depth == 50 ? 2048 : 512;
		round_trip(depth, at, at + IMAGES * width);
		at += IMAGES * (width + CLASSES);
	}
	bl_tensor_unref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(weights_are_loaded_and_saved) };
	return cmocka_run_group_tests_name("torchvision", tests, NULL, NULL);
}
