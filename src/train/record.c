/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * record.c: the columns of a run's records, and what a step puts into them.
 *
 * A column that the trainer measures is a row of a table here: its description beside the function that gives its
 * value.  Everybody else (live file, views, figures, Lua) learns of it from the run.
 */
#include "train/trainer.h"

#include <barlow/columns.h>

#include <stdio.h>

typedef struct row {
	bl_column column;
	double (*value)(const bl_trainer *t, const bl_measured *m);
} row;

/* --- What the loss gives ----------------------------------------------------- */

static double invariance(const bl_trainer *t, const bl_measured *m) { (void)t; return m->terms.invariance; }
static double redundancy(const bl_trainer *t, const bl_measured *m) { (void)t; return m->terms.redundancy; }
static double lambda(const bl_trainer *t, const bl_measured *m) { (void)m; return t->config.loss.lambda; }
static double weighted(const bl_trainer *t, const bl_measured *m) { return lambda(t, m) * redundancy(t, m); }
static double total(const bl_trainer *t, const bl_measured *m) { (void)t; return m->terms.total; }
static double floor_of(const bl_trainer *t, const bl_measured *m) { (void)t; return m->terms.floor; }

static const row of_loss[] = {
	{ { .name = "invariance", .brief = "inv", .kind = BL_COLUMN_TERM }, invariance },
	{ { .name = "redundancy", .kind = BL_COLUMN_TERM, .mark = 'R' }, redundancy },
	{ { .name = "weighted_redundancy", .label = "λ·redundancy", .brief = "λ·red", .kind = BL_COLUMN_WEIGHTED,
	    .mark = 'r' }, weighted },
	{ { .name = "lambda", .label = "λ", .kind = BL_COLUMN_PARAMETER, .precision = 3 }, lambda },
	{ { .name = "total", .kind = BL_COLUMN_TOTAL, .mark = 'T' }, total },
	{ { .name = "floor", .kind = BL_COLUMN_FLOOR, .precision = 3, .mark = '-' }, floor_of },
};
enum { OF_LOSS = sizeof of_loss / sizeof of_loss[0] };

/* --- What the trainer measures ------------------------------------------------ */

static double seconds(const bl_trainer *t, const bl_measured *m) { (void)m; return t->trained; }
static double grad_norm(const bl_trainer *t, const bl_measured *m) { (void)t; return m->grad_norm; }
static double images_per_s(const bl_trainer *t, const bl_measured *m) { (void)t; return m->images_per_s; }
static double knn(const bl_trainer *t, const bl_measured *m) { (void)t; return m->knn; }

static double lr(const bl_trainer *t, const bl_measured *m)
{
	return bl_optim_settings(t->optim)->lr * m->factor;
}

/* Biases and norms without a rate of their own go at that of the weights. */
static double lr_bias(const bl_trainer *t, const bl_measured *m)
{
	const bl_optim_config *o = bl_optim_settings(t->optim);
	return (o->lr_bias > 0 ? o->lr_bias : o->lr) * m->factor;
}

static const row of_step[] = {
	{ { .name = "time", .unit = "s", .kind = BL_COLUMN_TIME, .precision = 6 }, seconds },
	{ { .name = "lr", .label = "learning rate", .brief = "lr", .kind = BL_COLUMN_RATE, .precision = 3, .mark = 'a' }, lr },
	{ { .name = "lr_bias", .label = "lr of biases", .kind = BL_COLUMN_RATE, .precision = 3, .mark = 'b' }, lr_bias },
	{ { .name = "grad_norm", .label = "gradient norm", .kind = BL_COLUMN_MEASURE }, grad_norm },
	{ { .name = "images_per_s", .label = "images/s", .unit = "images/s", .kind = BL_COLUMN_MEASURE, .fixed = 1,
	    .mark = 's' }, images_per_s },
	{ { .name = "knn", .label = "kNN accuracy", .brief = "kNN", .kind = BL_COLUMN_SCORE, .fixed = 1, .precision = 3 }, knn },
};
enum { OF_STEP = sizeof of_step / sizeof of_step[0] };

/* --- The list, and a record of it ---------------------------------------------- */

int bl_trainer_columns(bl_columns *out)
{
	out->n = 0;
	for (int i = 0; i < OF_LOSS; i++)
		if (bl_columns_add(out, &of_loss[i].column) < 0)
			return -1;
	for (int i = 0; i < OF_STEP; i++)
		if (bl_columns_add(out, &of_step[i].column) < 0)
			return -1;
	return 0;
}

/* --- The user's own --------------------------------------------------------------- */

/* The place of an own column, made where it is missing. */
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

/* Each value goes into one record. */
static void take_logged(bl_trainer *t, bl_record *r)
{
	pthread_mutex_lock(&t->lock);
	for (int i = OF_LOSS + OF_STEP; i < BL_COLUMNS_MAX; i++)
		r->value[i] = t->logged.value[i];
	t->logged = bl_record_empty(0);
	pthread_mutex_unlock(&t->lock);
}

bl_record bl_trainer_record(bl_trainer *t, const bl_measured *m)
{
	bl_record r = bl_record_empty(t->step + 1);
	take_logged(t, &r);
	for (int i = 0; i < OF_LOSS; i++)
		r.value[i] = of_loss[i].value(t, m);
	for (int i = 0; i < OF_STEP; i++)
		r.value[OF_LOSS + i] = of_step[i].value(t, m);
	return r;
}
