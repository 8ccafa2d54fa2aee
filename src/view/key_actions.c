/* SPDX-License-Identifier: GPL-3.0-or-later */
/* key_actions.c: the effects of keys on the scene and on the run. */
#include "view/key_actions.h"

#include "view/export.h"

#include <math.h>
#include <stdio.h>

#define TURN_FACTOR 1.1

/* Returns true if the command was sent; otherwise the notice says why not. */
static bool send(bl_scene *s, bl_command c)
{
	if (s->lost || bl_scene_over(s)) {
		bl_scene_notice(s, "the run is not running any more");
		return false;
	}
	if (bl_live_send(s->run, c) == 0)
		return true;
	bl_scene_notice(s, "not sent: %s", bl_error());
	return false;
}

static bool command(bl_scene *s, bl_command_kind kind, double value)
{
	return send(s, (bl_command){ .kind = kind, .value = value });
}

/* Multiplies the loss's first parameter by the factor. */
static void multiply_parameter(bl_scene *s, double factor)
{
	const bl_columns *columns = &s->history.columns;
	int i = bl_columns_next(columns, BL_COLUMN_PARAMETER, 0);
	if (s->history.seen == 0 || i < 0) {
		bl_scene_notice(s, i < 0 && s->history.seen ? "this loss has no parameter to change"
		                                            : "the parameter can be changed after the first step");
		return;
	}
	const char *name = columns->column[i].name;
	double from = isnan(s->turned) ? bl_history_value(&s->history, name) : s->turned, to = from * factor;
	bl_command c = { .kind = BL_CMD_SET, .value = to };
	snprintf(c.name, sizeof c.name, "%s", name);
	if (!send(s, c))
		return;
	s->turned = to;
	s->turned_at = s->history.last.step;
	bl_scene_notice(s, "%s %.4g -> %.4g from the next step on", name, from, to);
}

static void toggle_pause(bl_scene *s)
{
	bool paused = s->info.state == BL_RUN_PAUSED;
	if (command(s, paused ? BL_CMD_RESUME : BL_CMD_PAUSE, 0))
		bl_scene_notice(s, paused ? "continuing" : "pausing after this step");
}

static void take_step(bl_scene *s)
{
	if (command(s, BL_CMD_STEP, 0))
		bl_scene_notice(s, "one step");
}

static void evaluate(bl_scene *s)
{
	s->knn_asked = command(s, BL_CMD_EVAL, 0);
	if (s->knn_asked)
		bl_scene_notice(s, "measuring kNN");
}

static void save_checkpoint(bl_scene *s)
{
	if (command(s, BL_CMD_CHECKPOINT, 0))
		bl_scene_notice(s, "saving a checkpoint");
}

static void parameter_up(bl_scene *s)
{
	multiply_parameter(s, TURN_FACTOR);
}

static void parameter_down(bl_scene *s)
{
	multiply_parameter(s, 1 / TURN_FACTOR);
}

static void show(bl_scene *s, const bl_view_ops *view)
{
	s->view = view;
	if (view->enter)
		view->enter(s);
}

static void next_pooling(bl_scene *s)
{
	s->heat.pool = (bl_pool)((s->heat.pool + 1) % BL_POOLS);
}

static void toggle_scale(bl_scene *s)
{
	s->heat.symlog = !s->heat.symlog;
}

static void toggle_background(bl_scene *s)
{
	s->flip_background = !s->flip_background;
}

static void show_help(bl_scene *s)
{
	if (s->view == &bl_view_help) {
		s->view = s->before_help;
		return;
	}
	s->before_help = s->view;
	show(s, &bl_view_help);
}

static void ask_stop(bl_scene *s)
{
	if (s->lost || bl_scene_over(s))
		bl_scene_notice(s, "the run is not running any more; q leaves");
	else
		s->asking = true;
}

/* Handles the answer to "Stop training?": y sends the command, and BL_OUTCOME_STOP ends the screen of the caller's own run. */
static bl_outcome answer(bl_scene *s, int key)
{
	s->asking = false;
	if (key != 'y' && key != 'Y')
		return BL_OUTCOME_STAY;
	if (!command(s, BL_CMD_STOP, 0))
		return BL_OUTCOME_STAY;
	if (!bl_scene_at_home(s))
		bl_scene_notice(s, "the command to stop was sent");
	return bl_scene_at_home(s) ? BL_OUTCOME_STOP : BL_OUTCOME_STAY;
}

/* Requests that open a view. */
static const bl_view_ops *const views[BL_REQUEST_COUNT] = {
#define V(view, ops, key, word, heading, help) [BL_REQUEST_##view] = &bl_view_##ops,
	BL_VIEWS(V)
#undef V
};

/* The effects of requests that all views have; the others are handled by act() and its caller. */
static void (*const actions[BL_REQUEST_COUNT])(bl_scene *s) = {
	[BL_REQUEST_HELP] = show_help,       [BL_REQUEST_PAUSE] = toggle_pause,         [BL_REQUEST_STEP] = take_step,
	[BL_REQUEST_TURN_UP] = parameter_up, [BL_REQUEST_TURN_DOWN] = parameter_down,   [BL_REQUEST_STOP] = ask_stop,
	[BL_REQUEST_POOL] = next_pooling,    [BL_REQUEST_SYMLOG] = toggle_scale,        [BL_REQUEST_LIGHT] = toggle_background,
	[BL_REQUEST_EVAL] = evaluate,        [BL_REQUEST_CHECKPOINT] = save_checkpoint, [BL_REQUEST_SAVE] = bl_export_view,
	[BL_REQUEST_SHOT] = bl_export_text,
};

static bl_outcome act(bl_scene *s, bl_request r)
{
	if (bl_request_describe(r)->scope != BL_SCOPE_ALL)
		s->view->act(s, r);
	else if (views[r])
		show(s, views[r]);
	else if (actions[r])
		actions[r](s);
	return r == BL_REQUEST_QUIT ? BL_OUTCOME_QUIT : r == BL_REQUEST_REDRAW ? BL_OUTCOME_REDRAW : BL_OUTCOME_STAY;
}

bl_outcome bl_control_key(bl_scene *s, int key)
{
	if (s->asking)
		return answer(s, key);
	bl_mouse mouse;
	s->notice[0] = '\0';
	s->knn_asked = false;
	if (bl_key_is_mouse(key, &mouse)) {
		if (s->view->mouse)
			s->view->mouse(s, mouse);
		return BL_OUTCOME_STAY;
	}
	if (s->view->key && s->view->key(s, key))
		return BL_OUTCOME_STAY;
	if (key == BL_KEY_ESCAPE && s->view == &bl_view_help)
		show_help(s);
	bl_request r = bl_request_of_key(s->view->scope, key);
	if (s->read_only && bl_request_describe(r)->changes_run) {
		bl_scene_notice(s, "read-only: the key %s is disabled", bl_request_describe(r)->shown);
		return BL_OUTCOME_STAY;
	}
	return act(s, r);
}
