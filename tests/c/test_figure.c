/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_figure.c: figures contain their data; nothing in them is executed; failures are explained. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/figure.h>
#include <barlow/file.h>

#include "figure/figure.h"
#include "figure/gnuplot.h"
#include "figure/figure_record.h"
#include <barlow/hash.h>
#include "recorded_run.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool have_gnuplot(void)
{
	return system("command -v gnuplot >/dev/null 2>&1") == 0;
}

#define NEEDS_GNUPLOT() \
	do { \
		if (!have_gnuplot()) \
			skip_because("gnuplot is not installed"); \
	} while (0)

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static bl_tensor *identity(int64_t n)
{
	bl_tensor *c = bl_tensor_full(2, (int64_t[]){ n, n }, 0);
	assert_non_null(c);
	for (int64_t i = 0; i < n; i++)
		bl_tensor_put(c, (int64_t[]){ i, i }, 1);
	return c;
}

/* The bytes of the saved picture, and a final null character. */
static char *save(const bl_figure *f, const char *name, size_t *n)
{
	if (!f || bl_figure_save(f, support_scratch(name)) < 0)
		fail_msg("%s: %s", name, bl_error());
	char *bytes = bl_file_read(support_scratch(name), n);
	assert_non_null(bytes);
	bytes = realloc(bytes, *n + 1);
	assert_non_null(bytes);
	bytes[*n] = '\0';
	return bytes;
}

static void expect_in_svg(const bl_figure *f, const char *name, const char *const parts[])
{
	size_t n;
	char *svg = save(f, name, &n);
	for (int i = 0; parts[i]; i++)
		if (!strstr(svg, parts[i]))
			fail_msg("%s has no '%s'", name, parts[i]);
	assert_int_equal(strlen(svg), n);
	free(svg);
}

/* --- Scripts for gnuplot -------------------------------------------------------- */

/*
 * The whole script must equal tests/reference/figures/NAME.gp, since errors in parts of a figure are easily overlooked.
 * UPDATE_GOLDEN=1 regenerates these files, for review.
 */
static void expect_script_at(bl_figure *f, const char *name, bl_figure_width width, const char *form)
{
	char path[128];
	size_t n, have;
	if (!f)
		fail_msg("%s: %s", name, bl_error());
	char *script = bl_figure_text(f, form, width);
	assert_non_null(script);
	have = strlen(script);
	snprintf(path, sizeof path, "tests/reference/figures/%s.gp", name);
	if (getenv("UPDATE_GOLDEN"))
		support_write(support_source(path), script, have);
	char *expected = bl_file_read(support_source(path), &n);
	if (!expected)
		fail_msg("%s", bl_error());
	if (n != have || memcmp(expected, script, n) != 0)
		fail_msg("%s: the script is not that of the file, but\n%s", path, script);
	free(expected);
	free(script);
}

static void expect_script(bl_figure *f, const char *name)
{
	expect_script_at(f, name, BL_FIGURE_TEXT, "a.svg");
	bl_figure_free(f);
}

static const double ones[] = { 1, 2, 3 }, rising[] = { 10, 20, 35 }, wide[] = { .001, 1, 5000 }, some[] = { .3, 2, 40 };

