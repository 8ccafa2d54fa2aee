/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_run_file.c: run.json: writing and reading, refused files, and concurrent changes by several processes. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/run_file.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[512], path[600];

static int begin(void **state)
{
	char command[1200];
	(void)state;
	snprintf(folder, sizeof folder, "%s", support_scratch("run"));
	snprintf(path, sizeof path, "%s/%s", folder, BL_RUN_FILE);
	snprintf(command, sizeof command, "rm -rf '%s' && mkdir -p '%s'", folder, folder);
	return system(command);
}

static void written_and_read_back(void **state)
{
	(void)state;
	bl_run_file f = { .name = "a \"name\"\n",
		          .state = "running",
		          .seed = INT64_MIN,
		          .step = 5,
		          .steps = 7,
		          .created = 1.5,
		          .host = "h",
		          .pid = 42,
		          .threads = 3,
		          .beat = 9,
		          .parent = "/somewhere",
		          .parent_step = 4,
		          .notes = "two\nlines" };
	bl_run_file g;
	assert_int_equal(bl_run_file_read(folder, &g), 1);
	assert_int_equal(bl_run_file_tag(&f, "one", true), 0);
	assert_int_equal(bl_run_file_tag(&f, "two", true), 0);
	assert_int_equal(bl_run_file_tag(&f, "one", true), 1);
	assert_int_equal(bl_run_file_tag(&f, "one", false), 0);
	assert_int_equal(bl_facts_set(&f.metrics, "knn", .1 + .2, NULL), 0);
	assert_int_equal(bl_facts_set(&f.metrics, "knn", .75, NULL), 0);
	assert_int_equal(bl_facts_set(&f.metrics, "nothing", NAN, NULL), 0);
	assert_int_equal(bl_facts_set(&f.recipe, "loss.lambda", 0, "text"), 0);
	assert_int_equal(bl_run_file_write(folder, &f), 0);
	assert_int_equal(bl_run_file_read(folder, &g), 0);
	assert_string_equal(g.name, f.name);
	assert_string_equal(g.notes, f.notes);
	assert_string_equal(g.parent, f.parent);
	assert_true(g.seed == f.seed && g.step == 5 && g.steps == 7 && g.pid == 42 && g.threads == 3 && g.beat == 9);
	assert_int_equal(g.tags, 1);
	assert_string_equal(g.tag[0], "two");
	assert_int_equal(g.metrics.n, 1); /* missing measurements are not written */
	assert_close(bl_facts_find(&g.metrics, "knn")->number, .75, 0);
	assert_string_equal(bl_facts_find(&g.recipe, "loss.lambda")->text, "text");
	assert_null(bl_facts_find(&g.recipe, "loss"));
	bl_run_file_free(&f);
	bl_run_file_free(&g);
}

/* Names that are not UTF-8 are read back as valid UTF-8. */
static void bytes_that_are_no_text(void **state)
{
	(void)state;
	bl_run_file f = { .state = "new", .name = "bad \xff\xfe\x1b[31m" }, g;
	assert_int_equal(bl_run_file_write(folder, &f), 0);
	assert_int_equal(bl_run_file_read(folder, &g), 0);
	assert_string_equal(g.name, "bad ??\x1b[31m");
	bl_run_file_free(&g);
}

static void refused(const char *text, const char *says)
{
	bl_run_file f;
	support_write(path, text, strlen(text));
	if (bl_run_file_read(folder, &f) >= 0)
		fail_msg("this was read: %.200s", text);
	assert_error(says);
	assert_error(path);
	assert_int_equal(f.state[0], '\0');
	assert_int_equal(f.recipe.n, 0);
}

#define HEAD "{\"format\": 1, \"state\": \"running\", "

static void what_is_no_run_is_refused(void **state)
{
	(void)state;
	refused("", "line");
	refused("[1]", "it does not describe a run");
	refused("{}", "expected {\"format\"");
	refused("{\"format\": 2, \"state\": \"new\"}", "'format' is 2");
	refused("{\"format\": 1}", "is not a state of a run");
	refused("{\"format\": 1, \"state\": \"r\\u001b\"}", "is not a state of a run");
	refused("{\"format\": 1, \"state\": 3}", "'state': expected a text");
	refused(HEAD "\"format\": 1}", "duplicate");
	refused(HEAD "\"step\": 1.5}", "'step': expected a whole number");
	refused(HEAD "\"step\": 99999999999999999999}", "too big");
	refused(HEAD "\"threads\": -1}", "'threads'");
	refused(HEAD "\"created\": -1}", "'created': expected seconds");
	refused(HEAD "\"created\": 1e300}", "'created': expected seconds");
	refused(HEAD "\"created\": null}", "'created': expected seconds");
	refused(HEAD "\"name\": \"a\\u0000b\"}", "NUL");
	refused(HEAD "\"tags\": \"one\"}", "'tags': expected a list");
	refused(HEAD "\"tags\": [1]}", "'tags': expected texts");
	refused(HEAD "\"tags\": [\"a b\"]}", "has a blank");
	refused(HEAD "\"tags\": [\"\"]}", "is empty");
	refused(HEAD "\"recipe\": []}", "'recipe': expected an object");
	refused(HEAD "\"recipe\": {\"a\": {}}}", "'a': expected a number or a text");
	refused(HEAD "\"recipe\": {\"a\": 1}, \"metrics\": {\"\": 1}}", "too long, or empty");
	refused(HEAD "\"metrics\": {\"a\": true}}", "expected a number or a text");
}

