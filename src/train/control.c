/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control.c: the trainer's thread and states, and the commands taken between steps. */
#include "train/trainer.h"

#include <barlow/grad.h>
#include <barlow/text.h>
#include <barlow/number.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A command of another process cannot wake the thread, so a paused thread reads the mailbox at this interval. */
#define POLL_SECONDS .05

enum turn { TURN_STEP, TURN_WAIT, TURN_END };

/* --- Waiting ---------------------------------------------------------------- */

static struct timespec after(double seconds)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	double whole = floor(seconds);
	at.tv_sec += (time_t)whole;
	at.tv_nsec += (long)(1e9 * (seconds - whole));
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* --- States (under lock) -------------------------------------------------------- */

static void set_state(bl_trainer *t, bl_run_state s)
{
	t->info.state = s;
	bl_provenance_set(t->provenance, t->step, s == BL_RUN_RUNNING || s == BL_RUN_PAUSED);
	bl_live_set_info(t->live, &t->info);
	pthread_cond_broadcast(&t->changed);
}

static bool run_over(const bl_trainer *t)
{
	return t->info.state == BL_RUN_FAILED || bl_trainer_over(t);
}

static bl_run_state final_state(const bl_trainer *t)
{
	if (t->info.state == BL_RUN_FAILED)
		return BL_RUN_FAILED;
	return bl_trainer_over(t) ? BL_RUN_DONE : BL_RUN_STOPPED;
}

/* --- Commands (taken by the exclusive section's holder) ------------------------------ */

static void steer(bl_trainer *t, bl_command_kind kind)
{
	pthread_mutex_lock(&t->lock);
	if (kind == BL_CMD_PAUSE || kind == BL_CMD_STEP)
		t->paused = true;
	if (kind == BL_CMD_RESUME && !t->ending_asked) {
		t->paused = t->stopping = t->restart = false;
		bl_break_leave_locked(t);
	}
	t->allowance = kind == BL_CMD_STEP ? t->allowance + 1 : 0;
	if (kind == BL_CMD_STOP)
		t->stopping = true;
	pthread_mutex_unlock(&t->lock);
}

/* Journals the save first, because the checkpoint stores the number of journal entries so far. */
static void save_asked(bl_trainer *t, const char *who)
{
	bl_changes_event(t, "checkpoint", who, "");
	bl_trainer_save_for(t, BL_SAVE_ASKED);
}

static void obey(bl_trainer *t, bl_command c)
{
	char who[BL_CHANGE_WHO];
	bl_changes_who(who, c.sender);
	pthread_mutex_lock(&t->lock);
	t->requests[c.kind]++;
	pthread_mutex_unlock(&t->lock);
	if (c.kind == BL_CMD_SET && bl_trainer_set_now(t, c.name, c.value, who) != 0)
		bl_trainer_note(t, "step %lld: refused: %.200s", (long long)t->step, bl_error());
	else if (c.kind == BL_CMD_EVAL)
		bl_trainer_request_knn(t);
	else if (c.kind == BL_CMD_CHECKPOINT)
		save_asked(t, who);
	else if (c.kind <= BL_CMD_STOP) {
		static const char *const names[] = {
			[BL_CMD_PAUSE] = "pause", [BL_CMD_RESUME] = "resume", [BL_CMD_STEP] = "step", [BL_CMD_STOP] = "stop"
		};
		bl_changes_event(t, names[c.kind], who, "");
		steer(t, c.kind);
	}
}

static void note_trouble(bl_trainer *t)
{
	char what[200];
	if (!bl_live_problem(t->live, what, sizeof what))
		return;
	bl_trainer_note(t, "step %lld: %s", (long long)t->step, what);
	bl_trainer_complain(t, "%s", what);
}

static void take_commands(bl_trainer *t)
{
	bl_command c;
	char who[BL_CHANGE_WHO];
	bl_changes_replay_due(t);
	while (bl_live_take(t->live, &c))
		obey(t, c);
	/* Makes the save that a signal requested (bl_trainer_request_save), not through the mailbox, which may be full. */
	pthread_mutex_lock(&t->lock);
	memcpy(who, t->save_asked, sizeof who);
	t->save_asked[0] = '\0';
	pthread_mutex_unlock(&t->lock);
	if (who[0])
		save_asked(t, who);
	note_trouble(t);
}

