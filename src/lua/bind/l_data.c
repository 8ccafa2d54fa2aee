/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_data.c: `data`: datasets.  Rows count from 1, and so do labels: ds[i].label is the index of its name in ds.classes.
 */
#include "lua/bind/face.h"

#include <barlow/parallel.h>
#include <barlow/text.h>

#include <stdlib.h>
#include <string.h>

/* --- constructors, one for each kind --- */

/* The settings of all kinds, and the fingerprint that recipes add to sets of files. */
typedef struct making {
	double room[BL_DATA_ROOM];
	const char *fingerprint;
	bool verify;
	const bl_data_kind *kind;
} making;

static const bl_field fingerprint_field = BL_FIELD(
	TEXT, making, fingerprint, BL_OTHERWISE("files are not compared"),
	.help = "given in recipes: a hash of the number and names of the files, and of size and content of some; other files "
		"are refused, and moved ones are searched for below $BARLOW_DATA");

static const bl_field verify_field =
	BL_FIELD(BOOL, making, verify, BL_DEFAULT(false), .help = "reads all images first, and raises an error if some are broken");

static const char **path_of(making *m, int k)
{
	const char *name = m->kind->paths[k];
	return name ? (const char **)(void *)((char *)m->room + bl_field_find(m->kind->fields, name)->offset) : NULL;
}

static bl_dataset *open_kind(void *ctx, const char *first, const char *second)
{
	making *m = ctx;
	*path_of(m, 0) = first;
	if (m->kind->paths[1])
		*path_of(m, 1) = second;
	return m->kind->make(m->room);
}

static int make(lua_State *L)
{
	making m = { .kind = bl_lua_running(L)->context };
	bl_lua_take(L, &m);
	bool files = m.kind->paths[0] != NULL;
	const char *first = files ? *path_of(&m, 0) : NULL, *second = files && m.kind->paths[1] ? *path_of(&m, 1) : NULL;
	if (files && !first && m.fingerprint) /* a fingerprint does not say where its files are */
		return bl_lua_missing(L, lua_tostring(L, lua_upvalueindex(BL_LUA_UP_NAME)), m.kind->paths[0],
		                      "the path of the files with that fingerprint");
	const volatile int *before = bl_lua_interrupt_begin(L);
	bl_dataset *d =
		files ? bl_lua_open_recorded(&(bl_recorded){ open_kind, &m, first, second, m.fingerprint }) : m.kind->make(m.room);
	bool broken = d && m.verify && bl_dataset_check_images(d) < 0;
	bl_lua_interrupt_end(before);
	bl_lua_give_dataset(L, d);
	if (broken)
		return bl_lua_fail(L);
	if (m.kind->sized) { /* recipes state the size for evaluation even if it was not given */
		lua_createtable(L, 2, 0);
		lua_pushinteger(L, bl_dataset_height(d));
		lua_rawseti(L, -2, 1);
		lua_pushinteger(L, bl_dataset_width(d));
		lua_rawseti(L, -2, 2);
		lua_setfield(L, 1, "size");
	}
	return 1;
}

/* Adds a constructor for each kind, with the kind's fields and, for files, `verify` and `fingerprint`.  Descriptions live as long as the state. */
static void add_kinds(lua_State *L)
{
	enum { MOST = 32 };
	typedef struct maker {
		bl_lua_function list[2];
		bl_field fields[MOST];
	} maker;
	const bl_data_kind *k;
	for (int i = 0; (k = bl_data_kind_at(i)) != NULL; i++) {
		maker *m = lua_newuserdatauv(L, sizeof *m, 0);
		luaL_ref(L, LUA_REGISTRYINDEX);
		memset(m, 0, sizeof *m);
		int n = 0;
		for (; k->fields[n].name && n < MOST - 3; n++)
			m->fields[n] = k->fields[n];
		if (k->paths[0]) {
			m->fields[n++] = verify_field;
			m->fields[n] = fingerprint_field;
		}
		m->list[0] =
			(bl_lua_function)BL_LUA(k->name, make, ": dataset", k->help, k->example, .fields = m->fields, .context = k);
		bl_lua_makers(L, "data", m->list);
	}
}

