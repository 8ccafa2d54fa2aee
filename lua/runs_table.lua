-- SPDX-License-Identifier: GPL-3.0-or-later
-- runs_table.lua: rows and columns as text: for a terminal, CSV, JSON, Markdown and LaTeX.
local json = require "barlow.json"
local native = require "barlow.native"

local tables = {}

local function is_number(v) return type(v) == "number" end

-- Formats a cell, with few digits.
local function cell_text(v)
	if v == nil then return "-" end
	if math.type(v) == "integer" then return tostring(v) end
	if is_number(v) then
		if v == math.floor(v) and math.abs(v) < 1e9 then return ("%d"):format(v) end
		return (("%.4g"):format(v):gsub(",", "."))
	end
	local text = type(v) == "table" and table.concat(v, " ") or tostring(v)
	return text:find "[^ -~]" and native.clean(text) or text -- most cells are plain
end
tables.cell_text = cell_text

-- Counts characters, not bytes; wide characters count as one column.
local function width(text) return utf8.len(text) or #text end

local function padded(text, columns, left)
	local blank = (" "):rep(columns - width(text))
	return left and text .. blank or blank .. text
end

-- Returns whether the column contains only numbers, which are right-aligned.
local function of_numbers(rows, name)
	local any = false
	for _, r in ipairs(rows) do
		if r[name] ~= nil and not is_number(r[name]) then return false end
		any = any or r[name] ~= nil
	end
	return any
end

-- rows: tables by the names in `names`.
function tables.plain(names, rows)
	local cells, widths, left = {}, {}, {}
	for k, name in ipairs(names) do
		widths[k], left[k] = width(name), not of_numbers(rows, name)
		for i, r in ipairs(rows) do
			cells[i] = cells[i] or {}
			cells[i][k] = cell_text(r[name])
			widths[k] = math.max(widths[k], width(cells[i][k]))
		end
	end
	local lines = {}
	for i = 0, #rows do
		local line = {}
		for k, name in ipairs(names) do line[k] = padded(i == 0 and native.clean(name) or cells[i][k], widths[k], left[k]) end
		lines[#lines + 1] = table.concat(line, "  "):gsub("%s+$", "")
	end
	return table.concat(lines, "\n")
end

-- Formats a cell with all digits, and strings as they are; one that a spreadsheet would take for a formula begins with a blank.
local function csv_cell(v)
	if v == nil then return "" end
	if is_number(v) then return v == v and v ~= math.huge and v ~= -math.huge and (native.number_text(v):gsub("%.0$", "")) or "" end
	local text = type(v) == "table" and table.concat(v, " ") or tostring(v)
	if text:find "^[=+@\t\r-]" then text = " " .. text end
	return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

function tables.csv(names, rows)
	local lines, head = {}, {}
	for k, name in ipairs(names) do head[k] = csv_cell(name) end
	lines[1] = table.concat(head, ",")
	for i, r in ipairs(rows) do
		local line = {}
		for k, name in ipairs(names) do line[k] = csv_cell(r[name]) end
		lines[i + 1] = table.concat(line, ",")
	end
	return table.concat(lines, "\n")
end

function tables.json(names, rows)
	local out = json.list{}
	for i, r in ipairs(rows) do
		out[i] = setmetatable({}, { list = false })
		for _, name in ipairs(names) do
			local v = r[name]
			out[i][name] = type(v) == "table" and json.list{ table.unpack(v) } or v
		end
	end
	return json.encode(out)
end

-- Returns whether the column contains only numbers or texts of numbers, which Markdown and LaTeX align to the right.
local function reads_as_numbers(rows, name)
	for _, r in ipairs(rows) do
		if r[name] ~= nil and r[name] ~= "" and r[name] ~= "-" and not tonumber(r[name]) then return false end
	end
	return #rows > 0
end

local function bars(cells) return "| " .. table.concat(cells, " | ") .. " |" end

function tables.markdown(names, rows)
	local function text(v) return (cell_text(v):gsub("[|\\`*_<>%[%]]", "\\%0")) end
	local head, rule, lines = {}, {}, {}
	for k, name in ipairs(names) do
		head[k], rule[k] = text(name), reads_as_numbers(rows, name) and "---:" or "---"
	end
	lines[1], lines[2] = bars(head), bars(rule)
	for i, r in ipairs(rows) do
		local line = {}
		for k, name in ipairs(names) do line[k] = text(r[name]) end
		lines[i + 2] = bars(line)
	end
	return table.concat(lines, "\n")
end

local special = { ["\\"] = "\\textbackslash{}", ["~"] = "\\textasciitilde{}", ["^"] = "\\textasciicircum{}" }

function tables.latex(names, rows)
	local function text(v)
		local escaped = cell_text(v):gsub("[\\~^&%%$#_{}]", function(c) return special[c] or "\\" .. c end)
		return (escaped:gsub("%f[-+%w][-+]%f[%d]", "$%0$")) -- a sign, not a hyphen
	end
	local function line(of) return "\t" .. table.concat(of, " & ") .. " \\\\" end
	local head, form, lines = {}, {}, {}
	for k, name in ipairs(names) do
		head[k], form[k] = text(name), reads_as_numbers(rows, name) and "r" or "l"
	end
	lines[1] = "\\begin{tabular}{" .. table.concat(form) .. "}\n\t\\hline"
	lines[2] = line(head) .. "\n\t\\hline"
	for i, r in ipairs(rows) do
		local cells = {}
		for k, name in ipairs(names) do cells[k] = text(r[name]) end
		lines[i + 2] = line(cells)
	end
	lines[#lines + 1] = "\t\\hline\n\\end{tabular}"
	return table.concat(lines, "\n")
end

local formats = { plain = tables.plain, csv = tables.csv, json = tables.json, markdown = tables.markdown, latex = tables.latex }

function tables.text(format, names, rows)
	local f = formats[format]
	if not f then error(("there is no format '%s': expected csv, json, markdown or latex"):format(format), 0) end
	return f(names, rows)
end

return tables
