# SPDX-License-Identifier: GPL-3.0-or-later
face_sources += \
	src/lua/check.c \
	src/lua/embed.h \
	src/lua/face.h \
	src/lua/func.c \
	src/lua/interrupt.c \
	src/lua/l_aug.c \
	src/lua/l_checkpoint.c \
	src/lua/l_data.c \
	src/lua/l_eval.c \
	src/lua/l_loader.c \
	src/lua/l_loss.c \
	src/lua/l_module.c \
	src/lua/l_nn.c \
	src/lua/l_optim.c \
	src/lua/l_plot.c \
	src/lua/l_profile.c \
	src/lua/l_run.c \
	src/lua/l_runs.c \
	src/lua/l_tensor.c \
	src/lua/l_tensor_index.c \
	src/lua/l_tensor_ops.c \
	src/lua/l_tensor_shape.c \
	src/lua/l_trainer.c \
	src/lua/l_tune.c \
	src/lua/native.c \
	src/lua/object.c \
	src/lua/open.c \
	src/lua/travel.c \
	src/lua/views.c
