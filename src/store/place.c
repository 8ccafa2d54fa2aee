/* SPDX-License-Identifier: GPL-3.0-or-later */
/* place.c: gives a run a folder, continues the run in its folder, and saves the run's files. */
#include "base/path.h"
#include "store/checkpoints.h"
#include "store/heartbeat.h"
#include "store/owner.h"
#include "store/runs.h"
#include "store/state.h"

#include <barlow/checkpoint.h>
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/journal.h>
#include <barlow/place.h>
#include <barlow/runs.h>
#include <barlow/text.h>
#include <barlow/weights.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bl_place {
	bl_trainer *trainer;
	char *from;                                          /* the folder whose run was loaded; NULL: none was */
	char *folder;                                        /* NULL: not set yet, or the run has none */
	char *live, *checkpoint, *weights, *journal, *start; /* paths of files in `folder` */
	bl_heartbeat *heartbeat;                             /* NULL: run.json could not be written, or there is no folder */
	bool settled;                                        /* bl_place_settle was called */
};

bl_place *bl_place_new(bl_trainer *t)
{
	bl_place *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail_null("no memory for a run's place");
	p->trainer = t;
	return p;
}

static void forget_folder(bl_place *p)
{
	char **names[] = { &p->folder, &p->live, &p->checkpoint, &p->weights, &p->journal, &p->start };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		free(*names[i]);
		*names[i] = NULL;
	}
}

void bl_place_free(bl_place *p)
{
	if (!p)
		return;
	bl_heartbeat_free(p->heartbeat);
	forget_folder(p);
	free(p->from);
	free(p);
}

bool bl_place_settled(const bl_place *p)
{
	return p->settled;
}

const char *bl_place_folder(const bl_place *p)
{
	return p->folder;
}

const char *bl_place_start(const bl_place *p)
{
	return p->start;
}

/* --- Saving ----------------------------------------------------------------------------- */

struct job {
	bl_place *place;
	const char *path;
	bl_file_writer *write;
	int rc;
};

/* Called between two steps. */
static void write_weights(void *ctx)
{
	struct job *j = ctx;
	const bl_trainer_config *c = bl_trainer_settings(j->place->trainer);
	bl_module *roots[] = { c->encoder, c->projector };
	const char *prefixes[] = { "encoder", "projector" };
	j->rc = bl_weights_write(j->path, roots, prefixes, c->projector ? 2 : 1, j->write);
}

static void write_weights_asked(void *ctx)
{
	struct job *j = ctx;
	write_weights(j);
	if (j->rc == 0)
		bl_trainer_weights_saved(j->place->trainer, j->path);
}

/*
 * Writes the checkpoint first, since it contains the weights, too.  If that fails, the disk may still have room for the
 * weights alone, so a save on request or at the end writes them nevertheless; the error is then that of the checkpoint.
 */
static int save_run(void *ctx, bl_save_why why)
{
	bl_place *p = ctx;
	struct job j = { p, p->weights, bl_file_write_private, 0 };
	const bl_trainer_config *c = bl_trainer_settings(p->trainer);
	char failed[512];
	int rc = bl_checkpoint_write(p->checkpoint, p->trainer, bl_file_write_private);
	if (rc == 0 && c->checkpoints > 1)
		rc = bl_checkpoints_rotate(p->folder, bl_trainer_progress(p->trainer).step, c->checkpoints);
	snprintf(failed, sizeof failed, "%s", rc != 0 ? bl_error() : "");
	if (why != BL_SAVE_REGULAR)
		write_weights(&j);
	rc = rc == 0 ? j.rc : bl_fail("%s", failed);
	if (rc == 0 && why == BL_SAVE_END && p->heartbeat)
		bl_heartbeat_end(p->heartbeat, p->trainer);
	return rc;
}

static int no_folder(void)
{
	return bl_fail("this run has no folder: expected a path");
}

int bl_place_save(bl_place *p)
{
	return p->folder ? bl_trainer_save_now(p->trainer) : no_folder();
}

int bl_place_save_weights(bl_place *p, const char *path)
{
	struct job j = { p, path ? path : p->weights, path ? bl_file_write_atomic : bl_file_write_private, 0 };
	if (!j.path)
		return no_folder();
	bl_trainer_between_steps(p->trainer, write_weights_asked, &j);
	return j.rc;
}

int bl_place_write_recipe(bl_place *p, const char *text, size_t n)
{
	return p->folder ? bl_runs_write_recipe(p->folder, text, n) : no_folder();
}

void bl_place_recipe(bl_place *p, bl_facts *recipe)
{
	if (p->heartbeat)
		bl_heartbeat_recipe(p->heartbeat, recipe);
	bl_facts_free(recipe);
}

/* --- Continuing ------------------------------------------------------------------------- */

