-- SPDX-License-Identifier: GPL-3.0-or-later
-- sweep_list.lua: lists all sweeps in the default folder of sweeps (sweep.list, barlow sweep list).
local native = require "barlow.native"
local results = require "barlow.results"
local sweep = require "barlow.sweep"
local tables = require "barlow.runs_table"

local sweeps = {}

local List = {}

local COLUMNS = { "name", "complete", "trials", "failed", "pruned", "metric", "best", "problem" }

-- Returns whether the column shows anything for this sweep; failed and pruned trials are shown only if there are any.
local function shows(s, name)
	local counts = name == "failed" or name == "pruned"
	return s[name] ~= nil and not (counts and s[name] == 0)
end

function List.__tostring(list)
	if #list == 0 then return "no sweeps in " .. native.clean(sweep.root()) end
	local names = {}
	for _, name in ipairs(COLUMNS) do
		local any = false
		for _, s in ipairs(list) do any = any or shows(s, name) end
		if any then names[#names + 1] = name end
	end
	return tables.plain(names, list)
end

local function entry(name)
	local folder = sweep.root() .. "/" .. name
	local fine, s = pcall(sweep.open, folder)
	if not fine then return { name = name, folder = folder, problem = native.clean(tostring(s)) } end
	local c, best = results.counts(s), results.best(results.arms(s))
	return { name = name, folder = folder, trials = s.trials, complete = c.complete, failed = c.failed, pruned = c.pruned, skipped = c.skipped,
		metric = s.metric, best = best and best.mean }
end

-- Returns all sweeps in the default folder, sorted by name; a sweep that cannot be read has the field `problem`.
function sweeps.list()
	local out = {}
	for i, name in ipairs(native.list_folder(sweep.root())) do out[i] = entry(name) end
	return setmetatable(out, List)
end

return sweeps
