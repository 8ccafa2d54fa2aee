-- SPDX-License-Identifier: GPL-3.0-or-later
-- t:set of the views' operators and of the optimiser: accepted settings, the step of the change, and the same bits after a resume.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, fails = tap.test, tap.equal, tap.fails

local scratch = os.tmpname()
os.remove(scratch)
os.execute("mkdir " .. scratch)
local function place(name) return scratch .. "/" .. name end

local function views(p)
	return aug.compose{ aug.crop{ size = 8 }, aug.flip{}, aug.jitter{ p = p, saturation = 0, hue = 0 }, aug.noise{ p = .5 } }
end

local function small(more)
	local s = {
		data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 }, views = views(.8),
		encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 4, seed = 3, folder = false,
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end

local function losses(t, from, to)
	return table.concat(t.records.total, " ", from, to)
end
local function last(t) return t.journal[#t.journal] end

test("t.loss has the current settings, also of a function, and makes a trainer that begins with them", function()
	local given = loss.barlow{ lambda = .01 }
	local t = small{ loss = given }:step(1)
	equal(rawequal(t.loss, given), true)
	t:set{ lambda = .02 }:step(1)
	equal(t.loss.lambda, .02)
	equal(given.lambda, .01)
	equal(tostring(t.loss):match "lambda = ([%d.]+)", "0.02")
	equal(small{ loss = t.loss }.recipe.loss.lambda, .02)
	local mine = loss.func{ function(za, zb, p) return p.mu * ((za - zb) ^ 2):mean() end, parameters = { mu = { default = 25, max = 50 } } }
	t = small{ loss = mine }:step(1):set{ mu = 3 }:step(1)
	equal(t.loss.mu, 3.0)
	equal(mine.mu, 25.0)
	local again = small{ loss = t.loss }
	equal(again.recipe.loss.parameters.mu.default, 3.0)
	equal(again.mu, 3.0)
	equal(again:step(1).loss.mu, 3.0)
end)

local changes = { ["views.jitter.p"] = .1, ["views.flip.p"] = 1, weight_decay = .3 }

local function changed(t)
	t:step(5)
	return t:set(changes)
end

local straight = changed(small{ workers = 1 }):step(7)

test("it applies from the step that message and journal name, and the user's own pipeline is unchanged", function()
	local own, t = views(.8), nil
	local before = tostring(own)
	t = small{ views = own }
	t:step(5):set{ ["views.jitter.p"] = .1 }
	equal(t.message, "step 5: views.jitter.p 0.8 -> 0.1, from step 6 on")
	equal(last(t).name, "views.jitter.p")
	equal(last(t).step, 5)
	equal(last(t).text, "from step 6 on")
	tap.near(last(t).old, .8, 1e-6)
	tap.near(last(t).new, .1, 1e-6)
	t:step(7)
	equal(tostring(own), before)
	-- Random numbers do not depend on the past, so steps equal those of a run with such views from the start, while weights are equal.
	local always, plain = small{ views = views(.1) }:step(6), small():step(6)
	equal(losses(t, 1, 5), losses(plain, 1, 5))
	if t.records.total[6] == plain.records.total[6] then error "the change did nothing" end
	if always.records.total[1] == plain.records.total[1] then error "the test sees no difference" end
end)

test("the first view of the named step is a different one although batches were made ahead: at 1, 2 and 4 threads", function()
	for _, threads in ipairs{ 1, 2, 4 } do
		equal(losses(changed(small{ workers = threads }):step(7)), losses(straight), threads .. " threads")
	end
	local t = small{ workers = 4 }:break_when(function(v) return v.iteration == 5 end)
	t:start():wait()
	t:set(changes):resume():wait()
	equal(losses(t), losses(straight))
end)

test("a run that was stopped after the change is resumed to the same bits, and so is a replay", function()
	for _, threads in ipairs{ 1, 2, 4 } do
		local folder = place("R" .. threads)
		local t = small{ folder = folder, workers = threads }:break_when(function(v) return v.iteration == 5 or v.iteration == 8 end)
		t:start():wait()
		t:set(changes):resume():wait()
		t:stop()
		local r = runs.resume(folder)
		equal(r.iteration, 8)
		r:start():wait()
		equal(losses(r), losses(straight))
		equal(losses(small():replay(folder):step(12)), losses(straight))
		equal(r:at(11, { quiet = true }).terms.total, straight:record(11).total)
	end
end)

-- Its process is killed three steps after a checkpoint, after another change that is lost with these steps.
local killed = [[
local t = trainer{ data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 },
	views = aug.compose{ aug.crop{ size = 8 }, aug.flip{}, aug.jitter{ p = .8, saturation = 0, hue = 0 }, aug.noise{ p = .5 } },
	encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 4, seed = 3,
	folder = "FOLDER", workers = THREADS, checkpoint_every = false }
t:break_when(function(v) return v.iteration == 5 or v.iteration == 7 or v.iteration == 10 end):start():wait()
t:set{ ["views.jitter.p"] = .1, ["views.flip.p"] = 1, weight_decay = .3 }:resume():wait()
t:checkpoint():set{ ["views.jitter.p"] = 1 }:resume():wait()
os.execute "kill -9 $PPID"
]]

