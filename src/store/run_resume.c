/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_resume.c: finds the run to resume, checks that it can be resumed, and locks it against other processes. */
#include "store/known.h"
#include "store/runs.h"

#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/process.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>
#include <barlow/text.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BEATS_SECONDS = 30, LEFT_SECONDS = 60, LOOK_MS = 50 };
#define NEXT_BEAT 7. /* seconds; a process writes a heartbeat every five seconds */

/* --- Checks --------------------------------------------------------------------- */

static int refuse_running(const char *folder, int64_t pid, const char *state, int64_t step, int64_t steps)
{
	return bl_fail("%s: the run is going on in %s %lld (%s, step %lld of %lld): stop it first", folder,
	               pid == getpid() ? "this process" : "process", (long long)pid, state, (long long)step, (long long)steps);
}

/* Does the heartbeat counter rise within NEXT_BEAT seconds? */
static bool is_beating(const char *folder, int64_t count)
{
	double until = bl_now() + NEXT_BEAT;
	bool same = true;
	while (same && bl_now() < until) {
		bl_run_file f;
		usleep(LOOK_MS * 1000);
		same = bl_run_file_read(folder, &f) != 0 || f.beat == count;
		bl_run_file_free(&f);
	}
	return !same;
}

/*
 * Refuses a run whose process exists, by the pid in run.json.  The last heartbeat must be recent, because another
 * process may have got the pid of a killed process.  If the heartbeat seems to be old, or in the future, the clock may
 * have been set, so the function waits for the next heartbeat.
 */
static int check_by_run_file(const char *folder, const bl_run_file *f)
{
	char boot[BL_RUN_TEXT];
	bl_process_boot(boot, sizeof boot);
	double since = difftime(time(NULL), (time_t)f->beat_time);
	if (!bl_known_going(f->state) || strcmp(f->boot, boot) != 0 || !bl_process_lives(f->pid, 0))
		return 0;
	if ((since < 0 || since > BEATS_SECONDS) && !is_beating(folder, f->beat))
		return 0;
	return refuse_running(folder, f->pid, f->state, f->step, f->steps);
}

/*
 * Negative with bl_error: a process is running the run.  The live file decides this if it belongs to the process that
 * run.json names.  Otherwise it may have been removed or replaced, and that process may restore it at any time, so
 * run.json decides.
 */
int bl_runs_check_idle(const char *folder)
{
	bl_run_file f;
	char *path = bl_runs_path(folder, BL_RUN_LIVE);
	bl_live *l = path ? bl_live_open(path, false) : NULL;
	bl_run r = { .broken = !l };
	int rc = bl_run_file_read(folder, &f) == 0 ? 0 : 1;
	free(path);
	if (l) {
		bl_live_info_get(l, &r.info);
		r.alive = bl_live_writer_alive(l);
		bl_live_close(l);
	}
	if (bl_run_going(&r))
		rc = refuse_running(folder, r.info.pid, bl_run_state_name(r.info.state), r.info.step, r.info.steps);
	else if (rc == 0 && (!l || r.info.pid != f.pid))
		rc = check_by_run_file(folder, &f);
	bl_run_file_free(&f);
	return rc < 0 ? rc : 0;
}

static int check_checkpoint(const char *folder)
{
	char *path = bl_runs_path(folder, BL_RUN_CHECKPOINT);
	int rc = !path                     ? -1
	         : access(path, R_OK) == 0 ? 0
	                                   : bl_fail("%s: the run cannot go on: there is no checkpoint (%s: %s)", folder,
	                                             BL_RUN_CHECKPOINT, strerror(errno));
	free(path);
	return rc;
}

/* --- Selection ------------------------------------------------------------------ */

/*
 * Returns the folder of the newest run that was stopped or killed, which the caller frees; NULL with bl_error.  Failed
 * runs are left out, because they would fail again.
 */
