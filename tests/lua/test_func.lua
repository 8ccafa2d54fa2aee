-- SPDX-License-Identifier: GPL-3.0-or-later
-- nn.func: layers written in Lua, on the script's thread and on the trainer's.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local function small_trainer(encoder, steps, of)
	return trainer{
		data = data.shapes{ n = 64, size = 8, channels = 1, seed = 1 }, encoder = encoder, projector = false,
		views = aug.crop{ size = 8, scale = { .5, 1 } }, batch = 32, steps = steps, epochs = 100, seed = 1,
		optim = optim.sgd{ lr = .01, momentum = 0 }, loss = of,
	}
end

test("a function of a tensor is a module", function()
	local f = nn.func(function(x) return x:relu() * 2 end)
	close(f(tensor{ { -1, 3 } }), { { 0, 6 } })
	equal(tostring(f), "nn.func{f = function(x) return x:relu() * 2 end, name = \"func\"}")
	local x = tensor{ { -1, 3 } }:requires_grad(true)
	nn.sequential(f, f)(x):sum():backward()
	close(x.grad, { { 0, 4 } })
end)

test("upvalues are shared on the script's thread", function()
	local factor = 2
	local f = nn.func(function(x) return x * factor end)
	factor = 3
	close(f(tensor{ { 1 } }), { { 3 } })
end)

