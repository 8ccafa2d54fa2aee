/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mat5.c: reads MATLAB files of version 5.  Elements follow a header of 128 bytes.  An element consists of type and
 * size (4 bytes each) and data, padded to a multiple of 8 bytes; a small element has type, size and up to 4 bytes of
 * data in 8 bytes.  A variable is an element that contains four elements: flags, dimensions, name and numbers.  It may
 * be compressed by zlib in an element of type 15, which is not padded.
 */
#include "data/mat5.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 128, ORDER_AT = 126, MATRIX = 14, COMPRESSED = 15, NAME_MOST = 64 };
enum { INT8 = 1, UINT8, INT16, UINT16, INT32, UINT32, SINGLE, DOUBLE = 9, INT64 = 12, UINT64 };
/* The largest compression ratio of deflate (zlib's technical notes). */
enum { MOST_RATIO = 1032 };

/* Bytes that are read in order, plain or compressed. */
typedef struct stream {
	const char *path;
	bool big; /* big-endian numbers */
	const uint8_t *bytes;
	size_t n;
	bool packed;
	z_stream z;
	size_t given; /* plain bytes read so far */
} stream;

static int fail_short(const stream *s)
{
	return bl_fail("%s: the file ends within a variable, %zu bytes into it", s->path, s->given);
}

static unsigned portion(size_t n)
{
	return n > 1u << 30 ? 1u << 30 : (unsigned)n;
}

static int inflate_all(stream *s, uint8_t *out, size_t n)
{
	while (n > 0) {
		unsigned in = portion(s->n), room = portion(n);
		s->z.next_in = (Bytef *)(uintptr_t)s->bytes;
		s->z.avail_in = in;
		s->z.next_out = out;
		s->z.avail_out = room;
		int rc = inflate(&s->z, Z_NO_FLUSH);
		unsigned made = room - s->z.avail_out, taken = in - s->z.avail_in;
		s->bytes += taken;
		s->n -= taken;
		out += made;
		n -= made;
		s->given += made;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return bl_fail("%s: bad zlib data %zu bytes into a variable: %s", s->path, s->given,
			               s->z.msg ? s->z.msg : zError(rc));
		if (n > 0 && (rc == Z_STREAM_END || (made == 0 && taken == 0)))
			return fail_short(s);
	}
	return 0;
}

static int take(stream *s, void *out, size_t n)
{
	if (s->packed)
		return inflate_all(s, out, n);
	if (n > s->n)
		return fail_short(s);
	memcpy(out, s->bytes, n);
	s->bytes += n;
	s->n -= n;
	s->given += n;
	return 0;
}

static int skip(stream *s, size_t n)
{
	uint8_t rest[8];
	return n > sizeof rest ? fail_short(s) : take(s, rest, n);
}

/* Returns an upper bound of the plain bytes that are left. */
static size_t bound(const stream *s)
{
	size_t most;
	if (!s->packed)
		return s->n;
	return __builtin_mul_overflow(s->n, (size_t)MOST_RATIO, &most) || most > SIZE_MAX - (1 << 16) ? SIZE_MAX : most + (1 << 16);
}

