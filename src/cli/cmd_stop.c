/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_stop.c: barlow stop: sends a run of any process of this host the command to stop, through the mailbox in its live file. */
#include "cli/command.h"

#include <barlow/error.h>
#include <barlow/runs.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLL_NS = 50000000 };

struct values {
	bool no_wait;
};

static const bl_option options[] = {
	BL_OPTION(FLAG, struct values, no_wait, .name = "no-wait",
	          .help = "return at once, without waiting until the run has stopped and is saved"),
	BL_OPTION_END,
};

static bool is_over(const bl_live_info *i)
{
	return i->state == BL_RUN_DONE || i->state == BL_RUN_STOPPED || i->state == BL_RUN_FAILED;
}

/* Sends the command.  Fails if the run is not running, or if its live file cannot be written, as for another user's run. */
static int send_stop(bl_live *run, bool commands)
{
	bl_live_info i;
	bl_live_info_get(run, &i);
	if (is_over(&i))
		return bl_fail("%s is not running: it is %s at step %lld of %lld", i.name, bl_run_state_name(i.state),
		               (long long)i.step, (long long)i.steps);
	if (!bl_live_writer_alive(run))
		return bl_fail("%s is not running: its process %lld has ended, or is on another host", i.name, (long long)i.pid);
	if (!commands)
		return bl_fail("%s cannot be stopped: its live file %s cannot be written, since it belongs to another user", i.name,
		               bl_live_path(run));
	return bl_live_send(run, (bl_command){ .kind = BL_CMD_STOP });
}

static int stop_run(bl_live *run, bool commands, bool no_wait)
{
	bl_live_info i;
	if (send_stop(run, commands) < 0)
		return -1;
	bl_live_info_get(run, &i);
	if (no_wait) {
		printf("%s stops after its step %lld of %lld\n", i.name, (long long)i.step + 1, (long long)i.steps);
		return 0;
	}
	for (; !is_over(&i); bl_live_info_get(run, &i)) {
		if (!bl_live_writer_alive(run))
			return bl_fail("its process %lld ended before the run had stopped", (long long)i.pid);
		nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
	}
	printf("%s: %s at step %lld of %lld\n", i.name, bl_run_state_name(i.state), (long long)i.step, (long long)i.steps);
	return 0;
}

static int stop(const bl_subcommand *self, const void *options_read, const bl_texts *operands)
{
	(void)self;
	const struct values *v = options_read;
	bool commands = true;
	bl_live *run = bl_runs_open(operands->text[0], &commands);
	int rc = run ? stop_run(run, commands, v->no_wait) : -1;
	if (rc < 0)
		fprintf(stderr, "barlow stop: %s\n", bl_error());
	if (run)
		bl_live_close(run);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const bl_subcommand bl_subcommand_stop = {
	.name = "stop",
	.summary = "stop a run of another process of this host",
	.options = options,
	.operand = "run",
	.thing = BL_THING_RUN,
	.needed = true,
	.about =
		"Asks a run to stop after its current step, and waits until it has stopped; it is saved and can be resumed. RUN is given "
		"as for watch. Only the run's user can stop it, since its live file has to be writable. barlow sweep stop stops a sweep.\n",
	.size = sizeof(struct values),
	.run = stop,
};
