-- SPDX-License-Identifier: GPL-3.0-or-later
-- The views of each operator are what they were: for the same seed, the mean of their pixels, and two means with weights that grow
-- to the end and to the right, are compared with tests/lua/aug.golden.  UPDATE_GOLDEN=1 writes that file anew.
local folder = arg[0]:match "^(.*/)"
package.path = folder .. "?.lua;" .. package.path
local tap = require "tap"

local image = data.shapes{ n = 3, size = 20, channels = 3, seed = 11 }[2].image
local vector = (tensor.arange(1, 13) / 12):reshape(12, 1, 1) -- features are images of 1 x 1

-- Arguments of each operator under which it draws all of its numbers.
local operators = {
	crop = { size = 11, scale = { .2, .9 }, ratio = { .5, 1.7 } },
	resize = { size = 9 },
	flip = { p = .5 },
	jitter = { brightness = .4, contrast = .4, saturation = .4, hue = .2, p = 1 },
	grayscale = { p = .5 },
	blur = { sigma = { .3, 2 }, p = 1 },
	solarize = { threshold = .4, p = 1 },
	normalize = { mean = { .1, .2, .3 }, std = { 1, .5, .25 } },
	affine = { degrees = 33, translate = .2, scale = { .5, 2 }, p = 1 },
	noise = { std = .125, p = 1 },
	cutout = { size = .5, p = 1 },
	vflip = { p = .5 },
	alternating_flip = {},
	pad_crop = { padding = 3, mode = "reflect" },
	rotate = { degrees = 40, p = 1 },
	shear = { x = 12, y = 20, p = 1 },
	perspective = { distortion = .4, p = 1 },
	elastic = { alpha = 20, sigma = 2, p = 1 },
	invert = { p = .5 },
	posterize = { bits = 2, p = 1 },
	autocontrast = { p = 1 },
	equalize = { p = 1 },
	sharpness = { factor = 3, p = 1 },
	channel_dropout = { n = 2, p = 1 },
	trivial = {},
	feature_noise = { std = .125, p = .5 },
	feature_mask = { p = .5, value = 1.5 },
}
local others = {
	["jitter pil"] = aug.jitter{ p = 1, backend = "pil" },
	["crop pil"] = aug.crop{ size = 11, backend = "pil" },
	["blur pil"] = aug.blur{ p = 1, backend = "pil" },
	["pad_crop zeros"] = aug.pad_crop{ padding = 3 },
	["two sizes"] = aug.compose{ aug.resize(15), aug.crop(12), aug.resize(7) },
	grey = aug.compose{ aug.grayscale(1), aug.crop{ size = 14, scale = { .3, .5 } } },
	solo_cifar = aug.solo_cifar{}.second,
	paper = aug.paper{ size = 16 }.second,
}

-- Three numbers that change if pixels change, or move.
local function numbers(x)
	local n, width = x:numel(), x:size(3)
	local rows, columns = {}, {}
	for i = 1, n do rows[i], columns[i] = i / n, i % width / width end
	x = x:reshape(n)
	return x:mean():item(), (x * tensor(rows)):mean():item(), (x * tensor(columns)):mean():item()
end

local function lines()
	local out = {}
	local function add(name, pipe, x)
		for seed = 1, 4 do out[#out + 1] = ("%s %d: %.4f %.4f %.4f"):format(name, seed, numbers(pipe(x, seed))) end
	end
	for name, arguments in pairs(operators) do
		local feature = name:find "^feature"
		add(name, aug[name](arguments), feature and vector or image)
	end
	for name, pipe in pairs(others) do add(name, pipe, image) end
	table.sort(out)
	return out
end

local path = folder .. "aug.golden"
if os.getenv "UPDATE_GOLDEN" then
	local file = assert(io.open(path, "w"))
	file:write(table.concat(lines(), "\n"), "\n")
	file:close()
end

tap.test("the views of each operator are what they were", function()
	local known, differ = {}, {}
	for line in io.lines(path) do
		local name, a, b, c = line:match "^(.-): (%S+) (%S+) (%S+)$"
		known[name] = { tonumber(a), tonumber(b), tonumber(c) }
	end
	for _, line in ipairs(lines()) do
		local name, a, b, c = line:match "^(.-): (%S+) (%S+) (%S+)$"
		for i, v in ipairs{ a, b, c } do
			-- A pixel more or less at a threshold moves a mean by less than that.
			if not known[name] or math.abs(known[name][i] - v) > 2e-3 then
				differ[#differ + 1] = ("%s, instead of %s"):format(line, known[name] and table.concat(known[name], " ") or "nothing")
				break
			end
		end
		known[name] = nil
	end
	for name in pairs(known) do differ[#differ + 1] = name .. " is missing" end
	if #differ > 0 then error(table.concat(differ, "\n"), 0) end
end)

-- The list has each operator that changes a single image.
tap.test("each operator is in the list", function()
	local made_of_others = " batch compose feature_mix features func grey paper preview ramp random_apply random_choice random_order repeated replace"
		.. " solo_cifar stats twin view views weak without "
	for name in pairs(aug) do
		if not operators[name] and not made_of_others:find(" " .. name .. " ", 1, true) then error(name .. " has no line in test_aug_frozen.lua") end
	end
end)

tap.test("a pipeline that changes the size several times does what its operators do one after the other", function()
	local function crop(size) return aug.crop{ size = size, scale = { 1, 1 }, ratio = { 1, 1 } } end
	for _, first in ipairs{ aug.resize(13), crop(12), aug.compose{} } do
		for _, second in ipairs{ aug.resize(7), crop(9), aug.compose{ aug.flip(1), aug.resize(17) } } do
			for _, third in ipairs{ aug.resize(15), crop(6), aug.invert{ p = 1 } } do
				local x = aug.compose{ first, second, third }(image)
				tap.close(x, third(second(first(image))), 0, 1e-6)
			end
		end
	end
end)

tap.done()
