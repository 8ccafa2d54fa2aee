-- SPDX-License-Identifier: GPL-3.0-or-later
-- Functions in recipes: extracted from their chunks as text, written with their upvalues, read back, resumed.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local setup = require "setup"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails
local read, write, exists = setup.read, setup.write, setup.exists

local scratch = os.tmpname()
os.remove(scratch)
os.execute(("mkdir -p '%s'"):format(scratch))
local count = 0
local function place() count = count + 1 return scratch .. "/" .. count end

local function small(layer, more)
	local s = {
		data = data.shapes{ n = 64, size = 8, channels = 1, seed = 1 }, projector = { 8 }, batch = 32, epochs = 6, seed = 1,
		encoder = nn.sequential(nn.flatten(), nn.linear(64, 8), layer), folder = false, optim = optim.sgd{ lr = .05 },
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end

-- What a recipe contains for the function.
local function text_of(f) return tostring(small(nn.func(f)).recipe.encoder[3].f) and tostring(small(nn.func(f)).recipe) end
local function has(text, ...)
	for _, words in ipairs{ ... } do
		if not text:find(words, 1, true) then error(("no '%s' in\n%s"):format(words, text), 2) end
	end
end

test("its exact text", function()
	has(text_of(function(x) return x * 2 --[[ end ]] end), "f = function(x) return x * 2 --[[ end ]] end,")
	has(text_of(function(x)
		local text = [==[ function() end ]] ]==] .. "end\"" .. 'end' -- end
		if #text > 0 then for _ = 1, 2 do local f = function() return 1 end f() end end
		repeat local done = true until done
		while false do end
		return x
	end), [[]==] .. "end\"" .. 'end' -- end]], "while false do end\n\t\treturn x\n\tend,")
end)

test("of two functions on a line, the right one", function()
	local a, b, k = function(x) return x + 1 end, function(x) return x + 2 end, 3 local c = function(x) return x + k end
	has(text_of(a), "f = function(x) return x + 1 end,")
	has(text_of(b), "f = function(x) return x + 2 end,")
	has(text_of(c), "local k = 3", "return function(x) return x + k end")
	local p, q = 1, 2 local d, e = function(x) return x * p + q end, function(x) return x * q + p end
	has(text_of(d), "return function(x) return x * p + q end")
	has(text_of(e), "return function(x) return x * q + p end")
end)

test("functions with names, methods", function()
	local function named(x) return x * 3 end
	local t = {}
	function t.field(x) return x * 4 end
	has(text_of(named), "f = function(x) return x * 3 end,")
	has(text_of(t.field), "f = function(x) return x * 4 end,")
end)

