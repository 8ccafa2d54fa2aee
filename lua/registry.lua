-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
registry.lua: every public name of the Lua interface with its description, for help, manual, stubs and tests.

Functions in C are described there, beside their code; functions in Lua are described by registry.add, and their settings
checked by registry.check.  An entry is

	{ name = "nn.linear" | "tensor:sum" | "tensor.grad" | "tensor[]", kind = "function" | "method" | "property",
	  group = "nn", self = "t", text =, example =, signature = for people, params = {{name =, type =, optional =}},
	  returns = "module", keys = {{name =, text =, type =, expected =, default =, otherwise =, required =, ...}} }
]]
local native = require "barlow.native"

local registry = {}

local LONG = 100 -- a signature whose settings have more characters shows {...}: they are listed below it

-- Parses "(a: integer, b?: number): tensor"; returns the parameters, the results, and whether parameters are listed.
local function parse(signature)
	local inside, rest = signature:match "^(%b())(.*)$"
	local params = {}
	for name, optional, kind in (inside or ""):gmatch "([%w_.]+)(%??):%s*([^,)]+)" do
		params[#params + 1] = { name = name, optional = optional == "?", type = kind }
	end
	local returns = (rest or signature):match "^:%s*(.+)$"
	return params, returns, inside ~= nil
end

-- Returns parameters as text: "start[, stop[, step]]".
local function params_text(params)
	local text, closing = "", ""
	for i, p in ipairs(params) do
		local between = i > 1 and ", " or ""
		text = text .. (p.optional and "[" .. between or between) .. p.name
		closing = closing .. (p.optional and "]" or "")
	end
	return text .. closing
end

local function key_text(k)
	return k.name .. " =" .. (k.default and " " .. k.default or "")
end

-- Returns the settings of a call as text: "(inputs, outputs[, {bias = true}])", "{lambda = 0.0051, ...}".
local function keys_text(keys)
	local first, named = {}, {}
	for _, k in ipairs(keys) do
		if k.required and (k.position or 0) > 0 then first[k.position] = k.name else named[#named + 1] = key_text(k) end
	end
	local settings = "{" .. table.concat(named, ", ") .. "}"
	if #settings > LONG then settings = "{...}" end
	if #first == 0 then return #keys == 0 and "()" or settings end
	return "(" .. table.concat(first, ", ") .. (#named > 0 and "[, " .. settings .. "]" or "") .. ")"
end

local groups = { help = "other", interruptible = "other", clock = "other" }

-- Adds the fields of an entry that are derived from its name and signature.
local function finish(e)
	local owner, last = e.name:match "^(.-)[.:]([%w_]+)$"
	e.last = last or e.name
	e.group = owner or e.name:match "^(.-)[%(%[]" or groups[e.name] or e.name
	local call = e.kind == "function" and e.name or (e.self or e.group) .. (e.kind == "method" and ":" or ".") .. e.last
	local params, returns, listed = parse(e.signature or "")
	e.params, e.returns = params, returns
	if e.name:find "%[" then -- an index: the signature stays as it was written, except "(i: integer): type"
		if e.signature:find "^%(" then e.signature = ("%s[%s]"):format(e.self, params_text(params)) end
	elseif e.name:find "%(" then
		e.signature = e.self .. "(" .. params_text(params) .. ")"
	elseif e.kind == "property" then
		e.signature = call
	elseif listed or not e.keys then
		e.signature = call .. "(" .. params_text(params) .. ")"
	else
		e.signature = call .. keys_text(e.keys)
	end
	return e
end

local added = {}

-- Adds an entry of a function written in Lua, and returns it.
function registry.add(e)
	added[#added + 1] = e
	if e.kind == "method" then native.note_method(e.name:match "[%w_]+$") end
	return e
end

-- Returns a default as the help shows it.
local function default_text(v)
	if v == nil then return nil end
	return type(v) == "string" and ("%q"):format(v) or tostring(v)
end

local function with_article(word) return (word:find "^[aeiou]" and "an " or "a ") .. word end

local function fits(k, v)
	if k.type == "integer" then return math.type(v) == "integer" end
	return k.type == "any" or type(v) == k.type
end

-- Raises an error with the position of the user's code; functions in C and barlow's own Lua on the stack are skipped.
local function refuse(message, ...)
	local level = 3
	local info = debug.getinfo(level, "S")
	while info and (info.what == "C" or info.short_src:find "^barlow%.") do
		level = level + 1
		info = debug.getinfo(level, "S")
	end
	error(message:format(...), info and level or 0)
end

local function unknown(e, name)
	local names = {}
	for i, k in ipairs(e.keys) do names[i] = k.name end
	local near = native.nearest(tostring(name), names)
	local hint = near and ("did you mean '%s'?"):format(near) or "known: " .. table.concat(names, ", ")
	refuse("%s: unknown key '%s' (%s)", e.name, tostring(name), hint)
end

-- Returns a copy of a table of settings with defaults for missing ones; raises an error for settings that entry e
-- does not have.
function registry.check(e, settings)
	local out, known = {}, {}
	if settings ~= nil and type(settings) ~= "table" then refuse("%s: expected a table of settings, got a %s", e.name, type(settings)) end
	for _, k in ipairs(e.keys) do
		known[k.name] = k
		out[k.name] = k.default
	end
	for name, v in pairs(settings or {}) do
		local k = known[name] or unknown(e, name)
		if not fits(k, v) then
			refuse("%s: '%s' must be %s, got %s", e.name, name, with_article(k.type), type(v))
		end
		out[name] = v
	end
	return out
end

-- The files of lua/ that call registry.add.
local parts = { "barlow.runs", "barlow.driver", "barlow.help" }

local all

-- Returns settings as a flat list; those of a nested table follow the table: "knn", "knn.every", ...
function registry.flat(keys, before, out)
	out = out or {}
	for _, k in ipairs(keys or {}) do
		local copy = {}
		for field, v in pairs(k) do copy[field] = v end
		copy.name, copy.keys = (before or "") .. k.name, nil
		out[#out + 1] = copy
		if k.keys then registry.flat(k.keys, copy.name .. ".", out) end
	end
	return out
end

local rank = { ["function"] = 1, method = 2, property = 3 }

-- Sorts entries by group in order of first occurrence; within a group functions, then methods, then properties.
local function sorted(entries)
	local place, groups = {}, {}
	for i, e in ipairs(entries) do
		place[e], groups[e.group] = i, groups[e.group] or i
	end
	table.sort(entries, function(a, b)
		if a.group ~= b.group then return groups[a.group] < groups[b.group] end
		local x, y = rank[a.kind], rank[b.kind]
		if x ~= y then return x < y end
		return place[a] < place[b]
	end)
	return entries
end

-- Converts an entry written in Lua to the form of those from C.
local function described(e)
	local copy, keys = {}, e.keys and {}
	for field, v in pairs(e) do copy[field] = v end
	for i, k in ipairs(e.keys or {}) do
		keys[i] = { name = k.name, text = k.text, type = k.type, expected = k.expected or k.type and with_article(k.type),
			default = default_text(k.default), otherwise = k.otherwise, required = k.required or false, position = 0 }
	end
	copy.keys = keys
	return copy
end

-- Returns all entries; the list is built once.
function registry.entries()
	if all then return all end
	for _, part in ipairs(parts) do require(part) end
	local entries = native.registry()
	for _, e in ipairs(added) do entries[#entries + 1] = described(e) end
	for _, e in ipairs(entries) do finish(e) end
	all = sorted(entries)
	return all
end

return registry
