/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * record.c: the columns of a run's records, and their values at each step.
 *
 * A column that the trainer measures is a row of a table here: its description and the function that returns its value.
 * All other parts (live file, views, figures, Lua) read the list of columns from the run.
 */
#include "train/trainer.h"

#include <barlow/columns.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct row {
	bl_column column;
	double (*value)(const bl_trainer *t, const bl_measured *m);
	bool apart; /* only in runs that began with a separate rate for biases and norms */
} row;

/* --- What the trainer measures ------------------------------------------------ */

/* clang-format off */
static double seconds(const bl_trainer *t, const bl_measured *m) { (void)m; return t->trained; }
static double grad_norm(const bl_trainer *t, const bl_measured *m) { (void)t; return m->grad_norm; }
static double images_per_s(const bl_trainer *t, const bl_measured *m) { (void)t; return m->images_per_s; }
static double knn(const bl_trainer *t, const bl_measured *m) { (void)t; return m->knn; }
/* clang-format on */

static double lr(const bl_trainer *t, const bl_measured *m)
{
	return bl_optim_settings(t->optim)->lr * m->factor;
}

/* Biases and norms without a separate rate have the rate of the weights. */
static double lr_bias(const bl_trainer *t, const bl_measured *m)
{
	const bl_optim_config *o = bl_optim_settings(t->optim);
	return (o->lr_bias > 0 ? o->lr_bias : o->lr) * m->factor;
}

static bool is_apart(const bl_optim_config *o)
{
	return o->lr_bias > 0 && o->lr_bias != o->lr;
}

static const row of_step[] = {
	{ { .name = "time", .unit = "s", .kind = BL_COLUMN_TIME, .precision = 6 }, seconds, false },
	{ { .name = "lr", .label = "learning rate", .brief = "lr", .kind = BL_COLUMN_RATE, .precision = 3, .mark = 'a' },
	  lr,
	  false },
	{ { .name = "lr_bias", .label = "lr of biases", .kind = BL_COLUMN_RATE, .precision = 3, .mark = 'b' }, lr_bias, true },
	{ { .name = "grad_norm", .label = "gradient norm", .kind = BL_COLUMN_MEASURE }, grad_norm, false },
	{ { .name = "images_per_s", .label = "images/s", .unit = "images/s", .kind = BL_COLUMN_MEASURE, .fixed = 1, .mark = 's' },
	  images_per_s,
	  false },
	{ { .name = "knn", .label = "kNN accuracy", .brief = "kNN", .kind = BL_COLUMN_SCORE, .fixed = 1, .precision = 3 },
	  knn,
	  false },
};
enum { OF_STEP = sizeof of_step / sizeof of_step[0] };

static bool is_ours(const char *name)
{
	for (int i = 0; i < OF_STEP; i++)
		if (strcmp(of_step[i].column.name, name) == 0)
			return true;
	return strcmp(name, "total") == 0 || strcmp(name, "floor") == 0 || strcmp(name, "step") == 0;
}

/* --- Columns of the loss ----------------------------------------------------- */

/*
 * A walk over the columns adds them to `out`, or writes their values to `values`.  The same code does both, so that the
 * indices of columns and values agree.
 */
typedef struct walk {
	bl_columns *out;
	double *values;
	int n;
	int rc;
} walk;

static void give(walk *w, const bl_column *column, double value)
{
	if (w->out && w->rc == 0 && bl_columns_add(w->out, column) < 0)
		w->rc = -1;
	if (w->values)
		w->values[w->n] = value;
	w->n++;
}

static bl_column column_of(bl_column_kind kind, const char *name, const char *label, const char *brief, char mark)
{
	bl_column c = { .kind = kind, .mark = mark };
	snprintf(c.name, sizeof c.name, "%s", name);
	snprintf(c.label, sizeof c.label, "%s", label ? label : "");
	snprintf(c.brief, sizeof c.brief, "%s", brief ? brief : "");
	return c;
}

static double setting(const bl_trainer *t, const char *name)
{
	double v[BL_LIST_MOST] = { NAN };
	const bl_field *f = bl_field_find(bl_loss_ops_of(t->config.loss)->fields, name);
	if (f)
		bl_field_get(f, t->loss_settings, v);
	return v[0];
}

/* Adds a term and, if it has a weight, its product with the weight. */
static void give_term(const bl_trainer *t, walk *w, const bl_loss_term *term, double value)
{
	char name[BL_COLUMN_NAME], shown[BL_COLUMN_LABEL];
	/*
	 * The term's letter marks the curve of the value that is added to the total.  If that is the weighted term, the
	 * capital letter marks the curve of the unweighted one.
	 */
	char plain = term->weight && term->mark ? (char)toupper(term->mark) : term->mark;
	bl_column c = column_of(BL_COLUMN_TERM, term->name, NULL, term->weight ? NULL : term->brief, plain);
	give(w, &c, value);
	if (!term->weight)
		return;
	snprintf(name, sizeof name, "weighted_%s", term->name);
	snprintf(shown, sizeof shown, "%s·%s", term->weight, term->name);
	c = column_of(BL_COLUMN_WEIGHTED, name, term->weighted ? term->weighted : shown, term->weighted_brief, term->mark);
	give(w, &c, setting(t, term->weight) * value);
}

