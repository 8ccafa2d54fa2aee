-- SPDX-License-Identifier: GPL-3.0-or-later
-- The help registry: everything has an entry, and every example runs.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local help = require "barlow.help"
local registry = require "barlow.registry"

local function silent() end

local function run_example(e)
	local env = setmetatable({ print = silent }, { __index = _G })
	local function compile(text) return load(text, "=" .. e.name, "t", env) end
	local chunk = compile("return " .. e.example) or assert(compile(e.example))
	chunk()
end

tap.test("every example runs", function()
	local printed = print
	print = silent -- luacheck: ignore
	local fine, message = pcall(function()
		for _, e in ipairs(registry.entries()) do
			local ok, why = pcall(run_example, e)
			if not ok then error(("%s: %s\n%s"):format(e.name, why, e.example), 0) end
		end
	end)
	print = printed -- luacheck: ignore
	if not fine then error(message, 0) end
end)

tap.test("entries are complete and fit a line of text", function()
	for _, e in ipairs(registry.entries()) do
		for _, field in ipairs{ "name", "signature", "text", "example" } do
			if type(e[field]) ~= "string" or e[field] == "" then error(e.name .. " has no " .. field) end
		end
		if e.text:find "\n" or #e.text > 140 then error(e.name .. " is longer than a line") end
	end
end)

