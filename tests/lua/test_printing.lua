-- SPDX-License-Identifier: GPL-3.0-or-later
-- test_printing.lua: objects that print as Lua code: the code makes an equal object; and so does the description in recipes of
-- objects that print otherwise (modules, data sets).
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, close = tap.test, tap.equal, tap.close
local native, recipe = require "barlow.native", require "barlow.recipe"

local function again(text)
	local f, message = load("return " .. text, "=printed")
	if not f then error(text .. ": " .. message, 2) end
	return f()
end

-- Every constructor of a module, with arguments: none, and some that are not the defaults.
local image = tensor.rand(3, 12, 12)
local za, zb = tensor.randn(8, 4), tensor.randn(8, 4)
local ds = data.shapes{ n = 40, size = 8, channels = 1, seed = 3 }

local operators = {
	crop = { { size = 6, scale = { .2, .9 }, ratio = { .5, 1.7 } }, { size = 7 } },
	resize = { { size = 5 } },
	flip = { { p = .25 } },
	jitter = { { brightness = .1, contrast = 1.5, saturation = .7, hue = .3, p = .9 } },
	grayscale = { { p = 1 } },
	blur = { { sigma = { .3, 1.1 }, p = .7 } },
	solarize = { { threshold = .4, p = .95 } },
	normalize = { { mean = .5, std = .25 }, { mean = { .1, .2, .3 }, std = { 1, 2, 1e-3 } }, { mean = 0, std = { .1, .2, .3 } } },
	affine = { { degrees = 33, translate = .2, scale = { .5, 2 }, p = 1 } },
	noise = { { std = .125, p = 1 } },
	feature_noise = { { std = .125, p = .5 } },
	feature_mask = { { p = .5, value = 1.5 } },
	cutout = { { size = .5, p = 1 }, { size = 1 / 3 } },
	vflip = { { p = .25 } },
	alternating_flip = { {} },
	pad_crop = { { padding = 2, mode = "reflect" } },
	rotate = { { degrees = 12, p = 1 } },
	shear = { { x = 3, y = 4, p = 1 } },
	perspective = { { distortion = .25, p = 1 } },
	elastic = { { alpha = 20, sigma = 2, p = 1 } },
	invert = { { p = 1 } },
	posterize = { { bits = 2, p = 1 } },
	autocontrast = { { p = 1 } },
	equalize = { { p = 1 } },
	sharpness = { { factor = 3, p = 1 } },
	channel_dropout = { { n = 2, p = 1 } },
	trivial = { {} },
}

-- Constructors that take functions or pipelines.
local made_of_others = { compose = true, twin = true, paper = true, func = true, views = true, view = true, repeated = true, batch = true, random_apply = true,
	random_choice = true, random_order = true, without = true, replace = true, solo_cifar = true, grey = true, weak = true, preview = true, stats = true, ramp = true, features = true,
	feature_mix = true }

-- They have the same text, and the same effect on an image for some seeds.
local function same_pipeline(a)
	local text = tostring(a)
	local b = again(text)
	equal(tostring(b), text)
	for seed = 1, 5 do close(b(image, seed), a(image, seed), 0, 0) end
end

test("operators", function()
	local k = .5
	same_pipeline(aug.compose{ aug.flip(), aug.func(function(x, rng) return x * k + rng:uniform() end) })
	for name in pairs(aug) do
		if not made_of_others[name] then
			same_pipeline(aug[name]{})
			assert(operators[name], "test_printing.lua has no arguments for aug." .. name)
			for _, arguments in ipairs(operators[name]) do same_pipeline(aug[name](arguments)) end
		end
	end
	equal(tostring(aug.cutout{ size = .5 }), "aug.cutout{size = 0.5, p = 0.5}")
	equal(tostring(aug.cutout(.25)), "aug.cutout{size = 0.25, p = 0.5}")
	tap.fails(function() return aug.cutout{ scale = { .2, .4 } } end, "aug.cutout", "scale", "size")
end)