static const bl_loss_term *term_of(const bl_trainer *t, const char *name)
{
	const bl_loss_term *term = bl_loss_ops_of(t->config.loss)->terms;
	for (int i = 0; i < bl_loss_terms(t->config.loss); i++)
		if (strcmp(term[i].name, name) == 0)
			return term + i;
	return NULL;
}

/* Adds a setting.  Its name is prefixed by "loss." if the trainer or a term has a column of that name. */
static void give_setting(const bl_trainer *t, walk *w, const bl_field *f, const char *symbol)
{
	char name[BL_COLUMN_NAME], label[BL_COLUMN_LABEL] = "";
	const bl_loss_term *term = term_of(t, f->name);
	snprintf(name, sizeof name, "%s%s", is_ours(f->name) || term ? "loss." : "", f->name);
	if (term)
		snprintf(label, sizeof label, "weight of %s", term->brief ? term->brief : term->name);
	bl_column c = column_of(BL_COLUMN_PARAMETER, name, symbol ? symbol : label, NULL, 0);
	c.precision = 3;
	give(w, &c, setting(t, f->name));
}

static void walk_loss(const bl_trainer *t, walk *w, const bl_loss_result *r)
{
	static const bl_column total = { .name = "total", .kind = BL_COLUMN_TOTAL, .mark = 'T' };
	static const bl_column lowest = { .name = "floor", .kind = BL_COLUMN_FLOOR, .precision = 3, .mark = '-' };
	const bl_loss_ops *ops = bl_loss_ops_of(t->config.loss);
	const bl_field *turned = bl_loss_turn(t->config.loss);
	for (int i = 0; i < bl_loss_terms(t->config.loss); i++)
		give_term(t, w, &ops->terms[i], r ? r->term[i] : NAN);
	if (turned)
		give_setting(t, w, turned, ops->symbol);
	for (const bl_field *f = ops->fields; f->name; f++) /* the other settable fields; + and - change `turned` */
		if (f->settable && f != turned)
			give_setting(t, w, f, NULL);
	give(w, &total, r ? r->total : NAN);
	give(w, &lowest, r ? r->floor : NAN);
}

/* --- The list, and a record of it ---------------------------------------------- */

/* Uses the configuration that the run began with, so that the list does not change when rates are set later. */
static void walk_step(const bl_trainer *t, walk *w, const bl_measured *m)
{
	for (int i = 0; i < OF_STEP; i++)
		if (!of_step[i].apart || is_apart(&t->config.optim))
			give(w, &of_step[i].column, m ? of_step[i].value(t, m) : NAN);
}

int bl_trainer_columns(const bl_trainer *t, bl_columns *out)
{
	walk w = { .out = out };
	out->n = 0;
	walk_loss(t, &w, NULL);
	walk_step(t, &w, NULL);
	return w.rc != 0 ? bl_fail_prefix("trainer: what the loss (%s) records: ", bl_loss_ops_of(t->config.loss)->name) : 0;
}

/* --- Columns of the user ---------------------------------------------------------- */

/* Returns the index of a user's column, which is added if it is missing; negative with bl_error. */
static int own_column(bl_trainer *t, const char *name)
{
	bl_columns c;
	bl_column own = { .kind = BL_COLUMN_OWN };
	if (bl_column_name_check(name) != 0)
		return -1;
	bl_live_columns(t->live, &c);
	int place = bl_columns_find(&c, name);
	if (place >= 0 && c.column[place].kind != BL_COLUMN_OWN)
		return bl_fail("'%s' is a column that the trainer fills", name);
	snprintf(own.name, sizeof own.name, "%s", name);
	return place >= 0 ? place : bl_live_column(t->live, &own);
}

int bl_trainer_log(bl_trainer *t, const char *name, double value)
{
	pthread_mutex_lock(&t->lock);
	int place = own_column(t, name);
	if (place >= 0)
		t->logged.value[place] = value;
	pthread_mutex_unlock(&t->lock);
	return place < 0 ? bl_fail_prefix("log: ") : 0;
}

/* If biases and norms have got a separate rate since the run began, adds a column for it behind the others. */
static void take_late_rate(bl_trainer *t, const bl_measured *m, bl_record *r)
{
	bl_columns c;
	if (is_apart(&t->config.optim) || !is_apart(bl_optim_settings(t->optim)))
		return;
	for (int i = 0; i < OF_STEP; i++) {
		if (!of_step[i].apart)
			continue;
		pthread_mutex_lock(&t->lock);
		bl_live_columns(t->live, &c);
		int place = bl_columns_find(&c, of_step[i].column.name);
		if (place < 0)
			place = bl_live_column(t->live, &of_step[i].column);
		pthread_mutex_unlock(&t->lock);
		if (place >= 0)
			r->value[place] = of_step[i].value(t, m);
	}
}

bl_record bl_trainer_record(bl_trainer *t, const bl_measured *m)
{
	bl_record r = bl_record_empty(t->step + 1);
	pthread_mutex_lock(&t->lock);
	memcpy(r.value, t->logged.value, sizeof r.value); /* for this record only; the walks write the other columns */
	t->logged = bl_record_empty(0);
	pthread_mutex_unlock(&t->lock);
	walk w = { .values = r.value };
	walk_loss(t, &w, &m->loss);
	walk_step(t, &w, m);
	take_late_rate(t, m, &r);
	return r;
}
