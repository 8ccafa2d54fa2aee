# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/grad/gradcheck.c \
	src/grad/node.c \
	src/grad/node.h \
	src/grad/ops.def
