/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_runs_face.c: the table `runs`; its functions are in lua/runs.lua and related files. */
#include "lua/bind/face.h"

/* barlow.runs(): Lua passes the called table as argument 1, which is removed */
static int all_runs(lua_State *L)
{
	lua_remove(L, 1);
	return bl_lua_call_module(L, "barlow.runs", "all", lua_gettop(L));
}

static int resume(lua_State *L)
{
	if (lua_istable(L, 1) && lua_getfield(L, 1, "folder") != LUA_TSTRING)
		return luaL_argerror(L, 1, "expected a run of runs() or runs.list, or its name");
	lua_settop(L, 1);
	return bl_lua_call_module(L, "barlow.resume", "load", lua_gettop(L));
}

static int fork_run(lua_State *L)
{
	luaL_checkany(L, 1);
	bl_lua_check_options(L, 2);
	lua_settop(L, 2);
	return bl_lua_call_module(L, "barlow.runs", "fork", 2);
}

/* Calls the function of lua/runs.lua that has the same name as the running function. */
static int through(lua_State *L)
{
	const bl_lua_function *f = bl_lua_running(L);
	if (f->fields)
		bl_lua_check_options(L, 1);
	return bl_lua_call_module(L, "barlow.runs", f->name, lua_gettop(L));
}

/* Settings that select runs, for functions that take many. */
/* clang-format off */
#define WHERE \
	BL_FIELD_UNREAD("where", "a condition as text, a table, or a function", BL_OTHERWISE("all"), \
	                .help = "selects runs: by \"knn > .7 and loss.lambda < .1\" over columns, metrics and settings (SQL), {state = \"done\"}, " \
	                        "or function(r) return r.step > 9 end")
#define SORT \
	BL_FIELD_UNREAD("sort", "the name of a column, metric or setting", BL_OTHERWISE("newest first"), \
	                .help = "sorts by its values, ascending; with \"-\" in front, descending")
#define TAGS BL_FIELD_UNREAD("tags", "a tag, or a list of them", BL_OTHERWISE("tags do not matter"), .help = "tags that all of the runs have")
#define NUMBER BL_FIELD_UNREAD("number", "a number", BL_OTHERWISE("all of them"), .help = "only the first N")
#define FOREVER \
	BL_FIELD_UNREAD("forever", "true or false", BL_OTHERWISE("false"), .help = "deletes the files instead of moving them to the trash")
/* clang-format on */
#define ASK BL_FIELD_UNREAD("ask", "true or false", BL_OTHERWISE("true"), .help = "asks for confirmation on the terminal")

static const bl_field list_fields[] = { WHERE, SORT, TAGS, NUMBER, BL_FIELD_END };
static const bl_field best_fields[] = {
	BL_FIELD_UNREAD("metric", "the name of a column, metric or setting", BL_OTHERWISE("\"knn\""),
	                .help = "the value that is compared"),
	BL_FIELD_UNREAD("goal", "\"max\" or \"min\"", BL_OTHERWISE("\"max\", of losses \"min\""),
	                .help = "whether larger or smaller values are better"),
	WHERE,
	TAGS,
	BL_FIELD_END,
};
static const bl_field export_fields[] = {
	BL_FIELD_UNREAD("format", "\"csv\", \"json\", \"markdown\", \"latex\" or \"plain\"", BL_OTHERWISE("\"csv\""),
	                .help = "format of the text"),
	BL_FIELD_UNREAD("path", "a path", BL_OTHERWISE("the text is returned"), .help = "the file that is written"),
	BL_FIELD_UNREAD("columns", "a list of names of columns, metrics and settings", BL_OTHERWISE("the usual ones"),
	                .help = "the columns of the table"),
	WHERE,
	SORT,
	TAGS,
	NUMBER,
	BL_FIELD_END,
};
static const bl_field prune_fields[] = {
	BL_FIELD_UNREAD("keep", "a number", BL_OTHERWISE("0"), .help = "number of the newest runs that stay in any case"),
	BL_FIELD_UNREAD("older", "a number of days", BL_OTHERWISE("age does not matter"),
	                .help = "removes runs that ended earlier than that"),
	BL_FIELD_UNREAD("size", "bytes, or a text such as \"10G\"", BL_OTHERWISE("size does not matter"),
	                .help = "limit on the disk space of all runs that stay: the oldest are removed"),
	BL_FIELD_UNREAD("leftovers", "true or false", BL_OTHERWISE("false"),
	                .help = "removes only the half-written files of killed saves; other calls remove them, too"),
	BL_FIELD_UNREAD("dry", "true or false", BL_OTHERWISE("false"), .help = "only lists the runs that would be removed"),
	FOREVER,
	ASK,
	WHERE,
	TAGS,
	BL_FIELD_END,
};

