-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
space.lua: the space of a sweep: paths into a recipe (recipe_path.lua), and an axis of values for each.

An axis is a list of values, or a distribution.  Samplers draw a number u in [0, 1), which is mapped to a value of the axis.
]]
local recipe_path = require "barlow.recipe_path"
local show = require "barlow.show"

local space = {}

-- Axes.

local distributions = {
	uniform = function(d, u) return d.low + (d.high - d.low) * u end,
	loguniform = function(d, u) return d.low * (d.high / d.low) ^ u end,
	integer = function(d, u) return d.low + math.floor(u * (d.high - d.low + 1)) end,
}

local function bounds(kind, low, high, fits, expected)
	if not (fits(low) and fits(high) and low < high) then
		error(("sweep.%s: expected %s, got %s and %s"):format(kind, expected, tostring(low), tostring(high)), 3)
	end
	return { distribution = kind, low = low, high = high }
end

local function finite(v) return type(v) == "number" and v == v and math.abs(v) < math.huge end

function space.uniform(low, high)
	return bounds("uniform", low, high, finite, "two numbers, the lower one first")
end

function space.loguniform(low, high)
	return bounds("loguniform", low, high, function(v) return finite(v) and v > 0 end,
		"two numbers above 0, the lower one first")
end

function space.integer(low, high)
	return bounds("integer", low, high, function(v) return math.type(v) == "integer" end,
		"two whole numbers, the lower one first")
end

local function is_list(v)
	return type(v) == "table" and not (getmetatable(v) or {}).call and #v > 0
end

function space.choice(values)
	if not is_list(values) then error("sweep.choice: expected a list of values", 2) end
	return values
end

local function spaced(name, from, to, n, value)
	if not (finite(from) and finite(to)) then error(name .. ": expected two numbers and a count", 3) end
	if math.type(n) ~= "integer" or n < 2 or n > 1000000 then error(name .. ": the count must be an integer from 2 to 1000000", 3) end
	local out = {}
	for i = 1, n do out[i] = value((i - 1) / (n - 1)) end
	out[1], out[n] = from + 0.0, to + 0.0
	return out
end

function space.linspace(from, to, n)
	return spaced("linspace", from, to, n, function(u) return from + (to - from) * u end)
end

function space.geomspace(from, to, n)
	if not (finite(from) and finite(to) and from * to > 0) then
		error("geomspace: expected two numbers of the same sign, neither of them 0, and a count", 2)
	end
	return spaced("geomspace", from, to, n, function(u) return from * (to / from) ^ u end)
end

-- Returns the number of values of a list, or nil for a distribution.
function space.count(axis)
	return not axis.distribution and #axis or nil
end

function space.value(axis, u)
	local draw = distributions[axis.distribution]
	if draw then return draw(axis, u) end
	return axis[math.min(#axis, math.floor(u * #axis) + 1)]
end

-- Returns the number u, from 0 to 1, for a value of a distribution.
function space.place(axis, v)
	if axis.distribution == "loguniform" then return math.log(v / axis.low) / math.log(axis.high / axis.low) end
	if axis.distribution == "integer" then return (v - axis.low + .5) / (axis.high - axis.low + 1) end
	return (v - axis.low) / (axis.high - axis.low)
end

-- Raises an error if this is not an axis.
function space.check_axis(path, axis)
	if type(axis) == "table" and axis.distribution then
		if not (distributions[axis.distribution] and finite(axis.low) and finite(axis.high)) then
			error(("sweep: space: %s: unknown distribution '%s'"):format(path, tostring(axis.distribution)), 0)
		end
	elseif not is_list(axis) then
		error(("sweep: space: %s: expected a list of values, or a distribution such as sweep.loguniform(1e-4, 1e-1), got %s")
			:format(path, type(axis) == "table" and "an empty list" or type(axis)), 0)
	end
end

-- Paths.

local function by_path(f, ...)
	local fine, v = pcall(f, ...)
	if not fine then error("sweep: space: " .. tostring(v), 0) end
	return v
end

function space.set(r, path, value) by_path(recipe_path.set, r, path, value) end

-- Returns the current value at a path, or nil; if the path names several, the value of the first.
function space.get(r, path) return by_path(recipe_path.get, r, path) end

-- Returns the paths of a space, sorted; in a grid the last one varies fastest.
function space.paths(axes)
	return show.sorted_keys(axes)
end

return space
