/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * step.c: one training step.  Views, forward, loss, backward, update and publishing are a function each, so that an
 * exchange of gradients between machines could be inserted.
 */
#include "train/trainer.h"

#include <barlow/eval.h>
#include <barlow/grad.h>
#include <barlow/number.h>
#include <barlow/parallel.h>
#include <barlow/profile.h>
#include <barlow/random.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NORM_CHUNK = 1 << 16, NORM_LANES = 8 };

/* The results of a step; the references are held until it ends. */
struct work {
	bl_tensor *view[BL_VIEWS_MOST], *z[BL_VIEWS_MOST], *loss;
	bl_measured measured;
};

/* --- Phases ---------------------------------------------------------------------- */

static int make_views(bl_trainer *t, struct work *w)
{
	if (bl_loader_next(t->loader, w->view, t->rows) != 0)
		return -1;
	bl_profile_book("", "waiting for views", false);
	for (int v = 0; v < t->views; v++)
		if (bl_tensor_find_nonfinite(w->view[v]) >= 0)
			return bl_nan_guard_blame(t, w->view, "the batch is not finite");
	return 0;
}

static bl_tensor *run(bl_module *m, const char *name, bl_tensor *x)
{
	int before = bl_profile_enter(name);
	bl_tensor *y = bl_module_forward(m, x);
	bl_profile_leave(before);
	return y;
}

void bl_trainer_set_training(const bl_trainer_config *c, bool on)
{
	bl_module_train(c->encoder, on);
	if (c->projector)
		bl_module_train(c->projector, on);
}

/*
 * Training mode is set in each step, since callers between steps may have left the network in evaluation mode.  The
 * layers store the precision for their backward passes.
 */
static int forward(bl_trainer *t, struct work *w)
{
	const bl_trainer_config *c = &t->config;
	bl_trainer_set_training(c, true);
	bl_precision before = bl_grad_precision(c->precision);
	for (int i = 0; i < t->views && (i == 0 || w->z[i - 1]); i++) {
		bl_rng_scope outside = bl_rng_enter(c->seed, t->step, "view", (uint32_t)i);
		bl_tensor *h = run(c->encoder, "encoder", w->view[i]);
		w->z[i] = h && c->projector ? run(c->projector, "projector", h) : h;
		if (c->projector)
			bl_tensor_unref(h);
		bl_rng_leave(outside);
	}
	bl_grad_precision(before);
	return w->z[t->views - 1] ? 0 : -1;
}

static int blame_loss(bl_trainer *t, const struct work *w)
{
	char what[96], number[BL_NUMBER_TEXT];
	snprintf(what, sizeof what, "the loss is %s", bl_number_text(w->measured.loss.total, true, number, sizeof number));
	for (int i = bl_loss_terms(t->config.loss) - 1; i >= 0; i--)
		if (!isfinite(w->measured.loss.term[i]))
			snprintf(what, sizeof what, "term '%s' of the loss is %s", bl_loss_ops_of(t->config.loss)->terms[i].name,
			         bl_number_text(w->measured.loss.term[i], true, number, sizeof number));
	return bl_nan_guard_blame(t, w->view, what);
}

static int measure_loss(bl_trainer *t, struct work *w)
{
	bl_loss_batch at = {
		.step = t->step, .epoch = t->step / t->steps_per_epoch, .seed = t->config.seed, .rows = t->rows, .labels = t->labels
	};
	for (int i = 0; t->labels && i < t->config.batch; i++)
		t->labels[i] = bl_dataset_label(t->config.data, t->rows[i]);
	bl_rng_scope outside = bl_rng_enter(t->config.seed, t->step, "loss", 0);
	w->loss = bl_loss_forward(t->config.loss, t->loss_settings, w->z, t->views, &at, &w->measured.loss);
	bl_rng_leave(outside);
	if (!w->loss)
		return -1;
	return isfinite(w->measured.loss.total) && bl_nan_guard_finite(&t->guard) ? 0 : blame_loss(t, w);
}

static int backward(bl_trainer *t, struct work *w)
{
	bl_params_zero_grad(t->params);
	return bl_backward(w->loss, NULL);
}

/* --- Gradient: norm and clipping ---------------------------------------------------- */