static void test_scripts_of_lines(void **state)
{
	(void)state;
	bl_series s[] = { { .label = "it's", .x = ones, .y = rising, .n = 3 },
		          { .label = "'quoted' \xff\033[31m \xe2\x80\xae", .x = ones, .y = some, .n = 3 } };
	expect_script(bl_figure_lines(s, 2, &(bl_axes){ .title = "'tis", .xlabel = "x", .ylabel = "y" }), "lines");
	bl_figure *f =
		bl_figure_lines(s, 2,
	                        &(bl_axes){ .title = "50% of $x_1$ {\\input a} ~^#& \xce\xbb", .xlabel = "x", .ylabel = "y" });
	expect_script_at(f, "lines-tex", BL_FIGURE_COLUMN, "a.tex");
	expect_script_at(f, "lines-pdf-column", BL_FIGURE_COLUMN, "a.pdf");
	expect_script_at(f, "lines-png", BL_FIGURE_TEXT, "a.png");
	bl_figure_free(f);
	const char *const rows[] = { "first", "a name that is much too long for what there is of room" };
	bl_series across = { .label = "", .x = ones, .y = ones, .n = 2, .low = ones, .high = rising };
	expect_script(bl_figure_lines(&across, 1, &(bl_axes){ .points = true, .across = true, .names = rows, .named = 2 }), "rows");
	expect_script(bl_figure_lines(s, 1, &(bl_axes){ .title = "a", .logy = true }), "logy-short");
	expect_script(bl_figure_lines(s + 1, 1, &(bl_axes){ .title = "a", .logy = true }), "logy-decades");
	bl_series long_one = { .label = "across", .x = wide, .y = some, .n = 3 };
	expect_script(bl_figure_lines(&long_one, 1, &(bl_axes){ .title = "a", .logx = true }), "logx-long");
	expect_script(bl_figure_lines(s, 1, &(bl_axes){ .title = "a", .points = true }), "points");
	bl_series spread = { .label = "mean", .x = ones, .y = rising, .n = 3, .low = ones, .high = some };
	expect_script(bl_figure_lines(&spread, 1, &(bl_axes){ .title = "a" }), "intervals");
	expect_script(bl_figure_lines(s, 1, &(bl_axes){ .title = "a", .points = true, .equal = true }), "points-equal");
	bl_panel p[] = { { s, 1, { .title = "above", .logy = true } }, { &long_one, 1, { .title = "below" } } };
	expect_script(bl_figure_panels(p, 2), "panels");
}

/* There is space for numbers and labels of any width, and no line or mark lies on an axis. */
static void test_scripts_with_wide_numbers(void **state)
{
	(void)state;
	static const double steps[] = { 20000, 40000, 120000 }, loss[] = { 1e-7, 1, 1e5 }, score[] = { .20512, .2052, .2057 };
	bl_series above = { .label = "total", .x = steps, .y = loss, .n = 3 },
		  below = { .label = "", .x = steps, .y = score, .n = 3 };
	bl_panel p[] = { { &above, 1, { .title = "wide", .ylabel = "loss", .logy = true, .to = 120000 } },
		         { &below, 1, { .ylabel = "kNN accuracy (k = 200)", .xlabel = "step", .to = 120000 } } };
	bl_figure *f = bl_figure_panels(p, 2);
	expect_script_at(f, "panels-wide-column", BL_FIGURE_COLUMN, "a.gp");
	bl_figure_free(f);
	static const double low[] = { 1e-9, .5, 1e4 }, high[] = { 1e-6, 2, 1e6 };
	above.low = low;
	above.high = high;
	expect_script(bl_figure_lines(&above, 1, &(bl_axes){ .logy = true }), "logy-intervals");
}

/* A run whose loss falls from 3 to 2. */
static bl_live *narrow_run(void)
{
	static const bl_columns columns = {
		2, { { .name = "time", .unit = "s", .kind = BL_COLUMN_TIME }, { .name = "total", .kind = BL_COLUMN_TOTAL } }
	};
	bl_live *l = bl_live_create(NULL, &(bl_live_info){ .name = "narrow", .steps = 3, .batch = 8, .d = 4 }, &columns);
	for (int step = 1; step <= 3; step++) {
		bl_record r = bl_record_empty(step);
		r.value[0] = step;
		r.value[1] = 3.5 - .5 * step;
		assert_int_equal(bl_live_add(l, &r), 0);
	}
	return l;
}

/* The losses of the recorded runs, not of the narrow run, have a range that is large enough for a logarithmic axis. */
static void test_scripts_of_curves(void **state)
{
	(void)state;
	bl_live *narrow = narrow_run();
	expect_script(bl_figure_curves(narrow), "curves-narrow");
	bl_live_close(narrow);
	bl_live *run = recorded_run(NULL, 60, BL_RUN_DONE), *start = recorded_run(NULL, 3, BL_RUN_RUNNING);
	expect_script(bl_figure_curves(run), "curves");
	bl_figure *f = bl_figure_curves(run);
	expect_script_at(f, "curves-column", BL_FIGURE_COLUMN, "a.gp");
	bl_figure_free(f);
	expect_script(bl_figure_curves(start), "curves-short");
	bl_live_close(run);
	bl_live_close(start);
}

