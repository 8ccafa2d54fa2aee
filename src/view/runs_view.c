/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs_view.c: the table of all runs, running and finished, and its keys: sort, filter, mark, compare, open. */
#include "view/export.h"
#include "base/bounded.h"
#include "view/frame.h"
#include "view/run_table.h"
#include "view/scene.h"

#include <barlow/text.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	READ_MS = 1000,
	TITLE_ROWS = 2, /* the title and the headings */
	SIGN_COLUMNS = 4,
	GAP = 2,
	NAME_COLUMNS_MAX = 40,
	FOLDER_FROM_ROWS = 8, /* from this height on, the last row shows the folder of the run at the cursor, or a problem */
	PAGE = 10,
	CELL_TEXT = 96,
};

/* The view's state: a pointer to its table, which is NULL until the view is opened. */
static bl_run_table **own_of(const bl_scene *s)
{
	return bl_scene_own(s, &bl_view_runs);
}

static bl_run_table *table_of(const bl_scene *s)
{
	return *own_of(s);
}

/* --- Columns that fit ------------------------------------------------------------- */

struct layout {
	const bl_run_column *column;
	bool on[BL_RUN_COLUMNS];
	int n, name; /* number of columns; width of the name, which gets the remaining room */
};

static int columns_needed(const struct layout *l)
{
	int sum = SIGN_COLUMNS - GAP;
	for (int c = 0; c < l->n; c++)
		sum += l->on[c] ? abs(l->column[c].width) + GAP : 0;
	return sum;
}

/* Omits the least important column, or the last of several such columns.  False: only the name is left. */
static bool drop_least(struct layout *l)
{
	int least = -1;
	for (int c = 0; c < l->n; c++)
		if (l->on[c] && (least < 0 || l->column[c].importance <= l->column[least].importance))
			least = c;
	if (l->column[least].field == BL_RUN_NAME)
		return false;
	l->on[least] = false;
	return true;
}

static struct layout lay_out(const bl_run_table *t, int room)
{
	struct layout l = { .column = t->column, .n = t->columns, .name = abs(t->column[0].width) };
	for (int c = 0; c < l.n; c++)
		l.on[c] = true;
	while (columns_needed(&l) > room && drop_least(&l))
		;
	l.name += room - columns_needed(&l);
	if (l.name > NAME_COLUMNS_MAX)
		l.name = NAME_COLUMNS_MAX;
	return l;
}

/* Draws a row of the table: the text that `text` writes for `of`, a run or the headings, in each column that is shown. */
static void draw_cells(bl_canvas *c, bl_rect r, int y, const struct layout *l, bl_paint p, const void *of,
                       void (*text)(const void *of, const bl_run_column *column, char *out, size_t size))
{
	int x = r.x + SIGN_COLUMNS;
	for (int k = 0; k < l->n; k++) {
		char cell[CELL_TEXT];
		const bl_run_column *column = &l->column[k];
		int width = column->field == BL_RUN_NAME ? l->name : abs(column->width);
		if (!l->on[k])
			continue;
		text(of, column, cell, sizeof cell);
		int blank = column->width < 0 ? 0 : width - bl_canvas_columns(cell);
		bl_canvas_text(c, x + (blank > 0 ? blank : 0), y, width, p, cell);
		x += width + GAP;
	}
}

/* --- Drawing -------------------------------------------------------------------- */

static void heading_text(const void *of, const bl_run_column *column, char *out, size_t size)
{
	const bl_run_table *t = of;
	bool down = (column->field <= BL_RUN_STATE) == t->reversed; /* texts ascend at first, numbers descend */
	snprintf(out, size, "%s%s", column->heading, !bl_run_table_sorted_by(t, column) ? "" : down ? " v" : " ^");
}

struct row_of_table {
	const bl_run_table *table;
	const bl_run *run;
};

static void run_text(const void *of, const bl_run_column *column, char *out, size_t size)
{
	const struct row_of_table *row = of;
	bl_run_table_text(row->table, row->run, column, out, size);
}

static bool same_info(const bl_live_info *a, const bl_live_info *b)
{
	return a->pid == b->pid && a->started == b->started && strcmp(a->name, b->name) == 0;
}

static int mark_of(const bl_scene *s, const bl_run *run)
{
	for (int i = 0; i < BL_MARKED_MAX; i++) {
		bl_live_info marked;
		if (!s->marked[i])
			continue;
		bl_live_info_get(s->marked[i], &marked);
		if (same_info(&marked, &run->info))
			return i;
	}
	return -1;
}

