/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gnuplot_script.c: builds gnuplot scripts (gnuplot_script.h). */
#include "figure/gnuplot_script.h"
#include "base/text_stream.h"

#include <barlow/number.h>
#include <barlow/text.h>

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bl_script {
	FILE *out;
	char *text;
	size_t n;
	const bl_figure_theme *look;
	bl_point *before; /* the thread's locale is changed until bl_script_end, so that numbers have a decimal point */
};

enum { SVG_DOTS = 96, PNG_DOTS = 300 }; /* per inch */
enum { TICS_MOST = 32 };
/* Bounds of hi / lo of a logarithmic axis: below LOG_SHORT, ticks are at even steps; from LOG_LONG on, at powers of ten. */
enum { LOG_SHORT = 6, LOG_LONG = 1000 };

static const char shared[] =
	"set encoding utf8\n"
	"set border 3 linecolor rgb '#404040' linewidth .8\n"
	"set tics nomirror out scale .6, .35 textcolor rgb '#202020'\n"
	"set mxtics 2\nset mytics 2\n"
	"set grid linecolor rgb '#e4e4e4' linewidth .6 linetype 1\n"
	"set datafile missing NaN\n"
	"set errorbars small\n";

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

static void add_terminal(bl_script *s)
{
	const bl_figure_theme *l = s->look;
	switch (l->form) {
	case BL_FORM_SVG:
	case BL_FORM_GP:
		fprintf(s->out, "set terminal svg noenhanced font 'sans-serif,%.9g' size %.0f, %.0f background '#ffffff'\n",
		        l->font * SVG_DOTS / 72, l->width * SVG_DOTS, l->height * SVG_DOTS);
		break;
	case BL_FORM_PNG:
		fprintf(s->out,
		        "set terminal pngcairo noenhanced font 'Sans,%.9g' fontscale %.9g linewidth %.9g pointscale %.9g size %.0f, %.0f\n",
		        l->font, (double)PNG_DOTS / SVG_DOTS, PNG_DOTS / 72., PNG_DOTS / 72., l->width * PNG_DOTS,
		        l->height * PNG_DOTS);
		break;
	case BL_FORM_PDF:
		fprintf(s->out,
		        "set terminal pdfcairo noenhanced font 'Sans,%.9g' fontscale .75 linewidth 1.3 pointscale 1.4 size %.9gin, %.9gin\n",
		        l->font, l->width, l->height);
		break;
	case BL_FORM_TEX:
		fprintf(s->out, "set terminal pict2e color size %.9gin, %.9gin font ',%.9g'\n", l->width, l->height, l->font);
		break;
	case BL_FORM_SIXEL:
		fprintf(s->out, "set terminal sixelgd noenhanced truecolor font ',%.9g' size %.0f, %.0f\n", l->font * 4 / 3,
		        l->width * SVG_DOTS, l->height * SVG_DOTS);
		break;
	}
	if (!l->output)
		return;
	fputs("set output ", s->out);
	bl_script_quoted(s, l->output);
	fputc('\n', s->out);
}

bl_script *bl_script_new(const bl_figure_theme *look)
{
	bl_script *s = calloc(1, sizeof *s);
	if (!s)
		return bl_fail_null("no memory for a figure");
	s->look = look;
	s->before = bl_number_point();
	s->out = bl_text_stream_begin(&s->text, &s->n);
	if (!s->out) {
		drop(s);
		return bl_fail_null("no memory for a figure");
	}
	add_terminal(s);
	fputs(shared, s->out);
	/* gnuplot does not know the size of TeX's letters well, so labels get more room. */
	fputs(look->form == BL_FORM_TEX ? "set key noenhanced samplen 1.8 spacing 1.7 width 3\n"
	                                : "set key noenhanced samplen 1.8 spacing 1.1\n",
	      s->out);
	return s;
}

