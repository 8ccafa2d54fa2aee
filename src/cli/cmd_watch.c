/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_watch.c: barlow watch: finds the run, and shows it on the screen, as one frame of text, or as JSON. */
#include "cli/command.h"
#include "live/record_json.h"

#include <barlow/error.h>
#include <barlow/runs.h>
#include <barlow/view.h>

#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct values {
	bool read_only, once, jsonl;
	const char *colour;
	bl_size size;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, read_only, .name = "read-only", .help = "disable the keys that change the run"),
	BL_OPTION(FLAG, struct values, once, .name = "once", .help = "print one frame as plain text, for logs and pipes, and exit"),
	BL_OPTION(SIZE, struct values, size, .name = "size", .argument = "WxH",
	          .help = "columns and rows of that frame (default: the terminal's, else 80x24)"),
	BL_OPTION(
		FLAG, struct values, jsonl, .name = "jsonl",
		.help = "print each record as a line of JSON, for other tools: also new ones until the run ends, unless --once is given"),
	BL_OPTION_COLOUR(struct values, colour),
	BL_OPTION_END,
};

static int fail(void)
{
	fprintf(stderr, "barlow watch: %s\n", bl_error());
	return EXIT_FAILURE;
}

/* Prints a frame of the requested size; by default the size of the terminal less a row for the prompt. */
static int print_frame(const bl_live *run, const bl_size *requested)
{
	struct winsize t;
	bl_size s = { 80, 24 };
	if (requested->width > 0)
		s = *requested;
	else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &t) == 0 && t.ws_col > 0 && t.ws_row > 1)
		s = (bl_size){ t.ws_col, t.ws_row - 1 };
	char *text = bl_watch_text(run, s.width, s.height);
	if (!text)
		return fail();
	bool bad = fputs(text, stdout) < 0 || fflush(stdout) != 0;
	free(text);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- Records as lines of JSON ---------------------------------------------------- */

enum { POLL_NS = 100000000 };

/* Prints the records from number `from` on.  Returns the number of the next one; negative: standard output failed. */
static int64_t print_records(const bl_live *run, int64_t from)
{
	bl_columns c;
	bl_record r;
	int64_t n = bl_live_length(run);
	bl_live_columns(run, &c);
	for (; from < n && bl_live_record(run, from, &r); from++)
		if (bl_record_json(&r, &c, stdout) < 0)
			return -1;
	return fflush(stdout) == 0 ? from : -1;
}

/*
 * Prints records until the run ends or, if `once`, those that exist now.  The state is read before the records, so that
 * the last records of a run that has ended are printed.
 */
static int stream(const bl_live *run, bool once)
{
	for (int64_t next = 0;;) {
		bl_live_info info;
		bl_live_info_get(run, &info);
		bool alive = bl_live_writer_alive(run), read = info.pid != 0;
		/* A truncated file has no valid state: the run is over only if its writer, which would rewrite it, has ended. */
		bool over = (read || !alive) &&
		            (info.state == BL_RUN_DONE || info.state == BL_RUN_STOPPED || info.state == BL_RUN_FAILED);
		bool lost = !over && !alive;
		next = print_records(run, next);
		if (next < 0)
			return EXIT_FAILURE;
		if (once || bl_live_damage(run))
			return bl_live_damage(run) ? EXIT_FAILURE : EXIT_SUCCESS;
		if (lost)
			fprintf(stderr, "barlow watch: the run's process %lld has ended\n", (long long)info.pid);
		if (over && !read)
			fprintf(stderr, "barlow watch: %s: %s\n", bl_live_path(run), info.message);
		if (over || lost)
			return lost || !read ? EXIT_FAILURE : EXIT_SUCCESS;
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
	}
}

/* The keys q, Q and Ctrl-C all close the screen; only Q also stops the run. */
static int show(bl_live *run, bool read_only)
{
	return bl_watch(run, &(bl_watch_config){ .stay = true, .read_only = read_only, .ask_background = true }) < 0 ? fail()
	                                                                                                             : EXIT_SUCCESS;
}

static int watch(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	(void)self;
	const struct values *v = options_read;
	setlocale(LC_CTYPE, "");
	bl_subcommand_colour(v->colour);
	bool commands = !v->read_only && !v->once && !v->jsonl;
	bl_live *run = bl_runs_open(operands->n ? operands->text[0] : NULL, &commands);
	if (!run)
		return fail();
	if (bl_live_damage(run))
		fprintf(stderr, "barlow watch: %s: %s\n", bl_live_path(run), bl_live_damage(run));
	int status = v->jsonl ? stream(run, v->once) : v->once ? print_frame(run, &v->size) : show(run, !commands);
	bl_live_close(run);
	return status;
}

const bl_subcommand bl_subcommand_watch = {
	.name = "watch",
	.summary = "show a run of any process, running or finished, and control it",
	.options = options,
	.operand = "run",
	.thing = BL_THING_RUN,
	.about =
		"Shows a run on the whole terminal: one that is running in any process, which can be controlled by keys, or one that has "
		"finished. RUN is its name (the newest run of that name), its folder's name, the beginning of only one folder's name, or "
		"the path of a folder or live file. Without it, the newest running run is shown, or else the newest.\n",
	.size = sizeof(struct values),
	.run = watch,
};