int bl_place_load(bl_place *p, const char *path)
{
	struct stat s;
	char *from = stat(path, &s) == 0 && S_ISDIR(s.st_mode) ? strdup(path) : bl_path_folder(path);
	if (!from)
		return bl_fail("%s: no memory for its folder's name", path);
	if (bl_checkpoint_load(path, p->trainer) != 0) {
		free(from);
		return -1;
	}
	free(p->from);
	p->from = from;
	return 0;
}

static bool same_place(const char *a, const char *b)
{
	char *x = realpath(a, NULL), *y = realpath(b, NULL);
	bool same = x && y && strcmp(x, y) == 0;
	free(x);
	free(y);
	return same;
}

/* --- Settling --------------------------------------------------------------------------- */

static int name_files(bl_place *p, const char *folder)
{
	p->folder = strdup(folder);
	p->live = bl_runs_path(folder, BL_RUN_LIVE);
	p->checkpoint = bl_runs_path(folder, BL_RUN_CHECKPOINT);
	p->weights = bl_runs_path(folder, BL_RUN_WEIGHTS);
	p->journal = bl_runs_path(folder, BL_RUN_JOURNAL);
	return p->folder && p->live && p->checkpoint && p->weights && p->journal
	               ? 0
	               : bl_fail("%s: no memory for its files' names", folder);
}

/* Stores the initial weights if the recipe cannot draw them again.  A resumed run has stored them already. */
static int keep_start(bl_place *p)
{
	if (!bl_trainer_warm(p->trainer))
		return 0;
	char *whole = realpath(p->folder, NULL);
	if (!whole)
		return bl_fail("%s: %s", p->folder, strerror(errno));
	p->start = bl_runs_path(whole, BL_RUN_START);
	free(whole);
	if (!p->start)
		return -1;
	return access(p->start, F_OK) == 0 ? 0 : bl_start_save(p->start, p->trainer);
}

/* If run.json cannot be written, the run continues without it: the live file has the state, too. */
static void begin_heartbeat(bl_place *p)
{
	char owner[BL_OWNER_TEXT];
	bl_owner_new(owner);
	p->heartbeat = bl_heartbeat_start(p->folder, owner, p->trainer);
	if (!p->heartbeat || bl_live_owned(bl_trainer_live(p->trainer), owner, bl_owner_claim) != 0)
		bl_trainer_complain(p->trainer, "the run's " BL_RUN_FILE " cannot be written: %s", bl_error());
}

/*
 * Stores the run in the folder.  The live file is created last: if it exists, the run is stored.  After a failure, the
 * run has no folder.
 */
static int move_in(bl_place *p, const char *folder)
{
	int rc = name_files(p, folder);
	if (rc == 0)
		rc = keep_start(p);
	if (rc == 0)
		rc = bl_journal_store(p->journal, p->trainer);
	if (rc == 0)
		rc = bl_trainer_save_to(p->trainer, p->live, save_run, p);
	if (rc == 0) {
		begin_heartbeat(p);
		return 0;
	}
	bl_trainer_journal(p->trainer, NULL, NULL);
	forget_folder(p);
	return rc;
}

/* After a failure, removes the files that were created in a new folder, and then the folder if it is empty. */
static void move_out(const char *folder)
{
	static const char *const files[] = { BL_RUN_START, BL_RUN_JOURNAL, BL_RUN_PARENT };
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path = bl_runs_path(folder, files[i]);
		if (path)
			unlink(path);
		free(path);
	}
	rmdir(folder);
}

static int take_over(bl_place *p, const char *folder)
{
	bl_live_info info;
	bl_live_info_get(bl_trainer_live(p->trainer), &info);
	int claim = info.step < info.steps ? bl_runs_claim(folder) : bl_fail("%s: the run is over", folder);
	if (claim < 0)
		return BL_PLACE_REFUSED;
	int rc = move_in(p, folder);
	bl_runs_release(claim);
	return rc == 0 ? 0 : BL_PLACE_REFUSED;
}

int bl_place_settle(bl_place *p, const char *folder)
{
	if (p->settled)
		return bl_fail("the run has been given a folder already");
	p->settled = true;
	if (p->from && folder && same_place(p->from, folder))
		return take_over(p, folder);
	bl_live_info info;
	bl_live_info_get(bl_trainer_live(p->trainer), &info);
	int taken = folder ? bl_runs_folder_take(folder) : 0;
	if (taken > 0)
		return BL_PLACE_REFUSED;
	char *made = taken ? NULL : folder ? bl_text_copy(folder) : bl_runs_folder_new(info.name);
	int rc = made ? 0 : -1;
	if (rc == 0 && p->from) /* a run that continues in another folder is a fork */
		rc = bl_runs_write_parent(p->from, made, info.step);
	if (rc == 0)
		rc = move_in(p, made);
	if (rc == -1) {
		bl_trainer_unsaved(p->trainer);
		if (made)
			move_out(made);
	}
	free(made);
	return rc;
}
