/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_aug.c: `aug`: image operators and pipelines.
 *
 * Every operator of the engine has a constructor of the same name, which makes a pipeline of one operator.  aug.compose
 * concatenates pipelines, aug.twin pairs two of them, aug.views combines up to eight, and aug.paper makes the paper's pair.
 */
#include "lua/bind/face.h"

#include <string.h>

enum { OPS_MAX = 64 };

static bl_pipeline *pipeline(lua_State *L, int arg)
{
	return *(bl_pipeline **)bl_lua_check(L, arg, BL_T_PIPELINE);
}

static bl_pipelines *pipelines(lua_State *L, int arg)
{
	return bl_lua_check(L, arg, BL_T_VIEWS);
}

/* --- operators: names and fields come from the engine --- */

/* Pushes a pipeline of one operator, whose name is the context of the running function. */
static int make(lua_State *L)
{
	_Alignas(16) unsigned char parameters[BL_AUG_BYTES] = { 0 };
	bl_lua_ramps ramps;
	bl_lua_take_ramps(L, parameters, &ramps);
	bl_aug *a = bl_aug_new_with(bl_lua_running(L)->context, parameters);
	if (a && bl_lua_set_ramps(a, &ramps) < 0) {
		bl_aug_unref(a);
		return luaL_error(L, "aug.%s", bl_error());
	}
	bl_pipeline *p = a ? bl_pipeline_new(&a, 1) : NULL;
	bl_aug_unref(a);
	return bl_lua_give_pipeline(L, p);
}

#define IMAGE "(data.shapes{n = 1, size = 16}[1].image)"

/* Adds a constructor for every operator of the engine to the table on top; descriptions live as long as the state. */
static void add_operators(lua_State *L)
{
	for (int i = 0; bl_aug_name_at(i); i++) {
		const char *name = bl_aug_name_at(i);
		const bl_field *fields = bl_aug_fields(name), *size = bl_field_find(fields, "size");
		const char *arguments = size && size->kind == BL_FIELD_INT ? "(8)" : bl_field_find(fields, "p") ? "{p = 1}" : "{}";
		const char *example = lua_pushfstring(L, "aug.%s%s" IMAGE, name, arguments);
		luaL_ref(L, LUA_REGISTRYINDEX);
		bl_lua_function *list = lua_newuserdatauv(L, 2 * sizeof *list, 0);
		luaL_ref(L, LUA_REGISTRYINDEX);
		list[0] = (bl_lua_function)BL_LUA(name, make, ": pipeline", bl_aug_help(name), example, .fields = fields,
		                                  .context = name);
		list[1] = (bl_lua_function)BL_LUA_END;
		bl_lua_makers(L, "aug", list);
	}
}

/* --- pipelines of many --- */

/* compose{a, b, c} or compose(a, b, c) */
static int aug_compose(lua_State *L)
{
	bl_aug *ops[OPS_MAX];
	int n = 0;
	if (!lua_istable(L, 1)) {
		lua_createtable(L, lua_gettop(L), 0);
		lua_insert(L, 1);
		for (int i = lua_gettop(L) - 1; i > 0; i--)
			lua_rawseti(L, 1, i);
	}
	for (int i = 1; i <= (int)lua_rawlen(L, 1); i++) {
		lua_rawgeti(L, 1, i);
		if (!bl_lua_test(L, -1, BL_T_PIPELINE))
			return luaL_error(L, "aug.compose: item %d must be a pipeline, got %s", i,
			                  bl_lua_describe(L, lua_gettop(L)));
		const bl_pipeline *p = pipeline(L, -1);
		if (n + bl_pipeline_length(p) > OPS_MAX)
			return luaL_error(L, "aug.compose: more than %d operators", OPS_MAX);
		for (int k = 0; k < bl_pipeline_length(p); k++)
			ops[n++] = bl_pipeline_op(p, k);
		lua_pop(L, 1);
	}
	return bl_lua_give_pipeline(L, bl_pipeline_new(ops, n));
}

