/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * safe.c: barlow --safe: runs an untrusted script in a sandboxed state (kit/states.h, bind/safe_modules.c).  In addition,
 * the kernel restricts the process: Landlock, if available, its access to files; a limit of the data segment its memory; and a
 * timer its time.
 */
#define _GNU_SOURCE
#include "cli/safe.h"
#include "cli/run.h"

#include "lua/bind/safe_modules.h"
#include "lua/kit/kit.h"
#include "lua/kit/states.h"
#include "lua/kit/texts.h"

#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/parallel.h>

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif

/* Default limits in MiB and s; s from the interrupt to the end of the process; bytes; instructions between two checks. */
enum { MEMORY = 2048, SECONDS = 60, GRACE = 2, PRINTS = 64 << 20, EVERY = 1000 };

/* --- Files: Landlock --- */

#if defined LANDLOCK_ACCESS_FS_MAKE_SYM
static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
/* The rights of Landlock's first version.  A right that is handled is refused wherever no rule allows it. */
static const uint64_t handled = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

/* Adds a rule that allows access to a folder (NULL: none) and all below it. */
static int allow(int rules, const char *folder, uint64_t access)
{
	int fd = folder ? open(folder, O_PATH | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0; /* the folder does not exist */
	struct landlock_path_beneath_attr below = { .allowed_access = access, .parent_fd = fd };
	int rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	close(fd);
	return rc;
}

/* Restricts this thread and all threads that it starts later.  False: the kernel has no Landlock, or a call failed. */
static bool restrict_files(const bl_lua_gate *g)
{
	/* What any script may read: libraries that are loaded later, data sets in their usual folders, the number of cores. */
	static const char *const system[] = { "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/sys/devices/system/cpu", NULL };
	struct landlock_ruleset_attr all = { .handled_access_fs = handled };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0);
	if (rules < 0)
		return false;
	bool allowed = allow(rules, g->read, reading) == 0 && allow(rules, g->both, reading | writing) == 0;
	for (int i = 0; system[i]; i++) {
		struct stat s;
		bool folder = stat(system[i], &s) == 0 && S_ISDIR(s.st_mode);
		allowed = allow(rules, system[i], folder ? reading : LANDLOCK_ACCESS_FS_READ_FILE) == 0 && allowed;
	}
	bool restricted =
		allowed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return restricted;
}
#else
static bool restrict_files(const bl_lua_gate *g)
{
	(void)g;
	return false;
}
#endif

/* --- Time --- */

static volatile sig_atomic_t late; /* how often the timer has expired */
static char late_message[80];

/* The first time, interrupts the script, as Ctrl-C does; the second time, ends the process. */
static void on_alarm(int number)
{
	(void)number;
	if (late++) {
		if (write(STDERR_FILENO, late_message, strlen(late_message)) < 0)
			late++; /* the failure cannot be reported */
		_exit(EXIT_FAILURE);
	}
	bl_lua_interrupted = 1;
}

/* --- Memory: a limit for the whole process --- */

