/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal.h: a run's journal on disk: a line of JSON for every change while it trained (train.h).
 *
 *     {"step":10,"name":"lambda","old":0.0051,"new":0.02,"who":"script","time":1764463530.25}
 *     {"step":12,"name":"pause","who":"process 4711","time":1764463531.5}
 *
 * step: the number of steps made before the change; who: "script", "prompt", "process <number>" (another process, such
 * as barlow watch), "replay" or "trainer"; time: seconds since 1970.  Lines are only appended; when a run is resumed,
 * those later than its checkpoint are removed.  Functions return 0, or negative with bl_error.
 */
#ifndef BARLOW_JOURNAL_H
#define BARLOW_JOURNAL_H

#include <barlow/train.h>

/*
 * Reads all n lines; the caller frees *out.  A missing file has none.  An incomplete last line, left by a process
 * that was killed while writing, is ignored.  0, or negative with bl_error: the file cannot be read, or a line is
 * invalid; *out is NULL then.
 */
int bl_journal_read(const char *path, bl_change **out, int64_t *n);
/* Writes a whole journal, atomically (file.h). */
int bl_journal_write(const char *path, const bl_change *c, int64_t n);
/* Appends a line; if the disk is full, nothing is written. */
int bl_journal_append(const char *path, const bl_change *c);
/* Writes the trainer's journal so far, then appends each change as it is made; path must outlive the trainer. */
int bl_journal_keep(const char *path, bl_trainer *t);

#endif
