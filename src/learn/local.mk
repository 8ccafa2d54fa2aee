# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/learn/cells.c \
	src/learn/direct.c \
	src/learn/direct.h \
	src/learn/gram.c \
	src/learn/gram.h \
	src/learn/loss.c \
	src/learn/optim.c \
	src/learn/picture.c \
	src/learn/schedule.c \
	src/learn/standard.c \
	src/learn/standard.h
