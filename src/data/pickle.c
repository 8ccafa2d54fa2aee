/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pickle.c: interprets the opcodes of pickles that contain data, with a stack of values.  Python's pickletools.py
 * describes the opcodes.
 */
#include "data/pickle.h"

#include <barlow/error.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MOST = 1 << 22, MEMO_MOST = 1 << 22 };

struct bl_pickle {
	bl_pickle_value *values;
	uint32_t n_values, room_values;
	uint32_t *stack, n_stack, room_stack;
	uint32_t *memo, n_memo, room_memo; /* index of the value + 1; 0: empty */
	const uint8_t *bytes;
	size_t n, at;
	uint32_t root;
};

/* --- Memory ------------------------------------------------------------------------- */

/* Allocates room for one more item of `size` bytes in a list of n. */
static int make_room(void **list, uint32_t *room, uint32_t n, size_t size)
{
	if (n < *room)
		return 0;
	uint32_t more = *room ? 2 * *room : 16;
	void *p = n >= VALUES_MOST ? NULL : realloc(*list, more * size);
	if (!p) {
		bl_fail("a pickle of more than %u values, or no memory for them", (unsigned)n);
		return -1;
	}
	*list = p;
	*room = more;
	return 0;
}

static bl_pickle_value *value(const bl_pickle *p, uint32_t place)
{
	return p->values + place;
}

static int push(bl_pickle *p, uint32_t place)
{
	if (make_room((void **)&p->stack, &p->room_stack, p->n_stack, sizeof *p->stack) < 0)
		return -1;
	p->stack[p->n_stack++] = place;
	return 0;
}

/* Pushes a new value, and writes its index to *place unless place is NULL. */
static int push_new(bl_pickle *p, bl_pickle_kind kind, int64_t integer, uint32_t *place)
{
	if (make_room((void **)&p->values, &p->room_values, p->n_values, sizeof *p->values) < 0)
		return -1;
	p->values[p->n_values] = (bl_pickle_value){ .kind = kind, .integer = integer };
	if (place)
		*place = p->n_values;
	return push(p, p->n_values++);
}

static int add_item(bl_pickle *p, uint32_t place, uint32_t item)
{
	bl_pickle_value *v = value(p, place);
	if (make_room((void **)&v->items, &v->room, v->count, sizeof *v->items) < 0)
		return -1;
	v->items[v->count++] = item;
	return 0;
}

/* --- Reading ------------------------------------------------------------------------- */

static int fail(const bl_pickle *p, const char *what)
{
	bl_fail("byte %zu of the pickle: %s", p->at, what);
	return -1;
}

static int take(bl_pickle *p, size_t n, const uint8_t **out)
{
	if (n > p->n - p->at)
		return fail(p, "it ends too early");
	*out = p->bytes + p->at;
	p->at += n;
	return 0;
}

/* Reads a little-endian number of n <= 8 bytes. */
static int take_number(bl_pickle *p, size_t n, uint64_t *out)
{
	const uint8_t *b;
	if (take(p, n, &b) < 0)
		return -1;
	*out = 0;
	for (size_t i = n; i-- > 0;)
		*out = *out << 8 | b[i];
	return 0;
}

/* Reads a line and its newline; *n does not count the newline. */
static int take_line(bl_pickle *p, const uint8_t **out, size_t *n)
{
	const uint8_t *end = memchr(p->bytes + p->at, '\n', p->n - p->at);
	if (!end)
		return fail(p, "it ends within a line");
	*n = (size_t)(end - (p->bytes + p->at));
	return take(p, *n + 1, out);
}

static int pop(bl_pickle *p, uint32_t *place)
{
	if (p->n_stack == 0 || value(p, p->stack[p->n_stack - 1])->kind == BL_PICKLE_MARK)
		return fail(p, "the stack has no value for this opcode");
	*place = p->stack[--p->n_stack];
	return 0;
}

static int top(const bl_pickle *p, bl_pickle_kind kind, uint32_t *place)
{
	if (p->n_stack == 0 || value(p, p->stack[p->n_stack - 1])->kind != kind)
		return fail(p, "items are added to a value of the wrong kind");
	*place = p->stack[p->n_stack - 1];
	return 0;
}

