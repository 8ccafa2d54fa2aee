/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canvas.c: a grid of character cells in memory, and text on it. */
#include "view/canvas.h"

#include <barlow/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bl_canvas *bl_canvas_new(int width, int height, bl_ability can)
{
	bl_canvas *c = malloc(sizeof *c);
	bl_screen_cell *cells = calloc((size_t)width * (size_t)height, sizeof *cells);
	if (!c || !cells) {
		free(c);
		free(cells);
		return bl_fail_null("no memory for a screen of %d x %d", width, height);
	}
	*c = (bl_canvas){ width, height, can, cells, 0 };
	bl_canvas_clear(c);
	return c;
}

void bl_canvas_free(bl_canvas *c)
{
	if (!c)
		return;
	free(c->cells);
	free(c);
}

void bl_canvas_clear(bl_canvas *c)
{
	for (int i = 0; i < c->width * c->height; i++)
		c->cells[i] = (bl_screen_cell){ ' ', BL_COLOUR_OWN, BL_COLOUR_OWN, false };
	c->overlaid = 0;
}

bl_screen_cell *bl_canvas_cell(const bl_canvas *c, int x, int y)
{
	if (x < 0 || y < 0 || x >= c->width || y >= c->height)
		return NULL;
	return &c->cells[y * c->width + x];
}

void bl_canvas_put(bl_canvas *c, int x, int y, uint32_t glyph, int32_t fg, int32_t bg)
{
	bl_screen_cell *cell = bl_canvas_cell(c, x, y);
	if (cell)
		*cell = (bl_screen_cell){ glyph, fg, bg, false };
}

/* Is the character one column wide on all terminals?  Others (combining, wide) are replaced. */
static bool one_column(uint32_t u)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x20, 0x7e },     { 0xa1, 0xac },     { 0xae, 0x2ff },    { 0x370, 0x482 },   { 0x48a, 0x52f },
		{ 0x2010, 0x2027 }, { 0x2030, 0x205e }, { 0x2190, 0x22ff }, { 0x2500, 0x25ff }, { 0x2800, 0x28ff },
	};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (u >= ranges[i].first && u <= ranges[i].last)
			return true;
	return false;
}

enum { CLEAN = 2048 };

/* Sanitises text (text.h): all names of runs, classes and files are drawn through this function. */
static const char *cleaned(const char *text, char out[CLEAN])
{
	bl_text_clean(out, CLEAN, text, false);
	return out;
}

int bl_canvas_columns(const char *text)
{
	char clean[CLEAN];
	int n = 0;
	for (const char *at = cleaned(text, clean); *at; n++)
		bl_text_next(&at);
	return n;
}

static bool is_word(uint32_t glyph)
{
	return (glyph >= '0' && glyph <= '9') || (glyph >= 'A' && glyph <= 'Z') || (glyph >= 'a' && glyph <= 'z');
}

int bl_canvas_part(bl_canvas *c, int x, int y, int columns, bl_paint p, const char *text)
{
	char clean[CLEAN];
	const char *at = cleaned(text, clean);
	int n = 0;
	for (; *at && n < columns; n++) {
		uint32_t u = bl_text_next(&at), glyph = one_column(u) ? u : '?';
		const bl_screen_cell *cell = bl_canvas_cell(c, x + n, y);
		c->overlaid += cell && is_word(cell->glyph) && cell->glyph != glyph;
		bl_canvas_put(c, x + n, y, glyph, bl_colour_of(p, c->can.light), BL_COLOUR_OWN);
	}
	return n;
}

int bl_canvas_text(bl_canvas *c, int x, int y, int room, bl_paint p, const char *text)
{
	enum { ELLIPSIS = 0x2026 };
	room = room < c->width - x ? room : c->width - x;
	int n = bl_canvas_part(c, x, y, room, p, text);
	if (n > 1 && bl_canvas_columns(text) > n)
		bl_canvas_put(c, x + n - 1, y, ELLIPSIS, bl_colour_of(p, c->can.light), BL_COLOUR_OWN);
	return n;
}

int bl_canvas_textf(bl_canvas *c, int x, int y, int room, bl_paint p, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return bl_canvas_text(c, x, y, room, p, text);
}

void bl_canvas_bold(bl_canvas *c, int x, int y, int w)
{
	for (int i = 0; i < w; i++) {
		bl_screen_cell *cell = bl_canvas_cell(c, x + i, y);
		if (cell)
			cell->bold = true;
	}
}

uint32_t bl_canvas_glyph(bl_ability can, uint32_t glyph)
{
	static const struct {
		uint32_t glyph;
		char ascii;
	} stand_ins[] = {
		{ 0x2500, '-' }, { 0x2502, '|' }, { 0x2514, '+' }, { 0x253c, '+' }, { 0x2524, '+' },
		{ 0x252c, '+' }, { 0xb7, '*' },   { 0x3bb, 'l' },  { 0xd7, 'x' },   { 0x2588, '#' },
		{ 0x25cf, '*' }, { 0x2212, '-' }, { 0x2026, '~' }, { 0x2022, 'o' }, { 0xb1, '~' },
	};
	if (can.utf8 || glyph < 0x7f)
		return glyph;
	for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++)
		if (stand_ins[i].glyph == glyph)
			return (unsigned char)stand_ins[i].ascii;
	return '?';
}

int bl_canvas_encode(uint32_t u, char out[4])
{
	if (u < 0x80) {
		out[0] = (char)u;
		return 1;
	}
	int more = u < 0x800 ? 1 : u < 0x10000 ? 2 : 3;
	for (int i = more; i > 0; i--, u >>= 6)
		out[i] = (char)(0x80 | (u & 0x3f));
	out[0] = (char)((0xffu << (7 - more) & 0xffu) | u);
	return more + 1;
}

char *bl_canvas_string(const bl_canvas *c)
{
	char *text = malloc(((size_t)c->width * 4 + 1) * (size_t)c->height + 1), *at = text;
	if (!text)
		return bl_fail_null("no memory for a text of %d x %d", c->width, c->height);
	for (int y = 0; y < c->height; y++) {
		char *end = at; /* of the row, without trailing blanks */
		for (int x = 0; x < c->width; x++) {
			uint32_t glyph = bl_canvas_glyph(c->can, bl_canvas_cell(c, x, y)->glyph);
			at += bl_canvas_encode(glyph, at);
			if (glyph != ' ')
				end = at;
		}
		*end++ = '\n';
		at = end;
	}
	*at = '\0';
	return text;
}
