/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpoint.h: one safetensors file with everything that is needed to resume a run with the same bits.
 *
 *     encoder.*, projector.*         parameters and buffers, named as weights.h names them
 *     optim.momentum.encoder.* ...   the optimiser's state, one tensor for each parameter
 *
 * The file's metadata contain the progress (train.h), checksums of the metadata and of every tensor, and those settings
 * of the run that a trainer must have, too, to resume it (optimiser, seed, batch, steps per epoch).  All functions
 * return 0, or negative with bl_error.
 */
#ifndef BARLOW_CHECKPOINT_H
#define BARLOW_CHECKPOINT_H

#include <barlow/train.h>

/* Waits until the trainer is between two steps, then writes the checkpoint atomically (file.h). */
int bl_checkpoint_save(const char *path, bl_trainer *t);

/*
 * Restores the state of the run in a new trainer.  `path` is a checkpoint, or the folder of a run that contains one.
 * The records and snapshots of the live file in the same folder are loaded, too, and settings that were changed during
 * the run (lambda, learning rates) are applied.  On failure the trainer is unchanged, and the message names the file
 * and the byte or tensor that is wrong.
 */
int bl_checkpoint_load(const char *path, bl_trainer *t);

/*
 * Saves the weights that a trainer starts from, or has started from, if they are not initial weights that a recipe can
 * draw again (bl_trainer_warm).  Names are those of weights.h, so that bl_weights_load loads them into new modules.
 */
int bl_start_save(const char *path, bl_trainer *t);

#endif
