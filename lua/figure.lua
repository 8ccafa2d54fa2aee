-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
figure.lua: makes figures, and stores in their files a record from which they can be made again.

A figure's origin is its kind, its settings, and the runs (or the sweep) that it was made from, with the number of records
or the step of the snapshot that was used.  The record in a file has the origin, the runs' recipes and seeds, the data and
their hash, as JSON.  A record that is read may come from a stranger: verify.lua checks each field, and nothing in it is run.
]]
local kinds = require "barlow.figure_kinds"
local native = require "barlow.native"
local runs = require "barlow.runs"
local show = require "barlow.show"
local sweep = require "barlow.sweep"

local figure = {}

-- JSON in one line of ASCII without <, > and &.  Equal values have equal texts: keys are sorted, and numbers as short as possible.

local function text_of(s)
	local out = {}
	if not utf8.len(s) then s = native.clean(s, true) end
	for _, c in utf8.codes(s) do
		if c > 0xffff then
			out[#out + 1] = ("\\u%04x\\u%04x"):format(0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff))
		elseif c == 0x22 or c == 0x5c then
			out[#out + 1] = "\\" .. string.char(c)
		elseif c < 0x20 or c > 0x7e or c == 0x3c or c == 0x3e or c == 0x26 then
			out[#out + 1] = ("\\u%04x"):format(c)
		else
			out[#out + 1] = string.char(c)
		end
	end
	return '"' .. table.concat(out) .. '"'
end

local function number_of(v)
	if math.type(v) == "integer" then return tostring(v) end
	if v ~= v or v == math.huge or v == -math.huge then return '"' .. (v ~= v and "nan" or v > 0 and "inf" or "-inf") .. '"' end
	return v == math.floor(v) and math.abs(v) < 1e15 and ("%d"):format(v) or native.number_text(v)
end

local function encode(v)
	local kind = type(v)
	if kind == "number" then return number_of(v) end
	if kind == "string" then return text_of(v) end
	if kind ~= "table" then return tostring(v) end
	local parts = {}
	if #v > 0 or next(v) == nil then
		for i, item in ipairs(v) do parts[i] = encode(item) end
		return "[" .. table.concat(parts, ",") .. "]"
	end
	for _, k in ipairs(show.sorted_keys(v)) do parts[#parts + 1] = text_of(tostring(k)) .. ":" .. encode(v[k]) end
	return "{" .. table.concat(parts, ",") .. "}"
end
figure.encode = encode

-- Records.

-- Returns how a run is identified: its recipe and seed, and the hash of the records that it had.
local function run_facts(r)
	local out = { id = r.id, name = r.name, records = r.records, moment = r.moment }
	out.folder = not r.listed and r.folder or nil -- a run in the folder of all runs is found there by its id
	out.recipe = r.folder and native.read_file(r.folder .. "/recipe.lua") or nil
	local file = r.folder and native.run_file(r.folder)
	out.seed = file and file.seed or nil
	out.hash = native.live_hash(r.live, r.records)
	return out
end

local function sweep_facts(s)
	local name = s.folder:match "[^/]*$"
	local listed = s.folder == sweep.root() .. "/" .. name -- it is found by its name then
	return { name = name, folder = not listed and s.folder or nil, declaration = native.read_file(s.folder .. "/sweep.lua"),
		seeds = s.seeds }
end

-- Returns the record of a figure.
function figure.record(f)
	local origin, data = native.figure_origin(f) or { kind = "lines", settings = {}, runs = {} }, native.figure_data(f)
	local out = { version = 1, barlow = native.version, figure = origin.kind, settings = origin.settings, title = native.figure_title(f),
		data = data, hash = native.sha256(encode(data)), runs = {} }
	for i, r in ipairs(origin.runs) do out.runs[i] = run_facts(r) end
	if origin.sweep then out.sweep = sweep_facts(origin.sweep) end
	return out
end

figure.saved = setmetatable({}, { __mode = "k" }) -- the path to which each figure was saved last, for the prompt

-- figure:save(path, settings)
function figure.save(f, path, settings)
	local record
	if settings.record then
		record = figure.record(f)
		record.width = settings.width
		record = encode(record)
	end
	native.figure_save(f, path, settings.width == "column", record)
	figure.saved[f] = path
	return f
end

-- plot.KIND(...)

local function made(kind, f, settings, list, s)
	local plain = {}
	for k, v in pairs(settings) do plain[k] = v end
	native.figure_origin(f, { kind = kind, settings = plain, runs = list, sweep = s })
	return f
end

-- Finds a run that is given as a trainer, by name, or as an entry of runs(), and stores how many records it has now.
local function resolve(what, kind)
	local r = {}
	if native.is_trainer(what) then
		r.live, r.name, r.folder = what, what.name, what.folder
		r.id = r.folder and r.folder:match "[^/]*$" or nil
		r.listed = r.folder ~= nil and r.folder:match "^(.*)/[^/]*$" == native.runs_root()
	else
		local fine, known = pcall(runs.get, what)
		if not fine then error(("plot.%s: %s"):format(kind, known), 0) end
		r.id, r.name, r.folder, r.live = known.id, known.name, known.folder, known.folder .. "/live"
		r.listed = r.folder:match "^(.*)/[^/]*$" == native.runs_root()
	end
	r.records = native.live_length(r.live)
	return r
end

local function is_run(what)
	return native.is_trainer(what) or type(what) == "string" or type(what) == "table" and type(rawget(what, "folder")) == "string"
end
figure.is_run = is_run

-- Splits {run, run, ..., key = value} into a list of runs and settings; `known` lists the allowed keys.
local function split(kind, what, settings, known)
	local list, out, names = {}, {}, {}
	for name in pairs(known) do names[#names + 1] = name end
	table.sort(names)
	local function take(name, v)
		if known[name] == nil then
			local near = type(name) == "string" and native.nearest(name, names)
			error(("plot.%s: unknown key '%s' (%s)"):format(kind, native.clean(tostring(name)),
				near and ("did you mean '%s'?"):format(near) or "known: " .. (#names > 0 and table.concat(names, ", ") or "none") .. ", and runs in a list"), 0)
		end
		if type(v) ~= known[name] then error(("plot.%s: '%s' must be a %s, got %s"):format(kind, name, known[name], show.value(v)), 0) end
		out[name] = v
	end
	local many = not is_run(what)
	if many and type(what) ~= "table" then
		error(("plot.%s: expected %sa trainer, a run, or a list of runs, got %s"):format(kind, kinds[kind].tensor and "a tensor, "
			or kinds[kind].sweep and "a sweep, " or "", show.value(what)), 0)
	end
	for i, r in ipairs(many and what or { what }) do list[i] = resolve(r, kind) end
	if #list == 0 then error(("plot.%s: expected a trainer, a run, or a list of runs"):format(kind), 0) end
	for name, v in pairs(many and what or {}) do
		if not (math.type(name) == "integer" and name >= 1 and name <= #what) then take(name, v) end
	end
	for name, v in pairs(settings or {}) do take(name, v) end
	return list, out
end

for _, kind in ipairs{ "curves", "spectrum", "embedding", "compare", "heatmap" } do
	local k = kinds[kind]
	figure[kind] = function(what, settings)
		if k.sweep and kinds.is_sweep(what) then
			local metric = type(settings) == "table" and settings.metric or settings
			if metric ~= nil and type(metric) ~= "string" then error("plot.compare: expected the name of a metric, got " .. show.value(metric), 0) end
			local plain = { metric = metric or what.metric }
			return made(kind, k.sweep(what, plain), plain, {}, what)
		end
		if kind == "compare" and type(settings) == "string" then settings = { metric = settings } end
		if k.tensor and native.is_tensor(what) then return made(kind, k.tensor(what, settings or {}), {}, {}) end
		if settings ~= nil and type(settings) ~= "table" then
			error(("plot.%s: expected a table of settings, got %s"):format(kind, show.value(settings)), 0)
		end
		local list, plain = split(kind, what, settings, k.keys)
		return made(kind, k.make(list, plain), plain, list)
	end
end

function figure.sweep(s, path, metric)
	local plain = { path = path or kinds.only_axis(s), metric = metric }
	return made("sweep", kinds.sweep.make(s, plain), plain, {}, s)
end

-- Makes the same figure from the same runs (or the sweep) as they are now.
function figure.remake(record, list, s)
	local plain, k = {}, kinds[record.figure]
	for name, v in pairs(record.settings) do plain[name] = v end
	if s then return made(record.figure, (k.sweep or k.make)(s, plain), plain, list, s) end
	return made(record.figure, k.make(list, plain), plain, list)
end

-- Converts rows of a record to numbers: NaN and infinities, which JSON lacks, are stored as the strings in `words`.
local function numbers(rows)
	local words, out = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }, {}
	for i, row in ipairs(rows) do
		out[i] = {}
		for j, v in ipairs(row) do out[i][j] = words[v] or v end
	end
	return out
end

-- Draws from the data in the record alone, for figures without runs.
function figure.of_data(record)
	local data, f = record.data, nil
	local function dots(m, title) return native.figure_dots(require "barlow".tensor(numbers(m.matrix)), title, m.dims, m.floor) end
	if data.matrix then
		f = dots(data, record.title)
	elseif data.matrices then
		local parts = {}
		for i, m in ipairs(data.matrices) do parts[i] = dots(m, m.title) end
		f = native.figure_beside(parts)
	else
		f = native.figure_panels(data.panels)
	end
	return made(record.figure, f, record.settings, {})
end

return figure
