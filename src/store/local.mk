# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/store/cache_folder.c src/store/cache_folder.h \
	src/store/checkpoint.c \
	src/store/checkpoints.c src/store/checkpoints.h \
	src/store/delete.c \
	src/store/dtype.c src/store/dtype.h \
	src/store/edit.c \
	src/store/facts.c \
	src/store/fork.c \
	src/store/owner.c \
	src/store/owner.h \
	src/store/place.c \
	src/store/recipe_file.c \
	src/store/index.c \
	src/store/journal.c \
	src/store/json_text.c \
	src/store/known.c src/store/known.h \
	src/store/heartbeat.c src/store/heartbeat.h \
	src/store/machine.c src/store/machine.h \
	src/store/replay.c \
	src/store/run_resume.c \
	src/store/run_file.c \
	src/store/run_folder.c \
	src/store/run_names.c \
	src/store/runs.c src/store/runs.h \
	src/store/safetensors.c \
	src/store/start.c \
	src/store/state.h \
	src/store/trials.c \
	src/store/trash.c \
	src/store/tuned.c \
	src/store/weights.c \
	src/store/weights_take.c
