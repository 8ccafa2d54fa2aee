/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frozen_run.h: a small run whose embeddings can be read. */
#ifndef BARLOW_TESTS_C_FROZEN_RUN_H
#define BARLOW_TESTS_C_FROZEN_RUN_H

#include <barlow/train.h>

enum { FROZEN_BATCH = 16 };

/* Embeddings of width d; labelled: with the data for kNN, measured rarely.  The test ends if it cannot be made. */
bl_trainer *frozen_run(int d, bool labelled);
/* (FROZEN_BATCH,d) of one view at the newest step, for a run that stands still; a reference. */
bl_tensor *frozen_embeddings(const bl_trainer *t, int view);

#endif
