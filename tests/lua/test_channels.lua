-- SPDX-License-Identifier: GPL-3.0-or-later
-- test_channels.lua: images with other numbers of channels than 1 and 3, and with values that do not fit into bytes.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close, fails = tap.test, tap.equal, tap.close, tap.fails

local images = tensor.rand(64, 5, 10, 8)
local ds = data.tensor(images)

local function settings(views)
	return { data = ds, encoder = nn.cnn{ channels = 5, widths = { 4, 8 }, image = 8 }, projector = { 16, 16 }, views = views,
		batch = 16, epochs = 2, seed = 1, folder = false }
end

test("a set has the values of its tensor", function()
	equal(ds.channels, 5)
	close(ds[7].image, images[7], 0, 0)
	local mean = ds:statistics()
	equal(#mean, 5)
	close(tensor(mean), images:mean(4):mean(3):mean(1), 1e-5, 1e-6)
end)

test("a set states its channels and classes, and counts classes as its labels do", function()
	local function first(n, channels, labels) return tostring(data.tensor(tensor.zeros(n, channels, 8, 8), labels)):match "^(.-)\n  (.-)\n" end
	for channels, text in pairs{ [1] = "1 channel", [2] = "2 channels", [3] = "3 channels", [4] = "4 channels", [5] = "5 channels",
		[64] = "64 channels" } do
		equal(first(2, channels, { 1, 2 }), ("tensor: 2 images 8 x 8, %s, 2 classes"):format(text))
	end
	equal(first(1, 1, { 1 }), "tensor: 1 image 8 x 8, 1 channel, 1 class")
	local _, classes = first(2, 1, { 1, 1 })
	equal(classes, "2 of each: 1")
	local ds = data.tensor(tensor.zeros(3, 1, 8, 8), { 2, 1, 2 })
	equal(table.concat(ds.classes, " "), "1 2")
	equal(ds.classes[ds[1].label], "2")
	equal(table.concat(ds:subset(1, 2).classes, " "), "1 2")
	equal(table.concat(ds:map(function(image) return image end).classes, " "), "1 2")
	fails(function() data.tensor(tensor.zeros(1, 1, 8, 8), { 1, 2 }) end, "2 labels for 1 image")
	local vectors = data.vectors and tostring(data.vectors(tensor.zeros(1, 1), { 1 })):match "[^\n]*"
	equal(vectors, "vectors: 1 vector of 1 feature, 1 class")
end)

test("a pipeline works on any number of channels", function()
	local view = aug.compose{ aug.crop(6), aug.noise{ p = 1 }, aug.cutout{ p = 1 } }(images[1], 3)
	equal(table.concat(view:shape(), " "), "5 6 6")
	close(aug.flip(1)(aug.flip(1)(images[2])), images[2], 0, 0)
	fails(function() aug.grayscale(1)(images[1]) end, "grayscale", "3 channels", "5")
	fails(function() aug.normalize{ mean = { .1, .2 }, std = { 1, 1 } }(tensor.ones(3, 1, 1)) end, "normalize", "2 numbers in mean",
		"3 channels")
end)

test("a network trains on five channels", function()
	local t = trainer(settings(aug.compose{ aug.crop{ size = 8, scale = { .5, 1 } }, aug.flip(), aug.noise{} }))
	t:step(4)
	equal(#t.records.total, 4)
end)

test("operators that need colour are refused before training", function()
	fails(function() trainer(settings(aug.compose{ aug.crop(8), aug.jitter{} })) end, "view 1", "operator 2 (jitter)",
		"saturation and hue need images of 3 channels, these have 5")
	fails(function() trainer(settings(aug.compose{ aug.crop(8), aug.normalize{} })) end, "normalize", "3 numbers in mean",
		"5 channels")
end)

tap.done()
