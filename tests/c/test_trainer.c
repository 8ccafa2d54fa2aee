/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_trainer.c: a small network learns, with the same bits every time; commands, states and failures work as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/trainer.h"

#include <barlow/ambient.h>
#include <barlow/error.h>
#include <barlow/grad.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <barlow/train.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 96, SIDE = 16, BATCH = 32, D = 8, STEPS_PER_EPOCH = IMAGES / BATCH };

/* The parts of a trainer, which toy_free frees; the test frees the trainer. */
struct toy {
	bl_trainer_config config;
	bl_dataset *data;
	bl_pipeline *views;
	bl_module *encoder, *projector;
};

static bl_pipeline *views_new(void)
{
	return bl_pipeline_parse("crop{size = 12, scale = {0.6, 1}}, flip, noise{std = 0.05, p = 1}");
}

static bl_module *mlp(int64_t in, int64_t hidden, int64_t out, bool flatten)
{
	int64_t widths[] = { hidden, out };
	return bl_nn_mlp(&(bl_mlp_config){
		.in = in, .widths = widths, .layers = 2, .norm = true, .last_plain = !flatten, .flatten = flatten });
}

static struct toy toy_with(bl_module *encoder)
{
	struct toy y = { .encoder = encoder, .projector = mlp(16, 16, D, false), .views = views_new() };
	y.data = bl_dataset_shapes(&(bl_shapes_config){ .n = IMAGES, .size = SIDE, .channels = 1, .seed = 5 });
	assert_true(y.encoder && y.projector && y.views && y.data);
	bl_module_init(y.encoder, 1);
	bl_module_init(y.projector, 2);
	y.config = (bl_trainer_config){
		.name = "toy",
		.data = y.data,
		.first = y.views,
		.second = y.views,
		.encoder = y.encoder,
		.projector = y.projector,
		.optim = bl_optim_default("sgd"),
		.batch = BATCH,
		.epochs = 20,
		.seed = 3,
		.loader_threads = 1,
	};
	y.config.optim.lr = .05;
	return y;
}

static struct toy toy_new(void)
{
	return toy_with(mlp(12 * 12, 24, 16, true));
}

static void toy_free(struct toy *y)
{
	bl_dataset_unref(y->data);
	bl_pipeline_unref(y->views);
	bl_module_unref(y->encoder);
	bl_module_unref(y->projector);
}

static bl_trainer *trainer_of(const struct toy *y)
{
	bl_trainer *t = bl_trainer_new(&y->config);
	if (!t)
		print_error("%s\n", bl_error());
	assert_non_null(t);
	return t;
}

static bl_record record_at(bl_trainer *t, int64_t step)
{
	bl_record r;
	assert_true(bl_live_record(bl_trainer_live(t), step - 1, &r));
	assert_int_equal(r.step, step);
	return r;
}

static double value_of(bl_trainer *t, const bl_record *r, const char *column)
{
	bl_columns c;
	bl_live_columns(bl_trainer_live(t), &c);
	assert_true(bl_columns_find(&c, column) >= 0);
	return bl_record_value(r, &c, column);
}

static double value_at(bl_trainer *t, int64_t step, const char *column)
{
	bl_record r = record_at(t, step);
	return value_of(t, &r, column);
}

static int64_t steps_done(bl_trainer *t)
{
	return bl_live_length(bl_trainer_live(t));
}

static char *message(bl_trainer *t, bl_live_info *info)
{
	bl_live_info_get(bl_trainer_live(t), info);
	return info->message;
}

/* All parameters and buffers in one array. */
struct dump {
	float *at;
	int64_t n;
};

static int dump_one(void *ctx, const char *name, bl_tensor *x, bl_param_kind kind)
{
	struct dump *d = ctx;
	(void)name, (void)kind;
	d->at = realloc(d->at, (size_t)(d->n + bl_tensor_count(x)) * sizeof *d->at);
	bl_tensor_read(x, d->at + d->n);
	d->n += bl_tensor_count(x);
	return 0;
}

static struct dump dump_of(const struct toy *y)
{
	struct dump d = { 0 };
	bl_module_each(y->encoder, dump_one, &d);
	bl_module_each(y->projector, dump_one, &d);
	return d;
}

static void assert_same(struct dump *a, struct dump *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->at, b->at, (size_t)a->n * sizeof *a->at);
}

static void wait_for_state(bl_trainer *t, bl_run_state s)
{
	for (int i = 0; i < 100000 && bl_trainer_state(t) != s; i++)
		usleep(1000);
	assert_int_equal(bl_trainer_state(t), s);
}

static void wait_for_steps(bl_trainer *t, int64_t n)
{
	for (int i = 0; i < 100000 && steps_done(t) < n; i++)
		usleep(1000);
	assert_true(steps_done(t) >= n);
}

static void command(bl_trainer *t, bl_command_kind kind, double value)
{
	assert_int_equal(bl_trainer_command(t, (bl_command){ .kind = kind, .value = value }), 0);
}

static int holds_always(void *ctx, bl_trainer *t)
{
	(void)ctx;
	(void)t;
	return 1;
}

/* --- Learning -------------------------------------------------------------------------- */

static double mean_total(bl_trainer *t, int64_t from, int64_t to)
{
	double sum = 0;
	for (int64_t i = from; i <= to; i++)
		sum += value_at(t, i, "total");
	return sum / (double)(to - from + 1);
}

