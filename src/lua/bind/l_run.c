/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_run.c: methods of trainers: running, watching, changing, saving; see also lua/run.lua. */
#include "lua/bind/face.h"
#include "lua/kit/states.h"

#include <barlow/live.h>
#include <barlow/parallel.h>
#include <barlow/runs.h>
#include <barlow/text.h>
#include <barlow/view.h>

#include <math.h>
#include <string.h>
#include <stdlib.h>
#include <stdio.h>
#include <time.h>

static int itself(lua_State *L)
{
	lua_settop(L, 1);
	return 1;
}

static bool is_going(bl_trainer *t)
{
	bl_run_state s = bl_trainer_state(t);
	return s == BL_RUN_RUNNING || s == BL_RUN_PAUSED;
}

/* --- control --- */

#define STARTED "barlow.started" /* registry: [trainer] = true keeps runs in the background alive */

/* Removes the trainers whose runs have ended from STARTED; called when a run is started and when trainers are listed. */
static void release_started(lua_State *L)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, STARTED);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const bl_lua_run *r = lua_touserdata(L, -2);
		if (r->trainer && is_going(r->trainer))
			continue;
		lua_pushvalue(L, -2);
		lua_pushnil(L);
		lua_rawset(L, -5);
	}
	lua_pop(L, 1);
}

static int t_start(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	bl_lua_place_run(L, 1);
	if (bl_trainer_start(t) < 0)
		return bl_lua_fail(L);
	release_started(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, STARTED);
	lua_pushvalue(L, 1);
	lua_pushboolean(L, true);
	lua_rawset(L, -3);
	return itself(L);
}

static void command(lua_State *L, bl_command_kind kind, double value)
{
	if (bl_trainer_command(bl_lua_trainer(L, 1), (bl_command){ .kind = kind, .value = value }) < 0)
		bl_lua_fail(L);
}

/* How long t:pause waits for the run to be paused: a step or a kNN evaluation may take long. */
#define PAUSE_SECONDS 2.

static int t_pause(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	bl_lua_report_over(t, "pause");
	command(L, BL_CMD_PAUSE, 0);
	for (double end = bl_now() + PAUSE_SECONDS; bl_trainer_state(t) == BL_RUN_RUNNING && bl_now() < end;) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		bl_lua_interrupt_check(L);
	}
	return itself(L);
}

/* log{name = number, ...}: adds the numbers to the next record, in columns of these names */
static int t_log(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			return luaL_error(L, "log: expected {name = number}, got the key %s", luaL_tolstring(L, -2, NULL));
		if (lua_type(L, -1) != LUA_TNUMBER)
			return luaL_error(L, "log: '%s' must be a number, got a %s", lua_tostring(L, -2), luaL_typename(L, -1));
		if (bl_trainer_log(t, lua_tostring(L, -2), lua_tonumber(L, -1)) < 0)
			return bl_lua_fail(L);
	}
	return itself(L);
}

/*
 * Waits in short intervals; if `heard`, checks for Ctrl-C between them.  Returns whether the run is over.  A wait without limit
 * (HUGE_VAL seconds) that hears Ctrl-C also ends when the run stops at a break.
 */
static bool wait_until(lua_State *L, bl_trainer *t, double seconds, bool heard)
{
	for (double end = bl_now() + seconds;;) {
		double left = end - bl_now();
		int over = bl_trainer_wait(t, left < .05 ? (left > 0 ? left : 0) : .05);
		bl_lua_report_trouble(t);
		if (over < 0)
			bl_lua_fail(L);
		if (over || left <= 0 || (seconds == HUGE_VAL && heard && bl_trainer_at_break(t)))
			return over;
		if (heard)
			bl_lua_interrupt_check(L);
	}
}

/* wait([seconds]): returns whether the run has ended */
static int t_wait(lua_State *L)
{
	lua_pushboolean(L, wait_until(L, bl_lua_trainer(L, 1), luaL_optnumber(L, 2, HUGE_VAL), true));
	if (lua_isnoneornil(L, 2))
		bl_lua_report_unsaved();
	return 1;
}

/* Stops the run between steps, and waits for it. */
static int t_stop(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	if (is_going(t)) {
		command(L, BL_CMD_STOP, 0);
		bl_lua_states_hurry(true); /* a layer in Lua may be in an endless loop */
		wait_until(L, t, HUGE_VAL, false);
		bl_lua_states_hurry(false);
		bl_lua_report_unsaved();
	}
	return itself(L);
}

