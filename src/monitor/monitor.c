/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * monitor.c: decides when a snapshot is published, and what it contains.
 *
 * The time of each task is measured, and is the estimate for the next time.  Frames (pictures of C, the views of an
 * image) have one budget.  Slow tasks share another budget and take turns, so that they do not delay frames.  If C is
 * too large for the budget, the extremes in a frame are computed from a sample of C's elements, and the rms from some
 * pairs of images of the batch; means are always computed from all elements.
 */
#include "monitor/monitor.h"

#include <barlow/memory.h>
#include <barlow/error.h>
#include <barlow/parallel.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/meter.h"
#include "monitor/snapshot.h"

/*
 * Shares of the training time.  The limits for all costs together are 2%, or 5% while there are requests.  The shares
 * are smaller, to leave room for the viewer's own work and for variation.
 */
#define FRAMES .006
#define FRAMES_ASKED .02
#define SLOW .005
#define SLOW_ASKED .015 /* while a viewer waits for an order or for points */
#define HZ 10.
#define HZ_ASKED 30.
#define SPECTRUM_GUESS 1e-9 /* seconds per min(N,D)^2 (10 min(N,D) + D), until it is measured */
#define SPECTRUM_LAST 1.    /* seconds that it may take at the last step, whatever the budget */
#define ORDER_HOLDS 2.      /* least seconds of training until the dims are sorted again, so that the picture can be read */
/* A larger sample of C is computed only if its cost allows a frame at least every so many seconds. */
#define PATIENCE 4.
#define PATIENCE_ASKED 1.
#define POINTS_COST .25 /* seconds that points may take, unless POINTS_LEAST rows take longer */
#define FORGETS .98     /* in each frame, the remembered cost of a larger sample is multiplied by this */

enum { POINTS_LEAST = 128, SAMPLES_LEAST = 64, SAMPLES_NARROW = 1024, EFFORTS = 64 };

enum { TASK_SPECTRUM, TASK_ORDER, TASK_POINTS, TASKS };
enum { SPECTRUM = 1 << TASK_SPECTRUM, ORDER = 1 << TASK_ORDER, POINTS = 1 << TASK_POINTS };

struct bl_monitor {
	const bl_source *source;
	double interval;         /* seconds between frames without requests */
	double last_at, trained; /* at the last frame: the clock, and seconds of training */
	double earned_at;        /* seconds of training when the budgets grew last */
	bl_meter frames, slow;
	double price[TASKS];
	int turn; /* the next slow task, if it is wanted */
	int64_t n, d;
	bl_heat_effort effort[EFFORTS]; /* ascending; the last one is all of C */
	int efforts, at;                /* their number; index of the present one */
	double above;                   /* cost of a frame with the next effort; 0: not tried yet */
	bl_order order;                 /* order of dims; PLAIN: dims is not set */
	double ordered_at;              /* seconds of training when dims was set */
	int32_t *dims;
	bl_points *points;
	bool pointless;     /* points failed, and are not tried again */
	bl_region answered; /* last request that was answered while paused */
	int64_t answered_step;
	bl_snapshot *snapshot; /* contains results of slow tasks from earlier frames */
};

/* --- Construction --------------------------------------------------------------------- */

static bl_heat_effort all_of(const bl_monitor *m)
{
	return m->effort[m->efforts - 1];
}

/*
 * Returns the minimal number of rows for the rms.  With this number, the rms of a cell of noise has an error of 20%.
 * Narrow cells need more rows.
 */
static int64_t least_samples(const bl_monitor *m)
{
	int64_t s = SAMPLES_NARROW / bl_heat_all(m->n, m->d).most;
	s = s > SAMPLES_LEAST ? s : SAMPLES_LEAST;
	return s < m->n ? s : m->n;
}

/*
 * Lists the efforts that cost less than all of C: first with more rows, which improve the rms that is shown, then with
 * more dims, which improve the extremes.
 */
