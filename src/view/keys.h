/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/keys.h: all requests that keys can make: the key map, the line of hints, the help view and the manual are made
 * from these lists.
 *
 * First the views, in their order: a view is a line here and a file with its table of functions, bl_view_<ops>.
 * X(view, ops, key, in a word, heading in the manual, what it shows)
 *
 * Then the other requests.
 * X(request, scope, keys, shown as, in a word, changes the run, what it does)
 * `keys` are the characters (or BL_KEYS_...) of the request; `scope` is the view that has it, or ALL.  Requests of a
 * view take precedence over those of ALL.  A request without a word is in the help only, not among the hints; requests
 * of the mouse have no keys.
 */
#ifndef BARLOW_VIEW_KEYS_H
#define BARLOW_VIEW_KEYS_H

#include <stdbool.h>

enum { BL_KEY_NONE = 0, BL_KEY_INTERRUPT = 3, BL_KEY_SUSPEND = 26, BL_KEY_ESCAPE = 27 };

/* Keys that are not characters, as one byte each, so that they fit into `keys`.  No other byte from 128 on is a key. */
#define BL_KEYS_UP "\x80"
#define BL_KEYS_DOWN "\x81"
#define BL_KEYS_LEFT "\x82"
#define BL_KEYS_RIGHT "\x83"
#define BL_KEYS_PAGE_UP "\x84"
#define BL_KEYS_PAGE_DOWN "\x85"
#define BL_KEYS_HOME "\x86"
#define BL_KEYS_END "\x87"
#define BL_KEYS_ENTER "\r"
#define BL_KEYS_BACKSPACE "\x7f"
#define BL_KEY(keys) ((unsigned char)(keys)[0])

/* The mouse's action, and its cell of the screen, as a key number above all others. */
typedef enum bl_mouse_kind { BL_MOUSE_CLICK, BL_MOUSE_WHEEL_UP, BL_MOUSE_WHEEL_DOWN } bl_mouse_kind;
typedef struct bl_mouse {
	bl_mouse_kind kind;
	int x, y;
} bl_mouse;
int bl_key_of_mouse(bl_mouse m);
bool bl_key_is_mouse(int key, bl_mouse *out);

/* clang-format off */
/* clang-format off */
#define BL_VIEWS(X) \
	X(DASHBOARD, dashboard, "1", "dashboard", "Dashboard", "loss terms, C and its diagonal") \
	X(HEATMAP, heatmap, "2", "heatmap", "Heatmap", "C over the whole screen") \
	X(CURVES, curves, "3", "curves", "Curves", "any metrics of this run and of marked ones, over any steps") \
	X(SPECTRUM, spectrum, "4", "spectrum", "Spectrum", "eigenvalues, singular values, ranks, dead dims") \
	X(SAMPLES, samples, "5", "views", "Views", "pairs of augmented images, as the network gets them") \
	X(EMBEDDING, embedding, "6", "embedding", "Embedding", "features of images on their two widest axes") \
	X(RUNS, runs, "7", "runs", "Runs", "table of all runs, live and past") \
	X(SETTINGS, settings, "8", "settings", "Settings", \
	  "background, colours, characters, smoothing, frames a second")

#define BL_REQUESTS_FIRST(X) \
	X(QUIT, ALL, "q", "q", "leave", false, "leave the screen; training goes on") \
	X(HELP, ALL, "?h", "?", "help", false, "this help; again, or Esc: back") \
	X(PAUSE, ALL, " ", "Space", "pause", true, "pause training, or let it go on") \
	X(INTERRUPT, ALL, "\x03", "Ctrl-C", "", false, "leave the screen; where t:watch() made it, stop training, too")

