-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
verify.lua: checks whether a figure still agrees with its runs (barlow verify).

A figure's file is not trusted: each field of its record is checked before it is used, names are cleaned before they are
shown, folders are only read, and nothing in the file is executed.
]]
local figure = require "barlow.figure"
local json = require "barlow.json"
local kinds = require "barlow.figure_kinds"
local native = require "barlow.native"
local runs = require "barlow.runs"
local sweep = require "barlow.sweep"

local verify = {}

local SHOWN = 5  -- greatest number of differences that are printed for each part
local LONG = 400 -- greatest number of bytes that are printed of a line, since lines of a recipe may have any length

-- Checks of the record.

local function need(fine, what) if not fine then error("its record was not written by barlow: " .. what, 0) end end

local function is_count(v) return math.type(v) == "integer" and v >= 0 end
local function is_text(v) return v == nil or type(v) == "string" end

local function is_list(v, check)
	if type(v) ~= "table" then return false end
	local n = 0
	for k, item in pairs(v) do
		if math.type(k) ~= "integer" or k < 1 or k > #v or not check(item) then return false end
		n = n + 1
	end
	return n == #v
end

local WORDS = { nan = true, inf = true, ["-inf"] = true }
local function is_number(v) return type(v) == "number" or WORDS[v] or false end
local function is_numbers(v) return v == nil or is_list(v, is_number) end

local function is_series(s)
	return type(s) == "table" and s.x ~= nil and s.y ~= nil and is_numbers(s.x) and is_numbers(s.y) and is_numbers(s.low)
		and is_numbers(s.high) and is_text(s.label) and is_text(s.marks)
end

local function is_panel(p)
	if type(p) ~= "table" or not is_list(p.series, is_series) or #p.series == 0 then return false end
	for _, name in ipairs{ "title", "xlabel", "ylabel" } do
		if not is_text(p[name]) then return false end
	end
	return p.names == nil or is_list(p.names, function(v) return type(v) == "string" end)
end

