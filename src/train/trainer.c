/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trainer.c: makes a trainer from its configuration, which is checked completely before the first step. */
#include "train/trainer.h"

#include <barlow/eval.h>
#include <barlow/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Checks ------------------------------------------------------------------------ */

static int check_number(const char *name, double v, double lo)
{
	if (isfinite(v) && v >= lo)
		return 0;
	return bl_fail("trainer: %s is %g: expected %g or more", name, v, lo);
}

/* Writes the pipelines of all views to p, and returns their number. */
static int pipelines_of(const bl_trainer_config *c, bl_pipeline *p[BL_VIEWS_MOST])
{
	int n = 2;
	p[0] = c->first;
	p[1] = c->second;
	for (; n < BL_VIEWS_MOST && c->more[n - 2]; n++)
		p[n] = c->more[n - 2];
	return n;
}

/* Returns the last epoch of the run, from 0, whose views differ from those of the previous epoch. */
static int64_t last_change(const bl_trainer_config *c)
{
	bl_pipeline *p[BL_VIEWS_MOST];
	int64_t last = 0;
	for (int v = pipelines_of(c, p) - 1; v >= 0; v--)
		last = bl_pipeline_settled(p[v]) > last ? bl_pipeline_settled(p[v]) : last;
	return c->epochs >= (double)last + 1 ? last : (int64_t)ceil(c->epochs) - 1;
}

static int check_knn_set(const bl_trainer_config *c, const bl_dataset *d, const char *name)
{
	if (!d || bl_dataset_classes(d) < 1)
		return bl_fail("trainer: the kNN %s %s", name, d ? "have no labels" : "are missing");
	if (bl_dataset_channels(d) != bl_dataset_channels(c->data))
		return bl_fail("trainer: the kNN %s have %d %s, the training images %d", name, bl_dataset_channels(d),
		               bl_text_plural(bl_dataset_channels(d), "channel", "channels"), bl_dataset_channels(c->data));
	return 0;
}

static int check_config(const bl_trainer_config *c)
{
	if (!c->data || !c->first || !c->second || !c->encoder)
		return bl_fail("trainer: %s is missing", !c->data ? "data" : !c->encoder ? "encoder" : "a pipeline of views");
	if (c->batch < 2)
		return bl_fail("trainer: batch is %d: expected 2 or more, because C is computed over a batch", c->batch);
	if (c->batch > bl_dataset_length(c->data))
		return bl_fail("trainer: batch is %d, but the data set (%s) has %lld %s", c->batch, bl_dataset_name(c->data),
		               (long long)bl_dataset_length(c->data),
		               bl_text_plural(bl_dataset_length(c->data), "image", "images"));
	if (check_number("lr", c->optim.lr, 0) != 0 || check_number("warmup epochs", c->warmup_epochs, 0) != 0 ||
	    check_number("clip", c->clip, 0) != 0 || check_number("kNN interval", c->knn_every, 0) != 0 ||
	    check_number("snapshots a second", c->snapshot_hz, 0) != 0)
		return -1;
	if (c->precision != BL_PRECISION_FLOAT32 && c->precision != BL_PRECISION_BF16)
		return bl_fail("trainer: there is no precision %d", (int)c->precision);
	if (bl_schedule_check(&c->schedule) != 0)
		return bl_fail_prefix("trainer: schedule ");
	if (!isfinite(c->checkpoint_every))
		return bl_fail("trainer: checkpoint every %g epochs: expected a number", c->checkpoint_every);
	if (!(c->epochs > 0) || !isfinite(c->epochs))
		return bl_fail("trainer: epochs is %g: expected more than 0", c->epochs);
	if (c->max_steps < 0)
		return bl_fail("trainer: max steps is %lld: expected 0 or more", (long long)c->max_steps);
	if (check_number("seconds", c->seconds, 0) != 0)
		return -1;
	if (c->knn_every <= 0)
		return 0;
	if (check_knn_set(c, c->knn_refs, "references") != 0 || check_knn_set(c, c->knn_queries, "queries") != 0)
		return -1;
	return c->knn_k >= 1 ? 0 : bl_fail("trainer: k of kNN is %d: expected 1 or more", c->knn_k);
}

/* --- Parts ------------------------------------------------------------------------- */