static void check_record(bl_trainer *t, int64_t step)
{
	double total = value_at(t, step, "total"), weighted = value_at(t, step, "lambda") * value_at(t, step, "redundancy");
	assert_true(fabs(total - (value_at(t, step, "invariance") + weighted)) < 1e-6 * total);
	assert_true(value_at(t, step, "weighted_redundancy") == weighted);
	assert_true(value_at(t, step, "lambda") == .0051 && value_at(t, step, "lr") == .05);
	assert_true(value_at(t, step, "weighted_invariance") == value_at(t, step, "invariance"));
	assert_true(value_at(t, step, "loss.invariance") == 1 && isnan(value_at(t, step, "knn")));
	bl_columns c;
	bl_live_columns(bl_trainer_live(t), &c);
	assert_int_equal(bl_columns_find(&c, "lr_bias"), -1); /* there is no such column if it equals lr */
	assert_true(value_at(t, step, "grad_norm") > 0 && value_at(t, step, "images_per_s") > 0);
}

/* What screens, charts and tables know of each column: name, label, brief, unit, kind, precision, mark; * is a summand of the loss. */
static void test_columns(void **state)
{
	(void)state;
	static const char *const expected[] = {
		"invariance, '', '', '', 1, 0, I",
		"weighted_invariance, 'invariance', 'inv', '', 2, 0, i *",
		"redundancy, '', '', '', 1, 0, R",
		"weighted_redundancy, 'λ·redundancy', 'λ·red', '', 2, 0, r *",
		"lambda, 'λ', '', '', 4, 3, -",
		"loss.invariance, 'weight of inv', '', '', 4, 3, -",
		"total, '', '', '', 0, 0, T",
		"floor, '', '', '', 3, 3, -",
		"time, '', '', 's', 8, 6, -",
		"lr, 'learning rate', 'lr', '', 5, 3, a",
		"lr_bias, 'lr of biases', '', '', 5, 3, b",
		"grad_norm, 'gradient norm', '', '', 7, 0, -",
		"images_per_s, 'images/s', '', 'images/s', 7, 0 fixed, s",
		"knn, 'kNN accuracy', 'kNN', '', 6, 3 fixed, -",
	};
	struct toy y = toy_new();
	y.config.optim.lr_bias = .1;
	bl_trainer *t = trainer_of(&y);
	bl_columns c;
	bl_live_columns(bl_trainer_live(t), &c);
	for (int i = 0; i < c.n; i++) {
		const bl_column *k = &c.column[i];
		char text[300];
		snprintf(text, sizeof text, "%s, '%s', '%s', '%s', %d, %d%s, %c%s", k->name, k->label, k->brief, k->unit, k->kind,
		         k->precision, k->fixed ? " fixed" : "", k->mark ? k->mark : '-', bl_columns_part(&c, i) ? " *" : "");
		assert_true(i < (int)(sizeof expected / sizeof *expected));
		assert_string_equal(text, expected[i]);
	}
	assert_int_equal(c.n, (int)(sizeof expected / sizeof *expected));
	bl_trainer_free(t);
	toy_free(&y);
}

static void test_learns(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_trainer *t = trainer_of(&y);
	bl_live_info info;
	double before = 0;
	assert_int_equal(bl_trainer_state(t), BL_RUN_NEW);
	assert_int_equal(bl_trainer_start(t), 0);
	assert_int_equal(bl_trainer_wait(t, -1), 1);
	assert_int_equal(bl_trainer_state(t), BL_RUN_DONE);
	assert_int_equal(steps_done(t), 20 * STEPS_PER_EPOCH);
	assert_true(mean_total(t, 51, 60) < .7 * mean_total(t, 1, 5));
	for (int64_t i = 1; i <= 60; i++) {
		check_record(t, i);
		assert_true(value_at(t, i, "time") > before);
		before = value_at(t, i, "time");
	}
	message(t, &info);
	assert_true(info.step == 60 && info.steps == 60 && info.steps_per_epoch == STEPS_PER_EPOCH && info.d == D);
	assert_int_equal(bl_trainer_start(t), -1);
	assert_non_null(strstr(bl_error(), "60 of 60"));
	assert_int_equal(bl_trainer_steps(t, 1), -1);
	bl_trainer_free(t);
	toy_free(&y);
}

/* --- The same bits ----------------------------------------------------------------------- */

enum { BITS_STEPS = 30 };

static struct dump run_with(int threads, int loaders, bool background)
{
	struct toy y = toy_new();
	y.config.max_steps = BITS_STEPS;
	y.config.loader_threads = loaders;
	assert_int_equal(bl_threads_set(threads), 0);
	bl_trainer *t = trainer_of(&y);
	if (background)
		assert_int_equal(bl_trainer_start(t), 0);
	else
		assert_int_equal(bl_trainer_steps(t, BITS_STEPS), 0);
	assert_int_equal(bl_trainer_wait(t, -1), 1);
	assert_int_equal(bl_trainer_state(t), BL_RUN_DONE);
	bl_trainer_free(t);
	struct dump d = dump_of(&y);
	toy_free(&y);
	bl_threads_set(0);
	return d;
}

