/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_screens.c: compares each view, after a sequence of keys, at each size, with and without colours, with golden frames; tests
 * functions that views use: smoothing, parts of runs, stored snapshots, the journal, the manual's list of keys.
 *
 * UPDATE_GOLDEN=1 tests/c/test_screens regenerates frames and manual.
 */
#include "golden.h"

#include <barlow/journal.h>
#include <barlow/error.h>
#include <barlow/file.h>

#include "recorded_run.h"
#include "view/key_actions.h"
#include "view/curves.h"
#include "view/frame.h"
#include "view/key_manual.h"
#include "view/timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIDWAY = 700, OTHER = 400 };

static const bl_ability plain = { .depth = BL_DEPTH_MONO, .utf8 = true }, ascii = { .depth = BL_DEPTH_MONO },
			coloured = { .depth = BL_DEPTH_256, .utf8 = true };

/* --- Scenes ------------------------------------------------------------------ */

static bl_scene *scene_of(bl_live *run)
{
	bl_scene *s = bl_scene_new(run);
	assert_non_null(s);
	bl_scene_read(s);
	return s;
}

/* Presses keys as the loop of the screen does, which reads new data between keys. */
static void press(bl_scene *s, const char *keys)
{
	for (; *keys; keys++) {
		bl_control_key(s, BL_KEY(keys));
		bl_scene_read(s);
	}
}

static char *text_of(const bl_scene *s, int w, int h, bl_ability can)
{
	bl_canvas *c = bl_canvas_new(w, h, can);
	assert_non_null(c);
	bl_frame_draw(s, c);
	char *text = bl_canvas_string(c);
	assert_non_null(text);
	bl_canvas_free(c);
	return text;
}

static void assert_shows(const bl_scene *s, const char *part)
{
	char *text = text_of(s, 120, 40, plain);
	if (!strstr(text, part))
		fail_msg("'%s' is not on\n%s", part, text);
	free(text);
}

static void assert_has(const bl_scene *s, int w, int h, const char *part, bool wanted)
{
	char *text = text_of(s, w, h, plain);
	if (!strstr(text, part) == wanted)
		fail_msg("'%s' is%s on\n%s", part, wanted ? " not" : "", text);
	free(text);
}

/* --- Golden frames ------------------------------------------------------------- */

static bl_live *other_run(void)
{
	bl_live *run = recorded_run(NULL, OTHER, BL_RUN_RUNNING);
	bl_live_info info = recorded_info(OTHER, RECORDED_STEPS, BL_RUN_STOPPED);
	snprintf(info.name, sizeof info.name, "another");
	bl_live_set_info(run, &info);
	return run;
}

static void check_frame(const bl_scene *s, const char *name, int w, int h, const char *suffix, bl_ability can)
{
	char path[96];
	snprintf(path, sizeof path, "%s-%s%dx%d", name, suffix, w, h);
	bl_canvas *c = bl_canvas_new(w, h, can);
	assert_non_null(c);
	bl_frame_draw(s, c);
	golden_compare_canvas(path, c);
	bl_canvas_free(c);
}

static void check_sizes(const bl_scene *s, const char *name, const char *suffix, bl_ability can)
{
	static const int sizes[][2] = { { 80, 24 }, { 120, 40 }, { 200, 60 } };
	for (int k = 0; k < 3; k++)
		check_frame(s, name, sizes[k][0], sizes[k][1], suffix, can);
}

static bl_scene *begin(int64_t step, const char *keys)
{
	bl_scene *s = scene_of(recorded_run(NULL, step, BL_RUN_RUNNING));
	press(s, keys);
	return s;
}

static void end(bl_scene *s)
{
	bl_live *run = s->run;
	bl_scene_free(s);
	bl_live_close(run);
}

static void test_every_view(void **state)
{
	(void)state;
	static const struct {
		const char *name, *keys;
	} views[] = {
		{ "dashboard", "1" }, { "curves", "3" },   { "spectrum", "4" },     { "views", "5" },
		{ "embedding", "6" }, { "settings", "8" }, { "help-curves", "3?" }, { "help", "1?" },
	};
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
		bl_scene *s = begin(MIDWAY, views[i].keys);
		check_sizes(s, views[i].name, "", plain);
		check_sizes(s, views[i].name, "256-", coloured);
		end(s);
	}
}

/* The changes of a run from its journal on disk, with long lines, and with more lines than fit. */
static void test_changes_of_a_run(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "1");
	bl_change c[24];
	int n = 0;
	for (; n < 20; n++)
		c[n] = (bl_change){ .step = 20 * n + 19, .old = n, .value = n + .5, .name = "lambda", .who = "viewer 4711" };
	c[n++] = (bl_change){ .step = 450, .old = NAN, .value = NAN, .name = "pause", .who = "script" };
	c[n++] = (bl_change){ .step = 450, .old = .001, .value = .0005, .name = "lr", .who = "viewer 4711" };
	c[n++] = (bl_change){ .step = 612, .old = .12345678, .value = 123456789, .name = "views.blur.sigma.2", .who = "prompt" };
	c[n++] =
		(bl_change){ .step = 650,
		             .old = NAN,
		             .value = NAN,
		             .name = "checkpoint",
		             .who = "trainer",
		             .text = "checkpoint.safetensors: cannot write 48213 bytes: No space left on device; what was there is "
		                     "unchanged" };
	assert_int_equal(bl_journal_write(support_scratch("journal"), c, n), 0);
	bl_journal_load(&s->journal, support_scratch("live"));
	check_sizes(s, "changes", "", plain);
	check_sizes(s, "changes", "256-", coloured);
	check_frame(s, "changes", 40, 60, "", plain);
	end(s);
}

