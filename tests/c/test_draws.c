/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_draws.c: the random numbers of operators have torchvision's distributions.
 *
 * Each test draws VIEWS views from fixed seeds, so that its result is always the same, and compares them with the closed
 * form: continuous numbers by the largest distance of the distribution functions (Kolmogorov-Smirnov), counts by chi-squared.
 * The bound of each test statistic is its quantile of 0.999.
 */
#include "support.h"

#include "augment/operator.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VIEWS = 20000, SIDE = 20000 /* of an image that is so large that rounding to pixels does not matter */ };

/* --- tests of a distribution --- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Compares the numbers v, which are sorted here, with a distribution function of two parameters. */
static void check_continuous(const char *what, double *v, int n, double (*cdf)(double, double, double), double a, double b)
{
	double worst = 0;
	qsort(v, (size_t)n, sizeof *v, by_size);
	for (int i = 0; i < n; i++) {
		double f = cdf(v[i], a, b);
		worst = fmax(worst, fmax(fabs(f - (double)i / n), fabs(f - (i + 1.0) / n)));
	}
	double bound = 1.9495 / sqrt(n);
	print_message("# %s: distance %.4f of at most %.4f\n", what, worst, bound);
	if (!(worst <= bound))
		fail_msg("%s is not distributed as it should be: distance %g", what, worst);
}

/* The quantile of 0.999, by Wilson and Hilferty's approximation. */
static double chi_squared_bound(int degrees)
{
	double k = 2.0 / (9 * degrees);
	return degrees * pow(1 - k + 3.0902 * sqrt(k), 3);
}

static void check_counts(const char *what, const int *count, const double *share, int n, int all)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += (count[i] - all * share[i]) * (count[i] - all * share[i]) / (all * share[i]);
	print_message("# %s: chi squared %.1f of at most %.1f\n", what, sum, chi_squared_bound(n - 1));
	if (!(sum <= chi_squared_bound(n - 1)))
		fail_msg("%s is not distributed as it should be: chi squared %g", what, sum);
}

static void check_even(const char *what, const int *count, int n)
{
	double share[64];
	int all = 0;
	assert_true(n <= 64);
	for (int i = 0; i < n; i++)
		all += count[i];
	for (int i = 0; i < n; i++)
		share[i] = 1.0 / n;
	check_counts(what, count, share, n, all);
}

static void check_share(const char *what, int count, int all, double p)
{
	check_counts(what, (int[]){ count, all - count }, (double[]){ p, 1 - p }, 2, all);
}

static double uniform(double x, double a, double b)
{
	return fmin(1, fmax(0, (x - a) / (b - a)));
}

static double normal(double x, double mean, double std)
{
	return .5 * erfc((mean - x) / (std * sqrt(2)));
}

/* --- random draws --- */

static bl_pipeline *parse(const char *text)
{
	bl_pipeline *p = bl_pipeline_parse(text);
	if (!p)
		fail_msg("%s", bl_error());
	return p;
}

/* Does the first operator apply to view i? */
static bool plan(const bl_pipeline *p, int i, int height, int width, bl_plan *out)
{
	bl_pipeline_plan(p, &(bl_view_key){ .seed = 7, .epoch = (uint32_t)i / 1000, .sample = (uint32_t)i % 1000, .view = 1 },
	                 height, width, 3, out);
	return out->applies & 1;
}

/* To how many of VIEWS views does the operator apply? */
static int count_applied(const char *text)
{
	bl_pipeline *p = parse(text);
	bl_plan view;
	int n = 0;
	for (int i = 0; i < VIEWS; i++)
		n += plan(p, i, 32, 32, &view);
	bl_pipeline_unref(p);
	return n;
}

/* Copies of the structs of draws that the operators' files declare. */
struct crop_draws {
	int top, left, height, width;
	bool mirrored;
};
struct jitter_draws {
	int order[4];
	float factor[4];
};
struct rotate_draws {
	float angle, x, y;
};
struct affine_draws {
	float angle, dx, dy, scale;
};