test("a run that was killed after the change is resumed to the same bits, at 1, 2 and 4 threads", function()
	for _, threads in ipairs{ 1, 2, 4 } do
		local folder = place("K" .. threads)
		local file = assert(io.open(place "killed.lua", "w"))
		file:write((killed:gsub("FOLDER", folder):gsub("THREADS", threads)))
		file:close()
		os.execute(("%s %s >%s 2>&1"):format(require "barlow.native".program(), place "killed.lua", place "log"))
		local r = runs.resume(folder)
		equal(r.iteration, 7)
		r:start():wait()
		equal(losses(r), losses(straight), threads .. " threads")
	end
end)

test("a checkpoint contains it without the journal", function()
	changed(small()):step(3):checkpoint(place "c.safetensors")
	os.execute("mkdir " .. place "alone" .. " && mv " .. place "c.safetensors" .. " " .. place "alone")
	local t = small():load_checkpoint(place "alone/c.safetensors")
	t:step(4)
	equal(t.records.total[#t.records.total], straight.records.total[12])
end)

test("one view alone, and the optimiser's", function()
	local t = small{ views = aug.twin(views(.8), views(.8)) }
	t:step(1):set{ ["views[2].jitter.p"] = 0, ["optim.weight_decay"] = .5 }:step(1)
	equal(t.message:match "^step 1: views%[2%]", "step 1: views[2]")
	fails(function() t:set{ ["views[3].jitter.p"] = 0 } end, "views[3].jitter.p")
end)

test("settings that cannot be set are refused with the nearest name", function()
	local t = small()
	fails(function() t:set{ ["views.jitter.q"] = 0 } end, "views.jitter.q", "did you mean", "views.jitter.p")
	fails(function() t:set{ ["views.jitter.p"] = 2 } end, "jitter", "'p'", "2")
	fails(function() t:set{ ["views.crop.size"] = 4 } end, "nothing called 'views.crop.size' can be set")
	local r = small{ views = aug.compose{ aug.crop{ size = 8 }, aug.jitter{ p = aug.ramp(0, 1, 3), saturation = 0, hue = 0 } } }
	fails(function() r:set{ ["views.jitter.p"] = .5 } end, "is a ramp")
end)

os.execute("rm -r " .. scratch)
test("of a run that is over nothing is set", function()
	local t = small{ steps = 2 }:step(2)
	local before, changes = t.lambda, #t.journal
	equal(t:set{ lambda = 2 * before }, t)
	equal(t.lambda, before)
	equal(t.loss.lambda, before)
	equal(#t.journal, changes)
	fails(function() t:set{ lamda = 1 } end, "lamda")
end)

tap.done()
