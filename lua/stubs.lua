-- SPDX-License-Identifier: GPL-3.0-or-later
-- stubs.lua: writes the registry as annotations for Lua language servers (LuaCATS), barlow.d.lua.
local registry = require "barlow.registry"

local stubs = {}

local out, classes

local function add(format, ...)
	out[#out + 1] = select("#", ...) > 0 and format:format(...) or format
end

local function class_name(type_name)
	return "barlow." .. type_name:gsub("[^%w_]", "_")
end

-- Replaces the names of barlow's types in a text such as "tensor?|module[]" by the names of their classes.
local function type_text(text)
	local parts = {}
	for part in (text or "any"):gmatch "[^|]+" do
		local name, suffix = part:match "^%s*(.-)%s*([%[%]?]*)%s*$"
		parts[#parts + 1] = (classes[name] and class_name(name) or name) .. suffix
	end
	return table.concat(parts, "|")
end

local function settings_name(name)
	return ("barlow.settings.%s"):format((name:gsub("[:.]", "."):gsub("[^%w_.]", "_")))
end

local function key_type(k, owner)
	if k.keys then return "any|" .. settings_name(owner .. "." .. k.name) end
	if not k.choices then return type_text(k.type) end
	local words = {}
	for i, choice in ipairs(k.choices) do words[i] = ("%q"):format(choice) end
	return table.concat(words, "|")
end

local add_settings

function add_settings(name, keys)
	for _, k in ipairs(keys) do
		if k.keys then add_settings(name .. "." .. k.name, k.keys) end
	end
	add("---@class %s", settings_name(name))
	for _, k in ipairs(keys) do
		local default = k.default and (" (default %s)"):format(k.default) or k.otherwise and
			(" (otherwise %s)"):format(k.otherwise) or ""
		add("---@field %s%s %s %s%s", k.name, k.required and "" or "?", key_type(k, name), k.text or "", default)
	end
	add ""
end

-- Returns the parameters of a call: the declared ones or, if there are none, the required settings by position and a table
-- of the others.
local function params_of(e)
	local params = {}
	for _, p in ipairs(e.params) do
		local kind = p.type == "table" and e.keys and settings_name(e.name) or type_text(p.type)
		local name = p.name:find "%.%.%.$" and "..." or p.name
		params[#params + 1] = { name = name, optional = p.optional, type = kind }
	end
	if #params > 0 or not e.keys or #e.keys == 0 then return params end
	local rest = false
	for _, k in ipairs(e.keys) do
		if k.required and k.position > 0 then
			params[k.position] = { name = k.name, type = key_type(k, e.name) }
		else
			rest = true
		end
	end
	if rest then params[#params + 1] = { name = "settings", optional = #params > 0, type = settings_name(e.name) } end
	return params
end

local function params_list(params, with_types)
	local names = {}
	for i, p in ipairs(params) do
		names[i] = p.name .. (with_types and (p.optional and "?" or "") .. ": " .. p.type or "")
	end
	return table.concat(names, ", ")
end

local function add_returns(e)
	for kind in (e.returns or ""):gmatch "[^,]+" do add("---@return %s", type_text(kind)) end
end

local function fun_text(e)
	local returns = {}
	for kind in (e.returns or ""):gmatch "[^,]+" do returns[#returns + 1] = type_text(kind) end
	local gives = #returns > 0 and ": " .. table.concat(returns, ", ") or ""
	return ("fun(%s)%s"):format(params_list(params_of(e), true), gives)
end

local function add_function(e, name)
	local params = params_of(e)
	add("---%s", e.text)
	for _, p in ipairs(params) do add("---@param %s%s %s", p.name, p.optional and "?" or "", p.type) end
	add_returns(e)
	add("function %s(%s) end", name, params_list(params))
	add ""
end

local operators = { "add", "sub", "mul", "div", "pow", "unm" }

local function add_class(type_name, entries)
	add("---@class %s", class_name(type_name))
	local meta = debug.getregistry()[type_name] or {}
	for _, op in ipairs(operators) do
		if rawget(meta, "__" .. op) then
			local name = class_name(type_name)
			add("---@operator %s%s: %s", op, op == "unm" and "" or ("(number|%s)"):format(name), name)
		end
	end
	for _, e in ipairs(entries) do
		if e.last == type_name .. "()" and #e.params > 0 then add("---@overload %s", fun_text(e)) end
		if e.kind == "property" then add("---@field %s %s %s", e.last, type_text(e.returns), e.text) end
	end
	local own = type_name:gsub("[^%w_]", "_") .. "_class"
	add("local %s = {}", own)
	add ""
	for _, e in ipairs(entries) do
		if e.kind == "method" and e.name:find ":" then add_function(e, own .. ":" .. e.last) end
	end
end

-- Adds the functions of each module; the module "" has the globals.
local function add_modules(modules, callable)
	for _, m in ipairs(modules) do
		if m.name ~= "" then
			add("---@class barlow.%s_module", m.name)
			if callable[m.name] then add("---@overload %s", fun_text(callable[m.name])) end
			add("%s = {}", m.name)
			add ""
		end
		for _, e in ipairs(m) do add_function(e, e.name) end
	end
end

-- Groups entries by `of(e)`, in order of occurrence.
local function grouped(of)
	local lists, by_name = {}, {}
	for _, e in ipairs(registry.entries()) do
		local name = of(e)
		if name and not by_name[name] then
			by_name[name] = { name = name }
			lists[#lists + 1] = by_name[name]
		end
		if name then table.insert(by_name[name], e) end
	end
	return lists, by_name
end

-- Returns the text of barlow.d.lua; version is that of barlow.
function stubs.text(version)
	out, classes = {}, {}
	local types = grouped(function(e) return e.self and e.group or nil end)
	local modules, by_name = grouped(function(e)
		return e.kind == "function" and not e.name:find "[%(%[]" and (e.name:match "^(.-)%." or "") or nil
	end)
	local callable, globals = {}, {}
	for _, e in ipairs(by_name[""] or {}) do
		if by_name[e.name] then callable[e.name] = e else globals[#globals + 1] = e end
	end
	for i, m in ipairs(modules) do
		if m.name == "" then
			globals.name = ""
			modules[i] = globals
		end
	end
	for _, t in ipairs(types) do classes[t.name] = true end
	add "---@meta barlow"
	add "-- SPDX-License-Identifier: GPL-3.0-or-later"
	add("-- Made by barlow %s from its registry, for Lua language servers: do not edit.", version)
	add ""
	for _, e in ipairs(registry.entries()) do
		if e.keys and #e.keys > 0 then add_settings(e.name, e.keys) end
	end
	for _, t in ipairs(types) do add_class(t.name, t) end
	add_modules(modules, callable)
	return table.concat(out, "\n")
end

return stubs
