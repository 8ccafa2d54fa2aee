/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.c: runs every reader on its seeds, and on truncated and changed copies of the seeds, without a fuzzer.  No reader may
 * crash; in a build with sanitizers, no check may fail.
 */
#include "readers.h"

#include <barlow/random.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 1024, CUTS = 12, CHANGES = 12, MOST = 1 << 20 };

/* Allocates exactly the size of the input, so that a sanitizer detects a read beyond the end. */
static bool read_copy(const fuzz_reader *r, const uint8_t *bytes, size_t n, size_t at, uint8_t value)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, bytes, n);
	if (at < n)
		copy[at] = value;
	bool fine = r->read(copy, n);
	free(copy);
	return fine;
}

static bool replay(const fuzz_reader *r, const uint8_t *bytes, size_t n)
{
	bl_rng rng;
	bl_rng_init(&rng, n, 0, 0, BL_STREAM_USER);
	bool fine = read_copy(r, bytes, n, n, 0);
	for (int k = 0; k < CUTS; k++)
		read_copy(r, bytes, n * (size_t)k / CUTS, n, 0);
	for (int k = 0; k < CHANGES && n; k++)
		read_copy(r, bytes, n, bl_rng_below(&rng, (uint32_t)(n < 256 || k % 2 ? n : 256)), (uint8_t)bl_rng_u32(&rng));
	return fine;
}

static int replay_file(const fuzz_reader *r, const char *folder, const char *name)
{
	static uint8_t bytes[MOST];
	char path[PATH];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	if (!f)
		return 0;
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	return replay(r, bytes, n);
}

/* Counts the accepted seeds, because a reader that refuses all its seeds is not tested. */
static int replay_folder(const fuzz_reader *r, const char *root)
{
	char folder[PATH / 2];
	int n = 0;
	snprintf(folder, sizeof folder, "%s/tests/fuzz/seeds/%s", root, r->name);
	DIR *d = opendir(folder);
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			n += replay_file(r, folder, e->d_name);
	closedir(d);
	return n;
}

int main(void)
{
	const char *root = getenv("SRCDIR");
	int number = 0;
	for (const fuzz_reader *r = fuzz_readers; r->name; r++) {
		int n = replay_folder(r, root ? root : ".");
		printf("%sok %d - %s: %d seeds that are read\n", n ? "" : "not ", ++number, r->name, n);
		fflush(stdout);
	}
	printf("1..%d\n", number);
	return 0;
}
