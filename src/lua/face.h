/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * face.h: what the bindings share: objects, constructor tables, errors, and the states that functions run in.
 *
 * A binding file owns one module of the Lua face (l_tensor.c: `tensor`).  It is
 * written against include/barlow/ and this header only, and is the only place
 * where an error of the library becomes an error of Lua.
 */
#ifndef BARLOW_LUA_FACE_H
#define BARLOW_LUA_FACE_H

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include <barlow/augment.h>
#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/grad.h>
#include <barlow/loss.h>
#include <barlow/nn.h>
#include <barlow/optim.h>
#include <barlow/tensor.h>
#include <barlow/train.h>

/* Metatable names, which are also what messages call the things. */
#define BL_T_TENSOR "tensor"
#define BL_T_MODULE "module"
#define BL_T_PIPELINE "pipeline"
#define BL_T_TWIN "pair of pipelines"
#define BL_T_DATASET "dataset"
#define BL_T_LOSS "loss"
#define BL_T_OPTIM "optimiser"
#define BL_T_SCHEDULE "schedule"
#define BL_T_TRAINER "trainer"
#define BL_T_FIGURE "figure"

/* --- objects (object.c) --- */

/* Pushes a zeroed userdata of `type`.  User value 1 is its source (what made it, for recipes), 2 the binding's own. */
void *bl_lua_new(lua_State *L, const char *type, size_t size);
void *bl_lua_check(lua_State *L, int arg, const char *type);
void *bl_lua_test(lua_State *L, int arg, const char *type); /* NULL when it is something else */

typedef struct bl_lua_class {
	const char *type;
	const luaL_Reg *meta;       /* __gc, __call, __tostring, operators */
	const luaL_Reg *methods;    /* o:name(...) */
	const luaL_Reg *properties; /* o.name: called with the object alone, pushes one value */
	lua_CFunction element;      /* o[key] for keys that are none of these; pushes one value or none; may be NULL */
} bl_lua_class;
void bl_lua_define(lua_State *L, const bl_lua_class *c);

/*
 * Adds constructors to the table on top, as "<module>.<name>": what they make
 * remembers name and arguments as its source, from which recipes are written.
 */
void bl_lua_constructors(lua_State *L, const char *module, const luaL_Reg *list);
void bl_lua_constructor(lua_State *L, const char *name, lua_CFunction fn); /* pushes one: "trainer" */
/* Pushes o's source, {call = "nn.linear", n = 2, 3, 4}, or nil. */
void bl_lua_source(lua_State *L, int index);

/* Raises the library's message, with the place in the script. */
int bl_lua_fail(lua_State *L);
/* Prints what is at `index`, for a message: "string 'abc'", "number 3", "tensor (2, 3)". */
const char *bl_lua_describe(lua_State *L, int index);

/* Takes the reference; raises bl_error() when t is NULL. */
int bl_lua_give_tensor(lua_State *L, bl_tensor *t);
int bl_lua_give_module(lua_State *L, bl_module *m);
int bl_lua_give_dataset(lua_State *L, bl_dataset *d);
int bl_lua_give_pipeline(lua_State *L, bl_pipeline *p);
bl_tensor *bl_lua_tensor(lua_State *L, int arg);
bl_module *bl_lua_module(lua_State *L, int arg);
bl_dataset *bl_lua_dataset(lua_State *L, int arg);
bl_trainer *bl_lua_trainer(lua_State *L, int arg);
const bl_optim_config *bl_lua_optim(lua_State *L, int arg);

typedef struct bl_twin { bl_pipeline *first, *second; } bl_twin;

/* --- views (views.c) --- */

typedef struct bl_lua_views {
	bl_pipeline *first, *second; /* kept alive by what was pushed */
	float mean[4], std[4];       /* for images without augmentation */
} bl_lua_views;

/* Key `views` of the table: a pair, a pipeline for both, or nothing: the paper's at the size of the images. */
bl_lua_views bl_lua_views_of(lua_State *L, int table, const char *what, bl_dataset *d);

/* --- where runs are kept (l_runs.c) --- */

