/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conv_onednn.c: convolution by oneDNN 2.x, in channels-last memory; the only file that uses oneDNN.
 *
 * oneDNN divides its work by its number of threads, so that the last bits of its results depend on that number.
 * Therefore this file divides the images into parts, whose number depends on the shape alone.  oneDNN computes each
 * part on one thread, and the weight gradients of the parts are added in a fixed order.  The primitives of a shape are
 * created once and never freed.  Weights are reordered into the layout that oneDNN prefers, and their gradient is
 * reordered back.
 */
#include "tensor/conv/conv_onednn.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	SCRATCH_PAD = 0,
	SCRATCH_RESULT = 1,
	CUTS = 16,
	WEIGHT_CUTS = 8,
	FEW_CUTS = 4,
	PARTIAL_FLOATS = 4 << 20,
	SUM_FLOATS = 1 << 14
};
enum { X, W, Y, ARRAYS };

/* oneDNN's argument numbers of x, w and y (or of their gradients) in each direction. */
static const int names[BL_CONV_DIRECTIONS][ARRAYS] = {
	{ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
	{ DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST },
	{ DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST },
};

/* A convolution of a fixed number of images in one direction. */
typedef struct part {
	dnnl_primitive_t conv;
	dnnl_memory_desc_t d[ARRAYS], pad; /* layouts of x, w and y, and of oneDNN's scratch memory */
} part;

/* The primitives for one shape in one direction; its images are divided into `cuts` parts. */
typedef struct plan {
	bl_conv g;
	bl_conv_direction direction;
	int64_t cuts;
	part part[2];            /* for n / cuts images, and for one more (used if cuts does not divide n) */
	dnnl_memory_desc_t ours; /* the weights' layout outside of oneDNN: K, C, R, S */
	dnnl_primitive_t move;   /* reorders weights to oneDNN's layout, or the gradient back; NULL: equal layouts */
	struct plan *next;
} plan;

static dnnl_engine_t engine;
static dnnl_primitive_attr_t attr;

static int refused(const char *what)
{
	return bl_fail("oneDNN refuses %s", what);
}

/* --- Plans -------------------------------------------------------------------------- */

/* Sets the layouts of x, w and y for n images.  w: layout of the weights; NULL: oneDNN chooses it. */
static int describe(const bl_conv *g, int64_t n, const dnnl_memory_desc_t *w, dnnl_memory_desc_t d[ARRAYS])
{
	dnnl_status_t s = dnnl_memory_desc_init_by_tag(&d[X], 4, (dnnl_dims_t){ n, g->c, g->h, g->w }, dnnl_f32, dnnl_nhwc);
	if (s == dnnl_success)
		s = dnnl_memory_desc_init_by_tag(&d[Y], 4, (dnnl_dims_t){ n, g->k, g->p, g->q }, dnnl_f32, dnnl_nhwc);
	if (w)
		d[W] = *w;
	else if (s == dnnl_success)
		s = dnnl_memory_desc_init_by_tag(&d[W], 4, (dnnl_dims_t){ g->k, g->c, g->r, g->s }, dnnl_f32, dnnl_format_tag_any);
	return s == dnnl_success ? 0 : refused("these arrays");
}

/*
 * hint: the descriptor of the forward direction, which oneDNN requires for the gradients; NULL for the forward
 * direction.
 */
static dnnl_primitive_desc_t describe_conv(const bl_conv *g, bl_conv_direction direction, const dnnl_memory_desc_t *d,
                                           dnnl_primitive_desc_t hint)
{
	dnnl_convolution_desc_t c;
	dnnl_primitive_desc_t pd;
	dnnl_status_t s;
	dnnl_dims_t stride = { g->stride, g->stride }, left = { g->padding, g->padding };
	dnnl_dims_t right = { (g->p - 1) * g->stride + g->r - g->h - g->padding,
		              (g->q - 1) * g->stride + g->s - g->w - g->padding };
	if (direction == BL_CONV_FORWARD)
		s = dnnl_convolution_forward_desc_init(&c, dnnl_forward_training, dnnl_convolution_direct, &d[X], &d[W], NULL,
		                                       &d[Y], stride, left, right);
	else if (direction == BL_CONV_DATA_GRADIENT)
		s = dnnl_convolution_backward_data_desc_init(&c, dnnl_convolution_direct, &d[X], &d[W], &d[Y], stride, left, right);
	else
		s = dnnl_convolution_backward_weights_desc_init(&c, dnnl_convolution_direct, &d[X], &d[W], NULL, &d[Y], stride,
		                                                left, right);
	if (s == dnnl_success && dnnl_primitive_desc_create(&pd, &c, attr, engine, hint) == dnnl_success)
		return pd;
	refused("this convolution");
	return NULL;
}

static dnnl_primitive_desc_t describe_direction(const bl_conv *g, bl_conv_direction direction, const dnnl_memory_desc_t *d)
{
	dnnl_memory_desc_t free[ARRAYS];
	if (direction == BL_CONV_FORWARD)
		return describe_conv(g, direction, d, NULL);
	if (describe(g, d[X].dims[0], NULL, free) != 0)
		return NULL;
	dnnl_primitive_desc_t hint = describe_conv(g, BL_CONV_FORWARD, free, NULL);
	dnnl_primitive_desc_t pd = hint ? describe_conv(g, direction, d, hint) : NULL;
	if (hint)
		dnnl_primitive_desc_destroy(hint);
	return pd;
}

/* Creates the primitive for n images.  w: layout of the weights; NULL: oneDNN chooses it. */
static int make_part(const plan *p, int64_t n, const dnnl_memory_desc_t *w, part *out)
{
	if (describe(&p->g, n, w, out->d) != 0)
		return -1;
	dnnl_primitive_desc_t pd = describe_direction(&p->g, p->direction, out->d);
	if (!pd)
		return -1;
	out->d[W] = *dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, names[p->direction][W]);
	out->pad = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	dnnl_status_t s = dnnl_primitive_create(&out->conv, pd);
	dnnl_primitive_desc_destroy(pd);
	return s == dnnl_success ? 0 : refused("to make this convolution");
}

