-- SPDX-License-Identifier: GPL-3.0-or-later
-- Sweeps as data: paths, axes, samplers, trials and their recipes, refusals; and results as stored in files.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local native = require "barlow.native"
local results = require "barlow.results"
local sampler = require "barlow.sampler"
local space = require "barlow.space"
local declared = require "barlow.sweep"
local test, equal, near, fails = tap.test, tap.equal, tap.near, tap.fails

local scratch = os.tmpname()
os.remove(scratch)
local number = 0
local function folder()
	number = number + 1
	return ("%s/%d"):format(scratch, number)
end

local function base(more)
	local b = { data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
		projector = { 8 }, batch = 16, epochs = 1 }
	for k, v in pairs(more or {}) do b[k] = v end
	return b
end

local function make(more)
	local d = { base = base(), space = { ["loss.lambda"] = { .005, .01 } }, seeds = 2, folder = folder() }
	for k, v in pairs(more or {}) do d[k] = v end
	return sweep(d)
end

local function numbers(list)
	local out = {}
	for i, v in ipairs(list) do out[i] = ("%.6g"):format(v) end
	return table.concat(out, " ")
end

test("geomspace and linspace include both ends", function()
	equal(numbers(geomspace(1e-4, 1e-1, 4)), "0.0001 0.001 0.01 0.1")
	equal(numbers(linspace(0, 1, 5)), "0 0.25 0.5 0.75 1")
	equal(geomspace(3e-5, 7e-2, 9)[9], 7e-2)
	fails(function() geomspace(0, 1, 3) end, "geomspace", "neither of them 0")
	fails(function() linspace(0, 1, 1) end, "linspace", "from 2 to")
end)

test("axes have the stated values", function()
	local whole, seen = sweep.integer(2, 5), {}
	for i = 0, 99 do seen[space.value(whole, i / 100)] = true end
	for v = 2, 5 do equal(seen[v], true, v) end
	equal(seen[6], nil)
	near(space.value(sweep.loguniform(1e-4, 1), .5), 1e-2, 1e-9)
	near(space.value(sweep.uniform(-1, 3), .25), 0, 1e-12)
	equal(space.value({ "a", "b", "c" }, .999999), "c")
	fails(function() sweep.loguniform(0, 1) end, "sweep.loguniform", "above 0")
	fails(function() sweep.integer(1.5, 3) end, "sweep.integer", "whole")
	fails(function() sweep.uniform(2, 1) end, "sweep.uniform", "lower one first")
end)

local views = aug.views{ aug.compose{ aug.crop(8), aug.blur{ p = .5 }, aug.flip(.5), aug.blur{ p = .25 } },
	aug.compose{ aug.crop(8), aug.blur{ p = .125 } } }

