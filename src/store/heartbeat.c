/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heartbeat.c: writes run.json of a run of this process.
 *
 * A separate thread reads the run's live file each second, and writes run.json when the state has changed or five
 * seconds have passed.  The thread that makes the steps cannot do this, because a step may take longer.  It only writes
 * the file at the run's end, so that the process may end immediately afterwards.  Other processes may change tags and
 * notes, so these are copied from the existing file.
 */
#include "base/wall_time.h"
#include "store/heartbeat.h"
#include "store/machine.h"
#include "store/owner.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/process.h>
#include <barlow/runs.h>
#include <barlow/tensor.h>

#include <config.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_SECONDS = 1, BEAT_SECONDS = 5 };

struct bl_heartbeat {
	char *folder;
	bl_live *live;
	pthread_t thread;
	pthread_mutex_t lock; /* protects all that follows */
	pthread_cond_t quit_asked;
	bool quit;
	bl_run_file file; /* what was written last, without tags and notes */
	double written;   /* time of the last write, monotonic seconds */
	int64_t seen;     /* number of records that metrics were taken from */
	bool begun;       /* this process has written the file, so another owner in it has resumed the run since */
	int64_t ended_at; /* step of the end that run.json records, and the live file perhaps not yet; negative: none */
};

static bool is_over(const char *state)
{
	return strcmp(state, BL_RUN_FILE_DONE) == 0 || strcmp(state, BL_RUN_FILE_STOPPED) == 0 ||
	       strcmp(state, BL_RUN_FILE_FAILED) == 0;
}

/* --- Writing (under lock) -------------------------------------------------------------------- */

/* Copies the values of the last record and, for columns that are not measured at each step, their newest values. */
static void take_metrics(bl_heartbeat *h)
{
	bl_columns c;
	bl_record r;
	int64_t n = bl_live_length(h->live);
	bl_live_columns(h->live, &c);
	for (; h->seen < n && bl_live_record(h->live, h->seen, &r); h->seen++) {
		for (int i = 0; i < c.n; i++)
			if (!isnan(r.value[i]) && (h->seen + 1 == n || bl_column_rare(&c.column[i])))
				bl_facts_set(&h->file.metrics, c.column[i].name, r.value[i], NULL);
	}
}

/* Tags and notes are taken from the file on disk, everything else from this process. */
static int merge(void *ctx, bl_run_file *there)
{
	bl_heartbeat *h = ctx;
	bl_run_file out = h->file;
	if (h->begun && !bl_owner_is(there, h->file.owner))
		return 1; /* another process has resumed the run */
	memcpy(out.tag, there->tag, sizeof out.tag);
	out.tags = there->tags;
	memcpy(out.notes, there->notes, sizeof out.notes);
	int rc = bl_run_file_write(h->folder, &out);
	return rc == 0 ? 1 : rc; /* 1: it is written already */
}

/* Writes run.json, unless the run's folder is gone or belongs to another run.  A damaged run.json is replaced. */
static int write_file(bl_heartbeat *h)
{
	if (bl_live_check_folder(h->live) != 0)
		return 0;
	h->file.beat++;
	h->file.beat_time = bl_wall_milliseconds();
	h->written = bl_now();
	int rc = bl_run_file_change(h->folder, merge, h);
	return rc < 0 ? bl_run_file_write(h->folder, &h->file) : 0;
}

static void set_state(bl_heartbeat *h, const char *state, const char *reason)
{
	bool over = is_over(state);
	snprintf(h->file.state, sizeof h->file.state, "%s", state);
	snprintf(h->file.reason, sizeof h->file.reason, "%s", reason);
	h->file.ended = over ? bl_wall_milliseconds() : 0;
	take_metrics(h);
}

/* Returns the reason for an end that no command caused; "": the run has not ended. */
static const char *usual_reason(const bl_live_info *i)
{
	switch (i->state) {
	case BL_RUN_FAILED: return i->message;
	case BL_RUN_DONE: return "all steps are done";
	case BL_RUN_STOPPED: return "its trainer was closed";
	default: return "";
	}
}

