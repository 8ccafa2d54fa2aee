/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_file.h: run.json in a run's folder: description and state of the run, and the user's tags and notes.
 *
 * The training process writes it when the run begins, every few seconds, and when it ends; any process may change
 * tags and notes at any time (bl_run_file_change).  It is replaced as a whole by a rename, under a lock on the file
 * itself, so that readers see a complete file and no change is lost.  Its content is not trusted: texts and lists
 * have limits, numbers are finite, and a file that violates this is refused with the name of the invalid member.
 */
#ifndef BARLOW_RUN_FILE_H
#define BARLOW_RUN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define BL_RUN_FILE "run.json"

enum {
	BL_RUN_TEXT = 80, /* bytes of a short text, with its NUL */
	BL_RUN_REASON = 256,
	BL_RUN_PATH = 4096,
	BL_RUN_NOTES = 8192,
	BL_RUN_TAGS = 32, /* the largest number of tags */
	BL_RUN_TAG = 64,
	BL_RUN_FACTS = 1024, /* the largest number of facts in a list */
	BL_RUN_FACT_NAME = 96,
	BL_RUN_FACT_TEXT = 512,
	BL_RUN_FILE_BYTES = 1 << 20,
};

/* A name with a value, which is a number or a text. */
typedef struct bl_fact {
	char *name, *text; /* text NULL: it is a number */
	double number;
} bl_fact;

/* A list of facts; { 0 } is empty. */
typedef struct bl_facts {
	bl_fact *at;
	int n;
} bl_facts;

/*
 * Sets a name, appending a new one; copies both.  text NULL: sets the number.  Negative: too many, too long, no
 * memory.
 */
int bl_facts_set(bl_facts *f, const char *name, double number, const char *text);
const bl_fact *bl_facts_find(const bl_facts *f, const char *name); /* NULL: there is none */
void bl_facts_free(bl_facts *f);                                   /* leaves it empty */

/* States in the file.  A run in state "running" whose process is gone was killed: readers have to check that. */
#define BL_RUN_FILE_NEW "new"
#define BL_RUN_FILE_RUNNING "running"
#define BL_RUN_FILE_PAUSED "paused"
#define BL_RUN_FILE_STOPPED "stopped"
#define BL_RUN_FILE_DONE "done" /* "finished" in older files */
#define BL_RUN_FILE_FAILED "failed"

/* Texts are "" and times 0 where nothing is known.  Times are seconds since 1970 by the clock of the run's host. */
typedef struct bl_run_file {
	char barlow[BL_RUN_TEXT]; /* version */
	char name[BL_RUN_TEXT];
	char state[BL_RUN_TEXT];
	char reason[BL_RUN_REASON]; /* why it ended */
	int64_t seed, step, steps;
	int d;                          /* embedding width */
	double created, started, ended; /* started: by the process that trains or trained it last */
	char host[BL_RUN_TEXT], boot[BL_RUN_TEXT], cpu[BL_RUN_TEXT], blas[BL_RUN_TEXT];
	int64_t pid;
	char owner[BL_RUN_TEXT]; /* identifies the run within its process; "": older versions */
	int threads;
	int64_t beat;             /* heartbeat counter, incremented every few seconds while the process lives */
	double beat_time;         /* time of the last increment */
	char parent[BL_RUN_PATH]; /* of a fork: folder and step of the original run */
	int64_t parent_step;
	char tag[BL_RUN_TAGS][BL_RUN_TAG];
	int tags;
	char notes[BL_RUN_NOTES];
	bl_facts data;        /* name, images, fingerprint */
	bl_facts convolution; /* algorithms by shape */
	bl_facts recipe;      /* numbers and texts of the recipe, by their paths: "loss.lambda" */
	bl_facts metrics;     /* columns of the records, as last measured */
} bl_run_file;

/* 0; 1: the folder has none; negative with bl_error: it cannot be read or is invalid.  Unless 0, `out` is empty. */
int bl_run_file_read(const char *folder, bl_run_file *out);
/* Writes the file, replacing an existing one.  0, or negative with bl_error. */
int bl_run_file_write(const char *folder, const bl_run_file *f);
/*
 * Reads the file, calls `change`, and writes the file, under a lock; if there is no file, change gets an empty one.
 * If the callback returns another number than 0, nothing is written and that number is returned.  Negative with bl_error.
 */
int bl_run_file_change(const char *folder, int (*change)(void *ctx, bl_run_file *f), void *ctx);
void bl_run_file_free(bl_run_file *f); /* frees its lists, and leaves it empty */

/* Adds a tag (on) or removes it.  1: nothing to do; negative with bl_error.  Tags are words without blanks and commas. */
int bl_run_file_tag(bl_run_file *f, const char *tag, bool on);

#endif
