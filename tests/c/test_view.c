/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_view.c: the screen on a canvas: golden frames, colours compared with numbers, and the commands that keys send.
 *
 * The golden frames are in tests/term/golden.  After an intended change, run
 *     UPDATE_GOLDEN=1 tests/c/test_view
 * and review the difference in git.
 */
#include "golden.h"

#include <barlow/error.h>
#include <barlow/view.h>

#include "recorded_run.h"
#include "view/number_text.h"
#include "view/chart.h"
#include "view/histogram.h"
#include "view/key_actions.h"
#include "view/frame.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIDWAY = 700 };

static const bl_ability plain = { .depth = BL_DEPTH_MONO, .utf8 = true }, ascii = { .depth = BL_DEPTH_MONO },
			full = { .depth = BL_DEPTH_FULL, .utf8 = true };

/* --- Frames ------------------------------------------------------------------ */

static bl_scene *scene_of(bl_live *run)
{
	bl_scene *s = bl_scene_new(run);
	assert_non_null(s);
	bl_scene_read(s);
	return s;
}

static bl_canvas *frame_of(const bl_scene *s, int w, int h, bl_ability can)
{
	bl_canvas *c = bl_canvas_new(w, h, can);
	assert_non_null(c);
	bl_frame_draw(s, c);
	return c;
}

struct golden {
	const char *name;
	int w, h;
	int64_t step;
	bl_ability can;
	const bl_view_ops *view;
	bool still;
};

static void check_golden(const struct golden *g)
{
	bl_live *run = recorded_run(NULL, g->step, g->step < RECORDED_STEPS ? BL_RUN_RUNNING : BL_RUN_DONE);
	bl_scene *s = scene_of(run);
	s->view = g->view;
	s->still = g->still;
	bl_canvas *c = frame_of(s, g->w, g->h, g->can);
	golden_compare_canvas(g->name, c);
	bl_canvas_free(c);
	bl_scene_free(s);
	bl_live_close(run);
}

static void test_golden(void **state)
{
	(void)state;
	const bl_view_ops *dashboard = &bl_view_dashboard;
	const struct golden all[] = {
		{ "dashboard-80x24", 80, 24, MIDWAY, plain, dashboard, false },
		{ "dashboard-120x40", 120, 40, MIDWAY, plain, dashboard, false },
		{ "dashboard-200x60", 200, 60, MIDWAY, plain, dashboard, false },
		{ "dashboard-40x12", 40, 12, MIDWAY, plain, dashboard, false },
		{ "dashboard-40x60", 40, 60, MIDWAY, plain, dashboard, false },
		{ "dashboard-30x8", 30, 8, MIDWAY, plain, dashboard, false },
		{ "dashboard-ascii-80x24", 80, 24, MIDWAY, ascii, dashboard, false },
		{ "dashboard-new-80x24", 80, 24, 0, plain, dashboard, false },
		{ "dashboard-done-80x24", 80, 24, RECORDED_STEPS, plain, dashboard, false },
		{ "dashboard-still-80x24", 80, 24, MIDWAY, plain, dashboard, true },
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		check_golden(&all[i]);
}

/* No view draws outside of the canvas, at any size and in any state of the run; sanitizers would detect it. */
static void test_every_size(void **state)
{
	(void)state;
	const bl_view_ops *const views[] = { &bl_view_dashboard, &bl_view_heatmap, &bl_view_help };
	const bl_ability abilities[] = { plain, ascii, full, { .depth = BL_DEPTH_16 } };
	const int64_t steps[] = { 0, 1, 3 };
	for (int k = 0; k < 3; k++) {
		bl_live *run = recorded_run(NULL, steps[k], BL_RUN_PAUSED);
		bl_scene *s = scene_of(run);
		for (int w = 1; w < 130; w += w < 45 ? 1 : 7)
			for (int h = 1; h < 60; h += h < 20 ? 1 : 5) {
				s->view = views[(w + h) % 3];
				s->asking = (w ^ h) & 1;
				s->heat.pool = (bl_pool)(w % BL_POOLS);
				bl_canvas_free(frame_of(s, w, h, abilities[(w + h / 3) % 4]));
			}
		bl_scene_free(s);
		bl_live_close(run);
	}
}

static void test_watch_text(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	char *text = bl_watch_text(run, 80, 24);
	assert_non_null(text);
	assert_non_null(strstr(text, "step 700/2000"));
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "Space pause"));
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p < 0x80); /* this program is in the C locale */
	free(text);
	assert_null(bl_watch_text(run, 39, 24));
	assert_error("needs 40 x 12 cells, not 39 x 24");
	assert_null(bl_watch_text(run, 0, 24));
	assert_error("0 x 24");
	bl_live_close(run);
}