/* Pushes two pipelines, taking both references; raises bl_error() if one of them is NULL. */
static int give_twin(lua_State *L, bl_pipeline *first, bl_pipeline *second)
{
	*bl_lua_push_views(L) = (bl_pipelines){ 2, { first, second }, NULL };
	return first && second ? 1 : bl_lua_fail(L);
}

/* twin(T, T2) */
static int aug_twin(lua_State *L)
{
	bl_pipeline *a = pipeline(L, 1), *b = pipeline(L, 2);
	return give_twin(L, bl_pipeline_ref(a), bl_pipeline_ref(b));
}

static void add_view(lua_State *L, bl_pipelines *to, bl_pipeline *p, const char *what)
{
	if (to->n == BL_VIEWS_MOST)
		luaL_error(L, "%s: more than %d views", what, BL_VIEWS_MOST);
	to->view[to->n++] = bl_pipeline_ref(p);
}

/* Appends the pipeline or pipelines at `arg`. */
static void add_views(lua_State *L, bl_pipelines *to, int arg, const char *what)
{
	bl_pipelines *several = bl_lua_test(L, arg, BL_T_VIEWS);
	bl_pipeline **one = bl_lua_test(L, arg, BL_T_PIPELINE);
	if (!several && !one)
		luaL_error(L, "%s: expected a pipeline for each view, got %s", what, bl_lua_describe(L, arg));
	if (several && several->batch_aug)
		luaL_error(L, "%s: a function of batches belongs around all views, not to one of them", what);
	for (int i = 0; several && i < several->n; i++)
		add_view(L, to, several->view[i], what);
	if (one)
		add_view(L, to, *one, what);
}

/* views{a, b, c} or views(a, b, c) */
static int aug_views(lua_State *L)
{
	bool list = lua_istable(L, 1);
	int n = list ? (int)lua_rawlen(L, 1) : lua_gettop(L);
	bl_pipelines *to = bl_lua_push_views(L);
	for (int i = 1; i <= n; i++) {
		if (list)
			lua_rawgeti(L, 1, i);
		else
			lua_pushvalue(L, i);
		add_views(L, to, lua_gettop(L), "aug.views");
		lua_pop(L, 1);
	}
	return to->n ? 1 : luaL_error(L, "aug.views: expected a pipeline for each view, got none");
}

/* repeated(a, 4) */
static int aug_repeated(lua_State *L)
{
	lua_Integer n = luaL_checkinteger(L, 2);
	luaL_argcheck(L, n >= 1 && n <= BL_VIEWS_MOST, 2, "expected 1 to 8 views");
	bl_pipelines *to = bl_lua_push_views(L);
	for (lua_Integer i = 0; i < n; i++)
		add_views(L, to, 1, "aug.repeated");
	return 1;
}

/* --- whole batches --- */

typedef struct batch_arguments {
	double seconds;
	int memory;
} batch_arguments;

static const bl_field batch_fields[] = {
	BL_FIELD_UNREAD(
		"f", "a function of views", BL_REQUIRED, .position = 1,
		.help = "called with a list of views, each (N, C, H, W) and normalised, an rng, and a table of step, epoch, samples and "
			"labels (nil: none); returns the changed list"),
	BL_FIELD_UNREAD("views", BL_LUA_VIEWS, BL_OTHERWISE("aug.paper at the images' size"),
	                .help = "the pipelines that make the views"),
	BL_FIELD(DOUBLE, batch_arguments, seconds, BL_DEFAULT(60), BL_WITHIN(1e-3, 3600),
	         .help = "limit on the time of a call; for functions of a loaded recipe 60 at most"),
	BL_FIELD(INT, batch_arguments, memory, BL_DEFAULT(4096), BL_WITHIN(1, 1048576),
	         .help = "limit on the memory of a call, MiB, for Lua and tensors; for functions of a loaded recipe 4096 at most"),
	BL_FIELD_END,
};

