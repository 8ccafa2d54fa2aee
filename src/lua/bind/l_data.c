/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l_data.c: `data`: datasets.  Rows count from 1, and so do labels: ds[i].label is the place of its name in ds.classes.
 */
#include "lua/bind/face.h"

#include <stdlib.h>

int bl_lua_give_dataset(lua_State *L, bl_dataset *d)
{
	if (!d)
		return bl_lua_fail(L);
	*(bl_dataset **)bl_lua_new(L, BL_T_DATASET, sizeof d) = d;
	return 1;
}

bl_dataset *bl_lua_dataset(lua_State *L, int arg)
{
	return *(bl_dataset **)bl_lua_check(L, arg, BL_T_DATASET);
}

/* What a recipe adds to a set of files: they have to be those that it was written for. */
static int give_recorded(lua_State *L, const bl_recorded *r)
{
	return bl_lua_give_dataset(L, bl_lua_open_recorded(r));
}

static bl_dataset *open_fashion(void *train, const char *folder, const char *none)
{
	(void)none;
	return bl_dataset_fashion(folder, *(bool *)train);
}

/* fashion{train = true, folder = "/usr/share/datasets/fashion-mnist", fingerprint =} */
static int data_fashion(lua_State *L)
{
	typedef struct args { bool train; const char *folder, *fingerprint; } args;
	static const bl_key keys[] = {
		BL_KEY(BOOL, args, train),
		BL_KEY(TEXT, args, folder),
		BL_KEY(TEXT, args, fingerprint), BL_KEY_END,
	};
	args a = { .train = true };
	bl_lua_arguments(L, "data.fashion", keys, &a);
	if (!a.folder && a.fingerprint)
		return bl_lua_missing(L, "data.fashion", "folder", "the folder of the files of that fingerprint");
	return give_recorded(L, &(bl_recorded){ open_fashion, &a.train, a.folder, NULL, a.fingerprint });
}

static bl_dataset *open_idx(void *none, const char *images, const char *labels)
{
	(void)none;
	return bl_dataset_idx(images, labels);
}

/* idx{images = path, labels = path, fingerprint =} */
static int data_idx(lua_State *L)
{
	typedef struct args { const char *images, *labels, *fingerprint; } args;
	static const bl_key keys[] = {
		BL_KEY(TEXT, args, images, .position = 1),
		BL_KEY(TEXT, args, labels, .position = 2),
		BL_KEY(TEXT, args, fingerprint), BL_KEY_END,
	};
	args a = { NULL, NULL, NULL };
	bl_lua_arguments(L, "data.idx", keys, &a);
	if (!a.images)
		return bl_lua_missing(L, "data.idx", "images", "the path of an IDX file");
	return give_recorded(L, &(bl_recorded){ open_idx, NULL, a.images, a.labels, a.fingerprint });
}

/* Height and width as given, a number for both or two of them; 0 where nothing was. */
static int side_of(lua_State *L, float v)
{
	if (v != (float)(int)v)
		luaL_error(L, "data.folder: 'size' must be a number of pixels or {height, width}, got %f",
			   (lua_Number)v);
	return (int)v;
}

static bl_dataset *open_folder(void *config, const char *path, const char *none)
{
	bl_folder_config c = *(bl_folder_config *)config;
	(void)none;
	c.path = path;
	return bl_dataset_folder(&c);
}

