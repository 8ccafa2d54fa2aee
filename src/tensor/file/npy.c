/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npy.c: NumPy's .npy files: a magic number, a header (a Python dictionary as text), and the data. */
#include "tensor/file/npy.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/tensor.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 6, PREFIX_V1 = 10, PREFIX_V2 = 12, ALIGN = 64, HEADER_MAX = 1 << 16, ITEM_MAX = 8 };

static const char magic[MAGIC + 1] = "\x93NUMPY";

typedef struct header {
	char kind;    /* f, i, u or b */
	int item;     /* bytes per number */
	bool swapped; /* big-endian */
	bool fortran;
	int ndim;
	int64_t shape[BL_MAXDIM];
	size_t data; /* the byte at which the data start */
} header;

/* A position p in the header's text.  `at` is the position of `start` in the file in bytes, for messages. */
typedef struct text {
	const char *path, *start, *p, *end;
	size_t at;
} text;

static int refuse(const text *t, const char *expected)
{
	return bl_fail("%s: byte %zu: header wants %s", t->path, t->at + (size_t)(t->p - t->start), expected);
}

static void skip_spaces(text *t)
{
	while (t->p < t->end && *t->p == ' ')
		t->p++;
}

static bool take(text *t, const char *word)
{
	size_t n = strlen(word);

	skip_spaces(t);
	if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

/* Reads 'word' or "word" into out. */
static int take_string(text *t, char *out, size_t size)
{
	size_t n = 0;
	char quote;

	skip_spaces(t);
	if (t->p == t->end || (*t->p != '\'' && *t->p != '"'))
		return refuse(t, "a quoted word");
	quote = *t->p++;
	while (t->p < t->end && *t->p != quote && n + 1 < size)
		out[n++] = *t->p++;
	out[n] = 0;
	if (t->p == t->end || *t->p++ != quote)
		return refuse(t, "a short quoted word");
	return 0;
}

static int take_size(text *t, int64_t *out)
{
	int64_t v = 0;

	skip_spaces(t);
	if (t->p == t->end || *t->p < '0' || *t->p > '9')
		return refuse(t, "a size");
	for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *t->p - '0', &v))
			return refuse(t, "a size that fits in 64 bits");
	if (t->p < t->end && *t->p == 'L') /* as Python 2 writes a long integer */
		t->p++;
	*out = v;
	return 0;
}

/* Reads a shape: (), (3,), (3, 4) or (3, 4,). */
static int take_shape(text *t, header *h)
{
	if (!take(t, "("))
		return refuse(t, "a shape in parentheses");
	for (h->ndim = 0; !take(t, ")"); h->ndim++) {
		if (h->ndim == BL_MAXDIM)
			return refuse(t, "at most 6 dimensions");
		if (take_size(t, &h->shape[h->ndim]) < 0)
			return -1;
		if (take(t, ","))
			continue;
		if (h->ndim == 0 || t->p == t->end || *t->p != ')')
			return refuse(t, "a comma");
	}
	return 0;
}

static bool known_item(char kind, int item)
{
	if (kind == 'f')
		return item == 2 || item == 4 || item == 8;
	if (kind == 'b')
		return item == 1;
	return (kind == 'i' || kind == 'u') && (item == 1 || item == 2 || item == 4 || item == 8);
}

static int take_descr(text *t, header *h)
{
	char d[16];

	if (take(t, "["))
		return bl_fail(
			"%s: a structured array, whose items have fields of their own: expected plain numbers (save one "
			"field: numpy.save(path, a[\"field\"]))",
			t->path);
	if (take_string(t, d, sizeof(d)) < 0)
		return -1;
	if (strchr(d, 'O'))
		return bl_fail("%s: an array of Python objects ('%s'): expected numbers", t->path, d);
	if (strlen(d) != 3 || !strchr("<>|=", d[0]) || !known_item(d[1], d[2] - '0') || (d[0] == '|' && d[2] != '1'))
		return bl_fail("%s: numbers of type '%s': expected f2, f4, f8, b1, i1 to i8 or u1 to u8", t->path, d);
	h->kind = d[1];
	h->item = d[2] - '0';
	h->swapped = d[0] == '>';
	return 0;
}

static int take_order(text *t, header *h)
{
	if (take(t, "True"))
		h->fortran = true;
	else if (!take(t, "False"))
		return refuse(t, "True or False");
	return 0;
}

