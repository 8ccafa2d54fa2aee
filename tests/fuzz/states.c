/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * states.c: files of a run, read from any bytes: live file, checkpoint, run.json, recipe; and any sequence of commands.
 *
 * An accepted input is written and read again, and has to be equal. If it is not, the program aborts, which fuzzers and
 * the suite detect.
 */
#include "readers.h"

#include "live/livefile.h"
#include "lua/bind/face.h"

#include <barlow/checkpoint.h>
#include <barlow/file.h>
#include <barlow/run_file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "fuzz: %s; the last error was: %s\n", what, bl_error());
	abort();
}

/* --- live file ------------------------------------------------------------------------------------ */

enum { RECORDS_MOST = 4096 };

static bool same_record(const bl_record *a, const bl_record *b, int columns)
{
	return a->step == b->step && memcmp(a->value, b->value, (size_t)columns * sizeof *a->value) == 0;
}

/* Copies all records to a new live file, as resuming a run does, and compares the records in that file. */
static void copy_live(const bl_live *from)
{
	static bl_snapshot snapshot;
	bl_live_info info;
	bl_columns columns, again;
	bl_record a, b;
	int64_t n = bl_live_length(from), before = 0;
	bl_live_info_get(from, &info);
	bl_live_columns(from, &columns);
	info.steps = n + 1;
	const char *path = fuzz_file("copy", NULL, 0);
	unlink(path);
	bl_live *to = bl_live_create(path, &info, &columns);
	expect(to != NULL, "a live file cannot be made by the info of one that was read");
	expect(bl_live_resume(to, from, INT64_MAX) == 0, "records that were read cannot be written");
	bl_live *reader = bl_live_open(path, false);
	expect(reader != NULL, "a live file that was written cannot be read");
	bl_live_columns(reader, &again);
	expect(again.n == columns.n && memcmp(again.column, columns.column, (size_t)columns.n * sizeof columns.column[0]) == 0,
	       "columns changed on their way");
	int64_t i = 0;
	for (; bl_live_record(from, i, &a) && a.step > before; i++) {
		before = a.step;
		expect(bl_live_record(reader, i, &b) && same_record(&a, &b, columns.n), "a record changed on its way");
	}
	expect(bl_live_length(reader) == i, "there are more records than were written");
	for (int k = 0; k < bl_live_snapshot_count(reader); k++)
		bl_live_snapshot_at(reader, k, &snapshot);
	bl_live_close(reader);
	bl_live_close(to);
}

static bool look_at(bl_live *l)
{
	static bl_snapshot snapshot;
	bl_live_info info;
	bl_record r;
	bl_region asked;
	if (!l)
		return false;
	bl_live_info_get(l, &info);
	bl_live_damage(l);
	bl_live_snapshot(l, &snapshot);
	for (int i = 0; i < bl_live_snapshot_count(l); i++)
		bl_live_snapshot_at(l, i, &snapshot);
	for (int64_t i = 0; i < bl_live_length(l) && i < RECORDS_MOST; i++)
		bl_live_record(l, i, &r);
	bl_live_requested(l, &asked);
	if (bl_live_length(l) < RECORDS_MOST)
		copy_live(l);
	bl_live_close(l);
	return true;
}

bool fuzz_live(const uint8_t *bytes, size_t n)
{
	const char *path = fuzz_file("live", bytes, n);
	bool fine = look_at(bl_live_open(path, false));
	return look_at(bl_live_open_whole(fuzz_file("live", bytes, n), false)) || fine;
}

/* --- commands ------------------------------------------------------------------------------------- */

typedef struct queue {
	bl_command at[LIVE_SLOTS];
	int n;
} queue;

static bool known(const bl_command *c)
{
	return c->kind > BL_CMD_NONE && c->kind < BL_CMD_KINDS;
}

static void pop(queue *q)
{
	memmove(&q->at[0], &q->at[1], (size_t)--q->n * sizeof q->at[0]);
}

static void take(bl_live *w, queue *q)
{
	bl_command c;
	bool taken = bl_live_take(w, &c);
	while (q->n > 0 && !known(&q->at[0]))
		pop(q); /* commands of unknown kinds are dropped */
	expect(taken == (q->n > 0), "a command was lost, or came from nowhere");
	if (!taken)
		return;
	expect(c.kind == q->at[0].kind && memcmp(&c.value, &q->at[0].value, sizeof c.value) == 0 &&
	               strcmp(c.name, q->at[0].name) == 0 && c.sender == getpid(),
	       "a command changed on its way");
	pop(q);
}

