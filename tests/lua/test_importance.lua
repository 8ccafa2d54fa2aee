-- SPDX-License-Identifier: GPL-3.0-or-later
-- Importance of a sweep's parameters, compared with small designs computed by hand.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local importance = require "barlow.importance"
local space = require "barlow.space"
local test, equal, near = tap.test, tap.equal, tap.near

-- Arms with the parameters a and b: each combination has the mean f(a, b).
local function grid(as, bs, f)
	local s, arms = { paths = { "a", "b" }, space = { a = as, b = bs }, goal = "max" }, {}
	for _, a in ipairs(as) do
		for _, b in ipairs(bs) do arms[#arms + 1] = { arm = #arms + 1, n = 1, mean = f(a, b), params = { a = a, b = b } } end
	end
	return s, arms
end

test("fANOVA of a sum of two effects gives their variances, 1 and 2/3, and 0 for interactions", function()
	local v = importance.of(grid({ 0, 2 }, { 0, 1, 2 }, function(a, b) return a + b end))
	equal(v.method, "fANOVA")
	near(v.shares.a, 3 / 5, 1e-12)
	near(v.shares.b, 2 / 5, 1e-12)
	near(v.rest, 0, 1e-12)
end)

test("fANOVA of a product of two effects gives a third for each and a third for the interaction", function()
	local s, arms = grid({ 0, 2 }, { 0, 2 }, function(a, b) return a * b end)
	local v = importance.of(s, arms)
	near(v.shares.a, 1 / 3, 1e-12)
	near(v.shares.b, 1 / 3, 1e-12)
	near(v.rest, 1 / 3, 1e-12)
	equal(importance.text(v), "Importance (fANOVA: share of the variance between arms that each parameter explains by itself): "
		.. "a 33%, b 33%, interactions 33%.")
	s.base_arm = 5
	arms[5] = { arm = 5, n = 1, mean = 100, params = {} }
	near(importance.of(s, arms).rest, 1 / 3, 1e-12) -- the base is not a point of the grid
end)

-- Eight arms: c is p in four, d in three, e is even; x rises from one end of its range to the other.
local function random()
	local s, arms = { paths = { "c", "d", "e", "x" }, goal = "max",
		space = { c = { "p", "q" }, d = { "p", "q" }, e = { 1, 2 }, x = space.loguniform(1, 16) } }, {}
	for i = 1, 8 do
		arms[i] = { arm = i, n = 1, mean = -i, params = { c = i <= 4 and "p" or "q", d = i <= 3 and "p" or "q", e = 1 + i % 2,
			x = 16 ^ ((i - .5) / 8) } }
	end
	return s, arms
end

test("PED-ANOVA is the divergence of the best quarter from all, minus its mean by chance", function()
	local s, arms = random()
	s.paths = { "c", "d", "e" } -- not a complete grid, although there are 2 x 2 x 2 arms: some are equal
	local v = importance.of(s, arms)
	equal(v.method, "PED-ANOVA")
	-- c: 1 - 3/7 = 12/21; d: 5/3 - 3/7 = 26/21; e: 0 - 3/7 is negative, so 0
	near(v.shares.c, 12 / 38, 1e-12)
	near(v.shares.d, 26 / 38, 1e-12)
	equal(v.shares.e, 0)
	equal(v.rest, nil)
	for _, a in ipairs(arms) do a.mean = -a.mean end
	s.goal = "min"
	near(importance.of(s, arms).shares.d, 26 / 38, 1e-12)
	equal(importance.text(v):match "the best 2 of 8 arms", "the best 2 of 8 arms")
end)

-- Computed by the formula of the density, arm by arm.
test("the density of a distribution's values is that of Gaussian kernels with Scott's bandwidth", function()
	local s, arms = random()
	local d = importance.divergence(s, "x", arms, { true, true }, 2)
	-- positions (i - .5) / 8: standard deviation sqrt(6) / 8, interquartile range 3.5 / 8
	local h, sum, norm = 1.059 * math.min(math.sqrt(6), 3.5 / 1.34) / 8 * 8 ^ -.2, 0, {}
	local function kernel(i, g) return math.exp(-((g - .5) / 50 - (i - .5) / 8) ^ 2 / (2 * h * h)) end
	for i = 1, 8 do
		norm[i] = 0
		for g = 1, 50 do norm[i] = norm[i] + kernel(i, g) end
	end
	for g = 1, 50 do
		local p, q = (kernel(1, g) / norm[1] + kernel(2, g) / norm[2]) / 2, 0
		for i = 1, 8 do q = q + kernel(i, g) / norm[i] / 8 end
		sum = sum + q * (p / q - 1) ^ 2
	end
	near(d, sum, 1e-12)
	equal(d > .5, true, d)
end)

test("the mean over all choices of two of eight arms is subtracted", function()
	local s, arms = random()
	for _, path in ipairs(s.paths) do
		local sum, chance, n = 0, nil, 0
		for i = 1, 8 do
			for j = i + 1, 8 do
				local d, c = importance.divergence(s, path, arms, { [i] = true, [j] = true }, 2)
				sum, chance, n = sum + d, c, n + 1
			end
		end
		near(sum / n, chance, 1e-12)
	end
end)

test("the share of the best arms can be given, also for a complete grid; five arms suffice for the best quarter", function()
	local s, arms = random()
	equal(importance.of(s, arms, .5).best, 4)
	equal(importance.of(s, arms, .1), nil)
	for i = 6, 8 do arms[i].n = 0 end
	equal(importance.of(s, arms).best, 2)
	arms[5].n = 0
	equal(importance.of(s, arms), nil)
	local g, all = grid({ 0, 2 }, { 0, 1, 2 }, function(a, b) return a + b end)
	equal(importance.of(g, all, .5).method, "PED-ANOVA")
end)

test("an incomplete grid uses PED-ANOVA", function()
	local s, arms = grid({ 1, 2, 3 }, { 1, 2, 3 }, function(a, b) return a + b end)
	arms[9].n = 0
	equal(importance.of(s, arms).method, "PED-ANOVA")
end)

test("without variance, or with few arms, no importance is reported", function()
	local s, arms = grid({ 0, 2 }, { 0, 2 }, function() return .5 end)
	equal(importance.text(importance.of(s, arms)):match "no parameter stands out", "no parameter stands out")
	arms[1].n = 0
	equal(importance.of(s, arms), nil)
	equal(importance.text(nil), "Importance: too few arms have a result; it takes at least 5")
end)

test("each value of a distribution has its number", function()
	for _, axis in ipairs{ space.uniform(-1, 3), space.loguniform(1e-4, 10) } do
		for _, u in ipairs{ 0, .25, .875 } do near(space.place(axis, space.value(axis, u)), u, 1e-12) end
	end
	near(space.place(space.integer(2, 5), 2), 1 / 8, 1e-12)
end)

tap.done()