static void test_same_bits(void **state)
{
	(void)state;
	struct dump one = run_with(1, 1, true);
	static const int how[][3] = { { 1, 1, true }, { 2, 2, true }, { 3, 1, false }, { 1, 3, false } };
	for (int i = 0; i < 4; i++) {
		struct dump other = run_with(how[i][0], how[i][1], how[i][2]);
		assert_same(&one, &other);
		free(other.at);
	}
	free(one.at);
}

static struct dump run_bf16(int threads, bl_record *first)
{
	struct toy y = toy_new();
	y.config.precision = BL_PRECISION_BF16;
	assert_int_equal(bl_threads_set(threads), 0);
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, BITS_STEPS), 0);
	assert_int_equal(bl_grad_precision(BL_PRECISION_FLOAT32), BL_PRECISION_FLOAT32);
	*first = record_at(t, 1);
	bl_trainer_free(t);
	struct dump d = dump_of(&y);
	toy_free(&y);
	bl_threads_set(0);
	return d;
}

/*
 * With bf16, losses are near those of float32, but not equal; bits do not depend on the number of threads; no setting remains after
 * the run.
 */
static void test_precision(void **state)
{
	(void)state;
	bl_record first, again, exact;
	struct dump one = run_bf16(1, &first), two = run_bf16(2, &again);
	struct toy y = toy_new();
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	exact = record_at(t, 1);
	assert_same(&one, &two);
	double total = value_of(t, &exact, "total"), norm = value_of(t, &exact, "grad_norm");
	double first_total = value_of(t, &first, "total"), first_norm = value_of(t, &first, "grad_norm");
	assert_true(first_total == value_of(t, &again, "total") && first_total != total && first_norm != norm);
	assert_true(fabs(first_total - total) < .02 * total);
	assert_true(fabs(first_norm - norm) < .02 * norm);
	bl_trainer_free(t);
	toy_free(&y);
	free(one.at);
	free(two.at);
}

static bl_region question(int64_t step)
{
	int32_t k = (int32_t)step;
	return (bl_region){
		.matrix = k % 3, .order = k / 3 % 3, .row = k % D, .rows = 1 + k % 5, .points = 1, .view = k, .redraw = k % 2
	};
}

/* Sends a request while the trainer is paused, and waits for the answer. */
static void look_closely(bl_trainer *t)
{
	static bl_snapshot s;
	int64_t step = steps_done(t);
	bl_region r = question(step);
	for (int i = 0; i < 100000 && (s.step != step || s.region.rows != r.rows || s.points_step != step); i++) {
		assert_int_equal(bl_live_request(bl_trainer_live(t), &r), 0);
		usleep(1000);
		bl_live_snapshot(bl_trainer_live(t), &s);
	}
	assert_true(s.step == step && s.region.matrix == r.matrix && s.region.order == r.order && s.region.rows == r.rows);
	assert_true(s.points == 40 && s.points_step == step && s.view_side == 12 && s.view_row >= 0 && s.view_draws[1][0]);
}

/* Observing a run does not change its bits. */
static void test_watched(void **state)
{
	(void)state;
	struct dump alone = run_with(2, 1, false);
	struct toy y = toy_new();
	bl_shapes_config shapes = { .n = 40, .size = 12, .channels = 1, .seed = 9 };
	y.config.max_steps = BITS_STEPS;
	y.config.snapshot_hz = 1e9;
	y.config.knn_queries = bl_dataset_shapes(&shapes);
	bl_trainer *t = trainer_of(&y);
	/* Ensures that the run, which has few steps, does not end before it is paused. */
	bl_trainer_break_when(t, &(bl_condition){ .holds = holds_always });
	assert_int_equal(bl_trainer_start(t), 0);
	wait_for_state(t, BL_RUN_PAUSED);
	assert_int_equal(steps_done(t), 1);
	bl_trainer_break_when(t, NULL);
	while (steps_done(t) < BITS_STEPS) {
		look_closely(t);
		assert_int_equal(bl_trainer_steps(t, 2), 0);
	}
	assert_int_equal(bl_trainer_wait(t, -1), 1);
	bl_trainer_free(t);
	struct dump watched = dump_of(&y);
	assert_same(&alone, &watched);
	bl_dataset_unref(y.config.knn_queries);
	toy_free(&y);
	free(alone.at);
	free(watched.at);
}

/* One thread, and pauses in which the loader fills its ring, ensure that all blocks are allocated before the measurement. */
static void test_steady_memory(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_memory_stats before, after;
	y.config.snapshot_hz = 1e-6;
	assert_int_equal(bl_threads_set(1), 0);
	bl_trainer *t = trainer_of(&y);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(bl_trainer_steps(t, 1), 0);
		usleep(5000);
	}
	bl_memory(&before);
	assert_int_equal(bl_trainer_steps(t, 30), 0);
	bl_memory(&after);
	assert_int_equal(after.system_calls, before.system_calls);
	bl_trainer_free(t);
	toy_free(&y);
	bl_threads_set(0);
}

