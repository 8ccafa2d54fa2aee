/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify.c: reads all images of a data set, and reports those that cannot be read. */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16, NAMED = 5 };

struct trial {
	const bl_dataset *d;
	char **reason; /* for each image, why it cannot be read; NULL: it can be read */
	atomic_llong done;
};

/* Reads only the image's last row of pixels: a decoder has to process everything before it, and needs little memory. */
static int try_row(const bl_dataset *d, int64_t i)
{
	bl_opened o;
	bl_image im;
	if (bl_dataset_open(d, i, &o) < 0)
		return -1;
	int rc = bl_dataset_read(&o, &(bl_window){ o.height - 1, 0, 1, o.width, 1 }, &im);
	bl_dataset_close(&o);
	return rc;
}

static void try_chunk(void *ctx, int64_t chunk)
{
	struct trial *t = ctx;
	int64_t to = (chunk + 1) * CHUNK < t->d->n ? (chunk + 1) * CHUNK : t->d->n;
	for (int64_t i = chunk * CHUNK; i < to && !bl_given_up(); i++)
		if (try_row(t->d, i) < 0)
			t->reason[i] = strdup(bl_error());
	bl_advance("images", atomic_fetch_add(&t->done, to - chunk * CHUNK) + to - chunk * CHUNK, t->d->n);
}

int64_t bl_dataset_verify(const bl_dataset *d, void (*broken)(void *ctx, int64_t row, const char *why), void *ctx)
{
	int64_t found = 0;
	struct trial t = { .d = d, .reason = calloc((size_t)d->n, sizeof *t.reason) };
	if (!t.reason)
		return bl_fail("%s: no memory to try %" PRId64 " images", d->name, d->n);
	bl_parallel((d->n + CHUNK - 1) / CHUNK, try_chunk, &t);
	bl_advance_end();
	bool whole = !bl_given_up();
	for (int64_t i = 0; i < d->n; i++) {
		if (!t.reason[i])
			continue;
		found++;
		if (whole)
			broken(ctx, i, t.reason[i]);
		free(t.reason[i]);
	}
	free(t.reason);
	return whole ? found : bl_fail_interrupted("%s: interrupted", d->name);
}

struct report {
	int64_t n;
	char text[1024];
};

/* Keeps the first NAMED reasons; a message has no room for all of them. */
static void note(void *ctx, int64_t row, const char *why)
{
	struct report *r = ctx;
	size_t at = strlen(r->text);
	(void)row;
	if (r->n++ < NAMED)
		snprintf(r->text + at, sizeof r->text - at, "%s%.180s", at ? "; " : "", why);
}

int bl_dataset_check_images(const bl_dataset *d)
{
	struct report r = { 0 };
	int64_t n = bl_dataset_verify(d, note, &r);
	if (n <= 0)
		return (int)n;
	return bl_fail("%s: %" PRId64 " of %" PRId64 " images cannot be read: %s%s", d->name, n, d->n, r.text,
	               n > NAMED ? "; ..." : "");
}
