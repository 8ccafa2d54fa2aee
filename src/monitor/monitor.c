/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * monitor.c: when the world gets a snapshot, and what goes into it.
 *
 * Time is measured, and what a thing cost last is what it is expected to cost
 * next.  Frames (pictures of C, a pair of views) have one budget; slow tasks
 * have another, which they use in turn, so that none of them keeps frames from
 * coming.  Of a C too large for the budget a frame has the extremes of a sample and
 * the rms of some pairs of the batch; its means are always of all.
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

/* Of the training time; what is left of 2%, and of 5% while a viewer asks, is for the viewer's own work and for chance. */
#define FRAMES .006
#define FRAMES_ASKED .02
#define SLOW .005
#define SLOW_ASKED .015 /* while one waits for an order, or for points */
#define HZ 10.
#define HZ_ASKED 30.
#define SPECTRUM_GUESS 1e-9 /* seconds, times min(N,D)^2 (10 min(N,D) + D), before it was ever measured */
#define SPECTRUM_LAST 1.    /* seconds that the last step may spend on it, whatever the budget */
#define ORDER_HOLDS 2.      /* seconds of training: dims that change places all the time cannot be read */
/* Seconds between frames that more of C is worth. */
#define PATIENCE 4.
#define PATIENCE_ASKED 1.
#define POINTS_COST .25 /* seconds that points may cost at once, if few rows will do */
#define FORGETS .98     /* a frame: what a larger sample cost once need not be true for ever */

enum { POINTS_LEAST = 128, SAMPLES_LEAST = 64, SAMPLES_NARROW = 1024, EFFORTS = 64 };

enum { TASK_SPECTRUM, TASK_ORDER, TASK_POINTS, TASKS };
enum { SPECTRUM = 1 << TASK_SPECTRUM, ORDER = 1 << TASK_ORDER, POINTS = 1 << TASK_POINTS };

struct bl_monitor {
	const bl_source *source;
	double interval;         /* seconds between frames while nobody asks */
	double last_at, trained; /* of the last frame: the clock, and training until then */
	double earned_at;        /* training until the budgets grew last */
	bl_meter frames, slow;
	double price[TASKS];
	int turn; /* the slow task that is next, if it is wanted */
	int64_t n, d;
	bl_heat_effort effort[EFFORTS]; /* ascending; the last one is all */
	int efforts, at;                /* which one is made */
	double above;                   /* what a frame cost with the next one; 0: never tried */
	bl_order order;                 /* of dims, unless PLAIN */
	double ordered_at;              /* seconds of training */
	int32_t *dims;
	bl_points *points;
	bool pointless;     /* points failed: once is enough */
	bl_region answered; /* while paused */
	int64_t answered_step;
	bl_snapshot *snapshot; /* keeps the slow parts from one to the next */
};

/* --- Making --------------------------------------------------------------------------- */

static bl_heat_effort all_of(const bl_monitor *m)
{
	return m->effort[m->efforts - 1];
}

/* The narrower cells are, the more a sample's pairs scatter: so many that a cell of chance is known within a fifth. */
static int64_t least_samples(const bl_monitor *m)
{
	int64_t s = SAMPLES_NARROW / bl_heat_all(m->n, m->d).most;
	s = s > SAMPLES_LEAST ? s : SAMPLES_LEAST;
	return s < m->n ? s : m->n;
}

/* The rms first, which is what is looked at, then the extremes, as long as that costs less than all of C. */
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
 * The first spectrum comes when the budget allows, long after the step has
 * settled: what it works in is taken from the system now.
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

/* An image of a step goes forwards and backwards, twice each; a backward is twice a forward. */
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

/* All the same what fails: the others and the frame go on; the first message stands. */
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

/* The next one that is wanted, if it can be paid for: a dear one is waited for, not passed over. */
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
		s->region.order = BL_ORDER_PLAIN; /* not yet */
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

/* Slow tasks first, as a region is drawn in the order that one of them finds. */
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

/* --- When -------------------------------------------------------------------------------------- */

/*
 * So much effort that a frame costs no more than what is earned until it should
 * be there.  The next one may cost four times as much of what is made of C, but
 * much of a frame is none of that: it is tried, and what it cost is kept in
 * mind, so that samples do not change size all the time.
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

/* The first and the last are not charged: all of a large C would keep the next ones away for long. */
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

/* Nothing is trained that looking could hold up: a new question gets a whole answer at once. */
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

int bl_monitor_look(bl_monitor *m, const bl_monitor_input *look, bl_live *live)
{
	bl_monitor_input l = *look;
	bl_region asked;
	double now = bl_now();
	l.asked = bl_live_asked(live, &asked) ? &asked : NULL;
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