static void test_schedule(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_schedule s = bl_schedule_default("cosine");
	s.warmup = 6;
	s.steps = 60;
	bl_schedule_set(&s, "last", .01);
	y.config.schedule = bl_schedule_default("cosine");
	bl_schedule_set(&y.config.schedule, "last", .01);
	y.config.warmup_epochs = 2;
	y.config.max_steps = 25; /* max_steps does not change the schedule, which depends on the epochs */
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 1000), 0);
	assert_int_equal(steps_done(t), 25);
	for (int64_t i = 0; i < 25; i++)
		assert_true(fabs(value_at(t, i + 1, "lr") - .05 * bl_schedule_at(&s, i)) < 1e-12);
	bl_trainer_free(t);
	toy_free(&y);
}

/* Plain SGD changes the weights by lr times the clipped gradient; the recorded norm is that before clipping. */
static void set(bl_trainer *t, const char *name, double value)
{
	if (bl_trainer_set(t, name, value) != 0)
		fail_msg("%s", bl_error());
}

static void test_clip(void **state)
{
	(void)state;
	struct toy y = toy_new();
	double moved = 0;
	y.config.clip = .01;
	bl_optim_set(&y.config.optim, "momentum", 0);
	y.config.optim.weight_decay = 0;
	bl_trainer *t = trainer_of(&y);
	bl_params *p = bl_trainer_params(t);
	size_t n = (size_t)bl_params_count(p);
	float *before = malloc(n * sizeof *before);
	memcpy(before, bl_params_values(p), n * sizeof *before);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	for (size_t i = 0; i < n; i++)
		moved += pow((double)bl_params_values(p)[i] - before[i], 2);
	assert_true(fabs(sqrt(moved) / (.05 * .01) - 1) < 1e-3);
	assert_true(value_at(t, 1, "grad_norm") > .02);
	free(before);
	bl_trainer_free(t);
	toy_free(&y);
}

static void test_knn(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_shapes_config shapes = { .n = 40, .size = 12, .channels = 1, .seed = 9 };
	y.config.knn_every = 2;
	y.config.knn_refs = y.config.knn_queries = bl_dataset_shapes(&shapes);
	y.config.knn_k = 1;
	y.config.max_steps = 14;
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 14), 0);
	for (int64_t i = 1; i <= 14; i++)
		assert_true((value_at(t, i, "knn") > .9) == (i % (2 * STEPS_PER_EPOCH) == 0 || i == 14));
	assert_true(isnan(value_at(t, 1, "knn")));
	bl_dataset_unref(y.config.knn_refs);
	bl_trainer_free(t);
	toy_free(&y);
}

/* --- Breaks -------------------------------------------------------------------------------- */

struct broken {
	bl_trainer *t;
	int saves, early;
};

static int save_at_break(void *ctx, bl_save_why why)
{
	struct broken *b = ctx;
	if (why == BL_SAVE_REGULAR) {
		b->saves++;
		b->early += bl_trainer_at_break(b->t);
	}
	return 0;
}

/* After a thread has waited for a break, the run is paused and saved. */
static void test_break(void **state)
{
	(void)state;
	char path[] = "/tmp/barlow-trainer-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct toy y = toy_new();
	y.config.checkpoint_every = 1. / STEPS_PER_EPOCH;
	struct broken b = { .t = trainer_of(&y) };
	bl_trainer *t = b.t;
	assert_int_equal(bl_trainer_save_to(t, path, save_at_break, &b), 0);
	bl_trainer_break_when(t, &(bl_condition){ .holds = holds_always });
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(bl_trainer_start(t), 0);
		while (!bl_trainer_at_break(t))
			usleep(100);
		assert_int_equal(bl_trainer_state(t), BL_RUN_PAUSED);
		assert_int_equal(steps_done(t), i);
		assert_int_equal(b.saves, i);
		assert_int_equal(b.early, 0);
	}
	assert_int_equal(bl_trainer_steps(t, 5), 0); /* steps by the caller */
	assert_true(bl_trainer_at_break(t));
	assert_int_equal(steps_done(t), 4);
	bl_trainer_free(t);
	toy_free(&y);
	unlink(path);
}

/* --- Commands ------------------------------------------------------------------------------ */

static struct toy long_toy(void)
{
	struct toy y = toy_new();
	y.config.epochs = 1e5;
	return y;
}

static int64_t paused_at(bl_trainer *t)
{
	command(t, BL_CMD_PAUSE, 0);
	wait_for_state(t, BL_RUN_PAUSED);
	int64_t n = steps_done(t);
	usleep(80000);
	assert_int_equal(steps_done(t), n);
	return n;
}

