/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_trials.c: claims and results of trials, also by many concurrent processes; starting processes, and detecting their end. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/process.h>
#include <barlow/trials.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[512];

static int begin(void **state)
{
	char command[1200];
	(void)state;
	snprintf(folder, sizeof folder, "%s", support_scratch("trials"));
	snprintf(command, sizeof command, "rm -rf '%s' && mkdir -p '%s'", folder, folder);
	return system(command);
}

static void a_trial_from_claim_to_result(void **state)
{
	bl_trial t;
	(void)state;
	assert_int_equal(bl_trial_read(folder, 7, &t), 0);
	assert_true(!t.over && t.attempts == 0);
	assert_int_equal(bl_trial_claim(folder, 7, 1), 0);
	assert_int_equal(bl_trial_claim(folder, 7, 1), 1);
	assert_int_equal(bl_trial_read(folder, 7, &t), 0);
	assert_true(t.attempts == 1 && t.here && !t.dead && t.pid == getpid() && t.beat == 0 && *t.host);
	assert_int_equal(bl_trial_beat(folder, 7, 1), 0);
	assert_int_equal(bl_trial_beat(folder, 7, 1), 0);
	bl_trial_read(folder, 7, &t);
	assert_int_equal(t.beat, 2);
	/* There is a second attempt beside the first; the result of the first attempt is later and does not count. */
	assert_int_equal(bl_trial_claim(folder, 7, 2), 0);
	assert_int_equal(bl_trial_finish(folder, 7, 2, "second", 6), 0);
	assert_int_equal(bl_trial_finish(folder, 7, 1, "first", 5), 1);
	bl_trial_read(folder, 7, &t);
	assert_true(t.over && t.attempts == 2);
	size_t n;
	char *path = bl_trial_path(folder, 7, 0), file[600];
	snprintf(file, sizeof file, "%s/" BL_TRIAL_RESULT, path);
	char *text = bl_file_read(file, &n);
	assert_true(n == 6 && memcmp(text, "second", 6) == 0);
	free(text);
	free(path);
}

/* Eight processes claim as many of 40 trials as they can; each claim and each result belongs to one process. */
static void many_at_once(void **state)
{
	enum { PROCESSES = 8, TRIALS = 40 };
	pid_t child[PROCESSES];
	int claims = 0, results = 0;
	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			int claimed = 0, counted = 0;
			for (int k = 1; k <= TRIALS; k++) {
				claimed += bl_trial_claim(folder, k, 1) == 0;
				bl_trial_claim(folder, k, i + 2);
				counted += bl_trial_finish(folder, k, i + 2, "x", 1) == 0;
			}
			_exit(claimed + counted);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		waitpid(child[i], &status, 0);
		assert_true(WIFEXITED(status));
		claims += WEXITSTATUS(status);
	}
	for (int k = 1; k <= TRIALS; k++) {
		bl_trial t;
		bl_trial_read(folder, k, &t);
		results += t.over;
	}
	assert_int_equal(claims, 2 * TRIALS); /* one claim and one result that counts for each trial */
	assert_int_equal(results, TRIALS);
}

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

#if defined __x86_64__ || defined __aarch64__
/* Makes the kernel refuse hard links of this process, as some file systems do. */
static bool refuse_links(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_link
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_link, 1, 0),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof code[0], code };
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void a_name_without_links(void **state)
{
	char from[600], to[600];
	int status;
	size_t n;
	(void)state;
	snprintf(from, sizeof from, "%s/early", folder);
	snprintf(to, sizeof to, "%s/declared", folder);
	assert_int_equal(bl_file_write_atomic(from, "one", 3), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(!refuse_links()                                                                        ? 77
		      : bl_file_publish(from, to, "one", 3) == 0 && bl_file_publish(from, to, "two", 3) == 1 ? 0
		                                                                                             : 1);
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* this kernel has no such filters */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	char *text = bl_file_read(to, &n);
	assert_true(n == 3 && memcmp(text, "one", 3) == 0);
	free(text);
	assert_int_equal(bl_file_publish(from, to, "two", 3), 1);
}
#endif

/* The end of a worker is detected, also if its parent has not waited for it. */
static void a_dead_worker_is_detected(void **state)
{
	bl_trial t;
	siginfo_t info;
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		bl_trial_claim(folder, 1, 1);
		_exit(0);
	}
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	bl_trial_read(folder, 1, &t);
	assert_true(t.here && t.dead && t.pid == child);
	waitpid(child, NULL, 0);
	bl_trial_read(folder, 1, &t);
	assert_true(t.dead);
}

