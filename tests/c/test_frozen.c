/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_frozen.c: the heatmap shows the correct C, from the trainer to the colour of a dot.  A run is paused, the heatmap
 * requests each matrix, order and part, and every dot is compared with C, which plain loops in double precision compute here
 * from the run's embeddings.
 */
#include "frozen_run.h"
#include "support.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/train.h>

#include "view/key_actions.h"
#include "view/frame.h"
#include "view/heatmap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = FROZEN_BATCH, WIDTH = 300, HEIGHT = 140, PATIENCE = 20000 };

static const bl_ability can = { .depth = BL_DEPTH_FULL, .utf8 = true };

struct stage {
	bl_trainer *t;
	bl_scene *s;
	bl_canvas *c;
	int d;
	double *z[2]; /* (D,BATCH): standardised columns */
};

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* --- A paused run ------------------------------------------------------- */

/* Standardises column j of x as in the paper. */
static void standardise(const float *x, int d, int j, double *out)
{
	double mean = 0, var = 0;
	for (int i = 0; i < BATCH; i++)
		mean += (double)x[i * d + j] / BATCH;
	for (int i = 0; i < BATCH; i++)
		var += pow((double)x[i * d + j] - mean, 2) / BATCH;
	for (int i = 0; i < BATCH; i++)
		out[i] = ((double)x[i * d + j] - mean) / sqrt(var + 1e-5);
}

static void freeze(struct stage *g)
{
	assert_int_equal(bl_trainer_start(g->t), 0);
	while (bl_live_length(bl_trainer_live(g->t)) < 3)
		rest();
	assert_int_equal(bl_trainer_command(g->t, (bl_command){ .kind = BL_CMD_PAUSE, .value = 0 }), 0);
	while (bl_trainer_state(g->t) != BL_RUN_PAUSED)
		rest();
	for (int v = 0; v < 2; v++) {
		bl_tensor *z = frozen_embeddings(g->t, v);
		g->z[v] = malloc((size_t)g->d * BATCH * sizeof(double));
		assert_true(z && g->z[v]);
		for (int j = 0; j < g->d; j++)
			standardise(bl_tensor_data(z), g->d, j, g->z[v] + (size_t)j * BATCH);
		bl_tensor_unref(z);
	}
}

static struct stage stage_new(int d)
{
	struct stage g = { .t = frozen_run(d, false), .d = d };
	freeze(&g);
	g.s = bl_scene_new(bl_trainer_live(g.t));
	g.c = bl_canvas_new(WIDTH, HEIGHT, can);
	assert_true(g.s && g.c);
	bl_scene_read(g.s);
	bl_control_key(g.s, '2');
	return g;
}

static void stage_free(struct stage *g)
{
	bl_canvas_free(g->c);
	bl_scene_free(g->s);
	bl_trainer_free(g->t);
	free(g->z[0]);
	free(g->z[1]);
}

/* --- C from scratch ------------------------------------------------------------------ */

static double element(const struct stage *g, bl_kind kind, int i, int j)
{
	const double *a = g->z[0] + (size_t)i * BATCH, *b = g->z[kind != BL_KIND_AA] + (size_t)j * BATCH;
	double sum = 0;
	for (int k = 0; k < BATCH; k++)
		sum += a[k] * b[k] / BATCH;
	return kind == BL_KIND_MINUS_I ? sum - (i == j) : sum;
}

/* The dimension at a position; it is known only if cells are single dimensions. */
static int dim_at(const bl_picture *p, int axis, int cell, int k)
{
	return p->dim[axis][cell] + k;
}

struct sums {
	double mean, most, rms, diagonal; /* rms: off the diagonal; diagonal: the mean on it; NaN: there are no such elements */
};

static struct sums sums_of(const struct stage *g, int i, int j)
{
	const bl_picture *p = &bl_heatmap_look(g->s)->shown;
	int h = p->edge[0][i + 1] - p->edge[0][i], w = p->edge[1][j + 1] - p->edge[1][j];
	struct sums s = { 0, 0, 0, 0 };
	int on = 0;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			int a = dim_at(p, 0, i, y), b = dim_at(p, 1, j, x);
			double v = element(g, bl_heatmap_look(g->s)->kind, a, b);
			s.mean += v / (h * w);
			s.rms += a == b ? 0 : v * v;
			s.diagonal += a == b ? v : 0;
			on += a == b;
			s.most = fmax(s.most, fabs(v));
		}
	s.rms = on < h * w ? sqrt(s.rms / (h * w - on)) : NAN;
	s.diagonal = on ? s.diagonal / on : NAN;
	if (bl_heatmap_look(g->s)->kind == BL_KIND_MAGNITUDE) {
		s.mean = fabs(s.mean);
		s.diagonal = fabs(s.diagonal);
	}
	return s;
}

/* In a pooled C - I, the largest element is known only for the diagonal, so it is not compared. */
static bool has_largest(const struct stage *g, const bl_picture *p)
{
	return bl_heatmap_look(g->s)->kind != BL_KIND_MINUS_I || p->cells == p->part.rows;
}