typedef int take_fn(text *t, header *h);

/*
 * Reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, spaces and a newline.  Each key occurs once, in
 * any order.
 */
static int parse_dictionary(text *t, header *h)
{
	static const struct {
		const char *key;
		take_fn *take;
	} keys[] = {
		{ "descr", take_descr },
		{ "fortran_order", take_order },
		{ "shape", take_shape },
	};
	unsigned seen = 0;

	if (!take(t, "{"))
		return refuse(t, "a dictionary");
	while (!take(t, "}")) {
		char key[32];
		int k = 0;

		if (take_string(t, key, sizeof(key)) < 0)
			return -1;
		while (k < 3 && strcmp(key, keys[k].key) != 0)
			k++;
		if (k == 3 || (seen & 1u << k))
			return refuse(t, "the keys descr, fortran_order and shape, once each");
		seen |= 1u << k;
		if (!take(t, ":"))
			return refuse(t, "a colon");
		if (keys[k].take(t, h) < 0)
			return -1;
		if (!take(t, ",") && (t->p == t->end || *t->p != '}'))
			return refuse(t, "a comma");
	}
	if (seen != 7)
		return refuse(t, "the keys descr, fortran_order and shape, once each");
	if (!take(t, "\n") || t->p != t->end)
		return refuse(t, "spaces and a newline at its end");
	return 0;
}

static int parse_header(const char *path, const unsigned char *b, size_t n, header *h)
{
	size_t prefix, length;
	text t = { .path = path };

	if (n < PREFIX_V1 || memcmp(b, magic, MAGIC) != 0)
		return bl_fail("%s: byte 0: not a .npy file: no \\x93NUMPY there", path);
	if ((b[6] != 1 && b[6] != 2) || b[7] != 0)
		return bl_fail("%s: byte 6: .npy version %d.%d, expected 1.0 or 2.0", path, b[6], b[7]);
	prefix = b[6] == 1 ? PREFIX_V1 : PREFIX_V2;
	if (n < prefix)
		return bl_fail("%s: byte %zu: file ends inside the header's length", path, n);
	length = b[8] | (size_t)b[9] << 8;
	if (b[6] == 2)
		length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
	if (length > HEADER_MAX || length > n - prefix)
		return bl_fail("%s: byte 8: header of %zu bytes, but the file has %zu after it (and %d is the most allowed)", path,
		               length, n - prefix, HEADER_MAX);
	t.start = t.p = (const char *)b + prefix;
	t.end = t.start + length;
	t.at = prefix;
	h->data = prefix + length;
	return parse_dictionary(&t, h);
}

/* Checks that the size of the data is that of the shape. */
static int check_size(const char *path, const header *h, size_t n, int64_t *count)
{
	char buf[BL_SHAPE_TEXT];
	int64_t bytes = h->item;

	for (int i = 0; i < h->ndim; i++)
		if (__builtin_mul_overflow(bytes, h->shape[i], &bytes))
			return bl_fail("%s: shape %s is too large", path, bl_shape_text(h->ndim, h->shape, buf));
	if ((uint64_t)bytes != n - h->data)
		return bl_fail("%s: byte %zu: shape %s of %d-byte numbers needs %" PRId64 " bytes, the file has %zu", path, h->data,
		               bl_shape_text(h->ndim, h->shape, buf), h->item, bytes, n - h->data);
	*count = bytes / h->item;
	return 0;
}

#define AS(type, b) \
	({ \
		type v_; \
		memcpy(&v_, (b), sizeof(v_)); \
		(float)v_; \
	})

/* Decodes IEEE 754's binary16: sign, 5 bits of exponent, 10 bits of fraction. */
static float half(uint16_t v)
{
	int exponent = v >> 10 & 31, fraction = v & 1023;
	float size = exponent == 31  ? (fraction ? NAN : INFINITY)
	             : exponent == 0 ? ldexpf((float)fraction, -24)
	                             : ldexpf((float)(fraction + 1024), exponent - 25);
	return v >> 15 ? -size : size;
}

