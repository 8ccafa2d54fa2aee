/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live.h: the live file, through which other processes observe a run.
 *
 * It is one file in the run's folder.  The trainer writes it; any number of
 * readers, in this process or another, read it without delaying the trainer.
 * There is a record for each step, the newest snapshot, and some snapshots kept
 * from the past.  Viewers send commands, and the region they look at, to the
 * trainer through a small mailbox in the file.
 *
 * The trainer's handle has info, records and the newest snapshot in memory, at
 * 8 (2 + columns) bytes a step, and the file is a copy of that: a run goes on
 * without the file when the disk is full, and rewrites it when it was truncated.
 *
 * The file has named sections with sizes, and each change has a checksum; a
 * reader checks magic, version, sizes and checksum before it uses anything.
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
	BL_CLUSTER_MOST = 1024, /* dims that can be sorted by cluster */
	BL_CLASSES_MAX = 64,
	BL_CLASS_TEXT = 24,
	BL_SNAPSHOTS_MAX = 48, /* snapshots of the past that are shown, and the default number that a run keeps */
	BL_DRAW_TEXT = 320,
};

/*
 * The region that a viewer looks at, which the trainer computes for the next snapshots; the last request counts.  While
 * there are requests, snapshots may take 3.5% of the training time and come 30 times a second, else 1.1% and 10 times.
 */
typedef enum bl_matrix { BL_MATRIX_C, BL_MATRIX_AA, BL_MATRIX_BB } bl_matrix; /* AA: first view with itself */
/* Order of the dims: unchanged; by C_ii, descending; clustered, so that similar ones are adjacent. */
typedef enum bl_order { BL_ORDER_PLAIN, BL_ORDER_DIAGONAL, BL_ORDER_CLUSTER } bl_order;
typedef struct bl_region {
	int32_t matrix, order;        /* bl_matrix, bl_order */
	int32_t row, rows, col, cols; /* dims after ordering; rows = 0: the whole matrix */
	int32_t points;               /* non-zero: the embedding's points are wanted */
	int32_t view;                 /* which sample of the batch; incremented for the next one */
	int32_t redraw;               /* incremented to draw new views of the same sample */
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
	int32_t of_embeddings; /* non-zero: the loss does not use a matrix; C is computed for display only */
	int32_t grid;          /* cells a side, min(d, BL_GRID_MAX) */
	int32_t diag;          /* number of diagonal values, min(d, BL_DIAG_MAX); fewer than d: means of equal ranges */
	float mean[BL_GRID_MAX * BL_GRID_MAX];    /* row-major grid x grid: mean over the cell's block of C */
	float extreme[BL_GRID_MAX * BL_GRID_MAX]; /* the signed element of largest magnitude in the block */
	/*
	 * The root mean square of the block's elements off the diagonal; independent embeddings give 1/sqrt(n-1).  From
	 * a part of the pairs of samples it is an estimate, whose square is unbiased.
	 */
	float rms[BL_GRID_MAX * BL_GRID_MAX];
	float rms_share;                  /* share of the pairs that it was computed from; 1: exact; 0: there is no rms */
	float rms_error;                  /* its relative standard error, typical of the cells */
	float cell_diagonal[BL_GRID_MAX]; /* mean C_ii of the blocks on the diagonal */
	int64_t grid_elements;            /* elements of C that the extremes cover (means cover all); < d x d: a sample */
	float diagonal[BL_DIAG_MAX];
	float quantile[BL_QUANTILES];                 /* quantiles of all C_ii at even ranks, from the least to the largest */
	int32_t pairs;                                /* length of the next array */
	bl_pair pair[BL_PAIRS_MAX];                   /* off-diagonal elements of largest magnitude among grid_elements */
	uint32_t histogram[BL_HIST_BINS];             /* off-diagonal values (of a sample when d is large) over [-1, 1] */
	int32_t sampled;                              /* number of elements of C in the histogram */
	int32_t dead;                                 /* embedding dimensions without variance */
	int32_t spectrum;                             /* number of eigenvalues; 0: not computed yet */
	float eigenvalues[BL_SPECTRUM_MAX];           /* of the embedding covariance, descending */
	double rankme;                                /* NaN: not computed */
	float singular[BL_SPECTRUM_MAX];              /* singular values of C, descending, as many; NaN: not computed */
	int32_t view_count, view_side, view_channels; /* of the views below; 1 or 3 channels are shown; 0: no views */
	int32_t image_channels;                       /* channels of the sample: of more than 3, 3 are shown, of 2 one */
	uint8_t views[BL_VIEWS_MAX][BL_VIEW_MAX * BL_VIEW_MAX * 3]; /* augmented, 0..255, (h,w,c) */
	int64_t view_row;                                           /* the sample's row in the data set, 0-based; -1: unknown */
	int32_t view_label;                                         /* -1: none */
	char view_class[BL_CLASS_TEXT];                             /* its name; "": not known */
	char view_draws[BL_VIEWS_MAX][BL_DRAW_TEXT]; /* what the pipelines drew: "crop 3,4 20x22, flip, brightness 1.21" */
	/* The requested region, pooled to region_rows x region_cols cells (one element a cell when it fits). */
	bl_region region;                 /* as computed: clamped to the matrix; PLAIN if d is too large to sort */
	int32_t region_rows, region_cols; /* cells, at most BL_GRID_MAX; 0: none */
	int64_t region_elements;          /* elements that the extremes cover; fewer than rows x cols: a sample */
	float region_mean[BL_GRID_MAX * BL_GRID_MAX], region_extreme[BL_GRID_MAX * BL_GRID_MAX];
	float region_rms[BL_GRID_MAX * BL_GRID_MAX], region_share, region_error; /* as rms, rms_share and rms_error */
	float region_diagonal[2 * BL_GRID_MAX]; /* means of the elements on the diagonal, cell by cell, row after row */
	int32_t dims[BL_GRID_MAX * 2];          /* dims[i]: first dim of cell row i, dims[region_rows + j]: of cell column j */
	/* PCA of the encoder's features, of the same images each time; computed on request. */
	int32_t points;                                 /* how many; 0: none */
	int32_t points_of;                              /* bl_points_of */
	int32_t classes;                                /* number of names that follow, of the labels from 0 on */
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
	int64_t step, steps; /* done, and in total */
	int64_t steps_per_epoch;
	int32_t batch, d, parameters_m; /* d: embedding width */
	int32_t knn_queries, knn_refs;  /* numbers of query and reference images of kNN; 0: none */
	double started;                 /* seconds since 1970 */
	char message[256];              /* why it failed, or the last journal line */
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
	char name[BL_COLUMN_NAME]; /* of BL_CMD_SET: the setting: "lambda", "loss.mu", "lr" */
	int64_t sender;            /* the sender's process, filled in by bl_live_send */
} bl_command;

