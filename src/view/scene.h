/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/scene.h: the data of all views: the state of the run as it was last read, and the display settings.
 *
 * The scene contains what was read of the run, and what all views share.
 * A view is a const table of functions at the end of its own file; its state between
 * frames has a type that only its file knows.
 */
#ifndef BARLOW_VIEW_SCENE_H
#define BARLOW_VIEW_SCENE_H

#include "view/canvas.h"
#include "view/run_journal.h"
#include "view/heat.h"
#include "live/history.h"
#include "view/keys.h"

struct bl_view_ops;

enum { BL_MARKED_MAX = 8 };

typedef struct bl_scene {
	bl_live *run, *home;                    /* the run on the screen, and the first one: borrowed */
	const struct bl_view_ops *const *views; /* ended by NULL; the first is shown first */
	const struct bl_view_ops *view, *before_help;
	bool read_only;
	bool interrupt_stops; /* Ctrl-C stops the first run; otherwise it only leaves the screen */
	bool still;           /* a single frame as text, without hints about keys */

	/* The state of the run, as last read. */
	bl_live_info info;
	bl_history history;
	bl_snapshot snapshot; /* step -1: none yet */
	uint64_t snapshots;   /* how many the run had published when `snapshot` was read; 0: read the newest in any case */
	bl_journal journal;
	bool lost; /* the trainer's process died with the run unfinished */

	/* Runs to compare with, marked in the table of runs; the scene holds a reference on each.  NULL: none. */
	bl_live *marked[BL_MARKED_MAX];

	/* A second run, shown beside the first, or NULL. */
	bl_live *other;
	bl_live_info other_info;
	bl_snapshot other_snapshot;
	uint64_t other_snapshots;

	/* The region that was last requested from the run, and when (ms). */
	bl_region asked;
	int64_t asked_at;
	int64_t followed_at; /* ms; when a resumed file of a dead run was last searched for */

	/* Display settings. */
	const bl_canvas *on; /* the canvas that was last shown, borrowed; NULL: none yet */
	bl_heat_style heat;
	int frames_per_s;    /* 0: as the view needs */
	bl_depth depth_most; /* limit on colours, if the terminal has more */
	bool ascii;
	bool flip_background;
	bool asking;      /* "stop training?" is on the screen */
	char notice[256]; /* the effect of the last key */
	bool knn_asked;   /* the last key requested kNN, whose result will be shown */
	double turned;    /* the value of the loss's first parameter that was sent, but is in no record yet; NaN: none */
	int64_t turned_at;

	void *own[BL_SCOPES]; /* the states of the views: bl_scene_own */
} bl_scene;

typedef struct bl_view_ops {
	const char *name;
	bl_scope scope; /* of the view and of its own requests in keys.h */
	void (*draw)(const bl_scene *s, bl_canvas *c, bl_rect r);
	/* The following members may be missing. */
	size_t private_size;                    /* size of its state, which is all 0 at first */
	void (*start)(bl_scene *s);             /* called for a new scene, and when another run is opened */
	void (*end)(bl_scene *s);               /* called before the scene is freed */
	void (*act)(bl_scene *s, bl_request r); /* carries out a request of the view's scope */
	void (*enter)(bl_scene *s);             /* the view is opened */
	bool (*key)(bl_scene *s, int key);      /* gets each key before keys.h, to type text; true: it used the key */
	bool (*read)(bl_scene *s);              /* called while it is shown, to read more; true: something has changed */
	void (*mouse)(bl_scene *s, bl_mouse m);
	void (*want)(const bl_scene *s, bl_region *r); /* fills in what the run has to compute while the view is shown */
	int64_t (*step)(const bl_scene *s);            /* the step that it shows, if that may differ from the run's */
	int (*save)(bl_scene *s, const char *stem);    /* saves files stem + ending, named in the notice; negative: failed */
} bl_view_ops;

#define V(view, ops, key, word, heading, help) extern const bl_view_ops bl_view_##ops;
BL_VIEWS(V)
#undef V
extern const bl_view_ops bl_view_help;

bl_scene *bl_scene_new(bl_live *run); /* view_list.c: with all views; the run is borrowed */
bl_scene *bl_scene_of(bl_live *run, const bl_view_ops *const *views);
void bl_scene_free(bl_scene *s);

/* The view's own state: private_size bytes. */
void *bl_scene_own(const bl_scene *s, const bl_view_ops *view);

/* Opens another run and takes over the caller's reference to it; run == s->home: returns to the first run, which is borrowed. */
void bl_scene_switch(bl_scene *s, bl_live *run);
bool bl_scene_at_home(const bl_scene *s);

/* Reads new data of the run.  Returns true if something that a view shows has changed. */
bool bl_scene_read(bl_scene *s);

/* Sets the notice that the footer shows until the next key. */
void bl_scene_notice(bl_scene *s, const char *fmt, ...) BL_PRINTF(2, 3);

/* Shows `other` beside the run and takes over the caller's reference to it; NULL: shows no second run any more. */
void bl_scene_compare(bl_scene *s, bl_live *other);

/* The terminal's abilities, limited and changed by the display settings. */
bl_ability bl_scene_ability(const bl_scene *s, bl_ability terminal);

bool bl_scene_over(const bl_scene *s);           /* done, stopped or failed */
double bl_scene_seconds_left(const bl_scene *s); /* NaN: unknown */
double bl_scene_knn(const bl_scene *s);          /* the last measured, or NaN */

#endif
