/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_tensor.c: shapes, memory orders, copies and traversals of tensors. */
#include "support.h"

#include "tensor/tensor.h"

#include <barlow/error.h>
#include <barlow/grad.h>

#include <math.h>
#include <string.h>

#define SHAPE(...) \
	(int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) \
	{ \
		__VA_ARGS__ \
	}

/* A tensor with the numbers 0, 1, 2 ... in logical order. */
static void count_up(bl_tensor *t)
{
	int64_t n = bl_tensor_count(t);
	float v[512];
	assert_true(n <= 512);
	for (int64_t i = 0; i < n; i++)
		v[i] = (float)i;
	bl_tensor *values = bl_tensor_from(t->ndim, t->shape, v);
	assert_int_equal(bl_tensor_copy(t, values), 0);
	bl_tensor_unref(values);
}

static bl_tensor *image(int64_t n, int64_t c, int64_t h, int64_t w)
{
	bl_tensor *t = bl_tensor_new_image(n, c, h, w);
	assert_non_null(t);
	count_up(t);
	return t;
}

static void expect_counting(const bl_tensor *t)
{
	float v[512];
	assert_true(bl_tensor_count(t) <= 512);
	bl_tensor_read(t, v);
	for (int64_t i = 0; i < bl_tensor_count(t); i++)
		assert_int_equal(v[i], i);
}

static void a_new_tensor_is_row_major(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_new(SHAPE(2, 3, 4));
	assert_int_equal(bl_tensor_ndim(t), 3);
	assert_int_equal(bl_tensor_count(t), 24);
	assert_int_equal(bl_tensor_size(t, -1), 4);
	assert_int_equal(bl_tensor_stride(t, 0), 12);
	assert_int_equal(bl_tensor_stride(t, -2), 4);
	assert_true(bl_tensor_is_contiguous(t));
	assert_true(bl_tensor_is_dense(t));
	assert_false(bl_tensor_is_channels_last(t));
	count_up(t);
	assert_int_equal(bl_tensor_at(t, (int64_t[]){ 1, 2, 3 }), 23);
	bl_tensor_put(t, (int64_t[]){ 1, 0, 2 }, -5);
	assert_true(bl_tensor_data(t)[14] == -5);
	bl_tensor_unref(t);
}

static void scalars_and_empty_tensors_exist(void **state)
{
	(void)state;
	bl_tensor *s = bl_tensor_scalar(2.5f), *e = bl_tensor_full(SHAPE(3, 0, 2), 1);
	assert_int_equal(bl_tensor_ndim(s), 0);
	assert_int_equal(bl_tensor_count(s), 1);
	assert_true(bl_tensor_at(s, NULL) == 2.5f);
	assert_int_equal(bl_tensor_count(e), 0);
	assert_true(bl_tensor_is_contiguous(e));
	bl_tensor *copy = bl_tensor_clone(e);
	assert_int_equal(bl_tensor_count(copy), 0);
	assert_int_equal(bl_tensor_find_nonfinite(e), -1);
	bl_tensor_unref(s);
	bl_tensor_unref(e);
	bl_tensor_unref(copy);
}

static void bad_shapes_are_refused(void **state)
{
	(void)state;
	assert_null(bl_tensor_new(SHAPE(1, 1, 1, 1, 1, 1, 1)));
	assert_error("0 to 6 dimensions, not 7");
	assert_null(bl_tensor_new(SHAPE(3, -1)));
	assert_error("negative size in shape (3, -1)");
	assert_null(bl_tensor_new(SHAPE(1 << 30, 1 << 30, 1 << 30)));
	assert_error("too large");
	assert_null(bl_tensor_new_image(1, -2, 3, 4));
	assert_error("(1, -2, 3, 4)");
}

static void shapes_read_as_text(void **state)
{
	char text[BL_SHAPE_TEXT];
	(void)state;
	assert_string_equal(bl_shape_text(SHAPE(256, 1, 28, 28), text), "(256, 1, 28, 28)");
	assert_string_equal(bl_shape_text(SHAPE(7), text), "(7,)");
	assert_string_equal(bl_shape_text(0, NULL, text), "()");
}

static void images_are_channels_last(void **state)
{
	(void)state;
	bl_tensor *t = image(2, 3, 4, 5);
	assert_true(bl_tensor_is_channels_last(t));
	assert_false(bl_tensor_is_contiguous(t));
	assert_true(bl_tensor_is_dense(t));
	assert_int_equal(bl_tensor_data(t)[1], 20); /* the second channel of the first pixel */
	assert_int_equal(bl_tensor_data(t)[3], 1);  /* the first channel of the second pixel */
	assert_int_equal(bl_tensor_at(t, (int64_t[]){ 1, 2, 3, 4 }), 119);
	bl_tensor_unref(t);
}

static void one_channel_is_both_orders(void **state)
{
	(void)state;
	bl_tensor *t = image(2, 1, 4, 5);
	assert_true(bl_tensor_is_contiguous(t) && bl_tensor_is_channels_last(t));
	bl_tensor *same = bl_tensor_contiguous(t);
	assert_ptr_equal(same, t);
	bl_tensor_unref(same);
	bl_tensor_unref(t);
}