/* origin(object, "data.idx"): its fingerprint and {images = absolute path, ...}; nothing if it is not a set of files */
int bl_lua_origin(lua_State *L)
{
	if (!bl_lua_test(L, 1, BL_T_DATASET))
		return 0;
	bl_dataset *d = bl_lua_dataset(L, 1);
	const char *maker = luaL_checkstring(L, 2), *fingerprint;
	const bl_data_kind *k;
	for (int i = 0; (k = bl_data_kind_at(i)) != NULL; i++)
		if (strncmp(maker, "data.", 5) == 0 && strcmp(maker + 5, k->name) == 0)
			break;
	if (!k || !k->paths[0] || !bl_dataset_origin(d, 0))
		return 0;
	if (!(fingerprint = bl_dataset_fingerprint(d)))
		return bl_lua_fail(L);
	lua_pushstring(L, fingerprint);
	lua_newtable(L);
	for (int j = 0; j < 2 && k->paths[j]; j++) {
		lua_pushstring(L, bl_dataset_origin(d, j));
		lua_setfield(L, -2, k->paths[j]);
	}
	return 2;
}

/* tensor(images (N,C,H,W)[, labels[, content]]) */
static int data_tensor(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	const char *content = luaL_optstring(L, 3, NULL);
	int64_t n = bl_tensor_ndim(t) ? bl_tensor_size(t, 0) : 0;
	bl_lua_give_dataset(L, bl_dataset_tensor(t, lua_isnoneornil(L, 2) ? NULL : bl_lua_labels(L, 2, n)));
	char now[BL_CONTENT_TEXT];
	if (content && strcmp(bl_dataset_content(bl_lua_dataset(L, -1), now), content) != 0) {
		bl_fail("data.tensor: these are not the images that the recipe was written for: they are %s, they were %.100s", now,
		        content);
		return bl_lua_fail(L);
	}
	return 1;
}

/* content(dataset): the hash that recipes contain of a set made of a tensor */
int bl_lua_content(lua_State *L)
{
	char content[BL_CONTENT_TEXT];
	lua_pushstring(L, bl_dataset_content(bl_lua_dataset(L, 1), content));
	return 1;
}

/* --- parts --- */

/* split(fraction[, seed]): two datasets */
static int d_split(lua_State *L)
{
	bl_dataset *first, *second;
	double fraction = luaL_checknumber(L, 2);
	lua_Integer seed = luaL_optinteger(L, 3, 0);
	bl_lua_state_integer(L, 3, seed);
	if (bl_dataset_split(bl_lua_dataset(L, 1), fraction, (uint64_t)seed, &first, &second) < 0)
		return bl_lua_fail(L);
	bl_lua_give_dataset(L, first);
	bl_lua_give_dataset(L, second);
	return 2;
}

/* Pushes a userdata with the numbers of all rows from argument 2 to argument 3. */
static int64_t *range_rows(lua_State *L, int64_t *n)
{
	int64_t from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
	if (lua_isnone(L, 3) || to < from - 1)
		luaL_error(L, "subset: an empty range %I..%I", (lua_Integer)from, (lua_Integer)to);
	*n = to - from + 1;
	luaL_argcheck(L, *n < INT64_C(1) << 40, 3, "too many rows");
	int64_t *rows = lua_newuserdatauv(L, sizeof *rows * (size_t)(*n + 1), 0);
	for (int64_t i = 0; i < *n; i++)
		rows[i] = from + i;
	return rows;
}

/* subset(from, to) or subset{row, ...} */
static int d_subset(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	int64_t n, length = bl_dataset_length(d);
	bool range = lua_type(L, 2) == LUA_TNUMBER;
	int64_t *rows = range ? range_rows(L, &n) : bl_lua_integers(L, 2, "subset", &n);
	for (int64_t i = 0; i < n; i++)
		if (--rows[i] < 0 || rows[i] >= length)
			return luaL_error(L, "subset: row %I is outside of 1..%I", (lua_Integer)rows[i] + 1, (lua_Integer)length);
	return bl_lua_give_dataset(L, bl_dataset_select(d, rows, n));
}

