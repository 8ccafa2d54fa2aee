-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
recipe.lua: describes a trainer as data, from which it can be built again.

Objects store the call that made them.  A description of an object is a table of that call's arguments, so that
recipe.loss.lambda can be read and set; the name of the called function is in its metatable.  A recipe is the description of a
trainer: tostring returns Lua that builds it again, and trainer(recipe) does so.  Functions are written as their source
text with their upvalues (source.lua), tensors as NumPy files beside the recipe.  A value that cannot be written as text
stays in the table, and the text has a comment in its place.
]]
local native = require "barlow.native"
local show = require "barlow.show"
local source_of = require "barlow.source"

local recipe = {}

local describe

-- Adds absolute paths and a fingerprint to a data set of files, and a hash to one of a tensor, so that the recipe means the
-- same images wherever it is read.
local function add_origin(d, meta, set)
	if meta.call == "data.tensor" then
		d[3], meta.n = native.content(set), 3
		return
	end
	local fingerprint, paths = native.origin(set, meta.call)
	if not fingerprint then return end
	for name, path in pairs(paths) do d[name] = path end
	d.fingerprint = fingerprint
end

-- The method that sets the statistics of a data set.  Its description also stores the text of the set that they belong to.
local STATISTICS = "set_statistics"

local function text_of_set(d)
	local copy, meta = {}, {}
	for k, v in pairs(d) do copy[k] = v end
	for k, v in pairs(getmetatable(d)) do meta[k] = v end
	meta.after = nil
	return (recipe.text(setmetatable(copy, meta)))
end

local function note_statistics(d)
	local meta = getmetatable(d)
	for _, step in ipairs(meta.after or {}) do
		if step[1] == STATISTICS then meta.statistics_of = text_of_set(d) end
	end
	return d
end