static void norm_chunk(void *ctx, int64_t chunk)
{
	bl_trainer *t = ctx;
	int64_t from = chunk * NORM_CHUNK, n = bl_params_count(t->params) - from;
	const float *g = bl_params_grads(t->params) + from;
	double lane[NORM_LANES] = { 0 }, sum = 0;
	int64_t i = 0;
	n = n < NORM_CHUNK ? n : NORM_CHUNK;
	for (; i + NORM_LANES <= n; i += NORM_LANES)
		for (int k = 0; k < NORM_LANES; k++)
			lane[k] += (double)g[i + k] * g[i + k];
	for (; i < n; i++)
		sum += (double)g[i] * g[i];
	for (int k = 0; k < NORM_LANES; k++)
		sum += lane[k];
	t->partial[chunk] = sum;
}

int64_t bl_trainer_norm_chunks(const bl_trainer *t)
{
	return (bl_params_count(t->params) + NORM_CHUNK - 1) / NORM_CHUNK;
}

static int blame_gradient(const bl_trainer *t)
{
	for (int i = 0; i < bl_params_length(t->params); i++) {
		const bl_param *p = bl_params_get(t->params, i);
		const float *g = bl_params_grads(t->params) + p->start;
		for (int64_t k = 0; k < p->count; k++)
			if (!isfinite(g[k]))
				return bl_fail("the gradient of %s is not finite", p->name);
	}
	return bl_fail("the gradient's norm is not finite");
}

static int measure_gradient(bl_trainer *t, struct work *w)
{
	double sum = 0;
	bl_parallel(bl_trainer_norm_chunks(t), norm_chunk, t);
	for (int64_t i = 0; i < bl_trainer_norm_chunks(t); i++)
		sum += t->partial[i];
	w->measured.grad_norm = sqrt(sum);
	return isfinite(sum) ? 0 : blame_gradient(t);
}

static void clip(bl_trainer *t, double norm)
{
	if (t->config.clip <= 0 || norm <= t->config.clip)
		return;
	float *g = bl_params_grads(t->params), scale = (float)(t->config.clip / norm);
	for (int64_t i = 0; i < bl_params_count(t->params); i++)
		g[i] *= scale;
}

static void update(bl_trainer *t, struct work *w)
{
	clip(t, w->measured.grad_norm);
	w->measured.factor = bl_schedule_at(&t->schedule, t->step);
	bl_profile_book("", "gradient norm", false);
	bl_optim_step(t->optim, w->measured.factor);
	bl_profile_book("", "optimiser", false);
}

/* --- After the step ------------------------------------------------------------------ */

/*
 * Stores the embeddings for the monitor and for bl_trainer_correlation.  Nothing after this can fail, so a step is made
 * completely or not at all.
 */
static int keep_embeddings(bl_trainer *t, const struct work *w)
{
	for (int i = 0; i < 2; i++) {
		bl_tensor_unref(t->z[i]);
		t->z[i] = bl_tensor_detach(w->z[i]);
		if (!t->z[i])
			return -1;
	}
	return 0;
}

static double rate_add(struct rate *r, double seconds)
{
	if (r->n == RATE_WINDOW)
		r->sum -= r->seconds[r->next];
	else
		r->n++;
	r->seconds[r->next] = seconds;
	r->next = (r->next + 1) % RATE_WINDOW;
	r->sum += seconds;
	return r->sum > 0 ? r->n / r->sum : 0;
}

static bl_tensor *features(bl_trainer *t, bl_dataset *d)
{
	const bl_trainer_config *c = &t->config;
	return bl_eval_features(c->encoder, d, c->mean, c->std, c->batch, &t->cancel);
}

/*
 * Returns kNN's accuracy, or NaN.  A failure does not end the run: it becomes the run's message.  So does the result if
 * a command requested it.
 */
static double take_knn(bl_trainer *t, int64_t step)
{
	const bl_trainer_config *c = &t->config;
	bl_rng_scope outside = bl_rng_enter(c->seed, t->step, "knn", 0);
	bl_tensor *refs = features(t, c->knn_refs), *queries = refs ? features(t, c->knn_queries) : NULL;
	bl_rng_leave(outside);
	double accuracy = -1;
	if (queries)
		accuracy = bl_eval_knn(&(bl_knn_config){ c->knn_k, .1, &t->cancel }, refs, t->ref_labels, queries, t->query_labels,
		                       bl_dataset_classes(c->knn_refs));
	bl_tensor_unref(refs);
	bl_tensor_unref(queries);
	if (accuracy >= 0 && t->knn_asked)
		bl_trainer_note(t, "step %lld: kNN %.4f, as requested", (long long)step, accuracy);
	else if (accuracy < 0 && !t->cancel)
		bl_trainer_note(t, "step %lld: no kNN: %.200s", (long long)step, bl_error());
	t->knn_asked = false;
	return accuracy >= 0 ? accuracy : NAN;
}

