-- SPDX-License-Identifier: GPL-3.0-or-later
-- Recipes of other versions: a run that 0.1 began, later versions, and that a recipe states every setting.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails
local read, write = setup.read, setup.write

local native = require "barlow.native"
local versions = require "barlow.versions"

local scratch = os.tmpname()
os.remove(scratch)
os.execute("mkdir " .. scratch)
local function place(name) return scratch .. "/" .. name end

-- A copy of the run that version 0.1 began, under this name.
local function old_run(name)
	os.execute(("cp -r '%stests/lua/run-0.1' '%s' && chmod -R u+w '%s'"):format(tap.root, place(name), place(name)))
	return place(name)
end

-- Returns f's results and discards what it writes to standard error.
local function quietly(f, ...)
	local stderr = io.stderr
	io.stderr = { write = function() end }
	local results = table.pack(pcall(f, ...))
	io.stderr = stderr
	if not results[1] then error(results[2], 0) end
	return table.unpack(results, 2, results.n)
end

test("a run of 0.1 is resumed with the defaults of 0.1", function()
	local folder = old_run "old"
	local t = quietly(runs.resume, folder)
	equal(t.iteration, 15)
	equal(t.steps, 26)
	local r = t.recipe
	equal(r.barlow, native.version)
	equal(r.optim.lr, .05)
	equal(r.optim.weight_decay, 5e-4)
	equal(r.optim.momentum, .9)
	equal(r.loss.lambda, .01)
	equal(r.loss.dialect, "paper")
	equal(r.schedule.last, .001)
	equal(r.knn.k, 20)
	local s = tostring(r)
	equal(s:find("aug.noise{p = 0.5, std = 0.05}", 1, true) ~= nil, true, s)
	equal(s:find("aug.flip{p = 0.5}", 1, true) ~= nil, true, s)
	t:start():wait()
	equal(t.state, "done")
	equal(t:record(16).lambda, .02) -- set during the run in 0.1
	equal(read(folder .. "/recipe.lua"), "return " .. tostring(t.recipe) .. "\n")
end)

-- Returns the description of a call with these settings, as recipe.read does.
local function d(call, t) return setmetatable(t, { call = call, single = true, n = 1, result = 1, results = 1 }) end

test("a newer default does not affect it", function()
	local r = versions.complete(d("trainer", { optim = d("optim.sgd", { weight_decay = 0 }), projector = d("optim.fresh", { lr = 1 }),
		loss = setmetatable({}, { call = "loss.barlow", single = false, n = 0 }) }))
	equal(r.batch, 256)
	equal(r.epochs, 10)
	equal(r.optim.weight_decay, 0)
	equal(r.optim.momentum, .9)
	equal(r.projector.momentum, nil)
	equal(r.loss.lambda, .0051)
	equal(versions.complete(d("trainer", {})).optim.lr, 1e-3)
end)

test("affine with edges as in 0.1 stays PIL's", function()
	equal(versions.complete(d("trainer", { views = d("aug.affine", { p = 1 }) })).views.backend, "pil")
end)

test("settings that the recipe gives stay, and parts of pipelines are completed, too", function()
	local r = versions.complete(d("trainer", { optim = d("optim.sgd", { lr = 1 }), steps = 3,
		views = setmetatable({ d("aug.noise", {}) }, { call = "aug.compose", n = 1 }) }))
	equal(r.optim.weight_decay, 5e-4)
	equal(r.optim.lr, 1)
	equal(r.loss.lambda, .0051)
	equal(getmetatable(r.loss).call, "loss.barlow")
	equal(r.views[1].std, .05)
	equal(r.epochs, nil)
	equal(r.batch, 256)
	equal(versions.complete(d("trainer", { barlow = "0.2.0" })).batch, nil)
	fails(function() versions.complete(d("trainer", { barlow = "0.9" })) end, "the recipe was written by barlow 0.9")
end)

test("recipes of later versions and invalid versions are refused", function()
	local folder = old_run "later"
	quietly(runs.resume, folder):start():wait()
	local text = read(folder .. "/recipe.lua")
	local function says(version) write(folder .. "/recipe.lua", (text:gsub('barlow = "[^"]*"', ('barlow = %q'):format(version)))) end
	for _, version in ipairs{ "0.3.0", "1.0.0", "0.10", "99.1" } do
		says(version)
		fails(function() runs.resume(folder) end, folder .. "/recipe.lua: the recipe was written by barlow " .. version .. ", this is barlow "
			.. native.version)
	end
	for _, version in ipairs{ "0.2.0\27[2J", "0.2.0 ", "0.2.0\n", "0.2.0'", "0.2.0\0", "0.2x", "0", "", ".2", ("0"):rep(40) .. ".1" } do
		says(version)
		fails(function() runs.resume(folder) end, "is not a version")
		fails(function() trainer{ barlow = version } end, "is not a version")
	end
	says(native.version .. "-rc1+x86")
	local function is_read() fails(function() runs.resume(folder) end, "the run is over: 26 of 26 steps are done") end
	quietly(is_read)
	says "new"
	fails(function() runs.resume(folder) end, 'barlow = "new" is not a version')
	says(native.version:gsub("%d+$", "77"))
	is_read()
	write(folder .. "/recipe.lua", '-- barlow = "99.1"\n' .. text:gsub('\tbarlow = "[^"]*",\n', ""))
	quietly(is_read) -- the trainer's argument decides, not the text
	fails(function() trainer{ barlow = "7.0" } end, "the recipe was written by barlow 7.0")
	fails(function() trainer{ barlow = 7 } end, "'barlow' must be the version that wrote the recipe")
end)

test("a recipe states settings that were not given, and is the same when it is built again", function()
	local ds = data.shapes{ n = 64, size = 8, channels = 1 }
	local t = trainer{ data = ds, encoder = nn.cnn{ widths = { 4 }, image = 8 }, batch = 32, folder = false,
		knn = { refs = ds, queries = ds } }
	local r = t.recipe
	for key, value in pairs{ epochs = 10, seed = 0, warmup = 0, clip = 0, precision = "float32", workers = 0 } do
		equal(r[key], value, key)
	end
	equal(table.concat(r.projector, " "), "512 512 512")
	equal(r.optim.lr, .001)
	equal(r.knn.every, 1)
	equal(r.schedule.kind, "cosine")
	equal(tostring(r):find("views = aug.paper{", 1, true) ~= nil, true, tostring(r))
	equal(tostring(r):find("loss = loss.barlow{", 1, true) ~= nil, true, tostring(r))
	equal(tostring(trainer(r).recipe), tostring(r))
	equal(tostring(load("return " .. tostring(r))().recipe), tostring(r))
	local mine = { data = ds, encoder = nn.cnn{ widths = { 4 }, image = 8 }, batch = 32, steps = 3 }
	equal(trainer(mine).recipe.epochs, nil)
	equal(mine.views, nil)
end)

os.execute("rm -r " .. scratch)
tap.done()