/* Decodes one number, on a little-endian machine. */
static float decode(const header *h, const unsigned char *b)
{
	unsigned char turned[ITEM_MAX];

	if (h->swapped) {
		for (int i = 0; i < h->item; i++)
			turned[i] = b[h->item - 1 - i];
		b = turned;
	}
	if (h->kind == 'f' && h->item == 2) {
		uint16_t v;
		memcpy(&v, b, sizeof(v));
		return half(v);
	}
	if (h->kind == 'f')
		return h->item == 4 ? AS(float, b) : AS(double, b);
	if (h->kind == 'b')
		return *b != 0;
	if (h->kind == 'i')
		return h->item == 1   ? AS(int8_t, b)
		       : h->item == 2 ? AS(int16_t, b)
		       : h->item == 4 ? AS(int32_t, b)
		                      : AS(int64_t, b);
	return h->item == 1 ? *b : h->item == 2 ? AS(uint16_t, b) : h->item == 4 ? AS(uint32_t, b) : AS(uint64_t, b);
}

/* Decodes an array that is column-major in the file; out is row-major. */
static void decode_fortran(const header *h, const unsigned char *b, int64_t count, float *out)
{
	int64_t stride[BL_MAXDIM], index[BL_MAXDIM] = { 0 }, at = 0, step = 1;

	for (int d = h->ndim - 1; d >= 0; d--) {
		stride[d] = step;
		step *= h->shape[d];
	}
	for (int64_t i = 0; i < count; i++) {
		out[at] = decode(h, b + i * h->item);
		for (int d = 0; d < h->ndim; d++) {
			at += stride[d];
			if (++index[d] < h->shape[d])
				break;
			at -= stride[d] * h->shape[d];
			index[d] = 0;
		}
	}
}

static bl_tensor *decode_all(const char *path, const header *h, const unsigned char *b, int64_t count)
{
	bl_tensor *t = bl_tensor_new(h->ndim, h->shape);
	float *out;

	if (!t) {
		bl_fail_prefix("%s: ", path);
		return NULL;
	}
	out = bl_tensor_data(t);
	if (h->fortran)
		decode_fortran(h, b, count, out);
	else
		for (int64_t i = 0; i < count; i++)
			out[i] = decode(h, b + i * h->item);
	return t;
}

bl_tensor *bl_npy_read(const char *name, const unsigned char *bytes, size_t n)
{
	header h = { 0 };
	int64_t count = 0;

	if (parse_header(name, bytes, n, &h) < 0 || check_size(name, &h, n, &count) < 0)
		return NULL;
	return decode_all(name, &h, bytes + h.data, count);
}

bl_tensor *bl_npy_load(const char *path)
{
	size_t n;
	unsigned char *b = bl_file_read(path, &n);
	bl_tensor *t = NULL;

	if (b && bl_npz_begins(b, n))
		bl_fail("%s: a .npz file, of several arrays: expected a .npy file, of one", path);
	else if (b)
		t = bl_npy_read(path, b, n);
	free(b);
	return t;
}

/* Writes magic number and header, padded so that the data begin at a multiple of 64 bytes.  Returns the length. */
static size_t write_header(const bl_tensor *t, char *out, size_t size)
{
	char shape[BL_SHAPE_TEXT]; /* written as Python writes a tuple */
	size_t n, length;

	memcpy(out, magic, MAGIC);
	n = PREFIX_V1 + (size_t)snprintf(out + PREFIX_V1, size - PREFIX_V1,
	                                 "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", bl_tensor_text(t, shape));
	while ((n + 1) % ALIGN)
		out[n++] = ' ';
	out[n++] = '\n';
	length = n - PREFIX_V1;
	out[6] = 1;
	out[7] = 0;
	out[8] = (char)(length & 0xff);
	out[9] = (char)(length >> 8);
	return n;
}

static int save(const char *path, const bl_tensor *t, bl_file_writer *write)
{
	char head[512];
	size_t n = write_header(t, head, sizeof(head));
	size_t bytes = (size_t)bl_tensor_count(t) * sizeof(float);
	char *file = malloc(n + bytes);
	int rc;

	if (!file)
		return bl_fail("%s: no memory for its %zu bytes", path, n + bytes);
	memcpy(file, head, n);
	bl_tensor_read(t, (float *)(void *)(file + n));
	rc = write(path, file, n + bytes);
	free(file);
	return rc;
}

int bl_npy_save(const char *path, const bl_tensor *t)
{
	return save(path, t, bl_file_write_atomic);
}

int bl_npy_save_private(const char *path, const bl_tensor *t)
{
	return save(path, t, bl_file_write_private);
}
