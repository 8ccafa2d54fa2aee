/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_trainer.c: `trainer{...}`: its settings.  What a trainer can do is in l_run.c. */
#include "lua/bind/face.h"

#include <barlow/weights.h>

#include <math.h>
#include <string.h>

typedef struct settings {
	bl_trainer_config c;
	bl_dataset **data;
	bl_module **encoder;
	void *loss, *optim;
	int precision;
	double last;
} settings;

static const char *const precisions[] = { [BL_PRECISION_FLOAT32] = "float32", [BL_PRECISION_BF16] = "bf16", NULL };

#define AT(field) .offset = offsetof(settings, field)
static const bl_key keys[] = {
	{ .name = "data", .kind = BL_KEY_OBJECT, AT(data), .type = BL_T_DATASET },
	{ .name = "encoder", .kind = BL_KEY_OBJECT, AT(encoder), .type = BL_T_MODULE },
	BL_KEY_UNREAD(projector),
	BL_KEY_UNREAD(views),
	{ .name = "loss", .kind = BL_KEY_OBJECT, AT(loss), .type = BL_T_LOSS },
	{ .name = "optim", .kind = BL_KEY_OBJECT, AT(optim), .type = BL_T_OPTIM },
	{ .name = "batch", .kind = BL_KEY_INT, AT(c.batch) },
	{ .name = "epochs", .kind = BL_KEY_DOUBLE, AT(c.epochs), .min = 1e-9, .max = 1e9 },
	{ .name = "steps", .kind = BL_KEY_INT64, AT(c.max_steps), .min = 1, .max = 1e15 },
	{ .name = "seed", .kind = BL_KEY_INT64, AT(c.seed) },
	BL_KEY_UNREAD(schedule),
	{ .name = "warmup", .kind = BL_KEY_DOUBLE, AT(c.warmup_epochs), .min = 0, .max = 1e9 },
	{ .name = "last", .kind = BL_KEY_DOUBLE, AT(last), .min = 0, .max = 1 },
	{ .name = "clip", .kind = BL_KEY_DOUBLE, AT(c.clip), .min = 0, .max = 1e30 },
	{ .name = "precision", .kind = BL_KEY_CHOICE, AT(precision), .choices = precisions },
	{ .name = "workers", .kind = BL_KEY_INT, AT(c.loader_threads), .min = 0, .max = 256 },
	BL_KEY_UNREAD(knn),
	BL_KEY_UNREAD(convolution),
	{ .name = "name", .kind = BL_KEY_TEXT, AT(c.name) },
	BL_KEY_UNREAD(folder),
	BL_KEY_UNREAD(checkpoint_every),
	BL_KEY_UNREAD(warm_start),
	BL_KEY_END,
};
#undef AT

/* --- projector --- */

/* The widths on top as the authors' projector behind the encoder; pushed in their place. */
static void make_projector(lua_State *L, const settings *s)
{
	int h, w;
	bl_pipeline_output(s->c.first, bl_dataset_height(*s->data), bl_dataset_width(*s->data), &h, &w);
	bl_lua_enter(L);
	int64_t in = bl_module_features(*s->encoder, bl_dataset_channels(*s->data), h, w);
	if (in < 0)
		bl_lua_fail(L);
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, in);
	lua_setfield(L, -2, "inputs");
	lua_insert(L, -2);
	lua_setfield(L, -2, "widths");
	bl_lua_call_maker(L, "nn", "mlp", 1);
	bl_module_init(bl_lua_module(L, -1), s->c.seed);
}

/* projector: a module, widths, false for none; nothing: {512, 512, 512}.  Leaves it, or nil, on the stack. */
static void set_projector(lua_State *L, settings *s)
{
	int type = lua_getfield(L, 1, "projector");
	if (type == LUA_TNIL) {
		lua_pop(L, 1);
		lua_createtable(L, 3, 0);
		for (int i = 1; i <= 3; i++) {
			lua_pushinteger(L, 512);
			lua_rawseti(L, -2, i);
		}
	}
	if (lua_istable(L, -1))
		make_projector(L, s);
	if (bl_lua_test(L, -1, BL_T_MODULE))
		s->c.projector = bl_lua_module(L, -1);
	else if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
		lua_pushnil(L);
	else
		bl_lua_bad(L, "trainer", "projector", "a module, a list of widths, or false", -1);
}