static void orders_change_by_copy_and_back(void **state)
{
	(void)state;
	bl_tensor *t = image(2, 3, 4, 5), *rows = bl_tensor_contiguous(t), *back = bl_tensor_channels_last(rows);
	assert_true(bl_tensor_is_contiguous(rows));
	assert_true(bl_tensor_is_channels_last(back));
	for (int i = 0; i < 120; i++)
		assert_int_equal(bl_tensor_data(rows)[i], i);
	assert_memory_equal(bl_tensor_data(back), bl_tensor_data(t), 120 * sizeof(float));
	bl_tensor *same = bl_tensor_channels_last(back);
	assert_ptr_equal(same, back);
	bl_tensor *flat = bl_tensor_new(SHAPE(3, 4));
	assert_null(bl_tensor_channels_last(flat));
	assert_error("(3, 4)");
	bl_tensor_unref(flat);
	bl_tensor_unref(same);
	bl_tensor_unref(back);
	bl_tensor_unref(rows);
	bl_tensor_unref(t);
}

static void like_and_clone_keep_the_memory_order(void **state)
{
	(void)state;
	bl_tensor *t = image(2, 3, 2, 2), *like = bl_tensor_like(t), *clone = bl_tensor_clone(t);
	bl_tensor *turned = bl_transpose(t, 2, 3), *rows = bl_tensor_like(turned);
	assert_true(bl_tensor_is_channels_last(like));
	assert_true(bl_tensor_is_channels_last(clone));
	assert_ptr_not_equal(bl_tensor_data(clone), bl_tensor_data(t));
	expect_counting(clone);
	assert_false(bl_tensor_is_dense(turned));
	assert_true(bl_tensor_is_contiguous(rows));
	bl_tensor_unref(t);
	bl_tensor_unref(like);
	bl_tensor_unref(clone);
	bl_tensor_unref(turned);
	bl_tensor_unref(rows);
}

static void copies_take_any_strides(void **state)
{
	static const int orders[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 }, { 2, 0, 3, 1 } };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		bl_tensor *t = image(3, 4, 5, 2), *from = bl_permute(t, orders[i]);
		bl_tensor *to = bl_tensor_new(from->ndim, from->shape);
		assert_int_equal(bl_tensor_copy(to, from), 0);
		int64_t at[4];
		for (int64_t k = 0; k < 120; k++) {
			int64_t rest = k;
			for (int d = 3; d >= 0; d--) {
				at[d] = rest % from->shape[d];
				rest /= from->shape[d];
			}
			assert_true(bl_tensor_at(to, at) == bl_tensor_at(from, at));
		}
		bl_tensor_unref(t);
		bl_tensor_unref(from);
		bl_tensor_unref(to);
	}
}

static void copies_check_shapes(void **state)
{
	(void)state;
	bl_tensor *a = bl_tensor_full(SHAPE(2, 3), 0), *b = bl_tensor_full(SHAPE(3, 2), 0);
	assert_int_equal(bl_tensor_copy(a, b), -1);
	assert_error("(2, 3)");
	assert_error("(3, 2)");
	bl_tensor_unref(a);
	bl_tensor_unref(b);
}

static void filling_a_part_leaves_the_rest(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_full(SHAPE(4, 5), 1), *part = bl_narrow(t, 1, 1, 3), *row = bl_select(part, 0, 2);
	bl_tensor_fill(part, 2);
	bl_tensor_fill(row, 3);
	for (int64_t i = 0; i < 20; i++) {
		bool inside = i % 5 >= 1 && i % 5 <= 3;
		assert_int_equal(bl_tensor_data(t)[i], inside ? (i / 5 == 2 ? 3 : 2) : 1);
	}
	bl_tensor_unref(row);
	bl_tensor_unref(part);
	bl_tensor_unref(t);
}

static void a_view_holds_its_storage(void **state)
{
	(void)state;
	bl_tensor *t = bl_tensor_new(SHAPE(3, 4));
	count_up(t);
	bl_tensor *turned = bl_transpose(t, 0, 1);
	bl_tensor_unref(t);
	assert_int_equal(bl_tensor_at(turned, (int64_t[]){ 3, 2 }), 11);
	bl_tensor_unref(turned);
}

static void let_go(void *owner)
{
	++*(int *)owner;
}

static void wrapped_memory_is_released_once(void **state)
{
	(void)state;
	float v[6] = { 1, 2, 3, 4, 5, 6 };
	int times = 0;
	bl_tensor *t = bl_tensor_wrap(SHAPE(2, 3), v, let_go, &times);
	bl_tensor *view = bl_select(t, 0, 1);
	assert_ptr_equal(bl_tensor_data(t), v);
	bl_tensor_unref(t);
	assert_int_equal(times, 0);
	assert_int_equal(bl_tensor_at(view, (int64_t[]){ 0 }), 4);
	bl_tensor_unref(view);
	assert_int_equal(times, 1);
	bl_tensor_unref(bl_tensor_wrap(SHAPE(6), v, NULL, NULL));
}

