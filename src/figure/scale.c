/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale.c: positions of values on the diverging colour map. */
#include <barlow/figure.h>

#include <math.h>

/* Without a level of chance, the logarithmic map is about linear below this value. */
#define KNEE .01

/* From -1 to 1 for v from -1 to 1; values within the level of chance are at 0. */
double bl_scale_position(bl_scale s, double v)
{
	double a = fabs(v), t;
	if (s.chance > 0 && a <= s.chance)
		t = 0;
	else if (s.chance > 0)
		t = s.log ? log(a / s.chance) / log(1 / s.chance) : (a - s.chance) / (1 - s.chance);
	else
		t = s.log ? log1p(a / KNEE) / log1p(1 / KNEE) : a;
	return copysign(t, v);
}

bl_scale bl_scale_of_chance(double n, double elements, bool log)
{
	double chance = n > 1 ? (1 + 2 / sqrt(2 * fmax(elements, 1))) / sqrt(n - 1) : 0;
	return (bl_scale){ fmin(chance, .9), log };
}

/* The inverse of bl_scale_position; place 0 gives the level of chance. */
double bl_scale_value(bl_scale s, double place)
{
	double t = fabs(place), a;
	if (s.chance > 0)
		a = s.log ? s.chance * pow(1 / s.chance, t) : s.chance + t * (1 - s.chance);
	else
		a = s.log ? KNEE * expm1(t * log1p(1 / KNEE)) : t;
	return copysign(a, place);
}