/* step([n = 1]): makes n steps on this thread */
static int t_step(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	int64_t n = luaL_optinteger(L, 2, 1);
	bl_lua_enter(L);
	for (int64_t i = 0; i < n && !(i && bl_trainer_at_break(t)); i++) {
		bl_lua_interrupt_check(L);
		if (bl_trainer_steps(t, 1) < 0)
			return bl_lua_fail(L);
	}
	bl_lua_report_trouble(t);
	return itself(L);
}

enum { SETTINGS_MOST = 64 };

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* set{lr =, lambda =, ["loss.lr"] =}: takes effect from the next step on; all values are checked first */
static int t_set(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	const char *names[SETTINGS_MOST]; /* kept alive by the table */
	int n = 0;
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	bool over = bl_lua_report_over(t, "set");
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		if (lua_type(L, 3) != LUA_TSTRING)
			return luaL_error(L, "set: expected names with numbers, as in set{lr = .001}, got %s as a name",
			                  bl_lua_describe(L, 3));
		if (lua_type(L, 4) != LUA_TNUMBER)
			return luaL_error(L, "set: '%s' must be a number, got %s", lua_tostring(L, 3), bl_lua_describe(L, 4));
		if (bl_trainer_may_set(t, lua_tostring(L, 3), lua_tonumber(L, 4)) < 0)
			return bl_lua_fail(L);
		luaL_argcheck(L, n < SETTINGS_MOST, 2, "too many settings");
		names[n++] = lua_tostring(L, 3);
	}
	/* Sorted by name, since the order of a table varies, and the journal must not depend on it. */
	qsort(names, (size_t)n, sizeof *names, compare_names);
	for (int i = 0; i < n && !over; i++) {
		lua_getfield(L, 2, names[i]);
		if (bl_trainer_set(t, names[i], lua_tonumber(L, -1)) < 0)
			return bl_lua_fail(L);
		lua_pop(L, 1);
	}
	return itself(L);
}

/* watch(): shows the screen until q ("quit"), the run's end ("ended"), or Ctrl-C or Q, which stop the run ("stopped") */
static int t_watch(lua_State *L)
{
	static const char *const ends[] = { "quit", "ended", "stopped" };
	bl_trainer *t = bl_lua_trainer(L, 1);
	bool stay = lua_toboolean(L, 2);
	if (bl_trainer_state(t) == BL_RUN_NEW) {
		lua_pushcfunction(L, t_start);
		lua_pushvalue(L, 1);
		lua_call(L, 1, 0);
	} else if (bl_trainer_state(t) != BL_RUN_RUNNING && bl_trainer_state(t) != BL_RUN_PAUSED) {
		stay = true; /* there is nothing to wait for */
	}
	int end = bl_watch(bl_trainer_live(t),
	                   &(bl_watch_config){ .stay = stay, .interrupt_stops = true, .interrupted = &bl_lua_interrupted });
	if (end < 0)
		return bl_lua_fail(L);
	if (end == BL_WATCH_STOP) {
		t_stop(L);
		bl_lua_interrupted = 0;
	}
	bl_lua_report_unsaved();
	lua_pushstring(L, ends[end]);
	return 1;
}

/* --- looking --- */

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

/* Finds the record of a step (from 1).  Its index is step - 1, unless earlier records were lost; then by binary search. */
static bool find_record(const bl_live *l, int64_t step, bl_record *r)
{
	int64_t from = 0, to = bl_live_length(l);
	if (bl_live_record(l, step - 1, r) && r->step == step)
		return true;
	while (from < to) {
		int64_t mid = from + (to - from) / 2;
		if (!bl_live_record(l, mid, r))
			return false;
		if (r->step == step)
			return true;
		if (r->step < step)
			from = mid + 1;
		else
			to = mid;
	}
	return false;
}

/* record(step): the record, or nil */
static int t_record(lua_State *L)
{
	bl_record r;
	const bl_live *l = bl_trainer_live(bl_lua_trainer(L, 1));
	if (find_record(l, luaL_checkinteger(L, 2), &r))
		bl_lua_push_record(L, l, &r);
	else
		lua_pushnil(L);
	return 1;
}

/* The newest record, or nil */
static int p_terms(lua_State *L)
{
	bl_record r;
	const bl_live *l = bl_trainer_live(bl_lua_trainer(L, 1));
	if (bl_live_record(l, bl_live_length(l) - 1, &r))
		bl_lua_push_record(L, l, &r);
	else
		lua_pushnil(L);
	return 1;
}