static void list_efforts(bl_monitor *m)
{
	bl_heat_effort all = bl_heat_all(m->n, m->d), e = { 1, least_samples(m) };
	double most = bl_heat_cost(all, m->n, m->d);
	while (m->efforts < EFFORTS - 1 && e.most < all.most && bl_heat_cost(e, m->n, m->d) < most) {
		m->effort[m->efforts++] = e;
		if (e.samples < m->n)
			e.samples = 2 * e.samples < m->n ? 2 * e.samples : m->n;
		else
			e.most *= 2;
	}
	m->effort[m->efforts++] = all;
	m->at = m->efforts - 1;
}

/*
 * Allocates the working memory of the spectrum and releases it.  The first spectrum is computed when the budget allows
 * it, and steps should not request memory from the system any more at that time.
 */
static void reserve(int64_t n, int64_t d)
{
	int64_t side = n < d ? n : d, dsyevd = 1 + 6 * side + 2 * side * side + (4 + 5 * side) / 2;
	int64_t doubles[] = { side + d, 2 * d, side * side, side * side, dsyevd, dsyevd };
	enum { BLOCKS = sizeof doubles / sizeof *doubles };
	void *block[BLOCKS];
	for (int i = 0; i < BLOCKS; i++)
		block[i] = bl_block_take((size_t)doubles[i] * sizeof(double));
	for (int i = 0; i < BLOCKS; i++)
		bl_block_give(block[i]);
}

bl_monitor *bl_monitor_new(double hz, int64_t n, int64_t d, const bl_source *source)
{
	double side = (double)(n < d ? n : d);
	bl_monitor *m = calloc(1, sizeof *m);
	if (!m)
		return bl_fail_null("monitor: no memory");
	m->source = source;
	m->interval = 1 / (hz > 0 ? hz : HZ);
	m->n = n;
	m->d = d;
	list_efforts(m);
	m->price[TASK_SPECTRUM] = SPECTRUM_GUESS * side * side * (10 * side + (double)d);
	m->dims = calloc((size_t)d, sizeof *m->dims);
	m->snapshot = calloc(1, sizeof *m->snapshot);
	if (!m->dims || !m->snapshot) {
		bl_monitor_free(m);
		return bl_fail_null("monitor: no memory");
	}
	m->snapshot->n = (int32_t)n;
	m->snapshot->d = (int32_t)d;
	m->snapshot->rankme = NAN;
	m->snapshot->view_row = m->snapshot->view_label = -1;
	for (int i = 0; i < BL_SPECTRUM_MAX; i++)
		m->snapshot->singular[i] = NAN;
	reserve(n, d);
	return m;
}

void bl_monitor_free(bl_monitor *m)
{
	if (!m)
		return;
	bl_points_free(m->points);
	free(m->dims);
	free(m->snapshot);
	free(m);
}

/* --- Slow tasks ---------------------------------------------------------------------------- */

static bl_order order_asked(const bl_monitor *m, const bl_monitor_input *l)
{
	bl_region r = l->asked ? bl_heat_clamp(l->asked, (int32_t)m->d) : (bl_region){ 0 };
	return (bl_order)r.order;
}

static bool order_wanted(const bl_monitor *m, const bl_monitor_input *l)
{
	bl_order order = order_asked(m, l);
	return order != BL_ORDER_PLAIN && (order != m->order || l->trained >= m->ordered_at + ORDER_HOLDS);
}

static bool points_wanted(const bl_monitor *m, const bl_monitor_input *l)
{
	return l->asked && l->asked->points && m->source && !m->pointless && m->snapshot->points_step != l->step;
}

static unsigned wanted(const bl_monitor *m, const bl_monitor_input *l)
{
	return SPECTRUM | (order_wanted(m, l) ? ORDER : 0) | (points_wanted(m, l) ? POINTS : 0);
}

static int arrange(bl_monitor *m, const bl_monitor_input *l)
{
	m->order = order_asked(m, l);
	m->ordered_at = l->trained;
	if (bl_arrange(l, m->order, m->dims) == 0)
		return 0;
	m->order = BL_ORDER_PLAIN;
	return -1;
}

