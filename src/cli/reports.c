/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reports.c: reports runs in the background at the prompt.
 *
 * A line is printed when kNN was measured, when an epoch has ended, when a condition (t:break_when) has paused a run, and
 * when a run ends, with the reason of a failure; ends that the program waited for (t:wait, t:run, t:stop) are not
 * reported.  The prompt itself shows the progress of the runs (bl_reports_stand).
 */
#include "cli/prompt.h"

#include <barlow/live.h>
#include <barlow/parallel.h>
#include <barlow/text.h>
#include <barlow/train.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RUNS_MOST = 64, SHOWN_MOST = 2 };
#define EPOCH_SECONDS 60. /* between lines about epochs without kNN */

/* What was already reported of a run. */
typedef struct known {
	int64_t id, seen;   /* seen: the number of records that were read */
	int64_t broke;      /* the step of the last break that was reported */
	double reported_at; /* when a line about its progress was last printed */
	bool going;         /* it was running or paused at the last call */
} known;

static known known_runs[RUNS_MOST];
static int known_count;
static bl_trainer_status standing[RUNS_MOST];
static bl_news wanted;

void bl_reports_choose(bl_news which)
{
	wanted = which;
}

/* Is the run running or paused in the background?  Steps that the program makes itself are not reported. */
static bool is_going(const bl_trainer_status *s)
{
	return s->fresh && (s->info.state == BL_RUN_RUNNING || s->info.state == BL_RUN_PAUSED);
}

/* The entry of the run; those of freed trainers are reused.  NULL: there is no room. */
static known *known_of(const bl_trainer_status *s, int n)
{
	for (int i = 0; i < known_count; i++)
		if (known_runs[i].id == s->id)
			return &known_runs[i];
	int at = known_count;
	for (int i = 0; at == RUNS_MOST && i < known_count; i++) {
		bool freed = true;
		for (int k = 0; k < n; k++)
			freed = freed && standing[k].id != known_runs[i].id;
		at = freed ? i : at;
	}
	if (at == RUNS_MOST)
		return NULL;
	known_count += at == known_count;
	known_runs[at] = (known){ .id = s->id, .seen = s->fresh ? 0 : bl_live_length(s->live), .reported_at = bl_now() };
	return &known_runs[at];
}

static double epochs_of(const bl_live_info *i, int64_t steps)
{
	return i->steps_per_epoch > 0 ? (double)steps / (double)i->steps_per_epoch : 0;
}

/* An integer with all its digits, other numbers with four. */
static const char *count_text(double v, char out[32])
{
	snprintf(out, 32, v == floor(v) && v < 1e15 ? "%.0f" : "%.4g", v);
	return out;
}

/* The newest kNN of the records after the first `seen`; NaN: none. */
static double newest_knn(const bl_trainer_status *s, int64_t seen, int64_t length)
{
	bl_columns columns;
	bl_record r;
	bl_live_columns(s->live, &columns);
	int place = bl_columns_find(&columns, "knn");
	for (int64_t i = length - 1; place >= 0 && i >= seen; i--)
		if (bl_live_record(s->live, i, &r) && !isnan(r.value[place]))
			return r.value[place];
	return NAN;
}

static double newest_total(const bl_trainer_status *s, int64_t length)
{
	bl_columns columns;
	bl_record r;
	bl_live_columns(s->live, &columns);
	return length > 0 && bl_live_record(s->live, length - 1, &r) ? bl_record_value(&r, &columns, "total") : NAN;
}

/* Prints a line if the user's choice of news includes it: every choice from BL_NEWS_ALL to `most` does. */
static void report(const char *text, bl_news most, void (*print)(const char *line))
{
	if (wanted > most)
		return;
	char clean[640];
	bl_text_clean(clean, sizeof clean, text, false);
	print(clean);
}

static void add_value(char *line, size_t size, const char *name, const char *format, double v)
{
	size_t n = strlen(line);
	if (isnan(v) || n >= size)
		return;
	n += (size_t)snprintf(line + n, size - n, ", %s ", name);
	if (n < size)
		snprintf(line + n, size - n, format, v);
}

