/* SPDX-License-Identifier: GPL-3.0-or-later */
/* image.c: a picture of pixels, which are not smoothed, with lines of text below. */
#include "figure/figure.h"

#include <stdlib.h>
#include <string.h>

enum { MIN_DOTS = 384, NOTES_MOST = 16 };

double bl_pixels_height(const bl_figure *f, const bl_figure_theme *look)
{
	const bl_pixels *p = &f->pixels;
	return .6 + (look->width - .6) * p->h / p->w + (p->lines + 1) * bl_look_line(look);
}

/* Adds the pixels as binary data, or as text for TeX and for scripts that the user saves. */
static void add_dots(bl_script *s, const bl_pixels *p)
{
	bl_form form = bl_script_style(s)->form;
	if (form == BL_FORM_TEX || form == BL_FORM_GP) {
		bl_script_add(s, "$P << EOD\n");
		for (int k = 0; k < p->w * p->h; k++)
			bl_script_add(s, "%d %d %d %d %d\n", k % p->w, k / p->w, p->rgb[3 * k], p->rgb[3 * k + 1],
			              p->rgb[3 * k + 2]);
		bl_script_add(s, "EOD\nplot $P using 1:2:3:4:5 with rgbimage%s notitle\n", form == BL_FORM_TEX ? " pixels" : "");
		return;
	}
	/* Each pixel is repeated `repeat` times in both directions, because viewers smooth small pictures. */
	int side = p->w > p->h ? p->w : p->h, repeat = side < MIN_DOTS ? MIN_DOTS / side : 1, w = p->w * repeat, h = p->h * repeat;
	double size = 1. / repeat, first = size / 2 - .5;
	bl_script_add(s,
	              "plot '-' binary array=(%d,%d) dx=%.9g dy=%.9g origin=(%.9g,%.9g) format='%%uchar' with rgbimage notitle\n",
	              w, h, size, size, first, first);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			bl_script_bytes(s, p->rgb + 3 * ((size_t)(y / repeat) * (size_t)p->w + (size_t)(x / repeat)), 3);
}

void bl_pixels_draw(bl_script *s, const bl_figure *f)
{
	double width = bl_script_style(s)->width - .3;
	const char *notes[NOTES_MOST], *note = f->pixels.notes;
	for (int i = 0; i < f->pixels.lines; i++, note += strlen(note) + 1)
		notes[i] = note;
	bl_script_add(s, "set title ");
	bl_script_fitted(s, f->title, width, 1);
	bl_script_add(s, "\nset xlabel ");
	bl_script_stacked(s, notes, f->pixels.lines, width);
	bl_script_add(s, "\n");
	bl_script_add(s, "unset border\nunset tics\nunset grid\nset size ratio -1\nset xrange [-.5:%d.5]\nset yrange [%d.5:-.5]\n",
	              f->pixels.w - 1, f->pixels.h - 1);
	add_dots(s, &f->pixels);
}

/* Copies the notes to one string, each ended by a NUL. */
static char *copy_notes(const char *const *notes, int n)
{
	size_t size = 1;
	for (int i = 0; i < n; i++)
		size += strlen(notes[i]) + 1;
	char *all = calloc(1, size), *at = all;
	for (int i = 0; all && i < n; i++, at += strlen(at) + 1)
		strcpy(at, notes[i]);
	return all;
}

bl_figure *bl_figure_image(const uint8_t *rgb, int w, int h, const char *title, const char *const *notes, int n)
{
	if (w < 1 || h < 1)
		return bl_fail_null("a picture of %d x %d pixels: expected at least 1 x 1", w, h);
	if (n > NOTES_MOST)
		return bl_fail_null("a picture takes %d lines of text at the most, not %d", NOTES_MOST, n);
	bl_figure *f = bl_figure_new(BL_FIGURE_IMAGE, title);
	if (!f)
		return NULL;
	size_t bytes = 3 * (size_t)w * (size_t)h;
	f->pixels = (bl_pixels){ malloc(bytes), w, h, copy_notes(notes, n), n };
	if (!f->pixels.rgb || !f->pixels.notes) {
		bl_figure_free(f);
		return bl_fail_null("no memory for a picture of %d x %d pixels", w, h);
	}
	memcpy(f->pixels.rgb, rgb, bytes);
	return f;
}