static bool is_idle(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bool idle = !t->active;
	pthread_mutex_unlock(&t->lock);
	return idle;
}

/* A trainer that is not running has no thread that polls its mailbox, so the caller's thread takes its commands. */
static void take_if_idle(bl_trainer *t)
{
	if (!is_idle(t))
		return;
	bl_exclusive_enter(t, true);
	bl_ambient outside = bl_trainer_enter(t);
	if (is_idle(t)) {
		take_commands(t);
		bl_trainer_answer_knn(t);
	}
	bl_ambient_leave(outside);
	pthread_mutex_lock(&t->lock);
	if (!t->active && t->stopping)
		set_state(t, final_state(t));
	pthread_mutex_unlock(&t->lock);
	bl_exclusive_leave(t);
}

int bl_trainer_command(bl_trainer *t, bl_command c)
{
	if (c.kind <= BL_CMD_NONE || c.kind >= BL_CMD_KINDS)
		return bl_fail("trainer: there is no command %d", (int)c.kind);
	if (c.kind == BL_CMD_SET && bl_trainer_may_set(t, c.name, c.value) != 0)
		return -1;
	if (bl_live_send(t->live, c) != 0)
		return -1;
	pthread_mutex_lock(&t->lock);
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	take_if_idle(t);
	return 0;
}

int bl_trainer_set(bl_trainer *t, const char *name, double value)
{
	bl_command c = { .kind = BL_CMD_SET, .value = value };
	if (bl_trainer_may_set(t, name, value) != 0)
		return -1;
	snprintf(c.name, sizeof c.name, "%s", name);
	return bl_trainer_command(t, c);
}

int64_t bl_trainer_requests(bl_trainer *t, bl_command_kind kind)
{
	pthread_mutex_lock(&t->lock);
	int64_t n = kind > BL_CMD_NONE && kind < BL_CMD_KINDS ? t->requests[kind] : 0;
	pthread_mutex_unlock(&t->lock);
	return n;
}

/* --- The thread --------------------------------------------------------------------- */

/*
 * Decides what the thread does next.  A decision to end is final: bl_trainer_start waits for the end before it starts a
 * new thread.
 */
static enum turn decide(bl_trainer *t)
{
	enum turn next = TURN_STEP;
	pthread_mutex_lock(&t->lock);
	if (t->quit || (t->stopping && !t->restart) || run_over(t)) {
		t->ending = true;
		next = TURN_END;
	} else if (t->paused && t->allowance == 0) {
		next = TURN_WAIT;
	}
	bl_run_state shown = t->paused ? BL_RUN_PAUSED : BL_RUN_RUNNING;
	if (next != TURN_END && t->info.state != shown)
		set_state(t, shown);
	if (next == TURN_STEP && t->allowance > 0)
		t->allowance--;
	pthread_mutex_unlock(&t->lock);
	return next;
}

/* The flags cannot change between the check and the wait: both are under the lock. */
static void rest(bl_trainer *t)
{
	struct timespec at = after(POLL_SECONDS);
	pthread_mutex_lock(&t->lock);
	if (!t->quit && t->paused && t->allowance == 0)
		pthread_cond_timedwait(&t->changed, &t->lock, &at);
	pthread_mutex_unlock(&t->lock);
}

static int make_step(bl_trainer *t)
{
	bl_break_leave(t);
	int rc = bl_trainer_step(t);
	bl_provenance_set(t->provenance, t->step, true);
	if (rc == 0) {
		bl_break_check(t);
		bl_trainer_save_due(t);
	}
	return rc;
}

/*
 * Journals the run's end and its reason, and then saves the run, whose checkpoint stores the number of journal entries.
 * For a paused run that is stepped by hand to its end this is called twice, the second time by the run's own thread.
 */
static void save_end(bl_trainer *t)
{
	char why[64] = "";
	bool again = t->done_at == t->step;
	if (!again && t->step < t->steps && bl_trainer_spent(t)) {
		snprintf(why, sizeof why, "the limit of %g s of training time is reached", t->config.seconds);
		bl_trainer_note(t, "step %lld: done: %s", (long long)t->step, why);
	}
	if (!again && bl_trainer_over(t) && t->info.state != BL_RUN_FAILED) {
		bl_changes_event(t, "done", "trainer", why);
		t->done_at = t->step;
	} else if (!again && t->ending_asked) {
		bl_changes_event(t, "stop", "process", t->ending_why);
	}
	bl_live_check_file(t->live);
	note_trouble(t);
	bl_trainer_count_trouble(t);
	bl_trainer_save_for(t, BL_SAVE_END);
}

