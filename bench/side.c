/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * side.c: barlow's side of the benchmark.  It prepares one workload and prints "ready".  For every line of input it
 * runs the workload once to warm up, then repeatedly for at least a tenth of a second, and prints the milliseconds of
 * one run.  At the end of the input it prints its peak memory.
 *
 *     bench/side step-cnn-256
 *
 * If the name ends in "-bf16", the factors of products (in linear layers, or of the measured product) are rounded to
 * bfloat16.
 */
#include <barlow/augment.h>
#include <barlow/error.h>
#include <barlow/loss.h>
#include <barlow/optim.h>
#include <barlow/parallel.h>

#include "tensor/matrix/blas.h"
#include "tensor/matrix/gemm_bf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct work {
	bl_module *encoder, *projector;
	bl_params *params;
	bl_optim *optim;
	bl_tensor *a, *b; /* the two views, or the two embeddings, or factors */
	bl_tensor *c;     /* their product */
	bl_pipeline *pipeline;
	int side;
	bl_precision precision;
	bool ta, tb;
	int m, n, k; /* of a product */
} work;

static void die(const char *what)
{
	fprintf(stderr, "side: %s: %s\n", what, bl_error());
	exit(1);
}

static bl_tensor *random_tensor(int ndim, const int64_t *shape, uint32_t stream)
{
	bl_tensor *t = bl_tensor_new(ndim, shape);
	if (!t)
		die("tensor");
	bl_tensor_normal(t, 1, stream, 0, 1);
	return t;
}

static void views(work *w, int64_t n, int64_t c, int64_t side)
{
	bl_tensor *v[2] = { random_tensor(4, (int64_t[]){ n, c, side, side }, 1),
		            random_tensor(4, (int64_t[]){ n, c, side, side }, 2) };
	w->a = bl_tensor_channels_last(v[0]);
	w->b = bl_tensor_channels_last(v[1]);
	bl_tensor_unref(v[0]);
	bl_tensor_unref(v[1]);
}

static void projector(work *w, int64_t in, int64_t width)
{
	w->projector = bl_nn_mlp(&(bl_mlp_config){
		.in = in, .widths = (int64_t[]){ width, width, width }, .layers = 3, .norm = true, .last_plain = true });
	if (!w->encoder || !w->projector)
		die("network");
	w->params = bl_params_new((bl_module *[]){ w->encoder, w->projector }, (const char *[]){ "encoder", "projector" }, 2);
	bl_optim_config c = bl_optim_default("sgd");
	c.lr = .01;
	c.weight_decay = 5e-4;
	w->optim = w->params ? bl_optim_new(&c, w->params) : NULL;
	if (!w->optim)
		die("optimiser");
}

static void make_cnn(work *w, int batch)
{
	w->encoder = bl_nn_cnn(&(bl_cnn_config){ .channels = 1,
	                                         .widths = (int64_t[]){ 32, 64, 128, 256 },
	                                         .strides = (int[]){ 1, 2, 2, 2 },
	                                         .layers = 4,
	                                         .pool = true });
	views(w, batch, 1, 28);
	projector(w, 256, 512);
}

static void make_resnet(work *w)
{
	w->encoder = bl_nn_resnet(&(bl_resnet_config){ .depth = 18, .stem_small = true, .channels = 3, .width = 64 });
	views(w, 64, 3, 32);
	projector(w, 512, 2048);
}

static void make_mlp(work *w)
{
	w->encoder = bl_nn_mlp(&(bl_mlp_config){
		.in = 784, .widths = (int64_t[]){ 1024, 1024 }, .layers = 2, .norm = true, .flatten = true });
	views(w, 256, 1, 28);
	projector(w, 1024, 8192);
}

static void run_step(work *w)
{
	bl_barlow_config c = BL_BARLOW_DEFAULT;
	bl_params_zero_grad(w->params);
	bl_grad_precision(w->precision);
	bl_tensor *h1 = bl_module_forward(w->encoder, w->a), *z1 = h1 ? bl_module_forward(w->projector, h1) : NULL;
	bl_tensor *h2 = bl_module_forward(w->encoder, w->b), *z2 = h2 ? bl_module_forward(w->projector, h2) : NULL;
	bl_tensor *loss = z1 && z2 ? bl_barlow(&c, z1, z2, NULL) : NULL;
	if (!loss || bl_backward(loss, NULL))
		die("step");
	bl_optim_step(w->optim, 1);
	bl_tensor *all[] = { h1, z1, h2, z2, loss };
	for (int i = 0; i < 5; i++)
		bl_tensor_unref(all[i]);
}

static void make_loss(work *w, int64_t n, int64_t d)
{
	w->a = random_tensor(2, (int64_t[]){ n, d }, 1);
	w->b = random_tensor(2, (int64_t[]){ n, d }, 2);
	bl_tensor_set_requires_grad(w->a, true);
	bl_tensor_set_requires_grad(w->b, true);
}

static void run_loss(work *w)
{
	bl_barlow_config c = BL_BARLOW_DEFAULT;
	bl_tensor_zero_grad(w->a);
	bl_tensor_zero_grad(w->b);
	bl_tensor *loss = bl_barlow(&c, w->a, w->b, NULL);
	if (!loss || bl_backward(loss, NULL))
		die("loss");
	bl_tensor_unref(loss);
}