-- Stores the statistics by which the run normalises, measured or given, so that a resumed run uses the same bits.
local function state_statistics(d, set)
	local meta, after = getmetatable(d), {}
	for _, step in ipairs(meta.after or {}) do
		if step[1] ~= STATISTICS then after[#after + 1] = step end
	end
	local mean, std = set:statistics()
	after[#after + 1] = { STATISTICS, { mean = mean, std = std } }
	meta.after = after
	note_statistics(d)
end

-- Returns the description of the object that `source` made.
local function of_source(source)
	local meta = { call = source.call, result = source.result, results = source.results, after = source.after }
	local single = source.n == 1 and type(source[1]) == "table" and getmetatable(source[1]) ~= native.described
	local args = single and source[1] or table.pack(table.unpack(source, 1, source.n))
	local out = {}
	for k, v in pairs(args) do
		if single or k ~= "n" then out[k] = describe(v) end
	end
	meta.single, meta.n = single, source.n
	meta.__tostring = recipe.text
	return setmetatable(out, meta)
end

function describe(v)
	if getmetatable(v) == native.described then return note_statistics(of_source(v)) end
	if type(v) == "table" then
		local out, meta = {}, getmetatable(v)
		for k, item in pairs(v) do out[k] = describe(item) end
		if not (meta and meta.call) then return out end
		local copy = {} -- keeps the metatable of a description
		for k, item in pairs(meta) do copy[k] = item end
		return setmetatable(out, copy)
	end
	if type(v) == "function" then return native.function_value(v) or v end
	local source = type(v) == "userdata" and native.source(v)
	if not source then return v end
	local d = of_source(source)
	add_origin(d, getmetatable(d), v)
	return note_statistics(d)
end

-- Removes loads of weights from a description, as the run's own copy replaces the original files.
local function drop_loads(d)
	if type(d) ~= "table" then return end
	local meta, kept = getmetatable(d), {}
	for _, step in ipairs(meta and meta.after or {}) do
		if step[1] ~= "load" then kept[#kept + 1] = step end
	end
	if meta and meta.after then meta.after = kept end
	for _, v in pairs(d) do drop_loads(v) end
end

-- Returns a copy of a description, or the description of an object or of a table of settings.
recipe.copy = describe

-- Returns the description of a trainer with these settings, which may be incomplete.
function recipe.of_settings(t)
	local r = of_source{ call = "trainer", n = 1, result = 1, results = 1, t }
	getmetatable(r).__recipe = true
	return r
end

-- Returns the description of an object that a call of `call` with these arguments makes: result number `result` of `results`.
function recipe.call(call, arguments, result, results)
	return setmetatable(arguments, { call = call, n = #arguments, result = result or 1, results = results or 1,
		__tostring = recipe.text })
end

--[[
Returns the recipe of a trainer with that source.  convolution: the choices that the run uses, given or not.  start: the path
of the starting weights that the run stores; true: starting weights that are not stored; false: weights that the recipe draws.
]]
function recipe.of_source(source, convolution, start)
	local r = of_source(source)
	r.barlow, r.convolution = native.version, convolution
	if source.call == "trainer" then state_statistics(r.data, source[1].data) end
	if type(start) == "string" then
		drop_loads(r.encoder)
		drop_loads(r.projector)
		r.warm_start = start
	elseif not start then
		r.warm_start = nil
	elseif type(r.warm_start) ~= "string" then
		r.warm_start = true
	end
	if type(r.folder) == "string" then r.folder = nil end -- it belongs to that run; a new run needs its own
	getmetatable(r).__recipe = true
	return r
end

--[[
Returns the recipe in a file and its text, or nil and the reason.  The text runs in a sandbox where it can only construct
objects, so that recipes from strangers can be read.  Everything that loads a recipe calls this function.
]]
function recipe.read(path)
	local made, text, why = native.describe(path)
	if not text then return nil, why end
	if getmetatable(made) ~= native.described or made.call ~= "trainer" or type(made[1]) ~= "table" then
		return nil, text:find "%S" and path .. " returns no trainer" or path .. " is empty"
	end
	local r = of_source(made)
	getmetatable(r).__recipe = true
	return r, text
end

-- Text.

local LARGE = 64 << 20 -- elements; a larger tensor is not written beside a recipe

-- If v cannot be written as text, returns what it is, or why it cannot be written; otherwise nil.
local function obstacle(v)
	if native.is_function(v) then return source_of.problem(v) end
	if native.is_tensor(v) then
		return v:numel() > LARGE and ("a tensor of %d elements, which is not copied"):format(v:numel()) or nil
	end
	if type(v) == "function" and not native.name_of(v) then
		local info = debug.getinfo(v, "S")
		local _, why = native.function_value(v)
		return ("the function of %s:%d: %s"):format(info.short_src, info.linedefined, why)
	elseif type(v) == "userdata" and native.source(v) == nil then
		return "an object without a recipe: " .. tostring(v):match "[^\n]*"
	end
	return nil
end

local function comment_text(v)
	return "nil --[[ " .. obstacle(v):gsub("%]%]", "] ]") .. " ]]"
end

-- State of the text that is being written: `tensors` lists its tensors {name =, tensor =} in order; `tensors_folder` is the
-- folder that will contain their files, or nil; `other_writer`, if set, is a function of (t, name) that writes a tensor without
-- a file.
local tensors, tensors_folder, other_writer

local function equal(a, b)
	return table.concat(a:shape(), " ") == table.concat(b:shape(), " ") and a:allclose(b, 0, 0)
end

-- Returns whether the tensor may be written under that name: no other tensor has it, nor a file with other content.
local function fits(name, t)
	for _, other in ipairs(tensors) do
		if other.name == name then return false end
	end
	local path = tensors_folder and tensors_folder .. "/" .. name
	if not path or not native.exists(path) then return true end
	local fine, there = pcall(require "barlow".tensor.load, path)
	return fine and equal(there, t)
end

-- Returns Lua that loads a tensor, and adds the tensor to `tensors`.  name: its key in the recipe, from which its file's name
-- is made.
local function tensor_text(t, name)
	if other_writer then return other_writer(t, name) end
	for _, other in ipairs(tensors) do
		if native.identity(other.tensor) == native.identity(t) then return ("tensor.load(%q)"):format(other.name) end
	end
	local base = tostring(name or ""):gsub("[^A-Za-z0-9_]", "_"):gsub("^$", "tensor")
	local file, n = base .. ".npy", 1
	while not fits(file, t) do
		n = n + 1
		file = ("%s-%d.npy"):format(base, n)
	end
	tensors[#tensors + 1] = { name = file, tensor = t }
	return ("tensor.load(%q)"):format(file)
end

local to_text

local reserved = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until "
	.. "while"):gmatch "%a+" do reserved[word] = true end

-- Writes a table's key as Lua.  Only ASCII letters count: what %a matches depends on the locale.
local function key_text(k)
	if type(k) == "string" and k:find "^[A-Za-z_][A-Za-z0-9_]*$" and not reserved[k] then return k end
	return ("[%s]"):format(to_text(k, 0))
end

-- Writes the items of a table: {1, 2, name = value}.
local function items_text(t, indent)
	local parts, long, place = {}, 0, 1
	for _, k in ipairs(show.sorted_keys(t)) do
		local text = to_text(t[k], indent + 1, k)
		if k == place then place = place + 1 else text = ("%s = %s"):format(key_text(k), text) end
		parts[#parts + 1] = text
		long = long + #text + 2
	end
	return parts, long
end

-- Writes the arguments `first` to n of a call; omitted ones become nil.
local function arguments_text(d, first, n, indent)
	local parts, long = {}, 0
	for i = first, n do
		parts[#parts + 1] = to_text(d[i], indent + 1)
		long = long + #parts[#parts] + 2
	end
	return parts, long
end

local function wrap(open, parts, long, close, indent)
	if long + #open:match "[^:]*$" + 4 * indent <= 90 and not table.concat(parts):find "\n" then
		return open .. table.concat(parts, ", ") .. close
	end
	local pad = "\n" .. ("\t"):rep(indent + 1)
	return open .. pad .. table.concat(parts, "," .. pad) .. "\n" .. ("\t"):rep(indent) .. close
end

local function call_text(d, meta, indent)
	local name, first = meta.call, 1
	if name:sub(1, 1) == ":" then
		name, first = to_text(d[1], indent) .. name, 2
	end
	local text
	if meta.single then
		local parts, long = items_text(d, indent)
		text = wrap(name .. "{", parts, long, "}", indent)
	else
		local parts, long = arguments_text(d, first, meta.n, indent)
		text = wrap(name .. "(", parts, long, ")", indent)
	end
	if meta.results ~= 1 then
		text = meta.result == 1 and "(" .. text .. ")" or ("(select(%d, %s))"):format(meta.result, text)
	end
	for _, step in ipairs(meta.after or {}) do
		local more = step[3] ~= nil and ", " .. to_text(step[3], indent) or ""
		text = ("%s:%s(%s%s)"):format(text, step[1], to_text(step[2], indent), more)
	end
	return text
end

-- Writes a value as Lua; name: its key in the table that contains it.
function to_text(v, indent, name)
	if type(v) == "number" then return native.number_text(v) end
	if type(v) == "string" then return ("%q"):format(v) end
	if type(v) == "boolean" or v == nil then return tostring(v) end
	if native.name_of(v) then return native.name_of(v) end
	if obstacle(v) then return comment_text(v) end
	if native.is_tensor(v) then return tensor_text(v, name) end
	if native.is_function(v) or source_of.is_piece(v) then return source_of.text(v, to_text, indent) end
	if type(v) ~= "table" then return tostring(v) end
	local meta = getmetatable(v)
	if meta and meta.call then return call_text(v, meta, indent) end
	local parts, long = items_text(v, indent)
	return wrap("{", parts, long, "}", indent)
end

-- Returns the text of a description, and the list of tensors that it loads, {name =, tensor =}.  Their names do not collide with
-- other files of the folder.
function recipe.text(d, folder)
	tensors, tensors_folder = {}, folder
	local text, list = to_text(d, 0), tensors
	tensors, tensors_folder = nil, nil
	return text, list
end

-- Returns the text of a description for a line with that indentation; write_tensor(t, name) writes its tensors.
function recipe.expression(d, indent, write_tensor)
	other_writer = write_tensor
	local text = to_text(d, indent)
	other_writer = nil
	return text
end

recipe.described = of_source

-- Files.  The first line of a recipe's file names the values that its text lacks.

local LACKS = "-- This text lacks "

local function join(path, k)
	return (type(k) == "string" and "%s.%s" or "%s[%s]"):format(path, k)
end

-- Appends all values below v that cannot be written as text: "encoder[2]: the function of x.lua:3: ...".
local function find_lost(v, path, out)
	local lost = obstacle(v)
	if lost then
		out[#out + 1] = ("%s: %s"):format(path:sub(2), lost:gsub("%c", " "))
	elseif native.is_function(v) then
		source_of.each_upvalue(v, function(u, name)
			if native.is_tensor(u) then find_lost(u, join(path, name), out) end
		end)
	elseif type(v) == "table" and not native.name_of(v) then
		for _, k in ipairs(show.sorted_keys(v)) do find_lost(v[k], join(path, k), out) end
	end
	return out
end

-- Returns what the recipe's text lacks, or nil.
function recipe.lost(d)
	local lost = table.concat(find_lost(d, "", {}), ", ")
	return lost ~= "" and lost or nil
end

-- Returns the text for a run's folder, and writes its tensors there.
function recipe.file_text(d, folder)
	local lost, text, list = recipe.lost(d), recipe.text(d, folder)
	for _, t in ipairs(list) do
		local path = folder .. "/" .. t.name
		if not native.exists(path) then native.write_array(path, t.tensor) end
	end
	if lost then
		io.stderr:write(("barlow: %s: barlow resume cannot continue this run, since its recipe lacks %s\n"):format(folder, lost))
	end
	return (lost and LACKS .. lost .. "\n" or "") .. "return " .. text .. "\n"
end

-- Returns what a file's text lacks according to its first line, or nil.
function recipe.lacking(text)
	return text:sub(1, #LACKS) == LACKS and text:match("[^\n]*", #LACKS + 1) or nil
end

-- Settings by their paths.

local FACTS, FACT_TEXT = 1000, 400

local function is_plain(v)
	return type(v) == "number" or type(v) == "string" or type(v) == "boolean"
end

-- Returns whether v is a list of numbers and strings, which counts as one value: {256, 256}.
local function is_list(v)
	for k, item in pairs(v) do
		if math.type(k) ~= "integer" or not is_plain(item) then return false end
	end
	return next(v) ~= nil
end

local omitted = { barlow = true, name = true, convolution = true, fingerprint = true }

local function add_facts(v, path, out)
	if out.n >= FACTS or #path >= 96 then return end
	local meta = type(v) == "table" and getmetatable(v)
	local plain = is_plain(v)
	if plain or native.is_function(v) or meta and meta.call or type(v) == "table" and is_list(v) then
		out.n = out.n + 1
		local fact = type(v) == "number" and v or type(v) == "string" and v or native.is_function(v) and "a function"
			or meta and meta.call or to_text(v, 0):gsub("%s+", " ")
		out[path] = type(fact) == "string" and fact:sub(1, FACT_TEXT) or fact
	end
	if type(v) ~= "table" or native.name_of(v) or (not (meta and meta.call) and is_list(v)) then return end
	for _, k in ipairs(show.sorted_keys(v)) do
		if not omitted[k] then add_facts(v[k], path == "" and tostring(k) or join(path, k), out) end
	end
end

-- Returns the settings of a recipe by path, {["loss.lambda"] = .0051, ...}: numbers and strings as they are, a constructor as
-- its name, booleans and lists as text.  At most FACTS settings are returned, and at most FACT_TEXT bytes of a string.
function recipe.facts(d)
	local out = { n = 0 }
	for _, k in ipairs(show.sorted_keys(d)) do
		if not omitted[k] then add_facts(d[k], tostring(k), out) end
	end
	out.n = nil
	return out
end

-- Building.

local make

local function make_items(t)
	local out = {}
	for k, v in pairs(t) do out[k] = make(v) end
	return out
end

local function constructor(name, args)
	if name:sub(1, 1) == ":" then return args[1][name:sub(2)] end
	local at = require "barlow"
	for part in name:gmatch "[^.]+" do at = at[part] end
	return at
end

function make(v)
	if type(v) ~= "table" then return v end
	local meta, items = getmetatable(v), make_items(v)
	if not (meta and meta.call) then return items end
	local call = constructor(meta.call, items)
	local results = meta.single and { call(items) } or { call(table.unpack(items, 1, meta.n)) }
	local made = results[meta.result]
	for _, step in ipairs(meta.after or {}) do
		-- If the data set in the recipe was changed, the statistics are those of the new set.
		if step[1] ~= STATISTICS or meta.statistics_of == text_of_set(v) then made[step[1]](made, step[2], step[3]) end
	end
	return made
end

-- Makes the objects among a trainer's arguments, but not the trainer.
function recipe.build(r)
	if r.warm_start == true then
		error("this run's recipe cannot be built again: the run started from weights that its recipe does not draw (warm_start), and "
			.. "a run without a folder does not save them: give it a folder, or save the weights and give their path as warm_start", 0)
	end
	local built = make_items(r)
	native.data_found()
	return built
end

return recipe