typedef struct bl_live bl_live;

/*
 * Which snapshots of the past are kept.  SOME: BL_SNAPSHOTS_MAX, spread over the run.  ALL: all that are made; at 1024
 * every second one is dropped.  RECORDS: none, and the newest is removed too when the run is closed.  A run that has no
 * file keeps at most BL_SNAPSHOTS_MAX.
 */
typedef enum bl_keep { BL_KEEP_SOME, BL_KEEP_ALL, BL_KEEP_RECORDS } bl_keep;

/*
 * Trainer's side.  path NULL: the run is in the memory of this process only; columns NULL: records have no columns.
 * Both structs are copied.  A new reference, given back with bl_live_close; NULL with bl_error.  Functions that can
 * fail and return int return 0, or negative with bl_error, unless they say otherwise.
 */
bl_live *bl_live_create(const char *path, const bl_live_info *info, const bl_columns *columns);
int bl_live_keep(bl_live *l, bl_keep keep); /* default: BL_KEEP_SOME; fails if the run is in a file or has a snapshot */
/*
 * Moves a run in memory to a new file, as bl_live_create does.  If the disk is full, the run stays in memory,
 * info.message says so, and the result is 0.
 */
int bl_live_take_place(bl_live *l, const char *path);
/* Moves from memory to a file with all content.  No other thread may use the handle; on failure it stays in memory. */
int bl_live_move(bl_live *l, const char *path);
void bl_live_set_info(bl_live *l, const bl_live_info *info);
int bl_live_add(bl_live *l, const bl_record *r); /* at most info.steps records */
/* Adds a column to later records; earlier ones have NaN there.  Returns its index, or negative: see bl_columns_add. */
int bl_live_column(bl_live *l, const bl_column *column);
void bl_live_publish(bl_live *l, const bl_snapshot *s); /* makes a copy of s the newest snapshot */
/* A message about the file, each once: it could not be written, was truncated, was rewritten.  False: no message. */
bool bl_live_problem(bl_live *l, char *out, size_t size);
bool bl_live_take(bl_live *l, bl_command *out);       /* takes the oldest command from the mailbox; false: empty */
bool bl_live_asked(const bl_live *l, bl_region *out); /* the last requested region; false: none in the last seconds */
/*
 * Sets the owner of the run, a text that identifies it (copied), and the callback `claim`, which is called when another
 * file has the name of the live file, or none has.  It locks the run against a takeover and returns a descriptor, whose
 * close() ends the lock; BL_LIVE_BUSY: another process is taking it over right now (only if !wait); -1 with bl_error:
 * the run belongs to another process. Without a callback, another file of that name always belongs to another process.
 */