static void look(bl_heartbeat *h)
{
	bl_live_info i;
	bl_live_info_get(h->live, &i);
	const char *state = bl_run_state_name(i.state);
	bool news = strcmp(state, h->file.state) != 0 || i.step != h->file.step;
	if (h->ended_at == i.step && !is_over(state)) /* run.json records the end, the live file not yet */
		return;
	h->ended_at = -1;
	if (!news && is_over(state))
		return;
	if (strcmp(state, h->file.state) == 0 && bl_now() < h->written + BEAT_SECONDS)
		return;
	h->file.step = i.step;
	set_state(h, state, usual_reason(&i));
	write_file(h);
}

/* --- The thread -------------------------------------------------------------------------------- */

static void *beat(void *arg)
{
	bl_heartbeat *h = arg;
	pthread_mutex_lock(&h->lock);
	while (!h->quit) {
		struct timespec at;
		clock_gettime(CLOCK_MONOTONIC, &at);
		at.tv_sec += LOOK_SECONDS;
		while (!h->quit && pthread_cond_timedwait(&h->quit_asked, &h->lock, &at) != ETIMEDOUT)
			;
		if (!h->quit)
			look(h);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* The thread blocks all signals, so that other threads handle them. */
static int start_thread(bl_heartbeat *h)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->quit_asked, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&h->thread, NULL, beat, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err == 0 ? 0 : bl_fail("%s: no thread could be started: %s", h->folder, strerror(err));
}

/* --- Constant facts ------------------------------------------------------------------------------ */

static void describe_parent(bl_run_file *f, const char *folder)
{
	char *path = bl_runs_path(folder, BL_RUN_PARENT);
	char *parent = path && access(path, F_OK) == 0 ? bl_runs_parent(folder, &f->parent_step) : NULL;
	if (parent && strlen(parent) < sizeof f->parent)
		snprintf(f->parent, sizeof f->parent, "%s", parent);
	free(parent);
	free(path);
}

static void describe(bl_run_file *f, const char *folder, bl_trainer *t)
{
	bl_live_info i;
	char cpu[BL_MACHINE_TEXT], key[BL_CONV_KEY_TEXT], text[BL_CHOICE_TEXT];
	const bl_trainer_config *c = bl_trainer_settings(t);
	const bl_choices *choices = bl_trainer_choices(t);
	bl_live_info_get(bl_trainer_live(t), &i);
	snprintf(f->barlow, sizeof f->barlow, "%s", PACKAGE_VERSION);
	snprintf(f->name, sizeof f->name, "%s", i.name);
	snprintf(f->state, sizeof f->state, "%s", bl_run_state_name(i.state));
	f->seed = (int64_t)c->seed;
	f->step = i.step;
	f->steps = i.steps;
	f->d = i.d;
	f->started = bl_wall_milliseconds();
	if (!(f->created > 0))
		f->created = f->started;
	if (gethostname(f->host, sizeof f->host - 1) != 0)
		f->host[0] = '\0';
	bl_process_boot(f->boot, sizeof f->boot);
	snprintf(f->cpu, sizeof f->cpu, "%s", bl_machine(cpu));
	snprintf(f->blas, sizeof f->blas, "%s", bl_blas_core());
	f->pid = getpid();
	f->threads = bl_threads();
	describe_parent(f, folder);
	bl_facts_set(&f->data, "name", 0, bl_dataset_name(c->data));
	bl_facts_set(&f->data, "images", (double)bl_dataset_length(c->data), NULL);
	const char *print = bl_dataset_origin(c->data, 0) ? bl_dataset_fingerprint(c->data) : NULL;
	if (print)
		bl_facts_set(&f->data, "fingerprint", 0, print);
	for (int k = 0; k < bl_choices_count(choices); k++) {
		const bl_choice *at = bl_choices_at(choices, k);
		bl_facts_set(&f->convolution, bl_conv_key_text(&at->key, key), 0, bl_choice_text(at, text));
	}
}

/*
 * Returns the creation time of a run that is resumed, else 0.  A run.json that cannot be read is renamed, so that it is
 * not overwritten.
 */
static double created_before(const char *folder)
{
	bl_run_file old;
	char *path = bl_runs_path(folder, BL_RUN_FILE), *aside = bl_runs_path(folder, BL_RUN_FILE ".broken");
	int rc = bl_run_file_read(folder, &old);
	double created = rc == 0 ? old.created : 0;
	if (rc < 0 && path && aside)
		rename(path, aside);
	bl_run_file_free(&old);
	free(path);
	free(aside);
	return created;
}

/* --- Interface -------------------------------------------------------------------------------------- */

static void drop(bl_heartbeat *h)
{
	bl_live_close(h->live);
	bl_run_file_free(&h->file);
	free(h->folder);
	free(h);
}

bl_heartbeat *bl_heartbeat_start(const char *folder, const char *owner, bl_trainer *t)
{
	bl_heartbeat *h = calloc(1, sizeof *h);
	char *copy = strdup(folder);
	if (!h || !copy) {
		free(h);
		free(copy);
		return bl_fail_null("%s: no memory for its heartbeat", folder);
	}
	h->folder = copy;
	h->live = bl_live_ref(bl_trainer_live(t));
	h->ended_at = -1;
	h->file.created = created_before(folder);
	describe(&h->file, folder, t);
	snprintf(h->file.owner, sizeof h->file.owner, "%s", owner);
	take_metrics(h);
	h->begun = write_file(h) == 0;
	if (h->begun && start_thread(h) == 0)
		return h;
	drop(h);
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const bl_fact *)a)->name, ((const bl_fact *)b)->name);
}

