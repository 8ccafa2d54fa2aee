/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pickle.h: reads the data in a Python pickle.  Nothing is executed: a call in the pickle (such as the construction of
 * a NumPy array) becomes a value that records the function and its arguments.  The code that uses the values interprets
 * the few calls that it knows.
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
	BL_PICKLE_TEXT, /* text or bytes: `bytes` and `n`, in the memory of the pickle */
	BL_PICKLE_LIST,
	BL_PICKLE_TUPLE,
	BL_PICKLE_DICT,   /* items are key, value, key, value ... */
	BL_PICKLE_GLOBAL, /* `bytes` and `n`: the name without its module */
	BL_PICKLE_CALL,   /* items: function, arguments (a tuple), and a state if there is one */
	BL_PICKLE_MARK,
} bl_pickle_kind;

typedef struct bl_pickle_value {
	bl_pickle_kind kind;
	int64_t integer;
	const uint8_t *bytes; /* of a text, or of the name of a global */
	size_t n;
	uint32_t *items; /* indices of values */
	uint32_t count, room;
} bl_pickle_value;

typedef struct bl_pickle bl_pickle;

/*
 * Reads a whole pickle; its bytes must stay valid.  NULL with bl_error, which names byte and opcode; the caller adds
 * the path.
 */
bl_pickle *bl_pickle_read(const uint8_t *bytes, size_t n);
void bl_pickle_free(bl_pickle *p);

const bl_pickle_value *bl_pickle_root(const bl_pickle *p);
/* Returns item i of a list, tuple, dict or call; NULL: there is none. */
const bl_pickle_value *bl_pickle_item(const bl_pickle *p, const bl_pickle_value *v, uint32_t i);
/* Returns the value under a text key of a dict; NULL: there is none, or v is no dict. */
const bl_pickle_value *bl_pickle_get(const bl_pickle *p, const bl_pickle_value *v, const char *key);

/*
 * Reads a NumPy array of uint8 in C order with `dims` dimensions: writes its sizes to shape, and returns its bytes,
 * which the caller frees.  NULL with bl_error if the value is anything else.
 */
uint8_t *bl_pickle_array(const bl_pickle *p, const bl_pickle_value *v, int dims, int64_t *shape);

#endif
