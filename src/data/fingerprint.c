/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fingerprint.c: fingerprints, which distinguish a set's files from other files at the same path or of the same names.
 *
 *     v1 40 files, names 1a2b3c4d, contents 5e6f7a8b 00112233...
 *
 * The fingerprint covers all names in their order, and size and content of at most 64 files: those whose names have the
 * smallest keyed hashes, so the choice depends on the names alone.  The checksum of all contents is followed by 16 bits
 * of each file's checksum, in the order of the hashes, so that a message can name the file that differs.
 */
#define _GNU_SOURCE /* asprintf */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* DIGITS: hexadecimal digits of a file's checksum.  The text before the first checksum is shorter than HEAD_BYTES. */
enum { SAMPLE = 64, DIGITS = 4, HEAD_BYTES = 96, BLOCK_BYTES = 1 << 16 };
/*
 * The largest number of blocks that are read of a file, spread evenly.  It is small for an image, since there are many
 * images, and larger for an archive (such as an IDX file), since there are few archives, which contain everything.
 */
enum { IMAGE_BLOCKS = 16, ARCHIVE_BLOCKS = 1024 };

typedef struct print {
	int64_t files;
	uint32_t names, contents;
	int n; /* files whose content is hashed */
	int64_t row[SAMPLE];
	uint16_t file[SAMPLE];
} print;

/* --- Names -------------------------------------------------------------------------- */

/* FNV-1a with a key, mixed so that the upper bits depend on the whole name. */
static uint64_t hash_name(const char *name)
{
	uint64_t h = UINT64_C(0x6261726c6f770001);
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 33;
}

/* Inserts a hash and its row if it is among the SAMPLE smallest so far, which are in ascending order. */
static void choose(print *p, uint64_t chosen[SAMPLE], uint64_t hash, int64_t row)
{
	if (p->n == SAMPLE && hash >= chosen[SAMPLE - 1])
		return;
	int at = p->n < SAMPLE ? p->n++ : SAMPLE - 1;
	for (; at > 0 && chosen[at - 1] > hash; at--) {
		chosen[at] = chosen[at - 1];
		p->row[at] = p->row[at - 1];
	}
	chosen[at] = hash;
	p->row[at] = row;
}

static void take_names(const bl_dataset *root, print *p)
{
	uint64_t chosen[SAMPLE];
	uLong names = crc32(0, NULL, 0);
	for (int64_t i = 0; i < root->n; i++) {
		const char *name = root->ops->file_name(root, i);
		names = crc32_z(names, (const Bytef *)name, strlen(name) + 1);
		choose(p, chosen, hash_name(name), i);
	}
	p->files = root->n;
	p->names = (uint32_t)names;
}

/* --- Contents ----------------------------------------------------------------------- */

static int hash_blocks(int fd, const char *path, int64_t size, int64_t most, uLong *crc)
{
	Bytef *block = malloc(BLOCK_BYTES);
	int64_t blocks = (size + BLOCK_BYTES - 1) / BLOCK_BYTES, n = blocks < most ? blocks : most;
	int rc = block ? 0 : bl_fail("%s: no memory to read it", path);
	for (int64_t k = 0; k < n && rc == 0; k++) {
		int64_t at = n == blocks ? k : k * (blocks - 1) / (n - 1);
		int64_t got = bl_file_get(fd, block, BLOCK_BYTES, at * BLOCK_BYTES);
		if (got < 0)
			rc = bl_fail("%s: %s", path, strerror(errno));
		else
			*crc = crc32_z(*crc, block, (size_t)got);
	}
	free(block);
	return rc;
}

/* Computes the checksum of a file's size and of at most `most` blocks.  O_NONBLOCK: opening a FIFO must not wait. */
static int hash_file(const char *path, int64_t most, uLong *crc)
{
	char text[32];
	struct stat s;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
		bl_fail("%s: %s", path, fd < 0 ? strerror(errno) : "not a regular file");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	int n = snprintf(text, sizeof text, "%" PRId64, (int64_t)s.st_size);
	*crc = crc32_z(crc32(0, NULL, 0), (const Bytef *)text, (size_t)n);
	int rc = hash_blocks(fd, path, s.st_size, most, crc);
	close(fd);
	return rc;
}

/* Returns the path of the k-th file whose content is hashed, as a new string. */
static char *file_of(const bl_dataset *root, const print *p, int k)
{
	char *path;
	if (!root->ops->file_name)
		path = strdup(root->archive[p->row[k]]);
	else
		path = (root->ops->holder ? root->ops->holder : root->ops->path)(root, p->row[k]);
	return path ? path : bl_fail_null("%s: no memory for a file's name", root->name);
}

static int take_contents(const bl_dataset *root, print *p)
{
	int64_t most = root->ops->file_name ? IMAGE_BLOCKS : ARCHIVE_BLOCKS;
	uLong all = crc32(0, NULL, 0), one;
	for (int k = 0; k < p->n; k++) {
		char *path = file_of(root, p, k);
		int rc = path ? hash_file(path, most, &one) : -1;
		free(path);
		if (rc != 0)
			return -1;
		Bytef bytes[] = { (Bytef)(one >> 24), (Bytef)(one >> 16), (Bytef)(one >> 8), (Bytef)one };
		all = crc32_z(all, bytes, sizeof bytes);
		p->file[k] = (uint16_t)one;
	}
	p->contents = (uint32_t)all;
	return 0;
}

