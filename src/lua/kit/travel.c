/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * travel.c: functions written in Lua as cargo: their bytecode and plain copies of their upvalues.
 *
 * Bytecode is always dumped by this process, and is never written to disk.  Functions among the upvalues are included, each
 * once, so that a function may call itself.
 */
#include "lua/kit/cargo.h"
#include "lua/kit/function.h"
#include "lua/kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS_MAX = 256 };

void bl_cargo_free(bl_cargo *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->n; i++) {
		bl_cargo_piece *f = &c->piece[i];
		for (int u = 0; u < f->n; u++) {
			if (f->upvalue[u].value)
				bl_plain_clear(f->upvalue[u].value);
			free(f->upvalue[u].value);
			free(f->upvalue[u].name);
		}
		free(f->upvalue);
		free(f->code.bytes);
		free(f->bare.bytes);
		free(f->chunk);
	}
	free(c->piece);
	free(c);
}

/* --- packing --- */

static int no_memory(void)
{
	return bl_fail("no memory to copy a function");
}

static int append(lua_State *L, const void *bytes, size_t n, void *ctx)
{
	(void)L;
	bl_cargo_code *code = ctx;
	char *longer = realloc(code->bytes, code->n + n);
	if (!longer)
		return -1;
	memcpy(longer + code->n, bytes, n);
	code->bytes = longer;
	code->n += n;
	return 0;
}

/* Packs the function on top: its code, and where its text is: the chunk and the lines. */
static int pack_code(lua_State *L, bl_cargo_piece *f)
{
	lua_Debug ar;
	if (lua_dump(L, append, &f->code, 0) || lua_dump(L, append, &f->bare, 1))
		return no_memory();
	lua_pushvalue(L, -1);
	lua_getinfo(L, ">S", &ar);
	f->first = ar.linedefined;
	f->last = ar.lastlinedefined;
	f->chunk = strdup(ar.source);
	return f->chunk ? 0 : no_memory();
}

/* Packs the upvalue on top, number `at` of function `number`; meanwhile messages begin with its name (c->where). */
static int pack_upvalue(packing *c, int number, int at, const char *name)
{
	lua_State *L = c->L;
	char was[sizeof c->where];
	bl_cargo_piece *f = &c->cargo->piece[number];
	bl_cargo_upvalue *longer = realloc(f->upvalue, sizeof *longer * (size_t)(at + 1));
	if (!longer)
		return no_memory();
	f->upvalue = longer;
	bl_plain *value = calloc(1, sizeof *value);
	f->upvalue[at] = (bl_cargo_upvalue){ strdup(name), value };
	f->n = at + 1;
	if (!f->upvalue[at].name || !value)
		return no_memory();
	memcpy(was, c->where, sizeof was);
	snprintf(c->where, sizeof c->where, "%.100s%supvalue '%.40s'", was, *was ? ": " : "", name);
	int around = c->upvalue;
	c->upvalue = (int)lua_rawlen(L, c->tables) + 1;
	c->env = strcmp(name, "_ENV") == 0;
	lua_pushstring(L, name);
	lua_rawseti(L, c->tables, c->upvalue);
	int rc = bl_packing_value(c, value, 0);
	c->upvalue = around;
	c->env = false;
	memcpy(c->where, was, sizeof was);
	if (rc == 0 && strcmp(name, "_ENV") == 0 && value->kind != BL_PLAIN_GLOBALS)
		return bl_fail("its _ENV is not the table of globals");
	return rc;
}

/* Adds the function on top to the cargo. */
static int pack_piece(packing *c)
{
	lua_State *L = c->L;
	bl_cargo *cargo = c->cargo;
	if (cargo->n == FUNCTIONS_MAX)
		return bl_fail("%s: more than %d functions", c->where, FUNCTIONS_MAX);
	bl_cargo_piece *longer = realloc(cargo->piece, sizeof *longer * (size_t)(cargo->n + 1));
	if (!longer)
		return no_memory();
	cargo->piece = longer;
	int number = cargo->n++;
	cargo->piece[number] = (bl_cargo_piece){ .n = 0 };
	lua_pushvalue(L, -1);
	lua_pushinteger(L, number + 1);
	lua_rawset(L, c->numbers);
	int rc = pack_code(L, &cargo->piece[number]);
	const char *name;
	for (int i = 0; rc == 0 && (name = lua_getupvalue(L, -1, i + 1)); i++) {
		rc = pack_upvalue(c, number, i, name);
		lua_pop(L, 1);
	}
	return rc;
}

int bl_packing_inner(packing *c, bl_plain *p)
{
	lua_State *L = c->L;
	if (!lua_isfunction(L, -1))
		return bl_fail("%s: a function from a recipe cannot be an upvalue of another function", c->where);
	luaL_checkstack(L, 8, "functions");
	lua_pushvalue(L, -1);
	lua_rawget(L, c->numbers);
	lua_Integer number = lua_tointeger(L, -1);
	lua_pop(L, 1);
	p->kind = BL_PLAIN_INNER;
	p->integer = number ? number - 1 : c->cargo->n;
	return number ? 0 : pack_piece(c);
}

