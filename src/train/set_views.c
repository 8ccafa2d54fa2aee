/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * set_views.c: changes settings of the views' operators while a run trains: "views.jitter.p" of all views,
 * "views[2].jitter.p" of one.
 *
 * Pipelines are immutable: the views get new ones, and batches that were made ahead are made again.  The pipelines that
 * the user gave do not change.
 */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Parses "views.jitter.p" or "views[2].jitter.p".  Returns the part behind the first dot, and sets *view to the index
 * of the view, from 0, or to -1 for all views.  Returns NULL if the name has another form.
 */
static const char *parse(const bl_trainer *t, const char *name, int *view)
{
	char dot = '\0';
	int n = 0, at = 0;
	*view = -1;
	if (strncmp(name, "views.", 6) == 0)
		return name + 6;
	if (sscanf(name, "views[%1d]%c%n", &n, &dot, &at) != 2 || dot != '.' || n < 1 || n > t->views)
		return NULL;
	*view = n - 1;
	return name + at;
}

bool bl_views_named(const bl_trainer *t, const char *name)
{
	int view;
	return parse(t, name, &view) != NULL;
}

double bl_views_get(const bl_trainer *t, const char *name)
{
	int view;
	const char *field = parse(t, name, &view);
	double value = NAN;
	for (int v = 0; v < t->views && isnan(value); v++)
		if (view < 0 || v == view)
			value = bl_pipeline_get(t->pipeline[v], field);
	return value;
}

static void drop(bl_pipeline **p, int n)
{
	while (n-- > 0)
		bl_pipeline_unref(p[n]);
}

/*
 * Makes the pipelines that the views would have with the value; views that do not change keep their pipelines.
 * Negative with bl_error.
 */
static int make(const bl_trainer *t, const char *name, double value, bl_pipeline *out[BL_VIEWS_MOST])
{
	int view, n = 0;
	const char *field = parse(t, name, &view);
	for (; n < t->views; n++) {
		bool changes = view < 0 || n == view;
		out[n] = changes ? bl_pipeline_with(t->pipeline[n], field, value) : bl_pipeline_ref(t->pipeline[n]);
		if (!out[n])
			break;
		if (bl_dataset_check_pipeline(t->config.data, out[n]) < 0) {
			n++;
			break;
		}
	}
	if (n == t->views)
		return 0;
	drop(out, n);
	return -1;
}

int bl_views_check(const bl_trainer *t, const char *name, double value)
{
	bl_pipeline *made[BL_VIEWS_MOST];
	if (isnan(bl_views_get(t, name)))
		return bl_fail("no view has a settable '%s'", name);
	if (make(t, name, value, made) != 0)
		return -1;
	drop(made, t->views);
	return 0;
}

int bl_views_set(bl_trainer *t, const char *name, double value)
{
	bl_pipeline *made[BL_VIEWS_MOST];
	if (make(t, name, value, made) != 0)
		return -1;
	bl_loader_views(t->loader, made, t->step);
	for (int v = 0; v < t->views; v++) {
		bl_pipeline **place = v == 0 ? &t->config.first : v == 1 ? &t->config.second : &t->config.more[v - 2];
		bl_pipeline_ref(made[v]);
		bl_pipeline_unref(*place);
		*place = made[v];
		t->pipeline[v] = t->source.pipeline[v] = made[v];
	}
	drop(made, t->views);
	return 0;
}

/* --- Names ------------------------------------------------------------------------------ */

static bool is_listed(const bl_trainer *t, const char *name)
{
	for (int i = 0; i < t->view_names; i++)
		if (strcmp(t->view_name[i], name) == 0)
			return true;
	return false;
}

void bl_views_list(bl_trainer *t)
{
	for (int v = 0; v < t->views; v++) {
		char field[BL_CHANGE_NAME - 6], name[BL_CHANGE_NAME];
		for (int i = 0; bl_pipeline_settable(t->pipeline[v], i, field, sizeof field) && t->view_names < VIEW_NAMES; i++) {
			snprintf(name, sizeof name, "views.%s", field);
			if (!is_listed(t, name))
				strcpy(t->view_name[t->view_names++], name);
		}
	}
}
