/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shim.c: intercepts calls of the C library (LD_PRELOAD) and makes them fail, or disturbs them.
 *
 *     FAULT=KIND:N[:ERRNO]     only the Nth call of that kind fails
 *     FAULT=KIND:N-M[:ERRNO]   the calls from the Nth to the Mth fail (Lua repeats a failed allocation once)
 *     FAULT=KIND:N+[:ERRNO]    the Nth call and all later ones fail
 *     FAULT=disturb:SEED       yields, short sleeps, interrupted and partial reads and writes, and SIGUSR1, as SEED determines
 *     FAULT_COUNT=FILE         8 bytes: the number of calls in all processes that share the file
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
#include <fcntl.h>
#include <link.h>
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
static _Atomic uint64_t own_count, *count = &own_count;

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
	nth = colon ? strtoull(colon + 1, &end, 10) : 0;
	last = !end ? 0 : *end == '+' ? UINT64_MAX : *end == '-' ? strtoull(end + 1, &end, 10) : nth;
	if (kind == ALLOC || kind == MMAP)
		error = ENOMEM;
	else if (kind == THREAD)
		error = EAGAIN;
	if (end && (end = strchr(end, ':')))
		error = error_of(end + 1);
}

static void share_count(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	syscall(SYS_ftruncate, fd, (long)sizeof *count);
	void *at = (void *)syscall(SYS_mmap, NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
	syscall(SYS_close, fd);
	if (at != MAP_FAILED)
		count = at;
}

/* --- Calls that are not affected ------------------------------------------------------ */

static struct range {
	uintptr_t from, to;
} spared[8];
static int spareds;

static int spare(struct dl_phdr_info *library, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	if (!strstr(library->dlpi_name, "libncurses") && !strstr(library->dlpi_name, "libtinfo"))
		return 0;
	for (int i = 0; i < library->dlpi_phnum && spareds < 8; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];
		uintptr_t from = library->dlpi_addr + part->p_vaddr;
		if (part->p_type == PT_LOAD && (part->p_flags & PF_X))
			spared[spareds++] = (struct range){ from, from + part->p_memsz };
	}
	return 0;
}

static bool is_spared(const void *caller)
{
	for (int i = 0; i < spareds; i++)
		if ((uintptr_t)caller >= spared[i].from && (uintptr_t)caller < spared[i].to)
			return true;
	return false;
}

/* The C library's own `name`, which other libraries call before this library is initialised. */
/* clang-format off */
#define BEHIND(name) \
	static __typeof__(&name) behind; \
	if (!behind) \
		behind = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
/* clang-format on */

/* Runs after the constructors of the libraries, so calls of these constructors are not affected. */
__attribute__((constructor)) static void begin(void)
{
	const char *program = getenv("FAULT_PROGRAM"), *fault = getenv("FAULT"), *file = getenv("FAULT_COUNT");
	if (!fault || strcmp(program_invocation_short_name, program ? program : "barlow") != 0)
		return;
	if (file)
		share_count(file);
	dl_iterate_phdr(spare, NULL);
	parse(fault);
}

/* Does this call have to fail? */
static bool fails(enum kind k)
{
	if (k != kind)
		return false;
	uint64_t n = atomic_fetch_add(count, 1) + 1;
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

/* --- Memory ---------------------------------------------------------------------------- */

static bool no_memory(const void *caller)
{
	return kind == ALLOC && !is_spared(caller) && fails(ALLOC);
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
