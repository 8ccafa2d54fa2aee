/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_sweep.c: functions for lua/sweep.lua and related files: files of trials, processes, random numbers, intervals. */
#include "lua/bind/face.h"
#include "lua/bind/sweep.h"

#include <barlow/file.h>
#include <barlow/parallel.h>
#include <barlow/process.h>
#include <barlow/random.h>
#include <barlow/statistics.h>
#include <barlow/trials.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int trial_number(lua_State *L, int arg)
{
	lua_Integer k = luaL_checkinteger(L, arg);
	luaL_argcheck(L, k >= 1 && k <= BL_TRIALS_MOST, arg, "expected the number of a trial");
	return (int)k;
}

static void set_integer(lua_State *L, const char *name, int64_t v)
{
	lua_pushinteger(L, v);
	lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool v)
{
	lua_pushboolean(L, v);
	lua_setfield(L, -2, name);
}

/* --- trials --- */

/* trial_path(folder, trial[, attempt]) */
static int sweep_trial_path(lua_State *L)
{
	char *path = bl_trial_path(luaL_checkstring(L, 1), trial_number(L, 2), (int)luaL_optinteger(L, 3, 0));
	if (!path)
		return bl_lua_fail(L);
	lua_pushstring(L, path);
	free(path);
	return 1;
}

/* trial_read(folder, trial): {over =, attempts =, host =, pid =, beat =, here =, dead =} */
static int sweep_trial_look(lua_State *L)
{
	bl_trial t;
	if (bl_trial_read(luaL_checkstring(L, 1), trial_number(L, 2), &t) < 0)
		return bl_lua_fail(L);
	lua_createtable(L, 0, 7);
	set_boolean(L, "over", t.over);
	set_boolean(L, "here", t.here);
	set_boolean(L, "dead", t.dead);
	set_integer(L, "attempts", t.attempts);
	set_integer(L, "pid", t.pid);
	set_integer(L, "beat", t.beat);
	lua_pushstring(L, t.host);
	lua_setfield(L, -2, "host");
	return 1;
}

/* trial_claim(folder, trial, attempt): true, or false if another process has claimed it */
static int sweep_trial_claim(lua_State *L)
{
	int rc = bl_trial_claim(luaL_checkstring(L, 1), trial_number(L, 2), (int)luaL_checkinteger(L, 3));
	if (rc < 0)
		return bl_lua_fail(L);
	lua_pushboolean(L, rc == 0);
	return 1;
}

/* trial_stop(): records that this process's attempt was stopped, so that it does not count as failed */
static int sweep_trial_stop(lua_State *L)
{
	(void)L;
	bl_trial_stop(false);
	return 0;
}

/* trial_beat(folder, trial, attempt): records that the attempt's process is alive */
static int sweep_trial_beat(lua_State *L)
{
	int rc = bl_trial_beat(luaL_checkstring(L, 1), trial_number(L, 2), (int)luaL_checkinteger(L, 3));
	return rc < 0 ? bl_lua_fail(L) : 0;
}

/* trial_finish(folder, trial, attempt, text): stores the result; false if another attempt finished first */
static int sweep_trial_finish(lua_State *L)
{
	size_t n;
	const char *text = luaL_checklstring(L, 4, &n);
	int rc = bl_trial_finish(luaL_checkstring(L, 1), trial_number(L, 2), (int)luaL_checkinteger(L, 3), text, n);
	if (rc < 0)
		return bl_lua_fail(L);
	lua_pushboolean(L, rc == 0);
	return 1;
}

/* --- files --- */

/* make_folder(path) */
static int sweep_make_folder(lua_State *L)
{
	return bl_file_make_folder(luaL_checkstring(L, 1)) < 0 ? bl_lua_fail(L) : 0;
}

