/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_heatmap.c: the heatmap: golden frames with and without colours, parts of matrices, the cursor, earlier steps,
 * exported files.
 */
#include "golden.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/tensor.h>

#include "recorded_run.h"
#include "view/key_actions.h"
#include "view/frame.h"
#include "view/heatmap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIDWAY = 700 };

static const bl_ability plain = { .depth = BL_DEPTH_MONO, .utf8 = true }, ascii = { .depth = BL_DEPTH_MONO },
			coloured = { .depth = BL_DEPTH_256, .utf8 = true };

/* --- A screen and its run --------------------------------------------------------- */

struct stage {
	bl_live *run;
	bl_scene *s;
	bl_canvas *c;
	int w, h;
	bl_ability can;
};

static void draw(struct stage *g)
{
	bl_canvas_free(g->c);
	g->s->on = NULL;
	g->c = bl_canvas_new(g->w, g->h, g->can);
	assert_non_null(g->c);
	bl_frame_draw(g->s, g->c);
	g->s->on = g->c;
}

static struct stage stage_new(int64_t step, int w, int h, bl_ability can)
{
	struct stage g = { .run = recorded_run(NULL, step, BL_RUN_RUNNING), .w = w, .h = h, .can = can };
	assert_non_null(g.run);
	g.s = bl_scene_new(g.run);
	assert_non_null(g.s);
	bl_scene_read(g.s);
	bl_control_key(g.s, '2');
	draw(&g);
	return g;
}

static void stage_free(struct stage *g)
{
	bl_canvas_free(g->c);
	bl_scene_free(g->s);
	bl_live_close(g->run);
}

/* Answers the view's request in the run, as a trainer does with its next snapshot. */
static void answer(struct stage *g)
{
	bl_region asked;
	bl_snapshot *p = malloc(sizeof *p);
	assert_non_null(p);
	bl_scene_read(g->s);
	assert_true(bl_live_requested(g->run, &asked));
	recorded_snapshot(g->s->info.step, p);
	recorded_region(g->s->info.step, &asked, p);
	bl_live_publish(g->run, p);
	bl_scene_read(g->s);
	free(p);
	draw(g);
}

static void press(struct stage *g, const char *keys)
{
	for (; *keys; keys++) {
		bl_control_key(g->s, BL_KEY(keys));
		draw(g);
	}
}

static bool shows(const struct stage *g, const char *text)
{
	char *all = bl_canvas_string(g->c);
	bool found = strstr(all, text) != NULL;
	if (!found)
		print_message("# not here: %s\n%s", text, all);
	free(all);
	return found;
}

/* --- Golden frames ------------------------------------------------------------------ */

static void test_golden(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int w, h;
		bl_ability can;
		const char *keys;
	} all[] = {
		{ "heatmap-80x24", 80, 24, { .depth = BL_DEPTH_MONO, .utf8 = true }, "" },
		{ "heatmap-120x40", 120, 40, { .depth = BL_DEPTH_MONO, .utf8 = true }, "" },
		{ "heatmap-200x60", 200, 60, { .depth = BL_DEPTH_MONO, .utf8 = true }, "" },
		{ "heatmap-40x12", 40, 12, { .depth = BL_DEPTH_MONO, .utf8 = true }, "l" },
		{ "heatmap-ascii-120x40", 120, 40, { .depth = BL_DEPTH_MONO }, "" },
		{ "heatmap-256-80x24", 80, 24, { .depth = BL_DEPTH_256, .utf8 = true }, "" },
		{ "heatmap-256-120x40", 120, 40, { .depth = BL_DEPTH_256, .utf8 = true }, "" },
		{ "heatmap-256-200x60", 200, 60, { .depth = BL_DEPTH_256, .utf8 = true }, "" },
		{ "heatmap-light-80x24", 80, 24, { .depth = BL_DEPTH_256, .utf8 = true, .light = true }, "g" },
		{ "heatmap-zoom-80x24", 80, 24, { .depth = BL_DEPTH_256, .utf8 = true }, "kkkhhhzzzz" },
		{ "heatmap-minus-80x24", 80, 24, { .depth = BL_DEPTH_256, .utf8 = true }, "tgm" },
		{ "heatmap-cluster-80x24", 80, 24, { .depth = BL_DEPTH_256, .utf8 = true }, "oo" },
		{ "heatmap-past-80x24", 80, 24, { .depth = BL_DEPTH_256, .utf8 = true }, "f[[[[[d" },
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct stage g = stage_new(MIDWAY, all[i].w, all[i].h, all[i].can);
		press(&g, all[i].keys);
		answer(&g);
		golden_compare_canvas(all[i].name, g.c);
		stage_free(&g);
	}
}