static char *newest_unfinished(void)
{
	char *root = bl_runs_root(), *folder = NULL;
	const bl_run *found = NULL;
	bl_runs *list = root ? bl_runs_list(root, NULL) : NULL;
	for (int i = 0; list && i < list->n && !found; i++) {
		const bl_run *r = &list->run[i];
		if (!r->broken && !bl_run_going(r) && r->info.state != BL_RUN_DONE && r->info.state != BL_RUN_FAILED)
			found = r;
	}
	if (found)
		folder = bl_text_copy(found->folder);
	else if (list)
		bl_fail("no run in %s was stopped or killed before its end", root);
	bl_runs_free(list);
	free(root);
	return folder;
}

char *bl_runs_resumable(const char *what)
{
	struct stat s;
	char *folder, *slash;
	if (!what) {
		folder = newest_unfinished();
	} else if (strchr(what, '/') && stat(what, &s) == 0 && S_ISDIR(s.st_mode)) {
		folder = bl_text_copy(what);
	} else {
		folder = bl_runs_live_path(what); /* the file's name is cut off below */
		slash = folder ? strrchr(folder, '/') : NULL;
		if (folder)
			snprintf(slash ? slash : folder, 2, "%s", slash ? "" : ".");
	}
	if (folder && bl_runs_check_idle(folder) == 0 && check_checkpoint(folder) == 0)
		return folder;
	free(folder);
	return NULL;
}

/* --- Claims ----------------------------------------------------------------------- */

/* Removes the temporary files of processes that were killed while they wrote. */
static void sweep(const char *folder)
{
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		if (bl_runs_is_leftover(e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

/*
 * Refuses files in a run's folder that are not regular, such as links: in a folder that came from another person, a
 * link could make the run write anywhere.  Links are followed only in paths that a user gives.
 */
static int check_files(const char *folder)
{
	int rc = 0;
	for (const char *const *name = bl_runs_files; rc == 0 && *name; name++) {
		struct stat st;
		char *path = bl_runs_path(folder, *name);
		if (!path)
			rc = -1;
		else if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
			rc = bl_fail("%s: not a regular file: a run writes only to regular files in its folder", path);
		free(path);
	}
	return rc;
}

/* Locks the folder of a run that no process runs, and returns its descriptor; negative with bl_error. */
static int lock_idle(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bl_fail("%s: %s", folder, strerror(errno));
	int rc = flock(fd, LOCK_EX | LOCK_NB) == 0 ? bl_runs_check_idle(folder)
	                                           : bl_fail("%s: another process is resuming the run", folder);
	if (rc == 0)
		rc = check_files(folder);
	if (rc != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int bl_runs_claim(const char *folder)
{
	int fd = lock_idle(folder);
	if (fd >= 0)
		sweep(folder);
	return fd;
}

void bl_runs_release(int claim)
{
	close(claim);
}

/*
 * Is this a temporary file that no process writes any more?  It must also be old: a process that changes tags, or one
 * on another host that seems to be dead, may still write it.
 */
static bool is_left_behind(int folder, const char *name, struct stat *st)
{
	int64_t writer = bl_runs_leftover_writer(name);
	return writer > 0 && !bl_process_lives(writer, 0) && fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode) && difftime(time(NULL), st->st_mtime) >= LEFT_SECONDS;
}

int bl_runs_tidy(const char *folder, bool dry, bl_leftovers *removed)
{
	struct stat st;
	*removed = (bl_leftovers){ 0 };
	int claim = lock_idle(folder);
	DIR *d = claim < 0 ? NULL : opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		if (is_left_behind(dirfd(d), e->d_name, &st) && (dry || unlinkat(dirfd(d), e->d_name, 0) == 0)) {
			removed->files++;
			removed->bytes += (int64_t)st.st_blocks * 512;
		}
	if (d)
		closedir(d);
	if (claim >= 0)
		bl_runs_release(claim);
	return claim < 0 ? -1 : 0;
}
