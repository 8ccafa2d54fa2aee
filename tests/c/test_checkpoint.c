/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_checkpoint.c: a resumed run has the bits of a run that never stopped; damaged checkpoints and those of other networks are
 * refused.
 */
#include "support.h"

#include <barlow/checkpoint.h>
#include <barlow/error.h>
#include <barlow/file.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <barlow/random.h>
#include <barlow/runs.h>
#include <barlow/weights.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IMAGES = 96, BATCH = 32, D = 8, STEPS = 40, HALF = 20, EPOCH = IMAGES / BATCH };

/* A run; each has its own data, views and network, as in another process.  Runs differ only in the `seed` of the network. */
struct toy {
	bl_trainer_config config;
	bl_pipeline *views;
	bl_trainer *t;
};

static bl_pipeline *views_new(void)
{
	return bl_pipeline_parse("crop{size = 12, scale = {0.6, 1}}, flip, noise{std = 0.05, p = 1}");
}

static bl_module *cnn(int64_t width)
{
	int64_t widths[] = { 4, width };
	int strides[] = { 1, 2 };
	return bl_nn_cnn(&(bl_cnn_config){ .channels = 1, .widths = widths, .strides = strides, .layers = 2 });
}

static bl_module *projector(int64_t in)
{
	int64_t widths[] = { 16, D };
	return bl_nn_mlp(&(bl_mlp_config){ .in = in, .widths = widths, .layers = 2, .norm = true, .last_plain = true });
}

static struct toy toy_new(const char *kind, uint64_t network_seed)
{
	struct toy y = { .views = views_new() };
	bl_shapes_config images = { .n = IMAGES, .size = 12, .channels = 1, .seed = 5 };
	y.config = (bl_trainer_config){
		.name = "toy",
		.data = bl_dataset_shapes(&images),
		.first = y.views,
		.second = y.views,
		.encoder = cnn(6),
		.projector = projector(6 * 6 * 6),
		.optim = bl_optim_default(kind),
		.schedule = bl_schedule_default("cosine"),
		.warmup_epochs = 2,
		.batch = BATCH,
		.epochs = (double)STEPS / EPOCH,
		.seed = 3,
		.loader_threads = 1,
		.checkpoint_every = -1,
		.knn_k = 3,
		.knn_every = 2,
	};
	bl_schedule_set(&y.config.schedule, "last", .01);
	images.n = 40;
	y.config.knn_refs = bl_dataset_shapes(&images);
	images.seed = 6;
	y.config.knn_queries = bl_dataset_shapes(&images);
	bl_module_init(y.config.encoder, network_seed);
	bl_module_init(y.config.projector, network_seed + 1);
	return y;
}

static bl_trainer *start(struct toy *y)
{
	y->t = bl_trainer_new(&y->config);
	if (!y->t)
		print_error("%s\n", bl_error());
	assert_non_null(y->t);
	return y->t;
}

static struct toy trainer_new(const char *kind, uint64_t network_seed)
{
	struct toy y = toy_new(kind, network_seed);
	start(&y);
	return y;
}

static void toy_free(struct toy *y)
{
	bl_trainer_free(y->t);
	bl_dataset_unref(y->config.data);
	bl_dataset_unref(y->config.knn_refs);
	bl_dataset_unref(y->config.knn_queries);
	bl_pipeline_unref(y->views);
	bl_module_unref(y->config.encoder);
	if (y->config.projector)
		bl_module_unref(y->config.projector);
}

static void command(bl_trainer *t, bl_command_kind kind, double value)
{
	assert_int_equal(bl_trainer_command(t, (bl_command){ .kind = kind, .value = value }), 0);
}

/* Lambda changes at step 7 and the learning rate at step 11; a resumed run has to repeat these changes. */
static void make_steps(bl_trainer *t, int64_t until)
{
	for (int64_t i = bl_trainer_progress(t).step; i < until; i++) {
		if (i == 7)
			assert_int_equal(bl_trainer_set(t, "lambda", .02), 0);
		if (i == 11)
			assert_int_equal(bl_trainer_set(t, "lr", 3e-3), 0);
		assert_int_equal(bl_trainer_steps(t, 1), 0);
	}
}

static void load(bl_trainer *t, const char *path)
{
	int rc = bl_checkpoint_load(path, t);
	if (rc != 0)
		print_error("%s\n", bl_error());
	assert_int_equal(rc, 0);
}

