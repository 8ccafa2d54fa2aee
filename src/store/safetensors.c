/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * safetensors.c: reads and writes safetensors files, which contain named tensors and metadata.
 *
 * A file is: length of the header (8 bytes, little-endian), the header (JSON:
 * name -> dtype, shape, data_offsets), then the numbers of all tensors, one
 * after the other, in the order of their offsets, without gaps.
 */
#include "store/dtype.h"
#include "store/state.h"

#include <barlow/error.h>
#include <barlow/json_text.h>
#include <barlow/text.h>
#include <barlow/weights.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, HEADER_MAX = 100000000, ALIGN = 8 };

static const char metadata_key[] = "__metadata__";

/* A tensor as the header describes it. */
typedef struct entry {
	const char *name;
	const bl_dtype *dtype;
	int ndim;
	int64_t shape[BL_MAXDIM], count;
	uint64_t begin, end; /* from the start of the data */
	size_t place;        /* index in the header, by which empty tensors with equal offsets are sorted */
} entry;

/* A file being read. */
typedef struct source {
	const char *path;
	unsigned char *bytes;
	size_t size, data; /* length of the file, start of the data */
	json_t *header;
	entry *entries;
	int n;
} source;

static void source_close(source *s)
{
	json_decref(s->header);
	free(s->entries);
	free(s->bytes);
}

static int parse_header(source *s)
{
	uint64_t length = 0;
	json_error_t e;

	if (s->size < PREFIX)
		return bl_fail("%s: byte %zu: file ends inside the 8 bytes of the header's length", s->path, s->size);
	for (int i = PREFIX - 1; i >= 0; i--)
		length = length << 8 | s->bytes[i];
	if (length > HEADER_MAX)
		return bl_fail("%s: byte 0: header of %" PRIu64 " bytes, at most %d are allowed", s->path, length, HEADER_MAX);
	if (length > s->size - PREFIX)
		return bl_fail("%s: byte 0: header of %" PRIu64 " bytes, but the file has %zu after its length", s->path, length,
		               s->size - PREFIX);
	s->data = PREFIX + (size_t)length;
	s->header = json_loadb((const char *)s->bytes + PREFIX, (size_t)length, JSON_REJECT_DUPLICATES, &e);
	if (!s->header)
		return bl_fail("%s: byte %d: header: %s", s->path, PREFIX + e.position, e.text);
	if (!json_is_object(s->header))
		return bl_fail("%s: byte %d: header is not a JSON object", s->path, PREFIX);
	return 0;
}

static int take_shape(const source *s, entry *e, const json_t *shape)
{
	const json_t *size;
	size_t i;

	if (!json_is_array(shape) || json_array_size(shape) > BL_MAXDIM)
		return bl_fail("%s: header: tensor '%s': shape is not a list of at most %d sizes", s->path, e->name, BL_MAXDIM);
	e->count = 1;
	json_array_foreach(shape, i, size)
	{
		e->shape[i] = json_integer_value(size);
		if (!json_is_integer(size) || e->shape[i] < 0)
			return bl_fail("%s: header: tensor '%s': size %zu of its shape is not a whole number from 0", s->path,
			               e->name, i + 1);
		if (__builtin_mul_overflow(e->count, e->shape[i], &e->count))
			return bl_fail("%s: header: tensor '%s': its shape is too large", s->path, e->name);
	}
	e->ndim = (int)json_array_size(shape);
	return 0;
}

