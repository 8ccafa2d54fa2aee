-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
registry.lua: every public name of the Lua face with its description, for help, manual, stubs and tests.

Bindings describe their functions in C, beside the code; what is written in Lua describes its own with
registry.add, which also checks its settings.  An entry is

	{ name = "nn.linear" | "tensor:sum" | "tensor.grad" | "tensor[]", kind = "function" | "method" | "property",
	  group = "nn", self = "t", text =, example =, signature = for people, params = {{name =, type =, optional =}},
	  returns = "module", keys = {{name =, text =, type =, expected =, default =, otherwise =, required =, ...}} }
]]
local native = require "barlow.native"

local registry = {}

local LONG = 100 -- a signature with more characters names no settings: they are listed below it

-- "(a: integer, b?: number): tensor" as params and returns.
local function parse(signature)
	local inside, rest = signature:match "^(%b())(.*)$"
	local params = {}
	for name, optional, kind in (inside or ""):gmatch "([%w_.]+)(%??):%s*([^,)]+)" do
		params[#params + 1] = { name = name, optional = optional == "?", type = kind }
	end
	local returns = (rest or signature):match "^:%s*(.+)$"
	return params, returns, inside ~= nil
end

-- "start[, stop[, step]]"
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

-- "(inputs, outputs[, {bias = true}])", "{lambda = 0.0051, ...}"
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

local groups = { help = "other", interruptible = "other" }

-- Fills in what follows from the description.
local function finish(e)
	local owner, last = e.name:match "^(.-)[.:]([%w_]+)$"
	e.last = last or e.name
	e.group = owner or e.name:match "^(.-)[%(%[]" or groups[e.name] or e.name
	local call = e.kind == "function" and e.name or (e.self or e.group) .. (e.kind == "method" and ":" or ".") .. e.last
	local params, returns, listed = parse(e.signature or "")
	e.params, e.returns = params, returns
	if e.written_signature then
		e.signature = e.written_signature
	elseif e.name:find "[%(%[]" then
		params = nil -- as it was written
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

-- An entry of the Lua part; returns it.
function registry.add(e)
	added[#added + 1] = e
	return e
end

-- Where the Lua part has names of its own.
local parts = { "barlow.runs", "barlow.help" }

local all

-- All entries, made once.
function registry.entries()
	if all then return all end
	for _, part in ipairs(parts) do require(part) end
	all = native.registry()
	table.move(added, 1, #added, #all + 1, all)
	for _, e in ipairs(all) do finish(e) end
	return all
end

return registry
