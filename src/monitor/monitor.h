/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * monitor.h: makes snapshots for the world, in at most 1.1% of the training time, 3.5% while a viewer asks for something.
 */
#ifndef BARLOW_MONITOR_MONITOR_H
#define BARLOW_MONITOR_MONITOR_H

#include <barlow/data.h>
#include <barlow/live.h>
#include <barlow/loss.h>
#include <barlow/nn.h>

typedef struct bl_monitor bl_monitor;

/* Where views and features come from; all borrowed, for as long as the monitor lives. */
typedef struct bl_source {
	bl_dataset *data;
	bl_pipeline *pipeline[BL_VIEWS_MOST];
	int views; /* of an image; 0: 2 */
	uint64_t seed;
	int64_t steps_per_epoch;
	bl_module *encoder;
	bl_dataset *points;     /* what the embedding's points are of */
	bl_points_of points_of; /* and what these are */
	const float *mean, *std;
	int batch;
	const volatile int *stop; /* ends the making of points */
} bl_source;

/* What there is to see after a step; all borrowed. */
typedef struct bl_monitor_input {
	int64_t step;
	double trained; /* seconds of training so far: the budget is a part of them */
	bool last;      /* of the run */
	bool paused;    /* no step was made since the last look: only what a viewer asks anew is answered */
	bl_loss_dialect dialect;
	bool of_embeddings;             /* the loss is made of no matrix: C is that of the embeddings in this dialect */
	bl_tensor *z[2];                /* (N,D) */
	bl_tensor *view[BL_VIEWS_MOST]; /* (N,C,H,W), NULL behind the last; the first NULL: drawn again */
	const int64_t *rows;            /* of the data set, N of them, or NULL */
	const bl_region *asked;         /* by a viewer, or NULL; bl_monitor_look asks for itself */
} bl_monitor_input;

/* source may be NULL: then there are no views but those of the look, and no points. */
bl_monitor *bl_monitor_new(double hz, int64_t n, int64_t d, const bl_source *source);
void bl_monitor_free(bl_monitor *m);
/* Publishes a snapshot when it is time for one and within the budget; the first and the last step always have one. */
int bl_monitor_look(bl_monitor *m, const bl_monitor_input *look, bl_live *live);
/* Makes a snapshot now, of all elements and with all that is asked.  `spectrum`: with eigenvalues, RankMe and so on. */
int bl_monitor_snapshot(bl_monitor *m, const bl_monitor_input *look, bool spectrum, bl_snapshot *out);

#endif