const bl_figure_theme *bl_script_style(const bl_script *s)
{
	return s->look;
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

/* Escapes TeX's special characters, and replaces those that plain LaTeX does not have. */
static void put_tex(FILE *out, uint32_t u, const char *bytes, int n)
{
	static const struct {
		uint32_t u;
		const char *tex;
	} words[] = {
		{ '\\', "\\textbackslash{}" },
		{ '~', "\\textasciitilde{}" },
		{ '^', "\\textasciicircum{}" },
		{ '{', "\\{" },
		{ '}', "\\}" },
		{ '$', "\\$" },
		{ '&', "\\&" },
		{ '#', "\\#" },
		{ '_', "\\_" },
		{ '%', "\\%" },
		{ '<', "$<$" },
		{ '>', "$>$" },
		{ '|', "$|$" },
		{ '"', "\\textquotedbl{}" },
		{ '`', "\\textasciigrave{}" },
		{ '-', "{-}" },
		{ 0xb1, "$\\pm$" },
		{ 0xb7, "$\\cdot$" },
		{ 0xd7, "$\\times$" },
		{ 0x2026, "\\dots{}" },
		{ 0x3bb, "$\\lambda$" },
		{ 0x3bc, "$\\mu$" },
		{ 0x3c3, "$\\sigma$" },
		{ 0x3c4, "$\\tau$" },
		{ 0x3b1, "$\\alpha$" },
		{ 0x3b2, "$\\beta$" },
		{ 0x3b3, "$\\gamma$" },
		{ 0x3b5, "$\\epsilon$" },
		{ 0x3b7, "$\\eta$" },
		{ 0x3a3, "$\\Sigma$" },
		{ 0x394, "$\\Delta$" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].u == u) {
			fputs(words[i].tex, out);
			return;
		}
	fwrite(bytes, 1, (size_t)n, out);
}

/*
 * Writes a text as an expression.  In single quotes gnuplot does not interpret anything.  An apostrophe, which would end the
 * quotes, is written in double quotes between two quoted pieces.  (gnuplot also has doubled apostrophes, but they fail at
 * the beginning of a text.)  A line end, which bl_script_fitted makes, is written as gnuplot or TeX expects it.
 */
static void quote(bl_script *s, const char *clean)
{
	bool stack = s->look->form == BL_FORM_TEX && strchr(clean, '\n');
	fputs(stack ? "'\\shortstack{" : "'", s->out);
	for (const char *c = clean; *c;) {
		const char *from = c;
		uint32_t u = bl_text_next(&c);
		if (u == '\'')
			fputs("'.\"'\".'", s->out);
		else if (u == '\n')
			fputs(stack ? "\\\\" : "'.\"\\n\".'", s->out);
		else if (s->look->form == BL_FORM_TEX)
			put_tex(s->out, u, from, (int)(c - from));
		else
			fwrite(from, 1, (size_t)(c - from), s->out);
	}
	fputs(stack ? "}'" : "'", s->out);
}

/* A new string: the text sanitised (text.h), in one line; NULL: no memory. */
static char *one_line(const char *text)
{
	size_t n = bl_text_clean(NULL, 0, text ? text : "", true) + 1;
	char *clean = malloc(n);
	if (!clean)
		return NULL;
	bl_text_clean(clean, n, text ? text : "", true);
	for (char *c = clean; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	return clean;
}

void bl_script_quoted(bl_script *s, const char *text)
{
	char *clean = one_line(text);
	quote(s, clean ? clean : "");
	free(clean);
}

/* --- Texts that fit ------------------------------------------------------------------ */

/* A letter of a sans-serif font is about .52 of the font's size wide. */
int bl_look_columns(const bl_figure_theme *look, double inches)
{
	int n = (int)(inches * 72 / (.52 * look->font));
	return n < 4 ? 4 : n;
}

double bl_look_line(const bl_figure_theme *look)
{
	return look->font * 1.35 / 72;
}

static int count_columns(const char *text)
{
	int n = 0;
	while (*text) {
		bl_text_next(&text);
		n++;
	}
	return n;
}

/* The end of a line of at most `columns`: at its last blank, or inside a longer word.  *full: more text follows. */
static const char *line_end(const char *text, int columns, bool *full)
{
	const char *at = text, *blank = NULL;
	for (int n = 0; *at && n < columns; n++) {
		blank = *at == ' ' ? at : blank;
		bl_text_next(&at);
	}
	*full = *at != '\0';
	return !*full || *at == ' ' || !blank || blank == text ? at : blank;
}

/* Breaks `text` into at most `most` lines in out, which has 2 strlen(text) + 8 bytes; returns their number. */
static int wrap(const char *text, int columns, int most, char *out)
{
	int lines = 1;
	bool full = true;
	for (;; lines++) {
		const char *end = line_end(text, lines == most ? columns - 1 : columns, &full);
		if (lines == most && count_columns(text) <= columns)
			end = text + strlen(text), full = false;
		out += sprintf(out, "%.*s", (int)(end - text), text);
		text = *end == ' ' ? end + 1 : end;
		if (!full || lines == most)
			break;
		*out++ = '\n';
	}
	strcpy(out, full ? "…" : "");
	return lines;
}

/* Sets *out to the text in at most `most` lines of this width, or to NULL without memory; returns the number of lines. */
static int fit(const bl_figure_theme *look, const char *text, double inches, int most, char **out)
{
	char *clean = one_line(text);
	*out = clean ? malloc(2 * strlen(clean) + 8) : NULL;
	int lines = *out && *clean ? wrap(clean, bl_look_columns(look, inches), most, *out) : 0;
	if (*out && !*clean)
		**out = '\0';
	free(clean);
	return lines;
}

int bl_look_lines(const bl_figure_theme *look, const char *text, double inches, int most)
{
	char *fitted;
	int lines = fit(look, text, inches, most, &fitted);
	free(fitted);
	return lines;
}

void bl_script_fitted(bl_script *s, const char *text, double inches, int most)
{
	char *fitted;
	fit(s->look, text, inches, most, &fitted);
	quote(s, fitted ? fitted : "");
	free(fitted);
}

void bl_script_stacked(bl_script *s, const char *const *text, int n, double inches)
{
	char *all = NULL;
	size_t size;
	FILE *out = bl_text_stream_begin(&all, &size);
	for (int i = 0; out && i < n; i++) {
		char *fitted;
		fit(s->look, text[i], inches, 1, &fitted);
		fprintf(out, "%s%s", i ? "\n" : "", fitted ? fitted : "");
		free(fitted);
	}
	quote(s, bl_text_stream_end(out, &all) ? all : "");
	free(all);
}

/* --- Numbers ------------------------------------------------------------------------- */

static void write_number(bl_script *s, double v)
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
			write_number(s, columns[k][i]);
			fputc(k + 1 < many ? ' ' : '\n', s->out);
		}
	/* gnuplot refuses an empty block. */
	fputs(n ? "EOD\n" : "NaN NaN\nEOD\n", s->out);
}

