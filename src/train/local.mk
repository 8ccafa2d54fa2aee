# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/train/features.c \
	src/train/knn.c \
	src/train/labels.c \
	src/train/labels.h \
	src/train/lbfgs.c \
	src/train/lbfgs.h \
	src/train/linear_probe.c \
	src/train/logistic.c \
	src/train/logistic.h \
	src/train/spectrum.c \
	src/train/asks.c \
	src/train/history.c \
	src/train/history.h \
	src/train/kept.c \
	src/train/live.c \
	src/train/livefile.c \
	src/train/livefile.h \
	src/train/mailbox.c \
	src/train/past.c \
	src/train/control.c \
	src/train/go_on.c \
	src/train/guard.c \
	src/train/keep.c \
	src/train/arrange.c \
	src/train/heat.c \
	src/train/measures.c \
	src/train/meter.h \
	src/train/monitor.c \
	src/train/monitor.h \
	src/train/pair.c \
	src/train/points.c \
	src/train/snapshot.h \
	src/train/step.c \
	src/train/trainer.c \
	src/train/trainer.h
