-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
Compares every default of the Lua functions, with the type of the setting and whether it may change during a run, with
defaults.golden.  A changed default affects everybody who relies on it: add it to NEWS, and the old one to lua/versions.lua,
before UPDATE_GOLDEN=1 regenerates the file.
]]
local folder = arg[0]:match "^(.*/)"
package.path = folder .. "?.lua;" .. package.path
local tap = require "tap"
local registry = require "barlow.registry"

local function text()
	local lines = {}
	for _, e in ipairs(registry.entries()) do
		for _, k in ipairs(registry.flat(e.keys)) do
			local preset = k.default and "= " .. k.default or k.otherwise and "otherwise " .. k.otherwise or "required"
			lines[#lines + 1] = ("%s: %s %s (%s%s)"):format(e.name, k.name, preset, k.expected, k.settable and ", settable" or "")
		end
	end
	table.sort(lines)
	return table.concat(lines, "\n") .. "\n"
end

local path = folder .. "defaults.golden"
if os.getenv "UPDATE_GOLDEN" then
	local file = assert(io.open(path, "w"))
	file:write(text())
	file:close()
end

tap.test("every default and range is what it was", function()
	local file = assert(io.open(path))
	local expected, got = {}, {}
	for line in file:lines() do expected[line] = true end
	file:close()
	for line in text():gmatch "[^\n]+" do got[line] = true end
	local differ = {}
	for line in pairs(expected) do if not got[line] then differ[#differ + 1] = "- " .. line end end
	for line in pairs(got) do if not expected[line] then differ[#differ + 1] = "+ " .. line end end
	table.sort(differ)
	if #differ > 0 then
		error(table.concat(differ, "\n") .. "\nUPDATE_GOLDEN=1 tests/lua/test_defaults.lua takes them over", 0)
	end
end)
tap.done()
