-- SPDX-License-Identifier: GPL-3.0-or-later
-- The text of recipes: every number is preserved, in any locale.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails
local read, write = setup.read, setup.write

local scratch = os.tmpname()
os.remove(scratch)
local function place(name) return scratch .. "/" .. name end

local function small(more) return trainer(setup.settings({ epochs = 8 }, more)) end

local recipe = require "barlow.recipe"

-- v after it was written to a recipe and read.
local function there_and_back(v)
	return assert(load("return " .. recipe.text(v), "=recipe", "t", {}))()
end

test("a run states the statistics by which it normalises, and a resumed or forked run uses them", function()
	local first, second = data.shapes{ n = 300, size = 8, channels = 1, seed = 2 }:split(.4)
	for _, set in ipairs{ first, second, first:subset(1, 64) } do
		local t = small{ data = set, steps = 2, folder = place "statistics" }
		t:run{ quiet = true }
		local text, mean = read(place "statistics/recipe.lua"), set:statistics()[1]
		for _, part in ipairs{ ":split(0.4, 0)", "set_statistics({mean = {" .. recipe.text(mean) .. "}" } do
			if not text:find(part, 1, true) then error(part .. " is not in " .. text) end
		end
		local r = recipe.read(place "statistics/recipe.lua")
		local again = trainer(recipe.build(r))
		again:step(2)
		equal(again.terms.total, t.terms.total)
		equal(tostring(again.recipe.data), tostring(t.recipe.data))
		-- The stated statistics are used, not those of the images.
		write(place "other.lua", (text:gsub("set_statistics%(%{mean = %b{}", "set_statistics({mean = {0.25}")))
		again = trainer(recipe.build((recipe.read(place "other.lua"))))
		equal(again.data:statistics()[1], .25)
		again:step(2)
		equal(again.terms.total == t.terms.total, false)
		os.execute(("rm -r '%s'"):format(place "statistics"))
	end
end)

test("changing the set in a recipe measures the statistics again", function()
	local r = small().recipe
	r.data.seed = 5
	local other = data.shapes{ n = 96, size = 8, channels = 1, seed = 5 }
	equal(trainer(r).data:statistics()[1], other:statistics()[1])
	r.seed = 4 -- does not change the set
	r.data.seed = 1
	equal(tostring(trainer(r).recipe.data), tostring(small().recipe.data))
end)

test("statistics have one number per channel", function()
	local ds = data.shapes{ n = 9, size = 8, channels = 3 }
	local mean, std = ds:set_statistics{ mean = { .25, .5, .75 }, std = { 1, 2, 4 } }:statistics()
	equal(table.concat(mean, " "), "0.25 0.5 0.75")
	equal(table.concat(std, " "), "1.0 2.0 4.0")
	fails(function() ds:set_statistics{ mean = { 1, 2 }, std = { 1, 1, 1 } } end, "2 numbers in 'mean'", "3 channels")
	fails(function() ds:set_statistics{ mean = { 1, 2, 3 }, std = { 1, 0, 1 } } end, "'std'", "above 0")
	fails(function() ds:set_statistics{ mean = { 1, 2, 3 } } end, "'std' is missing")
	fails(function() ds:set_statistics{ mean = { 1, 2, 3 }, sdt = 1 } end, "did you mean 'std'?")
	fails(function() ds:set_statistics() end, "'mean' is missing")
end)

test("a set made of a tensor is identified by its content", function()
	local images, labels = tensor.rand(64, 1, 8, 8), {}
	for i = 1, 64 do labels[i] = 1 + i % 3 end
	for _, l in ipairs{ labels, false } do
		local t = small{ data = data.tensor(images, l or nil), epochs = 1, folder = place "content" }
		t:run{ quiet = true }
		equal(trainer(recipe.build((recipe.read(place "content/recipe.lua")))).data:statistics()[1], t.data:statistics()[1])
		tensor.rand(64, 1, 8, 8):save(place "content/tensor.npy")
		fails(function() trainer(recipe.build((recipe.read(place "content/recipe.lua")))) end, "not the images", "64, 1, 8, 8")
		os.execute(("rm -r '%s'"):format(place "content"))
	end
	local content = data.tensor(images, labels)
	local r = small{ data = content }.recipe
	r.data[2][5] = r.data[2][5] % 3 + 1
	fails(function() trainer(r) end, "not the images", "labels")
	fails(function() data.tensor(images, nil, "v1 nonsense") end, "they were v1 nonsense")
	data.tensor(images) -- as in older recipes
end)

test("numbers are read back with value and type", function()
	for _, v in ipairs{ 1, 2.0, -0.0, 1.5, .1 + .2, 1 / 3, 1e-300, 2^53, -2.0^63, 1e22, math.maxinteger, math.mininteger,
		math.huge, -math.huge } do
		local back = there_and_back{ v }[1]
		equal(math.type(back), math.type(v), tostring(v))
		equal(back, v)
	end
	equal(1 / there_and_back{ -0.0 }[1], -math.huge)
	local nan = there_and_back{ 0 / 0 }[1]
	equal(nan ~= nan, true)
	equal(recipe.text{ 1.5, 1e-5, 2, 2.0 }, "{1.5, 1e-05, 2, 2.0}")
end)

test("tables keep their keys and their gaps", function()
	local back = there_and_back{ 1, nil, 3, ["end"] = 4, ["a b"] = 5, ["\n"] = 6, [2.5] = 7, [-1] = 8, [true] = 9, x = 10 }
	equal(back[1], 1)
	equal(back[2], nil)
	equal(back[3], 3)
	equal(back["end"], 4)
	equal(back["a b"], 5)
	equal(back["\n"], 6)
	equal(back[2.5], 7)
	equal(back[-1], 8)
	equal(back[true], 9)
	equal(back.x, 10)
end)

test("an omitted argument stays omitted", function()
	equal(recipe.text(setmetatable({ 1, nil, 3 }, { call = "f", n = 4, results = 1 })), "f(1, nil, 3, nil)")
end)

test("a locale with a decimal comma", function()
	local before = os.setlocale(nil, "numeric")
	if not (os.setlocale("de_DE.UTF-8", "numeric") or os.setlocale("fr_FR.UTF-8", "numeric")) then
		print "# skipped: no locale with a decimal comma is installed"
		return
	end
	local function with_comma()
		equal(("%.1f"):format(1.5), "1,5")
		local t = small{ epochs = 1.5, loss = loss.barlow{ lambda = .013 }, folder = place "comma" }
		t:step(2)
		t:set{ lambda = .25 }
		t:step(1)
		equal(t.message, "step 2: lambda 0.013 -> 0.25")
		t:checkpoint(place "checkpoint")
		t:start():wait()
		return t
	end
	os.execute("mkdir " .. scratch)
	local fine, t = pcall(with_comma)
	os.setlocale(before, "numeric")
	if not fine then error(t, 0) end
	local text = read(place "comma/recipe.lua")
	equal(text:find("epochs = 1.5,", 1, true) ~= nil, true, text)
	equal(text:find("lambda = 0.013,", 1, true) ~= nil, true, text)
	equal(read(place "checkpoint"):find('"set":"lambda=0.25"', 1, true) ~= nil, true)
	equal(small{ epochs = 1.5, folder = false }:load_checkpoint(place "checkpoint").iteration, 3)
end)

os.execute("rm -r " .. scratch)
tap.done()
