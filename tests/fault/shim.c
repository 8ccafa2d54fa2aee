/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shim.c: intercepts calls of the C library (LD_PRELOAD) and makes them fail, or disturbs them.
 *
 *     FAULT=KIND:N[:ERRNO]     only the Nth call of that kind fails
 *     FAULT=KIND:N-M[:ERRNO]   the calls from the Nth to the Mth fail (Lua repeats a failed allocation once)
 *     FAULT=KIND:N+[:ERRNO]    the Nth call and all later ones fail
 *     FAULT=alloc:#STACK       the first allocation whose stack of calls has this hash fails, and the next one, too, if Lua asked
 *     FAULT=disturb:SEED       yields, short sleeps, interrupted and partial reads and writes, and SIGUSR1, as SEED determines
 *     FAULT_COUNT=FILE         numbers of 8 bytes, which all processes that name the file share: how many calls there were, whether
 *                              #STACK has failed, and the hashes of all stacks (in hash order, between zeros) if STACK is 0
 *
 * Kinds: alloc, write, short (a write that writes half of the bytes), room (posix_fallocate, ftruncate), fsync, rename (and link),
 * open, read, mmap, thread.  Errors: EIO (the default), ENOSPC, EROFS, EDQUOT, EMFILE, ENOMEM.  Of the kinds write and room,
 * only calls on regular files count.  Opening a file counts as "open" if it can create or write, otherwise as "read".  Only
 * programs named $FAULT_PROGRAM (barlow) are affected, and not gnuplot.  Allocations by ncurses never fail, because newterm()
 * crashes by itself without memory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <lua.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum kind { NONE, ALLOC, WRITE, SHORT, ROOM, FSYNC, RENAME, OPEN, READ, MMAP, THREAD, DISTURB, KINDS };
static const char *const kind_names[KINDS] = { "",       "alloc", "write", "short", "room",   "fsync",
	                                       "rename", "open",  "read",  "mmap",  "thread", "disturb" };

static enum kind kind;
static uint64_t nth, last; /* the first and the last call that fail */
static int error = EIO;
static bool by_stack;
static uint64_t wanted; /* the stack that fails; 0: stacks are recorded */

enum { STACKS_MOST = 1 << 16 };
static struct shared {
	_Atomic uint64_t count, failed, stacks[STACKS_MOST];
} own, *shared = &own;

/* --- The requested fault -------------------------------------------------------------- */

static int error_of(const char *name)
{
	static const struct {
		const char *name;
		int error;
	} known[] = { { "EIO", EIO },       { "ENOSPC", ENOSPC }, { "EROFS", EROFS },  { "EDQUOT", EDQUOT },
		      { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM }, { "EAGAIN", EAGAIN } };
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].error;
	return EIO;
}

static void parse(const char *text)
{
	const char *colon = strchr(text, ':');
	for (int k = 1; colon && k < KINDS; k++)
		if (strlen(kind_names[k]) == (size_t)(colon - text) && strncmp(text, kind_names[k], (size_t)(colon - text)) == 0)
			kind = (enum kind)k;
	char *end = NULL;
	by_stack = kind == ALLOC && colon[1] == '#';
	wanted = by_stack ? strtoull(colon + 2, NULL, 16) : 0;
	nth = colon ? strtoull(colon + 1, &end, 10) : 0;
	last = !end ? 0 : *end == '+' ? UINT64_MAX : *end == '-' ? strtoull(end + 1, &end, 10) : nth;
	if (kind == ALLOC || kind == MMAP)
		error = ENOMEM;
	else if (kind == THREAD)
		error = EAGAIN;
	if (end && (end = strchr(end, ':')))
		error = error_of(end + 1);
}

