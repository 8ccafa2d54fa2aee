/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loader.c: makes batches of views in advance, in separate threads.
 *
 * A ring of `ahead` slots contains the batches head, head + 1, ...  A thread takes the next PIECE images of the oldest
 * batch that has images left, processes them without the lock, and sleeps if no batch has any.  It does not matter
 * which thread processes an image: its random numbers depend only on (seed, epoch, row, view).
 *
 * make_views opens an image, plans its views, reads the union of the windows that they need, and makes the views.
 */
#include "data/dataset.h"
#include "data/order.h"

#include <barlow/error.h>
#include <barlow/parallel.h>

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16, AHEAD = 3, MOST_AHEAD = 1024, MESSAGE = 1024 };

/* One batch.  It is open (has tensors) from its first piece until bl_loader_next returns it. */
typedef struct slot {
	bool open;
	int64_t step;
	int begun, done; /* images that threads have taken; images that are finished */
	bool made;       /* all images are finished, and the batch function was called */
	bl_tensor *view[BL_VIEWS_MOST];
	bl_pipeline *pipeline[BL_VIEWS_MOST]; /* of the batch's epoch */
	int64_t pipelines_of;                 /* epoch of `pipeline`, or the last in which a ramp changes if earlier; -1: none */
	int height[BL_VIEWS_MOST], width[BL_VIEWS_MOST];
	int64_t *rows;
	int failed;       /* first image (in the batch) that failed, or INT32_MAX */
	bool interrupted; /* the failure was an interruption; the batch may be made again */
	char message[MESSAGE];
} slot;

struct bl_loader {
	bl_dataset *data;
	bl_pipeline *pipeline[BL_VIEWS_MOST];
	bl_batch_aug *batch_aug;
	int views, batch;
	uint64_t seed;

	pthread_mutex_t lock;
	pthread_cond_t work, ready, idle; /* a batch has images left; the head is complete; no thread works */
	bool begun;                       /* bl_loader_next was called; until then threads wait, so a seek is immediate */
	bool stop, pause;
	int busy;     /* threads that work without the lock */
	int64_t head; /* step of the batch that bl_loader_next returns next */
	bl_row_order order;
	slot *ring;
	int ahead;
	double waited;

	pthread_t *thread;
	int threads;
};

/* Images from..to-1 of a slot. */
typedef struct piece {
	slot *s;
	int from, to;
} piece;

static slot *slot_of(bl_loader *l, int64_t step)
{
	return &l->ring[step % l->ahead];
}

static void note_failure(slot *s, int image)
{
	if (image >= s->failed)
		return;
	s->failed = image;
	s->interrupted = bl_error_interrupted();
	snprintf(s->message, sizeof s->message, "%s", bl_error());
}

static void close_slot(slot *s)
{
	for (int v = 0; v < BL_VIEWS_MOST; v++) {
		bl_tensor_unref(s->view[v]);
		s->view[v] = NULL;
	}
	s->open = false;
}

static void drop_pipelines(slot *s)
{
	for (int v = 0; v < BL_VIEWS_MOST; v++) {
		bl_pipeline_unref(s->pipeline[v]);
		s->pipeline[v] = NULL;
	}
	s->pipelines_of = -1;
}

/* Sets the slot's pipelines, in which ramps have their values of that epoch, and the sizes of views. */
static int set_pipelines(const bl_loader *l, slot *s, int64_t epoch)
{
	int64_t last = 0;
	for (int v = 0; v < l->views; v++)
		last = bl_pipeline_settled(l->pipeline[v]) > last ? bl_pipeline_settled(l->pipeline[v]) : last;
	epoch = epoch < last ? epoch : last;
	if (s->pipelines_of == epoch)
		return 0;
	drop_pipelines(s);
	for (int v = 0; v < l->views; v++) {
		s->pipeline[v] = bl_pipeline_at(l->pipeline[v], epoch);
		if (!s->pipeline[v])
			return bl_fail_prefix("view %d: ", v + 1);
		bl_pipeline_output(s->pipeline[v], bl_dataset_height(l->data), bl_dataset_width(l->data), &s->height[v],
		                   &s->width[v]);
	}
	s->pipelines_of = epoch;
	return 0;
}

/* Starts batch `step` in its slot.  If there is no memory for it, the batch is complete at once, as failed. */
static void open_slot(bl_loader *l, slot *s, int64_t step)
{
	s->open = true;
	s->step = step;
	s->begun = s->done = 0;
	s->made = s->interrupted = false;
	s->failed = INT32_MAX;
	memcpy(s->rows, bl_order_rows(&l->order, step), (size_t)l->batch * sizeof *s->rows);
	int rc = set_pipelines(l, s, step / l->order.steps);
	for (int v = 0; v < l->views && rc == 0; v++) {
		s->view[v] = bl_tensor_new_image(l->batch, bl_dataset_channels(l->data), s->height[v], s->width[v]);
		rc = s->view[v] ? 0 : -1;
	}
	if (rc == 0)
		return;
	note_failure(s, 0);
	s->begun = s->done = l->batch;
	s->made = true;
	pthread_cond_broadcast(&l->ready);
}

