/* SPDX-License-Identifier: GPL-3.0-or-later */
/* window.h: what of an image is at hand, and an image as evaluation sees it. */
#ifndef BARLOW_AUGMENT_WINDOW_H
#define BARLOW_AUGMENT_WINDOW_H

#include <barlow/augment.h>

/* A rectangle that is to become height x width. */
bl_window bl_window_for(int top, int left, int h, int w, int height, int width);

/* What the pixels at hand cover, in the image's own pixels. */
bl_window bl_image_window(const bl_image *im);

/*
 * An image without augmentation at height x width: its shorter side is brought
 * to 8/7 of that, as torchvision's Resize(256) does for 224, and the centre is
 * taken; one that has the size already is taken as it is.
 */

/* What all of an image of h x w is resized to for that, before the crop. */
void bl_centre_size(int h, int w, int height, int width, int *resized_h, int *resized_w);
/* What is read of an image of h x w for that. */
bl_window bl_centre_window(int h, int w, int height, int width);
/* out (height,width,C) = values in 0..1 * scale + shift, per channel.  0, or negative with bl_error. */
int bl_centre_apply(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out);
/* The same of all of an image, as PIL does it: bilinear, in whole pixels, to bytes. */
int bl_centre_apply_pil(const bl_image *in, int height, int width, const float *scale, const float *shift, float *out);

/* All of the image at height x width, (height,width,C) in 0..1. */
int bl_image_resize(const bl_image *in, int height, int width, float *out);

#endif
