/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_trainer.c: `trainer{...}` and its settings.  The methods of trainers are in l_run.c. */
#include "lua/bind/face.h"
#include "lua/kit/function.h"

#include <barlow/weights.h>

#include <config.h>
#include <math.h>
#include <string.h>

typedef struct settings {
	bl_trainer_config c;
	bl_dataset **data;
	bl_module **encoder;
	void *optim;
	int precision, keep;
	double last; /* NaN: not given */
} settings;

enum { USUAL_EPOCHS = 10, USUAL_WIDTH = 512 };

static const char *const keeps[] = {
	[BL_KEEP_SOME] = "some",
	[BL_KEEP_ALL] = "all",
	[BL_KEEP_RECORDS] = "records",
	NULL,
};
static const char *const precisions[] = { [BL_PRECISION_FLOAT32] = "float32", [BL_PRECISION_BF16] = "bf16", NULL };

typedef struct knn {
	double every;
	bl_dataset **refs, **queries;
	int k;
} knn;

static const bl_field knn_fields[] = {
	BL_FIELD(OBJECT, knn, refs, BL_REQUIRED, .type = BL_T_DATASET, .help = "images whose neighbours vote"),
	BL_FIELD(OBJECT, knn, queries, BL_REQUIRED, .type = BL_T_DATASET, .help = "images whose classes are predicted"),
	BL_FIELD(DOUBLE, knn, every, BL_DEFAULT(1), BL_WITHIN(1e-9, 1e9), .help = "epochs from one measurement to the next"),
	BL_FIELD(INT, knn, k, BL_DEFAULT(20), BL_WITHIN(1, 1e9), .help = "neighbours that vote"),
	BL_FIELD_END,
};