-- Each argument changes the object: no two arguments set the same field.
test("each field of an operator is independent", function()
	for name, list in pairs(operators) do
		local default = tostring(aug[name]{})
		for key, value in pairs(list[1]) do
			local text = tostring(aug[name]{ [key] = value })
			assert(text ~= default, name .. "." .. key .. " changes nothing")
			for other, v in default:gmatch "(%w+) = ({?[^=]-}?)[,}] ?%f[%w%z]" do
				if other ~= key then assert(text:find(other .. " = " .. v, 1, true), text .. " without " .. other .. " = " .. v) end
			end
		end
	end
end)

test("pipelines and pairs", function()
	same_pipeline(aug.compose{ aug.crop(6), aug.flip(), aug.jitter{}, aug.cutout{} })
	same_pipeline(aug.compose{})
	for _, pair in ipairs{ aug.twin(aug.crop(6), aug.compose{ aug.resize(4), aug.noise{ p = 1 } }), aug.paper{ size = 8 },
		aug.paper{ size = 8, scale = { .3, .9 }, ratio = { 1, 1 }, sigma = { .5, .6 }, flip = .1, jitter = .2, brightness = .3,
			contrast = .1, saturation = .6, hue = .05, grayscale = .4, blur = { .2, .3 }, solarize = { .5, .6 } } } do
		local text = tostring(pair)
		local b = again(text)
		equal(tostring(b), text)
		local a1, a2 = pair(image, 7)
		local b1, b2 = b(image, 7)
		close(b1, a1, 0, 0)
		close(b2, a2, 0, 0)
	end
end)

-- The two pipelines of the paper, number by number.
test("aug.paper{} is the paper's", function()
	local common = "aug.crop{size = 224, scale = {0.08, 1}, ratio = {0.75, 1.3333334}, backend = \"tensor\"}, aug.flip{p = 0.5}, "
		.. "aug.jitter{brightness = 0.4, contrast = 0.4, saturation = 0.2, hue = 0.1, p = 0.8, backend = \"tensor\"}, "
		.. "aug.grayscale{p = 0.2, backend = \"tensor\"}, "
	local pair = aug.paper{}
	equal(tostring(pair.first), "aug.compose{ " .. common .. "aug.blur{sigma = {0.1, 2}, p = 1, backend = \"tensor\"} }")
	equal(tostring(pair.second), "aug.compose{ " .. common .. "aug.blur{sigma = {0.1, 2}, p = 0.1, backend = \"tensor\"}, "
		.. "aug.solarize{threshold = 0.5019608, p = 0.2, backend = \"tensor\"} }")
end)

test("losses", function()
	local arguments = {
		barlow = { {}, { lambda = .1, scale = .024, form = "direct", dialect = "hsic" }, { form = "gram", dialect = "algorithm1" } },
		vicreg = { {}, { sim = 3, std = 2, cov = .5 } },
	}
	for _, e in ipairs(require "barlow.registry".entries()) do
		local name = e.returns == "loss" and e.name:match "^loss%.([%w_]+)$"
		if name and name ~= "func" then
			assert(arguments[name], "test_printing.lua has no arguments for loss." .. name)
			for _, a in ipairs(arguments[name]) do
				local l = loss[name](a)
				local b = again(tostring(l))
				equal(tostring(b), tostring(l))
				close(b(za, zb), l(za, zb), 0, 0)
			end
		end
	end
end)

test("optimisers", function()
	local arguments = {
		sgd = { { lr = .25, lr_bias = .125, weight_decay = .5, momentum = .75, nesterov = true } },
		adamw = { { lr = .1, weight_decay = .2, beta1 = .3, beta2 = .4, eps = 1e-5, decay_all = true } },
		lars = { { lr = .1, lr_bias = .2, weight_decay = .3, momentum = .4, eta = .5, clip = true, apart = true } },
		authors = { { batch = 128 } },
		solo = { { batch = 128 } },
	}
	for name in pairs(optim) do
		if name ~= "schedule" then
			assert(arguments[name], "test_printing.lua has no arguments for optim." .. name)
			for _, a in ipairs{ {}, arguments[name][1] } do
				local o = optim[name](a)
				equal(tostring(again(tostring(o))), tostring(o))
				for key in pairs(arguments[o.kind][1]) do equal(again(tostring(o))[key], o[key]) end
			end
		end
	end
end)