static void test_beside(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 120, 40, coloured);
	bl_scene_compare(g.s, recorded_run(NULL, 60, BL_RUN_RUNNING));
	press(&g, "l");
	answer(&g);
	golden_compare_canvas("heatmap-beside-120x40", g.c);
	stage_free(&g);
}

static void mark_four(struct stage *g)
{
	for (int i = 0; i < 4; i++)
		g->s->marked[i] = recorded_run(NULL, 60 + 200 * i, BL_RUN_RUNNING);
}

static void test_several(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int w, h;
		bl_ability can;
	} all[] = {
		{ "heatmap-several-80x24", 80, 24, { .depth = BL_DEPTH_MONO, .utf8 = true } },
		{ "heatmap-several-120x40", 120, 40, { .depth = BL_DEPTH_256, .utf8 = true } },
		{ "heatmap-several-200x60", 200, 60, { .depth = BL_DEPTH_MONO, .utf8 = true } },
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct stage g = stage_new(MIDWAY, all[i].w, all[i].h, all[i].can);
		press(&g, "M");
		assert_non_null(strstr(g.s->notice, "no other run is marked"));
		g.s->notice[0] = '\0';
		mark_four(&g);
		press(&g, "M");
		answer(&g);
		golden_compare_canvas(all[i].name, g.c);
		press(&g, "M");
		assert_true(shows(&g, "RankMe")); /* one matrix is shown again, with its numbers */
		stage_free(&g);
	}
}

/* Presses random keys at several sizes, with late and timely answers of the run; sanitizers detect errors. */
static void test_any_keys(void **state)
{
	(void)state;
	static const char keys[] = "hjklHJKLzzz<>Z0toofd[[]n2gmbM" BL_KEYS_HOME BL_KEYS_END BL_KEYS_PAGE_UP;
	const bl_ability abilities[] = { plain, ascii, coloured, { .depth = BL_DEPTH_16 } };
	uint32_t seed = 1;
	for (int k = 0; k < 12; k++) {
		struct stage g = stage_new(k == 0 ? 0 : k * 50, 40 + k * 9, 12 + k * 5, abilities[k % 4]);
		if (k % 4 == 3)
			mark_four(&g);
		if (k % 3 == 2)
			bl_scene_compare(g.s, recorded_run(NULL, 60, BL_RUN_RUNNING));
		for (int i = 0; i < 150; i++) {
			seed = seed * 1664525u + 1013904223u;
			bl_control_key(g.s, BL_KEY(&keys[(seed >> 16) % (sizeof keys - 1)]));
			bl_mouse m = { (bl_mouse_kind)((seed >> 8) % 3), (int)(seed >> 20) % g.w, (int)(seed >> 12) % g.h };
			bl_control_key(g.s, bl_key_of_mouse(m));
			draw(&g);
			if (i % 7 == 0 && k > 0)
				answer(&g);
		}
		stage_free(&g);
	}
}

/* --- Correct values ------------------------------------------------------------ */

/* After zooming in, each dot is an element of the requested region, in its colour. */
static void test_elements(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	bl_snapshot *p = malloc(sizeof *p);
	press(&g, "zzzm");
	answer(&g);
	bl_heatmap_layout place = bl_heatmap_lay_out(g.s, coloured, bl_frame_room(g.s, 80, 24));
	const bl_picture *shown = &bl_heatmap_look(g.s)->shown;
	assert_int_equal(shown->part.rows, RECORDED_D / 8);
	assert_int_equal(shown->cells, RECORDED_D / 8);
	for (int i = 0; i < shown->cells; i++)
		for (int j = 0; j < shown->cells; j++) {
			bl_region one = { .row = shown->part.row + i, .col = shown->part.col + j, .rows = 1, .cols = 1 };
			recorded_region(MIDWAY, &one, p);
			const bl_screen_cell *cell = bl_canvas_cell(g.c, place.picture[0].x + j, place.picture[0].y + i / 2);
			int32_t want = bl_colour_diverging_few(p->region_mean[0], 256, false);
			int32_t upper = cell->glyph == ' ' ? cell->bg : cell->fg;
			assert_int_equal(i % 2 ? cell->bg : upper, want);
		}
	free(p);
	stage_free(&g);
}

