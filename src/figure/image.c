/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of pixels as they are, with lines of text below. */
#include "figure/script.h"

enum { WIDTH = 900, MARGIN = 120, LINE = 24, MIN_DOTS = 384 };

/* Each pixel is repeated over some dots, because viewers smooth small pictures in an SVG. */
static int repeat_of(int w, int h)
{
	int side = w > h ? w : h;
	return side < MIN_DOTS ? MIN_DOTS / side : 1;
}

static void add_dots(bl_script *s, const uint8_t *rgb, int w, int h, int repeat)
{
	for (int y = 0; y < h * repeat; y++)
		for (int x = 0; x < w * repeat; x++)
			bl_script_bytes(s, rgb + 3 * ((size_t)(y / repeat) * (size_t)w + (size_t)(x / repeat)), 3);
}

static void add_texts(bl_script *s, const char *title, const char *const *notes, int n)
{
	bl_script_add(s, "set title ");
	bl_script_quoted(s, title);
	bl_script_add(s, "\nset xlabel ");
	for (int i = 0; i < n; i++) {
		bl_script_add(s, i ? ".\"\\n\"." : "");
		bl_script_quoted(s, notes[i]);
	}
	bl_script_add(s, n ? "\n" : "''\n");
}

bl_figure *bl_figure_image(const uint8_t *rgb, int w, int h, const char *title, const char *const *notes, int n)
{
	if (w < 1 || h < 1)
		return bl_fail_null("a picture of %d x %d pixels has none", w, h);
	bl_script *s = bl_script_new(WIDTH, WIDTH * h / w + MARGIN + n * LINE);
	int repeat = repeat_of(w, h);
	if (!s)
		return NULL;
	add_texts(s, title, notes, n);
	bl_script_add(s,
		      "unset border\nunset tics\nunset grid\nset size ratio -1\nset xrange [-.5:%d.5]\nset yrange "
		      "[%d.5:-.5]\n",
		      w * repeat - 1, h * repeat - 1);
	bl_script_add(s, "plot '-' binary array=(%d,%d) format='%%uchar' with rgbimage notitle\n", w * repeat, h * repeat);
	add_dots(s, rgb, w, h, repeat);
	return bl_script_figure(s);
}