static int aug_batch(lua_State *L)
{
	batch_arguments a = { 0 };
	bl_lua_take(L, &a);
	lua_getfield(L, 1, "views");
	lua_getfield(L, 1, "f");
	bl_pipelines *to = bl_lua_push_views(L);
	if (bl_lua_test(L, 2, BL_T_PIPELINE))
		add_views(L, to, 2, "aug.batch");
	if (!lua_isnil(L, 2))
		add_views(L, to, 2, "aug.batch");
	bl_lua_limits limits = bl_function_limits(L, 3, a.seconds, a.memory);
	to->batch_aug = bl_lua_func_batch(L, 3, &limits);
	return to->batch_aug ? 1 : luaL_error(L, "aug.batch: %s", bl_error());
}

/* --- the paper's pair --- */

typedef struct paper {
	int size;
	float scale[2], ratio[2], sigma[2];
	float flip, jitter, brightness, contrast, saturation, hue, grayscale;
	float blur[2], solarize[2]; /* p in T and in T' */
	int backend;
} paper;

/* The operator and field of each number of the paper's pair. */
typedef struct place {
	const char *operator, * field;
	size_t offset; /* in struct paper */
	enum { WHOLE, ONE, TWO, BY_VIEW } how;
} place;

#define PLACE(operator, field, member, how) \
	{ \
		operator, field, offsetof(paper, member), how \
	}
static const place places[] = {
	PLACE("crop", "size", size, WHOLE),         PLACE("crop", "scale", scale, TWO),
	PLACE("crop", "ratio", ratio, TWO),         PLACE("flip", "p", flip, ONE),
	PLACE("jitter", "p", jitter, ONE),          PLACE("jitter", "brightness", brightness, ONE),
	PLACE("jitter", "contrast", contrast, ONE), PLACE("jitter", "saturation", saturation, ONE),
	PLACE("jitter", "hue", hue, ONE),           PLACE("grayscale", "p", grayscale, ONE),
	PLACE("blur", "p", blur, BY_VIEW),          PLACE("blur", "sigma", sigma, TWO),
	PLACE("solarize", "p", solarize, BY_VIEW),  PLACE("crop", "backend", backend, WHOLE),
	PLACE("jitter", "backend", backend, WHOLE), PLACE("grayscale", "backend", backend, WHOLE),
	PLACE("blur", "backend", backend, WHOLE),   PLACE("solarize", "backend", backend, WHOLE),
};
#undef PLACE

/* Returns the ramp of that number of the paper, or NULL. */
static const bl_lua_ramp *ramp_at(const bl_lua_ramps *ramps, const place *at)
{
	for (int i = 0; i < ramps->n; i++)
		if (ramps->ramp[i].field->offset == at->offset)
			return &ramps->ramp[i];
	return NULL;
}

static int set_ramp(bl_aug *a, const bl_lua_ramp *r, const place *at, int view)
{
	bool own = at->how == BY_VIEW;
	double from[BL_LIST_MOST], to = r->to[view];
	if (own && bl_aug_get(a, at->field, from) == 1 && (float)from[0] == (float)to)
		return 0; /* the number is constant in this view */
	return bl_aug_ramp(a, at->field, own ? &to : r->to, own ? 1 : r->n, r->epochs);
}

/* Returns the paper's operator of that name for one view, with its numbers and ramps; NULL with bl_error. */
static bl_aug *paper_operator(const paper *c, const bl_lua_ramps *ramps, const char *name, int view)
{
	bl_aug *a = bl_aug_new(name);
	for (size_t i = 0; a && i < sizeof places / sizeof *places; i++) {
		const place *at = &places[i];
		if (strcmp(at->operator, name) != 0)
			continue;
		const void *from = (const char *)c + at->offset;
		const float *v = from;
		double value[2] = { at->how == WHOLE ? *(const int *)from : (double)v[at->how == BY_VIEW ? view : 0] };
		if (at->how == TWO)
			value[1] = (double)v[1];
		const bl_lua_ramp *r = ramp_at(ramps, at);
		if (bl_aug_set(a, at->field, value, 1 + (at->how == TWO)) < 0 || (r && set_ramp(a, r, at, view) < 0)) {
			bl_aug_unref(a);
			return NULL;
		}
	}
	return a;
}