/* --- Comparing two trainers ----------------------------------------------------------- */

static int add_buffers(void *ctx, const char *name, bl_tensor *x, bl_param_kind kind)
{
	float sum[4096];
	(void)name, (void)kind;
	assert_true(bl_tensor_count(x) <= 4096);
	bl_tensor_read(x, sum);
	FILE *f = ctx;
	fwrite(sum, sizeof *sum, (size_t)bl_tensor_count(x), f);
	return 0;
}

/* Weights, buffers, state and progress, as bytes; the caller frees them. */
static char *bytes_of(const struct toy *y, size_t *n)
{
	char *bytes = NULL;
	FILE *f = open_memstream(&bytes, n);
	bl_optim *o = bl_trainer_optim(y->t);
	const bl_params *p = bl_trainer_params(y->t);
	bl_progress at = bl_trainer_progress(y->t);
	bl_module_each(y->config.encoder, add_buffers, f);
	if (y->config.projector)
		bl_module_each(y->config.projector, add_buffers, f);
	for (int k = 0; bl_optim_state(o, k, NULL); k++)
		for (int i = 0; i < bl_params_length(p); i++) {
			const bl_param *q = bl_params_get(p, i);
			fwrite(bl_optim_state(o, k, NULL) + q->start, sizeof(float), (size_t)q->count, f);
		}
	fprintf(f, "%lld %lld %a %a %a", (long long)*bl_optim_count(o), (long long)at.step, at.loss[0].value, at.lr, at.lr_bias);
	fclose(f);
	return bytes;
}

static void assert_same_state(const struct toy *a, const struct toy *b)
{
	size_t n, m;
	char *x = bytes_of(a, &n), *y = bytes_of(b, &m);
	assert_true(n > 10000);
	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
}

/* Compares all columns except times. */
static void assert_same_record(const bl_columns *c, bl_record a, bl_record b)
{
	static const char *const by_clock[] = { "time", "images_per_s" };
	for (int i = 0; i < 2; i++) {
		int k = bl_columns_find(c, by_clock[i]);
		assert_true(k >= 0);
		a.value[k] = b.value[k] = 0;
	}
	assert_memory_equal(&a, &b, sizeof a);
}

static void assert_same_records(bl_trainer *a, bl_trainer *b, int64_t n)
{
	bl_record x, y;
	bl_columns c;
	bl_live_columns(bl_trainer_live(a), &c);
	assert_int_equal(bl_live_length(bl_trainer_live(a)), n);
	assert_int_equal(bl_live_length(bl_trainer_live(b)), n);
	for (int64_t i = 0; i < n; i++) {
		assert_true(bl_live_record(bl_trainer_live(a), i, &x) && bl_live_record(bl_trainer_live(b), i, &y));
		assert_int_equal(x.step, i + 1);
		assert_same_record(&c, x, y);
	}
}

/* --- The same bits -------------------------------------------------------------------------- */

/* Creates the folder of a run. */
static const char *folder_new(const char *name)
{
	const char *folder = support_scratch(name);
	assert_int_equal(bl_runs_folder_take(folder), 0);
	return folder;
}

static const char *in(const char *folder, const char *file)
{
	static char path[2][1024];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, file);
	return path[turn];
}

static int save_nothing(void *ctx, bl_save_why why)
{
	(void)ctx, (void)why;
	return 0;
}

/* Makes half of the steps, saves a checkpoint, makes five more steps, which are lost, and ends the run. */
static void first_half(const char *kind, const char *folder)
{
	struct toy y = trainer_new(kind, 1);
	assert_int_equal(bl_trainer_save_to(y.t, in(folder, BL_RUN_LIVE), save_nothing, NULL), 0);
	make_steps(y.t, HALF);
	assert_int_equal(bl_checkpoint_save(in(folder, BL_RUN_CHECKPOINT), y.t), 0);
	make_steps(y.t, HALF + 5);
	toy_free(&y);
}

