/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registry.c: the public names of the Lua face.
 *
 * Registering a function makes it callable and adds it to a list in the Lua state, as three items: its full name,
 * a pointer to its description, and its kind.  Help, completion, manual and stubs are made from that list.
 */
#include "lua/kit/kit.h"

#include <string.h>

#define REGISTRY "barlow.registry"
#define METHODS "barlow.methods" /* registry: set of the names of methods that are written in Lua */
enum { ITEMS = 3 };

/* --- adding entries --- */

/* Adds an entry to the list. */
static void enter(lua_State *L, const char *name, const bl_lua_function *f, const char *kind)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, REGISTRY);
	lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
	lua_pushstring(L, name);
	lua_rawseti(L, -2, n + 1);
	lua_pushlightuserdata(L, (void *)(uintptr_t)f);
	lua_rawseti(L, -2, n + 2);
	lua_pushstring(L, kind);
	lua_rawseti(L, -2, n + ITEMS);
	lua_pop(L, 1);
}

/* Pushes f's full name: "nn.linear", "tensor:sum", or its own name if it belongs to no module or type. */
static const char *push_name(lua_State *L, const char *owner, const char *between, const bl_lua_function *f)
{
	bool sign = f->name[0] == '(' || f->name[0] == '[';
	return lua_pushfstring(L, "%s%s%s", owner, *owner && !sign ? between : "", f->name);
}

static void push_function(lua_State *L, const bl_lua_function *f, const char *name)
{
	lua_pushlightuserdata(L, (void *)(uintptr_t)f);
	lua_pushstring(L, name);
	lua_pushcclosure(L, f->call, BL_LUA_UP_NAME);
}

/* Registers each item of the list, and adds what `push` pushes for the item to the table on top. */
static void add(lua_State *L, const char *owner, const char *between, const bl_lua_function *list, const char *kind,
                void (*push)(lua_State *, const bl_lua_function *, const char *))
{
	for (const bl_lua_function *f = list; f && f->name; f++) {
		const char *name = push_name(L, owner, between, f);
		enter(L, name, f, kind);
		if (f->call) {
			push(L, f, name);
			lua_setfield(L, -3, f->name);
		}
		lua_pop(L, 1);
	}
}

void bl_lua_functions(lua_State *L, const char *module, const bl_lua_function *list)
{
	add(L, module, ".", list, "function", push_function);
}

void bl_lua_describe_function(lua_State *L, const char *module, const bl_lua_function *f)
{
	enter(L, push_name(L, module, ".", f), f, "function");
	lua_pop(L, 1);
}

void bl_lua_makers(lua_State *L, const char *module, const bl_lua_function *list)
{
	add(L, module, ".", list, "function", bl_lua_push_maker);
}

void bl_lua_maker(lua_State *L, const bl_lua_function *f)
{
	enter(L, f->name, f, "function");
	bl_lua_push_maker(L, f, f->name);
}

const bl_lua_function *bl_lua_described(lua_State *L, int index)
{
	if (!lua_iscfunction(L, index) || !lua_getupvalue(L, index, BL_LUA_UP_ENTRY))
		return NULL;
	const void *entry = lua_touserdata(L, -1), *found = NULL;
	luaL_getsubtable(L, LUA_REGISTRYINDEX, REGISTRY);
	lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
	for (lua_Integer i = 2; i <= n && entry && !found; i += ITEMS) {
		lua_rawgeti(L, -1, i);
		found = lua_touserdata(L, -1) == entry ? entry : NULL;
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	return found;
}

/* --- modules --- */

static const char *const no_names[] = { NULL };

/* Pushes a userdata with all string keys of the table at `index`, sorted. */
static const char *const *push_keys(lua_State *L, int index)
{
	lua_Integer n = 0;
	index = lua_absindex(L, index);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		n++;
	if (n == 0)
		return no_names;
	const char **names = lua_newuserdatauv(L, sizeof *names * (size_t)(n + 1), 0);
	n = 0;
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING)
			names[n++] = lua_tostring(L, -2); /* the table keeps it alive */
	names[n] = NULL;
	bl_lua_sort(names, (size_t)n);
	return names;
}

