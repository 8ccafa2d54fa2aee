# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/loss/barlow/barlow.c \
	src/loss/barlow/direct.c \
	src/loss/barlow/direct.h \
	src/loss/barlow/gram.c \
	src/loss/barlow/gram.h \
	src/loss/barlow/ops.c \
	src/loss/cells.c \
	src/loss/chunks.c \
	src/loss/losses.c \
	src/loss/loss.c \
	src/loss/picture.c \
	src/loss/squares.c \
	src/loss/squares.h \
	src/loss/standard.c \
	src/loss/standard.h \
	src/loss/vicreg.c
