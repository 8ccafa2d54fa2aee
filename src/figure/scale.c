/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale.c: positions of values on the diverging colour map. */
#include <barlow/figure.h>

#include <math.h>

/* Without a level of chance, the logarithmic map is about linear below this value. */
#define KNEE .01

double bl_scale_place(bl_scale s, double v)
{
	double a = fabs(v), t;
	if (s.floor > 0 && a <= s.floor)
		t = 0;
	else if (s.floor > 0)
		t = s.log ? log(a / s.floor) / log(1 / s.floor) : (a - s.floor) / (1 - s.floor);
	else
		t = s.log ? log1p(a / KNEE) / log1p(1 / KNEE) : a;
	return copysign(t, v);
}

bl_scale bl_scale_of_chance(double n, double elements, bool log)
{
	double floor = n > 1 ? (1 + 2 / sqrt(2 * fmax(elements, 1))) / sqrt(n - 1) : 0;
	return (bl_scale){ fmin(floor, .9), log };
}

double bl_scale_value(bl_scale s, double place)
{
	double t = fabs(place), a;
	if (s.floor > 0)
		a = s.log ? s.floor * pow(1 / s.floor, t) : s.floor + t * (1 - s.floor);
	else
		a = s.log ? KNEE * expm1(t * log1p(1 / KNEE)) : t;
	return copysign(a, place);
}