/*
 * Copies the configuration and takes references.  A deviation that is not given becomes 1, because images are divided
 * by it.
 */
static void take_config(bl_trainer *t, const bl_trainer_config *c)
{
	t->config = *c;
	t->config.name = NULL; /* info.name is the copy */
	t->config.live_path = NULL;
	snprintf(t->info.name, sizeof t->info.name, "%s", c->name ? c->name : "run");
	for (int i = 0; i < BL_CHANNELS_MOST; i++)
		if (c->std[i] == 0)
			t->config.std[i] = 1;
	bl_dataset_ref(c->data);
	t->views = pipelines_of(c, t->pipeline);
	for (int v = 0; v < t->views; v++)
		bl_pipeline_ref(t->pipeline[v]);
	if (c->batch_aug)
		bl_batch_aug_ref(c->batch_aug);
	bl_module_ref(c->encoder);
	if (c->loss)
		bl_loss_ref(c->loss);
	if (c->projector)
		bl_module_ref(c->projector);
	if (c->knn_refs)
		bl_dataset_ref(c->knn_refs);
	if (c->knn_queries)
		bl_dataset_ref(c->knn_queries);
}

static void drop_config(bl_trainer_config *c)
{
	bl_dataset_unref(c->data);
	bl_pipeline *p[BL_VIEWS_MOST];
	for (int v = pipelines_of(c, p) - 1; v >= 0; v--)
		bl_pipeline_unref(p[v]);
	bl_batch_aug_unref(c->batch_aug);
	bl_module_unref(c->encoder);
	bl_loss_unref(c->loss);
	bl_module_unref(c->projector);
	bl_dataset_unref(c->knn_refs);
	bl_dataset_unref(c->knn_queries);
}

static int make_loader(bl_trainer *t)
{
	const bl_trainer_config *c = &t->config;
	bl_loader_config l = { .data = c->data,
		               .n_views = t->views,
		               .batch_aug = c->batch_aug,
		               .batch = c->batch,
		               .seed = c->seed,
		               .threads = c->loader_threads };
	memcpy(l.views, t->pipeline, sizeof l.views);
	bl_views_list(t);
	t->loader = bl_loader_new(&l);
	t->rows = calloc((size_t)c->batch, sizeof *t->rows);
	if (t->loader && !t->rows)
		return bl_fail("trainer: no memory for a batch of %d", c->batch);
	return t->loader ? 0 : -1;
}

static int make_loss(bl_trainer *t)
{
	if (!t->config.loss)
		t->config.loss = bl_loss_barlow(NULL);
	if (!t->config.loss)
		return -1;
	bl_loss_settings_copy(t->config.loss, t->loss_settings, NULL);
	if (!bl_loss_ops_of(t->config.loss)->labels || bl_dataset_classes(t->config.data) == 0)
		return 0;
	t->labels = calloc((size_t)t->config.batch, sizeof *t->labels);
	return t->labels ? 0 : bl_fail("trainer: no memory for the labels of a batch");
}

static int64_t at_least_one(double v)
{
	return v < 1 ? 1 : v > 1e15 ? (int64_t)1e15 : llround(v);
}

static void plan_steps(bl_trainer *t)
{
	const bl_trainer_config *c = &t->config;
	double epoch = (double)(t->steps_per_epoch = bl_loader_steps(t->loader));
	int64_t planned = at_least_one(c->epochs * epoch);
	t->steps = c->max_steps > 0 && c->max_steps < planned ? c->max_steps : planned;
	t->schedule = c->schedule;
	t->schedule.warmup = llround(c->warmup_epochs * epoch);
	t->schedule.steps = planned;
	t->knn_steps = c->knn_every > 0 ? at_least_one(c->knn_every * epoch) : 0;
	t->save_steps = c->checkpoint_every > 0 ? at_least_one(c->checkpoint_every * epoch) : c->checkpoint_every < 0 ? -1 : 0;
}