/* Returns whether the operator never applies in this view: p is 0 and, if it is a ramp, ends at 0.  It is then left out. */
static bool idle(const bl_aug *a, const bl_lua_ramps *ramps, int view)
{
	double p[BL_LIST_MOST];
	if (!bl_field_find(bl_aug_fields(bl_aug_name(a)), "p") || bl_aug_get(a, "p", p) != 1 || p[0] != 0)
		return false;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const bl_lua_ramp *r = ramp_at(ramps, &places[i]);
		if (r && strcmp(places[i].operator, bl_aug_name(a)) == 0 && strcmp(places[i].field, "p") == 0)
			return r->to[places[i].how == BY_VIEW ? view : 0] == 0;
	}
	return true;
}

static bl_pipeline *paper_view(const paper *c, const bl_lua_ramps *ramps, int view)
{
	static const char *const names[] = { "crop", "flip", "jitter", "grayscale", "blur", "solarize" };
	enum { OPERATORS = sizeof names / sizeof *names };
	bl_aug *made[OPERATORS] = { NULL }, *ops[OPERATORS];
	int n = 0, i = 0;
	for (; i < OPERATORS && (made[i] = paper_operator(c, ramps, names[i], view)); i++)
		if (!idle(made[i], ramps, view))
			ops[n++] = made[i];
	bl_pipeline *p = i == OPERATORS ? bl_pipeline_new(ops, n) : NULL;
	for (int k = 0; k < OPERATORS; k++)
		bl_aug_unref(made[k]);
	return p;
}

static const char *const backends[] = { "tensor", "pil", NULL };

