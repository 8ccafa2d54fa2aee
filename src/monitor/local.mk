# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/monitor/arrange.c \
	src/monitor/correlation.c \
	src/monitor/measures.c \
	src/monitor/meter.h \
	src/monitor/monitor.c \
	src/monitor/monitor.h \
	src/monitor/pair.c \
	src/monitor/points.c \
	src/monitor/snapshot.h