void bl_trainer_request_knn(bl_trainer *t)
{
	t->knn_asked = t->ref_labels && t->query_labels;
	if (!t->knn_asked)
		bl_trainer_note(t, "step %lld: no kNN: the trainer was given no labelled images for it (knn = {refs =, queries =})",
		                (long long)t->step);
}

void bl_trainer_answer_knn(bl_trainer *t)
{
	if (t->knn_asked)
		take_knn(t, t->step);
}

static void publish(bl_trainer *t, struct work *w, double seconds)
{
	t->trained += seconds;
	w->measured.images_per_s = t->config.batch * rate_add(&t->rate, seconds);
	int64_t step = t->step + 1;
	bool due = t->knn_steps > 0 && (step % t->knn_steps == 0 || step == t->steps || bl_trainer_over(t));
	w->measured.knn = due || t->knn_asked ? take_knn(t, step) : NAN;
	bl_record r = bl_trainer_record(t, &w->measured);
	bl_live_add(t->live, &r); /* there is room for all steps */
	pthread_mutex_lock(&t->lock);
	t->info.step = ++t->step;
	bl_live_set_info(t->live, &t->info);
	pthread_mutex_unlock(&t->lock);
}

static void show(bl_trainer *t, bl_monitor_input *l)
{
	l->step = t->step;
	l->trained = t->trained;
	l->of_embeddings = !bl_loss_matrix(t->config.loss, t->loss_settings, &l->dialect);
	l->rows = t->rows;
	for (int i = 0; i < 2; i++)
		l->z[i] = t->z[i];
	if (bl_monitor_publish(t->monitor, l, t->live) != 0)
		bl_trainer_note(t, "step %lld: snapshot: %.200s", (long long)t->step, bl_error());
}

void bl_trainer_answer_requests(bl_trainer *t)
{
	if (t->z[0] && t->z[1])
		show(t, &(bl_monitor_input){ .paused = true });
}

/* --- The step ------------------------------------------------------------------------- */

static void fail_step(bl_trainer *t)
{
	char why[256];
	bl_nan_guard_restore(&t->guard);
	bl_fail_prefix("step %lld: ", (long long)t->step + 1);
	snprintf(why, sizeof why, "%s", bl_error());
	bl_changes_event(t, "failed", "trainer", why);
	bl_trainer_note(t, "%s", why);
	pthread_mutex_lock(&t->lock);
	t->info.state = BL_RUN_FAILED;
	bl_live_set_info(t->live, &t->info);
	pthread_mutex_unlock(&t->lock);
}

/*
 * Called if the step was interrupted because another thread waits for the end of the step.  The step has changed
 * nothing, and is made again, now or when the run is resumed.
 */
static void abandon_step(bl_trainer *t)
{
	char why[256];
	bl_nan_guard_restore(&t->guard);
	snprintf(why, sizeof why, "%s", bl_error());
	bl_trainer_note(t, "step %lld was given up: %s", (long long)t->step + 1, why);
	pthread_mutex_lock(&t->lock);
	bool last = t->ending_asked || t->quit;
	pthread_mutex_unlock(&t->lock);
	if (!last)
		bl_loader_seek(t->loader, t->step);
}

int bl_trainer_step(bl_trainer *t)
{
	struct work w = { 0 };
	double start = bl_now();
	bl_profile_begin();
	bl_nan_guard_save(&t->guard);
	/* Before the update, nothing of the model changes except its buffers. */
	bool whole = make_views(t, &w) == 0 && forward(t, &w) == 0 && measure_loss(t, &w) == 0 && backward(t, &w) == 0 &&
	             measure_gradient(t, &w) == 0 && keep_embeddings(t, &w) == 0;
	if (whole) {
		update(t, &w);
		publish(t, &w, bl_now() - start);
		bl_profile_book("", "records and kNN", false);
		bl_monitor_input l = { .last = bl_trainer_over(t) };
		memcpy(l.view, w.view, (size_t)t->views * sizeof *w.view);
		show(t, &l);
		bl_profile_book("", "snapshot", false);
	} else if (bl_error_interrupted()) {
		abandon_step(t);
	} else {
		fail_step(t);
	}
	bl_tensor_unref(w.loss);
	for (int i = 0; i < BL_VIEWS_MOST; i++) {
		bl_tensor_unref(w.z[i]);
		bl_tensor_unref(w.view[i]);
	}
	bl_profile_end();
	return whole ? 0 : -1;
}
