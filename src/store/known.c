/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * known.c: reads the state of a run from its folder: from run.json, and from the live file if that is more recent.
 *
 * While a run is not over, the state in its live file counts.  Runs of earlier versions have no run.json.
 */
#include "store/known.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/process.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * A run on another host counts as killed if its heartbeat counter has not changed for this long; a living process
 * increments it every five seconds.
 */
enum { STILL_SECONDS = 30 };

bool bl_known_going(const char *state)
{
	return strcmp(state, BL_RUN_FILE_NEW) == 0 || strcmp(state, BL_RUN_FILE_RUNNING) == 0 ||
	       strcmp(state, BL_RUN_FILE_PAUSED) == 0;
}

/* --- The run's process ------------------------------------------------------------------------ */

static bool is_here(const bl_run_file *f)
{
	char host[BL_RUN_TEXT] = "", boot[BL_RUN_TEXT];
	bl_process_boot(boot, sizeof boot);
	if (f->boot[0] && strcmp(f->boot, boot) == 0)
		return true;
	return gethostname(host, sizeof host - 1) == 0 && strcmp(f->host, host) == 0;
}

bl_clock bl_clock_now(void)
{
	bl_clock c = { .steady = bl_now() };
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	c.seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	bl_process_boot(c.boot, sizeof c.boot);
	return c;
}

/* Returns the seconds between two moments; negative: a clock was set back in between. */
static double seconds_between(const bl_clock *from, const bl_clock *to)
{
	return *to->boot && strcmp(from->boot, to->boot) == 0 ? to->steady - from->steady : to->seconds - from->seconds;
}

static bool beats_still(bl_known *k, const bl_beats *before, const bl_clock *now)
{
	k->beats = (bl_beats){ k->file.beat, *now };
	if (before && before->since.seconds > 0 && before->count == k->file.beat && seconds_between(&before->since, now) >= 0)
		k->beats.since = before->since;
	return seconds_between(&k->beats.since, now) < STILL_SECONDS;
}

/* --- The live file ---------------------------------------------------------------------------- */

/*
 * Reads the values of the last record and, for columns that are not measured at each step, the newest values among the
 * last LOOK_BACK records.
 */
static void read_metrics(bl_known *k, const bl_live *l)
{
	enum { LOOK_BACK = 20000 };
	bl_columns c;
	bl_record r;
	int64_t n = bl_live_length(l);
	bl_live_columns(l, &c);
	int missing = 0;
	for (int i = 0; n > 0 && i < c.n; i++)
		missing += bl_column_rare(&c.column[i]);
	bool found[BL_COLUMNS_MAX] = { false };
	for (int64_t at = n - 1; at >= 0 && (at == n - 1 || missing > 0) && at >= n - LOOK_BACK; at--) {
		if (!bl_live_record(l, at, &r))
			continue;
		for (int i = 0; i < c.n; i++) {
			bool rare = bl_column_rare(&c.column[i]);
			if (isnan(r.value[i]) || found[i] || (at != n - 1 && !rare))
				continue;
			found[i] = true;
			missing -= rare;
			bl_facts_set(&k->file.metrics, c.column[i].name, r.value[i], NULL);
		}
	}
}

/* Sets k->state: `state`, or "killed" if the run is not over but its process no longer exists. */
static void judge(bl_known *k, bool alive, const char *state)
{
	snprintf(k->state, sizeof k->state, "%s", bl_known_going(state) && !alive ? BL_KNOWN_KILLED : state);
}

static void take_live(bl_known *k, const bl_live *l, bool has_file, bool beating)
{
	bl_live_info i;
	bl_live_info_get(l, &i);
	snprintf(k->message, sizeof k->message, "%s", i.message);
	if (!has_file) { /* a run without run.json: everything comes from the live file */
		bl_run_file *f = &k->file;
		snprintf(f->name, sizeof f->name, "%s", i.name);
		f->steps = i.steps;
		f->d = i.d;
		f->created = f->started = i.started;
		f->pid = i.pid;
		f->step = i.step;
		read_metrics(k, l);
	}
	/*
	 * A run.json that says that the run is over counts: at its end a trainer writes run.json before the live file.
	 * Otherwise the live file, which is written at each step, is more recent.
	 */
	bool fresh = has_file && bl_known_going(k->file.state) && i.step >= k->file.step;
	if (fresh) {
		k->file.step = i.step;
		read_metrics(k, l);
	}
	bool alive = has_file && !is_here(&k->file) ? beating : bl_live_writer_alive(l);
	judge(k, alive, has_file && !fresh ? k->file.state : bl_run_state_name(i.state));
}

/* --- A folder ------------------------------------------------------------------------------------- */

static void read_live(bl_known *k, const char *folder, bool has_file, bool beating)
{
	char *path = bl_runs_path(folder, BL_RUN_LIVE);
	bl_live *l = path ? bl_live_open(path, false) : NULL;
	free(path);
	if (l) {
		take_live(k, l, has_file, beating);
	} else if (has_file) {
		judge(k, beating && !is_here(&k->file), k->file.state);
	} else {
		snprintf(k->state, sizeof k->state, BL_KNOWN_BROKEN);
		snprintf(k->message, sizeof k->message, "%s", bl_error());
	}
	bl_live_close(l);
}

void bl_known_read(bl_known *k, const char *folder, const char *id, const bl_beats *before, const bl_clock *now)
{
	memset(k, 0, sizeof *k);
	int rc = bl_run_file_read(folder, &k->file);
	bool has_file = rc == 0, beating = has_file && beats_still(k, before, now);
	if (rc < 0)
		snprintf(k->problem, sizeof k->problem, "%s", bl_error());
	if (rc != 0 || bl_known_going(k->file.state)) /* run.json suffices for a run that is over */
		read_live(k, folder, has_file, beating);
	else
		snprintf(k->state, sizeof k->state, "%s", k->file.state);
	if (!k->file.name[0])
		snprintf(k->file.name, sizeof k->file.name, "%.*s", BL_RUN_TEXT - 1, id);
}

void bl_known_free(bl_known *k)
{
	bl_run_file_free(&k->file);
}
