-- SPDX-License-Identifier: GPL-3.0-or-later
-- The registry: every public name and every setting is described, and the described types and ranges are those that are checked.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local registry = require "barlow.registry"
local barlow = require "barlow"
local test, equal, fails = tap.test, tap.equal, tap.fails

local known = {}
for _, e in ipairs(registry.entries()) do known[e.name] = e end

-- f(name) for every public name that a user can reach.
local function each_name(f)
	for module, members in pairs(barlow) do
		if type(members) ~= "table" then f(module) end
		for name in pairs(type(members) == "table" and members or {}) do f(module .. "." .. name) end
	end
	for class, meta in pairs(debug.getregistry()) do
		if type(meta) == "table" and rawget(meta, "__methods") then
			for name in pairs(meta.__methods) do f(class .. ":" .. name) end
			for name in pairs(meta.__properties) do f(class .. "." .. name) end
		end
	end
end

test("every public name has a signature, a line of help and an example", function()
	local seen = 0
	each_name(function(name)
		seen = seen + 1
		local e = known[name] or error("no entry for " .. name)
		for _, field in ipairs{ "signature", "text", "example" } do
			if type(e[field]) ~= "string" or e[field] == "" then error(("%s has no %s"):format(name, field)) end
		end
	end)
	if seen < 150 then error("only " .. seen .. " names were found") end
end)

test("every setting has help, a type, and a default or the meaning of leaving it out", function()
	local seen = 0
	for name, e in pairs(known) do
		for _, k in ipairs(registry.flat(e.keys)) do
			local what = ("%s: %s"):format(name, k.name)
			seen = seen + 1
			if not k.text or k.text == "" then error(what .. " has no help") end
			if not k.expected then error(what .. " has no type") end
			if not (k.default or k.otherwise or k.required) then error(what .. " has no default") end
			if k.required and (k.default or k.otherwise) then error(what .. " is required and has a default") end
		end
	end
	if seen < 60 then error("only " .. seen .. " settings were found") end
end)

test("names are unique", function()
	local seen = {}
	for _, e in ipairs(registry.entries()) do
		if seen[e.name] then error(e.name .. " is registered twice") end
		seen[e.name] = true
	end
end)

-- Arguments that a constructor requires, to test others.
local required = {
	["nn.linear"] = { 3, 4 }, ["nn.conv2d"] = { 3, 4, 1 }, ["nn.batchnorm"] = { 3 }, ["nn.batchnorm1d"] = { 3 },
	["nn.batchnorm2d"] = { 3 }, ["nn.maxpool"] = { 2 }, ["nn.avgpool"] = { 2 }, ["nn.mlp"] = { 3 },
	["nn.residual"] = { nn.relu() }, ["nn.func"] = { print },
}