static bl_figure *beside(int n)
{
	static const char *const names[] = { "one", "it's {another} with a name that is longer than its map is wide", "c", "d",
		                             "e" };
	bl_figure *f[5];
	for (int i = 0; i < n; i++) {
		bl_tensor *c = identity(i + 2);
		f[i] = bl_figure_heatmap(c, names[i], 64 >> i);
		bl_tensor_unref(c);
	}
	return bl_figure_beside(f, n);
}

/* All matrices have the colour scale of the smallest batch, for which the level of chance is highest. */
static void test_heatmaps_beside_each_other(void **state)
{
	(void)state;
	int64_t rows, cols;
	bl_extent dims;
	bl_scale scale;
	bl_figure *f = beside(2);
	expect_script_at(f, "heatmaps-column", BL_FIGURE_COLUMN, "a.gp");
	expect_script_at(f, "heatmaps-tex", BL_FIGURE_TEXT, "a.tex");
	bl_figure_free(f);
	f = beside(5);
	assert_int_equal(bl_figure_parts(f), 5);
	for (int i = 0; i < 5; i++) {
		bl_figure_dots(bl_figure_part(f, i), &rows, &cols, &dims, &scale);
		assert_int_equal(rows, i + 2);
		assert_close(scale.chance, bl_scale_of_chance(4, 1, false).chance, 0);
	}
	expect_script_at(f, "heatmaps", BL_FIGURE_TEXT, "a.gp");
	bl_figure_free(f);
	bl_series many[65];
	for (int i = 0; i < 65; i++)
		many[i] = (bl_series){ .x = (double[]){ 1, 2 }, .y = (double[]){ 1, 2 }, .n = 2 };
	assert_null(bl_figure_lines(many, 65, &(bl_axes){ 0 }));
	assert_error("1 to 64 series with points in them, not 65 with 130 points");
	bl_figure *twice[] = { beside(2), beside(2) };
	assert_null(bl_figure_beside(twice, 2));
	assert_error("figure 1 is not a matrix");
	assert_null(beside(1));
	assert_error("2 to 16 matrices");
	bl_fail("the reason why there is no figure");
	assert_null(bl_figure_beside((bl_figure *[]){ NULL, NULL }, 2));
	assert_error("the reason why there is no figure");
}

/*
 * Of a matrix of 1 x 1025 elements, each dot is the root mean square of three; the last dot has only two.  Rows are drawn
 * from the top down.
 */
static void test_dots_of_a_heatmap(void **state)
{
	(void)state;
	enum { COLUMNS = 1025, DOTS = 342 };
	int64_t rows, cols;
	bl_extent dims;
	bl_scale scale;
	bl_tensor *c = bl_tensor_full(2, (int64_t[]){ 1, COLUMNS }, 0);
	bl_tensor_put(c, (int64_t[]){ 0, 0 }, 3);
	bl_tensor_put(c, (int64_t[]){ 0, 5 }, .6f);
	bl_tensor_put(c, (int64_t[]){ 0, COLUMNS - 1 }, 1);
	bl_figure *f = bl_figure_heatmap(c, "wide", 0);
	const float *dots = bl_figure_dots(f, &rows, &cols, &dims, &scale);
	assert_int_equal(cols, DOTS);
	assert_int_equal(rows, 1);
	assert_close(dots[0], sqrt(3), 1e-6);
	assert_close(dots[1], .6 / sqrt(3), 1e-6);
	assert_close(dots[2], 0, 0);
	assert_close(dots[DOTS - 1], sqrt(.5), 1e-6);
	bl_figure_free(f);
	bl_tensor_unref(c);
	c = bl_tensor_full(2, (int64_t[]){ 400, 1 }, 0);
	bl_tensor_put(c, (int64_t[]){ 0, 0 }, 1);
	f = bl_figure_heatmap(c, "tall", 0);
	dots = bl_figure_dots(f, &rows, &cols, &dims, &scale);
	assert_close(dots[0], 1, 0);
	assert_close(dots[399], 0, 0);
	char *script = bl_figure_text(f, "a.gp", BL_FIGURE_TEXT);
	assert_non_null(strstr(script, "set yrange [400.5:0.5]"));
	assert_non_null(strstr(script, "$M << EOD\n1\n0\n"));
	free(script);
	bl_figure_free(f);
	bl_tensor_unref(c);
}