/* Creates the reordering of the weights or of their gradient, if the layouts differ. */
static int make_move(plan *p)
{
	const bl_conv *g = &p->g;
	const dnnl_memory_desc_t *theirs = &p->part[0].d[W];
	bool back = p->direction == BL_CONV_WEIGHT_GRADIENT;
	dnnl_primitive_desc_t pd;
	if (dnnl_memory_desc_init_by_tag(&p->ours, 4, (dnnl_dims_t){ g->k, g->c, g->r, g->s }, dnnl_f32, dnnl_oihw) != dnnl_success)
		return refused("our weights");
	if (dnnl_memory_desc_equal(&p->ours, theirs))
		return 0;
	if (dnnl_reorder_primitive_desc_create(&pd, back ? theirs : &p->ours, engine, back ? &p->ours : theirs, engine, NULL) !=
	    dnnl_success)
		return refused("to order our weights");
	dnnl_status_t s = dnnl_primitive_create(&p->move, pd);
	dnnl_primitive_desc_destroy(pd);
	return s == dnnl_success ? 0 : refused("to order our weights");
}

/*
 * The number of parts that the images are divided into.  For the weight gradient it is small if there are many weights,
 * since each part has its own array for the gradient.
 */
static int64_t cuts_of(const bl_conv *g, bl_conv_direction direction)
{
	int64_t cuts = CUTS;
	if (direction == BL_CONV_WEIGHT_GRADIENT) {
		cuts = PARTIAL_FLOATS / (g->k * g->c * g->r * g->s);
		cuts = cuts < FEW_CUTS ? FEW_CUTS : cuts > WEIGHT_CUTS ? WEIGHT_CUTS : cuts;
	}
	return cuts < g->n ? cuts : g->n;
}

static void free_plan(plan *p)
{
	for (int i = 0; i < 2; i++)
		if (p->part[i].conv)
			dnnl_primitive_destroy(p->part[i].conv);
	if (p->move)
		dnnl_primitive_destroy(p->move);
	free(p);
}

static int fill_plan(plan *p)
{
	int64_t n = p->g.n / p->cuts;
	if (make_part(p, n, NULL, &p->part[0]) != 0)
		return -1;
	if (p->g.n % p->cuts && make_part(p, n + 1, &p->part[0].d[W], &p->part[1]) != 0)
		return -1;
	return make_move(p);
}

static plan *new_plan(const bl_conv *g, bl_conv_direction direction)
{
	plan *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail_null("no memory for a convolution by oneDNN");
	p->g = *g;
	memset(p->g.by, 0, sizeof p->g.by);
	p->direction = direction;
	p->cuts = cuts_of(g, direction);
	if (fill_plan(p) == 0)
		return p;
	free_plan(p);
	return NULL;
}