/* --- Colours compared with numbers -------------------------------------------------- */

static bl_live *small_run(bl_snapshot *p, int d)
{
	bl_live_info info = recorded_info(0, 10, BL_RUN_RUNNING);
	bl_live *run = recorded_live(NULL, &info);
	memset(p, 0, sizeof *p);
	*p = (bl_snapshot){ .step = 1, .n = 8, .d = d, .grid = d, .diag = d, .rankme = NAN };
	for (int i = 0; i < d * d; i++)
		p->mean[i] = p->extreme[i] = (float)(i * 37 % 101) / 50 - 1;
	for (int i = 0; i < d; i++)
		p->diagonal[i] = p->mean[i * d + i];
	bl_live_publish(run, p);
	return run;
}

/* Every element of C has the right position and the colour of its value; a cell of the screen shows two rows. */
static void test_heat_colours(void **state)
{
	(void)state;
	enum { D = 16 };
	bl_snapshot *p = malloc(sizeof *p);
	bl_live *run = small_run(p, D);
	bl_scene *s = scene_of(run);
	bl_heat_source m = { .mean = p->mean, .extreme = p->extreme, .cells = D, .d = D };
	bl_canvas *c = bl_canvas_new(D, D / 2, full);
	bl_heat_fit fit = bl_heat_measure(full, D, D / 2, &m);
	assert_int_equal(fit.w, D);
	assert_int_equal(fit.h, D / 2);
	bl_heat_draw(c, 0, 0, fit, &m, (bl_heat_style){ .pool = BL_POOL_MEAN });
	for (int i = 0; i < D; i++)
		for (int j = 0; j < D; j++) {
			const bl_screen_cell *cell = bl_canvas_cell(c, j, i / 2);
			int32_t want = bl_colour_diverging(p->mean[i * D + j], false);
			assert_int_equal(i % 2 ? cell->bg : cell->fg, want);
		}
	bl_canvas_free(c);
	bl_scene_free(s);
	bl_live_close(run);
	free(p);
}

/*
 * With any number of colours, and on dark and light backgrounds, values below 0 are blue, values above 0 are red, and 0 has the
 * background's colour.
 */
static void test_signs_have_hues(void **state)
{
	(void)state;
	static const int colours[] = { 256, 16, 8 };
	for (int i = 0; i < 3; i++)
		for (int light = 0; light < 2; light++) {
			int32_t none = bl_colour_diverging_few(0, colours[i], light);
			assert_int_equal(none >> 16 & 255, none & 255);
			assert_true(light ? (none & 255) > 200 : (none & 255) < 60);
			for (double t = .4; t <= 1; t += .1) {
				int32_t below = bl_colour_diverging_few(-t, colours[i], light),
					above = bl_colour_diverging_few(t, colours[i], light);
				assert_true((below & 255) > (below >> 16 & 255));
				assert_true((above & 255) < (above >> 16 & 255));
			}
		}
}

/*
 * A dot of several cells shows their mean, weighted by the number of their elements, or their element of largest magnitude with its
 * sign.
 */
