# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/grad/batchnorm.c \
	src/grad/conv2d.c \
	src/grad/gradcheck.c \
	src/grad/node.c \
	src/grad/node.h \
	src/grad/ops.def \
	src/grad/pool.c