static int start(void)
{
	if (attr)
		return 0;
	if (!engine && dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
		return refused("this CPU");
	if (dnnl_primitive_attr_create(&attr) != dnnl_success)
		return refused("to start");
	return dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success ? 0
	                                                                                                : refused("our scratch");
}

static bool is_for(const plan *p, const bl_conv *g, bl_conv_direction direction)
{
	bl_conv plain = *g;
	memset(plain.by, 0, sizeof plain.by);
	return p->direction == direction && !memcmp(&p->g, &plain, offsetof(bl_conv, by));
}

/* Sets one thread for oneDNN, which reads this number when it creates a primitive and when it executes one. */
static int one_thread(void)
{
	int before = omp_get_max_threads();
	omp_set_num_threads(1);
	return before;
}

/* Returns the plan for a shape, which is created on first use and never freed; NULL with bl_error. */
static plan *plan_for(const bl_conv *g, bl_conv_direction direction)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static plan *plans;
	pthread_mutex_lock(&lock);
	plan *p = plans;
	while (p && !is_for(p, g, direction))
		p = p->next;
	if (!p) {
		int threads = one_thread();
		p = start() == 0 ? new_plan(g, direction) : NULL;
		omp_set_num_threads(threads);
		if (p) {
			p->next = plans;
			plans = p;
		}
	}
	pthread_mutex_unlock(&lock);
	return p;
}

/* --- Running -------------------------------------------------------------------------- */

/* Runs one primitive on one thread and frees the memory objects. */
static int execute(dnnl_primitive_t primitive, int n, dnnl_exec_arg_t *args)
{
	dnnl_stream_t stream;
	dnnl_status_t s = dnnl_out_of_memory;
	bool made = true;
	for (int i = 0; i < n; i++)
		made = made && args[i].memory;
	if (made && dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success) {
		s = dnnl_primitive_execute(primitive, stream, n, args);
		if (s == dnnl_success)
			s = dnnl_stream_wait(stream);
		dnnl_stream_destroy(stream);
	}
	for (int i = 0; i < n; i++)
		if (args[i].memory)
			dnnl_memory_destroy(args[i].memory);
	return s == dnnl_success ? 0 : refused("to compute");
}

static dnnl_memory_t memory(const dnnl_memory_desc_t *d, const void *at)
{
	dnnl_memory_t m;
	return dnnl_memory_create(&m, d, engine, (void *)(uintptr_t)at) == dnnl_success ? m : NULL;
}

typedef struct job {
	const plan *p;
	const float *at[ARRAYS]; /* x, w and y of all images; one of them is written, depending on the direction */
	const float *bias;
	float *partial; /* the parts' weight gradients, [cut][size]; NULL in the other directions */
	int64_t size;   /* floats of the weights in oneDNN's layout */
	bool add;       /* add to dx instead of overwriting it */
	atomic_bool failed;
} job;

static void add_to(float *to, const float *from, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		to[i] += from[i];
}

static int run_part(const part *p, bl_conv_direction direction, const float *const at[ARRAYS])
{
	size_t bytes = dnnl_memory_desc_get_size(&p->pad);
	void *pad = bytes ? bl_scratch(SCRATCH_PAD, bytes) : NULL;
	dnnl_exec_arg_t args[ARRAYS + 1];
	if (bytes && !pad)
		return -1;
	for (int i = 0; i < ARRAYS; i++)
		args[i] = (dnnl_exec_arg_t){ names[direction][i], memory(&p->d[i], at[i]) };
	args[ARRAYS] = (dnnl_exec_arg_t){ DNNL_ARG_SCRATCHPAD, bytes ? memory(&p->pad, pad) : NULL };
	return execute(p->conv, bytes ? ARRAYS + 1 : ARRAYS, args);
}

static void add_bias(const bl_conv *g, const float *bias, float *y, int64_t images)
{
	for (int64_t i = 0; bias && i < images * g->p * g->q; i++)
		add_to(y + i * g->k, bias, g->k);
}

/*
 * Computes images from..to-1.  oneDNN overwrites its result, so a result that has to be added to dx is first written to
 * a scratch buffer.
 */
static int run_images(job *j, int64_t cut, int64_t from, int64_t to)
{
	const bl_conv *g = &j->p->g;
	int64_t in = g->h * g->w * g->c, out = g->p * g->q * g->k;
	const float *at[ARRAYS] = { j->at[X] + from * in, j->partial ? j->partial + cut * j->size : j->at[W],
		                    j->at[Y] + from * out };
	float *dx = (float *)(uintptr_t)at[X], *sum = NULL;
	if (j->add && !(at[X] = sum = bl_scratch(SCRATCH_RESULT, (size_t)((to - from) * in) * sizeof *sum)))
		return -1;
	if (run_part(&j->p->part[to - from > g->n / j->p->cuts], j->p->direction, at) != 0)
		return -1;
	if (sum)
		add_to(dx, sum, (to - from) * in);
	add_bias(g, j->bias, (float *)(uintptr_t)at[Y], to - from);
	return 0;
}