/* Returns the width of the embeddings, computed for two images; negative with bl_error. */
static int64_t dry_run(const bl_trainer_config *c, bl_tensor *x)
{
	bl_tensor *h = bl_module_forward(c->encoder, x);
	if (!h) {
		/* Called for its message, which is more precise. */
		bl_module_features(c->encoder, bl_tensor_size(x, 1), bl_tensor_size(x, 2), bl_tensor_size(x, 3));
		return bl_fail_prefix("encoder%s", bl_module_joint(bl_error()));
	}
	bl_tensor *z = c->projector ? bl_module_forward(c->projector, h) : bl_tensor_ref(h);
	int64_t d;
	char shape[BL_SHAPE_TEXT];
	if (!z)
		d = bl_fail_prefix("projector%s", bl_module_joint(bl_error()));
	else if (bl_tensor_ndim(z) == 2 && bl_tensor_size(z, 0) == 2 && bl_tensor_size(z, 1) > 0)
		d = bl_tensor_size(z, 1);
	else
		d = bl_fail("embeddings are %s for 2 images: expected (2, D)", bl_tensor_text(z, shape));
	bl_tensor_unref(h);
	bl_tensor_unref(z);
	return d;
}

/*
 * Computes the loss of one batch of random embeddings, to check that it accepts their shape and to get the names of its
 * terms.  The value has no meaning, so it need not be finite.
 */
static int check_loss(bl_trainer *t)
{
	bl_tensor *z[BL_VIEWS_MOST] = { NULL }, *y = NULL;
	bool all = true;
	bl_loss_batch at = { .seed = t->config.seed, .rows = t->rows, .labels = t->labels };
	for (int v = 0; v < t->views; v++) {
		z[v] = bl_tensor_new(2, (int64_t[]){ t->config.batch, t->d });
		all = all && z[v];
		if (z[v])
			bl_tensor_normal(z[v], t->config.seed, (uint32_t)v, 0, 1);
	}
	if (all)
		y = bl_loss_forward(t->config.loss, t->loss_settings, z, t->views, &at, NULL);
	for (int v = 0; v < t->views; v++)
		bl_tensor_unref(z[v]);
	bl_tensor_unref(y);
	return y ? 0 : -1;
}

/* Checks that the network accepts views of that size.  Uses evaluation mode, so that running statistics do not change. */
static int check_size(bl_trainer *t, int h, int w)
{
	const bl_trainer_config *c = &t->config;
	bl_tensor *x = bl_tensor_new_image(2, bl_dataset_channels(c->data), h, w);
	if (!x)
		return -1;
	bl_tensor_fill(x, .5f);
	bl_trainer_set_training(c, false);
	int64_t d = dry_run(c, x);
	bl_trainer_set_training(c, true);
	bl_tensor_unref(x);
	if (d > 0 && t->d > 0 && d != t->d)
		return bl_fail("embeddings have %lld dimensions, those of the first view in the first epoch have %lld",
		               (long long)d, (long long)t->d);
	t->d = d > 0 ? d : t->d;
	return d >= 0 ? 0 : -1;
}

/* Prefixes the message with the views that the network did not accept. */
static int name_size(const int size[][2], int view, int64_t epoch)
{
	char when[48] = "";
	const int *first = size[0], *now = size[view];
	if (epoch > 0)
		snprintf(when, sizeof when, ", in epoch %lld", (long long)epoch + 1);
	if (view == 0)
		return bl_fail_prefix("trainer: views of %d x %d%s: ", now[0], now[1], when);
	return bl_fail_prefix(
		"trainer: view 1 is %d x %d and view %d is %d x %d%s, and the network must accept both sizes, as with global pooling: ",
		first[0], first[1], view + 1, now[0], now[1], when);
}

/*
 * Changes `size` from the views' sizes in the previous epoch to those in this one, and checks that the network accepts
 * new sizes.
 */
static int check_epoch(bl_trainer *t, int64_t epoch, int size[][2])
{
	const bl_trainer_config *c = &t->config;
	for (int v = 0; v < t->views; v++) {
		int before[2] = { size[v][0], size[v][1] };
		if (bl_pipeline_output_at(t->pipeline[v], epoch, bl_dataset_height(c->data), bl_dataset_width(c->data), &size[v][0],
		                          &size[v][1]) != 0)
			return bl_fail_prefix("trainer: ");
		bool known = size[v][0] == before[0] && size[v][1] == before[1];
		for (int k = 0; k < v && !known; k++)
			known = size[k][0] == size[v][0] && size[k][1] == size[v][1];
		if (!known && check_size(t, size[v][0], size[v][1]) != 0)
			return name_size(size, v, epoch);
	}
	return 0;
}

