# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/store/dtype.c src/store/dtype.h \
	src/store/run_folder.c \
	src/store/runs.c \
	src/store/safetensors.c \
	src/store/tuned.c \
	src/store/weights.c
