/* SPDX-License-Identifier: GPL-3.0-or-later */
/* features.c: a data set seen through an encoder. */
#include <barlow/error.h>
#include <barlow/eval.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Modes of a module and all below it, depth first. */
typedef struct modes {
	bool *training;
	int n, room;
} modes;

static int remember(modes *m, const bl_module *module)
{
	if (m->n == m->room) {
		int room = m->room ? 2 * m->room : 64;
		bool *more = realloc(m->training, (size_t)room * sizeof(*more));

		if (!more)
			return bl_fail("no memory for the modes of modules");
		m->training = more;
		m->room = room;
	}
	m->training[m->n++] = bl_module_training(module);
	for (int i = 0; i < bl_module_children(module); i++)
		if (remember(m, bl_module_child(module, i)) < 0)
			return -1;
	return 0;
}

/* Setting a mode reaches down, so each child is set after its parent. */
static void restore(const modes *m, bl_module *module, int *at)
{
	bl_module_train(module, m->training[(*at)++]);
	for (int i = 0; i < bl_module_children(module); i++)
		restore(m, bl_module_child(module, i), at);
}

/* Features of n rows from `first`: (n,F), a new reference. */
static bl_tensor *encode(bl_module *encoder, bl_dataset *d, int64_t first, int64_t n, const float *mean,
			 const float *std)
{
	int64_t *rows = malloc((size_t)n * sizeof(*rows));
	bl_tensor *x, *h, *flat;

	if (!rows)
		return bl_fail_null("no memory for a batch of %" PRId64, n);
	for (int64_t i = 0; i < n; i++)
		rows[i] = first + i;
	x = bl_dataset_batch(d, rows, n, mean, std);
	free(rows);
	if (!x || !encoder)
		h = x;
	else {
		h = bl_module_forward(encoder, x);
		bl_tensor_unref(x);
	}
	flat = h ? bl_flatten(h) : NULL;
	bl_tensor_unref(h);
	return flat;
}

static int put_rows(bl_tensor **all, const bl_tensor *part, int64_t first, int64_t total)
{
	int64_t width = bl_tensor_size(part, 1);

	if (!*all)
		*all = bl_tensor_new(2, (int64_t[]){ total, width });
	if (!*all)
		return -1;
	if (bl_tensor_size(*all, 1) != width)
		return bl_fail("images from row %" PRId64 " have %" PRId64 " features, those before %" PRId64, first,
			       width, bl_tensor_size(*all, 1));
	bl_tensor_read(part, bl_tensor_data(*all) + first * width);
	return 0;
}

static bl_tensor *encode_all(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, int batch,
			     const volatile int *stop)
{
	int64_t total = bl_dataset_length(d);
	bl_tensor *all = NULL;

	if (total == 0)
		return bl_fail_null("the data set is empty");
	for (int64_t first = 0; first < total; first += batch) {
		bl_tensor *part = NULL;
		int rc;

		if (stop && *stop)
			bl_fail("stopped");
		else
			part = encode(encoder, d, first, total - first < batch ? total - first : batch, mean, std);
		rc = part ? put_rows(&all, part, first, total) : -1;
		bl_tensor_unref(part);
		if (rc < 0) {
			bl_tensor_unref(all);
			return NULL;
		}
	}
	return all;
}

bl_tensor *bl_eval_features(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, int batch,
			    const volatile int *stop)
{
	modes m = { 0 };
	bl_tensor *all;
	bool recording;
	int at = 0;

	if (batch < 1)
		return bl_fail_null("batch = %d, expected at least 1", batch);
	if (encoder && remember(&m, encoder) < 0) {
		free(m.training);
		return NULL;
	}
	if (encoder)
		bl_module_train(encoder, false);
	recording = bl_grad_enable(false);
	all = encode_all(encoder, d, mean, std, batch, stop);
	bl_grad_enable(recording);
	if (encoder)
		restore(&m, encoder, &at);
	free(m.training);
	return all;
}

/* Class `label` of d among those of `like`, by name where both have names; -1: it is none of them. */
static int32_t match_class(const bl_dataset *d, const bl_dataset *like, int label)
{
	const char *name = bl_dataset_class_name(d, label);
	int classes = bl_dataset_classes(like);

	if (!name || !bl_dataset_class_name(like, 0))
		return label < classes ? label : -1;
	for (int i = 0; i < classes; i++)
		if (strcmp(name, bl_dataset_class_name(like, i)) == 0)
			return i;
	return -1;
}

static int unknown_class(const bl_dataset *d, const bl_dataset *like, int label)
{
	const char *name = bl_dataset_class_name(d, label);

	if (!name)
		return bl_fail("%s has images of class %d, but %s has %d classes", bl_dataset_name(d), label + 1,
			       bl_dataset_name(like), bl_dataset_classes(like));
	return bl_fail("%s has images of class '%s', which %s does not have", bl_dataset_name(d), name,
		       bl_dataset_name(like));
}

int32_t *bl_eval_labels_like(const bl_dataset *d, const bl_dataset *like)
{
	int32_t *labels = bl_eval_labels(d);
	int64_t n = labels ? bl_dataset_length(d) : 0;

	for (int64_t i = 0; i < n; i++) {
		int32_t match = labels[i] < 0 ? -1 : match_class(d, like, labels[i]);

		if (labels[i] >= 0 && match < 0) {
			unknown_class(d, like, labels[i]);
			free(labels);
			return NULL;
		}
		labels[i] = match;
	}
	return labels;
}

int32_t *bl_eval_labels(const bl_dataset *d)
{
	int64_t n = bl_dataset_length(d);
	int32_t *labels;

	if (bl_dataset_classes(d) == 0)
		return bl_fail_null("%s has no labels", bl_dataset_name(d));
	labels = malloc((size_t)(n ? n : 1) * sizeof(*labels));
	if (!labels)
		return bl_fail_null("no memory for %" PRId64 " labels", n);
	for (int64_t i = 0; i < n; i++)
		labels[i] = bl_dataset_label(d, i);
	return labels;
}
