# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/figure/curves.c \
	src/figure/figure.c src/figure/figure.h \
	src/figure/gnuplot.c src/figure/gnuplot.h \
	src/figure/heatmap.c \
	src/figure/image.c \
	src/figure/lines.c \
	src/figure/record.c src/figure/record.h \
	src/figure/save.c \
	src/figure/scale.c \
	src/figure/script.c src/figure/script.h
