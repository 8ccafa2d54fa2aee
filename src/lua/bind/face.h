/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * face.h: declarations that the bindings share.
 *
 * A binding file implements one module of the Lua face (l_tensor.c: `tensor`).  It uses include/barlow/, kit/ and this header
 * only.  Errors of the library become Lua errors in these files only.
 */
#ifndef BARLOW_LUA_BIND_FACE_H
#define BARLOW_LUA_BIND_FACE_H

#include <barlow/augment.h>
#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/figure.h>
#include <barlow/grad.h>
#include <barlow/loss.h>
#include <barlow/nn.h>
#include <barlow/optim.h>
#include <barlow/place.h>
#include <barlow/tensor.h>
#include <barlow/train.h>

#include "lua/kit/function.h"
#include "lua/kit/kit.h"

/* Names of metatables, which are also the names of the types in messages. */
#define BL_T_MODULE "module"
#define BL_T_PIPELINE "pipeline"
#define BL_T_VIEWS "pipelines"
#define BL_T_DATASET "dataset"
#define BL_T_LOSS "loss"
#define BL_T_OPTIM "optimiser"
#define BL_T_SCHEDULE "schedule"
#define BL_T_TRAINER "trainer"
#define BL_T_FIGURE "figure"

/* A small run with which examples in the help begin. */
#define BL_EXAMPLE_RUN \
	"trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, " \
	"projector = {8}, batch = 32, epochs = 1}"

/* --- objects and their types --- */

/*
 * bl_lua_give_... push the object, taking the reference; they raise bl_error() if it is NULL.  bl_lua_module and similar ones
 * return the object at `arg`, borrowed; they raise an error if it has another type.
 */
int bl_lua_give_module(lua_State *L, bl_module *m);
int bl_lua_give_dataset(lua_State *L, bl_dataset *d);
int bl_lua_give_pipeline(lua_State *L, bl_pipeline *p);
bl_module *bl_lua_module(lua_State *L, int arg);
bl_dataset *bl_lua_dataset(lua_State *L, int arg);
bl_loss *bl_lua_loss(lua_State *L, int arg);
int bl_lua_give_loss(lua_State *L, bl_loss *l);
/* Pushes a copy of the loss on top with these settings instead of its own. */
int bl_lua_give_loss_with(lua_State *L, const double settings[BL_LOSS_ROOM]);
bl_trainer *bl_lua_trainer(lua_State *L, int arg);
const bl_optim_config *bl_lua_optim(lua_State *L, int arg);
extern const bl_lua_function bl_lua_optim_recipes[];                    /* optim_recipes.c */
bl_schedule bl_lua_schedule(lua_State *L, int index, const char *what); /* from a trainer's setting: l_optim.c */

/* One pipeline for each view, and a function that changes whole batches of them.  n 0: the paper's two. */
typedef struct bl_pipelines {
	int n;
	bl_pipeline *view[BL_VIEWS_MOST];
	bl_batch_aug *batch_aug; /* may be NULL */
} bl_pipelines;
bl_pipelines *bl_lua_push_views(lua_State *L); /* of type BL_T_VIEWS, without any yet */

/* --- parts of data sets, and sets of sets (l_data_parts.c); data sets as text and pictures (l_data_look.c; lua/look.lua) --- */

extern const bl_lua_function bl_lua_data_parts[]; /* methods of data sets that make another set */
extern const bl_lua_function bl_lua_data_look[];  /* other ones */
int bl_lua_dataset_text(lua_State *L);            /* their __tostring */
/* Pushes a userdata with n labels, counted from 0, from the list or tensor at `index`, where they are counted from 1 (objects.c). */
int32_t *bl_lua_labels(lua_State *L, int index, int64_t n);

/* Pushes an image, (H,W,C), as a tensor (C,H,W); bytes become values 0..1, floats are copied (objects.c). */
void bl_lua_push_image(lua_State *L, const bl_image *im);

/* --- vectors of features (l_vectors.c) --- */

