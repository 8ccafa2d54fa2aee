/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tone.h (private): functions that change the values of pixels in place, for jitter and for separate operators.
 *
 * The image must be loaded.  Functions of 8-bit levels (posterize, equalize) round values to the nearest level.
 */
#ifndef BARLOW_AUGMENT_TONE_H
#define BARLOW_AUGMENT_TONE_H

#include "augment/float_image.h"

/* These functions blend with another image: x' = clip(f x + (1 - f) other). */
void bl_tone_brightness(float_image *c, float f); /* other: black */
void bl_tone_contrast(float_image *c, float f);   /* other: the mean grey */
void bl_tone_saturation(float_image *c, float f); /* other: the grey image; does nothing without 3 channels */
void bl_tone_sharpness(float_image *c, float f);  /* other: the image smoothed over 3 x 3 pixels */

void bl_tone_invert(float_image *c);                    /* 1 - x */
void bl_tone_solarize(float_image *c, float threshold); /* inverts values of at least threshold, 0..1 */
void bl_tone_posterize(float_image *c, int bits);       /* sets all but the highest `bits` of 8 bits to 0 */
void bl_tone_autocontrast(float_image *c);              /* stretches the range of each channel to 0..1 */
void bl_tone_equalize(float_image *c);                  /* equalises the histogram of each channel */

#endif
