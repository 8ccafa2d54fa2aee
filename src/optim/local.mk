# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/optim/adamw.c \
	src/optim/schedule_constant.c \
	src/optim/schedule_cosine.c \
	src/optim/lars.c \
	src/optim/optimisers.c \
	src/optim/momentum.c \
	src/optim/optim.c \
	src/optim/optim.h \
	src/optim/schedule.c \
	src/optim/sgd.c
