/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tone.h: what changes values where they are: parts of jitter, and operators of their own.
 *
 * Each works in place on a float_image whose pixels are loaded.  Those that go by levels of 8 bits take the nearest one.
 */
#ifndef BARLOW_AUGMENT_TONE_H
#define BARLOW_AUGMENT_TONE_H

#include "augment/float_image.h"

/* x' = clip(f x + (1 - f) poorer): poorer is black, the mean grey, the grey image, the image smoothed by its neighbours. */
void bl_tone_brightness(float_image *c, float f);
void bl_tone_contrast(float_image *c, float f);
void bl_tone_saturation(float_image *c, float f); /* of 3 channels; others stay */
void bl_tone_sharpness(float_image *c, float f);

void bl_tone_invert(float_image *c);
void bl_tone_solarize(float_image *c, float threshold); /* 0..1: values of this and above are inverted */
void bl_tone_posterize(float_image *c, int bits);       /* the highest bits of 8 */
void bl_tone_autocontrast(float_image *c);              /* each channel's darkest to lightest becomes 0 to 1 */
void bl_tone_equalize(float_image *c);                  /* each channel's levels as evenly used as may be */

#endif