/* Files that a worker of another host, or another program, has written are read safely. */
static void foreign_files_are_read_safely(void **state)
{
	bl_trial t;
	char path[600], other_host[] = "elsewhere boot/[1] 1 2 3\n";
	(void)state;
	bl_trial_claim(folder, 1, 1);
	snprintf(path, sizeof path, "%s/trials/0001/attempt-1/worker", folder);
	bl_file_write_atomic(path, other_host, sizeof other_host - 1);
	bl_trial_read(folder, 1, &t);
	assert_true(!t.here && !t.dead && t.beat == 3 && strcmp(t.host, "elsewhere") == 0);
	bl_file_write_atomic(path, "garbage", 7);
	bl_trial_read(folder, 1, &t);
	assert_true(t.attempts == 1 && !t.here && !t.dead && !*t.host);
	unlink(path);
	symlink("/etc/passwd", path);
	bl_trial_read(folder, 1, &t);
	assert_true(!*t.host);
	assert_int_equal(bl_trial_claim("/proc/nowhere", 1, 1), -1);
	assert_non_null(strstr(bl_error(), "/proc/nowhere"));
}

static void processes(void **state)
{
	char log[600], *const line[] = { "sh", "-c", "echo said $WORD; exit 7", NULL },
			      *const none[] = { "/no/such/program", NULL };
	const char *const words[] = { "WORD=this", NULL };
	int status = 0;
	size_t n;
	(void)state;
	snprintf(log, sizeof log, "%s/log", folder);
	setenv("WORD", "that", 1);
	int64_t pid = bl_process_spawn(line, log, words);
	assert_true(pid > 0);
	for (int i = 0; bl_process_poll(pid, &status) == 0 && i < 12000; i++)
		wait_a_little();
	assert_int_equal(status, 7);
	assert_int_equal(bl_process_poll(pid, &status), -1);
	char *text = bl_file_read(log, &n);
	assert_true(n == 10 && memcmp(text, "said this\n", 10) == 0);
	free(text);
	assert_int_equal(bl_process_spawn(none, log, NULL), -1);
	assert_non_null(strstr(bl_error(), "/no/such/program"));
	bl_process_id me;
	bl_process_self(&me);
	assert_true(bl_process_is_here(&me) && bl_process_alive(&me));
	char space[64] = "", *slash = strchr(me.boot, '/');
	assert_non_null(slash);
	if (readlink("/proc/self/ns/pid", space, sizeof space - 1) > 0 && slash - me.boot > 1) /* "pid:[4026531836]" */
		assert_string_equal(slash + 1, strchr(space, '['));
	else
		assert_int_equal(me.boot[0], '-');
	me.born++; /* as if another process had this pid */
	assert_false(bl_process_alive(&me));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_trial_from_claim_to_result, begin),
		cmocka_unit_test_setup(many_at_once, begin),
		cmocka_unit_test_setup(a_dead_worker_is_detected, begin),
		cmocka_unit_test_setup(foreign_files_are_read_safely, begin),
		cmocka_unit_test_setup(processes, begin),
#if defined __x86_64__ || defined __aarch64__
		cmocka_unit_test_setup(a_name_without_links, begin),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
