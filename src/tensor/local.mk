# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/tensor/matrix/blas.c \
	src/tensor/matrix/blas.h \
	src/tensor/matrix/blas_core.c \
	src/tensor/matrix/blas_core.h \
	src/tensor/matrix/blas_room.c \
	src/tensor/conv/conv.c \
	src/tensor/conv/conv_algorithms.c \
	src/tensor/conv/conv.h \
	src/tensor/conv/conv_choice.c \
	src/tensor/conv/conv_few.c \
	src/tensor/conv/conv_gather.c \
	src/tensor/conv/conv_gather.h \
	src/tensor/conv/conv_onednn.h \
	src/tensor/conv/conv_outer.c \
	src/tensor/conv/conv_rows.c \
	src/tensor/conv/conv_rows.h \
	src/tensor/conv/conv_pad.c \
	src/tensor/conv/conv_pad.h \
	src/tensor/conv/conv_pack.c \
	src/tensor/conv/conv_pack.h \
	src/tensor/conv/conv_plan.c \
	src/tensor/conv/conv_plan.h \
	src/tensor/conv/conv_tune.c \
	src/tensor/copy.c \
	src/tensor/matrix/gemm_bf16.c \
	src/tensor/matrix/gemm_bf16.h \
	src/tensor/matrix/lapack.c \
	src/tensor/matrix/lapack.h \
	src/tensor/file/npy.c \
	src/tensor/file/npy.h \
	src/tensor/file/npz.c \
	src/tensor/matrix/panel.c \
	src/tensor/matrix/panel.h \
	src/tensor/tensor.c \
	src/tensor/tensor.h \
	src/tensor/walk.c \
	src/tensor/winograd/winograd.c \
	src/tensor/winograd/winograd.h \
	src/tensor/winograd/winograd_columns.c \
	src/tensor/winograd/winograd_filters.c \
	src/tensor/winograd/winograd_filters.h \
	src/tensor/winograd/winograd_job.h \
	src/tensor/winograd/winograd_tiles.c \
	src/tensor/winograd/winograd_tiles.h \
	src/tensor/winograd/winograd_weight.c

if HAVE_ONEDNN
libbarlow_sources += src/tensor/conv/conv_onednn.c
else
EXTRA_DIST += src/tensor/conv/conv_onednn.c
endif

# These files are compiled with their own flags: see Makefile.am.
libbarlow_sources += \
	src/tensor/kernel/kernel.c \
	src/tensor/kernel/kernel_check.c \
	src/tensor/kernel/kernel.h \
	src/tensor/kernel/kernel_bf16.h \
	src/tensor/kernel/kernel_body.h \
	src/tensor/kernel/kernel_norm.h \
	src/tensor/kernel/kernel_winograd.h \
	src/tensor/kernel/kernel_generic.c
kernel_avx2_sources += src/tensor/kernel/kernel_avx2.c
kernel_avx512_sources += src/tensor/kernel/kernel_avx512.c
kernel_avx512_bf16_sources += src/tensor/kernel/kernel_avx512_bf16.c
