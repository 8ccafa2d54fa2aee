/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoint.c: writes the state of a trainer between two steps to a file, and reads it back. */
#include "base/path.h"
#include "store/state.h"
#include "tensor/kernel/kernel.h"

#include <barlow/checkpoint.h>
#include <barlow/error.h>
#include <barlow/journal.h>
#include <barlow/number.h>
#include <barlow/runs.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* --- Facts: the metadata ---------------------------------------------------------- */

enum { FORMAT, STEP, TRAINED, SET, LR, LR_BIAS, UPDATES, OPTIMISER, SEED, BATCH, EPOCH, CPU, FACTS };
enum { FACT_BYTES = 1024, CRC_BYTES = 9 }; /* a checksum is eight hexadecimal digits and a blank */

static const char *const keys[FACTS] = {
	[FORMAT] = "barlow_checkpoint", [STEP] = "step",       [TRAINED] = "trained",     [SET] = "set",   [LR] = "lr",
	[LR_BIAS] = "lr_bias",          [UPDATES] = "updates", [OPTIMISER] = "optimiser", [SEED] = "seed", [BATCH] = "batch",
	[EPOCH] = "steps_per_epoch",    [CPU] = "cpu",
};
static const char key_of_1[] = "lambda"; /* used instead of "set" in format 1, where the loss was always Barlow Twins */
static const char crc_key[] = "crc32";
static const char changed_key[] = "changed"; /* changed settings of views and optimiser; missing if there are none */
static const char journal_key[] = "journal"; /* number of changes; missing in checkpoints of version 0.1 */

/* The text of each fact. */
typedef char facts[FACTS][FACT_BYTES];

static void put_number(char out[FACT_BYTES], double v)
{
	bl_number_text(v, false, out, FACT_BYTES);
}

static void put_count(char out[FACT_BYTES], int64_t v)
{
	snprintf(out, FACT_BYTES, "%" PRId64, v);
}

static void put_text(char out[FACT_BYTES], const char *text)
{
	snprintf(out, FACT_BYTES, "%s", text);
}

/* Writes "lambda=0.0051 mu=25". */
static void put_settings(char out[FACT_BYTES], const bl_progress *p)
{
	size_t at = 0;
	out[0] = '\0';
	for (int i = 0; i < p->n; i++) {
		char number[BL_NUMBER_TEXT];
		bl_number_text(p->loss[i].value, false, number, sizeof number);
		at += (size_t)snprintf(out + at, FACT_BYTES - at, "%s%s=%s", i ? " " : "", p->loss[i].name, number);
	}
}

static void facts_of(bl_trainer *t, facts f)
{
	const bl_trainer_config *c = bl_trainer_settings(t);
	bl_progress p = bl_trainer_progress(t);
	put_text(f[FORMAT], "2");
	put_count(f[STEP], p.step);
	put_number(f[TRAINED], p.trained);
	put_settings(f[SET], &p);
	put_number(f[LR], p.lr);
	put_number(f[LR_BIAS], p.lr_bias);
	put_count(f[UPDATES], *bl_optim_count(bl_trainer_optim(t)));
	put_text(f[OPTIMISER], bl_optim_kind(&c->optim));
	snprintf(f[SEED], FACT_BYTES, "%" PRIu64, c->seed);
	put_count(f[BATCH], c->batch);
	put_count(f[EPOCH], bl_trainer_steps_per_epoch(t));
	snprintf(f[CPU], FACT_BYTES, "%s, %s", bl_blas_core(), bl_kernel()->name);
}

static bool is_format_1(facts f)
{
	return strcmp(f[FORMAT], "1") == 0;
}