int bl_lua_make_vectors(lua_State *L); /* data.vectors; its fields: */
extern const bl_field bl_lua_vectors_fields[];
extern const bl_lua_function bl_lua_aug_vectors[]; /* in aug */

/* --- data sets by functions (func_data.c) --- */

int bl_lua_make_func_data(lua_State *L); /* data.func; its fields: */
extern const bl_field bl_lua_func_data_fields[];
int bl_lua_make_map(lua_State *L); /* ds:map; its fields: */
extern const bl_field bl_lua_map_fields[];

/* --- data sets by recorded paths (recorded.c) --- */

#define BL_DATA_VARIABLE "BARLOW_DATA" /* for data that are no longer at the recipe's path; barlow resume --data */

typedef struct bl_recorded {
	bl_dataset *(*open)(void *ctx, const char *first, const char *second);
	void *ctx;
	const char *first, *second; /* paths; second may be NULL */
	const char *fingerprint;    /* NULL: no fingerprint is checked, and first and second are opened as given */
} bl_recorded;

/* Returns a new set whose files match the fingerprint, or NULL with bl_error. */
bl_dataset *bl_lua_open_recorded(const bl_recorded *r);
/* Makes later searches for moved files look below that path (--data) instead of BARLOW_DATA.  Negative with bl_error. */
int bl_lua_set_data_path(const char *path);
int bl_lua_data_found(lua_State *L); /* data_found(): raises an error if none of the sets opened since were found */
int bl_lua_origin(lua_State *L);     /* l_data.c, for lua/recipe.lua */
int bl_lua_content(lua_State *L);
/* l_module.c: adds {method, arguments at 2 and 3} to the source of the object at 1: a recipe repeats the call. */
void bl_lua_remember(lua_State *L, const char *method);

/* --- views (views.c) --- */

typedef struct bl_lua_views {
	int n;
	bl_pipeline *view[BL_VIEWS_MOST]; /* kept alive, like batch_aug, by the value that was pushed */
	bl_batch_aug *batch_aug;
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST]; /* for images without augmentation */
} bl_lua_views;

#define BL_LUA_VIEWS "a pipeline, or several (aug.twin, aug.paper, aug.views)"
/*
 * Reads key `views` of the table: several pipelines, or one for two views.  If the key is missing, the paper's two
 * pipelines at the size of d's images are stored there.
 */
bl_lua_views bl_lua_views_of(lua_State *L, int table, const char *what, bl_dataset *d);

/* --- where runs are saved (l_runs.c) --- */

/* The object of type BL_T_TRAINER. */
typedef struct bl_lua_run {
	bl_trainer *trainer; /* NULL once it was closed */
	bl_place *place;
} bl_lua_run;

bl_place *bl_lua_place(lua_State *L, int index); /* of the trainer there */
/* Makes the folder of the trainer's run, once; if that fails the run stays in memory, with a message. */
void bl_lua_place_run(lua_State *L, int index);
/* Prints to standard error which runs of this process ended without being saved; each once. */
void bl_lua_report_unsaved(void);
/* If the run is over, prints to standard error that `what`, the name of a method, has no effect any more, and returns true. */
bool bl_lua_report_over(bl_trainer *t, const char *what);
/* Prints problems of the run (bl_trainer_trouble) to standard error. */
void bl_lua_report_trouble(bl_trainer *t);
/* Pushes the start of the trainer at `index`: false: freshly drawn weights, true: other weights, or the path of stored ones. */
void bl_lua_push_start(lua_State *L, int index);
void bl_lua_recipe(lua_State *L, int index); /* pushes the trainer's recipe */

/* --- choices of convolution algorithms (l_tune.c) --- */

