-- SPDX-License-Identifier: GPL-3.0-or-later
-- Functions of Lua's library that barlow has its own of, for Ctrl-C's sake: large and small they do the same, to the message.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal = tap.test, tap.equal

local LARGE = 150000

local function sorted(t)
	for i = 2, #t do
		if t[i] < t[i - 1] then return false end
	end
	return true
end

test("a large table is sorted: numbers, strings, objects with __lt", function()
	local numbers, texts, objects, order = {}, {}, {}, { __lt = function(a, b) return a.key > b.key end }
	for i = 1, LARGE do
		numbers[i] = i * 7919 % LARGE + (i % 2 == 0 and .5 or 0)
		texts[i] = ("%x"):format(i * 7919 % LARGE)
		objects[i] = setmetatable({ key = i * 7919 % LARGE }, order)
	end
	for _, t in ipairs{ numbers, texts, objects } do
		equal(select("#", table.sort(t)), 0)
		equal(#t, LARGE)
		if not sorted(t) then error "not sorted" end
	end
	equal(objects[1].key, LARGE - 1)
	table.sort(numbers, nil)
	table.sort(numbers, function(a, b) return a > b end)
	if numbers[1] < numbers[LARGE] then error "not by the function" end
end)

-- The message without its line, of a sort of n elements that are made by f.
local function refusal(n, f)
	local t = {}
	for i = 1, n do t[i] = f(i) end
	local fine, message = pcall(function() table.sort(t) end)
	return fine, message
end

test("what cannot be sorted is refused as a small table is", function()
	for _, f in ipairs{
		function(i) return i % 2 == 0 and i or "text" end,
		function() return {} end,
		function(i) return i % 2 == 0 and true or i end,
	} do
		local fine, small = refusal(3, f)
		local _, large = refusal(LARGE, f)
		equal(fine, false)
		equal(large:gsub("with %a+", "with"):gsub("number", "text"):gsub("string", "text"):gsub("boolean", "text"),
			(small:gsub("with %a+", "with"):gsub("number", "text"):gsub("string", "text"):gsub("boolean", "text")))
	end
	local _, message = pcall(table.sort, 5)
	equal(message, "bad argument #1 to 'table.sort' (table expected, got number)")
	_, message = pcall(table.sort, {}, 5)
	equal(message, nil)
	_, message = pcall(table.sort, { 1, 2 }, 5)
	equal(message, "bad argument #2 to 'table.sort' (function expected, got number)")
end)

test("a long text is repeated with what stands between", function()
	for _, case in ipairs{ { "x", 70000001, "" }, { "abc", 23000000, "" }, { "ab", 14000000, "---" }, { "", 35000000, "<>" },
		{ ("y"):rep(3000000), 30, "z" } } do
		local s, n, between = case[1], case[2], case[3]
		local text, period = s:rep(n, between), #s + #between
		equal(#text, #s * n + #between * (n - 1))
		equal(text:sub(1, period), s .. between)
		equal(text:sub(1, #text - period) == text:sub(period + 1), true)
	end
end)

test("and what cannot be is refused", function()
	equal(select(2, pcall(string.rep)), "bad argument #1 to 'string.rep' (string expected, got no value)")
	equal(select(2, pcall(string.rep, "x", "y", {})), "bad argument #2 to 'string.rep' (number expected, got string)")
	equal(select(2, pcall(string.rep, "x", 1e8, {})), "bad argument #3 to 'string.rep' (string expected, got table)")
	equal(select(2, pcall(string.rep, "xy", math.maxinteger)), "resulting string too large")
	equal(select(2, pcall(string.rep, "x", 4e9)), "resulting string too large")
	equal(("x"):rep(-1) .. ("x"):rep(0) .. ("x"):rep(1, ",") .. ("x"):rep(2, ","), "xx,x")
end)
tap.done()