static void send(bl_live *l, queue *q, const uint8_t *bytes)
{
	bl_command c = { .kind = (bl_command_kind)(bytes[0] % (BL_CMD_KINDS + 2)) };
	memcpy(&c.value, bytes + 1, sizeof c.value);
	memcpy(c.name, bytes + 9, 7);
	bool fine = bl_live_send(l, c) == 0;
	expect(fine == (q->n < LIVE_SLOTS), "a command was refused where there is room, or taken where there is none");
	if (fine)
		q->at[q->n++] = c;
}

/*
 * The bytes are actions: sending a command by one of two handles, taking the next command, and finally damage, after
 * which no call may hang.
 */
bool fuzz_mailbox(const uint8_t *bytes, size_t n)
{
	enum { ACT = 17 };
	const char *path = fuzz_file("mailbox", NULL, 0);
	unlink(path);
	bl_live *w = bl_live_create(path, &(bl_live_info){ .name = "fuzz", .steps = 4 }, NULL), *s = bl_live_open(path, true);
	expect(w && s, "there is no live file");
	queue q = { .n = 0 };
	size_t at = 0;
	for (; at + ACT <= n && bytes[at] < 240; at += bytes[at] % 3 == 2 ? 1 : ACT) {
		if (bytes[at] % 3 == 2)
			take(w, &q);
		else
			send(bytes[at] % 3 ? s : w, &q, bytes + at + 1);
	}
	bl_command c;
	for (; at + 3 <= n; at += 3) {
		size_t room = sizeof(struct live_mailbox), place = (bytes[at + 1] | (size_t)bytes[at + 2] << 8) % room;
		if (pwrite(s->fd, bytes + at, 1, (off_t)(s->section[SECTION_MAILBOX].at + place)) != 1)
			break;
		bl_live_send(s, (bl_command){ .kind = BL_CMD_PAUSE });
	}
	for (int i = 0; i < 2 * LIVE_SLOTS && bl_live_take(w, &c); i++)
		expect(known(&c) && memchr(c.name, '\0', sizeof c.name), "a command that there is not was taken");
	expect(!bl_live_take(w, &c), "commands do not end");
	bl_live_close(s);
	bl_live_close(w);
	return true;
}

/* --- run.json ------------------------------------------------------------------------------------- */

static char *written(const bl_run_file *f, size_t *n)
{
	char path[256];
	const char *folder = fuzz_folder("written");
	expect(bl_run_file_write(folder, f) == 0, "a run.json that was read cannot be written");
	snprintf(path, sizeof path, "%s/%s", folder, BL_RUN_FILE);
	char *bytes = bl_file_read(path, n);
	expect(bytes != NULL, "a run.json that was written is not there");
	return bytes;
}

bool fuzz_run_json(const uint8_t *bytes, size_t n)
{
	static bl_run_file f, again;
	char path[256];
	const char *folder = fuzz_folder("run");
	snprintf(path, sizeof path, "%s/%s", folder, BL_RUN_FILE);
	FILE *out = fopen(path, "wb");
	expect(out && fwrite(bytes, 1, n, out) == n && fclose(out) == 0, "no room");
	if (bl_run_file_read(folder, &f) != 0)
		return false;
	size_t first_n, second_n;
	char *first = written(&f, &first_n);
	expect(bl_run_file_read(fuzz_folder("written"), &again) == 0, "a run.json that was written cannot be read");
	char *second = written(&again, &second_n);
	expect(first_n == second_n && memcmp(first, second, first_n) == 0, "run.json changed on its way");
	free(first);
	free(second);
	bl_run_file_free(&f);
	bl_run_file_free(&again);
	return true;
}

/* --- checkpoint ----------------------------------------------------------------------------------- */

