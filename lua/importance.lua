-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
importance.lua: the importance of each parameter of a sweep for the sweep's metric.

An arm is one combination of values, with the mean of the metric over its seeds.  For a full factorial design (every
combination has a result), importance is computed by a functional analysis of variance, which is exact for such a
design (fANOVA; Hutter, Hoos and Leyton-Brown 2014).  Let y be the mean of an arm, m the mean of all N arms, and m_v
the mean of the arms in which a parameter with K values has the value v.  The share of the variance that this parameter
explains by itself is

	sum over v of N/K (m_v - m)^2  /  sum over arms of (y - m)^2,

and the rest, which no parameter explains by itself, is due to interactions and to the noise of seeds.

For other designs (random, Halton, TPE, an unfinished grid) it is computed by PED-ANOVA (Watanabe, Bansal and Hutter
2023).  A parameter's values have the density q in all N arms (gamma = 1), and the density p in the best arms, a share
gamma' of all.  The importance is the Pearson divergence of p from q,

	D = sum over v of (p(v) - q(v))^2 / q(v),

as a share of its sum over all parameters.  The factor (gamma' / gamma)^2 of the published formula is left out, since
it is the same for all parameters.

The densities are kernel density estimates with one kernel at each arm's value.  For a distribution the kernels are
Gaussian, truncated at the ends of the range, and evaluated at GRID points (on a logarithmic scale if the distribution
has one), with Scott's bandwidth 1.059 min(standard deviation, interquartile range / 1.34) N^(-1/5).  For a list of
values, a kernel is 1 at its value and 0 at the others.

Two things differ from the publication, since sweeps have tens of arms, not thousands.  gamma' is a quarter unless it
is given, and p has the bandwidth of q.  Therefore the expected D of M arms drawn at random is known; it is subtracted
from D:

	sum over v of s(v)^2 / q(v) (N - M) / ((N - 1) M),

where s(v)^2 is the variance of the kernels at v over all arms.
]]
local recipe = require "barlow.recipe"
local space = require "barlow.space"

local importance = {}

local LEAST_FACTORIAL, GAMMA, GRID = 3, 1 / 4, 50

-- Returns a text that is the same for equal values of a parameter, and differs for others.
local function cell(v) return (recipe.text(recipe.copy(v))) end

-- Groups arms by their value of a parameter.  Returns {[cell] = {n = number of arms, sum = sum of their means}}, and
-- the number of groups.
local function group(s, path, arms)
	local groups, n = {}, 0
	for _, a in ipairs(arms) do
		local key = cell(a.params[path])
		if not groups[key] then groups[key], n = { n = 0, sum = 0 }, n + 1 end
		groups[key].n, groups[key].sum = groups[key].n + 1, groups[key].sum + a.mean
	end
	return groups, n
end

-- Returns whether the design is a full grid: one arm for every combination of the values that occur.
local function is_factorial(s, arms)
	local combinations, seen = 1, {}
	for _, a in ipairs(arms) do
		local point = {}
		for i, path in ipairs(s.paths) do point[i] = cell(a.params[path]) end
		local key = table.concat(point, "\0")
		if seen[key] then return false end -- a combination occurs twice, so this is no full grid
		seen[key] = true
	end
	for _, path in ipairs(s.paths) do
		if s.space[path].distribution then return false end
		local _, n = group(s, path, arms)
		combinations = combinations * n
	end
	return combinations == #arms
end

-- fANOVA: returns what importance.of does.
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

