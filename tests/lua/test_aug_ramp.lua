-- SPDX-License-Identifier: GPL-3.0-or-later
-- aug.ramp: fields of operators that change from epoch to epoch, including sizes.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local ds = data.shapes{ n = 96, size = 16, channels = 3, seed = 1 }

-- All batches of 5 epochs of 3 steps in order.
local function batches(views, threads)
	local out = {}
	for _, a, b in data.loader{ data = ds, views = views, batch = 32, epochs = 5, seed = 5, workers = threads } do
		out[#out + 1], out[#out + 2] = a:clone(), b:clone()
	end
	return out
end

-- The batches of epoch e (from 1).
local function epoch_of(list, e) return table.move(list, 6 * e - 5, 6 * e, 1, {}) end

local function same(got, expected)
	equal(#got, #expected)
	for i, t in ipairs(expected) do close(got[i], t, 0, 0) end
end

test("the views of an epoch are those of a pipeline with that epoch's numbers", function()
	local function pair(size, brightness, p)
		return aug.twin(aug.compose{ aug.crop(size), aug.flip(), aug.jitter{ brightness = brightness, p = 1 } },
			aug.compose{ aug.resize(size), aug.noise{ std = .1, p = p } })
	end
	local got = batches(pair(aug.ramp(8, 12, 4), aug.ramp(.2, 1, 3), aug.ramp(1, 0, 2)))
	local numbers = { { 8, .2, 1 }, { 9, .6, 0 }, { 11, 1, 0 }, { 12, 1, 0 }, { 12, 1, 0 } }
	for e, n in ipairs(numbers) do same(epoch_of(got, e), epoch_of(batches(pair(table.unpack(n))), e)) end
end)

test("ramps in groups, of their own numbers, and of lists", function()
	local function pipe(sigma, p, weights, mean)
		return aug.compose{ aug.crop(8), aug.random_apply(aug.random_order{ aug.blur{ sigma = sigma }, aug.flip() }, p),
			aug.random_choice{ aug.invert{ p = 1 }, aug.compose{}, aug.vflip(1), weights = weights }, aug.normalize{ mean = mean, std = 1 } }
	end
	local got = batches(pipe(aug.ramp({ .1, .5 }, { .5, 2 }, 3), aug.ramp(0, 1, 5), aug.ramp({ 1, 1, 0 }, { 0, 1, 2 }, 2),
		aug.ramp(0, .5, 3)))
	local numbers = { { { .1, .5 }, 0, { 1, 1, 0 }, 0 }, { { .3, 1.25 }, .25, { 0, 1, 2 }, .25 }, { { .5, 2 }, .5, { 0, 1, 2 }, .5 } }
	for e, n in ipairs(numbers) do same(epoch_of(got, e), epoch_of(batches(pipe(table.unpack(n))), e)) end
	local function sizes(n) return aug.random_choice{ aug.crop(n), aug.resize(n) } end
	same(epoch_of(batches(sizes(aug.ramp(4, 8, 3))), 2), epoch_of(batches(sizes(6)), 2))
end)

test("the paper's numbers may be ramps, in both views or by view", function()
	local got = batches(aug.paper{ size = aug.ramp(8, 12, 3), blur = aug.ramp({ 1, .1 }, { 0, .1 }, 3),
		solarize = aug.ramp({ 0, 0 }, { 0, .4 }, 3), sigma = aug.ramp(.5, { .1, 2 }, 3) })
	same(epoch_of(got, 2), epoch_of(batches(aug.paper{ size = 10, blur = { .5, .1 }, solarize = { 0, .2 }, sigma = { .3, 1.25 } }), 2))
	equal(aug.grey{ size = aug.ramp(8, 12, 3) } == aug.grey{ size = aug.ramp(8, 12, 3) }, true)
end)

test("the same at 1, 2 and 4 threads", function()
	local p = aug.paper{ size = aug.ramp(8, 12, 3), brightness = aug.ramp(0, 1, 5) }
	local one = batches(p, 1)
	same(batches(p, 2), one)
	same(batches(p, 4), one)
end)

test("they print as Lua code that makes an equal object", function()
	local list = {
		aug.crop(aug.ramp(14, 28, 5)), aug.crop(aug.ramp(14, 28, 6)), aug.crop(aug.ramp(14, 27, 5)), aug.crop(14),
		aug.compose{ aug.crop{ size = 8, scale = aug.ramp({ .08, .1 }, { .5, 1 }, 3) }, aug.blur{ p = aug.ramp(0, .1, 9) } },
		aug.random_apply(aug.flip(aug.ramp(0, 1, 3)), aug.ramp(1, 0, 3)), aug.random_apply(aug.flip(aug.ramp(0, 1, 3)), 1),
		aug.random_choice{ aug.flip(), aug.vflip(), weights = aug.ramp({ 1, 0 }, { 0, 1 }, 4) },
		aug.paper{ size = aug.ramp(8, 12, 3), blur = aug.ramp({ 1, .1 }, { 0, .1 }, 4) },
	}
	for i, p in ipairs(list) do
		local again = load("return " .. tostring(p))()
		if not (again == p) then error(("%s is not %s"):format(again, p)) end
		for j, q in ipairs(list) do equal(p == q, i == j, i .. " and " .. j) end
	end
	equal(tostring(aug.ramp(.5, { 1, 2 }, 3)), "aug.ramp(0.5, {1.0, 2.0}, 3)")
	equal(aug.ramp(1, 2, 3) == aug.ramp(1, 2, 3), true)
	equal(aug.ramp(1, 2, 3) == aug.ramp({ 1 }, 2, 3), false)
	equal(aug.without(aug.compose{ aug.crop(aug.ramp(8, 9, 3)), aug.flip() }, "flip") == aug.crop(aug.ramp(8, 9, 3)), true)
end)

test("a settings table that is used twice keeps its ramp", function()
	local settings = { size = aug.ramp(8, 12, 3) }
	equal(aug.crop(settings) == aug.crop(settings), true)
	equal(tostring(settings.size):sub(1, 9), "aug.ramp(")
end)

test("invalid arguments are refused", function()
	fails(function() aug.crop(aug.ramp(14, 0, 3)) end, "aug.crop: 'size' must be an integer between 1 and 16384, got 0")
	fails(function() aug.crop(aug.ramp(0, 14, 3)) end, "aug.crop: 'size' must be an integer between 1 and 16384, got")
	fails(function() aug.crop(aug.ramp(14.5, 20, 3)) end, "aug.crop: 'size'", "14.5")
	fails(function() aug.crop{ sise = aug.ramp(14, 28, 3) } end, "'sise'", "'size'")
	fails(function() aug.pad_crop{ mode = aug.ramp(1, 2, 3) } end, "'mode' is no number")
	fails(function() aug.normalize{ mean = aug.ramp({ 1, 2 }, { 1, 2, 3 }, 3) } end, "aug.normalize", "from 2 numbers to 3")
	fails(function() aug.normalize{ mean = aug.ramp({ 1, 2 }, { 2, 3 }, 3) } end, "2 numbers in mean and 3 in std")
	fails(function() aug.blur{ sigma = aug.ramp({ 1, 2 }, { 2, 1 }, 3) } end, "aug.blur: 'sigma'", "{2, 1}")
	fails(function() aug.ramp(1, 2) end, "#3")
	fails(function() aug.ramp(1, 2, 1) end, "2 to 100000 epochs")
	fails(function() aug.ramp(1, "x", 3) end, "#2")
	fails(function() aug.ramp({}, 1, 3) end, "#1")
	fails(function() aug.random_apply(aug.flip(), aug.ramp(0, 2, 3)) end, "aug.random_apply: 'p'", "got 2")
	fails(function() aug.random_choice{ aug.flip(), weights = aug.ramp({ 1 }, { 0 }, 3) } end, "all weights are 0")
	fails(function() aug.random_choice{ aug.flip(), weights = aug.ramp({ 1 }, { 1, 2 }, 3) } end, "from 1 numbers to 2")
	fails(function() aug.random_choice{ aug.crop(4), aug.crop(aug.ramp(4, 6, 3)) } end, "pipeline 2 makes 5 x 5", "expected 4 x 4")
	fails(function() aug.func(function(x) return x end, { size = aug.ramp(1, 2, 3) }) end, "aug.func: 'size'", "got ramp")
	fails(function() optim.adamw{ lr = aug.ramp(1, 2, 3) } end, "'lr'", "got ramp")
end)

local function net(pool) return nn.cnn{ channels = 3, widths = { 4, 8 }, image = 8, pool = pool } end
local function run(views, more)
	local settings = { data = ds, encoder = net(true), projector = { 8 }, batch = 32, epochs = 5, seed = 3, views = views, folder = false }
	for k, v in pairs(more or {}) do settings[k] = v end
	return trainer(settings)
end

test("a trainer checks every size before it begins", function()
	fails(function() run(aug.crop(aug.ramp(8, 12, 3)), { encoder = net(false) }) end, "views of 10 x 10, in epoch 2: projector", "(N, 128)")
	local growing = aug.twin(aug.crop(8), aug.crop(aug.ramp(8, 12, 3)))
	fails(function() run(growing, { encoder = net(false) }) end, "view 1 is 8 x 8 and view 2 is 10 x 10, in epoch 2", "projector[1] (linear")
	run(growing)
	run(growing, { encoder = net(false), epochs = 1 }) -- it ends before the second size
	local t = run(aug.crop(aug.ramp(8, 12, 3)))
	local shapes = 0
	for _ in pairs(t.recipe.convolution) do shapes = shapes + 1 end
	equal(shapes, 6) -- two layers at three sizes
end)

local scratch = os.tmpname()
os.remove(scratch)

test("a run is repeated from its recipe, and resumed, to the same bits", function()
	local views = aug.twin(aug.compose{ aug.crop(aug.ramp(8, 12, 9)), aug.random_apply(aug.jitter{ hue = aug.ramp(0, .5, 5) }, .5) },
		aug.compose{ aug.crop(aug.ramp(8, 12, 9)), aug.func(function(x, rng, info) return x * rng:uniform(.5, 1) / info.epoch end) })
	local straight, again = run(views, { epochs = 200 }), run(views, { epochs = 200, folder = scratch })
	tap.stop_at(again, 4)
	local last = again.iteration + 20
	again = runs.resume(scratch)
	straight:step(last)
	again:step(20)
	for i = 1, last do equal(again:record(i).total, straight:record(i).total, "loss of step " .. i) end
	local made = trainer(straight.recipe)
	made:step(last)
	equal(made.terms.total, straight.terms.total)
	equal(load("return " .. tostring(straight.recipe.views)) ~= nil, true)
	os.execute("rm -r " .. scratch)
end)

local function mixup(views, rng, info)
	local m, other, out = rng:beta(.4 * info.epoch), rng:permutation(views[1]:size(1)), {}
	for i, v in ipairs(views) do out[i] = v * m + v:rows(other) * (1 - m) end
	return out
end
local function shade(img, rng, info) return img * rng:uniform(.5, 1) / info.epoch + .01 * math.random() end
local together = aug.batch(mixup, { views = aug.twin(
	aug.compose{ aug.crop(aug.ramp(8, 12, 5)), aug.random_apply(aug.func(shade), aug.ramp(.2, 1, 4)), aug.noise{ std = aug.ramp(0, .2, 5) } },
	aug.compose{ aug.crop(aug.ramp(8, 12, 5)), aug.trivial{}, aug.func(shade) }) })

test("with functions of images and of batches the same at 1, 2 and 4 threads", function()
	local one = batches(together, 1)
	same(batches(together, 2), one)
	same(batches(together, 4), one)
end)

test("the same after a resume with another number of threads", function()
	local straight, first = run(together, { epochs = 200, workers = 1 }), run(together, { epochs = 200, workers = 4, folder = scratch })
	tap.stop_at(first, 5)
	local at, again = first.iteration, runs.resume(scratch)
	straight:step(at + 12)
	again:step(12)
	for i = 1, at + 12 do equal(again:record(i).total, straight:record(i).total, "loss of step " .. i) end
	os.execute("rm -r " .. scratch)
end)

test("a preview shows the requested epoch", function()
	local p = aug.crop(aug.ramp(8, 12, 3))
	for epoch, size in ipairs{ 8, 10, 12, 12 } do
		equal(aug.preview(ds, p, { n = 1, epoch = epoch }).rows[1].images[2]:size(2), size)
	end
	equal(p(ds[1].image):size(2), 8)
end)

tap.done()