static void check_goes_on(const char *kind)
{
	const char *folder = folder_new(kind);
	bl_threads_set(1);
	struct toy straight = trainer_new(kind, 1);
	make_steps(straight.t, STEPS);
	first_half(kind, folder);
	bl_threads_set(3);
	struct toy y = toy_new(kind, 77);
	y.config.loader_threads = 2;
	start(&y);
	load(y.t, folder);
	assert_int_equal(bl_trainer_state(y.t), BL_RUN_NEW);
	assert_int_equal(bl_live_length(bl_trainer_live(y.t)), HALF);
	make_steps(y.t, STEPS);
	bl_threads_set(0);
	assert_int_equal(bl_trainer_state(y.t), BL_RUN_DONE);
	assert_same_state(&straight, &y);
	assert_same_records(straight.t, y.t, STEPS);
	toy_free(&y);
	toy_free(&straight);
}

static void test_sgd(void **state)
{
	(void)state;
	check_goes_on("sgd");
}

static void test_lars(void **state)
{
	(void)state;
	check_goes_on("lars");
}

static void test_adamw(void **state)
{
	(void)state;
	check_goes_on("adamw");
}

/* kNN is measured before and after the step at which runs of these tests are resumed. */
static void test_knn_is_measured(void **state)
{
	(void)state;
	struct toy y = trainer_new("adamw", 1);
	bl_record r;
	bl_columns columns;
	bl_live_columns(bl_trainer_live(y.t), &columns);
	make_steps(y.t, STEPS);
	for (int64_t step = 6; step < STEPS; step += 6)
		assert_true(bl_live_record(bl_trainer_live(y.t), step - 1, &r) && bl_record_value(&r, &columns, "knn") >= 0);
	toy_free(&y);
}

/* A run is resumed four times, at the end of an epoch and within epochs, and the last time trains in the background. */
static void test_resumed_repeatedly(void **state)
{
	(void)state;
	static const int64_t at[] = { 1, 12, 13, 24 };
	const char *folder = folder_new("again");
	struct toy straight = trainer_new("adamw", 1), y = trainer_new("adamw", 1);
	make_steps(straight.t, STEPS);
	assert_int_equal(bl_trainer_save_to(y.t, in(folder, BL_RUN_LIVE), save_nothing, NULL), 0);
	for (int i = 0; i < 4; i++) {
		make_steps(y.t, at[i]);
		assert_int_equal(bl_checkpoint_save(in(folder, BL_RUN_CHECKPOINT), y.t), 0);
		toy_free(&y);
		y = trainer_new("adamw", (uint64_t)i);
		load(y.t, folder);
		assert_int_equal(bl_trainer_save_to(y.t, in(folder, BL_RUN_LIVE), save_nothing, NULL), 0);
	}
	assert_int_equal(bl_trainer_start(y.t), 0);
	assert_int_equal(bl_trainer_wait(y.t, -1), 1);
	assert_same_state(&straight, &y);
	assert_same_records(straight.t, y.t, STEPS);
	toy_free(&y);
	toy_free(&straight);
}

/* --- Records and snapshots of the earlier steps ----------------------------------------------------------------------- */

static void test_resumed_snapshots(void **state)
{
	(void)state;
	const char *folder = folder_new("past");
	static bl_snapshot s;
	bl_live_info before, after;
	first_half("sgd", folder);
	bl_live *past = bl_live_open(in(folder, BL_RUN_LIVE), false);
	assert_non_null(past);
	assert_int_equal(bl_live_length(past), HALF + 5);
	bl_live_info_get(past, &before);
	struct toy y = trainer_new("sgd", 2);
	load(y.t, in(folder, BL_RUN_CHECKPOINT));
	bl_live *now = bl_trainer_live(y.t);
	bl_live_info_get(now, &after);
	assert_true(after.started == before.started && after.step == HALF && after.steps == STEPS);
	assert_string_equal(after.message, "resumed at step 20");
	assert_true(bl_live_snapshot_count(now) >= 1);
	for (int i = 0; i < bl_live_snapshot_count(now); i++)
		assert_in_range(bl_live_snapshot_at(now, i, &s), 1, HALF);
	assert_int_equal(bl_live_snapshot_at(now, 0, &s), 1);
	/* A process that has the old file open can still read it completely, as the file of a past run. */
	assert_int_equal(bl_live_check_folder(past), 0);
	assert_int_equal(bl_trainer_save_to(y.t, in(folder, BL_RUN_LIVE), save_nothing, NULL), 0);
	assert_int_equal(bl_live_check_folder(past), -1);
	assert_int_equal(bl_live_check_folder(now), 0);
	assert_int_equal(bl_live_length(past), HALF + 5);
	bl_live_close(past);
	toy_free(&y);
}

