-- SPDX-License-Identifier: GPL-3.0-or-later
-- Choices of convolution algorithms: which one applies, what is saved, and that a run's choices reproduce its bits.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, fails = tap.test, tap.equal, tap.fails
local read, write, sh = setup.read, setup.write, setup.output

local scratch = os.tmpname()
os.remove(scratch)
local barlow = os.getenv "BARLOW" or "barlow"

-- The output of barlow when it runs code in a separate process with the test's cache.
local function run(code, environment)
	return sh(("XDG_CACHE_HOME='%s' %s '%s' -e '%s' 2>&1"):format(scratch, environment or "", barlow, code))
end

-- The same for a command, with its exit status.
local function command(arguments)
	return sh(("XDG_CACHE_HOME='%s' '%s' %s 2>&1; echo \"status $?\""):format(scratch, barlow, arguments))
end

-- Both algorithms can compute the second layer.
local both = "16x8x8-16:3x3s1p1"
local make = [[
local t = trainer{ data = data.shapes{ n = 96, size = 8, channels = 1, seed = 1 }, projector = { 16, 16 }, batch = 32,
	encoder = nn.cnn{ channels = 1, widths = { 16, 16 }, strides = { 1, 1 }, image = 8, pool = true }, epochs = 4, seed = 3,
	folder = false }
]]

-- The file, made by measuring once, then with this choice for the second layer.
local path = run "n = require \"barlow.native\"; n.tune_measure(\"16x8x8-16:3x3s1p1\", 2) print(n.tune_path())"
local measured = read(path)
local function tuned(forward, data, weight)
	local head = measured:match "^.-\n.-\n.-\n.-\n"
	write(path, ("%s%s forward %s\n%s data-gradient %s\n%s weight-gradient %s\n"):format(head, both, forward, both,
		data or forward, both, weight or forward))
end

local function chosen(environment)
	return run(make .. ("print(t.recipe.convolution[%q])"):format(both), environment)
end

test("the tuned choice overrides the rule's, and the forced one overrides both", function()
	tuned "gather"
	equal(chosen(), "gather")
	tuned "winograd"
	equal(chosen(), "winograd")
	tuned("gather", "winograd", "gather")
	equal(chosen(), "gather winograd gather")
	equal(chosen "BARLOW_CONV=winograd", "winograd")
	equal(chosen "BARLOW_CONV=gather", "gather")
end)

test("a layer's own algorithm is not recorded as the run's choice", function()
	tuned "gather"
	local code = make:gsub("pool = true", "pool = true, algorithm = \"winograd\"")
	equal(run(code .. "print(t.recipe.convolution, t.recipe.encoder.algorithm)"), "nil\twinograd")
end)

test("a recipe's choice overrides the tuned one", function()
	tuned "gather"
	local code = make:gsub("folder", ("convolution = { [%q] = \"winograd gather winograd\" }, folder"):format(both))
	equal(run(code .. ("print(t.recipe.convolution[%q])"):format(both)), "winograd gather winograd")
	equal(run(code .. ("print(t.recipe.convolution[%q])"):format(both), "BARLOW_CONV=gather"), "gather")
end)

-- Ten steps of a trainer made by code; its weights and its recipe are written to files of this name.
local function ten_steps(name, code)
	local out = run(("%s t:step(10) t:save(%q) print(t.recipe)"):format(code, scratch .. "/" .. name .. ".weights"))
	write(scratch .. "/" .. name .. ".lua", "return " .. out)
	return read(scratch .. "/" .. name .. ".weights")
end

