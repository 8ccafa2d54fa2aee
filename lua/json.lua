-- SPDX-License-Identifier: GPL-3.0-or-later
-- json.lua: writes Lua values as indented JSON.  native.json_text (jansson) writes .1 as 0.10000000000000001; here a number
-- has only as many digits as it needs.
local native = require "barlow.native"
local show = require "barlow.show"

local json = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

-- Writes a string; control bytes are escaped.  If it is not valid UTF-8, bytes from 128 on are taken as Latin-1.
local function text(s)
	local valid = utf8.len(s)
	local out = s:gsub('[%c"\\\127]', function(c) return escapes[c] or ("\\u%04x"):format(c:byte()) end)
	if not valid then out = out:gsub("[\128-\255]", function(c) return ("\\u%04x"):format(c:byte()) end) end
	return '"' .. out .. '"'
end

-- NaN and infinities are written as null.
local function number(v)
	if math.type(v) == "integer" then return tostring(v) end
	if v ~= v or v == math.huge or v == -math.huge then return "null" end
	return v == math.floor(v) and math.abs(v) < 1e15 and ("%d"):format(v) or native.number_text(v)
end

local write

-- A table whose length (#) is not 0 is written as a list, up to its first nil and without its other keys, and any
-- other table as an object.  An empty table is a list if json.list made it.
local function write_table(v, indent)
	local pad, close, parts = "\n" .. ("  "):rep(indent + 1), "\n" .. ("  "):rep(indent), {}
	if #v > 0 or (getmetatable(v) or {}).list then
		for i, item in ipairs(v) do parts[i] = write(item, indent + 1) end
		return #parts == 0 and "[]" or "[" .. pad .. table.concat(parts, "," .. pad) .. close .. "]"
	end
	for _, k in ipairs(show.sorted_keys(v)) do
		parts[#parts + 1] = text(tostring(k)) .. ": " .. write(v[k], indent + 1)
	end
	return #parts == 0 and "{}" or "{" .. pad .. table.concat(parts, "," .. pad) .. close .. "}"
end

function write(v, indent)
	if v == nil then return "null" end
	if type(v) == "number" then return number(v) end
	if type(v) == "boolean" then return tostring(v) end
	if type(v) == "table" then return write_table(v, indent) end
	return text(tostring(v))
end

-- Returns the JSON text of a value, indented by two spaces per level.  Values other than numbers, booleans, tables and nil
-- (null) are written as the strings that tostring returns.
function json.encode(v)
	return write(v, 0)
end

-- Marks t as a list, so that it is written as [] if it is empty; returns t.
function json.list(t)
	return setmetatable(t, { list = true })
end

return json
