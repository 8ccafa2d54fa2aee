/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal.h: a run's journal on disk: every change while it trained (train.h), a line of JSON each.
 *
 *     {"step":10,"name":"lambda","old":0.0051,"new":0.02,"who":"script","time":1764463530.25}
 *     {"step":12,"name":"pause","who":"viewer 4711","time":1764463531.5}
 *
 * `step` steps were made before it; who is "script", "prompt", "viewer <process>", "replay" or "trainer"; time is in
 * seconds since 1970.  Lines are only added; when a run is resumed, those are gone that its checkpoint does not know.
 */
#ifndef BARLOW_JOURNAL_H
#define BARLOW_JOURNAL_H

#include <barlow/train.h>

/*
 * All lines; the caller frees *out.  No file: none.  A last line without its end, as a process leaves that is killed while
 * it writes, does not count.  Negative: it cannot be read, or some line is none of a journal.
 */
int bl_journal_read(const char *path, bl_change **out, int64_t *n);
/* Writes a whole journal, atomically (file.h). */
int bl_journal_write(const char *path, const bl_change *c, int64_t n);
/* Adds a line: all of it or, where the disk is full, nothing. */
int bl_journal_append(const char *path, const bl_change *c);
/* Writes what the trainer's journal has so far, and from now on each change; path lives as long as the trainer. */
int bl_journal_keep(const char *path, bl_trainer *t);

#endif