static void test_pause_step_stop(void **state)
{
	(void)state;
	struct toy y = long_toy();
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_wait(t, 0), 1); /* the trainer is not running */
	assert_int_equal(bl_trainer_start(t), 0);
	assert_int_equal(bl_trainer_start(t), 0); /* starting a running trainer has no effect */
	wait_for_steps(t, 5);
	assert_int_equal(bl_trainer_wait(t, 0), 0);
	assert_int_equal(bl_trainer_wait(t, .02), 0);
	assert_int_equal(bl_trainer_steps(t, 1), -1);
	assert_non_null(strstr(bl_error(), "running"));
	int64_t n = paused_at(t);
	command(t, BL_CMD_STEP, 0);
	command(t, BL_CMD_STEP, 0);
	wait_for_steps(t, n + 2);
	usleep(80000);
	assert_int_equal(steps_done(t), n + 2);
	assert_int_equal(bl_trainer_state(t), BL_RUN_PAUSED);
	assert_int_equal(bl_trainer_steps(t, 3), 0); /* steps by the caller while the trainer is paused */
	assert_int_equal(steps_done(t), n + 5);
	command(t, BL_CMD_RESUME, 0);
	wait_for_steps(t, n + 8);
	n = paused_at(t);
	assert_int_equal(bl_trainer_start(t), 0); /* start also resumes a paused trainer */
	wait_for_steps(t, n + 3);
	command(t, BL_CMD_STOP, 0);
	assert_int_equal(bl_trainer_wait(t, -1), 1);
	assert_int_equal(bl_trainer_state(t), BL_RUN_STOPPED);
	n = steps_done(t);
	assert_int_equal(bl_trainer_start(t), 0); /* start continues a stopped trainer */
	wait_for_steps(t, n + 3);
	paused_at(t);
	command(t, BL_CMD_STOP, 0); /* stops a paused trainer */
	assert_int_equal(bl_trainer_wait(t, -1), 1);
	assert_int_equal(bl_trainer_state(t), BL_RUN_STOPPED);
	bl_trainer_free(t);
	toy_free(&y);
}

/* Repeats a command while the mailbox is full, which happens because commands are sent faster than steps are made. */
static void insist(bl_trainer *t, bl_command_kind kind)
{
	while ((kind == BL_CMD_NONE ? bl_trainer_start(t) : bl_trainer_command(t, (bl_command){ .kind = kind, .value = 0 })) != 0) {
		assert_non_null(strstr(bl_error(), "waiting already"));
		usleep(100);
	}
}

static void test_start_stop_storm(void **state)
{
	(void)state;
	struct toy y = long_toy();
	bl_trainer *t = trainer_of(&y);
	for (int i = 0; i < 200; i++) {
		insist(t, BL_CMD_NONE);
		if (i % 3 == 0)
			insist(t, BL_CMD_PAUSE);
		if (i % 2 == 0)
			insist(t, BL_CMD_STOP);
		if (i % 5 == 0 && i % 2 == 0)
			assert_int_equal(bl_trainer_wait(t, -1), 1);
	}
	bl_trainer_free(t); /* frees a running trainer */
	y.config.warm_start = true;
	t = trainer_of(&y);
	assert_int_equal(bl_trainer_start(t), 0);
	bl_trainer_free(t);
	toy_free(&y);
}

/* The last request takes effect, also if the thread is still processing the previous request. */
static void test_last_request(void **state)
{
	(void)state;
	struct toy y = long_toy();
	bl_trainer *t = trainer_of(&y);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(bl_trainer_start(t), 0);
		wait_for_steps(t, steps_done(t) + 1);
		command(t, i % 2 ? BL_CMD_STOP : BL_CMD_PAUSE, 0);
		usleep((useconds_t)(i % 10 * 50));
	}
	bl_trainer_free(t);
	toy_free(&y);
}

static void refused(const struct toy *y, const char *why)
{
	bl_trainer *t = bl_trainer_new(&y->config);
	assert_null(t);
	if (!strstr(bl_error(), why))
		fail_msg("expected \"%s\" in: %s", why, bl_error());
}

/* A run refuses a module that another run trains or has trained, alone or inside of another module. */
static void test_one_owner(void **state)
{
	(void)state;
	struct toy y = toy_new(), z = toy_new();
	y.config.name = "A";
	bl_trainer *idle = trainer_of(&y), *a = trainer_of(&y);
	assert_int_equal(bl_trainer_start(idle), -1);
	assert_non_null(strstr(bl_error(), "the encoder now belongs to another trainer (run 'A')"));
	bl_trainer_free(idle);
	assert_int_equal(bl_trainer_steps(a, 3), 0);
	y.config.name = "B";
	y.config.warm_start = true;
	refused(&y, "the encoder is being trained by run 'A' (step 3), which has not ended: stop that first");
	command(a, BL_CMD_STOP, 0);
	y.config.warm_start = false;
	refused(&y, "the encoder was trained by run 'A' (step 3): give warm_start = true");
	y.config.encoder = z.encoder;
	refused(&y, "the projector was trained by run 'A' (step 3)");

	bl_module *around = bl_nn_sequential();
	assert_int_equal(bl_nn_append(around, "inner", y.encoder), 0);
	y.config.encoder = around;
	y.config.projector = z.projector;
	refused(&y, "encoder.inner was trained by run 'A' (step 3)");
	assert_int_equal(bl_trainer_steps(a, 1), 0); /* a refusal does not affect the owner */
	bl_trainer_free(a);
	refused(&y, "encoder.inner was trained by run 'A' (step 4)");

	bl_module_init(y.encoder, 1); /* new random weights have no owner */
	bl_trainer *b = trainer_of(&y);
	assert_false(bl_trainer_warm(b));
	assert_int_equal(bl_trainer_steps(b, 1), 0);
	assert_false(bl_trainer_warm(b));
	assert_null(bl_trainer_start_tensor(b, 0));
	bl_trainer_free(b);
	bl_module_unref(around);
	toy_free(&y);
	toy_free(&z);
}

