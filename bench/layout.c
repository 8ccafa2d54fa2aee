/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * layout.c: compares our convolutions, in channels-last memory, with those of oneDNN in channels-last, channels-first
 * and oneDNN's own blocked memory.  It answers two questions: which layout is best, and whether oneDNN should be one of
 * our algorithms.
 *
 * It needs oneDNN 2.x (Debian package libdnnl-dev) and is therefore not part of the build.  To run it in a build
 * folder, where $src is the source folder:
 *
 *     gcc -std=gnu11 -O2 -I$src/include -I$src/src $src/bench/layout.c -o layout -L.libs -lbarlow -ldnnl -lm
 *     LD_LIBRARY_PATH=.libs ./layout W2 && LD_LIBRARY_PATH=.libs ./layout W3
 *
 * All variants are measured alternately, on all cores, each with the threads of its library; medians are printed.
 * oneDNN's weights are in the order that it prefers.  Converting arrays from our layout to oneDNN's and back is timed
 * separately.
 */
#include <barlow/parallel.h>
#include <barlow/tensor.h>

#include "tensor/conv/conv.h"

#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 9, LAYOUTS = 3, DIRECTIONS = 3, ARGUMENTS = 3, RIVALS = 1 + 2 * LAYOUTS };
#define ENOUGH 0.01 /* minimal seconds of a timing */

typedef struct shape {
	const char *workload;
	bl_conv g;
	int times;        /* number of such convolutions in a step, for both views together */
	bool needs_input; /* has a data gradient */
} shape;

/* clang-format off */
#define CONV(N, C, SIDE, K, R, STRIDE)                                                                          \
	{ .n = N, .c = C, .h = SIDE, .w = SIDE, .k = K, .r = R, .s = R, .p = SIDE / STRIDE + SIDE % STRIDE,      \
	  .q = SIDE / STRIDE + SIDE % STRIDE, .stride = STRIDE, .padding = R / 2, .groups = 1 }
/* clang-format on */

static const shape shapes[] = {
	{ "W2", CONV(256, 1, 28, 32, 3, 1), 2, false },  { "W2", CONV(256, 32, 28, 64, 3, 2), 2, true },
	{ "W2", CONV(256, 64, 14, 128, 3, 2), 2, true }, { "W2", CONV(256, 128, 7, 256, 3, 2), 2, true },
	{ "W3", CONV(64, 3, 32, 64, 3, 1), 2, false },   { "W3", CONV(64, 64, 32, 64, 3, 1), 8, true },
	{ "W3", CONV(64, 64, 32, 128, 3, 2), 2, true },  { "W3", CONV(64, 64, 32, 128, 1, 2), 2, true },
	{ "W3", CONV(64, 128, 16, 128, 3, 1), 6, true }, { "W3", CONV(64, 128, 16, 256, 3, 2), 2, true },
	{ "W3", CONV(64, 128, 16, 256, 1, 2), 2, true }, { "W3", CONV(64, 256, 8, 256, 3, 1), 6, true },
	{ "W3", CONV(64, 256, 8, 512, 3, 2), 2, true },  { "W3", CONV(64, 256, 8, 512, 1, 2), 2, true },
	{ "W3", CONV(64, 512, 4, 512, 3, 1), 6, true },
};

/* The arrays of one convolution in our layout: x, w and y, or their gradients. */
typedef struct arrays {
	float *at[ARGUMENTS];
	int64_t size[ARGUMENTS];
} arrays;

enum { X, W, Y };

/* Which of x, w and y is computed in each direction. */
static const int result_of[DIRECTIONS] = { Y, X, W };

/* oneDNN's argument ids of x, w and y in each direction. */
static const int names[DIRECTIONS][ARGUMENTS] = {
	{ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
	{ DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST },
	{ DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST },
};

static const struct {
	const char *name;
	dnnl_format_tag_t tag;
} layouts[LAYOUTS] = { { "NHWC", dnnl_nhwc }, { "NCHW", dnnl_nchw }, { "blocked", dnnl_format_tag_any } };

/* One direction of a convolution in one of oneDNN's layouts. */
typedef struct rival {
	dnnl_primitive_t conv, move[ARGUMENTS];          /* move: NULL if the layout is ours */
	dnnl_memory_t home[ARGUMENTS], there[ARGUMENTS]; /* in our layout; in oneDNN's */
	char implementation[64];
} rival;

typedef struct job {
	const shape *s;
	int direction;
	arrays *a;
	rival *r;
} job;

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "layout: %s\n", what);
	exit(1);
}

