/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shapes.c: the data set data.shapes; each image shows one coloured figure on textured ground.
 *
 * Image i is a function of (seed, i).  The figure's class, position, size, hue and rotation are known; they are random
 * and independent of each other and of the ground.  So only the figure's form, and neither colour nor texture, contains
 * information about the class.
 */
#include "data/dataset.h"
#include "data/figures.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/random.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TURN 6.28318531f

enum { CHUNK = 64, LEAST_SIDE = 8, MOST_SIDE = 1024, LATTICE = 8 };

enum { FACTOR_X, FACTOR_Y, FACTOR_SIZE, FACTOR_HUE, FACTOR_ROTATION, FACTOR_CLASS, FACTORS };
static const char *const factor_names[FACTORS + 1] = { "x", "y", "size", "hue", "rotation", "class", NULL };

typedef struct colour {
	float v[3]; /* red, green, blue in 0..1 */
} colour;

typedef enum texture_kind { STRIPES, CHECKER, DOTS, CLOUDS, TEXTURES } texture_kind;

typedef struct scene {
	float factor[FACTORS]; /* x, y, size as fractions of the side; hue, rotation in turns */
	colour figure, ground[2];
	texture_kind texture;
	float grain;        /* wavelength of the texture as a fraction of the side */
	float cosine, sine; /* direction of the texture */
	float phase[2];
	float lattice[LATTICE][LATTICE]; /* of CLOUDS */
	float light[2];                  /* slope of the light across the image */
	float noise;
} scene;

static float luminance_of(const colour *c)
{
	return 0.299f * c->v[0] + 0.587f * c->v[1] + 0.114f * c->v[2];
}

/* Returns a colour of that hue and luminance.  If the saturated colour is too dark, white is added. */
static colour make_colour(float hue, float saturation, float luminance)
{
	colour c;
	for (int k = 0; k < 3; k++) {
		float t = fabsf(remainderf(hue - (float)k / 3, 1)) * 6;
		float pure = t < 1 ? 1 : t > 2 ? 0 : 2 - t;
		c.v[k] = 1 + saturation * (pure - 1);
	}
	float scale = luminance / luminance_of(&c);
	for (int k = 0; k < 3; k++)
		c.v[k] = fminf(c.v[k] * scale, 1);
	float missing = luminance - luminance_of(&c), white = missing > 0 ? missing / (1 - luminance_of(&c)) : 0;
	for (int k = 0; k < 3; k++)
		c.v[k] += white * (1 - c.v[k]);
	return c;
}

static void draw_figure(scene *s, bl_rng *r)
{
	s->factor[FACTOR_CLASS] = (float)bl_rng_below(r, FIGURES);
	s->factor[FACTOR_SIZE] = bl_rng_between(r, 0.2f, 0.36f);
	s->factor[FACTOR_X] = bl_rng_between(r, 0.32f, 0.68f);
	s->factor[FACTOR_Y] = bl_rng_between(r, 0.32f, 0.68f);
	s->factor[FACTOR_HUE] = bl_rng_uniform(r);
	s->factor[FACTOR_ROTATION] = bl_rng_uniform(r);
}

/* The figure's luminance differs from the ground's, so that the figure is visible in images of one channel, too. */
static void draw_colours(scene *s, bl_rng *r)
{
	float ground = bl_rng_between(r, 0.25f, 0.65f), contrast = bl_rng_between(r, 0.22f, 0.35f);
	float spread = bl_rng_between(r, 0.03f, 0.12f), hue = bl_rng_uniform(r);
	bool lighter = ground < 0.45f;
	s->figure =
		make_colour(s->factor[FACTOR_HUE], bl_rng_between(r, 0.4f, 0.9f), lighter ? ground + contrast : ground - contrast);
	s->ground[0] = make_colour(hue, bl_rng_between(r, 0, 0.6f), ground - spread);
	s->ground[1] = make_colour(hue + bl_rng_between(r, -0.2f, 0.2f), bl_rng_between(r, 0, 0.6f), ground + spread);
}

