/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorded_run.c: a simulated run that looks like a real one. */
#include "recorded_run.h"

#include <barlow/parallel.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FROM = 64, BLOCK_TO = 96, PER_EPOCH = 250 };

/* Noise in [-1, 1] from an integer hash.  It does not depend on a library's random numbers, so that golden frames never change. */
static double noise(uint32_t a, uint32_t b)
{
	uint32_t h = a * 2654435761u ^ b * 2246822519u;
	h = (h ^ h >> 15) * 2654435769u;
	h = (h ^ h >> 13) * 3266489917u;
	return (double)(h ^ h >> 16) / 2147483648.0 - 1;
}

/* Falls from 1 at the first step to 0, at first fast and then slowly, like a loss during training. */
static double progress(int64_t step)
{
	return 1 / (1 + (double)step / 120);
}

bl_live_info recorded_info(int64_t step, int64_t steps, bl_run_state state)
{
	bl_live_info i = { .state = state,
		           .step = step,
		           .steps = steps,
		           .steps_per_epoch = PER_EPOCH,
		           .batch = RECORDED_N,
		           .d = RECORDED_D,
		           .parameters_m = 1,
		           .knn_queries = 2000,
		           .knn_refs = 5000 };
	snprintf(i.name, sizeof i.name, "recorded");
	snprintf(i.message, sizeof i.message, "step 400: lambda .0051 -> .0056");
	return i;
}

/* The columns of the trainer, except the rate of biases. */
void recorded_columns(bl_columns *out)
{
	static const bl_column columns[RECORDED_COLUMNS] = {
		[RECORDED_TIME] = { .name = "time", .unit = "s", .kind = BL_COLUMN_TIME },
		[RECORDED_INVARIANCE] = { .name = "invariance", .brief = "inv", .kind = BL_COLUMN_TERM },
		[RECORDED_REDUNDANCY] = { .name = "redundancy", .kind = BL_COLUMN_TERM, .mark = 'R' },
		[RECORDED_WEIGHTED] = { .name = "weighted_redundancy",
		                        .label = "λ·redundancy",
		                        .brief = "λ·red",
		                        .kind = BL_COLUMN_WEIGHTED,
		                        .mark = 'r' },
		[RECORDED_LAMBDA] = { .name = "lambda", .label = "λ", .kind = BL_COLUMN_PARAMETER, .precision = 3 },
		[RECORDED_TOTAL] = { .name = "total", .kind = BL_COLUMN_TOTAL, .mark = 'T' },
		[RECORDED_FLOOR] = { .name = "floor", .kind = BL_COLUMN_FLOOR, .precision = 3, .mark = '-' },
		[RECORDED_LR] = { .name = "lr",
		                  .label = "learning rate",
		                  .brief = "lr",
		                  .kind = BL_COLUMN_RATE,
		                  .precision = 3,
		                  .mark = 'a' },
		[RECORDED_GRAD_NORM] = { .name = "grad_norm", .label = "gradient norm", .kind = BL_COLUMN_MEASURE },
		[RECORDED_IMAGES_PER_S] = { .name = "images_per_s",
		                            .label = "images/s",
		                            .kind = BL_COLUMN_MEASURE,
		                            .fixed = 1,
		                            .mark = 's' },
		[RECORDED_KNN] = { .name = "knn",
		                   .label = "kNN accuracy",
		                   .brief = "kNN",
		                   .kind = BL_COLUMN_SCORE,
		                   .fixed = 1,
		                   .precision = 3 },
	};
	out->n = 0;
	for (int i = 0; i < RECORDED_COLUMNS; i++)
		bl_columns_add(out, &columns[i]);
}

bl_live *recorded_live(const char *path, const bl_live_info *info)
{
	bl_columns c;
	recorded_columns(&c);
	return bl_live_create(path, info, &c);
}

