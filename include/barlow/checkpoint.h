/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpoint.h: everything that is needed to resume a run to the same bits, in one safetensors file.
 *
 *     encoder.*, projector.*         parameters and buffers, named as weights.h names them
 *     optim.momentum.encoder.* ...   the optimiser's state, a tensor for each parameter
 *
 * The metadata have the progress (train.h), the settings that a trainer must share with the run to resume it
 * (optimiser, seed, batch, steps an epoch), and checksums of themselves and of every tensor.  All functions return 0,
 * or negative with bl_error.
 */
#ifndef BARLOW_CHECKPOINT_H
#define BARLOW_CHECKPOINT_H

#include <barlow/train.h>

/* Waits until the trainer is between two steps, then saves.  Written atomically (file.h). */
int bl_checkpoint_save(const char *path, bl_trainer *t);

/*
 * Puts a new trainer where the run was.  `path` is a checkpoint, or the folder of a run that has one; the records and
 * snapshots of the live file beside it are loaded too, and settings that were changed during the run (lambda, rates)
 * are applied.  On failure nothing has changed; messages name the file, and the byte or the tensor that is wrong.
 */
int bl_checkpoint_load(const char *path, bl_trainer *t);

/*
 * Saves the weights that a trainer starts from, or has started from if it is warm (bl_trainer_warm): all that a recipe
 * cannot draw again.  Names are those of weights.h, so that bl_weights_load loads them into new modules.
 */
int bl_start_save(const char *path, bl_trainer *t);

#endif
