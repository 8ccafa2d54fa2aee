/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal.h: the journal of a run on disk, which has a line of JSON for every change during training (train.h).
 *
 *     {"step":10,"name":"lambda","old":0.0051,"new":0.02,"who":"script","time":1764463530.25}
 *     {"step":12,"name":"pause","who":"process 4711","time":1764463531.5}
 *
 *     step    number of steps before the change
 *     who     "script", "prompt", "process <number>" (another process, such as barlow watch), "replay" or "trainer"
 *     time    seconds since 1970
 *
 * Lines are only appended.  When a run is resumed, the lines of steps after its checkpoint are removed.  Functions
 * return 0, or negative with bl_error.
 */
#ifndef BARLOW_JOURNAL_H
#define BARLOW_JOURNAL_H

#include <barlow/train.h>

/*
 * Reads all *n lines into *out, which the caller frees.  A missing file has no lines.  An incomplete last line, which a
 * process leaves if it is killed while writing, is ignored.  Negative with bl_error: the file cannot be read, or a line
 * is invalid; *out is NULL then.
 */
int bl_journal_read(const char *path, bl_change **out, int64_t *n);
/* Writes a journal of n changes atomically (file.h). */
int bl_journal_write(const char *path, const bl_change *c, int64_t n);
/* Appends a line.  On failure, such as a full disk, the file is unchanged. */
int bl_journal_append(const char *path, const bl_change *c);
/*
 * Writes the trainer's journal so far, and from then on appends each change when it is made.  path must outlive the
 * trainer.
 */
int bl_journal_store(const char *path, bl_trainer *t);

#endif
