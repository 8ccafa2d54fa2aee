/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * place.h: stores a trainer's run in a folder (runs.h describes its content).
 *
 *     bl_trainer *t = bl_trainer_new(&config);
 *     bl_place *p = bl_place_new(t);
 *     bl_place_load(p, folder);             only to resume the run in that folder
 *     bl_place_settle(p, folder);           folder NULL: a new folder among all runs
 *     bl_trainer_start(t);                  the run is saved at intervals and at its end
 *     bl_trainer_wait(t, -1);
 *     bl_trainer_free(t);
 *     bl_place_free(p);
 *
 * To resume a run, a C program gives the same settings again; for Lua they are in the folder's recipe.  Functions that
 * can fail return 0, or negative with bl_error.
 */
#ifndef BARLOW_PLACE_H
#define BARLOW_PLACE_H

#include <barlow/run_file.h>
#include <barlow/train.h>

#include <stddef.h>

typedef struct bl_place bl_place;

/*
 * Makes a place for a new trainer; NULL with bl_error: no memory.  The caller frees the trainer before the place,
 * because the end of the run is saved by the place.
 */
bl_place *bl_place_new(bl_trainer *t);
void bl_place_free(bl_place *p);

/* As bl_checkpoint_load.  After this, bl_place_settle can resume the checkpoint's run in its folder. */
int bl_place_load(bl_place *p, const char *path);

/*
 * Sets the run's folder.  To be called once, before the trainer starts.  If it is the folder that bl_place_load read,
 * the run in it is resumed and locked against other processes.  Otherwise the folder is made; a folder that contains a
 * run, or a file that a run would overwrite, is refused.  Weights that no recipe can draw again are saved in the folder
 * (bl_start_save).
 *
 * Returns 0, or with bl_error:
 *     BL_PLACE_REFUSED  the folder may not be used; the trainer must not start, since it could duplicate a run
 *     another negative  the folder could not be made or written, and nothing is left there; the trainer may run in
 *                       memory, but its end counts as not saved (bl_trainer_saved)
 */
enum { BL_PLACE_REFUSED = -2 };
int bl_place_settle(bl_place *p, const char *folder);
bool bl_place_settled(const bl_place *p);       /* was bl_place_settle called, with or without success? */
const char *bl_place_folder(const bl_place *p); /* the folder as it was given, borrowed; NULL: none */
const char *bl_place_start(const bl_place *p);  /* file of initial weights (bl_trainer_warm), borrowed; NULL: none */

/* Writes n bytes of text, from which the trainer can be rebuilt, as the folder's recipe.lua (bl_runs_write_recipe). */
int bl_place_write_recipe(bl_place *p, const char *text, size_t n);
/*
 * Sets the recipe's numbers and texts for run.json (run_file.h); their names are paths such as "loss.lambda".  Takes
 * ownership of the content of `recipe`.
 */
void bl_place_recipe(bl_place *p, bl_facts *recipe);
/* Waits until the trainer is between two steps, then saves checkpoint and weights. */
int bl_place_save(bl_place *p);
/* Waits as bl_place_save, then saves the weights of encoder and projector in a file; path NULL: the folder's own. */
int bl_place_save_weights(bl_place *p, const char *path);

#endif
