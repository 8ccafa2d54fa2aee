/* SPDX-License-Identifier: GPL-3.0-or-later */
/* window.h (private): the part of an image that is available, and the preparation of images for evaluation. */
#ifndef BARLOW_AUGMENT_WINDOW_H
#define BARLOW_AUGMENT_WINDOW_H

#include <barlow/augment.h>

/* The window of a rectangle (top, left, h, w) that will be resampled to height x width. */
bl_window bl_window_for(int top, int left, int h, int w, int height, int width);

/* The part of the image that its available pixels cover, in pixels of the whole image. */
bl_window bl_image_window(const bl_image *im);

/*
 * An image is prepared for evaluation at height x width as follows.  Its shorter side is resized to 8/7 of the size, as
 * torchvision's Resize(256) does for 224, and the centre is cropped.  An image that has the size already is unchanged.
 */

/* The size to which an image of h x w is resized before the crop. */
void bl_centre_size(int h, int w, int height, int width, int *resized_h, int *resized_w);
/* The part of an image of h x w that is read. */
bl_window bl_centre_window(int h, int w, int height, int width);
/*
 * Prepares an image: out (height,width,C) = x * scale + shift for each channel, with x in 0..1.  0, or negative with
 * bl_error.
 */
int bl_centre_apply(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out);
/*
 * As bl_centre_apply, but as PIL does: resizes the whole image bilinearly, to whole pixels and bytes, and then crops.
 */
int bl_centre_apply_pil(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out);

/* Resizes the whole image to out (height,width,C), in 0..1.  0, or negative with bl_error. */
int bl_image_resize(const bl_image *in, int height, int width, float *out);

#endif
