/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live.h: what the world may see of a run.
 *
 * One memory-mapped file in the run's folder.  The trainer writes; any number
 * of readers, in this process or another, read it without locks and without
 * holding the trainer up.  Records are kept, one a step; the snapshot is the
 * newest only (a sequence lock: a reader that was overtaken reads again).
 * Commands go the other way through a small mailbox.
 *
 * Little-endian, fixed layout, version in the header; a reader checks magic,
 * version and sizes before it believes anything.
 */
#ifndef BARLOW_LIVE_H
#define BARLOW_LIVE_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_GRID_MAX = 128, BL_DIAG_MAX = 512, BL_HIST_BINS = 64, BL_SPECTRUM_MAX = 128, BL_VIEW_MAX = 64 };

typedef struct bl_record {
	int64_t step;      /* 1 after the first step */
	double time;       /* seconds of training so far */
	double invariance, redundancy, total, floor, lambda;
	double lr;         /* of weights */
	double grad_norm;
	double images_per_s; /* over the last steps; an image counts once, not per view */
	double knn;        /* NaN when not measured at this step */
} bl_record;

typedef struct bl_snapshot {
	int64_t step;
	int32_t n, d;             /* batch and embedding width */
	int32_t grid;             /* cells a side, min(d, BL_GRID_MAX) */
	int32_t diag;             /* diagonal values kept, min(d, BL_DIAG_MAX): means of equal runs when fewer than d */
	float mean[BL_GRID_MAX * BL_GRID_MAX];    /* row-major grid x grid: mean over the cell's block of C */
	float extreme[BL_GRID_MAX * BL_GRID_MAX]; /* the signed element of largest magnitude in the block */
	float diagonal[BL_DIAG_MAX];
	uint32_t histogram[BL_HIST_BINS];  /* off-diagonal values (of a sample when d is large) over [-1, 1] */
	int32_t sampled;                   /* elements of C behind the histogram */
	int32_t dead;                      /* embedding dimensions without variance */
	int32_t spectrum;                  /* how many values follow, 0: not computed yet */
	float eigenvalues[BL_SPECTRUM_MAX];/* of the embedding covariance, descending */
	double rankme;                     /* NaN: not computed */
	int32_t view_side, view_channels;  /* of the pair below; 0: none */
	uint8_t views[2][BL_VIEW_MAX * BL_VIEW_MAX * 3]; /* one augmented pair, 0..255, (h,w,c) */
} bl_snapshot;

typedef enum bl_run_state { BL_RUN_NEW, BL_RUN_RUNNING, BL_RUN_PAUSED, BL_RUN_DONE, BL_RUN_STOPPED, BL_RUN_FAILED } bl_run_state;
const char *bl_run_state_name(bl_run_state s);

typedef struct bl_live_info {
	char name[64];          /* of the run */
	bl_run_state state;
	int64_t pid;            /* of the trainer's process */
	int64_t step, steps;    /* done, to do */
	int64_t steps_per_epoch;
	int32_t batch, d, parameters_m; /* d: embedding width */
	double started;         /* seconds since 1970 */
	char message[256];      /* why it failed, or the last journal line */
} bl_live_info;

typedef enum bl_command_kind { BL_CMD_NONE, BL_CMD_PAUSE, BL_CMD_RESUME, BL_CMD_STEP, BL_CMD_STOP, BL_CMD_SET_LAMBDA,
                               BL_CMD_SET_LR, BL_CMD_CHECKPOINT, BL_CMD_EVAL } bl_command_kind;
typedef struct bl_command { bl_command_kind kind; double value; } bl_command;

typedef struct bl_live bl_live;

/* Trainer's side.  path NULL: memory of this process only. */
bl_live *bl_live_create(const char *path, const bl_live_info *info);
void bl_live_set_info(bl_live *l, const bl_live_info *info);
int bl_live_add(bl_live *l, const bl_record *r);            /* records are capacity `steps` of info */
void bl_live_publish(bl_live *l, const bl_snapshot *s);
bool bl_live_take(bl_live *l, bl_command *out);             /* oldest command in the mailbox */

/* Reader's side. */
bl_live *bl_live_open(const char *path, bool writable_mailbox); /* refuses what is not a live file of this version */
bl_live *bl_live_ref(bl_live *l);
void bl_live_close(bl_live *l);
void bl_live_info_get(const bl_live *l, bl_live_info *out);
int64_t bl_live_length(const bl_live *l);                     /* records there are */
bool bl_live_record(const bl_live *l, int64_t i, bl_record *out); /* 0-based */
int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out); /* its step, or -1 when there is none */
int bl_live_send(bl_live *l, bl_command c);                   /* negative when the mailbox is full or read-only */
bool bl_live_writer_alive(const bl_live *l);                  /* does the trainer's process exist */

#endif
