/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dtype.c: conversion of the number types of safetensors files to and from float32.  Both the files and the machine are
 * little-endian.
 */
#include "store/dtype.h"

#include <stddef.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian: big-endian machines need swaps here"
#endif

/* Defines a function that decodes n numbers.  `in` need not be aligned. */
#define DECODER(fn, type, convert) \
	static void fn(const unsigned char *in, int64_t n, float *out) \
	{ \
		for (int64_t i = 0; i < n; i++) { \
			type v; \
			memcpy(&v, in + i * (int64_t)sizeof(v), sizeof(v)); \
			out[i] = convert(v); \
		} \
	}

static float from_bits(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static float bf16(uint16_t h)
{
	return from_bits((uint32_t)h << 16);
}

/* IEEE half precision: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. */
static float f16(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
	float subnormal = (float)fraction * 0x1p-24f;

	if (exponent == 31)
		return from_bits(sign | 0x7f800000 | fraction << 13);
	if (exponent == 0)
		return sign ? -subnormal : subnormal;
	return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static float truth(uint8_t v)
{
	return v != 0;
}

DECODER(decode_f64, double, (float))
DECODER(decode_f32, float, (float))
DECODER(decode_f16, uint16_t, f16)
DECODER(decode_bf16, uint16_t, bf16)
DECODER(decode_i64, int64_t, (float))
DECODER(decode_i32, int32_t, (float))
DECODER(decode_i16, int16_t, (float))
DECODER(decode_i8, int8_t, (float))
DECODER(decode_u8, uint8_t, (float))
DECODER(decode_bool, uint8_t, truth)

static void encode_f32(const float *in, int64_t n, unsigned char *out)
{
	memcpy(out, in, (size_t)n * sizeof(*in));
}

static void encode_i64(const float *in, int64_t n, unsigned char *out)
{
	for (int64_t i = 0; i < n; i++) {
		/* The cast would be undefined for NaN and for values outside the range of int64_t: these become 0. */
		int64_t v = in[i] > -0x1p63f && in[i] < 0x1p63f ? (int64_t)in[i] : 0;

		memcpy(out + i * (int64_t)sizeof(v), &v, sizeof(v));
	}
}

static const bl_dtype dtypes[] = {
	{ "F64", 8, decode_f64, NULL },   { "F32", 4, decode_f32, encode_f32 }, { "F16", 2, decode_f16, NULL },
	{ "BF16", 2, decode_bf16, NULL }, { "I64", 8, decode_i64, encode_i64 }, { "I32", 4, decode_i32, NULL },
	{ "I16", 2, decode_i16, NULL },   { "I8", 1, decode_i8, NULL },         { "U8", 1, decode_u8, NULL },
	{ "BOOL", 1, decode_bool, NULL },
};

const bl_dtype *bl_dtype_find(const char *name)
{
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++)
		if (strcmp(dtypes[i].name, name) == 0)
			return &dtypes[i];
	return NULL;
}
