/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_aug.c: `aug`: image operators and pipelines.
 *
 * Every operator of the engine has a constructor of its name, which makes a
 * pipeline of one; aug.compose strings pipelines together,
 * aug.twin pairs two of them, aug.paper is the paper's pair.
 */
#include "lua/bind/face.h"

#include <string.h>

enum { OPS_MAX = 64, KEYS_MOST = 32 };

int bl_lua_give_pipeline(lua_State *L, bl_pipeline *p)
{
	if (!p)
		return bl_lua_fail(L);
	*(bl_pipeline **)bl_lua_new(L, BL_T_PIPELINE, sizeof p) = p;
	return 1;
}

static bl_pipeline *pipeline(lua_State *L, int arg)
{
	return *(bl_pipeline **)bl_lua_check(L, arg, BL_T_PIPELINE);
}

static bl_twin *twin(lua_State *L, int arg)
{
	return bl_lua_check(L, arg, BL_T_TWIN);
}

/* --- operators: what they are called, and their fields, is the engine's to say --- */

static bl_key_kind key_kind(bl_field_kind kind)
{
	switch (kind) {
	case BL_FIELD_INT: return BL_KEY_INT;
	case BL_FIELD_PAIR: return BL_KEY_FLOATS;
	case BL_FIELD_LIST: return BL_KEY_LIST;
	default: return BL_KEY_FLOAT;
	}
}

/* The fields of an operator as keys of a constructor. */
static void make_keys(const bl_field *f, bl_key *keys)
{
	for (; f->name; f++)
		*keys++ = (bl_key){
			.name = f->name, .kind = key_kind(f->kind), .offset = f->offset, .count = 2, .position = f->position,
			.min = f->min, .max = f->max,
		};
	*keys = (bl_key)BL_KEY_END;
}

/* A pipeline of one; takes the operator. */
static int give_one(lua_State *L, bl_aug *a)
{
	bl_pipeline *p = a ? bl_pipeline_new(&a, 1) : NULL;
	bl_aug_unref(a);
	return bl_lua_give_pipeline(L, p);
}

/* Every operator's constructor: which one it is, its name says. */
static int make(lua_State *L)
{
	_Alignas(16) unsigned char parameters[BL_AUG_BYTES];
	bl_key keys[KEYS_MOST];
	const char *what = bl_lua_constructor_name(L), *name = strchr(what, '.') + 1;
	const bl_field *fields = bl_aug_fields(name);
	make_keys(fields, keys);
	bl_fields_default(fields, parameters);
	bl_lua_arguments(L, what, keys, parameters);
	return give_one(L, bl_aug_new_with(name, parameters));
}

/* --- pipelines of many --- */

/* Appends the pipeline's operators to ops. */
static int append(lua_State *L, const bl_pipeline *p, bl_aug **ops, int n)
{
	int more = bl_pipeline_length(p);
	if (n + more > OPS_MAX)
		luaL_error(L, "aug.compose: more than %d operators", OPS_MAX);
	for (int i = 0; i < more; i++)
		ops[n + i] = bl_pipeline_op(p, i);
	return n + more;
}

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
		n = append(L, pipeline(L, -1), ops, n);
		lua_pop(L, 1);
	}
	return bl_lua_give_pipeline(L, bl_pipeline_new(ops, n));
}

static int give_twin(lua_State *L, bl_pipeline *first, bl_pipeline *second)
{
	bl_twin *t = bl_lua_new(L, BL_T_TWIN, sizeof *t);
	t->first = first;
	t->second = second;
	return first && second ? 1 : bl_lua_fail(L);
}

/* twin(T, T2) */
static int aug_twin(lua_State *L)
{
	bl_pipeline *a = pipeline(L, 1), *b = pipeline(L, 2);
	return give_twin(L, bl_pipeline_ref(a), bl_pipeline_ref(b));
}

/* --- the paper's pair --- */

typedef struct paper {
	int size;
	float scale[2], ratio[2], sigma[2];
	float flip, jitter, brightness, contrast, saturation, hue, grayscale;
	float blur[2], solarize[2]; /* p in T and in T' */
} paper;

/* Which field of which operator a number of the paper's is. */
typedef struct place {
	const char *operator, *field;
	size_t offset; /* in struct paper */
	enum { WHOLE, ONE, TWO, BY_VIEW } how;
} place;

