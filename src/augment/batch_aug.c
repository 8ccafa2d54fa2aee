/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch_aug.c: functions of the calling program that change whole batches of views (aug.batch). */
#include <barlow/augment.h>

#include <barlow/error.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct bl_batch_aug {
	atomic_int refs;
	int (*apply)(void *context, const bl_batch_call *call);
	void (*release)(void *context);
	bool (*equal)(const void *context, const void *other);
	void *context;
};

bl_batch_aug *bl_batch_aug_new(int (*apply)(void *context, const bl_batch_call *call), void (*release)(void *context),
                               void *context)
{
	bl_batch_aug *a = calloc(1, sizeof *a);
	if (!a) {
		if (release)
			release(context);
		return bl_fail_null("no memory for a batch function");
	}
	atomic_init(&a->refs, 1);
	a->apply = apply;
	a->release = release;
	a->context = context;
	return a;
}

bl_batch_aug *bl_batch_aug_ref(bl_batch_aug *a)
{
	atomic_fetch_add(&a->refs, 1);
	return a;
}

void bl_batch_aug_unref(bl_batch_aug *a)
{
	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	if (a->release)
		a->release(a->context);
	free(a);
}

void bl_batch_aug_set_equal(bl_batch_aug *a, bool (*equal)(const void *context, const void *other))
{
	a->equal = equal;
}

bool bl_batch_aug_equal(const bl_batch_aug *a, const bl_batch_aug *b)
{
	return a == b || (a && b && a->apply == b->apply && a->equal && a->equal(a->context, b->context));
}

/*
 * If the function has replaced a view, checks the shape of the new tensor, copies it to channels-last order, and releases
 * it.
 */
static int take_replaced(bl_tensor **view, bl_tensor *before, int which)
{
	char got[BL_SHAPE_TEXT], was[BL_SHAPE_TEXT];
	bl_tensor *made = *view;
	if (made == before)
		return 0;
	bool same = bl_tensor_ndim(made) == 4;
	for (int i = 0; same && i < 4; i++)
		same = bl_tensor_size(made, i) == bl_tensor_size(before, i);
	if (!same)
		return bl_fail("view %d became a tensor %s, expected %s as it was", which + 1, bl_tensor_text(made, got),
		               bl_tensor_text(before, was));
	*view = bl_tensor_new_image(bl_tensor_size(made, 0), bl_tensor_size(made, 1), bl_tensor_size(made, 2),
	                            bl_tensor_size(made, 3));
	int rc = *view ? bl_tensor_copy(*view, made) : -1;
	bl_tensor_unref(made);
	return rc;
}

int bl_batch_aug_apply(const bl_batch_aug *a, bl_batch_call *call)
{
	bl_tensor *before[BL_VIEWS_MOST];
	bl_rng r;
	bl_rng_init(&r, call->seed, (uint32_t)call->epoch, (uint32_t)call->step, BL_STREAM_USER);
	bl_rng_narrow(&r, "batch", (uint32_t)(call->step >> 32));
	call->rng = &r;
	for (int v = 0; v < call->n_views; v++)
		before[v] = bl_tensor_ref(call->view[v]);
	int rc = a->apply(a->context, call);
	for (int v = 0; v < call->n_views && rc == 0; v++) {
		rc = take_replaced(&call->view[v], before[v], v);
		if (rc == 0 && bl_tensor_find_nonfinite(call->view[v]) >= 0)
			rc = bl_fail("view %d has values that are not finite after the call", v + 1);
		if (rc < 0)
			bl_fail_prefix("aug.batch, step %lld: ", (long long)call->step + 1);
	}
	for (int v = 0; v < call->n_views; v++)
		bl_tensor_unref(before[v]);
	return rc;
}