typedef struct bl_lua_saver {
	bl_module *roots[2]; /* encoder, projector */
	int n;
	const char *path;
} bl_lua_saver;

/* Of the trainer at `index`. */
bl_lua_saver bl_lua_saver_of(lua_State *L, int index, const char *path);
int bl_lua_save_weights(void *saver); /* negative with bl_error */
/* Gives the trainer's run its folder, once; where that cannot be the run stays in memory, and this is said. */
void bl_lua_place_run(lua_State *L, int index);
void bl_lua_recipe(lua_State *L, int index); /* pushes the trainer's recipe */

/* --- choices of convolution algorithms (l_tune.c) --- */

/* What the environment and the file of tuned choices say is in force from now on; complains on standard error, once. */
void bl_lua_tuned(void);
/* Key `convolution` of the table, kept alive by what is pushed; NULL: there is none. */
const bl_choices *bl_lua_choices_of(lua_State *L, int table, const char *what);
void bl_lua_push_choices(lua_State *L, const bl_choices *t); /* as such a table; nil where it is empty */
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
int bl_lua_runs(lua_State *L);      /* list of tables, newest first */
int bl_lua_run_watch(lua_State *L); /* (live file[, read_only]) */

/* --- checkpoints (l_checkpoint.c) --- */

int bl_lua_checkpoint(lua_State *L);      /* trainer:checkpoint([path]) */
int bl_lua_load_checkpoint(lua_State *L); /* trainer:load_checkpoint(path) */
int bl_lua_run_resumable(lua_State *L);   /* ([run]): its folder */

/* --- constructor tables (check.c) --- */

typedef enum bl_key_kind {
	BL_KEY_INT, BL_KEY_INT64, BL_KEY_FLOAT, BL_KEY_DOUBLE, /* numbers of that C type */
	BL_KEY_BOOL,
	BL_KEY_TEXT,   /* const char *, alive as long as the table */
	BL_KEY_CHOICE, /* one of `choices`: its index, an int (an enum) */
	BL_KEY_FLOATS, /* `count` floats: a list, or one number for all */
	BL_KEY_LIST,   /* bl_list: a list of numbers */
	BL_KEY_OBJECT, /* void *: the userdata of `type` */
	BL_KEY_ANY,    /* let through: the binding looks at it itself */
} bl_key_kind;

typedef struct bl_list { int n; double v[64]; } bl_list;

typedef struct bl_key {
	const char *name;
	bl_key_kind kind;
	size_t offset;    /* of the field it goes to */
	double min, max;  /* numbers: the range, both ends in it; both 0: any */
	int position;     /* also given as the position-th argument; 0: by name only */
	int count;
	const char *const *choices;
	const char *type;
} bl_key;