/* folder{path = folder, size =, channels = 3, labels = true, skip_broken = false, full_scale = false, fingerprint =} */
static int data_folder(lua_State *L)
{
	typedef struct args {
		const char *path, *fingerprint;
		float size[2];
		int channels;
		bool labels, skip_broken, full_scale;
	} args;
	static const bl_key keys[] = {
		BL_KEY(TEXT, args, path, .position = 1),
		BL_KEY(FLOATS, args, size, .count = 2, .min = 1, .max = 16384),
		BL_KEY(INT, args, channels, .min = 1, .max = 3),
		BL_KEY(BOOL, args, labels),
		BL_KEY(BOOL, args, skip_broken),
		BL_KEY(BOOL, args, full_scale),
		BL_KEY(TEXT, args, fingerprint), BL_KEY_END,
	};
	args a = { .channels = 3, .labels = true };
	bl_lua_arguments(L, "data.folder", keys, &a);
	if (!a.path)
		return bl_lua_missing(L, "data.folder", "path", "the path of a folder of images");
	bl_folder_config c = {
		.channels = a.channels, .height = side_of(L, a.size[0]), .width = side_of(L, a.size[1]),
		.unlabelled = !a.labels, .skip_broken = a.skip_broken, .full_scale = a.full_scale,
	};
	return give_recorded(L, &(bl_recorded){ open_folder, &c, a.path, NULL, a.fingerprint });
}

/* shapes{n = 10000, size = 32, channels = 3, seed = 0} */
static int data_shapes(lua_State *L)
{
	static const bl_key keys[] = {
		BL_KEY(INT64, bl_shapes_config, n, .min = 1, .max = 1e9),
		BL_KEY(INT, bl_shapes_config, size, .min = 1, .max = 4096),
		BL_KEY(INT, bl_shapes_config, channels, .min = 1, .max = 3),
		BL_KEY(INT64, bl_shapes_config, seed), BL_KEY_END,
	};
	bl_shapes_config c = { .n = 10000, .size = 32, .channels = 3 };
	bl_lua_arguments(L, "data.shapes", keys, &c);
	return bl_lua_give_dataset(L, bl_dataset_shapes(&c));
}

/* n labels from the list or tensor at `index` (1-based there) in a userdata that is pushed. */
static int32_t *labels_of(lua_State *L, int index, int64_t expected)
{
	int64_t n, *v = bl_lua_integers(L, index, "labels", &n);
	if (n != expected)
		luaL_error(L, "%I labels for %I images", (lua_Integer)n, (lua_Integer)expected);
	int32_t *labels = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *labels, 0);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < 1 || v[i] > INT32_MAX)
			luaL_error(L, "label %I is %I: labels count from 1", (lua_Integer)i + 1, (lua_Integer)v[i]);
		labels[i] = (int32_t)(v[i] - 1);
	}
	return labels;
}

/* tensor(images (N,C,H,W)[, labels]) */
static int data_tensor(lua_State *L)
{
	bl_tensor *t = bl_lua_tensor(L, 1);
	int64_t n = bl_tensor_ndim(t) ? bl_tensor_size(t, 0) : 0;
	return bl_lua_give_dataset(L, bl_dataset_tensor(t, lua_isnoneornil(L, 2) ? NULL : labels_of(L, 2, n)));
}

/* --- parts --- */

/* split(fraction[, seed]): two datasets */
static int d_split(lua_State *L)
{
	bl_dataset *first, *second;
	double fraction = luaL_checknumber(L, 2);
	if (bl_dataset_split(bl_lua_dataset(L, 1), fraction, (uint64_t)luaL_optinteger(L, 3, 0), &first, &second) < 0)
		return bl_lua_fail(L);
	bl_lua_give_dataset(L, first);
	bl_lua_give_dataset(L, second);
	return 2;
}

/* Rows from..to of the arguments, in a userdata that is pushed. */
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
			return luaL_error(L, "subset: row %I is outside of 1..%I", (lua_Integer)rows[i] + 1,
					  (lua_Integer)length);
	return bl_lua_give_dataset(L, bl_dataset_select(d, rows, n));
}

/* --- one image --- */

/* (H,W,C) bytes as a tensor (C,H,W), 0..1 */
static int give_image(lua_State *L, bl_dataset *d, int64_t i)
{
	bl_image im;
	if (bl_dataset_image(d, i, &im) < 0)
		return bl_lua_fail(L);
	bl_tensor *t = bl_tensor_new(3, (int64_t[]){ im.channels, im.height, im.width });
	bl_lua_give_tensor(L, t);
	float *v = bl_tensor_data(t);
	int plane = im.height * im.width;
	for (int p = 0; p < plane; p++)
		for (int c = 0; c < im.channels; c++)
			v[c * plane + p] = im.pixels[p * im.channels + c] / 255.f;
	return 1;
}