/* Until the run answers, cells of the whole C are shown, with their coordinates. */
static void test_late_answer(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	press(&g, "zzzz");
	assert_true(shows(&g, "121..136 x 121..136 of 256"));
	assert_true(shows(&g, "requested, not here yet"));
	assert_int_equal(bl_heatmap_look(g.s)->shown.cells, 8);
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 8; j++)
			assert_close(bl_heatmap_look(g.s)->shown.mean[i * 8 + j],
			             g.s->snapshot.mean[(60 + i) * BL_GRID_MAX + 60 + j], 0);
	answer(&g);
	assert_true(shows(&g, "121..136 x 121..136 of 256: single elements"));
	press(&g, "oo");
	assert_true(shows(&g, "being sorted by the run"));
	press(&g, "o");
	press(&g, "ttt");
	assert_true(shows(&g, "C  121..136"));
	answer(&g);
	assert_true(shows(&g, "C of view 1 with itself"));
	stage_free(&g);
}

/* The message for an impossible order differs from that for an order that is not computed yet. */
static void test_too_large_to_sort(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	bl_snapshot *p = malloc(sizeof *p);
	recorded_snapshot(MIDWAY + 1, p);
	p->d = 8 * RECORDED_D;
	bl_live_publish(g.run, p);
	bl_scene_read(g.s);
	press(&g, "oo");
	assert_true(shows(&g, "D is too large to sort by cluster"));
	free(p);
	stage_free(&g);
}

static bl_picture *taken(const bl_snapshot *p, const bl_region *want, bl_shape shape)
{
	bl_picture *q = malloc(sizeof *q);
	assert_non_null(q);
	bl_region r = bl_picture_clamp(want, p->d);
	assert_true(bl_picture_take(q, p, &r));
	bl_picture_shape(q, p, shape);
	return q;
}

/* C - I, pooled over cells that the diagonal crosses in any way, equals the mean of single elements. */
static void test_minus_identity(void **state)
{
	(void)state;
	bl_snapshot *p = malloc(sizeof *p), *one = malloc(sizeof *one);
	bl_region want = { .row = 3, .rows = 200, .col = 11, .cols = 200 }, all = { .rows = 0 };
	recorded_snapshot(MIDWAY, p);
	recorded_region(MIDWAY, &want, p);
	bl_picture *q = taken(p, &want, BL_SHAPE_MINUS_I);
	assert_true(bl_picture_is(q, &want));
	for (int i = 0; i < q->cells; i += 9)
		for (int j = 0; j < q->cells; j++) {
			double sum = 0;
			int n = 0;
			for (int a = want.row + q->edge[0][i]; a < want.row + q->edge[0][i + 1]; a++)
				for (int b = want.col + q->edge[1][j]; b < want.col + q->edge[1][j + 1]; b++, n++) {
					bl_region r = { .row = a, .col = b, .rows = 1, .cols = 1 };
					recorded_region(MIDWAY, &r, one);
					sum += one->region_mean[0] - (a == b);
				}
			assert_close(q->mean[i * q->cells + j], sum / n, 1e-6);
		}
	free(q);
	q = taken(p, &all, BL_SHAPE_MINUS_I); /* computed from cells of the whole C, 2 x 2 elements each */
	for (int k = 0; k < q->cells; k++) {
		float a = p->diagonal[2 * k] - 1, b = p->diagonal[2 * k + 1] - 1;
		assert_close(q->extreme[k * q->cells + k], fabsf(a) > fabsf(b) ? a : b, 1e-7);
	}
	free(q);
	free(one);
	free(p);
}

static void test_difference(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	bl_snapshot *then = malloc(sizeof *then);
	press(&g, "d");
	assert_true(shows(&g, "no reference yet"));
	press(&g, "f" BL_KEYS_HOME "d");
	assert_true(shows(&g, "change of C"));
	assert_int_equal(bl_live_snapshot_at(g.run, 0, then), bl_heatmap_look(g.s)->shown.step);
	for (int k = 0; k < BL_GRID_MAX * BL_GRID_MAX; k += 17)
		assert_close(bl_heatmap_look(g.s)->shown.mean[k], then->mean[k] - g.s->snapshot.mean[k], 1e-6);
	press(&g, "o"); /* in another order, cells have other dimensions, so no difference is shown */
	answer(&g);
	press(&g, BL_KEYS_END);
	assert_true(shows(&g, "no difference: step 700 has other dims"));
	press(&g, "f");
	assert_int_equal(bl_heatmap_look(g.s)->reference.step, -1);
	free(then);
	stage_free(&g);
}

/* --- Earlier steps ------------------------------------------------------------------------------- */