static void try(dnnl_status_t s)
{
	need(s == dnnl_success, "oneDNN refuses");
}

static void *array_of(int64_t n, uint32_t seed)
{
	float *v = malloc((size_t)n * sizeof *v);
	need(v, "out of memory");
	for (int64_t i = 0; i < n; i++, seed = seed * 1664525 + 1013904223)
		v[i] = (float)(seed >> 8) / (1 << 23) - 1;
	return v;
}

static arrays make_arrays(const bl_conv *g)
{
	arrays a = { .size = { g->n * g->h * g->w * g->c, g->k * g->c * g->r * g->s, g->n * g->p * g->q * g->k } };
	for (int i = 0; i < ARGUMENTS; i++)
		a.at[i] = array_of(a.size[i], 1 + (uint32_t)i);
	return a;
}

/* Describes x, w and y in the layouts that `tags` name. */
static void describe(const bl_conv *g, const dnnl_format_tag_t *tags, dnnl_memory_desc_t *d)
{
	try(dnnl_memory_desc_init_by_tag(&d[X], 4, (dnnl_dims_t){ g->n, g->c, g->h, g->w }, dnnl_f32, tags[X]));
	try(dnnl_memory_desc_init_by_tag(&d[W], 4, (dnnl_dims_t){ g->k, g->c, g->r, g->s }, dnnl_f32, tags[W]));
	try(dnnl_memory_desc_init_by_tag(&d[Y], 4, (dnnl_dims_t){ g->n, g->k, g->p, g->q }, dnnl_f32, tags[Y]));
}

/* Returns NULL if oneDNN does not offer the algorithm for this direction. */
static dnnl_primitive_desc_t direction_of(const bl_conv *g, int direction, dnnl_alg_kind_t algorithm, const dnnl_memory_desc_t *d,
                                          dnnl_primitive_desc_t hint)
{
	dnnl_convolution_desc_t c;
	dnnl_primitive_desc_t pd = NULL;
	dnnl_dims_t stride = { g->stride, g->stride }, left = { g->padding, g->padding };
	dnnl_dims_t right = { (g->p - 1) * g->stride + g->r - g->h - g->padding,
		              (g->q - 1) * g->stride + g->s - g->w - g->padding };
	dnnl_status_t s;
	if (direction == 0)
		s = dnnl_convolution_forward_desc_init(&c, dnnl_forward_training, algorithm, &d[X], &d[W], NULL, &d[Y], stride,
		                                       left, right);
	else if (direction == 1)
		s = dnnl_convolution_backward_data_desc_init(&c, algorithm, &d[X], &d[W], &d[Y], stride, left, right);
	else
		s = dnnl_convolution_backward_weights_desc_init(&c, algorithm, &d[X], &d[W], NULL, &d[Y], stride, left, right);
	if (s == dnnl_success)
		s = dnnl_primitive_desc_create(&pd, &c, NULL, engine, hint);
	return s == dnnl_success ? pd : NULL;
}

static dnnl_primitive_desc_t offered(const bl_conv *g, int direction, int layout, dnnl_alg_kind_t algorithm)
{
	dnnl_format_tag_t tag = layouts[layout].tag;
	dnnl_memory_desc_t d[ARGUMENTS];
	describe(g, (dnnl_format_tag_t[]){ tag, dnnl_format_tag_any, tag }, d);
	dnnl_primitive_desc_t forward = direction_of(g, 0, algorithm, d, NULL);
	if (!direction || !forward)
		return forward;
	dnnl_primitive_desc_t pd = direction_of(g, direction, algorithm, d, forward);
	dnnl_primitive_desc_destroy(forward);
	return pd;
}

static dnnl_primitive_t mover(const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
	dnnl_primitive_desc_t pd;
	dnnl_primitive_t p;
	try(dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL));
	try(dnnl_primitive_create(&p, pd));
	dnnl_primitive_desc_destroy(pd);
	return p;
}