local function call(name, settings)
	local f = barlow
	for part in name:gmatch "[^.]+" do f = f[part] end
	local arguments = { table.unpack(required[name] or {}) }
	arguments[#arguments + 1] = settings
	return f(table.unpack(arguments))
end

-- Every setting of a function that requires no other arguments than those above.
local function each_key(f)
	for _, e in ipairs(registry.entries()) do
		local needs = false
		for _, k in ipairs(e.keys or {}) do needs = needs or k.required end
		if e.kind == "function" and e.keys and #e.params == 0
			and (not needs or required[e.name]) then
			for _, k in ipairs(e.keys) do f(e, k) end
		end
	end
end

test("every setting of every constructor refuses another type, infinity and NaN", function()
	local seen = 0
	each_key(function(e, k)
		if k.position > 0 and required[e.name] then return end
		seen = seen + 1
		if k.type ~= "any" then
			fails(function() call(e.name, { [k.name] = print }) end, e.name, k.name, "must be")
		end
		if k.type:find "number" or k.type:find "integer" then
			for _, v in ipairs{ 1 / 0, -1 / 0, 0 / 0 } do
				fails(function() call(e.name, { [k.name] = v }) end, e.name, k.name, "must be")
			end
			fails(function() call(e.name, { [k.name] = "1" }) end, e.name, k.name, "must be")
		end
		fails(function() call(e.name, { [k.name .. "x"] = 1 }) end, "unknown key", #k.name > 2 and "did you mean" or "")
	end)
	if seen < 25 then error("only " .. seen .. " settings were tried") end
end)

test("unknown names raise an error with the nearest name", function()
	fails(function() return data.fashon end, "data has no 'fashon' (did you mean 'fashion'?)")
	fails(function() return nn.lineer(3, 4) end, "nn has no 'lineer' (did you mean 'linear'?)")
	fails(function() return tensor.zeroes(3) end, "tensor has no 'zeroes' (did you mean 'zeros'?)")
	fails(function() return nn.conv(1) end, "nn has no 'conv' (did you mean 'conv2d'?)")
	fails(function() return nn.batch(1) end, "nn has no 'batch' (did you mean 'batchnorm'?)")
	fails(function() return nn.relu():trian() end, "unknown field 'trian' (did you mean 'train'?)")
	fails(function() return nn.relu():param() end, "unknown field 'param' (did you mean 'parameters'?)")
	fails(function() return nn.linear(1, 1, { bais = true }) end, "unknown key 'bais' (did you mean 'bias'?)")
	fails(function() return nn.cnn{ algorithm = "wino" } end, "algorithm", "did you mean 'winograd'?")
	fails(function() return loss.correlation(tensor.randn(3, 2), tensor.randn(3, 2), "unbias") end, "did you mean 'unbiased'?")
	fails(function() return nn.resnet{ stem = "smal" } end, "did you mean 'small'?")
	fails(function() return optim.schedule{ steps = 1, kind = "cosin" } end, "did you mean 'cosine'?")
	fails(function() return loss.barlow{}.lamda end, "loss: unknown field 'lamda' (did you mean 'lambda'?)")
	fails(function() return optim.sgd{ lr = 1 }.momentm end, "optimiser: unknown field 'momentm' (did you mean 'momentum'?)")
	fails(function() return loss.barlow{}.flor end, "unknown field 'flor' (did you mean 'floor'?)")
	fails(function() return aug.crop(3):foo() end, "pipeline: unknown field 'foo' (there are none)")
	fails(function() return eval.qqqqqqq end, "eval has no 'qqqqqqq'", "help \"eval\"")
	fails(function() return nn[1] end, "nn: expected a name, got number 1")
	equal(rawget(nn, "lineer"), nil)
	equal(next(nn) ~= nil, true)
end)

test("both ends of a range are tested", function()
	fails(function() nn.batchnorm(3, { momentum = 1.001 }) end, "'momentum' must be a number between 0 and 1, got 1.001")
	fails(function() nn.batchnorm(3, { momentum = -.001 }) end, "'momentum'")
	nn.batchnorm(3, { momentum = 0 })
	nn.batchnorm(3, { momentum = 1 })
	fails(function() nn.cnn{ widths = { 4, 0 } } end, "'widths' must be a list of 1 to 64 integers, each between 1 and")
	fails(function() nn.cnn{ widths = {} } end, "'widths'")
	fails(function() nn.linear(3, 4, { inputs = 3 }) end, "'inputs' is given twice")
end)

test("an object stores every setting in force, given or not", function()
	local native = require "barlow.native"
	local function settings(o) return native.source(o)[1] end
	local s = settings(nn.conv2d(1, 4, 3))
	equal(s.inputs, 1)
	equal(s.kernel, 3)
	equal(s.stride, 1)
	equal(s.bias, true)
	equal(s.algorithm, "auto")
	equal(settings(nn.maxpool(3)).stride, 3)
	equal(table.concat(settings(nn.cnn{}).strides, " "), "1 2 2 2")
	equal(math.type(settings(data.shapes{ size = 8 }).n), "integer")
	equal(settings(data.shapes{ size = 8 }).n, 10000)
	local mine = { 3 }
	local net = nn.cnn{ widths = mine }
	mine[1] = 5
	equal(settings(net).widths[1], 3) -- the user's table may change afterwards
	equal(mine.channels, nil)         -- and is not modified
end)

-- Settings that a recipe may leave out: they have no value, or belong to this run and this machine only.
local unsaid = { ["trainer"] = { steps = true, seconds = true, last = true, knn = true, name = true, folder = true, checkpoint_every = true,
	convolution = true, warm_start = true }, ["optim.adamw"] = { params = true } }

-- Every setting of every call in the description d must have a value.
local function check_complete(d)
	local meta = getmetatable(d)
	local e = meta and meta.call and known[meta.call]
	for _, k in ipairs(e and e.keys or {}) do
		if d[k.name] == nil and not (unsaid[meta.call] or {})[k.name] then
			error(("%s: the recipe does not state %s"):format(meta.call, k.name))
		end
	end
	for _, v in pairs(d) do
		if type(v) == "table" then check_complete(v) end
	end
end

test("a recipe states every setting in force, and is the same when it is built again", function()
	local ds = data.shapes{ n = 256, size = 8, channels = 1 }
	local t = trainer{ data = ds, encoder = nn.sequential(nn.conv2d(1, 4, 3), nn.maxpool(2), nn.flatten(), nn.linear(36, 8)) }
	local r = t.recipe
	check_complete(r)
	equal(r.batch, 256)
	equal(r.epochs, 10)
	equal(r.schedule.last, .001)
	equal(r.views.size, 8)
	equal(r.optim.beta2, .999)
	equal(r.encoder[1].stride, 1)
	equal(table.concat(r.projector, " "), "512 512 512")
	equal(tostring(trainer(r).recipe), tostring(r))
	equal(tostring(load("return " .. tostring(r))().recipe), tostring(r))
	local with = trainer{ data = ds, encoder = nn.cnn{ image = 8, widths = { 4 } }, projector = { 8 }, steps = 3,
		knn = { refs = ds, queries = ds }, loss = loss.barlow{ lambda = .01 }, optim = optim.sgd{ lr = .1 }, schedule = "constant" }
	equal(with.recipe.knn.k, 20)
	equal(with.recipe.knn.every, 1)
	equal(with.recipe.epochs, nil) -- the schedule depends on the steps
	equal(with.recipe.schedule.kind, "constant")
	equal(with.recipe.loss.lambda, .01)
	equal(with.recipe.optim.momentum, .9)
	equal(tostring(load("return " .. tostring(with.recipe))().recipe), tostring(with.recipe))
end)
tap.done()