static void test_time(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	int n = bl_live_snapshot_count(g.run);
	assert_true(n > 3);
	press(&g, "]");
	assert_true(shows(&g, "this is the newest snapshot already"));
	int64_t last = MIDWAY;
	for (int k = 1; k < n; k++) {
		press(&g, "[");
		assert_true(bl_heatmap_look(g.s)->past.step < last);
		last = bl_heatmap_look(g.s)->past.step;
	}
	press(&g, "[");
	assert_int_equal(bl_heatmap_look(g.s)->past.step, last); /* the first snapshot stays selected */
	for (int k = 1; k < n; k++) {
		assert_true(bl_heatmap_look(g.s)->past.step >= 0);
		press(&g, "]");
	}
	assert_int_equal(bl_heatmap_look(g.s)->past.step, -1);
	press(&g, BL_KEYS_HOME);
	assert_int_equal(bl_heatmap_look(g.s)->past.step, last);
	press(&g, BL_KEYS_END);
	assert_int_equal(bl_heatmap_look(g.s)->past.step, -1);
	stage_free(&g);
}

/* --- The cursor --------------------------------------------------------------------------- */

static void test_cursor(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	press(&g, "j"); /* the cursor begins in the middle and moves one dot of 8 dimensions down */
	assert_true(shows(&g, "i 137..144, j 129..136"));
	press(&g, "zzzz");
	answer(&g);
	press(&g, "kk");
	char value[32];
	snprintf(value, sizeof value, "value %.4f", recorded_element(MIDWAY, 134, 128));
	assert_true(shows(&g, "i 135, j 129"));
	assert_true(shows(&g, value));
	for (int k = 0; k < 300; k++)
		press(&g, "h"); /* at the edge of the picture, the part of the matrix that is shown moves with the cursor */
	answer(&g);
	assert_true(shows(&g, "i 135, j 1"));
	assert_int_equal(bl_heatmap_look(g.s)->from[1], 0);
	press(&g, "0");
	assert_true(shows(&g, "i 129..136, j 1..8"));
	stage_free(&g);
}

static void test_mouse(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	bl_control_key(g.s, bl_key_of_mouse((bl_mouse){ BL_MOUSE_CLICK, 3, 3 + 5 }));
	draw(&g);
	assert_true(shows(&g, "i 81..88, j 25..32"));
	bl_control_key(g.s, bl_key_of_mouse((bl_mouse){ BL_MOUSE_WHEEL_UP, 3, 3 + 5 }));
	draw(&g);
	assert_int_equal(bl_heatmap_look(g.s)->side, RECORDED_D / 2);
	assert_int_equal(bl_heatmap_look(g.s)->from[0], 40); /* the element under the mouse stays under the mouse */
	assert_int_equal(bl_heatmap_look(g.s)->from[1], 12);
	bl_control_key(g.s, bl_key_of_mouse((bl_mouse){ BL_MOUSE_WHEEL_DOWN, 3, 3 + 5 }));
	assert_int_equal(bl_heatmap_look(g.s)->side, 0);
	bl_control_key(g.s, bl_key_of_mouse((bl_mouse){ BL_MOUSE_CLICK, 79, 0 })); /* a click beside the picture has no effect */
	assert_int_equal(bl_heatmap_look(g.s)->side, 0);
	stage_free(&g);
}

/* --- Files ---------------------------------------------------------------------------------- */

static void test_files(void **state)
{
	(void)state;
	struct stage g = stage_new(MIDWAY, 80, 24, coloured);
	char here[4096];
	size_t n;
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(support_scratch("")), 0);
	press(&g, "x");
	char *csv = bl_file_read("barlow-recorded-heatmap-700.csv", &n);
	bl_tensor *npy = bl_npy_load("barlow-recorded-heatmap-700.npy");
	press(&g, "s");
	char *text = bl_file_read("barlow-recorded-heatmap-700.txt", &n);
	assert_true(shows(&g, "the screen was saved as barlow-recorded-heatmap-700.txt"));
	assert_int_equal(chdir(here), 0);
	assert_non_null(csv);
	assert_memory_equal(csv, "dim,1,3,5,", 10);
	assert_non_null(npy);
	assert_int_equal(bl_tensor_size(npy, 1), BL_GRID_MAX);
	const bl_picture *shown = &bl_heatmap_look(g.s)->shown;
	for (int k = 0; k < BL_GRID_MAX * BL_GRID_MAX; k++) {
		bool on = k / BL_GRID_MAX == k % BL_GRID_MAX;
		assert_close(bl_tensor_data(npy)[k], on ? shown->diagonal[k] : shown->rms[k], 0);
	}
	assert_non_null(text);
	assert_memory_equal(text, "recorded", 8);
	bl_tensor_unref(npy);
	free(csv);
	free(text);
	stage_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_any_keys),
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_too_large_to_sort),
		cmocka_unit_test(test_minus_identity),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_files),
	};
	return cmocka_run_group_tests_name("heatmap", tests, NULL, NULL);
}