static rival *make_rival(const bl_conv *g, int direction, const arrays *a, dnnl_primitive_desc_t pd)
{
	rival *r = calloc(1, sizeof *r);
	dnnl_memory_desc_t ours[ARGUMENTS];
	const char *text;
	need(r, "out of memory");
	describe(g, (dnnl_format_tag_t[]){ dnnl_nhwc, dnnl_oihw, dnnl_nhwc }, ours);
	try(dnnl_primitive_create(&r->conv, pd));
	try(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &text));
	snprintf(r->implementation, sizeof r->implementation, "%s", text);
	for (int i = 0; i < ARGUMENTS; i++) {
		const dnnl_memory_desc_t *d = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, names[direction][i]);
		bool result = i == result_of[direction], same = dnnl_memory_desc_equal(d, &ours[i]) && !result;
		try(dnnl_memory_create(&r->home[i], &ours[i], engine, result ? DNNL_MEMORY_ALLOCATE : a->at[i]));
		try(dnnl_memory_create(&r->there[i], d, engine, same ? a->at[i] : DNNL_MEMORY_ALLOCATE));
		if (!dnnl_memory_desc_equal(d, &ours[i]))
			r->move[i] = result ? mover(d, &ours[i]) : mover(&ours[i], d);
	}
	dnnl_primitive_desc_destroy(pd);
	return r;
}

static void drop_rival(rival *r)
{
	dnnl_primitive_destroy(r->conv);
	for (int i = 0; i < ARGUMENTS; i++) {
		if (r->move[i])
			dnnl_primitive_destroy(r->move[i]);
		dnnl_memory_destroy(r->home[i]);
		dnnl_memory_destroy(r->there[i]);
	}
	free(r);
}

/* Converts arguments to oneDNN's layout, or the result back. */
static void move(const job *j, bool back)
{
	for (int i = 0; i < ARGUMENTS; i++) {
		if (!j->r->move[i] || (i == result_of[j->direction]) != back)
			continue;
		dnnl_memory_t from = back ? j->r->there[i] : j->r->home[i], to = back ? j->r->home[i] : j->r->there[i];
		dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
		try(dnnl_primitive_execute(j->r->move[i], stream, 2, args));
	}
	try(dnnl_stream_wait(stream));
}

static void move_all(const job *j)
{
	move(j, false);
	move(j, true);
}

static void theirs(const job *j)
{
	dnnl_exec_arg_t args[ARGUMENTS];
	for (int i = 0; i < ARGUMENTS; i++)
		args[i] = (dnnl_exec_arg_t){ names[j->direction][i], j->r->there[i] };
	try(dnnl_primitive_execute(j->r->conv, stream, ARGUMENTS, args));
	try(dnnl_stream_wait(stream));
}

static void ours(const job *j)
{
	const bl_conv *g = &j->s->g;
	float *const *at = j->a->at;
	int bad;
	if (j->direction == 0)
		bad = bl_conv_forward(g, at[X], at[W], NULL, at[Y]);
	else if (j->direction == 1)
		bad = bl_conv_data_gradient(g, at[Y], at[W], at[X], false);
	else
		bad = bl_conv_weight_gradient(g, at[X], at[Y], at[W], false);
	need(!bad, "our convolution fails");
}

/*
 * Returns the milliseconds of one run in a sequence of runs, as in training.  A pause before the sequence lets the
 * threads of other variants go to sleep.
 */
static double timing(const job *j, void (*run)(const job *))
{
	int runs = 0;
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	run(j);
	double start = bl_now(), seconds = 0;
	for (; seconds < ENOUGH; runs++, seconds = bl_now() - start)
		run(j);
	return 1000 * seconds / runs;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, TURNS, sizeof *v, by_size);
	return v[TURNS / 2];
}

/* Checks that both sides compute the same: the largest difference must be small relative to the largest value. */
static void compare(const job *j)
{
	int i = result_of[j->direction];
	void *handle;
	double worst = 0, scale = 0;
	move(j, false);
	theirs(j);
	move(j, true);
	try(dnnl_memory_get_data_handle(j->r->move[i] ? j->r->home[i] : j->r->there[i], &handle));
	const float *got = handle;
	float *mine = j->a->at[i], *copy = malloc((size_t)j->a->size[i] * sizeof *copy);
	need(copy, "out of memory");
	memcpy(copy, mine, (size_t)j->a->size[i] * sizeof *copy);
	ours(j);
	for (int64_t e = 0; e < j->a->size[i]; e++) {
		worst = fmax(worst, fabs((double)mine[e] - got[e]));
		scale = fmax(scale, fabs((double)mine[e]));
	}
	memcpy(mine, copy, (size_t)j->a->size[i] * sizeof *copy);
	free(copy);
	need(worst < 1e-3 * scale, "the two sides compute different things");
}