#define ONE(member, default_, of) BL_FIELD(FLOAT, paper, member, BL_DEFAULT(default_), BL_WITHIN(0, 1), .help = of)
#define STRENGTH(member, default_) \
	BL_FIELD(FLOAT, paper, member, BL_DEFAULT(default_), BL_AT_LEAST(0), .help = "strength of the colour jitter's " #member)
static const bl_field paper_fields[] = {
	BL_FIELD(INT, paper, size, BL_DEFAULT(224), BL_WITHIN(1, 16384), .position = 1, .help = "side of a view, pixels"),
	BL_FIELD(PAIR, paper, scale, BL_DEFAULT(.08, 1), BL_WITHIN(0, 1), .help = "area of a crop as a fraction of the image's"),
	BL_FIELD(PAIR, paper, ratio, BL_DEFAULT(3 / 4., 4 / 3.), BL_ABOVE(0), .help = "width of a crop divided by its height"),
	BL_FIELD(PAIR, paper, sigma, BL_DEFAULT(.1, 2), BL_ABOVE(0), .help = "standard deviation of the blur, pixels"),
	ONE(flip, .5, "probability of a horizontal flip"),
	ONE(jitter, .8, "probability of colour jitter"),
	STRENGTH(brightness, .4),
	STRENGTH(contrast, .4),
	STRENGTH(saturation, .2),
	STRENGTH(hue, .1),
	ONE(grayscale, .2, "probability of grayscale"),
	BL_FIELD(FLOATS, paper, blur, BL_DEFAULT(1, .1), BL_WITHIN(0, 1), .count = 2, .help = "probability of blur in T and in T'"),
	BL_FIELD(FLOATS, paper, solarize, BL_DEFAULT(0, .2), BL_WITHIN(0, 1), .count = 2,
	         .help = "probability of solarize in T and in T'"),
	BL_FIELD(
		CHOICE, paper, backend, BL_DEFAULT(0), .choices = backends,
		.help = "tensor: computes as torchvision on float tensors; pil: as torchvision on PIL images (bytes), like the authors' code"),
	BL_FIELD_END,
};

/* Pushes T and T' of the paper, with any of their numbers changed. */
static int aug_paper(lua_State *L)
{
	paper c;
	bl_lua_ramps ramps;
	bl_lua_take_ramps(L, &c, &ramps);
	bl_pipeline *first = paper_view(&c, &ramps, 0);
	return give_twin(L, first, first ? paper_view(&c, &ramps, 1) : NULL);
}

/* --- named recipes: the paper's with other numbers --- */

typedef struct change {
	const char *field;
	int n;
	double v[2];
} change;

static const struct recipe {
	const char *name, *help;
	change changes[8];
} recipes[] = {
	{ "solo_cifar",
	  "solo-learn's pair for CIFAR: the paper's at 32 pixels, without blur; any number may be changed.",
	  { { "size", 1, { 32 } }, { "blur", 2, { 0, 0 } } } },
	{ "grey",
	  "The paper's pair for images without colour: brightness and contrast only; any number may be changed.",
	  { { "size", 1, { 28 } }, { "saturation", 1, { 0 } }, { "hue", 1, { 0 } }, { "grayscale", 1, { 0 } } } },
	{ "weak",
	  "A pair of weak views: a crop of at least half the area, and a flip; any number may be changed.",
	  { { "size", 1, { 32 } },
	    { "scale", 2, { .5, 1 } },
	    { "jitter", 1, { 0 } },
	    { "grayscale", 1, { 0 } },
	    { "blur", 2, { 0, 0 } },
	    { "solarize", 2, { 0, 0 } } } },
};

/* The paper's fields with the named recipe's numbers as defaults. */
static void change_fields(bl_field *fields, const struct recipe *r)
{
	for (const change *c = r->changes; c->field; c++)
		for (bl_field *f = fields; f->name; f++)
			if (strcmp(f->name, c->field) == 0) {
				f->presets = c->n;
				memcpy(f->preset, c->v, (size_t)c->n * sizeof *c->v);
			}
}

/* Adds the constructors of the recipes to the table on top; descriptions live as long as the state. */
static void add_recipes(lua_State *L)
{
	for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
		bl_field *fields = lua_newuserdatauv(L, sizeof paper_fields, 0);
		luaL_ref(L, LUA_REGISTRYINDEX);
		memcpy(fields, paper_fields, sizeof paper_fields);
		change_fields(fields, &recipes[i]);
		const char *example = lua_pushfstring(L, "aug.%s{size = 8}" IMAGE, recipes[i].name);
		luaL_ref(L, LUA_REGISTRYINDEX);
		bl_lua_function *list = lua_newuserdatauv(L, 2 * sizeof *list, 0);
		luaL_ref(L, LUA_REGISTRYINDEX);
		list[0] = (bl_lua_function)BL_LUA(recipes[i].name, aug_paper, ": pipelines", recipes[i].help, example,
		                                  .fields = fields);
		list[1] = (bl_lua_function)BL_LUA_END;
		bl_lua_makers(L, "aug", list);
	}
}

/* --- applying pipelines --- */

/* Pushes a userdata with the tensor (C,H,W) at `arg` as (H,W,C), and returns it; clamps values to 0..1 unless `any` is set. */
static bl_image image_of(lua_State *L, int arg, bool any)
{
	bl_tensor *t = bl_lua_tensor(L, arg);
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(t) != 3)
		luaL_error(L, "expected an image (C, H, W), got %s", bl_tensor_text(t, buf));
	int c = (int)bl_tensor_size(t, 0), h = (int)bl_tensor_size(t, 1), w = (int)bl_tensor_size(t, 2);
	size_t n = (size_t)bl_tensor_count(t), plane = (size_t)h * (size_t)w;
	float *v = lua_newuserdatauv(L, n * sizeof *v + 1, 0), *values = lua_newuserdatauv(L, n * sizeof *v + 1, 0);
	bl_tensor_read(t, v);
	for (size_t i = 0; i < n; i++)
		values[i % plane * (size_t)c + i / plane] = any ? v[i] : v[i] < 0 ? 0 : v[i] > 1 ? 1 : v[i];
	return (bl_image){ .type = BL_PIXEL_FLOAT32, .values = values, .height = h, .width = w, .channels = c };
}

