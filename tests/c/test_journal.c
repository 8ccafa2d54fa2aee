/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_journal.c: a run's journal: lines that are written and read back, damaged lines, and lines that a trainer writes. */
#include "support.h"

#include <barlow/checkpoint.h>
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/journal.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bl_change setting(int64_t step, const char *name, double old, double value)
{
	bl_change c = { .step = step, .time = 1764463530.25, .old = old, .value = value };
	strcpy(c.name, name);
	strcpy(c.who, "viewer 4711");
	return c;
}

static bl_change event(int64_t step, const char *name, const char *text)
{
	bl_change c = setting(step, name, NAN, NAN);
	strcpy(c.text, text);
	return c;
}

static void same(const bl_change *a, const bl_change *b)
{
	assert_int_equal(a->step, b->step);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->who, b->who);
	assert_string_equal(a->text, b->text);
	assert_true(a->old == b->old || (isnan(a->old) && isnan(b->old)));
	assert_true(a->value == b->value || (isnan(a->value) && isnan(b->value)));
	assert_true(a->time == b->time);
}

static const char *text_of(const char *path)
{
	static char text[4096];
	size_t n;
	char *bytes = bl_file_read(path, &n);
	assert_non_null(bytes);
	assert_true(n < sizeof text);
	memcpy(text, bytes, n);
	text[n] = '\0';
	free(bytes);
	return text;
}

static void lines_are_read_back(void **state)
{
	(void)state;
	const char *path = support_scratch("journal");
	bl_change all[] = { setting(10, "lambda", .0051, .02), event(12, "pause", ""), setting(12, "lr", 1. / 3, 1e-9),
		            event(13, "not saved", "no \"space\"\n\xc3\xa9\xff") };
	bl_change *read;
	int64_t n;
	assert_int_equal(bl_journal_read(path, &read, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(bl_journal_write(path, all, 2), 0);
	assert_int_equal(bl_journal_append(path, &all[2]), 0);
	assert_int_equal(bl_journal_append(path, &all[3]), 0);
	assert_true(
		strncmp(text_of(path),
	                "{\"step\":10,\"name\":\"lambda\",\"old\":0.0051,\"new\":0.02,\"who\":\"viewer 4711\",\"time\":1764463530.25}\n"
	                "{\"step\":12,\"name\":\"pause\",\"who\":\"viewer 4711\",\"time\":1764463530.25}\n",
	                160) == 0);
	assert_int_equal(bl_journal_read(path, &read, &n), 0);
	assert_int_equal(n, 4);
	for (int i = 0; i < 3; i++)
		same(&read[i], &all[i]);
	assert_string_equal(read[3].text, "no \"space\"\n\?\?\?"); /* not UTF-8 */
	free(read);
}

static void a_truncated_last_line_is_ignored(void **state)
{
	(void)state;
	const char *path = support_scratch("torn");
	bl_change c[] = { setting(1, "lr", .1, .2), setting(2, "lr", .2, .3) }, *read;
	int64_t n;
	assert_int_equal(bl_journal_write(path, c, 2), 0);
	struct stat s;
	assert_int_equal(stat(path, &s), 0);
	size_t first = strcspn(text_of(path), "\n") + 1;
	for (off_t cut = s.st_size - 1; cut >= 0; cut--) {
		assert_int_equal(truncate(path, cut), 0);
		assert_int_equal(bl_journal_read(path, &read, &n), 0);
		assert_int_equal(n, (size_t)cut >= first ? 1 : 0);
		free(read);
	}
}

static void what_is_no_journal_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"nonsense\n",
		"[1]\n",
		"{}\n",
		"{\"step\":-1,\"name\":\"lr\",\"who\":\"x\",\"time\":1}\n",
		"{\"step\":1.5,\"name\":\"lr\",\"who\":\"x\",\"time\":1}\n",
		"{\"step\":1,\"name\":\"\",\"who\":\"x\",\"time\":1}\n",
		"{\"step\":1,\"name\":\"lr\",\"new\":\"high\",\"who\":\"x\",\"time\":1}\n",
		"{\"step\":1,\"step\":2,\"name\":\"lr\",\"who\":\"x\",\"time\":1}\n",
		"{\"step\":1,\"name\":\"lr\",\"new\":1e999,\"who\":\"x\",\"time\":1}\n",
	};
	const char *path = support_scratch("bad");
	bl_change good = setting(1, "lr", .1, .2), *read;
	int64_t n;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(bl_journal_write(path, &good, 1), 0);
		FILE *f = fopen(path, "a");
		fputs(bad[i], f);
		fclose(f);
		assert_int_equal(bl_journal_read(path, &read, &n), -1);
		assert_error("bad: line 2: expected {\"step\": ");
		assert_null(read);
	}
	mkdir(support_scratch("folder"), 0700);
	assert_int_equal(bl_journal_append(support_scratch("folder"), &good), -1);
	assert_int_equal(mkfifo(support_scratch("fifo"), 0600), 0);
	assert_int_equal(bl_journal_append(support_scratch("fifo"), &good), -1);
}

/* --- The journal of a trainer -------------------------------------------------------------------------- */

struct toy {
	bl_dataset *data;
	bl_pipeline *views;
	bl_module *encoder;
};