static void share(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	syscall(SYS_ftruncate, fd, (long)sizeof *shared);
	void *at = (void *)syscall(SYS_mmap, NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
	syscall(SYS_close, fd);
	if (at != MAP_FAILED)
		shared = at;
}

/* --- Calls that are not affected ------------------------------------------------------ */

/* The code of a library, at an address that differs in each process. */
static struct code {
	uintptr_t base, from, to;
	bool is_spared, is_lua;
} codes[256];
static int codes_n;

static int add_library(struct dl_phdr_info *library, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	bool curses = strstr(library->dlpi_name, "libncurses") || strstr(library->dlpi_name, "libtinfo");
	for (int i = 0; i < library->dlpi_phnum && codes_n < (int)(sizeof codes / sizeof codes[0]); i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t from = library->dlpi_addr + part->p_vaddr;
		if (part->p_type == PT_LOAD && (part->p_flags & PF_X))
			codes[codes_n++] = (struct code){ library->dlpi_addr, from, from + part->p_memsz, curses,
				                          strstr(library->dlpi_name, "liblua") != NULL };
	}
	return 0;
}

static const struct code *code_of(const void *address)
{
	for (int i = 0; i < codes_n; i++)
		if ((uintptr_t)address >= codes[i].from && (uintptr_t)address < codes[i].to)
			return &codes[i];
	return NULL;
}

static bool is_spared(const void *caller)
{
	const struct code *code = code_of(caller);
	return code && code->is_spared;
}

/* The C library's own `name`, which other libraries call before this library is initialised. */
/* clang-format off */
#define BEHIND(name) BEHIND_OF(name, behind)
#define BEHIND_OF(name, variable) \
	static __typeof__(&name) variable; \
	if (!variable) \
		variable = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
/* clang-format on */

/* Runs after the constructors of the libraries, so calls of these constructors are not affected. */
__attribute__((constructor)) static void begin(void)
{
	const char *program = getenv("FAULT_PROGRAM"), *fault = getenv("FAULT"), *file = getenv("FAULT_COUNT");
	if (!fault || strcmp(program_invocation_short_name, program ? program : "barlow") != 0)
		return;
	if (file)
		share(file);
	dl_iterate_phdr(add_library, NULL);
	backtrace((void *[1]){ NULL }, 1); /* the first call allocates */
	parse(fault);
}

/* Does this call have to fail? */
static bool fails(enum kind k)
{
	if (k != kind)
		return false;
	uint64_t n = atomic_fetch_add(&shared->count, 1) + 1;
	if (n < nth || n > last)
		return false;
	errno = error;
	return true;
}

static bool is_file(int fd)
{
	struct stat s;
	int before = errno;
	bool file = fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
	errno = before;
	return file;
}

/* --- Disturbance ----------------------------------------------------------------------- */

static _Atomic uint64_t threads;
static _Thread_local uint64_t stream, drawn;

/* A random number that depends on the seed, the thread and the number of earlier draws of the thread. */
static uint64_t draw(void)
{
	if (!stream)
		stream = atomic_fetch_add(&threads, 1) + 1;
	uint64_t x = nth * 0x9e3779b97f4a7c15u ^ stream << 40 ^ ++drawn;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* SIGUSR1 saves runs; it is sent only after the program has installed a handler for it. */
static void send_signal(void)
{
	struct sigaction now;
	if (sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN)
		kill(getpid(), SIGUSR1);
}

static void disturb(void)
{
	if (kind != DISTURB)
		return;
	int before = errno;
	uint64_t x = draw();
	if (x % 16 == 0)
		sched_yield();
	else if (x % 64 == 1)
		nanosleep(&(struct timespec){ .tv_nsec = (long)(x >> 32) % 200000 }, NULL);
	else if (x % 4096 == 2)
		send_signal();
	errno = before;
}

/* Returns the number of bytes, at most n, that a call may process, or -1 with EINTR. */
static ssize_t take(int fd, size_t n)
{
	disturb();
	if (kind != DISTURB || !is_file(fd))
		return (ssize_t)n;
	uint64_t x = draw();
	if (x % 16 == 0) {
		errno = EINTR;
		return -1;
	}
	return x % 16 == 1 && n > 1 ? (ssize_t)(1 + (x >> 32) % (n - 1)) : (ssize_t)n;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	BEHIND(pthread_mutex_lock);
	disturb();
	return behind(m);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	BEHIND(pthread_mutex_unlock);
	int rc = behind(m);
	disturb();
	return rc;
}

/* --- Stacks of calls ------------------------------------------------------------------ */

enum { FRAMES_MOST = 64, C_FRAMES = 12, LUA_FRAMES = 3, LUA_LEVELS = 2 };
static _Thread_local lua_State *running; /* Lua's innermost coroutine in this thread */

int lua_pcallk(lua_State *L, int arguments, int results, int handler, lua_KContext ctx, lua_KFunction k)
{
	BEHIND(lua_pcallk);
	lua_State *outer = running;
	running = L;
	int rc = behind(L, arguments, results, handler, ctx, k);
	running = outer;
	return rc;
}

int lua_resume(lua_State *L, lua_State *from, int arguments, int *results)
{
	BEHIND(lua_resume);
	lua_State *outer = running;
	running = L;
	int rc = behind(L, from, arguments, results);
	running = outer;
	return rc;
}

static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t n)
{
	for (const unsigned char *at = bytes; n > 0; at++, n--)
		hash = (hash ^ *at) * 0x100000001b3u;
	return hash;
}

/* The lines of Lua that are running.  From 5.4.6 on, Lua's stack cannot be looked at while it moves. */
static uint64_t add_lua(uint64_t hash)
{
#if LUA_VERSION_RELEASE_NUM < 504 * 100 + 6
	BEHIND_OF(lua_getstack, get_stack);
	BEHIND_OF(lua_getinfo, get_info);
	lua_Debug at;
	for (int level = 0; running && level < LUA_LEVELS && get_stack(running, level, &at) && get_info(running, "Sl", &at);
	     level++) {
		hash = add_bytes(hash, at.short_src, strlen(at.short_src));
		hash = add_bytes(hash, &at.currentline, sizeof at.currentline);
	}
#endif
	return hash;
}

/*
 * A hash of the calls that led to an allocation: the same in each process.  *lua: Lua's own allocator has called.  Of Lua's
 * functions that call each other only the innermost count, since its parser calls itself as deeply as the text is nested.
 */
static uint64_t hash_stack(bool *lua)
{
	void *frames[FRAMES_MOST];
	int n = backtrace(frames, FRAMES_MOST), used = 0, in_lua = 0;
	const struct code *shim = code_of((void *)hash_stack);
	uint64_t hash = 0xcbf29ce484222325u;
	for (int i = 0; i < n && used < C_FRAMES; i++) {
		const struct code *code = code_of(frames[i]);
		if (!code || code == shim)
			continue;
		in_lua = code->is_lua ? in_lua + 1 : 0;
		if (in_lua > LUA_FRAMES)
			continue;
		uintptr_t offset = (uintptr_t)frames[i] - code->base;
		hash = add_bytes(hash, &offset, sizeof offset);
		*lua = *lua || (code->is_lua && used < 2);
		used++;
	}
	return add_lua(hash) | 1;
}

static void record_stack(uint64_t hash)
{
	for (uint64_t i = hash >> 1; /* until there is room */; i++) {
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(&shared->stacks[i % STACKS_MOST], &there, hash) || there == hash)
			return;
	}
}

