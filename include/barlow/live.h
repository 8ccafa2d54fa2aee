/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live.h: the live file, through which other processes observe a run.
 *
 * A run has one live file, in the run's folder.  The trainer writes it; any number of readers, in this process or in
 * others, read it without delaying the trainer.  The file contains a record for each step, the newest snapshot, some
 * earlier snapshots, and a small mailbox.  Through the mailbox, viewers send commands to the trainer and
 * request the region of the matrix that they show.
 *
 * The trainer's handle has info, records and the newest snapshot in memory, which takes 8 (2 + columns) bytes per step.
 * The file is a copy of them.  Therefore a run continues without the file if the disk is full, and rewrites a file that
 * was truncated.
 *
 * The file has named sections with sizes, and each change has a checksum.  A reader checks magic number, version, sizes
 * and checksum before it uses any content.
 */
#ifndef BARLOW_LIVE_H
#define BARLOW_LIVE_H

#include <barlow/columns.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	BL_GRID_MAX = 128,
	BL_DIAG_MAX = 512,
	BL_HIST_BINS = 64,
	BL_SPECTRUM_MAX = 128,
	BL_VIEWS_MAX = 8, /* views of one sample */
	BL_VIEW_MAX = 64, /* side of a view as shown, in pixels */
	BL_IMAGE_CHANNELS_MAX = 64,
	BL_POINTS_MAX = 1024,
	BL_PAIRS_MAX = 16,
	BL_QUANTILES = 65,
	BL_CLUSTER_MOST = 1024, /* largest number of dims that can be sorted by cluster */
	BL_CLASSES_MAX = 64,
	BL_CLASS_TEXT = 24,
	BL_SNAPSHOTS_MAX = 48, /* largest number of earlier snapshots that are shown, and that a run saves by default */
	BL_DRAW_TEXT = 320,
};

/*
 * bl_region is a region of the matrix that a viewer requests, and that the trainer computes for the next snapshots. The
 * last request is used.  While there are requests, snapshots may take 3.5% of the training time and may be made 30
 * times per second; otherwise the limits are 1.1% and 10 times.
 */
/* The matrix of view 1 with view 2 (C), of view 1 with itself (AA), or of view 2 with itself (BB). */
typedef enum bl_matrix { BL_MATRIX_C, BL_MATRIX_AA, BL_MATRIX_BB } bl_matrix;
/* The order of the dims: as they are; by descending C_ii; clustered, so that similar dims are adjacent. */
typedef enum bl_order { BL_ORDER_PLAIN, BL_ORDER_DIAGONAL, BL_ORDER_CLUSTER } bl_order;
typedef struct bl_region {
	int32_t matrix, order;        /* bl_matrix, bl_order */
	int32_t row, rows, col, cols; /* dims after ordering; rows = 0: the whole matrix */
	int32_t points;               /* not 0: the points of the features (bl_snapshot.point) are requested */
	int32_t view;                 /* index of the sample, modulo the batch; incremented for the next sample */
	int32_t redraw;               /* the viewer increments it to request new views of the same sample */
} bl_region;

/* Which images the points belong to. */
typedef enum bl_points_of { BL_POINTS_UNKNOWN, BL_POINTS_TRAINING, BL_POINTS_QUERIES } bl_points_of;

typedef struct bl_pair {
	int32_t i, j;
	float value;
} bl_pair; /* dims, 0-based */

