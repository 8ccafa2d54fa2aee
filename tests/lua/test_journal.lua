-- SPDX-License-Identifier: GPL-3.0-or-later
-- Changes during a run: t.journal, RUN/journal, what a resumed run keeps of it, and runs repeated by it.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails
local read, write, same_weights, losses = setup.read, setup.write, setup.same_weights, setup.losses

local scratch = os.tmpname()
os.remove(scratch)
os.execute("mkdir " .. scratch)
local function place(name) return scratch .. "/" .. name end

local function small(more) return trainer(setup.settings({ epochs = 10, optim = optim.lars{ lr = .2 }, warmup = 1 }, more)) end

-- "10 lambda 0.0051 0.02 script", a line for each.
local function told(journal)
	local lines = {}
	for i, c in ipairs(journal) do
		local numbers = c.new and ("%g %g "):format(c.old, c.new) or ""
		lines[i] = ("%d %s %s%s"):format(c.step, c.name, numbers, c.who)
		if type(c.time) ~= "number" or c.time < 1.6e9 then error "no time" end
	end
	return table.concat(lines, "\n")
end

test("the end is one line, also of a paused run that is stepped by hand past its end", function()
	local t = small{ epochs = 1, folder = false }
	t:start()
	t:pause()
	fails(function() t:step(1000) end, "the run is over")
	t:wait()
	local ends = 0
	for _, c in ipairs(t.journal) do ends = ends + (c.name == "done" and 1 or 0) end
	equal(ends, 1)
end)

test("a step that fails is the last line, with its number and its reason", function()
	local function near(za, zb, p)
		if p.patience == 0 then error "out of patience" end
		return ((za - zb) ^ 2):mean()
	end
	local t = small{ folder = false, loss = loss.func{ near, parameters = { patience = 1 } } }
	t:step(2):set{ patience = 0 }
	fails(function() t:step(5) end, "step 3", "out of patience")
	equal(t.state, "failed")
	local last = t.journal[#t.journal]
	equal(last.name, "failed")
	equal(last.who, "trainer")
	equal(last.step, 2)
	if not last.text:find "step 3: .*out of patience" then error(last.text) end
end)

local straight
test("every change during training is a line in the folder", function()
	local t = small{ folder = place "A" }
	t:step(10)
	t:set{ lambda = .02 }
	t:step(10)
	t:set{ lr = .1, lambda = .03 }
	t:start():wait()
	equal(told(t.journal), "10 lambda 0.0051 0.02 script\n20 lambda 0.02 0.03 script\n20 lr 0.2 0.1 script\n20 start script\n"
		.. "30 done trainer")
	local lines = {}
	for line in read(place "A/journal"):gmatch "[^\n]+" do lines[#lines + 1] = line end
	equal(#lines, 5)
	equal(lines[1]:match "^{.-,\"time\"", '{"step":10,"name":"lambda","old":0.0051,"new":0.02,"who":"script","time"')
	straight = t
end)

test("a run repeated from recipe and journal has the same bits", function()
	local again = trainer(straight.recipe):replay(straight.journal)
	again:step(30)
	equal(losses(again), losses(straight))
	same_weights(again, straight)
	equal(told(again.journal), "10 lambda 0.0051 0.02 replay\n20 lambda 0.02 0.03 replay\n20 lr 0.2 0.1 replay\n30 done trainer")
	local by_folder = trainer(straight.recipe):replay(place "A"):start()
	by_folder:wait()
	equal(losses(by_folder), losses(straight))
	local part = trainer(straight.recipe):replay(place "A/journal", 0, 10)
	part:step(30)
	equal(told(part.journal), "10 lambda 0.0051 0.02 replay\n30 done trainer")
	equal(losses(part) == losses(straight), false)
end)

test("when a run is resumed, changes after its checkpoint are removed from the journal", function()
	local t = small{ folder = place "B", checkpoint_every = false }
	t:step(4)
	t:set{ lambda = .02 }
	tap.stop_at(t, 6)
	local saved, at = place "saved", t.iteration
	os.execute(("cp '%s/checkpoint.safetensors' '%s'"):format(place "B", saved))
	local before = read(place "B/journal")
	t:set{ lambda = .5 } -- at the checkpoint's step, but after the checkpoint
	t:start():wait()
	equal(read(place "B/journal"):sub(1, #before), before)
	equal(#read(place "B/journal") > #before, true)
	os.execute(("cp '%s' '%s/checkpoint.safetensors'"):format(saved, place "B"))
	local again = runs.resume(place "B")
	equal(again.iteration, at)
	equal(told(again.journal):match "^4 lambda [^\n]*\n4 start script\n%d+ stop script\n%d+ resumed script$" ~= nil, true,
		told(again.journal))
	again:start():wait()
	equal(read(place "B/journal"):sub(1, #before), before)
	equal(again.terms.lambda, .02)
	equal(told(again.journal):find("0.5", 1, true), nil)
	equal(read(place "B/journal"):find('"new":0.5', 1, true), nil)
	-- the whole run can be repeated from it
	local anew = trainer(again.recipe):replay(place "B")
	anew:step(30)
	same_weights(anew, again)
end)

test("a truncated line, and a journal that is damaged or missing", function()
	local t = tap.stop_at(small{ folder = place "C" }, 3)
	local text = read(place "C/journal")
	write(place "C/journal", text .. '{"step":')
	equal(#runs.resume(place "C").journal, #t.journal + 1)
	write(place "C/journal", "nonsense\n" .. text)
	fails(function() small():replay(place "C") end, place "C/journal", "line 1: expected")
	os.remove(place "C/journal")
	local u = runs.resume(place "C")
	equal(#u.journal, 1)
	u:start():wait()
	equal(read(place "C/journal"):match '"name":"(%a+)"', "resumed")
end)

test("changes that cannot be repeated", function()
	local t = small{ folder = false }
	fails(function() t:replay(3) end, "expected a journal (t.journal), or the path of one")
	fails(function() t:replay{ { step = 3, name = "mu", new = 1 } } end, "the journal's change at step 3", "nothing called 'mu' can be set")
	fails(function() t:replay{ { name = "lr", new = 1 } } end, "replay: change 1: 'step' must be a number, got nil")
	fails(function() t:replay{ { step = 1, name = "lr", new = "high" } } end, "'new' must be a number, got string 'high'")
	fails(function() t:replay{ { step = 1, name = "lr", new = -1 } } end, "'lr' must be a number of at least 0, got -1")
	equal(t:replay(place "nowhere"), t) -- no journal: no changes
	t:step(2)
	fails(function() t:replay{ { step = 1, name = "lr", new = 1 } } end, "at step 1 cannot be repeated: the trainer is already at step 2")
end)

os.execute("rm -r " .. scratch)
tap.done()