static uint32_t read32(bool big, const uint8_t *b)
{
	return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
	           : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* --- Elements --------------------------------------------------------------------- */

typedef struct element {
	uint32_t type;
	size_t size;
	bool small; /* the data are in the element itself: */
	uint8_t data[4];
} element;

static int take_element(stream *s, element *e)
{
	uint8_t b[8];
	if (take(s, b, sizeof b) < 0)
		return -1;
	uint32_t first = read32(s->big, b);
	*e = (element){ .type = first & 0xffff, .size = first >> 16, .small = first >> 16 != 0 };
	if (!e->small) {
		e->type = first;
		e->size = read32(s->big, b + 4);
		return 0;
	}
	memcpy(e->data, b + 4, 4);
	return e->size <= 4 ? 0 : bl_fail("%s: a small element of %zu bytes, expected at most 4", s->path, e->size);
}

/* Reads the data of an element, which may have at most `most` bytes, and its padding. */
static int take_small(stream *s, const element *e, uint8_t *out, size_t most)
{
	if (e->size > most)
		return bl_fail("%s: an element of %zu bytes, expected at most %zu", s->path, e->size, most);
	if (e->small) {
		memcpy(out, e->data, e->size);
		return 0;
	}
	return take(s, out, e->size) < 0 ? -1 : skip(s, (8 - e->size % 8) % 8);
}

static int size_of(uint32_t type)
{
	static const int sizes[] = { [INT8] = 1,   [UINT8] = 1,  [INT16] = 2,  [UINT16] = 2, [INT32] = 4,
		                     [UINT32] = 4, [SINGLE] = 4, [DOUBLE] = 8, [INT64] = 8,  [UINT64] = 8 };
	return type < sizeof sizes / sizeof *sizes ? sizes[type] : 0;
}

#define AS(type_) \
	({ \
		type_ v_; \
		memcpy(&v_, b, sizeof v_); \
		(double)v_; \
	})

static double number(bool big, uint32_t type, const uint8_t *in)
{
	uint8_t b[8];
	int n = size_of(type);
	for (int i = 0; i < n; i++)
		b[i] = in[big ? n - 1 - i : i];
	switch (type) {
	case INT8: return AS(int8_t);
	case UINT8: return *b;
	case INT16: return AS(int16_t);
	case UINT16: return AS(uint16_t);
	case INT32: return AS(int32_t);
	case UINT32: return AS(uint32_t);
	case SINGLE: return AS(float);
	case INT64: return AS(int64_t);
	case UINT64: return AS(uint64_t);
	default: return AS(double);
	}
}

/* --- A variable ---------------------------------------------------------------------- */

static int take_shape(stream *s, bl_mat5 *m)
{
	element e;
	uint8_t b[4 * BL_MAT5_DIMS];
	if (take_element(s, &e) < 0 || take_small(s, &e, b, sizeof b) < 0)
		return -1;
	m->ndim = (int)(e.size / 4);
	m->count = 1;
	if (e.type != INT32 || m->ndim < 1)
		return bl_fail("%s: a variable without dimensions", s->path);
	for (int i = 0; i < m->ndim; i++) {
		m->shape[i] = (int32_t)read32(s->big, b + 4 * i);
		if (m->shape[i] < 0 || __builtin_mul_overflow(m->count, m->shape[i], &m->count))
			return bl_fail("%s: dimension %d of a variable is %" PRId64 ", or it has too many numbers", s->path, i + 1,
			               m->shape[i]);
	}
	return 0;
}

static int take_name(stream *s, char name[NAME_MOST])
{
	element e;
	if (take_element(s, &e) < 0 || take_small(s, &e, (uint8_t *)name, NAME_MOST - 1) < 0)
		return -1;
	name[e.size] = '\0';
	return e.type == INT8 ? 0 : bl_fail("%s: a variable without a name", s->path);
}

static int take_bytes(stream *s, const element *e, bl_mat5 *m)
{
	if (!(m->bytes = malloc(e->size + 1)))
		return bl_fail("%s: no memory for %zu bytes", s->path, e->size);
	if (!e->small)
		return take(s, m->bytes, e->size);
	memcpy(m->bytes, e->data, e->size);
	return 0;
}

static int take_numbers(stream *s, const element *e, bl_mat5 *m)
{
	uint8_t b[8];
	int size = size_of(e->type);
	if ((uint64_t)m->count > SIZE_MAX / sizeof *m->numbers ||
	    !(m->numbers = malloc(((size_t)m->count + 1) * sizeof *m->numbers)))
		return bl_fail("%s: no memory for %" PRId64 " numbers", s->path, m->count);
	for (int64_t i = 0; i < m->count; i++) {
		if (e->small)
			memcpy(b, e->data + i * size, (size_t)size);
		else if (take(s, b, (size_t)size) < 0)
			return -1;
		m->numbers[i] = number(s->big, e->type, b);
	}
	return 0;
}

static int take_values(stream *s, bl_mat5 *m, const char *name)
{
	element e;
	if (take_element(s, &e) < 0)
		return -1;
	int size = size_of(e.type);
	if (!size)
		return bl_fail("%s: '%s' has numbers of type %" PRIu32 ", which is unknown", s->path, name, e.type);
	if (e.size / (size_t)size != (uint64_t)m->count || e.size % (size_t)size || (!e.small && e.size > bound(s)))
		return bl_fail("%s: '%s' has %zu bytes of numbers of %d bytes each, expected %" PRId64
		               " numbers, and the file can hold %zu bytes",
		               s->path, name, e.size, size, m->count, bound(s));
	return e.type == UINT8 ? take_bytes(s, &e, m) : take_numbers(s, &e, m);
}

/*
 * Reads the variable if it has this name.  Returns 1 if it was read, 0 if it has another name; negative with bl_error.
 */
static int read_matrix(stream *s, const char *name, bl_mat5 *m)
{
	element e;
	uint8_t flags[8];
	char its_name[NAME_MOST];
	if (take_element(s, &e) < 0 || take_small(s, &e, flags, sizeof flags) < 0 || e.size != sizeof flags)
		return bl_fail("%s: a variable without flags", s->path);
	unsigned class = read32(s->big, flags) & 0xff, bits = read32(s->big, flags) >> 8 & 0xff;
	if (class < 4 || class > 15 || class == 5)
		return 0;
	if (take_shape(s, m) < 0 || take_name(s, its_name) < 0)
		return -1;
	if (strcmp(its_name, name) != 0)
		return 0;
	if (bits & 8)
		return bl_fail("%s: '%s' has complex numbers", s->path, name);
	return take_values(s, m, name) < 0 ? -1 : 1;
}

/* Reads the one variable that an element of type 15 contains.  Returns the same as read_matrix. */
static int read_packed(stream *from, size_t n, const char *name, bl_mat5 *m)
{
	stream s = { .path = from->path, .big = from->big, .bytes = from->bytes, .n = n, .packed = true };
	element e;
	if (inflateInit(&s.z) != Z_OK)
		return bl_fail("%s: zlib does not start", s.path);
	int rc = take_element(&s, &e);
	if (rc == 0 && e.type == MATRIX)
		rc = read_matrix(&s, name, m);
	inflateEnd(&s.z);
	return rc;
}

static int read_element(stream *s, const char *name, bl_mat5 *m)
{
	element e;
	if (take_element(s, &e) < 0)
		return -1;
	if (e.small || e.size > s->n)
		return fail_short(s);
	stream part = { .path = s->path, .big = s->big, .bytes = s->bytes, .n = e.size };
	int rc = e.type == MATRIX ? read_matrix(&part, name, m) : e.type == COMPRESSED ? read_packed(s, e.size, name, m) : 0;
	s->bytes += e.size;
	s->n -= e.size;
	if (e.type != COMPRESSED && s->n > 0)
		return rc == 0 ? skip(s, (8 - e.size % 8) % 8 < s->n ? (8 - e.size % 8) % 8 : s->n) : rc;
	return rc;
}

static int read_file(const char *path, const uint8_t *bytes, size_t n, const char *name, bl_mat5 *m)
{
	if (n >= 8 && memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0)
		return bl_fail("%s: a MATLAB file of version 7.3 (HDF5), expected version 5: save it with -v7", path);
	if (n < HEADER || (memcmp(bytes + ORDER_AT, "IM", 2) != 0 && memcmp(bytes + ORDER_AT, "MI", 2) != 0))
		return bl_fail("%s: byte %d: not a MATLAB file of version 5: no IM or MI there", path, ORDER_AT);
	if (n >= HEADER + 8 && memcmp(bytes, "MATLAB 7.3", 10) == 0)
		return bl_fail("%s: a MATLAB file of version 7.3 (HDF5), expected version 5: save it with -v7", path);
	stream s = { .path = path, .big = bytes[ORDER_AT] == 'M', .bytes = bytes + HEADER, .n = n - HEADER };
	while (s.n > 0) {
		int rc = read_element(&s, name, m);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		bl_mat5_clear(m);
	}
	return bl_fail("%s: it has no numeric variable '%s'", path, name);
}

int bl_mat5_read(const char *path, const char *name, bl_mat5 *out)
{
	size_t n;
	uint8_t *bytes = bl_file_read(path, &n);
	*out = (bl_mat5){ .ndim = 0 };
	if (!bytes)
		return -1;
	int rc = read_file(path, bytes, n, name, out);
	free(bytes);
	if (rc < 0)
		bl_mat5_clear(out);
	return rc;
}

void bl_mat5_clear(bl_mat5 *m)
{
	free(m->bytes);
	free(m->numbers);
	*m = (bl_mat5){ .ndim = 0 };
}