/* Tests effects of keys, and other sizes. */
static void test_scripts(void **state)
{
	(void)state;
	static const struct {
		const char *name, *keys;
		int w, h;
		int64_t step;
		bl_ability can;
	} frames[] = {
		{ "dashboard-wide", "1", 160, 24, MIDWAY, plain },
		{ "curves-chosen", "3jjjjjj\rjj\rkkkkkkkko", 80, 24, MIDWAY, plain },
		{ "curves-zoomed", "3wwwzhhHy", 120, 40, MIDWAY, plain },
		{ "curves-log", "3YyyH", 80, 24, MIDWAY, plain },
		{ "curves-ascii", "3", 80, 24, MIDWAY, ascii },
		{ "curves-small", "3", 40, 12, MIDWAY, plain },
		{ "curves-new", "3", 80, 24, 0, plain },
		{ "spectrum-then", "4[[", 80, 24, MIDWAY, plain },
		{ "spectrum-ascii", "4", 80, 24, MIDWAY, ascii },
		{ "spectrum-small", "4", 40, 12, MIDWAY, plain },
		{ "spectrum-new", "4", 80, 24, 0, plain },
		{ "views-next", "5n", 80, 24, MIDWAY, plain },
		{ "views-small", "5", 40, 12, MIDWAY, plain },
		{ "views-new", "5", 80, 24, 0, plain },
		{ "embedding-then", "6[[[", 80, 24, MIDWAY, plain },
		{ "embedding-label", "6jjj", 80, 24, MIDWAY, plain },
		{ "embedding-small", "6", 40, 12, MIDWAY, plain },
		{ "embedding-new", "6", 80, 24, 0, plain },
		{ "help-down", "3?jjjjj", 80, 24, MIDWAY, plain },
	};
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		bl_scene *s = begin(frames[i].step, frames[i].keys);
		check_frame(s, frames[i].name, frames[i].w, frames[i].h, "", frames[i].can);
		end(s);
	}
}

/* More than two views are arranged in the number of columns for which they are largest. */
static void test_more_views(void **state)
{
	static const char *const drawn[] = { "crop 1,2 20x21", "crop 5,6 9x8, flip", "" };
	(void)state;
	bl_scene *s = begin(MIDWAY, "5");
	bl_snapshot *p = &s->snapshot;
	for (int v = 2; v < 5; v++) {
		for (int i = 0; i < p->view_side * p->view_side * p->view_channels; i++)
			p->views[v][i] = (uint8_t)(255 - p->views[v - 2][i]);
		snprintf(p->view_draws[v], sizeof p->view_draws[v], "%s", drawn[v - 2]);
	}
	p->view_count = 3;
	check_frame(s, "views-three", 120, 40, "", plain);
	p->view_count = 5;
	check_frame(s, "views-five", 120, 40, "", plain);
	check_frame(s, "views-five", 80, 24, "256-", coloured);
	check_frame(s, "views-five-small", 40, 12, "", plain);
	end(s);
}

/* Makes a view of half the size, as the monitor does: it repeats pixels, and puts the size first in the description. */
static void halve_view(bl_snapshot *p, int which, int of)
{
	int side = p->view_side;
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			p->views[which][y * side + x] = p->views[of][y / 2 * 2 * side + x / 2 * 2];
	snprintf(p->view_draws[which], BL_DRAW_TEXT, "14 x 14, crop 5,%d 9x8, flip, brightness 1.21, saturation 0.71, hue -0.02",
	         which);
}

/* If views have different sizes, the size is above each view; on a small screen the pictures keep most of the space. */
static void test_sizes_of_views(void **state)
{
	static const char large[] = "28 x 28, crop 1,2 20x21, contrast 0.92, hue 0.03, saturation 0.84";
	(void)state;
	bl_scene *s = begin(MIDWAY, "5");
	bl_snapshot *p = &s->snapshot;
	snprintf(p->view_draws[0], BL_DRAW_TEXT, "%s", large);
	halve_view(p, 1, 0);
	check_sizes(s, "views-sizes", "", plain);
	check_sizes(s, "views-sizes", "256-", coloured);
	check_frame(s, "views-sizes", 40, 12, "", plain);
	memcpy(p->views[1], p->views[0], sizeof p->views[0]);
	snprintf(p->view_draws[1], BL_DRAW_TEXT, "%s, flip", large);
	halve_view(p, 2, 0);
	halve_view(p, 3, 0);
	p->view_count = 4;
	check_sizes(s, "views-crops", "", plain);
	check_sizes(s, "views-crops", "256-", coloured);
	check_frame(s, "views-crops", 40, 12, "", plain);
	end(s);
}

/* For a loss without a matrix or a known floor the screen states both, but not before the first step. */
static void test_no_matrix_no_floor(void **state)
{
	(void)state;
	bl_snapshot *snapshot = calloc(1, sizeof *snapshot);
	assert_non_null(snapshot);
	bl_scene *s = begin(MIDWAY, "1");
	assert_has(s, 120, 40, "of the embeddings", false);
	assert_has(s, 120, 40, "no floor known", false);
	bl_record r = recorded_record(MIDWAY + 1, .0056);
	r.value[RECORDED_FLOOR] = NAN;
	bl_live_add(s->run, &r);
	recorded_snapshot(MIDWAY + 1, snapshot);
	snapshot->of_embeddings = 1;
	bl_live_publish(s->run, snapshot);
	bl_scene_read(s);
	check_frame(s, "dashboard-no-floor", 80, 24, "", plain);
	press(s, "2");
	assert_shows(s, "C of the embeddings  D 256: 1 dot");
	press(s, "t");
	assert_shows(s, "C - I of the embeddings  D 256: 1 dot");
	press(s, "t");
	assert_shows(s, "|C| of the embeddings  D 256: 1 dot");
	end(s);
	s = begin(0, "1");
	assert_has(s, 80, 24, "no floor known", false);
	end(s);
	free(snapshot);
}

