/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.c: the loop of the live screen: up to 10 or 30 frames per second if something changes; keys are handled at once. */
#include <barlow/view.h>

#include "view/key_actions.h"
#include "view/frame.h"
#include "view/guard.h"
#include "view/screen.h"

#include <stdlib.h>
#include <time.h>

/* Views that request data from the run have the short time per frame. */
enum { FRAME_MS = 100, SHORT_FRAME_MS = 33, KEYS_PER_FRAME = 32 };

struct watch {
	bl_screen *screen;
	bl_scene *scene;
	bl_canvas *canvas;
	const bl_watch_config *config;
	bool light; /* the terminal's background when the last frame was drawn; its reply to the query may come later */
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Fits the canvas to the terminal's size.  Returns 1 if it has changed, 0 if not, -1 on failure. */
static int fit_canvas(struct watch *w)
{
	int width, height;
	bl_screen_size(w->screen, &width, &height);
	if (w->canvas && w->canvas->width == width && w->canvas->height == height)
		return 0;
	bl_canvas_free(w->canvas);
	w->scene->on = NULL;
	w->canvas = bl_canvas_new(width, height, bl_screen_ability(w->screen));
	return w->canvas ? 1 : -1;
}

static bool interrupted(const struct watch *w)
{
	return bl_guard_take(BL_GUARD_INTERRUPT) || (w->config->interrupted && *w->config->interrupted);
}

/* Handles a key.  Returns a bl_watch_end, or -1 to stay. */
static int handle_key(struct watch *w, int key)
{
	if (key == BL_KEY_INTERRUPT)
		return BL_WATCH_STOP;
	if (key == BL_KEY_SUSPEND) {
		bl_screen_suspend(w->screen);
		return -1;
	}
	bl_outcome o = bl_control_key(w->scene, key);
	if (o == BL_OUTCOME_REDRAW)
		bl_screen_forget(w->screen);
	return o == BL_OUTCOME_QUIT ? BL_WATCH_QUIT : o == BL_OUTCOME_STOP ? BL_WATCH_STOP : -1;
}

/* Waits for a key, and handles all waiting keys before the next frame, so that a repeated key does not lag behind. */
static int handle_keys(struct watch *w, int timeout_ms, bool *dirty)
{
	int end = -1, key = bl_screen_key(w->screen, timeout_ms);
	for (int left = KEYS_PER_FRAME; key != BL_KEY_NONE && end == -1; left--) {
		*dirty = true;
		end = handle_key(w, key);
		key = end == -1 && left > 1 ? bl_screen_key(w->screen, 0) : BL_KEY_NONE;
	}
	return end;
}

/* Handles the signals that came.  True: the screen must be drawn again. */
static bool handle_signals(struct watch *w)
{
	bool again = bl_guard_take(BL_GUARD_RESIZED);
	if (bl_guard_take(BL_GUARD_SUSPEND)) {
		bl_screen_suspend(w->screen);
		again = true;
	}
	if (bl_guard_take(BL_GUARD_CONTINUED)) {
		bl_screen_again(w->screen);
		again = true;
	}
	return again;
}

/* One iteration: read, draw, wait for a key.  Returns a bl_watch_end, -1 to continue, -2 on failure. */
static int run_frame(struct watch *w, int64_t *next, bool *dirty)
{
	bl_scene *s = w->scene;
	if (now_ms() >= *next) {
		*dirty |= bl_scene_read(s);
		*next = now_ms() + (s->frames_per_s ? 1000 / s->frames_per_s : s->view->want ? SHORT_FRAME_MS : FRAME_MS);
	}
	bl_ability can = bl_screen_ability(w->screen);
	*dirty |= handle_signals(w) || can.light != w->light;
	w->light = can.light;
	int fit = fit_canvas(w);
	if (fit < 0)
		return -2;
	if (*dirty || fit > 0) {
		w->canvas->can = bl_scene_ability(s, can);
		bl_frame_draw(s, w->canvas);
		s->on = w->canvas;
		if (bl_screen_show(w->screen, w->canvas) < 0)
			return -2;
	}
	*dirty = false;
	if (interrupted(w))
		return BL_WATCH_STOP;
	if (bl_scene_at_home(s) && bl_scene_over(s) && !w->config->stay)
		return BL_WATCH_ENDED;
	int64_t wait = *next - now_ms();
	return handle_keys(w, wait > 0 ? (int)wait : 0, dirty);
}

int bl_watch(bl_live *run, const bl_watch_config *config)
{
	struct watch w = { .config = config };
	int64_t next = now_ms(); /* when the run is read again */
	bool dirty = true;
	w.screen = bl_screen_open();
	w.scene = w.screen ? bl_scene_new(run) : NULL;
	int end = -1;
	if (w.scene && (!config->ask_background || bl_screen_query_background(w.screen) == 0)) {
		w.scene->read_only = config->read_only;
		w.scene->interrupt_stops = config->interrupt_stops;
		while (end == -1)
			end = run_frame(&w, &next, &dirty);
		if (end == BL_WATCH_QUIT && bl_scene_at_home(w.scene) && bl_scene_over(w.scene))
			end = BL_WATCH_ENDED;
	}
	bl_canvas_free(w.canvas);
	bl_scene_free(w.scene);
	bl_screen_close(w.screen);
	return end;
}
