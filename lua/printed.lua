-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
printed.lua: writes an object, for print, as Lua code that makes an equal one.

The text is that of a recipe, but contains the numbers of tensors, which a recipe has in files.  For modules it has the
architecture without weights, and comments with the layers and their numbers of parameters.
]]
local native = require "barlow.native"
local recipe = require "barlow.recipe"

local printed = {}

local MOST = 4096 -- elements of a tensor that are printed

-- Tensors.

local function numbers(v)
	if type(v) ~= "table" then return v == v and native.number_text(v) or "0/0" end
	local parts = {}
	for i, item in ipairs(v) do parts[i] = numbers(item) end
	return "{" .. table.concat(parts, ", ") .. "}"
end

local function sizes(t) return table.concat(t:shape(), ", ") end

local function literal(t)
	if t:numel() == 0 then return ("tensor.zeros(%s)"):format(sizes(t)) end
	if t:numel() > MOST then return ("nil --[[ a tensor (%s), whose numbers are too many to print ]]"):format(sizes(t)) end
	local text = numbers(t:detach():totable())
	return t:dim() == 0 and ("tensor(%s)"):format(text) or "tensor" .. text
end

-- Enters the parameters of nn.func modules in `book` as zeros: they are weights, and only their shapes belong to the
-- architecture.
local function note_weights(d, book)
	if type(d) ~= "table" or native.name_of(d) then return end
	local meta = getmetatable(d)
	if meta and meta.call == "nn.func" then
		for _, t in pairs(d.parameters or {}) do book[native.identity(t)] = { text = ("tensor.zeros(%s)"):format(sizes(t)), uses = 0 } end
	end
	for _, v in pairs(d) do note_weights(v, book) end
end

-- Returns write(t, name) for recipe.expression.  A tensor that occurs twice becomes a local of that name in the second pass.
local function writer(book)
	return function(t, name)
		local id = native.identity(t)
		local e = book[id] or { text = literal(t), uses = 0 }
		book[id] = e
		e.uses, e.name = e.uses + 1, e.name or tostring(name or "t"):gsub("[^A-Za-z0-9_]", "_")
		return e.word or e.text
	end
end

-- Chooses names that do not occur in the text for tensors that occur twice; returns their lines of locals.
local function name_shared(book, text)
	local lines = {}
	for _, e in pairs(book) do
		if e.uses > 1 then
			local word, n = e.name .. "_", 1
			while text:find(word, 1, true) do word, n = e.name .. "_" .. n, n + 1 end
			e.word = word
			text = text .. " " .. word
			lines[#lines + 1] = ("local %s = %s"):format(word, e.text)
		end
	end
	table.sort(lines)
	return lines
end

-- Returns the text of make(write, indent), which writes tensors by `write`; calls it once more if tensors are shared.
local function with_tensors(d, make)
	local book = {}
	note_weights(d, book)
	local write = writer(book)
	local text = make(write, 0)
	local lines = name_shared(book, text)
	if #lines == 0 then return text end
	return ("(function()\n\t%s\n\treturn %s\nend)()"):format(table.concat(lines, "\n\t"), make(write, 1))
end

function printed.object(v)
	local d = recipe.copy(v)
	return with_tensors(d, function(write, indent) return recipe.expression(d, indent, write) end)
end

-- Modules.

local function grouped(n)
	local text = tostring(n):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
	return text
end

-- Returns the comment of a module: "[1], 15 parameters".
local function remark(place, m)
	local n = m:count()
	local count = n > 0 and ("%s parameter%s"):format(grouped(n), n == 1 and "" or "s") or nil
	return place and count and place .. ", " .. count or place or count or ""
end

local render

-- Puts lines between the brackets of a call, indented by one tab more than the call.
local function block(open, note, lines, close, indent)
	local pad = "\n" .. ("\t"):rep(indent)
	return open .. (note ~= "" and " -- " .. note or "") .. pad .. "\t" .. table.concat(lines, pad .. "\t") .. pad .. close
end

-- Formats the line of a child: its text and its comment.
local function line(key, m, d, place, last, indent, write)
	local text, note = render(m, d, place, indent + 1, write)
	return key .. text .. (last and "" or ",") .. (note and note ~= "" and " -- " .. note or "")
end

local function sequential(m, d, place, indent, write)
	local lines = {}
	for i = 1, #m do lines[i] = line("", m[i], d[i], ("[%d]"):format(i), i == #m, indent, write) end
	if #m == 0 then return "nn.sequential()", place end
	return block("nn.sequential(", remark(place, m), lines, ")", indent)
end

local function residual(m, d, place, indent, write)
	local lines = { line("branch = ", m.branch, d.branch, ".branch", false, indent, write) }
	if d.shortcut then lines[2] = line("shortcut = ", m.shortcut, d.shortcut, ".shortcut", false, indent, write) end
	lines[#lines + 1] = "relu = " .. tostring(d.relu)
	return block("nn.residual{", remark(place, m), lines, "}", indent)
end

-- Formats a network by its settings, with its layers as comments in the braces.
local function network(m, d, place, indent, write)
	local text = recipe.expression(d, indent, write)
	local open, settings = text:match "^([%w_.]+{)%s*(.-)%s*}$"
	if not open then return text, remark(place, m) end
	local pad, note = ("\t"):rep(indent + 1), remark(place, m)
	return ("%s%s\n%s%s%s\n%s}"):format(open, note ~= "" and " -- " .. note or "", pad, settings,
		native.module_layers(m, pad .. "-- "), ("\t"):rep(indent))
end

local containers = { ["nn.sequential"] = sequential, ["nn.residual"] = residual }

-- Returns the text of a module, and the comment that follows it unless the text contains it.
function render(m, d, place, indent, write)
	local container = containers[getmetatable(d).call]
	if container then return container(m, d, place, indent, write) end
	if #m > 0 then return network(m, d, place, indent, write) end
	return recipe.expression(d, indent, write), remark(place, m)
end

-- Removes calls that draw or load weights from a description.
local function without_weights(d)
	if type(d) ~= "table" or native.name_of(d) then return d end
	local meta = getmetatable(d)
	if meta and meta.call then meta.after = nil end
	for _, v in pairs(d) do without_weights(v) end
	return d
end

local function commented(text, note)
	return note and note ~= "" and ("%s --[[ %s ]]"):format(text, note:gsub("%]%]", "] ]")) or text
end

-- Writes a module inside a network as the network followed by the path to the module.
local function inner(m, origin)
	local way = ""
	while origin.place do way, origin = origin.place .. way, origin.of end
	local d = without_weights(recipe.described(origin))
	return with_tensors(d, function(write, indent)
		return commented(recipe.expression(d, indent, write) .. way, remark(nil, m) .. native.module_layers(m, "  "))
	end)
end

function printed.module(m)
	local origin = native.module_origin(m)
	if origin.place then return inner(m, origin) end
	local d = without_weights(recipe.described(origin))
	return with_tensors(d, function(write, indent) return commented(render(m, d, nil, indent, write)) end)
end

return printed
