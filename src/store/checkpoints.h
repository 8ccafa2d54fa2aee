/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoints.h (private): checkpoints of steps before the newest, that a run keeps. */
#ifndef BARLOW_STORE_CHECKPOINTS_H
#define BARLOW_STORE_CHECKPOINTS_H

#include <stdbool.h>
#include <stdint.h>

/* Links the folder's newest checkpoint, of that step, to a name with its step, and removes all such names but the `most` newest. */
int bl_checkpoints_keep(const char *folder, int64_t step, int most);
#define BL_CHECKPOINT_HEAD "checkpoint-"
#define BL_CHECKPOINT_TAIL ".safetensors"
/* run_names.c: is this such a name?  *step: of which step, where that is asked for. */
bool bl_checkpoints_is_one(const char *name, int64_t *step);

#endif