static int take_facts(const char *path, char *const *metadata, facts f)
{
	for (int i = 0; i < FACTS; i++) {
		const char *v = bl_metadata_get(metadata, i == SET && is_format_1(f) ? key_of_1 : keys[i]);
		if (!v)
			return bl_fail(
				"%s: its metadata have no '%s': it is not a checkpoint of a run (a file of weights is "
				"loaded into a module)",
				path, keys[i]);
		put_text(f[i], v);
	}
	if (is_format_1(f) || strcmp(f[FORMAT], "2") == 0)
		return 0;
	return bl_fail("%s: the checkpoint has format %s; this program reads formats 1 and 2", path, f[FORMAT]);
}

/* Refuses a checkpoint if one of these settings differs from the trainer's. */
static int check_facts(const char *path, facts file, facts here)
{
	static const struct {
		int fact;
		const char *what;
	} same[] = {
		{ OPTIMISER, "optimiser" },
		{ SEED, "seed" },
		{ BATCH, "batch" },
		{ EPOCH, "number of steps an epoch" },
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (strcmp(file[same[i].fact], here[same[i].fact]) != 0)
			return bl_fail("%s: its %s is %s, but the trainer's is %s", path, same[i].what, file[same[i].fact],
			               here[same[i].fact]);
	return 0;
}

static int take_count(const char *path, facts f, int which, int64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoll(f[which], &end, 10);
	if (errno == 0 && end != f[which] && !*end && *out >= 0)
		return 0;
	return bl_fail("%s: metadata '%s' is '%s', expected a whole number from 0", path, keys[which], f[which]);
}

static int take_number(const char *path, facts f, int which, double *out)
{
	if (bl_number_read(f[which], out))
		return 0;
	return bl_fail("%s: metadata '%s' is '%s', expected a number", path, keys[which], f[which]);
}

/* Reads settings as put_settings writes them; in format 1, only the value of lambda. */
static int take_settings(const char *path, facts f, bl_progress *p)
{
	char text[FACT_BYTES], *next = text;
	snprintf(text, sizeof text, "%s%s", is_format_1(f) ? "lambda=" : "", f[SET]);
	for (char *item = strsep(&next, " "); item && *item; item = strsep(&next, " ")) {
		char *number = strchr(item, '=');
		if (!number || number - item >= BL_LOSS_NAME || p->n == BL_PROGRESS_VALUES)
			return bl_fail("%s: metadata '%s' is '%s', expected settings as in lambda=0.0051", path, keys[SET], f[SET]);
		bl_progress_value *v = &p->loss[p->n++];
		*number++ = '\0';
		snprintf(v->name, sizeof v->name, "%s", item);
		if (!bl_number_read(number, &v->value))
			return bl_fail("%s: metadata '%s' is '%s', expected a number", path, item, number);
	}
	return 0;
}

/* Writes "views.jitter.p=0.5 weight_decay=0.01", in the order in which they were changed; "" if there are none. */
static void put_changed(char out[FACT_BYTES], const bl_progress *p)
{
	size_t at = 0;
	out[0] = '\0';
	for (int i = 0; i < p->settings; i++) {
		char number[BL_NUMBER_TEXT];
		bl_number_text(p->setting[i].value, false, number, sizeof number);
		at += (size_t)snprintf(out + at, FACT_BYTES - at, "%s%s=%s", i ? " " : "", p->setting[i].name, number);
	}
}

static int take_changed(const char *path, char *const *metadata, bl_progress *p)
{
	const char *text = bl_metadata_get(metadata, changed_key);
	while (text && *text) {
		char number[BL_NUMBER_TEXT];
		int n = 0;
		bl_progress_setting *s = &p->setting[p->settings];
		if (p->settings == BL_PROGRESS_SETTINGS || sscanf(text, "%31[^= ]=%31[^ ]%n", s->name, number, &n) != 2 ||
		    !bl_number_read(number, &s->value))
			return bl_fail("%s: metadata '%s' is '%.200s', expected up to %d settings as name=number", path,
			               changed_key, bl_metadata_get(metadata, changed_key), BL_PROGRESS_SETTINGS);
		p->settings++;
		text += n + (text[n] == ' ');
	}
	return 0;
}

/* --- Checksums --------------------------------------------------------------------- */

/* Computes the checksum of the numbers in row-major order, which is the order of the file. */
static int crc_of_tensor(const bl_named *item, uLong *crc)
{
	size_t bytes = (size_t)bl_tensor_count(item->tensor) * sizeof(float);
	bool as_is = bl_tensor_is_contiguous(item->tensor);
	float *numbers = as_is ? bl_tensor_data(item->tensor) : malloc(bytes + 1);
	if (!numbers)
		return bl_fail("no memory for tensor '%s'", item->name);
	if (!as_is)
		bl_tensor_read(item->tensor, numbers);
	*crc = crc32_z(crc32(0, NULL, 0), (const Bytef *)numbers, bytes);
	if (!as_is)
		free(numbers);
	return 0;
}

/*
 * Returns the checksums of the facts and of each tensor, in this order: "0badcafe 12345678 ...".  The caller frees the
 * text.  journal and changed are the values of these keys, NULL if the file does not have them.  NULL with bl_error.
 */
static char *crc_text(facts f, const char *journal, const char *changed, const bl_named *items, int n)
{
	char *text = malloc((size_t)(n + 1) * CRC_BYTES + 1);
	if (!text)
		return bl_fail_null("no memory for %d checksums", n + 1);
	uLong crc = crc32(0, NULL, 0);
	for (int i = 0; i < FACTS; i++)
		crc = crc32_z(crc, (const Bytef *)f[i], strlen(f[i]) + 1);
	if (journal)
		crc = crc32_z(crc, (const Bytef *)journal, strlen(journal) + 1);
	if (changed)
		crc = crc32_z(crc, (const Bytef *)changed, strlen(changed) + 1);
	for (int i = 0; i <= n; i++) {
		if (i > 0 && crc_of_tensor(&items[i - 1], &crc) != 0) {
			free(text);
			return NULL;
		}
		snprintf(text + i * CRC_BYTES, CRC_BYTES + 1, "%08lx ", crc & 0xffffffff);
	}
	return text;
}

static int check_crc(const char *path, char *const *metadata, facts f, const bl_named *items, int n)
{
	const char *file = bl_metadata_get(metadata, crc_key);
	if (!file || strlen(file) != (size_t)(n + 1) * CRC_BYTES)
		return bl_fail("%s: damaged: it lacks the checksums of its %d tensors", path, n);
	char *here = crc_text(f, bl_metadata_get(metadata, journal_key), bl_metadata_get(metadata, changed_key), items, n);
	int wrong = -1;
	for (int i = 0; here && i <= n && wrong < 0; i++)
		if (memcmp(file + i * CRC_BYTES, here + i * CRC_BYTES, CRC_BYTES) != 0)
			wrong = i;
	free(here);
	if (!here || wrong < 0)
		return here ? 0 : -1;
	return bl_fail("%s: damaged: the checksum of %s%s is wrong", path, wrong ? "tensor " : "its metadata",
	               wrong ? items[wrong - 1].name : "");
}

/* --- The trainer's tensors ---------------------------------------------------------- */

/* The optimiser owns the memory that the tensor wraps. */
static void release_nothing(void *owner)
{
	(void)owner;
}

static int add_slice(bl_state *s, const char *prefix, const bl_param *q, float *flat)
{
	bl_tensor *t = bl_tensor_wrap(q->ndim, bl_tensor_shape(q->tensor), flat + q->start, release_nothing, NULL);
	int rc = t ? bl_state_add(s, prefix, q->name, t) : -1;
	bl_tensor_unref(t);
	return rc;
}

static int collect(bl_state *s, bl_trainer *t)
{
	const bl_trainer_config *c = bl_trainer_settings(t);
	bl_module *roots[] = { c->encoder, c->projector };
	const bl_params *p = bl_trainer_params(t);
	const char *name;
	float *flat;
	if (bl_state_collect(s, roots, (const char *const[]){ "encoder", "projector" }, c->projector ? 2 : 1) != 0)
		return -1;
	for (int k = 0; (flat = bl_optim_state(bl_trainer_optim(t), k, &name)); k++) {
		char prefix[FACT_BYTES];
		snprintf(prefix, sizeof prefix, "optim.%s", name);
		for (int i = 0; i < bl_params_length(p); i++)
			if (add_slice(s, prefix, bl_params_get(p, i), flat) != 0)
				return -1;
	}
	return 0;
}

/* --- Saving -------------------------------------------------------------------------- */

typedef struct job {
	const char *path;
	bl_trainer *trainer;
	bl_file_writer *write;
	int rc;
} job;

static int write_file(const job *j, const bl_state *s, facts f, const bl_progress *p)
{
	const char *metadata[2 * (FACTS + 3) + 1] = { NULL };
	char count[FACT_BYTES], changed[FACT_BYTES];
	put_count(count, p->changes);
	put_changed(changed, p);
	char *crc = crc_text(f, count, changed[0] ? changed : NULL, s->items, s->n);
	if (!crc)
		return -1;
	for (int i = 0; i < FACTS; i++) {
		metadata[2 * i] = keys[i];
		metadata[2 * i + 1] = f[i];
	}
	metadata[2 * FACTS] = crc_key;
	metadata[2 * FACTS + 1] = crc;
	metadata[2 * FACTS + 2] = journal_key;
	metadata[2 * FACTS + 3] = count;
	if (changed[0]) {
		metadata[2 * FACTS + 4] = changed_key;
		metadata[2 * FACTS + 5] = changed;
	}
	int rc = bl_safetensors_write(j->path, s->items, s->n, metadata, j->write);
	free(crc);
	return rc;
}

static void save(void *ctx)
{
	job *j = ctx;
	bl_state s = { 0 };
	facts f;
	facts_of(j->trainer, f);
	j->rc = collect(&s, j->trainer);
	bl_progress p = bl_trainer_progress(j->trainer);
	if (j->rc == 0)
		j->rc = write_file(j, &s, f, &p);
	bl_named_free(s.items, s.n);
}

int bl_checkpoint_write(const char *path, bl_trainer *t, bl_file_writer *write)
{
	job j = { path, t, write, 0 };
	bl_trainer_between_steps(t, save, &j);
	return j.rc;
}

int bl_checkpoint_save(const char *path, bl_trainer *t)
{
	return bl_checkpoint_write(path, t, bl_file_write_atomic);
}

/* --- Loading ------------------------------------------------------------------------- */

/* The content of a file that was read and checked. */
typedef struct content {
	bl_named *items;
	int n;
	char **metadata;
	facts f;
	bl_progress progress;
	int64_t updates;
} content;

static int read_file(const char *path, content *c)
{
	bl_progress *p = &c->progress;
	char *end;
	if (bl_safetensors_read(path, &c->items, &c->n, &c->metadata) != 0 || take_facts(path, c->metadata, c->f) != 0 ||
	    check_crc(path, c->metadata, c->f, c->items, c->n) != 0)
		return -1;
	const char *text = bl_metadata_get(c->metadata, journal_key);
	long long changes = text ? strtoll(text, &end, 10) : -1;
	p->changes = text && end != text && !*end ? changes : -1;
	if (take_changed(path, c->metadata, p) != 0 || take_count(path, c->f, STEP, &p->step) != 0 ||
	    take_count(path, c->f, UPDATES, &c->updates) != 0 || take_number(path, c->f, TRAINED, &p->trained) != 0 ||
	    take_settings(path, c->f, p) != 0 || take_number(path, c->f, LR, &p->lr) != 0)
		return -1;
	return take_number(path, c->f, LR_BIAS, &p->lr_bias);
}

/* Writes remarks for the run's message: that the run was begun on another processor, and that records are lost; else "". */
static void make_remark(char *out, size_t size, const content *c, facts here, const bl_live *past)
{
	bool other = strcmp(c->f[CPU], here[CPU]) != 0, lost = !past && c->progress.step > 0;
	snprintf(out, size, "%s%.64s%s%.64s%s%s", other ? "; begun on another processor (" : "", other ? c->f[CPU] : "",
	         other ? ", here " : "", other ? here[CPU] : "", other ? "): last digits may differ" : "",
	         lost ? "; the live file could not be read: the records of the steps before this one are lost" : "");
}

/* Returns the path of a file in the checkpoint's folder, which the caller frees; NULL with bl_error. */
static char *beside(const char *path, const char *name)
{
	char *folder = bl_path_folder(path);
	char *file = folder ? bl_runs_path(folder, name) : bl_fail_null("%s: no memory for its folder's name", path);
	free(folder);
	return file;
}

/*
 * Gives the trainer the changes in the journal up to the checkpoint.  If the journal cannot be read, warns and continues
 * without them; the run's weights do not depend on them.
 */
static int take_journal(const char *path, bl_trainer *t, const bl_progress *p)
{
	char *file = beside(path, BL_RUN_JOURNAL);
	bl_change *all = NULL;
	int64_t n = 0, kept = 0;
	if (!file || bl_journal_read(file, &all, &n) != 0)
		bl_trainer_complain(t, "the journal is lost: %s", bl_error());
	while (kept < n && all[kept].step <= p->step && (p->changes < 0 || kept < p->changes))
		kept++; /* changes after the checkpoint are dropped, as the steps after it are */
	int rc = bl_trainer_take_changes(t, all, kept);
	free(all);
	free(file);
	return rc;
}

/* Loads the content into the trainer.  All checks come first, so that a refused checkpoint changes nothing. */
static int put(const char *path, bl_trainer *t, content *c, bl_live *past)
{
	char remark[256];
	bl_state s = { 0 };
	facts here;
	facts_of(t, here);
	make_remark(remark, sizeof remark, c, here, past);
	int rc = check_facts(path, c->f, here);
	if (rc == 0)
		rc = collect(&s, t);
	if (rc == 0)
		rc = bl_state_fit(&s, path, c->items, c->n, true);
	if (rc == 0 && bl_trainer_resume_at(t, &c->progress, past, remark) != 0)
		rc = bl_fail_prefix("%s: ", path);
	if (rc == 0) {
		rc = bl_state_copy(&s, path, c->items, c->n);
		*bl_optim_count(bl_trainer_optim(t)) = c->updates;
	}
	if (rc == 0)
		rc = take_journal(path, t, &c->progress);
	if (rc == 0 && past && bl_live_damage(past))
		bl_trainer_complain(t, "%s: %s; the rest is kept", bl_live_path(past), bl_live_damage(past));
	bl_named_free(s.items, s.n);
	return rc;
}

static void load(void *ctx)
{
	job *j = ctx;
	content c = { .n = 0 };
	j->rc = read_file(j->path, &c);
	if (j->rc == 0) {
		char *live = beside(j->path, BL_RUN_LIVE);
		bl_live *past = live ? bl_live_open_whole(live, false) : NULL;
		free(live);
		j->rc = put(j->path, j->trainer, &c, past);
		bl_live_close(past);
	}
	bl_named_free(c.items, c.n);
	bl_metadata_free(c.metadata);
}

int bl_checkpoint_load(const char *path, bl_trainer *t)
{
	struct stat s;
	bool folder = stat(path, &s) == 0 && S_ISDIR(s.st_mode);
	char *file = folder ? bl_runs_path(path, BL_RUN_CHECKPOINT) : strdup(path);
	if (!file)
		return bl_fail("%s: no memory for its name", path);
	job j = { .path = file, .trainer = t };
	bl_trainer_between_steps(t, load, &j);
	free(file);
	return j.rc;
}
