/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_file.h: the file run.json in a run's folder: description and state of the run, and the user's tags and notes.
 *
 * The training process writes the file when the run begins, every few seconds, and when the run ends.  Any process may
 * change tags and notes at any time (bl_run_file_change).  A writer locks the file and replaces it as a whole by a
 * rename, so that readers see a complete file and no change is lost.  The content is not trusted: texts and lists have
 * limits, and numbers must be finite.  A file that violates this is refused with an error that names the invalid
 * member.
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
 * Sets the value of a name, and appends the name if it is new.  Name and text are copied.  text NULL: the value is the
 * number.  0, or negative: there are too many facts, a text is too long, or there is no memory.
 */
int bl_facts_set(bl_facts *f, const char *name, double number, const char *text);
const bl_fact *bl_facts_find(const bl_facts *f, const char *name); /* NULL: there is none */
void bl_facts_free(bl_facts *f);                                   /* frees the facts; the list is empty then */

/*
 * States in the file.  A run in state "running" whose process no longer exists was killed; readers have to check that.
 */
#define BL_RUN_FILE_NEW "new"
#define BL_RUN_FILE_RUNNING "running"
#define BL_RUN_FILE_PAUSED "paused"
#define BL_RUN_FILE_STOPPED "stopped"
#define BL_RUN_FILE_DONE "done" /* "finished" in older files */
#define BL_RUN_FILE_FAILED "failed"

/* Unknown texts are "", and unknown times 0.  Times are seconds since 1970 by the clock of the run's host. */
typedef struct bl_run_file {
	char barlow[BL_RUN_TEXT]; /* version */
	char name[BL_RUN_TEXT];
	char state[BL_RUN_TEXT];
	char reason[BL_RUN_REASON]; /* reason of the run's end */
	int64_t seed, step, steps;
	int d;                          /* embedding width */
	double created, started, ended; /* started: when the latest process began to train the run */
	char host[BL_RUN_TEXT], boot[BL_RUN_TEXT], cpu[BL_RUN_TEXT], blas[BL_RUN_TEXT];
	int64_t pid;
	char owner[BL_RUN_TEXT]; /* identifies the run within its process; "" in files of older versions */
	int threads;
	int64_t beat;             /* heartbeat counter, incremented every few seconds while the process lives */
	double beat_time;         /* time of the last increment */
	char parent[BL_RUN_PATH]; /* of a fork: folder of the original run; parent_step: the step of the fork */
	int64_t parent_step;
	char tag[BL_RUN_TAGS][BL_RUN_TAG];
	int tags;
	char notes[BL_RUN_NOTES];
	bl_facts data;        /* name, images, fingerprint */
	bl_facts convolution; /* algorithms by shape */
	bl_facts recipe;      /* numbers and texts of the recipe, by their paths: "loss.lambda" */
	bl_facts metrics;     /* the last measured value of each column of the records */
} bl_run_file;

/*
 * Reads the file.  1: the folder has no such file; negative with bl_error: the file cannot be read or is invalid.  In
 * both cases `out` is empty.
 */
int bl_run_file_read(const char *folder, bl_run_file *out);
/* Writes the file, replacing an existing one.  0, or negative with bl_error. */
int bl_run_file_write(const char *folder, const bl_run_file *f);
/*
 * Reads the file, calls `change` with its content, and writes the changed content, all under a lock.  If there is no
 * file, the content is empty.  If the callback returns a value other than 0, nothing is written, and this value is
 * returned. 0, or negative with bl_error.
 */
int bl_run_file_change(const char *folder, int (*change)(void *ctx, bl_run_file *f), void *ctx);
void bl_run_file_free(bl_run_file *f); /* frees the lists; *f is empty then */

/*
 * Adds a tag (on) or removes it.  A tag is a word without blanks and commas.  0; 1: nothing had to be changed; negative
 * with bl_error.
 */
int bl_run_file_tag(bl_run_file *f, const char *tag, bool on);

#endif
