/* SPDX-License-Identifier: GPL-3.0-or-later */
/* samples.c: the views (augmented images) of one sample, as the network receives them, with the parameters that were drawn. */
#include "view/export.h"
#include "view/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, TEXT_ROWS_MAX = 5, TEXT_SHARE = 3 };
/* The least widths of a long title with a size, of a long title without one, and of a brief title with a size. */
enum { TITLE_BYTES = 48, SIZED_TITLE_COLUMNS = 24, TITLE_COLUMNS = 12, BRIEF_COLUMNS = 17 };

struct own {
	int32_t sample, redraws; /* the requested sample, and how often new random draws were requested */
};

static struct own *own_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_samples);
}

/* When another run is opened, its first sample is shown. */
static void start(bl_scene *s)
{
	*own_of(s) = (struct own){ 0, 0 };
}

/* --- Pictures ------------------------------------------------------------- */

/* One view, (side, side, channels). */
struct picture {
	const uint8_t *bytes;
	int side, channels;
};

static int start_of(int k, int parts, int n)
{
	return (int)((int64_t)k * n / parts);
}

/* The mean of a channel over the pixels of dot (x,y) of w x h dots; if there are more dots than pixels, pixels are repeated. */
static double dot_of(const struct picture *p, int channel, int x, int w, int y, int h)
{
	int x0 = start_of(x, w, p->side), x1 = start_of(x + 1, w, p->side);
	int y0 = start_of(y, h, p->side), y1 = start_of(y + 1, h, p->side);
	double sum = 0;
	x1 = x1 > x0 ? x1 : x0 + 1;
	y1 = y1 > y0 ? y1 : y0 + 1;
	for (int i = y0; i < y1; i++)
		for (int j = x0; j < x1; j++)
			sum += p->bytes[(i * p->side + j) * p->channels + channel];
	return sum / ((x1 - x0) * (y1 - y0));
}

static int32_t colour_at(const struct picture *p, int x, int w, int y, int h)
{
	int32_t rgb = 0;
	for (int k = 0; k < 3; k++)
		rgb = rgb << 8 | (int32_t)lround(dot_of(p, p->channels == 3 ? k : 0, x, w, y, h));
	return rgb;
}

/* Without colours, denser characters show lighter pixels, as is right for a dark background. */
static uint32_t ramp(const struct picture *p, int x, int w, int y, int h)
{
	static const char steps[] = " .:-=+*#%@";
	double v = 0;
	for (int k = 0; k < p->channels; k++)
		v += dot_of(p, k, x, w, y, h) / p->channels;
	return (unsigned char)steps[lround(v / 255 * (double)(sizeof steps - 2))];
}

/* Draws a cell: two dots if there are half blocks and colours, else one. */
static void put_cell(bl_canvas *c, int x0, int y0, const struct picture *p, int x, int y, int side)
{
	if (c->can.depth == BL_DEPTH_MONO)
		bl_canvas_put(c, x0 + x, y0 + y, ramp(p, x, side, y, side / 2), BL_COLOUR_OWN, BL_COLOUR_OWN);
	else if (!c->can.utf8)
		bl_canvas_put(c, x0 + x, y0 + y, ' ', BL_COLOUR_OWN, colour_at(p, x, side, y, side / 2));
	else
		bl_canvas_put(c, x0 + x, y0 + y, 0x2580, colour_at(p, x, side, 2 * y, side),
		              colour_at(p, x, side, 2 * y + 1, side));
}

/*
 * The number of dots on a side in w x h cells: if the picture is enlarged, by an integer factor; always even, since a cell
 * has two dots.
 */
static int side_for(int w, int h, int side)
{
	int room = w < 2 * h ? w : 2 * h;
	int dots = room >= side ? room / side * side : room;
	return dots > 1 ? dots - dots % 2 : 0;
}

/* --- Text ----------------------------------------------------------------- */

/* The length of the text's first line in w columns: to the last comma that fits, else to the last blank, else w. */
static int line_length(const char *text, int w)
{
	int n = (int)strlen(text), comma = 0, blank = 0;
	if (n <= w)
		return n;
	for (int i = 1; i <= w; i++)
		if (text[i] == ' ') {
			blank = i + 1;
			comma = text[i - 1] == ',' ? i + 1 : comma;
		}
	return comma > 0 ? comma : blank > 0 ? blank : w;
}

/* Draws the text in at most `most` rows, and cuts the last one if it is too long.  Returns the number of rows; c NULL: only counts. */
static int draw_wrapped(bl_canvas *c, int x, int y, int w, int most, const char *text)
{
	int rows = 0;
	for (; *text && w > 0 && rows < most; rows++) {
		int n = line_length(text, w);
		if (c && rows + 1 == most)
			bl_canvas_text(c, x, y + rows, w, BL_PAINT_TEXT, text);
		else if (c)
			bl_canvas_part(c, x, y + rows, n < w ? n : w, BL_PAINT_TEXT, text);
		text += n;
	}
	return rows;
}

