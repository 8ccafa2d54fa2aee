/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat.h (private): the thread that keeps a run's run.json up to date while its process exists. */
#ifndef BARLOW_STORE_HEARTBEAT_H
#define BARLOW_STORE_HEARTBEAT_H

#include <barlow/run_file.h>
#include <barlow/train.h>

typedef struct bl_heartbeat bl_heartbeat;

/* Writes the file, of a run that was there before with what that one keeps.  NULL with bl_error: it cannot be written. */
bl_heartbeat *bl_heartbeat_start(const char *folder, const char *owner, bl_trainer *t);
/* Settings of the recipe, which are taken over; the file has them from now on. */
void bl_heartbeat_recipe(bl_heartbeat *h, bl_facts *recipe);
/* By the thread that makes the steps, when the run ends; why it did is in its journal. */
void bl_heartbeat_end(bl_heartbeat *h, bl_trainer *t);
/* After the trainer is gone; writes how it ended where that was not written yet. */
void bl_heartbeat_free(bl_heartbeat *h);

#endif