/* --- The content of figures ---------------------------------------------------------- */

static void test_curves(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_live *run = recorded_run(NULL, 500, BL_RUN_DONE);
	bl_figure *f = bl_figure_curves(run);
	const char *const parts[] = { "<svg",
		                      "recorded",
		                      "batch 256, D 256",
		                      "λ·redundancy",
		                      "invariance",
		                      "total",
		                      "floor",
		                      "kNN accuracy",
		                      "step",
		                      ">100<",
		                      ">0.5<",
		                      "</svg>",
		                      NULL };
	expect_in_svg(f, "curves.svg", parts);
	bl_figure_free(f);
	bl_live_close(run);
}

static void test_curves_of_nothing(void **state)
{
	(void)state;
	bl_live *run = recorded_run(NULL, 0, BL_RUN_NEW);
	assert_null(bl_figure_curves(run));
	assert_error("no records");
	bl_live_close(run);
}

static void test_heatmap(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_tensor *c = identity(8), *turned = bl_tensor_full(2, (int64_t[]){ 3, 1100 }, .5f);
	bl_figure *f = bl_figure_heatmap(c, "small", 0), *g = bl_figure_heatmap(turned, NULL, 0);
	const char *const small[] = { "small", "8 × 8", "first view", "<image", ">-0.5<", NULL };
	expect_in_svg(f, "heat.svg", small);
	const char *const large[] = { "3 × 1100, a dot is the rms of 3 × 3 elements", NULL };
	expect_in_svg(g, "wide.svg", large);
	bl_figure_free(f);
	bl_figure_free(g);
	bl_tensor_unref(turned);
	bl_tensor_unref(c);
}

/* The numbers on the colour scale are at their positions; the level of chance is in the middle. */
static void test_heatmap_scale(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_tensor *c = identity(8);
	bl_figure *f = bl_figure_heatmap_of(c, "log", &(bl_extent){ 1, 8, 1, 8 }, (bl_scale){ .0625, true });
	bl_figure *g = bl_figure_heatmap(c, "chance", 17);
	const char *const log[] = { ">±0.062<", ">0.5<", ">-0.5<", ">0.2<", ">0.1<", ">1<", "±0.062: what chance gives", NULL };
	expect_in_svg(f, "log.svg", log);
	const char *const chance[] = { ">±0.6<", ">0.8<", ">-1<", NULL }; /* (1 + sqrt(2)) / 4 */
	expect_in_svg(g, "chance.svg", chance);
	bl_figure_free(f);
	bl_figure_free(g);
	bl_tensor_unref(c);
}

static void test_heatmap_column(void **state)
{
	(void)state;
	bl_tensor *c = identity(8);
	bl_figure *f = bl_figure_heatmap(c, "small", 17);
	expect_script_at(f, "heatmap-column", BL_FIGURE_COLUMN, "a.gp");
	expect_script(f, "heatmap-text");
	bl_tensor_unref(c);
}

/* If the elements of a matrix are cells, its axes count dimensions, not cells. */
static void test_heatmap_of_dims(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_tensor *c = identity(8);
	bl_figure *f = bl_figure_heatmap_of(c, "cells", &(bl_extent){ 1000, 200, 0, 200 }, (bl_scale){ 0, false });
	const char *const parts[] = { "200 × 200", "> 1150<", "> 150<", NULL };
	expect_in_svg(f, "dims.svg", parts);
	bl_figure_free(f);
	bl_tensor_unref(c);
}

static void test_heatmap_refuses(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_full(3, (int64_t[]){ 2, 3, 4 }, 0);
	assert_null(bl_figure_heatmap(t, "no matrix", 0));
	assert_error("(2, 3, 4)");
	bl_tensor_unref(t);
}

static const double xs[] = { .001, .01, .1 }, ys[] = { .8, NAN, .9 };

static void test_lines(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_series s[] = { { .label = "first", .x = xs, .y = ys, .n = 3 },
		          { .label = NULL, .x = xs, .y = xs, .n = 3 },
		          { .label = "none", .x = xs, .y = ys, .n = 0 } };
	bl_figure *f = bl_figure_lines(s, 3, &(bl_axes){ .title = "title", .xlabel = "lambda", .ylabel = "kNN", .logx = true });
	const char *const parts[] = { "title", "lambda", "kNN", "first", ">0.01<", NULL };
	expect_in_svg(f, "lines.svg", parts);
	bl_figure_free(f);
	assert_null(bl_figure_lines(s + 2, 1, &(bl_axes){ 0 }));
	assert_error("0 points");
}

