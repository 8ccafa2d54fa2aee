-- SPDX-License-Identifier: GPL-3.0-or-later
-- sweep_figure.lua: a metric over an axis of a sweep, with intervals (plot.sweep).
local driver = require "barlow.driver"
local native = require "barlow.native"
local results = require "barlow.results"
local space = require "barlow.space"

local figure = {}

-- The value of the axis at that arm, the base's own where it is the base.
local function value_of(s, a, path)
	local v = a.params[path]
	if v == nil and s.base and a.arm == s.base_arm then return space.get(s.base, path) end
	return v
end

-- What the arm is on all other axes, in words.
local function rest_of(s, a, path)
	local out = {}
	for i, p in ipairs(s.paths) do
		if p ~= path then out[#out + 1] = ("%s %s"):format(results.headings(s)[i], results.value_text(value_of(s, a, p))) end
	end
	return table.concat(out, ", ")
end

-- Curves by what the other axes are, in the order of the arms; points by the axis.
local function curves(s, path, metric)
	local list, by = {}, {}
	for _, a in ipairs(results.arms(s, metric)) do
		local x = value_of(s, a, path)
		if a.n > 0 and type(x) ~= "number" then
			error(("plot.sweep: %s is no axis of numbers: it has %s"):format(native.clean(path), results.value_text(x)), 0)
		elseif a.n > 0 then
			local label = rest_of(s, a, path)
			if not by[label] then
				by[label] = { label = label, arm = a.arm }
				list[#list + 1] = by[label]
			end
			table.insert(by[label], { x = x, y = a.mean, low = a.low == a.low and a.low or a.mean, high = a.high == a.high and a.high or a.mean })
			by[label].arm = math.min(by[label].arm, a.arm)
		end
	end
	table.sort(list, function(a, b) return a.arm < b.arm end)
	return list
end

-- Logarithmic where the values spread over more than a factor of 20 and are above 0.
local function is_wide(list)
	local low, high = math.huge, 0
	for _, c in ipairs(list) do
		for _, p in ipairs(c) do low, high = math.min(low, p.x), math.max(high, p.x) end
	end
	return low > 0 and high / low > 20
end

function figure.make(s, path, metric)
	if getmetatable(s) ~= driver.class then error("plot.sweep: expected a sweep, got " .. type(s), 0) end
	local known = false
	for _, p in ipairs(s.paths) do known = known or p == path end
	if not known then
		local near = native.nearest(tostring(path), s.paths)
		error(("plot.sweep: the sweep has no axis '%s' (%s)"):format(native.clean(tostring(path)),
			near and ("did you mean '%s'?"):format(near) or "it has " .. table.concat(s.paths, ", ")), 0)
	end
	metric = metric or s.metric
	local list = curves(s, path, metric)
	if #list == 0 then error(("plot.sweep: no trial has a %s"):format(native.clean(metric)), 0) end
	local out = { title = ("%s: %s, means of %d seeds, %g%% intervals"):format(s.name, metric, #s.seeds, 100 * s.level), xlabel = path,
		ylabel = metric, logx = is_wide(list) }
	for i, c in ipairs(list) do
		table.sort(c, function(a, b) return a.x < b.x end)
		local series = { x = {}, y = {}, low = {}, high = {}, label = c.label }
		for j, p in ipairs(c) do series.x[j], series.y[j], series.low[j], series.high[j] = p.x, p.y, p.low, p.high end
		out[i] = series
	end
	return require "barlow".plot.lines(out)
end

return figure