static void test_heat_pools(void **state)
{
	(void)state;
	const float c[16] = { .5f, -.25f, 0, 0, .25f, -.75f, 0, 0, 0, 0, .1f, .2f, 0, 0, .3f, .4f };
	bl_heat_source m = { .mean = c, .extreme = c, .cells = 4, .d = 4 };
	bl_canvas *canvas = bl_canvas_new(2, 1, full);
	bl_heat_fit fit = bl_heat_measure(full, 2, 1, &m);
	assert_int_equal(fit.w, 2);
	assert_close(fit.dims_x, 2, 0);
	assert_close(fit.dims_y, 2, 0);
	bl_heat_draw(canvas, 0, 0, fit, &m, (bl_heat_style){ .pool = BL_POOL_MEAN });
	assert_int_equal(canvas->cells[0].fg, bl_colour_diverging(-.0625, false));
	assert_int_equal(canvas->cells[1].bg, bl_colour_diverging((.1 + .2 + .3 + .4) / 4, false));
	bl_heat_draw(canvas, 0, 0, fit, &m, (bl_heat_style){ .pool = BL_POOL_LARGEST });
	assert_int_equal(canvas->cells[0].fg, bl_colour_diverging(-.75, false));
	assert_int_equal(canvas->cells[1].bg, bl_colour_diverging(.4f, false));
	m.d = 7; /* the cells have 2, 2, 2 and 1 dimensions */
	bl_heat_draw(canvas, 0, 0, fit, &m, (bl_heat_style){ .pool = BL_POOL_MEAN });
	assert_int_equal(canvas->cells[1].bg, bl_colour_diverging((4 * .1 + 2 * .2 + 2 * .3 + .4) / 9, false));
	bl_canvas_free(canvas);
}

/* The bar of a bin with one element is as low as possible, however many elements other bins have; that of an empty bin is not drawn. */
static void test_histogram_bars(void **state)
{
	(void)state;
	static bl_snapshot s = { .n = 256, .d = 64, .sampled = 1 << 30 };
	bl_canvas *canvas = bl_canvas_new(BL_HIST_BINS, 3, full);
	s.histogram[0] = 1;
	s.histogram[BL_HIST_BINS - 1] = 1 << 30;
	bl_histogram_draw(canvas, (bl_rect){ 0, 0, BL_HIST_BINS, 3 }, &s);
	assert_int_equal(bl_canvas_cell(canvas, 0, 1)->glyph, 0x2581);
	assert_int_equal(bl_canvas_cell(canvas, 1, 1)->glyph, ' ');
	assert_int_equal(bl_canvas_cell(canvas, BL_HIST_BINS - 1, 1)->glyph, 0x2588);
	bl_canvas_free(canvas);
}

/*
 * For root mean squares, the level of chance has the background's colour, single elements have a sign, and a dot on the diagonal
 * shows the diagonal's mean.
 */
static void test_heat_rms(void **state)
{
	(void)state;
	const float rms[16] = { .1f, .3f, 0, .1f, .5f, .2f, .1f, .1f, .1f, .1f, .1f, .1f, .1f, .1f, .1f, .1f };
	const float on[16] = { .9f, NAN, NAN, NAN, NAN, .7f, NAN, NAN, NAN, NAN, -.8f, NAN, NAN, NAN, NAN, -.4f };
	bl_heat_source m = { .mean = rms, .extreme = rms, .rms = rms, .diagonal = on, .cells = 4, .d = 16, .n = 101 };
	bl_heat_style style = { BL_POOL_RMS, false };
	bl_canvas *canvas = bl_canvas_new(4, 2, full);
	bl_heat_fit fit = bl_heat_measure(full, 4, 2, &m);
	bl_scale scale = bl_heat_scale_of(fit, &m, style);
	assert_close(scale.chance, .1 * (1 + 2 / sqrt(32)), 1e-9); /* the level of chance of 16 elements */
	bl_heat_draw(canvas, 0, 0, fit, &m, style);
	assert_int_equal(canvas->cells[0].fg, bl_colour_diverging((.9f - scale.chance) / (1 - scale.chance), false));
	assert_int_equal(canvas->cells[1].fg, bl_colour_diverging((.3f - scale.chance) / (1 - scale.chance), false));
	assert_int_equal(canvas->cells[3].bg, bl_colour_diverging(0, false)); /* at the level of chance */
	fit = bl_heat_measure(full, 2, 1, &m);                                /* dots of 2 x 2 cells */
	scale = bl_heat_scale_of(fit, &m, style);
	bl_heat_draw(canvas, 0, 0, fit, &m, style);
	bl_screen_cell first = canvas->cells[0], second = canvas->cells[1];
	assert_int_equal(first.fg, bl_colour_diverging(bl_scale_position(scale, (.9 + .7) / 2), false));
	assert_int_equal(second.fg, bl_colour_diverging(bl_scale_position(scale, sqrt((0 + 3 * .01) / 4)), false));
	assert_int_equal(second.bg, bl_colour_diverging(bl_scale_position(scale, -.6), false));
	m.d = 4; /* single elements */
	assert_close(bl_heat_cell(&m, 0, 0, BL_POOL_RMS), .1f, 0);
	m.rms = NULL;
	assert_int_equal(bl_heat_pool(&m, style), BL_POOL_LARGEST);
	bl_canvas_free(canvas);
}

