/* SPDX-License-Identifier: GPL-3.0-or-later */
/* features.c: the features that an encoder computes of a data set, and the data set's labels. */
#include <barlow/error.h>
#include <barlow/eval.h>
#include <barlow/parallel.h>
#include <barlow/text.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The modes (training or evaluation) of a module and all its descendants, depth first. */
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

/* bl_module_train also sets all descendants, so each child is restored after its parent. */
static void restore(const modes *m, bl_module *module, int *at)
{
	bl_module_train(module, m->training[(*at)++]);
	for (int i = 0; i < bl_module_children(module); i++)
		restore(m, bl_module_child(module, i), at);
}

/* --- average pooling of feature maps --- */

/*
 * Runs the encoder, but skips a flatten at its end, so that the result is the feature maps (n,C,H,W).  The output of an
 * encoder without such a flatten is returned unchanged.
 */
static bl_tensor *forward_maps(bl_module *m, bl_tensor *x)
{
	int n = bl_module_children(m);
	const char *kind = bl_module_kind(m);
	bool chain = strcmp(kind, "sequential") == 0 || strcmp(kind, "cnn") == 0; /* only run their children in order */
	bl_tensor *h;

	if (strcmp(kind, "flatten") == 0)
		return bl_tensor_ref(x);
	if (!chain || n == 0)
		return bl_module_forward(m, x);
	h = bl_tensor_ref(x);
	for (int i = 0; h && i < n; i++) {
		bl_module *child = bl_module_child(m, i);
		bl_tensor *y = i == n - 1 ? forward_maps(child, h) : bl_module_forward(child, h);

		bl_tensor_unref(h);
		h = y;
	}
	return h;
}

/* The mean of map c of image n over rows y[0]..y[1]-1 and columns x[0]..x[1]-1. */
static float mean_of(const bl_tensor *h, int64_t n, int64_t c, const int64_t y[2], const int64_t x[2])
{
	double sum = 0;

	for (int64_t i = y[0]; i < y[1]; i++)
		for (int64_t j = x[0]; j < x[1]; j++)
			sum += bl_tensor_at(h, (int64_t[]){ n, c, i, j });
	return (float)(sum / (double)((y[1] - y[0]) * (x[1] - x[0])));
}

/* Divides `size` pixels into `cells` cells.  Cell i is range[0]..range[1]-1; adjacent cells may share a pixel. */
static void cell_range(int64_t size, int64_t cells, int64_t i, int64_t range[2])
{
	range[0] = i * size / cells;
	range[1] = ((i + 1) * size + cells - 1) / cells;
}

/* Averages h (n,C,H,W) to min(side, H) rows and min(side, W) columns. */
static bl_tensor *pool_maps(const bl_tensor *h, int side)
{
	const int64_t *in = bl_tensor_shape(h);
	int64_t rows = in[2] < side ? in[2] : side, columns = in[3] < side ? in[3] : side;
	bl_tensor *out = bl_tensor_new(4, (int64_t[]){ in[0], in[1], rows, columns });
	float *to = out ? bl_tensor_data(out) : NULL;

	for (int64_t i = 0; out && i < in[0] * in[1] * rows * columns; i++) {
		int64_t y[2], x[2], map = i / (rows * columns);

		cell_range(in[2], rows, i / columns % rows, y);
		cell_range(in[3], columns, i % columns, x);
		to[i] = mean_of(h, map / in[1], map % in[1], y, x);
	}
	return out;
}

static bl_tensor *forward_pooled(bl_module *encoder, bl_tensor *x, int side)
{
	bl_tensor *h = forward_maps(encoder, x), *pooled;

	if (!h || bl_tensor_ndim(h) != 4)
		return h;
	pooled = pool_maps(h, side);
	bl_tensor_unref(h);
	return pooled;
}

/* --- a batch --- */

/* Returns the features (n,F) of a batch of images, or its pixels if encoder is NULL: a new reference. */
static bl_tensor *features_of(bl_module *encoder, bl_tensor *x, int pool)
{
	bl_tensor *h, *flat;

	if (!encoder)
		h = bl_tensor_ref(x);
	else
		h = pool ? forward_pooled(encoder, x, pool) : bl_module_forward(encoder, x);
	flat = h ? bl_flatten(h) : NULL;
	bl_tensor_unref(h);
	return flat;
}