/* If the views have different sizes, the text begins with the view's size, as in "28 x 28, ".  Its length, here 7; 0: none. */
static int size_length(const char *draws)
{
	int h, w, n = 0;
	return sscanf(draws, "%d x %d%n", &h, &w, &n) == 2 && strncmp(draws + n, ", ", 2) == 0 ? n : 0;
}

/* The text after its size. */
static const char *parameters(const char *draws)
{
	int n = size_length(draws);
	return n ? draws + n + 2 : draws;
}

/* The number of rows of text below the pictures; most of the h rows are left to the pictures. */
static int text_rows(const bl_snapshot *p, int w, int h)
{
	int most = 0, room = h / TEXT_SHARE < TEXT_ROWS_MAX ? h / TEXT_SHARE : TEXT_ROWS_MAX;
	for (int k = 0; k < p->view_count; k++) {
		int rows = draw_wrapped(NULL, 0, 0, w, room, parameters(p->view_draws[k]));
		most = rows > most ? rows : most;
	}
	return most;
}

static void draw_facts(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_snapshot *p = &s->snapshot;
	char label[32] = "", row[48] = "", size[48] = "", channels[48];
	int n = p->image_channels > 0 ? p->image_channels : p->view_channels; /* older files have only the latter */
	if (n == 1 || n == 3)
		snprintf(channels, sizeof channels, "%s", n == 3 ? "colour" : "grey");
	else
		snprintf(channels, sizeof channels, "%d channels, %s shown", n,
		         p->view_channels == 3 ? "the first 3" : "the first");
	if (p->view_row >= 0)
		snprintf(row, sizeof row, "row %lld  ", (long long)p->view_row + 1);
	if (p->view_label >= 0 && p->view_class[0])
		snprintf(label, sizeof label, "%s  ", p->view_class);
	else if (p->view_label >= 0)
		snprintf(label, sizeof label, "label %d  ", (int)p->view_label);
	if (p->view_side == BL_VIEW_MAX)
		snprintf(size, sizeof size, "shown as %d x %d, ", (int)p->view_side, (int)p->view_side);
	else if (size_length(p->view_draws[0]) == 0)
		snprintf(size, sizeof size, "%d x %d ", (int)p->view_side, (int)p->view_side);
	int x = bl_canvas_textf(c, r.x, r.y, r.w, BL_PAINT_TEXT, "%s%s%s%s  step %lld", row, label, size, channels,
	                        (long long)p->step);
	bool shown = p->region.view == own_of(s)->sample && p->region.redraw == own_of(s)->redraws;
	if (!shown && !bl_scene_over(s) && !s->lost)
		bl_canvas_text(c, r.x + x + 2, r.y, r.w - x - 2, BL_PAINT_WARN, "another sample was requested");
}

/* --- The view ------------------------------------------------------------- */

/* Draws which view it is, and its size if the views have different sizes; in narrow columns a brief form. */
static void draw_title(bl_canvas *c, bl_rect r, int k, const char *draws)
{
	static const char *const names[BL_VIEWS_MAX] = { "first view", "second view", "third view",   "fourth view",
		                                         "fifth view", "sixth view",  "seventh view", "eighth view" };
	char title[TITLE_BYTES];
	int n = size_length(draws);
	if (r.w >= (n ? SIZED_TITLE_COLUMNS : TITLE_COLUMNS))
		snprintf(title, sizeof title, "%s%s%.*s", names[k], n ? "  " : "", n, draws);
	else
		snprintf(title, sizeof title, "view %d%s%.*s", k + 1, n && r.w >= BRIEF_COLUMNS ? " " : "",
		         r.w >= BRIEF_COLUMNS ? n : 0, draws);
	bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_TITLE, title);
}

/* Draws view k with its title, and below it its parameters, for which `rows` rows are reserved. */
static void draw_one(const bl_snapshot *p, int k, bl_canvas *c, bl_rect r, int rows)
{
	struct picture picture = { p->views[k], p->view_side, p->view_channels };
	int side = side_for(r.w, r.h - 1 - rows, p->view_side), left = r.h - 1 - side / 2;
	draw_title(c, r, k, p->view_draws[k]);
	for (int y = 0; y < side / 2; y++)
		for (int x = 0; x < side; x++)
			put_cell(c, r.x, r.y + 1, &picture, x, y, side);
	draw_wrapped(c, r.x, r.y + 1 + side / 2, r.w, left < TEXT_ROWS_MAX ? left : TEXT_ROWS_MAX, parameters(p->view_draws[k]));
}