/* A run can be resumed without its live file. */
static void test_without_live_file(void **state)
{
	(void)state;
	const char *path = support_scratch("alone");
	bl_live_info info;
	bl_record r;
	struct toy y = trainer_new("sgd", 1), z = trainer_new("sgd", 2);
	make_steps(y.t, HALF);
	assert_int_equal(bl_checkpoint_save(path, y.t), 0);
	load(z.t, path);
	bl_live_info_get(bl_trainer_live(z.t), &info);
	assert_string_equal(
		info.message,
		"resumed at step 20; the live file could not be read: the records of the steps before this one are lost");
	make_steps(y.t, STEPS);
	make_steps(z.t, STEPS);
	assert_same_state(&y, &z);
	assert_true(bl_live_record(bl_trainer_live(z.t), 0, &r) && r.step == HALF + 1);
	toy_free(&y);
	toy_free(&z);
}

/* Kept snapshots are distributed over the whole run, although its file was made again halfway. */
static void test_kept_spread(void **state)
{
	(void)state;
	static bl_snapshot s = { .n = 4, .d = 4, .grid = 4, .diag = 4, .view_row = -1, .view_label = -1 };
	bl_live *a = bl_live_create(NULL, &(bl_live_info){ .steps = 10000 }, NULL);
	bl_live *b = bl_live_create(NULL, &(bl_live_info){ .steps = 10000 }, NULL);
	bl_live *whole = bl_live_create(NULL, &(bl_live_info){ .steps = 10000 }, NULL);
	for (s.step = 1; s.step <= 4000; s.step++) {
		bl_live_publish(a, &s);
		bl_live_publish(whole, &s);
	}
	assert_int_equal(bl_live_resume(b, a, 3000), 0);
	for (int64_t step = 3001; step <= 4000; step++) {
		s.step = step;
		bl_live_publish(b, &s);
	}
	int n = bl_live_snapshot_count(b);
	assert_in_range(n, bl_live_snapshot_count(whole) - 1, bl_live_snapshot_count(whole) + 1);
	for (int i = 0, early = 0; i < n; i++) {
		early += bl_live_snapshot_at(b, i, &s) <= 2000;
		if (i == n - 1)
			assert_in_range(early, n / 3, 2 * n / 3);
	}
	bl_live_close(a);
	bl_live_close(b);
	bl_live_close(whole);
}

/* --- Refusals ---------------------------------------------------------------------------------- */

