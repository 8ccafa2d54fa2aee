/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frames.c: writes a frame of the live screen as an SVG picture, as a terminal with 24-bit colours shows it.
 *
 *     frames [-k KEYS] [-s STEP] [-w SECONDS] [-l] LIVEFILE WIDTHxHEIGHT > frame.svg
 *
 * KEYS are typed before the frame is taken: "2" selects the heatmap, "2[[zz" the heatmap two snapshots earlier,
 * magnified four times.  With -w, the view's request is sent to the run, which has SECONDS to answer it.  With -s, the
 * frame shows the first snapshot from STEP on that answers the view's request.  -l selects a light background.
 *
 * Blocks and braille characters are drawn as shapes, so the picture does not depend on fonts.
 */
#include <barlow/error.h>

#include "view/key_actions.h"
#include "view/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CELL_W = 8, CELL_H = 16, MAX_SIDE = 1000, TURN_MS = 50, POLL_MS = 10 };

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
	static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	for (int j = 0; j < 4; j++)
		for (int i = 0; i < 2; i++)
			if (dots & bits[j][i])
				printf("<circle cx=\"%d\" cy=\"%d\" r=\"1.5\" fill=\"%s\"/>\n", x + 2 + 4 * i, y + 2 + 4 * j, fill);
}

static void letter(int x, int y, const bl_screen_cell *cell, const char *fill)
{
	char bytes[5] = { 0 };
	bl_canvas_encode(cell->glyph, bytes);
	const char *text = cell->glyph == '<' ? "&lt;" : cell->glyph == '&' ? "&amp;" : cell->glyph == '>' ? "&gt;" : bytes;
	printf("<text x=\"%d\" y=\"%d\" fill=\"%s\"%s>%s</text>\n", x, y + 12, fill, cell->bold ? " font-weight=\"bold\"" : "",
	       text);
}

/* Draws a glyph that consists of lines from the middle of the cell to its sides.  False: it is another glyph. */
static bool line_glyph(int x, int y, uint32_t glyph, const char *fill)
{
	enum { LEFT = 1, RIGHT = 2, UP = 4, DOWN = 8, HEAVY = 16 };
	static const struct {
		uint32_t glyph;
		int arms;
	} lines[] = {
		{ 0x2500, LEFT | RIGHT },        { 0x2501, LEFT | RIGHT | HEAVY }, { 0x2502, UP | DOWN },
		{ 0x2514, RIGHT | UP },          { 0x251c, RIGHT | UP | DOWN },    { 0x2524, LEFT | UP | DOWN },
		{ 0x252c, LEFT | RIGHT | DOWN }, { 0x2534, LEFT | RIGHT | UP },    { 0x253c, LEFT | RIGHT | UP | DOWN },
	};
	const double half_w = CELL_W / 2.0, half_h = CELL_H / 2.0;
	int arms = 0;
	for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
		if (lines[k].glyph == glyph)
			arms = lines[k].arms;
	double from = arms & LEFT ? 0 : half_w, to = arms & RIGHT ? CELL_W : half_w;
	double top = arms & UP ? 0 : half_h, bottom = arms & DOWN ? CELL_H : half_h;
	if (arms & (LEFT | RIGHT))
		rectangle(x + from, y + half_h - .5, to - from, arms & HEAVY ? 2 : 1, fill);
	if (arms & (UP | DOWN))
		rectangle(x + half_w - .5, y + top, 1, bottom - top, fill);
	return arms != 0;
}

static void draw_cell(const bl_canvas *c, int col, int row, const char *ink, const char *paper)
{
	const bl_screen_cell *cell = bl_canvas_cell(c, col, row);
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
	else if (!line_glyph(x, y, g, fg) && g != ' ')
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

/* --- The frame --------------------------------------------------------------- */

struct order {
	const char *path, *keys;
	int width, height;
	int64_t step;
	double wait;
	bool light;
};

static void read_all(bl_scene *s)
{
	while (bl_scene_read(s) && s->history.seen < bl_live_length(s->run))
		;
}

static void read_for(bl_scene *s, double seconds)
{
	for (int turn = 0; turn < seconds * 1000 / TURN_MS; turn++) {
		nanosleep(&(struct timespec){ .tv_nsec = TURN_MS * 1000000L }, NULL);
		bl_scene_read(s);
	}
}

/* Does the snapshot contain the region of the matrix that the view requests? */
static bool answered(const bl_scene *s)
{
	const bl_region *has = &s->snapshot.region;
	bl_region r = { 0 };
	if (!s->view->want)
		return true;
	s->view->want(s, &r);
	return r.rows == 0 || (has->row == r.row && has->rows == r.rows && has->col == r.col && has->cols == r.cols);
}

static int read_until(bl_scene *s, int64_t step)
{
	while (s->snapshot.step < step || !answered(s)) {
		if (s->lost || bl_scene_over(s))
			return bl_fail("the run ended at step %lld", (long long)s->info.step);
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
		bl_scene_read(s);
	}
	return 0;
}

/*
 * Draws a frame before each key, as on the screen, so that a key acts on a frame that shows the effect of the previous
 * key.
 */
static void type_keys(bl_scene *s, bl_canvas *c, const char *keys)
{
	s->on = c;
	for (; *keys; keys++) {
		bl_frame_draw(s, c);
		bl_control_key(s, BL_KEY(keys));
		read_all(s);
	}
	s->notice[0] = '\0';
}

static int draw(const struct order *o)
{
	bl_live *run = bl_live_open(o->path, o->wait > 0 || o->step > 0);
	bl_scene *s = run ? bl_scene_new(run) : NULL;
	bl_canvas *c = s ? bl_canvas_new(o->width, o->height, (bl_ability){ BL_DEPTH_FULL, true, o->light }) : NULL;
	bool failed = !c;
	if (c) {
		s->read_only = s->still = true;
		read_all(s);
		type_keys(s, c, o->keys);
		read_for(s, o->wait);
		failed = o->step > 0 && read_until(s, o->step) < 0;
	}
	if (!failed) {
		bl_frame_draw(s, c);
		draw_svg(c);
	}
	bl_scene_free(s);
	bl_canvas_free(c);
	bl_live_close(run);
	return failed || ferror(stdout) ? -1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: frames [-k KEYS] [-s STEP] [-w SECONDS] [-l] LIVEFILE WIDTHxHEIGHT > frame.svg\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct order o = { .keys = "" };
	for (int c; (c = getopt(argc, argv, "k:s:w:l")) != -1;)
		if (c == 'k')
			o.keys = optarg;
		else if (c == 's')
			o.step = atoll(optarg);
		else if (c == 'w')
			o.wait = atof(optarg);
		else if (c == 'l')
			o.light = true;
		else
			return usage();
	if (argc - optind != 2 || sscanf(argv[optind + 1], "%dx%d", &o.width, &o.height) != 2 || o.width < 1 || o.height < 1 ||
	    o.width > MAX_SIDE || o.height > MAX_SIDE)
		return usage();
	o.path = argv[optind];
	if (draw(&o) == 0)
		return 0;
	fprintf(stderr, "frames: %s\n", bl_error());
	return 1;
}