static int apply(lua_State *L, bl_pipeline *p, int arg, uint64_t seed, uint32_t view)
{
	bl_tensor *t = bl_lua_tensor(L, arg);
	bool vector = bl_tensor_ndim(t) == 3 && bl_tensor_size(t, 0) == 1 && bl_tensor_size(t, 1) == 1;
	bl_image in = image_of(L, arg, vector && bl_pipeline_check_vectors(p) == 0);
	bl_plan plan;
	int h, w;
	bl_pipeline_output(p, in.height, in.width, &h, &w);
	float *hwc = lua_newuserdatauv(L, (size_t)h * (size_t)w * (size_t)in.channels * sizeof *hwc + 1, 0);
	bl_pipeline_plan(p, &(bl_view_key){ .seed = seed, .view = view }, in.height, in.width, in.channels, &plan);
	if (bl_pipeline_apply(p, &plan, &in, hwc) < 0)
		return bl_lua_fail(L);
	bl_lua_push_image(L,
	                  &(bl_image){ .type = BL_PIXEL_FLOAT32, .values = hwc, .height = h, .width = w, .channels = in.channels });
	return 1;
}

static uint64_t seed_of(lua_State *L, int arg)
{
	return lua_isnoneornil(L, arg) ? bl_lua_next_seed(L) : (uint64_t)luaL_checkinteger(L, arg);
}

/* pipe(image[, seed]) */
static int p_call(lua_State *L)
{
	return apply(L, pipeline(L, 1), 2, seed_of(L, 3), BL_STREAM_USER);
}

/* views(image[, seed]): a view by each pipeline */
static int w_call(lua_State *L)
{
	bl_pipelines *v = pipelines(L, 1);
	uint64_t seed = seed_of(L, 3);
	if (v->n == 0)
		return luaL_error(L, "aug.batch: called without 'views', it has views only in a trainer or loader: give 'views'");
	lua_settop(L, 2);
	luaL_checkstack(L, BL_VIEWS_MOST + 8, "views");
	for (int i = 0; i < v->n; i++) {
		apply(L, v->view[i], 2, seed, (uint32_t)i);
		lua_insert(L, 3 + i);
		lua_settop(L, 3 + i);
	}
	return v->n;
}

/* --- classes --- */

static int p_gc(lua_State *L)
{
	bl_pipeline **p = bl_lua_check(L, 1, BL_T_PIPELINE);
	bl_pipeline_unref(*p);
	*p = NULL;
	return 0;
}

static int w_gc(lua_State *L)
{
	bl_pipelines *v = pipelines(L, 1);
	for (int i = 0; i < v->n; i++)
		bl_pipeline_unref(v->view[i]);
	bl_batch_aug_unref(v->batch_aug);
	*v = (bl_pipelines){ .n = 0 };
	return 0;
}

static void add_text(luaL_Buffer *b, const bl_pipeline *p)
{
	char text[4096];
	int n = bl_pipeline_length(p);
	luaL_addstring(b, n == 1 ? "" : "aug.compose{ ");
	for (int i = 0; i < n; i++) {
		luaL_addstring(b, i ? ", aug." : "aug.");
		luaL_addstring(b, bl_aug_text(bl_pipeline_op(p, i), text, sizeof text));
	}
	luaL_addstring(b, n == 1 ? "" : " }");
}

/* Returns whether p has operators that are not described by numbers alone: functions, and operators made of pipelines. */
static bool has_parts(const bl_pipeline *p)
{
	for (int i = 0; i < bl_pipeline_length(p); i++)
		if (!bl_aug_fields(bl_aug_name(bl_pipeline_op(p, i))))
			return true;
	return false;
}

