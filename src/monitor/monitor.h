/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * monitor.h: makes and publishes snapshots, in at most 1.1% of the training time, or 3.5% while viewers send requests.
 */
#ifndef BARLOW_MONITOR_MONITOR_H
#define BARLOW_MONITOR_MONITOR_H

#include <barlow/data.h>
#include <barlow/live.h>
#include <barlow/loss.h>
#include <barlow/nn.h>

typedef struct bl_monitor bl_monitor;

/* The source of views and features.  All pointers are borrowed, and must stay valid as long as the monitor. */
typedef struct bl_source {
	bl_dataset *data;
	bl_pipeline *pipeline[BL_VIEWS_MOST];
	int views; /* number of views of an image; 0: 2 */
	uint64_t seed;
	int64_t steps_per_epoch;
	bl_module *encoder;
	bl_dataset *points;       /* images whose features are the embedding's points */
	bl_points_of points_of;   /* which images these are */
	const float *mean, *std;  /* normalise images for the encoder, one number per channel */
	int batch;                /* images per batch for the encoder */
	const volatile int *stop; /* nonzero: stop computing points */
} bl_source;

/* The state of training after a step; all pointers are borrowed. */
typedef struct bl_monitor_input {
	int64_t step;
	double trained; /* seconds of training so far; the budget is a share of them */
	bool last;      /* it is the run's last step */
	bool paused;    /* no step was made since the last call: only new requests are answered */
	bl_loss_dialect dialect;
	bool of_embeddings;             /* the loss has no C: the monitor computes C from the embeddings in `dialect` */
	bl_tensor *z[2];                /* (N,D) */
	bl_tensor *view[BL_VIEWS_MOST]; /* (N,C,H,W), NULL behind the last; all NULL: views are drawn again */
	const int64_t *rows;            /* the batch's N rows of the data set, or NULL */
	const bl_region *asked;         /* a viewer's request, or NULL; bl_monitor_publish takes it from `live` instead */
} bl_monitor_input;

/*
 * Makes a monitor for at most hz frames a second (0: 10) and embeddings (n,d).  If source is NULL, only the views of
 * the input are shown, and there are no points.  NULL with bl_error.
 */
bl_monitor *bl_monitor_new(double hz, int64_t n, int64_t d, const bl_source *source);
void bl_monitor_free(bl_monitor *m);
/*
 * Publishes a snapshot if one is due and the budget allows it; the first and the last step always have one.  Negative
 * with bl_error.
 */
int bl_monitor_publish(bl_monitor *m, const bl_monitor_input *look, bl_live *live);
/*
 * Makes a snapshot of all elements now, with everything that look->asked requests.  `spectrum`: with eigenvalues,
 * RankMe and so on.  Negative with bl_error.
 */
int bl_monitor_snapshot(bl_monitor *m, const bl_monitor_input *look, bool spectrum, bl_snapshot *out);

#endif