/* --- one image --- */

/* ds[i]: {image = tensor (C,H,W), label =, path =, factors = {...}} */
static int d_element(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	int whole = 0;
	int64_t i = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &whole) : 0; /* 5.0 means 5, as for tables */
	if (!whole)
		return 0;
	if (i < 1 || i > bl_dataset_length(d))
		return luaL_error(L, "%s: image %I is outside of 1..%I", bl_dataset_name(d), (lua_Integer)i,
		                  (lua_Integer)bl_dataset_length(d));
	bl_image im;
	if (bl_dataset_image(d, --i, &im) < 0)
		return bl_lua_fail(L);
	lua_createtable(L, 0, 3);
	bl_lua_push_image(L, &im);
	lua_setfield(L, -2, "image");
	char *path = bl_dataset_path(d, i);
	if (path) {
		lua_pushstring(L, path);
		free(path);
		lua_setfield(L, -2, "path");
	}
	if (bl_dataset_label(d, i) >= 0) {
		lua_pushinteger(L, bl_dataset_label(d, i) + 1);
		lua_setfield(L, -2, "label");
	}
	const char *const *names = bl_dataset_factor_names(d);
	if (!names)
		return 1;
	lua_newtable(L);
	for (int k = 0; names[k]; k++) {
		lua_pushnumber(L, (lua_Number)bl_dataset_factor(d, i, k));
		lua_setfield(L, -2, names[k]);
	}
	lua_setfield(L, -2, "factors");
	return 1;
}

static int d_len(lua_State *L)
{
	lua_pushinteger(L, bl_dataset_length(bl_lua_dataset(L, 1)));
	return 1;
}

static int p_classes(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	lua_newtable(L);
	for (int i = 0; i < bl_dataset_classes(d); i++) {
		char number[24];
		const char *name = bl_dataset_class_name(d, i);
		if (!name)
			bl_dataset_class_text(d, i, number, sizeof number);
		lua_pushstring(L, name ? name : number); /* a name may be longer than `number` */
		lua_rawseti(L, 2, i + 1);
	}
	return 1;
}