static void assert_number(double v, int digits, int columns, const char *want)
{
	char text[BL_NUMBER_TEXT];
	bl_shown_number(text, v, digits, columns);
	assert_string_equal(text, want);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_number(-0., 3, 6, "0");
	assert_number(.000012345, 3, 9, "1.23e-5");
	assert_number(.000012345, 3, 6, "1.2e-5");
	assert_number(-.000012345, 5, 9, "-1.234e-5");
	assert_number(1250, 3, 6, "1250");
	assert_number(3e20, 3, 6, "3e20");
	assert_number(.125, 5, 10, "0.125");
	assert_number(NAN, 5, 10, "nan");
	assert_true(1 / bl_shown(-.00004, 4) == INFINITY);
	assert_close(bl_shown(-.00006, 4), -.00006, 0);
}

/* Tests both kinds of scale, and their ends. */
static void test_scale(void **state)
{
	(void)state;
	const bl_scale scales[] = { { 0, false }, { 0, true }, { .06, false }, { .06, true } };
	for (int k = 0; k < 4; k++) {
		assert_close(bl_scale_position(scales[k], 1), 1, 1e-12);
		assert_close(bl_scale_position(scales[k], -1), -1, 1e-12);
		assert_close(bl_scale_position(scales[k], .03), k < 2 ? bl_scale_position(scales[k], .03) : 0, 0);
		for (double v = -.95; v < 1; v += .1)
			if (fabs(v) > .06)
				assert_close(bl_scale_value(scales[k], bl_scale_position(scales[k], v)), v, 1e-12);
		assert_true(isnan(bl_scale_position(scales[k], NAN)));
	}
}

static double lightness(int32_t rgb)
{
	return .30 * (rgb >> 16 & 255) + .59 * (rgb >> 8 & 255) + .11 * (rgb & 255);
}

/* Tests the map with few colours, which the terminal shows exactly. */
static void check_few(int colours, bool light, double sign)
{
	for (int k = 0; k < 20; k++) {
		int32_t a = bl_colour_diverging_few(sign * k / 20., colours, light);
		int32_t b = bl_colour_diverging_few(sign * (k + 1) / 20., colours, light);
		assert_true(a == b || (light ? lightness(a) > lightness(b) : lightness(a) < lightness(b)));
		assert_true(k == 0 || a == bl_colour_diverging_few(0, colours, light) ||
		            a != bl_colour_diverging_few(-sign * k / 20., colours, light));
	}
	assert_int_not_equal(bl_colour_diverging_few(NAN, colours, light), bl_colour_diverging_few(sign, colours, light));
}

/* Lightness is monotonic in |value|, so the order is visible without hue; the ends are as documented. */
static void test_map(void **state)
{
	(void)state;
	for (int light = 0; light < 2; light++)
		for (int sign = -1; sign <= 1; sign += 2)
			for (int k = 0; k < 20; k++) {
				double a = lightness(bl_colour_diverging(sign * k / 20., light));
				double b = lightness(bl_colour_diverging(sign * (k + 1) / 20., light));
				assert_true(light ? a > b : a < b);
			}
	for (int way = 0; way < 12; way++)
		check_few(way / 4 == 0 ? 256 : way / 4 == 1 ? 16 : 8, way & 1, way & 2 ? 1 : -1);
	assert_int_equal(bl_colour_256(bl_colour_diverging_few(1, 256, false)), 223);
	assert_int_equal(bl_colour_ansi(bl_colour_diverging_few(-1, 16, false), 16), 14);
	assert_int_equal(bl_colour_diverging(-5, true), bl_colour_diverging(-1, true));
	for (int k = -100; k <= 100; k++)
		assert_int_not_equal(bl_colour_diverging(NAN, false), bl_colour_diverging(k / 100., false));
	assert_int_equal(bl_colour_256(0xff0000), 196);
	assert_int_equal(bl_colour_256(0x808080), 244);
	assert_int_equal(bl_colour_ansi(0xf00000, 16), 9);
	assert_int_equal(bl_colour_ansi(0xf00000, 8), 1);
}