static bool fails_by_stack(void)
{
	static _Thread_local bool inside, next;
	if (inside)
		return false;
	bool fail = next;
	next = false;
	if (!fail && atomic_load(&shared->failed) == 0) {
		bool lua = false;
		int before = errno;
		inside = true;
		uint64_t hash = hash_stack(&lua);
		inside = false;
		errno = before;
		if (wanted == 0)
			record_stack(hash);
		else if (hash == wanted && atomic_exchange(&shared->failed, 1) == 0)
			fail = true, next = lua;
	}
	atomic_fetch_add(&shared->count, 1);
	if (fail)
		errno = ENOMEM;
	return fail;
}

/* --- Memory ---------------------------------------------------------------------------- */

static bool no_memory(const void *caller)
{
	return kind == ALLOC && !is_spared(caller) && (by_stack ? fails_by_stack() : fails(ALLOC));
}

void *malloc(size_t n)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

/* The C library's would be the caller of malloc(), although ncurses has called. */
char *strdup(const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
	return copy ? memcpy(copy, text, n) : NULL;
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, n);
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
	void *p = no_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, n);
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return fails(MMAP) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, n, protection, flags, fd, offset);
}

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	BEHIND(pthread_create);
	return fails(THREAD) ? error : behind(t, attr, run, arg);
}

/* --- Files ----------------------------------------------------------------------------- */

static bool write_fails(int fd, size_t *n)
{
	if ((kind != WRITE && kind != SHORT) || !is_file(fd))
		return false;
	if (fails(WRITE))
		return true;
	if (*n > 1 && fails(SHORT))
		*n /= 2;
	return false;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	ssize_t most = take(fd, n);
	n = (size_t)most;
	return most < 0 || write_fails(fd, &n) ? -1 : syscall(SYS_write, fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	ssize_t most = take(fd, n);
	n = (size_t)most;
	return most < 0 || write_fails(fd, &n) ? -1 : syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite(fd, bytes, n, at);
}

ssize_t read(int fd, void *bytes, size_t n)
{
	ssize_t most = take(fd, n);
	return most < 0 ? -1 : syscall(SYS_read, fd, bytes, (size_t)most);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
	ssize_t most = take(fd, n);
	return most < 0 ? -1 : syscall(SYS_pread64, fd, bytes, (size_t)most, at);
}

ssize_t pread64(int fd, void *bytes, size_t n, off_t at)
{
	return pread(fd, bytes, n, at);
}

int fsync(int fd)
{
	disturb();
	return fails(FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	disturb();
	return fails(FSYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t n)
{
	return kind == ROOM && is_file(fd) && fails(ROOM) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off_t n)
{
	return ftruncate(fd, n);
}

int posix_fallocate(int fd, off_t at, off_t n)
{
	BEHIND(posix_fallocate);
	return kind == ROOM && is_file(fd) && fails(ROOM) ? error : behind(fd, at, n);
}

int posix_fallocate64(int fd, off_t at, off_t n)
{
	return posix_fallocate(fd, at, n);
}

int rename(const char *from, const char *to)
{
	disturb();
	return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to)
{
	disturb();
	return fails(RENAME) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static bool open_fails(int flags)
{
	disturb();
	return fails((flags & O_ACCMODE) == O_RDONLY && !(flags & O_DIRECTORY) ? READ : OPEN);
}

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
	return open_fails(flags) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE_AFTER(flags) \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | O_TMPFILE)) { \
		va_list ap; \
		va_start(ap, flags); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
	}

int open(const char *path, int flags, ...)
{
	MODE_AFTER(flags)
	return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	MODE_AFTER(flags)
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	MODE_AFTER(flags)
	return open_at(folder, path, flags, mode);
}

FILE *fopen(const char *path, const char *how)
{
	BEHIND(fopen);
	return open_fails(strchr(how, 'r') && !strchr(how, '+') ? O_RDONLY : O_RDWR) ? NULL : behind(path, how);
}

FILE *fopen64(const char *path, const char *how)
{
	return fopen(path, how);
}