static bool is_beside(const bl_scene *s, const bl_run *run)
{
	return s->other && same_info(&s->other_info, &run->info);
}

static void draw_row(const bl_scene *s, bl_canvas *c, bl_rect r, int y, int place, const struct layout *l)
{
	const bl_run *run = bl_run_table_at(table_of(s), place);
	bool here = place == table_of(s)->cursor;
	bool bad = run->broken || run->info.state == BL_RUN_FAILED || !strcmp(bl_run_state_text(run), "killed");
	bl_paint paint = bl_run_going(run) ? BL_PAINT_GOOD : bad ? BL_PAINT_WARN : BL_PAINT_TEXT;
	bl_canvas_put(c, r.x, y, here ? '>' : ' ', bl_colour_of(BL_PAINT_TITLE, c->can.light), BL_COLOUR_OWN);
	bl_canvas_text(c, r.x + 1, y, 1, BL_PAINT_KNN, mark_of(s, run) >= 0 ? "+" : is_beside(s, run) ? "|" : " ");
	if (!run->broken && same_info(&run->info, &s->info))
		bl_canvas_text(c, r.x + 2, y, 1, BL_PAINT_GOOD, c->can.utf8 ? "●" : "*");
	draw_cells(c, r, y, l, paint, &(struct row_of_table){ table_of(s), run }, run_text);
	if (here)
		bl_canvas_bold(c, r.x, y, r.w);
}

static void draw_title(const bl_run_table *t, bl_canvas *c, bl_rect r)
{
	int going = 0, n = t->runs ? t->runs->n : 0;
	char input[320] = ""; /* what is being typed or asked */
	for (int i = 0; i < n; i++)
		going += bl_run_going(&t->runs->run[i]);
	if (t->typing || t->filter[0])
		snprintf(input, sizeof input, "; %d match /%s%s", t->rows, t->filter, t->typing ? "_" : "");
	if (t->tagging)
		snprintf(input, sizeof input, "; tag: %s_", t->tag);
	if (t->deleting)
		snprintf(input, sizeof input, "; move this one to the trash? y or n");
	if (t->choosing)
		snprintf(input, sizeof input, "; columns: %s_", t->names_typed);
	bool asks = t->typing || t->tagging || t->deleting || t->choosing;
	bl_canvas_textf(c, r.x, r.y, r.w, asks ? BL_PAINT_TITLE : BL_PAINT_FAINT, "%d %s, %d in progress%s", n,
	                bl_text_plural(n, "run", "runs"), going, input);
}

/* The number of rows for runs in a table that is h rows high. */
static int rows_for_runs(int h)
{
	return h - TITLE_ROWS - (h >= FOLDER_FROM_ROWS);
}

/* The place (an index into the visible runs) of the first row, such that the cursor is in the middle if possible. */
static int first_place(const bl_run_table *t, int rows)
{
	int top = t->cursor - rows / 2, most = t->rows - rows;
	if (top > most)
		top = most;
	return top > 0 ? top : 0;
}

/* --- The difference of runs -------------------------------------------------------- */

enum { KEY_MOST = 30, DIFF_CELL_LEAST = 10, DIFF_CELL_MOST = 32 };

/* Draws the cells of a row for as many runs as there is room for; the first row says how many more there are. */
static void draw_diff_row(const bl_run_table *t, bl_canvas *c, bl_rect r, int y, bl_paint p, const char *key, char *const *cell,
                          int width)
{
	int x = r.x + KEY_MOST + GAP, i = 0;
	bl_canvas_text(c, r.x, y, KEY_MOST, BL_PAINT_FAINT, key);
	for (; i < t->diff->runs && x + DIFF_CELL_LEAST <= r.x + r.w; i++, x += width + GAP)
		bl_canvas_text(c, x, y, x + width <= r.x + r.w ? width : r.x + r.w - x, p, cell[i] ? cell[i] : "-");
	if (i < t->diff->runs && y == r.y + 1)
		bl_canvas_textf(c, r.x, y, KEY_MOST, BL_PAINT_FAINT, "%d more to the right", t->diff->runs - i);
}