/* A warm start keeps its initial weights; the earlier run cannot continue. */
static void test_warm_start(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_trainer *a = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(a, 3), 0);
	command(a, BL_CMD_STOP, 0);
	struct dump before = dump_of(&y);
	y.config.warm_start = true;
	y.config.name = "B";
	bl_trainer *b = trainer_of(&y);
	assert_true(bl_trainer_warm(b));
	assert_null(bl_trainer_start_tensor(b, 0));
	assert_int_equal(bl_trainer_steps(b, 3), 0);
	assert_int_equal(bl_trainer_steps(a, 1), -1);
	assert_non_null(strstr(bl_error(), "the encoder now belongs to another trainer (run 'B')"));
	int64_t at = 0;
	for (int k = 0; bl_trainer_start_tensor(b, k); k++) {
		const bl_tensor *x = bl_trainer_start_tensor(b, k);
		assert_memory_equal(bl_tensor_data((bl_tensor *)x), before.at + at, (size_t)bl_tensor_count(x) * sizeof(float));
		at += bl_tensor_count(x);
	}
	assert_int_equal(at, before.n);
	free(before.at);
	bl_trainer_free(a);
	bl_trainer_free(b);
	toy_free(&y);
}

static void test_settings(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_live_info info;
	y.config.optim.lr_bias = .01;
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 2), 0);
	set(t, "lambda", .02);
	assert_string_equal(message(t, &info), "step 2: lambda 0.0051 -> 0.02");
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	set(t, "lr", .1);
	assert_string_equal(message(t, &info), "step 3: lr 0.05 -> 0.1");
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	assert_true(value_at(t, 2, "lambda") == .0051 && value_at(t, 3, "lambda") == .02);
	assert_true(value_at(t, 3, "lr") == .05 && value_at(t, 4, "lr") == .1);
	assert_true(value_at(t, 1, "lr_bias") == .01 && fabs(value_at(t, 4, "lr_bias") - .02) < 1e-12);
	assert_true(fabs(bl_optim_settings(bl_trainer_optim(t))->lr_bias - .02) < 1e-12);
	assert_int_equal(bl_trainer_set(t, "lambda", -1), -1);
	assert_string_equal(bl_error(), "trainer: 'lambda' must be a number of at least 0, got -1");
	assert_int_equal(bl_trainer_set(t, "lamda", 1), -1);
	assert_non_null(strstr(bl_error(), "nothing called 'lamda' can be set (did you mean 'lambda'?)"));
	assert_int_equal(bl_trainer_set(t, "scale", 1), -1); /* this setting of the loss cannot change during a run */
	assert_non_null(strstr(bl_error(), "(known: lambda, invariance, lr, lr_bias, weight_decay, views."));
	/* A command of another process comes through the mailbox; its refusal is a message of the run. */
	assert_int_equal(bl_live_send(bl_trainer_live(t), (bl_command){ BL_CMD_SET, NAN, "lr", 0 }), 0);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	assert_non_null(strstr(message(t, &info), "refused"));
	assert_true(value_at(t, 5, "lr") == .1);
	set(t, "loss.lambda", .03);
	set(t, "optim.lr", .2);
	assert_true(bl_trainer_get(t, "lambda") == .03 && bl_trainer_get(t, "lr") == .2);
	assert_true(isnan(bl_trainer_get(t, "mu")));
	set(t, "lr", .1);
	assert_int_equal(bl_trainer_requests(t, BL_CMD_CHECKPOINT), 0);
	command(t, BL_CMD_CHECKPOINT, 0);
	command(t, BL_CMD_CHECKPOINT, 0);
	assert_int_equal(bl_trainer_requests(t, BL_CMD_CHECKPOINT), 2);
	assert_int_equal(bl_trainer_state(t), BL_RUN_PAUSED);
	command(t, BL_CMD_STOP, 0); /* stops a trainer that is not running */
	assert_int_equal(bl_trainer_state(t), BL_RUN_STOPPED);
	bl_trainer_free(t);
	toy_free(&y);
}

/* Commands from another handle of the file are like commands from another process. */
static void test_file(void **state)
{
	(void)state;
	char path[] = "/tmp/barlow-trainer-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct toy y = long_toy();
	bl_live_info info;
	static bl_snapshot shot;
	y.config.live_path = path;
	bl_trainer *t = trainer_of(&y);
	bl_live *far = bl_live_open(path, true);
	assert_non_null(far);
	assert_int_equal(bl_trainer_start(t), 0);
	assert_int_equal(bl_live_send(far, (bl_command){ .kind = BL_CMD_PAUSE, .value = 0 }), 0);
	wait_for_state(t, BL_RUN_PAUSED);
	assert_int_equal(bl_live_send(far, (bl_command){ .kind = BL_CMD_STEP, .value = 0 }), 0);
	wait_for_steps(t, 1);
	assert_int_equal(bl_live_send(far, (bl_command){ .kind = BL_CMD_STOP, .value = 0 }), 0);
	assert_int_equal(bl_trainer_wait(t, -1), 1);
	assert_true(bl_live_snapshot(far, &shot) >= 1);
	assert_true(shot.n == BATCH && shot.d == D && shot.grid == D && shot.view_side == 12 && shot.view_channels == 1);
	bl_trainer_free(t);
	bl_live_info_get(far, &info);
	assert_int_equal(info.state, BL_RUN_STOPPED);
	assert_string_equal(info.name, "toy");
	bl_live_close(far);
	unlink(path);
	toy_free(&y);
}

