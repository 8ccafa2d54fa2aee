# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/grad/batchnorm.c \
	src/grad/compare.c \
	src/grad/conv2d.c \
	src/grad/cross_entropy.c \
	src/grad/dims.c \
	src/grad/dims.h \
	src/grad/elementwise.c \
	src/grad/gradcheck.c \
	src/grad/linalg.c \
	src/grad/lines.c \
	src/grad/matmul.c \
	src/grad/node.c \
	src/grad/node.h \
	src/grad/ops.def \
	src/grad/pool.c \
	src/grad/rearrange.c \
	src/grad/reduce.c \
	src/grad/shape.c \
	src/grad/sums.c