static void repeated(const char *head, const char *part, int n, const char *tail, const char *says)
{
	char *text = malloc(strlen(head) + strlen(tail) + strlen(part) * (size_t)n + 1);
	assert_non_null(text);
	strcpy(text, head);
	char *at = text + strlen(text);
	for (int i = 0; i < n; i++, at += strlen(part))
		strcpy(at, part);
	strcpy(at, tail);
	refused(text, says);
	free(text);
}

static void what_is_too_much_is_refused(void **state)
{
	(void)state;
	repeated(HEAD "\"name\": \"", "x", BL_RUN_TEXT, "\"}", "'name': expected a text of less than");
	repeated(HEAD "\"notes\": \"", "x", BL_RUN_NOTES, "\"}", "'notes'");
	repeated(HEAD "\"tags\": [\"", "x", BL_RUN_TAG, "\"]}", "too long");
	repeated(HEAD "\"data\": {\"", "x", BL_RUN_FACT_NAME, "\": 1}}", "too long");
	repeated(HEAD "\"data\": {\"a\": \"", "x", BL_RUN_FACT_TEXT, "\"}}", "too long");
	repeated(HEAD "\"data\": ", "[", 100000, "", "depth");
	repeated(HEAD "\"notes\": \"", "x", BL_RUN_FILE_BYTES, "\"}", "are too many for this file");
	char many[64 * (BL_RUN_FACTS + 1)] = HEAD "\"data\": {", *at = many + strlen(many);
	for (int i = 0; i <= BL_RUN_FACTS; i++)
		at += sprintf(at, "%s\"a%d\": 1", i ? ", " : "", i);
	strcpy(at, "}}");
	refused(many, "more than 1024");
}

/* If run.json is a link, the file that it names is neither read nor written. */
static void links_and_others_are_refused(void **state)
{
	char outside[600];
	bl_run_file f = { .state = "new" }, g;
	struct stat s;
	(void)state;
	snprintf(outside, sizeof outside, "%s/outside", folder);
	support_write(outside, "{}", 2);
	assert_int_equal(symlink(outside, path), 0);
	assert_int_equal(bl_run_file_read(folder, &g), -1);
	assert_int_equal(bl_run_file_write(folder, &f), -1);
	assert_error("a link");
	assert_int_equal(stat(outside, &s), 0);
	assert_int_equal(s.st_size, 2);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(bl_run_file_read(folder, &g), -1);
	assert_error("not a regular file");
	assert_int_equal(bl_run_file_write(folder, &f), -1);
}

static void permissions_are_the_users(void **state)
{
	bl_run_file f = { .state = "new" };
	struct stat s;
	(void)state;
	mode_t before = umask(077);
	assert_int_equal(bl_run_file_write(folder, &f), 0);
	umask(before);
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
}

/* --- Concurrent changes ------------------------------------------------------------------------ */

enum { WRITERS = 4, TURNS = 25 };

static int count_up(void *ctx, bl_run_file *f)
{
	(void)ctx;
	f->beat++;
	return 0;
}

static void no_change_is_lost(void **state)
{
	bl_run_file f = { .state = "new" }, g;
	int failed = 0, status;
	(void)state;
	assert_int_equal(bl_run_file_write(folder, &f), 0);
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0) {
			for (int k = 0; k < TURNS; k++)
				if (bl_run_file_change(folder, count_up, NULL) != 0)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < WRITERS; i++)
		failed += wait(&status) < 0 || status != 0;
	assert_int_equal(failed, 0);
	assert_int_equal(bl_run_file_read(folder, &g), 0);
	assert_int_equal(g.beat, WRITERS * TURNS);
	bl_run_file_free(&g);
}

static int refuse(void *ctx, bl_run_file *f)
{
	*(int *)ctx = f->tags;
	f->beat = 77;
	return 5;
}

static void a_change_may_be_given_up(void **state)
{
	bl_run_file f = { .state = "new", .beat = 1 }, g;
	int tags = -1;
	(void)state;
	assert_int_equal(bl_run_file_write(folder, &f), 0);
	assert_int_equal(bl_run_file_change(folder, refuse, &tags), 5);
	assert_int_equal(tags, 0);
	assert_int_equal(bl_run_file_read(folder, &g), 0);
	assert_int_equal(g.beat, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(written_and_read_back, begin),
		cmocka_unit_test_setup(bytes_that_are_no_text, begin),
		cmocka_unit_test_setup(what_is_no_run_is_refused, begin),
		cmocka_unit_test_setup(what_is_too_much_is_refused, begin),
		cmocka_unit_test_setup(links_and_others_are_refused, begin),
		cmocka_unit_test_setup(permissions_are_the_users, begin),
		cmocka_unit_test_setup(no_change_is_lost, begin),
		cmocka_unit_test_setup(a_change_may_be_given_up, begin),
	};
	return cmocka_run_group_tests_name("run_file", tests, NULL, NULL);
}