static void draw_diff(const bl_run_table *t, bl_canvas *c, bl_rect r)
{
	const bl_run_diff *d = t->diff;
	char *name[BL_DIFF_RUNS];
	int width = (int)bl_bounded((r.w - KEY_MOST - GAP) / d->runs - GAP, DIFF_CELL_LEAST, DIFF_CELL_MOST);
	int rows = r.h - TITLE_ROWS;
	for (int i = 0; i < d->runs; i++)
		name[i] = (char *)t->diff_name[i];
	bl_canvas_textf(c, r.x, r.y, r.w, BL_PAINT_FAINT,
	                d->rows ? "%d settings and metrics differ in %d runs; d or Esc: back"
	                        : "no setting or metric differs; d or Esc: back",
	                d->rows, d->runs);
	draw_diff_row(t, c, r, r.y + 1, BL_PAINT_TITLE, "", name, width);
	for (int i = 0; i < rows && t->diff_top + i < d->rows; i++) {
		const struct bl_diff_row *row = &d->row[t->diff_top + i];
		draw_diff_row(t, c, r, r.y + TITLE_ROWS + i, strcmp(row->part, "metric") ? BL_PAINT_TEXT : BL_PAINT_KNN, row->key,
		              row->cell, width);
	}
}

static void draw(const bl_scene *s, bl_canvas *c, bl_rect r)
{
	const bl_run_table *t = table_of(s);
	if (!t) {
		bl_canvas_text(c, r.x, r.y, r.w, BL_PAINT_WARN, "no memory for a table of runs");
		return;
	}
	if (t->diff) {
		draw_diff(t, c, r);
		return;
	}
	struct layout l = lay_out(t, r.w);
	int rows = rows_for_runs(r.h), top = first_place(t, rows);
	draw_title(t, c, r);
	draw_cells(c, r, r.y + 1, &l, BL_PAINT_FAINT, t, heading_text);
	for (int i = 0; i < rows && top + i < t->rows; i++)
		draw_row(s, c, r, r.y + TITLE_ROWS + i, top + i, &l);
	if (r.h < FOLDER_FROM_ROWS)
		return;
	const bl_run *run = bl_run_table_at(t, t->cursor);
	bool broken = run && run->broken;
	const char *last = t->problem[0] ? t->problem : broken ? run->info.message : run ? run->folder : "";
	bl_canvas_text(c, r.x, r.y + r.h - 1, r.w, t->problem[0] || broken ? BL_PAINT_WARN : BL_PAINT_FAINT, last);
}

/* --- Reading -------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool read_table(bl_scene *s)
{
	if (!table_of(s) || now_ms() < table_of(s)->read_at + READ_MS)
		return false;
	bool changed = bl_run_table_read(table_of(s));
	table_of(s)->read_at = now_ms();
	return changed;
}

/* When the table is opened for the first time, the cursor is on the run that is on the screen. */
static void enter(bl_scene *s)
{
	if (table_of(s)) {
		table_of(s)->read_at = 0;
		return;
	}
	*own_of(s) = bl_run_table_new();
	if (!table_of(s))
		return;
	read_table(s);
	for (int i = 0; i < table_of(s)->rows; i++)
		if (same_info(&bl_run_table_at(table_of(s), i)->info, &s->info))
			table_of(s)->cursor = i;
}

static void end(bl_scene *s)
{
	bl_run_table_free(table_of(s));
}

/* --- Keys ----------------------------------------------------------------------- */

/* Opens the run at the cursor.  NULL: failed, and the notice says why. */
static bl_live *open_run(bl_scene *s)
{
	const bl_run *r = bl_run_table_at(table_of(s), table_of(s)->cursor);
	bool commands = !s->read_only;
	if (!r) {
		bl_scene_notice(s, "there is no run to choose");
		return NULL;
	}
	bl_live *l = bl_runs_open(r->folder, &commands);
	if (!l)
		bl_scene_notice(s, "%s", bl_error());
	return l;
}

static void open_it(bl_scene *s)
{
	bl_live *l = open_run(s);
	if (l)
		bl_scene_switch(s, l);
}

