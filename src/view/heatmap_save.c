/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heatmap_save.c: saves the heatmap: pictures made by gnuplot, and the values of the cells for other programs. */
#include "view/export.h"
#include "view/heatmap.h"

#include <stdio.h>

enum { PATH = 256 };

/* Writes the values of the cells; columns and rows are named by their first dimensions, counted from 1. */
static void write_cells(const bl_scene *s, FILE *f)
{
	const bl_picture *p = &bl_heatmap_look(s)->shown;
	bl_heat_source m = bl_picture_source(p);
	fputs("dim", f);
	for (int j = 0; j < p->cells; j++)
		fprintf(f, ",%d", p->dim[1][j] + 1);
	for (int i = 0; i < p->cells; i++) {
		fprintf(f, "\n%d", p->dim[0][i] + 1);
		for (int j = 0; j < p->cells; j++)
			fprintf(f, ",%.9g", (double)(float)bl_heat_cell(&m, i, j, bl_heat_pool(&m, s->heat)));
	}
	fputc('\n', f);
}

/* The title of the figure: the matrix, the run, the step, and how the cells were computed. */
static void name_figure(const bl_scene *s, char out[PATH])
{
	const bl_picture *p = &bl_heatmap_look(s)->shown;
	int n = snprintf(out, PATH, "%s%s, %s, step %lld", bl_heatmap_look(s)->differs ? "change of " : "",
	                 bl_heatmap_name(bl_heatmap_look(s), p), s->info.name, (long long)p->step);
	if (bl_heatmap_look(s)->differs)
		n += snprintf(out + n, PATH - (size_t)n, " minus step %lld", (long long)bl_heatmap_look(s)->reference.step);
	if (p->part.order != BL_ORDER_PLAIN)
		n += snprintf(out + n, PATH - (size_t)n, ", dims by %s", p->part.order == BL_ORDER_DIAGONAL ? "C_ii" : "cluster");
	static const char *const pools[BL_POOLS] = { "rms", "mean", "largest" };
	bl_heat_source m = bl_picture_source(p);
	bl_pool pool = bl_heat_pool(&m, s->heat);
	if (p->cells < p->part.rows)
		n += snprintf(out + n, PATH - (size_t)n, ", a cell is the %s of %.3g x %.3g dims", pools[pool],
		              (double)p->part.rows / p->cells, (double)p->part.cols / p->cells);
	if (pool == BL_POOL_LARGEST && p->sample.largest < 1)
		snprintf(out + n, PATH - (size_t)n, ", computed from %.2g%% of them", 100 * p->sample.largest);
	if (pool == BL_POOL_RMS && p->sample.rms < 1)
		snprintf(out + n, PATH - (size_t)n, " ±%.2g%%", 100 * p->sample.error);
}

static int save_figures(const bl_scene *s, const bl_tensor *t, const char *stem)
{
	const bl_picture *p = &bl_heatmap_look(s)->shown;
	const bl_region *r = &p->part;
	bl_heat_source m = bl_picture_source(p);
	bl_heat_fit fit = { .dims_x = (double)r->cols / p->cells, .dims_y = (double)r->rows / p->cells }; /* a dot per cell */
	bl_scale scale = bl_heat_scale_of(fit, &m, s->heat);
	char title[PATH];
	name_figure(s, title);
	bl_figure *f = bl_figure_heatmap_of(t, title, &(bl_extent){ r->row + 1, r->rows, r->col + 1, r->cols }, scale);
	int rc = bl_export_figure(f, stem);
	bl_figure_free(f);
	return rc;
}

/*
 * Saves the values of the cells that determine their colours, and pictures.  The values are saved first, since they need no
 * other program.
 */
int bl_heatmap_save(bl_scene *s, const char *stem)
{
	const bl_picture *p = &bl_heatmap_look(s)->shown;
	char path[PATH];
	bl_look_take(bl_heatmap_look(s), bl_heatmap_snapshot(s));
	if (p->step < 0)
		return bl_fail("there is no snapshot yet");
	bl_heat_source m = bl_picture_source(p);
	bl_tensor *t = bl_tensor_new(2, (int64_t[]){ m.cells, m.cells });
	for (int k = 0; t && k < m.cells * m.cells; k++)
		bl_tensor_data(t)[k] = (float)bl_heat_cell(&m, k / m.cells, k % m.cells, bl_heat_pool(&m, s->heat));
	snprintf(path, sizeof path, "%s.npy", stem);
	int rc = t && bl_npy_save(path, t) == 0 ? bl_export_table(s, stem, write_cells) : -1;
	if (rc == 0 && save_figures(s, t, stem) == 0)
		bl_scene_notice(s, "%s.png, .svg, .csv, .npy", stem);
	else if (rc == 0)
		bl_scene_notice(s, "%s.csv, .npy; no picture: %s", stem, bl_error());
	bl_tensor_unref(t);
	return rc;
}