static void *train(void *arg)
{
	bl_trainer *t = arg;
	char who[BL_CHANGE_WHO];
	enum turn next;
	bl_trainer_enter(t); /* never left: the context ends with the thread */
	bl_changes_who(who, 0);
	bl_exclusive_enter(t, false);
	bl_changes_event(t, "start", who, "");
	bl_exclusive_leave(t);
	do {
		bl_exclusive_enter(t, false);
		take_commands(t);
		next = decide(t);
		if (next == TURN_STEP)
			make_step(t);
		else
			bl_trainer_answer_knn(t);
		if (next == TURN_WAIT)
			bl_trainer_answer_requests(t);
		if (next == TURN_END)
			save_end(t);
		bl_exclusive_leave(t);
		if (next == TURN_WAIT)
			rest(t);
	} while (next != TURN_END);
	pthread_mutex_lock(&t->lock);
	t->active = t->ending = false;
	set_state(t, final_state(t));
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* Called under the lock, which is released during the join: the ending thread may still need it. */
static void join_ended(bl_trainer *t)
{
	if (!t->joinable || t->active)
		return;
	t->joinable = false;
	pthread_t thread = t->thread;
	pthread_mutex_unlock(&t->lock);
	pthread_join(thread, NULL);
	pthread_mutex_lock(&t->lock);
}

static int launch(bl_trainer *t)
{
	t->paused = t->stopping = t->restart = false;
	t->allowance = 0;
	if (t->info.state == BL_RUN_FAILED)
		return bl_fail("trainer: the run has failed: %s", t->info.message);
	if (bl_trainer_check_over(t) != 0)
		return -1;
	if (bl_live_check_folder(t->live) != 0)
		return bl_fail_prefix("trainer: the run cannot go on: ");
	if (bl_trainers_check_ending() != 0 || bl_ownership_begin(t) != 0)
		return -1;
	int err = pthread_create(&t->thread, NULL, train, t);
	if (err != 0)
		return bl_fail("trainer: no thread could be started (error %d)", err);
	t->joinable = t->active = t->launched = true;
	t->end_known = false;
	set_state(t, BL_RUN_RUNNING);
	return 0;
}

/* Appends a resume to the mailbox: it overrides a pause or a stop that the thread has not processed yet. */
static int restart(bl_trainer *t)
{
	if (bl_live_send(t->live, (bl_command){ .kind = BL_CMD_RESUME, .value = 0 }) != 0)
		return -1;
	t->restart = true;
	pthread_cond_broadcast(&t->changed);
	return 0;
}

int bl_trainer_start(bl_trainer *t)
{
	if (bl_trainers_check_ending() != 0)
		return -1;
	take_if_idle(t); /* executes settings that wait in the mailbox; launch undoes a pause or stop that waited there */
	pthread_mutex_lock(&t->lock);
	while (t->active && t->ending)
		pthread_cond_wait(&t->changed, &t->lock);
	join_ended(t);
	bl_break_leave_locked(t);
	int rc = t->active ? restart(t) : launch(t);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

int bl_trainer_wait(bl_trainer *t, double seconds)
{
	struct timespec at = after(seconds > 0 && seconds < 1e9 ? seconds : 0);
	bool for_ever = seconds < 0 || seconds >= 1e9;
	int err = 0;
	pthread_mutex_lock(&t->lock);
	while (t->active && err != ETIMEDOUT)
		err = for_ever ? pthread_cond_wait(&t->changed, &t->lock) : pthread_cond_timedwait(&t->changed, &t->lock, &at);
	int rc = t->active ? 0 : 1;
	t->end_known = t->end_known || rc == 1;
	if (rc == 1 && t->info.state == BL_RUN_FAILED)
		rc = bl_fail("%s", t->info.message);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

bool bl_trainer_launched(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bool launched = t->launched;
	pthread_mutex_unlock(&t->lock);
	return launched;
}

void bl_trainer_control_end(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	t->quit = true;
	t->cancel = 1;
	pthread_cond_broadcast(&t->changed);
	while (t->active)
		pthread_cond_wait(&t->changed, &t->lock);
	join_ended(t);
	set_state(t, final_state(t));
	pthread_mutex_unlock(&t->lock);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
}

/* --- The end of the process -------------------------------------------------------------- */

void bl_trainer_request_save(bl_trainer *t, const char *who)
{
	pthread_mutex_lock(&t->lock);
	snprintf(t->save_asked, sizeof t->save_asked, "%s", who);
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

void bl_trainer_request_stop(bl_trainer *t, const char *why)
{
	pthread_mutex_lock(&t->lock);
	snprintf(t->ending_why, sizeof t->ending_why, "%s", why);
	t->stopping = t->ending_asked = true;
	t->restart = false;
	t->ended_by_hand = !t->active;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

/* Saves a run whose steps were made by a caller's thread, because the run has no thread that saves it at the end. */
static void save_by_hand(void *ctx)
{
	bl_trainer *t = ctx;
	save_end(t);
	pthread_mutex_lock(&t->lock);
	set_state(t, final_state(t));
	pthread_mutex_unlock(&t->lock);
}

void bl_trainer_stop_and_save(bl_trainer *t, const char *why)
{
	pthread_mutex_lock(&t->lock);
	while (t->active)
		pthread_cond_wait(&t->changed, &t->lock);
	pthread_mutex_unlock(&t->lock);
	if (t->ended_by_hand)
		bl_trainer_between_steps(t, save_by_hand, t);
	if (bl_trainer_saved(t) == 0)
		bl_trainer_note(t, "step %lld: stopped: %s", (long long)t->step, why);
}

/* --- Steps by the caller's thread ------------------------------------------------------ */

static int may_step_by_hand(bl_trainer *t, int64_t n)
{
	if (n < 1)
		return bl_fail("trainer: %lld steps: expected 1 or more", (long long)n);
	if (t->active && !t->paused)
		return bl_fail("trainer: it is running: pause it, or wait, before steps are made by hand");
	if (t->info.state == BL_RUN_FAILED)
		return bl_fail("trainer: the run has failed: %s", t->info.message);
	if (bl_trainer_check_over(t) != 0)
		return -1;
	if (bl_trainers_check_ending() != 0)
		return -1;
	return t->active ? 0 : bl_ownership_begin(t);
}

int bl_trainer_steps(bl_trainer *t, int64_t n)
{
	take_if_idle(t);
	pthread_mutex_lock(&t->lock);
	int rc = may_step_by_hand(t, n);
	if (rc == 0)
		bl_break_leave_locked(t);
	if (rc == 0 && !t->active) { /* without a thread, flags that were set earlier would end the loop at once */
		t->paused = t->stopping = false;
		t->allowance = 0;
		set_state(t, BL_RUN_RUNNING);
	}
	pthread_mutex_unlock(&t->lock);
	if (rc != 0)
		return -1;
	bl_ambient outside = bl_trainer_enter(t);
	bl_grad_enable(true);
	bool stayed = false;
	for (int64_t i = 0; i < n && !stayed && rc == 0; i++) {
		bl_exclusive_enter(t, true);
		take_commands(t);
		pthread_mutex_lock(&t->lock);
		stayed = t->quit || t->stopping || run_over(t) || (t->paused && !t->active) || t->at_break;
		pthread_mutex_unlock(&t->lock);
		if (!stayed)
			rc = make_step(t);
		else
			bl_trainer_answer_knn(t);
		if (!stayed && bl_trainer_over(t))
			save_end(t);
		bl_exclusive_leave(t);
	}
	bl_ambient_leave(outside);
	pthread_mutex_lock(&t->lock);
	if (!t->active)
		set_state(t, run_over(t) || t->stopping ? final_state(t) : BL_RUN_PAUSED);
	else if (t->paused && t->info.state == BL_RUN_RUNNING) /* the thread has not published the pause yet */
		set_state(t, BL_RUN_PAUSED);
	if (t->info.state == BL_RUN_FAILED)
		rc = bl_fail("%s", t->info.message);
	pthread_mutex_unlock(&t->lock);
	return rc;
}
