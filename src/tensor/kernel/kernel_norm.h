/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel_norm.h: the passes of batch norm over pixels, included by kernel_body.h.
 *
 * Channels are processed in strips of a few vectors, so that the sums, scale and shift of a channel stay in registers
 * in the loop over pixels.  The last channels, which do not fill a vector, are computed one by one with the same
 * expressions.
 */
#define EACH_VECTOR _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++)

enum { STRIP = LANES == 16 ? 4 : 2 }; /* vectors; AVX-512 has 32 registers, others have 16 */

typedef int mask_vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vec load(const float *p)
{
	return *(const vec *)p;
}

INLINE void save(float *p, vec x)
{
	*(vec *)p = x;
}

/* x where the mask `keep` is set, 0 elsewhere. */
INLINE vec keep_where(mask_vec keep, vec x)
{
	return (vec)((mask_vec)x & keep);
}

/*
 * Calls strip(args, first channel, vectors) for all channels that fill vectors, and defines `at`, the first of the
 * other channels.
 */
#define STRIPS(c, strip, ...) \
	int64_t at = 0; \
	for (; at + STRIP * LANES <= (c); at += STRIP * LANES) \
		strip(__VA_ARGS__, at, STRIP); \
	for (; at + LANES <= (c); at += LANES) \
		strip(__VA_ARGS__, at, 1);

/* Partial sums are added to the totals after this number of rows, because long sums in float lose digits. */
enum { FOLD = 16 };

/*
 * Computes the sums of x - p and (x - p)^2 for a number p near the mean, in two passes over a chunk that fits in the
 * cache.  The first pass computes p, the rounded mean: the first row plus the mean difference from the first row, which
 * is exact for a constant channel.  With the sum of x - p, which would be 0 for the exact mean, the caller corrects the
 * rounding of p.  Sums of squares are compensated: `lost` is the sum of their rounding errors.
 */
INLINE void moments_strip(int64_t n, int64_t c, const float *x, float *p, float *sum, float *square, int64_t at, const int vectors)
{
	vec near[STRIP], first[STRIP], all[STRIP], squares[STRIP], lost[STRIP], part[STRIP], parts[STRIP];
	EACH_VECTOR
	{
		near[v] = all[v] = squares[v] = lost[v] = (vec){ 0 };
		first[v] = load(x + at + v * LANES);
	}
	for (int64_t i = 1; i < n; i++)
		EACH_VECTOR near[v] += load(x + i * c + at + v * LANES) - first[v];
	EACH_VECTOR near[v] = first[v] + near[v] / (float)n;
	for (int64_t i = 0; i < n;) {
		int64_t end = n - i < FOLD ? n : i + FOLD;
		EACH_VECTOR part[v] = parts[v] = (vec){ 0 };
		for (; i < end; i++)
			EACH_VECTOR
			{
				vec d = load(x + i * c + at + v * LANES) - near[v];
				part[v] += d;
				parts[v] += d * d;
			}
		EACH_VECTOR
		{
			vec more = squares[v] + parts[v];
			lost[v] += parts[v] - (more - squares[v]);
			squares[v] = more;
			all[v] += part[v];
		}
	}
	EACH_VECTOR
	{
		save(p + at + v * LANES, near[v]);
		save(sum + at + v * LANES, all[v]);
		save(square + at + v * LANES, squares[v] + lost[v]);
	}
}

INLINE void moments_one(int64_t n, int64_t c, const float *x, float *p, float *sum, float *square)
{
	float near = 0, all = 0, squares = 0, lost = 0;
	for (int64_t i = 1; i < n; i++)
		near += x[i * c] - x[0];
	near = x[0] + near / (float)n;
	for (int64_t i = 0; i < n;) {
		int64_t end = n - i < FOLD ? n : i + FOLD;
		float part = 0, parts = 0;
		for (; i < end; i++) {
			float d = x[i * c] - near;
			part += d;
			parts += d * d;
		}
		float more = squares + parts;
		lost += parts - (more - squares);
		squares = more;
		all += part;
	}
	*p = near;
	*sum = all;
	*square = squares + lost;
}

static void moments(int64_t n, int64_t c, const float *x, float *p, float *sum, float *square)
{
	STRIPS(c, moments_strip, n, c, x, p, sum, square)
	for (; at < c; at++)
		moments_one(n, c, x + at, p + at, sum + at, square + at);
}

INLINE void norm_strip(const bl_norm_row *a, bool residual, bool relu, int64_t at, const int vectors)
{
	vec scale[STRIP], shift[STRIP], mean[STRIP];
	EACH_VECTOR
	{
		scale[v] = load(a->scale + at + v * LANES);
		shift[v] = load(a->shift + at + v * LANES);
		mean[v] = load(a->mean + at + v * LANES);
	}
	for (int64_t i = 0; i < a->n; i++)
		EACH_VECTOR
		{
			int64_t k = i * a->c + at + v * LANES;
			vec y = scale[v] * (load(a->x + k) - mean[v]) + shift[v];
			if (residual)
				y += load(a->residual + k);
			save(a->y + k, relu ? keep_where(~(mask_vec)(y < 0), y) : y); /* NaN stays NaN */
		}
}

INLINE void norm_rows(const bl_norm_row *a, bool residual, bool relu)
{
	STRIPS(a->c, norm_strip, a, residual, relu)
	for (; at < a->c; at++)
		for (int64_t i = 0; i < a->n; i++) {
			int64_t k = i * a->c + at;
			float y = a->scale[at] * (a->x[k] - a->mean[at]) + a->shift[at] + (residual ? a->residual[k] : 0);
			a->y[k] = relu && y < 0 ? 0 : y;
		}
}

