/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * place.h: stores a trainer's run in a folder (runs.h describes its content).
 *
 *     bl_trainer *t = bl_trainer_new(&config);
 *     bl_place *p = bl_place_new(t);
 *     bl_place_load(p, folder);             only to resume the run in that folder
 *     bl_place_settle(p, folder);           folder NULL: a new folder among all runs
 *     bl_trainer_start(t);
 *     bl_trainer_wait(t, -1);               from here on the run is saved as it goes, and at its end
 *     bl_trainer_free(t);
 *     bl_place_free(p);
 *
 * From C the settings come from the program again; from Lua they are in the folder's recipe.  Functions that can fail
 * return 0, or negative with bl_error.
 */
#ifndef BARLOW_PLACE_H
#define BARLOW_PLACE_H

#include <barlow/run_file.h>
#include <barlow/train.h>

#include <stddef.h>

typedef struct bl_place bl_place;

/*
 * For a new trainer, which the caller owns and frees before the place, because the trainer saves its end through the
 * place.
 */
bl_place *bl_place_new(bl_trainer *t);
void bl_place_free(bl_place *p);

/* As bl_checkpoint_load; bl_place_settle can then resume the checkpoint's run in the same folder. */
int bl_place_load(bl_place *p, const char *path);

/*
 * Gives the run its folder, once, before the trainer starts; weights that no recipe can draw again are saved there
 * (bl_start_save).  In the folder that bl_place_load read, the run is resumed, locked against other processes; otherwise
 * the folder is made, and one that holds a run, or a file that a run would overwrite, is refused.  BL_PLACE_REFUSED:
 * the folder may not be used, and training without it would duplicate the run.  Another negative number: the folder
 * could not be made or written to, and nothing is left there; the trainer may run in memory, and its end counts as not
 * saved (bl_trainer_saved).
 */
enum { BL_PLACE_REFUSED = -2 };
int bl_place_settle(bl_place *p, const char *folder);
bool bl_place_settled(const bl_place *p);       /* was bl_place_settle called, with or without success? */
const char *bl_place_folder(const bl_place *p); /* as given, borrowed; NULL: none */
const char *bl_place_start(const bl_place *p);  /* file of a warm run's initial weights; NULL: none */

/* Writes the folder's recipe.lua: n bytes of text that rebuild the trainer (bl_runs_write_recipe). */
int bl_place_write_recipe(bl_place *p, const char *text, size_t n);
/* Sets the recipe's numbers and texts by path, for run.json (run_file.h); takes the content of `recipe`. */
void bl_place_recipe(bl_place *p, bl_facts *recipe);
/* Saves checkpoint and weights now, between two steps. */
int bl_place_save(bl_place *p);
/* Saves the weights of encoder and projector, between two steps, in a file; NULL: the folder's. */
int bl_place_save_weights(bl_place *p, const char *path);

#endif
