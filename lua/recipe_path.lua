-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
recipe_path.lua: reads and changes settings of a recipe by their paths (forks, sweeps).

A path names settings of a recipe: "batch", "loss.lambda", "projector", "views[2].blur[1].p".  A name in a path is a setting
of the current object, or else an operator, layer or other part anywhere in it, of which there may be several:
"views.blur.p" is p of the blurs in all views.  A number in brackets selects one of several, or an item of a list.
]]
local native = require "barlow.native"
local registry = require "barlow.registry"
local show = require "barlow.show"

local recipe_path = {}

-- Parses "views[2].blur.p" to { "views", 2, "blur", "p" }.
local function parse(path)
	local parts, at = {}, 1
	while at <= #path do
		local name, stop = path:match("^%.?([A-Za-z_][A-Za-z0-9_]*)()", at)
		local number, behind = path:match("^%[(%d+)%]()", at)
		if name and (at == 1) == (path:sub(at, at) ~= ".") then
			parts[#parts + 1], at = name, stop
		elseif number and at > 1 then
			parts[#parts + 1], at = math.tointeger(number), behind
		else
			error(("'%s' is not a path: expected names with dots between them, and [numbers], as in "
				.. "views[2].blur.p"):format(native.clean(path)), 0)
		end
	end
	if #parts == 0 then error("an empty path", 0) end
	return parts
end

local function call_of(v)
	local meta = type(v) == "table" and getmetatable(v)
	return meta and meta.call or nil
end

-- Returns the settings of v's constructor from the registry; they may be set even if the recipe does not contain them.
local fields

local function settings_of(v)
	local call = call_of(v)
	if not fields then
		fields = {}
		for _, e in ipairs(registry.entries()) do fields[e.name] = e end
	end
	local names = {}
	local entry = call and fields[call]
	for _, k in ipairs(entry and entry.keys or {}) do names[#names + 1] = k.name end
	return names
end

-- Finds the parts of v, at any depth, that the constructor of that name made: aug.blur, nn.linear, optim.adamw ...
local function find_parts(v, name, out)
	for _, k in ipairs(show.sorted_keys(v)) do
		local item = v[k]
		if type(item) == "table" then
			local call = call_of(item)
			if call and call:match "[^.:]*$" == name then out[#out + 1] = item else find_parts(item, name, out) end
		end
	end
	return out
end

local function has(names, name)
	for _, n in ipairs(names) do
		if n == name then return true end
	end
	return false
end

-- Returns the names that may follow: existing keys, settings, and names of parts.
local function names_in(v, out)
	for _, k in ipairs(show.sorted_keys(v)) do
		if type(k) == "string" then out[#out + 1] = k end
	end
	for _, k in ipairs(settings_of(v)) do out[#out + 1] = k end
	local function parts(t)
		for _, k in ipairs(show.sorted_keys(t)) do
			local call = call_of(t[k])
			if call then out[#out + 1] = call:match "[^.:]*$" end
			if type(t[k]) == "table" then parts(t[k]) end
		end
	end
	parts(v)
	return out
end

-- Returns "loss.lambda" for "lambda" if exactly one part of the recipe has such a setting, or else nil.
local function within_a_part(recipe, name)
	local found
	for _, k in ipairs(show.sorted_keys(recipe)) do
		local v = recipe[k]
		if type(v) == "table" and call_of(v) and (v[name] ~= nil or has(settings_of(v), name)) then
			if found then return nil end
			found = k .. "." .. name
		end
	end
	return found
end

local function refuse(path, at, holders, name)
	local names = {}
	for _, v in ipairs(holders) do names_in(v, names) end
	local near = at == "" and type(name) == "string" and holders[1] and within_a_part(holders[1], name)
		or native.nearest(tostring(name), names)
	local seen, known = {}, {}
	for _, n in ipairs(names) do
		if not seen[n] then known[#known + 1] = n end
		seen[n] = true
	end
	error(("'%s': %s has no '%s' (%s)"):format(native.clean(path), at == "" and "the recipe" or at,
		native.clean(tostring(name)),
		near and ("did you mean '%s'?"):format(near) or "there are: " .. table.concat(known, ", ")), 0)
end

-- Follows one step of a path from these tables; returns the list of { table, key } that it names.
local function step(path, at, holders, part)
	local out = {}
	for _, v in ipairs(holders) do
		if math.type(part) == "integer" then
			if v[part] ~= nil then out[#out + 1] = { v, part } end
		elseif v[part] ~= nil or has(settings_of(v), part) then
			out[#out + 1] = { v, part }
		else
			for _, found in ipairs(find_parts(v, part, {})) do out[#out + 1] = { found } end
		end
	end
	-- A number after the name of a part selects one of several.
	if #out == 0 and math.type(part) == "integer" and holders[part] then out = { { holders[part] } } end
	if #out == 0 then refuse(path, at, holders, part) end
	return out
end

-- Returns what a path names in recipe r: a list of { table, key }.
local function places(r, path)
	local at, found = "", { { { recipe = r }, "recipe" } }
	for _, part in ipairs(parse(path)) do
		local holders = {}
		for _, place in ipairs(found) do
			local v = place[2] == nil and place[1] or place[1][place[2]]
			if type(v) == "table" then holders[#holders + 1] = v end
		end
		found = step(path, at, holders, part)
		at = at .. (math.type(part) == "integer" and ("[%d]"):format(part) or (at == "" and "" or ".") .. part)
	end
	if found[1][2] == nil then
		error(("'%s' names %s as a whole: expected one of its settings, such as %s.%s"):format(path,
			call_of(found[1][1]), path, names_in(found[1][1], {})[1] or "?"), 0)
	end
	return found
end

-- Sets all settings that the path names.  If there are none, raises an error that suggests similar names.
function recipe_path.set(r, path, value)
	for _, place in ipairs(places(r, path)) do place[1][place[2]] = value end
end

-- Returns the current value, of the first if the path names several, or nil.
function recipe_path.get(r, path)
	local place = places(r, path)[1]
	return place[1][place[2]]
end

return recipe_path