static void draw_ground(scene *s, bl_rng *r)
{
	float angle = TURN * bl_rng_uniform(r);
	s->texture = (texture_kind)bl_rng_below(r, TEXTURES);
	s->grain = bl_rng_between(r, 0.12f, 0.4f);
	s->cosine = cosf(angle);
	s->sine = sinf(angle);
	for (int k = 0; k < 2; k++) {
		s->phase[k] = bl_rng_uniform(r);
		s->light[k] = bl_rng_between(r, -0.25f, 0.25f);
	}
	for (int y = 0; y < LATTICE; y++)
		for (int x = 0; x < LATTICE; x++)
			s->lattice[y][x] = bl_rng_uniform(r);
	s->noise = bl_rng_between(r, 0, 0.04f);
}

/* Interpolates the lattice values smoothly; the lattice is periodic. */
static float clouds(const scene *s, float u, float v)
{
	float x = floorf(u), y = floorf(v), fx = u - x, fy = v - y;
	int x0 = (int)x & (LATTICE - 1), y0 = (int)y & (LATTICE - 1);
	int x1 = (x0 + 1) & (LATTICE - 1), y1 = (y0 + 1) & (LATTICE - 1);
	fx = fx * fx * (3 - 2 * fx);
	fy = fy * fy * (3 - 2 * fy);
	float a = s->lattice[y0][x0] + fx * (s->lattice[y0][x1] - s->lattice[y0][x0]);
	float b = s->lattice[y1][x0] + fx * (s->lattice[y1][x1] - s->lattice[y1][x0]);
	return a + fy * (b - a);
}

/* Returns the share of the second ground colour at (x, y), 0..1. */
static float texture(const scene *s, float x, float y)
{
	float u = (s->cosine * x + s->sine * y) / s->grain + s->phase[0];
	float v = (s->cosine * y - s->sine * x) / s->grain + s->phase[1];
	switch (s->texture) {
	case STRIPES: return 0.5f + 0.5f * sinf(TURN * u);
	case CHECKER: return 0.5f + 0.5f * tanhf(4 * sinf(TURN / 2 * u) * sinf(TURN / 2 * v));
	case DOTS:
		u -= rintf(u);
		v -= rintf(v);
		return 1 / (1 + expf(24 * (sqrtf(u * u + v * v) - 0.3f)));
	default: return clouds(s, 1.5f * u, 1.5f * v);
	}
}

/* Returns the fraction of a pixel that the figure covers.  (x, y) is the centre of the pixel, `side` its side. */
static float coverage(const scene *s, float x, float y, float side)
{
	float angle = TURN * s->factor[FACTOR_ROTATION], size = s->factor[FACTOR_SIZE];
	float u = (x - s->factor[FACTOR_X]) / size, v = (y - s->factor[FACTOR_Y]) / size;
	float d = bl_figure_distance((int)s->factor[FACTOR_CLASS], cosf(angle) * u + sinf(angle) * v,
	                             cosf(angle) * v - sinf(angle) * u);
	float part = 0.5f - d * size / side;
	return part < 0 ? 0 : part > 1 ? 1 : part;
}

static uint8_t to_byte(float v)
{
	return (uint8_t)lrintf(255 * (v < 0 ? 0 : v > 1 ? 1 : v));
}

static void paint(const scene *s, int size, int channels, bl_rng *r, uint8_t *out)
{
	float side = 1 / (float)size;
	for (int i = 0; i < size * size; i++) {
		float x = ((float)(i % size) + 0.5f) * side, y = ((float)(i / size) + 0.5f) * side;
		float part = coverage(s, x, y, side), mix = texture(s, x, y);
		float light = 1 + s->light[0] * (x - 0.5f) + s->light[1] * (y - 0.5f);
		colour c;
		for (int k = 0; k < 3; k++) {
			float ground = s->ground[0].v[k] + mix * (s->ground[1].v[k] - s->ground[0].v[k]);
			c.v[k] = (ground + part * (s->figure.v[k] - ground)) * light;
		}
		float noise = s->noise * bl_rng_normal(r);
		if (channels == 1)
			out[i] = to_byte(luminance_of(&c) + noise);
		else
			for (int k = 0; k < 3; k++)
				out[3 * i + k] = to_byte(c.v[k] + noise);
	}
}