test("it is copied to the trainer's thread with plain upvalues, tensors and modules of barlow", function()
	local factor, flag, name = 2, true, "soft"
	local list = { 1, { scale = .5 } }
	local shift = tensor.full({ 16 }, .25)
	local t = tensor
	local layer = nn.func(function(x)
		assert(flag and name == "soft" and math.pi > 3)
		assert(t.zeros(1):item() == 0 and tensor.zeros(1):item() == 0)
		return (x * factor * list[2].scale + shift):tanh()
	end, { name = "soft" })
	local run = small_trainer(nn.sequential(nn.flatten(), nn.linear(64, 16):init(2), layer), 6)
	run:start():wait()
	equal(run.state, "done")
	local again = small_trainer(nn.sequential(nn.flatten(), nn.linear(64, 16):init(2), nn.tanh()), 6)
	equal(#again, 0)
	-- the same run with the function on this thread gives the same numbers
	local here = small_trainer(nn.sequential(nn.flatten(), nn.linear(64, 16):init(2), layer), 6)
	here:step(6)
	equal(here.terms.total, run.terms.total)
end)

test("its own parameters train, on either thread", function()
	local function run_it(on_thread)
		tensor.manual_seed(4)
		local w = tensor.randn(64, 16) * .1
		w = w:detach()
		local before = w:clone()
		local layer = nn.func(function(x) return x:flatten():mm(w) end, { parameters = { weight = w } })
		equal(layer:count(), 64 * 16)
		local t = small_trainer(layer, 5)
		if on_thread then t:start():wait() else t:step(5) end
		if w:allclose(before) then error "the weights did not move" end
		return w
	end
	close(run_it(true), run_it(false), 0, 0)
end)

test("an error in the function ends the run with its message", function()
	local t = small_trainer(nn.func(function(x)
		local flat = x:flatten()
		if flat:size(1) == 32 then error "on purpose" end
		return flat
	end, { name = "broken" }), 3)
	fails(function() t:start():wait() end, "broken", "on purpose")
	equal(t.state, "failed")
end)

test("what cannot be copied is refused by name", function()
	local module, callback = nn.relu(), coroutine.wrap(function() end)
	local nested = { { io.write } }
	local loop = {}
	loop.self = loop
	fails(function() return nn.func(function(x) return module(x) end) end, "'module'", "is module")
	fails(function() return nn.func(function(x) callback() return x end) end, "'callback'", "function")
	fails(function() return nn.func(function(x) return nested and x end) end, "'nested'", "function that is not written in Lua")
	fails(function() return nn.func(function(x) return loop and x end) end, "'loop'", "itself")
	fails(function() return nn.func(print) end, "written in Lua")
	fails(function() return nn.func(3) end, "number")
	fails(function() return nn.func(function() return 3 end)(tensor.zeros(1)) end, "number 3", "tensor")
	fails(function() return nn.func(function(x) return x end, { parameters = { 1 } }) end, "tensors by name")
end)

test("what cannot be written as text is refused by name when the function is made", function()
	local with_meta, g, one = setmetatable({}, { __index = math }), _G, { 1 }
	local two, twice, outer = one, { one, one }, { inner = { globals = _G } }
	local helper = { scale = { 2 } }
	local function scaled(x) return x * helper.scale[1] end
	for _, make in ipairs{ nn.func, loss.func, aug.func } do
		fails(function() make(function(x) return with_meta.abs and x end) end, "'with_meta'", "metatable")
		fails(function() make(function(x) return g and x end) end, "'g'", "_G")
		fails(function() make(function(x) return outer and x end) end, "'outer'", "_G")
		fails(function() make(function(x) return one and two and x end) end, "'one'", "'two'", "same table")
		fails(function() make(function(x) return twice and x end) end, "'twice'", "one table twice")
		make(function(x) return scaled(x) * helper.scale[1] end)
	end
end)

test("a global that does not exist is named when the layer or the loss is made", function()
	local function helper(x) return mispelt(x) end
	local run = { data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
		projector = { 8 }, batch = 32 }
	for name, f in pairs{
		tensr = function(x) return tensr.zeros(1) end, mispelt = function(x) return helper(x) end,
		missing_one = function(x) return (function() return x * missing_one end)() end,
	} do
		local wrong = "the global '" .. name .. "', which does not exist"
		fails(function() nn.func(f) end, "nn.func: ", wrong)
		fails(function() loss.func(f) end, "loss.func: ", wrong)
		run.loss = f
		fails(function() trainer(run) end, "loss", wrong)
	end
	fails(function() nn.func(function(x) return tensr.zeros(1) end) end, "(did you mean 'tensor'?)")
	fails(function() aug.func(function(x) return tensr.zeros(1) end) end, "(did you mean 'tensor'?)")
end)

test("globals that exist or that the function sets are accepted", function()
	function some_function(x) return x * 2 end
	for _, f in ipairs{
		function(x) return some_function(x) end, some_function, function(x) return os and math.abs(1) * x end,
		function(x) some_count = (some_count or 0) + 1 return x end,
		function(x) local function set() some_count = 1 end set() return x * some_count end,
		function(x) local _ENV = { v = 1 } return x * v end,
	} do
		nn.func(f)(tensor{ { 1 } })
		loss.func(f)
	end
	some_function, some_count = nil, nil
end)

test("functions and library functions that it refers to are copied, too, including itself", function()
	local exp, rep = math.exp, string.rep
	local function double(x) return x * 2 end
	local function power(x, n) return n == 0 and x * 0 + 1 or x * power(x, n - 1) end
	local helpers = { double = double, power = power }
	local function run_it(on_thread)
		local layer = nn.func(function(x)
			assert(exp(0) == 1 and rep("a", 2) == "aa")
			return helpers.power(double(x:flatten()), 3):tanh()
		end)
		local t = small_trainer(nn.sequential(layer, nn.linear(64, 8):init(1)), 4)
		if on_thread then t:start():wait() else t:step(4) end
		return t.terms.total
	end
	equal(run_it(true), run_it(false))
end)

test("on the trainer's thread no function reads, writes or runs anything", function()
	local t = small_trainer(nn.func(function(x)
		if not os then
			for _, name in ipairs{ "io", "debug", "package", "require", "load", "data", "trainer", "runs", "plot" } do
				if _G[name] ~= nil then error(name .. " is there") end
			end
			error "as it should be"
		end
		return x:flatten()
	end), 3)
	fails(function() t:start():wait() end, "as it should be")
end)

test("the tables of libraries cannot be written to in a sandbox, and are read as usual", function()
	for _, case in ipairs{
		{ function(x) math.pi = 3 return x end, "math is a library's table", "'pi'" },
		{ function(x) string.rep = nil return x end, "string is a library's table", "'rep'" },
		{ function(x) table.new = 1 return x end, "table is a library's table", "'new'" },
		{ function(x) utf8.char = 1 return x end, "utf8 is a library's table" },
		{ function(x) nn.linear = nn.relu return x end, "nn is a library's table", "'linear'" },
		{ function(x) local t = tensor t.zeros = t.ones return x end, "tensor is a library's table" },
		{ function(x) loss[1] = 2 return x end, "loss is a library's table" },
		{ function(x) table.insert(math, 1) return x end, "cannot be written to" },
		{ function(x) table.move({ 1 }, 1, 1, 1, math) return x end, "cannot be written to" },
		{ function(x) rawset(math, "pi", 3) return x end, "math is a library's table" },
		{ function(x) getmetatable(nn).__index = math return x end, "index a boolean" },
		{ function(x) setmetatable(math, {}) return x end, "protected" },
	} do
		fails(function() aug.func(case[1])(tensor.ones(1, 2, 2)) end, table.unpack(case, 2))
	end
	local layer = nn.func(function(x) if not os then math.pi = 3 end return x end) -- true on the trainer's thread only
	fails(function() small_trainer(nn.sequential(layer, nn.flatten()), 3):start():wait() end, "math is a library's table")
	fails(function()
		small_trainer(nn.flatten(), 3, function(za, zb) if not os then nn.relu = 1 end return ((za - zb) ^ 2):mean() end):start():wait()
	end, "nn is a library's table")
	local all = aug.func(function(x)
		local names, n = {}, 0
		for name, f in pairs(math) do names[name] = f end
		for name in next, math do assert(names[name]) n = n + 1 end
		assert(n > 20 and names.pi == math.pi and names.floor == rawget(math, "floor") and #nn == 0 and next(nn))
		assert(tensor{ 1 }:item() == 1 and ("x"):rep(2) == string.rep("x", 2))
		local fine, why = pcall(function() return nn.lineer end)
		assert(not fine and why:find "did you mean 'linear'", why)
		return x * nn.relu()(tensor(2))
	end)
	close(all(tensor.ones(1, 2, 2)), tensor.full({ 1, 2, 2 }, 2))
end)

test("math.random and math.randomseed work on the trainer's thread, in layers and in losses", function()
	local function noise(x) return x:flatten() * (1 + math.random() * math.random(2) * math.random(0, 1)) end
	local t = small_trainer(nn.sequential(nn.func(noise), nn.linear(64, 8)), 3)
	t:start():wait()
	equal(t.state, "done")
	t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
		projector = { 8 }, batch = 32, steps = 3, epochs = 2, folder = false,
		loss = function(a, b) return ((a - b) ^ 2):mean() * (1 + math.random()) end }
	t:start():wait()
	equal(t.state, "done")
	fails(function() small_trainer(nn.func(function(x) math.random(2, 1) return x:flatten() end), 3):step() end, "interval")
end)

-- Random halves of the input in a layer, and a loss that draws random numbers as well.
local function drawing(more)
	local function dropout(x)
		local keep = ((tensor.rand(x:size(1), x:size(2)) - .5) * 1e9):sigmoid()
		return x * keep * (1 + math.random()) + tensor.randn(x:size(1), x:size(2)) * .01
	end
	local s = { data = data.shapes{ n = 64, size = 8, channels = 1, seed = 1 }, projector = { 8 }, batch = 32, epochs = 150, seed = 3,
		encoder = nn.sequential(nn.mlp(64, { widths = { 16 }, flatten = true }), nn.func(dropout), nn.func(dropout)),
		loss = function(a, b) return ((a - b) ^ 2):mean() * (1 + tensor.rand(1):sum() + math.random(3)) end, folder = false }
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end
local function totals(t)
	local all = t.records.total
	return table.concat({ #all, string.format("%a %a", all[#all], t.terms.total), string.format("%a", all[1]) }, " ")
end

test("random numbers in layers and losses depend on seed and step: on any thread, and after a resume", function()
	local folder = os.tmpname()
	os.remove(folder)
	local straight = drawing()
	straight:start():wait()
	local by_hand = drawing()
	math.randomseed(5)
	by_hand:step(300)
	equal(totals(by_hand), totals(straight))
	local t = drawing{ folder = folder }
	tap.stop_at(t, 7)
	local again = runs.resume(folder)
	equal(again.iteration, t.iteration)
	again:start():wait()
	equal(totals(again), totals(straight))
	os.execute(("rm -rf '%s'"):format(folder))
	if totals(drawing{ seed = 4 }:step(300)) == totals(straight) then error "another seed draws the same" end
	fails(function() drawing{ loss = function(a) tensor.manual_seed(1) return a:mean() end }:step(1) end, "manual_seed")
end)

test("random numbers differ between calls, and the script's own stream is unchanged", function()
	local seen = {}
	local t = drawing{ loss = function(a, b) seen[#seen + 1] = math.random() return ((a - b) ^ 2):mean() end }
	math.randomseed(5)
	t:step(3)
	local mine = math.random()
	equal(#seen, 4) -- the first call was made when the trainer was made
	if seen[2] == seen[3] or seen[3] == seen[4] then error "two steps drew the same" end
	math.randomseed(5)
	equal(math.random(), mine)
end)

test("a function that sets a local variable outside of it is refused when it is made", function()
	local count = 0
	local function counts(x) count = count + 1 return x end
	local function inner(x) return (function() count = 2 return x end)() end
	for _, make in ipairs{ nn.func, loss.func } do
		fails(function() make(counts) end, "it sets 'count', a local around it", "resumed")
		fails(function() make(inner) end, "it sets 'count'")
		fails(function() make(function(x) return counts(x) end) end, "it sets 'count'")
		make(function(x) local own = 0 local function add() own = own + 1 end add() return x * own end)
	end
end)

test("an endless loop on the trainer's thread ends when the run is stopped", function()
	local t = small_trainer(nn.func(function(x)
		while not os do end
		return x:flatten()
	end), 3)
	t:start()
	equal(t:wait(.5), false)
	t:stop()
	equal(t.state, "stopped")
	equal(#t, 0)
end)

test("unreferenced objects are collected", function()
	local gone = setmetatable({}, { __mode = "k" })
	for _ = 1, 20 do
		local f = function(x) return x end
		gone[f] = true
		nn.sequential(nn.func(f))
	end
	for _ = 1, 4 do collectgarbage() end -- an object with a finalizer keeps what it refers to for one more cycle
	equal(next(gone), nil)
end)

test("modules that contain functions are released", function()
	for _ = 1, 50 do
		local big = tensor.zeros(1000)
		nn.sequential(nn.func(function(x) return x + big[1] end))(tensor.zeros(2, 2))
	end
	collectgarbage()
end)
test("a coroutine that called a module is not freed before another thread of the script calls one", function()
	local net, seen = nn.relu(), setmetatable({}, { __mode = "v" })
	seen[1] = coroutine.create(function() net(tensor.ones(1)) end)
	coroutine.resume(seen[1])
	for _ = 1, 2 do collectgarbage() end
	equal(seen[1] ~= nil, true) -- making and releasing a function uses its stack
	nn.func(function(x) return x end)
	net(tensor.ones(1))
	for _ = 1, 2 do collectgarbage() end
	equal(seen[1], nil)
end)
tap.done()
