/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_data_look.c: data sets as text and in the terminal, and whether their images can be read. */
#include "lua/bind/face.h"

#include <barlow/parallel.h>
#include <barlow/text.h>

#include <stdio.h>
#include <string.h>

enum { WIDTH = 100, CLASSES_NAMED = 24 };

/* Text made of items, wrapped into lines. */
typedef struct lines {
	luaL_Buffer b;
	size_t column;
} lines;

static void add_item(lines *l, const char *item, bool last)
{
	size_t n = strlen(item);
	bool first = l->column == 0;
	if (!first && l->column + n + 3 > WIDTH) {
		luaL_addstring(&l->b, "\n    ");
		l->column = 4 + n;
	} else {
		luaL_addstring(&l->b, first ? "\n  " : " ");
		l->column += n + (first ? 2 : 1);
	}
	luaL_addstring(&l->b, item);
	if (!last)
		luaL_addchar(&l->b, ',');
	l->column += !last;
}

/* Pushes a userdata with the number of images of each class; returns whether they are equal. */
static bool count_classes(lua_State *L, const bl_dataset *d, int64_t **counts)
{
	int classes = bl_dataset_classes(d);
	*counts = lua_newuserdatauv(L, sizeof **counts * (size_t)classes + 1, 0);
	memset(*counts, 0, sizeof **counts * (size_t)classes);
	for (int64_t i = 0; i < bl_dataset_length(d); i++)
		if (bl_dataset_label(d, i) >= 0)
			++(*counts)[bl_dataset_label(d, i)];
	for (int c = 1; c < classes; c++)
		if ((*counts)[c] != (*counts)[0])
			return false;
	return true;
}

/* Pushes "T-shirt 6000", or "T-shirt" if all classes have the same number, as text that is safe to show. */
static const char *push_class(lua_State *L, const bl_dataset *d, int c, int64_t count, bool even)
{
	char number[24];
	const char *name = bl_dataset_class_name(d, c);
	if (!name)
		bl_dataset_class_text(d, c, number, sizeof number);
	bl_lua_push_clean(L, name ? name : number, false);
	return even ? lua_tostring(L, -1) : lua_pushfstring(L, "%s %I", lua_tostring(L, -1), (lua_Integer)count);
}

/* Pushes the classes with their counts, wrapped into lines. */
static void push_classes(lua_State *L, const bl_dataset *d)
{
	int64_t *counts;
	int classes = bl_dataset_classes(d), shown = classes > CLASSES_NAMED ? CLASSES_NAMED : classes;
	bool even = count_classes(L, d, &counts);
	luaL_checkstack(L, 3 * shown + 8, "classes");
	const char *items[CLASSES_NAMED];
	for (int c = 0; c < shown; c++)
		items[c] = push_class(L, d, c, counts[c], even);
	lines l = { .column = 0 };
	const char *each = lua_pushfstring(L, "%I of each: ", (lua_Integer)(classes ? counts[0] : 0));
	const char *more = lua_pushfstring(L, "and %d more", classes - shown);
	luaL_buffinit(L, &l.b);
	for (int c = 0; c < shown; c++) {
		bool last = c == classes - 1;
		char item[512];
		snprintf(item, sizeof item, "%s%.200s", c == 0 && even ? each : "", items[c]);
		add_item(&l, item, last);
	}
	if (shown < classes)
		add_item(&l, more, true);
	luaL_pushresult(&l.b);
}

/* Pushes "mean 0.1 0.2 0.3, std ..." of at most 8 channels, or why there are no statistics. */
static void push_statistics(lua_State *L, bl_dataset *d)
{
	enum { SHOWN = 8 };
	float mean[BL_CHANNELS_MOST], std[BL_CHANNELS_MOST];
	char text[64 + 2 * SHOWN * 16] = "mean";
	if (bl_dataset_statistics(d, mean, std) < 0) {
		bl_lua_push_clean(L, bl_error(), false);
		lua_pushfstring(L, "\n  mean and std are not known: %s", lua_tostring(L, -1));
		return;
	}
	int channels = bl_dataset_channels(d), n = channels < SHOWN ? channels : SHOWN;
	for (int turn = 0; turn < 2; turn++) {
		const float *v = turn ? std : mean;
		for (int c = 0; c < n; c++)
			snprintf(text + strlen(text), sizeof text - strlen(text), " %.3f", (double)v[c]);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", n < channels ? " ..." : "", turn ? "" : ", std");
	}
	lua_pushfstring(L, "\n  %s", text);
}

/* Pushes "4 images". */
static const char *push_count(lua_State *L, int64_t n, const char *one, const char *many)
{
	return lua_pushfstring(L, "%I %s", (lua_Integer)n, bl_text_plural(n, one, many));
}

int bl_lua_dataset_text(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	int64_t unread = bl_dataset_unread(d);
	bl_lua_push_clean(L, bl_dataset_name(d), false);
	const char *name = lua_tostring(L, -1), *many = push_count(L, bl_dataset_classes(d), "class", "classes"), *head;
	int64_t n = bl_dataset_length(d);
	if (bl_dataset_is_vectors(d))
		head = lua_pushfstring(L, "%s: %s of %s, %s", name, push_count(L, n, "vector", "vectors"),
		                       push_count(L, bl_dataset_width(d), "feature", "features"), many);
	else
		head = lua_pushfstring(L, "%s: %s %d x %d, %s, %s", name, push_count(L, n, "image", "images"), bl_dataset_height(d),
		                       bl_dataset_width(d), push_count(L, bl_dataset_channels(d), "channel", "channels"), many);
	if (unread)
		head = lua_pushfstring(L, "%s, %s not read (ds.skipped)", head, push_count(L, unread, "file", "files"));
	push_classes(L, d);
	const char *classes = lua_tostring(L, -1);
	push_statistics(L, d);
	lua_pushfstring(L, "%s%s%s", head, classes, lua_tostring(L, -1));
	return 1;
}

/* show(i) */
static int d_show(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	lua_Integer i = luaL_optinteger(L, 2, 1);
	if (i < 1 || i > bl_dataset_length(d))
		return luaL_error(L, "show: image %I is outside of 1..%I", i, (lua_Integer)bl_dataset_length(d));
	lua_settop(L, 1);
	lua_pushinteger(L, i);
	return bl_lua_call_module(L, "barlow.look", "show", 2);
}

struct reasons {
	lua_State *L;
	lua_Integer n;
};

/* Appends the reason to the list on top. */
static void add_reason(void *ctx, int64_t row, const char *why)
{
	struct reasons *r = ctx;
	(void)row;
	bl_lua_push_clean(r->L, why, false);
	lua_rawseti(r->L, -2, ++r->n);
}

static int d_verify(lua_State *L)
{
	bl_dataset *d = bl_lua_dataset(L, 1);
	lua_newtable(L);
	const volatile int *before = bl_lua_interrupt_begin(L);
	int64_t n = bl_dataset_verify(d, add_reason, &(struct reasons){ L, 0 });
	bl_lua_interrupt_end(before);
	return n < 0 ? bl_lua_fail(L) : 1;
}

const bl_lua_function bl_lua_data_look[] = {
	BL_LUA("show", d_show, "(i?: integer)", "Shows image i (1) in the terminal, with its label and file.",
	       "data.shapes{n = 3, size = 8}:show(2)"),
	BL_LUA("verify", d_verify, "(): string[]", "Reads all images; returns for each broken one why it cannot be read.",
	       "data.shapes{n = 3, size = 8}:verify()"),
	BL_LUA_END,
};