/* Checks the network at each size that views have during the run. */
static int check_shapes(bl_trainer *t)
{
	int size[BL_VIEWS_MOST][2] = { { 0 } }, rc = 0;
	bool recording = bl_grad_enable(false);
	for (int64_t epoch = 0; epoch <= last_change(&t->config) && rc == 0; epoch++)
		rc = check_epoch(t, epoch, size);
	if (rc == 0 && check_loss(t) != 0)
		rc = bl_fail_prefix("trainer: ");
	bl_grad_enable(recording);
	return rc;
}

static int make_model(bl_trainer *t)
{
	bl_module *roots[] = { t->config.encoder, t->config.projector };
	static const char *const names[] = { "encoder", "projector" };
	t->params = bl_params_new(roots, names, t->config.projector ? 2 : 1);
	t->optim = t->params ? bl_optim_new(&t->config.optim, t->params) : NULL;
	if (!t->optim || bl_nan_guard_init(&t->guard, t->config.encoder, t->config.projector) != 0)
		return -1;
	t->partial = calloc((size_t)bl_trainer_norm_chunks(t), sizeof *t->partial);
	return t->partial ? 0 : bl_fail("trainer: no memory");
}

/* kNN uses whole images, whose size may differ from that of the views; the encoder must accept it, too. */
static int check_knn_shape(const bl_trainer_config *c, const bl_dataset *d)
{
	int h = bl_dataset_height(d), w = bl_dataset_width(d);
	if (bl_module_features(c->encoder, bl_dataset_channels(d), h, w) > 0)
		return 0;
	return bl_fail_prefix("trainer: kNN images of %d x %d: encoder%s", h, w, bl_module_joint(bl_error()));
}

static int make_knn(bl_trainer *t)
{
	if (t->knn_steps == 0)
		return 0;
	if (check_knn_shape(&t->config, t->config.knn_refs) != 0 || check_knn_shape(&t->config, t->config.knn_queries) != 0)
		return -1;
	t->ref_labels = bl_eval_labels(t->config.knn_refs);
	t->query_labels = bl_eval_labels_like(t->config.knn_queries, t->config.knn_refs);
	return t->ref_labels && t->query_labels ? 0 : bl_fail_prefix("trainer: kNN: ");
}

static int32_t knn_images(const bl_dataset *d)
{
	int64_t n = d ? bl_dataset_length(d) : 0;
	return (int32_t)(n < INT32_MAX ? n : INT32_MAX);
}

static int make_live(bl_trainer *t, const char *path)
{
	const bl_trainer_config *c = &t->config;
	bl_live_info *i = &t->info;
	i->steps = t->steps;
	i->steps_per_epoch = t->steps_per_epoch;
	i->batch = c->batch;
	i->d = (int32_t)t->d;
	i->knn_queries = knn_images(c->knn_queries);
	i->knn_refs = knn_images(c->knn_refs);
	i->parameters_m = (int32_t)((bl_params_count(t->params) + 500000) / 1000000);
	bl_columns columns;
	t->logged = bl_record_empty(0);
	t->live = bl_trainer_columns(t, &columns) == 0 ? bl_live_create(NULL, i, &columns) : NULL;
	if (!t->live || bl_live_set_keep(t->live, c->keep) != 0 || (path && bl_live_move_to_file(t->live, path) != 0))
		return -1;
	bl_live_info_get(t->live, i); /* with the start time, and with the reason if the run is in memory only */
	t->source = (bl_source){
		.data = c->data,
		.views = t->views,
		.seed = c->seed,
		.steps_per_epoch = t->steps_per_epoch,
		.encoder = c->encoder,
		.points = c->knn_queries ? c->knn_queries : c->data,
		.points_of = c->knn_queries ? BL_POINTS_QUERIES : BL_POINTS_TRAINING,
		.mean = c->mean,
		.std = c->std,
		.batch = c->batch,
		.stop = &t->cancel,
	};
	memcpy(t->source.pipeline, t->pipeline, sizeof t->pipeline);
	t->monitor = bl_monitor_new(c->snapshot_hz, i->batch, t->d, &t->source);
	return t->monitor ? 0 : -1;
}

/*
 * Makes the dry runs, in which every shape of the run occurs.  The convolution algorithms chosen there hold to the end
 * of the run.
 */
