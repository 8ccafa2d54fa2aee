# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/eval/features.c \
	src/eval/knn.c \
	src/eval/label_check.c \
	src/eval/label_check.h \
	src/eval/lbfgs.c \
	src/eval/lbfgs.h \
	src/eval/linear_probe.c \
	src/eval/logistic.c \
	src/eval/logistic.h \
	src/eval/spectrum.c \
	src/eval/statistics.c \
	src/eval/whiten.c