/* Finds the first stack position behind the last mark. */
static int find_mark(const bl_pickle *p, uint32_t *first)
{
	for (uint32_t i = p->n_stack; i-- > 0;)
		if (value(p, p->stack[i])->kind == BL_PICKLE_MARK) {
			*first = i + 1;
			return 0;
		}
	return fail(p, "a mark is missing");
}

/* --- Opcodes -------------------------------------------------------------------------- */

static int push_text(bl_pickle *p, size_t size_bytes)
{
	uint64_t n;
	const uint8_t *b;
	uint32_t place;
	if (take_number(p, size_bytes, &n) < 0 || take(p, n > SIZE_MAX ? SIZE_MAX : (size_t)n, &b) < 0 ||
	    push_new(p, BL_PICKLE_TEXT, 0, &place) < 0)
		return -1;
	value(p, place)->bytes = b;
	value(p, place)->n = (size_t)n;
	return 0;
}

static int push_integer(bl_pickle *p, size_t n, bool sign)
{
	uint64_t v;
	if (take_number(p, n, &v) < 0)
		return -1;
	return push_new(p, BL_PICKLE_INT, sign ? (int64_t)(int32_t)v : (int64_t)v, NULL);
}

/* LONG1: a count n, and n bytes in two's complement. */
static int push_long(bl_pickle *p)
{
	uint64_t n, v;
	if (take_number(p, 1, &n) < 0)
		return -1;
	if (n > 8)
		return fail(p, "an integer of more than 64 bits");
	if (take_number(p, (size_t)n, &v) < 0)
		return -1;
	if (n > 0 && n < 8 && v >> (8 * n - 1) & 1)
		v |= ~UINT64_C(0) << 8 * n;
	return push_new(p, BL_PICKLE_INT, (int64_t)v, NULL);
}

/* Reads "12\n" or "12L\n".  Old protocols write true as "01\n", which becomes 1. */
static int push_decimal(bl_pickle *p)
{
	const uint8_t *b;
	size_t n;
	char text[32] = "", *end;
	if (take_line(p, &b, &n) < 0)
		return -1;
	if (n >= sizeof text)
		return fail(p, "an integer of more than 64 bits");
	memcpy(text, b, n);
	int64_t v = strtoll(text, &end, 10);
	if (n == 0 || (*end && strcmp(end, "L") != 0))
		return fail(p, "a line that is no integer");
	return push_new(p, BL_PICKLE_INT, v, NULL);
}

static int push_float(bl_pickle *p)
{
	const uint8_t *b;
	return take(p, 8, &b) < 0 ? -1 : push_new(p, BL_PICKLE_FLOAT, 0, NULL);
}

/* Reads "module\nname\n"; the value stores the name only. */
static int push_global(bl_pickle *p)
{
	const uint8_t *module, *name;
	size_t n, m;
	uint32_t place;
	if (take_line(p, &module, &n) < 0 || take_line(p, &name, &m) < 0 || push_new(p, BL_PICKLE_GLOBAL, 0, &place) < 0)
		return -1;
	value(p, place)->bytes = name;
	value(p, place)->n = m;
	return 0;
}

static int push_stack_global(bl_pickle *p)
{
	uint32_t module, name, place;
	if (pop(p, &name) < 0 || pop(p, &module) < 0)
		return -1;
	if (value(p, name)->kind != BL_PICKLE_TEXT || value(p, module)->kind != BL_PICKLE_TEXT)
		return fail(p, "a global without a name");
	if (push_new(p, BL_PICKLE_GLOBAL, 0, &place) < 0)
		return -1;
	value(p, place)->bytes = value(p, name)->bytes;
	value(p, place)->n = value(p, name)->n;
	return 0;
}

/*
 * Makes the values behind the mark the items of a new value or, if `add` is set, adds them to the value below the mark.
 */
