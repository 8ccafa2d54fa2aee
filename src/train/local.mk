# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/train/live.c \
	src/train/livefile.c \
	src/train/livefile.h \
	src/train/mailbox.c
