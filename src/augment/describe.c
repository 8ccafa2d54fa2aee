/* SPDX-License-Identifier: GPL-3.0-or-later */
/* describe.c: what one view drew, in words: "crop 3,4 20x22, flip, brightness 1.21". */
#include "augment/operator.h"

#include <stdio.h>

static int say_box(const char *what, const draw *d, char *buf, size_t size)
{
	return snprintf(buf, size, "%s %d,%d %dx%d", what, d->box.left, d->box.top, d->box.width, d->box.height);
}

/* In the order in which they are applied; grey images have neither saturation nor hue. */
static int say_jitter(const bl_aug *a, const draw *d, int channels, char *buf, size_t size)
{
	static const char *const names[] = { "brightness", "contrast", "saturation", "hue" };
	const float strength[] = { a->brightness, a->contrast, a->saturation, a->hue };
	int used = 0;
	buf[0] = '\0';
	for (int k = 0; k < 4; k++) {
		int part = d->jitter.order[k];
		if (strength[part] > 0 && (part < 2 || channels == MOST_CHANNELS) && (size_t)used < size)
			used += snprintf(buf + used, size - (size_t)used, "%s%s %.2f", used ? ", " : "", names[part],
					 (double)d->jitter.factor[part]);
	}
	return used;
}

static int say_affine(const draw *d, char *buf, size_t size)
{
	return snprintf(buf, size, "rotate %.1f, shift %.0f,%.0f, scale %.2f", (double)d->affine.angle * 57.29577951308232,
			(double)d->affine.dx, (double)d->affine.dy, (double)d->affine.scale);
}

/* What is the same for every view (resize, normalize) goes without saying. */
int bl_draw_text(const bl_aug *a, const draw *d, int channels, char *buf, size_t size)
{
	switch (a->kind) {
	case BL_AUG_CROP:
		return say_box("crop", d, buf, size);
	case BL_AUG_FLIP:
		return snprintf(buf, size, "flip");
	case BL_AUG_JITTER:
		return say_jitter(a, d, channels, buf, size);
	case BL_AUG_GRAYSCALE:
		return snprintf(buf, size, "grayscale");
	case BL_AUG_BLUR:
		return snprintf(buf, size, "blur %.2f", (double)d->sigma);
	case BL_AUG_SOLARIZE:
		return snprintf(buf, size, "solarize %.2f", (double)a->threshold);
	case BL_AUG_AFFINE:
		return say_affine(d, buf, size);
	case BL_AUG_NOISE:
		return snprintf(buf, size, "noise %.2f", (double)a->std);
	case BL_AUG_CUTOUT:
		return say_box("cutout", d, buf, size);
	default:
		buf[0] = '\0';
		return 0;
	}
}