#define BL_REQUESTS(X) \
	X(STEP, ALL, ".", ".", "step", true, "one step, then pause") \
	X(TURN_UP, ALL, "+=", "+", "parameter up", true, \
	  "the loss's first parameter, as lambda, times 1.1 from now on") \
	X(TURN_DOWN, ALL, "-_", "-", "parameter down", true, "the same divided by 1.1") \
	X(STOP, ALL, "Q", "Q", "stop", true, "stop training, after a question") \
	X(POOL, ALL, "m", "m", "rms/mean/largest", false, \
	  "a dot shows its block's root mean square, mean, or largest element") \
	X(SYMLOG, ALL, "g", "g", "linear/log", false, "colours linear in C, or spread for the small") \
	X(LIGHT, ALL, "b", "b", "background", false, "colours for a dark or a light background") \
	X(EVAL, ALL, "e", "e", "evaluate", true, "measure kNN at this step") \
	X(CHECKPOINT, ALL, "c", "c", "checkpoint", true, "save a checkpoint now") \
	X(SAVE, ALL, "x", "x", "export", false, "what is seen as files in this folder: picture, numbers") \
	X(SHOT, ALL, "s", "s", "screenshot", false, "this screen as a text file in this folder") \
	X(LEFT, HEATMAP, "h" BL_KEYS_LEFT, "h Left", "", false, "cursor one dot to the left; H: half the picture") \
	X(DOWN, HEATMAP, "j" BL_KEYS_DOWN, "j Down", "", false, "cursor one dot down; J, PgDn: half the picture") \
	X(UP, HEATMAP, "k" BL_KEYS_UP, "k Up", "", false, "cursor one dot up; K, PgUp: half the picture") \
	X(RIGHT, HEATMAP, "l" BL_KEYS_RIGHT, "l Right", "", false, "cursor one dot to the right; L: half the picture") \
	X(FAR_LEFT, HEATMAP, "H", "", "", false, "") \
	X(FAR_DOWN, HEATMAP, "J" BL_KEYS_PAGE_DOWN, "", "", false, "") \
	X(FAR_UP, HEATMAP, "K" BL_KEYS_PAGE_UP, "", "", false, "") \
	X(FAR_RIGHT, HEATMAP, "L", "", "", false, "") \
	X(ZOOM_IN, HEATMAP, "z>", "z >", "zoom", false, "twice as near around the cursor, down to single elements") \
	X(ZOOM_OUT, HEATMAP, "Z<", "Z <", "out", false, "half as near") \
	X(WHOLE, HEATMAP, "0", "0", "whole", false, "the whole matrix") \
	X(KIND, HEATMAP, "t", "t", "matrix", false, "C, C - I, |C|, or the first view with itself") \
	X(ORDER, HEATMAP, "o", "o", "order", false, "dims as they are, by C_ii, or similar ones side by side") \
	X(SEVERAL, HEATMAP, "M", "M", "marked", false, "this run and the marked ones in small, side by side; again: back") \
	X(FREEZE, HEATMAP, "f", "f", "freeze", false, "keep this moment as the reference; again: let go") \
	X(DIFFERENCE, HEATMAP, "d", "d", "difference", false, "values minus those of the reference") \
	X(EARLIER, HEATMAP, "[", "[", "earlier", false, "the snapshot kept before this one") \
	X(LATER, HEATMAP, "]", "]", "later", false, "the one after it") \
	X(FIRST, HEATMAP, BL_KEYS_HOME, "Home", "", false, "the first snapshot of the run") \
	X(NOW, HEATMAP, BL_KEYS_END "n", "End n", "now", false, "the newest, as it comes") \
	X(HEATMAP_MOUSE, HEATMAP, "", "Click", "", false, "cursor to this dot; wheel: nearer or farther") \
	X(CURVES_CHOOSE, CURVES, BL_KEYS_ENTER "t", "Enter t", "choose", false, \
	  "show the metric under the bar, or hide it") \
	X(CURVES_ONLY, CURVES, "o", "o", "only", false, "only the metric under the bar") \
	X(CURVES_DOWN, CURVES, "j" BL_KEYS_DOWN, "j Down", "", false, "the bar to the next metric") \
	X(CURVES_UP, CURVES, "k" BL_KEYS_UP, "k Up", "", false, "the bar to the metric before") \
	X(CURVES_SMOOTHER, CURVES, "w", "w", "smoother", false, \
	  "more smoothing: exponential, without bias at the start") \
	X(CURVES_ROUGHER, CURVES, "W", "W", "rougher", false, "less smoothing, down to none") \
	X(CURVES_AXIS, CURVES, "y", "y", "y axis", false, "y axis: as fits, linear, logarithmic") \
	X(CURVES_LOG_X, CURVES, "Y", "Y", "x axis", false, "steps linear or logarithmic") \
	X(CURVES_IN, CURVES, "z>", "z >", "zoom", false, "half as many steps, around the cursor") \
	X(CURVES_OUT, CURVES, "Z<", "Z <", "out", false, "twice as many steps") \
	X(CURVES_WHOLE, CURVES, "0", "0", "whole", false, "all steps") \
	X(CURVES_LEFT, CURVES, "h" BL_KEYS_LEFT, "h Left", "", false, "cursor back; H: ten times as far") \
	X(CURVES_RIGHT, CURVES, "l" BL_KEYS_RIGHT, "l Right", "", false, "cursor on; L: ten times as far") \
	X(CURVES_FAR_LEFT, CURVES, "H", "", "", false, "") \
	X(CURVES_FAR_RIGHT, CURVES, "L", "", "", false, "") \
	X(CURVES_BACK, CURVES, BL_KEYS_PAGE_UP, "PgUp", "", false, "earlier steps, by half of what is shown") \
	X(CURVES_ON, CURVES, BL_KEYS_PAGE_DOWN, "PgDn", "", false, "later steps, by half of what is shown") \
	X(CURVES_FIRST, CURVES, BL_KEYS_HOME, "Home", "", false, "cursor to the first step") \
	X(CURVES_NOW, CURVES, BL_KEYS_END "n", "End n", "now", false, "no cursor: the newest values, as they come") \
	X(CURVES_MOUSE, CURVES, "", "Wheel", "", false, "fewer or more steps") \
	X(SPECTRUM_EARLIER, SPECTRUM, "[h" BL_KEYS_LEFT, "[ h Left", "earlier", false, \
	  "the snapshot kept before this one") \
	X(SPECTRUM_LATER, SPECTRUM, "]l" BL_KEYS_RIGHT, "] l Right", "later", false, "the one after it") \
	X(SPECTRUM_FIRST, SPECTRUM, BL_KEYS_HOME "0", "Home 0", "first", false, "the first snapshot of the run") \
	X(SPECTRUM_NOW, SPECTRUM, BL_KEYS_END "n", "End n", "now", false, "the newest, as it comes") \
	X(SAMPLES_NEXT, SAMPLES, "nl" BL_KEYS_RIGHT, "n l Right", "next", false, "the next sample of the batch") \
	X(SAMPLES_BACK, SAMPLES, "ph" BL_KEYS_LEFT, "p h Left", "back", false, "the sample before") \
	X(SAMPLES_AGAIN, SAMPLES, "r", "r", "again", false, "the same sample, drawn again") \
	X(EMBEDDING_EARLIER, EMBEDDING, "[h" BL_KEYS_LEFT, "[ h Left", "earlier", false, \
	  "the moment kept before this one") \
	X(EMBEDDING_LATER, EMBEDDING, "]l" BL_KEYS_RIGHT, "] l Right", "later", false, "the one after it") \
	X(EMBEDDING_FIRST, EMBEDDING, BL_KEYS_HOME "0", "Home 0", "first", false, "the first moment with points") \
	X(EMBEDDING_NOW, EMBEDDING, BL_KEYS_END "n", "End n", "now", false, "the newest, as it comes") \
	X(EMBEDDING_DOWN, EMBEDDING, "j" BL_KEYS_DOWN, "j Down", "one label", false, \
	  "light up the next label; after the last, all") \
	X(EMBEDDING_UP, EMBEDDING, "k" BL_KEYS_UP, "k Up", "", false, "the label before") \
	X(SETTINGS_DOWN, SETTINGS, "j" BL_KEYS_DOWN, "j Down", "", false, "the next setting") \
	X(SETTINGS_UP, SETTINGS, "k" BL_KEYS_UP, "k Up", "", false, "the setting before") \
	X(SETTINGS_ON, SETTINGS, "l" BL_KEYS_RIGHT BL_KEYS_ENTER, "l Right", "turn", false, "its next value") \
	X(SETTINGS_BACK, SETTINGS, "h" BL_KEYS_LEFT, "h Left", "", false, "the value before") \
	X(HELP_DOWN, HELP, "j" BL_KEYS_DOWN BL_KEYS_PAGE_DOWN, "j Down", "more", false, "keys further down") \
	X(HELP_UP, HELP, "k" BL_KEYS_UP BL_KEYS_PAGE_UP, "k Up", "", false, "keys further up") \
	X(RUN_UP, RUNS, "k" BL_KEYS_UP, "k Up", "", false, "the run above; PgUp: ten above") \
	X(RUN_DOWN, RUNS, "j" BL_KEYS_DOWN, "j Down", "", false, "the run below; PgDn: ten below") \
	X(RUN_PAGE_UP, RUNS, BL_KEYS_PAGE_UP, "", "", false, "") \
	X(RUN_PAGE_DOWN, RUNS, BL_KEYS_PAGE_DOWN, "", "", false, "") \
	X(RUN_FIRST, RUNS, "g" BL_KEYS_HOME, "g Home", "", false, "the first run") \
	X(RUN_LAST, RUNS, "G" BL_KEYS_END, "G End", "", false, "the last run") \
	X(RUN_OPEN, RUNS, BL_KEYS_ENTER, "Enter", "open", false, "this run onto the screen") \
	X(RUN_BACK, RUNS, BL_KEYS_BACKSPACE, "Bksp", "", false, "back to the run that the screen came up with") \
	X(RUN_MARK, RUNS, "m", "m", "mark", false, "mark the run, to compare its curves, matrices and settings; again: unmark") \
	X(RUN_BESIDE, RUNS, "v", "v", "beside", false, \
	  "its heatmap beside that of the run on the screen; again: no more") \
	X(RUN_SORT, RUNS, "s", "s", "sort", false, "by the next column") \
	X(RUN_REVERSE, RUNS, "r", "r", "reverse", false, "the other way round") \
	X(RUN_FILTER, RUNS, "/", "/", "filter", false, "only runs with this text in name, folder or state; Esc: all") \
	X(RUN_COLUMNS, RUNS, "C", "C", "columns", false, \
	  "choose the columns: metrics, and settings by their paths, with commas between; none: the usual ones") \
	X(RUN_DIFF, RUNS, "d", "d", "difference", false, \
	  "settings and metrics in which the marked runs and this one differ; again, or Esc: back") \
	X(RUN_TAG, RUNS, "t", "t", "tag", false, "a tag for this run, or -TAG to remove one") \
	X(RUN_DELETE, RUNS, "D", "D", "delete", false, "move this run to the trash, after a question") \
	X(RUN_MOUSE, RUNS, "", "Click", "", false, "this run; again: onto the screen") \
	X(REDRAW, ALL, "\f", "Ctrl-L", "redraw", false, "draw everything anew")