typedef struct bl_snapshot {
	int64_t step;
	int32_t n, d;          /* batch and embedding width */
	int32_t of_embeddings; /* not 0: the loss does not use a matrix, and C is computed for display only */
	int32_t grid;          /* cells per side: min(d, BL_GRID_MAX) */
	int32_t diag;          /* number of diagonal values: min(d, BL_DIAG_MAX); if < d, they are means of ranges */
	float mean[BL_GRID_MAX * BL_GRID_MAX];    /* row-major grid x grid: mean over the cell's block of C */
	float extreme[BL_GRID_MAX * BL_GRID_MAX]; /* the signed element of largest magnitude in the block */
	/*
	 * The root mean square of the block's off-diagonal elements; for independent embeddings it is 1/sqrt(n-1).  If
	 * it is computed from a part of the pairs of samples, it is an estimate, and its square is unbiased.
	 */
	float rms[BL_GRID_MAX * BL_GRID_MAX];
	float rms_share;                  /* share of the pairs of samples in rms; 1: rms is exact, 0: no rms */
	float rms_error;                  /* relative standard error of rms in a typical cell */
	float cell_diagonal[BL_GRID_MAX]; /* mean C_ii of the blocks on the diagonal */
	int64_t grid_elements;            /* elements of C that `extreme` covers; fewer than d x d: a sample */
	float diagonal[BL_DIAG_MAX];
	float quantile[BL_QUANTILES];                 /* of all C_ii at equal steps, from the smallest to the largest */
	int32_t pairs;                                /* length of the next array */
	bl_pair pair[BL_PAIRS_MAX];                   /* off-diagonal elements of largest magnitude among grid_elements */
	uint32_t histogram[BL_HIST_BINS];             /* of off-diagonal values in [-1, 1]; of a sample if d is large */
	int32_t sampled;                              /* number of elements of C in the histogram */
	int32_t dead;                                 /* embedding dimensions without variance */
	int32_t spectrum;                             /* number of eigenvalues; 0: not computed yet */
	float eigenvalues[BL_SPECTRUM_MAX];           /* of the embedding covariance, descending */
	double rankme;                                /* NaN: not computed */
	float singular[BL_SPECTRUM_MAX];              /* singular values of C, descending; NaN: not computed */
	int32_t view_count, view_side, view_channels; /* of the views below; 1 or 3 channels are shown; 0: no views */
	int32_t image_channels;                       /* channels of the sample; > 3: 3 are shown; 2: one is shown */
	uint8_t views[BL_VIEWS_MAX][BL_VIEW_MAX * BL_VIEW_MAX * 3]; /* augmented, 0..255, (h,w,c) */
	int64_t view_row;                                           /* the sample's row in the data set, 0-based; -1: unknown */
	int32_t view_label;                                         /* -1: none */
	char view_class[BL_CLASS_TEXT];                             /* name of the label's class; "": not known */
	char view_draws[BL_VIEWS_MAX][BL_DRAW_TEXT];                /* random draws: "crop 3,4 20x22, flip" */
	/*
	 * The requested region, pooled to region_rows x region_cols cells; a cell has one element if the region is
	 * small.
	 */
	bl_region region;                 /* as computed: clamped to the matrix; PLAIN if d is too large to sort */
	int32_t region_rows, region_cols; /* cells, at most BL_GRID_MAX; 0: none */
	int64_t region_elements;          /* elements that region_extreme covers; < rows x cols: a sample */
	float region_mean[BL_GRID_MAX * BL_GRID_MAX], region_extreme[BL_GRID_MAX * BL_GRID_MAX];
	float region_rms[BL_GRID_MAX * BL_GRID_MAX], region_share, region_error; /* as rms, rms_share and rms_error */
	float region_diagonal[2 * BL_GRID_MAX]; /* mean of each cell's elements on C's diagonal, if any */
	int32_t dims[BL_GRID_MAX * 2];          /* first dims of the cell rows, then first dims of the cell columns */
	/* PCA of the encoder's features, always of the same images; computed on request. */
	int32_t points;                                 /* number of points; 0: none */
	int32_t points_of;                              /* bl_points_of */
	int32_t classes;                                /* number of the names in class_name, of the labels 0, 1, ... */
	char class_name[BL_CLASSES_MAX][BL_CLASS_TEXT]; /* "": not known */
	int64_t points_step;
	float explained[2]; /* share of the variance on each axis */
	float point[BL_POINTS_MAX][2];
	int16_t point_label[BL_POINTS_MAX]; /* -1: none */
} bl_snapshot;