static void mark(bl_scene *s)
{
	const bl_run *r = bl_run_table_at(table_of(s), table_of(s)->cursor);
	int i = r ? mark_of(s, r) : -1;
	if (i >= 0) { /* unmark it; the marked runs stay in one row, without gaps */
		bl_live_close(s->marked[i]);
		for (; i + 1 < BL_MARKED_MAX; i++)
			s->marked[i] = s->marked[i + 1];
		s->marked[BL_MARKED_MAX - 1] = NULL;
		return;
	}
	for (i = 0; i < BL_MARKED_MAX && s->marked[i]; i++)
		;
	if (i == BL_MARKED_MAX)
		bl_scene_notice(s, "%d runs are marked, and there are no colours for more", BL_MARKED_MAX);
	else
		s->marked[i] = open_run(s);
}

static void beside(bl_scene *s)
{
	const bl_run *r = bl_run_table_at(table_of(s), table_of(s)->cursor);
	bool remove = r && is_beside(s, r);
	bl_live *l = remove ? NULL : open_run(s);
	if (!remove && !l)
		return;
	bl_scene_compare(s, l);
	if (remove)
		bl_scene_notice(s, "the second run was removed");
	else
		bl_scene_notice(s, "the heatmap shows %s beside the run", s->other_info.name);
}

static void sort_by_next(bl_scene *s)
{
	bl_run_table_sort_by_next(table_of(s));
}

static void reverse(bl_scene *s)
{
	table_of(s)->reversed = !table_of(s)->reversed;
	bl_run_table_arrange(table_of(s));
}

/* The run at the cursor, for an action that changes its folder.  NULL: not possible, and the notice says why. */
static const bl_run *run_to_change(bl_scene *s)
{
	const bl_run *r = bl_run_table_at(table_of(s), table_of(s)->cursor);
	if (s->read_only)
		bl_scene_notice(s, "read-only: runs cannot be changed");
	else if (!r)
		bl_scene_notice(s, "there is no run to choose");
	else
		snprintf(table_of(s)->asked, sizeof table_of(s)->asked, "%s", r->id);
	return s->read_only ? NULL : r;
}

/* The run at the cursor, if it is still the one that was asked about.  NULL: it is not, and the notice says so. */
static const bl_run *run_asked_about(bl_scene *s)
{
	const bl_run_table *t = table_of(s);
	const bl_run *r = bl_run_table_at(t, t->cursor);
	if (r && strcmp(r->id, t->asked) == 0)
		return r;
	bl_scene_notice(s, "%s does not exist any more", t->asked);
	return NULL;
}

static void type_tag(bl_scene *s)
{
	bl_run_table *t = table_of(s);
	t->tagging = run_to_change(s) != NULL;
	t->tag[0] = '\0';
}

static void ask_to_delete(bl_scene *s)
{
	const bl_run *r = run_to_change(s);
	if (r && bl_run_going(r))
		bl_scene_notice(s, "%s is running: stop it first", r->info.name);
	table_of(s)->deleting = r && !bl_run_going(r);
}

static void put_tag(bl_scene *s)
{
	const bl_run_table *t = table_of(s);
	const bl_run *r = run_asked_about(s);
	bool off = t->tag[0] == '-';
	const char *tag = t->tag + off;
	bl_run_edit e = { .add = &tag, .drop = &tag, .adds = !off, .drops = off };
	if (!r)
		return;
	if (!*tag)
		bl_scene_notice(s, "no tag was typed");
	else if (bl_runs_edit(r->folder, &e) != 0)
		bl_scene_notice(s, "%s", bl_error());
	else
		bl_scene_notice(s, off ? "%s no longer has the tag %s" : "%s has the tag %s", r->info.name, tag);
}

/* Handles a key while a tag is typed: Enter sets the tag, Esc cancels. */
static void tag_key(bl_scene *s, int k)
{
	bl_run_table *t = table_of(s);
	size_t n = strlen(t->tag);
	if (k == BL_KEY(BL_KEYS_ENTER))
		put_tag(s);
	if (k == BL_KEY(BL_KEYS_ENTER) || k == BL_KEY_ESCAPE)
		t->tagging = false;
	else if (k == BL_KEY(BL_KEYS_BACKSPACE) && n > 0)
		t->tag[n - 1] = '\0';
	else if (k > ' ' && k < 127 && k != ',' && n + 1 < sizeof t->tag) {
		t->tag[n] = (char)k;
		t->tag[n + 1] = '\0';
	}
}

