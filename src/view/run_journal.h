/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/run_journal.h: lists the changes in a run, newest first, from its journal on disk (barlow/journal.h) and its
 * messages.  For a run without a journal, changes of the loss's parameters are taken from its records.
 */
#ifndef BARLOW_VIEW_RUN_JOURNAL_H
#define BARLOW_VIEW_RUN_JOURNAL_H

#include "live/history.h"

enum { BL_JOURNAL_LINES = 32, BL_JOURNAL_MOST = 2 * BL_JOURNAL_LINES + BL_HISTORY_TURNS };

typedef struct bl_journal_line {
	int64_t step;
	char text[128]; /* without the step */
	bool in_file;   /* the journal on disk, if there is one, has this line, too */
} bl_journal_line;

typedef struct bl_journal {
	int n;
	bl_journal_line line[BL_JOURNAL_LINES]; /* the newest ones, oldest first */
	int on_disk;                            /* the number of lines of `disk` */
	bl_journal_line disk[BL_JOURNAL_LINES]; /* the newest ones of the journal on disk, oldest first */
	int64_t disk_size;                      /* the size of that file when it was read; 0: it was not read */
} bl_journal;

/* Adds lines for what differs between `before`, all 0 in the first call, and `now`; columns: of the run's records. */
void bl_journal_add(bl_journal *j, const bl_columns *columns, const bl_live_info *before, const bl_live_info *now);

/* Reads the journal on disk of the run with this live file, if the journal's size has changed.  live_path may be NULL. */
void bl_journal_load(bl_journal *j, const char *live_path);

/* All lines, newest first; returns their number.  utf8: parameters are written with their labels, else with their names. */
int bl_journal_lines(const bl_journal *j, const bl_history *h, bool utf8, bl_journal_line out[BL_JOURNAL_MOST]);

#endif