static void test_runs_overlaid(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "");
	s->marked[0] = other_run();
	press(s, "3");
	check_frame(s, "curves-two", 120, 40, "", plain);
	check_frame(s, "curves-two", 120, 40, "256-", coloured);
	check_frame(s, "curves-two", 80, 24, "ascii-", ascii);
	end(s);
}

/*
 * Drawing never writes outside of the canvas, divides by zero or reads uninitialised data, at any size and after any key;
 * sanitizers would detect it.
 */
static void test_every_size(void **state)
{
	(void)state;
	const char *const keys = "12345689[]hjklHLnr0zZwWyYto\r\x80\x81\x82\x83\x84\x85\x86\x87m?";
	const bl_ability abilities[] = { plain, ascii, coloured, { .depth = BL_DEPTH_16 } };
	const int64_t steps[] = { 0, 1, 3, 150 };
	for (int k = 0; k < 4; k++) {
		bl_scene *s = begin(steps[k], "");
		for (int i = 0; i < 3000; i++) {
			uint32_t dice = (uint32_t)i * 2654435761u;
			dice ^= dice >> 15;
			press(s, (char[]){ keys[dice % strlen(keys)], '\0' });
			bl_canvas *c =
				bl_canvas_new(40 + (int)(dice >> 8) % 100, 12 + (int)(dice >> 16) % 40, abilities[dice >> 24 & 3]);
			bl_frame_draw(s, c);
			bl_canvas_free(c);
		}
		end(s);
	}
}

/* --- Curves -------------------------------------------------------------------- */

/* Smoothing gives out_n = sum (1-w) w^(n-i) x_i / sum (1-w) w^(n-i). */
static void test_smoothing(void **state)
{
	(void)state;
	const double x[] = { 5, 3, NAN, 4, -1, 2 }, w = .8;
	double out[6];
	bl_smooth(x, out, 6, w);
	for (int n = 0; n < 6; n++) {
		double sum = 0, weights = 0, weight = 1;
		for (int i = n; i >= 0; i--)
			if (!isnan(x[i])) {
				sum += weight * x[i];
				weights += weight;
				weight *= w;
			}
		if (isnan(x[n]))
			assert_true(isnan(out[n]));
		else
			assert_close(out[n], sum / weights, 1e-12);
	}
	assert_close(out[0], 5, 1e-15);
	bl_smooth(x, out, 6, 0);
	assert_close(out[4], -1, 0);
}

static bl_track *track_of(bl_live *run)
{
	bl_track *t = calloc(1, sizeof *t);
	assert_non_null(t);
	bl_track_follow(t, run);
	return t;
}

/* A track reads a range of steps in pieces; if the range grows, only the new steps are read, otherwise the whole range. */
static void test_track(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, MIDWAY, BL_RUN_RUNNING);
	bl_track *t = track_of(run);
	const double *x, *y;
	assert_true(bl_track_read(t, 99, 300, 50));
	assert_int_equal(t->h.seen, 149);
	assert_true(bl_track_read(t, 99, 300, 1000));
	assert_false(bl_track_read(t, 99, 300, 1000));
	int n = bl_track_line(t, RECORDED_LR, false, &x, &y);
	assert_int_equal(n, 201);
	assert_close(x[0], 100, 0);
	assert_close(x[n - 1], 300, 0);
	for (int i = 0; i < n; i++)
		assert_close(y[i], recorded_record((int64_t)x[i], .0051).value[RECORDED_LR], 1e-15);
	assert_int_equal(bl_track_line(t, RECORDED_KNN, false, &x, &y), 3);
	assert_close(x[1], 200, 0);
	assert_true(bl_track_read(t, 99, 400, 1000));
	assert_int_equal(bl_track_line(t, RECORDED_LR, false, &x, &y), 301);
	assert_true(bl_track_read(t, 0, 10, 1000));
	assert_int_equal(bl_track_line(t, RECORDED_GRAD_NORM, false, &x, &y), 10);
	bl_track_follow(t, NULL);
	free(t);
	bl_live_close(run);
}

static void test_nearest(void **state)
{
	(void)state;
	const double x[] = { 1, 2, 5, 9 };
	assert_int_equal(bl_track_nearest(x, 4, -3), 0);
	assert_int_equal(bl_track_nearest(x, 4, 3), 1);
	assert_int_equal(bl_track_nearest(x, 4, 3.6), 2);
	assert_int_equal(bl_track_nearest(x, 4, 100), 3);
	assert_int_equal(bl_track_nearest(x, 0, 1), -1);
}

/* The value at the cursor is that of the record. */
static void test_cursor(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "3H");
	char want[64];
	int64_t step = MIDWAY - MIDWAY / 10;
	assert_int_equal(bl_curves_of(s)->cursor, step);
	snprintf(want, sizeof want, "%.5g", recorded_record(step, .0056).value[RECORDED_INVARIANCE]);
	assert_shows(s, want);
	press(s, "zzzzzzzzzz");
	assert_int_equal(bl_curves_of(s)->to - bl_curves_of(s)->from + 1, 10);
	assert_in_range(bl_curves_of(s)->cursor, bl_curves_of(s)->from, bl_curves_of(s)->to);
	press(s, "0");
	assert_int_equal(bl_curves_of(s)->from, 1);
	assert_int_equal(bl_curves_of(s)->to, 0);
	end(s);
}