static int gather(bl_pickle *p, bl_pickle_kind kind, bool add)
{
	uint32_t first, place;
	if (find_mark(p, &first) < 0)
		return -1;
	uint32_t n = p->n_stack - first;
	if (kind == BL_PICKLE_DICT && n % 2)
		return fail(p, "a key without a value");
	p->n_stack = first - 1;
	if (add ? top(p, kind, &place) < 0 : push_new(p, kind, 0, &place) < 0)
		return -1;
	/* A new value has replaced the mark only, so the items are still on the stack, above n_stack. */
	for (uint32_t i = 0; i < n; i++)
		if (add_item(p, place, p->stack[first + i]) < 0)
			return -1;
	return 0;
}

/* Replaces the n <= 3 values on top of the stack by a tuple. */
static int tuple(bl_pickle *p, uint32_t n)
{
	uint32_t item[3], place;
	for (uint32_t i = n; i-- > 0;)
		if (pop(p, &item[i]) < 0)
			return -1;
	if (push_new(p, BL_PICKLE_TUPLE, 0, &place) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (add_item(p, place, item[i]) < 0)
			return -1;
	return 0;
}

static int append(bl_pickle *p)
{
	uint32_t item, place;
	return pop(p, &item) < 0 || top(p, BL_PICKLE_LIST, &place) < 0 ? -1 : add_item(p, place, item);
}

static int set_item(bl_pickle *p)
{
	uint32_t key, item, place;
	if (pop(p, &item) < 0 || pop(p, &key) < 0 || top(p, BL_PICKLE_DICT, &place) < 0 || add_item(p, place, key) < 0)
		return -1;
	return add_item(p, place, item);
}

/* Records a call without executing it. */
static int note_call(bl_pickle *p)
{
	uint32_t function, arguments, place;
	if (pop(p, &arguments) < 0 || pop(p, &function) < 0 || push_new(p, BL_PICKLE_CALL, 0, &place) < 0 ||
	    add_item(p, place, function) < 0)
		return -1;
	return add_item(p, place, arguments);
}

static int note_state(bl_pickle *p)
{
	uint32_t state, place;
	return pop(p, &state) < 0 || top(p, BL_PICKLE_CALL, &place) < 0 ? -1 : add_item(p, place, state);
}

static int put(bl_pickle *p, uint64_t at)
{
	if (p->n_stack == 0)
		return fail(p, "the stack has no value to store in the memo");
	if (at >= MEMO_MOST)
		return fail(p, "the index in the memo is too large");
	while (p->room_memo <= at) {
		uint32_t before = p->room_memo;
		if (make_room((void **)&p->memo, &p->room_memo, before, sizeof *p->memo) < 0)
			return -1;
		memset(p->memo + before, 0, (p->room_memo - before) * sizeof *p->memo);
	}
	p->memo[at] = p->stack[p->n_stack - 1] + 1;
	p->n_memo++;
	return 0;
}

static int get(bl_pickle *p, uint64_t at)
{
	if (at >= p->room_memo || !p->memo[at])
		return fail(p, "the memo has no value at this index");
	return push(p, p->memo[at] - 1);
}

static int put_numbered(bl_pickle *p, size_t n)
{
	uint64_t at;
	return take_number(p, n, &at) < 0 ? -1 : put(p, at);
}

static int get_numbered(bl_pickle *p, size_t n)
{
	uint64_t at;
	return take_number(p, n, &at) < 0 ? -1 : get(p, at);
}

static int refuse(bl_pickle *p, uint8_t op)
{
	p->at--;
	return bl_fail("byte %zu of the pickle: opcode 0x%02x, which is not one of those that describe data", p->at, op);
}

static int step(bl_pickle *p, uint8_t op)
{
	uint32_t place;
	uint64_t skipped;
	switch (op) {
	case 0x80: return take_number(p, 1, &skipped); /* PROTO */
	case 0x95: return take_number(p, 8, &skipped); /* FRAME */
	case '(': return push_new(p, BL_PICKLE_MARK, 0, NULL);
	case '0': return pop(p, &place);
	case '1':
		if (find_mark(p, &place) < 0)
			return -1;
		p->n_stack = place - 1;
		return 0;
	case '2': return p->n_stack ? push(p, p->stack[p->n_stack - 1]) : fail(p, "nothing to repeat");
	case 'N': return push_new(p, BL_PICKLE_NONE, 0, NULL);
	case 0x88:
	case 0x89: return push_new(p, BL_PICKLE_BOOL, op == 0x88, NULL);
	case 'J': return push_integer(p, 4, true);
	case 'K': return push_integer(p, 1, false);
	case 'M': return push_integer(p, 2, false);
	case 'I':
	case 'L': return push_decimal(p);
	case 0x8a: return push_long(p);
	case 'G': return push_float(p);
	case 'U':
	case 'C':
	case 0x8c: return push_text(p, 1); /* short texts and bytes */
	case 'T':
	case 'X':
	case 'B': return push_text(p, 4);
	case 0x8d:
	case 0x8e:
	case 0x96: return push_text(p, 8);
	case ']': return push_new(p, BL_PICKLE_LIST, 0, NULL);
	case '}': return push_new(p, BL_PICKLE_DICT, 0, NULL);
	case ')': return push_new(p, BL_PICKLE_TUPLE, 0, NULL);
	case 'a': return append(p);
	case 'e': return gather(p, BL_PICKLE_LIST, true);
	case 'l': return gather(p, BL_PICKLE_LIST, false);
	case 's': return set_item(p);
	case 'u': return gather(p, BL_PICKLE_DICT, true);
	case 'd': return gather(p, BL_PICKLE_DICT, false);
	case 't': return gather(p, BL_PICKLE_TUPLE, false);
	case 0x85:
	case 0x86:
	case 0x87: return tuple(p, op - 0x84u);
	case 'c': return push_global(p);
	case 0x93: return push_stack_global(p);
	case 'R': return note_call(p);
	case 'b': return note_state(p);
	case 'q': return put_numbered(p, 1);
	case 'r': return put_numbered(p, 4);
	case 0x94: return put(p, p->n_memo);
	case 'h': return get_numbered(p, 1);
	case 'j': return get_numbered(p, 4);
	default: return refuse(p, op);
	}
}

static int run(bl_pickle *p)
{
	const uint8_t *op;
	for (;;) {
		if (take(p, 1, &op) < 0)
			return -1;
		if (*op == '.')
			return pop(p, &p->root);
		if (step(p, *op) < 0)
			return -1;
	}
}

bl_pickle *bl_pickle_read(const uint8_t *bytes, size_t n)
{
	bl_pickle *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail_null("no memory for a pickle");
	p->bytes = bytes;
	p->n = n;
	if (run(p) == 0)
		return p;
	bl_pickle_free(p);
	return NULL;
}

void bl_pickle_free(bl_pickle *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n_values; i++)
		free(p->values[i].items);
	free(p->values);
	free(p->stack);
	free(p->memo);
	free(p);
}

