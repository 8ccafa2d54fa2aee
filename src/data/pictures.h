/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pictures.h: the settings that all sets of image files have in common. */
#ifndef BARLOW_DATA_PICTURES_H
#define BARLOW_DATA_PICTURES_H

#include "data/cache.h"

enum { BL_PICTURE_SIDE = 16384 };

extern const char *const bl_picture_backends[]; /* index 1 is PIL's */
#define BL_PICTURE_BACKEND_HELP \
	"how evaluation resizes: tensor: bicubic, in one pass; pil: bilinear, to bytes, as torchvision on PIL images"

typedef struct bl_pictures {
	float size[2]; /* height and width in evaluation; 0: see bl_pictures_size */
	int channels;
	bl_list background;
	bool orient, full_scale;
	bl_cache_kind cache;
	int backend;
} bl_pictures;

/* The fields of these settings, for a struct that has a bl_pictures as its member `pictures`. */
/* clang-format off */
#define BL_PICTURE_FIELD(kind_, struct_, member_, ...) \
	{ .name = #member_, .kind = BL_FIELD_##kind_, .offset = offsetof(struct_, pictures.member_), __VA_ARGS__ }
#define BL_PICTURES_FIELDS(struct_) \
	BL_PICTURE_FIELD(FLOATS, struct_, size, BL_OTHERWISE("the first image's size, or 224 if a side is longer"), \
	                 BL_WITHIN(1, BL_PICTURE_SIDE), .count = 2, \
	                 .help = "side, or {height, width}, of default views and of images in evaluation, which are " \
	                         "cropped after their shorter side is resized to 8/7 of it"), \
	BL_PICTURE_FIELD(INT, struct_, channels, BL_DEFAULT(3), BL_WITHIN(1, 3), .help = "3 or 1: all images are converted to it"), \
	BL_PICTURE_FIELD(LIST, struct_, background, BL_OTHERWISE("alpha is ignored"), BL_WITHIN(0, 1), .count = 3, \
	                 .help = "colour behind transparent pixels: grey, or {red, green, blue}"), \
	BL_PICTURE_FIELD(BOOL, struct_, orient, BL_DEFAULT(false), .help = "turns images as their EXIF orientation says"), \
	BL_PICTURE_FIELD(BOOL, struct_, full_scale, BL_DEFAULT(false), .help = "decodes JPEGs in full size even where a crop needs less"), \
	BL_PICTURE_FIELD(CHOICE, struct_, cache, BL_DEFAULT(BL_CACHE_NONE), .choices = bl_cache_words, .help = BL_CACHE_HELP), \
	BL_PICTURE_FIELD(CHOICE, struct_, backend, BL_DEFAULT(0), .choices = bl_picture_backends, .help = BL_PICTURE_BACKEND_HELP)
/* clang-format on */

/*
 * Refuses PIL's backend with a cache, because PIL's resizing needs whole images.  Negative with bl_error, "what: ...".
 */
int bl_pictures_check_pil(bool pil, bl_cache_kind cache, const char *what);
/* Sets *options from the settings.  Negative with bl_error, "what: ...". */
int bl_pictures_options(const bl_pictures *p, const char *what, bl_decode_options *options);
/*
 * Sets the size in evaluation: height x width or, if these are 0, the first image's size, or 224 x 224 if one of its
 * sides is longer.  Negative with bl_error.
 */
int bl_pictures_size(bl_dataset *d, int height, int width);
/* Sets size and backend of a set that is complete otherwise, and adds its cache.  Negative with bl_error. */
int bl_pictures_finish(bl_dataset *d, const bl_pictures *p, const bl_decode_options *options);

#endif
