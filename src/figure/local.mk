# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/figure/figure_curves.c \
	src/figure/figure.c src/figure/figure.h \
	src/figure/gnuplot.c src/figure/gnuplot.h \
	src/figure/figure_heatmap.c \
	src/figure/image.c \
	src/figure/figure_lines.c \
	src/figure/figure_record.c src/figure/figure_record.h \
	src/figure/figure_save.c \
	src/figure/scale.c \
	src/figure/gnuplot_script.c src/figure/gnuplot_script.h