/* If smoothed values differ only by rounding, the axis still has a finite number of ticks. */
/* The dashboard names the images of kNN only if the run has some. */
static void test_knn_title(void **state)
{
	(void)state;
	for (int queries = 0; queries <= 2000; queries += 2000) {
		bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
		bl_live_info info;
		bl_live_info_get(run, &info);
		info.knn_queries = queries;
		bl_live_set_info(run, &info);
		bl_scene *s = scene_of(run);
		bl_canvas *c = frame_of(s, 160, 50, plain);
		char *text = bl_canvas_string(c);
		assert_non_null(strstr(text, "kNN accuracy"));
		assert_int_equal(strstr(text, "2000 queries") != NULL, queries > 0);
		assert_int_equal(strstr(text, " queries") != NULL, queries > 0);
		free(text);
		bl_canvas_free(c);
		bl_scene_free(s);
		bl_live_close(run);
	}
}

static void test_flat_line(void **state)
{
	(void)state;
	const double x[] = { 1, 2, 3 }, y[] = { 6400, nextafter(6400, 7000), nextafter(6400, 0) };
	bl_line line = { "flat", 'f', 0, BL_PAINT_TEXT, x, y, 3 };
	bl_canvas *c = bl_canvas_new(40, 12, plain);
	alarm(20);
	bl_chart_draw(c, (bl_rect){ 0, 0, 40, 12 }, &(bl_chart){ .title = "flat", .lines = &line, .n = 1 });
	alarm(0);
	char *text = bl_canvas_string(c);
	assert_non_null(strstr(text, "6500"));
	free(text);
	bl_canvas_free(c);
}

static void check_axis(const double *x, int n, bool log_x, const char *name, const char *has, const char *has_not)
{
	const double y[] = { 3, 2, 1 };
	bl_line line = { "line", 'l', 0, BL_PAINT_TEXT, x, y, n };
	bl_canvas *c = bl_canvas_new(40, 12, plain);
	bl_chart_draw(c, (bl_rect){ 0, 0, 40, 12 },
	              &(bl_chart){
			      .title = "axis", .lines = &line, .n = n ? 1 : 0, .integer_x = true, .log_x = log_x, .x_name = name });
	char *text = bl_canvas_string(c);
	if (!strstr(text, has) || (has_not && strstr(text, has_not)))
		fail_msg("expected '%s', and not '%s':\n%s", has, has_not ? has_not : "", text);
	free(text);
	bl_canvas_free(c);
}

/* An axis labels only existing steps, in runs of 0, 1 and 2 steps. */
static void test_short_axes(void **state)
{
	(void)state;
	check_axis(NULL, 0, false, NULL, "nothing yet", "step");
	check_axis((double[]){ 1 }, 1, false, NULL, "       step 1\n", "step 2");
	check_axis((double[]){ 1 }, 1, true, NULL, "       (log) step 1\n", "10");
	check_axis((double[]){ 7 }, 1, false, "dims", "       dims 7\n", "dims 8");
	check_axis((double[]){ 1, 2 }, 2, false, NULL, "       1                          step 2\n", "3 ");
	check_axis((double[]){ 1, 2 }, 2, true, NULL, "       1                    (log) step 2\n", "10");
	check_axis((double[]){ 4, 4, 4 }, 3, false, NULL, "       step 4\n", "step 5");
}

/* --- Text --------------------------------------------------------------------- */

static void check_text(const char *text, int room, int columns, const char *drawn)
{
	bl_canvas *c = bl_canvas_new(12, 1, plain);
	assert_int_equal(bl_canvas_text(c, 0, 0, room, BL_PAINT_TEXT, text), columns);
	char *got = bl_canvas_string(c);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, drawn);
	free(got);
	bl_canvas_free(c);
}

/* Names may come from untrusted files: control characters are escaped, and each code point takes one column. */
static void test_text(void **state)
{
	(void)state;
	check_text("λ·run", 12, 5, "λ·run");
	check_text("a\033[2Jb", 12, 9, "a\\x1b[2Jb");
	check_text("cut here", 3, 3, "cu…");
	check_text("cut", 3, 3, "cut");
	check_text("e\xcc\x81x", 12, 3, "e?x");
	check_text("\xe6\xbc\xa2!", 12, 2, "?!");
	check_text("\xff_\xc3", 12, 9, "\\xff_\\xc3");
	check_text("\xff\xc3_\xe2\x94", 12, 12, "\\xff\\xc3_\\x…");
	check_text("\xe2\x80\xaexyz", 12, 11, "\\u{202e}xyz");
}