static bool file_has(const char *path, const char *part)
{
	size_t n;
	char *text = bl_file_read(path, &n);
	assert_non_null(text);
	bool has = false;
	for (size_t i = 0, m = strlen(part); i + m <= n && !has; i++)
		has = memcmp(text + i, part, m) == 0;
	free(text);
	return has;
}

/* The key x writes the curves that are shown to the current folder. */
static void test_export(void **state)
{
	(void)state;
	char before[4096];
	assert_non_null(getcwd(before, sizeof before));
	char *folder = strdup(support_scratch("x"));
	*strrchr(folder, '/') = '\0';
	assert_int_equal(chdir(folder), 0);
	bool draws = system("command -v gnuplot >/dev/null") == 0;
	bl_scene *s = begin(MIDWAY, "3x");
	assert_non_null(strstr(s->notice, draws ? "recorded-curves-700.png, .svg, .csv" : "no picture"));
	if (draws)
		assert_true(file_has("barlow-recorded-curves-700.svg", "kNN accuracy"));
	assert_true(file_has("barlow-recorded-curves-700.csv", "\"recorded\",floor,700,0.32,0.32\n"));
	press(s, "4x");
	assert_true(file_has("barlow-recorded-spectrum-700.csv", "number,eigenvalue,singular\n1,"));
	if (draws)
		assert_true(file_has("barlow-recorded-spectrum-700.svg", "singular values of C"));
	press(s, "5x");
	char pixel[64];
	snprintf(pixel, sizeof pixel, "\n2,28,28,1,%d\n", s->snapshot.views[1][RECORDED_VIEW * RECORDED_VIEW - 1]);
	assert_true(file_has("barlow-recorded-views-700.csv", pixel));
	press(s, "6x");
	assert_true(file_has("barlow-recorded-embedding-700.csv", "x,y,label\n"));
	if (draws)
		assert_true(file_has("barlow-recorded-embedding-700.svg", "axis 1, "));
	if (draws)
		assert_true(file_has("barlow-recorded-views-700.svg", s->snapshot.view_draws[1]));
	press(s, "1x");
	assert_true(file_has("barlow-recorded-dashboard-700.csv", "step,time,invariance,"));
	char record[32];
	snprintf(record, sizeof record, "\n700,%.9g,", recorded_record(MIDWAY, .0056).value[RECORDED_TIME]);
	assert_true(file_has("barlow-recorded-dashboard-700.csv", record));
	if (draws)
		assert_true(file_has("barlow-recorded-dashboard-700.png", "PNG"));
	end(s);
	assert_int_equal(chdir(before), 0);
	free(folder);
}

/* --- Columns of an unknown loss --------------------------------------- */

static bl_live *run_of_another_loss(void)
{
	static const bl_columns columns = { 6,
		                            {
						    { .name = "sim", .kind = BL_COLUMN_TERM },
						    { .name = "cov", .kind = BL_COLUMN_TERM },
						    { .name = "weighted_cov", .label = "ν·cov", .kind = BL_COLUMN_WEIGHTED },
						    { .name = "nu", .label = "ν", .kind = BL_COLUMN_PARAMETER },
						    { .name = "total", .kind = BL_COLUMN_TOTAL },
						    { .name = "mood", .kind = BL_COLUMN_OWN },
					    } };
	bl_live_info info = recorded_info(0, 100, BL_RUN_RUNNING);
	bl_live *run = bl_live_create(NULL, &info, &columns);
	assert_non_null(run);
	for (int64_t i = 1; i <= 20; i++) {
		bl_record r = bl_record_empty(i);
		r.value[0] = 20 - (double)i;
		r.value[1] = 2;
		r.value[3] = i < 10 ? 1 : 25;
		r.value[2] = 2 * r.value[3];
		r.value[4] = r.value[0] + r.value[2];
		r.value[5] = i % 5 == 0 ? 7.5 : NAN;
		bl_live_add(run, &r);
	}
	info.step = 20;
	bl_live_set_info(run, &info);
	return run;
}

static void test_another_loss(void **state)
{
	(void)state;
	bl_scene *s = scene_of(run_of_another_loss());
	assert_shows(s, "loss 50  sim 0  ν·cov 50  ν 25");
	assert_shows(s, "━ total  ╍ sim  ┅ ν·cov");
	assert_shows(s, "10  ν 1 -> 25");
	press(s, "3");
	assert_shows(s, "● mood                           7.5");
	assert_shows(s, "○ cov                              2");
	press(s, "jjjjjo");
	assert_shows(s, ">● mood");
	assert_shows(s, "○ total ");
	end(s);
}

/* The header shows a term's weight only if it is not 1. */
static void test_idle_weight(void **state)
{
	static const bl_columns columns = {
		4,
		{
			{ .name = "invariance", .brief = "inv", .kind = BL_COLUMN_TERM },
			{ .name = "loss.invariance", .label = "weight of inv", .kind = BL_COLUMN_PARAMETER },
			{ .name = "margin", .kind = BL_COLUMN_PARAMETER },
			{ .name = "total", .kind = BL_COLUMN_TOTAL },
		}
	};
	(void)state;
	bl_live_info info = recorded_info(0, 100, BL_RUN_RUNNING);
	bl_live *run = bl_live_create(NULL, &info, &columns);
	bl_record r = bl_record_empty(1);
	memcpy(r.value, (double[]){ 5, 1, 1, 5 }, 4 * sizeof r.value[0]);
	bl_live_add(run, &r);
	bl_scene *s = scene_of(run);
	assert_shows(s, "loss 5  inv 5  margin 1\n");
	r.step = 2;
	r.value[1] = 3;
	bl_live_add(run, &r);
	bl_scene_read(s);
	assert_shows(s, "loss 5  inv 5  weight of inv 3  margin 1\n");
	end(s);
}

