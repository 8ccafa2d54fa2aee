/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A figure into a file: the ending says the format. */
#include "figure/gnuplot.h"
#include "figure/script.h"

#include <barlow/file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIXELS_PER_INCH = 150, TERMINAL_TEXT = 200 };

static int name_terminal(const char *ending, const bl_figure *f, char out[TERMINAL_TEXT])
{
	if (!strcasecmp(ending, ".png"))
		return snprintf(out, TERMINAL_TEXT, "set terminal pngcairo noenhanced font 'Sans,13' size %d, %d\n",
				f->width, f->height);
	if (!strcasecmp(ending, ".svg"))
		return snprintf(out, TERMINAL_TEXT,
				"set terminal svg noenhanced font 'sans-serif,16' size %d, %d background '#ffffff'\n",
				f->width, f->height);
	if (!strcasecmp(ending, ".pdf"))
		return snprintf(out, TERMINAL_TEXT,
				"set terminal pdfcairo noenhanced font 'Sans,9' size %d.%02din, %d.%02din\n",
				f->width / PIXELS_PER_INCH, f->width % PIXELS_PER_INCH * 100 / PIXELS_PER_INCH,
				f->height / PIXELS_PER_INCH, f->height % PIXELS_PER_INCH * 100 / PIXELS_PER_INCH);
	return -1;
}

int bl_figure_save(const bl_figure *f, const char *path)
{
	char terminal[TERMINAL_TEXT];
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	void *picture;
	size_t n;
	if (name_terminal(dot ? dot : "", f, terminal) < 0)
		return bl_fail("%s: a figure's name ends in .svg, .png or .pdf", path);
	bl_piece pieces[] = {{terminal, strlen(terminal)}, {f->script, f->n}};
	if (bl_gnuplot_run(pieces, 2, &picture, &n) < 0)
		return bl_fail_prefix("%s: ", path);
	int rc = bl_file_write_atomic(path, picture, n);
	free(picture);
	return rc;
}