/* The size of the process's data segment; 0: unknown. */
static size_t data_now(void)
{
	unsigned long pages[6] = { 0 };
	FILE *f = fopen("/proc/self/statm", "r");
	int n = f ? fscanf(f, "%lu %lu %lu %lu %lu %lu", pages, pages + 1, pages + 2, pages + 3, pages + 4, pages + 5) : 0;
	if (f)
		fclose(f);
	return n == 6 ? pages[5] * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/*
 * Limits the data segment to the sum of its present size, the script's memory, scratch memory, and, for each thread of the
 * pool and of OpenBLAS, a stack and OpenBLAS's buffer: without room for this buffer, OpenBLAS would retry for ever.  Returns
 * the previous limit.
 */
static struct rlimit limit_memory(size_t bytes)
{
	enum { SCRATCH = 256 << 20, THREAD = 144 << 20 };
	rlim_t threads = (rlim_t)bl_threads() + (rlim_t)sysconf(_SC_NPROCESSORS_ONLN) + 1;
	rlim_t most = data_now() + bytes + SCRATCH + threads * THREAD;
	struct rlimit before = { RLIM_INFINITY, RLIM_INFINITY }, limit;
	if (getrlimit(RLIMIT_DATA, &before) == 0 && (before.rlim_cur == RLIM_INFINITY || before.rlim_cur > most)) {
		limit = before;
		limit.rlim_cur = most;
		setrlimit(RLIMIT_DATA, &limit);
	}
	return before;
}

/* --- The script --- */

static int fail(const char *why)
{
	fflush(stdout);
	fprintf(stderr, "barlow: %s\n", why);
	return EXIT_FAILURE;
}

/* The script's text with its name for messages, and its path and arguments. */
typedef struct piece {
	const char *text, *name;
	size_t n;
	const bl_texts *script;
} piece;

/* Sets the global `arg`, and calls the script with its arguments. */
static int call_script(lua_State *L)
{
	const piece *p = lua_touserdata(L, 1);
	lua_newtable(L);
	for (int i = 0; i < p->script->n; i++) {
		lua_pushstring(L, p->script->text[i]);
		lua_rawseti(L, -2, i);
	}
	lua_setglobal(L, "arg");
	if (bl_lua_load_text(L, p->text, p->n, p->name) != LUA_OK)
		return lua_error(L);
	for (int i = 1; i < p->script->n; i++)
		lua_pushstring(L, p->script->text[i]);
	lua_call(L, p->script->n - 1, 0);
	return 0;
}

/* Runs the script in the state within the limits of time and memory. */
static int run(lua_State *L, const piece *p, const bl_safe *w)
{
	bl_lua_limits limits = { .seconds = w->seconds, .bytes = (size_t)w->memory << 20 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { .tv_sec = w->seconds }, .it_interval = { .tv_sec = GRACE } };
	lua_pushcfunction(L, call_script);
	lua_pushlightuserdata(L, (void *)(uintptr_t)p);
	snprintf(late_message, sizeof late_message, "barlow: the script ran for more than %d s\n", w->seconds);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	int rc = bl_lua_state_call_within(L, 1, 0, &limits);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { .tv_sec = 0 } }, NULL);
	if (rc == 0)
		return EXIT_SUCCESS;
	if (late)
		bl_fail("the script ran for more than %d s", w->seconds);
	return fail(bl_error());
}

/* Restricts the process, and runs the script in a sandboxed state. */
static int run_restricted(const bl_safe *w, const piece *p, bl_lua_gate *g)
{
	bl_lua_state_config c = {
		.what = "the script",
		.open = bl_lua_open_safe,
		.ctx = g,
		.bytes = (size_t)w->memory << 20,
		.instructions = INT64_MAX,
		.seconds = w->seconds,
		.prints = PRINTS,
		.every = EVERY,
		.interruptible = true,
	};
	bl_run_need_room(bl_threads());
	struct rlimit before = limit_memory(c.bytes);
	g->kernel = restrict_files(g);
	lua_State *L = bl_lua_state_new(&c);
	int status = L ? run(L, p, w) : fail(bl_error());
	if (L)
		bl_lua_state_close(L);
	setrlimit(RLIMIT_DATA, &before); /* the process waits at its end for OpenBLAS's threads, which may need memory */
	return status;
}

static char *folder_of(const char *path)
{
	char *real = realpath(path, NULL), *slash = real ? strrchr(real, '/') : NULL;
	if (slash)
		slash[slash == real] = '\0';
	return real;
}

int bl_safe_run(const bl_safe *requested, const bl_texts *script)
{
	bl_safe w = *requested;
	size_t n;
	w.memory = w.memory ? w.memory : MEMORY;
	w.seconds = w.seconds ? w.seconds : SECONDS;
	char *folder = folder_of(script->text[0]), *below = w.below ? realpath(w.below, NULL) : NULL;
	const int why = errno; /* if there is no such folder */
	char *bytes = bl_file_read(script->text[0], &n), *text = bytes ? realloc(bytes, n + 1) : NULL;
	struct stat s;
	int status;
	if (!text) {
		status = fail(bl_error());
	} else if (w.below && (!below || stat(below, &s) != 0 || !S_ISDIR(s.st_mode))) {
		fprintf(stderr, "barlow: --below %s: %s\n", w.below, below ? "it is not a folder" : strerror(why));
		status = EXIT_FAILURE;
	} else {
		char name[PATH_MAX + 1];
		text[n] = '\0';
		size_t skip = n && text[0] == '#' ? strcspn(text, "\n") : 0; /* #!/usr/bin/env barlow */
		snprintf(name, sizeof name, "@%s", script->text[0]);
		piece p = { .text = text + skip, .name = name, .n = n - skip, .script = script };
		status = run_restricted(&w, &p, &(bl_lua_gate){ .read = folder, .both = below });
	}
	free(text ? text : bytes);
	free(folder);
	free(below);
	return status;
}
