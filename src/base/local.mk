# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/base/advance.c \
	src/base/ambient.c \
	src/base/bounded.h \
	src/base/clones.h \
	src/base/error.c \
	src/base/field.c \
	src/base/file.c \
	src/base/hash.c \
	src/base/memory.c \
	src/base/number.c \
	src/base/parallel.c \
	src/base/path.h \
	src/base/process.c \
	src/base/profile.c \
	src/base/random.c \
	src/base/region.c \
	src/base/region.h \
	src/base/text.c src/base/text_copy.c \
	src/base/text_stream.c \
	src/base/text_stream.h \
	src/base/user_folder.c \
	src/base/wall_time.h