/* The draws of view i's first operator. */
static const void *draws_of(const bl_pipeline *p, int i, bl_plan *view, size_t size)
{
	assert_true(bl_pipeline_op(p, 0)->op->draws >= size);
	assert_true(plan(p, i, SIDE, SIDE, view));
	return view->draws;
}

/* --- probabilities --- */

static bool has_probability(const char *name)
{
	for (const bl_field *f = bl_aug_fields(name); f->name; f++)
		if (strcmp(f->name, "p") == 0)
			return strcmp(f->help, PROBABILITY) == 0;
	return false;
}

static void probabilities(void **state)
{
	int asked = 0;
	const char *name;
	(void)state;
	for (int k = 0; (name = bl_aug_name_at(k)); k++) {
		char text[64];
		if (!has_probability(name))
			continue;
		snprintf(text, sizeof text, "%s{p = 0.3}", name);
		check_share(name, count_applied(text), VIEWS, .3);
		snprintf(text, sizeof text, "%s{p = 0}", name);
		assert_int_equal(count_applied(text), 0);
		snprintf(text, sizeof text, "%s{p = 1}", name);
		assert_int_equal(count_applied(text), VIEWS);
		asked++;
	}
	assert_true(asked >= 19);
}

/* In the first epoch, random images are flipped; in the next epoch, the other images are flipped. */
static void alternating(void **state)
{
	(void)state;
	bl_pipeline *p = parse("alternating_flip");
	bl_plan view;
	int flipped = 0;
	for (int i = 0; i < VIEWS; i++) {
		bl_view_key key = { .seed = 7, .sample = (uint32_t)i };
		bl_pipeline_plan(p, &key, 8, 8, 3, &view);
		bool first = view.applies & 1;
		key.epoch = 1;
		bl_pipeline_plan(p, &key, 8, 8, 3, &view);
		assert_int_not_equal(first, view.applies & 1);
		flipped += first;
	}
	check_share("alternating_flip", flipped, VIEWS, .5);
	bl_pipeline_unref(p);
}

/* --- crop --- */

/*
 * Area and log ratio are uniform if every box fits.  A box that does not fit is drawn again, so for an area a only the ratios r
 * with a <= min(r, 1 / r) occur: all ratios if a <= 3/4, and the share -log(a) / log(4/3) of them if a is larger.
 */
static double area_left(double a, double from)
{
	const double fits = 3 / 4., most = log(4 / 3.);
	double below = fmin(a, fits) - from;
	return a <= fits ? below : below + (a - a * log(a) - fits + fits * log(fits)) / most;
}

static double default_area(double a, double from, double unused)
{
	(void)unused;
	return area_left(a, from) / area_left(1, from);
}

static void check_crop(const char *text, double from, double to, double (*area_cdf)(double, double, double), bool ratio_too)
{
	static double area[VIEWS], ratio[VIEWS], top[VIEWS], left[VIEWS];
	bl_pipeline *p = parse(text);
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		const struct crop_draws *d = draws_of(p, i, &view, sizeof *d);
		area[i] = (double)d->height * d->width / ((double)SIDE * SIDE);
		ratio[i] = log((double)d->width / d->height);
		top[i] = (d->top + .5) / (SIDE - d->height + 1);
		left[i] = (d->left + .5) / (SIDE - d->width + 1);
	}
	check_continuous("crop: area", area, VIEWS, area_cdf, from, to);
	if (ratio_too)
		check_continuous("crop: log of the ratio", ratio, VIEWS, uniform, log(3 / 4.), log(4 / 3.));
	check_continuous("crop: top", top, VIEWS, uniform, 0, 1);
	check_continuous("crop: left", left, VIEWS, uniform, 0, 1);
	bl_pipeline_unref(p);
}

