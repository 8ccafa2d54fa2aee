/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel_winograd.h: the transforms of Winograd's F(4x4, 3x3), included by kernel_body.h.
 *
 *         [4  0 -5  0  1  0]        [ 1/4    0    0 ]         [1  1  1  1  1  0]
 *         [0 -4 -4  1  1  0]        [-1/6 -1/6 -1/6 ]         [0  1 -1  2 -2  0]
 *   B^T = [0  4 -4 -1  1  0]    G = [-1/6  1/6 -1/6 ]   A^T = [0  1  1  4  4  0]
 *         [0 -2 -1  2  1  0]        [1/24 1/12  1/6 ]         [0  1 -1  8 -8  1]
 *         [0  2 -1 -2  1  0]        [1/24 -1/12 1/6 ]
 *         [0  4  0 -5  0  1]        [   0    0    1 ]
 *
 * Each function line_* multiplies a line of vectors by one of these matrices or by a transpose.
 */
INLINE void line_input(const vec *d, int step, vec *v)
{
	vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
	vec even = d4 - 4 * d2, odd = d3 - 4 * d1, even2 = d4 - d2, odd2 = 2 * (d3 - d1);
	v[0] = 4 * d0 - 5 * d2 + d4;
	v[1] = even + odd;
	v[2] = even - odd;
	v[3] = even2 + odd2;
	v[4] = even2 - odd2;
	v[5] = 4 * d1 - 5 * d3 + d5;
}

INLINE void line_output(const vec *m, int step, vec *y)
{
	vec m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step];
	vec s = m1 + m2, d = m1 - m2, s2 = m3 + m4, d2 = m3 - m4;
	y[0] = m[0] + s + s2;
	y[1] = d + 2 * d2;
	y[2] = s + 4 * s2;
	y[3] = d + 8 * d2 + m[5 * step];
}

INLINE void line_gradient(const vec *y, int step, vec *v)
{
	vec y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
	v[0] = y0;
	v[1] = (y0 + y2) + (y1 + y3);
	v[2] = (y0 + y2) - (y1 + y3);
	v[3] = (y0 + 4 * y2) + 2 * (y1 + 4 * y3);
	v[4] = (y0 + 4 * y2) - 2 * (y1 + 4 * y3);
	v[5] = y3;
}

INLINE void line_filter(const vec *g, int step, vec *u)
{
	vec g0 = g[0], g1 = g[step], g2 = g[2 * step];
	u[0] = 0.25f * g0;
	u[1] = (-1 / 6.f) * (g0 + g2 + g1);
	u[2] = (-1 / 6.f) * (g0 + g2 - g1);
	u[3] = (1 / 24.f) * g0 + (1 / 6.f) * g2 + (1 / 12.f) * g1;
	u[4] = (1 / 24.f) * g0 + (1 / 6.f) * g2 - (1 / 12.f) * g1;
	u[5] = g2;
}

INLINE void line_filter_gradient(const vec *u, int step, vec *g)
{
	vec s = u[step] + u[2 * step], d = u[2 * step] - u[step], s2 = u[3 * step] + u[4 * step], d2 = u[3 * step] - u[4 * step];
	g[0] = 0.25f * u[0] - (1 / 6.f) * s + (1 / 24.f) * s2;
	g[1] = (1 / 6.f) * d + (1 / 12.f) * d2;
	g[2] = (1 / 6.f) * (s2 - s) + u[5 * step];
}

static void winograd_input(int64_t channels, const float *const pixel[36], float *v, int64_t pitch)
{
	for (int64_t c = 0; c < channels; c += LANES) {
		vec d[36], half[36], row[6]; /* half[j][i]: after the transform of column j */
#pragma GCC unroll 6
		for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
			for (int i = 0; i < 6; i++)
				d[i] = *(const vec *)(pixel[6 * i + j] + c);
			line_input(d, 1, half + 6 * j);
		}
#pragma GCC unroll 6
		for (int i = 0; i < 6; i++) {
			line_input(half + i, 6, row);
#pragma GCC unroll 6
			for (int j = 0; j < 6; j++)
				*(vec *)(v + (6 * i + j) * pitch + c) = row[j];
		}
	}
}

static void winograd_gradient(int64_t channels, const float *const pixel[36], float *v, int64_t pitch)
{
	for (int64_t c = 0; c < channels; c += LANES) {
		vec d[4], half[24], row[6];
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
#pragma GCC unroll 4
			for (int i = 0; i < 4; i++)
				d[i] = *(const vec *)(pixel[4 * i + j] + c);
			line_gradient(d, 1, half + 6 * j);
		}
#pragma GCC unroll 6
		for (int i = 0; i < 6; i++) {
			line_gradient(half + i, 6, row);
#pragma GCC unroll 6
			for (int j = 0; j < 6; j++)
				*(vec *)(v + (6 * i + j) * pitch + c) = row[j];
		}
	}
}

static void winograd_output(int64_t channels, const float *v, int64_t pitch, float *const pixel[16], bool add)
{
	for (int64_t c = 0; c < channels; c += LANES) {
		vec m[6], half[24], row[4];
#pragma GCC unroll 6
		for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
			for (int i = 0; i < 6; i++)
				m[i] = *(const vec *)(v + (6 * i + j) * pitch + c);
			line_output(m, 1, half + 4 * j);
		}
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			line_output(half + i, 4, row);
#pragma GCC unroll 4
			for (int j = 0; j < 4; j++) {
				if (!pixel[4 * i + j])
					continue;
				vec *y = (vec *)(pixel[4 * i + j] + c);
				*y = add ? (vec)(*y + row[j]) : row[j];
			}
		}
	}
}

static void winograd_filter(const float *g, float *u, int64_t pitch)
{
	vec in[9], half[18], row[6];
#pragma GCC unroll 9
	for (int t = 0; t < 9; t++)
		in[t] = *(const vec *)(g + t * LANES);
#pragma GCC unroll 3
	for (int j = 0; j < 3; j++)
		line_filter(in + j, 3, half + 6 * j);
#pragma GCC unroll 6
	for (int i = 0; i < 6; i++) {
		line_filter(half + i, 6, row);
#pragma GCC unroll 6
		for (int j = 0; j < 6; j++)
			*(vec *)(u + (6 * i + j) * pitch) = row[j];
	}
}

static void winograd_filter_gradient(const float *u, int64_t pitch, float *dg)
{
	vec in[6], half[18], row[3];
#pragma GCC unroll 6
	for (int j = 0; j < 6; j++) {
#pragma GCC unroll 6
		for (int i = 0; i < 6; i++)
			in[i] = *(const vec *)(u + (6 * i + j) * pitch);
		line_filter_gradient(in, 1, half + 3 * j);
	}
#pragma GCC unroll 3
	for (int i = 0; i < 3; i++) {
		line_filter_gradient(half + i, 3, row);
#pragma GCC unroll 3
		for (int j = 0; j < 3; j++)
			*(vec *)(dg + (3 * i + j) * LANES) = row[j];
	}
}

#undef INLINE
