/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list.c: the optimisers and schedules that there are. */
#include "optim/optim.h"

extern const bl_optim_ops bl_sgd, bl_lars, bl_adamw;
extern const bl_schedule_ops bl_constant, bl_cosine;

const bl_optim_ops *const bl_optims[] = { &bl_sgd, &bl_lars, &bl_adamw };
const bl_schedule_ops *const bl_schedules[] = { &bl_constant, &bl_cosine };

const int bl_optims_count = sizeof bl_optims / sizeof *bl_optims;
const int bl_schedules_count = sizeof bl_schedules / sizeof *bl_schedules;