/*
 * Returns the number of points that take POINTS_COST seconds.  A point takes one forward pass.  In a step, each image
 * is processed forward and backward in two views, and backward takes twice as long as forward: so one forward pass
 * takes a sixth of an image's share of the step.
 */
static int64_t points_rows(const bl_monitor *m, const bl_monitor_input *l)
{
	double image = l->step > 0 ? l->trained / (double)l->step / (6 * (double)m->n) : 0;
	double rows = image > 0 ? POINTS_COST / image : BL_POINTS_MAX;
	return rows < POINTS_LEAST ? POINTS_LEAST : rows < BL_POINTS_MAX ? (int64_t)rows : BL_POINTS_MAX;
}

static int find_points(bl_monitor *m, const bl_monitor_input *l)
{
	if (!m->points)
		m->points = bl_points_new(m->source, points_rows(m, l));
	m->pointless = !m->points || bl_points_fill(m->points, l, m->snapshot) != 0;
	return m->pointless ? -1 : 0;
}

/* Runs the tasks up to the first failure, whose message is reported.  The frame is made in any case. */
static int run_tasks(bl_monitor *m, const bl_monitor_input *l, unsigned tasks)
{
	int rc = 0;
	for (int task = 0; task < TASKS && rc == 0; task++) {
		if (!(tasks & 1u << task))
			continue;
		double start = bl_now();
		rc = task == TASK_SPECTRUM ? bl_measure_spectrum(l, m->snapshot)
		     : task == TASK_ORDER  ? arrange(m, l)
		                           : find_points(m, l);
		m->price[task] = bl_now() - start;
		m->slow.credit -= m->price[task];
	}
	return rc;
}

/*
 * Returns the next wanted task if the budget covers it, else 0.  An expensive task is not skipped: the others wait for
 * it.
 */
static unsigned next_task(bl_monitor *m, const bl_monitor_input *l)
{
	unsigned want = wanted(m, l);
	if (l->last)
		return m->price[TASK_SPECTRUM] <= SPECTRUM_LAST ? SPECTRUM : 0;
	while (!(want & 1u << m->turn))
		m->turn = (m->turn + 1) % TASKS;
	m->slow.price = m->price[m->turn];
	if (!bl_meter_affords(&m->slow))
		return 0;
	unsigned task = 1u << m->turn;
	m->turn = (m->turn + 1) % TASKS;
	return task;
}

/* --- Frames ---------------------------------------------------------------------------------- */

static int fill_region(const bl_monitor *m, const bl_monitor_input *l, bl_heat_effort e)
{
	bl_snapshot *s = m->snapshot;
	s->region_rows = s->region_cols = 0;
	s->region_elements = 0;
	if (!l->asked)
		return 0;
	s->region = bl_heat_clamp(l->asked, s->d);
	if (s->region.order != (int32_t)m->order)
		s->region.order = BL_ORDER_PLAIN; /* dims are not in that order yet */
	return bl_heat_region(l, s->region.order == BL_ORDER_PLAIN ? NULL : m->dims, e, s);
}

static int fill(bl_monitor *m, const bl_monitor_input *l, bl_heat_effort e)
{
	bl_snapshot *s = m->snapshot;
	s->step = l->step;
	s->of_embeddings = l->of_embeddings;
	if (bl_heat_grid(l, e, s) != 0 || bl_heat_histogram(l, s) != 0 || fill_region(m, l, e) != 0 ||
	    bl_pair_draw(l, m->source, s) != 0)
		return -1;
	return e.most >= all_of(m).most ? bl_measure_dead(l, s) : 0;
}

/*
 * Runs slow tasks first, because one of them computes the order of the region's dims.  Returns 0, 1 if the snapshot was
 * made but a task failed, or negative with bl_error.
 */
static int make(bl_monitor *m, const bl_monitor_input *look, unsigned tasks, bl_heat_effort e)
{
	bl_monitor_input l = *look;
	l.z[0] = bl_tensor_contiguous(look->z[0]);
	l.z[1] = bl_tensor_contiguous(look->z[1]);
	int slow = l.z[0] && l.z[1] ? run_tasks(m, &l, tasks) : -1;
	int rc = l.z[0] && l.z[1] ? fill(m, &l, e) : -1;
	bl_tensor_unref(l.z[0]);
	bl_tensor_unref(l.z[1]);
	return rc != 0 ? rc : slow != 0 ? 1 : 0;
}

