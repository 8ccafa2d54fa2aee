/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * place.h: a trainer's run and the folder that it is kept in (runs.h says what is in one).
 *
 *     bl_trainer *t = bl_trainer_new(&config);
 *     bl_place *p = bl_place_new(t);
 *     bl_place_load(p, folder);             to go on with the run there
 *     bl_place_settle(p, folder);           NULL: a new folder among all runs
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

/* Of a new trainer, which is the caller's and is freed first: its end is saved through the place. */
bl_place *bl_place_new(bl_trainer *t);
void bl_place_free(bl_place *p);

/* As bl_checkpoint_load; the run that it is of can go on in the same folder (bl_place_settle). */
int bl_place_load(bl_place *p, const char *path);

/*
 * Gives the run its folder, once, before the trainer starts; weights that no recipe can draw again are kept there
 * (bl_start_save).  In the folder that was loaded from the run goes on, claimed so that nobody else goes on with it;
 * otherwise the folder is made, and one that holds a run, or a file that a run would overwrite, is refused.
 * BL_PLACE_REFUSED: this is not the place for the run, and to train without it would make two of one.  Another negative
 * number: no folder could be made or written to, and nothing is left there; the trainer may run in memory.
 */
enum { BL_PLACE_REFUSED = -2 };
int bl_place_settle(bl_place *p, const char *folder);
bool bl_place_settled(const bl_place *p);       /* that was tried, whatever came of it */
const char *bl_place_folder(const bl_place *p); /* as it was given; NULL: there is none */
const char *bl_place_start(const bl_place *p);  /* the file of the weights that a warm run began with; NULL: there is none */

/* The folder's recipe.lua: text that rebuilds the trainer, n bytes (bl_runs_write_recipe). */
int bl_place_write_recipe(bl_place *p, const char *text, size_t n);
/* The recipe's numbers and texts by their paths, for run.json (run_file.h); `recipe` is taken and left empty. */
void bl_place_recipe(bl_place *p, bl_facts *recipe);
/* Saves checkpoint and weights now, between two steps. */
int bl_place_save(bl_place *p);
/* Weights of encoder and projector, as of the boundary of a step, into a file; NULL: the folder's. */
int bl_place_save_weights(bl_place *p, const char *path);

#endif