/* Returns the fastest implementation that oneDNN offers in a layout. */
static rival *best_rival(job j, int layout)
{
	static const dnnl_alg_kind_t algorithms[] = { dnnl_convolution_direct, dnnl_convolution_auto, dnnl_convolution_winograd };
	rival *best = NULL;
	double least = INFINITY;
	for (int i = 0; i < 3; i++) {
		dnnl_primitive_desc_t pd = offered(&j.s->g, j.direction, layout, algorithms[i]);
		if (!pd)
			continue;
		j.r = make_rival(&j.s->g, j.direction, j.a, pd);
		compare(&j);
		double ms = timing(&j, theirs);
		rival *loser = ms < least ? best : j.r;
		if (ms < least) {
			best = j.r;
			least = ms;
		}
		if (loser)
			drop_rival(loser);
	}
	need(best, "oneDNN has no convolution for this");
	return best;
}

/* ms[0]: our convolution; ms[1 + 2 layout]: oneDNN's; ms[2 + 2 layout]: converting arrays to its layout and back. */
static void measure(job j, double *ms)
{
	rival *r[LAYOUTS];
	double v[RIVALS][TURNS];
	for (int l = 0; l < LAYOUTS; l++)
		r[l] = best_rival(j, l);
	for (int t = 0; t < TURNS; t++) {
		v[0][t] = timing(&j, ours);
		for (int l = 0; l < LAYOUTS; l++) {
			j.r = r[l];
			v[1 + 2 * l][t] = timing(&j, theirs);
			v[2 + 2 * l][t] = timing(&j, move_all);
		}
	}
	for (int i = 0; i < RIVALS; i++)
		ms[i] = median(v[i]);
	fprintf(stderr, "%s %d:", j.s->workload, j.direction);
	for (int l = 0; l < LAYOUTS; l++) {
		fprintf(stderr, " %s", r[l]->implementation);
		drop_rival(r[l]);
	}
	fprintf(stderr, "\n");
}

static void print_cells(double ms[DIRECTIONS][RIVALS], const char *format)
{
	for (int i = 0; i < RIVALS; i++) {
		printf(" |");
		for (int d = 0; d < DIRECTIONS; d++) {
			printf(d ? " / " : " ");
			printf(format, ms[d][i]);
		}
	}
	printf(" |\n");
}

/* Prints a line of the table, and adds the time that a step needs to `sum`. */
static void line(const shape *s, double sum[DIRECTIONS][RIVALS])
{
	double ms[DIRECTIONS][RIVALS] = { 0 };
	const bl_conv *g = &s->g;
	arrays a = make_arrays(g);
	for (int d = 0; d < DIRECTIONS; d++) {
		if (d == 1 && !s->needs_input)
			continue;
		measure((job){ s, d, &a, NULL }, ms[d]);
		for (int i = 0; i < RIVALS; i++)
			sum[d][i] += s->times * ms[d][i];
	}
	printf("| %d, %dx%d, %d to %d, %dx%d s%d, x%d", (int)g->n, (int)g->h, (int)g->w, (int)g->c, (int)g->k, (int)g->r, (int)g->s,
	       (int)g->stride, s->times);
	print_cells(ms, "%.2f");
	fflush(stdout);
	for (int i = 0; i < ARGUMENTS; i++)
		free(a.at[i]);
}

static void print_head(void)
{
	printf("| convolution | ours");
	for (int l = 0; l < LAYOUTS; l++)
		printf(" | oneDNN %s | there and back", layouts[l].name);
	printf(" |\n|");
	for (int i = 0; i <= RIVALS; i++)
		printf(" --- |");
	printf("\n");
}

int main(int argc, char **argv)
{
	double sum[DIRECTIONS][RIVALS] = { 0 };
	const dnnl_version_t *v = dnnl_version();
	need(argc == 2, "say W2 or W3");
	try(dnnl_engine_create(&engine, dnnl_cpu, 0));
	try(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
	printf("%s, oneDNN %d.%d.%d, %d threads; ms: forward / data gradient / weight gradient\n\n", argv[1], v->major, v->minor,
	       v->patch, bl_threads());
	print_head();
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (!strcmp(shapes[i].workload, argv[1]))
			line(&shapes[i], sum);
	printf("| **all of a step**");
	print_cells(sum, "%.0f");
	return 0;
}
