-- SPDX-License-Identifier: GPL-3.0-or-later
-- Pipelines made of pipelines, comparison and changes: aug.random_apply, random_choice, random_order, without, replace.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local test, equal, near, close, fails = tap.test, tap.equal, tap.near, tap.close, tap.fails

local image = data.shapes{ n = 1, size = 12, seed = 2 }[1].image
local dark, light = aug.func(function(x) return x * 0 end), aug.func(function(x) return x * 0 + 1 end)

-- The share of the views of many seeds with each value of key(description): value -> share.
local function shares(pipe, key)
	local count = {}
	for seed = 1, 2000 do
		local k = key(pipe(image, seed))
		count[k] = (count[k] or 0) + 1 / 2000
	end
	return count
end
local function mean(x) return math.floor(x:mean():item() * 100 + .5) end

test("a pipeline is applied with its probability", function()
	local count = shares(aug.random_apply(dark, .3), function(x) return mean(x) == 0 end)
	near(count[true], .3, .05)
	close(aug.random_apply(aug.compose{ aug.flip(1), aug.vflip(1) }, 1)(image), aug.vflip(1)(aug.flip(1)(image)))
	close(aug.random_apply(dark, 0)(image), image)
end)

test("one of several pipelines is chosen, by weights", function()
	local count = shares(aug.random_choice{ dark, light, aug.compose{} }, mean)
	near(count[0], 1 / 3, .05)
	near(count[100], 1 / 3, .05)
	count = shares(aug.random_choice{ dark, light, aug.compose{}, weights = { 1, 0, 3 } }, mean)
	near(count[0], .25, .05)
	equal(count[100], nil)
	local sizes = aug.random_choice{ aug.crop(5), aug.compose{ aug.resize(20), aug.crop(5) } }
	equal(table.concat(sizes(image):shape(), " "), "3 5 5")
	close(aug.compose{ sizes, aug.flip(1) }(image, 3), aug.flip(1)(sizes(image, 3)), 0, 0)
end)

test("several pipelines are applied in any order", function()
	local half, half_more = aug.func(function(x) return x * 0 + x:mean() / 2 end), aug.func(function(x) return x * 0 + x:mean() + .25 end)
	local one = aug.func(function(x) return x * 0 + 1 end)
	local count = shares(aug.random_order{ half, half_more, aug.compose{} }, function(x)
		return ("%.3f"):format(x:mean():item())
	end)
	local m = image:mean():item()
	near(count[("%.3f"):format(m / 2 + .25)], .5, .05)
	near(count[("%.3f"):format((m + .25) / 2)], .5, .05)
	close(aug.random_order{ one }(image), image * 0 + 1)
end)

test("the parts have random numbers of their own, which are the same each time", function()
	local pipe = aug.compose{ aug.flip(), aug.random_apply(aug.flip(), 1) }
	local alike = 0
	for seed = 1, 400 do
		close(pipe(image, seed), pipe(image, seed), 0, 0)
		if pipe(image, seed):allclose(image) then alike = alike + 1 end
	end
	near(alike / 400, .5, .1) -- with one common draw all views would be equal
	local twice = aug.random_order{ aug.noise{ std = .1, p = 1 }, aug.noise{ std = .1, p = 1 } }
	local once = aug.random_order{ aug.noise{ std = .1, p = 1 } }
	near((twice(image, 2) - image):std():item() / (once(image, 2) - image):std():item(), math.sqrt(2), .3)
end)

test("invalid arguments are refused", function()
	fails(function() aug.random_apply(aug.crop(5)) end, "aug.random_apply", "5 x 5")
	fails(function() aug.random_choice{ aug.crop(5), aug.crop(6) } end, "pipeline 2 makes 6 x 6", "expected 5 x 5")
	fails(function() aug.random_order{ aug.flip(), aug.resize(4) } end, "pipeline 2")
	fails(function() aug.random_choice{} end, "0 pipelines")
	fails(function() aug.random_choice{ aug.flip(), weights = { 1, 2 } } end, "weights", "1 numbers")
	fails(function() aug.random_choice{ aug.flip(), weights = { 0 } } end, "all weights are 0")
	fails(function() aug.random_choice{ aug.flip(), weights = { -1 } } end, "weight 1 is -1")
	fails(function() aug.random_choice{ aug.flip(), weight = { 1 } } end, "unknown key 'weight'")
	fails(function() aug.random_choice{ aug.flip(), 3 } end, "item 2", "number 3")
	fails(function() aug.random_apply(aug.flip(), 2) end, "p is 2")
	fails(function() aug.random_apply(aug.normalize(), 1) end, "normalises")
	fails(function() aug.random_apply(aug.random_apply(aug.jitter(), 1), 1)(tensor.rand(5, 4, 4)) end, "saturation")
end)