static bl_trainer *trainer_new(struct toy *y)
{
	y->data = bl_dataset_shapes(&(bl_shapes_config){ .n = 64, .size = 8, .channels = 1, .seed = 5 });
	y->views = bl_pipeline_new(NULL, 0);
	y->encoder =
		bl_nn_mlp(&(bl_mlp_config){ .in = 64, .widths = (int64_t[]){ 8, 8 }, .layers = 2, .norm = true, .flatten = true });
	bl_trainer_config c = {
		.name = "toy",
		.data = y->data,
		.first = y->views,
		.second = y->views,
		.encoder = y->encoder,
		.optim = bl_optim_default("sgd"),
		.batch = 32,
		.epochs = 20,
		.seed = 3,
		.loader_threads = 1,
	};
	bl_trainer *t = bl_trainer_new(&c);
	if (!t)
		fail_msg("%s", bl_error());
	return t;
}

static void toy_free(struct toy *y, bl_trainer *t)
{
	bl_trainer_free(t);
	bl_dataset_unref(y->data);
	bl_pipeline_unref(y->views);
	bl_module_unref(y->encoder);
}

static void set(bl_trainer *t, const char *name, double value)
{
	assert_int_equal(bl_trainer_set(t, name, value), 0);
}

static int save_nothing(void *ctx, bl_save_why why)
{
	(void)ctx, (void)why;
	return 0;
}

static void expect(const bl_change *c, int64_t step, const char *name, double value)
{
	assert_int_equal(c->step, step);
	assert_string_equal(c->name, name);
	assert_true(isnan(value) ? isnan(c->value) : c->value == value);
}

static void a_trainer_writes_its_changes(void **state)
{
	(void)state;
	struct toy y;
	const char *path = support_scratch("run-journal");
	bl_trainer *t = trainer_new(&y);
	bl_change *c;
	int64_t n;
	set(t, "lambda", .5); /* a change before the run has a folder */
	assert_int_equal(bl_trainer_save_to(t, support_scratch("live"), save_nothing, NULL), 0);
	assert_int_equal(bl_journal_store(path, t), 0);
	assert_int_equal(bl_trainer_steps(t, 2), 0);
	set(t, "lr", .25);
	bl_trainer_called_by("prompt");
	assert_int_equal(bl_trainer_command(t, (bl_command){ .kind = BL_CMD_PAUSE }), 0);
	bl_trainer_called_by(NULL);
	assert_int_equal(bl_journal_read(path, &c, &n), 0);
	assert_int_equal(n, 3);
	expect(&c[0], 0, "lambda", .5);
	expect(&c[1], 2, "lr", .25);
	assert_string_equal(c[1].who, "script");
	expect(&c[2], 2, "pause", NAN);
	assert_string_equal(c[2].who, "prompt");
	assert_int_equal(bl_trainer_changes(t), 3);
	free(c);

	/* A line that cannot be written is reported once, and the run continues. */
	unlink(path);
	mkdir(path, 0700);
	set(t, "lr", .125);
	bl_live_info info;
	bl_live_info_get(bl_trainer_live(t), &info);
	assert_non_null(strstr(info.message, "step 2: lr could not be written to the journal: "));
	set(t, "lr", .0625);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	assert_int_equal(bl_trainer_changes(t), 5);
	rmdir(path);
	toy_free(&y, t);
}

/* A command from another process is recorded with the number of that process as its author. */
static void other_processes_are_named(void **state)
{
	(void)state;
	struct toy y;
	bl_trainer *t = trainer_new(&y);
	const char *path = support_scratch("live-of-others");
	assert_int_equal(bl_trainer_save_to(t, path, save_nothing, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		bl_live *l = bl_live_open(path, true);
		_exit(l && bl_live_send(l, (bl_command){ .kind = BL_CMD_SET, .value = .5, .name = "lambda" }) == 0 ? 0 : 1);
	}
	int status = 1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	bl_change c;
	char who[64];
	assert_true(bl_trainer_change(t, 0, &c));
	expect(&c, 0, "lambda", .5);
	snprintf(who, sizeof who, "process %d", (int)child);
	assert_string_equal(c.who, who);
	toy_free(&y, t);
}

static void what_cannot_be_made_again_is_refused(void **state)
{
	(void)state;
	struct toy y;
	bl_trainer *t = trainer_new(&y);
	bl_change c[] = { setting(2, "lr", .1, .5), event(3, "pause", ""), setting(4, "mu", 1, 2) };
	assert_int_equal(bl_trainer_replay(t, c, 3, 0, INT64_MAX), -1);
	assert_error("the journal's change at step 4: trainer: nothing called 'mu' can be set");
	c[2] = setting(4, "lambda", 1, -2);
	assert_int_equal(bl_trainer_replay(t, c, 3, 0, INT64_MAX), -1);
	assert_error("'lambda' must be a number of at least 0, got -2");
	assert_int_equal(bl_trainer_replay(t, c, 3, 0, 3), 0);
	assert_int_equal(bl_trainer_steps(t, 6), 0);
	bl_record r;
	assert_true(bl_live_record(bl_trainer_live(t), 5, &r));
	assert_int_equal(bl_trainer_changes(t), 1);
	bl_change made;
	assert_true(bl_trainer_change(t, 0, &made));
	expect(&made, 2, "lr", .5);
	assert_string_equal(made.who, "replay");
	assert_int_equal(bl_trainer_replay(t, c, 1, 0, INT64_MAX), -1);
	assert_error("step 2 cannot be repeated: the trainer is already at step 6");
	toy_free(&y, t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_back),           cmocka_unit_test(a_truncated_last_line_is_ignored),
		cmocka_unit_test(what_is_no_journal_is_refused), cmocka_unit_test(a_trainer_writes_its_changes),
		cmocka_unit_test(other_processes_are_named),     cmocka_unit_test(what_cannot_be_made_again_is_refused),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
