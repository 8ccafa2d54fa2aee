/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export.c: saves what the screen shows as files in the current folder. */
#include "view/export.h"
#include "base/text_stream.h"

#include <barlow/file.h>
#include <barlow/number.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEM = 128 };

/* A run's name comes from a file and must not lead to another folder. */
static void name_stem(const bl_scene *s, char out[STEM])
{
	char run[sizeof s->info.name];
	snprintf(run, sizeof run, "%s", s->info.name[0] ? s->info.name : "run");
	for (char *p = run; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			*p = '-';
	int64_t step = s->view->step ? s->view->step(s) : s->info.step;
	snprintf(out, STEM, "barlow-%s-%s-%lld", run, s->view->name, (long long)step);
}

void bl_export_view(bl_scene *s)
{
	char stem[STEM];
	name_stem(s, stem);
	if (!s->view->save)
		bl_scene_notice(s, "%s has nothing to export; s saves the screen as text", s->view->name);
	else if (s->view->save(s, stem) < 0)
		bl_scene_notice(s, "not exported: %s", bl_error());
}

int bl_export_figure(const bl_figure *f, const char *stem)
{
	static const char *const endings[] = { "png", "svg" };
	char path[STEM + 8];
	int rc = f ? 0 : -1;
	for (int k = 0; k < 2 && rc == 0; k++) {
		snprintf(path, sizeof path, "%s.%s", stem, endings[k]);
		rc = bl_figure_save(f, path);
	}
	return rc;
}

int bl_export_table(const bl_scene *s, const char *stem, void (*write)(const bl_scene *s, FILE *f))
{
	char path[STEM + 8], *text = NULL;
	size_t n = 0;
	FILE *f = bl_text_stream_begin(&text, &n);
	if (!f)
		return bl_fail("no memory for the numbers");
	bl_point *before = bl_number_point();
	write(s, f);
	bl_number_unpoint(before);
	snprintf(path, sizeof path, "%s.csv", stem);
	int rc = bl_text_stream_end(f, &text) ? bl_file_write_atomic(path, text, n) : bl_fail("no memory for the numbers");
	free(text);
	return rc;
}

void bl_export_field(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++)
		fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, f);
	fputc('"', f);
}

/* The table was saved before the picture, since it needs no other program. */
void bl_export_picture(bl_scene *s, const bl_figure *f, const char *stem)
{
	if (bl_export_figure(f, stem) == 0)
		bl_scene_notice(s, "%s.png, .svg, .csv", stem);
	else
		bl_scene_notice(s, "%s.csv; no picture: %s", stem, bl_error());
}

void bl_export_text(bl_scene *s)
{
	char path[STEM + 8];
	name_stem(s, path);
	strcat(path, ".txt");
	char *text = s->on ? bl_canvas_string(s->on) : NULL;
	if (!text)
		bl_scene_notice(s, "there is no screen to save yet");
	else if (bl_file_write_atomic(path, text, strlen(text)) < 0)
		bl_scene_notice(s, "not saved: %s", bl_error());
	else
		bl_scene_notice(s, "the screen was saved as %s", path);
	free(text);
}
