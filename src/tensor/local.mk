# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/tensor/blas.c \
	src/tensor/blas.h \
	src/tensor/blas_core.c \
	src/tensor/blas_core.h \
	src/tensor/blas_room.c \
	src/tensor/conv.c \
	src/tensor/conv_algorithms.c \
	src/tensor/conv.h \
	src/tensor/conv_choice.c \
	src/tensor/conv_few.c \
	src/tensor/conv_gather.c \
	src/tensor/conv_gather.h \
	src/tensor/conv_onednn.h \
	src/tensor/conv_outer.c \
	src/tensor/conv_rows.c \
	src/tensor/conv_rows.h \
	src/tensor/conv_pad.c \
	src/tensor/conv_pad.h \
	src/tensor/conv_pack.c \
	src/tensor/conv_pack.h \
	src/tensor/conv_plan.c \
	src/tensor/conv_plan.h \
	src/tensor/conv_tune.c \
	src/tensor/copy.c \
	src/tensor/gemm_bf16.c \
	src/tensor/gemm_bf16.h \
	src/tensor/lapack.c \
	src/tensor/lapack.h \
	src/tensor/npy.c \
	src/tensor/npy.h \
	src/tensor/npz.c \
	src/tensor/panel.c \
	src/tensor/panel.h \
	src/tensor/tensor.c \
	src/tensor/tensor.h \
	src/tensor/walk.c \
	src/tensor/winograd.c \
	src/tensor/winograd.h \
	src/tensor/winograd_columns.c \
	src/tensor/winograd_filters.c \
	src/tensor/winograd_filters.h \
	src/tensor/winograd_job.h \
	src/tensor/winograd_tiles.c \
	src/tensor/winograd_tiles.h \
	src/tensor/winograd_weight.c

if HAVE_ONEDNN
libbarlow_sources += src/tensor/conv_onednn.c
else
EXTRA_DIST += src/tensor/conv_onednn.c
endif

# Compiled with flags of their own: see Makefile.am.
libbarlow_sources += \
	src/tensor/kernel.c \
	src/tensor/kernel_check.c \
	src/tensor/kernel.h \
	src/tensor/kernel_bf16.h \
	src/tensor/kernel_body.h \
	src/tensor/kernel_norm.h \
	src/tensor/kernel_winograd.h \
	src/tensor/kernel_generic.c
kernel_avx2_sources += src/tensor/kernel_avx2.c
kernel_avx512_sources += src/tensor/kernel_avx512.c
kernel_avx512_bf16_sources += src/tensor/kernel_avx512_bf16.c
