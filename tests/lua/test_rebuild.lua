-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
test_rebuild.lua: print shows an object as Lua code that makes an equal one, for every constructor in the registry of
augmentations, losses, optimisers, schedules and modules.  The objects are those of the examples in the registry, so a
new constructor is tested at once; settings that are not the defaults are listed below.
]]
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local registry = require "barlow.registry"
local barlow = require "barlow"
local test, equal, close = tap.test, tap.equal, tap.close

-- Records the first result of the function `name` where the example calls it.
local function run_noting(name, example)
	local made = {}
	local module, last = name:match "^(%w+)%.([%w_]+)$"
	local proxy = setmetatable({}, { __index = barlow[module] })
	proxy[last] = function(...)
		local results = table.pack(barlow[module][last](...))
		made[#made + 1] = results[1]
		return table.unpack(results, 1, results.n)
	end
	local env = setmetatable({ [module] = proxy }, { __index = _G })
	local chunk = load("return " .. example, "=example", "t", env) or assert(load(example, "=example", "t", env))
	chunk()
	return made
end

local function again(text)
	local f, message = load("return " .. text, "=printed")
	if not f then error(text .. "\n" .. message, 2) end
	return f()
end

-- Copies the weights, after which both have to give the same result.
local function same_module(a, b, input)
	local names = {}
	for _, kind in ipairs{ "parameters", "buffers" } do
		local others = {}
		for name, t in b[kind](b) do others[name] = t end
		for name, t in a[kind](a) do
			local other = others[name] or error(name .. " is missing")
			equal(tostring(other:shape()), tostring(t:shape()), name)
			other:copy_(t)
			others[name], names[#names + 1] = nil, name
		end
		equal(next(others), nil)
	end
	a:eval()
	b:eval()
	if input then close(b(input), a(input), 0, 0) end
	return #names
end

-- The input of a module: (N, C, H, W) unless stated here.
local image = tensor.randn(2, 3, 16, 16)
local inputs = {
	["nn.linear"] = tensor.randn(2, 3), ["nn.mlp"] = tensor.randn(2, 8), ["nn.batchnorm1d"] = tensor.randn(2, 4),
	["nn.batchnorm"] = tensor.randn(2, 4, 8, 8), ["nn.batchnorm2d"] = tensor.randn(2, 4, 8, 8),
	["nn.conv2d"] = tensor.randn(2, 1, 8, 8), ["nn.sequential"] = tensor.randn(2, 3), ["nn.residual"] = tensor.randn(2, 3),
	["nn.cnn"] = tensor.randn(2, 1, 28, 28),
}

-- The settings of an optimiser, as it lists them.
local function settings_of(o)
	local settings = {}
	for _, e in ipairs(registry.entries()) do
		for _, k in ipairs(e.name == "optim." .. o.kind and e.keys or {}) do
			if k.name ~= "params" then settings[k.name] = o[k.name] end
		end
	end
	return settings
end

local function check(name, a)
	local text = tostring(a)
	local b = again(text)
	equal(tostring(b), (text:gsub(" %-%-%[%[ bound to %d+ parameters %]%]", "")))
	if tostring(b) ~= text then a = optim[a.kind](settings_of(a)) end -- a bound optimiser equals only itself
	if name:find "^nn%." then
		equal(a == b, false, "modules are equal where they are one: " .. name)
		return same_module(a, b, inputs[name] or image)
	end
	if a ~= b then error(("%s: what it prints makes another one: %s"):format(name, text), 2) end
end

local printed = { pipeline = true, pipelines = true, loss = true, optimiser = true, schedule = true, module = true, ramp = true }
-- Objects that print as their content or their position.
local told = { tensor = true, dataset = true, loader = true, trainer = true, run = true, runs = true, table = true, number = true,
	integer = true, string = true, boolean = true, any = true, ["function"] = true, preview = true, stats = true, rng = true }

test("every constructor's example prints as Lua code that makes an equal object", function()
	local seen = 0
	for _, e in ipairs(registry.entries()) do
		local kind = e.kind == "function" and (e.returns or ""):match "^(%l+)"
		if kind and printed[kind] then
			local made = run_noting(e.name, e.example)
			if #made == 0 then error(e.name .. ": its example does not call it") end
			for _, a in ipairs(made) do
				seen = seen + 1
				check(e.name, a)
			end
		elseif kind and e.name:find "^%l+%." and e.group:find "^[anlo]" then
			assert(told[kind], ("%s gives a %s: say in test_rebuild.lua whether that prints as Lua"):format(e.name, kind))
		end
	end
	if seen < 70 then error("only " .. seen .. " objects were made") end
end)

local k, table_of = 2, { a = { 1, 2 }, b = "x" }
local kernel = tensor{ { 1, .5 }, { 1 / 3, -0.0 } }
local weight = tensor.randn(70, 60)

local function helper(x) return x * k end

local function others()
	return {
		["loss.func"] = {
			loss.func{ function(za, zb, p) return { far = p.mu * ((za - zb) ^ 2):mean(), near = helper((za * 0):sum()) } end,
				parameters = { mu = { default = 25, min = 0, settable = false, help = "weight" }, nu = 1 / 3 },
				terms = { "near", "far" }, turn = "nu", name = "mine" },
			loss.func(function(za) return (za[1] * table_of.a[2]):sum() * kernel:sum() end),
		},
		["loss.barlow"] = { loss.barlow{ lambda = 1 / 3, scale = .024, form = "direct", dialect = "hsic" } },
		["aug.func"] = {
			aug.func{ function(x, rng) return x * k + kernel[1][2] end, seconds = 2, memory = 99 },
			aug.func(function(x) return helper(x) * table_of.a[1] end),
		},
		["aug.batch"] = { aug.batch{ function(v) return v end, views = aug.paper{ size = 8 }, seconds = 3 } },
		["aug.twin"] = { aug.twin(aug.func(function(x) return x * k end), aug.random_order{ aug.flip(), aug.blur{} }) },
		["aug.crop"] = { aug.crop(aug.ramp(8, 16, 4)), aug.ramp({ .1, .2 }, { 1 / 3, .4 }, 9) },
		["optim.sgd"] = { optim.sgd{ lr = 1 / 3, nesterov = true, momentum = .8 }, optim.lars{ lr = .1, apart = true } },
		["optim.schedule"] = { optim.schedule{ steps = 77, warmup = 7, kind = "constant" } },
	}
end

test("also with settings that are not the defaults, functions with upvalues, and tensors", function()
	for name, list in pairs(others()) do
		for _, a in ipairs(list) do check(name, a) end
	end
end)

test("one view of several prints as itself", function()
	local pair = aug.twin(aug.func(function(x) return x * k end), aug.crop(8))
	check("aug.twin", pair[1])
	check("aug.twin", pair.second)
	check("aug.view", aug.compose{ pair[1], aug.flip(.25) })
	check("aug.view", aug.twin(aug.grey{ size = 8 }.second, pair[1]))
	equal(aug.batch(function(v) return v end).first, nil)
end)

test("modules within modules, parameters of functions, and parts of a network", function()
	local deep = nn.sequential{
		nn.func{ function(x) return x:matmul(weight) end, parameters = { w = weight }, name = "own" },
		nn.residual(nn.sequential(nn.linear(60, 60), nn.batchnorm1d(60), nn.relu()), nn.linear(60, 60, { bias = false }), { relu = false }),
		nn.sequential(nn.tanh()),
	}
	inputs["deep"] = tensor.randn(3, 70)
	local b = again(tostring(deep))
	if same_module(deep, b, inputs.deep) < 9 then error "parameters are missing" end
	local conv = nn.sequential(nn.conv2d(3, 8, { 3, 1 }, { stride = 2, padding = 1, groups = 1, bias = false, algorithm = "gather" }),
		nn.batchnorm(8, { affine = false, momentum = .25, eps = 1e-3 }), nn.maxpool(3, { stride = 2, padding = 1 }), nn.avgpool(2))
	same_module(conv, again(tostring(conv)), image)
	same_module(conv[1], again(tostring(conv[1])), image)
	local net = nn.resnet{ width = 4, depth = 50, stem = "large", zero_init = true, classes = 3 }
	same_module(net, again(tostring(net)), image)
	for _, part in ipairs{ net.conv1, net[1] } do same_module(part, again(tostring(part)), image) end
	same_module(net.layer2[1].downsample, again(tostring(net.layer2[1].downsample)), tensor.randn(2, 16, 8, 8))
	same_module(deep[2].branch[1], again(tostring(deep[2].branch[1])), tensor.randn(2, 60))
	-- without the weights of a run
	local trained = nn.linear(3, 4):init(5)
	equal(tostring(trained):find("init", 1, true), nil)
	-- in a table, as print shows it at the prompt
	again(require "barlow.show".value{ deep, net = conv, 3 })
end)

test("a network's layers are numbered as they are indexed", function()
	local text = tostring(nn.cnn{ widths = { 4 }, image = 8 })
	assert(text:find("-- [1]: nn.conv2d(1, 4, 3, {padding = 1, bias = false})  36 parameters", 1, true), text)
	equal(text:find("[0]", 1, true), nil)
	assert(tostring(nn.sequential(nn.relu())):find("nn.relu() -- [1]", 1, true))
	assert(tostring(nn.resnet{ width = 4 }):find("-- .layer1: sequential", 1, true))
end)

test("different objects are not equal", function()
	local n = 3
	local f = function(x) return x * n end
	equal(aug.func(f) == aug.func(f), true)
	equal(aug.func(f) == aug.func(function(x) return x * n end), true)
	equal(aug.func(f) == aug.func(function(x) return x + n end), false)
	equal(aug.func(f) == aug.func{ f, seconds = 1 }, false)
	equal(aug.func(f) == aug.func{ f, size = 9 }, false)
	local before = aug.func(f)
	n = 4
	equal(before == aug.func(f), false)
	local function of(t) return aug.func(function(x) return x * t[1] end) end
	equal(of(tensor{ 1, 2 }) == of(tensor{ 1, 2 }), true)
	equal(of(tensor{ 1, 2 }) == of(tensor{ 1, 3 }), false)
	equal(of{ 1, { b = 2 } } == of{ 1, { b = 2 } }, true)
	equal(of{ 1, { b = 2 } } == of{ 1, { c = 2 } }, false)
	equal(aug.batch(function(v) return v end) == aug.batch(function(v) return { v[1] } end), false)
	equal(loss.barlow{} == loss.barlow{ lambda = .1 }, false)
	equal(loss.barlow{} == loss.vicreg{}, false)
	local function l(more)
		local s = { function(a, b, p) return ((a - b) ^ 2):mean() * p.mu end, parameters = { mu = 1 } }
		for key, v in pairs(more or {}) do s[key] = v end
		return loss.func(s)
	end
	equal(l() == l(), true)
	for _, more in ipairs{ { name = "x" }, { parameters = { mu = 2 } }, { turn = "mu" }, { terms = { "loss" } },
		{ parameters = { mu = { default = 1, max = 5 } } } } do equal(l() == l(more), false) end
	local called = l()
	called(tensor.randn(4, 2), tensor.randn(4, 2)) -- the call names its terms
	equal(called == l(), true)
	equal(optim.sgd{ lr = .1 } == optim.sgd{ lr = .2 }, false)
	equal(optim.sgd{ lr = .1 } == optim.adamw{ lr = .1 }, false)
	local net = nn.linear(2, 2)
	local bound = optim.sgd(net, { lr = .1 })
	equal(bound == bound, true)
	equal(tostring(bound):match "%-%-.*", "--[[ bound to 6 parameters ]]")
	equal(bound == optim.sgd(net, { lr = .1 }), false) -- each has a state of its own
	equal(optim.schedule{ steps = 3 } == optim.schedule{ steps = 4 }, false)
	local seq = nn.sequential(net, nn.relu())
	equal(seq[1] == seq[1], true)
	equal(seq[1] == net, true)
	equal(net == nn.linear(2, 2), false)
end)

tap.done()
