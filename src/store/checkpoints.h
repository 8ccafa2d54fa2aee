/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoints.h (private): checkpoints of earlier steps that a run keeps. */
#ifndef BARLOW_STORE_CHECKPOINTS_H
#define BARLOW_STORE_CHECKPOINTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Links the folder's newest checkpoint, that of `step`, to the name checkpoint-STEP.safetensors, and removes all
 * checkpoint-*.safetensors except those of the `most` latest steps.  Negative with bl_error.
 */
int bl_checkpoints_rotate(const char *folder, int64_t step, int most);
#define BL_CHECKPOINT_HEAD "checkpoint-"
#define BL_CHECKPOINT_TAIL ".safetensors"
/* run_names.c: is the name of the form checkpoint-STEP.safetensors?  Writes STEP to *step unless step is NULL. */
bool bl_checkpoints_is_one(const char *name, int64_t *step);

#endif