static void check_cell(const struct stage *g, int i, int j)
{
	const bl_picture *p = &bl_heatmap_look(g->s)->shown;
	struct sums want = sums_of(g, i, j);
	int at = i * p->cells + j;
	assert_close(p->mean[at], want.mean, 2e-5);
	if (has_largest(g, p))
		assert_close(fabs((double)p->extreme[at]), want.most, 2e-5);
	if (!isnan(want.rms))
		assert_close(pow((double)p->rms[at], 2), want.rms * want.rms, 3e-5 * (.03 + want.rms));
	assert_true(isnan(want.diagonal) == isnan(p->diagonal[at]));
	if (!isnan(want.diagonal))
		assert_close((double)p->diagonal[at], want.diagonal, 2e-5);
}

/* A dot has the colour of its cell's value; the picture has at least one dot for each cell. */
static void check_dot(const struct stage *g, const bl_heatmap_layout *place, int i, int j)
{
	const bl_picture *p = &bl_heatmap_look(g->s)->shown;
	bl_heat_fit fit = place->fit[0];
	int x = j * fit.dots_x / p->cells, y = i * fit.dots_y / p->cells;
	const bl_screen_cell *cell = bl_canvas_cell(g->c, place->picture[0].x + x, place->picture[0].y + y / 2);
	bl_heat_source m = bl_picture_source(p);
	double v = bl_scale_position(bl_heat_scale_of(fit, &m, g->s->heat), bl_heat_cell(&m, i, j, g->s->heat.pool));
	int32_t ink = y % 2 || cell->glyph == ' ' ? cell->bg : cell->fg;
	assert_true(fit.dots_x >= p->cells);
	if (bl_heatmap_look(g->s)->pointing && ink == bl_colour_of(BL_PAINT_CURSOR, false))
		return; /* the cursor hides its dot */
	assert_int_equal(ink, bl_colour_diverging(v, false));
}

static void check_picture(struct stage *g, int stride)
{
	const bl_picture *p = &bl_heatmap_look(g->s)->shown;
	bl_frame_draw(g->s, g->c);
	bl_heatmap_layout place = bl_heatmap_lay_out(g->s, can, bl_frame_room(g->s, WIDTH, HEIGHT));
	for (int k = 0; k < p->cells * p->cells; k += stride) {
		check_cell(g, k / p->cells, k % p->cells);
		check_dot(g, &place, k / p->cells, k % p->cells);
	}
	assert_close(p->sample.largest, 1, 0);
}

/* Waits until the run has answered the view's request; the run is paused, so the answer belongs to its step. */
static void settle(struct stage *g)
{
	const bl_look *l = bl_heatmap_look(g->s);
	bl_region want = bl_look_part(l, g->d);
	for (int i = 0; i < PATIENCE; i++, rest()) {
		bl_scene_read(g->s);
		bl_frame_draw(g->s, g->c);
		if (bl_picture_is(&l->shown, &want) && l->shown.step == g->s->info.step && l->shown.sample.largest >= 1 &&
		    g->s->snapshot.region_rows > 0)
			return;
	}
	fail_msg("the run has not answered");
}

static void look_at(struct stage *g, const char *keys, int stride)
{
	for (; *keys; keys++)
		bl_control_key(g->s, BL_KEY(keys));
	settle(g);
	check_picture(g, stride);
	bl_control_key(g->s, 'm'); /* selects root mean square, mean or largest element */
	check_picture(g, stride);
}

/* --- Widths, matrices, orders, parts --------------------------------------------------- */

/* Cells are single elements; tests all orders. */
static void test_elements(void **state)
{
	(void)state;
	struct stage g = stage_new(24);
	for (int kind = 0; kind < BL_KINDS; kind++) {
		for (int order = 0; order < 3; order++)
			look_at(&g, "o", 1);
		look_at(&g, "t", 1);
	}
	stage_free(&g);
}

/* Cells have one or two dimensions; tests all matrices, and parts. */
static void test_pooled(void **state)
{
	(void)state;
	struct stage g = stage_new(200);
	for (int kind = 0; kind < BL_KINDS; kind++)
		look_at(&g, "t", 1);
	look_at(&g, "jjjlz", 1);
	look_at(&g, "zzo", 1);
	look_at(&g, "o", 1);
	stage_free(&g);
}

/* At this width the trainer does not form C.  Tests cells of 64 x 64 dimensions, then single elements of each matrix. */
static void test_wide(void **state)
{
	(void)state;
	struct stage g = stage_new(8192);
	look_at(&g, "l", 409);
	look_at(&g, "zzzzzzz", 7);
	for (int kind = 0; kind < BL_KINDS; kind++)
		look_at(&g, "t", 7);
	look_at(&g, "o", 7); /* the order by C_ii */
	stage_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_pooled),
		cmocka_unit_test(test_wide),
	};
	return cmocka_run_group_tests_name("frozen", tests, NULL, NULL);
}
