-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Fig. 3 of the Barlow Twins paper in miniature: removes augmentations one after the other, trains with those that remain, and
measures the features by kNN, here on Fashion-MNIST.

    barlow examples/removal.lua [--images N] [--steps N] [--seeds N] [--test N] [--out FIGURE] [--data FOLDER]

--images  training images (6000)
--steps   training steps of 256 images in each run (100)
--seeds   number of seeds, which is the number of runs of each kind (3)
--test    test images for kNN (2000)
--out     file for the figure (removal.svg)
--data    folder with the files of Fashion-MNIST; without them, generated shapes are used
]]

local function options(list)
	local o = { images = 6000, steps = 100, seeds = 3, test = 2000, out = "removal.svg", data = false }
	for i = 1, #list, 2 do
		local name, value = list[i]:match "^%-%-(%a+)$", list[i + 1]
		if o[name] == nil then error(("unknown option '%s'"):format(list[i]), 0) end
		o[name] = type(o[name]) == "number" and math.tointeger(tonumber(value)) or type(o[name]) ~= "number" and value
		if not o[name] or o[name] == 0 then error(list[i] .. ": expected a whole number of at least 1, or a path", 0) end
	end
	return o
end

local o = options(arg)
local SIZE = 28

local function load_data()
	local fine, train, test = pcall(function()
		return data.fashion{ train = true, folder = o.data or nil }, data.fashion{ train = false, folder = o.data or nil }
	end)
	if fine then return train, test end
	print("Continuing with generated shapes:", train)
	return data.shapes{ n = 60000, size = SIZE, channels = 1, seed = 1 }, data.shapes{ n = 10000, size = SIZE, channels = 1, seed = 2 }
end

local train, test = load_data()
train, test = train:subset(1, math.min(o.images, #train)), test:subset(1, math.min(o.test, #test))

local function accuracy(views, seed)
	local t = trainer{
		name = "removal", folder = false, data = train, views = views, seed = seed,
		encoder = nn.cnn{ channels = 1, widths = { 16, 32, 64 }, strides = { 1, 2, 2 }, image = SIZE }:init(seed),
		projector = { 256, 256 }, optim = optim.adamw{ lr = 2e-3 }, batch = math.min(256, #train), steps = o.steps,
	}
	t:step(o.steps)
	return eval.knn{ encoder = t.encoder, train = train, test = test }
end

-- The images are grey, so of the paper's jitter only brightness and contrast apply, and its grayscale does not.
local rows = { { name = "all", views = aug.grey{ size = SIZE, scale = { .4, 1 } } } }
for _, name in ipairs{ "jitter", "blur", "solarize", "flip" } do
	rows[#rows + 1] = { name = "- " .. name, views = aug.without(rows[#rows].views, name) }
end

local series = {}
for i, row in ipairs(rows) do
	row.got, row.mean = {}, 0
	for seed = 1, o.seeds do
		row.got[seed] = accuracy(row.views, seed)
		row.mean = row.mean + row.got[seed] / o.seeds
	end
	local each, x = {}, {}
	for seed, one in ipairs(row.got) do each[seed], x[seed] = ("%.4f"):format(one), i - 1 end
	print(("%-12s %.4f  (seeds: %s)"):format(row.name, row.mean, table.concat(each, ", ")))
	series[i] = { x, row.got, label = row.name }
end

plot.lines{ points = true, xlabel = "augmentations taken away, one after the other; the crop is left in the end",
	ylabel = "accuracy of kNN", title = ("%d steps on %d images, %d seeds"):format(o.steps, #train, o.seeds),
	table.unpack(series) }:save(o.out)
print("saved " .. o.out)