-- Returns the `many` best arms, the best one first; arms with the same mean are in the order of their numbers.
local function best_arms(s, arms, many)
	local sorted, sign = table.move(arms, 1, #arms, 1, {}), s.goal == "max" and 1 or -1
	table.sort(sorted, function(a, b)
		if a.mean ~= b.mean then return sign * a.mean > sign * b.mean end
		return a.arm < b.arm
	end)
	return table.move(sorted, 1, many, 1, {})
end

-- Returns the quantile of a sorted list at `share` (0 to 1), interpolated linearly.
local function quantile(sorted, share)
	local at = 1 + share * (#sorted - 1)
	local low = math.floor(at)
	return sorted[low] + (at - low) * ((sorted[low + 1] or sorted[low]) - sorted[low])
end

-- Returns Scott's bandwidth or, if that is larger, the bandwidth at which 90% of a kernel's mass lies in one step of the grid.
local function bandwidth(places)
	local n, mean, square, sorted = #places, 0, 0, table.move(places, 1, #places, 1, {})
	table.sort(sorted)
	for _, x in ipairs(places) do mean = mean + x / n end
	for _, x in ipairs(places) do square = square + (x - mean) ^ 2 / (n - 1) end
	local spread = math.min(math.sqrt(square), (quantile(sorted, .75) - quantile(sorted, .25)) / 1.34)
	return math.max(1.059 * spread * n ^ -.2, .5 / 1.64 / GRID)
end

-- Returns, for each arm, its kernel as a table {[v] = weight at v}, whose weights sum to 1.
local function kernels(s, path, arms)
	local axis, out, places = s.space[path], {}, {}
	for i, a in ipairs(arms) do
		if axis.distribution then places[i] = space.place(axis, a.params[path]) else out[i] = { [cell(a.params[path])] = 1 } end
	end
	local h = axis.distribution and bandwidth(places)
	for i, x in ipairs(places) do
		local k, sum = {}, 0
		for g = 1, GRID do
			k[g] = math.exp(-.5 * (((g - .5) / GRID - x) / h) ^ 2)
			sum = sum + k[g]
		end
		for g = 1, GRID do k[g] = k[g] / sum end
		out[i] = k
	end
	return out
end

-- Returns the divergence D of the m best arms, whose numbers are the keys of `best`, from all arms, and the expected
-- D of m arms drawn at random.
function importance.divergence(s, path, arms, best, m)
	local p, q, square, n = {}, {}, {}, #arms
	for i, kernel in ipairs(kernels(s, path, arms)) do
		for v, k in pairs(kernel) do
			q[v], square[v] = (q[v] or 0) + k / n, (square[v] or 0) + k * k / n
			p[v] = (p[v] or 0) + (best[arms[i].arm] and k / m or 0)
		end
	end
	local sum, chance = 0, 0
	for v, all in pairs(q) do
		if all > 0 then
			sum, chance = sum + (p[v] - all) ^ 2 / all, chance + (square[v] - all * all) / all
		end
	end
	return sum, chance * (n - m) / ((n - 1) * m)
end

-- PED-ANOVA: returns what importance.of does.
local function by_divergence(s, arms, gamma)
	local m, best, sum = math.ceil(gamma * #arms), {}, 0
	local out = { method = "PED-ANOVA", shares = {}, best = m, arms = #arms }
	for _, a in ipairs(best_arms(s, arms, m)) do best[a.arm] = true end
	for _, path in ipairs(s.paths) do
		local d, chance = importance.divergence(s, path, arms, best, m)
		out.shares[path] = d - chance > 1e-12 and d - chance or 0
		sum = sum + out.shares[path]
	end
	for path, v in pairs(out.shares) do out.shares[path] = sum > 0 and v / sum or 0 end
	return out
end

-- Returns the smallest number of arms, at least three, of which the share gamma, rounded up, is two arms or more.
local function least_arms(gamma)
	local n = 3
	while math.ceil(gamma * n) < 2 do n = n + 1 end
	return n
end

--[[
Returns the importance of the parameters, from the arms that results.arms returns: {method = "fANOVA" or "PED-ANOVA",
shares = {[path] = importance}}, for fANOVA also rest, the share that interactions and noise explain, and for
PED-ANOVA also best and arms, the counts of the best arms and of all arms.  Returns nil if too few arms have a result.
gamma is the share of the best arms; nil: fANOVA if the design allows it, else a quarter.
]]
function importance.of(s, arms, gamma)
	local known = {}
	for _, a in ipairs(arms) do
		if a.n > 0 and a.arm ~= s.base_arm and next(a.params) then known[#known + 1] = a end
	end
	if not gamma and #known >= LEAST_FACTORIAL and is_factorial(s, known) then return factorial(s, known) end
	gamma = gamma or GAMMA
	return #known >= least_arms(gamma) and by_divergence(s, known, gamma) or nil
end

local WHAT = {
	fANOVA = "share of the variance between arms that each parameter explains by itself",
	["PED-ANOVA"] = "divergence of a parameter's values in the best %d of %d arms from those in all, beyond chance, in shares",
}

-- Returns one line of text, the most important parameter first; v: the result of importance.of.
function importance.text(v)
	if not v then return ("Importance: too few arms have a result; it takes at least %d"):format(least_arms(GAMMA)) end
	local paths, list = {}, {}
	for path in pairs(v.shares) do paths[#paths + 1] = path end
	table.sort(paths, function(a, b)
		if v.shares[a] ~= v.shares[b] then return v.shares[a] > v.shares[b] end
		return a < b
	end)
	for i, path in ipairs(paths) do list[i] = ("%s %.0f%%"):format(path, 100 * v.shares[path]) end
	if v.rest then list[#list + 1] = ("interactions %.0f%%"):format(100 * v.rest) end
	local none = v.shares[paths[1]] == 0 and "no parameter stands out"
	return ("Importance (%s: %s): %s."):format(v.method, WHAT[v.method]:format(v.best, v.arms), none or table.concat(list, ", "))
end

return importance