static void test_outside(void **state)
{
	(void)state;
	bl_canvas *c = bl_canvas_new(3, 2, plain);
	const int outside[][2] = { { 3, 0 }, { -1, 1 }, { 0, 2 }, { 0, -1 } };
	for (int i = 0; i < 4; i++) {
		assert_null(bl_canvas_cell(c, outside[i][0], outside[i][1]));
		bl_canvas_put(c, outside[i][0], outside[i][1], 'x', 0, 0);
	}
	char *text = bl_canvas_string(c);
	assert_string_equal(text, "\n\n");
	free(text);
	bl_canvas_free(c);
}

/* --- Records ------------------------------------------------------------------ */

static void test_history(void **state)
{
	(void)state;
	enum { MANY = 10 * BL_HISTORY_BINS + 77 };
	bl_live_info info = recorded_info(0, MANY, BL_RUN_RUNNING);
	bl_live *run = recorded_live(NULL, &info);
	bl_history *h = malloc(sizeof *h);
	double sum = 0, binned = 0;
	bl_history_reset(h);
	for (int64_t i = 1; i <= MANY; i++) {
		bl_record r = recorded_record(i, .01);
		sum += r.value[RECORDED_WEIGHTED];
		assert_int_equal(bl_live_add(run, &r), 0);
		if (i % 1000 == 0)
			assert_true(bl_history_read(h, run));
	}
	assert_true(bl_history_read(h, run));
	assert_false(bl_history_read(h, run));
	assert_int_equal(h->seen, MANY);
	assert_int_equal(h->last.step, MANY);
	assert_true(h->bins <= BL_HISTORY_BINS);
	assert_int_equal((h->bins - 1) * h->stride + h->fill, MANY);
	for (int k = 0; k < h->bins; k++)
		binned += h->value[RECORDED_WEIGHTED][k] * (double)(k < h->bins - 1 ? h->stride : h->fill);
	assert_close(binned, sum, 1e-9);
	assert_int_equal(h->have[RECORDED_KNN], MANY / 100);
	free(h);
	bl_live_close(run);
}

/* --- Keys --------------------------------------------------------------------- */

static void expect_command(bl_live *run, bl_command_kind kind, double value)
{
	bl_command c;
	assert_true(bl_live_take(run, &c));
	assert_int_equal(c.kind, kind);
	assert_close(c.value, value, 1e-12);
}

static void expect_set(bl_live *run, const char *name, double value)
{
	bl_command c;
	assert_true(bl_live_take(run, &c));
	assert_int_equal(c.kind, BL_CMD_SET);
	assert_string_equal(c.name, name);
	assert_close(c.value, value, 1e-12);
}

static void expect_nothing(bl_live *run)
{
	bl_command c;
	assert_false(bl_live_take(run, &c));
}

static void test_keys_command(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = scene_of(run);
	bl_control_key(s, ' ');
	expect_command(run, BL_CMD_PAUSE, 0);
	bl_control_key(s, '.');
	expect_command(run, BL_CMD_STEP, 0);
	bl_control_key(s, '+');
	expect_set(run, "lambda", .0056 * 1.1);
	bl_control_key(s, '+'); /* adds to the previous change, which is not in a record yet */
	expect_set(run, "lambda", .0056 * 1.1 * 1.1);
	bl_control_key(s, '-');
	expect_set(run, "lambda", .0056 * 1.1);
	bl_control_key(s, 'e');
	expect_command(run, BL_CMD_EVAL, 0);
	bl_control_key(s, 'c');
	expect_command(run, BL_CMD_CHECKPOINT, 0);
	bl_live_info paused = recorded_info(MIDWAY, RECORDED_STEPS, BL_RUN_PAUSED);
	bl_live_set_info(run, &paused);
	bl_scene_read(s);
	bl_control_key(s, ' ');
	expect_command(run, BL_CMD_RESUME, 0);
	assert_int_equal(bl_control_key(s, 'z'), BL_OUTCOME_STAY);
	expect_nothing(run);
	bl_scene_free(s);
	bl_live_close(run);
}