static int p_records(lua_State *L)
{
	return bl_lua_push_records(L, bl_trainer_live(bl_lua_trainer(L, 1)));
}

/* The columns of the records, in their order: {{name =, label =, brief =, unit =, kind =, format =}, ...} */
static int p_columns(lua_State *L)
{
	static const char *const kinds[BL_COLUMN_KINDS] = {
		"total", "term", "weighted", "floor", "parameter", "rate", "score", "measure", "time", "own",
	};
	bl_columns c;
	bl_live_columns(bl_trainer_live(bl_lua_trainer(L, 1)), &c);
	lua_createtable(L, c.n, 0);
	for (int k = 0; k < c.n; k++) {
		const bl_column *i = &c.column[k];
		lua_createtable(L, 0, 6);
		set_text(L, "name", i->name);
		set_text(L, "label", bl_column_label(i));
		set_text(L, "brief", bl_column_brief(i));
		set_text(L, "unit", i->unit);
		set_text(L, "kind", kinds[i->kind]);
		lua_pushfstring(L, i->fixed ? "%%.%df" : "%%.%dg", i->precision || i->fixed ? i->precision : 4);
		lua_setfield(L, -2, "format");
		lua_rawseti(L, -2, k + 1);
	}
	return 1;
}

static int t_len(lua_State *L)
{
	lua_pushinteger(L, bl_live_length(bl_trainer_live(bl_lua_trainer(L, 1))));
	return 1;
}

static int p_C(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_trainer_correlation(bl_lua_trainer(L, 1)));
}

static int p_state(lua_State *L)
{
	lua_pushstring(L, bl_run_state_name(bl_trainer_state(bl_lua_trainer(L, 1))));
	return 1;
}

static bl_live_info info(lua_State *L)
{
	bl_live_info i;
	bl_live_info_get(bl_trainer_live(bl_lua_trainer(L, 1)), &i);
	return i;
}

static int p_name(lua_State *L)
{
	bl_live_info i = info(L);
	lua_pushstring(L, i.name);
	return 1;
}

static int p_message(lua_State *L)
{
	bl_live_info i = info(L);
	lua_pushstring(L, i.message);
	return 1;
}

/* clang-format off */
static int p_iteration(lua_State *L) { return lua_pushinteger(L, info(L).step), 1; }
static int p_steps(lua_State *L) { return lua_pushinteger(L, info(L).steps), 1; }
static int p_seconds(lua_State *L) { return lua_pushnumber(L, bl_trainer_seconds(bl_lua_trainer(L, 1))), 1; }
static int p_steps_per_epoch(lua_State *L) { return lua_pushinteger(L, info(L).steps_per_epoch), 1; }
static int p_batch(lua_State *L) { return lua_pushinteger(L, info(L).batch), 1; }
/* clang-format on */

/* Pushes the object `name`, given or default, with which the trainer was constructed. */
static int object_of(lua_State *L, const char *name)
{
	bl_lua_trainer(L, 1);
	lua_getiuservalue(L, 1, 2);
	lua_getfield(L, -1, name);
	return 1;
}

/* clang-format off */
static int p_encoder(lua_State *L) { return object_of(L, "encoder"); }
static int p_projector(lua_State *L) { return object_of(L, "projector"); }
static int p_data(lua_State *L) { return object_of(L, "data"); }
static int p_knn(lua_State *L) { return object_of(L, "knn"); }
static int p_optim(lua_State *L) { return object_of(L, "optim"); }
static int p_views(lua_State *L) { return object_of(L, "views"); }
/* clang-format on */

/* The loss as it was given if its settings are unchanged, or else one with the current settings. */
static int p_loss(lua_State *L)
{
	double settings[BL_LOSS_ROOM] = { 0 };
	object_of(L, "loss");
	if (!bl_lua_test(L, -1, BL_T_LOSS)) /* a function, which has no settings */
		return 1;
	const bl_loss *l = bl_lua_loss(L, lua_gettop(L));
	bl_trainer_loss_settings(bl_lua_trainer(L, 1), settings);
	return bl_fields_same(bl_loss_ops_of(l)->fields, bl_loss_settings(l), settings) ? 1 : bl_lua_give_loss_with(L, settings);
}

