/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * augment.h: image operators, and pipelines of them: one image in, one view out.
 *
 * Operators follow torchvision on PIL images (which the authors' code uses);
 * random draws come from the given stream only.  A pipeline is immutable once
 * built, reference-counted, and may be applied by many threads.
 */
#ifndef BARLOW_AUGMENT_H
#define BARLOW_AUGMENT_H

#include <barlow/random.h>
#include <barlow/tensor.h>

/*
 * height x width is the image's own size.  The pixels are all of it, or, where
 * part.eighths is not 0, a part of its copy at eighths / 8 of that size:
 * part.height x part.width of them, the first in row part.top, column
 * part.left of the copy.
 */
typedef struct bl_image {
	const uint8_t *pixels; /* (H,W,C) */
	int height, width, channels;
	struct {
		int eighths, top, left, height, width;
	} part;
} bl_image;

/* A rectangle of an image, in its own pixels, and the least scale at which it is still large enough: 0 < scale <= 1. */
typedef struct bl_window {
	int top, left, height, width;
	float scale;
} bl_window;
/* Out becomes the smallest window that has both in it, at the larger of the scales. */
void bl_window_join(bl_window *out, const bl_window *other);

typedef enum bl_aug_kind {
	BL_AUG_CROP,      /* random resized crop, bicubic with antialiasing: size, scale lo..hi, ratio lo..hi */
	BL_AUG_RESIZE,    /* whole image to size: size */
	BL_AUG_FLIP,      /* horizontal: p */
	BL_AUG_JITTER,    /* brightness, contrast, saturation, hue in random order: p */
	BL_AUG_GRAYSCALE, /* p */
	BL_AUG_BLUR,      /* Gaussian, sigma lo..hi: p */
	BL_AUG_SOLARIZE,  /* threshold 0..1: p */
	BL_AUG_NORMALIZE, /* (x - mean) / std per channel */
	BL_AUG_AFFINE,    /* rotation +-degrees, translation +-fraction, scale lo..hi: p */
	BL_AUG_NOISE,     /* Gaussian, std: p */
	BL_AUG_CUTOUT,    /* square hole of zeros, of the shorter side the fraction `hole` (in Lua: size): p */
} bl_aug_kind;

typedef struct bl_aug {
	bl_aug_kind kind;
	float p;
	int size;
	float scale[2], ratio[2], sigma[2];
	float brightness, contrast, saturation, hue;
	union {
		float threshold;
		float hole;
	};
	float degrees, translate, std;
	float mean[4], stddev[4];
} bl_aug;

/* The operator's defaults (the paper's values), to change fields of. */
bl_aug bl_aug_default(bl_aug_kind kind);
/* "crop{size = 28, scale = {0.08, 1}}" style Lua text into buf. */
char *bl_aug_text(const bl_aug *a, char *buf, size_t size);

typedef struct bl_pipeline bl_pipeline;
bl_pipeline *bl_pipeline_new(const bl_aug *ops, int n); /* fails naming the operator and the field that makes no sense */
bl_pipeline *bl_pipeline_ref(bl_pipeline *p);
void bl_pipeline_unref(bl_pipeline *p);
int bl_pipeline_length(const bl_pipeline *p);
const bl_aug *bl_pipeline_op(const bl_pipeline *p, int i);
/* Output height and width for an input of h x w. */
void bl_pipeline_output(const bl_pipeline *p, int h, int w, int *oh, int *ow);
/*
 * What bl_pipeline_apply will read of an image of h x w with that stream: where
 * the first operator crops or resizes, its box, at a scale that leaves it at
 * least as many pixels as it makes; otherwise all of the image.
 */
void bl_pipeline_window(const bl_pipeline *p, int h, int w, bl_rng r, bl_window *out);
/* Applies to one image; out is (oh,ow,C) floats, in 0..1 unless normalised.  0, or negative with bl_error. */
int bl_pipeline_apply(const bl_pipeline *p, const bl_image *in, bl_rng *r, float *out);
/* What bl_pipeline_apply draws for that image from that stream: "crop 3,4 20x22, flip" (left, top, width x height) into buf. */
char *bl_pipeline_describe(const bl_pipeline *p, const bl_image *in, bl_rng r, char *buf, size_t size);

#endif