/* Each panel has its own axes; points are not connected by lines. */
static void test_panels(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_series s[] = { { .label = "first", .x = xs, .y = ys, .n = 3 }, { .label = "second", .x = xs, .y = xs, .n = 3 } };
	bl_panel p[] = { { s, 1, { .title = "above", .ylabel = "kNN", .logx = true } },
		         { s + 1, 1, { .title = "", .xlabel = "below", .points = true } } };
	bl_figure *f = bl_figure_panels(p, 2);
	const char *const parts[] = { "above", "kNN", "first", ">0.01<", "below", "second", NULL };
	expect_in_svg(f, "panels.svg", parts);
	bl_figure_free(f);
	p[1].n = 0;
	assert_null(bl_figure_panels(p, 2));
	assert_error("not 0 with 0 points");
	assert_null(bl_figure_panels(p, 0));
	assert_error("1 to 16 panels, not 0");
}

static void test_image(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	const uint8_t rgb[2 * 3 * 3] = { 255, 0, 10 };
	const char *const notes[] = { "one 'note'", "another" };
	bl_figure *f = bl_figure_image(rgb, 3, 2, "pixels", notes, 2);
	const char *const parts[] = { "pixels", "<image", "one 'note'", "another", NULL };
	expect_in_svg(f, "image.svg", parts);
	bl_figure_free(f);
	assert_null(bl_figure_image(rgb, 0, 2, "none", notes, 2));
	assert_error("0 x 2");
}

static void test_formats(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	static const struct {
		const char *name, *magic;
	} all[] = {
		{ "f.png", "\x89PNG" },
		{ "f.PDF", "%PDF" },
		{ "f.svg", "<?xml" },
		{ "it's | a `name`.png", "\x89PNG" },
		{ "f.tex", "% GNUPLOT: LaTeX2e picture" },
		{ "f.gp", "set terminal svg" },
	};
	bl_tensor *c = identity(4);
	bl_figure *f = bl_figure_heatmap(c, "t", 0);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		size_t n;
		char *bytes = save(f, all[i].name, &n);
		assert_memory_equal(bytes, all[i].magic, strlen(all[i].magic));
		free(bytes);
	}
	bl_figure_free(f);
	bl_tensor_unref(c);
}

/* A saved script draws the figure without other files, and a file named "|program" executes no program. */
static void test_kept_script(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	size_t n;
	char command[1024];
	bl_tensor *c = identity(4);
	bl_figure *f = bl_figure_heatmap(c, "its title", 0);
	free(save(f, "|touch pwned.gp", &n));
	const char *script = support_scratch("|touch pwned.gp");
	snprintf(command, sizeof command,
	         "cd \"$(dirname '%s')\" && gnuplot '%s' && grep -q 'its title' '|touch pwned.gp.svg' && ! test -e pwned.gp",
	         script, script);
	assert_int_equal(system(command), 0);
	bl_figure_free(f);
	bl_tensor_unref(c);
}

/* --- Records ---------------------------------------------------------------------------- */

/* A record, even a long one, can be extracted from each format, and the picture without the record has the stored hash. */
static void test_records(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	static const char *const names[] = { "r.svg", "r.png", "r.pdf", "r.tex", "r.gp" };
	enum { LONG = 300000 };
	char *record = malloc(LONG + 16), picture[BL_FIGURE_HASH], start[BL_FIGURE_HASH + 32];
	bl_tensor *c = identity(4);
	bl_figure *f = bl_figure_heatmap(c, "t", 0);
	snprintf(record, 16, "{\"data\":\"");
	for (size_t i = strlen(record); i < LONG; i++)
		record[i] = "abcdefgh"[i % 7];
	strcpy(record + LONG, "\"}");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *path = support_scratch(names[i]);
		assert_int_equal(bl_figure_save_as(f, path, &(bl_figure_style){ .record = record }), 0);
		char *found = bl_figure_record(path, picture);
		if (!found)
			fail_msg("%s", bl_error());
		snprintf(start, sizeof start, "{\"picture\":\"%s\",", picture);
		assert_memory_equal(found, start, strlen(start));
		assert_string_equal(found + strlen(start), record + 1);
		free(found);
	}
	free(record);
	bl_figure_free(f);
	bl_tensor_unref(c);
}

