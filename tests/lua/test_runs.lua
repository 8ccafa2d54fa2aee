-- SPDX-License-Identifier: GPL-3.0-or-later
-- Folders of runs, and runs(): what is stored where, what is listed, and messages about places that cannot be written.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails
local sh = setup.output

local function small(more) return trainer(setup.settings({ epochs = 2 }, more)) end

local function exists(path)
	local f = io.open(path)
	if f then f:close() end
	return f ~= nil
end

-- A name that no other test and no earlier call of this one uses.
local scratch = os.tmpname()
os.remove(scratch)
local tag = scratch:match "[^/]*$"

-- The output of barlow when it runs code with another folder for data.
local function elsewhere(place, code)
	return sh(("XDG_DATA_HOME='%s' '%s' -e '%s' 2>&1"):format(place, os.getenv "BARLOW" or "barlow", code))
end
local train = "t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, "
	.. "projector = {8}, batch = 32, epochs = 1, name = \"it\"} "

test("a run that starts has a folder of its own", function()
	local t = small{ name = tag .. "-a" }
	equal(t.folder, nil)
	t:start():wait()
	equal(t.folder:match "[^/]*$":gsub("%d", "0"), (tag .. "-a-20000000-000000"):gsub("%d", "0"))
	equal(sh("stat -c %a " .. t.folder), "700")
	for _, name in ipairs{ "live", "recipe.lua", "weights.safetensors" } do
		if not exists(t.folder .. "/" .. name) then error(name .. " is missing") end
	end
	local again = dofile(t.folder .. "/recipe.lua")
	equal(tostring(again.recipe), tostring(t.recipe))
end)

test("the saved weights are the last ones", function()
	local t = small{ name = tag .. "-w" }
	t:run{ quiet = true }
	local other = scratch .. ".weights"
	t:save(other)
	equal(sh(("cmp '%s' '%s/weights.safetensors' && echo same"):format(other, t.folder)), "same")
	os.remove(other)
end)

test("save without a path writes to the folder", function()
	local t = small{ name = tag .. "-s", epochs = 100000 }
	t:start():pause()
	local weights = t.folder .. "/weights.safetensors"
	equal(exists(weights), false)
	equal(t:save(), t)
	equal(exists(weights), true)
	t:stop()
	fails(function() small{ folder = false }:save() end, "this run has no folder")
end)

