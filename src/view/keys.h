/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/keys.h: what one can ask of the screen, once: the key map, the line of
 * hints, the help view and the manual are all made from this list.
 *
 * X(request, keys, shown as, in a word, changes the run, what it does)
 * `keys` are the characters that mean it.
 */
#ifndef BARLOW_VIEW_KEYS_H
#define BARLOW_VIEW_KEYS_H

#include <stdbool.h>

/* clang-format off */
#define BL_REQUESTS(X) \
	X(QUIT, "q", "q", "leave", false, "leave the screen; training goes on") \
	X(HELP, "?h", "?", "help", false, "this help; again, or Esc: back") \
	X(PAUSE, " ", "Space", "pause", true, "pause training, or let it go on") \
	X(DASHBOARD, "1", "1", "dashboard", false, "loss terms, C and its diagonal") \
	X(HEATMAP, "2", "2", "heatmap", false, "C over the whole screen") \
	X(STEP, ".", ".", "step", true, "one step, then pause") \
	X(LAMBDA_UP, "+=", "+", "lambda up", true, "lambda times 1.1, from the next step on") \
	X(LAMBDA_DOWN, "-_", "-", "lambda down", true, "lambda divided by 1.1, from the next step on") \
	X(STOP, "Q", "Q", "stop", true, "stop training, after a question") \
	X(POOL, "m", "m", "mean/largest", false, "a dot shows its block's mean, or its element of largest magnitude") \
	X(SYMLOG, "l", "l", "linear/log", false, "colours linear in C, or spread for the small") \
	X(LIGHT, "b", "b", "background", false, "colours for a dark or a light background") \
	X(EVAL, "e", "e", "evaluate", true, "measure kNN now") \
	X(CHECKPOINT, "c", "c", "checkpoint", true, "save a checkpoint now") \
	X(REDRAW, "\f", "Ctrl-L", "redraw", false, "draw everything anew")
/* clang-format on */

typedef enum bl_request {
	BL_REQUEST_NONE,
#define X(name, keys, shown, word, changes, help) BL_REQUEST_##name,
	BL_REQUESTS(X)
#undef X
		BL_REQUEST_COUNT
} bl_request;

typedef struct bl_request_info {
	const char *keys, *shown, *word;
	bool changes_run;
	const char *help;
} bl_request_info;

/* Of a request; BL_REQUEST_NONE has empty texts. */
const bl_request_info *bl_request_describe(bl_request r);
bl_request bl_request_of_key(int key);

#endif
