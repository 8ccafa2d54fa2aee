/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner.h (private): the owner of the run in a folder is the trainer that run.json names. */
#ifndef BARLOW_STORE_OWNER_H
#define BARLOW_STORE_OWNER_H

#include <barlow/live.h>
#include <barlow/run_file.h>

enum { BL_OWNER_TEXT = 40 };

/* Makes a text that no other trainer has. */
void bl_owner_new(char owner[BL_OWNER_TEXT]);
/* Does the file name that owner?  A version before named its process only. */
bool bl_owner_is(const bl_run_file *f, const char *owner);
/* For bl_live_owned: what no run.json names another owner of is still ours. */
bl_live_claim bl_owner_claim;

#endif