struct making {
	bl_dataset *d;
	uint64_t seed;
};

static void make_image(const struct making *m, int64_t i)
{
	bl_dataset *d = m->d;
	bl_rng r;
	scene s;
	bl_rng_init(&r, m->seed, 0, (uint32_t)i, BL_STREAM_SHAPES);
	draw_figure(&s, &r);
	draw_colours(&s, &r);
	draw_ground(&s, &r);
	paint(&s, d->height, d->channels, &r, d->memory + (size_t)i * d->height * d->width * d->channels);
	d->labels[i] = (int32_t)s.factor[FACTOR_CLASS];
	for (int k = 0; k < FACTORS; k++)
		d->factors[i * FACTORS + k] = s.factor[k];
}

static void make_chunk(void *ctx, int64_t chunk)
{
	const struct making *m = ctx;
	int64_t to = (chunk + 1) * CHUNK < m->d->n ? (chunk + 1) * CHUNK : m->d->n;
	for (int64_t i = chunk * CHUNK; i < to; i++)
		make_image(m, i);
}

static int make_room(bl_dataset *d)
{
	if (bl_dataset_room(d) < 0)
		return -1;
	d->labels = malloc((size_t)d->n * sizeof *d->labels);
	d->factors = malloc((size_t)d->n * FACTORS * sizeof *d->factors);
	if (!d->labels || !d->factors)
		return bl_fail("shapes: no memory for the labels of %" PRId64 " images", d->n);
	d->classes = FIGURES;
	d->class_names = bl_figure_names;
	d->factor_names = factor_names;
	d->factor_count = FACTORS;
	return 0;
}

bl_dataset *bl_dataset_shapes(const bl_shapes_config *c)
{
	if (c->size < LEAST_SIDE || c->size > MOST_SIDE)
		return bl_fail_null("shapes: size = %d, expected %d to %d pixels", c->size, LEAST_SIDE, MOST_SIDE);
	if (c->channels != 1 && c->channels != 3)
		return bl_fail_null("shapes: images of %d channels, expected 1 or 3", c->channels);
	if (c->n < 1 || c->n > UINT32_MAX)
		return bl_fail_null("shapes: n = %" PRId64 ", expected 1 to %" PRIu32, c->n, UINT32_MAX);
	bl_dataset *d = bl_dataset_make("shapes", c->n, c->channels, c->size, c->size);
	if (d && make_room(d) == 0) {
		struct making m = { d, c->seed };
		bl_parallel((d->n + CHUNK - 1) / CHUNK, make_chunk, &m);
		if (!bl_given_up())
			return d;
		bl_fail_interrupted("shapes: interrupted");
	}
	bl_dataset_unref(d);
	return NULL;
}

static const bl_field fields[] = {
	BL_FIELD(INT64, bl_shapes_config, n, BL_DEFAULT(10000), BL_WITHIN(1, 1e9), .help = "number of images"),
	BL_FIELD(INT, bl_shapes_config, size, BL_DEFAULT(32), BL_WITHIN(LEAST_SIDE, MOST_SIDE), .help = "side of an image, pixels"),
	BL_FIELD(INT, bl_shapes_config, channels, BL_DEFAULT(3), BL_WITHIN(1, 3), .help = "3 for colour, 1 for grey"),
	BL_FIELD(INT64, bl_shapes_config, seed, BL_DEFAULT(0), .help = "seed of the images; another seed gives other images"),
	BL_FIELD_END,
};

static bl_dataset *make_kind(const void *settings)
{
	return bl_dataset_shapes(settings);
}

const bl_data_kind bl_data_shapes = {
	.name = "shapes",
	.help = "Generated images of shapes, whose factors are known.",
	.example = "data.shapes{n = 10, size = 16}[1].factors",
	.fields = fields,
	.make = make_kind,
};
