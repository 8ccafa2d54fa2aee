/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_doctor.c: facts of the machine, the terminal and a folder as tables, which lua/doctor.lua evaluates. */
#define _GNU_SOURCE
#include "lua/bind/doctor.h"
#include "lua/bind/face.h"

#include <barlow/file.h>
#include <barlow/parallel.h>
#include <barlow/runs.h>
#include <barlow/view.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static void set_text(lua_State *L, const char *name, const char *text)
{
	bl_lua_push_clean(L, text, false);
	lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer n)
{
	lua_pushinteger(L, n);
	lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool on)
{
	lua_pushboolean(L, on);
	lua_setfield(L, -2, name);
}

static void set_limit(lua_State *L, const char *name, int resource)
{
	struct rlimit limit;
	if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		set_integer(L, name, (lua_Integer)limit.rlim_cur);
}

/* doctor_machine(): facts of the machine; memory and limits are in bytes, and a limit that is not set is nil */
static int machine(lua_State *L)
{
	const char *names[BL_KERNEL_SETS + 1];
	int n = bl_kernel_names(names);
	lua_newtable(L);
	set_text(L, "kernels", bl_kernel_name());
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "kernel_sets");
	set_text(L, "blas_core", bl_blas_core());
	set_text(L, "blas_library", bl_blas_library());
	set_integer(L, "threads", bl_threads());
	set_integer(L, "cores", sysconf(_SC_NPROCESSORS_ONLN));
	set_integer(L, "memory", (lua_Integer)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
	set_integer(L, "free_memory", (lua_Integer)sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE));
	set_limit(L, "address_limit", RLIMIT_AS);
	set_limit(L, "file_limit", RLIMIT_FSIZE);
	set_integer(L, "time", (lua_Integer)time(NULL));
	return 1;
}

static int terminal(lua_State *L)
{
	bl_terminal t = bl_terminal_query();
	lua_newtable(L);
	set_flag(L, "is_one", t.is_one);
	set_flag(L, "known", t.known);
	set_flag(L, "moves", t.moves);
	set_flag(L, "utf8", t.utf8);
	set_flag(L, "light", t.light);
	set_integer(L, "colours", t.colours);
	set_integer(L, "width", t.width);
	set_integer(L, "height", t.height);
	return 1;
}

/* colours(): whether output is coloured */
static int colours(lua_State *L)
{
	lua_pushboolean(L, bl_colours_wanted(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)));
	return 1;
}

static int progress_end(lua_State *L)
{
	(void)L;
	bl_advance_end();
	return 0;
}

/*
 * progress(what): an object that is called with (done, all) during long work, and removes the progress line when it is
 * closed:
 *     local report <close> = native.progress "tune"
 */
static int progress_call(lua_State *L)
{
	lua_getiuservalue(L, 1, 1);
	bl_advance(lua_tostring(L, -1), luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
	return 0;
}

static int progress(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__call", progress_call }, { "__close", progress_end }, { NULL, NULL } };
	luaL_checkstring(L, 1);
	lua_newuserdatauv(L, 0, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	luaL_newlib(L, meta);
	lua_setmetatable(L, -2);
	return 1;
}

/* --- a folder --- */

/* Tests with a temporary file: hard links, locks, and the difference between the file system's clock and this machine's. */
static void try_file(lua_State *L, const char *folder)
{
	char *path = bl_runs_path(folder, ".barlow-doctor-XXXXXX");
	int fd = path ? mkostemp(path, O_CLOEXEC) : -1;
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat s;
	set_flag(L, "writable", fd >= 0 && write(fd, "x", 1) == 1);
	if (fd < 0) {
		set_text(L, "why", strerror(errno));
		free(path);
		return;
	}
	char *second = bl_runs_path(folder, strrchr(path, '/') + 1), *mark = second ? strrchr(second, '-') : NULL;
	if (mark) {
		*mark = '+';
		bool linked = link(path, second) == 0;
		set_flag(L, "links", linked);
		if (linked)
			unlink(second);
	}
	set_flag(L, "locks", fcntl(fd, F_OFD_SETLK, &whole) == 0);
	if (fstat(fd, &s) == 0)
		set_integer(L, "late", (lua_Integer)(s.st_mtime - time(NULL)));
	unlink(path);
	close(fd);
	free(second);
	free(path);
}

/* doctor_folder(path): facts of the folder or, if it does not exist, of the folder in which it would be made */
static int folder(lua_State *L)
{
	size_t n;
	const char *given = luaL_checklstring(L, 1, &n);
	char *path = lua_newuserdatauv(L, n + 2, 0);
	struct statvfs room;
	struct stat s;
	memcpy(path, given, n + 1);
	while (access(path, F_OK) != 0) { /* shortens the path to its existing part */
		char *slash = strrchr(path, '/');
		if (!slash || slash == path) {
			snprintf(path, 2, "/");
			break;
		}
		*slash = '\0';
	}
	lua_newtable(L);
	set_flag(L, "exists", strcmp(path, given) == 0);
	set_text(L, "at", path);
	if (stat(path, &s) != 0 || !S_ISDIR(s.st_mode)) {
		set_flag(L, "writable", false);
		set_text(L, "why", "it is not a folder");
		return 1;
	}
	if (statvfs(path, &room) == 0)
		set_integer(L, "free", (lua_Integer)room.f_bavail * (lua_Integer)room.f_frsize);
	try_file(L, path);
	return 1;
}

/* user_folder(variable, below): the folder, or nil and the reason */
static int user_folder(lua_State *L)
{
	char *path = bl_file_user_folder(luaL_checkstring(L, 1), luaL_checkstring(L, 2));
	lua_pushstring(L, path);
	lua_pushstring(L, path ? "" : bl_error());
	free(path);
	return 2;
}

void bl_lua_add_doctor(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "doctor_machine", machine },
		{ "doctor_terminal", terminal },
		{ "doctor_folder", folder },
		{ "user_folder", user_folder },
		{ "colours", colours },
		{ "progress", progress },
		{ NULL, NULL },
	};
	luaL_setfuncs(L, functions, 0);
}
