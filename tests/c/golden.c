/* SPDX-License-Identifier: GPL-3.0-or-later */
/* golden.c: compares frames of the screen with stored frames. */
#include "golden.h"

#include <barlow/error.h>
#include <barlow/file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_of_difference(const char *a, const char *b)
{
	int line = 1;
	for (; *a && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

void golden_compare(const char *name, const char *text)
{
	char path[128];
	size_t n;
	snprintf(path, sizeof path, "tests/term/golden/%s.txt", name);
	if (getenv("UPDATE_GOLDEN"))
		support_write(support_source(path), text, strlen(text));
	char *want = bl_file_read(support_source(path), &n);
	if (!want)
		fail_msg("%s", bl_error());
	bool same = n == strlen(text) && memcmp(want, text, n) == 0;
	if (!same) {
		want = realloc(want, n + 1);
		want[n] = '\0';
		printf("# this is drawn:\n%s\n", text); /* cmocka's functions would truncate it and omit the failure */
		fflush(stdout);
		fail_msg("%s differs from line %d on", path, line_of_difference(want, text));
	}
	free(want);
}

/* --- Colours ----------------------------------------------------------------- */

static void write_colour(FILE *f, int32_t rgb, bool background)
{
	if (rgb == BL_COLOUR_OWN)
		fprintf(f, "\033[%dm", background ? 49 : 39);
	else
		fprintf(f, "\033[%d;5;%dm", background ? 48 : 38, bl_colour_256(rgb));
}

/* Writes only the attributes that differ from those of the previous cell; a blank keeps the previous foreground colour. */
static void write_cell(FILE *f, const bl_screen_cell *cell, bl_screen_cell *pen)
{
	char bytes[4];
	int32_t fg = cell->glyph == ' ' ? pen->fg : cell->fg;
	if (cell->bold != pen->bold)
		fprintf(f, "\033[%dm", cell->bold ? 1 : 22);
	if (fg != pen->fg)
		write_colour(f, fg, false);
	if (cell->bg != pen->bg)
		write_colour(f, cell->bg, true);
	fwrite(bytes, 1, (size_t)bl_canvas_encode(cell->glyph, bytes), f);
	*pen = (bl_screen_cell){ cell->glyph, fg, cell->bg, cell->bold };
}

static char *coloured(const bl_canvas *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	assert_non_null(f);
	for (int y = 0; y < c->height; y++) {
		bl_screen_cell pen = { ' ', BL_COLOUR_OWN, BL_COLOUR_OWN, false };
		for (int x = 0; x < c->width; x++)
			write_cell(f, bl_canvas_cell(c, x, y), &pen);
		fputs("\033[m\n", f);
	}
	assert_int_equal(fclose(f), 0);
	return text;
}

void golden_compare_canvas(const char *name, const bl_canvas *c)
{
	char *text = c->can.depth == BL_DEPTH_MONO ? bl_canvas_string(c) : coloured(c);
	assert_non_null(text);
	golden_compare(name, text);
	free(text);
}
