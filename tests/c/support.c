/* SPDX-License-Identifier: GPL-3.0-or-later */
/* support.c: implements support.h. */
#include "support.h"

#include "data/gunzip.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/random.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS = 4, PATH_SIZE = 1024 };

/* --- A home folder for the test --------------------------------------------------------- */

static char home[64];
static pid_t owner;

static void remove_home(void)
{
	char command[96];
	snprintf(command, sizeof command, "rm -rf %s", home);
	if (getpid() == owner && system(command) != 0)
		fprintf(stderr, "%s was not removed\n", home);
}

/* A test that is started without tests/run does not write to the user's own folders either. */
__attribute__((constructor)) static void make_home(void)
{
	static const char *const names[][2] = { { "XDG_DATA_HOME", "data" },
		                                { "XDG_STATE_HOME", "state" },
		                                { "XDG_CONFIG_HOME", "config" },
		                                { "XDG_CACHE_HOME", "cache" } };
	char path[96];
	strcpy(home, "/tmp/barlow-test-XXXXXX");
	if (getenv("BARLOW_TEST_HOME") || !mkdtemp(home))
		return;
	owner = getpid();
	setenv("BARLOW_TEST_HOME", home, 1);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", home, names[i][1]);
		setenv(names[i][0], path, 1);
	}
	atexit(remove_home);
}

/* --- Comparing -------------------------------------------------------------------------- */

void support_close(double a, double b, double tolerance, const char *what, const char *file, int line)
{
	if (fabs(a - b) <= tolerance * fmax(1, fabs(b)))
		return;
	print_error("%s is %.9g, expected %.9g within %g\n", what, a, b, tolerance);
	_fail(file, line);
}

void support_all_close(const float *a, const float *b, int64_t n, double tolerance, const char *what, const char *file, int line)
{
	double scale = 0, worst = 0;
	int64_t at = 0;
	for (int64_t i = 0; i < n; i++) {
		double d = fabs((double)a[i] - b[i]);
		scale = fmax(scale, fabs(b[i]));
		if (d > worst || isnan(d)) {
			worst = isnan(d) ? INFINITY : d;
			at = i;
		}
	}
	if (worst <= tolerance * scale)
		return;
	print_error("%s[%lld] is %.9g, expected %.9g; off by %.3g of the largest, allowed %.3g\n", what, (long long)at, a[at],
	            b[at], worst / scale, tolerance);
	_fail(file, line);
}

void support_error(const char *part, const char *file, int line)
{
	if (strstr(bl_error(), part))
		return;
	print_error("message \"%s\" does not contain \"%s\"\n", bl_error(), part);
	_fail(file, line);
}

/* Returns one of a few buffers in turn, so that one call can have several paths as arguments. */
static const char *path_of(const char *folder, const char *name)
{
	static char paths[PATHS][PATH_SIZE];
	static int next;
	char *path = paths[next++ % PATHS];
	int n = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
	assert_in_range(n, 1, PATH_SIZE - 1);
	return path;
}

const char *support_source(const char *path)
{
	const char *root = getenv("SRCDIR");
	return path_of(root ? root : ".", path);
}

static char scratch[PATH_SIZE];
static pid_t scratch_owner;

/* Removes files, links, and folders with their content.  The descriptor, or -1, is that of a folder, and is closed. */
static void empty_folder(int fd)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || unlinkat(fd, e->d_name, 0) == 0)
			continue;
		empty_folder(openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static void remove_scratch(void)
{
	if (getpid() != scratch_owner)
		return;
	empty_folder(open(scratch, O_RDONLY | O_DIRECTORY));
	rmdir(scratch);
}

const char *support_scratch(const char *name)
{
	if (!scratch_owner) {
		const char *tmp = getenv("TMPDIR");
		snprintf(scratch, sizeof scratch, "%s/barlow-test-XXXXXX", tmp ? tmp : "/tmp");
		assert_non_null(mkdtemp(scratch));
		scratch_owner = getpid();
		atexit(remove_scratch);
	}
	return path_of(scratch, name);
}

void support_write(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

void support_gunzip(const char *gz, const char *to, size_t n)
{
	bl_gunzip *g = bl_gunzip_open(gz);
	char *bytes = malloc(n);
	assert_non_null(g);
	assert_non_null(bytes);
	assert_int_equal(bl_gunzip_read(g, bytes, n, "the file"), 0);
	assert_int_equal(bl_gunzip_finish(g), 0);
	bl_gunzip_close(g);
	support_write(to, bytes, n);
	free(bytes);
}

float *support_normals(int64_t n, uint64_t seed, uint32_t stream)
{
	bl_rng r;
	float *v = malloc((size_t)n * sizeof *v);
	bl_rng_init(&r, seed, 0, stream, BL_STREAM_USER);
	for (int64_t i = 0; i < n; i++)
		v[i] = bl_rng_normal(&r);
	return v;
}

void support_no_blocks_left(void **state)
{
	(void)state;
	bl_memory_stats s;
	bl_memory(&s);
	assert_int_equal(s.used, 0);
}

void support_other_kernels(void **state)
{
	static const char *const names[] = { "avx2", "generic" };
	char program[PATH_MAX], command[PATH_MAX + 64];
	(void)state;
	if (getenv("BARLOW_KERNELS"))
		skip_because("running as one of them");
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	assert_true(n > 0);
	program[n] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(command, sizeof command, "BARLOW_KERNELS=%s '%s' >/dev/null 2>&1", names[i], program);
		assert_int_equal(system(command), 0);
	}
}
