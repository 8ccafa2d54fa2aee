/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live.h: what the world may see of a run.
 *
 * One file in the run's folder.  The trainer writes; any number of readers, in
 * this process or another, read it without holding the trainer up.  Records
 * are kept, one a step; the snapshot is the newest, beside some that are kept
 * from the past.  Commands, and what viewers look at, go the other way through
 * a small mailbox.
 *
 * The trainer's handle has info, records and the newest snapshot in memory, at
 * 8 (2 + columns) bytes a step, and the file is a copy of that: a run goes on
 * without it when the disk is full, and writes it anew when somebody has cut
 * it short.
 *
 * Named sections with sizes, each change with a checksum; a reader believes
 * nothing before it has looked at magic, version, sizes and check.
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
	BL_VIEWS_MAX = 8,  /* views of one sample */
	BL_VIEW_MAX = 64,  /* pixels a side that are shown of one */
	BL_IMAGE_CHANNELS_MAX = 64,
	BL_POINTS_MAX = 1024,
	BL_PAIRS_MAX = 16,
	BL_QUANTILES = 65,
	BL_CLUSTER_MOST = 1024, /* dims that can be sorted by cluster */
	BL_CLASSES_MAX = 64,
	BL_CLASS_TEXT = 24,
	BL_KEPT_MAX = 48, /* snapshots of the past that are shown, and that a run keeps unless it is told otherwise */
	BL_DRAW_TEXT = 320,
};

/*
 * What a viewer looks at.  The trainer computes it for the next snapshots; the last to ask wins.  While somebody
 * asks, snapshots may take 3.5% of the training time and come 30 times a second, else 1.1% and 10 times.
 */
typedef enum bl_matrix { BL_MATRIX_C, BL_MATRIX_AA, BL_MATRIX_BB } bl_matrix; /* AA: first view with itself */
/* Of the dims: as is; by C_ii, descending; similar ones side by side. */
typedef enum bl_order { BL_ORDER_PLAIN, BL_ORDER_DIAGONAL, BL_ORDER_CLUSTER } bl_order;
typedef struct bl_region {
	int32_t matrix, order;             /* bl_matrix, bl_order */
	int32_t row, rows, col, cols;      /* dims after ordering; rows = 0: the whole matrix */
	int32_t points;                    /* non-zero: the embedding's points are wanted */
	int32_t view;                      /* which pair of the batch, counted up for the next sample */
	int32_t redraw;                    /* counted up to see the same sample drawn again */
} bl_region;

typedef enum bl_points_of { BL_POINTS_UNKNOWN, BL_POINTS_TRAINING, BL_POINTS_QUERIES } bl_points_of; /* images of */

typedef struct bl_pair { int32_t i, j; float value; } bl_pair; /* dims, 0-based */

