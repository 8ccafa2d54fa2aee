-- SPDX-License-Identifier: GPL-3.0-or-later
-- Runs that continue from another run's checkpoint with other settings, kept checkpoints, and the run that resume selects.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails

local scratch = os.tmpname()
os.remove(scratch)
local tag = scratch:match "[^/]*$":gsub("[^%w]", "")

local function sh(command) return setup.output(command .. " 2>&1") end

local function small(name, more)
	local s = {
		data = data.shapes{ n = 64, size = 8, channels = 1, seed = 1 }, name = tag .. name,
		encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 10, seed = 3,
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end

local function has(text, ...)
	for _, part in ipairs{ ... } do
		if not text:find(part, 1, true) then error(("'%s' is not in\n%s"):format(part, text)) end
	end
end

local parent = small("p", { checkpoint_every = 2, checkpoints = 3 })
parent:run{ quiet = true }

test("checkpoints before the newest are kept, as many as requested", function()
	equal(sh(("cd '%s' && ls checkpoint*"):format(parent.folder)),
		"checkpoint-12.safetensors\ncheckpoint-16.safetensors\ncheckpoint-20.safetensors\ncheckpoint.safetensors")
	equal(sh(("cd '%s' && cmp checkpoint.safetensors checkpoint-20.safetensors && echo same"):format(parent.folder)), "same")
	local t = small("q", { checkpoint_every = 2 })
	t:run{ quiet = true }
	equal(sh(("cd '%s' && ls checkpoint*"):format(t.folder)), "checkpoint.safetensors")
	fails(function() small("x", { checkpoints = 0 }) end, "checkpoints")
end)

test("a fork without changes comes to the same bits", function()
	local t = parent:fork{ step = 12, folder = scratch .. "-same" }
	equal(t.state, "new")
	equal(t.iteration, 12)
	t:run{ quiet = true }
	equal(t:record(20).total, parent:record(20).total)
	equal(#t, 20)
	equal(sh(("cat '%s/parent'"):format(t.folder)), ("12 %s"):format(sh(("realpath '%s'"):format(parent.folder))))
	sh(("rm -r '%s-same'"):format(scratch))
end)

test("changed settings apply from the fork on, including those stored in the checkpoint", function()
	local t = parent:fork{ step = 12, set = { ["loss.lambda"] = .5, ["optim.lr"] = .01, ["views.flip"] = 0 }, name = tag .. "kid" }
	equal(t.recipe.loss.lambda, .5)
	equal(t.recipe.views.flip, 0.0)
	t:run{ quiet = true }
	equal(t:record(12).lambda, parent:record(12).lambda)
	equal(t:record(13).lambda, .5)
	local r = runs.get(tag .. "kid")
	equal(r.parent_step, 12)
	equal(r.parent, sh(("realpath '%s'"):format(parent.folder)))
	equal(r.recipe["loss.lambda"], .5)
	local again = runs.fork(r.id) -- the fork's own recipe and checkpoint
	equal(again.iteration, 20)
	equal(again.recipe.loss.lambda, .5)
end)

test("a run that is training is forked in its current state", function()
	local t = small("live", { epochs = 100000 })
	t:start()
	while #t < 3 do t:wait(.01) end
	local f = t:fork{ folder = false }
	if f.iteration < 3 then error("only " .. f.iteration) end
	equal(f.folder, nil)
	f:step(1)
	t:stop()
end)

test("a run in another place is forked by its folder", function()
	local place = scratch .. "-there"
	sh(("cp -r '%s' '%s'"):format(parent.folder, place))
	local t = runs.fork(place .. "/", { step = 16, set = { ["loss.lambda"] = .5 }, folder = false })
	equal(t.iteration, 16)
	equal(runs.get(place).folder, place)
	equal(runs.get(place).metrics.total, runs.get(tag .. "p").metrics.total)
	equal(#runs.compare(place, parent.folder).recipe, 0)
	fails(function() runs.delete(place, { ask = false }) end, "not in the folder of all runs")
	sh(("rm -r '%s'"):format(place))
	fails(function() runs.get(place) end, "no run in the folder")
end)

test("impossible forks are reported", function()
	fails(function() parent:fork{ step = 7 } end, "no checkpoint of step 7 was kept there; there are those of steps 12, 16, 20")
	fails(function() parent:fork{ set = { ["loss.lamda"] = 1 } } end, "fork: set:", "no 'lamda'", "did you mean 'lambda'?")
	fails(function() parent:fork{ set = 3 } end, "set must be a table")
	fails(function() parent:fork{ set = { 1 } } end, "expected paths into the recipe")
	fails(function() parent:fork{ step = 12, set = { batch = 16 } } end, "its batch is 32, but the trainer's is 16")
	fails(function() small("m", { folder = false }):fork{} end, "no folder")
	fails(function() runs.fork("no such run", {}) end, "no run named")
	fails(function() parent:fork{ sett = {} } end, "unknown key 'sett'", "set")
end)

local program = os.getenv "BARLOW" or "barlow"
local function barlow(arguments) return sh(("'%s' %s </dev/null"):format(program, arguments)) end

test("barlow fork", function()
	local id = parent.folder:match "[^/]*$"
	local said = barlow(("fork %s --step 16 -s loss.lambda=.25 --set 'projector={8}' -n %scli --plain"):format(id, tag))
	has(said, "forked at step 16 of " .. id, "done at step 20 of 20, kept in")
	equal(runs.get(tag .. "cli").recipe["loss.lambda"], .25)
	has(barlow("runs show " .. tag .. "cli"), parent.folder:match "[^/]*$" .. ", step 16")
	has(barlow(("fork %s"):format(id)), "barlow fork: ", "20 of 20 steps are done", "--step")
	has(barlow(("fork %s --set lambda"):format(id)), "expected NAME=VALUE")
	has(barlow(("fork %s --set lambda=1"):format(id)), "did you mean 'loss.lambda'")
	has(barlow(("fork %s --set nothing=1"):format(id)), "barlow fork: set: 'nothing'")
	has(barlow "fork", "expected run")
	has(barlow(("fork %s --set 'loss.lambda=os.exit()'"):format(id)), "lambda")
end)

test("resume without a name takes the newest run that was stopped or killed, and none that failed", function()
	local code = [[t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.sequential{nn.cnn{widths = {4}, image = 8}, ]]
		.. [[nn.func(function(x) if %s then error "broken" end return x end)}, projector = {8}, batch = 32, epochs = 50, name = "%s"} ]]
		.. [[t:break_when(function(v) return v.iteration == 4 end):start() pcall(t.wait, t) t:stop()]]
	local function run(broken, name) sh(("XDG_DATA_HOME='%s' '%s' -e '%s'"):format(scratch, program, code:format(broken, name))) end
	run("false", "good")
	run("x:numel() > 2 * 64 and os == nil", "bad")
	local said = sh(("XDG_DATA_HOME='%s' '%s' resume --plain </dev/null"):format(scratch, program))
	has(said, "good: resumed at step")
	local list = sh(("XDG_DATA_HOME='%s' '%s' runs list --csv -c name,state"):format(scratch, program))
	has(list, "good,done", "bad,failed")
	has(sh(("XDG_DATA_HOME='%s' '%s' resume --plain </dev/null"):format(scratch, program)), "stopped or killed before its end")
	sh(("rm -r '%s'"):format(scratch))
end)
tap.done()
