/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frames.c: a frame of the live screen as an SVG picture, as a 24-bit terminal shows it.
 *
 *     frames LIVEFILE WIDTHxHEIGHT [dashboard|heatmap|help] [light] > frame.svg
 *
 * Blocks and braille are drawn as shapes, so that the picture does not depend on the viewer's fonts.
 */
#include <barlow/error.h>

#include "view/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_W = 8, CELL_H = 16, MAX_SIDE = 1000 };

static void colour_text(char out[8], int32_t rgb, const char *own)
{
	if (rgb == BL_COLOUR_OWN)
		snprintf(out, 8, "%s", own);
	else
		snprintf(out, 8, "#%06x", (unsigned)rgb & 0xffffff);
}

static void rectangle(double x, double y, double w, double h, const char *fill)
{
	printf("<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"%s\"/>\n", x, y, w, h, fill);
}

static void braille(int x, int y, uint32_t dots, const char *fill)
{
	static const uint8_t bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
	for (int j = 0; j < 4; j++)
		for (int i = 0; i < 2; i++)
			if (dots & bits[j][i])
				printf("<circle cx=\"%d\" cy=\"%d\" r=\"1.5\" fill=\"%s\"/>\n", x + 2 + 4 * i,
				       y + 2 + 4 * j, fill);
}

static void letter(int x, int y, const bl_cell *cell, const char *fill)
{
	char bytes[5] = {0};
	bl_canvas_encode(cell->glyph, bytes);
	const char *text = cell->glyph == '<'   ? "&lt;"
			   : cell->glyph == '&' ? "&amp;"
			   : cell->glyph == '>' ? "&gt;"
						: bytes;
	printf("<text x=\"%d\" y=\"%d\" fill=\"%s\"%s>%s</text>\n", x, y + 12, fill,
	       cell->bold ? " font-weight=\"bold\"" : "", text);
}

static void line_glyph(int x, int y, uint32_t glyph, const char *fill)
{
	double left = glyph == 0x2500 || glyph == 0x2524 || glyph == 0x2501 ? x : x + CELL_W / 2.0;
	if (glyph == 0x2500 || glyph == 0x2514 || glyph == 0x2524 || glyph == 0x2501)
		rectangle(left, y + 7.5, (glyph == 0x2524 ? x + CELL_W / 2.0 : x + CELL_W) - left,
			  glyph == 0x2501 ? 2 : 1, fill);
	if (glyph == 0x2502 || glyph == 0x2524 || glyph == 0x2514)
		rectangle(x + CELL_W / 2.0 - .5, y, 1, glyph == 0x2514 ? 8 : CELL_H, fill);
}

static void draw_cell(const bl_canvas *c, int col, int row, const char *ink, const char *paper)
{
	const bl_cell *cell = bl_canvas_cell(c, col, row);
	int x = col * CELL_W, y = row * CELL_H;
	char fg[8], bg[8];
	colour_text(fg, cell->fg, ink);
	colour_text(bg, cell->bg, paper);
	uint32_t g = cell->glyph;
	if (cell->bg != BL_COLOUR_OWN)
		rectangle(x, y, CELL_W, CELL_H, bg);
	if (g == 0x2580)
		rectangle(x, y, CELL_W, CELL_H / 2, fg);
	else if (g > 0x2580 && g <= 0x2588)
		rectangle(x, y + CELL_H - 2 * (double)(g - 0x2580), CELL_W, 2 * (double)(g - 0x2580), fg);
	else if (g >= 0x2800 && g < 0x2900)
		braille(x, y, g - 0x2800, fg);
	else if (g >= 0x2500 && g < 0x2580)
		line_glyph(x, y, g, fg);
	else if (g != ' ')
		letter(x, y, cell, fg);
}

static void draw_svg(const bl_canvas *c)
{
	const char *ink = c->can.light ? "#202020" : "#d8d8d8", *paper = c->can.light ? "#ffffff" : "#0e1013";
	int w = c->width * CELL_W, h = c->height * CELL_H;
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"-8 -8 %d %d\" "
	       "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13\" "
	       "shape-rendering=\"crispEdges\">\n",
	       w + 16, h + 16, w + 16, h + 16);
	rectangle(-8, -8, w + 16, h + 16, paper);
	for (int row = 0; row < c->height; row++)
		for (int col = 0; col < c->width; col++)
			draw_cell(c, col, row, ink, paper);
	printf("</svg>\n");
}

static int draw(const char *path, int width, int height, const bl_view_ops *view, bool light)
{
	bl_live *run = bl_live_open(path, false);
	bl_scene *s = run ? bl_scene_new(run) : NULL;
	bl_canvas *c = s ? bl_canvas_new(width, height, (bl_ability){BL_DEPTH_FULL, true, light}) : NULL;
	if (c) {
		while (bl_scene_read(s) && s->history.seen < bl_live_length(run))
			;
		s->view = view;
		bl_frame_draw(s, c);
		draw_svg(c);
	}
	bool failed = !c || ferror(stdout);
	bl_canvas_free(c);
	bl_scene_free(s);
	bl_live_close(run);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const bl_view_ops *const views[] = {&bl_view_dashboard, &bl_view_heatmap, &bl_view_help};
	const bl_view_ops *view = views[0];
	int width, height;
	bool light = argc > 4 && !strcmp(argv[4], "light");
	if (argc < 3 || sscanf(argv[2], "%dx%d", &width, &height) != 2 || width < 1 || height < 1 || width > MAX_SIDE ||
	    height > MAX_SIDE) {
		fprintf(stderr, "usage: frames LIVEFILE WIDTHxHEIGHT [dashboard|heatmap|help] [light] > frame.svg\n");
		return 2;
	}
	for (int i = 0; i < 3; i++)
		if (argc > 3 && !strcmp(argv[3], views[i]->name))
			view = views[i];
	if (draw(argv[1], width, height, view, light) == 0)
		return 0;
	fprintf(stderr, "frames: %s\n", bl_error());
	return 1;
}
