-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Compares an augmentation written in Lua with the default, on Fashion-MNIST: the same network is trained with both from the
same seeds, and the accuracies of kNN on its features are compared seed by seed.

    barlow examples/augmentations.lua [--images N] [--steps N] [--seeds N] [--test N] [--data FOLDER]

--images  training images (6000)
--steps   training steps of 256 images in each run (100)
--seeds   number of seeds, which is the number of runs of each kind (3)
--test    test images for kNN (2000)
--data    folder with the files of Fashion-MNIST; without them, generated shapes are used

The default is the pipeline of examples/first_light.lua. The added augmentation simulates light from one side and the
response curve of a film: both vary the photograph and not the garment. Replace `own` below by your own.
]]

local function options(list)
	local o = { images = 6000, steps = 100, seeds = 3, test = 2000 }
	for i = 1, #list, 2 do
		local name, value = list[i]:match "^%-%-(%a+)$", list[i + 1]
		if name ~= "data" and not o[name] then error(("unknown option '%s'"):format(list[i]), 0) end
		o[name] = name == "data" and value or math.tointeger(tonumber(value))
		if not o[name] or (name ~= "data" and o[name] < 2) then error(list[i] .. ": expected a whole number of at least 2", 0) end
	end
	return o
end

local o = options(arg)
local SIZE = 28

local function load_data()
	local fine, train, test = pcall(function()
		return data.fashion{ train = true, folder = o.data }, data.fashion{ train = false, folder = o.data }
	end)
	if fine then return train, test end
	print("Continuing with generated shapes:", train)
	return data.shapes{ n = 60000, size = SIZE, channels = 1, seed = 1 }, data.shapes{ n = 10000, size = SIZE, channels = 1, seed = 2 }
end

local across = tensor.arange(SIZE):reshape(1, 1, SIZE) / (SIZE - 1) - .5
local down = across:reshape(1, SIZE, 1)

local own = aug.func(function(img, rng)
	local light = 1 + across * rng:uniform(-1, 1) + down * rng:uniform(-1, 1)
	return (img:clamp(0, 1) ^ math.exp(rng:uniform(-.5, .5)) * light):clamp(0, 1)
end)

local default = { aug.crop{ size = SIZE, scale = { .4, 1 } }, aug.flip(.5),
	aug.jitter{ brightness = .6, contrast = .6, saturation = 0, hue = 0, p = 1 } }
local kinds = { { name = "default", views = aug.compose(default) },
	{ name = "with one's own", views = aug.compose{ default[1], default[2], own, default[3] } } }

local train, test = load_data()
train, test = train:subset(1, math.min(o.images, #train)), test:subset(1, math.min(o.test, #test))

local function accuracy(views, seed)
	local t = trainer{
		name = "augmentations", folder = false, data = train, views = views, seed = seed,
		encoder = nn.cnn{ channels = 1, widths = { 16, 32, 64 }, strides = { 1, 2, 2 }, image = SIZE }:init(seed),
		projector = { 256, 256 }, optim = optim.adamw{ lr = 2e-3 }, batch = math.min(256, #train), steps = o.steps,
	}
	t:step(o.steps)
	return eval.knn{ encoder = t.encoder, train = train, test = test }
end

-- Returns the mean of n numbers and half the width of its 95% interval: by Student's t with n - 1 degrees of freedom,
-- or by the normal distribution if n > 10.
local T95 = { 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262 }
local function mean_and_half(list)
	local n, sum, squares = #list, 0, 0
	for _, v in ipairs(list) do sum = sum + v end
	local mean = sum / n
	for _, v in ipairs(list) do squares = squares + (v - mean) ^ 2 end
	return mean, (T95[n - 1] or 1.96) * math.sqrt(squares / (n - 1) / n)
end

local started, differences = os.time(), {}
print(("%d images, %d steps a run, kNN of %d images"):format(#train, o.steps, #test))
for seed = 1, o.seeds do
	local got = {}
	for i, kind in ipairs(kinds) do got[i] = accuracy(kind.views, seed) end
	differences[seed] = got[2] - got[1]
	print(("seed %d: %s %.4f, %s %.4f, difference %+.4f"):format(seed, kinds[1].name, got[1], kinds[2].name, got[2],
		differences[seed]))
end
local mean, half = mean_and_half(differences)
print(("difference %+.4f, 95%% interval of the paired differences %+.4f to %+.4f: %s"):format(mean, mean - half, mean + half,
	mean > half and "better" or mean < -half and "worse" or "these seeds do not tell which is better"))
print(os.date("!done in %M:%S", os.time() - started))
