# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/loss/barlow/barlow.c \
	src/loss/barlow/cells.c \
	src/loss/barlow/direct.c \
	src/loss/barlow/direct.h \
	src/loss/barlow/gram.c \
	src/loss/barlow/gram.h \
	src/loss/barlow/ops.c \
	src/loss/barlow/picture.c \
	src/loss/barlow/squares.c \
	src/loss/barlow/squares.h \
	src/loss/barlow/standard.c \
	src/loss/barlow/standard.h \
	src/loss/chunks.c \
	src/loss/list.c \
	src/loss/loss.c \
	src/loss/loss.h \
	src/loss/vicreg.c
