-- SPDX-License-Identifier: GPL-3.0-or-later
-- Examples that take minutes, run with tiny settings: they end with status 0 and print what they announce.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal = tap.test, tap.equal

local program = os.getenv "BARLOW" or "./barlow"

local function output(command)
	local pipe = assert(io.popen(("%s %sexamples/%s 2>&1"):format(program, tap.root, command)))
	local text = pipe:read "a"
	local fine, _, code = pipe:close()
	return text, fine and 0 or code
end

local function has(text, ...)
	for _, word in ipairs{ ... } do
		if not text:find(word) then error(("no '%s' in\n%s"):format(word, text), 2) end
	end
end

test("augmentations.lua compares an augmentation with the default, and prints the interval", function()
	local text, code = output "augmentations.lua --images 96 --steps 3 --seeds 2 --test 64 --data /nowhere"
	equal(code, 0, text)
	has(text, "generated shapes", "seed 1: default 0%.%d+, with one's own 0%.%d+, difference [+-]0%.%d+", "seed 2:",
		"95%% interval of the paired differences [+-]%d%.%d+ to [+-]%d%.%d+")
end)

test("removal.lua removes augmentations one after the other, and saves a figure", function()
	local figure = os.tmpname()
	os.rename(figure, figure .. ".svg")
	local text, code = output("removal.lua --images 64 --steps 2 --seeds 2 --test 32 --data /nowhere --out " .. figure .. ".svg")
	equal(code, 0, text)
	has(text, "generated shapes", "all +0%.%d+", "%- jitter +0%.%d+", "%- blur", "%- solarize", "%- flip", "saved")
	local file = assert(io.open(figure .. ".svg"))
	has(file:read "a", "<svg", "solarize", "2 steps on 64 images")
	file:close()
	os.remove(figure .. ".svg")
end)

test("figures.lua makes a figure of each kind", function()
	if not os.execute "command -v gnuplot >/dev/null" then return end
	local folder = os.tmpname()
	os.remove(folder)
	local text, code = output("figures.lua " .. folder .. " 1")
	equal(code, 0, text)
	for _, kind in ipairs{ "curves", "heatmap", "spectrum", "embedding", "sweep", "compare", "lines" } do
		local file = assert(io.open(folder .. "/" .. kind .. ".svg"))
		has(file:read "a", "<svg", '<metadata id="barlow%-figure">', '"figure":"' .. kind .. '"')
		file:close()
	end
	os.execute("rm -r " .. folder)
end)

test("invalid options are refused", function()
	for _, command in ipairs{ "augmentations.lua --steps x", "augmentations.lua --stps 3", "removal.lua --seeds 0" } do
		local text, code = output(command)
		equal(code ~= 0, true, command)
		if not (text:find "whole number" or text:find "unknown option") then error(text) end
	end
end)

tap.done()