static int take_offsets(const source *s, entry *e, const json_t *offsets)
{
	const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
	uint64_t room = s->size - s->data, bytes;
	char buf[BL_SHAPE_TEXT];

	if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) || json_integer_value(begin) < 0 ||
	    json_integer_value(end) < json_integer_value(begin))
		return bl_fail("%s: header: tensor '%s': data_offsets is not [begin, end]", s->path, e->name);
	e->begin = (uint64_t)json_integer_value(begin);
	e->end = (uint64_t)json_integer_value(end);
	if (e->end > room)
		return bl_fail("%s: byte %zu: tensor '%s' ends at byte %" PRIu64 " of the data, but the file has %" PRIu64, s->path,
		               s->data, e->name, e->end, room);
	if (__builtin_mul_overflow((uint64_t)e->count, (uint64_t)e->dtype->size, &bytes) || bytes != e->end - e->begin)
		return bl_fail("%s: byte %zu: tensor '%s' %s of %s cannot take %" PRIu64 " bytes", s->path,
		               s->data + (size_t)e->begin, e->name, bl_shape_text(e->ndim, e->shape, buf), e->dtype->name,
		               e->end - e->begin);
	return 0;
}

static int take_entry(const source *s, entry *e, const json_t *v)
{
	const char *dtype = json_string_value(json_object_get(v, "dtype"));

	if (!dtype)
		return bl_fail("%s: header: tensor '%s': no dtype", s->path, e->name);
	e->dtype = bl_dtype_find(dtype);
	if (!e->dtype)
		return bl_fail("%s: header: tensor '%s': dtype '%s' is not one of " BL_DTYPE_NAMES, s->path, e->name, dtype);
	if (take_shape(s, e, json_object_get(v, "shape")) < 0)
		return -1;
	return take_offsets(s, e, json_object_get(v, "data_offsets"));
}