bl_record recorded_record(int64_t step, double lambda)
{
	double left = progress(step), jitter = 1 + .05 * noise((uint32_t)step, 7);
	bl_record r = bl_record_empty(step);
	double *v = r.value;
	v[RECORDED_TIME] = .04 * (double)step;
	v[RECORDED_LAMBDA] = lambda;
	v[RECORDED_IMAGES_PER_S] = 6400;
	v[RECORDED_INVARIANCE] = (8 + 240 * left) * jitter;
	v[RECORDED_REDUNDANCY] = (300 + 9000 * left * left) * (1 + .05 * noise((uint32_t)step, 11));
	v[RECORDED_WEIGHTED] = lambda * v[RECORDED_REDUNDANCY];
	v[RECORDED_TOTAL] = v[RECORDED_INVARIANCE] + v[RECORDED_WEIGHTED];
	v[RECORDED_FLOOR] = .32;
	v[RECORDED_LR] = 1e-3 * (1 + cos(3.14159265358979 * (double)step / RECORDED_STEPS)) / 2;
	v[RECORDED_GRAD_NORM] = 5 * left;
	v[RECORDED_KNN] = step % 100 == 0 ? .86 - .3 * left : NAN;
	return r;
}

/* C_ij at a step. */
double recorded_element(int64_t step, int i, int j)
{
	double left = progress(step);
	if (i == j)
		return 1 - .9 * left - .08 * fabs(noise((uint32_t)i, 3));
	bool redundant = i >= BLOCK_FROM && i < BLOCK_TO && j >= BLOCK_FROM && j < BLOCK_TO;
	return .25 * left * noise((uint32_t)i, (uint32_t)j + 1000) + (redundant ? .8 * sqrt(left) : 0);
}

/* Sums over the elements of a cell; `diagonal` and `on` are those of its elements with i = j. */
struct sums {
	double all, most, square, diagonal;
	int n, on;
};

static void add(struct sums *s, double v, bool on)
{
	s->all += v;
	s->n++;
	s->most = fabs(v) > fabs(s->most) ? v : s->most;
	s->square += on ? 0 : v * v;
	s->diagonal += on ? v : 0;
	s->on += on;
}

static float rms_of(const struct sums *s)
{
	return s->n > s->on ? (float)sqrt(s->square / (s->n - s->on)) : 0;
}

static void pool(int64_t step, bl_snapshot *s, int row, int col)
{
	int block = RECORDED_D / s->grid, at = row * s->grid + col;
	struct sums sums = { .n = 0 };
	for (int i = row * block; i < (row + 1) * block; i++)
		for (int j = col * block; j < (col + 1) * block; j++)
			add(&sums, recorded_element(step, i, j), i == j);
	s->mean[at] = (float)(sums.all / sums.n);
	s->extreme[at] = (float)sums.most;
	s->rms[at] = rms_of(&sums);
	if (sums.on)
		s->cell_diagonal[row] = (float)(sums.diagonal / sums.on);
}

/* --- Views ---------------------------------------------------------------- */

static const char *const classes[] = { "T-shirt/top", "trouser", "pullover", "dress", "coat",
	                               "sandal",      "shirt",   "sneaker",  "bag",   "ankle boot" };

