-- SPDX-License-Identifier: GPL-3.0-or-later
-- The help registry: everything has an entry, and every example runs.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local help = require "barlow.help"
local barlow = require "barlow"

local known, silent = {}, function() end
for _, e in ipairs(help.entries) do known[e.name] = e end

local function run_example(e)
	local env = setmetatable({ print = silent }, { __index = _G })
	local function compile(text) return load(text, "=" .. e.name, "t", env) end
	local chunk = compile("return " .. e.example) or assert(compile(e.example))
	chunk()
end

tap.test("every example runs", function()
	local printed = print
	print = silent -- luacheck: ignore
	local fine, message = pcall(function()
		for _, e in ipairs(help.entries) do
			local ok, why = pcall(run_example, e)
			if not ok then error(("%s: %s\n%s"):format(e.name, why, e.example), 0) end
		end
	end)
	print = printed -- luacheck: ignore
	if not fine then error(message, 0) end
end)

tap.test("every function of a module has an entry", function()
	for module, members in pairs(barlow) do
		if not known[module] and type(members) ~= "table" then error("no help for " .. module) end
		for name in pairs(type(members) == "table" and members or {}) do
			if not known[module .. "." .. name] then error(("no help for %s.%s"):format(module, name)) end
		end
	end
end)

tap.test("every method and property has an entry", function()
	local seen = 0
	for class, meta in pairs(debug.getregistry()) do
		if type(meta) == "table" and rawget(meta, "__methods") then
			for sign, members in pairs{ [":"] = meta.__methods, ["."] = meta.__properties } do
				for name in pairs(members) do
					seen = seen + 1
					if not known[class .. sign .. name] then error(("no help for %s%s%s"):format(class, sign, name)) end
				end
			end
		end
	end
	if seen < 80 then error("only " .. seen .. " members were found") end
end)

tap.test("entries are complete and fit a line of text", function()
	for _, e in ipairs(help.entries) do
		for _, field in ipairs{ "name", "signature", "text", "example" } do
			if type(e[field]) ~= "string" or e[field] == "" then error(e.name .. " has no " .. field) end
		end
		if e.text:find "\n" or #e.text > 140 then error(e.name .. " is longer than a line") end
	end
end)

tap.test("names are found whole, in part, and not at all", function()
	tap.equal(help.find "tensor.zeros"[1].name, "tensor.zeros")
	tap.equal(help.find "mm"[1].name, "tensor:mm")
	tap.equal(#help.find "knn" >= 2, true)
	tap.equal(#help.find "nonsense", 0)
end)
tap.done()