test("a name with comments and line ends in it", function()
	local --[[ of the layer ]] function --x ( y
		commented (x) return x * 31 end
	has(text_of(commented), "f = function\n(x) return x * 31 end,")
	local t = { inner = {} }
	function t -- :method(
		.inner
		--[==[ ( ]==] .far(x)
		local twice = function(y) return y * 2 end
		return twice(x)
	end
	has(text_of(t.inner.far), "return twice(x)\n\tend,")
	function
		t:method --[[ ) ]] ( )
		return self * 32
	end
	has(text_of(t.method), "self )\n\t\treturn self * 32\n\tend,")
	function t.inner : -- more
		more( y )
		return y and self * 33 or self
	end
	has(text_of(t.inner.more), "self,  y )\n\t\treturn y and self * 33 or self\n\tend,")
	for _, f in ipairs{ commented, t.inner.far } do
		local again = load("return " .. text_of(f))().encoder[3]
		local first = nn.func(f)
		close(again(tensor{ { 1, 2 } }), first(tensor{ { 1, 2 } }), 0, 0)
	end
end)

test("from the command line, as the prompt loads code, a file, a module", function()
	local chunk = "return function(x) return x * 5 end"
	has(text_of(load(chunk)()), "f = function(x) return x * 5 end,")
	has(text_of(load(chunk, "=stdin")()), "f = function(x) return x * 5 end,")
	write(scratch .. "/file.lua", "#!/bin/barlow\n" .. chunk)
	has(text_of(dofile(scratch .. "/file.lua")), "f = function(x) return x * 5 end,")
	write(scratch .. "/amodule.lua", chunk)
	package.path = scratch .. "/?.lua;" .. package.path
	has(text_of(require "amodule"), "f = function(x) return x * 5 end,")
	write(scratch .. "/amodule.lua", "return function(x) return x * 6 end") -- its text is the one that was loaded
	has(text_of(require "amodule"), "f = function(x) return x * 5 end,")
end)

test("upvalues", function()
	local whole, part, flag, name, nothing = 3, .1, true, "a\0b", nil
	local list = { 1, { scale = .5 }, ["a key"] = -0.0 }
	local exp, t, huge = math.exp, tensor, 1 / 0
	local function helper(x) return x * exp(0) end
	local function power(x, n) return n == 0 and x * 0 + 1 or x * power(x, n - 1) end
	local text = text_of(function(x)
		assert(flag and name and nothing == nil and huge > 0 and t)
		return helper(power(x, whole)) * part * list[2].scale
	end)
	has(text, "local whole = 3\n", "local part = 0.1\n", "local flag = true\n", [[local name = "a\0b"]], "local nothing\n",
		'["a key"] = -0.0', "scale = 0.5", "local exp = math.exp\n", "local t = tensor\n", "local huge = 1/0\n",
		"local helper = (function()", "power = function(x, n)", "return power\n")
end)

test("constants from around it, whose values are in its code, are written as well", function()
	local two <const> = 2
	local four <const> = two * two
	local first <const>, unused <const> = 1, "unused" -- only the last one is not a variable
	local name --[[ with comments ]] <const> = -- here, too
		"a\"b"
	local two_lines <const> = (two
		+ 1) * -1e-3
	local on <const>, open <close> = true, setmetatable({}, { __close = function() end })
	local list <const> = { 3 }
	do
		local two <const> = 9
		has(text_of(function(x) return x * two end), "local two <const> = 9\n", "return function(x) return x * two end")
	end
	local function shadowing(two) return two end
	local text = text_of(shadowing)
	equal(text:find "const", nil)
	text = text_of(function(x) return x * two end)
	has(text, "f = (function()\n", "local two <const> = 2\n", "return function(x) return x * two end\n", "end)()")
	equal(text:find "unused", nil)
	has(text_of(function(x) return four * x end), "local two <const> = 2\n", "local four <const> = two * two\n")
	has(text_of(function(x) return name ~= "b" and x * list[1] * two_lines end), [[local name <const> = "a\"b"]], "local list = {3}",
		"local two_lines <const> = (two\n\t\t+ 1) * -1e-3\n")
	has(text_of(function(x) return (function() return on and first and unused and x end)() end), "local on = true", "local first = 1", "local unused <const> =")
	has(text_of(function(x) local two <const> = 7 return x * two end), "f = function(x) local two <const> = 7 return x * two end")
	local function uses(x) return x * two end
	local function method(x) return uses(x) + four end
	has(text_of(method), "local uses = (function()", "local four <const> = two * two\n")
	local number <const> = 5
	(function() return 1 end)()
	has(text_of(function(x) return x * number end), "local number <const> = 5\n")
	local factor <const> = { 2 }
	local within = aug.func(function(img) return (function() return img * factor[1] * two end)() end)
	local rebuilt = load("return " .. tostring(within))()
	equal(within == rebuilt, true)
	has(tostring(rebuilt), "local two <const> = 2\n", "local factor = {2}")
	local one = #list
	local not_folded <const> = one
	has(text_of(function(x) return x * not_folded end), "local not_folded = 1\n")
	has(text_of(function(x) local function not_folded() return 2 end return x * not_folded() end), "f = function(x) local")
end)

test("the reason why a function cannot be written", function()
	local ping, pong
	function ping(x, n) return n and pong(x) or x end
	function pong(x) return ping(x) end
	local many = {}
	for i = 1, 100 do many[i] = ("function(x) return x * %d end"):format(i) end
	many = load("return {" .. table.concat(many, ", ") .. "}")()
	for _, case in ipairs{
		{ ping, "refer to each other" },
		{ many[100], "more than 64 functions are on the same lines" },
		{ load((function() local done return function() if done then return nil end done = true
			return "return function(x) return x end" end end)(), "=unkept")(), "the text of its chunk is not stored" },
	} do
		local t = small(nn.func(case[1]))
		has(tostring(t.recipe), "f = nil --[[ the function of ", case[2])
	end
end)

local function sum(t)
	local parts = {}
	for _, m in ipairs{ t.encoder, t.projector } do
		for name, w in m:parameters() do parts[#parts + 1] = name .. table.concat(w:contiguous():view(-1):totable(), " ") end
	end
	return table.concat(parts, "\n")
end

test("a run with a function that uses a <const> from around it is resumed", function()
	local shift <const>, folder = .25, place()
	local function layer() return nn.func(function(x) return x + shift end) end
	local t = tap.stop_at(small(layer(), { epochs = 20, folder = folder }), 3)
	equal(read(folder .. "/recipe.lua"):find("This text lacks", 1, true), nil)
	local u = runs.resume(folder)
	equal(tostring(u.recipe), tostring(t.recipe))
	u:start():wait()
	local straight = small(layer(), { epochs = 20 })
	straight:step(#u)
	equal(sum(u), sum(straight))
end)

-- A layer with parameters of its own, a table of constants, and a tensor that is not a parameter.
local function own_layer()
	tensor.manual_seed(7)
	local w, shift = (tensor.randn(8, 8) * .3):detach(), tensor.full({ 8 }, .25)
	local rates = { .5, 2 }
	return nn.func(function(x) return (x:mm(w) * rates[1] + shift * rates[2]):tanh() + x end,
		{ name = "own", parameters = { weight = w } })
end

test("a run with a layer in Lua is resumed to the same bits", function()
	local straight = small(own_layer(), { epochs = 100 })
	straight:step(200)
	local folder = place()
	local t = small(own_layer(), { epochs = 100, folder = folder })
	tap.stop_at(t, 20)
	local text = read(folder .. "/recipe.lua")
	has(text, 'tensor.load("shift.npy")', 'parameters = {weight = tensor.load("w.npy")}', 'local w = tensor.load("w.npy")')
	equal(text:find("This text lacks", 1, true), nil)
	local u = runs.resume(folder)
	equal(u.iteration, t.iteration)
	equal(tostring(u.recipe), tostring(t.recipe))
	u:start():wait()
	equal(u.state, "done")
	equal(sum(u), sum(straight))
	equal(read(folder .. "/recipe.lua"), text)
	equal(exists(folder .. "/recipe.lua.1"), false)
	equal(exists(folder .. "/w-2.npy"), false)
end)

test("trainer(recipe) makes the same run again, from the start", function()
	local t = small(own_layer())
	t:step(6)
	local u = trainer(t.recipe)
	u:step(6)
	equal(sum(u), sum(t))
	t:step(6)
	equal(sum(u) ~= sum(t), true) -- no weights are shared
	equal(tostring(u.recipe), tostring(t.recipe))
	local plain = small(nn.func(function(x) return x * .5 end))
	plain:step(3)
	local again = trainer(plain.recipe)
	again:step(3)
	equal(sum(again), sum(plain))
end)

test("a layer from a recipe runs without os on this thread, too", function()
	local folder = place()
	tap.stop_at(small(nn.func(function(x)
		if os == nil and tensor.ones(1):item() == 2 then error "never" end
		return x
	end), { folder = folder }), 2)
	write(folder .. "/recipe.lua", read(folder .. "/recipe.lua"):gsub("tensor.ones%(1%):item%(%) == 2", "true"))
	fails(function() runs.resume(folder) end, "func: ", "never")
end)

test("an edited recipe is kept when the run is resumed", function()
	local folder = place()
	tap.stop_at(small(nn.relu(), { folder = folder, epochs = 1000 }), 2)
	local path = folder .. "/recipe.lua"
	local text = read(path)
	local mine = "-- my note\n" .. text:gsub("epochs = 1000", "epochs = 20 * 50")
	write(path, mine)
	tap.stop_at(runs.resume(folder), 4)
	equal(read(path), text)
	equal(read(path .. ".1"), mine)
	write(path, "-- another\n" .. text)
	tap.stop_at(runs.resume(folder), 6)
	equal(read(path .. ".1"), mine)
	equal(read(path .. ".2"), "-- another\n" .. text)
	tap.stop_at(runs.resume(folder), 8)
	equal(exists(path .. ".3"), false)
end)

test("an existing tensor file with another content is not overwritten", function()
	local folder = place()
	os.execute(("mkdir -p '%s'"):format(folder))
	tensor.zeros(3):save(folder .. "/shift.npy")
	local t = small(own_layer(), { folder = folder })
	t:start():wait()
	has(read(folder .. "/recipe.lua"), 'tensor.load("shift-2.npy")')
	close(tensor.load(folder .. "/shift.npy"), { 0, 0, 0 })
end)

os.execute(("rm -r '%s'"):format(scratch))
tap.done()