/* Two views of a ring, which differ in position, brightness and noise. */
static uint8_t ring(int x, int y, double cx, double cy, double gain, uint32_t seed)
{
	double far = hypot(x - cx, y - cy), v = 255 * gain * exp(-(far - 8) * (far - 8) / 6);
	v += 20 * noise((uint32_t)(y * RECORDED_VIEW + x), seed);
	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void fill_views(bl_snapshot *s)
{
	const bl_region *r = &s->region;
	double move = 2 * noise((uint32_t)r->view, (uint32_t)r->redraw + 17);
	s->view_count = 2;
	s->image_channels = 1;
	s->view_side = RECORDED_VIEW;
	s->view_channels = 1;
	s->view_row = 1234 + r->view;
	s->view_label = r->view % 10;
	snprintf(s->view_class, BL_CLASS_TEXT, "%s", classes[r->view % 10]);
	for (int y = 0; y < RECORDED_VIEW; y++)
		for (int x = 0; x < RECORDED_VIEW; x++) {
			s->views[0][y * RECORDED_VIEW + x] = ring(x, y, 13.5 + move, 13.5, 1, 1);
			s->views[1][y * RECORDED_VIEW + x] = ring(x, y, 17, 11 - move, .6, 2);
		}
	snprintf(s->view_draws[0], BL_DRAW_TEXT, "crop 3,4 20x22, flip, brightness %.2f", 1 + .1 * move);
	snprintf(s->view_draws[1], BL_DRAW_TEXT, "crop 0,1 24x24, brightness 0.60, contrast 1.12, blur 0.80, noise 0.05");
}

/* --- Regions ---------------------------------------------------------------- */

static int64_t sort_step;

static int larger_first(const void *a, const void *b)
{
	double x = recorded_element(sort_step, *(const int32_t *)a, *(const int32_t *)a);
	double y = recorded_element(sort_step, *(const int32_t *)b, *(const int32_t *)b);
	return x > y ? -1 : x < y;
}

/* The dimensions ordered by cluster: the redundant dimensions are first. */
static void arrange(int64_t step, int32_t order, int32_t dims[RECORDED_D])
{
	int n = 0;
	for (int i = 0; order == BL_ORDER_CLUSTER && i < RECORDED_D; i++)
		if (i >= BLOCK_FROM && i < BLOCK_TO)
			dims[n++] = i;
	for (int i = 0; i < RECORDED_D; i++)
		if (order != BL_ORDER_CLUSTER || i < BLOCK_FROM || i >= BLOCK_TO)
			dims[n++] = i;
	sort_step = step;
	if (order == BL_ORDER_DIAGONAL)
		qsort(dims, RECORDED_D, sizeof *dims, larger_first);
}

static double element_of(int64_t step, int32_t matrix, int i, int j)
{
	if (matrix == BL_MATRIX_C)
		return recorded_element(step, i, j);
	return i == j ? 1 : .5 * (recorded_element(step, i, j) + recorded_element(step, j, i));
}

static void pool_region(int64_t step, const int32_t *dims, bl_snapshot *s, int row, int col, int *crossed)
{
	const bl_region *r = &s->region;
	int64_t r0, r1, c0, c1;
	struct sums sums = { .n = 0 };
	int at = row * s->region_cols + col;
	bl_chunk_range(r->rows, s->region_rows, row, &r0, &r1);
	bl_chunk_range(r->cols, s->region_cols, col, &c0, &c1);
	for (int64_t i = r0; i < r1; i++)
		for (int64_t j = c0; j < c1; j++) {
			int a = dims[r->row + i], b = dims[r->col + j];
			add(&sums, element_of(step, r->matrix, a, b), a == b);
		}
	s->region_mean[at] = (float)(sums.all / sums.n);
	s->region_extreme[at] = (float)sums.most;
	s->region_rms[at] = rms_of(&sums);
	if (sums.on)
		s->region_diagonal[(*crossed)++] = (float)(sums.diagonal / sums.on);
	s->dims[row] = dims[r->row + r0];
	s->dims[s->region_rows + col] = dims[r->col + c0];
}

void recorded_region(int64_t step, const bl_region *asked, bl_snapshot *s)
{
	int32_t dims[RECORDED_D];
	s->region = *asked;
	fill_views(s);
	if (asked->rows <= 0 || asked->cols <= 0)
		return;
	arrange(step, asked->order, dims);
	s->region_rows = asked->rows < BL_GRID_MAX ? asked->rows : BL_GRID_MAX;
	s->region_cols = asked->cols < BL_GRID_MAX ? asked->cols : BL_GRID_MAX;
	s->region_elements = (int64_t)asked->rows * asked->cols;
	s->region_share = 1;
	int crossed = 0;
	for (int i = 0; i < s->region_rows; i++)
		for (int j = 0; j < s->region_cols; j++)
			pool_region(step, dims, s, i, j, &crossed);
}

/* --- Snapshots --------------------------------------------------------------- */

static void fill_histogram(int64_t step, bl_snapshot *s)
{
	for (int i = 0; i < RECORDED_D; i++)
		for (int j = 0; j < RECORDED_D; j++) {
			int bin = (int)((recorded_element(step, i, j) + 1) / 2 * BL_HIST_BINS);
			if (i != j)
				s->histogram[bin < 0 ? 0 : bin < BL_HIST_BINS ? bin : BL_HIST_BINS - 1]++;
		}
	s->sampled = RECORDED_D * (RECORDED_D - 1);
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

static void fill_quantiles(bl_snapshot *s)
{
	float all[RECORDED_D];
	memcpy(all, s->diagonal, sizeof all);
	qsort(all, RECORDED_D, sizeof *all, ascending);
	for (int k = 0; k < BL_QUANTILES; k++)
		s->quantile[k] = all[k * (RECORDED_D - 1) / (BL_QUANTILES - 1)];
}

/* The pairs with the largest |C_ij|, in descending order. */
static void fill_pairs(int64_t step, bl_snapshot *s)
{
	double below = INFINITY;
	for (s->pairs = 0; s->pairs < BL_PAIRS_MAX; s->pairs++) {
		bl_pair best = { 0, 0, 0 };
		double most = 0;
		for (int i = 0; i < RECORDED_D; i++)
			for (int j = 0; j < RECORDED_D; j++) {
				double v = i == j ? 0 : recorded_element(step, i, j);
				if (fabs(v) < below && fabs(v) > most) {
					best = (bl_pair){ i, j, (float)v };
					most = fabs(v);
				}
			}
		s->pair[s->pairs] = best;
		below = most;
	}
}

/* The spectrum is steep at the first step and becomes flatter, since more and more dimensions are used. */
static void fill_spectrum(int64_t step, bl_snapshot *s)
{
	double left = progress(step), falls = .02 + .2 * left;
	s->spectrum = BL_SPECTRUM_MAX;
	for (int k = 0; k < s->spectrum; k++) {
		s->eigenvalues[k] = (float)(4 * exp(-falls * k) * (1 + .1 * noise((uint32_t)k, 5)));
		s->singular[k] = (float)((1 + 20 * left * exp(-.5 * k)) * exp(-falls * k / 2));
	}
	s->rankme = 2 / falls;
	s->dead = (int32_t)(12 * left);
}

/* Points of ten labels on a ring; the labels move apart during the run. */
static void fill_points(int64_t step, bl_snapshot *s)
{
	double apart = 4 * (1 - progress(step));
	s->points = 500;
	s->points_step = step;
	s->points_of = BL_POINTS_QUERIES;
	s->classes = 10;
	for (int k = 0; k < s->classes; k++)
		snprintf(s->class_name[k], BL_CLASS_TEXT, "%s", classes[k]);
	s->explained[0] = (float)(.2 + .2 * progress(step));
	s->explained[1] = (float)(.1 + .05 * progress(step));
	for (int i = 0; i < s->points; i++) {
		int label = i % 10;
		double at = label * .6283185307179586;
		s->point_label[i] = (int16_t)label;
		s->point[i][0] = (float)(apart * cos(at) + noise((uint32_t)i, 21) + noise((uint32_t)i, 22));
		s->point[i][1] = (float)(apart * sin(at) + noise((uint32_t)i, 23) + noise((uint32_t)i, 24));
	}
}

void recorded_snapshot(int64_t step, bl_snapshot *s)
{
	memset(s, 0, sizeof *s);
	*s = (bl_snapshot){ .step = step,
		            .n = RECORDED_N,
		            .d = RECORDED_D,
		            .grid = BL_GRID_MAX,
		            .diag = RECORDED_D,
		            .rankme = NAN,
		            .rms_share = 1,
		            .grid_elements = (int64_t)RECORDED_D * RECORDED_D };
	for (int i = 0; i < s->grid; i++)
		for (int j = 0; j < s->grid; j++)
			pool(step, s, i, j);
	for (int i = 0; i < s->diag; i++)
		s->diagonal[i] = (float)recorded_element(step, i, i);
	fill_quantiles(s);
	fill_pairs(step, s);
	fill_histogram(step, s);
	fill_spectrum(step, s);
	fill_views(s);
	fill_points(step, s);
}

/* Publishes some snapshots of the run and the last one; the live file decides which of them it keeps. */
static void publish(bl_live *l, int64_t step, bl_snapshot *s)
{
	for (int64_t i = 1; i < step; i += step / RECORDED_PUBLISHED + 1) {
		recorded_snapshot(i, s);
		bl_live_publish(l, s);
	}
	recorded_snapshot(step, s);
	bl_live_publish(l, s);
}

bl_live *recorded_run(const char *path, int64_t step, bl_run_state state)
{
	bl_live_info info = recorded_info(0, RECORDED_STEPS, BL_RUN_RUNNING);
	bl_live *l = recorded_live(path, &info);
	bl_snapshot *s = malloc(sizeof *s);
	for (int64_t i = 1; l && i <= step; i++) {
		bl_record r = recorded_record(i, i < 400 ? .0051 : .0056);
		bl_live_add(l, &r);
	}
	if (l && s && step > 0)
		publish(l, step, s);
	if (l) {
		info = recorded_info(step, RECORDED_STEPS, state);
		bl_live_set_info(l, &info);
	}
	free(s);
	return l;
}
