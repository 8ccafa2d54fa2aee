/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What gnuplot is told, put together piece by piece. */
#include "figure/script.h"

#include <barlow/number.h>
#include <barlow/text.h>

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

/*
 * As one expression: in single quotes gnuplot takes everything as it is; an apostrophe, which ends them, stands in double
 * quotes between two pieces.  (Doubled, as gnuplot has it too, it fails at the beginning of a text.)
 */
void bl_script_quoted(bl_script *s, const char *text)
{
	size_t n = bl_text_clean(NULL, 0, text ? text : "", true) + 1;
	char *clean = malloc(n);
	if (!clean) {
		fputs("''", s->out);
		return;
	}
	bl_text_clean(clean, n, text ? text : "", true);
	fputc('\'', s->out);
	for (const char *c = clean; *c; c++) {
		if (*c == '\'')
			fputs("'.\"'\".'", s->out);
		else
			fputc(*c == '\n' || *c == '\t' ? ' ' : *c, s->out);
	}
	fputc('\'', s->out);
	free(clean);
}

static void number(bl_script *s, double v)
{
	if (fabs(v) < BL_SCRIPT_MOST)
		fprintf(s->out, "%.9g", v);
	else
		fputs("NaN", s->out);
}

void bl_script_block(bl_script *s, const char *name, const double *const *columns, int many, int64_t n)
{
	fprintf(s->out, "$%s << EOD\n", name);
	for (int64_t i = 0; i < n; i++)
		for (int k = 0; k < many; k++) {
			number(s, columns[k][i]);
			fputc(k + 1 < many ? ' ' : '\n', s->out);
		}
	/* gnuplot refuses an empty block. */
	fputs(n ? "EOD\n" : "NaN NaN\nEOD\n", s->out);
}

/* 1, 2 or 5 times a power of ten, at least `step`. */
static double round_step(double step)
{
	double power = pow(10, floor(log10(step)));
	return step <= power ? power : step <= 2 * power ? 2 * power : step <= 5 * power ? 5 * power : 10 * power;
}

static void add_even_tics(bl_script *s, double lo, double hi)
{
	double step = hi > lo ? round_step((hi - lo) / 5) : round_step(lo / 2);
	long long first = (long long)floor(lo / step), last = (long long)ceil(hi / step);
	const char *comma = "";
	for (long long k = first > 0 ? first : 1; k <= last; k++, comma = ", ")
		bl_script_add(s, "%s%.9g", comma, (double)k * step);
}

static void add_decade_tics(bl_script *s, double lo, double hi)
{
	const char *comma = "";
	for (double power = pow(10, floor(log10(lo))); power <= hi; power *= 10)
		for (int digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3, comma = ", ")
			bl_script_add(s, "%s%.9g", comma, digit * power);
}

void bl_script_log_axis(bl_script *s, char axis, double lo, double hi)
{
	bl_script_add(s, "set logscale %c\nset format %c '%%g'\n", axis, axis);
	if (!(lo > 0) || !(hi >= lo) || !isfinite(hi) || hi / lo >= 1000)
		return;
	/* gnuplot would go on to the next power of ten on both sides. */
	double room = fmax(pow(hi / lo, .04), 1.02);
	bl_script_add(s, "set %crange [%.9g:%.9g]\nset %ctics (", axis, lo / room, hi * room, axis);
	if (hi / lo < 6)
		add_even_tics(s, lo, hi);
	else
		add_decade_tics(s, lo, hi);
	bl_script_add(s, ")\n");
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
