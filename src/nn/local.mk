# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/nn/containers.c \
	src/nn/forward.c \
	src/nn/init.c \
	src/nn/init.h \
	src/nn/layers.c \
	src/nn/layers.h \
	src/nn/linear.c \
	src/nn/module.c \
	src/nn/module.h \
	src/nn/networks.c \
	src/nn/norm.c \
	src/nn/params.c \
	src/nn/provenance.c \
	src/nn/resnet.c