static void crop(void **state)
{
	(void)state;
	check_crop("crop{size = 8, scale = {0.08, 0.5}}", .08, .5, uniform, true);
	check_crop("crop{size = 8}", .08, 1, default_area, false);
}

/* --- colour --- */

static int permutation(const int *order)
{
	return order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3];
}

static void jitter(void **state)
{
	static double factor[4][VIEWS];
	static const char *const names[] = { "jitter: brightness", "jitter: contrast", "jitter: saturation", "jitter: hue" };
	static const double range[4][2] = { { .6, 1.4 }, { 0, 3 }, { .8, 1.2 }, { -.1, .1 } };
	int seen[256] = { 0 }, count[24], n = 0;
	(void)state;
	bl_pipeline *p = parse("jitter{brightness = 0.4, contrast = 2, saturation = 0.2, hue = 0.1, p = 1}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		const struct jitter_draws *d = draws_of(p, i, &view, sizeof *d);
		for (int k = 0; k < 4; k++)
			factor[k][i] = (double)d->factor[k];
		seen[permutation(d->order)]++;
	}
	for (int k = 0; k < 4; k++)
		check_continuous(names[k], factor[k], VIEWS, uniform, range[k][0], range[k][1]);
	for (int i = 0; i < 256; i++)
		if (seen[i] && n < 24)
			count[n++] = seen[i];
	assert_int_equal(n, 24);
	check_even("jitter: order", count, 24);
	bl_pipeline_unref(p);
}