static void test_stop_asks(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = scene_of(run);
	assert_int_equal(bl_control_key(s, 'Q'), BL_OUTCOME_STAY);
	assert_true(s->asking);
	assert_int_equal(bl_control_key(s, 'q'), BL_OUTCOME_STAY); /* here q means "no", not "leave" */
	assert_false(s->asking);
	expect_nothing(run);
	bl_control_key(s, 'Q');
	assert_int_equal(bl_control_key(s, 'y'), BL_OUTCOME_STOP);
	expect_command(run, BL_CMD_STOP, 0);
	assert_int_equal(bl_control_key(s, 'q'), BL_OUTCOME_QUIT);
	bl_scene_free(s);
	bl_live_close(run);
}

static void test_read_only(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = scene_of(run);
	s->read_only = true;
	for (int key = 1; key < 128; key++)
		if (key != 'q')
			assert_true(bl_control_key(s, key) <= BL_OUTCOME_REDRAW);
	expect_nothing(run);
	bl_scene_free(s);
	bl_live_close(run);
}

static void test_view_keys(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_scene *s = scene_of(run);
	bl_control_key(s, '2');
	assert_ptr_equal(s->view, &bl_view_heatmap);
	bl_control_key(s, '?');
	assert_ptr_equal(s->view, &bl_view_help);
	bl_control_key(s, 27);
	assert_ptr_equal(s->view, &bl_view_heatmap);
	bl_control_key(s, '1');
	assert_ptr_equal(s->view, &bl_view_dashboard);
	for (int pool = BL_POOL_RMS; pool < BL_POOLS; pool++) {
		assert_int_equal(s->heat.pool, pool);
		bl_control_key(s, 'm');
	}
	assert_int_equal(s->heat.pool, BL_POOL_RMS);
	bl_scene_free(s);
	bl_live_close(run);
}

/* Each key has one meaning, and the help lists every request. */
static void test_key_list(void **state)
{
	(void)state;
	for (int r = 1; r < BL_REQUEST_COUNT; r++)
		for (const char *k = bl_request_describe((bl_request)r)->keys; *k; k++)
			assert_int_equal(bl_request_of_key(bl_request_describe((bl_request)r)->scope, BL_KEY(k)), r);
	assert_int_equal(bl_request_of_key(BL_SCOPE_ALL, 0), BL_REQUEST_NONE);
	assert_int_equal(bl_request_of_key(BL_SCOPE_ALL, -5), BL_REQUEST_NONE);
	bl_live *run = recorded_run(NULL, 0, BL_RUN_RUNNING);
	bl_scene *s = scene_of(run);
	s->view = &bl_view_help;
	bl_canvas *c = frame_of(s, 120, 40, plain);
	char *text = bl_canvas_string(c);
	/* The help of Ctrl-C depends on who opened the screen. */
	for (int r = 1; r < BL_REQUEST_COUNT; r++)
		if (bl_request_describe((bl_request)r)->scope == BL_SCOPE_ALL && r != BL_REQUEST_INTERRUPT)
			assert_non_null(strstr(text, bl_request_describe((bl_request)r)->help));
	free(text);
	bl_canvas_free(c);
	bl_scene_free(s);
	bl_live_close(run);
}

/* --- No terminal -------------------------------------------------------------- */

static void test_no_terminal(void **state)
{
	(void)state;
	int before = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY);
	assert_true(before >= 0 && null >= 0);
	dup2(null, STDIN_FILENO);
	bl_live *run = recorded_run(NULL, 3, BL_RUN_RUNNING);
	assert_true(bl_watch(run, &(bl_watch_config){ .stay = false }) < 0);
	assert_error("cannot draw: standard input is not a terminal");
	bl_live_close(run);
	dup2(before, STDIN_FILENO);
	close(before);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_watch_text),
		cmocka_unit_test(test_heat_colours),
		cmocka_unit_test(test_histogram_bars),
		cmocka_unit_test(test_signs_have_hues),
		cmocka_unit_test(test_heat_pools),
		cmocka_unit_test(test_heat_rms),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_keys_command),
		cmocka_unit_test(test_stop_asks),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_view_keys),
		cmocka_unit_test(test_key_list),
		cmocka_unit_test(test_no_terminal),
		cmocka_unit_test(test_knn_title),
		cmocka_unit_test(test_flat_line),
		cmocka_unit_test(test_short_axes),
	};
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