test("a recipe gives the same bits after the tuned choices have changed", function()
	tuned "gather"
	local first = ten_steps("first", make)
	tuned "winograd"
	local again = ten_steps("again", ("local t = dofile %q"):format(scratch .. "/first.lua"))
	if again ~= first then error "the weights differ" end
	equal(read(scratch .. "/again.lua"), read(scratch .. "/first.lua"))
	local text = read(scratch .. "/first.lua")
	local without, fields = text:gsub("\tconvolution = {.-},\n", "")
	equal(fields, 1, text)
	write(scratch .. "/without.lua", without)
	local other = ten_steps("other", ("local t = dofile %q"):format(scratch .. "/without.lua"))
	if other == first then error "another algorithm made the same weights: this test cannot fail" end
	equal(#other, #first)
	sh(("rm '%s'"):format(path))
	if ten_steps("gone", ("local t = dofile %q"):format(scratch .. "/first.lua")) ~= first then error "the weights differ" end
end)

test("choices are fixed when the trainer is made", function()
	tuned "gather"
	local change = ("local f = io.open(%q, \"w\") f:write((%q):gsub(\"gather\", \"winograd\"), \"\") f:close() "):format(path,
		read(path)):gsub("\\\n", "\\n")
	local first = ten_steps("settled", make)
	local other = ten_steps("changed", make .. change .. "require \"barlow.native\".tune_load()")
	if other ~= first then error "the weights differ" end
	equal(read(path):match "forward (%w+)", "winograd")
end)

test("t:tune() reports and saves, and a trainer that has not begun uses the result", function()
	sh(("rm -f '%s'"):format(path))
	local out = run(make .. "local r = t:tune() print(r) print(#r, r[2].shape, r[2].images, r[2].forward.best)"
		.. " local c = t.recipe.convolution[r[2].shape] print(c) t:step(1) print(t:tune())")
	for _, word in ipairs{ both .. "                32  forward", "data-gradient", "2\t" .. both .. "\t32\t", "started with" } do
		if not out:find(word, 1, true) then error(word .. " is not in\n" .. out) end
	end
	for d in ("forward data-gradient weight-gradient"):gmatch "%S+" do
		if not read(path):find(both .. " " .. d .. " ", 1, true) then error(d .. " is not in\n" .. read(path)) end
	end
end)

test("invalid choices are refused", function()
	fails(function() nn.conv2d(16, 16, 3, { algorithm = "winogard" }) end, "nn.conv2d", "winogard", "auto, gather, winograd")
	fails(function() nn.cnn{ algorithm = "fft" } end, "nn.cnn", "fft", "gather")
	fails(function() nn.resnet{ algorithm = 3 } end, "nn.resnet", "algorithm", "a string")
	equal(tostring(nn.conv2d(1, 1, 1, { algorithm = "gather" })):match "algorithm = \"%w+\"", "algorithm = \"gather\"")
	local function with(convolution)
		return function()
			trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
				batch = 32, convolution = convolution }
		end
	end
	fails(with "gather", "convolution", "a table of algorithms by shape", "string 'gather'")
	fails(with{ "gather" }, "convolution", "names of algorithms by shape")
	fails(with{ [both] = 3 }, "convolution", "number 3")
	fails(with{ [both] = "fft" }, "convolution['" .. both .. "']", "'fft'", "gather, winograd")
	fails(with{ [both] = "gather gather" }, "one algorithm, or three")
	for _, shape in ipairs{ "16", both .. " ", "016x8x8-16:3x3s1p1", "16x8x8-16:3x3s1p1g5", "16x8x8-16:9x9s1p0", "16x8x8-16:3x3s0p1",
		"99999999999x8x8-16:3x3s1p1" } do
		fails(with{ [shape] = "gather" }, "is no convolution's shape")
	end
end)

-- One message is printed, and nothing in the file applies.
local function ignored(text, ...)
	write(path, text)
	local out = run("print(1)" .. make .. ("print(t.recipe.convolution[%q])"):format(both))
	local said, rest = out:match "^([^\n]*)\n(.*)$"
	equal(rest, "1\nwinograd")
	for _, word in ipairs{ path, "is ignored", ... } do
		if not said:find(word, 1, true) then error(word .. " is not in " .. said) end
	end
end

test("the file belongs to the version that made it", function()
	local version = command "--version":match "%d+%.%d+%.%d+%S*"
	equal(measured:match "^[^\n]*\n([^\n]*)", "version " .. version)
end)

test("a file that is foreign or damaged is ignored, with one message", function()
	tuned "gather"
	local good = read(path)
	ignored("", "ends after line 0")
	ignored("\n", "line 1", "''")
	ignored("nonsense\n" .. good, "line 1", "nonsense")
	ignored(good:gsub("version [%d.]+", "version 9.9"), "line 2", "version 9.9")
	ignored(good:gsub("cpu %S+", "cpu other"), "line 3", "cpu other")
	ignored(good:gsub("threads %d+", "threads"), "line 4")
	ignored(good:match "^.-\n.-\n.-\n", "ends after line 3")
	ignored(good .. "16x8x8-16:3x3s1p1 forward", "line 8 is cut off")
	ignored(good .. "16x8x8-16:3x3s1p1 forward\n", "line 8", "expected a shape")
	ignored(good .. "16x8x8-16:3x3s1p1 forward gather x\n", "line 8", "expected a shape")
	ignored(good .. "16x8x8-16:3x3s1p1 sideways gather\n", "line 8", "sideways")
	ignored(good .. "16x8x8-16:3x3s1p1 forward fft\n", "line 8", "fft")
	ignored(good .. "16x8x8:3x3s1p1 forward gather\n", "line 8", "16x8x8:3x3s1p1")
	ignored(good .. ("x"):rep(300) .. "\n", "line 8")
	ignored(good .. "\0\n", "line 8")
	ignored(("x"):rep(1 << 21), "more than tuned choices take")
	sh(("rm '%s' && mkdir '%s'"):format(path, path))
	local out = run "print(1)"
	if not out:find("not a regular file", 1, true) then error(out) end
	sh(("rmdir '%s'"):format(path))
	equal(run "print(1)", "1")
end)