static void blur(void **state)
{
	static double sigma[VIEWS];
	(void)state;
	bl_pipeline *p = parse("blur{sigma = {0.1, 2}}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++)
		sigma[i] = (double)*(const float *)draws_of(p, i, &view, sizeof(float));
	check_continuous("blur: sigma", sigma, VIEWS, uniform, .1, 2);
	bl_pipeline_unref(p);
}

static void noise(void **state)
{
	enum { N = 100 * 100 * 3 };
	static uint8_t grey[N];
	static float out[N];
	static double v[N];
	(void)state;
	bl_pipeline *p = parse("noise{std = 0.05, p = 1}");
	bl_image in = { .pixels = grey, .height = 100, .width = 100, .channels = 3 };
	bl_plan view;
	memset(grey, 128, sizeof grey);
	plan(p, 0, 100, 100, &view);
	assert_int_equal(bl_pipeline_apply(p, &view, &in, out), 0);
	for (int i = 0; i < N; i++)
		v[i] = (double)out[i];
	check_continuous("noise", v, N, normal, 128 / 255., .05);
	bl_pipeline_unref(p);
}

static void channels(void **state)
{
	int count[3] = { 0 };
	(void)state;
	bl_pipeline *p = parse("channel_dropout{n = 1, p = 1}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		char text[64];
		plan(p, i, 8, 8, &view);
		bl_pipeline_describe(p, &view, text, sizeof text);
		count[text[strlen(text) - 1] - '1']++;
	}
	check_even("channel_dropout: channel", count, 3);
	bl_pipeline_unref(p);
}

/* --- geometry --- */

static void rotation_and_shear(void **state)
{
	static double angle[VIEWS], x[VIEWS], y[VIEWS];
	(void)state;
	bl_pipeline *p = parse("rotate{degrees = 30, p = 1}"), *q = parse("shear{x = 10, y = 5, p = 1}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		angle[i] = (double)((const struct rotate_draws *)draws_of(p, i, &view, sizeof(struct rotate_draws)))->angle;
		const struct rotate_draws *d = draws_of(q, i, &view, sizeof *d);
		x[i] = (double)d->x;
		y[i] = (double)d->y;
	}
	check_continuous("rotate: degrees", angle, VIEWS, uniform, -30, 30);
	check_continuous("shear: x", x, VIEWS, uniform, -10, 10);
	check_continuous("shear: y", y, VIEWS, uniform, -5, 5);
	bl_pipeline_unref(p);
	bl_pipeline_unref(q);
}

static void affine(void **state)
{
	static double v[4][VIEWS];
	const double radians = acos(-1) / 180, most = .1 * SIDE;
	(void)state;
	bl_pipeline *p = parse("affine{degrees = 10, translate = 0.1, scale = {0.9, 1.1}, p = 1}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		const struct affine_draws *d = draws_of(p, i, &view, sizeof *d);
		v[0][i] = (double)d->angle / radians;
		v[1][i] = (double)d->dx;
		v[2][i] = (double)d->dy;
		v[3][i] = (double)d->scale;
	}
	check_continuous("affine: degrees", v[0], VIEWS, uniform, -10, 10);
	check_continuous("affine: shift across", v[1], VIEWS, uniform, -most, most);
	check_continuous("affine: shift down", v[2], VIEWS, uniform, -most, most);
	check_continuous("affine: scale", v[3], VIEWS, uniform, .9, 1.1);
	bl_pipeline_unref(p);
}

/* In an image of 32 x 44, corners move by 0 to 8 pixels horizontally and 0 to 11 vertically. */
static void perspective(void **state)
{
	int across[4][9] = { { 0 } }, down[4][12] = { { 0 } };
	(void)state;
	bl_pipeline *p = parse("perspective{distortion = 0.5, p = 1}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		char text[96];
		int x[4], y[4];
		plan(p, i, 44, 32, &view);
		bl_pipeline_describe(p, &view, text, sizeof text);
		assert_int_equal(sscanf(text, "perspective %d,%d %d,%d %d,%d %d,%d", &x[0], &y[0], &x[1], &y[1], &x[2], &y[2],
		                        &x[3], &y[3]),
		                 8);
		for (int k = 0; k < 4; k++) {
			across[k][k == 1 || k == 2 ? 31 - x[k] : x[k]]++;
			down[k][k >= 2 ? 43 - y[k] : y[k]]++;
		}
	}
	for (int k = 0; k < 4; k++) {
		check_even("perspective: across", across[k], 9);
		check_even("perspective: down", down[k], 12);
	}
	bl_pipeline_unref(p);
}

static void padding(void **state)
{
	int across[9] = { 0 }, down[9] = { 0 };
	(void)state;
	bl_pipeline *p = parse("pad_crop{padding = 4}");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		char text[64];
		int x, y;
		plan(p, i, 32, 32, &view);
		bl_pipeline_describe(p, &view, text, sizeof text);
		assert_int_equal(sscanf(text, "shift %d,%d", &x, &y), 2);
		across[x + 4]++;
		down[y + 4]++;
	}
	check_even("pad_crop: across", across, 9);
	check_even("pad_crop: down", down, 9);
	bl_pipeline_unref(p);
}

/* --- choices --- */

/* The operation is one of 14 with equal probability; its strength, in the description, is one of 31, with either sign. */
static void trivial(void **state)
{
	static const char *const names[] = { "shear x",    "shear y",      "translate x", "translate y", "rotate",
		                             "brightness", "colour",       "contrast",    "sharpness",   "posterize",
		                             "solarize",   "autocontrast", "equalize" };
	enum { NAMES = sizeof names / sizeof *names };
	int count[NAMES + 1] = { 0 }, bin[31] = { 0 }, negative = 0, signs = 0;
	(void)state;
	bl_pipeline *p = parse("trivial");
	bl_plan view;
	for (int i = 0; i < VIEWS; i++) {
		char text[64];
		int k = 0;
		plan(p, i, 32, 32, &view);
		bl_pipeline_describe(p, &view, text, sizeof text);
		while (k < NAMES && strncmp(text, names[k], strlen(names[k])) != 0)
			k++;
		assert_true(k < NAMES || text[0] == '\0');
		count[k]++;
		if (k != 4)
			continue;
		double degrees = strtod(text + strlen("rotate "), NULL);
		bin[(int)lrint(fabs(degrees) / 135 * 30)]++;
		signs += degrees != 0;
		negative += degrees < 0;
	}
	check_even("trivial: operation", count, NAMES + 1);
	check_even("trivial: strength", bin, 31);
	check_share("trivial: sign", negative, signs, .5);
	bl_pipeline_unref(p);
}