test("they print as Lua code that makes an equal object", function()
	local list = {
		aug.random_apply(aug.compose{ aug.flip(), aug.blur{ p = .3 } }, .25), aug.random_order{ aug.flip(), aug.invert{} },
		aug.random_choice{ aug.random_apply(aug.flip()), aug.vflip(), weights = { 1, 2 } },
		aug.compose{ aug.crop(8), aug.random_order{ aug.flip(), aug.noise{} }, aug.normalize() }, aug.paper{ size = 8 },
		aug.views{ aug.crop(4), aug.crop{ size = 8, scale = { .1, .2 } } },
	}
	for i, p in ipairs(list) do
		local again = load("return " .. tostring(p))()
		if not (again == p) then error(("%s is not %s"):format(again, p)) end
		close((again(image, 7)), (p(image, 7)), 0, 0)
		for j, q in ipairs(list) do equal(p == q, i == j) end
	end
	equal(aug.flip(.5) == aug.flip(), true)
	equal(aug.flip(.4) == aug.flip(), false)
	equal(aug.normalize{ mean = { 0, 0, 1 }, std = 1 } == aug.normalize{ mean = 0, std = 1 }, false)
	equal(dark == dark, true)
	equal(dark == light, false)
end)

test("removing an operator leaves the random numbers of the others unchanged", function()
	local paper = aug.paper{ size = 8 }
	local less = aug.without(paper, "jitter")
	equal(#less, 2)
	equal(#less[1], #paper[1] - 1)
	equal(less == aug.paper{ size = 8, jitter = 0 }, true)
	close(aug.without(aug.compose{ aug.invert{ p = 1 }, aug.flip(), aug.crop(4) }, "invert")(image, 3),
		aug.compose{ aug.flip(), aug.crop(4) }(image, 3), 0, 0)
	equal(#aug.without(aug.compose{ aug.flip(), aug.crop(4), aug.flip() }, "flip"), 1)
	fails(function() aug.without(paper, "jiter") end, "aug.without", "jiter", "'jitter'")
	fails(function() aug.without(aug.flip(), "blur") end, "no operator 'blur'")
	fails(function() aug.without(3, "blur") end, "pipeline")
end)

test("an operator is replaced by another pipeline", function()
	local p = aug.replace(aug.paper{ size = 8 }, "blur", aug.compose{ aug.noise{}, aug.cutout{} })
	local names = tostring(p[1])
	for _, word in ipairs{ "aug.noise", "aug.cutout", "aug.crop" } do
		if not names:find(word, 1, true) then error(names) end
	end
	if names:find "aug.blur" then error(names) end
	fails(function() aug.replace(aug.flip(), "flip", 3) end, "pipeline")
	fails(function() aug.replace(aug.crop(8), "flip", aug.flip()) end, "no operator 'flip'")
end)

test("named recipes are the paper's with other numbers", function()
	equal(aug.solo_cifar{} == aug.paper{ size = 32, blur = 0 }, true)
	equal(aug.grey(8) == aug.paper{ size = 8, saturation = 0, hue = 0, grayscale = 0 }, true)
	equal(aug.weak{ size = 8, scale = { .2, 1 } } == aug.repeated(aug.compose{ aug.crop{ size = 8, scale = { .2, 1 } }, aug.flip() }, 2),
		true)
	equal(aug.paper{} == aug.paper{ size = 224 }, true)
	local many = aug.grey(8)(tensor.rand(5, 12, 12))
	equal(many:size(1), 5)
end)

test("the backend of PIL gives integer levels, and is part of the comparison of pipelines", function()
	local pil, plain = aug.paper{ size = 8, backend = "pil" }, aug.paper{ size = 8 }
	equal(pil == plain, false)
	equal(load("return " .. tostring(pil))() == pil, true)
	equal(aug.paper{ size = 8, backend = "tensor" } == plain, true)
	local a, b = plain(image, 3), pil(image, 3)
	for _, v in ipairs((b * 255):reshape(b:numel()):totable()) do near(v, math.floor(v + .5), .001) end
	near((a - b):abs():mean():item(), 0, .02) -- the same random numbers
	local many = tensor.rand(5, 9, 9)
	close(aug.blur{ backend = "pil" }(many, 2):narrow(1, 2, 1), aug.blur{ backend = "pil" }(many:narrow(1, 2, 1), 2), 0, 0)
	fails(function() aug.blur{ backend = "pill" } end, "'backend' must be one of tensor, pil", "did you mean 'pil'")
end)

test("recipes contain them", function()
	local t = trainer{ data = data.shapes{ n = 64, size = 8, seed = 1 }, encoder = nn.cnn{ channels = 3, widths = { 4 }, image = 8 },
		projector = { 8 }, batch = 32, epochs = 1, seed = 1,
		views = aug.without(aug.replace(aug.paper{ size = 8 }, "blur", aug.random_choice{ aug.flip(), aug.vflip() }), "jitter") }
	local again = trainer(load("return " .. tostring(t.recipe.views) )() and t.recipe)
	t:step(2)
	again:step(2)
	equal(again.terms.total, t.terms.total)
end)

tap.done()