/* Returns the mean of h and of the features of x mirrored horizontally.  Takes ownership of h. */
static bl_tensor *with_mirrored(bl_module *encoder, bl_tensor *x, int pool, bl_tensor *h)
{
	bl_tensor *mirrored = bl_flip(x, 3), *g = mirrored ? features_of(encoder, mirrored, pool) : NULL;
	bl_tensor *sum = g ? bl_add(h, g) : NULL, *mean = sum ? bl_affine(sum, .5f, 0) : NULL;

	bl_tensor_unref(mirrored);
	bl_tensor_unref(g);
	bl_tensor_unref(sum);
	bl_tensor_unref(h);
	return mean;
}

/* Returns the features (n,F) of rows first..first+n-1 of the data set: a new reference. */
static bl_tensor *encode(bl_module *encoder, bl_dataset *d, int64_t first, int64_t n, const float *mean, const float *std,
                         const bl_features_config *c)
{
	int64_t *rows = malloc((size_t)n * sizeof(*rows));
	bl_tensor *x, *h;

	if (!rows)
		return bl_fail_null("no memory for a batch of %" PRId64, n);
	for (int64_t i = 0; i < n; i++)
		rows[i] = first + i;
	x = bl_dataset_batch(d, rows, n, mean, std);
	free(rows);
	h = x ? features_of(encoder, x, c->pool) : NULL;
	if (h && c->flip)
		h = with_mirrored(encoder, x, c->pool, h);
	bl_tensor_unref(x);
	return h;
}

/* Copies `part` to rows `first` and following of *all (total,F), which the first call creates. */
static int put_rows(bl_tensor **all, const bl_tensor *part, int64_t first, int64_t total)
{
	int64_t width = bl_tensor_size(part, 1);

	if (!*all)
		*all = bl_tensor_new(2, (int64_t[]){ total, width });
	if (!*all)
		return -1;
	if (bl_tensor_size(*all, 1) != width)
		return bl_fail("images from row %" PRId64 " have %" PRId64 " features, those before %" PRId64, first + 1, width,
		               bl_tensor_size(*all, 1));
	bl_tensor_read(part, bl_tensor_data(*all) + first * width);
	return 0;
}

static bl_tensor *encode_all(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, const bl_features_config *c)
{
	int64_t total = bl_dataset_length(d), batch = c->batch;
	bl_tensor *all = NULL;

	if (total == 0)
		return bl_fail_null("the data set is empty");
	for (int64_t first = 0; first < total; first += batch) {
		bl_tensor *part = NULL;
		int rc;

		if (c->stop && *c->stop)
			bl_fail("stopped");
		else
			part = encode(encoder, d, first, total - first < batch ? total - first : batch, mean, std, c);
		rc = part ? put_rows(&all, part, first, total) : -1;
		bl_tensor_unref(part);
		if (rc < 0) {
			bl_tensor_unref(all);
			return NULL;
		}
		bl_advance("features", first + batch, total > first + batch ? total : first + batch);
	}
	return all;
}

bl_tensor *bl_eval_features(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, int batch,
                            const volatile int *stop)
{
	return bl_eval_features_by(encoder, d, mean, std, &(bl_features_config){ .batch = batch, .stop = stop });
}

bl_tensor *bl_eval_features_by(bl_module *encoder, bl_dataset *d, const float *mean, const float *std, const bl_features_config *c)
{
	modes m = { 0 };
	bl_tensor *all;
	bool recording;
	int at = 0;

	if (c->batch < 1)
		return bl_fail_null("batch = %d, expected at least 1", c->batch);
	if (c->pool < 0)
		return bl_fail_null("pool = %d, expected at least 0", c->pool);
	if (encoder && remember(&m, encoder) < 0) {
		free(m.training);
		return NULL;
	}
	if (encoder)
		bl_module_train(encoder, false);
	recording = bl_grad_enable(false);
	all = encode_all(encoder, d, mean, std, c);
	bl_advance_end();
	bl_grad_enable(recording);
	if (encoder)
		restore(&m, encoder, &at);
	free(m.training);
	return all;
}

/*
 * Returns the label that class `label` of d has in `like`: that of the class of the same name if both have names,
 * else the same number.  -1: `like` has no such class.
 */
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
		return bl_fail("%s has images of class %d, but %s has %d %s", bl_dataset_name(d), label + 1, bl_dataset_name(like),
		               bl_dataset_classes(like), bl_text_plural(bl_dataset_classes(like), "class", "classes"));
	return bl_fail("%s has images of class '%s', which %s does not have", bl_dataset_name(d), name, bl_dataset_name(like));
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
