# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/augment/affine.c \
	src/augment/batch_aug.c \
	src/augment/blur.c \
	src/augment/canvas.c \
	src/augment/canvas.h \
	src/augment/centre.c \
	src/augment/crop.c \
	src/augment/cutout.c \
	src/augment/flip.c \
	src/augment/function.c \
	src/augment/grayscale.c \
	src/augment/grey.h \
	src/augment/jitter.c \
	src/augment/noise.c \
	src/augment/normalize.c \
	src/augment/operator.c \
	src/augment/operator.h \
	src/augment/pipeline.c \
	src/augment/resample.c \
	src/augment/resample.h \
	src/augment/solarize.c \
	src/augment/text.c \
	src/augment/weigh.h \
	src/augment/window.c \
	src/augment/window.h
