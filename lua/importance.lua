-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
importance.lua: how much each parameter of a sweep matters to its metric.

Of a full factorial design (all combinations have a result) the functional analysis of variance is exact (fANOVA; Hutter, Hoos
and Leyton-Brown 2014).  With y the mean of an arm, m the mean of all N arms, and m_v the mean of the arms with the value v of a
parameter that has K values, that parameter explains by itself

	sum over v of N/K (m_v - m)^2  /  sum over arms of (y - m)^2,

and what no parameter explains by itself is due to interactions, and to the noise of seeds.

Of other designs (random, Halton, TPE, a grid that is not finished) it is PED-ANOVA (Watanabe, Bansal and Hutter 2023): the Pearson
divergence of the distribution p of a parameter's values in the best quarter of the arms from their distribution q in all N arms,

	D = sum over v of (p(v) - q(v))^2 / q(v),

where v are the values of a list, or four equal parts of a distribution's range.  A quarter of M arms drawn by chance has
D = (K - 1) (N - M) / ((N - 1) M) in the mean, K being the number of values that occur, which is subtracted; what remains, if
positive, is given as a share of the sum over all parameters.
]]
local recipe = require "barlow.recipe"
local space = require "barlow.space"

local importance = {}

local LEAST_FACTORIAL, LEAST_ARMS, BEST, PARTS = 3, 8, 1 / 4, 4

-- What two arms with the same value of the axis have in common.
local function cell(axis, v)
	if axis.distribution then return math.min(PARTS - 1, math.floor(space.place(axis, v) * PARTS)) end
	return (recipe.text(recipe.copy(v)))
end

-- By cell of a parameter: how many of the arms, and the sum of their means.
local function group(s, path, arms)
	local groups, n = {}, 0
	for _, a in ipairs(arms) do
		local key = cell(s.space[path], a.params[path])
		if not groups[key] then groups[key], n = { n = 0, sum = 0 }, n + 1 end
		groups[key].n, groups[key].sum = groups[key].n + 1, groups[key].sum + a.mean
	end
	return groups, n
end

-- Has every combination of the values that occur one arm?
local function is_factorial(s, arms)
	local combinations = 1
	for _, path in ipairs(s.paths) do
		if s.space[path].distribution then return false end
		local _, n = group(s, path, arms)
		combinations = combinations * n
	end
	return combinations == #arms
end

local function factorial(s, arms)
	local total, mean, out = 0, 0, { method = "fANOVA", shares = {}, rest = 1 }
	for _, a in ipairs(arms) do mean = mean + a.mean / #arms end
	for _, a in ipairs(arms) do total = total + (a.mean - mean) ^ 2 end
	for _, path in ipairs(s.paths) do
		local between = 0
		for _, g in pairs((group(s, path, arms))) do between = between + g.n * (g.sum / g.n - mean) ^ 2 end
		out.shares[path] = total > 0 and between / total or 0
		out.rest = out.rest - out.shares[path]
	end
	out.rest = total > 0 and math.max(0, out.rest) or 0
	return out
end

local function best_arms(s, arms)
	local sorted, sign = table.move(arms, 1, #arms, 1, {}), s.goal == "max" and 1 or -1
	table.sort(sorted, function(a, b)
		if a.mean ~= b.mean then return sign * a.mean > sign * b.mean end
		return a.arm < b.arm
	end)
	return table.move(sorted, 1, math.ceil(BEST * #arms), 1, {})
end

local function divergence(s, path, arms, best)
	local all, k = group(s, path, arms)
	local top, sum, n, m = group(s, path, best), 0, #arms, #best
	for key, g in pairs(all) do
		local p, q = (top[key] and top[key].n or 0) / m, g.n / n
		sum = sum + (p - q) ^ 2 / q
	end
	return math.max(0, sum - (k - 1) * (n - m) / ((n - 1) * m))
end

local function by_divergence(s, arms)
	local best, sum, out = best_arms(s, arms), 0, { method = "PED-ANOVA", shares = {} }
	for _, path in ipairs(s.paths) do
		out.shares[path] = divergence(s, path, arms, best)
		sum = sum + out.shares[path]
	end
	for path, v in pairs(out.shares) do out.shares[path] = sum > 0 and v / sum or 0 end
	return out
end

--[[
Of the arms that results.arms gives: {method = "fANOVA" or "PED-ANOVA", shares = {by path}, rest = what interactions explain, of
fANOVA}; nil: too few arms have a result.
]]
function importance.of(s, arms)
	local known = {}
	for _, a in ipairs(arms) do
		if a.n > 0 and a.arm ~= s.base_arm and next(a.params) then known[#known + 1] = a end
	end
	if #known >= LEAST_FACTORIAL and is_factorial(s, known) then return factorial(s, known) end
	return #known >= LEAST_ARMS and by_divergence(s, known) or nil
end

local WHAT = {
	fANOVA = "share of the variance between arms that each parameter explains by itself",
	["PED-ANOVA"] = "divergence of a parameter's values in the best quarter of the arms from those in all, beyond chance, in shares",
}

-- One line, the most important parameter first; v: what importance.of gives.
function importance.text(v)
	if not v then return ("Importance: too few arms have a result, %d at least"):format(LEAST_ARMS) end
	local paths, list = {}, {}
	for path in pairs(v.shares) do paths[#paths + 1] = path end
	table.sort(paths, function(a, b)
		if v.shares[a] ~= v.shares[b] then return v.shares[a] > v.shares[b] end
		return a < b
	end)
	for i, path in ipairs(paths) do list[i] = ("%s %.0f%%"):format(path, 100 * v.shares[path]) end
	if v.rest then list[#list + 1] = ("interactions %.0f%%"):format(100 * v.rest) end
	local none = v.shares[paths[1]] == 0 and "no parameter stands out"
	return ("Importance (%s: %s): %s."):format(v.method, WHAT[v.method], none or table.concat(list, ", "))
end

return importance
