/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel_bf16.h: rounds numbers to bfloat16 and packs them for products, included by kernel_body.h.
 *
 * If the instruction set can do this, PAIR_ADD(sum, a, b) is defined: it multiplies the pairs a and b of bfloat16
 * numbers and adds both products to sum.  A unit is such a pair then.  Otherwise a unit is one number, a float whose
 * lower half is 0, and units are multiplied as floats.
 */
typedef uint32_t units __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#ifdef PAIR_ADD
enum { BF16_UNIT = 2 };
#else
enum { BF16_UNIT = 1 };
#endif

#if LANES == 16
#define INTERLEAVED 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#elif LANES == 8
#define INTERLEAVED 0, 8, 1, 9, 2, 10, 3, 11
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#else
#define INTERLEAVED 0, 4, 1, 5
#define EVEN 0, 2, 4, 6
#endif

/* Rounds to the nearest, ties to even; NaN stays NaN. */
INLINE units rounded(const float *at)
{
	units x = *(const units *)at, near = x + 0x7fff + (x >> 16 & 1), odd = (units)((x & 0x7fffffff) > 0x7f800000);
	return (((x | 0x400000) & odd) | (near & ~odd)) & 0xffff0000;
}

INLINE units paired(units first, units second)
{
	return first >> 16 | second;
}

#ifdef __clang__ /* which has no shuffle with variable indices */
INLINE units shuffled(units a, units b, units from)
{
	units out;
	for (int i = 0; i < LANES; i++)
		out[i] = from[i] < LANES ? a[from[i]] : b[from[i] - LANES];
	return out;
}
#else
#define shuffled __builtin_shuffle
#endif

/* Packs adjacent numbers to LANES units. */
INLINE units units_along(const float *x)
{
	if (BF16_UNIT == 1)
		return rounded(x);
	units a = rounded(x), b = rounded(x + LANES), even = { EVEN };
	return paired(shuffled(a, b, even), shuffled(a, b, even + 1));
}

/* Packs LANES lines of BF16_UNIT numbers each, which are `ld` floats apart, to LANES units. */
INLINE units units_across(const float *x, int64_t ld)
{
	return BF16_UNIT == 1 ? rounded(x) : paired(rounded(x), rounded(x + ld));
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* As units_along, but only the first n numbers are read; the others are 0. */
INLINE units some_along(const float *x, int64_t n)
{
	float copy[LANES * BF16_UNIT] = { 0 };
	if (n >= LANES * BF16_UNIT)
		return units_along(x);
	if (n > 0)
		memcpy(copy, x, (size_t)n * sizeof *copy);
	return units_along(copy);
}

/* As units_across, but only the first k numbers of the first n lines are read; the others are 0. */
INLINE units some_across(const float *x, int64_t ld, int64_t k, int64_t n)
{
	float copy[BF16_UNIT][LANES] = { { 0 } };
	if (n >= LANES && k >= BF16_UNIT)
		return units_across(x, ld);
	for (int64_t i = 0; i < least(k, BF16_UNIT); i++)
		memcpy(copy[i], x + i * ld, (size_t)least(n, LANES) * sizeof **copy);
	return units_across(copy[0], LANES);
}

/*
 * Transposes a matrix of LANES x LANES units.  Interleaving rows i and i + LANES/2 rotates the bits of an element's
 * position (row, lane) by one.  After log2(LANES) rounds, row and lane are exchanged.
 */
INLINE void transpose(units v[LANES])
{
	const units low = { INTERLEAVED }, high = low + LANES / 2;
	units w[LANES];
	_Pragma("GCC unroll 4") for (int bit = 1; bit < LANES; bit *= 2)
	{
		_Pragma("GCC unroll 16") for (int i = 0; i < LANES / 2; i++)
		{
			w[2 * i] = shuffled(v[i], v[i + LANES / 2], low);
			w[2 * i + 1] = shuffled(v[i], v[i + LANES / 2], high);
		}
		_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) v[i] = w[i];
	}
}

/* Packs LANES lines of LANES units by a transposition.  whole: no line and no number is missing. */
INLINE void pack_square(const bl_bf16_lines *p, int64_t line, int64_t unit, bool whole)
{
	units v[LANES];
	int64_t from = unit * BF16_UNIT, lines = whole ? LANES : p->lines - line, k = whole ? LANES * BF16_UNIT : p->k - from;
	const float *x = p->x + (p->along ? line * p->ld + from : from * p->ld + line);
	uint32_t *to = p->to + line * p->line_pitch + unit * p->unit_pitch;
	int64_t rows = least(p->along ? (k + BF16_UNIT - 1) / BF16_UNIT : lines, LANES);
	int64_t pitch = p->along ? p->unit_pitch : p->line_pitch;
	_Pragma("GCC unroll 16") for (int64_t i = 0; i < LANES; i++) if (p->along) v[i] =
		some_along(x + i * p->ld, i < lines ? k : 0);
	else v[i] = some_across(x + i * BF16_UNIT * p->ld, p->ld, k - i * BF16_UNIT, lines);
	transpose(v);
	_Pragma("GCC unroll 16") for (int64_t i = 0; i < LANES; i++) if (i < rows) * (units *)(to + i * pitch) = v[i];
}

static void pack_squares(const bl_bf16_lines *p, int64_t count)
{
	for (int64_t i = 0; i < p->lines; i += LANES)
		for (int64_t u = 0; u < count; u += LANES)
			if (i + LANES <= p->lines && (u + LANES) * BF16_UNIT <= p->k)
				pack_square(p, i, u, true);
			else
				pack_square(p, i, u, false);
}

static void bf16_pack(const bl_bf16_lines *p)
{
	int64_t count = (p->k + BF16_UNIT - 1) / BF16_UNIT;
	if (p->along != (p->unit_pitch == 1))
		pack_squares(p, count);
	else if (p->along)
		for (int64_t i = 0; i < p->lines; i++)
			for (int64_t u = 0; u < count; u += LANES)
				*(units *)(p->to + i * p->line_pitch + u) =
					some_along(p->x + i * p->ld + u * BF16_UNIT, p->k - u * BF16_UNIT);
	else
		for (int64_t u = 0; u < count; u++)
			for (int64_t i = 0; i < p->lines; i += LANES)
				*(units *)(p->to + u * p->unit_pitch + i) =
					some_across(p->x + u * BF16_UNIT * p->ld + i, p->ld, p->k - u * BF16_UNIT, p->lines - i);
}

#ifdef PAIR_ADD
#define TILE(ROWS, VECTORS) GATHER(gather_pairs, PAIR_ADD, ROWS, VECTORS)
TILES
#undef TILE

static void bf16_gather(const bl_gather_args *g)
{
	switch (g->vectors) {
/* clang-format off */
#define TILE(ROWS, VECTORS)                         \
	case VECTORS:                               \
		gather_pairs_##ROWS##_##VECTORS(g); \
		break;
		/* clang-format on */
		TILES
#undef TILE
	}
}
#else
static void bf16_gather(const bl_gather_args *g)
{
	gather(g);
}
#endif
