/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pictures.h: settings of sets of image files, wherever those lie. */
#ifndef BARLOW_DATA_PICTURES_H
#define BARLOW_DATA_PICTURES_H

#include "data/cache.h"

enum { BL_PICTURE_SIDE = 16384 };

extern const char *const bl_picture_backends[]; /* the second is PIL's */
#define BL_PICTURE_BACKEND_HELP \
	"how evaluation resizes: tensor: bicubic, in one pass; pil: bilinear, to bytes, as torchvision on PIL images"

typedef struct bl_pictures {
	float size[2]; /* what evaluation sees; 0: see bl_pictures_size */
	int channels;
	bl_list background;
	bool orient, full_scale;
	bl_cache_kind cache;
	int backend;
} bl_pictures;

/* Their fields, in a struct of settings that has them as its member `pictures`. */
/* clang-format off */
#define BL_PICTURE_FIELD(kind_, struct_, member_, ...) \
	{ .name = #member_, .kind = BL_FIELD_##kind_, .offset = offsetof(struct_, pictures.member_), __VA_ARGS__ }
#define BL_PICTURES_FIELDS(struct_) \
	BL_PICTURE_FIELD(FLOATS, struct_, size, BL_OTHERWISE("the first image's, 224 where that is larger"), \
	                 BL_WITHIN(1, BL_PICTURE_SIDE), .count = 2, \
	                 .help = "side, or {height, width}, of default views and of images in evaluation (shorter side to 8/7 of it, centre crop)"), \
	BL_PICTURE_FIELD(INT, struct_, channels, BL_DEFAULT(3), BL_WITHIN(1, 3), .help = "3 or 1: all images are converted to it"), \
	BL_PICTURE_FIELD(LIST, struct_, background, BL_OTHERWISE("alpha is ignored"), BL_WITHIN(0, 1), .count = 3, \
	                 .help = "colour behind transparent pixels: grey, or {red, green, blue}"), \
	BL_PICTURE_FIELD(BOOL, struct_, orient, BL_DEFAULT(false), .help = "turns images as their EXIF orientation says"), \
	BL_PICTURE_FIELD(BOOL, struct_, full_scale, BL_DEFAULT(false), .help = "decodes JPEGs in full size even where a crop needs less"), \
	BL_PICTURE_FIELD(CHOICE, struct_, cache, BL_DEFAULT(BL_CACHE_NONE), .choices = bl_cache_words, .help = BL_CACHE_HELP), \
	BL_PICTURE_FIELD(CHOICE, struct_, backend, BL_DEFAULT(0), .choices = bl_picture_backends, .help = BL_PICTURE_BACKEND_HELP)
/* clang-format on */

/* Evaluation resizes as PIL does, which a cache does not allow: 0, or negative with bl_error, "what: ...". */
int bl_pictures_check_pil(bool pil, bl_cache_kind cache, const char *what);
/* How pixels are wanted by these settings; negative with bl_error, "what: ...". */
int bl_pictures_wish(const bl_pictures *p, const char *what, bl_wish *wish);
/* What evaluation sees: as set, or the first image's size, unless that is a photograph's. */
int bl_pictures_size(bl_dataset *d, int height, int width);
/* Both for a set that is otherwise made: size and cache. */
int bl_pictures_finish(bl_dataset *d, const bl_pictures *p, const bl_wish *wish);

#endif
