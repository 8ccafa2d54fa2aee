-- SPDX-License-Identifier: GPL-3.0-or-later
-- runs_command.lua: barlow runs.
local json = require "barlow.json"
local native = require "barlow.native"
local runs = require "barlow.runs"

local command = {}

local verbs = {}

-- A list as JSON has it.
local function plain(r)
	local out = {}
	for k, v in pairs(r) do out[k] = v end
	out.tags = json.list(out.tags)
	return out
end

function verbs.list(_, options)
	local list = runs.list{}
	if not options.json then return print(list) end
	local out = json.list{}
	for i, r in ipairs(list) do out[i] = plain(r) end
	print(json.encode(out))
end

function verbs.show(operands)
	local r = runs.list{}[operands[1]]
	if not r then error("no run named " .. operands[1], 0) end
	print(json.encode(plain(r)))
end

-- The exit status.
function command.main(operands, options)
	local verb = table.remove(operands, 1) or "list"
	if not verbs[verb] then
		local names = {}
		for name in pairs(verbs) do names[#names + 1] = name end
		local near = native.nearest(verb, names)
		error(("there is no '%s'%s"):format(verb, near and (" (did you mean '%s'?)"):format(near) or ""), 0)
	end
	verbs[verb](operands, options)
	return 0
end

return command
