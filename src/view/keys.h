/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/keys.h: all requests that keys can make: the key map, the line of hints, the help view and the manual are made
 * from these lists.
 *
 * BL_VIEWS lists the views in their order.  Each has a line there, and a file that defines its table of functions,
 * bl_view_<ops>.
 * X(view, ops, key, in a word, heading in the manual, what it shows)
 *
 * BL_REQUESTS_FIRST and BL_REQUESTS list the other requests, before and after those that open the views.
 * X(request, scope, keys, shown as, in a word, changes the run, what it does)
 * `keys` are the characters (or BL_KEYS_...) of the request; `scope` is the view that has it, or ALL.  Requests of a
 * view take precedence over those of ALL.  A request without a word is in the help only, not among the hints; requests
 * of the mouse have no keys.
 */
#ifndef BARLOW_VIEW_KEYS_H
#define BARLOW_VIEW_KEYS_H

#include <stdbool.h>

enum { BL_KEY_NONE = 0, BL_KEY_INTERRUPT = 3, BL_KEY_SUSPEND = 26, BL_KEY_ESCAPE = 27 };

/* Keys that are not characters, as one byte each, so that they fit into `keys`.  Other bytes from 128 on are not keys. */
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

/* An action of the mouse and the cell at which it happened.  As a key, it has a number above those of all other keys. */
typedef enum bl_mouse_kind { BL_MOUSE_CLICK, BL_MOUSE_WHEEL_UP, BL_MOUSE_WHEEL_DOWN } bl_mouse_kind;
typedef struct bl_mouse {
	bl_mouse_kind kind;
	int x, y;
} bl_mouse;
int bl_key_of_mouse(bl_mouse m);
bool bl_key_is_mouse(int key, bl_mouse *out);

/* clang-format off */
#define BL_VIEWS(X) \
	X(DASHBOARD, dashboard, "1", "dashboard", "Dashboard", "loss terms, C and its diagonal") \
	X(HEATMAP, heatmap, "2", "heatmap", "Heatmap", "C on the whole screen") \
	X(CURVES, curves, "3", "curves", "Curves", "any metrics of this run and of the marked runs") \
	X(SPECTRUM, spectrum, "4", "spectrum", "Spectrum", "eigenvalues, singular values, ranks, dead dims") \
	X(SAMPLES, samples, "5", "views", "Views", "pairs of augmented images, as the network receives them") \
	X(EMBEDDING, embedding, "6", "embedding", "Embedding", "features of images, projected on two principal axes") \
	X(RUNS, runs, "7", "runs", "Runs", "table of all runs") \
	X(SETTINGS, settings, "8", "settings", "Settings", \
	  "background, colours, characters, smoothing, frames per second")

#define BL_REQUESTS_FIRST(X) \
	X(QUIT, ALL, "q", "q", "leave", false, "close the screen; training continues") \
	X(HELP, ALL, "?h", "?", "help", false, "this help; again, or Esc: back") \
	X(PAUSE, ALL, " ", "Space", "pause", true, "pause or continue training") \
	X(INTERRUPT, ALL, "\x03", "Ctrl-C", "", false, "close the screen; if t:watch() opened it, stop training, too")