typedef struct bl_snapshot {
	int64_t step;
	int32_t n, d;             /* batch and embedding width */
	int32_t of_embeddings;    /* non-zero: the loss is made of no matrix, and C is shown for itself */
	int32_t grid;             /* cells a side, min(d, BL_GRID_MAX) */
	int32_t diag;             /* diagonal values kept, min(d, BL_DIAG_MAX): means of equal runs when fewer than d */
	float mean[BL_GRID_MAX * BL_GRID_MAX];    /* row-major grid x grid: mean over the cell's block of C */
	float extreme[BL_GRID_MAX * BL_GRID_MAX]; /* the signed element of largest magnitude in the block */
	/*
	 * The root of the mean square over the block's elements off the diagonal, which is what stands out of noise: chance
	 * gives 1/sqrt(n-1).  Of some pairs of the batch's samples it is an estimate, whose square is unbiased.
	 */
	float rms[BL_GRID_MAX * BL_GRID_MAX];
	float rms_share;                   /* of the pairs behind it; 1: exact; 0: there is no rms */
	float rms_error;                   /* its standard error relative to it, typical of the cells */
	float cell_diagonal[BL_GRID_MAX];  /* mean C_ii of the blocks on the diagonal */
	int64_t grid_elements;             /* of C, behind the extremes (means are of all): fewer than d x d is a sample */
	float diagonal[BL_DIAG_MAX];
	float quantile[BL_QUANTILES];      /* of all C_ii, ascending, evenly spread from the least to the largest */
	int32_t pairs;                     /* how many follow */
	bl_pair pair[BL_PAIRS_MAX];        /* elements off the diagonal of largest magnitude, of grid_elements */
	uint32_t histogram[BL_HIST_BINS];  /* off-diagonal values (of a sample when d is large) over [-1, 1] */
	int32_t sampled;                   /* elements of C behind the histogram */
	int32_t dead;                      /* embedding dimensions without variance */
	int32_t spectrum;                  /* how many values follow, 0: not computed yet */
	float eigenvalues[BL_SPECTRUM_MAX];/* of the embedding covariance, descending */
	double rankme;                     /* NaN: not computed */
	float singular[BL_SPECTRUM_MAX];   /* of C, descending, as many; NaN: not computed */
	int32_t view_count, view_side, view_channels; /* of one sample's views below, 1 or 3 channels as shown; 0: none */
	int32_t image_channels;            /* that the views have: of more than 3 the first 3 are shown, of 2 the first */
	uint8_t views[BL_VIEWS_MAX][BL_VIEW_MAX * BL_VIEW_MAX * 3]; /* augmented, 0..255, (h,w,c) */
	int64_t view_row;                  /* its row in the data set, 0-based; -1: not known */
	int32_t view_label;                /* -1: none */
	char view_class[BL_CLASS_TEXT];    /* its name; "": not known */
	char view_draws[BL_VIEWS_MAX][BL_DRAW_TEXT];  /* what the pipelines drew: "crop 3,4 20x22, flip, brightness 1.21" */
	/* The region that was asked for, pooled to region_rows x region_cols cells (one element a cell when it fits). */
	bl_region region;                  /* as computed: clamped to the matrix; order: PLAIN where d is too large to sort */
	int32_t region_rows, region_cols;  /* cells, at most BL_GRID_MAX; 0: none */
	int64_t region_elements;           /* of the matrix, behind the extremes: fewer than rows x cols is a sample */
	float region_mean[BL_GRID_MAX * BL_GRID_MAX], region_extreme[BL_GRID_MAX * BL_GRID_MAX];
	float region_rms[BL_GRID_MAX * BL_GRID_MAX], region_share, region_error; /* as rms, rms_share and rms_error */
	float region_diagonal[2 * BL_GRID_MAX]; /* means of what lies on the diagonal, cell by cell, row after row */
	int32_t dims[BL_GRID_MAX * 2];     /* dims[i]: the first behind row i of cells, dims[region_rows + j]: behind column j */
	/* PCA of the encoder's features of the same images each time, when asked for. */
	int32_t points;                    /* how many; 0: none */
	int32_t points_of;                 /* bl_points_of */
	int32_t classes;                   /* of how many labels, from 0 on, the names follow */
	char class_name[BL_CLASSES_MAX][BL_CLASS_TEXT]; /* "": not known */
	int64_t points_step;
	float explained[2];                /* share of the variance on each axis */
	float point[BL_POINTS_MAX][2];
	int16_t point_label[BL_POINTS_MAX]; /* -1: none */
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
	int32_t knn_queries, knn_refs;  /* labelled images that kNN is measured on, and by; 0: none */
	double started;         /* seconds since 1970 */
	char message[256];      /* why it failed, or the last journal line */
} bl_live_info;

typedef enum bl_command_kind { BL_CMD_NONE, BL_CMD_PAUSE, BL_CMD_RESUME, BL_CMD_STEP, BL_CMD_STOP, BL_CMD_SET,
                               BL_CMD_CHECKPOINT, BL_CMD_EVAL, BL_CMD_KINDS } bl_command_kind;
typedef struct bl_command {
	bl_command_kind kind;
	double value;                /* of BL_CMD_SET */
	char name[BL_COLUMN_NAME];   /* of BL_CMD_SET: what is to be set: "lambda", "loss.mu", "lr" */
	int64_t sender;              /* its process, filled in by bl_live_send */
} bl_command;

typedef struct bl_live bl_live;

/*
 * Snapshots of the past: some, spread over the run (BL_KEPT_MAX); all that are made, up to 1024, of which every second one
 * is let go then; or none, records only: also the newest goes when the run is closed.  A run that has no file keeps at most
 * BL_KEPT_MAX.
 */
typedef enum bl_keep { BL_KEEP_SOME, BL_KEEP_ALL, BL_KEEP_RECORDS } bl_keep;