static void run_cut(void *ctx, int64_t cut)
{
	job *j = ctx;
	int64_t from, to;
	int threads = one_thread();
	bl_chunk_range(j->p->g.n, j->p->cuts, cut, &from, &to);
	if (run_images(j, cut, from, to) != 0)
		j->failed = true;
	omp_set_num_threads(threads);
}

static int run_cuts(job *j)
{
	bl_parallel(j->p->cuts, run_cut, j);
	return j->failed ? refused("to compute, or there is no memory") : 0;
}

static int move(const plan *p, const dnnl_memory_desc_t *from_d, const float *from, const dnnl_memory_desc_t *to_d, float *to)
{
	int threads = one_thread();
	dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, memory(from_d, from) }, { DNNL_ARG_TO, memory(to_d, to) } };
	int rc = execute(p->move, 2, args);
	omp_set_num_threads(threads);
	return rc;
}

/* Runs the forward direction or the data gradient: both read the weights, which are reordered first. */
static int run_with_weights(job *j)
{
	const plan *p = j->p;
	const dnnl_memory_desc_t *theirs = &p->part[0].d[W];
	if (!p->move)
		return run_cuts(j);
	float *w = bl_block_take(dnnl_memory_desc_get_size(theirs));
	int rc = w ? move(p, &p->ours, j->at[W], theirs, w) : -1;
	j->at[W] = w;
	if (rc == 0)
		rc = run_cuts(j);
	bl_block_give(w);
	return rc;
}

bool bl_onednn_fits(const bl_conv *g)
{
	return !g->gap && g->groups == 1;
}

int bl_onednn_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	job j = { .p = plan_for(g, BL_CONV_FORWARD), .at = { x, w, y }, .bias = bias };
	return j.p ? run_with_weights(&j) : -1;
}

int bl_onednn_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	job j = { .p = plan_for(g, BL_CONV_DATA_GRADIENT), .at = { dx, w, dy }, .add = add };
	return j.p ? run_with_weights(&j) : -1;
}

/* --- Weight gradient: sum of the parts -------------------------------------------------- */

/* Adds the gradients of all parts to that of part 0, for one range of elements. */
static void sum_chunk(void *ctx, int64_t chunk)
{
	job *j = ctx;
	int64_t from = chunk * SUM_FLOATS, n = j->size - from < SUM_FLOATS ? j->size - from : SUM_FLOATS;
	for (int64_t cut = 1; cut < j->p->cuts; cut++)
		add_to(j->partial + from, j->partial + cut * j->size + from, n);
}

/*
 * Writes the sum of the parts to dw, or adds it, reordered from oneDNN's layout if that differs.  If it is both
 * reordered and added, the reordered sum is written to the temporary array `between` first.
 */
static int give(const job *j, float *dw, bool add)
{
	const plan *p = j->p;
	int64_t n = p->g.k * p->g.c * p->g.r * p->g.s;
	float *between = add && p->move ? bl_block_take((size_t)n * sizeof *between) : NULL;
	const float *from = p->move ? between : j->partial;
	int rc = add && p->move && !between ? -1 : 0;
	if (rc == 0 && p->move)
		rc = move(p, &p->part[0].d[W], j->partial, &p->ours, add ? between : dw);
	if (rc == 0 && add)
		add_to(dw, from, n);
	else if (rc == 0 && !p->move)
		memcpy(dw, from, (size_t)n * sizeof *dw);
	bl_block_give(between);
	return rc;
}

int bl_onednn_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	job j = { .p = plan_for(g, BL_CONV_WEIGHT_GRADIENT), .at = { x, NULL, dy } };
	if (!j.p)
		return -1;
	j.size = (int64_t)(dnnl_memory_desc_get_size(&j.p->part[0].d[W]) / sizeof *j.partial);
	j.partial = bl_block_take((size_t)(j.p->cuts * j.size) * sizeof *j.partial);
	int rc = j.partial ? run_cuts(&j) : -1;
	if (rc == 0) {
		bl_parallel((j.size + SUM_FLOATS - 1) / SUM_FLOATS, sum_chunk, &j);
		rc = give(&j, dw, add);
	}
	bl_block_give(j.partial);
	return rc;
}
