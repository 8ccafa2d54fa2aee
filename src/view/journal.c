/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed in a run. */
#include "view/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(bl_journal *j, int64_t step, const char *text)
{
	if (j->n == BL_JOURNAL_LINES)
		memmove(&j->line[0], &j->line[1], (size_t)--j->n * sizeof j->line[0]);
	bl_journal_line *line = &j->line[j->n++];
	line->step = step;
	/* Cut where it is too long. */
	snprintf(line->text, sizeof line->text, "%.*s", (int)sizeof line->text - 1, text);
}

/* "step 400: what" says itself when it was; returns what follows. */
static const char *split(const char *message, int64_t *step)
{
	int n = 0;
	int64_t at;
	if (sscanf(message, "step %" SCNd64 ": %n", &at, &n) != 1 || n == 0)
		return message;
	*step = at;
	return message + n;
}

void bl_journal_see(bl_journal *j, const bl_live_info *before, const bl_live_info *now)
{
	int64_t step = now->step;
	const char *what = split(now->message, &step);
	/* Turns of lambda stand in the records, for who comes later too. */
	if (strcmp(before->message, now->message) != 0 && what[0] && strncmp(what, "lambda ", 7) != 0)
		add(j, step, what);
	if (before->steps > 0 && before->state != now->state)
		add(j, now->step, bl_run_state_name(now->state));
}

static bl_journal_line line_of(const bl_turn *t, const char *lambda)
{
	bl_journal_line line = {.step = t->last};
	if (t->first == t->last)
		snprintf(line.text, sizeof line.text, "%s %.4g -> %.4g", lambda, t->from, t->to);
	else
		snprintf(line.text, sizeof line.text, "%s %.4g -> %.4g since step %" PRId64, lambda, t->from, t->to,
			 t->first);
	return line;
}

static int newest_first(const void *a, const void *b)
{
	const bl_journal_line *p = a, *q = b;
	return p->step != q->step ? (p->step < q->step ? 1 : -1) : strcmp(p->text, q->text);
}

int bl_journal_lines(const bl_journal *j, const bl_history *h, const char *lambda, bl_journal_line out[BL_JOURNAL_MOST])
{
	int n = 0;
	for (int i = 0; i < h->turns; i++)
		out[n++] = line_of(&h->turn[i], lambda);
	for (int i = 0; i < j->n; i++)
		out[n++] = j->line[i];
	qsort(out, (size_t)n, sizeof out[0], newest_first);
	return n;
}
