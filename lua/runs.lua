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

-- Width, heading, and a run's text; a negative width is left-aligned.
local columns = {
	{ -34, "run", function(r) return r.id end },
	{ -8, "state", function(r) return r.state end },
	{ 15, "step", function(r) return r.state == "broken" and "-" or ("%d/%d"):format(r.step, r.steps) end },
	{ 9, "total", function(r) return r.total and ("%.4g"):format(r.total) or "-" end },
	{ 7, "kNN", function(r) return r.knn and ("%.4f"):format(r.knn) or "-" end },
	{ 9, "lambda", function(r) return r.lambda and ("%.3g"):format(r.lambda) or "-" end },
	{ 5, "D", function(r) return r.d > 0 and tostring(r.d) or "-" end },
	{ -16, "started", function(r)
		return r.started > 0 and os.date("%Y-%m-%d %H:%M", r.started // 1 | 0) or "-"
	end },
}

-- A line of the table; text(column) is a cell's text.
local function line(text)
	local cells = {}
	for i, c in ipairs(columns) do cells[i] = ("%" .. c[1] .. "s"):format(text(c)) end
	return (table.concat(cells, "  "):gsub("%s+$", ""))
end

Run.__index = {}

registry.add{
	name = "runs[]", kind = "function", signature = "runs()[i], runs()[name]", example = "runs()[1]",
	text = "One, by place or name: its name, folder, state, step, steps, total, lambda, knn, d, started, pid, alive.",
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
	return line(function(c) return native.clean(c[3](self)) end)
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
	local lines = { line(function(c) return c[2] end) }
	for i, r in ipairs(list) do lines[i + 1] = tostring(r) end
	return table.concat(lines, "\n")
end

function runs.list()
	local list = native.runs()
	for _, r in ipairs(list) do setmetatable(r, Run) end
	return setmetatable(list, List)
end

return runs