/* The smallest number of the form 1, 2 or 5 times a power of ten that is at least `step`. */
static double round_step(double step)
{
	double power = pow(10, floor(log10(step)));
	return step <= power ? power : step <= 2 * power ? 2 * power : step <= 5 * power ? 5 * power : 10 * power;
}

/* The step of even ticks on a short logarithmic axis. */
static double even_step(double lo, double hi)
{
	return hi > lo ? round_step((hi - lo) / 5) : round_step(lo / 2);
}

/* Adds ticks with labels at even steps, and a minor tick between each two. */
static void add_even_tics(bl_script *s, double lo, double hi)
{
	double step = even_step(lo, hi);
	long long first = (long long)floor(lo / step), last = (long long)ceil(hi / step);
	const char *comma = "";
	for (long long k = first > 0 ? first : 1; k <= last; k++, comma = ", ") {
		bl_script_add(s, "%s%.9g", comma, (double)k * step);
		bl_script_add(s, ", '' %.9g 1", ((double)k + .5) * step);
	}
}

/* Adds ticks with labels at 1, 2 and 5 of each power of ten, and minor ticks at the other digits. */
static void add_decade_tics(bl_script *s, double lo, double hi)
{
	const char *comma = "";
	for (double power = pow(10, floor(log10(lo))); power <= hi; power *= 10)
		for (int digit = 1; digit <= 9; digit++, comma = ", ")
			bl_script_add(s, digit == 1 || digit == 2 || digit == 5 ? "%s%.9g" : "%s'' %.9g 1", comma, digit * power);
}

void bl_script_few_tics(bl_script *s, char axis, double lo, double hi, int steps)
{
	if (hi > lo)
		bl_script_add(s, "set %ctics %.9g\n", axis, round_step((hi - lo) / steps));
}

void bl_script_log_axis(bl_script *s, char axis, double lo, double hi)
{
	bl_script_add(s, "set logscale %c\nset m%ctics default\nset format %c '%%g'\n", axis, axis, axis);
	if (!(lo > 0) || !(hi >= lo) || !isfinite(hi))
		return;
	/* Sets the range, with a margin: otherwise gnuplot would end the axis at the data or at the next power of ten. */
	double room = fmax(exp((log(hi) - log(lo)) * .04), 1.02);
	bl_script_add(s, "set %crange [%.9g:%.9g]\n", axis, fmax(lo / room, DBL_MIN), fmin(hi * room, DBL_MAX));
	if (hi / lo >= LOG_LONG)
		return;
	bl_script_add(s, "set %ctics (", axis);
	if (hi / lo < LOG_SHORT)
		add_even_tics(s, lo, hi);
	else
		add_decade_tics(s, lo, hi);
	bl_script_add(s, ")\n");
}

static int number_columns(double v)
{
	return snprintf(NULL, 0, "%g", v);
}

static int columns_of_steps(double lo, double hi, double step)
{
	double first = floor(lo / step), n = fmin(ceil(hi / step) - first, TICS_MOST);
	int most = 0;
	for (int k = 0; k <= n; k++)
		most = (int)fmax(most, number_columns((first + k) * step));
	return most;
}

int bl_tics_columns(double lo, double hi, int steps, bool log)
{
	int most = 1;
	if (!(hi >= lo) || !isfinite(hi - lo))
		return most;
	if (!log)
		return hi > lo ? columns_of_steps(lo, hi, round_step((hi - lo) / steps)) : number_columns(lo);
	if (hi / lo < LOG_SHORT)
		return columns_of_steps(lo, hi, even_step(lo, hi));
	for (double power = pow(10, floor(log10(lo))); power <= hi; power *= 10)
		most = (int)fmax(most, number_columns(power));
	return most;
}

char *bl_script_end(bl_script *s, size_t *n)
{
	bool whole = bl_text_stream_end(s->out, &s->text);
	char *text = s->text;
	*n = s->n;
	drop(s);
	return whole ? text : bl_fail_null("no memory for a figure");
}