/* --- kNN during training --- */

typedef struct knn { double every; bl_dataset **refs, **queries; int k; } knn;

/* knn = {every = 1, refs = dataset, queries = dataset, k = 20} */
static void set_knn(lua_State *L, settings *s)
{
	static const bl_key knn_keys[] = {
		BL_KEY(DOUBLE, knn, every, .min = 1e-9, .max = 1e9),
		BL_KEY(OBJECT, knn, refs, .type = BL_T_DATASET),
		BL_KEY(OBJECT, knn, queries, .type = BL_T_DATASET),
		BL_KEY(INT, knn, k, .min = 1, .max = 1e9), BL_KEY_END,
	};
	knn k = { .every = 1, .k = 20 };
	if (lua_getfield(L, 1, "knn") == LUA_TNIL || (lua_isboolean(L, -1) && !lua_toboolean(L, -1)))
		return;
	if (!lua_istable(L, -1))
		bl_lua_bad(L, "trainer", "knn", "a table {refs =, queries =, every =, k =}, or false", -1);
	bl_lua_fields(L, -1, "trainer: knn", knn_keys, &k);
	if (!k.refs || !k.queries)
		bl_lua_missing(L, "trainer: knn", k.refs ? "queries" : "refs", "a dataset");
	s->c.knn_every = k.every;
	s->c.knn_k = k.k;
	s->c.knn_refs = *k.refs;
	s->c.knn_queries = *k.queries;
}

/* --- all of it --- */

static void set_rest(settings *s)
{
	s->c.data = *s->data;
	s->c.encoder = *s->encoder;
	s->c.precision = (bl_precision)s->precision;
	s->c.loss = s->loss ? *(bl_loss_config *)s->loss : BL_LOSS_DEFAULT;
	if (!s->optim)
		s->c.optim = bl_optim_default("adamw");
}

/* `last` is short for that of the schedule, where it has one. */
static void set_schedule(lua_State *L, settings *s)
{
	lua_getfield(L, 1, "schedule");
	s->c.schedule = bl_lua_schedule(L, -1, "trainer");
	if (!isnan(s->last) && bl_field_find(bl_schedule_fields(bl_schedule_kind(&s->c.schedule)), "last"))
		bl_schedule_set(&s->c.schedule, "last", s->last);
	lua_pop(L, 1);
}

/* Steps without epochs: the schedule, too, goes by them.  With epochs they end the run early. */
static void set_length(lua_State *L, settings *s)
{
	int64_t n = bl_dataset_length(*s->data);
	bool both = lua_getfield(L, 1, "epochs") != LUA_TNIL;
	lua_pop(L, 1);
	if (s->c.max_steps > 0 && !both && s->c.batch > 0 && n >= s->c.batch)
		s->c.epochs = (double)s->c.max_steps / (double)(n / s->c.batch);
}

/* checkpoint_every: epochs; false: never on its own; nothing: as often as it costs little. */
static void set_checkpoints(lua_State *L, settings *s)
{
	int type = lua_getfield(L, 1, "checkpoint_every");
	bool off = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
	if (type != LUA_TNIL && !off && !(type == LUA_TNUMBER && lua_tonumber(L, -1) > 0))
		bl_lua_bad(L, "trainer", "checkpoint_every", "a number of epochs above 0, or false", -1);
	s->c.checkpoint_every = off ? -1 : lua_tonumber(L, -1);
	lua_pop(L, 1);
}

/* folder: false for none, or a path; nothing: one of the run's own among all runs. */
static void check_folder(lua_State *L)
{
	int type = lua_getfield(L, 1, "folder");
	if (type != LUA_TNIL && type != LUA_TSTRING && (type != LUA_TBOOLEAN || lua_toboolean(L, -1)))
		bl_lua_bad(L, "trainer", "folder", "a path, or false", -1);
	lua_pop(L, 1);
}

