/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pickle.h: what a Python pickle says, as data.  Nothing is executed: a call that the pickle asks for (an array of NumPy's)
 * becomes a value that says which one, and whoever reads it knows the few that make sense.
 */
#ifndef BARLOW_DATA_PICKLE_H
#define BARLOW_DATA_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum bl_pickle_kind {
	BL_PICKLE_NONE,
	BL_PICKLE_BOOL,
	BL_PICKLE_INT,
	BL_PICKLE_FLOAT,
	BL_PICKLE_TEXT, /* also bytes: `bytes` and `n`, within the file */
	BL_PICKLE_LIST,
	BL_PICKLE_TUPLE,
	BL_PICKLE_DICT,   /* items are key, value, key, value ... */
	BL_PICKLE_GLOBAL, /* "module name" as text */
	BL_PICKLE_CALL,   /* items: what is called, its arguments (a tuple), perhaps a state */
	BL_PICKLE_MARK,
} bl_pickle_kind;

typedef struct bl_pickle_value {
	bl_pickle_kind kind;
	int64_t integer;
	const uint8_t *bytes; /* of a text; of a global the name's, behind the module's */
	size_t n;
	uint32_t *items; /* places of values */
	uint32_t count, room;
} bl_pickle_value;

typedef struct bl_pickle bl_pickle;

/* Reads all of it; the bytes must stay.  NULL with bl_error, which names byte and opcode; path is the caller's to add. */
bl_pickle *bl_pickle_read(const uint8_t *bytes, size_t n);
void bl_pickle_free(bl_pickle *p);

const bl_pickle_value *bl_pickle_root(const bl_pickle *p);
/* Item i of a list, tuple, dict or call; NULL: there is none. */
const bl_pickle_value *bl_pickle_item(const bl_pickle *p, const bl_pickle_value *v, uint32_t i);
/* The value of a dict under a key that is a text; NULL: none, or v is no dict. */
const bl_pickle_value *bl_pickle_get(const bl_pickle *p, const bl_pickle_value *v, const char *key);

/*
 * An array of bytes (NumPy's uint8, C order) of `dims` dimensions: its sizes, and its bytes, new memory that the caller frees.
 * NULL with bl_error where it is something else.
 */
uint8_t *bl_pickle_array(const bl_pickle *p, const bl_pickle_value *v, int dims, int64_t *shape);

#endif