/* Takes the next piece, of the oldest batch first.  False: no batch in the ring has images left. */
static bool take_piece(bl_loader *l, piece *p)
{
	for (int64_t step = l->head; step < l->head + l->ahead; step++) {
		slot *s = slot_of(l, step);
		if (!s->open)
			open_slot(l, s, step);
		if (s->begun == l->batch)
			continue;
		p->s = s;
		p->from = s->begun;
		p->to = p->from + PIECE < l->batch ? p->from + PIECE : l->batch;
		s->begun = p->to;
		return true;
	}
	return false;
}

static int make_view(const slot *s, int image, int view, const bl_plan *plan, const bl_image *in)
{
	int h, w;
	bl_pipeline_output(s->pipeline[view], in->height, in->width, &h, &w);
	if (h != s->height[view] || w != s->width[view])
		return bl_fail("a view of %d x %d, the others are %d x %d: images of several sizes need a crop or a resize", h, w,
		               s->height[view], s->width[view]);
	size_t size = (size_t)h * (size_t)w * (size_t)in->channels;
	float *out = bl_tensor_data(s->view[view]) + (size_t)image * size;
	if (bl_pipeline_apply(s->pipeline[view], plan, in, out) < 0)
		return bl_fail_prefix("view %d: ", view + 1);
	return 0;
}

/* Makes all views of an open image, and reads only the part that they need. */
static int make_opened(const bl_loader *l, const slot *s, int image, bl_opened *o)
{
	bl_plan plan[BL_VIEWS_MOST];
	bl_view_key key = { l->seed, (uint32_t)(s->step / l->order.steps),         (uint32_t)s->rows[image], 0,
		            s->step, 1 + bl_dataset_label(l->data, s->rows[image]) };
	bl_image in;
	for (int v = 0; v < l->views; v++) {
		key.view = (uint32_t)v;
		bl_pipeline_plan(s->pipeline[v], &key, o->height, o->width, o->channels, &plan[v]);
	}
	bl_window needed = bl_plans_window(plan, l->views);
	if (bl_dataset_read(o, &needed, &in) < 0)
		return -1;
	for (int v = 0; v < l->views; v++)
		if (make_view(s, image, v, &plan[v], &in) < 0)
			return -1;
	return 0;
}

static int make_views(const bl_loader *l, const slot *s, int image)
{
	bl_opened o;
	int rc = bl_dataset_open(l->data, s->rows[image], &o);
	if (rc == 0) {
		rc = make_opened(l, s, image, &o);
		bl_dataset_close(&o);
	}
	return rc < 0 ? bl_fail_prefix("row %" PRId64 ": ", s->rows[image] + 1) : 0;
}

/* Calls the batch function without the lock.  No other thread uses the slot at this time. */
static void change_batch(const bl_loader *l, slot *s)
{
	bl_batch_call call = { .seed = l->seed,
		               .step = s->step,
		               .epoch = s->step / l->order.steps,
		               .n = l->batch,
		               .rows = s->rows,
		               .n_views = l->views,
		               .view = s->view };
	bool labelled = bl_dataset_classes(l->data) > 0;
	int32_t *labels = labelled ? malloc((size_t)l->batch * sizeof *labels) : NULL;
	for (int i = 0; labels && i < l->batch; i++)
		labels[i] = bl_dataset_label(l->data, s->rows[i]);
	call.labels = labels;
	int rc = labelled && !labels ? bl_fail("no memory for the labels of a batch") : bl_batch_aug_apply(l->batch_aug, &call);
	if (rc < 0)
		note_failure(s, 0);
	free(labels);
}

/*
 * Called when a piece is finished.  Completes the batch after its last image.  The images of an interrupted batch that
 * no thread has taken yet are skipped.  The lock is held at entry and at return.
 */
static void finish_piece(bl_loader *l, slot *s)
{
	if (s->interrupted) {
		s->done += l->batch - s->begun;
		s->begun = l->batch;
	}
	if (s->done < l->batch)
		return;
	if (l->batch_aug && s->failed == INT32_MAX) {
		l->busy++;
		pthread_mutex_unlock(&l->lock);
		change_batch(l, s);
		pthread_mutex_lock(&l->lock);
		l->busy--;
	}
	s->made = true;
	if (s->step == l->head)
		pthread_cond_broadcast(&l->ready);
}

