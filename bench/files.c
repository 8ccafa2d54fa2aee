/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * files.c: views a second from JPEG files on one thread; files.py runs it.
 *
 *     files FOLDER [SIZE]
 *
 * Each view (T) reads and decodes its file: "full" decodes all of the image at
 * its full size, "part" only what the crop reads, "scaled" that at a reduced
 * scale; "pair" makes T and T' of one decoding, as training does.
 */
#include "data/dataset.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <stdio.h>
#include <stdlib.h>

enum { OPERATORS = 7 };
#define SECONDS 0.7 /* a way */

/* T: always blurred, never solarized.  T': one in ten blurred, one in five solarized. */
static bl_pipeline *paper(int size, bool second)
{
	static const bl_aug_kind kinds[OPERATORS] = {
		BL_AUG_CROP, BL_AUG_FLIP, BL_AUG_JITTER, BL_AUG_GRAYSCALE, BL_AUG_BLUR, BL_AUG_SOLARIZE,
		BL_AUG_NORMALIZE,
	};
	bl_aug ops[OPERATORS];
	for (int i = 0; i < OPERATORS; i++)
		ops[i] = bl_aug_default(kinds[i]);
	ops[0].size = size;
	ops[4].p = second ? 0.1f : 1;
	ops[5].p = second ? 0.2f : 0;
	return bl_pipeline_new(ops, OPERATORS);
}

typedef struct way {
	const char *name;
	bool full_scale, all, pair;
} way;

static const way ways[] = {
	{ "full", .full_scale = true, .all = true }, { "part", .full_scale = true }, { "scaled", .pair = false },
	{ "pair full", .full_scale = true, .all = true, .pair = true }, { "pair scaled", .pair = true },
};

typedef struct job {
	const way *way;
	bl_dataset *data;
	bl_pipeline *pipeline[2];
	float *out;
	int64_t done; /* views */
} job;

/* One file: a view, or two of them. */
static int make_views(job *j)
{
	bl_image in;
	int64_t file = j->done / (1 + j->way->pair);
	bl_pair_wish wish = { .pipeline = { j->pipeline[0], j->pipeline[j->way->pair] } };
	for (int v = 0; v < 2; v++)
		bl_rng_init(&wish.rng[v], 1, 0, (uint32_t)file, v * j->way->pair);
	if ((j->way->all ? bl_dataset_image(j->data, file % bl_dataset_length(j->data), &in)
			 : bl_dataset_fetch_pair(j->data, file % bl_dataset_length(j->data), &wish, &in)) < 0)
		return -1;
	for (int v = 0; v <= j->way->pair; v++, j->done++)
		if (bl_pipeline_apply(j->pipeline[v], &in, &wish.rng[v], j->out) < 0)
			return -1;
	return 0;
}

/* Each file once to warm up. */
static double rate_of(job *j)
{
	for (int64_t i = 0; i < bl_dataset_length(j->data); i++)
		if (make_views(j) < 0)
			return -1;
	double start = bl_now();
	int64_t first = j->done;
	while (bl_now() - start < SECONDS)
		if (make_views(j) < 0)
			return -1;
	return (double)(j->done - first) / (bl_now() - start);
}

static int measure(const way *w, const char *folder, int size)
{
	job j = { .way = w, .pipeline = { paper(size, false), paper(size, true) } };
	j.data = bl_dataset_folder(&(bl_folder_config){ .path = folder, .unlabelled = true, .full_scale = w->full_scale });
	j.out = malloc((size_t)size * (size_t)size * 3 * sizeof *j.out);
	double rate = j.data && j.out && j.pipeline[0] && j.pipeline[1] ? rate_of(&j) : -1;
	if (rate > 0)
		printf("%s\t%.1f\n", w->name, rate);
	else
		fprintf(stderr, "files: %s\n", bl_error());
	free(j.out);
	bl_pipeline_unref(j.pipeline[0]);
	bl_pipeline_unref(j.pipeline[1]);
	bl_dataset_unref(j.data);
	return rate > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	int size = argc > 2 ? atoi(argv[2]) : 224, rc = 0;
	if (argc < 2 || size < 1) {
		fprintf(stderr, "usage: files FOLDER [SIZE]\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		rc |= measure(&ways[i], argv[1], size);
	return rc;
}
