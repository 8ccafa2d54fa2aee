/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_allocations.c: after the threads have allocated their scratch memory, training allocates nothing.  The test counts all
 * calls of malloc and similar functions.
 */
#include "support.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/train.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#if defined __SANITIZE_ADDRESS__ || !defined __GLIBC__
#define COUNTING 0
#else
#define COUNTING 1

static atomic_long calls;

/* glibc's own functions, under the names that it provides for programs that replace them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
	atomic_fetch_add(&calls, 1);
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	atomic_fetch_add(&calls, 1);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	atomic_fetch_add(&calls, 1);
	return __libc_realloc(p, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	atomic_fetch_add(&calls, 1);
	*p = __libc_memalign(align, n);
	return *p ? 0 : 12;
}

/* A trainer with the sizes and the batch of examples/first_light.lua, on generated images. */
static bl_trainer *main_job(bl_precision precision)
{
	bl_dataset *d = bl_dataset_shapes(&(bl_shapes_config){ .n = 1024, .size = 28, .channels = 1, .seed = 1 });
	bl_pipeline *p = bl_pipeline_parse("crop{size = 28}, flip, jitter");
	bl_module *encoder = bl_nn_cnn(&(bl_cnn_config){
		.channels = 1, .widths = (int64_t[]){ 16, 32, 64, 128 }, .strides = (int[]){ 1, 2, 2, 2 }, .layers = 4 });
	bl_module *projector = bl_nn_mlp(&(bl_mlp_config){
		.in = 2048, .widths = (int64_t[]){ 512, 512 }, .layers = 2, .norm = true, .last_plain = true });
	bl_trainer *t = bl_trainer_new(&(bl_trainer_config){ .data = d,
	                                                     .first = p,
	                                                     .second = p,
	                                                     .encoder = encoder,
	                                                     .projector = projector,
	                                                     .optim = bl_optim_default("adamw"),
	                                                     .batch = 256,
	                                                     .epochs = 1000,
	                                                     .seed = 1,
	                                                     .precision = precision });
	bl_dataset_unref(d);
	bl_pipeline_unref(p);
	bl_module_unref(encoder);
	bl_module_unref(projector);
	return t;
}
#if COUNTING
/* A small trainer whose views become larger in the first epochs; an epoch has 4 steps. */
static bl_trainer *growing_job(void)
{
	bl_dataset *d = bl_dataset_shapes(&(bl_shapes_config){ .n = 256, .size = 28, .channels = 1, .seed = 1 });
	bl_pipeline *p = bl_pipeline_parse("crop{size = aug.ramp(14, 28, 3)}, flip, jitter{brightness = aug.ramp(0, 1, 2)}");
	bl_module *encoder = bl_nn_cnn(&(bl_cnn_config){
		.channels = 1, .widths = (int64_t[]){ 16, 32 }, .strides = (int[]){ 1, 2 }, .layers = 2, .pool = true });
	bl_trainer *t = bl_trainer_new(&(bl_trainer_config){ .data = d,
	                                                     .first = p,
	                                                     .second = p,
	                                                     .encoder = encoder,
	                                                     .optim = bl_optim_default("adamw"),
	                                                     .batch = 64,
	                                                     .epochs = 1000,
	                                                     .seed = 1 });
	bl_dataset_unref(d);
	bl_pipeline_unref(p);
	bl_module_unref(encoder);
	return t;
}

/* Counts the calls of heap functions, and the blocks requested from the system, during the next steps. */
static void measure(bl_trainer *t, long steps, long *made, long *blocks)
{
	bl_memory_stats before, after;
	bl_memory(&before);
	long start = atomic_load(&calls);
	if (bl_trainer_steps(t, steps) < 0)
		fail_msg("%s", bl_error());
	*made = atomic_load(&calls) - start;
	bl_memory(&after);
	*blocks = (long)(after.system_calls - before.system_calls);
}
/*
 * Makes `first` steps, in which each operation occurs at least once, measures the next steps, and frees the trainer.
 *
 * A thread allocates scratch memory when it executes a kind of work for the first time.  The scheduler decides which thread
 * executes what, so on a busy machine this may happen late.  Therefore the measurement is repeated until one series of steps
 * has no allocation; if a step always allocates, every series does.
 */
static void check(bl_trainer *t, int first)
{
	enum { STRETCHES = 8 };
	long steps = getenv("STEPS") ? strtol(getenv("STEPS"), NULL, 10) : 20, made, blocks;
	if (!t)
		fail_msg("%s", bl_error());
	assert_int_equal(bl_trainer_steps(t, first), 0);
	for (int stretch = 0; stretch < STRETCHES; stretch++) {
		measure(t, steps - 2, &made, &blocks);
		print_message("# steps %ld to %ld: %ld heap allocations, %ld blocks from the system\n",
		              first + 1 + stretch * (steps - 2), first + (stretch + 1) * (steps - 2), made, blocks);
		if (made == 0 && blocks == 0)
			break;
	}
	bl_trainer_free(t);
	assert_int_equal(made, 0);
	assert_int_equal(blocks, 0);
}
#endif
#endif

static void steady_state(void **state)
{
	(void)state;
#if COUNTING
	check(main_job(BL_PRECISION_FLOAT32), 2);
#else
	skip_because("the sanitizer's malloc cannot be counted");
#endif
}

static void steady_state_bf16(void **state)
{
	(void)state;
#if COUNTING
	check(main_job(BL_PRECISION_BF16), 2);
#else
	skip_because("the sanitizer's malloc cannot be counted");
#endif
}

/* Measures after views have reached their last size; the first batches of an epoch were loaded in the epoch before. */
static void steady_state_behind_ramps(void **state)
{
	(void)state;
#if COUNTING
	check(growing_job(), 14);
#else
	skip_because("the sanitizer's malloc cannot be counted");
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(steady_state), cmocka_unit_test(steady_state_bf16),
		                            cmocka_unit_test(steady_state_behind_ramps) };
	return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
