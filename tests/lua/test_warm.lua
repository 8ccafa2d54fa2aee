-- SPDX-License-Identifier: GPL-3.0-or-later
-- The initial weights of a run: modules of other runs, weights from files, and what is saved of them.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails
local read, exists, same_weights, losses = setup.read, setup.exists, setup.same_weights, setup.losses

local scratch = os.tmpname()
os.remove(scratch)
os.execute("mkdir " .. scratch)
local function place(name) return scratch .. "/" .. name end

local function encoder() return nn.cnn{ channels = 1, widths = { 4 }, image = 8 } end

local function small(more) return trainer(setup.settings({ folder = false }, more)) end

test("a module that a run has trained is refused by another run, with the first run's name", function()
	local e = encoder()
	local a = small{ encoder = e, name = "A" }
	a:step(2)
	fails(function() small{ encoder = e, name = "B" } end,
		"the encoder is being trained by run 'A' (step 2), which has not ended: stop that first")
	a:stop()
	fails(function() small{ encoder = e, name = "B" } end,
		"the encoder was trained by run 'A' (step 2): give warm_start = true to start from its weights, or make a new one")
	fails(function() small{ encoder = nn.sequential(e), name = "B" } end, "encoder[1] was trained by run 'A'")
	fails(function() small{ projector = a.projector, name = "B" } end, "the projector was trained by run 'A'")
	a = nil
	collectgarbage()
	collectgarbage()
	fails(function() small{ encoder = e, name = "B" } end, "the encoder was trained by run 'A' (step 2)")
	equal(losses(small{ encoder = e:init(0) }:step(2)), losses(small():step(2)))
end)

test("a stopped run is resumed with its own modules, and a run without steps owns none", function()
	local e = encoder()
	for _ = 1, 3 do small{ encoder = e } end
	local t = small{ encoder = e }
	tap.stop_at(t, 2):start():wait()
	equal(t.state, "done")
	local first = small{ encoder = encoder() }
	local second = small{ encoder = first.encoder }
	fails(function() first:start() end, "the encoder now belongs to another trainer (run 'run'): make a new trainer")
	fails(function() first:step() end, "now belongs to another trainer")
	second:step()
end)

test("a warm start saves its weights beside the recipe, which loads them", function()
	local a = small{ name = "A" }
	a:run{ quiet = true }
	local made = { encoder = a.encoder, projector = a.projector, warm_start = true, name = "B", folder = place "B" }
	local b = small(made)
	equal(b.recipe.warm_start, true)
	fails(function() trainer(b.recipe) end, "cannot be built again", "without a folder does not save them")
	b:start():wait()
	local path = b.folder:gsub("^/tmp", "/tmp") .. "/start.safetensors"
	equal(exists(path), true)
	local again = trainer(b.recipe)
	equal(exists(b.recipe.warm_start), true)
	again:step(6)
	equal(losses(again), losses(b))
	same_weights(again, b)
	equal(losses(small{ folder = false }:step(6)) == losses(b), false)
	equal(read(place "B/recipe.lua"):find('warm_start = "', 1, true) ~= nil, true)
	-- steps were made before the run had a folder: its initial weights are still known
	local c = small{ encoder = a.encoder, projector = a.projector, warm_start = true, folder = place "C" }
	c:step(2)
	c:start():wait()
	again = trainer(c.recipe):step(6)
	equal(losses(again), losses(c))
end)

test("a warm run that was stopped is resumed, also from a folder that was moved", function()
	local a = small{}
	a:run{ quiet = true }
	local function begin(folder)
		return small{ encoder = a.encoder, projector = a.projector, warm_start = true, epochs = 8, folder = folder }
	end
	local weights = place "a.safetensors"
	a:save(weights)
	local straight = small{ warm_start = weights, epochs = 8 }:step(24)
	local b = begin(place "D")
	tap.stop_at(b, 5)
	os.rename(place "D", place "E")
	local again = runs.resume(place "E")
	again:start():wait()
	equal(losses(again), losses(straight))
	same_weights(again, straight)
	equal(again.recipe.warm_start:match "/E/start.safetensors$", "/E/start.safetensors")
end)

test("weights from a file: as warm_start, or loaded into the module", function()
	local a = small{}:step(3)
	local whole, alone = place "whole.safetensors", place "alone.safetensors"
	a:save(whole)
	a.encoder:save(alone)
	local b = small{ warm_start = whole }
	equal(b.recipe.warm_start, whole)
	b:step(3)
	equal(losses(trainer(b.recipe):step(3)), losses(b))
	fails(function() small{ warm_start = alone } end, "trainer: warm_start: " .. alone, "encoder")
	fails(function() small{ warm_start = place "none" } end, "trainer: warm_start: ", "No such file")
	fails(function() small{ warm_start = 3 } end, "'warm_start' must be true, false, or the path of a file of weights")

	-- The loaded file may be deleted: the run has its own copy.
	local c = small{ encoder = encoder():load(whole, { strict = false, prefix = "encoder" }), folder = place "F" }
	c:start():wait()
	os.remove(whole)
	equal(tostring(c.recipe):find(":load(", 1, true), nil)
	equal(losses(trainer(c.recipe):step(6)), losses(c))
end)

test("a training loop in a script is not a fresh start either", function()
	local e = encoder()
	local o = optim.sgd(e, { lr = .1 })
	o:zero_grad()
	e(tensor.randn(4, 1, 8, 8)):sum():backward()
	o:step()
	local t = small{ encoder = e, folder = place "G" }
	t:start():wait()
	equal(losses(trainer(t.recipe):step(6)), losses(t))
	equal(exists(place "G/start.safetensors"), true)
	local fresh = small{ folder = place "H" }
	fresh:start():wait()
	equal(exists(place "H/start.safetensors"), false)
	equal(fresh.recipe.warm_start, nil)
end)

os.execute("rm -r " .. scratch)
tap.done()
