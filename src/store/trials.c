/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trials.c: claims and results of a sweep's trials, as files. */
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/process.h>
#include <barlow/trials.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKER "worker"
/*
 * The line of a worker: host, boot of the host, process, its start time, counter.  The fields have fixed widths, so
 * that the line can be overwritten in place.
 */
#define WORKER_FORMAT "%-64.64s %-40.40s %20" PRId64 " %20" PRIu64 " %20" PRId64 "\n"

enum { WORKER_ROOM = 256, ATTEMPTS_MOST = 100000 };

static char *path_of(const char *sweep, int trial, int attempt, const char *file)
{
	size_t size = strlen(sweep) + strlen(file) + 64;
	char *path = malloc(size);
	if (!path)
		return bl_fail_null("no memory for the path of a trial");
	int n = snprintf(path, size, "%s/trials/%04d", sweep, trial);
	if (attempt > 0)
		n += snprintf(path + n, size - (size_t)n, "/attempt-%d", attempt);
	if (*file)
		snprintf(path + n, size - (size_t)n, "/%s", file);
	return path;
}

char *bl_trial_path(const char *sweep, int trial, int attempt)
{
	return path_of(sweep, trial, attempt, "");
}

static bool there(const char *sweep, int trial, int attempt, const char *file)
{
	char *path = path_of(sweep, trial, attempt, file);
	bool yes = path && access(path, F_OK) == 0;
	free(path);
	return yes;
}

/* --- the worker of an attempt --- */

static int worker_text(char text[WORKER_ROOM], int64_t beat)
{
	bl_process_id me;
	bl_process_self(&me);
	return snprintf(text, WORKER_ROOM, WORKER_FORMAT, me.host, me.boot, me.pid, me.born, beat);
}

/* False: the file does not exist, or has another format. */
static bool read_worker(const char *sweep, int trial, int attempt, bl_process_id *id, int64_t *beat)
{
	char text[WORKER_ROOM] = "", *path = path_of(sweep, trial, attempt, WORKER);
	int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) : -1;
	int64_t n = fd >= 0 ? bl_file_get(fd, text, sizeof text - 1, 0) : -1;
	if (fd >= 0)
		close(fd);
	free(path);
	return n > 0 &&
	       sscanf(text, "%64s %40s %" SCNd64 " %" SCNu64 " %" SCNd64, id->host, id->boot, &id->pid, &id->born, beat) == 5;
}

int bl_trial_read(const char *sweep, int trial, bl_trial *t)
{
	bl_process_id id = { .pid = 0 };
	*t = (bl_trial){ .over = there(sweep, trial, 0, BL_TRIAL_RESULT) };
	while (t->attempts < ATTEMPTS_MOST && there(sweep, trial, t->attempts + 1, ""))
		t->attempts++;
	if (t->attempts == 0 || !read_worker(sweep, trial, t->attempts, &id, &t->beat))
		return 0;
	memcpy(t->host, id.host, sizeof id.host);
	t->pid = id.pid;
	t->here = bl_process_is_here(&id);
	t->dead = t->here && !bl_process_alive(&id);
	return 0;
}

/* Removes an attempt whose `worker` file could not be written, because other workers would wait for it.  Returns -1. */
static int give_up(const char *sweep, int trial, int attempt)
{
	char *worker = path_of(sweep, trial, attempt, WORKER), *folder = path_of(sweep, trial, attempt, "");
	if (worker && folder) {
		unlink(worker);
		rmdir(folder);
	}
	free(worker);
	free(folder);
	return -1;
}

/* --- the attempt of this process --- */

/*
 * A signal may end the process at any time.  The thread that ends it calls bl_trial_stop first, which waits for the lock
 * and so for the end of a claim.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *own; /* path of the file that marks the last claimed attempt as stopped; NULL once it has a result */
static bool ending;

static void own_is(char *mark)
{
	free(own);
	own = mark;
}

void bl_trial_stop(bool for_good)
{
	pthread_mutex_lock(&lock);
	int fd = own ? open(own, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
	if (fd >= 0)
		close(fd);
	own_is(NULL);
	ending |= for_good;
	pthread_mutex_unlock(&lock);
}

static void own_is_over(const char *sweep, int trial, int attempt)
{
	char *mark = path_of(sweep, trial, attempt, BL_TRIAL_STOPPED);
	pthread_mutex_lock(&lock);
	if (own && mark && strcmp(own, mark) == 0)
		own_is(NULL);
	pthread_mutex_unlock(&lock);
	free(mark);
}

/* --- claims --- */

static int claim(const char *sweep, int trial, int attempt)
{
	char text[WORKER_ROOM], *above = path_of(sweep, trial, 0, ""), *path = NULL;
	int rc = above ? bl_file_make_folder(above) : -1;
	free(above);
	if (rc < 0)
		return -1;
	path = path_of(sweep, trial, attempt, "");
	rc = path ? mkdir(path, 0700) : -1;
	int why = errno;
	if (path && rc < 0 && why != EEXIST)
		bl_fail("%s: cannot make the folder: %s", path, strerror(why));
	free(path);
	if (rc < 0)
		return path && why == EEXIST ? 1 : -1;
	int n = worker_text(text, 0);
	path = path_of(sweep, trial, attempt, WORKER);
	rc = path ? bl_file_write_private(path, text, (size_t)n) : -1;
	free(path);
	return rc == 0 ? 0 : give_up(sweep, trial, attempt);
}

int bl_trial_claim(const char *sweep, int trial, int attempt)
{
	char *mark = path_of(sweep, trial, attempt, BL_TRIAL_STOPPED);
	if (!mark)
		return -1;
	pthread_mutex_lock(&lock);
	int rc = ending ? 1 : claim(sweep, trial, attempt);
	if (rc == 0)
		own_is(mark);
	else
		free(mark);
	pthread_mutex_unlock(&lock);
	return rc;
}

int bl_trial_beat(const char *sweep, int trial, int attempt)
{
	char text[WORKER_ROOM], *path = path_of(sweep, trial, attempt, WORKER);
	bl_process_id id;
	int64_t beat = 0;
	if (!path)
		return -1;
	read_worker(sweep, trial, attempt, &id, &beat);
	int n = worker_text(text, beat + 1);
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int rc = fd >= 0 && pwrite(fd, text, (size_t)n, 0) == n ? 0 : bl_fail("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/* --- results --- */

/* Syncs the folder, so that the name of a result survives a crash of the machine. */
static void sync_folder(const char *sweep, int trial)
{
	char *path = path_of(sweep, trial, 0, "");
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(path);
}

int bl_trial_finish(const char *sweep, int trial, int attempt, const void *text, size_t n)
{
	char *from = path_of(sweep, trial, attempt, BL_TRIAL_RESULT), *to = path_of(sweep, trial, 0, BL_TRIAL_RESULT);
	int rc = from && to ? bl_file_write_private(from, text, n) : -1;
	if (rc == 0)
		rc = bl_file_publish(from, to, text, n);
	if (rc == 0)
		sync_folder(sweep, trial);
	if (rc >= 0)
		own_is_over(sweep, trial, attempt);
	free(from);
	free(to);
	return rc;
}
