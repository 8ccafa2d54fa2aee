/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number.c: numbers as text, independent of the locale. */
#include <barlow/number.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t point;

/*
 * Creates the locale in which numbers have a point.  If there is no memory, `point` stays 0, and no locale is changed.
 */
static void make_point(void)
{
	point = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

bl_point *bl_number_point(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_point);
	return (bl_point *)uselocale(point);
}

void bl_number_unpoint(bl_point *before)
{
	uselocale((locale_t)before);
}

/*
 * Prints v with the fewest digits that are read back as v.  17 digits (9 for float) are enough for every value.  The loop
 * need not try fewer than 15 (6 for float): a decimal of up to that many digits is printed unchanged after it was read, since
 * %g omits zeros at the end.
 */
static void print_shortest(double v, bool single, char *buf, size_t size)
{
	char text[64];
	int most = single ? 9 : 17;
	for (int digits = single ? 6 : 15; digits <= most; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
			break;
	}
	size_t n = strlen(text);
	n = n < size ? n : size - 1;
	memcpy(buf, text, n);
	buf[n] = '\0';
}

char *bl_number_text(double v, bool single, char *buf, size_t size)
{
	bl_point *before = bl_number_point();
	if (isnan(v))
		snprintf(buf, size, "nan");
	else
		print_shortest(v, single, buf, size);
	bl_number_unpoint(before);
	return buf;
}

bool bl_number_read(const char *text, double *out)
{
	char *end;
	bl_point *before = bl_number_point();
	double v = strtod(text, &end);
	bl_number_unpoint(before);
	bool whole = end != text && *end == '\0';
	if (whole)
		*out = v;
	return whole;
}
