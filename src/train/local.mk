# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/train/break.c \
	src/train/changes.c \
	src/train/changes_replay.c \
	src/train/control.c \
	src/train/ending.c \
	src/train/exclusive.c \
	src/train/resume.c \
	src/train/nan_guard.c \
	src/train/save.c \
	src/train/ownership.c \
	src/train/record.c \
	src/train/set.c \
	src/train/set_views.c \
	src/train/step.c \
	src/train/state.c \
	src/train/trainer.c \
	src/train/trainer.h \
	src/train/trainers.c \
	src/train/unsaved.c
