/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures.c: signed distances to the outlines of figures.  Some are only bounds, which suffice to draw clean edges. */
#include "data/figures.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

static float larger(float a, float b)
{
	return a > b ? a : b;
}

static float smaller(float a, float b)
{
	return a < b ? a : b;
}

static float circle(float x, float y, float radius)
{
	return sqrtf(x * x + y * y) - radius;
}

static float box(float x, float y, float half_width, float half_height)
{
	return larger(fabsf(x) - half_width, fabsf(y) - half_height);
}

static float disc(float x, float y)
{
	return circle(x, y, 0.85f);
}

static float square(float x, float y)
{
	return box(x, y, 0.7f, 0.7f);
}

/* An equilateral triangle whose sides have the distance `inner` from the centre. */
static float three_sides(float x, float y, float inner)
{
	float slant = 0.8660254f * fabsf(x) - 0.5f * y;
	return larger(slant, y) - inner;
}

static float triangle(float x, float y)
{
	return three_sides(x, y, 0.5f);
}

static float ring(float x, float y)
{
	return fabsf(circle(x, y, 0.72f)) - 0.2f;
}

static float cross(float x, float y)
{
	return smaller(box(x, y, 0.92f, 0.28f), box(x, y, 0.28f, 0.92f));
}

/* By symmetry, one tenth of the star suffices.  Its outline is the line from a tip to a notch. */
static float star(float x, float y)
{
	const float tenth = 0.62831853f, tip = 1, notch = 0.42f;
	float angle = fabsf(remainderf(atan2f(x, -y), 2 * tenth)), r = sqrtf(x * x + y * y);
	float u = r * cosf(angle), v = r * sinf(angle);
	float dx = notch * cosf(tenth) - tip, dy = notch * sinf(tenth);
	return ((u - tip) * dy - v * dx) / sqrtf(dx * dx + dy * dy);
}

static float crescent(float x, float y)
{
	return larger(circle(x, y, 0.95f), -circle(x - 0.48f, y, 0.72f));
}

static float bar(float x, float y)
{
	return box(x, y, 0.95f, 0.3f);
}

/* A square that stands on a corner, with a disc on each of its upper sides. */
static float heart(float x, float y)
{
	const float half = 0.48f;
	float u = 0.70710678f * (x + y) - 0.1f, v = 0.70710678f * (y - x) - 0.1f;
	float discs = smaller(circle(u, v + half, half), circle(u + half, v, half));
	return smaller(box(u, v, half, half), discs);
}

static float arrow(float x, float y)
{
	float shaft = box(x, y - 0.35f, 0.22f, 0.55f);
	return smaller(shaft, three_sides(x, y + 0.35f, 0.36f));
}

typedef float distance(float x, float y);
static distance *const figures[FIGURES] = { disc, square, triangle, ring, cross, star, crescent, bar, heart, arrow };

const char *const bl_figure_names[FIGURES + 1] = {
	"disc", "square", "triangle", "ring", "cross", "star", "crescent", "bar", "heart", "arrow", NULL,
};

float bl_figure_distance(int figure, float x, float y)
{
	assert(figure >= 0 && figure < FIGURES);
	return figures[figure](x, y);
}
