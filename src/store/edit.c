/* SPDX-License-Identifier: GPL-3.0-or-later */
/* edit.c: changes a run's tags and notes. */
#include "store/known.h"

#include <barlow/error.h>
#include <barlow/runs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
	const char *folder;
	const bl_run_edit *edit;
} job;

/* For runs of an earlier version, which have no run.json, the file is made from the live file. */
static int begin_file(const char *folder, bl_run_file *f)
{
	const char *slash = strrchr(folder, '/');
	bl_known *k = malloc(sizeof *k);
	if (!k)
		return bl_fail("no memory for a run");
	bl_known_read(k, folder, slash ? slash + 1 : folder, NULL, &(bl_clock){ 0 });
	bool broken = strcmp(k->state, BL_KNOWN_BROKEN) == 0, killed = strcmp(k->state, BL_KNOWN_KILLED) == 0;
	*f = k->file; /* *f owns its lists now */
	snprintf(f->state, sizeof f->state, "%s", killed ? BL_RUN_FILE_STOPPED : k->state);
	if (killed)
		snprintf(f->reason, sizeof f->reason, "its process was killed");
	int rc = broken ? bl_fail("%s: it contains no readable run: %s", folder, k->message) : 0;
	free(k);
	return rc;
}

static int make_changes(void *ctx, bl_run_file *f)
{
	const job *j = ctx;
	const bl_run_edit *e = j->edit;
	if (!f->state[0] && begin_file(j->folder, f) != 0)
		return -1;
	for (int i = 0; i < e->drops; i++)
		if (bl_run_file_tag(f, e->drop[i], false) < 0)
			return -1;
	for (int i = 0; i < e->adds; i++)
		if (bl_run_file_tag(f, e->add[i], true) < 0)
			return -1;
	if (e->notes && strlen(e->notes) >= BL_RUN_NOTES)
		return bl_fail("notes of %zu bytes: expected less than %d", strlen(e->notes), BL_RUN_NOTES);
	if (e->notes)
		snprintf(f->notes, sizeof f->notes, "%s", e->notes);
	return 0;
}

int bl_runs_edit(const char *folder, const bl_run_edit *e)
{
	job j = { folder, e };
	return bl_run_file_change(folder, make_changes, &j) < 0 ? -1 : 0;
}
