/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat.h (private): the thread that keeps a run's run.json up to date while its process exists. */
#ifndef BARLOW_STORE_HEARTBEAT_H
#define BARLOW_STORE_HEARTBEAT_H

#include <barlow/run_file.h>
#include <barlow/train.h>

typedef struct bl_heartbeat bl_heartbeat;

/*
 * Writes run.json and starts the thread.  Creation time, tags and notes of an existing run.json are kept.  NULL with
 * bl_error: the file cannot be written.
 */
bl_heartbeat *bl_heartbeat_start(const char *folder, const char *owner, bl_trainer *t);
/* Adds the settings of the recipe to run.json.  Takes ownership of the list, and empties *recipe. */
void bl_heartbeat_recipe(bl_heartbeat *h, bl_facts *recipe);
/*
 * Called by the thread that makes the steps when the run ends; writes the end and its reason, from the trainer's
 * journal.
 */
void bl_heartbeat_end(bl_heartbeat *h, bl_trainer *t);
/* Called after the trainer was freed; writes the run's end if it was not written yet. */
void bl_heartbeat_free(bl_heartbeat *h);

#endif
