/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * augment.c: measures the views per second of the paper's two pipelines on one thread; prints the best of several
 * rounds.
 */
#include <barlow/augment.h>
#include <barlow/error.h>
#include <barlow/parallel.h>

#include <stdio.h>
#include <stdlib.h>

enum { IMAGES = 8, ROUNDS = 5 };
#define SECONDS 0.5 /* of a round */

/* T: always blurred, never solarized.  T': one in ten blurred, one in five solarized. */
static bl_pipeline *paper(int size, bool second)
{
	char text[160];
	snprintf(text, sizeof text,
	         "crop{size = %d}, flip, jitter, grayscale, blur{p = %s}, solarize{p = %s}, "
	         "normalize{mean = 0.45, std = 0.225}",
	         size, second ? "0.1" : "1", second ? "0.2" : "0");
	return bl_pipeline_parse(text);
}

/* Smooth ramps with noise.  Costs do not depend on the picture, but its values should be ordinary. */
static uint8_t *pictures(int side, int channels)
{
	size_t n = (size_t)IMAGES * (size_t)side * (size_t)side * (size_t)channels;
	uint8_t *p = malloc(n);
	bl_rng r;
	bl_rng_init(&r, 1, 0, 0, BL_STREAM_USER);
	for (size_t i = 0; p && i < n; i++)
		p[i] = (uint8_t)(64 + i / (size_t)channels % (size_t)side * 128 / (size_t)side + bl_rng_below(&r, 64));
	return p;
}

static double round_of(const bl_pipeline *p, const uint8_t *pixels, int side, int channels, float *out, int64_t *done)
{
	size_t size = (size_t)side * (size_t)side * (size_t)channels;
	double start = bl_now(), now = start;
	int64_t first = *done;
	while (now - start < SECONDS) {
		for (int i = 0; i < IMAGES; i++, ++*done) {
			bl_image in = { .pixels = pixels + (size_t)i * size, .height = side, .width = side, .channels = channels };
			bl_plan plan;
			bl_view_key key = { .seed = 1, .sample = (uint32_t)*done };
			bl_pipeline_plan(p, &key, side, side, channels, &plan);
			if (bl_pipeline_apply(p, &plan, &in, out) < 0)
				return -1;
		}
		now = bl_now();
	}
	return (double)(*done - first) / (now - start);
}

static int measure(int from, int to, int channels, bool second)
{
	bl_pipeline *p = paper(to, second);
	uint8_t *pixels = pictures(from, channels);
	float *out = malloc((size_t)to * (size_t)to * (size_t)channels * sizeof *out);
	double best = -1;
	int64_t done = 0;
	for (int i = 0; p && pixels && out && i < ROUNDS; i++) {
		double rate = round_of(p, pixels, from, channels, out, &done);
		best = rate > best ? rate : best;
	}
	if (best > 0)
		printf("%3d -> %3d, %d channel%s  %-2s  %9.0f views/s\n", from, to, channels, channels > 1 ? "s" : " ",
		       second ? "T'" : "T", best);
	else
		fprintf(stderr, "augment: %s\n", p && pixels && out ? bl_error() : "out of memory");
	free(out);
	free(pixels);
	bl_pipeline_unref(p);
	return best > 0 ? 0 : 1;
}

int main(void)
{
	static const int cases[][3] = { { 28, 28, 1 }, { 32, 32, 3 }, { 96, 96, 3 }, { 500, 224, 3 } };
	int rc = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int second = 0; second < 2; second++)
			rc |= measure(cases[i][0], cases[i][1], cases[i][2], second);
	return rc;
}
