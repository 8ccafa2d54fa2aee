/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * optim_recipes.c: optim.authors, optim.solo: optimisers with published settings.
 *
 * Each returns the result of optim.lars{...} with these settings, which is what a run's recipe contains, and a table of the
 * matching trainer's settings: {schedule =, warmup =}.  (solo-learn's warm-up begins at 3e-5, barlow's at 0.)
 */
#include "lua/bind/face.h"

typedef struct arguments {
	int batch;
} arguments;

/* Other settings are optim.lars's defaults, which are the authors'. */
typedef struct published {
	double lr, lr_bias; /* for 256 images in a batch; for other sizes in proportion */
	double weight_decay, eta;
	bool clip, apart;
	double last, warmup; /* last: of the schedule; warmup: epochs */
} published;

static const published authors = { .lr = .2, .lr_bias = .0048, .weight_decay = 1e-6, .eta = .001, .last = .001, .warmup = 10 };
static const published solo = {
	.lr = .3, .lr_bias = 0, .weight_decay = 1e-4, .eta = .02, .clip = true, .apart = true, .last = 0, .warmup = 10
};

static void set_number(lua_State *L, const char *key, double v)
{
	lua_pushnumber(L, v);
	lua_setfield(L, -2, key);
}

static void set_flag(lua_State *L, const char *key, bool v)
{
	lua_pushboolean(L, v);
	lua_setfield(L, -2, key);
}

static int make(lua_State *L)
{
	const published *p = bl_lua_running(L)->context;
	arguments a;
	bl_lua_take(L, &a);
	double share = a.batch / 256.;
	lua_createtable(L, 0, 8);
	set_number(L, "lr", p->lr * share);
	set_number(L, "lr_bias", p->lr_bias * share);
	set_number(L, "weight_decay", p->weight_decay);
	set_number(L, "eta", p->eta);
	set_flag(L, "clip", p->clip);
	set_flag(L, "apart", p->apart);
	bl_lua_call_maker(L, "optim", "lars", 1);
	lua_createtable(L, 0, 2); /* {schedule = {kind = "cosine", last =}, warmup =} */
	lua_createtable(L, 0, 2);
	lua_pushliteral(L, "cosine");
	lua_setfield(L, -2, "kind");
	set_number(L, "last", p->last);
	lua_setfield(L, -2, "schedule");
	set_number(L, "warmup", p->warmup);
	return 2;
}

#define BATCH(n_) \
	BL_FIELD(INT, arguments, batch, BL_DEFAULT(n_), BL_WITHIN(1, 1e9), \
	         .help = "images in a batch; learning rates are proportional to it")

static const bl_field authors_fields[] = { BATCH(2048), BL_FIELD_END };
static const bl_field solo_fields[] = { BATCH(256), BL_FIELD_END };

const bl_lua_function bl_lua_optim_recipes[] = {
	BL_LUA("authors", make, ": optimiser, table",
	       "LARS with the settings of the paper's authors (ImageNet, 1000 epochs); also returns a trainer's {schedule =, warmup =}.",
	       "local opt, times = optim.authors{batch = 512}; print(opt, times.warmup, times.schedule.last)",
	       .fields = authors_fields, .context = &authors),
	BL_LUA("solo", make, ": optimiser, table",
	       "LARS with the settings of solo-learn (CIFAR-10, 1000 epochs); also returns a trainer's {schedule =, warmup =}.",
	       "local opt, times = optim.solo{batch = 512}; print(opt, times.warmup, times.schedule.last)", .fields = solo_fields,
	       .context = &solo),
	BL_LUA_END,
};
