# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/tensor/blas.c \
	src/tensor/blas.h \
	src/tensor/conv.c \
	src/tensor/conv.h \
	src/tensor/conv_pack.c \
	src/tensor/conv_pack.h \
	src/tensor/conv_plan.c \
	src/tensor/conv_plan.h \
	src/tensor/conv_weight.c \
	src/tensor/copy.c \
	src/tensor/npy.c \
	src/tensor/tensor.c \
	src/tensor/tensor.h \
	src/tensor/walk.c

# Compiled with flags of their own: see Makefile.am.
libbarlow_sources += \
	src/tensor/kernel.c \
	src/tensor/kernel.h \
	src/tensor/kernel_body.h \
	src/tensor/kernel_generic.c
kernel_avx2_sources += src/tensor/kernel_avx2.c
kernel_avx512_sources += src/tensor/kernel_avx512.c
