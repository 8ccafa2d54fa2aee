-- SPDX-License-Identifier: GPL-3.0-or-later
-- Checkpoints and resumed runs: trainer:checkpoint, trainer:load_checkpoint, runs.resume, and refusals.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails
local read, write, exists, same_weights = setup.read, setup.write, setup.exists, setup.same_weights

local scratch = os.tmpname()
os.remove(scratch)
local tag = scratch:match "[^/]*$"
local function place(name) return scratch .. "/" .. name end

local function sh(command)
	local pipe = assert(io.popen(command))
	local text = pipe:read "a"
	pipe:close()
	return (text:gsub("%s+$", ""))
end

local function small(more) return trainer(setup.settings({ epochs = 8 }, more)) end

-- All columns except those of the clock.
local function same_records(a, b)
	equal(#a, #b)
	for i = 1, #a do
		local x, y = a:record(i), b:record(i)
		for _, field in ipairs{ "step", "total", "invariance", "redundancy", "lambda", "lr", "grad_norm" } do
			equal(x[field], y[field], ("%s of step %d"):format(field, i))
		end
	end
end

test("a stopped run is resumed to the same bits, in its folder", function()
	local straight = small{ folder = false, epochs = 100 }
	straight:step(300)
	local t = small{ name = tag .. "-a", epochs = 100 }
	tap.stop_at(t, 50)
	local at, folder = t.iteration, t.folder
	equal(runs.resume(runs()[tag .. "-a"]).iteration, at)
	fails(function() runs.resume{} end, "expected a run of runs()")
	local again = runs.resume(runs.get(tag .. "-a"))
	equal(again.iteration, at)
	equal(again.message, "resumed at step " .. at)
	equal(tostring(again.recipe), tostring(t.recipe))
	again:start():wait()
	equal(again.folder, folder)
	equal(again.state, "done")
	same_records(straight, again)
	same_weights(straight, again)
	equal(runs()[tag .. "-a"].step, 300)
	equal(read(folder .. "/recipe.lua"), "return " .. tostring(t.recipe) .. "\n")
	fails(function() t:start() end, "was resumed elsewhere, by process")
end)

test("changed settings are kept, and steps after the checkpoint are computed again", function()
	local straight = small{ folder = false, epochs = 100000 }
	straight:step(4)
	straight:set{ lambda = .02, lr = .002 }
	straight:step(16)
	local t = small{ folder = place "set", epochs = 100000, checkpoint_every = false }
	t:step(4)
	t:set{ lambda = .02, lr = .002 }
	tap.pause_at(t, 6):stop()
	equal(t:checkpoint(), t)
	local at = t.iteration
	t:start()
	while t.iteration < at + 5 do t:wait(.001) end
	fails(function() runs.resume(place "set") end, "going on in this process", "stop it first")
	local saved = place "kept"
	sh(("cp '%s' '%s'"):format(place "set/checkpoint.safetensors", saved))
	t:stop()
	sh(("cp '%s' '%s'"):format(saved, place "set/checkpoint.safetensors"))
	local again = runs.resume(place "set")
	equal(again.iteration, at)
	equal(#again, at)
	equal(again.terms.lambda, .02)
	again:step(20 - at)
	same_records(straight, again)
	equal(again.state, "paused")
end)

test("a checkpoint is also a file of weights", function()
	local t = small{ folder = false }
	t:step(2)
	fails(function() t:checkpoint() end, "this run has no folder")
	tap.with_file("", function(path)
		t:checkpoint(path)
		local e = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }:init(9)
		e:load(path, { prefix = "encoder", strict = false })
		local x = tensor.randn(2, 1, 8, 8)
		close(e:eval()(x), t.encoder:eval()(x), 0, 0)
		local u = small{ folder = false }
		equal(u:load_checkpoint(path), u)
		equal(u.iteration, 2)
		equal(u:record(1), nil)
		u:step(1)
		equal(u:record(3).step, 3)
		equal(u:record(1), nil)
		local steps = {}
		u:run{ quiet = true, on_progress = function(r) steps[#steps + 1] = r.step end }
		equal(steps[1], 4)
		equal(steps[#steps], 24)
	end)
end)

test("a run is resumed from a checkpoint in another folder", function()
	local t = tap.stop_at(small{ folder = place "first" }, 5)
	local u = small{ folder = place "second" }:load_checkpoint(place "first")
	u:start():wait()
	equal(u.folder, place "second")
	equal(#u, 24)
	equal(#t, t.iteration)
	fails(function() small{ folder = place "first" }:start() end, "holds a run already")
end)

test("a recipe that lacks a function says so, and how to resume the run", function()
	local even, odd -- each refers to the other, so neither text can come first
	function even(x, n) return n and odd(x) or x * 2 end
	function odd(x) return even(x) end
	local function with_func(more)
		more.encoder = nn.sequential(nn.flatten(), nn.func(even), nn.linear(64, 8))
		return small(more)
	end
	local t = with_func{ folder = place "func" }
	t:run{ quiet = true }
	local message = fails(function() runs.resume(place "func") end, "the recipe cannot rebuild the trainer",
		"its text lacks encoder[2].f: the function of ", "test_resume.lua:", "t:load_checkpoint(")
	local folder = message:match 'folder = "(.-)"'
	equal(folder, place "func")
	local u = with_func{ folder = folder }:load_checkpoint(folder)
	equal(u.iteration, 24)
	same_weights(t, u)
	fails(function() u:start() end, "the run is over")
end)

test("a finished run is refused at once, and the proposed alternative works", function()
	small{ folder = place "over" }:run{ quiet = true }
	local message = fails(function() runs.resume(place "over") end, "the run is over: 24 of 24 steps are done", "barlow fork")
	local code, set = message:match "(runs%.fork%b()), or.*(runs%.fork%b())"
	local more, at_end = load("return " .. code)(), load("return " .. set)()
	equal(at_end.iteration, 24)
	equal(more.steps, 48)
	more:run{ quiet = true }
	equal(more.iteration, 48)
	equal(more.folder ~= place "over", true)
end)

test("recipes that are missing, damaged or of another kind", function()
	local t = tap.stop_at(small{ folder = place "recipe" }, 5)
	local path = place "recipe/recipe.lua"
	local text = read(path)
	for _, case in ipairs{ { "return trainer{", "recipe.lua:" }, { "os.exit(9)", "os" }, { "return 3", "returns no trainer" },
		{ "\27Lua", "binary chunk" } } do
		write(path, case[1])
		fails(function() runs.resume(place "recipe") end, "the recipe cannot rebuild the trainer", case[2])
	end
	os.remove(path)
	fails(function() runs.resume(place "recipe") end, "the recipe cannot rebuild the trainer", "there is none (recipe.lua)")
	write(path, text)
	equal(runs.resume(place "recipe").iteration, t.iteration)
end)

test("no checkpoint, a damaged one, and one of another network", function()
	tap.stop_at(small{ folder = place "bad" }, 5)
	local path = place "bad/checkpoint.safetensors"
	local bytes = read(path)
	write(path, bytes:sub(1, -2))
	fails(function() runs.resume(place "bad") end, path, "byte ")
	os.remove(path)
	fails(function() runs.resume(place "bad") end, place "bad", "there is no checkpoint")
	write(path, bytes)
	local other = small{ projector = { 9 }, folder = false }
	fails(function() other:load_checkpoint(path) end, "tensor 'optim.m.projector.0.weight' is (8, ",
		"but (9, ")
	fails(function() runs.resume(place "nowhere") end, "nowhere")
	fails(function() runs.resume(tag .. "-nobody") end, "no run named")
end)

test("a lost or damaged live file loses the records only", function()
	local t = tap.stop_at(small{ folder = place "lost" }, 5)
	os.remove(place "lost/live") -- in place it would be truncated under the trainer that wrote it
	write(place "lost/live", "nonsense")
	local u = runs.resume(place "lost")
	equal(u.iteration, t.iteration)
	equal(#u, 0)
	u:start():wait()
	equal(u.terms.step, 24)
end)

test("checkpoint_every", function()
	for _, bad in ipairs{ 0, -1, true, "often" } do
		fails(function() small{ checkpoint_every = bad } end, "checkpoint_every", "a number of epochs above 0, or false")
	end
	local t = small{ folder = place "never", checkpoint_every = false, epochs = 100000 }
	tap.pause_at(t, 7)
	equal(exists(place "never/checkpoint.safetensors"), false)
	t:stop()
	equal(exists(place "never/checkpoint.safetensors"), true)
	t = small{ folder = place "often", checkpoint_every = 1 / 3, epochs = 100000 }
	tap.pause_at(t, 1)
	equal(exists(place "often/checkpoint.safetensors"), true)
	equal(exists(place "often/weights.safetensors"), false)
	t:stop()
	equal(tostring(t.recipe):find("checkpoint_every = 0.33333333333333", 1, true) ~= nil, true)
end)

test("a run in the list is resumed", function()
	local t = small{ name = tag .. "-list", epochs = 100000 }
	tap.pause_at(t, 2)
	fails(function() runs()[tag .. "-list"]:resume() end, "going on")
	t:stop()
	equal(runs()[tag .. "-list"]:resume().iteration, t.iteration)
end)

-- Written by barlow 0.1 at step 5 of 16, after set{lambda = .02, lr = 2e-3}; its format stores lambda where later ones store all
-- settings of the loss.
test("a checkpoint of format 1 loads, with lambda as it was set", function()
	local function like_then(more)
		local s = {
			data = data.shapes{ n = 64, size = 8, channels = 1, seed = 3 }, batch = 16, epochs = 4, seed = 1, projector = { 4 },
			encoder = nn.cnn{ channels = 1, widths = { 2 }, image = 8 }, loss = loss.barlow{ lambda = .01 }, folder = false,
			views = aug.compose{ aug.crop{ size = 8, scale = { .5, 1 } } },
		}
		for k, v in pairs(more or {}) do s[k] = v end
		return trainer(s)
	end
	local path = arg[0]:match "^(.*/)" .. "../reference/checkpoint_1.safetensors"
	local t = like_then():load_checkpoint(path)
	equal(t.iteration, 5)
	t:step()
	equal(t.terms.lambda, .02)
	t:checkpoint(place "now.safetensors") -- in the current format
	local again = like_then():load_checkpoint(place "now.safetensors")
	again:step()
	equal(again.terms.lambda, .02)
	equal(again.iteration, 7)
	fails(function() like_then{ loss = loss.vicreg{} }:load_checkpoint(path) end, "'lambda'", "(vicreg) has no such setting")
end)

sh("rm -r " .. scratch)
tap.done()
