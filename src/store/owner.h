/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner.h (private): the owner of the run in a folder is the trainer that run.json names. */
#ifndef BARLOW_STORE_OWNER_H
#define BARLOW_STORE_OWNER_H

#include <barlow/live.h>
#include <barlow/run_file.h>

enum { BL_OWNER_TEXT = 40 };

/* Writes a text that is different for each trainer. */
void bl_owner_new(char owner[BL_OWNER_TEXT]);
/* Does the file name this owner?  Files of an earlier version name only the process. */
bool bl_owner_is(const bl_run_file *f, const char *owner);
/* The callback for bl_live_owned: the run belongs to `owner` unless run.json names another owner. */
bl_live_claim bl_owner_claim;

#endif