test("paths select settings: by name in all views, by number in one", function()
	local s = make{ base = base{ views = views }, space = { ["views.blur.p"] = { .75 }, ["views[2].blur[1].sigma"] = { 1.5 },
		["views[1].blur[2].p"] = { .875 }, ["projector"] = { { 16, 16 } }, ["optim.lr"] = { .5 } }, baseline = false }
	local r = declared.recipe(s, 1)
	local text = tostring(r.views)
	local blurs = {}
	for p in text:gmatch "aug.blur{[^}]-p = ([%d.]+)" do blurs[#blurs + 1] = p end
	equal(table.concat(blurs, " "), "0.75 0.875 0.75") -- paths are applied in the order of their names: all views, then one
	equal(select(2, text:gsub("sigma = 1.5", "")), 1)
	equal(r.optim.lr, .5)
	equal(r.projector[2], 16)
end)

test("a path that does not exist is refused with the nearest name", function()
	fails(function() make{ space = { ["loss.lamda"] = { 1 } } } end, "loss.lamda", "did you mean 'lambda'?")
	fails(function() make{ space = { batchsize = { 1 } } } end, "'batchsize'", "the recipe has no", "batch")
	fails(function() make{ base = base{ views = views }, space = { ["views.blurr.p"] = { 1 } } } end, "did you mean 'blur'?")
	fails(function() make{ base = base{ views = views }, space = { ["views[3].blur.p"] = { 1 } } } end, "views", "'3'")
	fails(function() make{ base = base{ views = views }, space = { ["views.blur"] = { 1 } } } end, "as a whole", "views.blur.")
	fails(function() make{ space = { ["loss..lambda"] = { 1 } } } end, "is not a path")
	fails(function() make{ space = { seed = { 1 } } } end, "seeds = n")
end)

test("values are checked before training, and named", function()
	fails(function() make{ space = { batch = { 16, 100000 } } } end, "space: batch = 100000")
	fails(function() make{ space = { ["loss.lambda"] = { .01, "much" } } } end, "loss.lambda = \"much\"")
	fails(function() make{ space = { ["loss.lambda"] = {} } } end, "empty list")
	fails(function() make{ space = {} } end, "'space' is empty")
	fails(function() make{ metric = "accuracy" } end, "metric must be", "accuracy")
	fails(function() make{ sampler = "gird" } end, "did you mean 'grid'?")
	fails(function() make{ sampler = "grid", space = { ["loss.lambda"] = sweep.uniform(0, 1) } } end, "a grid needs a list of values for every path")
	fails(function() make{ seeds = 0 } end, "seeds")
	fails(function() make{ seeds = { 1, 1 } } end, "twice")
	fails(function() make{ validation = 1.5 } end, "validation")
	fails(function() make{ bogets = 1 } end, "unknown key 'bogets'", "budget")
	fails(function() make{ trials = 6 } end, "unknown key 'trials': the greatest number of trials is budget = {trials = 6}")
end)

test("a grid has all points, each seed for all arms before the next; the base is one of them if it is in the grid", function()
	local s = make{ space = { ["loss.lambda"] = { .001, .0051 }, batch = { 8, 16, 32 } }, seeds = { 5, 9 } }
	equal(s.arms, 6)
	equal(s.trials, 12)
	equal(s.reference, 4) -- batch 16, lambda .0051
	local function in_common(sweep) return require "barlow.results".table_text(sweep):match "weights and draws([^\n]*)" end
	equal(in_common(s), ", except for the order of images.")
	equal(in_common(make{ space = { ["loss.lambda"] = { .001, .0051 } } }), ".")
	local seen = {}
	for k = 1, 12 do
		local r = declared.recipe(s, k)
		equal(r.seed, k <= 6 and 5 or 9)
		seen[("%d %g %d"):format(r.batch, r.loss.lambda, r.seed)] = true
	end
	local n = 0
	for _ in pairs(seen) do n = n + 1 end
	equal(n, 12)
end)

test("a base that is not in the grid is an additional arm, the first; without baseline there is none", function()
	local s = make()
	equal(s.arms, 3)
	equal(next(declared.values(s, 1)), nil)
	equal(declared.recipe(s, 1).loss.lambda, .0051)
	equal(make{ baseline = false }.arms, 2)
end)

test("the metric is measured on held-out images, the same in every trial", function()
	local s = make{ base = base{ data = data.shapes{ n = 100, size = 8, channels = 1 } }, validation = .2 }
	local a, b = declared.recipe(s, 1), declared.recipe(s, 4)
	equal(tostring(a.knn.queries), tostring(b.knn.queries))
	local t = trainer(a)
	equal(#t.data + #t.knn.queries, 100)
	near(#t.knn.queries, 20, 2) -- a fifth of each class
	local own = make{ base = base{ knn = { refs = data.shapes{ n = 30, size = 8, channels = 1 }, queries = data.shapes{ n = 9, size = 8,
		channels = 1 } } } }
	equal(#trainer(declared.recipe(own, 1)).knn.queries, 9)
	equal(#trainer(declared.recipe(own, 1)).data, 64)
	fails(function() make{ validation = false } end, "knn needs labelled images")
end)

test("random and halton depend on the seed and the arm; halton is evenly distributed", function()
	local s = { seed = 3, paths = { "a", "b" }, space = { a = sweep.uniform(0, 1), b = sweep.uniform(0, 1) } }
	for _, kind in ipairs{ "random", "halton" } do
		equal(numbers(sampler.kinds[kind](7, s)), numbers(sampler.kinds[kind](7, s)), kind)
	end
	equal(numbers(sampler.kinds.random(7, s)) ~= numbers(sampler.kinds.random(8, s)), true)
	local cells = {}
	for arm = 1, 36 do
		local u = sampler.kinds.halton(arm, s)
		cells[("%d %d"):format(u[1] * 4 // 1, u[2] * 9 // 1)] = true
	end
	local n = 0
	for _ in pairs(cells) do n = n + 1 end
	equal(n >= 28, true, "cells of 4 x 9 that 36 points reach: " .. n) -- random points reach 23 on average
end)

test("tpe finds the best part of the space, and the best of a list", function()
	local s = { seed = 1, paths = { "c", "x" }, space = { c = { "p", "q", "r" }, x = sweep.uniform(0, 1) } }
	local known = {}
	for arm = 1, 60 do
		local u = sampler.kinds.tpe(arm, s, known)
		local c = space.value(s.space.c, u[1])
		known[#known + 1] = { arm = arm, u = u, value = -(u[2] - .3) ^ 2 - (c == "q" and 0 or .1) }
	end
	table.sort(known, function(a, b) return a.arm < b.arm end)
	local close, right = 0, 0
	for i = 41, 60 do
		if math.abs(known[i].u[2] - .3) < .15 then close = close + 1 end
		if space.value(s.space.c, known[i].u[1]) == "q" then right = right + 1 end
	end
	equal(close >= 14 and right >= 14, true, ("of the last 20, %d near and %d of the best kind"):format(close, right)) -- by chance 6
end)

test("the algorithms of all convolutions are fixed in the declaration, including those of the arms", function()
	local s = make{ space = { ["encoder.widths"] = { { 4 }, { 6 } } } }
	local text = native.read_file(s.folder .. "/sweep.lua")
	for _, width in ipairs{ 4, 6 } do
		equal(text:find(("1x8x8-%d:3x3s1p1"):format(width), 1, true) ~= nil, true, "channels " .. width)
	end
	trainer(declared.recipe(s, 2))
end)

test("trial = function makes whole recipes from the point, in a state that can only construct", function()
	local size = 8
	local s = sweep{ space = { width = { 4, 6 }, lambda = { .01 } }, seeds = 1, folder = folder(), trial = function(p)
		return { data = data.shapes{ n = 64, size = size, channels = 1 }, encoder = nn.cnn{ widths = { p.width }, image = size },
			projector = { 8 }, batch = 16, epochs = 1, loss = loss.barlow{ lambda = p.lambda } }
	end }
	equal(s.trials, 2)
	equal(declared.recipe(s, 2).encoder.widths[1], 6)
	fails(function()
		sweep{ space = { a = { 1 } }, seeds = 1, folder = folder(), trial = function() return os.execute "true" end }
	end, "os")
end)

test("the same declaration is continued in its folder, and another one is refused there; an opened sweep is the same", function()
	local place = folder()
	local a = make{ folder = place }
	equal(make{ folder = place }.folder, place)
	fails(function() make{ folder = place, seeds = 3 } end, "holds another sweep")
	local b = sweep.open(place)
	equal(b.trials, a.trials)
	for k = 1, a.trials do equal(tostring(declared.recipe(b, k)), tostring(declared.recipe(a, k))) end
	fails(function() sweep.open(scratch .. "/none") end, "there is no sweep")
end)

test("seeds and arms are appended, and are there when the sweep is opened again", function()
	local s = make{ seeds = { 3, 7 } }
	local before = tostring(declared.recipe(s, 4))
	s:add{ seeds = 2 }
	equal(s.trials, 12)
	equal(tostring(declared.recipe(s, 4)), before)
	equal(declared.recipe(s, 7).seed, 8)
	equal(declared.recipe(s, 12).seed, 9)
	local again = sweep.open(s.folder)
	equal(again.trials, 12)
	equal(tostring(declared.recipe(again, 11)), tostring(declared.recipe(s, 11)))
	fails(function() s:add{ seeds = { 7 } } end, "the sweep has the seed 7 already")
	fails(function() s:add{ arms = 2 } end, "a grid has no further arms")
	fails(function() make{ sampler = "random" }:add{ values = { ["loss.lambda"] = { 1 } } } end, "sampler is random")
	fails(function() s:add{} end, "add takes")
	local r = make{ sampler = "random", space = { ["loss.lambda"] = sweep.loguniform(1e-3, 1e-1) }, seeds = 2, budget = { trials = 8 } }
	local value = declared.values(r, 4)["loss.lambda"]
	equal(r.arms, 4)
	r:add{ arms = 3 }
	equal(r.arms, 7)
	equal(r.trials, 14)
	equal(declared.values(r, 4)["loss.lambda"], value)
	local arm, seed = declared.arm_of(r, 14)
	equal(("%d %d"):format(arm, seed), "7 2")
	native.append_line(r.folder .. "/added.jsonl", "{\"arms\": 1e9}")
	native.append_line(r.folder .. "/added.jsonl", "garbage")
	equal(sweep.open(r.folder).trials, 14)
end)

test("values are added to a grid as new arms with all seeds; existing trials are unchanged", function()
	local s = make{ space = { ["loss.lambda"] = { .001, .0051 }, batch = { 8, 16 } }, seeds = 2 }
	local before = {}
	for k = 1, 8 do before[k] = tostring(declared.recipe(s, k)) end
	s:add{ values = { ["loss.lambda"] = { .02, .03 } } }
	s:add{ seeds = 1 }
	s:add{ values = { batch = { 32 } } }
	equal(s.arms, 4 + 4 + 4)
	equal(s.trials, 12 * 3)
	for k = 1, 8 do equal(tostring(declared.recipe(s, k)), before[k]) end
	local again, seen, n = sweep.open(s.folder), {}, 0
	for k = 1, s.trials do
		local r = declared.recipe(again, k)
		equal(tostring(r), tostring(declared.recipe(s, k)))
		local point = ("%g %d %d"):format(r.loss.lambda, r.batch, r.seed)
		n, seen[point] = n + (seen[point] and 0 or 1), true
	end
	equal(n, 36)
	equal(seen["0.03 32 2"], true)
	fails(function() s:add{ values = { ["loss.lambda"] = { .04, .02 } } } end, "loss.lambda has the value 0.02 already")
	fails(function() s:add{ values = { ["loss.lamda"] = { .04 } } } end, "is not an axis", "did you mean 'loss.lambda'?")
	fails(function() s:add{ values = { batch = { 100000 } } } end, "add: batch = 100000")
	fails(function() s:add{ values = { batch = 64 } } end, "batch: expected a list")
	fails(function() s:add{ values = { batch = { 64 } }, seeds = 1 } end, "add takes one of")
	equal(s.trials, 36)
	native.write_file(s.folder .. "/added/0001.lua", "return {path = \"folder\", values = {1}}")
	fails(function() sweep.open(s.folder) end, "added/0001.lua", "not values of an axis")
end)

test("added values include the algorithms of their shapes, and may be constructed objects", function()
	local s = make{ space = { encoder = { nn.cnn{ widths = { 4 }, image = 8 }, nn.cnn{ widths = { 6 }, image = 8 } } }, seeds = 1 }
	s:add{ values = { encoder = { nn.cnn{ widths = { 10 }, image = 8 } } } }
	local again = sweep.open(s.folder)
	equal(again.trials, 3)
	equal(again.base.convolution["1x8x8-10:3x3s1p1"] ~= nil, true)
	equal(declared.recipe(again, 3).encoder.widths[1], 10)
	local made = sweep{ space = { width = { 4 } }, seeds = 2, folder = folder(), trial = function(p)
		return { data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { p.width }, image = 8 },
			projector = { 8 }, batch = 16, epochs = 1 }
	end }
	made:add{ values = { width = { 6 } } }
	equal(declared.recipe(made, 4).encoder.widths[1], 6)
	fails(function() made:add{ values = { width = { -1 } } } end, "add: width = -1")
end)

-- A result as a worker writes it.
local function put(s, k, value, more)
	native.trial_claim(s.folder, k, 1)
	local r = { trial = k, attempt = 1, state = "complete", value = value, seconds = 2 }
	for name, v in pairs(more or {}) do r[name] = v end
	native.trial_finish(s.folder, k, 1, native.json_text(r))
end

test("sweep.list has all sweeps that have no folder of their own, and the errors of those that cannot be read", function()
	local s = sweep{ base = base(), space = { ["loss.lambda"] = { .005, .01 } }, seeds = 2, name = "listed" }
	put(s, 1, .25)
	put(s, 2, .5)
	native.make_folder(declared.root() .. "/spoilt")
	local mine, spoilt
	for _, e in ipairs(sweep.list()) do
		if e.folder == s.folder then mine = e end
		if e.name == "spoilt" then spoilt = e end
	end
	equal(("%d %d %g"):format(mine.complete, mine.trials, mine.best), "2 6 0.5")
	equal(sweep.open(mine).folder, s.folder)
	equal(spoilt.problem:find("spoilt", 1, true) ~= nil, true)
	equal(tostring(sweep.list()):find("spoilt", 1, true) ~= nil, true)
	fails(function() sweep.open{} end, "string expected")
	os.execute(("rm -rf '%s' '%s'"):format(s.folder, spoilt.folder))
end)

test("arms are compared with the base by pairs of the same seed, all by Holm's correction", function()
	local s = make{ space = { ["loss.lambda"] = { .001, .0051, .02 } }, seeds = 3 }
	local values = { { .50, .70, .60 }, { .51, .70, .61 }, { .61, .79, .70 } } -- by arm: the second is the base
	for k = 1, 9 do
		local arm, seed = declared.arm_of(s, k)
		put(s, k, values[arm][seed])
	end
	local arms = results.arms(s)
	equal(arms[1].arm, 3)
	near(arms[1].difference.mean, .28 / 3, 1e-12)
	equal(arms[1].verdict, "better") -- although both arms' intervals overlap
	equal(arms[1].low < arms[2].high, true)
	equal(arms[2].verdict, "the base")
	equal(arms[3].verdict, "not distinguishable")
	local one = native.interval({ .1, .09, .09 }, .95).p
	near(arms[1].p, 2 * one, 1e-12) -- of two arms
	equal(tostring(s:table()):find("not distinguishable", 1, true) ~= nil, true)
	local b = s:best()
	equal(b.arm, 3)
	equal(b.params["loss.lambda"], .02)
	equal(b.recipe.loss.lambda, .02)
end)

test("the table is exported with all digits for programs, and as it is shown for papers", function()
	local s = make{ space = { ["loss.lambda"] = { .01, .02 }, projector = { { 8 }, { 16 } } }, base = base{ loss = loss.barlow{ lambda = .01 } },
		seeds = 2, baseline = true }
	for k, value in ipairs{ .5, .25, .5, .25, 1 / 3, .25 } do put(s, k, value, { seconds = 2 }) end
	local lines = {}
	for line in s:export():gmatch "[^\n]+" do lines[#lines + 1] = line end
	equal(lines[1], "loss.lambda,projector,knn,n,low,high,seconds,difference,difference_low,difference_high,p,verdict")
	equal(#lines, 1 + s.arms)
	local rows = native.json_read(s:export{ format = "json" })
	local arms = s:table()
	for i, a in ipairs(arms) do
		equal(rows[i].knn, a.mean)
		local function finite(v) return v == v and v or nil end -- one value has no interval
		equal(rows[i].low, finite(a.low))
		equal(rows[i].p, finite(a.p))
		equal(rows[i]["loss.lambda"], a.params["loss.lambda"] or .01)
		equal(rows[i].difference_high, finite(a.difference and a.difference.high))
	end
	local tex = s:export{ format = "latex" }
	equal(tex:match "^[^\n]*", "\\begin{tabular}{rlrrlrrlrl}")
	equal(tex:find("lambda & projector & knn & n & 95\\% interval & s/trial & against base & interval & p (Holm) & verdict \\\\", 1, true) ~= nil, true)
	equal(tex:find("\\{16\\}", 1, true) ~= nil, true)
	equal(tex:find "& %$[-+]%$%d%.%d%d%d%d &" ~= nil, true)
	equal(s:export{ format = "markdown" }:match "\n([^\n]*)", "| ---: | --- | ---: | ---: | --- | ---: | ---: | --- | ---: | --- |")
	local path = os.tmpname()
	equal(s:export{ path = path }, path)
	equal(native.read_file(path), s:export() .. "\n")
	os.remove(path)
	fails(function() s:export{ format = "word" } end, "no format 'word'", "latex")
end)

test("the Pareto front has the arms that no other beats in both the metric and the seconds", function()
	local s = make{ space = { ["loss.lambda"] = { .001, .002, .003, .004, .005 } }, seeds = 1, baseline = false }
	local values, seconds = { .5, .7, .6, .7, .4 }, { 2, 6, 8, 6, 2 }
	for k = 1, 5 do put(s, k, values[k], { seconds = seconds[k] }) end
	local front = {}
	for i, a in ipairs(s:pareto()) do front[i] = a.arm end
	table.sort(front)
	equal(table.concat(front, " "), "1 2 4") -- 2 and 4 are equal; 3 is beaten by 2, 5 by 1
	equal(tostring(s:pareto()):match "^%s*lambda", "lambda")
end)

test("failed trials are reported and do not count; a result without a metric is a failed trial", function()
	local s = make{ seeds = 1 }
	put(s, 1, .5)
	put(s, 2, nil, { state = "failed", reason = "no luck\27[2J" })
	put(s, 3, 0 / 0)
	local c = results.counts(s)
	equal(c.complete, 1)
	equal(c.failed, 2)
	equal(s:list()[2].reason:find "\27", nil)
	equal(s:table()[1].n, 1)
end)

test("results and declarations with invalid content are refused or skipped", function()
	local s = make{ seeds = 1 }
	native.trial_claim(s.folder, 1, 1)
	native.trial_finish(s.folder, 1, 1, "[1, 2")
	equal(results.of(s, 1), nil)
	fails(function() native.trial_finish(s.folder, 2, 1, "x") end, "trials/0002/attempt-1")
	for _, text in ipairs{ "return 1", "return {}", "return {space = {}, seeds = {1}}", "error 'no'", "return {arms = 1, trials = 1e9}" } do
		local place = folder()
		native.make_folder(place)
		native.write_file(place .. "/sweep.lua", text)
		fails(function() sweep.open(place) end, "sweep.lua")
	end
end)

test("an arm with a narrow interval needs no further seed", function()
	local pruner = require "barlow.pruner"
	local s = make{ seeds = 4, stop = { interval = .1 }, baseline = false }
	for k = 1, 4 do put(s, k, k % 2 == 1 and .5 + k * 1e-4 or k * .2) end
	equal(pruner.decided(s, 5), true)
	equal(pruner.decided(s, 6), false)
end)

test("with a base, the interval of the paired difference is decisive; the base is given seeds while other arms are", function()
	local pruner = require "barlow.pruner"
	local s = make{ space = { ["loss.lambda"] = { .0051, .01, .02 } }, seeds = 4, stop = { interval = .1 } }
	equal(s.reference, 1)
	equal(pruner.decided(s, 4), false)
	for k, v in ipairs{ .2, .3, .4, .8, .9, .8 } do put(s, k, v) end -- of seeds that differ by .6; differences of .1, and of .2 and 0
	equal(pruner.decided(s, 8), true)
	equal(pruner.decided(s, 9), false)
	equal(pruner.decided(s, 7), false, "the base, while an arm needs it")
	for k, v in pairs{ [7] = .5, [9] = .6, [10] = .2, [12] = .3 } do put(s, k, v) end
	equal(pruner.decided(s, 12), false)
	local text = native.read_file(s.folder .. "/sweep.lua")
	equal(text:find('narrow_of = "difference"', 1, true) ~= nil, true)
	native.write_file(s.folder .. "/sweep.lua", (text:gsub('narrow_of = "difference",', "")))
	local before = sweep.open(s.folder)
	equal(pruner.decided(before, 8), false, "a declaration of before: the arm's own interval")
	local narrow = make{ space = { ["loss.lambda"] = { .0051, .01, .02 } }, seeds = 4, stop = { interval = .1 } }
	for k, v in ipairs{ .2, .3, .4, .8, .9, 1 } do put(narrow, k, v) end
	equal(pruner.decided(narrow, 7), true, "the base, when no arm needs it")
	equal(make{ stop = { interval = .1, of = "arm" } }.narrow_of, "arm")
	fails(function() make{ stop = { interval = .1, of = "arms" } } end, "stop.of must be", "did you mean 'arm'?")
	fails(function() make{ stop = { interval = .1, of = "difference" }, baseline = false } end, "needs a base that is an arm")
end)

-- A trial of a worker on another host, with this value of its counter.
local function elsewhere(s, k, beat)
	native.make_folder(native.trial_path(s.folder, k, 1))
	native.write_file(native.trial_path(s.folder, k, 1) .. "/worker", ("elsewhere boot 1 2 %d\n"):format(beat))
end

test("a worker of another host counts as dead when its counter has not changed for two minutes of the local clock", function()
	local worker = require "barlow.worker"
	local s = make{ space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total" }
	local now, sleep, said = native.now, native.sleep, io.write
	local clock, last, beat, claimed = 5000, nil, 0, nil
	elsewhere(s, 1, beat)
	native.now = function() return clock end
	native.sleep = function(seconds) -- simulates an hour in which it increases its counter every other minute, and then an hour without
		clock = clock + seconds
		if clock < 8600 and clock // 110 ~= (clock - seconds) // 110 then
			beat, last = beat + 1, clock
			elsewhere(s, 1, beat)
		end
	end
	local trial_claim = native.trial_claim
	native.trial_claim = function(...)
		claimed = claimed or clock
		return trial_claim(...)
	end
	io.write = function() return io.stdout end
	local fine, why = pcall(worker.run, s, {})
	native.now, native.sleep, io.write, native.trial_claim = now, sleep, said, trial_claim
	if not fine then error(why, 0) end
	equal(claimed - last > 120 and claimed - last < 124, true, ("claimed %g s after the last turn"):format(claimed - last))
	equal(results.of(s, 1).state, "complete")
	equal(results.of(s, 1).attempt, 2)
end)

-- Runs a worker as a separate process, changed by `code`; returns its output.
local function worker_process(s, code)
	local path = scratch .. "/worker.lua"
	native.write_file(path, "local native = require 'barlow.native'\nlocal pid = native.whoami().pid\n" .. code
		.. ("\nrequire 'barlow.worker'.run(sweep.open(%q), {})"):format(s.folder))
	local pipe = io.popen(("%s %s </dev/null 2>&1; echo status $?"):format(os.getenv "BARLOW" or "barlow", path))
	local said = pipe:read "a"
	pipe:close()
	return said
end

local STOPPED = [[
local claim = native.trial_claim
native.trial_claim = function(...)
	local got = claim(...)
	io.popen("kill -SIGNAL " .. pid):close() -- os.execute would have this process ignore SIGINT
	while not native.interrupted() do end
	WAIT
	return got
end]]

test("a worker that is told to end just after it has begun a trial uses up none of the trial's retries", function()
	local s = make{ space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total", retries = 2 }
	for i, signal in ipairs{ "TERM", "HUP", "TERM", "INT" } do
		local said = worker_process(s, STOPPED:gsub("SIGNAL", signal):gsub("WAIT", signal ~= "INT" and "while true do end" or ""))
		equal(native.exists(native.trial_path(s.folder, 1, i) .. "/stopped"), true, said)
		equal(results.of(s, 1), nil, said) -- in particular not "failed: interrupted"
	end
	local said = worker_process(s, "")
	equal(results.of(s, 1) and results.of(s, 1).state, "complete", said)
	equal(results.of(s, 1).attempt, 5)
end)

-- The error of Ctrl-C is met again at the next instruction, mostly; where C code raised it, the trial may be the first to see it.
test("an interrupt within a trial is not its result", function()
	local s = make{ space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total" }
	local beat, interrupted, sleep, said = native.trial_beat, native.interrupted, native.sleep, io.write
	native.trial_beat = function() error("interrupted", 0) end
	native.interrupted = function() return true end
	native.sleep = function() error("it would look for another trial", 0) end
	io.write = function() return io.stdout end
	local fine, why = pcall(require "barlow.worker".run, s, {})
	native.trial_beat, native.interrupted, native.sleep, io.write = beat, interrupted, sleep, said
	equal(fine, false)
	equal(why, "it would look for another trial")
	equal(results.of(s, 1), nil) -- above all not "failed: interrupted"
	equal(native.exists(native.trial_path(s.folder, 1, 1) .. "/stopped"), true)
end)

-- A worker that stops itself, as by SIGSTOP, in its first trial's first look: the pipe of its output, and its number.
local function stopped_worker(s)
	local number = scratch .. "/number"
	os.remove(number)
	native.write_file(scratch .. "/worker.lua", ([[
		local native = require "barlow.native"
		local beat, pid = native.trial_beat, native.whoami().pid
		native.trial_beat = function(...)
			native.trial_beat = beat
			native.write_file(%q, tostring(pid))
			io.popen("kill -STOP " .. pid):close()
			return beat(...)
		end
		require "barlow.worker".run(sweep.open(%q), {})]]):format(number, s.folder))
	local pipe = io.popen(("%s %s/worker.lua </dev/null 2>&1; echo status $?"):format(os.getenv "BARLOW" or "barlow", scratch))
	local function wait_until(condition)
		for _ = 1, 3000 do
			if condition() then return end
			native.sleep(.02)
		end
		error("the worker did not stop itself: " .. pipe:read "a", 0)
	end
	local pid
	wait_until(function()
		pid = native.exists(number) and native.read_file(number):match "%d+"
		return pid
	end)
	wait_until(function()
		local f = io.open(("/proc/%s/stat"):format(pid))
		local state = f and f:read("a"):match "%) (%a) "
		if f then f:close() end
		return state == "T"
	end)
	return pipe, pid
end

-- Lets the stopped worker go on; returns what it has said when it has ended.
local function continued(pipe, pid)
	os.execute("kill -CONT " .. pid)
	local said = pipe:read "a"
	pipe:close()
	return said
end

-- worker.run with the clock turned by its naps; `look` changes what it sees of trials.  Returns the seconds that passed by this
-- clock and, where it failed, its error: the stopped worker has to go on first.
local function run_with_clock(s, nap, look)
	local worker = require "barlow.worker"
	local now, sleep, said, see = native.now, native.sleep, io.write, native.trial_read
	local start = now()
	local clock = start
	native.now = function() return clock end
	native.sleep = function(seconds)
		clock = clock + seconds
		nap(sleep)
	end
	native.trial_read = function(...) return look(see(...)) end
	io.write = function() return io.stdout end
	local fine, why = pcall(worker.run, s, {})
	native.now, native.sleep, io.write, native.trial_read = now, sleep, said, see
	return clock - start, not fine and why or nil
end

local function weights(s, attempt) return native.read_file(native.trial_path(s.folder, 1, attempt) .. "/weights.safetensors") end

test("a worker that was stopped for longer than its lease and goes on neither loses its trial nor counts it twice", function()
	local s = make{ base = base{ epochs = 20 }, space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total" }
	local pipe, pid = stopped_worker(s)
	local passed, why = run_with_clock(s, function() end, function(seen) -- as another host sees it
		seen.here, seen.dead = false, false
		return seen
	end)
	local result, before = results.of(s, 1), native.read_file(native.trial_path(s.folder, 1) .. "/result.json")
	local said = continued(pipe, pid)
	equal(why, nil)
	equal(passed > 119, true, ("%g s"):format(passed))
	equal(result and result.attempt, 2, said)
	equal(said:find("another attempt has finished first", 1, true) ~= nil, true, said)
	equal(said:match "status (%d+)", "0", said)
	equal(native.read_file(native.trial_path(s.folder, 1) .. "/result.json"), before)
	local arms = results.arms(s, "total")
	equal(#arms, 1)
	equal(arms[1].n, 1)
	equal(results.counts(s).over, 1)
	equal(weights(s, 1) ~= nil and weights(s, 1) == weights(s, 2), true, "the weights of both attempts")
end)

test("a worker of this host that is stopped is waited for, however long", function()
	local s = make{ space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total" }
	local pipe, pid = stopped_worker(s)
	local naps = 0
	local passed, why = run_with_clock(s, function(sleep)
		naps = naps + 1
		if naps == 4000 then os.execute("kill -CONT " .. pid) end
		if naps > 4000 then sleep(.05) end
	end, function(seen) return seen end)
	local said = continued(pipe, pid)
	equal(why, nil)
	equal(passed > 3900, true, ("%g s"):format(passed))
	equal(results.of(s, 1) and results.of(s, 1).state, "complete", said)
	equal(results.of(s, 1).attempt, 1)
	equal(native.exists(native.trial_path(s.folder, 1, 2)), false)
end)

test("a budget of time is not used up by a clock that is set", function()
	local s = make{ space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total", budget = { time = 1000 } }
	local start, poll, now, given = native.process_start, native.process_poll, native.now, nil
	native.process_start = function(_, _, environment) given = environment return 1 end
	native.process_poll = function() return 0 end
	native.now = function() return 7 end
	s:start{ jobs = 1 }
	native.process_start, native.process_poll, native.now = start, poll, now
	equal(given[2], "BARLOW_SWEEP_SECONDS=1000")
	local set = [[
		local getenv, time = os.getenv, os.time
		os.time = function(...) return time(...) + 86400 end
		os.getenv = function(name)
			return name == "BARLOW_SWEEP_DRIVER" and native.whoami().parent or name == "BARLOW_SWEEP_SECONDS" and %d or getenv(name)
		end]]
	local said = worker_process(s, set:format(0))
	equal(said:find("the sweep's time is over", 1, true) ~= nil, true, said)
	equal(results.of(s, 1), nil)
	said = worker_process(s, set:format(1000))
	equal(results.of(s, 1) and results.of(s, 1).state, "complete", said)
end)

test("deaths use up the retries, even with stops between them", function()
	local s = make{ space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total", retries = 1 }
	for _, signal in ipairs{ "KILL", "TERM", "KILL" } do
		worker_process(s, STOPPED:gsub("SIGNAL", signal):gsub("WAIT", "while true do end"))
	end
	local said = worker_process(s, "")
	equal(results.of(s, 1) and results.of(s, 1).state, "failed", said)
	equal(results.of(s, 1).reason:match "its worker died 2 times", "its worker died 2 times")
end)

test("a worker whose sweep was deleted ends, says so, and does not make the folder again", function()
	local s = make{ seeds = 3, metric = "total" }
	local said = worker_process(s, ([[
		local finish = native.trial_finish
		native.trial_finish = function(...)
			local counts = finish(...)
			os.execute("rm -rf '%s'")
			return counts
		end]]):format(s.folder))
	equal(said:find(s.folder .. ": the sweep's folder was removed", 1, true) ~= nil, true, said)
	equal(select(2, said:gsub("complete", "")), 1, said)
	equal(native.exists(s.folder), false)
end)

test("a trial that ends while the sweep is being stopped, or while it is being ended itself, is complete", function()
	for _, file in ipairs{ "/stop", "/trials/0001/end" } do
		local s = make{ base = base{ epochs = 200 }, space = { ["loss.lambda"] = { .01 } }, seeds = 1, baseline = false, metric = "total" }
		local said = worker_process(s, ([[
			local beat = native.trial_beat
			native.trial_beat = function(folder, k, attempt) -- the run ends between two checks, and then the file is there
				beat(folder, k, attempt)
				repeat native.sleep(.02) until native.runs(native.trial_path(folder, k))[1].state == "done"
				native.create_file(folder .. %q, "")
			end]]):format(file))
		equal(results.of(s, 1) and results.of(s, 1).state, "complete", said)
		equal(results.of(s, 1).steps, 600)
	end
end)

test("asha continues with the best third of those that have come as far, median ends those below; decisions are kept", function()
	local pruner = require "barlow.pruner"
	local s = make{ space = { ["loss.lambda"] = linspace(.001, .01, 6) }, seeds = 1, baseline = false, prune = { kind = "asha", first = 2 } }
	local function progress(k, epoch, value)
		native.trial_claim(s.folder, k, 1)
		native.append_line(native.trial_path(s.folder, k, 1) .. "/progress.jsonl", native.json_text{ epoch = epoch, value = value })
	end
	native.trial_claim(s.folder, 1, 1)
	equal(pruner.reason(s, 1, 1, .1), nil, "before the first rung")
	equal(pruner.reason(s, 1, 2, .1), nil, "alone")
	for k = 2, 6 do progress(k, 2, k / 10) end
	equal(pruner.reason(s, 6, 2, .6), nil, "the best")
	equal(pruner.reason(s, 2, 2, .2) ~= nil, true, "the worst")
	for k = 3, 6 do native.append_line(native.trial_path(s.folder, k, 1) .. "/progress.jsonl", "{\"epoch\":2,\"value\":0}") end
	equal(pruner.reason(s, 2, 2, .9) ~= nil, true, "it was decided")
	s.prune.kind, s.prune.first = "median", 1
	equal(pruner.reason(s, 3, 5, .1), nil, "too few have come that far")
	for k = 2, 6 do progress(k, 5, k / 10) end
	equal(pruner.reason(s, 3, 6, .1), nil)
	equal(pruner.reason(s, 4, 5, .25) ~= nil, true)
	equal(pruner.reason(s, 5, 5, .55), nil)
end)

test("the screen shows arms with their intervals and trials, and keys choose, open and end one", function()
	local screen = require "barlow.sweep_screen"
	local s = make{ name = "toy", space = { ["loss.lambda"] = { .001, .0051, .02 } }, seeds = 3 }
	local values = { { .50, .70, .60 }, { .51, .70, .61 }, { .61, .79, .70 } }
	for k = 1, 8 do
		local arm, seed = declared.arm_of(s, k)
		put(s, k, k < 8 and values[arm][seed] or nil, { state = k == 8 and "failed" or nil, reason = k == 8 and "no luck" or nil })
	end
	native.trial_claim(s.folder, 9, 1)
	local b, view = native.board_blank(72, 20), {}
	screen.draw(b, s, screen.read(s, view))
	local expected = [[
sweep toy  7 of 9 trials complete, 1 failed
1 running  0 open  max of knn

arm            knn      n -1.115                                  2.415
lambda 0.02    0.7000   2         ├──────────────●─────────────┤
lambda 0.0051  0.6050   2       ├──────────────●──────────────┤
lambda 0.001   0.6000   3                   ├──●──┤

trial  state
   9  running   lambda 0.02, seed 2
   8  failed    lambda 0.0051, seed 2  0:02  no luck
   1  complete  lambda 0.001, seed 0  knn 0.5000  0:02
   2  complete  lambda 0.0051, seed 0  knn 0.5100  0:02
   3  complete  lambda 0.02, seed 0  knn 0.6100  0:02
   4  complete  lambda 0.001, seed 1  knn 0.7000  0:02
   5  complete  lambda 0.0051, seed 1  knn 0.7000  0:02
   6  complete  lambda 0.02, seed 1  knn 0.7900  0:02
   7  complete  lambda 0.001, seed 2  knn 0.6000  0:02

Enter its screen  d end it  S stop all  j k PgUp PgDn choose  q leave (…
]]
	equal((b:string():gsub("%s+$", "\n")), expected)
	screen.press(s, view, "down")
	equal(view.bar, 8)
	put(s, 9, .7)
	screen.draw(b, s, screen.read(s, view))
	equal(view.bar, 8, "the trial that was chosen")
	equal(screen.press(s, view, "enter"), nil)
	equal(view.notice, "trial 8 has not begun")
	screen.press(s, view, "d")
	equal(view.notice, "this trial is not running")
	equal(screen.press(s, view, "S"), nil)
	equal(screen.press(s, view, "S"), "interrupt")
	equal(screen.press(s, view, "q"), "quit")
	local small = native.board_blank(30, 5)
	screen.draw(small, s, view)
	equal(small:string():match "[^\n]+", "at least 40 x 12")
end)

-- The frame must equal tests/term/golden/NAME.txt; UPDATE_GOLDEN=1 regenerates that.
local function golden(name, text)
	local path = ("%s../term/golden/%s.txt"):format(arg[0]:match "^(.*/)", name)
	if os.getenv "UPDATE_GOLDEN" == "1" then native.write_file(path, text) end
	equal(text, native.read_file(path), name)
end

test("the screen in three sizes: a grid with its base, and trials that failed, were pruned, are running or waiting", function()
	local screen = require "barlow.sweep_screen"
	local s = make{ name = "golden", space = { ["loss.lambda"] = { .001, .0051, .02, .1 }, projector = { { 8 }, { 16, 16 } } }, seeds = 3 }
	for k = 1, 20 do
		local arm, seed = declared.arm_of(s, k)
		local state = k == 11 and "failed" or k == 13 and "pruned" or nil
		put(s, k, not state and .5 + .02 * arm + .01 * ((seed * 7 + arm * 3) % 5) or nil, { state = state, seconds = 10 + arm,
			reason = state == "failed" and "no memory" or state and "after 2 epochs knn was .4, against 6 others" })
		local progress = native.trial_path(s.folder, k, 1) .. "/progress.jsonl"
		for i = 1, 6 do native.append_line(progress, native.json_text{ epoch = i, value = .3 + .03 * i * (1 + arm % 3) }) end
	end
	native.trial_claim(s.folder, 21, 1)
	for _, size in ipairs{ { 80, 24 }, { 120, 40 }, { 200, 60 } } do
		local b, view = native.board_blank(size[1], size[2]), {}
		screen.draw(b, s, screen.read(s, view))
		golden(("sweep-%dx%d"):format(size[1], size[2]), b:string())
	end
end)

test("the key on a running trial ends it after a confirmation", function()
	local screen = require "barlow.sweep_screen"
	local s, view = make(), {}
	native.trial_claim(s.folder, 2, 1)
	screen.draw(native.board_blank(80, 24), s, screen.read(s, view))
	equal(view.bar, 2)
	screen.press(s, view, "d")
	equal(native.exists(native.trial_path(s.folder, 2) .. "/end"), false)
	screen.press(s, view, "j")
	screen.press(s, view, "k")
	screen.press(s, view, "d")
	equal(native.exists(native.trial_path(s.folder, 2) .. "/end"), false, "another key came in between")
	screen.press(s, view, "d")
	equal(native.exists(native.trial_path(s.folder, 2) .. "/end"), true)
end)

os.execute(("rm -rf '%s'"):format(scratch))
tap.done()