static int p_labels(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	int64_t n = bl_dataset_length(d);
	lua_createtable(L, (int)n, 0);
	for (int64_t i = 0; bl_dataset_classes(d) && i < n; i++) {
		lua_pushinteger(L, bl_dataset_label(d, i) + 1);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* Lists the files that are skipped, each with the reason. */
static int p_skipped(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	lua_newtable(L);
	for (int64_t k = 0; k < bl_dataset_skipped(d); k++) {
		lua_pushstring(L, bl_dataset_skipped_reason(d, k));
		lua_rawseti(L, -2, k + 1);
	}
	return 1;
}

static int p_name(lua_State *L)
{
	lua_pushstring(L, bl_dataset_name(bl_lua_dataset(L, 1)));
	return 1;
}

#define SIZE(what) \
	static int p_##what(lua_State *L) \
	{ \
		lua_pushinteger(L, bl_dataset_##what(bl_lua_dataset(L, 1))); \
		return 1; \
	}
SIZE(channels)
SIZE(height)
SIZE(width)
#undef SIZE

static void push_floats(lua_State *L, const float *v, int n)
{
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_pushnumber(L, (lua_Number)v[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* statistics(): mean and standard deviation of each channel */
static int d_statistics(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST];
	const volatile int *before = bl_lua_interrupt_begin(L);
	int rc = bl_dataset_statistics(d, mean, std);
	bl_lua_interrupt_end(before);
	if (rc < 0)
		return bl_lua_fail(L);
	push_floats(L, mean, bl_dataset_channels(d));
	push_floats(L, std, bl_dataset_channels(d));
	return 2;
}

typedef struct statistics {
	bl_list mean, std;
} statistics;

static const bl_field statistics_fields[] = {
	BL_FIELD(LIST, statistics, mean, BL_REQUIRED, BL_WITHIN(-1e6, 1e6), .count = BL_LIST_MOST, .help = "one per channel"),
	BL_FIELD(LIST, statistics, std, BL_REQUIRED, BL_ABOVE(0), .count = BL_LIST_MOST, .help = "one per channel"),
	BL_FIELD_END,
};

static void take_floats(lua_State *L, const char *key, const bl_list *l, float *out, int channels)
{
	if (l->n != channels)
		luaL_error(L, "set_statistics: %d numbers in '%s' for images of %d %s", l->n, key, channels,
		           bl_text_plural(channels, "channel", "channels"));
	for (int c = 0; c < channels; c++)
		out[c] = (float)l->v[c];
}

static int d_set_statistics(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	statistics s = { .mean.n = 0 };
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST];
	lua_settop(L, 2);
	bl_lua_take_table(L, 2, "set_statistics", statistics_fields, &s);
	lua_replace(L, 2);
	take_floats(L, "mean", &s.mean, mean, bl_dataset_channels(d));
	take_floats(L, "std", &s.std, std, bl_dataset_channels(d));
	if (bl_dataset_set_statistics(d, mean, std) < 0)
		return bl_lua_fail(L);
	bl_lua_remember(L, "set_statistics");
	lua_settop(L, 1);
	return 1;
}

/* Pushes the list as text, one set on a line: "fashion  here      Fashion-MNIST ..." */
static int list_text(lua_State *L)
{
	luaL_Buffer b;
	lua_Integer n = luaL_len(L, 1);
	luaL_buffinit(L, &b);
	for (lua_Integer i = 1; i <= n; i++) {
		char line[512];
		lua_geti(L, 1, i);
		lua_getfield(L, -1, "name");
		lua_getfield(L, -2, "help");
		lua_getfield(L, -3, "path");
		snprintf(line, sizeof line, "%-8s  %-8s  %s\n", lua_tostring(L, -3), lua_isnil(L, -1) ? "not here" : "here",
		         lua_tostring(L, -2));
		lua_settop(L, -5);
		luaL_addstring(&b, line);
	}
	luaL_addstring(&b,
	               "data.list()[1].missing says where files are searched for and how to get them, .path where they were found");
	luaL_pushresult(&b);
	return 1;
}

/* list(): {{name =, help =, path = where it was found, missing = where it was searched for and how to get it}, ...} */
static int data_list(lua_State *L)
{
	enum { PATH = 4096 };
	const bl_data_kind *k;
	char path[PATH];
	lua_newtable(L);
	for (int i = 0, n = 0; (k = bl_data_kind_at(i)) != NULL; i++) {
		if (!k->find)
			continue;
		bool found = k->find(path, sizeof path) == 0;
		lua_createtable(L, 0, 3);
		lua_pushstring(L, k->name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, k->help);
		lua_setfield(L, -2, "help");
		bl_lua_push_clean(L, found ? path : bl_error(), false);
		lua_setfield(L, -2, found ? "path" : "missing");
		lua_rawseti(L, -2, ++n);
	}
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, list_text);
	lua_setfield(L, -2, "__tostring");
	lua_setmetatable(L, -2);
	return 1;
}

static int d_gc(lua_State *L)
{
	bl_dataset **d = bl_lua_check(L, 1, BL_T_DATASET);
	if (*d)
		bl_dataset_unref(*d);
	*d = NULL;
	return 0;
}

static const luaL_Reg meta[] = {
	{ "__gc", d_gc },
	{ "__len", d_len },
	{ "__tostring", bl_lua_dataset_text },
	{ NULL, NULL },
};
static const bl_lua_function methods[] = {
	BL_LUA("statistics", d_statistics, "(): number[], number[]",
	       "Mean and standard deviation of each channel; for sets of files, of 1024 images at most.",
	       "data.shapes{n = 50, size = 8}:statistics()"),
	BL_LUA("set_statistics", d_set_statistics, ": dataset",
	       "Sets mean and standard deviation that normalise the images from now on; a run's recipe states those that it uses.",
	       "data.shapes{n = 50, size = 8}:set_statistics{mean = {.5, .5, .5}, std = {.25, .25, .25}}",
	       .fields = statistics_fields),
	BL_LUA("[]", NULL, "ds[i]",
	       "{image = tensor (C, H, W), label = number from 1, path = its file, factors = {...}}; what the set does not have is nil.",
	       "data.shapes{n = 10, size = 16}[3].label"),
	BL_LUA_END,
};
static const bl_lua_function part_methods[] = {
	BL_LUA("split", d_split, "(fraction: number, seed?: integer): dataset, dataset",
	       "Splits it into two parts, each with the classes in the same proportion.",
	       "data.shapes{n = 50, size = 8}:split(.8, 1)"),
	BL_LUA("subset", d_subset, "(from: integer|integer[], to?: integer): dataset",
	       "The images of a range, or of a list of rows.", "data.shapes{n = 50, size = 8}:subset(1, 10)"),
	BL_LUA_END,
};
static const bl_lua_function properties[] = {
	BL_LUA("classes", p_classes, ": string[]", "Names of the classes; labels are indices into this list.",
	       "data.shapes{n = 1, size = 8}.classes"),
	BL_LUA("labels", p_labels, ": integer[]", "All labels.", "data.shapes{n = 5, size = 8}.labels"),
	BL_LUA("name", p_name, ": string", "The set's name, for messages and titles.", "data.shapes{n = 1, size = 8}.name"),
	BL_LUA("channels", p_channels, ": integer", "Channels of an image.", "data.shapes{n = 1, size = 8}.channels"),
	BL_LUA("height", p_height, ": integer", "Rows of an image; for sets of files, after resizing for evaluation.",
	       "data.shapes{n = 1, size = 8}.height"),
	BL_LUA("width", p_width, ": integer", "Columns of an image; for sets of files, after resizing for evaluation.",
	       "data.shapes{n = 1, size = 8}.width"),
	BL_LUA("skipped", p_skipped, ": string[]",
	       "Files of the folder that are not read, each with the reason: not an image by its name, or broken (skip_broken).",
	       "data.shapes{n = 1, size = 8}.skipped"),
	BL_LUA_END,
};
static const bl_lua_function functions[] = {
	BL_LUA("list", data_list, "(): table[]",
	       "Well-known sets: name, help, and path if found on this machine, or missing: where it was searched for and how to get it.",
	       "data.list()[1].name"),
	BL_LUA_END,
};
static const bl_lua_function constructors[] = {
	BL_LUA("tensor", data_tensor, "(images: tensor, labels?: integer[], content?: string): dataset",
	       "Images of a tensor (N, C, H, W), C up to 64, values 0..1, and labels from 1, a list or a tensor; content: a hash, given in recipes.",
	       "data.tensor(tensor.rand(4, 1, 8, 8), {1, 2, 1, 2})"),
	BL_LUA("vectors", bl_lua_make_vectors, ": dataset",
	       "Vectors of features of any values; each is an image of one row, augmented by aug.features and similar operators.",
	       "data.vectors(tensor.rand(4, 8), {1, 2, 1, 2})", .fields = bl_lua_vectors_fields),
	BL_LUA("func", bl_lua_make_func_data, ": dataset",
	       "Images that a Lua function makes when they are needed; it runs sandboxed, on any thread.",
	       "local x = tensor.rand(50, 1, 8, 8); data.func(50, function(i, rng) return x[i] * rng:uniform(), i % 2 + 1 end, {classes = 2})",
	       .fields = bl_lua_func_data_fields),
	BL_LUA_END,
};

int bl_lua_open_data(lua_State *L)
{
	bl_lua_define_type(L, &(bl_lua_type){ BL_T_DATASET, "ds", meta, methods, properties, d_element, NULL });
	bl_lua_maker_methods(L, BL_T_DATASET, part_methods); /* parts store the set to which they belong */
	bl_lua_maker_methods(L, BL_T_DATASET, bl_lua_data_parts);
	bl_lua_methods(L, BL_T_DATASET, bl_lua_data_look);
	bl_lua_define_loader(L);
	bl_lua_module_new(L, "data");
	add_kinds(L);
	bl_lua_makers(L, "data", constructors);
	bl_lua_functions(L, "data", functions);
	bl_lua_makers(L, "data", bl_lua_loader);
	return 1;
}
