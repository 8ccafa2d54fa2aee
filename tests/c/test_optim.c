/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_optim.c: optimisers (excluded parameters, state, messages) and schedules.  test_reference.c tests the updates. */
#include "support.h"

#include <barlow/error.h>
#include <barlow/optim.h>
#include <barlow/parallel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A linear layer of 200 biases and 40000 weights, which are divided into several pieces. */
typedef struct bench {
	bl_module *net;
	bl_params *p;
	bl_optim *o;
} bench;

static bench make_bench(const bl_optim_config *c)
{
	bench b = { .net = bl_nn_linear(200, 200, true) };
	b.p = bl_params_new(&b.net, NULL, 1);
	b.o = bl_optim_new(c, b.p);
	if (!b.o)
		fail_msg("%s", bl_error());
	return b;
}

static void drop(bench b)
{
	bl_optim_free(b.o);
	bl_params_free(b.p);
	bl_module_unref(b.net);
}

/* All settings except the learning rate are 0. */
static bl_optim_config plain(const char *kind, double lr)
{
	bl_optim_config c = bl_optim_default(kind);
	memset(c.room, 0, sizeof c.room);
	c.lr = lr;
	return c;
}

static float *weight(bench b)
{
	return bl_params_values(b.p) + bl_params_get(b.p, 0)->start;
}

static float *bias(bench b)
{
	return bl_params_values(b.p) + bl_params_get(b.p, 1)->start;
}

static void set_grads(bench b, int step)
{
	float *g = bl_params_grads(b.p);
	for (int k = 0; k < 2; k++)
		for (int64_t i = 0; i < bl_params_get(b.p, k)->count; i++)
			g[bl_params_get(b.p, k)->start + i] = sinf((float)(i + step));
}

/* If its gradient is 0, a parameter changes only by weight decay. */
static void excluded_parameters_have_no_decay(void **state)
{
	static const struct {
		const char *kind;
		bool all, moves_bias;
	} cases[] = {
		{ "sgd", false, true },
		{ "lars", false, false },
		{ "adamw", false, false },
		{ "adamw", true, true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bl_optim_config c = bl_optim_default(cases[i].kind);
		c.weight_decay = .1;
		c.lr = c.lr_bias = .1;
		if (cases[i].all)
			bl_optim_set(&c, "decay_all", 1);
		bench b = make_bench(&c);
		float w = weight(b)[3], v = bias(b)[3];
		bl_optim_step(b.o, 1);
		assert_true(fabsf(weight(b)[3]) < fabsf(w));
		assert_int_equal(bias(b)[3] != v, cases[i].moves_bias);
		drop(b);
	}
}

static void biases_have_their_own_rate_times_the_factor(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		bl_optim_config c = plain("sgd", .1);
		c.lr_bias = own ? .02 : 0;
		bench b = make_bench(&c);
		float w = weight(b)[1], v = bias(b)[1];
		set_grads(b, 0);
		bl_optim_step(b.o, .5);
		assert_close((double)(w - weight(b)[1]), .5 * .1 * sin(1), 1e-6);
		assert_close((double)(v - bias(b)[1]), .5 * (own ? .02 : .1) * sin(1), 1e-6);
		drop(b);
	}
}

static void settings_may_change_between_steps(void **state)
{
	(void)state;
	bl_optim_config c = plain("sgd", .1);
	bench b = make_bench(&c);
	bl_optim_settings(b.o)->lr = 0;
	float w = weight(b)[1];
	set_grads(b, 0);
	bl_optim_step(b.o, 1);
	assert_true(weight(b)[1] == w);
	drop(b);
}

static void trust_is_1_where_a_norm_is_0(void **state)
{
	(void)state;
	bl_optim_config c = plain("lars", 1);
	bl_optim_set(&c, "eta", .001);
	bench b = make_bench(&c);
	memset(weight(b), 0, (size_t)bl_params_get(b.p, 0)->count * sizeof(float));
	set_grads(b, 0);
	bl_optim_step(b.o, 1);
	assert_close((double)weight(b)[1], -sin(1), 1e-6);
	drop(b);
}