/* Applies the environment and the file of tuned choices from now on; prints problems to standard error, once. */
void bl_lua_tuned(void);
/* Reads key `convolution` of the table; what is pushed keeps the result alive; NULL: none. */
const bl_choices *bl_lua_choices_of(lua_State *L, int table, const char *what);
void bl_lua_push_choices(lua_State *L, const bl_choices *t); /* pushes it as such a table, or nil if it is empty */
/* For lua/tune.lua. */
int bl_lua_tune_names(lua_State *L);
int bl_lua_tune_trainer(lua_State *L);
int bl_lua_tune_module(lua_State *L);
int bl_lua_tune_measure(lua_State *L);
int bl_lua_tune_load(lua_State *L);
int bl_lua_tune_renew(lua_State *L);
int bl_lua_tune_path(lua_State *L);

/* --- for lua/profile.lua (l_profile.c) and lua/runs.lua (l_runs.c) --- */

int bl_lua_profile_start(lua_State *L);
int bl_lua_profile_stop(lua_State *L);
int bl_lua_profile_rows(lua_State *L);
int bl_lua_profile_ceiling(lua_State *L);
int bl_lua_runs(lua_State *L);                           /* list of tables, newest first */
int bl_lua_run_file(lua_State *L);                       /* (folder): run.json as a table; l_run_file.c */
int bl_lua_run_change(lua_State *L);                     /* its tags and notes */
int bl_lua_run_records(lua_State *L);                    /* (folder): as t.records has them */
int bl_lua_run_remove(lua_State *L);                     /* (folder, forever): returns its new place */
int bl_lua_run_size(lua_State *L);                       /* (folder): bytes on disk */
int bl_lua_run_tidy(lua_State *L);                       /* (folder[, dry]): files and bytes of killed saves */
int bl_lua_write_file(lua_State *L);                     /* (path, text[, private]) */
int bl_lua_write_array(lua_State *L);                    /* (path, tensor), private */
bl_figure *bl_lua_figure(lua_State *L, int index);       /* l_figure.c */
int bl_lua_give_figure(lua_State *L, bl_figure *f);      /* NULL: raises */
int bl_lua_add_figure(lua_State *L);                     /* adds the functions of lua/figure.lua to the table on top */
int bl_lua_push_records(lua_State *L, const bl_live *l); /* trainer_object.c */
int bl_lua_give_records(lua_State *L, bl_live *l);       /* takes over the live file */
int bl_lua_index(lua_State *L);                          /* the index of runs and queries; l_runs_index.c */
int bl_lua_index_query(lua_State *L);
int bl_lua_index_problem(lua_State *L);
void bl_lua_define_index(lua_State *L);
void bl_lua_push_runs(lua_State *L);  /* l_runs_face.c: the table `runs`, which can be called */
void bl_lua_push_sweep(lua_State *L); /* l_sweep_face.c: the table `sweep`, which can be called */
int bl_lua_runs_root(lua_State *L);   /* runs_root(): the folder of all runs */
int bl_lua_board_open(lua_State *L);  /* board_open(): a screen of text; l_board.c */
int bl_lua_board_blank(lua_State *L); /* board_blank(width, height): the same without a terminal */
int bl_lua_run_watch(lua_State *L);   /* (live file[, read_only]) */

int bl_lua_trainers(lua_State *L);                 /* trainers(): those of this state in the order of construction; l_run.c */
void bl_lua_note_trainer(lua_State *L, int index); /* the trainer there is one of them */

/* --- journals (l_journal.c) --- */

int bl_lua_journal(lua_State *L);       /* trainer.journal */
int bl_lua_break_when(lua_State *L);    /* trainer:break_when(f); l_break.c */
int bl_lua_write_journal(lua_State *L); /* native.write_journal(path, trainer): writes the journal as in a run's folder */
void bl_lua_add_replay(lua_State *L);   /* adds the functions of lua/replay.lua to native; l_replay.c */
extern const bl_field bl_lua_at_fields[], bl_lua_first_fields[];
int bl_lua_at_break(lua_State *L);                                           /* native.at_break(trainer) */
void bl_lua_push_record(lua_State *L, const bl_live *l, const bl_record *r); /* by names; l_run.c */
int bl_lua_replay(lua_State *L);                                             /* trainer:replay(journal[, from[, to]]) */
int bl_lua_read_journal(lua_State *L);                                       /* (path): a list of tables, for lua/runs.lua */