int bl_cargo_pack(lua_State *L, int index, bl_cargo **out)
{
	if (!lua_isfunction(L, index) || lua_iscfunction(L, index))
		return bl_fail("expected a function written in Lua, got %s", luaL_typename(L, index));
	index = lua_absindex(L, index);
	packing c = { .L = L, .cargo = calloc(1, sizeof *c.cargo) };
	*out = c.cargo;
	if (!c.cargo)
		return no_memory();
	luaL_checkstack(L, 8, "a function");
	lua_newtable(L);
	c.numbers = lua_gettop(L);
	lua_newtable(L);
	c.tables = lua_gettop(L);
	lua_pushvalue(L, index);
	int rc = pack_piece(&c);
	lua_settop(L, c.numbers - 1);
	return rc;
}

/* --- copying --- */

typedef struct exchange {
	bl_tensor *const *from, *const *to;
	int n;
} exchange;

static int copy_plain(const bl_plain *p, bl_plain *out, const exchange *x)
{
	*out = (bl_plain){ .kind = p->kind, .boolean = p->boolean, .integer = p->integer, .number = p->number };
	if (p->bytes && !(out->bytes = malloc(p->length + 1)))
		return no_memory();
	if (p->items && !(out->items = calloc(p->length + 1, sizeof *p->items)))
		return no_memory();
	out->length = p->length;
	if (p->bytes)
		memcpy(out->bytes, p->bytes, p->length + 1);
	out->tensor = p->tensor ? bl_tensor_ref(p->tensor) : NULL;
	out->function = p->function ? bl_function_ref(p->function) : NULL;
	for (int i = 0; i < x->n && p->tensor; i++)
		if (p->tensor == x->from[i]) {
			bl_tensor_unref(out->tensor);
			out->tensor = bl_tensor_ref(x->to[i]);
		}
	for (size_t i = 0; p->items && i < p->length; i++)
		if (copy_plain(&p->items[i], &out->items[i], x) < 0)
			return -1;
	return 0;
}

static int copy_piece(const bl_cargo_piece *f, bl_cargo_piece *out, const exchange *x)
{
	*out = (bl_cargo_piece){ .first = f->first, .last = f->last, .chunk = strdup(f->chunk) };
	out->upvalue = calloc((size_t)f->n + 1, sizeof *out->upvalue);
	if (!out->chunk || !out->upvalue || append(NULL, f->code.bytes, f->code.n, &out->code) ||
	    append(NULL, f->bare.bytes, f->bare.n, &out->bare))
		return no_memory();
	for (out->n = 0; out->n < f->n; out->n++) {
		bl_cargo_upvalue *u = &out->upvalue[out->n];
		*u = (bl_cargo_upvalue){ strdup(f->upvalue[out->n].name), calloc(1, sizeof *u->value) };
		if (!u->name || !u->value || copy_plain(f->upvalue[out->n].value, u->value, x) < 0)
			return out->n++, no_memory();
	}
	return 0;
}

int bl_cargo_copy(const bl_cargo *c, bl_tensor *const *from, bl_tensor *const *to, int n, bl_cargo **out)
{
	exchange x = { from, to, n };
	bl_cargo *copy = *out = calloc(1, sizeof *copy);
	if (!copy || !(copy->piece = calloc((size_t)c->n, sizeof *copy->piece)))
		return no_memory();
	for (; copy->n < c->n; copy->n++)
		if (copy_piece(&c->piece[copy->n], &copy->piece[copy->n], &x) < 0)
			return copy->n++, -1;
	return 0;
}

/* --- read-only tensors --- */

static int freeze_plain(bl_plain *p)
{
	if (p->kind == BL_PLAIN_TENSOR) {
		bl_tensor *copy = bl_tensor_clone(p->tensor);
		if (!copy)
			return -1;
		bl_tensor_freeze(copy);
		bl_tensor_unref(p->tensor);
		p->tensor = copy;
	}
	for (size_t i = 0; p->items && i < p->length; i++)
		if (freeze_plain(&p->items[i]) < 0)
			return -1;
	return 0;
}

int bl_cargo_freeze(bl_cargo *c)
{
	for (int i = 0; i < c->n; i++)
		for (int u = 0; u < c->piece[i].n; u++)
			if (freeze_plain(c->piece[i].upvalue[u].value) < 0)
				return -1;
	return 0;
}

/* --- unpacking --- */

void bl_cargo_push(lua_State *L, const bl_cargo *c, bool constant)
{
	luaL_checkstack(L, 4, "functions");
	lua_createtable(L, c->n, 0);
	int functions = lua_gettop(L);
	for (int i = 0; i < c->n; i++) {
		if (luaL_loadbufferx(L, c->piece[i].code.bytes, c->piece[i].code.n, "=function", "b") != LUA_OK)
			lua_error(L);
		lua_rawseti(L, functions, i + 1);
	}
	for (int i = 0; i < c->n; i++) {
		lua_rawgeti(L, functions, i + 1);
		for (int u = 0; u < c->piece[i].n; u++) {
			bl_packing_push(L, c->piece[i].upvalue[u].value, functions, constant);
			lua_setupvalue(L, -2, u + 1);
		}
		lua_pop(L, 1);
	}
	lua_rawgeti(L, functions, 1);
	lua_remove(L, functions);
}