/* A changed picture has another hash; a damaged or missing record is reported. */
static void test_changed_figures(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	static const char *const names[] = { "h.svg", "h.png", "h.pdf", "h.tex", "h.gp" };
	char picture[BL_FIGURE_HASH];
	size_t n;
	bl_tensor *c = identity(4);
	bl_figure *f = bl_figure_heatmap(c, "t", 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *path = support_scratch(names[i]);
		assert_int_equal(bl_figure_save_as(f, path, &(bl_figure_style){ .record = "{\"a\":1}" }), 0);
		char *bytes = bl_file_read(path, &n);
		bytes[n - 20] ^= 1;
		char *found = bl_figure_record_of(bytes, n, picture);
		assert_true(!found || !strstr(found, picture));
		free(found);
		free(bytes);
		assert_int_equal(bl_figure_save(f, path), 0);
		assert_null(bl_figure_record(path, picture));
		assert_error("no record by barlow");
	}
	bl_figure_free(f);
	bl_tensor_unref(c);
	assert_null(bl_figure_record(support_scratch("nothing.svg"), picture));
	assert_null(bl_figure_record_of("", 0, picture));
}

/* A process with a German locale writes 0.5 as 0,5, which gnuplot must not receive. */
static void test_comma_locale(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		skip_because("no locale with a decimal comma is installed");
	bl_series s = { .label = "s", .x = xs, .y = xs, .n = 3 };
	bl_figure *f = bl_figure_lines(&s, 1, &(bl_axes){ .title = "t" });
	const char *const parts[] = { ">0.1<", NULL };
	expect_in_svg(f, "comma.svg", parts);
	bl_figure_free(f);
	setlocale(LC_NUMERIC, "C");
}

/* --- Nothing in a figure is executed --------------------------------------------------------------- */

/* Bytes that are not UTF-8 would make an SVG invalid. */
static void test_malformed_text(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	bl_series s = { .label = "\xff\xfe", .x = xs, .y = ys, .n = 3 };
	bl_figure *f = bl_figure_lines(&s, 1, &(bl_axes){ .title = "\xc3", .xlabel = "'" });
	const char *const parts[] = { "\\xff\\xfe", "\\xc3", NULL };
	expect_in_svg(f, "malformed.svg", parts);
	bl_figure_free(f);
}

static void test_hostile_text(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	char mark[300], title[2600];
	snprintf(mark, sizeof mark, "%s", support_scratch("pwned"));
	snprintf(title, sizeof title,
	         "`touch %s` $(touch %s) '`touch %s`' '.system('touch %s').' \"| touch %s\"\nsystem('touch "
	         "%s')\nEOD\n!touch %s\n@x \\' %%s",
	         mark, mark, mark, mark, mark, mark, mark);
	bl_series s = { .label = title, .x = xs, .y = ys, .n = 3 };
	bl_figure *f = bl_figure_lines(&s, 1, &(bl_axes){ .title = title, .xlabel = title, .ylabel = title, .logy = true });
	const char *const parts[] = { "`touch ", "$(touch " };
	size_t n;
	char *svg = save(f, "hostile.svg", &n);
	assert_non_null(strstr(svg, parts[0]));
	assert_non_null(strstr(svg, parts[1]));
	free(svg);
	bl_tensor *c = identity(2);
	bl_figure *g = bl_figure_heatmap(c, title, 0);
	free(save(g, "hostile.png", &n));
	assert_false(exists(mark));
	bl_figure_free(f);
	bl_figure_free(g);
	bl_tensor_unref(c);
}

/* --- Failures ----------------------------------------------------------------------- */

