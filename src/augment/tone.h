/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tone.h: what changes values where they are: parts of jitter, and operators of their own.
 *
 * Each works in place on a canvas whose pixels are loaded.  Those that go by levels of 8 bits take the nearest one.
 */
#ifndef AUGMENT_TONE_H
#define AUGMENT_TONE_H

#include "augment/canvas.h"

/* x' = clip(f x + (1 - f) poorer): poorer is black, the mean grey, the grey image, the image smoothed by its neighbours. */
void bl_tone_brightness(canvas *c, float f);
void bl_tone_contrast(canvas *c, float f);
void bl_tone_saturation(canvas *c, float f); /* of 3 channels; others stay */
void bl_tone_sharpness(canvas *c, float f);

void bl_tone_invert(canvas *c);
void bl_tone_solarize(canvas *c, float threshold); /* 0..1: values of this and above are inverted */
void bl_tone_posterize(canvas *c, int bits);       /* the highest bits of 8 */
void bl_tone_autocontrast(canvas *c);              /* each channel's darkest to lightest becomes 0 to 1 */
void bl_tone_equalize(canvas *c);                  /* each channel's levels as evenly used as may be */

#endif
