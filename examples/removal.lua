-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Fig. 3 of the Barlow Twins paper in miniature: augmentations are taken away one after the other, and the features of what is
trained with the rest are measured, here on generated colour shapes and by kNN.

    barlow examples/removal.lua [--images N] [--steps N] [--seeds N] [--test N] [--out FIGURE]

--images  training images (4000)
--steps   of 128 images, for each of the runs (150)
--seeds   runs of each kind (3)
--test    images whose classes are guessed (2000)
--out     where the figure goes (removal.svg)
]]

local function options(list)
	local o = { images = 4000, steps = 150, seeds = 3, test = 2000, out = "removal.svg" }
	for i = 1, #list, 2 do
		local name, value = list[i]:match "^%-%-(%a+)$", list[i + 1]
		if not o[name] then error(("unknown option '%s'"):format(list[i]), 0) end
		o[name] = name == "out" and value or math.tointeger(tonumber(value))
		if not o[name] or (name ~= "out" and o[name] < 1) then error(list[i] .. ": expected a whole number of at least 1", 0) end
	end
	return o
end

local o = options(arg)
local SIZE = 24
local train = data.shapes{ n = o.images, size = SIZE, seed = 1 }
local test = data.shapes{ n = o.test, size = SIZE, seed = 2 }

local function accuracy(views, seed)
	local t = trainer{
		name = "removal", folder = false, data = train, views = views, seed = seed,
		encoder = nn.cnn{ channels = 3, widths = { 16, 32, 64 }, strides = { 1, 2, 2 }, image = SIZE }:init(seed),
		projector = { 128, 128 }, optim = optim.adamw{ lr = 2e-3 }, batch = math.min(128, #train), steps = o.steps,
	}
	t:step(o.steps)
	return eval.knn{ encoder = t.encoder, train = train, test = test }
end

local rows = { { name = "all", views = aug.paper{ size = SIZE } } }
for _, name in ipairs{ "grayscale", "jitter", "blur", "solarize" } do
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

plot.lines{ points = true, xlabel = "augmentations taken away, one after the other; crop and flip are left in the end",
	ylabel = "accuracy of kNN", title = ("%d steps on %d generated shapes, %d seeds"):format(o.steps, #train, o.seeds),
	table.unpack(series) }:save(o.out)
print("saved " .. o.out)