/* __index of a module, called for an unknown name; upvalue: the module's name. */
static int missing_name(lua_State *L)
{
	const char *module = lua_tostring(L, lua_upvalueindex(1));
	if (lua_type(L, 2) != LUA_TSTRING)
		return luaL_error(L, "%s: expected a name, got %s", module, bl_lua_describe(L, 2));
	const char *near = bl_nearest(lua_tostring(L, 2), push_keys(L, 1));
	if (near)
		return luaL_error(L, "%s has no '%s' (did you mean '%s'?)", module, lua_tostring(L, 2), near);
	return luaL_error(L, "%s has no '%s' (help \"%s\" lists what it has)", module, lua_tostring(L, 2), module);
}

/* Copies NAME from "... a nil value (global 'NAME')".  before: the text in front of NAME.  Returns false for another message. */
static bool missing(const char *message, const char *before, char *name, size_t size)
{
	const char *from = strstr(message, before), *to = from ? strchr(from += strlen(before), '\'') : NULL;
	if (!to || (size_t)(to - from) >= size)
		return false;
	memcpy(name, from, (size_t)(to - from));
	name[to - from] = 0;
	return true;
}

void bl_lua_push_near_global(lua_State *L, const char *name)
{
	int top = lua_gettop(L);
	lua_pushglobaltable(L);
	const char *near = bl_nearest(name, push_keys(L, -1));
	lua_pushstring(L, near && strcmp(near, name) != 0 ? near : NULL);
	lua_replace(L, top + 1);
	lua_settop(L, top + 1);
}

void bl_lua_note_method(lua_State *L, const char *name)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, METHODS);
	lua_pushboolean(L, 1);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

void bl_lua_hint(lua_State *L, int index)
{
	char name[64];
	const char *message = luaL_tolstring(L, index, NULL);
	if (missing(message, "a nil value (global '", name, sizeof name)) {
		bl_lua_push_near_global(L, name);
	} else if (missing(message, "a nil value (method '", name, sizeof name)) {
		int top = lua_gettop(L);
		luaL_getsubtable(L, LUA_REGISTRYINDEX, METHODS);
		lua_pushstring(L, bl_nearest(name, push_keys(L, -1)));
		lua_replace(L, top + 1);
		lua_settop(L, top + 1);
	} else {
		return;
	}
	if (!lua_isnil(L, -1)) {
		lua_pushfstring(L, "%s (did you mean '%s'?)", message, lua_tostring(L, -1));
		lua_replace(L, -3);
	}
	lua_pop(L, 1);
}

