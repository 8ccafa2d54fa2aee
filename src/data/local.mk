# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/data/batch.c \
	src/data/dataset.c \
	src/data/dataset.h \
	src/data/decode.c \
	src/data/decode.h \
	src/data/decode_bmp.c \
	src/data/decode_gif.c \
	src/data/decode_jpeg.c \
	src/data/decode_png.c \
	src/data/decode_pnm.c \
	src/data/decode_tiff.c \
	src/data/decode_webp.c \
	src/data/exif.c \
	src/data/fashion.c \
	src/data/fetch.c \
	src/data/figures.c \
	src/data/figures.h \
	src/data/fingerprint.c \
	src/data/folder.c \
	src/data/gunzip.c \
	src/data/gunzip.h \
	src/data/idx.c \
	src/data/list.c \
	src/data/listing.c \
	src/data/listing.h \
	src/data/loader.c \
	src/data/order.c \
	src/data/order.h \
	src/data/shapes.c \
	src/data/statistics.c \
	src/data/subset.c \
	src/data/tensors.c