static const bl_lua_function itself =
	BL_LUA("runs", NULL, "(): table", "All saved runs, running and past, newest first.", "runs()");
static const bl_lua_function functions[] = {
	BL_LUA("resume", resume, "(run?: string|table): trainer",
	       "A trainer that continues a run, given by name, by folder or as an entry of runs(); by default the newest that was stopped early.",
	       "pcall(runs.resume, \"lambda-02\")"),
	BL_LUA("fork", fork_run, "(run: string, settings?: table): trainer",
	       "A trainer, not started, that continues from a checkpoint of a run, with other settings, as a new run.",
	       "pcall(runs.fork, \"lambda-02\", {set = {[\"loss.lambda\"] = .02}})", .fields = bl_lua_fork_fields),
	BL_LUA("list", through, ": table",
	       "Runs with their state (new, running, paused, done, stopped, failed, killed, broken), metrics, recipe, tags and more.",
	       "print(runs.list{where = {state = \"done\"}, sort = \"-created\"})", .fields = list_fields),
	BL_LUA("get", through, "(run: string): table",
	       "One run, by its folder's name or path, by its name (the newest), or by a beginning that only one folder's name has.",
	       "pcall(runs.get, \"lambda-02\")"),
	BL_LUA("best", through, ": table?", "The run with the best value of a metric, or nil.",
	       "print(pcall(runs.best, {metric = \"total\"}))", .fields = best_fields),
	BL_LUA("compare", through, "(a: string, b: string): table",
	       "Settings and metrics in which two runs differ: {recipe = {{key =, a =, b =}, ...}, metrics = ...}, which prints as a table.",
	       "pcall(runs.compare, \"lambda-01\", \"lambda-02\")"),
	BL_LUA("export", through, ": string", "A table of runs in a text format.",
	       "print(runs.export{format = \"markdown\", columns = {\"id\", \"state\"}})", .fields = export_fields),
	BL_LUA("query", through, "(sql: string, ...: any): table",
	       "Rows of an SQL query on the tables runs, metrics(run, key, value), recipe(run, key, value) and tags(run, tag), read-only.",
	       "print(runs.query \"SELECT state, count(*) FROM runs GROUP BY state\")"),
	BL_LUA("records", through, "(run: string): table", "All records of a run, as one list for each column.",
	       "pcall(runs.records, \"lambda-02\")"),
	BL_LUA("tag", through, "(run: string, ...: string)",
	       "Adds tags to a run; \"-tag\" removes one. Runs with the tag \"keep\" are never pruned.",
	       "pcall(runs.tag, \"lambda-02\", \"good\", \"-bad\")"),
	BL_LUA("note", through, "(run: string, text: string)", "Sets the note of a run, which replaces the former one.",
	       "pcall(runs.note, \"lambda-02\", \"with the new crop\")"),
	BL_LUA("delete", through, "(run: string, settings?: table): boolean",
	       "Moves a run to the trash, $XDG_DATA_HOME/barlow/trash, after a confirmation (ask = false: without); forever = true deletes it.",
	       "pcall(runs.delete, \"lambda-02\", {ask = false})"),
	BL_LUA("prune", through, ": table",
	       "Moves old or excess runs to the trash, after asking, and removes half-written files of killed saves. Runs that still train stay.",
	       "print(runs.prune{older = 365, dry = true})", .fields = prune_fields),
	BL_LUA("trainers", bl_lua_trainers, "(): trainer[]",
	       "Trainers of this session in the order of their construction, also running ones that no variable refers to.",
	       "for i, t in ipairs(runs.trainers()) do print(i, t.name, t.state) end"),
	BL_LUA_END,
};

void bl_lua_push_runs(lua_State *L)
{
	bl_lua_module_new(L, "runs");
	bl_lua_describe_function(L, "", &itself);
	bl_lua_functions(L, "runs", functions);
	lua_getmetatable(L, -1);
	lua_pushcfunction(L, all_runs);
	lua_setfield(L, -2, "__call");
	lua_pop(L, 1);
}