static void copy_state(bench to, bench from)
{
	size_t bytes = (size_t)bl_params_count(to.p) * sizeof(float);
	memcpy(bl_params_values(to.p), bl_params_values(from.p), bytes);
	for (int k = 0; bl_optim_state(from.o, k, NULL); k++)
		memcpy(bl_optim_state(to.o, k, NULL), bl_optim_state(from.o, k, NULL), bytes);
	*bl_optim_count(to.o) = *bl_optim_count(from.o);
}

static void steps(bench b, int from, int to)
{
	for (int i = from; i < to; i++) {
		set_grads(b, i);
		bl_optim_step(b.o, 1);
	}
}

static void a_run_continues_from_its_state(void **state)
{
	(void)state;
	for (int i = 0; bl_optim_name(i); i++) {
		bl_optim_config c = bl_optim_default(bl_optim_name(i));
		bench straight = make_bench(&c), first = make_bench(&c), second = make_bench(&c);
		steps(straight, 0, 6);
		steps(first, 0, 3);
		copy_state(second, first);
		steps(second, 3, 6);
		assert_int_equal(*bl_optim_count(second.o), 6);
		assert_memory_equal(bl_params_values(second.p), bl_params_values(straight.p),
		                    (size_t)bl_params_count(straight.p) * sizeof(float));
		drop(straight);
		drop(first);
		drop(second);
	}
}

static void state_has_names(void **state)
{
	(void)state;
	const char *name;
	bl_optim_config c = bl_optim_default("adamw");
	bench b = make_bench(&c);
	assert_non_null(bl_optim_state(b.o, 0, &name));
	assert_string_equal(name, "m");
	assert_non_null(bl_optim_state(b.o, 1, &name));
	assert_string_equal(name, "v");
	assert_null(bl_optim_state(b.o, 2, &name));
	drop(b);
	c = bl_optim_default("lars");
	b = make_bench(&c);
	assert_non_null(bl_optim_state(b.o, 0, &name));
	assert_string_equal(name, "momentum");
	assert_null(bl_optim_state(b.o, 1, &name));
	drop(b);
}

static void bits_do_not_depend_on_threads(void **state)
{
	(void)state;
	for (int i = 0; bl_optim_name(i); i++) {
		bl_optim_config c = bl_optim_default(bl_optim_name(i));
		bl_threads_set(1);
		bench one = make_bench(&c), three = make_bench(&c);
		steps(one, 0, 4);
		bl_threads_set(3);
		steps(three, 0, 4);
		bl_threads_set(0);
		assert_memory_equal(bl_params_values(one.p), bl_params_values(three.p),
		                    (size_t)bl_params_count(one.p) * sizeof(float));
		drop(one);
		drop(three);
	}
}

/* Bypasses the checks of bl_optim_set. */
static void force(bl_optim_config *c, const char *name, double value)
{
	memcpy((char *)c->room + bl_field_find(bl_optim_fields(bl_optim_kind(c)), name)->offset, &value, sizeof value);
}