/* create_file(path, text): true, or false if the file exists already */
static int sweep_create_file(lua_State *L)
{
	size_t n;
	const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &n);
	const char *early = lua_pushfstring(L, "%s.%d", path, (int)getpid());
	int rc = bl_file_write_private(early, text, n);
	if (rc == 0)
		rc = bl_file_publish(early, path, text, n);
	unlink(early);
	if (rc < 0)
		return bl_lua_fail(L);
	lua_pushboolean(L, rc == 0);
	return 1;
}

/* append_line(path, text): appends a line in one write, so that lines of several processes do not mix */
static int sweep_append_line(lua_State *L)
{
	size_t n;
	const char *path = luaL_checkstring(L, 1);
	luaL_checkstring(L, 2);
	lua_settop(L, 2);
	lua_pushliteral(L, "\n");
	lua_concat(L, 2);
	const char *line = lua_tolstring(L, 2, &n);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool fine = fd >= 0 && bl_file_put(fd, line, n) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	return fine ? 0 : luaL_error(L, "%s: %s", path, strerror(why));
}

/* read_file(path): its text, or nil and the reason */
static int sweep_read_file(lua_State *L)
{
	size_t n;
	char *text = bl_file_read(luaL_checkstring(L, 1), &n);
	if (!text)
		return lua_pushnil(L), lua_pushstring(L, bl_error()), 2;
	lua_pushlstring(L, text, n);
	free(text);
	return 1;
}

/* list_folder(path): the names in it, without hidden ones, sorted; {} if the folder is missing or cannot be read */
static int sweep_list_folder(lua_State *L)
{
	struct dirent **names = NULL;
	int n = scandir(luaL_checkstring(L, 1), &names, NULL, alphasort);
	lua_createtable(L, n > 0 ? n : 0, 0);
	for (int i = 0, k = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			lua_pushstring(L, names[i]->d_name);
			lua_rawseti(L, -2, ++k);
		}
		free(names[i]);
	}
	free(names);
	return 1;
}

/* --- processes --- */

enum { ARGUMENTS_MOST = 32 };

static void read_texts(lua_State *L, int index, const char *out[ARGUMENTS_MOST + 1])
{
	int n = 0;
	luaL_checktype(L, index, LUA_TTABLE);
	for (; n < ARGUMENTS_MOST && lua_rawgeti(L, index, n + 1) == LUA_TSTRING; lua_pop(L, 1))
		out[n++] = lua_tostring(L, -1); /* the table keeps it alive */
	out[n] = NULL;
}

/* process_start(arguments, log, environment): the id of the new process */
static int sweep_process_start(lua_State *L)
{
	const char *arguments[ARGUMENTS_MOST + 1], *extra[ARGUMENTS_MOST + 1];
	read_texts(L, 1, arguments);
	read_texts(L, 3, extra);
	int64_t pid = bl_process_spawn((char *const *)(uintptr_t)arguments, luaL_checkstring(L, 2), extra);
	if (pid < 0)
		return bl_lua_fail(L);
	lua_pushinteger(L, pid);
	return 1;
}

/* process_poll(pid): nil while it runs, then its exit status */
static int sweep_process_poll(lua_State *L)
{
	int status, rc = bl_process_poll(luaL_checkinteger(L, 1), &status);
	if (rc < 0)
		return bl_lua_fail(L);
	if (rc == 0)
		lua_pushnil(L);
	else
		lua_pushinteger(L, status);
	return 1;
}

/* process_end(pid, hard): sends SIGKILL if `hard`, else SIGTERM, on which a process saves its run and ends; true: it was sent */
static int sweep_process_end(lua_State *L)
{
	lua_Integer pid = luaL_checkinteger(L, 1);
	luaL_argcheck(L, pid > 1 && pid <= INT32_MAX, 1, "expected the number of a process");
	lua_pushboolean(L, kill((pid_t)pid, lua_toboolean(L, 2) ? SIGKILL : SIGTERM) == 0);
	return 1;
}

/* cores(): the number of threads that this process may use */
static int sweep_cores(lua_State *L)
{
	lua_pushinteger(L, bl_threads());
	return 1;
}

