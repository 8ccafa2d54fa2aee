/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * checkpoint.h: all that a run needs to go on as if it had never stopped, in one safetensors file.
 *
 *     encoder.*, projector.*         parameters and buffers, named as weights.h names them
 *     optim.momentum.encoder.* ...   the optimiser's state, a tensor for each parameter
 *
 * The metadata have the progress (train.h), what a trainer must share with the run to go on with it (optimiser, seed,
 * batch, steps an epoch), and checksums of themselves and of every tensor.
 */
#ifndef BARLOW_CHECKPOINT_H
#define BARLOW_CHECKPOINT_H

#include <barlow/train.h>

/* Between steps: waits for that, unless the caller holds the trainer there.  Written atomically (file.h). */
int bl_checkpoint_save(const char *path, bl_trainer *t);

/*
 * Puts a new trainer where the run was.  `path` is a checkpoint, or the folder of a run that has one; the records and
 * snapshots of the live file beside it come along.  What was set while the run went (lambda, rates) is set.  On failure
 * nothing has changed; messages name the file, and the byte or the tensor that is wrong.
 */
int bl_checkpoint_load(const char *path, bl_trainer *t);

/*
 * The weights that a trainer starts from, or has started from if it is warm (bl_trainer_warm): all that a recipe cannot
 * draw again.  Named as weights.h names them, so that bl_weights_load puts them into new modules.
 */
int bl_start_save(const char *path, bl_trainer *t);

#endif