test("schedules", function()
	for _, a in ipairs{ { steps = 100 }, { steps = 90, warmup = 9, kind = "constant" }, { steps = 80, warmup = 8, last = .25 } } do
		local s = optim.schedule(a)
		local b = again(tostring(s))
		equal(tostring(b), tostring(s))
		for step = 0, 100, 9 do equal(b(step), s(step)) end
	end
end)

-- Modules and data sets print with their content; recipes describe them in Lua.
local function described(o)
	local source = native.source(o)
	assert(source, "it does not remember how it was made")
	local r = recipe.of_source(source)
	r.barlow = nil -- the version, which only a trainer accepts
	return r
end

local function same_description(o)
	local text = tostring(described(o))
	local b = again(text)
	equal(tostring(described(b)), text)
	return b
end

test("modules by their descriptions", function()
	local arguments = {
		linear = { { 3, 4 } }, identity = { {} }, relu = { {} }, sigmoid = { {} }, tanh = { {} }, flatten = { {} },
		avgpool = { { 2 } }, maxpool = { { 2 } }, global_avgpool = { {} }, batchnorm = { { 3 } }, batchnorm1d = { { 3 } },
		batchnorm2d = { { 3 } }, conv2d = { { 1, 4, { kernel = 5, stride = 2, padding = 1, bias = false } } },
		mlp = { { { inputs = 4, widths = { 3, 2 } } } }, cnn = { { { channels = 1, image = 8, widths = { 4, 8 } } } },
		resnet = { { { depth = 18, stem = "large" } } },
		sequential = { { nn.linear(2, 3), nn.relu(), nn.linear(3, 2) } }, residual = { { nn.linear(2, 2) } },
	}
	for name in pairs(nn) do
		if name ~= "func" then
			assert(arguments[name], "test_printing.lua has no arguments for nn." .. name)
			for _, a in ipairs(arguments[name]) do
				local m = nn[name](table.unpack(a))
				equal(tostring(same_description(m)), tostring(m))
			end
		end
	end
end)

test("data sets by their descriptions", function()
	for _, d in ipairs{ ds, data.shapes{ n = 9, size = 11, channels = 3, seed = 5 }, ds:subset(3, 20), ds:subset{ 5, 1, 1 },
		(ds:split(.3, 4)), select(2, ds:split(.3, 4)), ds:subset(2, 30):split(.5) } do
		local b = same_description(d)
		equal(tostring(b), tostring(d))
		for i = 1, #d do close(b[i].image, d[i].image, 0, 0) end
	end
end)

-- The output of a script through a pipe.
local function printed(script)
	local pipe = assert(io.popen(("'%s' -e '%s' 2>&1"):format(os.getenv "BARLOW", script)))
	local text = pipe:read "a"
	pipe:close()
	return text
end

test("print shows a table without a text of its own as the prompt does", function()
	equal(printed "print({ 1, 2, a = { .5 } }, 3, nil, {}, print == print)", "{ 1, 2, a = { 0.5 } }\t3\tnil\t{}\ttrue\n")
	equal(printed [[print(setmetatable({}, { __tostring = function() return "its own" end }))]], "its own\n")
	equal(printed [[print(setmetatable({}, { __name = "kind" }))]]:match "^kind: 0x" ~= nil, true)
	equal(printed [[local loop = { 1 } loop.me = loop print(loop, setmetatable({ 2 }, { __metatable = 5 }))]], "{ 1, me = {...} }\t{ 2 }\n")
	equal(printed "local l = {} for i = 1, 24 do l[i] = 10000.5 end print{ a = l }",
		"{\n  a = {\n    " .. ("10000.5, "):rep(7) .. "10000.5" .. (",\n    " .. ("10000.5, "):rep(7) .. "10000.5"):rep(2) .. "\n  }\n}\n")
	for _, result in ipairs{ "data.list()", "data.shapes{ n = 4, size = 8 }[1]", "sweep.uniform(0, 1)", "runs()", "nn", "runs.query [[SELECT 1]]",
		"eval.spectrum(tensor.randn(8, 4))" } do
		local text = printed(("print(%s)"):format(result))
		equal(text:find "table: 0x", nil)
		equal(#text > 1, true)
	end
end)

tap.done()