/* Trainer's side.  path NULL: memory of this process only; columns NULL: records have none. */
bl_live *bl_live_create(const char *path, const bl_live_info *info, const bl_columns *columns);
int bl_live_keep(bl_live *l, bl_keep keep); /* instead of BL_KEEP_SOME; while the run is in memory, before it has snapshots */
/* As bl_live_create does: moves to a file, and stays in memory, saying so in the info, where the disk is full. */
int bl_live_take_place(bl_live *l, const char *path);
/* From memory to a file, with all that is in it.  Nobody else may be using the handle; on failure it stays in memory. */
int bl_live_move(bl_live *l, const char *path);
void bl_live_set_info(bl_live *l, const bl_live_info *info);
int bl_live_add(bl_live *l, const bl_record *r);            /* records are capacity `steps` of info */
/* A column of the records to come; those before have NaN there.  Its place, or negative: see bl_columns_add. */
int bl_live_column(bl_live *l, const bl_column *column);
void bl_live_publish(bl_live *l, const bl_snapshot *s);
/* What has happened to the file, once each time: it could not be written, was cut short, was written anew. */
bool bl_live_problem(bl_live *l, char *out, size_t size);
bool bl_live_take(bl_live *l, bl_command *out);             /* oldest command in the mailbox */
bool bl_live_asked(const bl_live *l, bl_region *out);       /* what the last viewer wants; false: nobody has asked in the last seconds */
/*
 * Whose the run at `path`, that of its live file, is: `claim` is asked when another file has that name, or none.  It makes sure
 * that nobody takes the run over, until close() of what it returns; BL_LIVE_BUSY: somebody is taking it over just now (where
 * it need not wait for him); -1 with bl_error: it is another's.  Without it, a file by that name is another's.
 */
enum { BL_LIVE_BUSY = -2 };
typedef int bl_live_claim(const char *path, const char *owner, bool wait);
int bl_live_owned(bl_live *l, const char *owner, bl_live_claim *claim);
/* Looks at once whether the file is whole and has its name, and puts that right, as is done now and then while the run trains. */
void bl_live_look_after(bl_live *l);
int bl_live_check_place(const bl_live *l);                  /* negative with bl_error: the run's folder is gone, or another's */
/* Into a run without records: those of `past` up to step `until`, in their order, and the snapshots kept until then. */
int bl_live_take_past(bl_live *l, const bl_live *past, int64_t until);

/* Reader's side. */
/* Refuses what is not a live file of this version; one of version 2 (barlow 0.1) is shown, and takes no commands. */
bl_live *bl_live_open(const char *path, bool writable_mailbox);
/*
 * The same, reading all of it: of a damaged file that nobody writes any more, what is whole, as a run in memory that takes no
 * commands.  bl_live_open sees damage of the tables only.
 */
bl_live *bl_live_open_whole(const char *path, bool writable_mailbox);
const char *bl_live_damage(const bl_live *l); /* "records 120 to 480 are damaged"; NULL: none that was seen */
/* What a reader's path names now, opened as it was, where that is another file: the run was resumed.  NULL: it is not. */
bl_live *bl_live_open_next(const bl_live *l);
const char *bl_live_path(const bl_live *l); /* where a reader opened it; NULL: in memory, or the writer's */
bl_live *bl_live_ref(bl_live *l);
void bl_live_close(bl_live *l);
void bl_live_info_get(const bl_live *l, bl_live_info *out);
int64_t bl_live_length(const bl_live *l);                     /* records there are */
bool bl_live_record(const bl_live *l, int64_t i, bl_record *out); /* 0-based */
/* Of the records.  Columns are only ever added, and before the first record that has them. */
int bl_live_columns_count(const bl_live *l);
void bl_live_columns(const bl_live *l, bl_columns *out);
int64_t bl_live_snapshot(const bl_live *l, bl_snapshot *out); /* its step, or -1 when there is none */
uint64_t bl_live_snapshots(const bl_live *l);                 /* published so far: unchanged means, nothing new to read */
/*
 * Snapshots kept from the past, oldest first, the first of the run and the newest among them: at most BL_KEPT_MAX,
 * spread over the run, though more may be kept.  Those of the past have neither views nor a region.
 */
int bl_live_kept(const bl_live *l);
int64_t bl_live_kept_snapshot(const bl_live *l, int i, bl_snapshot *out); /* its step, or -1 */
int bl_live_ask(bl_live *l, const bl_region *r);              /* holds 3 s: ask again each second; negative when read-only */
int bl_live_send(bl_live *l, bl_command c);                   /* negative when the mailbox is full or read-only */
bool bl_live_writer_alive(const bl_live *l);                  /* does the trainer's process exist; a zombie does not count */

#endif