/* A field that is stored in the bl_trainer_config of the settings. */
/* clang-format off */
#define IN_CONFIG(kind_, name_, member_, ...) \
	{ .name = name_, .kind = BL_FIELD_##kind_, .offset = offsetof(settings, c.member_), __VA_ARGS__ }
/* clang-format on */
static const bl_field fields[] = {
	BL_FIELD(OBJECT, settings, data, BL_REQUIRED, .type = BL_T_DATASET,
	         .help = "the images; their mean and deviation normalise the views, unless the pipelines do"),
	BL_FIELD(OBJECT, settings, encoder, BL_REQUIRED, .type = BL_T_MODULE,
	         .help = "maps images (N, C, H, W) to features (N, F), such as nn.cnn{...}"),
	BL_FIELD_UNREAD("projector", "a module, a list of widths, or false", BL_OTHERWISE("{512, 512, 512}"),
	                .help = "maps features to embeddings; a list of widths makes an nn.mlp of the paper's form"),
	BL_FIELD_UNREAD(
		"views", BL_LUA_VIEWS, BL_OTHERWISE("aug.paper at the images' size"),
		.help = "one pipeline for both views, or a pipeline for each of the views that the loss takes; their sizes may differ if the encoder accepts all"),
	BL_FIELD_UNREAD("loss", "a loss, or a function of the views' embeddings", BL_OTHERWISE("loss.barlow{}"),
	                .help = "what is minimised; a function returns a scalar, or terms by name (loss.func)"),
	BL_FIELD(OBJECT, settings, optim, BL_OTHERWISE("optim.adamw{}"), .type = BL_T_OPTIM,
	         .help = "how parameters are updated, with its learning rate"),
	IN_CONFIG(INT, "batch", batch, BL_DEFAULT(256), .help = "images in a batch, at least 2"),
	IN_CONFIG(DOUBLE, "epochs", epochs, BL_OTHERWISE("10, unless there are steps"), BL_WITHIN(1e-9, 1e9),
	          .help = "length of the run; may be a fraction"),
	IN_CONFIG(
		INT64, "steps", max_steps, BL_OTHERWISE("computed from epochs"), BL_WITHIN(1, 1e15),
		.help = "length of the run instead of epochs; with both, steps end it earlier, while the schedule spans the epochs"),
	IN_CONFIG(
		DOUBLE, "seconds", seconds, BL_OTHERWISE("no limit"), BL_ABOVE(0),
		.help = "limit on training time: the run ends after the step that exceeds it. Only steps count, as in the column time, not pauses, "
			"kNN and saving. The schedule still spans epochs or steps; a resumed run has what is left of the time"),
	IN_CONFIG(INT64, "seed", seed, BL_DEFAULT(0),
	          .help = "seed of parameters, order of images and views: the same seed gives the same run"),
	BL_FIELD_UNREAD("schedule", "a name, or a table {kind =, ...}", BL_OTHERWISE("\"cosine\""),
	                .help = "schedule of the learning rate: cosine, down to `last` times the rate, or constant"),
	IN_CONFIG(DOUBLE, "warmup", warmup_epochs, BL_DEFAULT(0), BL_WITHIN(0, 1e9),
	          .help = "epochs in which the learning rate rises linearly from 0"),
	BL_FIELD(DOUBLE, settings, last, BL_OTHERWISE("the schedule's own, 0.001"), BL_WITHIN(0, 1),
	         .help = "short for the schedule's own setting: the fraction of the learning rate that is left at the end"),
	IN_CONFIG(DOUBLE, "clip", clip, BL_DEFAULT(0), BL_AT_LEAST(0),
	          .help = "largest norm of the gradient, which is scaled down to it; 0: no limit"),
	BL_FIELD(
		CHOICE, settings, precision, BL_DEFAULT(BL_PRECISION_FLOAT32), .choices = precisions,
		.help = "number format of the factors in products of linear layers while training: float32, or bf16 (bfloat16), while sums and "
			"parameters stay float32"),
	IN_CONFIG(INT, "workers", loader_threads, BL_DEFAULT(0), BL_WITHIN(0, 256),
	          .help = "threads that make views; 0: one per core"),
	BL_FIELD_UNREAD("knn", "a table {refs =, queries =, every =, k =}, or false", BL_OTHERWISE("it is not measured"),
	                .fields = knn_fields, .help = "measures the kNN accuracy of the features during training"),
	BL_FIELD_UNREAD("convolution", "a table of algorithms by shape",
	                BL_OTHERWISE("those tuned on this machine, or a fixed rule"),
	                .help = "the algorithm for each shape of convolution, as a run's recipe records it"),
	IN_CONFIG(TEXT, "name", name, BL_OTHERWISE("\"run\""), .help = "shown with the run; the name of its folder begins with it"),
	BL_FIELD_UNREAD("folder", "a path, or false", BL_OTHERWISE("a new one, listed by runs()"),
	                .help = "where the run is saved; false: it stays in memory only"),
	BL_FIELD(CHOICE, settings, keep, BL_DEFAULT(BL_KEEP_SOME), .choices = keeps,
	         .help = "how many earlier snapshots the live file has: some (at most 48), all (at most 1024) or records (none)"),
	BL_FIELD_UNREAD("checkpoint_every", "a number of epochs above 0, or false",
	                BL_OTHERWISE("each epoch, or less often if saving would take more than 1% of the time"),
	                .help = "how often the run is saved; false: only at its end and on request"),
	IN_CONFIG(INT, "checkpoints", checkpoints, BL_DEFAULT(1), BL_WITHIN(1, 1000),
	          .help = "how many of the newest checkpoints are kept; runs can be forked from each. The earlier ones are named "
	                  "checkpoint-STEP.safetensors"),
	BL_FIELD_UNREAD(
		"warm_start", "true, false, or the path of a file of weights", BL_OTHERWISE("false"),
		.help = "true: encoder and projector may have been trained by another run, which has ended; a path: new ones start with the "
			"weights in this file. The run's folder has the weights that it started from (start.safetensors)"),
	BL_FIELD_UNREAD("barlow", "the version that wrote the recipe, such as \"" PACKAGE_VERSION "\"", BL_OTHERWISE("this one"),
	                .help = "given in recipes; a recipe of a later version is refused"),
	BL_FIELD_END,
};
#undef IN_CONFIG

/* Raises the error that the value on top is not what the key expects. */
static int refuse(lua_State *L, const char *key)
{
	return bl_lua_bad(L, "trainer", key, bl_field_find(fields, key)->type, -1);
}

/* --- projector --- */

/* Replaces the widths on top by a projector, an nn.mlp, whose input has the width of the encoder's output. */
static void make_projector(lua_State *L, const settings *s)
{
	int h, w;
	bl_pipeline_output(s->c.first, bl_dataset_height(*s->data), bl_dataset_width(*s->data), &h, &w);
	bl_lua_enter(L);
	int64_t in = bl_module_features(*s->encoder, bl_dataset_channels(*s->data), h, w);
	if (in < 0) {
		bl_fail_prefix("trainer: views of %d x %d: encoder%s", h, w, bl_module_joint(bl_error()));
		bl_lua_fail(L);
	}
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, in);
	lua_setfield(L, -2, "inputs");
	lua_insert(L, -2);
	lua_setfield(L, -2, "widths");
	bl_lua_call_maker(L, "nn", "mlp", 1);
	bl_module_init(bl_lua_module(L, -1), s->c.seed);
}

