-- SPDX-License-Identifier: GPL-3.0-or-later
-- runs_command.lua: the command barlow runs; each verb is an entry of `verbs`.
local json = require "barlow.json"
local native = require "barlow.native"
local runs = require "barlow.runs"
local show = require "barlow.show"
local tables = require "barlow.runs_table"

local command = {}

-- On a terminal, text from files is printed without control bytes; a file or a pipe gets it unchanged.
local function put(text)
	io.write(native.is_terminal() and native.clean(text, true) or text, "\n")
end

local function format_of(options, otherwise)
	return options.json and "json" or options.csv and "csv" or otherwise or "plain"
end

local function split(text)
	local out = {}
	for part in text:gmatch "[^,]+" do out[#out + 1] = part:match "^%s*(.-)%s*$" end
	return out
end

local function listed(options, limit)
	return runs.list{ where = options.where, sort = options.sort, tags = options.tags, number = limit or options.number }
end

-- Returns the requested columns, or nil.
local function columns_of(options, list)
	local columns = options.columns and split(options.columns)
	if columns then runs.check_columns(list, columns) end
	return columns
end

local function print_list(list, options, otherwise)
	local format = format_of(options, otherwise)
	local columns = columns_of(options, list)
	if format ~= "plain" then
		columns = columns or runs.usual
		return put(tables.text(format, columns, runs.rows(list, columns)))
	end
	put(#list == 0 and "no runs" or tables.plain(runs.shown(list, columns)))
end

local verbs = {}

verbs.list = { most = 0, call = function(_, options) print_list(listed(options), options) end }

-- Returns one run as a nested table.
local function whole(r)
	local out = {}
	for _, name in ipairs{ "id", "folder", "name", "state", "reason", "problem", "step", "steps", "seed", "d", "pid", "host", "barlow",
		"cpu", "blas", "threads", "created", "started", "ended", "notes", "message", "metrics", "recipe", "tags", "data",
		"convolution" } do out[name] = r[name] end
	if r.parent then out.parent = { folder = r.parent, step = r.parent_step } end
	return out
end

local function print_whole(r)
	local all, lines = whole(r), {}
	for _, name in ipairs{ "created", "started", "ended" } do all[name] = runs.date(all[name]) end
	if all.parent then all.parent = ("%s, step %d"):format(all.parent.folder, all.parent.step) end
	all.tags = table.concat(all.tags, " ")
	for _, name in ipairs{ "id", "folder", "name", "state", "reason", "problem", "message", "step", "steps", "seed", "d", "tags",
		"notes", "parent", "created", "started", "ended", "host", "pid", "cpu", "blas", "threads", "barlow" } do
		local v = all[name]
		if v ~= nil and v ~= "" then lines[#lines + 1] = ("%-12s %s"):format(name, tables.cell_text(v)) end
	end
	for _, part in ipairs{ "metrics", "recipe", "data", "convolution" } do
		local keys = show.sorted_keys(all[part])
		if #keys > 0 then lines[#lines + 1] = "\n" .. part end
		for _, k in ipairs(keys) do lines[#lines + 1] = ("  %-28s %s"):format(native.clean(k), tables.cell_text(all[part][k])) end
	end
	put(table.concat(lines, "\n"))
end

-- Flattens nested tables; keys are joined by dots.
local function flat(v, before, out)
	for _, k in ipairs(show.sorted_keys(v)) do
		local item = v[k]
		if type(item) == "table" and #item == 0 then
			flat(item, before .. k .. ".", out)
		else
			out[#out + 1] = { key = before .. k, value = type(item) == "table" and table.concat(item, " ") or item }
		end
	end
	return out
end

verbs.show = { least = 1, most = 1, what = "RUN", call = function(operands, options)
	local r = runs.get(operands[1])
	if options.json then return put(json.encode(whole(r))) end
	if options.csv then return put(tables.csv({ "key", "value" }, flat(whole(r), "", {}))) end
	print_whole(r)
end }

verbs.diff = { least = 2, most = 2, what = "RUN RUN", call = function(operands, options)
	local c = runs.compare(operands[1], operands[2])
	local rows = {}
	for _, part in ipairs{ "recipe", "metrics" } do
		for _, d in ipairs(c[part]) do rows[#rows + 1] = { part = part, key = d.key, a = d.a, b = d.b } end
	end
	local format = format_of(options)
	put(format == "plain" and tostring(c) or tables.text(format, { "part", "key", "a", "b" }, rows))
end }

verbs.best = { most = 0, call = function(_, options)
	local best = runs.best{ metric = options.metric, goal = options.goal, where = options.where, tags = options.tags }
	if not best then error(("no run has %s"):format(options.metric or "knn"), 0) end
	print_list({ best }, options)
end }

verbs.export = { most = 0, call = function(_, options)
	local format = options.format or format_of(options, "csv")
	local list = listed(options)
	local text = runs.export_text(format, list, columns_of(options, list) or runs.usual)
	if not options.output then return put(text) end
	native.write_file(options.output, text .. "\n")
end }

verbs.sql = { least = 1, most = 1, what = "QUESTION", call = function(operands, options)
	local rows = runs.query(operands[1])
	local format = format_of(options)
	put(format == "plain" and tostring(rows) or tables.text(format, getmetatable(rows).names, rows))
end }

verbs.tag = { least = 2, what = "RUN TAG...", call = function(operands)
	runs.tag(table.remove(operands, 1), operands)
end }

verbs.note = { least = 2, most = 2, what = "RUN TEXT", call = function(operands)
	runs.note(operands[1], operands[2])
end }

verbs.rm = { least = 1, what = "RUN...", call = function(operands, options)
	local list = {}
	for i, what in ipairs(operands) do list[i] = runs.get(what) end -- find all runs before the first is removed
	for _, r in ipairs(list) do
		runs.delete(r, { ask = not options.yes, forever = options.forever })
	end
end }

local function number_of(name, text)
	if not text then return nil end
	return tonumber(text) or error(("--%s: expected a number, got '%s'"):format(name, text), 0)
end

verbs.prune = { most = 0, call = function(_, options)
	local gone = runs.prune{ keep = number_of("keep", options.keep), older = number_of("older", options.older), size = options.size,
		where = options.where, tags = options.tags, dry = options.dry_run, ask = not options.yes, forever = options.forever,
		leftovers = options.leftovers }
	if options.dry_run or options.yes then print_list(gone, options) end
	local left = runs.leftovers_text(gone.leftovers)
	if left then io.stderr:write("barlow runs: ", left, "\n") end
end }

local function verb_of(name)
	if verbs[name] then return verbs[name] end
	local names = {}
	for known in pairs(verbs) do names[#names + 1] = known end
	table.sort(names)
	local near = native.nearest(name, names)
	error(("there is no '%s' (%s)"):format(name, near and ("did you mean '%s'?"):format(near)
		or "expected " .. table.concat(names, ", ")), 0)
end

-- Returns the exit status.
function command.main(operands, options)
	local name = table.remove(operands, 1) or "list"
	local verb = verb_of(name)
	if #operands < (verb.least or 0) then error(("expected %s %s"):format(name, verb.what), 0) end
	if verb.most and #operands > verb.most then
		error(("%s: '%s' is one argument too many"):format(name, operands[verb.most + 1]), 0)
	end
	if options.tags and #options.tags == 0 then options.tags = nil end
	verb.call(operands, options)
	return 0
end

return command
