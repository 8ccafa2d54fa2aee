/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_journal.c: the changes in a run (run_journal.h). */
#include "view/run_journal.h"

#include <barlow/journal.h>
#include <barlow/runs.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void add(bl_journal *j, int64_t step, const char *text, bool in_file)
{
	if (j->n == BL_JOURNAL_LINES)
		memmove(&j->line[0], &j->line[1], (size_t)--j->n * sizeof j->line[0]);
	bl_journal_line *line = &j->line[j->n++];
	line->step = step;
	line->in_file = in_file;
	/* Truncated if it is too long. */
	snprintf(line->text, sizeof line->text, "%.*s", (int)sizeof line->text - 1, text);
}

/* Removes the step from "step 400: text", and returns the text. */
static const char *split(const char *message, int64_t *step)
{
	int n = 0;
	int64_t at;
	if (sscanf(message, "step %" SCNd64 ": %n", &at, &n) != 1 || n == 0)
		return message;
	*step = at;
	return message + n;
}

/*
 * Is it a change of a parameter, such as "lambda .01 -> .02"?  These are taken from the records instead, so that a screen that
 * is opened later shows them, too.
 */
static bool is_turn(const bl_columns *c, const char *what)
{
	size_t n = strcspn(what, " ");
	for (int k = bl_columns_next(c, BL_COLUMN_PARAMETER, 0); k >= 0; k = bl_columns_next(c, BL_COLUMN_PARAMETER, k + 1))
		if (what[n] && strncmp(what, c->column[k].name, n) == 0 && c->column[k].name[n] == '\0')
			return true;
	return false;
}

void bl_journal_add(bl_journal *j, const bl_columns *columns, const bl_live_info *before, const bl_live_info *now)
{
	int64_t step = now->step;
	const char *what = split(now->message, &step);
	if (strcmp(before->message, now->message) != 0 && what[0] && !is_turn(columns, what))
		add(j, step, what, strstr(what, " -> ") || strncmp(what, "resumed", 7) == 0 || strncmp(what, "not saved", 9) == 0);
	if (before->steps > 0 && before->state != now->state)
		add(j, now->step, bl_run_state_name(now->state), true);
}

/* --- On disk ------------------------------------------------------------------------------ */

/* The author of a change is shown unless it is the run's own script. */
static bl_journal_line line_on_disk(const bl_change *c)
{
	bl_journal_line line = { .step = c->step, .in_file = true };
	bool own = strcmp(c->who, "script") == 0 || strcmp(c->who, "trainer") == 0;
	int n = isnan(c->value) ? snprintf(line.text, sizeof line.text, "%s", c->name)
	                        : snprintf(line.text, sizeof line.text, "%s %.4g -> %.4g", c->name, c->old, c->value);
	if (c->text[0])
		n += snprintf(line.text + n, sizeof line.text - (size_t)n, ": %.80s", c->text);
	if (!own && n < (int)sizeof line.text)
		snprintf(line.text + n, sizeof line.text - (size_t)n, ", %s", c->who);
	return line;
}

/* If the journal cannot be read, the run's messages are shown instead. */
void bl_journal_load(bl_journal *j, const char *live_path)
{
	char path[4096];
	const char *slash = live_path ? strrchr(live_path, '/') : NULL;
	struct stat s;
	bl_change *c;
	int64_t n;
	int length = !live_path ? -1
	                        : snprintf(path, sizeof path, "%.*s" BL_RUN_JOURNAL, slash ? (int)(slash + 1 - live_path) : 0,
	                                   live_path);
	if (length < 0 || length >= (int)sizeof path || stat(path, &s) != 0 || s.st_size == j->disk_size)
		return;
	j->disk_size = s.st_size;
	j->on_disk = 0;
	if (bl_journal_read(path, &c, &n) == 0)
		for (int64_t i = n > BL_JOURNAL_LINES ? n - BL_JOURNAL_LINES : 0; i < n; i++)
			j->disk[j->on_disk++] = line_on_disk(&c[i]);
	free(c);
}

/* --- Lines -------------------------------------------------------------------------------- */

static bl_journal_line line_of(const bl_turn *t, const char *name)
{
	bl_journal_line line = { .step = t->last };
	if (t->first == t->last)
		snprintf(line.text, sizeof line.text, "%s %.4g -> %.4g", name, t->from, t->to);
	else
		snprintf(line.text, sizeof line.text, "%s %.4g -> %.4g since step %" PRId64, name, t->from, t->to, t->first);
	return line;
}

static int newest_first(const void *a, const void *b)
{
	const bl_journal_line *p = a, *q = b;
	return p->step != q->step ? (p->step < q->step ? 1 : -1) : strcmp(p->text, q->text);
}

int bl_journal_lines(const bl_journal *j, const bl_history *h, bool utf8, bl_journal_line out[BL_JOURNAL_MOST])
{
	int n = 0;
	for (int i = 0; i < h->turns && j->on_disk == 0; i++) {
		const bl_column *column = &h->columns.column[h->turn[i].column];
		out[n++] = line_of(&h->turn[i], utf8 ? bl_column_label(column) : column->name);
	}
	for (int i = 0; i < j->on_disk; i++)
		out[n++] = j->disk[i];
	for (int i = 0; i < j->n; i++)
		if (j->on_disk == 0 || !j->line[i].in_file)
			out[n++] = j->line[i];
	qsort(out, (size_t)n, sizeof out[0], newest_first);
	return n;
}
