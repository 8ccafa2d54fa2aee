-- SPDX-License-Identifier: GPL-3.0-or-later
-- aug.func: augmentations written in Lua, in the loader's threads.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, close, fails = tap.test, tap.equal, tap.near, tap.close, tap.fails

local ds = data.shapes{ n = 96, size = 8, channels = 3, seed = 1 }
local image = ds[1].image

-- Calls f on the image with random numbers that depend on the name.
local function call(f, options) return aug.func(f, options)(image, 3) end

-- The views of all batches in order.
local function batches(views, threads)
	local out = {}
	for _, a, b in data.loader{ data = ds, views = views, batch = 32, epochs = 2, seed = 5, workers = threads } do
		out[#out + 1], out[#out + 2] = a:clone(), b:clone()
	end
	return out
end

test("a function of an image is an operator", function()
	close(call(function(img) return img * .5 end), image * .5)
	local flipped = aug.compose{ aug.flip(1), aug.func(function(img) return img end) }(image)
	close(flipped, aug.flip(1)(image))
	equal(#aug.compose{ aug.crop(4), aug.func(function(img) return img end), aug.flip() }, 3)
end)

test("the size is that of the result, or the declared one", function()
	local half = aug.func(function(img) return img:reshape(3, 4, 2, 4, 2):mean(5):mean(3) end, { size = 4 })
	equal(table.concat(half(image):shape(), " "), "3 4 4")
	equal(table.concat(aug.compose{ half, aug.resize(6) }(image):shape(), " "), "3 6 6")
	fails(function() return call(function(img) return img[1] end) end, "(8, 8)", "expected (3, 8, 8)")
	fails(function() return call(function(img) return img:flatten() end, { size = 4 }) end, "expected (3, 4, 4)")
end)

test("images have any number of channels, as planes", function()
	local x = tensor.rand(5, 3, 4)
	close(aug.func(function(img) return img:narrow(1, 2, 4):cat(img:narrow(1, 1, 1), 1) end)(x), x:narrow(1, 2, 4):cat(x:narrow(1, 1, 1), 1))
	close(aug.func(function(img) return img:transpose(2, 3):contiguous():transpose(2, 3) end)(x), x)
end)

test("upvalues are copied, tables cannot be written to, tensors are shared", function()
	local factor, list, name = .5, { .5, { .25, x = "y" } }, "n"
	local mean = tensor.full({ 3, 1, 1 }, .5)
	local function double(x) return x * 2 end
	local f = aug.func(function(img)
		local n, sum = 0, 0
		for _ in pairs(list[2]) do n = n + 1 end
		for _, v in ipairs{ table.unpack(list, 1, 1) } do sum = sum + v end
		assert(n == 2 and sum == .5 and #list == 2 and next(list) == 1 and name == "n" and list[2].x == "y")
		return double(img - mean) * factor * list[1]
	end)
	factor = 3 -- the pipeline keeps the value from when it was made
	close(f(image), (image - .5) * .5)
	fails(function() call(function(img) list[1] = 2 return img end) end, "cannot be written to")
	fails(function() call(function(img) list[2].x = 2 return img end) end, "cannot be written to")
	fails(function() call(function(img) table.insert(list, 2) return img end) end, "cannot be written to")
	fails(function() call(function(img) table.move({ 1, 2 }, 1, 2, 1, list) return img end) end, "cannot be written to")
	fails(function() call(function(img) rawset(list, 1, 2) return img end) end, "cannot be written to")
	fails(function() call(function(img) setmetatable(list, {}) return img end) end, "protected metatable")
	close(call(function(img) return img * rawget(list, 1) * rawlen(list) end), image)
	close(call(function(img) return img * table.move(list, 1, 1, 1, {})[1] end), image * .5)
end)

test("tensors among the upvalues are copied and cannot be written to", function()
	local m = tensor.full({ 3, 8, 8 }, .5)
	local holder = { m }
	local f = aug.func(function(img) return img * m end)
	m:fill_(3)
	close(f(image), image * .5)
	m:fill_(.5)
	local writes = {
		fill_ = function(img) m:fill_(2) return img end,
		["fill_ "] = function(img) m[1]:narrow(1, 2, 3):fill_(2) return img end,
		["fill_  "] = function(img) holder[1]:reshape(192):detach():fill_(2) return img end,
		copy_ = function(img) m:copy_(img) return img end,
		["tensor assignment"] = function(img) m[1] = 2 return img end,
		["tensor assignment "] = function(img) m[{ 1, 2, 3 }] = 2 return img end,
		["tensor assignment  "] = function(img) m[m:gt(.1)] = 2 return img end,
		requires_grad = function(img) m:requires_grad(true) return img end,
		params = function(img) optim.sgd{ params = { m }, lr = 1 } return img end,
		["nn.func"] = function(img) nn.func{ function(x) return x end, parameters = { w = m } } return img end,
	}
	for name, write in pairs(writes) do
		fails(function() call(write) end, name:match "[^ ].*[^ ]", "a tensor among the function's upvalues cannot be written to", ":clone()")
	end
	close(f(image), image * .5)
	close(call(function(img) local own = m:clone() own:fill_(2) own[1] = 3 img:fill_(1) return own * img end), tensor.full({ 3, 8, 8 }, 2)
		+ tensor{ 1, 0, 0 }:reshape(3, 1, 1))
	m:requires_grad(true)
	m[1] = 4 -- outside of the function the script's own matrix can be written to
	equal(m[{ 1, 1, 1 }], 4)
end)

test("no state passes from one call to the next by globals or libraries", function()
	fails(function() aug.func(function(img) _G.count = (_G.count or 0) + 1 return img end) end, "_G")
	fails(function() aug.func(function(img) rawset(_G, "count", 1) return img end) end, "_G")
	fails(function() call(function(img) math.count = 1 return img end) end, "is a library's table", "'count'")
	fails(function() call(function(img) tensor.count = 1 return img end) end, "is a library's table")
	fails(function() call(function(img) rawset(string, "count", 1) return img end) end, "string is a library's table")
end)

test("what cannot be copied is refused by name when the pipeline is made", function()
	local module, handle, count, counts = nn.relu(), io.stdout, 0, nil
	local function counter() counts = 1 end
	some_global, some_function = 3, function() end
	fails(function() aug.func(function(x) return module(x) end) end, "aug.func", "'module'", "module")
	fails(function() aug.func(function(x) handle:write "" return x end) end, "'handle'")
	fails(function() aug.func(function(x) count = count + 1 return x end) end, "it sets 'count'")
	fails(function() aug.func(function(x) local function g() count = 1 end g() return x end) end, "it sets 'count'")
	fails(function() aug.func(function(x) counter() return x end) end, "it sets 'counts'")
	fails(function() aug.func(function(x) return x * some_global end) end, "the global 'some_global' (a number)", "local")
	fails(function() aug.func(function(x) return (function() return x * some_global end)() end) end, "'some_global'")
	fails(function() aug.func(function(x) some_function() return x end) end, "'some_function' (a function)")
	fails(function() aug.func(function(x) os.exit(1) return x end) end, "the global 'os'")
	fails(function() aug.func(function(x) return misspelt(x) end) end, "the global 'misspelt', which does not exist")
	fails(function() aug.func(function(x) leak = x return x end) end, "it sets the global 'leak'")
	fails(function() aug.func(print) end, "written in Lua")
	fails(function() aug.func(3) end, "number")
	fails(function() aug.func{} end, "'f'")
	fails(function() aug.func(function(x) return x end, { seconds = 0 }) end, "seconds")
	aug.func(function(x) local _ENV = { v = 1 } v = 2 w = 3 return x * v end)(image) -- an _ENV of its own, not the globals
	local local_count = aug.func(function(x) local n = 0 local function up() n = n + 1 end up() return x * n end)
	close(local_count(image), image)
	some_global, some_function = nil, nil
end)

test("random numbers depend on seed, epoch, sample, view and operator, and not on the thread", function()
	local draws = {
		function(x, rng) return x * 0 + rng:uniform() end, function(x) return x * 0 + math.random() end,
		function(x) return x * 0 + tensor.rand(1):item() end, function(x) return x * 0 + tensor.randn(3, 8, 8) end,
		function(x, rng) return x * 0 + rng:beta(.4) end, function(x, rng) return x * 0 + rng:normal(2, .1) end,
		function(x, rng) return aug.crop{ size = 8, scale = { .1, .2 } }(x) end,
	}
	for _, f in ipairs(draws) do
		local pipe = aug.func(f)
		close(pipe(image, 3), pipe(image, 3), 0, 0)
		if pipe(image, 3):allclose(pipe(image, 4)) then error "another seed draws the same" end
		local twice = aug.compose{ aug.func(function(x, rng) return x * 0 + rng:uniform() end),
			aug.func(function(x, rng) return x * 0 + rng:uniform() end) }
		if twice(image, 3):allclose(aug.func(function(x, rng) return x * 0 + rng:uniform() end)(image, 3)) then
			error "the second operator draws what the first one did"
		end
	end
	fails(function() call(function(x) math.randomseed(3) return x end) end, "randomseed")
end)

test("the numbers that rng draws have the documented distribution", function()
	local function moments(draw)
		local both = aug.func(function(x, rng)
			local sum, squares = 0, 0
			for _ = 1, 20000 do
				local v = draw(rng)
				sum, squares = sum + v, squares + v * v
			end
			return x * 0 + tensor{ sum / 20000, squares / 20000, 0 }:reshape(3, 1, 1)
		end)(image, 1)
		local mean = both[1][1][1]
		return mean, both[2][1][1] - mean ^ 2
	end
	local function check(mean, variance, draw)
		local m, v = moments(draw)
		near(m, mean, 5 * math.sqrt(variance / 20000), "mean")
		near(v, variance, .06 * variance, "variance")
	end
	check(.75, .25 / 12, function(rng) return rng:uniform(.5, 1) end)
	check(2, .25, function(rng) return rng:normal(2, .5) end)
	check(3.5, 35 / 12, function(rng) return rng:integer(6) end)
	check(0, 2 / 3, function(rng) return rng:integer(-1, 1) end)
	check(.2, .16, function(rng) return rng:bernoulli(.2) and 1 or 0 end)
	check(2.1, .69, function(rng) return rng:choice({ 1, 2, 3 }, { .3, .3, .4 }) end)
	check(2, 2 / 3, function(rng) return rng:choice{ 1, 2, 3 } end)
	check(.5, 1 / (4 * 1.8), function(rng) return rng:beta(.4) end)
	check(2 / 7, 10 / (49 * 8), function(rng) return rng:beta(2, 5) end)
	check(.5, 1 / 12, function() return math.random() end)
	check(3.5, 35 / 12, function() return math.random(6) end)
end)

test("rng refuses invalid arguments", function()
	local function refused(draw, ...) fails(function() call(function(x, rng) draw(rng) return x end) end, ...) end
	refused(function(rng) rng:uniform(2, 1) end, "below the lower")
	refused(function(rng) rng:uniform(2) end, "upper bound")
	refused(function(rng) rng:integer(0) end, "no integer")
	refused(function(rng) rng:bernoulli(2) end, "0 to 1")
	refused(function(rng) rng:choice{} end, "nothing to choose")
	refused(function(rng) rng:choice({ 1 }, { 1, 2 }) end, "as many weights")
	refused(function(rng) rng:choice({ 1, 2 }, { 0, 0 }) end, "above 0")
	refused(function(rng) rng:beta(0) end, "above 0")
	refused(function(rng) rng:normal(0, -1) end, "below 0")
	refused(function(rng) rng:unifrom() end, "uniform")
end)

test("info has sample, epoch, step, view and label, counted from 1", function()
	local say = aug.func(function(img, _, info)
		return img * 0 + tensor{ info.sample + 1000 * info.epoch, info.step, info.view + 10 * info.label }:reshape(3, 1, 1)
	end)
	local plain = aug.compose{ say, aug.normalize{ mean = 0, std = 1 } }
	local seen, step = {}, 0
	for k, a, b in data.loader{ data = ds, views = plain, batch = 32, epochs = 2, seed = 5 } do
		for v, batch in ipairs{ a, b } do
			for i = 1, 32 do
				local sample = math.tointeger(batch[i][1][1][1])
				local epoch, row = sample // 1000, sample % 1000
				equal(epoch, (k - 1) // 3 + 1)
				equal(batch[i][2][1][1], k)
				equal(batch[i][3][1][1], v + 10 * ds[row].label)
				seen[("%d %d %d"):format(epoch, v, row)] = true
			end
		end
		step = k
	end
	equal(step, 6)
	local n = 0
	for _ in pairs(seen) do n = n + 1 end
	equal(n, 2 * 2 * 96)
	local bare = data.tensor(tensor.rand(4, 1, 8, 8))
	for _, a in data.loader{ data = bare, views = aug.func(function(img, _, info)
		assert(info.label == nil)
		return img
	end), batch = 4, epochs = 1 } do
		equal(a:size(1), 4)
	end
end)

test("the same views at 1, 2 and 4 threads", function()
	local views = aug.twin(
		aug.compose{ aug.crop(8), aug.func(function(x, rng, info)
			if rng:bernoulli(.5) then x = x:transpose(2, 3) end
			return x * rng:uniform(.5, 1) + math.random() * info.epoch / 10
		end), aug.blur{ p = .5 } },
		aug.func(function(x) return x + tensor.randn(3, 8, 8) * .1 end))
	local one = batches(views, 1)
	equal(#one, 12)
	for _, threads in ipairs{ 2, 4 } do
		for i, b in ipairs(batches(views, threads)) do close(b, one[i], 0, 0) end
	end
end)

local scratch = os.tmpname()
os.remove(scratch)

local function small(more)
	local strength = { .5, 1 }
	local s = {
		data = ds, encoder = nn.cnn{ channels = 3, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 8, seed = 3,
		views = aug.compose{ aug.crop(8), aug.func(function(x, rng, info)
			return x * rng:uniform(strength[1], strength[2]) + math.random() / info.step
		end) },
	}
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s)
end

test("a run with one is resumed from its recipe to the same bits", function()
	local t = small{ folder = scratch, epochs = 100 }
	tap.stop_at(t, 4)
	local at = t.iteration
	local straight, again = small{ folder = false, epochs = 100 }, runs.resume(scratch)
	equal(again.iteration, at)
	if not tostring(again.recipe):find("rng:uniform(strength[1], strength[2])", 1, true) then error(tostring(again.recipe)) end
	again:step(6)
	straight:step(at + 6)
	for i = 1, at + 6 do equal(again:record(i).total, straight:record(i).total, "loss of step " .. i) end
	os.execute("rm -r " .. scratch)
end)

test("a pipeline prints as Lua code that makes it again", function()
	local k = 2
	local text = tostring(aug.compose{ aug.flip(1), aug.func(function(img) return img * k end) })
	for _, word in ipairs{ "aug.flip", "local k = 2", "img * k", "aug.compose" } do
		if not text:find(word, 1, true) then error("no " .. word .. " in " .. text) end
	end
	close(load("return " .. text)()(image), aug.flip(1)(image) * 2)
end)

test("an error stops training between steps and names the sample, with a traceback", function()
	local t = small{ views = aug.func(function(x, _, info)
		local function deep() if info.step == 3 and info.sample % 7 == 0 then error "on purpose" end end
		deep()
		return x
	end) }
	fails(function() t:start():wait() end, "aug.func, sample ", "of epoch 1", "on purpose", "in local 'deep'", "test_aug_func.lua")
	local row, sample = t.message:match "row (%d+): view 1: aug.func, sample (%d+)"
	equal(row, sample)
	equal(t.state, "failed")
	equal(t.iteration, 2)
end)

test("a call has limits of time and memory, which pcall cannot stop", function()
	fails(function()
		call(function() while true do pcall(function() while true do end end) end end, { seconds = .2 })
	end, "more than 0.2 s")
	fails(function()
		call(function()
			local t = {}
			while true do t[#t + 1] = tensor.zeros(256, 256) end
		end, { memory = 20, seconds = 60 })
	end, "more than 20 MiB")
	fails(function()
		call(function()
			local t = {}
			while true do t[#t + 1] = ("x"):rep(1000) .. #t end
		end, { memory = 20, seconds = 60 })
	end, "more than 20 MiB")
	local many = aug.func(function(x) -- released memory does not count
		for _ = 1, 200 do x = x + tensor.zeros(3, 8, 8) * tensor.zeros(256, 256):sum():item() end
		return x
	end, { memory = 20 })
	close(many(image), image)
	local growing = aug.func(function(x) -- a table of 8 MiB that has grown step by step counts once
		local t = {}
		for i = 1, 5e5 do t[i] = i end
		return x
	end, { memory = 10 })
	close(growing(image), image)
end)

test("values that are not finite, and results that are not images, are reported", function()
	fails(function() call(function(x) return x / 0 end) end, "not finite")
	fails(function() call(function() return 3 end) end, "number 3 instead of an image tensor")
	fails(function() call(function() end) end, "nil instead of an image tensor")
	fails(function() return aug.compose{ aug.normalize(), aug.func(function(x) return x end) } end, "0 to 1")
end)

test("a function within another one has its own image", function()
	local inner = aug.func(function(x)
		local before = x:clone()
		local y = aug.func(function(z) return z * 2 end)(x * .3)
		assert(x:allclose(before))
		return y
	end)
	close(inner(image), image * .6)
end)

test("shapes are lists where functions run sandboxed, too", function()
	close(call(function(img) return img * (#table.concat(img:shape(), " ") / 5) end), image)
	close(call(function(img) return img:reshape(table.unpack(img:shape())) * select("#", table.unpack(img:shape())) end), image * 3)
end)

test("the time of a call is also checked when tensors are made, since few instructions may take long", function()
	local f = aug.func{ function(img)
		local a = tensor.zeros(400, 400)
		for _ = 1, 150 do a:mm(a) end
		return img
	end, seconds = .01 }
	fails(function() f(tensor.zeros(3, 8, 8)) end, "ran for more than 0.01 s")
end)

tap.done()
