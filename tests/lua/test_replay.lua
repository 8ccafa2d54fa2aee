-- SPDX-License-Identifier: GPL-3.0-or-later
-- Past steps: t:at, t:first and t:bisect give the bits that the run had, or refuse with a message.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails
local read, write = setup.read, setup.write

local scratch = os.tmpname()
os.remove(scratch)
os.execute("mkdir " .. scratch)
local function place(name) return scratch .. "/" .. name end

local function cksum(path)
	local pipe = assert(io.popen("cksum < " .. path))
	local text = pipe:read "a"
	pipe:close()
	return text
end

local function settings(more)
	local some = data.shapes{ n = 40, size = 8, channels = 1, seed = 2 }
	return setup.settings({
		epochs = 6, optim = optim.lars{ lr = .2 }, warmup = 1, checkpoint_every = 2, checkpoints = 3,
		knn = { refs = some, queries = some },
	}, more)
end

local function numbers(r)
	local out = {}
	for name, v in pairs(r) do out[#out + 1] = ("%s %q"):format(name, v == v and v or "nan") end
	table.sort(out)
	return table.concat(out, "\n")
end

local quiet = { quiet = true }
local t = trainer(settings{ folder = place "A" })

test("a run with changes of settings", function()
	t:break_when(function(v) return v.iteration == 4 or v.iteration == 9 or v.iteration == 12 end):start():wait()
	equal(t.iteration, 4)
	t:save(place "w4"):set{ lambda = .02 }:resume():wait()
	t:set{ lr = .1 }:save(place "w9"):checkpoint():resume():wait()
	t:checkpoint(place "c12"):save(place "w12"):break_when(nil):resume():wait()
	equal(t.state, "done")
end)

test("terms equal the records, and weights before and after changes equal the saved ones", function()
	for _, step in ipairs{ 4, 9, 12 } do
		local v = t:at(step, { quiet = true, path = place "past" })
		equal(v.iteration, step)
		equal(numbers(v.terms), numbers(t:record(step)))
		equal(cksum(place "past"), cksum(place("w" .. step)))
	end
	local checkpoint, weights = require "barlow.native".tensors(place "c12"), t:at(12, quiet).weights
	local n = 0
	for name, w in pairs(weights) do
		close(w, checkpoint[name], 0, 0)
		n = n + 1
	end
	equal(n, 7)
end)

test("it begins at the nearest checkpoint before the step, or at the start", function()
	equal(t:at(5, quiet).from, 0)
	equal(t:at(18, quiet).from, 12)
	equal(t:at(9, quiet).from, 0)
	equal(t:at(0, quiet).terms, nil)
	equal(tostring(t:at(18, quiet)):match "^[^:]*", "run at step 18 of 18, recomputed from step 12")
	close(t:at(18, quiet).C, t.C, 0, 0)
	equal(#t:at(18, quiet).z, 2)
	fails(function() t:at(19) end, "at: expected a step from 0 to 18", "19")
	fails(function() t:at(1.5) end, "expected a step")
	fails(function() t:at(3, quiet).C = 1 end, "read-only", "'C'")
	fails(function() t:at(3, { quite = true }) end, "quite", "quiet")
end)

test("stored runs can be replayed as well", function()
	local r = runs.get(place "A")
	equal(numbers(r:at(9, quiet).terms), numbers(t:record(9)))
	equal(r:first(function(v) return v.iteration == 3 end, quiet).iteration, 3)
	equal(r:bisect(function(v) return v.iteration >= 14 end, quiet).iteration, 14)
end)

-- Where it is written for the other process it stands on a line of its own.
local function wide(v) local s = "text that makes the function as long as one line of it" return v.terms.totl > #s end

test("first and bisect find the first step at which a function holds", function()
	local limit, bound = t:record(7).total, 15
	equal(t:first(function(v) return v.terms.total == limit end, quiet).iteration, 7)
	equal(t:first(function(v) return v.terms.step > 2 end, { from = 10, to = 12, quiet = true }).iteration, 10)
	equal(t:first(function(v) return v.terms.total ~= v.terms.total end, quiet), nil)
	local v = t:first(function(v) return v.C[1][1] == v.C[1][1] and v.weights["encoder.0.weight"] ~= nil end, quiet)
	equal(v.iteration, 1)
	for _, at in ipairs{ 1, 2, 12, 13, bound, 18 } do
		equal(t:bisect(function(v) return v.terms.step >= at end, quiet).iteration, at)
	end
	equal(t:bisect(function(v) return v.terms.step >= 19 end, quiet), nil)
	local function line() return debug.getinfo(2, "l").currentline end
	local name = debug.getinfo(1, "S").short_src
	local function failed(what, step, number, f)
		local _, why = pcall(t[what], t, f, quiet)
		if not why:find(("%s: the function failed at step %d: %s:%d: attempt to"):format(what, step, name, number), 1, true) then error(why) end
	end
	failed("first", 1, line(), function(v) return v.terms.totl > 1 end)
	failed("first", 1, debug.getinfo(wide, "S").linedefined, wide)
	failed("bisect", 10, line() + 3, function(v)
		-- with upvalues, which stand above the function where it is written for the other process
		local n = v.iteration + bound
		return v.terms.totl > n
	end)
	local function itself(v) return v.terms.totl > 1 or itself(v) end
	failed("first", 1, line() - 1, itself)
	local function inner(v) return v.terms.totl > 1 end
	fails(function() t:first(function(v) return inner(v) end, quiet) end, "first: the function failed at step 1: attempt to compare")
	fails(function() t:first(3) end, "first: expected a function")
	fails(function() t:first(print, quiet) end, "first: ")
end)

test("a run in memory, and one that was stopped and resumed", function()
	local m = trainer(settings{ folder = false })
	m:step(5):set{ lambda = .03 }:step(4)
	equal(numbers(m:at(8, quiet).terms), numbers(m:record(8)))
	local r = trainer(settings{ folder = place "B" })
	r:break_when(function(v) return v.iteration == 8 end):start():wait()
	r:set{ lambda = .04 }:stop()
	r = runs.resume(place "B"):set{ lr = .15 }
	r:start():wait()
	equal(r.iteration, 18)
	for _, step in ipairs{ 7, 9, 18 } do equal(numbers(r:at(step, quiet).terms), numbers(r:record(step))) end
end)

test("a fork begins at its parent's checkpoint", function()
	local f = t:fork{ step = 12, set = { ["loss.lambda"] = .5 }, folder = place "F" }
	f:start():wait()
	local v = f:at(14, quiet)
	equal(v.from, 12)
	equal(numbers(v.terms), numbers(f:record(14)))
	fails(function() f:at(12, quiet) end, "step 12 was made by the run that this one was forked from", place "A")
end)

test("bisect looks at a fork's first steps, also if the fork has checkpoints of its own", function()
	local f = t:fork{ step = 12, set = { ["loss.lambda"] = .5, checkpoint_every = 1 }, folder = place "F2" }
	f:start():wait()
	equal(f:bisect(function(v) return v.iteration >= 13 end, quiet).iteration, 13)
	equal(f:bisect(function(v) return v.iteration >= 17 end, quiet).iteration, 17)
end)

test("conditions that would change bits are refused with a message", function()
	local path = place "A/run.json"
	local text = read(path)
	local function with(pattern, by)
		local changed, n = text:gsub(pattern, by)
		equal(n, 1, pattern)
		write(path, changed)
	end
	with('"cpu": *"[^"]*"', '"cpu": "Other-1-1-avx2"')
	fails(function() t:at(3, quiet) end, "the run was made with the CPU and kernels Other-1-1-avx2", "but this is")
	with('"barlow": *"[^"]*"', '"barlow": "0.1.7"')
	fails(function() t:at(3, quiet) end, "the run was made with barlow 0.1.7", "but this is")
	with('"blas": *"[^"]*"', '"blas": "Ancient"')
	fails(function() t:at(3, quiet) end, "the BLAS core Ancient", "but this is")
	write(path, text)
	local recipe = read(place "A/recipe.lua")
	write(place "A/recipe.lua", (recipe:gsub("seed = 3", "seed = 4")))
	fails(function() t:at(3, quiet) end, "recomputed", "the run recorded")
	write(place "A/recipe.lua", recipe)
	local h = trainer(settings{ folder = false })
	h:step(2)
	for _, w in h.encoder:parameters() do
		w[1] = 0
		break
	end
	h:step(2)
	equal(h:at(2, quiet).iteration, 2)
	fails(function() h:at(4, quiet) end, "something that is not in its recipe and journal has changed it")
end)

os.execute("rm -r " .. scratch)
tap.done()
