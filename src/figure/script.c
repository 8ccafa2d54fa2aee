/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What gnuplot is told, put together piece by piece. */
#include "figure/script.h"

#include <barlow/number.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct bl_script {
	FILE *out;
	char *text;
	size_t n;
	int width, height;
	bl_point *before; /* figures are made in one go, by one thread */
};

static const char look[] = "set encoding utf8\n"
			   "set border 3 linecolor rgb '#505050' linewidth 1\n"
			   "set tics nomirror out scale .6 textcolor rgb '#303030'\n"
			   "set grid linecolor rgb '#e2e2e2' linewidth 1 linetype 1\n"
			   "set key noenhanced samplen 2 spacing 1.2\n"
			   "set datafile missing NaN\n";

const char *bl_ink_text(int k)
{
	static const char *const inks[BL_INKS] = {
		[BL_INK_BLUE] = "#0072b2",   [BL_INK_VERMILION] = "#d55e00", [BL_INK_GREEN] = "#009e73",
		[BL_INK_PURPLE] = "#cc79a7", [BL_INK_ORANGE] = "#e69f00",    [BL_INK_SKY] = "#56b4e9",
		[BL_INK_BLACK] = "#202020",
	};
	return inks[k % BL_INKS];
}

static void drop(bl_script *s)
{
	bl_number_unpoint(s->before);
	free(s);
}

bl_script *bl_script_new(int width, int height)
{
	bl_script *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("no memory for a figure");
	s->width = width;
	s->height = height;
	s->before = bl_number_point();
	s->out = open_memstream(&s->text, &s->n);
	if (!s->out) {
		drop(s);
		return bl_fail_null("no memory for a figure");
	}
	fputs(look, s->out);
	return s;
}

void bl_script_add(bl_script *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfprintf(s->out, fmt, ap);
	va_end(ap);
}

void bl_script_bytes(bl_script *s, const void *bytes, size_t n)
{
	fwrite(bytes, 1, n, s->out);
}

void bl_script_quoted(bl_script *s, const char *text)
{
	fputc('\'', s->out);
	for (const char *c = text ? text : ""; *c; c++) {
		bool control = (unsigned char)*c < ' ' || *c == 0x7f;
		if (*c == '\'')
			fputc('\'', s->out);
		fputc(control ? ' ' : *c, s->out);
	}
	fputc('\'', s->out);
}

static void number(bl_script *s, double v)
{
	if (isfinite(v))
		fprintf(s->out, "%.9g", v);
	else
		fputs("NaN", s->out);
}

void bl_script_block(bl_script *s, const char *name, const double *x, const double *y, int64_t n)
{
	fprintf(s->out, "$%s << EOD\n", name);
	for (int64_t i = 0; i < n; i++) {
		number(s, x[i]);
		fputc(' ', s->out);
		number(s, y[i]);
		fputc('\n', s->out);
	}
	/* gnuplot refuses an empty block. */
	fputs(n ? "EOD\n" : "NaN NaN\nEOD\n", s->out);
}

bl_figure *bl_script_figure(bl_script *s)
{
	bl_figure *f = malloc(sizeof *f);
	bool failed = ferror(s->out) != 0;
	failed |= fclose(s->out) != 0;
	if (f && !failed)
		*f = (bl_figure){s->text, s->n, s->width, s->height};
	else
		free(s->text);
	drop(s);
	if (!failed && f)
		return f;
	free(f);
	return bl_fail_null("no memory for a figure");
}

void bl_figure_free(bl_figure *f)
{
	if (!f)
		return;
	free(f->script);
	free(f);
}