/* The least number of columns that gives the largest pictures, and at least 2. */
static int columns_for(const bl_snapshot *p, bl_rect r)
{
	int best = 2, largest = -1;
	for (int n = 2; n <= p->view_count; n++) {
		int w = (r.w - GAP * (n - 1)) / n, lines = (p->view_count + n - 1) / n;
		int h = (r.h - 1) / lines, side = side_for(w, h - 1 - text_rows(p, w, h), p->view_side);
		best = side > largest ? n : best;
		largest = side > largest ? side : largest;
	}
	return best;
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_snapshot *p = &s->snapshot;
	if (p->step < 0 || p->view_side == 0) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_FAINT, "no snapshot with views yet");
		return;
	}
	int columns = columns_for(p, r), lines = (p->view_count + columns - 1) / columns;
	int w = (r.w - GAP * (columns - 1)) / columns, h = (r.h - 1) / lines, rows = text_rows(p, w, h);
	draw_facts(s, c, r);
	for (int k = 0; k < p->view_count; k++)
		draw_one(p, k, c, (bl_rect){ r.x + k % columns * (w + GAP), r.y + 1 + k / columns * h, w, h }, rows);
}

/* --- Keys ----------------------------------------------------------------- */

static void act(bl_scene *s, bl_request r)
{
	if (bl_scene_over(s) || s->lost)
		bl_scene_notice(s, "the run is over: these are the last views that it published");
	else if (r == BL_REQUEST_SAMPLES_AGAIN)
		own_of(s)->redraws++;
	else if (r == BL_REQUEST_SAMPLES_NEXT)
		own_of(s)->sample++;
	else if (own_of(s)->sample > 0)
		own_of(s)->sample--;
}

static void want(const bl_scene *s, bl_region *r)
{
	r->view = own_of(s)->sample;
	r->redraw = own_of(s)->redraws;
}

/* --- Files ---------------------------------------------------------------- */

static void write_pixels(const bl_scene *s, FILE *f)
{
	const bl_snapshot *p = &s->snapshot;
	fprintf(f, "view,y,x,channel,value\n");
	for (int k = 0; k < p->view_count; k++)
		for (int i = 0; i < p->view_side * p->view_side * p->view_channels; i++) {
			int pixel = i / p->view_channels;
			fprintf(f, "%d,%d,%d,%d,%d\n", k + 1, pixel / p->view_side + 1, pixel % p->view_side + 1,
			        i % p->view_channels + 1, p->views[k][i]);
		}
}

/* Writes all views side by side on white: (side, views * (side + gap) - gap, 3) bytes. */
static void put_pixels(const bl_snapshot *p, int gap, uint8_t *rgb)
{
	int side = p->view_side, w = p->view_count * (side + gap) - gap;
	memset(rgb, 255, (size_t)(3 * w * side));
	for (int k = 0; k < p->view_count; k++)
		for (int i = 0; i < side * side * 3; i++) {
			int y = i / 3 / side, x = i / 3 % side, channel = p->view_channels == 3 ? i % 3 : 0;
			rgb[3 * (y * w + k * (side + gap) + x) + i % 3] = p->views[k][(y * side + x) * p->view_channels + channel];
		}
}

static int save(bl_scene *s, const char *stem)
{
	static uint8_t rgb[BL_VIEWS_MAX * (BL_VIEW_MAX + BL_VIEW_MAX / 8) * BL_VIEW_MAX * 3];
	const bl_snapshot *p = &s->snapshot;
	int side = p->step < 0 ? 0 : p->view_side, gap = side / 8;
	char title[160];
	if (side == 0)
		return bl_fail("there are no views yet");
	if (bl_export_table(s, stem, write_pixels) != 0)
		return -1;
	put_pixels(p, gap, rgb);
	snprintf(title, sizeof title, "%s, step %lld, row %lld", s->info.name, (long long)p->step, (long long)p->view_row + 1);
	const char *notes[BL_VIEWS_MAX];
	for (int k = 0; k < p->view_count; k++)
		notes[k] = p->view_draws[k];
	bl_figure *f = bl_figure_image(rgb, p->view_count * (side + gap) - gap, side, title, notes, p->view_count);
	bl_export_picture(s, f, stem);
	bl_figure_free(f);
	return 0;
}

const bl_view_ops bl_view_samples = {
	.name = "views",
	.scope = BL_SCOPE_SAMPLES,
	.draw = draw,
	.private_size = sizeof(struct own),
	.start = start,
	.act = act,
	.want = want,
	.save = save,
};