static int sweep_program(lua_State *L)
{
	char *path = bl_process_program();
	if (!path)
		return bl_lua_fail(L);
	lua_pushstring(L, path);
	free(path);
	return 1;
}

/* whoami(): {host =, pid =, parent =} */
static int sweep_whoami(lua_State *L)
{
	bl_process_id me;
	bl_process_self(&me);
	lua_createtable(L, 0, 3);
	lua_pushstring(L, me.host);
	lua_setfield(L, -2, "host");
	set_integer(L, "pid", me.pid);
	set_integer(L, "parent", getppid());
	return 1;
}

/* limit_memory(mebibytes): limits the memory for this process's data (RLIMIT_DATA) */
static int sweep_limit_memory(lua_State *L)
{
	rlim_t bytes = (rlim_t)luaL_checkinteger(L, 1) << 20;
	struct rlimit now;
	if (getrlimit(RLIMIT_DATA, &now) != 0)
		return luaL_error(L, "the memory limit cannot be read: %s", strerror(errno));
	now.rlim_cur = now.rlim_max == RLIM_INFINITY || bytes < now.rlim_max ? bytes : now.rlim_max;
	if (setrlimit(RLIMIT_DATA, &now) != 0)
		return luaL_error(L, "the memory limit cannot be set: %s", strerror(errno));
	return 0;
}

/* sleep(seconds): returns early when a signal arrives */
static int sweep_sleep(lua_State *L)
{
	double s = luaL_checknumber(L, 1);
	luaL_argcheck(L, s >= 0 && s < 1e6, 1, "expected seconds");
	nanosleep(&(struct timespec){ .tv_sec = (time_t)s, .tv_nsec = (long)((s - floor(s)) * 1e9) }, NULL);
	return 0;
}

/* --- standard input, read line by line without blocking --- */

enum { LINE_MOST = 1 << 20 };

static struct {
	char text[LINE_MOST];
	size_t n;
	bool over;
} input;

/*
 * Pushes the first line that was read, without its newline.  An incomplete line is pushed only if the input has ended or the
 * buffer is full.  Returns false if there is no line to push.
 */
static bool push_line(lua_State *L)
{
	const char *end = memchr(input.text, '\n', input.n);
	size_t n = end ? (size_t)(end - input.text) : input.n;
	if (!end && !(input.over && input.n > 0) && input.n < LINE_MOST)
		return false;
	lua_pushlstring(L, input.text, n);
	size_t used = end ? n + 1 : n;
	memmove(input.text, input.text + used, input.n - used);
	input.n -= used;
	return true;
}

/* input_line([seconds]): a line of standard input, or nil if none arrived within this time or the input has ended */
static int sweep_input_line(lua_State *L)
{
	double s = luaL_optnumber(L, 1, -1);
	struct pollfd of = { .fd = STDIN_FILENO, .events = POLLIN };
	while (!push_line(L)) {
		int rc = input.over ? 0 : poll(&of, 1, s < 0 ? -1 : (int)(1000 * s));
		if (rc < 0 && errno == EINTR && !bl_lua_interrupted)
			continue;
		if (rc <= 0)
			return 0;
		ssize_t n = read(STDIN_FILENO, input.text + input.n, LINE_MOST - input.n);
		input.over = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
		input.n += n > 0 ? (size_t)n : 0;
	}
	return 1;
}

/* --- numbers --- */