static void senseless_settings_are_named(void **state)
{
	(void)state;
	bl_module *m = bl_nn_linear(2, 2, true);
	bl_params *p = bl_params_new(&m, NULL, 1);
	bl_optim_config c = bl_optim_default("sgd");
	c.lr = -1;
	assert_null(bl_optim_new(&c, p));
	assert_error("'lr' must be a number of at least 0, got -1");
	c = bl_optim_default("sgd");
	force(&c, "momentum", 1.5);
	assert_null(bl_optim_new(&c, p));
	assert_error("'momentum' must be a number of at least 0 and below 1, got 1.5");
	c = bl_optim_default("adamw");
	force(&c, "beta2", 1);
	assert_null(bl_optim_new(&c, p));
	assert_error("'beta2' must be a number of at least 0 and below 1, got 1");
	c = bl_optim_default("lars");
	force(&c, "eta", NAN);
	assert_null(bl_optim_new(&c, p));
	assert_error("eta");
	c = bl_optim_default("adam");
	assert_error("there is no optimiser 'adam'");
	assert_null(bl_optim_new(&c, p));
	assert_error("kind is missing");
	c = bl_optim_default("sgd");
	assert_int_equal(bl_optim_set(&c, "beta1", .5), -1);
	assert_error("sgd has no setting 'beta1'");
	assert_int_equal(bl_optim_set(&c, "nesterov", .5), -1);
	assert_error("sgd: 'nesterov' must be true or false, got 0.5");
	assert_true(bl_optim_get(&c, "momentum") == .9 && isnan(bl_optim_get(&c, "beta1")));
	bl_params_free(p);
	bl_module_unref(m);
}

static bl_schedule schedule(const char *kind, int64_t warmup, int64_t steps)
{
	bl_schedule s = bl_schedule_default(kind);
	s.warmup = warmup;
	s.steps = steps;
	return s;
}

static void cosine_rises_and_falls(void **state)
{
	(void)state;
	bl_schedule s = schedule("cosine", 10, 110);
	assert_true(bl_schedule_at(&s, 0) == 0);
	assert_close(bl_schedule_at(&s, 5), .5, 1e-12);
	assert_close(bl_schedule_at(&s, 10), 1, 1e-12);
	assert_close(bl_schedule_at(&s, 60), .5 + .001 * .5, 1e-12);
	assert_close(bl_schedule_at(&s, 35), .8535533905932737 + .001 * .1464466094067263, 1e-12);
	assert_close(bl_schedule_at(&s, 110), .001, 1e-12);
	assert_close(bl_schedule_at(&s, 500), .001, 1e-12);
}

static void constant_stays_after_its_warm_up(void **state)
{
	(void)state;
	bl_schedule s = schedule("constant", 4, 100);
	assert_close(bl_schedule_at(&s, 1), .25, 1e-12);
	assert_true(bl_schedule_at(&s, 4) == 1 && bl_schedule_at(&s, 99) == 1);
	s.warmup = 0;
	assert_true(bl_schedule_at(&s, 0) == 1);
	bl_schedule all_warmup = schedule("cosine", 10, 10);
	assert_true(bl_schedule_at(&all_warmup, 10) == 1);
	assert_true(bl_schedule_at(&(bl_schedule){ .steps = 9 }, 5) == 1);
}

static void schedules_are_found_by_name(void **state)
{
	(void)state;
	bl_schedule s = schedule("cosine", 0, 10);
	assert_int_equal(bl_schedule_set(&s, "last", .25), 0);
	assert_close(bl_schedule_at(&s, 10), .25, 1e-12);
	assert_int_equal(bl_schedule_set(&s, "last", 2), -1);
	assert_error("cosine: 'last' must be a number between 0 and 1, got 2");
	s.room[0] = NAN;
	assert_int_equal(bl_schedule_check(&s), -1);
	s = bl_schedule_default("constant");
	assert_int_equal(bl_schedule_set(&s, "last", .5), -1);
	assert_error("schedule constant has no setting 'last'");
	assert_null(bl_schedule_default("step").ops);
	assert_error("there is no schedule 'step'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(excluded_parameters_have_no_decay),
		cmocka_unit_test(biases_have_their_own_rate_times_the_factor),
		cmocka_unit_test(settings_may_change_between_steps),
		cmocka_unit_test(trust_is_1_where_a_norm_is_0),
		cmocka_unit_test(a_run_continues_from_its_state),
		cmocka_unit_test(state_has_names),
		cmocka_unit_test(bits_do_not_depend_on_threads),
		cmocka_unit_test(senseless_settings_are_named),
		cmocka_unit_test(cosine_rises_and_falls),
		cmocka_unit_test(constant_stays_after_its_warm_up),
		cmocka_unit_test(schedules_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
