-- SPDX-License-Identifier: GPL-3.0-or-later
-- recipe_path.lua: a setting of a recipe by its path: "loss.lambda", "projector", "views[2].blur", as run.json has them.
local native = require "barlow.native"
local registry = require "barlow.registry"
local show = require "barlow.show"

local path = {}

local function parse(text)
	local parts, at = {}, 1
	while at <= #text do
		local name, stop = text:match("^%.?([A-Za-z_][A-Za-z0-9_]*)()", at)
		local number, behind = text:match("^%[(%d+)%]()", at)
		if name and (at == 1) == (text:sub(at, at) ~= ".") then
			parts[#parts + 1], at = name, stop
		elseif number and at > 1 then
			parts[#parts + 1], at = math.tointeger(number), behind
		else
			error(("'%s' is no path: expected names with dots between them and [numbers], as in loss.lambda"):format(text), 0)
		end
	end
	if #parts == 0 then error("an empty path", 0) end
	return parts
end

-- Names of settings that the constructor of v knows; a recipe need not have them.
local function known_to(v, call)
	local names = {}
	for _, e in ipairs(registry.entries()) do
		for _, k in ipairs(e.name == call and e.keys or {}) do names[#names + 1] = k.name end
	end
	for _, k in ipairs(show.sorted_keys(v)) do
		if type(k) == "string" then names[#names + 1] = k end
	end
	return names
end

local function check(v, part, at, whole)
	if v[part] ~= nil then return end
	local names = known_to(v, at == "" and "trainer" or (getmetatable(v) or {}).call)
	for _, name in ipairs(names) do
		if name == part then return end
	end
	local near = native.nearest(tostring(part), names)
	error(("'%s': %s has no '%s'%s"):format(native.clean(whole), at == "" and "the recipe" or at, part,
		near and (" (did you mean '%s'?)"):format(near) or ""), 0)
end

-- Raises where there is nothing of that name, with what is near.
function path.set(r, text, value)
	local v, at, parts = r, "", parse(text)
	for i, part in ipairs(parts) do
		if type(v) ~= "table" then error(("'%s': %s is no table of settings"):format(native.clean(text), at), 0) end
		check(v, part, at, text)
		if i == #parts then v[part] = value end
		at = at .. (math.type(part) == "integer" and ("[%d]"):format(part) or (at == "" and "" or ".") .. part)
		v = v[part]
	end
end

return path