static int measure(const bl_dataset *root, print *p)
{
	*p = (print){ .n = 0 };
	if (root->ops->file_name)
		take_names(root, p);
	else {
		/* Names of archives are not part of the fingerprint. */
		for (; p->n < root->archives; p->n++)
			p->row[p->n] = p->n;
		p->files = p->n;
	}
	return take_contents(root, p);
}

/* --- Texts -------------------------------------------------------------------------- */

static char *text_of(const bl_dataset *root, const print *p)
{
	size_t size = HEAD_BYTES + DIGITS * SAMPLE;
	char *text = malloc(size);
	if (!text)
		return bl_fail_null("%s: no memory for its fingerprint", root->name);
	int n = snprintf(text, size, "v1 %" PRId64 " files, names %08" PRIx32 ", contents %08" PRIx32 " ", p->files, p->names,
	                 p->contents);
	for (int k = 0; k < p->n; k++)
		n += snprintf(text + n, size - (size_t)n, "%04x", p->file[k]);
	return text;
}

static int parse(const char *text, print *p)
{
	int at = 0;
	*p = (print){ .n = 0 };
	int found = sscanf(text, "v1 %" SCNd64 " files, names %8" SCNx32 ", contents %8" SCNx32 " %n", &p->files, &p->names,
	                   &p->contents, &at);
	if (found != 3 || at == 0)
		return -1;
	for (text += at; *text; text += DIGITS) {
		if (p->n == SAMPLE || strspn(text, "0123456789abcdef") < DIGITS)
			return -1;
		char digits[DIGITS + 1] = "";
		memcpy(digits, text, DIGITS);
		p->file[p->n++] = (uint16_t)strtoul(digits, NULL, 16);
	}
	return p->n == (p->files < SAMPLE ? p->files : SAMPLE) ? 0 : -1;
}

/* --- Interface ------------------------------------------------------------------------ */

static bool has_files(const bl_dataset *root)
{
	return root->origin[0] != NULL;
}

const char *bl_dataset_origin(const bl_dataset *d, int k)
{
	const bl_dataset *root = d->root ? d->root : d;
	return k == 0 || k == 1 ? root->origin[k] : NULL;
}

const char *bl_dataset_fingerprint(bl_dataset *d)
{
	bl_dataset *root = d->root ? d->root : d;
	print p;
	if (!has_files(root))
		return "";
	pthread_mutex_lock(&root->lock);
	if (!root->fingerprint && measure(root, &p) == 0)
		root->fingerprint = text_of(root, &p);
	const char *text = root->fingerprint;
	pthread_mutex_unlock(&root->lock);
	return text;
}

/* Names the first file that differs, or says "one of the files" if the 16 bits of all files agree by chance. */
static int fail_contents(const bl_dataset *root, const print *then, const print *now)
{
	int k = 0;
	while (k < now->n && k < then->n && now->file[k] == then->file[k])
		k++;
	char *path = k < now->n ? file_of(root, now, k) : NULL;
	bl_fail("%s is no longer the same file: its size or content differs", path ? path : "one of the files");
	free(path);
	return -1;
}

int bl_dataset_check_fingerprint(bl_dataset *d, const char *fingerprint)
{
	const bl_dataset *root = d->root ? d->root : d;
	print then, now;
	if (!has_files(root))
		return bl_fail("%s: a fingerprint is given, but these images do not come from files", root->name);
	if (parse(fingerprint, &then) != 0)
		return bl_fail("%s: '%.60s' is not a fingerprint that this version of barlow can read", root->origin[0],
		               fingerprint);
	/* The stored fingerprint is not used here: another process may have changed the files since it was computed. */
	if (measure(root, &now) != 0)
		return -1;
	if (then.files != now.files)
		bl_fail("there were %" PRId64 " files then, there are %" PRId64 " now", then.files, now.files);
	else if (then.names != now.names)
		bl_fail("there are %" PRId64 " files as there were then, but they have other names", now.files);
	else if (then.contents != now.contents)
		fail_contents(root, &then, &now);
	else
		return 0;
	return bl_fail_prefix("%s: these are not the images that the recipe was written for: ", root->origin[0]);
}

/* Resolves the folder of a pattern of names.  Returns a new string, or NULL with errno. */
static char *real_pattern(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("."),
	     *real = folder ? realpath(folder, NULL) : NULL;
	char *out = NULL;
	if (real && asprintf(&out, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : path) < 0)
		out = NULL;
	free(folder);
	free(real);
	return out;
}

/* Replaces *at by the absolute path, a new string. */
static int note_path(char **at, const char *path)
{
	char *real = strchr(path, '{') ? real_pattern(path) : realpath(path, NULL);
	if (!real)
		return bl_fail("%s: %s", path, strerror(errno));
	free(*at);
	*at = real;
	return 0;
}

int bl_dataset_set_origin(bl_dataset *d, int k, const char *path)
{
	return note_path(&d->origin[k], path);
}

int bl_dataset_add_archive(bl_dataset *d, const char *path)
{
	if (d->archives == BL_ARCHIVES_MOST)
		return bl_fail("%s: more than %d files", d->name, BL_ARCHIVES_MOST);
	if (note_path(&d->archive[d->archives], path) < 0)
		return -1;
	d->archives++;
	return 0;
}
