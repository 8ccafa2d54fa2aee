-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
runs.lua: runs(): all runs, live and past, newest first.

runs()[i] by place, runs()["name"] by the folder's name, the run's name (the
newest of it) or how one folder's name begins.  Printing shows a table.
What is over can be shown, and what was stopped can go on.
]]
local native = require "barlow.native"
local registry = require "barlow.registry"

local runs = {}

local Run, List = {}, {}

-- Width, heading, and a run's text; a negative width is left-aligned.  Between these two are the runs' own.
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

-- What a run shows of its own: a list of {kind =, name =, label =, value =}.
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

-- The columns of a table of these runs: what their records have of metrics, and what their losses name first.
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

-- A line of the table; text(column) is a cell's text.
local function line(columns, text)
	local cells = {}
	for i, c in ipairs(columns) do cells[i] = ("%" .. c[1] .. "s"):format(text(c)) end
	return (table.concat(cells, "  "):gsub("%s+$", ""))
end

local function run_line(columns, r)
	return line(columns, function(c) return native.clean(c[3](r)) end)
end

Run.__index = {}

registry.add{
	name = "runs[]", kind = "function", signature = "runs()[i], runs()[name]", example = "runs()[1]",
	text = "One, by place or name: its name, folder, state, step, steps, total, knn, d, started, pid, alive, lambda (or what its loss has).",
}

local watch = registry.add{
	name = "run:watch", kind = "method", self = "run", signature = "(settings?: table)", example = "#runs()",
	text = "The screen of a run: steered when it is going on, shown when it is over.",
	keys = { { name = "read_only", type = "boolean", default = false, text = "shows a run that is going on, too, without steering it" } },
}

function Run.__index:watch(options)
	native.run_watch(self.folder .. "/live", registry.check(watch, options).read_only)
end

registry.add{
	name = "run:journal", kind = "method", self = "run", signature = "(): table", example = "#runs()",
	text = "What was changed while it trained, as t.journal has it.",
}

function Run.__index:journal()
	return native.journal(self.folder)
end

registry.add{
	name = "run:resume", kind = "method", self = "run", signature = "(): trainer", example = "#runs()",
	text = "A trainer that stands where the run did; t:start() goes on.",
}

-- See resume.lua.
function Run.__index:resume()
	return require "barlow.resume".load(self.folder)
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

-- runs.list: what run.json says, beside what the live file does.

-- What run.json calls what the live file's state is.
local states = { done = "finished", lost = "killed" }

-- Takes from the run's file what the live file does not know.
local function complete(r)
	local file, why = native.run_file(r.folder)
	r.state, r.problem = states[r.state] or r.state, why
	r.tags, r.metrics, r.recipe = {}, {}, {}
	for k, v in pairs(file or {}) do
		if r[k] == nil or type(v) == "table" then r[k] = v end
	end
	return r
end

-- The value of a column: a field, a metric, or a key of the recipe.
function runs.value(r, name)
	local v = rawget(r, name)
	if v == nil or type(v) == "table" then v = r.metrics[name] end
	if v == nil then v = r.recipe[name] end
	return v
end

local function fits(r, where)
	if type(where) == "function" then return where(r) end
	for k, wanted in pairs(where) do
		local v = runs.value(r, k)
		if v ~= wanted and tostring(v) ~= tostring(wanted) then return false end
	end
	return true
end

local function has_tags(r, tags)
	local has = {}
	for _, tag in ipairs(r.tags) do has[tag] = true end
	for _, tag in ipairs(type(tags) == "table" and tags or { tags }) do
		if not has[tag] then return false end
	end
	return true
end

local function sort(list, by)
	local down, name = by:match "^(%-?)(.*)$"
	local key, place = {}, {}
	for i, r in ipairs(list) do key[r], place[r] = runs.value(r, name), i end
	table.sort(list, function(a, b)
		local x, y = key[a], key[b]
		if x == nil or y == nil or x == y then
			if (x == nil) ~= (y == nil) then return y == nil end
			return place[a] < place[b]
		end
		if type(x) ~= type(y) then x, y = tostring(x), tostring(y) end
		if down == "-" then return x > y end
		return x < y
	end)
end

function runs.list(settings)
	local where, tags, list = settings.where, settings.tags, {}
	for _, r in ipairs(runs.all()) do
		complete(r)
		if (not where or fits(r, where)) and (not tags or has_tags(r, tags)) then list[#list + 1] = r end
	end
	if settings.sort then sort(list, settings.sort) end
	return setmetatable(list, List)
end

return runs