/* Pushes the setting `name` of the recipe: its value when the trainer was constructed. */
static int given(lua_State *L, const char *name)
{
	bl_lua_recipe(L, 1);
	lua_getfield(L, -1, name);
	return 1;
}

static int p_epochs(lua_State *L)
{
	return given(L, "epochs");
}

static int p_precision(lua_State *L)
{
	return given(L, "precision");
}

static int p_lr(lua_State *L)
{
	lua_pushnumber(L, bl_trainer_get(bl_lua_trainer(L, 1), "lr"));
	return 1;
}

static int p_background(lua_State *L)
{
	lua_pushboolean(L, bl_trainer_launched(bl_lua_trainer(L, 1)));
	return 1;
}

static int p_settable(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	lua_newtable(L);
	const char *name;
	for (int i = 0; (name = bl_trainer_settable(t, i)); i++) {
		lua_pushstring(L, name);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* t.lambda: the current value of a setting that may change during the run, or any setting of the recipe. */
static int t_setting(lua_State *L)
{
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	double v = bl_trainer_get(bl_lua_trainer(L, 1), lua_tostring(L, 2));
	if (isnan(v)) {
		given(L, lua_tostring(L, 2));
		return !lua_isnil(L, -1);
	}
	lua_pushnumber(L, v);
	return 1;
}

/* t.lambda = v: always an error, which points to t:set{} */
static int t_assign(lua_State *L)
{
	bl_trainer *t = bl_lua_trainer(L, 1);
	luaL_Buffer b;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "that", *settable;
	for (int i = 0; (settable = bl_trainer_settable(t, i)); i++)
		if (strcmp(settable, name) == 0)
			return luaL_error(
				L, "trainer: '%s' cannot be assigned: use t:set{%s = ...}, which takes effect at the next step",
				name, name);
	luaL_buffinit(L, &b);
	for (int i = 0; (settable = bl_trainer_settable(t, i)); i++) {
		luaL_addstring(&b, i ? ", " : "");
		luaL_addstring(&b, settable);
	}
	luaL_pushresult(&b);
	return luaL_error(L, "trainer: '%s' cannot be changed while it trains: use t:set{...} for one of %s", name,
	                  lua_tostring(L, -1));
}

static int p_folder(lua_State *L)
{
	return lua_pushstring(L, bl_place_folder(bl_lua_place(L, 1))), 1;
}

/* --- between steps --- */

typedef struct guarded_call {
	lua_State *L;
	int status;
} guarded_call;

/* save([path]): weights of encoder and projector, into the run's folder when no path is given */
static int t_save(lua_State *L)
{
	bl_place *p = bl_lua_place(L, 1);
	const char *path = luaL_optstring(L, 2, NULL);
	if (!path && !bl_place_folder(p))
		return luaL_error(L, "save: this run has no folder: expected a path");
	if (bl_place_save_weights(p, path) < 0)
		return bl_lua_fail(L);
	lua_settop(L, 1);
	return 1;
}

static void call_function(void *ctx)
{
	guarded_call *e = ctx;
	e->status = lua_pcall(e->L, lua_gettop(e->L) - 2, LUA_MULTRET, 0);
}

/* between(f, ...): calls f while the run is stopped between two steps, and returns its results */
static int t_between(lua_State *L)
{
	guarded_call e = { .L = L };
	bl_trainer *t = bl_lua_trainer(L, 1);
	luaL_checkany(L, 2);
	bl_trainer_between_steps(t, call_function, &e);
	return e.status == LUA_OK ? lua_gettop(L) - 1 : lua_error(L);
}

static int call_lua(lua_State *L, const char *name)
{
	return bl_lua_call_module(L, "barlow.run", name, lua_gettop(L));
}

/* Settings that lua/run.lua reads. */
typedef struct settings {
	void *train, *test;
	int k;
	bool linear, quiet;
} settings;

static const bl_field run_fields[] = {
	BL_FIELD_UNREAD("on_progress", "a function", BL_OTHERWISE("nothing"), .help = "called with each record and the trainer"),
	BL_FIELD(BOOL, settings, quiet, BL_DEFAULT(false), .help = "prints nothing"),
	BL_FIELD_END,
};

static const bl_field eval_fields[] = {
	BL_FIELD(OBJECT, settings, train, BL_OTHERWISE("the references of the run's knn, or four fifths of its data"),
	         .type = BL_T_DATASET, .help = "labelled images from which kNN and probe learn"),
	BL_FIELD(OBJECT, settings, test, BL_OTHERWISE("the queries of the run's knn, or the last fifth of its data"),
	         .type = BL_T_DATASET, .help = "images on which the accuracies are measured"),
	BL_FIELD(INT, settings, k, BL_DEFAULT(20), BL_WITHIN(1, 1e9), .help = "neighbours that vote"),
	BL_FIELD(BOOL, settings, linear, BL_DEFAULT(true), .help = "trains a linear probe, too"),
	BL_FIELD_END,
};

static int t_run(lua_State *L)
{
	bl_lua_check_options(L, 2);
	return call_lua(L, "run");
}

static int t_eval(lua_State *L)
{
	bl_lua_check_options(L, 2);
	return call_lua(L, "evaluate");
}

const bl_field bl_lua_fork_fields[] = {
	BL_FIELD_UNREAD("step", "a number of steps", BL_OTHERWISE("the newest"),
	                .help = "the step of the checkpoint to continue from (see trainer{checkpoints = ...})"),
	BL_FIELD_UNREAD("set", "a table of settings by their paths", BL_OTHERWISE("no changes"),
	                .help = "settings that differ from the recipe: {[\"loss.lambda\"] = .02}"),
	BL_FIELD_UNREAD("name", "a text", BL_OTHERWISE("the run's"), .help = "the new run's name"),
	BL_FIELD_UNREAD("folder", "a path, or false", BL_OTHERWISE("a new one, listed by runs()"),
	                .help = "where the new run is saved"),
	BL_FIELD_END,
};

static const bl_field export_fields[] = {
	BL_FIELD_UNREAD("data", "a dataset", BL_OTHERWISE("the run's"), .help = "images whose features are written"),
	BL_FIELD_UNREAD("path", "a path that ends in .npy", BL_REQUIRED,
	                .help = "the file of the features; labels are written to NAME-labels.npy beside it"),
	BL_FIELD_END,
};

static int t_export_features(lua_State *L)
{
	bl_lua_trainer(L, 1);
	bl_lua_check_options(L, 2);
	return call_lua(L, "export_features");
}

static int t_fork(lua_State *L)
{
	bl_lua_trainer(L, 1);
	bl_lua_check_options(L, 2);
	lua_settop(L, 2);
	return bl_lua_call_module(L, "barlow.fork", "trainer", 2);
}

#define BL_QUIET \
	BL_FIELD_UNREAD("quiet", "true or false", BL_OTHERWISE("false"), \
	                .help = "does not print first how much has to be recomputed")
#define BL_PATH \
	BL_FIELD_UNREAD("path", "a path", BL_OTHERWISE("none"), .help = "where the weights of that step are written as safetensors")
const bl_field bl_lua_at_fields[] = { BL_QUIET, BL_PATH, BL_FIELD_END };
const bl_field bl_lua_first_fields[] = {
	BL_FIELD_UNREAD("from", "a step", BL_OTHERWISE("1"), .help = "the first step that is tested"),
	BL_FIELD_UNREAD("to", "a step", BL_OTHERWISE("the newest"), .help = "the last step that is tested"),
	BL_QUIET,
	BL_PATH,
	BL_FIELD_END,
};

/* Calls the function of lua/replay.lua that has the same name as the running function; the settings are the last argument. */
static int t_replay(lua_State *L)
{
	bl_lua_trainer(L, 1);
	luaL_checkany(L, 2);
	bl_lua_check_options(L, 3);
	lua_settop(L, 3);
	return bl_lua_call_module(L, "barlow.replay", bl_lua_running(L)->name, 3);
}

static int t_tune(lua_State *L)
{
	bl_lua_trainer(L, 1);
	lua_settop(L, 1);
	return bl_lua_call_module(L, "barlow.tune", "trainer", 1);
}
static int t_profile(lua_State *L)
{
	return bl_lua_call_module(L, "barlow.profile", "run", lua_gettop(L));
}

static int p_recipe(lua_State *L)
{
	bl_lua_recipe(L, 1);
	return 1;
}

/* --- class --- */

static int t_gc(lua_State *L)
{
	bl_lua_run *r = bl_lua_check(L, 1, BL_T_TRAINER), gone = *r;
	*r = (bl_lua_run){ 0 };
	bl_lua_enter(L);
	bl_lua_states_hurry(true);
	bl_trainer_free(gone.trainer);
	bl_lua_states_hurry(false);
	bl_place_free(gone.place);
	return 0;
}

#define TRAINERS "barlow.trainers" /* registry: [n] = trainer, weak; n = number of trainers so far */

void bl_lua_note_trainer(lua_State *L, int index)
{
	if (!luaL_getsubtable(L, LUA_REGISTRYINDEX, TRAINERS)) {
		lua_createtable(L, 0, 1);
		lua_pushliteral(L, "v");
		lua_setfield(L, -2, "__mode");
		lua_setmetatable(L, -2);
	}
	lua_getfield(L, -1, "n");
	lua_Integer n = lua_tointeger(L, -1) + 1;
	lua_pushvalue(L, index);
	lua_rawseti(L, -3, n);
	lua_pushinteger(L, n);
	lua_setfield(L, -3, "n");
	lua_pop(L, 2);
}

int bl_lua_trainers(lua_State *L)
{
	lua_Integer out = 0;
	release_started(L);
	lua_newtable(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, TRAINERS);
	lua_getfield(L, -1, "n");
	lua_Integer n = lua_tointeger(L, -1);
	lua_pop(L, 1);
	for (lua_Integer i = 1; i <= n; i++) {
		const bl_lua_run *r = lua_rawgeti(L, -1, i) == LUA_TUSERDATA ? lua_touserdata(L, -1) : NULL;
		if (r && r->trainer)
			lua_rawseti(L, -3, ++out);
		else
			lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return 1;
}

static int t_tostring(lua_State *L)
{
	bl_live_info i = info(L);
	bl_lua_push_clean(L, i.name, false);
	lua_pushfstring(L, "trainer %s: %s, step %I of %I", lua_tostring(L, -1), bl_run_state_name(i.state), (lua_Integer)i.step,
	                (lua_Integer)i.steps);
	return 1;
}

static const luaL_Reg meta[] = {
	{ "__gc", t_gc }, { "__tostring", t_tostring }, { "__len", t_len }, { "__newindex", t_assign }, { NULL, NULL },
};
static const bl_lua_function methods[] = {
	BL_LUA("start", t_start, "(): trainer", "Starts the run in the background.", BL_EXAMPLE_RUN ":start():wait()"),
	BL_LUA("pause", t_pause, "(): trainer",
	       "Pauses the run between two steps; waits until the current step has ended, but at most 2 s.",
	       BL_EXAMPLE_RUN ":start():pause():stop()"),
	BL_LUA("resume", t_start, "(): trainer", "Continues the run in the background.", BL_EXAMPLE_RUN ":step(1):resume():wait()"),
	BL_LUA("stop", t_stop, "(): trainer", "Ends the run between two steps, and waits until it has ended.",
	       BL_EXAMPLE_RUN ":start():stop()"),
	BL_LUA("wait", t_wait, "(seconds?: number): boolean",
	       "Waits until the run ends (or stops at a break), or for so many seconds; returns whether it has ended.",
	       BL_EXAMPLE_RUN ":start():wait()"),
	BL_LUA("run", t_run, "(settings?: table): string",
	       "Runs in the foreground and prints progress; Ctrl-C stops the run between steps.",
	       BL_EXAMPLE_RUN ":run{quiet = true}", .fields = run_fields),
	BL_LUA("step", t_step, "(n?: integer): trainer", "Makes n steps (1) on this thread.", BL_EXAMPLE_RUN ":step(1)"),
	BL_LUA("set", t_set, "(settings: table): trainer",
	       "Changes settings of optimiser (lr, weight_decay), loss (lambda) and views ([\"views.jitter.p\"]) from the next step on.",
	       BL_EXAMPLE_RUN ":set{lambda = .01}"),
	BL_LUA("break_when", bl_lua_break_when, "(f: function?): trainer",
	       "Pauses the run after each step for which f(view) is true (sandboxed; view: terms, iteration, C, z, weights ...); nil: never.",
	       BL_EXAMPLE_RUN ":break_when(function(t) return t.terms.total > 100 end):step(1)"),
	BL_LUA("log", t_log, "(values: table): trainer",
	       "Adds numbers by name to the next record: t:log{mood = 1.5} makes a column t.records.mood.",
	       BL_EXAMPLE_RUN ":log{mood = 1.5}:step(1)"),
	BL_LUA("watch", t_watch, "(stay?: boolean): string",
	       "Shows the screen until q or the run's end, and starts a new run; with stay, or if the run has ended, until q.",
	       "pcall(function(t) return t:watch() end, " BL_EXAMPLE_RUN ")"),
	BL_LUA("record", t_record, "(step: integer): table?", "The record of that step, or nil.",
	       BL_EXAMPLE_RUN ":step(1):record(1)"),
	BL_LUA("eval", t_eval, "(settings?: table): table",
	       "Accuracies of kNN and linear probe on the encoder's features as they are now, and which data were used.",
	       BL_EXAMPLE_RUN ":step(1):eval{linear = false}", .fields = eval_fields),
	BL_LUA("export_features", t_export_features, "(settings: table): string, string?",
	       "Writes the encoder's features to a NumPy file (N, F), and the labels (from 0) to another beside it; returns their paths.",
	       "local path = os.tmpname() .. \".npy\"; print(" BL_EXAMPLE_RUN ":step(1):export_features{path = path}); "
	       "os.remove(path); os.remove((path:gsub(\"%.npy$\", \"-labels.npy\"))); os.remove((path:gsub(\"%.npy$\", \"\")))",
	       .fields = export_fields),
	BL_LUA("save", t_save, "(path?: string): trainer",
	       "Writes the weights of encoder and projector as safetensors; without a path, into the run's folder.",
	       "local path = os.tmpname(); " BL_EXAMPLE_RUN ":save(path); os.remove(path)"),
	BL_LUA("between", t_between, "(f: function, ...: any): any",
	       "Calls f while the run is stopped between two steps, and returns its results.", BL_EXAMPLE_RUN ":between(print, 1)"),
	BL_LUA("checkpoint", bl_lua_checkpoint, "(path?: string): trainer",
	       "Writes all that the run needs to continue, as safetensors; without a path, into the run's folder.",
	       "local path = os.tmpname(); " BL_EXAMPLE_RUN ":checkpoint(path); os.remove(path)"),
	BL_LUA("load_checkpoint", bl_lua_load_checkpoint, "(path: string): trainer",
	       "Makes a new trainer continue from a checkpoint or a run's folder; if that is its own `folder`, it continues that run.",
	       "local path = os.tmpname(); " BL_EXAMPLE_RUN ":step(1):checkpoint(path); print(" BL_EXAMPLE_RUN
	       ":load_checkpoint(path)); os.remove(path)"),
	BL_LUA("fork", t_fork, "(settings?: table): trainer",
	       "A new trainer, not started, that continues from this run's state, now or at an earlier step, with other settings.",
	       "local path = os.tmpname(); os.remove(path); local t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = "
	       "nn.cnn{widths = {4}, image = 8}, projector = {8}, batch = 32, epochs = 1, folder = path}; t:start():wait(); "
	       "print(t:fork{set = {[\"loss.lambda\"] = .02}, folder = false}); os.execute(\"rm -r \" .. path)",
	       .fields = bl_lua_fork_fields),
	BL_LUA("at", t_replay, "(step: integer, settings?: table): view",
	       "The run's state after an earlier step, recomputed bit for bit in another process: iteration, terms, C, z, weights by name.",
	       "print(" BL_EXAMPLE_RUN ":step(2):at(1, {quiet = true}))", .fields = bl_lua_at_fields),
	BL_LUA("first", t_replay, "(f: function, settings?: table): view?",
	       "The view (see t:at) of the first step for which f(view) is true, found by one replay forward; nil: there is none.",
	       "print(" BL_EXAMPLE_RUN ":step(2):first(function(v) return v.terms.total > 0 end, {quiet = true}))",
	       .fields = bl_lua_first_fields),
	BL_LUA("bisect", t_replay, "(f: function, settings?: table): view?",
	       "Like t:first, for an f that is true from some step on: searches among the checkpoints first (trainer{checkpoints = n}).",
	       "print(" BL_EXAMPLE_RUN ":step(2):bisect(function(v) return v.iteration > 1 end, {quiet = true}))",
	       .fields = bl_lua_at_fields),
	BL_LUA("replay", bl_lua_replay, "(journal: any, from?: integer, to?: integer): trainer",
	       "Repeats the changes of settings in a journal (t.journal, or a run's folder), each at its step.",
	       BL_EXAMPLE_RUN ":replay{{step = 1, name = \"lambda\", new = .01}}:step(2)"),
	BL_LUA("profile", t_profile, "(steps?: integer): table",
	       "Makes n steps (20) and returns where their time went, as a table that prints.",
	       "print(" BL_EXAMPLE_RUN ":profile(2))"),
	BL_LUA("tune", t_tune, "(): table",
	       "Measures which algorithms are fastest for its convolutions and stores the choice for later runs; returns a table that prints.",
	       "print(" BL_EXAMPLE_RUN ":tune())"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("terms", p_terms, ": table?", "The newest record: step, invariance, redundancy, total, floor, lr, knn ...",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.terms)"),
	BL_LUA("records", p_records, ": table", "All records, as one list for each column.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.records)"),
	BL_LUA("columns", p_columns, ": table", "The columns of its records: name, label, brief, unit, kind and format of each.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.columns[1].name)"),
	BL_LUA("C", p_C, ": tensor", "The cross-correlation matrix of the newest batch.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.C)"),
	BL_LUA("state", p_state, ": string", "new, running, paused, done, stopped or failed.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.state)"),
	BL_LUA("name", p_name, ": string", "The run's name.", "local t = " BL_EXAMPLE_RUN ":step(1); print(t.name)"),
	BL_LUA("message", p_message, ": string", "Why the run failed, or which setting was changed last.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.message)"),
	BL_LUA("iteration", p_iteration, ": integer", "Steps done.", "local t = " BL_EXAMPLE_RUN ":step(1); print(t.iteration)"),
	BL_LUA("steps", p_steps, ": integer", "Steps of the whole run.", "local t = " BL_EXAMPLE_RUN ":step(1); print(t.steps)"),
	BL_LUA("seconds", p_seconds, ": number", "The limit on its training time; 0: none.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.seconds)"),
	BL_LUA("steps_per_epoch", p_steps_per_epoch, ": integer", "Steps in an epoch.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.steps_per_epoch)"),
	BL_LUA("batch", p_batch, ": integer", "Images in a batch.", "local t = " BL_EXAMPLE_RUN ":step(1); print(t.batch)"),
	BL_LUA("encoder", p_encoder, ": module", "The encoder.", "local t = " BL_EXAMPLE_RUN ":step(1); print(t.encoder)"),
	BL_LUA("projector", p_projector, ": module?", "The projector, or nil.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.projector)"),
	BL_LUA("data", p_data, ": dataset", "The dataset.", "local t = " BL_EXAMPLE_RUN ":step(1); print(t.data)"),
	BL_LUA("knn", p_knn, ": table?", "The settings of the kNN measurement during training, or nil.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.knn)"),
	BL_LUA("loss", p_loss, ": loss", "The loss with its current settings; t.lambda and t.mu read those that may be set.",
	       "local t = " BL_EXAMPLE_RUN ":step(1):set{lambda = .01}:step(1); print(t.loss, t.lambda)"),
	BL_LUA("optim", p_optim, ": optimiser", "The optimiser, as it was given.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.optim)"),
	BL_LUA("lr", p_lr, ": number",
	       "The current base learning rate, which the schedule multiplies (t.terms.lr: the rate of the last step).",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.lr, t.terms.lr)"),
	BL_LUA("background", p_background, ": boolean", "Whether it was started in the background (t:start).",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.background)"),
	BL_LUA("settable", p_settable, ": table", "The names that t:set{} takes while it trains.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.settable[1])"),
	BL_LUA("epochs", p_epochs, ": number",
	       "Epochs of the whole run; other settings are read likewise: t.schedule, t.clip, t.workers.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.epochs)"),
	BL_LUA("views", p_views, ": pipeline|pipelines", "The pipelines that make the views.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.views)"),
	BL_LUA("precision", p_precision, ": string", "float32 or bf16.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.precision)"),
	BL_LUA("folder", p_folder, ": string?",
	       "The run's folder once it has started, with live file, recipe.lua, checkpoint and weights; nil: in memory only.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.folder)"),
	BL_LUA("journal", bl_lua_journal, ": table",
	       "Changes of settings while it trained, and other events: a list of {step =, name =, old =, new =, who =, time =}.",
	       "local t = " BL_EXAMPLE_RUN ":step(1):set{lambda = .01}; print(t.journal)"),
	BL_LUA("recipe", p_recipe, ": table",
	       "The settings that made it: a table, which prints as Lua and from which trainer(recipe) builds it again.",
	       "local t = " BL_EXAMPLE_RUN ":step(1); print(t.recipe)"),
	BL_LUA_END,
};

void bl_lua_define_trainer(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_TRAINER, "t", meta, methods, properties, t_setting, NULL });
}