void bl_lua_module_new(lua_State *L, const char *module)
{
	lua_newtable(L);
	lua_createtable(L, 0, 2);
	lua_pushstring(L, module);
	lua_pushcclosure(L, missing_name, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* --- types --- */

void bl_lua_methods(lua_State *L, const char *type, const bl_lua_function *list)
{
	luaL_getmetatable(L, type);
	lua_getfield(L, -1, "__methods");
	add(L, type, ":", list, "method", push_function);
	lua_pop(L, 2);
}

void bl_lua_maker_methods(lua_State *L, const char *type, const bl_lua_function *list)
{
	luaL_getmetatable(L, type);
	lua_getfield(L, -1, "__methods");
	add(L, type, ":", list, "method", bl_lua_push_maker);
	lua_pop(L, 2);
}

void bl_lua_define_type(lua_State *L, const bl_lua_type *t)
{
	bl_lua_define(L, &(bl_lua_class){ .type = t->name, .meta = t->meta, .element = t->element, .fields = t->fields });
	luaL_getmetatable(L, t->name);
	lua_pushstring(L, t->self);
	lua_setfield(L, -2, "__self");
	bl_lua_methods(L, t->name, t->methods);
	lua_getfield(L, -1, "__properties");
	add(L, t->name, ".", t->properties, "property", push_function);
	lua_pop(L, 2);
}

/* --- reading --- */

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

static const char *type_name(bl_field_kind kind)
{
	static const char *const names[] = {
		[BL_FIELD_INT] = "integer",          [BL_FIELD_INT64] = "integer",
		[BL_FIELD_FLOAT] = "number",         [BL_FIELD_DOUBLE] = "number",
		[BL_FIELD_BOOL] = "boolean",         [BL_FIELD_CHOICE] = "string",
		[BL_FIELD_PAIR] = "number|number[]", [BL_FIELD_FLOATS] = "number|number[]",
		[BL_FIELD_LIST] = "number|number[]", [BL_FIELD_INTS] = "integer[]",
		[BL_FIELD_TEXT] = "string",          [BL_FIELD_ANY] = "any",
	};
	return names[kind];
}

static void push_field(lua_State *L, const bl_field *f);

/* Stores the list of fields as `keys` in the table on top. */
static void set_fields(lua_State *L, const bl_field *fields)
{
	luaL_checkstack(L, 6, "fields");
	lua_newtable(L);
	for (int i = 0; fields[i].name; i++) {
		push_field(L, &fields[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "keys");
}

static void push_field(lua_State *L, const bl_field *f)
{
	char text[512];
	lua_createtable(L, 0, 8);
	set_text(L, "name", f->name);
	set_text(L, "text", f->help);
	set_text(L, "expected", f->kind >= BL_FIELD_OBJECT && !f->type ? NULL : bl_field_expected(f, text, sizeof text));
	set_text(L, "type", f->kind == BL_FIELD_OBJECT ? f->type : type_name(f->kind));
	if (f->presets || f->text)
		set_text(L, "default", bl_field_default_text(f, text, sizeof text));
	set_text(L, "otherwise", f->otherwise);
	lua_pushboolean(L, f->required);
	lua_setfield(L, -2, "required");
	lua_pushboolean(L, f->settable);
	lua_setfield(L, -2, "settable");
	lua_pushinteger(L, f->position);
	lua_setfield(L, -2, "position");
	if (f->choices) {
		lua_newtable(L);
		for (int i = 0; f->choices[i]; i++) {
			lua_pushstring(L, f->choices[i]);
			lua_rawseti(L, -2, i + 1);
		}
		lua_setfield(L, -2, "choices");
	}
	if (f->fields)
		set_fields(L, f->fields);
}

static void push_entry(lua_State *L, const char *name, const bl_lua_function *f, const char *kind)
{
	lua_createtable(L, 0, 8);
	set_text(L, "name", name);
	set_text(L, "kind", kind);
	set_text(L, "signature", f->signature);
	set_text(L, "text", f->help);
	set_text(L, "example", f->example);
	if (strcmp(kind, "function") != 0) { /* what examples call an object of the type before ":" or "." ("tensor:sum") */
		lua_pushlstring(L, name, strcspn(name, ".:(["));
		if (luaL_getmetatable(L, lua_tostring(L, -1)) == LUA_TTABLE) {
			lua_getfield(L, -1, "__self");
			lua_setfield(L, -4, "self");
		}
		lua_pop(L, 2);
	}
	if (f->fields)
		set_fields(L, f->fields);
}

void bl_lua_registry(lua_State *L)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, REGISTRY);
	lua_newtable(L);
	lua_Integer n = (lua_Integer)lua_rawlen(L, -2) / ITEMS;
	for (lua_Integer i = 0; i < n; i++) {
		lua_rawgeti(L, -2, ITEMS * i + 1);
		lua_rawgeti(L, -3, ITEMS * i + 2);
		lua_rawgeti(L, -4, ITEMS * i + 3);
		push_entry(L, lua_tostring(L, -3), lua_touserdata(L, -2), lua_tostring(L, -1));
		lua_rawseti(L, -5, i + 1);
		lua_pop(L, 3);
	}
	lua_remove(L, -2);
}