/* Asserts that loading fails with a message that contains these words, and does not change the trainer. */
static void refuse(struct toy *y, const char *path, const char *words)
{
	size_t n, m;
	char *before = bytes_of(y, &n);
	assert_int_equal(bl_checkpoint_load(path, y->t), -1);
	assert_error(path);
	assert_error(words);
	char *after = bytes_of(y, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void refuse_config(struct toy y, const char *path, const char *words)
{
	start(&y);
	refuse(&y, path, words);
	toy_free(&y);
}

static void saved(const char *path, int64_t steps)
{
	struct toy y = trainer_new("sgd", 1);
	make_steps(y.t, steps);
	assert_int_equal(bl_checkpoint_save(path, y.t), 0);
	toy_free(&y);
}

static void test_other_networks(void **state)
{
	(void)state;
	const char *path = support_scratch("other");
	saved(path, HALF);
	struct toy y = toy_new("sgd", 1);
	bl_module_unref(y.config.encoder);
	bl_module_unref(y.config.projector);
	y.config.encoder = cnn(7);
	y.config.projector = projector(7 * 6 * 6);
	refuse_config(y, path, "tensor 'encoder.3.weight' is (6, 4, 3, 3) in the file, but (7, 4, 3, 3) in the module");
	y = toy_new("sgd", 1);
	bl_module_unref(y.config.projector);
	y.config.projector = NULL;
	refuse_config(y, path, "the model has no tensor 'optim.momentum.projector.0.weight'");
}

static void test_other_settings(void **state)
{
	(void)state;
	const char *path = support_scratch("settings");
	saved(path, HALF);
	struct toy y = toy_new("adamw", 1);
	refuse_config(y, path, "its optimiser is sgd, but the trainer's is adamw");
	y = toy_new("sgd", 1);
	y.config.seed = 4;
	refuse_config(y, path, "its seed is 3, but the trainer's is 4");
	y = toy_new("sgd", 1);
	y.config.batch = 31;
	refuse_config(y, path, "its batch is 32, but the trainer's is 31");
	y = toy_new("sgd", 1);
	bl_dataset_unref(y.config.data);
	y.config.data = bl_dataset_shapes(&(bl_shapes_config){ .n = 128, .size = 12, .channels = 1 });
	refuse_config(y, path, "its number of steps an epoch is 3, but the trainer's is 4");
	y = toy_new("sgd", 1);
	y.config.max_steps = HALF - 1;
	refuse_config(y, path, "the checkpoint's run has made 20 steps, but this trainer makes only 19");
	y = trainer_new("sgd", 1);
	make_steps(y.t, 1);
	refuse(&y, path, "it has begun already");
	toy_free(&y);
}

static void test_no_checkpoint(void **state)
{
	(void)state;
	const char *path = support_scratch("none");
	struct toy y = trainer_new("sgd", 1);
	refuse(&y, path, "No such file");
	assert_int_equal(bl_weights_save(path, &y.config.encoder, NULL, 1), 0);
	refuse(&y, path, "it is not a checkpoint of a run");
	toy_free(&y);
}

/* --- Damage --------------------------------------------------------------------------------------- */

static void test_cut_short(void **state)
{
	(void)state;
	const char *path = support_scratch("whole"), *cut = support_scratch("cut");
	saved(path, 2);
	size_t n;
	char *bytes = bl_file_read(path, &n);
	struct toy y = trainer_new("sgd", 1);
	for (size_t at = 0; at < n; at += at < 200 ? 1 : 997) {
		support_write(cut, bytes, at);
		refuse(&y, cut, at < 8 ? "file ends inside the 8 bytes" : "byte ");
	}
	free(bytes);
	toy_free(&y);
}

/* A change of any single bit in header, numbers or checksums is detected. */
static void test_flipped(void **state)
{
	(void)state;
	enum { FLIPS = 1500 };
	const char *path = support_scratch("good"), *bad = support_scratch("bad");
	saved(path, 2);
	size_t n;
	unsigned char *bytes = bl_file_read(path, &n);
	size_t header = 8 + bytes[0] + 256u * bytes[1];
	bl_rng r;
	bl_rng_init(&r, 1, 2, 3, 4);
	struct toy y = trainer_new("sgd", 1);
	for (int i = 0; i < FLIPS; i++) {
		size_t room = i % 2 ? header : n, at = bl_rng_below(&r, (uint32_t)room);
		unsigned char bit = (unsigned char)(1u << i / 2 % 8);
		bytes[at] ^= bit;
		support_write(bad, bytes, n);
		refuse(&y, bad, "");
		bytes[at] ^= bit;
	}
	support_write(bad, bytes, n);
	load(y.t, bad);
	free(bytes);
	toy_free(&y);
}

/* Adds `by` to the first digit after `start` in the metadata of a checkpoint. */
static void change_fact(unsigned char *bytes, const char *start, int by)
{
	char *fact = strstr((char *)bytes + 8, start);
	assert_non_null(fact);
	fact[strlen(start)] = (char)(fact[strlen(start)] + by);
}

static void test_damaged_numbers(void **state)
{
	(void)state;
	const char *path = support_scratch("numbers");
	saved(path, 2);
	size_t n;
	unsigned char *bytes = bl_file_read(path, &n);
	struct toy y = trainer_new("sgd", 1);
	bytes[n - 1] ^= 1;
	support_write(path, bytes, n);
	refuse(&y, path, "damaged: the checksum of tensor optim.momentum.projector.");
	bytes[n - 1] ^= 1;
	static const char *const facts[] = { "\"step\":\"", "\"journal\":\"" };
	for (int i = 0; i < 2; i++) {
		change_fact(bytes, facts[i], 1);
		support_write(path, bytes, n);
		refuse(&y, path, "damaged: the checksum of its metadata");
		change_fact(bytes, facts[i], -1);
	}
	free(bytes);
	toy_free(&y);
}

/* --- When it is saved ------------------------------------------------------------------------------ */

struct book {
	bl_trainer *t;
	char text[1024]; /* the saves, such as "3r 6r 8e": steps with r, a or e for regular, requested or at the end */
};

static int write_down(void *ctx, bl_save_why why)
{
	struct book *b = ctx;
	size_t n = strlen(b->text);
	snprintf(b->text + n, sizeof b->text - n, "%s%lld%c", n ? " " : "", (long long)bl_trainer_progress(b->t).step, "rae"[why]);
	return 0;
}

/* Asserts at which of ten steps checkpoints are saved. */
static void assert_saved_at(double every, const char *want)
{
	struct toy y = toy_new("sgd", 1);
	y.config.checkpoint_every = every;
	y.config.max_steps = 10;
	struct book b = { .t = start(&y) };
	char path[1024];
	snprintf(path, sizeof path, "%s", support_scratch("book"));
	assert_int_equal(bl_trainer_save_to(y.t, path, write_down, &b), 0);
	assert_int_equal(bl_trainer_steps(y.t, 4), 0);
	command(y.t, BL_CMD_CHECKPOINT, 0);
	assert_int_equal(bl_trainer_start(y.t), 0);
	assert_int_equal(bl_trainer_wait(y.t, -1), 1);
	assert_string_equal(b.text, want);
	toy_free(&y);
	unlink(path);
}

static void test_when(void **state)
{
	(void)state;
	assert_saved_at(1, "3r 4a 6r 9r 10e");
	assert_saved_at(5. / EPOCH, "4a 5r 10e");
	assert_saved_at(1e-9, "1r 2r 3r 4r 4a 5r 6r 7r 8r 9r 10e");
	assert_saved_at(-1, "4a 10e");
}

static int take_long(void *ctx, bl_save_why why)
{
	usleep(200000);
	return write_down(ctx, why);
}

/*
 * Without a request, a run saves at the end of the first epoch, and again only when this save was less than 1% of the training
 * time.
 */
static void test_when_it_costs(void **state)
{
	(void)state;
	struct toy y = toy_new("sgd", 1);
	y.config.checkpoint_every = 0;
	struct book b = { .t = start(&y) };
	assert_int_equal(bl_trainer_save_to(y.t, support_scratch("costly"), take_long, &b), 0);
	make_steps(y.t, STEPS);
	assert_string_equal(b.text, "3r 40e");
	toy_free(&y);
}

/* --- A full disk ------------------------------------------------------------------------------------ */

static int save_to(void *ctx, bl_save_why why)
{
	struct book *b = ctx;
	(void)why;
	return bl_checkpoint_save(b->text, b->t);
}

/* A limit on the size of files simulates a full disk. */
static void set_room(rlim_t bytes)
{
	struct rlimit r;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes == RLIM_INFINITY ? r.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void test_full_disk(void **state)
{
	(void)state;
	const char *folder = folder_new("full");
	struct toy y = toy_new("sgd", 1);
	struct book b = { .t = start(&y) };
	bl_live_info info;
	size_t n, m;
	snprintf(b.text, sizeof b.text, "%s/%s", folder, BL_RUN_CHECKPOINT);
	assert_int_equal(bl_trainer_save_to(y.t, in(folder, BL_RUN_LIVE), save_to, &b), 0);
	make_steps(y.t, 3);
	command(y.t, BL_CMD_CHECKPOINT, 0);
	char *before = bl_file_read(b.text, &n);
	assert_non_null(before);
	signal(SIGXFSZ, SIG_IGN);
	set_room(4096);
	make_steps(y.t, 5);
	command(y.t, BL_CMD_CHECKPOINT, 0);
	bl_live_info_get(bl_trainer_live(y.t), &info);
	set_room(RLIM_INFINITY);
	assert_non_null(strstr(info.message, "step 5: not saved: "));
	assert_non_null(strstr(info.message, "File too large"));
	char *after = bl_file_read(b.text, &m);
	assert_true(n == m && memcmp(before, after, n) == 0);
	make_steps(y.t, 6);
	command(y.t, BL_CMD_CHECKPOINT, 0);
	bl_live_info_get(bl_trainer_live(y.t), &info);
	assert_string_equal(info.message, "step 6: checkpoint saved");
	free(before);
	free(after);
	toy_free(&y);
	struct toy z = trainer_new("sgd", 9);
	load(z.t, folder);
	assert_int_equal(bl_trainer_progress(z.t).step, 6);
	toy_free(&z);
}

/* --- Which process may resume a run --------------------------------------------------------------------------------------- */

static void test_resumable(void **state)
{
	(void)state;
	const char *folder = folder_new("mine");
	char *found;
	struct toy y = trainer_new("sgd", 1);
	assert_int_equal(bl_trainer_save_to(y.t, in(folder, BL_RUN_LIVE), save_nothing, NULL), 0);
	make_steps(y.t, 2);
	assert_null(bl_runs_resumable(folder));
	assert_error("going on in this process");
	assert_error("(paused, step 2 of 40)");
	assert_int_equal(bl_runs_claim(folder), -1);
	command(y.t, BL_CMD_STOP, 0);
	assert_null(bl_runs_resumable(folder));
	assert_error("there is no checkpoint");
	assert_int_equal(bl_checkpoint_save(in(folder, BL_RUN_CHECKPOINT), y.t), 0);
	found = bl_runs_resumable(folder);
	assert_string_equal(found, folder);
	free(found);
	found = bl_runs_resumable(in(folder, BL_RUN_CHECKPOINT));
	assert_string_equal(found, folder);
	free(found);
	toy_free(&y);
}

/* Only one process can claim a run; claiming removes the files that a killed writer left. */
static void test_claim(void **state)
{
	(void)state;
	const char *folder = folder_new("claimed");
	support_write(in(folder, BL_RUN_CHECKPOINT ".12-3.tmp"), "half", 4);
	support_write(in(folder, BL_RUN_LIVE ".12.new"), "half", 4);
	support_write(in(folder, "checkpoint-20.safetensors.12-3.tmp"), "half", 4);
	support_write(in(folder, "checkpoint-mine.safetensors.12-3.tmp"), "mine", 4);
	support_write(in(folder, "notes.tmp"), "mine", 4);
	int claim = bl_runs_claim(folder);
	assert_true(claim >= 0);
	assert_int_equal(bl_runs_claim(folder), -1);
	assert_error("another process is resuming the run");
	bl_runs_release(claim);
	claim = bl_runs_claim(folder);
	assert_true(claim >= 0);
	bl_runs_release(claim);
	assert_int_equal(access(in(folder, BL_RUN_CHECKPOINT ".12-3.tmp"), F_OK), -1);
	assert_int_equal(access(in(folder, BL_RUN_LIVE ".12.new"), F_OK), -1);
	assert_int_equal(access(in(folder, "checkpoint-20.safetensors.12-3.tmp"), F_OK), -1);
	assert_int_equal(access(in(folder, "checkpoint-mine.safetensors.12-3.tmp"), F_OK), 0);
	assert_int_equal(access(in(folder, "notes.tmp"), F_OK), 0);
	assert_int_equal(bl_runs_claim("/nonexistent"), -1);
}

/* If another trainer has resumed a run, the stopped trainer of that run neither continues nor overwrites the new checkpoint. */
static void test_replaced(void **state)
{
	(void)state;
	const char *folder = folder_new("replaced");
	struct toy old = trainer_new("sgd", 1), new = trainer_new("sgd", 1);
	struct book b = { .t = old.t };
	bl_live_info info;
	assert_int_equal(bl_trainer_save_to(old.t, in(folder, BL_RUN_LIVE), write_down, &b), 0);
	make_steps(old.t, 2);
	assert_int_equal(bl_checkpoint_save(in(folder, BL_RUN_CHECKPOINT), old.t), 0);
	load(new.t, folder);
	assert_int_equal(bl_trainer_save_to(new.t, in(folder, BL_RUN_LIVE), save_nothing, NULL), 0);
	assert_int_equal(bl_trainer_start(old.t), -1);
	assert_error("another file was put in the place of");
	command(old.t, BL_CMD_CHECKPOINT, 0);
	bl_live_info_get(bl_trainer_live(old.t), &info);
	assert_non_null(strstr(info.message, "not saved: another file was put"));
	assert_string_equal(b.text, "");
	assert_int_equal(bl_trainer_start(new.t), 0);
	assert_int_equal(bl_trainer_wait(new.t, -1), 1);
	toy_free(&old);
	toy_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sgd),
		cmocka_unit_test(test_lars),
		cmocka_unit_test(test_adamw),
		cmocka_unit_test(test_knn_is_measured),
		cmocka_unit_test(test_resumed_repeatedly),
		cmocka_unit_test(test_resumed_snapshots),
		cmocka_unit_test(test_without_live_file),
		cmocka_unit_test(test_kept_spread),
		cmocka_unit_test(test_other_networks),
		cmocka_unit_test(test_other_settings),
		cmocka_unit_test(test_no_checkpoint),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_damaged_numbers),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_when_it_costs),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_resumable),
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