/*
 * projector: a module, widths, or false for none; by default three layers of the usual width, which are stored in the table at
 * 1.  Leaves the module, or nil, on the stack.
 */
static void set_projector(lua_State *L, settings *s)
{
	int type = lua_getfield(L, 1, "projector");
	if (type == LUA_TNIL) {
		lua_pop(L, 1);
		lua_createtable(L, 3, 0);
		for (int i = 1; i <= 3; i++) {
			lua_pushinteger(L, USUAL_WIDTH);
			lua_rawseti(L, -2, i);
		}
		lua_pushvalue(L, -1);
		lua_setfield(L, 1, "projector");
	}
	if (lua_istable(L, -1))
		make_projector(L, s);
	if (bl_lua_test(L, -1, BL_T_MODULE))
		s->c.projector = bl_lua_module(L, -1);
	else if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
		lua_pushnil(L);
	else
		refuse(L, "projector");
}

/* --- kNN during training --- */

static void set_knn(lua_State *L, settings *s)
{
	knn k = { 0 };
	if (lua_getfield(L, 1, "knn") == LUA_TNIL || (lua_isboolean(L, -1) && !lua_toboolean(L, -1)))
		return;
	if (!lua_istable(L, -1))
		refuse(L, "knn");
	bl_lua_take_table(L, -1, "trainer: knn", knn_fields, &k);
	lua_setfield(L, 1, "knn");
	s->c.knn_every = k.every;
	s->c.knn_k = k.k;
	s->c.knn_refs = *k.refs;
	s->c.knn_queries = *k.queries;
}

/* --- the trainer --- */

static void set_rest(settings *s)
{
	s->c.data = *s->data;
	s->c.encoder = *s->encoder;
	s->c.precision = (bl_precision)s->precision;
	s->c.keep = (bl_keep)s->keep;
}

/* Pushes the setting `key` of the table at 1; if it is missing, first sets it to what the constructor `maker` returns for {}. */
static void *part(lua_State *L, const char *key, const char *maker)
{
	if (lua_getfield(L, 1, key) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_newtable(L);
		bl_lua_call_maker(L, key, maker, 1);
		lua_pushvalue(L, -1);
		lua_setfield(L, 1, key);
	}
	return lua_touserdata(L, -1);
}

