-- SPDX-License-Identifier: GPL-3.0-or-later
-- runs.list and related functions: selecting, comparing, exporting, SQL, tags, notes, deleting and pruning; barlow runs.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails

local scratch = os.tmpname()
os.remove(scratch)
local tag = scratch:match "[^/]*$":gsub("[^%w]", "")

local function small(name, lambda, more)
	return trainer(setup.settings({ name = tag .. name, epochs = 1, loss = loss.barlow{ lambda = lambda } }, more))
end

local function sh(command) return setup.output(command .. " 2>&1") end

local program = os.getenv "BARLOW" or "barlow"
local function barlow(arguments) return sh(("'%s' runs %s </dev/null"):format(program, arguments)) end
local function has(text, ...)
	for _, part in ipairs{ ... } do
		if not text:find(part, 1, true) then error(("'%s' is not in\n%s"):format(part, text)) end
	end
end

local ours = ("name like '%s%%'"):format(tag)
small("one", .01):run{ quiet = true }
small("two", .02):run{ quiet = true }
small("three", .03, { batch = 48 }):run{ quiet = true }
local one, two, three = runs.get(tag .. "one"), runs.get(tag .. "two"), runs.get(tag .. "three")

local function names(list)
	local out = {}
	for i, r in ipairs(list) do out[i] = r.name:sub(#tag + 1) end
	return table.concat(out, " ")
end

test("where: columns, metrics and settings by their names", function()
	local function chosen(condition, sort) return names(runs.list{ where = ours .. " and " .. condition, sort = sort or "loss.lambda" }) end
	equal(chosen "state = 'done'", "one two three")
	equal(chosen "loss.lambda > .015", "two three")
	equal(chosen("loss.lambda > .015", "-loss.lambda"), "three two")
	equal(chosen "loss.lambda between .01 and .02 and not batch = 48", "one two")
	equal(chosen "lambda < .015 or encoder = 'nn.mlp'", "one")
	equal(chosen "max(total, 0) > 0 and total is not null", "one two three")
	equal(chosen "knn is null and 'loss.lambda' = 'loss.lambda'", "one two three")
	equal(names(runs.list{ where = { name = one.name, ["loss.lambda"] = .01, state = "done" } }), "one")
	equal(names(runs.list{ where = function(r) return r.name == two.name and r.metrics.total > 0 end }), "two")
	equal(names(runs.list{ where = ours }), "three two one")
end)

test("where: errors are explained", function()
	fails(function() runs.list{ where = "loss.lambdda > 1" } end, "'loss.lambdda' is no column, metric or setting", "did you mean 'loss.lambda'?")
	fails(function() runs.list{ where = "step >" } end, "syntax error")
	fails(function() runs.list{ where = "1); delete from runs; --" } end, "'delete' is no column")
	fails(function() runs.list{ where = "1) union select 1 --" } end)
	fails(function() runs.list{ where = "step > 1; select 1" } end)
	fails(function() runs.list{ where = { step = {} } } end, "'step' must be a number, a text or a boolean")
	fails(function() runs.list{ where = 3 } end, "where must be")
	fails(function() runs.list{ sort = 3 } end, "sort must be")
	fails(function() runs.list{ number = 0 } end, "number must be a whole number of at least 1, got 0")
	equal(#runs.list{ where = ours, number = 2 }, 2)
	equal(#runs.list{ where = ours, number = 5 }, 3)
	equal(runs.list{ where = function(r) return r.name:sub(1, #tag) == tag end, sort = "name", number = 1 }[1].id, one.id)
	equal(select(2, runs.export{ where = ours, number = 1 }:gsub("\n", "")), 1) -- the names, and one run
	fails(function() runs.list{ sort = "nothing" } end, "'nothing' is no column")
	equal(#runs.list{ where = "name = '''; drop table runs; --'" }, 0)
	if #runs.list{} < 3 then error "runs are gone" end
end)

test("get: by folder, name, beginning and path", function()
	equal(runs.get(one.id).id, one.id)
	equal(runs.get(one.id:sub(1, -4)).id, one.id)
	equal(runs.get(one.folder .. "/").id, one.id)
	fails(function() runs.get(tag) end, "several runs begin with")
	fails(function() runs.get "no such run" end, "no run named no such run")
	fails(function() runs.get(3) end, "expected the name of a run")
end)

test("best: the smallest loss, the largest metric", function()
	local best = runs.best{ metric = "lambda", where = ours }
	equal(best.id, three.id)
	equal(runs.best{ metric = "lambda", goal = "min", where = ours }.id, one.id)
	local least = math.min(one.metrics.total, two.metrics.total, three.metrics.total)
	equal(runs.best{ metric = "total", where = ours }.metrics.total, least)
	equal(runs.best{ metric = "total", where = "0" }, nil)
	fails(function() runs.best{ metric = "total", goal = "most" } end, "goal must be")
end)

test("compare: recipes and metrics that differ", function()
	local c = runs.compare(one.id, three.id)
	local keys = {}
	for _, d in ipairs(c.recipe) do keys[d.key] = { d.a, d.b } end
	equal(keys["loss.lambda"][1], .01)
	equal(keys["loss.lambda"][2], .03)
	equal(keys.batch[2], 48)
	equal(keys.seed, nil)
	has(tostring(c), "loss.lambda", one.id, "0.03")
	has(tostring(runs.compare(one, one)), "the recipe is the same", "the metrics are the same")
	os.rename(one.folder .. "/run.json", one.folder .. "/aside") -- as in an older run, which is described by recipe.lua only
	equal(#runs.compare(one.id, three.id).recipe, #c.recipe)
	equal(#runs.compare{ one.id, three.id }.recipe, #c.recipe) -- as plot.compare takes them
	os.rename(one.folder .. "/aside", one.folder .. "/run.json")
end)

test("export: every format", function()
	local function text(format) return runs.export{ format = format, where = ours, sort = "loss.lambda", columns = { "name", "loss.lambda" } } end
	equal(text "csv", ("name,loss.lambda\n%sone,0.01\n%stwo,0.02\n%sthree,0.03"):format(tag, tag, tag))
	has(text "markdown", "| name | loss.lambda |", "| --- | ---: |", "| " .. tag .. "one | 0.01 |")
	has(text "latex", "\\begin{tabular}{lr}", tag .. "one & 0.01 \\\\", "\\end{tabular}")
	has(text "json", '"loss.lambda": 0.01', '"name": "' .. tag .. 'one"')
	fails(function() text "pdf" end, "no format 'pdf'")
	has(runs.export{ format = "markdown", where = ours, columns = { "started" } }, os.date "| %Y-")
	fails(function() runs.export{ where = ours, columns = { "name", "totl" } } end, "'totl' is no column", "did you mean 'total'?")
	has(barlow "list -c name,totl", "'totl' is no column", "did you mean 'total'?")
	equal(runs.export{ path = scratch, where = ours, columns = { "name" }, sort = "name" }, scratch)
	equal(sh("cat " .. scratch), ("name\n%sone\n%sthree\n%stwo"):format(tag, tag, tag))
	os.remove(scratch)
end)

test("query: SQL that can only read", function()
	local rows = runs.query("SELECT id, value FROM runs JOIN recipe USING(run) WHERE key = ? AND id = ?", "loss.lambda", one.id)
	equal(#rows, 1)
	equal(rows[1].value, .01)
	has(tostring(rows), "id", "value", "0.01")
	equal(tostring(runs.query "SELECT 1 WHERE 0"), "no rows")
	for _, sql in ipairs{ "DELETE FROM runs", "PRAGMA user_version", "ATTACH 'x' AS y", "SELECT 1; SELECT 2", "VACUUM INTO 'x'" } do
		fails(function() runs.query(sql) end)
	end
	fails(function() runs.query("SELECT ?", {}) end, "value 1 must be a number or a text")
	has(select(2, pcall(runs.query, "SELEC")), "syntax error")
	equal(select(2, pcall(runs.query, "SELEC")):find "barlow%.runs", nil)
end)

test("records are those of the run", function()
	local r = runs.records(one.id)
	equal(#r.total, 3)
	equal(r.step[3], 3)
end)

test("tags and notes", function()
	runs.tag(one.id, "good", "first")
	runs.tag(two.id, "good")
	equal(names(runs.list{ tags = { "good" }, sort = "name", where = ours }), "one two")
	equal(names(runs.list{ tags = { "good", "first" }, where = ours }), "one")
	runs.tag(one.id, "-good")
	equal(table.concat(runs.get(one.id).tags, " "), "first")
	fails(function() runs.tag(one.id, "two words") end, "has a blank")
	fails(function() runs.tag(one.id, ("x"):rep(100)) end, "too long")
	runs.note(one.id, "a note\n\27[31m")
	equal(runs.get(one.id).notes, "a note\n\27[31m")
	equal(tostring(runs.get(one.id)):find "\27", nil)
	os.rename(two.folder .. "/run.json", two.folder .. "/aside") -- a run of an earlier version gets a run.json
	runs.tag(two.id, "old")
	equal(names(runs.list{ tags = "old", where = ours }), "two")
	equal(runs.get(two.id).state, "done")
	os.rename(two.folder .. "/aside", two.folder .. "/run.json")
end)

test("a tag that is added during the run is kept", function()
	local t = small("going", .01, { epochs = 100000 })
	t:start()
	while #t < 2 do t:wait(.01) end
	runs.tag(tag .. "going", "mine")
	fails(function() runs.delete(tag .. "going", { ask = false }) end, "stop it first")
	equal(#runs.prune{ keep = 0, where = ("name = '%sgoing'"):format(tag), ask = false }, 0)
	t:stop()
	equal(table.concat(runs.get(tag .. "going").tags), "mine")
	equal(runs.get(tag .. "going").state, "stopped")
end)

local function exists(path)
	local f = io.open(path)
	return f ~= nil and f:close()
end

test("prune removes what killed saves left, of runs that do not go on, and nothing else", function()
	local dead = sh "sh -c 'echo $$'"
	local t = small("living", .01, { epochs = 100000 })
	t:start()
	while #t < 2 do t:wait(.01) end
	local living = runs.get(tag .. "living")
	local function put(folder, name, old)
		local path = folder .. "/" .. name
		sh(("head -c 300000 /dev/zero >'%s'"):format(path))
		if old then sh(("touch -d '2 hours ago' '%s'"):format(path)) end
		return path
	end
	local left, kept = {}, {}
	for _, name in ipairs{ "checkpoint.safetensors.%s-0.tmp", "checkpoint-12.safetensors.%s-7.tmp", "live.%s.new", "run.json.%s-3.tmp" } do
		left[#left + 1] = put(one.folder, name:format(dead), true)
		kept[#kept + 1] = put(living.folder, name:format(dead), true)
	end
	for _, name in ipairs{ "mine.%s-0.tmp", "recipe.lua.%s.tmp", "recipe.lua.mine.tmp", "weights.safetensors.%s-0.tmp.bak",
		"weights.safetensors.%s-.tmp", "checkpoint-012.safetensors.%s-0.tmp" } do
		kept[#kept + 1] = put(one.folder, name:format(dead), true)
	end
	kept[#kept + 1] = put(one.folder, ("weights.safetensors.%s-0.tmp"):format(dead), false) -- somebody may be writing it just now
	kept[#kept + 1] = put(one.folder, ("weights.safetensors.%d-0.tmp"):format(living.pid), true)
	os.execute(("mkdir '%s'/journal.%s-0.tmp"):format(one.folder, dead))
	local both = ("name = '%sone' or name = '%sliving'"):format(tag, tag)
	local dry = runs.prune{ leftovers = true, where = both, dry = true }
	equal(#dry, 0)
	equal(dry.leftovers.files, 4)
	has(tostring(dry), "4 half-written files would be removed: 1.")
	equal(runs.prune{ older = 100, where = both, dry = true }.leftovers.files, 4)
	for _, path in ipairs(left) do equal(exists(path), true, path) end
	has(barlow(("prune --leftovers --yes -w \"%s\""):format(both)), "no runs", "barlow runs: 4 half-written files removed: 1.")
	for _, path in ipairs(left) do equal(exists(path), false, path) end
	for _, path in ipairs(kept) do equal(exists(path), true, path) end
	equal(runs.get(one.id).state, "done")
	t:stop()
	for _, path in ipairs(kept) do os.remove(path) end
	os.remove(one.folder .. ("/journal.%s-0.tmp"):format(dead))
	runs.delete(tag .. "living", { ask = false, forever = true })
end)

test("the command: tables, JSON, CSV", function()
	local where = ("-w \"%s and loss.lambda > .015\""):format(ours)
	has(barlow("list " .. where), "id ", "state", tag .. "two", tag .. "three")
	equal(barlow(("list %s --csv -c name,loss.lambda -s loss.lambda"):format(where)),
		("name,loss.lambda\n%stwo,0.02\n%sthree,0.03"):format(tag, tag))
	has(barlow(("list %s --json"):format(where)), '"state": "done"')
	has(barlow("show " .. three.id), "loss.lambda", "0.03", "all steps are done")
	has(barlow("show --json " .. three.id), '"loss.lambda": 0.03')
	has(barlow(("diff %s %s --csv"):format(one.id, three.id)), "recipe,loss.lambda,0.01,0.03")
	has(barlow(("best -m lambda -w \"%s\""):format(ours)), three.id)
	has(barlow "sql 'SELECT 1 AS x' --csv", "x\n1")
	equal(barlow("tag " .. three.id .. " from-shell"), "")
	equal(barlow("note " .. three.id .. " 'said in a shell'"), "")
	has(barlow("show " .. three.id), "from-shell", "said in a shell")
	has(barlow "lsit", "there is no 'lsit' (did you mean 'list'?)")
	has(barlow "show", "expected show RUN")
	has(barlow "show a b", "'b' is one argument too many")
	has(barlow "show nothing", "barlow runs: no run named nothing")
	has(barlow "--json --csv", "--json or --csv, not both")
	has(barlow "prune", "give keep = number")
	has(barlow "prune --older x", "expected a number, got 'x'")
	has(barlow("rm " .. three.id), "cannot be confirmed without a terminal")
	has(barlow "sql 'DELETE FROM runs'", "not authorized")
end)

test("figures of runs without a trainer", function()
	local path = scratch .. ".svg"
	local function drawn(figure, ...)
		figure:save(path)
		local f = assert(io.open(path))
		has(f:read "a", ...)
		f:close()
		os.remove(path)
	end
	drawn(plot.curves(one.id), "redundancy")
	drawn(plot.curves{ one, two.id, metric = "total" }, tag .. "one", tag .. "two", "total")
	drawn(plot.heatmap(two), "first view")
	fails(function() plot.curves{ one, metric = "totl" } end, "have no 'totl' (did you mean 'total'?)")
	fails(function() plot.curves{ one, metrc = "total" } end, "unknown key 'metrc'")
	fails(function() plot.curves{} end, "a list of runs")
	fails(function() plot.curves "no such run" end, "no run named")
	fails(function() plot.heatmap(3) end, "tensor")
end)

test("features are exported as NumPy files with their labels", function()
	local t = small("features", .01, { folder = false })
	t:step(1)
	local path = scratch .. ".npy"
	local features, labels = t:export_features{ path = path }
	equal(features, path)
	equal(labels, scratch .. "-labels.npy")
	local f, l = tensor.load(features), tensor.load(labels)
	equal(f:shape()[1], 96)
	equal(f:allclose(eval.features(t.encoder, t.data), 0, 0), true)
	equal(l:numel(), 96)
	for _, i in ipairs{ 1, 17, 96 } do equal(l[i], t.data[i].label - 1) end
	os.remove(features)
	os.remove(labels)
	local other = data.tensor(tensor.rand(5, 1, 8, 8))
	equal(select("#", t:export_features{ path = path, data = other }), 1) -- without labels there is no file of labels
	equal(io.open(labels), nil)
	os.remove(path)
	fails(function() t:export_features{ path = scratch } end, "ends in .npy")
	fails(function() t:export_features{} end, "path")
end)

test("the index: deleted, damaged, or without a place", function()
	local list = barlow(("list -w \"%s\""):format(ours))
	local function elsewhere(cache)
		return sh(("XDG_CACHE_HOME='%s' '%s' runs list -w \"%s\" </dev/null"):format(cache, program, ours))
	end
	equal(elsewhere(scratch), list)
	sh(("for f in %s/barlow/*.sqlite; do echo noise >$f; done"):format(scratch))
	equal(elsewhere(scratch), list)
	sh(("rm -r %s; touch %s"):format(scratch, scratch))
	equal(elsewhere(scratch), list)
	equal(elsewhere "/proc/nowhere", list)
	os.remove(scratch)
end)

test("names from others cannot harm the terminal or a spreadsheet", function()
	small("ugly", .01):run{ quiet = true }
	local r = runs.get(tag .. "ugly")
	local f = assert(io.open(r.folder .. "/run.json"))
	local text = f:read "a"
	f:close()
	f = assert(io.open(r.folder .. "/run.json", "w"))
	f:write((text:gsub('"name": "[^"]*"', '"name": "=cmd()\\u001b[31m\\u202e"', 1)))
	f:close()
	local export = runs.export{ columns = { "name" }, where = { id = r.id } }
	equal(export, "name\n =cmd()\27[31m\u{202e}")
	local shown = runs.export{ format = "plain", columns = { "name" }, where = { id = r.id } }
	equal(shown:find "[\27\u{202e}]" and shown, nil)
	has(runs.export{ format = "latex", columns = { "name" }, where = { id = r.id } }, "\\textbackslash{}x1b")
end)

test("delete goes to the trash, prune by age, number and size", function()
	local where = ("id like '%s%%' and state = 'done'"):format(tag)
	local before = #runs.list{ where = where }
	equal(runs.delete(three.id, { ask = false }), true)
	equal(#runs.list{ where = where }, before - 1)
	local trash = three.folder:gsub("/runs/([^/]*)$", "/trash/%1")
	equal(sh(("test -f '%s/run.json' && echo there"):format(trash)), "there")
	fails(function() runs.delete(three.id, { ask = false }) end, "no run named")
	runs.tag(one.id, "keep")
	equal(#runs.prune{ older = 1, where = where, ask = false }, 0)
	equal(names(runs.prune{ keep = 1, where = where, dry = true }), "two")
	equal(names(runs.prune{ keep = 1, where = where, ask = false }), "two")
	has(runs.prune{ size = 0, where = where, ask = false, forever = true }[1].id, "ugly")
	equal(names(runs.list{ where = where }), "one") -- the one with the tag keep
	fails(function() runs.prune{ size = "much" } end, "size must be bytes")
	fails(function() runs.prune{ keep = "all" } end, "keep must be a number")
	sh(("rm -rf '%s' '%s'"):format(trash, two.folder:gsub("/runs/([^/]*)$", "/trash/%1")))
end)
tap.done()