local function check_matrix(d)
	local cols = type(d.matrix) == "table" and type(d.matrix[1]) == "table" and #d.matrix[1] or 0
	need(cols > 0 and is_list(d.matrix, function(row) return is_list(row, is_number) and #row == cols end), "its matrix is not valid")
	need(is_list(d.dims, is_number) and #d.dims == 4 and type(d.floor) == "number", "its matrix has no valid dims and floor")
end

local function check_data(d)
	need(type(d) == "table", "it has no data")
	if d.matrix ~= nil then return check_matrix(d) end
	if d.matrices == nil then return need(is_list(d.panels, is_panel) and #d.panels > 0, "its data are not valid panels") end
	need(is_list(d.matrices, function(m) return type(m) == "table" and type(m.title) == "string" end) and #d.matrices >= 2
		and #d.matrices <= 16, "its matrices are not a list")
	for _, m in ipairs(d.matrices) do check_matrix(m) end
end

local function is_run(r)
	if type(r) ~= "table" or type(r.id or r.name or 0) ~= "string" or not is_count(r.records) then return false end
	if r.id and (r.id:find "/" or r.id:find "^%.") then return false end
	if r.moment ~= nil and not is_count(r.moment) then return false end
	for _, name in ipairs{ "id", "name", "folder", "recipe", "hash" } do
		if not is_text(r[name]) then return false end
	end
	return true
end

local function is_setting(v) return type(v) == "string" or type(v) == "number" or type(v) == "boolean" end

local function check(record)
	need(type(record) == "table", "it is not a table")
	need(record.version == 1, ("its version is %s, expected 1"):format(tostring(record.version)))
	need(is_text(record.barlow) and is_text(record.title) and is_text(record.hash) and is_text(record.width), "it has no version or title")
	need(type(record.figure) == "string" and kinds[record.figure] ~= nil and type(kinds[record.figure]) == "table", "its kind of figure is unknown")
	record.settings, record.runs = record.settings or {}, record.runs or {}
	need(type(record.settings) == "table" and is_list(record.runs, is_run), "its runs or settings are not valid")
	for name, v in pairs(record.settings) do
		if type(name) == "string" then need(is_setting(v), "its settings are not valid") else record.settings[name] = nil end
	end
	if record.sweep ~= nil then
		local s = record.sweep
		need(type(s) == "table" and type(s.name) == "string" and not s.name:find "/" and not s.name:find "^%." and is_text(s.folder)
			and is_text(s.declaration), "its sweep is not valid")
		need(record.figure == "sweep" or record.figure == "compare", "this kind of figure has no sweep")
	end
	check_data(record.data)
	return record
end

-- Returns the record of a file and the hash of its picture; raises an error if the file has no valid record.
function verify.read(path)
	local text, picture = native.figure_record(path)
	if not text then error(native.clean(picture), 0) end
	local record, why = native.json_read(text)
	if record == nil then error(("%s: its record is damaged: %s"):format(native.clean(path), why), 0) end
	local fine, message = pcall(check, record)
	if not fine then error(("%s: %s"):format(native.clean(path), message), 0) end
	return record, picture
end

-- Finding runs.

-- Returns the run's folder, in the folder of all runs or at the path in the record, or nil.
local function place_of(r)
	local list = { r.id and native.runs_root() .. "/" .. r.id or false, r.folder or false }
	for _, folder in ipairs(list) do
		if folder and native.is_regular(folder .. "/live") then return folder end
	end
end

local function sweep_place(s)
	for _, folder in ipairs{ sweep.root() .. "/" .. s.name, s.folder } do
		if native.is_regular(folder .. "/sweep.lua") then return folder end
	end
end

-- Returns the run as figure_kinds.lua takes it, with as many records as the figure used.
local function run_now(r, folder)
	return { id = r.id or folder:match "[^/]*$", name = r.name or r.id, folder = folder, live = folder .. "/live", records = r.records,
		moment = r.moment, listed = folder:match "^(.*)/[^/]*$" == native.runs_root() }
end

-- Differences.

-- Compares two texts line by line: "line 12 is lr = .1, was lr = .2".
local function lines_differing(old, new)
	local function lines(text)
		local out = {}
		for line in (text .. "\n"):gmatch "(.-)\n" do out[#out + 1] = line end
		return out
	end
	local a, b, out = lines(old), lines(new), {}
	for i = 1, math.max(#a, #b) do
		if a[i] ~= b[i] then
			local function shown(t) return t and native.clean(t:match "^%s*(.-),?%s*$") or "nothing" end
			out[#out + 1] = ("line %d is %s, was %s"):format(i, shown(b[i]), shown(a[i]))
		end
	end
	return out
end

local function number_shown(v) return type(v) == "number" and ("%.9g"):format(v) or tostring(v) end

local function series_name(s, i) return s.label and ("'%s'"):format(native.clean(s.label)) or ("series %d"):format(i) end

local function compare_series(out, was, is, what)
	if #was.x ~= #is.x then out[#out + 1] = ("%s has %d points, had %d"):format(what, #is.x, #was.x) end
	local count, first = 0, nil
	for i = 1, math.min(#was.x, #is.x) do
		for _, part in ipairs{ "x", "y", "low", "high" } do
			local a, b = (was[part] or {})[i], (is[part] or {})[i]
			if a ~= b then
				count = count + 1
				first = first or ("%s at x = %s is %s, was %s"):format(part, number_shown(was.x[i]), number_shown(b), number_shown(a))
			end
		end
	end
	if count > 0 then out[#out + 1] = ("%s: %s%s"):format(what, first, count > 1 and (" (and %d values more)"):format(count - 1) or "") end
end

local function compare_panels(out, was, is)
	if #was ~= #is then out[#out + 1] = ("there are %d panels, were %d"):format(#is, #was) end
	for i = 1, math.min(#was, #is) do
		local a, b = was[i].series, is[i].series
		if #a ~= #b then out[#out + 1] = ("panel %d has %d series, had %d"):format(i, #b, #a) end
		for k = 1, math.min(#a, #b) do
			local name = series_name(a[k], k)
			if (a[k].label or "") ~= (b[k].label or "") then
				out[#out + 1] = ("%s is %s now"):format(name, series_name(b[k], k))
			end
			compare_series(out, a[k], b[k], name)
		end
		local old, new = table.concat(was[i].names or {}, "\n"), table.concat(is[i].names or {}, "\n")
		if old ~= new then
			for _, line in ipairs(lines_differing(old, new)) do out[#out + 1] = "names of rows: " .. line end
		end
	end
end

local function compare_matrix(out, was, is)
	if not is or #was ~= #is or #was[1] ~= #is[1] then
		out[#out + 1] = "the matrix has another size"
		return
	end
	local count, first = 0, nil
	for i, row in ipairs(was) do
		for j, v in ipairs(row) do
			if v ~= is[i][j] then
				count = count + 1
				first = first or ("cell (%d, %d) is %s, was %s"):format(i, j, number_shown(is[i][j]), number_shown(v))
			end
		end
	end
	if count > 0 then out[#out + 1] = first .. (count > 1 and (" (and %d cells more)"):format(count - 1) or "") end
end

local function compare_data(was, is)
	local out = {}
	if was.matrix then
		compare_matrix(out, was.matrix, is.matrix)
	elseif was.matrices then
		if not is.matrices or #is.matrices ~= #was.matrices then return { ("it had %d matrices"):format(#was.matrices) } end
		for i, m in ipairs(was.matrices) do compare_matrix(out, m.matrix, is.matrices[i].matrix) end
	elseif not is.panels then
		out[1] = "it is a matrix now"
	else
		compare_panels(out, was.panels, is.panels)
	end
	return out
end

-- Lists the differences between the record of a run and the run as it is now.
local function compare_run(r, now)
	local out = {}
	local length = native.live_length(now.live)
	if length < r.records then
		out[#out + 1] = ("it has %d records, had %d"):format(length, r.records)
	elseif r.hash and native.live_hash(now.live, r.records) ~= r.hash then
		out[#out + 1] = ("its first %d records have other values"):format(r.records)
	end
	local file = native.run_file(now.folder)
	if r.seed ~= nil and file and file.seed ~= r.seed then
		out[#out + 1] = ("its seed is %s, was %s"):format(tostring(file.seed), native.clean(tostring(r.seed)))
	end
	local text = native.is_regular(now.folder .. "/recipe.lua") and native.read_file(now.folder .. "/recipe.lua") or ""
	if r.recipe and text ~= r.recipe then
		for _, line in ipairs(lines_differing(r.recipe, text)) do out[#out + 1] = "its recipe: " .. line end
	end
	return out
end

-- The report.

local function add(report, what, list)
	report.same = false
	report.things[#report.things + 1] = { what = what, differences = list }
end

local function fine(report, what, word)
	report.things[#report.things + 1] = { what = what, differences = {}, word = word }
end

local function check_runs(record, report)
	local list = {}
	for i, r in ipairs(record.runs) do
		local what = "run " .. native.clean(r.id or r.name)
		local folder = place_of(r)
		if not folder then
			report.missing = report.missing + 1
			add(report, what, { r.id and "missing: the run does not exist any more" or "it was not saved" })
		else
			list[i] = run_now(r, folder)
			local known, out = pcall(compare_run, r, list[i])
			if not known then out = { native.clean(tostring(out)) } end
			if #out > 0 then add(report, what, out) else
				fine(report, what, ("%d records, recipe and seed are the same"):format(r.records))
			end
		end
	end
	return list
end

local function check_sweep(s, report)
	local what, folder = "sweep " .. native.clean(s.name), sweep_place(s)
	if not folder then
		report.missing = report.missing + 1
		return add(report, what, { "missing: the sweep does not exist any more" })
	end
	local known, now = pcall(sweep.open, folder)
	if not known then return add(report, what, { native.clean(tostring(now)) }) end
	local out = s.declaration and lines_differing(s.declaration, native.read_file(folder .. "/sweep.lua") or "") or {}
	for i, line in ipairs(out) do out[i] = "its declaration: " .. line end
	if #out > 0 then add(report, what, out) else fine(report, what, "its declaration is the same") end
	return now
end

-- Returns the report on a figure's file: {same =, missing =, things = {{what =, differences = {texts}, word =, unknown =}},
-- record =, sourceless =, list =, sweep =, figure =}.
function verify.report(path)
	local record, picture = verify.read(path)
	local report = { same = true, missing = 0, things = {}, record = record }
	if record.picture == picture then
		fine(report, "picture", "as it was saved")
	else
		add(report, "picture", { "the file was changed after barlow wrote it" })
	end
	if record.hash == native.sha256(figure.encode(record.data)) then
		fine(report, "data", ("as they were saved, sha256 %s"):format(record.hash))
	else
		add(report, "data", { "the data in the file do not match the hash stored with them" })
	end
	report.sourceless = #record.runs == 0 and not record.sweep
	if report.sourceless then
		add(report, "runs", { "the figure has none: it was made from numbers of a script, which only that script can compute again" })
		report.things[#report.things].unknown = true
		return report
	end
	report.list = check_runs(record, report)
	report.sweep = record.sweep and check_sweep(record.sweep, report) or nil
	if report.missing > 0 or record.sweep and not report.sweep then return report end
	local known, f = pcall(figure.remake, record, report.list, report.sweep)
	if not known then
		add(report, "figure", { native.clean(tostring(f)) })
	else
		local out = compare_data(record.data, native.figure_data(f))
		if #out > 0 then add(report, "figure", out) else fine(report, "figure", "its data, computed again from the runs, are the same") end
		report.figure = f
	end
	return report
end

-- The command barlow verify.

local function put(text) io.write(native.clean(text, true), "\n") end

local function short(text) return #text <= LONG and text or text:sub(1, LONG) .. "..." end

local function print_report(path, report)
	local r = report.record
	put(short(("%s: %s, made by barlow %s%s"):format(path, r.figure, r.barlow or "?", r.title and r.title ~= "" and (": " .. r.title) or "")))
	for _, t in ipairs(report.things) do
		if #t.differences == 0 then put(short(("  same     %s: %s"):format(t.what, t.word))) end
		for i, line in ipairs(t.differences) do
			if i <= SHOWN then put(short(("  %-7s  %s: %s"):format(t.unknown and "unknown" or "differs", t.what, line))) end
		end
		if #t.differences > SHOWN then put(("  differs  %s: and %d more"):format(t.what, #t.differences - SHOWN)) end
	end
	put(report.same and "The runs still give this figure." or report.sourceless and "The figure was made from no runs, so there is nothing to compare it with."
		or report.missing > 0 and ("It cannot be checked: %d of its runs are missing."):format(report.missing)
		or "The runs do not give this figure, or the file was changed.")
end

local function plain(report)
	local out = { same = report.same, missing = report.missing, figure = report.record.figure, things = json.list{} }
	for i, t in ipairs(report.things) do
		out.things[i] = { what = t.what, same = #t.differences == 0, differences = json.list(t.differences) }
	end
	return out
end

local function remake(path, report, output)
	local f = report.sourceless and figure.of_data(report.record) or report.figure
	if not f then error(("%s: it cannot be made again: %s"):format(native.clean(path), report.missing > 0 and "runs are missing"
		or report.things[#report.things].differences[1]), 0) end
	figure.save(f, output or path, { width = report.record.width == "column" and "column" or "text", record = true })
	put(("%s: made again from %s"):format(output or path, report.sourceless and "the data in it" or "its runs"))
end

local function one(path, options)
	if options.print then
		put((figure.encode((verify.read(path)))))
		return 0
	end
	local report = verify.report(path)
	if options.json then put(json.encode(plain(report))) elseif not options.remake or not report.same then print_report(path, report) end
	if options.remake then
		remake(path, report, options.output)
		return 0
	end
	return report.same and 0 or 1
end

function verify.main(paths, options)
	local status = 0
	if options.output and #paths > 1 then error("-o takes one figure, not " .. #paths, 0) end
	for _, path in ipairs(paths) do
		local known, s = pcall(one, path, options)
		if not known and (#paths == 1 or tostring(s):find "interrupted") then error(s, 0) end
		if not known then io.stderr:write(("barlow verify: %s\n"):format(native.clean(tostring(s)))) end
		status = math.max(status, known and s or 1)
	end
	return status
end

return verify