/* Returns the loss that is set, one that calls the function that is set, or the default; the stack keeps it alive. */
static bl_loss *loss_of(lua_State *L)
{
	part(L, "loss", "barlow");
	if (lua_isfunction(L, -1) || bl_lua_test(L, -1, BL_T_FUNCTION)) {
		bl_loss *l = bl_lua_func_loss(L, -1);
		if (!l)
			luaL_error(L, "trainer: loss: %s", bl_error());
		bl_lua_give_loss(L, l);
	}
	if (!bl_lua_test(L, -1, BL_T_LOSS))
		refuse(L, "loss");
	return bl_lua_loss(L, -1);
}

/*
 * Takes `schedule`, and `last`, an abbreviation of the schedule's own setting, if it has one.  The source gets a table of all
 * settings of the schedule, without the abbreviation.
 */
static void set_schedule(lua_State *L, settings *s)
{
	lua_getfield(L, 1, "schedule");
	s->c.schedule = bl_lua_schedule(L, -1, "trainer");
	if (!isnan(s->last) && bl_field_find(bl_schedule_fields(bl_schedule_kind(&s->c.schedule)), "last"))
		bl_schedule_set(&s->c.schedule, "last", s->last);
	lua_pop(L, 1);
	lua_newtable(L);
	lua_pushstring(L, bl_schedule_kind(&s->c.schedule));
	lua_setfield(L, -2, "kind");
	for (const bl_field *f = bl_schedule_fields(bl_schedule_kind(&s->c.schedule)); f->name; f++) {
		bl_lua_push_value(L, f, s->c.schedule.room);
		lua_setfield(L, -2, f->name);
	}
	lua_setfield(L, 1, "schedule");
	lua_pushnil(L);
	lua_setfield(L, 1, "last");
}

/* Without epochs, `steps` also sets the epochs, which the schedule spans; with epochs, it only ends the run early. */
static void set_length(lua_State *L, settings *s)
{
	int64_t n = bl_dataset_length(*s->data);
	bool given = lua_getfield(L, 1, "epochs") != LUA_TNIL;
	lua_pop(L, 1);
	if (given)
		return;
	if (s->c.max_steps > 0) {
		if (s->c.batch > 0 && n >= s->c.batch)
			s->c.epochs = (double)s->c.max_steps / (double)(n / s->c.batch);
		return;
	}
	lua_pushinteger(L, USUAL_EPOCHS);
	lua_setfield(L, 1, "epochs");
}

/* checkpoint_every: epochs; false: only at the end and on request; by default as often as saving costs little time. */
static void set_checkpoints(lua_State *L, settings *s)
{
	int type = lua_getfield(L, 1, "checkpoint_every");
	bool off = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
	if (type != LUA_TNIL && !off && !(type == LUA_TNUMBER && lua_tonumber(L, -1) > 0))
		refuse(L, "checkpoint_every");
	s->c.checkpoint_every = off ? -1 : lua_tonumber(L, -1);
	lua_pop(L, 1);
}

/* folder: false for none, or a path; by default a new one among all runs. */
static void check_folder(lua_State *L)
{
	int type = lua_getfield(L, 1, "folder");
	if (type != LUA_TNIL && type != LUA_TSTRING && (type != LUA_TBOOLEAN || lua_toboolean(L, -1)))
		refuse(L, "folder");
	lua_pop(L, 1);
}

/* barlow: the version that wrote the recipe. */
static void check_version(lua_State *L)
{
	int type = lua_getfield(L, 1, "barlow");
	if (type != LUA_TNIL && type != LUA_TSTRING)
		refuse(L, "barlow");
	if (type == LUA_TSTRING)
		bl_lua_call_module(L, "barlow.versions", "check", 1);
	else
		lua_pop(L, 1);
}

/*
 * warm_start: false; true, if another run may have trained the modules; or the path of weights for new modules.  Returns the
 * path, or NULL.
 */