/* Handles the key that answers whether to move the run to the trash. */
static void answer_key(bl_scene *s, int k)
{
	bl_run_table *t = table_of(s);
	t->deleting = false;
	if (k != 'y' && k != 'Y') {
		bl_scene_notice(s, "the run was not moved");
		return;
	}
	const bl_run *r = run_asked_about(s);
	char *moved = r ? bl_runs_to_trash(r->folder) : NULL;
	if (r)
		bl_scene_notice(s, moved ? "the run was moved to %s" : "%s", moved ? moved : bl_error());
	free(moved);
	t->read_at = 0;
}

static void type_columns(bl_scene *s)
{
	bl_run_table *t = table_of(s);
	t->choosing = true;
	snprintf(t->names_typed, sizeof t->names_typed, "%s", t->names);
}

/* Handles a key while names of columns are typed: Enter shows the columns if all names are known, Esc cancels. */
static void columns_key(bl_scene *s, int k)
{
	bl_run_table *t = table_of(s);
	size_t n = strlen(t->names_typed);
	if (k == BL_KEY(BL_KEYS_ENTER)) {
		t->choosing = false;
		if (bl_run_table_choose(t, t->names_typed) != 0)
			bl_scene_notice(s, "%s", bl_error());
		else if (!t->names[0])
			bl_scene_notice(s, "the default columns");
	} else if (k == BL_KEY_ESCAPE)
		t->choosing = false;
	else if (k == BL_KEY(BL_KEYS_BACKSPACE) && n > 0)
		t->names_typed[n - 1] = '\0';
	else if (k >= ' ' && k < 127 && n + 1 < sizeof t->names_typed) {
		t->names_typed[n] = (char)k;
		t->names_typed[n + 1] = '\0';
	}
}

/* Shows the difference of the marked runs, in the order of the table, and the one at the cursor. */
static void show_diff(bl_scene *s)
{
	bl_run_table *t = table_of(s);
	const char *id[BL_DIFF_RUNS];
	int n = 0;
	for (int i = 0; i < t->rows && n < BL_DIFF_RUNS; i++) {
		const bl_run *r = bl_run_table_at(t, i);
		if (i != t->cursor && mark_of(s, r) < 0)
			continue;
		snprintf(t->diff_name[n], BL_FACT_NAME, "%s", r->info.name);
		id[n++] = r->id;
	}
	if (n < 2) {
		bl_scene_notice(s, "mark runs with m, and put the cursor on another one");
		return;
	}
	t->diff = bl_run_diff_read(id, n);
	t->diff_top = 0;
	if (!t->diff)
		bl_scene_notice(s, "%s", bl_error());
}

static void leave_diff(bl_run_table *t)
{
	bl_run_diff_free(t->diff);
	t->diff = NULL;
}

/* Scrolls by a number of rows, at most to the first or the last. */
static void move_diff(bl_run_table *t, int by)
{
	int64_t top = (int64_t)t->diff_top + by, last = t->diff->rows > 0 ? t->diff->rows - 1 : 0;
	t->diff_top = (int)bl_bounded(top, 0, last);
}

static void type_filter(bl_scene *s)
{
	table_of(s)->typing = true;
}

static void go_back(bl_scene *s)
{
	bl_scene_switch(s, s->home);
}

static const int moves[BL_REQUEST_COUNT] = {
	[BL_REQUEST_RUN_UP] = -1,          [BL_REQUEST_RUN_DOWN] = 1,        [BL_REQUEST_RUN_PAGE_UP] = -PAGE,
	[BL_REQUEST_RUN_PAGE_DOWN] = PAGE, [BL_REQUEST_RUN_FIRST] = INT_MIN, [BL_REQUEST_RUN_LAST] = INT_MAX,
};

static void (*const actions[BL_REQUEST_COUNT])(bl_scene *s) = {
	[BL_REQUEST_RUN_OPEN] = open_it,       [BL_REQUEST_RUN_BACK] = go_back,         [BL_REQUEST_RUN_MARK] = mark,
	[BL_REQUEST_RUN_BESIDE] = beside,      [BL_REQUEST_RUN_SORT] = sort_by_next,    [BL_REQUEST_RUN_REVERSE] = reverse,
	[BL_REQUEST_RUN_FILTER] = type_filter, [BL_REQUEST_RUN_COLUMNS] = type_columns, [BL_REQUEST_RUN_DIFF] = show_diff,
	[BL_REQUEST_RUN_TAG] = type_tag,       [BL_REQUEST_RUN_DELETE] = ask_to_delete,
};

