/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * jitter.c: brightness, contrast, saturation and hue in random order.
 *
 * As in torchvision on PIL images, brightness, contrast and saturation blend the image with another image:
 *
 *   x' = clip(f x + (1 - f) other)
 *
 * The other image is black for brightness, the mean grey for contrast, and the grey image for saturation.  Hue is
 * rotated in HSV.  Images of one channel have neither saturation nor hue.
 */
#include "augment/operator.h"
#include "augment/pil.h"
#include "augment/tone.h"

#include <barlow/error.h>

#include <math.h>
#include <stdio.h>

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, PARTS };

typedef struct parameters {
	float brightness, contrast, saturation, hue, p;
	backend backend;
} parameters;

typedef struct draws {
	int order[PARTS];
	float factor[PARTS];
} draws;

INLINE float clip(float x)
{
	x = x > 0 ? x : 0;
	return x < 1 ? x : 1;
}

/*
 * The value of a channel: v - chroma * clip(min(k, 4 - k)) with k = h mod 6, where h is the hue in sixths of the circle
 * plus an offset for the channel.
 */
INLINE float from_hue(float h, float v, float chroma)
{
	float k = h - 6 * (float)(int)(h * (1.0f / 6)); /* h >= 0 */
	return v - chroma * clip(k < 4 - k ? k : 4 - k);
}

/* turn: the rotation as a fraction of the circle, -1/2 to 1/2. */
BL_CLONES static void turn_hue(float *restrict r, float *restrict g, float *restrict b, size_t n, float turn)
{
	float offset = 6 * turn + 6; /* makes h positive */
	for (size_t i = 0; i < n; i++) {
		float R = r[i], G = g[i], B = b[i];
		float most = R > G ? R : G, least = R < G ? R : G;
		most = most > B ? most : B;
		least = least < B ? least : B;
		float chroma = most - least, inverse = 1 / (chroma > 1e-6f ? chroma : 1);
		float by_g = 2 + (B - R) * inverse, by_b = 4 + (R - G) * inverse, by_r = (G - B) * inverse;
		float h = (most == R ? by_r : most == G ? by_g : by_b) + offset;
		r[i] = from_hue(h + 5, most, chroma);
		g[i] = from_hue(h + 3, most, chroma);
		b[i] = from_hue(h + 1, most, chroma);
	}
}

static void change(float_image *c, int part, float f)
{
	if (part == BRIGHTNESS)
		bl_tone_brightness(c, f);
	else if (part == CONTRAST)
		bl_tone_contrast(c, f);
	else if (part == SATURATION)
		bl_tone_saturation(c, f);
	else if (part == HUE && c->channels == 3)
		turn_hue(c->data, c->data + c->plane, c->data + 2 * c->plane, (size_t)c->height * (size_t)c->width, f);
}

static void change_bytes(float_image *c, int part, float f)
{
	if (part == BRIGHTNESS)
		bl_pil_brightness(c, f);
	else if (part == CONTRAST)
		bl_pil_contrast(c, f);
	else if (part == SATURATION && c->channels == 3)
		bl_pil_saturation(c, f);
	else if (part == HUE && c->channels == 3)
		bl_pil_hue(c, f);
}

static bool draw(const void *params, drawing *w, void *drawn)
{
	const parameters *p = params;
	draws *d = drawn;
	int64_t order[PARTS] = { BRIGHTNESS, CONTRAST, SATURATION, HUE };
	const float strength[] = { p->brightness, p->contrast, p->saturation };
	if (bl_rng_uniform(&w->rng) >= p->p)
		return false;
	bl_rng_shuffle(&w->rng, order, PARTS);
	for (int k = 0; k < PARTS; k++)
		d->order[k] = (int)order[k];
	for (int k = 0; k < HUE; k++)
		d->factor[k] = bl_rng_between(&w->rng, fmaxf(0, 1 - strength[k]), 1 + strength[k]);
	d->factor[HUE] = bl_rng_between(&w->rng, -p->hue, p->hue);
	return true;
}

static float strength_of(const parameters *p, int part)
{
	return part == BRIGHTNESS ? p->brightness : part == CONTRAST ? p->contrast : part == SATURATION ? p->saturation : p->hue;
}

static int apply(const void *params, const void *drawn, float_image *c)
{
	const parameters *p = params;
	const draws *d = drawn;
	bl_float_image_load(c);
	for (int k = 0; k < PARTS; k++)
		if (strength_of(p, d->order[k]) > 0)
			(p->backend == BACKEND_PIL ? change_bytes : change)(c, d->order[k], d->factor[d->order[k]]);
	return 0;
}

static int accepts(const void *params, int channels)
{
	const parameters *p = params;
	if (channels == 1 || channels == 3 || (p->saturation == 0 && p->hue == 0))
		return 0;
	return bl_fail("saturation and hue need images of 3 channels, these have %d: set both to 0", channels);
}

/* Lists the changes in the order in which they are applied; grey images have neither saturation nor hue. */
static int describe(const void *p, const void *drawn, int channels, char *buf, size_t size)
{
	static const char *const names[] = { "brightness", "contrast", "saturation", "hue" };
	const draws *d = drawn;
	int used = 0;
	buf[0] = '\0';
	for (int k = 0; k < PARTS; k++) {
		int part = d->order[k];
		if (strength_of(p, part) > 0 && (part < SATURATION || channels == 3) && (size_t)used < size)
			used += snprintf(buf + used, size - (size_t)used, "%s%s %.2f", used ? ", " : "", names[part],
			                 (double)d->factor[part]);
	}
	return used;
}

static const bl_field fields[] = {
	BL_FIELD(FLOAT, parameters, brightness, BL_DEFAULT(.4), BL_WITHIN(0, 100), .settable = true,
	         .help = "strength s: multiplies values by a factor from max(0, 1 - s) to 1 + s"),
	BL_FIELD(FLOAT, parameters, contrast, BL_DEFAULT(.4), BL_WITHIN(0, 100), .settable = true,
	         .help = "strength s: multiplies differences from the mean grey by a factor from max(0, 1 - s) to 1 + s"),
	BL_FIELD(FLOAT, parameters, saturation, BL_DEFAULT(.2), BL_WITHIN(0, 100), .settable = true,
	         .help = "strength s: multiplies differences from the grey image by a factor from max(0, 1 - s) to 1 + s"),
	BL_FIELD(FLOAT, parameters, hue, BL_DEFAULT(.1), BL_WITHIN(0, .5), .settable = true,
	         .help = "largest shift of the hue, either way, as a fraction of the colour circle"),
	BL_FIELD(FLOAT, parameters, p, BL_DEFAULT(.8), BL_WITHIN(0, 1), .settable = true, .help = PROBABILITY),
	BACKEND_FIELD,
	BL_FIELD_END,
};

const operator bl_op_jitter = {
	.name = "jitter",
	.help = "Changes brightness, contrast, saturation and hue in random order; on grey images, only the first two.",
	.fields = fields,
	.parameters = sizeof(parameters),
	.draws = sizeof(draws),
	.accepts = accepts,
	.draw = draw,
	.apply = apply,
	.describe = describe,
	.needs_unit = true,
};