static int check_and_choose(bl_trainer *t)
{
	t->choices = bl_choices_new();
	if (!t->choices)
		return -1;
	bl_ambient outside = bl_ambient_enter();
	bl_choices_use(t->config.choices);
	bl_choices_record(t->choices);
	int rc = check_shapes(t) != 0 || make_knn(t) != 0 ? -1 : 0;
	bl_ambient_leave(outside);
	t->config.choices = NULL;
	return rc;
}

static int make_parts(bl_trainer *t, const char *live_path)
{
	if (make_loader(t) != 0 || make_loss(t) != 0)
		return -1;
	plan_steps(t);
	if (check_and_choose(t) != 0 || make_model(t) != 0 || bl_ownership_take(t) != 0)
		return -1;
	const bl_trainer_config *c = &t->config;
	if (c->std[0] > 0 && bl_module_set_input(c->encoder, c->mean, c->std, bl_dataset_channels(c->data)) != 0)
		return -1;
	return make_live(t, live_path);
}

static void free_parts(bl_trainer *t)
{
	bl_loader_free(t->loader);
	for (int i = 0; i < 2; i++)
		bl_tensor_unref(t->z[i]);
	bl_nan_guard_free(&t->guard);
	bl_monitor_free(t->monitor);
	bl_live_close(t->live);
	bl_optim_free(t->optim);
	bl_params_free(t->params);
	bl_choices_free(t->choices);
	free(t->ref_labels);
	free(t->query_labels);
	free(t->rows);
	free(t->labels);
	free(t->partial);
	bl_ownership_free(t);
	bl_break_free(t);
	bl_changes_free(t);
	drop_config(&t->config);
	free(t);
}

bl_trainer *bl_trainer_new(const bl_trainer_config *c)
{
	if (check_config(c) != 0 || bl_ownership_check(c) != 0)
		return NULL;
	bl_trainer *t = calloc(1, sizeof *t);
	if (!t)
		return bl_fail_null("trainer: no memory");
	take_config(t, c);
	if (make_parts(t, c->live_path) != 0) {
		free_parts(t);
		return NULL;
	}
	bl_exclusive_init(t);
	bl_trainer_enlist(t);
	return t;
}

void bl_trainer_free(bl_trainer *t)
{
	if (!t)
		return;
	bl_trainer_delist(t);
	bl_trainer_control_end(t);
	free_parts(t);
}

/* --- Access -------------------------------------------------------------------------- */

bl_live *bl_trainer_live(bl_trainer *t)
{
	return t->live;
}

bl_params *bl_trainer_params(bl_trainer *t)
{
	return t->params;
}

bl_optim *bl_trainer_optim(bl_trainer *t)
{
	return t->optim;
}

const bl_choices *bl_trainer_choices(const bl_trainer *t)
{
	return t->choices;
}

static void renew(void *ctx)
{
	bl_trainer *t = ctx;
	if (t->step == 0)
		bl_choices_renew(t->choices);
}

void bl_trainer_choose_again(bl_trainer *t)
{
	bl_trainer_between_steps(t, renew, t);
}

const bl_trainer_config *bl_trainer_settings(const bl_trainer *t)
{
	return &t->config;
}

int64_t bl_trainer_steps_per_epoch(const bl_trainer *t)
{
	return t->steps_per_epoch;
}

bl_loss_dialect bl_trainer_dialect(const bl_trainer *t)
{
	bl_loss_dialect d;
	bl_loss_matrix(t->config.loss, t->loss_settings, &d);
	return d;
}

struct request {
	bl_trainer *trainer;
	bl_tensor *c;
};

static void correlate(void *ctx)
{
	struct request *r = ctx;
	bl_trainer *t = r->trainer;
	if (t->z[0] && t->z[1])
		r->c = bl_loss_correlation(bl_trainer_dialect(t), t->z[0], t->z[1]);
	else
		bl_fail("trainer: there are no embeddings before the first step");
}

bl_tensor *bl_trainer_correlation(bl_trainer *t)
{
	struct request r = { .trainer = t };
	bl_trainer_between_steps(t, correlate, &r);
	return r.c;
}

bl_tensor *bl_trainer_embeddings(bl_trainer *t, int view)
{
	return view >= 0 && view < 2 && t->z[view] ? bl_tensor_ref(t->z[view])
	                                           : bl_fail_null("trainer: there are no such embeddings");
}
