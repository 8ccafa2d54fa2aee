-- SPDX-License-Identifier: GPL-3.0-or-later
-- runs_plot.lua: figures of runs that are kept, without a trainer of theirs.
local native = require "barlow.native"
local runs = require "barlow.runs"

local plot = {}

-- The live file of a run that is given by name or as runs() has it.
function plot.live(what)
	return runs.get(what).folder .. "/live"
end

-- The values that were measured, against their steps.
local function series(r, metric)
	local records = native.run_records(r.folder)
	local values = records[metric]
	if not values then
		local names = {}
		for name in pairs(records) do names[#names + 1] = name end
		local near = native.nearest(metric, names)
		error(("plot.curves: the records of %s have no '%s'%s"):format(native.clean(r.id), native.clean(metric),
			near and (" (did you mean '%s'?)"):format(near) or ""), 0)
	end
	local x, y = {}, {}
	for i, v in ipairs(values) do
		if v == v then x[#x + 1], y[#y + 1] = records.step[i], v end
	end
	if #x == 0 then error(("plot.curves: '%s' was never measured in %s"):format(native.clean(metric), native.clean(r.id)), 0) end
	return { x, y, label = r.name }
end

-- Names that several runs have get what tells their folders apart.
local function tell_apart(list, all)
	local count = {}
	for _, s in ipairs(all) do count[s.label] = (count[s.label] or 0) + 1 end
	for i, s in ipairs(all) do
		if count[s.label] > 1 then s.label = list[i].id end
		s.label = native.clean(s.label)
	end
end

-- {run, run, ..., metric = "total"}
function plot.curves(settings)
	local metric, list, all = settings.metric or "total", {}, {}
	for name in pairs(settings) do
		if type(name) ~= "number" and name ~= "metric" then
			local near = type(name) == "string" and native.nearest(name, { "metric" })
			error(("plot.curves: unknown key '%s' (%s)"):format(native.clean(tostring(name)),
				near and ("did you mean '%s'?"):format(near) or "known: metric, and runs in a list"), 0)
		end
	end
	for i, what in ipairs(settings) do list[i] = runs.get(what) end
	if #list == 0 then error("plot.curves: expected a trainer, a run, or a list of runs", 0) end
	for i, r in ipairs(list) do all[i] = series(r, metric) end
	tell_apart(list, all)
	all.xlabel, all.ylabel = "step", metric
	return require "barlow".plot.lines(all)
end

return plot
