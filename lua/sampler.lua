-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
sampler.lua: chooses the point of each arm, by the arm's number: a number u in [0, 1) for each axis of the space.

grid, random and halton depend on (seed, arm) alone, so that all processes draw the same points.  tpe uses the results so far.
]]
local native = require "barlow.native"
local space = require "barlow.space"

local sampler = {}

-- Returns the number u of the i-th of n values: the middle of the i-th of n equal parts of [0, 1).
local function middle(i, n) return (i - .5) / n end

-- Returns the number of arms of a grid.
function sampler.grid_size(axes, paths)
	local n = 1
	for _, path in ipairs(paths) do n = n * space.count(axes[path]) end
	return n
end

local function grid(arm, s)
	local u, rest = {}, arm - 1
	for i = #s.paths, 1, -1 do
		local n = space.count(s.space[s.paths[i]])
		u[i] = middle(rest % n + 1, n)
		rest = rest // n
	end
	return u
end

local function random(arm, s)
	return native.keyed(s.seed, "random search", arm, #s.paths)
end

local PRIMES = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97 }

-- Returns the radical inverse of i in base b (van der Corput).
local function radical_inverse(i, b)
	local out, scale = 0.0, 1 / b
	while i > 0 do
		out = out + (i % b) * scale
		i, scale = i // b, scale / b
	end
	return out
end

-- Halton 1960, shifted by a random vector modulo 1 (Cranley and Patterson 1976).  Without the shift, which depends on the seed,
-- the first points would be near 0 on the axes of large bases: point i is at i / b for i < b.
local function halton(arm, s)
	if #s.paths > #PRIMES then
		error(("sweep: halton supports at most %d axes, got %d; use sampler = \"random\""):format(#PRIMES, #s.paths), 0)
	end
	local shift, u = native.keyed(s.seed, "halton", 0, #s.paths), {}
	for i = 1, #s.paths do u[i] = (radical_inverse(arm, PRIMES[i]) + shift[i]) % 1 end
	return u
end

--[[
The tree-structured Parzen estimator (Bergstra et al. 2011), for each axis separately.  It estimates two densities: of the best
quarter of the results, and of the others.  CANDIDATES values are drawn from the first density; the one with the highest ratio
of the two densities is taken.  `known` is a list of {u =, value =}; higher values are better.
]]
local START, CANDIDATES, GOOD = 8, 24, .25

local function normal_cdf(x) -- by a rational approximation of the error function (Abramowitz and Stegun 7.1.26, error 1.5e-7)
	local t = 1 / (1 + .3275911 * math.abs(x) / 2 ^ .5)
	local tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - .284496736) * t + .254829592) * t
		* math.exp(-x * x / 2) / 2
	return x < 0 and tail or 1 - tail
end

-- Returns Gaussian kernels at the points, truncated to [0, 1].  The width of a kernel is the larger gap to a neighbour or an
-- end of [0, 1], but not below a width that depends on the number of points.  density() and draw() add a uniform kernel.
local function kernels(points)
	table.sort(points)
	local out = {}
	for i, at in ipairs(points) do
		local left, right = at - (points[i - 1] or 0), (points[i + 1] or 1) - at
		local width = math.max(math.min(math.max(left, right), 1), 1 / math.min(100, 1 + #points))
		out[i] = { at = at, width = width, mass = normal_cdf((1 - at) / width) - normal_cdf(-at / width) }
	end
	return out
end

local function density(list, u)
	local sum = 1.0 -- of the uniform kernel
	for _, k in ipairs(list) do
		local z = (u - k.at) / k.width
		sum = sum + math.exp(-z * z / 2) / (k.width * (2 * math.pi) ^ .5 * k.mass)
	end
	return sum / (#list + 1)
end

-- Draws a kernel, and a number from this kernel; r: two uniform numbers.
local function draw(list, r)
	local k = list[math.floor(r[1] * (#list + 1))]
	if not k then return r[2] end
	local low, high = normal_cdf(-k.at / k.width), normal_cdf((1 - k.at) / k.width)
	local target, a, b = low + r[2] * (high - low), 0.0, 1.0
	for _ = 1, 40 do
		local m = (a + b) / 2
		if normal_cdf((m - k.at) / k.width) < target then a = m else b = m end
	end
	return math.min((a + b) / 2, 1 - 1e-9)
end

-- Returns the share of each of n values among the points; each value is counted once more than it occurs.
local function weights(points, n)
	local out, total = {}, n
	for i = 1, n do out[i] = 1 end
	for _, u in ipairs(points) do
		local i = math.floor(u * n) + 1
		out[i], total = out[i] + 1, total + 1
	end
	for i = 1, n do out[i] = out[i] / total end
	return out
end

local function choose_value(n, good, bad, r)
	local l, g, best, score = weights(good, n), weights(bad, n), 1, -1
	for k = 1, CANDIDATES do
		local i, sum = 0, 0
		repeat i, sum = i + 1, sum + l[i + 1] until r[k] < sum or i == n
		if l[i] / g[i] > score then best, score = i, l[i] / g[i] end
	end
	return middle(best, n)
end

local function choose_number(good, bad, r)
	local l, g, best, score = kernels(good), kernels(bad), .5, -1
	for k = 1, CANDIDATES do
		local u = draw(l, { r[3 * k - 2], r[3 * k - 1] })
		local ratio = density(l, u) / density(g, u)
		if ratio > score then best, score = u, ratio end
	end
	return best
end

local function tpe(arm, s, known)
	if #known < START then return random(arm, s) end
	table.sort(known, function(a, b) return a.value > b.value end)
	local many, u = math.max(1, math.ceil(GOOD * #known)), {}
	for i, path in ipairs(s.paths) do
		local good, bad = {}, {}
		for k, p in ipairs(known) do table.insert(k <= many and good or bad, p.u[i]) end
		local r = native.keyed(s.seed, "tpe " .. path, arm, 3 * CANDIDATES)
		local n = space.count(s.space[path])
		u[i] = n and choose_value(n, good, bad, r) or choose_number(good, bad, r)
	end
	return u
end

sampler.kinds = { grid = grid, random = random, halton = halton, tpe = tpe }

return sampler