static void test_bad_paths(void **state)
{
	(void)state;
	bl_tensor *c = identity(2);
	bl_figure *f = bl_figure_heatmap(c, "t", 0);
	assert_int_equal(bl_figure_save(f, "picture.gif"), -1);
	assert_error("picture.gif: a figure's name ends in .svg, .png, .pdf, .tex or .gp");
	assert_int_equal(bl_figure_save(f, "folder.png/picture"), -1);
	assert_error(".svg, .png, .pdf, .tex or .gp");
	if (have_gnuplot()) {
		assert_int_equal(bl_figure_save(f, support_scratch("none/picture.png")), -1);
		assert_error("none/picture.png: ");
	}
	bl_figure_free(f);
	bl_tensor_unref(c);
}

static void save_without_gnuplot(const char *folder)
{
	char *path = strdup(getenv("PATH"));
	bl_tensor *c = identity(2);
	bl_figure *f = bl_figure_heatmap(c, "t", 0);
	setenv("PATH", folder, 1);
	int rc = bl_figure_save(f, support_scratch("none.png"));
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(rc, -1);
	assert_error("gnuplot-nox");
	assert_false(exists(support_scratch("none.png")));
	bl_figure_free(f);
	bl_tensor_unref(c);
}

static void test_no_gnuplot(void **state)
{
	(void)state;
	save_without_gnuplot("/nonexistent");
}

/* If posix_spawn uses fork, for example under qemu's user emulation, a missing program is only reported by status 127. */
static void test_no_gnuplot_with_fork(void **state)
{
	(void)state;
	const char *program = support_scratch("gnuplot");
	FILE *f = fopen(program, "w");
	assert_non_null(f);
	fputs("#!/bin/sh\nexit 127\n", f);
	fclose(f);
	assert_int_equal(chmod(program, 0755), 0);
	save_without_gnuplot(support_scratch("."));
}

static void test_gnuplot_fails(void **state)
{
	(void)state;
	NEEDS_GNUPLOT();
	static const char script[] = "set terminal svg\nplot nonsense\nplot x\n";
	void *picture;
	size_t n;
	assert_int_equal(bl_gnuplot_run(&(bl_piece){ script, strlen(script) }, 1, &picture, &n), -1);
	assert_error("gnuplot failed: ");
	assert_error("undefined variable: nonsense");
}

/* If gnuplot ends while the script is written to it, no signal ends this process, and gnuplot's message is reported. */
static void test_gnuplot_ends_early(void **state)
{
	(void)state;
	static const char program[] = "#!/bin/sh\necho 'had enough' >&2\nexit 3\n";
	const char *fake = support_scratch("gnuplot");
	char *before = strdup(getenv("PATH")), path[4096], *folder = strdup(fake);
	enum { LONG = 8 << 20 };
	char *script = calloc(1, LONG);
	void *picture;
	size_t n;
	assert_true(before && folder && script);
	support_write(fake, program, strlen(program));
	assert_int_equal(chmod(fake, 0755), 0);
	*strrchr(folder, '/') = '\0';
	snprintf(path, sizeof path, "%s:%s", folder, before);
	setenv("PATH", path, 1);
	int rc = bl_gnuplot_run(&(bl_piece){ script, LONG }, 1, &picture, &n);
	setenv("PATH", before, 1);
	unlink(fake);
	free(before);
	free(folder);
	free(script);
	assert_int_equal(rc, -1);
	assert_error("gnuplot failed: had enough");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts_of_lines),
		cmocka_unit_test(test_scripts_with_wide_numbers),
		cmocka_unit_test(test_scripts_of_curves),
		cmocka_unit_test(test_heatmaps_beside_each_other),
		cmocka_unit_test(test_dots_of_a_heatmap),
		cmocka_unit_test(test_curves),
		cmocka_unit_test(test_curves_of_nothing),
		cmocka_unit_test(test_heatmap),
		cmocka_unit_test(test_heatmap_column),
		cmocka_unit_test(test_heatmap_of_dims),
		cmocka_unit_test(test_heatmap_scale),
		cmocka_unit_test(test_panels),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_heatmap_refuses),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_kept_script),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_changed_figures),
		cmocka_unit_test(test_comma_locale),
		cmocka_unit_test(test_malformed_text),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_no_gnuplot),
		cmocka_unit_test(test_no_gnuplot_with_fork),
		cmocka_unit_test(test_gnuplot_fails),
		cmocka_unit_test(test_gnuplot_ends_early),
	};
	return cmocka_run_group_tests_name("figure", tests, NULL, NULL);
}
