# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/optim/optim.c \
	src/optim/schedule.c
