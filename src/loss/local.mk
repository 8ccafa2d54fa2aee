# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/loss/cells.c \
	src/loss/direct.c \
	src/loss/direct.h \
	src/loss/gram.c \
	src/loss/gram.h \
	src/loss/loss.c \
	src/loss/picture.c \
	src/loss/standard.c \
	src/loss/standard.h
