-- SPDX-License-Identifier: GPL-3.0-or-later
-- Entries of statements that are followed by an expression: where the prompt splits them.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local prompt = require "barlow.prompt"

tap.test("statements and the expression behind them", function()
	for input, tail in pairs{
		["x = 1; x"] = " x",
		["x = 1\nx + 1"] = "x + 1",
		["x = 1; y = 2; x .. ';' .. y"] = " x .. ';' .. y",
		["x = 1; f(function() local a = 1; return a; end)"] = " f(function() local a = 1; return a; end)",
		["x = ';'; [[a;\nb;]]"] = " [[a;\nb;]]",
		["for i = 1, 2 do x = i; end; x -- the last; one"] = " x -- the last; one",
		["x = 1; x, y"] = " x, y",
	} do
		local whole, head, rest = prompt.split(input)
		tap.equal(rest, tail, input)
		tap.equal(head .. rest, input)
		tap.equal(whole, head .. "return " .. rest)
	end
end)

tap.test("other entries are not split", function()
	for _, input in ipairs{ "x = 1", "x", "x = 1; y = 2", "for i = 1, 2 do f(i); end", "x = 1; if", "'a;b'", "f(';')" } do
		tap.equal(prompt.split(input), nil, input)
	end
end)

tap.test("the last 50 separators are tried", function()
	tap.equal(select(3, prompt.split("x = 1; '" .. (";"):rep(49) .. "'")), " '" .. (";"):rep(49) .. "'")
	tap.equal(prompt.split("x = 1; '" .. (";"):rep(50) .. "'"), nil)
end)

tap.done()
