/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watching.c: measures what a viewer costs a run, by the seconds of the same steps with and without a viewer.
 *
 *     watching D [BATCH [STEPS [ROUNDS]]]
 *
 * Three ways are measured in turns, so that other load affects all of them: no snapshots; a reader at the default rate;
 * a viewer that requests the whole matrix 30 times a second.  It prints each round's ratios and their medians.  It also
 * prints the time of snapshots in the trainer's profile relative to all other time, on which other load has less
 * effect.
 */
#include <barlow/error.h>
#include <barlow/parallel.h>
#include <barlow/profile.h>
#include <barlow/train.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 32, IMAGES = 2048, ROUNDS_MOST = 64 };
enum way { ALONE, READ, ASKED, WAYS };

struct cost {
	/* Time of the steps; time of snapshots / all other time; frames per second that the viewer saw. */
	double seconds, booked, hz;
};

struct viewer {
	bl_live *live;
	enum way way;
	atomic_bool over;
	int64_t frames, last;
};

static void look(struct viewer *v)
{
	static _Thread_local bl_snapshot s;
	if (v->way == ASKED)
		bl_live_request(v->live, &(bl_region){ .matrix = BL_MATRIX_C });
	int64_t step = bl_live_snapshot(v->live, &s);
	v->frames += step > v->last;
	v->last = step;
}

static void *watch(void *arg)
{
	struct viewer *v = arg;
	while (!atomic_load(&v->over)) {
		if (v->way != ALONE)
			look(v);
		usleep(v->way == ASKED ? 33333 : 100000);
	}
	return NULL;
}

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "watching: %s\n", bl_error());
		exit(1);
	}
	return p;
}

static bl_pipeline *views(void)
{
	char text[64];
	snprintf(text, sizeof text, "crop{size = %d}, flip", SIDE);
	return must(bl_pipeline_parse(text));
}

static bl_module *mlp(int64_t in, int64_t hidden, int64_t out, bool flatten)
{
	bl_module *m = must(bl_nn_mlp(&(bl_mlp_config){ .in = in,
	                                                .widths = (int64_t[]){ hidden, out },
	                                                .layers = 2,
	                                                .norm = true,
	                                                .last_plain = !flatten,
	                                                .flatten = flatten }));
	bl_module_init(m, 1);
	return m;
}

static bl_trainer *trainer(int64_t d, int batch, enum way way)
{
	bl_shapes_config shapes = { .n = IMAGES, .size = SIDE, .channels = 3, .seed = 5 };
	bl_trainer_config c = {
		.data = must(bl_dataset_shapes(&shapes)),
		.first = views(),
		.encoder = mlp(SIDE * SIDE * 3, 1024, 512, true),
		.projector = mlp(512, 512, d, false),
		.optim = bl_optim_default("sgd"),
		.batch = batch,
		.epochs = 1e4,
		.seed = 3,
		.loader_threads = 1,
		.snapshot_hz = way == ALONE ? 1e-9 : 0,
	};
	c.second = c.first;
	bl_trainer *t = must(bl_trainer_new(&c));
	bl_dataset_unref(c.data);
	bl_pipeline_unref(c.first);
	bl_module_unref(c.encoder);
	bl_module_unref(c.projector);
	return t;
}

static double booked(void)
{
	static bl_profile_row rows[BL_PROFILE_ROWS];
	double snapshots = 0;
	int n = bl_profile_read(rows, BL_PROFILE_ROWS);
	for (int i = 0; i < n && i < BL_PROFILE_ROWS; i++)
		if (strcmp(rows[i].op, "snapshot") == 0)
			snapshots += rows[i].seconds[0];
	return snapshots / (bl_profile_wall() - snapshots);
}

static void steps(bl_trainer *t, int n)
{
	if (bl_trainer_steps(t, n) != 0)
		must(NULL);
}

/* The first steps are not measured, because the first one always has a frame. */
static struct cost measure(int64_t d, int batch, int n, enum way way)
{
	bl_trainer *t = trainer(d, batch, way);
	struct viewer v = { .live = bl_trainer_live(t), .way = way };
	pthread_t thread;
	pthread_create(&thread, NULL, watch, &v);
	steps(t, 3 + n / 8);
	int64_t frames = v.frames;
	bl_profile_start();
	double start = bl_now();
	steps(t, n);
	struct cost c = { .seconds = bl_now() - start };
	bl_profile_stop();
	c.booked = booked();
	c.hz = (double)(v.frames - frames) / c.seconds;
	atomic_store(&v.over, true);
	pthread_join(thread, NULL);
	bl_trainer_free(t);
	return c;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void report(const char *name, double *ratio, int rounds)
{
	qsort(ratio, (size_t)rounds, sizeof *ratio, ascending);
	printf("%s: median %+.2f%%, %+.2f%% to %+.2f%%\n", name, 100 * (ratio[rounds / 2] - 1), 100 * (ratio[0] - 1),
	       100 * (ratio[rounds - 1] - 1));
}

static int argument(int argc, char **argv, int i, int otherwise)
{
	return argc > i ? atoi(argv[i]) : otherwise;
}

int main(int argc, char **argv)
{
	int d = argument(argc, argv, 1, 512), batch = argument(argc, argv, 2, 256), n = argument(argc, argv, 3, 200);
	int rounds = argument(argc, argv, 4, 5);
	double ratio[WAYS][ROUNDS_MOST];
	if (d < 1 || batch < 2 || n < 1 || rounds < 1 || rounds > ROUNDS_MOST)
		return fprintf(stderr, "usage: watching D [BATCH [STEPS [ROUNDS]]]\n"), 2;
	for (int r = 0; r < rounds; r++) {
		struct cost c[WAYS];
		for (int k = 0; k < WAYS; k++) {
			enum way way = (enum way)((k + r) % WAYS);
			c[way] = measure(d, batch, n, way);
		}
		for (int way = 0; way < WAYS; way++)
			ratio[way][r] = c[way].seconds / c[ALONE].seconds;
		printf("D %d, batch %d: %.1f ms a step", d, batch, 1e3 * c[ALONE].seconds / n);
		for (int way = READ; way < WAYS; way++)
			printf("; %s %.1f Hz %+.2f%%, booked %.2f%%", way == READ ? "read" : "asked", c[way].hz,
			       100 * (ratio[way][r] - 1), 100 * c[way].booked);
		printf("\n");
		fflush(stdout); /* an interrupted measurement has printed its rounds */
	}
	report("read at the default rate", ratio[READ], rounds);
	report("asked 30 times a second", ratio[ASKED], rounds);
	return 0;
}
