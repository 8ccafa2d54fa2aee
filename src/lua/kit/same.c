/* SPDX-License-Identifier: GPL-3.0-or-later */
/* same.c: compares functions: two functions are equal if their code and their upvalues are equal, wherever their source text is. */
#include "lua/kit/cargo.h"
#include "lua/kit/function.h"

#include <stdlib.h>
#include <string.h>

/* --- bytecode, as lua_dump writes it without names and lines --- */

typedef struct reader {
	const unsigned char *at, *end;
	bool bad;
} reader;

static const unsigned char *take(reader *r, size_t n)
{
	const unsigned char *from = r->at;
	if (r->bad || n > (size_t)(r->end - r->at)) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	return from;
}

static size_t take_size(reader *r)
{
	size_t n = 0;
	const unsigned char *byte;
	while ((byte = take(r, 1))) {
		n = n << 7 | (*byte & 127);
		if (*byte & 128)
			break;
	}
	return n;
}

static bool same_bytes(reader *a, reader *b, size_t n)
{
	const unsigned char *x = take(a, n), *y = take(b, n);
	return x && y && memcmp(x, y, n) == 0;
}

/* Reads a count into *n; false if the two counts differ. */
static bool same_size(reader *a, reader *b, size_t *n)
{
	*n = take_size(a);
	return take_size(b) == *n && !a->bad && !b->bad;
}

static bool same_constant(reader *a, reader *b)
{
	enum { NUMBERS = 8, FLOAT = 0x13, INTEGER = 0x03, SHORT = 0x04, LONG = 0x14 };
	size_t n;
	if (!same_bytes(a, b, 1))
		return false;
	switch (a->at[-1]) {
	case FLOAT:
	case INTEGER: return same_bytes(a, b, NUMBERS);
	case SHORT:
	case LONG: return same_size(a, b, &n) && same_bytes(a, b, n ? n - 1 : 0);
	default: return true;
	}
}

/*
 * Compares descriptions of upvalues: whether in the stack, index, kind.  Those of the outermost function depend on the code
 * around it, and the kind only says whether the compiler let a function write to the upvalue, so these are not compared.
 */
static bool same_upvalues(reader *a, reader *b, size_t n, bool outermost)
{
	enum { PLACE = 2, KIND = 1 };
	if (outermost)
		return take(a, (PLACE + KIND) * n) && take(b, (PLACE + KIND) * n);
	for (; n > 0; n--)
		if (!same_bytes(a, b, PLACE) || !take(a, KIND) || !take(b, KIND))
			return false;
	return true;
}

static bool same_code(reader *a, reader *b, int depth)
{
	enum { HEAD = 3, INSTRUCTION = 4 };
	size_t n;
	for (int side = 0; side < 2; side++) {
		reader *r = side ? b : a;
		size_t name = take_size(r); /* skips the chunk's name and the line numbers */
		take(r, name ? name - 1 : 0);
		take_size(r);
		take_size(r);
	}
	if (depth > 200 || !same_bytes(a, b, HEAD) || !same_size(a, b, &n) || !same_bytes(a, b, INSTRUCTION * n) ||
	    !same_size(a, b, &n))
		return false;
	for (; n > 0; n--)
		if (!same_constant(a, b))
			return false;
	if (!same_size(a, b, &n) || !same_upvalues(a, b, n, depth == 0) || !same_size(a, b, &n))
		return false;
	for (; n > 0; n--)
		if (!same_code(a, b, depth + 1))
			return false;
	for (int debug = 0; debug < 4; debug++)
		if (!same_size(a, b, &n) || n > 0)
			return false;
	return true;
}

static bool same_dump(const bl_cargo_code *a, const bl_cargo_code *b)
{
	enum { HEAD = 4 + 1 + 1 + 6 + 3 + 8 + 8 + 1 }; /* the last byte is the number of upvalues */
	reader x = { (const unsigned char *)a->bytes, (const unsigned char *)a->bytes + a->n, false };
	reader y = { (const unsigned char *)b->bytes, (const unsigned char *)b->bytes + b->n, false };
	return same_bytes(&x, &y, HEAD) && same_code(&x, &y, 0) && x.at == x.end && y.at == y.end;
}

/* --- values --- */

static bool same_tensor(const bl_tensor *t, const bl_tensor *u)
{
	bool same = bl_tensor_ndim(t) == bl_tensor_ndim(u);
	for (int i = 0; same && i < bl_tensor_ndim(t); i++)
		same = bl_tensor_size(t, i) == bl_tensor_size(u, i);
	if (t == u || !same)
		return same;
	size_t n = (size_t)bl_tensor_count(t) * sizeof(float);
	float *a = malloc(n + 1), *b = malloc(n + 1);
	if (a && b) {
		bl_tensor_read(t, a);
		bl_tensor_read(u, b);
	}
	same = a && b && memcmp(a, b, n) == 0;
	free(a);
	free(b);
	return same;
}

static bool same_plain(const bl_plain *p, const bl_plain *q);

/* Compares pairs of keys and values in any order; the search starts at the same index, where tables built alike have the pair. */
static bool same_items(const bl_plain *p, const bl_plain *q)
{
	if (p->length != q->length)
		return false;
	for (size_t i = 0; i < p->length; i += 2) {
		size_t k = 0;
		while (k < q->length && !same_plain(&p->items[i], &q->items[(i + k) % q->length]))
			k += 2;
		if (k >= q->length || !same_plain(&p->items[i + 1], &q->items[(i + k) % q->length + 1]))
			return false;
	}
	return true;
}

static bool same_plain(const bl_plain *p, const bl_plain *q)
{
	if (p->kind != q->kind)
		return false;
	switch (p->kind) {
	case BL_PLAIN_NIL:
	case BL_PLAIN_GLOBALS: return true;
	case BL_PLAIN_BOOLEAN: return p->boolean == q->boolean;
	case BL_PLAIN_INTEGER:
	case BL_PLAIN_INNER: return p->integer == q->integer;
	case BL_PLAIN_NUMBER: return memcmp(&p->number, &q->number, sizeof p->number) == 0;
	case BL_PLAIN_STRING:
	case BL_PLAIN_NAME: return p->length == q->length && memcmp(p->bytes, q->bytes, p->length) == 0;
	case BL_PLAIN_TENSOR: return same_tensor(p->tensor, q->tensor);
	case BL_PLAIN_FUNCTION: return bl_function_same(p->function, q->function);
	case BL_PLAIN_TABLE:
	case BL_PLAIN_CALL: return same_items(p, q);
	}
	return false;
}

bool bl_cargo_same(const bl_cargo *c, const bl_cargo *d)
{
	bool same = c->n == d->n;
	for (int i = 0; same && i < c->n; i++) {
		const bl_cargo_piece *f = &c->piece[i], *g = &d->piece[i];
		same = f->n == g->n && same_dump(&f->bare, &g->bare);
		for (int u = 0; same && u < f->n; u++)
			same = strcmp(f->upvalue[u].name, g->upvalue[u].name) == 0 &&
			       same_plain(f->upvalue[u].value, g->upvalue[u].value);
	}
	return same;
}