/* --- checkpoints (l_checkpoint.c) --- */

int bl_lua_checkpoint(lua_State *L);        /* trainer:checkpoint([path]) */
int bl_lua_load_checkpoint(lua_State *L);   /* trainer:load_checkpoint(path) */
int bl_lua_may_set(lua_State *L);           /* (trainer, name, value) */
extern const bl_field bl_lua_fork_fields[]; /* of t:fork and runs.fork */
int bl_lua_run_checkpoint(lua_State *L);    /* (folder, step): its file */
int bl_lua_run_resumable(lua_State *L);     /* ([run]): its folder */

/* --- functions as layers (func.c) --- */

/* Returns a module that calls the Lua function, or value of one, at `index`: a new reference, or NULL with bl_error. */
bl_module *bl_lua_func(lua_State *L, int index, const char *name);

/* --- functions as losses (func_loss.c) --- */

/* Returns a loss whose only term the function at `index` computes: a new reference, or NULL with bl_error. */
bl_loss *bl_lua_func_loss(lua_State *L, int index);
int bl_lua_make_func_loss(lua_State *L); /* loss.func; its fields: */
/* Compares two losses that are functions; *of_functions tells whether either of them is one. */
bool bl_lua_func_loss_same(const bl_loss *l, const bl_loss *k, bool *of_functions);
extern const bl_field bl_lua_func_loss_fields[];

/* --- pipelines of pipelines, and changed ones (l_aug_change.c) --- */

extern const bl_lua_function bl_lua_aug_change[]; /* in aug */
int bl_lua_pipelines_equal(lua_State *L);         /* __eq of both types */

/* --- looking at views (l_aug_look.c; lua/look.lua) --- */

extern const bl_lua_function bl_lua_aug_look[]; /* in aug */

/* --- ramps (l_aug_ramp.c) --- */

enum { BL_LUA_RAMPS_MOST = 32 };
/* A ramp of a field, linear over the epochs, from its own value to these values. */
typedef struct bl_lua_ramp {
	const bl_field *field;
	int n;
	double to[BL_LIST_MOST];
	int64_t epochs;
} bl_lua_ramp;
typedef struct bl_lua_ramps {
	int n;
	bl_lua_ramp ramp[BL_LUA_RAMPS_MOST];
} bl_lua_ramps;
extern const bl_lua_function bl_lua_aug_ramp[]; /* in aug */
void bl_lua_define_ramp(lua_State *L);
/* Like bl_lua_take; if a field has a ramp, `out` has its first values. */
void bl_lua_take_ramps(lua_State *L, void *out, bl_lua_ramps *ramps);
/* Adds the ramps to an operator that was made with the first values.  0, or negative with bl_error. */
int bl_lua_set_ramps(bl_aug *a, const bl_lua_ramps *ramps);
/*
 * Replaces a ramp at `index` by its first values; returns false if there is none.  Raises an error if its last values are
 * out of range.
 */
bool bl_lua_ramp_of(lua_State *L, int index, const char *what, const bl_field *f, bl_lua_ramp *out);
int bl_lua_look_draw(lua_State *L);
int bl_lua_look_time(lua_State *L);
int bl_lua_look_text(lua_State *L);
int bl_lua_look_sheet(lua_State *L);

/* --- functions as image operators (func_aug.c), and what they draw from (l_rng.c) --- */

/* Returns a copy of the function at `index` that runs sandboxed on every thread and keeps no state, or NULL with bl_error. */
bl_function *bl_lua_constant_function(lua_State *L, int index);
int bl_lua_make_func_aug(lua_State *L); /* aug.func; its fields: */
/* Returns a batch augmentation by the function at `index`, within the limits (func_batch.c), or NULL with bl_error. */
bl_batch_aug *bl_lua_func_batch(lua_State *L, int index, const bl_lua_limits *limits);
extern const bl_field bl_lua_func_aug_fields[];
void bl_lua_define_rng(lua_State *L);
void bl_lua_push_rng(lua_State *L); /* an object that draws from the call's stream */

