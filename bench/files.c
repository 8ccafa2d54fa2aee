/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * files.c: measures views per second from JPEG files on one thread; files.py runs it.
 *
 *     files FOLDER [SIZE]
 *
 * Each view (T) reads and decodes its file.  "full" decodes the whole image at full size, "part" only the part that the
 * crop reads, and "scaled" this part at a reduced scale.  "pair" makes T and T' from one decoding, as training does.
 */
#include "data/dataset.h"

#include <barlow/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECONDS 0.7 /* of each measurement */

/* T: always blurred, never solarized.  T': one in ten blurred, one in five solarized. */
static bl_pipeline *paper(int size, bool second)
{
	char text[160];
	snprintf(text, sizeof text,
	         "crop{size = %d}, flip, jitter, grayscale, blur{p = %s}, solarize{p = %s}, "
	         "normalize{mean = 0.45, std = 0.225}",
	         size, second ? "0.1" : "1", second ? "0.2" : "0");
	return bl_pipeline_parse(text);
}

typedef struct way {
	const char *name;
	bool full_scale, all, pair;
} way;

static const way ways[] = {
	{ "full", .full_scale = true, .all = true },
	{ "part", .full_scale = true },
	{ "scaled", .pair = false },
	{ "pair full", .full_scale = true, .all = true, .pair = true },
	{ "pair scaled", .pair = true },
};

typedef struct job {
	const way *way;
	bl_dataset *data;
	bl_pipeline *pipeline[2];
	float *out;
	int64_t done; /* views */
} job;

/* Makes a view of an open file, or two views. */
static int make_opened(job *j, bl_opened *o, uint32_t file)
{
	bl_plan plan[2];
	bl_image in;
	int n = 1 + j->way->pair;
	for (int v = 0; v < n; v++) {
		bl_view_key key = { .seed = 1, .sample = file, .view = (uint32_t)v };
		bl_pipeline_plan(j->pipeline[v], &key, o->height, o->width, o->channels, &plan[v]);
	}
	bl_window needed = bl_plans_window(plan, n);
	if (bl_dataset_read(o, j->way->all ? NULL : &needed, &in) < 0)
		return -1;
	for (int v = 0; v < n; v++, j->done++)
		if (bl_pipeline_apply(j->pipeline[v], &plan[v], &in, j->out) < 0)
			return -1;
	return 0;
}

static int make_views(job *j)
{
	bl_opened o;
	int64_t file = j->done / (1 + j->way->pair);
	if (bl_dataset_open(j->data, file % bl_dataset_length(j->data), &o) < 0)
		return -1;
	int rc = make_opened(j, &o, (uint32_t)file);
	bl_dataset_close(&o);
	return rc;
}

/* CPU seconds of this process, which do not include the time of other processes. */
static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Returns views per second, or -1.  Reads each file once before, to warm up. */
static double rate_of(job *j)
{
	for (int64_t i = 0; i < bl_dataset_length(j->data); i++)
		if (make_views(j) < 0)
			return -1;
	double start = seconds();
	int64_t first = j->done;
	while (seconds() - start < SECONDS)
		if (make_views(j) < 0)
			return -1;
	return (double)(j->done - first) / (seconds() - start);
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