void bl_heartbeat_recipe(bl_heartbeat *h, bl_facts *recipe)
{
	if (recipe->n > 0)
		qsort(recipe->at, (size_t)recipe->n, sizeof *recipe->at, by_name);
	pthread_mutex_lock(&h->lock);
	bl_facts_free(&h->file.recipe);
	h->file.recipe = *recipe;
	*recipe = (bl_facts){ 0 };
	write_file(h);
	pthread_mutex_unlock(&h->lock);
}

/* Writes why a run was stopped: the last "stop" in its journal says who requested it. */
static void reason_of(bl_trainer *t, char *out, size_t size)
{
	bl_change c;
	snprintf(out, size, "its trainer was closed");
	for (int64_t i = bl_trainer_changes(t) - 1; i >= 0 && bl_trainer_change(t, i, &c); i--)
		if (strcmp(c.name, "stop") == 0) {
			snprintf(out, size, "stopped%s%s", c.text[0] ? ": " : " by ", c.text[0] ? c.text : c.who);
			return;
		}
}

void bl_heartbeat_end(bl_heartbeat *h, bl_trainer *t)
{
	bl_live_info i;
	char reason[BL_RUN_REASON] = "all steps are done";
	bl_live_info_get(h->live, &i);
	bool failed = i.state == BL_RUN_FAILED, done = !failed && i.step >= i.steps;
	if (failed)
		snprintf(reason, sizeof reason, "%s", i.message);
	else if (!done)
		reason_of(t, reason, sizeof reason);
	pthread_mutex_lock(&h->lock);
	h->file.step = h->ended_at = i.step;
	set_state(h, failed ? BL_RUN_FILE_FAILED : done ? BL_RUN_FILE_DONE : BL_RUN_FILE_STOPPED, reason);
	write_file(h);
	pthread_mutex_unlock(&h->lock);
}

void bl_heartbeat_free(bl_heartbeat *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->quit = true;
	pthread_cond_broadcast(&h->quit_asked);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	look(h);
	pthread_cond_destroy(&h->quit_asked);
	pthread_mutex_destroy(&h->lock);
	drop(h);
}