static int by_offset(const void *a, const void *b)
{
	const entry *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

/* Checks that every byte of the data belongs to exactly one tensor. */
static int check_cover(const source *s)
{
	uint64_t at = 0, room = s->size - s->data;

	for (int i = 0; i < s->n; i++) {
		const entry *e = &s->entries[i];

		if (e->begin != at)
			return bl_fail("%s: byte %zu: tensor '%s' begins at byte %" PRIu64 " of the data, expected %" PRIu64
			               ": tensors overlap or leave a gap",
			               s->path, s->data + (size_t)e->begin, e->name, e->begin, at);
		at = e->end;
	}
	if (at != room)
		return bl_fail("%s: byte %zu: %" PRIu64 " bytes that belong to no tensor", s->path, s->data + (size_t)at,
		               room - at);
	return 0;
}

static int take_entries(source *s)
{
	const char *name;
	json_t *v;

	s->entries = calloc(json_object_size(s->header) + 1, sizeof(*s->entries));
	if (!s->entries)
		return bl_fail("%s: no memory for its list of tensors", s->path);
	json_object_foreach(s->header, name, v)
	{
		if (strcmp(name, metadata_key) == 0)
			continue;
		s->entries[s->n].name = name;
		s->entries[s->n].place = (size_t)s->n;
		if (take_entry(s, &s->entries[s->n++], v) < 0)
			return -1;
	}
	qsort(s->entries, (size_t)s->n, sizeof(*s->entries), by_offset);
	return check_cover(s);
}

/* Reads the file and checks its header, but does not decode the numbers.  Call source_close also if this fails. */
static int source_open(source *s, const char *path)
{
	*s = (source){ .path = path };
	s->bytes = bl_file_read(path, &s->size);
	if (!s->bytes || parse_header(s) < 0)
		return -1;
	return take_entries(s);
}

static bl_tensor *take_tensor(const source *s, const entry *e)
{
	bl_tensor *t = bl_tensor_new(e->ndim, e->shape);

	if (!t) {
		bl_fail_prefix("%s: tensor '%s': ", s->path, e->name);
		return NULL;
	}
	e->dtype->decode(s->bytes + s->data + e->begin, e->count, bl_tensor_data(t));
	return t;
}

static bl_named *take_items(const source *s)
{
	bl_named *items = calloc((size_t)s->n + 1, sizeof(*items));

	if (!items)
		return bl_fail_null("%s: no memory for its list of tensors", s->path);
	for (int i = 0; i < s->n; i++) {
		items[i].tensor = take_tensor(s, &s->entries[i]);
		items[i].name = items[i].tensor ? strdup(s->entries[i].name) : NULL;
		if (!items[i].name) {
			if (items[i].tensor)
				bl_fail("%s: no memory for a tensor's name", s->path);
			bl_named_free(items, i + 1);
			return NULL;
		}
	}
	return items;
}

void bl_named_free(bl_named *items, int n)
{
	for (int i = 0; items && i < n; i++) {
		free(items[i].name);
		bl_tensor_unref(items[i].tensor);
	}
	free(items);
}

static char **take_metadata(const source *s)
{
	json_t *meta = json_object_get(s->header, metadata_key), *v;
	char **pairs;
	const char *key;
	size_t n = 0;

	if (meta && !json_is_object(meta))
		return bl_fail_null("%s: header: %s is not an object", s->path, metadata_key);
	pairs = calloc(2 * json_object_size(meta) + 1, sizeof(*pairs));
	if (!pairs)
		return bl_fail_null("%s: no memory for its metadata", s->path);
	json_object_foreach(meta, key, v)
	{
		if (!json_is_string(v)) {
			bl_metadata_free(pairs);
			return bl_fail_null("%s: header: metadata '%s' is not a string", s->path, key);
		}
		pairs[n] = strdup(key);
		pairs[n + 1] = strdup(json_string_value(v));
		n += 2;
		if (!pairs[n - 2] || !pairs[n - 1]) {
			free(pairs[n - 1]);
			bl_metadata_free(pairs);
			return bl_fail_null("%s: no memory for its metadata", s->path);
		}
	}
	return pairs;
}

int bl_safetensors_read(const char *path, bl_named **items, int *n, char ***metadata)
{
	source s;
	bool open = source_open(&s, path) == 0;
	char **pairs = open && metadata ? take_metadata(&s) : NULL;
	bl_named *got = open && (pairs || !metadata) ? take_items(&s) : NULL;

	if (got) {
		*items = got;
		*n = s.n;
	}
	if (got && metadata)
		*metadata = pairs;
	else
		bl_metadata_free(pairs);
	source_close(&s);
	return got ? 0 : -1;
}

int bl_safetensors_load(const char *path, bl_named **items, int *n)
{
	return bl_safetensors_read(path, items, n, NULL);
}

char **bl_safetensors_metadata(const char *path)
{
	source s;
	char **pairs = source_open(&s, path) == 0 ? take_metadata(&s) : NULL;

	source_close(&s);
	return pairs;
}

const char *bl_metadata_get(char *const *pairs, const char *key)
{
	for (; *pairs; pairs += 2)
		if (strcmp(pairs[0], key) == 0)
			return pairs[1];
	return NULL;
}

void bl_metadata_free(char **pairs)
{
	for (char **p = pairs; p && *p; p++)
		free(*p);
	free(pairs);
}

/* The type that a tensor is written with: I64 for num_batches_tracked, as in PyTorch, and F32 for all others. */
static const bl_dtype *dtype_for(const char *name)
{
	static const char counter[] = "num_batches_tracked";
	size_t n = strlen(name), k = sizeof(counter) - 1;
	bool counts = n >= k && strcmp(name + n - k, counter) == 0 && (n == k || name[n - k - 1] == '.');

	return bl_dtype_find(counts ? "I64" : "F32");
}

static uint64_t bytes_of(const bl_named *item)
{
	return (uint64_t)bl_tensor_count(item->tensor) * (uint64_t)dtype_for(item->name)->size;
}

static json_t *describe(const bl_named *item, uint64_t begin)
{
	json_t *shape = json_array();
	bool ok = shape != NULL;

	for (int d = 0; ok && d < bl_tensor_ndim(item->tensor); d++)
		ok = json_array_append_new(shape, json_integer(bl_tensor_size(item->tensor, d))) == 0;
	if (!ok) {
		json_decref(shape);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype_for(item->name)->name, "shape", shape, "data_offsets",
	                 (json_int_t)begin, (json_int_t)(begin + bytes_of(item)));
}

/* jansson refuses a text that is not UTF-8, or if there is no memory, but does not report which. */
static int refuse_text(const char *what, const char *name, bool utf8)
{
	return utf8 ? bl_fail("no memory for the header") : bl_fail("%s '%s' is not UTF-8 text", what, name);
}

static int add_metadata(json_t *header, const char *const *metadata)
{
	json_t *meta;

	if (!metadata || !*metadata)
		return 0;
	meta = json_object();
	for (; meta && *metadata; metadata += 2)
		if (json_object_set_new(meta, metadata[0], json_string(metadata[1])) < 0) {
			json_decref(meta);
			return refuse_text("metadata", metadata[0], bl_text_is_utf8(metadata[0]) && bl_text_is_utf8(metadata[1]));
		}
	return json_object_set_new(header, metadata_key, meta) < 0 ? bl_fail("no memory for the metadata") : 0;
}

static int add_items(json_t *header, const bl_named *items, int n, uint64_t *data)
{
	for (int i = 0; i < n; i++) {
		if (strcmp(items[i].name, metadata_key) == 0 || json_object_get(header, items[i].name))
			return bl_fail("two tensors named '%s'", items[i].name);
		if (json_object_set_new(header, items[i].name, describe(&items[i], *data)) < 0)
			return refuse_text("tensor's name", items[i].name, bl_text_is_utf8(items[i].name));
		*data += bytes_of(&items[i]);
	}
	return 0;
}

/* Returns the header as JSON, with the tensors in the order of the list; the caller frees it. */
static char *header_text(const bl_named *items, int n, const char *const *metadata, uint64_t *data)
{
	json_t *header = json_object();
	char *text = NULL;

	if (!header)
		return bl_fail_null("no memory for the header");
	if (add_metadata(header, metadata) == 0 && add_items(header, items, n, data) == 0) {
		text = bl_json_text(header, JSON_COMPACT);
		if (!text)
			bl_fail("no memory for the header");
	}
	json_decref(header);
	return text;
}

static int write_items(unsigned char *out, const bl_named *items, int n)
{
	for (int i = 0; i < n; i++) {
		int64_t count = bl_tensor_count(items[i].tensor);
		float *numbers = malloc((size_t)count * sizeof(*numbers) + 1);

		if (!numbers)
			return bl_fail("no memory for tensor '%s'", items[i].name);
		bl_tensor_read(items[i].tensor, numbers);
		dtype_for(items[i].name)->encode(numbers, count, out);
		free(numbers);
		out += bytes_of(&items[i]);
	}
	return 0;
}

/* Writes spaces after the JSON, so that the tensors' numbers begin at a multiple of 8 bytes. */
static int write_file(const char *path, const char *text, uint64_t data, const bl_named *items, int n, bl_file_writer *write)
{
	size_t length = strlen(text), padded = (length + ALIGN - 1) / ALIGN * ALIGN;
	size_t size = PREFIX + padded + (size_t)data;
	unsigned char *file = malloc(size);
	int rc;

	if (!file)
		return bl_fail("no memory for %zu bytes", size);
	for (int i = 0; i < PREFIX; i++)
		file[i] = (unsigned char)((uint64_t)padded >> 8 * i);
	memset(file + PREFIX, ' ', padded);
	memcpy(file + PREFIX, text, length);
	rc = write_items(file + PREFIX + padded, items, n);
	if (rc == 0)
		rc = write(path, file, size);
	else
		bl_fail_prefix("%s: ", path);
	free(file);
	return rc;
}

int bl_safetensors_write(const char *path, const bl_named *items, int n, const char *const *metadata, bl_file_writer *write)
{
	uint64_t data = 0;
	char *text = header_text(items, n, metadata, &data);
	int rc;

	if (!text)
		return bl_fail_prefix("%s: ", path);
	rc = write_file(path, text, data, items, n, write);
	free(text);
	return rc;
}

int bl_safetensors_save(const char *path, const bl_named *items, int n, const char *const *metadata)
{
	return bl_safetensors_write(path, items, n, metadata, bl_file_write_atomic);
}
