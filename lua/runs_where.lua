-- SPDX-License-Identifier: GPL-3.0-or-later
--[[
runs_where.lua: conditions on runs as SQL over the index (index.h).

"knn > .7 and loss.lambda < .1" names a metric and a setting: names that are not columns of the table of runs are looked up
among metrics and settings.  Quoted text, functions and keywords of SQL stay unchanged.
]]
local native = require "barlow.native"

local where = {}

local columns = {}
for name in ("run id folder name state reason problem step steps seed d pid host barlow cpu blas threads created started ended "
	.. "parent parent_step notes message"):gmatch "%S+" do columns[name] = true end
where.columns = columns

-- Metrics that a condition may name even if no run has them yet.
local expected = { knn = true, total = true, lambda = true }

local words = {}
for word in ("and or not in is null like glob between case when then else end collate nocase exists select from where as "
	.. "escape true false cast distinct desc asc notnull isnull"):gmatch "%S+" do words[word] = true end

-- Names of states before 0.2.
local states = { finished = "done", lost = "killed" }

local function quoted(text)
	return "'" .. text:gsub("'", "''") .. "'"
end

local function names_of(index)
	local names = {}
	for _, r in ipairs((native.index_query(index, "SELECT DISTINCT key FROM metrics UNION SELECT DISTINCT key FROM recipe"))) do
		names[r.key] = true
	end
	return names
end

-- Returns SQL for the value of that name; raises an error for a name that no run has.
function where.value(index, name, known)
	if columns[name] then return "runs." .. name end
	known = known or names_of(index)
	if not known[name] and not expected[name] then
		local list = {}
		for k in pairs(known) do list[#list + 1] = k end
		for k in pairs(columns) do list[#list + 1] = k end
		table.sort(list)
		local near = native.nearest(name, list)
		error(("'%s' is no column, metric or setting of any run%s"):format(name,
			near and (" (did you mean '%s'?)"):format(near) or ""), 0)
	end
	local key = quoted(name)
	return ("coalesce((SELECT value FROM metrics AS m WHERE m.run = runs.run AND m.key = %s), "
		.. "(SELECT value FROM recipe AS s WHERE s.run = runs.run AND s.key = %s))"):format(key, key)
end

-- Returns the path that begins at `from`, such as views[2].blur[1].p, and the position after it, or nil.
local function name_at(text, from)
	local to = select(2, text:find("^[%a_][%w_]*", from))
	while to do
		local more = select(2, text:find("^%.[%a_][%w_]*", to + 1)) or select(2, text:find("^%[%d+%]", to + 1))
		if not more then return text:sub(from, to), to + 1 end
		to = more
	end
end

-- Returns the condition with its names replaced by SQL.
local function from_text(index, text)
	local out, at, known = {}, 1, names_of(index)
	while at <= #text do
		local literal = text:match("^'[^']*'", at) or text:match('^"[^"]*"', at) or text:match("^%d[%w.]*", at)
		local name, next_at = name_at(text, at)
		if literal then
			out[#out + 1], at = literal, at + #literal
		elseif name then
			local plain = words[name:lower()] or text:find("^%s*%(", next_at)
			out[#out + 1], at = plain and name or where.value(index, name, known), next_at
		else
			out[#out + 1], at = text:sub(at, at), at + 1
		end
	end
	return "(" .. table.concat(out) .. ")"
end

local function from_table(index, wanted, values)
	local parts, known = {}, names_of(index)
	for name, v in pairs(wanted) do
		if type(v) ~= "string" and type(v) ~= "number" and type(v) ~= "boolean" then
			error(("where: '%s' must be a number, a text or a boolean, got a %s"):format(tostring(name), type(v)), 0)
		end
		values[#values + 1] = type(v) == "boolean" and tostring(v) or name == "state" and states[v] or v
		parts[#parts + 1] = ("%s = ?%d"):format(where.value(index, tostring(name), known), #values)
	end
	return #parts > 0 and table.concat(parts, " AND ") or "1"
end

local function tags_text(tags, values)
	local parts = {}
	for _, tag in ipairs(type(tags) == "table" and tags or { tags }) do
		values[#values + 1] = tostring(tag)
		parts[#parts + 1] = ("EXISTS(SELECT 1 FROM tags AS t WHERE t.run = runs.run AND t.tag = ?%d)"):format(#values)
	end
	return #parts > 0 and table.concat(parts, " AND ") or "1"
end

local function order_text(index, sort)
	local newest = "coalesce(runs.created, 0) DESC, runs.id DESC"
	if not sort then return newest end
	local down, name = sort:match "^(%-?)(.*)$"
	local value = where.value(index, name)
	return ("%s IS NULL, %s %s, %s"):format(value, value, down == "-" and "DESC" or "ASC", newest)
end

--[[
Returns the end of a SELECT statement and the values of its parameters, for the settings of runs.list: where as a text or
a table (the caller applies a function), sort and tags.
]]
function where.clause(index, settings)
	local values, parts, given = {}, {}, settings.where
	if type(given) == "string" then parts[1] = from_text(index, given) end
	if type(given) == "table" then parts[1] = from_table(index, given, values) end
	if settings.tags then parts[#parts + 1] = tags_text(settings.tags, values) end
	local condition = #parts > 0 and " WHERE " .. table.concat(parts, " AND ") or ""
	return condition .. " ORDER BY " .. order_text(index, settings.sort), values
end

return where