#define PLACE(operator, field, member, how) { operator, field, offsetof(paper, member), how }
static const place places[] = {
	PLACE("crop", "size", size, WHOLE), PLACE("crop", "scale", scale, TWO), PLACE("crop", "ratio", ratio, TWO),
	PLACE("flip", "p", flip, ONE),
	PLACE("jitter", "p", jitter, ONE), PLACE("jitter", "brightness", brightness, ONE),
	PLACE("jitter", "contrast", contrast, ONE), PLACE("jitter", "saturation", saturation, ONE),
	PLACE("jitter", "hue", hue, ONE),
	PLACE("grayscale", "p", grayscale, ONE),
	PLACE("blur", "p", blur, BY_VIEW), PLACE("blur", "sigma", sigma, TWO),
	PLACE("solarize", "p", solarize, BY_VIEW),
};
#undef PLACE

static int set_place(bl_aug *a, const paper *c, const place *at, int view)
{
	const void *from = (const char *)c + at->offset;
	const float *v = from;
	double one = at->how == WHOLE ? *(const int *)from : (double)v[at->how == BY_VIEW ? view : 0];
	return bl_aug_set(a, at->field, at->how == TWO ? (double[]){ (double)v[0], (double)v[1] } : &one, 1 + (at->how == TWO));
}

/* The paper's operator of that name; NULL with bl_error. */
static bl_aug *paper_operator(const paper *c, const char *name, int view)
{
	bl_aug *a = bl_aug_new(name);
	for (size_t i = 0; a && i < sizeof places / sizeof *places; i++)
		if (strcmp(places[i].operator, name) == 0 && set_place(a, c, &places[i], view) < 0) {
			bl_aug_unref(a);
			return NULL;
		}
	return a;
}

/* One that never applies is left out. */
static bool idle(const bl_aug *a)
{
	double p[BL_LIST_MOST];
	return bl_field_find(bl_aug_fields(bl_aug_name(a)), "p") && bl_aug_get(a, "p", p) == 1 && p[0] == 0;
}

static bl_pipeline *paper_view(const paper *c, int view)
{
	static const char *const names[] = { "crop", "flip", "jitter", "grayscale", "blur", "solarize" };
	enum { OPERATORS = sizeof names / sizeof *names };
	bl_aug *made[OPERATORS] = { NULL }, *ops[OPERATORS];
	int n = 0, i = 0;
	for (; i < OPERATORS && (made[i] = paper_operator(c, names[i], view)); i++)
		if (!idle(made[i]))
			ops[n++] = made[i];
	bl_pipeline *p = i == OPERATORS ? bl_pipeline_new(ops, n) : NULL;
	for (int k = 0; k < OPERATORS; k++)
		bl_aug_unref(made[k]);
	return p;
}

/* paper{size = 224, ...}: T and T' of the paper; give any of its numbers to change it */
static int aug_paper(lua_State *L)
{
#define PNUMBER(field) { .name = #field, .offset = offsetof(paper, field), .kind = BL_KEY_FLOAT }
#define PPAIR(field) { .name = #field, .offset = offsetof(paper, field), .kind = BL_KEY_FLOATS, .count = 2 }
	static const bl_key keys[] = {
		{.name = "size", .offset = offsetof(paper, size), .kind = BL_KEY_INT, .position = 1},
		PPAIR(scale),
		PPAIR(ratio),
		PPAIR(sigma),
		PNUMBER(flip),
		PNUMBER(jitter),
		PNUMBER(brightness),
		PNUMBER(contrast),
		PNUMBER(saturation),
		PNUMBER(hue),
		PNUMBER(grayscale),
		PPAIR(blur),
		PPAIR(solarize),
		BL_KEY_END,
	};
	paper c = {
		.size = 224,
		.scale = {.08f, 1},
		.ratio = {3 / 4.f, 4 / 3.f},
		.sigma = {.1f, 2},
		.flip = .5f,
		.jitter = .8f,
		.brightness = .4f,
		.contrast = .4f,
		.saturation = .2f,
		.hue = .1f,
		.grayscale = .2f,
		.blur = {1, .1f},
		.solarize = {0, .2f},
	};
	bl_lua_arguments(L, "aug.paper", keys, &c);
	bl_pipeline *first = paper_view(&c, 0);
	return give_twin(L, first, first ? paper_view(&c, 1) : NULL);
}

/* --- applying one --- */

/* The image tensor (C,H,W) at `arg`, values 0..1, as bytes (H,W,C) in a userdata that is pushed. */
static bl_image image_bytes(lua_State *L, int arg)
{
	bl_tensor *t = bl_lua_tensor(L, arg);
	char buf[BL_SHAPE_TEXT];
	if (bl_tensor_ndim(t) != 3)
		luaL_error(L, "expected an image (C, H, W), got %s", bl_tensor_text(t, buf));
	int c = (int)bl_tensor_size(t, 0), h = (int)bl_tensor_size(t, 1), w = (int)bl_tensor_size(t, 2);
	size_t n = (size_t)bl_tensor_count(t), plane = (size_t)h * (size_t)w;
	float *v = lua_newuserdatauv(L, n * sizeof *v + 1, 0);
	uint8_t *bytes = lua_newuserdatauv(L, n + 1, 0);
	bl_tensor_read(t, v);
	for (size_t i = 0; i < n; i++) {
		float x = v[i] < 0 ? 0 : v[i] > 1 ? 1 : v[i];
		bytes[i % plane * (size_t)c + i / plane] = (uint8_t)(x * 255 + .5f);
	}
	return (bl_image){ .pixels = bytes, .height = h, .width = w, .channels = c };
}

