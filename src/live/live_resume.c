/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live_resume.c: copies the past of a resumed run from its previous live file. */
#include "live/livefile.h"

#include <barlow/error.h>
#include <stdlib.h>

/*
 * Sets place[i] to the column of l that corresponds to column i of `past`; missing columns are added to l.  Returns the
 * number of columns of `past`, or negative with bl_error.
 */
static int match_columns(bl_live *l, const bl_live *past, int place[BL_COLUMNS_MAX])
{
	bl_columns here, there;
	bl_live_columns(past, &there);
	for (int i = 0; i < there.n; i++) {
		bl_live_columns(l, &here);
		place[i] = bl_columns_find(&here, there.column[i].name);
		if (place[i] < 0)
			place[i] = bl_live_column(l, &there.column[i]);
		if (place[i] < 0)
			return -1;
	}
	return there.n;
}

/*
 * Copies the records up to step `until`.  A record that is out of order ends the copy, because the machine may have
 * stopped while the file was written.  bl_live_open_whole has already left out damaged records.
 */
static int copy_records(bl_live *l, const bl_live *past, int64_t until)
{
	bl_record r;
	int place[BL_COLUMNS_MAX];
	int64_t before = 0;
	int columns = match_columns(l, past, place);
	for (int64_t i = 0; columns >= 0 && bl_live_record(past, i, &r) && r.step > before && r.step <= until; i++) {
		bl_record to = bl_record_empty(r.step);
		for (int k = 0; k < columns; k++)
			to.value[place[k]] = r.value[k];
		if (bl_live_add(l, &to) != 0)
			return -1;
		before = r.step;
	}
	return columns < 0 ? -1 : 0;
}

int bl_live_resume(bl_live *l, const bl_live *past, int64_t until)
{
	if (bl_live_length(l) > 0)
		return bl_fail("live: the run has %lld records already", (long long)bl_live_length(l));
	bl_snapshot *s = malloc(sizeof *s);
	if (!s)
		return bl_fail("live: no memory for a snapshot");
	int rc = copy_records(l, past, until);
	if (rc == 0)
		bl_snapshots_interval(l, past);
	for (int i = 0; rc == 0 && i < bl_live_snapshot_count(past); i++)
		if (bl_live_snapshot_at(past, i, s) > 0 && s->step <= until)
			bl_live_publish(l, s); /* the last one becomes l's newest */
	free(s);
	return rc;
}
