/* SPDX-License-Identifier: GPL-3.0-or-later */
/* perspective.c: moves each of the four corners inwards; bilinear, black outside of the image, as in torchvision. */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/warp.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>

enum { UNKNOWNS = 8 };

typedef struct parameters {
	float distortion, p;
	backend backend;
} parameters;

/* New positions of the corners: top left, top right, bottom right, bottom left. */
typedef struct draws {
	int x[4], y[4];
} draws;

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	int across = (int)(p->distortion * (float)(w->width / 2)), down = (int)(p->distortion * (float)(w->height / 2));
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	for (int k = 0; k < 4; k++) {
		int x = (int)bl_rng_below(&w->rng, (uint32_t)across + 1), y = (int)bl_rng_below(&w->rng, (uint32_t)down + 1);
		d->x[k] = k == 1 || k == 2 ? w->width - 1 - x : x;
		d->y[k] = k >= 2 ? w->height - 1 - y : y;
	}
	return true;
}

/* Solves linear equations by Gaussian elimination with partial pivoting; false: the matrix is singular. */
static bool solve(double a[UNKNOWNS][UNKNOWNS + 1], double out[UNKNOWNS])
{
	for (int i = 0; i < UNKNOWNS; i++) {
		int best = i;
		for (int k = i + 1; k < UNKNOWNS; k++)
			best = fabs(a[k][i]) > fabs(a[best][i]) ? k : best;
		if (fabs(a[best][i]) < 1e-12)
			return false;
		for (int j = i; j <= UNKNOWNS; j++) {
			double t = a[i][j];
			a[i][j] = a[best][j];
			a[best][j] = t;
		}
		for (int k = i + 1; k < UNKNOWNS; k++)
			for (int j = UNKNOWNS; j >= i; j--)
				a[k][j] -= a[i][j] * a[k][i] / a[i][i];
	}
	for (int i = UNKNOWNS - 1; i >= 0; i--) {
		out[i] = a[i][UNKNOWNS];
		for (int j = i + 1; j < UNKNOWNS; j++)
			out[i] -= a[i][j] * out[j];
		out[i] /= a[i][i];
	}
	return true;
}

/* Computes the transformation that maps the new corners to the old ones, in torchvision's pixel coordinates. */
static bool find(const draws *d, int height, int width, double q[UNKNOWNS])
{
	const double corner_x[] = { 0, width - 1, width - 1, 0 }, corner_y[] = { 0, 0, height - 1, height - 1 };
	double a[UNKNOWNS][UNKNOWNS + 1];
	for (int k = 0; k < 4; k++) {
		double x = d->x[k], y = d->y[k], u = corner_x[k], v = corner_y[k];
		const double row[2][UNKNOWNS + 1] = {
			{ x, y, 1, 0, 0, 0, -u * x, -u * y, u },
			{ 0, 0, 0, x, y, 1, -v * x, -v * y, v },
		};
		for (int j = 0; j <= UNKNOWNS; j++) {
			a[2 * k][j] = row[0][j];
			a[2 * k + 1][j] = row[1][j];
		}
	}
	return solve(a, q);
}

/*
 * Converts q, whose pixel positions are relative to the upper left corner, to positions relative to the centre
 * (bl_warp).
 */
static void from_centre(const double q[UNKNOWNS], int height, int width, double m[8])
{
	double cx = .5 * width, cy = .5 * height, w = q[6] * cx + q[7] * cy + 1;
	double u = q[0] * cx + q[1] * cy + q[2], v = q[3] * cx + q[4] * cy + q[5];
	m[0] = (q[0] - cx * q[6]) / w, m[1] = (q[1] - cx * q[7]) / w, m[2] = u / w - cx;
	m[3] = (q[3] - cy * q[6]) / w, m[4] = (q[4] - cy * q[7]) / w, m[5] = v / w - cy;
	m[6] = q[6] / w, m[7] = q[7] / w;
}

static int apply(const void *p, const void *drawn, float_image *c)
{
	double q[UNKNOWNS], m[8];
	bl_float_image_load(c);
	if (!find(drawn, c->height, c->width, q))
		return 0; /* the corners are on a line, which happens only in images of one or two pixels */
	if (((const parameters *)p)->backend == BACKEND_PIL) {
		bl_pil_warp(c, q);
		return 0;
	}
	from_centre(q, c->height, c->width, m);
	bl_warp(c, m, false);
	return 0;
}

static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	const draws *d = drawn;
	(void)p, (void)channels;
	return snprintf(buf, size, "perspective %d,%d %d,%d %d,%d %d,%d", d->x[0], d->y[0], d->x[1], d->y[1], d->x[2], d->y[2],
	                d->x[3], d->y[3]);
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, distortion, BL_DEFAULT(.5), BL_WITHIN(0, 1), .position = 1,
	         .help = "largest move of a corner, as a fraction of half the width and half the height"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.5), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_perspective = {
	.name = "perspective",
	.help = "Moves each corner inwards; bilinear, black outside.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.draw = draw,
	.apply = apply,
	.describe = describe,
};