/* The key that goes to the field of the same name: BL_KEY(INT, args, stride, .min = 1, .max = 9). */
#define BL_KEY(kind_, struct_, field_, ...) \
	{ .name = #field_, .kind = BL_KEY_##kind_, .offset = offsetof(struct_, field_), ##__VA_ARGS__ }
#define BL_KEY_UNREAD(name_) { .name = #name_, .kind = BL_KEY_ANY }
#define BL_KEY_END { .name = NULL }

/*
 * The arguments of constructor `what` into struct `out`, which holds the
 * defaults: either one table, or positional arguments and, last, perhaps a
 * table.  Leaves the table, complete, as the only thing on the stack.  Raises
 * for unknown keys (naming the nearest known one) and wrong types.
 */
void bl_lua_arguments(lua_State *L, const char *what, const bl_key *keys, void *out);
/* The same for the table at `index`. */
void bl_lua_fields(lua_State *L, int index, const char *what, const bl_key *keys, void *out);
/* Raises "what: 'key' must be <expected>, got <value at index>". */
int bl_lua_bad(lua_State *L, const char *what, const char *key, const char *expected, int index);
int bl_lua_missing(lua_State *L, const char *what, const char *key, const char *expected);
/* Raises "unknown <thing> 'word' (did you mean ...?)". */
int bl_lua_unknown(lua_State *L, const char *what, const char *thing, const char *word, const char *const *known);

/* Lua's dimension (1-based, negative from the end) as the library's.  Raises outside of t's. */
int bl_lua_dim(lua_State *L, int arg, const bl_tensor *t);
/* Sizes from arguments first.. or from a table at `first`; how many. */
int bl_lua_shape(lua_State *L, int first, int64_t shape[BL_MAXDIM]);
/* Integers of the table at `index` into a userdata that is pushed; their number in *n. */
int64_t *bl_lua_integers(lua_State *L, int index, const char *what, int64_t *n);

/* --- interruption (interrupt.c) --- */

/* How often Ctrl-C came since it was last answered.  Set by the signal handler, polled by whatever takes long. */
extern volatile int bl_lua_interrupted;
void bl_lua_interrupt_guard(lua_State *L); /* the hook that raises "interrupted", for L and what it makes */
void bl_lua_interrupt_check(lua_State *L); /* raises when the flag is up */

/* --- functions that travel to other threads (travel.c, func.c) --- */

typedef struct bl_cargo bl_cargo;
/* Plain copy of the function at `index`: code and upvalues.  NULL with bl_error naming the upvalue that cannot go. */
bl_cargo *bl_cargo_pack(lua_State *L, int index);
/* Pushes the function, in any state that has barlow open.  Negative with bl_error. */
int bl_cargo_unpack(const bl_cargo *c, lua_State *L);
void bl_cargo_free(bl_cargo *c);

/* Tells func.c which coroutine of its state this thread is in, before anything that may run modules. */
void bl_lua_enter(lua_State *L);
/* A module that calls the Lua function at `index`; new reference, or NULL with bl_error. */
bl_module *bl_lua_func(lua_State *L, int index, const char *name);

/* --- modules of the face: each pushes its table --- */

int bl_lua_open_tensor(lua_State *L);
int bl_lua_open_nn(lua_State *L);
void bl_lua_define_module(lua_State *L); /* l_module.c: the class behind nn's constructors */
int bl_lua_open_aug(lua_State *L);
int bl_lua_open_data(lua_State *L);
void bl_lua_define_loader(lua_State *L); /* l_loader.c: the class; pushes data.loader */
int bl_lua_open_loss(lua_State *L);
int bl_lua_open_optim(lua_State *L);
int bl_lua_open_trainer(lua_State *L);
void bl_lua_define_trainer(lua_State *L); /* l_run.c: the class behind it */
int bl_lua_open_eval(lua_State *L);
int bl_lua_open_plot(lua_State *L);
int bl_lua_interruptible(lua_State *L); /* native.c: interruptible(f, ...) */
int bl_lua_open_native(lua_State *L); /* for lua/ only, as "barlow.native" */

/* parts of the tensor class, one file each */
extern const luaL_Reg bl_lua_tensor_ops[];     /* l_tensor_ops.c: methods */
extern const luaL_Reg bl_lua_tensor_shapes[];  /* l_tensor_shape.c: methods */
extern const luaL_Reg bl_lua_tensor_meta[];    /* l_tensor_ops.c: operators */
int bl_lua_tensor_element(lua_State *L);       /* l_tensor_index.c: t[i], t[{i, j}] */
int bl_lua_tensor_assign(lua_State *L);        /* l_tensor_index.c: t[i] = v */
/* Nested tables (or a number) at `index` as a tensor; raises on a ragged one. */
bl_tensor *bl_lua_tensor_from_table(lua_State *L, int index);

/* Calls function `name` of Lua module `module` ("barlow.show") on the nargs values on top; returns how many results. */
int bl_lua_call_module(lua_State *L, const char *module, const char *name, int nargs);

/* Calls a constructor, "nn" and "mlp", on the nargs values on top; leaves one result. */
void bl_lua_call_maker(lua_State *L, const char *module, const char *name, int nargs);

/* What `require "barlow"` calls: the table of modules. */
int luaopen_barlow(lua_State *L);
/* The same, into the globals, as the barlow program has them. */
void bl_lua_open_globals(lua_State *L);

/* Seed for the next random draw of this state: (manual seed, how many draws before). */
uint64_t bl_lua_next_seed(lua_State *L);

#endif