int bl_monitor_snapshot(bl_monitor *m, const bl_monitor_input *look, bool with_spectrum, bl_snapshot *out)
{
	unsigned tasks = wanted(m, look) & (with_spectrum ? SPECTRUM | ORDER | POINTS : ORDER | POINTS);
	if (make(m, look, tasks, all_of(m)) != 0)
		return -1;
	*out = *m->snapshot;
	return 0;
}

/* --- Timing ------------------------------------------------------------------------------------ */

/*
 * Chooses the effort so that a frame costs no more than the budget earns until the next frame is due.  The next larger
 * effort may cost four times as much for C, but C is only a part of a frame, so it is tried if twice the present cost is
 * affordable.  If it then costs too much, its cost is remembered, so that the effort does not change all the time.
 */
static void adapt(bl_monitor *m, const bl_monitor_input *l, double cost)
{
	double passed = fmax(l->asked ? PATIENCE_ASKED : PATIENCE, l->trained - m->trained);
	double may = passed * (l->asked ? FRAMES_ASKED : FRAMES);
	m->trained = l->trained;
	m->above *= FORGETS;
	m->frames.price = cost;
	if (fmax(m->above, 2 * cost) < may && m->at < m->efforts - 1) {
		m->at++;
		m->above = 0;
	}
	for (; cost > may && m->at > 0; m->at--) {
		m->above = cost;
		cost *= bl_heat_cost(m->effort[m->at - 1], m->n, m->d) / bl_heat_cost(m->effort[m->at], m->n, m->d);
		m->frames.price = cost;
	}
}

/*
 * The first and the last frame are not charged to the budget: computing all of a large C would delay the next frames
 * for a long time.
 */
static int frame(bl_monitor *m, const bl_monitor_input *l, bl_live *live, double start)
{
	double before = m->slow.credit;
	bool all = l->step == 1 || l->last;
	int rc = make(m, l, next_task(m, l), all ? all_of(m) : m->effort[m->at]);
	if (rc >= 0)
		bl_live_publish(live, m->snapshot);
	m->last_at = start;
	double cost = bl_now() - start - (before - m->slow.credit);
	if (!all)
		bl_meter_pay(&m->frames, cost);
	adapt(m, l, cost);
	return rc == 0 ? 0 : -1;
}

/* While training is paused, nothing is delayed: a new request is answered completely at once. */
static int answer(bl_monitor *m, const bl_monitor_input *l, bl_live *live)
{
	if (!l->asked || (m->answered_step == l->step && memcmp(l->asked, &m->answered, sizeof m->answered) == 0))
		return 0;
	m->answered = *l->asked;
	m->answered_step = l->step;
	int rc = make(m, l, wanted(m, l) & (ORDER | POINTS), all_of(m));
	if (rc >= 0)
		bl_live_publish(live, m->snapshot);
	return rc == 0 ? 0 : -1;
}

int bl_monitor_publish(bl_monitor *m, const bl_monitor_input *look, bl_live *live)
{
	bl_monitor_input l = *look;
	bl_region asked;
	double now = bl_now();
	l.asked = bl_live_requested(live, &asked) ? &asked : NULL;
	if (l.paused)
		return answer(m, &l, live);
	double passed = l.trained - m->earned_at;
	bool waits = order_wanted(m, &l) || points_wanted(m, &l);
	m->earned_at = l.trained;
	bl_meter_earn(&m->frames, l.asked ? FRAMES_ASKED : FRAMES, passed);
	bl_meter_earn(&m->slow, waits ? SLOW_ASKED : SLOW, passed);
	double interval = l.asked && 1 / HZ_ASKED < m->interval ? 1 / HZ_ASKED : m->interval;
	bool due = l.step == 1 || l.last || (now - m->last_at >= interval && bl_meter_affords(&m->frames));
	return due ? frame(m, &l, live, now) : 0;
}