/* --- Access between steps ------------------------------------------------------------------------------- */

struct visit {
	bl_trainer *t;
	int64_t asked, before, after;
	atomic_bool expected;
};

static bool somebody_waits(bl_trainer *t)
{
	pthread_mutex_lock(&t->lock);
	bool waits = t->exclusive.guests > 0;
	pthread_mutex_unlock(&t->lock);
	return waits;
}

/* After each step, waits until another thread requests access, and records the step. */
static int meet(void *ctx, bl_trainer *t)
{
	struct visit *v = ctx;
	atomic_store(&v->expected, true);
	while (!somebody_waits(t))
		usleep(100);
	if (v->asked < 0)
		v->asked = steps_done(t);
	atomic_store(&v->expected, false);
	return 0;
}

static void linger(void *ctx)
{
	struct visit *v = ctx;
	v->before = steps_done(v->t);
	usleep(50000);
	bl_tensor_unref(bl_trainer_correlation(v->t)); /* may be called within the exclusive section */
	v->after = steps_done(v->t);
}

static void test_between_steps(void **state)
{
	(void)state;
	struct toy y = long_toy();
	bl_trainer *t = trainer_of(&y);
	struct visit v = { .t = t };
	assert_null(bl_trainer_correlation(t));
	assert_non_null(strstr(bl_error(), "before the first step"));
	bl_trainer_between_steps(t, linger, &v);
	assert_int_equal(v.after, 0);
	bl_trainer_break_when(t, &(bl_condition){ .holds = meet, .ctx = &v });
	assert_int_equal(bl_trainer_start(t), 0);
	for (int i = 0; i < 5; i++) {
		while (!atomic_load(&v.expected))
			usleep(100);
		v.asked = -1;
		bl_trainer_between_steps(t, linger, &v);
		assert_int_equal(v.before, v.after);
		assert_int_equal(v.before, v.asked); /* the function runs directly after the step in progress */
		bl_tensor *c = bl_trainer_correlation(t);
		assert_true(c && bl_tensor_size(c, 0) == D && bl_tensor_size(c, 1) == D);
		bl_tensor_unref(c);
	}
	bl_trainer_break_when(t, NULL);
	wait_for_steps(t, v.after + 3);
	bl_trainer_free(t);
	toy_free(&y);
}

/* At the end of a run, C, the last record and the last snapshot belong to the same step. */
struct context {
	bl_trainer *here, *other;
	const bl_choices *seen[3];
};

static void look_within(void *ctx)
{
	struct context *c = ctx;
	c->seen[2] = bl_ambient_here()->choices;
}

static void look_around(void *ctx)
{
	struct context *c = ctx;
	c->seen[0] = bl_ambient_here()->choices;
	bl_trainer_between_steps(c->other, look_within, c);
	c->seen[1] = bl_ambient_here()->choices;
}

/*
 * A thread that computes for a run uses the choices of that run, also if it was computing for another run; afterwards it uses its
 * own.
 */
static void test_context(void **state)
{
	(void)state;
	struct toy a = toy_new(), b = toy_new();
	bl_trainer *t = trainer_of(&a), *other = trainer_of(&b);
	bl_choices *own = bl_choices_new();
	struct context c = { t, other, { NULL } };
	bl_ambient outside = bl_ambient_enter();
	bl_choices_use(own);
	bl_grad_enable(false);
	bl_grad_precision(BL_PRECISION_BF16);
	bl_trainer_between_steps(t, look_around, &c);
	assert_ptr_equal(c.seen[0], bl_trainer_choices(t));
	assert_ptr_equal(c.seen[1], bl_trainer_choices(t));
	assert_ptr_equal(c.seen[2], bl_trainer_choices(other));
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	assert_ptr_equal(bl_ambient_here()->choices, own);
	assert_false(bl_grad_enable(false));
	assert_int_equal(bl_ambient_here()->precision, BL_PRECISION_BF16);
	bl_ambient_leave(outside);
	assert_null(bl_ambient_here()->choices);
	assert_true(bl_grad_enable(true));
	assert_int_equal(bl_ambient_here()->precision, BL_PRECISION_FLOAT32);
	bl_trainer_free(t);
	bl_trainer_free(other);
	bl_choices_free(own);
	toy_free(&a);
	toy_free(&b);
}

static void test_last_snapshot(void **state)
{
	(void)state;
	struct toy y = toy_new();
	static bl_snapshot shot;
	double invariance = 0;
	y.config.max_steps = 7;
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	assert_int_equal(bl_live_snapshot(bl_trainer_live(t), &shot), 1);
	assert_int_equal(bl_trainer_steps(t, 6), 0);
	assert_int_equal(bl_live_snapshot(bl_trainer_live(t), &shot), 7);
	bl_tensor *c = bl_trainer_correlation(t);
	for (int i = 0; i < D; i++) {
		assert_true(fabsf(shot.diagonal[i] - bl_tensor_data(c)[i * D + i]) < 1e-5f);
		invariance += pow(1 - shot.diagonal[i], 2);
	}
	assert_true(fabs(invariance - value_at(t, 7, "invariance")) < 1e-4);
	bl_tensor_unref(c);
	bl_trainer_free(t);
	toy_free(&y);
}

/* --- Failures ------------------------------------------------------------------------------------ */

