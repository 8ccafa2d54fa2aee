-- SPDX-License-Identifier: GPL-3.0-or-later
-- Importance of a sweep's parameters, against small designs that are worked out by hand.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local importance = require "barlow.importance"
local space = require "barlow.space"
local test, equal, near = tap.test, tap.equal, tap.near

-- Arms with the parameters a and b, of which every combination has the mean that f gives.
local function grid(as, bs, f)
	local s, arms = { paths = { "a", "b" }, space = { a = as, b = bs }, goal = "max" }, {}
	for _, a in ipairs(as) do
		for _, b in ipairs(bs) do arms[#arms + 1] = { arm = #arms + 1, n = 1, mean = f(a, b), params = { a = a, b = b } } end
	end
	return s, arms
end

test("fANOVA of a sum of two effects gives their variances, 1 and 2/3, and nothing to interactions", function()
	local v = importance.of(grid({ 0, 2 }, { 0, 1, 2 }, function(a, b) return a + b end))
	equal(v.method, "fANOVA")
	near(v.shares.a, 3 / 5, 1e-12)
	near(v.shares.b, 2 / 5, 1e-12)
	near(v.rest, 0, 1e-12)
end)

test("fANOVA of a product of two effects gives a third to each and a third to the interaction", function()
	local s, arms = grid({ 0, 2 }, { 0, 2 }, function(a, b) return a * b end)
	local v = importance.of(s, arms)
	near(v.shares.a, 1 / 3, 1e-12)
	near(v.shares.b, 1 / 3, 1e-12)
	near(v.rest, 1 / 3, 1e-12)
	equal(importance.text(v), "Importance (fANOVA: share of the variance between arms that each parameter explains by itself): "
		.. "a 33%, b 33%, interactions 33%.")
	s.base_arm = 5
	arms[5] = { arm = 5, n = 1, mean = 100, params = {} }
	near(importance.of(s, arms).rest, 1 / 3, 1e-12) -- the base is no point of the grid
end)

-- Eight arms: c is p in four, d in three, e is even, x has two in each quarter of its range; the best two have p and x in the first.
local function random()
	local s, arms = { paths = { "c", "d", "e", "x" }, goal = "max",
		space = { c = { "p", "q" }, d = { "p", "q" }, e = { 1, 2 }, x = space.loguniform(1, 16) } }, {}
	for i = 1, 8 do
		arms[i] = { arm = i, n = 1, mean = -i, params = { c = i <= 4 and "p" or "q", d = i <= 3 and "p" or "q", e = 1 + i % 2,
			x = 2.0 ^ ((i - 1) // 2) * 1.5 } }
	end
	return s, arms
end

test("PED-ANOVA is the divergence of the best quarter from all, less its mean by chance", function()
	local s, arms = random()
	local v = importance.of(s, arms)
	equal(v.method, "PED-ANOVA")
	-- c: 1 - 3/7 = 12/21; d: 5/3 - 3/7 = 26/21; x: 3 - 9/7 = 36/21; e: 0 - 3/7, which is nothing
	near(v.shares.c, 12 / 74, 1e-12)
	near(v.shares.d, 26 / 74, 1e-12)
	near(v.shares.x, 36 / 74, 1e-12)
	equal(v.shares.e, 0)
	equal(v.rest, nil)
	for _, a in ipairs(arms) do a.mean = -a.mean end
	s.goal = "min"
	near(importance.of(s, arms).shares.x, 36 / 74, 1e-12)
end)

test("a grid that is not complete is PED-ANOVA's", function()
	local s, arms = grid({ 1, 2, 3 }, { 1, 2, 3 }, function(a, b) return a + b end)
	arms[9].n = 0
	equal(importance.of(s, arms).method, "PED-ANOVA")
end)

test("without spread, or with few arms, nothing is claimed", function()
	local s, arms = grid({ 0, 2 }, { 0, 2 }, function() return .5 end)
	equal(importance.text(importance.of(s, arms)):match "no parameter stands out", "no parameter stands out")
	arms[1].n = 0
	equal(importance.of(s, arms), nil)
	equal(importance.text(nil), "Importance: too few arms have a result, 8 at least")
end)

test("every value of a distribution has its number", function()
	for _, axis in ipairs{ space.uniform(-1, 3), space.loguniform(1e-4, 10) } do
		for _, u in ipairs{ 0, .25, .875 } do near(space.place(axis, space.value(axis, u)), u, 1e-12) end
	end
	near(space.place(space.integer(2, 5), 2), 1 / 8, 1e-12)
end)

tap.done()