/* keyed(seed, purpose, number, n): n uniform numbers in [0, 1), which depend on these arguments only */
static int sweep_keyed(lua_State *L)
{
	bl_rng r;
	lua_Integer number = luaL_checkinteger(L, 3), n = luaL_checkinteger(L, 4);
	luaL_argcheck(L, n >= 0 && n <= 1000000, 4, "expected a number from 0 to 1000000");
	bl_rng_init(&r, (uint64_t)luaL_checkinteger(L, 1), 0, (uint32_t)number, BL_STREAM_USER);
	bl_rng_narrow(&r, luaL_checkstring(L, 2), (uint32_t)(number >> 32));
	lua_createtable(L, (int)n, 0);
	for (lua_Integer i = 1; i <= n; i++) {
		uint64_t high = bl_rng_u32(&r), low = bl_rng_u32(&r);
		lua_pushnumber(L, (double)((high << 32 | low) >> 11) * 0x1p-53);
		lua_rawseti(L, -2, i);
	}
	return 1;
}

/* Pushes a userdata with the *n numbers of the list at `index`. */
static double *read_numbers(lua_State *L, int index, int64_t *n)
{
	luaL_checktype(L, index, LUA_TTABLE);
	*n = (int64_t)lua_rawlen(L, index);
	double *x = lua_newuserdatauv(L, (size_t)(*n + 1) * sizeof *x, 0);
	for (int64_t i = 0; i < *n; i++, lua_pop(L, 1)) {
		lua_rawgeti(L, index, i + 1);
		x[i] = luaL_checknumber(L, -1);
	}
	return x;
}

/* interval(values, level[, draws, seed]): {n =, mean =, sd =, low =, high =, p =}; by bootstrap if draws are given */
static int sweep_interval(lua_State *L)
{
	int64_t n;
	lua_settop(L, 4);
	const double *x = read_numbers(L, 1, &n);
	double level = luaL_checknumber(L, 2);
	luaL_argcheck(L, level > 0 && level < 1, 2, "expected a level between 0 and 1");
	bl_interval v = lua_isnil(L, 3)
	                        ? bl_interval_of(x, n, level)
	                        : bl_interval_bootstrap(x, n, level, luaL_checkinteger(L, 3), (uint64_t)luaL_optinteger(L, 4, 0));
	lua_createtable(L, 0, 6);
	set_integer(L, "n", v.n);
	const struct {
		const char *name;
		double value;
	} of[] = {
		{ "mean", v.mean }, { "sd", v.sd }, { "low", v.low }, { "high", v.high }, { "p", v.p },
	};
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		lua_pushnumber(L, of[i].value);
		lua_setfield(L, -2, of[i].name);
	}
	return 1;
}

/* holm(list): the p values of the list, corrected by Holm's method */
static int sweep_holm(lua_State *L)
{
	int64_t n;
	double *p = read_numbers(L, 1, &n);
	for (int64_t i = 0; i < n; i++)
		luaL_argcheck(L, isnan(p[i]) || (p[i] >= 0 && p[i] <= 1), 1, "expected probabilities");
	bl_holm(p, n);
	lua_createtable(L, (int)n, 0);
	for (int64_t i = 0; i < n; i++) {
		lua_pushnumber(L, p[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

void bl_lua_add_sweep(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "trial_path", sweep_trial_path },
		{ "trial_read", sweep_trial_look },
		{ "trial_claim", sweep_trial_claim },
		{ "trial_stop", sweep_trial_stop },
		{ "trial_beat", sweep_trial_beat },
		{ "trial_finish", sweep_trial_finish },
		{ "make_folder", sweep_make_folder },
		{ "create_file", sweep_create_file },
		{ "append_line", sweep_append_line },
		{ "read_file", sweep_read_file },
		{ "list_folder", sweep_list_folder },
		{ "process_start", sweep_process_start },
		{ "process_poll", sweep_process_poll },
		{ "process_end", sweep_process_end },
		{ "cores", sweep_cores },
		{ "program", sweep_program },
		{ "whoami", sweep_whoami },
		{ "limit_memory", sweep_limit_memory },
		{ "sleep", sweep_sleep },
		{ "input_line", sweep_input_line },
		{ "keyed", sweep_keyed },
		{ "interval", sweep_interval },
		{ "holm", sweep_holm },
		{ NULL, NULL },
	};
	luaL_setfuncs(L, functions, 0);
}