static int apply(lua_State *L, bl_pipeline *p, int arg, uint64_t seed, uint32_t view)
{
	bl_image in = image_bytes(L, arg);
	bl_plan plan;
	int h, w;
	bl_pipeline_output(p, in.height, in.width, &h, &w);
	size_t plane = (size_t)h * (size_t)w;
	float *hwc = lua_newuserdatauv(L, plane * (size_t)in.channels * sizeof *hwc + 1, 0);
	bl_pipeline_plan(p, &(bl_view_key){ .seed = seed, .view = view }, in.height, in.width, in.channels, &plan);
	if (bl_pipeline_apply(p, &plan, &in, hwc) < 0)
		return bl_lua_fail(L);
	bl_tensor *out = bl_tensor_new(3, (int64_t[]){ in.channels, h, w });
	bl_lua_give_tensor(L, out);
	float *chw = bl_tensor_data(out);
	for (size_t i = 0; i < plane * (size_t)in.channels; i++)
		chw[i % (size_t)in.channels * plane + i / (size_t)in.channels] = hwc[i];
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

/* pair(image[, seed]): both views */
static int w_call(lua_State *L)
{
	bl_twin *t = twin(L, 1);
	uint64_t seed = seed_of(L, 3);
	apply(L, t->first, 2, seed, 0);
	int first = lua_gettop(L);
	apply(L, t->second, 2, seed, 1);
	lua_pushvalue(L, first);
	lua_insert(L, -2);
	return 2;
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
	bl_twin *t = twin(L, 1);
	if (t->first)
		bl_pipeline_unref(t->first);
	if (t->second)
		bl_pipeline_unref(t->second);
	*t = (bl_twin){ NULL, NULL };
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

static int p_tostring(lua_State *L)
{
	luaL_Buffer b;
	bl_pipeline *p = pipeline(L, 1);
	luaL_buffinit(L, &b);
	add_text(&b, p);
	luaL_pushresult(&b);
	return 1;
}

static int w_tostring(lua_State *L)
{
	luaL_Buffer b;
	bl_twin *t = twin(L, 1);
	luaL_buffinit(L, &b);
	luaL_addstring(&b, "aug.twin(");
	add_text(&b, t->first);
	luaL_addstring(&b, ", ");
	add_text(&b, t->second);
	luaL_addstring(&b, ")");
	luaL_pushresult(&b);
	return 1;
}

static int p_len(lua_State *L)
{
	lua_pushinteger(L, bl_pipeline_length(pipeline(L, 1)));
	return 1;
}

static int w_first(lua_State *L) { return bl_lua_give_pipeline(L, bl_pipeline_ref(twin(L, 1)->first)); }
static int w_second(lua_State *L) { return bl_lua_give_pipeline(L, bl_pipeline_ref(twin(L, 1)->second)); }

static const luaL_Reg pipeline_meta[] = {
	{ "__gc", p_gc }, { "__call", p_call }, { "__tostring", p_tostring }, { "__len", p_len }, { NULL, NULL },
};
static const luaL_Reg twin_meta[] = {
	{ "__gc", w_gc }, { "__call", w_call }, { "__tostring", w_tostring }, { NULL, NULL },
};
static const luaL_Reg twin_properties[] = { { "first", w_first }, { "second", w_second }, { NULL, NULL } };

static const luaL_Reg constructors[] = {
	{ "compose", aug_compose }, { "twin", aug_twin }, { "paper", aug_paper }, { NULL, NULL },
};

/* A constructor for every operator that the engine has. */
static void add_operators(lua_State *L)
{
	for (int i = 0; bl_aug_name_at(i); i++)
		bl_lua_constructors(L, "aug", (luaL_Reg[]){ { bl_aug_name_at(i), make }, { NULL, NULL } });
}

int bl_lua_open_aug(lua_State *L)
{
	bl_lua_define(L, &(bl_lua_class){ .type = BL_T_PIPELINE, .meta = pipeline_meta });
	bl_lua_define(L, &(bl_lua_class){ .type = BL_T_TWIN, .meta = twin_meta, .properties = twin_properties });
	lua_newtable(L);
	add_operators(L);
	bl_lua_constructors(L, "aug", constructors);
	return 1;
}