bool bl_lua_as_recipe(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	bl_lua_source(L, index);
	bool known = !lua_isnil(L, -1) && !bl_lua_state_is_sandbox(L);
	lua_pop(L, 1);
	if (known) {
		lua_pushvalue(L, index);
		bl_lua_call_module(L, "barlow.printed", "object", 1);
	}
	return known;
}

static int p_tostring(lua_State *L)
{
	luaL_Buffer b;
	bl_pipeline *p = pipeline(L, 1);
	if (has_parts(p) && bl_lua_as_recipe(L, 1))
		return 1;
	luaL_buffinit(L, &b);
	add_text(&b, p);
	luaL_pushresult(&b);
	return 1;
}

static int w_tostring(lua_State *L)
{
	luaL_Buffer b;
	bl_pipelines *v = pipelines(L, 1);
	bool functions = v->batch_aug != NULL;
	for (int i = 0; i < v->n; i++)
		functions = functions || has_parts(v->view[i]);
	if (functions && bl_lua_as_recipe(L, 1))
		return 1;
	luaL_buffinit(L, &b);
	luaL_addstring(&b, v->n == 2 ? "aug.twin(" : "aug.views{ ");
	for (int i = 0; i < v->n; i++) {
		luaL_addstring(&b, i ? ", " : "");
		add_text(&b, v->view[i]);
	}
	luaL_addstring(&b, v->n == 2 ? ")" : " }");
	luaL_pushresult(&b);
	return 1;
}

static int w_len(lua_State *L)
{
	lua_pushinteger(L, pipelines(L, 1)->n);
	return 1;
}

/* Pushes view i of those at 1, as aug.view does. */
static int give_view(lua_State *L, lua_Integer i)
{
	lua_settop(L, 1);
	bl_lua_give_pipeline(L, bl_pipeline_ref(pipelines(L, 1)->view[i - 1]));
	lua_createtable(L, 2, 4);
	lua_pushliteral(L, "aug.view");
	lua_setfield(L, -2, "call");
	lua_pushinteger(L, 2);
	lua_setfield(L, -2, "n");
	lua_pushinteger(L, 1);
	lua_setfield(L, -2, "result");
	lua_pushinteger(L, 1);
	lua_setfield(L, -2, "results");
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	lua_pushinteger(L, i);
	lua_rawseti(L, -2, 2);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int aug_view(lua_State *L)
{
	bl_pipelines *v = pipelines(L, 1);
	lua_Integer i = luaL_checkinteger(L, 2);
	if (i < 1 || i > v->n)
		return luaL_error(L, "aug.view: there is no view %I of %d", (LUAI_UACINT)i, v->n);
	return bl_lua_give_pipeline(L, bl_pipeline_ref(v->view[i - 1]));
}

/* views[i] */
static int w_element(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, 2);
	return lua_isinteger(L, 2) && i >= 1 && i <= pipelines(L, 1)->n ? give_view(L, i) : 0;
}

static int p_len(lua_State *L)
{
	lua_pushinteger(L, bl_pipeline_length(pipeline(L, 1)));
	return 1;
}

/* View i, or nil if there are fewer: aug.batch alone has none. */
static int view_or_nil(lua_State *L, lua_Integer i)
{
	if (i <= pipelines(L, 1)->n)
		return give_view(L, i);
	lua_pushnil(L);
	return 1;
}

static int w_first(lua_State *L)
{
	return view_or_nil(L, 1);
}
static int w_second(lua_State *L)
{
	return view_or_nil(L, 2);
}