/* Where image i was read from, into the table on top. */
static void set_path(lua_State *L, bl_dataset *d, int64_t i)
{
	char *path = bl_dataset_path(d, i);
	if (!path)
		return;
	lua_pushstring(L, path);
	free(path);
	lua_setfield(L, -2, "path");
}

/* ds[i]: {image = tensor (C,H,W), label =, path =, factors = {...}} */
static int d_element(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	int whole = 0;
	int64_t i = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &whole) : 0; /* 5.0 is 5, as for tables */
	if (!whole)
		return 0;
	if (i < 1 || i > bl_dataset_length(d))
		return luaL_error(L, "%s: image %I is outside of 1..%I", bl_dataset_name(d), (lua_Integer)i,
		                  (lua_Integer)bl_dataset_length(d));
	lua_createtable(L, 0, 3);
	give_image(L, d, --i);
	lua_setfield(L, -2, "image");
	set_path(L, d, i);
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
		const char *name = bl_dataset_class_name(d, i);
		lua_pushstring(L, name ? name : lua_pushfstring(L, "%d", i));
		lua_rawseti(L, 2, i + 1);
		lua_settop(L, 2);
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

/* Files that were left out as broken, each with the reason. */
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
	float mean[4] = { 0 }, std[4] = { 0 };
	if (bl_dataset_statistics(d, mean, std) < 0)
		return bl_lua_fail(L);
	push_floats(L, mean, bl_dataset_channels(d));
	push_floats(L, std, bl_dataset_channels(d));
	return 2;
}

static int d_gc(lua_State *L)
{
	bl_dataset **d = bl_lua_check(L, 1, BL_T_DATASET);
	if (*d)
		bl_dataset_unref(*d);
	*d = NULL;
	return 0;
}

static int d_tostring(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	lua_pushfstring(L, "%s: %I images %d x %d, %d channel%s, %d classes", bl_dataset_name(d),
			(lua_Integer)bl_dataset_length(d), bl_dataset_height(d), bl_dataset_width(d),
			bl_dataset_channels(d), bl_dataset_channels(d) == 1 ? "" : "s", bl_dataset_classes(d));
	return 1;
}

static const luaL_Reg meta[] = {
	{ "__gc", d_gc }, { "__len", d_len }, { "__tostring", d_tostring }, { NULL, NULL },
};
static const luaL_Reg methods[] = { { "statistics", d_statistics }, { NULL, NULL } };
static const luaL_Reg part_methods[] = { { "split", d_split }, { "subset", d_subset }, { NULL, NULL } };
static const luaL_Reg properties[] = {
	{ "classes", p_classes }, { "labels", p_labels }, { "name", p_name }, { "channels", p_channels },
	{ "height", p_height }, { "width", p_width }, { "skipped", p_skipped }, { NULL, NULL },
};
static const luaL_Reg constructors[] = {
	{ "fashion", data_fashion }, { "folder", data_folder }, { "idx", data_idx }, { "shapes", data_shapes },
	{ "tensor", data_tensor }, { NULL, NULL },
};

int bl_lua_open_data(lua_State *L)
{
	bl_lua_define(L, &(bl_lua_class){ BL_T_DATASET, meta, methods, properties, d_element });
	luaL_getmetatable(L, BL_T_DATASET);
	lua_getfield(L, -1, "__methods");
	bl_lua_constructors(L, "", part_methods); /* parts remember what they are parts of */
	lua_settop(L, -3);
	lua_newtable(L);
	bl_lua_constructors(L, "data", constructors);
	bl_lua_define_loader(L);
	lua_setfield(L, -2, "loader");
	return 1;
}