/* All views that have an axis or a range of steps show it correctly for runs of 0, 1 and 2 steps. */
static void test_short_runs(void **state)
{
	static const char *const ranges[] = { "no steps yet  y auto", "step 1, following", "steps 1-2, following" };
	(void)state;
	for (int64_t step = 0; step <= 2; step++) {
		bl_scene *s = begin(step, "3");
		assert_has(s, 120, 40, ranges[step], true);
		assert_has(s, 40, 12, ranges[step], true);
		assert_has(s, 40, 12, "nan", false);
		assert_has(s, 120, 40, "step 2\n", step == 2);
		assert_has(s, 120, 40, "newest, step 1 ", step == 1);
		press(s, "1");
		assert_has(s, 120, 40, "step 2  ", step == 2);
		assert_has(s, 40, 12, "step 1 ", step == 1);
		press(s, "3YH");
		assert_has(s, 120, 40, "step 10", false);
		end(s);
	}
}

/* The view states the number of channels of the images, also if it can show only some of them. */
static void test_channels(void **state)
{
	static const struct {
		int has, shown;
		const char *says;
	} all[] = {
		{ 1, 1, "28 x 28 grey  step" },
		{ 2, 1, "28 x 28 2 channels, the first shown  step" },
		{ 3, 3, "28 x 28 colour  step" },
		{ 4, 3, "28 x 28 4 channels, the first 3 shown  step" },
		{ 5, 3, "28 x 28 5 channels, the first 3 shown  step" },
		{ 64, 3, "28 x 28 64 channels, the first 3 shown  step" },
		{ 0, 1, "28 x 28 grey  step" },
	};
	(void)state;
	bl_scene *s = begin(MIDWAY, "5");
	for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
		s->snapshot.image_channels = all[k].has;
		s->snapshot.view_channels = all[k].shown;
		assert_has(s, 120, 40, all[k].says, true);
	}
	s->snapshot.view_side = BL_VIEW_MAX; /* the same is stated for a larger view */
	assert_has(s, 120, 40, "shown as 64 x 64, grey  step", true);
	end(s);
}

/* Ctrl-C stops the run only if the trainer opened the screen; the help states what it does. */
static void test_interrupt_is_stated(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "1");
	assert_has(s, 80, 24, "Ctrl-C", false);
	press(s, "?");
	assert_has(s, 80, 24, " Ctrl-C    close the screen; training continues\n", true);
	s->interrupt_stops = true;
	assert_has(s, 80, 24, " Ctrl-C    stop training, and close the screen\n", true);
	press(s, "?");
	assert_has(s, 80, 24, "Space pause  Ctrl-C stop", true);
	end(s);
}

/* For a finished run without points, the view states that none were requested. */
static void test_no_points(void **state)
{
	(void)state;
	bl_snapshot *p = calloc(1, sizeof *p);
	assert_non_null(p);
	bl_live_info info = recorded_info(3, 3, BL_RUN_DONE);
	bl_live *run = recorded_live(NULL, &info);
	recorded_snapshot(3, p);
	p->points = 0;
	bl_live_publish(run, p);
	bl_scene *s = scene_of(run);
	press(s, "6");
	assert_has(s, 120, 40, "no points were stored: a run computes them only while a screen shows this view\n", true);
	assert_has(s, 40, 12, "no points were stored: a run computes\nthem only while a screen shows this view\n", true);
	free(p);
	end(s);
}

/* --- Overlapping texts ------------------------------------------------------------------ */

static bl_live *run_with_long_texts(int64_t step)
{
	bl_live *run = recorded_run(NULL, step, BL_RUN_RUNNING);
	bl_live_info info = recorded_info(step, 4000000, BL_RUN_RUNNING);
	snprintf(info.name, sizeof info.name, "cifar-with-a-name-as-long-as-people-make-them-and-some-more");
	snprintf(info.message, sizeof info.message,
	         "step 3: not saved: /home/somebody/with/long/paths/that/nobody/reads/"
	         "in/a/terminal/because/they/are/too/long/checkpoint.safetensors: no space left on the device");
	bl_live_set_info(run, &info);
	return run;
}

static void assert_not_overlaid(const bl_scene *s, const char *keys, int w, int h, bl_ability can)
{
	bl_canvas *c = bl_canvas_new(w, h, can);
	assert_non_null(c);
	bl_frame_draw(s, c);
	char *text = bl_canvas_string(c);
	if (c->overlaid)
		fail_msg("%s at %d x %d: %d letters lie below other text on\n%s", keys, w, h, c->overlaid, text);
	free(text);
	bl_canvas_free(c);
}