static void *work(void *arg)
{
	bl_loader *l = arg;
	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		piece p;
		if (!l->begun || l->pause || !take_piece(l, &p)) {
			pthread_cond_wait(&l->work, &l->lock);
			continue;
		}
		l->busy++;
		pthread_mutex_unlock(&l->lock);
		int i = p.from;
		while (i < p.to && make_views(l, p.s, i) == 0)
			i++;
		pthread_mutex_lock(&l->lock);
		l->busy--;
		if (i < p.to)
			note_failure(p.s, i);
		p.s->done += p.to - p.from;
		finish_piece(l, p.s);
		if (l->busy == 0 && l->pause)
			pthread_cond_broadcast(&l->idle);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

static int check(const bl_loader_config *c)
{
	int64_t n = bl_dataset_length(c->data);
	if (c->batch < 2)
		return bl_fail("batch of %d, expected 2 (statistics over a batch need two) to %" PRId64
		               ", the number of images "
		               "in %s",
		               c->batch, n, bl_dataset_name(c->data));
	if (c->batch > n)
		return bl_fail("batch of %d is larger than the set: %s has %" PRId64 " images", c->batch, bl_dataset_name(c->data),
		               n);
	if (c->threads < 0 || c->threads > BL_THREADS_MAX)
		return bl_fail("%d loader threads, expected 0 (as many as cores) to %d", c->threads, BL_THREADS_MAX);
	if (c->ahead < 0 || c->ahead > MOST_AHEAD)
		return bl_fail("%d batches ahead, expected 0 (which means %d) to %d", c->ahead, AHEAD, MOST_AHEAD);
	if (n > UINT32_MAX)
		return bl_fail("%s has %" PRId64 " images, expected at most %" PRIu32, bl_dataset_name(c->data), n, UINT32_MAX);
	if (c->n_views < 1 || c->n_views > BL_VIEWS_MOST)
		return bl_fail("%d views of an image, expected 1 to %d", c->n_views, BL_VIEWS_MOST);
	for (int v = 0; v < c->n_views; v++) /* all pipelines must support the images */
		if (bl_dataset_check_pipeline(c->data, c->views[v]) < 0)
			return bl_fail_prefix("%s, view %d: ", bl_dataset_name(c->data), v + 1);
	return 0;
}

static int make_ring(bl_loader *l)
{
	l->ring = calloc((size_t)l->ahead, sizeof *l->ring);
	if (!l->ring)
		return bl_fail("no memory for a loader of %d batches ahead", l->ahead);
	for (int i = 0; i < l->ahead; i++) {
		l->ring[i].pipelines_of = -1;
		l->ring[i].rows = malloc((size_t)l->batch * sizeof *l->ring[i].rows);
		if (!l->ring[i].rows)
			return bl_fail("no memory for batches of %d", l->batch);
	}
	return bl_order_init(&l->order, bl_dataset_length(l->data), l->batch, l->seed);
}

static int start_threads(bl_loader *l, int threads)
{
	l->thread = malloc((size_t)threads * sizeof *l->thread);
	if (!l->thread)
		return bl_fail("no memory for %d loader threads", threads);
	for (; l->threads < threads; l->threads++) {
		int rc = pthread_create(&l->thread[l->threads], NULL, work, l);
		if (rc)
			return bl_fail("cannot start loader thread %d of %d: %s", l->threads + 1, threads, strerror(rc));
	}
	return 0;
}

/*
 * Allocates and frees as many views as will exist at the same time (those of the ring, and of two batches in use by the
 * trainer).  Later steps then request no memory from the system, however far ahead the threads are.  Only views whose
 * size a ramp changes are allocated later.
 */
static void reserve_views(const bl_loader *l)
{
	enum { IN_USE = 2, MOST = 64 };
	bl_tensor *view[MOST];
	int all = l->views * (l->ahead + IN_USE), n = all < MOST ? all : MOST;
	for (int i = 0; i < n; i++) {
		int h, w;
		bl_pipeline_output(l->pipeline[i % l->views], bl_dataset_height(l->data), bl_dataset_width(l->data), &h, &w);
		view[i] = bl_tensor_new_image(l->batch, bl_dataset_channels(l->data), h, w);
	}
	for (int i = 0; i < n; i++)
		bl_tensor_unref(view[i]);
}

bl_loader *bl_loader_new(const bl_loader_config *c)
{
	if (check(c) < 0)
		return NULL;
	bl_loader *l = calloc(1, sizeof *l);
	if (!l)
		return bl_fail_null("no memory for a loader");
	l->data = bl_dataset_ref(c->data);
	l->views = c->n_views;
	l->batch_aug = c->batch_aug ? bl_batch_aug_ref(c->batch_aug) : NULL;
	for (int v = 0; v < l->views; v++)
		l->pipeline[v] = bl_pipeline_ref(c->views[v]);
	l->batch = c->batch;
	l->seed = c->seed;
	l->ahead = c->ahead ? c->ahead : AHEAD;
	reserve_views(l);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->work, NULL);
	pthread_cond_init(&l->ready, NULL);
	pthread_cond_init(&l->idle, NULL);
	if (make_ring(l) == 0 && start_threads(l, c->threads ? c->threads : bl_threads()) == 0)
		return l;
	bl_loader_free(l);
	return NULL;
}