static void act(bl_scene *s, bl_request r)
{
	if (table_of(s) && table_of(s)->diff) {
		if (moves[r])
			move_diff(table_of(s), moves[r]);
		else if (r == BL_REQUEST_RUN_DIFF)
			leave_diff(table_of(s));
		return;
	}
	if (table_of(s) && moves[r])
		bl_run_table_move(table_of(s), moves[r]);
	if (table_of(s) && actions[r])
		actions[r](s);
}

/* Cuts the filter after n characters, appends a letter (0: none), and filters the table again. */
static void set_filter(bl_run_table *t, size_t n, int letter)
{
	if (n + 1 >= sizeof t->filter)
		return;
	t->filter[n] = (char)letter;
	if (letter)
		t->filter[n + 1] = '\0';
	bl_run_table_arrange(t);
}

/* Handles keys while a filter, a tag, names of columns or an answer is typed.  Esc removes the filter. */
static bool key(bl_scene *s, int k)
{
	bl_run_table *t = table_of(s);
	if (t && (t->tagging || t->deleting || t->choosing)) {
		(t->tagging ? tag_key : t->deleting ? answer_key : columns_key)(s, k);
		return true;
	}
	if (t && t->diff && k == BL_KEY_ESCAPE) {
		leave_diff(t);
		return true;
	}
	if (!t || (!t->typing && (k != BL_KEY_ESCAPE || !t->filter[0])))
		return false;
	size_t n = strlen(t->filter);
	if (k == BL_KEY_ESCAPE)
		set_filter(t, 0, 0);
	if (k == BL_KEY_ESCAPE || k == BL_KEY(BL_KEYS_ENTER))
		t->typing = false;
	else if (k == BL_KEY(BL_KEYS_BACKSPACE) && n > 0)
		set_filter(t, n - 1, 0);
	else if (k >= ' ' && k < 127)
		set_filter(t, n, k);
	return true;
}

/* A click moves the cursor to the run in the row; a click on the run at the cursor opens it. */
static void click(bl_scene *s, int y)
{
	bl_run_table *t = table_of(s);
	bl_rect r = bl_frame_room(s, s->on->width, s->on->height);
	int rows = rows_for_runs(r.h), row = y - r.y - TITLE_ROWS, place = first_place(t, rows) + row; /* of the clicked row */
	if (row < 0 || row >= rows || !bl_run_table_at(t, place))
		return;
	if (place == t->cursor)
		open_it(s);
	else
		bl_run_table_move(t, place - t->cursor);
}

static void mouse(bl_scene *s, bl_mouse m)
{
	const bl_run_table *t = table_of(s);
	if (!t || t->typing || t->tagging || t->deleting || t->choosing) /* what is typed is about the run at the cursor */
		return;
	int by = m.kind == BL_MOUSE_WHEEL_UP ? -1 : m.kind == BL_MOUSE_CLICK ? 0 : 1;
	if (table_of(s)->diff)
		move_diff(table_of(s), by);
	else if (by)
		bl_run_table_move(table_of(s), by);
	else if (s->on)
		click(s, m.y);
}

/* --- Files ---------------------------------------------------------------------- */

static void write_runs(const bl_scene *s, FILE *f)
{
	const bl_run_table *t = table_of(s);
	for (int c = 0; c < t->columns; c++)
		fprintf(f, "%s,", t->column[c].heading);
	fputs("folder\n", f);
	for (int i = 0; i < t->rows; i++) {
		const bl_run *run = bl_run_table_at(t, i);
		for (int c = 0; c < t->columns; c++) {
			char cell[CELL_TEXT];
			bl_run_table_text(t, run, &t->column[c], cell, sizeof cell);
			bl_export_field(f, cell);
			fputc(',', f);
		}
		bl_export_field(f, run->folder);
		fputc('\n', f);
	}
}

/* Saves the runs that are shown, in their order. */
static int save(bl_scene *s, const char *stem)
{
	int rc = table_of(s) ? bl_export_table(s, stem, write_runs) : bl_fail("there is no table");
	if (rc == 0)
		bl_scene_notice(s, "the runs shown are in %s.csv", stem);
	return rc;
}

const bl_view_ops bl_view_runs = {
	.name = "runs",
	.scope = BL_SCOPE_RUNS,
	.draw = draw,
	.private_size = sizeof(bl_run_table *),
	.end = end,
	.act = act,
	.enter = enter,
	.key = key,
	.read = read_table,
	.mouse = mouse,
	.save = save,
};