/* clang-format on */
/* clang-format on */

/* The scopes that have keys of their own: the views and the help. */
typedef enum bl_scope {
	BL_SCOPE_ALL,
#define V(view, ops, key, word, heading, help) BL_SCOPE_##view,
	BL_VIEWS(V)
#undef V
		BL_SCOPE_HELP,
	BL_SCOPES
} bl_scope;

typedef enum bl_request {
	BL_REQUEST_NONE,
#define X(name, scope, keys, shown, word, changes, help) BL_REQUEST_##name,
#define V(view, ops, key, word, heading, help) BL_REQUEST_##view,
	BL_REQUESTS_FIRST(X) BL_VIEWS(V) BL_REQUESTS(X)
#undef V
#undef X
		BL_REQUEST_COUNT
} bl_request;

typedef struct bl_request_info {
	bl_scope scope;
	const char *keys, *shown, *word;
	bool changes_run;
	const char *help;
} bl_request_info;

/* The texts of a request; those of BL_REQUEST_NONE are empty. */
const bl_request_info *bl_request_describe(bl_request r);
bool bl_request_offered(bl_request r, bl_scope view, bool read_only);
bl_request bl_request_of_key(bl_scope view, int key);
bl_request bl_request_of_scope(bl_scope view); /* the request that opens the view */

#endif
