/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings.c: the view of the display's settings, each with its value and the key that changes it in other views. */
#include "view/curves.h"

#include <stdio.h>

enum { NAME_COLUMNS = 22, VALUE_COLUMNS = 25 };

struct own {
	int at; /* the selected setting */
};

static struct own *own_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_settings);
}

static const int rates[] = { 2, 5, 10, 20, 30 };
enum { RATES = (int)(sizeof rates / sizeof rates[0]) };

static int wrapped(int v, int by, int n)
{
	return (v + by + n) % n;
}

/* --- Values, and how they change ---------------------------------------------- */

static void write_background(const bl_scene *s, char *out, size_t size)
{
	snprintf(out, size, "%s", s->flip_background ? "the opposite one" : "that of the terminal");
}

static void change_background(bl_scene *s, int by)
{
	(void)by;
	s->flip_background = !s->flip_background;
}

static void write_colours(const bl_scene *s, char *out, size_t size)
{
	static const char *const names[] = { "none", "8", "16", "256", "all available" };
	snprintf(out, size, "%s", names[s->depth_most]);
}

static void change_colours(bl_scene *s, int by)
{
	s->depth_most = (bl_depth)wrapped(s->depth_most, by, BL_DEPTH_FULL + 1);
}

static void write_characters(const bl_scene *s, char *out, size_t size)
{
	snprintf(out, size, "%s", s->ascii ? "ASCII" : "all available");
}

static void change_characters(bl_scene *s, int by)
{
	(void)by;
	s->ascii = !s->ascii;
}

static void write_scale(const bl_scene *s, char *out, size_t size)
{
	snprintf(out, size, "%s", s->heat.symlog ? "logarithmic" : "linear");
}

static void change_scale(bl_scene *s, int by)
{
	(void)by;
	s->heat.symlog = !s->heat.symlog;
}

static void write_pooling(const bl_scene *s, char *out, size_t size)
{
	static const char *const names[BL_POOLS] = { "root mean square", "mean", "largest" };
	snprintf(out, size, "%s", names[s->heat.pool]);
}

static void change_pooling(bl_scene *s, int by)
{
	s->heat.pool = (bl_pool)wrapped((int)s->heat.pool, by, BL_POOLS);
}

static void write_smoothing(const bl_scene *s, char *out, size_t size)
{
	snprintf(out, size, "%.3g", bl_curves_of(s)->smoothing);
}

static void change_smoothing(bl_scene *s, int by)
{
	bl_curves_turn_smoothing(bl_curves_of(s), by);
}

static void write_rate(const bl_scene *s, char *out, size_t size)
{
	if (s->frames_per_s)
		snprintf(out, size, "%d", s->frames_per_s);
	else
		snprintf(out, size, "10 or 30, depending on the view");
}

/* Cycles through the values and 0, with which the rate depends on the view. */
static void change_rate(bl_scene *s, int by)
{
	int k = 0;
	while (k < RATES && rates[k] != s->frames_per_s)
		k++;
	k = wrapped(k, by, RATES + 1);
	s->frames_per_s = k < RATES ? rates[k] : 0;
}

static const struct setting {
	const char *name;
	bl_request key;                                           /* the request that changes it in other views; NONE: none */
	void (*write)(const bl_scene *s, char *out, size_t size); /* writes its value */
	void (*change)(bl_scene *s, int by);                      /* to the next value, or to the previous one (by -1) */
} settings[] = {
	{ "background", BL_REQUEST_LIGHT, write_background, change_background },
	{ "colours", BL_REQUEST_NONE, write_colours, change_colours },
	{ "characters", BL_REQUEST_NONE, write_characters, change_characters },
	{ "colours of C", BL_REQUEST_SYMLOG, write_scale, change_scale },
	{ "a dot of C", BL_REQUEST_POOL, write_pooling, change_pooling },
	{ "smoothing of curves", BL_REQUEST_CURVES_SMOOTHER, write_smoothing, change_smoothing },
	{ "frames per second", BL_REQUEST_NONE, write_rate, change_rate },
};
enum { SETTINGS = (int)(sizeof settings / sizeof settings[0]) };

/* --- The view --------------------------------------------------------------- */

static void draw_setting(const bl_scene *s, bl_canvas *c, bl_rect r, int k)
{
	bool at = k == own_of(s)->at;
	char value[64];
	const bl_request_info *i = bl_request_describe(settings[k].key);
	settings[k].write(s, value, sizeof value);
	bl_canvas_text(c, r.x, r.y, 1, BL_PAINT_TITLE, at ? ">" : " ");
	bl_canvas_text(c, r.x + 2, r.y, r.w - 2, at ? BL_PAINT_TITLE : BL_PAINT_TEXT, settings[k].name);
	bl_canvas_text(c, r.x + NAME_COLUMNS, r.y, r.w - NAME_COLUMNS, BL_PAINT_GOOD, value);
	int x = NAME_COLUMNS + VALUE_COLUMNS;
	if (i->shown[0])
		bl_canvas_textf(c, r.x + x, r.y, r.w - x, BL_PAINT_FAINT, "%s%s", i->shown,
		                i->scope == BL_SCOPE_CURVES ? " in the curves" : "");
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	for (int k = 0; k < SETTINGS && k < r.h; k++)
		draw_setting(s, c, (bl_rect){ r.x, r.y + k, r.w, 1 }, k);
	const char *keys = "Up, Down: select.  Left, Right: change.  Last column: the key in other views.";
	if (SETTINGS + 1 < r.h)
		bl_canvas_text(c, r.x + 2, r.y + SETTINGS + 1, r.w - 2, BL_PAINT_FAINT, keys);
}

static void act(bl_scene *s, bl_request r)
{
	int *at = &own_of(s)->at;
	if (r == BL_REQUEST_SETTINGS_DOWN || r == BL_REQUEST_SETTINGS_UP)
		*at = wrapped(*at, r == BL_REQUEST_SETTINGS_DOWN ? 1 : -1, SETTINGS);
	else
		settings[*at].change(s, r == BL_REQUEST_SETTINGS_BACK ? -1 : 1);
}

const bl_view_ops bl_view_settings = {
	.name = "settings",
	.scope = BL_SCOPE_SETTINGS,
	.draw = draw,
	.private_size = sizeof(struct own),
	.act = act,
};