/* No view writes one text over another, for any length of names and any size of the screen. */
static void test_no_text_over_text(void **state)
{
	static const char *const keys[] = { "1",     "2",  "2kk", "2zzzz", "2[[", "2f", "3",     "3wwH", "4",
		                            "4[[",   "5",  "6",   "6jj",   "6[[", "7",  "7/abc", "8",    "1?",
		                            "2?jjj", "3?", "4?",  "5?",    "6?",  "7?", "8?jjj", "1Q",   "1+" };
	static const int sizes[][2] = { { 40, 12 }, { 60, 16 }, { 80, 24 }, { 120, 40 }, { 160, 24 }, { 40, 60 } };
	static const bl_ability abilities[] = { plain, ascii, coloured };
	static const int64_t steps[] = { 0, 1, 2, MIDWAY };
	(void)state;
	bl_canvas *c = bl_canvas_new(40, 12, plain);
	bl_canvas_text(c, 0, 0, 40, BL_PAINT_TEXT, "one text");
	bl_canvas_text(c, 0, 0, 40, BL_PAINT_TEXT, "one");
	assert_int_equal(c->overlaid, 0);
	bl_canvas_text(c, 4, 0, 40, BL_PAINT_TEXT, " over");
	assert_int_equal(c->overlaid, 4);
	bl_canvas_free(c);
	for (size_t k = 0; k < 4 * (sizeof keys / sizeof keys[0]); k++) {
		bl_scene *s = scene_of(run_with_long_texts(steps[k % 4]));
		press(s, keys[k / 4]);
		for (int z = 0; z < 18; z++)
			assert_not_overlaid(s, keys[k / 4], sizes[z / 3][0], sizes[z / 3][1], abilities[z % 3]);
		end(s);
	}
}

/* A run with a long name still shows its state; the help is complete on the narrowest screen. */
static void test_long_texts(void **state)
{
	(void)state;
	bl_scene *s = scene_of(run_with_long_texts(MIDWAY));
	assert_has(s, 40, 12, "cifar-with…  ● running  step 700/4000000\n", true);
	assert_has(s, 80, 24, "cifar-with-a-name-as-long…  ● running  step 700/4000000  ", true);
	press(s, "?");
	assert_has(s, 40, 12, " q         close the screen; training\n           continues\n", true);
	assert_has(s, 40, 12, " more below: j\n", true);
	for (int i = 0; i < 100; i++)
		press(s, "j");
	assert_has(s, 40, 60, "redraw the screen\n", true);
	assert_has(s, 40, 60, "more below", false);
	end(s);
}

/* Characters that would move the cursor are escaped wherever a name is shown. */
static void test_written_out(void **state)
{
	(void)state;
	bl_live *run = recorded_run(support_scratch("escape"), MIDWAY, BL_RUN_RUNNING);
	bl_live_info info = recorded_info(MIDWAY, RECORDED_STEPS, BL_RUN_RUNNING);
	bl_snapshot *p = calloc(1, sizeof *p);
	assert_non_null(p);
	snprintf(info.name, sizeof info.name, "a\x1b[31mb");
	snprintf(info.message, sizeof info.message, "step 3: c\u202ed");
	bl_live_set_info(run, &info);
	recorded_snapshot(MIDWAY + 1, p);
	snprintf(p->class_name[0], BL_CLASS_TEXT, "e\x1b[1mf");
	snprintf(p->view_class, BL_CLASS_TEXT, "g\x07h");
	bl_live_publish(run, p);
	for (int from_file = 0; from_file < 2; from_file++) {
		bl_live *read = from_file ? bl_live_open(support_scratch("escape"), false) : bl_live_ref(run);
		assert_non_null(read);
		bl_scene *s = scene_of(read);
		assert_has(s, 80, 24, "a\\x1b[31mb  ● running", true);
		assert_has(s, 80, 24, "c\\u{202e}d\n", true);
		press(s, "5");
		assert_shows(s, "g\\x07h");
		press(s, "6");
		assert_shows(s, "e\\x1b[1mf");
		end(s);
	}
	free(p);
	bl_live_close(run);
}

/* --- Header, footer and help ----------------------------------------------------------- */

/* On a screen that is too small, the message with the required and the actual size can be read. */
static void test_too_small(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "1");
	assert_has(s, 39, 11, "needs 40 x 12, has 39 x 11", true);
	assert_has(s, 20, 5, "needs 40 x 12\n", true);
	assert_has(s, 20, 5, "has 20 x 5\n", true);
	free(text_of(s, 1, 1, plain));
	end(s);
}

/* If the process of the run has ended, this is reported, but it does not hide the notice of the last key. */
static void test_lost(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "1");
	s->lost = true;
	assert_has(s, 80, 24, "has ended; this is its last state; q leaves", true);
	assert_has(s, 40, 12, "has ended; q leaves", true);
	bl_scene_notice(s, "the screen was saved as a.txt");
	assert_has(s, 80, 24, "the screen was saved as a.txt", true);
	assert_has(s, 80, 24, "has ended", false);
	end(s);
}

/* --- Earlier snapshots ------------------------------------------------------------------------ */

static void test_timeline(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "4");
	const bl_timeline *p = bl_scene_own(s, &bl_view_spectrum);
	assert_int_equal(p->n, bl_live_snapshot_count(s->run));
	assert_true(p->n > 3);
	for (int i = 1; i < p->n; i++)
		assert_true(p->moment[i].step > p->moment[i - 1].step);
	assert_int_equal(bl_timeline_moment(p)->step, MIDWAY);
	press(s, "[");
	int64_t before = p->moment[p->n - 2].step;
	assert_int_equal(bl_timeline_moment(p)->step, before);
	/* While an earlier snapshot is shown, a new snapshot does not replace it. */
	bl_snapshot *now = malloc(sizeof *now);
	recorded_snapshot(MIDWAY + 100, now);
	bl_live_publish(s->run, now);
	bl_scene_read(s);
	assert_int_equal(bl_timeline_moment(p)->step, before);
	press(s, "n");
	assert_int_equal(bl_timeline_moment(p)->step, MIDWAY + 100);
	press(s, "0");
	assert_int_equal(bl_timeline_moment(p)->step, p->moment[0].step);
	free(now);
	end(s);
}