/* warm_start: false, true: modules may have been trained by another run, or the path of weights for new ones. */
static const char *warm_start(lua_State *L, settings *s)
{
	int type = lua_getfield(L, 1, "warm_start");
	if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TSTRING)
		bl_lua_bad(L, "trainer", "warm_start", "true, false, or the path of a file of weights", -1);
	s->c.warm_start = lua_toboolean(L, -1);
	const char *path = type == LUA_TSTRING ? lua_tostring(L, -1) : NULL; /* the table keeps it alive */
	lua_pop(L, 1);
	return path;
}

/* Into modules that are the trainer's by now. */
static void load_start(lua_State *L, const bl_trainer_config *c, const char *path)
{
	bl_module *roots[] = { c->encoder, c->projector };
	if (bl_weights_load(path, roots, (const char *const[]){ "encoder", "projector" }, c->projector ? 2 : 1, true) == 0)
		return;
	bl_fail_prefix("trainer: warm_start: ");
	bl_lua_fail(L);
}

/* Keeps the objects that the trainer shows: t.encoder and the like.  projector: where it is on the stack. */
static void keep_objects(lua_State *L, int trainer, int projector)
{
	static const char *const names[] = { "encoder", "data", "knn", "folder", NULL };
	lua_createtable(L, 0, 4);
	for (int i = 0; names[i]; i++) {
		lua_getfield(L, 1, names[i]);
		lua_setfield(L, -2, names[i]);
	}
	lua_pushvalue(L, projector);
	lua_setfield(L, -2, "projector");
	lua_setiuservalue(L, trainer, 2);
}

/* A recipe has descriptions where objects go: barlow.recipe makes them. */
static void build_recipe(lua_State *L)
{
	if (!luaL_getmetafield(L, 1, "__recipe"))
		return;
	lua_settop(L, 1);
	bl_lua_call_module(L, "barlow.recipe", "build", 1);
}

static int trainer_new(lua_State *L)
{
	settings s = { .c = { .batch = 256, .epochs = 10 }, .last = NAN };
	luaL_checktype(L, 1, LUA_TTABLE);
	build_recipe(L);
	bl_lua_arguments(L, "trainer", keys, &s);
	if (!s.data || !s.encoder)
		return bl_lua_missing(L, "trainer", s.data ? "encoder" : "data",
				      s.data ? "a module (nn.cnn{...})" : "a dataset");
	check_folder(L);
	set_checkpoints(L, &s);
	bl_lua_views v = bl_lua_views_of(L, 1, "trainer", *s.data);
	s.c.first = v.first;
	s.c.second = v.second;
	memcpy(s.c.mean, v.mean, sizeof v.mean);
	memcpy(s.c.std, v.std, sizeof v.std);
	set_projector(L, &s);
	int projector = lua_gettop(L);
	set_knn(L, &s);
	s.c.choices = bl_lua_choices_of(L, 1, "trainer");
	set_rest(&s);
	set_schedule(L, &s);
	set_length(L, &s);
	if (lua_getfield(L, 1, "optim") != LUA_TNIL)
		s.c.optim = *bl_lua_optim(L, -1);
	const char *start = warm_start(L, &s);
	bl_lua_run *r = bl_lua_new(L, BL_T_TRAINER, sizeof *r);
	keep_objects(L, lua_gettop(L), projector);
	bl_lua_enter(L);
	r->trainer = bl_trainer_new(&s.c);
	r->place = r->trainer ? bl_place_new(r->trainer) : NULL;
	if (!r->place)
		return bl_lua_fail(L);
	if (start)
		load_start(L, &s.c, start);
	return 1;
}

int bl_lua_open_trainer(lua_State *L)
{
	bl_lua_define_trainer(L);
	bl_lua_constructor(L, "trainer", trainer_new);
	return 1;
}
