/* SPDX-License-Identifier: GPL-3.0-or-later */
/* light.c: whether the terminal's background is light, from its reply to OSC 11 or from the environment. */
#include "view/light.h"

#include <barlow/view.h>

#include <stdlib.h>
#include <string.h>

static int reported = -1; /* the terminal's reply: 1: light; 0: dark; -1: no reply yet */

void bl_background_set(bool light)
{
	reported = light;
}

/* Some terminals set COLORFGBG to "foreground;background" in ANSI numbers; those that do not are taken to be dark. */
bool bl_light_found(void)
{
	const char *v = getenv("COLORFGBG"), *last = v ? strrchr(v, ';') : NULL;
	if (reported >= 0)
		return reported;
	return last && (!strcmp(last, ";7") || !strcmp(last, ";15"));
}

/* Reads a channel of 1 to 4 hexadecimal digits, and advances *p past it and a slash.  Returns 0 to 1; negative: there is none. */
static double channel(const char **p)
{
	char digits[5] = "", *end;
	size_t n = strspn(*p, "0123456789abcdefABCDEF");
	if (n < 1 || n > 4)
		return -1;
	memcpy(digits, *p, n);
	*p += n;
	*p += **p == '/';
	return (double)strtol(digits, &end, 16) / (double)((1 << (4 * n)) - 1);
}

bool bl_background_take(const char *answer)
{
	const char *p = strncmp(answer, "11;rgb", 6) == 0 ? strchr(answer, ':') : NULL; /* rgb: or rgba: */
	if (!p++)
		return false;
	double red = channel(&p), green = channel(&p), blue = channel(&p);
	if (red < 0 || green < 0 || blue < 0)
		return false;
	bl_background_set(.299 * red + .587 * green + .114 * blue > .5);
	return true;
}
