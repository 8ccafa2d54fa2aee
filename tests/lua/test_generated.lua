-- SPDX-License-Identifier: GPL-3.0-or-later
-- Files generated from the registry: the manual page and the stubs for language servers.
package.path = arg[0]:match "^(.*/)" .. "?.lua;" .. package.path
local tap = require "tap"
local registry = require "barlow.registry"
local test = tap.test

local function has(text, part)
	if not text:find(part, 1, true) then error(("'%s' is not in it"):format(part), 2) end
end

test("the stubs are Lua, and have every function, setting and class", function()
	local text = require "barlow.stubs".text "0"
	assert(load(text, "=barlow.d.lua", "t", {}))
	for _, e in ipairs(registry.entries()) do
		local callable = e.kind ~= "property" and not e.name:find "[%[(]"
		if callable and e.name:find "[.:]" then has(text, e.last .. "(") end
		if e.kind == "property" then has(text, ("---@field %s "):format(e.last)) end
		for _, k in ipairs(e.keys or {}) do has(text, ("---@field %s%s "):format(k.name, k.required and "" or "?")) end
	end
	has(text, "function nn.linear(inputs, outputs, settings) end")
	has(text, "---@field bias? boolean adds a trained b, one number for each output (default true)")
	has(text, "function tensor_class:narrow(dim, start, length) end")
	has(text, "---@param path string\n---@return barlow.tensor\nfunction tensor.load(path) end")
	has(text, "---@operator add(number|barlow.tensor): barlow.tensor")
	has(text, "---@field stem? \"large\"|\"small\"")
	if text:find "pair of pipelines" and text:find "barlow%.pair of" then error "a class's name has blanks" end
end)

test("the manual page has every name and setting, and is valid", function()
	local text = require "barlow.manual".text "0"
	for _, e in ipairs(registry.entries()) do
		has(text, ".B " .. e.signature:gsub("\\", "\\e"):gsub("%-", "\\-"))
		for _, k in ipairs(registry.flat(e.keys)) do has(text, ".BR " .. k.name .. " ") end
	end
	for line in text:gmatch "[^\n]+" do
		if line:find "^'" then error("a request by accident: " .. line) end
	end
	-- mandoc or groff may be missing
	if os.execute "command -v groff >/dev/null 2>&1" then
		tap.with_file(text, function(path)
			local pipe = io.popen(("LC_ALL=C.UTF-8 groff -man -Tutf8 -ww -z %s 2>&1"):format(path))
			local said = pipe:read "a"
			pipe:close()
			if said ~= "" then error(said) end
		end)
	end
end)
tap.done()
