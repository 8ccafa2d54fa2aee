-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
sweep_added.lua: arms, seeds and values that were added to a sweep after its declaration, and the resulting blocks of trials.

FOLDER/added.jsonl has a line for each addition.  {"arms": n} adds n arms (samplers other than grid).  {"seeds": [...]} adds seeds
to all arms.  {"values": n} adds the values in file number n, such as FOLDER/added/0001.lua, to one axis of a grid.  The
file contains {path =, values = {...}, convolution = {...}}, where convolution has the algorithms of convolutions whose
shapes occur with these values only.  The new arms are the combinations of the new values with all values that the other
axes have after the earlier lines.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"
local sampler = require "barlow.sampler"

local added = {}

local MOST = 1000000 -- arms of a sweep

local function list_path(s) return s.folder .. "/added.jsonl" end
local function values_path(s, n) return ("%s/added/%04d.lua"):format(s.folder, n) end

-- Appends a line, given as a table.
function added.append(s, line) native.append_line(list_path(s), native.json_text(line)) end

function added.is_integers(v)
	if type(v) ~= "table" or #v == 0 or #v > 10000 then return false end
	for _, x in ipairs(v) do
		if math.type(x) ~= "integer" then return false end
	end
	return true
end

-- Writes a file of values under a new name, and then the line that names it.
function added.append_values(s, v)
	native.make_folder(s.folder .. "/added")
	local n, text = 0, recipe.file_text(recipe.copy(v), s.folder)
	repeat n = n + 1 until native.create_file(values_path(s, n), text)
	added.append(s, { values = n })
end

-- Returns the contents of file number n; each file is read once.
local function read_values(s, n)
	s.values_read = s.values_read or {}
	if s.values_read[n] then return s.values_read[n] end
	local path = values_path(s, n)
	local v, _, why = native.describe(path)
	if type(v) ~= "table" then error(why or path .. ": not a table of values of a sweep", 0) end
	v = recipe.copy(v)
	local axis = s.declared.space[v.path]
	if not axis or type(v.values) ~= "table" or #v.values == 0 then error(path .. ": not values of an axis of the sweep", 0) end
	s.values_read[n] = v
	return v
end

-- Adds arms, each with all existing seeds.
local function add_arms(out, n)
	out.blocks[#out.blocks + 1] = { from = out.arms + 1, to = out.arms + n, first = 1, last = #out.seeds }
	out.arms = out.arms + n
end

local function with(axes, path, values)
	local out = {}
	for k, v in pairs(axes) do out[k] = v end
	out[path] = values
	return out
end

local function add_values(s, out, v)
	local part = with(out.space, v.path, v.values)
	local n = sampler.grid_size(part, s.paths)
	if out.arms + n > MOST then return end
	out.parts[#out.parts + 1] = { from = out.arms + 1, to = out.arms + n, space = part }
	add_arms(out, n)
	local all = table.move(out.space[v.path], 1, #out.space[v.path], 1, {})
	out.space = with(out.space, v.path, table.move(v.values, 1, #v.values, #all + 1, all))
	for shape, algorithm in pairs(type(v.convolution) == "table" and s.base and v.convolution or {}) do
		s.base.convolution[shape] = s.base.convolution[shape] or algorithm
	end
end

local function add_seeds(out, seeds)
	out.blocks[#out.blocks + 1] = { from = 1, to = out.arms, first = #out.seeds + 1, last = #out.seeds + #seeds }
	table.move(seeds, 1, #seeds, #out.seeds + 1, out.seeds)
end

--[[
Returns the sweep's arms, seeds, space with all values, blocks and parts.  A block {from =, to =, first =, last =} is a range of
arms with a range of indices of seeds.  A part {from =, to =, space =} is a range of arms; in a grid, these are all
combinations of the values in `space`.  Lines that are not valid are skipped.
]]
function added.read(s)
	local d, path = s.declared, list_path(s)
	local out = { arms = d.arms, seeds = table.move(d.seeds, 1, #d.seeds, 1, {}), space = d.space,
		blocks = { { from = 1, to = d.arms, first = 1, last = #d.seeds } },
		parts = { { from = s.base_arm and 2 or 1, to = d.arms, space = d.space } } }
	for line in (native.exists(path) and native.read_file(path) or ""):gmatch "[^\n]+" do
		local v, grid = native.json_read(line), s.sampler == "grid"
		if type(v) ~= "table" then v = {} end
		if not grid and math.type(v.arms) == "integer" and v.arms >= 1 and out.arms + v.arms <= MOST then
			add_arms(out, v.arms)
			out.parts[1].to = out.arms
		elseif grid and math.type(v.values) == "integer" and v.values >= 1 then
			add_values(s, out, read_values(s, v.values))
		elseif added.is_integers(v.seeds) then
			add_seeds(out, v.seeds)
		end
	end
	return out
end

return added
