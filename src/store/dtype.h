/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dtype.h (private): the number types of safetensors files, to and from float32. */
#ifndef BARLOW_STORE_DTYPE_H
#define BARLOW_STORE_DTYPE_H

#include <stdint.h>

#define BL_DTYPE_NAMES "F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL"

typedef struct bl_dtype {
	const char *name;
	int size; /* bytes of a number */
	void (*decode)(const unsigned char *in, int64_t n, float *out);
	void (*encode)(const float *in, int64_t n, unsigned char *out); /* NULL: no tensor is written with this type */
} bl_dtype;

const bl_dtype *bl_dtype_find(const char *name); /* NULL: unknown */

#endif
