# SPDX-License-Identifier: GPL-3.0-or-later
face_sources += \
	src/lua/embed.h \
	src/lua/bind/face.h \
	src/lua/bind/func.c \
	src/lua/bind/l_aug.c \
	src/lua/bind/l_checkpoint.c \
	src/lua/bind/l_data.c \
	src/lua/bind/l_eval.c \
	src/lua/bind/l_loader.c \
	src/lua/bind/l_loss.c \
	src/lua/bind/l_module.c \
	src/lua/bind/l_nn.c \
	src/lua/bind/l_optim.c \
	src/lua/bind/l_plot.c \
	src/lua/bind/l_profile.c \
	src/lua/bind/l_run.c \
	src/lua/bind/l_runs.c \
	src/lua/bind/l_tensor.c \
	src/lua/bind/l_tensor_index.c \
	src/lua/bind/l_tensor_ops.c \
	src/lua/bind/l_tensor_shape.c \
	src/lua/bind/l_trainer.c \
	src/lua/bind/l_tune.c \
	src/lua/bind/native.c \
	src/lua/bind/open.c \
	src/lua/bind/recorded.c \
	src/lua/bind/travel.c \
	src/lua/bind/views.c \
	src/lua/kit/check.c \
	src/lua/kit/fields.c \
	src/lua/kit/interrupt.c \
	src/lua/kit/kit.h \
	src/lua/kit/object.c \
	src/lua/kit/registry.c