/* A pipeline of one group of flip, vflip and invert. */
static bl_pipeline *group(bl_group_kind kind, int n, const float *weights, float p)
{
	bl_pipeline *part[] = { parse("flip{p = 1}"), parse("vflip{p = 1}"), parse("invert{p = 1}") };
	bl_aug *a = bl_aug_new_group(kind, part, n, weights, p);
	bl_pipeline *made = bl_pipeline_new(&a, 1);
	assert_non_null(made);
	bl_aug_unref(a);
	for (int i = 0; i < 3; i++)
		bl_pipeline_unref(part[i]);
	return made;
}

static void groups(void **state)
{
	bl_pipeline *apply = group(BL_GROUP_APPLY, 1, NULL, .3f);
	bl_pipeline *choice = group(BL_GROUP_CHOICE, 3, (float[]){ 1, 2, 5 }, 1), *order = group(BL_GROUP_ORDER, 3, NULL, 1);
	static const char *const orders[] = { "flip, vflip, invert", "flip, invert, vflip", "vflip, flip, invert",
		                              "vflip, invert, flip", "invert, flip, vflip", "invert, vflip, flip" };
	int applied = 0, chosen[3] = { 0 }, ordered[6] = { 0 };
	char text[64];
	bl_plan view;
	(void)state;
	for (int i = 0; i < VIEWS; i++) {
		applied += plan(apply, i, 8, 8, &view);
		plan(choice, i, 8, 8, &view);
		bl_pipeline_describe(choice, &view, text, sizeof text);
		chosen[text[0] == 'f' ? 0 : text[0] == 'v' ? 1 : 2]++;
		plan(order, i, 8, 8, &view);
		bl_pipeline_describe(order, &view, text, sizeof text);
		for (int k = 0; k < 6; k++)
			ordered[k] += strcmp(text, orders[k]) == 0;
	}
	check_share("random_apply", applied, VIEWS, .3);
	check_counts("random_choice", chosen, (double[]){ 1 / 8., 2 / 8., 5 / 8. }, 3, VIEWS);
	check_even("random_order", ordered, 6);
	assert_int_equal(ordered[0] + ordered[1] + ordered[2] + ordered[3] + ordered[4] + ordered[5], VIEWS);
	bl_pipeline_unref(apply);
	bl_pipeline_unref(choice);
	bl_pipeline_unref(order);
}

/* The bounds are tight enough to detect a small deviation. */
static void expect_off(void **state)
{
	static double v[VIEWS];
	double worst = 0;
	(void)state;
	for (int i = 0; i < VIEWS; i++)
		v[i] = pow((i + .5) / VIEWS, 1.05);
	for (int i = 0; i < VIEWS; i++)
		worst = fmax(worst, fabs(uniform(v[i], 0, 1) - (i + .5) / VIEWS));
	assert_true(worst > 1.9495 / sqrt(VIEWS));
	assert_close(chi_squared_bound(1), 10.8, .05);
	assert_close(chi_squared_bound(23), 49.73, .01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probabilities), cmocka_unit_test(alternating),
		cmocka_unit_test(crop),          cmocka_unit_test(jitter),
		cmocka_unit_test(blur),          cmocka_unit_test(noise),
		cmocka_unit_test(channels),      cmocka_unit_test(rotation_and_shear),
		cmocka_unit_test(affine),        cmocka_unit_test(perspective),
		cmocka_unit_test(padding),       cmocka_unit_test(trivial),
		cmocka_unit_test(groups),        cmocka_unit_test(expect_off),
	};
	return cmocka_run_group_tests_name("draws", tests, NULL, NULL);
}