/* --- Access --------------------------------------------------------------------------- */

const bl_pickle_value *bl_pickle_root(const bl_pickle *p)
{
	return value(p, p->root);
}

const bl_pickle_value *bl_pickle_item(const bl_pickle *p, const bl_pickle_value *v, uint32_t i)
{
	return v && i < v->count ? value(p, v->items[i]) : NULL;
}

static bool is_text(const bl_pickle_value *v, bl_pickle_kind kind, const char *text)
{
	return v && v->kind == kind && v->n == strlen(text) && memcmp(v->bytes, text, v->n) == 0;
}

const bl_pickle_value *bl_pickle_get(const bl_pickle *p, const bl_pickle_value *v, const char *key)
{
	for (uint32_t i = 0; v && v->kind == BL_PICKLE_DICT && i + 1 < v->count; i += 2)
		if (is_text(value(p, v->items[i]), BL_PICKLE_TEXT, key))
			return value(p, v->items[i + 1]);
	return NULL;
}

/* --- Arrays ------------------------------------------------------------------------------ */

static bool calls(const bl_pickle *p, const bl_pickle_value *v, const char *function)
{
	return v && v->kind == BL_PICKLE_CALL && is_text(bl_pickle_item(p, v, 0), BL_PICKLE_GLOBAL, function);
}