typedef enum bl_run_state { BL_RUN_NEW, BL_RUN_RUNNING, BL_RUN_PAUSED, BL_RUN_DONE, BL_RUN_STOPPED, BL_RUN_FAILED } bl_run_state;
const char *bl_run_state_name(bl_run_state s); /* static text */

typedef struct bl_live_info {
	char name[64]; /* of the run */
	bl_run_state state;
	int64_t pid;         /* of the trainer's process */
	int64_t step, steps; /* steps done, and steps in total */
	int64_t steps_per_epoch;
	int32_t batch, d, parameters_m; /* d: embedding width; parameters_m: millions of parameters */
	int32_t knn_queries, knn_refs;  /* numbers of query and reference images of kNN; 0: none */
	double started;                 /* seconds since 1970 */
	char message[256];              /* the reason of a failure, or the last line of the journal */
} bl_live_info;

typedef enum bl_command_kind {
	BL_CMD_NONE,
	BL_CMD_PAUSE,
	BL_CMD_RESUME,
	BL_CMD_STEP,
	BL_CMD_STOP,
	BL_CMD_SET,
	BL_CMD_CHECKPOINT,
	BL_CMD_EVAL,
	BL_CMD_KINDS
} bl_command_kind;
typedef struct bl_command {
	bl_command_kind kind;
	double value;              /* of BL_CMD_SET */
	char name[BL_COLUMN_NAME]; /* of BL_CMD_SET: name of the setting: "lambda", "loss.mu", "lr" */
	int64_t sender;            /* process number of the sender, filled in by bl_live_send */
} bl_command;

typedef struct bl_live bl_live;

/*
 * Selects the earlier snapshots that a run saves.  SOME: BL_SNAPSHOTS_MAX, spread over the run.  ALL: every snapshot,
 * but every second one is dropped when there are 1024.  RECORDS: no earlier snapshots, and the newest one is removed
 * when the run is closed.  A run without a file has at most BL_SNAPSHOTS_MAX in memory.
 */
typedef enum bl_keep { BL_KEEP_SOME, BL_KEEP_ALL, BL_KEEP_RECORDS } bl_keep;

/*
 * Functions for the trainer.  Functions that can fail and return int return 0, or negative with bl_error, unless they
 * say otherwise.
 *
 * bl_live_create starts a run.  path NULL: the run is only in the memory of this process.  columns NULL: records have
 * no columns.  Both structs are copied.  Returns a new reference, which the caller releases with bl_live_close; NULL
 * with bl_error.
 */
bl_live *bl_live_create(const char *path, const bl_live_info *info, const bl_columns *columns);
int bl_live_set_keep(bl_live *l, bl_keep keep); /* default: BL_KEEP_SOME; fails if the run is in a file or has a snapshot */
/*
 * Moves a run from memory to a new file, as bl_live_create makes it.  If the disk is full, the run stays in memory,
 * info.message states this, and the result is 0.
 */
int bl_live_move_to_file(bl_live *l, const char *path);
/*
 * Moves a run with its whole content from memory to a file.  No other thread may use the handle.  A failure changes
 * nothing.
 */
int bl_live_move(bl_live *l, const char *path);
void bl_live_set_info(bl_live *l, const bl_live_info *info);
int bl_live_add(bl_live *l, const bl_record *r); /* at most info.steps records */
/*
 * Adds a column, which is NaN in earlier records.  Returns its index, or negative with bl_error as bl_columns_add does.
 */
int bl_live_column(bl_live *l, const bl_column *column);
void bl_live_publish(bl_live *l, const bl_snapshot *s); /* makes a copy of s the newest snapshot */
/*
 * Writes the next message about the file into out: it could not be written, was truncated, or was rewritten.  Each
 * message is returned once; false: there is none.
 */
