/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel_bf16.h: numbers rounded to bfloat16 and packed for products, included by kernel_body.h.
 *
 * Where the instruction set has PAIR_ADD(sum, a, b), the sum of two products of bfloat16 more, a unit is such a pair;
 * elsewhere it is a float whose lower half is 0, and its products are those of floats.
 */
typedef uint32_t units __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint32_t bits __attribute__((may_alias));
typedef uint16_t upper __attribute__((may_alias));

#ifdef PAIR_ADD
enum { BF16_UNIT = 2 };
#else
enum { BF16_UNIT = 1 };
#endif

/* To the nearest, ties to even; what is no number stays none. */
static inline __attribute__((always_inline)) uint32_t rounded(uint32_t x)
{
	uint32_t near = x + 0x7fff + (x >> 16 & 1);
	return ((x & 0x7fffffff) > 0x7f800000 ? x | 0x400000 : near) & 0xffff0000;
}

/* n numbers along k as units, with zeros up to `room` units. */
static inline __attribute__((always_inline)) void round_along(const float *x, int64_t n, int64_t room, uint32_t *to)
{
	const bits *from = (const bits *)x;
#ifdef PAIR_ADD
	upper *out = (upper *)to;
	for (int64_t i = 0; i < n; i++)
		out[i] = (upper)(rounded(from[i]) >> 16);
#else
	bits *out = to;
	for (int64_t i = 0; i < n; i++)
		out[i] = rounded(from[i]);
#endif
	for (int64_t i = n; i < room * BF16_UNIT; i++)
		out[i] = 0;
}

/* One unit of each of n lines: from a row, or from two. */
static inline __attribute__((always_inline)) void round_across(const float *x, int64_t ld, int64_t k, int64_t n, int64_t room,
                                                               uint32_t *to)
{
	const bits *low = (const bits *)x, *high = (const bits *)(x + (k > 1 ? ld : 0));
	if (BF16_UNIT == 1)
		for (int64_t i = 0; i < n; i++)
			to[i] = rounded(low[i]);
	else if (k > 1)
		for (int64_t i = 0; i < n; i++)
			to[i] = rounded(low[i]) >> 16 | rounded(high[i]);
	else
		for (int64_t i = 0; i < n; i++)
			to[i] = rounded(low[i]) >> 16;
	for (int64_t i = n; i < room; i++)
		to[i] = 0;
}

#if LANES == 16
#define INTERLEAVED 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#elif LANES == 8
#define INTERLEAVED 0, 8, 1, 9, 2, 10, 3, 11
#else
#define INTERLEAVED 0, 4, 1, 5
#endif

/*
 * Interleaving row i with row i + LANES/2 turns the bits of an element's place (row, lane) round by one; after as many
 * rounds as a row has bits, row and lane have changed places.
 */
static inline __attribute__((always_inline)) void transpose(uint32_t square[LANES][LANES])
{
	const units low = { INTERLEAVED }, high = low + LANES / 2;
	units v[LANES], w[LANES];
	_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) v[i] = *(const units *)square[i];
	_Pragma("GCC unroll 4") for (int bit = 1; bit < LANES; bit *= 2) {
		_Pragma("GCC unroll 16") for (int i = 0; i < LANES / 2; i++) {
			w[2 * i] = __builtin_shuffle(v[i], v[i + LANES / 2], low);
			w[2 * i + 1] = __builtin_shuffle(v[i], v[i + LANES / 2], high);
		}
		_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) v[i] = w[i];
	}
	_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) *(units *)square[i] = v[i];
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Rows of the square as x has them: lines where k runs along them, else units. */
static inline __attribute__((always_inline)) void fill_square(const bl_bf16_lines *p, int64_t line, int64_t unit, int64_t lines,
                                                              int64_t k, uint32_t square[LANES][LANES])
{
	const float *x = p->x + (p->along ? line * p->ld + unit * BF16_UNIT : unit * BF16_UNIT * p->ld + line);
	for (int64_t i = 0; i < LANES; i++)
		if (p->along)
			round_along(x + i * p->ld, i < lines ? k : 0, LANES, square[i]);
		else
			round_across(x + i * BF16_UNIT * p->ld, p->ld, k - i * BF16_UNIT, i * BF16_UNIT < k ? lines : 0, LANES, square[i]);
}

static void pack_square(const bl_bf16_lines *p, int64_t line, int64_t unit)
{
	uint32_t square[LANES][LANES];
	int64_t lines = least(p->lines - line, LANES), k = least(p->k - unit * BF16_UNIT, LANES * BF16_UNIT);
	if (lines == LANES && k == LANES * BF16_UNIT)
		fill_square(p, line, unit, LANES, LANES * BF16_UNIT, square);
	else
		fill_square(p, line, unit, lines, k, square);
	transpose(square);
	int64_t rows = p->along ? (k + BF16_UNIT - 1) / BF16_UNIT : lines;
	uint32_t *to = p->to + line * p->line_pitch + unit * p->unit_pitch;
	for (int64_t i = 0; i < rows; i++)
		memcpy(to + i * (p->along ? p->unit_pitch : p->line_pitch), square[i], sizeof square[i]);
}

static void bf16_pack(const bl_bf16_lines *p)
{
	int64_t count = (p->k + BF16_UNIT - 1) / BF16_UNIT;
	int64_t lines = (p->lines + LANES - 1) / LANES * LANES, room = (count + LANES - 1) / LANES * LANES;
	if (p->along && p->unit_pitch == 1)
		for (int64_t i = 0; i < p->lines; i++)
			round_along(p->x + i * p->ld, p->k, room, p->to + i * p->line_pitch);
	else if (!p->along && p->line_pitch == 1)
		for (int64_t u = 0; u < count; u++)
			round_across(p->x + u * BF16_UNIT * p->ld, p->ld, p->k - u * BF16_UNIT, p->lines, lines,
			             p->to + u * p->unit_pitch);
	else
		for (int64_t i = 0; i < p->lines; i += LANES)
			for (int64_t u = 0; u < count; u += LANES)
				pack_square(p, i, u);
}

#ifdef PAIR_ADD
#define TILE(ROWS, VECTORS) GATHER(gather_pairs, PAIR_ADD, ROWS, VECTORS)
TILES
#undef TILE

static void bf16_gather(const bl_gather_args *g)
{
	switch (g->vectors) {
#define TILE(ROWS, VECTORS)                         \
	case VECTORS:                               \
		gather_pairs_##ROWS##_##VECTORS(g); \
		break;
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
