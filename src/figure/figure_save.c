/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure_save.c: saves a figure in a file, in the format of its ending. */
#include "figure/figure.h"
#include "figure/gnuplot.h"
#include "figure/figure_record.h"

#include <barlow/file.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMN_INCHES 3.35
#define TEXT_INCHES 7.
#define DOTS 96. /* dots per inch of a screen */

static int form_of(const char *path, bl_form *form)
{
	static const struct {
		const char *ending;
		bl_form form;
	} all[] = {
		{ ".svg", BL_FORM_SVG }, { ".png", BL_FORM_PNG }, { ".pdf", BL_FORM_PDF },
		{ ".tex", BL_FORM_TEX }, { ".gp", BL_FORM_GP },
	};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	for (size_t i = 0; dot && i < sizeof all / sizeof *all; i++)
		if (!strcasecmp(dot, all[i].ending)) {
			*form = all[i].form;
			return 0;
		}
	return bl_fail("%s: a figure's name ends in .svg, .png, .pdf, .tex or .gp", path);
}

static bl_figure_theme look_of(const bl_figure *f, bl_form form, bl_figure_width width)
{
	bool column = width == BL_FIGURE_COLUMN;
	bl_figure_theme look = {
		.form = form, .column = column, .width = column ? COLUMN_INCHES : TEXT_INCHES, .font = column ? 7.5 : 8.5
	};
	look.height = f->kind == BL_FIGURE_PANELS   ? bl_panels_height(f, &look)
	              : f->kind == BL_FIGURE_MATRIX ? bl_matrix_height(f, &look)
	                                            : bl_pixels_height(f, &look);
	return look;
}

static char *script_of(const bl_figure *f, const bl_figure_theme *look, size_t *n)
{
	bl_script *s = bl_script_new(look);
	if (!s)
		return NULL;
	if (f->kind == BL_FIGURE_PANELS)
		bl_panels_draw(s, f);
	else if (f->kind == BL_FIGURE_MATRIX)
		bl_matrix_draw(s, f);
	else
		bl_pixels_draw(s, f);
	return bl_script_end(s, n);
}

/* Returns the picture that gnuplot draws from the script; for .gp, the script itself. */
static void *draw(const bl_figure *f, const bl_figure_theme *look, size_t *n)
{
	char *script = script_of(f, look, n);
	void *picture = script;
	if (script && look->form != BL_FORM_GP) {
		int rc = bl_gnuplot_run(&(bl_piece){ script, *n }, 1, &picture, n);
		free(script);
		picture = rc < 0 ? NULL : picture;
	}
	return picture;
}

int bl_figure_save_as(const bl_figure *f, const char *path, const bl_figure_style *style)
{
	bl_form form = BL_FORM_SVG;
	size_t n;
	if (form_of(path, &form) < 0)
		return -1;
	bl_figure_theme look = look_of(f, form, style->width);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *output = form == BL_FORM_GP ? malloc(strlen(name) + 8) : NULL;
	/* A script writes to the current folder; "./" prevents gnuplot from running a name "|program" as a pipe. */
	if (output)
		sprintf(output, "./%s.svg", name);
	look.output = output;
	void *picture = draw(f, &look, &n), *whole = picture;
	free(output);
	if (picture && style->record) {
		whole = bl_record_put(form, picture, &n, style->record);
		free(picture);
	}
	if (!whole)
		return bl_fail_prefix("%s: ", path);
	int rc = bl_file_write_atomic(path, whole, n);
	free(whole);
	return rc;
}

int bl_figure_save(const bl_figure *f, const char *path)
{
	return bl_figure_save_as(f, path, &(bl_figure_style){ .width = BL_FIGURE_TEXT });
}

char *bl_figure_text(const bl_figure *f, const char *path, bl_figure_width width)
{
	bl_form form = BL_FORM_SVG;
	size_t n;
	if (form_of(path, &form) < 0)
		return NULL;
	bl_figure_theme look = look_of(f, form, width);
	return script_of(f, &look, &n);
}

char *bl_figure_sixels(const bl_figure *f, int width, int height, size_t *n)
{
	bl_figure_theme look = look_of(f, BL_FORM_SIXEL, BL_FIGURE_TEXT);
	look.width = width / DOTS;
	look.height = fmin(look.height, height / DOTS);
	if (f->kind == BL_FIGURE_PANELS ? f->panel[0].axes.equal : !f->parts)
		look.width = fmin(look.width, 1.4 * look.height);
	return draw(f, &look, n);
}