void bl_loader_free(bl_loader *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_broadcast(&l->work);
	pthread_mutex_unlock(&l->lock);
	for (int i = 0; i < l->threads; i++)
		pthread_join(l->thread[i], NULL);
	free(l->thread);
	for (int i = 0; l->ring && i < l->ahead; i++) {
		close_slot(&l->ring[i]);
		drop_pipelines(&l->ring[i]);
		free(l->ring[i].rows);
	}
	free(l->ring);
	bl_order_clear(&l->order);
	pthread_cond_destroy(&l->idle);
	pthread_cond_destroy(&l->ready);
	pthread_cond_destroy(&l->work);
	pthread_mutex_destroy(&l->lock);
	for (int v = 0; v < l->views; v++)
		bl_pipeline_unref(l->pipeline[v]);
	bl_batch_aug_unref(l->batch_aug);
	bl_dataset_unref(l->data);
	free(l);
}

int64_t bl_loader_steps(const bl_loader *l)
{
	return l->order.steps;
}

void bl_loader_views(bl_loader *l, bl_pipeline *const *views, int64_t step)
{
	assert(step >= 0);
	pthread_mutex_lock(&l->lock);
	l->pause = true;
	while (l->busy > 0)
		pthread_cond_wait(&l->idle, &l->lock);
	for (int i = 0; i < l->ahead; i++) {
		close_slot(&l->ring[i]);
		if (views)
			drop_pipelines(&l->ring[i]);
	}
	for (int v = 0; views && v < l->views; v++) {
		bl_pipeline_ref(views[v]);
		bl_pipeline_unref(l->pipeline[v]);
		l->pipeline[v] = views[v];
	}
	l->head = step;
	l->pause = false;
	pthread_cond_broadcast(&l->work);
	pthread_mutex_unlock(&l->lock);
}

void bl_loader_seek(bl_loader *l, int64_t step)
{
	bl_loader_views(l, NULL, step);
}

/* Waits until the batch at the head is complete, and returns its slot.  The lock is held at entry and at return. */
static slot *wait_for_head(bl_loader *l)
{
	slot *s = slot_of(l, l->head);
	if (s->open && s->made)
		return s;
	double start = bl_now();
	while (!s->open || !s->made)
		pthread_cond_wait(&l->ready, &l->lock);
	l->waited += bl_now() - start;
	return s;
}

/* Lets the threads make the batch at the head again. */
static void reopen(bl_loader *l, slot *s)
{
	close_slot(s);
	pthread_cond_broadcast(&l->work);
}

/*
 * Returns the batch at the head.  A failed batch stays at the head, so the next call fails with the same message.  An
 * interrupted batch is made again.
 */
static int hand_out(bl_loader *l, slot *s, bl_tensor **views, int64_t *rows)
{
	if (s->interrupted) {
		bl_fail_interrupted("%s", s->message);
		reopen(l, s);
		return -1;
	}
	if (s->failed != INT32_MAX)
		return bl_fail("%s", s->message);
	for (int v = 0; v < l->views; v++) {
		views[v] = s->view[v];
		s->view[v] = NULL;
	}
	if (rows)
		memcpy(rows, s->rows, (size_t)l->batch * sizeof *rows);
	close_slot(s);
	l->head++;
	pthread_cond_broadcast(&l->work);
	return 0;
}

int bl_loader_next(bl_loader *l, bl_tensor **views, int64_t *rows)
{
	pthread_mutex_lock(&l->lock);
	if (!l->begun)
		pthread_cond_broadcast(&l->work);
	l->begun = true;
	slot *head = slot_of(l, l->head);
	if (head->open && head->made && head->interrupted) /* interrupted before this call */
		reopen(l, head);
	int rc = hand_out(l, wait_for_head(l), views, rows);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

double bl_loader_waited(const bl_loader *l)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&l->lock;
	pthread_mutex_lock(lock);
	double waited = l->waited;
	pthread_mutex_unlock(lock);
	return waited;
}
