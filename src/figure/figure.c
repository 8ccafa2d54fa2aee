/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure.c: figures as data: creates, reads and frees them. */
#include "figure/figure.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SERIES = 64, MAX_PANELS = 16 };

bl_figure *bl_figure_new(bl_figure_kind kind, const char *title)
{
	bl_figure *f = calloc(1, sizeof *f);
	if (f)
		f->kind = kind;
	if (f && (f->title = strdup(title ? title : "")))
		return f;
	bl_figure_free(f);
	return bl_fail_null("no memory for a figure");
}

static void free_panel(bl_panel *p)
{
	const bl_axes *a = &p->axes;
	for (int k = 0; p->series && k < p->n; k++) {
		const bl_series *s = &p->series[k];
		free((char *)(uintptr_t)s->label);
		free((double *)(uintptr_t)s->x); /* y, low and high are in the same allocation */
	}
	free((bl_series *)(uintptr_t)p->series);
	for (int i = 0; a->names && i < a->named; i++)
		free((char *)(uintptr_t)a->names[i]);
	free((char **)(uintptr_t)a->names);
	free((char *)(uintptr_t)a->title);
	free((char *)(uintptr_t)a->xlabel);
	free((char *)(uintptr_t)a->ylabel);
}

void bl_figure_free(bl_figure *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->panels; i++)
		free_panel(&f->panel[i]);
	free(f->panel);
	free(f->matrix.dot);
	for (int i = 0; i < f->parts; i++)
		bl_figure_free(f->part[i]);
	free(f->part);
	free(f->pixels.rgb);
	free(f->pixels.notes);
	free(f->title);
	free(f);
}

/* --- Panels ------------------------------------------------------------------------ */

/* Copies x, y, low and high into one allocation. */
static bool copy_series(bl_series *to, const bl_series *from)
{
	size_t n = (size_t)from->n;
	bool intervals = from->low && from->high;
	double *all = malloc((4 * n + 1) * sizeof *all);
	*to = *from;
	to->x = all;
	to->label = strdup(from->label ? from->label : "");
	if (!all || !to->label)
		return false;
	if (n) {
		memcpy(all, from->x, n * sizeof *all);
		memcpy(all + n, from->y, n * sizeof *all);
	}
	if (n && intervals) {
		memcpy(all + 2 * n, from->low, n * sizeof *all);
		memcpy(all + 3 * n, from->high, n * sizeof *all);
	}
	to->y = all + n;
	to->low = intervals ? all + 2 * n : NULL;
	to->high = intervals ? all + 3 * n : NULL;
	return true;
}

static bool copy_axes(bl_axes *to, const bl_axes *from)
{
	*to = *from;
	char **names = from->named ? calloc((size_t)from->named, sizeof *names) : NULL;
	bool fine = names || !from->named;
	for (int i = 0; names && i < from->named; i++)
		fine = (names[i] = strdup(from->names[i])) && fine;
	to->names = (const char *const *)names;
	to->title = strdup(from->title ? from->title : "");
	to->xlabel = strdup(from->xlabel ? from->xlabel : "");
	to->ylabel = strdup(from->ylabel ? from->ylabel : "");
	return fine && to->title && to->xlabel && to->ylabel;
}

static bool copy_panel(bl_panel *to, const bl_panel *from)
{
	bl_series *series = calloc((size_t)from->n, sizeof *series);
	bool fine = copy_axes(&to->axes, &from->axes) && series;
	to->series = series;
	for (int k = 0; fine && k < from->n; k++) {
		to->n = k + 1;
		fine = copy_series(&series[k], &from->series[k]);
	}
	return fine;
}

static int check_panel(const bl_panel *p)
{
	int64_t points = 0;
	for (int k = 0; k < p->n; k++)
		points += p->series[k].n;
	if (p->n < 1 || p->n > MAX_SERIES || points == 0)
		return bl_fail("a figure of lines takes 1 to %d series with points in them, not %d with %lld points", MAX_SERIES,
		               p->n, (long long)points);
	for (int k = 0; k < p->n; k++)
		if (bl_series_check(&p->series[k], k, &p->axes) < 0)
			return -1;
	return 0;
}

bl_figure *bl_figure_panels(const bl_panel *p, int n)
{
	if (n < 1 || n > MAX_PANELS)
		return bl_fail_null("a figure takes 1 to %d panels, not %d", MAX_PANELS, n);
	for (int i = 0; i < n; i++)
		if (check_panel(&p[i]) != 0)
			return NULL;
	bl_figure *f = bl_figure_new(BL_FIGURE_PANELS, NULL);
	bool fine = f && (f->panel = calloc((size_t)n, sizeof *f->panel));
	for (int i = 0; fine && i < n; i++) {
		f->panels = i + 1;
		fine = copy_panel(&f->panel[i], &p[i]);
	}
	if (fine)
		return f;
	bl_figure_free(f);
	return bl_fail_null("no memory for a figure");
}

bl_figure *bl_figure_lines(const bl_series *series, int n, const bl_axes *axes)
{
	return bl_figure_panels(&(bl_panel){ series, n, *axes }, 1);
}

/* --- Matrices beside each other ------------------------------------------------------ */

bl_figure *bl_figure_beside(bl_figure **f, int n)
{
	bool fine = n >= 2 && n <= MAX_PANELS;
	if (!fine)
		bl_fail("2 to %d matrices can be beside each other, not %d", MAX_PANELS, n);
	for (int i = 0; fine && i < n; i++) {
		bool matrix = f[i] && f[i]->kind == BL_FIGURE_MATRIX && !f[i]->parts;
		if (f[i] && !matrix)
			bl_fail("only matrices can be beside each other: figure %d is not a matrix", i + 1);
		fine = matrix;
	}
	bl_figure *whole = fine ? bl_figure_new(BL_FIGURE_MATRIX, NULL) : NULL;
	if (whole && !(whole->part = calloc((size_t)n, sizeof(bl_figure *)))) {
		bl_figure_free(whole);
		whole = bl_fail_null("no memory for a figure");
	}
	/* All matrices get the same scale: the one with the highest level of chance. */
	bl_scale scale = whole ? f[0]->matrix.scale : (bl_scale){ 0 };
	for (int i = 1; whole && i < n; i++)
		if (f[i]->matrix.scale.chance > scale.chance)
			scale = f[i]->matrix.scale;
	for (int i = 0; i < n; i++) {
		if (!whole) {
			bl_figure_free(f[i]);
			continue;
		}
		f[i]->matrix.scale = scale;
		whole->part[whole->parts++] = f[i];
	}
	return whole;
}

/* --- Contents ------------------------------------------------------------------------ */

int bl_figure_panels_of(const bl_figure *f, const bl_panel **panels)
{
	*panels = f->panel;
	return f->panels;
}

int bl_figure_parts(const bl_figure *f)
{
	return f->parts ? f->parts : 1;
}

const bl_figure *bl_figure_part(const bl_figure *f, int i)
{
	return f->parts ? f->part[i] : f;
}

const float *bl_figure_dots(const bl_figure *f, int64_t *rows, int64_t *cols, bl_extent *dims, bl_scale *scale)
{
	*rows = f->matrix.rows;
	*cols = f->matrix.cols;
	*dims = f->matrix.dims;
	*scale = f->matrix.scale;
	return f->matrix.dot;
}

const char *bl_figure_title(const bl_figure *f)
{
	return f->kind == BL_FIGURE_PANELS ? f->panel[0].axes.title : f->title;
}
