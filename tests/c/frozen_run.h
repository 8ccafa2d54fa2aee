/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frozen_run.h: a small run whose embeddings can be read. */
#ifndef BARLOW_TESTS_C_FROZEN_RUN_H
#define BARLOW_TESTS_C_FROZEN_RUN_H

#include <barlow/train.h>

enum { FROZEN_BATCH = 16 };

/* A run with embeddings of width d; if `labelled`, it also has data for kNN, measured rarely.  A failure ends the test. */
bl_trainer *frozen_run(int d, bool labelled);
/* Returns a reference to the embeddings (FROZEN_BATCH,d) of one view at the newest step of a run that is not training. */
bl_tensor *frozen_embeddings(const bl_trainer *t, int view);

#endif