static void test_refusals(void **state)
{
	(void)state;
	struct toy y = toy_new();
	bl_trainer_config good = y.config;
	y.config.batch = IMAGES + 1;
	refused(&y, "batch is 97, but the data set");
	y.config.batch = 96;
	bl_trainer *whole = bl_trainer_new(&y.config); /* one batch of all images */
	assert_non_null(whole);
	bl_trainer_free(whole);
	y.config.batch = 1;
	refused(&y, "batch is 1");
	y.config = good;
	y.config.epochs = 0;
	refused(&y, "epochs is 0");
	y.config = good;
	y.config.precision = 7;
	refused(&y, "no precision 7");
	y.config = good;
	y.config.encoder = NULL;
	refused(&y, "encoder is missing");
	y.config = good;
	y.config.knn_every = 1;
	refused(&y, "references are missing");
	y.config.knn_refs = y.config.knn_queries = y.data; /* images of 16 x 16, but the encoder expects 12 x 12 */
	y.config.knn_k = 1;
	refused(&y, "kNN images of 16 x 16: encoder[2] (linear ");
	y.config = good;
	y.config.live_path = "/nonexistent/live";
	refused(&y, "/nonexistent/live");
	y.config = good;
	y.config.projector = mlp(17, 8, 4, false);
	refused(&y, "projector[1] (linear 17 -> 8): ");
	assert_non_null(strstr(bl_error(), "(2, 16)"));
	bl_module_unref(y.config.projector);
	toy_free(&y);
}

static bool poison;

static bl_tensor *pass(void *ctx, bl_tensor *x)
{
	(void)ctx;
	return bl_affine(x, poison ? NAN : 1, 0);
}

static struct toy trapped(bl_func_fn *fn)
{
	bl_module *s = bl_nn_sequential(), *body = mlp(12 * 12, 24, 16, true), *f = bl_nn_func("bad", fn, NULL, NULL);
	assert_true(s && body && f);
	bl_nn_append(s, NULL, body);
	bl_nn_append(s, "trap", f);
	bl_module_unref(body);
	bl_module_unref(f);
	return toy_with(s);
}

static void test_nan_in_module(void **state)
{
	(void)state;
	struct toy y = trapped(pass);
	bl_live_info info;
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 3), 0);
	struct dump before = dump_of(&y);
	poison = true;
	assert_int_equal(bl_trainer_steps(t, 2), -1);
	poison = false;
	assert_non_null(strstr(bl_error(), "step 4: encoder.trap ("));
	assert_non_null(strstr(bl_error(), "NaN"));
	assert_string_equal(message(t, &info), bl_error());
	assert_int_equal(bl_trainer_state(t), BL_RUN_FAILED);
	assert_int_equal(steps_done(t), 3);
	struct dump after = dump_of(&y);
	assert_same(&before, &after);
	assert_int_equal(bl_trainer_wait(t, 0), -1);
	assert_int_equal(bl_trainer_start(t), -1);
	assert_non_null(strstr(bl_error(), "trap"));
	free(before.at);
	free(after.at);
	bl_trainer_free(t);
	toy_free(&y);
}

/* A layer that hides a previous error: the loss is finite, but the running statistics are not. */
static bl_tensor *hide(void *ctx, bl_tensor *x)
{
	(void)ctx;
	bl_tensor *y = bl_tensor_clone(x);
	for (int64_t i = 0; i < bl_tensor_count(y); i++)
		if (!isfinite(bl_tensor_data(y)[i]))
			bl_tensor_data(y)[i] = (float)(i % 7);
	return y;
}

static void test_nan_hidden(void **state)
{
	(void)state;
	struct toy y = trapped(hide);
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_steps(t, 1), 0);
	bl_tensor_data(bl_params_get(bl_trainer_params(t), 0)->tensor)[5] = INFINITY;
	assert_int_equal(bl_trainer_steps(t, 1), -1);
	assert_non_null(strstr(bl_error(), "step 2: encoder[1]"));
	bl_trainer_free(t);
	toy_free(&y);
}

/* Changes a weight between steps of a background run. */
static void spoil(void *ctx)
{
	bl_tensor_data(bl_params_get(ctx, 0)->tensor)[5] = INFINITY;
}

static void test_nan_in_weight(void **state)
{
	(void)state;
	struct toy y = long_toy();
	bl_trainer *t = trainer_of(&y);
	assert_int_equal(bl_trainer_start(t), 0);
	wait_for_steps(t, 2);
	bl_trainer_between_steps(t, spoil, bl_trainer_params(t));
	assert_int_equal(bl_trainer_wait(t, 20), -1);
	assert_non_null(strstr(bl_error(), "encoder["));
	assert_non_null(strstr(bl_error(), "(linear"));
	bl_trainer_free(t);
	toy_free(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_precision),
		cmocka_unit_test(test_watched),
		cmocka_unit_test(test_steady_memory),
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_clip),
		cmocka_unit_test(test_knn),
		cmocka_unit_test(test_break),
		cmocka_unit_test(test_pause_step_stop),
		cmocka_unit_test(test_start_stop_storm),
		cmocka_unit_test(test_last_request),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_warm_start),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_between_steps),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_last_snapshot),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_nan_in_module),
		cmocka_unit_test(test_nan_hidden),
		cmocka_unit_test(test_nan_in_weight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
