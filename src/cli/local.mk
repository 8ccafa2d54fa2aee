# SPDX-License-Identifier: GPL-3.0-or-later
barlow_sources += \
	src/cli/complete.c \
	src/cli/evaluate.c \
	src/cli/history.c \
	src/cli/options.c \
	src/cli/options.h \
	src/cli/prompt.c \
	src/cli/prompt.h \
	src/cli/resume.c \
	src/cli/resume.h \
	src/cli/run.c \
	src/cli/run.h \
	src/cli/signals.c \
	src/cli/signals.h \
	src/cli/text_only.c \
	src/cli/tune.c \
	src/cli/tune.h \
	src/cli/watch.c \
	src/cli/watch.h
