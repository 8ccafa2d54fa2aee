-- SPDX-License-Identifier: GPL-3.0-or-later
-- aug.views, aug.repeated: more than two views; aug.batch: functions of whole batches.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local ds = data.shapes{ n = 96, size = 8, channels = 3, seed = 1 }
local image = ds[1].image
local pair = aug.twin(aug.crop{ size = 8, scale = { .5, 1 } }, aug.compose{ aug.crop(8), aug.flip() })

local function shape(t) return table.concat(t:shape(), " ") end

-- All batches in order.
local function batches(views, threads)
	local out = {}
	for _, a, b in data.loader{ data = ds, views = views, batch = 32, epochs = 2, seed = 5, workers = threads } do
		out[#out + 1], out[#out + 2] = a:clone(), b:clone()
	end
	return out
end

-- Halves of two images of the batch, the same in both views.
local function mixup(views, rng)
	local m, other = rng:beta(.4), rng:permutation(views[1]:size(1))
	local out = {}
	for i, v in ipairs(views) do out[i] = v * m + v:rows(other) * (1 - m) end
	return out
end

test("each view has a pipeline and a size of its own", function()
	local v = aug.views{ aug.crop(8), aug.crop(8), aug.crop(4) }
	equal(#v, 3)
	local a, b, c = v(image, 3)
	equal(shape(a) .. ", " .. shape(b) .. ", " .. shape(c), "3 8 8, 3 8 8, 3 4 4")
	if a:allclose(b) then error "two views are the same" end
	close((v(image, 3)), a, 0, 0)
	equal(tostring(v[3]), tostring(aug.crop(4)))
	local steps = 0
	for _, x, y, z, none in data.loader{ data = ds, views = v, batch = 32 } do
		equal(shape(x) .. ", " .. shape(y) .. ", " .. shape(z), "32 3 8 8, 32 3 8 8, 32 3 4 4")
		equal(none, nil)
		steps = steps + 1
	end
	equal(steps, 3)
	local many = aug.views(aug.paper{ size = 8 }, aug.repeated(aug.crop(4), 4))
	equal(#many, 6)
	equal(select("#", many(image)), 6)
	close(load("return " .. tostring(many))()(image, 5), (many(image, 5)), 0, 0)
end)

test("objects that are not views are refused", function()
	fails(function() aug.views{} end, "none")
	fails(function() aug.views{ aug.crop(8), 3 } end, "number 3")
	fails(function() aug.repeated(aug.crop(8), 9) end, "1 to 8")
	fails(function() aug.views{ aug.repeated(aug.crop(8), 8), aug.crop(8) } end, "more than 8")
	local flips = {}
	for i = 1, 63 do flips[i] = aug.flip() end
	local most, more = aug.compose(flips), aug.compose{ aug.compose(flips), aug.vflip() }
	data.loader{ data = ds, views = aug.twin(most, most), batch = 32 }
	fails(function() data.loader{ data = ds, views = aug.twin(most, more), batch = 32 } end, "view 2 has 64 operators and no 'normalize'",
		"at most 63")
	fails(function() aug.views{ aug.batch(mixup), aug.crop(8) } end, "around all views")
	local function small(views)
		return trainer{ data = ds, encoder = nn.cnn{ channels = 3, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32,
			views = views }
	end
	fails(function() small(aug.views{ aug.crop(8) }) end, "one view", "two or more")
	fails(function() small(aug.views{ aug.crop(8), aug.crop(8), aug.crop(4) }) end,
		"view 1 is 8 x 8 and view 3 is 4 x 4, and the network must accept both sizes", "projector[1] (linear 256 -> 8): expected (N, 256)")
	fails(function() small(aug.views{ aug.crop(8), aug.crop(1) }) end, "view 2 is 1 x 1", "both")
end)

local function pooled(views, more)
	local settings = { data = ds, encoder = nn.cnn{ channels = 3, widths = { 4, 8 }, image = 8, pool = true }, projector = { 8 }, batch = 32,
		views = views, epochs = 4, seed = 3, folder = false, knn = { refs = ds, queries = ds, every = 1 } }
	for k, v in pairs(more or {}) do settings[k] = v end
	return trainer(settings)
end

test("an encoder that accepts several sizes is trained on them, to the same bits at any number of threads and when resumed", function()
	for _, views in ipairs{ aug.views{ aug.crop(8), aug.crop(8), aug.crop(4) }, aug.twin(aug.crop(4), aug.crop{ size = 8, scale = { .3, 1 } }),
		aug.batch(mixup, { views = aug.twin(aug.crop(8), aug.crop(4)) }) } do
		local function weights(t)
			local list = {}
			for _, w in t.encoder:parameters() do list[#list + 1] = table.concat(w:contiguous():view(-1):totable(), " ") end
			return table.concat(list, " ")
		end
		local one, folder = pooled(views, { workers = 1 }), os.tmpname()
		one:start():wait()
		equal(#one, 12)
		os.remove(folder)
		tap.stop_at(pooled(views, { workers = 4, folder = folder }), 5)
		local resumed = runs.resume(folder)
		resumed:start():wait()
		equal(weights(resumed), weights(one))
		os.execute("rm -r " .. folder)
	end
end)

test("the loss of views of two sizes is that of their embeddings", function()
	local views = aug.twin(aug.crop(8), aug.crop(4))
	local t = pooled(views, { schedule = "constant", epochs = 3 })
	local _, a, b = data.loader{ data = ds, views = views, batch = 32, epochs = 1, seed = 3 }()
	local za, zb = t.projector(t.encoder(a)), t.projector(t.encoder(b))
	local want = loss.barlow{}(za, zb):item()
	t:step(1)
	tap.near(t.terms.total, want, 1e-5)
end)

test("a function changes whole batches, in the network's layout", function()
	local plain = batches(pair, 1)
	local swapped = batches(aug.batch(function(v) return { v[2], v[1] } end, { views = pair }), 1)
	for i = 1, #plain, 2 do
		close(swapped[i], plain[i + 1], 0, 0)
		close(swapped[i + 1], plain[i], 0, 0)
	end
	local moved = batches(aug.batch(function(v) return { v[1]:contiguous() * 2, v[2] } end, { views = pair }), 2)
	close(moved[3], plain[3] * 2)
end)

test("mixup is the same at 1, 2 and 4 threads", function()
	local mixed = aug.batch(mixup, { views = pair })
	local one, plain = batches(mixed, 1), batches(pair, 1)
	if one[1]:allclose(plain[1]) then error "nothing was mixed" end
	close(one[1]:mean(), plain[1]:mean(), 1e-4)
	for _, threads in ipairs{ 2, 4 } do
		for i, b in ipairs(batches(mixed, threads)) do close(b, one[i], 0, 0) end
	end
end)

test("info has step, epoch, samples and labels", function()
	local checked = aug.batch(function(v, _, info)
		assert(#info.samples == 32 and #info.labels == 32)
		return { v[1] * 0 + tensor(info.samples):reshape(32, 1, 1, 1), v[2] * 0 + info.step * 10 + info.epoch + tensor(info.labels)
			:reshape(32, 1, 1, 1) * 1000 }
	end, { views = aug.compose{ aug.crop(8), aug.normalize{ mean = 0, std = 1 } } })
	for k, a, b in data.loader{ data = ds, views = checked, batch = 32, epochs = 2 } do
		for i = 1, 32 do
			equal(b[i][1][1][1], ds[math.tointeger(a[i][1][1][1])].label * 1000 + k * 10 + (k - 1) // 3 + 1)
		end
	end
end)

local scratch = os.tmpname()
os.remove(scratch)

test("a run with one is resumed to the same bits; without views it uses the paper's", function()
	local function small(folder)
		return trainer{ data = ds, encoder = nn.cnn{ channels = 3, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32,
			epochs = 1e5, seed = 3, views = aug.batch(mixup), folder = folder }
	end
	local t = small(scratch)
	tap.stop_at(t, 4)
	local at, straight, again = t.iteration, small(false), runs.resume(scratch)
	again:step(6)
	straight:step(at + 6)
	for i = 1, at + 6 do equal(again:record(i).total, straight:record(i).total, "loss of step " .. i) end
	os.execute("rm -r " .. scratch)
end)

test("errors name the step; the result of the function is checked", function()
	local function first(f)
		return function() return data.loader{ data = ds, views = aug.batch(f, { views = pair }), batch = 32 }() end
	end
	fails(first(function(_, _, info) error("on purpose " .. info.step) end), "aug.batch, step 1", "on purpose 1", "test_aug_views.lua")
	fails(first(function(v) return v[1] end), "instead of a list of 2 views")
	fails(first(function(v) return { v[1], 3 } end), "view 2", "number 3")
	fails(first(function(v) return { v[1], v[2]:flatten() } end), "aug.batch, step 1: view 2 became a tensor", "expected (32, 3, 8, 8)")
	fails(first(function(v) return { v[1] } end), "a list of 1 instead of a list of 2 views")
	fails(first(function(v) return { v[1], v[2] / 0 } end), "aug.batch, step 1: view 2 has values that are not finite after the call")
	fails(first(function(v) v[1][{ 1, 1, 1, 1 }] = 0 / 0 return v end), "aug.batch, step 1: view 1 has values")
	fails(function() aug.batch(function(v) some_count = 1 return v end) end, "aug.batch", "'some_count'")
	fails(function() aug.batch(mixup)(image) end, "views")
end)

-- A run of 3 steps with these views and this loss.
local function run(views, more)
	local s = { data = ds, encoder = nn.cnn{ channels = 3, widths = { 4 }, image = 8 }, projector = { 8 }, batch = 32, epochs = 2, seed = 3,
		views = views, folder = false }
	for k, v in pairs(more or {}) do s[k] = v end
	return trainer(s):step(3)
end

test("a trainer makes as many views as the loss accepts", function()
	local p = aug.paper{ size = 8 }
	local two, three = run(p), run(aug.views{ p, aug.crop(8) }, { loss = function(a, b, c) return (loss.barlow{}(a, b)) + 0 * c:sum() end })
	for i = 1, 3 do tap.near(three:record(i).total, two:record(i).total, 1e-4, "loss of the first two views, step " .. i) end
	local four = run(aug.views{ p, p })
	local again = trainer(four.recipe):step(3)
	for i = 1, 3 do equal(again:record(i).total, four:record(i).total) end
	local pairs_of_four = run(aug.views{ p, p }, { loss = function(...)
		local z, sum = { ... }, 0
		for a = 1, 4 do for b = a + 1, 4 do sum = sum + (loss.barlow{}(z[a], z[b])) end end
		return sum
	end })
	for i = 1, 3 do tap.near(four:record(i).total / pairs_of_four:record(i).total, 1, 1e-3, "pairs of views, step " .. i) end
	fails(function() run(aug.views{ p, p }, { loss = function(a, b) return ((a - b) ^ 2):sum() + nil end }) end, "loss")
end)

tap.done()