/* The trainer of the run whose checkpoint is among the seeds (make_seeds.lua). */
static bl_trainer *new_trainer(void)
{
	bl_dataset *d = bl_dataset_shapes(&(bl_shapes_config){ .n = 32, .size = 8, .channels = 1, .seed = 1 });
	bl_pipeline *p = bl_pipeline_parse("flip");
	bl_module *encoder = bl_nn_sequential(), *flat = bl_nn_flatten(), *linear = bl_nn_linear(64, 4, true),
		  *norm = bl_nn_batchnorm(4, true, false, .1f, 1e-5f);
	bl_nn_append(encoder, NULL, flat);
	bl_nn_append(encoder, NULL, linear);
	bl_nn_append(encoder, NULL, norm);
	bl_trainer *t = bl_trainer_new(&(bl_trainer_config){ .data = d,
	                                                     .first = p,
	                                                     .second = p,
	                                                     .encoder = encoder,
	                                                     .optim = bl_optim_default("sgd"),
	                                                     .schedule = bl_schedule_default("cosine"),
	                                                     .batch = 16,
	                                                     .epochs = 3,
	                                                     .seed = 1,
	                                                     .loader_threads = 1 });
	expect(t != NULL, "there is no trainer");
	bl_module_unref(norm);
	bl_module_unref(linear);
	bl_module_unref(flat);
	bl_module_unref(encoder);
	bl_pipeline_unref(p);
	bl_dataset_unref(d);
	return t;
}

static char *saved(bl_trainer *t, const char **path, size_t *n)
{
	*path = fuzz_file("saved.safetensors", NULL, 0);
	expect(bl_checkpoint_save(*path, t) == 0, "a checkpoint that was read cannot be written");
	char *bytes = bl_file_read(*path, n);
	expect(bytes != NULL, "a checkpoint that was written is not there");
	return bytes;
}

bool fuzz_checkpoint(const uint8_t *bytes, size_t n)
{
	static bl_trainer *t; /* remains valid, since a refused checkpoint does not change it */
	const char *path;
	size_t first_n, second_n;
	if (!t)
		t = new_trainer();
	if (bl_checkpoint_load(fuzz_file("checkpoint.safetensors", bytes, n), t) != 0)
		return false;
	char *first = saved(t, &path, &first_n);
	bl_trainer_free(t);
	t = new_trainer();
	expect(bl_checkpoint_load(path, t) == 0, "a checkpoint that was written cannot be read");
	char *second = saved(t, &path, &second_n);
	expect(first_n == second_n && memcmp(first, second, first_n) == 0, "a checkpoint changed on its way");
	free(first);
	free(second);
	bl_trainer_free(t);
	t = NULL;
	return true;
}

/* --- recipe --------------------------------------------------------------------------------------- */

/* The text of an accepted recipe is read as an equal recipe. A recipe that cannot be expressed as a text has none. */
static const char check_recipe[] =
	"local recipe = require 'barlow.recipe'\n"
	"return function(path, other)\n"
	"	local r, why = recipe.read(path)\n"
	"	if not r then return type(why) ~= 'string' and 'refused without a reason' or nil end\n"
	"	local first = recipe.text(r)\n"
	"	local file = assert(io.open(other, 'wb'))\n"
	"	file:write('return ', first, '\\n')\n"
	"	file:close()\n"
	"	local again, reason = recipe.read(other)\n"
	"	if not again then return first:find('nil --[[', 1, true) and '' or 'it prints as none: ' .. reason .. '\\n' .. first end\n"
	"	local second = recipe.text(again)\n"
	"	return first == second and '' or 'it prints as another one:\\n' .. first .. '\\n' .. second\n"
	"end\n";

static lua_State *new_state(void)
{
	lua_State *L = luaL_newstate();
	expect(L != NULL, "there is no Lua state");
	luaL_openlibs(L);
	luaL_requiref(L, "barlow", luaopen_barlow, 0);
	lua_pop(L, 1);
	expect(luaL_loadstring(L, check_recipe) == LUA_OK && lua_pcall(L, 0, 1, 0) == LUA_OK, "recipes cannot be tried");
	return L;
}

bool fuzz_recipe(const uint8_t *bytes, size_t n)
{
	static lua_State *L;
	static char other[256];
	if (!L) {
		snprintf(other, sizeof other, "%s", fuzz_file("other.lua", NULL, 0));
		L = new_state();
	}
	lua_pushvalue(L, 1);
	lua_pushstring(L, fuzz_file("recipe.lua", bytes, n));
	lua_pushstring(L, other);
	if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
		fprintf(stderr, "fuzz: reading a recipe raises: %s\n", lua_tostring(L, -1));
		abort();
	}
	const char *said = lua_tostring(L, -1);
	if (said && *said) {
		fprintf(stderr, "fuzz: %s\n", said);
		abort();
	}
	lua_settop(L, 1);
	return said != NULL;
}