bool bl_live_problem(bl_live *l, char *out, size_t size);
bool bl_live_take(bl_live *l, bl_command *out);           /* removes the oldest command from the mailbox; false: none */
bool bl_live_requested(const bl_live *l, bl_region *out); /* the last request; false: there was none in the last seconds */
/*
 * Sets the owner of the run, a text that identifies the run (copied), and the callback `claim`.  The callback is called
 * if the path of the live file names another file or no file.  It locks the run, so that no other process can resume
 * it, and returns a descriptor whose close() ends the lock.  It returns BL_LIVE_BUSY if another process holds the lock
 * (only if !wait), and -1 with bl_error if the run belongs to another process.  Without a callback, another file at the
 * path is assumed to belong to another process.
 */
enum { BL_LIVE_BUSY = -2 };
typedef int bl_live_claim(const char *path, const char *owner, bool wait);
int bl_live_owned(bl_live *l, const char *owner, bl_live_claim *claim);
/* Checks that the file is complete and still at its path, and repairs it.  Training does this at intervals as well. */
void bl_live_check_file(bl_live *l);
int bl_live_check_folder(const bl_live *l); /* fails if the run's folder is missing or belongs to another run */
/* Copies the records and saved snapshots of `past` up to step `until` into l, which must not have records. */
int bl_live_resume(bl_live *l, const bl_live *past, int64_t until);

/*
 * Functions for readers.
 *
 * bl_live_open opens a live file of this version, or of version 2 (barlow 0.1), which accepts no commands.  Returns a
 * new reference; NULL with bl_error.
 */
bl_live *bl_live_open(const char *path, bool writable_mailbox);
/*
 * As bl_live_open, but reads the whole file.  If the file is damaged and no process writes it any more, its intact
 * parts become a run in memory, which accepts no commands.  bl_live_open detects damage of the tables only.
 */
bl_live *bl_live_open_whole(const char *path, bool writable_mailbox);
const char *bl_live_damage(const bl_live *l); /* "records 120 to 480 are damaged", borrowed; NULL: none was found */
/*
 * When a run is resumed, a new file replaces its live file.  Opens the new file for a reader of the old one; NULL with
 * bl_error if there is no new file.
 */
bl_live *bl_live_open_next(const bl_live *l);
const char *bl_live_path(const bl_live *l); /* the path that a reader opened, borrowed; NULL: l is the trainer's */
bl_live *bl_live_ref(bl_live *l);
void bl_live_close(bl_live *l);
void bl_live_info_get(const bl_live *l, bl_live_info *out);
int64_t bl_live_length(const bl_live *l);                         /* number of records */
bool bl_live_record(const bl_live *l, int64_t i, bl_record *out); /* i is 0-based; false: it cannot be read */
/*
 * The columns of the records.  Columns are never removed.  A column is added before the first record with its value.
 */
int bl_live_columns_count(const bl_live *l);
void bl_live_columns(const bl_live *l, bl_columns *out);
int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out); /* copies the newest; its step, or -1: there is none */
uint64_t bl_live_snapshots(const bl_live *l);                 /* number of snapshots published so far */
/*
 * The number of snapshots that bl_live_snapshot_at returns, oldest first: at most BL_SNAPSHOTS_MAX, spread over the
 * run, even if more are saved.  They include the first one of the run and the newest.  All except the newest have
 * neither views nor a region.
 */
int bl_live_snapshot_count(const bl_live *l);
int64_t bl_live_snapshot_at(const bl_live *l, int i, bl_snapshot *out); /* its step, or -1: there is none */
/*
 * Requests a region.  A request is valid for 3 s; a viewer repeats it, for example every second.  Fails if read-only.
 */
int bl_live_request(bl_live *l, const bl_region *r);
int bl_live_send(bl_live *l, bl_command c);  /* fails if the mailbox is full or read-only */
bool bl_live_writer_alive(const bl_live *l); /* does the trainer's process exist?  False for a zombie process */

#endif
