-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
runs.lua: runs(): all runs, running and past, newest first.

A run is found by its number, runs()[i], or by runs()["name"]: its folder's name, its own name (the newest run of that
name), or the beginning of only one folder's name.  Printing the list shows a table.
]]
local json = require "barlow.json"
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local registry = require "barlow.registry"
local show = require "barlow.show"
local tables = require "barlow.runs_table"
local where = require "barlow.runs_where"

local runs = {}

local Run, List = {}, {}

-- Columns of the table: {width, heading, text(run)}; a negative width aligns left.  own_column makes those
-- between `first` and `last`.
local first = {
	{ -34, "run", function(r) return r.id end },
	{ -8, "state", function(r) return r.state end },
	{ 15, "step", function(r) return r.state == "broken" and "-" or ("%d/%d"):format(r.step, r.steps) end },
	{ 9, "total", function(r) return r.total and ("%.4g"):format(r.total) or "-" end },
}
local last = {
	{ 5, "D", function(r) return r.d > 0 and tostring(r.d) or "-" end },
	{ -16, "started", function(r)
		return r.started > 0 and os.date("%Y-%m-%d %H:%M", r.started // 1 | 0) or "-"
	end },
}

-- The scores, user's metrics and first loss parameter of each run, which get columns:
-- run -> list of {kind =, name =, label =, value =}.
local own = setmetatable({}, { __mode = "k" })

local formats = { score = "%.4f", own = "%.4g", parameter = "%.3g" }

local function own_column(kind, name, label)
	return { math.max(#label, 9), label, function(r)
		for _, c in ipairs(own[r]) do
			if c.kind == kind and c.name == name then return c.value and formats[kind]:format(c.value) or "-" end
		end
		return "-"
	end }
end

-- Returns the columns of a table of these runs, with their scores, the user's metrics and the first parameter of each loss.
local function columns_of(list)
	local all, seen = table.move(first, 1, #first, 1, {}), {}
	for _, kind in ipairs{ "score", "own", "parameter" } do
		for _, r in ipairs(list) do
			for _, c in ipairs(own[r]) do
				local key = kind .. c.name
				if c.kind == kind and not seen[key] then
					seen[key] = true
					all[#all + 1] = own_column(kind, c.name, c.label)
				end
			end
		end
	end
	return table.move(last, 1, #last, #all + 1, all)
end

-- Formats a line of the table; text(column) is a cell's text.
local function line(columns, text)
	local cells = {}
	for i, c in ipairs(columns) do cells[i] = ("%" .. c[1] .. "s"):format(text(c)) end
	return (table.concat(cells, "  "):gsub("%s+$", ""))
end

local function run_line(columns, r)
	return line(columns, function(c) return native.clean(c[3](r)) end)
end

Run.__index = {}
Run.__name = "run"

registry.add{
	name = "runs[]", kind = "function", signature = "runs()[i], runs()[name]", example = "runs()[1]",
	text = "A run, by number or name: its name, folder, state, step, steps, total, knn, d, started, pid, alive, and parameters of its loss.",
}

local function example(call) return ("pcall(function() return runs.get(\"lambda-02\"):%s end)"):format(call) end

local watch = registry.add{
	name = "run:watch", kind = "method", self = "run", signature = "(settings?: table)",
	example = example "watch()",
	text = "Shows the run's screen; a run that is still running can be steered there.",
	keys = { { name = "read_only", type = "boolean", default = false, text = "also shows a running run without steering it" } },
}

function Run.__index:watch(options)
	native.run_watch(self.folder .. "/live", registry.check(watch, options).read_only)
end

registry.add{
	name = "run:journal", kind = "method", self = "run", signature = "(): table",
	example = example "journal()",
	text = "Changes of settings while it trained, and other events, like t.journal.",
}

function Run.__index:journal()
	return native.journal(self.folder)
end

registry.add{
	name = "run:resume", kind = "method", self = "run", signature = "(): trainer",
	example = example "resume()",
	text = "A trainer in the run's last state; t:start() continues the run.",
}

-- See resume.lua.
function Run.__index:resume()
	return require "barlow.resume".load(self.folder)
end

local quiet = { name = "quiet", type = "boolean", default = false, text = "does not print first how much has to be recomputed" }
local path = { name = "path", type = "string", otherwise = "none", text = "where the weights of that step are written as safetensors" }

local at = registry.add{
	name = "run:at", kind = "method", self = "run", signature = "(step: integer, settings?: table): view",
	example = example "at(100)",
	text = "The run's state after that step, recomputed bit for bit, like t:at.", keys = { quiet, path },
}

function Run.__index:at(step, options)
	return require "barlow.replay".at(self, step, registry.check(at, options))
end

local first_of = registry.add{
	name = "run:first", kind = "method", self = "run", signature = "(f: function, settings?: table): view?",
	example = example "first(function(v) return v.terms.total < 20 end)",
	text = "The view of the first step for which f(view) is true, like t:first.",
	keys = { { name = "from", type = "integer", otherwise = "1", text = "the first step that is tested" },
		{ name = "to", type = "integer", otherwise = "the newest", text = "the last step that is tested" }, quiet, path },
}

function Run.__index:first(f, options)
	return require "barlow.replay".first(self, f, registry.check(first_of, options))
end

local bisect = registry.add{
	name = "run:bisect", kind = "method", self = "run", signature = "(f: function, settings?: table): view?",
	example = example "bisect(function(v) return v.terms.total < 20 end)",
	text = "Like run:first, for an f that is true from some step on: searches among the checkpoints first.", keys = { quiet, path },
}

function Run.__index:bisect(f, options)
	return require "barlow.replay".bisect(self, f, registry.check(bisect, options))
end

function Run:__tostring()
	return run_line(columns_of{ self }, self)
end

local function find(list, what)
	for _, field in ipairs{ "id", "name" } do
		for _, r in ipairs(list) do
			if r[field] == what then return r end
		end
	end
	local found = {}
	for _, r in ipairs(list) do
		if r.id:sub(1, #what) == what then found[#found + 1] = r end
	end
	return #found == 1 and found[1] or nil
end

function List.__index(list, key)
	return type(key) == "string" and find(list, key) or nil
end

function List.__tostring(list)
	if #list == 0 then return "no runs" end
	local columns = columns_of(list)
	local lines = { line(columns, function(c) return native.clean(c[2]) end) }
	for i, r in ipairs(list) do lines[i + 1] = run_line(columns, r) end
	return table.concat(lines, "\n")
end

-- runs()
function runs.all()
	local list = native.runs()
	for _, r in ipairs(list) do
		own[setmetatable(r, Run)], r.columns = r.columns, nil
	end
	return setmetatable(list, List)
end

-- The index of runs.

local index_of = setmetatable({}, { __mode = "k" }) -- run -> the index from which it came

-- Queries the index.  Errors in SQL are the caller's, so they are raised without the position in this file.
local function ask(...)
	local out = table.pack(pcall(native.index_query, ...))
	if not out[1] then error((tostring(out[2]):gsub("^barlow%.[%w_]+:%d+: ", "")), 0) end
	return table.unpack(out, 2, out.n)
end

local SELECT = "SELECT run, id, folder, name, state, reason, problem, step, steps, seed, d, pid, host, barlow, cpu, blas, threads, "
	.. "created, started, ended, parent, parent_step, notes, message FROM runs"

local function by_key(r, what)
	local out = {}
	local rows = ask(index_of[r], ("SELECT key, value FROM %s WHERE run = ?1"):format(what), { r.run })
	for _, row in ipairs(rows) do out[row.key] = row.value end
	return out
end

-- Fields of a run that are read on access.
local later = {
	metrics = function(r) return by_key(r, "metrics") end,
	recipe = function(r) return by_key(r, "recipe") end,
	tags = function(r)
		local out = json.list{}
		local rows = ask(index_of[r], "SELECT tag FROM tags WHERE run = ?1 ORDER BY tag", { r.run })
		for i, row in ipairs(rows) do out[i] = row.tag end
		return out
	end,
	data = function(r) return (native.run_file(r.folder) or {}).data or {} end,
	convolution = function(r) return (native.run_file(r.folder) or {}).convolution or {} end,
	total = function(r) return r.metrics.total end,
	knn = function(r) return r.metrics.knn end,
	lambda = function(r) return r.metrics.lambda end,
}

local Known, KnownList = { __name = "run" }, { __index = List.__index }

function Known.__index(r, key)
	if Run.__index[key] then return Run.__index[key] end
	local v = later[key] and later[key](r)
	if v ~= nil then rawset(r, key, v) end
	return v
end

-- Returns the value of a column: a field of the run, a metric, or a setting of its recipe.
function runs.value(r, name)
	local v = r[name]
	if v == nil or type(v) == "function" then v = r.metrics[name] end
	if v == nil then v = r.recipe[name] end
	return v
end

local function known(index, rows)
	for _, r in ipairs(rows) do
		r.alive = r.state == "running" or r.state == "paused" or r.state == "new"
		index_of[r] = index
		setmetatable(r, Known)
	end
	return rows
end

local function check_list(settings)
	local kind = type(settings.where)
	if kind ~= "nil" and kind ~= "string" and kind ~= "table" and kind ~= "function" then
		error("where must be a condition as text, a table, or a function of a run, got a " .. kind, 0)
	end
	if settings.sort ~= nil and type(settings.sort) ~= "string" then
		error("sort must be the name of a column, got a " .. type(settings.sort), 0)
	end
	if settings.number ~= nil and (math.type(settings.number) ~= "integer" or settings.number < 1) then
		error("number must be a whole number of at least 1, got " .. show.value(settings.number), 0)
	end
end

local function first_of_list(list, n)
	for i = #list, (n or #list) + 1, -1 do list[i] = nil end
	return setmetatable(list, KnownList)
end

function runs.list(settings)
	settings = settings or {}
	check_list(settings)
	local index = native.index()
	local clause, values = where.clause(index, settings)
	local rows, list = known(index, (ask(index, SELECT .. clause, values))), {}
	if type(settings.where) ~= "function" then return first_of_list(rows, settings.number) end
	for _, r in ipairs(rows) do
		if settings.where(r) then list[#list + 1] = r end
	end
	return first_of_list(list, settings.number)
end

local function not_found(list, what)
	local names, begin = {}, {}
	for i, r in ipairs(list) do
		names[i] = r.id
		if r.id:sub(1, #what) == what then begin[#begin + 1] = r.id end
	end
	if #begin > 1 then error(("several runs begin with %s: %s"):format(what, table.concat(begin, ", ")), 0) end
	local near = native.nearest(what, names)
	error(("no run named %s%s"):format(what, near and (" (did you mean %s?)"):format(near)
		or #names == 0 and "; there are no runs" or ""), 0)
end

local Elsewhere = { __index = Run.__index, __name = "run" }

function Elsewhere.__tostring(r) return Known.__tostring(r) end

-- Returns a run outside of the folder of all runs, according to its run.json.
local function elsewhere(folder)
	if not (native.exists(folder .. "/run.json") or native.exists(folder .. "/live") or native.exists(folder .. "/recipe.lua")) then
		error(("no run in the folder %s"):format(folder), 0)
	end
	local file, why = native.run_file(folder)
	local r = file or { metrics = {}, recipe = {}, tags = {}, data = {}, convolution = {} }
	r.folder, r.id, r.problem, r.tags = folder, folder:match "[^/]*$", why, json.list(r.tags)
	r.name, r.state = r.name or r.id, r.state or "broken"
	if r.parent then r.parent, r.parent_step = r.parent.folder, r.parent.step end
	return setmetatable(r, Elsewhere)
end

-- Finds one run by its folder's name, its name (the newest), a unique beginning of a folder's name, or the path of
-- its folder.
function runs.get(what)
	if native.type_name(what) == "trainer" then what = what.folder or error("the run is in memory only: it has no folder", 0) end
	if type(what) == "table" and what.folder then
		if what.recipe then return what end
		what = what.folder -- an entry of runs()
	end
	if type(what) ~= "string" or what == "" then
		error("expected the name of a run, got " .. (type(what) == "table" and "a table" or show.value(what)), 0)
	end
	local list = runs.list{}
	if not what:find "/" then
		if list[what] then return list[what] end
		return native.exists(what .. "/live") and elsewhere(what) or not_found(list, what)
	end
	local folder = what:gsub("(.)/+$", "%1")
	for _, r in ipairs(list) do
		if r.folder == folder then return r end
	end
	return elsewhere(folder)
end

-- The best run.

-- Metrics of which smaller values are better.
runs.LESS = { total = true, invariance = true, redundancy = true, weighted_redundancy = true, time = true, grad_norm = true }

function runs.best(settings)
	settings = settings or {}
	local metric = settings.metric or "knn"
	if type(metric) ~= "string" then error("metric must be the name of a column, got a " .. type(metric), 0) end
	local goal = settings.goal or runs.LESS[metric] and "min" or "max"
	if goal ~= "min" and goal ~= "max" then error(("goal must be \"max\" or \"min\", got %q"):format(tostring(goal)), 0) end
	local list = runs.list{ where = settings.where, tags = settings.tags, sort = (goal == "max" and "-" or "") .. metric }
	local best = list[1]
	return best and runs.value(best, metric) ~= nil and best or nil
end

-- Comparing two runs.

local function facts_of(r)
	if next(r.recipe) then return r.recipe end
	local d, why = recipe.read(r.folder .. "/recipe.lua") -- a run of an earlier version
	if not d then error(why, 0) end
	return recipe.facts(d)
end

local function differences(a, b)
	local rows, names = {}, {}
	for _, t in ipairs{ a, b } do
		for k in pairs(t) do names[k] = true end
	end
	for _, k in ipairs(show.sorted_keys(names)) do
		if a[k] ~= b[k] then rows[#rows + 1] = { key = k, a = a[k], b = b[k] } end
	end
	return rows
end

local Comparison = {}

function Comparison.__tostring(c)
	local parts = {}
	for _, part in ipairs{ "recipe", "metrics" } do
		local rows = {}
		for i, d in ipairs(c[part]) do rows[i] = { [part] = d.key, [c.a.id] = d.a, [c.b.id] = d.b } end
		parts[#parts + 1] = #rows == 0 and "the " .. part .. (part == "recipe" and " is" or " are") .. " the same"
			or tables.plain({ part, c.a.id, c.b.id }, rows)
	end
	return table.concat(parts, "\n\n")
end

function runs.compare(a, b)
	if b == nil and type(a) == "table" and not getmetatable(a) and #a == 2 then a, b = a[1], a[2] end
	a, b = runs.get(a), runs.get(b)
	return setmetatable({ a = a, b = b, recipe = differences(facts_of(a), facts_of(b)),
		metrics = differences(a.metrics, b.metrics) }, Comparison)
end

-- Runs as text.

runs.usual = { "id", "state", "step", "steps", "total", "knn", "lambda", "d", "started", "tags" }

-- Reads metrics, settings and tags of all runs of a list at once: a query for each run would dominate the time.
local function prefetch(list, columns)
	local index, by_run, keys = index_of[list[1]], {}, {}
	if not index then return function(r, name) return runs.value(r, name) end end
	local found = { tags = {} }
	for _, r in ipairs(list) do by_run[r.run] = r end
	for _, name in ipairs(columns) do
		if not where.columns[name] and name ~= "tags" then keys[#keys + 1], found[name] = name, {} end
	end
	for _, part in ipairs(#keys > 0 and { "recipe", "metrics" } or {}) do
		local marks = ("?"):rep(#keys, ", ")
		local rows = ask(index, ("SELECT run, key, value FROM %s WHERE key IN (%s)"):format(part, marks), keys)
		for _, row in ipairs(rows) do found[row.key][row.run] = row.value end -- a metric takes precedence over a setting
	end
	for _, row in ipairs((ask(index, "SELECT run, tag FROM tags ORDER BY tag"))) do
		found.tags[row.run] = found.tags[row.run] or {}
		table.insert(found.tags[row.run], row.tag)
	end
	return function(r, name)
		if where.columns[name] then return rawget(r, name) end
		return found[name][r.run] or name == "tags" and {} or nil
	end
end

-- Raises an error for a name of `columns` that is neither a column of the index nor a metric or setting of any run.
function runs.check_columns(list, columns)
	local index = index_of[list[1]]
	for _, name in ipairs(index and columns or {}) do
		if name ~= "tags" then where.value(index, name) end
	end
end

-- Returns rows of these columns, as lua/runs_table.lua takes them.
function runs.rows(list, columns)
	local rows = {}
	if #list == 0 then return rows end
	local value = prefetch(list, columns)
	for i, r in ipairs(list) do
		rows[i] = {}
		for _, name in ipairs(columns) do rows[i][name] = value(r, name) end
	end
	return rows
end

local function date(seconds)
	return seconds and os.date("%Y-%m-%d %H:%M", seconds // 1 | 0)
end
runs.date = date

-- Replaces times by dates, for tables that people read.
function runs.date_rows(rows)
	for _, r in ipairs(rows) do
		for _, name in ipairs{ "created", "started", "ended" } do r[name] = date(r[name]) end
	end
	return rows
end

-- Returns the list as text in that format; Markdown and LaTeX are for people, and have dates.
function runs.export_text(format, list, columns)
	local rows = runs.rows(list, columns)
	return tables.text(format, columns, (format == "markdown" or format == "latex") and runs.date_rows(rows) or rows)
end

-- Returns names and rows for people: only columns that are not empty, "step/steps" in one, and times as dates.
function runs.shown(list, columns)
	local names, rows = {}, runs.rows(list, columns or runs.usual)
	for _, name in ipairs(columns or runs.usual) do
		local any = columns ~= nil
		for _, r in ipairs(rows) do any = any or r[name] ~= nil and (name ~= "tags" or #r.tags > 0) end
		if any and (columns or name ~= "steps") then names[#names + 1] = name end
	end
	for i, r in ipairs(rows) do
		if r.step and not columns then r.step = ("%d/%d"):format(r.step, list[i].steps or 0) end
	end
	return names, runs.date_rows(rows)
end

-- Returns a text about the half-written files that prune removed, or nil if there were none.
function runs.leftovers_text(left)
	if not left or left.files == 0 then return nil end
	return ("%d half-written %s%s removed: %.1f MiB"):format(left.files, left.files == 1 and "file" or "files",
		left.dry and " would be" or "", left.bytes / (1 << 20))
end

function KnownList.__tostring(list)
	local text, left = #list == 0 and "no runs" or tables.plain(runs.shown(list)), runs.leftovers_text(list.leftovers)
	return left and text .. "\n" .. left or text
end

function Known.__tostring(r)
	local names, rows = runs.shown({ r })
	local cells = {}
	for i, name in ipairs(names) do cells[i] = tables.cell_text(rows[1][name]) end
	return table.concat(cells, "  ")
end

function runs.export(settings)
	settings = settings or {}
	local columns = settings.columns or runs.usual
	if type(columns) ~= "table" then error("columns must be a list of names, got a " .. type(columns), 0) end
	local list = runs.list{ where = settings.where, tags = settings.tags, sort = settings.sort, number = settings.number }
	if settings.columns then runs.check_columns(list, columns) end
	if settings.path ~= nil and type(settings.path) ~= "string" then error("path must be a string, got a " .. type(settings.path), 0) end
	local text = runs.export_text(settings.format or "csv", list, columns)
	if not settings.path then return text end
	native.write_file(settings.path, text .. "\n")
	return settings.path
end

local Answer = {}

function Answer.__tostring(a)
	return #a == 0 and "no rows" or tables.plain(getmetatable(a).names, a)
end

-- Returns rows as tables by name; the list prints as a table.
function runs.query(sql, ...)
	if type(sql) ~= "string" then error("runs.query: expected a question in SQL, got a " .. type(sql), 0) end
	local rows, names = ask(native.index(), sql, { ... })
	return setmetatable(rows, { names = names, __tostring = Answer.__tostring })
end

function runs.records(what)
	return native.run_records(runs.get(what).folder)
end

function runs.fork(what, settings)
	return require "barlow.fork".make(runs.get(what).folder, settings or {})
end

-- Tags and notes.

-- Adds tags to a run; a tag with "-" in front is removed from it.
function runs.tag(what, ...)
	local add, drop, tags = {}, {}, { ... }
	if type(tags[1]) == "table" then tags = tags[1] end
	if #tags == 0 then error("expected a tag, as in runs.tag(\"run\", \"good\")", 0) end
	for _, tag in ipairs(tags) do
		if type(tag) ~= "string" then error("expected tags as texts, got a " .. type(tag), 0) end
		local list = tag:sub(1, 1) == "-" and drop or add
		list[#list + 1] = list == drop and tag:sub(2) or tag
	end
	native.run_change(runs.get(what).folder, add, drop)
end

function runs.note(what, text)
	if type(text) ~= "string" then error("expected a text, got a " .. type(text), 0) end
	native.run_change(runs.get(what).folder, {}, {}, text)
end

-- Deleting.

local function agreed(question)
	if not native.is_terminal() then
		error(question .. " This cannot be confirmed without a terminal: give ask = false, or --yes, to do it without asking", 0)
	end
	io.write(native.clean(question), " [y/N] ")
	io.flush()
	local answer = io.read "l"
	return answer ~= nil and answer:lower():match "^%s*y" ~= nil
end

local function remove(list, forever)
	for _, r in ipairs(list) do native.run_remove(r.folder, forever) end
end

-- Returns whether the run was removed.
function runs.delete(what, settings)
	settings = settings or {}
	local r = runs.get(what)
	local question = settings.forever and "Delete %s for ever?" or "Move %s to the trash?"
	if settings.ask ~= false and not agreed(question:format(r.id)) then return false end
	remove({ r }, settings.forever)
	return true
end

local units = { K = 1 << 10, M = 1 << 20, G = 1 << 30, T = 1 << 40 }

local function bytes_of(size)
	if type(size) == "number" then return size end
	local number, unit = tostring(size):match "^([%d.]+)%s*([KMGTkmgt]?)i?[Bb]?$"
	if not tonumber(number) then error(("size must be bytes, or a text such as \"10G\", got %q"):format(tostring(size)), 0) end
	return tonumber(number) * (units[unit:upper()] or 1)
end

local function check_prune(s)
	if not s.keep and not s.older and not s.size and not s.leftovers then
		error("prune: give keep = number of newest runs that stay, older = days, size = limit on the disk space of all, or "
			.. "leftovers = true", 0)
	end
	for _, name in ipairs{ "keep", "older" } do
		if s[name] and (type(s[name]) ~= "number" or s[name] < 0) then
			error(("prune: %s must be a number of 0 or more"):format(name), 0)
		end
	end
end

-- Returns the runs to be pruned, newest first: never active runs, the s.keep newest, or those with the tag "keep".
local function to_prune(list, s)
	local gone, used, most = {}, 0, s.size and bytes_of(s.size)
	if not (s.keep or s.older or s.size) then return gone end
	for i, r in ipairs(list) do
		local size = most and native.run_size(r.folder) - select(2, native.run_tidy(r.folder, true)) or 0
		local safe = r.alive or i <= (s.keep or 0)
		for _, tag in ipairs(r.tags) do safe = safe or tag == "keep" end
		local old = s.older and os.time() - (r.ended or r.started or os.time()) > s.older * 86400
		local due = old or most and used + size > most or not s.older and not most
		if due and not safe then gone[#gone + 1] = r else used = used + size end
	end
	return gone
end

-- Removes the half-written files of killed saves, except those of active runs.
local function tidy(list, dry)
	local all = { files = 0, bytes = 0, dry = dry or nil }
	for _, r in ipairs(list) do
		if not r.alive then
			local files, bytes = native.run_tidy(r.folder, dry)
			all.files, all.bytes = all.files + files, all.bytes + bytes
		end
	end
	return all
end

-- Returns the list of runs that were removed, or in a dry run would be; its field `leftovers` counts the half-written files.
function runs.prune(settings)
	local s = settings or {}
	check_prune(s)
	local list = runs.list{ where = s.where, tags = s.tags }
	local gone = setmetatable(to_prune(list, s), KnownList)
	if #gone > 0 and not s.dry and s.ask ~= false then
		print(gone)
		local question = s.forever and "Delete these %d runs for ever?" or "Move these %d runs to the trash?"
		if not agreed(question:format(#gone)) then return setmetatable({}, KnownList) end
	end
	gone.leftovers = tidy(list, s.dry)
	if not s.dry then remove(gone, s.forever) end
	return gone
end

return runs
