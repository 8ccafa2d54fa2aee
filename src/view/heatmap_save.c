/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heatmap as files: pictures by gnuplot, and the cells themselves for other programs. */
#include "view/export.h"
#include "view/heatmap.h"

#include <barlow/file.h>
#include <barlow/number.h>

#include <stdio.h>
#include <stdlib.h>

enum { PATH = 256 };

static const float *values(const bl_scene *s)
{
	return s->heat.extreme ? s->look->shown.extreme : s->look->shown.mean;
}

static void name_file(char out[PATH], const char *stem, const char *ending)
{
	snprintf(out, PATH, "%s.%s", stem, ending);
}

/* Column j and row i are named by the first dims behind them. */
static char *csv_text(const bl_scene *s, size_t *n)
{
	const bl_picture *p = &s->look->shown;
	const float *v = values(s);
	char *text = NULL;
	FILE *f = open_memstream(&text, n);
	if (!f)
		return bl_fail_null("no memory for the numbers of the heatmap");
	bl_point *before = bl_number_point();
	fputs("dim", f);
	for (int j = 0; j < p->cells; j++)
		fprintf(f, ",%d", p->dim[1][j]);
	for (int i = 0; i < p->cells; i++) {
		fprintf(f, "\n%d", p->dim[0][i]);
		for (int j = 0; j < p->cells; j++)
			fprintf(f, ",%.9g", v[i * p->cells + j]);
	}
	fputc('\n', f);
	bl_number_unpoint(before);
	bool failed = ferror(f);
	if (fclose(f) == 0 && !failed)
		return text;
	free(text);
	return bl_fail_null("no memory for the numbers of the heatmap");
}

static int save_csv(const bl_scene *s, const char *stem)
{
	char path[PATH];
	size_t n;
	name_file(path, stem, "csv");
	char *text = csv_text(s, &n);
	int rc = text ? bl_file_write_atomic(path, text, n) : -1;
	free(text);
	return rc;
}

static void name_figure(const bl_scene *s, char out[PATH])
{
	const bl_picture *p = &s->look->shown;
	int n = snprintf(out, PATH, "%s%s, %s, step %lld", s->look->differs ? "change of " : "",
			 bl_heatmap_name(s->look, p), s->info.name, (long long)p->step);
	if (s->look->differs)
		n += snprintf(out + n, PATH - (size_t)n, " minus step %lld", (long long)s->look->reference.step);
	if (p->part.order != BL_ORDER_PLAIN)
		n += snprintf(out + n, PATH - (size_t)n, ", dims by %s",
			      p->part.order == BL_ORDER_DIAGONAL ? "C_ii" : "cluster");
	if (p->cells < p->part.rows)
		n += snprintf(out + n, PATH - (size_t)n, ", a cell is the %s of %.3g x %.3g dims",
			      s->heat.extreme ? "largest" : "mean", (double)p->part.rows / p->cells,
			      (double)p->part.cols / p->cells);
	if (s->heat.extreme && p->share < 1)
		snprintf(out + n, PATH - (size_t)n, ", %.2g%% of which were looked at", 100 * p->share);
}

static int save_figures(const bl_scene *s, const bl_tensor *t, const char *stem)
{
	const bl_region *r = &s->look->shown.part;
	char title[PATH];
	name_figure(s, title);
	bl_figure *f = bl_figure_heatmap_of(t, title, &(bl_extent){r->row, r->rows, r->col, r->cols});
	int rc = bl_export_figure(f, stem);
	bl_figure_free(f);
	return rc;
}

/* Numbers first: they need no other program. */
int bl_heatmap_save(bl_scene *s, const char *stem)
{
	const bl_picture *p = &s->look->shown;
	char path[PATH];
	bl_look_take(s->look, bl_heatmap_snapshot(s));
	if (p->step < 0)
		return bl_fail("there is no snapshot yet");
	bl_tensor *t = bl_tensor_from(2, (int64_t[]){p->cells, p->cells}, values(s));
	name_file(path, stem, "npy");
	int rc = t && bl_npy_save(path, t) == 0 ? save_csv(s, stem) : -1;
	if (rc == 0 && save_figures(s, t, stem) == 0)
		bl_scene_notice(s, "%s.png, .svg, .csv, .npy", stem);
	else if (rc == 0)
		bl_scene_notice(s, "%s.csv, .npy; no picture: %s", stem, bl_error());
	bl_tensor_unref(t);
	return rc;
}