/* Prepares the paper's pipeline T, or T' if `prime`, for views of size x size pixels. */
static void make_views(work *w, int from, int size, bool prime)
{
	char text[256];
	snprintf(text, sizeof text,
	         "crop{size = %d}, flip, jitter, grayscale, blur{p = %s}, solarize{p = %s}, "
	         "normalize{mean = 0.45, std = 0.225}",
	         size, prime ? "0.1" : "1", prime ? "0.2" : "0");
	w->side = from;
	w->pipeline = bl_pipeline_parse(text);
	if (!w->pipeline)
		die("pipeline");
}

/* Makes 100 views of noise with some structure. */
static void run_views(work *w)
{
	static uint8_t pixels[500 * 500 * 3];
	static float out[224 * 224 * 3];
	static uint32_t sample;
	for (int i = 0; !sample && i < w->side * w->side * 3; i++)
		pixels[i] = (uint8_t)((i * 2654435761u) >> 24);
	for (int i = 0; i < 100; i++) {
		bl_plan plan;
		bl_view_key key = { .seed = 1, .sample = sample++ };
		bl_image image = { .pixels = pixels, .height = w->side, .width = w->side, .channels = 3 };
		bl_pipeline_plan(w->pipeline, &key, w->side, w->side, 3, &plan);
		if (bl_pipeline_apply(w->pipeline, &plan, &image, out))
			die("views");
	}
}

static void make_gemm(work *w)
{
	w->a = random_tensor(2, (int64_t[]){ 2048, 2048 }, 1);
	w->b = random_tensor(2, (int64_t[]){ 2048, 2048 }, 2);
}

/* Multiplies matrices of 2048 x 2048 on all cores: the table's shares refer to this speed. */
static void run_gemm(work *w)
{
	static float c[2048 * 2048];
	bl_gemm_parallel(false, false, 2048, 2048, 2048, 1, bl_tensor_data(w->a), 2048, bl_tensor_data(w->b), 2048, 0, c, 2048);
}

static void make_product(work *w)
{
	w->a = random_tensor(2, (int64_t[]){ w->m, w->k }, 1);
	w->b = random_tensor(2, (int64_t[]){ w->k, w->n }, 2);
	w->c = random_tensor(2, (int64_t[]){ w->m, w->n }, 3);
}

/* Computes op(a) op(b) on all cores. */
static void run_product(work *w)
{
	int64_t m = w->m, n = w->n, k = w->k, lda = w->ta ? m : k, ldb = w->tb ? k : n;
	const float *a = bl_tensor_data(w->a), *b = bl_tensor_data(w->b);
	float *c = bl_tensor_data(w->c);
	if (w->precision == BL_PRECISION_FLOAT32)
		bl_gemm_parallel(w->ta, w->tb, m, n, k, 1, a, lda, b, ldb, 0, c, n);
	else if (bl_gemm_bf16_parallel(w->ta, w->tb, m, n, k, a, lda, b, ldb, false, c, n))
		die("product");
}

static void (*make(work *w, const char *name))(work *)
{
	int a, b, prime;
	char ta, tb;
	size_t length = strlen(name);
	if (length > 5 && !strcmp(name + length - 5, "-bf16"))
		w->precision = BL_PRECISION_BF16;
	if (sscanf(name, "product-%c%c-%d-%d-%d", &ta, &tb, &w->m, &w->n, &w->k) == 5) {
		w->ta = ta == 't';
		w->tb = tb == 't';
		return make_product(w), run_product;
	}
	if (sscanf(name, "loss-%d-%d", &a, &b) == 2)
		return make_loss(w, a, b), run_loss;
	if (sscanf(name, "views-%d-%d-%d", &a, &b, &prime) == 3 && a <= 500 && b <= 224)
		return make_views(w, a, b, prime), run_views;
	if (sscanf(name, "step-cnn-%d", &a) == 1)
		return make_cnn(w, a), run_step;
	if (!strncmp(name, "step-resnet", 11))
		return make_resnet(w), run_step;
	if (!strncmp(name, "step-mlp", 8))
		return make_mlp(w), run_step;
	if (!strcmp(name, "gemm"))
		return make_gemm(w), run_gemm;
	return NULL;
}

static void print_peak(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "VmHWM:", 6))
			printf("peak %ld\n", 1024 * strtol(line + 6, NULL, 10));
	if (f)
		fclose(f);
}

/*
 * Returns wall-clock seconds or, if BENCH_CPU is set, CPU seconds of this process, on which other load has less effect.
 */
static double seconds(void)
{
	struct timespec t;
	if (!getenv("BENCH_CPU"))
		return bl_now();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Returns the milliseconds of one run in a sequence of runs, as in training. */
static double turn(work *w, void (*run)(work *))
{
	enum { ENOUGH = 100 };
	int runs = 0;
	run(w);
	double start = seconds(), ms = 0;
	for (; ms < ENOUGH; runs++, ms = 1000 * (seconds() - start))
		run(w);
	return ms / runs;
}

int main(int argc, char **argv)
{
	char line[64];
	work w = { 0 };
	void (*run)(work *) = argc > 1 ? make(&w, argv[1]) : NULL;
	if (!run) {
		fprintf(stderr,
		        "usage: side loss-N-D | step-cnn-B | step-resnet | step-mlp | views-FROM-TO-{0,1} | gemm | "
		        "product-{n,t}{n,t}-M-N-K; -bf16 behind steps and products\n");
		return 2;
	}
	if (!strncmp(argv[1], "views", 5))
		bl_threads_set(1);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		printf("%.4f\n", turn(&w, run));
		fflush(stdout);
	}
	print_peak();
	return 0;
}