#define BL_REQUESTS(X) \
	X(STEP, ALL, ".", ".", "step", true, "make one step, then pause") \
	X(TURN_UP, ALL, "+=", "+", "parameter up", true, \
	  "multiply the loss's main parameter, such as lambda, by 1.1") \
	X(TURN_DOWN, ALL, "-_", "-", "parameter down", true, "divide the loss's main parameter by 1.1") \
	X(STOP, ALL, "Q", "Q", "stop", true, "stop training, after confirmation") \
	X(POOL, ALL, "m", "m", "rms/mean/largest", false, \
	  "show root mean square, mean or largest element of a dot's block") \
	X(SYMLOG, ALL, "g", "g", "linear/log", false, "colours linear in C, or with more contrast for small values") \
	X(LIGHT, ALL, "b", "b", "background", false, "colours for a dark or a light background") \
	X(EVAL, ALL, "e", "e", "evaluate", true, "measure kNN at this step") \
	X(CHECKPOINT, ALL, "c", "c", "checkpoint", true, "save a checkpoint now") \
	X(SAVE, ALL, "x", "x", "export", false, "save what is shown to the current folder: picture, numbers") \
	X(SHOT, ALL, "s", "s", "screenshot", false, "save this screen as a text file to the current folder") \
	X(LEFT, HEATMAP, "h" BL_KEYS_LEFT, "h Left", "", false, "cursor one dot to the left; H: half the picture") \
	X(DOWN, HEATMAP, "j" BL_KEYS_DOWN, "j Down", "", false, "cursor one dot down; J, PgDn: half the picture") \
	X(UP, HEATMAP, "k" BL_KEYS_UP, "k Up", "", false, "cursor one dot up; K, PgUp: half the picture") \
	X(RIGHT, HEATMAP, "l" BL_KEYS_RIGHT, "l Right", "", false, "cursor one dot to the right; L: half the picture") \
	X(FAR_LEFT, HEATMAP, "H", "", "", false, "") \
	X(FAR_DOWN, HEATMAP, "J" BL_KEYS_PAGE_DOWN, "", "", false, "") \
	X(FAR_UP, HEATMAP, "K" BL_KEYS_PAGE_UP, "", "", false, "") \
	X(FAR_RIGHT, HEATMAP, "L", "", "", false, "") \
	X(ZOOM_IN, HEATMAP, "z>", "z >", "zoom", false, "zoom in around the cursor, down to single elements") \
	X(ZOOM_OUT, HEATMAP, "Z<", "Z <", "out", false, "zoom out") \
	X(WHOLE, HEATMAP, "0", "0", "whole", false, "the whole matrix") \
	X(KIND, HEATMAP, "t", "t", "matrix", false, "C, C - I, |C|, or the first view with itself") \
	X(ORDER, HEATMAP, "o", "o", "order", false, "order of dims: unchanged, by C_ii, or similar ones side by side") \
	X(SEVERAL, HEATMAP, "M", "M", "marked", false, "small pictures of this run and the marked ones; again: back") \
	X(FREEZE, HEATMAP, "f", "f", "freeze", false, "use this matrix as the reference; again: remove the reference") \
	X(DIFFERENCE, HEATMAP, "d", "d", "difference", false, "values minus those of the reference") \
	X(EARLIER, HEATMAP, "[", "[", "earlier", false, "the previous stored snapshot") \
	X(LATER, HEATMAP, "]", "]", "later", false, "the next stored snapshot") \
	X(FIRST, HEATMAP, BL_KEYS_HOME, "Home", "", false, "the first snapshot of the run") \
	X(NOW, HEATMAP, BL_KEYS_END "n", "End n", "now", false, "follow the newest snapshot") \
	X(HEATMAP_MOUSE, HEATMAP, "", "Click", "", false, "move the cursor to this dot; wheel: zoom") \
	X(CURVES_CHOOSE, CURVES, BL_KEYS_ENTER "t", "Enter t", "choose", false, \
	  "show or hide the selected metric") \
	X(CURVES_ONLY, CURVES, "o", "o", "only", false, "show only the selected metric") \
	X(CURVES_DOWN, CURVES, "j" BL_KEYS_DOWN, "j Down", "", false, "select the next metric") \
	X(CURVES_UP, CURVES, "k" BL_KEYS_UP, "k Up", "", false, "select the previous metric") \
	X(CURVES_SMOOTHER, CURVES, "w", "w", "smoother", false, \
	  "more smoothing (exponential, bias-corrected)") \
	X(CURVES_ROUGHER, CURVES, "W", "W", "rougher", false, "less smoothing, down to none") \
	X(CURVES_AXIS, CURVES, "y", "y", "y axis", false, "y axis: automatic, linear, logarithmic") \
	X(CURVES_LOG_X, CURVES, "Y", "Y", "x axis", false, "steps linear or logarithmic") \
	X(CURVES_IN, CURVES, "z>", "z >", "zoom", false, "half as many steps, around the cursor") \
	X(CURVES_OUT, CURVES, "Z<", "Z <", "out", false, "twice as many steps") \
	X(CURVES_WHOLE, CURVES, "0", "0", "whole", false, "all steps") \
	X(CURVES_LEFT, CURVES, "h" BL_KEYS_LEFT, "h Left", "", false, "move the cursor to the left; H: ten times as far") \
	X(CURVES_RIGHT, CURVES, "l" BL_KEYS_RIGHT, "l Right", "", false, "move the cursor to the right; L: ten times as far") \
	X(CURVES_FAR_LEFT, CURVES, "H", "", "", false, "") \
	X(CURVES_FAR_RIGHT, CURVES, "L", "", "", false, "") \
	X(CURVES_BACK, CURVES, BL_KEYS_PAGE_UP, "PgUp", "", false, "earlier steps, by half of what is shown") \
	X(CURVES_ON, CURVES, BL_KEYS_PAGE_DOWN, "PgDn", "", false, "later steps, by half of what is shown") \
	X(CURVES_FIRST, CURVES, BL_KEYS_HOME, "Home", "", false, "move the cursor to the first step") \
	X(CURVES_NOW, CURVES, BL_KEYS_END "n", "End n", "now", false, "no cursor: follow the newest values") \
	X(CURVES_MOUSE, CURVES, "", "Wheel", "", false, "fewer or more steps") \
	X(SPECTRUM_EARLIER, SPECTRUM, "[h" BL_KEYS_LEFT, "[ h Left", "earlier", false, \
	  "the previous stored snapshot") \
	X(SPECTRUM_LATER, SPECTRUM, "]l" BL_KEYS_RIGHT, "] l Right", "later", false, "the next stored snapshot") \
	X(SPECTRUM_FIRST, SPECTRUM, BL_KEYS_HOME "0", "Home 0", "first", false, "the first snapshot of the run") \
	X(SPECTRUM_NOW, SPECTRUM, BL_KEYS_END "n", "End n", "now", false, "follow the newest snapshot") \
	X(SAMPLES_NEXT, SAMPLES, "nl" BL_KEYS_RIGHT, "n l Right", "next", false, "the next sample of the batch") \
	X(SAMPLES_BACK, SAMPLES, "ph" BL_KEYS_LEFT, "p h Left", "back", false, "the previous sample") \
	X(SAMPLES_AGAIN, SAMPLES, "r", "r", "again", false, "new views of the same sample") \
	X(EMBEDDING_EARLIER, EMBEDDING, "[h" BL_KEYS_LEFT, "[ h Left", "earlier", false, \
	  "the previous stored snapshot with points") \
	X(EMBEDDING_LATER, EMBEDDING, "]l" BL_KEYS_RIGHT, "] l Right", "later", false, "the next stored snapshot with points") \
	X(EMBEDDING_FIRST, EMBEDDING, BL_KEYS_HOME "0", "Home 0", "first", false, "the first snapshot with points") \
	X(EMBEDDING_NOW, EMBEDDING, BL_KEYS_END "n", "End n", "now", false, "follow the newest snapshot") \
	X(EMBEDDING_DOWN, EMBEDDING, "j" BL_KEYS_DOWN, "j Down", "one label", false, \
	  "highlight the next label; after the last, none") \
	X(EMBEDDING_UP, EMBEDDING, "k" BL_KEYS_UP, "k Up", "", false, "the previous label") \
	X(SETTINGS_DOWN, SETTINGS, "j" BL_KEYS_DOWN, "j Down", "", false, "the next setting") \
	X(SETTINGS_UP, SETTINGS, "k" BL_KEYS_UP, "k Up", "", false, "the previous setting") \
	X(SETTINGS_ON, SETTINGS, "l" BL_KEYS_RIGHT BL_KEYS_ENTER, "l Right", "change", false, "the next value of the setting") \
	X(SETTINGS_BACK, SETTINGS, "h" BL_KEYS_LEFT, "h Left", "", false, "the previous value of the setting") \
	X(HELP_DOWN, HELP, "j" BL_KEYS_DOWN BL_KEYS_PAGE_DOWN, "j Down", "more", false, "keys further down") \
	X(HELP_UP, HELP, "k" BL_KEYS_UP BL_KEYS_PAGE_UP, "k Up", "", false, "keys further up") \
	X(RUN_UP, RUNS, "k" BL_KEYS_UP, "k Up", "", false, "the run above; PgUp: ten above") \
	X(RUN_DOWN, RUNS, "j" BL_KEYS_DOWN, "j Down", "", false, "the run below; PgDn: ten below") \
	X(RUN_PAGE_UP, RUNS, BL_KEYS_PAGE_UP, "", "", false, "") \
	X(RUN_PAGE_DOWN, RUNS, BL_KEYS_PAGE_DOWN, "", "", false, "") \
	X(RUN_FIRST, RUNS, "g" BL_KEYS_HOME, "g Home", "", false, "the first run") \
	X(RUN_LAST, RUNS, "G" BL_KEYS_END, "G End", "", false, "the last run") \
	X(RUN_OPEN, RUNS, BL_KEYS_ENTER, "Enter", "open", false, "show this run") \
	X(RUN_BACK, RUNS, BL_KEYS_BACKSPACE, "Bksp", "", false, "return to the run that was shown first") \
	X(RUN_MARK, RUNS, "m", "m", "mark", false, "mark the run, to compare curves, matrices and settings; again: unmark") \
	X(RUN_BESIDE, RUNS, "v", "v", "beside", false, \
	  "show this run's heatmap beside that of the run on the screen; again: remove it") \
	X(RUN_SORT, RUNS, "s", "s", "sort", false, "sort by the next column") \
	X(RUN_REVERSE, RUNS, "r", "r", "reverse", false, "reverse the order") \
	X(RUN_FILTER, RUNS, "/", "/", "filter", false, "show only runs with this text in name, folder or state; Esc: all") \
	X(RUN_COLUMNS, RUNS, "C", "C", "columns", false, \
	  "choose the columns: metrics and paths of settings, separated by commas; none: the default") \
	X(RUN_DIFF, RUNS, "d", "d", "difference", false, \
	  "show settings and metrics that differ between the marked runs and this one; again, or Esc: back") \
	X(RUN_TAG, RUNS, "t", "t", "tag", false, "add a tag to this run; -TAG removes one") \
	X(RUN_DELETE, RUNS, "D", "D", "delete", false, "move this run to the trash, after confirmation") \
	X(RUN_MOUSE, RUNS, "", "Click", "", false, "select this run; again: show it") \
	X(REDRAW, ALL, "\f", "Ctrl-L", "redraw", false, "redraw the screen")
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
