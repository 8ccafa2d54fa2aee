-- SPDX-License-Identifier: GPL-3.0-or-later
-- data.func and ds:map: images that Lua functions make or change, on whatever thread reads them.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, close, fails = tap.test, tap.equal, tap.near, tap.close, tap.fails

local recipe = require "barlow.recipe"

-- Class k is brighter by k tenths; random numbers come from the image's own stream.
local function make()
	return data.func(96, function(i, rng)
		local class = i % 4 + 1
		return (tensor.rand(1, 8, 8) * .2 + .1 * class + .2 * rng:uniform()), class
	end, { classes = { "a", "b", "c", "d" }, seed = 3 })
end

test("images, labels and classes; the shape is the first image's", function()
	local ds = make()
	equal(table.concat(ds[7].image:shape(), " "), "1 8 8")
	equal(#ds, 96)
	equal(ds[7].label, 4)
	equal(table.concat(ds.classes, " "), "a b c d")
	local wide = data.func(3, function(i) return tensor.full({ 5, 2, 3 }, i / 8) end)
	equal(wide.channels, 5)
	equal(wide.height, 2)
	equal(wide.width, 3)
	close(wide[3].image, tensor.full({ 5, 2, 3 }, 3 / 8))
	local steps = data.func(2, function() return tensor.arange(0, 12):reshape(3, 2, 2) / 12 end)
	close(steps[2].image, tensor.arange(0, 12):reshape(3, 2, 2) / 12)
	equal(data.func(2, function() return tensor.rand(1, 2, 2) end, { classes = 3, labels = { 3, 1 } })[1].label, 3)
end)

test("an image is the same whenever it is read, and differs with another seed", function()
	local a, b = make(), make()
	for _, i in ipairs{ 1, 50, 96 } do close(a[i].image, b[i].image, 0, 0) end
	close(a[50].image, a[50].image, 0, 0)
	assert(not a[1].image:allclose(a[5].image))
	local function noise(seed) return data.func(1, function() return tensor.rand(1, 4, 4) end, { seed = seed })[1].image end
	assert(not noise(1):allclose(noise(2)))
end)

test("views are the same at any number of threads", function()
	local function batches(ds, threads)
		local out = {}
		for _, x, y in data.loader{ data = ds, views = aug.weak(8), batch = 32, epochs = 2, seed = 5, workers = threads } do
			out[#out + 1], out[#out + 2] = x:clone(), y:clone()
		end
		return out
	end
	local one = batches(make(), 1)
	equal(#one, 12)
	for _, threads in ipairs{ 2, 4 } do
		local more = batches(make(), threads)
		for i, x in ipairs(one) do close(more[i], x, 0, 0) end
	end
end)

test("forbidden actions of a function are refused", function()
	local count = 0
	fails(function() data.func(3, function() count = count + 1 return tensor.rand(1, 2, 2) end) end, "data.func: ", "count")
	fails(function() data.func(3, function() return undefined(1) end) end, "undefined")
	fails(function() data.func(3, function() return 7 end) end, "data.func, image 1: ", "number 7 instead of an image tensor")
	fails(function() data.func(3, function() return tensor.rand(4) end) end, "tensor (4,), expected (channels, height, width)")
	local uneven = data.func(3, function(i) return tensor.rand(1, 2, i + 1) end)
	fails(function() return uneven[2] end, "data.func, image 2: ", "(1, 2, 3), expected (1, 2, 2)")
	equal(#uneven:verify(), 2)
	fails(function() return data.func(3, function(i) return tensor.full({ 1, 2, 2 }, i) end)[2] end, "image 2: ", "value 2, expected 0 to 1")
	fails(function() return data.func(3, function() return tensor.full({ 1, 2, 2 }, 0 / 0) end)[2] end, "value")
	fails(function() data.func(3, function() return tensor.rand(1, 2, 2) end, { classes = 2 }) end, "image 1: ", "gave no label")
	fails(function() data.func(3, function(i) return tensor.rand(1, 2, 2), i end, { classes = 2 }) end, "image 3: ", "label 3, expected 1 to 2")
	fails(function() data.func(3, function() return tensor.rand(1, 2, 2), 1.5 end, { classes = 2 }) end, "1.5 as the label")
	fails(function() data.func(3, function() return tensor.rand(1, 2, 2) end, { labels = { 1, 1, 1 } }) end, "without 'classes'")
	fails(function() data.func(3, function() return tensor.rand(1, 2, 2) end, { classes = {}, labels = { 1, 1, 1 } }) end, "'classes'")
	fails(function() data.func(3, function() return tensor.rand(1, 2, 2) end, { classes = 1, labels = { 1, 2, 1 } }) end,
		"label 2 is 2, expected 1 to 1")
	fails(function() data.func(0, function() end) end, "'n'")
	fails(function() data.func(3, function() while true do end end, { seconds = .05 }) end, "ran for more than 0.05 s")
	fails(function() data.func(3, function() local t = {} for k = 1, 1e8 do t[k] = k end end, { memory = 4 }) end, "more than 4 MiB")
end)

test("map changes images in training and evaluation, and keeps labels and classes", function()
	local ds = data.shapes{ n = 40, size = 8, channels = 3 }
	local dark = ds:map(function(img, _, info) return img * (info.label == 1 and 0 or .5) end)
	equal(#dark, 40)
	equal(table.concat(dark.labels, " "), table.concat(ds.labels, " "))
	equal(dark.classes[1], "disc")
	for i = 1, 40 do close(dark[i].image, ds[i].image * (ds[i].label == 1 and 0 or .5), 0, 1e-6) end
	local grey = ds:subset(1, 9):map(function(img) return img:mean(1, true):narrow(2, 1, 4) end, { channels = 1, size = { 4, 8 } })
	close(grey[9].image, ds[9].image:mean(1, true):narrow(2, 1, 4), 1e-5, 1e-6)
	local twice = dark:map(function(img) return 1 - img end)
	close(twice[3].image, 1 - dark[3].image, 0, 1e-6)
	near(dark:map(function(img, rng) return img * 0 + rng:uniform() end, { seed = 2 }):statistics()[1], .5, .2)
	fails(function() return ds:map(function(img) return img[1] end)[2] end, "ds:map, image 2: ", "expected (3, 8, 8)")
	fails(function() ds:map(3) end, "map")
end)

test("files are mapped, each with its own size", function()
	local folder = data.folder{ tap.root .. "tests/reference/photographs", labels = false, size = 16 }
	local turned = folder:map(function(img) return 1 - img end)
	for i = 1, #folder do close(turned[i].image, 1 - folder[i].image, 0, 1e-6) end
	equal(turned[2].path, folder[2].path)
end)

test("recipes contain the functions, and a run is resumed", function()
	local folder = os.tmpname()
	os.remove(folder)
	local gain = .5
	local function run(more)
		local s = { data = make():map(function(img) return img * gain end), projector = { 8 }, batch = 32, epochs = 30,
			encoder = nn.cnn{ channels = 1, widths = { 4 }, image = 8 }, seed = 5 }
		for k, v in pairs(more) do s[k] = v end
		return trainer(s)
	end
	local whole, cut = run{ folder = false }, run{ folder = folder }
	whole:step(90)
	tap.stop_at(cut, 7)
	local again = runs.resume(folder)
	assert(tostring(again.recipe):find("local gain = 0.5", 1, true))
	again:step(83)
	for i = 1, 90 do equal(again:record(i).total, whole:record(i).total, "loss of step " .. i) end
	os.execute(("rm -r '%s'"):format(folder))
	local back = load("return " .. recipe.text(recipe.copy(make())))()
	close(back[96].image, make()[96].image, 0, 0)
	equal(back[96].label, 1)
end)

tap.done()