static const luaL_Reg pipeline_meta[] = {
	{ "__gc", p_gc },
	{ "__call", p_call },
	{ "__tostring", p_tostring },
	{ "__len", p_len },
	{ "__eq", bl_lua_pipelines_equal },
	{ NULL, NULL },
};
static const luaL_Reg views_meta[] = {
	{ "__gc", w_gc },
	{ "__call", w_call },
	{ "__tostring", w_tostring },
	{ "__len", w_len },
	{ "__eq", bl_lua_pipelines_equal },
	{ NULL, NULL },
};
static const bl_lua_function pipeline_methods[] = {
	BL_LUA("()", NULL, "(image: tensor, seed?: integer): tensor", "One view of an image (C, H, W), values 0..1.",
	       "aug.flip()" IMAGE),
	BL_LUA_END,
};
static const bl_lua_function views_methods[] = {
	BL_LUA("()", NULL, "(image: tensor, seed?: integer): tensor, tensor", "All views of an image (C, H, W), values 0..1.",
	       "aug.paper{size = 8}" IMAGE),
	BL_LUA("[]", NULL, "(i: integer): pipeline", "The pipeline of a view.", "aug.paper{size = 8}[2]"),
	BL_LUA_END,
};
static const bl_lua_function views_properties[] = {
	BL_LUA("first", w_first, ": pipeline", "The pipeline of the first view.", "aug.paper{size = 8}.first"),
	BL_LUA("second", w_second, ": pipeline", "The pipeline of the second view.", "aug.paper{size = 8}.second"),
	BL_LUA_END,
};

static const bl_lua_function constructors[] = {
	BL_LUA("compose", aug_compose, "(pipelines...: pipeline): pipeline", "Applies pipelines one after the other.",
	       "aug.compose{aug.crop(8), aug.flip()}" IMAGE),
	BL_LUA("twin", aug_twin, "(T: pipeline, T2: pipeline): pipelines", "A pipeline for each of the two views.",
	       "aug.twin(aug.crop(8), aug.resize(8))" IMAGE),
	BL_LUA("views", aug_views, "(pipelines...: pipeline): pipelines",
	       "A pipeline for each of up to 8 views, whose sizes may differ.",
	       "aug.views{aug.crop(8), aug.crop(8), aug.crop(4)}" IMAGE),
	BL_LUA("repeated", aug_repeated, "(T: pipeline, n: integer): pipelines", "The same pipeline for each of n views.",
	       "aug.repeated(aug.crop(8), 4)" IMAGE),
	BL_LUA("view", aug_view, "(T: pipelines, i: integer): pipeline", "The pipeline of view i, from 1; the same as T[i].",
	       "aug.view(aug.paper{size = 8}, 2)"),
	BL_LUA("batch", aug_batch, ": pipelines",
	       "Views whose batches a Lua function changes before they go to the network (mixup, CutMix).",
	       "aug.batch(function(v, rng) local m, other = rng:beta(.4), rng:permutation(v[1]:size(1)) "
	       "return {v[1] * m + v[1]:rows(other) * (1 - m), v[2]} end)",
	       .fields = batch_fields),
	BL_LUA("func", bl_lua_make_func_aug, ": pipeline",
	       "A Lua function as an operator: it is called with an image (C, H, W), an rng, and a table about the view.",
	       "aug.func(function(img, rng, info) return img * rng:uniform(.5, 1) end)" IMAGE, .fields = bl_lua_func_aug_fields),
	BL_LUA("paper", aug_paper, ": pipelines", "The paper's T and T'; any number may be changed.", "aug.paper{size = 8}" IMAGE,
	       .fields = paper_fields),
	BL_LUA_END,
};

int bl_lua_open_aug(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){
				      .name = BL_T_PIPELINE, .self = "pipe", .meta = pipeline_meta, .methods = pipeline_methods });
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_VIEWS, "views", views_meta, views_methods, views_properties, w_element, NULL });
	bl_lua_define_rng(L);
	bl_lua_define_ramp(L);
	bl_lua_module_new(L, "aug");
	add_operators(L);
	bl_lua_makers(L, "aug", constructors);
	bl_lua_makers(L, "aug", bl_lua_aug_vectors);
	bl_lua_makers(L, "aug", bl_lua_aug_change);
	bl_lua_makers(L, "aug", bl_lua_aug_ramp);
	add_recipes(L);
	bl_lua_functions(L, "aug", bl_lua_aug_look);
	return 1;
}