static const char *warm_start(lua_State *L, settings *s)
{
	int type = lua_getfield(L, 1, "warm_start");
	if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TSTRING)
		refuse(L, "warm_start");
	if (type == LUA_TNIL) {
		lua_pushboolean(L, 0);
		lua_setfield(L, 1, "warm_start");
	}
	s->c.warm_start = lua_toboolean(L, -1);
	const char *path = type == LUA_TSTRING ? lua_tostring(L, -1) : NULL; /* the table keeps it alive */
	lua_pop(L, 1);
	return path;
}

/* Loads weights into the trainer's modules. */
static void load_start(lua_State *L, const bl_trainer_config *c, const char *path)
{
	bl_module *roots[] = { c->encoder, c->projector };
	if (bl_weights_load(path, roots, (const char *const[]){ "encoder", "projector" }, c->projector ? 2 : 1, true) == 0)
		return;
	bl_fail_prefix("trainer: warm_start: ");
	bl_lua_fail(L);
}

/* Stores the objects that are properties of the trainer, such as t.encoder.  trainer, projector: their stack indices. */
static void store_objects(lua_State *L, int trainer, int projector)
{
	static const char *const names[] = { "encoder", "data", "knn", "folder", "loss", "optim", "views", NULL };
	lua_createtable(L, 0, 8);
	for (int i = 0; names[i]; i++) {
		lua_getfield(L, 1, names[i]);
		lua_setfield(L, -2, names[i]);
	}
	lua_pushvalue(L, projector);
	lua_setfield(L, -2, "projector");
	lua_setiuservalue(L, trainer, 2);
}

/* If the table at 1 is a recipe, constructs the objects that it describes (lua/recipe.lua). */
static void build_recipe(lua_State *L)
{
	if (!luaL_getmetafield(L, 1, "__recipe"))
		return;
	lua_settop(L, 1);
	bl_lua_call_module(L, "barlow.recipe", "build", 1);
}

static int trainer_new(lua_State *L)
{
	settings s = { .c = { .epochs = USUAL_EPOCHS }, .last = NAN };
	luaL_checktype(L, 1, LUA_TTABLE);
	build_recipe(L);
	check_version(L);
	bl_lua_take(L, &s);
	check_folder(L);
	set_checkpoints(L, &s);
	bl_lua_views v = bl_lua_views_of(L, 1, "trainer", *s.data);
	if (v.n < 2)
		return luaL_error(L, "trainer: 'views' makes one view of an image: a loss needs two or more");
	s.c.first = v.view[0];
	s.c.second = v.view[1];
	for (int i = 2; i < v.n; i++)
		s.c.more[i - 2] = v.view[i];
	s.c.batch_aug = v.batch_aug;
	memcpy(s.c.mean, v.mean, sizeof v.mean);
	memcpy(s.c.std, v.std, sizeof v.std);
	set_projector(L, &s);
	int projector = lua_gettop(L);
	set_knn(L, &s);
	s.c.choices = bl_lua_choices_of(L, 1, "trainer");
	set_rest(&s);
	set_schedule(L, &s);
	set_length(L, &s);
	s.c.loss = loss_of(L);
	part(L, "optim", "adamw");
	s.c.optim = *bl_lua_optim(L, -1);
	const char *start = warm_start(L, &s);
	bl_lua_run *r = bl_lua_new(L, BL_T_TRAINER, sizeof *r);
	store_objects(L, lua_gettop(L), projector);
	bl_lua_note_trainer(L, lua_gettop(L));
	bl_lua_enter(L);
	r->trainer = bl_trainer_new(&s.c);
	r->place = r->trainer ? bl_place_new(r->trainer) : NULL;
	if (!r->place)
		return bl_lua_fail(L);
	if (start)
		load_start(L, &s.c, start);
	return 1;
}

static const bl_lua_function maker =
	BL_LUA("trainer", trainer_new, ": trainer",
               "Makes a run of Barlow Twins from settings, or the run that a recipe describes.", BL_EXAMPLE_RUN, .fields = fields);

int bl_lua_open_trainer(lua_State *L)
{
	bl_lua_define_trainer(L);
	bl_lua_maker(L, &maker);
	return 1;
}