/* The effective rank of 8 equal eigenvalues is 8; that of a single eigenvalue that is not 0 is 1. */
static void test_effective_rank(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, 1, BL_RUN_RUNNING);
	bl_snapshot *p = malloc(sizeof *p);
	bl_timeline *past = calloc(1, sizeof *past);
	recorded_snapshot(2, p);
	p->spectrum = 8;
	for (int i = 0; i < 8; i++)
		p->eigenvalues[i] = 3;
	bl_timeline_read(past, run, p);
	assert_close(bl_timeline_moment(past)->effective, 8, 1e-6);
	p->step = 3;
	memset(p->eigenvalues + 1, 0, 7 * sizeof(float));
	bl_timeline_read(past, run, p);
	assert_close(bl_timeline_moment(past)->effective, 1, 1e-12);
	bl_timeline_forget(past);
	free(past);
	free(p);
	bl_live_close(run);
}

/* --- Pictures of samples, points --------------------------------------------------- */

/* Each pixel of the first view has the right position and grey level; a cell shows two rows. */
static void test_view_pixels(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "5");
	bl_canvas *c = bl_canvas_new(80, 24, (bl_ability){ .depth = BL_DEPTH_FULL, .utf8 = true });
	bl_frame_draw(s, c);
	for (int y = 0; y < RECORDED_VIEW; y++)
		for (int x = 0; x < RECORDED_VIEW; x++) {
			const bl_screen_cell *cell = bl_canvas_cell(c, x, 4 + y / 2);
			int v = s->snapshot.views[0][y * RECORDED_VIEW + x];
			assert_int_equal(y % 2 ? cell->bg : cell->fg, v << 16 | v << 8 | v);
		}
	bl_canvas_free(c);
	end(s);
}

/* The view's request for points reaches the run. */
static void test_asks(void **state)
{
	(void)state;
	bl_region r;
	bl_scene *s = begin(MIDWAY, "5nnr");
	assert_true(bl_live_requested(s->run, &r));
	assert_int_equal(r.view, 2);
	assert_int_equal(r.redraw, 1);
	assert_int_equal(r.points, 0);
	assert_shows(s, "another sample was requested");
	press(s, "6");
	assert_true(bl_live_requested(s->run, &r));
	assert_int_equal(r.points, 1);
	end(s);
}

/*
 * If points are older than the newest snapshot, the view states that newer ones are being computed; if there are none, it states
 * why.
 */
static void test_points_pending(void **state)
{
	(void)state;
	bl_scene *s = begin(MIDWAY, "6");
	bl_snapshot *now = malloc(sizeof *now);
	assert_has(s, 120, 40, "newer ones are being computed", false);
	recorded_snapshot(MIDWAY + 100, now);
	now->points_step = MIDWAY;
	bl_live_publish(s->run, now);
	bl_scene_read(s);
	assert_has(s, 120, 40, "newer ones are being computed", true);
	s->read_only = true; /* then nothing requests newer points */
	assert_has(s, 120, 40, "newer ones are being computed", false);
	free(now);
	end(s);
	s = begin(0, "6");
	assert_has(s, 120, 40, "points were requested", true);
	s->read_only = true;
	assert_has(s, 120, 40, "a read-only screen requests none from the run", true);
	end(s);
}

/* Points have the colours of their labels; if a label is selected, the points of other labels are faint. */
static void test_point_colours(void **state)
{
	(void)state;
	const bl_ability can = { .depth = BL_DEPTH_FULL, .utf8 = true };
	bl_scene *s = begin(MIDWAY, "6jj");
	bl_canvas *c = bl_canvas_new(80, 24, can);
	bl_frame_draw(s, c);
	int lit = 0;
	for (int y = 3; y < 22; y++)
		for (int x = 0; x < 66; x++) {
			const bl_screen_cell *cell = bl_canvas_cell(c, x, y);
			if (cell->glyph <= 0x2800)
				continue;
			bool is = cell->fg == bl_colour_of(bl_paint_series(1), false);
			assert_true(is || cell->fg == bl_colour_of(BL_PAINT_FAINT, false));
			lit += is;
		}
	assert_in_range(lit, 20, 50);
	bl_canvas_free(c);
	end(s);
}

/* --- Journal ------------------------------------------------------------------------ */

static void test_journal(void **state)
{
	(void)state;
	bl_scene *s = begin(500, "");
	bl_journal_line lines[BL_JOURNAL_MOST];
	int n = bl_journal_lines(&s->journal, &s->history, false, lines);
	assert_int_equal(n, 1); /* messages about lambda are omitted, since the records contain the change */
	assert_int_equal(lines[0].step, 400);
	assert_string_equal(lines[0].text, "lambda 0.0051 -> 0.0056");
	bl_live_info info = recorded_info(510, RECORDED_STEPS, BL_RUN_PAUSED);
	snprintf(info.message, sizeof info.message, "step 505: lr 0.001 -> 0.002");
	bl_live_set_info(s->run, &info);
	bl_scene_read(s);
	n = bl_journal_lines(&s->journal, &s->history, false, lines);
	assert_int_equal(n, 3);
	assert_int_equal(lines[0].step, 510);
	assert_string_equal(lines[0].text, "paused");
	assert_int_equal(lines[1].step, 505);
	assert_string_equal(lines[1].text, "lr 0.001 -> 0.002");
	end(s);
}