enum { BL_LIVE_BUSY = -2 };
typedef int bl_live_claim(const char *path, const char *owner, bool wait);
int bl_live_owned(bl_live *l, const char *owner, bl_live_claim *claim);
/* Checks now that the file is complete and still has its name, and repairs it; training does this at intervals. */
void bl_live_look_after(bl_live *l);
int bl_live_check_place(const bl_live *l); /* fails if the run's folder is gone or belongs to another run */
/* Copies into a run without records the records of `past` up to step `until`, and the snapshots kept until then. */
int bl_live_resume(bl_live *l, const bl_live *past, int64_t until);

/* Reader's side. */
/* Opens a live file of this version, or of version 2 (barlow 0.1), which takes no commands.  NULL with bl_error. */
bl_live *bl_live_open(const char *path, bool writable_mailbox);
/*
 * The same, but reads the whole file: if it is damaged and no longer written, the intact parts become a run in memory,
 * which takes no commands.  bl_live_open notices damage of the tables only.
 */
bl_live *bl_live_open_whole(const char *path, bool writable_mailbox);
const char *bl_live_damage(const bl_live *l); /* "records 120 to 480 are damaged", borrowed; NULL: no damage was seen */
/*
 * When a run is resumed, its path names a new file.  Opens that file for a reader of the old one; NULL with bl_error if
 * there is no new file.
 */
bl_live *bl_live_open_next(const bl_live *l);
const char *bl_live_path(const bl_live *l); /* path that a reader opened, borrowed; NULL: none, or l is the trainer's */
bl_live *bl_live_ref(bl_live *l);
void bl_live_close(bl_live *l);
void bl_live_info_get(const bl_live *l, bl_live_info *out);
int64_t bl_live_length(const bl_live *l);                         /* number of records */
bool bl_live_record(const bl_live *l, int64_t i, bl_record *out); /* i is 0-based; false: it cannot be read */
/* Columns of the records.  They are only ever added, and before the first record that has them. */
int bl_live_columns_count(const bl_live *l);
void bl_live_columns(const bl_live *l, bl_columns *out);
int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out); /* its step, or -1 when there is none */
uint64_t bl_live_snapshots(const bl_live *l);                 /* number published; unchanged: nothing new to read */
/*
 * Number of the snapshots kept from the past, oldest first, including the first of the run and the newest: at most
 * BL_SNAPSHOTS_MAX, spread over the run, even if more are kept.  Those of the past have neither views nor a region.
 */
int bl_live_snapshot_count(const bl_live *l);
int64_t bl_live_snapshot_at(const bl_live *l, int i, bl_snapshot *out); /* its step, or -1 */
/* Requests a region for the next 3 s, so it has to be repeated, for example each second.  Fails when read-only. */
int bl_live_ask(bl_live *l, const bl_region *r);
int bl_live_send(bl_live *l, bl_command c);  /* fails when the mailbox is full or read-only */
bool bl_live_writer_alive(const bl_live *l); /* does the trainer's process exist?  A zombie counts as gone */

#endif