/* --- sandboxed states (sandbox.c): the modules in them --- */

int bl_lua_open_sandbox(lua_State *L);
/* Removes from the module on top, and from its objects, all functions that read, write or run something. */
void bl_lua_withhold(lua_State *L, const char *module);
/*
 * Registers the values that are passed between states by name, with barlow's table on top: Lua's libraries, and the
 * modules of the sandbox.
 */
void bl_lua_name_modules(lua_State *L);
/* modules.c: loads one of barlow's Lua files, or all of them (NULL), for bl_lua_call_module. */
void bl_lua_preload(lua_State *L, const char *module);

/* --- modules of the face: each pushes its table --- */

int bl_lua_open_tensor(lua_State *L);
int bl_lua_open_nn(lua_State *L);
void bl_lua_define_module(lua_State *L); /* l_module.c: the class behind nn's constructors */
int bl_lua_open_aug(lua_State *L);
int bl_lua_open_data(lua_State *L);
void bl_lua_define_loader(lua_State *L);
extern const bl_lua_function bl_lua_loader[]; /* l_loader.c: data.loader */
int bl_lua_open_loss(lua_State *L);
int bl_lua_open_optim(lua_State *L);
int bl_lua_open_trainer(lua_State *L);
void bl_lua_define_trainer(lua_State *L); /* l_run.c: the class behind it */
int bl_lua_open_eval(lua_State *L);
int bl_lua_open_plot(lua_State *L);
int bl_lua_interruptible(lua_State *L); /* native.c: interruptible(f, ...) */
int bl_lua_open_native(lua_State *L);   /* for lua/ only, as "barlow.native" */

/* parts of the tensor class, one file each */
extern const bl_lua_function bl_lua_tensor_ops[];     /* l_tensor_ops.c: methods */
extern const bl_lua_function bl_lua_tensor_linalg[];  /* l_tensor_linalg.c: methods */
extern const bl_lua_function bl_lua_tensor_selects[]; /* l_tensor_select.c: methods */
int bl_lua_tensor_where(lua_State *L);                /* l_tensor_select.c: tensor.where(mask, a, b) */
extern const bl_lua_function bl_lua_tensor_shapes[];  /* l_tensor_shape.c: methods */
extern const luaL_Reg bl_lua_tensor_meta[];           /* l_tensor_ops.c: operators */
/* Returns the tensor at `arg`, to which `what` writes; raises an error if it is a read-only upvalue that threads share. */
bl_tensor *bl_lua_writable_tensor(lua_State *L, int arg, const char *what);
int bl_lua_tensor_element(lua_State *L); /* l_tensor_index.c: t[i], t[{i, j}] */
int bl_lua_tensor_assign(lua_State *L);  /* l_tensor_index.c: t[i] = v */
/* Converts nested tables (or a number) at `index` to a tensor; raises an error for ragged ones. */
bl_tensor *bl_lua_tensor_from_table(lua_State *L, int index);

/*
 * Pushes Lua code that makes an object equal to the one at `index` (lua/printed.lua).  Returns false, and pushes
 * nothing, if the object has no source, or in a sandboxed state.
 */
bool bl_lua_as_recipe(lua_State *L, int index);
int bl_lua_module_layers(lua_State *L);
int bl_lua_module_origin(lua_State *L);

/* Calls function `name` of Lua module `module` ("barlow.show") on the nargs values on top; returns the number of results. */
int bl_lua_call_module(lua_State *L, const char *module, const char *name, int nargs);

/* Calls a constructor, "nn" and "mlp", on the nargs values on top; leaves one result. */
void bl_lua_call_maker(lua_State *L, const char *module, const char *name, int nargs);

/* What `require "barlow"` calls: the table of modules. */
int luaopen_barlow(lua_State *L);
/* Sets the modules as globals, for the barlow program. */
void bl_lua_open_globals(lua_State *L);

/* Seed for the next random draw of this state: (manual seed, how many draws before). */
uint64_t bl_lua_next_seed(lua_State *L);

#endif
