/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * monitor.h: makes snapshots for the world, in at most 2% of the training time.
 */
#ifndef BARLOW_TRAIN_MONITOR_H
#define BARLOW_TRAIN_MONITOR_H

#include <barlow/live.h>
#include <barlow/loss.h>

typedef struct bl_monitor bl_monitor;

/* What there is to see after a step; all borrowed. */
typedef struct bl_look {
	int64_t step;
	double trained;                /* seconds of training so far: the budget is a part of them */
	bool last;                     /* of the run */
	bl_loss_dialect dialect;
	bl_tensor *z[2];               /* (N,D) */
	bl_tensor *view[2];            /* (N,C,H,W), or NULL */
} bl_look;

bl_monitor *bl_monitor_new(double hz, int64_t n, int64_t d);
void bl_monitor_free(bl_monitor *m);
/* Publishes a snapshot when it is time for one and within the budget; the first and the last step always have one. */
int bl_monitor_look(bl_monitor *m, const bl_look *look, bl_live *live);
/* Makes a snapshot now.  `spectrum`: with eigenvalues and RankMe. */
int bl_monitor_snapshot(bl_monitor *m, const bl_look *look, bool spectrum, bl_snapshot *out);

#endif