/* Reports that kNN was measured; or that an epoch has ended, if the last line was printed more than EPOCH_SECONDS ago. */
static void report_progress(const bl_trainer_status *s, known *k, void (*print)(const char *line))
{
	const bl_live_info *i = &s->info;
	int64_t length = bl_live_length(s->live), before = k->seen;
	double knn = newest_knn(s, before, length), now = bl_now();
	bool epoch = floor(epochs_of(i, length)) > floor(epochs_of(i, before));
	k->seen = length;
	if (isnan(knn) && !(epoch && now - k->reported_at > EPOCH_SECONDS))
		return;
	char line[512], at[32], all[32];
	snprintf(line, sizeof line, "%s: epoch %s of %s, step %lld of %lld", i->name, count_text(epochs_of(i, length), at),
	         count_text(epochs_of(i, i->steps), all), (long long)i->step, (long long)i->steps);
	add_value(line, sizeof line, "kNN", "%.4f", knn);
	add_value(line, sizeof line, "total", "%.4g", newest_total(s, length));
	k->reported_at = now;
	report(line, BL_NEWS_ALL, print);
}

static void report_end(const bl_trainer_status *s, void (*print)(const char *line))
{
	const bl_live_info *i = &s->info;
	int64_t length = bl_live_length(s->live);
	char line[640];
	if (i->state == BL_RUN_FAILED) {
		snprintf(line, sizeof line, "%s: failed at step %lld of %lld: %s", i->name, (long long)i->step, (long long)i->steps,
		         i->message);
	} else {
		snprintf(line, sizeof line, "%s: %s at step %lld of %lld", i->name,
		         i->state == BL_RUN_DONE ? "finished" : "stopped", (long long)i->step, (long long)i->steps);
		add_value(line, sizeof line, "kNN", "%.4f", newest_knn(s, 0, length));
		add_value(line, sizeof line, "total", "%.4g", newest_total(s, length));
	}
	report(line, BL_NEWS_ENDS, print);
}

/* Reports that t:break_when has paused the run, once for each step. */
static void report_break(const bl_trainer_status *s, known *k, void (*print)(const char *line))
{
	char line[640];
	if (!s->at_break || k->broke == s->info.step)
		return;
	k->broke = s->info.step;
	snprintf(line, sizeof line, "%s: %s", s->info.name, s->info.message);
	report(line, BL_NEWS_ENDS, print);
}

bool bl_reports(void (*print)(const char *line))
{
	int n = bl_trainers_standing(standing, RUNS_MOST);
	bool any = false;
	for (int i = 0; i < n; i++) {
		const bl_trainer_status *s = &standing[i];
		known *k = known_of(s, n);
		bool going = is_going(s);
		any = any || going;
		if (!k)
			continue;
		if (going) {
			report_progress(s, k, print);
			report_break(s, k, print);
		} else if (s->fresh && (k->going || k->seen == 0) && s->info.state != BL_RUN_NEW && !s->end_known) {
			report_end(s, print);
		}
		if (!going)
			k->seen = bl_live_length(s->live) + 1; /* not 0, so that the end is reported once */
		k->going = going;
	}
	return any;
}

/* "fashion 7/20 34%" */
static int progress_text(char *out, size_t size, const bl_trainer_status *s)
{
	const bl_live_info *i = &s->info;
	double done = i->steps > 0 ? (double)i->step / (double)i->steps : 0;
	char name[64], all[32];
	bl_text_clean(name, sizeof name, i->name, false);
	return snprintf(out, size, "%.20s %s%.0f/%s %d%%", name, i->state == BL_RUN_PAUSED ? "paused " : "",
	                ceil(epochs_of(i, i->step)), count_text(epochs_of(i, i->steps), all), (int)(100 * done));
}

void bl_reports_stand(char *out, size_t size)
{
	int n = bl_trainers_standing(standing, RUNS_MOST), shown = 0, more = 0;
	size_t at = 0;
	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (!is_going(&standing[i]))
			continue;
		if (shown == SHOWN_MOST) {
			more++;
			continue;
		}
		at += (size_t)snprintf(out + at, size - at, "%s", shown++ ? ", " : " [");
		at += (size_t)progress_text(out + at, size - at, &standing[i]);
		if (at >= size - 16)
			break;
	}
	if (shown)
		snprintf(out + at, size - at, more ? ", +%d]" : "]", more);
}