test("steps made by hand before the start are included", function()
	local t = small{ name = tag .. "-h" }
	t:step(2)
	equal(t.folder, nil)
	t:start():wait()
	equal(#t, 6)
	equal(runs()[tag .. "-h"].step, 6)
	equal(t:record(2).step, 2)
end)

test("folder = false stores nothing, a path selects the folder", function()
	local before = #runs()
	local t = small{ folder = false }
	t:run{ quiet = true }
	equal(t.folder, nil)
	equal(#runs(), before)
	local place = scratch .. "/deep/er"
	t = small{ folder = place }
	t:run{ quiet = true }
	equal(t.folder, place)
	equal(t.recipe.folder, nil)
	equal(exists(place .. "/weights.safetensors"), true)
	fails(function() small{ folder = place }:start() end, place, "holds a run already")
	fails(function() small{ folder = 3 } end, "folder", "a path, or false", "number 3")
	sh("rm -r " .. scratch)
end)

test("only the user can read a run's files, whatever the umask", function()
	local code = ([[
		local k = tensor{ 1, 2 }
		local t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
			projector = nn.func(function(x) return x * k:sum() end), batch = 32, epochs = 2, checkpoints = 2, checkpoint_every = 1,
			folder = [=[%s/own]=] }
		t:run{ quiet = true }
		trainer{ data = t.data, encoder = t.encoder, warm_start = true, batch = 32, epochs = 1, folder = [=[%s/warm]=] }:run{ quiet = true }
	]]):format(scratch, scratch)
	sh(("mkdir %s; umask 000; '%s' -e '%s'"):format(scratch, os.getenv "BARLOW" or "barlow", code))
	for _, name in ipairs{ "own/live", "own/recipe.lua", "own/run.json", "own/journal", "own/checkpoint.safetensors",
		"own/checkpoint-2.safetensors", "own/weights.safetensors", "own/k.npy", "warm/start.safetensors" } do
		equal(sh(("stat -c %%a %s/%s"):format(scratch, name)), "600", name)
	end
	sh("rm -r " .. scratch)
end)

test("a folder with a file that the run would overwrite is refused", function()
	for _, name in ipairs{ "weights.safetensors", "checkpoint.safetensors", "checkpoint-20.safetensors", "start.safetensors", "journal",
		"run.json", "parent" } do
		sh(("mkdir %s; echo mine >%s/%s"):format(scratch, scratch, name))
		fails(function() small{ folder = scratch }:start() end, scratch, "contains a file " .. name, "expected a folder without one")
		equal(sh(("cat %s/%s; ls -A %s"):format(scratch, name, scratch)), "mine\n" .. name)
		sh("rm -r " .. scratch)
	end
	sh(("mkdir %s; echo mine >%s/notes.txt"):format(scratch, scratch))
	small{ folder = scratch }:run{ quiet = true }
	sh("rm -r " .. scratch)
end)

test("a place that cannot be written is reported once, and training continues", function()
	tap.with_file("no folder", function(path)
		local said = elsewhere(path, train .. "t:start():wait() print(t.state, t.folder) " .. train .. "t:start():wait()")
		local times = select(2, said:gsub("kept in memory only", ""))
		equal(times, 1, said)
		if not said:find("done\tnil", 1, true) or not said:find(path, 1, true) then error(said) end
	end)
end)

test("runs are listed newest first, and found by name", function()
	for _, name in ipairs{ "x", "y", "x" } do small{ name = tag .. name }:run{ quiet = true } end
	local list, mine = runs(), {}
	for _, r in ipairs(list) do
		if r.name == tag .. "x" or r.name == tag .. "y" then mine[#mine + 1] = r end
	end
	equal(#mine, 3)
	equal(mine[1].name, tag .. "x")
	equal(mine[2].name, tag .. "y")
	if not (mine[1].started >= mine[2].started and mine[2].started >= mine[3].started) then error "not newest first" end
	equal(list[tag .. "x"].id, mine[1].id)
	equal(list[mine[3].id].id, mine[3].id)
	equal(list[tag .. "y-20"].id, mine[2].id)
	equal(list[tag], nil)
	equal(list["no such run"], nil)
	local r = mine[2]
	equal(r.state, "done")
	equal(r.step, 6)
	equal(r.steps, 6)
	equal(r.d, 8)
	equal(r.alive, false)
	equal(math.type(r.pid), "integer")
	equal(r.knn, nil)
	local text = tostring(list)
	for _, word in ipairs{ "run ", "state", "lambda", "started", r.id, "6/6" } do
		if not text:find(word, 1, true) then error(word .. " is not in\n" .. text) end
	end
	fails(function() r:watch{ readonly = true } end, "unknown key 'readonly'")
	fails(function() r:watch() end, "terminal")
end)

test("the columns of a table of runs depend on the losses and the measured scores", function()
	local f = loss.func(function(a, b, p) return { near = p.mu * ((a - b) ^ 2):mean() } end, { parameters = { mu = 2.5 } })
	local t = small{ name = tag .. "-mu", loss = f }
	t:log{ mood = .5 }
	t:run{ quiet = true }
	small{ name = tag .. "-la", loss = loss.barlow{ lambda = .0125 } }:run{ quiet = true }
	local list = runs()
	local mu, la = list[tag .. "-mu"], list[tag .. "-la"]
	equal(mu.mu, 2.5)
	equal(la.lambda, .0125)
	equal(mu.columns, nil)
	local function cells(text)
		local out = {}
		for word in text:gmatch "%S+" do out[#out + 1] = word end
		return table.concat(out, " ", 4)
	end
	local day = os.date("%Y-%m-%d %H:%M", la.started // 1 | 0)
	equal(cells(tostring(la)), ("%.4g 0.0125 8 %s"):format(la.total, day))
	equal(cells(tostring(mu)), ("%.4g 0.5 2.5 8 %s"):format(mu.total, os.date("%Y-%m-%d %H:%M", mu.started // 1 | 0)))
	local text = tostring(list)
	local head = text:match "[^\n]*"
	if not head:find "total +.*mood.* mu" or not head:find "lambda" then error(head) end
	local line = text:match("[^\n]*" .. la.id:gsub("%p", "%%%0") .. "[^\n]*")
	if not cells(line):find " %- .*0%.0125" then error(line) end -- it has no mood
end)

test("a run that is training is alive, and its kNN is known", function()
	local d = data.shapes{ n = 40, size = 8, channels = 1, seed = 1 }
	local t = small{ name = tag .. "-live", epochs = 100000, knn = { refs = d, queries = d, every = 1, k = 1 } }
	t:start()
	while #t < 4 do t:wait(.01) end
	t:pause()
	while t.state ~= "paused" do t:wait(.01) end
	local r = runs()[tag .. "-live"]
	equal(r.alive, true)
	equal(r.state, "paused")
	equal(r.step, t.iteration)
	equal(r.total, t.terms.total)
	equal(r.knn, 1.0)
	if not tostring(runs()):match "[^\n]*":find "kNN" or not tostring(r):find " 1%.0000 " then error(tostring(r)) end
	t:stop()
	r = runs()[tag .. "-live"]
	equal(r.alive, false)
	equal(r.state, "stopped")
end)

test("run.json describes a run, and runs.list reads it", function()
	local t = small{ name = tag .. "-json", loss = loss.barlow{ lambda = .02 } }
	t:run{ quiet = true }
	local r = runs.list{ where = { name = tag .. "-json" } }[1]
	equal(r.state, "done")
	equal(r.reason, "all steps are done")
	equal(r.seed, 3)
	equal(r.recipe["loss.lambda"], .02)
	equal(r.recipe.encoder, "nn.cnn")
	equal(r.recipe.projector, "{8}")
	equal(math.abs(r.metrics.total - t.terms.total) < 1e-9, true)
	equal(r.host, sh "uname -n")
	if not (r.created > 0 and r.ended >= r.created) then error "times" end
	equal(#runs.list{ where = { name = tag .. "-json", ["loss.lambda"] = .03 } }, 0)
	equal(#runs.list{ where = function(x) return x.name == tag .. "-json" and x.metrics.total > 0 end }, 1)
	small{ name = tag .. "-json" }:step(1):start():stop()
	local list = runs.list{ where = { name = tag .. "-json" }, sort = "-loss.lambda" }
	equal(#list, 2)
	equal(list[1].id, r.id)
	fails(function() runs.list{ were = 1 } end, "unknown key 'were'", "where")
end)

test("a stopped run states who stopped it", function()
	local t = small{ name = tag .. "-why", epochs = 100000 }
	t:start()
	while #t < 2 do t:wait(.01) end
	equal(runs.list{ where = { name = tag .. "-why" } }[1].state, "running")
	t:stop()
	local r = runs.list{ where = { name = tag .. "-why" } }[1]
	equal(r.state, "stopped")
	equal(r.reason, "stopped by script")
end)

test("a damaged run.json is reported, and the run is listed nevertheless", function()
	local t = small{ name = tag .. "-bad" }
	t:run{ quiet = true }
	local f = assert(io.open(t.folder .. "/run.json", "w"))
	f:write [[{"format": 1, "state": "finished", "tags": [1]}]]
	f:close()
	local r = runs.list{ where = { name = tag .. "-bad" } }[1]
	equal(r.state, "done")
	equal(r.step, 6)
	if not r.problem:find("run.json: 'tags': expected texts", 1, true) then error(r.problem) end
	f = assert(io.open(t.folder .. "/run.json", "w"))
	f:write [[{"format": 1, "state": "finished"}]] -- the former name of "done"
	f:close()
	equal(runs.get(t.folder).state, "done")
	os.remove(t.folder .. "/run.json")
	r = runs.list{ where = { name = tag .. "-bad" } }[1] -- older runs have none
	equal(r.state, "done")
	equal(r.problem, nil)
end)

test("no runs, and damaged ones", function()
	equal(elsewhere(scratch, "print(runs())"), "no runs")
	local root = scratch .. "/barlow/runs"
	sh(("mkdir -p %s/empty %s/noise %s/folder/live; head -c 999999 /dev/urandom >%s/noise/live; touch %s/file"):gsub("%%s", root))
	local out = elsewhere(scratch, "print(runs()) print(#runs(), runs().noise.state, runs().noise.message)")
	for _, word in ipairs{ "empty ", "noise ", "folder ", "3\tbroken\t", "/noise/live: " } do
		if not out:find(word, 1, true) then error(word .. " is not in\n" .. out) end
	end
	if out:find("\nfile ", 1, true) then error("a file is no run:\n" .. out) end
	sh("rm -r " .. scratch)
end)
tap.done()