test("another number of threads has the same choices", function()
	tuned "gather"
	write(path, (read(path):gsub("threads %d+", "threads 77")))
	equal(chosen(), "gather")
end)

test("an unknown name in BARLOW_CONV is reported as ignored", function()
	tuned "gather"
	local out = chosen "BARLOW_CONV=winogard"
	if not out:find("BARLOW_CONV: there is no convolution algorithm 'winogard'", 1, true) then error(out) end
	equal(out:match "[^\n]*$", "gather")
end)

test("barlow tune measures a recipe's shapes, and forgets", function()
	local function tune(arguments)
		return sh(("XDG_CACHE_HOME='%s' '%s' tune %s 2>&1; echo $?"):format(scratch, barlow, arguments))
	end
	sh(("rm -f '%s'"):format(path))
	write(scratch .. "/recipe.lua", make:gsub("^local t =", "return"))
	local out = tune(scratch .. "/recipe.lua")
	for _, word in ipairs{ "1x8x8-16:3x3s1p1 ", both, "chosen", "kept in " .. path .. "\n0" } do
		if not out:find(word, 1, true) then error(word .. " is not in\n" .. out) end
	end
	equal(select(2, read(path):gsub("\n", "\n")), 4 + 6)
	if not tune(scratch):find(both, 1, true) then error "a folder with a recipe" end
	equal(tune "--forget", "removed " .. path .. "\n0")
	equal(tune "--forget", "nothing was stored in " .. path .. "\n0")
	equal(tune "no-such-run", "barlow tune: 'no-such-run' is neither a run nor the file of a recipe\n1")
	write(scratch .. "/recipe.lua", "return 1")
	if not tune(scratch):find "expected a file that returns a trainer" then error "a number is no trainer" end
	if not tune "--what":find("unknown option '%-%-what'.*\n2$") then error "an unknown option" end
	if not tune "a b":find("'b' is one argument too many.*\n2$") then error "two runs" end
	if not tune "-t 0":find("from 1 to 256, got '0'.*\n2$") then error "no threads" end
	if not tune "--help":find("^usage: barlow tune.*\n0$") then error "help" end
end)
-- A file with that text, or a folder with it, is refused in one line that contains these words.
test("barlow tune reports in one line what a file lacks, without the position in barlow's own code", function()
	local path = scratch .. "/given.lua"
	for _, case in ipairs{
		{ "", path .. " is empty: expected a file that returns a trainer" }, { " -- nothing\n", "returns no trainer" },
		{ "return 3", "returns no trainer" }, { "return false", "returns no trainer" }, { "return", "returns no trainer" },
		{ "return trainer{", "given.lua:1:" }, { "error 'mine'", "mine" }, { "-- This text lacks a layer\nreturn trainer{}", "lacks a layer" },
		{ "return trainer{ data = data.shapes{ n = 3 }, encoder = nn.linear(0, 1) }", "nn.linear: 'inputs' must be" },
		{ "return trainer{ data = data.folder{ path = '/nonexistent', fingerprint = 'v1 1 files, names 0' }, encoder = nn.relu() }",
			"/nonexistent" },
		{ "return trainer{ barlow = '99.1', data = data.shapes{}, encoder = nn.relu() }", "the recipe was written by barlow 99.1" },
	} do
		write(path, case[1])
		local said = command("tune " .. path)
		if not said:find(case[2], 1, true) then error(said) end
		if said:find "traceback" or said:find "barlow%.[%w_]+:%d" then error(said) end
		equal(said:match "^barlow tune: [^\n]*\nstatus (%d+)$", "1", said)
	end
	sh(("mkdir -p '%s/folder'"):format(scratch))
	equal(command(("tune '%s/folder'"):format(scratch)):match "has no recipe.lua %(runs of C programs have none%)" ~= nil, true)
	equal(command("tune /nonexistent"), "barlow tune: '/nonexistent' is neither a run nor the file of a recipe\nstatus 1")
	equal(command("tune --data /nonexistent " .. path), "barlow tune: --data /nonexistent: there is no such file or folder\nstatus 1")
end)

sh(("rm -r '%s'"):format(scratch))
tap.done()