static void norm(const bl_norm_row *a)
{
	if (a->residual)
		a->relu ? norm_rows(a, true, true) : norm_rows(a, true, false);
	else
		a->relu ? norm_rows(a, false, true) : norm_rows(a, false, false);
}

enum mask { MASK_NONE, MASK_X, MASK_Y };

/* dy where the ReLU's input was positive, and 0 elsewhere; d = x - mean. */
INLINE vec cut(const bl_norm_back *a, enum mask m, int64_t k, vec d, vec scale, vec shift)
{
	vec dy = load(a->dy + k);
	if (m == MASK_NONE)
		return dy;
	vec y = m == MASK_Y ? load(a->y + k) : (vec)(scale * d + shift);
	return keep_where(y > 0, dy);
}

INLINE float cut_one(const bl_norm_back *a, enum mask m, int64_t k, int64_t at)
{
	if (m == MASK_NONE)
		return a->dy[k];
	return (m == MASK_Y ? a->y[k] : a->scale[at] * (a->x[k] - a->mean[at]) + a->shift[at]) > 0 ? a->dy[k] : 0;
}

INLINE void reduce_strip(const bl_norm_back *a, enum mask m, int64_t at, const int vectors)
{
	vec scale[STRIP], shift[STRIP], mean[STRIP], sum[STRIP], dot[STRIP];
	EACH_VECTOR
	{
		scale[v] = load(a->scale + at + v * LANES);
		shift[v] = load(a->shift + at + v * LANES);
		mean[v] = load(a->mean + at + v * LANES);
		sum[v] = dot[v] = (vec){ 0 };
	}
	for (int64_t i = 0; i < a->n; i++)
		EACH_VECTOR
		{
			int64_t k = i * a->c + at + v * LANES;
			vec d = load(a->x + k) - mean[v], g = cut(a, m, k, d, scale[v], shift[v]);
			sum[v] += g;
			dot[v] += g * d;
		}
	EACH_VECTOR
	{
		save(a->sum + at + v * LANES, sum[v]);
		save(a->dot + at + v * LANES, dot[v]);
	}
}

INLINE void reduce_rows(const bl_norm_back *a, enum mask m)
{
	STRIPS(a->c, reduce_strip, a, m)
	for (; at < a->c; at++) {
		float sum = 0, dot = 0;
		for (int64_t i = 0; i < a->n; i++) {
			int64_t k = i * a->c + at;
			float g = cut_one(a, m, k, at);
			sum += g;
			dot += g * (a->x[k] - a->mean[at]);
		}
		a->sum[at] = sum;
		a->dot[at] = dot;
	}
}

static enum mask mask_of(const bl_norm_back *a)
{
	return !a->relu ? MASK_NONE : a->masked_by_y ? MASK_Y : MASK_X;
}

static void norm_reduce(const bl_norm_back *a)
{
	switch (mask_of(a)) {
	case MASK_NONE: reduce_rows(a, MASK_NONE); break;
	case MASK_X: reduce_rows(a, MASK_X); break;
	case MASK_Y: reduce_rows(a, MASK_Y); break;
	}
}

INLINE void apply_strip(const bl_norm_back *a, enum mask m, bool residual, int64_t at, const int vectors)
{
	vec scale[STRIP], shift[STRIP], mean[STRIP], by_g[STRIP], by_x[STRIP], by_1[STRIP];
	bool add = a->add, add_residual = a->add_residual;
	EACH_VECTOR
	{
		scale[v] = load(a->scale + at + v * LANES);
		shift[v] = load(a->shift + at + v * LANES);
		mean[v] = load(a->mean + at + v * LANES);
		by_g[v] = load(a->by_g + at + v * LANES);
		by_x[v] = load(a->by_x + at + v * LANES);
		by_1[v] = load(a->by_1 + at + v * LANES);
	}
	for (int64_t i = 0; i < a->n; i++)
		EACH_VECTOR
		{
			int64_t k = i * a->c + at + v * LANES;
			vec d = load(a->x + k) - mean[v], g = cut(a, m, k, d, scale[v], shift[v]);
			vec dx = by_g[v] * g + by_x[v] * d + by_1[v];
			save(a->dx + k, add ? (vec)(load(a->dx + k) + dx) : dx);
			if (residual)
				save(a->dresidual + k, add_residual ? (vec)(load(a->dresidual + k) + g) : g);
		}
}

INLINE void apply_rows(const bl_norm_back *a, enum mask m, bool residual)
{
	STRIPS(a->c, apply_strip, a, m, residual)
	for (; at < a->c; at++)
		for (int64_t i = 0; i < a->n; i++) {
			int64_t k = i * a->c + at;
			float g = cut_one(a, m, k, at), d = a->by_g[at] * g + a->by_x[at] * (a->x[k] - a->mean[at]) + a->by_1[at];
			a->dx[k] = a->add ? a->dx[k] + d : d;
			if (residual)
				a->dresidual[k] = a->add_residual ? a->dresidual[k] + g : g;
		}
}

static void norm_apply(const bl_norm_back *a)
{
	bool residual = a->dresidual != NULL;
	switch (mask_of(a)) {
	case MASK_NONE: residual ? apply_rows(a, MASK_NONE, true) : apply_rows(a, MASK_NONE, false); break;
	case MASK_X: residual ? apply_rows(a, MASK_X, true) : apply_rows(a, MASK_X, false); break;
	case MASK_Y: residual ? apply_rows(a, MASK_Y, true) : apply_rows(a, MASK_Y, false); break;
	}
}

#undef STRIPS
#undef EACH_VECTOR