/* Is the value numpy.dtype("u1", ...)? */
static bool is_bytes_type(const bl_pickle *p, const bl_pickle_value *v)
{
	const bl_pickle_value *name = calls(p, v, "dtype") ? bl_pickle_item(p, bl_pickle_item(p, v, 1), 0) : NULL;
	return is_text(name, BL_PICKLE_TEXT, "u1") || is_text(name, BL_PICKLE_TEXT, "|u1");
}

/*
 * Decodes UTF-8 text whose characters are bytes, as Python 3 writes bytes in protocol 2.  Returns their number, or
 * negative.
 */
static int64_t decode_latin1(const uint8_t *in, size_t n, uint8_t *out)
{
	int64_t made = 0;
	for (size_t i = 0; i < n; made++) {
		if (in[i] < 0x80)
			out[made] = in[i++];
		else if ((in[i] == 0xc2 || in[i] == 0xc3) && i + 1 < n && (in[i + 1] & 0xc0) == 0x80) {
			out[made] = (uint8_t)((in[i] & 3) << 6 | (in[i + 1] & 0x3f));
			i += 2;
		} else
			return -1;
	}
	return made;
}

/*
 * Returns a copy of the bytes of a text, or of the recorded call _codecs.encode(text, "latin1"); the caller frees it.
 * NULL with bl_error unless there are exactly `expected` bytes.
 */
static uint8_t *copy_bytes(const bl_pickle *p, const bl_pickle_value *v, int64_t expected)
{
	bool encoded = calls(p, v, "encode");
	if (encoded)
		v = bl_pickle_item(p, bl_pickle_item(p, v, 1), 0);
	if (!v || v->kind != BL_PICKLE_TEXT)
		return bl_fail_null("an array without its bytes");
	uint8_t *out = malloc(v->n + 1);
	if (!out)
		return bl_fail_null("no memory for an array of %zu bytes", v->n);
	int64_t made = (int64_t)v->n;
	if (encoded)
		made = decode_latin1(v->bytes, v->n, out);
	else
		memcpy(out, v->bytes, v->n);
	if (made == expected)
		return out;
	free(out);
	return bl_fail_null("an array of %" PRId64 " bytes, expected %" PRId64, made, expected);
}

/* Reads the sizes of `dims` dimensions into shape, and multiplies *bytes by each. */
static int take_shape(const bl_pickle *p, const bl_pickle_value *v, int dims, int64_t *shape, int64_t *bytes)
{
	if (!v || v->kind != BL_PICKLE_TUPLE || v->count != (uint32_t)dims)
		return bl_fail("an array that does not have %d dimensions", dims);
	for (int i = 0; i < dims; i++) {
		const bl_pickle_value *size = bl_pickle_item(p, v, (uint32_t)i);
		if (size->kind != BL_PICKLE_INT || size->integer < 0 || __builtin_mul_overflow(*bytes, size->integer, bytes))
			return bl_fail("an array with invalid sizes");
		shape[i] = size->integer;
	}
	return 0;
}

uint8_t *bl_pickle_array(const bl_pickle *p, const bl_pickle_value *v, int dims, int64_t *shape)
{
	const bl_pickle_value *sizes = NULL, *type = NULL, *bytes = NULL, *order = NULL;
	int64_t n = 1;
	if (calls(p, v, "_reconstruct")) {
		const bl_pickle_value *state = bl_pickle_item(p, v, 2); /* version, shape, type, Fortran order, bytes */
		sizes = bl_pickle_item(p, state, 1);
		type = bl_pickle_item(p, state, 2);
		order = bl_pickle_item(p, state, 3);
		bytes = bl_pickle_item(p, state, 4);
	} else if (calls(p, v, "_frombuffer")) {
		const bl_pickle_value *arguments = bl_pickle_item(p, v, 1); /* bytes, type, shape, "C" */
		bytes = bl_pickle_item(p, arguments, 0);
		type = bl_pickle_item(p, arguments, 1);
		sizes = bl_pickle_item(p, arguments, 2);
	}
	if (!sizes)
		return bl_fail_null("expected a NumPy array");
	if (!is_bytes_type(p, type) || (order && order->integer))
		return bl_fail_null("an array of another type or order, expected uint8 in C order");
	return take_shape(p, sizes, dims, shape, &n) < 0 ? NULL : copy_bytes(p, bytes, n);
}
