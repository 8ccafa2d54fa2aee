-- SPDX-License-Identifier: GPL-3.0-or-later
-- The registry: every public name and every setting is described, and what is described is what is checked.
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

test("every setting has help, a type, and a default or what leaving it out means", function()
	local seen = 0
	for name, e in pairs(known) do
		for _, k in ipairs(registry.flat(e.keys)) do
			local what = ("%s: %s"):format(name, k.name)
			seen = seen + 1
			if not k.text or k.text == "" then error(what .. " has no help") end
			if not e.written_signature then
				if not k.expected then error(what .. " has no type") end
				if not (k.default or k.otherwise or k.required) then error(what .. " has no default") end
				if k.required and (k.default or k.otherwise) then error(what .. " is required and has a default") end
			end
		end
	end
	if seen < 60 then error("only " .. seen .. " settings were found") end
end)

test("names are found once", function()
	local seen = {}
	for _, e in ipairs(registry.entries()) do
		if seen[e.name] then error(e.name .. " is registered twice") end
		seen[e.name] = true
	end
end)

-- Arguments that a maker needs, for trying others.
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

-- Every setting of a function that needs nothing else than the above.
local function each_key(f)
	for _, e in ipairs(registry.entries()) do
		local needs = false
		for _, k in ipairs(e.keys or {}) do needs = needs or k.required end
		if e.kind == "function" and e.keys and #e.params == 0 and not e.written_signature
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

test("names that are not there raise, with the nearest", function()
	fails(function() return data.fashon end, "data has no 'fashon' (did you mean 'fashion'?)")
	fails(function() return nn.lineer(3, 4) end, "nn has no 'lineer' (did you mean 'linear'?)")
	fails(function() return tensor.zeroes(3) end, "tensor has no 'zeroes' (did you mean 'zeros'?)")
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

test("an object remembers every setting in force, given or not", function()
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
	equal(mine.channels, nil)         -- and is left as it was
end)
tap.done()