static void the_first_bad_number_is_found(void **state)
{
	(void)state;
	bl_tensor *t = image(2, 3, 2, 2), *turned = bl_transpose(t, 1, 3);
	assert_int_equal(bl_tensor_find_nonfinite(t), -1);
	bl_tensor_put(t, (int64_t[]){ 1, 2, 1, 0 }, NAN);
	assert_int_equal(bl_tensor_find_nonfinite(t), 22);
	bl_tensor_put(t, (int64_t[]){ 0, 1, 1, 1 }, -INFINITY);
	assert_int_equal(bl_tensor_find_nonfinite(t), 7);
	assert_int_equal(bl_tensor_find_nonfinite(turned), 10); /* (0,1,1,1) of shape (2,2,2,3) */
	bl_tensor_unref(turned);
	bl_tensor_unref(t);
}

static void random_fills_repeat(void **state)
{
	(void)state;
	bl_tensor *a = bl_tensor_new(SHAPE(1000)), *b = bl_tensor_new(SHAPE(1000));
	bl_tensor_uniform(a, 1, 2, -3, 5);
	bl_tensor_uniform(b, 1, 2, -3, 5);
	assert_memory_equal(bl_tensor_data(a), bl_tensor_data(b), 4000);
	for (int i = 0; i < 1000; i++)
		assert_true(bl_tensor_data(a)[i] >= -3 && bl_tensor_data(a)[i] < 5);
	bl_tensor_uniform(b, 1, 3, -3, 5);
	assert_memory_not_equal(bl_tensor_data(a), bl_tensor_data(b), 4000);
	bl_tensor_normal(a, 1, 2, 10, .5f);
	double mean = 0;
	for (int i = 0; i < 1000; i++)
		mean += bl_tensor_data(a)[i] / 1000;
	assert_close(mean, 10, .01);
	bl_tensor_unref(a);
	bl_tensor_unref(b);
}

/* Traversals, at sizes at which runs are divided, and many short runs are processed in one chunk. */
static void tell_places(void *ctx, int64_t n, float *const *p, const int64_t *step)
{
	const float *base = ctx;
	for (int64_t i = 0; i < n; i++) {
		p[0][i * step[0]] += 1;
		p[1][i * step[1]] = (float)(p[0] + i * step[0] - base);
	}
}

static void walk_visits_once(int ndim, const int64_t *shape, const int *order)
{
	bl_tensor *a = bl_tensor_full(ndim, shape, 0), *t = bl_permute(a, order);
	bl_tensor *place = bl_tensor_new(t->ndim, t->shape);
	bl_walk w;
	bl_walk_init(&w, 2, (bl_tensor *[]){ t, place });
	bl_walk_run(&w, tell_places, a->data);
	bl_tensor *expected = bl_tensor_new(ndim, shape);
	for (int64_t i = 0; i < bl_tensor_count(a); i++) {
		assert_int_equal(a->data[i], 1);
		expected->data[i] = (float)i;
	}
	bl_tensor *turned = bl_permute(expected, order), *flat = bl_tensor_contiguous(turned);
	assert_memory_equal(place->data, flat->data, (size_t)bl_tensor_count(a) * sizeof(float));
	bl_tensor_unref(a);
	bl_tensor_unref(t);
	bl_tensor_unref(place);
	bl_tensor_unref(expected);
	bl_tensor_unref(turned);
	bl_tensor_unref(flat);
}

static void traversals_visit_every_element_once(void **state)
{
	(void)state;
	walk_visits_once(SHAPE(100003), (int[]){ 0 });
	walk_visits_once(SHAPE(3, 70001), (int[]){ 1, 0 });
	walk_visits_once(SHAPE(20011, 3), (int[]){ 1, 0 });
	walk_visits_once(SHAPE(7, 1, 11, 13), (int[]){ 2, 1, 3, 0 });
	walk_visits_once(SHAPE(2, 3, 4, 5, 6, 7), (int[]){ 5, 3, 1, 0, 2, 4 });
	walk_visits_once(SHAPE(1, 1), (int[]){ 1, 0 });
	walk_visits_once(SHAPE(3, 0, 2), (int[]){ 2, 0, 1 });
	walk_visits_once(0, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_tensor_is_row_major),
		cmocka_unit_test(scalars_and_empty_tensors_exist),
		cmocka_unit_test(bad_shapes_are_refused),
		cmocka_unit_test(shapes_read_as_text),
		cmocka_unit_test(images_are_channels_last),
		cmocka_unit_test(one_channel_is_both_orders),
		cmocka_unit_test(orders_change_by_copy_and_back),
		cmocka_unit_test(like_and_clone_keep_the_memory_order),
		cmocka_unit_test(copies_take_any_strides),
		cmocka_unit_test(copies_check_shapes),
		cmocka_unit_test(filling_a_part_leaves_the_rest),
		cmocka_unit_test(a_view_holds_its_storage),
		cmocka_unit_test(wrapped_memory_is_released_once),
		cmocka_unit_test(the_first_bad_number_is_found),
		cmocka_unit_test(random_fills_repeat),
		cmocka_unit_test(traversals_visit_every_element_once),
		cmocka_unit_test(support_no_blocks_left),
	};
	return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