tap.test("names are found whole, in part, and not at all", function()
	tap.equal(help.find "tensor.zeros"[1].name, "tensor.zeros")
	tap.equal(help.find "mm"[1].name, "tensor:mm")
	tap.equal(help.find "sweep"[1].name, "sweep", "before plot.sweep")
	tap.equal(#help.find "knn" >= 2, true)
	tap.equal(#help.find "nonsense", 0)
end)

-- The output of show(what).
local function shown(what)
	local lines, real = {}, print
	print = function(line) lines[#lines + 1] = line end
	local fine, message = pcall(help.show, what)
	print = real
	if not fine then error(message, 0) end
	return table.concat(lines, "\n"), lines
end

tap.test("the text of a setting continues below its beginning", function()
	local continued, text_at = 0
	local _, lines = shown "trainer"
	for _, line in ipairs(lines) do
		local head = line:match "^    %f[%w_][^%s]+ ?=? ?[^%s]*%s%s+%f[%S]"
		local blank = line:match "^      +"
		if head then
			text_at = #head
		elseif blank and text_at then
			tap.equal(#blank, text_at, line)
			continued = continued + 1
		end
	end
	if continued < 5 then error(table.concat(lines, "\n")) end
end)

tap.test("a function's source is shown by its path", function()
	local function source(name)
		local lines, real = {}, print
		print = function(line) lines[#lines + 1] = line end -- luacheck: ignore
		local fine, message = pcall(help.source, name)
		print = real -- luacheck: ignore
		if not fine then error(message, 0) end
		return table.concat(lines, "\n")
	end
	twice = { deep = { f = assert(load("return function(x) return 2 * x end", "=(twice)"))() } } -- luacheck: ignore
	local shown_source = source "twice.deep.f"
	if not shown_source:find "function%(x%) return 2 %* x end" and not shown_source:find "the text of 'twice.deep.f'" then error(shown_source) end
	for _, name in ipairs{ "twice.deep.g", "twice.g.f", "twice.deep", "no.such.name" } do
		tap.equal(source(name):find "2 %* x" or source(name):find "the text of", nil, name)
	end
	twice = nil -- luacheck: ignore
end)

tap.test("examples are shown as one types them at the prompt", function()
	for name, want in pairs{ ["trainer:set"] = "t:set{lambda = .01}", ["trainer:watch"] = "t:watch()", ["sweep:table"] = "s:table()",
		["trainer:save"] = "t:save(path)", ["tensor.load"] = "tensor.eye(2):save(path); print(tensor.load(path))", ["trainer.C"] = "t.C",
		["data.mnist"] = "data.mnist{train = false}", ["runs.best"] = 'runs.best{metric = "total"}', ["sweep:watch"] = "s:watch()",
		["runs.compare"] = 'runs.compare("lambda-01", "lambda-02")', ["run:at"] = 'runs.get("lambda-02"):at(100)',
		["trainer:fork"] = 't:start():wait(); print(t:fork{set = {["loss.lambda"] = .02}, folder = false})' } do
		tap.equal(shown(name):match "> ([^\n]*)$", want)
	end
	for _, e in ipairs(registry.entries()) do
		local example = shown(e.name):match "\n    > ([^\n]*)" or ""
		if example:find "pcall" or example:find "os%.tmpname" then error(example) end
	end
end)

tap.test("a module's list, a function by value, keys one by one, nothing wider than the terminal", function()
	for _, what in ipairs{ "nn", nn } do
		local text = shown(what)
		for _, part in ipairs{ "nn.linear ", "nn.resnet ", "paper's projector" } do
			if not text:find(part, 1, true) then error(text) end
		end
	end
	tap.equal(shown(nn.cnn), shown "nn.cnn")
	if not shown "trainer":find "\n    seed = 0 .*see also .*start" then error((shown "trainer")) end
	for _, what in ipairs{ false, "nn", "optim" } do
		local _, lines = shown(what or nil)
		for _, line in ipairs(lines) do
			if #line >= 80 then error(line) end
		end
	end
	tap.fails(function() shown(3) end, "expected a name", "number")
	for word, near in pairs{ trainr = "trainer", lineer = "linear", ["tensor.zeroes"] = "tensor.zeros",
		optm = "optim", ["module:trian"] = "module:train" } do
		tap.equal(shown(word):find(("there is no help on '%s' (did you mean '%s'?)"):format(word, near), 1, true), 1, shown(word))
	end
	tap.equal(shown "qqqqqqqqqq", "there is no help on 'qqqqqqqqqq'; help() lists all names")
end)

tap.test("a setting is explained with its default, what it must be, and what happens without it", function()
	local text = shown "nn.cnn"
	for _, part in ipairs{ "image = 28 ", "side of the images, pixels; recorded only, as any size fits (an integer of at least 1)", "widths = {16, 32, 64, 128} ",
		"strides  ", "otherwise 1, then 2 each" } do
		if not text:gsub("%s+", " "):find((part:gsub("%s+", " ")), 1, true) then error(part .. "\n" .. text) end
	end
end)
local function said(name)
	local lines, before = {}, print
	print = function(text) lines[#lines + 1] = text end -- luacheck: ignore
	local fine, message = pcall(help.show, name)
	print = before
	assert(fine, message)
	return table.concat(lines, "\n")
end

tap.test("a word is looked for in names, settings and texts, the best first", function()
	assert(said "accuracy":match "^eval%.knn ", said "accuracy")
	assert(said "warmup":find("trainer{warmup = }", 1, true))
	assert(said "KNN":find("trainer{knn = }", 1, true))
	assert(said "mixup":match "^aug%.batch ")
	assert(said "learning rate":find "optim%.sgd{lr = }")
	assert(said "xyzzy":find "there is no help on 'xyzzy'")
	assert(said "trainr":find "did you mean 'trainer'")
	assert(said "t:set":match "^t:set")
	assert(said "ds:few":match "^ds:few")
end)

tap.test("what the prompt understands is in help, in the search, and on the manual page", function()
	local page = require "barlow.manual".text "1"
	for _, name in ipairs{ "%time", "%news", "_NEWS", "_PROMPT" } do
		assert(said(name):find(name, 1, true) == 1, name)
		assert(said "prompt":find("\n" .. name, 1, true) or said "prompt":find(name, 1, true) == 1, name)
		assert(page:find(".B " .. name, 1, true), name)
	end
	assert(said "PAGER":find "^%$PAGER ")
	assert(said "traceback":find "^%%traceback ")
end)

tap.test("a variable of the user's stands for its type", function()
	my_net = nn.relu() -- luacheck: ignore
	assert(said "my_net:save":match "^%a+:save")
	assert(said "my_net":find "parameters")
	my_net = nil
end)

tap.done()