/* If there is a journal on disk, its entries replace those that are derived from records and messages. */
static void test_journal_on_disk(void **state)
{
	(void)state;
	bl_scene *s = begin(500, "");
	bl_journal_line lines[BL_JOURNAL_MOST];
	bl_change c[] = { { .step = 399, .old = .0051, .value = .0056, .name = "lambda", .who = "viewer 4711" },
		          { .step = 450, .old = NAN, .value = NAN, .name = "pause", .who = "script" } };
	bl_live_info info = recorded_info(510, RECORDED_STEPS, BL_RUN_PAUSED);
	snprintf(info.message, sizeof info.message, "step 505: no kNN: so it is");
	bl_live_set_info(s->run, &info);
	bl_scene_read(s);
	assert_int_equal(bl_journal_write(support_scratch("journal"), c, 1), 0);
	bl_journal_load(&s->journal, support_scratch("live"));
	int n = bl_journal_lines(&s->journal, &s->history, "lambda", lines);
	assert_int_equal(n, 2);
	assert_string_equal(lines[0].text, "no kNN: so it is");
	assert_string_equal(lines[1].text, "lambda 0.0051 -> 0.0056, viewer 4711");
	assert_int_equal(bl_journal_append(support_scratch("journal"), &c[1]), 0);
	bl_journal_load(&s->journal, support_scratch("live"));
	n = bl_journal_lines(&s->journal, &s->history, "lambda", lines);
	assert_int_equal(n, 3);
	assert_string_equal(lines[1].text, "pause");
	end(s);
}

/* Consecutive single steps are one entry. */
static void test_turns(void **state)
{
	(void)state;
	bl_live_info info = recorded_info(0, 100, BL_RUN_RUNNING);
	bl_live *run = recorded_live(NULL, &info);
	bl_history *h = malloc(sizeof *h);
	for (int64_t i = 1; i <= 60; i++) {
		bl_record r = recorded_record(i, i < 11 ? .01 : i < 21 ? .01 + .001 * (double)(i - 10) : i < 40 ? .02 : 1);
		bl_live_add(run, &r);
	}
	bl_history_reset(h);
	bl_history_read(h, run);
	assert_int_equal(h->turns, 2);
	assert_int_equal(h->turn[0].first, 11);
	assert_int_equal(h->turn[0].last, 20);
	assert_close(h->turn[0].from, .01, 0);
	assert_close(h->turn[0].to, .02, 1e-15);
	assert_int_equal(h->turn[1].first, 40);
	free(h);
	bl_live_close(run);
}

/* --- Settings ------------------------------------------------------------------------ */

static void test_settings(void **state)
{
	(void)state;
	const bl_ability terminal = { .depth = BL_DEPTH_FULL, .utf8 = true };
	bl_scene *s = begin(MIDWAY, "8");
	assert_int_equal(bl_scene_ability(s, terminal).depth, BL_DEPTH_FULL);
	press(s, "l");
	assert_true(bl_scene_ability(s, terminal).light);
	press(s, "jh");
	assert_int_equal(bl_scene_ability(s, terminal).depth, BL_DEPTH_256);
	assert_int_equal(bl_scene_ability(s, plain).depth, BL_DEPTH_MONO);
	press(s, "jl");
	assert_false(bl_scene_ability(s, terminal).utf8);
	press(s, "jjjl");
	assert_close(bl_curves_of(s)->smoothing, .3, 0);
	press(s, "jl");
	assert_int_equal(s->frames_per_s, 2);
	press(s, "h");
	assert_int_equal(s->frames_per_s, 0);
	end(s);
}

/* --- The manual ------------------------------------------------------------------------ */

static const char *past_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);
	assert_non_null(at);
	return at + strlen(line);
}

/* The list of keys in the manual is that of keys.h. */
static void test_manual(void **state)
{
	(void)state;
	const char *begins = ".\\\" keys: begin\n", *ends = ".\\\" keys: end\n";
	size_t n;
	char *keys = bl_manual_keys(), *page = bl_file_read(support_source("man/barlow.1"), &n);
	assert_non_null(keys);
	assert_non_null(page);
	page = realloc(page, n + 1);
	page[n] = '\0';
	const char *from = past_line(page, begins), *to = strstr(from, ends);
	assert_non_null(to);
	if (getenv("UPDATE_GOLDEN")) {
		char *whole = malloc(n + strlen(keys) + 1);
		int length = sprintf(whole, "%.*s%s%s", (int)(from - page), page, keys, to);
		support_write(support_source("man/barlow.1"), whole, (size_t)length);
		free(whole);
	} else if (strlen(keys) != (size_t)(to - from) || memcmp(keys, from, strlen(keys)) != 0) {
		fail_msg("man/barlow.1 has other keys than src/view/keys.h; UPDATE_GOLDEN=1 writes them anew");
	}
	free(page);
	free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_view),
		cmocka_unit_test(test_changes_of_a_run),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_runs_overlaid),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_smoothing),
		cmocka_unit_test(test_track),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_effective_rank),
		cmocka_unit_test(test_view_pixels),
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_point_colours),
		cmocka_unit_test(test_points_pending),
		cmocka_unit_test(test_more_views),
		cmocka_unit_test(test_sizes_of_views),
		cmocka_unit_test(test_no_matrix_no_floor),
		cmocka_unit_test(test_journal_on_disk),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_another_loss),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_idle_weight),
		cmocka_unit_test(test_no_text_over_text),
		cmocka_unit_test(test_short_runs),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_interrupt_is_stated),
		cmocka_unit_test(test_no_points),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_written_out),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_lost),
	};
	return cmocka_run_group_tests_name("screens", tests, NULL, NULL);
}
