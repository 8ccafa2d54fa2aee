-- SPDX-License-Identifier: GPL-3.0-or-later
-- show.lua: formats values as text: tensors as PyTorch prints them, tables and other values for the prompt.
local show = {}

-- Items shown at each end of a dimension, greatest number of elements that are all shown, and columns of a line.
local EDGE, FULL, WIDTH = 3, 1000, 80

-- Returns a large tensor's numbers as nested tables: the first and last EDGE of each dimension, with "..." between them.
local function gather_cut(t)
	if t:dim() == 0 then return t:item() end
	local out, n = {}, #t
	for i = 1, n do
		if n > 2 * EDGE and i == EDGE + 1 then out[#out + 1] = "..." end
		if n <= 2 * EDGE or i <= EDGE or i > n - EDGE then out[#out + 1] = gather_cut(t:select(1, i)) end
	end
	return out
end

local function each_number(x, f)
	if type(x) == "number" then return f(x) end
	if type(x) == "table" then for _, v in ipairs(x) do each_number(v, f) end end
end

local function finite(v) return v == v and v ~= math.huge and v ~= -math.huge end

-- Returns one printf format for all numbers: integers as "3.", small ranges as %.4f, others as %.4e.
local function number_format(values)
	local whole, low, high = true, math.huge, 0
	each_number(values, function(v)
		if not finite(v) then return end
		whole = whole and v == math.floor(v)
		local a = math.abs(v)
		if a > 0 then low = math.min(low, a) end
		high = math.max(high, a)
	end)
	if high >= 1e8 or (not whole and high > 0 and (high / low > 1e5 or high < 1e-3)) then return "%.4e" end
	return whole and "%.0f." or "%.4f"
end

local function plain(v, format)
	if v ~= v then return "nan" end
	if not finite(v) then return v > 0 and "inf" or "-inf" end
	return format:format(v)
end

local function row_text(row, format, width, indent)
	local lines, line = {}, ""
	for i, v in ipairs(row) do
		local text = v == "..." and "..." or plain(v, format)
		local item = (" "):rep(width - #text) .. text .. (i < #row and "," or "")
		if line ~= "" and indent + #line + 1 + #item > WIDTH then
			lines[#lines + 1] = line
			line = item
		else
			line = line == "" and item or line .. " " .. item
		end
	end
	lines[#lines + 1] = line
	return "[" .. table.concat(lines, "\n" .. (" "):rep(indent + 1)) .. "]"
end

local function nested_text(x, dims, format, width, indent)
	if dims == 1 then return row_text(x, format, width, indent) end
	local parts = {}
	for i, v in ipairs(x) do
		parts[i] = v == "..." and "..." or nested_text(v, dims - 1, format, width, indent + 1)
	end
	return "[" .. table.concat(parts, "," .. ("\n"):rep(dims - 1) .. (" "):rep(indent + 1)) .. "]"
end

function show.tensor(t)
	local d = t:detach()
	if d:numel() == 0 then return ("tensor([], size=%s%s)"):format(d:shape(), t:requires_grad() and ", requires_grad=true" or "") end
	local dims, cut = d:dim(), d:numel() > FULL
	local values = cut and gather_cut(d) or d:totable()
	local format, width = number_format(values), 0
	each_number(values, function(v) width = math.max(width, #plain(v, format)) end)
	local text = dims == 0 and plain(values, format) or nested_text(values, dims, format, width, #"tensor(")
	local notes = {}
	if cut then notes[1] = "size=" .. tostring(d:shape()) end
	if t:requires_grad() then notes[#notes + 1] = "requires_grad=true" end
	return "tensor(" .. table.concat({ text, table.unpack(notes) }, ", ") .. ")"
end

-- Tables.

local ITEMS, DEPTH = 24, 4 -- greatest number of items of a table, and of nested tables, that are shown

local function key_text(k)
	if type(k) == "string" and k:match "^[%a_][%w_]*$" then return k end
	return "[" .. (type(k) == "string" and ("%q"):format(k) or tostring(k)) .. "]"
end

local function key_order(a, b)
	local x, y = type(a), type(b)
	if x ~= y then return x == "number" or (y ~= "number" and x < y) end
	if x == "number" or x == "string" then return a < b end
	return tostring(a) < tostring(b)
end

local function sorted_keys(t)
	local keys = {}
	for k in pairs(t) do keys[#keys + 1] = k end
	table.sort(keys, key_order)
	return keys
end
show.sorted_keys = sorted_keys

-- Joins the texts of numbers to lines, so that a long list takes few lines.
local function packed(parts, width)
	local lines = {}
	for _, part in ipairs(parts) do
		local line = lines[#lines]
		if line and #line + 2 + #part < width then
			lines[#lines] = line .. ", " .. part
		else
			lines[#lines + 1] = part
		end
	end
	return lines
end

local function table_text(t, depth, indent, seen)
	if seen[t] then return "{...}" end
	if next(t) == nil then return "{}" end
	if depth == 0 then return "{ ... }" end
	seen[t] = true
	local parts, keys, long, numbers = {}, sorted_keys(t), 0, true
	for i, k in ipairs(keys) do
		if i > ITEMS then
			parts[i] = ("... (%d more)"):format(#keys - ITEMS)
			break
		end
		local text = show.nested(t[k], depth - 1, indent + 2, seen)
		parts[i] = k == i and text or key_text(k) .. " = " .. text
		long = long + #parts[i] + 2
		numbers = numbers and k == i and type(t[k]) == "number"
	end
	seen[t] = nil
	if indent + long <= WIDTH and not table.concat(parts):find "\n" then
		return "{ " .. table.concat(parts, ", ") .. " }"
	end
	local pad = "\n" .. (" "):rep(indent + 2)
	if numbers then parts = packed(parts, WIDTH - indent - 2) end
	return "{" .. pad .. table.concat(parts, "," .. pad) .. "\n" .. (" "):rep(indent) .. "}"
end

local function has_text(v)
	local meta = getmetatable(v)
	return type(meta) == "table" and meta.__tostring ~= nil
end

-- Formats a value inside a table.
function show.nested(v, depth, indent, seen)
	if type(v) == "string" then return ("%q"):format(v) end
	if type(v) == "number" then return show.number(v) end
	if type(v) == "table" and not has_text(v) then
		return table_text(v, depth, indent, seen)
	end
	local text = tostring(v)
	return (text:gsub("\n", "\n" .. (" "):rep(indent)))
end

function show.number(v)
	if math.type(v) == "integer" or not finite(v) then return tostring(v) end
	local short = ("%.6g"):format(v)
	return short:find "[%.e]" and short or short .. ".0"
end

-- Formats a value for people.
function show.value(v)
	return require "barlow.native".clean(type(v) == "string" and v or show.nested(v, DEPTH, 0, {}), true)
end

-- Results at the prompt.

-- Formats a number as Lua prints it (floats with 14 digits), but whole floats below 2^63 without an exponent.
local function result_number(v)
	if math.type(v) == "float" and v == math.floor(v) and finite(v) and math.abs(v) < 2 ^ 63 then return ("%.1f"):format(v) end
	return tostring(v)
end

local escapes = { ["\\"] = "\\\\", ['"'] = '\\"', ["\t"] = "\\t", ["\r"] = "\\r" }

-- Writes a string of one line in quotes, of several lines in long brackets.
local function result_string(v)
	if not v:find "\n" then return '"' .. v:gsub('[\\"\t\r]', escapes) .. '"' end
	local level = ""
	while v:find("]" .. level .. "]", 1, true) do level = level .. "=" end
	return "[" .. level .. "[\n" .. v .. "]" .. level .. "]"
end

-- Describes a tensor with several elements: shape, mean, standard deviation and range.
local function tensor_notes(t)
	local d, n = t:detach(), t:numel()
	if n < 2 then return "" end
	local mean = d:mean():item() + 0.0 -- -0 becomes 0
	local std = (math.max(0, ((d - mean) ^ 2):mean():item())) ^ .5
	return ("\n-- %s, mean %.4g, std %.4g, from %.4g to %.4g"):format(tostring(t:shape()), mean, std, d:min():item() + 0.0, d:max():item() + 0.0)
end

local PICTURE = 32 -- columns of a picture

-- Formats ds[i]: the image as a picture, then the other fields and the image's shape.
local function sample_text(v)
	local rest = {}
	for k, x in next, v do rest[k] = x end
	rest.image = setmetatable({}, { __tostring = function() return "tensor " .. tostring(v.image:shape()) end })
	return require "barlow.look".picture(v.image, PICTURE) .. "\n" .. require "barlow.native".clean(show.nested(rest, DEPTH, 0, {}), true)
end

local function is_sample(v)
	local image = type(v) == "table" and not getmetatable(v) and rawget(v, "image")
	return image and require "barlow.native".is_tensor(image) and image:dim() == 3 and image:numel() > 0
end

-- Returns a value as the prompt prints it.
function show.result(v)
	local native, text = require "barlow.native", nil
	if is_sample(v) then return sample_text(v) end
	local described = (type(v) == "table" or type(v) == "function") and (require "barlow.help".described(v) or
		require "barlow.help".method(v))
	if described then return described end
	if type(v) == "string" then
		text = result_string(v)
	elseif type(v) == "number" then
		text = result_number(v)
	elseif native.type_name(v) == "figure" then
		local path = require "barlow.figure".saved[v]
		text = tostring(v) .. (path and ", saved as " .. path or "")
	elseif native.type_name(v) == "trainer" then
		text = require "barlow.run".card(v)
	else
		text = show.nested(v, DEPTH, 0, {}) .. (native.is_tensor(v) and tensor_notes(v) or "")
	end
	return native.clean(text, true)
end

-- Formats seconds as minutes and seconds, or with three digits in s, ms or us.
function show.seconds(s)
	if s >= 60 then return ("%d min %02d s"):format(s // 60, s % 60 // 1) end
	if s >= 1 then return ("%.3g s"):format(s) end
	if s >= 1e-3 then return ("%.3g ms"):format(s * 1e3) end
	return ("%.3g us"):format(s * 1e6)
end

-- Truncates the text to at most `width` bytes.
function show.cut(text, width)
	if #text <= width then return text end
	local at = math.max(0, width - 3)
	while at > 0 and text:byte(at + 1) and text:byte(at + 1) & 0xC0 == 0x80 do at = at - 1 end
	return text:sub(1, at) .. "..."
end

return show
